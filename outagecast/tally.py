"""A channel's posts of one announcement, counted: what that makes of the channel, and whether a person is needed."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

import msgspec

from outagecast.model import MOST_LOOKS, LeastReplies, Outcome, PostState, Replies

if TYPE_CHECKING:
    import sqlite3

_ENOUGH = {
    LeastReplies.VERIFIED: {Replies.CLOSED, Replies.NONE},
    LeastReplies.CLOSED: {Replies.CLOSED, Replies.NONE, Replies.UNVERIFIED},
    LeastReplies.MODERATED: {Replies.CLOSED, Replies.NONE, Replies.UNVERIFIED, Replies.MODERATED},
    LeastReplies.OPEN: set(Replies),
}


class Fate(StrEnum):
    """What became of an announcement on a channel where it was taken back."""

    GONE = "taken back"
    LEAVING = "being taken back"
    STUCK = "could not be taken back"
    """Only a person can do it."""
    CORRECTED = "cannot be taken back; corrected"
    """It stays (a letter does), and whoever has it has been told."""
    CORRECTING = "cannot be taken back; the correction is not out yet"
    STANDING = "still out"
    """A person lets it stand, or nobody could be told."""
    NEVER_OUT = "taken back before it was out"


class Tally(msgspec.Struct):
    """A channel's posts, counted."""

    states: dict[PostState, int] = msgspec.field(default_factory=lambda: dict.fromkeys(PostState, 0))
    refused: int = 0
    """Refused for another reason than the address."""
    person: int = 0
    expired: int = 0
    stuck: int = 0
    """Out, to be taken back, and only a person can do that."""
    leaving: int = 0
    """Out, and to be taken back as soon as the platform lets us."""
    outdated: int = 0
    """Out, and waiting to be given the latest words."""
    replies_wait: bool = False
    replies_bad: bool = False
    withdrawn: bool = False

    @property
    def total(self) -> int:
        """All of them."""
        return sum(self.states.values())

    @property
    def needs_person(self) -> bool:
        """Whether nothing but a person can finish it."""
        # Dead mailboxes are no emergency, unless every single letter of the channel was refused.
        all_refused = self.states[PostState.REFUSED] == self.total > 0
        return bool(
            self.refused or self.person or self.expired or self.stuck or self.replies_bad or all_refused,
        )

    @property
    def waits(self) -> bool:
        """Whether `resume` has something to do."""
        states = self.states
        unfinished = states[PostState.PLANNED] + states[PostState.SENDING] + states[PostState.IN_DOUBT]
        return bool(unfinished or self.leaving or self.outdated or self.replies_wait)

    @property
    def outcome(self) -> Outcome:
        """The one word for it."""
        return mixed(self._outcomes() or {Outcome.SENT}, person=self.needs_person)

    def _outcomes(self) -> set[Outcome]:
        states, found = self.states, set[Outcome]()
        if self.refused or self.expired or states[PostState.REFUSED] == self.total > 0:
            found.add(Outcome.REFUSED)
        if states[PostState.IN_DOUBT] + states[PostState.SENDING]:
            found.add(Outcome.IN_DOUBT)
        if states[PostState.PLANNED] + self.leaving:
            found.add(Outcome.WAITING)
        if self.stuck:
            found.add(Outcome.PARTIAL)
        if states[PostState.SENT] + states[PostState.RETRACTED]:
            found.add(Outcome.SENT)
        elif states[PostState.DROPPED]:
            # Nobody waits for it any more, but out it is not.
            found.add(Outcome.REFUSED)
        return found

    def fate(self, correction: Tally) -> Fate | None:
        """What became of it where it was taken back; `correction` counts the posts of its corrections there."""
        if not self.withdrawn:
            return None
        if self.stuck:
            return Fate.STUCK
        if self.leaving:
            return Fate.LEAVING
        if self.states[PostState.SENT]:
            return _corrected(correction)
        if self.waits or self.refused:
            return Fate.LEAVING
        return Fate.GONE if self.states[PostState.RETRACTED] else Fate.NEVER_OUT


def _corrected(correction: Tally) -> Fate:
    if correction.waits or correction.refused:
        return Fate.CORRECTING
    return Fate.CORRECTED if correction.states[PostState.SENT] else Fate.STANDING


def mixed(found: set[Outcome], *, person: bool) -> Outcome:
    """One word for several: a mix that needs a person is `partial`, else the one that is least finished."""
    if len(found) == 1:
        return next(iter(found))
    if person or Outcome.REFUSED in found:
        return Outcome.PARTIAL
    return next((outcome for outcome in (Outcome.IN_DOUBT, Outcome.WAITING) if outcome in found), Outcome.SENT)


_COUNTED = (
    # Without a ref nobody but the person who settled the post can tell, and they have.
    "SELECT p.state, p.person, p.address_fault, p.replies, p.ref IS NOT NULL AS known, "  # noqa: S608  our own words
    f"p.look_due IS NOT NULL AND p.looks < {MOST_LOOKS} AS looks, "
    "p.retract_due IS NOT NULL AS leaving, p.amend_due IS NOT NULL AS outdated, "
    "w.withdrawn_at IS NOT NULL AS withdrawn, count(*) AS n FROM post p JOIN wording w ON w.id = p.wording WHERE "
)
_ALIKE = " GROUP BY p.state, p.person, p.address_fault, p.replies, known, looks, leaving, outdated, withdrawn"


def tally(db: sqlite3.Connection, announcement: int, channel: str, least: LeastReplies) -> Tally:
    """The posts of an announcement on a channel that accepts replies as `least` says (OPEN: they are no matter)."""
    counted = Tally()
    for row in db.execute(f"{_COUNTED} w.announcement = ? AND w.channel = ? {_ALIKE}", (announcement, channel)):
        _count(counted, row, least)
    return counted


def corrections(db: sqlite3.Connection, announcement: int, channel: str) -> Tally:
    """The posts, on a channel, of whatever corrects an announcement."""
    counted = Tally()
    those = (
        "SELECT c.id FROM announcement a JOIN announcement c ON c.incident = a.incident "
        "WHERE a.id = ? AND a.id IN (SELECT value FROM json_each(c.corrects))"
    )
    for row in db.execute(
        f"{_COUNTED} w.announcement IN ({those}) AND w.channel = ? {_ALIKE}", (announcement, channel)
    ):
        _count(counted, row, LeastReplies.OPEN)
    return counted


def _count(tally: Tally, row: sqlite3.Row, least: LeastReplies) -> None:
    state = PostState(row["state"])
    tally.states[state] += row["n"]
    tally.withdrawn |= bool(row["withdrawn"])
    if state is PostState.REFUSED and not row["address_fault"]:
        tally.refused += row["n"]
    elif state is PostState.IN_DOUBT and row["person"]:
        tally.person += row["n"]
    elif state is PostState.DROPPED and row["person"]:
        tally.expired += row["n"]
    elif state is PostState.SENT:
        _count_sent(tally, row, least)


def _count_sent(tally: Tally, row: sqlite3.Row, least: LeastReplies) -> None:
    tally.stuck += row["n"] if row["person"] else 0
    tally.leaving += row["n"] if row["leaving"] else 0
    tally.outdated += row["n"] if row["outdated"] else 0
    # Whoever has it taken back has no use for a look at its replies.
    if row["known"] and not row["withdrawn"] and Replies(row["replies"]) not in _ENOUGH[least]:
        tally.replies_wait |= bool(row["looks"])
        tally.replies_bad |= not row["looks"]


def shortfall(known: Replies, least: LeastReplies) -> tuple[str, str]:
    """What there is to say, and to do, where replies are less closed than demanded; nothing where they are enough."""
    if known in _ENOUGH[least]:
        return "", ""
    said = (
        "it does not say whether replies are closed, as it was told"
        if known is Replies.UNVERIFIED
        else ("replies are open there")
    )
    do = "outagecast sweep looks again; or take it back: outagecast retract --last; or accept it in the config: "
    return (
        f"the platform was asked, and {said}; `replies: {least}` is demanded",
        f"{do}`replies: {_ACCEPTS.get(known, LeastReplies.OPEN)}`",
    )


_ACCEPTS = {Replies.UNVERIFIED: LeastReplies.CLOSED, Replies.MODERATED: LeastReplies.MODERATED}
