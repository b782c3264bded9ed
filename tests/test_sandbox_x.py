"""The simulated X takes the keys and the form of a post as the real one does, over real sockets."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
import tweepy
from sandbox_x_kit import Clock, call, post, raw, real_sdk, root, simulated_x

from outagecast.sandbox import oauth1
from outagecast.sandbox.weigh import links, mentions, weigh
from outagecast.sandbox.x import ERRORS, XPlatform, account
from outagecast.text import x_length

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def x(clock: Clock) -> Iterator[XPlatform]:
    yield from simulated_x(clock)


@pytest.fixture
def live() -> Iterator[XPlatform]:
    with XPlatform() as platform:
        yield platform


@pytest.fixture
def client(live: XPlatform) -> Iterator[tweepy.Client]:
    yield from real_sdk(live)


# Keys


def test_the_real_sdk_publishes_with_a_signature_that_is_verified(live: XPlatform, client: tweepy.Client) -> None:
    answer = client.create_tweet(text="fiber cut, ETA 1h ~ 50% & more", reply_settings="mentionedUsers")
    assert [seen["id"] for seen in live.public()] == [answer.data["id"]]


def test_the_real_sdk_reads_a_post_back_through_a_signed_query(live: XPlatform, client: tweepy.Client) -> None:
    ref = client.create_tweet(text="fiber cut", reply_settings="mentionedUsers").data["id"]
    fields = ["reply_settings", "conversation_id", "created_at"]
    tweet = client.get_tweet(ref, tweet_fields=fields, user_auth=True).data
    assert (tweet["reply_settings"], tweet.conversation_id) == ("mentionedUsers", int(ref))


def test_the_real_sdk_with_a_wrong_secret_is_unauthorized(live: XPlatform, client: tweepy.Client) -> None:
    client.access_token_secret = "not-the-secret"
    with pytest.raises(tweepy.Unauthorized):
        client.create_tweet(text="fiber cut")
    assert not live.public()


def test_a_request_without_keys_is_unauthorized(x: XPlatform) -> None:
    status, _, body = raw(x, "GET", "/2/users/me", {})
    assert (status, body) == (401, ERRORS["unauthorized"].value)


def test_a_bearer_token_is_the_wrong_kind_of_keys(x: XPlatform) -> None:
    status, _, body = raw(x, "GET", "/2/users/me", {"Authorization": "Bearer key-for-tests"})
    assert status == 403
    assert body["type"].endswith("/unsupported-authentication")


@pytest.mark.parametrize(("minutes", "status"), [(-6, 401), (-4, 200), (4, 200), (6, 401)])
def test_a_clock_that_is_more_than_five_minutes_off_is_unauthorized(x: XPlatform, minutes: int, status: int) -> None:
    at = x.now() + timedelta(minutes=minutes)
    header = oauth1.authorization("GET", "/2/users/me", x.account.keys, at)
    assert raw(x, "GET", "/2/users/me", {"Authorization": header})[0] == status


def test_a_signature_is_good_for_one_request(x: XPlatform) -> None:
    header = {"Authorization": oauth1.authorization("GET", "/2/users/me", x.account.keys, x.now())}
    assert [raw(x, "GET", "/2/users/me", header)[0] for _ in range(2)] == [200, 401]


def test_every_answer_carries_the_time_of_the_platform(x: XPlatform) -> None:
    assert raw(x, "GET", "/2/users/me", {})[1]["Date"] == "Sun, 22 Nov 2026 14:05:00 GMT"


def test_an_app_that_may_only_read_cannot_post(x: XPlatform) -> None:
    x.account.write = False
    status, body = post(x, "fiber cut")
    assert status == 403
    assert body["type"].endswith("/oauth1-permissions")


def test_without_credits_everything_is_payment_required_and_failures_cost_nothing(x: XPlatform) -> None:
    x.account.credits = 1
    assert post(x, "")[0] == 400
    assert post(x, "fiber cut")[0] == 201
    status, body = call(x, "GET", "/2/users/me")
    assert (status, body["title"]) == (402, "CreditsDepleted")


def test_a_tier_without_reads_knows_only_itself(x: XPlatform) -> None:
    x.account.can_read = False
    ref = root(x)
    assert call(x, "GET", f"/2/tweets/{ref}")[0] == 403
    assert call(x, "GET", f"/2/users/{x.account.user_id}/tweets")[0] == 403
    assert call(x, "GET", "/2/users/me")[0] == 200


def test_a_further_account_has_keys_and_posts_of_its_own(x: XPlatform) -> None:
    other = account("55", "other")
    x.add(other)
    assert x.call_as(other, "POST", "/2/tweets", {"text": "hello"})[0] == 201
    x.account = replace(other, access_token_secret="wrong")
    assert post(x, "hello again")[0] == 401


# The form of a post


@pytest.mark.parametrize(
    "body",
    [
        {"text": "a", "comments_enabled": False},
        {"text": "a", "reply_settings": "everyone"},
        {"text": "a", "reply_settings": "mentioned_users"},
        {"text": "x" * 281},
        {"text": "✓" * 141},
        {"text": ""},
        {"text": " \n"},
        {},
        ["a"],
        {"text": 7},
        {"text": "a", "reply": {"in_reply_to_tweet_id": "abc"}},
        {"text": "a", "media": {"media_ids": []}},
        {"text": "a", "media": {"media_ids": ["1"]}},
    ],
)
def test_a_post_of_the_wrong_form_is_refused_with_400(x: XPlatform, body: Any) -> None:
    status, answer = call(x, "POST", "/2/tweets", body)
    assert (status, answer["title"]) == (400, "Invalid Request")
    assert not x.public()


def test_a_wrong_reply_setting_is_told_the_four_right_ones(x: XPlatform) -> None:
    _, body = post(x, "a", reply_settings="everyone")
    assert "value must be one of: [following mentionedUsers subscribers verified]" in body["errors"][0]["message"]


@pytest.mark.parametrize("text", ["x" * 280, "✓" * 140, "https://example.com/" + "x" * 400, "👍🏽" * 140])
def test_a_text_of_280_units_goes_out(x: XPlatform, text: str) -> None:
    assert post(x, text)[0] == 201


def test_a_field_that_needs_a_privilege_is_refused(x: XPlatform) -> None:
    assert post(x, "a", nullcast=True)[0] == 403


def test_two_cashtags_are_refused(x: XPlatform) -> None:
    assert post(x, "$ABC and $DEF")[0] == 403
    assert post(x, "$ABC costs $5")[0] == 201


@pytest.mark.parametrize(
    ("text", "units"),
    [
        ("…", 2),
        ("\u2013", 1),
        ("°", 1),
        ("€", 2),
        ("语", 2),
        ("e\u0301", 1),
        ("👨‍👩‍👧", 2),
        ("🇩🇪", 2),
        ("1️⃣", 2),
        ("⚠️", 2),
        ("\u200b", 1),
        ("\u2060", 2),
    ],
)
def test_units_are_counted_as_twitter_text_v3_counts_them(text: str, units: int) -> None:
    assert weigh(text) == units


@pytest.mark.parametrize(
    "name",
    [
        "status.example.com",
        "node1.net",
        "backup.zip",
        "db.it",
        "sw-core.at",
        "v1.2.co",
        "https://example.com/a_(b)?c=d",
    ],
)
def test_a_bare_host_name_is_a_link_and_weighs_23(name: str) -> None:
    assert weigh(f"({name}), ok") == 23 + len("(), ok")


@pytest.mark.parametrize("name", ["10.0.0.1", "Node.js", "eth0.example", "noc@example.com", "http://localhost"])
def test_what_only_looks_like_a_host_name_is_no_link(name: str) -> None:
    assert not links(name)


@pytest.mark.parametrize(
    ("text", "names"),
    [
        (".@name", {"name"}),
        ("(@Name)", {"name"}),
        ("\uff20name", {"name"}),
        ("RT@name", {"name"}),
        ("noc@example.com", set()),
        ("@\u200bname", set()),
        ("@name@host", set()),
        ("@name://", set()),
    ],
)
def test_mentions_are_found_as_x_finds_them(text: str, names: set[str]) -> None:
    assert mentions(text) == names


@pytest.mark.parametrize("sign", [" ", "\n", ", ", "… ", " → ", "© ", " 👍🏽 ", " (", ") "])
def test_the_platform_and_the_adapter_count_alike_though_written_apart(sign: str) -> None:
    words = [
        "[14:05 UTC]",
        "R&D",
        "node1.net",
        "https://example.org/a_(b)?c=d&e=f.",
        "x.co.uk/p",
        "10.0.0.1",
        "语言",
        "é",
        "🇩🇪",
        "⚠️",
    ]
    text = sign.join([*words, *(f"{word}:" for word in words), *(f'"{word}"' for word in words)])
    assert weigh(text) == x_length(text)
