"""SIGINT and SIGTERM: whenever they come, a command ends with what it has to say, once, and with an exit code."""

from __future__ import annotations

import fcntl
import functools
import io
import json
import os
import select
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from bad_kit import GOOD, check_error, nothing_is_lost, nothing_is_out
from night import Night

from outagecast.cli.interrupts import Interrupts
from outagecast.cli.main import main
from outagecast.cli.surroundings import Surroundings
from outagecast.deliver import SystemClock
from outagecast.journal import Lock
from outagecast.sandbox.faults import Fault, FaultKind, When

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

RUN = "from outagecast.cli.main import run; run()"
POST = ("post", "--json", "fiber cut")
GUARD = 30.0
"""Seconds after which a test says that a command hangs; no measure of how fast it is."""


@pytest.fixture
def tonight(tmp_path: Path) -> Iterator[Night]:
    """With the machine's own clock, because the command runs in a process of its own."""
    with Night(tmp_path, clock=SystemClock()) as one:
        yield one


def start(night: Night, *argv: str, code: str = RUN, stdout: int = subprocess.PIPE) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-c", code, *argv],
        cwd=night.folder,
        env=os.environ | night.env,
        stdin=subprocess.DEVNULL,
        stdout=stdout,
        stderr=subprocess.PIPE,
    )


def until(met: Callable[[], object]) -> None:
    end = time.monotonic() + GUARD
    while not met():
        assert time.monotonic() < end, "it never came to that"
        time.sleep(0.005)


# --- signals, to processes of their own


def answers_signals(process: subprocess.Popen[bytes]) -> bool:
    """Python has begun to run our code: before that, a signal ends a process that has done nothing."""
    status = Path(f"/proc/{process.pid}/status").read_text(encoding="ascii")
    caught = next(line.split()[1] for line in status.splitlines() if line.startswith("SigCgt"))
    return bool(int(caught, 16) >> (signal.SIGTERM - 1) & 1)


def interrupted(process: subprocess.Popen[bytes]) -> dict[str, Any]:
    """How it ended is what every interrupted command says, once; the error."""
    out, err = process.communicate(timeout=GUARD)
    assert process.returncode == 75, err.decode()
    assert b"Traceback" not in err
    error: dict[str, Any] = json.loads(out)
    assert (error["schema"], error["exit_code"]) == ("outagecast.error/1", 75)
    assert error["error"].startswith("interrupted: nothing of this command was lost")
    assert "the same command again" in error["hint"]
    assert "interrupted" in err.decode()
    return error


@pytest.fixture
def waiting(tonight: Night) -> Iterator[Callable[[], subprocess.Popen[bytes]]]:
    """Starts a post that waits for its turn, and comes back when it waits."""
    with tonight.journal(), Lock(tonight.journal_path).take("sweep", wait=0):

        def one() -> subprocess.Popen[bytes]:
            process = start(tonight, *POST)
            assert process.stderr
            assert b"waiting for it" in process.stderr.readline()
            return process

        yield one


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_whoever_waits_for_the_journal_can_be_interrupted_and_says_so(
    number: signal.Signals, tonight: Night, waiting: Callable[[], subprocess.Popen[bytes]]
) -> None:
    process = waiting()
    process.send_signal(number)
    interrupted(process)
    assert nothing_is_out(tonight)


@pytest.mark.parametrize("apart", [0.0, 0.02, 0.05])
def test_two_signals_at_once_are_one(apart: float, waiting: Callable[[], subprocess.Popen[bytes]]) -> None:
    process = waiting()
    process.send_signal(signal.SIGINT)
    time.sleep(apart)
    process.send_signal(signal.SIGTERM)
    interrupted(process)


@pytest.mark.parametrize("pause", [0.0, 0.05, 0.15])
def test_a_signal_while_it_starts_ends_it_before_anything_is_written(pause: float, tonight: Night) -> None:
    tonight.write_config(tonight.twitter())
    tonight.x.faults.add(Fault("POST /2/tweets", FaultKind.HANG, When.BEFORE, times=9))
    process = start(tonight, *POST, code=f"import time\n{SLOW_START}\n{RUN}")
    until(lambda: answers_signals(process))
    time.sleep(pause)
    process.send_signal(signal.SIGINT)
    process.send_signal(signal.SIGTERM)
    interrupted(process)
    assert not tonight.journal_path.exists()


SLOW_START = """
import sys
class Finder:
    def find_spec(self, name, path, target=None):
        if name == "outagecast.cli.post":
            time.sleep(0.4)
sys.meta_path.insert(0, Finder())
"""
"""A disk that is slow to give the command's code, so that the signal comes in time on any machine."""


def test_however_many_signals_come_there_is_one_report_and_it_is_whole(tonight: Night) -> None:
    tonight.x.faults.add(Fault("POST /2/tweets", FaultKind.HANG, When.BEFORE))
    process = start(tonight, *POST, "--to", "twitter")
    until(lambda: any(request.path.endswith("/tweets") for request in tonight.x.log))
    for pause in (0.0, 0.05, 0.4, 0.05, 0.05):
        time.sleep(pause)
        process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=GUARD)
    assert process.returncode == 75, err.decode()
    assert json.loads(out)["outcome"] == "in-doubt"
    assert b"Traceback" not in err


def test_who_was_started_to_ignore_the_interrupt_key_goes_on_ignoring_it(
    tonight: Night, waiting: Callable[[], subprocess.Popen[bytes]]
) -> None:
    code = f"import signal; signal.signal(signal.SIGINT, signal.SIG_IGN); {RUN}"
    process = start(tonight, *POST, "--deadline", "1", code=code)
    assert process.stderr
    assert b"waiting for it" in process.stderr.readline()
    process.send_signal(signal.SIGINT)
    out, _ = process.communicate(timeout=GUARD)
    assert b"is using the journal" in out


def test_a_result_that_nobody_reads_does_not_make_a_command_immortal(tonight: Night) -> None:
    reader, writer = os.pipe()
    fcntl.fcntl(writer, fcntl.F_SETFL, os.O_NONBLOCK)
    while select.select([], [writer], [], 0)[1]:
        os.write(writer, b"x" * 4096)
    fcntl.fcntl(writer, fcntl.F_SETFL, 0)
    code = f"import outagecast.cli.interrupts as it; it._STUCK = 0.1; {RUN}"
    with start(tonight, "channels", "--json", code=code, stdout=writer) as process:
        until(lambda: answers_signals(process))
        end = time.monotonic() + GUARD
        while process.poll() is None and time.monotonic() < end:
            process.terminate()
            time.sleep(0.05)
        process.kill()
    os.close(reader)
    os.close(writer)
    assert process.returncode == 75


# --- signals, one at a time


@pytest.fixture
def moments() -> list[float]:
    """The clock of the signals: its last entry is now."""
    return [0.0]


@pytest.fixture
def interrupts(moments: list[float]) -> Iterator[Interrupts]:
    """Ours, caught in this process; whatever was caught before is again afterwards."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    one = Interrupts(lambda: moments[-1])
    one.catch()
    yield one
    for number, handler in before.items():
        signal.signal(number, handler)


def test_a_signal_that_came_too_early_is_not_forgotten(interrupts: Interrupts) -> None:
    signal.raise_signal(signal.SIGTERM)
    with pytest.raises(KeyboardInterrupt):
        interrupts.admit()
    interrupts.admit()


def test_a_second_signal_at_once_is_the_first_one_again_and_a_later_one_is_not(
    interrupts: Interrupts, moments: list[float]
) -> None:
    interrupts.admit()
    with pytest.raises(KeyboardInterrupt):
        signal.raise_signal(signal.SIGINT)
    moments.append(0.1)
    signal.raise_signal(signal.SIGINT)
    moments.append(0.3)
    with pytest.raises(KeyboardInterrupt):
        signal.raise_signal(signal.SIGINT)


class Hasty(sqlite3.Connection):
    """A signal comes just after each commit."""

    def execute(self, sql: str, *values: Any) -> sqlite3.Cursor:
        cursor = super().execute(sql, *values)
        if sql == "COMMIT":
            raise KeyboardInterrupt
        return cursor


def test_a_signal_just_after_the_journal_was_made_is_an_interrupt_and_nothing_else(
    night: Night, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite3, "connect", functools.partial(sqlite3.connect, factory=Hasty))
    error, _ = check_error(night.run(*GOOD), code=75)
    assert error.startswith("interrupted")
    monkeypatch.undo()
    nothing_is_lost(night)


class Struck(io.BytesIO):
    """A standard output during which a signal comes, at each write."""

    def write(self, raw: Any) -> int:
        signal.raise_signal(signal.SIGINT)
        return super().write(raw)


@pytest.mark.parametrize("argv", [POST, ("status", "--json"), ("post", "--json", "--eta", "soon", "x"), ("channels",)])
def test_a_signal_while_the_result_is_printed_changes_nothing(
    argv: Sequence[str], night: Night, interrupts: Interrupts
) -> None:
    raw, err = Struck(), io.BytesIO()
    around = Surroundings(
        env=night.env,
        cwd=night.folder,
        clock=night.clock,
        stdin=io.TextIOWrapper(io.BytesIO()),
        stdout=io.TextIOWrapper(raw, encoding="utf-8"),
        stderr=io.TextIOWrapper(err, encoding="utf-8"),
        interrupts=interrupts,
    )
    code = main(argv, around)
    assert code == (2 if "--eta" in argv else 0)
    assert "--json" not in argv or code == json.loads(raw.getvalue())["exit_code"]
    assert raw.getvalue()
    assert b"interrupted" not in err.getvalue()
