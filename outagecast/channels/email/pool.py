"""The threads that carry letters, and the one generator that tells what became of them."""

from __future__ import annotations

import queue
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

from msgspec.structs import replace

from outagecast.channels.email.feed import Feed, Pace
from outagecast.channels.email.session import Session, open_session
from outagecast.channels.email.standing import Standing, Standings
from outagecast.channels.email.worker import Worker

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Iterator, Sequence

    from outagecast.channel import ChannelError, Post, Receipt
    from outagecast.channels.email.letter import Letter
    from outagecast.channels.email.link import Waits
    from outagecast.channels.email.relay import Relay
    from outagecast.channels.email.settings import Limits

_MOST_WAITING = 2000
"""Results the caller has not yet taken; more letters are not begun before it has."""
_LAST_WORDS = 0.5
"""Seconds a thread gets to notice that the run was broken off."""


class Pool:
    """One run of `send_many`."""

    def __init__(
        self,
        relays: Sequence[Relay],
        *,
        tls: Callable[[], ssl.SSLContext],
        waits: Waits,
        connections: int,
        limits: Limits,
        write: Callable[[Post], Letter],
    ) -> None:
        self.standings = Standings(relays, waits.pause)
        self.waits = waits
        self.per_connection = limits.per_connection
        self._tls = tls
        self._write = write
        self._pace = Pace(limits.per_second)
        self._allowed = connections
        self._lock = threading.Lock()
        self._active = 0
        self._grown = False
        self._threads: list[threading.Thread] = []
        self._sessions: set[Session] = set()
        self._broken_off = False
        self._failure: BaseException | None = None
        self._results: queue.SimpleQueue[tuple[Post, Receipt | ChannelError, threading.Event] | None]
        self._results = queue.SimpleQueue()
        self._last = threading.local()

    def results(
        self, posts: Iterator[Post], begin: Callable[[Post], None]
    ) -> Iterator[tuple[Post, Receipt | ChannelError]]:
        """Send everything and tell of each letter; closing the generator breaks the run off."""
        self.feed = Feed(posts, self._write, self._refuse, self._pace)
        self._begin = begin
        self._start(1)
        try:
            while (result := self._results.get()) is not None:
                post, became, written = result
                yield post, became
                written.set()  # the caller comes for the next one, so this one is in its books
        finally:
            self._break_off()
        if self._failure is not None:
            raise self._failure

    # -- what workers ask of it ------------------------------------------------------------------------------------

    def open(self, relay: Relay) -> Session:
        """Open a connection; raises NotOpenError."""
        return open_session(relay, self._tls, self.waits)

    @contextmanager
    def using(self, standing: Standing, session: Session) -> Iterator[None]:
        """Keep the connection known as long as it is in use, and let the others start once it stands."""
        with self._lock:
            self._sessions.add(session)
            grow = 0 if self._grown else self._allowed - self._active
            self._grown = True
        standing.count(1)
        if self._broken_off:
            session.link.abort()
        self._start(grow)
        try:
            yield
        finally:
            standing.count(-1)
            with self._lock:
                self._sessions.discard(session)
            session.quit()

    def begin(self, letter: Letter) -> None:
        """Mark the letter: its content goes out now, after what became of this thread's last one is written down.

        Else a kill would find as many letters in doubt as results wait to be taken, not one a connection.
        """
        written: threading.Event | None = getattr(self._last, "written", None)
        while written and not written.wait(0.1) and not self._broken_off:
            pass
        if not letter.begun:
            self._begin(letter.post)

    def lighten(self, letter: Letter, note: str) -> Letter:
        """The same letter without its picture."""
        light = self._write(replace(letter.post, image=None))
        return replace(light, post=letter.post, note=note, begun=letter.begun)

    def done(self, letter: Letter, result: Receipt | ChannelError) -> None:
        """Hand over what became of a letter."""
        self._last.written = self._tell(letter.post, result)

    def _refuse(self, post: Post, why: ChannelError) -> None:
        self._tell(post, why)

    def _tell(self, post: Post, result: Receipt | ChannelError) -> threading.Event:
        written = threading.Event()
        self._results.put((post, result, written))
        return written

    def surplus(self) -> bool:
        """Whether this worker is one too many."""
        while self._results.qsize() > _MOST_WAITING and not self.feed.ending.wait(0.005):
            pass
        return self._active > self._allowed

    def halve(self) -> None:
        """Make do with half of the workers."""
        with self._lock:
            self._allowed = max(1, self._active // 2)

    def retire(self, letter: Letter) -> bool:
        """Let this worker go and another one have its letter; False when there is no other."""
        with self._lock:
            if self._active == 1:
                return False
            self._active -= 1
            self._allowed = min(self._allowed, self._active)
            self.feed.give_back(letter)
            return True

    def give_up(self, why: ChannelError) -> None:
        """No relay is left: the run ends with this."""
        self._failure = why
        self.feed.ending.set()

    # -- threads ---------------------------------------------------------------------------------------------------

    def _start(self, workers: int) -> None:
        with self._lock:
            self._active += workers
            new = [threading.Thread(target=self._work, name="letters", daemon=True) for _ in range(workers)]
            self._threads += new
        for thread in new:
            thread.start()

    def _work(self) -> None:
        worker = Worker(self)
        try:
            while not worker.retired:
                worker.work()
                if worker.retired or self._leave():
                    return
        except BaseException as err:  # noqa: BLE001  raised again where the caller can see it: in `results`
            self._failure = self._failure or err
            self.feed.ending.set()
            self._leave()

    def _leave(self) -> bool:
        """Leave the pool, unless a letter that was given back still needs somebody; the last one ends the run."""
        with self._lock:
            others = self._active > 1 and self._active > self._allowed
            if self.feed.has_returned and not others:
                return False
            self._active -= 1
            if self._active == 0:
                self._results.put(None)
            return True

    def _break_off(self) -> None:
        self.feed.ending.set()
        with self._lock:
            self._broken_off = True
            sessions = list(self._sessions)
        for session in sessions:
            session.link.abort()
        for thread in self._threads:
            thread.join(_LAST_WORDS)
