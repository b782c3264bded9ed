"""What `check` can find out about a Page, its token and the Graph API before the night. Reads only."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import msgspec

from outagecast.channel import ChannelError, Finding, Level
from outagecast.channels.facebook_settings import VERSIONS, Comments, FacebookSettings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from outagecast.channels.facebook_graph import Graph

_TO_POST = ("pages_manage_posts", "pages_read_engagement", "pages_show_list")
_TO_SWEEP = ("pages_manage_engagement", "pages_read_user_content")
_SOON = timedelta(days=30)
_VERSION_SOON = timedelta(days=90)
_NEARLY_FULL = 80
_AUTH = "make a new Page token (README: Set it up) and put it where the config reads it"


class Checkup(msgspec.Struct, frozen=True):
    """The questions to ask about one Page, each answered by findings."""

    channel: str
    settings: FacebookSettings
    now: datetime

    def findings(self, graph: Graph, app: Callable[[], Graph] | None) -> Iterator[Finding]:
        """Ask everything; `app` opens the API as the app itself, which alone may read what a token can do."""
        yield from self.version()
        try:
            yield from self._page(graph)
            yield from self._lookup(graph)
            yield from self._token(app)
        except ChannelError as err:
            yield self._bad(err.text, err.hint)

    def version(self) -> Iterator[Finding]:
        """Say how long the configured version of the API still lives; needs no network."""
        known = {version.name: version.ends for version in VERSIONS}
        wanted = self.settings.api_version
        if wanted not in known:
            yield self._warning(f"Graph API {wanted} is not known here", f"set api_version to {VERSIONS[-1].name}")
            return
        ends = known[wanted]
        newest = f"set api_version to {VERSIONS[-1].name}"
        if ends and ends <= self.now.date():
            yield self._bad(f"Graph API {wanted} ended on {ends}", newest)
        elif ends and ends <= (self.now + _VERSION_SOON).date():
            yield self._warning(f"Graph API {wanted} ends on {ends}", newest)

    def _page(self, graph: Graph) -> Iterator[Finding]:
        """Ask who the token is: for a Page's token "me" is the Page."""
        me = graph.read("me", fields="id,name")
        name = str(me.body.get("name", ""))
        if str(me.body.get("id")) != self.settings.page_id:
            text = f"the token is that of {name or 'somebody else'}, not of the Page {self.settings.page_id}"
            yield self._bad(text, _AUTH)
            return
        # Posts of an app in Development mode are seen by its own people only, and the API says 200 all the same.
        yield Finding(
            self.channel,
            Level.GOOD,
            f"the token is that of the Page {name}",
            "open one of its posts logged out: an app in Development mode posts for nobody, and only a look shows it",
        )
        if me.version and me.version != self.settings.api_version:
            text = f"Facebook answers as {me.version}, not as {self.settings.api_version}"
            yield self._warning(text, f"set api_version to {me.version}")
        if graph.usage.percent >= _NEARLY_FULL:
            yield self._warning(
                f"{graph.usage.percent} % of the Page's calls are used up", "stop what else calls for it"
            )

    def _lookup(self, graph: Graph) -> Iterator[Finding]:
        """Try the read that settles a post in doubt."""
        try:
            graph.read(f"{self.settings.page_id}/feed", fields="id", limit="1")
        except ChannelError as err:
            yield self._bad(f"the Page's posts cannot be read, so a post in doubt stays so: {err.text}", err.hint)

    def _token(self, app: Callable[[], Graph] | None) -> Iterator[Finding]:
        if app is None:
            yield self._warning(
                "what the token may do, and until when, cannot be read",
                "set app_id and app_secret; they are shown under developers.facebook.com/apps",
            )
            return
        facts = _debugged(app(), self.settings.page_access_token.reveal())
        if facts.get("is_valid") is not True or facts.get("type") != "PAGE":
            yield self._bad("the token is not a valid token of a Page", _AUTH)
            return
        yield from self._ends(facts, "expires_at", "the token expires")
        yield from self._ends(facts, "data_access_expires_at", "the token's access to data ends")
        yield from self._scopes(facts)

    def _ends(self, facts: Mapping[str, Any], key: str, what: str) -> Iterator[Finding]:
        """Judge a time at which something ends; 0 is never."""
        stamp = facts.get(key)
        if not isinstance(stamp, int) or stamp <= 0:
            return
        at = datetime.fromtimestamp(stamp, UTC)
        text = f"{what} on {at:%Y-%m-%d %H:%M} UTC"
        if at <= self.now:
            yield self._bad(text, _AUTH)
        elif at <= self.now + _SOON:
            yield self._warning(text, _AUTH)

    def _scopes(self, facts: Mapping[str, Any]) -> Iterator[Finding]:
        granted = {scope for scope in facts.get("scopes") or () if _covers(facts, scope, self.settings.page_id)}
        if missing := [scope for scope in _TO_POST if scope not in granted]:
            yield self._bad(f"the token may not post: {', '.join(missing)} not granted", _AUTH)
        swept = self.settings.comments is not Comments.LEAVE
        if swept and (missing := [scope for scope in _TO_SWEEP if scope not in granted]):
            yield self._warning(f"comments cannot be swept: {', '.join(missing)} not granted", _AUTH)

    def _bad(self, text: str, do: str) -> Finding:
        return Finding(self.channel, Level.BAD, text, do)

    def _warning(self, text: str, do: str) -> Finding:
        return Finding(self.channel, Level.WARNING, text, do)


def _debugged(app: Graph, token: str) -> Mapping[str, Any]:
    """Ask what a token is. It stands in the query here: Meta documents no other way to ask."""
    try:
        data = app.read("debug_token", input_token=token).body.get("data")
    finally:
        app.close()
    return data if isinstance(data, dict) else {}


def _covers(facts: Mapping[str, Any], scope: object, page_id: str) -> bool:
    """Say whether a scope holds for this Page: an entry without targets is for all of them."""
    for entry in facts.get("granular_scopes") or ():
        if isinstance(entry, dict) and entry.get("scope") == scope:
            targets = entry.get("target_ids")
            return not targets or page_id in map(str, targets)
    return True
