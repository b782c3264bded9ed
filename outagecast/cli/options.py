"""The options that several commands share, each said once; and those before the command."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Annotated

import typer

from outagecast import __version__
from outagecast.model import Status


def _version(value: bool) -> None:
    if value:
        typer.echo(f"outagecast {__version__}")
        raise typer.Exit


def outagecast(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Options before the command."""


def _countable(seconds: float | None) -> float | None:
    # Every comparison with nan is false, so no range keeps it out.
    if seconds is not None and math.isnan(seconds):
        raise typer.BadParameter("nan is no number of seconds; write one such as 60")
    return seconds


ConfigPath = Annotated[
    Path | None,
    typer.Option(
        "--config", metavar="FILE", help="The config; else $OUTAGECAST_CONFIG, ./outagecast.yaml, the user's."
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object on standard output and nothing else.")]
Verbose = Annotated[bool, typer.Option("--verbose", help="Tell every step on standard error.")]
Message = Annotated[str | None, typer.Argument(metavar="MESSAGE", help="What to announce; `-` reads standard input.")]
IncidentKey = Annotated[
    str | None,
    typer.Option("--incident", metavar="KEY", help="A name for the incident; a runbook passes its alert's id."),
]
Title = Annotated[str | None, typer.Option("--title", metavar="TEXT", help="Its title; else the message's first line.")]
Stage = Annotated[Status | None, typer.Option("--status", help="How far the work is.")]
Eta = Annotated[str | None, typer.Option("--eta", metavar="WHEN", help="1h, 90m, 15:30 or 2026-11-22T15:30Z.")]
Link = Annotated[str | None, typer.Option("--link", metavar="URL", help="A link to go with it (on X it costs more).")]
To = Annotated[list[str] | None, typer.Option("--to", metavar="CHANNEL", help="Only this channel; repeatable.")]
Group = Annotated[
    list[str] | None,
    typer.Option("--group", metavar="NAME", help="Letters only to subscribers of this group; repeatable."),
]
Picture = Annotated[
    Path | None,
    typer.Option("--image", metavar="FILE", help="A picture to go with it (PNG, JPEG, GIF, WebP); needs --alt."),
]
Alt = Annotated[
    str | None, typer.Option("--alt", metavar="TEXT", help="What the picture shows, for whoever cannot see it.")
]
Template = Annotated[
    str | None,
    typer.Option("--template", metavar="NAME", help="Let a template say it: one of yours (`templates:`) or built in."),
]
Var = Annotated[
    list[str] | None, typer.Option("--var", metavar="NAME=VALUE", help="What a template is filled with; repeatable.")
]
Deadline = Annotated[
    float | None,
    typer.Option(
        "--deadline",
        metavar="SECONDS",
        min=0.1,
        max=86400,
        callback=_countable,
        help="End by then, whatever happens.",
    ),
]
DryRun = Annotated[
    bool, typer.Option("--dry-run", help="Show what each channel would publish. No network, nothing written.")
]
Again = Annotated[bool, typer.Option("--again", help="Announce the same words again, on purpose.")]
Defuse = Annotated[bool, typer.Option("--defuse-mentions", help="Rewrite @names so that they mention nobody.")]
Yes = Annotated[bool, typer.Option("--yes", help="Never ask.")]
