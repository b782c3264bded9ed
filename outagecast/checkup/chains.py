"""How a name leads into what goes dark together with us: by itself, or over what the DNS says stands behind it."""

from __future__ import annotations

import re
from ipaddress import ip_address, ip_network
from typing import TYPE_CHECKING, TypeVar

import msgspec

from outagecast.model import Need
from outagecast.names import UnansweredError, Way

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from outagecast.model import Dependency
    from outagecast.names import Names

_SPF = re.compile(r"v=spf1( |\Z)", re.IGNORECASE)
_LEADS = re.compile(r" (?:[+?~-]?include:|redirect=)([^ ]+)", re.IGNORECASE)
_MOST_RECORDS = 10

T = TypeVar("T")
Chain = tuple[str, ...]


class Hit(msgspec.Struct, frozen=True):
    """One way in: the steps in words, and the domain or network of `own:` at their end."""

    place: str
    chain: Chain
    partly: bool = False
    """Another address of the same host lies outside."""
    zone: str = ""
    """Where the name servers of this zone are what lies inside."""

    @property
    def told(self) -> str:
        """In words: `smtp.example.com → 203.0.113.25 is inside 203.0.113.0/24`."""
        return f"{' → '.join(self.chain)} is inside {self.place}"


class Ours:
    """The domains and networks of `own:`."""

    def __init__(self, own: Sequence[str]) -> None:
        self._networks = {place: ip_network(place) for place in own if _is_network(place)}
        self._domains = [place for place in own if place not in self._networks]

    def around(self, name: str) -> list[str]:
        """Those that a host, a domain or an address lies in."""
        try:
            address = ip_address(name)
        except ValueError:
            return [domain for domain in self._domains if f".{name}".endswith(f".{domain}")]
        address = getattr(address, "ipv4_mapped", None) or address
        return [place for place, network in self._networks.items() if address in network]


class Walk:
    """Everything that is found out about one dependency; what stands here after a time-out is what was found by then.

    Only questions to the DNS: none of these hosts is spoken to.
    """

    def __init__(self, dependency: Dependency, names: Names, ours: Ours) -> None:
        self.dependency = dependency
        self.hits: list[Hit] = []
        self.silent: dict[str, str] = {}
        """Names that nobody answered for, and why."""
        self.missing = ""
        """What is wrong with the name, where the DNS says that it is of no use."""
        self.ended = False
        self._names = names
        self._ours = ours

    def run(self) -> None:
        """Ask everything. Hits are kept as they are found."""
        name, need = self.dependency.name, self.dependency.need
        if need is Need.SPF:
            self._included(name, (name,), {name})
        else:
            self._note(name, (name,))
            if not _is_address(name):
                self._behind(name, need)
                self._zones(name, (name,))
        self.ended = True

    def _behind(self, name: str, need: Need) -> None:
        if need is Need.MAIL:
            self._mail(name)
        elif need is Need.RECORD:
            self._aliases(name, (name,))
        elif not self._host(name, (name,)):
            self.missing = "the DNS has no address for it"

    def _note(self, name: str, chain: Chain, *, partly: bool = False) -> None:
        self.hits += [Hit(place, chain, partly) for place in self._ours.around(name)]

    def _host(self, name: str, chain: Chain) -> bool:
        """What is behind a host; whether there is anything, or nobody says."""
        way, chain = self._aliases(name, chain)
        if way is None:
            return True
        inside = [address for address in way.addresses if self._ours.around(address)]
        for address in inside:
            self._note(address, (*chain, address), partly=len(inside) < len(way.addresses))
        return bool(way.addresses)

    def _aliases(self, name: str, chain: Chain) -> tuple[Way | None, Chain]:
        """What a name is an alias of, one after the other; and the chain that leads to the last."""
        way = self._ask(name, self._names.way)
        for alias in way.aliases if way else ():
            chain = (*chain, f"{alias} (alias)")
            self._note(alias, chain)
            self._zones(alias, chain)
        return way, chain

    def _included(self, domain: str, chain: Chain, seen: set[str]) -> None:
        """The records that an SPF record leads to. The domain itself is looked at for its mail."""
        texts = self._ask(domain, self._names.texts) or ()
        led = [found for text in texts if _SPF.match(text) for found in _LEADS.findall(text)]
        for name in (written.lower().rstrip(".") for written in led):
            # What depends on who connects is no one name; more than ten make the record void (RFC 7208 4.6.4).
            if "%" in name or name in seen or len(seen) > _MOST_RECORDS:
                continue
            seen.add(name)
            step = (*chain, f"{name} (in its SPF record)")
            self._note(name, step)
            _, behind = self._aliases(name, step)
            self._zones(name, step)
            self._included(name, behind, seen)

    def _mail(self, domain: str) -> None:
        hosts = self._ask(domain, self._names.mail_hosts)
        if hosts is None:
            return
        taken = [self._mail_host(domain, host) for host in hosts]
        if not any(taken):
            self.missing = "no host takes its mail"

    def _mail_host(self, domain: str, host: str) -> bool:
        chain: Chain = (domain,)
        if host != domain:
            chain = (domain, f"its mail host {host}")
            self._note(host, chain)
            self._zones(host, chain)
        return self._host(host, chain)

    def _zones(self, name: str, chain: Chain) -> None:
        """The name servers of the zone that a name lies in, and of each zone above: without one, none below is found.

        A zone goes on as long as one of its name servers does.
        """
        rest = name
        while rest and (answer := self._ask(rest, self._names.name_servers)) and "." in answer[0]:
            zone, servers = answer
            words = "its name server {}" if rest == name else f"the name server {{}} of {zone} above it"
            judged = [self._server(server, (*chain, words.format(server)), zone) for server in servers]
            if not any(hits == [] for hits in judged):
                self.hits += [hit for hits in judged for hit in hits or ()]
            rest = zone.partition(".")[2]

    def _server(self, server: str, chain: Chain, zone: str) -> list[Hit] | None:
        """How a name server goes dark together with us: not at all, or None where it is none that answers."""
        if places := self._ours.around(server):
            return [Hit(place, chain, zone=zone) for place in places]
        way = self._ask(server, self._names.way) or Way()
        if not way.addresses:
            return None
        found = [Hit(place, (*chain, a), zone=zone) for a in way.addresses for place in self._ours.around(a)]
        return found if len({hit.chain for hit in found}) == len(way.addresses) else []

    def _ask(self, name: str, question: Callable[[str], T]) -> T | None:
        """The answer; None where nobody gives one."""
        try:
            return question(name)
        except UnansweredError as err:
            self.silent[name] = str(err)
            return None


def _is_network(place: str) -> bool:
    try:
        ip_network(place)
    except ValueError:
        return False
    return True


def _is_address(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return False
    return True
