"""What the journal is asked: what is to do, what was said, what became of it. Reads only."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from outagecast.journal.rows import (
    announcement_of,
    image_of,
    incident_of,
    moment,
    receipt_of,
    said_on,
    stamp,
    task_of,
    when,
)
from outagecast.journal.store import Store

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence
    from datetime import datetime

    from outagecast.journal.rows import AnnouncementRow, Scope, Task
    from outagecast.model import Announcement, Image, Incident, PostState, Receipt

TASK = (
    "SELECT p.*, w.announcement, w.channel, w.part, w.parts, w.text, w.data, w.illustrated, a.incident, a.image, "
    "a.at AS announced_at, (SELECT max(at) FROM attempt WHERE post = p.id) AS last_at "
    "FROM post p JOIN wording w ON w.id = p.wording JOIN announcement a ON a.id = w.announcement "
)
_UNFINISHED = (
    "(p.state IN ('planned', 'sending', 'in-doubt') OR p.look_due IS NOT NULL OR p.retract_due IS NOT NULL "
    "OR p.amend_due IS NOT NULL OR (p.state IN ('refused', 'sent') AND p.mendable = 1))"
)
_ANNOUNCEMENT = (
    "SELECT a.*, CASE WHEN NOT EXISTS (SELECT 1 FROM wording WHERE announcement = a.id AND withdrawn_at IS NULL) "
    "THEN (SELECT max(withdrawn_at) FROM wording WHERE announcement = a.id) END AS withdrawn_at FROM announcement a "
)
"""With when it was taken back, if it was wherever it was planned."""


class Questions(Store):
    """Queries; each is one consistent read."""

    def integrity(self) -> str:
        """What SQLite finds wrong with the file; empty when nothing is."""
        with self.reading() as db:
            rows = db.execute("PRAGMA integrity_check(3)").fetchall()
        found = "; ".join(str(row[0]) for row in rows)
        return "" if found == "ok" else found

    def tasks(self, scope: Scope) -> list[Task]:
        """Unfinished posts that are no letters: oldest announcement first, parts in order.

        The first post of an incident is among them whenever it is to get other words, whatever announcement the run
        is about: it is that one's news which it is to show.
        """
        where, values = scope.where()
        first, its = scope.same_incidents()
        with self.reading() as db:
            rows = db.execute(
                # One without a text was never rendered; once a person has said that it is out, it is out.
                f"{TASK} WHERE w.letters = 0 AND (w.text IS NOT NULL OR p.ref IS NOT NULL) "
                f"AND ({where} OR (p.amend_due IS NOT NULL AND {first})) "
                "AND (p.state NOT IN ('sent', 'retracted', 'dropped') OR p.look_due IS NOT NULL "
                "OR p.retract_due IS NOT NULL OR p.amend_due IS NOT NULL) "
                "ORDER BY w.announcement, w.part",
                [*values, *its],
            ).fetchall()
        return [self._task(row) for row in rows]

    def _task(self, row: sqlite3.Row) -> Task:
        """The task in a row, with its picture where that may still be sent."""
        carries = row["illustrated"] and row["image"] is not None and row["state"] != "sent"
        return task_of(row, self._image(row["image"]) if carries else None)

    def _image(self, image: int) -> Image:
        if image not in self._images:
            with self.reading() as db:
                self._images[image] = image_of(db.execute("SELECT * FROM image WHERE id = ?", (image,)).fetchone())
        return self._images[image]

    def whole(self, row: AnnouncementRow, channel: str) -> Announcement:
        """The announcement as a channel is to say it: in the words it has there, with its picture."""
        news = said_on(row.news, channel)
        return news if row.image is None else replace(news, image=self._image(row.image))

    def letters(self, scope: Scope, state: PostState, most: int, after: int = 0) -> list[Task]:
        """Up to `most` letters in `state` that are due and wait for no person, in order, with ids above `after`."""
        where, values = scope.where()
        with self.reading() as db:
            rows = db.execute(
                f"{TASK} WHERE w.letters = 1 AND p.state = ? AND p.person = 0 AND p.id > ? "
                # An attempt in the future means that the clock was set back: such a wait is over.
                f"AND (p.due IS NULL OR p.due <= ? OR p.attempted_at > ?) AND {where} ORDER BY p.id LIMIT ?",
                (state, after, stamp(self.now()), stamp(self.now()), *values, most),
            ).fetchall()
        return [self._task(row) for row in rows]

    def next_letter(self, scope: Scope) -> datetime | None:
        """When the earliest planned letter is due (now, if it has no time of its own); None when none is planned."""
        where, values = scope.where()
        with self.reading() as db:
            row = db.execute(
                "SELECT min(CASE WHEN p.attempted_at > ? THEN '' ELSE coalesce(p.due, '') END) AS due "  # noqa: S608
                "FROM post p JOIN wording w ON w.id = p.wording "
                f"WHERE w.letters = 1 AND p.state = 'planned' AND p.unwanted = 0 AND {where}",
                (stamp(self.now()), *values),
            ).fetchone()
        if row["due"] is None:
            return None
        return self.now() if row["due"] == "" else max(self.now(), moment(row["due"]))

    def letters_out(self, channel: str, since: datetime, most: int) -> tuple[int, datetime | None]:
        """How many letters went out over a channel after `since`, counted up to `most`; and the oldest of those."""
        with self.reading() as db:
            # Its own words for the index: the planner would rather go through every letter of the channel.
            row = db.execute(
                "SELECT count(*) AS number, min(sent_at) AS oldest FROM (SELECT sent_at FROM post INDEXED BY post_out "
                "WHERE sent_at > ? AND wording IN (SELECT id FROM wording WHERE channel = ?) "
                "ORDER BY sent_at DESC LIMIT ?)",
                (stamp(since), channel, most),
            ).fetchone()
        return row["number"], when(row["oldest"])

    def parent(self, task: Task) -> tuple[int, Receipt] | None:
        """What a post hangs under: the latest post of its incident on its channel that is out and came before it."""
        with self.reading() as db:
            row = db.execute(
                "SELECT p.* FROM post p JOIN wording w ON w.id = p.wording "
                "JOIN announcement a ON a.id = w.announcement "
                "JOIN post me ON me.id = ? JOIN wording mine ON mine.id = me.wording "
                "WHERE a.incident = ? AND w.channel = mine.channel AND p.state = 'sent' AND w.withdrawn_at IS NULL AND "
                "(w.announcement < mine.announcement OR (w.announcement = mine.announcement AND w.part < mine.part)) "
                "ORDER BY w.announcement DESC, w.part DESC LIMIT 1",
                (task.post.id, task.incident),
            ).fetchone()
        receipt = receipt_of(row) if row else None
        return (row["id"], receipt) if receipt else None

    def holds(self, post: int) -> bool:
        """Whether anything hangs under a post that is out, or may be or come out: then it has to stay.

        Of one that a person posted by hand nobody knows what it hangs under.
        """
        with self.reading() as db:
            row = db.execute(
                "SELECT 1 FROM post WHERE parent = ? AND state NOT IN ('retracted', 'dropped', 'refused') "
                "UNION ALL SELECT 1 FROM post mine JOIN wording w ON w.id = mine.wording "
                "JOIN announcement a ON a.id = w.announcement JOIN announcement b ON b.incident = a.incident "
                "JOIN wording v ON v.announcement = b.id AND v.channel = w.channel JOIN post p ON p.wording = v.id "
                "WHERE mine.id = ? AND p.state = 'sent' AND p.attempts = 0 AND "
                "(v.announcement > w.announcement OR (v.announcement = w.announcement AND v.part > w.part)) LIMIT 1",
                (post, post),
            ).fetchone()
        return row is not None

    def amending(self, announcement: int) -> list[sqlite3.Row]:
        """The first posts of an announcement's incident that still have old words: where, why, and what to do.

        Those without an `amend_due` keep them: the platform has refused others.
        """
        with self.reading() as db:
            return db.execute(
                # From the history: a look at its replies puts what it found in the place of the reason.
                "SELECT w.channel, p.amend_due, coalesce(t.detail, 'the latest news is to be added to it') AS why, "
                "iif(t.detail = p.detail, p.hint, NULL) AS hint "
                "FROM announcement me JOIN announcement a ON a.incident = me.incident "
                "JOIN wording w ON w.announcement = a.id AND w.letters = 0 AND w.withdrawn_at IS NULL "
                "JOIN post p ON p.wording = w.id AND p.state = 'sent' "
                "LEFT JOIN attempt t ON t.id = (SELECT max(id) FROM attempt WHERE post = p.id "
                "AND (event = 'amended' OR detail LIKE 'the latest news %')) "
                "WHERE me.id = ? AND (p.amend_due IS NOT NULL OR t.event <> 'amended') ORDER BY p.id",
                (announcement,),
            ).fetchall()

    def latest_after(self, task: Task) -> AnnouncementRow | None:
        """The latest announcement of a post's incident that came after it and is out on its channel."""
        with self.reading() as db:
            row = db.execute(
                f"{_ANNOUNCEMENT} WHERE a.incident = ? AND a.id > ? AND a.id IN (SELECT w.announcement FROM wording w "  # noqa: S608
                "JOIN post p ON p.wording = w.id WHERE w.channel = (SELECT channel FROM wording WHERE id = "
                "(SELECT wording FROM post WHERE id = ?)) AND w.withdrawn_at IS NULL AND p.state = 'sent') "
                "ORDER BY a.seq DESC LIMIT 1",
                (task.incident, task.announcement, task.post.id),
            ).fetchone()
            return announcement_of(row, _incident(db, row["incident"])) if row else None

    def receipt(self, post: int) -> Receipt | None:
        """The receipt of a post, if it has one."""
        with self.reading() as db:
            row = db.execute("SELECT * FROM post WHERE id = ?", (post,)).fetchone()
        return receipt_of(row) if row else None

    def post_row(self, post: int) -> sqlite3.Row | None:
        """A post with its wording and announcement, as the report and `settle` need it."""
        with self.reading() as db:
            row: sqlite3.Row | None = db.execute(
                "SELECT p.*, w.channel, w.type, w.letters, w.announcement, w.text, a.incident FROM post p "
                "JOIN wording w ON w.id = p.wording JOIN announcement a ON a.id = w.announcement WHERE p.id = ?",
                (post,),
            ).fetchone()
        return row

    def unrendered(self, scope: Scope) -> list[tuple[AnnouncementRow, str]]:
        """Announcements, and the channels on which they could not be rendered when they were planned."""
        where, values = scope.where()
        with self.reading() as db:
            rows = db.execute(
                "SELECT a.*, NULL AS withdrawn_at, w.channel FROM wording w "  # noqa: S608  our own words
                "JOIN announcement a ON a.id = w.announcement JOIN post p ON p.wording = w.id "
                f"WHERE w.text IS NULL AND w.withdrawn_at IS NULL AND p.state = 'refused' AND {where} ORDER BY a.id",
                values,
            ).fetchall()
            return [(announcement_of(row, _incident(db, row["incident"])), row["channel"]) for row in rows]

    def busy_channels(self, scope: Scope) -> list[str]:
        """The channels that have anything unfinished in `scope`, or a first post of its incidents with old words."""
        where, values = scope.where()
        first, its = scope.same_incidents()
        with self.reading() as db:
            rows = db.execute(
                # Two questions: as one it would be a look at every letter there ever was.
                "SELECT channel FROM (SELECT w.channel, w.id FROM wording w "  # noqa: S608  our own words
                f"JOIN post p ON p.wording = w.id WHERE {_UNFINISHED} AND {where} UNION "
                "SELECT w.channel, w.id FROM post p JOIN wording w ON w.id = p.wording "
                f"JOIN announcement a ON a.id = w.announcement WHERE p.amend_due IS NOT NULL AND {first}) "
                "GROUP BY channel ORDER BY min(id)",
                [*values, *its],
            ).fetchall()
        return [row["channel"] for row in rows]

    def in_doubt_before(self, announcement: int) -> list[int]:
        """Earlier announcements of the same incident of which something is in doubt: that is looked up first."""
        with self.reading() as db:
            rows = db.execute(
                "SELECT DISTINCT w.announcement FROM announcement me JOIN announcement a ON a.incident = me.incident "
                "AND a.seq < me.seq JOIN wording w ON w.announcement = a.id JOIN post p ON p.wording = w.id "
                "WHERE me.id = ? AND p.state = 'in-doubt' ORDER BY w.announcement",
                (announcement,),
            ).fetchall()
        return [row["announcement"] for row in rows]

    def waiting(self, scope: Scope) -> bool:
        """Whether anything in `scope` may still go out, or be looked up, by itself."""
        where, values = scope.where()
        with self.reading() as db:
            row = db.execute(
                "SELECT 1 FROM wording w JOIN post p ON p.wording = w.id "  # noqa: S608  our own words
                "WHERE (p.state = 'planned' OR (p.state = 'in-doubt' AND p.person = 0) OR p.retract_due IS NOT NULL "
                f"OR p.amend_due IS NOT NULL) AND {where} LIMIT 1",
                values,
            ).fetchone()
        return row is not None

    def unfinished(self, scope: Scope) -> list[int]:
        """The announcements with anything unfinished in `scope`, oldest first."""
        where, values = scope.where()
        with self.reading() as db:
            rows = db.execute(
                "SELECT DISTINCT w.announcement FROM wording w JOIN post p ON p.wording = w.id "  # noqa: S608
                f"WHERE {_UNFINISHED} AND {where} ORDER BY w.announcement",
                values,
            ).fetchall()
        return [row["announcement"] for row in rows]

    def incident(self, key: str) -> Incident | None:
        """The incident of that key."""
        with self.reading() as db:
            row = db.execute("SELECT * FROM incident WHERE key = ?", (key,)).fetchone()
        return incident_of(row) if row else None

    def incidents(self) -> list[Incident]:
        """All incidents, newest first."""
        with self.reading() as db:
            rows = db.execute("SELECT * FROM incident ORDER BY opened_at DESC, id DESC").fetchall()
        return [incident_of(row) for row in rows]

    def announcements(self, key: str) -> list[AnnouncementRow]:
        """What was announced of an incident, in order."""
        with self.reading() as db:
            rows = db.execute(
                f"{_ANNOUNCEMENT} JOIN incident i ON i.id = a.incident WHERE i.key = ? ORDER BY a.seq",
                (key,),
            ).fetchall()
            return [announcement_of(row, _incident(db, row["incident"])) for row in rows]

    def announcement(self, announcement: int) -> AnnouncementRow:
        """The announcement of that id."""
        with self.reading() as db:
            row = db.execute(f"{_ANNOUNCEMENT} WHERE a.id = ?", (announcement,)).fetchone()
            return announcement_of(row, _incident(db, row["incident"]))

    def opened_with(self, typed: str, since: datetime, not_expired: datetime) -> AnnouncementRow | None:
        """The latest first word of an incident that was asked for in exactly these words.

        Said at or after `since`, or of an incident that is open and, since `not_expired`, has something unfinished:
        typing the same again is then meant to finish it, however long the platform let everybody wait.
        """
        with self.reading() as db:
            row = db.execute(
                f"{_ANNOUNCEMENT} JOIN incident i ON i.id = a.incident WHERE a.seq = 0 AND a.typed = ? "  # noqa: S608
                "AND (a.at >= ? OR (a.at >= ? AND i.state = 'open' AND EXISTS (SELECT 1 FROM wording w JOIN post p "
                f"ON p.wording = w.id WHERE w.announcement = a.id AND {_UNFINISHED}))) ORDER BY a.id DESC LIMIT 1",
                (typed, stamp(since), stamp(not_expired)),
            ).fetchone()
            return announcement_of(row, _incident(db, row["incident"])) if row else None

    def planned_for(self, scope: Scope) -> list[tuple[str, str, str]]:
        """For whom unfinished posts in `scope` were planned: channel, type, account."""
        where, values = scope.where()
        with self.reading() as db:
            rows = db.execute(
                "SELECT DISTINCT w.channel, w.type, w.account FROM wording w JOIN post p ON p.wording = w.id "  # noqa: S608
                f"WHERE {_UNFINISHED} AND w.text IS NOT NULL AND {where}",
                values,
            ).fetchall()
        return [(row["channel"], row["type"], row["account"]) for row in rows]

    def said_by(self, announcement: int, type_: str) -> list[tuple[str, str]]:
        """The channels of a type that have an announcement: name and account."""
        with self.reading() as db:
            rows = db.execute(
                "SELECT DISTINCT channel, account FROM wording WHERE announcement = ? AND type = ?",
                (announcement, type_),
            ).fetchall()
        return [(row["channel"], row["account"]) for row in rows]

    def is_unrendered(self, post: int) -> bool:
        """Whether it only stands in the place of a channel that could not be used when it was planned."""
        with self.reading() as db:
            row = db.execute("SELECT w.text FROM post p JOIN wording w ON w.id = p.wording WHERE p.id = ?", (post,))
            return row.fetchone()["text"] is None

    def waiting_for_person(self, channel: str) -> list[int]:
        """A channel's posts that only a person can settle: in doubt with nobody to ask, or refused."""
        with self.reading() as db:
            rows = db.execute(
                "SELECT p.id FROM post p JOIN wording w ON w.id = p.wording WHERE w.channel = ? "
                "AND ((p.state IN ('in-doubt', 'dropped', 'sent') AND p.person = 1) "
                "OR (p.state = 'refused' AND p.address_fault = 0)) "
                "ORDER BY p.id",
                (channel,),
            ).fetchall()
        return [row["id"] for row in rows]

    def incident_keys(self, posts: Sequence[int]) -> set[str]:
        """The keys of the incidents that these posts belong to."""
        with self.reading() as db:
            return {
                db.execute(
                    "SELECT i.key FROM post p JOIN wording w ON w.id = p.wording "
                    "JOIN announcement a ON a.id = w.announcement JOIN incident i ON i.id = a.incident WHERE p.id = ?",
                    (post,),
                ).fetchone()["key"]
                for post in posts
            }

    def channels_of(self, announcement: int) -> list[str]:
        """The channels that an announcement was planned on."""
        with self.reading() as db:
            rows = db.execute(
                "SELECT channel FROM wording WHERE announcement = ? GROUP BY channel ORDER BY min(id)", (announcement,)
            ).fetchall()
        return [row["channel"] for row in rows]

    def texts(self, channel: str, texts: Sequence[str]) -> bool:
        """Whether the account has been given any of these very texts before."""
        with self.reading() as db:
            row = db.execute(
                "SELECT 1 FROM wording WHERE channel = ? AND letters = 0 "  # noqa: S608  only question marks
                f"AND text IN ({','.join('?' * len(texts))}) LIMIT 1",
                (channel, *texts),
            ).fetchone()
        return row is not None


def _incident(db: sqlite3.Connection, incident: int) -> Incident:
    return incident_of(db.execute("SELECT * FROM incident WHERE id = ?", (incident,)).fetchone())
