"""From a relay's name to a connection that takes letters: connect, greeting, EHLO, STARTTLS, login.

Everything here is clean: not a byte of a letter has gone out, so every failure means another relay, or later.
"""

from __future__ import annotations

import base64
import hmac
import math
import re
import socket
from typing import TYPE_CHECKING

from outagecast.channel import ChannelError, Refused, TryLater
from outagecast.channels.email.answers import Stage, error, judge
from outagecast.channels.email.link import Link, LinkLostError, Waits
from outagecast.channels.email.relay import Relay, Tls

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable

    from outagecast.channels.email.replies import Reply


_UNTRUSTED = {
    9: "it is not valid yet",
    10: "it has expired",
    **dict.fromkeys((18, 19, 20, 21), "nobody whom this machine trusts has signed it"),
    62: "it is for another name",
    64: "it is for another address",
}
"""OpenSSL's X509_V_ERR codes that happen, in words (openssl/x509_vfy.h)."""


class NotOpenError(Exception):
    """A relay could not be used; `error` is the reason for the core."""

    def __init__(self, error: ChannelError) -> None:
        super().__init__(error.text)
        self.error = error


class Session:
    """A connection that is ready for letters."""

    def __init__(self, relay: Relay, link: Link, extensions: dict[str, str]) -> None:
        self.relay = relay
        self.link = link
        self.extensions = extensions
        self.pipelining = "PIPELINING" in extensions
        self.letters = 0
        """How many were accepted on it."""

    @property
    def most_octets(self) -> float:
        """The largest letter it says it takes (RFC 1870); it need not say, and 0 says nothing."""
        said = self.extensions.get("SIZE", "").strip()
        return int(said) or math.inf if re.fullmatch("[0-9]{1,20}", said) else math.inf

    def quit(self) -> None:
        """Say goodbye without waiting for the answer: everything that mattered has been answered."""
        try:
            self.link.write(b"QUIT\r\n", 1)
        except LinkLostError:
            # The relay hung up first; nothing was pending.
            return
        finally:
            self.link.close()


def open_session(relay: Relay, tls: Callable[[], ssl.SSLContext], waits: Waits) -> Session:
    """Open a connection; raises NotOpenError."""
    try:
        login = _credentials(relay)
        link = _connected(relay, waits)
    except ChannelError as err:
        raise NotOpenError(err) from err
    try:
        return Session(relay, link, _opened(relay, link, tls, waits, login))
    except BaseException:
        link.close()
        raise


def _credentials(relay: Relay) -> tuple[str, str] | None:
    if relay.user is None or relay.password is None:
        return None
    return relay.user.reveal(), relay.password.reveal()


def _connected(relay: Relay, waits: Waits) -> Link:
    try:
        return Link(socket.create_connection((relay.host, relay.port), waits.connect))
    except (OSError, UnicodeError) as err:
        why, hint = _unreachable(err)
        raise TryLater(f"{relay.label} cannot be reached: {why}", hint=hint) from err


def _unreachable(err: Exception) -> tuple[str, str]:
    if isinstance(err, socket.gaierror):
        return _unresolved(err)
    if isinstance(err, TimeoutError):
        return "no answer", "check this machine's network and its firewall, then: outagecast resume"
    if isinstance(err, ConnectionRefusedError):
        return "connection refused", "check the port and whether the relay runs, then: outagecast resume"
    return getattr(err, "strerror", None) or type(err).__name__, "check this machine's network, then: outagecast resume"


def _unresolved(err: socket.gaierror) -> tuple[str, str]:
    """What getaddrinfo says, in words: a name that is wrong is mended in the config, a DNS that is silent is not."""
    if err.errno in (socket.EAI_NONAME, socket.EAI_NODATA):
        return "there is no host of this name", "correct the relay's name in the config, then: outagecast check"
    if err.errno == socket.EAI_AGAIN:
        return "the DNS does not answer", "check this machine's network and its DNS, then: outagecast resume"
    return "its name cannot be looked up", "check the name and this machine's DNS, then: outagecast resume"


def _opened(
    relay: Relay, link: Link, tls: Callable[[], ssl.SSLContext], waits: Waits, login: tuple[str, str] | None
) -> dict[str, str]:
    """What the relay can do, once it has greeted us, is private and knows us."""
    steps = _Steps(relay, link, waits)
    if relay.tls is Tls.IMPLICIT:
        steps.encrypt(tls)
    steps.answer(Stage.GREETING)
    extensions = steps.hello()
    if relay.tls is Tls.STARTTLS:
        if "STARTTLS" not in extensions:
            raise steps.barred("it offers no STARTTLS", "use smtps:// if the relay has it, or ask its operator")
        steps.command(Stage.STARTTLS, b"STARTTLS")
        steps.encrypt(tls)
        extensions = steps.hello()
    if login is not None:
        steps.log_in(extensions.get("AUTH", "").upper().split(), *login)
    return extensions


class _Steps:
    """The commands of the opening, each with its answer judged."""

    def __init__(self, relay: Relay, link: Link, waits: Waits) -> None:
        self._relay = relay
        self._link = link
        self._waits = waits

    def command(self, stage: Stage, line: bytes) -> Reply:
        try:
            self._link.write(line + b"\r\n", self._waits.opening)
        except LinkLostError as err:
            raise self._lost(stage, str(err)) from err
        return self.answer(stage)

    def answer(self, stage: Stage) -> Reply:
        try:
            reply = self._link.reply(self._waits.opening)
        except LinkLostError as err:
            raise self._lost(stage, str(err)) from err
        if reply.ok or (stage is Stage.AUTH and reply.code == 334):
            return reply
        raise NotOpenError(error(judge(stage, reply), relay=self._relay))

    def hello(self) -> dict[str, str]:
        # An address literal is always right, and looking up our own name may hang when our DNS is down.
        host = self._link.local_host
        name = f"[IPv6:{host}]" if ":" in host else f"[{host}]"
        lines = self.command(Stage.EHLO, f"EHLO {name}".encode()).lines[1:]
        # Some relays still write AUTH=PLAIN beside AUTH PLAIN, for clients of the last century.
        pairs = (line.partition(" ") for line in lines if "=" not in line.partition(" ")[0])
        return {keyword.upper(): values for keyword, _, values in pairs}

    def encrypt(self, tls: Callable[[], ssl.SSLContext]) -> None:
        import ssl

        try:
            self._link.start_tls(tls(), self._relay.host, self._waits.opening)
        except ssl.SSLCertVerificationError as err:
            why = f"its certificate is not trusted: {_UNTRUSTED.get(err.verify_code, err.verify_message)}"
            hint = "check the name in the config, this machine's clock and its certificates (SSL_CERT_FILE)"
            raise NotOpenError(TryLater(f"{self._relay.label}: {why}", hint=hint)) from err
        except OSError as err:
            raise self._lost(Stage.STARTTLS, f"no TLS: {err.strerror or type(err).__name__}") from err

    def log_in(self, offered: list[str], user: str, password: str) -> None:
        name, secret = user.encode(), password.encode()
        if "PLAIN" in offered:
            last = self.command(Stage.AUTH, b"AUTH PLAIN " + base64.b64encode(b"\0" + name + b"\0" + secret))
        elif "LOGIN" in offered:
            self.command(Stage.AUTH, b"AUTH LOGIN")
            self.command(Stage.AUTH, base64.b64encode(name))
            last = self.command(Stage.AUTH, base64.b64encode(secret))
        elif "CRAM-MD5" in offered:
            challenge = self.command(Stage.AUTH, b"AUTH CRAM-MD5").text
            proof = hmac.new(secret, _challenge(challenge), "md5").hexdigest()
            last = self.command(Stage.AUTH, base64.b64encode(name + b" " + proof.encode()))
        else:
            raise self.barred("it offers no login we know (PLAIN, LOGIN, CRAM-MD5)", "ask the relay's operator")
        if not last.ok:
            raise self.barred("its login asks for more than user and password", "ask the relay's operator")

    def barred(self, why: str, hint: str) -> NotOpenError:
        return NotOpenError(Refused(f"{self._relay.label} refused: {why}", mendable=True, hint=hint))

    def _lost(self, stage: Stage, why: str) -> NotOpenError:
        text = f"{self._relay.label} was lost ({stage}): {why}"
        return NotOpenError(TryLater(text, hint="outagecast resume"))


def _challenge(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except ValueError:
        # Nothing to answer: the relay says no to the proof, and that is the error the operator sees.
        return b""
