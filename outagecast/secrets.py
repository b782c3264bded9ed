"""Values with `${…}` in them: read when they are needed, never printed, masked wherever they might turn up."""

from __future__ import annotations

import re
import threading
from typing import TYPE_CHECKING

import msgspec

from outagecast.errors import ConfigError, Refused
from outagecast.secret_likeness import quoted
from outagecast.secret_sources import Reference, literal_secrets, parse, read, secret_references
from outagecast.secret_urls import HIDDEN, blotted, decoded, is_url, login

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

__all__ = ["HIDDEN", "Secret", "Vault", "blotted", "bounded", "quoted"]

_MASKED = "***"
_SHORTEST_MASKED = 4
"""Shorter values are left alone: masking every "a" would make the text unreadable and hide nothing."""
_SHORTEST_FRAGMENT = 8
"""The least of a Base64 text that is masked when it stands in the middle of a longer one (an AUTH PLAIN line)."""


MOST_QUOTED = 600
"""Characters in a line of what went wrong, in whatever words."""
_MOST_LINES = 200
"""A config may have many mistakes, each on a line of its own."""


class Secret(msgspec.Struct, frozen=True, eq=False):
    """A value that is read only by `reveal` and that no text ever shows. Equal is what has the same template."""

    template: str
    """As it is written in the config; a literal secret is its own template, so this must not be printed either."""
    vault: Vault
    where: str = ""
    """File, line and key path, for the error when it cannot be read."""
    masked: bool = True
    """Whether what it gives is masked in every text from then on; the user of a login is not."""

    @classmethod
    def of(cls, value: str) -> Secret:
        """Give a secret that is this value to the letter: no `${…}` in it is looked up."""
        from pathlib import Path

        return Vault({}, Path()).secret(value.replace("$", "$$"))

    def reveal(self) -> str:
        """Read the value; raises Refused (mendable) that names the variable or source at fault."""
        try:
            return self.vault.read_secret(self.template) if self.masked else self.vault.expand(self.template)
        except ConfigError as err:
            text = f"{err.text} ({self.where})" if self.where else err.text
            raise Refused(text, mendable=True, hint=err.hint) from err

    def part(self, template: str) -> Secret:
        """Give a piece of this secret (the password of a URL, say), read from the same places."""
        parse(template)
        return Secret(template, self.vault, self.where)

    def login(self) -> tuple[Secret, Secret] | None:
        """Give user and password of a URL, None if it has neither; the user is read like a secret but not masked.

        What is written out in them is percent-decoded; what comes from a `${…}` is taken as it is.
        """
        found = login(self.template)
        if found is None:
            return None
        user, password = self.part(decoded(found.user)), self.part(decoded(found.password))
        return msgspec.structs.replace(user, masked=False), password

    @property
    def written_out(self) -> bool:
        """Whether the config itself holds the secret, or a piece of it, instead of saying where it is kept."""
        return any(literal_secrets(self.template))

    def __repr__(self) -> str:
        sources = [piece.source for piece in parse(self.template) if isinstance(piece, Reference)]
        return f"Secret({', '.join(sources) or _MASKED})"

    def __str__(self) -> str:
        return _MASKED

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other.template == self.template

    def __hash__(self) -> int:
        return hash(self.template)


class _Cell:
    """What one source gave, the value or the error; locked while it is being read."""

    __slots__ = ("error", "lock", "value")

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.value: str | None = None
        self.error: ConfigError | None = None


class Vault:
    """Reads the `${…}` of one config, each once, and knows every secret it gave away.

    A failure is remembered too: eight connections that need the same password must not wait eight times for a
    command that hangs. A slow source holds up only those who ask for the same one.
    """

    def __init__(self, env: Mapping[str, str], folder: Path) -> None:
        self._env = env
        self._folder = folder
        self._lock = threading.Lock()
        self._cells: dict[Reference, _Cell] = {}
        self._forms: set[str] = set()
        self._pattern: re.Pattern[str] | None = None

    def secret(self, template: str, where: str = "") -> Secret:
        """Wrap a template without reading it; raises ConfigError when its `${…}` are malformed."""
        parse(template)
        self._hide_all(literal_secrets(template))
        return Secret(template, self, where)

    def expand(self, text: str) -> str:
        """Fill in the `${…}` of a value that is no secret; raises ConfigError."""
        return "".join(self._values(text))

    def read_secret(self, template: str) -> str:
        """Fill in the `${…}` of a secret and hide what came from them from now on; raises ConfigError."""
        values: list[str] = []
        hidden = secret_references(template)
        for piece, value in zip(parse(template), self._values(template), strict=True):
            if piece in hidden:
                self._hide(value)
                if is_url(value):
                    self._hide_all(literal_secrets(value.replace("$", "$$")))
            values.append(value)
        return "".join(values)

    def mask(self, text: str) -> str:
        """Replace every secret given away so far, plain, percent-encoded or in Base64, by ***."""
        with self._lock:
            if self._pattern is None and self._forms:
                longest_first = sorted(self._forms, key=len, reverse=True)
                self._pattern = re.compile("|".join(map(re.escape, longest_first)))
            pattern = self._pattern
        return pattern.sub(_MASKED, text) if pattern else text

    def quote(self, text: str, most: int = MOST_QUOTED) -> str:
        """A platform's words as they may be shown and kept: masked, and only then bounded.

        Whoever cuts first may leave the first half of a secret, which no mask knows any more.
        """
        return bounded(self.mask(text), most)

    def _values(self, template: str) -> Iterator[str]:
        for piece in parse(template):
            yield piece if isinstance(piece, str) else self._value(piece)

    def _value(self, reference: Reference) -> str:
        if reference.default is not None and not self._env.get(reference.argument):
            return self.expand(reference.default)
        with self._lock:
            cell = self._cells.setdefault(reference, _Cell())
        with cell.lock:
            if cell.value is None and cell.error is None:
                self._fill(cell, reference)
        if cell.value is None:
            raise self._again(cell.error)
        return cell.value

    def _fill(self, cell: _Cell, reference: Reference) -> None:
        try:
            cell.value = read(reference, self._env, self._folder)
        except ConfigError as err:
            cell.error = err

    @staticmethod
    def _again(error: ConfigError | None) -> ConfigError:
        # A fresh one for each thread: a raised exception carries the traceback of whoever raised it.
        return ConfigError(error.text, hint=error.hint) if error else ConfigError("a secret could not be read")

    def _hide_all(self, values: Iterable[str]) -> None:
        for value in values:
            self._hide(value)

    def _hide(self, value: str) -> None:
        forms = {form for text in (value, *value.split("\n")) for form in _forms(text.strip("\r\n"))}
        with self._lock:
            if not forms <= self._forms:
                self._forms |= forms
                self._pattern = None


def bounded(text: str, most: int = MOST_QUOTED) -> str:
    """The text, already masked, with the middle of each line left out that is longer: its end says what to do."""
    end = most // 4
    lines = text.split("\n")[:_MOST_LINES]
    return "\n".join(line if len(line) <= most else f"{line[: most - end - 3]} … {line[-end:]}" for line in lines)


def _forms(value: str) -> Iterator[str]:
    """Every way a secret is likely to be written in a log, an address or an exception."""
    if len(value) < _SHORTEST_MASKED:
        return
    import json
    from urllib.parse import quote, quote_plus

    yield value
    yield " ".join(value.split())  # as what a platform says is put on one line
    yield repr(value)[1:-1]
    yield json.dumps(value)[1:-1]
    for encoded in (quote(value, safe=""), quote(value), quote_plus(value)):
        yield encoded
        yield re.sub("%..", lambda code: code[0].lower(), encoded)
    yield from _base64_forms(value.encode())


def _base64_forms(value: bytes) -> Iterator[str]:
    """The value in Base64: by itself, and what of it stays the same inside a longer text at each alignment."""
    from base64 import b64encode, urlsafe_b64encode

    for encode in (b64encode, urlsafe_b64encode):
        yield encode(value).decode()
        yield encode(value).decode().rstrip("=")
        for before in range(3):
            whole = encode(b"\0" * before + value).decode()
            fragment = whole[-(-before * 8 // 6) : (before + len(value)) * 8 // 6]
            if len(fragment) >= _SHORTEST_FRAGMENT:
                yield fragment
