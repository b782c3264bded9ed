"""A picture to go with an announcement: read once, known by its content, kept with the announcement from then on."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from outagecast.errors import UsageError
from outagecast.model import Image
from outagecast.text import one_line

if TYPE_CHECKING:
    from pathlib import Path

MOST = 5 * 1024 * 1024
"""Octets: what X takes (https://docs.x.com/x-api/media/quickstart/best-practices, read November 2026)."""
MOST_ALT = 1000
"""Characters of an alternative text that X takes."""
_TYPES = (
    (re.compile(rb"\x89PNG\r\n\x1a\n"), "image/png"),
    (re.compile(rb"\xff\xd8\xff"), "image/jpeg"),
    (re.compile(rb"GIF8[79]a"), "image/gif"),
    (re.compile(rb"RIFF.{4}WEBP", re.DOTALL), "image/webp"),
)
_ODD = re.compile(r"[^A-Za-z0-9._-]+")
_EXAMPLE = '--image map.png --alt "map of the affected streets"'


def read(path: Path, alt: str | None) -> Image:
    """The picture in a file. Raises UsageError where it cannot be read, is none, is too large or has no words to it."""
    if alt is None:
        raise UsageError(
            "--image needs --alt: what the picture shows, for whoever cannot see it", hint=f"like this: {_EXAMPLE}"
        )
    alt = one_line(alt, "--alt") if len(alt) <= MOST_ALT else _too_long(alt)
    data = _content(path)
    kind = next((kind for signature, kind in _TYPES if signature.match(data)), None)
    if kind is None:
        raise UsageError(
            f"--image {path}: this is no PNG, JPEG, GIF or WebP picture", hint="convert it, or leave --image out"
        )
    return Image(name=_name(path, kind), type=kind, alt=alt, data=data)


def _too_long(alt: str) -> str:
    raise UsageError(f"--alt has {len(alt):,} characters; {MOST_ALT:,} are the most", hint=f"like this: {_EXAMPLE}")


def _content(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            data = file.read(MOST + 1)
    except OSError as err:
        raise UsageError(f"--image {path} cannot be read: {err.strerror}", hint=f"ls -l {path}") from err
    if len(data) > MOST:
        raise UsageError(
            f"--image {path} has more than {MOST / 1e6:.1f} MB",
            hint="make it smaller (an outage map is readable at 1600 pixels), or leave --image out",
        )
    return data


def _name(path: Path, kind: str) -> str:
    """The file's name, such that it may stand in any header; its ending is that of its content."""
    stem = _ODD.sub("-", path.stem).strip("-.") or "picture"
    return f"{stem[:56]}.{kind.rpartition('/')[2]}"
