"""What a post on X will say and cost. Pure: no network, no clock."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import TYPE_CHECKING

from outagecast.channel import Kind, Limit, Post, Refused
from outagecast.errors import UsageError
from outagecast.text import (
    Detail,
    Fitted,
    Line,
    Rung,
    Thread,
    composed,
    defuse,
    fit,
    post,
    shortened,
    stamp,
    without_eta,
    x_cashtags,
    x_length,
    x_links,
    x_mentions,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from outagecast.channel import Announcement

# Weighted units: https://github.com/twitter/twitter-text config/v3.json, read November 2026.
LIMIT = Limit(most=280, unit="characters as X counts them", count=x_length)
MOST_PARTS = 10
ALONE = "alone"
"""Under this name a post's data have the text that it has where it hangs under nothing."""
_MOST_CHARACTERS = 5000
_THREADS_TITLE = 40
"""So much of it, at the most, finds room in the first part of a thread."""
_LEAST_TITLE = 12
"""With less of an incident's title than this nobody knows which incident it is."""
# USD a post on pay-per-use, https://docs.x.com/x-api/getting-started/pricing, read November 2026.
_PRICE, _PRICE_WITH_LINK, _PRICE_OF_ALT_TEXT = Decimal("0.015"), Decimal("0.20"), Decimal("0.005")
MENTIONED = "mentionedUsers"
"""Only the author and whoever the root mentions may reply; X has no "nobody". So our roots mention no one."""


def compose(news: Announcement, notice: str, most_parts: int) -> list[Post]:
    """Render the posts of an announcement; raises Refused if they cannot go out on X."""
    if len(news.words) > _MOST_CHARACTERS:
        raise Refused(
            f"the message has {len(news.words):,} characters: too long for X (at most {_MOST_CHARACTERS:,})",
            hint="say it in fewer words",
        )
    fitted = _fitted(news, notice, most_parts)
    alone = "" if news.kind is Kind.OPENED else _alone(news, fitted)
    _demand_closed([*fitted.posts, alone])
    return [_post(news, fitted, part, alone) for part in range(1, len(fitted.posts) + 1)]


def _fitted(news: Announcement, notice: str, most_parts: int) -> Fitted:
    below = [Line("the notice", notice)] if notice else []
    room = _room(news)

    def heading(part: int, parts: int) -> str:
        return _headed(stamp(news, part=part, parts=parts), room if part == 1 else "")

    try:
        thread = Thread(_with_link(news, news.words), heading, most_parts, below)
        fitted = fit(_ladder(news, notice), thread, LIMIT.most, LIMIT.count)
        return _without_room(fitted, news, room)
    except UsageError as err:
        hint = err.hint if most_parts > 1 else f"{err.hint}; or set `long: thread` for this channel"
        raise Refused(f"X: {err.text}", hint=hint) from err


def _room(news: Announcement) -> str:
    """What the first part of a thread leaves room for: so much of the title names the incident where it is alone."""
    if news.kind is Kind.OPENED:
        return ""
    title = _harmless(without_eta(news.incident.title))
    return shortened(title, lambda title: LIMIT.count(title) <= _THREADS_TITLE, _LEAST_TITLE)


def _headed(said: str, title: str) -> str:
    return f"[{said} · {title}]" if title else f"[{said}]"


def _without_room(fitted: Fitted, news: Announcement, room: str) -> Fitted:
    """The same posts; the first part of a thread, where it hangs under the others, need not name the incident."""
    parts = len(fitted.posts)
    if parts == 1 or not room:
        return fitted
    said = stamp(news, part=1, parts=parts)
    body = fitted.posts[0].removeprefix(composed(_headed(said, room)))
    head = _headed(said, "")
    return Fitted([f"{head}{body}", *fitted.posts[1:]], head, fitted.lacks)


def _ladder(news: Announcement, notice: str) -> list[Rung]:
    """From all there is to say down to what was typed: at each rung one addition more is given up, in a fixed order."""
    newer, typed = _shorter(news)
    number = "how long it lasted" if news.kind is Kind.RESOLVED else str(Detail.NUMBER)
    status, bare = {Detail.STATUS}, {Detail.STATUS, Detail.NUMBER}
    rungs = [_rung(news, news.words, notice)]
    for name, words, without in (
        ("the notice", news.words, ()),
        ("the old ETA", newer, ()),
        (str(Detail.STATUS), newer, status),
        ("the time of the ETA", typed, status),
        (number, typed, bare),
        # Where another post says the same, the time with its seconds is what makes this one different.
        (str(Detail.TIME), typed, bare if news.seconds else set(Detail)),
    ):
        rung = _rung(news, words, without=without, lacks=(*rungs[-1].lacks, name))
        if (rung.head, rung.body) != (rungs[-1].head, rungs[-1].body):
            rungs.append(rung)
    return rungs


def _rung(
    news: Announcement,
    words: str,
    notice: str = "",
    *,
    without: Collection[Detail] = (),
    lacks: tuple[str, ...] = (),
) -> Rung:
    said = stamp(news, without=without)
    body = _with_link(news, words)
    return Rung(f"[{said}]" if said else "", f"{body}\n{notice}" if notice else body, lacks)


def _shorter(news: Announcement) -> tuple[str, str]:
    """The words without the ETA that is over, and those as they were typed, without the time of the new one as well."""
    if not news.shorter:
        return news.words, news.words
    typed = news.shorter[-1]
    # A single shorter way leaves out the one addition that there is: "(was 14:05 UTC)", or the time of the ETA.
    tells_old = news.words.count("was ") > typed.count("was ")
    return (news.shorter[0] if len(news.shorter) > 1 or tells_old else news.words), typed


def _with_link(news: Announcement, words: str) -> str:
    """The words, and the link on a line of its own below them unless they hold it: it is part of the message."""
    if not news.link or news.link in words.split() or news.link in {link.text for link in x_links(words)}:
        return words
    return f"{words}\n{news.link}"


def _alone(news: Announcement, fitted: Fitted) -> str:
    """The first post for where it hangs under nothing: its heading names the incident, as far as there is room.

    Empty where there is no room to name it.
    """
    head, first = composed(fitted.head), fitted.posts[0]
    body = first.removeprefix(head).removeprefix(" ")

    def named(title: str) -> str:
        title = _harmless(title)
        return composed(post(f"{head[:-1]} · {title}]" if head else f"[{title}]", body))

    title = shortened(
        without_eta(news.incident.title), lambda title: LIMIT.count(named(title)) <= LIMIT.most, _LEAST_TITLE
    )
    return named(title) if title else ""


def _harmless(title: str) -> str:
    """A title that mentions nobody and has no cashtag: the message may have the one that X takes."""
    return re.sub(r"\$(?=[A-Za-z])", "$\u200b", defuse(title))


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


def _post(news: Announcement, fitted: Fitted, part: int, alone: str) -> Post:
    text, first = fitted.posts[part - 1], part == 1
    image = news.image if first else None
    data = {"cost": _cost(text, described=bool(image and image.alt))}
    if news.kind is Kind.OPENED and first:
        data["reply_settings"] = MENTIONED
    if alone and first:
        data[ALONE] = alone
    return Post(text, part, len(fitted.posts), data=data, warnings=tuple(_warnings(fitted, part)), image=image)


def _cost(text: str, *, described: bool) -> str:
    price = _PRICE_WITH_LINK if x_links(text) else _PRICE
    return f"{price + _PRICE_OF_ALT_TEXT if described else price} USD"


def _warnings(fitted: Fitted, part: int) -> Iterator[str]:
    if part == 1 and len(fitted.posts) > 1:
        yield f"too long for one post: goes out as a thread of {len(fitted.posts)}"
    if part == 1 and fitted.lacks:
        yield f"no room for: {', '.join(fitted.lacks)}"
    links = x_links(fitted.posts[part - 1])
    accidental = [link.text for link in links if not link.scheme]
    if accidental:
        yield (
            f"X makes a link of {', '.join(accidental)}: the post costs {_PRICE_WITH_LINK} USD instead of {_PRICE}; "
            "write it without the dot if no link is meant"
        )
    elif links:
        yield f"a link in the post: it costs {_PRICE_WITH_LINK} USD instead of {_PRICE}"
