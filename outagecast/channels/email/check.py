"""What `check` finds out about mail before the night, apart from the DNS: every relay, the key, the settings."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from outagecast.channel import Finding, Level, Refused
from outagecast.channels.email import check_relay
from outagecast.channels.email.at_once import at_once
from outagecast.channels.email.probes import MOST_PROBES, probes

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
    listed: Sequence[str] | None = None,
) -> Iterator[Finding]:
    """All relays at once, in the config's order; then the key, and what the settings lack.

    `listed` are some of the subscribers; None where nobody knows who is on the list.
    """
    asked = probes(settings, listed or ())
    looks = [partial(check_relay.look, name, relay, asked, tls, waits, now) for relay in relays]
    yield from at_once(looks, waits.check, lambda number: check_relay.late(name, relays[number], waits))
    yield from _readers(name, settings, listed)
    yield from _signature(name, signer)
    yield from _wanting(name, settings)


def _readers(name: str, settings: EmailSettings, listed: Sequence[str] | None) -> Iterator[Finding]:
    if listed is not None and not listed and not settings.to:
        text = "nobody would get a letter: there is no `to:`, and the list of subscribers is empty"
        yield Finding(name, Level.WARNING, text, "outagecast subscribers import FILE")
    if (more := len(settings.to) - MOST_PROBES) > 0:
        text = f"{more} more address{'es' if more > 1 else ''} in to: {'were' if more > 1 else 'was'} not asked about"
        yield Finding(name, Level.GOOD, text)


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
