"""A relay as the config names it: the URL is taken apart as it is written, before any `${…}` in it is read.

A password that comes from `${…}` is taken as it is, whatever is in it; only what is written out is percent-decoded.
"""

from __future__ import annotations

import re
from enum import StrEnum
from typing import TYPE_CHECKING

import msgspec

from outagecast.channels.email.addresses import ascii_domain
from outagecast.secrets import HIDDEN, blotted

if TYPE_CHECKING:
    from outagecast.channel import Secret

_SHAPE = re.compile(
    r"(?P<scheme>smtps?)://(?:.*@)?(?P<host>\[[^\]/?#@]+\]|[^:/?#@\[\]]+)(?::(?P<port>[0-9]{1,5}))?/?(?:\?(?P<query>[^#]*))?",
    re.DOTALL,
)
_MOST_QUOTED = 240
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
    url: Secret
    user: Secret | None = None
    password: Secret | None = None

    @property
    def label(self) -> str:
        """What the operator is shown: never more than host and port."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    def quote(self, reply: object) -> str:
        """What it said, without any secret and within bounds."""
        return self.url.vault.quote(str(reply), _MOST_QUOTED)


def parse(secret: Secret) -> Relay:
    """Take a relay's URL apart; ValueError says what is wrong and never quotes it, as it may hold a password."""
    found = _SHAPE.fullmatch(blotted(secret.template))
    if found is None:
        raise ValueError(f"a relay must look like {_EXAMPLE}")
    if HIDDEN in found["host"] + (found["query"] or ""):
        raise ValueError(f"only the user and the password of a relay can come from ${{…}}: {_EXAMPLE}")
    host = _host(found["host"])
    user, password = _login(secret)
    relay = Relay(host, _port(found), _tls(found["scheme"], found["query"] or "", host), secret, user, password)
    if relay.tls is Tls.NONE and relay.user and not _loopback(host):
        raise ValueError(f"the relay {relay.label}: with tls=none the password could be read on the way; take it out")
    return relay


def _host(written: str) -> str:
    import ipaddress

    try:
        if written.startswith("["):
            return str(ipaddress.IPv6Address(written[1:-1]))
        # A dot at its end says that the name is complete; no certificate has one.
        return ascii_domain(written.removesuffix("."))
    except ValueError:
        # Not passed on: without an @ the password may stand where the host should.
        raise ValueError(f"a relay's host is a name or an address, as in {_EXAMPLE}") from None


def _port(found: re.Match[str]) -> int:
    port = int(found["port"] or (465 if found["scheme"] == "smtps" else 587))
    if not 0 < port < 65536:
        raise ValueError(f"a relay's port is a number from 1 to 65535, as in {_EXAMPLE}")
    return port


def _tls(scheme: str, query: str, host: str) -> Tls:
    if query not in ("", "tls=none") or (scheme == "smtps" and query):
        raise ValueError(f"the relay {host}: the only option there is after a ? is smtp://…?tls=none")
    if scheme == "smtps":
        return Tls.IMPLICIT
    return Tls.NONE if query else Tls.STARTTLS


def _login(secret: Secret) -> tuple[Secret | None, Secret | None]:
    login = secret.login()
    if login and not all(each.template for each in login):
        raise ValueError(f"a relay's login is user:password, as in {_EXAMPLE}")
    return login or (None, None)


def _loopback(host: str) -> bool:
    import ipaddress

    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
