"""Fit words into posts: as one where they fit, else in parts, cut where a reader would pause."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING

from outagecast.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


def fit(
    words: str,
    heading: Callable[[int, int], str],
    optional: Sequence[str],
    limit: int,
    count: Callable[[str], int],
    most_parts: int,
) -> list[str]:
    """The posts that say `words`, each within `limit` as `count` counts.

    Each begins with `heading(part, parts)`. The `optional` lines stand below the words, the most important first;
    they are given up, the last first, before the words are ever split, and go below the last part of several if they
    fit there. The words themselves are never cut: what would need more than `most_parts` is a UsageError.
    """
    words = unicodedata.normalize("NFC", words)
    whole = post(heading(1, 1), words)
    length = count(whole)
    posts = [whole] if length <= limit else []
    if not posts and most_parts > 1:
        # Rare: what cuts is loaded when something has to be cut.
        from outagecast.cutting import Cutter

        posts = Cutter(words, heading, limit, count, most_parts).posts()
    if not posts:
        raise _too_long(length, limit, most_parts)
    return [*posts[:-1], _with_lines(posts[-1], optional, limit, count)]


def _too_long(length: int, limit: int, most_parts: int) -> UsageError:
    if most_parts == 1:
        return UsageError(
            f"the message is too long: {length:,} where {limit:,} is the limit",
            hint=f"make it shorter by {length - limit:,}",
        )
    return UsageError(
        f"the message is too long: {length:,} do not fit into {most_parts} parts of {limit:,}",
        hint="say it in fewer words; details can stand behind a link",
    )


def _with_lines(post: str, lines: Sequence[str], limit: int, count: Callable[[str], int]) -> str:
    for line in lines:
        longer = f"{post}\n{line}"
        post = longer if line and count(longer) <= limit else post
    return post


def post(head: str, words: str) -> str:
    """A post without its optional lines."""
    return f"{head} {words}" if head else words
