"""When service is expected back: read as people type it, said so that everybody understands the same moment.

A clock time means its next occurrence in the configured zone. Where the clocks are put forward, a time that is
skipped counts as if they had not been ("02:30" is then 03:30 on the wall); where they are put back, a time that
comes twice is the first of the two still ahead.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta, timezone
from functools import cache
from typing import TYPE_CHECKING

import msgspec

from outagecast.errors import UsageError
from outagecast.stamps import MONTHS, clock, day, duration

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import tzinfo

_FARTHEST = timedelta(days=30)
_LIKELY_PAST = timedelta(hours=21)
_UNITS = {"d": timedelta(days=1), "h": timedelta(hours=1), "m": timedelta(minutes=1)}
_BETWEEN = " ,;:-\u2013\u2014\u00b7|/"
_EXAMPLES = "write it like 1h, 90m, 1h30m, 15:30, '15:30 UTC', 'tomorrow 08:00' or 2026-11-22T15:30Z"


class Found(msgspec.Struct, frozen=True):
    """An ETA in a message: `message[start:end]` says it, from the word ETA on, and means `at` (UTC)."""

    start: int
    end: int
    at: datetime


def parse(text: str, now: datetime, zone: tzinfo) -> datetime:
    """The moment (UTC) an ETA means that is typed by itself; one not ahead of `now` is a UsageError."""
    found = _expression().fullmatch(text.strip())
    if not found:
        raise UsageError(f"the ETA {text[:60]!r} is no time or duration that outagecast knows", hint=_EXAMPLES)
    return _moment(found, now, zone)


def find(message: str, now: datetime, zone: tzinfo) -> Found | None:
    """The ETA a message announces ("ETA 1h", "eta: 15:30"), the last one if there are several.

    One that lies behind, or a bare clock time that was passed within the last three hours, is old news the message
    tells of ("missed the ETA 13:00") and not taken for tomorrow's.
    """
    if "eta" not in message.lower():
        return None
    found = [_found(message, word, now, zone) for word in _lead().finditer(message)]
    return next((one for one in reversed(found) if one), None)


def absolute(message: str, found: Found, now: datetime, was: datetime | None = None) -> str:
    """The message with the ETA's time in UTC behind it, and the one before: "ETA 1h (15:05 UTC, was 14:05 UTC)".

    What stands there already is not said again.
    """
    said = message[found.start : found.end]
    before = f"was {_in_utc(was, now)}" if was and not _told(message, found) else ""
    moment = _in_utc(found.at, now)
    if re.search(r"(?:[0-9]\s*Z|UTC|GMT)\)?\Z", said, re.IGNORECASE):
        addition = f" ({before})" if before else ""
    elif f"{said} UTC".endswith(f" {moment}"):
        # Where the clock on the wall shows UTC, the name of the zone is all that is missing.
        addition = f" UTC ({before})" if before else " UTC"
    else:
        addition = f" ({', '.join(filter(None, (moment, before)))})"
    return f"{message[: found.end]}{addition}{message[found.end :]}"


def without(message: str) -> str:
    """The message with every ETA taken out, whenever it was for; one that says nothing else stays as it is."""
    rest = message
    for lead in reversed(list(_lead().finditer(message))):
        if said := _expression().match(message, lead.end()):
            promised = _promised(message, said)
            rest = _closed_up(rest[: lead.start()], rest[promised[1] if promised else said.end() :])
    return rest if any(character.isalnum() for character in rest) else message


def _closed_up(before: str, after: str) -> str:
    """Two ends of a message from between which an ETA was taken, with what it needed around it."""
    before, after = _wordless().sub("", before), after.lstrip()
    if before.endswith("(") and after.startswith(")"):
        before, after = before[:-1].rstrip(), after[1:].lstrip()
    if not before or not after:
        return before.rstrip(_BETWEEN) + after.lstrip(_BETWEEN + ".")
    if after[0] in ",;:.!?" and before[-1] in ".!?":
        return f"{before} {after[1:].lstrip()}".rstrip()
    return before.rstrip(_BETWEEN) + after if after[0] in ",;:.!?)\u2026" else f"{before} {after}"


def _told(message: str, found: Found) -> bool:
    """Whether the message itself says what the ETA was: "ETA 16:30 (was 15:05)"."""
    said = message[found.start : found.end]
    return ", was " in said or re.match(r"[\s(,;]*(?:was|before|instead of)\b", message[found.end :]) is not None


def phrase(at: datetime, now: datetime, was: datetime | None = None) -> str:
    """An ETA in words of its own, with the one before: "ETA 15:05 UTC, was 14:05 UTC"."""
    return f"ETA {_in_utc(at, now)}" + (f", was {_in_utc(was, now)}" if was else "")


def replaced(at: datetime | None, before: datetime | None, now: datetime) -> datetime | None:
    """The ETA that a new one replaces; None where readers would see the same time twice."""
    if at is None or before is None or _in_utc(at, now) == _in_utc(before, now):
        return None
    return before


def relative(at: datetime, now: datetime) -> str:
    """How far off a moment is: "in 55 min", "12 min ago"."""
    if at < now:
        return f"{duration(now - at)} ago"
    left = at - now
    # To the nearest minute: an ETA of an hour that is ten seconds old is still an hour off.
    return f"in {duration(left + timedelta(seconds=30) if left >= timedelta(minutes=1) else left)}"


def _in_utc(at: datetime, now: datetime) -> str:
    at = at.astimezone(UTC)
    return clock(at) if at.date() == now.astimezone(UTC).date() else f"{day(at)} {clock(at)}"


@cache
def _lead() -> re.Pattern[str]:
    """The word ETA and what people put between it and the time."""
    filler = r"is|now|in|at|of|by|around|about|approx(?:imately|\.)?|ca\.?|(?:moved|changed|extended|pushed)\sto"
    return re.compile(rf"(?<!\w)ETA\b(?:\s*(?:[:=~≈<+]|\b(?:{filler})(?!\w)))*\s*", re.IGNORECASE)


@cache
def _wordless() -> re.Pattern[str]:
    """What leads over to the word ETA and means nothing without it."""
    word = r"the|our|an?|new|next|revised|updated|current|estimated|with|and|or"
    return re.compile(rf"(?:\b(?:{word})\s+)*\Z|\s+\Z", re.IGNORECASE)


@cache
def _expression() -> re.Pattern[str]:
    piece = r"[0-9]{1,4}(?:[.,][0-9]{1,3})?\s*(?:days?|d|hours?|hrs?|h|minutes?|mins?|m)(?![a-z])"
    length = rf"(?:in\s+)?{piece}(?:\s*(?:and\s+)?{piece})*(?:(?<=h)[0-9]{{2}})?"
    iso = r"(?P<year>[0-9]{4})-(?P<month>[0-9]{2})-(?P<day>[0-9]{2})(?:\s*T\s*|\s+)"
    spoken = rf"(?P<of_month>[0-9]{{1,2}})\s+(?P<name>{'|'.join(MONTHS)})[a-z]*\.?(?:\s+(?P<of_year>[0-9]{{4}}))?,?\s+"
    word = r"(?P<word>today|tomorrow),?\s+(?:at\s+)?"
    digits = r"(?P<hour>[0-9]{1,2})(?::(?P<minute>[0-9]{2})(?::(?P<second>[0-9]{2})(?:\.[0-9]+)?)?)?"
    clock_time = rf"(?=[0-9]{{1,2}}(?::[0-9]{{2}}|\s*[ap]\.?m)){digits}(?:\s*(?P<half>[ap])\.?m\b\.?)?"
    offset = r"[+-][0-9]{1,2}(?::?[0-9]{2})?"
    # Numbers alone are an offset only behind a date: "15:30-16:00" is a range. Names in capitals: "at" is none.
    zone = rf"\s*(?P<zone>(?:UTC|GMT)(?:{offset})?|Z|(?(year)[+-][0-9]{{2}}:?[0-9]{{2}}|(?!))|(?-i:[A-Z]{{2,4}}T|MSK))"
    point = rf"(?:{iso}|{spoken}|{word})?{clock_time}(?:{zone}(?!\w))?"
    return re.compile(rf"(?:(?P<length>{length})|{point})(?!\w|[:.,][0-9]|\s*[-\u2013/]\s*[0-9])", re.IGNORECASE)


def _found(message: str, lead: re.Match[str], now: datetime, zone: tzinfo) -> Found | None:
    said = _expression().match(message, lead.end())
    if not said:
        return None
    at, end = _ahead(said, now, zone), said.end()
    if promised := _promised(message, said):
        at, end = _ahead(promised[0], now, zone), promised[1]
    return Found(lead.start(), end, at) if at else None


def _promised(message: str, said: re.Match[str]) -> tuple[re.Match[str], int] | None:
    """The absolute time behind an ETA in an announcement typed again, "ETA 1h (15:05 UTC)", and where that ends.

    It is what was promised; the hour that is meant began then, not now.
    """
    again = re.compile(r"\s*\(").match(message, said.end())
    absolute = _expression().match(message, again.end()) if again else None
    if not absolute or not absolute["zone"]:
        return None
    end = re.compile(r"(?:, was [^()\n]{1,40})?\)").match(message, absolute.end())
    return (absolute, end.end()) if end else None


def _ahead(said: re.Match[str], now: datetime, zone: tzinfo) -> datetime | None:
    """The moment that is meant, if it can be one to come."""
    try:
        at = _moment(said, now, zone)
    except UsageError:
        # Words that are no ETA to us are still words that may be announced.
        return None
    dated = said["length"] or said["year"] or said["name"] or said["word"]
    return at if dated or at - now <= _LIKELY_PAST else None


def _moment(said: re.Match[str], now: datetime, zone: tzinfo) -> datetime:
    try:
        at = now + _length(said["length"]) if said["length"] else _point(said, now, zone)
    except (ValueError, OverflowError) as err:
        raise UsageError(f"the ETA {said[0]!r} is no time: {err}", hint=_EXAMPLES) from err
    if at <= now:
        raise UsageError(f"the ETA {said[0]!r} is not ahead: it is {clock(now)} now", hint=_EXAMPLES)
    if at - now > _FARTHEST:
        raise UsageError(
            f"the ETA {said[0]!r} is {(at - now).days} days ahead; {_FARTHEST.days} are the most", hint=_EXAMPLES
        )
    return at.astimezone(UTC).replace(microsecond=0)


def _length(text: str) -> timedelta:
    total = timedelta()
    for number, unit in re.findall(r"([0-9]+(?:[.,][0-9]+)?)\s*([a-z]?)", text.lower()):
        # "1h30" leaves the minutes without their letter.
        total += float(number.replace(",", ".")) * _UNITS[unit or "m"]
    return total


def _point(said: re.Match[str], now: datetime, zone: tzinfo) -> datetime:
    """The first moment ahead that fits, or the last that does if all lie behind."""
    there = _zone(said["zone"], now, zone)
    wall = _wall_time(said)
    moments = [
        datetime.combine(on, wall.replace(fold=fold), there).astimezone(UTC)
        for on in _days(said, now.astimezone(there).date())
        for fold in (0, 1)
    ]
    return next((moment for moment in moments if moment > now), moments[-1])


def _days(said: re.Match[str], today: date) -> Iterator[date]:
    if said["year"]:
        yield date(int(said["year"]), int(said["month"]), int(said["day"]))
    elif said["name"]:
        month = MONTHS.index(said["name"].capitalize()) + 1
        years = [int(said["of_year"])] if said["of_year"] else [today.year, today.year + 1]
        yield from (date(year, month, int(said["of_month"])) for year in years)
    elif said["word"]:
        yield today + timedelta(days=said["word"].lower() == "tomorrow")
    else:
        yield from (today, today + timedelta(days=1))


def _wall_time(said: re.Match[str]) -> time:
    hour, minute, second = (int(said[name] or 0) for name in ("hour", "minute", "second"))
    if said["half"]:
        if not 1 <= hour <= 12:
            raise ValueError(f"there is no {hour} o'clock {said['half']}m")
        hour = hour % 12 + 12 * (said["half"].lower() == "p")
    return time(hour, minute, second)


def _zone(name: str | None, now: datetime, zone: tzinfo) -> tzinfo:
    """The zone a time was given in: none is the configured one, and only that one's own names are known."""
    if not name:
        return zone
    if shift := re.search(r"([+-])([0-9]{1,2}):?([0-9]{2})?\Z", name):
        length = timedelta(hours=int(shift[2]), minutes=int(shift[3] or 0))
        return timezone(-length if shift[1] == "-" else length)
    if name.upper() in {"Z", "UTC", "GMT"}:
        return UTC
    for month in (1, 7):
        there = datetime(now.year, month, 1, tzinfo=zone)
        if there.tzname() == name:
            return timezone(there.utcoffset() or timedelta())
    raise UsageError(f"the zone {name} is not that of the config", hint="give the time in UTC: 15:30 UTC")
