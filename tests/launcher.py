"""Runs outagecast in processes of their own: with a clock that is ahead, and killed at a commit if a test wants that.

`python -m tests.launcher` is an interpreter that has everything imported and forks for each order it reads: the child
is a process like any other, with a file, sockets and threads of its own that die with it, and is there ten times as
fast. Nothing in outagecast knows of this.
"""

from __future__ import annotations

import functools
import gc
import importlib
import json
import os
import pkgutil
import signal
import sqlite3
import subprocess
import sys
import threading
import traceback
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from outagecast.deliver.clock import SystemClock

if TYPE_CHECKING:
    from collections.abc import Mapping

ROOT = Path(__file__).resolve().parent.parent
_BESIDES = ("outagecast.screen", "facebook", "jinja2.sandbox", "zoneinfo", "encodings.utf_8_sig")
"""What commands import besides their own modules and those of the channels."""


@dataclass(frozen=True)
class Order:
    """One command to run. `commit` counts from 1; 0: it is not killed at a commit."""

    argv: tuple[str, ...]
    env: Mapping[str, str]
    folder: str
    """Its working directory; what it says is left there in the files `out`, `err` and `commits`."""
    ahead: float = 0
    """Seconds that its clock is ahead of the machine's."""
    commit: int = 0
    after: bool = False
    """Killed just after that commit instead of just before it."""


@dataclass(frozen=True)
class Said:
    """What a command left behind; `code` is -9 when it was killed."""

    code: int
    out: str = field(repr=False)
    err: str = field(repr=False)
    commits: int

    @property
    def json(self) -> dict[str, Any]:
        value: dict[str, Any] = json.loads(self.out)
        return value


class Launcher:
    """The waiting interpreter; one command at a time."""

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.launcher"], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self._known = threading.Event()
        self._alive = threading.Lock()
        self._pid = 0
        return self

    def __exit__(self, *_: object) -> None:
        self._process.stdin.close()
        self._process.wait(timeout=10)
        self._process.stdout.close()

    def start(self, order: Order) -> int:
        """Start a command; its process id."""
        self._known.clear()
        self._folder = Path(order.folder)
        self._process.stdin.write(json.dumps(asdict(order)) + "\n")
        self._process.stdin.flush()
        self._pid = int(self._process.stdout.readline())
        self._known.set()
        return self._pid

    def wait(self) -> Said:
        """Wait for its end."""
        assert self._process.stdout.readline() == "ended\n"
        with self._alive:
            # Only now may its number be given to another process.
            self._pid = 0
        self._process.stdin.write("bury\n")
        self._process.stdin.flush()
        code = int(self._process.stdout.readline())
        texts = [(self._folder / name).read_text(encoding="utf-8") for name in ("out", "err", "commits")]
        return Said(code, texts[0], texts[1], int(texts[2] or 0))

    def run(self, order: Order) -> Said:
        """Start it and wait for its end."""
        self.start(order)
        return self.wait()

    def kill(self) -> None:
        """End the command under way, as a power button would. Safe to call from a platform's thread."""
        self._known.wait(10)
        with self._alive:
            if self._pid:
                os.kill(self._pid, signal.SIGKILL)


# -- the other side of the pipe ------------------------------------------------------------------------------------------


class AheadClock(SystemClock):
    """`ahead` seconds ahead of the machine's clock; who waits is taken to the end of the wait at once."""

    def __init__(self, ahead: float) -> None:
        self.ahead = ahead
        self._skipped = 0.0
        self._guard = threading.Lock()

    def now(self) -> datetime:
        return super().now() + timedelta(seconds=self.ahead + self._skipped)

    def monotonic(self) -> float:
        return super().monotonic() + self._skipped

    def wait(self, stop: threading.Event, seconds: float) -> bool:
        with self._guard:
            self._skipped += seconds
        return stop.wait(0.001)


class Commits:
    """Counts the commits of a process, and ends the process at one of them."""

    def __init__(self, order: Mapping[str, Any]) -> None:
        self.number = 0
        self._fatal = order["commit"]
        self._after = order["after"]

    def watch(self) -> None:
        """From here on every connection to SQLite is counted."""
        commits = self

        class Counting(sqlite3.Connection):
            def execute(self, sql: str, *parameters: Any) -> sqlite3.Cursor:
                return commits.commit(super().execute) if sql == "COMMIT" else super().execute(sql, *parameters)

        sqlite3.connect = functools.partial(sqlite3.connect, factory=Counting)

    def commit(self, execute: Any) -> sqlite3.Cursor:
        """One commit, which may be the last thing this process does, or the last thing it does not do."""
        self.number += 1
        mine = self.number == self._fatal
        if mine and not self._after:
            os.kill(os.getpid(), signal.SIGKILL)
        cursor = execute("COMMIT")
        if mine:
            os.kill(os.getpid(), signal.SIGKILL)
        return cursor


def serve() -> None:
    """Carry out orders, one after the other, until there are no more."""
    while line := sys.stdin.readline():
        order = json.loads(line)
        for name in ("out", "err", "commits"):
            Path(order["folder"], name).write_bytes(b"")
        alive, held = os.pipe()
        pid = os.fork()
        if pid == 0:
            _carry_out(order)
        os.close(held)
        _answer(pid)
        os.read(alive, 1)  # comes back when the child, the last to hold the other end, is gone
        os.close(alive)
        _answer("ended")
        sys.stdin.readline()
        _answer(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))


def _answer(word: object) -> None:
    sys.stdout.write(f"{word}\n")
    sys.stdout.flush()


def _carry_out(order: Mapping[str, Any]) -> None:
    """In the child: the command, and the end of the process whatever happens."""
    code = 70
    try:
        code = _command(order)
    except BaseException:  # noqa: BLE001  the child must never go back into the parent's loop
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _command(order: Mapping[str, Any]) -> int:
    from outagecast.cli.main import main
    from outagecast.cli.surroundings import Surroundings

    folder = Path(order["folder"])
    for fd, name in ((0, os.devnull), (1, folder / "out"), (2, folder / "err")):
        os.dup2(os.open(name, os.O_RDWR), fd)
    os.chdir(folder)
    sys.argv = ["outagecast", *order["argv"]]
    commits = Commits(order)
    commits.watch()
    code = main(order["argv"], Surroundings(env=order["env"], cwd=folder, clock=AheadClock(order["ahead"])))
    (folder / "commits").write_text(str(commits.number), encoding="ascii")
    return code


def prepare() -> None:
    """Import and make, once, what every command would import and make anew; it is shared by all that are forked."""
    from outagecast import channels, cli, deliver, journal
    from outagecast.cli.main import COMMANDS, application
    from outagecast.registry import available, settings_of

    for package in (channels, cli, deliver, journal):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            importlib.import_module(module.name)
    for name in _BESIDES:
        importlib.import_module(name)
    for command in COMMANDS:
        application([command])
    for name in available():
        settings_of(name)
    gc.freeze()


if __name__ == "__main__":
    prepare()
    serve()
