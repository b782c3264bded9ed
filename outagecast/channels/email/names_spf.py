"""Whether SPF lets letters come from our relays."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from outagecast.channel import Finding, Level
from outagecast.channels.email import spf
from outagecast.channels.email.sending import seen_from
from outagecast.channels.email.spf_record import BrokenError, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from outagecast.channels.email.sending import Sending
    from outagecast.channels.email.spf_record import IPAddress
    from outagecast.names import Names

_ASK = "ask the relay's operator which include: letters through it need"
_SHOWN = 3
"""Addresses of one relay; large providers have dozens."""


class Unlisted(msgspec.Struct, frozen=True):
    """A relay that the record does not let send, from all of its addresses or from some."""

    relay: str
    out: Sequence[str]
    listed: Sequence[str]
    said: Sequence[Verdict]


class Standing(msgspec.Struct, frozen=True):
    """What SPF is worth for letters of one envelope domain; relays by their labels."""

    survey: spf.Survey | None = None
    broken: str = ""
    anybody: Sequence[int] = ()
    """The versions of IP over which the record lets everybody send."""
    unlisted: Sequence[Unlisted] = ()
    listed: Sequence[str] = ()
    unseen: Sequence[str] = ()
    """Relays whose public address we do not see: what SPF says of them is not known."""

    @property
    def passes(self) -> bool:
        """Whether nothing that we see speaks against it; what is not seen may."""
        return self.survey is not None and not (self.broken or self.unlisted or self.survey.record.nobody)

    @property
    def unknown(self) -> Sequence[str]:
        """The relays of which nobody can tell from here whether the record lets them send."""
        return () if len(self.anybody) > 1 else self.unseen


def standing(sending: Sending, names: Names) -> Standing:
    """Evaluate it for every relay. Raises UnansweredError."""
    try:
        survey = spf.survey(names, sending.envelope)
        if survey is None:
            return Standing()
        seen = {relay.label: seen_from(names, relay) for relay in sending.relays}
        verdicts = {
            relay: {address: spf.evaluate(names, sending.envelope, sending.sender, address) for address in addresses}
            for relay, addresses in seen.items()
        }
    except BrokenError as err:
        return Standing(broken=str(err))
    unlisted = [out for relay, found in verdicts.items() if (out := _unlisted(relay, found))]
    return Standing(
        survey=survey,
        anybody=spf.anybody(names, sending.envelope, sending.sender, {one for found in seen.values() for one in found}),
        unlisted=unlisted,
        listed=[relay for relay, found in verdicts.items() if found and relay not in {one.relay for one in unlisted}],
        unseen=[relay for relay, found in verdicts.items() if not found],
    )


def _unlisted(relay: str, verdicts: Mapping[IPAddress, Verdict]) -> Unlisted | None:
    out = {address: verdict for address, verdict in verdicts.items() if verdict is not Verdict.PASS}
    if not out:
        return None
    listed = [str(address) for address in verdicts if address not in out]
    return Unlisted(relay, [str(address) for address in out], listed, sorted(set(out.values())))


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
    if found.anybody:
        who = "everybody" if len(found.anybody) > 1 else f"everybody on IPv{found.anybody[0]}"
        text = f"the SPF record of {domain} lets {who} send as {domain}: receivers trust it little"
        do = f"look for +all, /0 and the like in it and in what it includes; end it with -all or ~all; {_ASK}"
        yield Finding(name, Level.WARNING, text, do)
    for one in found.unlisted:
        text = (
            f"the SPF record of {domain} {_out(one)} (it says {_row(one.said)}). "
            "That is right only if the relay passes letters on from another address"
        )
        yield Finding(name, Level.WARNING, text, _ASK)
    cost = f"{survey.lookups} of {spf.MOST_LOOKUPS} lookups"
    if found.listed:
        yield Finding(name, Level.GOOD, f"the SPF record of {domain} lists {', '.join(found.listed)} ({cost})")
    if found.unseen:
        unseen = ", ".join(found.unseen)
        text = (
            f"the SPF record of {domain} is well formed ({cost}); the addresses {unseen} sends from are not seen here"
        )
        yield Finding(name, Level.GOOD, text)


def _out(one: Unlisted) -> str:
    if one.listed:
        return f"lists {one.relay} at {_row(one.listed)}, but not at {_row(one.out)}"
    return f"does not list {one.relay} at {_row(one.out)}"


def _row(words: Sequence[str]) -> str:
    """Some of them, as a list in a sentence."""
    shown = [*words[:_SHOWN], f"{len(words) - _SHOWN} more"] if len(words) > _SHOWN + 1 else list(words)
    return " and ".join(filter(None, [", ".join(shown[:-1]), shown[-1]]))
