"""The socket to a relay: whole replies out of it, every wait bounded, every way to lose it one exception."""

from __future__ import annotations

import socket
import time
from typing import TYPE_CHECKING

import msgspec

from outagecast.channels.email.replies import GarbledReplyError, Reply, take

if TYPE_CHECKING:
    import ssl


_BLOCK = 64 * 1024
"""Written in one go; more would be a picture, which may take its time on a thin line."""


class LinkLostError(Exception):
    """The connection is of no more use; the text says why."""


class Waits(msgspec.Struct, frozen=True):
    """How long each answer may take, in seconds.

    RFC 5321 4.5.3.2 asks for more before the content (5 minutes); there, giving up early is safe, and another relay
    may be up. After the final dot its 10 minutes stand: giving up earlier makes doubles.
    """

    connect: float = 10
    opening: float = 20
    command: float = 40
    block: float = 180
    dot: float = 600
    pause: float = 1
    """The first pause when the relay wants one; the next are longer, up to half a minute."""
    check: float = 20
    """All that `check` does with one relay, or with one domain in the DNS."""


class Link:
    """One connection; `write` and `reply` raise LinkLostError and nothing else."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._buffer = bytearray()
        self._timeout: float | None = -1
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    @property
    def local_host(self) -> str:
        """Our own address on this connection."""
        return str(self._sock.getsockname()[0])

    @property
    def certificate(self) -> dict[str, object]:
        """What the relay showed of itself; empty without TLS."""
        shown: dict[str, object] | None = getattr(self._sock, "getpeercert", dict)()
        return shown or {}

    @property
    def tls_version(self) -> str:
        """Such as TLSv1.3; empty without TLS."""
        return str(getattr(self._sock, "version", str)() or "")

    def start_tls(self, context: ssl.SSLContext, host: str, seconds: float) -> None:
        """Make it private; ssl.SSLError and OSError come through, as only `session` can tell what they mean."""
        # What stands in the buffer was sent before the line was private: it must not count as said on it.
        self._buffer.clear()
        self._bound(seconds)
        self._sock = context.wrap_socket(self._sock, server_hostname=host)
        self._timeout = -1

    def write(self, octets: bytes, seconds: float) -> None:
        """Hand everything over, each block of it within `seconds`: that is how RFC 5321 4.5.3.2.5 counts them."""
        self._bound(seconds)
        try:
            if len(octets) <= _BLOCK:
                self._sock.sendall(octets)
                return
            view = memoryview(octets)
            for start in range(0, len(octets), _BLOCK):
                self._sock.sendall(view[start : start + _BLOCK])
        except OSError as err:
            raise LinkLostError(_why(err, seconds)) from err

    def reply(self, seconds: float) -> Reply:
        """The next whole reply, within `seconds` altogether, however slowly it drips."""
        end = 0.0
        try:
            while (reply := take(self._buffer)) is None:
                end = end or time.monotonic() + seconds
                self._bound(max(end - time.monotonic(), 0.001))
                received = self._sock.recv(65536)
                if not received:
                    raise LinkLostError("the relay hung up")
                self._buffer += received
        except OSError as err:
            raise LinkLostError(_why(err, seconds)) from err
        except GarbledReplyError as err:
            raise LinkLostError(f"what came back is no SMTP: {err}") from err
        return reply

    def abort(self) -> None:
        """Make whoever waits on this connection stop at once; may be called from another thread."""
        try:
            self._sock.shutdown(socket.SHUT_RDWR)
        except OSError:
            # It is gone already, which is what was wanted.
            return

    def close(self) -> None:
        """Let go of it."""
        self._sock.close()

    def _bound(self, seconds: float) -> None:
        # settimeout is a system call; a letter in full flight needs none.
        if self._timeout is None or abs(seconds - self._timeout) > 0.5 or seconds < 1:
            self._sock.settimeout(seconds)
            self._timeout = seconds


def _why(err: OSError, seconds: float) -> str:
    if isinstance(err, TimeoutError):
        return f"no answer within {seconds:g} s"
    if isinstance(err, ConnectionResetError | BrokenPipeError):
        return "the relay cut the connection"
    return f"the connection broke ({err.strerror or type(err).__name__})"
