"""Which template files there are, and which of them speaks: the user's own folder first, then the built-in set."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from outagecast.errors import UsageError
from outagecast.model import Kind, Status

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

FILE = re.compile(r"(?P<name>[A-Za-z0-9_-]+)(?:\.(?P<channel>[A-Za-z0-9][A-Za-z0-9_.-]*))?\.j2")
"""No slash and no leading dot: nothing outside of its folder has such a name. Channel names may have dots."""
ALIKE = 0.82
"""Takes in "opend" and "udpate", and leaves "connection" alone, which is a name of its own."""
_BUILT_IN = Path(__file__).parent / "default"
_MEANT = {"post": "opened", "open": "opened", "resolve": "resolved", "retract": "correction", "correct": "correction"}


class Shelf(msgspec.Struct, frozen=True):
    """A folder of templates, as it was when it was looked at."""

    folder: Path
    files: frozenset[str]
    """The names of those that can be used."""
    built_in: bool = False

    @property
    def names(self) -> set[str]:
        """What --template may say; what begins with "_" is there to be included."""
        plain = {_without_status(_name(file)) for file in self.files}
        return {name for name in plain if not name.startswith("_")}


def shelves(folder: Path | None) -> list[Shelf]:
    """Where templates are looked for, in this order."""
    shelf = own(folder)
    return [*([shelf] if shelf else []), _shelf(_BUILT_IN, built_in=True)]


def own(folder: Path | None) -> Shelf | None:
    """The user's folder; one that is not there is as good as empty, one that cannot be read is a UsageError."""
    return _shelf(folder) if folder else None


def _shelf(folder: Path, *, built_in: bool = False) -> Shelf:
    return Shelf(folder, frozenset(file for file in listed(folder) if FILE.fullmatch(file)), built_in)


def listed(folder: Path) -> Sequence[str]:
    """The names of whatever lies in a folder of templates."""
    try:
        return sorted(path.name for path in folder.iterdir())
    except FileNotFoundError:
        return ()
    except OSError as err:
        raise UsageError(
            f"the templates cannot be read: {folder}: {err.strerror}", hint="mend `templates:` in the config"
        ) from err


def of_kind(shelf: Shelf, kind: Kind, status: Status | None) -> bool:
    """Whether there is a file for this kind of announcement, if only for one channel."""
    return any(_name(file) in _stems(kind, status) for file in shelf.files)


def best(shelves: Sequence[Shelf], name: str, status: Status | None, channel: Sequence[str] = ()) -> str | None:
    """The file that speaks for a channel, told by its name and its type; without one: for all that have none."""
    suffixes = [*(f".{each}" for each in channel), ""]
    wanted = [f"{stem}{suffix}.j2" for stem in _stems(name, status) for suffix in suffixes]
    return next((file for shelf in shelves for file in wanted if file in shelf.files), None)


def speaking(shelves: Sequence[Shelf], name: str, status: Status | None) -> set[str]:
    """Every file that speaks for some channel, configured or not."""
    there = {file for shelf in shelves for file in shelf.files if _name(file) in _stems(name, status)}
    found = [best(shelves, name, status, [channel]) for channel in {"", *map(_channel, there)}]
    return {file for file in found if file}


def path_of(shelves: Sequence[Shelf], file: str) -> Path | None:
    """Where a file lies; a name that no template may have lies nowhere."""
    return next((shelf.folder / file for shelf in shelves if file in shelf.files), None)


def statuses(shelves: Sequence[Shelf], name: str) -> list[Status]:
    """The statuses that a template has a file of its own for."""
    there = {_name(file) for shelf in shelves for file in shelf.files}
    return [status for status in Status if f"{name}-{status}" in there]


def _stems(name: str, status: Status | None) -> Sequence[str]:
    """How the names of the files begin that may speak, the most specific first."""
    return [f"{name}-{status}", name] if status else [name]


def _name(file: str) -> str:
    found = FILE.fullmatch(file)
    return found["name"] if found else ""


def _channel(file: str) -> str:
    found = FILE.fullmatch(file)
    return (found["channel"] or "") if found else ""


def _without_status(stem: str) -> str:
    name, _, last = stem.rpartition("-")
    return name if name and last in set(Status) else stem


# --- names that were not meant


def nearest(word: str, known: Collection[str], cutoff: float = 0.6) -> str | None:
    """The known word that was probably meant."""
    from difflib import get_close_matches

    return next(iter(get_close_matches(word.lower(), sorted(known), n=1, cutoff=cutoff)), None)


def odd(file: str, channels: Mapping[str, str] | None) -> Iterator[str]:
    """What is wrong with the name of a file: nothing will use it, or something else than was probably meant."""
    if file.startswith(".") or file.endswith("~"):
        return
    if not FILE.fullmatch(file):
        if "j2" in file or "jinja" in file or _without_status(file.partition(".")[0]) in set(Kind):
            yield "nothing uses it; templates are called like opened.j2 or update-identified.email.j2"
        return
    name, channel = _name(file), _channel(file)
    if meant := _meant(name):
        yield f"only --template {name} uses it; did you mean {meant}{file.removeprefix(name)}?"
    if channel and channels is not None and channel not in {*channels, *channels.values()}:
        yield f"no channel has the name or type {channel}; there are {', '.join(sorted(channels)) or 'none'}"


def _meant(name: str) -> str | None:
    """The kind, or the kind and status, that a name is a misspelling of; "post-mortem" is a name of its own."""
    kind, _, status = name.partition("-")
    right = _MEANT.get(kind.lower()) or nearest(kind, set(Kind), ALIKE)
    further = nearest(status, set(Status), ALIKE)
    if name.startswith("_") or not right or (status and not further):
        return None
    meant = f"{right}-{further}" if status else right
    return meant if meant != name else None
