"""Mail addresses: read, checked, and written so that they can stand in a header and in the envelope."""

from __future__ import annotations

import re

import msgspec

_NAMED = re.compile(r"(?P<name>[^<>]*?)\s*<(?P<spec>[^<>]+)>")
_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~\u0080-\U0010ffff-]+"
_DOT_ATOM = re.compile(rf"{_ATOM}(?:\.{_ATOM})*")
_LABEL = r"[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?"
_DOMAIN = re.compile(rf"(?:{_LABEL}(?:\.{_LABEL})*|\[[0-9A-Za-z:.]+\])")
_FORBIDDEN = re.compile('[\x00-\x20\x7f-\x9f<>"\\\\\u2028\u2029\ud800-\udfff]')


class Address(msgspec.Struct, frozen=True):
    """One mailbox; the domain is in its ASCII form."""

    local: str
    domain: str
    name: str = ""

    @property
    def spec(self) -> str:
        """`local@domain`, quoted where RFC 5321 wants it."""
        local = self.local if _DOT_ATOM.fullmatch(self.local) else f'"{self.local}"'
        return f"{local}@{self.domain}"

    @property
    def ascii(self) -> bool:
        """False when only a relay with SMTPUTF8 can carry it."""
        return self.local.isascii()


def parse(text: str) -> Address:
    """Read `ann@example.org` or `Ann <ann@example.org>`; ValueError says what is wrong with it."""
    named = _NAMED.fullmatch(text.strip())
    spec = named["spec"].strip() if named else text.strip()
    local, at, domain = spec.rpartition("@")
    if not (local and at and domain):
        raise ValueError(f"'{text}' is no e-mail address")
    if len(local) > 2 and local[0] == local[-1] == '"':
        local = local[1:-1]
    if _FORBIDDEN.search(local) or len(local.encode("utf-8", "replace")) > 64:
        raise ValueError(f"the part before the @ of {text!r} cannot stand in a letter")
    name = named["name"].strip().strip('"') if named else ""
    return Address(local, ascii_domain(domain), name)


def ascii_domain(domain: str) -> str:
    """The form of a domain that every relay takes: `müller.example` becomes `xn--mller-kva.example`."""
    plain = domain if domain.isascii() else _idna(domain)
    if len(plain) > 253 or not _DOMAIN.fullmatch(plain):
        raise ValueError(f"{domain!r} is no domain name")
    return plain


def _idna(domain: str) -> str:
    import idna  # the stdlib's own codec knows only the rules of 2003

    try:
        return idna.encode(domain, uts46=True).decode("ascii")
    except idna.IDNAError as err:
        raise ValueError(f"{domain!r} is no domain name") from err


def token(key: str, spec: str) -> str:
    """The `{token}` of one address: the same for ever, and not to be guessed without `token_secret`."""
    import hmac

    mac = hmac.digest(key.encode(), spec.lower().encode(), "sha256")
    return _base32(mac, 26)


def digest(text: str, length: int) -> str:
    """A short name for `text` that tells nothing of it."""
    import hashlib

    return _base32(hashlib.sha256(text.encode()).digest(), length)


def _base32(raw: bytes, length: int) -> str:
    import base64

    return base64.b32encode(raw).decode("ascii").lower()[:length]
