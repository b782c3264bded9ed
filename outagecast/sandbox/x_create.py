"""POST /2/tweets of the simulated X: every check in the order a client meets it, then the post."""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Any, NoReturn

from outagecast.sandbox.messages import Answer, RefusalError, json_answer
from outagecast.sandbox.weigh import MOST, cashtags, process, weigh
from outagecast.sandbox.x_errors import ERRORS, invalid
from outagecast.sandbox.x_tweets import SETTINGS, Draft, shown

if TYPE_CHECKING:
    from outagecast.sandbox.x import Call, XPlatform
    from outagecast.sandbox.x_tweets import Account, Tweet

_PLAIN = frozenset({"text", "reply", "reply_settings", "media", "made_with_ai", "paid_partnership"})
# Legal fields that need a privilege, a paid account or another kind of post than an announcement; refused here.
_PRIVILEGED = frozenset(
    {
        "poll",
        "quote_tweet_id",
        "edit_options",
        "community_id",
        "share_with_followers",
        "geo",
        "nullcast",
        "for_super_followers_only",
        "card_uri",
        "direct_message_deep_link",
    }
)
_REPLY = frozenset({"in_reply_to_tweet_id", "exclude_reply_user_ids", "auto_populate_reply_metadata"})
_MEDIA = frozenset({"media_ids", "tagged_user_ids"})
_LONGEST = 25_000
MOST_IMAGES = 4
MEDIA_LIFE = timedelta(days=1)


class ReplyRule(StrEnum):
    """How the rule of 2026-02-23 for replies by API treats self-serve apps."""

    OFF = "off"
    SELF_ALLOWED = "self_allowed"
    """Replies to oneself are exempt; so two projects and the wording of one refusal have it."""
    SELF_REFUSED = "self_refused"
    """They are not; so one bot met it in September 2026."""


def create(platform: XPlatform, call: Call) -> Answer:
    """Publish the post that is asked for, or refuse."""
    if not call.account.write:
        refuse(platform, "oauth1-permissions")
    draft = _draft(platform, call)
    if draft.parent:
        _check_reply(platform, call.account, draft.parent)
    if platform.tweets.is_duplicate(call.account, draft, call.request.at):
        refuse(platform, "duplicate")
    tweet = platform.tweets.create(call.account, draft, call.request.at)
    body = {"id": tweet.id, "text": shown(tweet)[0], "edit_history_tweet_ids": [tweet.id]}
    return json_answer({"data": body}, 201)


def refuse(platform: XPlatform, name: str) -> NoReturn:
    """Refuse with the recorded answer of that name."""
    raise RefusalError(ERRORS[name].answer(platform.now()))


def demand(platform: XPlatform, true: object, message: str, **parameters: Any) -> None:
    """Refuse the form of the request unless `true`."""
    if not true:
        raise RefusalError(invalid(message, **parameters).answer(platform.now()))


def _draft(platform: XPlatform, call: Call) -> Draft:
    body = call.request.json
    demand(platform, isinstance(body, dict), "Requests to this endpoint must be JSON objects.")
    for name in body:
        demand(platform, name in _PLAIN | _PRIVILEGED, f"$.{name}: is not defined in the schema", **{name: body[name]})
        if name in _PRIVILEGED:
            refuse(platform, "feature-not-permitted")
    media = _media(platform, call.account, body.get("media"))
    return Draft(_text(platform, body, media), _parent(platform, body), _settings(platform, body), media)


def _text(platform: XPlatform, body: dict[str, Any], media: tuple[str, ...]) -> str:
    text = body.get("text", "")
    demand(platform, isinstance(text, str), "$.text: must be a string", text=text)
    demand(platform, process(text) or media, "$.text: must not be empty without media", text=text)
    if len(text) > _LONGEST or weigh(text) > MOST:
        refuse(platform, "text-too-long")
    if cashtags(text) > 1:
        refuse(platform, "cashtags-403")
    return process(text)


def _parent(platform: XPlatform, body: dict[str, Any]) -> str | None:
    if "reply" not in body:
        return None
    reply = body["reply"]
    demand(platform, isinstance(reply, dict) and not reply.keys() - _REPLY, "$.reply: is not valid", reply=reply)
    parent = reply.get("in_reply_to_tweet_id")
    valid = isinstance(parent, str) and parent.isdecimal() and len(parent) < 20
    demand(platform, valid, "$.reply.in_reply_to_tweet_id: must be a post's id", in_reply_to_tweet_id=parent)
    return str(parent)


def _settings(platform: XPlatform, body: dict[str, Any]) -> str | None:
    if "reply_settings" not in body:
        return None
    value = body["reply_settings"]
    demand(
        platform,
        value in SETTINGS,
        f"$.reply_settings: value must be one of: [{' '.join(SETTINGS)}]",
        reply_settings=value,
    )
    if "reply" in body:
        refuse(platform, "settings-on-reply")
    return str(value)


def _media(platform: XPlatform, account: Account, media: Any) -> tuple[str, ...]:
    if media is None:
        return ()
    demand(platform, isinstance(media, dict) and not media.keys() - _MEDIA, "$.media: is not valid", media=media)
    refs = media.get("media_ids")
    demand(platform, isinstance(refs, list) and 1 <= len(refs) <= MOST_IMAGES, "$.media.media_ids: 1 to 4 ids")
    for ref in refs:
        image = platform.media.get(ref) if isinstance(ref, str) else None
        usable = image and image.owner is account and platform.now() < image.at + MEDIA_LIFE
        demand(platform, usable, "Your media IDs are invalid.", media_ids=ref)
    return tuple(refs)


def _check_reply(platform: XPlatform, account: Account, ref: str) -> None:
    parent = platform.tweets.get(ref)
    if parent is None:
        refuse(platform, "parent-gone")
    if account.self_serve and not _rule_allows(platform.reply_rule, account, parent):
        refuse(platform, platform.rule_refusal)
    if not platform.fails_open and not platform.tweets.may_reply(account, parent):
        refuse(platform, "reply-not-engaged")


def _rule_allows(rule: ReplyRule, account: Account, parent: Tweet) -> bool:
    if rule == ReplyRule.OFF or account.screen_name.lower() in parent.invited:
        return True
    return rule == ReplyRule.SELF_ALLOWED and parent.author is account
