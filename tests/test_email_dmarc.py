"""DMARC: which record applies, whose names count as the domain's own, and whether letters would be held for forged."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from dkim_kit import signing
from email_kit import channel
from names_kit import RELAY, dns, one, said

from outagecast.channel import Level

if TYPE_CHECKING:
    from names_kit import Zone


@pytest.mark.parametrize(
    ("records", "words"),
    [
        ({"_dmarc.example.net": {}}, "example.net has no DMARC record; Gmail, Yahoo and Microsoft want one"),
        ({"_dmarc.example.net": {"TXT": ["v=dmarc1; p=reject"]}}, "example.net has no DMARC record"),
        ({"_dmarc.example.net": {"TXT": ["v=DMARC1; p=none", "v=DMARC1; p=reject"]}}, "there are 2 DMARC records"),
        ({"_dmarc.example.net": {"TXT": ["v=DMARC1; p=block"]}}, "says no p= that receivers know"),
        ({"_dmarc.example.net": {"TXT": ["v=DMARC1"]}}, "says no p= that receivers know"),
    ],
)
def test_a_dmarc_record_that_is_missing_or_void_is_a_warning(records: Zone, words: str):
    text, do = one(Level.WARNING, records, **signing())
    assert words in text
    assert do


NO_SPF = {"example.net": {"MX": ["10 mx.example.org"]}}
UNLISTED = {"example.net": {**NO_SPF["example.net"], "TXT": ["v=spf1 ip4:203.0.113.5 -all"]}}
NOBODY = {"example.net": {**NO_SPF["example.net"], "TXT": ["v=spf1 -all"]}}
VOID = {"example.net": {**NO_SPF["example.net"], "TXT": ["v=spf1 ip4:203.0.113.5 oops"]}}
ALONE = "SPF of example.net does not speak for every relay"
ELSEWHERE = {"envelope_sender": "b@mail.example.com"}
BOUNCES = {"mail.example.com": {"MX": ["10 mx.example.org"], "TXT": ["v=spf1 a:smtp.example.org -all"]}}


@pytest.mark.parametrize(
    ("policy", "changes", "more", "words"),
    [
        ("p=reject", {}, signing(), "asks for p=reject; letters are in line by our signature of example.net"),
        ("p=reject", {}, {}, "in line by SPF of example.net, forwarded ones only if the relay signs as example.net"),
        ("p=none", NO_SPF, {}, "DMARC of example.net is p=none: letters are not refused for it"),
        (
            "p=reject; t=y",
            BOUNCES,
            ELSEWHERE,
            "p=quarantine, and nothing we see puts our letters in line: we do not sign; bounces go to mail.example.com",
        ),
        ("p=quarantine; t=y", NO_SPF, {}, "is p=none"),
        ("p=reject", UNLISTED, {}, ALONE),
        ("p=reject", VOID, {}, ALONE),
        ("rua=mailto:d@example.net", NO_SPF, {}, "is p=none"),
        (
            "p=quarantine",
            NO_SPF,
            {},
            "asks for p=quarantine, and nothing we see puts our letters in line: we do not sign; SPF of example.net does not speak for every relay",
        ),
        (
            "p=reject",
            BOUNCES,
            ELSEWHERE,
            "which is not example.net. Unless the relay signs as example.net, they are taken for forged",
        ),
        ("p=reject", BOUNCES, {**ELSEWHERE, **signing()}, "in line by our signature of example.net"),
    ],
)
def test_dmarc_is_kept_by_our_signature_or_by_spf_or_the_warning_says_that_it_is_not(
    policy: str, changes: Zone, more: dict[str, Any], words: str
):
    found = said(channel(RELAY, **more), {"_dmarc.example.net": {"TXT": [f"v=DMARC1; {policy}"]}, **changes})
    ((level, text, do),) = [one for one in found if "DMARC" in one[1]]
    assert words in text
    assert level is (Level.WARNING if "nothing we see" in text else Level.GOOD)
    assert ("d=example.net" in do) is (level is Level.WARNING)


def test_a_domain_that_says_it_sends_nothing_is_not_in_line_behind_a_relay_that_is_not_seen():
    found = said(channel("smtp://127.0.0.1:25?tls=none"), NOBODY)
    assert [level for level, text, _ in found if ALONE in text] == [Level.WARNING]


EVERYBODY = {"example.net": {**NO_SPF["example.net"], "TXT": ["v=spf1 +all"]}}


@pytest.mark.parametrize(
    ("relays", "changes", "level"),
    [
        (["smtp://127.0.0.1:25?tls=none"], {}, Level.WARNING),
        ([RELAY, "smtp://10.1.2.3"], {}, Level.WARNING),
        (["smtp://127.0.0.1:25?tls=none"], EVERYBODY, Level.GOOD),
    ],
    ids=["none is seen", "one is not seen", "whoever it is may send"],
)
def test_what_spf_says_of_a_relay_whose_address_is_not_seen_is_not_known(
    relays: list[str], changes: Zone, level: Level
):
    found = said(channel(*relays), changes)
    ((known, text, do),) = [one for one in found if one[1].startswith("DMARC")]
    assert known is level
    assert ("in line by SPF" in text) is (level is Level.GOOD)
    if level is Level.WARNING:
        unseen = relays[-1].removeprefix("smtp://").partition("?")[0]
        assert f"is not known: we do not sign them in line with example.net, and the addresses {unseen}" in text
        assert do.endswith("or set dkim")


SUB = {"sender": "Status <s@status.example.net>", "to": ["outages@lists.example.net"]}
SUB_ZONE = {"status.example.net": {"MX": ["10 mx.example.org"], "TXT": ["v=spf1 a:smtp.example.org -all"]}}


@pytest.mark.parametrize(
    ("above", "own", "more", "words"),
    [
        (
            "p=reject",
            "",
            {},
            "DMARC of example.net asks for p=reject; letters are in line by SPF of status.example.net",
        ),
        ("p=reject; sp=none", "", {}, "DMARC of example.net is p=none"),
        ("p=none", "p=quarantine", {}, "DMARC of status.example.net asks for p=quarantine"),
        ("p=reject; adkim=s", "", signing(), "in line by SPF of status.example.net"),
        ("p=reject", "", signing(), "in line by our signature of example.net"),
        ("p=reject; aspf=s", "", {"envelope_sender": "b@example.net"}, "nothing we see"),
        ("p=reject", "", {"envelope_sender": "b@example.net"}, "in line by SPF of example.net"),
        ("p=reject; psd=y", "", {"envelope_sender": "b@example.net"}, "nothing we see"),
        ("p=none", "p=reject; psd=n", {"envelope_sender": "b@example.net"}, "nothing we see"),
    ],
    ids=[
        "inherited",
        "sp",
        "its own",
        "strict",
        "relaxed",
        "strict SPF",
        "relaxed SPF",
        "a registry above",
        "an own border",
    ],
)
def test_a_subdomain_has_its_own_record_or_its_organizations_and_is_in_line_with_its_kin(
    above: str, own: str, more: dict[str, Any], words: str
):
    records = {
        **SUB_ZONE,
        "_dmarc.example.net": {"TXT": [f"v=DMARC1; {above}"]},
        "_dmarc.status.example.net": {"TXT": [f"v=DMARC1; {own}"] if own else []},
    }
    found = said(channel(RELAY, **{**SUB, **more}), records)
    (text,) = [text for _, text, _ in found if text.startswith("DMARC")]
    assert words in text


def test_of_a_very_long_name_no_more_than_eight_records_are_asked_for():
    labels = [f"l{number}" for number in range(12)]
    sender = f"s@{'.'.join(labels)}.example.net"
    with dns() as (server, names):
        list(channel(RELAY, sender=sender).check_names(names))
        asked = dict.fromkeys(question.name for question in server.log if question.name.startswith("_dmarc."))
    assert list(asked)[1:] == ["_dmarc." + ".".join([*labels[first:], "example", "net"]) for first in range(7, 12)] + [
        "_dmarc.example.net",
        "_dmarc.net",
    ]
