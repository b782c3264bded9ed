"""`outagecast show`: the story of one incident, for the post-mortem; reads only."""

from __future__ import annotations

from datetime import UTC
from typing import TYPE_CHECKING, Annotated

import typer

from outagecast.cli.desk import journal_path
from outagecast.cli.options import AsJson, ConfigPath, Verbose
from outagecast.cli.status import config_if_any, named
from outagecast.cli.voice import Voice
from outagecast.errors import UsageError
from outagecast.journal import Journal
from outagecast.model import IncidentState
from outagecast.timeline import timeline

if TYPE_CHECKING:
    from collections.abc import Sequence

    from outagecast.cli.surroundings import Surroundings
    from outagecast.model import Incident

Wanted = Annotated[
    str | None, typer.Argument(metavar="[INCIDENT]", help="Its key; else the only open one, else the latest.")
]
AsMarkdown = Annotated[bool, typer.Option("--markdown", help="Print Markdown, to be pasted into a post-mortem.")]


def show(
    ctx: typer.Context,
    incident: Wanted = None,
    as_markdown: AsMarkdown = False,
    config: ConfigPath = None,
    as_json: AsJson = False,
    verbose: Verbose = False,
) -> int:
    """Tell the story of an incident: every announcement, every try and its answer, what was taken back. Reads only.

    \b
    Examples:
      outagecast show
      outagecast show inc-20261122-1405
      outagecast show inc-20261122-1405 --markdown >postmortem.md
    """
    around: Surroundings = ctx.obj
    around.as_json = as_json
    if as_markdown and as_json:
        raise UsageError("--markdown and --json are two forms of the same", hint="outagecast show --markdown")
    read = config_if_any(around, config)
    zone = read.timezone if read else UTC
    path = journal_path(read, around)
    if not path.exists():
        raise UsageError(f"there is no incident: the journal {path} does not exist yet", hint="outagecast drill")
    with Journal(path, around.clock.now, readonly=True) as journal:
        told = timeline(journal, _meant(journal.incidents(), incident))
    voice = Voice(around, zone, verbose)
    if as_markdown:
        from outagecast.timeline_markdown import markdown

        voice.text(markdown(told, zone))
    else:
        voice.timeline(told)
    return 0


def _meant(incidents: Sequence[Incident], key: str | None) -> Incident:
    """The incident of that key; without one the only open one, or the latest of all."""
    if key is not None:
        return named(incidents, key)
    if not incidents:
        raise UsageError("there is no incident yet", hint="outagecast status")
    still_open = [one for one in incidents if one.state is IncidentState.OPEN]
    return still_open[0] if len(still_open) == 1 else incidents[0]
