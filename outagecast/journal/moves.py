"""The one guarded update that every transition of a post is made with."""

from __future__ import annotations

from typing import TYPE_CHECKING

from outagecast.errors import JournalError
from outagecast.journal.store import Store
from outagecast.model import PostState

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Iterable, Mapping

_ANSWERED = ("attempts = attempts + (state = 'planned')", "block = NULL")
"""A letter's answer often comes before the first byte of its content, at its address: that was an attempt as well.

And it has left its block: only what has no answer yet is looked for after a kill.
"""


class Moves(Store):
    """From one state to the next, or an error."""

    def _move(
        self,
        post: int,
        origins: Iterable[PostState],
        to: PostState,
        event: str,
        *,
        detail: str | None = None,
        letter: bool = False,
        bump: str = "",
        columns: Mapping[str, object] | None = None,
        suppress: bool = False,
        quiet: bool = False,
        then: Callable[[sqlite3.Connection, int], None] | None = None,
    ) -> None:
        """One guarded update and its line of history, or JournalError when the post is not where it should be.

        A `quiet` one has no line: nothing has happened.
        """
        values = {"state": to, "detail": detail, **(columns or {})}
        values |= {name: self._masked(values[name]) for name in ("detail", "hint", "note", "receipt") if name in values}
        allowed = tuple(origins)
        assignments = [f"{name} = ?" for name in values] + ([f"{bump} = {bump} + 1"] if bump else [])
        if letter and to is not PostState.SENDING:
            assignments += _ANSWERED
        with self.writing(durable=not letter) as db:
            changed = db.execute(
                f"UPDATE post SET {', '.join(assignments)} "  # noqa: S608  column names are written in this file
                f"WHERE id = ? AND state IN ({','.join('?' * len(allowed))})",
                (*values.values(), post, *allowed),
            ).rowcount
            if changed != 1:
                raise JournalError(f"post {post} is not {' or '.join(allowed)} any more, so it cannot become {to}")
            # A letter that simply goes out leaves no history: sent_at says it all, a million times.
            if not quiet and not (letter and detail is None):
                self.note(post, event, self._masked(detail))
            if suppress:
                db.execute(
                    "UPDATE subscriber SET suppressed = ? WHERE address = (SELECT recipient FROM post WHERE id = ?)",
                    (self._masked(detail), post),
                )
            if then is not None:
                then(db, post)

    def _masked(self, text: object) -> str | None:
        return None if text is None else self.mask(str(text))
