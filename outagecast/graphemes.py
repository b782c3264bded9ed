"""Where one character ends for the eye: the borders nothing may be cut within."""

from __future__ import annotations

import unicodedata

_JOINER = "\u200d"


def graphemes(text: str) -> list[str]:
    """The text in pieces a reader takes for one character each; joined, they are the text."""
    ends = grapheme_ends(text)
    return [text[start:end] for start, end in zip([0, *ends], ends, strict=False)]


def grapheme_ends(text: str) -> list[int]:
    """The end of each grapheme, by Unicode's rules (UAX 29) but for the rare signs that lean on what follows."""
    if text.isascii() and "\r" not in text:
        return list(range(1, len(text) + 1))
    ends: list[int] = []
    flags = 0
    for position in range(1, len(text)):
        before, after = text[position - 1], text[position]
        flags = flags + 1 if _is_flag_letter(before) else 0
        if not _belongs(before, after, flags):
            ends.append(position)
    return [*ends, len(text)] if text else ends


def _belongs(before: str, after: str, flags: int) -> bool:
    """Whether `after` is part of the grapheme that `before` is in; `flags` are the flag letters up to `before`."""
    if before < " " or after < " ":
        return before == "\r" and after == "\n"
    if after < "\u0300":
        return False
    if _extends(after) or (before == _JOINER and not after.isspace()):
        return True
    if _is_flag_letter(after):
        return flags % 2 == 1
    return _hangul(after) in _GOES_ON.get(_hangul(before), "")


def _extends(character: str) -> bool:
    return (
        unicodedata.category(character)[0] == "M"
        or character in "\u200c\u200d\uff9e\uff9f"
        or "\U0001f3fb" <= character <= "\U0001f3ff"
        or "\U000e0020" <= character <= "\U000e007f"
    )


def _is_flag_letter(character: str) -> bool:
    return "\U0001f1e6" <= character <= "\U0001f1ff"


# Korean syllables may be written as leading consonant L, vowel V and trailing consonant T; a ready-made one is an
# "A" (open: a T may follow) or a "B" (closed).
_GOES_ON = {"L": "LVAB", "V": "VT", "A": "VT", "T": "T", "B": "T"}


def _hangul(character: str) -> str:
    if not "\u1100" <= character <= "\ud7fb":
        return "-"
    if "\uac00" <= character <= "\ud7a3":
        return "B" if (ord(character) - 0xAC00) % 28 else "A"
    if character <= "\u115f" or "\ua960" <= character <= "\ua97c":
        return "L"
    if character <= "\u11a7" or "\ud7b0" <= character <= "\ud7c6":
        return "V"
    return "T" if character <= "\u11ff" or character >= "\ud7cb" else "-"
