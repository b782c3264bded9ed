"""What follows when a post is out: a look at its replies, other words, or that it is taken back. It stays `sent`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from outagecast.journal.moves import Moves
from outagecast.journal.rows import stamp
from outagecast.model import PostState, Replies

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence
    from datetime import datetime

    from outagecast.errors import Refused, TryLater

BY_HAND = "'delete it by hand, then: outagecast settle ' || post.id || ' --drop'"
"""SQL for what to do about a post that cannot be taken back from here."""


class Upkeep(Moves):
    """The transitions of a post that is out."""

    def _out(self, db: sqlite3.Connection, post: int) -> None:
        """It is out: the first post of its incident has news to show; and was it taken back meanwhile, it is to go."""
        row = db.execute(
            "SELECT a.incident, w.channel, w.withdrawn_at, w.deletable, p.ref FROM post p "
            "JOIN wording w ON w.id = p.wording JOIN announcement a ON a.id = w.announcement WHERE p.id = ?",
            (post,),
        ).fetchone()
        if row["withdrawn_at"] is None:
            self.news_for_first(db, row["incident"], row["channel"], but=post)
        elif row["deletable"]:
            self.to_go(db, "id = ?", (post,))

    def to_go(self, db: sqlite3.Connection, which: str, values: Sequence[object]) -> None:
        """Sent -> sent: what `which` selects is to be taken back; without a reference only a person can."""
        db.execute(
            "UPDATE post SET retract_due = ?, tries = 0, mendable = 0, look_due = NULL, amend_due = NULL, "  # noqa: S608
            f"hint = NULL WHERE ref IS NOT NULL AND {which}",
            (stamp(self.now()), *values),
        )
        db.execute(
            "UPDATE post SET person = 1, look_due = NULL, amend_due = NULL, "  # noqa: S608  our own words
            "detail = 'it is out, but nobody has told outagecast under which id', "
            f"hint = {BY_HAND} WHERE ref IS NULL AND {which}",
            values,
        )

    def news_for_first(self, db: sqlite3.Connection, incident: int, channel: str, *, but: int = 0) -> None:
        """Where a channel can edit, the first post of the incident is due to say where things stand."""
        db.execute(
            "UPDATE post SET amend_due = ?, tries = 0 WHERE id <> ? AND id = (SELECT p.id FROM post p "
            "JOIN wording w ON w.id = p.wording JOIN announcement a ON a.id = w.announcement "
            "WHERE a.incident = ? AND w.channel = ? AND w.edits = 1 AND w.part = 1 AND w.withdrawn_at IS NULL "
            "AND p.state = 'sent' AND p.ref IS NOT NULL ORDER BY w.announcement LIMIT 1)",
            (stamp(self.now()), but, incident, channel),
        )

    def retracted(self, post: int) -> None:
        """Sent -> retracted: the platform has taken it back, or it was gone already."""
        columns = {"retract_due": None, "person": 0, "mendable": 0, "tries": 0, "hint": None}
        self._move(
            post, [PostState.SENT], PostState.RETRACTED, PostState.RETRACTED, detail="taken back", columns=columns
        )

    def retract_later(self, post: int, why: TryLater, due: datetime) -> None:
        """Sent -> sent: it could not be taken back; again at `due`."""
        columns = {"retract_due": stamp(due), "hint": why.hint or None}
        detail = f"it is to be taken back: {why.text}"
        self._move(post, [PostState.SENT], PostState.SENT, "retract", detail=detail, bump="tries", columns=columns)

    def retract_refused(self, post: int, why: Refused) -> None:
        """Sent -> sent: it cannot be taken back from here, so a person is needed; tried again only where `mendable`.

        What it hangs under stays too, and waits for the same person.
        """
        hint = f"{f'{why.hint}; or ' if why.hint else ''}delete it by hand, then: outagecast settle {post} --drop"
        columns = {"retract_due": None, "person": 1, "mendable": int(why.mendable), "hint": hint}
        detail = f"it could not be taken back: {why.text}"

        def above(db: sqlite3.Connection, stuck: int) -> None:
            held = "it stays until what hangs under it is gone: without it that would be open to replies"
            db.execute(
                "UPDATE post SET person = 1, mendable = 1, retract_due = NULL, detail = ?, hint = NULL "  # noqa: S608
                f"WHERE retract_due IS NOT NULL AND id IN ({_ABOVE})",
                (held, stuck),
            )

        self._move(
            post, [PostState.SENT], PostState.SENT, "retract", detail=detail, bump="tries", columns=columns, then=above
        )

    def amend_begun(self, post: int, shows: int | None) -> None:
        """Sent -> sent: it is about to get the words of the announcement `shows` (None: its own).

        From here on until an answer is written down nobody knows what it shows. That it may show what has been taken
        back stays known until those words are certainly gone.
        """
        with self.writing() as db:
            db.execute(
                "UPDATE post SET shown = '', shows = CASE WHEN shows IN (SELECT w.announcement FROM wording w "
                "JOIN wording mine ON mine.channel = w.channel WHERE mine.id = post.wording "
                "AND w.withdrawn_at IS NOT NULL) THEN shows ELSE ? END WHERE id = ? AND state = 'sent'",
                (shows, post),
            )

    def amended(self, post: int, shown: str, shows: int | None) -> None:
        """Sent -> sent: the platform shows these words now, those of the announcement `shows` (None: its own)."""
        columns: dict[str, object] = {
            "amend_due": None,
            "shown": shown,
            "shows": shows,
            "person": 0,
            "mendable": 0,
            "tries": 0,
            "hint": None,
        }
        if why := self._failed_look(post):
            columns |= {"detail": why, "hint": "outagecast sweep"}
        self._move(post, [PostState.SENT], PostState.SENT, "amended", columns=columns)

    def amend_later(self, post: int, why: TryLater, due: datetime) -> None:
        """Sent -> sent: it still has old words; again at `due`."""
        columns = {"amend_due": stamp(due), "hint": why.hint or None}
        detail = f"the latest news is to be added to it: {why.text}"
        self._move(post, [PostState.SENT], PostState.SENT, "amend", detail=detail, bump="tries", columns=columns)

    def amend_refused(self, post: int, why: Refused, shown: str | None) -> None:
        """Sent -> sent: it keeps its old words, `shown`; where that is `mendable`, the next run tries once more.

        Where those may be words that were taken back, a person is needed.
        """
        columns = {"amend_due": None, "shown": shown, "mendable": int(why.mendable), "hint": why.hint or None}
        detail = f"the latest news could not be added to it: {why.text}"
        self._move(
            post,
            [PostState.SENT],
            PostState.SENT,
            "amend",
            detail=detail,
            bump="tries",
            columns=columns,
            then=_still_shows_what_was_taken_back,
        )

    def replies(
        self,
        post: int,
        replies: Replies,
        *,
        due: datetime | None,
        why: str = "",
        hint: str = "",
        asked: bool = True,
    ) -> None:
        """Sent -> sent: what a look at its replies gave; `due` is when to look again, None: finished.

        Where nothing was `asked`, because nothing can have changed, there is nothing to tell in its history either.
        """
        columns: dict[str, object] = {"replies": replies, "look_due": stamp(due) if due else None, "hint": hint or None}
        if not why:
            columns["looks"] = 0
        kept = self._waits_for_more(post)
        if kept is not None:
            columns["hint"] = kept["hint"]
        self._move(
            post,
            [PostState.SENT],
            PostState.SENT,
            f"replies {replies}",
            detail=why or (kept["detail"] if kept else None),
            bump="looks" if why else "",
            columns=columns,
            quiet=not asked,
        )

    def _failed_look(self, post: int) -> str | None:
        """Why the latest look at its replies has failed; None where it has not: that stays true with other words."""
        with self.reading() as db:
            row = db.execute(
                "SELECT t.detail FROM attempt t JOIN post p ON p.id = t.post WHERE p.id = ? AND p.looks > 0 "
                "AND t.event LIKE 'replies %' ORDER BY t.id DESC LIMIT 1",
                (post,),
            ).fetchone()
        return row["detail"] if row else None

    def _waits_for_more(self, post: int) -> sqlite3.Row | None:
        """What is said of a post that is to be taken back, or to get other words: no look at replies may wipe that."""
        with self.reading() as db:
            row: sqlite3.Row | None = db.execute(
                "SELECT detail, hint FROM post WHERE id = ? AND (person = 1 OR mendable = 1 "
                "OR retract_due IS NOT NULL OR amend_due IS NOT NULL)",
                (post,),
            ).fetchone()
        return row

    def stuck(self, post: int) -> bool:
        """Whether it is out and was to be taken back, and only a person can do that."""
        with self.reading() as db:
            row = db.execute("SELECT 1 FROM post WHERE id = ? AND state = 'sent' AND person = 1", (post,)).fetchone()
        return row is not None

    def has_ref(self, post: int) -> bool:
        """Whether it is known under which id a post is out."""
        with self.reading() as db:
            return db.execute("SELECT ref FROM post WHERE id = ?", (post,)).fetchone()["ref"] is not None

    def settled_stuck(self, post: int, to: PostState, why: str, ref: str | None = None) -> None:
        """Sent -> retracted | sent: a person has taken it back (`dropped`), lets it stand, or has it tried again.

        With its `ref` it can be tried again as well. What it hangs under follows it: it goes once this has gone, and
        stays where this stays.
        """
        columns: dict[str, object] = {"person": 0, "mendable": 0, "hint": None}
        if ref is not None:
            columns |= {"ref": ref}
        then = {PostState.DROPPED: self._above_goes, PostState.SENT: self._above_stays}.get(to)
        if to is PostState.PLANNED or ref is not None:
            then = self._once_more
        state = PostState.RETRACTED if to is PostState.DROPPED else PostState.SENT
        self._move(post, [PostState.SENT], state, "settled", detail=why, columns=columns, then=then)

    def _once_more(self, db: sqlite3.Connection, post: int) -> None:
        """It is to be taken back, or, where it stands, to get other words."""
        now = stamp(self.now())
        db.execute(
            "UPDATE post SET tries = 0, "
            "retract_due = CASE WHEN (SELECT withdrawn_at FROM wording WHERE id = wording) IS NOT NULL THEN ? END, "
            "amend_due = CASE WHEN (SELECT withdrawn_at FROM wording WHERE id = wording) IS NULL THEN ? END "
            "WHERE id = ?",
            (now, now, post),
        )

    def _above_goes(self, db: sqlite3.Connection, post: int) -> None:
        db.execute(
            "UPDATE post SET retract_due = ?, person = 0, mendable = 0, tries = 0 WHERE state = 'sent' "  # noqa: S608
            f"AND person = 1 AND ref IS NOT NULL AND id IN ({_ABOVE}) "
            "AND wording IN (SELECT id FROM wording WHERE withdrawn_at IS NOT NULL)",
            (stamp(self.now()), post),
        )

    def _above_stays(self, db: sqlite3.Connection, post: int) -> None:
        db.execute(
            "UPDATE post SET retract_due = NULL, person = 0, mendable = 0, hint = NULL, "  # noqa: S608  our own words
            "detail = 'it stays, because what hangs under it was let stand' "
            f"WHERE state = 'sent' AND id IN ({_ABOVE}) "
            "AND wording IN (SELECT id FROM wording WHERE withdrawn_at IS NOT NULL)",
            (post,),
        )


_ABOVE = (
    "WITH RECURSIVE up (id) AS (SELECT parent FROM post WHERE id = ? UNION SELECT p.parent FROM post p "
    "JOIN up ON p.id = up.id) SELECT id FROM up WHERE id IS NOT NULL"
)
"""SQL for all that a post hangs under."""


def _still_shows_what_was_taken_back(db: sqlite3.Connection, post: int) -> None:
    db.execute(
        "UPDATE post SET person = 1, detail = 'it may still show what was taken back: ' || detail, "
        "hint = coalesce(hint || '; or ', '') || 'correct it by hand, then: outagecast settle ' || id || ' --sent' "
        "WHERE id = ? AND shows IN (SELECT w.announcement FROM wording w JOIN wording mine ON mine.channel = w.channel "
        "WHERE mine.id = post.wording AND w.withdrawn_at IS NOT NULL)",
        (post,),
    )
