"""Cut words into parts where a reader would pause, never within a link or what the eye takes for one character."""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_right
from typing import TYPE_CHECKING

import msgspec

from outagecast.errors import UsageError
from outagecast.fitting import post
from outagecast.graphemes import grapheme_ends
from outagecast.xtext import x_links

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

_SENTENCE = re.compile(r"""[.!?…]["'”’»)\]]*\s+|[。！？][」』）]*\s*|\n\s*""")  # noqa: RUF001  Chinese and Japanese end so
_BLANK = re.compile(r"[^\S\u00a0\u2007\u202f]+")
_ANY_LINK = re.compile(r"[A-Za-z][A-Za-z0-9+.-]{1,15}://\S+")


class _Borders(msgspec.Struct, frozen=True):
    """Where words may be cut: the positions, in order, where something new begins, and the end of them all."""

    sentences: Sequence[int]
    words: Sequence[int]
    graphemes: Sequence[int]


class Cutter(msgspec.Struct, frozen=True):
    """Cuts `words` into posts of `limit` as `count` counts, each under its heading."""

    words: str
    heading: Callable[[int, int], str]
    limit: int
    count: Callable[[str], int]
    most_parts: int

    def posts(self) -> list[str]:
        """As few posts as the ends of sentences allow, else those of words; empty if there would be too many."""
        # What no cut can get round, so that a novel is refused in no time. A cut saves the blank it is made at.
        room = self.limit + 1 - self.count(post(self.heading(1, 2), ""))
        least = -(-self.count(_BLANK.sub(" ", self.words)) // max(room, 1))
        if least > self.most_parts:
            return []
        borders = _borders(self.words)
        for pauses in (borders.sentences, ()) if borders.sentences else ((),):
            # The number of parts stands in every heading: it has to be known before the first cut.
            for parts in range(max(2, least), self.most_parts + 1):
                if posts := self._into(parts, borders, pauses):
                    return posts
        return []

    def _into(self, parts: int, borders: _Borders, pauses: Sequence[int]) -> list[str]:
        bodies: list[str] = []
        start = 0
        while start < len(self.words):
            if len(bodies) == parts:
                return []
            end = self._end(start, self.heading(len(bodies) + 1, parts), borders, pauses)
            bodies.append(self.words[start:end].strip())
            start = end
        posts = [post(self.heading(part, len(bodies)), body) for part, body in enumerate(bodies, 1)]
        return posts if all(self.count(post) <= self.limit for post in posts) else []

    def _end(self, start: int, head: str, borders: _Borders, pauses: Sequence[int]) -> int:
        """Where the part that begins at `start` ends."""

        def fits(end: int) -> bool:
            return self.count(post(head, self.words[start:end].strip())) <= self.limit

        end = _last(borders.words, start, fits)
        if end == len(self.words):
            return end
        if end:
            # A part should be worth reading: no pause in its first half.
            pause = pauses[bisect_right(pauses, end) - 1] if pauses else 0
            return pause if pause - start > (end - start) // 2 else end
        # One "word" longer than a whole post: only such a one is cut within.
        end = _last(borders.graphemes, start, fits)
        if end:
            return end
        raise self._indivisible(start)

    def _indivisible(self, start: int) -> UsageError:
        """What stands at `start` can be cut nowhere and is too long."""
        longer = f"that is longer than a whole post of {self.limit:,}"
        if any(begin <= start < end for begin, end in _links(self.words)):
            return UsageError(f"there is a link in the message {longer}", hint="use a shorter link")
        return UsageError(
            f"there is a letter in the message, with marks piled upon it, {longer}", hint="take the marks out"
        )


def cut_short(text: str, fits: Callable[[str], bool], least: int) -> str:
    """As much of a text as fits with "…" behind it; empty if that is less than `least` characters.

    It is cut where a word ends, and within one only if that leaves too little; never within a link.
    """
    borders = _borders(text)
    for ends in (borders.words, borders.graphemes):
        end = _last(ends, 0, lambda end: fits(_cut_off(text[:end])))
        if len(short := _cut_off(text[:end])) > least:
            return short
    return ""


def _cut_off(text: str) -> str:
    return text.rstrip(" \n\t,;:.-…") + "…"


def _last(borders: Sequence[int], start: int, fits: Callable[[int], bool]) -> int:
    """The last border after `start` up to which it fits, sought in growing steps; 0 if none does."""
    low = bisect_right(borders, start) - 1
    step, found = 1, 0
    while step:
        position = low + step
        if position < len(borders) and fits(borders[position]):
            low, found, step = position, borders[position], step * 2
        else:
            step //= 2
    return found


def _borders(words: str) -> _Borders:
    within = {position for start, end in _links(words) for position in range(start + 1, end)}
    ends = [end for end in grapheme_ends(words) if end not in within]
    sentences = [found.end() for found in _SENTENCE.finditer(words) if found.end() not in within]
    blanks = {found.end() for found in _BLANK.finditer(words) if found.end() not in within}
    wide = {end for end in ends if end < len(words) and _wide_border(words[end - 1], words[end])}
    return _Borders(sentences, sorted(blanks | wide | {len(words)}), ends)


def _links(words: str) -> Iterator[tuple[int, int]]:
    # Not only what X takes for one: http://10.0.0.1/ is none there, and has to be copied in one piece all the same.
    yield from (found.span() for found in _ANY_LINK.finditer(words))
    yield from ((link.start, link.end) for link in x_links(words))


def _wide_border(before: str, after: str) -> bool:
    """Whether a line may end here as Chinese and Japanese do: between any two characters, but for punctuation."""
    if not any(unicodedata.east_asian_width(character) in "WF" for character in (before, after)):
        return False
    opening = unicodedata.category(before) in ("Ps", "Pi")
    return not opening and unicodedata.category(after)[0] != "P"
