"""What a command finds around it: the environment, the working directory, the clock, the three streams."""

from __future__ import annotations

import io
import os
import select
import sys
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

import msgspec

from outagecast.cli.interrupts import Interrupts
from outagecast.deliver.clock import Clock, SystemClock
from outagecast.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from outagecast.names import Names

MOST_INPUT = 1_000_000
"""Bytes of a message that are read from standard input at the most."""


def _system_names() -> Names:
    """The DNS as this machine sees it; nothing is asked, or read, before the first question."""
    from outagecast.dns_names import SystemNames

    return SystemNames()


class Surroundings(msgspec.Struct):
    """Handed to every command, so that a test or `drill` can run one anywhere."""

    env: Mapping[str, str] = msgspec.field(default_factory=lambda: dict(os.environ))
    cwd: Path = msgspec.field(default_factory=Path.cwd)
    clock: Clock = msgspec.field(default_factory=SystemClock)
    stdin: TextIO = msgspec.field(default_factory=lambda: sys.stdin)
    stdout: TextIO = msgspec.field(default_factory=lambda: sys.stdout)
    stderr: TextIO = msgspec.field(default_factory=lambda: sys.stderr)
    interrupts: Interrupts = msgspec.field(default_factory=Interrupts)
    names: Callable[[], Names] = _system_names
    """Whom to ask about the names that the night depends on."""
    as_json: bool = False
    """Set by a command's --json; an error is then printed as JSON too."""

    @property
    def interactive(self) -> bool:
        """Whether a person can be asked."""
        return self.stdin.isatty() and self.stderr.isatty()


def open_streams() -> None:
    """Give a process that was started without them (`<&-`) /dev/null as its streams. Before any file is opened.

    Otherwise a file would get the number of a stream, and whatever is printed there would go into it.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            # The lowest free number, so this one. Programs that we run are to have it too.
            os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            stream = Path(os.devnull).open(mode, encoding="utf-8")  # noqa: SIM115  open until the process ends
            setattr(sys, name, stream)


def forgive_streams() -> None:
    """What a locale's encoding lacks is shown as an escape: a tick mark is no reason to fail after a post is out."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def piped(around: Surroundings, patience: float = 1.0) -> bool:
    """Whether a message stands ready on standard input for a command that can do without one.

    A pipe that stays open and says nothing (ssh, a CI runner) must not hold the command at three in the morning.
    """
    if around.stdin.isatty():
        return False
    try:
        ready, _, _ = select.select([around.stdin], [], [], patience)
    except (OSError, ValueError):
        return False  # closed, or nothing that can be waited for
    return bool(ready) and bool(around.stdin.buffer.peek(1))  # type: ignore[attr-defined]  # a BufferedReader


def message(given: str | None, around: Surroundings, *, needed: str) -> str:
    """The message from the argument, or from standard input for `-` or where none was given and something is piped."""
    if given is not None and given != "-":
        return given
    if given is None and around.stdin.isatty():
        raise UsageError("there is no message", hint=needed)
    raw = around.stdin.buffer.read(MOST_INPUT + 1)
    if len(raw) > MOST_INPUT:
        raise UsageError(f"the message on standard input has more than {MOST_INPUT:,} bytes", hint="say it shorter")
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as err:
        raise UsageError(
            f"standard input is not UTF-8 text (byte {err.start + 1} is {raw[err.start]:#04x})",
            hint="convert it: iconv -f LATIN1 -t UTF-8 | outagecast post -",
        ) from err
    if not text.strip():
        raise UsageError("the message on standard input is empty", hint=needed)
    return text
