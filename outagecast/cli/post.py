"""`outagecast post`: opens an incident and announces it everywhere."""

from __future__ import annotations

from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING

import typer

from outagecast import addresses, announce
from outagecast.cli.desk import Desk, desk
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
    Title,
    To,
    Verbose,
    Yes,
)
from outagecast.cli.show import Voice
from outagecast.cli.surroundings import Surroundings, message
from outagecast.errors import UsageError
from outagecast.journal import Journal
from outagecast.model import IncidentState
from outagecast.report import EXIT_DONE, announcement_report

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from outagecast.announce import Draft, Request, Words
    from outagecast.registry import Opened

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
      journalctl -n1 | outagecast post -
      outagecast post --dry-run "fiber cut, ETA 1h"
    """
    around: Surroundings = ctx.obj
    around.as_json = as_json
    request = announce.Request(
        text=message(text, around, needed=EXAMPLE),
        key=incident,
        title=title,
        status=status,
        eta=eta,
        link=link,
        groups=tuple(addresses.group(name) for name in group or ()),
        again=again,
        defuse=defuse_mentions,
    )
    at = desk(around, config, only=to, deadline=deadline)
    voice = Voice(around, at.config.timezone, verbose)
    opened = at.open(to)
    if dry_run:
        return _preview(at, voice, request, opened)
    return _announce(at, voice, request, opened, ask=around.interactive and not yes)


def _announce(at: Desk, voice: Voice, request: Request, opened: Mapping[str, Opened], *, ask: bool) -> int:
    # Before the journal is touched: what is wrong with the words themselves writes nothing.
    announce.understand(request, at.around.clock.now(), at.config.timezone)
    if ask:
        _ask_if_worth_it(at, voice, request, opened)
    with at.journal("post", voice.waiting) as journal:
        now = at.around.clock.now()
        words = announce.understand(request, now, at.config.timezone)
        row = announce.already(journal, request, words, now)
        if row is not None:
            journal.add(row, announce.missing(journal, row, opened))
            planned = row.id
        else:
            announce.check_groups(journal, request.groups)
            draft = announce.opening(journal, list(opened.values()), request, words, now)
            planned = journal.plan(draft.news, draft.plans)
        ended = at.carry_out(journal, (planned,), voice.watch, opened)
        report = announcement_report(journal, journal.announcement(planned))
    voice.ended(ended)
    voice.report(report)
    return report.exit_code


def _ask_if_worth_it(at: Desk, voice: Voice, request: Request, opened: Mapping[str, Opened]) -> None:
    """Show the preview and ask once, where there is something to ask. Without the lock: a person may take long."""
    from outagecast.preview import preview_json

    with _reading(at) as journal:
        now = at.around.clock.now()
        words = announce.understand(request, now, at.config.timezone)
        if journal and announce.already(journal, request, words, now):
            return
        draft = announce.opening(journal, list(opened.values()), request, words, now)
        why = _worth_asking(journal, draft, request)
    if why:
        screen = voice.err()
        screen.preview(preview_json(draft, opened, 0))
        screen.line(why, "yellow")
        if not typer.confirm("Post it?", err=True):
            raise UsageError("not posted, because you said no; nothing was sent", hint="outagecast status")


@contextmanager
def _reading(at: Desk) -> Iterator[Journal | None]:
    """The journal as it is; None where there is none yet. Nothing is made or written."""
    if not at.journal_path.exists():
        yield None
        return
    with Journal(at.journal_path, at.around.clock.now, readonly=True) as journal:
        yield journal


def _worth_asking(journal: Journal | None, draft: Draft, request: Request) -> str:
    """Why a person at a terminal is asked before this goes out; empty when there is nothing to ask."""
    if request.key is None:
        for other in journal.incidents() if journal else ():
            if other.state is IncidentState.OPEN and draft.news.at - other.opened_at < SECOND:
                return f"{other.key} ({other.title}) was opened a few minutes ago. Is this another incident?"
    parts = max((post.parts for plan in draft.plans for post in plan.posts), default=1)
    return f"The text does not fit into one post; it goes out in {parts} parts." if parts > 1 else ""


def _preview(at: Desk, voice: Voice, request: Request, opened: Mapping[str, Opened]) -> int:
    """No network, nothing written: the journal is read if it is there, and not made if it is not."""
    from outagecast.preview import preview_json

    now = at.around.clock.now()
    words: Words = announce.understand(request, now, at.config.timezone)
    with _reading(at) as journal:
        row = announce.already(journal, request, words, now) if journal else None
        if journal:
            announce.check_groups(journal, request.groups)
        draft = announce.opening(None if row else journal, list(opened.values()), request, words, now)
        subscribers = journal.subscriber_count(request.groups) if journal else 0
    preview = preview_json(draft, opened, subscribers)
    if at.around.as_json:
        voice.json(preview)
    else:
        voice.out().preview(preview)
    return EXIT_DONE
