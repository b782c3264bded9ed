"""Nothing goes out stale: what is too old, or has been overtaken by newer news, is dropped and never published late."""

from __future__ import annotations

from typing import TYPE_CHECKING

from outagecast.journal.rows import stamp
from outagecast.journal.store import Store

if TYPE_CHECKING:
    from datetime import datetime

    from outagecast.journal.rows import Scope

_ACKNOWLEDGE = "'say what is true now (outagecast post), then: outagecast settle ' || post.id || ' --drop'"
_EXPIRED = "expired: it could not be published in time and is not published late"

# A newer announcement of the same incident, on the same channel, to the same reader.
_NEWER = (
    "FROM wording o JOIN announcement oa ON oa.id = o.announcement "
    "JOIN announcement na ON na.incident = oa.incident AND na.seq > oa.seq "
    "JOIN wording nw ON nw.announcement = na.id AND nw.channel = o.channel "
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
    """The two reasons for which what is planned is dropped without anybody's word."""

    def expire(self, scope: Scope, before: datetime) -> None:
        """Planned -> dropped for what was announced before `before`; a person should know of it."""
        where, chosen = scope.where()
        old = f"SELECT w.id FROM wording w JOIN announcement a ON a.id = w.announcement WHERE a.at < ? AND {where}"  # noqa: S608
        self._drop(f"state = 'planned' AND wording IN ({old})", [stamp(before), *chosen], f"'{_EXPIRED}'", person=True)

    def supersede(self, scope: Scope) -> None:
        """Planned | refused -> dropped where newer news of the incident is there for the same reader.

        A refused one too, where it would be tried again once a person has mended the cause: by then it is old news.
        What is in doubt stays so until it has been looked up.
        """
        where, chosen = scope.where()
        which = (
            "(state = 'planned' OR (state = 'refused' AND mendable = 1)) "
            f"AND wording IN ({_overtaken(where)}) AND EXISTS (SELECT 1 {_NEWER})"
        )
        self._drop(which, chosen, _BY, person=False)

    def _drop(self, which: str, values: list[object], why: str, *, person: bool) -> None:
        """`which` and `why` are SQL of this module's own; each post but letters gets its line of history."""
        hint = _ACKNOWLEDGE if person else "NULL"
        with self.writing() as db:
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
