"""A night whose commands are killed: where a blow can fall, the blow itself, and what the public may see afterwards."""

from __future__ import annotations

import re
import socket
import sqlite3
import threading
import time
import urllib.request
from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Self

from tests.launcher import AheadClock, Launcher, Order, Said
from tests.night import Night

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

KILLED = -9
MESSAGE = "fiber cut, ETA 1h"
POST = ("post", "--json", MESSAGE)
RESUME = ("resume", "--json")
LATER = 90.0
"""Seconds between two runs: by then X's minute of disbelief is over."""
MOST_RUNS = 4
"""More would put the last run's clock so far ahead that X, with good reason, takes no signature of the machine's."""
_IDS = re.compile(r"(?<=/)\d{3,}(_\d+)?")


@dataclass(frozen=True)
class Blow:
    """One moment: "x" and "graph" strike at a request's point, "mailbox" at a letter's, "commit" before or after it."""

    where: str
    what: str
    point: str
    time: int = 1
    """Which time that this moment comes."""

    def __str__(self) -> str:
        return f"{self.where} {self.what} {self.point}" + (f" {self.time}" if self.time > 1 else "")

    @property
    def commit(self) -> int:
        return int(self.what) if self.where == "commit" else 0


def commits(most: int) -> list[Blow]:
    """Just before and just after each of the first `most` commits."""
    return [Blow("commit", str(number), point) for number in range(1, most + 1) for point in ("before", "after")]


class Struck(Night):
    """Runs commands in processes of their own; a blow ends the one under way at its moment."""

    def __init__(self, folder: Path, launcher: Launcher) -> None:
        super().__init__(folder)
        self.launcher = launcher
        # now() is all that is asked of it here.
        self.clock = AheadClock(0)  # type: ignore[assignment]
        self.seen: Counter[Blow] = Counter()
        """Every moment that came in the latest run, and how often."""
        self.repeats: Counter[str] = Counter()
        """How often a letter may be out once more: a blow fell while nobody could know what became of it."""
        self._blow: Blow | None = None
        self._guard = threading.Lock()

    def __enter__(self) -> Self:
        super().__enter__()
        self.x.on_event = lambda point, request: self._reached("x", _name(request), point)
        self.graph.on_event = lambda point, request: self._reached("graph", _name(request), point)
        self.mailbox.on_event = lambda point, info: self._reached("mailbox", str(info.get("to", "")), point)
        return self

    def command(self, argv: Sequence[str], *, blow: Blow | None = None) -> Said:
        """Run a command, ended by `blow` if its moment comes."""
        with self._guard:
            self._blow = blow
            self.seen.clear()
        env = self.env | {"OUTAGECAST_CONFIG": str(self.config)}
        commit, after = (blow.commit, blow.point == "after") if blow else (0, False)
        said = self.launcher.run(Order(tuple(argv), env, str(self.folder), self.clock.ahead, commit, after))
        with self._guard:
            self._blow = None
        self._quiet()
        if said.code == KILLED:
            self.repeats.update(self.being_sent())
        return said

    def finish(self, again: Sequence[str], blows: Sequence[Blow | None]) -> list[Said]:
        """`post` under the first blow, then `again` under the others, and again until it exits 0.

        A `resume` after a blow that fell before anything was planned has nothing to do; then it is `post` once more.
        """
        said = [self.command(POST, blow=blows[0])]
        waiting = list(blows[1:])
        while said[-1].code != 0 and len(said) < MOST_RUNS:
            self.clock.ahead += LATER
            argv = again if self.planned() else POST
            assert self.planned() or self.silent(), "something is out that was never written down"
            said.append(self.command(argv, blow=waiting.pop(0) if waiting else None))
        return said

    # -- what is known afterwards ------------------------------------------------------------------------------------

    def check_public(self, *, most_letters: int | None = None) -> None:
        """Each post is out exactly once; a letter once more only for each blow that left it unknown, to the byte."""
        assert len(self.tweets()) == 1, self.tweets()
        assert len(self.pages()) == 1, self.pages()
        self.check_letters(most_letters=most_letters)

    def check_letters(self, *, most_letters: int | None = None) -> None:
        """Each letter is out, and out again only as `check_public` says."""
        raw: dict[str, list[bytes]] = {to: [] for to in self.to}
        for letter in self.mailbox.letters:
            raw[letter.to[0]].append(letter.raw)
        for to, letters in raw.items():
            most = 1 + self.repeats[to] if most_letters is None else most_letters
            assert 1 <= len(letters) <= most, f"{len(letters)} letters to {to}, at most {most} were expected"
            assert len(set(letters)) == 1, f"the letters to {to} differ"

    def creates(self) -> int:
        """How often X was asked to publish, by a request that came whole: a blow may fall before its body is out."""
        asked = [request for request in self.x.log if (request.method, request.path) == ("POST", "/2/tweets")]
        return sum(len(request.body) == int(request.headers["Content-Length"]) for request in asked)

    def silent(self) -> bool:
        """Whether nothing is out."""
        return not (self.tweets() or self.pages() or self.mails())

    def planned(self) -> bool:
        """Whether anything was ever written down."""
        return bool(self.ask("SELECT count(*) FROM announcement"))

    def being_sent(self) -> list[str]:
        """The letters whose fate the journal does not know."""
        return self.ask("SELECT recipient FROM post WHERE state = 'sending' AND recipient <> ''")

    def ask(self, question: str) -> list[Any]:
        """The first column of a query. Read only: another connection must not tidy up what the blow left."""
        if not self.journal_path.exists():
            return []
        db = sqlite3.connect(f"{self.journal_path.as_uri()}?mode=ro", uri=True)
        try:
            return [value for (value,) in db.execute(question) if value]
        except sqlite3.OperationalError as err:
            assert "no such table" in str(err)  # noqa: PT017  any other error is the test's own
            return []
        finally:
            db.close()

    # -- blows ---------------------------------------------------------------------------------------------------------

    def _reached(self, where: str, what: str, point: str) -> None:
        moment = Blow(where, what, point)
        with self._guard:
            self.seen[moment] += 1
            if self._blow == replace(moment, time=self.seen[moment]):
                self.launcher.kill()

    def _quiet(self) -> None:
        """Wait until the platforms have noticed that their client is gone, and have done what it had asked."""
        # Connections are taken in order: when these are, so is every one that the client had made before.
        for platform in (self.x, self.graph):
            with urllib.request.urlopen(f"{platform.url}/_public") as answer:
                answer.read()
        with socket.create_connection(("127.0.0.1", self.mailbox.port)) as caller:
            caller.recv(1)
        end = time.monotonic() + 10
        while self.x._open or self.graph._open or any(thread.is_alive() for thread in self.mailbox._threads[1:]):
            assert time.monotonic() < end, "a platform still talks to a process that is gone"
            time.sleep(0.001)


def _name(request: Any) -> str:
    """A request without its numbers: "GET /2/tweets/N"."""
    return f"{request.method} {_IDS.sub('N', re.sub(r'^/v[0-9.]+', '', request.path))}"
