"""Nothing goes out stale: what is too old, was overtaken by newer news or taken back is dropped, never published."""

from __future__ import annotations

from typing import TYPE_CHECKING

from outagecast.journal.rows import stamp
from outagecast.journal.store import Store

if TYPE_CHECKING:
    import sqlite3
    from datetime import datetime

    from outagecast.journal.rows import Scope

_ACKNOWLEDGE = "'say what is true now (outagecast update, or post), then: outagecast settle ' || post.id || ' --drop'"
_EXPIRED = "expired: it could not be published in time and is not published late"

_TAKEN_BACK = (
    "CASE WHEN post.doubts > 0 AND post.recipient <> '' THEN 'taken back; it may have arrived' "
    "ELSE 'taken back before it was out' END"
)

# A newer announcement of the same incident, on the same channel, to the same reader. A correction is no news: it is
# about what they have, and says nothing of what they have not.
_NEWER = (
    "FROM wording o JOIN announcement oa ON oa.id = o.announcement "
    "JOIN announcement na ON na.incident = oa.incident AND na.seq > oa.seq "
    "AND 'correction' NOT IN (oa.kind, na.kind) "
    "JOIN wording nw ON nw.announcement = na.id AND nw.channel = o.channel AND nw.withdrawn_at IS NULL "
    "JOIN post np ON np.wording = nw.id AND np.recipient = post.recipient "
    "WHERE o.id = post.wording AND np.state <> 'dropped'"
)
_OVERTAKEN = (
    "w.id IN (SELECT v.id FROM wording v JOIN announcement a ON a.id = v.announcement JOIN announcement b "
    "ON b.incident = a.incident AND b.seq > a.seq JOIN wording n ON n.announcement = b.id AND n.channel = v.channel)"
)
_BY = (
    "'superseded by ' || (SELECT CASE na.kind WHEN 'resolved' THEN 'the resolution' ELSE 'update ' || na.seq END "
    f"{_NEWER} ORDER BY na.seq DESC LIMIT 1)"
)


def _overtaken(where: str) -> str:
    return f"SELECT w.id FROM wording w WHERE {where} AND {_OVERTAKEN}"  # noqa: S608  our own words


class Staleness(Store):
    """The reasons for which what is planned is dropped without anybody's word about this very post."""

    def expire(self, scope: Scope, before: datetime) -> None:
        """Planned -> dropped for what was announced before `before`; a person should know of it."""
        where, chosen = scope.where()
        old = f"SELECT w.id FROM wording w JOIN announcement a ON a.id = w.announcement WHERE a.at < ? AND {where}"  # noqa: S608
        which = f"state = 'planned' AND wording IN ({old})"
        with self.writing() as db:
            self._drop(db, which, [stamp(before), *chosen], f"'{_EXPIRED}'", person=True)

    def supersede(self, scope: Scope) -> None:
        """Planned | refused -> dropped where it was taken back, or newer news is there for the same reader.

        A refused one too, where it would be tried again once a person has mended the cause: by then it is old news.
        What is in doubt stays so until it has been looked up.
        """
        where, chosen = scope.where()
        taken_back = (
            "(state = 'planned' OR (state = 'refused' AND address_fault = 0)) AND wording IN "  # noqa: S608
            f"(SELECT w.id FROM wording w WHERE w.withdrawn_at IS NOT NULL AND {where})"
        )
        overtaken = (
            "(state = 'planned' OR (state = 'refused' AND mendable = 1)) "
            f"AND wording IN ({_overtaken(where)}) AND EXISTS (SELECT 1 {_NEWER})"
        )
        with self.writing() as db:
            self._drop(db, taken_back, chosen, _TAKEN_BACK, person=False)
            self._drop(db, overtaken, chosen, _BY, person=False)

    def _drop(self, db: sqlite3.Connection, which: str, values: list[object], why: str, *, person: bool) -> None:
        """`which` and `why` are SQL of this module's own; each post but letters gets its line of history."""
        hint = _ACKNOWLEDGE if person else "NULL"
        db.execute(
            "INSERT INTO attempt (post, at, event, detail) "  # noqa: S608  our own words
            f"SELECT post.id, ?, 'dropped', {why} FROM post WHERE recipient = '' AND {which}",
            (stamp(self.now()), *values),
        )
        db.execute(
            f"UPDATE post SET state = 'dropped', due = NULL, hint = {hint}, mendable = 0, "  # noqa: S608
            f"person = ?, detail = {why} WHERE {which}",
            (int(person), *values),
        )
