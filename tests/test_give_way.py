"""Two at once: who waits patiently for the network gives way to whoever has something to say."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from night import Night

from outagecast.deliver import SystemClock
from outagecast.journal import Lock
from outagecast.sandbox.faults import Fault, FaultKind, never_arrived

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


COMMENTS = r"GET /v\d+\.\d+/[0-9_]+/comments"


@pytest.fixture
def tonight(tmp_path: Path) -> Iterator[Night]:
    with Night(tmp_path, clock=SystemClock()) as one:
        yield one


def start(night: Night, *argv: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "outagecast", *argv, "--config", str(night.config)]
    return subprocess.Popen(command, env={**os.environ, **night.env}, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def until(met: Callable[[], object]) -> None:
    end = time.monotonic() + 30
    while not met():
        assert time.monotonic() < end, "it never came to that"
        time.sleep(0.02)


def busy(night: Night, command: str) -> bool:
    lock = night.journal_path.with_name(night.journal_path.name + ".lock")
    return lock.exists() and f'"{command}"' in lock.read_text()


def at_work(night: Night, process: subprocess.Popen[bytes]) -> bool:
    """It has the journal, and a channel's thread is running."""
    return busy(night, "resume") and len(list(Path(f"/proc/{process.pid}/task").iterdir())) > 1


@pytest.fixture
def doubted(tonight: Night) -> Night:
    """X took the connection and gave no answer: for a minute nobody believes that the post is not out."""
    tonight.x.faults.add(never_arrived("POST /2/tweets"))
    assert tonight.run("post", "fiber cut", "--deadline", "2").code == 75
    return tonight


def test_a_watching_resume_gives_way_to_a_post_and_goes_on_afterwards(doubted: Night):
    with start(doubted, "resume", "--watch") as watching:
        try:
            until(lambda: at_work(doubted, watching))
            # Without giving way the watcher would sit on the journal for the rest of the minute.
            said = doubted.run("post", "mail is down", "--deadline", "12", "--json")
            assert said.code == 0, said.out + said.err
            assert watching.poll() is None
        finally:
            watching.send_signal(signal.SIGTERM)
            watching.communicate(timeout=30)
    assert sum("mail is down" in text for text in doubted.tweets()) == 1


def test_a_watching_resume_ends_at_one_interrupt_with_its_report(doubted: Night):
    with start(doubted, "resume", "--watch") as watching:
        until(lambda: at_work(doubted, watching))
        watching.send_signal(signal.SIGINT)
        out, _ = watching.communicate(timeout=30)
    assert watching.returncode == 75
    assert b"twitter" in out


@pytest.mark.parametrize("sweeps", [("sweep",), ("sweep", "--watch"), ("update", "digging"), ("resume",)], ids=" ".join)
def test_an_announcement_goes_out_at_once_whatever_a_sweep_hangs_in(tonight: Night, sweeps: tuple[str, ...]):
    assert tonight.run("post", "fiber cut").code == 0
    # The first look of an update's own post is part of that update; what hangs is the sweep behind it.
    tonight.graph.faults.add(Fault(COMMENTS, FaultKind.HANG, skip=sweeps[0] == "update", times=1))
    asked, hangs = len(tonight.graph.log), threading.Event()
    needed = 1 + (sweeps[0] == "update")
    tonight.graph.on_event = lambda *_: looks(tonight, asked) < needed or hangs.set()
    before = len(tonight.tweets()) + (sweeps[0] == "update")
    with start(tonight, *sweeps, "--deadline", "25") as sweeping:
        assert hangs.wait(30)
        begun = time.monotonic()
        said = tonight.run("post", "mail is down", "--json", "--deadline", "10")
        assert said.code == 0, said.out + said.err
        assert time.monotonic() - begun < 5, "Facebook answers after 20 seconds"
        assert len(tonight.tweets()) == before + 1
        if "--watch" in sweeps:
            sweeping.send_signal(signal.SIGTERM)
        out, err = sweeping.communicate(timeout=30)
    assert tonight.run("status", "--check").code == 0, "and nothing is called open because somebody had news"
    assert sweeping.returncode == 0 or "--watch" in sweeps, out + err
    if sweeps[0] in {"update", "resume"}:
        assert b"1 (another outagecast was waiting)" in b" ".join(err.split())


def looks(night: Night, since: int) -> int:
    return sum(request.path.endswith("/comments") for request in list(night.graph.log)[since:])


def test_two_that_sweep_do_not_give_way_to_each_other(tmp_path: Path):
    journal = tmp_path / "journal.db"
    with Lock(journal).take("sweep", wait=0) as held:
        waiting = threading.Event()
        other = threading.Thread(
            target=lambda: Lock(journal).take("sweep", wait=30, waiting=lambda _: waiting.set(), urgent=False).release()
        )
        other.start()
        assert waiting.wait(30)
        assert not any(held.wanted() for _ in range(1000))
    other.join(30)
    assert not other.is_alive()
