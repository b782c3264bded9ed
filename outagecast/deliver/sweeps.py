"""The sweep: after all else of a channel its young posts are looked at for what strangers have said, newest first.

Which posts that are is not written down beforehand, so a run that is killed leaves nothing that would be due: the next
one, or `outagecast sweep`, begins anew. What each look brings is.
"""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

from outagecast.deliver.clock import backoff
from outagecast.deliver.courier import Step
from outagecast.deliver.upkeep import UpkeepCourier, wishes
from outagecast.errors import Refused, TryLater
from outagecast.journal import Scope
from outagecast.model import PostState, ReplyControl

if TYPE_CHECKING:
    from collections.abc import Iterable

    from outagecast.channel import Channel
    from outagecast.deliver.courier import Run
    from outagecast.errors import ChannelError
    from outagecast.journal import Task

LOOK_PATIENCE = timedelta(seconds=5)
"""How long a run that is otherwise done waits for a look that an earlier one has put off; the post is out."""
SWEEPING = 15.0
"""Seconds that the sweeps at the end of a command get per channel, without --deadline: the person who typed it waits
for its report. Less than a platform may take for one answer (20 s), so one that hangs costs no more than that."""


class SweepCourier(UpkeepCourier):
    """Sweeps the posts of one channel."""

    def __init__(self, run: Run, channel: Channel) -> None:
        super().__init__(run, channel)
        self._left: list[Task] | None = None
        self._young: set[int] = set()
        self._under_way: Task | None = None
        self._refusal: str | None = None
        """What the last look was refused with."""
        self.seen: set[int] = set()
        """What this run has published, or looked below already."""
        self._verified: dict[int, Task] = {}
        """What this run has looked at once: a look that failed is repeated by the next run, and holds nobody up."""
        self.fresh: set[int] = set()
        """What this run has published: the first look belongs to that, and gives way to nobody."""
        self.unreached = 0
        """How many posts nobody has looked at, because the sweep had to end."""
        self.unswept = ""
        """Why posts have not been looked at, if any have not."""
        self.unseen: list[int] = []
        """The announcements of which a sweep has failed."""

    def next_sweep(self) -> Step | None:
        """The next post to be swept, if there is time for it."""
        step = Step(self.run.clock.now(), self._sweep)
        return step if not self.run.gave_way.is_set() and self._to_sweep() and self.in_time(step) else None

    def _to_sweep(self) -> list[Task]:
        """What is left; which posts it is about is asked once, when nothing else is left to be done before."""
        if self._left is None:
            self._left = self._chosen()
            self._young = {task.post.id for task in self._left}
            if self._left and not self.run.looks_only:
                self.hurry(SWEEPING)
        return self._left

    def _chosen(self) -> list[Task]:
        sweeping, now = self.run.sweeping, self.run.clock.now()
        if sweeping is None or self.channel.caps.replies in {ReplyControl.NATIVE, ReplyControl.NONE}:
            return []
        found = self.run.journal.young(Scope(None, (self.channel.name,)), sweeping.since)
        if not sweeping.impatient and any(task.look_due and self._again(task, task.look_due) > now for task in found):
            return []  # the platform has asked for a pause, or was down a moment ago
        return [task for task in found if task.post.id not in self.seen | sweeping.apart]

    def _sweep(self) -> None:
        left = self._to_sweep()
        self._under_way = left[0]
        err = self._glance(left[0], sweep=True)
        if self.cut_short:
            return
        self._left, self._under_way = left[1:], None
        if err is None:
            self._refusal = None
        else:
            self.unswept = err.text
            self.unseen.append(left[0].announcement)
            self._doubt_others(err)
            self._give_up(err)

    def _doubt_others(self, err: ChannelError) -> None:
        """What an account does not see below one post it does not see below those that this run has just published."""
        if isinstance(err, Refused) and err.blind:
            for task in self._verified.values():
                self.not_seen(task, err, None, last=True)

    def _glance(self, task: Task, *, sweep: bool) -> ChannelError | None:
        """A look below what was out before: once another outagecast waits, the run does not wait for it."""
        self.may_be_left(looking=True)
        err = self.look(task, sweep=sweep)
        self.may_be_left(looking=False)
        return err

    def _give_up(self, err: ChannelError) -> None:
        """What has failed for now would fail again: the same platform, the same trouble.

        Whoever waits for an announcement's report is not kept for that, and nothing is said of what was not tried.
        Whoever asked for a sweep is told, post by post; there only a platform that asks to be left alone ends it, or
        one that has refused two in the same words: that is not about those posts.
        """
        refusal = err.text if isinstance(err, Refused) else None
        again = refusal is not None and refusal == self._refusal
        self._refusal = refusal
        if not (again or wishes(err) or (isinstance(err, TryLater) and not self.run.looks_only)):
            return
        left, self._left = self._to_sweep(), []
        if not self.run.looks_only:
            self.unreached += len(left)
            return
        due = self.run.clock.now() + backoff(1, err.after) if isinstance(err, TryLater) else None
        for task in left:
            # Without a line of history: nobody has looked, so these come first the next time.
            self.not_seen(task, err, due, last=due is None, asked=False)

    def looks(self, tasks: Iterable[Task]) -> Iterable[Step]:
        """The looks at replies that are due, or soon enough to wait for.

        A sweep that has just failed at the end of a command is not tried again there.
        """
        tried = self._verified.keys() if self.run.looks_only else self._verified.keys() | self._young
        worth_waiting = self.run.clock.now() + LOOK_PATIENCE
        for task in tasks:
            if self.run.gave_way.is_set() and task.post.id not in self.fresh:
                continue
            due = task.look_due if task.state is PostState.SENT and task.post.id not in tried else None
            due = self._again(task, due) if due is not None else None
            if due is not None and due <= worth_waiting:
                yield Step(due, partial(self._verify, task))

    def _verify(self, task: Task) -> None:
        """Close replies and read that back. It is a sweep where nothing can be closed, or where one was asked for."""
        moderated = self.channel.caps.replies is ReplyControl.MODERATED
        self._verified[task.post.id] = task
        look = self.look if task.post.id in self.fresh else self._glance
        look(task, sweep=moderated or task.post.id in self._young)
        if moderated:
            self.seen.add(task.post.id)

    def own_up(self, *, gave_way: bool) -> None:
        """When the run is over: write down which looks have not ended, and that what was known may not hold.

        That is the one under way, and where a sweep was asked for all that are left. Where it gave way to another
        none has failed, and all that are left are the next sweep's.
        """
        left = self._chosen() if self._left is None and gave_way else self._left or []
        failed = [] if gave_way else left if self.run.looks_only else [task for task in left if task is self._under_way]
        self.unreached += len(left) - len(failed)
        for task in failed:
            err = TryLater("the look at its replies did not end in time", hint="outagecast sweep")
            self.unswept = err.text
            self.unseen.append(task.announcement)
            self.not_seen(task, err, self.run.clock.now())
