"""What a person at a terminal sees and is asked, in a real pseudo-terminal."""

from __future__ import annotations

import os
import pty
import re
import select
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest
from night import Night

from outagecast.deliver import SystemClock
from outagecast.sandbox.faults import Fault, FaultKind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


@pytest.fixture
def tonight(tmp_path: Path) -> Iterator[Night]:
    """With the machine's own clock, because the command runs in a process of its own."""
    with Night(tmp_path, clock=SystemClock()) as one:
        yield one


def in_terminal(night: Night, *argv: str, answer: str = "") -> tuple[int, str]:
    """Run a command in a terminal; type `answer` when it asks. Its exit code and all that was shown."""
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "outagecast", *argv, "--config", str(night.config)]
    env = {**os.environ, **night.env, "TERM": "xterm", "COLUMNS": "100"}
    with subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, env=env, close_fds=True) as process:
        os.close(theirs)
        shown = _watch(ours, answer)
        code = process.wait(timeout=30)
    os.close(ours)
    return code, shown.decode(errors="replace")


def _watch(terminal: int, answer: str) -> bytes:
    shown, until = b"", time.monotonic() + 60
    while time.monotonic() < until:
        ready, _, _ = select.select([terminal], [], [], 1)
        if not ready:
            continue
        try:
            chunk = os.read(terminal, 65536)
        except OSError:  # the other side has gone: that is how a pseudo-terminal ends
            break
        if not chunk:
            break
        shown += chunk
        if answer and b"[y/N]" in shown:
            os.write(terminal, answer.encode() + b"\n")
            answer = ""
    return shown


def test_one_incident_is_posted_without_a_question(tonight: Night):
    code, shown = in_terminal(tonight, "post", "fiber cut")
    assert code == 0, shown
    assert "[y/N]" not in shown
    assert "All out." in shown
    assert "\x1b[" in shown  # colours, since somebody looks


def test_a_second_incident_within_minutes_is_asked_about_and_no_sends_nothing(tonight: Night):
    in_terminal(tonight, "post", "fiber cut")
    code, shown = in_terminal(tonight, "post", "fiber cut, ETA 1h", answer="n")
    assert code == 2
    assert "Is this another incident?" in shown
    assert "280" in shown  # the preview, with its count
    assert len(tonight.tweets()) == 1


def test_yes_posts_the_second_one(tonight: Night):
    in_terminal(tonight, "post", "fiber cut")
    code, shown = in_terminal(tonight, "post", "mail is down", answer="y")
    assert code == 0, shown
    assert tonight.out_everywhere(2)


def test_with_the_yes_option_nobody_is_asked(tonight: Night):
    in_terminal(tonight, "post", "fiber cut")
    code, shown = in_terminal(tonight, "post", "mail is down", "--yes")
    assert code == 0, shown
    assert "[y/N]" not in shown


def test_whoever_waits_is_told_for_what(tonight: Night):
    tonight.graph.faults.add(Fault("POST /1001/feed", FaultKind.HANG))
    code, shown = in_terminal(tonight, "post", "fiber cut", "--deadline", "3")
    assert code == 75, shown
    assert "facebook: at work" in re.sub(r"\x1b\[[0-9;]*m", "", shown)
    assert "outagecast resume" in shown


def test_ctrl_c_ends_it_with_a_report_and_resume_finishes_it(tonight: Night):
    tonight.graph.faults.add(Fault("POST /1001/feed", FaultKind.HANG))
    command = [sys.executable, "-m", "outagecast", "post", "fiber cut", "--config", str(tonight.config)]
    with subprocess.Popen(
        command, env={**os.environ, **tonight.env}, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        _until(lambda: tonight.tweets() and len(tonight.mails()) == 2 and _asked_facebook(tonight))
        process.terminate()
        out, err = process.communicate(timeout=30)
    assert process.returncode == 75, err.decode()
    assert "interrupted" in err.decode()
    assert "in-doubt" in out.decode()
    assert len(tonight.tweets()) == 1


def _asked_facebook(night: Night) -> bool:
    return any(request.path.endswith("/feed") for request in night.graph.log)


def _until(met: Callable[[], object]) -> None:
    until = time.monotonic() + 20
    while not met():
        assert time.monotonic() < until, "it never came to that"
        time.sleep(0.02)


@pytest.mark.parametrize("redirection", ["| true", ">/dev/full", ">&-"])
@pytest.mark.parametrize("more", ["", "--json"])
def test_an_output_that_cannot_be_written_changes_nothing_of_what_was_done(tonight: Night, redirection: str, more: str):
    tool = f"{sys.executable} -m outagecast post 'fiber cut' {more} --config {tonight.config}"
    script = f"set -o pipefail; {tool} {redirection}"
    done = subprocess.run(
        ["bash", "-c", script], env={**os.environ, **tonight.env}, capture_output=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr.decode()
    assert b"Traceback" not in done.stderr
    assert tonight.out_everywhere()


@pytest.mark.parametrize("encoding", ["latin-1", "ascii"])
@pytest.mark.parametrize("command", [("post", "fiber cut"), ("post", "--dry-run", "fiber cut"), ("drill",)])
def test_a_terminal_that_lacks_our_marks_gets_escapes(tonight: Night, encoding: str, command: tuple[str, ...]):
    argv = [sys.executable, "-m", "outagecast", *command, "--config", str(tonight.config)]
    env = {**os.environ, **tonight.env, "PYTHONIOENCODING": encoding}
    done = subprocess.run(argv, env=env, capture_output=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr.decode(errors="replace")
    assert b"fiber cut" in done.stdout
