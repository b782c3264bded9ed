"""What follows the first word of an incident: which one is meant, what was said already, what is said next."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from outagecast.announce import SAME_WITHIN, Draft, Request, Words, unique
from outagecast.errors import UsageError
from outagecast.model import Announcement, IncidentState, Kind
from outagecast.text import one_line

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from outagecast.journal import AnnouncementRow, Journal
    from outagecast.model import Incident
    from outagecast.registry import Opened

RESTORED = "Service is restored."
"""What `resolve` says when it is given no message."""


def which(journal: Journal | None, request: Request, kind: Kind, now: datetime) -> Incident:
    """The incident that is meant: the one of --incident, or the only open one.

    For the resolution also the one that was resolved a moment ago, so that the same command again finds its own. Raises
    UsageError that names the open ones when there are several, and when there is none.
    """
    verb = "resolve" if kind is Kind.RESOLVED else "update"
    if request.key is not None:
        return _named(journal, one_line(request.key, "incident key"), kind)
    incidents = journal.incidents() if journal else []
    meant = [incident for incident in incidents if incident.state is IncidentState.OPEN]
    if not meant and kind is Kind.RESOLVED:
        meant = [one for one in incidents if one.resolved_at and now - one.resolved_at < SAME_WITHIN][:1]
    if not meant:
        raise UsageError(f"there is no open incident to {verb}", hint='outagecast post "what is wrong, ETA 1h"')
    if len(meant) > 1:
        known = "; ".join(f"{incident.key} ({incident.title})" for incident in meant)
        raise UsageError(
            f"{len(meant)} incidents are open: {known}", hint=f"outagecast {verb} --incident {meant[0].key} MESSAGE"
        )
    return meant[0]


def _named(journal: Journal | None, key: str, kind: Kind) -> Incident:
    incident = journal.incident(key) if journal else None
    if incident is None:
        raise UsageError(f"there is no incident {key}", hint="outagecast status")
    if incident.state is IncidentState.RESOLVED and kind is not Kind.RESOLVED:
        raise UsageError(
            f"the incident {key} is resolved; what happens now is a new one",
            hint=f"outagecast post --incident {key}-2 MESSAGE",
        )
    return incident


def already(kind: Kind, journal: Journal, request: Request, words: Words, now: datetime) -> AnnouncementRow | None:
    """The announcement that this very request has already made: the incident's latest, if it says the same."""
    incident = which(journal, request, kind, now)
    latest = journal.announcements(incident.key)[-1]
    same = latest.news.kind is kind and latest.news.text == words.text
    if incident.state is IncidentState.RESOLVED and not same:
        raise UsageError(
            f"the incident {incident.key} is already resolved ({latest.news.text})",
            hint=f"outagecast status {incident.key}",
        )
    return latest if same and not (request.again and kind is Kind.UPDATE) else None


def following(
    kind: Kind, journal: Journal | None, channels: Sequence[Opened], request: Request, words: Words, now: datetime
) -> Draft:
    """The next announcement of an incident, rendered, with texts that none of the accounts has said before."""
    incident = which(journal, request, kind, now)
    eta = words.eta or (None if kind is Kind.RESOLVED else incident.eta)
    state = IncidentState.RESOLVED if kind is Kind.RESOLVED else IncidentState.OPEN
    ended = now if kind is Kind.RESOLVED else None
    news = Announcement(
        incident=replace(incident, eta=eta, state=state, resolved_at=ended),
        seq=len(journal.announcements(incident.key)) if journal else 0,
        kind=kind,
        text=words.text,
        words=words.words,
        at=now,
        status=request.status,
        eta=eta,
        link=words.link,
        groups=request.groups,
    )
    return unique(journal, channels, news)
