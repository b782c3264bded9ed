"""The list of subscribers: who gets letters, of which groups, and whose mailbox is gone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from outagecast.addresses import Subscriber
from outagecast.journal.rows import stamp
from outagecast.journal.store import Store

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence


def audience(groups: Sequence[str]) -> tuple[str, list[str]]:
    """The condition on `subscriber` for these groups (none: everybody), and its parameters."""
    chosen = " OR ".join("instr(groups, ?)" for _ in groups) or "1"
    return f"suppressed IS NULL AND ({chosen})", [f" {group} " for group in groups]


class Subscriptions(Store):
    """Changes and queries of the list. Groups are kept as ` a b `, so that one is found with its blanks."""

    def subscribe(self, subscribers: Iterable[Subscriber]) -> int:
        """Add or change subscribers, all or none; how many. Whoever comes back is written to again."""
        rows = [(who.address, _kept(who.groups), stamp(self.now())) for who in subscribers]
        with self.writing() as db:
            db.executemany(
                "INSERT INTO subscriber (address, groups, added_at) VALUES (?, ?, ?) "
                "ON CONFLICT (address) DO UPDATE SET groups = excluded.groups, suppressed = NULL",
                rows,
            )
        return len(rows)

    def unsubscribe(self, addresses: Sequence[str]) -> int:
        """Remove subscribers, and every letter to them whose turn has not come; how many there were."""
        with self.writing() as db:
            found = 0
            for address in addresses:
                found += db.execute("DELETE FROM subscriber WHERE address = ?", (address,)).rowcount
                db.execute(
                    "UPDATE post SET state = 'dropped', detail = 'unsubscribed' WHERE recipient = ? "
                    "AND state = 'planned' AND block IS NULL",
                    (address,),
                )
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

    def subscriber_count(self, groups: Sequence[str] = ()) -> int:
        """How many would get a letter."""
        where, values = audience(groups)
        with self.reading() as db:
            (count,) = db.execute(f"SELECT count(*) FROM subscriber WHERE {where}", values).fetchone()  # noqa: S608
        return int(count)


def _kept(groups: Sequence[str]) -> str:
    return f" {' '.join(dict.fromkeys(groups))} " if groups else ""
