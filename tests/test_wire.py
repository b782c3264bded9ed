"""The wire: bounded, one host, no redirects, and honest about what a broken transport tells."""

from __future__ import annotations

import gzip
import socket
import subprocess
import sys
import threading
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
import requests
from wire_kit import ORIGIN, bare_environment, closed_port, failure, listener, ok, reset, says, simulated, waits_for

from outagecast import wire
from outagecast.errors import InDoubt, Refused, TryLater

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


NOW = datetime(2026, 11, 22, 14, 5, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    bare_environment(monkeypatch)


def test_importing_the_wire_imports_no_requests() -> None:
    code = "import outagecast.wire, sys; sys.exit('requests' in sys.modules or 'urllib3' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


# --- what the world is like after a broken transport


def test_a_refused_connection_means_nothing_was_sent() -> None:
    with wire.session(ORIGIN, f"http://127.0.0.1:{closed_port()}") as session:
        answer = failure(session)
    assert isinstance(answer, TryLater)
    assert answer.text == "could not reach api.example.com: connection refused"
    assert "outagecast resume" in answer.hint


def test_a_name_that_cannot_be_looked_up_means_nothing_was_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_: object, **__: object) -> None:
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    with wire.session(ORIGIN) as session:
        answer = failure(session)
    assert isinstance(answer, TryLater)
    assert answer.text == "could not reach api.example.com: its name cannot be looked up (DNS)"


@pytest.mark.parametrize(
    ("name", "behaviour"),
    [
        ("reset", reset),
        ("closed", lambda conn: None),
        ("garbage", says(b"SSH-2.0-OpenSSH_9.2\r\n")),
        ("half a head", says(b"HTTP/1.1 20")),
        ("cut off", says(b"HTTP/1.1 201 Created\r\nContent-Length: 100\r\n\r\n{")),
        ("cut off chunk", says(b"HTTP/1.1 201 Created\r\nTransfer-Encoding: chunked\r\n\r\n20\r\n{")),
        ("bad chunk", says(b"HTTP/1.1 201 Created\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{")),
        ("bad gzip", says(ok(b"no gzip", b"Content-Encoding: gzip"))),
    ],
)
def test_a_request_that_got_no_whole_answer_is_in_doubt(name: str, behaviour: Callable[[socket.socket], None]) -> None:
    with simulated(behaviour) as (session, _):
        answer = failure(session)
    assert isinstance(answer, InDoubt), name
    assert "api.example.com may have taken the request" in answer.text
    assert "secret" not in answer.text + answer.hint
    assert "127.0.0.1" not in answer.text


def test_silence_after_the_request_is_in_doubt() -> None:
    quiet = threading.Event()
    with simulated(waits_for(quiet), read=0.1) as (session, _):
        answer = failure(session)
        quiet.set()
    assert isinstance(answer, InDoubt)
    assert "no answer in time" in answer.text


def test_an_answer_that_drips_past_the_bound_is_in_doubt() -> None:
    from outagecast.wire_session import Wire

    ticks = iter(range(0, 1000, 15))
    with listener(says(ok(b"{}"))) as (port, _):
        session = Wire(ORIGIN, f"http://127.0.0.1:{port}", connect=1, read=10, clock=lambda: float(next(ticks)))
        with session:
            assert isinstance(failure(session), InDoubt)


def test_a_head_that_drips_past_the_bound_is_in_doubt() -> None:
    """Each byte would start the socket's own time-out anew."""

    def drip(conn: socket.socket) -> None:
        pause = threading.Event()
        for byte in b"HTTP/1.1 201 Created\r\nContent-Length: 2\r\n\r\n{}":
            conn.sendall(bytes([byte]))
            pause.wait(0.05)

    with simulated(drip, read=0.2) as (session, _):
        assert isinstance(failure(session), InDoubt)


def test_whatever_is_unknown_is_in_doubt() -> None:
    assert isinstance(wire.classify(TypeError("an SDK choked")), InDoubt)


def test_of_a_call_that_publishes_nothing_only_the_cause_is_told() -> None:
    doubt = wire.classify(requests.ReadTimeout("slow"), "api.example.com")
    assert isinstance(doubt, InDoubt)
    doubt.__cause__ = requests.ReadTimeout("slow")
    assert wire.unanswered(doubt) == "no answer in time"


def test_an_answer_that_was_given_already_is_kept() -> None:
    given = Refused("no")
    assert wire.classify(given) is given


def test_a_cause_in_the_background_proves_nothing() -> None:
    """An unrelated refused connection that was being handled must not turn a cut-off into "nothing sent"."""
    late = requests.ConnectionError("cut off")
    late.__context__ = requests.ConnectTimeout("an earlier try")
    assert isinstance(wire.classify(late), InDoubt)


def test_an_unreachable_network_is_not_called_slow() -> None:
    """urllib3's error for any failed connection is a time-out by its type."""
    from urllib3.connection import HTTPConnection
    from urllib3.exceptions import NewConnectionError

    failed = NewConnectionError(HTTPConnection("api.example.com"), "x")
    failed.__cause__ = OSError(113, "No route to host")
    answer = wire.classify(requests.ConnectionError(failed), "api.example.com")
    assert answer.text == "could not reach api.example.com: no route to host"


# --- one host, no redirects, bounds


def test_a_redirect_is_handed_back_and_never_followed() -> None:
    moved = b"HTTP/1.1 302 Found\r\nLocation: https://api.example.com/elsewhere\r\nContent-Length: 0\r\n\r\n"
    with simulated(says(moved)) as (session, heads):
        answer = session.post(f"{ORIGIN}/2/x", json={}, allow_redirects=True)
    assert answer.status_code == 302
    assert len(heads) == 1


@pytest.mark.parametrize(
    "url", ["http://api.example.com/2/x", "https://api.example.com.evil.example.net/", "https://127.0.0.1/"]
)
def test_no_other_host_is_ever_talked_to(url: str) -> None:
    with simulated(says(ok(b"{}"))) as (session, heads), pytest.raises(Refused, match=r"talks to api\.example\.com"):
        session.get(url)
    assert heads == []


def test_the_simulator_sees_the_host_that_was_signed_for() -> None:
    with simulated(says(ok(b"{}"))) as (session, heads):
        answer = session.get(f"{ORIGIN}/2/x", params={"q": "a b"})
    assert heads[0].startswith(b"GET /2/x?q=a+b HTTP/1.1\r\n")
    assert b"Host: api.example.com\r\n" in heads[0]
    assert answer.url == f"{ORIGIN}/2/x?q=a+b"


@pytest.mark.parametrize(
    "url",
    [
        "http://192.0.2.1:80",
        "https://127.0.0.1:8001",
        "http://api.example.com",
        "http://a:b@127.0.0.1:1",
        "http://127.0.0.1:1/x",
        "no",
        "http://[127.0.0.1",
        "http://127.0.0.1:70000",
        "http://127.0.0.1:http",
        "http://127.0.0.1:0",
        "http://@127.0.0.1:1",
    ],
)
def test_a_simulator_elsewhere_is_no_simulator(url: str) -> None:
    with pytest.raises(ValueError, match="simulator_url"):
        wire.session(ORIGIN, url)


@pytest.mark.parametrize("url", ["http://127.0.0.1:8001/", "http://[::1]:8001", "http://localhost:8001"])
def test_a_simulator_on_this_machine_is_taken(url: str) -> None:
    assert wire.loopback(url) == url.rstrip("/")


def test_an_endless_answer_is_cut_at_a_mebibyte() -> None:
    def pour(conn: socket.socket) -> None:
        conn.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            conn.sendall(b"x" * 65536)

    with simulated(pour) as (session, _):
        assert len(session.get(f"{ORIGIN}/2/x").content) == 1 << 20


def test_a_compressed_answer_is_bounded_by_what_comes_out_of_it() -> None:
    bomb = gzip.compress(b"x" * (8 << 20))
    with simulated(says(ok(bomb, b"Content-Encoding: gzip"))) as (session, _):
        assert len(session.get(f"{ORIGIN}/2/x").content) == 1 << 20


def test_a_compressed_answer_is_read() -> None:
    with simulated(says(ok(gzip.compress(b'{"a": 1}'), b"Content-Encoding: gzip"))) as (session, _):
        assert session.get(f"{ORIGIN}/2/x").json() == {"a": 1}


def test_cookies_are_neither_kept_nor_sent() -> None:
    # Closed after each answer, and said so: a connection that is closed without a word may be taken for a live one.
    with simulated(says(ok(b"{}", b"Set-Cookie: a=b", b"Connection: close"))) as (session, heads):
        session.get(f"{ORIGIN}/2/x")
        session.get(f"{ORIGIN}/2/x")
    assert b"Cookie" not in heads[-1]


def test_netrc_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".netrc").write_text("default login someone password netrc-for-tests\n")
    (tmp_path / ".netrc").chmod(0o600)
    monkeypatch.setenv("HOME", str(tmp_path))
    with simulated(says(ok(b"{}"))) as (session, heads):
        session.get(f"{ORIGIN}/2/x")
    assert b"Authorization" not in heads[0]


def test_the_last_answer_is_remembered_until_the_next_request() -> None:
    answers = iter([says(ok(b"{}", b"X-Mark: here", b"Connection: close")), reset])

    def answer(conn: socket.socket) -> None:
        next(answers)(conn)

    with simulated(answer) as (session, _):
        session.get(f"{ORIGIN}/2/x")
        assert session.last is not None
        assert session.last.headers["X-Mark"] == "here"
        with pytest.raises(requests.ConnectionError):
            session.get(f"{ORIGIN}/2/x")
        assert session.last is None


def test_whether_a_request_was_begun_is_known_afterwards() -> None:
    """An SDK may fail before it sends anything: then its error is about no request at all."""
    with simulated(says(ok(b"{}"))) as (session, _):
        session.get(f"{ORIGIN}/2/x")
        assert session.begun
        session.forget()
        with pytest.raises(ValueError, match="header"):
            session.get(f"{ORIGIN}/2/x", headers={"A": "two\nlines"})
        assert not session.begun


def test_one_connection_serves_several_requests() -> None:
    def twice(conn: socket.socket) -> None:
        conn.sendall(ok(b"{}"))
        conn.recv(65536)
        conn.sendall(ok(b"[]"))

    with simulated(twice) as (session, heads):
        session.get(f"{ORIGIN}/2/x")
        assert session.get(f"{ORIGIN}/2/y").json() == []
    assert len(heads) == 1


# --- reading answers


def answer_of(body: bytes) -> requests.Response:
    with simulated(says(ok(body))) as (session, _):
        return session.get(f"{ORIGIN}/2/x")


@pytest.mark.parametrize("body", [b"", b"<html>", b"\xff\xfe", b"[" * 100_000])
def test_an_answer_that_is_no_json_is_none(body: bytes) -> None:
    assert wire.read_json(answer_of(body)) is None


@pytest.mark.parametrize("body", [b"[]", b"null", b'"text"', b"{", b"7"])
def test_an_answer_that_is_no_object_is_an_empty_one(body: bytes) -> None:
    assert wire.read_object(answer_of(body)) == {}


@pytest.mark.parametrize(
    ("value", "wait"),
    [
        ("120", timedelta(minutes=2)),
        ("Sun, 22 Nov 2026 14:06:00 GMT", timedelta(minutes=1)),
        ("Sun, 22 Nov 2026 13:00:00 GMT", timedelta(0)),
        ("soon", None),
        ("-5", None),
        ("9" * 40, None),
        ("", None),
    ],
)
def test_retry_after_is_read_as_seconds_or_as_a_date(value: str, wait: timedelta | None) -> None:
    assert wire.retry_after({"Retry-After": value}, NOW) == wait


def test_the_clock_is_compared_with_the_answers_date() -> None:
    assert wire.clock_skew({"Date": "Sun, 22 Nov 2026 14:04:00 GMT"}, NOW) == timedelta(minutes=1)
    assert wire.clock_skew({}, NOW) is None
