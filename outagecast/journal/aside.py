"""What is said of a journal that is damaged, wherever that turns up."""

from __future__ import annotations

from shlex import quote
from typing import TYPE_CHECKING

from outagecast.errors import JournalError

if TYPE_CHECKING:
    from pathlib import Path


def damaged(path: Path, why: str) -> JournalError:
    """The words for it: nothing here knows any more what is out, and what is put aside is put aside whole.

    A `-wal` that stays behind would be played into the new journal of the same name.
    """
    folder = path.with_name(f"damaged-{path.name}")
    return JournalError(
        f"the journal {path} is damaged or not a journal ({why}): look on the platforms what is out before you post "
        "again, and put the journal aside",
        hint=f"mkdir {quote(str(folder))} && mv {quote(str(path))}* {quote(str(folder))}",
    )
