"""What the X channel reads back and takes back: lookups, reply settings, deletions."""

from __future__ import annotations

import dataclasses
import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from twitter_kit import ROOT, UPDATE, Clock, Log, Notes

from outagecast.channel import (
    Absent,
    CannotTell,
    ChannelError,
    Post,
    Receipt,
    Refused,
    Replies,
    Secret,
    TryLater,
)
from outagecast.channels.twitter_match import hangs_under, is_id, reply_state, same_text
from outagecast.sandbox.faults import Fault, FaultKind, When
from outagecast.sandbox.x import ERRORS, XPlatform, account
from outagecast.sandbox.x_tweets import Draft

if TYPE_CHECKING:
    from collections.abc import Callable

    from outagecast.channels.twitter import Twitter

READ = r"GET /2/tweets/\d+"
TIMELINE = r"GET /2/users/\d+/tweets"


def test_nothing_found_is_believed_only_after_a_minute(twitter: Twitter, clock: Clock) -> None:
    assert twitter.find(ROOT, None, clock.moment_ago()) == Absent(timedelta(seconds=60))


@pytest.mark.parametrize(
    "text",
    [
        "[14:05 UTC] a < b && c > d &amp; &copy",
        "[14:05 UTC] see https://status.example.com/a?b=1&c=2 and node1.net",
        "[14:05 UTC] Café Zürich 👩‍👩‍👧 …",
        "[14:05 UTC] two\nlines\n\nand more",
        "[14:05 UTC] see HTTPS://Status.Example.com/",
    ],
)
def test_a_post_is_recognized_whatever_x_does_to_its_text(
    text: str, x: XPlatform, twitter: Twitter, clock: Clock
) -> None:
    began = clock.moment_ago()
    sent = twitter.send(Post(text), None, Notes())
    found = twitter.find(Post(text), None, began)
    assert isinstance(found, Receipt)
    assert found.ref == sent.ref
    assert found.replies is Replies.CLOSED


def test_another_text_or_another_parent_is_another_post(twitter: Twitter, clock: Clock) -> None:
    began = clock.moment_ago()
    root = twitter.send(ROOT, None, Notes())
    twitter.send(UPDATE, root, Notes())
    assert isinstance(twitter.find(UPDATE, root, began), Receipt)
    assert isinstance(twitter.find(UPDATE, None, began), Absent)
    assert isinstance(twitter.find(ROOT, root, began), Absent)
    assert isinstance(twitter.find(Post(ROOT.text + "."), None, began), Absent)


def test_a_post_is_found_although_the_clocks_disagree(twitter: Twitter, clock: Clock) -> None:
    """X takes signatures from clocks five minutes off; a post made then must not be overlooked and made again."""
    clock.shift = timedelta(minutes=5)
    began = clock()
    twitter.send(ROOT, None, Notes())
    assert isinstance(twitter.find(ROOT, None, began), Receipt)


def chatter(x: XPlatform, count: int) -> None:
    """Let the account post so much by hand."""
    for number in range(count):
        x.tweets.create(x.account, Draft(f"chatter {number}", None, None, ()), datetime.now(UTC))


def test_a_post_is_found_behind_hundreds_of_others(x: XPlatform, twitter: Twitter, clock: Clock) -> None:
    began = clock.moment_ago()
    sent = twitter.send(ROOT, None, Notes())
    chatter(x, 250)
    found = twitter.find(ROOT, None, began)
    assert isinstance(found, Receipt)
    assert found.ref == sent.ref


def test_an_account_that_posted_too_much_to_search_leaves_it_to_a_person(
    x: XPlatform, twitter: Twitter, clock: Clock
) -> None:
    chatter(x, 801)
    assert isinstance(twitter.find(ROOT, None, clock.moment_ago()), CannotTell)


@pytest.mark.parametrize("name", ["credits-depleted", "unauthorized", "client-not-enrolled", "not-found"])
def test_an_account_that_may_not_read_leaves_it_to_a_person(
    name: str, x: XPlatform, twitter: Twitter, clock: Clock
) -> None:
    x.faults.add(ERRORS[name].fault(TIMELINE))
    answer = twitter.find(ROOT, None, clock.moment_ago())
    assert isinstance(answer, CannotTell)
    assert "x.com" in answer.why


@pytest.mark.parametrize("name", ["rate-limited", "unavailable", "bad-gateway-page", "redirect", "not-permitted"])
def test_a_look_that_fails_for_now_is_tried_later(name: str, x: XPlatform, twitter: Twitter, clock: Clock) -> None:
    x.faults.add(ERRORS[name].fault(TIMELINE))
    with pytest.raises(TryLater):
        twitter.find(ROOT, None, clock.moment_ago())


@pytest.mark.parametrize(
    "kind", [FaultKind.RESET, FaultKind.HANG, FaultKind.TRUNCATE, FaultKind.EMPTY_JSON, FaultKind.NO_CONTENT]
)
def test_a_look_without_a_readable_answer_proves_no_absence(
    kind: FaultKind, x: XPlatform, twitter: Twitter, clock: Clock
) -> None:
    twitter.send(ROOT, None, Notes())
    x.faults.add(Fault(TIMELINE, kind, When.AFTER))
    with pytest.raises(TryLater):
        twitter.find(ROOT, None, clock.moment_ago())


def test_a_user_id_x_does_not_know_proves_no_absence(make: Callable[..., Twitter], clock: Clock) -> None:
    answer = make(user_id="42").find(ROOT, None, clock.moment_ago())
    assert isinstance(answer, CannotTell)
    assert "42" in answer.why


def test_the_user_id_is_read_from_the_token(x: XPlatform, make: Callable[..., Twitter], clock: Clock) -> None:
    assert isinstance(make(user_id=None).find(ROOT, None, clock.moment_ago()), Absent)
    asked = [request.path for request in x.log]
    prefix = x.account.access_token.partition("-")[0]
    assert ("/2/users/me" in asked) == (prefix != x.account.user_id)


def test_the_user_id_is_asked_for_once_if_nothing_else_tells_it(
    x: XPlatform, make: Callable[..., Twitter], clock: Clock
) -> None:
    odd = dataclasses.replace(account("555", "odd"), access_token="token-for-tests")
    x.add(odd)
    keys = {
        name: Secret.of(getattr(odd, name))
        for name in ("api_key", "api_key_secret", "access_token", "access_token_secret")
    }
    channel = make(user_id=None, **keys)
    channel.find(ROOT, None, clock.moment_ago())
    channel.find(ROOT, None, clock.moment_ago())
    assert [request.path for request in x.log] == ["/2/users/me", "/2/users/555/tweets", "/2/users/555/tweets"]


def test_where_x_leaves_out_the_parent_the_text_alone_decides() -> None:
    """Fields are dropped without a word; overlooking a post would publish it twice."""
    assert hangs_under({"id": "2"}, "1")
    assert hangs_under({"id": "2"}, None)
    assert hangs_under({"id": "2", "conversation_id": "1"}, "1")
    assert not hangs_under({"id": "2", "conversation_id": "1"}, None)
    assert not hangs_under({"id": "2", "conversation_id": "2"}, "1")
    quote = {"id": "2", "conversation_id": "2", "referenced_tweets": [{"type": "quoted", "id": "1"}]}
    assert hangs_under(quote, None)


def test_odd_entities_do_no_harm() -> None:
    assert same_text("words", {"text": "words", "entities": []})
    assert same_text("words", {"text": "words", "entities": {"urls": [None, {"url": "", "expanded_url": "x"}]}})


def test_replies_are_closed_when_the_setting_reads_back(twitter: Twitter) -> None:
    root = twitter.send(ROOT, None, Notes())
    assert twitter.close_replies(root) is Replies.CLOSED
    assert twitter.close_replies(twitter.send(UPDATE, root, Notes())) is Replies.CLOSED


def test_reading_back_changes_nothing_and_is_one_request(x: XPlatform, twitter: Twitter) -> None:
    root = twitter.send(ROOT, None, Notes())
    twitter.close_replies(root)
    assert [request.method for request in x.log] == ["POST", "GET"]


def test_a_field_that_is_left_out_is_not_verified_and_not_open(x: XPlatform, twitter: Twitter) -> None:
    root = twitter.send(ROOT, None, Notes())
    x.hide_reply_settings = True
    assert twitter.close_replies(root) is Replies.UNVERIFIED


@pytest.mark.parametrize(
    ("value", "state"),
    [
        ("mentionedUsers", Replies.CLOSED),
        ("mentioned_users", Replies.CLOSED),
        ("MentionedUsers", Replies.CLOSED),
        ("everyone", Replies.OPEN),
        ("following", Replies.OPEN),
        ("other", Replies.OPEN),
        (None, Replies.UNVERIFIED),
        ("", Replies.UNVERIFIED),
    ],
)
def test_what_a_reply_setting_means(value: str | None, state: Replies) -> None:
    assert reply_state({"reply_settings": value}) is state


@pytest.mark.parametrize("name", ["rate-limited", "unavailable", "bad-gateway-page", "not-found"])
def test_a_reading_that_fails_for_now_is_tried_later(name: str, x: XPlatform, twitter: Twitter) -> None:
    root = twitter.send(ROOT, None, Notes())
    x.faults.add(ERRORS[name].fault(READ))
    with pytest.raises(TryLater):
        twitter.close_replies(root)


@pytest.mark.parametrize("data", [{"id": "42"}, {}, {"id": None}])
@pytest.mark.parametrize("name", ["close_replies", "sweep", "retract"])
def test_another_posts_answer_tells_nothing_of_this_one(
    x: XPlatform, twitter: Twitter, data: dict[str, str | None], name: str
) -> None:
    root = twitter.send(ROOT, None, Notes())
    other = json.dumps({"data": {"text": "x", "reply_settings": "mentionedUsers", **data}})
    x.faults.add(Fault(READ, status=200, body=other), ERRORS["not-found"].fault("DELETE"))
    with pytest.raises(TryLater, match="cannot be read"):
        getattr(twitter, name)(root, *[Log()] * (name == "sweep"))


def test_an_id_is_of_ascii_digits_alone() -> None:
    assert [is_id(text) for text in ("42", "²", "١٢", "42\n", "", "-1")] == [True] + [False] * 5


def test_a_post_that_x_does_not_show_yet_is_looked_at_later(x: XPlatform, twitter: Twitter) -> None:
    x.lookup_lag = timedelta(minutes=1)
    root = twitter.send(ROOT, None, Notes())
    with pytest.raises(TryLater):
        twitter.close_replies(root)


@pytest.mark.parametrize(("seconds", "answer"), [(50, TryLater), (70, Refused)])
@pytest.mark.parametrize("noted", [True, False])
def test_a_post_that_x_does_not_show_after_a_minute_is_gone(
    x: XPlatform, twitter: Twitter, clock: Clock, seconds: int, answer: type[ChannelError], *, noted: bool
) -> None:
    root = twitter.send(ROOT, None, Notes())
    x.tweets.delete(root.ref)
    clock.shift += timedelta(seconds=seconds)
    with pytest.raises(answer, match=r"does not show (the post yet|https://x.com/i/status/[0-9]+ any more)"):
        twitter.sweep(root if noted else Receipt(root.ref, root.url), Log())


@pytest.mark.parametrize("name", ["unauthorized", "credits-depleted", "client-not-enrolled", "reply-not-mentioned"])
def test_an_account_that_may_not_read_is_told_so(name: str, x: XPlatform, twitter: Twitter) -> None:
    root = twitter.send(ROOT, None, Notes())
    x.faults.add(ERRORS[name].fault(READ))
    with pytest.raises(Refused, match="cannot be read back") as caught:
        twitter.close_replies(root)
    assert caught.value.hint
