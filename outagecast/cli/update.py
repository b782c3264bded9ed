"""`outagecast update`: announces news of an open incident."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import typer

from outagecast import following
from outagecast.cli.asked import asked
from outagecast.cli.desk import desk
from outagecast.cli.flow import Errand, Way, parts_worth_asking
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
from outagecast.cli.voice import Voice
from outagecast.model import Kind

if TYPE_CHECKING:
    from outagecast.cli.surroundings import Surroundings

EXAMPLE = 'outagecast update "cable found, ETA 16:30"'


def update(
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
    """Announce news of an open incident: of the only one, or of --incident.

    What is still waiting to go out of older news is dropped: nobody reads it after this. A new ETA replaces the old
    one, and the announcement says so. At the end strangers' words below earlier posts are swept, as `sweep` does.

    \b
    Examples:
      outagecast update "cable found, splicing, ETA 16:30"
      outagecast update --incident ALERT-4711 --status identified "a full disk on the mail store"
      outagecast update --template update-monitoring --var service=e-mail
    """
    around: Surroundings = ctx.obj
    around.as_json = as_json
    request = asked(
        around,
        text,
        needed=EXAMPLE,
        default=None,
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
    errand = Errand(at, Voice(around, at.config.timezone, verbose), way(Kind.UPDATE), request, at.open(to))
    return errand.run(dry_run=dry_run, ask=around.interactive and not yes)


def way(kind: Kind) -> Way:
    """What `update` and `resolve` have in common."""
    return Way(
        following.VERBS[kind],
        partial(following.already, kind),
        partial(following.following, kind),
        lambda _journal, draft, _request: parts_worth_asking(draft),
        sweeps=True,
    )
