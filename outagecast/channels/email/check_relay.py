"""What `check` finds out about one relay: everything up to the recipient, with the code that sends letters."""

from __future__ import annotations

import ssl
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from outagecast.channel import Finding, Level, Post, TryLater
from outagecast.channels.email import picture
from outagecast.channels.email.addresses import parse as parse_address
from outagecast.channels.email.answers import LEAVES, Act, Stage, error
from outagecast.channels.email.dialogue import Dialogue, LostError
from outagecast.channels.email.letter import Letter
from outagecast.channels.email.session import NotOpenError, Session, open_session

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from outagecast.channel import ChannelError
    from outagecast.channels.email.answers import Judged
    from outagecast.channels.email.link import Waits
    from outagecast.channels.email.relay import Relay
    from outagecast.channels.email.settings import EmailSettings

MOST_PROBES = 5
"""So many of the addresses in `to:` are asked about: each costs a few round trips, and relays dislike long lists."""
_SOON = timedelta(days=14)
_TOLD = ("PIPELINING", "SMTPUTF8", "DSN", "ENHANCEDSTATUSCODES")
_SPARE = 20_000
"""Octets that a letter may have besides its picture."""


def probes(settings: EmailSettings) -> Sequence[Letter]:
    """Envelopes like those of real letters, to the addresses that always get one, else to where bounces go.

    Not to the sender then: to refuse what is written to it is one of the right ways to close replies in mail.
    """
    sender = (settings.envelope_sender or settings.from_address.spec).replace("{token}", "check")
    return [_probe(sender, address) for address in settings.to[:MOST_PROBES] or [sender]]


def look(
    name: str, relay: Relay, letters: Sequence[Letter], tls: Callable[[], ssl.SSLContext], waits: Waits, now: datetime
) -> Iterator[Finding]:
    """Talk to it; no letter goes out, and no transaction is left open."""
    try:
        session = open_session(relay, tls, waits)
    except NotOpenError as err:
        yield _wrong(name, Level.BAD, err.error)
        return
    try:
        yield from _certificate(name, session, now)
        yield from _size(name, session)
        yield from _dialogue(name, session, letters, waits)
    finally:
        session.quit()


def late(name: str, relay: Relay, waits: Waits) -> Finding:
    """What is said of one that hangs or drips."""
    text = f"{relay.label} did not get to the recipient within {waits.check:g} s"
    return Finding(name, Level.BAD, text, "ask the relay's operator, then: outagecast check")


def _probe(sender: str, to: str) -> Letter:
    recipient = parse_address(to)
    return Letter(
        post=Post(text=""),
        recipient=recipient.spec,
        envelope_sender=sender,
        message_id="",
        token="check",  # noqa: S106  the name of a letter in a bounce, no password
        own=b"",
        smtputf8=not recipient.ascii,
    )


def _dialogue(name: str, session: Session, letters: Sequence[Letter], waits: Waits) -> Iterator[Finding]:
    dialogue = Dialogue(session, waits)
    taken = []
    for letter in letters:
        if letter.smtputf8 and "SMTPUTF8" not in session.extensions:
            text = f"{session.relay.label} offers no SMTPUTF8, which letters to {letter.recipient} need"
            yield Finding(name, Level.WARNING, text, "name an address in plain ASCII, or another relay")
            continue
        try:
            no = dialogue.envelope_only(letter)
        except LostError as err:
            yield Finding(name, Level.BAD, f"{session.relay.label} was lost: {err}", "ask the relay's operator")
            return
        if no is None:
            taken.append(letter.recipient)
            continue
        yield _refusal(name, session.relay, letter, no)
        if no.stage is Stage.MAIL or no.act in LEAVES or no.reply.code == 421:
            return
    if taken:
        yield Finding(name, Level.GOOD, _taken(session, letters[0].envelope_sender, taken))


def _refusal(name: str, relay: Relay, letter: Letter, no: Judged) -> Finding:
    said = error(no, relay=relay.label, to=letter.recipient)
    if no.act is Act.LATER:
        # Greylisting (RFC 6647): whoever comes again is let in, and letters do.
        text = f"{said.text}; letters are offered again, and come late"
        return Finding(name, Level.WARNING, text, "wait ten minutes, then: outagecast check")
    if no.act in (Act.GONE, Act.RECIPIENT):
        return _recipient(name, letter, said)
    return _wrong(name, Level.WARNING if isinstance(said, TryLater) else Level.BAD, said)


def _recipient(name: str, letter: Letter, said: ChannelError) -> Finding:
    if letter.recipient == letter.envelope_sender:
        do = "name an address that exists in envelope_sender, or ask the relay's operator"
        return Finding(name, Level.WARNING, f"{said.text}; bounces are to go there", do)
    return Finding(name, Level.BAD, said.text, "correct it in to:, or ask the relay's operator why")


def _wrong(name: str, level: Level, err: ChannelError) -> Finding:
    """An error of the night, as a finding before it: there is nothing to resume yet."""
    return Finding(name, level, err.text, err.hint.replace("outagecast resume", "outagecast check"))


def _taken(session: Session, sender: str, taken: Sequence[str]) -> str:
    how = [session.link.tls_version or "without TLS", "logged in" if session.relay.user else "without login"]
    how += [word for word in _TOLD if word in session.extensions]
    if session.most_octets < float("inf"):
        how.append(f"SIZE {_megabytes(session.most_octets)}")
    return f"{session.relay.label} takes letters from {sender} to {', '.join(taken)} ({', '.join(how)})"


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
    if most < picture.HEAVIEST + _SPARE:
        text = (
            f"{session.relay.label} takes letters of {_megabytes(most)} at the most: one with the largest picture has "
            f"{_megabytes(picture.HEAVIEST)}, and would go out without it"
        )
        yield Finding(name, Level.WARNING, text, "ask the relay's operator for more, or keep pictures smaller")


def _megabytes(octets: float) -> str:
    return f"{octets / 1_000_000:.1f} MB"
