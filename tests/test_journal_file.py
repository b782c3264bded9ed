"""The journal's file: what is refused and left alone, what is on the disk when, and a disk that is full."""

from __future__ import annotations

import os
import resource
import sqlite3
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from outagecast.errors import JournalError
from outagecast.journal import Journal, Scope
from outagecast.journal.schema import APPLICATION_ID, MIGRATIONS
from outagecast.model import PostState
from tests.journal_kit import Hand, letters, news, posts, states

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

EVERYTHING = Scope()


@pytest.fixture
def clock() -> Hand:
    return Hand()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "journal.db"


@pytest.fixture
def journal(path: Path, clock: Hand) -> Iterator[Journal]:
    with Journal(path, clock.now) as one:
        yield one


# -- opening -------------------------------------------------------------------------------------------------------------


def test_a_new_journal_can_be_read_by_its_owner_alone(path: Path, journal: Journal) -> None:
    journal.plan(news(), [posts("a")])
    files = list(path.parent.iterdir())
    assert {file.name for file in files} >= {"journal.db", "journal.db-wal"}
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert {file.stat().st_mode & 0o777 for file in files} == {0o600}


def test_a_folder_that_is_there_keeps_its_mode(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    Journal(tmp_path / "journal.db", Hand().now).close()
    assert tmp_path.stat().st_mode & 0o777 == 0o755


def test_a_journal_is_marked_as_ours_with_its_version(path: Path, journal: Journal) -> None:
    db = sqlite3.connect(path)
    assert db.execute("PRAGMA application_id").fetchone() == (APPLICATION_ID,)
    assert db.execute("PRAGMA user_version").fetchone() == (len(MIGRATIONS),)
    db.close()


def test_what_was_planned_is_there_when_it_is_opened_again(path: Path, clock: Hand) -> None:
    with Journal(path, clock.now) as journal:
        planned = journal.plan(news(), [posts("a", "b"), letters("ann@example.org")])
    with Journal(path, clock.now) as journal:
        assert journal.announcement(planned).news == news()
        assert [task.post.text for task in journal.tasks(EVERYTHING)] == ["a", "b"]
        assert [task.post.to for task in journal.letters(EVERYTHING, PostState.PLANNED, 9)] == ["ann@example.org"]


def test_an_empty_file_becomes_a_journal(tmp_path: Path) -> None:
    (tmp_path / "journal.db").touch()
    with Journal(tmp_path / "journal.db", Hand().now) as journal:
        assert journal.incidents() == []


def test_many_that_open_a_new_journal_at_once_all_get_it(tmp_path: Path) -> None:
    for number in range(20):
        at_once = threading.Barrier(6)

        def opened(at_once: threading.Barrier = at_once, path: Path = tmp_path / f"{number}.db") -> int:
            at_once.wait(10)
            with Journal(path, Hand().now) as journal:
                return len(journal.incidents())

        with ThreadPoolExecutor(6) as pool:
            assert [future.result() for future in [pool.submit(opened) for _ in range(6)]] == [0] * 6


def refusal(path: Path) -> JournalError:
    """How opening `path` is refused; whatever is there stays as it is."""
    before = path.read_bytes() if path.is_file() else None
    with pytest.raises(JournalError) as caught:
        Journal(path, Hand().now)
    assert before is None or path.read_bytes() == before
    assert str(path) in caught.value.text
    assert caught.value.hint
    return caught.value


@pytest.mark.parametrize("version", range(1, len(MIGRATIONS)))
def test_a_journal_of_any_older_version_is_brought_up_to_date_and_keeps_what_it_had(path: Path, version: int) -> None:
    path.parent.mkdir()
    with sqlite3.connect(path, isolation_level=None) as old:
        for migration in MIGRATIONS[:version]:
            migration(old)
        old.execute(f"PRAGMA user_version = {version}")
        old.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        old.execute(
            "INSERT INTO incident VALUES (1, 'kept', 'a title', 'open', '2026-11-22T14:05:00.000Z', NULL, NULL)"
        )
    old.close()
    fresh = path.with_name("fresh.db")
    with Journal(path, Hand().now) as migrated, Journal(fresh, Hand().now) as made:
        assert [incident.key for incident in migrated.incidents()] == ["kept"]
        with migrated.reading() as left, made.reading() as right:
            shape = "SELECT type, name, sql FROM sqlite_master ORDER BY name"
            assert [tuple(row) for row in left.execute(shape)] == [tuple(row) for row in right.execute(shape)]
            assert left.execute("PRAGMA user_version").fetchone()[0] == len(MIGRATIONS)


def test_another_program_s_database_is_refused_and_not_touched(tmp_path: Path) -> None:
    db = sqlite3.connect(tmp_path / "other.db")
    db.execute("CREATE TABLE incident (id INTEGER PRIMARY KEY)")
    db.close()
    assert "another program" in refusal(tmp_path / "other.db").text


def test_an_empty_database_of_another_program_is_refused(tmp_path: Path) -> None:
    db = sqlite3.connect(tmp_path / "other.db")
    db.execute("PRAGMA application_id = 4711")
    db.execute("VACUUM")
    db.close()
    assert "another program" in refusal(tmp_path / "other.db").text


def test_a_journal_of_a_newer_outagecast_is_refused_and_not_touched(path: Path) -> None:
    Journal(path, Hand().now).close()
    db = sqlite3.connect(path)
    db.execute(f"PRAGMA user_version = {len(MIGRATIONS) + 1}")
    db.close()
    assert "newer outagecast" in refusal(path).text


def test_a_file_that_is_no_database_is_refused_and_not_touched(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("buy milk\n" * 1000, encoding="utf-8")
    assert "damaged or not a journal" in refusal(tmp_path / "notes.txt").text


def test_a_journal_with_a_damaged_first_page_is_refused(path: Path) -> None:
    Journal(path, Hand().now).close()
    content = path.read_bytes()
    path.write_bytes(content[:100] + b"\xa5" * 3000 + content[3100:])
    assert "damaged" in refusal(path).text


def test_a_journal_that_is_cut_short_says_so_at_the_latest_when_it_is_read(path: Path) -> None:
    with Journal(path, Hand().now) as journal:
        journal.plan(news(), [posts(*(f"{number} " * 200 for number in range(20)))])
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2 // 4096 * 4096])
    with pytest.raises(JournalError, match="damaged") as caught, Journal(path, Hand().now) as journal:
        journal.tasks(EVERYTHING)
    assert "mv" in caught.value.hint


def test_a_folder_in_its_place_is_refused(tmp_path: Path) -> None:
    assert "cannot be used" in refusal(tmp_path).text


def test_a_journal_under_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "state").touch()
    assert "cannot be used" in refusal(tmp_path / "state" / "journal.db").text


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_cannot_be_written_to_is_named(path: Path) -> None:
    path.parent.mkdir(mode=0o500)
    assert "ls -ld" in refusal(path).hint


def test_a_missing_journal_is_not_made_by_reading(path: Path) -> None:
    with pytest.raises(JournalError):
        Journal(path, Hand().now, readonly=True)
    assert not path.exists()


# -- a disk that is full ---------------------------------------------------------------------------------------------------


def fill(journal: Journal) -> None:
    """No page more fits on the disk, as far as SQLite knows."""
    with journal.reading() as db:
        (pages,) = db.execute("PRAGMA page_count").fetchone()
        db.execute(f"PRAGMA max_page_count = {pages}")


@contextmanager
def no_byte_more(path: Path) -> Iterator[None]:
    """The system lets no file grow beyond what this one has; the quota of a user whose home is full."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (path.stat().st_size, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)


def test_on_a_full_disk_nothing_is_planned_and_the_error_says_why(journal: Journal) -> None:
    fill(journal)
    with pytest.raises(JournalError, match="the disk is full") as caught:
        journal.plan(news(), [posts(*("long " * 200 for _ in range(40)))])
    assert "OUTAGECAST_JOURNAL" in caught.value.hint
    assert journal.incidents() == []


def test_once_there_is_space_again_the_same_journal_goes_on(journal: Journal) -> None:
    fill(journal)
    with pytest.raises(JournalError):
        journal.plan(news(), [posts(*("long " * 200 for _ in range(40)))])
    with journal.reading() as db:
        db.execute("PRAGMA max_page_count = 100000")
    journal.plan(news(), [posts("a")])
    assert states(journal) == ["planned"]


def test_a_commit_that_the_system_does_not_take_changes_nothing(journal: Journal, path: Path) -> None:
    journal.plan(news(), [posts("a")])
    with no_byte_more(path.with_name("journal.db-wal")), pytest.raises(JournalError, match="cannot be"):
        journal.begin(1, None)
    assert states(journal) == ["planned"]
    journal.begin(1, None)
    assert states(journal) == ["sending"]


# -- what is on the disk ---------------------------------------------------------------------------------------------------


def synchronous(journal: Journal) -> int:
    with journal.reading() as db:
        return int(db.execute("PRAGMA synchronous").fetchone()[0])


def test_a_post_is_begun_on_the_disk(journal: Journal) -> None:
    journal.plan(news(), [posts("a"), letters("ann@example.org")])
    journal.begin_block([2])
    journal.begin_letter(2)
    journal.begin(1, None)
    with journal.reading() as db:
        assert db.execute("PRAGMA journal_mode").fetchone()[0] == "wal"
    assert synchronous(journal) == 2


def test_single_letters_are_written_at_once_and_synced_later(journal: Journal) -> None:
    journal.plan(news(), [letters("ann@example.org")])
    journal.begin_block([1])
    assert synchronous(journal) == 2
    journal.begin_letter(1)
    assert synchronous(journal) == 1


def test_another_process_sees_a_begun_post_before_it_is_sent(journal: Journal, path: Path) -> None:
    journal.plan(news(), [posts("a")])
    journal.begin(1, None)
    other = sqlite3.connect(path)
    assert other.execute("SELECT state FROM post").fetchall() == [("sending",)]
    other.close()


def test_a_backup_can_be_taken_while_a_run_is_writing(journal: Journal, path: Path, tmp_path: Path) -> None:
    journal.plan(news(), [posts("a")])
    journal.begin(1, None)
    copy = tmp_path / "copy.db"
    with journal.writing() as db:
        db.execute("UPDATE post SET state = 'sent'")
        source, target = sqlite3.connect(path), sqlite3.connect(copy)
        source.backup(target)
        source.close()
        target.close()
    with Journal(copy, Hand().now) as restored:
        restored.recover()
        assert states(restored) == ["in-doubt"]
    assert states(journal) == ["sent"]
