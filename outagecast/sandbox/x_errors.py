"""What X is known to answer when it does not publish, and the odd successes: one entry a row of what was recorded.

Collected from X's documents, published source and other projects' logs as of November 2026; what nobody has recorded
is marked as invented.
"""

from __future__ import annotations

import json
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from outagecast.sandbox.faults import EDGE_PAGE, HTML, ErrorBody, When, recorded

if TYPE_CHECKING:
    from collections.abc import Mapping

PROBLEMS = "https://api.twitter.com/2/problems/"
QUARTER = 900
DAY = 86_400
MONTH = 2_592_000


def _plain(status: int, title: str, detail: str, **more: Any) -> ErrorBody:
    return recorded(status, {"title": title, "detail": detail, "type": "about:blank", "status": status}, **more)


def _problem(status: int, title: str, detail: str, kind: str, **more: Any) -> ErrorBody:
    return recorded(status, {"title": title, "detail": detail, "type": PROBLEMS + kind, **more})


def invalid(message: str, **parameters: Any) -> ErrorBody:
    """The 400 of a request that breaks the rules of its form."""
    value = {
        "errors": [{"parameters": {name: [str(value)] for name, value in parameters.items()}, "message": message}],
        "title": "Invalid Request",
        "detail": "One or more parameters to your request was invalid.",
        "type": PROBLEMS + "invalid-request",
    }
    return recorded(400, value)


def missing(resource: str, ref: str, status: int) -> ErrorBody:
    """What stands in for an object that is not there, or no longer."""
    error = {
        "value": ref,
        "detail": f"Could not find {resource} with id: [{ref}].",
        "title": "Not Found Error",
        "resource_type": resource,
        "parameter": "id",
        "resource_id": ref,
        "type": PROBLEMS + "resource-not-found",
    }
    return recorded(status, {"errors": [error]})


def _odd_successes() -> dict[str, ErrorBody]:
    """201s that do not say which post was made."""
    bodies = {
        "created-no-body": "",
        "created-empty-object": "{}",
        "created-data-null": '{"data":null}',
        "created-data-empty": '{"data":{}}',
        "created-list": "[]",
        "created-cut-json": '{"data":{"id":"19900000',
    }
    odd = {name: ErrorBody(201, body, when=When.AFTER) for name, body in bodies.items()}
    return odd | {"created-html": ErrorBody(201, EDGE_PAGE, content_type=HTML, when=When.AFTER)}


def _unclear() -> dict[str, ErrorBody]:
    """Answers after which nobody knows."""
    return {
        "redirect": ErrorBody(302, "", {"Location": "/_landing"}, content_type=HTML),
        "internal-error": _plain(500, "Internal Server Error", "Internal Server Error"),
        "unavailable": _plain(503, "Service Unavailable", "Service Unavailable"),
        "over-capacity": recorded(503, {"errors": [{"message": "Over capacity", "code": 130}]}),
        "bad-gateway-page": ErrorBody(502, EDGE_PAGE, content_type=HTML),
        "gateway-time-out-page": ErrorBody(504, EDGE_PAGE, content_type=HTML),
        "duplicate": _plain(403, "Forbidden", "You are not allowed to create a Tweet with duplicate content."),
        "duplicate-187": recorded(403, {"errors": [{"code": 187, "message": "Status is a duplicate."}]}),
    }


def _requests() -> dict[str, ErrorBody]:
    """The request itself is at fault."""
    too_long = (
        "Your Tweet text is too long. For more information on how X determines text length see its documentation."
    )
    cashtags = "Your post may contain a maximum of one cashtag."
    return {
        "invalid-request": invalid("The request is not valid.", text=""),
        "text-too-long": _problem(400, "Invalid Request", too_long, "invalid-request"),
        "text-too-long-403": _plain(403, "Forbidden", too_long),
        "cashtags-400": _problem(400, "Invalid Request", cashtags, "invalid-request"),
        "cashtags-403": _plain(403, "Forbidden", cashtags),
        "not-found": _plain(404, "Not Found", "Not Found"),
        "method-not-allowed": _plain(405, "Method Not Allowed", "Method Not Allowed"),
        "conflict": _plain(409, "Conflict", "Conflict"),
        "gone": _plain(410, "Gone", "Gone"),
        "too-large": _plain(413, "Payload Too Large", "Payload Too Large"),
        "unprocessable": _plain(422, "Unprocessable Entity", "Unprocessable Entity"),
        "forbidden-page": ErrorBody(403, EDGE_PAGE, content_type=HTML),
        "forbidden-list": recorded(403, [{"message": "Forbidden"}]),
        "forbidden-null": ErrorBody(403, "null"),
        "forbidden-errors-null": recorded(403, {"errors": None}),
    }


def _replies() -> dict[str, ErrorBody]:
    """The post may not hang where it was meant to."""
    engaged = (
        "Reply to this conversation is not allowed because you have not been mentioned or otherwise engaged by the "
        "author of the post you are replying to."
    )
    return {
        "reply-not-mentioned": _problem(
            403,
            "Authorization Error",
            "You can only reply to or quote posts where you are mentioned or are the author.",
            "not-authorized-for-resource",
        ),
        "reply-not-engaged": _plain(403, "Forbidden", engaged),
        "parent-gone": _plain(
            403, "Forbidden", "You attempted to reply to a Tweet that is deleted or not visible to you."
        ),
        # Invented: that such a create fails is known, how it is worded is not.
        "settings-on-reply": invalid("reply_settings can not be set on a reply.", reply_settings="mentionedUsers"),
    }


def _accounts() -> dict[str, ErrorBody]:
    """The account, its app or its keys are at fault."""
    credits_gone = {
        "account_id": 1,
        "title": "CreditsDepleted",
        "detail": "Your enrolled account [1] does not have any credits to fulfill this request.",
        "type": PROBLEMS + "credits",
    }
    oauth1 = "Your client app is not configured with the appropriate oauth1 app permissions for this endpoint."
    app_only = (
        "Authenticating with OAuth 2.0 Application-Only is forbidden for this endpoint.  Supported authentication "
        "types are [OAuth 1.0a User Context, OAuth 2.0 User Context]."
    )
    enrolled = "When authenticating requests to the X API v2 endpoints, you must use keys from an App in a Project."
    return {
        "unauthorized": _plain(401, "Unauthorized", "Unauthorized"),
        "credits-depleted": recorded(402, credits_gone),
        "not-permitted": _plain(403, "Forbidden", "You are not permitted to perform this action."),
        "feature-not-permitted": _plain(403, "Forbidden", "Your account is not permitted to access this feature."),
        "suspended": _problem(403, "Forbidden", "Your account is suspended.", "user-suspended"),
        "spend-cap": _plain(403, "Forbidden", "Your account has reached its spend cap for this billing cycle."),
        "oauth1-permissions": _problem(403, "Forbidden", oauth1, "oauth1-permissions"),
        "unsupported-authentication": _problem(
            403, "Unsupported Authentication", app_only, "unsupported-authentication"
        ),
        "unknown-authentication": _problem(
            403,
            "Unsupported Authentication",
            "Authenticating with Unknown is forbidden for this endpoint.",
            "unsupported-authentication",
        ),
        "client-not-enrolled": _problem(
            403, "Client Forbidden", enrolled, "client-forbidden", reason="client-not-enrolled"
        ),
        "access-level": recorded(
            403, {"errors": [{"message": "You currently have access to a subset of X API V2 endpoints.", "code": 453}]}
        ),
    }


def _limits() -> dict[str, ErrorBody]:
    """Too much, for now or for long."""
    title = "Too Many Requests"
    spent = {"x-rate-limit-limit": "100", "x-rate-limit-remaining": "0"}
    day = {
        "x-rate-limit-limit": "100",
        "x-rate-limit-remaining": "97",
        "x-app-limit-24hour-limit": "10000",
        "x-app-limit-24hour-remaining": "9000",
        "x-user-limit-24hour-limit": "17",
        "x-user-limit-24hour-remaining": "0",
    }
    resets = {"x-rate-limit-reset": QUARTER, "x-app-limit-24hour-reset": DAY, "x-user-limit-24hour-reset": DAY // 2}
    return {
        "rate-limited": _plain(429, title, title, headers=spent, resets={"x-rate-limit-reset": QUARTER}),
        "rate-limited-bare": _plain(429, title, title),
        "rate-limited-plain": ErrorBody(429, title, content_type="text/plain"),
        "rate-limited-88": recorded(429, {"errors": [{"code": 88, "message": "Rate limit exceeded"}]}),
        "rate-limited-day": _plain(429, title, title, headers=day, resets=resets),
        "usage-capped-daily": _capped("Daily", {"x-rate-limit-reset": DAY // 2}),
        "usage-capped-monthly": _capped("Monthly", {"x-rate-limit-reset": MONTH // 2}),
    }


def _capped(period: str, resets: Mapping[str, int]) -> ErrorBody:
    value = {
        "account_id": 1,
        "product_name": "pay-per-use",
        "title": "UsageCapExceeded",
        "period": period,
        "scope": "Product",
        "detail": f"Usage cap exceeded: {period} product cap",
        "type": PROBLEMS + "usage-capped",
    }
    spent = {"x-rate-limit-limit": "100", "x-rate-limit-remaining": "0"}
    return ErrorBody(429, json.dumps(value), spent, resets=resets)


ERRORS: Mapping[str, ErrorBody] = MappingProxyType(
    _odd_successes() | _unclear() | _requests() | _replies() | _accounts() | _limits()
)
