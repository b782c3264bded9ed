"""Nothing beside the platforms may hold or confuse a command: no config, no lock, no signal, no missing stream."""

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
from outagecast.errors import JournalBusyError
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


# --- the config


def test_a_program_in_a_plain_key_is_that_channels_mistake_and_is_never_run(night: Night) -> None:
    email = night.email().replace("outages.status.example.net", '"${command:sleep 100}"')
    night.write_config(night.twitter() + night.facebook() + email)
    done = night.run(*POST, "--deadline", "20")
    assert done.code == 1
    assert "channels.email.list_id: ${command:…} is for secrets only" in done.channel("email")["posts"][0]["detail"]
    assert (len(night.tweets()), len(night.pages()), night.mails()) == (1, 1, [])


def test_a_program_outside_of_the_channels_is_a_mistake_of_the_whole_config(night: Night) -> None:
    night.config.write_text(night.config.read_text().replace("Example Hosting\n", '"${command:sleep 100}"\n', 1))
    error, _ = check_error(night.run(*POST))
    assert "organization: ${command:…} is for secrets only" in error
    assert nothing_is_out(night)


# --- the journal


HOLDER = """
import sqlite3, sys
db = sqlite3.connect(sys.argv[1], isolation_level=None)
db.execute(sys.argv[2])
print("held", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def held(night: Night) -> Iterator[Callable[[str], None]]:
    """Another program that has the journal's file and was then stopped, as by ^Z."""
    started: list[subprocess.Popen[bytes]] = []

    def hold(statement: str) -> None:
        command = [sys.executable, "-c", HOLDER, str(night.journal_path), statement]
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        started.append(process)
        assert process.stdout
        assert process.stdout.readline() == b"held\n"
        process.send_signal(signal.SIGSTOP)

    yield hold
    for process in started:
        process.kill()
        process.communicate()


def test_a_journal_that_another_program_holds_is_busy_and_not_broken(night: Night, held: Callable[[str], None]) -> None:
    with night.journal():
        pass
    held("BEGIN IMMEDIATE")
    began = time.monotonic()
    error, hint = check_error(night.run(*GOOD, "--deadline", "3"), code=75)
    assert time.monotonic() - began < 3 + 2
    assert str(night.journal_path) in error
    assert f"fuser -v {night.journal_path}" in hint
    assert "type the same command again" in hint
    assert nothing_is_out(night)


def test_a_new_journal_that_another_program_holds_altogether_is_busy_too(
    night: Night, held: Callable[[str], None]
) -> None:
    night.journal_path.parent.mkdir()
    held("BEGIN EXCLUSIVE")
    check_error(night.run(*GOOD), code=75)
    assert nothing_is_out(night)


def test_when_the_other_program_has_ended_the_same_command_succeeds(night: Night) -> None:
    with night.journal():
        pass
    other = sqlite3.connect(night.journal_path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    check_error(night.run(*GOOD), code=75)
    other.close()
    nothing_is_lost(night)


def test_the_status_can_be_seen_while_another_program_writes(night: Night, held: Callable[[str], None]) -> None:
    assert night.run(*POST).code == 0
    held("BEGIN IMMEDIATE")
    assert night.run("status", "--json").json["incidents"]


def test_a_link_to_a_journal_is_the_same_journal(tmp_path: Path) -> None:
    (tmp_path / "link.db").symlink_to(tmp_path / "journal.db")
    (tmp_path / "here").symlink_to(tmp_path)
    for other in ("link.db", "here/journal.db", "here/link.db"):
        with Lock(tmp_path / "journal.db").take("post", wait=0), pytest.raises(JournalBusyError):
            Lock(tmp_path / other).take("resume", wait=0)
        assert Lock(tmp_path / other).queue == Lock(tmp_path / "journal.db").queue


def test_a_link_that_leads_to_itself_is_told(night: Night) -> None:
    night.journal_path.parent.mkdir()
    night.journal_path.symlink_to(night.journal_path)
    for command in (GOOD, ("resume", "--watch", "--json")):
        error, _ = check_error(night.run(*command))
        assert str(night.journal_path) in error


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


# --- streams


def without(night: Night, streams: str, *argv: str) -> subprocess.CompletedProcess[bytes]:
    """Run a command from a shell that closes streams."""
    shell = ["sh", "-c", f'exec "$@" {streams}', "sh", sys.executable, "-c", RUN, *argv]
    env = os.environ | night.env
    return subprocess.run(shell, cwd=night.folder, env=env, capture_output=True, check=False, timeout=GUARD)


@pytest.mark.parametrize("streams", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_without_its_streams_a_post_goes_out_all_the_same(streams: str, tonight: Night) -> None:
    done = without(tonight, streams, *POST)
    assert done.returncode == 0, done.stderr.decode()
    assert b"Traceback" not in done.stderr
    assert tonight.out_everywhere()


def test_without_standard_input_there_is_no_message_on_it(tonight: Night) -> None:
    done = without(tonight, "<&-", "post", "--json")
    assert done.returncode == 2
    assert json.loads(done.stdout)["error"] == "the message on standard input is empty"


def test_no_file_gets_the_number_of_a_stream_that_is_missing(tonight: Night) -> None:
    show = "import os, sys; open('shown', 'w').write(' '.join(os.readlink(f'/proc/self/fd/{n}') for n in range(3)))"
    code = f"import sys\nfrom outagecast.cli.main import run\ntry: run()\nexcept SystemExit: pass\n{show}"
    shell = ["sh", "-c", 'exec "$@" <&- >&- 2>&-', "sh", sys.executable, "-c", code, "status"]
    subprocess.run(shell, cwd=tonight.folder, env=os.environ | tonight.env, check=True, timeout=GUARD)
    assert (tonight.folder / "shown").read_text() == "/dev/null /dev/null /dev/null"


def test_a_reader_who_has_gone_is_no_emergency(tonight: Night) -> None:
    """75 and not 1, which would call a person."""
    reader, writer = os.pipe()
    os.close(reader)
    with start(tonight, "status", stdout=writer) as process:
        os.close(writer)
        _, err = process.communicate(timeout=GUARD)
    assert (process.returncode, err) == (75, b"")


# --- what is typed


@pytest.mark.parametrize("seconds", ["nan", "NaN", "-nan", "inf", "-inf", "1e999"])
def test_a_deadline_that_never_comes_is_none(seconds: str, night: Night) -> None:
    error, hint = check_error(night.run(*GOOD, f"--deadline={seconds}"))
    assert "--deadline" in error
    assert hint == "outagecast post --help"
    assert not night.journal_path.exists()


@pytest.mark.parametrize(
    ("argv", "help_of"),
    [
        (("--json",), ""),
        (("psot", "--json", "fiber cut"), ""),
        (("post", "--json", "--no-such-option"), "post "),
        (("post", "--json", "two", "messages"), "post "),
        (("post", "--deadline", "soon", "--json", "fiber cut"), "post "),
        (("status", "--check=3", "--json"), "status "),
        (("settle", "--json"), "settle "),
        (("subscribers", "--json"), "subscribers "),
        (("subscribers", "add", "--json"), "subscribers "),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_a_mistake_in_the_typing_is_told_as_json_too(argv: tuple[str, ...], help_of: str, night: Night) -> None:
    _, hint = check_error(night.run(*argv))
    assert hint == f"outagecast {help_of}--help"
