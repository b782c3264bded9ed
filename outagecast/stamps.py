"""When, in words: the time and number every post carries, and lengths of time. English, whatever the locale."""

from __future__ import annotations

from datetime import UTC, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

from outagecast.model import Kind

if TYPE_CHECKING:
    from collections.abc import Container, Iterator
    from datetime import datetime, tzinfo

    from outagecast.model import Announcement

MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
"""strftime's `%b` follows the locale of whoever is on call; readers of one thread must not see two languages."""


class Detail(StrEnum):
    """What a stamp can do without, named as a person would."""

    STATUS = "the status"
    NUMBER = "the number"
    """Of a resolution: how long it lasted."""
    TIME = "the time"


def stamp(news: Announcement, *, part: int = 1, parts: int = 1, without: Container[Detail] = ()) -> str:
    """Time, number and state of an announcement, as short as they get: "14:05 UTC · update 2 · 1/3".

    May be empty `without` all there is to it; that it is a resolution or a correction is always said.
    """
    first = [] if Detail.TIME in without else [clock(news.at, seconds=news.seconds)]
    what = _what(news, bare=Detail.NUMBER in without)
    how_far = () if Detail.STATUS in without else _how_far(news)
    return " · ".join([*first, *what, *([f"{part}/{parts}"] if parts > 1 else []), *how_far])


def stamp_long(news: Announcement, zone: tzinfo) -> str:
    """The same with date and local time: "22 Nov 2026, 15:05 CET (14:05 UTC) · update 2"."""
    return " · ".join([moment(news.at, zone, seconds=news.seconds), *_what(news), *_how_far(news)])


def moment(at: datetime, zone: tzinfo, *, seconds: bool = False) -> str:
    """Date and time in `zone`, and in UTC where that is another clock time."""
    local, utc = at.astimezone(zone), at.astimezone(UTC)
    if local.utcoffset() == timedelta(0):
        return f"{day(utc)} {utc.year}, {clock(utc, seconds=seconds)}"
    other = clock(utc, seconds=seconds) if local.date() == utc.date() else f"{day(utc)} {clock(utc, seconds=seconds)}"
    return f"{day(local)} {local.year}, {_digits(local, seconds=seconds)} {_zone_name(local)} ({other})"


def clock(at: datetime, *, seconds: bool = False) -> str:
    """The clock time in UTC: "14:05 UTC"."""
    return f"{_digits(at.astimezone(UTC), seconds=seconds)} UTC"


def day(at: datetime) -> str:
    """Day and month as `at` has them: "22 Nov"."""
    return f"{at.day} {MONTHS[at.month - 1]}"


def duration(length: timedelta) -> str:
    """A length of time in its one or two largest units, rounded down: "45 s", "1 h 57 min", "2 days 3 h"."""
    whole = max(0, int(length.total_seconds()))
    if whole < 60:
        return f"{whole} s"
    minutes, hours, days = whole // 60 % 60, whole // 3600 % 24, whole // 86400
    if days:
        return _two(f"{days} day{'s' if days > 1 else ''}", f"{hours} h" if hours else "")
    return _two(f"{hours} h" if hours else "", f"{minutes} min" if minutes else "")


def lasted(news: Announcement) -> str:
    """How long the incident took that a resolution ends, or has ended before: "1 h 57 min"."""
    return duration((news.incident.resolved_at or news.at) - news.incident.opened_at)


def _two(large: str, small: str) -> str:
    return f"{large} {small}".strip()


def _what(news: Announcement, *, bare: bool = False) -> Iterator[str]:
    if news.kind is Kind.UPDATE and news.seq and not bare:
        yield f"update {news.seq}"
    elif news.kind is Kind.RESOLVED:
        yield "resolved" if bare else f"resolved after {lasted(news)}"
    elif news.kind is Kind.CORRECTION:
        yield "correction"


def _how_far(news: Announcement) -> Iterator[str]:
    if news.status and news.kind in (Kind.OPENED, Kind.UPDATE):
        yield str(news.status)


def _digits(at: datetime, *, seconds: bool) -> str:
    return f"{at.hour:02}:{at.minute:02}" + (f":{at.second:02}" if seconds else "")


def _zone_name(local: datetime) -> str:
    # Half of the world's zones have no letters of their own: their name is "+03".
    name = local.tzname() or ""
    return f"UTC{name}" if name[:1] in {"+", "-"} else name
