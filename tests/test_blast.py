"""What goes dark together with us, told with the way that leads there; asked of a real name server on loopback."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, ClassVar

import pytest

from outagecast import registry
from outagecast.channel import Capabilities, Dependency, Finding, Level, Need, ReplyControl
from outagecast.checkup.blast import findings
from outagecast.checkup.leanings import bare_hosts, leanings, names_in
from outagecast.config import load
from outagecast.dns_names import SystemNames
from outagecast.model import LeastReplies
from outagecast.registry import Opened
from outagecast.sandbox.dns import NameServer, Trouble

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    Radius = Callable[..., list[Finding]]

OWN = "own: [example.com, 203.0.113.0/24, '2001:db8:113::/48']"
RECORDS: Mapping[str, Mapping[str, Sequence[str]]] = {
    # Ours: zones and hosts that go dark.
    "example.com": {"NS": ["ns1.example.com"], "MX": ["10 mx.example.com"]},
    "ns1.example.com": {"A": ["203.0.113.53"]},
    "mx.example.com": {"A": ["203.0.113.25"]},
    "www.example.com": {"A": ["203.0.113.80"]},
    # Elsewhere, and sound.
    "example.org": {"NS": ["ns1.example.org", "ns2.example.org"], "MX": ["10 mx.example.org"]},
    "ns1.example.org": {"A": ["198.51.100.53"]},
    "ns2.example.org": {"A": ["198.51.100.54"]},
    "mx.example.org": {"A": ["198.51.100.25"]},
    "smtp.example.org": {"A": ["198.51.100.26"], "AAAA": ["2001:db8:9::26"]},
    "help.example.org": {"A": ["198.51.100.80"]},
    # Elsewhere by their names, and yet they lead back to us.
    "sub.example.org": {"NS": ["ns1.example.com", "ns3.example.org"]},
    "ns3.example.org": {"A": ["203.0.113.54"]},
    "host.sub.example.org": {"A": ["198.51.100.90"]},
    "half.example.org": {"NS": ["ns1.example.com", "ns1.example.org"]},
    "host.half.example.org": {"A": ["198.51.100.91"]},
    "far.sub.example.org": {"NS": ["ns1.example.org"]},
    "host.far.sub.example.org": {"A": ["198.51.100.92"]},
    "away.example.org": {"CNAME": ["host.sub.example.org"]},
    "post.example.org": {"MX": ["10 host.sub.example.org"]},
    "split.example.org": {"NS": ["ns4.example.org"]},
    "ns4.example.org": {"A": ["203.0.113.55", "198.51.100.55"]},
    "host.split.example.org": {"A": ["198.51.100.93"]},
    "hidden.example.org": {"A": ["203.0.113.26"]},
    "six.example.org": {"AAAA": ["2001:db8:113::1"]},
    "both.example.org": {"A": ["198.51.100.27", "203.0.113.27"]},
    "cdn.example.org": {"CNAME": ["www.example.com"]},
    "mirror.example.org": {"CNAME": ["hidden.example.org"]},
    "lists.example.org": {"MX": ["10 mx.example.com", "20 mx.example.org"]},
    "nomail.example.org": {"MX": ["0 ."]},
    "key.example.org": {"CNAME": ["key.www.example.com"]},
    "key.www.example.com": {"TXT": ["v=DKIM1; p=none"]},
    "lost.example.org": {"CNAME": ["lost.sub.example.org"]},
    "spf.example.org": {"TXT": ["other", "v=spf1 ?include:Nets.example.com. include:spf2.example.org ~all"]},
    "spf2.example.org": {"TXT": ["v=spf1 include:spf.example.org -all"]},
    "turn.example.org": {"TXT": ["v=spf1 redirect=far.spf.example.org"]},
    "far.spf.example.org": {"CNAME": ["txt.sub.example.org"]},
    "txt.sub.example.org": {"TXT": ["v=spf1 include:last.example.com -all"]},
}


@pytest.fixture(scope="module")
def server() -> Iterator[NameServer]:
    with NameServer(RECORDS) as one:
        yield one


class Beacon:
    """A stranger's channel that leans on whatever a test says."""

    caps: ClassVar = Capabilities(replies=ReplyControl.NATIVE)
    name = "beacon"

    def __init__(self, endpoints: Sequence[str], leans: Sequence[Dependency]) -> None:
        self.endpoints, self._leans = endpoints, leans

    def depends(self) -> Sequence[Dependency]:
        return self._leans


@pytest.fixture
def radius(tmp_path: Path, server: NameServer) -> Radius:
    """What is found of a config with these lines and relays, and of a stranger's channel beside it."""
    server.troubles.clear()
    server.log.clear()

    def find(
        *leans: Dependency,
        top: str = OWN,
        relays: Sequence[str] = ("smtp.example.org",),
        endpoints: Sequence[str] = (),
        env: Mapping[str, str] | None = None,
        disk: str = "",
        patience: float = 10,
        dns: float = 2,
    ) -> list[Finding]:
        written = ", ".join(f"'smtp://{relay}'" for relay in relays)
        path = tmp_path / "c.yaml"
        path.write_text(
            f"organization: Example\n{top}\nchannels:\n  email:\n    sender: a@example.org\n    to: [b@example.org]\n"
            f"    relays: [{written}]\n  beacon: {{type: email}}\n"
        )
        config = load(path, {}, registry.settings_of)
        beacon = Opened("beacon", "beacon", LeastReplies.OPEN, Beacon(endpoints, leans))  # type: ignore[arg-type]  # what is used of it
        opened = {"email": registry.open_channel(config, config.channels["email"]), "beacon": beacon}
        names = SystemNames(dns, [server.address], machine=lambda _host: ())
        return list(findings(config, leanings(config, opened, env or {}, disk), names, patience))

    return find


def told(found: list[Finding], level: Level = Level.WARNING) -> list[str]:
    assert {one.channel for one in found} == {"blast radius"}
    assert all(one.do for one in found if one.level is not Level.GOOD)
    return [one.text for one in found if one.level is level]


def test_where_nothing_leads_back_to_us_one_line_says_how_much_was_looked_at(radius: Radius) -> None:
    found = radius(Dependency("the list", "example.org", Need.MAIL), top=f"{OWN}\nsupport: https://help.example.org/x")
    (good,) = told(found, Level.GOOD)
    assert good.startswith("3 names ")
    assert len(found) == 1


@pytest.mark.parametrize(
    ("dependency", "chain"),
    [
        (("h", "www.example.com"), "www.example.com is inside example.com"),
        (("h", "WWW.Example.COM."), "www.example.com is inside example.com"),
        (("h", "203.0.113.9"), "203.0.113.9 is inside 203.0.113.0/24"),
        (("h", "::ffff:203.0.113.9"), "::ffff:203.0.113.9 is inside 203.0.113.0/24"),
        (("m", "[203.0.113.9]"), "203.0.113.9 is inside 203.0.113.0/24"),
        (("h", "hidden.example.org"), "hidden.example.org → 203.0.113.26 is inside 203.0.113.0/24"),
        (("h", "six.example.org"), "six.example.org → 2001:db8:113::1 is inside 2001:db8:113::/48"),
        (("h", "both.example.org"), "both.example.org → 203.0.113.27 is inside 203.0.113.0/24"),
        (("h", "cdn.example.org"), "cdn.example.org → www.example.com (alias) is inside example.com"),
        (
            ("h", "mirror.example.org"),
            "mirror.example.org → hidden.example.org (alias) → 203.0.113.26 is inside 203.0.113.0/24",
        ),
        (("m", "lists.example.org"), "lists.example.org → its mail host mx.example.com is inside example.com"),
        (
            ("h", "host.sub.example.org"),
            "host.sub.example.org → its name server ns1.example.com is inside example.com",
        ),
        (
            ("h", "host.sub.example.org"),
            "host.sub.example.org → its name server ns3.example.org → 203.0.113.54 is inside 203.0.113.0/24",
        ),
        (
            ("h", "away.example.org"),
            "away.example.org → host.sub.example.org (alias) → its name server ns1.example.com is inside example.com",
        ),
        (
            ("m", "post.example.org"),
            "post.example.org → its mail host host.sub.example.org → its name server ns1.example.com is inside example.com",
        ),
        (("r", "key.example.org"), "key.example.org → key.www.example.com (alias) is inside example.com"),
        (
            ("r", "lost.example.org"),
            "lost.example.org → lost.sub.example.org (alias) → its name server ns1.example.com is inside example.com",
        ),
        (("s", "spf.example.org"), "spf.example.org → nets.example.com (in its SPF record) is inside example.com"),
        (
            ("s", "turn.example.org"),
            "turn.example.org → far.spf.example.org (in its SPF record) → txt.sub.example.org (alias) → last.example.com (in its SPF record) is inside example.com",
        ),
        (
            ("s", "far.spf.example.org"),
            "far.spf.example.org → last.example.com (in its SPF record) is inside example.com",
        ),
        (
            ("r", "key.sub.example.org"),
            "key.sub.example.org → its name server ns1.example.com is inside example.com",
        ),
        (
            ("h", "host.far.sub.example.org"),
            "host.far.sub.example.org → the name server ns1.example.com of sub.example.org above it is inside example.com",
        ),
    ],
)
def test_each_way_that_leads_inside_is_told_step_by_step(
    radius: Radius, dependency: tuple[str, str], chain: str
) -> None:
    need = {"h": Need.HOST, "m": Need.MAIL, "r": Need.RECORD, "s": Need.SPF}[dependency[0]]
    found = radius(Dependency("the page", dependency[1], need))
    assert f"beacon: the page: {chain}" in told(found)
    assert not told(found, Level.GOOD)


def test_an_spf_record_that_stays_elsewhere_is_sound_and_what_has_no_one_name_is_passed_over(
    radius: Radius, server: NameServer
) -> None:
    server.records["calm.example.org"] = {"TXT": ["v=spf1 include:%{i}.example.com include:calm.example.org -all", "x"]}
    assert told(radius(Dependency("the list", "calm.example.org", Need.SPF)), Level.GOOD)
    assert not any("example.com" in question.name for question in server.log)


def test_a_zone_goes_on_as_long_as_one_of_its_name_servers_does(radius: Radius, server: NameServer) -> None:
    half = Dependency("the page", "host.half.example.org")
    assert told(radius(half, Dependency("the page", "host.split.example.org")), Level.GOOD)
    # One that answers for nothing keeps no zone alive.
    server.troubles["ns1.example.org", "*"] = Trouble.NXDOMAIN
    assert any("its name server ns1.example.com is inside" in text for text in told(radius(half)))


def test_what_to_do_fits_the_way_inside(radius: Radius) -> None:
    found = radius(
        Dependency("the page", "host.sub.example.org"),
        relays=["hidden.example.org", "smtp.example.org"],
        top=f"{OWN}\nsupport: help@example.com",
    )
    does = {one.text.partition(":")[0]: one.do for one in found}
    assert "name server at another provider" in does["beacon"]
    assert "sub.example.org" in does["beacon"]
    assert "relay at another provider" in does["email"]
    assert "`support:`" in does["where readers are sent (`support"]


def test_many_of_a_kind_in_one_place_are_one_warning_with_three_ways(radius: Radius) -> None:
    found = radius(*(Dependency("the list", f"l{n}.example.com", Need.RECORD) for n in range(5)))
    (text,) = told(found)
    assert text.count(" is inside example.com") == 3
    assert text.endswith("; and 2 more")


def test_the_shortest_way_of_a_name_is_the_one_that_is_told(radius: Radius) -> None:
    """Its mail host, its name server and its own name all lie in example.com."""
    (text,) = [
        each for each in told(radius(Dependency("the list", "example.com", Need.MAIL))) if "example.com" in each
    ][:1]
    assert text == "beacon: the list: example.com is inside example.com"


def test_what_stands_behind_a_host_of_ours_is_no_more_news(radius: Radius) -> None:
    """Its alias is ours by name; that the alias has an address and name servers of ours as well says nothing new."""
    texts = told(radius(Dependency("the page", "cdn.example.org")))
    assert texts == ["beacon: the page: cdn.example.org → www.example.com (alias) is inside example.com"]


@pytest.mark.parametrize(
    ("relays", "bad"),
    [
        (["hidden.example.org", "smtp.example.com"], True),
        (["host.sub.example.org"], True),
        (["hidden.example.org", "smtp.example.org"], False),
        (["both.example.org"], False),  # there is a way past us
    ],
)
def test_a_channel_whose_every_relay_goes_dark_is_bad(radius: Radius, relays: list[str], bad: bool) -> None:
    found = radius(relays=relays)
    assert any("no letter would go out" in text for text in told(found, Level.BAD)) is bad
    assert told(found)


def test_what_a_channel_says_it_leans_on_comes_beside_its_endpoints(radius: Radius) -> None:
    found = radius(
        Dependency("the hub", "hub.example.com"),
        Dependency("the key", "key.example.com", Need.RECORD),
        endpoints=["hub.example.com", "other.example.com"],
    )
    assert {text.split(" is inside")[0] for text in told(found)} >= {
        "beacon: the hub: hub.example.com",
        "beacon: the key: key.example.com",
        "beacon: its host: other.example.com",
    }
    assert told(found, Level.BAD)[0].startswith("beacon: ")


@pytest.mark.parametrize(
    ("more", "label"),
    [
        ({"top": f"{OWN}\nsupport: https://www.example.com/help"}, "where readers are sent (`support:`)"),
        ({"top": f"{OWN}\nsupport: www.example.com"}, "where readers are sent (`support:`)"),
        ({"top": f"{OWN}\nsupport: mailto:help@example.com?subject=x"}, "where readers are sent (`support:`)"),
        ({"top": f"{OWN}\nsupport: help@example.com"}, "where readers are sent (`support:`)"),
        ({"top": f"{OWN}\nsupport: +49 30 1\nnotice: 'See (https://www.example.com:8443/x).'"}, "a link in `notice:`"),
        ({"top": f"{OWN}\nsupport: www.example.com/outages"}, "where readers are sent (`support:`)"),
        ({"top": f"{OWN}\nsupport: status page www.example.com or +49 30 1"}, "where readers are sent (`support:`)"),
        ({"top": f"{OWN}\nsupport: +49 30 1\nnotice: 'Help: www.example.com'"}, "a link in `notice:`"),
        ({"env": {"HTTPS_PROXY": "http://u:secret@proxy.example.com:3128"}}, "the proxy ($HTTPS_PROXY)"),
        ({"env": {"http_proxy": "proxy.example.com:3128"}}, "the proxy ($http_proxy)"),
        ({"disk": "files.example.com"}, "the journal's disk"),
    ],
)
def test_what_the_config_and_the_environment_lean_on_is_looked_at_too(
    radius: Radius, more: dict[str, object], label: str
) -> None:
    texts = told(radius(**more))
    assert any(text.startswith(f"{label}: ") and text.endswith(" is inside example.com") for text in texts)
    assert "secret" not in "".join(texts)


def test_links_in_the_users_templates_are_looked_at(radius: Radius, tmp_path: Path) -> None:
    (tmp_path / "t").mkdir()
    (tmp_path / "t" / "opened.j2").write_text("{{ message }} https://www.example.com/{{ key }} {{ link }}")
    (tmp_path / "t" / "update.j2").write_text("{{ message }} See help.example.com")
    assert told(radius(top=f"{OWN}\ntemplates: ./t")) == [
        "a link in opened.j2: www.example.com is inside example.com",
        "a link in update.j2: help.example.com is inside example.com",
    ]


def test_a_host_that_readers_would_type_is_found_without_a_link_and_other_words_with_dots_are_none() -> None:
    text = (
        "Node.js 10.0.0.1 e.g. i.e. v1.2.3 5 p.m. main.c …end.Then opened.j2 https://l.example.org/a.example.com "
        "<m@n.example.org> @x.example.com {{ x.name }}{% set x.title = y.info %}{# see z.example.com #}"
        "Help.example.com/outages, (b.example.org:8443) *c.example.net*. d.example.com. bücher.example.org пример.рф"
    )
    assert list(bare_hosts(text)) == [
        "help.example.com",
        "b.example.org",
        "c.example.net",
        "d.example.com",
        "xn--bcher-kva.example.org",
        "xn--e1afmkfd.xn--p1ai",
    ]


def test_a_word_that_may_be_no_host_is_not_told_as_missing(radius: Radius) -> None:
    top = f"{OWN}\nsupport: 'readme.md, gone.example.org or www.example.com'"
    texts = told(radius(top=top))
    assert texts == ["where readers are sent (`support:`): www.example.com is inside example.com"]


def test_the_hosts_in_a_text_are_found_whatever_stands_around_them() -> None:
    text = 'See https://a.example.org. (http://b.example.org:8080/x), "HTTPS://C.example.org?q", https://münchen.example, <d@e.example.org> https://u@f.example.org and https://{{ nothing }} http://[::1'
    assert list(names_in(text)) == [
        ("a.example.org", Need.HOST),
        ("b.example.org", Need.HOST),
        ("c.example.org", Need.HOST),
        ("xn--mnchen-3ya.example", Need.HOST),
        ("f.example.org", Need.HOST),
        ("e.example.org", Need.MAIL),
    ]


def test_names_that_lead_nowhere_are_told_once_each_and_are_not_called_sound(radius: Radius) -> None:
    found = radius(
        Dependency("the page", "typo.example.org"), Dependency("the list", "nomail.example.org", Need.MAIL), top=""
    )
    assert sorted(told(found)) == [
        "beacon: the list: nomail.example.org cannot be looked up: no host takes its mail",
        "beacon: the page: typo.example.org cannot be looked up: the DNS has no address for it",
    ]
    assert len(found) == 2


def test_what_a_channel_itself_looks_for_is_not_told_twice(radius: Radius) -> None:
    """Mail asks the DNS for its relays and domains, and says more of each."""
    assert radius(relays=["typo.example.org"], top="") == []
    assert told(radius(relays=["typo.example.com"])) == [
        "email: a relay: typo.example.com is inside example.com",
    ]


def test_names_that_nobody_answers_for_are_one_warning_and_hold_nobody_up(radius: Radius, server: NameServer) -> None:
    server.troubles["smtp.example.org", "*"] = Trouble.SERVFAIL
    server.troubles["slow.example.org", "*"] = Trouble.SILENCE
    pages = [Dependency("the page", name) for name in ("www.example.com", "slow.example.org")]
    began = time.monotonic()
    found = radius(*pages, patience=0.6, dns=60)
    assert time.monotonic() - began < 20
    assert "beacon: the page: www.example.com is inside example.com" in told(found)
    (silent,) = [text for text in told(found) if text.startswith("cannot be looked up now: ")]
    assert {"smtp.example.org", "slow.example.org"} <= set(silent.replace(",", "").split())


def test_own_hosts_are_found_by_their_names_even_when_the_dns_is_down(radius: Radius, server: NameServer) -> None:
    server.troubles["*", "*"] = Trouble.SERVFAIL
    texts = told(radius(relays=["smtp.example.com"]))
    assert any(text.endswith("relay: smtp.example.com is inside example.com") for text in texts)


def test_without_own_nothing_is_said_to_be_safe(radius: Radius) -> None:
    (good,) = told(radius(top=""), Level.GOOD)
    assert good.endswith(" that the night depends on can be looked up")
