"""The login in a URL that is a secret, found in its template before any `${…}` in it is read.

What masks a password and what logs in with it must agree on where it begins and ends, so both ask here.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterator

HIDDEN = "\ufffc"
"""Stands for each character of a `${…}` while the URL's own borders are looked for."""
_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://(?:(?P<login>.*)@)?[^@]*", re.DOTALL)


class Login(msgspec.Struct, frozen=True):
    """What stands before the last @ of a URL: templates, as they are written."""

    user: str
    password: str
    before: str
    """What stands before the user, and after the password: the rest of the URL."""
    after: str

    @property
    def without_user(self) -> str:
        """The URL as a template of what must not be shown."""
        return f"{self.before}:{self.password}{self.after}"


def is_url(template: str) -> bool:
    """Whether it is written as a URL; one that comes whole from a `${…}` is none yet."""
    return bool(_URL.fullmatch(blotted(template)))


def login(template: str) -> Login | None:
    """Give the login of a URL, None if it is no URL or has none. The first : ends the user, the last @ the password.

    Without any : all of it counts as the password: somebody may have left out the user.
    """
    found = _URL.fullmatch(blotted(template))
    if found is None or found["login"] is None:
        return None
    start, end = found.span("login")
    colon = found["login"].find(":")
    user = template[start : start + max(colon, 0)]
    return Login(user, template[start + colon + 1 : end], template[:start], template[end:])


def blotted(template: str) -> str:
    """The template with every `${…}` blotted out, at the same length."""
    shown = ""
    while len(shown) < len(template):
        place = len(shown)
        if template.startswith("${", place):
            shown += HIDDEN * (_end(template, place) - place)
        else:
            shown += template[place : place + (2 if template.startswith("$$", place) else 1)]
    return shown


def _end(template: str, start: int) -> int:
    """Where the `${…}` that begins at `start` is over; braces inside it come in pairs."""
    depth = 0
    for place in range(start + 1, len(template)):
        depth += (template[place] == "{") - (template[place] == "}")
        if depth == 0:
            return place + 1
    return len(template)


def decoded(template: str) -> str:
    """The same template with what is written out percent-decoded, and every dollar that comes of it doubled."""
    return "".join(_decoded(template))


def _decoded(template: str) -> Iterator[str]:
    from urllib.parse import unquote

    for run in re.finditer(rf"{HIDDEN}+|[^{HIDDEN}]+", blotted(template)):
        if run[0][0] == HIDDEN:
            yield template[run.start() : run.end()]
        else:
            yield unquote(run[0].replace("$$", "$")).replace("$", "$$")
