"""A Page's posts as the Graph API shows them, and how one of them is found by its text."""

from __future__ import annotations

import unicodedata
from datetime import datetime
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec.structs import replace

from outagecast.channel import Refused, TryLater

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from outagecast.channels.facebook_graph import Graph

SHOWN_FIELDS = "id,is_published,permalink_url"
_FOUND_FIELDS = f"{SHOWN_FIELDS},message,created_time,from{{id}}"
_LISTS = ("feed", "published_posts")
_A_PAGE = "100"
"""The most that Graph gives in one answer."""
_MOST_PAGES = 50


class Shown(msgspec.Struct, frozen=True):
    """One post as Facebook shows it to the Page's token."""

    ref: str
    live: bool | None
    """None: the answer does not say; that is never taken for a yes."""
    url: str | None = None
    message: str = ""
    created_at: datetime | None = None
    author: str | None = None

    @classmethod
    def of(cls, entry: Mapping[str, Any]) -> Shown:
        """Read one post; what is absent or malformed is unknown, and without an id `ref` is empty."""
        live = entry.get("is_published")
        author = entry.get("from")
        return cls(
            _text(entry.get("id")),
            live if isinstance(live, bool) else None,
            _text(entry.get("permalink_url")) or None,
            _text(entry.get("message")),
            _time(_text(entry.get("created_time"))),
            _text(author.get("id")) or None if isinstance(author, dict) else None,
        )


def search(graph: Graph, page_id: str, text: str, since: datetime) -> Shown | None:
    """Look for the Page's own post of this text made since then: a live one, else a draft, else None.

    /feed is documented both as showing drafts and as not showing them; /published_posts shows live posts only.
    """
    draft = None
    for name in _LISTS:
        for shown in _recent(graph, f"{page_id}/{name}", since):
            # A visitor may put the same text on the Page; only the Page's own post is ours.
            if not _same(shown.message, text) or shown.author not in (None, page_id):
                continue
            if shown.live or (shown.live is None and name == "published_posts"):
                return replace(shown, live=True)
            draft = shown
    return draft


def pages(graph: Graph, path: str, **params: str) -> Iterator[dict[str, Any]]:
    """Read a list page by page, each with its entries under "data"; raises Refused when it does not end.

    Raises TryLater where the list is not whole: nothing may be read into what is missing. Not by the SDK's own loop:
    that one fails on a link without a token in it.
    """
    after: dict[str, str] = {}
    for _ in range(_MOST_PAGES):
        body: dict[str, Any] = graph.read(path, limit=_A_PAGE, **params, **after).body
        found = body.get("data")
        if not isinstance(found, list):  # an empty list is an answer, no list is none
            raise _unreadable("Facebook's answer has no list in it")
        if not all(isinstance(entry, dict) for entry in found):
            raise _unreadable("Facebook's list has entries in it that cannot be read")
        yield body
        paging = body.get("paging")
        if not isinstance(paging, dict) or not paging.get("next"):  # there only if there is a next page
            return
        after = _following(paging, after)
    raise Refused(
        f"the list has more than {_MOST_PAGES * int(_A_PAGE):,} entries, too many to look through",
        mendable=True,
        hint="look at the Page in a browser",
    )


def _following(paging: Mapping[str, Any], before: Mapping[str, str]) -> dict[str, str]:
    """Give the cursor of the next page, of which Facebook says that there is one."""
    cursors = paging.get("cursors")
    after = {"after": _text(cursors.get("after")) if isinstance(cursors, dict) else ""}
    if not after["after"] or after == before:
        raise _unreadable("Facebook's list goes on, and the answer does not say where")
    return after


def _unreadable(text: str) -> TryLater:
    return TryLater(text, hint="type `outagecast resume`: it asks again")


def _recent(graph: Graph, path: str, since: datetime) -> Iterator[Shown]:
    for page in pages(graph, path, fields=_FOUND_FIELDS):
        posts = [Shown.of(entry) for entry in page["data"]]
        recent = [post for post in posts if post.ref and (post.created_at is None or post.created_at >= since)]
        yield from recent
        if posts and not recent:  # the lists run from new to old
            return


def _same(one: str, other: str) -> bool:
    """Compare texts as a reader would: composed alike, and whatever the platform did to spaces and line ends."""
    return _plain(one) == _plain(other)


def _plain(text: str) -> str:
    return " ".join(unicodedata.normalize("NFC", text).split())


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _time(value: str) -> datetime | None:
    try:
        found = datetime.fromisoformat(value)
    except ValueError:
        return None
    return found if found.tzinfo else None
