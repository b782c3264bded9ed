"""How many more calls X takes, as its answers say: for a quarter of an hour, and on capped tiers for a day."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import msgspec

from outagecast.channel import Finding, Level

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from requests import Response

_BUCKETS = {
    "x-rate-limit": "in this quarter of an hour",
    "x-app-limit-24hour": "today for the app",
    "x-user-limit-24hour": "today for the account",
}
_FEW = 20
_DO = "call X no more than needed until then; a higher tier has more (https://console.x.com)"


class Budget(msgspec.Struct, frozen=True):
    """What is left of one bucket of calls."""

    what: str
    span: str
    left: int
    most: int | None
    reset: datetime | None

    @property
    def few(self) -> bool:
        """Whether a long night could use it up: few are left, and not because there never are more."""
        return self.left < _FEW and (self.most is None or self.left * 2 < self.most)

    @property
    def said(self) -> str:
        """What is left, as in "3 of 25 calls to read posts are left today for the account"."""
        most = f" of {self.most:,}" if self.most is not None else ""
        until = f" (until {self.reset:%Y-%m-%d %H:%M} UTC)" if self.reset else ""
        return f"{self.left:,}{most} calls {self.what} are left {self.span}{until}"


def budget(name: str, answers: Mapping[str, Response | None]) -> Iterator[Finding]:
    """Warn of each bucket that is nearly empty; if none is, say of each kind how much the emptiest has.

    X counts each kind of call for itself: how many more posts it takes, only the answer to a post would tell.
    """
    known = [one for what, answer in answers.items() if answer is not None for one in _read(what, answer.headers)]
    short = [one for one in known if one.few]
    for one in short:
        yield Finding(name, Level.WARNING, f"only {one.said}", _DO)
    if known and not short:
        spans = dict.fromkeys(one.span for one in known)
        least = [min((one for one in known if one.span == span), key=lambda one: one.left) for span in spans]
        yield Finding(name, Level.GOOD, f"no rate limit is near: {'; '.join(one.said for one in least)}")


def _read(what: str, headers: Mapping[str, str]) -> Iterator[Budget]:
    for bucket, span in _BUCKETS.items():
        left = _number(headers, f"{bucket}-remaining")
        if left is not None:
            reset = _time(_number(headers, f"{bucket}-reset"))
            yield Budget(what, span, left, _number(headers, f"{bucket}-limit"), reset)


def _number(headers: Mapping[str, str], name: str) -> int | None:
    value = headers.get(name, "").strip()
    return int(value) if value.isascii() and value.isdigit() and len(value) < 12 else None


def _time(stamp: int | None) -> datetime | None:
    try:
        return datetime.fromtimestamp(stamp, UTC) if stamp else None
    except (ValueError, OverflowError, OSError):
        return None
