"""What a sweep may cost: time, other channels' time, and other runs' patience; and what a run that it cuts off leaves."""

from __future__ import annotations

import contextlib
import threading
import time
from datetime import timedelta
from typing import TYPE_CHECKING, Any, ClassVar

import pytest

from outagecast.channel import Act, Capabilities, Receipt, Refused, Replies, ReplyControl, TryLater
from outagecast.deliver import Ended, Sweeping, deliver
from outagecast.deliver.sweeps import SWEEPING
from outagecast.journal import Journal, RunOverError
from outagecast.model import MOST_LOOKS
from outagecast.report import announcement_report
from tests import test_deliver_machine as machine
from tests.journal_kit import NOW, history, letters, news, posts, row

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from outagecast.channel import SweepLog
    from tests.test_deliver_machine import Time


class Page:
    """A channel that sweeps; `then` happens in each sweep."""

    caps: ClassVar = Capabilities(ReplyControl.MODERATED, can_find=True)

    def __init__(self, name: str = "feed", then: Callable[[Receipt, SweepLog], None] = lambda *_: None) -> None:
        self.name, self.then = name, then
        self.swept: list[str] = []

    def send(self, post: Any, _parent: object, _remember: object) -> Receipt:
        return Receipt(post.text)

    def sweep(self, receipt: Receipt, log: SweepLog) -> Replies:
        self.swept.append(receipt.ref)
        self.then(receipt, log)
        return Replies.MODERATED

    def close(self) -> None:
        """Nothing is kept open."""


class Closed(Page):
    """A channel whose replies were closed by the request that published."""

    caps: ClassVar = Capabilities(ReplyControl.ATOMIC, can_find=True)

    def close_replies(self, _receipt: Receipt) -> Replies:
        self.swept.append("read")
        return Replies.CLOSED


@pytest.fixture
def clock() -> Time:
    return machine.Time()


@pytest.fixture
def journal(tmp_path: Path, clock: Time) -> Iterator[Journal]:
    with Journal(tmp_path / "journal.db", clock.now) as one:
        yield one


def run(journal: Journal, clock: Time, *pages: Page, impatient: bool = False, **more: Any) -> Ended:
    channels = {page.name: page for page in pages}
    sweeping = Sweeping(NOW - machine.NEVER, impatient=impatient)
    more = {"announcements": None, "sweeping": sweeping, **more}
    return deliver(journal, channels, expires=machine.NEVER, clock=clock, **more)  # type: ignore[arg-type]


def published(journal: Journal, clock: Time, number: int = 3, *names: str) -> None:
    """So many announcements, out on each channel, and looked at."""
    for seq in range(number):
        journal.plan(
            news(f"{seq}", seq=seq, at=clock.now()), [posts(f"{seq}", name=name) for name in names or ["feed"]]
        )
    for name in names or ["feed"]:
        run(journal, clock, Page(name), sweeping=None)
        reopen(journal)


def reopen(journal: Journal) -> None:
    """Another run: the fence of the last one is gone with its process."""
    journal._fenced = False


def replies(journal: Journal, number: int = 3) -> list[tuple[str, bool]]:
    """What is known of each post, and whether another look is due."""
    return [(row(journal, post)["replies"], bool(row(journal, post)["look_due"])) for post in range(1, number + 1)]


def test_a_platform_that_hangs_holds_a_command_for_no_longer_than_its_share(journal: Journal, clock: Time) -> None:
    published(journal, clock)
    let_go = threading.Event()

    def hang(*_: object) -> None:
        clock.wait(threading.Event(), SWEEPING + 0.1)
        let_go.wait(30)

    page = Page(then=hang)
    ended = run(journal, clock, page)
    let_go.set()
    assert (page.swept, list(ended.unswept), ended.unseen) == (["2"], ["feed"], [3])
    assert replies(journal) == [("moderated", False), ("moderated", False), ("open", True)]


def test_sweeps_get_their_share_together_and_not_each(journal: Journal, clock: Time) -> None:
    published(journal, clock, 9)
    page = Page(then=lambda *_: clock.wait(threading.Event(), SWEEPING / 3) and None)
    run(journal, clock, page)
    assert len(page.swept) <= 4


def test_with_a_deadline_they_get_what_is_left_of_it(journal: Journal, clock: Time) -> None:
    published(journal, clock, 9)
    page = Page(then=lambda *_: clock.wait(threading.Event(), SWEEPING / 3) and None)
    run(journal, clock, page, deadline=600)
    assert len(page.swept) == 9


@pytest.mark.parametrize("err", [TryLater("busy"), Refused("no right")])
def test_one_channel_s_trouble_is_not_another_s(journal: Journal, clock: Time, err: Exception) -> None:
    published(journal, clock, 2, "feed", "page")

    def fail(*_: object) -> None:
        raise err

    broken, good = Page("feed", fail), Page("page")
    ended = run(journal, clock, broken, good)
    assert (good.swept, list(ended.unswept)) == (["1", "0"], ["feed"])
    assert len(broken.swept) == (1 if isinstance(err, TryLater) else 2), "a refusal may be about that one post"


def test_asked_for_by_itself_a_sweep_tries_every_post_but_not_against_a_rate_limit(
    journal: Journal, clock: Time
) -> None:
    published(journal, clock)

    def limit(*_: object) -> None:
        raise TryLater("wait", limited=True)

    page = Page(then=limit)
    run(journal, clock, page, looks_only=True, impatient=True, deadline=1)
    assert page.swept == ["2"]
    assert replies(journal) == [("open", True)] * 3
    assert row(journal, 1)["detail"] == "wait"


def test_what_a_platform_asked_to_wait_with_is_left_alone_until_then(journal: Journal, clock: Time) -> None:
    published(journal, clock, 1)

    def limit(*_: object) -> None:
        raise TryLater("wait", limited=True, after=machine.DISBELIEF)

    run(journal, clock, Page(then=limit))
    reopen(journal)
    page = Page()
    run(journal, clock, page, looks_only=True)
    assert page.swept == []
    clock.wait(threading.Event(), 61)
    reopen(journal)
    run(journal, clock, page, looks_only=True)
    assert (page.swept, replies(journal, 1)) == (["0"], [("moderated", False)])


def test_a_sweep_that_gives_way_leaves_the_rest_as_it_was(journal: Journal, clock: Time) -> None:
    published(journal, clock)
    asked, seen = threading.Event(), threading.Event()

    def wait(*_: object) -> None:
        asked.set()
        assert seen.wait(30)

    def give_way() -> bool:
        if asked.is_set():
            seen.set()
        return asked.is_set()

    page = Page(then=wait)
    ended = run(journal, clock, page, looks_only=True, give_way=give_way)
    assert (ended.gave_way, ended.unswept) == (True, {})
    assert len(page.swept) < 3
    assert replies(journal) == [("moderated", False)] * 3


def test_a_sweep_that_is_cut_off_by_its_deadline_owns_up_to_all_that_it_did_not_see(
    journal: Journal, clock: Time
) -> None:
    published(journal, clock)
    let_go = threading.Event()

    def hang(*_: object) -> None:
        clock.wait(threading.Event(), 6)
        let_go.wait(30)

    run(journal, clock, Page(then=hang), looks_only=True, deadline=5)
    let_go.set()
    assert replies(journal) == [("open", True)] * 3


def test_what_has_just_gone_out_is_looked_at_once(journal: Journal, clock: Time) -> None:
    journal.plan(news(at=clock.now()), [posts("a"), posts("b", name="closed")])
    page, closed = Page(), Closed("closed")
    run(journal, clock, page, closed)
    assert (page.swept, closed.swept) == (["a"], ["read"])


def test_nothing_is_due_while_a_run_is_sweeping_so_a_kill_leaves_nothing(journal: Journal, clock: Time) -> None:
    published(journal, clock)
    due: list[int] = []

    def look(*_: object) -> None:
        with journal.reading() as db:
            due.append(db.execute("SELECT count(*) FROM post WHERE look_due IS NOT NULL").fetchone()[0])

    run(journal, clock, Page(then=look))
    assert due == [0, 0, 0]


def test_each_act_is_written_down_at_once_and_counted_once_and_changes_nothing_else(
    journal: Journal, clock: Time
) -> None:
    published(journal, clock, 1)
    before = row(journal, 1)
    found: list[object] = []

    def act(_receipt: Receipt, log: SweepLog) -> None:
        found.append(log.has("5_6"))
        log.done(Act.HIDDEN, "5_6")
        found.append((log.has("5_6"), history(journal, 1).count("hidden"), row(journal, 1) == before))
        log.done(Act.HIDDEN, "5_6")
        log.done(Act.DELETED, "5_7")
        log.unsearched("no tier")
        log.unsearched("no tier")

    line = journal.last_line()
    run(journal, clock, Page(then=act))
    assert found == [False, (True, 1, True)]
    assert [one.text for one in journal.acts(line)] == ["1 comment hidden on feed", "1 comment deleted on feed"]
    assert history(journal, 1).count("unsearched") == 1


def test_who_asks_for_young_posts_never_goes_through_letters(journal: Journal) -> None:
    journal.plan(news(), [posts("a"), letters("ann@example.org")])
    with journal.reading() as db:
        asked: list[str] = []
        db.set_trace_callback(asked.append)
        journal.young(machine.EVERYTHING, NOW)
        journal.young_channels(machine.EVERYTHING, NOW)
        db.set_trace_callback(None)
        plans = [step["detail"] for line in asked for step in db.execute(f"EXPLAIN QUERY PLAN {line}")]
    assert any("post" in step or "p USING" in step for step in plans)
    assert not [step for step in plans if step.startswith(("SCAN p", "SCAN w", "SCAN a"))], plans


@pytest.mark.parametrize("asked", [{"looks_only": True}, {}], ids=["a sweep", "the sweep at the end of a command"])
def test_a_platform_that_hangs_is_left_behind_when_another_outagecast_waits(
    journal: Journal, clock: Time, asked: dict[str, Any]
) -> None:
    published(journal, clock)
    hangs, let_go, over = threading.Event(), threading.Event(), threading.Event()

    def hang(_receipt: Receipt, log: SweepLog) -> None:
        hangs.set()
        let_go.wait(30)
        with contextlib.suppress(RunOverError):
            log.done(Act.HIDDEN, "5_6")
        over.set()
        raise TryLater("it took too long")

    sweeping = Sweeping(NOW - machine.NEVER, wanted=hangs.is_set)
    begun = time.monotonic()
    ended = run(journal, clock, Page(then=hang), sweeping=sweeping, give_way=hangs.is_set if asked else _never, **asked)
    took = time.monotonic() - begun
    let_go.set()
    assert over.wait(30)
    assert took < 2
    assert (ended.gave_way, ended.unswept, ended.unseen, ended.left_behind) == (True, {}, [], ["feed"])
    assert ended.unreached == {"feed": 3}
    assert replies(journal) == [("moderated", False)] * 3
    assert "hidden" not in history(journal, 3)


def test_a_sweep_gives_way_between_two_requests_and_its_end_counts_for_nothing(journal: Journal, clock: Time) -> None:
    published(journal, clock)
    asked, told = threading.Event(), threading.Event()

    def ask(_receipt: Receipt, log: SweepLog) -> None:
        asked.set()
        while not log.give_way():
            assert not told.wait(0.01)
        raise Refused("some comments stand still", mendable=True)

    ended = run(journal, clock, Page(then=ask), sweeping=Sweeping(NOW - machine.NEVER, wanted=asked.is_set))
    told.set()
    assert (ended.unswept, ended.unreached, ended.left_behind) == ({}, {"feed": 3}, [])
    assert replies(journal) == [("moderated", False)] * 3


def test_what_is_being_published_is_waited_for_and_so_is_its_first_look(journal: Journal, clock: Time) -> None:
    journal.plan(news(at=clock.now()), [posts("a")])
    page = Page(then=lambda _receipt, log: not log.give_way() or pytest.fail("it gave way"))
    page.send = lambda post, *_: time.sleep(0.6) or Receipt(post.text)  # type: ignore[method-assign,func-returns-value]
    ended = run(journal, clock, page, sweeping=Sweeping(NOW - machine.NEVER, wanted=lambda: True))
    assert (ended.unreached, replies(journal, 1)) == ({}, [("moderated", False)])


@pytest.mark.parametrize("read", [Replies.OPEN, None], ids=["read back as open", "not read back"])
def test_what_was_read_back_before_a_sweep_failed_is_kept_where_it_is_worse(
    journal: Journal, clock: Time, read: Replies | None
) -> None:
    journal.plan(news(at=clock.now()), [posts("a", name="closed")])
    run(journal, clock, Closed("closed"), sweeping=None)
    reopen(journal)

    def fail(_receipt: Receipt, log: SweepLog) -> None:
        log.read(read or Replies.CLOSED)
        raise TryLater("the search is down")

    run(journal, clock, Closed("closed", fail), looks_only=True)
    assert row(journal, 1)["replies"] == (read or Replies.CLOSED)


def test_what_nobody_has_looked_at_for_longest_comes_first(journal: Journal, clock: Time) -> None:
    published(journal, clock, 5)
    seen: list[str] = []
    for _ in range(3):
        page = Page(then=lambda *_: clock.wait(threading.Event(), SWEEPING / 1.5) and None)
        run(journal, clock, page)
        reopen(journal)
        seen += page.swept
    assert sorted(seen[:5]) == ["0", "1", "2", "3", "4"], "nothing is left out however many there are"


def test_two_posts_that_are_refused_alike_do_not_hide_the_others_for_ever(journal: Journal, clock: Time) -> None:
    published(journal, clock, 6)
    bad = {"5", "4"}

    def refuse(receipt: Receipt, _log: object) -> None:
        if receipt.ref in bad:
            raise Refused("it is not there")

    for _ in range(2):
        clock.wait(threading.Event(), 60)
        run(journal, clock, Page(then=refuse), looks_only=True, impatient=True)
        reopen(journal)
    assert [known for known, _ in replies(journal, 6)] == ["moderated"] * 4 + ["open"] * 2


@pytest.mark.parametrize("limited", [True, False], ids=["a rate limit", "a wait that was asked for"])
def test_a_wish_to_be_left_alone_is_kept_however_often_it_was_said(
    journal: Journal, clock: Time, limited: bool
) -> None:
    published(journal, clock, 2)

    def limit(*_: object) -> None:
        raise TryLater("wait", limited=limited, after=timedelta(hours=1))

    for _ in range(MOST_LOOKS + 2):
        page = Page(then=limit)
        run(journal, clock, page, looks_only=True)
        reopen(journal)
        assert len(page.swept) == 1
        run(journal, clock, page, looks_only=True)
        reopen(journal)
        assert len(page.swept) == 1
        clock.wait(threading.Event(), 2 * 3600)
    assert replies(journal, 2) == [("open", True)] * 2
    report = announcement_report(journal, journal.announcement(1))
    assert report.exit_code == 0, "this channel demands nothing"
    put_least(journal, "moderated")
    assert announcement_report(journal, journal.announcement(1)).exit_code == 1, "by now it is a person's"


def put_least(journal: Journal, least: str) -> None:
    with journal.writing() as db:
        db.execute("UPDATE wording SET least = ?", (least,))


@pytest.mark.parametrize("after", [timedelta.max, timedelta.min, timedelta(days=400)], ids=str)
def test_no_wait_that_a_platform_asks_for_is_longer_than_a_day(journal: Journal, clock: Time, after: timedelta) -> None:
    published(journal, clock, 1)

    def limit(*_: object) -> None:
        raise TryLater("wait", limited=True, after=after)

    ended = run(journal, clock, Page(then=limit), looks_only=True)
    assert (ended.broken, list(ended.unswept)) == ({}, ["feed"])
    (task,) = journal.tasks(machine.EVERYTHING)
    assert task.look_due is not None
    assert task.look_due <= clock.now() + timedelta(days=1)


class Broken(Page):
    """A channel with a bug where nobody expects one."""

    @property
    def caps(self) -> Capabilities:  # type: ignore[override]
        if threading.current_thread() is not threading.main_thread():
            raise RuntimeError("it is broken")
        return Page.caps


def test_a_thread_that_dies_of_a_bug_is_no_success(journal: Journal, clock: Time) -> None:
    published(journal, clock, 1)
    ended = run(journal, clock, Broken(), Page("page"))
    assert list(ended.broken) == ["feed"]
    assert "it is broken" in ended.broken["feed"]


def _never() -> bool:
    return False
