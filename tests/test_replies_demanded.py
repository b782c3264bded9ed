"""What `replies:` demands is held against what was read back: short of it is exit 1, and the post stays up."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
from night import Night

from outagecast.sandbox.faults import Fault, FaultKind
from outagecast.sandbox.x import ERRORS as X

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

READ = r"GET /2/tweets/\d+$"
POST = ("post", "--json", "fiber cut")


@pytest.fixture
def night(tmp_path: Path) -> Iterator[Night]:
    with Night(tmp_path) as night:
        yield night


def reads_back(setting: str) -> Callable[[Night], None]:
    def arrange(night: Night) -> None:
        night.x.shown_reply_settings = setting

    return arrange


def no_field(night: Night) -> None:
    night.x.hide_reply_settings = True


def no_tier(night: Night) -> None:
    night.x.account.can_read = False


def refuses(name: str) -> Callable[[Night], None]:
    def arrange(night: Night) -> None:
        night.x.faults.add(*[X[name].fault(READ) for _ in range(99)])

    return arrange


def lacking(scope: str) -> Callable[[Night], None]:
    def arrange(night: Night) -> None:
        night.graph.tokens[night.graph.page_token].scopes.discard(scope)

    return arrange


def as_it_should(_: Night) -> None:
    """Nothing is wrong."""


TABLE: list[tuple[str, str, Callable[[Night], None], str, int]] = [
    ("twitter", "verified", as_it_should, "closed", 0),
    ("twitter", "verified", reads_back("everyone"), "open", 1),
    ("twitter", "verified", reads_back("following"), "open", 1),
    ("twitter", "verified", no_field, "closed-unverified", 1),
    ("twitter", "verified", refuses("credits-depleted"), "closed-unverified", 1),
    ("twitter", "verified", refuses("unauthorized"), "closed-unverified", 1),
    ("twitter", "verified", no_tier, "closed-unverified", 1),
    ("twitter", "closed", no_field, "closed-unverified", 0),
    ("twitter", "closed", refuses("credits-depleted"), "closed-unverified", 0),
    ("twitter", "closed", reads_back("everyone"), "open", 1),
    ("twitter", "moderated", reads_back("everyone"), "open", 1),
    ("twitter", "open", reads_back("everyone"), "open", 0),
    ("facebook", "moderated", as_it_should, "moderated", 0),
    ("facebook", "moderated", lacking("pages_read_user_content"), "open", 1),
    ("facebook", "moderated", lacking("pages_manage_engagement"), "open", 1),
    ("facebook", "open", lacking("pages_read_user_content"), "open", 0),
]


@pytest.mark.parametrize(
    ("channel", "least", "arrange", "known", "code"),
    TABLE,
    ids=[f"{channel} {least}: {known} {number}" for number, (channel, least, _, known, _) in enumerate(TABLE)],
)
def test_what_was_found_is_held_against_what_is_demanded(
    night: Night, channel: str, least: str, arrange: Callable[[Night], None], known: str, code: int
) -> None:
    section: Any = getattr(night, channel)
    night.write_config(section(f"    replies: {least}"))
    arrange(night)
    done = night.run(*POST)
    (post,) = done.channel(channel)["posts"]
    assert (done.code, post["state"], post["replies"]) == (code, "sent", known)
    assert len(night.tweets() or night.pages()) == 1, "it stays up"
    swept = night.run("sweep", "--json")
    assert (swept.code, swept.json["incidents"][0]["channels"][0]["posts"][0]["replies"]) == (code, known)
    assert night.run("status", "--check").code == code
    assert len(night.tweets() or night.pages()) == 1


@pytest.mark.parametrize(
    ("channel", "least"), [("facebook", "closed"), ("facebook", "verified"), ("email", "wide open")]
)
def test_what_no_such_channel_can_keep_is_refused_before_anything_goes_out(
    night: Night, channel: str, least: str
) -> None:
    section: Any = getattr(night, channel)
    night.write_config(section(f"    replies: {least}"))
    done = night.run(*POST)
    assert done.code in {1, 2}
    assert "replies" in done.out + done.err
    assert (night.pages(), night.mails()) == ([], [])


@pytest.mark.parametrize("kind", [FaultKind.STATUS, FaultKind.RESET, FaultKind.HTML])
@pytest.mark.parametrize("name", ["twitter", "facebook"])
def test_a_post_is_looked_at_once_and_a_platform_that_is_down_is_left_to_the_next_run(
    night: Night, name: str, kind: FaultKind
) -> None:
    platform, read = (
        (night.x, "GET /2/tweets/") if name == "twitter" else (night.graph, "GET /v[0-9.]+/[0-9_]+/comments")
    )
    platform.faults.add(Fault(read, kind, times=1_000))
    done = night.run("post", "--json", "--to", name, "fiber cut")
    assert (done.json["outcome"], done.code) == ("sent", 75)
    asked = [request for request in platform.log if re.match(read, f"{request.method} {request.path}")]
    assert len(asked) == 1


def test_a_demand_that_is_not_met_says_so_with_what_to_do(night: Night) -> None:
    """Nothing has failed, so nothing else gives the reason for exit 1."""
    night.x.hide_reply_settings = True
    done = night.run("post", "--json", "--to", "twitter", "fiber cut")
    (post,) = done.channel("twitter")["posts"]
    assert (done.code, post["replies"]) == (1, "closed-unverified")
    assert "it does not say whether replies are closed" in post["detail"]
    shown = " ".join(night.run("status").out.split())
    assert "outagecast retract --last; or accept it in the config: `replies: closed`" in shown
    night.write_config(night.twitter("    replies: closed"))
    done = night.run("post", "--json", "--incident", "B", "another")
    assert (done.code, done.channel("twitter")["posts"][0]["detail"]) == (0, None)
