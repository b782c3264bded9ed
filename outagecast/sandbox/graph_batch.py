"""Batch requests of the simulated Graph API: many calls in one POST, each with an answer of its own.

As Meta describes them (graph-api/batch-requests, read November 2026): `batch` is a list of calls, each with `method`,
`relative_url` and perhaps `body` and `headers`; the answer is a list of `code`, `headers` and `body` in the same
order, the body being JSON in a string, and null for a call that did not finish. `include_headers=false` leaves the
headers out. A call may bring a token of its own; the token of the whole is for those that do not. What calls can do
with each other's answers (`name`, `depends_on`) and files are not simulated.
"""

from __future__ import annotations

import json
from email.message import Message
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, unquote, urlsplit

from outagecast.sandbox.faults import When
from outagecast.sandbox.graph_errors import invalid
from outagecast.sandbox.messages import FORM, Answer, RefusalError, Request, json_answer

if TYPE_CHECKING:
    from outagecast.sandbox.graph import Call, GraphPlatform
    from outagecast.sandbox.graph_posts import Token

MOST_CALLS = 50
METHODS = frozenset({"GET", "POST", "DELETE"})
KEYS = frozenset({"method", "relative_url", "body", "headers"})


def batch(platform: GraphPlatform, call: Call) -> Answer:
    """POST / or /vNN.N/ with `batch`."""
    headers = call.given.get("include_headers") not in {"false", "0"}
    inner = [_request(platform, call, wanted) for wanted in _calls(platform, call)]
    return json_answer([_entry(_answer(platform, one), headers=headers) for one in inner])


def _calls(platform: GraphPlatform, call: Call) -> list[dict[str, Any]]:
    try:
        calls = json.loads(call.given.get("batch", ""))
    except ValueError:
        calls = None
    if not isinstance(calls, list) or not all(isinstance(one, dict) for one in calls):
        raise RefusalError(invalid("Param batch must be a JSON array of calls").answer(platform.now()))
    if len(calls) > MOST_CALLS:
        many = f"Too many requests in batch message. Maximum batch size is {MOST_CALLS}"
        raise RefusalError(invalid(many).answer(platform.now()))
    return calls


def _request(platform: GraphPlatform, call: Call, wanted: dict[str, Any]) -> Request:
    """Make the request that one call of the batch stands for."""
    method, url = wanted.get("method"), wanted.get("relative_url")
    if method not in METHODS or not isinstance(url, str) or wanted.keys() - KEYS:
        text = "each call of a batch needs a method and a relative_url; other keys are not simulated"
        raise RefusalError(invalid(text).answer(platform.now()))
    parts = urlsplit(f"/{url.removeprefix('/')}")
    version = "" if platform.versioned(parts.path) else platform.versioned(call.request.path)
    if parts.path.rstrip("/") == platform.versioned(parts.path):
        raise RefusalError(invalid("a batch cannot hold a batch").answer(platform.now()))
    pairs = parse_qsl(parts.query, keep_blank_values=True)
    body = str(wanted.get("body", "")).encode()
    own = {name for name, _ in [*pairs, *parse_qsl(body.decode())]}
    if "appsecret_proof" in call.given and not own & {"access_token", "appsecret_proof"}:
        pairs.append(("appsecret_proof", call.given["appsecret_proof"]))
    headers = _headers(call.token, bring_own="access_token" in own)
    return Request(str(method), version + unquote(parts.path), pairs, headers, body, call.request.at)


def _headers(token: Token, *, bring_own: bool) -> Message:
    headers = Message()
    headers["Content-Type"] = FORM
    if not bring_own:
        headers["Authorization"] = f"Bearer {token.value}"
    return headers


def _answer(platform: GraphPlatform, request: Request) -> Answer | None:
    """Answer one call, as a fault that matches it says if there is one; None: it did not finish."""
    fault = platform.faults.take(platform.targets(request))
    real = None if fault and fault.when == When.BEFORE else platform.respond(request)
    if fault is None:
        return real
    return None if fault.silent else fault.answer(real, platform.now())


def _entry(answer: Answer | None, *, headers: bool) -> dict[str, Any] | None:
    if answer is None:
        return None
    entry: dict[str, Any] = {"code": answer.status, "body": answer.body.decode()}
    if headers:
        told = {"Content-Type": answer.content_type or "", **answer.headers}
        entry["headers"] = [{"name": name, "value": value} for name, value in told.items()]
    return entry
