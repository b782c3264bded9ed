"""How an app gets the tokens of an X account: OAuth 1.0a with a PIN, over our own bounded session.

Three steps (docs.x.com, fundamentals/authentication/oauth-1-0a/pin-based-oauth, November 2026): a request token, a
person who opens a link and is shown a PIN, and the access token for both. What came in the first step is kept in
memory only. tweepy's own way builds a session without time-outs, so requests-oauthlib only signs here.
"""

from __future__ import annotations

import logging
import re
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, quote

import msgspec
import requests
from requests_oauthlib import OAuth1

from outagecast.channel import (
    ChannelError,
    Confided,
    Finding,
    Grant,
    InDoubt,
    Level,
    Refused,
    Secret,
    TryLater,
    readable,
)
from outagecast.channels.twitter_answers import judge
from outagecast.channels.twitter_auth_answers import AGAIN, WrongPin, demand
from outagecast.channels.twitter_match import is_id
from outagecast.channels.twitter_table import CONSOLE, Verdict
from outagecast.text import terminal
from outagecast.wire import classify, read_object, read_text, session

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from datetime import datetime

    from outagecast.channel import Person
    from outagecast.wire_session import Wire

_ORIGIN = "https://api.twitter.com"
_TRIES = 3
_NUMBER = re.compile(r"[0-9]{1,20}")
"""How often a PIN may be wrong; each try has a link of its own, because X takes a PIN once."""
_TALKATIVE = ("oauthlib", "requests_oauthlib")
"""At DEBUG these log whole requests, with what they are signed with."""
_NEW_TOKEN = f"at {CONSOLE} set the app to Read and write, then get new tokens: {AGAIN}"


class _Tokens(msgspec.Struct, frozen=True):
    """A pair that X gave: its name and its secret, and what else was in the answer."""

    token: Secret
    secret: Secret
    user_id: str = ""
    screen_name: str = ""
    access: str = ""
    """What the tokens may do, in X's words; empty where the answer does not tell."""


class _App(msgspec.Struct, frozen=True):
    """The app whose keys sign, and the way to X."""

    key: Secret
    secret: Secret
    wire: Wire
    person: Person
    now: Callable[[], datetime]

    def request_token(self) -> _Tokens:
        """Begin: a pair that is good for one link and one PIN."""
        auth = self._signer(callback_uri="oob")
        return self._tokens(self._ask("POST", "/oauth/request_token", auth))

    def access_token(self, request: _Tokens, pin: str) -> _Tokens:
        """End: the account's own pair."""
        auth = self._signer(request, verifier=pin)
        return self._tokens(self._ask("POST", "/oauth/access_token", auth), pin=True)

    def me(self, tokens: _Tokens) -> requests.Response:
        """Read whose the tokens are (0.01 USD on pay-per-use), whatever the answer is."""
        return self._ask("GET", "/2/users/me", self._signer(tokens))

    def _signer(self, tokens: _Tokens | None = None, **more: str) -> OAuth1:
        pair = (tokens.token.reveal(), tokens.secret.reveal()) if tokens else (None, None)
        return OAuth1(self.key.reveal(), self.secret.reveal(), *pair, **more)

    def _ask(self, method: str, path: str, auth: OAuth1) -> requests.Response:
        try:
            return self.wire.request(method, _ORIGIN + path, auth=auth)
        except ChannelError:
            raise
        except requests.RequestException as err:
            raise _unreached(classify(err)) from err
        except (ValueError, TypeError) as err:  # oauthlib about a key that cannot be one
            raise Refused(
                f"the request to X could not be signed ({type(err).__name__}): a key is damaged",
                mendable=True,
                hint=f"paste the app's key and its secret anew, without line breaks: {AGAIN}",
            ) from err

    def _tokens(self, response: requests.Response, *, pin: bool = False) -> _Tokens:
        demand(response, self.now(), pin=pin)
        given = dict(parse_qsl(read_text(response)))
        if not (given.get("oauth_token") and given.get("oauth_token_secret")):
            raise TryLater(
                "X's answer has no tokens in it", hint=f"see whether a proxy stands in between, then: {AGAIN}"
            )
        user_id = given.get("user_id", "")
        if user_id and not _NUMBER.fullmatch(user_id):
            raise TryLater("X's answer names no number of the account", hint=f"once more: {AGAIN}")
        return _Tokens(
            # The name of a request token is no secret: it stands in the link that is shown.
            self.person.keep(given["oauth_token"]) if pin else Secret.of(given["oauth_token"]),
            self.person.keep(given["oauth_token_secret"]),
            user_id,
            terminal(given.get("screen_name", "")),
            response.headers.get("x-access-level", ""),
        )


def authorize(known: Mapping[str, Any], person: Person, now: Callable[[], datetime], *, checked: bool = False) -> Grant:
    """Get an account's tokens, by a PIN or from the person; say what they may do, unless that is `checked` next."""
    for name in _TALKATIVE:
        logging.getLogger(name).setLevel(logging.INFO)
    keys: dict[str, str | Confided] = {}
    key, secret = _app_keys(known, person, keys)
    simulator = known.get("simulator_url")
    with session(_ORIGIN, simulator) as wire:
        app = _App(key, secret, wire, person, now)
        in_hand = person.yes("Do you have the account's access token and its secret already?", default=False)
        tokens = _typed(person) if in_hand else _by_pin(app, simulator or _ORIGIN)
        findings = [] if checked else list(_findings(app, tokens))
    if tokens.user_id:
        keys["user_id"] = tokens.user_id
    keys |= {
        "access_token": Confided("access-token", tokens.token),
        "access_token_secret": Confided("access-token-secret", tokens.secret),
    }
    return Grant(keys, findings)


def _app_keys(known: Mapping[str, Any], person: Person, keys: dict[str, str | Confided]) -> tuple[Secret, Secret]:
    """Take the app's key and its secret from the config, or ask; what was asked for goes into `keys`."""
    if "api_key" not in known or "api_key_secret" not in known:
        person.say(
            f"The keys of your app stand at {CONSOLE}, under Keys and tokens (Consumer Keys). Before you go on, set "
            "the app's User authentication to Read and write, with any address of yours as its callback URL."
        )
    found: list[Secret] = []
    for name, called in (("api_key", "the app's API key"), ("api_key_secret", "the app's API key secret")):
        secret = readable(known.get(name), person)
        if secret is None:
            secret = _demanded(person, f"Paste {called}")
            if name not in known:
                keys[name] = Confided(name.replace("_", "-"), secret)
        found.append(secret)
    return found[0], found[1]


def _demanded(person: Person, question: str) -> Secret:
    secret = person.hidden(question)
    if secret is None:
        raise Refused("there is no such secret", mendable=True, hint=AGAIN)
    return secret


def _typed(person: Person) -> _Tokens:
    """Take the tokens that X shows to whoever owns the app and posts as themselves."""
    token = _demanded(person, "Paste the access token")
    secret = _demanded(person, "Paste the access token secret")
    owner = re.match(r"([0-9]+)-", token.reveal())  # X's user tokens begin with the user's number
    return _Tokens(token, secret, owner[1] if owner else "")


def _by_pin(app: _App, site: str) -> _Tokens:
    """Let the person allow the app at X, and change the PIN for the tokens; a new link after each wrong PIN."""
    for left in reversed(range(_TRIES)):
        request = app.request_token()
        app.person.say(
            "Open this link in a browser, logged in to X as the account that is to post, and press Authorize app. "
            "X then shows a PIN."
        )
        app.person.visit(f"{site}/oauth/authorize?oauth_token={quote(request.token.reveal(), safe='')}")
        pin = app.person.line("The PIN", check=_pin)
        try:
            return app.access_token(request, re.sub(r"[\s-]", "", pin))
        except WrongPin as err:
            if not left:
                raise
            app.person.say(f"{err.text}. Here is a new link.")
    raise AssertionError("the last try either succeeds or raises")


def _pin(text: str) -> None:
    if not re.fullmatch(r"[0-9]{4,12}", re.sub(r"[\s-]", "", text), re.ASCII):
        raise ValueError("a PIN of X is about 7 digits; it stands on the page that X shows after Authorize app")


def _findings(app: _App, tokens: _Tokens) -> Iterator[Finding]:
    """Whose the tokens are and what they may do; asks X only where the answer with the tokens did not tell."""
    if tokens.screen_name and tokens.access:
        yield Finding("", Level.GOOD, _whose(tokens.screen_name, tokens.user_id))
        yield _allowed(tokens.access)
    elif app.person.yes("Ask X whose these are and what they may do? It costs 0.01 USD on pay-per-use.", default=True):
        yield from _asked(app, tokens)
    else:
        if tokens.screen_name:
            yield Finding("", Level.GOOD, _whose(tokens.screen_name, tokens.user_id))
        yield Finding("", Level.WARNING, "whether the tokens may post is not known", "outagecast check asks X for it")


def _asked(app: _App, tokens: _Tokens) -> Iterator[Finding]:
    try:
        response = app.me(tokens)
    except ChannelError as err:
        yield Finding("", Level.WARNING, f"what the tokens may do is not known: {err.text}", "outagecast check")
        return
    answer = judge(response)
    me = read_object(response).get("data")
    if response.status_code == requests.codes.ok and isinstance(me, dict) and is_id(str(me.get("id", ""))):
        yield Finding("", Level.GOOD, _whose(terminal(str(me.get("username", "?"))), str(me["id"])))
        yield _allowed(response.headers.get("x-access-level", ""))
    elif answer.verdict is Verdict.REFUSED and response.status_code == requests.codes.unauthorized:
        yield Finding("", Level.BAD, f"X does not take these: {answer.said()}", f"get new tokens: {AGAIN}")
    else:
        hint = answer.row.hint or "outagecast check"
        yield Finding("", Level.WARNING, f"what the tokens may do is not known: {answer.said()}", hint)


def _whose(name: str, user_id: str) -> str:
    return f"tokens of @{name} (user_id {user_id}), OAuth 1.0a: they do not expire"


def _allowed(level: str) -> Finding:
    # `x-access-level` comes with answers to OAuth 1.0a calls; it is not documented for v2 (November 2026).
    if not level:
        return Finding("", Level.WARNING, "X does not say whether the tokens may post", _NEW_TOKEN)
    if "write" not in level:
        return Finding("", Level.BAD, "the tokens may only read, not post", _NEW_TOKEN)
    return Finding("", Level.GOOD, "they may post (Read and write)")


def _unreached(err: ChannelError) -> ChannelError:
    """Say the same of a call that publishes nothing: an answer that was lost is no doubt about any post."""
    if isinstance(err, InDoubt):
        return TryLater(f"X did not answer: {err.text.rpartition(': ')[2]}", hint=f"once more: {AGAIN}")
    hint = err.hint.replace("outagecast resume", AGAIN).replace("outagecast check", AGAIN)
    return Refused(err.text, mendable=True, hint=hint) if isinstance(err, Refused) else TryLater(err.text, hint=hint)
