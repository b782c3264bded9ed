"""The e-mail channel's own config keys, checked as far as they can be without a network or a secret."""

from __future__ import annotations

import re
from functools import partial
from typing import TYPE_CHECKING, Annotated, Literal

import msgspec

from outagecast.channel import Secret  # noqa: TC001  msgspec reads the annotations when the class is made
from outagecast.channels.email.addresses import Address, ascii_domain
from outagecast.channels.email.addresses import parse as parse_address
from outagecast.channels.email.relay import parse as parse_relay
from outagecast.secrets import quoted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_URI = re.compile(r"(https|mailto):[!-;=?-~]+")
_BETWEEN = re.compile(r"\s*,\s*(?=https:|mailto:|http:)")
_SELECTOR = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9_-]*[A-Za-z0-9])?(?:\.[A-Za-z0-9](?:[A-Za-z0-9_-]*[A-Za-z0-9])?)*")
_FIELD = re.compile(r"\{([^{}]*)\}")


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """How much a relay may be used; 0 is as much as it takes."""

    per_second: Annotated[float, msgspec.Meta(ge=0)] = 0
    per_hour: Annotated[int, msgspec.Meta(ge=0)] = 0
    per_day: Annotated[int, msgspec.Meta(ge=0)] = 0
    per_connection: Annotated[int, msgspec.Meta(ge=0)] = 0


class Dkim(msgspec.Struct, frozen=True, kw_only=True):
    """Whose signature letters carry: the public key stands in the DNS at `selector._domainkey.domain`."""

    domain: str
    selector: str
    key: Secret

    def __post_init__(self) -> None:
        problems = [*_tried("domain", self._named), *_tried("selector", self._selected)]
        if problems:
            raise ValueError(*problems)

    @property
    def ascii_domain(self) -> str:
        """The domain as it stands in a signature."""
        return ascii_domain(self.domain).lower()

    def _named(self) -> None:
        try:
            domain = self.ascii_domain
        except ValueError:
            domain = ""
        if "." not in domain or domain.startswith("["):
            raise ValueError(f"{quoted(self.domain)} is no domain name")

    def _selected(self) -> None:
        if not _SELECTOR.fullmatch(self.selector):
            raise ValueError(
                f"{quoted(self.selector)} is no selector; it is the first part of the key's name in the DNS"
            )


class EmailSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Who writes, through which relays, to whom."""

    sender: str
    relays: list[Secret]
    to: list[str] = []
    subscribers: bool = False
    list_id: str = ""
    envelope_sender: str = ""
    unsubscribe: str = ""
    one_click: bool = False
    token_secret: Secret | None = None
    connections: Annotated[int, msgspec.Meta(ge=1, le=50)] = 8
    dkim: Dkim | None = None
    limits: Limits = Limits()
    in_doubt: Literal["resend", "hold"] = "resend"

    def __post_init__(self) -> None:
        problems = list(_problems(self))
        if problems:
            raise ValueError(*problems)

    @property
    def from_address(self) -> Address:
        """The mailbox letters come from."""
        return parse_address(self.sender)

    @property
    def unsubscribe_uris(self) -> list[str]:
        """Each way to leave, with its `{token}`."""
        return [uri for uri in _BETWEEN.split(self.unsubscribe.strip()) if uri]


def _problems(settings: EmailSettings) -> Iterator[str]:
    yield from _tried("sender", lambda: _sender(settings.sender))
    if not settings.relays:
        yield "relays: name at least one, such as smtp://user:${SMTP_PASSWORD}@smtp.example.net:587"
    for number, relay in enumerate(settings.relays, 1):
        yield from _tried(f"relays: number {number}", partial(parse_relay, relay))
    for address in settings.to:
        yield from _tried("to", partial(parse_address, address))
    if not settings.to and not settings.subscribers:
        yield "to: nobody would get a letter; name addresses, or write subscribers: true"
    if settings.list_id:
        yield from _tried("list_id", lambda: ascii_domain(settings.list_id))
    yield from _token_problems(settings)
    if settings.dkim:
        yield from _tried("dkim", partial(_aligned, settings))


def _token_problems(settings: EmailSettings) -> Iterator[str]:
    if settings.envelope_sender:
        bare = settings.envelope_sender.replace("{token}", "token")
        yield from _tried("envelope_sender", lambda: _bare(bare))
    uris = settings.unsubscribe_uris
    if not all(_URI.fullmatch(uri) for uri in uris):
        yield "unsubscribe: an https: or mailto: address, or both with a comma between them"
    used: set[str] = set()
    for key, template in (("envelope_sender", settings.envelope_sender), ("unsubscribe", settings.unsubscribe)):
        fields = set(_FIELD.findall(template))
        if fields - {"token"}:
            yield f"{key}: the only thing that is filled in is {{token}}"
        used |= fields
    if "token" in used and settings.token_secret is None:
        yield "token_secret: needed for the {token} of envelope_sender and unsubscribe"
    if settings.one_click and not any(uri.startswith("https:") and "{token}" in uri for uri in uris):
        yield "one_click: needs an https: address with {token} in unsubscribe (RFC 8058)"


def _tried(key: str, attempt: Callable[[], object]) -> Iterator[str]:
    try:
        attempt()
    except ValueError as err:
        yield f"{key}: {err}"


def _sender(written: str) -> None:
    address = parse_address(written)
    if not address.name.isprintable():
        raise ValueError("there are control characters in the name")
    if not address.ascii:
        raise ValueError("the part before the @ must be plain ASCII: not every relay takes anything else")


def _bare(written: str) -> None:
    address = parse_address(written)
    if address.name:
        raise ValueError("an address alone, without a name")
    _sender(written)


def _aligned(settings: EmailSettings) -> None:
    """DMARC (RFC 9989) counts only a signature of the sender's own domain or of one above it."""
    try:
        sender = settings.from_address.domain.lower()
    except ValueError:
        return  # that is told at `sender`
    domain = settings.dkim.ascii_domain if settings.dkim else ""
    if not f".{sender}".endswith(f".{domain}"):
        raise ValueError(f"domain must be {sender}, the sender's, or one above it, not {domain}")
