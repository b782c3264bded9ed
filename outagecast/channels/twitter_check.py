"""What `check` reads of an X account before the night: two calls, nothing public."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import msgspec
from msgspec.structs import replace

from outagecast.channel import ChannelError, Finding, LeastReplies, Level
from outagecast.channels.twitter_answers import judge
from outagecast.channels.twitter_budget import budget
from outagecast.channels.twitter_table import CONSOLE, Verdict
from outagecast.wire import RESUME, clock_skew, read_object

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Mapping
    from datetime import datetime

    from requests import Response

    from outagecast.channels.twitter_answers import Answer
    from outagecast.channels.twitter_api import XApi

CHECK = "outagecast check"
_SKEW_REFUSED = timedelta(minutes=5)
"""X refuses signatures farther off than this (OAuth 1.0a time stamps, by report)."""
_SKEW_BAD = timedelta(minutes=1)
_LATER = f"wait a little, then: {CHECK}"
_UNREAD = "replies stay unverified, and a post in doubt needs a person"
_OR_CLOSED = "or write `replies: closed` in its section: closed in the request, and not read back"


class Trouble(msgspec.Struct, frozen=True):
    """One kind of refusal, in the words of a check; `{until}` is when X says that it ends."""

    text: str
    do: str
    level: Level = Level.BAD


_TROUBLES: Mapping[str, Trouble] = {
    "credits": Trouble(
        "the X account has no API credits left: nothing goes out, and waiting does not help",
        f"buy credits at {CONSOLE}, then: {CHECK}",
    ),
    "not-enrolled": Trouble(
        "the X app has no access to the API: it belongs to no project, or to no tier that may use it",
        f"at {CONSOLE} put the app into a project with access (pay-per-use or a paid tier), then: {CHECK}",
    ),
    "month-cap": Trouble(
        "the monthly cap of the X account is used up: nothing goes out until it is raised, or the month is over",
        f"raise the cap or buy credits at {CONSOLE}, then: {CHECK}",
    ),
    "day-cap": Trouble(
        "the daily cap of the X account is used up: nothing goes out {until}",
        f"raise the cap at {CONSOLE}; what is posted before goes out by itself with: {RESUME} --watch",
    ),
    "rate-limit": Trouble(
        "X answers no more such calls {until} (rate limit), so nothing more could be checked",
        f"wait as long, then: {CHECK}",
        Level.WARNING,
    ),
    "unauthorized": Trouble(
        "X does not accept the keys (or this machine's clock is wrong)",
        "set the clock if it is told here to be wrong; else get new tokens: outagecast auth twitter; put them where "
        f"the config reads them, then: {CHECK}",
    ),
    "refused": Trouble("X refused to say whose keys these are", f"look at the account at {CONSOLE}, then: {CHECK}"),
}
"""By the name of the row that an answer belongs to; what is not here speaks by that row."""


def findings(name: str, api: XApi, user_id: str | None, now: datetime) -> Iterator[Finding]:
    """Read who we are and whether posts can be looked up; nothing public, some 0.03 USD on pay-per-use."""
    try:
        response = api.me()
    except ChannelError as err:
        yield Finding(name, Level.BAD, err.text, err.hint.replace(RESUME, CHECK) or _LATER)
        return
    yield from _clock(name, response, now)
    answer = judge(response)
    if answer.verdict is not Verdict.PUBLISHED:
        yield _trouble(name, answer, now)
        return
    me = read_object(response).get("data")
    found = str(me.get("id", "")) if isinstance(me, dict) else ""
    if not found or not isinstance(me, dict):
        text = "X's answer cannot be read"
        yield Finding(name, Level.BAD, text, f"see whether a proxy stands in between, then: {CHECK}")
        return
    yield _account(name, found, str(me.get("username", "?")), user_id)
    yield _allowed(name, response.headers)
    listed = yield from _look_up(name, api, found, now)
    yield from budget(name, {"to read the account": response, "to read posts": listed})


def _account(name: str, found: str, username: str, user_id: str | None) -> Finding:
    if user_id is None:
        return Finding(name, Level.GOOD, f"the keys work; they belong to @{username} (user_id {found})")
    if user_id == found:
        return Finding(name, Level.GOOD, f"the keys work; they belong to @{username}")
    text = f"the keys belong to @{username} (user_id {found}), but the config says user_id {user_id}"
    return Finding(name, Level.BAD, text, f'set user_id: "{found}", or use the keys of the other account')


def _clock(name: str, response: Response, now: datetime) -> Iterator[Finding]:
    """Compare clocks by any answer: a refusal of the keys may be about nothing but the clock."""
    skew = clock_skew(response.headers, now)
    if skew is None:
        return
    off, way = f"{abs(skew).total_seconds():.0f} s", "fast" if skew > timedelta(0) else "slow"
    if abs(skew) < _SKEW_BAD:
        yield Finding(name, Level.GOOD, f"this machine's clock agrees with X's (to {off})")
        return
    level = Level.BAD if abs(skew) >= _SKEW_REFUSED else Level.WARNING
    text = f"this machine's clock is {off} {way}; X refuses posts at about 300 s"
    yield Finding(name, level, text, f"set the clock (NTP), then: {CHECK}")


def _allowed(name: str, headers: Mapping[str, str]) -> Finding:
    # `x-access-level` comes with answers to OAuth 1.0a calls; it is not documented for v2 (November 2026).
    level = headers.get("x-access-level", "")
    do = f"at {CONSOLE} set Read and write, then get a NEW access token: outagecast auth twitter"
    if "write" in level:
        return Finding(name, Level.GOOD, "the keys may post (Read and write)")
    if level:
        return Finding(name, Level.BAD, "the keys may only read, not post", do)
    text = "X does not say whether the keys may post"
    see = f"see at {CONSOLE} that the app has Read and write, and that the access token was made after that was set"
    return Finding(name, Level.WARNING, text, see)


def _look_up(name: str, api: XApi, user_id: str, now: datetime) -> Generator[Finding, None, Response | None]:
    """Say whether a post in doubt could be looked up and replies be verified: the cheapest tiers cannot read."""
    try:
        response = api.latest(user_id)
    except ChannelError as err:
        text = f"whether posts can be read back is unknown: {err.text}"
        yield Finding(name, Level.WARNING, text, err.hint.replace(RESUME, CHECK) or _LATER)
        return None
    yield _readable(name, judge(response), now)
    return response


def _readable(name: str, answer: Answer, now: datetime) -> Finding:
    if answer.verdict is Verdict.PUBLISHED:
        listed = read_object(answer.response)
        meta = listed.get("meta")
        if isinstance(meta, dict) and isinstance(meta.get("result_count"), int):
            return _verifiable(name, listed.get("data"))
        return Finding(name, Level.WARNING, "X's list of the account's posts cannot be read", _LATER)
    if answer.row.name in {"not-enrolled", "refused"}:
        text = f"posts cannot be read back ({answer.said()}): {_UNREAD}"
        do = f"take a tier that reads posts at {CONSOLE}, {_OR_CLOSED}; then: {CHECK}"
        return Finding(name, Level.WARNING, text, do, LeastReplies.VERIFIED)
    if answer.verdict is Verdict.DOUBT:
        text = f"whether posts can be read back is unknown: X did not answer (HTTP {answer.response.status_code})"
        return Finding(name, Level.WARNING, text, _LATER)
    found = _trouble(name, answer, now)
    level = Level.BAD if answer.row.name in {"credits", "month-cap", "day-cap"} else Level.WARNING
    return Finding(name, level, f"posts cannot be read back, so {_UNREAD}: {found.text}", found.do)


def _verifiable(name: str, posts: object) -> Finding:
    """Say whether X shows who may reply, as far as there is a first post of a thread to see it by."""
    listed = [post for post in posts if isinstance(post, dict)] if isinstance(posts, list) else []
    roots = [post for post in listed if post.get("id") and post.get("id") == post.get("conversation_id")]
    if not roots:
        return Finding(name, Level.GOOD, "posts can be looked up")
    if all(post.get("reply_settings") for post in roots):
        return Finding(name, Level.GOOD, "posts can be looked up and replies verified")
    text = "posts can be looked up, but X leaves out who may reply to them: replies stay unverified"
    do = f"ask X's support why posts come without `reply_settings`, {_OR_CLOSED}; then: {CHECK}"
    return Finding(name, Level.WARNING, text, do, LeastReplies.VERIFIED)


def _trouble(name: str, answer: Answer, now: datetime) -> Finding:
    """Say what stands in the way, each kind in its own words, and X's own after them."""
    trouble = _TROUBLES.get(answer.row.name)
    if trouble is not None:
        text = trouble.text.replace("{until}", _until(answer, now))
        return Finding(name, trouble.level, replace(answer, row=replace(answer.row, text=text)).said(), trouble.do)
    if answer.verdict is Verdict.DOUBT:
        text = f"X did not answer as it should (HTTP {answer.response.status_code})"
        return Finding(name, Level.BAD, text, _LATER)
    return Finding(name, Level.BAD, answer.said(), answer.row.hint.replace(RESUME, CHECK) or _LATER)


def _until(answer: Answer, now: datetime) -> str:
    after = answer.limited(now).after
    return f"until {now + after:%Y-%m-%d %H:%M} UTC" if after else "for a while"
