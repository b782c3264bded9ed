"""What is told of a Page's token when it has just been made: its kind, its end, and what will not work with it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from outagecast.channel import Finding, Level
from outagecast.channels.facebook_findings import Findings, lifetime
from outagecast.channels.facebook_token import ALL_RIGHTS, TO_POST, missing

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

_WITHOUT = {
    "pages_manage_posts": "nothing can be posted",
    "pages_read_engagement": "nothing can be posted, and a post in doubt cannot be looked up",
    "pages_show_list": "it is for getting a Page's token, and the next cannot be got without",
    "pages_read_user_content": "strangers' comments stay unseen",
    "pages_manage_engagement": "strangers' comments cannot be hidden or deleted",
}
_NEW = "get a new one: outagecast auth facebook"
_AGAIN = "make a token that has it too, then: outagecast auth facebook"


def findings(facts: Mapping[str, Any], page_id: str, now: datetime) -> Iterator[Finding]:
    """Say what Facebook told about the token."""
    if not facts:
        yield Finding(
            "",
            Level.WARNING,
            "Facebook does not tell what the token may do, and until when",
            "give the app's number and secret too: outagecast auth facebook",
        )
        return
    if facts.get("is_valid") is not True or facts.get("type") != "PAGE":
        yield Finding("", Level.BAD, "this is not a valid token of a Page", _NEW)
        return
    yield from lifetime(Findings(""), facts, now, _NEW)
    yield from _scopes(facts, page_id)


def mortality() -> Iterator[Finding]:
    """Warn of a token that comes from a person's."""
    yield Finding(
        "",
        Level.WARNING,
        "it comes from a person's token: it dies when their password changes, or when they lose their role on the Page",
        "a system user's is bound to nobody (Business settings, System users): outagecast auth facebook",
    )


def _scopes(facts: Mapping[str, Any], page_id: str) -> Iterator[Finding]:
    """Name what is granted and, right by right, what does not work without the others."""
    lacking = missing(facts, ALL_RIGHTS, page_id)
    granted = [scope for scope in ALL_RIGHTS if scope not in lacking]
    if granted:
        yield Finding("", Level.GOOD, f"granted: {', '.join(granted)}")
    for scope in lacking:
        level = Level.BAD if scope in TO_POST else Level.WARNING
        yield Finding("", level, f"{scope} is not granted: {_WITHOUT[scope]}", _AGAIN)
