"""Single posts: looked up when in doubt, sent once, verified; strictly in order within an incident."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from msgspec.structs import replace

from outagecast.deliver.clock import backoff
from outagecast.deliver.courier import Step
from outagecast.deliver.sweeps import SweepCourier
from outagecast.deliver.upkeep import ended
from outagecast.errors import ChannelError, JournalError, Refused, TryLater
from outagecast.model import Absent, PostState, Receipt, ReplyControl, Unfinished

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from outagecast.channel import Look
    from outagecast.journal import Task

MOST_DOUBTS = 3
"""doubt -> not found -> planned -> doubt: after so many rounds a person decides."""
BARE = "without the picture: this type of channel takes none"


class PostCourier(SweepCourier):
    """Carries the posts of one channel."""

    def next_step(self) -> Step | None:
        """The step that is due first; at the same time posts come first, then what is taken back, then the looks.

        Sweeps come when nothing else is left to be done in time, or are all there is to do.
        """
        if self.run.looks_only:
            return self.next_sweep() or self._first(self.looks(self.run.journal.tasks(self.scope)))
        tasks = self.run.journal.tasks(self.scope)
        step = self._first([*self._posts(tasks), *self.upkeep(tasks), *self.looks(tasks)])
        return step if step is not None and self.in_time(step) else self.next_sweep() or step

    def _first(self, steps: Iterable[Step]) -> Step | None:
        now = self.run.clock.now()
        return min(steps, key=lambda step: max(step.due, now), default=None)

    def _posts(self, tasks: Iterable[Task]) -> Iterable[Step]:
        now = self.run.clock.now()
        busy: set[int] = set()
        broken: set[int] = set()
        for task in tasks:
            if task.state is PostState.SENT:
                continue
            if task.state is PostState.REFUSED or task.person:
                broken.add(task.announcement)
            elif task.incident not in busy and task.announcement not in broken:
                # Whatever comes later in this incident hangs under this one, or would tell its news first.
                busy.add(task.incident)
                if task.state is PostState.IN_DOUBT:
                    yield Step(self._due(task), partial(self._look, task))
                elif task.announced_at < now - self.run.expires:
                    yield Step(now, self.expire)
                else:
                    yield Step(self._due(task), partial(self._send, task))

    def _due(self, task: Task) -> datetime:
        """When its turn is; at once where its last attempt lies in the future: then the clock was set back."""
        now = self.run.clock.now()
        back = task.post.attempted_at is not None and task.post.attempted_at > now
        return now if back or task.due is None else task.due

    # -- sending -------------------------------------------------------------------------------------------------

    def _send(self, task: Task) -> None:
        """`begin` is committed, then `send`, then its answer; nothing stands between."""
        journal = self.run.journal
        parent_id, parent = self._parent(task)
        self.tell(task.post, PostState.SENDING)
        journal.begin(task.post.id, parent_id)
        try:
            answer = self.channel.send(task.post, parent, partial(journal.remember, task.post.id))
        except ChannelError as err:
            self._unsent(task, self.said(err))
        except JournalError:
            raise  # a step could not be remembered: the post stays `sending`, which the next run doubts
        except Exception as err:  # noqa: BLE001  an adapter's bug says nothing about the world
            self._unsent(task, self.surprise(err))
        else:
            self._sent(task, answer)

    def _parent(self, task: Task) -> tuple[int | None, Receipt | None]:
        """What it hangs under. After a doubt the same as then: a repeat must be identical to be recognised."""
        if not self.channel.caps.threads:
            return None, None
        if task.doubts:
            return task.parent, self.run.journal.receipt(task.parent) if task.parent else None
        return self.run.journal.parent(task) or (None, None)

    def _sent(self, task: Task, receipt: Receipt) -> None:
        look = self.channel.caps.replies not in {ReplyControl.NATIVE, ReplyControl.NONE}
        notes = (self.run.mask(receipt.note or ""), BARE if task.bare else "")
        receipt = replace(receipt, note="; ".join(filter(None, notes)) or None)
        try:
            self.run.journal.sent(task.post.id, receipt, look_due=self.run.clock.now() if look else None)
        except JournalError as err:
            where = receipt.url or receipt.ref
            raise JournalError(
                f"post {task.post.id} is out ({where}), but that is not written down: {err.text}"
            ) from err
        self.seen.add(task.post.id)
        self.fresh.add(task.post.id)
        self.tell(task.post, PostState.SENT, receipt.note or "", receipt.url)

    def _unsent(self, task: Task, err: ChannelError) -> None:
        journal, now, post = self.run.journal, self.run.clock.now(), task.post.id
        if isinstance(err, TryLater):
            failed = task.attempts + 1 - task.waits
            journal.later(post, err, now + backoff(failed, err.after))
            self.tell(task.post, PostState.PLANNED, err.text)
        elif isinstance(err, Refused):
            journal.refused(post, err)
            self.tell(task.post, PostState.REFUSED, err.text)
        else:
            journal.doubt(post, err.text, hint=err.hint, due=None)
            self.tell(task.post, PostState.IN_DOUBT, err.text)

    # -- looking -------------------------------------------------------------------------------------------------

    def _look(self, task: Task) -> None:
        """Ask the platform whether it is out. A look that fails never changes what is known of the post."""
        since = task.post.attempted_at or task.announced_at
        if ended(task, since) > self.run.clock.now():
            self.run.journal.attempted_now(task.post.id)
            return
        parent = self.run.journal.receipt(task.parent) if task.parent else None
        try:
            answer = self.channel.find(task.post, parent, since)
        except TryLater as err:
            self.said(err)
            self._look_again(task, err.text, self.run.clock.now() + backoff(task.doubts + 1, err.after))
        except ChannelError as err:
            self.said(err)
            self._ask_person(task, err.text)
        except JournalError:
            raise
        except Exception as err:  # noqa: BLE001  an adapter's bug says nothing about the world
            self._ask_person(task, self.surprise(err).text)
        else:
            # The request may have gone out, and been taken, at any time until the attempt ended: a machine can sleep.
            self._found(task, answer, ended(task, since))

    def _found(self, task: Task, answer: Look, since: datetime) -> None:
        if isinstance(answer, Receipt):
            self._sent(task, answer)
        elif isinstance(answer, Unfinished):
            self.run.journal.remember(task.post.id, answer.token)
            self.run.journal.again(task.post.id, "a draft of it was found; publishing goes on from there")
            self.run.journal.supersede(self.scope)
        elif isinstance(answer, Absent):
            self._absent(task, since + answer.believe_after)
        else:
            # Repeat is for letters; for a post that anybody may see twice, a person decides.
            self._ask_person(task, answer.why)

    def _absent(self, task: Task, believed: datetime) -> None:
        if self.run.clock.now() < believed:
            self._look_again(task, "not found yet; it may still turn up", believed)
        elif task.doubts >= MOST_DOUBTS:
            self._ask_person(task, f"{task.post.text[:40]!r} was sent {task.doubts} times without a clear answer")
        else:
            self.run.journal.again(task.post.id, "it was looked for and is not out")
            self.run.journal.supersede(self.scope)

    def _look_again(self, task: Task, why: str, due: datetime) -> None:
        self.run.journal.looked(task.post.id, why, due=due, person=False)
        self.tell(task.post, PostState.IN_DOUBT, why)

    def _ask_person(self, task: Task, why: str) -> None:
        hint = f"look whether it is out, then: outagecast settle {task.post.id} --sent | --resend | --drop"
        self.run.journal.looked(task.post.id, why, due=None, person=True, hint=hint)
        self.tell(task.post, PostState.IN_DOUBT, self.run.mask(why))
