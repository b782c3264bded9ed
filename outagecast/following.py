"""What follows the first word of an incident: which one is meant, what was said already, what is said next."""

from __future__ import annotations

from typing import TYPE_CHECKING

from outagecast.announce import Draft, news_of, unique
from outagecast.errors import UsageError
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
VERBS = {Kind.UPDATE: "update", Kind.RESOLVED: "resolve", Kind.CORRECTION: "retract"}


def which(journal: Journal | None, key: str | None, kind: Kind, now: datetime) -> Incident:
    """The incident that is meant: the one of --incident, or the only open one.

    For whatever ends one also the one that ended a moment ago, so that the same command again finds its own. Raises
    UsageError that names the open ones when there are several, and when there is none.
    """
    verb = VERBS[kind]
    if key is not None:
        return _named(journal, one_line(key, "incident key"), kind)
    incidents = journal.incidents() if journal else []
    meant = [incident for incident in incidents if incident.state is IncidentState.OPEN]
    if not meant and kind is not Kind.UPDATE:
        meant = [one for one in incidents if one.resolved_at and now - one.resolved_at < SAME_WITHIN][:1]
    if not meant:
        raise UsageError(f"there is no open incident to {verb}", hint=_without(incidents, kind))
    if len(meant) > 1:
        known = "; ".join(f"{incident.key} ({incident.title})" for incident in meant)
        message = "" if kind is Kind.CORRECTION else " MESSAGE"
        raise UsageError(
            f"{len(meant)} incidents are open: {known}", hint=f"outagecast {verb} --incident {meant[0].key}{message}"
        )
    return meant[0]


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
    seq = len(journal.announcements(incident.key)) if journal else 0
    return unique(journal, channels, news_of(pen, request, words, kind, incident, seq, now))
