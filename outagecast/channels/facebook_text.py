"""What a Page's readers see of an announcement."""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING

from outagecast.channel import Announcement, House, Kind, Refused
from outagecast.text import stamp_long

if TYPE_CHECKING:
    from collections.abc import Iterator

MOST_CHARACTERS = 63_206
"""Known from two projects' code (2026); Meta's pages name no limit today."""


def compose(news: Announcement, house: House, *, notice: bool) -> str:
    """Put the post together, or raise Refused when Facebook would not take so long a text.

    The heading carries the time and the number: with it no two posts of the Page are equal, which Facebook would
    refuse, and a post whose answer was lost can be found again.
    """
    blocks = ["\n".join(_message(news, house)), "\n".join(_ending(house)) if notice else ""]
    text = unicodedata.normalize("NFC", "\n\n".join(filter(None, blocks)))
    if len(text) > MOST_CHARACTERS:
        raise Refused(
            f"the post has {len(text):,} characters, and Facebook takes {MOST_CHARACTERS:,}",
            hint="shorten the message and announce it again; put the details behind --link",
        )
    return text


def _message(news: Announcement, house: House) -> Iterator[str]:
    yield f"[{stamp_long(news, house.timezone)}]"
    if _worth_naming(news):
        yield news.incident.title
    yield news.words
    if news.eta and news.kind is not Kind.RESOLVED and f"{news.eta:%H:%M}" not in news.words:
        yield f"ETA: {news.eta:%H:%M} UTC"
    if news.link and news.link not in news.words:
        yield news.link


def _worth_naming(news: Announcement) -> bool:
    """Say whether the incident's title adds anything.

    A title taken from the first message may carry its ETA, and in an update that ETA is an old promise.
    """
    title = news.incident.title.strip()
    return bool(title) and title not in news.text and title not in news.words and not re.search(r"(?i)\beta\b", title)


def _ending(house: House) -> Iterator[str]:
    if house.notice:
        yield house.notice
    if house.support and house.support not in house.notice:
        yield f"Support: {house.support}"
