"""From the first word to the last: updates, the end, and old news that newer news has overtaken."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from outagecast.sandbox.faults import Fault, FaultKind, lost_answer, never_arrived
from outagecast.sandbox.graph import ERRORS as GRAPH_ERRORS
from outagecast.sandbox.mail_faults import At, MailFault
from outagecast.sandbox.x import ERRORS, ReplyRule

if TYPE_CHECKING:
    from night import Night


def opened(night: Night, text: str = "fiber cut, ETA 1h") -> None:
    done = night.run("post", text)
    assert done.code == 0, done.err


def threaded(night: Night) -> list[tuple[str, str | None]]:
    """What we have out on X: the text, and what it hangs under."""
    mine = [tweet for tweet in night.x.public() if tweet["author"] == night.x.account.screen_name]
    return [(tweet["text"], tweet["in_reply_to"]) for tweet in mine]


def test_an_update_is_tied_to_the_first_post_everywhere(night: Night):
    opened(night)
    night.clock.move(1800)
    done = night.run("update", "cable found, ETA 2h", "--json")
    assert done.code == 0, done.err
    assert done.json["announcement"]["kind"] == "update"
    assert done.json["announcement"]["seq"] == 1
    (_, none), (update, parent) = threaded(night)
    assert none is None
    assert parent is not None
    assert "update 1" in update
    assert len(night.pages()) == 2
    letters = [letter.message for letter in night.mailbox.letters]
    assert len({letter["Subject"] for letter in letters}) == 1
    assert all(letter["References"] for letter in letters)


def test_only_the_root_carries_reply_settings_and_replies_to_updates_are_closed_too(night: Night):
    opened(night)
    done = night.run("update", "cable found", "--json")
    sent = [request.json for request in night.x.log if request.method == "POST" and request.path == "/2/tweets"]
    assert ["reply_settings" in body for body in sent] == [True, False]
    assert done.channel("twitter")["replies"] == "closed"


def test_resolve_says_how_long_it_lasted_and_closes_the_incident(night: Night):
    opened(night)
    night.clock.move(57 * 60)
    done = night.run("resolve", "--json")
    assert done.code == 0, done.err
    assert done.json["incident"]["state"] == "resolved"
    assert done.json["incident"]["resolved_at"] is not None
    assert "resolved after 57 min" in night.tweets()[-1]
    assert "Service is restored." in night.tweets()[-1]
    assert night.mailbox.letters[-1].message["Subject"].endswith("[RESOLVED]")


@pytest.mark.parametrize("command", [("update", "cable found"), ("resolve",), ("resolve", "all links are up")])
def test_the_same_again_sends_nothing_new_and_reports_the_same(night: Night, command: tuple[str, ...]):
    opened(night)
    first = night.run(*command, "--json")
    second = night.run(*command, "--json")
    assert (second.code, second.json["announcement"]) == (0, first.json["announcement"])
    assert night.out_everywhere(2)


def test_other_words_after_the_end_are_refused(night: Night):
    opened(night)
    night.run("resolve")
    done = night.run("resolve", "really", "--json")
    assert done.code == 2
    assert "already resolved" in done.json["error"]
    assert night.run("update", "still", "--json").code == 2
    assert night.out_everywhere(2)


def test_with_several_open_ones_they_are_listed_and_nothing_is_sent(night: Night):
    opened(night)
    opened(night, "mail is down")
    done = night.run("update", "news", "--json")
    assert done.code == 2
    assert "fiber cut" in done.json["error"]
    assert "mail is down" in done.json["error"]
    assert "--incident" in done.json["hint"]
    assert night.out_everywhere(2)


def test_the_key_chooses_among_several(night: Night):
    night.run("post", "--incident", "A", "fiber cut")
    night.run("post", "--incident", "B", "mail is down")
    assert night.run("update", "--incident", "A", "cable found", "--json").json["incident"]["key"] == "A"


def test_without_an_open_incident_there_is_nothing_to_update(night: Night):
    for command in ("update", "resolve"):
        done = night.run(command, "news", "--json")
        assert done.code == 2
        assert "outagecast post" in done.json["hint"]


def test_a_new_eta_replaces_the_old_one(night: Night):
    opened(night)
    done = night.run("update", "slower than hoped, ETA 3h", "--json")
    assert done.json["incident"]["eta"].startswith("2026-11-22T17:05")
    assert night.run("update", "still at it", "--json").json["incident"]["eta"].startswith("2026-11-22T17:05")


def test_old_news_that_is_still_waiting_is_dropped_and_the_update_becomes_the_root(night: Night):
    night.graph.faults.add(GRAPH_ERRORS["page-calls"].fault("POST /1001/feed"))
    night.x.faults.add(ERRORS["rate-limited"].fault("POST /2/tweets"))
    assert night.run("post", "fiber cut", "--deadline", "3").code == 75
    night.clock.move(3600)
    done = night.run("update", "cable found", "--json")
    assert done.code == 0, done.err
    assert [parent for _, parent in threaded(night)] == [None]
    assert len(night.pages()) == 1
    status = night.run("status", "--json").json["incidents"][0]["announcements"][0]
    states = {channel["name"]: channel["posts"][0]["detail"] for channel in status["channels"][:2]}
    assert states == {"twitter": "superseded by update 1", "facebook": "superseded by update 1"}
    assert night.run("resume", "--json").code == 0


def test_what_was_refused_for_its_keys_is_not_published_behind_newer_news(night: Night):
    night.x.account.credits = 0  # type: ignore[misc]
    assert night.run("post", "fiber cut").code == 1
    night.x.account.credits = 100  # type: ignore[misc]
    assert night.run("update", "cable found", "--json").code == 0
    assert night.run("resume").code == 0
    assert [text.split("] ")[1] for text in night.tweets()] == ["cable found"]


def test_what_is_in_doubt_is_looked_up_before_the_update_goes_out(night: Night):
    night.x.faults.add(lost_answer("POST /2/tweets"))
    night.x.faults.add(Fault("GET /2/users", FaultKind.RESET, times=3))
    assert night.run("post", "fiber cut", "--deadline", "3").code == 75
    done = night.run("update", "cable found", "--json", "--deadline", "30")
    assert done.code == 0, done.err
    (_, none), (_, parent) = threaded(night)
    assert none is None
    assert parent is not None


def test_what_was_in_doubt_and_is_not_out_is_overtaken(night: Night):
    night.x.faults.add(never_arrived("POST /2/tweets"))
    assert night.run("post", "fiber cut", "--deadline", "3").code == 75
    night.clock.move(90)
    assert night.run("update", "cable found").code == 0
    assert [text.split("] ")[1] for text in night.tweets()] == ["cable found"]


def test_a_reader_whose_first_letter_still_waits_gets_only_the_newest(night: Night):
    night.mailbox.faults.add(MailFault(At.RCPT, reply="450 4.2.0 greylisted", to="bo@example.com"))
    assert night.run("post", "fiber cut", "--deadline", "3").code == 75
    night.clock.move(600)
    assert night.run("update", "cable found").code == 0
    subjects = [(letter["to"], letter["text"].split("\n")[0]) for letter in night.mailbox.public()]
    assert sorted(subjects) == [
        ("ann@example.org", "cable found"),
        ("ann@example.org", "fiber cut"),
        ("bo@example.com", "cable found"),
    ]


def test_news_for_a_group_does_not_take_the_first_letter_from_others(night: Night):
    night.run("subscribers", "add", "eu@example.org", "--group", "eu")
    night.run("subscribers", "add", "us@example.org", "--group", "us")
    night.mailbox.faults.add(MailFault(At.RCPT, reply="450 4.2.0 greylisted", to="us@example.org"))
    assert night.run("post", "fiber cut", "--deadline", "3").code == 75
    night.clock.move(600)
    night.run("update", "cable found", "--group", "eu")
    assert night.run("resume").code == 0
    assert sum(letter["to"] == "us@example.org" for letter in night.mailbox.public()) == 1


def test_where_x_refuses_the_reply_the_update_is_a_new_root_with_its_own_setting(night: Night):
    night.x.reply_rule = ReplyRule.SELF_REFUSED
    opened(night)
    done = night.run("update", "cable found", "--json")
    assert done.code == 0, done.err
    assert done.channel("twitter")["replies"] == "closed"
    assert [parent for _, parent in threaded(night)] == [None, None]


@pytest.mark.parametrize(
    ("stdin", "said"), [(b"", "Service is restored."), (b"all links are up\n", "all links are up")]
)
def test_resolve_takes_its_words_from_a_pipe_if_there_are_any(night: Night, stdin: bytes, said: str):
    opened(night)
    command = [sys.executable, "-m", "outagecast", "resolve", "--dry-run", "--config", str(night.config)]
    shown = subprocess.run(command, input=stdin, env={**os.environ, **night.env}, capture_output=True, check=True)
    assert said in shown.stdout.decode()


def test_resolve_does_not_wait_for_a_pipe_that_says_nothing(night: Night):
    opened(night)
    command = [sys.executable, "-m", "outagecast", "resolve", "--dry-run", "--config", str(night.config)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env={**os.environ, **night.env}
    ) as process:
        assert process.stdout is not None
        assert "Service is restored." in process.stdout.read().decode()


# -- the first post, where it has to show the latest news


OLD = "facebook: the first post: the latest news could not be added to it: "


def root_refuses(night: Night, times: int) -> None:
    """Facebook does not let us edit the first post so many times."""
    root = night.graph.public()[0]["id"]
    night.graph.faults.add(*(GRAPH_ERRORS["permission-denied"].fault(f"POST /{root}") for _ in range(times)))


def test_an_update_that_the_first_post_does_not_show_says_so_and_what_to_do(night: Night):
    opened(night)
    root_refuses(night, 9)
    done = night.run("update", "cable found")
    assert (done.code, OLD in done.out) == (0, True), "every post is out"
    assert re.search(r"! facebook: the first post: .*\n    → \S", done.out)
    assert night.run("update", "cable found", "--json").code == 0
    assert OLD in night.run("update", "cable found").out, "the same again says the same"


def test_it_still_says_so_when_a_look_at_replies_came_between(night: Night):
    opened(night)
    root_refuses(night, 1)
    night.run("update", "cable found")
    assert night.run("sweep").code == 0
    assert OLD in night.run("update", "cable found").out


def test_once_it_shows_the_news_nothing_is_said_of_it(night: Night):
    opened(night)
    root_refuses(night, 1)
    night.run("update", "cable found")
    night.run("resume")
    assert "cable found" in night.pages()[0]
    assert "the first post" not in night.run("update", "cable found").out


def test_a_first_post_that_was_taken_back_has_no_news_to_show(night: Night):
    opened(night)
    root_refuses(night, 9)
    assert OLD in night.run("update", "cable found").out
    night.run("retract", "--to", "facebook")
    assert "the first post" not in night.run("update", "more is known").out


def test_an_edit_that_waits_is_not_all_out(night: Night):
    opened(night)
    root = night.graph.public()[0]["id"]
    night.graph.faults.add(GRAPH_ERRORS["page-calls"].fault(f"POST /{root}"))
    done = night.run("update", "cable found", "--deadline", "2")
    assert done.code == 75
    assert "… facebook: the first post: the latest news is to be added to it: " in done.out
    assert "All out" not in done.out


# -- what was taken back


def test_the_same_again_does_not_call_out_what_was_taken_back(night: Night):
    opened(night)
    night.run("update", "cable found")
    night.run("retract", "--last", "--to", "twitter")
    done = night.run("update", "cable found")
    assert re.search(r"^  ↶  twitter   taken back$", done.out, re.MULTILINE)
    assert re.search(r"^  ✓  facebook  sent ", done.out, re.MULTILINE)
    assert done.out.endswith("Nothing is left to do.\n")
