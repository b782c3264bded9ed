"""What a relay answers: replies of RFC 5321, read from untrusted bytes and kept within bounds."""

from __future__ import annotations

import re

import msgspec

MOST_LINE = 4096
"""RFC 5321 4.5.3.1.5 allows 512 octets; some relays write more, none needs this much."""
MOST_LINES = 128

_LINE = re.compile(rb"([2-5][0-9][0-9])(?:([ -])([^\r\n]*))?\r*\Z")
_ENHANCED = re.compile(r"([245]\.[0-9]{1,3}\.[0-9]{1,3})(?=\s|$)")


class GarbledReplyError(Exception):
    """The other side does not speak SMTP."""


class Reply(msgspec.Struct, frozen=True):
    """One reply: its code and its lines without the codes; printable, whatever the relay sent."""

    code: int
    lines: tuple[str, ...] = ("",)

    @property
    def ok(self) -> bool:
        """Whether the command was done."""
        return 200 <= self.code < 300

    @property
    def text(self) -> str:
        """The lines as one."""
        return " ".join(filter(None, self.lines))

    @property
    def enhanced(self) -> str:
        """The enhanced status code of RFC 3463, or nothing when there is none that fits the reply's own class."""
        found = _ENHANCED.match(self.lines[0])
        return found[1] if found and found[1][0] == str(self.code)[0] else ""

    def __str__(self) -> str:
        return f"{self.code} {self.text}".strip()


def take(buffer: bytearray) -> Reply | None:
    """Take one whole reply off the front of `buffer`; None while it is not complete.

    Raises GarbledReplyError for anything that is no reply, and for one that grows without end.
    """
    lines: list[str] = []
    code = b""
    start = 0
    while (end := buffer.find(b"\n", start)) >= 0:
        if end - start > MOST_LINE:
            break
        found = _LINE.fullmatch(buffer[start:end])
        if found is None or (code and found[1] != code):
            raise GarbledReplyError(_shown(bytes(buffer[start:end]).rstrip(b"\r")))
        code = bytes(found[1])
        lines.append(_shown(bytes(found[3] or b"")))
        start = end + 1
        if found[2] != b"-":
            del buffer[:start]
            return Reply(int(code), tuple(lines))
        if len(lines) > MOST_LINES:
            raise GarbledReplyError("an answer of endless lines")
    if len(buffer) - start > MOST_LINE:
        raise GarbledReplyError("an endless line")
    return None


def _shown(line: bytes) -> str:
    text = line.decode("utf-8", "replace")
    return text if text.isprintable() else "".join(c if c.isprintable() else "?" for c in text)
