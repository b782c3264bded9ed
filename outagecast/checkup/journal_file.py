"""Whether the journal can be kept tonight: its rights, its disk, whether it is whole."""

from __future__ import annotations

from tempfile import TemporaryFile
from typing import TYPE_CHECKING

from outagecast.checkup import permissions
from outagecast.checkup.disk import free_octets, network_disk
from outagecast.errors import JournalBusyError, JournalError
from outagecast.journal import Journal
from outagecast.journal.aside import damaged
from outagecast.journal.trial import try_writing
from outagecast.model import Finding, Level

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime
    from pathlib import Path

_SUBJECT = "journal"
_MB = 1_000_000
LITTLE = 200 * _MB
"""A letter costs some half a kilobyte there: less than room for an outage's letters to 100,000 readers, four times."""
NEXT_TO_NOTHING = 20 * _MB
"""Not enough for one announcement to 40,000 readers; and a disk that is that full is full before the morning."""


def findings(path: Path, now: Callable[[], datetime], mounts: Path) -> Iterator[Finding]:
    """Everything about it, without making it, and without migrating one of an older version."""
    if _there(path):
        yield from _contents(path, now)
        yield from _rights(path)
    else:
        yield from _to_be_made(path)
    folder = _nearest(path)
    yield from space(folder, free_octets(folder))
    if disk := network_disk(path, mounts):
        of = f" of {disk.host}" if disk.host else ""
        text = f"{path} lies on a network disk ({disk.kind}{of}): SQLite may lose there what it has written"
        yield Finding(_SUBJECT, Level.WARNING, text, "keep it on a disk of this machine: `journal:` in the config")


def space(folder: Path, free: int) -> Iterator[Finding]:
    """Judge how much is free: half a kilobyte for each letter, and what else fills that disk."""
    if free >= LITTLE:
        return
    level = Level.BAD if free < NEXT_TO_NOTHING else Level.WARNING
    text = f"only {free // _MB} MB are free in {folder}: enough for the letters to {free // 500:,} readers, at best"
    yield Finding(_SUBJECT, level, text, f"free space there: du -xh {folder} | sort -h | tail")


def _contents(path: Path, now: Callable[[], datetime]) -> Iterator[Finding]:
    try:
        with Journal(path, now, readonly=True) as journal:
            trouble = journal.integrity()
        try_writing(path)
    except JournalBusyError as err:
        yield Finding(_SUBJECT, Level.WARNING, err.text, err.hint)
    except JournalError as err:
        # SQLite makes files beside it, so the folder's rights count as well.
        rights = f"{permissions.whose(path)}, its folder {permissions.told(path.absolute().parent)}"
        yield Finding(_SUBJECT, Level.BAD, f"{err.text} ({rights})", err.hint)
    else:
        if trouble:
            told = damaged(path, trouble)
            yield Finding(_SUBJECT, Level.BAD, told.text, told.hint)
        else:
            yield Finding(_SUBJECT, Level.GOOD, f"{path} is whole and can be written")


def _to_be_made(path: Path) -> Iterator[Finding]:
    """Try it with a file that has no name there, and is gone when it is closed."""
    folder = _nearest(path)
    try:
        with TemporaryFile(dir=folder):
            pass
    except OSError as err:
        text = f"the journal cannot be made at {path}: {folder} ({permissions.told(folder)}): {err.strerror}"
        yield Finding(_SUBJECT, Level.BAD, text, "name a place that you may write in: `journal:` in the config")
    else:
        yield Finding(_SUBJECT, Level.GOOD, f"the journal will be made at {path}")


def _rights(path: Path) -> Iterator[Finding]:
    if permissions.everybody_can_change(path):
        text = f"everybody on this machine can change or replace {path} ({permissions.told(path)})"
        yield Finding(_SUBJECT, Level.BAD, text, f"chmod go-w {permissions.open_folder(path) or path}")
    if permissions.others_can_read(path):
        text = f"others can read {path}, and every reader's address is in it ({permissions.told(path)})"
        yield Finding(_SUBJECT, Level.WARNING, text, f"chmod 600 {path}")


def _nearest(path: Path) -> Path:
    """The closest folder above that is there."""
    return next(folder for folder in path.absolute().parents if _there(folder))


def _there(path: Path) -> bool:
    """Whether it is there for us: what we may not even look at is not."""
    try:
        path.stat()
    except OSError:
        return False
    return True
