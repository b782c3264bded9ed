"""Runs the program of a `${command:…}`: no shell, no input, bounded in time and size."""

from __future__ import annotations

import os
import selectors
import shlex
import subprocess
import time
from typing import TYPE_CHECKING

from outagecast.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_SECONDS = 20.0
"""Long enough for a password manager to ask for a finger, short enough for an outage."""
_BY_HAND = "run the command by hand and see what it says; it must print the secret and nothing else"


def output(command: str, env: Mapping[str, str], folder: Path, most: int, seconds: float = _SECONDS) -> bytes:
    """What the program prints on standard output; raises ConfigError, in which only the program is named.

    The program stays in our process group: a password manager may need the terminal to ask for its own password.
    What it says on standard error is thrown away, since it may repeat a secret of the command line.
    """
    words = _words(command)
    try:
        process = subprocess.Popen(  # noqa: S603  the command is the config's own, and no shell reads it
            words,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=dict(env),
            cwd=folder,
        )
    except (OSError, ValueError) as err:
        reason = err.strerror if isinstance(err, OSError) else "the command line is malformed"
        raise ConfigError(f"cannot run {words[0]}: {reason}", hint="write the whole path of the program") from err
    with process:
        try:
            return _printed(process, words[0], most, time.monotonic() + seconds)
        finally:
            process.kill()


def _words(command: str) -> list[str]:
    try:
        words = shlex.split(command)
    except ValueError as err:
        raise ConfigError(f"a ${{command:…}} cannot be read: {err}", hint="check its quotes") from err
    if not words or not words[0]:
        raise ConfigError("a ${command:…} names no program", hint="write ${command:PROGRAM ARGUMENTS}")
    return words


def _printed(process: subprocess.Popen[bytes], program: str, most: int, until: float) -> bytes:
    content = b""
    try:
        while chunk := _chunk(process, until):
            content += chunk
            if len(content) > most:
                raise ConfigError(f"{program} prints more than {most // 1024} KiB", hint=_BY_HAND)
        status = process.wait(max(until - time.monotonic(), 0))
    except (TimeoutError, subprocess.TimeoutExpired):
        # Nothing is passed on: subprocess keeps what was printed in its exception.
        raise ConfigError(f"{program} did not finish in time", hint=_BY_HAND) from None
    if status != 0:
        how = f"was killed by signal {-status}" if status < 0 else f"failed with status {status}"
        raise ConfigError(f"{program} {how}", hint=_BY_HAND)
    return content


def _chunk(process: subprocess.Popen[bytes], until: float) -> bytes:
    """Give the next bytes, b"" at the end; raises TimeoutError."""
    if process.stdout is None:  # never: it was opened as a pipe
        return b""
    with selectors.DefaultSelector() as selector:
        selector.register(process.stdout, selectors.EVENT_READ)
        if not selector.select(max(until - time.monotonic(), 0)):
            raise TimeoutError
    return os.read(process.stdout.fileno(), 8192)
