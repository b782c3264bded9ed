"""The report: a query on the journal. What became of each post, what that makes of the whole, and the exit code."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from outagecast.journal.rows import stamp, when
from outagecast.model import IncidentState, Kind, LeastReplies, Outcome, PostState, Replies
from outagecast.tally import corrections, mixed, shortfall, tally

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from outagecast.journal import AnnouncementRow, Journal
    from outagecast.model import Announcement, Incident
    from outagecast.tally import Fate, Tally

EXIT_DONE = 0
EXIT_PERSON = 1
EXIT_USAGE = 2
EXIT_WAITING = 75

LOOKED_AT = frozenset({LeastReplies.VERIFIED, LeastReplies.MODERATED})
"""The demands that only a look can tell to be met."""
MOST_LETTERS = 50
"""Letters listed one by one in a report; the counts always tell of all."""


class PostLine(msgspec.Struct, frozen=True):
    """One post in a report."""

    id: int
    part: int
    state: PostState
    ref: str | None
    url: str | None
    replies: Replies | None
    attempts: int
    detail: str | None
    note: str | None
    """What its platform said when it took it; of one that is out."""
    hint: str | None
    due: datetime | None
    to: str
    person: bool
    look_due: datetime | None
    mendable: bool
    sent_at: datetime | None
    retract_due: datetime | None
    amend_due: datetime | None
    hidden: int = 0
    """How many strangers' comments or replies below it sweeps have hidden."""
    deleted: int = 0

    @property
    def look_failed(self) -> bool:
        """Whether the last look at its replies was in vain: a good one leaves neither a reason nor another one due."""
        # What is said of a post that is to be taken back, or to get other words, is not about a look.
        other = self.person or self.retract_due or self.amend_due or self.mendable
        why = self.look_due or (self.detail and not other)
        return bool(self.state is PostState.SENT and self.ref and why)

    @property
    def said(self) -> str | None:
        """What there is to say of it."""
        return "; ".join(filter(None, (self.detail, self.note))) or None

    def as_json(self) -> dict[str, Any]:
        """As the contract has it; letters name their recipient instead of a link."""
        common: dict[str, Any] = {"id": self.id, "part": self.part, "state": self.state}
        common |= {"to": self.to} if self.to else {"ref": self.ref, "url": self.url, "replies": self.replies}
        common |= {"attempts": self.attempts}
        if self.due is not None:
            common |= {"due": stamp(self.due)}
        return common | {"detail": self.said}


class ChannelLine(msgspec.Struct, frozen=True):
    """One channel in a report."""

    name: str
    type: str
    letters: bool
    least: LeastReplies
    outcome: Outcome
    replies: Replies | None
    exit_code: int
    counts: dict[PostState, int]
    posts: Sequence[PostLine]
    fate: Fate | None = None
    """What became of it here, if it was taken back."""

    @property
    def stands(self) -> bool:
        """Whether nothing of it is gone, and nobody has to fear for its replies."""
        return not (self.fate or self.counts[PostState.RETRACTED] or self.unseen)

    @property
    def unseen(self) -> bool:
        """Whether a look that the config's demand takes was in vain, whatever is still known from an earlier one."""
        return self.least in LOOKED_AT and not self.fate and any(post.look_failed for post in self.posts)

    def as_json(self) -> dict[str, Any]:
        """As the contract has it."""
        out: dict[str, Any] = {"name": self.name, "type": self.type, "outcome": self.outcome, "replies": self.replies}
        if self.letters:
            # `retracted` is no state of a letter: nothing takes it back.
            out["counts"] = {state: n for state, n in self.counts.items() if state is not PostState.RETRACTED}
        return out | {"posts": [post.as_json() for post in self.posts]}


class AnnouncementReport(msgspec.Struct, frozen=True):
    """What became of one announcement."""

    news: Announcement
    outcome: Outcome
    channels: Sequence[ChannelLine]
    exit_code: int
    withdrawn_at: datetime | None = None
    """When it was taken back, if it was on every channel."""
    corrects: Sequence[tuple[Kind, int]] = ()
    """Kind and number of the announcements that a correction is about."""

    @property
    def all_out(self) -> bool:
        """Whether it stands, whole, wherever it was announced."""
        return self.outcome is Outcome.SENT and all(channel.stands for channel in self.channels)

    def as_json(self) -> dict[str, Any]:
        """The announcement, its outcome and its channels."""
        return {
            "announcement": {
                "seq": self.news.seq,
                "kind": self.news.kind,
                "status": self.news.status,
                "text": self.news.text,
                "at": stamp(self.news.at),
            },
            "outcome": self.outcome,
            "channels": [channel.as_json() for channel in self.channels],
            "exit_code": self.exit_code,
        }


class Behind(msgspec.Struct, frozen=True):
    """A first post of an incident that does not show the latest news."""

    channel: str
    why: str
    hint: str | None
    waits: bool
    """Whether it is tried again by itself; else it was refused."""


class IncidentReport(msgspec.Struct, frozen=True):
    """An incident with all its announcements, oldest first."""

    incident: Incident
    announcements: Sequence[AnnouncementReport]
    watched: bool = True
    """It is open, or was until a while ago: what is not known of replies still counts."""

    @property
    def unseen(self) -> bool:
        """Whether a look at replies that matter was in vain."""
        return self.watched and any(channel.unseen for one in self.announcements for channel in one.channels)

    @property
    def exit_code(self) -> int:
        """The gravest of its announcements'."""
        return gravest(report.exit_code for report in self.announcements)

    @property
    def taken_back_at(self) -> datetime | None:
        """When the last of its announcements was taken back, if none is left."""
        times = [report.withdrawn_at for report in self.announcements if report.news.kind is not Kind.CORRECTION]
        known = [at for at in times if at is not None]
        return max(known) if known and len(known) == len(times) else None

    @property
    def all_out(self) -> bool:
        """Whether everything that was announced stands."""
        return all(report.all_out for report in self.announcements)

    def as_json(self) -> dict[str, Any]:
        """A report of the latest announcement, with all of them under `announcements`."""
        latest = self.announcements[-1].as_json()
        return {
            "schema": "outagecast.report/1",
            "incident": incident_json(self.incident),
            **latest,
            "exit_code": self.exit_code,
            "announcements": [report.as_json() for report in self.announcements],
        }


def report_json(report: AnnouncementReport) -> dict[str, Any]:
    """The object that `post`, `update` and `resolve` print."""
    return {
        "schema": "outagecast.report/1",
        "incident": incident_json(report.news.incident),
        **report.as_json(),
    }


def incident_json(incident: Incident) -> dict[str, Any]:
    """The incident, as the contract has it."""
    return {
        "key": incident.key,
        "title": incident.title,
        "state": incident.state,
        "opened_at": stamp(incident.opened_at),
        "eta": stamp(incident.eta) if incident.eta else None,
        "resolved_at": stamp(incident.resolved_at) if incident.resolved_at else None,
    }


def gravest(codes: Iterable[int]) -> int:
    """The exit code of several: a person is needed before something waits before all is done."""
    found = set(codes)
    return next((code for code in (EXIT_USAGE, EXIT_PERSON, EXIT_WAITING) if code in found), EXIT_DONE)


def overdue(incident: Incident, now: datetime) -> bool:
    """Whether its ETA has passed without news."""
    return incident.state is IncidentState.OPEN and incident.eta is not None and incident.eta < now


def announcement_report(journal: Journal, row: AnnouncementRow, *, watched: bool = True) -> AnnouncementReport:
    """What the journal knows of one announcement now."""
    channels = [_channel(journal, row.id, name, watched=watched) for name in journal.channels_of(row.id)]
    code = gravest(channel.exit_code for channel in channels)
    return AnnouncementReport(
        news=row.news,
        outcome=mixed({channel.outcome for channel in channels}, person=code == EXIT_PERSON),
        channels=channels,
        exit_code=code,
        withdrawn_at=row.withdrawn_at,
        corrects=_corrects(journal, row) if row.news.kind is Kind.CORRECTION else (),
    )


def behind(journal: Journal, announcement: int) -> list[Behind]:
    """The first posts of an announcement's incident that still have old words."""
    rows = journal.amending(announcement)
    return [Behind(row["channel"], row["why"], row["hint"], row["amend_due"] is not None) for row in rows]


def _corrects(journal: Journal, row: AnnouncementRow) -> tuple[tuple[Kind, int], ...]:
    """What a correction puts right; what was taken back before it has had its own."""
    with journal.reading() as db:
        found = db.execute(
            "SELECT a.kind, a.seq FROM announcement c JOIN announcement a ON a.incident = c.incident "
            "AND a.id IN (SELECT value FROM json_each(c.corrects)) WHERE c.id = ? "
            "AND EXISTS (SELECT 1 FROM wording WHERE announcement = a.id AND withdrawn_at >= c.at) ORDER BY a.seq",
            (row.id,),
        ).fetchall()
    return tuple((Kind(one["kind"]), one["seq"]) for one in found)


def incident_report(journal: Journal, incident: Incident, since: datetime) -> IncidentReport:
    """What the journal knows of one incident now.

    What is not known of replies does not count where the incident was over before `since`: nobody looks any more.
    """
    watched = incident.resolved_at is None or incident.resolved_at >= since
    rows = journal.announcements(incident.key)
    reports = [announcement_report(journal, row, watched=watched) for row in rows]
    return IncidentReport(incident, reports, watched)


def _channel(journal: Journal, announcement: int, name: str, *, watched: bool) -> ChannelLine:
    with journal.reading() as db:
        head = db.execute(
            "SELECT type, letters, least FROM wording WHERE announcement = ? AND channel = ?", (announcement, name)
        ).fetchone()
        counted = tally(db, announcement, name, LeastReplies(head["least"]) if watched else LeastReplies.OPEN)
        fate = counted.fate(corrections(db, announcement, name)) if counted.withdrawn else None
        rows = _lines(db, announcement, name, letters=bool(head["letters"]))
    posts = [_line(row, LeastReplies(head["least"])) for row in rows]
    return ChannelLine(
        name=name,
        type=head["type"],
        letters=bool(head["letters"]),
        least=LeastReplies(head["least"]),
        outcome=counted.outcome,
        replies=Replies.NONE if head["letters"] else _worst(post.replies for post in posts),
        exit_code=_exit_code(counted),
        counts=counted.states,
        posts=posts,
        fate=fate,
    )


_ACTS = "(SELECT count(*) FROM attempt WHERE post = p.id AND event = '{0}') AS {0}"


def _lines(db: sqlite3.Connection, announcement: int, channel: str, *, letters: bool) -> list[sqlite3.Row]:
    unsent = "AND p.state NOT IN ('sent', 'dropped') " if letters else ""
    acts = "0 AS hidden, 0 AS deleted" if letters else f"{_ACTS.format('hidden')}, {_ACTS.format('deleted')}"
    return db.execute(
        f"SELECT p.*, w.part, w.withdrawn_at IS NOT NULL AS to_go, {acts} FROM post p "  # noqa: S608  our own words
        "JOIN wording w ON w.id = p.wording "
        f"WHERE w.announcement = ? AND w.channel = ? {unsent}ORDER BY w.part, p.id LIMIT ?",
        (announcement, channel, MOST_LETTERS if letters else -1),
    ).fetchall()


def _line(row: sqlite3.Row, least: LeastReplies) -> PostLine:
    note = row["note"] if row["state"] == PostState.SENT else None
    # It stands in both until something else is to be said.
    detail, hint = None if row["detail"] == note else row["detail"], row["hint"]
    if row["state"] == PostState.SENT and not (detail or row["to_go"] or row["look_due"] or row["replies"] is None):
        said, do = shortfall(Replies(row["replies"]), least)
        detail, hint = said or None, do or hint
    return PostLine(
        id=row["id"],
        part=row["part"],
        state=PostState(row["state"]),
        ref=row["ref"],
        url=row["url"],
        replies=Replies(row["replies"]) if row["replies"] else None,
        attempts=row["attempts"],
        detail=detail,
        note=note,
        hint=hint,
        due=when(row["due"]),
        to=row["recipient"],
        person=bool(row["person"]),
        look_due=when(row["look_due"]),
        mendable=bool(row["mendable"]),
        sent_at=when(row["sent_at"]),
        retract_due=when(row["retract_due"]),
        amend_due=when(row["amend_due"]),
        hidden=row["hidden"],
        deleted=row["deleted"],
    )


def _exit_code(tally: Tally) -> int:
    return EXIT_PERSON if tally.needs_person else EXIT_WAITING if tally.waits else EXIT_DONE


def _worst(found: Iterable[Replies | None]) -> Replies | None:
    known = [replies for replies in found if replies is not None]
    order = list(Replies)
    return max(known, key=order.index, default=None)
