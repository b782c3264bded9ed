"""OAuth 1.0a with HMAC-SHA1 (RFC 5849): made by the simulated stranger, verified by the simulated X."""

from __future__ import annotations

import base64
import hmac
import re
import secrets
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from outagecast.sandbox.messages import Request

# X verifies against the name of its own API, whatever host the simulator listens on.
ORIGIN = "https://api.twitter.com"
SKEW = timedelta(minutes=5)
_FIELD = re.compile(r'\s*([A-Za-z0-9_]+)="([^"]*)"\s*(?:,|$)')


@dataclass(frozen=True, slots=True)
class Keys:
    """The four secrets of one account and one app."""

    consumer: str
    consumer_secret: str
    token: str
    token_secret: str


def fields(authorization: str) -> dict[str, str]:
    """The fields of an `Authorization: OAuth …` header; empty when it is of another kind."""
    scheme, _, rest = authorization.partition(" ")
    if scheme.lower() != "oauth":
        return {}
    return {name: unquote(value) for name, value in _FIELD.findall(rest)}


def verified(request: Request, given: Mapping[str, str], keys: Keys, skew: timedelta = SKEW) -> bool:
    """Whether the signature in `given` is that of `request` under `keys`, made within `skew` of now."""
    stamp = given.get("oauth_timestamp", "")
    if given.get("oauth_signature_method") != "HMAC-SHA1" or not stamp.isdecimal() or not given.get("oauth_nonce"):
        return False
    if abs(int(stamp) - request.at.timestamp()) > skew.total_seconds():
        return False
    signed = [(name, value) for name, value in given.items() if name not in {"oauth_signature", "realm"}]
    expected = signature(request.method, request.path, [*request.pairs, *request.form_pairs, *signed], keys)
    return hmac.compare_digest(expected.encode(), given.get("oauth_signature", "").encode())


def signature(method: str, path: str, pairs: Sequence[tuple[str, str]], keys: Keys) -> str:
    """The signature of a request whose parameters, of query, form and OAuth together, are `pairs`."""
    parameters = "&".join(f"{name}={value}" for name, value in sorted((_escape(k), _escape(v)) for k, v in pairs))
    text = "&".join([method.upper(), _escape(ORIGIN + path), _escape(parameters)])
    key = f"{_escape(keys.consumer_secret)}&{_escape(keys.token_secret)}"
    return base64.b64encode(hmac.digest(key.encode(), text.encode(), "sha1")).decode()


def authorization(method: str, path: str, keys: Keys, at: datetime) -> str:
    """The header that signs a request without query and form, as a JSON request is."""
    given = {
        "oauth_consumer_key": keys.consumer,
        "oauth_nonce": secrets.token_hex(16),
        "oauth_signature_method": "HMAC-SHA1",
        "oauth_timestamp": str(int(at.timestamp())),
        "oauth_token": keys.token,
        "oauth_version": "1.0",
    }
    given["oauth_signature"] = signature(method, path, list(given.items()), keys)
    return "OAuth " + ", ".join(f'{name}="{_escape(value)}"' for name, value in given.items())


def _escape(text: str) -> str:
    return quote(text, safe="~")
