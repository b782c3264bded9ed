"""The journal: what is planned together, what each state can become, and what a run finds and leaves."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from outagecast.addresses import Subscriber
from outagecast.errors import JournalError, Refused, TryLater
from outagecast.journal import ChannelPlan, Journal, RunOverError, Scope
from outagecast.model import LeastReplies, PostState, Receipt, Replies
from tests.journal_kit import NOW, Hand, history, letters, news, posts, put, row, states

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

EVERYTHING = Scope()


@pytest.fixture
def clock() -> Hand:
    return Hand()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "journal.db"


@pytest.fixture
def journal(path: Path, clock: Hand) -> Iterator[Journal]:
    with Journal(path, clock.now) as one:
        yield one


# -- planning --------------------------------------------------------------------------------------------------------------


def test_a_plan_that_fails_leaves_nothing_at_all(journal: Journal) -> None:
    twice = ChannelPlan("feed", "feed", LeastReplies.OPEN, posts=[*posts("a").posts, *posts("b").posts])
    with pytest.raises(JournalError):
        journal.plan(news(), [letters("ann@example.org"), twice])
    assert journal.incidents() == []
    assert states(journal) == []


def test_the_same_number_of_an_announcement_cannot_be_planned_twice(journal: Journal) -> None:
    journal.plan(news(), [posts("a")])
    with pytest.raises(JournalError):
        journal.plan(news("another"), [posts("b")])
    assert states(journal) == ["planned"]


def test_each_address_gets_one_letter_however_often_it_is_named(journal: Journal) -> None:
    journal.subscribe([Subscriber("ann@example.org"), Subscriber("bo@example.com")])
    journal.plan(news(), [letters("ann@example.org", "ann@example.org", subscribers=True)])
    found = [task.post.to for task in journal.letters(EVERYTHING, PostState.PLANNED, 9)]
    assert found == ["ann@example.org", "bo@example.com"]


def test_a_channel_that_could_not_be_rendered_is_rendered_by_a_later_run(journal: Journal) -> None:
    broken = ChannelPlan("feed", "feed", LeastReplies.OPEN, error="FEED_KEY is not set", hint="export FEED_KEY=…")
    planned = journal.plan(news(), [broken])
    assert states(journal) == ["refused"]
    ((found, name),) = journal.unrendered(EVERYTHING)
    journal.add(found, [posts("a")])
    assert (found.id, name) == (planned, "feed")
    assert states(journal) == ["planned"]
    assert journal.unrendered(EVERYTHING) == []


@pytest.mark.parametrize(
    "act", [Journal.recover, lambda j: j.fence("over"), lambda j: j.unsubscribe(["ann@example.org"])]
)
def test_what_every_command_asks_first_never_goes_through_all_posts(
    journal: Journal, act: Callable[[Journal], object]
) -> None:
    journal.plan(news(), [letters("ann@example.org")])
    asked: list[str] = []
    with journal.reading() as db:
        db.set_trace_callback(asked.append)
        act(journal)
        db.set_trace_callback(None)
        plans = [
            step["detail"] for line in asked if " post " in line for step in db.execute(f"EXPLAIN QUERY PLAN {line}")
        ]
    assert plans
    assert not [step for step in plans if step.startswith("SCAN post") and "post_block" not in step]


def test_a_vanished_mailbox_is_refused_and_suppressed_at_once(journal: Journal) -> None:
    journal.subscribe([Subscriber("ann@example.org")])
    journal.plan(news(), [letters(subscribers=True)])
    asked: list[str] = []
    with journal.reading() as db:
        db.set_trace_callback(asked.append)
        journal.refused(1, Refused("550 no such mailbox", recipient=True, suppress=True), letter=True)
        db.set_trace_callback(None)
    assert asked.count("COMMIT") == 1
    assert journal.subscriber_count() == 0


def test_a_few_of_the_list_are_of_different_domains_the_largest_first_and_all_would_get_a_letter(journal: Journal):
    to = ["b@example.org", "a@example.com", "c@Example.ORG", "z@example.edu", "d@example.net"]
    journal.subscribe([Subscriber(each) for each in to])
    assert journal.some_subscribers(9) == ["b@example.org", "a@example.com", "d@example.net", "z@example.edu"]
    assert journal.some_subscribers(2) == ["b@example.org", "a@example.com"]
    with journal.writing() as db:
        db.execute("UPDATE subscriber SET suppressed = 'gone' WHERE address = 'a@example.com'")
    assert journal.some_subscribers(2) == ["b@example.org", "d@example.net"]


# -- transitions -----------------------------------------------------------------------------------------------------------

OUT = Receipt("1859", "https://x.example.com/1859", Replies.UNVERIFIED, data={"conversation": "1859"})
P, S, OK, R, D = PostState.PLANNED, PostState.SENDING, PostState.SENT, PostState.REFUSED, PostState.IN_DOUBT
TRANSITIONS: dict[str, tuple[Callable[[Journal], None], Sequence[PostState], PostState]] = {
    "begin": (lambda j: j.begin(1, None), [P], S),
    "begin_letter": (lambda j: j.begin_letter(1), [P], S),
    "sent": (lambda j: j.sent(1, OUT, look_due=NOW), [S, D], OK),
    "later": (lambda j: j.later(1, TryLater("busy"), NOW), [S], P),
    "refused": (lambda j: j.refused(1, Refused("no")), [S], R),
    "doubt": (lambda j: j.doubt(1, "cut off", due=None), [S], D),
    "looked": (lambda j: j.looked(1, "not there", due=NOW, person=False), [D], D),
    "again": (lambda j: j.again(1, "not out"), [D], P),
    "settled --sent": (lambda j: j.settled(1, OK, "seen"), [P, R, D], OK),
    "settled --resend": (lambda j: j.settled(1, P, "not there"), [P, R, D], P),
    "settled --drop": (lambda j: j.settled(1, PostState.DROPPED, "over"), [P, R, D], PostState.DROPPED),
    "replies": (lambda j: j.replies(1, Replies.CLOSED, due=None), [OK], OK),
}


@pytest.mark.parametrize("origin", PostState)
@pytest.mark.parametrize("name", TRANSITIONS)
def test_a_transition_starts_only_where_it_may_and_else_changes_nothing(
    journal: Journal, name: str, origin: PostState
) -> None:
    act, allowed, to = TRANSITIONS[name]
    journal.plan(news(), [posts("a")])
    put(journal, 1, state=origin)
    before, told = row(journal, 1), history(journal, 1)
    if origin in allowed:
        act(journal)
        assert row(journal, 1)["state"] == to
        # A letter that simply goes its way leaves no history.
        assert len(history(journal, 1)) == len(told) + (name != "begin_letter")
    else:
        with pytest.raises(JournalError, match="post 1 is not"):
            act(journal)
        assert (row(journal, 1), history(journal, 1)) == (before, told)


@pytest.mark.parametrize("origin", PostState)
def test_a_step_is_remembered_only_while_a_post_is_sent_or_looked_for(journal: Journal, origin: PostState) -> None:
    journal.plan(news(), [posts("a")])
    put(journal, 1, state=origin, token='{"draft": "7"}')
    if origin in (S, D):
        journal.remember(1, {"photo": "8"})
        assert row(journal, 1)["token"] == '{"draft": "7", "photo": "8"}'
    else:
        with pytest.raises(JournalError):
            journal.remember(1, {"photo": "8"})
        assert row(journal, 1)["token"] == '{"draft": "7"}'


def test_a_transition_of_a_post_that_is_not_there_is_an_error(journal: Journal) -> None:
    for act, _, _ in TRANSITIONS.values():
        with pytest.raises(JournalError):
            act(journal)


def test_a_receipt_comes_back_as_it_was_given(journal: Journal) -> None:
    journal.plan(news(), [posts("a")])
    journal.begin(1, None)
    journal.sent(1, OUT, look_due=None)
    assert journal.receipt(1) == OUT


def test_a_wait_that_the_platform_asked_for_is_no_failed_try(journal: Journal) -> None:
    journal.plan(news(), [posts("a")])
    for limited in (True, False):
        journal.begin(1, None)
        journal.later(1, TryLater("busy", limited=limited), NOW)
    (task,) = journal.tasks(EVERYTHING)
    assert (task.attempts, task.waits) == (2, 1)


def test_a_mailbox_that_does_not_exist_is_not_written_to_again(journal: Journal) -> None:
    journal.subscribe([Subscriber("gone@example.org"), Subscriber("bo@example.com")])
    journal.plan(news(), [letters(subscribers=True)])
    doomed = next(t for t in journal.letters(EVERYTHING, P, 9) if t.post.to == "gone@example.org")
    journal.begin_letter(doomed.post.id)
    journal.refused(doomed.post.id, Refused("no such mailbox", recipient=True, suppress=True), letter=True)
    journal.plan(news("again", seq=1), [letters(subscribers=True)])
    assert [t.post.to for t in journal.letters(EVERYTHING, P, 9)] == ["bo@example.com", "bo@example.com"]


def test_a_letter_that_a_person_settles_as_sent_needs_nothing_more(journal: Journal) -> None:
    journal.plan(news(), [letters("ann@example.org")])
    put(journal, 1, state=D)
    journal.settled(1, OK, "they have it", "<1@example.net>")
    assert row(journal, 1)["replies"] == Replies.NONE
    assert journal.unfinished(EVERYTHING) == []


# -- what a run finds, and what it leaves ------------------------------------------------------------------------------------


def test_what_an_ended_run_left_sending_is_in_doubt(journal: Journal) -> None:
    journal.plan(news(), [posts("a", "b"), letters("ann@example.org", "bo@example.com")])
    journal.begin(1, None)
    journal.begin_letter(3)
    journal.recover()
    assert states(journal) == ["in-doubt", "planned", "in-doubt", "planned"]
    assert [task.doubts for task in journal.tasks(EVERYTHING)] == [1, 0]
    assert history(journal, 3) == ["in-doubt"]


def test_marks_of_letters_are_trusted_after_a_kill(journal: Journal) -> None:
    journal.plan(news(), [letters("ann@example.org", "bo@example.com")])
    journal.begin_block([1, 2])
    journal.begin_letter(1)
    journal.recover()
    assert states(journal) == ["in-doubt", "planned"]
    assert row(journal, 2)["block"] is None


def test_after_a_restart_of_the_machine_a_whole_block_is_in_doubt(journal: Journal) -> None:
    journal.plan(news(), [letters("ann@example.org", "bo@example.com", "cy@example.net")])
    journal.begin_block([1, 2])
    put(journal, 1, block="another boot")
    put(journal, 2, block="another boot")
    journal.recover()
    assert states(journal) == ["in-doubt", "in-doubt", "planned"]
    journal.recover()
    assert [task.doubts for task in journal.letters(EVERYTHING, D, 9)] == [1, 1]


def test_letters_that_a_channel_gave_up_are_in_doubt_and_their_block_is_over(journal: Journal) -> None:
    journal.plan(news(), [posts("a"), letters("ann@example.org", "bo@example.com")])
    journal.begin(1, None)
    journal.begin_block([2, 3])
    journal.begin_letter(2)
    journal.forsake(Scope(None, ("mail",)), "given up")
    assert states(journal) == ["sending", "in-doubt", "planned"]
    assert row(journal, 3)["block"] is None


def test_after_the_fence_a_late_thread_writes_nothing(journal: Journal) -> None:
    journal.plan(news(), [posts("a")])
    journal.begin(1, None)
    journal.fence("no answer")
    late: list[BaseException] = []

    def answer() -> None:
        try:
            journal.sent(1, OUT, look_due=None)
        except RunOverError as err:
            late.append(err)

    thread = threading.Thread(target=answer)
    thread.start()
    thread.join()
    assert late
    assert row(journal, 1)["state"] == D
    assert row(journal, 1)["doubts"] == 1


def test_the_fence_leaves_alone_what_is_not_under_way(journal: Journal) -> None:
    journal.plan(news(), [posts("a", "b", "c")])
    journal.begin(1, None)
    journal.sent(1, OUT, look_due=None)
    journal.begin(2, 1)
    journal.doubt(2, "cut off", due=None)
    journal.fence("over")
    assert states(journal) == ["sent", "in-doubt", "planned"]
    assert [task.doubts for task in journal.tasks(EVERYTHING)] == [1, 0]


def test_what_a_person_may_have_mended_goes_once_more(journal: Journal) -> None:
    journal.plan(news(), [posts("a")])
    journal.plan(news("b", key="b"), [posts("b")])
    journal.plan(news("c", key="c"), [posts("c")])
    for post, mendable in ((1, True), (2, False)):
        journal.begin(post, None)
        journal.refused(post, Refused("no", mendable=mendable))
    journal.begin(3, None)
    journal.doubt(3, "cut off", due=None)
    journal.looked(3, "nobody can tell", due=None, person=True)
    journal.reconsider(EVERYTHING)
    assert states(journal) == ["planned", "refused", "in-doubt"]
    assert row(journal, 3)["person"] == 0


def test_what_could_not_go_out_in_time_is_dropped_and_nothing_else_is(journal: Journal, clock: Hand) -> None:
    journal.plan(news(), [posts("a", "b")])
    journal.begin(1, None)
    journal.doubt(1, "cut off", due=None)
    clock.move(hours=6)
    journal.plan(news("new", seq=1, at=clock.now()), [posts("c")])
    journal.expire(EVERYTHING, clock.now() - timedelta(hours=5))
    assert states(journal) == ["in-doubt", "dropped", "planned"]
    assert "expired" in row(journal, 2)["detail"]


def test_a_scope_keeps_other_channels_and_announcements_out(journal: Journal) -> None:
    first = journal.plan(news(), [posts("a"), posts("a", name="other")])
    journal.plan(news("b", key="b"), [posts("b")])
    journal.refuse_channel(Scope((first,), ("feed",)), Refused("no key"))
    assert states(journal) == ["refused", "planned", "planned"]
