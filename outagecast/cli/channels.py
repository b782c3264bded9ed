"""`outagecast channels`: which types are installed and what each can do."""

from __future__ import annotations

from datetime import UTC
from typing import TYPE_CHECKING, Any

import typer

from outagecast import registry
from outagecast.cli.options import AsJson, ConfigPath, Verbose
from outagecast.cli.voice import Voice
from outagecast.errors import ConfigError

if TYPE_CHECKING:
    from outagecast.cli.surroundings import Surroundings


def channels(ctx: typer.Context, config: ConfigPath = None, as_json: AsJson = False, verbose: Verbose = False) -> int:
    """List the channel types, built in or plug-in, and what each can do: reply control, threads, edit, retract, limit.

    \b
    Example:
      outagecast channels
    """
    around: Surroundings = ctx.obj
    around.as_json = as_json
    types = [_describe(name) for name in sorted(registry.available())]
    voice = Voice(around, UTC, verbose)
    if as_json:
        voice.json({"schema": "outagecast.channels/1", "types": types, "exit_code": 0})
    else:
        voice.out().types(types)
    return 0


def _describe(name: str) -> dict[str, Any]:
    try:
        caps = registry.channel_type(name).caps
    except ConfigError as err:
        return {"type": name, "error": err.text}
    return {
        "type": name,
        "error": None,
        "replies": caps.replies,
        "limits": [{"most": limit.most, "unit": limit.unit} for limit in caps.limits],
        "letters": caps.letters,
        "threads": caps.threads,
        "find": caps.can_find,
        "edit": caps.can_edit,
        "retract": caps.can_retract,
        "images": caps.images,
    }
