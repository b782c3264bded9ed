"""Whether a journal can be written, found out by beginning to, and taking it back."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

from outagecast.journal.schema import failed

if TYPE_CHECKING:
    from pathlib import Path

_PATIENCE = 2.0


def try_writing(path: Path) -> None:
    """Write into a transaction that is rolled back; raises JournalError. Makes no file and migrates none."""
    try:
        uri = f"{path.absolute().as_uri()}?mode=rw"
        with closing(sqlite3.connect(uri, uri=True, isolation_level=None, timeout=_PATIENCE)) as db:
            db.execute("BEGIN IMMEDIATE")
            db.execute("CREATE TABLE trial (id INTEGER)")
            db.execute("ROLLBACK")
    except sqlite3.Error as err:
        raise failed(err, path) from err
