"""Several looks at once, each in a thread of its own and bounded in time; what they found counts as it comes."""

from __future__ import annotations

import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING

import msgspec

from outagecast.errors import OutagecastError
from outagecast.model import Finding, Level

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    Ask = Callable[[], Iterable[Finding]]

_AGAIN = "outagecast check"


class Look(msgspec.Struct, frozen=True):
    """One thing to look at: `ask` gives findings about `subject`, and gets so many seconds for all of them."""

    subject: str
    ask: Ask
    patience: float
    left: Ask = tuple
    """What may be left behind if it does not come to its end."""


class _Running:
    """A look under way. A stranger's code may be in it: nothing that it does reaches anybody else."""

    def __init__(self, look: Look) -> None:
        self.look = look
        self._found: list[Finding] = []
        self._until = float("inf")
        self._ended = threading.Event()

    def start(self) -> None:
        """From now on its time runs."""
        self._until = time.monotonic() + self.look.patience
        threading.Thread(target=self._work, name=f"check {self.look.subject}", daemon=True).start()

    def _work(self) -> None:
        for finding in caught(self.look.subject, self.look.ask):
            self._found.append(finding)
        self._ended.set()

    def wait(self) -> None:
        """Until it has ended, or has had its time."""
        self._ended.wait(max(0.0, self._until - time.monotonic()))

    def found(self) -> list[Finding]:
        """What it has found by now; one more finding says if there may be more."""
        ended, found = self._ended.is_set(), list(self._found)
        if ended:
            return found
        text, do = "interrupted before its end", _AGAIN
        if time.monotonic() >= self._until:
            text = f"it did not end within {self.look.patience:.0f} s; what it found until then stands here"
            do = f"look at the network, then: {_AGAIN}"
        left = caught(self.look.subject, self.look.left)
        return [*found, Finding(self.look.subject, Level.BAD, text, do), *left]


def all_findings(looks: Sequence[Look], mask: Callable[[str], str]) -> list[Finding]:
    """Run them all, and give their findings in the order of the looks, each once; an interrupt ends the waiting."""
    running = [_Running(look) for look in looks]
    # Each look that has not ended then, or not even begun, says so in a finding.
    with suppress(KeyboardInterrupt):
        for one in running:
            one.start()
        for one in running:
            one.wait()
    found = (finding for one in running for finding in one.found())
    masked = (Finding(each.channel, each.level, mask(each.text), mask(each.do)) for each in found)
    # A check and a rehearsal may both come to the same end.
    return list(dict.fromkeys(masked))


def caught(subject: str, ask: Ask) -> Iterator[Finding]:
    """The findings, in the name of `subject`; whatever is raised instead is one more."""
    try:
        for finding in ask():
            yield Finding(subject, Level(finding.level), str(finding.text), str(finding.do))
    except OutagecastError as err:
        yield Finding(subject, Level.BAD, err.text, err.hint or _AGAIN)
    except GeneratorExit:
        raise
    except BaseException as err:  # noqa: BLE001  sys.exit() in somebody's adapter too: it ends its own check only
        text = f"the check itself failed: {type(err).__name__}: {err}"
        yield Finding(subject, Level.BAD, text, "report it to whoever wrote this; the other checks are not touched")
