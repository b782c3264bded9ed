"""What `check` can find out about a Page, its token and the Graph API before the night. Reads only."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import msgspec

from outagecast.channel import REHEARSAL, ChannelError, Finding, TryLater
from outagecast.channels.facebook_check_comments import sight
from outagecast.channels.facebook_check_token import about_app, about_rights, about_token, unknown
from outagecast.channels.facebook_findings import CHECK, NEW_TOKEN, Findings, next_step
from outagecast.channels.facebook_posts import SHOWN_FIELDS, Shown
from outagecast.channels.facebook_settings import VERSIONS, Comments, FacebookSettings
from outagecast.channels.facebook_token import facts

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
    from typing import Any

    from outagecast.channels.facebook_graph import Graph

_VERSION_SOON = timedelta(days=90)
_NEARLY_FULL = 80
_LATEST = "10"


class Checkup(msgspec.Struct, frozen=True):
    """The questions to ask about one Page, each answered by findings."""

    channel: str
    settings: FacebookSettings
    now: datetime

    @property
    def said(self) -> Findings:
        """What makes the findings."""
        return Findings(self.channel)

    def findings(self, graph: Graph, app: Callable[[], Graph] | None) -> Iterator[Finding]:
        """Ask everything, by eight calls at the most; `app` opens the API as the app itself."""
        yield from self.version()
        try:
            yield from self._page(graph)
        except ChannelError as err:
            yield self.said.bad(err.text, next_step(err))
            return
        yield from self._usage(graph)
        posts = yield from self._posts(graph)
        known = yield from self._token(graph, app)
        if self.settings.comments is not Comments.LEAVE:
            yield from sight(self.said, graph, posts, self.settings.page_id, known)
        yield self.said.warning(
            "not rehearsed: whether the token's owner may create content on the Page is known only when it is done",
            REHEARSAL,
        )

    def version(self) -> Iterator[Finding]:
        """Say how long the configured version of the API still lives; needs no network."""
        known = {version.name: version.ends for version in VERSIONS}
        wanted, newest = self.settings.api_version, f"set api_version to {VERSIONS[-1].name}, then: {CHECK}"
        if wanted not in known:
            yield self.said.warning(f"Graph API {wanted} is not known here, nor when it ends", newest)
            return
        ends = known[wanted]
        if ends is None:
            yield self.said.good(f"Graph API {wanted} has no end yet")
        elif ends <= self.now.date():
            yield self.said.bad(f"Graph API {wanted} ended on {ends}", newest)
        elif ends <= (self.now + _VERSION_SOON).date():
            yield self.said.warning(f"Graph API {wanted} ends on {ends}", newest)
        else:
            yield self.said.good(f"Graph API {wanted} lives until {ends}")

    def _page(self, graph: Graph) -> Iterator[Finding]:
        """Ask who the token is: for a Page's token "me" is the Page."""
        me = graph.read("me", fields="id,name")
        name = str(me.body.get("name", ""))
        if str(me.body.get("id")) != self.settings.page_id:
            text = f"the token is that of {name or 'somebody else'}, not of the Page {self.settings.page_id}"
            yield self.said.bad(text, NEW_TOKEN)
        else:
            yield self.said.good(f"the token is that of the Page {name}")
        if me.version and me.version != self.settings.api_version:
            text = f"Facebook answers as {me.version}, not as {self.settings.api_version}"
            yield self.said.warning(text, f"set api_version to {me.version}, then: {CHECK}")

    def _usage(self, graph: Graph) -> Iterator[Finding]:
        used = graph.usage
        if not used.percent:  # the headers may be absent
            return
        if used.percent < _NEARLY_FULL:
            yield self.said.good(f"{used.percent} % of the Page's calls are used")
            return
        minutes = f"; Facebook opens again in {used.regain.total_seconds() / 60:.0f} minutes" if used.regain else ""
        text = f"{used.percent} % of the Page's calls are used up: no comments are swept until it is less{minutes}"
        yield self.said.warning(text, f"stop what else calls Facebook for the Page, wait, then: {CHECK}")

    def _posts(self, graph: Graph) -> Generator[Finding, None, Sequence[Shown]]:
        """Try the read that settles a post in doubt; returns the latest live posts."""
        try:
            body = graph.read(f"{self.settings.page_id}/feed", fields=SHOWN_FIELDS, limit=_LATEST).body
            if not isinstance(body.get("data"), list):
                raise TryLater("Facebook's answer has no list in it", hint=CHECK)
        except ChannelError as err:
            text = f"the Page's posts cannot be read, so a post in doubt stays so: {err.text}"
            yield self.said.bad(text, next_step(err))
            return ()
        yield self.said.good("the Page's posts can be read: a post in doubt can be looked up")
        shown = [Shown.of(entry) for entry in body["data"] if isinstance(entry, dict)]
        return [post for post in shown if post.ref and post.live]

    def _token(self, graph: Graph, app: Callable[[], Graph] | None) -> Generator[Finding, None, Mapping[str, Any]]:
        """Judge what Facebook says about the token; returns that, empty where nothing can be known."""
        try:
            known = facts(graph, app, self.settings.page_access_token.reveal())
        except ChannelError as err:
            yield unknown(self.said, err.text, has_app=True)
            return {}
        if not known:
            yield unknown(self.said, "Facebook does not say", has_app=app is not None)
            return known
        yield from about_app(self.said, known, self.settings.app_id or "")
        yield from about_token(self.said, known, self.now)
        yield from about_rights(self.said, known, self.settings)
        return known
