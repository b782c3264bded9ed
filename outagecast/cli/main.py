"""The command line: what is typed goes to a command, what it returns becomes the exit code."""

from __future__ import annotations

import gc
import itertools
import signal
import sys
from importlib import import_module
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from outagecast import __version__
from outagecast.cli.surroundings import Surroundings
from outagecast.errors import ConfigError, JournalBusyError, OutagecastError
from outagecast.report import EXIT_USAGE, EXIT_WAITING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from outagecast.screen import Screen

COMMANDS = (
    "post",
    "update",
    "resolve",
    "resume",
    "settle",
    "status",
    "sweep",
    "check",
    "channels",
    "drill",
    "subscribers",
)
"""In the order of the help; each is the function, or the group, of that name in the module of that name."""


def application(argv: Sequence[str]) -> typer.Typer:
    """Give the command line as far as `argv` needs it.

    typer takes every option of every command apart at each start, which costs more than all the rest of our own
    code before the first byte of a post; so only the command that was typed is registered.
    """
    app = typer.Typer(
        name="outagecast",
        help="Announce an outage on X, a Facebook Page and by e-mail: each post exactly once, replies closed.",
        epilog="First time: outagecast drill",
        no_args_is_help=True,
        add_completion=False,
        # Plain help starts 85 ms sooner, and a traceback is nothing to show at three in the morning.
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback()(outagecast)
    first = argv[0] if argv else ""
    for name in COMMANDS:
        if name == first or (first not in COMMANDS and first != "--version"):
            command = getattr(import_module(f"outagecast.cli.{name}"), name)
            if isinstance(command, typer.Typer):
                app.add_typer(command, name=name)
            else:
                app.command(name)(command)
    return app


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


def run() -> NoReturn:
    """The console script: one command, its exit code."""
    # Importing makes a hundred thousand objects that all stay; looking through them for garbage again and again takes
    # a tenth of the time to the first byte.
    gc.set_threshold(100_000, 20, 20)
    signal.signal(signal.SIGTERM, _interrupt)
    sys.exit(main(sys.argv[1:], Surroundings()))


def _interrupt(_signal: int, _frame: object) -> None:
    raise KeyboardInterrupt


def main(argv: Sequence[str], around: Surroundings) -> int:
    """Run one command; its exit code. Whatever goes wrong ends with what to type next, never with a traceback."""
    # Until the command itself knows: an error may come before it.
    around.as_json = "--json" in itertools.takewhile("--".__ne__, argv)
    try:
        code = application(argv)(args=list(argv), prog_name="outagecast", standalone_mode=False, obj=around)
    except OutagecastError as err:
        code = EXIT_WAITING if isinstance(err, JournalBusyError) else EXIT_USAGE
        problems = err.problems if isinstance(err, ConfigError) else ()
        _fail(around, err.text, err.hint, code, problems)
    except typer.TyperException as err:
        code = EXIT_USAGE
        command = " ".join(["outagecast", *argv[:1]]) if argv and not argv[0].startswith("-") else "outagecast"
        _fail(around, err.format_message(), f"{command} --help", code)
    except (KeyboardInterrupt, typer.Abort):
        code = EXIT_WAITING
        _fail(around, "interrupted", "type the same command again: what is out stays out, the rest follows", code)
    except BrokenPipeError:
        # The reader of standard output has gone; what was done is in the journal.
        code = EXIT_WAITING
        sys.stderr.close()
    return code if isinstance(code, int) else 0


def _fail(around: Surroundings, text: str, hint: str, code: int, problems: Sequence[str] = ()) -> None:
    from outagecast.cli.show import print_json

    if around.as_json:
        error = {"schema": "outagecast.error/1", "error": text, "hint": hint, "exit_code": code}
        print_json(around.stdout, error | ({"problems": list(problems)} if set(problems) - {text} else {}))
    _screen(around).error(text, hint, problems)


def _screen(around: Surroundings) -> Screen:
    from datetime import UTC

    from outagecast.screen import Screen

    return Screen(around.stderr, UTC, around.clock.now())
