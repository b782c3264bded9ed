"""Mail addresses as people hand them over: one a line, or a CSV with the groups behind."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import msgspec

from outagecast.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_ADDRESS = re.compile(r"[^\s@<>()\[\],;:\\\"\x00-\x1f\x7f]{1,64}@[^\s@<>()\[\],;:\\\"\x00-\x1f\x7f]{1,253}")
_GROUP = re.compile(r"[a-z0-9][a-z0-9_.-]{0,63}", re.IGNORECASE)


class Subscriber(msgspec.Struct, frozen=True):
    """Somebody who asked for announcements; of all of them, or of these groups only."""

    address: str
    groups: tuple[str, ...] = ()


def address(text: str) -> str:
    """The address with its domain in small letters, or UsageError. The local part is the receiver's own business."""
    found = text.strip()
    local, _, domain = found.rpartition("@")
    if not _ADDRESS.fullmatch(found) or ".." in found or domain.startswith((".", "-")) or domain.endswith("."):
        raise UsageError(f"{text.strip()!r} is no mail address", hint="like this: ann@example.org")
    return f"{local}@{domain.lower()}"


def group(text: str) -> str:
    """The name of a group, or UsageError."""
    if not _GROUP.fullmatch(text):
        raise UsageError(f"{text!r} is no name for a group", hint="letters, digits, dots, dashes: eu-west")
    return text


def read(lines: Iterable[str], groups: tuple[str, ...]) -> Iterator[tuple[int, Subscriber | UsageError]]:
    """Each line that is not empty or a comment, with its number: `address` or `address,group,group…`."""
    import csv

    for number, row in enumerate(csv.reader(lines, skipinitialspace=True), 1):
        if not row or not row[0].strip() or row[0].lstrip().startswith("#"):
            continue
        if number == 1 and row[0].strip().lower() in {"address", "email", "e-mail"}:
            continue
        try:
            named = tuple(group(name.strip()) for name in row[1:] if name.strip())
            yield number, Subscriber(address(row[0]), named + groups)
        except UsageError as err:
            yield number, err
