"""The comments of a post as Facebook lists them, and whether the list is whole."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import msgspec

from outagecast.channel import ChannelError
from outagecast.channels.facebook_posts import pages
from outagecast.channels.facebook_standing import spent

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from outagecast.channels.facebook_graph import Graph

_FIELDS = "id,from{id},parent{id},is_hidden,can_hide,can_remove"
_DIGITS = re.compile(r"[0-9]+")


class Comment(msgspec.Struct, frozen=True):
    """One comment, as far as a sweep needs to know it."""

    ref: str
    author: str
    """Empty when Facebook does not tell: the token may not read what visitors write."""
    hidden: bool
    can_hide: bool | None
    """None: Facebook does not tell. It is False for the Page's own."""
    can_remove: bool | None
    parent: str
    """The comment that this one replies to; empty if there is none."""

    @classmethod
    def of(cls, entry: Mapping[str, Any]) -> Comment:
        """Read one entry of a list of comments; what is absent or malformed is unknown."""
        author = _id(entry.get("from"))
        return cls(
            _id(entry),
            author if _DIGITS.fullmatch(author) else "",
            entry.get("is_hidden") is True,
            _flag(entry.get("can_hide")),
            _flag(entry.get("can_remove")),
            _id(entry.get("parent")),
        )


class Listing(msgspec.Struct, frozen=True):
    """What one look at the comments of a post has shown."""

    comments: Sequence[Comment]
    """The newest first."""
    counted: int
    """How many there are by Facebook's own count, which disagrees with the list both ways."""
    cut: ChannelError | None = None
    """Why the list ends before the oldest."""


def listing(graph: Graph, post: str) -> Listing:
    """List all comments before anything is done to one: what is deleted shifts the pages behind it.

    Replies to comments too (filter=stream: the default list leaves those out). The newest come first, so that however
    many old ones there are, a new one is seen. Raises where nothing could be listed.
    """
    found: list[Comment] = []
    counted = 0
    order = {"filter": "stream", "order": "reverse_chronological", "summary": "true", "fields": _FIELDS}
    try:
        for page in pages(graph, f"{post}/comments", **order):
            counted = counted or count(page)
            found += [Comment.of(entry) for entry in page["data"]]
            _leave_calls_for_posts(graph, page)
    except ChannelError as err:
        if not found or getattr(err, "limited", False):
            raise
        return Listing(_once(found), counted, err)
    return Listing(_once(found), counted)


def count(page: Mapping[str, Any]) -> int:
    """Read Facebook's own count of comments; 0 if it does not tell."""
    summary = page.get("summary")
    total = summary.get("total_count") if isinstance(summary, dict) else 0
    if isinstance(total, str) and _DIGITS.fullmatch(total):
        return int(total)
    return total if isinstance(total, int) else 0


def _leave_calls_for_posts(graph: Graph, page: Mapping[str, Any]) -> None:
    paging = page.get("paging")
    if isinstance(paging, dict) and paging.get("next") and (later := spent(graph.usage)):
        raise later


def _once(found: Sequence[Comment]) -> Sequence[Comment]:
    """Leave out what a new comment has pushed from one page to the next; those without an id are all kept."""
    return list({comment.ref or at: comment for at, comment in enumerate(found)}.values())


def _id(node: object) -> str:
    ref = node.get("id") if isinstance(node, dict) else None
    return ref if isinstance(ref, str) else ""


def _flag(value: object) -> bool | None:
    return value if isinstance(value, bool) else None
