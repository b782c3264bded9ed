"""Killed between any two steps of an update, an end, a retraction or a picture, and run again: as if nothing had been."""

from __future__ import annotations

import base64
import itertools
import random
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from tests.kill_kit import KILLED, LATER, MOST_RUNS, Blow, Struck, commits
from tests.launcher import Launcher

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
POINTS = ("received", "committed", "answered")
RESUME = ("resume", "--json")
POST = ("post", "--json", "fiber cut")
UPDATE = ("update", "--json", "cable found, ETA 2h")
SPLIT = random.Random(20261125)


def requests(*moments: tuple[str, str, int]) -> list[Blow]:
    return [Blow(where, what, point, time) for (where, what, time) in moments for point in POINTS]


def some(blows: Sequence[Blow], number: int) -> list[Blow]:
    """A sample, always the same; `make torture` tries the rest."""
    return sorted(SPLIT.sample(list(blows), number), key=str)


@dataclass(frozen=True)
class Case:
    """A command after others, the moments at which it is killed, and what is out in the end."""

    before: Sequence[Sequence[str]]
    command: Sequence[str]
    commits: int
    blows: Sequence[Blow]
    tweets: Sequence[str]
    """How each post on X ends."""
    pages: Sequence[str]
    """How each post on the Page begins, without its time."""
    letters: Sequence[str]
    """How each letter that a reader has begins."""
    seen: frozenset[str]
    """The kinds of requests that the command makes: a new one has to be added here, and above."""


LETTER = [Blow("mailbox", "bo@example.com", "content"), Blow("mailbox", "ann@example.org", "stored")]
PUBLISH = {"x POST /2/tweets", "x GET /2/tweets/N", "graph POST /N/feed", "graph POST /N", "graph GET /N"}
PUBLISH |= {"graph GET /N/comments", "graph POST /"}
FOLLOW = PUBLISH | {"x GET /2/tweets/search/recent"}
"""Of the sweep of what was out before there is one read more, and one commit for each post."""
CASES = {
    "update": Case(
        [POST],
        UPDATE,
        25,
        [
            *requests(("x", "POST /2/tweets", 1), ("graph", "POST /N/feed", 1)),
            *requests(("graph", "POST /N", 1), ("graph", "POST /N", 2)),
            *some(requests(("graph", "GET /N/comments", 1), ("graph", "GET /N/comments", 2)), 2),
            *some(requests(("x", "GET /2/tweets/N", 2), ("x", "GET /2/tweets/search/recent", 1)), 2),
            *LETTER,
            *some(commits(25), 9),
        ],
        ["] fiber cut", "update 1] cable found, ETA 2h"],
        ["UPDATE", "update 1"],
        ["fiber cut", "cable found"],
        frozenset(FOLLOW),
    ),
    "resolve": Case(
        [POST],
        ("resolve", "--json"),
        25,
        [*requests(("x", "POST /2/tweets", 1), ("graph", "POST /N", 2)), *LETTER, *some(commits(25), 4)],
        ["] fiber cut", "] Service is restored."],
        ["RESOLVED", "resolved after"],
        ["fiber cut", "Service is restored."],
        frozenset(FOLLOW),
    ),
    "retract": Case(
        [POST, UPDATE],
        ("retract", "--json"),
        18,
        [
            *requests(("x", "DELETE /2/tweets/N", 1), ("x", "DELETE /2/tweets/N", 2)),
            *requests(("graph", "DELETE /N", 1), ("graph", "DELETE /N", 2)),
            *LETTER,
            *some(commits(18), 14),
        ],
        [],
        [],
        ["fiber cut", "cable found", "Correction:"],
        frozenset({"x DELETE /2/tweets/N", "graph DELETE /N"}),
    ),
    "retract --last": Case(
        [POST, UPDATE],
        ("retract", "--last", "--json"),
        18,
        [
            *requests(("x", "DELETE /2/tweets/N", 1), ("graph", "DELETE /N", 1), ("graph", "POST /N", 1)),
            *some(commits(18), 8),
        ],
        ["] fiber cut"],
        ["fiber cut"],
        ["fiber cut", "cable found", "Correction:"],
        frozenset({"x DELETE /2/tweets/N", "graph DELETE /N", "graph POST /N"}),
    ),
    "picture": Case(
        [],
        ("post", "--json", "--image", "map.png", "--alt", "a map", "fiber cut"),
        26,
        [
            *requests(("x", "POST /2/media/upload", 1), ("x", "POST /2/media/metadata", 1), ("x", "POST /2/tweets", 1)),
            *requests(("graph", "POST /N/photos", 1), ("graph", "POST /N/feed", 1), ("graph", "POST /N", 1)),
            *some(commits(26), 10),
        ],
        ["] fiber cut"],
        ["fiber cut"],
        ["fiber cut"],
        frozenset(PUBLISH | {"x POST /2/media/upload", "x POST /2/media/metadata", "graph POST /N/photos"}),
    ),
}
KILLS = [(name, blow) for name, case in CASES.items() for blow in case.blows]


@pytest.fixture(scope="module")
def launcher() -> Iterator[Launcher]:
    with Launcher() as one:
        yield one


@pytest.fixture
def struck(tmp_path: Path, launcher: Launcher) -> Iterator[Struck]:
    (tmp_path / "map.png").write_bytes(PNG)
    with Struck(tmp_path, launcher) as one:
        yield one


def begun(struck: Struck, case: Case) -> None:
    for command in case.before:
        said = struck.command(command)
        assert said.code == 0, said.err


def written(struck: Struck, case: Case) -> bool:
    """Whether the command itself was written down before it was killed."""
    if case.command[0] == "retract":
        return bool(struck.ask("SELECT count(*) FROM wording WHERE withdrawn_at IS NOT NULL"))
    return sum(struck.ask("SELECT count(*) FROM announcement")) > len(case.before)


def as_if_nothing_had_been(struck: Struck, case: Case, lost_answers: int = 0) -> None:
    """All is out once; a letter once more only for each kill, or answer lost otherwise, that left it unknown."""
    tweets = struck.tweets()
    assert len(tweets) == len(case.tweets), tweets
    assert all(end in tweet for end, tweet in zip(case.tweets, tweets, strict=True)), tweets
    pages = struck.pages()
    assert len(pages) == len(case.pages), pages
    assert all(begin in page for begin, page in zip(case.pages, pages, strict=True)), pages
    sent: Counter[tuple[str, str]] = Counter()
    by_id: dict[str, set[bytes]] = {}
    for letter in struck.mailbox.letters:
        sent[letter.to[0], letter.message["Message-ID"]] += 1
        by_id.setdefault(letter.message["Message-ID"], set()).add(letter.raw)
    assert all(len(raw) == 1 for raw in by_id.values()), "the same letter, and not the same to the byte"
    for to in struck.to:
        mine = {key: number for key, number in sent.items() if key[0] == to}
        assert len(mine) == len(case.letters)
        assert sum(mine.values()) <= len(case.letters) + struck.repeats[to] + lost_answers
    public = struck.mailbox.public()
    assert all(any(letter["text"].startswith(begin) for letter in public) for begin in case.letters)
    ours = struck.x.account.screen_name
    assert not any(tweet["can_reply"] for tweet in struck.x.public() if tweet["author"] == ours)


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_the_moments_in_this_file_are_all_there_are(struck: Struck, case: Case) -> None:
    begun(struck, case)
    said = struck.command(case.command)
    assert (said.code, said.commits) == (0, case.commits), said.err
    assert {f"{blow.where} {blow.what}" for blow in struck.seen if blow.where != "mailbox"} == case.seen
    as_if_nothing_had_been(struck, case)


@pytest.mark.parametrize(
    ("name", "blow", "again"),
    [(*kill, again) for kill, again in zip(KILLS, itertools.cycle([True, False, False, True, True]), strict=False)],
    ids=lambda value: {True: "again", False: "resume"}.get(value, str(value)),
)
def test_killed_and_run_again_it_is_as_if_nothing_had_been(struck: Struck, name: str, blow: Blow, again: bool) -> None:
    case = CASES[name]
    begun(struck, case)
    struck.clock.ahead += LATER
    said = struck.command(case.command, blow=blow)
    assert said.code == KILLED or (blow.point == "answered" and said.code == 0)
    runs = 1
    while said.code != 0 and runs < MOST_RUNS:
        struck.clock.ahead += LATER
        said = struck.command(case.command if again or not written(struck, case) else RESUME)
        runs += 1
    assert said.code == 0, said.err
    as_if_nothing_had_been(struck, case)
    if name == "picture":
        assert [tweet["images"] for tweet in struck.x.public()] in ([["a map"]], [[]])


@pytest.mark.parametrize("point", POINTS)
def test_killed_while_it_hides_a_comment_the_next_run_hides_it_and_counts_it_no_more_than_once(
    struck: Struck, point: str
) -> None:
    case = CASES["update"]
    begun(struck, case)
    struck.graph.stranger_comment(struck.graph.public()[0]["id"], "When?")
    hiding = Blow("graph", "POST /N", point, 3)
    assert struck.command(case.command, blow=hiding).code in {KILLED, 0}
    struck.clock.ahead += LATER
    assert struck.command(case.command).code == 0
    as_if_nothing_had_been(struck, case)
    assert [post["comments"] for post in struck.graph.public()] == [[], []]
    # The Page does what it was asked for; whose work that was cannot be told by whoever has not heard the answer.
    assert len(struck.ask("SELECT 1 FROM attempt WHERE event = 'hidden'")) <= (point == "answered")
