"""Some of those who get letters, so that relays can be asked about real ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

from outagecast.errors import JournalError
from outagecast.journal import Journal

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime
    from pathlib import Path

_MOST = 20
"""Domains: enough for one among them that is neither ours nor the relay's."""


def some(journal: Path, now: Callable[[], datetime]) -> Sequence[str] | None:
    """A few of the list, each of another domain; None where it cannot be read, which is told of the journal."""
    try:
        journal.stat()
        with Journal(journal, now, readonly=True) as kept:
            return kept.some_subscribers(_MOST)
    except FileNotFoundError:
        return ()
    except (OSError, JournalError):
        return None
