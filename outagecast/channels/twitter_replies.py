"""Replies that got through on X although the conversation is closed to them.

X lets replies through when it cannot load the setting of a conversation (its published source, July 2023), and it lets
nobody but a person at the website change that setting later. What remains is to look for such replies and to hide them
behind one more click: a search that costs money by the post and goes back seven days, and 50 of them in a quarter of an
hour (X's reference, November 2026).
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import msgspec

from outagecast.channel import Act, Refused, TryLater
from outagecast.channels.twitter_match import is_id

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from datetime import datetime

    from outagecast.channel import ChannelError, SweepLog
    from outagecast.channels.twitter_api import XApi

_MOST_PAGES = 5
_MOST_REFUSALS = 3
READ_AGAIN = timedelta(hours=1)
"""How long a setting that was read back closed is not read again: no call can change it."""
SEARCH_AGAIN = timedelta(minutes=5)


class Lately(msgspec.Struct):
    """When a channel that goes on looking (`sweep --watch`) did so last, so that it does not pay for every round."""

    read: dict[str, datetime] = msgspec.field(default_factory=dict)
    """By post: when its replies were last read back as closed."""
    searched: dict[str, tuple[datetime, Refused | None]] = msgspec.field(default_factory=dict)
    """By conversation: when it was last searched, and what came of it that a person must see to."""

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


def hide_strangers(api: XApi, root: str, own_id: Callable[[], str], log: SweepLog) -> None:
    """Hide what strangers have said in a conversation of ours; nothing of our own, and nothing a second time.

    Where this account may not search, that is told and no failure: the setting was read back all the same. Raises
    TryLater or Refused while any of it is still to be seen.
    """
    try:
        found = [ref for ref in _strangers(api, root, own_id(), log) if not log.has(ref)]
    except Refused as err:
        log.unsearched(err.text)
        return
    refusals: list[Refused] = []
    for number, ref in enumerate(found):
        try:
            if api.hide(ref):
                log.done(Act.HIDDEN, ref)
        except TryLater as err:
            raise _standing(err, len(found) - number + len(refusals), root) from err
        except Refused as err:
            refusals.append(err)
            if len(refusals) == _MOST_REFUSALS:
                raise _standing(err, len(found) - number - 1 + len(refusals), root) from err
    if refusals:
        raise _standing(refusals[0], len(refusals), root) from refusals[0]


def _standing(err: TryLater | Refused, number: int, root: str) -> ChannelError:
    """The same answer, with what it leaves standing."""
    text = f"{number} {'reply' if number == 1 else 'replies'} got through and cannot be hidden"
    if isinstance(err, TryLater):
        return TryLater(f"{text} yet: {err.text}", after=err.after, limited=err.limited, hint=err.hint)
    hint = f"hide what others have said at https://x.com/i/status/{root}"
    return Refused(f"{text}: {err.text}", mendable=True, hint=hint)


def _strangers(api: XApi, root: str, own_id: str, log: SweepLog) -> Sequence[str]:
    """The ids of what others have said in a conversation, newest first."""
    found = []
    for post in _said(api, root, log):
        author, ref = str(post.get("author_id") or ""), str(post.get("id", ""))
        if not author:
            # Fields are dropped without a word now and then; it may be a post of our own.
            log.unsearched("X does not say who wrote the replies")
        elif author != own_id and is_id(ref) and ref != root:
            found.append(ref)
    return found


def _said(api: XApi, root: str, log: SweepLog) -> Iterator[Mapping[str, Any]]:
    page: str | None = None
    for _ in range(_MOST_PAGES):
        body = api.conversation(root, page)
        meta = body.get("meta")
        # Without its count an answer of 200 proves nothing.
        if not isinstance(meta, dict) or not isinstance(meta.get("result_count"), int):
            raise TryLater("X's list of the replies cannot be read", hint="outagecast sweep")
        yield from (post for post in body.get("data") or () if isinstance(post, dict))
        page = meta.get("next_token")
        if not page:
            return
    log.unsearched(f"only the newest {_MOST_PAGES * 100} posts of the conversation were looked through")
