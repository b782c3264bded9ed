"""`outagecast subscribers`: who gets mail."""

from __future__ import annotations

import csv
from contextlib import nullcontext
from datetime import UTC
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TextIO

import typer

from outagecast import addresses
from outagecast.cli.desk import journal_path
from outagecast.cli.options import AsJson, ConfigPath, Group, Verbose
from outagecast.cli.voice import Voice
from outagecast.config import find, load
from outagecast.errors import ConfigError, UsageError
from outagecast.journal import Journal

if TYPE_CHECKING:
    from outagecast.addresses import Subscriber
    from outagecast.cli.surroundings import Surroundings

subscribers = typer.Typer(
    help="Who gets mail: import, export, add, remove, list, count.", no_args_is_help=True, rich_markup_mode=None
)

Addresses = Annotated[list[str], typer.Argument(metavar="ADDRESS...")]
File = Annotated[
    str, typer.Argument(metavar="FILE", help="One address a line, or CSV `address,group,…`; `-` is standard input.")
]


def _journal(around: Surroundings, config: Path | None) -> Journal:
    try:
        found = find(config, around.env, around.cwd)
    except ConfigError:
        found = None
    # A broken config is an error: it may say that the journal is somewhere else.
    read = load(found, around.env, None) if found else None
    return Journal(journal_path(read, around), around.clock.now)


def _say(around: Surroundings, as_json: bool, said: str, value: dict[str, object]) -> None:
    around.as_json = as_json
    voice = Voice(around, UTC, verbose=False)
    if as_json:
        voice.json({"schema": "outagecast.subscribers/1", **value, "exit_code": 0})
    else:
        voice.out().line(said)


@subscribers.command()
def add(
    ctx: typer.Context,
    address: Addresses,
    group: Group = None,
    config: ConfigPath = None,
    as_json: AsJson = False,
    verbose: Verbose = False,
) -> int:
    """Add subscribers, or change their groups."""
    groups = tuple(addresses.group(name) for name in group or ())
    people = [addresses.Subscriber(addresses.address(text), groups) for text in address]
    with _journal(ctx.obj, config) as journal:
        journal.subscribe(people)
        count = journal.subscriber_count()
    _say(ctx.obj, as_json, f"{len(people)} added; {_number(count)}", {"changed": len(people), "count": count})
    return 0


@subscribers.command()
def remove(
    ctx: typer.Context, address: Addresses, config: ConfigPath = None, as_json: AsJson = False, verbose: Verbose = False
) -> int:
    """Remove subscribers; letters to them that have not been begun are dropped."""
    chosen = [addresses.address(text) for text in address]
    with _journal(ctx.obj, config) as journal:
        found = journal.unsubscribe(chosen)
        count = journal.subscriber_count()
    _say(ctx.obj, as_json, f"{found} removed; {_number(count)}", {"changed": found, "count": count})
    return 0


@subscribers.command("import")
def import_(
    ctx: typer.Context,
    file: File,
    group: Group = None,
    config: ConfigPath = None,
    as_json: AsJson = False,
    verbose: Verbose = False,
) -> int:
    """Add everybody in a file; all or, if a line is wrong, nobody."""
    around: Surroundings = ctx.obj
    around.as_json = as_json
    groups = tuple(addresses.group(name) for name in group or ())
    people = _people(around, file, groups)
    with _journal(around, config) as journal:
        journal.subscribe(people)
        count = journal.subscriber_count()
    _say(around, as_json, f"{len(people)} imported; {_number(count)}", {"changed": len(people), "count": count})
    return 0


def _number(count: int) -> str:
    return f"{count} subscriber{'' if count == 1 else 's'}"


def _people(around: Surroundings, file: str, groups: tuple[str, ...]) -> list[Subscriber]:
    try:
        text = around.stdin.read() if file == "-" else (around.cwd / file).read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as err:
        raise UsageError(f"{file} cannot be read: {err}", hint="outagecast subscribers import FILE") from err
    good: list[Subscriber] = []
    bad: list[str] = []
    for number, row in addresses.read(text.splitlines(), groups):
        if isinstance(row, UsageError):
            bad.append(f"line {number}: {row.text}")
        else:
            good.append(row)
    if bad:
        raise ConfigError(
            f"{file}: {len(bad)} line{'s are' if len(bad) > 1 else ' is'} wrong; nobody was added",
            hint="correct them and import again",
            problems=bad[:50],
        )
    return good


@subscribers.command("list")
def list_(ctx: typer.Context, config: ConfigPath = None, as_json: AsJson = False, verbose: Verbose = False) -> int:
    """List everybody, with groups, and with the reason where a mailbox is gone."""
    with _journal(ctx.obj, config) as journal:
        people = list(journal.subscribers())
    lines = [_line(who, gone) for who, gone in people]
    value = [{"address": who.address, "groups": list(who.groups), "suppressed": gone} for who, gone in people]
    _say(ctx.obj, as_json, "\n".join(lines) or "nobody yet: outagecast subscribers add ADDRESS", {"subscribers": value})
    return 0


def _line(who: Subscriber, gone: str | None) -> str:
    groups = f"  [{', '.join(who.groups)}]" if who.groups else ""
    return f"{who.address}{groups}{f'  not written to: {gone}' if gone else ''}"


@subscribers.command()
def count(
    ctx: typer.Context,
    group: Group = None,
    config: ConfigPath = None,
    as_json: AsJson = False,
    verbose: Verbose = False,
) -> int:
    """How many would get a letter."""
    with _journal(ctx.obj, config) as journal:
        number = journal.subscriber_count(tuple(group or ()))
    _say(ctx.obj, as_json, f"{number}", {"count": number})
    return 0


@subscribers.command()
def export(
    ctx: typer.Context, file: File = "-", config: ConfigPath = None, as_json: AsJson = False, verbose: Verbose = False
) -> int:
    """Write everybody as CSV that `import` reads."""
    around: Surroundings = ctx.obj
    around.as_json = as_json
    if as_json and file == "-":
        raise UsageError(
            "the list and --json cannot both go to standard output", hint="outagecast subscribers list --json"
        )
    with _journal(around, config) as journal:
        rows = [[who.address, *who.groups] for who, _ in journal.subscribers()]
    try:
        with (around.cwd / file).open("x", encoding="utf-8", newline="") if file != "-" else _borrowed(around) as out:
            csv.writer(out, lineterminator="\n").writerows(rows)
    except OSError as err:
        raise UsageError(
            f"{file} cannot be written: {err.strerror}", hint="outagecast subscribers export NEWFILE"
        ) from err
    if file != "-":
        _say(around, as_json, f"{len(rows)} written to {file}", {"count": len(rows)})
    return 0


def _borrowed(around: Surroundings) -> nullcontext[TextIO]:
    return nullcontext(around.stdout)
