"""One connection to the simulated mail relay: the server's side of RFC 5321, command by command."""

from __future__ import annotations

import base64
import hmac
import re
import secrets
import time
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from outagecast.sandbox.mail_faults import At, Do

if TYPE_CHECKING:
    import socket
    import ssl
    from collections.abc import Callable, Mapping

    from outagecast.sandbox.mail_faults import MailFault, MailScript

_PATH = re.compile(r"(?:FROM|TO):\s*<([^>]*)>(?: .*)?", re.IGNORECASE)
_MOST_LINE = 64 * 1024


class Post(Protocol):
    """What a visit needs of the mailbox it belongs to."""

    faults: MailScript
    tls: ssl.SSLContext | None
    login: tuple[str, str] | None
    mechanisms: tuple[str, ...]
    pipelining: bool
    extensions: tuple[str, ...]
    size: int
    cap: int
    latency: float

    def say(self, point: str, info: Mapping[str, object]) -> None:
        """Tell whoever watches that this point was reached."""

    def refusal(self, sender: str, to: str) -> str | None:
        """The answer to a recipient who is not read; None when there is one."""

    def store(self, sender: str, to: tuple[str, ...], raw: bytes) -> None:
        """Keep a letter."""


class OverError(Exception):
    """The connection is at its end."""


@dataclass(slots=True)
class _Envelope:
    sender: str
    to: list[str] = field(default_factory=list)


class Visit:
    """A client's visit, from greeting to goodbye."""

    def __init__(self, post: Post, sock: socket.socket, *, implicit: bool) -> None:
        self._post = post
        self._sock = sock
        self._implicit = implicit
        self._buffer = b""
        self._private = False
        self._known = False
        self._letters = 0
        self._envelope: _Envelope | None = None
        self._verbs: dict[str, Callable[[str], None]] = {
            "EHLO": self._ehlo,
            "HELO": self._ehlo,
            "STARTTLS": self._starttls,
            "AUTH": self._auth,
            "MAIL": self._mail,
            "RCPT": self._rcpt,
            "DATA": self._data,
            "RSET": self._rset,
            "NOOP": lambda _rest: self._answer("250 2.0.0 fine"),
            "QUIT": self._quit,
        }

    def receive(self) -> None:
        """The whole visit; ends quietly however the client leaves."""
        with suppress(OSError, OverError):
            if self._implicit:
                self._encrypt()
            self._post.say("connected", {})
            self._respond(At.CONNECTED, "220 mailbox.example.com ESMTP")
            while True:
                verb, _, rest = self._line().partition(" ")
                self._verbs.get(verb.upper(), self._unknown)(rest)
        self._sock.close()

    # -- commands ----------------------------------------------------------------------------------------------------

    def _ehlo(self, _rest: str) -> None:
        lines = ["mailbox.example.com", "8BITMIME", "ENHANCEDSTATUSCODES", f"SIZE {self._post.size}"]
        lines += self._post.extensions
        if self._post.pipelining:
            lines.append("PIPELINING")
        if self._post.tls and not self._private:
            lines.append("STARTTLS")
        if self._post.login and (self._private or not self._post.tls):
            lines.append(f"AUTH {' '.join(self._post.mechanisms)}")
        last = len(lines) - 1
        text = "\r\n".join(f"250{' ' if number == last else '-'}{line}" for number, line in enumerate(lines))
        self._respond(At.EHLO, text)

    def _starttls(self, _rest: str) -> None:
        if self._post.tls is None or self._private:
            self._answer("502 5.5.1 no TLS here")
        elif self._respond(At.STARTTLS, "220 2.0.0 go ahead"):
            self._encrypt()

    def _auth(self, rest: str) -> None:
        mechanism, _, initial = rest.partition(" ")
        given = {"PLAIN": self._plain, "LOGIN": self._login, "CRAM-MD5": self._cram_md5}.get(mechanism.upper())
        if self._post.login is None or given is None or mechanism.upper() not in self._post.mechanisms:
            self._answer("504 5.5.4 no such login")
            return
        right = given(initial, *self._post.login)
        self._known = right and self._respond(At.AUTH, "235 2.7.0 welcome")
        if not right:
            self._answer("535 5.7.8 wrong user or password")

    def _mail(self, rest: str) -> None:
        found = _PATH.fullmatch(rest)
        if self._post.login and not self._known:
            self._answer("530 5.7.0 Authentication required")
        elif found is None:
            self._answer("501 5.5.4 MAIL FROM:<address>")
        elif self._envelope is not None:
            self._answer("503 5.5.1 nested MAIL")
        elif self._post.cap and self._letters >= self._post.cap:
            self._answer("421 4.7.0 too many letters on this connection")
        else:
            self._post.say("mail", {"from": found[1]})
            if self._respond(At.MAIL, "250 2.1.0 Ok"):
                self._envelope = _Envelope(found[1])

    def _rcpt(self, rest: str) -> None:
        found = _PATH.fullmatch(rest)
        if self._envelope is None or found is None:
            self._answer("503 5.5.1 MAIL first")
            return
        self._post.say("rcpt", {"to": found[1]})
        refusal = self._post.refusal(self._envelope.sender, found[1])
        if refusal is not None:
            self._answer(refusal)
        elif self._respond(At.RCPT, "250 2.1.5 Ok", found[1]):
            self._envelope.to.append(found[1])

    def _data(self, _rest: str) -> None:
        envelope = self._envelope
        if envelope is None or not envelope.to:
            self._answer("503 5.5.1 no valid recipients")
            return
        to = envelope.to[0]
        self._post.say("data", {"to": to})
        if not self._respond(At.DATA, "354 go ahead", to):
            return
        raw = self._content()
        self._envelope = None
        self._post.say("content", {"to": to})
        if (fault := self._post.faults.next(At.CONTENT, to)) is not None:
            self._happen(fault, "250 2.0.0 queued")
            return
        if len(raw) > self._post.size:
            self._answer("552 5.3.4 Message size exceeds fixed limit")
            return
        self._post.store(envelope.sender, tuple(envelope.to), raw)
        self._letters += 1
        self._post.say("stored", {"to": to})
        self._respond(At.STORED, "250 2.0.0 queued", to)
        self._post.say("answered", {"to": to})

    def _rset(self, _rest: str) -> None:
        self._envelope = None
        self._respond(At.RSET, "250 2.0.0 forgotten")

    def _quit(self, _rest: str) -> None:
        self._answer("221 2.0.0 goodbye")
        raise OverError

    def _unknown(self, _rest: str) -> None:
        self._answer("500 5.5.2 what?")

    # -- logins ------------------------------------------------------------------------------------------------------

    def _plain(self, initial: str, user: str, password: str) -> bool:
        return self._decoded(initial or self._challenge(b"")) == f"\0{user}\0{password}".encode()

    def _login(self, initial: str, user: str, password: str) -> bool:
        name = self._decoded(initial or self._challenge(b"Username:"))
        return (name, self._decoded(self._challenge(b"Password:"))) == (user.encode(), password.encode())

    def _cram_md5(self, _initial: str, user: str, password: str) -> bool:
        challenge = f"<{secrets.token_hex(8)}@mailbox.example.com>".encode()
        proof = hmac.new(password.encode(), challenge, "md5").hexdigest()
        return self._decoded(self._challenge(challenge)) == f"{user} {proof}".encode()

    def _challenge(self, words: bytes) -> str:
        self._answer(f"334 {base64.b64encode(words).decode()}")
        return self._line()

    def _decoded(self, text: str) -> bytes:
        with suppress(ValueError):
            return base64.b64decode(text, validate=True)
        return b""

    # -- the wire ----------------------------------------------------------------------------------------------------

    def _respond(self, at: At, reply: str, to: str = "") -> bool:
        """Answer, or let the fault of this stage happen; whether the usual answer was given."""
        fault = self._post.faults.next(at, to)
        if fault is None:
            self._answer(reply)
            return True
        return self._happen(fault, reply)

    def _happen(self, fault: MailFault, usual: str) -> bool:
        match fault.do:
            case Do.REPLY:
                self._answer(fault.reply)
            case Do.DROP:
                raise OverError
            case Do.HANG:
                while self._sock.recv(65536):
                    pass
                raise OverError
            case Do.DRIP:
                for octet in usual.encode() + b"\r\n":
                    self._sock.sendall(bytes([octet]))
                    time.sleep(fault.seconds)
        return fault.do is Do.DRIP or fault.reply[:3] == usual[:3]

    def _answer(self, reply: str) -> None:
        if self._post.latency:
            time.sleep(self._post.latency)
        self._sock.sendall(reply.encode("utf-8", "surrogateescape") + b"\r\n")
        if reply.startswith("421"):
            raise OverError

    def _line(self) -> str:
        while b"\n" not in self._buffer:
            if len(self._buffer) > _MOST_LINE:
                raise OverError
            self._fill()
        line, _, self._buffer = self._buffer.partition(b"\n")
        return line.rstrip(b"\r").decode("utf-8", "surrogateescape")

    def _content(self) -> bytes:
        """Everything up to the dot, with stuffed dots taken out again."""
        searched = 0  # up to here, in vain: a letter with a picture has megabytes
        while not self._buffer.startswith(b".\r\n") and self._buffer.find(b"\r\n.\r\n", searched) < 0:
            searched = max(0, len(self._buffer) - 4)
            self._fill()
        if self._buffer.startswith(b".\r\n"):
            raw, self._buffer = b"", self._buffer[3:]
        else:
            raw, _, self._buffer = self._buffer.partition(b"\r\n.\r\n")
            raw += b"\r\n"
        raw = raw[1:] if raw.startswith(b"..") else raw
        return raw.replace(b"\r\n..", b"\r\n.")

    def _fill(self) -> None:
        received = self._sock.recv(262144)
        if not received:
            raise OverError
        self._buffer += received

    def _encrypt(self) -> None:
        if self._post.tls is not None:
            self._buffer = b""
            self._sock = self._post.tls.wrap_socket(self._sock, server_side=True)
            self._private = True
