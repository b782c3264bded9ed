"""What X's answer to a create means for one post: its receipt, or one of a channel's three answers."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from outagecast.channel import ChannelError, InDoubt, Receipt, Refused, Replies, TryLater
from outagecast.channels.twitter_match import hangs_under, is_id, made_at, posted_at, reply_state, same_text
from outagecast.channels.twitter_picture import MEDIA, left_out, said_of_picture
from outagecast.channels.twitter_table import UNREADABLE, Verdict
from outagecast.channels.twitter_text import ALONE
from outagecast.wire import RESUME, read_object

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from outagecast.channel import Post, Remember
    from outagecast.channels.twitter_answers import Answer

ROOT = "root"
"""The token of a post that X refused as a reply: from then on it is sent as a root of its own."""
_STANDS_ALONE = "X refused it as a reply, so it stands as a post of its own, with its own reply control"
_FRESH = timedelta(minutes=1)
"""X's own servers may not see a parent yet that is younger than this."""


def text_of(post: Post, parent: Receipt | None) -> str:
    """What is said: a post that hangs under nothing names its incident, if it is not the incident's first."""
    return post.text if parent else post.data.get(ALONE, post.text)


def receipt_for(
    ref: str, post: Post, parent: Receipt | None, at: datetime, replies: Replies = Replies.UNVERIFIED
) -> Receipt:
    """Make the receipt of a post made at `at` under `parent`."""
    refused = _STANDS_ALONE if ROOT in post.token and not parent else ""
    return Receipt(
        ref,
        url=f"https://x.com/i/status/{ref}",
        replies=replies,
        note="; ".join(filter(None, (refused, said_of_picture(post)))) or None,
        data={"conversation": conversation(parent) if parent else ref, "at": at.isoformat()},
    )


def conversation(receipt: Receipt) -> str:
    """Give the id of the root that decides about replies to this post."""
    return receipt.data.get("conversation", receipt.ref)


def receipt_from(answer: Answer, post: Post, parent: Receipt | None, now: datetime) -> Receipt:
    """Read the receipt out of an answer of success; InDoubt if it cannot be read, for the post is likely out."""
    data = read_object(answer.response).get("data")
    ref = data.get("id") if isinstance(data, dict) else None
    if not (isinstance(ref, str) and is_id(ref)):
        raise InDoubt(f"{UNREADABLE.text} (HTTP {answer.problem.status})", hint=UNREADABLE.hint)
    # Replies were closed by the request itself; that it worked is not known before it is read back.
    return receipt_for(ref, post, parent, now)


def recognized(found: Mapping[str, Any], post: Post, parent: Receipt | None) -> Receipt | None:
    """Give the receipt if this post of the account, read back, is ours: the same text under the same parent.

    A post that X refused as a reply may stand alone; that it hangs under the parent after all is looked for as well.
    """
    ref, at = str(found.get("id", "")), posted_at(found)
    if not (is_id(ref) and at):
        return None
    for above in (parent, None) if ROOT in post.token else (parent,):
        texts = {post.text} if above else {post.text, text_of(post, None)}
        if hangs_under(found, above.ref if above else None) and any(same_text(text, found) for text in texts):
            return receipt_for(ref, post, above, at, reply_state(found))
    return None


def given_way(answer: Answer, post: Post, parent: Receipt | None, now: datetime) -> Mapping[str, str]:
    """What X's definite refusal leaves to be tried at once, as a token: the words alone, or a root of its own."""
    if answer.verdict is Verdict.INVALID and post.token.get(MEDIA):
        return left_out(answer.said())
    return {ROOT: "1"} if parent and unwelcome(answer, parent, now) else {}


def unwelcome(answer: Answer, parent: Receipt, now: datetime) -> bool:
    """Tell whether X has refused this as a reply, for certain, so that only a root of its own is left."""
    if answer.verdict is Verdict.PARENT_UNSEEN:
        return not _fresh(parent, now)
    return answer.verdict is Verdict.NO_REPLY


def refusal(answer: Answer, post: Post, parent: Receipt | None, now: datetime, remember: Remember) -> ChannelError:
    """Give the channel's answer to a create that was not plainly a success."""
    text, row = answer.said(), answer.row
    match answer.verdict:
        case Verdict.LIMITED:
            return answer.limited(now)
        case Verdict.PARENT_UNSEEN if parent:
            return TryLater(text, after=row.after, hint=row.hint)
        case Verdict.PATIENCE:
            return _patience(answer, post, remember)
        case Verdict.REFUSED | Verdict.INVALID | Verdict.NO_REPLY | Verdict.PARENT_UNSEEN:
            return Refused(text, mendable=row.mendable, hint=row.hint)
        case Verdict.DUPLICATE:
            return InDoubt(text, duplicate=True, hint=row.hint)
    return InDoubt(text, hint=row.hint)


def _patience(answer: Answer, post: Post, remember: Remember) -> ChannelError:
    """Let a refusal that comes and goes be tried again, a few times; the count is kept with the post."""
    key = f"tried-{answer.row.name}"
    tried = int(post.token.get(key, "0"))
    if tried >= answer.row.tries:
        return Refused(answer.said(), mendable=True, hint=answer.row.hint)
    remember({**post.token, key: str(tried + 1)})
    return TryLater(answer.said(), after=answer.row.after, hint=answer.row.hint)


def age(receipt: Receipt, now: datetime) -> timedelta | None:
    """How long ago a post was made, by our clock if we made it, else by X's; None if nothing tells."""
    noted = receipt.data.get("at")
    made = datetime.fromisoformat(noted).astimezone(UTC) if noted else made_at(receipt.ref)
    return now - made if made else None


def unseen(receipt: Receipt, now: datetime) -> ChannelError:
    """Give the channel's answer about a post that X does not show: too early, or it is gone."""
    if _fresh(receipt, now):
        return TryLater("X does not show the post yet", hint=f"it is looked at again: {RESUME}")
    # Each in its own words: what is said of one post holds for no other.
    return Refused(
        f"X does not show {receipt.url or receipt.ref} any more: it is gone",
        hint="look at the account's page on x.com",
    )


def _fresh(receipt: Receipt, now: datetime) -> bool:
    """Tell whether a post was made just now."""
    old = age(receipt, now)
    return old is not None and old < _FRESH
