"""`outagecast resolve`: announces the end of an incident, with how long it lasted, and closes it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from outagecast import following
from outagecast.cli.asked import asked
from outagecast.cli.desk import desk
from outagecast.cli.flow import Errand
from outagecast.cli.options import (
    Again,
    Alt,
    AsJson,
    ConfigPath,
    Deadline,
    Defuse,
    DryRun,
    Eta,
    Group,
    IncidentKey,
    Link,
    Message,
    Picture,
    Stage,
    Template,
    Title,
    To,
    Var,
    Verbose,
    Yes,
)
from outagecast.cli.update import way
from outagecast.cli.voice import Voice
from outagecast.model import Kind

if TYPE_CHECKING:
    from outagecast.cli.surroundings import Surroundings

EXAMPLE = 'outagecast resolve "all links are up again"'


def resolve(
    ctx: typer.Context,
    text: Message = None,
    incident: IncidentKey = None,
    title: Title = None,
    status: Stage = None,
    eta: Eta = None,
    link: Link = None,
    image: Picture = None,
    alt: Alt = None,
    template: Template = None,
    var: Var = None,
    to: To = None,
    group: Group = None,
    deadline: Deadline = None,
    dry_run: DryRun = False,
    again: Again = False,
    defuse_mentions: Defuse = False,
    yes: Yes = False,
    config: ConfigPath = None,
    as_json: AsJson = False,
    verbose: Verbose = False,
) -> int:
    """Announce that it is over, and how long it lasted; closes the incident.

    At the end strangers' words below earlier posts are swept, as `sweep` does.

    \b
    Examples:
      outagecast resolve
      outagecast resolve "all links are up again"
    """
    around: Surroundings = ctx.obj
    around.as_json = as_json
    request = asked(
        around,
        text,
        needed=EXAMPLE,
        default=following.RESTORED,
        incident=incident,
        title=title,
        status=status,
        eta=eta,
        link=link,
        image=image,
        alt=alt,
        template=template,
        var=var,
        group=group,
        again=again,
        defuse=defuse_mentions,
    )
    at = desk(around, config, only=to, deadline=deadline)
    errand = Errand(at, Voice(around, at.config.timezone, verbose), way(Kind.RESOLVED), request, at.open(to))
    return errand.run(dry_run=dry_run, ask=around.interactive and not yes)
