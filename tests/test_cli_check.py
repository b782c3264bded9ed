"""`outagecast check`: each channel's own findings, what goes dark together with us, and keys that do nothing."""

from __future__ import annotations

import io
import re
from typing import TYPE_CHECKING

import pytest
from night import Night

from outagecast.deliver import SystemClock
from outagecast.model import Finding, Level
from outagecast.sandbox.mail_faults import At, Do, MailFault
from outagecast.screen import Screen

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from night import Done


def told(done: Done, channel: str, level: str) -> list[str]:
    return [one["text"] for one in done.json["findings"] if (one["channel"], one["level"]) == (channel, level)]


@pytest.fixture
def tonight(tmp_path: Path) -> Iterator[Night]:
    """With the machine's own clock: X is asked how far it is off."""
    with Night(tmp_path, clock=SystemClock()) as one:
        assert one.dns.port
        one.write_config(top="own: [203.0.113.0/24]")
        yield one


def test_check_asks_everybody_and_publishes_nothing(tonight: Night) -> None:
    night = tonight
    done = night.run("check", "--json")
    assert done.json["schema"] == "outagecast.check/1"
    assert (done.code, done.json["exit_code"]) == (0, 0), done.out
    subjects = list(dict.fromkeys(one["channel"] for one in done.json["findings"]))
    assert subjects == ["config", "journal", "blast radius", "twitter", "facebook", "email"]
    assert (night.tweets(), night.pages(), night.mails()) == ([], [], [])
    assert not night.journal_path.exists()


def test_every_finding_that_is_not_good_says_what_to_do(tonight: Night) -> None:
    findings = tonight.run("check", "--json").json["findings"]
    assert {one["level"] for one in findings} == {"good", "warning"}
    assert all(one["do"] for one in findings if one["level"] != "good")


def test_check_exits_1_for_a_channel_that_would_not_work(night: Night) -> None:
    del night.env["FACEBOOK_PAGE_ACCESS_TOKEN"]
    done = night.run("check", "--json")
    assert (done.code, done.json["exit_code"]) == (1, 1)
    assert "FACEBOOK_PAGE_ACCESS_TOKEN" in told(done, "facebook", "bad")[0]


@pytest.mark.parametrize("own", ["127.0.0.0/8", "example.com"])
def test_the_only_relay_in_what_goes_dark_is_bad(night: Night, own: str) -> None:
    night.write_config(top=f"own: [{own}]")
    bad = told(night.run("check", "--json"), "blast radius", "bad")
    assert any("no letter would go out" in text for text in bad) is (own == "127.0.0.0/8")


def test_the_dns_of_the_night_is_asked_for_where_readers_are_sent(night: Night) -> None:
    night.dns.records["help.example.net"] = {"CNAME": ["www.example.com"]}
    night.dns.records["www.example.com"] = {"A": ["198.51.100.80"]}
    night.write_config(top="own: [www.example.com]")
    texts = told(night.run("check", "--json"), "blast radius", "warning")
    assert texts == [
        "where readers are sent (`support:`): help.example.net → www.example.com (alias) is inside www.example.com"
    ]


def test_a_relay_that_would_take_no_letter_for_the_list_is_bad_and_the_list_is_read_for_it(night: Night) -> None:
    denied = "554 5.7.1 Relay access denied"
    night.mailbox.faults.add(MailFault(At.RCPT, Do.REPLY, denied, to="cy@example.edu", times=0))
    night.write_config(night.email().replace("to: [ann@example.org, bo@example.com]", "to: [ops@example.net]"))
    unknown = told(night.run("check", "--json"), "email", "warning")
    assert any("for others than example.net is not known" in text for text in unknown)
    assert not night.journal_path.exists()
    night.run("subscribers", "add", "ann@example.net", "cy@example.edu")
    done = night.run("check", "--json")
    assert done.code == 1
    assert any(f"cy@example.edu was refused: {denied}" in text for text in told(done, "email", "bad"))
    night.run("subscribers", "remove", "cy@example.edu")
    assert told(night.run("check", "--json"), "email", "bad") == []
    assert night.mailbox.letters == []


def test_a_channel_that_cannot_be_opened_is_named_as_left_out_of_what_was_looked_at(night: Night) -> None:
    assert night.dns.port
    more = "    replies: closed"
    for channels, left_out in ((night.facebook(more), " (without facebook, whose settings are wrong)"), ("", "")):
        night.write_config(channels + night.email(), top="own: [203.0.113.0/24]")
        (good,) = told(night.run("check", "--json"), "blast radius", "good")
        assert good.endswith(f"nothing lies in 203.0.113.0/24{left_out}")


def test_with_to_only_that_channel_is_asked(night: Night) -> None:
    done = night.run("check", "--json", "--to", "email")
    assert {one["channel"] for one in done.json["findings"]} & {"twitter", "facebook", "email"} == {"email"}
    assert not night.x.log
    assert not night.graph.log
    assert night.run("check", "--to", "nobody").code == 2


def test_check_finds_what_is_wrong_with_templates_before_they_stand_in_the_way(night: Night) -> None:
    night.write_config(top="templates: ./templates")
    folder = night.folder / "templates"
    folder.mkdir()
    (folder / "opened.j2").write_text("{% if %}")
    (folder / "update.twiter.j2").write_text("{{ message }}")
    done = night.run("check", "--json")
    assert done.code == 1
    (bad,) = told(done, "templates", "bad")
    assert "opened.j2" in bad
    (odd,) = told(done, "templates", "warning")
    assert "twiter" in odd


def test_a_folder_of_templates_that_is_not_there_is_to_be_made_or_corrected(night: Night) -> None:
    night.write_config(top="templates: ./templates")
    (found,) = [one for one in night.run("check", "--json").json["findings"] if one["channel"] == "templates"]
    assert found["do"] == f"mkdir -p {night.folder}/templates, or correct `templates:` in {night.config}"


def test_check_calls_templates_sound_that_are(night: Night) -> None:
    night.write_config(top="templates: ./templates")
    (night.folder / "templates").mkdir()
    (night.folder / "templates" / "opened.j2").write_text("{{ message }}")
    done = night.run("check", "--json")
    assert told(done, "templates", "bad") == told(done, "templates", "warning") == []
    assert len(told(done, "templates", "good")) == 1


def test_a_person_sees_what_is_wrong_the_worst_first_and_what_to_type_next(tonight: Night) -> None:
    del tonight.env["FACEBOOK_PAGE_ACCESS_TOKEN"]
    lines = tonight.run("check").out.splitlines()
    assert "config" in lines
    assert re.fullmatch(r"1 bad, \d+ warnings, \d+ good", lines[-2])
    assert lines[-1] == "When that is mended: outagecast check"


def test_the_next_step_of_a_sound_night_is_a_look_at_what_would_go_out(night: Night) -> None:
    assert night.run("check", "--to", "email").out.splitlines()[-1].startswith("Next: outagecast post --dry-run ")


def test_the_next_step_is_about_the_same_config_and_the_same_channels(night: Night) -> None:
    night.config.rename(night.folder / "my night.yaml")
    done = night.run("check", "--config", "my night.yaml", "--to", "email", "--to", "facebook")
    assert done.out.splitlines()[-1].endswith(
        "outagecast check --live --to email --to facebook --config 'my night.yaml'"
    )


@pytest.mark.parametrize("how", ["environment", "option"])
def test_a_config_that_is_not_there_is_made_at_that_place(night: Night, how: str) -> None:
    missing = night.folder / "no such.yaml"
    night.env |= {"OUTAGECAST_CONFIG": str(missing)} if how == "environment" else {}
    done = night.run("check", *(["--config", str(missing)] if how == "option" else []))
    assert (done.code, f"outagecast init '{missing}'" in done.err) == (2, True)


@pytest.mark.parametrize("group", [[], ["auth"], ["subscribers"]])
def test_a_group_alone_shows_its_help_as_no_error(night: Night, group: list[str]) -> None:
    done = night.run(*group)
    assert (done.code, done.err.splitlines()[0].split()[:2]) == (2, ["Usage:", "outagecast"])
    assert "→" not in done.err


def shown(*findings: Finding) -> list[str]:
    from datetime import UTC, datetime

    stream = io.StringIO()
    Screen(stream, UTC, datetime(2026, 11, 22, tzinfo=UTC)).checked(findings, "outagecast check")  # type: ignore[arg-type]  # a TextIO
    return stream.getvalue().splitlines()


def test_findings_stand_by_subject_and_by_level_and_no_word_of_theirs_moves_the_terminal() -> None:
    lines = shown(
        Finding("a", Level.GOOD, "fine", "nothing to do"),
        Finding("a", Level.WARNING, "odd \x1b[2J\nnext", "chmod 600 \x1b]0;x\x07file"),
        Finding("b", Level.BAD, "no", "mend it"),
        Finding("a", Level.BAD, "worse"),
    )
    assert lines == [
        "",
        "a",
        "  ✗ worse",
        "  ! odd \\x1b[2J next",
        "    → chmod 600 \\x1b]0;x\\x07file",
        "  ✓ fine",
        "",
        "b",
        "  ✗ no",
        "    → mend it",
        "",
        "2 bad, 1 warning, 1 good",
        "When that is mended: outagecast check",
    ]
