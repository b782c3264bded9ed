"""The guarded transitions of a post, the only ones there are.

    planned --begin--> sending --> sent --> retracted
       ^   ^              |  +---> refused --(mended: next run; else settle)--> planned | dropped
       |   +-- later -----+
       +--- again ---- in-doubt --found--> sent      (killed while sending: the next run finds it so)
    planned --superseded, expired, taken back, settle--> dropped --what superseded it was taken back--> planned

What is sent may be given other words (`amended`) or be taken back (`withdraw`, then `retracted`); until the platform
has done so it stays sent, with the time when that is due.

Each names the states it comes from and fails when that is no longer true. A post's are on the disk when the call
returns; for letters see `begin_block`.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from outagecast.errors import JournalError
from outagecast.journal.rows import stamp
from outagecast.journal.store import SENDING
from outagecast.journal.upkeep import Upkeep
from outagecast.model import PostState, Replies
from outagecast.secrets import bounded

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from outagecast.errors import Refused, TryLater
    from outagecast.journal.rows import Scope
    from outagecast.model import Receipt


def boot_id() -> str:
    """What changes when the machine restarts; a fresh value, trusting no earlier mark, where the system cannot say."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        import uuid

        return str(uuid.uuid4())


def _answered(*, letter: bool) -> tuple[PostState, ...]:
    """The states in which a relay's or a platform's "no" or "later" can find a post."""
    return (PostState.SENDING, PostState.PLANNED) if letter else (PostState.SENDING,)


class Transitions(Upkeep):
    """What can become of a post."""

    def begin(self, post: int, parent: int | None) -> None:
        """Planned -> sending; on the disk before this returns."""
        self._begin(post, parent, letter=False)

    def begin_letter(self, post: int) -> None:
        """Planned -> sending, for a letter of a block that was begun."""
        self._begin(post, None, letter=True)

    def _begin(self, post: int, parent: int | None, *, letter: bool) -> None:
        columns = {
            "attempted_at": stamp(self.now()),
            "doubted_at": None,
            "parent": parent,
            "due": None,
            "hint": None,
            "detail": "being sent",
        }
        self._move(
            post,
            [PostState.PLANNED],
            PostState.SENDING,
            "begin",
            letter=letter,
            bump="attempts",
            columns=columns,
        )

    def begin_block(self, posts: Sequence[int]) -> set[int]:
        """Mark letters, durably, as about to be attempted; which of them still are to be sent.

        Whoever unsubscribed a moment ago is not among them, and nobody can drop a letter once it is marked.

        The mark of each single letter (`begin_letter`) and its result are written at once but synced later: that
        survives a kill. After a restart of the machine they cannot be trusted, and `recover` doubts the whole block.
        """
        with self.writing() as db:
            rows = db.execute(
                "UPDATE post SET block = ? WHERE state = 'planned' AND unwanted = 0 "  # noqa: S608  only question marks
                f"AND id IN ({','.join('?' * len(posts))}) RETURNING id",
                (boot_id(), *posts),
            ).fetchall()
        return {row["id"] for row in rows}

    def sent(self, post: int, receipt: Receipt, *, look_due: datetime | None, letter: bool = False) -> None:
        """Sending | in-doubt -> sent, with its receipt; `look_due` is when its replies are to be looked at."""
        self._move(
            post,
            [PostState.SENDING, PostState.IN_DOUBT],
            PostState.SENT,
            "sent",
            detail=receipt.note,
            letter=letter,
            then=None if letter else self._out,
            columns={
                "ref": receipt.ref,
                "url": receipt.url,
                "receipt": json.dumps(dict(receipt.data)),
                "replies": receipt.replies,
                "look_due": stamp(look_due) if look_due else None,
                "sent_at": stamp(self.now()),
                "note": receipt.note,
                "due": None,
                "person": 0,
                "mendable": 0,
                "tries": 0,
                "hint": None,
            },
        )

    def later(self, post: int, why: TryLater, due: datetime, *, letter: bool = False) -> None:
        """Sending -> planned: nothing is out; not again before `due`. A wait that was asked for is no failed try."""
        self._move(
            post,
            _answered(letter=letter),
            PostState.PLANNED,
            "later",
            detail=why.text,
            letter=letter,
            bump="waits" if why.limited else "",
            columns={"due": stamp(due), "hint": why.hint or None},
        )

    def refused(self, post: int, why: Refused, *, letter: bool = False) -> None:
        """Sending -> refused: nothing is out, and a person must act; a vanished mailbox is not written to again."""
        columns = {"mendable": int(why.mendable), "address_fault": int(why.recipient), "hint": why.hint or None}
        origins = _answered(letter=letter)
        self._move(
            post,
            origins,
            PostState.REFUSED,
            "refused",
            detail=why.text,
            letter=letter,
            columns=columns,
            suppress=why.suppress,
        )

    def doubt(self, post: int, why: str, *, hint: str = "", due: datetime | None, letter: bool = False) -> None:
        """Sending -> in-doubt: it may be out; it is looked up at `due`, or at once."""
        columns = {"hint": hint or None, "due": stamp(due) if due else None, "doubted_at": stamp(self.now())}
        self._move(
            post,
            [PostState.SENDING],
            PostState.IN_DOUBT,
            PostState.IN_DOUBT,
            detail=why,
            letter=letter,
            bump="doubts",
            columns=columns,
        )

    def attempted_now(self, post: int) -> None:
        """in-doubt -> in-doubt: its attempt lies in the future, so the clock was set back; waits count from now."""
        columns = {"attempted_at": stamp(self.now()), "doubted_at": None, "due": None}
        why = "the clock was set back; the wait for it begins again"
        self._move(post, [PostState.IN_DOUBT], PostState.IN_DOUBT, "clock", detail=why, columns=columns)

    def looked(self, post: int, why: str, *, due: datetime | None, person: bool, hint: str = "") -> None:
        """in-doubt -> in-doubt: a look gave no answer; again at `due`, or a `person` has to settle it."""
        columns = {"due": stamp(due) if due else None, "person": int(person), "hint": hint or None}
        self._move(post, [PostState.IN_DOUBT], PostState.IN_DOUBT, "looked", detail=why, columns=columns)

    def again(self, post: int, why: str, *, letter: bool = False) -> None:
        """in-doubt -> planned: it is known not to be out, or a repeat is allowed."""
        columns = {"due": None, "hint": None, "person": 0}
        self._move(post, [PostState.IN_DOUBT], PostState.PLANNED, "again", detail=why, letter=letter, columns=columns)

    def settled(self, post: int, to: PostState, why: str, ref: str | None = None) -> None:
        """In-doubt | refused | planned -> planned | dropped | sent: a person decided.

        Without the platform's `ref` nothing can hang under a post that is settled as sent.
        """
        origins = [PostState.IN_DOUBT, PostState.REFUSED, PostState.PLANNED]
        if self._expired(post):
            origins.append(PostState.DROPPED)
        columns: dict[str, object] = {"due": None, "hint": None, "person": 0, "mendable": 0, "doubts": 0}
        if to is PostState.SENT:
            letter = self._is_letter(post)
            look = stamp(self.now()) if ref and not letter else None
            # Without a ref there is nothing to ask the platform about: then nothing is said of its replies.
            replies = Replies.NONE if letter else Replies.UNVERIFIED if ref else None
            columns |= {"ref": ref, "replies": replies, "look_due": look, "sent_at": stamp(self.now())}
        then = self._out if to is PostState.SENT else None
        self._move(post, origins, to, "settled", detail=why, columns=columns, then=then)

    def _expired(self, post: int) -> bool:
        """Whether it was dropped without anybody's decision, and nobody has taken note of that yet."""
        with self.reading() as db:
            row = db.execute("SELECT 1 FROM post WHERE id = ? AND state = 'dropped' AND person = 1", (post,)).fetchone()
        return row is not None

    def _is_letter(self, post: int) -> bool:
        """Whether the post has a recipient: then nobody replies to it in public, and no look at that is due."""
        with self.reading() as db:
            row = db.execute("SELECT recipient FROM post WHERE id = ?", (post,)).fetchone()
        return bool(row and row["recipient"])

    def remember(self, post: int, token: Mapping[str, str]) -> None:
        """Commit a step's token of a post that is being sent or looked for, added to what was remembered before."""
        with self.writing() as db:
            row = db.execute(
                "SELECT token FROM post WHERE id = ? AND state IN ('sending', 'in-doubt')", (post,)
            ).fetchone()
            if row is None:
                raise JournalError(f"post {post} is not being sent or looked for, so no step of it can be remembered")
            known = json.loads(row["token"]) if row["token"] else {}
            # Why a step failed may be in it, in the platform's words; an id or an address must stay whole.
            masked = {name: self.mask(value) for name, value in token.items()}
            said = {name: bounded(value) if " " in value else value for name, value in masked.items()}
            db.execute("UPDATE post SET token = ? WHERE id = ?", (json.dumps(known | said), post))
            self.note(post, "step", ", ".join(f"{name} {value}" for name, value in sorted(said.items())))

    def recover(self) -> None:
        """Under the lock: whatever is `sending` belongs to a run that was ended, and is in doubt."""
        with self.writing() as db:
            self.orphan(SENDING, (), "outagecast was ended while this was being sent")
            self.orphan(
                "state = 'planned' AND block IS NOT NULL AND block <> ?",
                (boot_id(),),
                "the machine restarted when this letter's turn had come",
            )
            self._drop_unwanted(db, "wording IN (SELECT id FROM wording WHERE letters = 1)", [])
            db.execute("UPDATE post SET block = NULL WHERE block IS NOT NULL")

    def _drop_unwanted(self, db: sqlite3.Connection, which: str, values: list[object]) -> None:
        """The letters to whoever left the list while they were marked, and were not sent after all."""
        db.execute(
            "UPDATE post SET state = 'dropped', detail = 'unsubscribed', due = NULL, hint = NULL "  # noqa: S608
            f"WHERE state = 'planned' AND unwanted = 1 AND {which}",
            values,
        )

    def forsake(self, scope: Scope, why: str) -> None:
        """Sending -> in-doubt for letters whose channel has stopped, and the end of their blocks."""
        where, chosen = scope.where()
        mine = f"wording IN (SELECT w.id FROM wording w WHERE w.letters = 1 AND {where})"  # noqa: S608  our own words
        with self.writing() as db:
            self.orphan(f"state = 'sending' AND {mine}", tuple(chosen), why)
            self._drop_unwanted(db, mine, chosen)
            # Another channel's blocks stay marked: its letters may be on their way in another thread.
            db.execute(f"UPDATE post SET block = NULL WHERE block IS NOT NULL AND {mine}", chosen)  # noqa: S608

    def reconsider(self, scope: Scope) -> None:
        """At the start of a run: what a person had to mend or look after gets one more chance to go by itself."""
        now = stamp(self.now())
        with self.writing() as db:
            again: dict[str, object] = {"state": PostState.PLANNED, "due": None}
            self._every(db, scope, "state = 'refused' AND mendable = 1", again)
            asked: dict[str, object] = {"state": PostState.IN_DOUBT, "person": 0, "due": None}
            self._every(db, scope, "state = 'in-doubt' AND person = 1", asked)
            gone = "wording IN (SELECT id FROM wording WHERE withdrawn_at IS NOT NULL)"
            anew: dict[str, object] = {"person": 0, "mendable": 0}
            self._every(db, scope, f"state = 'sent' AND mendable = 1 AND {gone}", anew | {"retract_due": now})
            self._every(db, scope, "state = 'sent' AND mendable = 1", anew | {"amend_due": now})

    def refuse_channel(self, scope: Scope, why: Refused) -> None:
        """Planned -> refused for all in `scope`: the channel itself cannot be used."""
        values = {
            "state": PostState.REFUSED,
            "mendable": int(why.mendable),
            "detail": self.mask(why.text),
            "hint": self.mask(why.hint) or None,
        }
        self._all(scope, "state = 'planned'", values)
        # Nobody can be asked through it either: what is in doubt waits for a person until the channel is mended.
        asked = {"person": 1, "detail": f"it may be out, and nobody can be asked: {self.mask(why.text)}"}
        self._all(scope, "state = 'in-doubt'", asked | {"hint": values["hint"]})
        # Nor can anybody look at replies through it; the next sweep does, once it can be opened again.
        stuck = {"detail": f"it could not be taken back: {self.mask(why.text)}", "hint": values["hint"]}
        self._all(
            scope,
            "state = 'sent' AND retract_due IS NOT NULL",
            stuck | {"retract_due": None, "person": 1, "mendable": int(why.mendable)},
        )
        old = {"detail": f"the latest news could not be added to it: {self.mask(why.text)}", "hint": values["hint"]}
        self._all(
            scope, "state = 'sent' AND amend_due IS NOT NULL", old | {"amend_due": None, "mendable": int(why.mendable)}
        )
        unseen = {"detail": f"replies could not be looked at: {self.mask(why.text)}", "hint": values["hint"]}
        self._all(scope, "state = 'sent' AND look_due IS NOT NULL", unseen | {"look_due": None})

    def postpone_channel(self, scope: Scope, why: TryLater, due: datetime, *, only_due: bool = False) -> None:
        """Planned -> planned for all in `scope`, or for those whose time has come: not before `due`."""
        which = "state = 'planned'" + (f" AND (due IS NULL OR due <= '{stamp(self.now())}')" if only_due else "")
        self._all(scope, which, {"due": stamp(due), "detail": why.text, "hint": why.hint or None})

    def _all(self, scope: Scope, which: str, values: Mapping[str, object]) -> None:
        with self.writing() as db:
            self._every(db, scope, which, values)

    def _every(self, db: sqlite3.Connection, scope: Scope, which: str, values: Mapping[str, object]) -> None:
        """The same for every post in `scope` that `which` selects, with a line of history for each but letters."""
        where, chosen = scope.where()
        # A million letters that are out are not looked through for what only posts can have.
        which_wordings = "w.letters = 0" if "'sent'" in which else "w.text IS NOT NULL"
        scoped = f"SELECT w.id FROM wording w WHERE {which_wordings} AND {where}"  # noqa: S608  our own words
        inside = f"{which} AND wording IN ({scoped})"
        db.execute(
            "INSERT INTO attempt (post, at, event, detail) SELECT p.id, ?, ?, ? FROM "  # noqa: S608  our own words
            f"(SELECT * FROM post WHERE {inside}) p JOIN wording w ON w.id = p.wording WHERE w.letters = 0",
            (stamp(self.now()), values.get("state", "later"), values.get("detail"), *chosen),
        )
        db.execute(
            f"UPDATE post SET {', '.join(f'{name} = ?' for name in values)} WHERE {inside}",  # noqa: S608
            (*values.values(), *chosen),
        )
