"""One outagecast at a time on a journal: the others wait, or say who is at work, and nothing survives its holder."""

from __future__ import annotations

import os
import threading
import time
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from outagecast.errors import JournalBusyError, JournalError
from outagecast.journal import Lock
from outagecast.sandbox.faults import Fault, FaultKind
from tests.kill_kit import KILLED, POST, Struck
from tests.launcher import Launcher, Order

if TYPE_CHECKING:
    from collections.abc import Iterator

    from outagecast.sandbox.messages import Request


@pytest.fixture(scope="module")
def launchers() -> Iterator[tuple[Launcher, Launcher]]:
    with Launcher() as one, Launcher() as other:
        yield one, other


@pytest.fixture
def struck(tmp_path: Path, launchers: tuple[Launcher, Launcher]) -> Iterator[Struck]:
    with Struck(tmp_path, launchers[0]) as one:
        yield one


def order(struck: Struck, name: str, *argv: str) -> Order:
    """A command whose output goes into a folder of its own, so that another one may run beside it."""
    folder = struck.folder / name
    folder.mkdir()
    return Order(argv, struck.env | {"OUTAGECAST_CONFIG": str(struck.config)}, str(folder))


def test_two_that_post_the_same_at_once_both_succeed_and_everything_is_out_once(
    struck: Struck, launchers: tuple[Launcher, Launcher]
) -> None:
    orders = [order(struck, f"run-{number}", *POST) for number in range(2)]
    said = Path(orders[1].folder, "err")
    late = threading.Event()

    def until_the_other_waits(point: str, request: Request) -> None:
        """The first has its answer from X once the second has come and says that it waits."""
        if (point, request.method) != ("received", "POST") or late.is_set():
            return
        late.set()
        launchers[1].start(orders[1])
        end = time.monotonic() + 10
        while "waiting for it" not in said.read_text(encoding="utf-8") and time.monotonic() < end:
            time.sleep(0.01)

    struck.x.on_event = until_the_other_waits
    launchers[0].start(orders[0])
    first, second = (launcher.wait() for launcher in launchers)
    assert (first.code, second.code) == (0, 0)
    assert first.json["channels"] == second.json["channels"]
    assert "waiting for it" in second.err
    struck.check_public(most_letters=1)


def test_two_that_post_different_words_at_once_open_two_incidents(
    struck: Struck, launchers: tuple[Launcher, Launcher]
) -> None:
    struck.x.delay = timedelta(seconds=0.2)
    for words, launcher in zip(("fiber cut", "mail is down"), launchers, strict=True):
        launcher.start(order(struck, words, "post", "--json", words))
    said = [launcher.wait() for launcher in launchers]
    assert [one.code for one in said] == [0, 0]
    assert len({one.json["incident"]["key"] for one in said}) == 2
    assert struck.out_everywhere(2)


def test_who_waits_in_vain_is_told_whose_turn_it_is_and_exits_75(struck: Struck) -> None:
    struck.journal_path.parent.mkdir(mode=0o700)
    with Lock(struck.journal_path).take("sweep", wait=0):
        said = struck.command((*POST, "--deadline", "0.2"))
    assert said.code == 75
    assert said.json["schema"] == "outagecast.error/1"
    assert said.json["exit_code"] == 75
    assert f"outagecast sweep (process {os.getpid()})" in said.json["error"]
    assert said.json["hint"]
    assert struck.silent()
    assert not struck.planned()


def test_the_command_that_gave_up_waiting_succeeds_when_it_is_typed_again(struck: Struck) -> None:
    struck.journal_path.parent.mkdir(mode=0o700)
    with Lock(struck.journal_path).take("sweep", wait=0):
        assert struck.command((*POST, "--deadline", "0.1")).code == 75
    assert struck.command(POST).code == 0
    struck.check_public(most_letters=1)


def test_looking_at_the_status_needs_no_turn(struck: Struck) -> None:
    assert struck.command(POST).code == 0
    with Lock(struck.journal_path).take("sweep", wait=0):
        assert struck.command(("status", "--json")).code == 0


def test_the_lock_dies_with_its_process(struck: Struck, launchers: tuple[Launcher, Launcher]) -> None:
    struck.x.faults.add(Fault("POST /2/tweets", FaultKind.HANG))
    posted = threading.Event()
    struck.x.on_event = lambda *_: posted.set()
    launchers[0].start(order(struck, "held", *POST))
    assert posted.wait(20)
    with pytest.raises(JournalBusyError, match="outagecast post"):
        Lock(struck.journal_path).take("resume", wait=0)
    launchers[0].kill()
    assert launchers[0].wait().code == KILLED
    Lock(struck.journal_path).take("resume", wait=0).release()


def test_who_waited_for_one_that_is_killed_goes_on_at_once(
    struck: Struck, launchers: tuple[Launcher, Launcher]
) -> None:
    struck.x.faults.add(Fault("POST /2/tweets", FaultKind.HANG))
    posted = threading.Event()
    struck.x.on_event = lambda *_: posted.set()
    launchers[0].start(order(struck, "held", *POST))
    assert posted.wait(20)
    launchers[1].start(order(struck, "waiting", "resume", "--json", "--to", "facebook", "--to", "email"))
    launchers[0].kill()
    assert launchers[0].wait().code == KILLED
    assert launchers[1].wait().json["schema"] == "outagecast.status/1"
    assert len(struck.pages()) == 1
    assert sorted(set(struck.mails())) == sorted(struck.to)


# -- the lock itself -----------------------------------------------------------------------------------------------------


def test_a_second_lock_on_the_same_journal_names_the_first(tmp_path: Path) -> None:
    with (
        Lock(tmp_path / "journal.db").take("post", wait=0),
        pytest.raises(JournalBusyError, match=rf"outagecast post \(process {os.getpid()}\)") as caught,
    ):
        Lock(tmp_path / "journal.db").take("resume", wait=0)
    assert caught.value.hint


def test_whoever_waits_hears_of_it_once(tmp_path: Path) -> None:
    heard: list[str] = []
    with (
        Lock(tmp_path / "journal.db").take("post", wait=0),
        pytest.raises(JournalBusyError),
    ):
        Lock(tmp_path / "journal.db").take("resume", wait=0.2, waiting=heard.append)
    assert heard == [f"outagecast post (process {os.getpid()})"]


def test_a_lock_that_says_nothing_about_its_holder_still_holds(tmp_path: Path) -> None:
    with Lock(tmp_path / "journal.db").take("post", wait=0):
        (tmp_path / "journal.db.lock").write_bytes(b"\0")
        with pytest.raises(JournalBusyError, match="another outagecast"):
            Lock(tmp_path / "journal.db").take("resume", wait=0)


def test_a_lock_given_back_can_be_taken_and_its_file_stays(tmp_path: Path) -> None:
    Lock(tmp_path / "journal.db").take("post", wait=0).release()
    with Lock(tmp_path / "journal.db").take("resume", wait=0) as lock:
        assert lock.path.exists()
        assert lock.path.stat().st_mode & 0o777 == 0o600
    assert lock.path.exists()


def test_programs_that_a_run_starts_do_not_inherit_its_lock(tmp_path: Path) -> None:
    with Lock(tmp_path / "journal.db").take("post", wait=0) as lock:
        assert lock._fd is not None
        assert not os.get_inheritable(lock._fd)


def test_a_lock_that_cannot_be_opened_says_which_file_it_is(tmp_path: Path) -> None:
    (tmp_path / "journal.db.lock").mkdir()
    with pytest.raises(JournalError, match=r"journal\.db\.lock cannot be opened") as caught:
        Lock(tmp_path / "journal.db").take("post", wait=0)
    assert "ls -l" in caught.value.hint
