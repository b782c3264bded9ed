"""A whole night for tests: the three platforms, a config, a clock, and the command line run in this process."""

from __future__ import annotations

import io
import json
import threading
import time
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Self

from outagecast.cli.main import main
from outagecast.cli.surroundings import Surroundings
from outagecast.dns_names import SystemNames
from outagecast.journal import Journal
from outagecast.sandbox.graph import GraphPlatform
from outagecast.sandbox.mailbox import Mailbox
from outagecast.sandbox.x import XPlatform

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from outagecast.deliver import Clock
    from outagecast.names import Names
    from outagecast.sandbox.dns import NameServer

RECORDS: Mapping[str, Mapping[str, Sequence[str]]] = {
    "help.example.net": {"A": ["198.51.100.80"]},
    "example.net": {"NS": ["ns1.example.org"], "MX": ["10 mx.example.org"]},
    "example.org": {"NS": ["ns1.example.org"], "MX": ["10 mx.example.org"]},
    "example.com": {"NS": ["ns1.example.org"], "MX": ["10 mx.example.org"]},
    "mx.example.org": {"A": ["198.51.100.25"]},
    "ns1.example.org": {"A": ["198.51.100.53"]},
}
"""Of the hosts that the night's config names."""
MOMENT = datetime(2026, 11, 22, 14, 5, tzinfo=UTC)


class MovedClock:
    """Starts at MOMENT and runs; a wait passes at once, by moving the clock on."""

    def __init__(self) -> None:
        self._start = time.monotonic()
        self._moved = 0.0
        self._lock = threading.Lock()

    def now(self) -> datetime:
        return MOMENT + timedelta(seconds=self.monotonic())

    def monotonic(self) -> float:
        with self._lock:
            return time.monotonic() - self._start + self._moved

    def wait(self, stop: threading.Event, seconds: float) -> bool:
        self.move(seconds)
        return stop.wait(0.001)

    def move(self, seconds: float) -> None:
        with self._lock:
            self._moved += seconds


@dataclass(frozen=True)
class Done:
    """What a command left behind."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> dict[str, Any]:
        value: dict[str, Any] = json.loads(self.out)
        return value

    def channel(self, name: str) -> dict[str, Any]:
        return next(channel for channel in self.json["channels"] if channel["name"] == name)


class Night:
    """`run` runs a command; `x`, `graph` and `mailbox` are the platforms; `config` may be rewritten at any time.

    `dns` is the DNS, and starts when a test first asks for it; until then nobody answers for any name.
    """

    def __init__(self, folder: Path, clock: Clock | None = None) -> None:
        self.folder = folder
        self.clock: Clock = clock or MovedClock()
        self._stack = ExitStack()
        self._dns: NameServer | None = None

    @property
    def dns(self) -> NameServer:
        """The name server that `check` asks, with `RECORDS` to begin with."""
        if self._dns is None:
            from outagecast.sandbox.dns import NameServer

            self._dns = self._stack.enter_context(NameServer(RECORDS))
        return self._dns

    def names(self) -> Names:
        """The DNS of this night; never the machine's own."""
        return SystemNames(2.0, [self._dns.address] if self._dns else [], machine=lambda _host: ())

    def __enter__(self) -> Self:
        now = self.clock.now
        self.x = self._stack.enter_context(XPlatform(now=now))
        # tweepy signs with the machine's clock, and the night has its own.
        self.x.skew = timedelta.max
        self.graph = self._stack.enter_context(GraphPlatform(now=now))
        self.mailbox = self._stack.enter_context(Mailbox(help_at="https://help.example.net", now=now))
        self.to = ["ann@example.org", "bo@example.com"]
        self.config = self.folder / "outagecast.yaml"
        self.journal_path = self.folder / "state" / "journal.db"
        self.write_config()
        self.env = {
            "TWITTER_API_KEY": self.x.account.api_key,
            "TWITTER_API_KEY_SECRET": self.x.account.api_key_secret,
            "TWITTER_ACCESS_TOKEN": self.x.account.access_token,
            "TWITTER_ACCESS_TOKEN_SECRET": self.x.account.access_token_secret,
            "FACEBOOK_PAGE_ACCESS_TOKEN": self.graph.page_token,
            "HOME": str(self.folder),
        }
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def twitter(self, more: str = "") -> str:
        return f"""
  twitter:
    api_key: ${{TWITTER_API_KEY}}
    api_key_secret: ${{TWITTER_API_KEY_SECRET}}
    access_token: ${{TWITTER_ACCESS_TOKEN}}
    access_token_secret: ${{TWITTER_ACCESS_TOKEN_SECRET}}
    user_id: "{self.x.account.user_id}"
    simulator_url: {self.x.url}
{more}"""

    def facebook(self, more: str = "") -> str:
        return f"""
  facebook:
    page_id: "{self.graph.page_id}"
    page_access_token: ${{FACEBOOK_PAGE_ACCESS_TOKEN}}
    simulator_url: {self.graph.url}
{more}"""

    def email(self, more: str = "") -> str:
        return f"""
  email:
    sender: Example Hosting Status <status@example.net>
    relays: ["{self.mailbox.url}"]
    to: [{", ".join(self.to)}]
    subscribers: true
    list_id: outages.status.example.net
{more}"""

    def write_config(self, channels: str | None = None, top: str = "") -> None:
        if channels is None:
            channels = self.twitter() + self.facebook() + self.email()
        self.config.write_text(
            f"""\
organization: Example Hosting
support: https://help.example.net
notice: "Announcements only. Help: {{support}}"
timezone: Europe/Berlin
journal: {self.journal_path}
{top}
channels:
{channels}
""",
            encoding="utf-8",
        )

    def run(self, *argv: str, stdin: bytes | None = None, env: Mapping[str, str] | None = None) -> Done:
        """A command as from a shell, in this process, by the door that the console script uses."""
        out, err = io.BytesIO(), io.BytesIO()
        around = Surroundings(
            env=self.env | dict(env or {}),
            cwd=self.folder,
            clock=self.clock,
            names=self.names,
            stdin=io.TextIOWrapper(io.BytesIO(stdin or b""), encoding="utf-8"),
            stdout=io.TextIOWrapper(out, encoding="utf-8", write_through=True),
            stderr=io.TextIOWrapper(err, encoding="utf-8", write_through=True),
        )
        code = main(argv, around)
        return Done(code, out.getvalue().decode(), err.getvalue().decode())

    def journal(self) -> Journal:
        return Journal(self.journal_path, self.clock.now)

    def tweets(self) -> list[str]:
        """What our account has out on X."""
        mine = self.x.account.screen_name
        return [tweet["text"] for tweet in self.x.public() if tweet["author"] == mine]

    def pages(self) -> list[str]:
        return [post["text"] for post in self.graph.public()]

    def mails(self) -> list[str]:
        return [letter["to"] for letter in self.mailbox.public()]

    def out_everywhere(self, times: int = 1) -> bool:
        """Whether each platform has every post exactly `times` times."""
        return (len(self.tweets()), len(self.pages()), sorted(self.mails())) == (times, times, sorted(self.to * times))
