"""The commands around `post`: resume, status, settle, subscribers, channels, sweep."""

from __future__ import annotations

import re
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from outagecast.sandbox.faults import Fault, lost_answer
from outagecast.sandbox.mail_faults import At, Do, MailFault

if TYPE_CHECKING:
    from night import Done, Night

POST = ("post", "--json", "fiber cut, ETA 1h")
TWEET = "POST /2/tweets"
UNAUTHORIZED = '{"title":"Unauthorized","status":401,"detail":"Unauthorized"}'


def posts_of(done: Done, channel: str) -> list[dict[str, Any]]:
    (report,) = done.json["incidents"]
    return next(each["posts"] for each in report["channels"] if each["name"] == channel)


def doubtful(night: Night) -> int:
    """Leave a post on X in doubt that X cannot be asked about; its id."""
    night.x.account.can_read = False
    night.x.faults.add(lost_answer(TWEET))
    done = night.run(*POST)
    assert done.code == 1
    return int(done.channel("twitter")["posts"][0]["id"])


# --- resume


def test_resume_with_nothing_to_do_says_so(night: Night) -> None:
    night.run(*POST)
    done = night.run("resume")
    assert (done.code, "Nothing is unfinished" in done.out) == (0, True)


def test_resume_finishes_all_incidents_and_reports_those_it_touched(night: Night) -> None:
    night.run("post", "--incident", "done-1", "an older matter")
    for key in ("one", "two"):
        night.x.faults.add(Fault(TWEET, status=401, body=UNAUTHORIZED))
        assert night.run("post", "--incident", key, f"outage {key}").code == 1
    done = night.run("resume", "--json")
    assert done.code == 0
    assert done.json["schema"] == "outagecast.status/1"
    assert [report["incident"]["key"] for report in done.json["incidents"]] == ["two", "one"]
    assert all(report["announcements"] for report in done.json["incidents"])
    assert night.out_everywhere(3)


def test_resume_leaves_the_channels_alone_that_to_does_not_name(night: Night) -> None:
    night.x.faults.add(Fault(TWEET, status=401, body=UNAUTHORIZED))
    night.mailbox.faults.add(MailFault(At.MAIL, reply="550 5.7.1 not yours", times=0))
    assert night.run(*POST).code == 1
    night.mailbox.faults.clear()
    night.run("resume", "--to", "twitter")
    assert (len(night.tweets()), night.mails()) == (1, [])
    assert night.run("resume").code == 0
    assert night.out_everywhere()


def test_resume_watch_goes_on_until_nothing_is_left(night: Night) -> None:
    night.mailbox.faults.add(MailFault(At.RCPT, reply="450 4.2.0 greylisted", times=4))
    assert night.run(*POST, "--deadline", "20").code == 75
    done = night.run("resume", "--watch", "--json")
    assert done.code == 0
    assert night.out_everywhere()


def test_resume_without_a_journal_has_nothing_to_do(night: Night) -> None:
    assert night.run("resume").code == 0


def test_a_config_that_was_mended_is_enough_for_resume(night: Night) -> None:
    night.write_config(night.twitter() + night.facebook().replace("${FACEBOOK_PAGE_ACCESS_TOKEN}", "${NOT_SET}"))
    broken = night.run(*POST)
    assert broken.code == 1
    assert "NOT_SET" in broken.channel("facebook")["posts"][0]["detail"]
    night.write_config(night.twitter() + night.facebook())
    assert night.run("resume").code == 0
    assert (len(night.tweets()), len(night.pages())) == (1, 1)


# --- status


def test_status_before_the_first_incident_points_to_the_drill(night: Night) -> None:
    done = night.run("status")
    assert (done.code, "outagecast drill" in done.out) == (0, True)
    assert not night.journal_path.exists()


def test_status_has_each_incident_with_all_its_announcements_newest_first(night: Night) -> None:
    night.run("post", "--incident", "one", "fiber cut")
    night.run("post", "--incident", "two", "power is out")
    done = night.run("status", "--json")
    assert (done.code, done.json["schema"]) == (0, "outagecast.status/1")
    assert [report["incident"]["key"] for report in done.json["incidents"]] == ["two", "one"]
    one = done.json["incidents"][1]
    assert one["schema"] == "outagecast.report/1"
    assert [said["announcement"]["kind"] for said in one["announcements"]] == ["opened"]
    assert one["channels"] == one["announcements"][0]["channels"]


def test_status_of_one_incident(night: Night) -> None:
    night.run("post", "--incident", "one", "fiber cut")
    night.run("post", "--incident", "two", "power is out")
    done = night.run("status", "one", "--json")
    assert [report["incident"]["key"] for report in done.json["incidents"]] == ["one"]


def test_status_of_an_unknown_incident_names_the_known(night: Night) -> None:
    night.run("post", "--incident", "one", "fiber cut")
    done = night.run("status", "tow", "--json")
    assert done.code == 2
    assert "tow" in done.json["error"]
    assert "one" in done.json["hint"]


def test_status_works_in_the_dark_and_without_a_config(night: Night) -> None:
    night.run(*POST, env={"OUTAGECAST_JOURNAL": str(night.journal_path)})
    before = len(night.x.log)
    night.config.unlink()
    done = night.run("status", "--json", env={"OUTAGECAST_JOURNAL": str(night.journal_path)})
    assert done.code == 0
    assert len(done.json["incidents"]) == 1
    assert len(night.x.log) == before


@pytest.mark.parametrize("command", [("status",), ("status", "--check"), ("subscribers", "add", "ann@example.org")])
def test_a_broken_config_is_no_reason_to_use_another_journal(night: Night, command: tuple[str, ...]) -> None:
    night.run(*POST)
    night.config.write_text(night.config.read_text().replace("timezone:", "timezon:"), encoding="utf-8")
    done = night.run(*command)
    assert done.code == 2
    assert "timezone" in done.err


def test_status_check_is_0_when_all_is_out_and_in_time(night: Night) -> None:
    night.run(*POST)
    assert night.run("status", "--check").code == 0


def test_status_check_is_1_when_the_eta_has_passed_without_news(night: Night) -> None:
    night.run(*POST)
    night.clock.move(61 * 60)
    assert night.run("status", "--check").code == 1
    done = night.run("status")
    assert (done.code, "OVERDUE" in done.out) == (0, True)


def test_status_check_is_1_when_something_is_unfinished(night: Night) -> None:
    night.x.faults.add(Fault(TWEET, status=429, resets={"x-rate-limit-reset": 600}))
    assert night.run(*POST).code == 75
    assert night.run("status", "--check").code == 1


# --- settle


def test_settle_sent_closes_the_matter_and_the_look_at_replies_follows(night: Night) -> None:
    post = doubtful(night)
    night.x.account.can_read = True
    tweet = night.x.public()[0]["id"]
    done = night.run("settle", str(post), "--sent", tweet, "--json")
    assert done.json["schema"] == "outagecast.status/1"
    assert posts_of(done, "twitter")[0]["ref"] == tweet
    assert night.run("resume").code == 0
    assert night.out_everywhere()


def test_settle_resend_sends_it_at_the_next_resume(night: Night) -> None:
    """What a person says about the world is believed: here they are wrong, and it is out twice."""
    post = doubtful(night)
    night.x.account.can_read = True
    night.clock.move(60)
    assert posts_of(night.run("settle", str(post), "--resend", "--json"), "twitter")[0]["state"] == "planned"
    night.run("resume")
    assert night.run("status", "--json").json["incidents"][0]["channels"][0]["posts"][0]["attempts"] == 2


def test_settle_drop_ends_it(night: Night) -> None:
    post = doubtful(night)
    done = night.run("settle", str(post), "--drop", "--json")
    assert (done.code, posts_of(done, "twitter")[0]["state"]) == (0, "dropped")
    night.run("resume")
    assert len(night.tweets()) == 1


def test_settle_all_decides_about_a_whole_channel(night: Night) -> None:
    night.write_config(night.email("    in_doubt: hold"))
    night.mailbox.faults.add(MailFault(At.CONTENT, Do.DROP, times=2))
    assert night.run(*POST).code == 1
    held = night.run("status", "--json").json["incidents"][0]["channels"][0]["counts"]
    assert held["in-doubt"] == 2
    done = night.run("settle", "email", "--all", "--resend", "--json")
    assert done.code == 75
    assert night.run("resume").code == 0
    assert sorted(night.mails()) == sorted(night.to)


@pytest.mark.parametrize(
    ("argv", "error"),
    [
        (["999", "--sent"], "no post 999"),
        (["x", "--drop"], "no post x"),
        (["1"], "say what became of it"),
        (["1", "--sent", "--drop"], "say what became of it"),
        (["1", "--drop"], "nothing to settle"),
        (["nowhere", "--all", "--drop"], "no channel nowhere"),
        (["1", "123", "--drop"], "REF"),
    ],
)
def test_settle_that_makes_no_sense_is_an_error_and_changes_nothing(argv: list[str], error: str, night: Night) -> None:
    night.run(*POST)
    before = night.run("status", "--json").out
    done = night.run("settle", *argv, "--json")
    assert (done.code, error in done.json["error"]) == (2, True)
    assert done.json["hint"].startswith("outagecast ")
    assert night.run("status", "--json").out == before


# --- subscribers


def test_one_reader_is_counted_in_the_singular(night: Night) -> None:
    night.to = []
    night.write_config(night.email())
    added = night.run("subscribers", "add", "eve@example.org")
    assert "1 added; 1 subscriber\n" in added.out + added.err
    for command, said in ((("post", "--dry-run", "x"), "1 letter"), (("post", "fiber cut"), "1 of 1 letter sent")):
        done = night.run(*command)
        assert re.search(rf"{said}\b", done.out), done.out
    assert "1 of 1 letter out" in night.run("show", "--markdown").out


def test_subscribers_are_added_counted_listed_and_removed(night: Night) -> None:
    assert (
        night.run("subscribers", "add", "cy@example.org", "di@example.org", "--group", "dc1", "--json").json["count"]
        == 2
    )
    assert night.run("subscribers", "add", "eve@example.org").code == 0
    assert night.run("subscribers", "count", "--json").json["count"] == 3
    assert night.run("subscribers", "count", "--group", "dc1", "--json").json["count"] == 2
    assert "cy@example.org" in night.run("subscribers", "list").out
    assert night.run("subscribers", "remove", "cy@example.org", "--json").json["changed"] == 1
    listed = night.run("subscribers", "list", "--json").json["subscribers"]
    assert [one["address"] for one in listed] == ["di@example.org", "eve@example.org"]
    assert listed[0]["groups"] == ["dc1"]


def test_subscribers_go_out_as_a_file_and_come_in_again(night: Night) -> None:
    night.run("subscribers", "add", "cy@example.org", "--group", "dc1")
    night.run("subscribers", "add", "di@example.org")
    csv = night.run("subscribers", "export").out
    assert night.run("subscribers", "remove", "cy@example.org", "di@example.org").code == 0
    (night.folder / "people.csv").write_text(csv, encoding="utf-8")
    assert night.run("subscribers", "import", "people.csv", "--json").json["changed"] == 2
    assert night.run("subscribers", "export").out == csv


def test_an_import_with_a_wrong_line_adds_nobody_and_names_the_line(night: Night) -> None:
    (night.folder / "people.csv").write_text("cy@example.org\nnot an address\ndi@example.org\n", encoding="utf-8")
    done = night.run("subscribers", "import", "people.csv", "--json")
    assert done.code == 2
    assert done.json["problems"] == ["line 2: 'not an address' is no mail address"]
    assert night.run("subscribers", "count", "--json").json["count"] == 0


def test_an_import_may_be_piped(night: Night) -> None:
    done = night.run("subscribers", "import", "-", "--json", stdin="cy@example.org\nd.ö@example.org\n".encode())
    assert (done.code, done.json["changed"]) == (0, 2)


def test_what_was_removed_gets_no_letter_any_more(night: Night) -> None:
    night.run("subscribers", "add", "cy@example.org")
    night.mailbox.faults.add(MailFault(At.RCPT, reply="450 4.2.0 greylisted", to="cy@example.org", times=0))
    assert night.run(*POST, "--deadline", "20").code == 75
    night.run("subscribers", "remove", "cy@example.org")
    night.mailbox.faults.clear()
    night.clock.move(120)
    assert night.run("resume").code == 0
    assert "cy@example.org" not in night.mails()


# --- channels, sweep


def test_channels_tells_what_each_type_can_do(night: Night) -> None:
    done = night.run("channels", "--json")
    assert (done.code, done.json["schema"]) == (0, "outagecast.channels/1")
    types = {one["type"]: one for one in done.json["types"]}
    assert types["twitter"]["replies"] == "atomic"
    assert types["twitter"]["limits"][0]["most"] == 280
    assert types["facebook"]["replies"] == "moderated"
    assert types["email"]["letters"]


def test_sweep_hides_what_a_stranger_said_on_facebook(night: Night) -> None:
    night.run(*POST)
    night.graph.stranger_comment(night.graph.public()[0]["id"], "When?")
    assert len(night.graph.public()[0]["comments"]) == 1
    done = night.run("sweep", "--json")
    assert (done.code, done.json["schema"]) == (0, "outagecast.status/1")
    assert night.graph.public()[0]["comments"] == []


def test_sweep_publishes_nothing(night: Night) -> None:
    night.x.faults.add(Fault(TWEET, status=429, resets={"x-rate-limit-reset": 600}))
    assert night.run(*POST).code == 75
    night.clock.move(700)
    assert night.run("sweep").code == 0
    assert night.tweets() == []


def test_sweep_sends_no_letter_that_waits(night: Night) -> None:
    night.mailbox.faults.add(MailFault(At.RCPT, reply="450 4.2.0 greylisted", times=0))
    assert night.run(*POST).code == 75
    night.mailbox.faults.clear()
    night.clock.move(700)
    assert night.run("sweep").code == 0
    assert night.mails() == []


def test_sweep_without_anything_young_enough_says_so(night: Night) -> None:
    night.run(*POST)
    night.run("resolve")
    night.clock.move(25 * 3600)
    done = night.run("sweep")
    assert (done.code, "sweep_for" in done.out) == (0, True)


# --- the command itself


def test_the_installed_command_is_the_same_by_its_name() -> None:
    """`outagecast` on the path, as an installer puts it there."""
    from importlib.metadata import entry_points

    (point,) = entry_points(group="console_scripts", name="outagecast")
    assert point.value == "outagecast.cli.main:run"
    done = subprocess.run(
        [sys.executable, "-c", "from outagecast.cli.main import run; run()", "--version"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert re.fullmatch(r"outagecast \d+\.\d+\.\S+\n", done.stdout)


def test_help_shows_examples_for_every_command() -> None:
    from outagecast.cli.main import COMMANDS

    for command in COMMANDS:
        argv = [sys.executable, "-c", "from outagecast.cli.main import run; run()", command, "--help"]
        if command in {"subscribers", "auth"}:
            continue  # a group: its own commands are listed
        done = subprocess.run(argv, capture_output=True, text=True, check=True)
        assert f"outagecast {command}" in done.stdout
        assert "Example" in done.stdout


COMMON = ["post", "update", "resolve", "resume", "settle", "status", "sweep", "check", "channels", "drill"]
COMMON += ["init", "auth twitter", "auth facebook"]
COMMON += [f"subscribers {name}" for name in ("add", "remove", "import", "list", "count", "export")]


@pytest.mark.parametrize("command", COMMON)
def test_every_command_takes_config_json_and_verbose(night: Night, command: str) -> None:
    for option in ("--config", "--json", "--verbose"):
        done = night.run(*command.split(), option, "x" if option == "--config" else "--help")
        assert "No such option" not in done.err, option
