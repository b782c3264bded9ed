"""Announcement-only in mail: what every letter says of it, that no responder answers, and that replies go nowhere."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from dkim_kit import pem, tags, verified
from email_kit import HOUSE, channel, letters, news, receipts, sent, settings
from msgspec.structs import replace

from outagecast.channel import Secret
from outagecast.channels.email import body, wording
from outagecast.channels.email.channel import Email
from outagecast.sandbox.mailbox import Mailbox

if TYPE_CHECKING:
    from email.message import EmailMessage

    from night import Night

    from outagecast.sandbox.mailbox import MailLetter

HELP = "https://help.example.net"
NOTICE = 'notice: "Announcements only. Help: {support}"\n'
SUPPORT = f"support: {HELP}\n"

HEADERS = {
    "From": "Example Hosting Status <status@example.net>",
    "List-Id": "Example Hosting outage notices <outages.status.example.net>",
    "List-Post": "NO",
    "Auto-Submitted": "auto-generated",
    "Precedence": "bulk",
    "X-Auto-Response-Suppress": "DR, RN, NRN, OOF, AutoReply",
}
"""facts/email.md 1 and 2; no NDR among the last, as bounces must come."""


def story(night: Night, *, top: str, templates: bool) -> list[MailLetter]:
    """The letters of one reader: the announcement, an update, its correction and the end."""
    night.to = ["ann@example.org"]
    (night.folder / "dkim.pem").write_text(pem())
    key = 'dkim: {domain: example.net, selector: outage, key: "${file:dkim.pem}"}'
    night.write_config(night.email(f"    envelope_sender: bounces@example.net\n    {key}"))
    config = night.config.read_text().replace(SUPPORT, "").replace(NOTICE, top)
    if templates:
        folder = night.folder / "templates"
        folder.mkdir()
        for kind in ("opened", "update", "correction", "resolved"):
            (folder / f"{kind}.j2").write_text("Dear readers: {{ message or taken_back | join }}")
        config = f"templates: ./templates\n{config}"
    night.config.write_text(config)
    for command in (
        ("post", "fiber cut"),
        ("update", "cable found"),
        ("retract", "--last", "--yes"),
        ("resolve", "over"),
    ):
        done = night.run(*command)
        assert done.code == 0, done.err
        night.clock.move(60)
    return night.mailbox.letters


@pytest.mark.parametrize("templates", [False, True], ids=["as typed", "templates"])
@pytest.mark.parametrize(
    ("top", "end"),
    [
        (
            SUPPORT + NOTICE,
            f"This is an announcement of Example Hosting; replies to it are not read.\nAnnouncements only. Help: {HELP}\n",
        ),
        (SUPPORT, f"This is an announcement of Example Hosting; replies to it are not read.\nHelp: {HELP}\n"),
        (
            SUPPORT + "notice: Nobody reads replies to this.\n",
            f"This is an announcement of Example Hosting.\nNobody reads replies to this.\nHelp: {HELP}\n",
        ),
        ("", "This is an announcement of Example Hosting; replies to it are not read.\n"),
    ],
    ids=["support and notice", "support", "a notice that says it", "neither"],
)
def test_every_kind_of_letter_says_that_nobody_reads_replies_and_where_help_is_and_all_of_it_is_signed(
    night: Night, top: str, end: str, templates: bool
):
    kinds = story(night, top=top, templates=templates)
    assert len(kinds) == 4
    for letter in kinds:
        message, text = letter.message, letter.public()["text"]
        assert {name: str(message[name]) for name in HEADERS} == HEADERS
        assert message["Reply-To"] is None
        assert message["List-Help"] == (f"<{HELP}>" if top else None)
        assert letter.sender == "bounces@example.net"
        assert ("Dear readers" in text) is templates
        assert text.endswith(f"\n\n-- \n{end}")
        assert len(re.findall(r"repl(?:y|ies)", text)) == 1
        assert text.count(HELP) == bool(top)
        assert verified(letter.raw)
        assert {name.lower() for name in HEADERS} <= set(tags(letter.raw)["h"].split(":"))


def answers(message: EmailMessage, to: str) -> dict[str, bool]:
    """Who would answer a letter automatically, each by the one rule it has."""
    return {
        "a null sender (RFC 3834 2)": bool(to),
        "vacation by RFC 3834": message.get("Auto-Submitted", "no") == "no",
        "vacation of BSD": message.get("Precedence", "") not in {"bulk", "list", "junk"},
        "Sieve (RFC 5230 4.6)": not any(name.lower().startswith("list-") for name in message.keys()),  # noqa: SIM118  no dict
        "Exchange": not {"OOF", "AutoReply"} <= set(re.split(", ?", message.get("X-Auto-Response-Suppress", ""))),
    }


def test_each_kind_of_responder_keeps_quiet_by_the_rule_that_it_has():
    with Mailbox() as box:
        email = channel(box.url)
        sent(email, letters(email, 1))
        (letter,) = box.letters
    asked = answers(letter.message, letter.sender)
    assert asked.pop("a null sender (RFC 3834 2)"), "bounces need somewhere to go: the envelope has a sender"
    assert set(asked.values()) == {False}


@pytest.mark.parametrize("bad", ["<>", " ", "nobody", "Bounces <b@example.net>"])
def test_no_envelope_sender_is_the_empty_one(bad: str):
    with pytest.raises(ValueError, match="envelope_sender"):
        settings(envelope_sender=bad)


def test_a_reply_goes_nowhere_a_person_would_wait_and_is_told_where_help_is():
    """To the sender, and to the address on the envelope, with a token or without."""
    with Mailbox(help_at=HELP) as box:
        token = {"envelope_sender": "bounces+{token}@example.net", "token_secret": Secret.of("key-for-tests")}
        for email in (channel(box.url), channel(box.url, **token)):
            results, _ = sent(email, letters(email, 1))
            assert len(receipts(results)) == 1
        plain, tokened = box.letters
        assert tokened.sender not in {plain.sender, "status@example.net"}
        refused = f"550 5.7.1 This address is not read. Help: {HELP}"
        for letter in (plain, tokened):
            assert box.stranger_reply(letter) == refused
            assert box.stranger_reply(letter, to=letter.sender) == refused
            assert box.stranger_reply(letter, to=letter.sender.upper()) == refused
        assert len(box.letters) == 2
        assert box.stranger_reply(tokened, "No such mailbox", sender="", to=tokened.sender).startswith("250")


@pytest.mark.parametrize(
    ("notice", "says"),
    [
        ("Replies are not read.", True),
        ("Replies to this address are\nnot monitored. Help: x", True),
        ("We never read replies.", True),
        ("No one answers a reply to this letter", True),
        ("Please don't reply.", False),
        ("Announcements only.", False),
        ("Replies are read by our team, not by a machine. Do not read this twice.", False),
        ("We reply within a day", False),
        ("", False),
    ],
)
def test_a_notice_that_says_it_already_is_not_said_twice_and_one_that_does_not_is_helped(notice: str, says: bool):
    text = body.compose(news(), replace(HOUSE, notice=notice))
    assert ("; replies to it are not read" in text) is not says


@pytest.mark.parametrize(
    ("support", "line"),
    [
        (HELP, f"List-Help: <{HELP}>"),
        ("help@example.net", "List-Help: <mailto:help@example.net>"),
        ("mailto:help@example.net", "List-Help: <mailto:help@example.net>"),
        ("+49 30 5550 0100", ""),
        ("https://help.example.net/a b", ""),
        ("", ""),
    ],
)
def test_where_help_is_stands_in_the_header_as_well_where_a_header_can_say_it(support: str, line: str):
    post = wording.render(news(), replace(HOUSE, support=support, notice=""), settings())
    found = [row for row in post.data["headers"].split("\r\n") if row.startswith("List-Help")]
    assert found == ([line] if line else [])


def test_the_channel_is_asked_for_no_reply_address_at_all():
    """There is no key for it: a Reply-To would be an invitation."""
    assert "reply_to" not in Email.Settings.__struct_fields__
