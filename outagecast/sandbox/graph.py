"""The simulated Graph API of one Facebook Page: drafts, comments nobody can switch off, errors that are none."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from outagecast.sandbox import graph_batch, graph_calls, graph_photos, graph_tokens
from outagecast.sandbox.faults import ErrorBody
from outagecast.sandbox.graph_errors import ERRORS, unsupported, usage
from outagecast.sandbox.graph_posts import Comment, PageContent, PagePost, Token, TokenKind, stamp
from outagecast.sandbox.messages import Answer, RefusalError, Request
from outagecast.sandbox.server import Platform, utc_now

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

__all__ = ["ERRORS", "ErrorBody", "GraphPlatform", "Token", "TokenKind"]

LAST_ENDED = (20, 0)
NEWEST = "v26.0"
_VERSION = re.compile(r"/v(\d+)\.(\d+)(?=/|$)")
EVERYWHERE = frozenset(
    {
        "access_token",
        "appsecret_proof",
        "fields",
        "limit",
        "after",
        "before",
        "since",
        "until",
        "summary",
        "locale",
    }
)


@dataclass(frozen=True, slots=True)
class Call:
    """One request with a good token: the object's id, its edge, and all parameters wherever they stood."""

    request: Request
    token: Token
    ref: str
    edge: str
    given: dict[str, str]
    page_id: str


@dataclass(frozen=True, slots=True)
class Route:
    """One endpoint and the parameters we may send it beside those taken everywhere."""

    pattern: str
    action: Callable[[GraphPlatform, Call], Answer]
    parameters: frozenset[str] = frozenset()


_EXCHANGE = frozenset({"grant_type", "client_id", "client_secret", "fb_exchange_token"})
ROUTES = (
    Route(r"POST ", graph_batch.batch, frozenset({"batch", "include_headers"})),
    Route(r"(?:GET|POST) /oauth/(?P<edge>access_token)", graph_tokens.exchange, _EXCHANGE),
    Route(r"GET /(?P<edge>debug_token)", graph_tokens.debug, frozenset({"input_token"})),
    Route(r"GET /me", graph_tokens.me),
    Route(r"GET /me/(?P<edge>accounts)", graph_tokens.accounts),
    Route(
        r"POST /(?P<ref>PAGE|me)/(?P<edge>feed)",
        graph_calls.publish,
        frozenset({"message", "link", "published", "attached_media"}),
    ),
    Route(r"GET /(?P<ref>PAGE|me)/(?P<edge>feed|published_posts)", graph_calls.feed),
    Route(
        r"POST /(?P<ref>PAGE|me)/(?P<edge>photos)",
        graph_photos.upload,
        frozenset({"url", "source", "published", "alt_text_custom"}),
    ),
    Route(r"(?:GET|POST) /(?P<ref>PAGE|me)/(?P<edge>settings)", graph_tokens.settings, frozenset({"option"})),
    Route(r"GET /(?P<ref>PAGE)", graph_tokens.page),
    Route(r"GET /(?P<ref>\d+_\d+)/(?P<edge>comments)", graph_calls.comments, frozenset({"filter", "order"})),
    Route(r"GET /(?P<ref>\d+_\d+)", graph_calls.read),
    Route(
        r"POST /(?P<ref>\d+_\d+)",
        graph_calls.change,
        frozenset({"message", "is_published", "is_pinned", "is_hidden"}),
    ),
    Route(r"DELETE /(?P<ref>\d+_\d+)", graph_calls.delete),
)


class GraphPlatform(Platform):
    """One Page on loopback. The attributes that are no part of `Platform` are switches; set them at any time."""

    def __init__(self, *, port: int = 0, now: Callable[[], datetime] = utc_now) -> None:
        self.page_id = "1001"
        self.page_name = "Example Hosting"
        self.app_id = "1122334455"
        self.app_secret = "app-secret-for-tests"  # noqa: S105  nobody's
        self.page_token = "page-token-for-tests"  # noqa: S105  nobody's
        self.user_token = "user-token-for-tests"  # noqa: S105  nobody's
        self.system_token = "system-user-token-for-tests"  # noqa: S105  nobody's
        self.page = PageContent(self.page_id)
        self.settings: dict[str, Any] = {"USERS_CAN_POST": True, "PROFANITY_FILTER": "Off"}
        page, user = Token(self.page_token, TokenKind.PAGE), Token(self.user_token, TokenKind.USER)
        system = Token(self.system_token, TokenKind.SYSTEM_USER)
        every = (page, user, system, Token(self.app_token, TokenKind.APP, set()))
        self.tokens = {token.value: token for token in every}
        self.expires: dict[str, int] = {}
        """When a token expires, in Unix time; one that is not named never does."""
        self.feed_hides_drafts = False
        """/feed leaves drafts out; Meta says both (November 2026)."""
        self.rich_drafts_go_live = False
        """Drafts with photos or a link are published at once, as one older report has it."""
        self.refuses_drafts = False
        self.duplicate_of_draft = False
        """A draft counts as the last post when an equal one comes."""
        self.blind = False
        """The list of comments is empty although there are some."""
        self.development_mode = False
        """The app is not live: everything succeeds and the public sees nothing of it."""
        self.require_appsecret_proof = False
        self.portfolio = False
        """A business portfolio owns the Page, so /me/accounts does not list it."""
        self.read_lag = timedelta(0)
        """How long a new post is missing from the lists."""
        self.usage: tuple[int, int] | None = (1, 0)
        """Percent used and minutes closed in the usage headers; None leaves the headers out."""
        self.leaks: list[str] = []
        """Where a token or the app's secret stood in a URL though it need not."""
        self.unknown_parameters: list[str] = []
        """What was sent that no document knows; ignored with 200, as by the real API."""
        super().__init__(port=port, now=now)

    @property
    def app_token(self) -> str:
        """The app's own token."""
        return f"{self.app_id}|{self.app_secret}"

    def targets(self, request: Request) -> Sequence[str]:
        """With the version and without."""
        return [f"{request.method} {request.path}", f"{request.method} {_VERSION.sub('', request.path, count=1)}"]

    def answer(self, request: Request) -> Answer:
        """Do what is asked, and note what stood in a URL that must not."""
        self._note_leaks(request)
        return self.respond(request)

    def respond(self, request: Request) -> Answer:
        """Do what is asked, by a request of its own or by a call of a batch."""
        headers = {"facebook-api-version": self._version(request)}
        try:
            token = self._token(request)
            headers |= self._usage(token)
            answer = self._route(request, token)
        except RefusalError as refusal:
            answer = refusal.answer
        return replace(answer, headers=headers | dict(answer.headers))

    def versioned(self, path: str) -> str:
        """The version that a path begins with, with its slash; empty if there is none."""
        named = _VERSION.match(path)
        return named[0] if named else ""

    def _version(self, request: Request) -> str:
        return self.versioned(request.path).removeprefix("/") or NEWEST

    def _usage(self, token: Token) -> dict[str, str]:
        if self.usage is None:
            return {}
        percent, minutes = self.usage
        if token.kind == TokenKind.PAGE:
            return usage(self.page_id, percent, minutes)
        return {"X-App-Usage": json.dumps({"call_count": percent, "total_time": percent, "total_cputime": percent})}

    def _route(self, request: Request, token: Token) -> Answer:
        named = _VERSION.match(request.path)
        if named and (int(named[1]), int(named[2])) <= LAST_ENDED:
            graph_calls.refuse(self, "version-ended")
        path = _VERSION.sub("", request.path, count=1).rstrip("/")
        for route in ROUTES:
            pattern = route.pattern.replace("PAGE", re.escape(self.page_id))
            if found := re.fullmatch(pattern, f"{request.method} {path}"):
                parts = found.groupdict()
                given = _given(request)
                self._note_unknown(route, request, path, given)
                call = Call(request, token, parts.get("ref") or "", parts.get("edge") or "", given, self.page_id)
                return route.action(self, call)
        raise RefusalError(
            unsupported(request.method.lower(), path.removeprefix("/").partition("/")[0]).answer(self.now())
        )

    def _note_unknown(self, route: Route, request: Request, path: str, given: dict[str, str]) -> None:
        unknown = sorted((given.keys() | request.files.keys()) - route.parameters - EVERYWHERE)
        self.unknown_parameters += [f"{request.method} {path}: {name}" for name in unknown]

    def _token(self, request: Request) -> Token:
        """The token of a request: from the header, the body or the URL."""
        bearer = request.headers.get("Authorization", "")
        value = bearer[7:] if bearer.lower().startswith("bearer ") else _given(request).get("access_token", "")
        if not value and request.path.endswith("/oauth/access_token"):
            value = self.app_token  # the one call that shows the app's id and secret instead
        if not value:
            graph_calls.refuse(self, "token-missing")
        token = self.tokens.get(value)
        trouble = self.trouble(token)
        if token is None or trouble:
            graph_calls.refuse(self, trouble or "token-invalid")
        self._check_proof(request, token)
        return token

    def trouble(self, token: Token | None) -> str | None:
        """The name in ERRORS of what is wrong with a token; None if nothing is."""
        if token is None:
            return "token-invalid"
        expires = self.expires.get(token.value)
        expired = expires is not None and self.now().timestamp() >= expires
        return token.trouble or ("token-463" if expired else None)

    def _note_leaks(self, request: Request) -> None:
        # Each has another place; that of /debug_token's input_token, and of all a batch holds, is the body of a batch.
        secrets = {"access_token", "client_secret", "fb_exchange_token", "input_token", "batch"} & request.query.keys()
        self.leaks += [f"{request.method} {request.path}: {name}" for name in sorted(secrets)]

    def _check_proof(self, request: Request, token: Token) -> None:
        given = _given(request).get("appsecret_proof")
        if given is None and self.require_appsecret_proof and token.kind != TokenKind.APP:
            graph_calls.refuse(self, "proof-missing")
        if given is not None and given != graph_tokens.proof(token.value, self.app_secret):
            graph_calls.refuse(self, "proof-invalid")

    def stranger_comment(self, post_id: str, text: str, parent: str | None = None) -> str:
        """A visitor comments at the website, which nobody can switch off by API; the comment's id."""
        with self.lock:
            post = self.page.posts.get(post_id)
            if post is None or not self._is_public(post):
                raise LookupError(f"no stranger can see {post_id}")
            return self.page.comment(post, ("77", "A. Visitor"), text, self.now(), parent).id

    def page_comment(self, post_id: str, text: str, parent: str | None = None) -> str:
        """Somebody comments as the Page at the website; the comment's id."""
        with self.lock:
            who = (self.page_id, self.page_name)
            return self.page.comment(self.page.posts[post_id], who, text, self.now(), parent).id

    def _is_public(self, post: PagePost) -> bool:
        return post.published and not self.development_mode

    def public(self) -> list[dict[str, Any]]:
        """What a stranger sees: published posts, oldest first, with the comments nobody has hidden."""
        with self.lock:
            return [self._seen(post) for post in self.page.posts.values() if self._is_public(post)]

    def _seen(self, post: PagePost) -> dict[str, Any]:
        shown = [c for c in self.page.comments_of(post.id, replies=True) if not self._is_hidden(c)]
        return {
            "id": post.id,
            "text": post.message,
            "link": post.link,
            "url": post.permalink,
            "pinned": post.pinned,
            "created_at": stamp(post.at),
            "can_comment": True,
            "images": [self.page.photos[ref].alt for ref in post.photos],
            "comments": [
                {"id": c.id, "author": c.author_name, "text": c.message, "parent": c.parent, "created_at": stamp(c.at)}
                for c in shown
            ],
        }

    def _is_hidden(self, comment: Comment) -> bool:
        """A comment goes out of sight with the one it replies to."""
        above = self.page.comments.get(comment.parent or "")
        return comment.hidden or (above is not None and self._is_hidden(above))


def _given(request: Request) -> dict[str, str]:
    """All parameters of a request, from URL, form and JSON body, as the text they would be in a form."""
    body = request.json if request.content_type == "application/json" else None
    from_json = {name: _as_text(value) for name, value in body.items()} if isinstance(body, dict) else {}
    return request.query | request.form | from_json


def _as_text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)
