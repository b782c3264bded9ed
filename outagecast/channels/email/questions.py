"""What a person is asked for letters to go out: who writes, through which relays, to whom."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import quote

from outagecast.channel import Confided, Grant, Secret
from outagecast.channels.email.addresses import parse as parse_address
from outagecast.channels.email.relay import parse as parse_relay

if TYPE_CHECKING:
    from collections.abc import Sequence

    from outagecast.channel import Person

_MOST_RELAYS = 9


def ask(person: Person) -> Grant:
    """Ask for what the section cannot do without. Nothing is asked of any relay here: the channel's own check does."""
    sender = person.line("What readers see as the sender, as in Example Status <status@example.net>", check=_address)
    relays = list(_relays(person))
    to = _listed(person.line("Addresses that always get it, with commas between them", optional=True, check=_addresses))
    subscribers = not to or person.yes("And everybody on the list of `outagecast subscribers`?", default=True)
    if not to:
        person.say("Letters go to everybody on the list of `outagecast subscribers`.")
    domain = parse_address(sender).domain
    keys: dict[str, str | bool | Sequence[str | Confided]]
    keys = {"sender": sender, "relays": relays, "subscribers": subscribers, "list_id": f"outages.{domain}"}
    if to:
        keys["to"] = to
    return Grant(keys)


def _relays(person: Person) -> list[str | Confided]:
    person.say(
        "A relay is a mail server that takes your letters; at least one should not be yours. Port 465 is encrypted "
        "from the start, others demand STARTTLS."
    )
    relays = [_relay(person, 1, person.line("The relay, as in smtp.example.net:587", check=_host))]
    while len(relays) < _MOST_RELAYS:
        question = "One more, for when that cannot be reached"
        host = person.line(question, optional=True, check=_host)
        if not host:
            break
        relays.append(_relay(person, len(relays) + 1, host))
    return relays


def _relay(person: Person, number: int, host: str) -> str | Confided:
    url = _url(host)
    user = person.line("The login name there", optional=True)
    password = person.hidden("Its password") if user else None
    if password is None:
        return url
    scheme, _, rest = url.partition("://")
    return Confided(f"relay-{number}-password", password, f"{scheme}://{quote(user, safe='')}:{{}}@{rest}")


def _url(host: str) -> str:
    if "://" in host:
        return host
    return f"{'smtps' if re.search(r':465$', host) else 'smtp'}://{host}"


def _host(text: str) -> None:
    if not text:
        return
    if "@" in text:
        raise ValueError("leave login name and password out here: they are asked for next")
    parse_relay(Secret.of(_url(text)))


def _address(text: str) -> None:
    if not parse_address(text).ascii:
        raise ValueError("the part before the @ must be plain ASCII")


def _addresses(text: str) -> None:
    for each in _listed(text):
        parse_address(each)


def _listed(text: str) -> list[str]:
    return [each for each in (part.strip() for part in text.split(",")) if each]
