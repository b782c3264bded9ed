"""X/Twitter: posts whose replies are closed in the request that publishes, looked up by text and parent.

The facts behind every line are X's API v2 as of November 2026. tweepy is imported on the first call, not here.
"""

from __future__ import annotations

from contextlib import closing
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, ClassVar

import msgspec
from msgspec.structs import replace

from outagecast.channel import (
    Absent,
    CannotTell,
    Capabilities,
    Finding,
    Kind,
    Level,
    Receipt,
    Refused,
    Replies,
    ReplyControl,
    Secret,
    TryLater,
)
from outagecast.channels.twitter_account import asked_id, named_id, own_posts
from outagecast.channels.twitter_answers import judge, says_gone
from outagecast.channels.twitter_create import (
    ROOT,
    age,
    conversation,
    given_way,
    receipt_from,
    recognized,
    refusal,
    text_of,
    unseen,
)
from outagecast.channels.twitter_picture import MEDIA, with_picture
from outagecast.channels.twitter_replies import Conversation, Lately, hide_strangers
from outagecast.channels.twitter_table import Verdict
from outagecast.channels.twitter_text import LIMIT, MENTIONED, MOST_PARTS, compose
from outagecast.wire import loopback, read_object, session

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from typing import Any

    from outagecast.channel import Announcement, Grant, House, Person, Post, Remember, SweepLog
    from outagecast.channels.twitter_answers import Answer
    from outagecast.channels.twitter_api import XApi

_HOST = "api.twitter.com"
_BELIEVE_AFTER = timedelta(seconds=60)
"""How old an attempt must be before an empty look is believed: X's creation lock holds for 10 s, and the lag of the
timeline is not documented (November 2026)."""
_CLOCK_SLACK = timedelta(minutes=6)
"""X takes signatures from clocks 5 minutes off, so a post may bear such a time."""
_CONNECT = 5.0
_PATIENCE = 20.0
"""Seconds to wait for an answer: X's own servers give up after 5, and were seen to take 10."""
_LARGEST_PICTURE = 5 * 1024 * 1024


class Long(StrEnum):
    """What becomes of a message that does not fit into one post."""

    THREAD = "thread"
    REFUSE = "refuse"


class TwitterSettings(msgspec.Struct, frozen=True, kw_only=True):
    """The config of a channel of type `twitter`."""

    api_key: Secret
    api_key_secret: Secret
    access_token: Secret
    access_token_secret: Secret
    user_id: Annotated[str, msgspec.Meta(pattern=r"\A[0-9]+\Z")] | None = None
    long: Long = Long.THREAD
    notice: bool = False
    simulator_url: str | None = None

    def __post_init__(self) -> None:
        """Refuse a simulator that is not on this machine, when the config is read."""
        if self.simulator_url:
            loopback(self.simulator_url)


def _utc_now() -> datetime:
    return datetime.now(UTC)


class Twitter:
    """One X account, by its own OAuth 1.0a keys."""

    Settings: ClassVar[type[TwitterSettings]] = TwitterSettings
    caps: ClassVar[Capabilities] = Capabilities(
        replies=ReplyControl.ATOMIC,
        limits=(LIMIT,),
        mentions_open=True,
        threads=True,
        can_find=True,
        can_retract=True,
        images=_LARGEST_PICTURE,
    )

    def __init__(
        self,
        name: str,
        settings: TwitterSettings,
        house: House,
        *,
        now: Callable[[], datetime] = _utc_now,
        patience: float = _PATIENCE,
    ) -> None:
        self.name = name
        self._settings = settings
        self._house = house
        self._now = now
        self._patience = patience
        self._opened: XApi | None = None
        self._known_id: str | None = None
        self._lately = Lately()

    @staticmethod
    def authorize(
        known: Mapping[str, Any], person: Person, now: Callable[[], datetime], *, checked: bool = False
    ) -> Grant:
        """Let the account's owner allow the app at X, by a PIN."""
        from outagecast.channels.twitter_auth import authorize

        return authorize(known, person, now, checked=checked)

    @property
    def account(self) -> str:
        """The account's number, if the config says it."""
        return self._settings.user_id or ""

    @property
    def endpoints(self) -> Sequence[str]:
        """The one host that everything goes to."""
        return (_HOST,)

    def render(self, news: Announcement) -> Sequence[Post]:
        """Fit the news into posts; raises Refused where a mention would open replies, or where it is too long."""
        # Updates hang under the root, which has it; and each link costs money.
        notice = self._notice() if news.kind is Kind.OPENED else ""
        return compose(news, notice, MOST_PARTS if self._settings.long is Long.THREAD else 1)

    def send(self, post: Post, parent: Receipt | None, remember: Remember) -> Receipt:
        """Publish one post, as a reply to `parent` if there is one; its picture is uploaded before.

        X may refuse a reply to our own post (its reply rule of 2026-02-23), or the picture. Only after such a definite
        refusal, and after `remember` has committed it, it goes out at once as a root of its own, or as words alone.
        """
        post = self._with_picture(post, remember)
        while True:
            above = None if ROOT in post.token else parent
            answer = self._create(post, above)
            if answer.verdict is Verdict.PUBLISHED:
                return receipt_from(answer, post, above, self._now())
            less = given_way(answer, post, above, self._now())
            if not less:
                raise refusal(answer, post, above, self._now(), remember)
            post = replace(post, token={**post.token, **less})
            remember(post.token)

    def find(self, post: Post, parent: Receipt | None, since: datetime) -> Receipt | Absent | CannotTell:
        """Look for the post among the account's own, by text and parent."""
        api = self._api
        try:
            for found in own_posts(api, self._own_id(), since - _CLOCK_SLACK):
                if receipt := recognized(found, post, parent):
                    return receipt
        except Refused as err:
            return CannotTell(f"{err.text}; look at the account's page on x.com")
        return Absent(_BELIEVE_AFTER)

    def close_replies(self, receipt: Receipt) -> Replies:
        """Read back the reply control that was set when the post was made; X has no way to set it later."""
        try:
            found = self._api.post(receipt.ref)
        except Refused as err:
            raise Refused(f"the reply setting cannot be read back: {err.text}", mendable=True, hint=err.hint) from err
        if found is None:
            raise unseen(receipt, self._now())
        return self._lately.note(receipt.ref, found, self._now())

    def sweep(self, receipt: Receipt, log: SweepLog) -> Replies | None:
        """Read the reply control back, and of the root of a conversation hide the replies that got through."""
        known, now, root = None, self._now(), conversation(receipt)
        if receipt.replies is not Replies.CLOSED or not self._lately.knows_closed(receipt.ref, now):
            known = self.close_replies(receipt)
            log.read(known)
        if receipt.ref == root and self._lately.search(root, now):
            self._search(receipt, log, now)
        return known

    def _search(self, receipt: Receipt, log: SweepLog, now: datetime) -> None:
        """Look for strangers' replies, and do not do so again too soon."""
        root, searched = receipt.ref, self._lately.searched
        searched.pop(root, None)
        below = Conversation(root, self._lately.authors.get(root, ""), age(receipt, now) or timedelta(0))
        try:
            hide_strangers(self._api, below, self._named_id(), log)
        except Refused as err:
            searched[root] = (now, err)
            raise
        if not log.give_way():
            searched[root] = (now, None)

    def retract(self, receipt: Receipt) -> None:
        """Delete the post. The last one of a conversation first: deleting its root opens what hangs below."""
        api = self._api
        response = api.delete(receipt.ref)
        if not says_gone(response):
            api.demand(response)
        data = read_object(response).get("data")
        if isinstance(data, dict) and data.get("deleted") is True:
            return
        if api.post(receipt.ref) is not None:
            raise TryLater("X did not delete the post", hint="delete it at https://x.com, or try again later")

    def check(self) -> Iterable[Finding]:
        """Read whether the keys work, whose they are, what they may do, and whether the clock is right."""
        if self._settings.simulator_url:
            text = "requests go to the simulator on this machine: nothing will be public"
            yield Finding(self.name, Level.WARNING, text, "take simulator_url out of the config")
        from outagecast.channels.twitter_check import findings

        try:
            api = self._api
        except Refused as err:
            yield Finding(self.name, Level.BAD, err.text, err.hint)
            return
        yield from findings(self.name, api, self._settings.user_id, self._now())

    def warm(self) -> None:
        """Import tweepy, and what else the first call needs."""
        from outagecast.channels import twitter_api  # noqa: F401

    def close(self) -> None:
        """Let go of the connections."""
        if self._opened:
            self._opened.close()
            self._opened = None

    def _notice(self) -> str:
        """What the root says besides, if the config wants it here: that replies are closed, and where help is."""
        notice, support = self._house.notice, self._house.support
        lines = [notice, "" if support in notice else f"Help: {support}"] if self._settings.notice else []
        return "\n".join(filter(None, lines))

    @property
    def _api(self) -> XApi:
        """Read the keys and import tweepy, on first use."""
        if self._opened is None:
            self._opened = self._open(_CONNECT, self._patience)
        return self._opened

    def _open(self, connect: float, read: float) -> XApi:
        mine = self._settings
        secrets = (mine.api_key, mine.api_key_secret, mine.access_token, mine.access_token_secret)
        keys = [secret.reveal() for secret in secrets]
        from outagecast.channels.twitter_api import XApi

        return XApi(keys, session(f"https://{_HOST}", mine.simulator_url, connect=connect, read=read), self._now)

    def _with_picture(self, post: Post, remember: Remember) -> Post:
        """Settle the picture before anything is public; the words wait for it, so its time is bounded."""
        if post.image is None or MEDIA in post.token:
            return post
        # The time to connect is also all the time that a request has to go out, and a picture goes out slowly.
        with closing(self._open(self._patience, self._patience / 2)) as api:
            return with_picture(api, post, post.image, remember)

    def _create(self, post: Post, parent: Receipt | None) -> Answer:
        """Make the one request. A repeat of it is identical to the byte: X knows its own duplicates only by that."""
        # X refuses a reply that brings reply settings of its own: the root's hold for the whole conversation.
        under, control = (parent.ref, None) if parent else (None, MENTIONED)
        return judge(self._api.create(text_of(post, parent), under, control, post.token.get(MEDIA)))

    def _named_id(self) -> str | None:
        """Who we are by the config and the token; Refused if these disagree."""
        return named_id(self._settings.user_id, self._settings.access_token.reveal())

    def _own_id(self) -> str:
        """Who we are; X is asked once, where nothing else tells."""
        if self._known_id is None:
            self._known_id = self._named_id() or asked_id(self._api)
        return self._known_id
