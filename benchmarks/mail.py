"""Letters a second into Postfix's own sink, beside Postfix's own source in the same run, at 0 and 20 ms round trip.

Needs smtp-sink and smtp-source (Debian: postfix). Prints medians of three interleaved rounds and the ratio to
smtp-source with ten sessions. Run it as `python benchmarks/mail.py [LETTERS]`.
"""

from __future__ import annotations

import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING

from msgspec.structs import replace

from outagecast.channel import Announcement, House, Incident, Kind, Receipt, Secret
from outagecast.channels.email.channel import Email
from outagecast.model import IncidentState

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROUNDS = 3
NOW = datetime(2026, 11, 22, 14, 5, tzinfo=UTC)


def free_port() -> int:
    """A port nobody uses just now."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


@contextmanager
def sink() -> Iterator[int]:
    """Postfix's own black hole."""
    port = free_port()
    user = ["-u", "nobody"] if os.geteuid() == 0 else []
    process = subprocess.Popen([tool("smtp-sink"), *user, "-m", "400", f"127.0.0.1:{port}", "512"])
    try:
        for _ in range(100):
            with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                break
            time.sleep(0.02)
        yield port
    finally:
        process.terminate()
        process.wait()


def tool(name: str) -> str:
    """Where a program of Postfix is, whatever PATH says."""
    found = shutil.which(name, path=os.environ.get("PATH", "") + ":/usr/sbin")
    if found is None:
        raise SystemExit(f"{name} is missing: apt-get install postfix")
    return found


@contextmanager
def far(port: int, one_way: float) -> Iterator[int]:
    """The same port, but so many seconds away in each direction."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=128)

    def carry(source: socket.socket, target: socket.socket) -> None:
        due: list[tuple[float, bytes]] = []
        more = threading.Condition()

        def deliver() -> None:
            while True:
                with more:
                    more.wait_for(lambda: bool(due))
                    at, octets = due.pop(0)
                time.sleep(max(0.0, at - time.monotonic()))
                with suppress(OSError):
                    if not octets:
                        target.shutdown(socket.SHUT_WR)
                        return
                    target.sendall(octets)

        threading.Thread(target=deliver, daemon=True).start()
        octets = b"-"
        while octets:
            octets = b""
            with suppress(OSError):
                octets = source.recv(65536)
            with more:
                due.append((time.monotonic() + one_way, octets))
                more.notify()

    def accept() -> None:
        with suppress(OSError):
            while True:
                near, _ = listener.accept()
                there = socket.create_connection(("127.0.0.1", port))
                for sock in (near, there):
                    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                threading.Thread(target=carry, args=(near, there), daemon=True).start()
                threading.Thread(target=carry, args=(there, near), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    try:
        yield int(listener.getsockname()[1])
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()


def source(sessions: int, letter: str, count: int, port: int) -> None:
    """Postfix's own sender, with the same letter; it cannot pipeline."""
    command = [tool("smtp-source"), "-s", str(sessions), "-m", str(count), "-F", letter]
    command += ["-f", "status@example.net", "-t", "ann@example.org", "-M", "localhost", f"127.0.0.1:{port}"]
    subprocess.run(command, check=True, capture_output=True)


def email(port: int, connections: int) -> Email:
    """A channel to the sink with all that costs time: tokens, threads, a way out."""
    settings = Email.Settings(
        sender="Example Hosting Status <status@example.net>",
        relays=[Secret.of(f"smtp://127.0.0.1:{port}?tls=none")],
        subscribers=True,
        unsubscribe="https://lists.example.net/u/{token}",
        envelope_sender="bounces+{token}@example.net",
        token_secret=Secret.of("key-for-tests"),
        connections=connections,
    )
    return Email("email", settings, House("Example Hosting", UTC, "https://help.example.net"))


def announcement() -> Announcement:
    """An update with a letter of about 2 KB."""
    incident = Incident("alert-1", "fiber cut", IncidentState.OPEN, NOW)
    words = "fiber cut, we are on it. " * 40
    return Announcement(incident=incident, seq=3, kind=Kind.UPDATE, text=words, words=words, at=NOW)


def ours(connections: int, count: int, port: int) -> None:
    """Send as many through `send_many`."""
    channel = email(port, connections)
    (post,) = channel.render(announcement())
    posts = (replace(post, to=f"reader{number}@example.org", id=number) for number in range(count))
    good = sum(isinstance(result, Receipt) for _, result in channel.send_many(posts, lambda _post: None))
    if good != count:
        raise SystemExit(f"only {good} of {count} letters were taken")


def measure(port: int, count: int, letter: str) -> list[tuple[str, list[float]]]:
    """Letters a second of each sender, round by round."""
    senders: list[tuple[str, Callable[[int, int], None]]] = [
        ("smtp-source, 1 session", partial(source, 1, letter)),
        ("smtp-source, 10 sessions", partial(source, 10, letter)),
        *((f"outagecast, {number} connections", partial(ours, number)) for number in (1, 8, 20)),
    ]
    rates: list[tuple[str, list[float]]] = [(name, []) for name, _ in senders]
    for _ in range(ROUNDS):
        for (_, send), (_, found) in zip(senders, rates, strict=True):
            started = time.monotonic()
            send(count, port)
            found.append(count / (time.monotonic() - started))
    return rates


def table(title: str, rates: list[tuple[str, list[float]]]) -> None:
    """Print one table."""
    reference = statistics.median(dict(rates)["smtp-source, 10 sessions"])
    print(f"\n{title}\n{'':28}{'letters/s':>10}{'min':>8}{'max':>8}{'ratio':>8}")
    for name, found in rates:
        middle = statistics.median(found)
        print(f"{name:28}{middle:>10.0f}{min(found):>8.0f}{max(found):>8.0f}{middle / reference:>8.2f}")


def main() -> None:
    """Both distances, each sender, one table each."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    with tempfile.NamedTemporaryFile("wb", suffix=".eml") as file, sink() as port:
        channel = email(port, 1)
        (post,) = channel.render(announcement())
        file.write(channel._stationery.write(replace(post, to="ann@example.org")).content)  # noqa: SLF001  the same letter
        file.flush()
        table("0 ms", measure(port, count, file.name))
        with far(port, 0.010) as distant:
            table("20 ms round trip", measure(distant, max(count // 40, 100), file.name))


if __name__ == "__main__":
    main()
