"""A picture to go with an announcement: read once, known by its content, kept with the announcement from then on."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import msgspec

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


class Missing(msgspec.Struct, frozen=True):
    """A picture whose file is not there: what is left to tell whether it was announced already."""

    stem: str
    alt: str
    error: UsageError


def read(path: Path, alt: str | None) -> Image | Missing:
    """The picture in a file. Raises UsageError where it cannot be read, is none, is too large or has no words to it.

    A file that is not there is no error yet: the announcement may be on record, and its picture with it.
    """
    if alt is None:
        raise UsageError(
            "--image needs --alt: what the picture shows, for whoever cannot see it", hint=f"like this: {_EXAMPLE}"
        )
    if len(alt) > MOST_ALT:
        raise UsageError(f"--alt has {len(alt):,} characters; {MOST_ALT:,} are the most", hint=f"like this: {_EXAMPLE}")
    alt = one_line(alt, "--alt", MOST_ALT)
    try:
        data = _content(path)
    except UsageError as err:
        if isinstance(err.__cause__, FileNotFoundError):
            return Missing(_stem(path), alt, err)
        raise
    kind = next((kind for signature, kind in _TYPES if signature.match(data)), None)
    if kind is None:
        raise UsageError(
            f"--image {path}: this is no PNG, JPEG, GIF or WebP picture", hint="convert it, or leave --image out"
        )
    return Image(name=_name(path, kind), type=kind, alt=alt, data=data)


def there(asked: Image | Missing | None) -> Image | None:
    """The picture that an announcement is to have. UsageError where its file is not there."""
    if isinstance(asked, Missing):
        raise asked.error
    return asked


def alike(asked: Image | Missing, had: Image | None) -> bool:
    """Whether an announcement has the picture that is asked for: the same content, or the name of the missing file.

    UsageError where the file is missing and this is not its picture.
    """
    if not isinstance(asked, Missing):
        return asked == had
    if had is None or (had.name.rpartition(".")[0], had.alt) != (asked.stem, asked.alt):
        raise asked.error
    return True


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
    return f"{_stem(path)}.{kind.rpartition('/')[2]}"


def _stem(path: Path) -> str:
    stem = _ODD.sub("-", path.stem).strip("-.") or "picture"
    return stem[:56]
