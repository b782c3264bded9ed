"""What the e-mail tests share: a house, an announcement, a channel to a relay, and sending through it."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from msgspec.structs import replace

from outagecast.channel import Announcement, House, Image, Incident, Kind, Post, Receipt, Secret
from outagecast.channels.email.channel import Email
from outagecast.channels.email.link import Waits
from outagecast.channels.email.settings import EmailSettings
from outagecast.model import IncidentState

if TYPE_CHECKING:
    from outagecast.channel import Result

NOW = datetime(2026, 11, 22, 14, 5, tzinfo=UTC)
HOUSE = House(
    organization="Example Hosting",
    timezone=ZoneInfo("Europe/Berlin"),
    support="https://help.example.net",
    notice="Announcements only. Help: https://help.example.net",
)
ALT = "Map: the fibre is cut between Köln-Süd and Bonn"


def picture(octets: int = 3000, *, name: str = "map.png", alt: str = ALT):
    """Not one that a screen would show: nothing on the way looks into it."""
    return Image(name, "image/png", alt, random.Random(octets).randbytes(octets))


QUICK = Waits(connect=2, opening=0.4, command=0.4, block=0.4, dot=0.4, pause=0.01)
"""Time-outs of a relay that hangs on purpose."""


def news(
    words: str = "fiber cut, ETA 1h (15:05 UTC)",
    *,
    seq: int = 0,
    kind: Kind = Kind.OPENED,
    key: str = "alert-4711",
    title: str = "fiber cut",
    opened_as: str = "",
    **more: Any,
):
    incident = Incident(key, title, IncidentState.OPEN, NOW, opened_as=opened_as)
    at = NOW + timedelta(minutes=20 * seq)
    return Announcement(incident=incident, seq=seq, kind=kind, text=words, words=words, at=at, **more)


def settings(*relays: str, **more: Any):
    given = {"sender": "Example Hosting Status <status@example.net>", "to": ["outages@lists.example.net"], **more}
    return EmailSettings(relays=[Secret.of(url) for url in relays or ["smtp://127.0.0.1:1?tls=none"]], **given)


PATIENT = Waits(pause=0.01)
"""Everywhere else: a busy machine must not look like a relay that hangs."""


def channel(*relays: str, waits: Waits = PATIENT, **more: Any):
    return Email("email", settings(*relays, **more), HOUSE, waits=waits)


def letters(email: Email, count: int, **more: Any):
    """Posts to `count` addresses, as the core makes them."""
    (post,) = email.render(news(**more))
    return [replace(post, to=f"reader{number}@example.org", id=number + 1) for number in range(count)]


def one(email: Email, to: str = "ann@example.org", **more: Any):
    (post,) = email.render(news(**more))
    return replace(post, to=to, id=1)


def sent(email: Email, posts: list[Post]):
    """Send all of them: what became of each, and which were begun."""
    begun: list[Post] = []
    results = {post.to: result for post, result in email.send_many(iter(posts), begun.append)}
    return results, [post.to for post in begun]


def receipts(results: dict[str, Result]):
    return [to for to, result in results.items() if isinstance(result, Receipt)]
