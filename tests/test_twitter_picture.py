"""A picture goes out with the words on X, or the words go out alone and say why; either way exactly once."""

from __future__ import annotations

import base64
import socket
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from msgspec.structs import replace
from twitter_kit import CREATE, DESCRIBE, MAP, ROOT, SHOWN, UPLOAD, Clock, Notes, news, simulated_x

from outagecast.channel import ChannelError, Post, Receipt, Refused, TryLater
from outagecast.channels.twitter import Twitter
from outagecast.graphemes import graphemes
from outagecast.sandbox.faults import Fault, FaultKind, unclear
from outagecast.sandbox.x import ERRORS, ReplyRule, XPlatform

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

UNCLEAR = [name for name in unclear("") if not name.startswith(("silence", "drip"))]


@pytest.fixture
def x() -> Iterator[XPlatform]:
    for platform in simulated_x():
        platform.duplicate_lock = timedelta(0)
        yield platform


def calls(x: XPlatform) -> list[str]:
    return [f"{request.method} {request.path}" for request in x.log]


def creates(x: XPlatform) -> list[bytes]:
    return [request.body for request in x.log if request.path == "/2/tweets"]


def images(x: XPlatform) -> list[list[str]]:
    """Of each public post, the alt texts of its pictures."""
    return [post["images"] for post in x.public()]


# What is planned


def test_pictures_of_up_to_five_megabytes_are_taken() -> None:
    assert Twitter.caps.images == 5 * 1024 * 1024


def test_the_first_part_has_the_picture(twitter: Twitter) -> None:
    posts = twitter.render(news("One is cut. " * 60, image=MAP))
    assert len(posts) > 1
    assert [post.image for post in posts] == [MAP] + [None] * (len(posts) - 1)


@pytest.mark.parametrize(
    ("words", "alt", "cost"),
    [
        ("fiber cut", "map of the cut", "0.020 USD"),
        ("fiber cut", "", "0.015 USD"),
        ("node1.net is down", "map of the cut", "0.205 USD"),
    ],
)
def test_its_words_for_who_cannot_see_it_cost_money_too(words: str, alt: str, cost: str, twitter: Twitter) -> None:
    (post,) = twitter.render(news(words, image=replace(MAP, alt=alt)))
    assert post.data["cost"] == cost


# What is sent


def test_it_is_uploaded_and_described_and_then_the_post_is_made(x: XPlatform, twitter: Twitter) -> None:
    notes = Notes()
    receipt = twitter.send(SHOWN, None, notes)
    upload, describe, create = (request.json for request in x.log)
    assert calls(x) == [UPLOAD, DESCRIBE, CREATE]
    assert upload == {"media": base64.b64encode(MAP.data).decode(), "media_category": "tweet_image"}
    assert describe == {"id": notes["media"], "metadata": {"alt_text": {"text": "map of the cut"}}}
    assert create == {
        "text": ROOT.text,
        "reply_settings": "mentionedUsers",
        "media": {"media_ids": [notes["media"]]},
    }
    assert images(x) == [["map of the cut"]]
    assert x.media[notes["media"]].content == MAP.data
    assert receipt.note is None
    assert notes.keys() == {"picture-begun", "media"}


def test_its_beginning_is_remembered_before_it_and_its_id_before_the_post_is_made(
    x: XPlatform, twitter: Twitter
) -> None:
    seen: list[list[str]] = []
    twitter.send(SHOWN, None, lambda token: seen.append(calls(x)))
    assert seen == [[], [UPLOAD, DESCRIBE]]


def test_a_repeat_brings_the_same_picture_to_the_byte(x: XPlatform, twitter: Twitter) -> None:
    notes = Notes()
    x.faults.add(ERRORS["rate-limited-bare"].fault(CREATE))
    with pytest.raises(TryLater):
        twitter.send(SHOWN, None, notes)
    twitter.send(replace(SHOWN, token=dict(notes)), None, notes)
    assert calls(x) == [UPLOAD, DESCRIBE, CREATE, CREATE]
    first, second = creates(x)
    assert first == second


def test_an_update_brings_its_picture_under_its_parent(x: XPlatform, twitter: Twitter) -> None:
    root = twitter.send(ROOT, None, Notes())
    twitter.send(Post("[14:25 UTC · update 1] splicing", image=MAP), root, Notes())
    assert x.public()[1]["in_reply_to"] == root.ref
    assert images(x) == [[], ["map of the cut"]]


def test_a_long_description_is_cut_between_characters(x: XPlatform, twitter: Twitter) -> None:
    family = "👩\u200d👩\u200d👧"
    twitter.send(replace(SHOWN, image=replace(MAP, alt=family * 400)), None, Notes())
    ((alt,),) = images(x)
    assert alt.endswith("…")
    assert set(graphemes(alt.removesuffix("…"))) == {family}
    assert 995 < len(alt) <= 1000


def test_without_a_description_none_is_sent(x: XPlatform, twitter: Twitter) -> None:
    assert twitter.send(replace(SHOWN, image=replace(MAP, alt="")), None, Notes()).note is None
    assert calls(x) == [UPLOAD, CREATE]


# When it cannot be


def words_alone(x: XPlatform, twitter: Twitter, clock: Clock) -> None:
    """The post goes out at once as words, and says so, to whoever sends it and to whoever finds it."""
    notes = Notes()
    receipt = twitter.send(SHOWN, None, notes)
    assert images(x) == [[]]
    assert notes["media"] == ""
    assert receipt.note is not None
    assert receipt.note.startswith("without its picture: ")
    assert len(receipt.note) > len("without its picture: ")
    assert x.log[-1].json == {"text": ROOT.text, "reply_settings": "mentionedUsers"}
    found = twitter.find(replace(SHOWN, token=dict(notes)), None, clock.moment_ago())
    assert isinstance(found, Receipt)
    assert (found.ref, found.note) == (receipt.ref, receipt.note)


@pytest.mark.parametrize("name", sorted(ERRORS))
def test_whatever_x_answers_to_the_upload_the_words_go_out(
    name: str, x: XPlatform, twitter: Twitter, clock: Clock
) -> None:
    x.faults.add(ERRORS[name].fault(UPLOAD))
    words_alone(x, twitter, clock)
    assert calls(x)[:2] == [UPLOAD, CREATE]


@pytest.mark.parametrize("name", UNCLEAR)
def test_whatever_becomes_of_the_upload_the_words_go_out(
    name: str, x: XPlatform, twitter: Twitter, clock: Clock
) -> None:
    x.faults.add(unclear(UPLOAD)[name])
    words_alone(x, twitter, clock)


def test_an_upload_that_is_never_answered_does_not_hold_the_words(x: XPlatform, twitter: Twitter, clock: Clock) -> None:
    x.faults.add(Fault(UPLOAD, FaultKind.HANG))
    words_alone(x, twitter, clock)


def test_a_file_that_is_no_picture_does_not_hold_the_words(x: XPlatform, twitter: Twitter) -> None:
    receipt = twitter.send(replace(SHOWN, image=replace(MAP, data=b"<html>")), None, Notes())
    assert "Unsupported media type" in str(receipt.note)
    assert images(x) == [[]]


@pytest.mark.parametrize("name", [*sorted(ERRORS), *UNCLEAR])
def test_a_picture_that_cannot_be_described_goes_out_all_the_same(
    name: str, x: XPlatform, twitter: Twitter, clock: Clock
) -> None:
    faults: Mapping[str, Fault] = unclear(DESCRIBE)
    x.faults.add(faults[name] if name in faults else ERRORS[name].fault(DESCRIBE))
    notes = Notes()
    receipt = twitter.send(SHOWN, None, notes)
    assert [len(pictures) for pictures in images(x)] == [1]
    # An odd success is one: the words have arrived, and nothing else is to be read from that answer.
    taken = name.startswith(("created-", "empty-object", "no-content"))
    assert str(receipt.note).startswith("its picture has no alt text: ") == (not taken)
    found = twitter.find(replace(SHOWN, token=dict(notes)), None, clock.moment_ago())
    assert isinstance(found, Receipt)
    assert (found.ref, found.note) == (receipt.ref, receipt.note)


def test_where_x_cannot_be_reached_the_picture_has_its_next_chance_with_the_words(
    x: XPlatform, make: Callable[..., Twitter]
) -> None:
    notes = Notes()
    with socket.create_server(("127.0.0.1", 0)) as server:
        nobody = f"http://127.0.0.1:{server.getsockname()[1]}"
    with pytest.raises(TryLater):
        make(simulator_url=nobody).send(SHOWN, None, notes)
    assert notes == {"picture-begun": ""}
    assert make().send(replace(SHOWN, token=dict(notes)), None, notes).note is None
    assert images(x) == [["map of the cut"]]


# When X does not take it with the post


def test_a_picture_that_has_expired_is_left_out_at_once(x: XPlatform, twitter: Twitter, clock: Clock) -> None:
    notes = Notes()
    x.faults.add(ERRORS["rate-limited-bare"].fault(CREATE))
    with pytest.raises(TryLater):
        twitter.send(SHOWN, None, notes)
    x.media.clear()
    seen: list[int] = []

    def remember(token: Mapping[str, str]) -> None:
        notes(token)
        seen.append(len(x.log))

    receipt = twitter.send(replace(SHOWN, token=dict(notes)), None, remember)
    assert seen == [4], "after the refusal, before the words alone"
    assert notes["media"] == ""
    assert 'without its picture: X could not make sense of the request (HTTP 400, X says: "Your media' in str(
        receipt.note
    )
    assert images(x) == [[]]
    found = twitter.find(replace(SHOWN, token=dict(notes)), None, clock.moment_ago())
    assert isinstance(found, Receipt)
    assert found.note == receipt.note


def test_words_that_x_refuses_as_well_are_refused(x: XPlatform, twitter: Twitter) -> None:
    x.faults.add(*[ERRORS["invalid-request"].fault(CREATE)] * 2)
    with pytest.raises(Refused):
        twitter.send(SHOWN, None, Notes())
    assert calls(x) == [UPLOAD, DESCRIBE, CREATE, CREATE]


def test_words_without_a_picture_are_refused_at_once(x: XPlatform, twitter: Twitter) -> None:
    x.faults.add(ERRORS["invalid-request"].fault(CREATE))
    with pytest.raises(Refused):
        twitter.send(ROOT, None, Notes())
    assert calls(x) == [CREATE]


def test_a_reply_and_a_picture_that_are_refused_leave_a_root_of_words(x: XPlatform, twitter: Twitter) -> None:
    root = twitter.send(ROOT, None, Notes())
    x.reply_rule = ReplyRule.SELF_REFUSED
    x.faults.add(ERRORS["invalid-request"].fault(CREATE))
    notes = Notes()
    receipt = twitter.send(Post("splicing", image=MAP), root, notes)
    assert notes["root"] == "1"
    assert notes["media"] == ""
    assert "post of its own" in str(receipt.note)
    assert "without its picture" in str(receipt.note)
    assert images(x) == [[], []]


@pytest.mark.parametrize("name", ["rate-limited", "not-permitted", "unauthorized", "credits-depleted", "duplicate"])
def test_any_other_refusal_of_the_post_keeps_its_picture(name: str, x: XPlatform, twitter: Twitter) -> None:
    x.faults.add(ERRORS[name].fault(CREATE))
    notes = Notes()
    with pytest.raises(ChannelError):
        twitter.send(SHOWN, None, notes)
    assert notes["media"]
    twitter.send(replace(SHOWN, token=dict(notes)), None, notes)
    assert images(x) == [["map of the cut"]]
