"""The story of an incident at a terminal: what went out when, and then everything in order."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text

from outagecast.screen_canvas import Canvas, aligned, one_line
from outagecast.stamps import moment
from outagecast.text import terminal
from outagecast.timeline_table import HEAD, line, table

if TYPE_CHECKING:
    from outagecast.timeline import Timeline

_LEAST_WORDS = 30
"""Columns that are worth starting words in, beside what stands before them; with less they begin below it."""


class Timelines(Canvas):
    """Timelines, as text."""

    def timeline(self, told: Timeline) -> None:
        """One incident from its first word to its last."""
        self.line()
        self.head(told.incident, taken_back=told.taken_back_at)
        self.line(f"opened {moment(told.incident.opened_at, self.zone, seconds=True)}", "dim")
        self.line()
        self._summary(told)
        self.line()
        self._entries(told)
        self.line()

    def _summary(self, told: Timeline) -> None:
        rows = table(told, self.zone)
        cells = [[Text(word, "dim") for word in HEAD[:-1]]]
        cells += [[Text(terminal(cell)) for cell in row.cells[:-1]] for row in rows]
        starts = aligned(cells)
        width = max(start.cell_len for start in starts)
        self._beside(starts[0], HEAD[-1], width, "dim")
        for start, row in zip(starts[1:], rows, strict=True):
            self._beside(start, one_line(row.cells[-1]), width)
            if row.url:
                self.line(Text("      ").append(terminal(row.url), "underline"))

    def _entries(self, told: Timeline) -> None:
        lines = [line(entry, told, self.zone) for entry in told.entries]
        starts = aligned([Text(when), Text(terminal(where), "bold")] for when, where, _ in lines)
        width = max(start.cell_len for start in starts)
        for start, (_, where, what) in zip(starts, lines, strict=True):
            self._beside(start, one_line(what), width, "" if where else "bold")

    def _beside(self, start: Text, words: str, width: int, style: str = "") -> None:
        """Words beside what they are about, in a column of their own; below it where the terminal is too narrow."""
        if self.width is not None and self.width - width - 2 < _LEAST_WORDS:
            self.line(start)
            self.prose(Text(), words, 6, style)
        else:
            self.prose(start, words, width + 2, style)
