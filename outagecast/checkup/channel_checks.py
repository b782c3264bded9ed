"""What each channel says of itself: its own check, what the DNS says of it, and with --live a rehearsal."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from msgspec.structs import replace

from outagecast.channel import REHEARSAL, Addressed, Named, Rehearses
from outagecast.checkup.looks import Look, caught
from outagecast.model import Finding, LeastReplies, Level

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
        yield Look(opened.name, lambda: _talk(opened, channel, listed, live=True), 2 * patience, channel.leftovers)
    else:
        yield Look(opened.name, lambda: _talk(opened, channel, listed, live=False), patience)
    if isinstance(channel, Named):
        named = channel
        yield Look(opened.name, lambda: named.check_names(names), patience)


def _talk(opened: Opened, channel: Channel, listed: Listed, *, live: bool) -> Iterator[Finding]:
    """One after the other, because a channel is used by one thread at a time."""
    rehearses = channel if live and isinstance(channel, Rehearses) else None

    def checked() -> Iterator[Finding]:
        found = channel.check_recipients(listed()) if isinstance(channel, Addressed) else channel.check()
        yield from (_weighed(one, opened.least) for one in found if not (rehearses and one.do == REHEARSAL))

    asks: list[Callable[[], Iterable[Finding]]] = [checked]
    if rehearses:
        asks.append(rehearses.rehearse)
    try:
        for ask in asks:
            yield from caught(channel.name, ask)
    finally:
        # A connection that does not close properly is nothing to find.
        with suppress(Exception):
            channel.close()


def _weighed(finding: Finding, least: LeastReplies) -> Finding:
    """What the channel warns of is bad where the config demands what cannot be met."""
    order = list(LeastReplies)
    if finding.unmet is None or order.index(least) > order.index(finding.unmet):
        return finding
    text = f"{finding.text}; that is demanded (`replies: {least}`), so every post ends with exit 1"
    return replace(finding, level=Level.BAD, text=text)


def _unusable(opened: Opened) -> Finding:
    text = opened.error.text if opened.error else "the channel cannot be used"
    hint = opened.error.hint if opened.error else ""
    return Finding(opened.name, Level.BAD, text, hint or "correct its section in the config, then: outagecast check")
