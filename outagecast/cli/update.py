"""`outagecast update`: announces news of an open incident."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import typer

from outagecast import addresses, announce, following
from outagecast.cli.desk import desk
from outagecast.cli.flow import Errand, Way, parts_worth_asking
from outagecast.cli.options import (
    Again,
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
    Stage,
    To,
    Verbose,
    Yes,
)
from outagecast.cli.show import Voice
from outagecast.cli.surroundings import message
from outagecast.model import Kind

if TYPE_CHECKING:
    from outagecast.cli.surroundings import Surroundings

EXAMPLE = 'outagecast update "cable found, ETA 16:30"'


def update(
    ctx: typer.Context,
    text: Message = None,
    incident: IncidentKey = None,
    status: Stage = None,
    eta: Eta = None,
    link: Link = None,
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

    What is still waiting to go out of older news is dropped: nobody reads it after this.

    \b
    Examples:
      outagecast update "cable found, splicing, ETA 16:30"
      outagecast update --incident ALERT-4711 --status identified "a full disk on the mail store"
    """
    around: Surroundings = ctx.obj
    around.as_json = as_json
    request = announce.Request(
        text=message(text, around, needed=EXAMPLE),
        key=incident,
        status=status,
        eta=eta,
        link=link,
        groups=tuple(addresses.group(name) for name in group or ()),
        again=again,
        defuse=defuse_mentions,
    )
    at = desk(around, config, only=to, deadline=deadline)
    errand = Errand(at, Voice(around, at.config.timezone, verbose), way(Kind.UPDATE), request, at.open(to))
    return errand.run(dry_run=dry_run, ask=around.interactive and not yes)


def way(kind: Kind) -> Way:
    """What `update` and `resolve` have in common."""
    return Way(
        "update" if kind is Kind.UPDATE else "resolve",
        partial(following.already, kind),
        partial(following.following, kind),
        lambda _journal, draft, _request: parts_worth_asking(draft),
    )
