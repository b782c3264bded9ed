"""Time as a run sees it: the wall for what is written down, a monotonic clock for what is waited for."""

from __future__ import annotations

import random
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import threading

FIRST_WAIT = timedelta(seconds=2)
LONGEST_WAIT = timedelta(minutes=5)
LONGEST_WISH = timedelta(days=1)
"""No platform asks for a longer wait and means it; a number that is wrong must not silence a channel for ever."""


class Clock(Protocol):
    """Time, as a run sees it."""

    def now(self) -> datetime:
        """The wall clock: aware, UTC."""

    def monotonic(self) -> float:
        """Seconds that never jump."""

    def wait(self, stop: threading.Event, seconds: float) -> bool:
        """Wait, or until `stop` is set; whether it was."""


class SystemClock:
    """The machine's own time."""

    def now(self) -> datetime:
        """The wall clock: aware, UTC."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Seconds that never jump."""
        return time.monotonic()

    def wait(self, stop: threading.Event, seconds: float) -> bool:
        """Wait, or until `stop` is set; whether it was."""
        return stop.wait(seconds)


def backoff(failed: int, at_least: timedelta | None) -> timedelta:
    """How long to wait after `failed` failed tries: doubled each time, with jitter, not less than was asked for."""
    grown = min(FIRST_WAIT * (1 << min(max(failed - 1, 0), 16)), LONGEST_WAIT)
    # Jitter keeps ten channels, or two laptops, from coming back in step. Nothing secret depends on it.
    wait = grown * random.uniform(0.8, 1.2)  # noqa: S311
    return max(wait, wish(at_least))


def wish(after: timedelta | None) -> timedelta:
    """The wait that a platform has asked for, within reason."""
    return min(max(after or timedelta(0), timedelta(0)), LONGEST_WISH)
