"""Letters: many alike, over connections that the channel keeps; each one marked before it goes and as it ends."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from outagecast.channel import Rationed
from outagecast.deliver.clock import backoff, wish
from outagecast.deliver.courier import PATIENCE, Courier, Step
from outagecast.deliver.rations import room
from outagecast.deliver.upkeep import ended
from outagecast.errors import ChannelError, InDoubt, JournalError, Refused, TryLater
from outagecast.model import Absent, PostState, Quota, Receipt, Repeat

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from outagecast.channel import Letters, Look
    from outagecast.deliver.courier import Run
    from outagecast.journal import Task
    from outagecast.model import Post

BLOCK = 256
"""Letters that are marked, durably, in one commit."""
DRAIN = 3.0
"""Seconds before a deadline in which no new letter is begun, so that those in flight get their answer: twice as long
as the slowest of the run has taken (with a picture over a thin line that is long), and no less than this..."""
DRAIN_SHARE = 0.25
"""...but never more than this share of the run: a short deadline is no reason to send no letter at all."""
DOT = 630.0
"""Seconds that the answer to a letter's content may take: RFC 5321's ten minutes and a little more."""
MOST_DOUBTS = 3
"""After so many answers lost in a row a person decides."""
GREYLIST = timedelta(minutes=1)
"""The first wait for a letter; greylists want some minutes (facts: 1, 5, 15, 30, 60)."""


class LetterCourier(Courier):
    """Carries the letters of one channel."""

    def __init__(self, run: Run, channel: Letters) -> None:
        super().__init__(run, channel)
        self.letters = channel
        self._quota = channel.quota if isinstance(channel, Rationed) else Quota()
        self._tasks: dict[int, Task] = {}
        self._began = run.clock.monotonic()
        self._moved = run.clock.monotonic()
        self._idle = True
        self._in_flight: dict[int, float] = {}
        """Letters whose content is on its way, and since when; added in the channel's threads, one operation each."""
        self._slowest = 0.0
        """Seconds that a letter of this run has taken at the most, from its content to its answer."""

    def next_step(self) -> Step | None:
        """Doubtful letters first, then all that are due at once; nobody replies to a letter, so a look has none."""
        if self.run.looks_only:
            return None
        if self.run.journal.letters(self.scope, PostState.IN_DOUBT, 1):
            return Step(self.run.clock.now(), self._look)
        if self._draining():
            return None
        due = self.run.journal.next_letter(self.scope)
        return Step(due, self._send) if due is not None else None

    # -- sending -------------------------------------------------------------------------------------------------

    def _send(self) -> None:
        """All that may go now. Before and after it nothing of this channel is in flight: what is out can be counted."""
        self.expire()
        self.run.journal.supersede(self.scope)
        free = room(self.run.journal, self.channel.name, self._quota, self.run.clock.now())
        if free.due is None:
            self._send_up_to(free.letters)
            return
        self.run.journal.postpone_channel(self.scope, free.answer(), free.due, only_due=True)
        self.tell(None, PostState.PLANNED, free.why)

    def _send_up_to(self, most: int) -> None:
        self._idle = True
        try:
            for post, result in self.letters.send_many(self._feed(most), self._begin):
                self._idle = False
                self._settle(post, result)
            if self._idle and not self._draining():
                self._put_off(TryLater("the channel took no letter and gave no reason", hint="report this bug"))
        except TryLater as err:
            self._put_off(err)
        except ChannelError as err:
            self.said(err)
            why = err if isinstance(err, Refused) else Refused(err.text, mendable=True, hint=err.hint)
            self.run.journal.refuse_channel(self.scope, why)
            self.tell(None, PostState.REFUSED, err.text)
        except JournalError:
            raise
        except Exception as err:  # noqa: BLE001  an adapter's bug says nothing about the world
            bug = self.surprise(err)
            much_later = self.run.clock.now() + timedelta(minutes=5)
            self.run.journal.postpone_channel(self.scope, TryLater(bug.text, hint=bug.hint), much_later)
            self.tell(None, PostState.PLANNED, bug.text)
        self.run.journal.forsake(self.scope, "the connection was given up without an answer")
        self._tasks.clear()

    def _put_off(self, err: TryLater) -> None:
        self.said(err)
        self.run.journal.postpone_channel(self.scope, err, self.run.clock.now() + backoff(3, err.after))
        self.tell(None, PostState.PLANNED, err.text)

    def _feed(self, most: int) -> Iterator[Post]:
        """Up to `most` letters that are due, block by block; ends when the run does, or early enough to drain."""
        after = 0
        while most and not self._draining():
            block = self.run.journal.letters(self.scope, PostState.PLANNED, min(BLOCK, most), after)
            if not block:
                return
            most -= len(block)
            wanted = self.run.journal.begin_block([task.post.id for task in block])
            for task in block:
                if self._draining():
                    return
                if task.post.id not in wanted:
                    continue
                self._tasks[task.post.id] = task
                yield task.post
            after = block[-1].post.id

    def _draining(self) -> bool:
        if self.run.stop.is_set():
            return True
        deadline = self.run.deadline
        if deadline is None:
            return False
        drain = min(max(DRAIN, 2 * self._slowest), DRAIN_SHARE * (deadline - self._began))
        return self.run.clock.monotonic() > deadline - drain

    def _begin(self, post: Post) -> None:
        self.run.journal.begin_letter(post.id)
        self._moved = self._in_flight[post.id] = self.run.clock.monotonic()

    @property
    def until(self) -> float:
        """The run's deadline; without one as long as letters move, and ten minutes for one whose content is on its way.

        RFC 5321 4.5.3.2.6 gives the answer to the dot that long; giving up earlier makes doubles.
        """
        if self.run.deadline is not None:
            return self.run.deadline
        return self._moved + (DOT if self._in_flight else PATIENCE)

    def _settle(self, post: Post, result: Receipt | ChannelError) -> None:
        journal = self.run.journal
        task = self._tasks.pop(post.id)
        begun = self._in_flight.pop(post.id, None)
        if begun is not None:
            self._slowest = max(self._slowest, self.run.clock.monotonic() - begun)
        if not isinstance(result, InDoubt):
            self._moved = self.run.clock.monotonic()
        if isinstance(result, Receipt):
            journal.sent(post.id, result, look_due=None, letter=True)
            self.tell(post, PostState.SENT)
            return
        err = self.said(result)
        if isinstance(err, TryLater):
            wait = wish(err.after) or GREYLIST * (1, 5, 15, 30, 60)[min(task.attempts, 4)]
            journal.later(post.id, err, self.run.clock.now() + wait, letter=True)
            self.tell(post, PostState.PLANNED, err.text)
        elif isinstance(err, Refused):
            journal.refused(post.id, err, letter=True)
            self.tell(post, PostState.REFUSED, err.text)
        else:
            journal.doubt(post.id, err.text, hint=err.hint, due=self._again(task), letter=True)
            self.tell(post, PostState.IN_DOUBT, err.text)

    def _again(self, task: Task) -> datetime | None:
        """When a letter in doubt is looked at again; None: at once, to ask the platform or a person.

        Where it would just be sent again, not in this run: a relay that loses its answers would get it without end.
        """
        if self.channel.caps.can_find:
            return None
        now = self.run.clock.now()
        repeat = isinstance(self.channel.find(task.post, None, now), Repeat)
        return now + backoff(task.doubts + 5, None) if repeat else None

    # -- looking -------------------------------------------------------------------------------------------------

    def _look(self) -> None:
        """A letter's fate can mostly not be asked: the config says whether it is sent again or held for a person."""
        for task in self.run.journal.letters(self.scope, PostState.IN_DOUBT, BLOCK):
            since = task.post.attempted_at or task.announced_at
            try:
                answer = self.channel.find(task.post, None, since)
            except TryLater as err:
                self._look_again(task, self.said(err).text, self.run.clock.now() + backoff(task.doubts + 1, err.after))
            except ChannelError as err:
                self._ask_person(task, self.said(err).text)
            except Exception as err:  # noqa: BLE001  an adapter's bug says nothing about the world
                self._ask_person(task, self.surprise(err).text)
            else:
                self._found(task, answer, ended(task, since))

    def _found(self, task: Task, answer: Look, since: datetime) -> None:
        now, post = self.run.clock.now(), task.post.id
        if isinstance(answer, Receipt):
            self.run.journal.sent(post, answer, look_due=None, letter=True)
        elif isinstance(answer, Absent) and now < since + answer.believe_after:
            self._look_again(task, "not found yet; it may still turn up", since + answer.believe_after)
        elif not isinstance(answer, Repeat | Absent):
            # A letter has no drafts: an Unfinished tells as little as a CannotTell.
            self._ask_person(task, getattr(answer, "why", "nobody can tell whether it arrived"))
        elif isinstance(answer, Repeat) and task.announced_at < now - self.run.expires:
            self._ask_person(task, "it may have arrived, and it is too old to be sent again")
        elif task.doubts >= MOST_DOUBTS:
            self._ask_person(task, f"it was sent {task.doubts} times and each time the answer was lost")
        else:
            why = answer.why if isinstance(answer, Repeat) else "it was looked for and is not out"
            self.run.journal.again(post, why, letter=True)

    def _look_again(self, task: Task, why: str, due: datetime) -> None:
        self.run.journal.looked(task.post.id, why, due=due, person=False)

    def _ask_person(self, task: Task, why: str) -> None:
        hint = f"outagecast settle {task.post.id} --sent | --resend | --drop"
        self.run.journal.looked(task.post.id, why, due=None, person=True, hint=hint)
