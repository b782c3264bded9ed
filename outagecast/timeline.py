"""The story of one incident, for the post-mortem: a query on the journal, and data only."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from outagecast.journal.rows import stamp, when
from outagecast.model import Kind, PostState, Replies
from outagecast.report import incident_json
from outagecast.timeline_events import Entry, Life
from outagecast.timeline_letters import Mailing, letter_entries, mailing

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence
    from datetime import datetime

    from outagecast.journal import AnnouncementRow, Journal
    from outagecast.model import Announcement, Incident


class Passage(msgspec.Struct, frozen=True):
    """One post, and when it stood there."""

    id: int
    part: int
    parts: int
    text: str
    state: PostState
    tries: int
    url: str | None
    ref: str | None
    replies: Replies | None
    out_at: datetime | None
    """When it was known to be out; None where it never was."""
    known_by: str
    """How that became known: by an `answer`, by a `look` after the answer was lost, or from a `person`."""
    until: datetime | None
    """When it was taken back."""
    detail: str
    hidden: int = 0
    """How many strangers' comments or replies below it sweeps have hidden."""
    deleted: int = 0

    def as_json(self, announced: datetime) -> dict[str, Any]:
        """As `show --json` has it; `announced` is when the announcement was made."""
        return {
            "id": self.id,
            "part": self.part,
            "text": self.text,
            "state": self.state,
            "attempts": self.tries,
            "ref": self.ref,
            "url": self.url,
            "replies": self.replies,
            "out_at": stamp(self.out_at) if self.out_at else None,
            "seconds": (self.out_at - announced).total_seconds() if self.out_at else None,
            "known_by": self.known_by or None,
            "taken_back_at": stamp(self.until) if self.until else None,
            "hidden": self.hidden,
            "deleted": self.deleted,
            "detail": self.detail or None,
        }


class Share(msgspec.Struct, frozen=True):
    """An announcement on one channel: its posts, or its letters in sum."""

    name: str
    type: str
    posts: Sequence[Passage] = ()
    mailing: Mailing | None = None

    def as_json(self, announced: datetime) -> dict[str, Any]:
        """As `show --json` has it."""
        out: dict[str, Any] = {"name": self.name, "type": self.type}
        if self.mailing is not None:
            return out | {"letters": self.mailing.as_json()}
        return out | {"posts": [post.as_json(announced) for post in self.posts]}


class Chapter(msgspec.Struct, frozen=True):
    """One announcement and what became of it."""

    news: Announcement
    withdrawn_at: datetime | None
    shares: Sequence[Share]

    @property
    def name(self) -> str:
        """What it is called: "opened", "update 2", "correction"."""
        return f"update {self.news.seq}" if self.news.kind is Kind.UPDATE else str(self.news.kind)

    def as_json(self) -> dict[str, Any]:
        """As `show --json` has it."""
        news = self.news
        return {
            "seq": news.seq,
            "kind": news.kind,
            "status": news.status,
            "text": news.text,
            "at": stamp(news.at),
            "eta": stamp(news.eta) if news.eta else None,
            "link": news.link,
            "taken_back_at": stamp(self.withdrawn_at) if self.withdrawn_at else None,
            "channels": [share.as_json(news.at) for share in self.shares],
        }


class Timeline(msgspec.Struct, frozen=True):
    """An incident with its announcements, and everything that happened, in order."""

    incident: Incident
    chapters: Sequence[Chapter]
    entries: Sequence[Entry]

    @property
    def taken_back_at(self) -> datetime | None:
        """When the last of its announcements was taken back, if none is left."""
        times = [chapter.withdrawn_at for chapter in self.chapters if chapter.news.kind is not Kind.CORRECTION]
        known = [at for at in times if at is not None]
        return max(known) if known and len(known) == len(times) else None

    def as_json(self) -> dict[str, Any]:
        """The object that `show --json` prints."""
        return {
            "schema": "outagecast.show/1",
            "incident": incident_json(self.incident),
            "announcements": [chapter.as_json() for chapter in self.chapters],
            "timeline": [entry.as_json() for entry in self.entries],
            "exit_code": 0,
        }


def timeline(journal: Journal, incident: Incident) -> Timeline:
    """What the journal knows of an incident."""
    chapters: list[Chapter] = []
    entries: list[Entry] = []
    for row in journal.announcements(incident.key):
        shares = [_share(journal, row, name, entries) for name in journal.channels_of(row.id)]
        chapters.append(Chapter(row.news, row.withdrawn_at, shares))
        said = f"{chapters[-1].name} on {', '.join(share.name for share in shares) or 'no channel'}"
        entries.append(Entry(row.news.at, row.news.kind, said, row.news.seq, detail=row.news.words))
    # What was announced comes before what followed from it within the same millisecond.
    entries.sort(key=lambda entry: (entry.at, bool(entry.channel), entry.seq))
    return Timeline(incident, chapters, entries)


def _share(journal: Journal, row: AnnouncementRow, name: str, entries: list[Entry]) -> Share:
    """An announcement on a channel; what happened there is added to `entries`."""
    with journal.reading() as db:
        wordings = db.execute(
            "SELECT * FROM wording WHERE announcement = ? AND channel = ? ORDER BY part", (row.id, name)
        ).fetchall()
        head = wordings[0]
        if head["letters"]:
            sums = mailing(db, head)
            entries.extend(letter_entries(db, row.news.seq, name, head["id"], sums))
            return Share(name, head["type"], mailing=sums)
        posts = [_passage(db, row.news.seq, wording, entries) for wording in wordings]
    return Share(name, head["type"], posts)


def _passage(db: sqlite3.Connection, seq: int, wording: sqlite3.Row, entries: list[Entry]) -> Passage:
    row = db.execute(
        "SELECT p.*, w.part, w.parts, w.text, a.at AS announced_at FROM post p JOIN wording w ON w.id = p.wording "
        "JOIN announcement a ON a.id = w.announcement WHERE p.wording = ?",
        (wording["id"],),
    ).fetchone()
    life = Life(seq, wording["channel"], row)
    lines = db.execute("SELECT at, event, detail FROM attempt WHERE post = ? ORDER BY id", (row["id"],))
    entries.extend(life.read(lines))
    return Passage(
        id=row["id"],
        part=row["part"],
        parts=row["parts"],
        text=row["shown"] or row["text"] or "",
        state=PostState(row["state"]),
        tries=row["attempts"],
        url=row["url"],
        ref=row["ref"],
        replies=Replies(row["replies"]) if row["replies"] else None,
        out_at=when(row["sent_at"]),
        known_by=life.known_by,
        until=life.gone_at,
        hidden=life.acts["hidden"],
        deleted=life.acts["deleted"],
        detail=row["detail"] or "",
    )
