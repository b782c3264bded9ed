"""A relay as the config names it: the URL is taken apart as it is written, before any `${…}` in it is read.

A password that comes from `${…}` is taken as it is, whatever is in it; only what is written out is percent-decoded.
"""

from __future__ import annotations

import re
from enum import StrEnum
from typing import TYPE_CHECKING

import msgspec

from outagecast.channels.email.addresses import ascii_domain

if TYPE_CHECKING:
    from outagecast.channel import Secret

_HIDDEN = "\ufffc"
"""Stands for each character of a `${…}` while the URL's own borders are looked for."""
_SHAPE = re.compile(
    r"(?P<scheme>smtps?)://(?:(?P<login>.*)@)?(?P<host>\[[^\]/?#@]+\]|[^:/?#@\[\]]+)(?::(?P<port>[0-9]{1,5}))?/?(?:\?(?P<query>[^#]*))?",
    re.DOTALL,
)
_EXAMPLE = "smtp://user:${SMTP_PASSWORD}@smtp.example.net:587"


class Tls(StrEnum):
    """How a connection is made private."""

    STARTTLS = "starttls"
    IMPLICIT = "implicit"
    NONE = "none"


class Relay(msgspec.Struct, frozen=True):
    """Where letters are handed in."""

    host: str
    port: int
    tls: Tls
    user: Secret | None = None
    password: Secret | None = None

    @property
    def label(self) -> str:
        """What the operator is shown: never more than host and port."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def parse(secret: Secret) -> Relay:
    """Take a relay's URL apart; ValueError says what is wrong and never quotes it, as it may hold a password."""
    template = secret.template
    found = _SHAPE.fullmatch(_hidden(template))
    if found is None:
        raise ValueError(f"a relay must look like {_EXAMPLE}")
    if _HIDDEN in found["host"] + (found["query"] or ""):
        raise ValueError(f"only the user and the password of a relay can come from ${{…}}: {_EXAMPLE}")
    host = _host(found["host"])
    user, password = _login(secret, template[found.start("login") : found.end("login")] if found["login"] else "")
    relay = Relay(host, _port(found), _tls(found["scheme"], found["query"] or "", host), user, password)
    if relay.tls is Tls.NONE and relay.user and not _loopback(host):
        raise ValueError(f"the relay {relay.label}: with tls=none the password could be read on the way; take it out")
    return relay


def _hidden(template: str) -> str:
    """The template with every `${…}` blotted out, at the same length."""
    shown = ""
    while len(shown) < len(template):
        place = len(shown)
        if template.startswith("${", place):
            shown += _HIDDEN * (_end(template, place) - place)
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


def _host(written: str) -> str:
    if not written.startswith("["):
        # A dot at its end says that the name is complete; no certificate has one.
        return ascii_domain(written.removesuffix("."))
    import ipaddress

    try:
        return str(ipaddress.IPv6Address(written[1:-1]))
    except ValueError as err:
        raise ValueError(f"{written} is no IPv6 address") from err


def _port(found: re.Match[str]) -> int:
    port = int(found["port"] or (465 if found["scheme"] == "smtps" else 587))
    if not 0 < port < 65536:
        raise ValueError(f"{port} is no port")
    return port


def _tls(scheme: str, query: str, host: str) -> Tls:
    if query not in ("", "tls=none") or (scheme == "smtps" and query):
        raise ValueError(f"the relay {host}: the only option there is after a ? is smtp://…?tls=none")
    if scheme == "smtps":
        return Tls.IMPLICIT
    return Tls.NONE if query else Tls.STARTTLS


def _login(secret: Secret, written: str) -> tuple[Secret | None, Secret | None]:
    if not written:
        return None, None
    colon = _hidden(written).find(":")
    if colon <= 0 or colon == len(written) - 1:
        raise ValueError(f"a relay's login is user:password, as in {_EXAMPLE}")
    return secret.part(_decoded(written[:colon])), secret.part(_decoded(written[colon + 1 :]))


def _decoded(written: str) -> str:
    """The same template with what is written out percent-decoded, and every dollar that comes of it doubled."""
    from urllib.parse import unquote

    hidden = _hidden(written)
    pieces = re.finditer(rf"{_HIDDEN}+|[^{_HIDDEN}]+", hidden)
    return "".join(
        written[piece.start() : piece.end()]
        if piece[0][0] == _HIDDEN
        else unquote(piece[0].replace("$$", "$")).replace("$", "$$")
        for piece in pieces
    )


def _loopback(host: str) -> bool:
    import ipaddress

    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
