"""`sweep --watch`: often at first, less often later, once more at the very end; cheap on X, and in nobody's way."""

from __future__ import annotations

import io
from datetime import UTC, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest
from night import Night

from outagecast.cli.surroundings import Surroundings
from outagecast.cli.voice import Voice
from outagecast.deliver import Ended
from outagecast.sandbox.x import ERRORS as X

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


@pytest.fixture
def night(tmp_path: Path) -> Iterator[Night]:
    with Night(tmp_path) as night:
        yield night


def over(night: Night, channels: str | None = None) -> None:
    """An incident that has just ended, and whose posts are watched for seven hours."""
    night.write_config(channels, top="sweep_for: 7h")
    night.run("post", "fiber cut")
    night.run("resolve")
    night.graph.log.clear()
    night.x.log.clear()


@pytest.mark.parametrize(
    ("start", "gaps"),
    [
        (57 * MINUTE, [MINUTE, MINUTE, MINUTE, 5 * MINUTE, 5 * MINUTE]),
        (6 * HOUR - 7 * MINUTE, [5 * MINUTE, 5 * MINUTE, 30 * MINUTE, 27 * MINUTE]),
    ],
    ids=["often at first", "and less often later, with a last look when its time is over"],
)
def test_how_often_it_looks(night: Night, start: timedelta, gaps: list[timedelta]) -> None:
    over(night, night.facebook())
    night.clock.move(start.total_seconds())
    left = [] if len(gaps) == 4 else ["--deadline", "800"]
    assert night.run("sweep", "--watch", *left).code == 0
    first = night.graph.public()[0]["id"]
    looks = [request.at for request in night.graph.log if request.path.endswith(f"{first}/comments")]
    assert [round((after - before) / MINUTE) * MINUTE for before, after in pairwise(looks)] == gaps


def test_the_last_look_sees_what_came_after_the_one_before(night: Night) -> None:
    over(night, night.facebook())
    night.clock.move((7 * HOUR - 10 * MINUTE).total_seconds())
    post, asked, looked = night.graph.public()[0]["id"], [], [night.clock.now() - HOUR]

    def comes(point: str, request: object) -> None:
        if point == "answered" and str(getattr(request, "path", "")).endswith(f"{post}/comments"):
            if night.clock.now() - looked[-1] > MINUTE / 2:  # a look that hides lists them twice
                asked.append(night.graph.stranger_comment(post, "When?"))
            looked.append(night.clock.now())

    night.graph.on_event = comes
    night.run("sweep", "--watch")
    assert len(asked) == 2
    assert night.graph.page.comments[asked[0]].hidden
    night.graph.on_event = None
    assert "young enough" in night.run("sweep").out, "after that nobody looks any more"


def test_between_two_searches_its_rounds_cost_nothing_on_x(night: Night) -> None:
    over(night)
    night.run("sweep", "--watch", "--deadline", "200")
    asked = [request.path for request in night.x.log]
    assert sum("search" in path for path in asked) == 1
    assert len(asked) == 3, "each of the two posts was read back once"
    assert sum(request.path.endswith("/comments") for request in night.graph.log) == 2 * 4
    with night.journal() as journal, journal.reading() as db:
        told = "SELECT count(*) FROM attempt WHERE event = 'replies closed' GROUP BY post"
        assert {row[0] for row in db.execute(told)} <= {2, 3}, "what was not read again is not told again"


def test_no_look_is_begun_that_could_not_end_before_the_deadline(night: Night) -> None:
    """It would say of every post that it could not be seen."""
    over(night, night.facebook())
    watched = night.run("sweep", "--watch", "--deadline", "183")
    assert watched.code == 0
    assert sum(request.path.endswith("/comments") for request in night.graph.log) == 2 * 3


def test_what_comes_while_it_watches_is_hidden_and_said(night: Night) -> None:
    over(night)
    post = night.graph.public()[1]["id"]
    asked = 0

    def comes(point: str, request: object) -> None:
        nonlocal asked
        asked += point == "received" and str(getattr(request, "path", "")).endswith("/comments")
        if asked == 5 and point == "answered":
            asked += 1
            night.graph.stranger_comment(post, "When?")

    night.graph.on_event = comes
    done = night.run("sweep", "--watch", "--deadline", "300")
    assert [said["text"] for one in night.graph.public() for said in one["comments"]] == []
    assert "1 comment hidden on facebook" in done.out + done.err


def test_what_stands_is_still_said_in_the_rounds_that_do_not_search(night: Night) -> None:
    over(night)
    night.x.fails_open = True
    night.x.stranger_reply(night.x.public()[0]["id"], "When?")
    night.x.faults.add(*[X["not-permitted"].fault(r"PUT /2/tweets/\d+/hidden") for _ in range(99)])
    watched = night.run("sweep", "--watch", "--deadline", "200", "--json")
    assert watched.code == 1
    assert "1 reply got through" in watched.out


def test_what_cannot_be_looked_for_in_any_round_is_said_in_the_first(night: Night) -> None:
    err = io.StringIO()
    names: dict[str, Any] = {"env": {}, "cwd": night.folder, "clock": night.clock, "names": night.names}
    around = Surroundings(**names, stdin=io.StringIO(), stdout=io.StringIO(), stderr=err)
    voice = Voice(around, UTC, verbose=False)
    for why in ("no search", "no search", "no author"):
        voice.ended(Ended(unsearched={"twitter": why}))
    assert (err.getvalue().count("no search"), err.getvalue().count("no author")) == (1, 1)


def test_the_page_s_budget_is_left_alone_until_facebook_says_when(night: Night) -> None:
    over(night)
    night.graph.stranger_comment(night.graph.public()[0]["id"], "When?")
    night.graph.usage = (85, 30)
    night.run("sweep", "--watch", "--deadline", "1500")
    assert len(night.graph.log) == 2, "the newest post is still looked at, and its answer says how it stands"
    night.clock.move(1800)
    night.graph.usage = (10, 0)
    assert (night.run("sweep").code, night.graph.public()[0]["comments"]) == (0, [])
