"""SPF evaluated as receivers do it (RFC 7208 4): whether a domain's record lets letters come from an address.

Written here because it is small over `outagecast.names`: pyspf (2.0.14, of January 2020) has 2,000 lines, asks the DNS
by a resolver of its own that takes no other, and does not compile without warnings (tried with Python 3.11). Of the
203 cases of the RFC's own test suite (rfc7208-tests.yml) it judges all as they want but those of ptr, of the macros p
and h, and of IPv4 inside of IPv6 (November 2026).
"""

from __future__ import annotations

from ipaddress import IPv4Address, ip_address, ip_network
from typing import TYPE_CHECKING

import msgspec

from outagecast.channels.email.spf_record import (
    BrokenError,
    IPAddress,
    Record,
    Term,
    Verdict,
    expand,
    is_spf,
    of_the_connection,
    parse,
)
from outagecast.names import UnansweredError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from outagecast.names import Names

MOST_LOOKUPS = 10
"""Terms that ask the DNS, in all records together (4.6.4); one more and the record is void."""
_MOST_IN_VAIN = 2
"""Of their answers so many may be empty (4.6.4)."""
_MOST_MAIL_HOSTS = 10
_NOBODYS = [
    ip_address(address)
    for address in ("192.0.2.1", "198.51.100.201", "203.0.113.201", "2001:db8::1:201", "3fff::1", "3fff:201::1")
]
"""For examples only (RFC 5737, 3849, 9637): nobody sends from there."""


class Survey(msgspec.Struct, frozen=True):
    """What is true of a record whoever connects."""

    record: Record
    lookups: int


def survey(names: Names, domain: str) -> Survey | None:
    """Look at all of a domain's record; None when it has none. Raises BrokenError, UnansweredError."""
    walk = _Evaluation(names, None, "")
    record = walk.record(domain)
    if record is None:
        return None
    walk.verdict(domain)
    return Survey(record, walk.lookups)


def evaluate(names: Names, domain: str, sender: str, address: IPAddress) -> Verdict:
    """What the record says of this address; raises BrokenError, UnansweredError."""
    return _Evaluation(names, address, sender).verdict(domain)


def anybody(names: Names, domain: str, sender: str, but: Collection[IPAddress]) -> Sequence[int]:
    """Over which versions of IP the record lets everybody send, also by what it includes.

    Asked of addresses that are nobody's; `but` are those that it may rightly list.
    """
    strangers = [each for each in _NOBODYS if each not in but]
    closed = {each.version for each in strangers if not _lets_in(names, domain, sender, each)}
    return sorted({each.version for each in strangers} - closed)


def _lets_in(names: Names, domain: str, sender: str, address: IPAddress) -> bool:
    """What nobody answers, or is void for this address alone, lets nobody in."""
    try:
        return evaluate(names, domain, sender, address) is Verdict.PASS
    except (BrokenError, UnansweredError):
        return False


class _Evaluation:
    """One run through a record and all that it leads to; without an address nothing in it matches."""

    def __init__(self, names: Names, address: IPAddress | None, sender: str) -> None:
        self.lookups = 0
        self._names = names
        self._address = address
        self._sender = sender
        self._in_vain = 0

    def record(self, domain: str) -> Record | None:
        texts = [text for text in self._names.texts(domain) if is_spf(text)]
        if len(texts) > 1:
            raise BrokenError(f"there are {len(texts)} of them at {domain}, and there may be one")
        return parse(texts[0]) if texts else None

    def verdict(self, domain: str) -> Verdict:
        record = self.record(domain)
        if record is None:
            return Verdict.NONE
        for term in record.terms:
            if self._matches(term, domain):
                return term.verdict
        return self._elsewhere(record.redirect, domain) if record.redirect else Verdict.NEUTRAL

    def _matches(self, term: Term, domain: str) -> bool:
        if term.asks:
            self._count()
        if self._address is None and of_the_connection(term.domain):
            return False
        match term.kind:
            case "all":
                return True
            case "include":
                return self._elsewhere(term.domain, domain, counted=True) is Verdict.PASS and self._address is not None
            case "exists":
                return any("." in address for address in self._addresses(self._target(term.domain, domain)))
            case "a" | "mx":
                return any(self._near(address, term) for host in self._hosts(term, domain) for address in host)
        # ptr, with no network, matches nobody: it is not to be used (5.5), and many receivers pass over it.
        return self._address is not None and term.network is not None and self._address in term.network

    def _elsewhere(self, spec: str, domain: str, *, counted: bool = False) -> Verdict:
        """What another domain's record says: for include and redirect there must be one."""
        if not counted:
            self._count()
        if self._address is None and of_the_connection(spec):
            return Verdict.NEUTRAL
        target = self._target(spec, domain)
        found = self.verdict(target)
        if found is Verdict.NONE:
            raise BrokenError(f"it leads to {target}, which has no SPF record")
        return found

    def _hosts(self, term: Term, domain: str) -> Iterator[Sequence[str]]:
        """The addresses of each host that the term stands for."""
        target = self._target(term.domain, domain)
        if term.kind == "a":
            yield self._addresses(target)
            return
        hosts = self._names.exchangers(target)
        if len(hosts) > _MOST_MAIL_HOSTS:
            raise BrokenError(f"{target} has more than {_MOST_MAIL_HOSTS} mail hosts")
        if not hosts:
            self._nothing(target)
        for host in hosts:
            yield self._names.way(host).addresses

    def _addresses(self, host: str) -> Sequence[str]:
        found = self._names.way(host).addresses
        if not found:
            self._nothing(host)
        return found

    def _near(self, address: str, term: Term) -> bool:
        ours, theirs = self._address, ip_address(address)
        if ours is None or ours.version != theirs.version:
            return False
        bits = term.bits[0] if ours.version == 4 else term.bits[1]
        return ours in ip_network((theirs, bits), strict=False)

    def _target(self, spec: str, domain: str) -> str:
        address = self._address
        dotted = "" if address is None else str(address)
        if address is not None and not isinstance(address, IPv4Address):
            dotted = ".".join(address.exploded.replace(":", ""))
        local, _, of = self._sender.rpartition("@")
        values = {"s": self._sender, "l": local, "o": of, "d": domain, "i": dotted, "p": "unknown", "h": of}
        return expand(spec, {**values, "v": "in-addr" if isinstance(address, IPv4Address) else "ip6"}) or domain

    def _count(self) -> None:
        self.lookups += 1
        if self.lookups > MOST_LOOKUPS:
            raise BrokenError(f"it takes more than {MOST_LOOKUPS} lookups in the DNS")

    def _nothing(self, name: str) -> None:
        self._in_vain += 1
        if self._in_vain > _MOST_IN_VAIN:
            raise BrokenError(f"more than {_MOST_IN_VAIN} names in it lead nowhere, {name} the last")
