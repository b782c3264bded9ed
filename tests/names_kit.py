"""A DNS on loopback for the e-mail tests, and what `check` says of a channel by it."""

from __future__ import annotations

import socket
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from dkim_kit import record
from email_kit import channel

from outagecast.dns_names import SystemNames
from outagecast.sandbox.dns import NameServer

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from outagecast.channel import Level
    from outagecast.channels.email.channel import Email
    from outagecast.names import Names

    Zone = Mapping[str, Mapping[str, Sequence[str]]]

RELAY = "smtp://smtp.example.org"
LABEL = "smtp.example.org:587"
KEY = "outage._domainkey.example.net"
ZONE: Zone = {
    "example.net": {"MX": ["10 mx.example.org"], "TXT": ["v=spf1 include:spf.example.org -all", "other=thing"]},
    "mx.example.org": {"A": ["198.51.100.25"]},
    "smtp.example.org": {"A": ["203.0.113.5"], "AAAA": ["2001:db8::5"]},
    "spf.example.org": {"TXT": ["v=spf1 ip4:203.0.113.0/28 ip6:2001:db8::/64 -all"]},
    "_dmarc.example.net": {"TXT": ["v=DMARC1; p=reject"]},
    KEY: {"TXT": [record("rsa").decode()]},
    "lists.example.net": {"MX": ["10 mx.example.org"], "A": ["198.51.100.8"]},
}
"""All is well, for letters from status@example.net over smtp.example.org to outages@lists.example.net."""


def _nothing(_host: str) -> Sequence[str]:
    raise OSError(socket.EAI_NONAME, "this machine knows no names")


@contextmanager
def dns(changes: Zone | None = None, patience: float = 10) -> Iterator[tuple[NameServer, Names]]:
    """The zone with these changes, and what asks it; a name that is given nothing is not there."""
    zone = {name: found for name, found in {**ZONE, **(changes or {})}.items() if found}
    with NameServer(zone) as server:
        yield server, SystemNames(patience, [server.address], _nothing)


def said(email: Email, changes: Zone | None = None) -> list[tuple[Level, str, str]]:
    with dns(changes) as (_, names):
        return [(one.level, one.text, one.do) for one in email.check_names(names)]


def at(level: Level, changes: Zone | None = None, *relays: str, **more: Any) -> list[tuple[str, str]]:
    found = said(channel(*relays or (RELAY,), **more), changes)
    return [(text, do) for known, text, do in found if known is level]


def one(level: Level, changes: Zone | None = None, *relays: str, **more: Any) -> tuple[str, str]:
    (only,) = at(level, changes, *relays, **more)
    return only
