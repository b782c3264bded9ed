"""What is said when platforms fail: the exit codes, one dead channel beside live ones, the hard deadline."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from importlib import import_module
from typing import TYPE_CHECKING, Any

import pytest

from outagecast.sandbox.faults import Fault, FaultKind, When, lost_answer, never_arrived
from outagecast.sandbox.mail_faults import At, Do, MailFault

if TYPE_CHECKING:
    from collections.abc import Callable

    from night import Done, Night

POST = ("post", "--json", "fiber cut, ETA 1h")
TWEET = "POST /2/tweets"
FEED = r"POST /v\d+\.\d+/\d+/feed"
UNAUTHORIZED = '{"title":"Unauthorized","status":401,"detail":"Unauthorized"}'
ALWAYS = 99
GUARD = 5.0
"""Seconds past a deadline after which a test says that the command hangs; no measure of how punctual it is."""


def outcomes(done: Done) -> dict[str, str]:
    return {channel["name"]: channel["outcome"] for channel in done.json["channels"]}


def post_of(done: Done, channel: str) -> dict[str, Any]:
    post: dict[str, Any] = done.channel(channel)["posts"][0]
    return post


# --- exit codes


def test_0_all_is_out_and_closed(night: Night) -> None:
    done = night.run(*POST)
    assert (done.code, done.json["exit_code"], done.json["outcome"]) == (0, 0, "sent")


def test_1_a_platform_refuses_the_keys_and_says_what_to_do(night: Night) -> None:
    night.x.faults.add(Fault(TWEET, status=401, body=UNAUTHORIZED))
    done = night.run(*POST)
    assert (done.code, done.json["outcome"]) == (1, "partial")
    assert outcomes(done) == {"twitter": "refused", "facebook": "sent", "email": "sent"}
    assert "keys" in post_of(done, "twitter")["detail"]
    shown = night.run("status")
    assert "→" in shown.out
    assert "console.x.com" in shown.out


def test_1_a_refusal_that_was_mended_goes_out_at_the_next_run(night: Night) -> None:
    night.x.faults.add(Fault(TWEET, status=401, body=UNAUTHORIZED))
    assert night.run(*POST).code == 1
    assert night.run(*POST).code == 0
    assert night.out_everywhere()


def test_1_replies_are_open_where_the_config_demands_closed(night: Night) -> None:
    """The post is out; the look at its replies finds that they are not what the config demands."""
    night.graph.faults.add(Fault(r"GET /v\d+\.\d+/\d+_\d+/comments", status=403, times=ALWAYS, body=_denied()))
    done = night.run(*POST)
    assert done.code == 1
    assert post_of(done, "facebook")["state"] == "sent"
    assert post_of(done, "facebook")["replies"] == "open"
    assert outcomes(done)["twitter"] == "sent"


def _denied() -> str:
    return '{"error":{"message":"(#200) Requires pages_read_engagement","type":"OAuthException","code":200}}'


def test_0_what_may_not_be_read_back_is_enough_where_the_config_says_so(night: Night) -> None:
    night.x.account.can_read = False
    strict = night.run(*POST, "--to", "twitter")
    assert (strict.code, post_of(strict, "twitter")["replies"]) == (1, "closed-unverified")
    night.write_config(night.twitter("    replies: closed"))
    assert night.run("post", "--json", "power is out").code == 0


def test_1_in_doubt_on_a_platform_that_cannot_be_asked(night: Night) -> None:
    night.x.account.can_read = False
    night.x.faults.add(lost_answer(TWEET))
    done = night.run(*POST)
    assert done.code == 1
    assert outcomes(done)["twitter"] == "in-doubt"
    assert post_of(done, "twitter")["attempts"] == 1
    assert len(night.tweets()) == 1


def test_2_usage_and_nothing_is_written(night: Night) -> None:
    done = night.run("post", "--json", "--eta", "whenever", "fiber cut")
    assert (done.code, done.json["schema"], done.json["exit_code"]) == (2, "outagecast.error/1", 2)
    assert not night.journal_path.exists()


def test_75_a_platform_asks_for_patience(night: Night) -> None:
    night.x.faults.add(Fault(TWEET, status=429, resets={"x-rate-limit-reset": 600}, times=ALWAYS))
    done = night.run(*POST)
    assert (done.code, done.json["outcome"]) == (75, "waiting")
    assert outcomes(done) == {"twitter": "waiting", "facebook": "sent", "email": "sent"}
    assert post_of(done, "twitter")["due"]
    assert "outagecast resume" in night.run(*POST[:1], POST[2]).out


def test_75_becomes_0_when_the_time_has_come(night: Night) -> None:
    night.x.faults.add(Fault(TWEET, status=429, resets={"x-rate-limit-reset": 600}))
    assert night.run(*POST).code == 75
    night.clock.move(700)
    done = night.run("resume", "--json")
    assert done.code == 0
    assert night.out_everywhere()


def test_1_wins_over_75(night: Night) -> None:
    night.x.faults.add(Fault(TWEET, status=401, body=UNAUTHORIZED))
    night.mailbox.faults.add(MailFault(At.RCPT, reply="450 4.2.0 greylisted", times=0))
    done = night.run(*POST, "--deadline", "5")
    assert done.code == 1
    assert outcomes(done) == {"twitter": "refused", "facebook": "sent", "email": "waiting"}


def test_0_dead_mailboxes_are_no_emergency(night: Night) -> None:
    night.mailbox.faults.add(MailFault(At.RCPT, reply="550 5.1.1 no such user", to="bo@example.com", times=0))
    done = night.run(*POST)
    assert done.code == 0
    assert done.channel("email")["counts"]["refused"] == 1
    assert post_of(done, "email")["to"] == "bo@example.com"
    assert "5.1.1" in post_of(done, "email")["detail"]


def test_1_when_every_letter_was_refused(night: Night) -> None:
    night.mailbox.faults.add(MailFault(At.RCPT, reply="550 5.1.1 no such user", times=0))
    done = night.run(*POST)
    assert (done.code, outcomes(done)["email"]) == (1, "refused")


def test_a_subscriber_whose_mailbox_is_gone_is_not_written_to_again(night: Night) -> None:
    night.run("subscribers", "add", "cy@example.org")
    night.mailbox.faults.add(MailFault(At.RCPT, reply="550 5.1.1 no such user", to="cy@example.org"))
    night.run(*POST)
    assert night.run("post", "--json", "power is out").channel("email")["counts"]["sent"] == 2
    assert "5.1.1" in night.run("subscribers", "list").out


# --- an answer that is lost is looked up, never guessed


@pytest.mark.parametrize(
    "fault",
    [lost_answer(TWEET), Fault(TWEET, FaultKind.HTML, When.AFTER), Fault(TWEET, FaultKind.EMPTY_JSON, When.AFTER)],
    ids=["cut", "page", "empty"],
)
def test_what_is_out_although_the_answer_was_lost_is_found_and_not_sent_again(fault: Fault, night: Night) -> None:
    night.x.faults.add(fault)
    done = night.run(*POST)
    assert done.code == 0
    assert post_of(done, "twitter")["attempts"] == 1
    assert night.out_everywhere()


def test_what_is_not_out_is_sent_when_that_is_believed(night: Night) -> None:
    night.x.faults.add(never_arrived(TWEET))
    done = night.run(*POST, "--deadline", "300")
    assert done.code == 0
    assert post_of(done, "twitter")["attempts"] == 2
    assert night.out_everywhere()


def test_a_lost_answer_on_facebook_costs_nothing(night: Night) -> None:
    night.graph.faults.add(lost_answer(FEED))
    assert night.run(*POST, "--deadline", "300").code == 0
    assert night.out_everywhere()


# --- one dead channel


def _silent_x(night: Night) -> None:
    night.x.faults.add(Fault(TWEET, FaultKind.HANG, When.BEFORE))


def _silent_facebook(night: Night) -> None:
    night.graph.faults.add(Fault(FEED, FaultKind.HANG, When.BEFORE))


def _silent_relay(night: Night) -> None:
    night.mailbox.faults.add(MailFault(At.CONNECTED, Do.HANG, times=0))


@pytest.fixture
def imported() -> None:
    """The SDKs: their first import on a busy machine may take as long as the short deadlines here."""
    for name in ("facebook", "tweepy", "outagecast.channels.email.pool"):
        import_module(name)


@pytest.mark.usefixtures("imported")
@pytest.mark.parametrize(
    ("dead", "silence"), [("twitter", _silent_x), ("facebook", _silent_facebook), ("email", _silent_relay)]
)
def test_a_dead_channel_delays_none_of_the_others(dead: str, silence: Callable[[Night], None], night: Night) -> None:
    """By the order of events: when the command gives up on the dead one, the others were out long before."""
    silence(night)
    done = night.run(*POST, "--verbose", "--deadline", "2")
    others = {"twitter", "facebook", "email"} - {dead}
    assert {name for name, outcome in outcomes(done).items() if outcome == "sent"} == others
    assert outcomes(done)[dead] in {"in-doubt", "waiting"}
    told = [line for line in done.err.splitlines() if re.match(r"\S+ (twitter|facebook|email)\b.* sent\b", line)]
    assert {line.split()[1] for line in told} == others
    assert done.code == 75


def test_each_channel_has_its_own_reason(night: Night) -> None:
    night.x.faults.add(Fault(TWEET, status=401, body=UNAUTHORIZED))
    night.graph.faults.add(Fault(FEED, status=403, body=_denied()))
    night.mailbox.faults.add(MailFault(At.MAIL, reply="550 5.7.1 not yours", times=0))
    done = night.run(*POST)
    assert (done.code, done.json["outcome"]) == (1, "refused")
    reasons = [post_of(done, name)["detail"] for name in ("twitter", "facebook", "email")]
    assert len(set(reasons)) == 3
    lines = night.run("status").out.splitlines()
    for name, reason in zip(("twitter", "facebook", "email"), reasons, strict=True):
        head = next(number for number, line in enumerate(lines) if f"✗  {name}" in line)
        assert reason in "".join(lines[head + 1 : head + 3])


# --- the deadline


def _drips(night: Night) -> None:
    night.x.faults.add(Fault(TWEET, FaultKind.DRIP, When.AFTER, pace=0.3))


def _drips_its_body(night: Night) -> None:
    night.graph.faults.add(Fault(FEED, FaultKind.DRIP_BODY, When.AFTER, pace=0.3))


def _drips_by_mail(night: Night) -> None:
    night.mailbox.faults.add(MailFault(At.CONNECTED, Do.DRIP, "220 mail.example.net at your service", seconds=0.3))


@pytest.mark.usefixtures("imported")
@pytest.mark.parametrize(
    ("slow", "spoil"),
    [
        ("twitter", _silent_x),
        ("twitter", _drips),
        ("facebook", _silent_facebook),
        ("facebook", _drips_its_body),
        ("email", _silent_relay),
        ("email", _drips_by_mail),
    ],
)
def test_the_deadline_holds_whatever_a_platform_does_to_the_socket(
    slow: str, spoil: Callable[[Night], None], night: Night
) -> None:
    spoil(night)
    began = time.monotonic()
    done = night.run(*POST, "--deadline", "1.5")
    assert time.monotonic() - began < 1.5 + GUARD
    assert done.code == 75
    assert outcomes(done)[slow] in {"in-doubt", "waiting"}
    left = post_of(done, slow)
    assert left["detail"]
    sent = [name for name, outcome in outcomes(done).items() if outcome == "sent"]
    assert sorted([*sent, slow]) == ["email", "facebook", "twitter"]


def as_process(night: Night, *argv: str) -> subprocess.Popen[str]:
    """The command as a process of its own, as cron or a shell starts it."""
    code = "from outagecast.cli.main import run; run()"
    return subprocess.Popen(
        [sys.executable, "-c", code, *argv],
        cwd=night.folder,
        env=os.environ | night.env,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_the_process_too_is_gone_by_then_with_a_report_and_an_exit_code(night: Night) -> None:
    """No thread that hangs on a socket keeps it alive."""
    for silence in (_silent_x, _silent_facebook, _silent_relay):
        silence(night)
    process = as_process(night, *POST, "--deadline", "1.5")
    out, err = process.communicate(timeout=1.5 + 2 * GUARD)
    assert process.returncode == 75, err
    report = json.loads(out)
    assert {channel["outcome"] for channel in report["channels"]} <= {"in-doubt", "waiting"}
    assert "Traceback" not in err


def test_ended_by_a_signal_it_still_says_what_is_in_doubt(night: Night) -> None:
    """What is in flight gets a moment; the rest is in the journal, and running it again is right."""
    began = threading.Event()
    night.x.on_event = lambda point, _: began.set()
    _silent_x(night)
    process = as_process(night, *POST, "--to", "twitter")
    assert began.wait(GUARD * 2)
    process.send_signal(signal.SIGTERM)
    out, err = process.communicate(timeout=3 * GUARD)
    assert process.returncode == 75, err
    assert json.loads(out)["outcome"] == "in-doubt"
    assert "interrupted" in err
    assert "Traceback" not in err


def test_after_the_deadline_a_resume_finishes_each_once(night: Night) -> None:
    _silent_x(night)
    _silent_facebook(night)
    assert night.run(*POST, "--deadline", "0.5").code == 75
    night.clock.move(120)
    assert night.run("resume", "--json").code == 0
    assert night.out_everywhere()
