"""DKIM signatures (RFC 6376, and RFC 8463 for Ed25519), relaxed/relaxed, made with the package `cryptography`.

The text that letters share is hashed once; a letter adds its own end, its own header and the signature, some 0.3 ms
with RSA-2048. Neither chance nor the clock has a part in it: a letter that is sent again carries the same signature.
"""

from __future__ import annotations

import base64
import re
from hashlib import sha256
from typing import TYPE_CHECKING

import msgspec

from outagecast.channel import Refused

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes

    from outagecast.channel import Secret
    from outagecast.channels.email.settings import Dkim

SIGNED = (
    *("from", "to", "subject", "date", "message-id", "reply-to", "in-reply-to", "references"),
    *("list-id", "list-post", "list-help", "list-unsubscribe", "list-unsubscribe-post"),
    *("feedback-id", "auto-submitted", "precedence", "x-auto-response-suppress", "mime-version", "content-type"),
)
"""What is signed of a header as far as it is there. RFC 8058 4 demands both fields of the way out among them.

Reply-To is not there, and not signed as absent either: a list in `to:` may put its own in, and the signature is what
carries the letter through a list.
"""
_FEWEST_BITS = 1024
"""RFC 8301 3.2: a signature by a shorter RSA key counts as none."""
_CRLF = b"\r\n"
_COLUMNS = 72


class Signer(msgspec.Struct, frozen=True):
    """One key and the name its public half has in the DNS. Safe to use from several threads."""

    domain: str
    selector: str
    algorithm: str
    sign: Callable[[bytes], bytes]
    public: str
    """The public half in base64, as it stands in the DNS."""

    @property
    def label(self) -> str:
        """What the operator is shown."""
        return f"{self.selector}._domainkey.{self.domain} ({self.algorithm})"


class Seal:
    """Signs all letters of one wording; `at` is in seconds since 1970 and says when they were written.

    A letter's body is `body`, then its own end, then `closing`: empty, or with a last line that is not.
    """

    def __init__(self, signer: Signer, header: Iterable[str], body: bytes, at: int, closing: bytes = b"") -> None:
        self._signer = signer
        self._shared = _relaxed_fields(header)
        text = _relaxed_body(body)
        kept = text.rstrip(_CRLF)
        self._blank = text[len(kept) :]
        self._body = sha256(kept)
        self._empty = not kept
        self._closing = _relaxed_body(closing)
        self._at = at

    def field(self, header: Iterable[str], end: bytes) -> str:
        """The DKIM-Signature of the letter with these lines in its header besides, and `end` after the shared body."""
        fields = {**self._shared, **_relaxed_fields(header)}
        names = [name for name in SIGNED if name in fields]
        unsigned = self._unsigned(names, self._body_hash(end))
        (own,) = _relaxed_fields([unsigned]).values()
        signature = self._signer.sign("\r\n".join([*(fields[name] for name in names), own]).encode())
        return unsigned + _folded(base64.b64encode(signature).decode("ascii"))

    def _unsigned(self, names: list[str], body_hash: str) -> str:
        # From once more than it is there: a second one put in on the way breaks the signature (RFC 6376 8.15).
        rows = [":".join(row) for row in _rows([*names, "from"])]
        return "\r\n ".join(
            [
                f"DKIM-Signature: v=1; a={self._signer.algorithm}; c=relaxed/relaxed;",
                f"d={self._signer.domain}; s={self._signer.selector}; t={self._at};",
                "h=" + ":\r\n ".join(rows) + ";",
                f"bh={body_hash};",
                "b=",
            ]
        )

    def _body_hash(self, end: bytes) -> str:
        """Lines that are empty do not count at the end of a body, and do before something else (RFC 6376 3.4.4)."""
        rest = self._blank + _relaxed_body(end)
        whole = self._body.copy()
        if self._closing:
            whole.update(rest)
            whole.update(self._closing)
        else:
            rest = rest.rstrip(_CRLF)
            whole.update(rest if self._empty and not rest else rest + _CRLF)
        return base64.b64encode(whole.digest()).decode("ascii")


def load(settings: Dkim) -> Signer:
    """Read the key; Refused (mendable) says why that cannot be done, in words that hold nothing of it."""
    try:
        from cryptography.exceptions import UnsupportedAlgorithm
        from cryptography.hazmat.primitives.serialization import load_pem_private_key
    except ImportError as err:
        text = "letters cannot be signed: the package cryptography is not installed"
        raise Refused(text, mendable=True, hint='pip install "outagecast[dkim]"') from err
    pem = settings.key.reveal().encode()
    # Whatever the library says about a key it could not read may quote it, so none of it is passed on.
    try:
        key = load_pem_private_key(pem, password=None)
    except TypeError:
        raise _unusable(settings.key, "it has a passphrase") from None
    except (ValueError, UnsupportedAlgorithm):
        raise _unusable(settings.key, "it is no private key in PEM") from None
    algorithm, sign = _signing(key, settings.key)
    return Signer(settings.ascii_domain, settings.selector, algorithm, sign, _public(key))


def _signing(key: PrivateKeyTypes, secret: Secret) -> tuple[str, Callable[[bytes], bytes]]:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
    from cryptography.hazmat.primitives.hashes import SHA256

    if isinstance(key, Ed25519PrivateKey):
        # RFC 8463 3: what Ed25519 signs is the hash of the header, not the header.
        return "ed25519-sha256", lambda header: key.sign(sha256(header).digest())
    if not isinstance(key, RSAPrivateKey):
        raise _unusable(secret, "it is neither an RSA nor an Ed25519 key")
    if key.key_size < _FEWEST_BITS:
        raise _unusable(secret, f"receivers ignore an RSA key of {key.key_size} bits")
    return "rsa-sha256", lambda header: key.sign(header, PKCS1v15(), SHA256())


def _public(key: PrivateKeyTypes) -> str:
    """RFC 6376 3.6.1 for RSA; RFC 8463 4 for Ed25519, whose key stands there bare."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    if isinstance(key, Ed25519PrivateKey):
        return base64.b64encode(key.public_key().public_bytes_raw()).decode("ascii")
    public = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return base64.b64encode(public).decode("ascii")


def _unusable(secret: Secret, why: str) -> Refused:
    hint = "name an RSA key of 2048 bits without a passphrase; to try one: openssl pkey -noout -check -in FILE"
    return Refused(f"letters cannot be signed with dkim.key{_place(secret)}: {why}", mendable=True, hint=hint)


def _place(secret: Secret) -> str:
    return f" ({secret.where})" if secret.where else ""


def _relaxed_fields(header: Iterable[str]) -> Mapping[str, str]:
    """Each field as it is signed (RFC 6376 3.4.2), by its name in small letters; none may come twice."""
    fields = (field.partition(":") for field in header)
    unfolded = ((name.lower(), re.sub("[ \t\r\n]+", " ", value).strip(" ")) for name, _, value in fields)
    return {name: f"{name}:{value}" for name, value in unfolded}


def _relaxed_body(octets: bytes) -> bytes:
    """Each line as it is signed: blanks at its end are gone, those inside are one."""
    return re.sub(rb"[ \t]+", b" ", octets).replace(b" \r\n", _CRLF)


def _rows(names: list[str]) -> Iterable[list[str]]:
    return (names[start : start + 4] for start in range(0, len(names), 4))


def _folded(text: str) -> str:
    return "\r\n ".join(text[start : start + _COLUMNS] for start in range(0, len(text), _COLUMNS))
