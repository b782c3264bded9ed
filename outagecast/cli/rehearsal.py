"""A whole night on this machine: the real commands, through the real adapters, to simulated platforms on loopback."""

from __future__ import annotations

import io
import json
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec.structs import replace

from outagecast.cli.surroundings import Surroundings
from outagecast.sandbox.graph import GraphPlatform
from outagecast.sandbox.mailbox import Mailbox
from outagecast.sandbox.x import XPlatform

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

STRANGER = "When will it be back?"
SUPPORT = "https://help.example.net"
READERS = ("ann@example.org", "bo@example.com", "outages@lists.example.net")


class Stage(msgspec.Struct, frozen=True):
    """The simulated platforms, and a config that points at them."""

    x: XPlatform
    graph: GraphPlatform
    mailbox: Mailbox
    config: Path
    env: Mapping[str, str]

    def command(self, around: Surroundings, argv: Sequence[str]) -> tuple[int, dict[str, Any]]:
        """Run a command as from a shell, by the same door; its exit code and what it printed as JSON."""
        from outagecast.cli.main import main

        raw = io.BytesIO()
        out = io.TextIOWrapper(raw, encoding="utf-8")
        there = replace(around, env=self.env, cwd=self.config.parent, stdout=out)
        code = main([argv[0], "--config", str(self.config), "--json", *argv[1:]], there)
        return code, json.loads(raw.getvalue())


@contextmanager
def stage(folder: Path, around: Surroundings) -> Iterator[Stage]:
    """Start the platforms; they end with the block. The journal is in `folder`, as is everything else."""
    now = around.clock.now
    with ExitStack() as stack:
        x = stack.enter_context(XPlatform(now=now))
        graph = stack.enter_context(GraphPlatform(now=now))
        mailbox = stack.enter_context(Mailbox(help_at=SUPPORT, now=now))
        config = folder / "outagecast.yaml"
        config.write_text(_config(x, graph, mailbox, folder), encoding="utf-8")
        secrets = {
            "TWITTER_API_KEY": x.account.api_key,
            "TWITTER_API_KEY_SECRET": x.account.api_key_secret,
            "TWITTER_ACCESS_TOKEN": x.account.access_token,
            "TWITTER_ACCESS_TOKEN_SECRET": x.account.access_token_secret,
            "FACEBOOK_PAGE_ACCESS_TOKEN": graph.page_token,
        }
        yield Stage(x, graph, mailbox, config, {**around.env, **secrets})


def _config(x: XPlatform, graph: GraphPlatform, mailbox: Mailbox, folder: Path) -> str:
    readers = "\n".join(f"      - {address}" for address in READERS)
    return f"""\
organization: Example Hosting
support: {SUPPORT}
notice: "Announcements only. Help: {{support}}"
timezone: UTC
journal: {json.dumps(str(folder / "journal.db"))}
channels:
  twitter:
    api_key: ${{TWITTER_API_KEY}}
    api_key_secret: ${{TWITTER_API_KEY_SECRET}}
    access_token: ${{TWITTER_ACCESS_TOKEN}}
    access_token_secret: ${{TWITTER_ACCESS_TOKEN_SECRET}}
    user_id: "{x.account.user_id}"
    simulator_url: {x.url}
  facebook:
    page_id: "{graph.page_id}"
    page_access_token: ${{FACEBOOK_PAGE_ACCESS_TOKEN}}
    simulator_url: {graph.url}
  email:
    sender: Example Hosting Status <status@example.net>
    relays: ["{mailbox.url}"]
    to:
{readers}
    list_id: outages.status.example.net
"""


def strangers_try(on: Stage, around: Surroundings) -> dict[str, str]:
    """Somebody else replies on every channel; what became of each reply."""
    return {"twitter": _on_x(on), "facebook": _on_facebook(on, around), "email": _by_mail(on)}


def _on_x(on: Stage) -> str:
    mine = [tweet for tweet in on.x.public() if tweet["author"] == on.x.account.screen_name]
    if not mine:
        return "nothing to reply to"
    status, body = on.x.stranger_reply(mine[0]["id"], STRANGER)
    return f"refused ({status}): {body.get('detail', '')}" if status >= 400 else "ACCEPTED: replies are open"


def _on_facebook(on: Stage, around: Surroundings) -> str:
    """A Page has no switch: the comment appears, and the sweep takes it out of sight."""
    posts = on.graph.public()
    if not posts:
        return "nothing to comment on"
    on.graph.stranger_comment(posts[0]["id"], STRANGER)
    on.command(around, ["sweep"])
    seen = [comment for post in on.graph.public() for comment in post["comments"]]
    if seen:
        return "VISIBLE: the sweep did not hide it"
    return "appeared, because a Page cannot close comments; hidden by `outagecast sweep`"


def _by_mail(on: Stage) -> str:
    letters = on.mailbox.letters
    if not letters:
        return "nothing to reply to"
    line = on.mailbox.stranger_reply(letters[0], STRANGER)
    return f"ACCEPTED: {line}" if line.startswith("2") else f"refused: {line}"


def public(on: Stage) -> dict[str, list[Any]]:
    """What everybody can see on each channel."""
    return {
        "twitter": on.x.public(),
        "facebook": on.graph.public(),
        "email": [dict(one) for one in on.mailbox.public()],
    }
