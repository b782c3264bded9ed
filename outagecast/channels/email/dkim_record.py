"""The record of a DKIM key in the DNS (RFC 6376 3.6.1): there, of use to receivers, and the half of our own key."""

from __future__ import annotations

import base64
import binascii
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from outagecast.channels.email.dkim import Signer


def wrong(texts: Sequence[str], signer: Signer) -> str:
    """Why receivers would not believe our signature by these records; empty when they would."""
    records = [text for text in texts if re.search(r"(?:^|;)\s*[pvk]\s*=", text)]
    if not records:
        return "is not there"
    if len(records) > 1:
        return f"is there {len(records)} times, and may be there once"
    return _wrong(records[0], _tags(records[0]), signer)


def testing(texts: Sequence[str]) -> bool:
    """Whether the record says that the domain is only trying this out (`t=y`)."""
    return any("y" in _listed(_tags(text), "t") for text in texts)


def wanted(signer: Signer) -> str:
    """The record as it must be."""
    return f"v=DKIM1; k={_kind(signer)}; p={signer.public}"


def _wrong(text: str, tags: Mapping[str, str], signer: Signer) -> str:
    if "v" in tags and not re.match(r"\s*v\s*=\s*DKIM1\s*(?:;|$)", text):
        return "does not begin with v=DKIM1"
    if not tags.get("p"):
        return "is revoked: its p= is empty" if "p" in tags else "has no key: there is no p= in it"
    if tags.get("k", "rsa") != _kind(signer):
        return f"is of another kind: k={tags.get('k', 'rsa')}, and dkim.key is {_kind(signer)}"
    if "h" in tags and "sha256" not in _listed(tags, "h"):
        return f"does not allow SHA-256: h={tags['h']}"
    if "s" in tags and not {"*", "email"} & set(_listed(tags, "s")):
        return f"is not for mail: s={tags['s']}"
    return "" if _same(tags["p"], signer) else "has another key than dkim.key: what we sign would count as forged"


def _same(published: str, signer: Signer) -> bool:
    try:
        theirs = base64.b64decode(re.sub(r"\s", "", published), validate=True)
    except (binascii.Error, ValueError):
        return False
    ours = base64.b64decode(signer.public)
    return theirs == ours or (_kind(signer) == "rsa" and _numbers(theirs) == _numbers(ours))


def _numbers(der: bytes) -> object:
    """What an RSA key is, however it is wrapped: older records hold it without its algorithm (PKCS #1)."""
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
    from cryptography.hazmat.primitives.serialization import load_der_public_key

    try:
        key = load_der_public_key(der)
    except (ValueError, UnsupportedAlgorithm):
        return None
    return key.public_numbers() if isinstance(key, RSAPublicKey) else None


def _kind(signer: Signer) -> str:
    return signer.algorithm.partition("-")[0]


def _listed(tags: Mapping[str, str], name: str) -> Sequence[str]:
    return [part.strip() for part in tags.get(name, "").split(":")]


def _tags(text: str) -> Mapping[str, str]:
    pairs = (part.partition("=") for part in text.split(";"))
    return {name.strip(): value.strip() for name, _, value in pairs if name.strip()}
