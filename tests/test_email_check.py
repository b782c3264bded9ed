"""What `check` says of relays: everything up to the recipient, no letter, and one that hangs hides no other."""

from __future__ import annotations

import socket
import ssl
import threading
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
import trustme
from email_kit import QUICK, channel
from msgspec.structs import replace

from outagecast.channel import Level, Secret
from outagecast.channels.email.at_once import at_once
from outagecast.channels.email.probes import elsewhere, probes
from outagecast.channels.email.relay import Relay, Tls
from outagecast.channels.email.session import _unresolved
from outagecast.sandbox.mail_faults import At, Do, MailFault
from outagecast.sandbox.mailbox import Mailbox

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from outagecast.channels.email.channel import Email

REFUSED = "smtp://127.0.0.1:1?tls=none"
LIST = "outages@lists.example.net"
QUIET = {"list_id": "outages.status.example.net"}
NOW = datetime.now(UTC)


@pytest.fixture(scope="module")
def authority():
    return trustme.CA()


@pytest.fixture
def trusted(authority: trustme.CA, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    return authority


def server(authority: trustme.CA, name: str = "127.0.0.1", ends: timedelta = timedelta(days=90)):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(name, not_before=NOW - timedelta(days=400), not_after=NOW + ends).configure_cert(context)
    return context


def told(email: Email, level: Level, but: str = ""):
    found = [one for one in email.check() if one.level is level and "only one relay" not in one.text]
    return [(one.text, one.do) for one in found if not but or but not in one.text]


def points_to(box: Mailbox):
    """The recipients that are named to it."""
    tried: list[str] = []
    box.on_event = lambda point, info: tried.append(info["to"]) if point == "rcpt" else None
    return tried


def points(box: Mailbox):
    seen: list[str] = []
    box.on_event = lambda point, info: seen.append(point)
    return seen


def test_a_relay_that_is_in_order_is_told_with_what_it_can_do_and_gets_no_letter(trusted: trustme.CA):
    with Mailbox(tls=server(trusted), login=("outage", "key-for-tests")) as box:
        box.extensions = ("DSN", "SMTPUTF8")
        said = list(channel(box.url, box.url, **QUIET).check())
        assert [one.level for one in said] == [Level.GOOD] * 4
        ends = NOW + timedelta(days=90)
        assert said[0].text == (
            f"127.0.0.1:{box.port}: its certificate is trusted and good until {ends.day} {ends:%b %Y, %H:%M} UTC"
        )
        assert said[1].text == (
            f"127.0.0.1:{box.port} takes letters from status@example.net to {LIST} "
            "(TLSv1.3, logged in, PIPELINING, SMTPUTF8, DSN, ENHANCEDSTATUSCODES, SIZE 10.2 MB)"
        )
        assert box.letters == []


def test_no_transaction_is_left_open_whatever_the_relay_says():
    """The simulator answers a MAIL on top of another with 503, as every relay does."""
    with Mailbox() as box:
        refused = MailFault(At.RCPT, Do.REPLY, "550 5.1.1 unknown", to="b@example.org", times=0)
        box.faults.add(refused)
        seen = points(box)
        email = channel(box.url, to=["a@example.org", "b@example.org", "c@example.org"], **QUIET)
        (bad,) = told(email, Level.BAD)
        (good,) = told(email, Level.GOOD)
    assert bad == (
        f"127.0.0.1:{box.port}: b@example.org: no such mailbox: 550 5.1.1 unknown",
        "correct it in to:, or ask the relay's operator why",
    )
    assert "to a@example.org, c@example.org (" in good[0]
    assert seen == ["connected", "mail", "rcpt", "mail", "rcpt", "mail", "rcpt"] * 2


def test_of_a_long_list_the_first_few_are_asked_about():
    with Mailbox() as box:
        seen = points(box)
        email = channel(box.url, box.url, to=[f"a{number}@example.net" for number in range(8)] + ["b@example.org"])
        said = told(email, Level.GOOD)
        assert seen.count("rcpt") == 2 * 5
    # One at another domain is among them: that its own take mail says nothing of the relay's right to pass it on.
    assert "a0@example.net, a1@example.net, a2@example.net, a3@example.net, b@example.org (" in said[0][0]
    assert [text for text, _ in said if "not asked" in text] == ["4 more addresses in to: were not asked about"]


@pytest.mark.parametrize(
    ("at", "reply", "level"),
    [
        (At.CONNECTED, "554 5.7.1 no mail from you", Level.BAD),
        (At.EHLO, "554 5.5.1 no", Level.BAD),
        (At.MAIL, "550 5.7.1 not your address", Level.BAD),
        (At.MAIL, "451 4.3.0 busy", Level.WARNING),
        (At.RCPT, "550 5.1.1 unknown", Level.BAD),
        (At.RCPT, "554 5.7.1 relay access denied", Level.BAD),
        (At.RCPT, "450 4.2.0 greylisted, come back in 5 minutes", Level.WARNING),
        (At.RCPT, "452 4.3.1 slow down", Level.WARNING),
        (At.RCPT, "421 4.3.2 going down", Level.WARNING),
        (At.RCPT, "550 5.4.5 daily limit exceeded", Level.WARNING),
    ],
)
def test_what_a_relay_would_answer_at_night_is_told_before_it_in_its_own_words(at: At, reply: str, level: Level):
    with Mailbox() as box:
        box.faults.add(MailFault(at, Do.REPLY, reply, times=0))
        ((text, do),) = told(channel(box.url, **QUIET), level)
        assert reply in text
        assert do
        assert "resume" not in do
        assert box.letters == []


def test_greylisting_is_told_as_what_it_is():
    with Mailbox() as box:
        box.faults.add(MailFault(At.RCPT, Do.REPLY, "450 4.7.1 greylisted", times=0))
        ((text, _),) = told(channel(box.url, **QUIET), Level.WARNING)
        assert text.endswith("450 4.7.1 greylisted; letters are offered again, and come late")


def test_without_fixed_addresses_the_one_that_bounces_go_to_is_tried_and_not_the_sender():
    """That one may refuse what is written to it, which is right."""
    with Mailbox() as box:
        tried = []
        box.on_event = lambda point, info: tried.append(info.get("to"))
        email = channel(
            box.url,
            to=[],
            subscribers=True,
            envelope_sender="bounces@example.net",
            unsubscribe="mailto:out@example.net",
            **QUIET,
        )
        assert told(email, Level.BAD) == []
        assert "bounces@example.net" in tried
        box.faults.add(MailFault(At.RCPT, Do.REPLY, "550 5.1.1 unknown", times=0))
        ((text, do),) = told(email, Level.WARNING, but=UNKNOWN)
        assert text.endswith("unknown; bounces are to go there")
        assert "envelope_sender" in do


READERS = {"subscribers": True, "unsubscribe": "mailto:out@example.net", **QUIET}
ELSEWHERE = ["a@example.com", "b@example.org", "c@lists.example.net", "d@example.edu", "e@example.info"]
DENIED = "554 5.7.1 Relay access denied"
UNKNOWN = "takes letters for others than example.net is not known"


def only_at_home(box: Mailbox, reply: str = DENIED):
    """A relay that takes what is for its own domain, as one does to which nobody has given more rights."""
    for to in ELSEWHERE:
        box.faults.add(MailFault(At.RCPT, Do.REPLY, reply, to=to, times=0))


@pytest.mark.parametrize("to", [[], ["ops@example.net", "ops@status.example.net"]])
def test_a_relay_that_takes_letters_for_its_own_only_is_bad_and_one_of_the_list_proves_it(to: list[str]):
    with Mailbox() as box:
        tried = points_to(box)
        only_at_home(box)
        found = list(channel(box.url, to=to, **READERS).check_recipients(ELSEWHERE))
        assert box.letters == []
    (bad,) = [one for one in found if one.level is Level.BAD]
    assert bad.text == (
        f"127.0.0.1:{box.port} takes no letter for a reader elsewhere: a@example.com was refused: {DENIED}"
    )
    assert "operator" in bad.do
    assert tried == [*(to or ["status@example.net"]), "a@example.com"]


def test_readers_are_asked_about_until_one_answer_tells_and_no_more_than_three():
    with Mailbox() as box:
        tried = points_to(box)
        only_at_home(box, "550 5.1.1 no such user")
        found = list(channel(box.url, to=["ops@example.net"], **READERS).check_recipients(ELSEWHERE))
        assert tried[1:] == ["a@example.com", "b@example.org", "d@example.edu"]
        dead = [one for one in found if "no such user" in one.text]
        assert {one.level for one in dead} == {Level.WARNING}
        assert dead[0].do == "outagecast subscribers remove a@example.com"
        assert len([one for one in found if UNKNOWN in one.text]) == 1
        tried.clear()
        box.faults.clear()
        found = list(channel(box.url, to=["ops@example.net"], **READERS).check_recipients(ELSEWHERE))
        assert tried == ["ops@example.net", "a@example.com"]
        assert any("to ops@example.net, a@example.com (" in one.text for one in found if one.level is Level.GOOD)
        assert not any(UNKNOWN in one.text for one in found)


@pytest.mark.parametrize(
    ("settings", "listed", "known"),
    [
        ({"to": ["ops@example.net"], **READERS}, ["c@lists.example.net"], False),
        ({"to": ["ops@example.net"], **READERS}, None, False),
        ({"to": ["ops@example.org"], **READERS}, [], True),
        ({"to": ["ops@example.net"], **QUIET}, ["a@example.com"], True),
    ],
    ids=["all at home", "nobody knows", "one in to:", "to: is all"],
)
def test_where_nobody_elsewhere_can_be_asked_about_what_the_relay_would_do_is_not_called_good(
    settings: dict[str, object], listed: list[str] | None, known: bool
):
    with Mailbox() as box:
        found = list(channel(box.url, **settings).check_recipients(listed))
    said = [one for one in found if UNKNOWN in one.text]
    assert len(said) == (0 if known else 1)
    assert all("outagecast subscribers import" in one.do for one in said)


def test_a_reader_at_the_relays_own_domain_proves_nothing_about_others():
    relay = Relay("smtp.example.com", 587, Tls.STARTTLS, Secret.of("smtp://smtp.example.com"))
    asked = probes(channel(to=["ops@example.net"], **READERS).settings, ELSEWHERE)
    assert [each.recipient for each in asked.readers if not elsewhere(each, relay, asked.home)] == ["a@example.com"]


def test_an_empty_list_without_fixed_addresses_is_told_before_the_night():
    for listed, warned in (([], True), (["a@example.com"], False), (None, False)):
        email = channel(to=[], **READERS)
        said = [one.do for one in email.check_recipients(listed) if "nobody would get a letter" in one.text]
        assert said == (["outagecast subscribers import FILE"] if warned else [])


@pytest.mark.parametrize(
    ("certificate", "why"),
    [
        ({"ends": timedelta(days=-3)}, "it has expired"),
        ({"name": "smtp.example.org"}, "it is for another address"),
    ],
    ids=["expired", "of another name"],
)
@pytest.mark.parametrize("implicit", [False, True], ids=["starttls", "smtps"])
def test_a_certificate_that_does_not_hold_is_bad_with_the_reason(
    trusted: trustme.CA, certificate: dict[str, object], why: str, implicit: bool
):
    with Mailbox(tls=server(trusted, **certificate), implicit=implicit) as box:
        ((text, do),) = told(channel(box.url, **QUIET), Level.BAD)
        assert text == f"127.0.0.1:{box.port}: its certificate is not trusted: {why}"
        assert "SSL_CERT_FILE" in do


def test_a_certificate_that_nobody_known_has_signed_is_bad(trusted: trustme.CA):
    with Mailbox(tls=server(trustme.CA())) as box:
        ((text, _),) = told(channel(box.url, **QUIET), Level.BAD)
        assert text.endswith("nobody whom this machine trusts has signed it")


@pytest.mark.parametrize(("days", "warned"), [(5.5, True), (13.9, True), (14.1, False)])
def test_a_certificate_that_ends_soon_is_a_warning_with_the_date(trusted: trustme.CA, days: float, warned: bool):
    ends = NOW + timedelta(days=days)
    with Mailbox(tls=server(trusted, ends=timedelta(days=days))) as box:
        said = [text for text, _ in told(channel(box.url, **QUIET), Level.WARNING)]
    label = f"127.0.0.1:{box.port}"
    want = f"{label}: its certificate ends in {int(days)} days ({ends.day} {ends:%b %Y, %H:%M} UTC)"
    assert said == ([want] if warned else [])


def test_a_relay_without_starttls_and_a_login_that_is_wrong_are_bad(trusted: trustme.CA):
    with Mailbox() as plain, Mailbox(tls=server(trusted), login=("outage", "key-for-tests")) as box:
        wrong = box.url.replace("key-for-tests", "another-key")
        said = told(channel(plain.url.replace("?tls=none", ""), wrong, **QUIET), Level.BAD)
    assert "offers no STARTTLS" in said[0][0]
    assert "535 5.7.8" in said[1][0]
    assert "another-key" not in str(said)


def test_a_relay_too_small_for_a_picture_is_a_warning_with_both_sizes():
    with Mailbox() as box:
        box.size = 5_000_000
        ((text, _),) = told(channel(box.url, **QUIET), Level.WARNING)
        assert "takes letters of 5.0 MB at the most: one with the largest picture has 7.2 MB" in text
        box.size = 9_000
        ((text, do),) = told(channel(box.url, **QUIET), Level.BAD)
        assert "takes letters of 9.0 kB at the most: one of many words has 10.0 kB" in text
        assert do
        box.size = 0  # says nothing (RFC 1870)
        assert told(channel(box.url, **QUIET), Level.WARNING) == []


def test_an_address_beyond_ascii_needs_a_relay_that_says_it_takes_it():
    with Mailbox() as box:
        email = channel(box.url, to=["änn@example.org", "bo@example.org"], **QUIET)
        ((text, _),) = told(email, Level.WARNING)
        assert "no SMTPUTF8, which letters to änn@example.org need" in text
        ((text, _),) = told(email, Level.GOOD)
        assert "to bo@example.org (" in text
        box.extensions = ("SMTPUTF8",)
        assert told(email, Level.WARNING) == []


def test_a_relay_that_is_not_there_does_not_hide_the_next_and_the_order_is_that_of_the_config():
    with Mailbox() as box:
        said = [one.text for one in channel(REFUSED, box.url, **QUIET).check()]
    assert said[0] == "127.0.0.1:1 cannot be reached: connection refused"
    assert said[1].startswith(f"127.0.0.1:{box.port} takes letters")


@pytest.mark.parametrize("at", [At.CONNECTED, At.EHLO, At.RCPT, At.RSET])
def test_a_relay_that_hangs_at_any_step_is_told_and_hides_nothing(at: At):
    with Mailbox() as hanging:
        hanging.faults.add(MailFault(at, Do.HANG, times=0))
        said = [one.text for one in channel(hanging.url, REFUSED, waits=QUICK, **QUIET).check()]
    assert said[0].startswith(f"127.0.0.1:{hanging.port} was lost")
    assert said[1] == "127.0.0.1:1 cannot be reached: connection refused"


def test_a_relay_that_takes_its_time_is_given_up_however_long_each_answer_may_take():
    with Mailbox() as slow:
        slow.faults.add(MailFault(At.CONNECTED, Do.HANG))
        said = [
            one.text for one in channel(slow.url, REFUSED, waits=replace(QUICK, opening=60, check=1), **QUIET).check()
        ]
    assert said[0] == f"127.0.0.1:{slow.port} did not get to the recipient within 1 s"
    assert said[1] == "127.0.0.1:1 cannot be reached: connection refused"


def test_what_a_look_has_found_when_its_time_is_up_is_kept():
    ends = threading.Event()

    def slow() -> Iterator[str]:
        yield "one"
        ends.wait(60)
        yield "too late"

    assert list(at_once([slow, lambda: ["two"]], 1, lambda number: f"late {number}")) == ["one", "late 0", "two"]
    ends.set()


def test_an_error_in_one_look_comes_after_all_that_the_others_found():
    def broken() -> Iterator[str]:
        yield "one"
        raise KeyError("bug")

    found = at_once([broken, lambda: ["two"]], 5, str)
    assert (next(found), next(found)) == ("one", "two")
    with pytest.raises(KeyError):
        next(found)


@pytest.mark.parametrize(
    ("number", "why"),
    [
        (socket.EAI_NONAME, "there is no host of this name"),
        (socket.EAI_AGAIN, "the DNS does not answer"),
        (socket.EAI_FAIL, "its name cannot be looked up"),
    ],
)
def test_a_name_that_is_wrong_and_a_dns_that_is_silent_are_two_things(number: int, why: str):
    assert _unresolved(socket.gaierror(number, "words of the C library"))[0] == why
