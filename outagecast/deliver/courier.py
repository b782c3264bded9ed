"""One channel's share of a run, in a thread of its own: what is common to single posts and to letters."""

from __future__ import annotations

import threading
from contextlib import suppress
from typing import TYPE_CHECKING

import msgspec

from outagecast.channel import Warm
from outagecast.errors import ChannelError, InDoubt, JournalError
from outagecast.journal import RunOverError, Scope

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime, timedelta

    from outagecast.channel import Channel
    from outagecast.deliver.clock import Clock
    from outagecast.journal import Journal
    from outagecast.model import Post, PostState

WARMING = 1.0
"""Seconds that a channel waits for the imports of those before it."""

PATIENCE = 60.0
"""Seconds a single post gets without --deadline; letters go on as long as one of them moves within this time."""


class Event(msgspec.Struct, frozen=True):
    """Something that has just become known of a post, for whoever looks on."""

    channel: str
    post: Post | None
    state: PostState | None
    detail: str = ""
    url: str | None = None


class Sweeping(msgspec.Struct, frozen=True):
    """Which posts a run looks at for strangers' words, whether they are due to be looked at or not."""

    since: datetime
    """Incidents that were over before are left alone."""
    impatient: bool = False
    """Also on a channel where the last look has failed and the next one is due later."""
    apart: frozenset[int] = frozenset()
    """Posts that these channels cannot look at."""
    wanted: Callable[[], bool] = lambda: False
    """Whether another outagecast waits for the journal: what is not seen by then is left to the next sweep."""


class Run(msgspec.Struct, frozen=True):
    """What the couriers of one run share."""

    journal: Journal
    clock: Clock
    stop: threading.Event
    warming: threading.Lock
    watch: Callable[[Event], None]
    mask: Callable[[str], str]
    announcements: tuple[int, ...] | None
    deadline: float | None
    """On the monotonic clock; None: PATIENCE for posts, as long as they move for letters."""
    expires: timedelta
    """What was announced longer ago is not published any more, also when it was only now found not to be out."""
    looks_only: bool = False
    """Nothing is sent or looked up; only replies are looked at."""
    sweeping: Sweeping | None = None
    """After all else of a channel, or, where `looks_only`, as all there is to do."""
    gave_way: threading.Event = msgspec.field(default_factory=threading.Event)
    """It was stopped because another outagecast waits for the journal."""


class Step(msgspec.Struct, frozen=True):
    """The next thing to do, and when."""

    due: datetime
    act: Callable[[], None]


class Courier:
    """Does one step after the other until nothing is left that can be done in time. Never raises."""

    def __init__(self, run: Run, channel: Channel) -> None:
        self.run = run
        self.channel = channel
        self.scope = Scope(run.announcements, (channel.name,))
        self._patience = run.clock.monotonic() + PATIENCE
        self.trouble: list[str] = []
        """What could not even be written down."""
        self.broken = ""
        """Why its share ended before its time, if that was a bug."""
        self.left = False
        """The run has gone on without this one."""
        self.looking = False
        """Nothing is under way but a look that can be made again."""
        self._leaving = threading.Lock()

    @property
    def until(self) -> float:
        """When this channel's time is over, on the monotonic clock."""
        return self._patience if self.run.deadline is None else self.run.deadline

    def hurry(self, seconds: float) -> None:
        """What is left to do, without --deadline, gets no more than this."""
        self._patience = min(self._patience, self.run.clock.monotonic() + seconds)

    def may_be_left(self, *, looking: bool) -> None:
        """From here on nothing is under way but a look; or it is over, and whoever was left meanwhile does no more."""
        with self._leaving:
            self.looking = looking
            if self.left:
                raise RunOverError("the run has gone on without this look")

    def leave(self) -> bool:
        """Go on without it, if nothing but a look is under way; whether that is so."""
        with self._leaving:
            self.left |= self.looking
            return self.left

    def work(self) -> None:
        """The whole share; the body of the channel's thread."""
        self._warm()
        try:
            while not self.run.stop.is_set() and self._step():
                pass
        except RunOverError:
            return  # the deadline passed while a call was under way; the main thread has said what is in doubt
        except JournalError as err:
            self.trouble.append(f"{self.channel.name}: {err.text}")
        except Exception as err:  # noqa: BLE001  a thread that dies without a word would be taken for one that is done
            self.broken = self.surprise(err).text
        finally:
            # A connection that does not close properly must not spoil a run whose posts are all accounted for.
            with suppress(Exception):
                self.channel.close()

    def _warm(self) -> None:
        """Imports are work for one core however many threads there are: in turn, the first is done soonest."""
        if not isinstance(self.channel, Warm):
            return
        mine = self.run.warming.acquire(timeout=WARMING)
        # What cannot be imported fails again in the first call, and is answered for there.
        with suppress(Exception):
            self.channel.warm()
        if mine:
            self.run.warming.release()

    def _step(self) -> bool:
        step = self.next_step()
        if step is None:
            return False
        wait = (step.due - self.run.clock.now()).total_seconds()
        if wait > 0:
            return self.in_time(step) and not self.run.clock.wait(self.run.stop, wait)
        step.act()
        return True

    def in_time(self, step: Step) -> bool:
        """Whether its turn comes before this channel's time is over."""
        wait = (step.due - self.run.clock.now()).total_seconds()
        return self.run.clock.monotonic() + max(wait, 0) <= self.until

    def next_step(self) -> Step | None:
        """What to do next; None when nothing is left."""
        raise AssertionError("a courier is one for posts or one for letters")

    def expire(self) -> None:
        """Drop what is too old to be published now."""
        self.run.journal.expire(self.scope, self.run.clock.now() - self.run.expires)

    def tell(self, post: Post | None, state: PostState | None, detail: str = "", url: str | None = None) -> None:
        """Let the onlooker know. What it does with it, or fails to, never touches delivery."""
        with suppress(Exception):
            self.run.watch(Event(self.channel.name, post, state, detail, url))

    def said(self, err: ChannelError) -> ChannelError:
        """The same answer with every secret masked, and no longer than a person reads."""
        err.text = self.run.mask(err.text)
        err.hint = self.run.mask(err.hint)
        return err

    def surprise(self, err: Exception) -> InDoubt:
        """What an adapter should never raise is a bug in it, and tells nothing about the world."""
        text = self.run.mask(f"{type(err).__name__}: {err}")
        return InDoubt(f"the {self.channel.name} adapter failed unexpectedly ({text})", hint="report this bug")
