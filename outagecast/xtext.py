"""A text as X reads it: how long it is, whom it mentions, which cashtags it holds.

The rules are those of twitter-text 3, configuration `v3` (github.com/twitter/twitter-text, read in November 2026):
NFC first; weight 1 for the scripts of most of Europe and for common punctuation, 2 for everything else; 23 for any
link; 2 for a whole emoji sequence. X keeps a table of emoji; here a sequence is known by its shape, so that next
year's emoji count as it will count them.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_right
from functools import cache

import msgspec

LATIN = (
    "\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u024f\u0253\u0254\u0256\u0257\u0259\u025b\u0263\u0268\u026f\u0272\u0289\u028b"
    "\u02bb\u0300-\u036f\u1e00-\u1eff"
)
"""The accented Latin letters that X treats like plain ones, as part of a character class."""

_LINK_WEIGHT = 23
_EMOJI_WEIGHT = 2

_BASES = (
    "\u203c\u2049\u2139\u2194-\u2199\u21a9\u21aa\u231a\u231b\u2328\u23cf\u23e9-\u23f3\u23f8-\u23fa\u24c2"
    "\u25aa\u25ab\u25b6\u25c0\u25fb-\u25fe\u2600-\u2604\u260e\u2611\u2614\u2615\u2618\u261d\u2620\u2622\u2623\u2626\u262a"
    "\u262e\u262f\u2638-\u263a\u2640\u2642\u2648-\u2653\u265f\u2660\u2663\u2665\u2666\u2668\u267b\u267e\u267f\u2692-\u2697"
    "\u2699\u269b\u269c\u26a0\u26a1\u26a7\u26aa\u26ab\u26b0\u26b1\u26bd\u26be\u26c4\u26c5\u26c8\u26ce\u26cf\u26d1\u26d3"
    "\u26d4\u26e9\u26ea\u26f0-\u26f5\u26f7-\u26fa\u26fd\u2702\u2705\u2708-\u270d\u270f\u2712\u2714\u2716\u271d\u2721\u2728"
    "\u2733\u2734\u2744\u2747\u274c\u274e\u2753-\u2755\u2757\u2763\u2764\u2795-\u2797\u27a1\u27b0\u27bf\u2934\u2935"
    "\u2b05-\u2b07\u2b1b\u2b1c\u2b50\u2b55\u3030\u303d\u3297\u3299\U0001f000-\U0001f1e5\U0001f200-\U0001f3fa"
    "\U0001f400-\U0001faff"
)
"""Characters that are an emoji by themselves (Unicode 16, property Emoji; from U+1F000 on the blocks as a whole)."""

_HANDS_AND_PEOPLE = (
    "\u261d\u26f9\u270a-\u270d\U0001f385\U0001f3c2-\U0001f3c4\U0001f3c7\U0001f3ca-\U0001f3cc\U0001f442\U0001f443"
    "\U0001f446-\U0001f450\U0001f466-\U0001f478\U0001f47c\U0001f481-\U0001f483\U0001f485-\U0001f487\U0001f48f\U0001f491"
    "\U0001f4aa\U0001f574\U0001f575\U0001f57a\U0001f590\U0001f595\U0001f596\U0001f645-\U0001f647\U0001f64b-\U0001f64f"
    "\U0001f6a3\U0001f6b4-\U0001f6b6\U0001f6c0\U0001f6cc\U0001f90c\U0001f90f\U0001f918-\U0001f91f\U0001f926"
    "\U0001f930-\U0001f939\U0001f93c-\U0001f93e\U0001f977\U0001f9b5\U0001f9b6\U0001f9b8\U0001f9b9\U0001f9bb"
    "\U0001f9cd-\U0001f9cf\U0001f9d1-\U0001f9dd\U0001fac3-\U0001fac5\U0001faf0-\U0001faff"
)
"""Those that take a skin tone (property Emoji_Modifier_Base): after any other, X counts the tone by itself."""


class Span(msgspec.Struct, frozen=True):
    """A link: `text[start:end]` of the text it was found in; `scheme` says whether http(s):// was written."""

    start: int
    end: int
    text: str
    scheme: bool


@cache
def _emoji() -> re.Pattern[str]:
    one = f"(?:[{_HANDS_AND_PEOPLE}][\U0001f3fb-\U0001f3ff]|[{_BASES}]\ufe0f?)"
    return re.compile(
        "[0-9#*]\ufe0f?\u20e3"  # keycaps
        "|[\U0001f1e6-\U0001f1ff]{2}"  # flags of countries
        "|\U0001f3f4[\U000e0020-\U000e007e]{1,6}\U000e007f"  # flags of their parts
        f"|{one}(?:\u200d{one}){{0,3}}"  # the longest that there is joins four: a family, a kiss
        "|[\xa9\xae\u2122]\ufe0f"
    )


@cache
def _heavy() -> re.Pattern[str]:
    return re.compile("[^\u0000-\u10ff\u2000-\u200d\u2010-\u201f\u2032-\u2037]")


@cache
def _mention() -> re.Pattern[str]:
    at = r"@\uff20"  # the second is what a Japanese keyboard gives
    before = rf"(?:(?<![A-Za-z0-9_!#$%&*{at}])|(?<=\A[Rr][Tt])|(?<=[^A-Za-z0-9_+~.-][Rr][Tt]))"
    return re.compile(rf"{before}[{at}]([A-Za-z0-9_]{{1,20}}+)(?![{at}{LATIN}]|://)")


@cache
def _cashtag() -> re.Pattern[str]:
    return re.compile(
        r"(?:(?<=\s)|\A)\$([A-Za-z]{1,6}(?:[._][A-Za-z]{1,2})?)(?=\Z|[\s!'#%&()*+,\\./:;<=>?@\[\]^_{|}~$-])"
    )


def x_length(text: str) -> int:
    """The length of a text as X counts it against its limit of 280."""
    text = unicodedata.normalize("NFC", text)
    total = position = 0
    for link in x_links(text):
        total += _weight(text[position : link.start]) + _LINK_WEIGHT
        position = link.end
    return total + _weight(text[position:])


def _weight(text: str) -> int:
    if text.isascii():
        return len(text)
    rest, emoji = _emoji().subn("", text)
    return len(rest) + len(_heavy().findall(rest)) + _EMOJI_WEIGHT * emoji


def x_links(text: str) -> list[Span]:
    """What X would turn into links, bare hosts included (`node1.net` is one), in order and not overlapping."""
    if "." not in text:
        return []
    from outagecast.xlinks import scan

    return list(scan(text))


def x_mentions(text: str) -> list[str]:
    """The accounts that a text mentions, without the at sign; each could reply to a post that carries it."""
    return [found[1] for found in _mention().finditer(text)] if "@" in text or "\uff20" in text else []


def x_cashtags(text: str) -> list[str]:
    """The cashtags of a text ("$ABC"), without the dollar; "$5" is none. X takes one a post."""
    return [found[1] for found in _cashtag().finditer(text)] if "$" in text else []


def defuse(text: str) -> str:
    """The text with every mention made harmless, so that it reads the same and mentions nobody.

    An invisible U+200B after the at sign does it; within a link, where that would lead elsewhere, `%40`.
    """
    links = x_links(text)
    starts = [link.start for link in links]

    def harmless(found: re.Match[str]) -> str:
        before = bisect_right(starts, found.start())
        in_link = before > 0 and found.start() < links[before - 1].end
        return f"%40{found[1]}" if in_link else f"{found[0][0]}\u200b{found[1]}"

    return _mention().sub(harmless, text)
