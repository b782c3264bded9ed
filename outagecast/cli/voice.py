"""How commands speak: progress while they run, the report at the end, as text or as JSON."""

from __future__ import annotations

import json
import os
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, TextIO

import msgspec

from outagecast.model import PostState
from outagecast.report import EXIT_DONE
from outagecast.text import terminal_json

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import tzinfo

    from outagecast.advice import Advice
    from outagecast.cli.surroundings import Surroundings
    from outagecast.deliver import Ended, Event
    from outagecast.journal import Acts
    from outagecast.model import Finding
    from outagecast.report import AnnouncementReport, Behind, IncidentReport
    from outagecast.screen import Screen
    from outagecast.timeline import Timeline


def print_json(stream: TextIO, value: dict[str, Any]) -> None:
    """One JSON object and a line end, UTF-8 whatever the locale says."""
    # Lone surrogates are no UTF-8, and escaped they would be no text to whoever reads it.
    text = json.dumps(value, ensure_ascii=False, indent=2).encode("utf-8", "replace").decode()
    raw = (terminal_json(text) + "\n").encode()
    stream.flush()
    stream.buffer.write(raw)
    stream.flush()


def print_text(stream: TextIO, text: str) -> None:
    """Text as it is, UTF-8 whatever the locale says: it is made to be kept in a file."""
    stream.flush()
    stream.buffer.write(text.encode("utf-8", "replace"))
    stream.flush()


def _worth_waiting_for(event: Event) -> bool:
    """Not what the report is about to say anyway, and nothing before the first byte: drawing takes time."""
    if event.post is None:
        return True
    return not event.post.to and event.state in {PostState.PLANNED, PostState.IN_DOUBT}


class Voice(msgspec.Struct, frozen=True):
    """Says things on the right stream. rich is imported when there is something to say, never before the first byte."""

    around: Surroundings
    zone: tzinfo
    verbose: bool
    told: set[str] = msgspec.field(default_factory=set)

    def out(self) -> Screen:
        """Standard output, for results."""
        self.around.interrupts.hold()
        from outagecast.screen import Screen

        return Screen(self.around.stdout, self.zone, self.around.clock.now())

    def err(self) -> Screen:
        """Standard error, for progress and prose."""
        from outagecast.screen import Screen

        return Screen(self.around.stderr, self.zone, self.around.clock.now())

    def json(self, value: dict[str, Any]) -> None:
        """The one JSON object."""
        self.around.interrupts.hold()
        with self._said():
            print_json(self.around.stdout, value)

    def text(self, text: str) -> None:
        """A document, without colours or line breaks of ours."""
        self.around.interrupts.hold()
        with self._said():
            print_text(self.around.stdout, text)

    def timeline(self, told: Timeline) -> None:
        """The story of one incident."""
        if self.around.as_json:
            self.json(told.as_json())
            return
        with self._said():
            self.out().timeline(told)

    @contextmanager
    def _said(self) -> Iterator[None]:
        """Printing may fail (a full disk, a reader who has gone): what was done is done, and so is the exit code."""
        try:
            yield
        except (OSError, ValueError, SystemExit) as err:  # SystemExit: rich's answer to a broken pipe
            with suppress(OSError, ValueError, SystemExit):
                if not isinstance(err, BrokenPipeError | SystemExit):
                    self.err().error(f"standard output cannot be written: {err}", "outagecast status")
            # Python would try once more at its end, and complain.
            with suppress(OSError, ValueError):
                os.dup2(os.open(os.devnull, os.O_WRONLY), self.around.stdout.fileno())

    def watch(self, event: Event) -> None:
        """Progress as it happens: with --verbose all of it, to a person at a terminal what they are waiting for."""
        if self.verbose or (self.around.stderr.isatty() and _worth_waiting_for(event)):
            self.err().progress(event)

    def asking(self, whom: str) -> None:
        """A person at a terminal is told why nothing happens for a while."""
        if self.around.stderr.isatty():
            self.err().line(f"asking {whom} …", "dim")

    def findings(self, findings: Sequence[Finding], step: str) -> None:
        """What `check` found; `step` is what to type next."""
        with self._said():
            self.out().checked(findings, step)

    def waiting(self, holder: str) -> None:
        """Another outagecast has the journal."""
        self.err().line(f"{holder} is at work; waiting for it …", "yellow")

    def ended(self, ended: Ended) -> None:
        """What could not be written down must at least be said."""
        for line in ended.trouble:
            self.err().error(line, "free space or mend the journal, then: outagecast resume")
        for name, why in ended.unsearched.items():
            self._once(f"{name}: not all that strangers have replied could be looked for: {why}")
        for name, why in ended.unswept.items():
            more = f" (not tried at all: {ended.unreached[name]} more)" if name in ended.unreached else ""
            said = f"{name}: not all earlier posts could be looked at for replies: {why}{more}"
            self.err().error(said, "outagecast sweep")
        for name, number in ended.unreached.items():
            if name not in ended.unswept:
                why = "another outagecast was waiting" if ended.gave_way else "there was no time left"
                said = f"{name}: earlier posts that were not looked at for replies: {number} ({why})"
                self.err().error(said, "outagecast sweep")
        for name, why in ended.broken.items():
            self.err().error(f"{name}: not everything was done: {why}", "report this bug, then: outagecast resume")
        if ended.interrupted:
            self.err().line("interrupted: nothing new was begun; what was in flight is in doubt", "yellow")

    def _once(self, line: str) -> None:
        """What holds from round to round is said in the first."""
        if line not in self.told:
            self.told.add(line)
            self.err().line(line, "yellow")

    def report(self, report: AnnouncementReport, behind: Sequence[Behind] = (), swept: Sequence[Acts] = ()) -> None:
        """The report of one announcement, of the first posts that do not show it, and of what was swept after it."""
        if self.around.as_json:
            from outagecast.report import report_json

            self.json(report_json(report))
            return
        with self._said():
            screen = self.out()
            screen.report(report)
            screen.behind(behind)
            screen.swept(swept)
            screen.next_step(report.exit_code, all_out=report.all_out and not behind)

    def status(
        self,
        reports: list[IncidentReport],
        code: int,
        *,
        nothing: str = "",
        step: int | None = None,
        swept: Sequence[Acts] = (),
    ) -> None:
        """The report of the incidents that a command was about; `nothing` is what a person is told when there are none.

        What was `swept` on the way comes after that.

        `step` is the exit code whose next command is named, where the command's own `code` says something else.
        """
        if self._status_json(reports, code):
            return
        with self._said():
            screen = self.out()
            screen.incidents(reports, nothing)
            screen.swept(swept)
            if reports:
                self._next_step(screen, reports, code if step is None else step)

    def _next_step(self, screen: Screen, reports: Sequence[IncidentReport], step: int) -> None:
        """What to type: before all else what is unfinished, then what nobody has seen."""
        if step == EXIT_DONE and any(report.unseen for report in reports):
            screen.sweep_again()
        else:
            screen.next_step(step, all_out=all(report.all_out for report in reports))

    def overview(
        self, reports: list[IncidentReport], code: int, *, nothing: str, step: int, advice: Advice, whole: bool
    ) -> None:
        """What `status` shows, and what to type next; `whole` is for an incident that was asked for by its key."""
        if self._status_json(reports, code):
            return
        with self._said():
            screen = self.out()
            (screen.incidents if whole else screen.overview)(reports, nothing)
            if reports:
                self._next_step(screen, reports, step)
            if reports and step == EXIT_DONE:
                screen.advice(advice)

    def _status_json(self, reports: list[IncidentReport], code: int) -> bool:
        """Print the object that commands about incidents print, where JSON is wanted; whether it was."""
        if self.around.as_json:
            incidents = [report.as_json() for report in reports]
            self.json({"schema": "outagecast.status/1", "incidents": incidents, "exit_code": code})
        return self.around.as_json
