"""What `check` says about a Page's token: whose it is, until when, and what it may do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from outagecast.channels.facebook_findings import CHECK, NEW_TOKEN, lifetime
from outagecast.channels.facebook_settings import Comments
from outagecast.channels.facebook_token import TO_BE_GOT, TO_POST, TO_SWEEP, missing

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime
    from typing import Any

    from outagecast.channel import Finding
    from outagecast.channels.facebook_findings import Findings
    from outagecast.channels.facebook_settings import FacebookSettings

_APP = f"set app_id and app_secret; they are shown under developers.facebook.com/apps. Then: {CHECK}"
_AGAIN = f"wait a little, then: {CHECK}"


def unknown(said: Findings, why: str, *, has_app: bool) -> Finding:
    """Say that nothing about the token can be known."""
    text = f"what the token may do, and until when, cannot be read: {why}"
    return said.warning(text, _AGAIN if has_app else _APP)


def about_app(said: Findings, known: Mapping[str, Any], app_id: str) -> Iterator[Finding]:
    """Compare the app that made the token with the one in the config, by which nothing could be asked then."""
    made_by = str(known.get("app_id") or "")
    if app_id and made_by and made_by != app_id:
        text = f"the config says app_id {app_id}, and the token was made by the app {made_by}"
        yield said.warning(text, f'set app_id: "{made_by}", with that app\'s secret, then: {CHECK}')


def about_token(said: Findings, known: Mapping[str, Any], now: datetime) -> Iterator[Finding]:
    """Judge what kind of token it is and when it ends."""
    if known.get("is_valid") is not True or known.get("type") != "PAGE":
        yield said.bad("the token is not a valid token of a Page", NEW_TOKEN)
        return
    yield from lifetime(said, known, now, NEW_TOKEN)


def about_rights(said: Findings, known: Mapping[str, Any], settings: FacebookSettings) -> Iterator[Finding]:
    """Judge whether the token may post, and sweep comments where the config wants that."""
    if lacking := missing(known, TO_POST, settings.page_id):
        yield said.bad(f"the token may not post: {', '.join(lacking)} not granted", NEW_TOKEN)
    else:
        yield said.good("the token may post: it has all the rights for it")
    if lacking := missing(known, TO_BE_GOT, settings.page_id):
        text = (
            f"{', '.join(lacking)} not granted: that is for getting a Page's token, and the next cannot be got without"
        )
        yield said.warning(text, NEW_TOKEN)
    if settings.comments is Comments.LEAVE:
        return
    if lacking := missing(known, TO_SWEEP, settings.page_id):
        do = f"{NEW_TOKEN}; or set `comments: leave`, and replies count as open"
        yield said.bad(f"comments cannot be swept: {', '.join(lacking)} not granted", do)
    else:
        yield said.good(f"the token may {settings.comments} comments: it has all the rights for it")
