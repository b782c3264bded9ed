"""What a contract test is about: a channel, the world behind it, and posts on their way."""
# ruff: noqa: S101  a contract is made of assertions; this runs under pytest only

from __future__ import annotations

import socket
from base64 import b64decode
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, NoReturn, cast

import msgspec
import pytest
from msgspec.structs import replace

from outagecast.channel import Announcement, ChannelError, Image, Incident, Kind, Post, Receipt, Refused, Secret
from outagecast.model import IncidentState

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from outagecast.channel import Channel, Letters

AT = datetime(2026, 11, 22, 14, 5, tzinfo=UTC)
IMAGE = Image(
    "map.png",
    "image/png",
    "a map of the north",
    b64decode("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="),
)
"""A real picture, of one point."""


def announcement(
    words: str = "fiber cut, ETA 1h",
    *,
    seq: int = 0,
    kind: Kind = Kind.OPENED,
    at: datetime = AT,
    seconds: bool = False,
    image: Image | None = None,
) -> Announcement:
    """One announcement of the incident that all tests of the contract are about."""
    incident = Incident("contract-1", "fiber cut", IncidentState.OPEN, AT - timedelta(minutes=seq))
    return Announcement(
        incident=incident, seq=seq, kind=kind, text=words, words=words, at=at, seconds=seconds, image=image
    )


def _now() -> datetime:
    return datetime.now(UTC)


class Subject(msgspec.Struct, frozen=True):
    """A fresh channel, and what the tests must know of the world behind it."""

    channel: Channel
    public: Callable[[str], int]
    """How many published posts (letters, with that body) the public sees that have this text, to the letter."""
    secrets: Sequence[str] = ()
    """Values that no error, no finding and no `repr` may show."""
    breakages: Mapping[str, Callable[[], object]] = msgspec.field(default_factory=dict)
    """By name: each makes the platform fail in one way, at the next request, before or after it has done its work."""
    mend: Callable[[], object] = lambda: None
    """Ends whatever a breakage has left."""
    now: Callable[[], datetime] = _now
    """The platform's clock. A simulation should show at once what it has taken, in its lists too."""
    recipient: str = "reader@example.org"
    """Who gets the letters of a channel with `caps.letters`."""


class Attempt(msgspec.Struct):
    """One post on its way: what `remember` was given, and what became of it."""

    subject: Subject
    post: Post
    begun_at: datetime
    answer: Receipt | ChannelError | None = None

    def remember(self, token: Mapping[str, str]) -> None:
        """Keep a step's token, as the journal does."""
        self.post = replace(self.post, token={**self.post.token, **token})

    def run(self, parent: Receipt | None = None) -> Receipt | ChannelError | None:
        """Send it, by the way the core would; anything but the three answers fails the test."""
        try:
            if self.subject.channel.caps.letters:
                self._as_letter()
            else:
                self.answer = self.subject.channel.send(self.post, parent, self.remember)
        except ChannelError as err:
            self.answer = err
        return self.answer

    def _as_letter(self) -> None:
        letters = cast("Letters", self.subject.channel)
        begun: list[Post] = []
        for _, answer in letters.send_many(iter([self.post]), begun.append):
            self.answer = answer


def posts_of(subject: Subject, news: Announcement) -> list[Post]:
    """The posts as the core hands them on: letters with their recipient."""
    posts = subject.channel.render(news)
    to = subject.recipient if subject.channel.caps.letters else ""
    return [replace(post, id=number, to=to) for number, post in enumerate(posts, 1)]


def attempt_of(subject: Subject, news: Announcement | None = None) -> Attempt:
    """The first post of an announcement, about to be sent."""
    now = subject.now()
    post = posts_of(subject, news or announcement())[0]
    return Attempt(subject, replace(post, attempted_at=now), now)


def sent(subject: Subject, post: Post, parent: Receipt | None = None) -> Receipt:
    """Send it; that it goes out is what the test takes for granted."""
    to = subject.recipient if subject.channel.caps.letters else ""
    answer = Attempt(subject, replace(post, id=1, to=to), subject.now()).run(parent)
    assert isinstance(answer, Receipt), answer
    return answer


@contextmanager
def broken(subject: Subject, name: str) -> Iterator[None]:
    """Inside, one thing is broken: one of those that break for everybody, or one of the author's."""
    with pytest.MonkeyPatch.context() as patch:
        if name in EVERYBODYS:
            # Connections that are open already would outlive what is done to new ones.
            subject.channel.close()
            EVERYBODYS[name](patch)
        else:
            subject.breakages[name]()
        yield
    subject.mend()


def _offline(*_: object, **__: object) -> NoReturn:
    raise ConnectionRefusedError(111, "Connection refused")


def _nameless(*_: object, **__: object) -> NoReturn:
    raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")


def _unset(_: Secret) -> NoReturn:
    raise Refused("${TOKEN} is not set", mendable=True, hint="export TOKEN=…")


EVERYBODYS: Mapping[str, Callable[[pytest.MonkeyPatch], None]] = {
    "no network": lambda patch: patch.setattr(socket.socket, "connect", _offline),
    "no names": lambda patch: patch.setattr(socket, "getaddrinfo", _nameless),
    "no secret": lambda patch: patch.setattr(Secret, "reveal", _unset),
}
"""What can break for every channel, by name."""
