"""What each channel says of itself: its own check, what the DNS says of it, and with --live a rehearsal."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from outagecast.channel import Addressed, Named, Rehearses
from outagecast.checkup.looks import Look, caught
from outagecast.model import Finding, Level

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from outagecast.channel import Channel
    from outagecast.names import Names
    from outagecast.registry import Opened

    Listed = Callable[[], Sequence[str] | None]


def looks(opened: Opened, names: Names, listed: Listed, *, live: bool, patience: float) -> Iterator[Look]:
    """One look that talks to the platform, and one beside it that asks the DNS.

    `listed` gives some of the subscribers, or None if they cannot be read; it is called when they are needed.
    """
    channel = opened.channel
    if channel is None:
        yield Look(opened.name, lambda: [_unusable(opened)], patience)
        return
    if live and isinstance(channel, Rehearses):
        yield Look(opened.name, lambda: _talk(channel, listed, live=True), 2 * patience, channel.leftovers)
    else:
        yield Look(opened.name, lambda: _talk(channel, listed, live=False), patience)
    if isinstance(channel, Named):
        named = channel
        yield Look(opened.name, lambda: named.check_names(names), patience)


def _talk(channel: Channel, listed: Listed, *, live: bool) -> Iterator[Finding]:
    """One after the other, because a channel is used by one thread at a time."""
    addressed = channel if isinstance(channel, Addressed) else None
    asks: list[Callable[[], Iterable[Finding]]] = [
        (lambda: addressed.check_recipients(listed())) if addressed else channel.check
    ]
    if live and isinstance(channel, Rehearses):
        asks.append(channel.rehearse)
    try:
        for ask in asks:
            yield from caught(channel.name, ask)
    finally:
        # A connection that does not close properly is nothing to find.
        with suppress(Exception):
            channel.close()


def _unusable(opened: Opened) -> Finding:
    text = opened.error.text if opened.error else "the channel cannot be used"
    hint = opened.error.hint if opened.error else ""
    return Finding(opened.name, Level.BAD, text, hint or "correct its section in the config, then: outagecast check")
