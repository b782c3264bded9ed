"""Taking announcements back: deleted where a platform can, newest first; put right by a correction where it cannot."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from msgspec.structs import replace

from outagecast.announce import Draft, news_of, render, unique
from outagecast.errors import UsageError
from outagecast.journal import ChannelPlan
from outagecast.model import Kind
from outagecast.phrasing import Request, Words
from outagecast.stamps import clock, day
from outagecast.text import clean, defuse, without_eta

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from outagecast.journal import AnnouncementRow, Journal
    from outagecast.model import Announcement, Incident
    from outagecast.phrasing import Pen
    from outagecast.registry import Opened

_QUOTED = 80
"""Characters of a message that are quoted in its correction."""
_TOLD = 4
"""Messages that are named one by one."""


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
    trouble: Sequence[str] = ()
    """What stood in the way of a correction, and what was done instead."""

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
    lasting = {name for name, deletable in todo.items() if not deletable}
    reached = {name: found for name in todo if name in lasting and (found := journal.reached(ids, name))}
    told = {announcement for found in reached.values() for announcement in found}
    out = [row for row in rows if row.id in told]
    correction, trouble = None, list[str]()
    if reached:
        channels = [opened[name] for name in reached]
        correction = _correction(pen, journal, incident, out, channels, now, why, trouble)
    deletable = [name for name in todo if name not in lasting]
    return Withdrawal(incident, rows, deletable, correction, [row.id for row in out], trouble)


def _correction(
    pen: Pen,
    journal: Journal,
    incident: Incident,
    rows: Sequence[AnnouncementRow],
    channels: Sequence[Opened],
    now: datetime,
    why: str | None,
    trouble: list[str],
) -> Draft:
    """The correction. Nothing about its words may hold up that the rest is deleted; what does is put into `trouble`."""
    own = clean(why) if why else None
    plain = "\n\n".join(filter(None, (_default(rows, now), own)))
    words = Words(typed="", text=own, title=None, eta=None, link=None, plain=plain)
    seq = len(journal.announcements(incident.key))
    taken_back = [f"{_when(row, now)}: {row.news.text}" for row in rows]

    def said(by: Pen) -> Announcement:
        return news_of(by, Request(own), words, Kind.CORRECTION, incident, seq, now, taken_back)

    try:
        news = said(pen)
    except UsageError as err:
        trouble.append(f"the correction goes out without its template: {err.text}")
        news = said(replace(pen, templates=None))
    try:
        return unique(journal, channels, news)
    except UsageError as err:
        trouble.append(f"no correction: {err.text}")
        return Draft(news, [_rendered(channel, news) for channel in channels])


def _rendered(channel: Opened, news: Announcement) -> ChannelPlan:
    """One channel's correction; what is wrong with it is its own."""
    try:
        return render(channel, news)
    except UsageError as err:
        return ChannelPlan(channel.name, channel.type, channel.least, error=err.text, hint=err.hint)


def _default(rows: Sequence[AnnouncementRow], now: datetime) -> str:
    """The correction as it reads without a template."""
    if len(rows) == 1:
        # What it promised is not promised once more; a name in it was defused when it was said, and is to stay so.
        said = defuse(without_eta(" ".join(rows[0].news.text.split())))
        quoted = said if len(said) <= _QUOTED else f"{said[:_QUOTED].rsplit(' ', 1)[0].rstrip(' ,;:-')} …"
        return f"Please disregard our message of {_when(rows[0], now)} (“{quoted}”). We take it back."
    if len(rows) > _TOLD:
        return f"Please disregard our {len(rows)} messages since {_when(rows[0], now)}. We take them back."
    times = ", ".join(_when(row, now) for row in rows[:-1])
    return f"Please disregard our messages of {times} and {_when(rows[-1], now)}. We take them back."


def _when(row: AnnouncementRow, now: datetime) -> str:
    at = row.news.at
    return clock(at) if at.date() == now.date() else f"{day(at)}, {clock(at)}"
