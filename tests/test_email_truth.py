"""The truth table of mail, row by row, over real sockets: what the relay did, what we say, what was stored."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from email_kit import PATIENT, QUICK, channel, letters, one, receipts, sent

from outagecast.channel import InDoubt, Receipt, Refused, TryLater
from outagecast.sandbox.mail_faults import At, Do, MailFault
from outagecast.sandbox.mailbox import Mailbox


@dataclass(frozen=True)
class Row:
    name: str
    fault: MailFault
    answer: type
    """Of the letter, or of the run when no letter gets an answer."""
    stored: int = 0
    whole_run: bool = False
    traits: tuple[str, ...] = ()
    """Which of limited, mendable, recipient, suppress are set."""


def reply(at: At, text: str, **more: Any):
    return MailFault(at, Do.REPLY, text, times=0, **more)


def drop(at: At):
    return MailFault(at, Do.DROP, times=0)


def hang(at: At):
    return MailFault(at, Do.HANG, times=0)


ROWS = [
    # connect, greeting, EHLO: another relay, or later
    Row("cut at the greeting", drop(At.CONNECTED), TryLater, whole_run=True),
    Row("silence at the greeting", hang(At.CONNECTED), TryLater, whole_run=True),
    Row("554 greeting", reply(At.CONNECTED, "554 5.3.2 not today"), TryLater, whole_run=True),
    Row("421 greeting", reply(At.CONNECTED, "421 4.3.2 later"), TryLater, whole_run=True),
    Row("no SMTP at all", reply(At.CONNECTED, "HTTP/1.1 400 Bad Request"), TryLater, whole_run=True),
    Row("EHLO refused", reply(At.EHLO, "502 5.5.1 no"), TryLater, whole_run=True),
    # MAIL
    Row("MAIL 451", reply(At.MAIL, "451 4.3.0 busy"), TryLater, traits=("limited",)),
    Row(
        "MAIL 550: the sender is not allowed",
        reply(At.MAIL, "550 5.7.1 not yours"),
        Refused,
        whole_run=True,
        traits=("mendable",),
    ),
    Row(
        "MAIL 530: a login is wanted",
        reply(At.MAIL, "530 5.7.0 Authentication required"),
        Refused,
        whole_run=True,
        traits=("mendable",),
    ),
    Row("cut at MAIL", drop(At.MAIL), TryLater),
    Row("silence at MAIL", hang(At.MAIL), TryLater),
    # RCPT
    Row("greylisted", reply(At.RCPT, "450 4.7.1 Greylisted, come back"), TryLater),
    Row("RCPT 451", reply(At.RCPT, "451 4.3.0 try again"), TryLater),
    Row("RCPT 450 4.7.x is about the relay", reply(At.RCPT, "450 4.7.25 slow down"), TryLater, traits=("limited",)),
    Row("RCPT 452 is about the relay", reply(At.RCPT, "452 4.3.1 no room"), TryLater, traits=("limited",)),
    Row("RCPT 454 is about the relay", reply(At.RCPT, "454 4.7.0 rate"), TryLater, traits=("limited",)),
    Row("RCPT 421", reply(At.RCPT, "421 4.7.0 rate"), TryLater),
    Row("mailbox full for now", reply(At.RCPT, "452 4.2.2 mailbox full"), TryLater),
    Row("552 too many recipients", reply(At.RCPT, "552 too many recipients"), TryLater),
    *(
        Row(
            f"no such mailbox, {code}", reply(At.RCPT, f"550 {code} unknown"), Refused, traits=("recipient", "suppress")
        )
        for code in ("5.1.1", "5.1.2", "5.1.3", "5.1.6", "5.1.10")
    ),
    Row("RCPT 5.7.1", reply(At.RCPT, "554 5.7.1 denied"), Refused, traits=("recipient",)),
    Row("RCPT 5.2.2", reply(At.RCPT, "552 5.2.2 over quota"), Refused, traits=("recipient",)),
    Row("RCPT 550 without more", reply(At.RCPT, "550 no"), Refused, traits=("recipient",)),
    Row(
        "Gmail's daily limit",
        reply(At.RCPT, "550 5.4.5 Daily user sending limit exceeded"),
        TryLater,
        whole_run=True,
        traits=("limited",),
    ),
    Row(
        "SES's daily quota",
        reply(At.MAIL, "454 4.7.0 Throttling failure: Daily message quota exceeded"),
        TryLater,
        whole_run=True,
        traits=("limited",),
    ),
    Row("cut at RCPT", drop(At.RCPT), TryLater),
    # DATA
    Row("cut at DATA", drop(At.DATA), TryLater),
    Row("DATA 451", reply(At.DATA, "451 4.3.0 busy"), TryLater),
    Row("DATA 554", reply(At.DATA, "554 5.7.1 no"), Refused, traits=("mendable",)),
    # content
    Row("cut after the dot, not stored", drop(At.CONTENT), InDoubt),
    Row("cut after the dot, stored", drop(At.STORED), InDoubt, stored=1),
    Row("silence after the dot", hang(At.CONTENT), InDoubt),
    Row("nonsense after the dot", reply(At.CONTENT, "what letter?"), InDoubt),
    Row("neither yes nor no after the dot", reply(At.CONTENT, "354 go on"), InDoubt),
    *(
        Row(f"dot {code}", reply(At.CONTENT, f"{code} 4.3.0 not now"), TryLater, traits=limited)
        for code, limited in ((421, ("limited",)), (450, ()), (451, ()), (452, ("limited",)))
    ),
    Row("dot 552: too large", reply(At.CONTENT, "552 5.3.4 Message size exceeds fixed limit"), Refused),
    Row(
        "SES throttles",
        reply(At.CONTENT, "454 Throttling failure: Maximum sending rate exceeded."),
        TryLater,
        traits=("limited",),
    ),
    Row(
        "quota at the dot",
        reply(At.CONTENT, "454 Throttling failure: Daily message quota exceeded."),
        TryLater,
        traits=("limited",),
    ),
    Row("content refused", reply(At.CONTENT, "554 5.6.0 bad content"), Refused),
    Row("policy at the dot", reply(At.CONTENT, "550 5.7.1 looks like spam"), Refused, traits=("mendable",)),
    Row(
        "no such mailbox at the dot", reply(At.CONTENT, "550 5.1.1 unknown"), Refused, traits=("recipient", "suppress")
    ),
]


@pytest.mark.parametrize("pipelining", [True, False], ids=["pipelined", "step-by-step"])
@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_each_outcome_is_told_as_what_it_is(row: Row, pipelining: bool):
    with Mailbox(pipelining=pipelining) as box:
        box.faults.add(row.fault)
        email = channel(box.url, waits=QUICK if row.fault.do is Do.HANG else PATIENT)
        if row.whole_run:
            with pytest.raises(row.answer) as raised:
                sent(email, letters(email, 1))
            answer = raised.value
        else:
            results, begun = sent(email, letters(email, 1))
            (answer,) = results.values()
            content = row.fault.at in (At.CONTENT, At.STORED)
            assert bool(begun) is content
        assert type(answer) is row.answer
        assert answer.hint
        said = [name for name in ("limited", "mendable", "recipient", "suppress") if getattr(answer, name, False)]
        assert tuple(said) == row.traits
        assert len(box.letters) == row.stored


@pytest.mark.parametrize("at", [At.CONNECTED, At.EHLO, At.MAIL, At.RCPT, At.DATA])
@pytest.mark.parametrize("pipelining", [True, False], ids=["pipelined", "step-by-step"])
def test_what_is_clean_goes_over_the_next_relay(at: At, pipelining: bool):
    with Mailbox(pipelining=pipelining) as broken, Mailbox() as good:
        broken.faults.add(drop(at))
        email = channel(broken.url, good.url)
        results, begun = sent(email, letters(email, 5))
        assert len(receipts(results)) == len(begun) == len(good.letters) == 5
        assert broken.letters == []


@pytest.mark.parametrize("at", [At.CONTENT, At.STORED])
def test_a_letter_in_doubt_never_goes_over_a_second_relay(at: At):
    with Mailbox() as broken, Mailbox() as good:
        broken.faults.add(drop(at))
        email = channel(broken.url, good.url)
        with pytest.raises(InDoubt):
            email.send(one(email), None, lambda token: None)
        assert good.letters == []


def test_a_relay_that_is_not_there_is_later_and_names_it():
    with Mailbox() as box:
        url = box.url
    email = channel(url)
    with pytest.raises(TryLater, match="cannot be reached: connection refused"):
        email.send(one(email), None, lambda token: None)


def test_a_used_up_quota_goes_over_the_next_relay():
    with Mailbox() as spent, Mailbox() as good:
        spent.faults.add(reply(At.RCPT, "550 5.4.5 Daily user sending limit exceeded"))
        email = channel(spent.url, good.url)
        assert isinstance(email.send(one(email), None, lambda token: None), Receipt)
        assert len(good.letters) == 1


def test_refused_by_one_relay_and_unreachable_the_other_is_later():
    with Mailbox() as box:
        box.faults.add(reply(At.MAIL, "550 5.7.1 not yours"))
        email = channel(box.url, "smtp://127.0.0.1:1?tls=none")
        with pytest.raises(TryLater) as raised:
            email.send(one(email), None, lambda token: None)
        assert "not yours" in raised.value.text
        assert "cannot be reached" in raised.value.text


def test_the_wait_a_quota_asks_for_is_long():
    with Mailbox() as box:
        box.faults.add(reply(At.MAIL, "454 4.7.0 Daily message quota exceeded"))
        email = channel(box.url)
        with pytest.raises(TryLater) as raised:
            email.send(one(email), None, lambda token: None)
        assert raised.value.after == timedelta(hours=1)


def test_after_a_354_without_a_recipient_an_empty_letter_is_ended_and_nothing_goes_out():
    with Mailbox() as box:
        # A relay that refuses the recipient and wants the content all the same.
        box.faults.add(MailFault(At.RCPT, Do.REPLY, "550 5.1.1 unknown\r\n354 go on\r\n250 2.0.0 fine", times=1))
        email = channel(box.url, connections=1)
        results, _ = sent(email, letters(email, 1))
        (answer,) = results.values()
        assert isinstance(answer, Refused)
        assert box.letters == []


def test_a_receipt_stands_when_the_link_is_lost_after_it():
    with Mailbox() as box:
        box.faults.add(MailFault(At.STORED, Do.REPLY, "250 2.0.0 queued\r\n421 4.3.2 bye", times=1))
        email = channel(box.url)
        results, _ = sent(email, letters(email, 3))
        assert len(receipts(results)) == 3
        assert len({letter.to for letter in box.letters}) == len(box.letters) == 3
