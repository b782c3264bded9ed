"""Fit words into posts: as one with fewer and fewer additions, else in parts, cut where a reader would pause."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING

import msgspec

from outagecast.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


class Rung(msgspec.Struct, frozen=True):
    """One way to say all that was typed in one post, and the names of the additions that it has given up."""

    head: str
    body: str
    lacks: tuple[str, ...] = ()


class Line(msgspec.Struct, frozen=True):
    """An addition with a line of its own: `name` says what is missing where it finds no room."""

    name: str
    text: str


class Thread(msgspec.Struct, frozen=True):
    """The way to say it in parts: every part under its heading, and below the last one the lines that fit there."""

    words: str
    heading: Callable[[int, int], str]
    most_parts: int
    below: Sequence[Line] = ()


class Fitted(msgspec.Struct, frozen=True):
    """The posts, the heading of the first of them, and the additions that found no room."""

    posts: Sequence[str]
    head: str
    lacks: tuple[str, ...] = ()


def fit(ladder: Sequence[Rung], thread: Thread, limit: int, count: Callable[[str], int]) -> Fitted:
    """The first rung within `limit` as `count` counts; where none is, the thread.

    The ladder goes from everything there is to say down to what was typed. What was typed is never cut short: what
    would need more than the thread's most parts is a UsageError.
    """
    for rung in ladder:
        whole = composed(post(rung.head, rung.body))
        if count(whole) <= limit:
            return Fitted([whole], rung.head, rung.lacks)
    posts = _in_parts(thread, limit, count) if thread.most_parts > 1 else []
    if not posts:
        least = count(composed(post(ladder[-1].head, ladder[-1].body)))
        raise _too_long(least, limit, thread.most_parts)
    last, lacks = _with_lines(posts[-1], thread.below, limit, count)
    return Fitted([*posts[:-1], last], thread.heading(1, len(posts)), lacks)


def _in_parts(thread: Thread, limit: int, count: Callable[[str], int]) -> list[str]:
    # Rare: what cuts is loaded when something has to be cut.
    from outagecast.cutting import Cutter

    return Cutter(composed(thread.words), thread.heading, limit, count, thread.most_parts).posts()


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


def _with_lines(
    post: str, lines: Sequence[Line], limit: int, count: Callable[[str], int]
) -> tuple[str, tuple[str, ...]]:
    lacks: list[str] = []
    for line in lines:
        longer = composed(f"{post}\n{line.text}")
        if count(longer) <= limit:
            post = longer
        else:
            lacks.append(line.name)
    return post, tuple(lacks)


def composed(text: str) -> str:
    """The text with each accent and its letter as one (NFC), as platforms store and count it."""
    return unicodedata.normalize("NFC", text)


def post(head: str, words: str) -> str:
    """A heading and what stands under it, as one text."""
    return f"{head} {words}" if head else words
