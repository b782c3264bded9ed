"""What `check` finds out from the DNS about letters: who can receive, and whether receivers believe the sender."""

from __future__ import annotations

from typing import Any

import pytest
from dkim_kit import signing
from email_kit import QUICK, channel
from msgspec.structs import replace
from names_kit import KEY, LABEL, RELAY, at, dns, one, said

from outagecast.channel import Dependency, Leans, Level, Named, Need, Secret
from outagecast.channels.email.settings import Dkim
from outagecast.sandbox.dns import Trouble

TOKENS = {"token_secret": Secret.of("key-for-tests")}
LEAVE = {"unsubscribe": "https://lists.example.net/u/{token}, mailto:leave+{token}@out.example.net", **TOKENS}


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
        (["v=spf1 ip4:0.0.0.0/0 -all"], Level.WARNING, "lets everybody on IPv4 send"),
        (
            ["v=spf1 ip4:198.51.100.1 ~all"],
            Level.WARNING,
            f"does not list {LABEL} at 203.0.113.5 and 2001:db8::5 (it says softfail)",
        ),
        (
            ["v=spf1 ip4:203.0.113.5"],
            Level.WARNING,
            f"lists {LABEL} at 203.0.113.5, but not at 2001:db8::5 (it says neutral)",
        ),
        (
            ["v=spf1 ip4:198.51.100.1 ?ip4:203.0.113.5 -all"],
            Level.WARNING,
            f"does not list {LABEL} at 203.0.113.5 and 2001:db8::5 (it says fail and neutral)",
        ),
    ],
)
def test_an_spf_record_that_would_cost_letters_is_told(texts: list[str], level: Level, words: str):
    found = at(level, {"example.net": {"MX": ["10 mx.example.org"], "TXT": texts}}, **signing())
    (text, do) = next(one for one in found if words in one[0])
    assert do
    assert "SPF" in text


def test_each_relay_is_told_once_however_many_addresses_it_has():
    many = {"smtp.example.com": {"A": [f"198.51.100.{number}" for number in range(20, 0, -1)]}}
    found = at(Level.WARNING, many, RELAY, "smtp://smtp.example.com", "smtp://smtp.example.com", **signing())
    (text,) = [text for text, _ in found if "SPF" in text]
    assert "list smtp.example.com:587 at 198.51.100.1, 198.51.100.2, 198.51.100.3 and 17 more (it says fail)" in text


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


def test_one_name_without_an_answer_hides_nothing_of_the_others():
    with dns(patience=1.5) as (server, names):
        server.troubles["_dmarc.example.net", "TXT"] = Trouble.SILENCE
        found = [(one.level, one.text) for one in channel(RELAY, **signing()).check_names(names)]
    assert [level for level, _ in found] == [Level.GOOD] * 4 + [Level.WARNING]
    assert found[-1][1] == "the DNS does not answer for _dmarc.example.net"


def test_the_whole_is_bounded_however_patient_each_question_is():
    with dns(patience=300) as (server, names):
        server.troubles["example.net", "MX"] = Trouble.SILENCE
        found = [one.text for one in channel(RELAY, waits=replace(QUICK, check=0.5), **signing()).check_names(names)]
    assert found[-1].startswith("the DNS does not answer for example.net")


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
        Dependency("what its SPF record includes", "bounce.example.net", Need.SPF),
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
