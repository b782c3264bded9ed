"""What goes along with the words of an incident: its ETA, title, templates and pictures, on every channel at once."""

from __future__ import annotations

import base64
import itertools
from typing import TYPE_CHECKING

import pytest

from outagecast.sandbox.faults import Fault
from outagecast.sandbox.graph import ERRORS as GRAPH_ERRORS
from outagecast.sandbox.x import ERRORS, ReplyRule

if TYPE_CHECKING:
    from pathlib import Path

    from night import Night

PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)


@pytest.fixture
def picture(night: Night) -> Path:
    path = night.folder / "map of the north.png"
    path.write_bytes(PNG)
    return path


def letters(night: Night) -> list[str]:
    return [letter["text"] for letter in night.mailbox.public()]


# -- the ETA ---------------------------------------------------------------------------------------------------------


def test_a_new_eta_says_everywhere_which_one_it_replaces(night: Night):
    night.run("post", "fiber cut, ETA 1h")
    night.clock.move(600)
    done = night.run("update", "slower than hoped, ETA 3h")
    assert done.code == 0, done.err
    said = "slower than hoped, ETA 3h (17:15 UTC, was 15:05 UTC)"
    assert said in night.tweets()[-1]
    assert said in night.pages()[-1]
    assert said in letters(night)[-1]
    assert said in night.pages()[0], "the first post says where things stand"


def test_the_same_eta_again_replaces_nothing(night: Night):
    night.run("post", "fiber cut, ETA 15:30 UTC")
    night.run("update", "on time, ETA 15:30 UTC")
    assert night.tweets()[-1].endswith("on time, ETA 15:30 UTC")


def test_an_eta_by_option_says_it_too(night: Night):
    night.run("post", "fiber cut", "--eta", "1h")
    night.run("update", "slower", "--eta", "16:00 UTC".replace(" ", "")[:5])
    # 16:00 in Berlin, the zone of the config.
    assert night.tweets()[0].endswith("fiber cut (ETA 15:05 UTC)")
    assert night.tweets()[1].endswith("slower (ETA 15:00 UTC, was 15:05 UTC)")


def test_the_old_eta_is_the_first_thing_that_is_given_up(night: Night):
    night.write_config(night.twitter("    long: refuse"))
    night.run("post", "fiber cut, ETA 1h")
    words = "x" * 225 + ", ETA 3h"
    done = night.run("update", words, "--dry-run", "--json")
    (post,) = done.json["channels"][0]["posts"]
    assert "(17:05 UTC)" in post["text"]
    assert "was" not in post["text"]
    assert any("old ETA" in warning for warning in post["warnings"])


# -- the title -------------------------------------------------------------------------------------------------------


def test_a_new_title_is_the_incidents_from_then_on_and_a_mails_subject_stays(night: Night):
    night.run("post", "fiber cut")
    done = night.run("update", "it is more than that", "--title", "Network down in Berlin", "--json")
    assert done.json["incident"]["title"] == "Network down in Berlin"
    subjects = {letter["subject"] for letter in night.mailbox.public()}
    assert subjects == {"[Example Hosting] fiber cut"}
    assert "Network down in Berlin" in letters(night)[-1]


def test_an_update_that_x_refuses_as_a_reply_says_which_incident_it_belongs_to(night: Night):
    night.run("post", "fiber cut at the exchange")
    night.x.reply_rule = ReplyRule.SELF_REFUSED
    night.run("update", "cable found")
    assert "fiber cut at the exchange" in night.tweets()[-1]
    night.x.reply_rule = ReplyRule.OFF
    night.run("update", "splicing")
    tweets = {tweet["text"].rpartition("] ")[2]: tweet for tweet in night.x.public()}
    assert tweets["splicing"]["in_reply_to"] == tweets["cable found"]["id"]
    assert not any(tweet["can_reply"] for tweet in tweets.values())


def test_a_letters_thread_begins_with_the_first_one(night: Night):
    for command in (("post", "fiber cut"), ("update", "cable found"), ("resolve",)):
        night.run(*command)
    mine = [letter.message for letter in night.mailbox.letters if letter.to[0] == "ann@example.org"]
    for before, after in itertools.pairwise(mine):
        assert after["In-Reply-To"] == before["Message-ID"]
        assert before["Message-ID"] in after["References"]


# -- templates -------------------------------------------------------------------------------------------------------


def templates(night: Night, **files: str) -> None:
    night.write_config(top="templates: ./templates")
    (night.folder / "templates").mkdir(exist_ok=True)
    for name, text in files.items():
        (night.folder / "templates" / f"{name.replace('__', '.')}.j2").write_text(text)


def test_a_template_of_the_kind_says_it_and_another_one_for_mail(night: Night):
    templates(night, opened="Trouble: {{ message }}", opened__email="Dear reader,\n\n{{ message | sentence }}")
    done = night.run("post", "fiber cut, ETA 1h", "--json")
    assert done.code == 0, done.err
    assert done.json["announcement"]["text"] == "Trouble: fiber cut, ETA 1h"
    assert "Trouble: fiber cut, ETA 1h (15:05 UTC)" in night.tweets()[0]
    assert letters(night)[0].startswith("Dear reader,\n\nFiber cut, ETA 1h (15:05 UTC).")


def test_the_same_command_again_is_the_same_announcement_whatever_the_template_says_of_the_time(night: Night):
    templates(night, opened="{{ time }}: {{ message }}")
    night.run("post", "fiber cut")
    night.clock.move(300)
    assert night.run("post", "fiber cut").code == 0
    assert night.out_everywhere()


def test_other_variables_are_another_announcement(night: Night):
    templates(night, power="Power is out at {{ site }}.")
    assert night.run("post", "--template", "power", "--var", "site=Bonn").code == 0
    assert night.run("post", "--template", "power", "--var", "site=Bonn").code == 0
    assert night.run("post", "--template", "power", "--var", "site=Mainz").code == 0
    assert [tweet.partition("] ")[2] for tweet in night.tweets()] == ["Power is out at Bonn.", "Power is out at Mainz."]


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        (("--template", "power"), "site"),
        (("--template", "pwoer", "--var", "site=Bonn"), "pwoer"),
        (("--template", "power", "--var", "site=Bonn", "--var", "zone=1"), "zone"),
        (("x", "--var", "site=Bonn"), "--template"),
        (("--template", "power", "--var", "site"), "="),
    ],
)
def test_what_is_wrong_with_a_template_is_said_before_anything_is_written(
    night: Night, argv: tuple[str, ...], said: str
):
    templates(night, power="Power is out at {{ site }}.")
    done = night.run("post", *argv, "--json")
    assert done.code == 2
    assert said in done.json["error"] + done.json["hint"]
    assert done.json["hint"]
    assert night.tweets() == []
    assert night.run("status", "--json").json["incidents"] == []


def test_the_end_without_a_word_is_the_templates(night: Night):
    templates(night, resolved="Over after {{ lasted }}.{{ ' ' ~ message if message }}")
    night.run("post", "fiber cut")
    night.clock.move(3600)
    assert night.run("resolve").code == 0
    assert night.tweets()[-1].endswith("Over after 1 h.")


def test_the_built_in_set_speaks_when_it_is_named(night: Night):
    argv = ("--template", "opened", "--var", "service=DNS", "fiber cut, ETA 1h")
    assert night.run("post", *argv).code == 0
    assert night.tweets()[0].partition("] ")[2] == (
        "A disruption is affecting DNS.\nFiber cut.\nWe expect full service by 15:05 UTC."
    )
    report = night.run("status", "--json").json["incidents"][0]
    assert report["incident"]["eta"].startswith("2026-11-22T15:05")
    assert report["incident"]["title"] == "fiber cut, ETA 1h"


def test_a_correction_has_its_template_too(night: Night):
    templates(night, correction="{{ taken_back | join('; ') }} was wrong. {{ message }}")
    night.run("post", "fiber cut, ETA 1h")
    assert night.run("retract", "It was a drill.").code == 0
    assert "14:05 UTC: fiber cut, ETA 1h was wrong. It was a drill." in letters(night)[-1].replace("\n", " ")


def test_what_a_channel_could_not_say_then_it_says_later_in_the_words_of_then(night: Night):
    templates(night, opened__email="By letter: {{ message }}")
    night.write_config(
        night.twitter() + night.email("    dkim: {domain: example.net, selector: x, key: ''}"), "templates: ./templates"
    )
    assert night.run("post", "fiber cut").code == 1
    (night.folder / "templates" / "opened.email.j2").write_text("Something else: {{ message }}")
    night.write_config(night.twitter() + night.email(), "templates: ./templates")
    assert night.run("resume").code == 0
    assert letters(night)[0].startswith("By letter: fiber cut")


# -- pictures --------------------------------------------------------------------------------------------------------


def with_picture(picture: Path) -> tuple[str, ...]:
    return ("post", "--image", picture.name, "--alt", "map of the north", "power cut in the north", "--json")


def test_a_picture_goes_out_everywhere_with_its_words(night: Night, picture: Path):
    done = night.run(*with_picture(picture))
    assert done.code == 0, done.err
    assert [tweet["images"] for tweet in night.x.public()] == [["map of the north"]]
    assert [page["images"] for page in night.graph.public()] == [["map of the north"]]
    (inline,) = [part for part in night.mailbox.letters[0].message.walk() if part.get_content_maintype() == "image"]
    assert inline.get_payload(decode=True) == PNG
    assert "map of the north" in letters(night)[0]


def test_the_file_may_be_gone_when_it_goes_out(night: Night, picture: Path):
    night.x.faults.add(ERRORS["rate-limited"].fault("POST /2/tweets"))
    assert night.run(*with_picture(picture), "--deadline", "3").code == 75
    picture.unlink()
    night.clock.move(3600)
    assert night.run("resume").code == 0
    assert [tweet["images"] for tweet in night.x.public()] == [["map of the north"]]


def test_a_picture_that_is_not_taken_does_not_hold_the_words_and_the_report_says_so(night: Night, picture: Path):
    night.x.faults.add(Fault("POST /2/media/upload", status=403, body=ERRORS["feature-not-permitted"].body))
    night.graph.faults.add(GRAPH_ERRORS["permission-denied"].fault("POST /1001/photos"))
    done = night.run(*with_picture(picture))
    assert done.code == 0, done.err
    assert night.out_everywhere()
    for name in ("twitter", "facebook"):
        assert "without its picture" in done.channel(name)["posts"][0]["detail"]
    assert "without its picture" in night.run("status").out


@pytest.mark.parametrize(
    ("name", "content", "alt", "said"),
    [
        ("none.png", None, "a map", "cannot be read"),
        ("words.png", b"not a picture", "a map", "no PNG"),
        ("large.png", PNG + b"\0" * 5_300_000, "a map", "MB"),
        ("map.png", PNG, None, "--alt"),
        ("map.png", PNG, "", "empty"),
        ("map.png", PNG, "x" * 1001, "1,000"),
    ],
)
def test_what_is_no_picture_is_said_before_anything_is_written(
    night: Night, name: str, content: bytes | None, alt: str | None, said: str
):
    if content is not None:
        (night.folder / name).write_bytes(content)
    done = night.run("post", "--image", name, *(["--alt", alt] if alt is not None else []), "power cut", "--json")
    assert done.code == 2
    assert said in done.json["error"]
    assert done.json["hint"]
    assert night.tweets() == []


def test_a_picture_larger_than_a_channel_takes_is_said_before_anything_is_written(night: Night):
    (night.folder / "large.png").write_bytes(PNG + b"\0" * 4_500_000)
    argv = ("post", "--image", "large.png", "--alt", "a map", "power cut", "--json")
    done = night.run(*argv)
    assert done.code == 2
    assert "facebook" in done.json["error"]
    assert night.tweets() == []


def test_other_pictures_with_the_same_words_are_not_swallowed(night: Night, picture: Path):
    night.run(*with_picture(picture))
    picture.write_bytes(PNG + b"\0")
    done = night.run(*with_picture(picture))
    assert done.code == 2
    assert "--image" in done.json["error"]


def test_all_letters_share_one_picture(night: Night, picture: Path):
    night.run(*with_picture(picture))
    with night.journal() as journal, journal.reading() as db:
        assert db.execute("SELECT count(*) FROM image").fetchone()[0] == 1


def test_an_eta_that_has_passed_is_not_promised_again(night: Night):
    night.run("post", "fiber cut, ETA 1h")
    night.clock.move(75 * 60)
    done = night.run("update", "cable found", "--json")
    assert done.json["incident"]["eta"] is None
    assert not any("ETA:" in page for page in night.pages()[1:])
    assert "ETA:" not in letters(night)[-1]
    assert night.run("status", "--check").code == 0, "it did not pass without news"


def test_an_eta_that_stands_is_the_templates_too(night: Night):
    night.run("post", "fiber cut, ETA 2h")
    night.run("update", "cable found", "--template", "update")
    assert "We expect full service by 16:05 UTC." in night.tweets()[-1]
    assert "cannot say yet" not in letters(night)[-1]


def test_a_long_update_that_x_refuses_as_a_reply_names_its_incident_too(night: Night):
    night.run("post", "the cable to Bonn is cut", "--title", "Fibre Bonn")
    night.x.reply_rule = ReplyRule.SELF_REFUSED
    night.run("update", "we are splicing the cable with two crews on site. " * 12)
    firsts = [tweet for tweet in night.tweets() if "1/" in tweet]
    assert len(firsts) == 1
    assert "Fibre Bonn]" in firsts[0]


def test_who_was_told_how_it_began_is_told_how_it_goes_on(night: Night):
    night.write_config(night.email().replace("    to: [ann@example.org, bo@example.com]\n", ""))
    night.run("subscribers", "add", "north@example.org", "--group", "north")
    night.run("subscribers", "add", "south@example.org", "--group", "south")
    for command in (("post", "fiber cut", "--group", "north"), ("update", "cable found"), ("resolve",)):
        assert night.run(*command).code == 0
    assert night.mails() == ["north@example.org"] * 3


def test_the_same_again_says_that_it_is_no_news(night: Night):
    night.run("post", "fiber cut")
    night.run("update", "still working on it")
    night.clock.move(5 * 3600)
    done = night.run("update", "still working on it")
    assert done.code == 0
    assert "--again" in done.err


def test_a_picture_may_be_described_as_fully_as_x_takes_it(night: Night, picture: Path):
    alt = ("a map of the streets without power, " * 28)[:1000].strip()
    assert len(alt) > 990
    assert night.run("post", "--image", picture.name, "--alt", alt, "power cut").code == 0
    assert [tweet["images"] for tweet in night.x.public()] == [[alt]]


def test_a_description_without_words_is_asked_for(night: Night, picture: Path):
    done = night.run("post", "--image", picture.name, "--alt", " ", "power cut", "--json")
    assert (done.code, done.json["hint"]) == (2, "type --alt again, with words")
