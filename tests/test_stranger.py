"""A stranger at every step of an incident: replying on X, commenting on the Page, answering letters. Nothing stands."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from night import Done, Night

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

OWN = "Help is at https://help.example.net"


@pytest.fixture
def night(tmp_path: Path) -> Iterator[Night]:
    with Night(tmp_path) as night:
        yield night


class Stranger:
    """Tries everything below whatever is out."""

    def __init__(self, night: Night) -> None:
        self.night = night
        self.comments: list[str] = []
        self.replies: list[str] = []

    def tries(self, step: str) -> None:
        self.is_refused_on_x(step)
        self.gets_through_on_x(step)
        self.comments_on_the_page(step)
        self.answers_letters(step)

    def is_refused_on_x(self, step: str) -> None:
        x = self.night.x
        for tweet in x.public():
            status, body = x.stranger_reply(tweet["id"], f"When? {step}")
            assert (status, "not allowed" in body["detail"]) == (403, True)

    def gets_through_on_x(self, step: str) -> None:
        """X cannot load who may reply, and lets everybody."""
        x = self.night.x
        x.fails_open = True
        for tweet in x.public():
            status, body = x.stranger_reply(tweet["id"], f"When? {step}")
            assert status == 201
            self.replies.append(body["data"]["id"])
        x.fails_open = False

    def comments_on_the_page(self, step: str) -> None:
        """Below every post, below a stranger's comment, and below the Page's own."""
        graph = self.night.graph
        for post in graph.public():
            own = graph.page_comment(post["id"], OWN)
            first = graph.stranger_comment(post["id"], f"When? {step}")
            self.comments += [
                first,
                graph.stranger_comment(post["id"], f"me too {step}", parent=first),
                graph.stranger_comment(post["id"], f"and then? {step}", parent=own),
            ]

    def answers_letters(self, step: str) -> None:
        for letter in self.night.mailbox.letters:
            assert self.night.mailbox.stranger_reply(letter, f"When? {step}").startswith("550")

    def seen(self) -> list[str]:
        """What of it everybody sees."""
        ours = self.night.x.account.screen_name
        tweets = [tweet["text"] for tweet in self.night.x.public() if tweet["author"] != ours]
        comments = [said["text"] for post in self.night.graph.public() for said in post["comments"]]
        return tweets + [text for text in comments if text != OWN]


def claims(done: Done) -> set[tuple[str, str]]:
    """What the report says of replies to what is out, by channel."""
    reports = done.json.get("incidents") or [done.json]
    return {
        (channel["name"], post["replies"])
        for report in reports
        for news in report.get("announcements") or [report]
        for channel in news["channels"]
        if channel["name"] != "email"
        for post in channel["posts"]
        if post["state"] == "sent"
    }


def counted(night: Night) -> dict[str, int]:
    """How many `show` says were hidden."""
    (key,) = [one["incident"]["key"] for one in night.run("status", "--json").json["incidents"]]
    told = json.loads(night.run("show", key, "--json").out)
    hidden: dict[str, int] = {}
    for news in told["announcements"]:
        for channel in news["channels"]:
            for post in channel.get("posts", ()):
                hidden[channel["name"]] = hidden.get(channel["name"], 0) + post["hidden"]
    return hidden


STEPS: list[Sequence[str]] = [("update", "digging"), ("update", "cable found"), ("resolve",), ("sweep",)]
CLAIM = {("twitter", "closed"), ("facebook", "moderated")}


def test_a_stranger_who_tries_at_every_step_is_seen_at_none(night: Night) -> None:
    stranger = Stranger(night)
    done = night.run("post", "--incident", "ALERT-1", "--json", "fiber cut")
    assert (done.code, claims(done), stranger.seen()) == (0, CLAIM, [])
    for step in STEPS:
        stranger.tries(step[-1])
        night.clock.move(1200)
        done = night.run(step[0], "--json", *step[1:])
        assert (done.code, claims(done), stranger.seen()) == (0, CLAIM, []), done.out + done.err
    assert counted(night) == {"twitter": len(stranger.replies), "facebook": len(stranger.comments)}
    own = [said for post in night.graph.public() for said in post["comments"]]
    assert [said["text"] for said in own] == [OWN] * len(own)
    assert len(own) == 1 + 2 + 3 + 4, "the Page's own words are left alone"
    assert len(night.tweets()) == 4
    assert not [
        request for request in night.x.log if request.method == "PUT" and request.path.split("/")[3] in mine(night)
    ]
    stranger.tries("retract")
    gone = night.run("retract", "--incident", "ALERT-1", "--yes", "--json")
    assert (gone.code, night.tweets(), night.pages()) == (0, [], [])
    assert not any("When? retract" in text for post in night.graph.public() for text in post["comments"])
    assert night.run("sweep").code == 0


def mine(night: Night) -> set[str]:
    return {tweet["id"] for tweet in night.x.public() if tweet["author"] == night.x.account.screen_name}


def test_comments_that_are_deleted_are_gone_for_good_and_the_page_s_own_are_not(night: Night) -> None:
    night.write_config(night.facebook("    comments: delete"))
    stranger = Stranger(night)
    night.run("post", "fiber cut")
    stranger.comments_on_the_page("post")
    assert night.run("sweep").code == 0
    assert set(night.graph.page.comments) & set(stranger.comments) == set()
    assert [said["text"] for said in night.graph.public()[0]["comments"]] == [OWN]
