"""Whose words below a post of ours may be hidden on X: a stranger's, for certain; what cannot be told is told."""

from __future__ import annotations

import dataclasses
import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from msgspec.structs import replace
from test_twitter_replies import HIDE, READ, SEARCH, asked, intruded, seen
from twitter_kit import ROOT, UPDATE, Clock, Log, Notes

from outagecast.channel import CannotTell, Refused, Replies, Secret, TryLater
from outagecast.sandbox.faults import Fault
from outagecast.sandbox.x import ERRORS, XPlatform, account

if TYPE_CHECKING:
    from collections.abc import Callable

    from outagecast.channels.twitter import Twitter

KEYS = ("api_key", "api_key_secret", "access_token", "access_token_secret")


def found(x: XPlatform, body: dict[str, Any]) -> None:
    """Let the next search give this."""
    x.faults.add(Fault(SEARCH, status=200, body=json.dumps(body)))


def keys_of(x: XPlatform, **more: str) -> dict[str, Any]:
    """The settings of another account at X."""
    other = dataclasses.replace(account("555", "other"), **more)
    x.add(other)
    return {"user_id": None} | {name: Secret.of(getattr(other, name)) for name in KEYS}


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"author_id": None}, "who wrote"),
        ({"author_id": "²"}, "who wrote"),
        ({"conversation_id": None}, "not known to belong"),
        ({"conversation_id": "42"}, "not known to belong"),
        ({"id": None}, "without a readable id"),
        ({"id": "²"}, "without a readable id"),
        ({"id": "٤٢"}, "without a readable id"),
    ],
)
def test_what_is_not_surely_a_strangers_reply_here_is_not_touched_and_that_is_told(
    x: XPlatform, twitter: Twitter, changed: dict[str, str | None], why: str
) -> None:
    root, (sure, unsure) = intruded(x, twitter, 2)
    common = {"author_id": x.stranger.user_id, "conversation_id": root.ref}
    found(x, {"data": [common | {"id": unsure} | changed, common | {"id": sure}], "meta": {"result_count": 2}})
    log = Log()
    assert twitter.sweep(root, log) is Replies.CLOSED
    assert ([ref for _, ref in log.acts], asked(x, "PUT")) == ([sure], 1)
    assert why in log.whys[0]


@pytest.mark.parametrize(
    "body",
    [
        {"meta": {"result_count": 5}},
        {"data": [], "meta": {"result_count": 5}},
        {"data": ["1", None], "meta": {"result_count": 2}},
        {"data": [7], "meta": {"result_count": 0}},
        {"meta": {"result_count": 0}, "errors": [{"title": "Authorization Error"}]},
    ],
)
def test_replies_that_x_counts_and_does_not_show_are_told(x: XPlatform, twitter: Twitter, body: dict[str, Any]) -> None:
    root = twitter.send(ROOT, None, Notes())
    found(x, body)
    log = Log()
    assert twitter.sweep(root, log) is Replies.CLOSED
    assert log.whys == ["X does not show all the replies that it counts"]


@pytest.mark.parametrize(
    "body",
    [
        {"data": []},
        {"data": "x", "meta": {"result_count": 1}},
        {"data": 7, "meta": {"result_count": 1}},
        {"data": None, "meta": {"result_count": 0}},
        {"data": [], "meta": {"result_count": -1}},
        {"data": [], "meta": {"result_count": True}},
        {"data": [], "meta": [0]},
    ],
)
def test_a_list_that_cannot_be_read_is_looked_at_later(x: XPlatform, twitter: Twitter, body: dict[str, Any]) -> None:
    root = twitter.send(ROOT, None, Notes())
    found(x, body)
    with pytest.raises(TryLater, match="cannot be read"):
        twitter.sweep(root, Log())


@pytest.mark.parametrize(("days", "told"), [(6, False), (8, True)])
def test_a_post_older_than_what_the_search_reaches_is_told(
    x: XPlatform, twitter: Twitter, clock: Clock, days: int, *, told: bool
) -> None:
    root, _ = intruded(x, twitter)
    clock.shift += timedelta(days=days)
    log = Log()
    twitter.sweep(root, log)
    assert (any("seven days" in why for why in log.whys), seen(x)) == (told, [])


# Who we are


def test_by_a_user_id_that_is_not_the_keys_own_nothing_is_hidden_and_nothing_absent(
    x: XPlatform, make: Callable[..., Twitter], clock: Clock
) -> None:
    root = make().send(ROOT, None, Notes())
    make().send(UPDATE, root, Notes())
    log, mistaken = Log(), make(user_id=x.stranger.user_id)
    with pytest.raises(Refused, match=f"user_id {x.stranger.user_id} in the config does not belong") as caught:
        mistaken.sweep(root, log)
    assert (log.setting, asked(x, SEARCH), asked(x, "PUT")) == (Replies.CLOSED, 0, 0)
    assert (caught.value.mendable, f'user_id: "{x.account.user_id}"' in caught.value.hint) == (True, True)
    assert isinstance(mistaken.find(ROOT, None, clock.moment_ago()), CannotTell)


@pytest.mark.parametrize("known", ["by the token", "by the config"])
def test_below_a_post_of_another_account_nothing_is_hidden(
    x: XPlatform, make: Callable[..., Twitter], known: str
) -> None:
    root, _ = intruded(x, make())
    keys = keys_of(x) if known == "by the token" else keys_of(x, access_token="no-number") | {"user_id": "555"}
    log = Log()
    with pytest.raises(Refused, match=f"the post is of user_id {x.account.user_id}, but .* of user_id 555"):
        make(**keys).sweep(root, log)
    assert (log.setting, asked(x, SEARCH), asked(x, "PUT")) == (Replies.CLOSED, 0, 0)


def test_where_nothing_but_x_tells_who_we_are_the_author_of_the_root_is_taken(
    x: XPlatform, make: Callable[..., Twitter]
) -> None:
    channel = make(**keys_of(x, access_token="no-number"))
    root, (reply,) = intruded(x, channel)
    channel.send(UPDATE, root, Notes())
    log = Log()
    channel.sweep(root, log)
    assert ([ref for _, ref in log.acts], asked(x, "GET /2/users/me")) == ([reply], 0)


def test_where_x_does_not_say_whose_the_post_is_nothing_is_hidden_and_it_is_asked_again(
    x: XPlatform, twitter: Twitter, clock: Clock
) -> None:
    root, _ = intruded(x, twitter)
    silent = json.dumps({"data": {"id": root.ref, "text": "", "reply_settings": "mentionedUsers"}})
    x.faults.add(Fault(READ, status=200, body=silent))
    log = Log()
    assert twitter.sweep(root, log) is Replies.CLOSED
    assert (log.whys, asked(x, SEARCH)) == (["X does not say whose the post is"], 0)
    clock.shift += timedelta(minutes=6)
    assert twitter.sweep(replace(root, replies=Replies.CLOSED), log) is Replies.CLOSED
    assert seen(x) == []


# How many at once


def test_one_that_may_not_be_hidden_keeps_no_other_from_being_hidden(x: XPlatform, twitter: Twitter) -> None:
    root, _ = intruded(x, twitter, 6)
    x.faults.add(*[ERRORS["not-permitted"].fault(HIDE) for _ in range(4)])
    log = Log()
    with pytest.raises(Refused, match=r"4 replies got through below .* and cannot be hidden"):
        twitter.sweep(root, log)
    assert (len(log.acts), len(seen(x))) == (2, 4)


def test_no_more_are_tried_at_once_than_x_lets_us_hide_in_a_quarter_of_an_hour(x: XPlatform, twitter: Twitter) -> None:
    root, _ = intruded(x, twitter, 53)
    x.faults.add(*[ERRORS["not-permitted"].fault(HIDE) for _ in range(99)])
    with pytest.raises(Refused, match="53 replies got through"):
        twitter.sweep(root, Log())
    assert asked(x, "PUT") == 50


class Wanted(Log):
    """A sweep that is to give way as soon as it has hidden something."""

    def give_way(self) -> bool:
        return bool(self.acts)


def test_a_sweep_that_gives_way_leaves_the_rest_to_the_next_one(x: XPlatform, twitter: Twitter) -> None:
    root, _ = intruded(x, twitter, 3)
    log = Wanted()
    twitter.sweep(root, log)
    assert (len(log.acts), len(seen(x))) == (1, 2)
    twitter.sweep(root, Log())
    assert seen(x) == []
