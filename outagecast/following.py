"""What follows the first word of an incident: which one is meant, what was said already, what is said next."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from msgspec.structs import replace

from outagecast.announce import Draft, news_of, unique
from outagecast.errors import UsageError
from outagecast.journal import Scope
from outagecast.model import IncidentState, Kind
from outagecast.repeats import SAME_WITHIN, same
from outagecast.text import one_line

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from outagecast.journal import AnnouncementRow, Journal
    from outagecast.model import Incident
    from outagecast.phrasing import Pen, Request, Words
    from outagecast.registry import Opened

RESTORED = "Service is restored."
"""What `resolve` says when it is given no message."""
_FORGOTTEN = timedelta(days=1)
"""Nobody types the command again that ended an incident longer ago."""
VERBS = {Kind.UPDATE: "update", Kind.RESOLVED: "resolve", Kind.CORRECTION: "retract"}


def which(journal: Journal | None, key: str | None, kind: Kind, now: datetime) -> Incident:
    """The incident that is meant: the one of --incident, or the only open one.

    For whatever ends one also one that has just ended or is not done with that: the same command again is to find its
    own, and no other one. Raises UsageError that names them when there are several, and when there is none.
    """
    if key is not None:
        return _named(journal, one_line(key, "incident key"), kind)
    incidents = journal.incidents() if journal else []
    meant = [incident for incident in incidents if incident.state is IncidentState.OPEN]
    if journal and kind is not Kind.UPDATE:
        meant += _ended(journal, incidents, kind, now)
    if not meant:
        raise UsageError(f"there is no open incident to {VERBS[kind]}", hint=_without(incidents, kind))
    if len(meant) > 1:
        raise _several(meant)
    return meant[0]


def _ended(journal: Journal, incidents: Sequence[Incident], kind: Kind, now: datetime) -> list[Incident]:
    """Those that ended a moment ago, or by this very command and it has not got through everywhere yet."""
    found = []
    for one in incidents:
        if one.resolved_at is None or now - one.resolved_at > _FORGOTTEN:
            continue
        rows = journal.announcements(one.key)
        gone = all(row.withdrawn_at for row in rows if row.news.kind is not Kind.CORRECTION)
        if gone and kind is Kind.RESOLVED:
            # It was taken back, and nobody resolves that.
            continue
        last = max(row.withdrawn_at or row.news.at for row in rows)
        by_this = gone or kind is Kind.RESOLVED
        if now - last < SAME_WITHIN or (by_this and journal.unfinished(Scope(tuple(row.id for row in rows)))):
            found.append(one)
    return found


def _several(meant: Sequence[Incident]) -> UsageError:
    # Not a command of our own making: what else was typed, --last say, must not get lost.
    hint = f"type the same again with --incident {'   or: --incident '.join(one.key for one in meant)}"
    if all(one.state is IncidentState.OPEN for one in meant):
        known = "; ".join(f"{one.key} ({one.title})" for one in meant)
        return UsageError(f"{len(meant)} incidents are open: {known}", hint=hint)
    known = "; ".join(f"{one.key} ({one.title}; {_how(one)})" for one in meant)
    return UsageError(f"more than one incident may be meant: {known}", hint=hint)


def _how(one: Incident) -> str:
    return "open" if one.state is IncidentState.OPEN else "over, but only just or not finished"


def _without(incidents: Sequence[Incident], kind: Kind) -> str:
    """What to type where no incident is open."""
    if kind is Kind.CORRECTION and incidents:
        return f"outagecast retract --incident {incidents[0].key}   (the latest; it is over)"
    return "outagecast status" if kind is Kind.CORRECTION else 'outagecast post "what is wrong, ETA 1h"'


def _named(journal: Journal | None, key: str, kind: Kind) -> Incident:
    incident = journal.incident(key) if journal else None
    if incident is None:
        raise UsageError(f"there is no incident {key}", hint="outagecast status")
    if incident.state is IncidentState.RESOLVED and kind is Kind.UPDATE:
        raise UsageError(
            f"the incident {key} is resolved; what happens now is a new one",
            hint=f"outagecast post --incident {key}-2 MESSAGE",
        )
    return incident


def already(kind: Kind, journal: Journal, request: Request, words: Words, now: datetime) -> AnnouncementRow | None:
    """The announcement that this very request has already made: the incident's latest, if it says the same."""
    incident = which(journal, request.key, kind, now)
    latest = [row for row in journal.announcements(incident.key) if row.news.kind is not Kind.CORRECTION][-1]
    alike = latest.news.kind is kind and latest.news.typed == words.typed
    if incident.state is IncidentState.RESOLVED and not alike:
        raise UsageError(
            f"the incident {incident.key} is already resolved ({latest.news.text})",
            hint=f"outagecast status {incident.key}",
        )
    return same(journal, request, words, latest, now) if alike and not request.again else None


def following(
    kind: Kind,
    pen: Pen,
    journal: Journal | None,
    channels: Sequence[Opened],
    request: Request,
    words: Words,
    now: datetime,
) -> Draft:
    """The next announcement of an incident, rendered, with texts that none of the accounts has said before."""
    incident = which(journal, request.key, kind, now)
    before = journal.announcements(incident.key) if journal else []
    if not request.groups:
        # Whoever was told how it began is told how it goes on, and nobody else.
        told = [row.news.groups for row in before if row.news.kind is not Kind.CORRECTION]
        request = replace(request, groups=tuple(told[-1]) if told else ())
    return unique(journal, channels, news_of(pen, request, words, kind, incident, len(before), now))
