"""What follows when a post is out: a look at its replies, other words, or that it is taken back. It stays `sent`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from outagecast.journal.moves import Moves
from outagecast.journal.rows import stamp, when
from outagecast.model import PostState, Replies

if TYPE_CHECKING:
    import sqlite3
    from datetime import datetime

    from outagecast.errors import Refused, TryLater
    from outagecast.journal.rows import Scope

BY_HAND = "'delete it by hand, then: outagecast settle ' || post.id || ' --drop'"
"""SQL for what to do about a post that cannot be taken back from here."""


class Upkeep(Moves):
    """The transitions of a post that is out."""

    def _out(self, db: sqlite3.Connection, post: int) -> None:
        """It is out: the first post of its incident has news to show; and was it taken back meanwhile, it is to go."""
        self._news_for_first(db, post)
        db.execute(
            "UPDATE post SET retract_due = ?, tries = 0, look_due = NULL, amend_due = NULL WHERE id = ? "
            "AND ref IS NOT NULL AND wording IN (SELECT id FROM wording WHERE withdrawn_at IS NOT NULL)",
            (stamp(self.now()), post),
        )

    def _news_for_first(self, db: sqlite3.Connection, post: int) -> None:
        """Where a channel can edit, the first post of the incident is due to say where things stand."""
        db.execute(
            "UPDATE post SET amend_due = ?, tries = 0 WHERE id <> ? AND id = (SELECT p.id FROM post p "
            "JOIN wording w ON w.id = p.wording JOIN announcement a ON a.id = w.announcement "
            "JOIN wording mine ON mine.id = (SELECT wording FROM post WHERE id = ?) "
            "JOIN announcement news ON news.id = mine.announcement "
            "WHERE a.incident = news.incident AND w.channel = mine.channel AND w.edits = 1 AND w.part = 1 "
            "AND w.withdrawn_at IS NULL AND p.state = 'sent' AND p.ref IS NOT NULL ORDER BY w.announcement LIMIT 1)",
            (stamp(self.now()), post, post),
        )

    def retracted(self, post: int) -> None:
        """Sent -> retracted: the platform has taken it back, or it was gone already."""
        columns = {"retract_due": None, "person": 0, "mendable": 0, "tries": 0, "hint": None}
        self._move(
            post,
            [PostState.SENT],
            PostState.RETRACTED,
            PostState.RETRACTED,
            detail="taken back",
            columns=columns,
            then=self._news_for_first,
        )

    def retract_later(self, post: int, why: TryLater, due: datetime) -> None:
        """Sent -> sent: it could not be taken back; again at `due`."""
        columns = {"retract_due": stamp(due), "hint": why.hint or None}
        detail = f"it is to be taken back: {why.text}"
        self._move(post, [PostState.SENT], PostState.SENT, "retract", detail=detail, bump="tries", columns=columns)

    def retract_refused(self, post: int, why: Refused) -> None:
        """Sent -> sent: it cannot be taken back from here, so a person is needed; tried again only where `mendable`."""
        hint = f"{f'{why.hint}; or ' if why.hint else ''}delete it by hand, then: outagecast settle {post} --drop"
        columns = {"retract_due": None, "person": 1, "mendable": int(why.mendable), "hint": hint}
        detail = f"it could not be taken back: {why.text}"
        self._move(post, [PostState.SENT], PostState.SENT, "retract", detail=detail, bump="tries", columns=columns)

    def amended(self, post: int, shown: str) -> None:
        """Sent -> sent: the platform shows it with these words now."""
        columns = {"amend_due": None, "shown": shown, "mendable": 0, "tries": 0, "hint": None}
        self._move(post, [PostState.SENT], PostState.SENT, "amended", columns=columns)

    def amend_later(self, post: int, why: TryLater, due: datetime) -> None:
        """Sent -> sent: it still has old words; again at `due`."""
        columns = {"amend_due": stamp(due), "hint": why.hint or None}
        detail = f"the latest news is to be added to it: {why.text}"
        self._move(post, [PostState.SENT], PostState.SENT, "amend", detail=detail, bump="tries", columns=columns)

    def amend_refused(self, post: int, why: Refused) -> None:
        """Sent -> sent: it keeps its old words; where that is `mendable`, the next run tries once more."""
        columns = {"amend_due": None, "mendable": int(why.mendable), "hint": why.hint or None}
        detail = f"the latest news could not be added to it: {why.text}"
        self._move(post, [PostState.SENT], PostState.SENT, "amend", detail=detail, bump="tries", columns=columns)

    def replies(self, post: int, replies: Replies, *, due: datetime | None, why: str = "", hint: str = "") -> None:
        """Sent -> sent: what a look at its replies gave; `due` is when to look again, None: finished."""
        columns = {"replies": replies, "look_due": stamp(due) if due else None, "hint": hint or None}
        self._move(
            post,
            [PostState.SENT],
            PostState.SENT,
            f"replies {replies}",
            detail=why or None,
            bump="looks",
            columns=columns,
        )

    def rearm(self, scope: Scope, since: datetime) -> datetime | None:
        """Sent -> sent: look at the replies of all that went out after `since` again, now; when the latest did."""
        where, chosen = scope.where()
        mine = f"SELECT w.id FROM wording w WHERE w.letters = 0 AND {where}"  # noqa: S608  our own words
        young = f"state = 'sent' AND ref IS NOT NULL AND sent_at >= ? AND wording IN ({mine})"
        with self.writing() as db:
            db.execute(
                f"UPDATE post SET look_due = ?, looks = 0 WHERE {young}",  # noqa: S608  our own words
                (stamp(self.now()), stamp(since), *chosen),
            )
            row = db.execute(
                f"SELECT max(sent_at) AS latest FROM post WHERE {young}",  # noqa: S608  our own words
                (stamp(since), *chosen),
            ).fetchone()
        return when(row["latest"])

    def stuck(self, post: int) -> bool:
        """Whether it is out and was to be taken back, and only a person can do that."""
        with self.reading() as db:
            row = db.execute("SELECT 1 FROM post WHERE id = ? AND state = 'sent' AND person = 1", (post,)).fetchone()
        return row is not None

    def settled_stuck(self, post: int, to: PostState, why: str) -> None:
        """Sent -> retracted | sent: a person has taken it back (`dropped`), lets it stand, or has it tried again."""
        columns: dict[str, object] = {"person": 0, "mendable": 0, "hint": None}
        if to is PostState.PLANNED:
            columns |= {"retract_due": stamp(self.now()), "tries": 0}
        state = PostState.RETRACTED if to is PostState.DROPPED else PostState.SENT
        gone = self._news_for_first if state is PostState.RETRACTED else None
        self._move(post, [PostState.SENT], state, "settled", detail=why, columns=columns, then=gone)
