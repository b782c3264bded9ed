"""SPF as a receiver evaluates it: each mechanism, the limits, macros, and what makes a record void."""

from __future__ import annotations

from ipaddress import ip_address
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from names_kit import dns

from outagecast.channels.email.spf import anybody, evaluate, survey
from outagecast.channels.email.spf_record import BrokenError, Verdict, expand, parse

if TYPE_CHECKING:
    from collections.abc import Iterator

    from outagecast.channels.email.spf import Survey
    from outagecast.names import Names
    from outagecast.sandbox.dns import NameServer

FOUR, SIX, OTHER = "203.0.113.5", "2001:db8::5", "198.51.100.77"
RECORDS = {
    "a.example.com": {"A": [FOUR], "AAAA": [SIX]},
    "near.example.com": {"A": ["203.0.113.200"], "AAAA": ["2001:db8::ffff"]},
    "mx.example.com": {"MX": ["10 near.example.com", "20 a.example.com"]},
    "many.example.com": {"MX": [f"10 h{number}.example.com" for number in range(11)]},
    "yes.example.com": {"TXT": [f"v=spf1 ip4:{FOUR} -all"]},
    "no.example.com": {"TXT": ["v=spf1 -all"]},
    "soft.example.com": {"TXT": ["v=spf1 ~all"]},
    "open.example.com": {"TXT": ["v=spf1 +all"]},
    "void.example.com": {"TXT": ["v=spf1 oops"]},
    "upper.example.com": {"TXT": ["V=SPF1 IP4:203.0.113.5 -ALL"]},
    "5.113.0.203.in-addr.list.example.com": {"A": ["127.0.0.2"]},
    "check._l.list.example.com": {"A": ["127.0.0.2"]},
    "six.list.example.com": {"AAAA": ["::2"]},
    "loop.example.com": {"TXT": ["v=spf1 include:pool.example.com -all"]},
    "pool.example.com": {"TXT": ["v=spf1 include:loop.example.com -all"]},
    **{f"d{number}.example.com": {"TXT": [f"v=spf1 include:d{number + 1}.example.com ?all"]} for number in range(9)},
    "d9.example.com": {"TXT": ["v=spf1 a:a.example.com -all"]},
    "d10.example.com": {"TXT": [f"v=spf1 ip4:{FOUR} -all"]},
}


class Laboratory:
    """One server and one memory for all: each record that is tried gets a name of its own."""

    def __init__(self, server: NameServer, names: Names) -> None:
        self.server, self.names = server, names

    def put(self, record: str) -> str:
        domain = f"t{len(self.server.records)}.example.com"
        self.server.records[domain] = {"TXT": [record]}
        return domain

    def verdict(self, record: str, address: str = FOUR) -> Verdict:
        domain = self.put(record)
        return evaluate(self.names, domain, f"check@{domain}", ip_address(address))

    def survey(self, record: str) -> Survey | None:
        return survey(self.names, self.put(record))


@pytest.fixture(scope="module")
def spf() -> Iterator[Laboratory]:
    with dns(RECORDS) as (server, names):
        yield Laboratory(server, names)


@pytest.mark.parametrize(
    ("record", "four", "six", "other"),
    [
        ("v=spf1", "neutral", "neutral", "neutral"),
        ("v=spf1 -all", "fail", "fail", "fail"),
        ("v=spf1 ip4:203.0.113.5 -all", "pass", "fail", "fail"),
        ("v=spf1 ip4:203.0.113.0/24 ~all", "pass", "softfail", "softfail"),
        ("v=spf1  ip6:2001:db8::/32   ?all ", "neutral", "pass", "neutral"),
        ("v=spf1 -ip4:203.0.113.5 +all", "fail", "pass", "pass"),
        ("v=spf1 a:a.example.com -all", "pass", "pass", "fail"),
        ("v=spf1 a:near.example.com -all", "fail", "fail", "fail"),
        ("v=spf1 a:near.example.com/24 -all", "pass", "fail", "fail"),
        ("v=spf1 a:near.example.com//112 -all", "fail", "pass", "fail"),
        ("v=spf1 a:near.example.com/24//112 -all", "pass", "pass", "fail"),
        ("v=spf1 mx:mx.example.com -all", "pass", "pass", "fail"),
        # A domain without MX has no mail host for SPF, though mail goes to its address (5.4).
        ("v=spf1 mx:a.example.com ?all", "neutral", "neutral", "neutral"),
        ("v=spf1 include:yes.example.com -all", "pass", "fail", "fail"),
        ("v=spf1 include:no.example.com ?all", "neutral", "neutral", "neutral"),
        ("v=spf1 ~include:yes.example.com -all", "softfail", "fail", "fail"),
        ("v=spf1 include:upper.example.com -all", "pass", "fail", "fail"),
        ("v=spf1 redirect=yes.example.com", "pass", "fail", "fail"),
        ("v=spf1 redirect=soft.example.com ip4:203.0.113.5", "pass", "softfail", "softfail"),
        ("v=spf1 ?all redirect=yes.example.com", "neutral", "neutral", "neutral"),
        ("v=spf1 exists:%{ir}.%{v}.list.example.com -all", "pass", "fail", "fail"),
        ("v=spf1 exists:%{l}._l.list.example.com -all", "pass", "pass", "pass"),
        ("v=spf1 exists:six.list.example.com -all", "fail", "fail", "fail"),
        ("v=spf1 ptr ptr:example.com -all", "fail", "fail", "fail"),
        ("v=spf1 -all ip4:203.0.113.5", "fail", "fail", "fail"),
        ("v=spf1 exp=why.example.com foo=bar foo=baz ip4:203.0.113.5 -all", "pass", "fail", "fail"),
    ],
)
def test_each_record_says_of_each_address_what_the_rfc_says(
    spf: Laboratory, record: str, four: str, six: str, other: str
):
    assert [spf.verdict(record, address) for address in (FOUR, SIX, OTHER)] == [four, six, other]


@pytest.mark.parametrize(
    ("record", "why"),
    [
        ("v=spf1 oops", "“oops” means nothing"),
        ("v=spf1 ip4:203.0.113.5 oops -all", "“oops” means nothing"),
        ("v=spf1 all:example.com", "no way to write it"),
        ("v=spf1 ip4", "no way to write it"),
        ("v=spf1 ip4:2001:db8::1", "no way to write it"),
        ("v=spf1 ip6:203.0.113.5", "no way to write it"),
        ("v=spf1 ip4:203.0.113.5/33", "no way to write it"),
        ("v=spf1 a:a.example.com/33", "no way to write it"),
        ("v=spf1 a//129", "no way to write it"),
        ("v=spf1 ip4:203.0.113.0/024", "no way to write it"),
        ("v=spf1 -all redirect=", "“redirect=” is no domain"),
        ("v=spf1 -all exp=%{c}.example.com", "is no domain"),
        ("v=spf1 -all foo=50%", "“foo=50%” is no way to write it"),
        ("v=spf1 include", "no way to write it"),
        ("v=spf1 include:", "is no domain"),
        ("v=spf1 exists:%{q}.example.com", "is no domain"),
        ("v=spf1 exists:%{d0}.example.com", "is no domain"),
        ("v=spf1 include:%{c}.example.com", "is no domain"),
        ("v=spf1 include:50%.example.com", "is no domain"),
        ("v=spf1 include:example", "is no domain"),
        ("v=spf1 redirect=yes.example.com redirect=no.example.com", "redirect= twice"),
        ("v=spf1 include:nothing.example.com -all", "leads to nothing.example.com, which has no SPF record"),
        ("v=spf1 redirect=nothing.example.com", "leads to nothing.example.com, which has no SPF record"),
        ("v=spf1 include:void.example.com -all", "“oops” means nothing"),
        ("v=spf1 include:loop.example.com -all", "more than 10 lookups"),
        ("v=spf1 include:d0.example.com -all", "more than 10 lookups"),
        ("v=spf1 a:a.example.com mx:mx.example.com include:d2.example.com -all", "more than 10 lookups"),
        (
            "v=spf1 a:n1.example.com a:n2.example.com mx:n3.example.com -all",
            "more than 2 names in it lead nowhere, n3.example.com",
        ),
        ("v=spf1 mx:many.example.com -all", "more than 10 mail hosts"),
        ("v=spf1 \u00fc" + "x" * 200, "…”"),
    ],
)
def test_what_makes_a_record_void_makes_it_void_for_everybody_and_is_named(spf: Laboratory, record: str, why: str):
    with pytest.raises(BrokenError) as raised:
        spf.verdict(record, OTHER)
    assert why in str(raised.value)
    assert len(str(raised.value)) < 120


def test_ten_lookups_are_allowed_and_counted(spf: Laboratory):
    assert spf.verdict("v=spf1 include:d1.example.com -all") is Verdict.PASS
    found = survey(spf.names, "d0.example.com")
    assert found is not None
    assert found.lookups == 10


def test_a_record_that_is_too_long_is_void_although_the_relay_stands_at_its_beginning(spf: Laboratory):
    """A receiver that finds it there may still say pass; another one, for the next relay, does not."""
    record = f"v=spf1 ip4:{FOUR} include:loop.example.com -all"
    assert spf.verdict(record) is Verdict.PASS
    with pytest.raises(BrokenError, match="more than 10 lookups"):
        spf.survey(record)


def test_what_depends_on_who_connects_counts_and_is_not_followed_without_one(spf: Laboratory):
    asks = " ".join(f"exists:%{{{letter}}}.{letter}.example.com" for letter in "ivhp")
    record = f"v=spf1 include:%{{ir}}.%{{v}}.x.example.com {asks} ~all"
    found = spf.survey(record)
    assert found is not None
    assert found.lookups == 5
    assert not any(question.name.endswith((".x.example.com", ".i.example.com")) for question in spf.server.log)


@pytest.mark.parametrize(
    ("record", "versions"),
    [
        ("v=spf1 ip4:203.0.113.0/24 ip6:2001:db8::/32 -all", []),
        ("v=spf1 ip4:0.0.0.0/0 -all", [4]),
        ("v=spf1 ip4:0.0.0.0/1 ip4:128.0.0.0/1 -all", [4]),
        ("v=spf1 ip6:::/0 -all", [6]),
        ("v=spf1 a:a.example.com/0//0 -all", [4, 6]),
        ("v=spf1 include:open.example.com -all", [4, 6]),
        ("v=spf1 ?include:open.example.com -all", []),
        ("v=spf1 redirect=open.example.com", [4, 6]),
        ("v=spf1 exists:%{ir}.x.example.com exists:%{i}.y.example.com exists:%{i}.z.example.com +all", []),
    ],
)
def test_a_record_that_lets_everybody_send_is_known_wherever_it_says_so(
    spf: Laboratory, record: str, versions: list[int]
):
    """The last one is void for everybody but those whom it lists: it leads nowhere three times."""
    domain = spf.put(record)
    assert anybody(spf.names, domain, f"check@{domain}", ()) == versions


def test_no_record_is_none(spf: Laboratory):
    assert survey(spf.names, "a.example.com") is None
    assert evaluate(spf.names, "a.example.com", "x@a.example.com", ip_address(FOUR)) is Verdict.NONE


@pytest.mark.parametrize(
    ("spec", "want"),
    [
        # The examples of RFC 7208 7.4.
        ("%{s}", "strong-bad@email.example.com"),
        ("%{o}", "email.example.com"),
        ("%{d}", "email.example.com"),
        ("%{d4}", "email.example.com"),
        ("%{d2}", "example.com"),
        ("%{d1}", "com"),
        ("%{dr}", "com.example.email"),
        ("%{d2r}", "example.email"),
        ("%{l}", "strong-bad"),
        ("%{l-}", "strong.bad"),
        ("%{lr}", "strong-bad"),
        ("%{lr-}", "bad.strong"),
        ("%{l1r-}", "strong"),
        ("%{ir}.%{v}._spf.%{d2}", "3.2.0.192.in-addr._spf.example.com"),
        ("%{lr-}.lp._spf.%{d2}", "bad.strong.lp._spf.example.com"),
        ("%{ir}.%{v}.%{l1r-}.lp._spf.%{d2}", "3.2.0.192.in-addr.strong.lp._spf.example.com"),
        ("%{d2}.trusted-domains.example.net", "example.com.trusted-domains.example.net"),
        ("%%%_%-.x", "% %20.x"),
    ],
)
def test_macros_are_filled_in_as_the_rfc_shows_it(spec: str, want: str):
    values = {
        "s": "strong-bad@email.example.com",
        "l": "strong-bad",
        "o": "email.example.com",
        "d": "email.example.com",
        "i": "192.0.2.3",
        "v": "in-addr",
    }
    assert expand(spec, values) == want


def test_an_address_of_ipv6_is_written_nibble_by_nibble(spf: Laboratory):
    nibbles = ".".join(reversed("20010db8000000000000000000000005"))
    spf.server.records[f"{nibbles}.ip6.nib.example.com"] = {"A": ["127.0.0.2"]}
    assert spf.verdict("v=spf1 exists:%{ir}.%{v}.nib.example.com -all", SIX) is Verdict.PASS


@given(st.text(st.sampled_from("ainclude:4/6.%{}ir=~?-+ mx5pt\u00e9\x00"), max_size=60))
def test_any_text_is_a_record_or_is_void_and_nothing_else(text: str):
    try:
        record = parse(f"v=spf1 {text}")
    except BrokenError:
        return
    assert all(term.kind in {"all", "include", "a", "mx", "ptr", "ip4", "ip6", "exists"} for term in record.terms)
