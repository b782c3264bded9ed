"""The list of subscribers: who gets letters, of which groups, and whose mailbox is gone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from outagecast.addresses import Subscriber
from outagecast.journal.rows import stamp
from outagecast.journal.store import Store

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence


_PIECE = 10_000
"""Subscribers that are written in one transaction: some 40 ms."""

# By way of `wording`, for the index: else each address is a look at every letter there ever was.
_OF_LETTERS = "WHERE wording IN (SELECT id FROM wording WHERE letters = 1) AND recipient = ?"


def audience(groups: Sequence[str]) -> tuple[str, list[str]]:
    """The condition on `subscriber` for these groups (none: everybody), and its parameters."""
    chosen = " OR ".join("instr(groups, ?)" for _ in groups) or "1"
    return f"suppressed IS NULL AND ({chosen})", [f" {group} " for group in groups]


class Subscriptions(Store):
    """Changes and queries of the list. Groups are kept as ` a b `, so that one is found with its blanks."""

    def subscribe(self, subscribers: Iterable[Subscriber]) -> int:
        """Add or change subscribers; how many. Whoever comes back is written to again.

        In pieces: a run that is going on must not wait for a million readers to write a receipt down.
        """
        rows = [(who.address, _kept(who.groups), stamp(self.now())) for who in subscribers]
        for start in range(0, len(rows), _PIECE):
            with self.writing() as db:
                db.executemany(
                    "INSERT INTO subscriber (address, groups, added_at) VALUES (?, ?, ?) "
                    "ON CONFLICT (address) DO UPDATE SET groups = excluded.groups, suppressed = NULL",
                    rows[start : start + _PIECE],
                )
        return len(rows)

    def unsubscribe(self, addresses: Sequence[str]) -> int:
        """Remove subscribers, and every letter to them that has not been begun; how many there were.

        A letter whose turn has come in a run going on may still go out; if it does not, that run drops it at its end.
        One in doubt is not sent again.
        """
        with self.writing() as db:
            found = 0
            for address in addresses:
                found += db.execute("DELETE FROM subscriber WHERE address = ?", (address,)).rowcount
                db.execute(
                    "UPDATE post SET state = 'dropped', hint = NULL, person = 0, detail = CASE state "  # noqa: S608  ours
                    "WHEN 'planned' THEN 'unsubscribed' ELSE 'unsubscribed; it may have arrived' END "
                    f"{_OF_LETTERS} AND ((state = 'planned' AND block IS NULL) OR state = 'in-doubt')",
                    (address,),
                )
                marked = f"{_OF_LETTERS} AND state IN ('planned', 'sending')"
                db.execute(f"UPDATE post SET unwanted = 1 {marked}", (address,))  # noqa: S608  our own words
        return found

    def subscribers(self) -> Iterator[tuple[Subscriber, str | None]]:
        """Everybody on the list, in order of address, with the reason why nothing is sent there any more."""
        with self.reading() as db:
            for row in db.execute("SELECT * FROM subscriber ORDER BY address"):
                yield Subscriber(row["address"], tuple(row["groups"].split())), row["suppressed"]

    def groups(self) -> list[str]:
        """The names of all groups that anybody is in."""
        with self.reading() as db:
            rows = db.execute("SELECT DISTINCT groups FROM subscriber WHERE groups <> ''").fetchall()
        return sorted({name for row in rows for name in row["groups"].split()})

    def some_subscribers(self, most: int) -> list[str]:
        """A few who would get a letter, each of another domain; first those of the domains with the most readers."""
        where, values = audience(())
        with self.reading() as db:
            rows = db.execute(
                f"SELECT min(address) AS address FROM subscriber WHERE {where} "  # noqa: S608  our own words
                "GROUP BY lower(substr(address, instr(address, '@') + 1)) ORDER BY count(*) DESC, 1 LIMIT ?",
                (*values, most),
            ).fetchall()
        return [row["address"] for row in rows]

    def subscriber_count(self, groups: Sequence[str] = ()) -> int:
        """How many would get a letter."""
        where, values = audience(groups)
        with self.reading() as db:
            (count,) = db.execute(f"SELECT count(*) FROM subscriber WHERE {where}", values).fetchone()  # noqa: S608
        return int(count)


def _kept(groups: Sequence[str]) -> str:
    return f" {' '.join(dict.fromkeys(groups))} " if groups else ""
