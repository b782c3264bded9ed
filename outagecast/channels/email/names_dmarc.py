"""Whether DMARC would hold our letters for forged."""

from __future__ import annotations

from typing import TYPE_CHECKING

from outagecast.channel import Finding, Level
from outagecast.channels.email import dmarc
from outagecast.channels.email.dmarc import Wish
from outagecast.channels.email.names_spf import standing

if TYPE_CHECKING:
    from collections.abc import Iterator

    from outagecast.channels.email.names_spf import Standing
    from outagecast.channels.email.sending import Sending
    from outagecast.names import Names

_WANTED = "Gmail, Yahoo and Microsoft want one from those who send many"


def of_dmarc(sending: Sending, names: Names) -> Iterator[Finding]:
    """Raises UnansweredError."""
    author = sending.author
    if len(several := dmarc.at(names, author)) > 1:
        text = f"there are {len(several)} DMARC records at _dmarc.{author}: receivers take none of them"
        yield Finding(sending.name, Level.WARNING, text, "leave one of them")
        return
    record = dmarc.applying(names, author)
    if record is None:
        text = f"{author} has no DMARC record; {_WANTED}"
        do = f"publish a TXT record at _dmarc.{author}, such as v=DMARC1; p=none"
        yield Finding(sending.name, Level.WARNING, text, do)
        return
    wish = record.wish(author)
    if wish is None:
        text = (
            f"the DMARC record at _dmarc.{record.domain} says no p= that receivers know, and counts as none; {_WANTED}"
        )
        yield Finding(sending.name, Level.WARNING, text, "give it p=none, p=quarantine or p=reject")
        return
    yield _kept(sending, names, record, wish)


def _kept(sending: Sending, names: Names, record: dmarc.Record, wish: Wish) -> Finding:
    """Whether one of the two that DMARC counts would be in line with the sender."""
    asks = (
        f"DMARC of {record.domain} asks for p={wish}"
        if wish is not Wish.NONE
        else f"DMARC of {record.domain} is p=none"
    )
    strict = record.strict("adkim")
    if sending.signs and dmarc.in_line(names, sending.author, sending.signs, strict=strict):
        return Finding(sending.name, Level.GOOD, f"{asks}; letters are in line by our signature of {sending.signs}")
    if wish is Wish.NONE:
        return Finding(sending.name, Level.GOOD, f"{asks}: letters are not refused for it")
    found = standing(sending, names)
    beside = _beside(sending, names, record, found)
    relays = f"the relay signs as {sending.author}"
    if beside:
        text = (
            f"{asks}, and nothing we see puts our letters in line: {beside}. Unless {relays}, they are taken for forged"
        )
    elif found.unknown:
        text = (
            f"{asks}; whether letters are in line is not known: we do not sign them in line with {sending.author}, "
            f"and the addresses {', '.join(found.unknown)} sends from are not seen here"
        )
    else:
        text = f"{asks}; letters are in line by SPF of {sending.envelope}, forwarded ones only if {relays}"
        return Finding(sending.name, Level.GOOD, text)
    do = f"ask the relay's operator whether it signs with d={sending.author}, or set dkim"
    return Finding(sending.name, Level.WARNING, text, do)


def _beside(sending: Sending, names: Names, record: dmarc.Record, found: Standing) -> str:
    """Why SPF does not do; empty when nothing that we see speaks against it."""
    signed = f"the signature is of {sending.signs}; " if sending.signs else "we do not sign; "
    if not dmarc.in_line(names, sending.author, sending.envelope, strict=record.strict("aspf")):
        return f"{signed}bounces go to {sending.envelope}, which is not {sending.author}"
    return "" if found.passes else f"{signed}SPF of {sending.envelope} does not speak for every relay"
