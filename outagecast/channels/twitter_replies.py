"""Replies that got through on X although the conversation is closed to them.

X lets replies through when it cannot load the setting of a conversation (its published source, July 2023), and it lets
nobody but a person at the website change that setting later. What remains is to look for such replies and to hide them
behind one more click: a search that costs money by the post and goes back seven days, and 50 of them in a quarter of an
hour (X's reference, November 2026). Only what is surely a stranger's is touched: our updates hang there as well.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import msgspec

from outagecast.channel import Act, Refused, Replies, TryLater
from outagecast.channels.twitter_match import is_id, reply_state

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime

    from outagecast.channel import ChannelError, SweepLog
    from outagecast.channels.twitter_api import XApi

_MOST_PAGES = 5
_MOST_HIDES = 50
_QUARTER = timedelta(minutes=15)
_SEARCHED = timedelta(days=7)
READ_AGAIN = timedelta(hours=1)
"""How long a setting that was read back closed is not read again: no call can change it."""
SEARCH_AGAIN = timedelta(minutes=5)


class Conversation(msgspec.Struct, frozen=True):
    """A root of ours with all that hangs below it."""

    root: str
    owner: str
    """Whose it is by X's answer about the root; empty if that did not say."""
    age: timedelta


class Lately(msgspec.Struct):
    """When a channel that goes on looking (`sweep --watch`) did so last, so that it does not pay for every round."""

    read: dict[str, datetime] = msgspec.field(default_factory=dict)
    """By post: when its replies were last read back as closed."""
    authors: dict[str, str] = msgspec.field(default_factory=dict)
    """By post: whose it is, as X says."""
    searched: dict[str, tuple[datetime, Refused | None]] = msgspec.field(default_factory=dict)
    """By conversation: when it was last searched, and what came of it that a person must see to."""

    def note(self, ref: str, found: Mapping[str, Any], now: datetime) -> Replies:
        """Keep what a post that was read back tells; what it says of replies to it."""
        replies, author = reply_state(found), found.get("author_id")
        if isinstance(author, str) and author:
            self.authors[ref] = author
            if replies is Replies.CLOSED:
                self.read[ref] = now
        return replies

    def knows_closed(self, ref: str, now: datetime) -> bool:
        """Whether it need not be read again."""
        return ref in self.read and timedelta(0) <= now - self.read[ref] < READ_AGAIN

    def search(self, root: str, now: datetime) -> bool:
        """Whether it is time to search a conversation again; raises what the last time found still standing."""
        at, trouble = self.searched.get(root, (now, None))
        if root not in self.searched or not timedelta(0) <= now - at < SEARCH_AGAIN:
            return True
        if trouble is not None:
            raise trouble
        return False


def hide_strangers(api: XApi, below: Conversation, named: str | None, log: SweepLog) -> None:
    """Hide what strangers have said in a conversation of ours; nothing of our own, and nothing a second time.

    X need not tell whether a reply is hidden already, so one that a person shows again at the website stays so.
    `named` is who we are by our own account; a conversation of somebody else's is left alone. Where strangers' words
    could not all be looked for, that is told and no failure: the setting was read back all the same. Raises TryLater
    or Refused while any of it is still to be seen.
    """
    if not below.owner:
        log.unsearched("X does not say whose the post is")
        return
    if named not in {None, below.owner}:
        text = f"the post is of user_id {below.owner}, but the keys in the config are of user_id {named}"
        raise Refused(f"{text}: no replies were looked for", mendable=True, hint="outagecast check")
    if below.age > _SEARCHED:
        log.unsearched("X's search reaches back seven days, and the post is older")
    try:
        found = [ref for ref in _strangers(api, below, log) if not log.has(ref)]
    except Refused as err:
        log.unsearched(err.text)
        return
    _hide(api, found, below.root, log)


def _hide(api: XApi, found: Sequence[str], root: str, log: SweepLog) -> None:
    """Hide them, as many as X lets us at once; one that it does not let us hide keeps no other from being tried."""
    refusals: list[Refused] = []
    for number, ref in enumerate(found[:_MOST_HIDES]):
        if log.give_way():
            return
        try:
            if api.hide(ref):
                log.done(Act.HIDDEN, ref)
        except TryLater as err:
            raise _standing(err, len(found) - number + len(refusals), root) from err
        except Refused as err:
            refusals.append(err)
    left = len(found[_MOST_HIDES:]) + len(refusals)
    if refusals:
        raise _standing(refusals[0], left, root) from refusals[0]
    if left:
        text = f"X lets us hide {_MOST_HIDES} in a quarter of an hour"
        raise _standing(TryLater(text, after=_QUARTER, limited=True, hint="outagecast sweep"), left, root)


def _standing(err: TryLater | Refused, number: int, root: str) -> ChannelError:
    """The same answer, with what it leaves standing."""
    # Each in its own words: what is said of one conversation holds for no other.
    got = f"{number} {'reply' if number == 1 else 'replies'} got through below https://x.com/i/status/{root}"
    text = f"{got} and cannot be hidden"
    if isinstance(err, TryLater):
        return TryLater(f"{text} yet: {err.text}", after=err.after, limited=err.limited, hint=err.hint)
    return Refused(f"{text}: {err.text}", mendable=True, hint="hide there what others have said")


def _strangers(api: XApi, below: Conversation, log: SweepLog) -> Sequence[str]:
    """The ids of what others have said in a conversation, newest first."""
    found: dict[str, None] = {}
    for post in _said(api, below.root, log):
        author, ref = (str(post.get(name) or "") for name in ("author_id", "id"))
        if below.owner == author or below.root == ref:
            continue
        if unclear := _unclear(author, ref, str(post.get("conversation_id") or ""), below.root):
            log.unsearched(unclear)
        else:
            found[ref] = None
    return list(found)


def _unclear(author: str, ref: str, conversation: str, root: str) -> str:
    """Why a post that the search gives may not be touched; fields are dropped without a word now and then."""
    if not is_id(author):
        return "X does not say who wrote the replies"  # it may be a post of our own
    if not is_id(ref):
        return "X gives replies without a readable id"
    if conversation != root:
        return "X gives posts that are not known to belong to the conversation"
    return ""


def _said(api: XApi, root: str, log: SweepLog) -> Iterator[Mapping[str, Any]]:
    page: str | None = None
    for _ in range(_MOST_PAGES):
        body = api.conversation(root, page)
        yield from _listed(body, log)
        page = body["meta"].get("next_token")
        if not page or log.give_way():
            return
    log.unsearched(f"only the newest {_MOST_PAGES * 100} posts of the conversation were looked through")


def _listed(body: Mapping[str, Any], log: SweepLog) -> Sequence[Mapping[str, Any]]:
    """The posts of a page; TryLater where it is none: without its count an answer of 200 proves nothing."""
    meta, data = body.get("meta"), body.get("data", [])
    count = meta.get("result_count") if isinstance(meta, dict) else None
    if type(count) is not int or count < 0 or not isinstance(data, list):
        raise TryLater("X's list of the replies cannot be read", hint="outagecast sweep")
    posts = [post for post in data if isinstance(post, dict)]
    if len(posts) < max(count, len(data)) or body.get("errors"):
        log.unsearched("X does not show all the replies that it counts")
    return posts
