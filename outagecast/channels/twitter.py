"""X/Twitter: posts whose replies are closed in the request that publishes, looked up by text and parent.

The facts behind every line are X's API v2 as of November 2026. tweepy is imported on the first call, not here.
"""

from __future__ import annotations

import re
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
from outagecast.channels.twitter_answers import judge, says_gone
from outagecast.channels.twitter_check import findings
from outagecast.channels.twitter_create import ROOT, conversation, given_way, receipt_from, recognized, refusal, text_of
from outagecast.channels.twitter_match import is_id, reply_state
from outagecast.channels.twitter_picture import MEDIA, with_picture
from outagecast.channels.twitter_replies import Lately, hide_strangers
from outagecast.channels.twitter_table import Verdict
from outagecast.channels.twitter_text import LIMIT, MENTIONED, MOST_PARTS, compose
from outagecast.wire import RESUME, loopback, read_object, session

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
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
_MOST_PAGES = 8
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
        self._known_id = settings.user_id
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
            for found in self._own_posts(api, since - _CLOCK_SLACK):
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
            raise TryLater("X does not show the post yet", hint=f"it is looked at again: {RESUME}")
        replies = reply_state(found)
        if replies is Replies.CLOSED:
            self._lately.read[receipt.ref] = self._now()
        return replies

    def sweep(self, receipt: Receipt, log: SweepLog) -> Replies | None:
        """Read the reply control back, and of the root of a conversation hide the replies that got through."""
        known, now, root = None, self._now(), conversation(receipt)
        if receipt.replies is not Replies.CLOSED or not self._lately.knows_closed(receipt.ref, now):
            known = self.close_replies(receipt)
            log.read(known)
        if receipt.ref == root and self._lately.search(root, now):
            self._lately.searched.pop(root, None)
            try:
                hide_strangers(self._api, root, lambda: self._own_id(self._api), log)
            except Refused as err:
                self._lately.searched[root] = (now, err)
                raise
            self._lately.searched[root] = (now, None)
        return known

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
        if self._known_id is None and (found := re.match(r"([0-9]+)-", keys[2])):
            self._known_id = found[1]  # X's user tokens begin with the user's id
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

    def _own_id(self, api: XApi) -> str:
        """Who we are: from the config, from the token, else asked for (0.01 USD on pay-per-use)."""
        if self._known_id is None:
            response = api.me()
            api.demand(response)
            me = read_object(response).get("data")
            if not (isinstance(me, dict) and is_id(str(me.get("id", "")))):
                raise TryLater("X's answer about the account cannot be read", hint=f"try again: {RESUME}")
            self._known_id = str(me["id"])
        return self._known_id

    def _own_posts(self, api: XApi, start: datetime) -> Iterator[Mapping[str, Any]]:
        """Read the account's posts since `start`, newest first, to the last page."""
        page: str | None = None
        for _ in range(_MOST_PAGES):
            body = api.timeline(self._own_id(api), start, page)
            meta = body.get("meta")
            # Without its count an answer of 200 proves nothing: it may be somebody else's, or an error.
            if not isinstance(meta, dict) or not isinstance(meta.get("result_count"), int):
                if body.get("errors"):
                    raise Refused(f"X shows no posts of user_id {self._known_id}", mendable=True)
                raise TryLater("X's list of the account's posts cannot be read", hint=f"try again: {RESUME}")
            yield from (post for post in body.get("data") or () if isinstance(post, dict))
            page = meta.get("next_token")
            if not page:
                return
        raise Refused(f"the account has made more than {_MOST_PAGES * 100} posts since", mendable=True)
