"""The X channel: its settings, and what it publishes on the simulated X."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from msgspec.structs import replace
from twitter_kit import CREATE, HOUSE, ROOT, UPDATE, Clock, Notes, settings

from outagecast.channel import (
    InDoubt,
    Post,
    Receipt,
    Refused,
    Replies,
    Secret,
    TryLater,
)
from outagecast.channels.twitter import Twitter, TwitterSettings
from outagecast.channels.twitter_match import made_at
from outagecast.sandbox.faults import Fault, FaultKind, When
from outagecast.sandbox.x import ERRORS, ReplyRule, XPlatform
from outagecast.secrets import Vault

if TYPE_CHECKING:
    from collections.abc import Callable


def test_importing_the_channel_imports_neither_tweepy_nor_requests() -> None:
    code = (
        "import outagecast.channels.twitter, sys; "
        "sys.exit(bool({'requests', 'tweepy', 'urllib3', 'ssl'} & sys.modules.keys()))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_simulator_on_another_machine_is_an_error_of_the_config(x: XPlatform) -> None:
    with pytest.raises(ValueError, match="on this machine"):
        settings(x, simulator_url="http://192.0.2.7:8001")


@pytest.mark.parametrize("user_id", ["@examplehosting", "42\n", "²", ""])
def test_a_user_id_is_digits(user_id: str) -> None:
    keys = {name: Secret.of("x") for name in ("api_key", "api_key_secret", "access_token", "access_token_secret")}
    with pytest.raises(msgspec.ValidationError, match="user_id"):
        msgspec.convert({**keys, "user_id": user_id}, TwitterSettings)


def test_a_missing_key_is_refused_with_its_variable_named(make: Callable[..., Twitter], tmp_path: Any) -> None:
    missing = Vault({}, tmp_path).secret("${TWITTER_API_KEY}")
    with pytest.raises(Refused, match="TWITTER_API_KEY") as caught:
        make(api_key=missing).send(ROOT, None, Notes())
    assert caught.value.mendable


def test_a_root_closes_replies_in_the_request_that_publishes(x: XPlatform, twitter: Twitter) -> None:
    receipt = twitter.send(ROOT, None, Notes())
    (request,) = x.log
    assert request.json == {"text": ROOT.text, "reply_settings": "mentionedUsers"}
    assert receipt.ref == x.public()[0]["id"]
    assert receipt.url == f"https://x.com/i/status/{receipt.ref}"
    assert receipt.replies is Replies.UNVERIFIED
    assert receipt.data["conversation"] == receipt.ref
    assert x.stranger_reply(receipt.ref, "first!")[0] == 403


def test_an_update_hangs_under_its_parent_and_says_nothing_of_replies(x: XPlatform, twitter: Twitter) -> None:
    root = twitter.send(ROOT, None, Notes())
    update = twitter.send(UPDATE, root, Notes())
    assert x.log[-1].json == {"text": UPDATE.text, "reply": {"in_reply_to_tweet_id": root.ref}}
    assert update.data["conversation"] == root.ref
    assert x.stranger_reply(update.ref, "first!")[0] == 403
    last = twitter.send(Post("[15:05 UTC · resolved] back"), update, Notes())
    assert last.data["conversation"] == root.ref


def test_each_send_is_one_request(x: XPlatform, twitter: Twitter) -> None:
    root = twitter.send(ROOT, None, Notes())
    twitter.send(UPDATE, root, Notes())
    assert [f"{request.method} {request.path}" for request in x.log] == [CREATE, CREATE]


def test_a_repeat_is_identical_to_the_byte(x: XPlatform, twitter: Twitter) -> None:
    for _ in range(2):
        x.faults.add(ERRORS["rate-limited-bare"].fault(CREATE))
        with pytest.raises(TryLater):
            twitter.send(ROOT, None, Notes())
    assert x.log[0].body == x.log[1].body


def test_a_repeat_of_what_is_out_is_answered_with_a_doubt_and_found(
    x: XPlatform, twitter: Twitter, clock: Clock
) -> None:
    x.faults.add(Fault(CREATE, FaultKind.RESET, When.AFTER))
    with pytest.raises(InDoubt):
        twitter.send(ROOT, None, Notes())
    with pytest.raises(InDoubt) as caught:
        twitter.send(ROOT, None, Notes())
    assert caught.value.duplicate
    assert isinstance(twitter.find(ROOT, None, clock.moment_ago()), Receipt)
    assert len(x.public()) == 1


@pytest.mark.parametrize("wording", ["reply-not-mentioned", "reply-not-engaged"])
def test_an_account_under_the_reply_rule_goes_on_with_roots_of_its_own(
    wording: str, x: XPlatform, twitter: Twitter
) -> None:
    x.reply_rule, x.rule_refusal = ReplyRule.SELF_REFUSED, wording
    root = twitter.send(ROOT, None, Notes())
    update = twitter.send(UPDATE, root, Notes())
    assert x.log[-1].json == {"text": UPDATE.text, "reply_settings": "mentionedUsers"}
    assert update.note
    assert twitter.close_replies(update) is Replies.CLOSED


def test_the_fallback_is_remembered_before_it_is_sent(x: XPlatform, twitter: Twitter) -> None:
    x.reply_rule = ReplyRule.SELF_REFUSED
    root = twitter.send(ROOT, None, Notes())
    seen: list[int] = []
    twitter.send(UPDATE, root, lambda token: seen.append(len(x.log)))
    assert seen == [2], "after the refusal, before the new root"
    assert len(x.log) == 3


def test_a_remembered_fallback_goes_straight_to_a_root(x: XPlatform, twitter: Twitter) -> None:
    root = twitter.send(ROOT, None, Notes())
    update = twitter.send(replace(UPDATE, token={"root": "1"}), root, Notes())
    assert len(x.log) == 2
    assert x.public()[1]["in_reply_to"] is None
    assert update.data["conversation"] == update.ref


def test_there_is_no_fallback_after_an_unclear_answer(x: XPlatform, twitter: Twitter) -> None:
    """The same text under another parent is no duplicate to X: it would stand there twice."""
    root = twitter.send(ROOT, None, Notes())
    x.faults.add(Fault(CREATE, FaultKind.CLOSE, When.AFTER))
    notes = Notes()
    with pytest.raises(InDoubt):
        twitter.send(UPDATE, root, notes)
    assert notes == {}
    assert len(x.public()) == 2


def test_an_unclear_fallback_is_found_again(x: XPlatform, twitter: Twitter, clock: Clock) -> None:
    root = twitter.send(ROOT, None, Notes())
    x.faults.add(ERRORS["reply-not-engaged"].fault(CREATE), Fault(CREATE, FaultKind.CLOSE, When.AFTER))
    notes = Notes()
    with pytest.raises(InDoubt):
        twitter.send(UPDATE, root, notes)
    found = twitter.find(replace(UPDATE, token=dict(notes)), root, clock.moment_ago())
    assert isinstance(found, Receipt)
    assert found.note
    assert found.data["conversation"] == found.ref


def test_a_parent_x_does_not_see_yet_is_waited_for_then_left(x: XPlatform, twitter: Twitter, clock: Clock) -> None:
    root = twitter.send(ROOT, None, Notes())
    x.faults.add(*[ERRORS["parent-gone"].fault(CREATE)] * 2)
    notes = Notes()
    with pytest.raises(TryLater) as caught:
        twitter.send(UPDATE, root, notes)
    assert caught.value.after == timedelta(seconds=5)
    assert notes == {}
    clock.shift = timedelta(seconds=61)
    assert twitter.send(UPDATE, root, notes).note
    assert notes == {"root": "1"}


def test_an_id_tells_when_a_parent_was_made() -> None:
    assert made_at("1460323737035677698") == datetime(2021, 11, 15, 19, 8, 5, 69000, tzinfo=UTC)
    assert made_at("17") is None


def test_a_key_of_another_permission_is_refused_until_it_is_mended(x: XPlatform, twitter: Twitter) -> None:
    x.account.write = False
    with pytest.raises(Refused, match="may only read") as caught:
        twitter.send(ROOT, None, Notes())
    assert caught.value.mendable
    assert "NEW access token" in caught.value.hint
    x.account.write = True
    assert twitter.send(ROOT, None, Notes())


def test_a_failed_signature_is_neither_a_doubt_nor_the_answer_before_it(x: XPlatform, twitter: Twitter) -> None:
    """The answer of the last request stays on the wire; a call that fails before it sends must not pick it up."""
    twitter.send(ROOT, None, Notes())
    assert twitter._opened is not None
    twitter._opened._client.consumer_key = "key-\udc80-for-tests"
    with pytest.raises(Refused, match="damaged") as caught:
        twitter.send(UPDATE, None, Notes())
    assert caught.value.mendable
    assert "for-tests" not in caught.value.text
    assert len(x.log) == 1


def test_the_one_host_is_named_for_the_blast_radius(twitter: Twitter) -> None:
    assert twitter.endpoints == ("api.twitter.com",)


def test_closing_twice_or_unopened_is_fine(x: XPlatform) -> None:
    channel = Twitter("twitter", settings(x), HOUSE)
    channel.close()
    channel.send(ROOT, None, Notes())
    channel.close()
    channel.close()


def test_no_log_of_any_level_shows_a_key(x: XPlatform, twitter: Twitter, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    twitter.send(ROOT, None, Notes())
    keys = x.account
    shown = [
        secret for secret in (keys.api_key_secret, keys.access_token_secret, keys.access_token) if secret in caplog.text
    ]
    assert shown == []
    assert "oauth_signature" not in caplog.text
