"""`outagecast check`: before the night, what would go wrong in it; publishes nothing."""

from __future__ import annotations

from shlex import quote
from typing import TYPE_CHECKING, Annotated

import typer

from outagecast.channel import Rehearses
from outagecast.cli.desk import desk
from outagecast.cli.options import AsJson, ConfigPath, To, Verbose
from outagecast.cli.voice import Voice
from outagecast.model import Level
from outagecast.report import EXIT_DONE, EXIT_PERSON

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from outagecast.cli.surroundings import Surroundings
    from outagecast.registry import Opened

Live = Annotated[
    bool, typer.Option("--live", help="Rehearse as well: make something that nobody sees, read it, delete it.")
]
_FIRST = 'outagecast post --dry-run "fiber cut, ETA 1h"'


def check(
    ctx: typer.Context,
    live: Live = False,
    to: To = None,
    config: ConfigPath = None,
    as_json: AsJson = False,
    verbose: Verbose = False,
) -> int:
    """Find out before the night what would go wrong in it, and what goes dark together with you. Publishes nothing.

    \b
    Examples:
      outagecast check
      outagecast check --to facebook
      outagecast check --live
    """
    from outagecast import checkup

    around: Surroundings = ctx.obj
    around.as_json = as_json
    at = desk(around, config, only=to)
    voice = Voice(around, at.config.timezone, verbose)
    voice.asking("every platform, relay and the DNS")
    opened = at.open(to)
    findings = checkup.check(
        at.config,
        opened,
        at.journal_path,
        now=around.clock.now,
        names=around.names(),
        env=around.env,
        live=live,
    )
    bad = any(finding.level is Level.BAD for finding in findings)
    code = EXIT_PERSON if bad else EXIT_DONE
    if as_json:
        found = [{"channel": f.channel, "level": f.level, "text": f.text, "do": f.do} for f in findings]
        voice.json({"schema": "outagecast.check/1", "findings": found, "exit_code": code})
    else:
        voice.findings(findings, _next(opened.values(), bad=bad, live=live) + _same(to, config))
    return code


def _next(opened: Iterable[Opened], *, bad: bool, live: bool) -> str:
    """What to type once this is read."""
    if bad:
        return "outagecast check --live" if live else "outagecast check"
    if not live and any(isinstance(one.channel, Rehearses) for one in opened):
        return "outagecast check --live"
    return _FIRST


def _same(to: Sequence[str] | None, config: Path | None) -> str:
    """The options by which the next command is about the same channels and the same config."""
    named = [("--to", each) for each in to or ()] + ([("--config", str(config))] if config else [])
    return "".join(f" {option} {quote(value)}" for option, value in named)
