"""What `check` finds out about mail before the night: the whole dialogue but for the letter."""

from __future__ import annotations

import ssl
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from outagecast.channel import Finding, Level, Post, Refused
from outagecast.channels.email.addresses import parse as parse_address
from outagecast.channels.email.answers import error
from outagecast.channels.email.dialogue import Dialogue, LostError
from outagecast.channels.email.dkim import load
from outagecast.channels.email.letter import Letter
from outagecast.channels.email.session import NotOpenError, Session, open_session

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from outagecast.channels.email.link import Waits
    from outagecast.channels.email.relay import Relay
    from outagecast.channels.email.settings import Dkim, EmailSettings

_SOON = timedelta(days=14)


def findings(
    name: str,
    settings: EmailSettings,
    relays: Sequence[Relay],
    tls: Callable[[], ssl.SSLContext],
    waits: Waits,
    now: datetime,
) -> Iterator[Finding]:
    """One line about each relay, and what the settings lack."""
    for relay in relays:
        try:
            session = open_session(relay, tls, waits)
        except NotOpenError as err:
            yield Finding(name, Level.BAD, err.error.text, err.error.hint)
            continue
        try:
            yield from _certificate(name, session, now)
            yield _dialogue(name, session, _probe(settings), waits)
        finally:
            session.quit()
    if settings.dkim:
        yield _signature(name, settings.dkim)
    yield from _wanting(name, settings)


def _dialogue(name: str, session: Session, probe: Letter, waits: Waits) -> Finding:
    label = session.relay.label
    try:
        no = Dialogue(session, waits).envelope_only(probe)
    except LostError as err:
        return Finding(name, Level.BAD, f"{label} was lost: {err}", "ask the relay's operator")
    if no is not None:
        said = error(no, relay=label, to=probe.recipient)
        return Finding(name, Level.BAD, said.text, said.hint)
    how = [session.link.tls_version or "without TLS", "logged in" if session.relay.user else "without login"]
    how += [word for word in ("PIPELINING", "SMTPUTF8", "DSN") if word in session.extensions]
    return Finding(name, Level.GOOD, f"{label} takes letters to {probe.recipient} ({', '.join(how)})")


def _probe(settings: EmailSettings) -> Letter:
    """An envelope like that of a real letter, to the first address that always gets one, else to ourselves."""
    sender = settings.from_address.spec
    recipient = parse_address(settings.to[0]) if settings.to else settings.from_address
    return Letter(
        post=Post(text=""),
        recipient=recipient.spec,
        envelope_sender=(settings.envelope_sender or sender).replace("{token}", "check"),
        message_id="",
        token="check",  # noqa: S106  the name of a letter in a bounce, no password
        own=b"",
        smtputf8=not recipient.ascii,
    )


def _certificate(name: str, session: Session, now: datetime) -> Iterator[Finding]:
    ends = session.link.certificate.get("notAfter")
    if not isinstance(ends, str):
        return
    left = datetime.fromtimestamp(ssl.cert_time_to_seconds(ends), UTC) - now
    if left < _SOON:
        text = f"{session.relay.label}: its certificate ends in {left.days} days"
        yield Finding(name, Level.WARNING, text, "ask the relay's operator to renew it")


def _signature(name: str, dkim: Dkim) -> Finding:
    try:
        signer = load(dkim)
    except Refused as err:
        return Finding(name, Level.BAD, err.text, err.hint)
    return Finding(name, Level.GOOD, f"letters are signed; the DNS must have the key at {signer.label}")


def _wanting(name: str, settings: EmailSettings) -> Iterator[Finding]:
    if len(settings.relays) == 1:
        yield Finding(name, Level.WARNING, "there is only one relay", "add a second one, at another provider")
    if settings.subscribers and not settings.unsubscribe:
        text = "subscribers' letters carry no way out; Gmail and Yahoo want one from those who send many"
        yield Finding(name, Level.WARNING, text, "set unsubscribe")
    if not settings.list_id:
        text = f"list_id is not set: outages.{settings.from_address.domain} is used"
        yield Finding(name, Level.WARNING, text, "set list_id to a name that will never change")
