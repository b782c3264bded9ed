"""What follows when a post is out: its replies are closed and looked at, it is given other words, it is taken back.

All of it can be repeated, and none of it changes that the post is out.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from msgspec.structs import replace

from outagecast.channel import Edits, Sweeps
from outagecast.deliver.clock import backoff
from outagecast.deliver.courier import Courier, Step
from outagecast.errors import ChannelError, InDoubt, JournalError, Refused, TryLater
from outagecast.model import MOST_LOOKS, PostState, Receipt, Replies, ReplyControl

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from datetime import datetime, timedelta

    from outagecast.channel import Channel
    from outagecast.deliver.courier import Run
    from outagecast.journal import AnnouncementRow, Journal, Task
    from outagecast.model import Act

MOST_TRIES = 8
"""After so many failures in a row a person is told, or it is left; each later run tries once more."""


def unseen(known: Replies, control: ReplyControl | None) -> Replies:
    """What is still known of replies after a look that failed; `control` is None where the channel cannot be opened.

    What is closed in the publishing request (ATOMIC) stays as it was read back: no call can open it again. What takes
    a look to be true is no longer known: comments may stand that no sweep has seen.
    """
    if known is Replies.MODERATED or control is ReplyControl.MODERATED:
        return Replies.OPEN
    if known is Replies.CLOSED and control in {ReplyControl.AFTER, ReplyControl.CHANNEL}:
        return Replies.UNVERIFIED
    return known


def wishes(err: ChannelError) -> bool:
    """Whether a platform has asked to be left alone for a while: then it is, on all of the channel."""
    return isinstance(err, TryLater) and (err.limited or err.after is not None)


def ended(task: Task, since: datetime) -> datetime:
    """When an attempt that began at `since` was over, as far as is known: how old an empty look is counts from then."""
    return max(since, task.doubted_at or since)


def sweep_next(hint: str) -> str:
    """The hint of a look that is finished with: after that only `sweep` looks again, `resume` does not."""
    hint = hint.replace("outagecast resume", "outagecast sweep")
    return hint if "outagecast sweep" in hint else f"{hint}{', then: ' if hint else ''}outagecast sweep"


_SETTLE = "outagecast settle POST --drop"


class UpkeepCourier(Courier):
    """Does what follows for the posts of one channel."""

    cut_short = False
    """Whether the last look was told to give way: then it counts for nothing."""

    def __init__(self, run: Run, channel: Channel) -> None:
        super().__init__(run, channel)
        self.unsearched: list[str] = []
        """Why strangers' words could not all be looked for, each reason once."""

    def upkeep(self, tasks: Sequence[Task]) -> Iterator[Step]:
        """What is to be taken back, newest first, then what is to get other words."""
        for task in reversed(tasks):
            # Deleting the root of a conversation opens what hangs below it to everybody's replies.
            if task.retract_due and not (self.channel.caps.threads and self.run.journal.holds(task.post.id)):
                yield Step(self._again(task, task.retract_due), partial(self._retract, task))
        for task in tasks:
            if task.amend_due and not task.retract_due:
                yield Step(self._again(task, task.amend_due), partial(self._amend, task))

    def _again(self, task: Task, due: datetime) -> datetime:
        """When its turn is; at once where the last try lies in the future: then the clock was set back."""
        now = self.run.clock.now()
        return now if task.last_at is not None and task.last_at > now else due

    # -- taking back ---------------------------------------------------------------------------------------------

    def _retract(self, task: Task) -> None:
        """Delete a post, then write that down. Killed between the two it is deleted again: gone is success."""
        try:
            self.channel.retract(_receipt(task))
        except (TryLater, InDoubt) as err:
            self._retract_later(task, self.said(err))
        except Refused as err:
            self._keep(task, err)
        except JournalError:
            raise
        except Exception as err:  # noqa: BLE001  an adapter's bug says nothing about the world
            self._keep(task, Refused(self.surprise(err).text, mendable=True))
        else:
            self.run.journal.retracted(task.post.id)
            self.tell(task.post, PostState.RETRACTED)

    def _retract_later(self, task: Task, err: ChannelError) -> None:
        if task.tries + 1 >= MOST_TRIES:
            self._keep(task, Refused(err.text, mendable=True, hint=err.hint))
            return
        due = self.run.clock.now() + backoff(task.tries + 1, getattr(err, "after", None))
        self.run.journal.retract_later(task.post.id, TryLater(err.text, hint=err.hint), due)
        self.tell(task.post, PostState.SENT, err.text)

    def _keep(self, task: Task, err: Refused) -> None:
        self.said(err)
        self.run.journal.retract_refused(task.post.id, err)
        self.tell(task.post, PostState.SENT, err.text)

    # -- other words ---------------------------------------------------------------------------------------------

    def _amend(self, task: Task) -> None:
        """Give the first post of an incident the words that say where things stand."""
        latest = self.run.journal.latest_after(task)
        shows = latest.id if latest else None
        try:
            text = self._words(task, latest)
            if text != (task.post.text if task.shown is None else task.shown):
                # Killed from here on, or without an answer, nobody knows what it shows.
                self.run.journal.amend_begun(task.post.id, shows)
                self._editor().amend(_receipt(task), text)
        except (TryLater, InDoubt) as err:
            self._amend_later(task, self.said(err))
        except Refused as err:
            self._leave(task, err, task.shown)
        except JournalError:
            raise
        except Exception as err:  # noqa: BLE001  an adapter's bug says nothing about the world
            self._leave(task, Refused(self.surprise(err).text), "")
        else:
            self.run.journal.amended(task.post.id, text, shows)

    def _amend_later(self, task: Task, err: ChannelError) -> None:
        if task.tries + 1 >= MOST_TRIES:
            self._leave(task, Refused(err.text, mendable=True, hint=err.hint), "")
            return
        due = self.run.clock.now() + backoff(task.tries + 1, getattr(err, "after", None))
        self.run.journal.amend_later(task.post.id, TryLater(err.text, hint=err.hint), due)
        self.tell(task.post, PostState.SENT, err.text)

    def _leave(self, task: Task, err: Refused, shown: str | None) -> None:
        self.said(err)
        self.run.journal.amend_refused(task.post.id, err, shown)
        self.tell(task.post, PostState.SENT, err.text)

    def _words(self, task: Task, latest: AnnouncementRow | None) -> str:
        if latest is None:
            return task.post.text
        return self._editor().amended(task.post, self.run.journal.whole(latest, self.channel.name))

    def _editor(self) -> Edits:
        if not isinstance(self.channel, Edits):
            raise Refused("this type of channel cannot give a post other words any more")
        return self.channel

    # -- replies -------------------------------------------------------------------------------------------------

    def look(self, task: Task, *, sweep: bool) -> ChannelError | None:
        """Look at its replies, strangers' included in a `sweep`; why that failed. It is out whatever comes of this.

        One that was `cut_short` changes nothing.
        """
        log = self._log(task)
        try:
            replies = self._asked(task, log, sweep=sweep)
        except ChannelError as err:
            return self._not_looked(task, log, self.said(err), again=isinstance(err, TryLater))
        except JournalError:
            raise
        except Exception as err:  # noqa: BLE001  an adapter's bug says nothing about the world
            return self._not_looked(task, log, self.surprise(err), again=True)
        self.cut_short = log.cut_short
        if not log.cut_short:
            self._looked(task, replies)
        return None

    def _looked(self, task: Task, replies: Replies | None) -> None:
        known = _receipt(task).replies if replies is None else replies
        self.run.journal.replies(task.post.id, known, due=None, asked=replies is not None)
        self.tell(task.post, PostState.SENT, f"replies {known}", _receipt(task).url)

    def _not_looked(self, task: Task, log: Log, err: ChannelError, *, again: bool) -> ChannelError:
        """A look that failed; one that was cut short has not, whatever it says."""
        self.cut_short = log.cut_short
        task = _as_read(task, log.setting)
        if self.cut_short:
            return err
        if again:
            self._verify_later(task, err, getattr(err, "after", None))
        else:
            self.not_seen(task, err, None, last=True)
        return err

    def _asked(self, task: Task, log: Log, *, sweep: bool) -> Replies | None:
        if sweep and isinstance(self.channel, Sweeps):
            return self.channel.sweep(_receipt(task), log)
        return self.channel.close_replies(_receipt(task))

    def _log(self, task: Task) -> Log:
        what = "comment" if self.channel.caps.replies is ReplyControl.MODERATED else "reply"
        return Log(self.run.journal, task.post.id, what, self._is_to_end, self.unsearched)

    def _is_to_end(self) -> bool:
        """Whether the run is over, or another outagecast waits for a look that is not part of publishing."""
        return self.run.stop.is_set() or (self.looking and self.run.gave_way.is_set())

    def _verify_later(self, task: Task, err: ChannelError, after: timedelta | None) -> None:
        again = self.run.clock.now() + backoff(task.looks + 1, after)
        if task.looks + 1 < MOST_LOOKS:
            self.not_seen(task, err, again)
        else:
            # Whoever wishes to be left alone for a while is left alone all the same.
            self.not_seen(task, err, again if wishes(err) else None, last=True)

    def not_seen(
        self, task: Task, err: ChannelError, due: datetime | None, *, last: bool = False, asked: bool = True
    ) -> None:
        """Write down that a look has failed, and what is still known after that; after the `last` a person is told.

        `POST` in its hint stands for the post's id.
        """
        receipt = _receipt(task)
        if last and "outagecast settle " not in err.hint:
            err = Refused(err.text, hint=f"{sweep_next(err.hint)}; if the post itself is gone: {_SETTLE}")
        replies = unseen(receipt.replies, self.channel.caps.replies)
        hint = err.hint.replace("settle POST ", f"settle {task.post.id} ")
        self.run.journal.replies(task.post.id, replies, due=due, why=err.text, hint=hint, asked=asked)
        self.tell(task.post, PostState.SENT, err.text, receipt.url)


class Log:
    """What a sweep of a post writes into the journal; `what` is the name of what strangers leave there."""

    def __init__(
        self, journal: Journal, post: int, what: str, is_to_end: Callable[[], bool], unsearched: list[str]
    ) -> None:
        self._journal = journal
        self._post = post
        self._what = what
        self._is_to_end = is_to_end
        self._unsearched = unsearched
        self.setting: Replies | None = None
        """As it was read back, if it was."""
        self.cut_short = False
        """It was told to give way: some of it is left."""

    def done(self, act: Act, ref: str) -> None:
        """One more is hidden or deleted."""
        self._journal.acted(self._post, act, f"{self._what} {ref}")

    def has(self, ref: str) -> bool:
        """Whether a sweep has done so already."""
        return self._journal.has_acted(self._post, f"{self._what} {ref}")

    def unsearched(self, why: str) -> None:
        """Not all of them can be looked for."""
        self._journal.unsearched(self._post, why)
        why = self._journal.mask(why)
        if why not in self._unsearched:
            self._unsearched.append(why)

    def give_way(self) -> bool:
        """Whether another command waits, or this one is over."""
        self.cut_short |= self._is_to_end()
        return self.cut_short

    def read(self, replies: Replies) -> None:
        """What the setting is."""
        self.setting = replies


def _as_read(task: Task, setting: Replies | None) -> Task:
    """A post of which no less is feared than what its setting was read back as."""
    receipt = _receipt(task)
    worst = max(receipt.replies, setting or receipt.replies, key=list(Replies).index)
    return replace(task, receipt=replace(receipt, replies=worst))


def _receipt(task: Task) -> Receipt:
    assert task.receipt is not None  # noqa: S101  only what has one is ever due
    return task.receipt
