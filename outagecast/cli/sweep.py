"""`outagecast sweep`: verifies that replies are closed, and hides or deletes comments where they cannot be closed."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from outagecast.cli.desk import Desk, desk
from outagecast.cli.options import AsJson, ConfigPath, Deadline, To, Verbose
from outagecast.cli.show import Voice
from outagecast.journal import Scope
from outagecast.report import EXIT_DONE, EXIT_PERSON, gravest, incident_report

if TYPE_CHECKING:
    from collections.abc import Mapping

    from outagecast.cli.surroundings import Surroundings
    from outagecast.journal import Journal
    from outagecast.registry import Opened
    from outagecast.report import IncidentReport

EVERY = ((timedelta(hours=1), timedelta(minutes=1)), (timedelta(hours=6), timedelta(minutes=5)))
"""How often comments are looked at, by the age of the latest post; after that every half hour."""


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
    reports, wait = _round(at, voice, opened)
    stop = threading.Event()
    while watch and wait is not None and at.left() != 0.0:
        around.clock.wait(stop, min(wait, at.left() or wait))
        reports, wait = _round(at, voice, opened)
    code = EXIT_DONE if gravest(report.exit_code for report in reports) != EXIT_PERSON else EXIT_PERSON
    voice.status(reports, code, nothing="No post is young enough to be swept (`sweep_for` in the config).")
    return code


def _round(at: Desk, voice: Voice, opened: Mapping[str, Opened]) -> tuple[list[IncidentReport], float | None]:
    """One look at every post young enough; and the seconds until the next one, None when none is needed any more."""
    now = at.around.clock.now()
    scope = Scope(None, tuple(opened))
    with at.journal("sweep", voice.waiting) as journal:
        youngest = journal.rearm(scope, now - at.config.sweep_for)
        if youngest is None:
            return [], None
        voice.ended(at.look(journal, voice.watch, opened))
        reports = _incidents(journal, at)
    age = now - youngest
    every = next((wait for until, wait in EVERY if age < until), timedelta(minutes=30))
    return reports, every.total_seconds()


def _incidents(journal: Journal, at: Desk) -> list[IncidentReport]:
    since = at.around.clock.now() - at.config.sweep_for
    return [
        incident_report(journal, incident)
        for incident in journal.incidents()
        if incident.resolved_at is None or incident.resolved_at >= since
    ]
