"""What the tests of the X channel share: an account on loopback, a channel that talks to it, a clock, a memory."""

from __future__ import annotations

import dataclasses
import struct
import zlib
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from msgspec.structs import replace

from outagecast.channel import (
    Act,
    Announcement,
    ChannelError,
    House,
    Image,
    Incident,
    Kind,
    Post,
    Receipt,
    Replies,
    Secret,
)
from outagecast.channels.twitter import Twitter, TwitterSettings
from outagecast.model import IncidentState
from outagecast.sandbox.x import XPlatform

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

CREATE = "POST /2/tweets"
UPLOAD, DESCRIBE = "POST /2/media/upload", "POST /2/media/metadata"
AT = datetime(2026, 11, 22, 14, 5, tzinfo=UTC)
HOUSE = House("Example Hosting", ZoneInfo("Europe/Berlin"), notice="Announcements only. Help: https://help.example.net")
ROOT = Post("[14:05 UTC] fiber cut, ETA 1h (15:05 UTC)")
UPDATE = Post("[14:25 UTC · update 1] splicing")
IMPATIENT = 0.5
"""Seconds to wait for an answer that never comes."""


def png() -> bytes:
    """One red pixel."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    head = struct.pack(">IIBBBBB", 1, 1, 8, 2, 0, 0, 0)
    pixel = zlib.compress(b"\0\xff\0\0")
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", pixel) + chunk(b"IEND", b"")


MAP = Image("map.png", "image/png", "map of the cut", png())
SHOWN = Post(ROOT.text, image=MAP)


class Notes(dict[str, str]):
    """A `remember` that keeps what it was given, as the journal does."""

    def __call__(self, token: Mapping[str, str]) -> None:
        self.update(token)


@dataclasses.dataclass
class Log:
    """A `SweepLog` that keeps what it is told, as the journal does."""

    acts: list[tuple[Act, str]] = dataclasses.field(default_factory=list)
    whys: list[str] = dataclasses.field(default_factory=list)
    setting: Replies | None = None
    wanted: bool = False
    """Whether another command waits."""

    def done(self, act: Act, ref: str) -> None:
        self.acts.append((act, ref))

    def has(self, ref: str) -> bool:
        return ref in {known for _, known in self.acts}

    def unsearched(self, why: str) -> None:
        self.whys.append(why)

    def give_way(self) -> bool:
        return self.wanted

    def read(self, replies: Replies) -> None:
        self.setting = replies


@dataclasses.dataclass
class Clock:
    """The adapter's clock: the real one, ahead by `shift`; signatures carry the real time."""

    shift: timedelta = timedelta(0)

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.shift

    def moment_ago(self) -> datetime:
        """When an attempt began that has just ended."""
        return self() - timedelta(seconds=1)


def simulated_x() -> Iterator[XPlatform]:
    """Give an X of our own."""
    with XPlatform() as platform:
        yield platform


def settings(x: XPlatform, **more: Any) -> TwitterSettings:
    """Give the settings that go with the simulated account, but for what is said otherwise."""
    keys = x.account
    known: dict[str, Any] = {
        "api_key": Secret.of(keys.api_key),
        "api_key_secret": Secret.of(keys.api_key_secret),
        "access_token": Secret.of(keys.access_token),
        "access_token_secret": Secret.of(keys.access_token_secret),
        "user_id": keys.user_id,
        "simulator_url": x.url,
    }
    return TwitterSettings(**(known | more))


def maker(x: XPlatform, clock: Clock) -> Iterator[Callable[..., Twitter]]:
    """Give a function that makes channels from changed settings; all are closed in the end."""
    made: list[Twitter] = []

    def make(**more: Any) -> Twitter:
        made.append(Twitter("twitter", settings(x, **more), HOUSE, now=clock, patience=IMPATIENT))
        return made[-1]

    yield make
    for channel in made:
        channel.close()


def news(words: str, kind: Kind = Kind.OPENED, seq: int = 0, **more: Any) -> Announcement:
    """Give an announcement, the first of its incident unless told otherwise."""
    incident = Incident("inc-1", "fiber cut", IncidentState.OPEN, AT)
    return Announcement(incident, seq, kind, words, words, AT, **more)


def resumed(twitter: Twitter, post: Post, parent: Receipt | None, notes: Notes, clock: Clock) -> Receipt:
    """What the core does with a post that may be out: look, and send it again only if it is not; once is enough."""
    for _ in range(2):
        found = twitter.find(replace(post, token=dict(notes)), parent, clock.moment_ago())
        if isinstance(found, Receipt):
            return found
        with suppress(ChannelError):
            return twitter.send(replace(post, token=dict(notes)), parent, notes)
    raise AssertionError("it is neither out nor can it be sent")
