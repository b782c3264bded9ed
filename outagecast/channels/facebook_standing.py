"""Why comments of strangers may still stand, and what to type next: a sweep's errors are not those of a post."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from outagecast.channel import ChannelError, Refused, TryLater
from outagecast.channels.facebook_table import DRAFTS, IN_A_BROWSER, PERMISSION
from outagecast.channels.facebook_token import TO_SWEEP

if TYPE_CHECKING:
    from outagecast.channels.facebook_answers import Usage

RIGHTS = (
    f"get a Page token that has {' and '.join(TO_SWEEP)}: outagecast auth facebook; put it where the config reads it, "
    "then: outagecast sweep"
)
LATER = "nothing to mend: `outagecast sweep --watch` looks again later"
_INSTEAD = {PERMISSION: RIGHTS, DRAFTS: "look at the app under developers.facebook.com/apps, then: outagecast sweep"}
_RESUME = "outagecast resume"
_FULL = 80
"""Percent of the budget of calls. The rest belongs to announcements: a sweep must never use up what a post needs."""
_PAUSE = timedelta(minutes=15)


def standing(comments: int, err: ChannelError) -> ChannelError:
    """Say of how many comments it is not known that nobody sees them, by the reason of one of them."""
    return worded(f"{some(comments)} may still stand: {err.text}", err)


def worded(text: str, err: ChannelError) -> ChannelError:
    """Say the same in other words, with what to type after a sweep."""
    if isinstance(err, Refused):
        return Refused(text, mendable=True, blind=err.blind, hint=hint_for(err))
    after, limited = (err.after, err.limited) if isinstance(err, TryLater) else (None, False)
    return TryLater(text, after=after, limited=limited, hint=hint_for(err))


def some(comments: int) -> str:
    """Put a number of comments into words."""
    return f"{comments:,} comment{'' if comments == 1 else 's'}"


def hint_for(err: ChannelError) -> str:
    """Say what to type after an error of a sweep: the table's hints are about a post that is not out."""
    if isinstance(err, Refused) and not err.mendable:
        return IN_A_BROWSER
    if err.hint in _INSTEAD:
        return _INSTEAD[err.hint]
    if isinstance(err, Refused) or err.hint.startswith("check "):
        hint = err.hint.replace(_RESUME, "outagecast sweep")
        return hint if "outagecast sweep" in hint else f"{hint}{', then: ' if hint else ''}outagecast sweep"
    return LATER


def spent(usage: Usage) -> TryLater | None:
    """Say how long to look at nothing, where the Page has used so many of its calls that posts may need the rest."""
    if usage.percent < _FULL:
        return None
    return TryLater(
        f"the Page has used {usage.percent} % of its calls, and the rest is kept for announcements",
        after=usage.regain or _PAUSE,
        limited=True,
        hint="nothing to mend: `outagecast sweep --watch` goes on later",
    )
