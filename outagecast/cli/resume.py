"""`outagecast resume`: finishes everything that is unfinished, of all incidents."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated

import msgspec
import typer

from outagecast.cli.desk import Desk, desk
from outagecast.cli.options import AsJson, ConfigPath, Deadline, To, Verbose
from outagecast.cli.voice import Voice
from outagecast.journal import Acts, Scope
from outagecast.report import EXIT_PERSON, gravest, incident_report

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from outagecast.cli.surroundings import Surroundings
    from outagecast.journal import Journal
    from outagecast.report import IncidentReport

ROUND = timedelta(seconds=15)
"""Between two rounds of --watch, in which any other outagecast may take the journal."""


def resume(
    ctx: typer.Context,
    watch: Annotated[bool, typer.Option("--watch", help="Go on until nothing is left that could go out.")] = False,
    to: To = None,
    deadline: Deadline = None,
    config: ConfigPath = None,
    as_json: AsJson = False,
    verbose: Verbose = False,
) -> int:
    """Finish everything unfinished: look up what is in doubt, send what waits, verify replies. Sweeps once, too.

    \b
    Examples:
      outagecast resume
      outagecast resume --watch
    """
    around: Surroundings = ctx.obj
    around.as_json = as_json
    at = desk(around, config, only=to, deadline=deadline)
    voice = Voice(around, at.config.timezone, verbose)
    night = Night()
    again = _round(at, voice, to, night, patient=watch, sweep=True)
    stop = threading.Event()
    while watch and again and at.left() != 0.0:
        around.clock.wait(stop, min(ROUND.total_seconds(), at.left() or ROUND.total_seconds()))
        again = _round(at, voice, to, night, patient=True, sweep=False)
    reports, code = _reports(at, night.touched)
    code = EXIT_PERSON if night.broken else code
    voice.status(reports, code, nothing="Nothing is unfinished.", swept=night.swept)
    return code


class Night(msgspec.Struct):
    """What the rounds have been about, and done."""

    touched: dict[int, None] = msgspec.field(default_factory=dict)
    """The announcements that had anything unfinished, in order."""
    broken: bool = False
    """A channel's share ended with a bug."""
    swept: list[Acts] = msgspec.field(default_factory=list)


def _round(at: Desk, voice: Voice, to: Sequence[str] | None, night: Night, *, patient: bool, sweep: bool) -> bool:
    """One pass over everything, and whether another one may bring more. A `patient` one gives way to any other."""
    give_way = at.wanted if patient else lambda: False
    interrupted = False
    with at.journal("resume", voice.waiting) as journal:
        scope = Scope(None, None if to is None else tuple(to))
        night.touched.update(dict.fromkeys(journal.unfinished(scope)))
        young = journal.young_channels(scope, at.young_since()) if sweep else []
        busy = [*journal.busy_channels(scope), *young]
        if busy:
            line = journal.last_line()
            opened = at.open(list(dict.fromkeys(busy)))
            ended = at.carry_out(journal, None, voice.watch, opened, give_way=give_way, sweep=sweep)
            voice.ended(ended)
            interrupted = ended.interrupted
            night.swept += journal.acts(line)
            night.broken |= bool(ended.broken)
            # What a sweep could not see is not finished either.
            night.touched.update(dict.fromkeys(ended.unseen))
        # Where a person is needed too, what else waits is still worth waiting for.
        return not interrupted and journal.waiting(scope)


def _reports(at: Desk, touched: dict[int, None]) -> tuple[list[IncidentReport], int]:
    from outagecast.journal import Journal

    with Journal(at.journal_path, at.around.clock.now) as journal:
        reports = _incidents(journal, touched, at.young_since())
    return reports, gravest(report.exit_code for report in reports)


def _incidents(journal: Journal, touched: dict[int, None], since: datetime) -> list[IncidentReport]:
    keys = dict.fromkeys(journal.announcement(announcement).news.incident.key for announcement in touched)
    incidents = [incident for incident in journal.incidents() if incident.key in keys]
    return [incident_report(journal, incident, since) for incident in incidents]
