"""Taking announcements back: deleted where a platform can, newest first; put right by a correction where it cannot."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from outagecast.announce import news_of, unique
from outagecast.model import Kind
from outagecast.phrasing import Request, Words
from outagecast.stamps import clock, day
from outagecast.text import clean, defuse, without_eta

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from outagecast.announce import Draft
    from outagecast.journal import AnnouncementRow, Journal
    from outagecast.model import Incident
    from outagecast.phrasing import Pen
    from outagecast.registry import Opened

_QUOTED = 80
"""Characters of a message that are quoted in its correction."""


class Withdrawal(msgspec.Struct, frozen=True):
    """What is to be taken back, and how on each channel."""

    incident: Incident
    rows: Sequence[AnnouncementRow]
    deletable: Sequence[str]
    """The channels that delete what is out there."""
    correction: Draft | None
    """For the channels that cannot, where anything is out."""
    corrects: Sequence[int]
    """The announcements that it is about: what was corrected before, or never went out, is not among them."""

    @property
    def ids(self) -> tuple[int, ...]:
        """The announcements."""
        return tuple(row.id for row in self.rows)


def meant(journal: Journal, incident: Incident, *, last: bool) -> list[AnnouncementRow]:
    """The announcements to take back: all of the incident, or only the last, also where that was done before."""
    rows = [row for row in journal.announcements(incident.key) if row.news.kind is not Kind.CORRECTION]
    return rows[-1:] if last else rows


def draft(
    pen: Pen,
    journal: Journal,
    incident: Incident,
    rows: Sequence[AnnouncementRow],
    opened: Mapping[str, Opened],
    now: datetime,
    why: str | None = None,
) -> Withdrawal:
    """What taking these back on these channels comes to; `why` is what the correction says besides."""
    ids = [row.id for row in rows]
    todo = journal.to_withdraw(ids, list(opened))
    # What cannot be opened now may still be able to delete: it is asked when it can be.
    lasting = {name for name, letters in todo.items() if letters or not _can_delete(opened[name])}
    reached = {name: found for name in todo if name in lasting and (found := journal.reached(ids, name))}
    told = {announcement for found in reached.values() for announcement in found}
    out = [row for row in rows if row.id in told]
    correction = None
    if reached:
        correction = _correction(pen, journal, incident, out, [opened[name] for name in reached], now, why)
    deletable = [name for name in todo if name not in lasting]
    return Withdrawal(incident, rows, deletable, correction, [row.id for row in out])


def _can_delete(opened: Opened) -> bool:
    return opened.channel is None or opened.channel.caps.can_retract


def _correction(
    pen: Pen,
    journal: Journal,
    incident: Incident,
    rows: Sequence[AnnouncementRow],
    channels: Sequence[Opened],
    now: datetime,
    why: str | None,
) -> Draft:
    own = clean(why) if why else None
    plain = "\n\n".join(filter(None, (_default(rows, now), own)))
    words = Words(typed="", text=own, title=None, eta=None, link=None, plain=plain)
    seq = len(journal.announcements(incident.key))
    taken_back = [f"{_when(row, now)}: {row.news.text}" for row in rows]
    news = news_of(pen, Request(own), words, Kind.CORRECTION, incident, seq, now, taken_back)
    return unique(journal, channels, news)


def _default(rows: Sequence[AnnouncementRow], now: datetime) -> str:
    """The correction as it reads without a template."""
    if len(rows) == 1:
        # What it promised is not promised once more; a name in it was defused when it was said, and is to stay so.
        said = defuse(without_eta(" ".join(rows[0].news.text.split())))
        quoted = said if len(said) <= _QUOTED else f"{said[:_QUOTED].rsplit(' ', 1)[0].rstrip(' ,;:-')} …"
        return f"Please disregard our message of {_when(rows[0], now)} (“{quoted}”). We take it back."
    times = ", ".join(_when(row, now) for row in rows[:-1])
    return f"Please disregard our messages of {times} and {_when(rows[-1], now)}. We take them back."


def _when(row: AnnouncementRow, now: datetime) -> str:
    at = row.news.at
    return clock(at) if at.date() == now.date() else f"{day(at)}, {clock(at)}"
