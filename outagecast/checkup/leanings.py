"""Which names outside of this machine the night depends on, and what each of them is to us."""

from __future__ import annotations

import re
from ipaddress import ip_address
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import msgspec
from msgspec.structs import replace

from outagecast.channel import Leans, Named
from outagecast.errors import UsageError
from outagecast.model import Dependency, Need

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from outagecast.channel import Channel
    from outagecast.config import Config
    from outagecast.registry import Opened

_PROXIES = ("https_proxy", "http_proxy", "all_proxy")
_LINK = re.compile(r"https?://[^\s<>\"'{}|\\^`]+", re.IGNORECASE)
_MAIL = re.compile(r"[^\s@<>()\[\],;:\\\"/]+@((?:[\w-]+\.)+[\w-]+)")
_BARE = re.compile(r"(?<![\w@.-])(?:[\w-]+\.)+[^\W\d_][\w-]*(?![\w@-]|\.\w)")
_JINJA = re.compile(r"\{\{.*?\}\}|\{%.*?%\}|\{#.*?#\}", re.DOTALL)
_HOST = re.compile(r"(?:[\w-]+\.)+[^\W\d][\w-]*\.?")
_SAY = {
    Need.HOST: "use one at another provider, as well or instead",
    Need.MAIL: "use one whose mail is taken at another provider",
    Need.RECORD: "keep it at another provider",
    Need.SPF: "list the relays' networks in the record itself (ip4:, ip6:), or include a provider's record elsewhere",
}


class Leaning(msgspec.Struct, frozen=True):
    """A name that the night depends on, whose it is, and what to do where it goes dark together with us."""

    dependency: Dependency
    do: str
    who: str = ""
    """The channel; empty for what all of them need."""
    vital: bool = False
    """Everything of the channel goes out through this, or through another such one."""
    letters: bool = False
    told: bool = False
    """The channel asks the DNS itself, and says what cannot be found there."""

    @property
    def label(self) -> str:
        """What it is, and to whom."""
        return f"{self.who}: {self.dependency.what}" if self.who else self.dependency.what


def leanings(config: Config, opened: Mapping[str, Opened], env: Mapping[str, str], disk: str = "") -> list[Leaning]:
    """Everything that the config and the environment lean on; `disk` is the host of the journal's network disk."""
    found = [each for one in opened.values() for each in _of_channel(config, one)]
    found += _of_texts(config)
    if disk:
        found.append(_house("the journal's disk", disk, Need.HOST, "keep the journal on a disk of this machine"))
    return list(dict.fromkeys([*found, *_of_environment(env)]))


def _of_channel(config: Config, opened: Opened) -> Iterator[Leaning]:
    channel = opened.channel
    # What is sent to a simulator on this machine leans on nothing.
    if channel is None or getattr(config.channels[opened.name].settings, "simulator_url", None):
        return
    letters = channel.caps.letters
    hosts = {_plain(host) for host in channel.endpoints}
    for each in _named(channel):
        vital = each.need is Need.HOST and _plain(each.name) in hosts
        do = "add a relay at another provider" if vital and letters else _SAY[each.need]
        dependency = Dependency(each.what, _plain(each.name), each.need)
        yield Leaning(dependency, do, opened.name, vital, letters, told=isinstance(channel, Named))


def _named(channel: Channel) -> Iterator[Dependency]:
    """What it says it depends on, and each of its hosts that it does not mention there."""
    said = list(channel.depends()) if isinstance(channel, Leans) else []
    yield from said
    known = {_plain(each.name) for each in said if each.need is Need.HOST}
    what = "a relay" if channel.caps.letters else "its host"
    yield from (Dependency(what, host) for host in channel.endpoints if _plain(host) not in known)


def _of_texts(config: Config) -> Iterator[Leaning]:
    """Where readers are sent: a page that went dark with us helps nobody."""
    do = "name a page or an address at another provider in `support:`"
    support = config.support.strip()
    if _HOST.fullmatch(support) and (host := _ascii(support)):
        yield _house("where readers are sent (`support:`)", host, Need.HOST, do)
    else:
        yield from _named_in("where readers are sent (`support:`)", support, do)
    do = "send readers to another provider's page there"
    yield from _named_in("a link in `notice:`", config.notice, do)
    for file in _templates(config.templates):
        yield from _named_in(f"a link in {file.name}", file.read_text(encoding="utf-8", errors="replace"), do)


def _named_in(what: str, text: str, do: str) -> Iterator[Leaning]:
    links = list(names_in(text))
    for host, need in links:
        yield _house(what, host, need, do)
    # That such a word cannot be looked up is no news: it may have been none.
    for host in bare_hosts(text):
        if (host, Need.HOST) not in links:
            yield replace(_house(what, host, Need.HOST, do), told=True)


def _templates(folder: Path | None) -> Iterator[Path]:
    """The user's own; that they cannot be read, or are none, is told where templates are checked."""
    from outagecast.templates import files

    try:
        listed = files.listed(folder) if folder else ()
    except UsageError:
        return
    for name in listed:
        if folder and files.FILE.fullmatch(name) and (folder / name).is_file():
            yield folder / name


def _of_environment(env: Mapping[str, str]) -> Iterator[Leaning]:
    for name in (*_PROXIES, *map(str.upper, _PROXIES)):
        value = env.get(name, "")
        if host := _host(value if "://" in value else f"http://{value}"):
            do = f"unset {name}, or name a proxy at another provider"
            yield _house(f"the proxy (${name})", host, Need.HOST, do)


def names_in(text: str) -> Iterator[tuple[str, Need]]:
    """The hosts of the links in a text, and the domains of its mail addresses."""
    for link in _LINK.findall(text):
        if host := _host(link.rstrip(".,;:!?)")):
            yield host, Need.HOST
    for domain in _MAIL.findall(_LINK.sub(" ", text)):
        if name := _ascii(domain):
            yield name, Need.MAIL


def bare_hosts(text: str) -> Iterator[str]:
    """The words of a text that readers would type into a browser: host names in a domain that there is."""
    if "." not in text:
        return
    from outagecast.tld import TLDS

    for pattern in (_LINK, _MAIL, _JINJA):
        text = pattern.sub(" ", text)
    for word in _BARE.findall(text):
        host = _ascii(word)
        if host and _unicode(host.rpartition(".")[2]) in TLDS:
            yield host


def _unicode(label: str) -> str:
    """As readers see it."""
    import idna

    try:
        return idna.decode(label) if label.startswith("xn--") else label
    except idna.IDNAError:
        return label


def _house(what: str, name: str, need: Need, do: str) -> Leaning:
    return Leaning(Dependency(what, _plain(name), need), do)


def _host(link: str) -> str:
    try:
        return _ascii(urlsplit(link).hostname or "")
    except ValueError:
        return ""  # a bracket without its other half, say: no link


def _ascii(host: str) -> str:
    """A host as the DNS has it; empty for what can be none."""
    import idna

    try:
        ip_address(host)
    except ValueError:
        pass  # not an address, so it must be a name
    else:
        return host
    try:
        known = host.lower() if host.isascii() else idna.encode(host, uts46=True).decode("ascii")
    except idna.IDNAError:
        return ""
    return known.rstrip(".") if re.fullmatch(r"[a-z0-9._-]+", known) else ""


def _plain(name: str) -> str:
    """As names are compared; an address may stand in brackets, as in a mail domain (RFC 5321 4.1.3)."""
    return str(name).strip().lower().rstrip(".").removeprefix("[").removesuffix("]").removeprefix("ipv6:")
