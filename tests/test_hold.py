"""Nothing beside the platforms may hold or confuse a command: no config, no other program, no missing stream."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest
from bad_kit import GOOD, check_error, nothing_is_lost, nothing_is_out
from night import Night

from outagecast.deliver import SystemClock
from outagecast.errors import JournalBusyError
from outagecast.journal import Lock

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

RUN = "from outagecast.cli.main import run; run()"
POST = ("post", "--json", "fiber cut")
GUARD = 30.0
"""Seconds after which a test says that a command hangs; no measure of how fast it is."""


@pytest.fixture
def tonight(tmp_path: Path) -> Iterator[Night]:
    """With the machine's own clock, because the command runs in a process of its own."""
    with Night(tmp_path, clock=SystemClock()) as one:
        yield one


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
