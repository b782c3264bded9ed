"""How a Page's own token is got: from a system user's token, or from a person's by way of a long-lived one.

Facts of November 2026 (developers.facebook.com/docs: facebook-login/guides/access-tokens/get-long-lived, pages-api):
a person's token lives an hour or two, its exchange some sixty days, and the Page's token that comes of it has no end,
but dies with the person's password, their consent and their role. A system user's is bound to nobody. Tokens and the
app's secret stand in headers and bodies only.
"""

from __future__ import annotations

import re
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any

import msgspec

from outagecast.channel import ChannelError, Confided, Grant, InDoubt, Refused, Secret, TryLater, readable
from outagecast.channels.facebook_answers import Gone
from outagecast.channels.facebook_auth_findings import findings, mortality
from outagecast.channels.facebook_graph import Graph
from outagecast.channels.facebook_settings import DEFAULT_VERSION
from outagecast.channels.facebook_token import ALL_RIGHTS, TO_BE_GOT, facts
from outagecast.text import terminal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from datetime import datetime

    from outagecast.channel import Person

AGAIN = "outagecast auth facebook"
_PERSON, _SYSTEM_USER, _PAGE = "USER", "SYSTEM_USER", "PAGE"
_RIGHTS = ", ".join(ALL_RIGHTS)
_MINE, _WHOSE = (
    "your own, from the Graph API Explorer: it dies with your password, your consent or your role on the Page",
    "a system user's, from Business settings: it does not expire and is bound to nobody (best)",
)
_BASIC = "developers.facebook.com/apps, App settings, Basic"
_LACKING, _PORTFOLIO = f"the token lacks {TO_BE_GOT[0]}", "it lists none that belongs to a business portfolio"
_ROLE = "the token's owner has no role there"
_NO_LIST = {True: _PORTFOLIO, False: _LACKING, None: f"{_LACKING}, or {_PORTFOLIO}"}
_NEW, _GIVE_ROLE = f"make a token that has {TO_BE_GOT[0]} too", "give its owner full control of the Page"
_SEE = {True: _GIVE_ROLE, False: _NEW, None: f"{_NEW}, and {_GIVE_ROLE}"}
_NO_TOKEN = {True: _ROLE, False: _LACKING, None: f"{_LACKING}, or {_ROLE}"}
_DEAD = (102, 104, 190)
"""Codes of a token that Facebook does not take."""


_NUMBER = re.compile(r"[0-9]{1,30}")


class _Holder(msgspec.Struct, frozen=True):
    """A token that may act for Pages, and what kind it is."""

    token: Secret
    kind: str
    lists: bool | None = None
    """Whether it has the right that Pages are listed and their tokens given by; None where Facebook does not say."""


class _Talk(msgspec.Struct, frozen=True):
    """One conversation: the person, and what is known of their app."""

    person: Person
    known: Mapping[str, Any]
    now: Callable[[], datetime]
    app_id: str = ""
    app_secret: Secret | None = None

    def graph(self, token: str) -> Graph:
        """The Graph API as whoever the token belongs to."""
        return Graph(
            token,
            version=self.known.get("api_version") or DEFAULT_VERSION,
            # The app's own token needs no proof by the app's secret: it holds it.
            app_secret=self.app_secret.reveal() if self.app_secret and "|" not in token else None,
            simulator_url=self.known.get("simulator_url"),
            now=self.now,
        )

    def facts(self, token: Secret) -> Mapping[str, Any]:
        """What Facebook says of a token; empty where it tells nobody."""
        app = f"{self.app_id}|{self.app_secret.reveal()}" if self.app_id and self.app_secret else None
        with _asking(self.graph(token.reveal())) as graph:
            return facts(graph, (lambda: self.graph(app)) if app else None, token.reveal())


def authorize(known: Mapping[str, Any], person: Person, now: Callable[[], datetime], *, checked: bool = False) -> Grant:
    """Get a Page's token; say what it is, until when, and what will not work with it, unless that is `checked` next."""
    system_user = person.choose("Which token do you have, or can you make?", (_WHOSE, _MINE)) == 0
    _tell_how(person, system_user=system_user)
    given = _demanded(person.hidden("Paste the token"))
    talk = _with_app(_Talk(person, known, now), needed=not system_user)
    talk, holder = _holder(talk, given, system_user=system_user)
    page_id, token = _page(talk, holder)
    found = list(mortality()) if holder.kind == _PERSON else []
    if not checked:
        found = [*findings(talk.facts(token), page_id, now()), *found]
    keys: dict[str, str | Confided] = {"page_id": page_id, "page_access_token": Confided("page-access-token", token)}
    if talk.app_secret is not None and "app_secret" not in known:
        keys |= {"app_id": talk.app_id, "app_secret": Confided("app-secret", talk.app_secret)}
    return Grant(keys, found)


def _tell_how(person: Person, *, system_user: bool) -> None:
    if system_user:
        person.say(
            "In Business settings (business.facebook.com/settings), under Users, System users: make one, assign the "
            f"Page to it with full control, and generate a token for your app with these rights: {_RIGHTS}."
        )
    else:
        person.say(
            "At developers.facebook.com/tools/explorer choose your app, User Token, and these rights, then Generate "
            f"Access Token: {_RIGHTS}."
        )


def _with_app(talk: _Talk, *, needed: bool) -> _Talk:
    """Take the app's number and secret from the config, or ask; without need they may be left out."""
    if talk.app_secret is not None:
        return talk
    app_id, secret = talk.known.get("app_id"), readable(talk.known.get("app_secret"), talk.person)
    if app_id and secret is not None:
        return msgspec.structs.replace(talk, app_id=app_id, app_secret=secret)
    why = "to exchange the token" if needed else "lets outagecast read what the token may do"
    talk.person.say(f"The app's number and secret stand at {_BASIC} ({why}).")
    app_id = app_id or talk.person.line("The app's number", optional=not needed, check=_number)
    secret = talk.person.hidden("The app's secret", optional=not needed) if app_id else None
    return msgspec.structs.replace(talk, app_id=app_id if secret else "", app_secret=secret)


def _holder(talk: _Talk, given: Secret, *, system_user: bool) -> tuple[_Talk, _Holder]:
    """Find out what kind of token was given, and exchange it if it is a person's."""
    said = talk.facts(given)
    if said.get("is_valid") is False:
        raise Refused(
            "Facebook says that this token is no longer valid", mendable=True, hint=f"make a new one, then: {AGAIN}"
        )
    lists = set(TO_BE_GOT) <= set(map(str, said["scopes"])) if said else None
    kind = str(said.get("type") or (_SYSTEM_USER if system_user else _PERSON))
    if kind != _PERSON:
        return talk, _Holder(given, kind, lists)
    if system_user:
        talk.person.say("This is a person's token, not a system user's. It has to be exchanged for one that lasts.")
        talk = _with_app(talk, needed=True)
    return talk, _Holder(_long_lived(talk, given), kind, lists)


def _long_lived(talk: _Talk, short: Secret) -> Secret:
    """Exchange a person's token, by the one call that needs the app's secret: in the body of a POST."""
    given = {
        "grant_type": "fb_exchange_token",
        "client_id": talk.app_id,
        "client_secret": _demanded(talk.app_secret).reveal(),
        "fb_exchange_token": short.reveal(),
    }
    with _asking(talk.graph(short.reveal())) as graph:
        try:
            value = graph.write("oauth/access_token", **given).body.get("access_token")
        except ChannelError as err:
            # Seen with codes 1 and 101, which mean other things elsewhere.
            if re.search(r"client secret|client id|validating application", err.text, re.IGNORECASE):
                raise Refused(
                    "Facebook does not accept the app's number or its secret",
                    mendable=True,
                    hint=f"copy both from {_BASIC}, then: {AGAIN}",
                ) from err
            raise
    return _given(talk.person, value, "no token came of the exchange")


def _page(talk: _Talk, holder: _Holder) -> tuple[str, Secret]:
    """The Page's number, and its own token."""
    with _asking(talk.graph(holder.token.reveal())) as graph:
        # A Page's token knows only its own Page.
        page_id = talk.known.get("page_id") or ("me" if holder.kind == _PAGE else _chosen(talk.person, graph, holder))
        try:
            body = graph.read(page_id, fields="id,name,access_token").body
        except Gone as err:
            raise Refused(
                f"the token does not see a Page {page_id}",
                mendable=True,
                hint="see whether the number is right (the Page's settings, Page transparency) and whether the token's "
                f"owner has that Page, then: {AGAIN}",
            ) from err
    page_id = str(body.get("id") or page_id)
    if not _NUMBER.fullmatch(page_id):
        raise Refused("Facebook's answer has no number of the Page in it", mendable=True, hint=f"once more: {AGAIN}")
    name = terminal(" ".join(str(body.get("name") or page_id).split()))
    lacks = f"Facebook gives no token of the Page {name}: {_NO_TOKEN[holder.lists]}"
    token = (
        holder.token
        if holder.kind == _PAGE
        else _given(talk.person, body.get("access_token"), lacks, _SEE[holder.lists])
    )
    talk.person.say(f"This is the token of the Page {name} (page_id {page_id}).")
    return page_id, token


def _chosen(person: Person, graph: Graph, holder: _Holder) -> str:
    """Let the person choose among the Pages that Facebook lists, or type a number."""
    if pages := _listed(graph):
        choices = [*(f"{name} ({ref})" for ref, name in pages), "another one"]
        place = person.choose("Which Page?", choices)
        if place < len(pages):
            return pages[place][0]
    else:
        person.say(f"Facebook lists no Page here: {_NO_LIST[holder.lists]}.")
    return person.line("The Page's number (its settings, Page transparency)", check=_number)


def _listed(graph: Graph) -> list[tuple[str, str]]:
    """The Pages of a token; a token that may not ask has none."""
    try:
        listed = graph.read("me/accounts", fields="id,name", limit="100").body.get("data")
    except Refused:
        return []
    entries = [entry for entry in listed if isinstance(entry, dict)] if isinstance(listed, list) else []
    named = [(str(entry.get("id", "")), str(entry.get("name", "?"))) for entry in entries]
    return [(ref, terminal(" ".join(name.split()))) for ref, name in named if _NUMBER.fullmatch(ref)]


def _given(person: Person, value: object, otherwise: str, hint: str = "see to that") -> Secret:
    if not isinstance(value, str) or not value:
        raise Refused(otherwise, mendable=True, hint=f"{hint}, then: {AGAIN}")
    return person.keep(value)


def _demanded(secret: Secret | None) -> Secret:
    if secret is None:
        raise Refused("a secret is missing", mendable=True, hint=AGAIN)
    return secret


def _number(text: str) -> None:
    if text and not _NUMBER.fullmatch(text):
        raise ValueError("a number is meant, in digits only; not a name")


@contextmanager
def _asking(graph: Graph) -> Iterator[Graph]:
    """Close it afterwards, and let errors say what to type here; nothing here publishes, so nothing is in doubt."""
    with closing(graph):
        try:
            yield graph
        except InDoubt as err:
            raise TryLater(f"Facebook did not answer: {err.text}", hint=f"once more: {AGAIN}") from err
        except TryLater as err:
            raise TryLater(err.text, after=err.after, limited=err.limited, hint=f"a little later: {AGAIN}") from err
        except Refused as err:
            raise Refused(err.text, mendable=True, hint=_hint(graph.code, err)) from err


def _hint(code: int, err: Refused) -> str:
    if code in _DEAD:
        return f"get a new token, then: {AGAIN}"
    if AGAIN in err.hint:
        return err.hint
    if "appsecret_proof" in err.text:
        return f"give the number and the secret of the app that made the token ({_BASIC}): {AGAIN}"
    return re.sub(r"`?outagecast \w+`?", f"`{AGAIN}`", err.hint)
