"""What `check` tells about an X account."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from twitter_kit import ROOT, UPDATE, Notes

from outagecast.channel import (
    LeastReplies,
    Level,
    Secret,
)
from outagecast.sandbox.faults import Fault, FaultKind
from outagecast.sandbox.x import ERRORS
from outagecast.secrets import Vault

if TYPE_CHECKING:
    from collections.abc import Callable

    from twitter_kit import Clock

    from outagecast.channels.twitter import Twitter
    from outagecast.sandbox.x import XPlatform


READS = "GET /2/users/1234567890/tweets"
ME = "GET /2/users/me"


def said(twitter: Twitter) -> list[tuple[Level, str]]:
    return [(finding.level, finding.text) for finding in twitter.check() if "simulator" not in finding.text]


def worst(twitter: Twitter) -> str:
    found = [finding for finding in twitter.check() if "simulator" not in finding.text]
    bad = [finding for finding in found if finding.level is not Level.GOOD]
    assert all(finding.do for finding in bad)
    assert not any("outagecast resume" in finding.do for finding in bad if "daily cap" not in finding.text)
    return " ".join(f"{finding.level}: {finding.text}" for finding in bad)


def test_an_account_in_good_order_has_nothing_but_good_findings(x: XPlatform, twitter: Twitter) -> None:
    assert {level for level, _ in said(twitter)} == {Level.GOOD}
    assert [f"{request.method} {request.path}" for request in x.log] == ["GET /2/users/me", READS]
    assert x.public() == []


def test_what_is_in_order_is_told_too(x: XPlatform, twitter: Twitter) -> None:
    x.account.app_day, x.account.user_day = 10_000, 25
    told = " ".join(text for _, text in said(twitter))
    for words in (
        "they belong to @examplehosting",
        "the keys may post (Read and write)",
        "clock agrees with X's",
        "posts can be looked up",
        "no rate limit is near: 74 of 75 calls to read the account are left in this quarter of an hour (until 20",
        "9,999 of 10,000 calls to read the account are left today for the app",
        "24 of 25 calls to read the account are left today for the account (until 20",
    ):
        assert words in told
    assert "900" not in told, "of each kind of bucket only the emptiest"


def test_the_simulator_is_named_so_that_nobody_takes_it_for_the_world(twitter: Twitter) -> None:
    assert any(finding.level is Level.WARNING and "simulator" in finding.text for finding in twitter.check())


def test_wrong_keys_are_found(make: Callable[..., Twitter]) -> None:
    assert "bad: X does not accept the keys" in worst(make(api_key=Secret.of("other-key-for-tests")))


def test_keys_of_another_account_are_found(make: Callable[..., Twitter]) -> None:
    assert "the config says user_id 42" in worst(make(user_id="42"))


def test_the_user_id_is_told_where_the_config_has_none(x: XPlatform, make: Callable[..., Twitter]) -> None:
    assert any(f"user_id {x.account.user_id}" in text for _, text in said(make(user_id=None)))


def test_keys_that_may_only_read_are_found(x: XPlatform, twitter: Twitter) -> None:
    x.account.write = False
    assert "bad: the keys may only read" in worst(twitter)
    (only,) = [finding for finding in twitter.check() if "only read" in finding.text]
    assert only.do.endswith("outagecast auth twitter")


def test_a_tier_without_reads_is_a_warning(x: XPlatform, twitter: Twitter) -> None:
    x.account.can_read = False
    assert "warning: posts cannot be read back" in worst(twitter)
    (unread,) = [finding for finding in twitter.check() if "read back" in finding.text]
    assert (unread.unmet, "`replies: closed`" in unread.do) == (LeastReplies.VERIFIED, True)


@pytest.mark.parametrize("hidden", [False, True])
def test_whether_replies_can_be_verified_is_seen_by_the_first_posts_of_threads(
    x: XPlatform, twitter: Twitter, hidden: bool
) -> None:
    assert (Level.GOOD, "posts can be looked up") in said(twitter), "nothing is said that there is nothing to see by"
    parent = twitter.send(ROOT, None, Notes())
    twitter.send(UPDATE, parent, Notes())
    x.hide_reply_settings = hidden
    (found,) = [finding for finding in twitter.check() if "looked up" in finding.text]
    assert (found.level, found.unmet) == ((Level.WARNING, LeastReplies.VERIFIED) if hidden else (Level.GOOD, None))
    assert found.text.endswith("unverified" if hidden else "and replies verified")


TROUBLES = {
    "credits-depleted": ("bad: the X account has no API credits left", "buy credits"),
    "client-not-enrolled": ("bad: the X app has no access to the API", "project with access"),
    "access-level": ("bad: the X app has no access to the API", "project with access"),
    "usage-capped-monthly": ("bad: the monthly cap of the X account is used up", "raise the cap or buy credits"),
    "usage-capped-daily": ("bad: the daily cap of the X account is used up: nothing goes out until 20", "--watch"),
    "rate-limited": ("warning: X answers no more such calls until 20", "outagecast check"),
    "rate-limited-88": ("warning: X answers no more such calls for a while", "outagecast check"),
    "suspended": ("bad: the X account is suspended, locked", "console.x.com"),
    "unauthorized": ("bad: X does not accept the keys", "outagecast auth twitter; put"),
    "forbidden-null": ("bad: X refused to say whose keys these are", "console.x.com"),
    "unavailable": ("bad: X did not answer as it should (HTTP 503)", "wait a little"),
    "bad-gateway-page": ("bad: X did not answer as it should (HTTP 502)", "wait a little"),
}


@pytest.mark.parametrize("name", TROUBLES)
def test_each_refusal_is_told_once_in_its_own_words(x: XPlatform, twitter: Twitter, name: str) -> None:
    words, do = TROUBLES[name]
    x.faults.add(ERRORS[name].fault(ME))
    assert words in worst(twitter)
    x.faults.add(ERRORS[name].fault(ME))
    assert [do in finding.do for finding in twitter.check() if finding.level is not Level.GOOD] == [False, True]
    assert {request.path for request in x.log} == {"/2/users/me"}, "nothing more is asked, nor paid"


UNREADABLE = {
    "client-not-enrolled": "warning: posts cannot be read back (the X app has no access",
    "credits-depleted": "bad: posts cannot be read back",
    "rate-limited": "warning: posts cannot be read back",
    "usage-capped-monthly": "bad: posts cannot be read back",
    "unavailable": "warning: whether posts can be read back is unknown",
    "ok-but-odd": "warning: X's list of the account's posts cannot be read",
}


@pytest.mark.parametrize("name", UNREADABLE)
def test_posts_that_cannot_be_read_back_are_told_with_why(x: XPlatform, twitter: Twitter, name: str) -> None:
    x.faults.add(Fault(READS, status=200, body="{}") if name == "ok-but-odd" else ERRORS[name].fault(READS))
    assert UNREADABLE[name] in worst(twitter)


def test_a_list_of_posts_that_gets_no_answer_is_a_warning(x: XPlatform, twitter: Twitter) -> None:
    x.faults.add(Fault(READS, FaultKind.RESET))
    said = worst(twitter)
    assert "warning: whether posts can be read back is unknown" in said
    assert "X could not be asked: the connection was reset" in said
    assert "may have" not in said


@pytest.mark.parametrize(("shift", "level"), [(90, "warning"), (-90, "warning"), (400, "bad")])
def test_a_wrong_clock_is_found(shift: int, level: str, twitter: Twitter, clock: Clock) -> None:
    clock.shift = timedelta(seconds=shift)
    assert f"{level}: this machine's clock is" in worst(twitter)


def test_a_clock_that_makes_x_refuse_the_keys_is_told_beside_them(x: XPlatform, twitter: Twitter, clock: Clock) -> None:
    clock.shift = timedelta(seconds=400)
    x.faults.add(ERRORS["unauthorized"].fault(ME))
    found = worst(twitter)
    assert re.search(r"bad: this machine's clock is 40\d s fast", found)
    assert "bad: X does not accept the keys" in found


def test_a_bucket_that_is_nearly_empty_is_a_warning_and_a_small_one_is_not(x: XPlatform, twitter: Twitter) -> None:
    x.account.user_day = 5
    assert worst(twitter) == ""
    for _ in range(2):
        list(twitter.check())
    found = worst(twitter)
    assert "warning: only 1 of 5 calls to read the account are left today for the account (until 20" in found
    assert "no rate limit is near" not in found


@pytest.mark.parametrize("bucket", ["x-rate-limit", "x-app-limit-24hour", "x-user-limit-24hour"])
def test_each_bucket_counts_and_odd_headers_do_not(x: XPlatform, twitter: Twitter, bucket: str) -> None:
    body = json.dumps({"data": {"id": x.account.user_id, "username": "examplehosting"}})
    odd = {f"{bucket}-remaining": "many", f"{bucket}-limit": "1e3", f"{bucket}-reset": "soon"}
    x.faults.add(Fault(ME, status=200, body=body, headers=odd))
    assert "calls" not in worst(twitter)
    few = {f"{bucket}-remaining": "3", f"{bucket}-reset": "99999999999"}
    x.faults.add(Fault(ME, status=200, body=body, headers=few))
    assert "warning: only 3 calls to read the account are left" in worst(twitter)


def test_keys_of_which_x_does_not_say_whether_they_may_post_are_a_warning(x: XPlatform, twitter: Twitter) -> None:
    body = json.dumps({"data": {"id": x.account.user_id, "username": "examplehosting"}})
    x.faults.add(Fault(ME, status=200, body=body))
    assert "warning: X does not say whether the keys may post" in worst(twitter)


def test_a_missing_key_is_a_finding_and_no_crash(make: Callable[..., Twitter], tmp_path: Any) -> None:
    assert "TWITTER_API_KEY" in worst(make(api_key=Vault({}, tmp_path).secret("${TWITTER_API_KEY}")))


def test_a_platform_that_is_away_is_a_finding(x: XPlatform, twitter: Twitter) -> None:
    x.close()
    assert "bad: could not reach api.twitter.com" in worst(twitter)


def test_an_answer_of_somebody_else_is_a_finding(x: XPlatform, twitter: Twitter) -> None:
    x.faults.add(Fault("GET /2/users/me", status=200, body='{"ok": true}'))
    assert "bad: X's answer cannot be read" in worst(twitter)
