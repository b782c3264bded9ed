"""The command line: what is typed goes to a command, what it returns becomes the exit code.

Light to import: until `run` has begun, Python itself answers a signal, with a traceback.
"""

from __future__ import annotations

import gc
import itertools
import sys
from importlib import import_module
from typing import TYPE_CHECKING, NoReturn

from outagecast.cli.interrupts import Interrupts
from outagecast.errors import ConfigError, JournalBusyError, OutagecastError, UnsweptError, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    import typer

    from outagecast.cli.surroundings import Surroundings
    from outagecast.screen import Screen

COMMANDS = (
    "post",
    "update",
    "resolve",
    "retract",
    "resume",
    "settle",
    "status",
    "show",
    "sweep",
    "check",
    "channels",
    "subscribers",
    "drill",
    "init",
    "auth",
)
"""In the order of the help; each is the function, or the group, of that name in the module of that name."""
_TYPERS_INTERRUPT = 130
"""The code that typer makes of a KeyboardInterrupt; none of ours."""


def application(argv: Sequence[str]) -> typer.Typer:
    """Give the command line as far as `argv` needs it.

    typer takes every option of every command apart at each start, which costs more than all the rest of our own
    code before the first byte of a post; so only the command that was typed is registered.
    """
    import typer

    from outagecast.cli.options import outagecast

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


def run() -> NoReturn:
    """The console script: one command, its exit code."""
    interrupts = Interrupts()
    interrupts.catch()
    # Importing makes a hundred thousand objects that all stay; looking through them for garbage again and again takes
    # a tenth of the time to the first byte.
    gc.set_threshold(500_000, 20, 20)
    from outagecast.cli.surroundings import Surroundings, forgive_streams, open_streams
    from outagecast.report import EXIT_WAITING

    open_streams()
    forgive_streams()
    try:
        code = main(sys.argv[1:], Surroundings(interrupts=interrupts))
    except KeyboardInterrupt:
        # One more, at the very moment when the first was about to be answered.
        code = EXIT_WAITING
    interrupts.close()
    sys.exit(code)


def main(argv: Sequence[str], around: Surroundings) -> int:
    """Run one command; its exit code. Whatever goes wrong ends with what to type next, never with a traceback."""
    from outagecast.report import EXIT_PERSON, EXIT_USAGE, EXIT_WAITING

    # Until the command itself knows: an error may come before it.
    around.as_json = "--json" in itertools.takewhile("--".__ne__, argv)
    try:
        code = _command(argv, around)
    except OutagecastError as err:
        kinds = ((UnsweptError, EXIT_PERSON), (JournalBusyError, EXIT_WAITING))
        code = next((code for kind, code in kinds if isinstance(err, kind)), EXIT_USAGE)
        problems = err.problems if isinstance(err, ConfigError) else ()
        _fail(around, err.text, err.hint, code, problems)
    except KeyboardInterrupt:
        code = EXIT_WAITING
        text = "interrupted: nothing of this command was lost; what is out stays out"
        _fail(around, text, "type the same command again: it finishes the rest", code)
    except BrokenPipeError:
        # The reader of standard output has gone; what was done is in the journal.
        code = EXIT_WAITING
        sys.stderr.close()
    around.interrupts.hold()
    return code


def _command(argv: Sequence[str], around: Surroundings) -> int:
    """Run one command; typer's own ways to end it are ours afterwards."""
    import typer

    app = application(argv)
    around.interrupts.admit()
    try:
        code = app(args=list(argv), prog_name="outagecast", standalone_mode=False, obj=around)
    except typer.TyperException as err:
        # typer keeps the type of it to itself: a group alone was typed, and its message is the group's help.
        if type(err).__name__ == "NoArgsIsHelpError":
            return _explain(around, err.format_message())
        known = argv and argv[0] in COMMANDS
        raise UsageError(err.format_message(), hint=f"outagecast {f'{argv[0]} ' if known else ''}--help") from err
    except typer.Abort as err:
        raise KeyboardInterrupt from err
    except SystemExit as err:
        # What typer and rich do when the reader of standard output has gone; with a code that means another thing here.
        raise BrokenPipeError from err
    if code == _TYPERS_INTERRUPT:
        raise KeyboardInterrupt
    return code if isinstance(code, int) else 0


def _explain(around: Surroundings, text: str) -> int:
    """Show the help of a group that was typed without a command; nothing was done, so it is no success."""
    from outagecast.cli.voice import print_text
    from outagecast.report import EXIT_USAGE

    print_text(around.stderr, f"{text}\n")
    return EXIT_USAGE


def _fail(around: Surroundings, text: str, hint: str, code: int, problems: Sequence[str] = ()) -> None:
    around.interrupts.hold()
    from outagecast.cli.voice import print_json

    if around.as_json:
        error = {"schema": "outagecast.error/1", "error": text, "hint": hint, "exit_code": code}
        print_json(around.stdout, error | ({"problems": list(problems)} if set(problems) - {text} else {}))
    _screen(around).error(text, hint, problems)


def _screen(around: Surroundings) -> Screen:
    from datetime import UTC

    from outagecast.screen import Screen

    return Screen(around.stderr, UTC, around.clock.now())
