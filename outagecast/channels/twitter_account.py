"""Whose keys these are, and what that account has posted."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from outagecast.channel import Refused, TryLater
from outagecast.channels.twitter_match import is_id
from outagecast.wire import RESUME, read_object

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime
    from typing import Any

    from outagecast.channels.twitter_api import XApi

_MOST_PAGES = 8


def named_id(configured: str | None, token: str) -> str | None:
    """Say who we are by the config and by the access token; None if neither tells, Refused if they disagree.

    X's user tokens begin with the user's id. By a wrong one our own posts would be strangers', or not there at all.
    """
    found = re.match(r"([0-9]+)-", token)
    if found is None or configured in {None, found[1]}:
        return found[1] if found else configured
    raise Refused(
        f"user_id {configured} in the config does not belong to these keys: they are of user_id {found[1]}",
        mendable=True,
        hint=f'set user_id: "{found[1]}", or use the keys of the other account, then: outagecast check',
    )


def asked_id(api: XApi) -> str:
    """Let X say who we are (0.01 USD on pay-per-use)."""
    response = api.me()
    api.demand(response)
    me = read_object(response).get("data")
    found = str(me.get("id", "")) if isinstance(me, dict) else ""
    if not is_id(found):
        raise TryLater("X's answer about the account cannot be read", hint=f"try again: {RESUME}")
    return found


def own_posts(api: XApi, own_id: str, start: datetime) -> Iterator[Mapping[str, Any]]:
    """Read the account's posts since `start`, newest first, to the last page."""
    page: str | None = None
    for _ in range(_MOST_PAGES):
        body = api.timeline(own_id, start, page)
        meta = body.get("meta")
        # Without its count an answer of 200 proves nothing: it may be somebody else's, or an error.
        if not isinstance(meta, dict) or not isinstance(meta.get("result_count"), int):
            if body.get("errors"):
                raise Refused(f"X shows no posts of user_id {own_id}", mendable=True)
            raise TryLater("X's list of the account's posts cannot be read", hint=f"try again: {RESUME}")
        yield from (post for post in body.get("data") or () if isinstance(post, dict))
        page = meta.get("next_token")
        if not page:
            return
    raise Refused(f"the account has made more than {_MOST_PAGES * 100} posts since", mendable=True)
