"""Every name that letters depend on, read from the settings alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from outagecast.channel import Dependency, Need
from outagecast.channels.email.addresses import parse as parse_address

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from outagecast.channels.email.sending import Sending
    from outagecast.channels.email.settings import EmailSettings


def depends(sending: Sending, settings: EmailSettings) -> Iterator[Dependency]:
    """Relays first: without them nothing goes out; then whoever must be able to receive, and what is looked up."""
    for relay in sending.relays:
        yield Dependency("a relay", relay.host.lower())
    yield _mail("the sender's mail", sending.author)
    if sending.envelope != sending.author:
        yield _mail("the bounces' mail", sending.envelope)
    if not sending.envelope.startswith("["):
        yield Dependency("what its SPF record includes", sending.envelope, Need.SPF)
    if sending.key_record:
        yield Dependency("the DKIM key", sending.key_record, Need.RECORD)
    hosts, domains = ways_out(settings)
    for host in hosts:
        yield Dependency("the way out of the list", host)
    for domain in domains:
        yield _mail("the way out of the list", domain)
    for domain, address in list_domains(settings).items():
        yield _mail(f"the list {address}", domain)


def list_domains(settings: EmailSettings) -> Mapping[str, str]:
    """The domains of `to:`, each with the first address there."""
    found: dict[str, str] = {}
    for written in settings.to:
        address = parse_address(written)
        found.setdefault(address.domain.lower(), address.spec)
    return {domain: address for domain, address in found.items() if not domain.startswith("[")}


def ways_out(settings: EmailSettings) -> tuple[Sequence[str], Sequence[str]]:
    """The hosts and the mail domains of `unsubscribe`."""
    from urllib.parse import urlsplit

    parts = [urlsplit(uri.replace("{token}", "token")) for uri in settings.unsubscribe_uris]
    hosts = [(part.hostname or "").lower() for part in parts if part.scheme == "https"]
    domains = [part.path.rpartition("@")[2].lower() for part in parts if part.scheme == "mailto"]
    return [host for host in hosts if host], [domain for domain in domains if domain]


def _mail(what: str, domain: str) -> Dependency:
    """An address in brackets (RFC 5321 4.1.3) is a host, not a domain that has mail hosts."""
    if domain.startswith("["):
        return Dependency(what, domain.strip("[]").removeprefix("ipv6:"))
    return Dependency(what, domain, Need.MAIL)
