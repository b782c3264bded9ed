"""SIGINT and SIGTERM: held back while a command starts and while it prints its result, a KeyboardInterrupt between."""

from __future__ import annotations

import os
import signal
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType

_ECHO = 0.2
"""Seconds in which a second signal is the same one again: a terminal and a wrapper both pass it on."""
_STUCK = 5.0
"""Seconds after which a command that can neither start nor print its result is let go."""


class Interrupts:
    """What a signal does at this moment. Starts held back; nothing is caught before `catch`."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._held = True
        self._since = clock()
        self._noted = False
        self._last = float("-inf")

    def catch(self) -> None:
        """Answer for both signals from now on, but for one that whoever started us wants ignored."""
        self._answer(self._arrived)

    def close(self) -> None:
        """The command has ended: nothing but its exit code is left, and no signal is to replace that."""
        # Python puts back the default, which is to be killed, when it ends; but not in the place of this.
        self._answer(signal.SIG_IGN)

    def _answer(self, answer: Callable[[int, FrameType | None], None] | signal.Handlers) -> None:
        for number in (signal.SIGINT, signal.SIGTERM):
            if signal.getsignal(number) is not signal.SIG_IGN:
                signal.signal(number, answer)

    def admit(self) -> None:
        """From now on a signal is a KeyboardInterrupt; one that came while they were held is one now."""
        self._held = False
        if self._noted:
            self._noted = False
            raise KeyboardInterrupt

    def hold(self) -> None:
        """From now on a signal interrupts nothing: what has begun to be said is said to its end."""
        if not self._held:
            self._since = self._clock()
            self._held = True

    def _arrived(self, _signal: int, _frame: FrameType | None) -> None:
        now = self._clock()
        if not self._held:
            if now - self._last > _ECHO:
                self._last = now
                raise KeyboardInterrupt
        elif now - self._since > _STUCK:
            # Whoever should read the result does not: nothing is lost by not saying it.
            os._exit(os.EX_TEMPFAIL)
        else:
            self._noted = True
