"""Many letters: each once, over several connections, whatever the relay does to them."""

from __future__ import annotations

import random
import threading
import time

import pytest
from email_kit import PATIENT, QUICK, channel, letters, one, receipts, sent

from outagecast.channel import InDoubt, Post, Receipt, Refused, Repeat, Replies, ReplyControl, Secret, TryLater
from outagecast.channels.email.settings import Limits
from outagecast.sandbox.mail_faults import At, Do, MailFault
from outagecast.sandbox.mailbox import Mailbox


def stored(box: Mailbox):
    return [to for letter in box.letters for to in letter.to]


@pytest.mark.parametrize("pipelining", [True, False], ids=["pipelined", "step-by-step"])
def test_a_relay_that_hangs_up_after_so_many_letters_loses_and_doubles_none(pipelining: bool):
    with Mailbox(pipelining=pipelining) as box:
        box.cap = 100
        email = channel(box.url)
        results, begun = sent(email, letters(email, 1000))
        assert not [result for result in results.values() if not isinstance(result, Receipt)]
        assert len(results) == len(begun) == 1000
        assert sorted(stored(box)) == sorted(results)
        assert box.connections >= 10


def test_one_thousand_letters_over_one_connection_with_a_cap_of_seven():
    with Mailbox() as box:
        box.cap = 7
        email = channel(box.url, connections=1)
        results, _ = sent(email, letters(email, 100))
        assert len(receipts(results)) == 100
        assert box.connections == 15


def test_our_own_limit_for_a_connection_is_kept():
    with Mailbox() as box:
        email = channel(box.url, connections=1, limits=Limits(per_connection=10))
        results, _ = sent(email, letters(email, 95))
        assert len(receipts(results)) == len(stored(box)) == 95
        assert box.connections == 10


def test_our_own_limit_for_a_second_is_kept():
    with Mailbox() as box:
        email = channel(box.url, limits=Limits(per_second=50))
        started = time.monotonic()
        results, _ = sent(email, letters(email, 21))
        assert len(receipts(results)) == 21
        assert time.monotonic() - started >= 0.4


def test_no_more_connections_are_made_than_there_are_letters():
    with Mailbox() as box:
        email = channel(box.url, connections=8)
        sent(email, letters(email, 2))
        assert box.connections <= 2


@pytest.mark.parametrize("seed", range(12))
def test_whatever_goes_wrong_no_letter_is_lost_or_doubled_and_doubt_is_never_hidden(seed: int):
    """Receipts are for letters that are stored, refusals for those that are not, and the rest is said to be in doubt."""
    chance = random.Random(seed)
    with Mailbox(pipelining=bool(seed % 2)) as box:
        for _ in range(40):
            at = chance.choice([At.EHLO, At.MAIL, At.RCPT, At.DATA, At.CONTENT, At.STORED])
            do = Do.DROP if at is At.STORED else chance.choice([Do.DROP, Do.REPLY])
            text = chance.choice(["451 4.3.0 no", "421 4.3.2 bye", "550 5.1.1 unknown", "452 4.3.1 full", "garbage"])
            if at is At.MAIL and text.startswith("5"):
                continue
            box.faults.add(MailFault(at, do, text, skip=chance.randrange(120)))
        email = channel(box.url, box.url, connections=4)
        results, begun = {}, []
        left = letters(email, 120)
        try:
            for post, result in email.send_many(iter(left), begun.append):
                assert post.to not in results, "told twice"
                results[post.to] = result
        except (TryLater, Refused):
            pass
        arrived = stored(box)
        assert len(arrived) == len(set(arrived)), "stored twice"
        for to, result in results.items():
            if isinstance(result, Receipt):
                assert to in arrived
            elif not isinstance(result, InDoubt):
                assert to not in arrived, result
        untouched = {post.to for post in left} - set(results)
        assert not untouched & set(arrived)
        assert not untouched & {post.to for post in begun}
        assert len([post.to for post in begun]) == len({post.to for post in begun}), "begun twice"


def test_at_most_one_letter_a_connection_is_in_doubt():
    with Mailbox() as box:
        box.faults.add(MailFault(At.CONTENT, Do.DROP, skip=50))
        email = channel(box.url, connections=1)
        results, _ = sent(email, letters(email, 200))
        doubtful = [to for to, result in results.items() if isinstance(result, InDoubt)]
        assert len(doubtful) == 1
        assert len(receipts(results)) == 199
        assert sorted(stored(box)) == sorted(receipts(results))


def test_a_relay_that_wants_fewer_connections_gets_fewer():
    with Mailbox() as box:
        box.faults.add(MailFault(At.CONNECTED, Do.REPLY, "421 4.7.0 Too many connections", skip=1, times=0))
        email = channel(box.url, connections=8)
        results, _ = sent(email, letters(email, 200))
        assert len(receipts(results)) == 200


def test_a_relay_that_had_enough_connections_once_is_not_given_up():
    with Mailbox() as box:
        box.cap = 20
        box.faults.add(MailFault(At.CONNECTED, Do.REPLY, "421 4.7.0 Too many connections", skip=1, times=3))
        email = channel(box.url, connections=4)
        results, _ = sent(email, letters(email, 200))
        assert len(receipts(results)) == 200


def test_after_a_pause_the_relay_asked_for_sending_goes_on():
    with Mailbox() as box:
        box.faults.add(MailFault(At.RCPT, Do.REPLY, "450 4.7.1 rate limited", skip=10, times=2))
        email = channel(box.url, connections=2)
        results, _ = sent(email, letters(email, 100))
        later = [result for result in results.values() if isinstance(result, TryLater)]
        assert len(later) == 2
        assert all(result.limited and result.after is not None for result in later)
        assert len(receipts(results)) == 98


def test_a_relay_that_only_ever_asks_us_to_slow_down_is_left():
    with Mailbox() as slow, Mailbox() as good:
        slow.faults.add(MailFault(At.RCPT, Do.REPLY, "450 4.7.1 rate limited", times=0))
        email = channel(slow.url, good.url, connections=1)
        results, _ = sent(email, letters(email, 50))
        assert len(receipts(results)) >= 40
        assert len(results) == 50


def test_a_letter_that_always_breaks_the_connection_does_not_hold_up_the_others():
    with Mailbox() as box:
        box.faults.add(MailFault(At.RCPT, Do.REPLY, "421 4.3.0 oops", times=0, to="reader5@example.org"))
        email = channel(box.url, connections=1)
        results, _ = sent(email, letters(email, 30))
        assert isinstance(results.pop("reader5@example.org"), TryLater)
        assert len(receipts(results)) == 29


def test_a_dead_mailbox_is_named_and_the_others_get_their_letters():
    with Mailbox() as box:
        box.faults.add(MailFault(At.RCPT, Do.REPLY, "550 5.1.1 unknown", times=0, to="reader5@example.org"))
        email = channel(box.url)
        results, begun = sent(email, letters(email, 30))
        dead = results.pop("reader5@example.org")
        assert isinstance(dead, Refused)
        assert dead.suppress
        assert "reader5@example.org" in dead.text
        assert len(receipts(results)) == len(begun) == 29


def test_a_letter_is_begun_before_its_content_can_be_seen_by_the_relay():
    with Mailbox() as box:
        seen: list[str] = []
        box.on_event = lambda point, info: seen.append(f"{point} {info.get('to')}") if point == "content" else None
        email = channel(box.url, connections=1)
        for _ in email.send_many(iter(letters(email, 3)), lambda post: seen.append(f"begin {post.to}")):
            pass
        for number in range(3):
            to = f"reader{number}@example.org"
            assert seen.index(f"begin {to}") < seen.index(f"content {to}")


def test_no_letter_is_taken_once_the_iterator_has_ended():
    with Mailbox() as box:
        email = channel(box.url)
        given = letters(email, 100)
        results, _ = sent(email, given[:10])
        assert len(results) == len(stored(box)) == 10


def test_closing_the_generator_ends_its_threads_at_once():
    with Mailbox() as box:
        box.latency = 0.02
        email = channel(box.url)
        running = email.send_many(iter(letters(email, 1000)), lambda post: None)
        next(running)
        started = time.monotonic()
        running.close()
        assert time.monotonic() - started < 0.5
        assert not [thread for thread in threading.enumerate() if thread.name == "letters"]


def test_closing_the_generator_does_not_wait_for_a_relay_that_hangs():
    with Mailbox() as box:
        box.faults.add(MailFault(At.CONTENT, Do.HANG, skip=1, times=0))
        email = channel(box.url, connections=1, waits=PATIENT)
        running = email.send_many(iter(letters(email, 10)), lambda post: None)
        next(running)
        started = time.monotonic()
        running.close()
        assert time.monotonic() - started < 0.6


def test_what_the_journal_says_when_a_letter_is_begun_stops_the_run_and_that_letter_stays_at_home():
    def begin(post: Post) -> None:
        if post.to == "reader3@example.org":
            raise OSError("disk full")

    with Mailbox() as box:
        email = channel(box.url, connections=1)
        with pytest.raises(OSError, match="disk full"):
            list(email.send_many(iter(letters(email, 10)), begin))
        assert "reader3@example.org" not in stored(box)


def test_a_slow_answer_is_no_lost_answer():
    with Mailbox() as box:
        box.faults.add(MailFault(At.STORED, Do.DRIP, seconds=0.005))
        email = channel(box.url)
        assert isinstance(email.send(one(email), None, lambda token: None), Receipt)


def test_an_answer_that_drips_for_ever_is_bounded():
    with Mailbox() as box:
        box.faults.add(MailFault(At.STORED, Do.DRIP, seconds=0.05))
        email = channel(box.url, waits=QUICK)
        started = time.monotonic()
        with pytest.raises(InDoubt, match="no answer within"):
            email.send(one(email), None, lambda token: None)
        assert time.monotonic() - started < 2


def test_the_receipt_is_the_message_id_and_says_who_took_it():
    with Mailbox() as box:
        email = channel(box.url)
        receipt = email.send(one(email), None, lambda token: None)
        assert receipt.ref == box.letters[0].message["Message-ID"]
        assert receipt.data == {"relay": "127.0.0.1", "reply": "250 2.0.0 queued"}
        assert receipt.replies is Replies.NONE


def test_a_resend_is_the_same_on_the_wire():
    with Mailbox() as box:
        email = channel(box.url)
        for _ in range(2):
            email.send(one(email, "änn@example.org".replace("ä", "a")), None, lambda token: None)
        first, second = box.letters
        assert first.raw == second.raw


def test_an_address_in_another_script_needs_a_relay_that_knows_it():
    with Mailbox() as box:
        email = channel(box.url)
        with pytest.raises(Refused, match="SMTPUTF8"):
            email.send(one(email, "änn@example.org"), None, lambda token: None)
        box.extensions = ("SMTPUTF8",)
        email.send(one(email, "änn@example.org"), None, lambda token: None)
        assert stored(box) == ["änn@example.org"]


def test_a_relay_that_reports_bounces_is_told_what_to_report():
    with Mailbox() as box:
        box.extensions = ("DSN",)
        email = channel(box.url)
        email.send(one(email, "a+b@example.org"), None, lambda token: None)
        assert stored(box) == ["a+b@example.org"]


def test_what_is_in_doubt_is_sent_again_or_held_as_the_config_says():
    assert isinstance(channel().find(one(channel()), None, one(channel()).attempted_at), Repeat)
    held = channel(in_doubt="hold")
    assert "hold" in held.find(one(held), None, None).why


def test_a_letter_cannot_be_taken_back_and_a_mail_has_no_public_replies():
    email = channel()
    with pytest.raises(Refused, match="cannot be taken back"):
        email.retract(Receipt(ref="<x@example.net>"))
    assert email.close_replies(Receipt(ref="<x@example.net>")) is Replies.NONE
    assert email.caps.replies is ReplyControl.NATIVE
    assert email.caps.letters


def test_a_lost_token_secret_is_named_for_each_letter_and_nothing_goes_out():
    more = {"subscribers": True, "unsubscribe": "https://lists.example.net/u/{token}"}
    planned = channel(**more, token_secret=Secret.of("key-for-tests"))
    with Mailbox() as box:
        email = channel(box.url)
        with pytest.raises(Refused, match="token_secret"):
            email.send(one(planned), None, lambda token: None)
        assert box.letters == []
