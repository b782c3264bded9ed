"""`outagecast drill`: the newcomer's first command and the team's fire drill."""

from __future__ import annotations

import os
import tempfile
from datetime import UTC
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from outagecast.cli.options import AsJson, ConfigPath, Deadline, Message, Verbose
from outagecast.cli.surroundings import message
from outagecast.cli.voice import Voice
from outagecast.errors import UsageError
from outagecast.report import EXIT_PERSON, EXIT_WAITING

if TYPE_CHECKING:
    from outagecast.cli.surroundings import Surroundings

EXAMPLE = "DRILL: fiber cut, ETA 1h"

PageFile = Annotated[Path | None, typer.Option("--page", metavar="FILE", help="Where to write the page to look at.")]


def drill(
    ctx: typer.Context,
    text: Message = None,
    page: PageFile = None,
    deadline: Deadline = None,
    config: ConfigPath = None,
    as_json: AsJson = False,
    verbose: Verbose = False,
) -> int:
    """Rehearse the whole thing on this machine: no account, no config, no network; nothing real is touched.

    The real command runs through the real adapters over real sockets to simulated platforms; then a stranger tries
    to reply. Your own config and journal are not used.

    \b
    Examples:
      outagecast drill
      outagecast drill "power outage in DC 2, ETA 15:30"
    """
    around: Surroundings = ctx.obj
    around.as_json = as_json
    words = message(text, around, needed="outagecast drill MESSAGE") if text is not None else EXAMPLE
    with tempfile.TemporaryDirectory(prefix="outagecast-drill-") as folder:
        drilled = _rehearse(around, Path(folder), words, deadline, verbose=verbose)
    if "error" in drilled:
        if drilled["exit_code"] == EXIT_WAITING:
            raise KeyboardInterrupt  # it reached the rehearsed command, which has ended in its own way
        raise UsageError(drilled["error"], hint=drilled["hint"])
    code = _verdict(drilled)
    if as_json:
        Voice(around, UTC, verbose).json({**drilled, "exit_code": code})
    else:
        shown = _write(around, page, drilled)
        Voice(around, UTC, verbose).out().drill(drilled, code, str(shown))
    return code


def _rehearse(
    around: Surroundings, folder: Path, words: str, deadline: float | None, *, verbose: bool
) -> dict[str, Any]:
    from outagecast.cli import rehearsal

    argv = ["post", "--yes", *(["--deadline", str(deadline)] if deadline else []), *(["--verbose"] if verbose else [])]
    with rehearsal.stage(folder, around) as on:
        _, report = on.command(around, [*argv, "--", words])
        if report["schema"] == "outagecast.error/1":
            return report
        stranger = rehearsal.strangers_try(on, around)
        return {
            "schema": "outagecast.drill/1",
            "report": report,
            "public": rehearsal.public(on),
            "stranger": stranger,
        }


def _verdict(drilled: dict[str, Any]) -> int:
    """The report's exit code; a stranger who got through needs a person too."""
    through = any(said.startswith(("ACCEPTED", "VISIBLE")) for said in drilled["stranger"].values())
    return EXIT_PERSON if through else int(drilled["report"]["exit_code"])


def _write(around: Surroundings, page: Path | None, drilled: dict[str, Any]) -> Path:
    from outagecast.sandbox.page import render

    html = render(drilled).encode()
    if page is None:
        handle, name = tempfile.mkstemp(prefix="outagecast-drill-", suffix=".html")
        with os.fdopen(handle, "wb") as file:
            file.write(html)
        return Path(name)
    path = around.cwd / page
    try:
        path.write_bytes(html)
    except OSError as err:
        raise UsageError(f"{path} cannot be written: {err.strerror}", hint="outagecast drill --page FILE") from err
    return path
