"""Whether the DNS has the public half of the key that signs our letters."""

from __future__ import annotations

from typing import TYPE_CHECKING

from outagecast.channel import Finding, Level, Refused
from outagecast.channels.email import dkim_record

if TYPE_CHECKING:
    from collections.abc import Iterator

    from outagecast.channels.email.sending import Sending
    from outagecast.names import Names


def of_dkim(sending: Sending, names: Names) -> Iterator[Finding]:
    """Raises UnansweredError."""
    texts = names.texts(sending.key_record)
    try:
        signer = sending.signer()
    except Refused:
        return  # the key itself cannot be used, and `check` has said so
    if signer is None:
        return
    if why := dkim_record.wrong(texts, signer):
        text = f"the DKIM record {sending.key_record} {why}"
        yield Finding(sending.name, Level.BAD, text, f"publish this as its TXT record: {dkim_record.wanted(signer)}")
    elif dkim_record.testing(texts):
        text = f"the DKIM record {sending.key_record} says t=y: receivers may take our letters for unsigned"
        yield Finding(sending.name, Level.WARNING, text, "take t=y out of it")
    else:
        yield Finding(sending.name, Level.GOOD, f"the DKIM record {sending.key_record} has the key that signs letters")
