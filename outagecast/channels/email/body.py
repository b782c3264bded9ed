"""The words of a letter: plain text a tired reader takes in at a glance, and the octets that carry it."""

from __future__ import annotations

import binascii
import re
from typing import TYPE_CHECKING

from msgspec.structs import replace

from outagecast.channel import Kind
from outagecast.channels.email.picture import described

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from outagecast.channel import Announcement, House

COLUMNS = 76
_LABEL = len("Incident: ")
_MOST_LINE = 990
"""A little under RFC 5322's 998, so that a dot and a line end still fit."""
_UNREAD = re.compile(
    r"\brepl(?:ies|y)\b[^.!?;]*\b(?:not|never|un)[ -]?(?:be )?(?:read|answered|monitored|watched|seen)\b"
    r"|(?:\b(?:nobody|not|never|no[ -]one|cannot)|n't) (?:read|answer|monitor|watch|see)(?:s|es)?\b[^.!?;]*\brepl",
    re.IGNORECASE,
)
"""How a notice says that nobody reads replies; one that says it otherwise has it said twice, which does no harm."""
_BAD = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")


def compose(news: Announcement, house: House) -> str:
    """The body as the reader sees it; ValueError when it holds what no letter can carry."""
    blocks = [_wrapped(_message(news)), "\n".join(_facts(news, house)), f"-- \n{_footer(house)}\n"]
    text = "\n\n".join(blocks)
    if bad := _BAD.search(text):
        raise ValueError(f"a letter cannot carry the character U+{ord(bad[0]):04X}")
    return text


def lasting(title: str) -> str:
    """An incident's title in one line, without the ETA that was true when it was given."""
    from outagecast.text import without_eta

    return without_eta(" ".join(title.split()))


def encoded(text: str) -> tuple[str, bytes]:
    """The transfer encoding a text needs and its octets, with CRLF and without dots stuffed; ends with a line end."""
    lines = re.sub(r"\r\n?", "\n", text).removesuffix("\n").split("\n")
    if text.isascii() and max(map(len, lines)) <= _MOST_LINE:
        return "7bit", ("\r\n".join(lines) + "\r\n").encode("ascii")
    return "quoted-printable", b"".join(quoted(line) for line in lines)


def quoted(line: str) -> bytes:
    """One line in quoted-printable, soft-broken so that no piece is longer than 76 octets."""
    soft = binascii.b2a_qp(line.encode(), istext=True).replace(b"=\n", b"=\r\n")
    return soft + b"\r\n"


def stuffed(octets: bytes) -> bytes:
    """The same octets with the dots of RFC 5321 4.5.2; they must begin at the beginning of a line."""
    doubled = octets.replace(b"\r\n.", b"\r\n..")
    return b"." + doubled if doubled.startswith(b".") else doubled


def _message(news: Announcement) -> str:
    """The words; those of a correction say so at once, as nothing else does before the letter is opened."""
    if news.kind is not Kind.CORRECTION or news.words.lower().startswith("correction"):
        return news.words
    return f"Correction: {news.words}"


def _facts(news: Announcement, house: House) -> Iterator[str]:
    from outagecast.text import stamp_long

    # A correction is about another message: what that one said of the outage is not said again.
    going_on = news.kind in (Kind.OPENED, Kind.UPDATE)
    if news.status and going_on:
        yield _fact("Status", news.status)
    if news.eta and going_on:
        yield _fact("ETA", _moment(news, news.eta, house))
    yield _fact("As of", stamp_long(replace(news, status=None), house.timezone))
    if news.link:
        yield _fact("Link", news.link)
    name = lasting(news.incident.title)
    if name and name not in news.words:
        yield _fact("Incident", name)
    if news.image:
        yield _fact("Picture", described(news.image))


def _fact(label: str, text: str) -> str:
    """A line with a label; what does not fit goes on below, where it began."""
    rows = _wrapped_line(text, COLUMNS - _LABEL).replace("\n", "\n" + " " * _LABEL)
    return f"{label + ':':{_LABEL}}{rows}"


def _moment(news: Announcement, at: datetime, house: House) -> str:
    """Another time, written as the announcement's own is."""
    from outagecast.text import stamp_long

    return stamp_long(replace(news, at=at, kind=Kind.OPENED, seq=0, status=None, seconds=False), house.timezone)


def _footer(house: House) -> str:
    """Who it is from, that nobody reads replies, and where help is; each of the last two once, whoever says it."""
    unread = "" if _UNREAD.search(" ".join(house.notice.split())) else "; replies to it are not read"
    lines = [f"This is an announcement of {' '.join(house.organization.split())}{unread}."]
    lines += [house.notice] if house.notice else []
    lines += [f"Help: {house.support}"] if house.support and house.support not in house.notice else []
    return "\n".join(map(_wrapped, lines))


def _wrapped(text: str) -> str:
    """Every line within the columns, its words and links whole."""
    return "\n".join(_wrapped_line(line) for line in re.sub(r"\r\n?", "\n", text).split("\n"))


def _wrapped_line(line: str, columns: int = COLUMNS) -> str:
    rows = [""]
    for word in line.split(" ") if len(line) > columns else [line]:
        if rows[-1] and len(rows[-1]) + 1 + len(word) > columns:
            rows.append(word)
        else:
            rows[-1] = f"{rows[-1]} {word}" if rows[-1] else word
    return "\n".join(row.rstrip(" ") for row in rows)
