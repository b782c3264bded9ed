"""`outagecast check`: before the night, what would go wrong in it; publishes nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from outagecast.cli.desk import desk
from outagecast.cli.options import AsJson, ConfigPath, To, Verbose
from outagecast.cli.voice import Voice
from outagecast.model import Level
from outagecast.report import EXIT_DONE, EXIT_PERSON

if TYPE_CHECKING:
    from outagecast.cli.surroundings import Surroundings


def check(
    ctx: typer.Context,
    to: To = None,
    config: ConfigPath = None,
    as_json: AsJson = False,
    verbose: Verbose = False,
) -> int:
    """Ask every platform and relay whether tonight would work: keys, permissions, clocks, TLS. Publishes nothing.

    \b
    Examples:
      outagecast check
      outagecast check --to facebook
    """
    from outagecast import checkup

    around: Surroundings = ctx.obj
    around.as_json = as_json
    at = desk(around, config, only=to)
    findings = checkup.check(at.config, at.open(to), at.journal_path, around.clock.now)
    code = EXIT_PERSON if any(finding.level is Level.BAD for finding in findings) else EXIT_DONE
    voice = Voice(around, at.config.timezone, verbose)
    if as_json:
        found = [{"channel": f.channel, "level": f.level, "text": f.text, "do": f.do} for f in findings]
        voice.json({"schema": "outagecast.check/1", "findings": found, "exit_code": code})
    else:
        voice.out().findings(findings)
    return code
