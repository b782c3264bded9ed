"""What X's answers to a create tell about the world, as one table.

State of November 2026: X's OpenAPI 2.167 and documents, and refusals seen by others in 2026. The first row that fits
decides. `type` is compared by its last path segment, because its host is api.twitter.com or api.x.com.
"""

from __future__ import annotations

import re
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

import msgspec

from outagecast.wire import RESUME

if TYPE_CHECKING:
    from collections.abc import Container

CONSOLE = "https://console.x.com"


class Verdict(StrEnum):
    """What an answer means for the post it was about."""

    PUBLISHED = "published"
    LIMITED = "limited"
    """Not published; X says when to come again."""
    PATIENCE = "patience"
    """Not published, for no known reason; a few tries later on may work, then a person must look."""
    REFUSED = "refused"
    INVALID = "invalid"
    """Not published: X cannot make sense of it. With a picture, that may be the picture's fault (its id expires)."""
    NO_REPLY = "no-reply"
    """Not published: it may not be a reply to that post. As a post of its own it may go out."""
    PARENT_UNSEEN = "parent-unseen"
    """Not published: X does not see the parent, which is gone or was made just now."""
    DUPLICATE = "duplicate"
    """No new post; an equal one exists, or the same request is in flight."""
    DOUBT = "doubt"


class Problem(msgspec.Struct, frozen=True):
    """What X said, taken apart; every field may be empty."""

    status: int
    kinds: frozenset[str] = frozenset()
    """Last segments of the `type` addresses."""
    words: str = ""
    codes: frozenset[int] = frozenset()
    detail: str = ""
    """The one sentence of it that is fit for a person."""


class Row(msgspec.Struct, frozen=True):
    """One outcome: how it is recognized, and what it means.

    A row fits if the status does and, where `kinds`, `words` or `codes` are given, at least one of them does too.
    """

    name: str
    status: Container[int]
    verdict: Verdict
    text: str
    hint: str
    kinds: tuple[str, ...] = ()
    words: str = ""
    codes: tuple[int, ...] = ()
    mendable: bool = False
    after: timedelta | None = None
    tries: int = 0
    """How often PATIENCE is worth having."""

    def fits(self, problem: Problem) -> bool:
        """Tell whether this is the outcome."""
        if problem.status not in self.status:
            return False
        if not (self.kinds or self.words or self.codes):
            return True
        by_kind = any(kind in said for kind in self.kinds for said in problem.kinds)
        by_words = bool(self.words) and re.search(self.words, problem.words, re.IGNORECASE | re.DOTALL) is not None
        return by_kind or by_words or not problem.codes.isdisjoint(self.codes)


_LOOK = f"look it up: {RESUME}"
_NEW_TOKEN = (
    f"at {CONSOLE} set the app to Read and write, then get a NEW access token: outagecast auth twitter; put it where "
    f"the config reads it, then: {RESUME}"
)

TABLE: tuple[Row, ...] = (
    Row("published", range(200, 300), Verdict.PUBLISHED, "X published it", ""),
    Row(
        "credits",
        {402},
        Verdict.REFUSED,
        "the X account has no API credits left",
        f"buy credits at {CONSOLE}, then: {RESUME}",
        mendable=True,
    ),
    Row(
        "month-cap",
        {429},
        Verdict.REFUSED,
        "the monthly cap of the X account is used up",
        f"raise the cap or buy credits at {CONSOLE}, then: {RESUME}",
        words=r"usage-?cap.*\bmonthly\b|\bmonthly\b.*usage-?cap",
        mendable=True,
    ),
    Row(
        "day-cap",
        {429},
        Verdict.LIMITED,
        "the daily cap of the X account is used up",
        f"it goes out when the day is over: {RESUME} --watch",
        kinds=("usage-capped",),
        words="usage-?cap",
        after=timedelta(hours=1),
    ),
    Row(
        "rate-limit",
        {429},
        Verdict.LIMITED,
        "X asks us to wait (rate limit)",
        f"it goes out by itself if you keep this running: {RESUME} --watch",
    ),
    Row(
        "duplicate",
        {400, 403},
        Verdict.DUPLICATE,
        "X says that an equal post exists already",
        _LOOK,
        words="duplicate content",
        codes=(187,),
    ),
    Row(
        "reply-not-allowed",
        {403},
        Verdict.NO_REPLY,
        "X does not allow this reply",
        f"apply for a tier without the reply rule at {CONSOLE}, or post it anew: outagecast post",
        kinds=("not-authorized-for-resource",),
        words="only reply to or quote posts where you are mentioned|reply to this conversation is not allowed",
    ),
    Row(
        "parent-unseen",
        {400, 403},
        Verdict.PARENT_UNSEEN,
        "X does not see the post this one replies to",
        f"it is tried again: {RESUME}",
        words="deleted or not visible to you",
        codes=(385,),
        after=timedelta(seconds=5),
    ),
    Row(
        "unexplained",
        {403},
        Verdict.PATIENCE,
        "X did not permit it and did not say why (seen now and then on pay-per-use accounts)",
        f"wait some minutes, then: {RESUME}; if it stays so, look at the app and the account at {CONSOLE}",
        words="you are not permitted to perform this action",
        after=timedelta(minutes=5),
        tries=3,
    ),
    Row(
        "unknown-authentication",
        {403},
        Verdict.PATIENCE,
        "X did not recognize the keys (seen now and then with good ones)",
        f"{RESUME}; if it stays so, check the keys: outagecast check",
        words="authenticating with unknown is forbidden",
        after=timedelta(seconds=5),
        tries=1,
    ),
    Row(
        "oauth1-permissions",
        {403},
        Verdict.REFUSED,
        "the X app may only read",
        f"{_NEW_TOKEN}, then: {RESUME}",
        kinds=("oauth1-permissions",),
        words="oauth1 app permissions",
        mendable=True,
    ),
    Row(
        "unsupported-authentication",
        {403},
        Verdict.REFUSED,
        "X does not take these keys for posting: they are not a user's OAuth 1.0a keys",
        f"get the account's own keys: outagecast auth twitter; put them where the config reads them, then: {RESUME}",
        kinds=("unsupported-authentication",),
        words="unsupported authentication",
        mendable=True,
    ),
    Row(
        "not-enrolled",
        {403},
        Verdict.REFUSED,
        "the X app has no access to the API (it belongs to no project or no paid tier)",
        f"put the app into a project with access at {CONSOLE}, then: {RESUME}",
        kinds=("client-forbidden",),
        words="client forbidden|client-not-enrolled",
        codes=(453,),
        mendable=True,
    ),
    Row(
        "account",
        {403},
        Verdict.REFUSED,
        "the X account is suspended, locked, not permitted to post, or at its spending limit",
        f"log in to x.com and {CONSOLE} with the account and mend it, then: {RESUME}",
        kinds=("suspended",),
        words="not permitted to access this feature|suspended|spend cap",
        mendable=True,
    ),
    Row(
        "cashtag",
        {400, 403},
        Verdict.REFUSED,
        "X takes at most one cashtag ($ABC) in a post",
        "say it with one cashtag or none: outagecast post",
        words="one cashtag",
    ),
    Row(
        "too-long",
        {400, 403},
        Verdict.REFUSED,
        "X counts the text as too long",
        "say it shorter: outagecast post (and please report the text: our count was wrong)",
        words="text is too long",
    ),
    Row(
        "invalid",
        {400, 413, 422},
        Verdict.INVALID,
        "X could not make sense of the request",
        "this is a fault in outagecast: please report it; say it in other words: outagecast post",
        mendable=False,
    ),
    Row(
        "unauthorized",
        {401},
        Verdict.REFUSED,
        "X does not accept the keys (or this machine's clock is wrong)",
        f"check both: outagecast check; new keys are made at {CONSOLE}",
        mendable=True,
    ),
    Row(
        "refused",
        range(400, 500),
        Verdict.REFUSED,
        "X refused it",
        f"check the account: outagecast check, then: {RESUME}",
        mendable=True,
    ),
    Row("server", range(500, 600), Verdict.DOUBT, "X had a fault; it may have published", _LOOK),
    Row("redirect", range(300, 400), Verdict.DOUBT, "X sent us elsewhere; it may have published", _LOOK),
)
UNREADABLE = Row("unreadable", (), Verdict.DOUBT, "X took it, but its answer cannot be read", _LOOK)
