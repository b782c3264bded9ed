"""One post's history in words: each line of the journal's `attempt`, and what it meant when it was written."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec.structs import replace

from outagecast.daytimes import lasted
from outagecast.journal.rows import moment, stamp
from outagecast.model import PostState, Replies

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable
    from datetime import datetime, timedelta

SAID = {
    "step": "a step of it is done",
    "later": "not out, to be tried again",
    "in-doubt": "no clear answer",
    "looked": "looked for",
    "again": "to be sent again",
    "sent": "out",
    "refused": "refused",
    "dropped": "never to go out",
    "withdrawn": "to be taken back",
    "retracted": "taken back",
    "amended": "shows the latest news",
    "planned": "is to go out here as well",
    "begin": "being sent",
    "unsearched": "strangers' replies could not all be looked for",
}
"""What an event means by itself; one that is not here is told by its detail."""
_SAID_OF = {
    ("sent", PostState.IN_DOUBT): "found, it is out",
    ("planned", PostState.REFUSED): "to be tried once more",
    ("in-doubt", PostState.IN_DOUBT): "to be looked for once more",
    ("later", PostState.IN_DOUBT): "not looked for",
}
"""What an event means of a post that was in such a state before it."""
REPLIES = {
    Replies.CLOSED: "replies closed",
    Replies.UNVERIFIED: "replies closed, not verified",
    Replies.MODERATED: "comments moderated",
    Replies.NONE: "no public replies",
    Replies.OPEN: "replies OPEN",
}
ACTS = frozenset({"hidden", "deleted"})
"""What sweeps do with strangers' words; the detail is their kind and id."""
_STATE_AFTER = {
    "begin": PostState.SENDING,
    "later": PostState.PLANNED,
    "in-doubt": PostState.IN_DOUBT,
    "looked": PostState.IN_DOUBT,
    "again": PostState.PLANNED,
    "planned": PostState.PLANNED,
    "sent": PostState.SENT,
    "refused": PostState.REFUSED,
    "dropped": PostState.DROPPED,
    "retracted": PostState.RETRACTED,
}
_SETTLED_AS = {
    "sent": PostState.SENT,
    "planned": PostState.PLANNED,
    "dropped": PostState.DROPPED,
    "hand": PostState.RETRACTED,
}
"""By the last word of what `settle` writes down; any other leaves the post as it was: out."""


class Entry(msgspec.Struct, frozen=True):
    """One thing that happened, or the same thing several times in a row."""

    at: datetime
    event: str
    said: str
    """What it was, in our words; empty where `detail` says it all."""
    seq: int
    """The announcement's number."""
    channel: str = ""
    """Empty: the announcement itself was made."""
    post: int = 0
    """The journal's id; 0 where it is about many letters."""
    part: int = 1
    parts: int = 1
    detail: str = ""
    """A reason, mostly in a platform's words."""
    trial: int = 0
    """The number of the try that it is the result of; 0: of none."""
    took: timedelta | None = None
    """How long this try took."""
    times: int = 1
    until: datetime | None = None
    """When it happened last, if it happened more than once."""
    letters: int = 0

    @property
    def text(self) -> str:
        """What happened, and why."""
        said = ": ".join(filter(None, dict.fromkeys((self.said, self.detail))))
        return f"{self._tried()}{said or self.event}"

    def _tried(self) -> str:
        if not self.trial:
            return ""
        if self.times > 1:
            return f"tries {self.trial - self.times + 1} to {self.trial}: "
        return f"try {self.trial}: " if self.took is None else f"try {self.trial}, {lasted(self.took)}: "

    def as_json(self) -> dict[str, Any]:
        """As `show --json` has it."""
        out: dict[str, Any] = {"at": stamp(self.at), "announcement": self.seq, "channel": self.channel or None}
        if self.post:
            out |= {"post": self.post, "part": self.part}
        if self.trial:
            out |= {"try": self.trial, "seconds": self.took.total_seconds() if self.took is not None else None}
        if self.letters:
            out["letters"] = self.letters
        if self.until is not None:
            out |= {"times": self.times, "until": stamp(self.until)}
        return out | {
            "event": self.event,
            "text": self.said or self.detail or self.event,
            "detail": self.detail or None,
        }


class Life:
    """What a post has gone through, read line by line."""

    def __init__(self, seq: int, channel: str, row: sqlite3.Row) -> None:
        self._about = Entry(
            at=moment(row["announced_at"]),
            event="",
            said="",
            seq=seq,
            channel=channel,
            post=row["id"],
            part=row["part"],
            parts=row["parts"],
        )
        self._begun: datetime | None = None
        self._tries = 0
        self._state = PostState.PLANNED
        self.acts: Counter[str] = Counter()
        """How often sweeps have hidden and deleted strangers' words below it."""
        self.known_by = ""
        """How it became known to be out: by an `answer`, by a `look`, or from a `person`."""
        self.gone_at: datetime | None = None

    def read(self, lines: Iterable[sqlite3.Row]) -> list[Entry]:
        """What happened, each try and its result as one, and what happened again and again as one."""
        entries: list[Entry] = []
        for line in lines:
            entry = self._read(moment(line["at"]), line["event"], line["detail"] or "")
            if entry is not None and not (entries and _same(entries[-1], entry)):
                entries.append(entry)
            elif entry is not None:
                last = entries[-1]
                entries[-1] = replace(last, times=last.times + 1, until=entry.at, trial=entry.trial, took=None)
        if self._begun is not None:
            entries.append(replace(self._about, at=self._begun, event="begin", said=SAID["begin"], trial=self._tries))
        return entries

    def _read(self, at: datetime, event: str, detail: str) -> Entry | None:
        before, self._state = self._state, self._after(event, detail)
        if event == "begin":
            self._begun = at
            self._tries += 1
            return None
        if event == "planned" and at == self._about.at and not self._tries:
            return None  # the announcement itself says so
        if event in ACTS:
            self.acts[event] += 1
            # Without its id: many of them in a row are told as one.
            return replace(self._about, at=at, event=event, said=f"a stranger's {detail.partition(' ')[0]} {event}")
        entry = replace(self._about, at=at, event=event, said=_said(event, detail, before), detail=detail)
        self._remember(event, at, before)
        if self._begun is None or event == "step":
            return entry
        took = at - self._begun
        self._begun = None
        return replace(entry, trial=self._tries, took=took)

    def _after(self, event: str, detail: str) -> PostState:
        if event == "settled":
            return _SETTLED_AS.get(detail.rpartition(" ")[2], self._state)
        if event == "later" and self._state in {PostState.SENT, PostState.IN_DOUBT}:
            return self._state  # it was put off to look at it, to take it back or to change it
        return _STATE_AFTER.get(event, self._state)

    def _remember(self, event: str, at: datetime, before: PostState) -> None:
        if self._state is PostState.SENT and before is not PostState.SENT:
            self.known_by = "person" if event == "settled" else "look" if before is PostState.IN_DOUBT else "answer"
        if self._state is PostState.RETRACTED:
            self.gone_at = at


def _same(last: Entry, entry: Entry) -> bool:
    """Whether the same happened once more: a sweep looks every minute, a platform may be down for hours."""
    # When the first post showed which news is a moment of its own each time.
    return entry.event != "amended" and (last.event, last.said, last.detail) == (entry.event, entry.said, entry.detail)


def _said(event: str, detail: str, before: PostState) -> str:
    """An event in words; what it means depends on what was known of the post before it."""
    if event.startswith("replies "):
        return _replies(event.removeprefix("replies "))
    if event == "later" and before is PostState.SENT:
        return "" if detail else "to be tried once more"
    return _SAID_OF.get((event, before)) or SAID.get(event, "")


def _replies(known: str) -> str:
    return REPLIES[Replies(known)] if known in set(Replies) else f"replies {known}"
