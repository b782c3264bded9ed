"""A journal that cannot be used, a disk that is full, two commands at once: told in words, and nothing is lost."""

from __future__ import annotations

import os
import resource
import sqlite3
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from bad_kit import GOOD, check_error, nothing_is_lost, nothing_is_out

from outagecast.journal import Journal, Lock

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from night import Night


def _corrupted(night: Night) -> None:
    night.journal_path.write_bytes(b"this is no database " * 200)


def _foreign(night: Night) -> None:
    db = sqlite3.connect(night.journal_path)
    db.execute("CREATE TABLE bookmarks (url TEXT)")
    db.close()


def _newer(night: Night) -> None:
    with night.journal():
        pass
    db = sqlite3.connect(night.journal_path)
    db.execute("PRAGMA user_version = 99")
    db.close()


def _folder(night: Night) -> None:
    night.journal_path.mkdir()


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [(_corrupted, "damaged"), (_foreign, "another program"), (_newer, "newer outagecast"), (_folder, "cannot be used")],
)
def test_a_journal_that_cannot_be_used_is_an_error_before_anything_goes_out(
    spoil: Callable[[Night], None], reason: str, night: Night
) -> None:
    night.journal_path.parent.mkdir()
    spoil(night)
    error, _ = check_error(night.run(*GOOD))
    assert reason in error
    assert str(night.journal_path) in error
    assert nothing_is_out(night)


@pytest.mark.parametrize("spoil", [_corrupted, _foreign, _newer])
def test_a_file_that_is_not_ours_is_left_as_it_is(spoil: Callable[[Night], None], night: Night) -> None:
    night.journal_path.parent.mkdir()
    spoil(night)
    before = night.journal_path.read_bytes()
    for command in (GOOD, ("status", "--json"), ("resume", "--json"), (*GOOD, "--dry-run")):
        assert night.run(*command).code == 2
    assert night.journal_path.read_bytes() == before


def test_a_journal_where_no_folder_can_be_is_an_error(night: Night) -> None:
    night.write_config(top="")
    (night.folder / "state").write_text("a file where the folder should be", encoding="utf-8")
    check_error(night.run(*GOOD))
    (night.folder / "state").unlink()
    nothing_is_lost(night)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_may_not_be_written_to_is_an_error(night: Night) -> None:
    night.journal_path.parent.mkdir(mode=0o500)
    check_error(night.run(*GOOD))


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="a system without /proc")
def test_a_place_where_not_even_root_may_write_is_an_error(night: Night) -> None:
    night.journal_path = Path("/proc/outagecast/journal.db")
    night.write_config()
    error, hint = check_error(night.run(*GOOD))
    assert "/proc/outagecast/journal.db" in error
    assert "OUTAGECAST_JOURNAL" in hint
    assert nothing_is_out(night)


@pytest.fixture
def small_disk(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """SQLite takes the disk for full once the file would grow: the very error that a full disk gives."""
    connect = sqlite3.connect

    def full(*given: object, **more: object) -> sqlite3.Connection:
        db: sqlite3.Connection = connect(*given, **more)  # type: ignore[call-overload]  passed on as they came
        pages = db.execute("PRAGMA page_count").fetchone()[0]
        db.execute(f"PRAGMA max_page_count = {max(1, pages)}")
        return db

    monkeypatch.setattr(sqlite3, "connect", full)
    yield
    monkeypatch.undo()


def test_a_full_disk_is_an_error_before_anything_goes_out(night: Night, small_disk: None) -> None:
    error, hint = check_error(night.run(*GOOD))
    assert "the disk is full" in error
    assert "free space" in hint
    assert nothing_is_out(night)


@pytest.fixture
def file_sizes() -> Iterator[Callable[[int], None]]:
    """Sets how large this process may let files grow; whatever happens, the limit is gone afterwards."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    yield lambda size: resource.setrlimit(resource.RLIMIT_FSIZE, (size or soft, hard))
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_disk_that_fills_up_while_a_post_goes_out_loses_and_doubles_nothing(
    night: Night, file_sizes: Callable[[int], None]
) -> None:
    """The receipt cannot be written down: that is said, with where the post is, and the next run finds it."""
    assert night.run("status").code == 0
    night.x.on_event = lambda point, _: file_sizes(1) if point == "committed" else None
    done = night.run("post", "--to", "twitter", "fiber cut")
    night.x.on_event = None
    file_sizes(0)
    assert done.code != 0
    assert "is out" in done.err
    assert "outagecast resume" in done.err
    assert "Traceback" not in done.err
    assert len(night.tweets()) == 1
    assert night.run("resume").code == 0
    assert len(night.tweets()) == 1


# --- two commands at once


def test_while_another_command_is_at_work_this_one_waits_and_then_says_who_it_is(night: Night) -> None:
    with night.journal():
        pass
    began = time.monotonic()
    with Lock(night.journal_path).take("post", wait=0):
        done = night.run(*GOOD, "--deadline", "0.3")
    error, _ = check_error(done, code=75)
    assert f"outagecast post (process {os.getpid()})" in error
    assert time.monotonic() - began < 5
    nothing_is_lost(night)


def test_reading_needs_no_turn(night: Night) -> None:
    night.run(*GOOD)
    with Lock(night.journal_path).take("post", wait=0):
        assert night.run("status", "--json").code == 0
        assert night.run("post", "--dry-run", "--json", "power is out").code == 0


def test_a_lock_left_by_a_process_that_died_is_no_lock(night: Night) -> None:
    with Journal(night.journal_path, night.clock.now):
        Lock(night.journal_path).path.write_text('{"pid": 1, "command": "post"}', encoding="utf-8")
    assert night.run(*GOOD).code == 0
