"""What goes into the journal and comes out of it, as data; times are kept as RFC 3339 text that sorts."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import msgspec

from outagecast.model import (
    Announcement,
    Incident,
    IncidentState,
    Kind,
    LeastReplies,
    Post,
    PostState,
    Receipt,
    Recipients,
    Replies,
    Status,
)

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence


def stamp(at: datetime) -> str:
    """`at` as text: UTC, milliseconds, always the same width, so that text order is time order."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{at.microsecond // 1000:03d}Z"


def when(text: str | None) -> datetime | None:
    """The time that `stamp` wrote, or None for none."""
    return None if text is None else datetime.fromisoformat(text)


def moment(text: str) -> datetime:
    """The time that `stamp` wrote."""
    return datetime.fromisoformat(text)


class Scope(msgspec.Struct, frozen=True):
    """Which posts a run is about: of these announcements and channels; None means all."""

    announcements: tuple[int, ...] | None = None
    channels: tuple[str, ...] | None = None

    def where(self) -> tuple[str, list[object]]:
        """The condition on `wording w` and its parameters."""
        parts: list[str] = ["1"]
        values: list[object] = []
        for column, chosen in (("w.announcement", self.announcements), ("w.channel", self.channels)):
            if chosen is not None:
                parts.append(f"{column} IN ({','.join('?' * len(chosen))})")
                values.extend(chosen)
        return " AND ".join(parts), values


class ChannelPlan(msgspec.Struct, frozen=True):
    """One channel's share of an announcement: its posts, or the reason why it has none yet."""

    name: str
    type: str
    least: LeastReplies
    letters: bool = False
    account: str = ""
    """Which account of the platform it is, if that can be told without a secret."""
    posts: Sequence[Post] = ()
    recipients: Recipients = msgspec.field(default_factory=Recipients)
    error: str = ""
    hint: str = ""


class AnnouncementRow(msgspec.Struct, frozen=True):
    """An announcement as the journal has it."""

    id: int
    news: Announcement


class Task(msgspec.Struct, frozen=True):
    """A post that is not finished, with what is needed to decide on the next step."""

    post: Post
    state: PostState
    announcement: int
    incident: int
    announced_at: datetime
    due: datetime | None
    person: bool
    waits: int
    attempts: int
    doubts: int
    parent: int | None
    receipt: Receipt | None
    look_due: datetime | None
    looks: int


def incident_of(row: sqlite3.Row) -> Incident:
    """The incident in a row of `incident`."""
    return Incident(
        key=row["key"],
        title=row["title"],
        state=IncidentState(row["state"]),
        opened_at=moment(row["opened_at"]),
        eta=when(row["eta"]),
        resolved_at=when(row["resolved_at"]),
    )


def announcement_of(row: sqlite3.Row, incident: Incident) -> AnnouncementRow:
    """The announcement in a row of `announcement`."""
    news = Announcement(
        incident=incident,
        seq=row["seq"],
        kind=Kind(row["kind"]),
        text=row["text"],
        words=row["words"],
        at=moment(row["at"]),
        status=Status(row["status"]) if row["status"] else None,
        eta=when(row["eta"]),
        link=row["link"],
        groups=tuple(json.loads(row["groups"])),
        seconds=bool(row["seconds"]),
    )
    return AnnouncementRow(row["id"], news)


def receipt_of(row: sqlite3.Row) -> Receipt | None:
    """The receipt in a row of `post`, or None if it has none."""
    if row["ref"] is None:
        return None
    return Receipt(
        ref=row["ref"],
        url=row["url"],
        replies=Replies(row["replies"]) if row["replies"] else Replies.OPEN,
        data=json.loads(row["receipt"]) if row["receipt"] else {},
    )


def task_of(row: sqlite3.Row) -> Task:
    """The task in a row of `post` joined with its `wording` and `announcement`."""
    post = Post(
        text=row["text"] or "",
        part=row["part"],
        parts=row["parts"],
        data=json.loads(row["data"]),
        to=row["recipient"],
        id=row["id"],
        token=json.loads(row["token"]) if row["token"] else {},
        attempted_at=when(row["attempted_at"]),
    )
    return Task(
        post=post,
        state=PostState(row["state"]),
        announcement=row["announcement"],
        incident=row["incident"],
        announced_at=moment(row["announced_at"]),
        due=when(row["due"]),
        person=bool(row["person"]),
        waits=row["waits"],
        attempts=row["attempts"],
        doubts=row["doubts"],
        parent=row["parent"],
        receipt=receipt_of(row),
        look_due=when(row["look_due"]),
        looks=row["looks"],
    )
