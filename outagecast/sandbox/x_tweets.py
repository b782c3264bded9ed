"""What the simulated X knows: accounts, posts, conversations and who may reply in them."""

from __future__ import annotations

import hashlib
import html
from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from outagecast.sandbox.oauth1 import Keys
from outagecast.sandbox.weigh import links, mentions

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

EVERYONE = "everyone"
SETTINGS = ("following", "mentionedUsers", "subscribers", "verified")
# The start of X's own numbering: 2010-11-04T01:42:54.657Z.
EPOCH_MS = 1_288_834_974_657
# X compares a new post with the account's last ten of the last twelve hours (its source of July 2023).
REMEMBERED_POSTS = 10
REMEMBERED_TIME = timedelta(hours=12)
QUARTER = 900
DAY = 86_400


@dataclass(slots=True)
class Account:
    """One account with one app of its own. What a test changes during its life is changed here."""

    user_id: str
    screen_name: str
    api_key: str
    api_key_secret: str
    access_token: str
    access_token_secret: str
    credits: bool | int = True
    """How many more paid calls there are; True: no end of them."""
    can_read: bool = True
    """False: a tier that reads nothing but its own user."""
    write: bool = True
    """False: the app's permission is read only."""
    user_day: int | None = None
    """How many calls of each kind its tier takes in a day from this user; None: no cap, and no header about it."""
    app_day: int | None = None
    """The same of its app."""
    self_serve: bool = True
    """False: outside the reply rule of 2026, as enterprise apps and people at the website are."""
    verified: bool = False
    follows: set[str] = field(default_factory=set)
    """The ids of the accounts this one follows."""

    @property
    def keys(self) -> Keys:
        """What its requests are signed with."""
        return Keys(self.api_key, self.api_key_secret, self.access_token, self.access_token_secret)


def account(user_id: str, screen_name: str) -> Account:
    """An account with keys that could be nobody's."""
    return Account(
        user_id,
        screen_name,
        api_key=f"key-for-tests-{screen_name}",
        api_key_secret=f"key-secret-for-tests-{screen_name}",
        access_token=f"{user_id}-token-for-tests",
        access_token_secret=f"token-secret-for-tests-{screen_name}",
    )


@dataclass(frozen=True, slots=True)
class Tweet:
    """One post, as it was made."""

    id: str
    author: Account
    text: str
    at: datetime
    conversation: str
    parent: str | None = None
    asked_settings: str | None = None
    """`reply_settings` of the request that made it."""
    media: tuple[str, ...] = ()
    invited: frozenset[str] = frozenset()
    """The names its text mentions; of a root, those may reply."""
    hidden: bool = False

    @property
    def same(self) -> tuple[object, ...]:
        """What makes two posts of one account duplicates; cards, the fifth part, do not exist here."""
        return self.text, self.parent, self.media, self.asked_settings


@dataclass(frozen=True, slots=True)
class Draft:
    """A post that is asked for and found to be well-formed."""

    text: str
    parent: str | None
    settings: str | None
    media: tuple[str, ...]


class Tweets:
    """All posts that stand, by id."""

    def __init__(self) -> None:
        self._standing: dict[str, Tweet] = {}
        self._last_id = 0

    def create(self, author: Account, draft: Draft, at: datetime) -> Tweet:
        """Make the post."""
        ref = self._next_id(at)
        parent = self._standing.get(draft.parent) if draft.parent else None
        tweet = Tweet(
            ref,
            author,
            draft.text,
            at,
            parent.conversation if parent else ref,
            parent.id if parent else None,
            draft.settings,
            draft.media,
            mentions(draft.text),
        )
        self._standing[ref] = tweet
        return tweet

    def _next_id(self, at: datetime) -> str:
        self._last_id = max(self._last_id + 1, (round(at.timestamp() * 1000) - EPOCH_MS) << 22)
        return str(self._last_id)

    def get(self, ref: str) -> Tweet | None:
        """The post, if it stands."""
        return self._standing.get(ref)

    def delete(self, ref: str) -> None:
        """Take the post away; its replies stay, and a conversation without its root is open."""
        del self._standing[ref]

    def hide(self, ref: str, *, hidden: bool) -> None:
        """Put a reply behind one more click, or back."""
        self._standing[ref] = replace(self._standing[ref], hidden=hidden)

    def all(self) -> Sequence[Tweet]:
        """All that stand, oldest first."""
        return tuple(self._standing.values())

    def settings(self, tweet: Tweet) -> str:
        """Who may reply to the post: what the root of its conversation says; anybody if that is gone."""
        root = self._standing.get(tweet.conversation)
        return (root.asked_settings or EVERYONE) if root else EVERYONE

    def may_reply(self, who: Account, tweet: Tweet) -> bool:
        """Whether the conversation control lets `who` reply."""
        root = self._standing.get(tweet.conversation)
        setting = self.settings(tweet)
        if root is None or setting == EVERYONE or who.user_id == root.author.user_id:
            return True
        if who.screen_name.lower() in root.invited:
            return True
        if setting == "following":
            return who.user_id in root.author.follows
        return setting == "verified" and who.verified

    def is_duplicate(self, author: Account, draft: Draft, at: datetime) -> bool:
        """Whether X would take the post for one the account has made lately."""
        own = [t for t in self._standing.values() if t.author is author and t.at > at - REMEMBERED_TIME]
        wanted = (draft.text, draft.parent, draft.media, draft.settings)
        return any(tweet.same == wanted for tweet in own[-REMEMBERED_POSTS:])


def view(tweet: Tweet, wanted: Iterable[str], settings: str | None) -> dict[str, Any]:
    """The post as the API shows it, with the `wanted` fields; `settings` None leaves that field out."""
    text, urls = shown(tweet)
    every: dict[str, Any] = {
        "author_id": tweet.author.user_id,
        "conversation_id": tweet.conversation,
        "created_at": stamp(tweet.at),
        "entities": {"urls": urls} if urls else None,
        "referenced_tweets": [{"type": "replied_to", "id": tweet.parent}] if tweet.parent else None,
        "reply_settings": settings,
    }
    asked = {name: every[name] for name in wanted if every.get(name) is not None}
    return {"id": tweet.id, "text": text, "edit_history_tweet_ids": [tweet.id]} | asked


def shown(tweet: Tweet) -> tuple[str, list[dict[str, Any]]]:
    """The text with its links shortened and `&<>` escaped, and what the short links stand for.

    Images add a short link of their own at the end, as X does.
    """
    text, at = "", 0
    urls: list[dict[str, Any]] = []
    for start, end in links(tweet.text):
        text += html.escape(tweet.text[at:start], quote=False)
        written = tweet.text[start:end]
        full = written if "://" in written else f"http://{written}"
        urls.append(_short(tweet, len(text), full))
        text += urls[-1]["url"]
        at = end
    text += html.escape(tweet.text[at:], quote=False)
    if tweet.media:
        text += " " if text else ""
        photo = f"https://x.com/{tweet.author.screen_name}/status/{tweet.id}/photo/1"
        urls += [_short(tweet, len(text), photo) | {"media_key": f"3_{ref}"} for ref in tweet.media]
        text += urls[-1]["url"]
    return text, urls


def _short(tweet: Tweet, start: int, full: str) -> dict[str, Any]:
    slug = hashlib.sha256(f"{tweet.id}/{start}/{full}".encode()).hexdigest()[:10]
    url = f"https://t.co/{slug}"
    bare = full.partition("://")[2]
    return {"start": start, "end": start + len(url), "url": url, "expanded_url": full, "display_url": bare[:30]}


def stamp(at: datetime) -> str:
    """A time as X writes it."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{at.microsecond // 1000:03}Z"


class Buckets:
    """The calls of each account in its present quarter of an hour and day, each kind of call for itself."""

    def __init__(self) -> None:
        self._used: Counter[tuple[str, str, int, int]] = Counter()

    def take(self, who: Account, route: str, most: int, at: datetime) -> dict[str, str]:
        """Count a call; the headers that go with it. A `remaining` below 0 means: one too many."""
        headers = self._count("x-rate-limit", who, route, most, QUARTER, at)
        if who.app_day is not None:
            headers |= self._count("x-app-limit-24hour", who, route, who.app_day, DAY, at)
        if who.user_day is not None:
            headers |= self._count("x-user-limit-24hour", who, route, who.user_day, DAY, at)
        return headers

    def _count(self, name: str, who: Account, route: str, most: int, span: int, at: datetime) -> dict[str, str]:
        window = int(at.timestamp()) // span
        place = (f"{name} {who.user_id}", route, span, window)
        self._used[place] += 1
        return {
            f"{name}-limit": str(most),
            f"{name}-remaining": str(most - self._used[place]),
            f"{name}-reset": str((window + 1) * span),
        }
