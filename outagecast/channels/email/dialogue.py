"""One letter after another over a session, with the border drawn where it matters: the first byte of content.

With PIPELINING (RFC 2920) a letter's content, its final dot and the next letter's envelope go out in one write: a
round trip a letter, and still at most one letter in doubt, as the next 354 comes only after the last 250.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from outagecast.channels.email.answers import Judged, Stage, judge
from outagecast.channels.email.link import LinkLostError

if TYPE_CHECKING:
    from outagecast.channels.email.letter import Letter
    from outagecast.channels.email.link import Waits
    from outagecast.channels.email.replies import Reply
    from outagecast.channels.email.session import Session

DOT = b".\r\n"


class LostError(Exception):
    """The connection is over, at this stage; `reply` is its last word, if it had one."""

    def __init__(self, stage: Stage, why: str, reply: Reply | None = None) -> None:
        super().__init__(f"{why} ({stage})")
        self.stage = stage
        self.reply = reply


class Dialogue:
    """The transactions of one session."""

    def __init__(self, session: Session, waits: Waits) -> None:
        self._session = session
        self._link = session.link
        self._waits = waits
        self._stale = False
        """A refused envelope is still open at the relay: it answers `503 nested MAIL` until it is taken back."""

    def offer(self, letter: Letter) -> None:
        """Write the envelope, where it may be written in one go."""
        if self._session.pipelining:
            self._write((b"RSET\r\n" if self._stale else b"") + self._envelope(letter), Stage.MAIL)

    def admitted(self, letter: Letter) -> Judged | None:
        """Whether the letter's content may come now: None says yes. Raises LostError, and the letter is clean."""
        if self._stale and not self._session.pipelining:
            self._write(b"RSET\r\n", Stage.MAIL)
        if self._stale:
            self._read(Stage.MAIL)
        said = self._pipelined() if self._session.pipelining else self._step_by_step(letter)
        self._stale = said is not None
        if said is not None and said.reply.code == 421:
            raise LostError(said.stage, f"the relay hung up: {said.reply}", said.reply)
        return said

    def content(self, letter: Letter, following: Letter | None) -> None:
        """Write content, dot and the next letter's envelope. From here on LostError means: in doubt."""
        behind = self._envelope(following) if following else b""
        try:
            for octets in letter.writes(DOT + behind):
                self._link.write(octets, self._waits.block)
        except LinkLostError as err:
            raise LostError(Stage.CONTENT, str(err)) from err

    def taken(self) -> Judged | Reply:
        """The answer to the dot: the reply itself when the relay owns the letter now."""
        reply = self._read(Stage.CONTENT, self._waits.dot)
        if reply.ok:
            return reply
        if reply.code < 400:
            raise LostError(Stage.CONTENT, f"an answer that says neither yes nor no: {reply}")
        return judge(Stage.CONTENT, reply)

    def envelope_only(self, letter: Letter) -> Judged | None:
        """Ask whether sender and recipient would be taken, then take it back: for `check`. No letter goes out."""
        no = self._envelope_refused(letter)
        if no is None or no.reply.code != 421:
            self._ask(Stage.MAIL, b"RSET\r\n")
        return no

    def _pipelined(self) -> Judged | None:
        """Read the three answers of an envelope; the first no decides, and the others still have to be read."""
        no: Judged | None = None
        for stage in (Stage.MAIL, Stage.RCPT):
            reply = self._read(stage)
            if not reply.ok and no is None:
                no = judge(stage, reply)
                if reply.code == 421:
                    return no
        reply = self._read(Stage.DATA)
        if reply.code != 354:
            return no or judge(Stage.DATA, reply)
        if no is not None:
            # The relay wants a letter although it has no recipient for it: an empty one, which goes nowhere.
            self._ask(Stage.DATA, DOT)
        return no

    def _step_by_step(self, letter: Letter) -> Judged | None:
        no = self._envelope_refused(letter)
        if no is None:
            reply = self._ask(Stage.DATA, b"DATA\r\n")
            no = None if reply.code == 354 else judge(Stage.DATA, reply)
        return no

    def _envelope_refused(self, letter: Letter) -> Judged | None:
        for stage, command in ((Stage.MAIL, self._mail(letter)), (Stage.RCPT, self._rcpt(letter))):
            reply = self._ask(stage, command)
            if not reply.ok:
                return judge(stage, reply)
        return None

    def _envelope(self, letter: Letter) -> bytes:
        return self._mail(letter) + self._rcpt(letter) + b"DATA\r\n"

    def _mail(self, letter: Letter) -> bytes:
        options = " SMTPUTF8" if letter.smtputf8 else ""
        if "DSN" in self._session.extensions:
            options += f" RET=HDRS ENVID={letter.token}"
        return f"MAIL FROM:<{letter.envelope_sender}>{options}\r\n".encode()

    def _rcpt(self, letter: Letter) -> bytes:
        options = ""
        if "DSN" in self._session.extensions and letter.recipient.isascii():
            options = f" NOTIFY=FAILURE ORCPT=rfc822;{_xtext(letter.recipient)}"
        return f"RCPT TO:<{letter.recipient}>{options}\r\n".encode()

    def _ask(self, stage: Stage, command: bytes) -> Reply:
        self._write(command, stage)
        return self._read(stage)

    def _write(self, octets: bytes, stage: Stage) -> None:
        try:
            self._link.write(octets, self._waits.block)
        except LinkLostError as err:
            raise LostError(stage, str(err)) from err

    def _read(self, stage: Stage, seconds: float = 0) -> Reply:
        try:
            return self._link.reply(seconds or self._waits.command)
        except LinkLostError as err:
            raise LostError(stage, str(err)) from err


def _xtext(value: str) -> str:
    """The encoding of RFC 3461 for an address inside a parameter."""
    return "".join(c if "!" <= c <= "~" and c not in "+=" else f"+{ord(c):02X}" for c in value)
