"""Killed at any moment and run again: every post is out exactly once."""

from __future__ import annotations

import itertools
import random
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from outagecast.sandbox.faults import Fault, FaultKind
from outagecast.sandbox.mail_faults import At, Do, MailFault
from tests.kill_kit import KILLED, LATER, MESSAGE, POST, RESUME, Blow, Struck, commits
from tests.launcher import Launcher

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

POINTS = ("received", "committed", "answered")
REQUESTS = [
    Blow(where, what, point)
    for where, what in (
        ("x", "POST /2/tweets"),
        ("x", "GET /2/tweets/N"),
        ("graph", "POST /"),
        ("graph", "POST /N/feed"),
        ("graph", "POST /N"),
        ("graph", "GET /N"),
        ("graph", "GET /N/comments"),
    )
    for point in POINTS
]
LETTERS = [Blow("mailbox", "", "connected"), Blow("mailbox", "", "mail")] + [
    Blow("mailbox", to, point)
    for to in ("ann@example.org", "bo@example.com")
    for point in ("rcpt", "data", "content", "stored", "answered")
]
COMMITS = commits(22)
LOOKS = [
    Blow(where, what, point)
    for where, what in (("x", "GET /2/users/N/tweets"), ("graph", "GET /N/feed"), ("graph", "GET /N/published_posts"))
    for point in POINTS
]
"""Moments of a second run, when it asks the platforms what became of the first."""
SINGLE = [*REQUESTS, *LETTERS, *COMMITS]
PAIRS = random.Random(20261122).sample(list(itertools.product(SINGLE, [*SINGLE, *LOOKS])), 30)

every = pytest.mark.parametrize("again", [POST, RESUME], ids=["again", "resume"])


def in_turn(blows: Sequence[Blow]) -> list[tuple[Blow, Sequence[str]]]:
    """Each blow once, followed by `post` again and by `resume` in turn; `make torture` tries the rest."""
    return list(zip(blows, itertools.cycle([POST, RESUME, RESUME, POST]), strict=False))


@pytest.fixture(scope="module")
def launcher() -> Iterator[Launcher]:
    with Launcher() as one:
        yield one


@pytest.fixture
def struck(tmp_path: Path, launcher: Launcher) -> Iterator[Struck]:
    with Struck(tmp_path, launcher) as one:
        yield one


def fell(blow: Blow, code: int) -> bool:
    """Whether the blow did what it was meant for; one on an answer that is out already may come too late."""
    return code == KILLED or (blow.point == "answered" and code == 0)


def test_the_moments_in_this_file_are_all_there_are(struck: Struck) -> None:
    said = struck.command(POST)
    assert said.code == 0, said.err
    assert set(struck.seen) == {*REQUESTS, *LETTERS}
    assert said.commits == len(COMMITS) / 2
    struck.check_public()


@pytest.mark.parametrize(
    ("blow", "again"),
    [*itertools.product([*REQUESTS, *LETTERS], [POST, RESUME]), *in_turn(COMMITS)],
    ids=lambda value: str(value) if isinstance(value, Blow) else value[0],
)
def test_killed_once_everything_is_out_exactly_once(struck: Struck, blow: Blow, again: Sequence[str]) -> None:
    said = struck.finish(again, [blow])
    assert fell(blow, said[0].code)
    assert said[-1].code == 0, said[-1].err
    struck.check_public()
    assert struck.creates() == 1


@pytest.mark.parametrize("blows", PAIRS, ids=lambda blows: " then ".join(map(str, blows)))
def test_killed_twice_everything_is_out_exactly_once(struck: Struck, blows: Sequence[Blow]) -> None:
    said = struck.finish(RESUME if len(str(blows[0])) % 2 else POST, blows)
    assert fell(blows[0], said[0].code)
    assert said[-1].code == 0, said[-1].err
    struck.check_public()


@pytest.mark.parametrize(
    ("blow", "again"),
    in_turn([blow for blow in LETTERS if blow.what]),
    ids=lambda value: str(value) if isinstance(value, Blow) else value[0],
)
def test_with_in_doubt_hold_no_letter_is_ever_out_twice(struck: Struck, blow: Blow, again: Sequence[str]) -> None:
    struck.write_config(struck.twitter() + struck.facebook() + struck.email("    in_doubt: hold"))
    said = struck.finish(again, [blow])
    held = struck.ask("SELECT id || ' ' || recipient FROM post WHERE state = 'in-doubt'")
    assert said[-1].code == (1 if held else 0), said[-1].err
    for post, to in map(str.split, held):
        # A person asks the reader, and says what they said.
        struck.command(("settle", post, "--sent" if to in struck.mails() else "--resend"))
    assert struck.command(again).code == 0
    struck.check_public(most_letters=1)


@every
@pytest.mark.parametrize("what", ["POST /2/tweets", "POST /N/feed", "POST /N"])
def test_a_request_that_was_lost_with_the_process_is_made_again(
    struck: Struck, what: str, again: Sequence[str]
) -> None:
    platform = struck.x if "tweets" in what else struck.graph
    pattern = what.replace("POST /", "POST /v[0-9.]+/") if platform is struck.graph else what
    platform.faults.add(Fault(pattern.replace("N", "[0-9_]+") + "$", FaultKind.RESET))
    blow = Blow("x" if platform is struck.x else "graph", what, "received")
    said = struck.finish(again, [blow])
    assert (said[0].code, said[-1].code) == (KILLED, 0), said[-1].err
    assert Blow(blow.where, what, "committed") in struck.seen
    struck.check_public()


@every
def test_a_letter_that_was_lost_with_the_process_is_sent_again(struck: Struck, again: Sequence[str]) -> None:
    struck.mailbox.faults.add(MailFault(At.CONTENT, Do.DROP, to="bo@example.com"))
    said = struck.finish(again, [Blow("mailbox", "bo@example.com", "content")])
    assert (said[0].code, said[-1].code) == (KILLED, 0), said[-1].err
    struck.check_public()


@pytest.mark.parametrize("point", POINTS)
@pytest.mark.parametrize("part", [1, 2, 3])
def test_a_thread_that_was_cut_off_goes_on_where_it_stopped(struck: Struck, part: int, point: str) -> None:
    post = ("post", "--to", "twitter", " ".join(["we are working on it with the carrier"] * 16))
    blow = Blow("x", "POST /2/tweets", point, part)
    assert fell(blow, struck.command(post, blow=blow).code)
    struck.clock.ahead += LATER
    assert struck.command(RESUME).code == 0
    tweets = struck.x.public()
    assert len({tweet["text"] for tweet in tweets}) == len(tweets) == 3
    assert [tweet["in_reply_to"] for tweet in tweets] == [None, tweets[0]["id"], tweets[1]["id"]]


def test_a_post_that_the_platform_does_not_show_yet_is_not_sent_again(struck: Struck) -> None:
    struck.x.read_lag = timedelta(seconds=LATER / 2)
    assert struck.command(POST, blow=Blow("x", "POST /2/tweets", "committed")).code == KILLED
    assert struck.command((*RESUME, "--deadline", "20")).code == 75
    struck.clock.ahead += LATER
    assert struck.command(RESUME).code == 0
    struck.check_public()
    assert struck.creates() == 1


@pytest.mark.parametrize("point", ["data", "content", "stored"])
def test_of_many_letters_at_most_one_a_connection_is_in_doubt(struck: Struck, point: str) -> None:
    struck.to = [f"reader{number}@example.org" for number in range(40)]
    struck.write_config(struck.email("    connections: 3"))
    said = struck.finish(RESUME, [Blow("mailbox", "reader20@example.org", point)])
    assert (said[0].code, said[-1].code) == (KILLED, 0), said[-1].err
    assert struck.repeats.total() <= 3
    struck.check_letters()


def test_killed_before_anything_was_planned_resume_says_that_there_is_nothing(struck: Struck) -> None:
    assert struck.command(POST, blow=COMMITS[0]).code == KILLED
    assert struck.command(RESUME).json["incidents"] == []
    assert struck.silent()


def test_what_is_sent_is_in_the_report_of_the_run_that_follows(struck: Struck) -> None:
    report = struck.finish(POST, [Blow("x", "POST /2/tweets", "committed")])[-1].json
    (twitter,) = (channel for channel in report["channels"] if channel["name"] == "twitter")
    assert report["announcement"]["text"] == MESSAGE
    assert [post["ref"] for post in twitter["posts"]] == [tweet["id"] for tweet in struck.x.public()]
    assert twitter["replies"] == "closed"
