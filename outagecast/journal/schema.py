"""Opening the file: whose it is, which version, which migrations; and the words for everything that can be wrong."""

from __future__ import annotations

import os
import sqlite3
import time
from typing import TYPE_CHECKING

from outagecast.errors import JournalBusyError, JournalError
from outagecast.keeping import make_private

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

APPLICATION_ID = 0x6F757463
"""`PRAGMA application_id` of every journal: "outc" in ASCII."""
_PATIENCE = 2.0
"""Seconds to wait for another process that is writing; a stopped one must not hold a run past its deadline."""
_PRIMARY = 0xFF
"""What of SQLite's extended error codes is the error itself."""


def _first(db: sqlite3.Connection) -> None:
    """The tables of version 1."""
    for statement in _VERSION_1.split(";\n"):
        db.execute(statement)


_VERSION_1 = """
CREATE TABLE incident (
  id INTEGER PRIMARY KEY,
  key TEXT NOT NULL UNIQUE,
  title TEXT NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('open', 'resolved')),
  opened_at TEXT NOT NULL,
  eta TEXT,
  resolved_at TEXT
) STRICT;
CREATE TABLE announcement (
  id INTEGER PRIMARY KEY,
  incident INTEGER NOT NULL REFERENCES incident,
  seq INTEGER NOT NULL,
  kind TEXT NOT NULL,
  status TEXT,
  text TEXT NOT NULL,
  words TEXT NOT NULL,
  at TEXT NOT NULL,
  eta TEXT,
  link TEXT,
  groups TEXT NOT NULL,
  seconds INTEGER NOT NULL,
  UNIQUE (incident, seq)
) STRICT;
CREATE TABLE wording (
  id INTEGER PRIMARY KEY,
  announcement INTEGER NOT NULL REFERENCES announcement,
  channel TEXT NOT NULL,
  type TEXT NOT NULL,
  letters INTEGER NOT NULL,
  least TEXT NOT NULL,
  part INTEGER NOT NULL,
  parts INTEGER NOT NULL,
  text TEXT,
  data TEXT NOT NULL,
  UNIQUE (announcement, channel, part)
) STRICT;
CREATE INDEX wording_channel ON wording (channel, announcement);
CREATE TABLE post (
  id INTEGER PRIMARY KEY,
  wording INTEGER NOT NULL REFERENCES wording ON DELETE CASCADE,
  recipient TEXT NOT NULL DEFAULT '',
  state TEXT NOT NULL DEFAULT 'planned'
    CHECK (state IN ('planned', 'sending', 'sent', 'refused', 'in-doubt', 'retracted', 'dropped')),
  attempts INTEGER NOT NULL DEFAULT 0,
  waits INTEGER NOT NULL DEFAULT 0,
  doubts INTEGER NOT NULL DEFAULT 0,
  block TEXT,
  attempted_at TEXT,
  due TEXT,
  parent INTEGER REFERENCES post,
  token TEXT,
  ref TEXT,
  url TEXT,
  receipt TEXT,
  replies TEXT,
  look_due TEXT,
  looks INTEGER NOT NULL DEFAULT 0,
  sent_at TEXT,
  detail TEXT,
  hint TEXT,
  person INTEGER NOT NULL DEFAULT 0,
  mendable INTEGER NOT NULL DEFAULT 0,
  address_fault INTEGER NOT NULL DEFAULT 0,
  UNIQUE (wording, recipient)
) STRICT;
CREATE INDEX post_state ON post (wording, state);
CREATE INDEX post_parent ON post (parent) WHERE parent IS NOT NULL;
CREATE TABLE attempt (
  id INTEGER PRIMARY KEY,
  post INTEGER NOT NULL REFERENCES post ON DELETE CASCADE,
  at TEXT NOT NULL,
  event TEXT NOT NULL,
  detail TEXT
) STRICT;
CREATE INDEX attempt_post ON attempt (post);
CREATE TABLE subscriber (
  address TEXT PRIMARY KEY,
  groups TEXT NOT NULL DEFAULT '',
  added_at TEXT NOT NULL,
  suppressed TEXT
) STRICT, WITHOUT ROWID
"""


def _second(db: sqlite3.Connection) -> None:
    """When posts went out, for limits an hour and a day: counted without a look at the million that did not."""
    db.execute("CREATE INDEX post_out ON post (sent_at, wording) WHERE sent_at IS NOT NULL")


def _third(db: sqlite3.Connection) -> None:
    """Whose account a wording is for; letters whose reader has left the list; the blocks that a run left behind.

    Every command asks for those before its first byte, whatever the history.
    """
    db.execute("CREATE INDEX post_block ON post (wording) WHERE block IS NOT NULL")
    db.execute("ALTER TABLE wording ADD COLUMN account TEXT NOT NULL DEFAULT ''")
    db.execute("ALTER TABLE post ADD COLUMN unwanted INTEGER NOT NULL DEFAULT 0")


_VERSION_4 = """
ALTER TABLE incident ADD COLUMN opened_as TEXT NOT NULL DEFAULT '';
UPDATE incident SET opened_as = title;
CREATE TABLE image (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL,
  type TEXT NOT NULL,
  alt TEXT NOT NULL,
  data BLOB NOT NULL
) STRICT;
ALTER TABLE announcement ADD COLUMN typed TEXT NOT NULL DEFAULT '';
UPDATE announcement SET typed = text;
ALTER TABLE announcement ADD COLUMN title TEXT NOT NULL DEFAULT '';
UPDATE announcement SET title = (SELECT title FROM incident WHERE id = incident);
ALTER TABLE announcement ADD COLUMN shorter TEXT NOT NULL DEFAULT '[]';
ALTER TABLE announcement ADD COLUMN said TEXT NOT NULL DEFAULT '{}';
ALTER TABLE announcement ADD COLUMN corrects TEXT NOT NULL DEFAULT '[]';
ALTER TABLE announcement ADD COLUMN image INTEGER REFERENCES image;
ALTER TABLE wording ADD COLUMN illustrated INTEGER NOT NULL DEFAULT 0;
ALTER TABLE wording ADD COLUMN edits INTEGER NOT NULL DEFAULT 0;
ALTER TABLE wording ADD COLUMN deletable INTEGER NOT NULL DEFAULT 1;
UPDATE wording SET deletable = 0 WHERE letters = 1;
ALTER TABLE wording ADD COLUMN withdrawn_at TEXT;
ALTER TABLE post ADD COLUMN retract_due TEXT;
ALTER TABLE post ADD COLUMN amend_due TEXT;
CREATE INDEX post_amend ON post (wording) WHERE amend_due IS NOT NULL;
ALTER TABLE post ADD COLUMN shown TEXT;
ALTER TABLE post ADD COLUMN shows INTEGER REFERENCES announcement;
ALTER TABLE post ADD COLUMN note TEXT;
ALTER TABLE post ADD COLUMN doubted_at TEXT;
ALTER TABLE post ADD COLUMN tries INTEGER NOT NULL DEFAULT 0;
UPDATE post SET mendable = 0 WHERE state = 'sent' AND mendable = 1
"""


def _fourth(db: sqlite3.Connection) -> None:
    """What can follow a post that is out: it is taken back, or given other words; and what goes along with one."""
    for statement in _VERSION_4.split(";\n"):
        db.execute(statement)


MIGRATIONS: tuple[Callable[[sqlite3.Connection], None], ...] = (_first, _second, _third, _fourth)
"""In order; `PRAGMA user_version` counts those applied. Only ever append."""


_ELSEWHERE = "`journal:` in the config; where that does not stand: export OUTAGECAST_JOURNAL=/another/place/journal.db"


def connect(path: Path, *, readonly: bool = False) -> sqlite3.Connection:
    """Open the journal at `path`, made and migrated where that is needed; JournalError says what else is wrong."""
    try:
        if not readonly:
            _make_private(path)
        db = _open(path, readonly=readonly)
    except (OSError, sqlite3.Error) as err:
        raise _unusable(path, err) from err
    try:
        version = _identify(db, path)
        if not readonly:
            _prepare(db)
        elif version < len(MIGRATIONS):
            db = _copied(db)
    except sqlite3.Error as err:
        db.close()
        raise _unusable(path, err) from err
    except JournalError:
        db.close()
        raise
    return db


def _make_private(path: Path) -> None:
    """The folder only for its owner (where we make it), and the file too, before SQLite writes a byte."""
    make_private(path.parent)
    os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))


def _open(path: Path, *, readonly: bool) -> sqlite3.Connection:
    uri = f"{path.absolute().as_uri()}?mode={'ro' if readonly else 'rw'}"
    # One connection serves the threads of all channels; Journal holds a lock around every use.
    return sqlite3.connect(uri, uri=True, isolation_level=None, check_same_thread=False, timeout=_PATIENCE)


def _copied(db: sqlite3.Connection) -> sqlite3.Connection:
    """An older journal as it will be, in memory: who only looks (--dry-run) writes nothing, not even a migration."""
    copy = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
    db.backup(copy)
    db.close()
    _migrate(copy)
    return copy


def _identify(db: sqlite3.Connection, path: Path) -> int:
    """Its version. Refuse a file that is not ours, or newer than we are, without touching it."""
    # In one transaction: another outagecast may be making the journal at this moment.
    db.execute("BEGIN")
    (application,) = db.execute("PRAGMA application_id").fetchone()
    (version,) = db.execute("PRAGMA user_version").fetchone()
    (tables,) = db.execute("SELECT count(*) FROM sqlite_master").fetchone()
    db.execute("ROLLBACK")
    if application != APPLICATION_ID and (tables or version or application):
        raise JournalError(
            f"{path} is an SQLite file of another program, not an outagecast journal",
            hint=f"name another file: {_ELSEWHERE}",
        )
    if version > len(MIGRATIONS):
        raise JournalError(
            f"{path} was written by a newer outagecast (its format is {version}, this one knows {len(MIGRATIONS)})",
            hint="use the newer outagecast: pip install --upgrade outagecast",
        )
    return int(version)


def _use_wal(db: sqlite3.Connection) -> None:
    """Keep changes in a log beside the file; what is kept so already stays so."""
    end = time.monotonic() + _PATIENCE
    while True:
        try:
            db.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as err:
            # SQLite does not wait here when two change the mode of a new file at once, whatever time-out it has.
            if err.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > end:
                raise
            time.sleep(0.01)
        else:
            return


def _prepare(db: sqlite3.Connection) -> None:
    _use_wal(db)
    # FULL: a commit is on the disk before `begin` returns, so a power cut cannot un-write an attempt.
    db.execute("PRAGMA synchronous = FULL")
    db.execute("PRAGMA foreign_keys = ON")
    (version,) = db.execute("PRAGMA user_version").fetchone()
    if version != len(MIGRATIONS):
        _migrate(db)


def _migrate(db: sqlite3.Connection) -> None:
    """All in one transaction: killed in the middle, it is as it was."""
    db.execute("BEGIN IMMEDIATE")
    try:
        # Again inside the transaction: another process may have migrated it meanwhile.
        (version,) = db.execute("PRAGMA user_version").fetchone()
        for migration in MIGRATIONS[version:]:
            migration(db)
        db.execute(f"PRAGMA user_version = {len(MIGRATIONS)}")
        db.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        db.execute("COMMIT")
    except BaseException:
        # A signal may come just after the commit.
        if db.in_transaction:
            db.execute("ROLLBACK")
        raise


def _busy(err: Exception) -> bool:
    # Python's own errors of this module carry no code.
    code: int | None = getattr(err, "sqlite_errorcode", None)
    return code is not None and code & _PRIMARY in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}


def _unusable(path: Path, err: Exception) -> JournalError:
    if _busy(err):
        return JournalBusyError(
            f"another program is writing to the journal {path} and does not let go of it",
            hint=f"see which one it is: fuser -v {path}; when it has ended, type the same command again",
        )
    elsewhere = f"or keep the journal elsewhere: {_ELSEWHERE}"
    text = str(err)
    if isinstance(err, sqlite3.DatabaseError) and ("not a database" in text or "malformed" in text):
        from outagecast.journal.aside import damaged

        return damaged(path, text)
    if "full" in text or getattr(err, "errno", None) == 28:
        return JournalError(f"the journal {path} cannot be written: the disk is full", hint=f"free space, {elsewhere}")
    return JournalError(
        f"the journal {path} cannot be used: {text}", hint=f"make it writable: ls -ld {path.parent} {path}; {elsewhere}"
    )


def failed(err: sqlite3.Error, path: Path) -> JournalError:
    """The words for a statement that failed on an open journal (a full disk, mostly)."""
    return _unusable(path, err)
