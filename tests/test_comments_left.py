"""A Page whose comments the config leaves alone: its replies are open, that is what was asked for, and nothing is wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from night import Night

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

POST = ("post", "--json", "fiber cut, ETA 1h")


@pytest.fixture
def night(tmp_path: Path) -> Iterator[Night]:
    with Night(tmp_path) as night:
        yield night


def leave(night: Night, more: str = "") -> None:
    night.write_config(night.facebook(f"    comments: leave\n{more}"))


def test_a_post_is_out_with_open_replies_and_nobody_is_needed(night: Night) -> None:
    leave(night)
    done = night.run(*POST)
    assert (done.code, done.channel("facebook")["replies"]) == (0, "open")
    assert night.run("status", "--check").code == 0


def test_a_sweep_says_open_leaves_the_comments_and_is_content(night: Night) -> None:
    leave(night)
    night.run(*POST)
    night.graph.stranger_comment(night.graph.public()[0]["id"], "When?")
    swept = night.run("sweep", "--json")
    (post,) = swept.json["incidents"][0]["channels"][0]["posts"]
    assert (swept.code, post["replies"], post["detail"]) == (0, "open", None)
    assert len(night.graph.public()[0]["comments"]) == 1


def test_to_write_down_what_is_the_best_it_can_do_changes_nothing(night: Night) -> None:
    leave(night, "    replies: open")
    assert night.run(*POST).code == 0


@pytest.mark.parametrize("demand", ["moderated", "closed", "verified"])
def test_more_than_open_is_refused_before_anything_is_sent(night: Night, demand: str) -> None:
    leave(night, f"    replies: {demand}")
    done = night.run(*POST)
    assert done.code != 0
    assert "the most is open" in done.out
    assert night.pages() == []
    checked = night.run("check")
    assert (checked.code, "write `replies: open`" in checked.out) == (1, True)


def test_where_comments_are_swept_a_page_can_do_better_than_open(night: Night) -> None:
    night.write_config(night.facebook())
    assert night.run(*POST).channel("facebook")["replies"] == "moderated"
    night.write_config(night.facebook("    replies: open"))
    assert night.run("sweep").code == 0
