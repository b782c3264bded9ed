"""Everything an adapter does to words: clean, count, split, stamp. Pure; no network, no clock, no locale."""

from __future__ import annotations

import re
import unicodedata
from functools import cache
from typing import TYPE_CHECKING

from outagecast.errors import UsageError
from outagecast.eta import without as without_eta
from outagecast.fitting import Fitted, Line, Rung, Thread, composed, fit, post
from outagecast.stamps import Detail, duration, lasted, moment, stamp, stamp_long
from outagecast.xtext import Span, defuse, x_cashtags, x_length, x_links, x_mentions

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = [
    "Detail",
    "Fitted",
    "Line",
    "Rung",
    "Span",
    "Thread",
    "clean",
    "composed",
    "defuse",
    "duration",
    "fit",
    "lasted",
    "moment",
    "one_line",
    "post",
    "shortened",
    "stamp",
    "stamp_long",
    "terminal",
    "without_eta",
    "x_cashtags",
    "x_length",
    "x_links",
    "x_mentions",
]

_MOST = 50_000
_LINE_MOST = 200


@cache
def _harmful() -> re.Pattern[str]:
    # Controls (a terminal obeys them), direction overrides (they make a text read backwards), lone surrogates (bytes
    # that were no UTF-8), byte order marks and noncharacters (X refuses a post that holds one).
    return re.compile(
        "[\\x00-\\x08\\x0b-\\x1f\\x7f-\\x9f\\u202a-\\u202e\\u2066-\\u2069\\ud800-\\udfff\\ufdd0-\\ufdef\\ufeff"
        "\\ufffe\\uffff]"
    )


def clean(text: str) -> str:
    """The message as it may go out: NFC, line ends LF, no blanks around it, nothing in it that a screen would obey."""
    return _cleaned(text, "the message", _MOST)


def one_line(text: str, what: str, most: int = _LINE_MOST) -> str:
    """A title or key, cleaned; `what` names it in errors. A line end in it could become a header of its own."""
    line = _cleaned(text, what, most)
    found = re.search(r"[\n\t]", line)
    if found:
        kind = "a tab" if found[0] == "\t" else "a line end"
        raise UsageError(
            f"{what} has {kind} in it, after {line[: found.start()]!r}", hint=f"type {what} again, in one line"
        )
    return line


def _cleaned(text: str, what: str, most: int) -> str:
    if len(text) > most:
        raise UsageError(f"{what} has {len(text):,} characters; {most:,} are the most", hint="say it in fewer words")
    text = re.sub("\r\n?|\u2028|\u2029", "\n", text.removeprefix("\ufeff"))
    found = _harmful().search(text)
    if found:
        raise UsageError(_why_harmful(found[0], found.start() + 1, what), hint="take it out, or type the words anew")
    text = unicodedata.normalize("NFC", text.strip())
    if not any(unicodedata.category(letter)[0] in "LNPS" for letter in text):
        message = what == "the message"
        hint = 'say what happened: outagecast post "fiber cut, ETA 1h"' if message else f"type {what} again, with words"
        raise UsageError(f"{what} is empty", hint=hint)
    return text


def _why_harmful(character: str, position: int, what: str) -> str:
    if "\ud800" <= character <= "\udfff":
        return f"{what} is not valid UTF-8: there is a stray byte at character {position}"
    name = "a control character" if unicodedata.category(character) == "Cc" else "an invisible control character"
    return f"{what} has {name} in it: U+{ord(character):04X} at character {position}"


def shortened(text: str, fits: Callable[[str], bool], least: int = 1) -> str:
    """The text, or as much of it as fits with "…" behind it; empty if that is less than `least` characters."""
    if fits(text):
        return text
    # Rare: what cuts is loaded when something has to be cut.
    from outagecast.cutting import cut_short

    return cut_short(text, fits, least)


def terminal(text: str) -> str:
    """A platform's words made safe to print: what a terminal would obey is shown as an escape."""
    return _harmful().sub(lambda found: found[0].encode("unicode_escape").decode("ascii"), text)


def terminal_json(document: str) -> str:
    """A JSON document made safe to print: the same values, with what a terminal would obey written as an escape."""
    return _harmful().sub(lambda found: f"\\u{ord(found[0]):04x}", document)
