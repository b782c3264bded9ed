"""The DKIM record in the DNS against the key that signs: whatever would make a signature worthless is told."""

from __future__ import annotations

import sys

import pytest
from dkim_kit import pem, record, signing
from email_kit import channel
from names_kit import KEY, RELAY, at, dns, one, said

from outagecast.channel import Level, Secret
from outagecast.channels.email.settings import Dkim

GOOD_KEY = record("rsa").decode()


@pytest.mark.parametrize(
    ("texts", "why"),
    [
        ([], "is not there"),
        (["unrelated"], "is not there"),
        ([GOOD_KEY, "v=DKIM1; p="], "is there 2 times"),
        (["v=DKIM1; k=rsa; p="], "is revoked"),
        (["v=DKIM1; k=rsa"], "has no key"),
        ([GOOD_KEY.replace("v=DKIM1; ", "") + "; v=DKIM1"], "does not begin with v=DKIM1"),
        ([record("ed25519").decode()], "is of another kind: k=ed25519, and dkim.key is rsa"),
        ([record("short").decode()], "has another key than dkim.key"),
        ([GOOD_KEY[:-20]], "has another key than dkim.key"),
        ([GOOD_KEY + "; h=sha1"], "does not allow SHA-256"),
        ([GOOD_KEY + "; s=tlsrpt"], "is not for mail"),
    ],
)
def test_a_dkim_record_that_does_not_fit_the_key_is_bad_and_the_right_one_is_told(texts: list[str], why: str):
    text, do = one(Level.BAD, {KEY: {"TXT": texts}}, **signing())
    assert text.startswith(f"the DKIM record {KEY} {why}")
    assert do == f"publish this as its TXT record: {GOOD_KEY}"
    assert pem()[40:80] not in text + do


@pytest.mark.parametrize(
    "text",
    [
        GOOD_KEY.replace("v=DKIM1; k=rsa; ", ""),
        GOOD_KEY.replace("k=rsa; ", "h=sha1 : sha256 ; s=email; n=note; "),
        GOOD_KEY.replace("p=", "p= ").replace("A", "A ", 3),
    ],
    ids=["only p", "every tag", "blanks in the key"],
)
def test_a_record_may_be_written_in_other_ways(text: str):
    assert at(Level.BAD, {KEY: {"TXT": [text]}}, **signing()) == []


def test_an_rsa_key_without_its_wrapping_is_the_same_key():
    """PKCS #1, as RFC 6376 3.6.1 has it to the letter, and as older tools wrote it."""
    import base64

    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
    from dkim_kit import key

    bare = base64.b64encode(key("rsa").public_key().public_bytes(Encoding.DER, PublicFormat.PKCS1)).decode()
    assert at(Level.BAD, {KEY: {"TXT": [f"v=DKIM1; p={bare}"]}}, **signing()) == []


def test_an_ed25519_key_is_compared_too():
    assert at(Level.BAD, {KEY: {"TXT": [record("ed25519").decode()]}}, **signing("ed25519")) == []
    text, do = one(Level.BAD, None, **signing("ed25519"))
    assert "is of another kind: k=rsa" in text
    assert do.endswith(record("ed25519").decode())


def test_a_domain_that_only_tries_dkim_out_is_a_warning():
    text, _ = one(Level.WARNING, {KEY: {"TXT": [GOOD_KEY + "; t=y:s"]}}, **signing())
    assert "t=y" in text


def test_a_key_that_cannot_be_read_is_told_by_check_and_not_twice():
    broken = channel(RELAY, dkim=Dkim(domain="example.net", selector="outage", key=Secret.of("nonsense")))
    assert [text for level, text, _ in said(broken) if level is Level.BAD] == []


def test_without_dkim_no_key_is_asked_for_and_nothing_of_it_is_imported(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "cryptography", None)
    with dns() as (server, names):
        assert {one.level for one in channel(RELAY).check_names(names)} == {Level.GOOD}
        assert not any("_domainkey" in question.name for question in server.log)
