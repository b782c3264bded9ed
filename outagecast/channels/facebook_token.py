"""What Facebook says about a token: whose it is, how long it lives, what it may do. The token stands in no URL."""

from __future__ import annotations

from contextlib import closing, suppress
from typing import TYPE_CHECKING, Any

from outagecast.channel import Refused

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from outagecast.channels.facebook_graph import Graph

TO_POST = ("pages_manage_posts", "pages_read_engagement")
"""What Facebook's own refusal of a post asks for."""
TO_BE_GOT = ("pages_show_list",)
"""What a Page's token is got with: it lists Pages and gives their tokens, which is over once the token is there.

Meta's pages-api/posts has it among the rights to post (November 2026); the refusal of a post asks for the others only.
"""
TO_SWEEP = ("pages_read_user_content", "pages_manage_engagement")
ALL_RIGHTS = (*TO_POST, *TO_BE_GOT, *TO_SWEEP)


def facts(graph: Graph, app: Callable[[], Graph] | None, token: str) -> Mapping[str, Any]:
    """Ask what a token may do; empty when nobody may ask, which says nothing about the token. Raises TryLater.

    The app is asked where the config knows it, else the token about itself (Meta asks for a developer of the app,
    which whoever made the token for their own Page is).
    """
    if app is not None:
        with closing(app()) as asking, suppress(Refused):
            return _debugged(asking, token)
    with suppress(Refused):
        return _debugged(graph, token)
    return {}


def missing(known: Mapping[str, Any], wanted: Sequence[str], page_id: str) -> Sequence[str]:
    """Give those of the wanted rights that facts about a token do not have for this Page."""
    return [scope for scope in wanted if not _granted(known, scope, page_id)]


def _granted(known: Mapping[str, Any], scope: str, page_id: str) -> bool:
    """Say whether a right holds for this Page: an entry without targets is for all of them."""
    entries = [entry for entry in _list(known.get("granular_scopes")) if isinstance(entry, dict)]
    targets = next((_list(entry.get("target_ids")) for entry in entries if entry.get("scope") == scope), [])
    return scope in _list(known.get("scopes")) and (not targets or page_id in map(str, targets))


def _debugged(graph: Graph, token: str) -> Mapping[str, Any]:
    """Ask Facebook about a token; an answer that does not list what it may do is none."""
    data = graph.read_sealed("debug_token", input_token=token).body.get("data")
    return data if isinstance(data, dict) and isinstance(data.get("scopes"), list) else {}


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []
