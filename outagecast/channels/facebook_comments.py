"""The sweep of one post: what takes the place of the switch for comments that a Page does not have.

No field or parameter of the Graph API closes comments on a Page's post (v26.0, all node specs read 2026). A parameter
`comments_enabled` that is told of elsewhere is ignored with a 200: it would look like success with comments open.

What a sweep sees has to be earned by each look, because Facebook gives a token that may not read what visitors write
an empty list instead of an error. MODERATED is said when one of these holds:

* a stranger's comment was listed with its author, which that token would not have got;
* the token is known to have the rights, asked as the app where the config knows it, else as the token itself (Meta
  asks for a developer of the app, which whoever made the token for their own Page is);
* nobody may ask, the list is empty, and nothing contradicts it. That much is allowed, or a config without `app_id`
  could fail every night with nothing wrong. It does not last: with the first comment there is either a stranger seen,
  a comment without its author or a count beside an empty list, and the next look says so.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import msgspec

from outagecast.channel import Act, InDoubt, Refused, Replies, TryLater
from outagecast.channels.facebook_answers import Gone
from outagecast.channels.facebook_posts import pages
from outagecast.channels.facebook_settings import Comments
from outagecast.channels.facebook_token import TO_SWEEP, facts, missing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from outagecast.channels.facebook_answers import Usage
    from outagecast.channels.facebook_graph import Graph
    from outagecast.channels.facebook_settings import FacebookSettings

_FIELDS = "id,from{id},is_hidden,can_hide"
_FULL = 80
"""Percent of the budget of calls. The rest belongs to announcements: a sweep must never use up what a post needs."""
_PAUSE = timedelta(minutes=15)
_MOST_REFUSALS = 3
_RIGHTS = (
    f"get a Page token that has {' and '.join(TO_SWEEP)}: outagecast auth facebook; put it where the config reads it, "
    "then: outagecast sweep"
)


class Comment(msgspec.Struct, frozen=True):
    """One comment, as far as a sweep needs to know it."""

    ref: str
    author: str
    """Empty when Facebook does not tell: the token may not read what visitors write."""
    hidden: bool
    can_hide: bool

    @classmethod
    def of(cls, entry: Mapping[str, Any]) -> Comment:
        """Read one entry of a list of comments."""
        author = entry.get("from")
        return cls(
            str(entry.get("id", "")),
            str(author.get("id", "")) if isinstance(author, dict) else "",
            entry.get("is_hidden") is True,
            entry.get("can_hide") is True,
        )


def sweep(
    graph: Graph,
    app: Callable[[], Graph] | None,
    post: str,
    settings: FacebookSettings,
    done: Callable[[Act, str], None] = lambda _act, _ref: None,
) -> Replies:
    """Hide or delete every stranger's comment of a post; MODERATED when none is left and all could be seen.

    Idempotent; raises TryLater when another pass may see more, Refused when this token never will. `app` opens the
    API as the app itself, if the config knows the app. `done` hears of each comment right after we removed it.
    """
    if settings.comments is Comments.LEAVE:
        return Replies.OPEN
    left: list[Refused] = []
    strangers = 0
    for comment in _comments(graph, post):
        _leave_calls_for_posts(graph)
        strangers += comment.author not in {"", settings.page_id}
        try:
            _see_to(graph, comment, settings.page_id, settings.comments, done)
        except Refused as err:
            left.append(err)
            _give_up(left, at=_MOST_REFUSALS)
    _give_up(left, at=1)
    if not strangers:
        _demand_sight(facts(graph, app, settings.page_access_token.reveal()), settings.page_id)
    return Replies.MODERATED


def _demand_sight(known: Mapping[str, Any], page_id: str) -> None:
    """Refuse to take "no comments" for an answer when the token is known to see none."""
    if known.get("is_valid") is False or known.get("type", "PAGE") != "PAGE":
        raise Refused("the token is not a valid token of a Page and sees no comments", mendable=True, hint=_RIGHTS)
    if known and (lacking := missing(known, TO_SWEEP, page_id)):
        text = f"strangers' comments may stand unseen: {' and '.join(lacking)} not granted to the token"
        raise Refused(text, mendable=True, hint=_RIGHTS)


def _comments(graph: Graph, post: str) -> Iterator[Comment]:
    """List all comments, replies to comments too (filter=stream: the default list leaves those out).

    A token that may not read what visitors write gets an empty list instead of an error. Facebook's own count is no
    measure otherwise, but a count beside an empty list says that there is something this token does not see.
    """
    seen = False
    for page in pages(
        graph, f"{post}/comments", filter="stream", order="chronological", summary="true", fields=_FIELDS
    ):
        for entry in page["data"]:
            seen = True
            yield Comment.of(entry)
        if not seen and _count(page):
            raise Refused(f"Facebook counts {_count(page)} comments and lists none", mendable=True, hint=_RIGHTS)


def _count(page: Mapping[str, Any]) -> int:
    summary = page.get("summary")
    total = summary.get("total_count") if isinstance(summary, dict) else 0
    return total if isinstance(total, int) else 0


def _see_to(graph: Graph, comment: Comment, page_id: str, rule: Comments, done: Callable[[Act, str], None]) -> None:
    """Do with one comment what the rule says; the Page's own are left alone."""
    if comment.author == page_id or (comment.hidden and rule is Comments.HIDE):
        return
    try:
        # Without its author, a comment may be the Page's own unless it can be hidden: never delete such a one.
        if comment.author or (rule is Comments.HIDE and comment.can_hide):
            done(_remove(graph, comment.ref, rule), comment.ref)
    except Gone:
        return
    except InDoubt as err:
        raise TryLater(f"whether a comment still stands is unknown: {err.text}", hint=err.hint) from err
    if not comment.author:
        raise Refused("Facebook lists comments without their authors: it may not list all", mendable=True, hint=_RIGHTS)


def _give_up(left: Sequence[Refused], *, at: int) -> None:
    """Stop with the first reason once so many comments were refused to us: the others will be, too."""
    if len(left) >= at:
        first = left[0]
        raise Refused(f"not all comments are seen to: {first.text}", mendable=True, hint=first.hint) from first


def _remove(graph: Graph, ref: str, rule: Comments) -> Act:
    delete = rule is Comments.DELETE
    answer = graph.delete(ref) if delete else graph.write(ref, is_hidden="true")
    if answer.body.get("success") is not True:
        raise InDoubt("Facebook does not say that it is gone", hint="outagecast sweep")
    return Act.DELETED if delete else Act.HIDDEN


def _leave_calls_for_posts(graph: Graph) -> None:
    if err := spent(graph.usage):
        raise err


def spent(usage: Usage) -> TryLater | None:
    """Say how long to look at nothing, where the Page has used so many of its calls that posts may need the rest."""
    if usage.percent < _FULL:
        return None
    return TryLater(
        f"the Page has used {usage.percent} % of its calls, and the rest is kept for announcements",
        after=usage.regain or _PAUSE,
        limited=True,
        hint="nothing to mend: `outagecast sweep --watch` goes on later",
    )
