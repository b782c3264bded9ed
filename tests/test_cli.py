"""`outagecast post` from end to end: three channels, one report, and running it again is always right."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from night import Done, Night

POST = ("post", "--json", "fiber cut, ETA 1h")
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")


def requests_of(night: Night) -> int:
    """How often any platform was spoken to."""
    return len(night.x.log) + len(night.graph.log) + night.mailbox.connections


def keys(done: Done) -> list[str]:
    return [incident["incident"]["key"] for incident in done.json["incidents"]]


# --- one message, three channels


def test_one_command_stands_on_all_channels_with_replies_closed(night: Night) -> None:
    assert night.run(*POST).code == 0
    assert night.out_everywhere()
    assert night.tweets() == ["[14:05 UTC] fiber cut, ETA 1h (15:05 UTC)"]
    assert "fiber cut, ETA 1h (15:05 UTC)" in night.pages()[0]
    assert "fiber cut, ETA 1h (15:05 UTC)" in night.mailbox.public()[0]["text"]
    assert night.x.stranger_reply(night.x.public()[0]["id"], "When?")[0] == 403
    assert night.mailbox.public()[0]["list_post"] == "NO"


def test_the_report_is_exactly_what_the_contract_says(night: Night) -> None:
    done = night.run("post", "--json", "--status", "investigating", "fiber cut, ETA 1h")
    report = done.json
    incident, said = report.pop("incident"), report.pop("announcement")
    channels = {channel.pop("name"): channel for channel in report.pop("channels")}
    assert report == {"schema": "outagecast.report/1", "outcome": "sent", "exit_code": 0}
    times = [incident.pop("opened_at"), incident.pop("eta"), said.pop("at")]
    assert all(TIME.fullmatch(time) for time in times)
    assert incident == {"key": "inc-20261122-1405", "title": "fiber cut, ETA 1h", "state": "open", "resolved_at": None}
    assert said == {"seq": 0, "kind": "opened", "status": "investigating", "text": "fiber cut, ETA 1h"}
    letters = dict.fromkeys(("planned", "sending", "sent", "refused", "in-doubt", "dropped"), 0) | {"sent": 2}
    assert channels["email"] == {"type": "email", "outcome": "sent", "replies": "none", "counts": letters, "posts": []}
    tweet = night.x.public()[0]["id"]
    post = {"id": 1, "part": 1, "state": "sent", "ref": tweet, "url": f"https://x.com/i/status/{tweet}"}
    post |= {"replies": "closed", "attempts": 1, "detail": None}
    assert channels["twitter"] == {"type": "twitter", "outcome": "sent", "replies": "closed", "posts": [post]}
    assert channels["facebook"]["replies"] == "moderated"
    assert channels["facebook"]["posts"][0]["ref"] == night.graph.public()[0]["id"]


def test_nothing_else_is_on_standard_output(night: Night) -> None:
    done = night.run(*POST, "--verbose")
    assert done.json["exit_code"] == 0
    assert "twitter" in done.err, "progress is on standard error"


def test_a_person_sees_the_links_whole_and_that_all_is_out(night: Night) -> None:
    done = night.run("post", "fiber cut, ETA 1h")
    assert f"https://x.com/i/status/{night.x.public()[0]['id']}" in done.out
    assert night.graph.public()[0]["url"] in done.out
    assert "2 of 2 letters sent" in done.out
    assert "✓" in done.out
    assert "All out." in done.out


def test_the_options_of_a_first_post_reach_the_public(night: Night) -> None:
    argv = ["--incident", "ALERT-4711", "--title", "DC 2 is dark", "--status", "identified", "--eta", "90m"]
    done = night.run("post", *argv, "--link", "https://status.example.net/1", "--json", "power is out")
    assert done.code == 0
    assert done.json["incident"] | {"opened_at": 0, "eta": 0} == {
        "key": "ALERT-4711",
        "title": "DC 2 is dark",
        "state": "open",
        "opened_at": 0,
        "eta": 0,
        "resolved_at": None,
    }
    for text in (night.tweets()[0], night.pages()[0], night.mailbox.public()[0]["text"]):
        assert "power is out" in text
        assert "15:35 UTC" in text
        assert "identified" in text
        assert "https://status.example.net/1" in text
    assert "DC 2 is dark" in night.mailbox.public()[0]["subject"]


def test_letters_go_to_the_subscribers_of_a_group(night: Night) -> None:
    night.run("subscribers", "add", "--group", "dc1", "cy@example.org")
    night.run("subscribers", "add", "--group", "dc2", "di@example.org")
    assert night.run("post", "--group", "dc2", "--to", "email", "fiber cut").code == 0
    assert sorted(night.mails()) == sorted([*night.to, "di@example.org"])


# --- where the message comes from


@pytest.mark.parametrize("argv", [["post", "-"], ["post"]], ids=["dash", "piped"])
def test_the_message_may_come_from_standard_input(argv: list[str], night: Night) -> None:
    assert night.run(*argv, stdin="Glasfaser durchtrennt, größerer Ausfall\n".encode()).code == 0
    assert night.tweets() == ["[14:05 UTC] Glasfaser durchtrennt, größerer Ausfall"]


def test_a_message_that_begins_with_a_dash_is_told_how_to_type_it(night: Night) -> None:
    done = night.run("post", "--", "-3 dB on the fiber")
    assert done.code == 0
    assert "-3 dB on the fiber" in night.tweets()[0]


# --- again is safe


def test_the_same_words_again_are_the_same_announcement(night: Night) -> None:
    first = night.run(*POST)
    before = requests_of(night)
    night.clock.move(14 * 60)
    again = night.run(*POST)
    assert (again.code, again.json) == (0, first.json)
    assert requests_of(night) == before
    assert night.out_everywhere()


def test_the_same_words_later_are_another_incident(night: Night) -> None:
    night.run(*POST)
    night.clock.move(16 * 60)
    assert night.run(*POST).code == 0
    assert night.out_everywhere(2)
    assert len(set(keys(night.run("status", "--json")))) == 2


def test_with_again_the_same_words_go_out_a_second_time_and_differ_by_their_time(night: Night) -> None:
    night.run(*POST)
    assert night.run(*POST, "--again").code == 0
    assert night.out_everywhere(2)
    assert len(set(night.tweets())) == 2
    assert len(set(night.pages())) == 2


def test_other_words_without_a_key_are_a_new_incident(night: Night) -> None:
    night.run("post", "fiber cut")
    assert night.run("post", "power is out").code == 0
    assert night.out_everywhere(2)
    assert keys(night.run("status", "--json")) == ["inc-20261122-1405-2", "inc-20261122-1405"]


def test_the_same_key_with_the_same_words_is_one_announcement_at_any_time(night: Night) -> None:
    keyed = ("post", "--json", "--incident", "ALERT-1", "fiber cut")
    first = night.run(*keyed)
    night.clock.move(3 * 3600)
    again = night.run(*keyed)
    assert (again.code, again.json) == (0, first.json)
    assert night.out_everywhere()


def test_the_same_key_with_other_words_says_to_use_update(night: Night) -> None:
    night.run("post", "--incident", "ALERT-1", "fiber cut")
    done = night.run("post", "--json", "--incident", "ALERT-1", "power is out")
    assert done.code == 2
    assert "already open" in done.json["error"]
    assert done.json["hint"].startswith("outagecast update --incident ALERT-1")
    assert night.out_everywhere()


def test_to_names_the_channels_and_without_it_the_rest_is_added(night: Night) -> None:
    only = night.run(*POST, "--to", "twitter")
    assert [channel["name"] for channel in only.json["channels"]] == ["twitter"]
    assert (len(night.tweets()), night.pages(), night.mails()) == (1, [], [])
    rest = night.run(*POST)
    assert [channel["name"] for channel in rest.json["channels"]] == ["twitter", "facebook", "email"]
    assert night.out_everywhere()


def test_to_may_be_repeated(night: Night) -> None:
    assert night.run(*POST, "--to", "twitter", "--to", "email").code == 0
    assert (len(night.tweets()), night.pages(), len(night.mails())) == (1, [], 2)


def test_the_second_run_finishes_what_the_first_left(night: Night) -> None:
    from outagecast.sandbox.mail_faults import At, MailFault

    night.mailbox.faults.add(MailFault(At.RCPT, reply="450 4.2.0 greylisted", to="bo@example.com"))
    left = night.run(*POST, "--deadline", "20")
    assert left.code == 75
    (letter,) = left.channel("email")["posts"]
    assert (letter["state"], letter["to"], letter["attempts"]) == ("planned", "bo@example.com", 1)
    assert "greylisted" in letter["detail"]
    night.clock.move(120)
    done = night.run(*POST)
    assert done.code == 0
    assert done.channel("email")["counts"]["sent"] == 2
    assert night.out_everywhere()


def test_a_person_at_a_terminal_is_not_needed(night: Night) -> None:
    """Nothing interactive without a terminal: a second incident within minutes is not asked about."""
    night.run("post", "fiber cut")
    done = night.run("post", "power is out")
    assert done.code == 0
    assert "?" not in done.err


# --- dry run


def test_a_dry_run_writes_nothing_and_speaks_to_nobody(night: Night) -> None:
    before = sorted(night.folder.rglob("*"))
    done = night.run(*POST, "--dry-run")
    assert done.code == 0
    assert sorted(night.folder.rglob("*")) == before
    assert requests_of(night) == 0


def test_a_dry_run_shows_what_each_channel_would_publish_to_the_letter(night: Night) -> None:
    preview = night.run(*POST, "--dry-run").json
    assert preview["schema"] == "outagecast.preview/1"
    shown = {channel["name"]: channel for channel in preview["channels"]}
    (tweet,) = shown["twitter"]["posts"]
    assert (tweet["length"], tweet["limit"]) == (len(tweet["text"]), 280)
    assert tweet["cost"]
    assert tweet["warnings"] == []
    assert shown["email"]["recipients"] == 2
    night.run(*POST)
    assert night.tweets() == [tweet["text"]]
    assert night.pages() == [shown["facebook"]["posts"][0]["text"]]
    assert night.mailbox.public()[0]["text"] == shown["email"]["posts"][0]["text"]


def test_a_dry_run_for_a_person_has_counts_against_limits_and_the_number_of_parts(night: Night) -> None:
    done = night.run("post", "--dry-run", "we are on it " * 30)
    assert done.code == 0
    assert "part 1 of 2" in done.out
    assert re.search(r"\d+ of 280", done.out)
    assert "thread" in done.out


def test_a_dry_run_says_which_config_would_refuse(night: Night) -> None:
    night.write_config(night.twitter("    long: poem") + night.facebook())
    done = night.run(*POST, "--dry-run")
    shown = {channel["name"]: channel for channel in done.json["channels"]}
    assert "channels.twitter.long" in shown["twitter"]["error"]
    assert shown["facebook"]["error"] is None
    assert requests_of(night) == 0


def test_a_dry_run_knows_what_was_said_before(night: Night) -> None:
    """With the journal there it shows the text that would really go out: with seconds, as the other one has none."""
    night.run("post", "fiber cut")
    preview = night.run("post", "--dry-run", "--again", "--json", "fiber cut").json
    (tweet,) = preview["channels"][0]["posts"]
    assert re.match(r"\[14:05:\d\d UTC\] fiber cut", tweet["text"])


# --- longer than one post


def test_a_long_message_is_a_thread_on_x_and_one_post_elsewhere(night: Night) -> None:
    words = " ".join(f"Sentence {number} about the cut fiber." for number in range(12))
    done = night.run("post", "--json", words)
    assert done.code == 0
    posts = done.channel("twitter")["posts"]
    assert [post["part"] for post in posts] == [1, 2]
    first, second = night.x.public()
    assert second["in_reply_to"] == first["id"]
    assert night.x.stranger_reply(second["id"], "When?")[0] == 403
    assert len(night.pages()) == 1


def test_the_absolute_time_of_the_eta_is_in_the_report(night: Night) -> None:
    done = night.run("post", "--json", "--eta", "15:30", "fiber cut")
    assert done.json["incident"]["eta"] == "2026-11-22T14:30:00.000Z", "15:30 in Berlin"


def test_nothing_is_sent_to_an_expired_plan(night: Night) -> None:
    """What could not be published within `expires` is dropped with its reason, never published late."""
    from outagecast.sandbox.faults import Fault

    night.x.faults.add(Fault("POST /2/tweets", status=429, times=99))
    assert night.run(*POST, "--deadline", "3").code == 75
    night.x.faults.clear()
    night.clock.move(timedelta(hours=7).total_seconds())
    done = night.run("resume", "--json")
    (tweet,) = done.json["incidents"][0]["channels"][0]["posts"]
    assert tweet["state"] == "dropped"
    assert "expired" in tweet["detail"]
    assert done.code == 1
    assert night.tweets() == []
