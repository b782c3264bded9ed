"""The lock on a journal: held by the kernel, so it dies with its process; no lease, no timer, no daemon."""

from __future__ import annotations

import fcntl
import json
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Self

from outagecast.errors import JournalBusyError, JournalError

if TYPE_CHECKING:
    from collections.abc import Callable

_POLL = 0.05


class Lock:
    """Exclusive use of a journal, from `take` to `release` or to the end of the process, whichever is first.

    Whoever has to wait holds a second lock meanwhile, the queue's: that is how a patient run sees that it is to give
    way. It too dies with its process.
    """

    def __init__(self, journal: Path) -> None:
        # A link to a journal is that journal. (Path.resolve raises at links that go round in a circle.)
        real = Path(os.path.realpath(journal))
        self.path = real.with_name(real.name + ".lock")
        self.queue = real.with_name(real.name + ".queue")
        self._fd: int | None = None

    def take(
        self,
        command: str,
        *,
        wait: float,
        waiting: Callable[[str], None] = lambda _holder: None,
        urgent: bool = True,
    ) -> Self:
        """Take it within `wait` seconds or raise JournalBusyError naming the holder; `waiting` is called once.

        For one that is not `urgent` nobody gives way: two that look again and again would only do so for each other.
        """
        fd = _open(self.path)
        try:
            if not _try(fd):
                waiting(_holder(fd))
                self._queue_for(fd, time.monotonic() + wait, urgent=urgent)
            _sign(fd, command)
        except BaseException:
            os.close(fd)
            raise
        self._fd = fd
        return self

    def _queue_for(self, fd: int, until: float, *, urgent: bool) -> None:
        queue = _open(self.queue)
        try:
            while not self._turn(fd, queue if urgent else None):
                if time.monotonic() >= until:
                    raise JournalBusyError(
                        f"{_holder(fd)} is using the journal {self.path.with_suffix('')}",
                        hint="nothing of this command was written; type it again when the other one has ended",
                    )
                time.sleep(_POLL)
        finally:
            os.close(queue)

    def _turn(self, fd: int, queue: int | None) -> bool:
        """Whether it has come; whoever is in the queue stays there."""
        if queue is not None:
            _try(queue)
        return _try(fd)

    def wanted(self) -> bool:
        """Whether another process waits for the journal, and urgently."""
        queue = _open(self.queue)
        try:
            return not _try(queue)
        finally:
            os.close(queue)

    def release(self) -> None:
        """Give it back. The file stays: removing it would let two processes hold two locks."""
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.release()


def _open(path: Path) -> int:
    try:
        return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as err:
        raise JournalError(
            f"the journal's lock {path} cannot be opened: {err.strerror}", hint=f"make it writable: ls -l {path}"
        ) from err


def _try(fd: int) -> bool:
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _sign(fd: int, command: str) -> None:
    note = json.dumps({"pid": os.getpid(), "command": command}).encode()
    try:
        os.ftruncate(fd, 0)
        os.pwrite(fd, note, 0)
    except OSError:
        # The name is a courtesy to whoever waits; the lock itself is held, and a full disk must not stop a run.
        return


def _holder(fd: int) -> str:
    try:
        note = json.loads(os.pread(fd, 4096, 0))
        return f"outagecast {note['command']} (process {note['pid']})"
    except (ValueError, KeyError, TypeError, OSError):
        return "another outagecast"
