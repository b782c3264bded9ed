"""`outagecast sweep`: verifies that replies are closed, and hides or deletes comments where they cannot be closed."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated

import msgspec
import typer

from outagecast.cli.desk import Desk, desk
from outagecast.cli.options import AsJson, ConfigPath, Deadline, To, Verbose
from outagecast.cli.voice import Voice
from outagecast.deliver.upkeep import sweep_next, unseen
from outagecast.errors import Refused, TryLater
from outagecast.journal import Journal, Scope
from outagecast.model import LeastReplies, PostState
from outagecast.report import EXIT_DONE, EXIT_PERSON, gravest, incident_report

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from outagecast.cli.surroundings import Surroundings
    from outagecast.registry import Opened
    from outagecast.report import IncidentReport, PostLine

EVERY = ((timedelta(hours=1), timedelta(minutes=1)), (timedelta(hours=6), timedelta(minutes=5)))
"""How often comments are looked at, by the age of the latest post; after that every half hour."""
LOOKED_AT = frozenset({LeastReplies.VERIFIED, LeastReplies.MODERATED})
"""The demands that only a look can tell to be met; without it a sweep has not done what it is for."""


class Round(msgspec.Struct, frozen=True):
    """What one look at every post young enough has brought."""

    reports: list[IncidentReport] = []
    unseen: bool = False
    """A look that the config's demand takes could not be made."""
    wait: float | None = None
    """Seconds until the next one; None when none is needed any more."""

    @property
    def exit_code(self) -> int:
        """0 or 1: a post that still waits to go out is no matter of a sweep, a look that failed is."""
        needed = self.unseen or gravest(report.exit_code for report in self.reports) == EXIT_PERSON
        return EXIT_PERSON if needed else EXIT_DONE


def sweep(
    ctx: typer.Context,
    watch: Annotated[bool, typer.Option("--watch", help="Go on until the posts are older than `sweep_for`.")] = False,
    to: To = None,
    deadline: Deadline = None,
    config: ConfigPath = None,
    as_json: AsJson = False,
    verbose: Verbose = False,
) -> int:
    """Read back on every platform that replies are closed; hide comments where a platform cannot close them.

    \b
    Examples:
      outagecast sweep
      outagecast sweep --watch
    """
    around: Surroundings = ctx.obj
    around.as_json = as_json
    at = desk(around, config, only=to, deadline=deadline)
    voice = Voice(around, at.config.timezone, verbose)
    opened = at.open(to)
    last = _round(at, voice, opened)
    stop = threading.Event()
    while watch and last.wait is not None and at.left() != 0.0:
        around.clock.wait(stop, min(last.wait, at.left() or last.wait))
        last = _round(at, voice, opened)
    _tell(voice, last)
    return last.exit_code


def _tell(voice: Voice, last: Round) -> None:
    """The report, and what to type next: `resume` looks again only at what it was told to wait for."""
    nothing = "No post is young enough to be swept (`sweep_for` in the config)."
    if last.unseen and not voice.around.as_json:
        screen = voice.out()
        screen.incidents(last.reports, nothing)
        screen.line("Not all replies could be looked at: see above. Next: outagecast sweep", "red")
        return
    step = gravest(report.exit_code for report in last.reports)
    voice.status(last.reports, last.exit_code, nothing=nothing, step=step)


def _round(at: Desk, voice: Voice, opened: Mapping[str, Opened]) -> Round:
    """Look at every post young enough, once."""
    now = at.around.clock.now()
    since = now - at.config.sweep_for
    with at.journal("sweep", voice.waiting) as journal:
        youngest = journal.rearm(Scope(None, tuple(opened)), since)
        if youngest is None:
            return Round()
        voice.ended(at.look(journal, voice.watch, opened))
        # Nobody writes through the run's own any more: a thread may have outlived it. The lock is still held.
        with Journal(at.journal_path, at.around.clock.now) as after:
            after.mask = journal.mask
            _own_up(after, opened.values())
        reports = _incidents(journal, at)
    age = now - youngest
    every = next((wait for until, wait in EVERY if age < until), timedelta(minutes=30))
    return Round(reports, _unseen(reports, opened, since), every.total_seconds())


def _own_up(journal: Journal, opened: Iterable[Opened]) -> None:
    """Write down of every look that was never made why, and that what the last one found may be true no longer."""
    for one in opened:
        control = one.channel.caps.replies if one.channel else None
        why = one.error or TryLater("the look at its replies did not end in time", hint="outagecast sweep")
        for task in journal.tasks(Scope(None, (one.name,))):
            if task.state is PostState.SENT and task.receipt and not task.looks:
                known = unseen(task.receipt.replies, control)
                due = None if isinstance(why, Refused) else task.look_due
                journal.replies(task.post.id, known, due=due, why=why.text, hint=sweep_next(why.hint))


def _unseen(reports: Iterable[IncidentReport], swept: Iterable[str], since: datetime) -> bool:
    """Whether a look that the config's demand takes has failed, whatever is still known from an earlier one."""
    return any(
        _failed(post, since)
        for report in reports
        for news in report.announcements
        for channel in news.channels
        if channel.name in swept and channel.least in LOOKED_AT
        for post in channel.posts
    )


def _failed(post: PostLine, since: datetime) -> bool:
    """A good look leaves neither a reason nor another one due."""
    looked_at = post.state is PostState.SENT and post.ref and post.sent_at is not None and post.sent_at >= since
    # What is said of a post that is to be taken back, or to get other words, is not about a look.
    other = post.person or post.retract_due or post.amend_due or post.mendable
    return bool(looked_at and (post.look_due or (post.detail and not other)))


def _incidents(journal: Journal, at: Desk) -> list[IncidentReport]:
    since = at.around.clock.now() - at.config.sweep_for
    return [
        incident_report(journal, incident)
        for incident in journal.incidents()
        if incident.resolved_at is None or incident.resolved_at >= since
    ]
