"""Which listed comments are strangers', and what may be done to each: never anything to what may be the Page's own."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import msgspec

from outagecast.channel import Act, Refused
from outagecast.channels.facebook_removal import Target
from outagecast.channels.facebook_settings import Comments
from outagecast.channels.facebook_standing import RIGHTS
from outagecast.channels.facebook_table import IN_A_BROWSER

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from outagecast.channels.facebook_comment_list import Comment

_REF = re.compile(r"[0-9]+(_[0-9]+)?")


class Judgement(msgspec.Struct, frozen=True):
    """What a list of comments means."""

    targets: Sequence[Target]
    stuck: Sequence[Refused]
    """Why nothing can be done about others that may be seen: one reason for each."""
    strangers: bool
    """Whether a stranger's comment was listed with its author."""


def judged(comments: Sequence[Comment], post: str, page_id: str, rule: Comments) -> Judgement:
    """Say what is to be done about the comments of a post."""
    verdicts = list(_verdicts(comments, post, page_id, rule))
    return Judgement(
        [verdict for verdict in verdicts if isinstance(verdict, Target)],
        [verdict for verdict in verdicts if isinstance(verdict, Refused)],
        any(comment.author not in {"", page_id} for comment in comments),
    )


def nameless() -> Refused:
    """The reason to believe nothing of a list whose comments have no authors."""
    return Refused(
        "Facebook lists comments without their authors: it may not list all", mendable=True, blind=True, hint=RIGHTS
    )


def _verdicts(comments: Sequence[Comment], post: str, page_id: str, rule: Comments) -> Iterator[Target | Refused]:
    """Say of each comment that is not as it should be what is to be done, or why nothing can be."""
    kept = _above_own_words(comments, page_id)
    home = f"{_number(post)}_"
    # An id begins with its post's number, and under a picture perhaps with the picture's: another number tells of
    # another post only beside one that is the post's.
    strays = any(comment.ref.startswith(home) for comment in comments)
    for comment in comments:
        at_home = comment.ref.startswith(home)
        act = _act(comment, rule, kept=not at_home or _number(comment.ref) in kept)
        if comment.author == page_id or (comment.hidden and act is not Act.DELETED):
            continue
        if not _REF.fullmatch(comment.ref) or comment.ref in {post, *post.split("_"), page_id}:
            yield _stuck("Facebook lists a comment by an id that is none of a comment")
        elif strays and not at_home and "_" in comment.ref:
            yield _stuck("Facebook lists a comment of another post")
        elif act:
            yield Target(comment.ref, act)
        elif comment.author:
            yield _stuck("Facebook does not let the Page hide it")
        else:
            yield nameless()


def _act(comment: Comment, rule: Comments, *, kept: bool) -> Act | None:
    """Say what may be done to a comment that is not known to be the Page's own; one that is kept is only hidden.

    The Page's own cannot be hidden, so whatever can be is a stranger's, even without its author.
    """
    if rule is Comments.DELETE and comment.author and comment.can_hide and comment.can_remove is not False and not kept:
        return Act.DELETED
    return Act.HIDDEN if comment.can_hide or (comment.author and comment.can_hide is None) else None


def _above_own_words(comments: Sequence[Comment], page_id: str) -> set[str]:
    """Give the numbers of the comments that have words of the Page's, or of nobody known, among their replies.

    Deleting such a one would take those along.
    """
    above = {_number(comment.ref): _number(comment.parent) for comment in comments}
    kept: set[str] = set()
    for comment in comments:
        parent = _number(comment.parent) if comment.author in {"", page_id} else ""
        while parent and parent not in kept:
            kept.add(parent)
            parent = above.get(parent, "")
    return kept


def _number(ref: str) -> str:
    """Give the part of a comment's id that is its own."""
    return ref.rpartition("_")[2]


def _stuck(text: str) -> Refused:
    return Refused(text, mendable=True, hint=IN_A_BROWSER)
