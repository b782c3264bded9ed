"""The file in use: one connection, one lock around it, one kind of transaction."""

from __future__ import annotations

import sqlite3
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Self

from outagecast.errors import JournalError
from outagecast.journal.rows import stamp
from outagecast.journal.schema import connect, failed
from outagecast.model import PostState

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime
    from pathlib import Path

    from outagecast.model import Image

_SYNC_EVERY = 0.1
"""Seconds between fsyncs while letters go out: what a power cut may put in doubt beyond the blocks begun."""


SENDING = "state = 'sending' AND wording IN (SELECT id FROM wording)"
"""All that is under way. By way of `wording`, for the index: else it is a look at every letter there ever was."""


class RunOverError(JournalError):
    """A thread that outlived the run's deadline tried to write; it is to end without a word."""


class Store:
    """A journal file, shared by the threads of a run. `now` is the clock that everything is stamped with."""

    def __init__(self, path: Path, now: Callable[[], datetime], *, readonly: bool = False) -> None:
        self.path = path
        self.now = now
        self.mask: Callable[[str], str] = lambda text: text
        """Takes the secrets out of whatever is written down of a platform's words."""
        self._db = connect(path, readonly=readonly)
        self._db.row_factory = sqlite3.Row
        self._guard = threading.RLock()
        self._images: dict[int, Image] = {}
        """Pictures that were read: all letters of an announcement share one."""
        self._fenced = False
        self._full = True
        self._synced = time.monotonic()

    def close(self) -> None:
        """Let go of the file."""
        with self._guard:
            self._db.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """The connection, for queries only; errors become JournalError."""
        with self._guard:
            try:
                yield self._db
            except sqlite3.Error as err:
                raise failed(err, self.path) from err

    @contextmanager
    def writing(self, *, durable: bool = True) -> Iterator[sqlite3.Connection]:
        """One transaction; on the disk at the end if `durable`, else written at once and synced a little later."""
        with self._guard:
            if self._fenced:
                raise RunOverError("the run is over: nothing more is written")
            try:
                self._sync(full=durable or time.monotonic() - self._synced > _SYNC_EVERY)
                with self._transaction():
                    yield self._db
            except sqlite3.Error as err:
                raise failed(err, self.path) from err
            if self._full:
                self._synced = time.monotonic()

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._db.execute("COMMIT")
        except BaseException:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            raise

    def _sync(self, *, full: bool) -> None:
        if full != self._full:
            self._db.execute(f"PRAGMA synchronous = {'FULL' if full else 'NORMAL'}")
            self._full = full

    def note(self, post: int, event: str, detail: str | None) -> None:
        """One more line in the history of a post; inside a transaction of the caller's."""
        self._db.execute(
            "INSERT INTO attempt (post, at, event, detail) VALUES (?, ?, ?, ?)",
            (post, stamp(self.now()), event, detail),
        )

    def orphan(self, which: str, values: tuple[object, ...], why: str) -> None:
        """-> in-doubt for all posts that `which` selects; inside a transaction of the caller's."""
        for row in self._db.execute(f"SELECT id FROM post WHERE {which}", values).fetchall():  # noqa: S608  ours
            self.note(row["id"], PostState.IN_DOUBT, why)
        self._db.execute(
            "UPDATE post SET state = 'in-doubt', detail = ?, hint = NULL, due = NULL, doubts = doubts + 1 "  # noqa: S608
            f"WHERE {which}",
            (why, *values),
        )

    def fence(self, why: str) -> None:
        """The run is over: what is still `sending` is in doubt, and no thread of this process writes any more."""
        with self._guard:
            if not self._fenced:
                try:
                    with self.writing() as db:
                        db.execute(f"UPDATE post SET doubted_at = ? WHERE {SENDING}", (stamp(self.now()),))  # noqa: S608
                        self.orphan(SENDING, (), why)
                finally:
                    self._fenced = True
