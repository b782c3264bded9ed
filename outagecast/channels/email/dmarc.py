"""DMARC (RFC 9989, formerly 7489): the record that applies to a domain, and whose names count as the domain's own."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from outagecast.names import Names

_VERSION = re.compile(r"\s*v\s*=\s*DMARC1\s*(?:;|\Z)")
_MOST_LABELS = 8
"""Of a longer name the labels in the middle are passed over (RFC 9989 4.10)."""


class Wish(StrEnum):
    """What the domain's owner asks receivers to do with letters that are not in line."""

    NONE = "none"
    QUARANTINE = "quarantine"
    REJECT = "reject"


_SOFTER = {Wish.REJECT: Wish.QUARANTINE, Wish.QUARANTINE: Wish.NONE, Wish.NONE: Wish.NONE}


class Record(msgspec.Struct, frozen=True):
    """The one record at a name."""

    domain: str
    tags: Mapping[str, str]

    def wish(self, author: str) -> Wish | None:
        """What is asked for letters of `author`; None when receivers can make nothing of the record (4.10.1)."""
        usual = _wish(self.tags.get("p"))
        own = usual if author == self.domain or "sp" not in self.tags else _wish(self.tags["sp"])
        if usual is None or own is None:
            return Wish.NONE if "mailto:" in self.tags.get("rua", "").lower() else None
        return _SOFTER[own] if self.tags.get("t", "").lower() == "y" else own

    def strict(self, tag: str) -> bool:
        """Whether `adkim` or `aspf` wants the very same name."""
        return self.tags.get(tag, "").lower() == "s"

    @property
    def border(self) -> str:
        """`y` for one of a registry, `n` for one of an owner who says so; empty for all others."""
        said = self.tags.get("psd", "").lower()
        return said if said in {"y", "n"} else ""


def applying(names: Names, author: str) -> Record | None:
    """The record for letters of this domain: its own, its organization's, or the registry's."""
    found = list(_walk(names, author))
    at = {record.domain: record for record in found}
    registry = next((record for record in found if record.border == "y"), None)
    return at.get(author) or at.get(_organization(author, found)) or registry


def in_line(names: Names, author: str, other: str, *, strict: bool) -> bool:
    """Whether what is shown for `other` counts for letters of `author`: the same name, or the same organization's."""
    return author == other or (not strict and organization(names, author) == organization(names, other))


def organization(names: Names, domain: str) -> str:
    """The domain of whoever owns this one (4.10.2)."""
    return _organization(domain, list(_walk(names, domain)))


def at(names: Names, domain: str) -> Sequence[str]:
    """The records at a name; with more than one, receivers see none."""
    return [text for text in names.texts(f"_dmarc.{domain}") if _VERSION.match(text)]


def _organization(domain: str, found: Sequence[Record]) -> str:
    """The last of them: the walk goes no further up than an owner who says so, or a registry, which is one too far."""
    for record in found:
        if record.border == "y" and record.domain != domain:
            below = domain.removesuffix(f".{record.domain}").rpartition(".")[2]
            return f"{below}.{record.domain}"
    return found[-1].domain if found else domain


def _walk(names: Names, domain: str) -> Iterator[Record]:
    """The records from here up, as far as one that ends it."""
    labels = domain.split(".")
    while labels:
        name = ".".join(labels)
        texts = at(names, name)
        if len(texts) == 1:
            record = Record(name, _tags(texts[0]))
            yield record
            if record.border:
                return
        labels = labels[1:] if len(labels) <= _MOST_LABELS else labels[1 - _MOST_LABELS :]


def _tags(text: str) -> Mapping[str, str]:
    pairs = (part.partition("=") for part in text.split(";"))
    return {name.strip().lower(): value.strip() for name, _, value in pairs if name.strip()}


def _wish(said: str | None) -> Wish | None:
    try:
        return Wish((said or "").lower())
    except ValueError:
        return None
