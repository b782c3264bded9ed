"""Letters in doubt: what a channel that can be asked says of them is believed, whatever it says."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import TYPE_CHECKING, ClassVar

import pytest

from outagecast.channel import Absent, CannotTell, Capabilities, Receipt, Refused, Repeat, ReplyControl, TryLater
from outagecast.deliver import deliver
from outagecast.journal import Journal
from tests.journal_kit import letters, news, put, row
from tests.test_deliver_machine import NEVER, Time

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from outagecast.channel import Post


class Mail:
    """Takes no letter, and says of one in doubt what it was told to."""

    caps: ClassVar = Capabilities(ReplyControl.NATIVE, letters=True)
    name = "mail"

    def __init__(self, answer: object) -> None:
        self.answer = answer

    def find(self, *_: object) -> object:
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer

    def send_many(self, *_: object) -> Iterator[object]:
        raise TryLater("no relay takes anything", after=timedelta(hours=1))

    def close(self) -> None:
        pass


@pytest.mark.parametrize(
    ("answer", "state", "person"),
    [
        (Receipt("7"), "sent", 0),
        (Repeat("the same again"), "planned", 0),
        (Absent(timedelta(0)), "planned", 0),
        (Absent(timedelta(hours=1)), "in-doubt", 0),
        (CannotTell("nobody knows"), "in-doubt", 1),
        (TryLater("busy"), "in-doubt", 0),
        (Refused("no such key"), "in-doubt", 1),
        (ZeroDivisionError("a bug"), "in-doubt", 1),
    ],
    ids=repr,
)
def test_a_letter_in_doubt_becomes_what_the_look_says(tmp_path: Path, answer: object, state: str, person: int) -> None:
    clock = Time()
    with Journal(tmp_path / "journal.db", clock.now) as journal:
        journal.plan(news(at=clock.now()), [letters("ann@example.org")])
        put(journal, 1, state="in-doubt")
        ended = deliver(
            journal,
            {"mail": Mail(answer)},
            announcements=None,
            expires=NEVER,
            clock=clock,
            deadline=5,  # type: ignore[dict-item]  a channel as small as this test needs
        )
        assert ended.trouble == ()
        assert (row(journal, 1)["state"], row(journal, 1)["person"]) == (state, person)


class SlowMail(Mail):
    """A relay that takes `pace` seconds of the run's clock for each letter."""

    def __init__(self, clock: Time, pace: float) -> None:
        super().__init__(None)
        self.clock, self.pace = clock, pace

    def send_many(self, posts: Iterator[Post], begin: Callable[[Post], None]) -> Iterator[tuple[Post, Receipt]]:  # type: ignore[override]
        for post in posts:
            begin(post)
            self.clock.wait(threading.Event(), self.pace)
            yield post, Receipt(post.to)


@pytest.mark.parametrize(("pace", "sent"), [(1, 58), (7, 7), (40, 2)])
def test_the_slower_the_letters_the_earlier_no_new_one_is_begun_before_a_deadline(
    tmp_path: Path, pace: float, sent: int
) -> None:
    clock = Time()
    with Journal(tmp_path / "journal.db", clock.now) as journal:
        journal.plan(news(at=clock.now()), [letters(*(f"reader{number}@example.org" for number in range(80)))])
        slow = SlowMail(clock, pace)
        deliver(journal, {"mail": slow}, announcements=None, expires=NEVER, clock=clock, deadline=60)  # type: ignore[dict-item]
        with journal.reading() as db:
            states = dict(db.execute("SELECT state, count(*) FROM post GROUP BY state").fetchall())
    assert states == {"sent": sent, "planned": 80 - sent}
