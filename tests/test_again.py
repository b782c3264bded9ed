"""The same command again is always right: it finds what it made, and whatever differs is never swallowed without a word."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

import pytest

from outagecast.sandbox.mail_faults import At, MailFault
from outagecast.sandbox.x import ERRORS

if TYPE_CHECKING:
    from pathlib import Path

    from night import Night

PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg=="
)
SPLICING = ("update", "still splicing")


def asks_to_wait(night: Night, method: str = "POST") -> None:
    """X takes the next request only later; the command ends before that."""
    night.x.faults.add(ERRORS["rate-limited"].fault(f"{method} /2/tweets"))


def templates(night: Night, **files: str) -> None:
    night.write_config(top="templates: ./templates")
    (night.folder / "templates").mkdir()
    for name, text in files.items():
        (night.folder / "templates" / f"{name}.j2").write_text(text)


# -- what tells one request from another -----------------------------------------------------------------------------


def test_other_variables_of_the_template_of_a_kind_are_another_announcement(night: Night):
    templates(night, opened="{{ message }}: {{ service }}", update="{{ message }} ({{ done }} of 8)")
    for service in ("mail", "mail", "web"):
        assert night.run("post", "--incident", service, "down", "--var", f"service={service}").code == 0
    for done in ("3", "3", "4"):
        assert night.run("update", "--incident", "web", "fibers spliced", "--var", f"done={done}").code == 0
    assert [text.rpartition("] ")[2] for text in night.tweets()] == [
        "down: mail",
        "down: web",
        "fibers spliced (3 of 8)",
        "fibers spliced (4 of 8)",
    ]


def test_without_a_key_too(night: Night):
    templates(night, opened="{{ message }}: {{ service }}")
    for service in ("mail", "web"):
        assert night.run("post", "down", "--var", f"service={service}").code == 0
    assert night.out_everywhere(2)


def test_another_title_of_a_post_is_not_swallowed(night: Night):
    night.run("post", "down", "--title", "mail")
    assert night.run("post", "down", "--title", "mail").code == 0
    done = night.run("post", "down", "--title", "web", "--json")
    assert done.code == 2
    assert "--title" in done.json["error"]
    assert "--again" in done.json["hint"]
    assert night.out_everywhere()


def test_the_title_it_was_opened_with_stays_the_posts_own(night: Night):
    night.run("post", "down", "--incident", "A", "--title", "mail")
    night.run("update", "more than that", "--title", "everything")
    assert night.run("post", "down", "--incident", "A", "--title", "mail").code == 0
    assert night.run("post", "down", "--incident", "A", "--title", "everything").code == 2
    assert night.run("update", "more than that", "--title", "everything").code == 0
    assert night.run("update", "more than that", "--title", "mail").code == 2
    assert night.out_everywhere(2)


# -- the ETA ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("before", "after"), [("16:30", "18:30"), ("1h", "2h"), (None, "1h"), ("1h", "18:30")])
@pytest.mark.parametrize("command", [("post", "fiber cut"), SPLICING])
def test_another_eta_is_not_swallowed(night: Night, command: tuple[str, ...], before: str | None, after: str):
    night.run("post", "fiber cut in the north")
    assert night.run(*command, *(["--eta", before] if before else [])).code == 0
    done = night.run(*command, "--eta", after, "--json")
    assert done.code == 2
    assert "--eta" in done.json["error"]
    assert night.out_everywhere(2)


def test_an_eta_besides_that_of_the_words_is_not_swallowed_either(night: Night):
    night.run("post", "fiber cut, ETA 1h", "--eta", "2h")
    assert night.run("post", "fiber cut, ETA 1h", "--eta", "2h").code == 0
    assert night.run("post", "fiber cut, ETA 1h").code == 2


@pytest.mark.parametrize("eta", [("--eta", "1h"), ("--eta", "16:30"), ("--eta", "2026-11-22T16:30Z"), ()])
@pytest.mark.parametrize("verb", ["post", "update", "resolve"])
def test_the_very_same_command_a_few_minutes_later_is_the_same_announcement(
    night: Night, verb: str, eta: tuple[str, ...]
):
    night.run("post", "fiber cut")
    command = (verb, "splicing" if eta else "splicing, ETA 90m", *eta, "--json")
    first = night.run(*command)
    night.clock.move(600)
    second = night.run(*command)
    assert (second.code, second.json["announcement"]) == (0, first.json["announcement"])
    assert night.out_everywhere(2)


def test_the_same_moment_in_other_words_is_the_same(night: Night):
    night.run("post", "fiber cut", "--eta", "1h")
    night.clock.move(600)
    # 15:05 UTC is 16:05 in Berlin, the zone of the config.
    for eta in ("50m", "16:05"):
        assert night.run("post", "fiber cut", "--eta", eta).code == 0
    assert night.out_everywhere()


def test_a_time_of_day_that_has_gone_by_meanwhile_is_still_that_of_the_same_command(night: Night):
    asks_to_wait(night)
    assert night.run("post", "fiber cut", "--eta", "15:30", "--deadline", "3").code == 75
    night.clock.move(1800)
    assert night.run("post", "fiber cut", "--eta", "15:30").code == 0
    assert night.out_everywhere()


def test_a_time_of_day_that_would_be_tomorrows_by_now_is_asked_about(night: Night):
    night.run("post", "fiber cut")
    night.run(*SPLICING, "--eta", "15:30")
    night.clock.move(3600)
    done = night.run(*SPLICING, "--eta", "15:30", "--json")
    assert done.code == 2
    assert "--eta" in done.json["error"]
    assert "--again" in done.json["hint"]
    assert night.out_everywhere(2)


@pytest.mark.parametrize("command", [(*SPLICING, "--eta", "1h"), ("update", "still splicing, ETA 1h")])
def test_in_an_hour_said_again_an_hour_later_is_news(night: Night, command: tuple[str, ...]):
    night.run("post", "fiber cut")
    assert night.run(*command).code == 0
    night.clock.move(3600)
    done = night.run(*command, "--json")
    assert (done.code, done.json["announcement"]["seq"]) == (0, 2)
    assert "ETA 16:05 UTC, was 15:05 UTC" in night.tweets()[-1] or "(16:05 UTC, was 15:05 UTC)" in night.tweets()[-1]
    assert night.out_everywhere(3)


def test_but_while_the_first_waits_it_is_finished_first(night: Night):
    night.run("post", "fiber cut")
    asks_to_wait(night)
    assert night.run(*SPLICING, "--eta", "1h", "--deadline", "3").code == 75
    night.clock.move(1800)
    done = night.run(*SPLICING, "--eta", "1h", "--json")
    assert (done.code, done.json["announcement"]["seq"]) == (0, 1)
    assert night.out_everywhere(2)


def test_a_post_is_the_same_however_late(night: Night):
    command = ("post", "--incident", "A", "fiber cut", "--eta", "1h", "--json")
    first = night.run(*command)
    night.clock.move(7200)
    second = night.run(*command)
    assert (second.code, second.json["announcement"]) == (0, first.json["announcement"])


@pytest.mark.parametrize("words", ["still splicing", "still splicing, ETA 1h (15:05 UTC)", "we missed the ETA 13:00"])
def test_words_that_promise_nothing_new_are_the_same_however_late(night: Night, words: str):
    night.run("post", "fiber cut")
    night.run("update", words)
    night.clock.move(3 * 3600)
    assert night.run("update", words, "--json").json["announcement"]["seq"] == 1
    assert night.out_everywhere(2)


def test_a_promise_that_was_just_taken_back_is_not_made_again_by_the_same_words(night: Night):
    night.run("post", "fiber cut")
    night.run(*SPLICING, "--eta", "1h")
    night.clock.move(3600)
    night.run("retract", "--last")
    done = night.run(*SPLICING, "--eta", "1h", "--json")
    assert done.code == 2
    assert "taken back" in done.json["error"]


# -- which incident --------------------------------------------------------------------------------------------------


def ended_and_another_open(night: Night, *command: str, waiting: str = "") -> None:
    """A is ended by a command, which waits for X if `waiting` says for which request; B is opened then."""
    night.run("post", "--incident", "A", "test of the siren")
    if waiting:
        asks_to_wait(night, waiting)
    assert night.run(*command, "--deadline", "3").code == (75 if waiting else 0)
    night.run("post", "--incident", "B", "data centre down")


def test_the_same_retract_again_does_not_take_back_another_incident(night: Night):
    ended_and_another_open(night, "retract", waiting="DELETE")
    night.clock.move(3600)
    done = night.run("retract", "--json")
    assert done.code == 2
    assert {"A", "B"} <= set(done.json["error"].replace("(", " ").split())
    assert "--incident A" in done.json["hint"]
    assert any("data centre down" in text for text in night.pages())
    assert night.run("retract", "--incident", "A").code == 0
    assert len(night.tweets()) == 1


@pytest.mark.parametrize("waiting", ["", "POST"])
def test_the_same_resolve_again_does_not_end_another_incident(night: Night, waiting: str):
    ended_and_another_open(night, "resolve", waiting=waiting)
    done = night.run("resolve", "--json")
    assert done.code == 2
    assert "--incident A" in done.json["hint"]
    assert "--incident B" in done.json["hint"]
    assert night.run("status", "B", "--json").json["incidents"][0]["incident"]["state"] == "open"


@pytest.mark.parametrize(("command", "method"), [("retract", "DELETE"), ("resolve", "POST")])
def test_what_waited_for_long_is_finished_by_the_same_command(night: Night, command: str, method: str):
    night.run("post", "fiber cut")
    asks_to_wait(night, method)
    assert night.run(command, "--deadline", "3").code == 75
    night.clock.move(3600)
    assert night.run(command).code == 0
    assert (len(night.tweets()), len(night.pages())) == ((0, 0) if command == "retract" else (2, 2))


def test_of_two_that_ended_a_moment_ago_none_is_guessed(night: Night):
    ended_and_another_open(night, "retract")
    night.run("resolve")
    assert night.run("retract", "--json").code == 2
    assert any("data centre down" in text for text in night.pages())


def test_what_was_taken_back_is_in_nobodys_way(night: Night):
    ended_and_another_open(night, "retract")
    done = night.run("resolve", "--json")
    assert (done.code, done.json["incident"]["key"]) == (0, "B")


@pytest.mark.parametrize("command", ["resolve", "retract"])
def test_what_ended_a_while_ago_is_not_meant(night: Night, command: str):
    ended_and_another_open(night, "resolve")
    night.clock.move(1000)
    assert night.run("update", "--incident", "B", "news").code == 0
    assert night.run(command).code == 0
    states = {one["incident"]["key"]: one for one in night.run("status", "--json").json["incidents"]}
    assert states["B"]["incident"]["state"] == "resolved"
    assert len(states["A"]["announcements"]) == 2


def test_what_is_taken_back_late_counts_from_then(night: Night):
    night.run("post", "--incident", "A", "test of the siren")
    night.run("resolve")
    night.clock.move(3600)
    night.run("retract", "--incident", "A")
    night.run("post", "--incident", "B", "data centre down")
    assert night.run("retract").code == 2
    assert any("data centre down" in text for text in night.pages())


# -- the picture -----------------------------------------------------------------------------------------------------


@pytest.fixture
def picture(night: Night) -> Path:
    path = night.folder / "map of the north.png"
    path.write_bytes(PNG)
    return path


def with_picture(name: str = "map of the north.png", alt: str = "a map") -> tuple[str, ...]:
    return ("post", "power cut", "--image", name, "--alt", alt)


def test_the_same_again_needs_no_picture_file_once_it_is_on_record(night: Night, picture: Path):
    asks_to_wait(night)
    assert night.run(*with_picture(), "--deadline", "3").code == 75
    picture.unlink()
    night.clock.move(2000)
    assert night.run(*with_picture()).code == 0
    assert [tweet["images"] for tweet in night.x.public()] == [["a map"]]
    assert night.out_everywhere()


@pytest.mark.parametrize(
    "command",
    [
        with_picture("other.png"),
        with_picture(alt="another map"),
        (*with_picture(), "--again"),
        (*with_picture(), "--incident", "B"),
    ],
)
def test_whatever_else_needs_the_file(night: Night, picture: Path, command: tuple[str, ...]):
    night.run(*with_picture())
    picture.unlink()
    done = night.run(*command, "--json")
    assert done.code == 2
    assert "cannot be read" in done.json["error"]
    assert night.out_everywhere()


def test_an_announcement_without_a_picture_is_not_the_same(night: Night):
    night.run("post", "power cut")
    done = night.run(*with_picture(), "--json")
    assert done.code == 2
    assert "cannot be read" in done.json["error"]


def test_a_preview_needs_the_file_too(night: Night, picture: Path):
    picture.unlink()
    assert night.run(*with_picture(), "--dry-run").code == 2


def test_one_letter_that_waits_does_not_keep_the_next_hours_news_from_everybody(night: Night) -> None:
    night.run("post", "fiber cut")
    night.mailbox.faults.add(*(MailFault(At.RCPT, reply="450 4.2.0 full", to="bo@example.com") for _ in range(99)))
    assert night.run("update", "still splicing, ETA 1h", "--deadline", "3").code == 75
    night.clock.move(3700)
    assert night.run("update", "still splicing, ETA 1h", "--deadline", "3").code == 75
    assert len([tweet for tweet in night.tweets() if "still splicing" in tweet]) == 2
