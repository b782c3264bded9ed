"""What the tests of the Facebook channel share: a Page on loopback, a channel that talks to it, a memory."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec.structs import replace

from outagecast.channel import Announcement, House, Image, Incident, Kind, Post, Receipt, Secret, Unfinished
from outagecast.channels.facebook import Facebook
from outagecast.model import IncidentState
from outagecast.sandbox.graph import GraphPlatform

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


NOW = datetime(2026, 11, 22, 14, 5, tzinfo=UTC)
HOUSE = House("Example Hosting", UTC, "https://help.example.net", "Announcements only. Help: https://help.example.net")
POST = Post("[22 Nov 2026, 14:05 UTC]\nfiber cut, ETA 1h (15:05 UTC)")
IMPATIENT = 0.7
"""Seconds to wait for an answer that never comes: long enough for a busy machine to give all the others."""
IMAGE = Image("map.png", "image/png", "Map of the cut, near Köln", b"\x89PNG\r\n\x1a\n" + bytes(range(256)))
PHOTOS = "POST /v25.0/[0-9]+/photos"
BATCH = "/v25.0/"
"""Where batches go: what our channel asks by one changes nothing."""
FEED = "POST /v25.0/[0-9]+/feed"
PUBLISH = r"POST /v25.0/[0-9]+_[0-9]+$"
OWN_COMMENT = '{"error":{"message":"(#200) Can not hide or unhide this comment","code":200}}'


def simulated_page() -> Iterator[GraphPlatform]:
    """Give a Page, and look afterwards that nothing went out that must not."""
    with GraphPlatform(now=lambda: NOW) as platform:
        yield platform
        assert not platform.leaks, "a token stood in a URL"
        assert not platform.unknown_parameters, "a parameter went out that Graph does not know"


def channel(page: GraphPlatform, *, patience: float = 20, **keys: Any) -> Facebook:
    """Give a channel for the simulated Page."""
    wanted = {
        "page_id": page.page_id,
        "page_access_token": Secret.of(page.page_token),
        "simulator_url": page.url,
        **keys,
    }
    return Facebook("facebook", msgspec.convert(wanted, Facebook.Settings), HOUSE, now=lambda: NOW, patience=patience)


def news(words: str = "fiber cut", **fields: Any) -> Announcement:
    """Give an announcement, the first of its incident unless told otherwise."""
    incident = Incident("inc-1", fields.pop("title", words), IncidentState.OPEN, NOW - timedelta(hours=1))
    given = {"seq": 0, "kind": Kind.OPENED, "text": words, "words": words, "at": NOW, **fields}
    return Announcement(incident, **given)


def sent(page: GraphPlatform, **keys: object) -> tuple[Facebook, Receipt]:
    """Publish the usual post."""
    facebook = channel(page, **keys)
    return facebook, facebook.send(POST, None, Memory())


def finish(facebook: Facebook, memory: Memory, post: Post = POST) -> Receipt:
    """Go on after a doubt as the core does: look, and send only if nothing is out."""
    found = facebook.find(replace(post, token=memory.token), None, NOW)
    if isinstance(found, Receipt):
        return found
    if isinstance(found, Unfinished):
        memory(found.token)
    return facebook.send(replace(post, token=memory.token), None, memory)


def written(page: GraphPlatform) -> list[str]:
    """Give the requests that change something."""
    changing = [request for request in page.log if request.method != "GET" and request.path != BATCH]
    return [f"{request.method} {request.path}" for request in changing]


def texts(err: BaseException) -> Iterator[str]:
    """Everything an operator may get to read of an error."""
    yield from (str(err), getattr(err, "text", ""), getattr(err, "hint", ""))


class Memory:
    """What `remember` was given, in order."""

    def __init__(self) -> None:
        self.steps: list[dict[str, str]] = []

    def __call__(self, token: Mapping[str, str]) -> None:
        self.steps.append(dict(token))

    @property
    def token(self) -> dict[str, str]:
        """What the next attempt gets."""
        merged: dict[str, str] = {}
        for step in self.steps:
            merged |= step
        return merged
