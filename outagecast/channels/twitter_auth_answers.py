"""What X says when it gives no token: in JSON, in XML or in plain words, as the same error was seen in all three."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING, NoReturn

from outagecast.channel import Refused, TryLater
from outagecast.channels.twitter_answers import take_apart, wait_for
from outagecast.channels.twitter_table import CONSOLE
from outagecast.text import terminal
from outagecast.wire import clock_skew, read_text

if TYPE_CHECKING:
    from datetime import datetime

    from requests import Response

AGAIN = "outagecast auth twitter"
_SKEW = timedelta(minutes=5)
"""X refuses signatures from clocks that are farther off (by report)."""
_CLOCK, _CALLBACKS, _SUSPENDED = frozenset({135}), frozenset({415, 417}), frozenset({64, 416})
"""Codes of X's page "Response codes", and of logs of 2018 to 2026: a time stamp out of bounds; a callback URL that is
not in the app's settings, or none there at all; an app that X has suspended."""


class WrongPin(Refused):
    """The PIN is no good; with a new link there is a new one."""


def demand(response: Response, now: datetime, *, pin: bool) -> None:
    """Raise what an answer means that brings no token; `pin` says that it was asked for with one."""
    status = response.status_code
    if status == 200:
        return
    codes = take_apart(response).codes | {int(code) for code in re.findall(r'code="([0-9]{1,4})"', read_text(response))}
    said = _quoted(_sentence(response))
    if status == 429:
        raise TryLater(
            f"X has had too many tries{said}", after=wait_for(response, now), limited=True, hint=f"wait, then: {AGAIN}"
        )
    if not 400 <= status < 500:
        raise TryLater(f"X did not answer as it should (HTTP {status})", hint=f"once more, a little later: {AGAIN}")
    _demand_clock(response, now, codes, said)
    if codes & _SUSPENDED:
        raise Refused(f"X has suspended the app{said}", mendable=True, hint=f"look at the app at {CONSOLE}")
    if pin:
        raise WrongPin(
            f"X does not take this PIN: it is wrong, used already or too old{said}", mendable=True, hint=AGAIN
        )
    _refuse_app(status, codes, said)


def _demand_clock(response: Response, now: datetime, codes: frozenset[int], said: str) -> None:
    skew = clock_skew(response.headers, now)
    if codes & _CLOCK or (skew is not None and abs(skew) >= _SKEW):
        off = f": it is {abs(skew).total_seconds():.0f} s {'fast' if skew > timedelta(0) else 'slow'}" if skew else ""
        raise Refused(
            f"X refuses because this machine's clock is wrong{off}{said}",
            mendable=True,
            hint=f"set the clock (NTP), then: {AGAIN}",
        )


def _refuse_app(status: int, codes: frozenset[int], said: str) -> NoReturn:
    if codes & _CALLBACKS or "allback" in said:
        raise Refused(
            f"X wants a callback URL in the app's settings, though a PIN never uses it{said}",
            mendable=True,
            hint=f"at {CONSOLE}, in the app's User authentication settings, enter any https address of yours as "
            f"callback URL, then: {AGAIN}",
        )
    if status == 401:
        raise Refused(
            f"X does not accept the app's API key or its secret{said}",
            mendable=True,
            hint=f"copy both anew from {CONSOLE} (Consumer Keys, not the access token), then: {AGAIN}",
        )
    raise Refused(
        f"X refuses to let the app ask for tokens (HTTP {status}){said}",
        mendable=True,
        hint=f"look at the app and its project at {CONSOLE}, then: {AGAIN}",
    )


def _sentence(response: Response) -> str:
    """X's own words, whatever they are wrapped in; nothing of an HTML page."""
    if detail := take_apart(response).detail:
        return detail
    if "html" in response.headers.get("Content-Type", "").lower():
        return ""
    text = read_text(response)
    found = re.search(r"<error[^>]*>([^<]+)", text)
    return found[1] if found else re.sub(r"<[^>]*>", " ", text)


def _quoted(words: str) -> str:
    line = terminal(" ".join(words.split()))
    return f' (X says: "{line}")' if line else ""
