"""What the screen and the Markdown of `show` both tell: a row an announcement and channel, a line an entry."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from outagecast.daytimes import lasted, on_day
from outagecast.model import PostState
from outagecast.timeline_events import REPLIES

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime, tzinfo

    from outagecast.timeline import Chapter, Passage, Share, Timeline
    from outagecast.timeline_events import Entry
    from outagecast.timeline_letters import Mailing

HEAD = ("Announcement", "Channel", "Out at", "After", "Tries", "What became of it")
_NOW = {
    PostState.PLANNED: "waits",
    PostState.SENDING: "being sent",
    PostState.SENT: "out",
    PostState.REFUSED: "refused",
    PostState.IN_DOUBT: "in doubt",
    PostState.RETRACTED: "taken back",
    PostState.DROPPED: "never went out",
}
_KNOWN_BY = {"look": "its answer was lost, it was found by looking", "person": "a person has seen it"}


class Row(msgspec.Struct, frozen=True):
    """One row of the summary: its cells as `HEAD` names them, and the link to what is out."""

    cells: tuple[str, ...]
    url: str | None = None


def table(told: Timeline, zone: tzinfo) -> list[Row]:
    """A row a post, and one for all letters of an announcement over one channel."""
    return [row for chapter in told.chapters for share in chapter.shares for row in _rows(told, chapter, share, zone)]


def _rows(told: Timeline, chapter: Chapter, share: Share, zone: tzinfo) -> Iterator[Row]:
    day = told.incident.opened_at
    if share.mailing is not None:
        yield Row((chapter.name, share.name, *_letters(share.mailing, chapter.news.at, zone, day)))
    for post in share.posts:
        name = share.name + (f" {post.part}/{post.parts}" if post.parts > 1 else "")
        url = post.url if post.state is PostState.SENT else None
        yield Row((chapter.name, name, *_post(post, chapter.news.at, zone, day)), url)


def _post(post: Passage, announced: datetime, zone: tzinfo, day: datetime) -> tuple[str, ...]:
    out, after = "", ""
    if post.out_at is not None:
        out = on_day(post.out_at, zone, day, seconds=True)
        # Where its answer was lost it was out before anybody knew.
        after = ("≤ " if post.known_by in _KNOWN_BY else "") + lasted(post.out_at - announced)
    return out, after, str(post.tries), _became(post, zone, day)


def _became(post: Passage, zone: tzinfo, day: datetime) -> str:
    said = [_NOW[post.state]]
    if post.state is PostState.RETRACTED and post.until is not None:
        return f"taken back {on_day(post.until, zone, day, seconds=True)}"
    if post.state is PostState.SENT and post.replies is not None:
        said.append(REPLIES[post.replies])
    said += [f"{number} {act}" for act, number in (("hidden", post.hidden), ("deleted", post.deleted)) if number]
    if post.state is PostState.SENT and post.known_by in _KNOWN_BY:
        said.append(_KNOWN_BY[post.known_by])
    return "; ".join(said) + (f": {post.detail}" if post.detail else "")


def _letters(letters: Mailing, announced: datetime, zone: tzinfo, day: datetime) -> tuple[str, ...]:
    """The last one tells when everybody had it."""
    if letters.last_at is None:
        return "", "", "", "; ".join(_counted(letters))
    out = on_day(letters.last_at, zone, day, seconds=True)
    return out, lasted(letters.last_at - announced), "", "; ".join(_counted(letters))


def _counted(letters: Mailing) -> Iterator[str]:
    total = sum(letters.counts.values())
    yield f"{letters.sent:,} of {total:,} letter{'' if total == 1 else 's'} out"
    if letters.rate:
        yield letters.rate
    for state, n in letters.counts.items():
        if n and state not in {PostState.SENT, PostState.REFUSED}:
            yield f"{n:,} {_NOW[state]}"
    for reason in letters.refused:
        yield f"{reason.letters:,} refused: {reason.detail}"


def line(entry: Entry, told: Timeline, zone: tzinfo) -> tuple[str, str, str]:
    """When, where and what, of one entry."""
    where = entry.channel + (f" {entry.part}/{entry.parts}" if entry.parts > 1 else "")
    return on_day(entry.at, zone, told.incident.opened_at, seconds=True), where, _text(entry, told, zone)


def _text(entry: Entry, told: Timeline, zone: tzinfo) -> str:
    about = next(chapter.name for chapter in told.chapters if chapter.news.seq == entry.seq)
    text = entry.text if not entry.channel else f"{about}: {entry.text}"
    if entry.until is None:
        return text
    until = on_day(entry.until, zone, told.incident.opened_at, seconds=True)
    return f"{text} (until {until})" if entry.letters else f"{text} ({entry.times} times, until {until})"
