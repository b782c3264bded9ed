"""How each relay does in one run: usable, paused, or left for good. Safe to use from several threads."""

from __future__ import annotations

import math
import random
import threading
import time
from typing import TYPE_CHECKING

from outagecast.channel import ChannelError, Refused, TryLater

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import timedelta

    from outagecast.channels.email.relay import Relay

_LONGEST_PAUSE = 30.0
_MOST_PAUSES = 4
"""So many in a row without one letter accepted: the relay is left."""
_MOST_STRIKES = 3
"""So many connections lost in a row without one letter accepted: the relay is left."""


class Standing:
    """One relay in one run."""

    def __init__(self, relay: Relay, place: int, pause: float) -> None:
        self.relay = relay
        self.place = place
        self.live = 0
        """Connections to it that are open now."""
        self.out: ChannelError | None = None
        """Why it is not used any more in this run."""
        self.most_octets = math.inf
        """Less than the smallest letter that it refused for its size."""
        self._lock = threading.Lock()
        self._first_pause = pause
        self._paused_until = 0.0
        self._pauses = 0
        self._strikes = 0

    def count(self, change: int) -> None:
        """A connection was opened or closed."""
        with self._lock:
            self.live += change

    def accepted(self) -> None:
        """It took a letter: whatever was wrong is over."""
        self._pauses = self._strikes = 0

    def strike(self, why: ChannelError) -> None:
        """It lost a connection; three in a row and it is left."""
        with self._lock:
            self._strikes += 1
            if self._strikes >= _MOST_STRIKES:
                self.out = self.out or why

    def leave(self, why: ChannelError) -> None:
        """It is of no use in this run."""
        with self._lock:
            self.out = self.out or why

    def next_pause(self) -> float:
        """How long a pause would be now, in seconds."""
        # Not for secrecy: so that all connections do not come back in the same instant.
        jitter = random.uniform(1, 1.25)  # noqa: S311
        return float(min(self._first_pause * 2**self._pauses, _LONGEST_PAUSE) * jitter)

    def pause(self, why: ChannelError) -> bool:
        """It asked us to slow down; what several connections hear in the same moment counts once: the first is True."""
        with self._lock:
            if self.paused() > 0:
                return False
            self._paused_until = time.monotonic() + self.next_pause()
            self._pauses += 1
            if self._pauses > _MOST_PAUSES:
                self.out = self.out or why
            return True

    def paused(self) -> float:
        """For how many seconds from now it wants to be left alone."""
        return max(0.0, self._paused_until - time.monotonic())


class Standings:
    """All relays of a channel in one run, in the config's order."""

    def __init__(self, relays: Sequence[Relay], pause: float) -> None:
        self.all = [Standing(relay, place, pause) for place, relay in enumerate(relays)]

    def pick(self, past: int = -1) -> Standing | None:
        """The first usable relay behind place `past`."""
        return next((standing for standing in self.all if standing.out is None and standing.place > past), None)

    def error(self) -> ChannelError:
        """Why none of them can be used: refused only if every one of them waits for a person."""
        reasons = [standing.out for standing in self.all if standing.out]
        text = "; ".join(reason.text for reason in reasons)
        hint = next((reason.hint for reason in reasons if reason.hint), "outagecast check")
        if all(isinstance(reason, Refused) for reason in reasons):
            return Refused(text, mendable=True, hint=hint)
        later = [reason for reason in reasons if isinstance(reason, TryLater)]
        return TryLater(text, after=_soonest(later), limited=any(reason.limited for reason in later), hint=hint)


def _soonest(reasons: Sequence[TryLater]) -> timedelta | None:
    waits = [reason.after for reason in reasons]
    return None if None in waits else min((wait for wait in waits if wait), default=None)
