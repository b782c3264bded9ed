"""What can go wrong with a simulated mail relay, as a script: each fault waits for its stage and happens."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from enum import StrEnum


class At(StrEnum):
    """Where a fault happens."""

    CONNECTED = "connected"
    EHLO = "ehlo"
    STARTTLS = "starttls"
    AUTH = "auth"
    MAIL = "mail"
    RCPT = "rcpt"
    DATA = "data"
    CONTENT = "content"
    """The final dot is there, the letter is not stored."""
    STORED = "stored"
    """The letter is stored, the answer is not yet sent."""
    RSET = "rset"


class Do(StrEnum):
    """What happens."""

    DROP = "drop"
    """The connection is cut without an answer."""
    REPLY = "reply"
    """`reply` is the answer, whatever it is; the command is done only if it has the usual code. 421 ends it all."""
    HANG = "hang"
    """No answer ever comes."""
    DRIP = "drip"
    """The answer comes one byte at a time, `seconds` apart."""


@dataclass(frozen=True, slots=True)
class MailFault:
    """One thing that goes wrong: after `skip` times at that stage, `times` times (0: always)."""

    at: At
    do: Do = Do.REPLY
    reply: str = "451 4.3.0 try again later"
    times: int = 1
    skip: int = 0
    seconds: float = 1
    to: str = ""
    """Only for this recipient (from RCPT on); empty: for all."""


class MailScript:
    """The faults still to come. Safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._faults: list[tuple[MailFault, list[int]]] = []

    def add(self, *faults: MailFault) -> None:
        """Let these happen, in this order where several fit."""
        with self._lock:
            self._faults += [(fault, [0]) for fault in faults]

    def clear(self) -> None:
        """Let nothing go wrong any more."""
        with self._lock:
            self._faults.clear()

    def next(self, at: At, to: str = "") -> MailFault | None:
        """The fault that happens now, if one does."""
        with self._lock:
            for fault, seen in self._faults:
                if fault.at is not at or (fault.to and fault.to != to):
                    continue
                seen[0] += 1
                if seen[0] > fault.skip and (not fault.times or seen[0] <= fault.skip + fault.times):
                    return fault
        return None
