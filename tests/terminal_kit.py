"""A person at a pseudo-terminal who answers what they are asked; the command runs in this process."""

from __future__ import annotations

import io
import os
import pty
import re
import select
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.request import urlopen

import keyring
from keyring.backends import fail

from outagecast.cli.main import main
from outagecast.cli.surroundings import Surroundings

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from keyring.backend import KeyringBackend

    from outagecast.deliver import Clock

Answer = tuple[str, "str | Callable[[str], str]"]
"""A pattern to wait for in what is asked, and what is typed then, perhaps made of all that was shown."""
_PATIENCE = 15


@dataclass(frozen=True)
class Session:
    """What a command left behind: its exit code, its results, and all that the terminal showed."""

    code: int
    out: str
    shown: str
    unasked: Sequence[str]
    """The patterns that never turned up."""

    @property
    def said(self) -> str:
        """What was shown, without the line breaks that the terminal's width makes."""
        return " ".join(self.shown.split())


class Typist(threading.Thread):
    """Reads what is shown and types the answers, each after its question."""

    def __init__(self, terminal: int, script: Sequence[Answer]) -> None:
        super().__init__(daemon=True)
        self.terminal = terminal
        self.script = list(script)
        self.seen = b""
        self.ended = threading.Event()
        self._answered = 0

    @property
    def shown(self) -> str:
        return re.sub(r"\x1b\[[0-9;]*m", "", self.seen.decode(errors="replace")).replace("\r\n", "\n")

    def run(self) -> None:
        while not (self.ended.is_set() and not self._ready(0)):
            if self._ready(0.02) and not self._read():
                return
            self._answer()

    def _ready(self, wait: float) -> bool:
        return bool(select.select([self.terminal], [], [], wait)[0])

    def _read(self) -> bool:
        try:
            chunk = os.read(self.terminal, 65536)
        except OSError:  # the other side has gone: that is how a pseudo-terminal ends
            return False
        self.seen += chunk
        return bool(chunk)

    def _answer(self) -> None:
        # Lines are broken where the terminal ends; questions are looked for in one.
        asked = " ".join(self.shown[self._answered :].split())
        if not self.script or not re.search(self.script[0][0], asked):
            return
        answer = self.script.pop(0)[1]
        self._answered = len(self.shown)
        text = answer if isinstance(answer, str) else answer(self.shown)
        os.write(self.terminal, text.encode() if text.endswith("\x04") else text.encode() + b"\n")


def at_terminal(
    argv: Sequence[str],
    script: Sequence[Answer],
    *,
    env: Mapping[str, str],
    cwd: Path,
    clock: Clock,
    keys: KeyringBackend | None = None,
) -> Session:
    """Run a command with a person at its terminal; standard output is read apart. Without `keys` there is no keyring."""
    before = keyring.get_keyring()
    keyring.set_keyring(keys or fail.Keyring())
    try:
        return _at_terminal(argv, script, env, cwd, clock)
    finally:
        keyring.set_keyring(before)


def _at_terminal(
    argv: Sequence[str], script: Sequence[Answer], env: Mapping[str, str], cwd: Path, clock: Clock
) -> Session:
    ours, theirs = pty.openpty()
    typist = Typist(ours, script)
    typist.start()
    out = io.BytesIO()
    with os.fdopen(os.dup(theirs), "r", encoding="utf-8") as stdin, os.fdopen(theirs, "w", encoding="utf-8") as stderr:
        stdout = io.TextIOWrapper(out, encoding="utf-8", write_through=True)
        watch = threading.Timer(_PATIENCE, os.write, (ours, b"\x04\x04\x04"))
        watch.start()
        code = main(argv, Surroundings(env=dict(env), cwd=cwd, clock=clock, stdin=stdin, stdout=stdout, stderr=stderr))
        watch.cancel()
        typist.ended.set()
        typist.join(_PATIENCE)
    os.close(ours)
    return Session(code, out.getvalue().decode(), typist.shown, [pattern for pattern, _ in typist.script])


def pin(shown: str) -> str:
    """Open the latest link that was shown, as the account's owner, and read the PIN there."""
    link = re.findall(r"http://127\S+/oauth/authorize\S+", shown)[-1]
    with urlopen(link) as page:
        found = re.search(r"<code>(\d+)</code>", page.read().decode())
    assert found, "the page has no PIN"
    return found[1]


def until(met: Callable[[], object]) -> None:
    """Wait for another process."""
    end = time.monotonic() + _PATIENCE
    while not met():
        assert time.monotonic() < end, "it never came to that"
        time.sleep(0.02)
