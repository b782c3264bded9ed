"""What is asked of the DNS, over real sockets: answers, detours, and everything that keeps an answer away."""

from __future__ import annotations

import socket
import threading
import time
from typing import TYPE_CHECKING

import pytest

from outagecast.dns_names import SystemNames, of_this_machine
from outagecast.names import UnansweredError, Way
from outagecast.sandbox.dns import NameServer, Trouble

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from outagecast.dns_names import Machine

LONG = "v=DKIM1; k=rsa; p=" + "kEy" * 200

RECORDS = {
    "example.net": {
        "NS": ["ns2.example.org", "NS1.example.net"],
        "MX": ["10 b.example.net", "5 A.example.net", "5 a.example.net"],
        "A": ["198.51.100.1"],
        "TXT": ["v=spf1 -all", 'quoted "and" ünicode \\ back'],
    },
    "www.example.net": {"CNAME": ["edge.example.org"]},
    "edge.example.org": {"CNAME": ["Host.Example.org"]},
    "host.example.org": {"A": ["198.51.100.7"], "AAAA": ["2001:db8::7"]},
    "example.org": {"NS": ["ns1.example.org"]},
    "apex.example.net": {"CNAME": ["example.org"]},
    "dangling.example.net": {"CNAME": ["gone.example.com"]},
    "loop.example.net": {"CNAME": ["pool.example.net"]},
    "pool.example.net": {"CNAME": ["loop.example.net"]},
    "evenly.example.net": {"MX": [f"5 {letter}.example.net" for letter in "gfedcba"]},
    "six.example.net": {"AAAA": ["2001:db8::6"]},
    "selector._domainkey.example.net": {"TXT": [LONG]},
    "nomail.example.net": {"MX": ["0 ."]},
    "com": {"NS": ["a.example.org"]},
}


def nothing(_host: str) -> Sequence[str]:
    raise OSError(socket.EAI_NONAME, "nothing here")


@pytest.fixture(scope="module")
def server() -> Iterator[NameServer]:
    with NameServer(RECORDS) as one:
        yield one


@pytest.fixture(autouse=True)
def untroubled(server: NameServer) -> None:
    server.troubles.clear()
    server.log.clear()


def names(server: NameServer, patience: float = 2.0, machine: Machine = nothing) -> SystemNames:
    return SystemNames(patience, [server.address], machine)


@pytest.mark.parametrize(
    ("host", "way"),
    [
        ("host.example.org", Way((), ("198.51.100.7", "2001:db8::7"))),
        ("WWW.example.net.", Way(("edge.example.org", "host.example.org"), ("198.51.100.7", "2001:db8::7"))),
        ("six.example.net", Way((), ("2001:db8::6",))),
        ("dangling.example.net", Way(("gone.example.com",), ())),
        ("missing.example.net", Way()),
        ("_domainkey.example.net", Way()),
        ("203.0.113.9", Way((), ("203.0.113.9",))),
        ("2001:db8::9", Way((), ("2001:db8::9",))),
        ("a..example.net", Way()),
        (f"{'long' * 20}.example.net", Way()),
    ],
)
def test_a_host_leads_through_its_aliases_to_its_addresses(server: NameServer, host: str, way: Way) -> None:
    assert names(server).way(host) == way


def test_texts_come_whole_however_they_were_cut(server: NameServer) -> None:
    asked = names(server)
    assert asked.texts("selector._domainkey.example.net") == (LONG,)
    assert set(asked.texts("example.net")) == {"v=spf1 -all", 'quoted "and" ünicode \\ back'}
    assert asked.texts("missing.example.net") == asked.texts("host.example.org") == ()


@pytest.mark.parametrize(
    ("domain", "hosts"),
    [
        ("example.net", ("a.example.net", "b.example.net")),
        ("host.example.org", ("host.example.org",)),
        ("nomail.example.net", ()),
        ("missing.example.net", ()),
        ("evenly.example.net", tuple(f"{letter}.example.net" for letter in "abcdefg")),
    ],
)
def test_mail_goes_to_the_most_preferred_host_first(server: NameServer, domain: str, hosts: tuple[str, ...]) -> None:
    assert names(server).mail_hosts(domain) == hosts
    assert names(server).exchangers(domain) == (() if hosts == (domain,) else hosts)


def test_addresses_come_in_the_same_order_however_the_dns_turns_them(server: NameServer) -> None:
    """The server here shuffles them."""
    addresses = [f"198.51.100.{number}" for number in range(3, 12)]
    server.records["turned.example.net"] = {"AAAA": ["2001:db8::2"], "A": addresses}
    assert names(server).way("turned.example.net").addresses == (*addresses, "2001:db8::2")


@pytest.mark.parametrize(
    ("name", "zone"),
    [
        ("selector._domainkey.example.net", ("example.net", ("ns1.example.net", "ns2.example.org"))),
        ("example.net", ("example.net", ("ns1.example.net", "ns2.example.org"))),
        # The zone of the name itself, not of what it is another name for.
        ("apex.example.net", ("example.net", ("ns1.example.net", "ns2.example.org"))),
        ("missing.example.com", ("com", ("a.example.org",))),
        ("nowhere.example", ("", ())),
    ],
)
def test_the_name_servers_are_those_of_the_closest_zone(server: NameServer, name: str, zone: object) -> None:
    assert names(server).name_servers(name) == zone


@pytest.mark.parametrize("trouble", [Trouble.TRUNCATED, Trouble.FORGED])
def test_an_answer_is_found_behind_one_that_is_cut_off_or_not_ours(server: NameServer, trouble: Trouble) -> None:
    server.troubles["host.example.org", "*"] = trouble
    assert names(server).way("host.example.org").addresses == ("198.51.100.7", "2001:db8::7")


def test_a_long_answer_comes_by_tcp(server: NameServer) -> None:
    assert names(server).texts("selector._domainkey.example.net") == (LONG,)
    assert [question.by for question in server.log] == ["udp", "tcp"]


@pytest.mark.parametrize("trouble", [Trouble.SILENCE, Trouble.SERVFAIL, Trouble.REFUSED, Trouble.GARBAGE])
def test_servers_that_fail_or_say_nothing_are_no_answer_and_take_no_longer_than_allowed(
    server: NameServer, trouble: Trouble
) -> None:
    server.troubles["*", "*"] = trouble
    asked = names(server, patience=0.2)
    began = time.monotonic()
    for question in (asked.way, asked.texts, asked.exchangers, asked.mail_hosts, asked.name_servers):
        with pytest.raises(UnansweredError, match=r"example\.net"):
            question("example.net")
    assert time.monotonic() - began < 10


def test_aliases_in_a_circle_are_no_answer(server: NameServer) -> None:
    with pytest.raises(UnansweredError):
        names(server).way("loop.example.net")


def test_a_name_that_is_denied_has_nothing(server: NameServer) -> None:
    server.troubles["example.net", "*"] = Trouble.NXDOMAIN
    asked = names(server)
    assert (asked.way("example.net"), asked.texts("example.net"), asked.mail_hosts("example.net")) == (Way(), (), ())


def test_where_only_half_is_answered_the_half_counts(server: NameServer) -> None:
    server.troubles["host.example.org", "AAAA"] = Trouble.SERVFAIL
    assert names(server).way("host.example.org").addresses == ("198.51.100.7",)


def test_what_only_this_machine_knows_counts_also_where_the_dns_is_silent(server: NameServer) -> None:
    def hosts(host: str) -> Sequence[str]:
        return {"here.example.net": ["192.0.2.5"], "host.example.org": ["192.0.2.5"]}.get(host) or nothing(host)

    asked = names(server, machine=hosts)
    assert asked.way("here.example.net") == Way((), ("192.0.2.5",))
    assert set(asked.way("host.example.org").addresses) == {"198.51.100.7", "2001:db8::7", "192.0.2.5"}
    server.troubles["*", "*"] = Trouble.SILENCE
    assert names(server, patience=0.2, machine=hosts).way("here.example.net") == Way((), ("192.0.2.5",))


def test_a_machine_that_hangs_over_a_name_holds_nothing_up(server: NameServer) -> None:
    released = threading.Event()

    def stuck(_host: str) -> Sequence[str]:
        released.wait(60)
        return ["192.0.2.5"]

    began = time.monotonic()
    assert names(server, patience=1.5, machine=stuck).way("host.example.org").addresses[0] == "198.51.100.7"
    assert time.monotonic() - began < 10
    released.set()


def test_the_machine_knows_itself() -> None:
    assert "127.0.0.1" in of_this_machine("localhost")


def test_each_question_is_asked_once_also_by_many_at_a_time(server: NameServer) -> None:
    asked = names(server)
    found: list[Way] = []
    threads = [threading.Thread(target=lambda: found.append(asked.way("host.example.org"))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 8
    assert server.asked("host.example.org") == ["A", "AAAA"]


def test_a_machine_without_any_dns_server_says_so() -> None:
    with pytest.raises(UnansweredError, match="no DNS server"):
        SystemNames(0.2, [], nothing).texts("example.net")
