"""What the journal tests share: announcements and plans as the commands make them, and a clock that stands still."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from outagecast.journal import ChannelPlan
from outagecast.model import Announcement, Incident, IncidentState, Kind, LeastReplies, Post, Recipients

if TYPE_CHECKING:
    from outagecast.journal import Journal

NOW = datetime(2026, 11, 22, 14, 5, tzinfo=UTC)


@dataclass
class Hand:
    """A clock that only a test moves."""

    at: datetime = NOW

    def now(self) -> datetime:
        return self.at

    def move(self, **by: float) -> None:
        self.at += timedelta(**by)


def news(text: str = "fiber cut", *, key: str = "alert-4711", seq: int = 0, at: datetime = NOW) -> Announcement:
    incident = Incident(key, text, IncidentState.OPEN, at, opened_as=text)
    kind = Kind.UPDATE if seq else Kind.OPENED
    return Announcement(incident=incident, seq=seq, kind=kind, text=text, words=text, at=at, typed=text)


def posts(*texts: str, name: str = "feed") -> ChannelPlan:
    """A channel's posts, a thread if there are several."""
    made = [Post(text, part=part, parts=len(texts)) for part, text in enumerate(texts, 1)]
    return ChannelPlan(name, "feed", LeastReplies.OPEN, posts=made)


def letters(*to: str, name: str = "mail", subscribers: bool = False, text: str = "fiber cut") -> ChannelPlan:
    """A channel's letters, one an address."""
    recipients = Recipients(to, subscribers)
    return ChannelPlan(name, "mail", LeastReplies.OPEN, letters=True, posts=[Post(text)], recipients=recipients)


def row(journal: Journal, post: int) -> dict[str, Any]:
    with journal.reading() as db:
        return dict(db.execute("SELECT * FROM post WHERE id = ?", (post,)).fetchone())


def history(journal: Journal, post: int) -> list[str]:
    with journal.reading() as db:
        return [line["event"] for line in db.execute("SELECT event FROM attempt WHERE post = ? ORDER BY id", (post,))]


def put(journal: Journal, post: int, **columns: object) -> None:
    """Bring a post where no transition may have brought it."""
    with journal.writing() as db:
        for name, value in columns.items():
            db.execute(f"UPDATE post SET {name} = ? WHERE id = ?", (value, post))


def states(journal: Journal) -> list[str]:
    with journal.reading() as db:
        return [line["state"] for line in db.execute("SELECT state FROM post ORDER BY id")]
