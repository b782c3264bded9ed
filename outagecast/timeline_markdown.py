"""The story of an incident in Markdown, ready to be pasted into a post-mortem."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from outagecast.daytimes import lasted
from outagecast.model import IncidentState
from outagecast.stamps import moment
from outagecast.text import terminal
from outagecast.timeline_table import HEAD, line, table

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import tzinfo

    from outagecast.timeline import Timeline

_LINK = re.compile(r"https?://[A-Za-z0-9._~:/?#@!$&*+,;=%-]+")
_INLINE = re.compile(r"[\\`*\[\]~$#]|(?<![^\W_])_|_(?![^\W_])")
"""What means something inside a line; an underscore does only at the edge of a word."""
_ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;", "|": "&#124;"}
"""Instead of a backslash: parsers do not agree on one before a pipe in a table."""


def markdown(told: Timeline, zone: tzinfo) -> str:
    """The whole document."""
    parts = [*_head(told, zone), "", *_announcements(told, zone), *_summary(told, zone), "", *_events(told, zone)]
    return "\n".join(parts) + "\n"


def escaped(text: str) -> str:
    """Foreign words in one line of Markdown, read as they were written."""
    text = terminal(" ".join(text.split()))
    text = _INLINE.sub(r"\\\g<0>", text)
    # "1. fiber cut" is no list, and "- fiber cut" neither.
    text = re.sub(r"\A(?=[+=-])|\A[0-9]{1,9}(?=[.)](?:\s|\Z))", r"\g<0>\\", text)
    return re.sub("[&<>|]", lambda found: _ENTITIES[found[0]], text)


def _head(told: Timeline, zone: tzinfo) -> Iterator[str]:
    incident = told.incident
    yield f"# {escaped(incident.title)}"
    yield ""
    yield f"- Incident: {escaped(incident.key)}"
    yield f"- Opened: {moment(incident.opened_at, zone, seconds=True)}"
    if incident.state is IncidentState.RESOLVED and incident.resolved_at is not None:
        after = lasted(incident.resolved_at - incident.opened_at)
        yield f"- Over: {moment(incident.resolved_at, zone, seconds=True)}, after {after}"
    elif incident.eta is not None:
        yield f"- Still open, ETA {moment(incident.eta, zone)}"
    else:
        yield "- Still open"


def _announcements(told: Timeline, zone: tzinfo) -> Iterator[str]:
    yield "## Announcements"
    for chapter in told.chapters:
        yield ""
        status = f", {chapter.news.status}" if chapter.news.status else ""
        taken = f", taken back {moment(chapter.withdrawn_at, zone, seconds=True)}" if chapter.withdrawn_at else ""
        yield f"**{chapter.name}**, {moment(chapter.news.at, zone, seconds=True)}{status}{taken}:"
        yield ""
        yield f"> {escaped(chapter.news.words)}"
    yield ""


def _summary(told: Timeline, zone: tzinfo) -> Iterator[str]:
    yield "## What went out"
    yield ""
    yield _row(HEAD)
    yield _row("---" for _ in HEAD)
    for row in table(told, zone):
        cells = [escaped(cell) for cell in row.cells]
        if row.url and _LINK.fullmatch(row.url):
            cells[-1] += f" ([link]({row.url.replace('&', '&amp;')}))"
        yield _row(cells)


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _events(told: Timeline, zone: tzinfo) -> Iterator[str]:
    yield "## Timeline"
    yield ""
    for entry in told.entries:
        when, where, what = line(entry, told, zone)
        place = f" **{escaped(where)}**" if where else ""
        yield f"- {when}{place} {escaped(what)}"
