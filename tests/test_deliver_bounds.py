"""What bounds a run: how often it tries and looks, how long it waits, and what it never repeats otherwise."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, ClassVar

import pytest

from outagecast.channel import Absent, Capabilities, InDoubt, Receipt, Refused, Replies, ReplyControl, TryLater
from outagecast.deliver import PATIENCE, deliver
from outagecast.deliver.courier import Run
from outagecast.deliver.letters import GREYLIST, LetterCourier
from outagecast.deliver.posts import MOST_DOUBTS
from outagecast.deliver.upkeep import MOST_LOOKS
from outagecast.journal import Journal
from outagecast.model import PostState
from outagecast.report import announcement_report
from tests import test_deliver_machine as machine
from tests.journal_kit import letters, news, posts, put, row
from tests.test_deliver_machine import NEVER, Time

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class Feed:
    """Answers every send, and every look at replies, in the one way it was told to."""

    caps: ClassVar = Capabilities(ReplyControl.ATOMIC, threads=True, can_find=True)
    name = "feed"

    def __init__(self, answer: object, replies: object = Replies.CLOSED) -> None:
        self.answer, self.replies = answer, replies
        self.parents: list[object] = []

    def send(self, _post: object, parent: object, _remember: object) -> object:
        self.parents.append(parent)
        return _said(self.answer)

    def find(self, *_: object) -> object:
        return Absent(timedelta(0))

    def close_replies(self, _receipt: object) -> object:
        return _said(self.replies)

    def close(self) -> None:
        pass


class Mail(Feed):
    caps: ClassVar = Capabilities(ReplyControl.NATIVE, letters=True)
    name = "mail"

    def send_many(self, taken: Iterator[object], begin: object) -> Iterator[object]:
        for post in taken:
            begin(post)  # type: ignore[operator]  # the journal's mark
            yield post, self.answer


def _said(answer: object) -> object:
    if isinstance(answer, list):
        answer = answer.pop() if answer else Receipt("1")
    if isinstance(answer, Exception):
        raise answer
    return answer


@pytest.fixture
def clock() -> Time:
    return Time()


@pytest.fixture
def journal(tmp_path: Path, clock: Time) -> Iterator[Journal]:
    with Journal(tmp_path / "journal.db", clock.now) as one:
        yield one


def run(journal: Journal, clock: Time, channel: Feed, **more: object) -> None:
    """One run, as by a process of its own."""
    with Journal(journal.path, clock.now) as mine:
        deliver(mine, {channel.name: channel}, announcements=None, expires=NEVER, clock=clock, **more)  # type: ignore[arg-type]  # small


def test_after_so_many_doubts_a_person_decides(journal: Journal, clock: Time) -> None:
    journal.plan(news(at=clock.now()), [posts("a")])
    feed = Feed([InDoubt("cut off")] * MOST_DOUBTS)
    run(journal, clock, feed)
    assert len(feed.parents) == MOST_DOUBTS
    assert (row(journal, 1)["state"], row(journal, 1)["person"]) == ("in-doubt", 1)


def test_replies_that_cannot_be_read_are_looked_at_only_so_often(journal: Journal, clock: Time) -> None:
    journal.plan(news(at=clock.now()), [posts("a")])
    for _ in range(MOST_LOOKS + 2):
        run(journal, clock, Feed(Receipt("1"), TryLater("busy")))
        clock.wait(_never(), 600)
    assert (row(journal, 1)["looks"], row(journal, 1)["look_due"]) == (MOST_LOOKS, None)


def test_a_wait_that_was_asked_for_does_not_make_the_next_one_longer(journal: Journal, clock: Time) -> None:
    journal.plan(news(at=clock.now()), [posts("a")])
    put(journal, 1, attempts=8, waits=8)
    run(journal, clock, Feed(TryLater("no way", limited=False)), deadline=1)
    left = journal.tasks(_all())[0].due
    assert left is not None
    assert left - clock.now() < timedelta(seconds=3)


def test_a_repeat_hangs_where_the_attempt_in_doubt_hung(journal: Journal, clock: Time) -> None:
    journal.plan(news(at=clock.now()), [posts("a")])
    run(journal, clock, Feed(Receipt("1")))
    journal.plan(news("more", seq=1, at=clock.now()), [posts("b")])
    put(journal, 2, doubts=1)
    feed = Feed(Receipt("2"))
    run(journal, clock, feed)
    assert feed.parents == [None]


def test_no_secret_gets_into_a_hint(journal: Journal, clock: Time) -> None:
    journal.plan(news(at=clock.now()), [posts("a")])
    run(journal, clock, Feed(Refused("no", hint="try s3cret")), mask=lambda text: text.replace("s3cret", "***"))
    assert row(journal, 1)["hint"] == "try ***"


def test_the_worst_of_a_threads_replies_is_told(journal: Journal, clock: Time) -> None:
    planned = journal.plan(news(at=clock.now()), [posts("a", "b")])
    put(journal, 1, state="sent", ref="1", replies="closed")
    put(journal, 2, state="sent", ref="2", replies="open")
    assert announcement_report(journal, journal.announcement(planned)).channels[0].replies is Replies.OPEN


def test_a_relay_says_how_long_a_letter_waits(journal: Journal, clock: Time) -> None:
    journal.plan(news(at=clock.now()), [letters("ann@example.org")])
    run(journal, clock, Mail(TryLater("greylisted", after=10 * GREYLIST)), deadline=1)
    due = journal.next_letter(_all())
    assert due is not None
    assert due - clock.now() > 9 * GREYLIST


def test_whoever_unsubscribes_before_the_block_is_marked_gets_no_letter(journal: Journal, clock: Time) -> None:
    journal.plan(news(at=clock.now()), [letters("ann@example.org", "bo@example.com")])
    courier = _courier(journal, clock)
    begin = journal.begin_block
    journal.begin_block = lambda ids: (journal.unsubscribe(["ann@example.org"]), begin(ids))[1]  # type: ignore[method-assign]  # just then
    assert [post.to for post in courier._feed(9)] == ["bo@example.com"]


def test_letters_go_on_as_long_as_they_move(journal: Journal, clock: Time) -> None:
    journal.plan(news(at=clock.now()), [letters("ann@example.org")])
    courier = _courier(journal, clock)
    clock.wait(_never(), 2 * PATIENCE)
    (post,) = courier._feed(9)
    courier._begin(post)
    courier._settle(post, Receipt("1"))
    assert courier.until == pytest.approx(clock.monotonic() + PATIENCE)
    assert row(journal, 1)["state"] == PostState.SENT


def _courier(journal: Journal, clock: Time) -> LetterCourier:
    from threading import Event, Lock

    shared = Run(journal, clock, Event(), Lock(), lambda _event: None, lambda text: text, None, None, NEVER)
    return LetterCourier(shared, Mail(Receipt("1")))  # type: ignore[arg-type]  # small


def _all() -> object:
    from outagecast.journal import Scope

    return Scope()


def _never() -> object:
    from threading import Event

    return Event()


class Closed(machine.Feed):
    """A laptop is closed between the mark on the disk and the request."""

    def send(self, *given: Any) -> Receipt:
        self.world.clock.wait(_never(), 600)
        return super().send(*given)


def test_an_attempt_that_was_slept_through_is_as_young_as_its_end(journal: Journal, clock: Time) -> None:
    journal.plan(news(at=clock.now()), [posts("fiber cut")])
    world = machine.World(clock, answers=[machine.Say.LANDED], lag=30)
    channels = {"feed": Closed(world)}
    deliver(journal, channels, announcements=None, expires=NEVER, clock=clock)  # type: ignore[arg-type]  small
    assert len(world.public) == 1
    assert row(journal, 1)["state"] == PostState.IN_DOUBT
