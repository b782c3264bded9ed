"""The part all simulated HTTP platforms share: sockets, the log, the faults, the points a kill test can strike at."""

from __future__ import annotations

import socket
import struct
import threading
from abc import ABC, abstractmethod
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Self

from outagecast.sandbox.faults import Fault, FaultKind, Faults, When
from outagecast.sandbox.messages import (
    Answer,
    BadRequestError,
    RefusalError,
    Request,
    json_answer,
    read_request,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ["Answer", "Fault", "Platform", "Request"]

# What a client that follows a redirect finds: something that looks like success.
LANDING = json_answer({"id": "1", "data": {"id": "1"}})


def utc_now() -> datetime:
    """The time of this machine."""
    return datetime.now(UTC)


class Platform(ABC):
    """A simulated platform, listening on loopback from its construction until `close`.

    `on_event` is called in the connection's thread: "received" (parsed, nothing has happened), "committed" (the
    platform has done what was asked, no byte of the answer is out), "answered" (the whole answer is flushed).
    A fault before the effect leaves out "committed"; one that spoils the answer leaves out "answered".
    `delay` passes between the effect and the answer.
    """

    def __init__(self, *, port: int = 0, now: Callable[[], datetime] = utc_now) -> None:
        self.now = now
        self.log: list[Request] = []
        self.faults = Faults()
        self.on_event: Callable[[str, Request], None] | None = None
        self.delay = timedelta(0)
        self.lock = threading.RLock()
        self._closing = threading.Event()
        self._guard = threading.Lock()
        self._open: dict[socket.socket, threading.Thread] = {}
        self._listener = socket.create_server(("127.0.0.1", port), backlog=128)
        self._address = self._listener.getsockname()
        self._acceptor = threading.Thread(target=self._accept, name=f"{type(self).__name__} accept", daemon=True)
        self._acceptor.start()

    @abstractmethod
    def answer(self, request: Request) -> Answer:
        """Do what is asked and say what became of it. Called under `lock`."""

    @abstractmethod
    def public(self) -> list[dict[str, Any]]:
        """What a stranger sees, oldest first. Takes `lock` itself."""

    def targets(self, request: Request) -> Sequence[str]:
        """The names under which faults may match a request."""
        return [f"{request.method} {request.path}"]

    def admit(self, request: Request, fault: Fault | None) -> Answer | None:  # noqa: ARG002  a hook: its arguments are its contract
        """Take notice of a request before anything happens to it; an answer given here stands for the effect."""
        return None

    @property
    def url(self) -> str:
        """Where the platform is."""
        return f"http://127.0.0.1:{self._address[1]}"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def close(self) -> None:
        """Stop listening, cut every connection and wait for their threads. Idempotent."""
        if self._closing.is_set():
            return
        self._closing.set()
        # Closing a listening socket does not wake a thread in accept() on every system; a connection does.
        with socket.create_connection(self._address):
            self._acceptor.join()
        self._listener.close()
        with self._guard:
            left = dict(self._open)
            for sock in left:
                _cut(sock)
        for thread in left.values():
            if thread is not threading.current_thread():
                thread.join()

    def _accept(self) -> None:
        while True:
            sock, _ = self._listener.accept()
            if self._closing.is_set():
                sock.close()
                return
            thread = threading.Thread(target=self._converse, args=(sock,), daemon=True)
            with self._guard:
                self._open[sock] = thread
            thread.start()

    def _converse(self, sock: socket.socket) -> None:
        """Answer one request after the other until either side has enough."""
        try:
            with sock.makefile("rb") as reader:
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                while (request := read_request(reader, self.now())) and self._serve(sock, request):
                    pass
        except BadRequestError:
            _send(sock, b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        except OSError:
            pass  # The client is gone, perhaps killed: for a platform that is an ordinary end of a connection.
        finally:
            # Under the guard, so that `close` never touches a number that already belongs to another socket.
            with self._guard:
                self._open.pop(sock, None)
                sock.close()

    def _serve(self, sock: socket.socket, request: Request) -> bool:
        """Answer one request; False ends the connection."""
        if (request.method, request.path) == ("GET", "/_public"):
            return self._reply(sock, None, json_answer(self.public()))
        self.log.append(request)
        self._tell("received", request)
        fault = self.faults.take(self.targets(request))
        answer = self._effect(request, fault)
        self._closing.wait(self.delay.total_seconds())
        intact = self._reply(sock, fault, answer)
        if intact:
            self._tell("answered", request)
        return intact and request.headers.get("Connection", "").lower() != "close"

    def _effect(self, request: Request, fault: Fault | None) -> Answer | None:
        """Do what is asked, unless a fault comes before it (None)."""
        with self.lock:
            early = self.admit(request, fault)
            if fault and fault.when == When.BEFORE:
                return None
            answer = early or self._ask(request)
        self._tell("committed", request)
        return answer

    def _ask(self, request: Request) -> Answer:
        if request.path == "/_landing":
            return LANDING
        try:
            return self.answer(request)
        except RefusalError as refusal:
            return refusal.answer

    def _tell(self, point: str, request: Request) -> None:
        if self.on_event:
            self.on_event(point, request)

    def _reply(self, sock: socket.socket, fault: Fault | None, answer: Answer | None) -> bool:
        """Answer, as the fault says if there is one; False when the connection is at its end."""
        if fault and fault.silent:
            _stay_silent(sock, fault.kind)
            return False
        spoiled = fault.answer(answer, self.now()) if fault else answer or LANDING
        head, body = spoiled.encode(self.now())
        match fault.kind if fault else None:
            case FaultKind.TRUNCATE:
                sock.sendall(head + body[: len(body) // 2])
                return False
            case FaultKind.DRIP if fault:
                return self._drip(sock, head + body, fault.pace)
            case FaultKind.DRIP_BODY if fault:
                sock.sendall(head)
                return self._drip(sock, body, fault.pace)
        sock.sendall(head + body)
        return True

    def _drip(self, sock: socket.socket, content: bytes, pace: float) -> bool:
        for at in range(len(content)):
            sock.sendall(content[at : at + 1])
            if self._closing.wait(pace):
                return False
        return True


def _stay_silent(sock: socket.socket, kind: FaultKind) -> None:
    if kind == FaultKind.RESET:
        # Lingering for zero seconds makes the close a reset.
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    while kind == FaultKind.HANG and sock.recv(4096):
        pass  # Ends when the client goes away or `close` cuts the connection.


def _cut(sock: socket.socket) -> None:
    with suppress(OSError):  # the other side may have been faster
        sock.shutdown(socket.SHUT_RDWR)


def _send(sock: socket.socket, content: bytes) -> None:
    with suppress(OSError):  # the client may be gone already
        sock.sendall(content)
