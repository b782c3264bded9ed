"""Whether SPF lets letters come from our relays."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from outagecast.channel import Finding, Level
from outagecast.channels.email import spf
from outagecast.channels.email.sending import seen_from
from outagecast.channels.email.spf_record import BrokenError, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from outagecast.channels.email.relay import Relay
    from outagecast.channels.email.sending import Sending
    from outagecast.names import Names

_ASK = "ask the relay's operator which include: letters through it need"


class Standing(msgspec.Struct, frozen=True):
    """What SPF is worth for letters of one envelope domain."""

    survey: spf.Survey | None = None
    broken: str = ""
    unlisted: Sequence[tuple[Relay, str, Verdict]] = ()
    """Relays with an address that the record does not let send."""
    listed: Sequence[Relay] = ()
    unseen: Sequence[Relay] = ()
    """Relays whose public address we do not see."""

    @property
    def passes(self) -> bool:
        """Whether nothing that we see speaks against it."""
        return self.survey is not None and not (self.broken or self.unlisted or self.survey.record.nobody)


def standing(sending: Sending, names: Names) -> Standing:
    """Evaluate it for every relay. Raises UnansweredError."""
    try:
        survey = spf.survey(names, sending.envelope)
        if survey is None:
            return Standing()
        seen = [(relay, seen_from(names, relay)) for relay in sending.relays]
        verdicts = [
            (relay, str(address), spf.evaluate(names, sending.envelope, sending.sender, address))
            for relay, addresses in seen
            for address in addresses
        ]
    except BrokenError as err:
        return Standing(broken=str(err))
    unlisted = [one for one in verdicts if one[2] is not Verdict.PASS]
    out = {id(relay) for relay, _, _ in unlisted}
    return Standing(
        survey=survey,
        unlisted=unlisted,
        listed=[relay for relay, addresses in seen if addresses and id(relay) not in out],
        unseen=[relay for relay, addresses in seen if not addresses],
    )


def of_spf(sending: Sending, names: Names) -> Iterator[Finding]:
    """Raises UnansweredError."""
    domain, found = sending.envelope, standing(sending, names)
    if found.broken:
        text = (
            f"the SPF record of {domain} is void: {found.broken}; receivers treat it as if it were not there, or worse"
        )
        yield Finding(sending.name, Level.BAD, text, f"correct the TXT record of {domain}")
    elif found.survey is None:
        text = f"{domain} has no SPF record; Gmail, Yahoo and Microsoft want one from those who send many"
        yield Finding(
            sending.name, Level.WARNING, text, f"publish a TXT record for {domain}, v=spf1 include:… -all; {_ASK}"
        )
    elif found.survey.record.nobody:
        text = f"the SPF record of {domain} says that no mail comes from there: letters will be refused"
        yield Finding(sending.name, Level.BAD, text, _ASK)
    else:
        yield from _usable(sending.name, domain, found, found.survey)


def _usable(name: str, domain: str, found: Standing, survey: spf.Survey) -> Iterator[Finding]:
    if survey.otherwise is Verdict.PASS:
        text = f"the SPF record of {domain} lets everybody send as {domain}: receivers trust it little"
        yield Finding(name, Level.WARNING, text, f"end it with -all or ~all; {_ASK}")
    for relay, address, verdict in found.unlisted:
        text = (
            f"the SPF record of {domain} does not list {relay.label} at {address} (it says {verdict}). "
            "That is right only if the relay passes letters on from another address"
        )
        yield Finding(name, Level.WARNING, text, _ASK)
    cost = f"{survey.lookups} of {spf.MOST_LOOKUPS} lookups"
    if found.listed:
        yield Finding(name, Level.GOOD, f"the SPF record of {domain} lists {_labels(found.listed)} ({cost})")
    if found.unseen:
        unseen = _labels(found.unseen)
        text = (
            f"the SPF record of {domain} is well formed ({cost}); the addresses {unseen} sends from are not seen here"
        )
        yield Finding(name, Level.GOOD, text)


def _labels(relays: Sequence[Relay]) -> str:
    return ", ".join(relay.label for relay in relays)
