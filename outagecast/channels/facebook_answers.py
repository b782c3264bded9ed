"""What one answer of the Graph API says, read whatever came, and the exception it means by the outcome table."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec.structs import replace

from outagecast.channel import ChannelError, InDoubt, Refused, TryLater
from outagecast.channels.facebook_table import Verdict, row_for

if TYPE_CHECKING:
    from collections.abc import Mapping

_USAGE_HEADERS = ("x-business-use-case-usage", "x-app-usage", "x-page-usage")


class Gone(Refused):
    """The object does not exist, or this token may not see it: the platform says the same for both."""


class Usage(msgspec.Struct, frozen=True):
    """How much of its budget of calls the token has used, in percent, and when it may call again."""

    percent: int = 0
    regain: timedelta | None = None

    @classmethod
    def of(cls, headers: Mapping[str, str]) -> Usage:
        """Read the usage headers; all of them may be absent, and what is malformed counts as absent."""
        entries = [entry for name in _USAGE_HEADERS for entry in _entries(headers.get(name, ""))]
        percents = [
            _whole(entry.get(key)) for entry in entries for key in ("call_count", "total_cputime", "total_time")
        ]
        minutes = max((_whole(entry.get("estimated_time_to_regain_access")) for entry in entries), default=0)
        return cls(max(percents, default=0), timedelta(minutes=minutes) if minutes else None)


class Answer(msgspec.Struct, frozen=True):
    """One answer of the Graph API, whatever came: the SDK drops the status and the headers."""

    status: int
    body: Any = None
    """The decoded JSON, or None when it is no JSON."""
    code: int = 0
    subcode: int = 0
    message: str = ""
    transient: bool = False
    usage: Usage = Usage()
    version: str = ""
    """The version that really answered."""
    retry_after: timedelta | None = None

    @classmethod
    def of(
        cls, status: int, headers: Mapping[str, str], content: bytes, retry_after: timedelta | None = None
    ) -> Answer:
        """Read an answer; never raises, whatever the body is."""
        body = _decoded(content)
        fault = body.get("error") if isinstance(body, dict) else None
        fields: Mapping[str, Any] = fault if isinstance(fault, dict) else {"message": fault}
        return cls(
            status,
            body,
            code=_whole(fields.get("code")),
            subcode=_whole(fields.get("error_subcode")),
            message=_words(fields),
            transient=fields.get("is_transient") is True,
            usage=Usage.of(headers),
            version=headers.get("facebook-api-version", ""),
            retry_after=retry_after,
        )

    @property
    def ok(self) -> bool:
        """Whether this is a plain success: 2xx, a JSON object, no error in it."""
        return 200 <= self.status < 300 and isinstance(self.body, dict) and not self.body.get("error")


def only(batch: Answer) -> Answer:
    """Give the one answer inside the answer to a batch of one; what is none is no success.

    Null stands for a call that did not finish (graph-api/batch-requests, read November 2026).
    """
    entries = batch.body if 200 <= batch.status < 300 and isinstance(batch.body, list) else []
    entry = entries[0] if len(entries) == 1 else None
    if not isinstance(entry, dict) or not isinstance(entry.get("body"), str):
        return replace(batch, body=None)
    inner = Answer.of(_whole(entry.get("code")), {}, entry["body"].encode())
    return replace(inner, usage=batch.usage, version=batch.version, retry_after=batch.retry_after)


def error_for(answer: Answer) -> ChannelError:
    """Say what an answer that is no plain success means, as the exception to raise."""
    row = row_for(answer)
    text = f"{row.says} ({evidence(answer)})"
    match row.verdict:
        case Verdict.LATER:
            after = answer.usage.regain or answer.retry_after or row.after
            return TryLater(text, after=after, limited=row.limited, hint=row.hint)
        case Verdict.GONE:
            return Gone(text, hint=row.hint)
        case Verdict.DOUBT | Verdict.DUPLICATE:
            return InDoubt(text, duplicate=row.verdict is Verdict.DUPLICATE, hint=row.hint)
        case _:
            return Refused(text, mendable=row.verdict is Verdict.MENDABLE, hint=row.hint)


def evidence(answer: Answer) -> str:
    """What came, as it stands behind our words: the status, the code, and what the platform said."""
    code = f"code {answer.code}" + (f"/{answer.subcode}" if answer.subcode else "") if answer.code else ""
    quote = f'"{answer.message}"' if answer.message else ""
    return ", ".join(filter(None, (f"HTTP {answer.status}", code, quote)))


def _words(fields: Mapping[str, Any]) -> str:
    """Give the platform's own words, on one line: what it wrote for people beside what it wrote for programs."""
    texts = [text for text in (fields.get("message"), fields.get("error_user_msg")) if isinstance(text, str)]
    return " ".join(" ".join(dict.fromkeys(texts)).split())


def _decoded(content: bytes) -> Any:
    try:
        return json.loads(content)
    except (ValueError, RecursionError):
        return None


def _entries(header: str) -> list[dict[str, Any]]:
    """Give the usage entries of one header: either the object itself or lists of them by Page or app."""
    found = _decoded(header.encode())
    if not isinstance(found, dict):
        return []
    nested = [entry for group in found.values() if isinstance(group, list) for entry in group]
    return [entry for entry in (found, *nested) if isinstance(entry, dict)]


def _whole(value: object) -> int:
    """Read a number that may come as text or not at all; 0 is "none"."""
    try:
        return int(value) if isinstance(value, int | float | str) else 0
    except (ValueError, OverflowError):
        return 0
