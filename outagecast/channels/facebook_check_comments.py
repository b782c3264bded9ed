"""Whether this token sees what strangers comment: a list of comments that is empty may be blindness."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Any

from outagecast.channel import ChannelError, Refused, TryLater
from outagecast.channels.facebook_comment_list import Comment, count
from outagecast.channels.facebook_findings import CHECK, NEW_TOKEN, next_step
from outagecast.channels.facebook_token import TO_SWEEP, missing

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from outagecast.channel import Finding
    from outagecast.channels.facebook_findings import Findings
    from outagecast.channels.facebook_graph import Graph
    from outagecast.channels.facebook_posts import Shown

_MOST_POSTS = 4
_ASK = f"ask somebody outside to comment on a post of the Page, then: {CHECK}"
_BLIND = f"{NEW_TOKEN}; it needs {' and '.join(TO_SWEEP)}, and for strangers' comments perhaps Advanced Access"


class Seen(StrEnum):
    """What the comments of a post tell about the token."""

    STRANGER = "stranger"
    """A stranger's comment, with its author: a blind token would not have got that."""
    NAMELESS = "nameless"
    """Comments without their authors."""
    COUNTED = "counted"
    """A count of comments beside an empty list."""
    NOTHING = "nothing"


def sight(
    said: Findings, graph: Graph, posts: Sequence[Shown], page_id: str, known: Mapping[str, Any]
) -> Iterator[Finding]:
    """Look for a stranger's comment with its author under the latest posts, by four calls at the most.

    Where there is none, the right decides: with it, it is good, not a warning, because that is also what lets a
    sweep say `moderated` (see facebook_comments), and a Page on which nobody comments would be warned of for ever.
    """
    if known and missing(known, TO_SWEEP[:1], page_id):
        return  # told as a right that is not granted; an empty list is no news then
    seen = Seen.NOTHING
    for post in posts[:_MOST_POSTS]:
        try:
            seen = _seen(graph, post.ref, page_id)
        except Refused as err:
            yield said.bad(f"comments cannot be read, and so not be swept: {err.text}", next_step(err))
            return
        except ChannelError as err:
            yield said.warning(f"whether comments can be read is not known: {err.text}", next_step(err))
            return
        if seen is not Seen.NOTHING:
            break
    yield _judged(said, seen, granted=bool(known))


def _judged(said: Findings, seen: Seen, *, granted: bool) -> Finding:
    match seen:
        case Seen.STRANGER:
            return said.good("comments of strangers are seen: there is one, with its author")
        case Seen.NAMELESS:
            text = "Facebook lists comments without their authors: strangers' comments may stand unseen"
            return said.bad(text, _BLIND)
        case Seen.COUNTED:
            return said.bad("Facebook counts comments and lists none: strangers' comments stand unseen", _BLIND)
    if granted:
        return said.good("the token may read strangers' comments: the right is granted; there is none to see yet")
    return said.warning("whether comments of strangers are seen is not known: there is none to be seen", _ASK)


def _seen(graph: Graph, post: str, page_id: str) -> Seen:
    """Read the newest comments of one post, replies to comments among them."""
    body = graph.read(
        f"{post}/comments",
        filter="stream",
        order="reverse_chronological",
        summary="true",
        fields="id,from{id}",
        limit="100",
    ).body
    listed = body.get("data")
    if not isinstance(listed, list):
        raise TryLater("Facebook's answer has no list in it", hint=CHECK)
    authors = [Comment.of(entry).author for entry in listed if isinstance(entry, dict)]
    if any(author not in {"", page_id} for author in authors):
        return Seen.STRANGER
    if "" in authors:
        return Seen.NAMELESS
    return Seen.COUNTED if not authors and count(body) else Seen.NOTHING
