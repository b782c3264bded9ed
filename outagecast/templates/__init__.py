"""The words of an announcement from files: by name, or by its kind and status; for all channels or for one.

Without --template only the user's own folder speaks; the built-in set is used where it is named. Jinja2 is imported
when something is rendered or checked, and not before.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from outagecast.errors import UsageError
from outagecast.templates import files
from outagecast.templates.facts import NAMES, Facts, Written

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence
    from pathlib import Path

    from outagecast.model import Kind, Status

__all__ = ["Facts", "Written", "applies", "faults", "names", "oddities", "problems", "variables", "write"]

_LANGUAGE = frozenset(
    (
        *("and", "else", "false", "False", "if", "in", "is", "none", "None", "not", "or", "recursive", "true", "True"),
        *("caller", "cycler", "joiner", "kwargs", "loop", "range", "self", "super", "varargs"),
    )
)
"""Names that mean something to Jinja2."""


def variables(pairs: Sequence[str]) -> dict[str, str]:
    """What `--var NAME=VALUE` gave. An empty value counts as not given: a runbook may not know it."""
    given: dict[str, str] = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        _demand_usable(pair, name.strip() if equals else None, given)
        given[name.strip()] = value.strip()
    return {name: value for name, value in given.items() if value}


def _demand_usable(pair: str, name: str | None, given: Collection[str]) -> None:
    like = "like this: --var service=DNS"
    if name is None:
        raise UsageError(f"--var {pair[:60]!r} has no =", hint=like)
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_]*", name):
        raise UsageError(f"--var {name[:60]!r}: a name has letters, digits and _, and a letter first", hint=like)
    if name in NAMES or name in _LANGUAGE:
        raise UsageError(f"--var {name}: in a template that name has a meaning already", hint=f"--var the_{name}=…")
    if name in given:
        raise UsageError(f"--var {name} is given twice", hint=f"once is enough: --var {name}=…")


def applies(folder: Path | None, kind: Kind, status: Status | None) -> bool:
    """Whether the user's folder has words for this kind of announcement, if only for one channel."""
    shelf = files.own(folder)
    return shelf is not None and files.of_kind(shelf, kind, status)


def write(
    folder: Path | None, name: str | None, facts: Facts, given: Mapping[str, str], channels: Mapping[str, str]
) -> Written:
    """The words of the template `name`, or of the user's own one for the kind; `channels` are names and their types.

    Raises UsageError, with the next command to type, for everything that is wrong.
    """
    from outagecast.templates.writing import Writing

    return Writing(folder, name, facts, given).written(channels)


def names(folder: Path | None) -> Mapping[str, str]:
    """Every name that --template may say, and where it is from."""
    found = {
        name: "yours" if not shelf.built_in else "built in"
        for shelf in reversed(files.shelves(folder))
        for name in shelf.names
    }
    return dict(sorted(found.items()))


def problems(folder: Path | None, channels: Mapping[str, str] | None = None) -> Iterator[str]:
    """Everything that is wrong with the user's folder: `faults`, after `oddities`."""
    yield from oddities(folder, channels)
    yield from faults(folder)


def oddities(folder: Path | None, channels: Mapping[str, str] | None = None) -> Iterator[str]:
    """What is there in vain: no folder, and files that nothing will ever use.

    With `channels` (names and types) also the files for one that is not there.
    """
    found = _listed(folder)
    if folder is None or found is None:
        return
    if not found and not folder.exists():
        yield f"there is no folder {folder} (`templates:` in the config)"
    for file in found:
        yield from (f"{folder / file}: {what}" for what in files.odd(file, channels))


def faults(folder: Path | None) -> Iterator[str]:
    """What would stop an announcement: a folder that cannot be read, a mistake in a file."""
    if folder is None:
        return
    try:
        own = [file for file in files.listed(folder) if files.FILE.fullmatch(file)]
    except UsageError as err:
        yield err.text
        return
    if own:
        from outagecast.templates.engine import Engine

        engine = Engine(files.shelves(folder))
        for file in own:
            yield from engine.faults(file)


def _listed(folder: Path | None) -> Sequence[str] | None:
    try:
        return files.listed(folder) if folder is not None else None
    except UsageError:
        return None  # that is told as a fault
