"""Strangers' words below what is out: which posts are swept, and what sweeps have done, as lines of their history."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from outagecast.journal.moves import Moves
from outagecast.journal.questions import TASK
from outagecast.journal.rows import stamp, task_of
from outagecast.model import Act, PostState

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from outagecast.journal.rows import Scope, Task

UNSEARCHED = "unsearched"
"""The event of an account that may not look for strangers' words."""

_YOUNG = (
    "a.incident IN (SELECT id FROM incident WHERE state = 'open' OR resolved_at >= ?) AND w.letters = 0 "
    "AND w.withdrawn_at IS NULL AND p.state = 'sent' AND p.ref IS NOT NULL"
)
"""SQL for what is swept."""
_LOOKED_AT = "(SELECT coalesce(max(at), '') FROM attempt WHERE post = p.id AND event LIKE 'replies %')"
"""SQL for when a post was last looked at, or when that was tried."""


class Acts(msgspec.Struct, frozen=True):
    """How often something was done on a channel, to what ("comment", "reply")."""

    channel: str
    act: Act
    what: str
    times: int

    @property
    def text(self) -> str:
        """Say it: "3 comments hidden on facebook"."""
        many = f"{self.what[:-1]}ies" if self.what.endswith("y") else f"{self.what}s"
        return f"{self.times} {self.what if self.times == 1 else many} {self.act} on {self.channel}"


class Sweepings(Moves):
    """What sweeps ask and write."""

    def young(self, scope: Scope, since: datetime, meant: tuple[str, str] | None = None) -> list[Task]:
        """The posts in `scope` that are swept: what nobody has looked at for longest first, else the newest.

        Those that are out, not taken back, and of an incident that is open or was over at `since` or later.
        With `meant` only those for this type and account.
        """
        where, values = scope.where()
        with self.reading() as db:
            rows = db.execute(
                f"{TASK} WHERE {_YOUNG} AND {where} AND (? IS NULL OR (w.type, w.account) = (?, ?)) "
                f"ORDER BY {_LOOKED_AT}, w.announcement DESC, w.part DESC",
                (stamp(since), *values, meant and meant[0], *(meant or ("", ""))),
            ).fetchall()
        return [task_of(row) for row in rows]

    def young_channels(self, scope: Scope, since: datetime) -> list[str]:
        """The channels that have any of those."""
        return list(dict.fromkeys(channel for channel, _, _ in self.young_for(scope, since)))

    def young_for(self, scope: Scope, since: datetime) -> list[tuple[str, str, str]]:
        """For whom those were planned: channel, type, account."""
        where, values = scope.where()
        with self.reading() as db:
            rows = db.execute(
                "SELECT DISTINCT w.channel, w.type, w.account FROM announcement a "  # noqa: S608
                f"JOIN wording w ON w.announcement = a.id JOIN post p ON p.wording = w.id WHERE {_YOUNG} AND {where}",
                (stamp(since), *values),
            ).fetchall()
        return [(row["channel"], row["type"], row["account"]) for row in rows]

    def unseen(self, post: int) -> bool:
        """Whether the last look below a post that is out, and stands, was in vain: a person may know more."""
        with self.reading() as db:
            row = db.execute(
                "SELECT 1 FROM post p JOIN wording w ON w.id = p.wording WHERE p.id = ? AND p.state = 'sent' "
                "AND p.ref IS NOT NULL AND p.looks > 0 AND w.withdrawn_at IS NULL",
                (post,),
            ).fetchone()
        return row is not None

    def settled_unseen(self, post: int, *, gone: bool, ref: str | None) -> None:
        """Sent -> retracted | sent: a person has looked. It is gone, or there (as `ref`); then it is looked at anew."""
        looked: dict[str, object] = {"ref": ref} if ref else {}
        looked |= {"hint": None, "looks": 0, "look_due": None if gone else stamp(self.now())}
        over: dict[str, object] = (
            {"amend_due": None, "retract_due": None, "mendable": 0, "replies": None} if gone else {}
        )
        state = PostState.RETRACTED if gone else PostState.SENT
        why = "settled by a person: it is gone from the platform" if gone else "settled by a person: it is there"
        self._move(post, [PostState.SENT], state, "settled", detail=why, columns=looked | over)

    def acted(self, post: int, act: Act, what: str) -> bool:
        """A sweep has hidden or deleted `what` (its kind and id) below a post; whether that was not known already.

        It changes nothing that is known of the post itself, and is on the disk when this returns.
        """
        return self._line(post, act, what)

    def has_acted(self, post: int, what: str) -> bool:
        """Whether any sweep has done so."""
        with self.reading() as db:
            row = db.execute(
                "SELECT 1 FROM attempt WHERE post = ? AND event IN ('hidden', 'deleted') AND detail = ?", (post, what)
            ).fetchone()
        return row is not None

    def unsearched(self, post: int, why: str) -> bool:
        """Strangers' words below a post cannot be looked for; said once for each reason."""
        return self._line(post, UNSEARCHED, self.mask(why))

    def _line(self, post: int, event: str, detail: str) -> bool:
        with self.writing() as db:
            known = db.execute(
                "SELECT 1 FROM attempt WHERE post = ? AND event = ? AND detail = ?", (post, event, detail)
            ).fetchone()
            if known is None:
                self.note(post, event, detail)
        return known is None

    def last_line(self) -> int:
        """The number of the latest line of history."""
        with self.reading() as db:
            return int(db.execute("SELECT coalesce(max(id), 0) AS last FROM attempt").fetchone()["last"])

    def acts(self, after: int) -> Sequence[Acts]:
        """What sweeps have done since the line `after`."""
        with self.reading() as db:
            rows = db.execute(
                "SELECT w.channel, t.event, substr(t.detail, 1, instr(t.detail, ' ') - 1) AS what, count(*) AS times "
                "FROM attempt t JOIN post p ON p.id = t.post JOIN wording w ON w.id = p.wording "
                "WHERE t.id > ? AND t.event IN ('hidden', 'deleted') "
                "GROUP BY w.channel, t.event, what ORDER BY min(t.id)",
                (after,),
            ).fetchall()
        return [Acts(row["channel"], Act(row["event"]), row["what"], row["times"]) for row in rows]
