"""What a sweep cannot look at, and what becomes of that: it is said, it counts while it matters, and it can be ended."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from journal_kit import put
from night import Done, Night

from outagecast.sandbox.faults import Fault
from outagecast.sandbox.graph import ERRORS as G
from outagecast.sandbox.x import ERRORS as X

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ALWAYS = 1_000
DAY = timedelta(days=1).total_seconds()
COMMENTS = r"GET /v\d+\.\d+/[0-9_]+/comments"


@pytest.fixture
def night(tmp_path: Path) -> Iterator[Night]:
    with Night(tmp_path) as night:
        yield night


def posts(night: Night, channel: str = "facebook") -> list[dict[str, Any]]:
    """A channel's posts of all announcements, oldest first."""
    (incident,) = night.run("status", "--json").json["incidents"]
    every = [one for news in incident["announcements"] for one in news["channels"] if one["name"] == channel]
    return [post for one in every for post in one["posts"]]


def down(night: Night, **more: Any) -> None:
    night.graph.faults.add(Fault(COMMENTS, status=503, body="{}", times=ALWAYS, **more))


def revoked(night: Night) -> None:
    night.graph.faults.add(*[G["token-463"].fault(COMMENTS) for _ in range(9)])


def failed(night: Night) -> Done:
    """An incident that is over, and of whose post on the Page nobody knows what stands below it."""
    night.write_config(night.facebook())
    night.run("post", "fiber cut")
    night.run("resolve")
    revoked(night)
    done = night.run("sweep")
    night.graph.faults.clear()
    return done


@pytest.mark.parametrize("command", [("sweep",), ("update", "digging"), ("resume",)], ids=lambda command: command[0])
def test_what_the_config_no_longer_names_is_not_called_moderated_any_more(
    night: Night, command: tuple[str, ...]
) -> None:
    night.run("post", "fiber cut")
    night.graph.stranger_comment(night.graph.public()[0]["id"], "When?")
    night.write_config(night.twitter() + night.email())
    done = night.run(*command)
    said = " ".join((done.out + done.err).split())
    assert done.code == (0 if command[0] == "update" else 1)
    assert "'facebook' is not in the config any more" in said
    assert posts(night)[0]["replies"] == "open"
    assert night.run("status", "--check").code == 1


@pytest.mark.parametrize("to", [("--to", "twitter"), ()], ids=["--to another", "every channel"])
def test_a_sweep_of_one_channel_is_not_judged_by_another(night: Night, to: tuple[str, ...]) -> None:
    night.run("post", "fiber cut")
    revoked(night)
    assert night.run("sweep").code == 1
    assert night.run("sweep", *to).code == (0 if to else 1)


def test_a_section_that_means_another_page_now_is_told_nothing_about_the_posts_of_the_first(night: Night) -> None:
    night.write_config(night.facebook())
    night.run("post", "fiber cut")
    night.config.write_text(night.config.read_text().replace(f'"{night.graph.page_id}"', '"2002"'))
    night.graph.log.clear()
    swept = night.run("sweep")
    assert (swept.code, night.graph.log) == (1, [])
    assert "this was meant for facebook" in " ".join(swept.out.split())
    assert posts(night)[0]["replies"] == "open"


def test_when_nobody_looks_any_more_a_look_that_failed_is_still_told_and_calls_nobody(night: Night) -> None:
    assert failed(night).code == 1
    assert night.run("status", "--check").code == 1
    night.clock.move(DAY + 60)
    assert [night.run(*command).code for command in (("sweep",), ("resume",), ("status", "--check"))] == [0, 0, 0]
    key = night.run("status", "--json").json["incidents"][0]["incident"]["key"]
    assert "the token has expired" in " ".join(night.run("status", key).out.split())
    assert [post["replies"] for post in posts(night)] == ["open", "open"]


def test_a_reply_that_stands_on_x_is_no_all_clear(night: Night) -> None:
    night.write_config(night.twitter())
    night.run("post", "fiber cut")
    night.x.fails_open = True
    night.x.stranger_reply(night.x.public()[0]["id"], "When?")
    night.x.faults.add(*[X["not-permitted"].fault(r"PUT /2/tweets/\d+/hidden") for _ in range(99)])
    night.run("sweep")
    said = night.run("status", "--check")
    assert (said.code, "All out" in said.out) == (1, False)
    assert "Next: outagecast sweep" in said.out
    assert "All out" not in night.run("resume").out


def test_a_post_that_somebody_deleted_by_hand_is_settled_with_a_word(night: Night) -> None:
    night.write_config(night.facebook())
    night.run("post", "fiber cut")
    night.graph.page.delete(night.graph.public()[0]["id"])
    assert night.run("sweep").code == 1
    number = str(posts(night)[0]["id"])
    assert f"outagecast settle {number} --drop" in " ".join(night.run("status").out.split())
    assert night.run("settle", number, "--resend").code == 2, "it was out: it is never sent again"
    assert night.run("settle", number, "--drop").code == 0
    assert [night.run(*command).code for command in (("sweep",), ("resume",), ("status", "--check"))] == [0, 0, 0]
    assert posts(night)[0]["state"] == "retracted"
    said = night.run("status").out
    assert ("settled by a person" in said, "All out" in said) == (True, False)
    assert night.run("settle", number, "--drop").code == 2, "once"


def test_a_post_of_which_a_person_says_that_it_is_there_is_looked_at_once_more(night: Night) -> None:
    failed(night)
    night.clock.move(DAY + 60)
    number = str(posts(night)[0]["id"])
    night.run("settle", number, "--sent")
    assert night.run("resume").code == 0
    assert [post["replies"] for post in posts(night)] == ["moderated", "open"]


def test_a_clock_that_was_set_back_stops_no_look(night: Night) -> None:
    night.write_config(night.facebook())
    night.run("post", "fiber cut")
    down(night)
    night.run("sweep")
    night.graph.faults.clear()
    night.clock.move(-DAY)  # type: ignore[attr-defined]
    assert night.run("resume").code == 0
    assert posts(night)[0]["replies"] == "moderated"


def test_a_channel_that_is_out_of_reach_is_named_with_the_number_of_posts_that_were_not_tried(night: Night) -> None:
    night.write_config(night.facebook())
    for words in (("post", "fiber cut"), ("update", "digging"), ("update", "found")):
        night.run(*words)
    down(night, skip=1)
    assert "(not tried at all: 2 more)" in " ".join(night.run("update", "splicing").err.split())


def test_a_token_that_has_expired_is_tried_twice_and_not_for_every_post(night: Night) -> None:
    night.write_config(night.facebook())
    for words in (("post", "fiber cut"), ("update", "digging"), ("update", "found"), ("update", "splicing")):
        night.run(*words)
    revoked(night)
    night.graph.log.clear()
    assert night.run("sweep").code == 1
    assert sum(request.path.endswith("/comments") for request in night.graph.log) == 2
    assert {(post["replies"], "expired" in post["detail"]) for post in posts(night)} == {("open", True)}


@pytest.mark.parametrize("command", [("resume",), ("update", "digging"), ("retract", "--yes")], ids=lambda one: one[0])
def test_a_channel_that_stops_with_a_bug_is_named_and_a_person_is_needed(
    night: Night, command: tuple[str, ...]
) -> None:
    night.write_config(night.twitter() + night.facebook())
    night.run("post", "fiber cut")
    night.graph.faults.add(*[G["page-limit"].fault(r"POST /v\d+\.\d+/\d+/feed") for _ in range(9)])
    night.run("update", "found")
    with night.journal() as journal:
        put(journal, posts(night)[1]["id"], token="{")
    done = night.run(*command)
    assert done.code == 1, done.out + done.err
    assert "facebook: not everything was done: " in " ".join(done.err.split())
    assert "Traceback" not in done.err
