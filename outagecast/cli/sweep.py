"""`outagecast sweep`: verifies that replies are closed, and hides or deletes comments where they cannot be closed."""

from __future__ import annotations

import threading
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Annotated

import msgspec
import typer
from msgspec.structs import replace

from outagecast.cli.desk import Desk, desk, own_up, posts_of
from outagecast.cli.options import AsJson, ConfigPath, Deadline, To, Verbose
from outagecast.cli.voice import Voice
from outagecast.deliver import Sweeping
from outagecast.errors import JournalBusyError, UnsweptError
from outagecast.journal import Acts, Scope
from outagecast.report import EXIT_DONE, EXIT_PERSON, LOOKED_AT, IncidentReport, gravest, incident_report

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from outagecast.cli.surroundings import Surroundings
    from outagecast.model import Incident
    from outagecast.registry import Opened
    from outagecast.report import ChannelLine, PostLine

EVERY = ((timedelta(hours=1), timedelta(minutes=1)), (timedelta(hours=6), timedelta(minutes=5)))
"""How often comments are looked at, by the age of the latest post; after that every half hour."""
ROOM = 5.0
"""Seconds that a round should have."""
SOON = 2.0
"""Seconds after which a round goes on that has given way to another outagecast."""
MOST_TURNS = 5
"""So often in a row a sweep goes on for what it has left; then it says that it did not see all."""


class Round(msgspec.Struct, frozen=True):
    """What one look at every post young enough has brought."""

    at: datetime
    reports: list[IncidentReport] = []
    swept: Sequence[Acts] = ()
    unseen: bool = False
    """A look that the config's demand takes could not be made."""
    wait: float | None = None
    """Seconds until the next one; None when none is needed any more."""
    needed: bool = False
    """A person is needed on a channel that was to be swept."""
    unreached: int = 0
    """How many posts are left because it gave way to another outagecast."""
    left_behind: Sequence[str] = ()
    """The channels that a platform still holds."""

    @property
    def exit_code(self) -> int:
        """0 or 1: a post that still waits to go out is no matter of a sweep, a look that failed is."""
        return EXIT_PERSON if self.unseen or self.unreached or self.needed else EXIT_DONE


def sweep(
    ctx: typer.Context,
    watch: Annotated[
        bool, typer.Option("--watch", help="Go on until the incidents have been over for `sweep_for`.")
    ] = False,
    to: To = None,
    deadline: Deadline = None,
    config: ConfigPath = None,
    as_json: AsJson = False,
    verbose: Verbose = False,
) -> int:
    """Read back on every platform that replies are closed; hide what strangers have said all the same.

    Comments on a Facebook Page are hidden, or deleted (`comments:` in the config), and so are replies that got through
    on X. The same happens at the end of every `update`, `resolve` and `resume`.

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
    every = to is None
    try:
        last = _round(at, voice, opened, Sweeping(at.young_since(), impatient=True), every=every)
    except JournalBusyError as err:
        raise UnsweptError(f"no post was looked at: {err.text}", hint="outagecast sweep") from err
    stop, turns = threading.Event(), 1
    while last.wait is not None and (watch or (last.unreached and turns < MOST_TURNS)) and _in_time(at, last.wait):
        voice.err().swept(last.swept)
        around.clock.wait(stop, last.wait)
        # A thread may still be at work with the old ones.
        opened |= at.open(last.left_behind)
        # What was young at the last look is looked at once more when it no longer is.
        sweeping = Sweeping(last.at - at.config.sweep_for, impatient=not watch)
        last, turns = _round(at, voice, opened, sweeping, every=every), turns + 1
    _tell(voice, last)
    return last.exit_code


def _in_time(at: Desk, wait: float) -> bool:
    """Whether another round could end before the deadline; one that cannot would own up to what it did not see."""
    left = at.left()
    return left is None or wait + ROOM < left


def _tell(voice: Voice, last: Round) -> None:
    """The report, and what to type next: `resume` looks again only at what it was told to wait for."""
    nothing = "No incident is open, or young enough to be swept (`sweep_for` in the config)."
    if (last.unseen or last.unreached) and not voice.around.as_json:
        screen = voice.out()
        screen.incidents(last.reports, nothing)
        screen.swept(last.swept)
        if last.unreached:
            screen.line(
                f"Posts that were not looked at: {last.unreached}, because another outagecast was at work.", "red"
            )
        screen.sweep_again("Not all replies could be looked at or hidden: see above." if last.unseen else "")
        return
    step = gravest(report.exit_code for report in last.reports)
    voice.status(last.reports, last.exit_code, nothing=nothing, step=step, swept=last.swept)


def _round(
    at: Desk,
    voice: Voice,
    opened: Mapping[str, Opened],
    sweeping: Sweeping,
    *,
    every: bool,
) -> Round:
    """Look at every post young enough, once; of `every` channel also those that the config no longer names."""
    now = at.around.clock.now()
    with at.journal("sweep", voice.waiting, urgent=False) as journal:
        if every:
            opened = {**opened, **at.gone(journal, sweeping.since)}
        if not journal.young_channels(Scope(None, tuple(opened)), sweeping.since):
            return Round(now)
        line = journal.last_line()
        sweeping = replace(sweeping, apart=posts_of(own_up(journal, opened, sweeping.since)))
        ended = at.look(journal, voice.watch, opened, sweeping)
        voice.ended(replace(ended, unswept={}, unreached={}))
        young = [one for one in journal.incidents() if _young(one, sweeping.since)]
        reports = [incident_report(journal, incident, sweeping.since) for incident in young]
        swept = journal.acts(line)
    return Round(
        # What it has not reached is the next one's, also when its time is over by then.
        sweeping.since + at.config.sweep_for if ended.gave_way else now,
        reports,
        swept,
        any(channel.unseen and channel.name in opened for channel in _channels(reports)),
        SOON if ended.gave_way else _wait(reports, now, at),
        needed=bool(ended.broken) or _needed(reports, opened),
        unreached=sum(number for name, number in ended.unreached.items() if opened[name].least in LOOKED_AT),
        left_behind=ended.left_behind,
    )


def _needed(reports: Iterable[IncidentReport], swept: Iterable[str]) -> bool:
    """Whether a person is needed on a channel that was to be swept; what another lacks is no matter of this one."""
    return any(channel.name in swept and channel.exit_code == EXIT_PERSON for channel in _channels(reports))


def _channels(reports: Iterable[IncidentReport]) -> Iterator[ChannelLine]:
    for report in reports:
        for news in report.announcements:
            yield from news.channels


def _young(incident: Incident, since: datetime) -> bool:
    return incident.resolved_at is None or incident.resolved_at >= since


def _wait(reports: Sequence[IncidentReport], now: datetime, at: Desk) -> float | None:
    """Until the next look: by the age of the latest post, and no later than an incident ceases to be looked at."""
    still = [report for report in reports if _young(report.incident, now - at.config.sweep_for)]
    if not still:
        return None
    latest = max((post.sent_at for report in still for post in _posts(report) if post.sent_at), default=now)
    every = next((wait for until, wait in EVERY if now - latest < until), timedelta(minutes=30))
    ends = [report.incident.resolved_at + at.config.sweep_for - now for report in still if report.incident.resolved_at]
    return max(min(every, *ends) if ends else every, timedelta(seconds=1)).total_seconds()


def _posts(report: IncidentReport) -> Iterator[PostLine]:
    for channel in _channels([report]):
        yield from () if channel.letters or channel.fate else channel.posts
