"""What everything that is drawn is drawn with: lines that fit the terminal, and times in two zones."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, TextIO

from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from outagecast.daytimes import on_day
from outagecast.model import IncidentState, Outcome, PostState, Replies
from outagecast.stamps import duration
from outagecast.text import terminal

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime, tzinfo

    from outagecast.model import Incident

MARKS = {
    Outcome.SENT: ("✓", "green"),
    Outcome.WAITING: ("…", "yellow"),
    Outcome.IN_DOUBT: ("?", "yellow"),
    Outcome.PARTIAL: ("!", "red"),
    Outcome.REFUSED: ("✗", "red"),
}
STATES = {
    PostState.PLANNED: ("…", "yellow"),
    PostState.SENDING: ("→", "cyan"),
    PostState.SENT: ("✓", "green"),
    PostState.REFUSED: ("✗", "red"),
    PostState.IN_DOUBT: ("?", "yellow"),
    PostState.RETRACTED: ("↶", "cyan"),
    PostState.DROPPED: ("-", "dim"),
}
REPLIES = {
    Replies.CLOSED: ("replies closed", "green"),
    Replies.UNVERIFIED: ("replies closed, not verified", "yellow"),
    Replies.MODERATED: ("comments moderated", "green"),
    Replies.NONE: ("no public replies", "green"),
    Replies.OPEN: ("replies OPEN", "red"),
}
BETWEEN = "  ·  "


class Canvas:
    """Draws on one stream, in the configured timezone and UTC."""

    def __init__(self, stream: TextIO, zone: tzinfo, now: datetime) -> None:
        # rich leaves bold and dim in where NO_COLOR is set; whoever asks for no colour wants to read plain text.
        plain = bool(os.environ.get("NO_COLOR"))
        self.console = Console(
            file=stream, color_system=None if plain else "auto", highlight=False, soft_wrap=True, emoji=False
        )
        self.zone = zone
        self.now = now

    @property
    def width(self) -> int | None:
        """The columns there are; None where nobody counts them: in a pipe nothing is cut."""
        return self.console.width if self.console.is_terminal else None

    def line(self, text: str | Text = "", style: str = "") -> None:
        """One line, never wrapped or cropped: links and commands must stay whole to be clicked and copied."""
        self.console.print(text if isinstance(text, Text) else Text(text), style=style or None)

    def prompt(self, text: str) -> None:
        """A question, broken as prose is; what is typed stands behind its last line."""
        words = terminal(text)
        *above, last = [words] if self.width is None else _broken(words, max(self.width - 1, 20))
        for line in above:
            self.line(line)
        self.console.print(Text(last), end=" ")

    def paragraph(self, text: str, start: str = "", indent: int = 0) -> None:
        """Words broken into lines, as the terminal has room; safe to print."""
        self.prose(Text(start), terminal(text), indent)

    def prose(self, start: Text, words: str, indent: int, style: str = "") -> None:
        """Words to read beside `start`, in a column of their own from `indent` on; links in them stay whole."""
        before = Text.assemble(start, " " * (indent - start.cell_len))
        for line in [words] if self.width is None else _broken(words, max(self.width - indent, 20)):
            self.line(before.append(line, style))
            before = Text(" " * indent)

    def rows(self, rows: Iterable[Sequence[Text]], style: str = "") -> None:
        """Columns as wide as they need to be."""
        for line in aligned(rows):
            self.line(line, style)

    def fits(self, text: Text) -> bool:
        """Whether it goes into one line."""
        return self.width is None or text.cell_len <= self.width

    def cut(self, text: Text, most: int | None = None) -> Text:
        """The text in one line of at most `most` columns (None: the terminal's)."""
        room = self.width if most is None else most
        if self.width is not None and room is not None and text.cell_len > room:
            text.truncate(max(room, 1), overflow="ellipsis")
        return text

    def flow(self, parts: Iterable[Text], indent: str = "") -> None:
        """The parts in one line if they fit, else in as few as they need; no part is broken, one too long is cut."""
        line = Text()
        for part in parts:
            longer = Text.assemble(line, (BETWEEN, "dim"), part) if line else Text(indent).append_text(part)
            if line and not self.fits(longer):
                self.line(line)
                longer = Text(indent or "  ").append_text(part)
            line = self.cut(longer)
        self.line(line)

    def clock(self, at: datetime, *, seconds: bool = False) -> str:
        """A time in the zone and UTC; its date only where that is another than today's."""
        return on_day(at, self.zone, self.now, seconds=seconds)

    def head(self, incident: Incident, *, late: bool = False, taken_back: datetime | None = None) -> None:
        """One incident in a line: its title, its key, and since when it is what."""
        title, key = Text(one_line(incident.title), "bold"), Text(terminal(incident.key), "dim")
        self.flow([self.cut(title), key, self._since(incident, late=late, taken_back=taken_back)])

    def _since(self, incident: Incident, *, late: bool, taken_back: datetime | None) -> Text:
        if taken_back is not None:
            return Text(f"taken back {self.clock(taken_back)}", "dim")
        if incident.state is IncidentState.OPEN or incident.resolved_at is None:
            lasts = duration(self.now - incident.opened_at)
            return Text.assemble(
                ("OPEN", "bold red" if late else "bold yellow"), f" since {self.clock(incident.opened_at)}, {lasts}"
            )
        lasted = duration(incident.resolved_at - incident.opened_at)
        return Text(f"resolved after {lasted}, {self.clock(incident.resolved_at)}", "green")


def aligned(rows: Iterable[Sequence[Text]], indent: str = "  ") -> list[Text]:
    """The rows with their columns one below the other."""
    # By hand: rich's own table cuts columns to the terminal's width, and links with them.
    lines = [list(row) for row in rows]
    widths = [max(cell.cell_len for cell in column) for column in zip(*lines, strict=True)]
    return [_aligned(cells, widths, indent) for cells in lines]


def _aligned(cells: Sequence[Text], widths: Sequence[int], indent: str) -> Text:
    line = Text(indent[2:])
    for cell, width in zip(cells, widths, strict=True):
        line.append("  ").append_text(cell).append(" " * (width - cell.cell_len))
    line.rstrip()
    return line


def _broken(words: str, width: int) -> list[str]:
    """Lines of at most `width` columns, broken at blanks only."""
    lines = [""]
    for word in words.split(" "):
        longer = f"{lines[-1]} {word}" if lines[-1] else word
        if lines[-1] and cell_len(longer) > width:
            lines.append(word)
        else:
            lines[-1] = longer
    return lines


def one_line(text: str) -> str:
    """Words in one line, safe to print."""
    return terminal(" ".join(text.split()))
