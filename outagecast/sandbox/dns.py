"""A name server on this machine, that knows every zone it is given: over UDP and TCP, with what goes wrong there."""

from __future__ import annotations

import socket
import struct
import threading
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Self

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdata
import dns.rdataclass
import dns.rdatatype
import dns.rrset

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

_HOST = "127.0.0.1"
_TTL = 60
_LONGEST_CHAIN = 8
_UDP = 512
"""Octets of an answer over UDP without EDNS (RFC 1035 4.2.1); what is longer is cut, and the client comes by TCP."""


class Trouble(StrEnum):
    """How a question goes wrong."""

    SILENCE = "silence"
    """No answer ever comes."""
    SERVFAIL = "servfail"
    REFUSED = "refused"
    NXDOMAIN = "nxdomain"
    """There is no such name, whatever the records say."""
    TRUNCATED = "truncated"
    """The answer over UDP is cut off, so that it takes TCP."""
    FORGED = "forged"
    """Before the answer comes one with another id, as from somebody who guesses."""
    GARBAGE = "garbage"
    """The answer is no message at all."""


@dataclass(frozen=True, slots=True)
class Question:
    """What was asked, and how."""

    name: str
    type: str
    by: str
    """udp or tcp."""


class NameServer:
    """Answers for `records`: by name, by type, the values as in a zone file (all names absolute, no dot at the end).

    `{"example.net": {"MX": ["10 mx.example.net"], "TXT": ["v=spf1 -all"]}}`; a TXT value is the text itself, cut into
    strings as it goes out. A name below which there are names exists. `*.example.net` answers for what has no name of
    its own. Aliases are followed as far as the records go, as a resolver does. All may be changed as it runs.
    """

    def __init__(self, records: Mapping[str, Mapping[str, Sequence[str]]] | None = None) -> None:
        self.records = {name.lower(): dict(of) for name, of in (records or {}).items()}
        self.troubles: dict[tuple[str, str], Trouble] = {}
        """By name and type; "*" stands for every one."""
        self.log: list[Question] = []
        self._closing = threading.Event()
        self._lock = threading.Lock()
        self._open: set[socket.socket] = set()
        self._threads: list[threading.Thread] = []
        self._listener, self._datagrams = _same_port()
        self.port: int = self._listener.getsockname()[1]

    @property
    def address(self) -> tuple[str, int]:
        """Where it answers, over UDP and over TCP."""
        return _HOST, self.port

    def asked(self, name: str) -> list[str]:
        """The types that were asked of a name so far."""
        with self._lock:
            return [question.type for question in self.log if question.name == name]

    def __enter__(self) -> Self:
        self._run(self._hear)
        self._run(self._accept)
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Stop answering, hang up, and wait for the threads. Idempotent."""
        if self._closing.is_set():
            return
        self._closing.set()
        # A datagram wakes the thread that waits for one; closing the socket alone would not.
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as waker:
            waker.sendto(b"", self.address)
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        with self._lock:
            visitors = list(self._open)
        for sock in visitors:
            with suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(5)
        self._listener.close()
        self._datagrams.close()

    def _run(self, work: object, *args: object) -> None:
        thread = threading.Thread(target=work, args=args, name="name server", daemon=True)  # type: ignore[arg-type]  # any callable
        self._threads.append(thread)
        thread.start()

    # -- over UDP and TCP --------------------------------------------------------------------------------------------

    def _hear(self) -> None:
        while True:
            wire, client = self._datagrams.recvfrom(65_535)
            if self._closing.is_set():
                return
            for answer in self._answers(wire, "udp"):
                with suppress(OSError):  # whoever asked has gone
                    self._datagrams.sendto(answer, client)

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                sock, _ = self._listener.accept()
                self._run(self._converse, sock)

    def _converse(self, sock: socket.socket) -> None:
        with self._lock:
            self._open.add(sock)
        try:
            with sock.makefile("rb") as reader:
                while not self._closing.is_set() and len(head := reader.read(2)) == 2:
                    for answer in self._answers(reader.read(*struct.unpack("!H", head)), "tcp"):
                        sock.sendall(struct.pack("!H", len(answer)) + answer)
        except OSError:
            pass  # the client is gone
        finally:
            with self._lock:
                self._open.discard(sock)
            sock.close()

    # -- what it says ------------------------------------------------------------------------------------------------

    def _answers(self, wire: bytes, by: str) -> Iterator[bytes]:
        """What goes back for one question: usually one message."""
        try:
            query = dns.message.from_wire(wire)
            asked = query.question[0]
        except (dns.exception.DNSException, IndexError):
            return  # no question
        name, kind = _text(asked.name), dns.rdatatype.to_text(asked.rdtype)
        with self._lock:
            self.log.append(Question(name, kind, by))
        trouble = self._trouble(name, kind)
        if trouble is Trouble.SILENCE:
            return
        if trouble is Trouble.GARBAGE:
            yield wire[:7]
            return
        if trouble is Trouble.FORGED:
            yield _forged(query)
        answer = self._answer(query, name, kind, trouble)
        packed = answer.to_wire()
        yield _cut(query) if by == "udp" and (trouble is Trouble.TRUNCATED or len(packed) > _UDP) else packed

    def _trouble(self, name: str, kind: str) -> Trouble | None:
        for key in ((name, kind), (name, "*"), ("*", kind), ("*", "*")):
            if key in self.troubles:
                return self.troubles[key]
        return None

    def _answer(self, query: dns.message.Message, name: str, kind: str, trouble: Trouble | None) -> dns.message.Message:
        answer = dns.message.make_response(query, recursion_available=True)
        if trouble in {Trouble.SERVFAIL, Trouble.REFUSED, Trouble.NXDOMAIN}:
            answer.set_rcode(dns.rcode.from_text(str(trouble).upper()))
            return answer
        for _ in range(_LONGEST_CHAIN):
            found = self._at(name)
            if found is None:
                answer.set_rcode(dns.rcode.NXDOMAIN)
                return answer
            alias = "CNAME" in found and kind != "CNAME"
            if values := found.get("CNAME" if alias else kind):
                answer.answer.append(_rrset(name, "CNAME" if alias else kind, values))
            if not alias:
                return answer
            name = found["CNAME"][0].lower()
        return answer

    def _at(self, name: str) -> Mapping[str, Sequence[str]] | None:
        """The records of a name; None where there is no such name."""
        if name in self.records:
            return self.records[name]
        if any(known.endswith(f".{name}") for known in self.records):
            return {}
        rest = name
        while rest := rest.partition(".")[2]:
            if f"*.{rest}" in self.records:
                return self.records[f"*.{rest}"]
            if rest in self.records:
                return None
        return None


def _same_port() -> tuple[socket.socket, socket.socket]:
    """Two sockets on one port that both kinds have free."""
    while True:
        listener = socket.create_server((_HOST, 0), backlog=128)
        datagrams = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            datagrams.bind(listener.getsockname())
        except OSError:
            listener.close()
            datagrams.close()
        else:
            return listener, datagrams


def _text(name: dns.name.Name) -> str:
    return name.to_text().lower().rstrip(".")


def _rrset(name: str, kind: str, values: Sequence[str]) -> dns.rrset.RRset:
    written = [_strings(value) if kind in {"TXT", "SPF"} else value for value in values]
    owner = dns.name.from_text(name)
    return dns.rrset.from_text_list(owner, _TTL, "IN", kind, written, origin=dns.name.root, relativize=False)


def _strings(text: str) -> str:
    """A text as a zone file has it: strings of at most 255 octets, between quotes, what is not plain as its number."""
    octets = text.encode()
    parts = [octets[at : at + 255] for at in range(0, len(octets), 255)] or [b""]
    return " ".join(f'"{"".join(map(_octet, part))}"' for part in parts)


def _octet(number: int) -> str:
    return chr(number) if 32 <= number < 127 and number not in b'"\\' else f"\\{number:03d}"


def _cut(query: dns.message.Message) -> bytes:
    answer = dns.message.make_response(query, recursion_available=True)
    answer.flags |= dns.flags.TC
    return answer.to_wire()


def _forged(query: dns.message.Message) -> bytes:
    """An answer to somebody else's question: that the name does not exist."""
    answer = dns.message.make_response(query, recursion_available=True)
    answer.id = (query.id + 1) % 65_536
    answer.set_rcode(dns.rcode.NXDOMAIN)
    return answer.to_wire()
