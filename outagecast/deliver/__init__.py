"""Delivery: all channels at once, each in its thread, each bounded in time, one journal underneath.

For each post: in doubt? find > begin (on the disk) > send > receipt (on the disk) > close replies. A read may be
repeated; a write never without an answer from `find` or from a person.
"""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, cast

import msgspec

from outagecast.deliver.clock import Clock, SystemClock
from outagecast.deliver.courier import PATIENCE, Courier, Event, Run, Sweeping
from outagecast.deliver.letters import LetterCourier
from outagecast.deliver.posts import PostCourier
from outagecast.deliver.sweeps import SweepCourier
from outagecast.errors import JournalError, Refused
from outagecast.journal import Scope
from outagecast.model import PostState

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import timedelta

    from outagecast.channel import Channel, Letters
    from outagecast.journal import Journal

__all__ = ["PATIENCE", "Clock", "Ended", "Event", "Sweeping", "SystemClock", "deliver"]

SILENCE = 1.5
"""Seconds after which an onlooker is told which channels are still at work."""
GRACE = 3.0
"""Seconds that what is in flight gets after an interrupt."""
LEAVING = 0.4
"""Seconds that a look under way gets once another outagecast waits; a platform that hangs in it is left behind."""


class Ended(msgspec.Struct, frozen=True):
    """How a run ended: what could not be written down, and whether a person interrupted it."""

    trouble: Sequence[str] = ()
    interrupted: bool = False
    unswept: Mapping[str, str] = msgspec.field(default_factory=dict)
    """Why a channel's posts, or some, could not be swept."""
    unseen: Sequence[int] = ()
    """The announcements of which a sweep has failed."""
    unsearched: Mapping[str, str] = msgspec.field(default_factory=dict)
    """Why a channel's sweeps could not look for all that strangers have said, although nothing failed."""
    gave_way: bool = False
    """Another outagecast waited, so something was left."""
    unreached: Mapping[str, int] = msgspec.field(default_factory=dict)
    """How many of a channel's posts are left to the next sweep, with what was known of them before."""
    broken: Mapping[str, str] = msgspec.field(default_factory=dict)
    """Why a channel's share ended before its time: a bug, so nobody knows what else it left undone."""
    left_behind: Sequence[str] = ()
    """The channels whose thread hangs in a platform still: nobody else may use that channel."""


def deliver(
    journal: Journal,
    channels: Mapping[str, Channel | Refused],
    *,
    announcements: tuple[int, ...] | None,
    expires: timedelta,
    clock: Clock,
    deadline: float | None = None,
    give_way: Callable[[], bool] = lambda: False,
    looks_only: bool = False,
    sweeping: Sweeping | None = None,
    watch: Callable[[Event], None] = lambda _event: None,
    mask: Callable[[str], str] = lambda text: text,
) -> Ended:
    """Carry out all that is unfinished of `announcements` (None: of everything) on `channels`, each post once.

    After that each channel sweeps its posts as `sweeping` says; with `looks_only` that is all that is done. Sweeps
    end, within a second and whatever a platform does, when `sweeping.wanted` or `give_way` says so.

    What was announced longer than `expires` ago is dropped, never published late. A channel that cannot be used is
    given as the Refused that says why. Once `give_way` says so nothing new is begun, and this returns when what is in
    flight has ended. `deadline` is in seconds from now and hard: at that time this returns whatever the platforms are
    doing, and what was in flight is in doubt. Nothing is written to the journal by a thread that outlives the call.
    """
    until = None if deadline is None else clock.monotonic() + deadline
    run = Run(
        journal=journal,
        clock=clock,
        stop=threading.Event(),
        warming=threading.Lock(),
        watch=watch,
        mask=mask,
        announcements=announcements,
        deadline=until,
        expires=expires,
        looks_only=looks_only,
        sweeping=sweeping,
    )
    couriers = [_courier(run, channel) for channel in _usable(journal, channels, announcements)]
    return _ended(run, couriers, interrupted=_together(run, couriers, give_way))


def _ended(run: Run, couriers: Sequence[Courier], *, interrupted: bool) -> Ended:
    """Say what was begun and did not end, and let nothing more be written."""
    trouble = [line for courier in couriers for line in courier.trouble]
    sweepers = [courier for courier in couriers if isinstance(courier, SweepCourier)]
    gave_way = run.gave_way.is_set()
    try:
        for courier in sweepers:
            courier.own_up(gave_way=gave_way)
    except JournalError as err:
        trouble.append(err.text)
    try:
        run.journal.fence("interrupted without an answer" if interrupted else "no answer had come when the run ended")
    except JournalError as err:
        trouble.append(err.text)
    unswept = {courier.channel.name: courier.unswept for courier in sweepers if courier.unswept}
    unseen = [announcement for courier in sweepers for announcement in courier.unseen]
    return Ended(
        tuple(trouble),
        interrupted,
        unswept,
        unseen,
        {courier.channel.name: "; ".join(courier.unsearched) for courier in sweepers if courier.unsearched},
        gave_way=gave_way,
        unreached={courier.channel.name: courier.unreached for courier in sweepers if courier.unreached},
        broken={courier.channel.name: courier.broken for courier in couriers if courier.broken},
        left_behind=[courier.channel.name for courier in sweepers if courier.left],
    )


def _usable(
    journal: Journal, channels: Mapping[str, Channel | Refused], announcements: tuple[int, ...] | None
) -> list[Channel]:
    usable = []
    for name, channel in channels.items():
        if isinstance(channel, Refused):
            journal.refuse_channel(Scope(announcements, (name,)), channel)
        else:
            usable.append(channel)
    return usable


def _courier(run: Run, channel: Channel) -> Courier:
    return LetterCourier(run, cast("Letters", channel)) if channel.caps.letters else PostCourier(run, channel)


def _together(run: Run, couriers: Sequence[Courier], give_way: Callable[[], bool]) -> bool:
    """Run all couriers at once until each has ended or run out of time; whether a person interrupted that."""
    # Daemons: a thread that a platform holds by the socket must not hold the process.
    threads = {
        threading.Thread(target=courier.work, name=courier.channel.name, daemon=True): courier for courier in couriers
    }
    try:
        for thread in threads:
            thread.start()
        _wait(run, threads, give_way)
    except KeyboardInterrupt:
        run.stop.set()
        _grace(run, threads)
        return True
    run.stop.set()
    return False


def _wait(run: Run, threads: Mapping[threading.Thread, Courier], give_way: Callable[[], bool]) -> None:
    silence = run.clock.monotonic() + SILENCE
    patience = Patience(run, give_way)
    while True:
        busy = [courier for thread, courier in threads.items() if thread.is_alive() and patience.waits_for(courier)]
        left = max((courier.until - run.clock.monotonic() for courier in busy), default=0)
        if left <= 0:
            return
        patience.ask()
        if run.clock.monotonic() > silence:
            silence += 10 * SILENCE
            for courier in busy:
                courier.tell(None, PostState.SENDING, f"at work; {left:.0f} s at the most")
        _join(threads, min(left, 0.2))


class Patience:
    """Whether another outagecast waits, and for whom a run stays all the same."""

    def __init__(self, run: Run, give_way: Callable[[], bool]) -> None:
        self._run = run
        self._give_way = give_way
        self._until: float | None = None

    def ask(self) -> None:
        """Look whether another waits: a patient run ends then, and in any other the sweeps do."""
        sweeping = self._run.sweeping
        if self._give_way():
            self._run.stop.set()
        elif sweeping is None or not sweeping.wanted():
            return
        self._run.gave_way.set()
        if self._until is None:
            # The machine's own time: a platform that hangs does so in that.
            self._until = time.monotonic() + LEAVING

    def waits_for(self, courier: Courier) -> bool:
        """What may be publishing is always waited for; a look can be made again, so only for a moment."""
        return self._until is None or time.monotonic() < self._until or not courier.leave()


def _join(threads: Mapping[threading.Thread, Courier], seconds: float) -> None:
    """Wait for any one that is still alive; the loop around it looks at the others."""
    for thread in threads:
        if thread.is_alive():
            thread.join(seconds)
            return


def _grace(run: Run, threads: Mapping[threading.Thread, Courier]) -> None:
    """What is in flight may still get its answer; a second interrupt ends that too."""
    end = run.clock.monotonic() + GRACE
    try:
        while any(thread.is_alive() for thread in threads) and run.clock.monotonic() < end:
            _join(threads, 0.1)
    except KeyboardInterrupt:
        return
