"""What the DNS must say so that letters are believed and answers find a way back: all of it asked at once."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import msgspec

from outagecast.channel import Finding, Level
from outagecast.channels.email.at_once import at_once
from outagecast.channels.email.depends import list_domains, ways_out
from outagecast.channels.email.names_dkim import of_dkim
from outagecast.channels.email.names_dmarc import of_dmarc
from outagecast.channels.email.names_spf import of_spf
from outagecast.names import UnansweredError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from outagecast.channels.email.sending import Sending
    from outagecast.channels.email.settings import EmailSettings
    from outagecast.names import Names

    Look = Callable[[], Iterable[Finding]]


class _Unanswered(msgspec.Struct, frozen=True):
    """What nobody told us about."""

    of: str


def findings(sending: Sending, settings: EmailSettings, names: Names, seconds: float) -> Iterator[Finding]:
    """What the DNS lacks or says wrongly, in a steady order; what nobody answers is one warning at the end."""
    every = [*_receiving(sending, settings, names), *_believed(sending, names)]
    # An address in brackets (RFC 5321 4.1.3) has no records.
    looks = [(of, look) for of, look in every if "[" not in of]
    silent = []
    for found in at_once(
        [partial(_heard, of, look) for of, look in looks], seconds, lambda number: _Unanswered(looks[number][0])
    ):
        if isinstance(found, Finding):
            yield found
        else:
            silent.append(found.of)
    if silent:
        text = f"the DNS does not answer for {', '.join(dict.fromkeys(silent))}"
        do = "look at this machine's network and its DNS, then: outagecast check"
        yield Finding(sending.name, Level.WARNING, text, do)


def _heard(of: str, look: Look) -> Iterator[Finding | _Unanswered]:
    try:
        yield from look()
    except UnansweredError:
        yield _Unanswered(of)


def _receiving(sending: Sending, settings: EmailSettings, names: Names) -> Iterator[tuple[str, Look]]:
    """Who must be able to receive mail: the sender, whoever bounces go to, the lists; and how readers leave."""
    for domain, (what, level) in _mail_domains(sending, settings).items():
        yield domain, partial(_takes_mail, sending.name, names, domain, what, level)
    for host in ways_out(settings)[0]:
        yield host, partial(_way_out, sending.name, names, host)


def _believed(sending: Sending, names: Names) -> Iterator[tuple[str, Look]]:
    yield sending.envelope, partial(of_spf, sending, names)
    if sending.signs:
        yield sending.key_record, partial(of_dkim, sending, names)
    yield f"_dmarc.{sending.author}", partial(of_dmarc, sending, names)


def _mail_domains(sending: Sending, settings: EmailSettings) -> Mapping[str, tuple[str, Level]]:
    """Each domain once, with what it is to us and how bad it is when it takes no mail."""
    found = {sending.author: ("the sender's domain", Level.BAD)}
    found.setdefault(sending.envelope, ("where bounces go", Level.BAD))
    for domain in ways_out(settings)[1]:
        found.setdefault(domain, ("where readers write to leave (unsubscribe)", Level.WARNING))
    for domain, address in list_domains(settings).items():
        found.setdefault(domain, (f"of {address} in to:", Level.WARNING))
    return found


def _takes_mail(name: str, names: Names, domain: str, what: str, level: Level) -> Iterator[Finding]:
    hosts = names.mail_hosts(domain)
    if any(names.way(host).addresses for host in hosts):
        yield Finding(name, Level.GOOD, f"{domain} takes mail ({what}; {_few(hosts)})")
        return
    why = (
        f"its mail hosts have no address ({_few(hosts)})"
        if hosts and list(hosts) != [domain]
        else "there is no mail host"
    )
    do = f"publish an MX record for {domain}, or name an address elsewhere"
    yield Finding(name, level, f"{domain} takes no mail ({what}): {why}{_cost(level)}", do)


def _cost(level: Level) -> str:
    return "; many receivers refuse letters from there" if level is Level.BAD else ""


def _way_out(name: str, names: Names, host: str) -> Iterator[Finding]:
    if names.way(host).addresses:
        yield Finding(name, Level.GOOD, f"the way out of the list is there ({host})")
        return
    text = f"there is no host {host}: readers cannot leave by the link in unsubscribe, and press “spam” instead"
    yield Finding(name, Level.WARNING, text, "correct unsubscribe, or publish an address for that host")


def _few(hosts: Sequence[str]) -> str:
    more = f" and {len(hosts) - 2} more" if len(hosts) > 3 else ""
    return ", ".join(hosts[: 2 if more else 3]) + more
