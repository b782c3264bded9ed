"""Times among others of one day, and lengths of time in seconds: what a reader compares."""

from __future__ import annotations

from typing import TYPE_CHECKING

from outagecast.stamps import duration, moment

if TYPE_CHECKING:
    from datetime import datetime, timedelta, tzinfo

_COUNTABLE = 600
"""Seconds up to which they are counted: a post that took 93 s did not take "1 min"."""


def on_day(at: datetime, zone: tzinfo, day: datetime, *, seconds: bool = False) -> str:
    """The time in `zone` and UTC; its date only where that is not the day of `day`."""
    whole = moment(at, zone, seconds=seconds)
    same = at.astimezone(zone).date() == day.astimezone(zone).date()
    return whole.partition(", ")[2] if same else whole


def lasted(length: timedelta) -> str:
    """How long something took: "0.4 s", "93 s", "1 h 57 min"."""
    seconds = length.total_seconds()
    if seconds >= _COUNTABLE:
        return duration(length)
    return f"{seconds:.0f} s" if seconds >= 60 else f"{seconds:.1f} s"
