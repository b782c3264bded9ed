"""What `check` tells about an X account."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from twitter_kit import Clock, maker, simulated_x

from outagecast.channel import (
    Level,
    Secret,
)
from outagecast.sandbox.faults import Fault
from outagecast.secrets import Vault

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from outagecast.channels.twitter import Twitter
    from outagecast.sandbox.x import XPlatform


@pytest.fixture
def x() -> Iterator[XPlatform]:
    yield from simulated_x()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def make(x: XPlatform, clock: Clock) -> Iterator[Callable[..., Twitter]]:
    yield from maker(x, clock)


@pytest.fixture
def twitter(make: Callable[..., Twitter]) -> Twitter:
    return make()


def said(twitter: Twitter) -> list[tuple[Level, str]]:
    return [(finding.level, finding.text) for finding in twitter.check() if "simulator" not in finding.text]


def worst(twitter: Twitter) -> str:
    found = [finding for finding in twitter.check() if "simulator" not in finding.text]
    bad = [finding for finding in found if finding.level is not Level.GOOD]
    assert all(finding.do for finding in bad)
    return " ".join(f"{finding.level}: {finding.text}" for finding in bad)


def test_an_account_in_good_order_has_nothing_but_good_findings(x: XPlatform, twitter: Twitter) -> None:
    assert {level for level, _ in said(twitter)} == {Level.GOOD}
    assert {request.method for request in x.log} == {"GET"}
    assert x.public() == []


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


def test_a_tier_without_reads_is_a_warning(x: XPlatform, twitter: Twitter) -> None:
    x.account.can_read = False
    assert "warning: posts cannot be read back" in worst(twitter)


def test_no_credits_are_found(x: XPlatform, twitter: Twitter) -> None:
    x.account.credits = 0
    assert "bad: the X account has no API credits left" in worst(twitter)


@pytest.mark.parametrize(("shift", "level"), [(90, "warning"), (-90, "warning"), (400, "bad")])
def test_a_wrong_clock_is_found(shift: int, level: str, twitter: Twitter, clock: Clock) -> None:
    clock.shift = timedelta(seconds=shift)
    assert f"{level}: this machine's clock is" in worst(twitter)


def test_a_day_that_is_nearly_used_up_is_a_warning(x: XPlatform, twitter: Twitter) -> None:
    body = json.dumps({"data": {"id": x.account.user_id, "username": "examplehosting"}})
    headers = {"x-user-limit-24hour-remaining": "3"}
    x.faults.add(Fault("GET /2/users/me", status=200, body=body, headers=headers))
    assert "only 3 calls are left today" in worst(twitter)


def test_a_missing_key_is_a_finding_and_no_crash(make: Callable[..., Twitter], tmp_path: Any) -> None:
    assert "TWITTER_API_KEY" in worst(make(api_key=Vault({}, tmp_path).secret("${TWITTER_API_KEY}")))


def test_a_platform_that_is_away_is_a_finding(x: XPlatform, twitter: Twitter) -> None:
    x.close()
    assert "bad: could not reach api.twitter.com" in worst(twitter)


def test_an_answer_of_somebody_else_is_a_finding(x: XPlatform, twitter: Twitter) -> None:
    x.faults.add(Fault("GET /2/users/me", status=200, body='{"ok": true}'))
    assert "bad: X's answer cannot be read" in worst(twitter)
