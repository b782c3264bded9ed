"""Keys for signing, their records in the DNS, and somebody else's verifier."""

from __future__ import annotations

import base64
import re
from functools import cache

import dkim
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from outagecast.channel import Secret
from outagecast.channels.email.settings import Dkim

MAKERS = {
    "rsa": lambda: rsa.generate_private_key(65537, 2048),
    "ed25519": ed25519.Ed25519PrivateKey.generate,
    "elliptic": lambda: ec.generate_private_key(ec.SECP256R1()),
    "short": lambda: rsa.generate_private_key(65537, 1024),
}


@cache
def key(kind: str):
    """One of each kind for all tests: making an RSA key takes a while."""
    return MAKERS[kind]()


def pem(kind: str = "rsa", passphrase: bytes = b"") -> str:
    lock = BestAvailableEncryption(passphrase) if passphrase else NoEncryption()
    return key(kind).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, lock).decode()


def record(kind: str) -> bytes:
    """The public key as the DNS has it."""
    if kind == "ed25519":
        raw = key(kind).public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    else:
        raw = key(kind).public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return f"v=DKIM1; k={'ed25519' if kind == 'ed25519' else 'rsa'}; p={base64.b64encode(raw).decode()}".encode()


def signing(kind: str = "rsa", **more: object):
    return {"dkim": Dkim(domain="example.net", selector="outage", key=Secret.of(pem(kind))), **more}


def verified(raw: bytes, kind: str = "rsa") -> bool:
    """What a receiver finds who asks the DNS for the key that the letter names."""
    asked = []

    def dns(name: bytes, timeout: int = 5) -> bytes:
        asked.append(name)
        return record(kind)

    try:
        answer = dkim.DKIM(raw).verify(dnsfunc=dns)
    except dkim.ValidationError:
        return False
    assert asked == [b"outage._domainkey.example.net."]
    return answer


def tags(letter: bytes) -> dict[str, str]:
    field = re.search(rb"\ADKIM-Signature: ((?:.*\r\n)(?:[ \t].*\r\n)*)", letter)
    assert field
    pairs = re.sub(r"\s", "", field[1].decode()).split(";")
    return dict(pair.split("=", 1) for pair in pairs)
