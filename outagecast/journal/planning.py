"""Writing an announcement down: the incident, the words, and one row a post, all inside the caller's transaction."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, NamedTuple

from outagecast.journal.rows import stamp
from outagecast.journal.subscriptions import audience
from outagecast.model import IncidentState, Kind

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence
    from datetime import datetime

    from outagecast.journal.rows import ChannelPlan
    from outagecast.model import Announcement, Image, Post

MAY_BE_OUT = (
    "(p.state IN ('sent', 'in-doubt') OR (p.doubts > 0 AND p.recipient <> '' AND p.state IN ('planned', 'dropped')))"
)
"""SQL for what a reader has or may have: a letter whose answer was lost may be there although it was to be repeated."""
_LETTER = "INSERT OR IGNORE INTO post (wording, recipient, detail)"


def announce(
    db: sqlite3.Connection, news: Announcement, plans: Sequence[ChannelPlan], corrects: Sequence[int] = ()
) -> int:
    """The announcement's id; its incident is made, or brought to the state that the announcement gives it.

    `corrects` are the announcements that a correction is about: it is written to whoever had a letter of those.
    """
    incident = _incident(db, news)
    row = db.execute(
        "INSERT INTO announcement (incident, seq, kind, status, text, words, at, eta, link, groups, seconds, shorter, "
        "typed, said, corrects, image, title) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            incident,
            news.seq,
            news.kind,
            news.status,
            news.text,
            news.words,
            stamp(news.at),
            stamp(news.eta) if news.eta else None,
            news.link,
            json.dumps(list(news.groups)),
            int(news.seconds),
            json.dumps(list(news.shorter)),
            news.typed or news.text,
            json.dumps({name: list(ways) for name, ways in news.said.items()}),
            json.dumps(list(corrects)),
            _image(db, news.image) if news.image else None,
            news.incident.title,
        ),
    )
    announcement = row.lastrowid
    assert announcement is not None  # noqa: S101  an INSERT that did not raise has a row id
    for plan in plans:
        add_channel(db, announcement, news.groups, plan, news.at)
        _edit_from_now_on(db, incident, plan)
    return announcement


def _edit_from_now_on(db: sqlite3.Connection, incident: int, plan: ChannelPlan) -> None:
    """A first post from before the channel could edit is kept true as well."""
    if plan.edits:
        db.execute(
            "UPDATE wording SET edits = 1 WHERE edits = 0 AND channel = ? AND text IS NOT NULL "
            "AND announcement IN (SELECT id FROM announcement WHERE incident = ?)",
            (plan.name, incident),
        )


def _image(db: sqlite3.Connection, image: Image) -> int:
    row = db.execute(
        "INSERT INTO image (name, type, alt, data) VALUES (?, ?, ?, ?)",
        (image.name, image.type, image.alt, image.data),
    )
    assert row.lastrowid is not None  # noqa: S101  an INSERT that did not raise has a row id
    return row.lastrowid


def _incident(db: sqlite3.Connection, news: Announcement) -> int:
    known = db.execute("SELECT id FROM incident WHERE key = ?", (news.incident.key,)).fetchone()
    if known is None:
        return _new_incident(db, news)
    incident = int(known["id"])
    if news.kind is Kind.CORRECTION:
        # What becomes of the incident is decided by what is left of it.
        return incident
    db.execute("UPDATE incident SET title = ? WHERE id = ?", (news.incident.title, incident))
    if news.eta is not None or news.kind is Kind.UPDATE:
        # News after the ETA has passed, without a new one: then nothing is promised any more, and nothing overdue.
        db.execute("UPDATE incident SET eta = ? WHERE id = ?", (stamp(news.eta) if news.eta else None, incident))
    if news.kind is Kind.RESOLVED:
        db.execute(
            "UPDATE incident SET state = ?, resolved_at = coalesce(resolved_at, ?) WHERE id = ?",
            (IncidentState.RESOLVED, stamp(news.at), incident),
        )
    return incident


def _new_incident(db: sqlite3.Connection, news: Announcement) -> int:
    row = db.execute(
        "INSERT INTO incident (key, title, opened_as, state, opened_at, eta) VALUES (?, ?, ?, ?, ?, ?)",
        (
            news.incident.key,
            news.incident.title,
            news.incident.opened_as or news.incident.title,
            IncidentState.OPEN,
            stamp(news.at),
            stamp(news.eta) if news.eta else None,
        ),
    )
    assert row.lastrowid is not None  # noqa: S101  an INSERT that did not raise has a row id
    return row.lastrowid


class Placeholder(NamedTuple):
    """What stood for a channel that could not be used: its place in the report, and its history."""

    wording: int | None = None
    attempts: Sequence[sqlite3.Row] = ()


def clear_placeholder(db: sqlite3.Connection, announcement: int, channel: str) -> Placeholder:
    """Remove the post of a channel that could not be used when it was planned, if it has one."""
    row = db.execute(
        "SELECT w.id, p.id AS post FROM wording w JOIN post p ON p.wording = w.id "
        # What a person has settled meanwhile stays as they settled it.
        "WHERE w.announcement = ? AND w.channel = ? AND w.text IS NULL AND p.state = 'refused'",
        (announcement, channel),
    ).fetchone()
    if row is None:
        return Placeholder()
    attempts = db.execute("SELECT * FROM attempt WHERE post = ? ORDER BY id", (row["post"],)).fetchall()
    db.execute("DELETE FROM wording WHERE id = ?", (row["id"],))
    return Placeholder(row["id"], attempts)


def add_channel(
    db: sqlite3.Connection,
    announcement: int,
    groups: Sequence[str],
    plan: ChannelPlan,
    now: datetime,
    before: Placeholder = Placeholder(),  # noqa: B008  it is frozen
) -> None:
    """A channel's posts; for a channel that cannot be used yet, one refused post that a later run renders."""
    if plan.error:
        wording = _wording(db, announcement, plan, None, before.wording)
        made = db.execute(
            "INSERT INTO post (wording, state, mendable, detail, hint) VALUES (?, 'refused', 1, ?, ?)",
            (wording, plan.error, plan.hint or None),
        )
        told = [(row["at"], row["event"], row["detail"]) for row in before.attempts]
        if not told or told[-1][2] != plan.error:
            told.append((stamp(now), "refused", plan.error))
        _history(db, made.lastrowid, told)
        return
    for post in plan.posts:
        wording = _wording(db, announcement, plan, post, before.wording if post.part == 1 else None)
        if plan.letters:
            _letters(db, wording, announcement, plan, groups)
        else:
            made = db.execute("INSERT INTO post (wording, detail) VALUES (?, 'not attempted yet')", (wording,))
            told = [(row["at"], row["event"], row["detail"]) for row in before.attempts if post.part == 1]
            _history(db, made.lastrowid, [*told, (stamp(now), "planned", None)])


def _history(db: sqlite3.Connection, post: int | None, told: Sequence[tuple[str, str, str | None]]) -> None:
    db.executemany(
        "INSERT INTO attempt (post, at, event, detail) VALUES (?, ?, ?, ?)", [(post, *each) for each in told]
    )


def _wording(db: sqlite3.Connection, announcement: int, plan: ChannelPlan, post: Post | None, place: int | None) -> int:
    row = db.execute(
        "INSERT INTO wording (id, announcement, channel, type, account, letters, least, part, parts, text, data, "
        "illustrated, edits, deletable) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            place,
            announcement,
            plan.name,
            plan.type,
            plan.account,
            int(plan.letters),
            plan.least,
            post.part if post else 1,
            post.parts if post else 1,
            post.text if post else None,
            json.dumps(dict(post.data) if post else {}),
            int(post is not None and post.image is not None),
            int(plan.edits),
            int(plan.deletable),
        ),
    )
    assert row.lastrowid is not None  # noqa: S101  an INSERT that did not raise has a row id
    return row.lastrowid


def _letters(db: sqlite3.Connection, wording: int, announcement: int, plan: ChannelPlan, groups: Sequence[str]) -> None:
    """One row per recipient, each address once; they come straight out of their table, however many."""
    row = db.execute("SELECT corrects FROM announcement WHERE id = ?", (announcement,)).fetchone()
    if row["corrects"] != "[]":
        _corrections(db, wording, plan, row["corrects"])
        return
    db.executemany(f"{_LETTER} VALUES (?, ?, 'not attempted yet')", [(wording, to) for to in plan.recipients.addresses])
    if plan.recipients.subscribers:
        where, values = audience(groups)
        db.execute(
            f"{_LETTER} SELECT ?, address, 'not attempted yet' FROM subscriber WHERE {where}",  # noqa: S608  ours
            (wording, *values),
        )


def _corrections(db: sqlite3.Connection, wording: int, plan: ChannelPlan, corrects: str) -> None:
    """To whoever has a letter of what is taken back, or may have it, and has not left the list since."""
    db.execute(
        f"{_LETTER} SELECT DISTINCT ?, p.recipient, 'not attempted yet' "  # noqa: S608
        "FROM wording w JOIN post p ON p.wording = w.id "
        "WHERE w.channel = ? AND w.announcement IN (SELECT value FROM json_each(?)) "
        f"AND {MAY_BE_OUT} AND (p.recipient IN (SELECT value FROM json_each(?)) "
        "OR p.recipient IN (SELECT address FROM subscriber WHERE suppressed IS NULL))",
        (wording, plan.name, corrects, json.dumps(list(plan.recipients.addresses))),
    )
