"""How many letters may go now: rolling windows over what the journal says is out, whichever run sent it."""

from __future__ import annotations

import sys
from datetime import timedelta
from typing import TYPE_CHECKING

import msgspec

from outagecast.errors import TryLater
from outagecast.stamps import clock, day

if TYPE_CHECKING:
    from datetime import datetime

    from outagecast.journal import Journal
    from outagecast.model import Quota

PLENTY = sys.maxsize
"""Without a limit."""


class Room(msgspec.Struct, frozen=True):
    """So many letters may go; when none may, `due` is when one may again and `why` says which limit it is."""

    letters: int = PLENTY
    due: datetime | None = None
    why: str = ""

    def answer(self) -> TryLater:
        """Why nothing goes out, as a relay would have put it."""
        return TryLater(self.why, limited=True, hint="outagecast resume")


def room(journal: Journal, channel: str, quota: Quota, now: datetime) -> Room:
    """The room under the stricter of both limits. Right only while nothing of the channel is in flight."""
    hour = _room(journal, channel, "limits.per_hour", quota.per_hour, timedelta(hours=1), now)
    day = _room(journal, channel, "limits.per_day", quota.per_day, timedelta(days=1), now)
    return min(hour, day, key=lambda each: (each.letters, -each.due.timestamp() if each.due else 0))


def _room(journal: Journal, channel: str, name: str, most: int, window: timedelta, now: datetime) -> Room:
    if not most:
        return Room()
    out, oldest = journal.letters_out(channel, now - window, most)
    if oldest is None or out < most:
        return Room(most - out)
    due = oldest + window
    return Room(0, due, f"{name}: {most} are out; the next at {_spoken(due, now)}")


def _spoken(at: datetime, now: datetime) -> str:
    return clock(at) if at.date() == now.date() else f"{day(at)} {clock(at)}"
