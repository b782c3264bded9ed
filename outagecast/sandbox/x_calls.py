"""The other calls of the simulated X: reading, deleting, hiding, images."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from outagecast.sandbox.messages import Answer, RefusalError, json_answer
from outagecast.sandbox.x_create import MEDIA_LIFE, demand, refuse
from outagecast.sandbox.x_errors import missing
from outagecast.sandbox.x_tweets import view

if TYPE_CHECKING:
    from collections.abc import Sequence

    from outagecast.sandbox.x import Call, XPlatform
    from outagecast.sandbox.x_tweets import Account, Tweet

LARGEST_IMAGE = 5 * 1024 * 1024
LONGEST_ALT = 1000
_SIGNATURES = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF87a", b"GIF89a", b"RIFF")
_UPLOAD = frozenset({"media", "media_category", "media_type", "additional_owners", "shared"})
_RECENT = timedelta(days=7)


class Gone(StrEnum):
    """What a DELETE of a post that is gone answers; X does not document it (November 2026)."""

    NOT_FOUND = "not_found"
    NOT_DELETED = "not_deleted"
    """200 with `deleted: false`."""


@dataclass(frozen=True, slots=True)
class Image:
    """One uploaded image."""

    id: str
    owner: Account
    content: bytes
    at: datetime
    alt: str = ""


def read(platform: XPlatform, call: Call) -> Answer:
    """GET /2/tweets/:id."""
    tweet = _standing(platform, call.ref, platform.lookup_lag)
    if tweet is None:
        raise RefusalError(missing("tweet", call.ref, platform.missing_status).answer(platform.now()))
    return json_answer({"data": _view(platform, call, tweet)})


def delete(platform: XPlatform, call: Call) -> Answer:
    """DELETE /2/tweets/:id; the root's replies stay and are open then."""
    _demand_write(platform, call)
    tweet = platform.tweets.get(call.ref)
    if tweet is None:
        if platform.gone == Gone.NOT_FOUND:
            raise RefusalError(missing("tweet", call.ref, 404).answer(platform.now()))
        return json_answer({"data": {"deleted": False}})
    if tweet.author is not call.account:
        refuse(platform, "not-permitted")
    platform.tweets.delete(call.ref)
    return json_answer({"data": {"deleted": True}})


def hide(platform: XPlatform, call: Call) -> Answer:
    """PUT /2/tweets/:id/hidden; others' replies in one's own conversations only, and as often as one likes."""
    _demand_write(platform, call)
    body = call.request.json
    hidden = body.get("hidden") if isinstance(body, dict) else None
    demand(platform, isinstance(hidden, bool), "$.hidden: must be a boolean", hidden=hidden)
    tweet = _known(platform, call.ref)
    root = platform.tweets.get(tweet.conversation)
    # The author's own replies cannot be hidden (FAQ of the call's first version, 2020).
    if root is None or root.author is not call.account or tweet.author is call.account:
        refuse(platform, "not-permitted")
    platform.tweets.hide(tweet.id, hidden=bool(hidden))
    return json_answer({"data": {"hidden": hidden}})


def me(_platform: XPlatform, call: Call) -> Answer:
    """GET /2/users/me."""
    who = call.account
    return json_answer({"data": {"id": who.user_id, "name": who.screen_name, "username": who.screen_name}})


def timeline(platform: XPlatform, call: Call) -> Answer:
    """GET /2/users/:id/tweets, newest first."""
    if call.ref not in {who.user_id for who in platform.accounts}:
        raise RefusalError(missing("user", call.ref, 200).answer(platform.now()))
    own = [tweet for tweet in platform.tweets.all() if tweet.author.user_id == call.ref]
    if "replies" in call.request.query.get("exclude", "").split(","):
        own = [tweet for tweet in own if tweet.parent is None]
    return _page(platform, call, own, least=5, token="pagination_token")  # noqa: S106  a parameter's name


def search(platform: XPlatform, call: Call) -> Answer:
    """GET /2/tweets/search/recent for `conversation_id:ID`, the one query the simulator understands."""
    field, _, conversation = call.request.query.get("query", "").strip().partition(":")
    understood = field == "conversation_id" and conversation.isdecimal()
    demand(platform, understood, "only query=conversation_id:ID is simulated", query=field)
    since = platform.now() - _RECENT
    # As at X, the root is no part of what the operator finds.
    found = [
        t for t in platform.tweets.all() if t.conversation == conversation and t.id != conversation and t.at > since
    ]
    if not platform.search_shows_hidden:
        found = [t for t in found if not t.hidden]
    return _page(platform, call, found, least=10, token="next_token")  # noqa: S106  a parameter's name


def upload(platform: XPlatform, call: Call) -> Answer:
    """POST /2/media/upload, JSON with base64 or multipart."""
    _demand_write(platform, call)
    content, category = _content(platform, call)
    demand(
        platform, category == "tweet_image", "media_category: only tweet_image is simulated", media_category=category
    )
    demand(platform, content.startswith(_SIGNATURES), "Unsupported media type: JPG, PNG, GIF or WEBP")
    if len(content) > LARGEST_IMAGE:
        refuse(platform, "too-large")
    ref = str(7_000_000_000_000_000_001 + len(platform.media))
    platform.media[ref] = Image(ref, call.account, content, call.request.at)
    seconds = int(MEDIA_LIFE.total_seconds())
    body = {"id": ref, "media_key": f"3_{ref}", "size": len(content), "expires_after_secs": seconds}
    return json_answer({"data": body})


def describe(platform: XPlatform, call: Call) -> Answer:
    """POST /2/media/metadata: the words for who cannot see the image."""
    _demand_write(platform, call)
    body = call.request.json
    demand(platform, isinstance(body, dict) and body.keys() == {"id", "metadata"}, "$: must have id and metadata only")
    ref, alt = _alt(body)
    image = platform.media.get(ref)
    demand(platform, image and image.owner is call.account, "Your media ID is invalid.", id=ref)
    demand(platform, isinstance(alt, str) and len(alt) <= LONGEST_ALT, "alt_text: at most 1000 characters")
    if image:
        platform.media[ref] = replace(image, alt=str(alt))
    return json_answer({"data": {"id": ref, "associated_metadata": {"alt_text": {"text": alt}}}})


def _alt(body: dict[str, Any]) -> tuple[str, Any]:
    text: Any = body
    for name in ("metadata", "alt_text", "text"):
        text = text.get(name) if isinstance(text, dict) else None
    return str(body.get("id", "")), text


def _content(platform: XPlatform, call: Call) -> tuple[bytes, str]:
    request = call.request
    if request.files:
        return request.files.get("media", b""), request.form.get("media_category", "")
    body = request.json
    demand(platform, isinstance(body, dict) and not body.keys() - _UPLOAD, "$: has fields that are not in the schema")
    demand(platform, isinstance(body.get("media"), str), "$.media: must be base64")
    try:
        return base64.b64decode(body["media"], validate=True), str(body.get("media_category", ""))
    except binascii.Error:
        demand(platform, true=False, message="$.media: must be base64")
        raise


def _demand_write(platform: XPlatform, call: Call) -> None:
    if not call.account.write:
        refuse(platform, "oauth1-permissions")


def _known(platform: XPlatform, ref: str) -> Tweet:
    tweet = platform.tweets.get(ref)
    if tweet is None:
        raise RefusalError(missing("tweet", ref, 404).answer(platform.now()))
    return tweet


def _standing(platform: XPlatform, ref: str, lag: timedelta) -> Tweet | None:
    tweet = platform.tweets.get(ref)
    return tweet if tweet and tweet.at + lag <= platform.now() else None


def _view(platform: XPlatform, call: Call, tweet: Tweet) -> dict[str, Any]:
    query = call.request.query
    # Both dialects work; names nobody knows are dropped without a word (seen in 2026).
    wanted = f"{query.get('tweet.fields', '')},{query.get('post.fields', '')}".split(",")
    settings = platform.shown_reply_settings or platform.tweets.settings(tweet)
    return view(tweet, wanted, None if platform.hide_reply_settings else settings)


def _page(platform: XPlatform, call: Call, tweets: Sequence[Tweet], *, least: int, token: str) -> Answer:
    query = call.request.query
    count = query.get("max_results", "10")
    within = count.isdecimal() and least <= int(count) <= 100
    demand(platform, within, f"max_results must be between {least} and 100", max_results=count)
    seen = [tweet for tweet in reversed(tweets) if _asked_for(platform, call, tweet)]
    skip = query.get(token, "0")
    demand(platform, skip.isdecimal(), f"{token} is not valid", **{token: skip})
    rest = seen[int(skip) :]
    page = rest[: int(count)]
    meta: dict[str, Any] = {"result_count": len(page)}
    if page:
        meta |= {"newest_id": page[0].id, "oldest_id": page[-1].id}
    if len(rest) > len(page):
        meta["next_token"] = str(int(skip) + len(page))
    return json_answer(({"data": [_view(platform, call, tweet) for tweet in page]} if page else {}) | {"meta": meta})


def _asked_for(platform: XPlatform, call: Call, tweet: Tweet) -> bool:
    query = call.request.query
    if tweet.at + platform.read_lag > platform.now():
        return False
    if int(tweet.id) <= _number(platform, query, "since_id", 0):
        return False
    if int(tweet.id) >= _number(platform, query, "until_id", 1 << 63):
        return False
    start, end = _time(platform, query, "start_time"), _time(platform, query, "end_time")
    return (start is None or tweet.at >= start) and (end is None or tweet.at < end)


def _number(platform: XPlatform, query: dict[str, str], name: str, default: int) -> int:
    value = query.get(name, str(default))
    demand(platform, value.isdecimal(), f"{name} must be a post's id", **{name: value})
    return int(value)


def _time(platform: XPlatform, query: dict[str, str], name: str) -> datetime | None:
    value = query.get(name)
    if value is None:
        return None
    for form in ("%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%dT%H:%M:%S.%fZ"):
        try:
            return datetime.strptime(value, form).replace(tzinfo=UTC)
        except ValueError:
            continue
    demand(platform, true=False, message=f"{name} must be a time such as 2026-11-22T14:05:00Z")
    return None
