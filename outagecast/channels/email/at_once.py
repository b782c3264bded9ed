"""Several looks at the same time, each with the same end: one that hangs hides nothing that the others found."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

Found = TypeVar("Found")


def at_once(
    looks: Sequence[Callable[[], Iterable[Found]]], seconds: float, late: Callable[[int], Found]
) -> Iterator[Found]:
    """What each of them finds, in their order; what one has found by the end counts, and then `late(number)`.

    An error of one is raised after all that the others found.
    """
    end = time.monotonic() + seconds
    running = [_Look(look) for look in looks]
    for number, look in enumerate(running):
        ended = look.ended(max(0.0, end - time.monotonic()))
        yield from look.found()
        if not ended:
            yield late(number)
    for look in running:
        if look.error is not None:
            raise look.error


class _Look(Generic[Found]):
    """One of them, in a thread that holds up nobody: the process may end before it does."""

    def __init__(self, look: Callable[[], Iterable[Found]]) -> None:
        self.error: Exception | None = None
        self._look = look
        self._found: list[Found] = []
        self._thread = threading.Thread(target=self._run, name="look", daemon=True)
        self._thread.start()

    def ended(self, seconds: float) -> bool:
        """Wait for it that long."""
        self._thread.join(seconds)
        return not self._thread.is_alive()

    def found(self) -> Sequence[Found]:
        """All of it so far."""
        return list(self._found)

    def _run(self) -> None:
        try:
            for found in self._look():
                self._found.append(found)
        except Exception as err:  # noqa: BLE001  it is raised where somebody can hear it
            self.error = err
