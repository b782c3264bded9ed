"""The simulated X lets an app into an account: OAuth 1.0a with a PIN, as its pages described it in November 2026.

`POST oauth/request_token` and `oauth/access_token` are signed calls; `GET oauth/authorize` is the page that a person
opens, logged in as the account.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import timedelta
from http import HTTPStatus
from types import MappingProxyType
from typing import TYPE_CHECKING, NoReturn
from urllib.parse import urlencode

from outagecast.sandbox import oauth1
from outagecast.sandbox.faults import HTML, ErrorBody, recorded
from outagecast.sandbox.messages import FORM, Answer, RefusalError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from outagecast.sandbox.messages import Request
    from outagecast.sandbox.x_tweets import Account

LIFE = timedelta(minutes=15)
"""How long a request token and its PIN are good. No document has a figure; invented."""
_TEXT = "text/plain; charset=utf-8"
_NOT_APPROVED = (
    "Callback URL not approved for this client application. Approved callback URLs can be adjusted in your application "
    "settings"
)


def _xml(status: int, code: int, message: str) -> ErrorBody:
    body = f"<?xml version='1.0' encoding='UTF-8'?><errors><error code=\"{code}\">{message}</error></errors>"
    return ErrorBody(status, body, content_type="application/xml; charset=utf-8")


# As other projects' logs have them: the same error comes as JSON and as XML.
ERRORS: Mapping[str, ErrorBody] = MappingProxyType(
    {
        "keys": recorded(401, {"errors": [{"code": 32, "message": "Could not authenticate you."}]}),
        "clock": recorded(401, {"errors": [{"code": 135, "message": "Timestamp out of bounds."}]}),
        "callback": recorded(403, {"errors": [{"code": 415, "message": _NOT_APPROVED}]}),
        "callback-xml": _xml(403, 415, _NOT_APPROVED),
        "desktop-xml": _xml(401, 417, "Desktop applications only support the oauth_callback value 'oob'"),
        "verifier": ErrorBody(
            401, "Error processing your OAuth request: Invalid oauth_verifier parameter", content_type=_TEXT
        ),
        "token": recorded(401, {"errors": [{"code": 89, "message": "Invalid or expired token."}]}),
        "token-missing": ErrorBody(401, "Request token missing", content_type=_TEXT),
    }
)


@dataclass(slots=True)
class Asked:
    """One request token, from the app's asking to the one use of its PIN."""

    app: Account
    token: str
    secret: str
    at: datetime
    pin: str = ""
    """Empty until the person has said yes."""


@dataclass(slots=True)
class Desk:
    """Hands out request tokens, PINs and access tokens."""

    callback_set: bool = True
    """Whether the app's settings have a callback address; without one X refuses even `oob`."""
    tells_access: bool = False
    """Whether the answer with the tokens says what they may do (`x-access-level`); not documented."""
    asked: dict[str, Asked] = field(default_factory=dict)

    def answer(self, request: Request, accounts: Sequence[Account], skew: timedelta, now: datetime) -> Answer:
        """Do what is asked."""
        match f"{request.method} {request.path}":
            case "POST /oauth/request_token":
                return self._request_token(request, accounts, skew, now)
            case "GET /oauth/authorize":
                return self._page(request.query.get("oauth_token", ""), now)
            case "POST /oauth/access_token":
                return self._access_token(request, skew, now)
        return Answer(HTTPStatus.NOT_FOUND, b"")

    def allow(self, token: str, now: datetime) -> str:
        """The person says yes at the page; their PIN, or nothing where the link is too old."""
        asked = self.asked.get(token)
        if asked is None or now - asked.at > LIFE:
            return ""
        digits = int(hashlib.sha256(f"pin {token}".encode()).hexdigest(), 16) % 10_000_000
        asked.pin = f"{digits:07}"
        return asked.pin

    def _request_token(self, request: Request, accounts: Sequence[Account], skew: timedelta, now: datetime) -> Answer:
        given = oauth1.fields(request.headers.get("Authorization", ""))
        _demand_time(request, given, skew, now)
        app = next((who for who in accounts if who.api_key == given.get("oauth_consumer_key")), None)
        if app is None or not _signed(request, given, app, ("", ""), skew):
            _refuse("keys", now)
        if not self.callback_set or given.get("oauth_callback") != "oob":
            _refuse("callback", now)
        token = f"request-{len(self.asked) + 1}-for-tests"
        asked = Asked(app, token, f"secret-of-{token}", now)
        self.asked[token] = asked
        return _form(oauth_token=token, oauth_token_secret=asked.secret, oauth_callback_confirmed="true")

    def _page(self, token: str, now: datetime) -> Answer:
        """What the person sees, who is taken to have clicked on Authorize app."""
        pin = self.allow(token, now)
        words = f"<p>Enter this PIN:</p><code>{pin}</code>" if pin else "<p>This page is no longer valid.</p>"
        return Answer(200, f"<!doctype html><title>X (simulated)</title>{words}".encode(), content_type=HTML)

    def _access_token(self, request: Request, skew: timedelta, now: datetime) -> Answer:
        given = oauth1.fields(request.headers.get("Authorization", ""))
        _demand_time(request, given, skew, now)
        asked = self.asked.get(given.get("oauth_token", ""))
        if asked is None or now - asked.at > LIFE:
            _refuse("token-missing", now)
        if not _signed(request, given, asked.app, (asked.token, asked.secret), skew):
            _refuse("keys", now)
        if not asked.pin or given.get("oauth_verifier") != asked.pin:
            _refuse("verifier", now)
        del self.asked[asked.token]
        who = asked.app
        headers = {"x-access-level": "read-write" if who.write else "read"} if self.tells_access else {}
        return _form(
            headers,
            oauth_token=who.access_token,
            oauth_token_secret=who.access_token_secret,
            user_id=who.user_id,
            screen_name=who.screen_name,
        )


def _refuse(name: str, now: datetime) -> NoReturn:
    raise RefusalError(ERRORS[name].answer(now))


def _demand_time(request: Request, given: Mapping[str, str], skew: timedelta, now: datetime) -> None:
    stamp = given.get("oauth_timestamp", "")
    if stamp.isdecimal() and abs(int(stamp) - request.at.timestamp()) > skew.total_seconds():
        _refuse("clock", now)


def _signed(request: Request, given: Mapping[str, str], app: Account, token: tuple[str, str], skew: timedelta) -> bool:
    keys = oauth1.Keys(app.api_key, app.api_key_secret, *token)
    return given.get("oauth_consumer_key") == app.api_key and oauth1.verified(request, given, keys, skew)


def _form(headers: Mapping[str, str] | None = None, **pairs: str) -> Answer:
    """X answers these calls with a form, whatever its page of reference says of JSON."""
    return Answer(200, urlencode(pairs).encode(), headers or {}, FORM)
