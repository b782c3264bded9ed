"""`outagecast resolve`: announces the end of an incident, with how long it lasted, and closes it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from outagecast import addresses, announce, following
from outagecast.cli.desk import desk
from outagecast.cli.flow import Errand
from outagecast.cli.options import (
    AsJson,
    ConfigPath,
    Deadline,
    Defuse,
    DryRun,
    Group,
    IncidentKey,
    Link,
    Message,
    To,
    Verbose,
    Yes,
)
from outagecast.cli.show import Voice
from outagecast.cli.surroundings import message, piped
from outagecast.cli.update import way
from outagecast.model import Kind

if TYPE_CHECKING:
    from outagecast.cli.surroundings import Surroundings


def resolve(
    ctx: typer.Context,
    text: Message = None,
    incident: IncidentKey = None,
    link: Link = None,
    to: To = None,
    group: Group = None,
    deadline: Deadline = None,
    dry_run: DryRun = False,
    defuse_mentions: Defuse = False,
    yes: Yes = False,
    config: ConfigPath = None,
    as_json: AsJson = False,
    verbose: Verbose = False,
) -> int:
    """Announce that it is over, and how long it lasted; closes the incident.

    \b
    Examples:
      outagecast resolve
      outagecast resolve "all links are up again"
    """
    around: Surroundings = ctx.obj
    around.as_json = as_json
    request = announce.Request(
        text=_words(text, around),
        key=incident,
        link=link,
        groups=tuple(addresses.group(name) for name in group or ()),
        defuse=defuse_mentions,
    )
    at = desk(around, config, only=to, deadline=deadline)
    errand = Errand(at, Voice(around, at.config.timezone, verbose), way(Kind.RESOLVED), request, at.open(to))
    return errand.run(dry_run=dry_run, ask=around.interactive and not yes)


def _words(text: str | None, around: Surroundings) -> str:
    if text is None and not piped(around):
        return following.RESTORED
    return message(text, around, needed='outagecast resolve "all links are up again"')
