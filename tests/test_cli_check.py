"""`outagecast check`: each channel's own findings, what goes dark together with us, and keys that do nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from night import Done, Night


def told(done: Done, channel: str, level: str) -> list[str]:
    return [one["text"] for one in done.json["findings"] if (one["channel"], one["level"]) == (channel, level)]


def test_check_asks_every_channel_and_publishes_nothing(night: Night) -> None:
    done = night.run("check", "--json")
    assert done.json["schema"] == "outagecast.check/1"
    assert {one["channel"] for one in done.json["findings"]} == {"config", "journal", "twitter", "facebook", "email"}
    assert (night.tweets(), night.pages(), night.mails()) == ([], [], [])


def test_check_exits_1_for_a_channel_that_would_not_work(night: Night) -> None:
    del night.env["FACEBOOK_PAGE_ACCESS_TOKEN"]
    done = night.run("check", "--json")
    assert (done.code, done.json["exit_code"]) == (1, 1)
    assert "FACEBOOK_PAGE_ACCESS_TOKEN" in told(done, "facebook", "bad")[0]


@pytest.mark.parametrize(("own", "warned"), [("127.0.0.0/8", True), ("example.com", False)])
def test_check_warns_of_a_relay_that_goes_dark_together_with_us(night: Night, own: str, warned: bool) -> None:
    night.write_config(top=f"own: [{own}]")
    assert (
        any("goes dark together with us" in text for text in told(night.run("check", "--json"), "email", "warning"))
        is warned
    )


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


def test_check_says_nothing_of_templates_that_are_right(night: Night) -> None:
    night.write_config(top="templates: ./templates")
    (night.folder / "templates").mkdir()
    (night.folder / "templates" / "opened.j2").write_text("{{ message }}")
    assert told(night.run("check", "--json"), "templates", "bad") == []
