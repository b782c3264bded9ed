"""A post with a picture is out exactly once on X, wherever an answer is lost or the process ends, and is found again."""

from __future__ import annotations

import itertools
from contextlib import suppress
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from msgspec.structs import replace
from twitter_kit import CREATE, DESCRIBE, SHOWN, UPLOAD, Clock, Notes, resumed, simulated_x

from outagecast.channel import InDoubt, Receipt
from outagecast.channels.twitter_match import same_text
from outagecast.sandbox.faults import Fault, FaultKind, When, lost_answer, unclear
from outagecast.sandbox.x import ERRORS, XPlatform

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from outagecast.channels.twitter import Twitter

UNCLEAR = [name for name in unclear("") if not name.startswith(("silence", "drip"))]


@pytest.fixture
def x() -> Iterator[XPlatform]:
    for platform in simulated_x():
        platform.duplicate_lock = timedelta(0)
        yield platform


def creates(x: XPlatform) -> list[bytes]:
    return [request.body for request in x.log if request.path == "/2/tweets"]


def images(x: XPlatform) -> list[list[str]]:
    """Of each public post, the alt texts of its pictures."""
    return [post["images"] for post in x.public()]


# Exactly once


@pytest.mark.parametrize("name", UNCLEAR)
def test_after_a_lost_answer_it_is_out_once_with_its_one_picture(
    name: str, x: XPlatform, twitter: Twitter, clock: Clock
) -> None:
    x.faults.add(unclear(CREATE)[name])
    notes = Notes()
    with pytest.raises(InDoubt):
        twitter.send(SHOWN, None, notes)
    receipt = resumed(twitter, SHOWN, None, notes, clock)
    assert images(x) == [["map of the cut"]]
    assert receipt.note is None
    assert len(x.media) == 1
    assert len(set(creates(x))) == 1


@pytest.mark.parametrize("lost_first", [True, False], ids=["with it", "without it"])
@pytest.mark.parametrize("when", list(When))
def test_after_a_lost_answer_to_words_that_were_left_alone_they_are_out_once(
    when: When, *, lost_first: bool, x: XPlatform, twitter: Twitter, clock: Clock
) -> None:
    notes = Notes()
    faults = [Fault(CREATE, FaultKind.RESET, when), ERRORS["invalid-request"].fault(CREATE)]
    x.faults.add(*(faults if lost_first else reversed(faults)))
    with pytest.raises(InDoubt):
        twitter.send(SHOWN, None, notes)
    receipt = resumed(twitter, SHOWN, None, notes, clock)
    assert len(x.public()) == 1
    assert receipt.ref == x.public()[0]["id"]
    assert ("without its picture" in str(receipt.note)) == (images(x) == [[]])


class KilledError(BaseException):
    """The process ends here."""


@pytest.mark.parametrize("committed", [False, True])
@pytest.mark.parametrize("at", [1, 2])
@pytest.mark.parametrize("fault", [None, UPLOAD, DESCRIBE])
def test_killed_at_its_steps_it_is_out_once(
    *, committed: bool, at: int, fault: str | None, x: XPlatform, twitter: Twitter, clock: Clock
) -> None:
    """And with its picture, unless only the beginning of the upload was remembered."""
    if fault:
        x.faults.add(lost_answer(fault))
    notes = Notes()
    steps = itertools.count(1)

    def killed(token: Mapping[str, str]) -> None:
        step = next(steps)
        if step < at or committed:
            notes(token)
        if step == at:
            raise KilledError

    with suppress(KilledError):
        twitter.send(SHOWN, None, killed)
    receipt = resumed(twitter, SHOWN, None, notes, clock)
    assert len(x.public()) == 1
    if fault is None:
        unended = (at, committed) in {(1, True), (2, False)}
        assert images(x) == [[] if unended else ["map of the cut"]]
        assert receipt.note == ("without its picture: its upload did not end in time" if unended else None)


# Finding it again


def test_the_link_that_x_puts_behind_the_words_is_no_part_of_them() -> None:
    own = {"url": "https://t.co/a", "expanded_url": "https://x.com/e/status/7/photo/1"}
    found = {"id": "7", "text": "words https://t.co/a"}
    assert same_text("words", {**found, "entities": {"urls": [own]}})
    assert same_text("words", {**found, "entities": {"urls": [{**own, "expanded_url": "x", "media_key": "3_1"}]}})
    assert same_text("words", found), "X leaves fields out without a word"
    assert not same_text("word", found)


def test_a_link_to_somebodys_picture_is_part_of_the_words() -> None:
    link = "https://x.com/e/status/6/photo/1"
    found = {
        "id": "7",
        "text": "see https://t.co/a",
        "entities": {"urls": [{"url": "https://t.co/a", "expanded_url": link}]},
    }
    assert same_text(f"see {link}", found)
    assert not same_text("see", found)


def test_words_that_end_in_a_link_are_found_with_their_picture(x: XPlatform, twitter: Twitter, clock: Clock) -> None:
    post = replace(SHOWN, text="[14:05 UTC] a < b, see status.example.com/a?b=1&c=2")
    sent = twitter.send(post, None, Notes())
    found = twitter.find(post, None, clock.moment_ago())
    assert isinstance(found, Receipt)
    assert found.ref == sent.ref
