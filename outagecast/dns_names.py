"""The DNS as this machine sees it: bounded questions through its own resolvers, and what only the machine knows."""

from __future__ import annotations

import socket
import threading
import time
from concurrent.futures import Future
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any

import msgspec

from outagecast.names import UnansweredError, Way

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from dns.resolver import Answer, Resolver

    Machine = Callable[[str], Sequence[str]]
    """What this machine has for a name; raises OSError or UnicodeError where it has nothing."""


def of_this_machine(host: str) -> Sequence[str]:
    """The addresses that a connection to this name would try, from wherever this machine has them."""
    return [str(found[4][0]).partition("%")[0] for found in socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)]


class _Records(msgspec.Struct, frozen=True):
    """An answer: the aliases on the way to it, and the records there. Nothing of both where there is no such name."""

    exists: bool = False
    aliases: tuple[str, ...] = ()
    found: tuple[Any, ...] = ()
    """dnspython's own classes of record data."""


class SystemNames:
    """`outagecast.names.Names`, for several threads at once: each thing is asked once, and its answer kept.

    `patience` are the seconds that each may take; `resolver` are name servers (address and port) to be asked instead
    of those in /etc/resolv.conf.
    """

    def __init__(
        self,
        patience: float = 5.0,
        resolver: Sequence[tuple[str, int]] | None = None,
        machine: Machine = of_this_machine,
    ) -> None:
        self._patience = patience
        self._servers = resolver
        self._machine = machine
        self._lock = threading.Lock()
        self._asked: dict[tuple[str, str], Future[_Records]] = {}
        self._known: dict[str, Future[Sequence[str]]] = {}

    def way(self, host: str) -> Way:
        """Where a host is; also what only this machine knows (/etc/hosts)."""
        name = _plain(host)
        if _is_address(name):
            return Way(addresses=(name,))
        ends = time.monotonic() + self._patience
        known = self._on_this_machine(name)
        aliases: Sequence[str] = ()
        addresses: list[str] = []
        unanswered = None
        for kind in ("A", "AAAA"):
            try:
                records = self._ask(name, kind)
            except UnansweredError as err:
                unanswered = err
                break
            aliases = max(aliases, records.aliases, key=len)
            addresses += [record.address for record in records.found]
        addresses += _in_time(known, ends)
        if unanswered and not addresses:
            raise unanswered
        # A DNS that spreads the load gives them in another order each time.
        return Way(tuple(aliases), tuple(sorted(dict.fromkeys(addresses), key=_order)))

    def texts(self, name: str) -> Sequence[str]:
        """The TXT records at a name, each with its strings put together."""
        records = self._ask(_plain(name), "TXT")
        return tuple(b"".join(record.strings).decode("utf-8", "replace") for record in records.found)

    def exchangers(self, domain: str) -> Sequence[str]:
        """The hosts that a domain's MX records name, most preferred first; none where it has no such record."""
        return _ranked(self._ask(_plain(domain), "MX"))

    def mail_hosts(self, domain: str) -> Sequence[str]:
        """The hosts that take a domain's mail, most preferred first; the domain itself where it has no MX."""
        name = _plain(domain)
        records = self._ask(name, "MX")
        return (name,) if records.exists and not records.found else _ranked(records)

    def name_servers(self, name: str) -> tuple[str, Sequence[str]]:
        """The zone that a name lies in, and the hosts that answer for it; nothing of both where there is none."""
        zone = _plain(name)
        while zone:
            records = self._ask(zone, "NS")
            # Behind an alias stand the name servers of another name's zone.
            if records.found and not records.aliases:
                return zone, tuple(sorted(_text(record.target) for record in records.found))
            zone = zone.partition(".")[2]
        return "", ()

    def _ask(self, name: str, kind: str) -> _Records:
        with self._lock:
            answer = self._asked.get((name, kind))
            first = answer is None
            answer = answer or self._asked.setdefault((name, kind), Future())
        if first:
            try:
                answer.set_result(_resolve(self._servers, name, kind, self._patience))
            except BaseException as err:
                answer.set_exception(err)
                raise
        return answer.result()

    def _on_this_machine(self, name: str) -> Future[Sequence[str]]:
        """Ask it in a thread of its own: nothing ends this question from outside."""
        with self._lock:
            answer = self._known.get(name)
            if answer is None:
                answer = self._known[name] = Future()
                threading.Thread(target=_fill, args=(answer, self._machine, name), daemon=True).start()
        return answer


def _ranked(records: _Records) -> Sequence[str]:
    """The hosts of MX records; those that nothing but chance puts in order come by their names."""
    ranked = sorted((record.preference, _text(record.exchange)) for record in records.found)
    # The one that stands for "takes no mail" (RFC 7505) is the root: no name at all.
    return tuple(dict.fromkeys(host for _, host in ranked if host))


def _plain(name: str) -> str:
    return name.lower().rstrip(".")


def _text(name: Any) -> str:
    """A name of dnspython's as ours are written; empty for the root."""
    return _plain(name.to_text())


def _order(address: str) -> tuple[int, int]:
    known = ip_address(address)
    return known.version, int(known)


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def _fill(answer: Future[Sequence[str]], machine: Machine, name: str) -> None:
    try:
        answer.set_result(machine(name))
    except (OSError, UnicodeError):
        # It has nothing of its own, or asked the DNS in vain as we do.
        answer.set_result(())


def _in_time(answer: Future[Sequence[str]], ends: float) -> Sequence[str]:
    try:
        return answer.result(max(0.0, ends - time.monotonic()))
    except TimeoutError:
        return ()


def _resolve(servers: Sequence[tuple[str, int]] | None, name: str, kind: str, seconds: float) -> _Records:
    """One question, with the retries, the other servers and the change to TCP that dnspython has."""
    import dns.exception
    import dns.name
    import dns.resolver

    try:
        question = dns.name.from_text(name)
    except dns.exception.DNSException:
        return _Records()  # longer than a name can be, say: nobody can have it
    try:
        answer = _resolver(servers).resolve(question, kind, search=False, raise_on_no_answer=False, lifetime=seconds)
    except dns.resolver.NXDOMAIN as err:
        nothing: Any = err  # the one class there without types
        return _Records(aliases=_aliases(nothing.response(question).resolve_chaining().cnames))
    except dns.resolver.NoResolverConfiguration as err:
        raise UnansweredError("this machine has no DNS server to ask (/etc/resolv.conf)") from err
    except dns.exception.Timeout as err:
        raise UnansweredError(f"the DNS gave no answer for {name} in time") from err
    except dns.exception.DNSException as err:
        raise UnansweredError(f"the DNS servers failed to answer for {name}") from err
    return _records(answer)


def _resolver(servers: Sequence[tuple[str, int]] | None) -> Resolver:
    import dns.nameserver
    import dns.resolver

    resolver = dns.resolver.Resolver(configure=servers is None)
    if servers is not None:
        resolver.nameservers = [dns.nameserver.Do53Nameserver(address, port) for address, port in servers]
    if not resolver.nameservers:
        raise dns.resolver.NoResolverConfiguration
    return resolver


def _records(answer: Answer) -> _Records:
    aliases = _aliases(answer.chaining_result.cnames)
    return _Records(exists=True, aliases=aliases, found=tuple(answer.rrset or ()))


def _aliases(chain: Sequence[Any]) -> tuple[str, ...]:
    return tuple(_text(alias[0].target) for alias in chain)
