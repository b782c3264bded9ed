"""An update that hangs under nothing on X says which incident it belongs to."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from hypothesis import assume, given
from hypothesis import settings as tries
from hypothesis import strategies as st
from msgspec.structs import replace
from twitter_kit import CREATE, ROOT, Clock, Notes, news, resumed

from outagecast.channel import Absent, ChannelError, Kind, Post, Receipt, Refused, TryLater
from outagecast.channels.twitter_text import compose
from outagecast.sandbox.faults import Fault, FaultKind, When
from outagecast.sandbox.x import ERRORS, ReplyRule, XPlatform, account
from outagecast.text import x_cashtags, x_length, x_mentions

if TYPE_CHECKING:
    from night import Night

    from outagecast.channel import Announcement
    from outagecast.channels.twitter import Twitter

NAMED = "[14:05 UTC · update 1 · fiber cut] splicing"
PLAIN = "[14:05 UTC · update 1] splicing"


def titled(title: str, words: str = "splicing", kind: Kind = Kind.UPDATE) -> Announcement:
    one = news(words, kind, 1)
    return replace(one, incident=replace(one.incident, title=title))


def update(title: str = "fiber cut") -> Post:
    (post,) = compose(titled(title), "", 10)
    return post


# What it says


@pytest.mark.parametrize(
    ("kind", "head"),
    [
        (Kind.UPDATE, "[14:05 UTC · update 1 · fiber cut]"),
        (Kind.RESOLVED, "[14:05 UTC · resolved after 0 s · fiber cut]"),
        (Kind.CORRECTION, "[14:05 UTC · correction · fiber cut]"),
    ],
)
def test_its_heading_names_the_incident_without_its_eta(kind: Kind, head: str) -> None:
    (post,) = compose(titled("fiber cut, ETA 1h", kind=kind), "", 10)
    assert post.data["alone"] == f"{head} splicing"
    assert "fiber cut" not in post.text


def test_the_first_post_of_an_incident_has_no_other_wording() -> None:
    (post,) = compose(news("fiber cut"), "", 10)
    assert "alone" not in post.data


@pytest.mark.parametrize(
    ("kind", "length", "text", "alone"),
    [
        (Kind.UPDATE, 260, "[14:05 UTC] ", None),
        (Kind.UPDATE, 269, "", "[cut] "),
        (Kind.UPDATE, 275, "", None),
        (Kind.RESOLVED, 260, "[resolved] ", "[resolved · cut] "),
        (Kind.RESOLVED, 269, "[resolved] ", None),
    ],
)
def test_it_names_the_incident_in_whatever_heading_is_left(
    kind: Kind, length: int, text: str, alone: str | None
) -> None:
    (post,) = compose(titled("cut" if alone else "cut in Cologne", "w" * length, kind), "", 10)
    assert post.text == text + "w" * length
    assert post.data.get("alone") == (alone + "w" * length if alone else None)


@pytest.mark.parametrize(
    ("room", "title"), [(29, "fiber cut in Cologne, Germany"), (28, "fiber cut in Cologne…"), (13, "fiber cut…")]
)
def test_a_title_is_cut_to_what_there_is_room_for(room: int, title: str) -> None:
    words = "w" * (280 - len("[14:05 UTC · update 1 · ] ") - room)
    (post,) = compose(titled("fiber cut in Cologne, Germany", words), "", 10)
    assert post.data.get("alone") in {f"[14:05 UTC · update 1 · {title}] {words}", None}
    assert ("alone" in post.data) == (len(title) > 12)


def test_only_the_first_part_of_a_thread_names_it() -> None:
    first, *others = compose(
        titled("cut", "The one is cut, and so is the other, as far as anybody can tell at night. " * 8), "", 10
    )
    assert first.data["alone"].startswith("[14:05 UTC · update 1 · 1/3 · cut] The one is cut")
    assert len(others) == 2
    assert not any("alone" in post.data for post in others)


def test_a_mention_or_cashtag_in_the_title_does_no_harm() -> None:
    alone = update("ask @example about $ABC").data["alone"]
    assert alone == "[14:05 UTC · update 1 · ask @\u200bexample about $\u200bABC] splicing"
    (post,) = compose(titled("$ABC falls", "$XYZ too"), "", 10)
    assert x_cashtags(post.data["alone"]) == ["XYZ"]


@given(
    st.lists(
        st.sampled_from(["@abcdefghi", "@abcé", "RT@x", "$ABC", "node1.net", "ETA 1h", "障害", "👩\u200d🚒", "a" * 30])
    )
    .map(" ".join)
    .filter(bool),
    st.integers(1, 280),
)
@tries(deadline=None, max_examples=200)
def test_no_title_opens_the_conversation_or_breaks_the_limit(title: str, length: int) -> None:
    try:
        (post,) = compose(titled(title, "w" * length), "", 10)
    except Refused:
        assume(False)
    alone = post.data.get("alone", post.text)
    assert x_length(alone) <= 280
    assert (x_mentions(alone), x_cashtags(alone)) == ([], [])
    assert alone.endswith("w" * length)


# When it says so


@pytest.mark.parametrize("wording", ["reply-not-mentioned", "reply-not-engaged"])
def test_an_update_that_is_refused_as_a_reply_names_its_incident(wording: str, x: XPlatform, twitter: Twitter) -> None:
    x.reply_rule, x.rule_refusal = ReplyRule.SELF_REFUSED, wording
    root = twitter.send(ROOT, None, Notes())
    receipt = twitter.send(update(), root, Notes())
    assert [request.json["text"] for request in x.log] == [ROOT.text, PLAIN, NAMED]
    assert x.log[-1].json == {"text": NAMED, "reply_settings": "mentionedUsers"}
    assert receipt.note
    assert x.stranger_reply(receipt.ref, "first!")[0] == 403


def test_so_does_one_whose_parent_is_gone(x: XPlatform, twitter: Twitter, clock: Clock) -> None:
    root = twitter.send(ROOT, None, Notes())
    x.tweets.delete(root.ref)
    with pytest.raises(TryLater):
        twitter.send(update(), root, Notes())
    clock.shift = timedelta(seconds=61)
    twitter.send(update(), root, Notes())
    assert [post["text"] for post in x.public()] == [NAMED]


def test_so_does_one_whose_incident_has_no_post_yet(x: XPlatform, twitter: Twitter, clock: Clock) -> None:
    receipt = twitter.send(update(), None, Notes())
    assert x.public()[0]["text"] == NAMED
    assert receipt.note is None
    found = twitter.find(update(), None, clock.moment_ago())
    assert isinstance(found, Receipt)
    assert (found.ref, found.note) == (receipt.ref, None)


def test_under_its_parent_it_says_nothing_twice(x: XPlatform, twitter: Twitter) -> None:
    root = twitter.send(ROOT, None, Notes())
    twitter.send(update(), root, Notes())
    assert x.public()[1]["text"] == PLAIN


def test_whoever_the_title_names_cannot_reply(x: XPlatform, twitter: Twitter) -> None:
    named = account("555", "example")
    named.self_serve = False
    x.add(named)
    receipt = twitter.send(update("ask @example"), None, Notes())
    body = {"text": "me!", "reply": {"in_reply_to_tweet_id": receipt.ref}}
    assert x.call_as(named, "POST", "/2/tweets", body)[0] == 403


def test_a_repeat_is_identical_to_the_byte(x: XPlatform, twitter: Twitter) -> None:
    root = twitter.send(ROOT, None, Notes())
    notes = Notes()
    x.faults.add(ERRORS["reply-not-engaged"].fault(CREATE), ERRORS["rate-limited-bare"].fault(CREATE))
    with pytest.raises(TryLater):
        twitter.send(update(), root, notes)
    twitter.send(replace(update(), token=dict(notes)), root, notes)
    assert x.log[-1].body == x.log[-2].body
    assert x.log[-1].json["text"] == NAMED


# Finding it again


@pytest.mark.parametrize("when", list(When))
@pytest.mark.parametrize("skip", [0, 1], ids=["the reply", "the root of its own"])
def test_whichever_answer_is_lost_it_is_out_once(
    skip: int, when: When, x: XPlatform, twitter: Twitter, clock: Clock
) -> None:
    root = twitter.send(ROOT, None, Notes())
    x.duplicate_lock = timedelta(0)
    x.reply_rule = ReplyRule.SELF_REFUSED
    x.faults.add(Fault(CREATE, FaultKind.RESET, when, skip=skip))
    notes = Notes()
    with pytest.raises(ChannelError):
        twitter.send(update(), root, notes)
    receipt = resumed(twitter, update(), root, notes, clock)
    assert [post["text"] for post in x.public()] == [ROOT.text, NAMED]
    assert receipt.ref == x.public()[1]["id"]
    assert receipt.data["conversation"] == receipt.ref
    assert receipt.note


def test_the_plain_words_are_found_as_well_where_they_stand_alone(x: XPlatform, twitter: Twitter, clock: Clock) -> None:
    """Before this wording existed they went out so; a post from then may still be in doubt."""
    root = twitter.send(ROOT, None, Notes())
    twitter.send(Post(PLAIN), None, Notes())
    began = clock.moment_ago()
    assert isinstance(twitter.find(update(), None, began), Receipt)
    assert isinstance(twitter.find(replace(update(), token={"root": "1"}), root, began), Receipt)
    assert isinstance(twitter.find(update(), root, began), Absent), "it was never sent as a root"


def test_the_words_of_a_root_are_no_reply_of_ours(x: XPlatform, twitter: Twitter, clock: Clock) -> None:
    root = twitter.send(ROOT, None, Notes())
    twitter.send(Post(NAMED), root, Notes())
    found = twitter.find(replace(update(), token={"root": "1"}), root, clock.moment_ago())
    assert isinstance(found, Absent)


def test_what_comes_later_hangs_under_the_new_root(night: Night) -> None:
    assert night.run("post", "fiber cut, ETA 1h").code == 0
    night.x.faults.add(ERRORS["reply-not-mentioned"].fault(CREATE))
    assert night.run("update", "cable found").code == 0
    assert night.run("resolve").code == 0
    _, update, end = night.x.public()
    assert update["in_reply_to"] is None
    assert "· update 1 · fiber cut] cable found" in update["text"]
    assert end["in_reply_to"] == update["id"]
    assert "fiber cut" not in end["text"]


def test_news_that_overtakes_the_first_post_names_the_incident(night: Night) -> None:
    night.x.faults.add(ERRORS["rate-limited"].fault(CREATE))
    assert night.run("post", "fiber cut, ETA 1h", "--deadline", "5").code == 75
    assert night.run("update", "cable found", "--deadline", "2000").code == 0
    (only,) = night.tweets()
    assert "· update 1 · fiber cut] cable found" in only
