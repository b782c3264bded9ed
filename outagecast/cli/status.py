"""`outagecast status`: incidents, channels, receipts, overdue ETAs; reads only."""

from __future__ import annotations

from datetime import UTC
from typing import TYPE_CHECKING, Annotated

import typer

from outagecast.advice import advice
from outagecast.cli.desk import journal_path
from outagecast.cli.options import AsJson, ConfigPath, Verbose
from outagecast.cli.voice import Voice
from outagecast.config import find, load
from outagecast.config_house import SWEEP_FOR
from outagecast.errors import ConfigError, UsageError
from outagecast.journal import Journal
from outagecast.report import EXIT_DONE, EXIT_PERSON, gravest, incident_report, overdue

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from outagecast.cli.surroundings import Surroundings
    from outagecast.config import Config
    from outagecast.model import Incident

NOTHING = "No incidents yet. Rehearse one: outagecast drill"
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
    read = config_if_any(around, config)
    path = journal_path(read, around)
    voice = Voice(around, read.timezone if read else UTC, verbose)
    if not path.exists():
        if incident is not None:
            raise UsageError(
                f"there is no incident {incident}: the journal {path} does not exist yet", hint="outagecast status"
            )
        voice.status([], EXIT_DONE, nothing=NOTHING)
        return EXIT_DONE
    now = around.clock.now()
    with Journal(path, around.clock.now, readonly=True) as journal:
        everything = journal.incidents()
        since = now - (read.sweep_for if read else SWEEP_FOR)
        reports = [incident_report(journal, one, since) for one in _chosen(everything, incident)]
    unfinished = gravest(report.exit_code for report in reports)
    wrong = unfinished != EXIT_DONE or any(report.unseen or overdue(report.incident, now) for report in reports)
    code = EXIT_PERSON if check and wrong else EXIT_DONE
    next_ = advice(everything, now)
    voice.overview(reports, code, nothing=NOTHING, step=unfinished, advice=next_, whole=incident is not None)
    return code


def config_if_any(around: Surroundings, path: Path | None) -> Config | None:
    """The config if there is one. A broken one is an error: it may say that the journal is somewhere else."""
    try:
        found = find(path, around.env, around.cwd)
    except ConfigError:
        return None
    return load(found, around.env, None)


def named(incidents: Sequence[Incident], key: str) -> Incident:
    """The incident of that key; UsageError that names the latest ones when there is none."""
    found = next((one for one in incidents if one.key == key), None)
    if found is None:
        known = ", ".join(one.key for one in incidents[:5]) or "none yet"
        raise UsageError(f"there is no incident {key}", hint=f"outagecast status   (known: {known})")
    return found


def _chosen(incidents: Sequence[Incident], key: str | None) -> Sequence[Incident]:
    return incidents if key is None else [named(incidents, key)]
