"""Bad input: a sentence, what to type next, the right exit code, no traceback, nothing sent and nothing lost."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
from bad_kit import ESC, GOOD, check_error, nothing_is_lost

if TYPE_CHECKING:
    from night import Night


# --- the message


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        ("", "empty"),
        ("  \n\t ", "empty"),
        ("\u200b\u2060", "empty"),
        ("x" * 100_000, "100,000 characters"),
        ("down\x07 now", "U+0007"),
        (f"{ESC}[31mdown{ESC}[0m", "U+001B"),
        (f"{ESC}]0;owned\x07down", "U+001B"),
        ("down\x9b31m", "U+009B"),
        ("down \u202ethgir ot tfel", "U+202E"),
        ("half a character: \udcff", "UTF-8"),
    ],
    ids=["empty", "blank", "invisible", "long", "bell", "colours", "title", "csi", "backwards", "surrogate"],
)
def test_a_message_that_cannot_go_out_is_told_why(message: str, reason: str, night: Night) -> None:
    error, _ = check_error(night.run("post", "--json", message))
    assert reason in error
    assert not night.journal_path.exists()
    nothing_is_lost(night)


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b"", "empty"),
        (b"  \n", "empty"),
        (b"St\xf6rung", "byte 3 is 0xf6"),
        (b"cut off \xe2\x82", "not UTF-8"),
        (b"x" * 1_000_001, "more than 1,000,000 bytes"),
        (b"down \x00 now", "U+0000"),
    ],
    ids=["empty", "blank", "latin1", "cut", "flood", "nul"],
)
def test_standard_input_that_is_no_message_is_told_why(raw: bytes, reason: str, night: Night) -> None:
    error, _ = check_error(night.run("post", "--json", "-", stdin=raw))
    assert reason in error
    nothing_is_lost(night)


def test_invalid_utf8_is_told_how_to_convert_it(night: Night) -> None:
    _, hint = check_error(night.run("post", "--json", "-", stdin=b"St\xf6rung"))
    assert hint == "convert it: iconv -f LATIN1 -t UTF-8 | outagecast post -"


def test_windows_line_ends_and_a_byte_order_mark_are_no_error(night: Night) -> None:
    assert night.run("post", "-", stdin=b"\xef\xbb\xbffirst\r\nsecond\r\n").code == 0
    assert night.tweets() == ["[14:05 UTC] first\nsecond"]


def test_a_mention_is_refused_and_defusing_it_is_offered(night: Night) -> None:
    error, hint = check_error(night.run("post", "--json", "ask @examplehosting"))
    assert "@examplehosting" in error
    assert "--defuse-mentions" in hint
    assert night.run("post", "--defuse-mentions", "ask @examplehosting").code == 0
    (tweet,) = night.x.public()
    assert "examplehosting" in tweet["text"]
    assert not tweet["can_reply"]


def test_an_address_is_no_mention(night: Night) -> None:
    assert night.run("post", "mail noc@example.net").code == 0


# --- what becomes a header, a key, a link, a time


@pytest.mark.parametrize(
    "argv",
    [
        ["--title", "down\r\nBcc: victim@example.org"],
        ["--title", "down\nBcc: victim@example.org"],
        ["--title", f"{ESC}[2Jdown"],
        ["--title", ""],
        ["--title", "x" * 500],
        ["--incident", "ALERT\r\n1"],
        ["--incident", ""],
        ["--incident", "x" * 500],
        ["--link", "https://example.net/\r\nBcc:x"],
        ["--link", "javascript:alert(1)"],
        ["--link", "status page"],
        ["--eta", "soon"],
        ["--eta", "25:70"],
        ["--eta", "2020-01-01T00:00Z"],
        ["--status", "burning"],
        ["--deadline", "0"],
        ["--deadline", "never"],
        ["--to", "twiter"],
        ["--to", ""],
        ["--group", "a\nb"],
        ["--config", "elsewhere.yaml"],
        ["--no-such-option"],
    ],
    ids=lambda argv: " ".join(argv).encode("unicode_escape").decode()[:40],
)
def test_an_option_that_makes_no_sense_is_told_why(argv: list[str], night: Night) -> None:
    check_error(night.run(*GOOD, *argv))
    assert not night.journal_path.exists()
    nothing_is_lost(night)


def test_an_unknown_channel_names_the_known(night: Night) -> None:
    error, hint = check_error(night.run(*GOOD, "--to", "twiter"))
    assert "twiter" in error
    assert "twitter, facebook, email" in hint


def test_a_title_full_of_quotes_and_encoded_words_stays_one_harmless_subject(night: Night) -> None:
    title = '=?utf-8?q?x=0ABcc:_victim@example.org?= "quoted" <b>'
    assert night.run("post", "--title", title, "fiber cut").code == 0
    letter = night.mailbox.letters[0].message
    assert title in str(letter["Subject"])
    assert letter["Bcc"] is None


@pytest.mark.parametrize(
    "address", ["a@example.org\r\nBcc: b@example.org", "no address", "a@b@c", "", "x" * 400 + "@example.org"]
)
def test_a_subscriber_that_is_no_address_is_refused(address: str, night: Night) -> None:
    check_error(night.run("subscribers", "add", "--json", address))
    assert night.run("subscribers", "count", "--json").json["count"] == 0


@pytest.mark.parametrize("argv", [["bogus"], ["--bogus"], ["post", "one", "two"]], ids=" ".join)
def test_a_command_that_is_none_ends_with_the_one_to_type(argv: list[str], night: Night) -> None:
    done = night.run(*argv, "--json")
    assert (done.code, done.json["schema"]) == (2, "outagecast.error/1")
    assert "--help" in done.json["hint"]


def test_a_person_gets_the_same_without_json(night: Night) -> None:
    done = night.run("post", "")
    assert (done.code, done.out) == (2, "")
    assert "the message is empty" in done.err
    assert '→ say what happened: outagecast post "fiber cut, ETA 1h"' in done.err


# --- the config


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("channels: [", "not valid YAML"),
        ("\t- : :", "YAML"),
        ("", "is empty"),
        ("just words", "mapping"),
        ("organization: Example\n", "channels"),
        ("organization: Example\nchannels: {}\n", "channel"),
        ("organization: Example\norganisation: Example\nchannels: {email: {}}\n", "organization"),
        ('organization: "a\\r\\nBcc: x"\nchannels: {email: {}}\n', "control characters"),
        ("organization: Example\ntimezone: Mars/Olympus\nchannels: {email: {}}\n", "Mars/Olympus"),
    ],
    ids=["bracket", "tab", "nothing", "words", "no channels", "none", "unknown key", "header", "zone"],
)
def test_a_config_that_cannot_be_used_is_told_with_its_place(text: str, reason: str, night: Night) -> None:
    night.config.write_text(text, encoding="utf-8")
    error, _ = check_error(night.run(*GOOD))
    assert reason in error
    assert "outagecast.yaml" in error
    night.write_config()
    nothing_is_lost(night)


def test_a_config_that_is_no_text_is_an_error(night: Night) -> None:
    night.config.write_bytes(b"organization: \xff\xfe")
    check_error(night.run(*GOOD))


def test_a_config_that_is_a_folder_is_an_error(night: Night) -> None:
    error, _ = check_error(night.run(*GOOD, "--config", str(night.folder)))
    assert str(night.folder) in error


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_config_that_may_not_be_read_is_an_error(night: Night) -> None:
    night.config.chmod(0)
    check_error(night.run(*GOOD))


def test_without_any_config_the_drill_and_init_are_named(night: Night) -> None:
    night.config.unlink()
    error, hint = check_error(night.run(*GOOD, env={"XDG_CONFIG_HOME": str(night.folder)}))
    assert "no config" in error
    assert "outagecast drill" in hint


# --- one channel's own mistakes: the others go out, exit 1


def _one_is_refused(night: Night, reason: str) -> None:
    done = night.run(*GOOD)
    assert done.code == 1
    assert done.channel("twitter")["outcome"] == "refused"
    (post,) = done.channel("twitter")["posts"]
    assert reason in post["detail"]
    assert (len(night.pages()), sorted(night.mails())) == (1, sorted(night.to))
    assert "→" in night.run("status").out
    assert "Traceback" not in done.err


def test_a_missing_secret_is_that_channels_own_error(night: Night) -> None:
    del night.env["TWITTER_API_KEY"]
    _one_is_refused(night, "TWITTER_API_KEY")
    assert night.tweets() == []


def test_a_wrong_secret_is_that_channels_own_error_and_is_not_shown(night: Night) -> None:
    night.env["TWITTER_API_KEY"] = "wrong-key-for-tests"
    _one_is_refused(night, "keys")
    assert "wrong-key-for-tests" not in night.run("status", "--json").out


@pytest.mark.parametrize(
    "wrong",
    [
        "    long: poem",
        "    lng: thread",
        "    user_id: '@example'",
        "    replies: never",
        "    simulator_url: http://192.0.2.7:80",
    ],
    ids=lambda line: line.strip(),
)
def test_a_wrong_setting_is_that_channels_own_error(wrong: str, night: Night) -> None:
    key = wrong.strip().split(":")[0]
    section = "\n".join(line for line in night.twitter().splitlines() if not line.strip().startswith(f"{key}:"))
    night.write_config(f"{section}\n{wrong}\n" + night.facebook() + night.email())
    _one_is_refused(night, f"channels.twitter.{key}" if key != "simulator_url" else "on this machine")


def test_more_closing_than_the_type_can_do_is_that_channels_own_error(night: Night) -> None:
    night.write_config(night.twitter() + night.facebook("    replies: closed"))
    done = night.run(*GOOD)
    assert done.code == 1
    assert "channels.facebook.replies" in done.channel("facebook")["posts"][0]["detail"]
    assert (len(night.tweets()), night.pages()) == (1, [])


def test_a_relay_password_without_encryption_is_that_channels_own_error(night: Night) -> None:
    night.write_config(night.twitter() + night.email().replace(night.mailbox.url, "smtp://u:p@192.0.2.7?tls=none"))
    done = night.run(*GOOD)
    assert (done.code, done.channel("email")["outcome"], len(night.tweets())) == (1, "refused", 1)
