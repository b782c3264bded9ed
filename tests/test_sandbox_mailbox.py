"""The simulated mail relay behaves like one: seen through smtplib, not through our own client."""

from __future__ import annotations

import smtplib
import socket
import ssl
import threading
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
import trustme

from outagecast.sandbox.mail_faults import At, Do, MailFault
from outagecast.sandbox.mailbox import Mailbox

if TYPE_CHECKING:
    from pathlib import Path

LETTER = (
    "From: Example Hosting <status@example.net>\r\nTo: ann@example.org\r\nSubject: fiber cut\r\n"
    "List-Post: NO\r\nAuto-Submitted: auto-generated\r\n\r\n.one dot\r\nend\r\n"
)


def client(box: Mailbox):
    return smtplib.SMTP("127.0.0.1", box.port, timeout=5)


def hand_in(box: Mailbox, to: str = "ann@example.org", letter: str = LETTER):
    with client(box) as smtp:
        smtp.sendmail("status@example.net", to, letter)


def test_a_letter_is_kept_as_it_was_handed_in():
    at = datetime(2026, 11, 22, 14, 5, tzinfo=UTC)
    with Mailbox(now=lambda: at) as box:
        hand_in(box)
        (letter,) = box.letters
        assert (letter.sender, letter.to, letter.at) == ("status@example.net", ("ann@example.org",), at)
        assert letter.raw.decode() == LETTER


def test_the_public_view_shows_what_a_reader_sees():
    with Mailbox() as box:
        hand_in(box)
        (shown,) = box.public()
        assert shown["to"] == "ann@example.org"
        assert shown["subject"] == "fiber cut"
        assert shown["text"] == ".one dot\nend\n"
        assert shown["list_post"] == "NO"
        assert shown["auto_submitted"] == "auto-generated"
        assert shown["reply_to"] == ""


ILLUSTRATED = (
    "From: Example Hosting <status@example.net>\r\nTo: ann@example.org\r\nSubject: fiber cut\r\nMIME-Version: 1.0\r\n"
    'Content-Type: multipart/mixed; boundary="b"\r\n\r\n'
    "--b\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n.one dot\r\nend\r\n\r\n"
    "--b\r\nContent-Type: image/png\r\nContent-Transfer-Encoding: base64\r\nContent-Disposition: inline\r\n"
    "Content-Description: =?utf-8?q?K=C3=B6ln_is_dark?=\r\n\r\niVBORw==\r\n--b--\r\n"
)


def test_of_a_picture_the_public_view_shows_what_it_is_said_to_show():
    with Mailbox() as box:
        hand_in(box, letter=ILLUSTRATED)
        hand_in(box)
        shown, plain = box.public()
        assert (shown["text"], shown["picture"]) == (".one dot\nend\n", "Köln is dark")
        assert plain["picture"] == ""


def test_a_letter_that_is_too_large_is_refused_as_postfix_refuses_it():
    with Mailbox() as box:
        box.size = len(LETTER)
        hand_in(box)
        with client(box) as smtp:
            smtp.ehlo()
            assert smtp.esmtp_features["size"] == str(len(LETTER))
            with pytest.raises(smtplib.SMTPDataError, match=r"552.*5\.3\.4"):
                smtp.sendmail("status@example.net", ["ann@example.org"], LETTER + "x\r\n")
        assert len(box.letters) == 1


def test_a_strangers_reply_is_refused_with_where_help_is():
    with Mailbox(help_at="https://help.example.net") as box:
        hand_in(box)
        line = box.stranger_reply(box.letters[0])
        assert line == "550 5.7.1 This address is not read. Help: https://help.example.net"
        assert len(box.letters) == 1


def test_a_reply_to_a_letter_that_invites_replies_arrives():
    with Mailbox() as box:
        hand_in(box, letter=LETTER.replace("List-Post: NO", "Reply-To: desk@example.net"))
        assert box.stranger_reply(box.letters[0]).startswith("250")
        assert box.letters[1].to == ("desk@example.net",)


def test_each_point_of_a_letters_way_is_told_in_order():
    seen = []
    with Mailbox() as box:
        box.on_event = lambda point, info: seen.append(point)
        hand_in(box)
    assert seen == ["connected", "mail", "rcpt", "data", "content", "stored", "answered"]


@pytest.mark.parametrize("at", [At.CONNECTED, At.EHLO, At.MAIL, At.RCPT, At.DATA, At.CONTENT, At.STORED])
def test_a_cut_at_each_stage_leaves_a_letter_only_after_it_was_stored(at: At):
    with Mailbox() as box:
        box.faults.add(MailFault(at, Do.DROP, times=2))
        with pytest.raises((smtplib.SMTPException, OSError)):
            hand_in(box)
        assert len(box.letters) == (at is At.STORED)


def test_a_scripted_answer_comes_once_and_only_for_its_recipient():
    with Mailbox() as box:
        box.faults.add(MailFault(At.RCPT, Do.REPLY, "550 5.1.1 unknown", to="bob@example.org"))
        hand_in(box)
        with pytest.raises(smtplib.SMTPRecipientsRefused):
            hand_in(box, "bob@example.org")
        hand_in(box, "bob@example.org")
        assert [letter.to for letter in box.letters] == [("ann@example.org",), ("bob@example.org",)]


def test_faults_wait_for_their_turn_and_can_be_cleared():
    with Mailbox() as box:
        box.faults.add(MailFault(At.MAIL, skip=1, times=0))
        hand_in(box)
        with pytest.raises(smtplib.SMTPException):
            hand_in(box)
        box.faults.clear()
        hand_in(box)
        assert len(box.letters) == 2


def test_a_connection_brings_no_more_letters_than_allowed():
    with Mailbox() as box, client(box) as smtp:
        box.cap = 2
        smtp.sendmail("status@example.net", "ann@example.org", LETTER)
        smtp.sendmail("status@example.net", "ann@example.org", LETTER)
        with pytest.raises(smtplib.SMTPException, match="421"):
            smtp.sendmail("status@example.net", "ann@example.org", LETTER)


def test_it_announces_what_it_can_do():
    with Mailbox() as box, client(box) as smtp:
        smtp.ehlo()
        assert {"pipelining", "size", "8bitmime", "enhancedstatuscodes"} <= set(smtp.esmtp_features)
        box.pipelining = False
        smtp.ehlo()
        assert "pipelining" not in smtp.esmtp_features


def test_commands_sent_in_one_go_are_answered_in_order():
    with Mailbox() as box, socket.create_connection(("127.0.0.1", box.port), 5) as sock:
        sock.sendall(
            b"EHLO x\r\nMAIL FROM:<a@example.net>\r\nMAIL FROM:<b@example.net>\r\nRCPT TO:<c@example.org>\r\nQUIT\r\n"
        )
        said = sock.makefile("rb").read().decode().split("\r\n")
        assert [line[:3] for line in said if line and line[3] == " "] == ["220", "250", "250", "503", "250", "221"]


def test_a_login_is_needed_where_it_is_asked_for():
    with Mailbox(login=("outage", "key-for-tests")) as box, client(box) as smtp:
        assert box.url == f"smtp://outage:key-for-tests@127.0.0.1:{box.port}?tls=none"
        smtp.ehlo()
        assert smtp.mail("status@example.net")[0] == 530
        with pytest.raises(smtplib.SMTPAuthenticationError):
            smtp.login("outage", "wrong")
        smtp.login("outage", "key-for-tests")
        assert smtp.mail("status@example.net")[0] == 250


@pytest.mark.parametrize("mechanism", ["PLAIN", "LOGIN", "CRAM-MD5"])
def test_each_login_is_the_one_that_smtplib_knows(mechanism: str):
    with Mailbox(login=("outage", "key-for-tests")) as box, client(box) as smtp:
        box.mechanisms = (mechanism,)
        assert smtp.login("outage", "key-for-tests")[0] == 235


def test_starttls_makes_the_line_private(tmp_path: Path):
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    trusting = ssl.create_default_context()
    authority.configure_trust(trusting)
    with Mailbox(tls=context) as box, smtplib.SMTP("127.0.0.1", box.port, timeout=5) as smtp:
        smtp.starttls(context=trusting)
        smtp.sendmail("status@example.net", "ann@example.org", LETTER)
        assert len(box.letters) == 1


def test_a_relay_that_hangs_is_let_go_when_the_mailbox_closes():
    with Mailbox() as box:
        box.faults.add(MailFault(At.MAIL, Do.HANG))
        sock = socket.create_connection(("127.0.0.1", box.port), 5)
        sock.sendall(b"EHLO x\r\nMAIL FROM:<a@example.net>\r\n")
    with sock:
        assert not [thread for thread in threading.enumerate() if thread.name == "mailbox"]
