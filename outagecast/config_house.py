"""The keys outside of the channels: their types, and what must be true of them."""

from __future__ import annotations

import re
from datetime import UTC, timedelta, tzinfo
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from outagecast.config_yaml import Entry

SWEEP_FOR = timedelta(hours=24)
"""How long an incident's posts are looked at after it is over, unless the config says otherwise."""
_PLACEHOLDER = re.compile(r"\{[^{}]*\}")
_LABEL = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)")
_LOOKS_LIKE_ADDRESS = re.compile(r"[0-9.]+(/.*)?|.*:.*")


class TopLevel(msgspec.Struct, frozen=True, kw_only=True):
    """The keys of the file beside `channels`, as they are written."""

    organization: str
    support: str = ""
    notice: str = ""
    timezone: str = "UTC"
    own: tuple[str, ...] = ()
    journal: str | None = None
    expires: timedelta = timedelta(hours=6)
    sweep_for: timedelta = SWEEP_FOR
    templates: str | None = None


def checked(
    right: Mapping[str, Any], found: Mapping[str, Entry], path: Path, complain: Callable[[int, str, str], object]
) -> dict[str, Any]:
    """Give the values ready to use; complains (line, key, text) about all that are wrong.

    `right` are the keys whose type is right. The others were complained about already and are passed over.
    """
    unknown = {key: "?" for key in ("organization", "support") if key in found or key == "organization"}
    top = TopLevel(**{**unknown, **right})
    checks: Mapping[str, Callable[[], Any]] = {
        "organization": lambda: _one_line(top.organization, required=True),
        "support": lambda: _one_line(top.support),
        "notice": lambda: _notice(top),
        "timezone": lambda: zone(top.timezone),
        "own": lambda: _own(top.own),
        "journal": lambda: _path(top.journal, path),
        "templates": lambda: _path(top.templates, path),
    }
    values: dict[str, Any] = {"expires": top.expires, "sweep_for": top.sweep_for}
    for key, check in checks.items():
        try:
            values[key] = check()
        except ValueError as err:
            complain(found[key].line if key in found else 1, key, str(err))
    return values


def _one_line(text: str, *, required: bool = False) -> str:
    stripped = text.strip()
    if required and not stripped:
        raise ValueError("is empty; expected the name that readers know you by")
    if not stripped.isprintable():
        raise ValueError("expected one line without control characters")
    return stripped


def _notice(top: TopLevel) -> str:
    text = top.notice.strip()
    if not text.replace("\n", "").isprintable():
        raise ValueError("expected text without control characters")
    for placeholder in _PLACEHOLDER.findall(text):
        if placeholder != "{support}":
            raise ValueError(f"{placeholder} means nothing here; the only placeholder is {{support}}")
    if "{support}" in text and not top.support.strip():
        raise ValueError("has {support} in it, but `support:` is not set; expected an address or a link there")
    return text


def zone(name: str) -> tzinfo:
    """Give the timezone of this name; raises ValueError with the nearest known one."""
    if name == "UTC":
        return UTC
    import zoneinfo

    try:
        return zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(f"no timezone {name[:64]!r}{_nearest_zone(name)}") from None


def _nearest_zone(name: str) -> str:
    from difflib import get_close_matches
    from zoneinfo import available_timezones

    close = get_close_matches(name, available_timezones(), n=1)
    return f"; did you mean {close[0]}?" if close else "; expected a name such as Europe/Berlin, or UTC"


def _own(written: Sequence[str]) -> tuple[str, ...]:
    right: list[str] = []
    wrong: list[str] = []
    for text in written:
        try:
            right.append(domain_or_network(text))
        except ValueError as err:
            wrong.append(str(err))
    if wrong:
        raise ValueError("; ".join(wrong))
    return tuple(right)


def domain_or_network(text: str) -> str:
    """Give a domain in lower case (IDNA) or a network in its usual form; raises ValueError with what would be right."""
    if _LOOKS_LIKE_ADDRESS.fullmatch(text):
        return _network(text)
    written = text.strip().removesuffix(".").lower()
    if written.startswith(("*.", ".")):
        raise ValueError(f"{text[:64]!r}: write {written.lstrip('*.')}, which includes everything below it")
    try:
        domain = ".".join(_labels(written))
    except ValueError:
        domain = ""
    # A digit that is none of ASCII's becomes one in IDNA, and an address is no domain.
    if not domain or _LOOKS_LIKE_ADDRESS.fullmatch(domain):
        raise ValueError(f"{text[:64]!r} is neither a domain nor a network; expected example.com or 203.0.113.0/24")
    return domain


def _labels(domain: str) -> Sequence[str]:
    labels = (domain if domain.isascii() else _idna(domain)).split(".")
    if not all(_LABEL.fullmatch(label) for label in labels):
        raise ValueError(domain)
    return labels


def _idna(domain: str) -> str:
    """By the rules that hold for relays and links too: ß and ss are two names since 2008."""
    import idna  # only here: most domains do without

    return idna.encode(domain, uts46=True).decode("ascii")


def _network(text: str) -> str:
    from ipaddress import ip_network

    try:
        return str(ip_network(text))
    except ValueError as err:
        try:
            right = str(ip_network(text, strict=False))
        except ValueError:
            right = "a network such as 203.0.113.0/24 or 2001:db8::/32, or a domain"
        raise ValueError(f"{text[:64]!r} is no network; expected {right}") from err


def _path(text: str | None, config: Path) -> Path | None:
    """Give a path with ~ resolved; a relative one starts at the config's folder, wherever the command is run."""
    if not text:
        return None
    try:
        return config.parent.absolute() / Path(text).expanduser()
    except RuntimeError as err:
        raise ValueError(f"{text[:64]!r}: there is no such home directory") from err
