"""What a template may use beside the variables of --var, and how each is said."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from outagecast import eta as etas
from outagecast.model import Kind
from outagecast.stamps import clock, day, duration, moment

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime, tzinfo

    from outagecast.model import Status


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of an announcement that a template is to word."""

    kind: Kind
    message: str | None
    """As typed; None if none was."""
    title: str
    key: str
    organization: str
    support: str
    status: Status | None = None
    link: str | None = None
    eta: datetime | None = None
    was: datetime | None = None
    """The ETA that this one replaces."""
    number: int = 0
    """0 opened, else the number of the update."""
    at: datetime
    """Now."""
    opened_at: datetime
    resolved_at: datetime | None = None
    """When it ended, where that was before now."""
    zone: tzinfo
    taken_back: Sequence[str] = ()
    """Of a correction: what is taken back, each as "14:05 UTC: fiber cut, ETA 1h"."""


class Written(msgspec.Struct, frozen=True):
    """What the templates say of it."""

    words: str
    """For every channel without words of its own; also what counts as the announcement's text."""
    on: Mapping[str, str]
    """By the channel's name, where another file said it, or the same file other words."""


class Fact(msgspec.Struct, frozen=True):
    """What to do where a fact is missing, and what to add to the command."""

    do: str = ""
    add: str = ""


_ALWAYS = Fact()
_MESSAGE = Fact("type a message", '"fiber cut, ETA 1h"')
_ETA = Fact("say when, with --eta or in the message", "--eta 1h")
_WAS = Fact("no other ETA was announced before")
NAMES: Mapping[str, Fact] = {
    "kind": _ALWAYS,
    "message": _MESSAGE,
    "message_without_eta": _MESSAGE,
    "title": _ALWAYS,
    "key": _ALWAYS,
    "organization": _ALWAYS,
    "support": Fact("set `support:` in the config"),
    "status": Fact("say how far the work is", "--status investigating"),
    "link": Fact("give one", "--link https://status.example.net/1"),
    "number": _ALWAYS,
    "time": _ALWAYS,
    "time_local": _ALWAYS,
    "eta": _ETA,
    "eta_local": _ETA,
    "was": _WAS,
    "was_local": _WAS,
    "began": _ALWAYS,
    "lasted": Fact("only the end of an incident has it"),
    "taken_back": _ALWAYS,
    "channel": _ALWAYS,
    "channel_type": _ALWAYS,
}
"""Every name that the facts have in templates."""


def said(facts: Facts) -> dict[str, object]:
    """The facts by the names that templates know them by; None for what there is not."""
    return {
        "kind": str(facts.kind),
        "message": facts.message or None,
        "message_without_eta": _without_eta(facts),
        "title": facts.title,
        "key": facts.key,
        "organization": facts.organization,
        "support": facts.support or None,
        "status": str(facts.status) if facts.status else None,
        "link": facts.link or None,
        "number": facts.number,
        "taken_back": list(facts.taken_back),
        **_times(facts),
    }


def _without_eta(facts: Facts) -> str | None:
    """The message without the ETA that `eta` says; an ETA that is none any more is part of the story."""
    return etas.without(facts.message) if facts.message and facts.eta else facts.message or None


def _times(facts: Facts) -> dict[str, str | None]:
    over = facts.kind is Kind.RESOLVED
    return {
        "time": clock(facts.at),
        "time_local": _local(facts.at, facts),
        "eta": _utc(facts.eta, facts),
        "eta_local": _local(facts.eta, facts),
        "was": _utc(facts.was, facts),
        "was_local": _local(facts.was, facts),
        "began": _utc(facts.opened_at, facts),
        "lasted": duration((facts.resolved_at or facts.at) - facts.opened_at) if over else None,
    }


def _utc(at: datetime | None, facts: Facts) -> str | None:
    """The time in UTC, dated when it is on another day than now: just as messages get it."""
    return etas.phrase(at, facts.at).removeprefix("ETA ") if at else None


def _local(at: datetime | None, facts: Facts) -> str | None:
    if at is None:
        return None
    local = at.astimezone(facts.zone)
    # Of "22 Nov 2026, 15:05 CET (14:05 UTC)" the middle: there is one way to name a zone.
    told = moment(at, facts.zone).partition(", ")[2].partition(" (")[0]
    return told if local.date() == facts.at.astimezone(facts.zone).date() else f"{day(local)} {told}"
