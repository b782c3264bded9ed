"""How findings about a Page are made, and how a day on which something ends is judged."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import msgspec

from outagecast.channel import Finding, Level, TryLater

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from typing import Any

    from outagecast.channel import ChannelError

CHECK = "outagecast check"
NEW_TOKEN = f"get a new Page token: outagecast auth facebook; put it where the config reads it, then: {CHECK}"
_SOON = timedelta(days=30)
_DEBUGGER = "look at it at developers.facebook.com/tools/debug/accesstoken"


class Findings(msgspec.Struct, frozen=True):
    """Makes findings of one channel. What is not good comes with what to do."""

    channel: str

    def good(self, text: str) -> Finding:
        """Something is known to be as it should be."""
        return Finding(self.channel, Level.GOOD, text)

    def warning(self, text: str, do: str) -> Finding:
        """Something may go wrong, or cannot be known."""
        return Finding(self.channel, Level.WARNING, text, do)

    def bad(self, text: str, do: str) -> Finding:
        """Something would go wrong tonight."""
        return Finding(self.channel, Level.BAD, text, do)

    def ending(self, text: Callable[[str], str], at: datetime, now: datetime, do: str) -> Finding:
        """Judge what ends at a time; `text` puts that time into words."""
        said = text(f"{at:%Y-%m-%d %H:%M} UTC")
        if at <= now:
            return self.bad(said, do)
        return self.warning(said, do) if at <= now + _SOON else self.good(said)


def lifetime(said: Findings, known: Mapping[str, Any], now: datetime, do: str) -> Iterator[Finding]:
    """Judge until when a Page's token lives and may read data; what Facebook does not say is never taken for "never".

    Only the end of its access to data may be left out: Meta's own samples of the answer do so (November 2026).
    """
    ends, data, app = (known.get(key) for key in ("expires_at", "data_access_expires_at", "application"))
    made = f", made by the app {app}" if isinstance(app, str) and app else ""
    if _never(ends):
        yield said.good(f"a Page token that never expires{made}")
    elif at := time_of(ends):
        yield said.ending(lambda when: f"a Page token that expires on {when}{made}", at, now, do)
    else:
        yield said.warning(f"a Page token{made}; Facebook does not say when it expires", _DEBUGGER)
    if at := time_of(data):
        yield said.ending(lambda when: f"the token's access to data ends on {when}", at, now, do)
    elif data is not None and not _never(data):
        yield said.warning("Facebook does not say when the token's access to data ends", _DEBUGGER)


def _never(stamp: object) -> bool:
    return stamp == 0 and isinstance(stamp, int) and not isinstance(stamp, bool)


def next_step(err: ChannelError) -> str:
    """What to do about an error met by a check: hints speak of going on with a post, and here there is none."""
    if not err.hint or (isinstance(err, TryLater) and not err.hint.startswith("check ")):
        return f"wait a little, then: {CHECK}"
    return err.hint.replace("outagecast resume", CHECK)


def time_of(stamp: object) -> datetime | None:
    """Read a time in Unix seconds; None for what is none, 0 (which stands for "never") included."""
    if not isinstance(stamp, int) or isinstance(stamp, bool) or stamp <= 0:
        return None
    try:
        return datetime.fromtimestamp(stamp, UTC)
    except (ValueError, OverflowError, OSError):
        return None
