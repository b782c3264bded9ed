"""What goes into the journal and comes out of it, as data; times are kept as RFC 3339 text that sorts."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import msgspec
from msgspec.structs import replace

from outagecast.model import (
    Announcement,
    Image,
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


def kept(at: datetime) -> datetime:
    """The same time as the journal will give it back: what is made from it (a mail's thread) is then the same too."""
    return moment(stamp(at))


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

    def same_incidents(self) -> tuple[str, list[object]]:
        """The condition on `wording w` and `announcement a` for anything of the same incidents, on these channels."""
        where, values = Scope(None, self.channels).where()
        if self.announcements is None:
            return where, values
        those = f"SELECT incident FROM announcement WHERE id IN ({','.join('?' * len(self.announcements))})"  # noqa: S608
        return f"{where} AND a.incident IN ({those})", [*values, *self.announcements]


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
    edits: bool = False
    """The first post of an incident is kept true there by giving it other words."""
    deletable: bool = True
    """What is out there can be taken back."""
    error: str = ""
    hint: str = ""


class AnnouncementRow(msgspec.Struct, frozen=True):
    """An announcement as the journal has it; its picture only where `Questions.whole` has put it in."""

    id: int
    news: Announcement
    withdrawn_at: datetime | None = None
    """When it was taken back, wherever it was planned."""
    image: int | None = None


def said_on(news: Announcement, channel: str) -> Announcement:
    """The announcement in the words that it has on a channel."""
    if channel not in news.said:
        return news
    words, *shorter = news.said[channel]
    return replace(news, words=words, shorter=shorter)


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
    doubted_at: datetime | None
    """When the last attempt ended without an answer; None: a kill ended it, some time after it began."""
    parent: int | None
    receipt: Receipt | None
    look_due: datetime | None
    looks: int
    retract_due: datetime | None
    amend_due: datetime | None
    shown: str | None
    """The words that the platform has been given since it was published; None: those it was published with; empty: an
    answer was lost, so nobody knows."""
    tries: int
    """How often taking it back, or giving it other words, has failed in a row."""
    last_at: datetime | None
    """When anything was last written down of it."""
    bare: bool
    """A picture belongs to it that its channel does not take."""


def incident_of(row: sqlite3.Row) -> Incident:
    """The incident in a row of `incident`."""
    return Incident(
        key=row["key"],
        title=row["title"],
        state=IncidentState(row["state"]),
        opened_at=moment(row["opened_at"]),
        eta=when(row["eta"]),
        resolved_at=when(row["resolved_at"]),
        opened_as=row["opened_as"],
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
        shorter=tuple(json.loads(row["shorter"])),
        typed=row["typed"],
        said=json.loads(row["said"]),
    )
    return AnnouncementRow(row["id"], news, withdrawn_at=when(row["withdrawn_at"]), image=row["image"])


def image_of(row: sqlite3.Row) -> Image:
    """The picture in a row of `image`."""
    return Image(name=row["name"], type=row["type"], alt=row["alt"], data=row["data"])


def receipt_of(row: sqlite3.Row) -> Receipt | None:
    """The receipt in a row of `post`, or None if it has none."""
    if row["ref"] is None:
        return None
    return Receipt(
        ref=row["ref"],
        url=row["url"],
        replies=Replies(row["replies"]) if row["replies"] else Replies.OPEN,
        note=row["note"],
        data=json.loads(row["receipt"]) if row["receipt"] else {},
    )


def task_of(row: sqlite3.Row, image: Image | None = None) -> Task:
    """The task in a row of `post` joined with its `wording` and `announcement`; `image` goes with the post."""
    post = Post(
        text=row["text"] or "",
        part=row["part"],
        parts=row["parts"],
        data=json.loads(row["data"]),
        to=row["recipient"],
        id=row["id"],
        token=json.loads(row["token"]) if row["token"] else {},
        attempted_at=when(row["attempted_at"]),
        image=image,
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
        doubted_at=when(row["doubted_at"]),
        parent=row["parent"],
        receipt=receipt_of(row),
        look_due=when(row["look_due"]),
        looks=row["looks"],
        retract_due=when(row["retract_due"]),
        amend_due=when(row["amend_due"]),
        shown=row["shown"],
        tries=row["tries"],
        last_at=when(row["last_at"]),
        bare=row["image"] is not None and row["part"] == 1 and not row["illustrated"],
    )
