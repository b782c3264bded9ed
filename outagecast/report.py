"""The report: a query on the journal. What became of each post, what that makes of the whole, and the exit code."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from outagecast.journal.rows import stamp, when
from outagecast.model import LeastReplies, Outcome, PostState, Replies

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from outagecast.journal import AnnouncementRow, Journal
    from outagecast.model import Announcement, Incident

EXIT_DONE = 0
EXIT_PERSON = 1
EXIT_USAGE = 2
EXIT_WAITING = 75

MOST_LETTERS = 50
"""Letters listed one by one in a report; the counts always tell of all."""

_ENOUGH = {
    LeastReplies.VERIFIED: {Replies.CLOSED, Replies.NONE},
    LeastReplies.CLOSED: {Replies.CLOSED, Replies.NONE, Replies.UNVERIFIED},
    LeastReplies.MODERATED: {Replies.CLOSED, Replies.NONE, Replies.UNVERIFIED, Replies.MODERATED},
    LeastReplies.OPEN: set(Replies),
}


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
    hint: str | None
    due: datetime | None
    to: str
    person: bool
    look_due: datetime | None
    mendable: bool
    sent_at: datetime | None
    retract_due: datetime | None

    def as_json(self) -> dict[str, Any]:
        """As the contract has it; letters name their recipient instead of a link."""
        common: dict[str, Any] = {"id": self.id, "part": self.part, "state": self.state}
        common |= {"to": self.to} if self.to else {"ref": self.ref, "url": self.url, "replies": self.replies}
        common |= {"attempts": self.attempts}
        if self.due is not None:
            common |= {"due": stamp(self.due)}
        return common | {"detail": self.detail}


class _Tally(msgspec.Struct):
    """A channel's posts, counted."""

    states: dict[PostState, int] = msgspec.field(default_factory=lambda: dict.fromkeys(PostState, 0))
    refused: int = 0
    """Refused for another reason than the address."""
    person: int = 0
    expired: int = 0
    stuck: int = 0
    """Out, to be taken back, and only a person can do that."""
    leaving: int = 0
    """Out, and to be taken back as soon as the platform lets us."""
    outdated: int = 0
    """Out, and waiting to be given the latest words."""
    replies_wait: bool = False
    replies_bad: bool = False

    @property
    def total(self) -> int:
        return sum(self.states.values())


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


class IncidentReport(msgspec.Struct, frozen=True):
    """An incident with all its announcements, oldest first."""

    incident: Incident
    announcements: Sequence[AnnouncementReport]

    @property
    def exit_code(self) -> int:
        """The gravest of its announcements'."""
        return gravest(report.exit_code for report in self.announcements)

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


def announcement_report(journal: Journal, row: AnnouncementRow) -> AnnouncementReport:
    """What the journal knows of one announcement now."""
    channels = [_channel(journal, row.id, name) for name in journal.channels_of(row.id)]
    code = gravest(channel.exit_code for channel in channels)
    return AnnouncementReport(row.news, _mixed({c.outcome for c in channels}, code), channels, code)


def incident_report(journal: Journal, incident: Incident) -> IncidentReport:
    """What the journal knows of one incident now."""
    rows = journal.announcements(incident.key)
    return IncidentReport(incident, [announcement_report(journal, row) for row in rows])


def _channel(journal: Journal, announcement: int, name: str) -> ChannelLine:
    with journal.reading() as db:
        head = db.execute(
            "SELECT type, letters, least FROM wording WHERE announcement = ? AND channel = ?", (announcement, name)
        ).fetchone()
        tally = _tally(db, announcement, name, LeastReplies(head["least"]))
        rows = _lines(db, announcement, name, letters=bool(head["letters"]))
    code = _exit_code(tally)
    posts = [_line(row) for row in rows]
    return ChannelLine(
        name=name,
        type=head["type"],
        letters=bool(head["letters"]),
        least=LeastReplies(head["least"]),
        outcome=_outcome(tally, code),
        replies=Replies.NONE if head["letters"] else _worst(post.replies for post in posts),
        exit_code=code,
        counts=tally.states,
        posts=posts,
    )


def _tally(db: sqlite3.Connection, announcement: int, channel: str, least: LeastReplies) -> _Tally:
    tally = _Tally()
    for row in db.execute(
        # Without a ref nobody but the person who settled the post can tell, and they have.
        "SELECT p.state, p.person, p.address_fault, p.replies, p.ref IS NOT NULL AS known, "
        "p.look_due IS NOT NULL AS looks, p.retract_due IS NOT NULL AS leaving, p.amend_due IS NOT NULL AS outdated, "
        "w.withdrawn_at IS NOT NULL AS withdrawn, count(*) AS n "
        "FROM post p JOIN wording w ON w.id = p.wording WHERE w.announcement = ? AND w.channel = ? "
        "GROUP BY p.state, p.person, p.address_fault, p.replies, known, looks, leaving, outdated, withdrawn",
        (announcement, channel),
    ):
        _count(tally, row, least)
    return tally


def _count(tally: _Tally, row: sqlite3.Row, least: LeastReplies) -> None:
    state = PostState(row["state"])
    tally.states[state] += row["n"]
    if state is PostState.REFUSED and not row["address_fault"]:
        tally.refused += row["n"]
    elif state is PostState.IN_DOUBT and row["person"]:
        tally.person += row["n"]
    elif state is PostState.DROPPED and row["person"]:
        tally.expired += row["n"]
    elif state is PostState.SENT:
        _count_sent(tally, row, least)


def _count_sent(tally: _Tally, row: sqlite3.Row, least: LeastReplies) -> None:
    tally.stuck += row["n"] if row["person"] else 0
    tally.leaving += row["n"] if row["leaving"] else 0
    tally.outdated += row["n"] if row["outdated"] else 0
    # Whoever has it taken back has no use for a look at its replies.
    if row["known"] and not row["withdrawn"] and Replies(row["replies"]) not in _ENOUGH[least]:
        tally.replies_wait |= bool(row["looks"])
        tally.replies_bad |= not row["looks"]


def _lines(db: sqlite3.Connection, announcement: int, channel: str, *, letters: bool) -> list[sqlite3.Row]:
    unsent = "AND p.state NOT IN ('sent', 'dropped') " if letters else ""
    return db.execute(
        "SELECT p.*, w.part FROM post p JOIN wording w ON w.id = p.wording "  # noqa: S608  our own words
        f"WHERE w.announcement = ? AND w.channel = ? {unsent}ORDER BY w.part, p.id LIMIT ?",
        (announcement, channel, MOST_LETTERS if letters else -1),
    ).fetchall()


def _line(row: sqlite3.Row) -> PostLine:
    return PostLine(
        id=row["id"],
        part=row["part"],
        state=PostState(row["state"]),
        ref=row["ref"],
        url=row["url"],
        replies=Replies(row["replies"]) if row["replies"] else None,
        attempts=row["attempts"],
        detail=_detail(row),
        hint=row["hint"],
        due=when(row["due"]),
        to=row["recipient"],
        person=bool(row["person"]),
        look_due=when(row["look_due"]),
        mendable=bool(row["mendable"]),
        sent_at=when(row["sent_at"]),
        retract_due=when(row["retract_due"]),
    )


def _detail(row: sqlite3.Row) -> str | None:
    """What there is to say of a post; of one that is out also what its platform said when it took it."""
    if row["state"] != PostState.SENT:
        return str(row["detail"]) if row["detail"] is not None else None
    return "; ".join(dict.fromkeys(filter(None, (row["detail"], row["note"])))) or None


def _exit_code(tally: _Tally) -> int:
    states = tally.states
    # Dead mailboxes are no emergency, unless every single letter of the channel was refused.
    all_refused = tally.total > 0 and states[PostState.REFUSED] == tally.total
    if tally.refused or tally.person or tally.expired or tally.stuck or tally.replies_bad or all_refused:
        return EXIT_PERSON
    unfinished = states[PostState.PLANNED] + states[PostState.SENDING] + states[PostState.IN_DOUBT]
    unfinished += tally.leaving + tally.outdated
    return EXIT_WAITING if unfinished or tally.replies_wait else EXIT_DONE


def _outcome(tally: _Tally, code: int) -> Outcome:
    states, found = tally.states, set[Outcome]()
    if tally.refused or tally.expired or states[PostState.REFUSED] == tally.total > 0:
        found.add(Outcome.REFUSED)
    if states[PostState.IN_DOUBT] + states[PostState.SENDING]:
        found.add(Outcome.IN_DOUBT)
    if states[PostState.PLANNED] + tally.leaving:
        found.add(Outcome.WAITING)
    if tally.stuck:
        found.add(Outcome.PARTIAL)
    if states[PostState.SENT] + states[PostState.RETRACTED]:
        found.add(Outcome.SENT)
    elif states[PostState.DROPPED]:
        # Nobody waits for it any more, but out it is not.
        found.add(Outcome.REFUSED)
    return _mixed(found or {Outcome.SENT}, code)


def _mixed(found: set[Outcome], code: int) -> Outcome:
    """One word for several: a mix that needs a person is `partial`, else the one that is least finished."""
    if len(found) == 1:
        return next(iter(found))
    if code == EXIT_PERSON or Outcome.REFUSED in found:
        return Outcome.PARTIAL
    return next((outcome for outcome in (Outcome.IN_DOUBT, Outcome.WAITING) if outcome in found), Outcome.SENT)


def _worst(found: Iterable[Replies | None]) -> Replies | None:
    known = [replies for replies in found if replies is not None]
    order = list(Replies)
    return max(known, key=order.index, default=None)
