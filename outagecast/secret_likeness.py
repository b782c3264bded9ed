"""Whether a value that stands in the wrong place may be repeated to whoever reads the error, or could be a secret."""

from __future__ import annotations

import re

_MOST = 20
"""Tokens and keys are longer: X's API keys have 25 characters, access tokens 50, Facebook's tokens 150 and more."""
_WORD = r"(?:[vV]?[0-9]+[a-z]{0,4}|[A-Z]?[a-z]+|[A-Z]+)"
_HARMLESS = re.compile(rf"[-+~./ ]{{0,3}}{_WORD}(?:[ .,:;/@_+-]{{1,2}}{_WORD})*")
_KEY = re.compile(r"[A-Za-z]?[a-z]*(?:[_-][a-z]+)*")


def harmless(text: str) -> bool:
    """Whether it is short and reads like a word, a number, a duration or a name.

    A password that is made for a machine mixes letters, digits and cases inside of a word; one of plain words alone
    would pass, and cannot be told from a slip of the pen.
    """
    return len(text) <= _MOST and _HARMLESS.fullmatch(text) is not None


def quoted(text: str) -> str:
    """The value in quotes if that is harmless, or else what to say in its place."""
    return repr(text) if harmless(text) else "what stands there"


def named(key: str) -> str:
    """A key that nobody knows, as it may be called: a secret may have slipped in front of the colon."""
    return key if harmless(key) or key == "<<" or _KEY.fullmatch(key) else "…"
