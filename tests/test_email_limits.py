"""Limits an hour and a day: kept over all announcements and all runs, never exceeded, and what waits says until when."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from email_kit import HOUSE, settings
from journal_kit import NOW, Hand, letters, news, put
from msgspec.structs import replace

from outagecast.channels.email.channel import Email
from outagecast.channels.email.link import Waits
from outagecast.channels.email.settings import Limits
from outagecast.deliver import deliver
from outagecast.deliver.rations import PLENTY, Room, room
from outagecast.journal import Journal, Scope
from outagecast.journal.questions import Questions
from outagecast.model import PostState, Quota, Receipt, Replies
from outagecast.sandbox.mail_faults import At, Do, MailFault
from outagecast.sandbox.mailbox import Mailbox

if TYPE_CHECKING:
    import threading
    from collections.abc import Iterator
    from pathlib import Path

    from night import Done, Night

POST = ("post", "--json", "fiber cut")
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def limited(night: Night, limits: str, readers: int = 5) -> None:
    night.to = [f"reader{number}@example.org" for number in range(readers)]
    night.write_config(night.email(f"    limits: {{{limits}}}"))


def waiting(done: Done) -> list[dict[str, object]]:
    return [post for post in done.channel("email")["posts"] if post["state"] == "planned"]


# --- from the command line


def test_what_is_above_the_limit_waits_and_says_until_when(night: Night) -> None:
    limited(night, "per_hour: 3")
    done = night.run(*POST)
    assert (done.code, done.json["outcome"]) == (75, "waiting")
    assert len(night.mails()) == 3
    rest = waiting(done)
    assert [post["detail"] for post in rest] == ["limits.per_hour: 3 are out; the next at 15:05 UTC"] * 2
    assert [post["attempts"] for post in rest] == [0, 0]
    assert "outagecast resume" in night.run("status").out


def test_it_waits_exactly_until_the_oldest_letter_is_an_hour_old(night: Night) -> None:
    limited(night, "per_hour: 3")
    night.run(*POST)
    with night.journal() as journal, journal.reading() as db:
        oldest = db.execute("SELECT min(sent_at) AS at FROM post").fetchone()["at"]
        due = {row["due"] for row in db.execute("SELECT due FROM post WHERE state = 'planned'")}
    assert due == {oldest.replace("T14:", "T15:")}


def test_resume_sends_nothing_before_and_the_rest_after(night: Night) -> None:
    limited(night, "per_hour: 3")
    night.run(*POST)
    night.clock.move(50 * 60)
    assert night.run("resume").code == 75
    assert len(night.mails()) == 3
    night.clock.move(11 * 60)
    assert night.run("resume").code == 0
    assert sorted(night.mails()) == sorted(night.to)


def test_resume_with_watch_goes_on_by_itself_until_all_are_out(night: Night) -> None:
    limited(night, "per_hour: 2", readers=3)
    night.run(*POST)
    assert night.run("resume", "--watch").code == 0
    assert sorted(night.mails()) == sorted(night.to)


def test_letters_of_another_incident_count_too(night: Night) -> None:
    limited(night, "per_hour: 8")
    assert night.run(*POST).code == 0
    done = night.run("post", "--json", "--incident", "other", "power cut")
    assert done.code == 75
    assert len(night.mails()) == 8
    assert len(waiting(done)) == 2


def test_the_limit_of_a_day_names_the_day(night: Night) -> None:
    limited(night, "per_hour: 4, per_day: 2")
    done = night.run(*POST)
    assert {post["detail"] for post in waiting(done)} == {"limits.per_day: 2 are out; the next at 23 Nov 14:05 UTC"}


def test_without_limits_nothing_is_counted(night: Night, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(Questions, "letters_out")
    limited(night, "per_second: 0")
    assert night.run(*POST).code == 0


def test_a_letter_that_was_refused_leaves_its_place_to_another(night: Night) -> None:
    limited(night, "per_hour: 3, per_connection: 1")
    night.mailbox.faults.add(MailFault(At.RCPT, Do.REPLY, "550 5.1.1 unknown", times=2))
    done = night.run(*POST)
    assert len(night.mails()) == 3
    assert done.channel("email")["counts"]["refused"] == 2
    assert done.code == 0


def test_a_letter_that_the_relay_wants_later_keeps_its_own_time(night: Night) -> None:
    limited(night, "per_hour: 2")
    night.mailbox.faults.add(MailFault(At.RCPT, Do.REPLY, "450 4.2.0 greylisted"))
    done = night.run("post", "--json", "--deadline", "30", "fiber cut")
    details = sorted(str(post["detail"])[:18] for post in waiting(done))
    assert len(night.mails()) == 2
    assert len([detail for detail in details if detail == "limits.per_hour: 2"]) == 2
    assert len([detail for detail in details if detail != "limits.per_hour: 2"]) == 1


# --- with many in flight


@pytest.mark.parametrize("most", [1, 7, 256, 300])
def test_letters_in_flight_never_exceed_the_limit(tmp_path: Path, most: int) -> None:
    """Eight connections to a slow relay, more letters than a block: exactly as many as allowed, and no look back."""
    hand = Hand()
    with Mailbox() as box, Journal(tmp_path / "journal.db", hand.now) as journal:
        box.latency = 0.002
        email = Email("mail", settings(box.url, limits=Limits(per_hour=most)), HOUSE, waits=Waits(pause=0.01))
        (post,) = email.render(news())
        plan = replace(letters(*(f"r{number}@example.org" for number in range(600))), posts=[post])
        journal.plan(news(), [plan])
        ended = deliver(journal, {"mail": email}, announcements=None, expires=DAY, clock=StoppedClock(NOW))
        assert ended.trouble == ()
        assert len(box.letters) == most
        assert journal.next_letter(Scope()) == NOW + HOUR


def test_a_run_that_may_begin_no_more_letters_ends_instead_of_turning_round_until_its_deadline(tmp_path: Path) -> None:
    hand, clock = Hand(), StoppedClock(NOW)
    with Mailbox() as box, Journal(tmp_path / "journal.db", hand.now) as journal:
        email = Email("mail", settings(box.url, connections=1), HOUSE)
        (post,) = email.render(news())
        plan = replace(letters(*(f"r{number}@example.org" for number in range(50))), posts=[post])
        journal.plan(news(), [plan])
        box.on_event = lambda point, _: setattr(clock, "seconds", 3.5) if point == "stored" else None
        ended = deliver(journal, {"mail": email}, announcements=None, expires=DAY, clock=clock, deadline=4)
        assert (ended.trouble, ended.interrupted) == ((), False)
        assert 1 <= len(box.letters) < 50


class StoppedClock:
    """Time that a test moves; nobody waits."""

    def __init__(self, at: datetime) -> None:
        self._at = at
        self.seconds = 0.0

    def now(self) -> datetime:
        return self._at

    def monotonic(self) -> float:
        return self.seconds

    def wait(self, stop: threading.Event, seconds: float) -> bool:
        raise AssertionError(f"it waits {seconds} s")


# --- the windows


@pytest.fixture
def hand() -> Hand:
    return Hand()


@pytest.fixture
def journal(tmp_path: Path, hand: Hand) -> Iterator[Journal]:
    with Journal(tmp_path / "journal.db", hand.now) as one:
        yield one


def out(journal: Journal, *at: datetime, name: str = "mail", key: str = "alert-4711") -> None:
    """Letters that went out at these times."""
    journal.plan(news(key=key), [letters(*(f"r{number}@example.org" for number in range(len(at))), name=name)])
    tasks = journal.letters(Scope(None, (name,)), PostState.PLANNED, 99)
    for task, moment in zip(tasks, at, strict=True):
        journal.begin_letter(task.post.id)
        receipt = Receipt(ref="x", replies=Replies.NONE)
        journal.sent(task.post.id, receipt, look_due=None, letter=True)
        put(journal, task.post.id, sent_at=moment.strftime("%Y-%m-%dT%H:%M:%S.000Z"))


def test_no_limit_is_plenty(journal: Journal) -> None:
    assert room(journal, "mail", Quota(), NOW) == Room(PLENTY)


def test_a_letter_that_is_an_hour_old_to_the_moment_no_longer_counts(journal: Journal) -> None:
    out(journal, NOW - HOUR, NOW - HOUR + timedelta(seconds=1), NOW)
    assert room(journal, "mail", Quota(per_hour=5), NOW) == Room(3)


def test_letters_of_another_channel_and_posts_do_not_count(journal: Journal) -> None:
    out(journal, NOW, NOW, name="other")
    assert room(journal, "mail", Quota(per_hour=1), NOW) == Room(1)


def test_the_stricter_of_both_limits_holds(journal: Journal) -> None:
    out(journal, NOW - 2 * HOUR, NOW, NOW)
    assert room(journal, "mail", Quota(per_hour=10, per_day=5), NOW).letters == 2
    assert room(journal, "mail", Quota(per_hour=4, per_day=50), NOW).letters == 2


def test_with_both_used_up_the_later_moment_counts(journal: Journal) -> None:
    out(journal, NOW - 2 * HOUR, NOW)
    used_up = room(journal, "mail", Quota(per_hour=1, per_day=2), NOW)
    assert (used_up.letters, used_up.due) == (0, NOW + DAY - 2 * HOUR)
    assert used_up.why.startswith("limits.per_day: 2 are out")


def test_after_the_limit_was_lowered_it_waits_until_enough_are_old(journal: Journal) -> None:
    minutes = [NOW - timedelta(minutes=minute) for minute in (50, 40, 30, 20, 10)]
    out(journal, *minutes)
    assert room(journal, "mail", Quota(per_hour=2), NOW).due == minutes[3] + HOUR


def test_counting_looks_at_the_window_and_at_nothing_else(journal: Journal) -> None:
    """By the index alone: a million letters that are planned, or were sent last week, cost nothing."""
    asked: list[str] = []
    with journal.reading() as db:
        db.set_trace_callback(asked.append)
    journal.letters_out("mail", NOW - HOUR, 1000)
    with journal.reading() as db:
        db.set_trace_callback(None)
        plan = [row["detail"] for row in db.execute(f"EXPLAIN QUERY PLAN {asked[-1]}")]
    assert len(asked) == 1
    assert any("post USING COVERING INDEX post_out (sent_at>?)" in line for line in plan), plan
    assert not any("SCAN post" in line or "USE TEMP B-TREE" in line for line in plan), plan
