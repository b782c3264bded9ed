"""What the Graph API is known to answer when something is wrong, and the odd successes: one entry a row recorded.

Collected from Meta's documents, published test data and other projects' logs as of November 2026; what nobody has
recorded is marked as invented.
"""

from __future__ import annotations

import json
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from outagecast.sandbox.faults import EDGE_PAGE, HTML, ErrorBody, When, recorded

if TYPE_CHECKING:
    from collections.abc import Mapping

UNSUPPORTED = (
    "Object with ID '{ref}' does not exist, cannot be loaded due to missing permissions, or does not support this "
    "operation. Please read the Graph API documentation."
)


def error(
    status: int,
    code: int,
    message: str,
    *,
    subcode: int | None = None,
    kind: str = "OAuthException",
    transient: bool | None = None,
    headers: Mapping[str, str] | None = None,
    **more: Any,
) -> ErrorBody:
    """An error as the Graph API words it."""
    value: dict[str, Any] = {"message": message, "type": kind, "code": code}
    value |= {"error_subcode": subcode} if subcode is not None else {}
    value |= {"is_transient": transient} if transient is not None else {}
    return recorded(status, {"error": value | more | {"fbtrace_id": "TraceForTests"}}, headers=headers or {})


def unsupported(verb: str, ref: str) -> ErrorBody:
    """The answer for an object that is gone, or that this token may not touch: the two sound the same."""
    message = f"Unsupported {verb} request. " + UNSUPPORTED.format(ref=ref)
    return error(400, 100, message, subcode=33, kind="GraphMethodException")


def invalid(message: str) -> ErrorBody:
    """A parameter that cannot be used."""
    return error(400, 100, f"(#100) {message}")


def usage(page: str, percent: int, minutes: int) -> dict[str, str]:
    """The header that tells how much of a Page's budget is used, and for how many minutes it is closed."""
    line = {
        "type": "pages",
        "call_count": percent,
        "total_cputime": percent,
        "total_time": percent,
        "estimated_time_to_regain_access": minutes,
    }
    return {"X-Business-Use-Case-Usage": json.dumps({page: [line]})}


def _odd_successes() -> dict[str, ErrorBody]:
    """200s that do not say what was made."""
    bodies = {
        "ok-no-body": "",
        "ok-empty-object": "{}",
        "ok-empty-list": "[]",
        "ok-null": "null",
        "ok-true": "true",
        "ok-cut-json": '{"id":"1001_20',
    }
    odd = {name: ErrorBody(200, body, when=When.AFTER) for name, body in bodies.items()}
    return odd | {
        "ok-page": ErrorBody(200, EDGE_PAGE, content_type=HTML, when=When.AFTER),
        "ok-no-content": ErrorBody(204, "", content_type=None, when=When.AFTER),
    }


def _unclear() -> dict[str, ErrorBody]:
    """Answers after which nobody knows; seven of seven recorded answers with code 1 or 2 had published."""
    retry = "An unexpected error has occurred. Please retry your request later."
    twice: dict[str, Any] = {
        "error_user_title": "Duplicate Status Update",
        "error_user_msg": "This status update is identical to the last one you posted. Try posting something "
        "different, or delete your previous update.",
    }
    return {
        "unknown-error": error(500, 1, "An unknown error occurred", subcode=99),
        "unexpected-error": error(500, 2, retry, transient=True),
        "unexpected-error-400": error(400, 2, retry, transient=True),
        "empty-500": ErrorBody(500, "{}"),
        "list-500": ErrorBody(500, "[]"),
        "bad-gateway-page": ErrorBody(502, EDGE_PAGE, content_type=HTML),
        "unavailable-page": ErrorBody(503, EDGE_PAGE, content_type=HTML),
        "redirect": ErrorBody(302, "", {"Location": "/_landing"}, content_type=HTML),
        "duplicate": error(400, 506, "Duplicate status message", subcode=1_455_006, transient=False, **twice),
        "already-posted": error(400, 368, "You've already posted this. Try posting something new.", subcode=1_404_082),
    }


def _limits() -> dict[str, ErrorBody]:
    """Too much, for now."""
    calls = "There have been too many calls to this Page account. Wait a bit and try again."
    often = "We limit how often you can post, comment or do other things in a given amount of time."
    return {
        "app-limit": error(400, 4, "(#4) Application request limit reached", transient=True),
        "user-limit": error(400, 17, "(#17) User request limit reached", transient=True),
        "page-limit": error(400, 32, "(#32) Page request limit reached"),
        "action-limit": error(400, 341, "(#341) Feed action request limit reached"),
        "custom-limit": error(400, 613, "(#613) Calls to this api have exceeded the rate limit.", subcode=1996),
        "page-calls": error(400, 80_001, f"(#80001) {calls}", headers=usage("1001", 100, 12)),
        "page-calls-bare": error(400, 80_001, f"(#80001) {calls}"),
        "other-calls": error(400, 80_004, "(#80004) There have been too many calls. Wait a bit and try again."),
        "posts-too-often": error(400, 368, often, subcode=1_390_008),
    }


def _tokens() -> dict[str, ErrorBody]:
    """The token is no good."""
    expired = (
        "Error validating access token: Session has expired on Tuesday, 25-Nov-25 15:00:00 PST. The current time is "
        "Wednesday, 26-Nov-25 14:19:00 PST."
    )
    start = "Error validating access token: "
    sayings = {
        458: "The user has not authorized application 1122334455.",
        459: "The user is enrolled in a blocking, logged-in checkpoint.",
        460: "The session has been invalidated because the user changed their password.",
        464: "Sessions for the user are not allowed because the user is not a confirmed user.",
        467: "The session is invalid because the user logged out.",
        492: "The session does not match current stored session: the user has no role on the Page.",
    }
    named = {f"token-{sub}": error(400, 190, start + text, subcode=sub) for sub, text in sayings.items()}
    return named | {
        "token-463": error(400, 190, expired, subcode=463),
        "token-invalid": error(400, 190, "Invalid OAuth access token - Cannot parse access token"),
        "token-invalid-401": error(401, 190, "Invalid OAuth access token."),
        "session-key": error(400, 102, "Session key invalid or no longer valid"),
        "token-missing": error(400, 104, "An access token is required to request this resource."),
    }


def _permissions() -> dict[str, ErrorBody]:
    """The token is good, but not for this."""
    posting = (
        "(#200) If posting to a group, requires app being installed in the group, and \\ either publish_to_groups "
        "permission with user token, or both pages_read_engagement and pages_manage_posts permission with page "
        "token; If posting to a page, \\ requires both pages_read_engagement and pages_manage_posts as an admin with "
        "sufficient administrative permission"
    )
    reading = "(#10) This endpoint requires the 'pages_read_engagement' permission or the 'Page Public Content Access' "
    method: dict[str, Any] = {"kind": "GraphMethodException"}
    return {
        "permission-denied": error(403, 200, posting),
        "permission-denied-400": error(400, 200, posting),
        "reading-denied": error(400, 10, reading + "feature."),
        "permission-299": error(403, 299, "(#299) Requires extended permission"),
        "not-as-page": error(403, 200, "(#200) Unpublished posts must be posted to a page as the page itself."),
        "hide-denied": recorded(403, {"error": {"message": "(#200) Can not hide or unhide this comment", "code": 200}}),
        "proof-missing": error(400, 100, "API calls from the server require an appsecret_proof argument", **method),
        "proof-invalid": error(400, 100, "Invalid appsecret_proof provided in the API argument", **method),
        "identity": error(400, 368, "Confirm your identity before you can publish as this Page.", subcode=4_854_002),
        "blocked": error(400, 368, "The action attempted has been deemed abusive or is otherwise disallowed"),
        "capability": error(400, 3, "(#3) Application does not have the capability to make this API call."),
        "missing-parameter": error(400, 194, "(#194) Missing at least one required parameter"),
        "application-283": error(400, 283, "That action requires the extended permission pages_manage_posts"),
    }


def _requests() -> dict[str, ErrorBody]:
    """The request itself is at fault."""
    photo: dict[str, Any] = {
        "error_user_title": "Can't Read Files",
        "error_user_msg": "Your photos couldn't be uploaded. Photos should be smaller than 4 MB and saved as JPG, PNG, "
        "GIF, TIFF, HEIF or WebP files.",
    }
    ended = "(#2635) You are calling a deprecated version of the API. Please update to the latest version: v26.0."
    return {
        "gone-get": unsupported("get", "1001_2001"),
        "gone-post": unsupported("post", "1001_2001"),
        "gone-delete": unsupported("delete", "1001_2001"),
        "migrated": error(400, 100, "(#21) Page ID 1001 was migrated to page ID 1002.", subcode=21),
        "invalid-parameter": invalid("Invalid parameter"),
        # Invented: the limit is known from two projects, the wording of its refusal is not.
        "too-long": invalid("Param message must be at most 63206 characters long"),
        "photo-missing": error(400, 324, "(#324) Requires upload file"),
        "photo-invalid": error(400, 324, "(#324) Missing or invalid image file"),
        # The subcode and the words for people are recorded, the code beside them is not.
        "photo-too-large": error(400, 100, "Invalid parameter", subcode=1_366_046, **photo),
        "empty": error(400, 197, "The post is empty. Please enter a message to share."),
        "bad-url": error(400, 1500, "The url you supplied is invalid"),
        "scrape-failed": error(400, 1_609_005, "(#1609005) The link could not be scraped"),
        "own-link": error(400, 1_609_008, "(#1609008) Cannot post Facebook.com links"),
        "version-ended": error(400, 2635, ended),
        "error-string": recorded(400, {"error": "something went wrong"}),
        "error-list": recorded(400, [{"message": "something went wrong"}]),
        "bad-request-page": ErrorBody(400, EDGE_PAGE, content_type=HTML),
        "not-found-page": ErrorBody(404, EDGE_PAGE, content_type=HTML),
    }


ERRORS: Mapping[str, ErrorBody] = MappingProxyType(
    _odd_successes() | _unclear() | _limits() | _tokens() | _permissions() | _requests()
)
