"""A picture in a letter: a part of its own behind the words, which still say everything without it."""

from __future__ import annotations

import base64
import re
from typing import TYPE_CHECKING

from outagecast.channels.email import headers

if TYPE_CHECKING:
    from collections.abc import Sequence

    from outagecast.channel import Image

MOST = 5 * 1024 * 1024
"""The largest picture, in bytes. In base64 it has 7.2 MB: that is still a letter under the 10,240,000 octets which
Postfix takes unless it is told otherwise (message_size_limit); Gmail and Exchange Online take more. Each reader's
letter carries it anew, so smaller is kinder: 10,000 of these are 72 GB."""
_ROW = 57
"""Octets that make a line of 76 characters in base64 (RFC 2045 6.8)."""
HEAVIEST = -(-MOST // 3) * 4 + -(-MOST // _ROW) * 2
"""What the largest picture adds to a letter, in octets."""
_NOT_IN_A_NAME = re.compile(r"[^A-Za-z0-9._ ()-]")


def described(image: Image) -> str:
    """What it shows, in one line."""
    return " ".join(image.alt.split()) or image.name


def part(image: Image, identifier: str) -> Sequence[str]:
    """The header of its part. ValueError when it holds what no header may."""
    # Some programs decode what stands between quotes, some do not: of a name only what is the same to all is kept.
    name = _NOT_IN_A_NAME.sub("_", image.name)
    return (
        headers.structured("Content-Type", f'{image.type}; name="{name}"'),
        headers.structured("Content-Disposition", f'inline; filename="{name}"'),
        "Content-Transfer-Encoding: base64",
        headers.structured("Content-ID", f"<{identifier}>"),
        headers.text("Content-Description", described(image)),
    )


def encoded(image: Image) -> bytes:
    """Its octets as they are in a letter; ends with a line end."""
    return base64.encodebytes(image.data).replace(b"\n", b"\r\n")


def weight(image: Image) -> str:
    """What it adds to a letter, in words."""
    octets = -(-len(image.data) // 3) * 4 + -(-len(image.data) // _ROW) * 2
    return f"{octets / 1_000_000:.1f} MB" if octets >= 1_000_000 else f"{max(1, round(octets / 1000))} kB"
