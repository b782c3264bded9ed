"""Whom `check` asks the relays about, and what an answer about one of them tells of all others."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import msgspec

from outagecast.channel import Post
from outagecast.channels.email.addresses import parse as parse_address
from outagecast.channels.email.answers import Act
from outagecast.channels.email.letter import Letter

if TYPE_CHECKING:
    from collections.abc import Sequence

    from outagecast.channels.email.answers import Judged
    from outagecast.channels.email.relay import Relay
    from outagecast.channels.email.settings import EmailSettings

MOST_PROBES = 5
"""So many of the addresses in `to:` are asked about: each costs a few round trips, and relays dislike long lists."""
MOST_READERS = 3
"""So many of the list at the most, one after the other, until one answer tells."""


class Probes(msgspec.Struct, frozen=True):
    """Envelopes like those of real letters, which are never filled."""

    fixed: Sequence[Letter]
    """To the addresses that always get one, one of them at another domain if any is; without any to where bounces go.

    Not to the sender then: to refuse what is written to it is one of the right ways to close replies in mail.
    """
    readers: Sequence[Letter]
    """To some of the list, none of them at the sender's own domain."""
    home: str
    """The sender's domain."""
    anywhere: bool
    """Whether letters go to whoever is on the list, and therefore to any domain."""


def probes(settings: EmailSettings, listed: Sequence[str] = ()) -> Probes:
    """Choose them; `listed` are some of the subscribers."""
    sender = (settings.envelope_sender or settings.from_address.spec).replace("{token}", "check")
    home = settings.from_address.domain
    always = [_probe(sender, address) for address in settings.to]
    chosen, away = always[:MOST_PROBES], [letter for letter in always if _outside(letter, home)]
    if away and not any(letter in away for letter in chosen):
        chosen[-1] = away[0]
    readers = [_probe(sender, address) for address in listed if settings.subscribers]
    return Probes(
        fixed=chosen or [_probe(sender, sender)],
        readers=[letter for letter in readers if _outside(letter, home)],
        home=home,
        anywhere=settings.subscribers,
    )


def elsewhere(letter: Letter, relay: Relay, home: str) -> bool:
    """Whether it is for neither the sender's nor the relay's own domain, for which a relay takes whatever comes.

    To pass a letter on to somebody else is another right (RFC 5321 3.6.2), and mostly takes a login.
    """
    return _outside(letter, home) and _outside(letter, relay.host)


def about_its_mailbox(no: Judged) -> bool:
    """Whether an answer tells only of one reader's mailbox, and nothing of what the relay does with all others."""
    denied = re.search("relay", no.reply.text, re.IGNORECASE)
    return not denied and (no.act is Act.GONE or no.reply.enhanced.startswith("5.2."))


def _outside(letter: Letter, domain: str) -> bool:
    there, here = f".{letter.recipient.rpartition('@')[2].lower()}", f".{domain.lower()}"
    return not (there.endswith(here) or here.endswith(there))


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
