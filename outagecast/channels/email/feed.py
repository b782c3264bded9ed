"""Where the connections get their letters: one at a time from the caller's iterator, no faster than allowed."""

from __future__ import annotations

import threading
import time
from collections import deque
from typing import TYPE_CHECKING

from outagecast.channel import ChannelError, Post

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from outagecast.channels.email.letter import Letter

_QUICK = 0.05
"""An iterator that took longer than this to answer is waited for only with empty hands."""


class Pace:
    """Spreads letters evenly over each second; a rate of 0 does not hold anything up."""

    def __init__(self, per_second: float) -> None:
        self._gap = 1 / per_second if per_second else 0.0
        self._next = 0.0
        self._lock = threading.Lock()

    def reserve(self, *, now_only: bool = False) -> float | None:
        """Book the next turn and tell in how many seconds it is; None when it is not now and has to be."""
        if not self._gap:
            return 0.0
        with self._lock:
            now = time.monotonic()
            turn = max(now, self._next)
            if now_only and turn > now:
                return None
            self._next = turn + self._gap
            return turn - now


class Feed:
    """The letters still to be sent. Safe to use from several threads."""

    def __init__(
        self,
        posts: Iterator[Post],
        write: Callable[[Post], Letter],
        refuse: Callable[[Post, ChannelError], None],
        pace: Pace,
    ) -> None:
        self._posts = posts
        self._write = write
        self._refuse = refuse
        self._pace = pace
        self._lock = threading.Lock()
        self._returned: deque[Letter] = deque()
        self._slow = False
        self._ended = False
        self.ending = threading.Event()
        """No letter is to be begun any more."""

    @property
    def over(self) -> bool:
        """Whether there is nothing left to take."""
        return self.ending.is_set() or (self._ended and not self._returned)

    @property
    def has_returned(self) -> bool:
        """Whether a letter that was given back waits."""
        return bool(self._returned) and not self.ending.is_set()

    def take(self) -> Letter | None:
        """The next letter, when its turn has come; None when there are no more."""
        wait = self._pace.reserve()
        if wait and self.ending.wait(wait):
            return None
        with self._lock:
            return self._next()

    def take_now(self) -> Letter | None:
        """The next letter if it is there at once and may go at once: whoever asks has another one in hand."""
        if self._slow or not self._lock.acquire(blocking=False):
            return None
        try:
            return self._next() if self._pace.reserve(now_only=True) is not None else None
        finally:
            self._lock.release()

    def give_back(self, letter: Letter) -> None:
        """Let another connection have a letter of which nothing has been sent."""
        self._returned.append(letter)

    def _next(self) -> Letter | None:
        while not self.ending.is_set():
            if self._returned:
                return self._returned.popleft()
            if self._ended:
                return None
            asked = time.monotonic()
            post = next(self._posts, None)
            self._slow = time.monotonic() - asked > _QUICK
            if post is None:
                self._ended = True
                continue
            try:
                return self._write(post)
            except ChannelError as err:
                self._refuse(post, err)
        return None
