"""What the tests of the simulated X share: a clock, the real SDK pointed at it, calls over real sockets."""

from __future__ import annotations

import http.client
import json
import threading
from base64 import b64encode
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import requests
import tweepy
from requests.adapters import HTTPAdapter
from requests_oauthlib import OAuth1

from outagecast.sandbox import oauth1
from outagecast.sandbox.x import XPlatform

if TYPE_CHECKING:
    from collections.abc import Iterator

POST = "POST /2/tweets"
PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256))


class Clock:
    def __init__(self) -> None:
        self.at = datetime(2026, 11, 22, 14, 5, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.at

    def forward(self, **by: float) -> None:
        self.at += timedelta(**by)


class Rewrite(HTTPAdapter):
    """Sends what is signed for api.twitter.com to the simulator, Host included."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self.url = url

    def send(self, request: requests.PreparedRequest, *args: Any, **more: Any) -> requests.Response:
        parts = urlsplit(request.url or "")
        request.headers["Host"] = parts.netloc
        request.url = f"{self.url}{parts.path}" + (f"?{parts.query}" if parts.query else "")
        return super().send(request, *args, **more)


def simulated_x(clock: Clock) -> Iterator[XPlatform]:
    """An X on a clock of the test's own."""
    with XPlatform(now=clock) as platform:
        yield platform


def real_sdk(live: XPlatform) -> Iterator[tweepy.Client]:
    """Tweepy with the account's keys; it signs with the real time, so `live` must be on it too."""
    who = live.account
    client = tweepy.Client(
        consumer_key=who.api_key,
        consumer_secret=who.api_key_secret,
        access_token=who.access_token,
        access_token_secret=who.access_token_secret,
    )
    client.session.mount("https://", Rewrite(live.url))
    with client.session:
        yield client


def call(x: XPlatform, method: str, path: str, body: Any = None) -> tuple[int, Any]:
    return x.call_as(x.account, method, path, body)


def post(x: XPlatform, text: str, parent: str | None = None, **more: Any) -> tuple[int, Any]:
    reply = {"reply": {"in_reply_to_tweet_id": parent}} if parent else {}
    return call(x, "POST", "/2/tweets", {"text": text, **reply, **more})


def made(x: XPlatform, text: str, parent: str | None = None, **more: Any) -> str:
    status, body = post(x, text, parent, **more)
    assert status == 201, body
    return str(body["data"]["id"])


def root(x: XPlatform, text: str = "fiber cut") -> str:
    return made(x, text, reply_settings="mentionedUsers")


def raw(x: XPlatform, method: str, path: str, headers: dict[str, str]) -> tuple[int, Any, Any]:
    connection = http.client.HTTPConnection(urlsplit(x.url).netloc, timeout=10)
    try:
        connection.request(method, path, headers=headers)
        answer = connection.getresponse()
        return answer.status, answer.headers, json.loads(answer.read())
    finally:
        connection.close()


def signed_get(x: XPlatform, path: str, **query: str) -> requests.Response:
    """A GET with a query, signed by a stranger's code (oauthlib)."""
    who = x.account
    auth = OAuth1(who.api_key, who.api_key_secret, who.access_token, who.access_token_secret)
    auth.client.timestamp = str(int(x.now().timestamp()))
    with requests.Session() as session:
        session.mount("https://", Rewrite(x.url))
        return session.get(f"https://api.twitter.com{path}", params=query, auth=auth, timeout=10)


def uploaded(x: XPlatform) -> str:
    body = {"media": b64encode(PNG).decode(), "media_category": "tweet_image"}
    status, answer = call(x, "POST", "/2/media/upload", body)
    assert status == 200, answer
    return str(answer["data"]["id"])


def send_quietly(x: XPlatform, patience: float = 10, point: str = "committed") -> int | None:
    """Publish, with `patience` once the platform has reached `point`; the status, or None for no whole answer."""
    reached = threading.Event()
    x.on_event = x.on_event or (lambda at, _: reached.set() if at == point else None)
    header = oauth1.authorization("POST", "/2/tweets", x.account.keys, x.now())
    connection = http.client.HTTPConnection(urlsplit(x.url).netloc, timeout=10)
    try:
        connection.request("POST", "/2/tweets", json.dumps({"text": "fiber cut"}), {"Authorization": header})
        assert patience == 10 or reached.wait(10)
        connection.sock.settimeout(patience)
        answer = connection.getresponse()
        answer.read()
    except (OSError, http.client.HTTPException):
        return None
    else:
        return answer.status
    finally:
        connection.close()


def watched(x: XPlatform) -> list[tuple[str, int]]:
    """The points of a publishing request, each with the number of public posts at it."""
    points: list[tuple[str, int]] = []
    x.on_event = lambda point, _: points.append((point, len(x.public())))
    send_quietly(x)
    x.close()
    return points
