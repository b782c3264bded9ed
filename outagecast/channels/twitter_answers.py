"""Reading an answer of X: which row of the table it is, in what words, and how long a rate limit lasts."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import msgspec

from outagecast.channel import TryLater
from outagecast.channels.twitter_table import TABLE, UNREADABLE, Problem, Row, Verdict
from outagecast.text import terminal
from outagecast.wire import clock_skew, read_json, read_text, retry_after

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from requests import Response

_BUCKETS = ("x-rate-limit", "x-app-limit-24hour", "x-user-limit-24hour")
_FARTHEST_RESET = timedelta(days=32)
_SPOKEN = frozenset({"title", "detail", "message", "reason", "period", "type", "error"})


class Answer(msgspec.Struct, frozen=True):
    """An answer of X, judged."""

    response: Response
    row: Row
    problem: Problem

    @property
    def verdict(self) -> Verdict:
        """What it means for the post it was about."""
        return self.row.verdict

    def said(self) -> str:
        """Put it into words for a person: ours, then X's own, made harmless for a terminal."""
        detail = terminal(" ".join(self.problem.detail.split()))
        return f"{self.row.text} (HTTP {self.problem.status}" + (f', X says: "{detail}")' if detail else ")")

    def limited(self, now: datetime) -> TryLater:
        """Make the channel's answer of a rate limit."""
        after = wait_for(self.response, now) or self.row.after
        return TryLater(self.said(), after=after, limited=True, hint=self.row.hint)


def judge(response: Response) -> Answer:
    """Find the row that an answer belongs to; never fails, whatever the answer looks like."""
    problem = take_apart(response)
    return Answer(response, next((row for row in TABLE if row.fits(problem)), UNREADABLE), problem)


def says_gone(response: Response) -> bool:
    """Tell whether X answers that there is no such post, in one of its ways; by itself it is no proof of it."""
    return response.status_code in {404, 410} or judge(response).verdict is Verdict.PARENT_UNSEEN


def take_apart(response: Response) -> Problem:
    """Read what there is of X's problem format in an answer that may be a list, null, HTML or nothing."""
    parsed = read_json(response)
    objects = list(_objects(parsed))
    words = [str(value) for item in objects for key, value in item.items() if key in _SPOKEN and value]
    if parsed is None:
        words = [read_text(response)] if "html" not in response.headers.get("Content-Type", "").lower() else []
    return Problem(
        status=response.status_code,
        kinds=frozenset(_segments(objects)),
        words=" ".join(words),
        codes=frozenset(item["code"] for item in objects if isinstance(item.get("code"), int)),
        detail=_detail(objects),
    )


def _objects(parsed: object, depth: int = 3) -> Iterator[Mapping[str, Any]]:
    """Yield the JSON objects of an error body from the outside in: the body, its `errors`, their `error`."""
    if isinstance(parsed, list) and depth:
        for item in parsed[:20]:
            yield from _objects(item, depth - 1)
    if isinstance(parsed, dict):
        yield parsed
        if depth:
            yield from _objects(parsed.get("errors"), depth - 1)
            yield from _objects(parsed.get("error"), depth - 1)


def _segments(objects: list[Mapping[str, Any]]) -> Iterator[str]:
    for item in objects:
        address = item.get("type")
        if isinstance(address, str) and address != "about:blank":
            yield address.rstrip("/").rpartition("/")[2].lower()


def _detail(objects: list[Mapping[str, Any]]) -> str:
    """Pick the innermost sentence: the outer one is often only "one or more parameters were invalid"."""
    for key in ("message", "detail", "title"):
        for item in reversed(objects):
            if isinstance(item.get(key), str) and item[key].strip():
                return str(item[key])
    return ""


def wait_for(response: Response, now: datetime) -> timedelta | None:
    """How long a rate limit lasts: until the latest reset of all buckets that are empty; None if X does not say.

    When a day's bucket is empty, the quarter-hour's is not and its reset means nothing. Counted on X's own clock.
    """
    skew = clock_skew(response.headers, now)
    there = now - skew if skew is not None else now
    resets = [reset for bucket in _BUCKETS if (reset := _reset(response.headers, bucket)) is not None]
    waits = [reset - there for reset in resets if reset - there < _FARTHEST_RESET]
    if waits:
        return max(*waits, timedelta(seconds=1))
    return retry_after(response.headers, there)


def _reset(headers: Mapping[str, str], bucket: str) -> datetime | None:
    """Read when an empty bucket fills again; a bucket that does not say how full it is counts as empty."""
    if headers.get(f"{bucket}-remaining", "0").strip() not in {"", "0"}:
        return None
    value = headers.get(f"{bucket}-reset", "").strip()
    return datetime.fromtimestamp(int(value), UTC) if re.fullmatch(r"[0-9]{1,11}", value) else None
