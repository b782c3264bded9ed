"""Signed letters: somebody else's verifier says yes, a changed octet says no, and a key that is wrong says why."""

from __future__ import annotations

import base64
import hashlib
import re
import sys
from typing import TYPE_CHECKING

import dkim
import pytest
from config_kit import written
from dkim_kit import pem, signing, tags, verified
from email_kit import channel, letters, one, picture, receipts, sent
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from outagecast.channel import Level, Refused, Secret
from outagecast.channels.email.dkim import SIGNED, Seal, Signer
from outagecast.channels.email.settings import Dkim
from outagecast.config import load
from outagecast.registry import settings_of as installed
from outagecast.sandbox.mailbox import Mailbox

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from night import Night

    from outagecast.channel import Post
    from outagecast.channels.email.channel import Email
    from outagecast.config import Section

WAYS_OUT = {
    "subscribers": True,
    "unsubscribe": "https://lists.example.net/u/{token}, mailto:unsubscribe+{token}@example.net",
    "one_click": True,
    "token_secret": Secret.of("key-for-tests"),
}


def raw(email: Email, post: Post) -> bytes:
    """The letter as its reader gets it: without the dots that SMTP adds."""
    return re.sub(rb"(?m)^\.", b"", email._stationery.write(post).content)


@pytest.mark.parametrize("kind", ["rsa", "ed25519"])
@pytest.mark.parametrize("words", ["fiber cut", "Glasfaser zerstört 🔥\n.\n. \t dots  and   blanks  \n..end"])
def test_a_letter_that_came_over_a_relay_bears_a_signature_that_holds(kind: str, words: str):
    with Mailbox() as box:
        email = channel(box.url, **signing(kind, **WAYS_OUT), connections=3)
        posts = letters(email, 5, words=words, title="Glasfaser zerstört " * 5, seq=30)
        posts.append(replace(posts[0], to="outages@lists.example.net", id=99))
        results, _ = sent(email, posts)
        assert len(receipts(results)) == 6
        assert [verified(letter.raw, kind) for letter in box.letters] == [True] * 6


@pytest.mark.parametrize("kind", ["rsa", "ed25519"])
@pytest.mark.parametrize("words", ["fiber cut", "Glasfaser zerstört 🔥\n.\n. \t dots  and   blanks  \n..end"])
def test_the_signature_holds_with_a_picture_with_a_farewell_and_without_one(kind: str, words: str):
    """The farewell stands in the middle then, and blanks at the end of the words are no longer the end of the letter."""
    with Mailbox() as box:
        email = channel(box.url, **signing(kind, **WAYS_OUT), connections=3)
        posts = letters(email, 3, words=words, image=picture(20_000, alt="Köln  is\tdark " * 9))
        posts.append(replace(posts[0], to="outages@lists.example.net", id=99))
        results, _ = sent(email, posts)
        assert len(receipts(results)) == 4
        assert [verified(letter.raw, kind) for letter in box.letters] == [True] * 4


def test_one_octet_changed_in_a_picture_breaks_the_signature_and_in_the_farewell_too():
    email = channel(**signing(**WAYS_OUT))
    letter = raw(email, one(email, image=picture()))
    assert verified(letter)
    lines = letter.split(b"\r\n")
    assert not verified(letter.replace(lines[-5], lines[-5].swapcase()))
    assert not verified(letter.replace(b"To get no more", b"To get no mere"))


def test_a_letter_that_had_to_leave_its_picture_behind_is_signed_as_it_went():
    with Mailbox() as box:
        box.size = 10_000
        email = channel(box.url, **signing(**WAYS_OUT))
        results, _ = sent(email, letters(email, 2, image=picture(20_000)))
        assert len(receipts(results)) == 2
        assert [verified(letter.raw) for letter in box.letters] == [True] * 2


@pytest.mark.parametrize("kind", ["rsa", "ed25519"])
def test_one_octet_changed_in_the_body_breaks_the_signature(kind: str):
    email = channel(**signing(kind, **WAYS_OUT))
    letter = raw(email, one(email))
    assert verified(letter, kind)
    assert not verified(letter.replace(b"fiber cut, ETA", b"fiber cut, ETa"), kind)
    assert not verified(letter.replace(b"To get no more", b"To get no mere"), kind)


@pytest.mark.parametrize(
    "name",
    [
        *("From", "To", "Subject", "Date", "Message-ID", "List-Unsubscribe", "List-Unsubscribe-Post"),
        *("List-Post", "List-Id", "Auto-Submitted", "Precedence", "X-Auto-Response-Suppress"),
    ],
)
def test_a_changed_header_breaks_the_signature(name: str):
    email = channel(**signing(**WAYS_OUT))
    letter = raw(email, one(email))
    changed = letter.replace(f"\r\n{name}: ".encode(), f"\r\n{name}: x".encode())
    assert changed != letter
    assert not verified(changed)


def test_a_second_from_put_in_on_the_way_breaks_the_signature():
    email = channel(**signing())
    letter = raw(email, one(email))
    assert not verified(b"From: Somebody <somebody@example.org>\r\n" + letter)


def test_blanks_that_a_relay_changes_do_not_break_it():
    """Relaxed, body and header."""
    email = channel(**signing())
    letter = raw(email, one(email))
    assert verified(letter.replace(b"-- \r\n", b"--\r\n").replace(b"\r\nFrom: ", b"\r\nFROM:   ") + b"\r\n\r\n")


def test_a_last_line_that_goes_on_with_a_dot_is_signed_as_the_reader_gets_it():
    ways_out = {**WAYS_OUT, "unsubscribe": f"https://lists.example.net/{'.' * 100}/{{token}}"}
    email = channel(**signing(**ways_out))
    post = one(email, words="Glasfaser zerstört")
    assert b"\r\n..." in email._stationery.write(post).content
    assert verified(raw(email, post))


def test_what_is_signed_is_what_is_there_of_the_list_and_from_once_more():
    email = channel(**signing(**WAYS_OUT))
    shown = tags(raw(email, one(email)))
    missing = {"reply-to"}
    assert shown["h"].split(":") == [*(name for name in SIGNED if name not in missing), "from"]
    assert (shown["a"], shown["c"], shown["d"], shown["s"]) == (
        "rsa-sha256",
        "relaxed/relaxed",
        "example.net",
        "outage",
    )


def test_the_signature_is_as_old_as_the_letter_and_the_same_at_a_resend():
    first, second = channel(**signing(**WAYS_OUT)), channel(**signing(**WAYS_OUT))
    letter = raw(first, one(first))
    assert letter == raw(second, one(second))
    assert tags(letter)["t"] == "1795356300"  # 22 Nov 2026, 14:05 UTC


def test_no_line_of_a_signature_is_longer_than_a_screen():
    email = channel(**signing(**WAYS_OUT))
    head = raw(email, one(email)).partition(b"\r\nTo: ")[0]
    assert max(map(len, head.split(b"\r\n"))) <= 78


def test_without_the_setting_nothing_is_signed_and_nothing_of_it_imported(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "cryptography", None)
    email = channel()
    assert b"DKIM-Signature" not in raw(email, one(email))


def test_a_letter_that_was_planned_before_is_signed_with_the_key_of_now():
    """A name that is not that of the key would be a false signature."""
    post = one(channel())
    assert verified(raw(channel(**signing()), post))


def test_the_key_is_read_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    email = channel(**signing())
    read = []
    reveal = Secret.reveal
    monkeypatch.setattr(Secret, "reveal", lambda secret: read.append(secret) or reveal(secret))
    for seq in range(3):
        for post in letters(email, 3, seq=seq):
            email._stationery.write(post)
    assert len(read) == 1


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (lambda: "nonsense", "no private key in PEM"),
        (lambda: "", "no private key in PEM"),
        (lambda: pem("rsa", b"passphrase-for-tests"), "it has a passphrase"),
        (lambda: pem("elliptic"), "neither an RSA nor an Ed25519 key"),
        (lambda: pem("rsa").replace("A", "B"), "no private key in PEM"),
    ],
    ids=["nonsense", "empty", "passphrase", "elliptic", "damaged"],
)
def test_a_bad_key_refuses_the_channel_before_a_connection_and_tells_nothing_of_the_key(
    text: Callable[[], str], why: str
):
    planted = text()
    with Mailbox() as box:
        email = channel(box.url, dkim=Dkim(domain="example.net", selector="outage", key=Secret.of(planted)))
        with pytest.raises(Refused, match=why) as raised:
            sent(email, letters(email, 3))
        with pytest.raises(Refused, match=why):
            email.send(one(email), None, lambda token: None)
        assert box.connections == 0
    assert raised.value.mendable
    assert "dkim.key" in raised.value.text
    told = raised.value.text + raised.value.hint + repr(raised.value.__cause__)
    assert not [line for line in planted.splitlines() if line and line in told]


def test_a_key_too_short_to_count_is_refused(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("outagecast.channels.email.dkim._FEWEST_BITS", 1025)
    email = channel(**signing("short"))
    with pytest.raises(Refused, match="1024 bits"):
        email._stationery.signer()


def test_without_the_package_the_channel_is_refused_with_the_command_that_mends_it(monkeypatch: pytest.MonkeyPatch):
    for name in [name for name in sys.modules if name.startswith("cryptography.hazmat.primitives.serialization")]:
        monkeypatch.setitem(sys.modules, name, None)
    email = channel(**signing())
    with pytest.raises(Refused, match="cryptography is not installed") as raised:
        sent(email, letters(email, 1))
    assert raised.value.mendable
    assert raised.value.hint == 'pip install "outagecast[dkim]"'


def test_a_key_file_that_is_not_there_names_the_file_and_the_line(tmp_path: Path):
    section = _section(tmp_path, 'dkim: {domain: example.net, selector: outage, key: "${file:gone.pem}"}')
    email = channel(dkim=section.settings.dkim)
    with pytest.raises(Refused, match=r"gone\.pem.*c\.yaml:\d+: channels\.email\.dkim\.key") as raised:
        email._stationery.signer()
    assert raised.value.mendable


def test_check_says_as_whom_the_key_signs_or_what_is_wrong_with_the_private_one():
    with Mailbox() as box:
        good = channel(box.url, **signing("ed25519"))
        bad = channel(box.url, dkim=Dkim(domain="example.net", selector="outage", key=Secret.of("nonsense")))
        said = [(finding.level, finding.text) for email in (good, bad) for finding in email.check()]
    assert (
        Level.GOOD,
        "dkim.key can sign letters, as outage._domainkey.example.net (ed25519-sha256)",
    ) in said
    assert [text for level, text in said if level is Level.BAD and "dkim.key" in text]


def test_a_key_that_is_missing_costs_mail_alone_and_once_mended_it_goes_out(night: Night):
    night.write_config(
        night.twitter() + night.email('    dkim: {domain: example.net, selector: outage, key: "${file:dkim.pem}"}')
    )
    done = night.run("post", "--json", "fiber cut")
    assert (done.code, len(night.tweets()), night.mails()) == (1, 1, [])
    (night.folder / "dkim.pem").write_text(pem())
    assert night.run("post", "--json", "fiber cut").code == 0
    assert sorted(night.mails()) == sorted(night.to)
    assert all(verified(letter.raw) for letter in night.mailbox.letters)


# --- the settings


def _section(tmp_path: Path, *lines: str) -> Section:
    text = "organization: Example Hosting\nchannels:\n  email:\n    sender: Status <status@status.example.net>\n"
    text += '    relays: ["smtp://smtp.example.org"]\n    to: [ann@example.org]\n'
    text += "".join(f"    {line}\n" for line in lines)
    return load(written(tmp_path, text), {}, installed).channels["email"]


@pytest.mark.parametrize("domain", ["status.example.net", "example.net", "EXAMPLE.NET"])
def test_the_domain_may_be_the_senders_or_one_above(tmp_path: Path, domain: str):
    assert _section(tmp_path, f"dkim: {{domain: {domain}, selector: a.b_c-1, key: x}}").error is None


@pytest.mark.parametrize(
    ("line", "path", "text"),
    [
        ("dkim: {domain: example.org, selector: s, key: x}", "dkim", "domain must be status.example.net"),
        ("dkim: {domain: ample.net, selector: s, key: x}", "dkim", "domain must be status.example.net"),
        ("dkim: {domain: x.status.example.net, selector: s, key: x}", "dkim", "domain must be status.example.net"),
        ("dkim: {domain: net, selector: s, key: x}", "dkim.domain", "'net' is no domain name"),
        ("dkim: {domain: exa mple.net, selector: s, key: x}", "dkim.domain", "'exa mple.net' is no domain name"),
        ("dkim: {domain: example.net, selector: 'a; b', key: x}", "dkim.selector", "'a; b' is no selector"),
        ("dkim: {domain: example.net, selector: s}", "dkim.key", "missing"),
    ],
)
def test_a_signature_that_could_not_count_is_found_when_the_config_is_read(
    tmp_path: Path, line: str, path: str, text: str
):
    error = _section(tmp_path, line).error
    assert error is not None
    assert f"c.yaml:7: channels.email.{path}: {text}" in str(error)


def test_every_mistake_in_the_section_is_told_at_its_own_line(tmp_path: Path):
    error = _section(
        tmp_path,
        "envelope_sender: '{x}@example.net'",
        "unsubscribe: 'https://lists.example.net/{y}'",
        "list_id: 'a b'",
        "dkim: {domain: example.org, selector: s, key: x}",
    ).error
    told = re.findall(r":(\d+): channels\.email\.(\w+): ", str(error))
    assert ("7", "envelope_sender") in told
    assert ("8", "unsubscribe") in told
    assert ("9", "list_id") in told
    assert ("10", "dkim") in told


# --- the canonical form, against somebody else's


def _seal(body: bytes, closing: bytes = b"") -> Seal:
    signer = Signer("example.net", "outage", "rsa-sha256", lambda data: data, "")
    return Seal(signer, ["From: a@example.net"], body, 0, closing)


@settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(
    st.lists(st.text(alphabet=" \tab.é", max_size=6), max_size=6),
    st.lists(st.text(alphabet=" \tab.é", max_size=6), max_size=4),
)
@example([], [])
@example(["", " "], ["", "\t"])
@example(["a", "", ""], ["b", ""])
def test_the_hash_of_a_body_in_two_pieces_is_that_of_the_whole(shared: list[str], end: list[str]):
    first, second = ("".join(f"{line}\r\n" for line in lines).encode() for lines in (shared, end))
    want = dkim.canonicalization.Relaxed.canonicalize_body(first + second)
    digest = base64.b64encode(hashlib.sha256(want).digest()).decode()
    assert _seal(first)._body_hash(second) == digest


@settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(
    st.lists(st.text(alphabet=" \tab.é", max_size=6), max_size=6),
    st.lists(st.text(alphabet=" \tab.é", max_size=6), max_size=4),
    st.lists(st.text(alphabet=" \tab.é", max_size=6), max_size=4),
)
@example([], [], [])
@example(["a", "", ""], ["", " "], ["", "\t"])
def test_the_hash_of_a_body_in_three_pieces_is_that_of_the_whole(shared: list[str], end: list[str], last: list[str]):
    first, second, third = (
        "".join(f"{line}\r\n" for line in lines).encode() for lines in (shared, end, [*last, "--border--"])
    )
    want = dkim.canonicalization.Relaxed.canonicalize_body(first + second + third)
    digest = base64.b64encode(hashlib.sha256(want).digest()).decode()
    assert _seal(first, third)._body_hash(second) == digest
