"""What `check` finds out from the DNS about letters: who can receive, and whether receivers believe the sender."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import pytest
from dkim_kit import pem, record, signing
from email_kit import QUICK, channel
from msgspec.structs import replace
from names_kit import KEY, LABEL, RELAY, dns, said

from outagecast.channel import Dependency, Leans, Level, Named, Need, Secret
from outagecast.channels.email.settings import Dkim
from outagecast.sandbox.dns import Trouble

if TYPE_CHECKING:
    from names_kit import Zone

TOKENS = {"token_secret": Secret.of("key-for-tests")}
LEAVE = {"unsubscribe": "https://lists.example.net/u/{token}, mailto:leave+{token}@out.example.net", **TOKENS}


def at(level: Level, changes: Zone | None = None, *relays: str, **more: Any) -> list[tuple[str, str]]:
    found = said(channel(*relays or (RELAY,), **more), changes)
    return [(text, do) for known, text, do in found if known is level]


def one(level: Level, changes: Zone | None = None, *relays: str, **more: Any) -> tuple[str, str]:
    (only,) = at(level, changes, *relays, **more)
    return only


def test_where_all_is_well_each_thing_is_said_once():
    assert said(channel(RELAY, **signing())) == [
        (Level.GOOD, "example.net takes mail (the sender's domain; mx.example.org)", ""),
        (Level.GOOD, "lists.example.net takes mail (of outages@lists.example.net in to:; mx.example.org)", ""),
        (Level.GOOD, f"the SPF record of example.net lists {LABEL} (1 of 10 lookups)", ""),
        (Level.GOOD, f"the DKIM record {KEY} has the key that signs letters", ""),
        (Level.GOOD, "DMARC of example.net asks for p=reject; letters are in line by our signature of example.net", ""),
    ]


# -- who can receive ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("records", "why"),
    [
        ({}, "there is no mail host"),
        ({"MX": ["0 ."]}, "there is no mail host"),
        ({"TXT": ["v=spf1 include:spf.example.org -all"]}, "there is no mail host"),
        ({"MX": ["10 gone.example.org"]}, "its mail hosts have no address (gone.example.org)"),
    ],
    ids=["no domain", "null MX", "no MX and no address", "a dangling MX"],
)
def test_a_sender_that_takes_no_mail_is_bad(records: Any, why: str):
    texts = at(Level.BAD, {"example.net": records})
    want = f"example.net takes no mail (the sender's domain): {why}; many receivers refuse letters from there"
    assert want in [text for text, _ in texts]


def test_a_domain_without_mx_takes_mail_at_its_address():
    assert at(Level.BAD, {"example.net": {"A": ["198.51.100.1"], "TXT": ["v=spf1 include:spf.example.org -all"]}}) == []


def test_where_bounces_go_must_take_mail_too_and_each_domain_is_asked_once():
    more = {
        "to": ["a@example.net", "b@lists.example.net", "c@lists.example.net"],
        "envelope_sender": "b@bounce.example.net",
    }
    bounce = {"bounce.example.net": {"TXT": ["v=spf1 ip4:203.0.113.5 ip6:2001:db8::5 -all"]}}
    assert one(Level.BAD, bounce, **more)[0].startswith("bounce.example.net takes no mail (where bounces go): ")
    takes = [text for text, _ in at(Level.GOOD, bounce, **more) if "takes mail" in text]
    assert takes == [
        "example.net takes mail (the sender's domain; mx.example.org)",
        "lists.example.net takes mail (of b@lists.example.net in to:; mx.example.org)",
    ]


def test_a_list_whose_domain_takes_no_mail_is_a_warning_that_names_it():
    text, do = one(Level.WARNING, {"lists.example.net": {}}, **signing())
    assert text == "lists.example.net takes no mail (of outages@lists.example.net in to:): there is no mail host"
    assert "MX record for lists.example.net" in do


def test_the_way_out_must_be_there_for_readers_who_want_it():
    found = at(Level.WARNING, {"lists.example.net": {"MX": ["10 mx.example.org"]}}, **signing(), **LEAVE)
    assert [text for text, _ in found] == [
        "out.example.net takes no mail (where readers write to leave (unsubscribe)): there is no mail host",
        "there is no host lists.example.net: readers cannot leave by the link in unsubscribe, and press “spam” instead",
    ]
    assert at(Level.WARNING, {"out.example.net": {"A": ["198.51.100.9"]}}, **signing(), **LEAVE) == []


# -- SPF ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("texts", "level", "words"),
    [
        ([], Level.WARNING, "example.net has no SPF record"),
        (["v=spf1 -all"], Level.BAD, "says that no mail comes from there"),
        (["v=spf1 ~all"], Level.BAD, "says that no mail comes from there"),
        (["v=spf1 -all ip4:203.0.113.5"], Level.BAD, "says that no mail comes from there"),
        (["v=spf1 -all", "v=spf1 mx -all"], Level.BAD, "is void: there are 2 of them at example.net"),
        (["v=spf1 ipv4:203.0.113.5 -all"], Level.BAD, "is void: “ipv4:203.0.113.5” means nothing"),
        (["v=spf1 ip4:203.0.113.500 -all"], Level.BAD, "is void: “ip4:203.0.113.500” is no way to write it"),
        (
            ["v=spf1 include:none.example.org -all"],
            Level.BAD,
            "is void: it leads to none.example.org, which has no SPF",
        ),
        (["v=spf1 redirect=example.net"], Level.BAD, "is void: it takes more than 10 lookups"),
        (["v=spf1 +all"], Level.WARNING, "lets everybody send"),
        (["v=spf1 ip4:198.51.100.1 ~all"], Level.WARNING, f"does not list {LABEL} at 203.0.113.5 (it says softfail)"),
        (["v=spf1 ip4:198.51.100.1"], Level.WARNING, f"does not list {LABEL} at 2001:db8::5 (it says neutral)"),
        (["v=spf1 ip4:203.0.113.5 -all"], Level.WARNING, f"does not list {LABEL} at 2001:db8::5 (it says fail)"),
    ],
)
def test_an_spf_record_that_would_cost_letters_is_told(texts: list[str], level: Level, words: str):
    found = at(level, {"example.net": {"MX": ["10 mx.example.org"], "TXT": texts}}, **signing())
    (text, do) = next(one for one in found if words in one[0])
    assert do
    assert "SPF" in text


def test_a_relay_that_is_not_listed_may_send_from_elsewhere_and_the_warning_says_so():
    records = {"example.net": {"MX": ["10 mx.example.org"], "TXT": ["v=spf1 ip4:203.0.113.5 -all"]}}
    text, do = one(Level.WARNING, records, RELAY, **signing())
    assert "right only if the relay passes letters on from another address" in text
    assert "operator" in do


@pytest.mark.parametrize(
    "relay", ["smtp://127.0.0.1:25?tls=none", "smtp://10.1.2.3", "smtp://[fd00::1]", "smtp://inside.example.net"]
)
def test_of_a_relay_inside_nothing_is_claimed(relay: str):
    found = said(channel(relay, **signing()), {"inside.example.net": {"A": ["192.168.1.4"]}})
    assert {level for level, _, _ in found} == {Level.GOOD}
    assert any("sends from are not seen here" in text for _, text, _ in found)


def test_spf_is_asked_of_the_domain_on_the_envelope():
    records = {"bounce.example.net": {"MX": ["10 mx.example.org"], "TXT": ["v=spf1 a:smtp.example.org -all"]}}
    found = at(Level.GOOD, records, **signing(), envelope_sender="b+{token}@Bounce.example.net", **TOKENS)
    assert (f"the SPF record of bounce.example.net lists {LABEL} (1 of 10 lookups)", "") in found


# -- DKIM --------------------------------------------------------------------------------------------------------------

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


# -- DMARC -------------------------------------------------------------------------------------------------------------


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


# -- a DNS that does not answer ----------------------------------------------------------------------------------------


def test_a_dns_that_does_not_answer_is_one_warning_for_all_it_was_asked_for():
    with dns(patience=0.3) as (server, names):
        server.troubles["*", "*"] = Trouble.SERVFAIL
        (warning,) = channel(RELAY, **signing(), **LEAVE).check_names(names)
    assert warning.level is Level.WARNING
    assert warning.text == (
        f"the DNS does not answer for example.net, out.example.net, lists.example.net, {KEY}, _dmarc.example.net"
    )
    assert warning.do.endswith("outagecast check")


@pytest.mark.parametrize("trouble", [Trouble.SILENCE, Trouble.SERVFAIL])
def test_one_name_without_an_answer_hides_nothing_of_the_others(trouble: Trouble):
    with dns(patience=0.3) as (server, names):
        server.troubles["_dmarc.example.net", "TXT"] = trouble
        found = [(one.level, one.text) for one in channel(RELAY, **signing()).check_names(names)]
    assert [level for level, _ in found] == [Level.GOOD] * 4 + [Level.WARNING]
    assert found[-1][1] == "the DNS does not answer for _dmarc.example.net"


def test_the_whole_is_bounded_however_patient_each_question_is():
    with dns(patience=300) as (server, names):
        server.troubles["example.net", "MX"] = Trouble.SILENCE
        found = [one.text for one in channel(RELAY, waits=replace(QUICK, check=0.5), **signing()).check_names(names)]
    assert found[-1] == "the DNS does not answer for example.net"
    assert len(found) == 5


# -- what letters depend on --------------------------------------------------------------------------------------------


def test_every_name_that_letters_depend_on_is_told_without_a_look_at_anything():
    broken = Dkim(domain="Example.net", selector="Outage", key=Secret.of("nonsense"))
    more = {"envelope_sender": "b+{token}@bounce.example.net", "dkim": broken, **LEAVE}
    to = ["a@Lists.example.net", "b@lists.example.net", "c@münchen.example", "d@[192.0.2.7]"]
    email = channel("smtp://SMTP.example.org", "smtps://192.0.2.1", to=to, **more)
    assert isinstance(email, Leans)
    assert isinstance(email, Named)
    assert email.depends() == [
        Dependency("a relay", "smtp.example.org"),
        Dependency("a relay", "192.0.2.1"),
        Dependency("the sender's mail", "example.net", Need.MAIL),
        Dependency("the bounces' mail", "bounce.example.net", Need.MAIL),
        Dependency("the DKIM key", KEY, Need.RECORD),
        Dependency("the way out of the list", "lists.example.net"),
        Dependency("the way out of the list", "out.example.net", Need.MAIL),
        Dependency("the list a@Lists.example.net", "lists.example.net", Need.MAIL),
        Dependency("the list c@xn--mnchen-3ya.example", "xn--mnchen-3ya.example", Need.MAIL),
    ]


def test_a_sender_at_a_bare_address_depends_on_that_host_and_is_not_looked_for_in_the_dns():
    found = said(channel(RELAY, sender="s@[192.0.2.7]"))
    assert [text.partition(" ")[0] for _, text, _ in found] == ["lists.example.net"]
    assert channel(RELAY, sender="s@[192.0.2.7]").depends()[1] == Dependency("the sender's mail", "192.0.2.7")
    assert channel(RELAY, sender="s@[IPv6:2001:db8::1]").depends()[1] == Dependency("the sender's mail", "2001:db8::1")
