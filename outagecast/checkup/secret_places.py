"""Where the config's secrets come from: the files that hold them, and the programs that print them."""

from __future__ import annotations

import shlex
import shutil
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from outagecast.checkup import permissions
from outagecast.config import secrets_of
from outagecast.model import Finding, Level
from outagecast.secret_sources import Reference, Source, parse

if TYPE_CHECKING:
    from collections.abc import Iterator

    from outagecast.config import Config

_SUBJECT = "config"


def findings(config: Config) -> Iterator[Finding]:
    """Who else may read a secret's file, and who may change it or the program that prints one.

    What is not there, or cannot be looked at, is told where the secret is read.
    """
    folder = config.path.absolute().parent
    pieces = [piece for secret in secrets_of(config) for piece in parse(secret.template)]
    for piece in dict.fromkeys(piece for piece in pieces if isinstance(piece, Reference)):
        with suppress(OSError, RuntimeError, ValueError):
            if piece.kind is Source.FILE:
                yield from _file(folder / Path(piece.argument).expanduser())
            elif piece.kind is Source.COMMAND:
                yield from _program(folder, shlex.split(piece.argument)[0])


def _file(path: Path) -> Iterator[Finding]:
    if permissions.everybody_can_change(path):
        text = f"everybody on this machine can change the secret in {path} ({permissions.told(path)})"
        yield Finding(_SUBJECT, Level.BAD, text, _lock(path))
    elif permissions.others_can_read(path):
        text = f"others can read the secret in {path} ({permissions.told(path)})"
        yield Finding(_SUBJECT, Level.WARNING, text, f"chmod 600 {path}")


def _program(folder: Path, name: str) -> Iterator[Finding]:
    """It runs with our rights, whoever wrote it."""
    found = str(folder / name) if "/" in name else shutil.which(name)
    path = Path(found) if found else None
    if path is None:
        return
    if permissions.everybody_can_change(path):
        text = f"everybody on this machine can change {path} ({permissions.told(path)}), which is run for a secret"
        yield Finding(_SUBJECT, Level.BAD, text, _lock(path))
    elif permissions.strangers(path):
        text = f"{path}, which is run for a secret, belongs to somebody else ({permissions.told(path)})"
        yield Finding(_SUBJECT, Level.WARNING, text, f"use one that is yours, or root's: chown root {path}")


def _lock(path: Path) -> str:
    return f"chmod go-w {permissions.open_folder(path) or path}"
