"""The one way through of everything that is announced: understand, ask, plan, deliver, report."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import msgspec
import typer
from msgspec.structs import replace

from outagecast import announce
from outagecast.errors import UsageError
from outagecast.journal import Journal, Scope
from outagecast.journal.rows import kept
from outagecast.report import EXIT_DONE, EXIT_PERSON, EXIT_WAITING, announcement_report, behind, gravest
from outagecast.stamps import clock

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from datetime import datetime

    from outagecast.announce import Draft
    from outagecast.cli.desk import Desk
    from outagecast.cli.voice import Voice
    from outagecast.journal import AnnouncementRow
    from outagecast.phrasing import Pen, Request, Words
    from outagecast.registry import Opened


class Way(msgspec.Struct, frozen=True):
    """What tells `post`, `update` and `resolve` apart."""

    command: str
    already: Callable[[Journal, Request, Words, datetime], AnnouncementRow | None]
    """The announcement that the request has already made; UsageError when it cannot be made."""
    draft: Callable[[Pen, Journal | None, Sequence[Opened], Request, Words, datetime], Draft]
    worth_asking: Callable[[Journal | None, Draft, Request], str]
    """Why a person at a terminal is asked first; empty when there is nothing to ask."""
    sweeps: bool = False
    """Posts of before are swept once this is out."""


class Errand(msgspec.Struct, frozen=True):
    """One announcement to make: the way, the words, and where it is said."""

    at: Desk
    voice: Voice
    way: Way
    request: Request
    opened: Mapping[str, Opened]

    def run(self, *, dry_run: bool, ask: bool) -> int:
        """Make it, or only show it; the exit code."""
        if dry_run:
            return self._preview()
        # Before the journal is touched: what is wrong with the words themselves writes nothing.
        self._understand()
        if ask:
            self._ask_if_worth_it()
        return self._announce()

    def _understand(self) -> tuple[Words, datetime]:
        now = kept(self.at.around.clock.now())
        return self.at.pen.understand(self.request, now), now

    def _announce(self) -> int:
        with self.at.journal(self.way.command, self.voice.waiting) as journal:
            words, now = self._understand()
            planned = self._planned(journal, words, now)
            about = journal.in_doubt_before(planned)
            line = journal.last_line()
            ended = self.at.carry_out(journal, (*about, planned), self.voice.watch, self.opened, sweep=self.way.sweeps)
            report = announcement_report(journal, journal.announcement(planned))
            old, swept = behind(journal, planned), journal.acts(line)
        # One that was refused other words is out all the same.
        if any(one.waits for one in old):
            report = replace(report, exit_code=gravest((report.exit_code, EXIT_WAITING)))
        if ended.broken:
            report = replace(report, exit_code=EXIT_PERSON)
        self.voice.ended(ended)
        self.voice.report(report, old, swept)
        return report.exit_code

    def _planned(self, journal: Journal, words: Words, now: datetime) -> int:
        row = self.way.already(journal, self.request, words, now)
        if row is not None:
            if not journal.unfinished(Scope((row.id,))):
                said = (
                    f"these words were announced at {clock(row.news.at)} already; for news, type the same with --again"
                )
                self.voice.err().line(said, "yellow")
            journal.add(row, announce.missing(journal, row, self.opened, self.at.config.channels))
            return row.id
        announce.check_groups(journal, self.request.groups)
        draft = self.way.draft(self.at.pen, journal, list(self.opened.values()), self.request, words, now)
        return journal.plan(draft.news, draft.plans)

    def _ask_if_worth_it(self) -> None:
        """Show the preview and ask once, where there is something to ask. Without the lock: a person may take long."""
        from outagecast.preview import preview_json

        with self._reading() as journal:
            words, now = self._understand()
            if journal and self.way.already(journal, self.request, words, now):
                return
            draft = self.way.draft(self.at.pen, journal, list(self.opened.values()), self.request, words, now)
            why = self.way.worth_asking(journal, draft, self.request)
        if why:
            screen = self.voice.err()
            screen.preview(preview_json(draft, self.opened, 0))
            screen.line(why, "yellow")
            if not typer.confirm("Post it?", err=True):
                raise UsageError("not posted, because you said no; nothing was sent", hint="outagecast status")

    def _preview(self) -> int:
        """No network, nothing written: the journal is read if it is there, and not made if it is not."""
        from outagecast.preview import preview_json, refusals

        words, now = self._understand()
        with self._reading() as journal:
            row = self.way.already(journal, self.request, words, now) if journal else None
            if journal:
                announce.check_groups(journal, self.request.groups)
            channels = list(self.opened.values())
            if journal and row is not None:
                draft = announce.again(journal, row, channels)
            else:
                draft = self.way.draft(self.at.pen, journal, channels, self.request, words, now)
            subscribers = journal.subscriber_count(self.request.groups) if journal else 0
        usable = [name for name, one in self.opened.items() if one.channel is not None]
        preview = preview_json(draft, self.opened, subscribers, refusals(self.at.config, usable))
        if self.at.around.as_json:
            self.voice.json(preview)
        else:
            self.voice.out().preview(preview)
        return EXIT_DONE

    @contextmanager
    def _reading(self) -> Iterator[Journal | None]:
        """The journal as it is; None where there is none yet. Nothing is made or written."""
        if not self.at.journal_path.exists():
            yield None
            return
        with Journal(self.at.journal_path, self.at.around.clock.now, readonly=True) as journal:
            yield journal


def parts_worth_asking(draft: Draft) -> str:
    """A text that had to be cut is worth a look before it goes out."""
    parts = max((post.parts for plan in draft.plans for post in plan.posts), default=1)
    return f"The text does not fit into one post; it goes out in {parts} parts." if parts > 1 else ""
