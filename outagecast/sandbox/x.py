"""The simulated X: API v2 as far as announcements need it, with the rules that make announcing there hard."""

from __future__ import annotations

import http.client
import json
import re
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from outagecast.sandbox import oauth1, x_calls, x_create, x_oauth
from outagecast.sandbox.faults import ErrorBody
from outagecast.sandbox.messages import Answer, RefusalError, Request
from outagecast.sandbox.server import Platform, utc_now
from outagecast.sandbox.x_calls import Gone, Image
from outagecast.sandbox.x_create import ReplyRule
from outagecast.sandbox.x_errors import ERRORS
from outagecast.sandbox.x_tweets import Account, Buckets, Tweet, Tweets, account, stamp

if TYPE_CHECKING:
    from collections.abc import Callable

    from outagecast.sandbox.faults import Fault

__all__ = ["ERRORS", "Account", "ErrorBody", "Gone", "ReplyRule", "XPlatform", "account"]


@dataclass(frozen=True, slots=True)
class Call:
    """One request of an account that has shown its keys; `ref` is the id in its path."""

    request: Request
    account: Account
    ref: str


@dataclass(frozen=True, slots=True)
class Route:
    """One endpoint: at most `most` calls in a quarter of an hour; `reads` other people's eyes could read too."""

    pattern: str
    most: int
    action: Callable[[XPlatform, Call], Answer]
    reads: bool = False


# The limits are those of X's page of rate limits in November 2026; of the last one there is no figure.
ROUTES = (
    Route(r"POST /2/tweets", 100, x_create.create),
    Route(r"GET /2/tweets/(\d+)", 900, x_calls.read, reads=True),
    Route(r"DELETE /2/tweets/(\d+)", 50, x_calls.delete),
    Route(r"PUT /2/tweets/(\d+)/hidden", 50, x_calls.hide),
    Route(r"GET /2/users/me", 75, x_calls.me),
    Route(r"GET /2/users/(\d+)/tweets", 900, x_calls.timeline, reads=True),
    Route(r"GET /2/tweets/search/recent", 300, x_calls.search, reads=True),
    Route(r"POST /2/media/upload", 500, x_calls.upload),
    Route(r"POST /2/media/metadata", 500, x_calls.describe),
)


class XPlatform(Platform):
    """X on loopback. The attributes that are no part of `Platform` are switches; set them at any time."""

    def __init__(self, *, port: int = 0, now: Callable[[], datetime] = utc_now) -> None:
        self.account = account("1234567890", "examplehosting")
        self.stranger = replace(account("2987654321", "passerby"), self_serve=False)
        self.accounts = [self.account, self.stranger]
        self.tweets = Tweets()
        self.media: dict[str, Image] = {}
        self.reply_rule = ReplyRule.SELF_ALLOWED
        self.rule_refusal = "reply-not-mentioned"
        """Under which name in ERRORS the reply rule refuses; the other is "reply-not-engaged"."""
        self.read_lag = timedelta(0)
        """How long a new post is missing from timeline and search."""
        self.lookup_lag = timedelta(0)
        """How long it cannot be read by its id."""
        self.hide_reply_settings = False
        """The field is left out of every answer, though asked for."""
        self.shown_reply_settings: str | None = None
        """What is shown as the reply setting of every post, whatever it was made with."""
        self.fails_open = False
        """X cannot load who may reply to what, and lets everybody (its source of July 2023)."""
        self.search_shows_hidden = True
        """Whether search gives hidden replies, too; X does not say."""
        self.duplicate_lock = timedelta(seconds=10)
        """How long a request that is under way, or failed unclearly, makes an equal one a duplicate."""
        self.skew = oauth1.SKEW
        """How far a client's clock may be off; its SDK signs with the machine's own, whatever time is simulated."""
        self.missing_status = 200
        """The status of reading a post that is gone."""
        self.gone = Gone.NOT_FOUND
        self.desk = x_oauth.Desk()
        """Where a person lets an app into an account; with switches of its own."""
        self._under_way: dict[tuple[str, str], datetime] = {}
        self._nonces: set[tuple[str, str, str]] = set()
        self._buckets = Buckets()
        super().__init__(port=port, now=now)

    def add(self, *accounts: Account) -> None:
        """Let further accounts in, each with its own keys."""
        self.accounts.extend(accounts)

    def answer(self, request: Request) -> Answer:
        """Do what is asked. Failed requests cost nothing."""
        if request.path.startswith("/oauth/"):
            return self.desk.answer(request, self.accounts, self.skew, self.now())
        who = self._signer(request)
        for route in ROUTES:
            if found := re.fullmatch(route.pattern, f"{request.method} {request.path}"):
                call = Call(request, who, found[1] if found.re.groups else "")
                return self._route(route, call)
        raise RefusalError(ERRORS["not-found"].answer(self.now()))

    def _route(self, route: Route, call: Call) -> Answer:
        headers = self._buckets.take(call.account, route.pattern, route.most, self.now())
        headers["x-access-level"] = "read-write" if call.account.write else "read"
        try:
            self._check_tier(route, call, headers)
            answer = route.action(self, call)
        except RefusalError as refusal:
            answer = refusal.answer
        else:
            _pay(call.account)
        finally:
            if route.action is x_create.create:
                self._under_way.pop(_key(call.request), None)
        return replace(answer, headers=headers | dict(answer.headers))

    def _check_tier(self, route: Route, call: Call, headers: dict[str, str]) -> None:
        empty = [name for name, value in headers.items() if name.endswith("-remaining") and int(value) < 0]
        if empty:
            headers |= dict.fromkeys(empty, "0")
            x_create.refuse(self, "rate-limited-bare")
        if not call.account.credits:
            x_create.refuse(self, "credits-depleted")
        if route.reads and not call.account.can_read:
            x_create.refuse(self, "client-not-enrolled")

    def _signer(self, request: Request) -> Account:
        """The account whose keys signed the request, each signature good for once."""
        header = request.headers.get("Authorization", "")
        if header.lower().startswith("bearer "):
            x_create.refuse(self, "unsupported-authentication")
        given = oauth1.fields(header)
        for who in self.accounts:
            named = (given.get("oauth_token"), given.get("oauth_consumer_key")) == (who.access_token, who.api_key)
            if named and oauth1.verified(request, given, who.keys, self.skew) and self._first_use(given):
                return who
        raise RefusalError(ERRORS["unauthorized"].answer(self.now()))

    def _first_use(self, given: dict[str, str]) -> bool:
        use = (given["oauth_token"], given["oauth_timestamp"], given["oauth_nonce"])
        if use in self._nonces:
            return False
        self._nonces.add(use)
        return True

    def admit(self, request: Request, fault: Fault | None) -> Answer | None:
        """Refuse a post while an equal one is under way; X does so although the first may yet fail."""
        if (request.method, request.path) != ("POST", "/2/tweets") or not self.duplicate_lock:
            return None
        began = self._under_way.get(_key(request))
        if began and request.at - began < self.duplicate_lock:
            return ERRORS["duplicate"].answer(self.now())
        if not (fault and fault.definite):
            self._under_way[_key(request)] = request.at
        return None

    def public(self) -> list[dict[str, Any]]:
        """What a stranger sees, replies among it, oldest first."""
        with self.lock:
            return [self._seen(tweet) for tweet in self.tweets.all() if not tweet.hidden]

    def _seen(self, tweet: Tweet) -> dict[str, Any]:
        return {
            "id": tweet.id,
            "text": tweet.text,
            "conversation_id": tweet.conversation,
            "in_reply_to": tweet.parent,
            "author": tweet.author.screen_name,
            "can_reply": self.fails_open or self.tweets.may_reply(self.stranger, tweet),
            "created_at": stamp(tweet.at),
            "images": [self.media[ref].alt for ref in tweet.media],
        }

    def stranger_reply(self, tweet_id: str, text: str) -> tuple[int, Any]:
        """Reply as somebody else, by the same door as everybody; status and body of the answer."""
        return self.call_as(
            self.stranger, "POST", "/2/tweets", {"text": text, "reply": {"in_reply_to_tweet_id": tweet_id}}
        )

    def call_as(self, who: Account, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        """One signed request over a connection of its own; status and parsed body of the answer."""
        headers = {
            "Host": "api.twitter.com",
            "Content-Type": "application/json",
            "Authorization": oauth1.authorization(method, path, who.keys, self.now()),
        }
        connection = http.client.HTTPConnection(urlsplit(self.url).netloc, timeout=30)
        try:
            connection.request(method, path, json.dumps(body) if body is not None else None, headers)
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read())
        finally:
            connection.close()


def _key(request: Request) -> tuple[str, str]:
    token = oauth1.fields(request.headers.get("Authorization", "")).get("oauth_token", "")
    return token, json.dumps(request.json, sort_keys=True)


def _pay(who: Account) -> None:
    if who.credits is not True:
        who.credits -= 1
