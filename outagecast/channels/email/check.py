"""What `check` finds out about mail before the night, apart from the DNS: every relay, the key, the settings."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from outagecast.channel import Finding, Level, Refused
from outagecast.channels.email import check_relay
from outagecast.channels.email.at_once import at_once

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Iterator, Sequence
    from datetime import datetime

    from outagecast.channels.email.dkim import Signer
    from outagecast.channels.email.link import Waits
    from outagecast.channels.email.relay import Relay
    from outagecast.channels.email.settings import EmailSettings


def findings(
    name: str,
    settings: EmailSettings,
    relays: Sequence[Relay],
    *,
    tls: Callable[[], ssl.SSLContext],
    signer: Callable[[], Signer | None],
    waits: Waits,
    now: datetime,
) -> Iterator[Finding]:
    """All relays at once, in the config's order; then the key, and what the settings lack."""
    letters = check_relay.probes(settings)
    looks = [partial(check_relay.look, name, relay, letters, tls, waits, now) for relay in relays]
    yield from at_once(looks, waits.check, lambda number: check_relay.late(name, relays[number], waits))
    yield from _signature(name, signer)
    yield from _wanting(name, settings)


def _signature(name: str, signer: Callable[[], Signer | None]) -> Iterator[Finding]:
    try:
        signing = signer()
    except Refused as err:
        yield Finding(name, Level.BAD, err.text, err.hint)
        return
    if signing is not None:
        yield Finding(name, Level.GOOD, f"dkim.key can sign letters, as {signing.label}")


def _wanting(name: str, settings: EmailSettings) -> Iterator[Finding]:
    if len(settings.relays) == 1:
        yield Finding(name, Level.WARNING, "there is only one relay", "add a second one, at another provider")
    if settings.subscribers and not settings.unsubscribe:
        text = "subscribers' letters carry no way out; Gmail and Yahoo want one from those who send many"
        yield Finding(name, Level.WARNING, text, "set unsubscribe")
    if not settings.list_id:
        text = f"list_id is not set: outages.{settings.from_address.domain} is used"
        yield Finding(name, Level.WARNING, text, "set list_id to a name that will never change")
