"""What a post on X will say and cost. Pure: no network, no clock."""

from __future__ import annotations

from typing import TYPE_CHECKING

from outagecast.channel import Kind, Limit, Post, Refused
from outagecast.errors import UsageError
from outagecast.text import fit, stamp, x_cashtags, x_length, x_links, x_mentions

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from outagecast.channel import Announcement

# Weighted units: https://github.com/twitter/twitter-text config/v3.json, read November 2026.
LIMIT = Limit(most=280, unit="characters as X counts them", count=x_length)
MOST_PARTS = 10
_MOST_CHARACTERS = 5000
# USD a post on pay-per-use, https://docs.x.com/x-api/getting-started/pricing, read November 2026.
_PRICE, _PRICE_WITH_LINK = "0.015", "0.20"
MENTIONED = "mentionedUsers"
"""Only the author and whoever the root mentions may reply; X has no "nobody". So our roots mention no one."""


def compose(news: Announcement, notice: str, most_parts: int) -> list[Post]:
    """Render the posts of an announcement; raises Refused if they cannot go out on X."""
    if len(news.words) > _MOST_CHARACTERS:
        raise Refused(
            f"the message has {len(news.words):,} characters: too long for X (at most {_MOST_CHARACTERS:,})",
            hint="say it in fewer words",
        )
    link = news.link if news.link and news.link not in news.words else ""
    optional = [piece for piece in (link, notice) if piece]
    texts = _texts(news, optional, most_parts)
    _demand_closed(texts)
    missing = link if link and not any(link in text for text in texts) else ""
    return [_post(news, text, part, len(texts), missing) for part, text in enumerate(texts, 1)]


def _texts(news: Announcement, optional: Sequence[str], most_parts: int) -> list[str]:
    def heading(part: int, parts: int) -> str:
        return f"[{stamp(news, part=part, parts=parts)}]"

    try:
        return fit(news.words, heading, optional, LIMIT.most, LIMIT.count, most_parts)
    except UsageError as err:
        thread = "" if most_parts > 1 else "; or set `long: thread` for this channel"
        raise Refused(f"X: {err.text}", hint=f"{err.hint}{thread}") from err


def _demand_closed(texts: Sequence[str]) -> None:
    """Refuse what would open the conversation to somebody, or what X is known to refuse."""
    for text in texts:
        names = [f"@{name}" for name in x_mentions(text)]
        if names:
            raise Refused(
                f"{', '.join(names)} in the text would be allowed to reply on X: a mention opens the conversation",
                hint="add --defuse-mentions (reads the same, mentions nobody), or leave the @ out",
            )
        if len(tags := x_cashtags(text)) > 1:
            raise Refused(
                f"X takes at most one cashtag in a post; here are {len(tags)}: {', '.join(tags)}",
                hint="leave the $ out of all but one",
            )


def _post(news: Announcement, text: str, part: int, parts: int, missing_link: str) -> Post:
    has_link = bool(x_links(text))
    data: Mapping[str, str] = {"cost": f"{_PRICE_WITH_LINK if has_link else _PRICE} USD"}
    if news.kind is Kind.OPENED and part == 1:
        data = {**data, "reply_settings": MENTIONED}
    return Post(text, part, parts, data=data, warnings=tuple(_warnings(text, part, parts, missing_link)))


def _warnings(text: str, part: int, parts: int, missing_link: str) -> Iterator[str]:
    if part == 1 and parts > 1:
        yield f"too long for one post: goes out as a thread of {parts}"
    if part == 1 and missing_link:
        yield f"no room for the link: {missing_link} is left out"
    links = x_links(text)
    accidental = [link.text for link in links if not link.scheme]
    if accidental:
        yield (
            f"X makes a link of {', '.join(accidental)}: the post costs {_PRICE_WITH_LINK} USD instead of {_PRICE}; "
            "write it without the dot if no link is meant"
        )
    elif links:
        yield f"a link in the post: it costs {_PRICE_WITH_LINK} USD instead of {_PRICE}"
