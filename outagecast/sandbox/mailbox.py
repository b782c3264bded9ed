"""A mail relay and everybody's mailbox behind it, on this machine: what `drill` and the tests send letters to."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.utils import parseaddr
from functools import partial
from typing import TYPE_CHECKING, Self

from outagecast.sandbox.mail_faults import MailScript
from outagecast.sandbox.mail_visit import Visit

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Mapping
    from email.message import EmailMessage

_HOST = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class MailLetter:
    """One letter as it was handed in."""

    sender: str
    """Of the envelope."""
    to: tuple[str, ...]
    raw: bytes
    at: datetime

    @property
    def message(self) -> EmailMessage:
        """Its header and body, as a mail program takes them apart."""
        return message_from_bytes(self.raw, policy=policy.default)

    def public(self) -> Mapping[str, str]:
        """What its reader sees, and what their mail program makes of a reply."""
        message = self.message
        names = ("From", "Subject", "Date", "Message-ID", "References", "List-Post", "Auto-Submitted", "Reply-To")
        shown = {name.lower().replace("-", "_"): str(message.get(name, "")) for name in names}
        words = message.get_body(("plain",))
        text = words.get_content().replace("\r\n", "\n") if words else ""
        pictures = [part for part in message.iter_attachments() if part.get_content_maintype() == "image"]
        described = ", ".join(str(part.get("Content-Description", "")) for part in pictures)
        return shown | {"to": ", ".join(self.to), "text": text, "picture": described}


class Mailbox:
    """The relay: a context manager on an ephemeral port of the loopback; the attributes may be changed as it runs."""

    def __init__(
        self,
        *,
        port: int = 0,
        tls: ssl.SSLContext | None = None,
        implicit: bool = False,
        login: tuple[str, str] | None = None,
        pipelining: bool = True,
        help_at: str = "",
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.tls = tls
        self.login = login
        self.mechanisms: tuple[str, ...] = ("PLAIN", "LOGIN", "CRAM-MD5")
        self.pipelining = pipelining
        self.extensions: tuple[str, ...] = ()
        """More lines for EHLO, such as SMTPUTF8."""
        self.size = 10_240_000
        """The most octets of a letter; as Postfix has it."""
        self.cap = 0
        """Letters a connection may bring; 0: as many as it likes."""
        self.latency = 0.0
        """Seconds before each answer."""
        self.faults = MailScript()
        self.on_event: Callable[[str, Mapping[str, object]], None] | None = None
        """Called at "connected", "mail", "rcpt", "data", "content", "stored" and "answered"."""
        self._implicit = implicit
        self._help = help_at
        self._now = now
        self._lock = threading.Lock()
        self._letters: list[MailLetter] = []
        self._unread: set[str] = set()
        self._open: set[socket.socket] = set()
        self._closing = False
        self._threads: list[threading.Thread] = []
        self.connections = 0
        """How many there were so far."""
        self._listener = socket.create_server((_HOST, port), backlog=128)
        self.port: int = self._listener.getsockname()[1]

    @property
    def url(self) -> str:
        """For `relays:`; with a login, its user and password are put in before the host."""
        login = f"{self.login[0]}:{self.login[1]}@" if self.login else ""
        if self._implicit:
            return f"smtps://{login}{_HOST}:{self.port}"
        return f"smtp://{login}{_HOST}:{self.port}" + ("" if self.tls else "?tls=none")

    @property
    def letters(self) -> list[MailLetter]:
        """Everything stored so far, in order."""
        with self._lock:
            return list(self._letters)

    def public(self) -> list[Mapping[str, str]]:
        """What the readers see."""
        return [letter.public() for letter in self.letters]

    def stranger_reply(
        self, letter: MailLetter, text: str = "When?", sender: str = "stranger@example.org", *, to: str = ""
    ) -> str:
        """Reply to a letter as a mail program would, over SMTP; gives the line that ended the attempt.

        `List-Post: NO` takes away the reply to the list; what is left is the address in Reply-To or From. `to` is
        another one that a reader may find in it. An empty `sender` is a mail server's, with a bounce.
        """
        from smtplib import SMTP, SMTPResponseException

        message = letter.message
        to = to or parseaddr(str(message.get("Reply-To") or message["From"]))[1]
        with SMTP(_HOST, self.port, timeout=10) as client:
            client.ehlo()
            for code, words in (client.mail(sender), client.rcpt(to)):
                if code != 250:
                    return f"{code} {words.decode()}"
            try:
                code, words = client.data(f"From: {sender}\r\nTo: {to}\r\nSubject: Re: outage\r\n\r\n{text}\r\n")
            except SMTPResponseException as err:
                return f"{err.smtp_code} {err.smtp_error!r}"
            return f"{code} {words.decode()}"

    # -- what a visit asks of it -------------------------------------------------------------------------------------

    def say(self, point: str, info: Mapping[str, object]) -> None:
        """Tell whoever watches that this point was reached."""
        if self.on_event is not None:
            self.on_event(point, info)

    def refusal(self, sender: str, to: str) -> str | None:
        """Nobody reads what comes to an address that announcements come from, in the letter or on its envelope.

        Its own letters may pass, and bounces, which have no sender.
        """
        with self._lock:
            unread = to.lower() in self._unread
        if not unread or sender.lower() in {to.lower(), ""}:
            return None
        return "550 5.7.1 This address is not read." + (f" Help: {self._help}" if self._help else "")

    def store(self, sender: str, to: tuple[str, ...], raw: bytes) -> None:
        """Keep a letter."""
        letter = MailLetter(sender, to, raw, self._now())
        author = parseaddr(str(letter.message["From"] or ""))[1].lower()
        with self._lock:
            self._letters.append(letter)
            if letter.message["List-Post"] == "NO":
                self._unread |= {author, sender.lower()}

    # -- its life ----------------------------------------------------------------------------------------------------

    def __enter__(self) -> Self:
        self._run(self._accept)
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Hang up on everybody and stop."""
        # shutdown wakes the thread in accept; close alone leaves it there for ever.
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        with self._lock:
            self._closing = True
            visitors = list(self._open)
        for sock in visitors:
            with suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(5)

    def _run(self, work: Callable[[], None]) -> None:
        thread = threading.Thread(target=work, name="mailbox", daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                sock, _ = self._listener.accept()
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                self.connections += 1
                self._run(partial(self._welcome, sock))

    def _welcome(self, sock: socket.socket) -> None:
        with self._lock:
            self._open.add(sock)
            if self._closing:  # it was accepted before `close` looked, and would be overlooked by it
                sock.close()
                return
        try:
            Visit(self, sock, implicit=self._implicit).receive()
        finally:
            with self._lock:
                self._open.discard(sock)
            sock.close()
