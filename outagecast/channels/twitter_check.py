"""What `check` reads of an X account before the night."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from outagecast.channel import ChannelError, Finding, Level, Refused
from outagecast.wire import clock_skew, read_object

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    from requests import Response

    from outagecast.channels.twitter_api import XApi

_SKEW_REFUSED = timedelta(minutes=5)
"""X refuses signatures farther off than this (OAuth 1.0a time stamps, by report)."""
_SKEW_BAD = timedelta(minutes=1)
_FEW_POSTS = 20


def findings(name: str, api: XApi, user_id: str | None, now: datetime) -> Iterator[Finding]:
    """Read who we are and whether posts can be looked up; nothing public, some 0.03 USD on pay-per-use."""
    try:
        response = api.me()
        api.demand(response)
    except ChannelError as err:
        yield Finding(name, Level.BAD, err.text, err.hint)
        return
    yield from _clock(name, response, now)
    yield from _allowed(name, response.headers)
    me = read_object(response).get("data")
    found = str(me.get("id", "")) if isinstance(me, dict) else ""
    if not found:
        yield Finding(name, Level.BAD, "X's answer cannot be read", "see whether a proxy stands in between")
        return
    yield from _account(name, found, str(me.get("username", "?")) if isinstance(me, dict) else "?", user_id)
    yield from _look_up(name, api, found)


def _account(name: str, found: str, username: str, user_id: str | None) -> Iterator[Finding]:
    if user_id is None:
        yield Finding(name, Level.GOOD, f"the keys work; they belong to @{username} (user_id {found})")
    elif user_id == found:
        yield Finding(name, Level.GOOD, f"the keys work; they belong to @{username}")
    else:
        text = f"the keys belong to @{username} (user_id {found}), but the config says user_id {user_id}"
        yield Finding(name, Level.BAD, text, f'set user_id: "{found}", or use the keys of the other account')


def _clock(name: str, response: Response, now: datetime) -> Iterator[Finding]:
    skew = clock_skew(response.headers, now)
    if skew is None or abs(skew) < _SKEW_BAD:
        return
    way = "fast" if skew > timedelta(0) else "slow"
    text = f"this machine's clock is {abs(skew).total_seconds():.0f} s {way}; X refuses posts at about 300 s"
    yield Finding(name, Level.BAD if abs(skew) >= _SKEW_REFUSED else Level.WARNING, text, "set the clock (NTP)")


def _allowed(name: str, headers: Mapping[str, str]) -> Iterator[Finding]:
    # `x-access-level` comes with answers to OAuth 1.0a calls; it is not documented for v2 (November 2026).
    level = headers.get("x-access-level", "")
    if level and "write" not in level:
        do = "at https://console.x.com set Read and write, then make a NEW access token and put it into the config"
        yield Finding(name, Level.BAD, "the keys may only read, not post", do)
    for bucket in ("x-app-limit-24hour", "x-user-limit-24hour"):
        left = headers.get(f"{bucket}-remaining", "").strip()
        if left.isascii() and left.isdigit() and int(left) < _FEW_POSTS:
            yield Finding(
                name, Level.WARNING, f"only {left} calls are left today ({bucket})", "wait, or raise the tier"
            )


def _look_up(name: str, api: XApi, user_id: str) -> Iterator[Finding]:
    """Say whether a post in doubt could be looked up and replies be verified: the cheapest tiers cannot read."""
    try:
        api.latest(user_id)
    except Refused as err:
        text = f"posts cannot be read back ({err.text}): replies stay unverified, and a post in doubt needs a person"
        yield Finding(name, Level.WARNING, text, err.hint)
    except ChannelError as err:
        yield Finding(name, Level.WARNING, f"whether posts can be read back is unknown: {err.text}", err.hint)
    else:
        yield Finding(name, Level.GOOD, "posts can be looked up and replies verified")
