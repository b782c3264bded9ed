"""The words of a letter: plain text a tired reader takes in at a glance, and the octets that carry it."""

from __future__ import annotations

import binascii
import re
from typing import TYPE_CHECKING

from msgspec.structs import replace

from outagecast.channel import Kind

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from outagecast.channel import Announcement, House

COLUMNS = 76
_MOST_LINE = 990
"""A little under RFC 5322's 998, so that a dot and a line end still fit."""
_BAD = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")


def compose(news: Announcement, house: House) -> str:
    """The body as the reader sees it; ValueError when it holds what no letter can carry."""
    from outagecast.text import stamp_long

    blocks = [
        _wrapped(news.words),
        "\n".join(_facts(news, house)),
        _wrapped(stamp_long(replace(news, status=None), house.timezone)),
    ]
    name = title(news)
    if name and name not in news.words:
        blocks[-1] += "\n" + _wrapped(f"Incident: {name}")
    text = "\n\n".join(filter(None, blocks)) + "\n\n-- \n" + _footer(house) + "\n"
    if bad := _BAD.search(text):
        raise ValueError(f"a letter cannot carry the character U+{ord(bad[0]):04X}")
    return text


def title(news: Announcement) -> str:
    """The incident's title in one line, without the ETA that was true when it was opened."""
    from outagecast.text import without_eta

    return without_eta(" ".join(news.incident.title.split()))


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


def _facts(news: Announcement, house: House) -> Iterator[str]:
    if news.status and news.kind in (Kind.OPENED, Kind.UPDATE):
        yield f"Status: {news.status}"
    if news.eta and news.kind is not Kind.RESOLVED:
        yield f"ETA:    {_moment(news, news.eta, house)}"
    if news.link:
        yield f"Link:   {news.link}"


def _moment(news: Announcement, at: datetime, house: House) -> str:
    """Another time, written as the announcement's own is."""
    from outagecast.text import stamp_long

    return stamp_long(replace(news, at=at, kind=Kind.OPENED, seq=0, status=None, seconds=False), house.timezone)


def _footer(house: House) -> str:
    lines = [f"This is an announcement of {' '.join(house.organization.split())}; replies to it are not read."]
    lines += [house.notice] if house.notice else []
    lines += [f"Help: {house.support}"] if house.support and house.support not in house.notice else []
    return "\n".join(map(_wrapped, lines))


def _wrapped(text: str) -> str:
    """Every line within the columns, its words and links whole."""
    return "\n".join(_wrapped_line(line) for line in re.sub(r"\r\n?", "\n", text).split("\n"))


def _wrapped_line(line: str) -> str:
    rows = [""]
    for word in line.split(" ") if len(line) > COLUMNS else [line]:
        if rows[-1] and len(rows[-1]) + 1 + len(word) > COLUMNS:
            rows.append(word)
        else:
            rows[-1] = f"{rows[-1]} {word}" if rows[-1] else word
    return "\n".join(row.rstrip(" ") for row in rows)
