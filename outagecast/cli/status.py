"""`outagecast status`: incidents, channels, receipts, overdue ETAs; reads only."""

from __future__ import annotations

from datetime import UTC
from typing import TYPE_CHECKING, Annotated

import typer

from outagecast.cli.desk import journal_path
from outagecast.cli.options import AsJson, ConfigPath, Verbose
from outagecast.cli.voice import Voice
from outagecast.config import find, load
from outagecast.errors import ConfigError, UsageError
from outagecast.journal import Journal
from outagecast.model import IncidentState
from outagecast.report import EXIT_DONE, EXIT_PERSON, gravest, incident_report

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from outagecast.cli.surroundings import Surroundings
    from outagecast.config import Config
    from outagecast.model import Incident

CheckFlag = Annotated[bool, typer.Option("--check", help="Exit 1 if anything is overdue or unfinished (for cron).")]
Wanted = Annotated[str | None, typer.Argument(metavar="INCIDENT", help="Only this incident.")]


def status(
    ctx: typer.Context,
    incident: Wanted = None,
    check: CheckFlag = False,
    config: ConfigPath = None,
    as_json: AsJson = False,
    verbose: Verbose = False,
) -> int:
    """Show incidents, what is out on each channel, and what is overdue. Reads only.

    \b
    Examples:
      outagecast status
      outagecast status inc-20261122-1405
      outagecast status --check || mail -s "outagecast: look" oncall@example.com </dev/null
    """
    around: Surroundings = ctx.obj
    around.as_json = as_json
    read = _config(around, config)
    path = journal_path(read, around)
    voice = Voice(around, read.timezone if read else UTC, verbose)
    if not path.exists():
        if incident is not None:
            raise UsageError(
                f"there is no incident {incident}: the journal {path} does not exist yet", hint="outagecast status"
            )
        voice.status([], EXIT_DONE)
        return EXIT_DONE
    with Journal(path, around.clock.now) as journal:
        reports = [incident_report(journal, one) for one in _chosen(journal, incident)]
    unfinished = gravest(report.exit_code for report in reports)
    overdue = any(_overdue(report.incident, around.clock.now()) for report in reports)
    code = EXIT_PERSON if check and (overdue or unfinished != EXIT_DONE) else EXIT_DONE
    voice.status(reports, code, step=unfinished)
    return code


def _config(around: Surroundings, path: Path | None) -> Config | None:
    """The config if there is one. A broken one is an error: it may say that the journal is somewhere else."""
    try:
        found = find(path, around.env, around.cwd)
    except ConfigError:
        return None
    return load(found, around.env, None)


def _chosen(journal: Journal, key: str | None) -> list[Incident]:
    if key is None:
        return journal.incidents()
    incident = journal.incident(key)
    if incident is None:
        known = ", ".join(one.key for one in journal.incidents()[:5]) or "none yet"
        raise UsageError(f"there is no incident {key}", hint=f"outagecast status   (known: {known})")
    return [incident]


def _overdue(incident: Incident, now: datetime) -> bool:
    return incident.state is IncidentState.OPEN and incident.eta is not None and incident.eta < now
