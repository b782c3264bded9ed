"""What `check` finds out about one relay: everything up to the recipient, with the code that sends letters."""

from __future__ import annotations

import ssl
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from outagecast.channel import Finding, Level
from outagecast.channels.email import picture
from outagecast.channels.email.check_recipients import octets, recipients, wrong
from outagecast.channels.email.session import NotOpenError, Session, open_session

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from outagecast.channels.email.link import Waits
    from outagecast.channels.email.probes import Probes
    from outagecast.channels.email.relay import Relay

_SOON = timedelta(days=14)
LETTER = 10_000
"""Octets of a letter with many words; the shortest, signed, have some 2,000."""
_SPARE = 20_000
"""Octets that a letter may have besides its picture."""


def look(
    name: str, relay: Relay, probes: Probes, tls: Callable[[], ssl.SSLContext], waits: Waits, now: datetime
) -> Iterator[Finding]:
    """Talk to it; no letter goes out, and no transaction is left open."""
    try:
        session = open_session(relay, tls, waits)
    except NotOpenError as err:
        yield wrong(name, Level.BAD, err.error)
        return
    try:
        yield from _certificate(name, session, now)
        yield from _size(name, session)
        yield from recipients(name, session, probes, waits)
    finally:
        session.quit()


def late(name: str, relay: Relay, waits: Waits) -> Finding:
    """What is said of one that hangs or drips."""
    text = f"{relay.label} did not get to the recipient within {waits.check:g} s"
    return Finding(name, Level.BAD, text, "ask the relay's operator, then: outagecast check")


def _certificate(name: str, session: Session, now: datetime) -> Iterator[Finding]:
    ends = session.link.certificate.get("notAfter")
    if not isinstance(ends, str):
        return
    last = datetime.fromtimestamp(ssl.cert_time_to_seconds(ends), UTC)
    until = f"{last.day} {last:%b %Y, %H:%M} UTC"
    if last - now < _SOON:
        text = f"{session.relay.label}: its certificate ends in {(last - now).days} days ({until})"
        yield Finding(name, Level.WARNING, text, "ask the relay's operator to renew it")
    else:
        yield Finding(name, Level.GOOD, f"{session.relay.label}: its certificate is trusted and good until {until}")


def _size(name: str, session: Session) -> Iterator[Finding]:
    most = session.most_octets
    if most < LETTER:
        text = (
            f"{session.relay.label} takes letters of {octets(most)} at the most: one of many words has {octets(LETTER)}"
        )
        yield Finding(name, Level.BAD, text, "ask the relay's operator for more, or name another relay")
    elif most < picture.HEAVIEST + _SPARE:
        text = (
            f"{session.relay.label} takes letters of {octets(most)} at the most: one with the largest picture has "
            f"{octets(picture.HEAVIEST)}, and would go out without it"
        )
        yield Finding(name, Level.WARNING, text, "ask the relay's operator for more, or keep pictures smaller")
