"""What `--dry-run` tells of a picture: where it goes along, and where the words go alone."""

from __future__ import annotations

import io
from datetime import UTC
from typing import Any

import pytest
from journal_kit import NOW, news

from outagecast.announce import Draft
from outagecast.journal import ChannelPlan
from outagecast.model import Image, LeastReplies, Post
from outagecast.preview import preview_json
from outagecast.registry import Opened
from outagecast.screen import Screen
from outagecast.screen_plans import size

MAP = Image("map.png", "image/png", "streets without\x1b[2J power", b"\x89PNG" + b"." * 24_996)
WITHOUT = "without the picture: this type of channel takes none"


def preview(*plans: ChannelPlan) -> dict[str, Any]:
    opened = {plan.name: Opened(plan.name, plan.type, plan.least) for plan in plans}
    return preview_json(Draft(news(), plans), opened, 0)


def plan(name: str, *posts: Post) -> ChannelPlan:
    return ChannelPlan(name, name, LeastReplies.OPEN, posts=posts)


def shown(what: dict[str, Any]) -> str:
    out = io.StringIO()
    Screen(out, UTC, NOW).preview(what)
    return out.getvalue()


def test_a_picture_is_named_with_its_size_and_words_where_it_goes_along() -> None:
    first, second = Post("fiber cut", 1, 2, image=MAP), Post("more", 2, 2)
    pictured, bare = preview(plan("feed", first, second), plan("wall", Post("fiber cut")))["channels"]
    image = {"name": "map.png", "type": "image/png", "size": 25_000, "alt": MAP.alt}
    assert [post["image"] for post in pictured["posts"]] == [image, None]
    assert [post["warnings"] for post in pictured["posts"]] == [[], []]
    assert (bare["posts"][0]["image"], bare["posts"][0]["warnings"]) == (None, [WITHOUT])


def test_the_screen_says_it_safely() -> None:
    said = shown(preview(plan("feed", Post("fiber cut", image=MAP)), plan("wall", Post("fiber cut", warnings=("hm",)))))
    assert "  ▣ map.png (image/png, 25 kB): streets without\\x1b[2J power\n" in said
    assert said.count("▣") == 1
    assert f"  ! hm\n  ! {WITHOUT}\n" in said


def test_without_a_picture_nothing_is_said_of_one() -> None:
    what = preview(plan("feed", Post("fiber cut")))
    assert what["channels"][0]["posts"][0]["image"] is None
    assert what["channels"][0]["posts"][0]["warnings"] == []
    assert "picture" not in shown(what)


@pytest.mark.parametrize(
    ("count", "said"),
    [(999, "999 bytes"), (1000, "1 kB"), (1234, "1.2 kB"), (5_242_880, "5.2 MB"), (4_000_000, "4 MB")],
)
def test_a_size_is_said_as_people_say_it(count: int, said: str) -> None:
    assert size(count) == said


def test_channels_says_how_large_a_picture_may_be() -> None:
    common = dict.fromkeys(("threads", "find", "edit", "retract", "letters"), False)
    types = [
        {"type": "feed", "error": None, "replies": "atomic", "limits": [], "images": 5_000_000, **common},
        {"type": "wall", "error": None, "replies": "none", "limits": [], "images": 0, **common, "find": True},
    ]
    out = io.StringIO()
    Screen(out, UTC, NOW).types(types)
    assert out.getvalue().splitlines()[1:] == [
        "  feed  atomic         none   pictures up to 5 MB",
        "  wall  none           none   find",
    ]
