"""How letters leave, as far as the DNS has a say in it: from whom, through whom, with whose signature."""

from __future__ import annotations

from ipaddress import ip_address, ip_network
from typing import TYPE_CHECKING

import msgspec

from outagecast.channels.email.addresses import parse as parse_address

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from outagecast.channels.email.dkim import Signer
    from outagecast.channels.email.relay import Relay
    from outagecast.channels.email.settings import EmailSettings
    from outagecast.channels.email.spf_record import IPAddress
    from outagecast.names import Names

_INSIDE = [
    ip_network(network)
    for network in (
        *("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16"),
        *("fc00::/7", "fe80::/10", "::1/128"),
    )
]
"""Not seen from outside as what they are (RFC 1918, 6598, 1122, 3927, 4193, 4291)."""


class Sending(msgspec.Struct, frozen=True):
    """One channel's letters; domains in IDNA and in small letters."""

    name: str
    """The channel's."""
    author: str
    """The domain in From."""
    sender: str
    """The address on the envelope."""
    relays: Sequence[Relay]
    signs: str
    """The domain of our own signature; empty without `dkim:`."""
    key_record: str
    signer: Callable[[], Signer | None]
    """Reads the key: raises Refused."""

    @property
    def envelope(self) -> str:
        """The domain that SPF is asked of."""
        return self.sender.rpartition("@")[2].lower()


def sending(
    name: str, settings: EmailSettings, relays: Sequence[Relay], signer: Callable[[], Signer | None]
) -> Sending:
    """As the settings have it, without a look at the key."""
    author = settings.from_address
    written = (settings.envelope_sender or author.spec).replace("{token}", "check")
    key = settings.dkim
    return Sending(
        name=name,
        author=author.domain.lower(),
        sender=parse_address(written).spec,
        relays=relays,
        signs=key.ascii_domain if key else "",
        key_record=f"{key.selector}._domainkey.{key.ascii_domain}".lower() if key else "",
        signer=signer,
    )


def seen_from(names: Names, relay: Relay) -> Sequence[IPAddress]:
    """The public addresses of a relay; none of one on this machine or in this network: what it sends from is not seen.

    Raises UnansweredError.
    """
    try:
        addresses = [ip_address(relay.host)]
    except ValueError:
        addresses = [ip_address(found) for found in names.way(relay.host.lower()).addresses]
    return [address for address in addresses if not any(address in network for network in _INSIDE)]
