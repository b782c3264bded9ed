"""The endpoints of the simulated Graph API that read and write posts and comments."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from itertools import islice
from typing import TYPE_CHECKING, Any, NoReturn
from urllib.parse import urlencode, urlsplit

from outagecast.sandbox.graph_errors import ERRORS, invalid, unsupported
from outagecast.sandbox.graph_fields import FieldsError, parse, select
from outagecast.sandbox.graph_posts import TokenKind, stamp
from outagecast.sandbox.messages import Answer, RefusalError, json_answer

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from outagecast.sandbox.graph import Call, GraphPlatform
    from outagecast.sandbox.graph_posts import Comment, PagePost

LONGEST = 63_206
MOST = 100
_POST_DEFAULT = "created_time,message"
_COMMENT_DEFAULT = "created_time,from,message"
SUCCESS = json_answer({"success": True})


def refuse(platform: GraphPlatform, name: str) -> NoReturn:
    """Refuse with the recorded answer of that name."""
    raise RefusalError(ERRORS[name].answer(platform.now()))


def need(platform: GraphPlatform, call: Call, *scopes: str, name: str = "permission-denied") -> None:
    """Refuse unless the call is the Page's own and its token has the permissions."""
    if call.token.kind != TokenKind.PAGE or not call.token.scopes.issuperset(scopes):
        refuse(platform, name)


def flag(platform: GraphPlatform, call: Call, name: str, *, default: bool) -> bool:
    """A parameter that is true or false."""
    value = call.given.get(name)
    if value is None:
        return default
    # What the real API makes of Python's "True" is not known; a client had better not send it.
    if value not in {"true", "false", "1", "0"}:
        raise RefusalError(invalid(f"Param {name} must be a boolean").answer(platform.now()))
    return value in {"true", "1"}


def publish(platform: GraphPlatform, call: Call) -> Answer:
    """POST /{page}/feed."""
    published = flag(platform, call, "published", default=True)
    if not published and call.token.kind != TokenKind.PAGE:
        refuse(platform, "not-as-page")
    need(platform, call, "pages_manage_posts", "pages_read_engagement")
    if not published and platform.refuses_drafts:
        refuse(platform, "capability")
    message, link = call.given.get("message", ""), call.given.get("link") or None
    photos = _photos(platform, call)
    _check_content(platform, message, link, photos)
    if _repeats(platform, message, link, photos):
        refuse(platform, "duplicate")
    if (link or photos) and platform.rich_drafts_go_live:
        published = True
    made = platform.page.post(message, call.request.at, published=published, link=link, photos=photos)
    asked = _fields(platform, call, _post(platform, call, made), "Page Post", "")
    return json_answer({"post_supports_client_mutation_id": True, **asked})


def _check_content(platform: GraphPlatform, message: str, link: str | None, photos: Sequence[str]) -> None:
    if not message.strip() and not link and not photos:
        refuse(platform, "empty")
    if len(message) > LONGEST:
        refuse(platform, "too-long")
    if link is None:
        return
    host = urlsplit(link).hostname or ""
    if not host:
        refuse(platform, "bad-url")
    if host == "facebook.com" or host.endswith(".facebook.com"):
        refuse(platform, "own-link")


def _repeats(platform: GraphPlatform, message: str, link: str | None, photos: Sequence[str]) -> bool:
    """Whether it is equal to the last post; whether a draft counts as one is not known, hence a switch."""
    posts = [p for p in platform.page.posts.values() if p.published or platform.duplicate_of_draft]
    last = posts[-1] if posts else None
    return last is not None and (last.message, last.link, last.photos) == (message, link, tuple(photos))


def _photos(platform: GraphPlatform, call: Call) -> list[str]:
    text = call.given.get("attached_media")
    if not text:
        return []
    try:
        refs = [str(item["media_fbid"]) for item in json.loads(text)]
    except (ValueError, TypeError, KeyError) as err:
        raise RefusalError(invalid("Param attached_media must be an array.").answer(platform.now())) from err
    used = {ref for post in platform.page.posts.values() for ref in post.photos}
    for ref in refs:
        if ref not in platform.page.photos or ref in used:
            raise RefusalError(unsupported("post", ref).answer(platform.now()))
    return refs


def feed(platform: GraphPlatform, call: Call) -> Answer:
    """GET /{page}/feed: drafts too, unless a switch hides them."""
    drafts = call.edge == "feed" and not platform.feed_hides_drafts and call.token.kind == TokenKind.PAGE
    _need_reading(platform, call)
    posts = [p for p in platform.page.posts.values() if p.published or drafts]
    seen = [p for p in reversed(posts) if p.at + platform.read_lag <= platform.now()]
    return _page(platform, call, [(p.at, p) for p in seen], "Page Post")


def read(platform: GraphPlatform, call: Call) -> Answer:
    """GET /{post} or /{comment}."""
    post, comment = _find(platform, call, "get")
    _need_reading(platform, call)
    if post:
        return json_answer(_fields(platform, call, _post(platform, call, post), "Page Post", _POST_DEFAULT))
    return json_answer(_fields(platform, call, _comment(call, comment), "Comment", _COMMENT_DEFAULT))


def change(platform: GraphPlatform, call: Call) -> Answer:
    """POST /{post} or /{comment}: publish, edit, pin; hide."""
    post, comment = _find(platform, call, "post")
    if comment:
        return _moderate(platform, call, comment)
    need(platform, call, "pages_manage_posts", "pages_read_engagement")
    changes: dict[str, Any] = {}
    if "message" in call.given:
        _check_content(platform, call.given["message"], None, ())
        changes["message"] = call.given["message"]
    changes["pinned"] = flag(platform, call, "is_pinned", default=post.pinned)
    published = flag(platform, call, "is_published", default=post.published)
    if post.published and not published:
        raise RefusalError(invalid("A published post can not be unpublished.").answer(platform.now()))
    # Published when it goes live: a draft that waited for a day does not show up a day back.
    at = call.request.at if published and not post.published else post.at
    platform.page.change(post, published=published, at=at, **changes)
    return SUCCESS


def _moderate(platform: GraphPlatform, call: Call, comment: Comment) -> Answer:
    need(platform, call, "pages_manage_engagement", "pages_read_engagement")
    if comment.author == platform.page_id:
        refuse(platform, "hide-denied")
    platform.page.hide(comment, hidden=flag(platform, call, "is_hidden", default=comment.hidden))
    return SUCCESS


def delete(platform: GraphPlatform, call: Call) -> Answer:
    """DELETE /{post} or /{comment}; a comment takes its replies along."""
    post, comment = _find(platform, call, "delete")
    need(platform, call, "pages_manage_posts" if post else "pages_manage_engagement", "pages_read_engagement")
    platform.page.delete((post or comment).id)
    return SUCCESS


def comments(platform: GraphPlatform, call: Call) -> Answer:
    """GET /{post}/comments or /{comment}/comments; silently empty for whoever is not the Page."""
    _find(platform, call, "get")
    _need_reading(platform, call)
    stream = call.given.get("filter", "toplevel") == "stream"
    blind = call.token.kind != TokenKind.PAGE or platform.blind
    every = platform.page.comments_of(call.ref, replies=True)
    seen = [] if blind else platform.page.comments_of(call.ref, replies=stream)
    if call.given.get("order") == "reverse_chronological":
        seen.reverse()
    answer = _page(platform, call, [(c.at, c) for c in seen], "Comment")
    if call.given.get("summary") not in {"true", "1"}:
        return answer
    # The count is of all there are, whoever may see them: it disagrees with the list.
    summary = {"order": call.given.get("order", "ranked"), "total_count": len(every), "can_comment": True}
    return json_answer(json.loads(answer.body) | {"summary": summary})


def _need_reading(platform: GraphPlatform, call: Call) -> None:
    if "pages_read_engagement" not in call.token.scopes:
        refuse(platform, "reading-denied")


def _find(platform: GraphPlatform, call: Call, verb: str) -> tuple[Any, Any]:
    """The post or the comment the call is about; drafts are there for the Page only."""
    post, comment = platform.page.posts.get(call.ref), platform.page.comments.get(call.ref)
    if post and not post.published and call.token.kind != TokenKind.PAGE:
        post = None
    if not post and not comment:
        raise RefusalError(unsupported(verb, call.ref).answer(platform.now()))
    return post, comment


def _post(platform: GraphPlatform, call: Call, post: PagePost) -> dict[str, Any]:
    listed = platform.page.comments_of(post.id, replies=False) if call.token.kind == TokenKind.PAGE else []
    total = len(platform.page.comments_of(post.id, replies=True))
    return {
        "id": post.id,
        "message": post.message,
        "created_time": stamp(post.at),
        "updated_time": stamp(post.at),
        "permalink_url": post.permalink,
        "is_published": post.published,
        "is_hidden": False,
        "is_expired": False,
        "is_pinned": post.pinned,
        "status_type": "mobile_status_update",
        "from": {"name": platform.page_name, "id": platform.page_id},
        "attachments": {"data": [{"media_fbid": ref} for ref in post.photos]} if post.photos else None,
        "comments": {
            "data": [{"id": c.id, "message": c.message, "created_time": stamp(c.at)} for c in listed],
            "summary": {"order": "ranked", "total_count": total, "can_comment": True},
        },
    }


def _comment(call: Call, comment: Comment) -> dict[str, Any]:
    own = comment.author == call.page_id
    named = own or "pages_read_user_content" in call.token.scopes
    return {
        "id": comment.id,
        "message": comment.message,
        "from": {"name": comment.author_name, "id": comment.author} if named else None,
        "created_time": stamp(comment.at),
        "is_hidden": comment.hidden,
        "can_hide": not own,
        "can_remove": True,
        "can_comment": comment.parent is None,
        "like_count": 0,
        "comment_count": 0,
        "parent": {"id": comment.parent} if comment.parent else None,
        "permalink_url": f"https://www.facebook.com/{comment.id}",
    }


def _fields(platform: GraphPlatform, call: Call, every: Mapping[str, Any], node: str, default: str) -> dict[str, Any]:
    try:
        return select(every, parse(call.given.get("fields") or default), node)
    except FieldsError as err:
        raise RefusalError(invalid(str(err)).answer(platform.now())) from err


def _page(platform: GraphPlatform, call: Call, items: Sequence[tuple[datetime, Any]], node: str) -> Answer:
    """One page of a list; cursors count from its start."""
    limit = _whole(platform, call, "limit", 25)
    if limit > MOST:
        raise RefusalError(invalid(f"Please reduce the limit: at most {MOST}").answer(platform.now()))
    since, until = _time(platform, call, "since"), _time(platform, call, "until")
    inside = [item for at, item in items if (since is None or at >= since) and (until is None or at <= until)]
    start = _whole(platform, call, "after", -1) + 1
    chosen = list(islice(inside, start, start + limit))
    default = _COMMENT_DEFAULT if node == "Comment" else _POST_DEFAULT
    every = [_comment(call, item) if node == "Comment" else _post(platform, call, item) for item in chosen]
    body: dict[str, Any] = {"data": [_fields(platform, call, one, node, default) for one in every]}
    if chosen:
        last = start + len(chosen) - 1
        body["paging"] = {"cursors": {"before": str(start), "after": str(last)}}
        if last + 1 < len(inside):
            body["paging"]["next"] = _next(call, last)
    return json_answer(body)


def _next(call: Call, after: int) -> str:
    secret = {"access_token", "appsecret_proof"}
    kept = {name: value for name, value in call.given.items() if name not in secret} | {"after": str(after)}
    return f"https://graph.facebook.com{call.request.path}?{urlencode(kept)}"


def _whole(platform: GraphPlatform, call: Call, name: str, default: int) -> int:
    value = call.given.get(name) or str(default)
    if not value.removeprefix("-").isdecimal():
        raise RefusalError(invalid(f"Param {name} is not valid").answer(platform.now()))
    return int(value)


def _time(platform: GraphPlatform, call: Call, name: str) -> datetime | None:
    value = call.given.get(name)
    if not value:
        return None
    try:
        at = datetime.fromtimestamp(int(value), UTC) if value.isdecimal() else datetime.fromisoformat(value)
    except (ValueError, OverflowError) as err:
        raise RefusalError(invalid(f"Param {name} is not a time").answer(platform.now())) from err
    return at if at.tzinfo else at.replace(tzinfo=UTC)
