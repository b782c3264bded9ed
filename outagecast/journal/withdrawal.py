"""Taking back: what is to go is written down first, in one transaction with the correction for those who have it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from outagecast.journal import planning
from outagecast.journal.planning import MAY_BE_OUT
from outagecast.journal.rows import stamp
from outagecast.journal.upkeep import Upkeep
from outagecast.model import IncidentState, Kind

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence

    from outagecast.journal.rows import ChannelPlan
    from outagecast.model import Announcement

_CHOSEN = (
    "SELECT id FROM wording WHERE withdrawn_at IS NULL AND announcement IN (SELECT value FROM json_each(?)) "
    "AND channel IN (SELECT value FROM json_each(?))"
)
_STANDING = (
    "SELECT a.kind, a.at, a.eta, a.title FROM announcement a WHERE a.incident = ? AND a.kind <> 'correction' "
    "AND EXISTS (SELECT 1 FROM wording WHERE announcement = a.id AND withdrawn_at IS NULL) ORDER BY a.seq DESC LIMIT 1"
)


class Withdrawals(Upkeep):
    """What can be taken back, and the one way to do it."""

    def to_withdraw(self, announcements: Sequence[int], channels: Sequence[str]) -> dict[str, bool]:
        """The channels on which any of these has not been taken back yet, and whether it can be deleted there."""
        with self.reading() as db:
            rows = db.execute(
                f"SELECT channel, min(deletable) AS deletable FROM wording WHERE id IN ({_CHOSEN}) "  # noqa: S608  ours
                "GROUP BY channel ORDER BY min(id)",
                _which(announcements, channels),
            ).fetchall()
        return {row["channel"]: bool(row["deletable"]) for row in rows}

    def reached(self, announcements: Sequence[int], channel: str) -> list[int]:
        """Which of these are out on a channel, or may be, and have not been taken back: what there is to correct."""
        with self.reading() as db:
            rows = db.execute(
                f"SELECT DISTINCT announcement FROM wording WHERE id IN ({_CHOSEN}) AND EXISTS (SELECT 1 FROM post "  # noqa: S608
                f"p WHERE p.wording = wording.id AND {MAY_BE_OUT}) ORDER BY announcement",
                _which(announcements, [channel]),
            ).fetchall()
        return [row["announcement"] for row in rows]

    def withdraw(
        self,
        announcements: Sequence[int],
        channels: Sequence[str],
        *,
        deletable: Sequence[str],
        correction: tuple[Announcement, Sequence[ChannelPlan]] | None,
        corrects: Sequence[int] = (),
    ) -> int | None:
        """Take these back on `channels`: delete what is out on those `deletable`; the correction is for the others.

        It goes to whoever has, or may have, a letter of the announcements that it `corrects`.

        What is planned is dropped when the next run begins, and what is in doubt is looked up first. The incident
        becomes what is left of it: resolved when nothing is, open again when its resolution was taken back. Gives the
        id of the correction, if there is one.
        """
        with self.writing() as db:
            self._take_back(db, _which(announcements, channels), _which(announcements, deletable))
            self._left(db, _which(announcements, channels))
            made = planning.announce(db, *correction, corrects=corrects) if correction else None
            for row in db.execute(
                "SELECT DISTINCT incident FROM announcement WHERE id IN (SELECT value FROM json_each(?))",
                (json.dumps(list(announcements)),),
            ).fetchall():
                self._judge(db, row["incident"])
        return made

    def _take_back(self, db: sqlite3.Connection, which: tuple[str, str], deletable: tuple[str, str]) -> None:
        """Mark everything that is to go; what was never published is settled with that."""
        now = stamp(self.now())
        db.execute(
            "INSERT INTO attempt (post, at, event) SELECT id, ?, 'withdrawn' FROM post "  # noqa: S608  our own words
            f"WHERE recipient = '' AND wording IN ({_CHOSEN})",
            (now, *which),
        )
        # Whoever was to take note that it had expired does so with this.
        db.execute(
            f"UPDATE post SET person = 0, hint = NULL WHERE state = 'dropped' AND wording IN ({_CHOSEN})",  # noqa: S608
            which,
        )
        self.to_go(db, f"state = 'sent' AND recipient = '' AND wording IN ({_CHOSEN})", deletable)
        db.execute(f"UPDATE wording SET withdrawn_at = ? WHERE id IN ({_CHOSEN})", (now, *which))  # noqa: S608  ours

    def _left(self, db: sqlite3.Connection, which: tuple[str, str]) -> None:
        """What is left comes into its own again: the first post shows it, and what had been overtaken may go out."""
        for row in db.execute(
            "SELECT DISTINCT a.incident, w.channel FROM wording w JOIN announcement a ON a.id = w.announcement "
            "WHERE w.announcement IN (SELECT value FROM json_each(?)) "
            "AND w.channel IN (SELECT value FROM json_each(?))",
            which,
        ).fetchall():
            self.news_for_first(db, row["incident"], row["channel"])
            overtaken = (
                "state = 'dropped' AND detail LIKE 'superseded by %' AND wording IN (SELECT w.id FROM wording w "
                "JOIN announcement a ON a.id = w.announcement WHERE a.incident = ? AND w.channel = ? "
                "AND w.withdrawn_at IS NULL)"
            )
            mine = (row["incident"], row["channel"])
            db.execute(
                "INSERT INTO attempt (post, at, event, detail) SELECT id, ?, 'planned', "  # noqa: S608  our own words
                f"'what superseded it was taken back' FROM post WHERE recipient = '' AND {overtaken}",
                (stamp(self.now()), *mine),
            )
            # Whatever of it is still overtaken is dropped once more before the next run sends anything.
            db.execute(
                "UPDATE post SET state = 'planned', due = NULL, "  # noqa: S608  our own words
                f"detail = 'what superseded it was taken back' WHERE {overtaken}",
                mine,
            )

    def _judge(self, db: sqlite3.Connection, incident: int) -> None:
        """Bring an incident to the state that the latest of its announcements still standing gives it."""
        last = db.execute(_STANDING, (incident,)).fetchone()
        if last is not None and last["kind"] != Kind.RESOLVED:
            db.execute(
                "UPDATE incident SET state = ?, title = ?, eta = ?, resolved_at = NULL WHERE id = ?",
                (IncidentState.OPEN, last["title"], last["eta"], incident),
            )
            return
        # With nothing left of it, what it was opened as is what it is known by.
        title = last["title"] if last else None
        ended = last["at"] if last else stamp(self.now())
        db.execute(
            "UPDATE incident SET state = ?, title = coalesce(?, opened_as), "
            "resolved_at = coalesce(resolved_at, ?) WHERE id = ?",
            (IncidentState.RESOLVED, title, ended, incident),
        )


def _which(announcements: Sequence[int], channels: Sequence[str]) -> tuple[str, str]:
    return json.dumps(list(announcements)), json.dumps(list(channels))
