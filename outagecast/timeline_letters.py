"""Letters, summed up: a million of them have hardly any history, and nobody reads it one by one."""

from __future__ import annotations

import re
from collections import Counter
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import msgspec

from outagecast.journal.rows import moment, stamp, when
from outagecast.model import PostState
from outagecast.timeline_events import Entry

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import datetime

_MOST_REASONS = 10
"""Reasons that are told one by one; relays write a number of their own into each."""
_OWN_NUMBER = re.compile(r"(?<![\w.])(?=[A-Za-z]*[0-9])[A-Za-z0-9]{6,}(?![\w.]\w)")
_AT_ONCE = timedelta(seconds=1)
_OTHERS = "for other reasons"
_SAID = {
    "later": "put off",
    "refused": "refused",
    "in-doubt": "in doubt",
    "looked": "in doubt, and nobody can be asked",
    "again": "in doubt, to be sent again",
    "sent": "sent, with a note",
    "settled": "settled",
}


class Reason(msgspec.Struct, frozen=True):
    """Why, and how many letters."""

    detail: str
    letters: int


class Mailing(msgspec.Struct, frozen=True):
    """All letters of an announcement over one channel."""

    text: str
    counts: dict[PostState, int]
    first_at: datetime | None
    last_at: datetime | None
    refused: Sequence[Reason]

    @property
    def sent(self) -> int:
        """How many are out."""
        return self.counts[PostState.SENT]

    @property
    def per_minute(self) -> float | None:
        """How many went out in a minute, from the first to the last; None where that took no time to speak of."""
        if self.first_at is None or self.last_at is None or self.last_at - self.first_at < _AT_ONCE:
            return None
        return self.sent * 60 / (self.last_at - self.first_at).total_seconds()

    @property
    def rate(self) -> str:
        """The same in words; empty where they all went at once, or hardly any went."""
        return f"{self.per_minute:,.0f} a minute" if self.per_minute and self.per_minute >= 1 else ""

    def as_json(self) -> dict[str, Any]:
        """As `show --json` has it."""
        return {
            "text": self.text,
            "counts": {state: n for state, n in self.counts.items() if state is not PostState.RETRACTED},
            "first_at": stamp(self.first_at) if self.first_at else None,
            "last_at": stamp(self.last_at) if self.last_at else None,
            "per_minute": self.per_minute,
            "refused": [{"detail": reason.detail, "letters": reason.letters} for reason in self.refused],
        }


def mailing(db: sqlite3.Connection, wording: sqlite3.Row) -> Mailing:
    """What became of the letters of one wording."""
    counts = dict.fromkeys(PostState, 0)
    first: str | None = None
    last: str | None = None
    for row in db.execute(
        "SELECT state, count(*) AS n, min(sent_at) AS first, max(sent_at) AS last FROM post "
        "WHERE wording = ? GROUP BY state",
        (wording["id"],),
    ):
        counts[PostState(row["state"])] = row["n"]
        if row["state"] == PostState.SENT:
            first, last = row["first"], row["last"]
    refused = db.execute(
        # Without the address: what is told of a night is read by many.
        "SELECT replace(coalesce(detail, ''), recipient, '…') AS detail, count(*) AS n FROM post "
        "WHERE wording = ? AND state = 'refused' GROUP BY 1",
        (wording["id"],),
    )
    return Mailing(wording["text"] or "", counts, when(first), when(last), list(_reasons(refused)))


def alike(detail: str) -> str:
    """A relay's words without the numbers that it gives to each letter: queue ids, tickets, times."""
    return _OWN_NUMBER.sub("…", detail)


def _reasons(rows: Iterable[sqlite3.Row]) -> Iterator[Reason]:
    """The commonest, and the rest as one."""
    counted: Counter[str] = Counter()
    for row in rows:
        counted[alike(row["detail"])] += row["n"]
    yield from (Reason(detail, n) for detail, n in counted.most_common(_MOST_REASONS))
    if others := counted.total() - sum(n for _, n in counted.most_common(_MOST_REASONS)):
        yield Reason(_OTHERS, others)


class _Group(msgspec.Struct):
    """Letters to which the same happened for the same reason."""

    first: str
    last: str
    letters: int = 0


def letter_entries(db: sqlite3.Connection, seq: int, channel: str, wording: int, sums: Mailing) -> Iterator[Entry]:
    """What happened to the letters of one wording: a line a kind of event and reason, the commonest reasons of each."""
    yield from _gone_out(seq, channel, sums)
    told: Counter[str] = Counter()
    groups = _groups(db, wording)
    for event, detail in sorted(groups, key=lambda key: -groups[key].letters):
        told[event] += 1
        if told[event] <= _MOST_REASONS:
            yield _letters(groups[event, detail], event, detail, seq, channel)


def _groups(db: sqlite3.Connection, wording: int) -> dict[tuple[str, str], _Group]:
    groups: dict[tuple[str, str], _Group] = {}
    for row in db.execute(
        "SELECT t.event, replace(coalesce(t.detail, ''), p.recipient, '…') AS detail, count(*) AS n, "
        "min(t.at) AS first, max(t.at) AS last FROM attempt t JOIN post p ON p.id = t.post "
        "WHERE p.wording = ? AND p.recipient <> '' GROUP BY 1, 2",
        (wording,),
    ):
        group = groups.setdefault((row["event"], alike(row["detail"])), _Group(row["first"], row["last"]))
        group.first, group.last = min(group.first, row["first"]), max(group.last, row["last"])
        group.letters += row["n"]
    return groups


def _gone_out(seq: int, channel: str, sums: Mailing) -> Iterator[Entry]:
    if sums.first_at is None or sums.last_at is None:
        return
    if sums.per_minute is None:
        yield Entry(sums.last_at, "sent", f"{_number(sums.sent)} out", seq, channel, letters=sums.sent)
        return
    yield Entry(sums.first_at, "sent", "the first letter is out", seq, channel)
    said = ", ".join(filter(None, (f"the last of {_number(sums.sent)} is out", sums.rate)))
    yield Entry(sums.last_at, "sent", said, seq, channel, letters=sums.sent)


def _number(letters: int) -> str:
    return f"{letters:,} letter{'' if letters == 1 else 's'}"


def _letters(group: _Group, event: str, detail: str, seq: int, channel: str) -> Entry:
    return Entry(
        at=moment(group.first),
        event=event,
        said=f"{_number(group.letters)} {_SAID.get(event, event)}",
        seq=seq,
        channel=channel,
        detail=detail,
        letters=group.letters,
        times=group.letters,
        until=moment(group.last) if group.last != group.first else None,
    )
