"""The wire through TLS and proxies: what fails there has sent nothing."""

from __future__ import annotations

import socket
import ssl
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest
import trustme
from wire_kit import ORIGIN, bare_environment, closed_port, failure, listener, ok, reset, says, simulated, waits_for

from outagecast import wire
from outagecast.errors import InDoubt, Refused, TryLater

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


@pytest.fixture(autouse=True)
def _bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    bare_environment(monkeypatch)


@contextmanager
def tls_server(issuer: trustme.CA, name: str) -> Iterator[tuple[int, list[bytes]]]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    issuer.issue_cert(name).configure_cert(context)
    seen: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            try:
                raw, _ = server.accept()
                with raw, context.wrap_socket(raw, server_side=True) as conn:
                    seen.append(conn.recv(65536))
                    conn.sendall(ok(b'{"a": 1}', b"Connection: close"))
            except OSError:
                return

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield server.getsockname()[1], seen
    thread.join(timeout=5)


def test_a_certificate_nobody_vouches_for_means_nothing_was_sent() -> None:
    with tls_server(trustme.CA(), "localhost") as (port, seen), wire.session(f"https://localhost:{port}") as session:
        answer = failure(session, f"https://localhost:{port}/2/x")
    assert isinstance(answer, TryLater)
    assert "certificate is not accepted" in answer.text
    assert "clock" in answer.hint
    assert seen == []


def test_a_certificate_of_another_name_is_not_accepted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    issuer = trustme.CA()
    issuer.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    with tls_server(issuer, "other.example.com") as (port, _), wire.session(f"https://localhost:{port}") as session:
        assert isinstance(failure(session, f"https://localhost:{port}/2/x"), TryLater)


@pytest.mark.parametrize("variable", ["SSL_CERT_FILE", "REQUESTS_CA_BUNDLE"])
def test_an_authority_named_in_the_environment_is_trusted(
    variable: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    issuer = trustme.CA()
    issuer.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    monkeypatch.setenv(variable, str(tmp_path / "ca.pem"))
    with tls_server(issuer, "localhost") as (port, _), wire.session(f"https://localhost:{port}") as session:
        assert session.get(f"https://localhost:{port}/2/x", verify=False).json() == {"a": 1}


def test_an_unreadable_ca_bundle_is_refused_with_its_variable_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/nowhere/ca.pem")
    with pytest.raises(Refused, match="REQUESTS_CA_BUNDLE") as caught:
        wire.session(ORIGIN)
    assert caught.value.mendable


@pytest.mark.parametrize("behaviour", [reset, lambda conn: None, says(b"HTTP/1.1 400 Bad Request\r\n\r\n")])
def test_a_handshake_that_breaks_means_nothing_was_sent(behaviour: Callable[[socket.socket], None]) -> None:
    with listener(behaviour) as (port, _), wire.session(f"https://127.0.0.1:{port}") as session:
        assert isinstance(failure(session, f"https://127.0.0.1:{port}/2/x"), TryLater)


def test_a_handshake_that_hangs_means_nothing_was_sent() -> None:
    """urllib3 calls it a read time-out, which elsewhere means "may be published"."""
    quiet = threading.Event()
    with listener(waits_for(quiet)) as (port, _):
        with wire.session(f"https://127.0.0.1:{port}", connect=0.1) as session:
            answer = failure(session, f"https://127.0.0.1:{port}/2/x")
        quiet.set()
    assert isinstance(answer, TryLater)
    assert "no answer in time" in answer.text


def test_a_head_that_drips_over_tls_is_in_doubt(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    issuer = trustme.CA()
    issuer.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    issuer.issue_cert("localhost").configure_cert(context)

    def drip(conn: socket.socket) -> None:
        pause = threading.Event()
        with context.wrap_socket(conn, server_side=True) as secure:
            secure.recv(65536)
            for byte in b"HTTP/1.1 201 Created\r\nContent-Length: 2\r\n\r\n{}":
                secure.sendall(bytes([byte]))
                pause.wait(0.05)

    with listener(drip, reads=False) as (port, _), wire.session(f"https://localhost:{port}", read=0.3) as session:
        answer = failure(session, f"https://localhost:{port}/2/x")
    assert isinstance(answer, InDoubt)
    assert "no answer in time" in answer.text


def test_a_proxy_that_says_no_means_nothing_was_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    with listener(says(b"HTTP/1.1 403 Forbidden\r\n\r\n")) as (port, heads):
        monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{port}")
        with wire.session(ORIGIN) as session:
            answer = failure(session)
    assert isinstance(answer, TryLater)
    assert heads[0].startswith(b"CONNECT api.example.com:443")


def test_a_proxy_that_is_away_is_named_as_the_cause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{closed_port()}")
    with wire.session(ORIGIN) as session:
        answer = failure(session)
    assert isinstance(answer, TryLater)
    assert "proxy" in answer.text
    assert "HTTPS_PROXY" in answer.hint


def test_a_simulator_is_never_reached_through_a_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{closed_port()}")
    with simulated(says(ok(b"{}"))) as (session, _):
        assert session.get(f"{ORIGIN}/2/x").status_code == 200
