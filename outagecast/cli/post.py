"""`outagecast post`: opens an incident and announces it everywhere."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

import typer

from outagecast import announce
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
from outagecast.cli.surroundings import Surroundings
from outagecast.cli.voice import Voice
from outagecast.model import IncidentState

if TYPE_CHECKING:
    from outagecast.announce import Draft
    from outagecast.journal import Journal
    from outagecast.phrasing import Request

EXAMPLE = 'outagecast post "fiber cut, ETA 1h"'
SECOND = timedelta(minutes=15)
"""Another incident opened within this time makes it worth asking whether an update was meant."""


def post(
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
    """Open an incident and announce it on every channel, replies closed.

    Running the same command again is always right: it finishes what the first run left, and nothing goes out twice.

    \b
    Examples:
      outagecast post "fiber cut, ETA 1h"
      outagecast post --incident ALERT-4711 --status investigating "mail is down"
      outagecast post --image map.png --alt "map of the streets without power" "power cut in the north"
      journalctl -n1 | outagecast post -
      outagecast post --dry-run "fiber cut, ETA 1h"
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
    voice = Voice(around, at.config.timezone, verbose)
    already = partial(announce.already, expires=at.config.expires)
    way = Way("post", already, announce.opening, _worth_asking)
    errand = Errand(at, voice, way, request, at.open(to))
    return errand.run(dry_run=dry_run, ask=around.interactive and not yes)


def _worth_asking(journal: Journal | None, draft: Draft, request: Request) -> str:
    if request.key is None:
        for other in journal.incidents() if journal else ():
            if other.state is IncidentState.OPEN and draft.news.at - other.opened_at < SECOND:
                return f"{other.key} ({other.title}) was opened a few minutes ago. Is this another incident?"
    return parts_worth_asking(draft)
