"""What a Page's readers see of an announcement."""

from __future__ import annotations

import re
import unicodedata
from datetime import UTC
from typing import TYPE_CHECKING

from msgspec.structs import replace

from outagecast.channel import Announcement, House, Kind, Refused
from outagecast.text import lasted, moment, stamp_long

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

MOST_CHARACTERS = 63_206
"""Known from two projects' code (2026); Meta's pages name no limit today."""
_GAP = "\n\n"
_SHORTENED = "… (see the newest post)"


def compose(news: Announcement, house: House, *, notice: bool) -> tuple[str, Sequence[str]]:
    """Put the post together, with a warning if something had to be given up for want of room.

    Raises Refused when Facebook would not take so long a message even by itself. The heading carries the time and the
    number and is never given up: with it no two posts of the Page are equal, which Facebook would refuse, and a post
    whose answer was lost can be found again.
    """
    text, given_up = "", dict[str, None]()
    for said, ending, less in _ways(news, house, notice=notice):
        before, text = text, _text(said, ending)
        given_up |= {less: None} if before not in {"", text} else {}
        if len(text) <= MOST_CHARACTERS:
            return text, [f"there was no room for {', '.join(given_up)}"] if given_up else []
    raise Refused(
        f"the post has {len(text):,} characters, and Facebook takes {MOST_CHARACTERS:,}",
        hint="shorten the message and announce it again; put the details behind --link",
    )


def amended(first: str, latest: Announcement, house: House) -> str:
    """Put the latest news above a first post, which stays to the letter: whoever shared it shared those words.

    Where there is no room for both, the news is shortened; where there is none even for its time, nothing is added.
    """
    news = unicodedata.normalize("NFC", "\n".join(_said(_without_said_eta(latest))))
    above = _shortened(_headline(latest, house), news, MOST_CHARACTERS - len(_GAP) - len(first))
    return f"{above}{_GAP}{first}" if above else first


def _ways(news: Announcement, house: House, *, notice: bool) -> Iterator[tuple[Announcement, House, str]]:
    """Ways to say it, each with less than the one before, and what that one gave up."""
    news, bare = _without_said_eta(news), replace(house, notice="", support="")
    yield news, house if notice else bare, ""
    yield news, bare, "the notice and where to find support"
    news = replace(news, incident=replace(news.incident, title=""))
    yield news, bare, "the title"
    for words in news.shorter:
        news = replace(news, words=words)
        yield news, bare, "what is added to the words (the time of the ETA, the ETA before)"
    news = replace(news, eta=None)
    yield news, bare, "the ETA"
    yield replace(news, status=None), bare, "the status"


def _text(news: Announcement, house: House) -> str:
    heading = f"[{stamp_long(news, house.timezone)}]"
    title = [news.incident.title] if _worth_naming(news) else []
    blocks = ["\n".join([heading, *title, *_said(news)]), "\n".join(_ending(house))]
    return unicodedata.normalize("NFC", _GAP.join(filter(None, blocks)))


def _said(news: Announcement) -> Iterator[str]:
    yield news.words
    if news.eta:
        yield f"ETA: {_moment(news.eta, news.at)}"
    if news.link and news.link not in news.words:
        yield news.link


def _moment(eta: datetime, now: datetime) -> str:
    """When service is expected, with the date if that is another day than this one."""
    return f"{eta:%H:%M} UTC" if eta.date() == now.date() else moment(eta, UTC)


def _without_said_eta(news: Announcement) -> Announcement:
    """Take the ETA away where a line of its own would only repeat the words, or none is to be expected any more."""
    return replace(news, eta=None) if news.kind is Kind.RESOLVED or _names_eta(news) else news


def _names_eta(news: Announcement) -> bool:
    """Say whether the words name the moment of the ETA, and its day if that is another one."""
    if news.eta is None:
        return False
    # "was 14:05 UTC" is the ETA before, and "23 Nov 14:05 UTC" another day's.
    before = r"(?<!was )(?<![0-9] [A-Z][a-z]{2} )"
    if news.eta.date() != news.at.date():
        day = moment(news.eta, UTC).partition(f" {news.eta.year},")[0]
        before = rf"(?<!was )(?:\b{day}(?: {news.eta.year},?)? |{news.eta:%Y-%m-%d}[T ])"
    return re.search(rf"{before}(?<![0-9]){news.eta:%H:%M}(?: ?UTC| ?GMT|Z)\b", news.words) is not None


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


def _headline(latest: Announcement, house: House) -> str:
    at = moment(latest.at, house.timezone, seconds=latest.seconds)
    if latest.kind is Kind.RESOLVED:
        return f"RESOLVED after {lasted(latest)}, {at}"
    return f"UPDATE {at}" + (f" · {latest.status}" if latest.status else "")


def _shortened(headline: str, words: str, room: int) -> str:
    """The words under their headline, cut at a word where there is no room; empty if there is none for the headline."""
    least = f"{headline}: "
    whole = least + words
    if len(whole) <= room:
        return whole
    kept = whole[: max(0, room - len(_SHORTENED))]
    if len(kept) < len(least):
        return ""
    at_word = kept.rsplit(maxsplit=1)[0]
    return (at_word if len(at_word) > len(least) else least) + _SHORTENED
