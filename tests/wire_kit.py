"""What the tests of the wire share: tiny servers on loopback that behave badly, sessions that meet them."""

from __future__ import annotations

import socket
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from outagecast import wire

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import requests

    from outagecast.errors import ChannelError
    from outagecast.wire_session import Wire

ORIGIN = "https://api.example.com"
PROXIES = tuple(
    f(name) for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY") for f in (str.upper, str.lower)
)


def bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """What this machine says about authorities and proxies must not decide a test."""
    for name in ("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", *PROXIES):
        monkeypatch.delenv(name, raising=False)


@contextmanager
def listener(answer: Callable[[socket.socket], None], *, reads: bool = True) -> Iterator[tuple[int, list[bytes]]]:
    """Serve connections one after the other with `answer`, after reading a request's head if it `reads`."""
    heads: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            while True:
                try:
                    conn, _ = server.accept()
                except OSError:
                    return
                with conn:
                    try:
                        if reads:
                            heads.append(conn.recv(65536))
                        answer(conn)
                    except OSError:
                        continue

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield server.getsockname()[1], heads
        server.shutdown(socket.SHUT_RDWR)
    thread.join(timeout=5)


def says(answer: bytes) -> Callable[[socket.socket], None]:
    return lambda conn: conn.sendall(answer)


def waits_for(end: threading.Event) -> Callable[[socket.socket], None]:
    def wait(conn: socket.socket) -> None:
        end.wait(5)

    return wait


def ok(body: bytes, *headers: bytes) -> bytes:
    return b"\r\n".join([b"HTTP/1.1 200 OK", b"Content-Length: %d" % len(body), *headers, b"", body])


@contextmanager
def simulated(answer: Callable[[socket.socket], None], read: float = 5) -> Iterator[tuple[Wire, list[bytes]]]:
    with listener(answer) as (port, heads), wire.session(ORIGIN, f"http://127.0.0.1:{port}", read=read) as session:
        yield session, heads


def failure(session: requests.Session, url: str = f"{ORIGIN}/2/x?secret=no") -> ChannelError:
    with pytest.raises(Exception) as caught:  # noqa: PT011  what kind it is is what the test asks classify
        session.post(url, json={"a": 1})
    return wire.classify(caught.value)


def reset(conn: socket.socket) -> None:
    conn.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    conn.close()


def closed_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])
