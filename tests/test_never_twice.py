"""What was found by trying to lose a post, to double it, and to make it lie; each once, so that it stays mended."""

from __future__ import annotations

import os
import threading
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from outagecast.sandbox.faults import never_arrived
from outagecast.sandbox.graph import ERRORS as GRAPH_ERRORS
from outagecast.sandbox.mail_faults import At, Do, MailFault
from outagecast.sandbox.x import ERRORS

if TYPE_CHECKING:
    from pathlib import Path

    from night import Night


def test_a_relay_that_takes_letters_and_loses_its_answers_gets_each_once_a_run_and_thrice_at_the_most(night: Night):
    night.write_config(night.email())
    night.to = ["ann@example.org", "bo@example.com"]
    night.mailbox.faults.add(MailFault(At.STORED, Do.DROP, times=10_000))
    assert night.run("post", "fiber cut").code == 75
    assert len(night.mails()) == 2
    for _ in range(6):
        night.clock.move(600)
        done = night.run("resume", "--json")
    assert done.code == 1
    assert len(night.mails()) <= 6
    assert "settle" in night.run("status").out


def test_what_a_person_settled_is_not_sent_when_its_channel_is_mended(night: Night):
    for decision in ("--sent", "--drop"):
        night.write_config(night.facebook("    publish: nonsense"))
        said = night.run("post", f"fiber cut {decision}", "--json")
        (post,) = said.channel("facebook")["posts"]
        assert night.run("settle", str(post["id"]), decision).code == 0
        night.write_config(night.facebook())
        night.run("post", f"fiber cut {decision}")
        night.run("resume")
    assert night.pages() == []


def test_resend_of_what_was_never_made_waits_for_its_channel(night: Night):
    night.write_config(night.facebook("    publish: nonsense"))
    said = night.run("post", "fiber cut", "--json")
    (post,) = said.channel("facebook")["posts"]
    night.run("settle", str(post["id"]), "--resend")
    night.write_config(night.facebook())
    assert night.run("resume").code == 0
    assert len(night.pages()) == 1


@pytest.mark.parametrize(("channel", "name"), [("email", "mail"), ("facebook", "page")])
def test_a_section_under_a_new_name_does_not_say_it_again(night: Night, channel: str, name: str):
    night.write_config(night.twitter() + getattr(night, channel)())
    assert night.run("post", "fiber cut").code == 0
    renamed = getattr(night, channel)(f"    type: {channel}").replace(f"  {channel}:", f"  {name}:")
    night.write_config(night.twitter() + renamed)
    done = night.run("post", "fiber cut", "--json")
    assert done.code == 1
    assert "same account" in done.channel(name)["posts"][0]["detail"]
    assert (len(night.pages()), len(night.mails())) == ((1, 0) if channel == "facebook" else (0, 2))


def test_what_was_meant_for_one_platform_does_not_go_to_another(night: Night):
    night.write_config(night.twitter())
    night.x.faults.add(never_arrived("POST /2/tweets"))
    assert night.run("post", "fiber cut", "--deadline", "3").code == 75
    night.write_config(night.facebook("    type: facebook").replace("  facebook:", "  twitter:"))
    night.clock.move(90)
    done = night.run("resume", "--json")
    assert done.code == 1
    assert night.pages() == []
    assert "another channel now" in done.out


def test_in_doubt_on_a_channel_that_is_gone_a_person_is_asked_and_the_channel_s_return_settles_it(night: Night):
    night.x.faults.add(never_arrived("POST /2/tweets"))
    night.run("post", "fiber cut", "--deadline", "3")
    night.write_config(night.facebook() + night.email())
    done = night.run("resume", "--json")
    assert done.code == 1
    assert "not in the config any more" in done.out
    night.write_config()
    night.clock.move(90)
    assert night.run("resume").code == 0
    assert night.out_everywhere()


def test_what_a_person_dropped_is_not_called_sent(night: Night):
    night.x.faults.add(ERRORS["unauthorized"].fault("POST /2/tweets"))
    said = night.run("post", "fiber cut", "--json")
    night.run("settle", str(said.channel("twitter")["posts"][0]["id"]), "--drop")
    shown = night.run("status", "--json").json["incidents"][0]
    outcomes = {channel["name"]: channel["outcome"] for channel in shown["channels"]}
    assert outcomes == {"twitter": "refused", "facebook": "sent", "email": "sent"}
    assert shown["outcome"] == "partial"
    assert "All out" not in night.run("status").out


def test_what_expired_can_be_taken_note_of(night: Night):
    night.write_config(night.facebook(), top="expires: 1h")
    night.graph.faults.add(GRAPH_ERRORS["page-calls"].fault("POST /1001/feed"))
    assert night.run("post", "fiber cut", "--deadline", "3").code == 75
    night.clock.move(3 * 3600)
    done = night.run("resume")
    assert done.code == 1
    assert "settle" in done.out
    assert night.run("status", "--check").code == 1
    post = str(night.run("status", "--json").json["incidents"][0]["channels"][0]["posts"][0]["id"])
    assert night.run("settle", post, "--drop").code == 0
    assert night.run("status", "--check").code == 0
    assert night.pages() == []


def test_a_letter_in_doubt_that_is_too_old_is_not_called_unpublished(night: Night):
    night.write_config(night.email())
    night.mailbox.faults.add(MailFault(At.STORED, Do.DROP, times=2))
    night.run("post", "fiber cut")
    night.clock.move(7 * 3600)
    done = night.run("resume", "--json")
    counts = done.json["incidents"][0]["channels"][0]["counts"]
    assert (done.code, counts["in-doubt"], counts["dropped"]) == (1, 2, 0)
    assert "may have arrived" in done.out


def test_no_secret_that_a_platform_repeats_gets_out_or_into_the_journal(night: Night):
    secret = night.x.account.access_token
    night.x.faults.add(never_arrived("POST /2/tweets"))
    body = '{"title": "Unauthorized", "type": "about:blank", "status": 401, "detail": "no: ' + secret + '"}'
    said = ERRORS["unauthorized"]
    night.x.faults.add(type(said)(status=401, body=body).fault("GET /2/users"))
    done = night.run("post", "fiber cut", "--json", "--verbose")
    assert secret not in done.out + done.err
    for file in night.journal_path.parent.iterdir():
        assert secret.encode() not in file.read_bytes(), file


def test_whoever_unsubscribes_while_in_doubt_or_waiting_gets_nothing_more(night: Night):
    night.to = ["ann@example.org"]
    night.write_config(night.email())
    night.run("subscribers", "add", "eve@example.org", "kim@example.org")
    night.mailbox.faults.add(MailFault(At.RCPT, reply="450 4.2.0 greylisted", to="eve@example.org"))
    night.mailbox.faults.add(MailFault(At.STORED, Do.DROP, to="kim@example.org"))
    night.run("post", "fiber cut", "--deadline", "5")
    night.run("subscribers", "remove", "eve@example.org", "kim@example.org")
    night.clock.move(3600)
    assert night.run("resume").code == 0
    assert "eve@example.org" not in night.mails()
    assert night.mails().count("kim@example.org") <= 1


def test_the_same_words_finish_what_waits_however_long_the_platform_said(night: Night):
    night.x.faults.add(ERRORS["rate-limited"].fault("POST /2/tweets"))
    assert night.run("post", "fiber cut", "--deadline", "3").code == 75
    night.clock.move(40 * 60)
    assert night.run("post", "fiber cut").code == 0
    assert night.out_everywhere()


def test_a_clock_that_is_set_back_holds_nothing_up(night: Night):
    night.graph.faults.add(GRAPH_ERRORS["page-limit"].fault("POST /1001/feed"))
    night.x.faults.add(never_arrived("POST /2/tweets"))
    night.x.duplicate_lock = timedelta(0)  # the platform's clock is set back too, and it would lock for a day
    assert night.run("post", "fiber cut", "--deadline", "1").code == 75
    night.clock.move(-86_400)
    night.run("resume")
    night.clock.move(90)
    assert night.run("resume").code == 0
    assert night.out_everywhere()


def test_a_channel_that_comes_late_says_it_in_words_of_its_own(night: Night):
    night.run("post", "--incident", "A", "--to", "email", "fiber cut")
    night.run("post", "--incident", "B", "fiber cut")
    assert night.run("post", "--incident", "A", "fiber cut").code == 0
    assert len(set(night.tweets())) == 2
    assert len(set(night.pages())) == 2


def test_a_channel_that_comes_late_and_cannot_say_it_stops_no_other(night: Night):
    night.graph.faults.add(GRAPH_ERRORS["page-calls"].fault("POST /1001/feed"))
    words = "ask @support for help"
    assert night.run("post", "--to", "facebook", "--to", "email", words, "--deadline", "3").code == 75
    night.clock.move(800)
    done = night.run("post", words, "--json")
    assert done.code == 1
    assert done.channel("facebook")["outcome"] == "sent"
    assert "@support" in done.channel("twitter")["posts"][0]["detail"]


@pytest.mark.parametrize(
    "option", [("--status", "identified"), ("--eta", "2h"), ("--link", "https://status.example.net/1")]
)
def test_the_same_words_with_other_options_are_not_swallowed(night: Night, option: tuple[str, str]):
    assert night.run("post", "fiber cut").code == 0
    done = night.run("post", "fiber cut", *option, "--json")
    assert done.code == 2
    assert option[0] in done.json["error"]
    assert "outagecast update" in done.json["hint"]


def test_a_dry_run_says_which_config_would_refuse(night: Night):
    del night.env["TWITTER_API_KEY"]
    done = night.run("post", "--dry-run", "fiber cut", "--json")
    errors = {channel["name"]: channel["error"] for channel in done.json["channels"]}
    assert "TWITTER_API_KEY" in errors["twitter"]
    assert (errors["facebook"], errors["email"]) == (None, None)
    assert "fiber cut" in done.json["channels"][0]["posts"][0]["text"]


def test_a_name_that_would_forge_a_header_stops_no_other_channel(night: Night):
    night.write_config(
        night.facebook()
        + night.email()
        .replace("sender: ", 'sender: "Eve\\nBcc: a@example.org <')
        .replace("<status", "status")
        .replace("example.net>", 'example.net>"', 1)
    )
    done = night.run("post", "fiber cut", "--json")
    assert done.code == 1
    assert done.channel("facebook")["outcome"] == "sent"
    assert done.channel("email")["outcome"] == "refused"


def test_a_config_through_a_pipe_is_read_and_one_that_never_comes_is_not_waited_for(night: Night, tmp_path: Path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    assert night.run("status", "--config", str(pipe)).code == 2
    writer = threading.Thread(target=lambda: pipe.write_text(night.config.read_text(), encoding="utf-8"))
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    writer.start()
    writer.join(5)
    assert night.run("post", "--dry-run", "fiber cut", "--config", str(pipe)).code == 0
    os.close(reader)
