"""What can go wrong between a platform and its client, as a script that requests consume."""

from __future__ import annotations

import json
import re
import threading
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from outagecast.sandbox.messages import JSON, Answer

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

HTML = "text/html; charset=utf-8"
EDGE_PAGE = "<!doctype html><html><head><title>Over capacity</title></head><body><h1>Try again later</h1></body></html>"
OUT_OF_ORDER = '{"title":"Service Unavailable","detail":"Service Unavailable","type":"about:blank","status":503}'


class FaultKind(StrEnum):
    """How a request fails."""

    RESET = "reset"
    """The connection is reset, without an answer."""
    CLOSE = "close"
    """The connection is closed in good order, without an answer."""
    HANG = "hang"
    """Silence until the client goes away or the platform closes."""
    DRIP = "drip"
    """The answer comes one byte every `pace` seconds, from its first byte."""
    DRIP_BODY = "drip-body"
    """The head comes at once, the body one byte every `pace` seconds."""
    TRUNCATE = "truncate"
    """The connection is closed in the middle of the body."""
    STATUS = "status"
    """Another answer: `status`, `headers`, `body`."""
    REDIRECT = "redirect"
    """A redirect to `location`."""
    HTML = "html"
    """A page of the edge, no JSON; 502 unless told otherwise."""
    EMPTY_JSON = "empty_json"
    """`{}` with the status of success."""
    NO_CONTENT = "no_content"
    """204 without body and without content type."""


class When(StrEnum):
    """Whether the fault comes before or after the platform has done what was asked."""

    BEFORE = "before"
    AFTER = "after"


@dataclass(frozen=True, slots=True)
class Fault:
    """One entry of the script.

    `match` is a regular expression that the start of "METHOD /path" must match. The first `skip` matching requests
    pass untouched, the next `times` are hit. Before the effect there is no answer of the platform's own, so what
    drips or is cut off then is a 503. `resets` are headers whose value is that many seconds after the answer's time.
    """

    match: str
    kind: FaultKind = FaultKind.STATUS
    when: When = When.BEFORE
    times: int = 1
    skip: int = 0
    status: int | None = None
    body: str = OUT_OF_ORDER
    headers: Mapping[str, str] = field(default_factory=dict)
    content_type: str | None = JSON
    resets: Mapping[str, int] = field(default_factory=dict)
    location: str = "/_landing"
    pace: float = 1.0

    @property
    def definite(self) -> bool:
        """Whether the client is told for certain that nothing happened."""
        return self.kind == FaultKind.STATUS and 400 <= (self.status or 503) < 500

    @property
    def silent(self) -> bool:
        """Whether the client gets no byte of an answer."""
        return self.kind in {FaultKind.RESET, FaultKind.CLOSE, FaultKind.HANG}

    def answer(self, real: Answer | None, at: datetime) -> Answer:
        """What goes over the wire instead of `real`, the platform's own answer (None: it never made one)."""
        match self.kind:
            case FaultKind.STATUS:
                headers = dict(self.headers) | {name: _epoch(at, ahead) for name, ahead in self.resets.items()}
                return Answer(self.status or 503, self.body.encode(), headers, self.content_type)
            case FaultKind.REDIRECT:
                return Answer(self.status or 302, b"", {"Location": self.location, **self.headers}, HTML)
            case FaultKind.HTML:
                return Answer(self.status or 502, EDGE_PAGE.encode(), self.headers, HTML)
            case FaultKind.EMPTY_JSON:
                return Answer(self.status or (real.status if real else 200), b"{}", self.headers)
            case FaultKind.NO_CONTENT:
                return Answer(204, b"", self.headers, None)
            case _:
                return real or Answer(self.status or 503, self.body.encode(), self.headers, self.content_type)


def _epoch(at: datetime, ahead: int) -> str:
    return str(int(at.timestamp()) + ahead)


class Faults:
    """The script: each request is hit by the first entry that matches it and is not used up."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._left: list[Fault] = []

    def add(self, *faults: Fault) -> None:
        """Append to the script."""
        with self._lock:
            self._left.extend(faults)

    def clear(self) -> None:
        """Forget what is left."""
        with self._lock:
            self._left.clear()

    @property
    def left(self) -> Sequence[Fault]:
        """What no request has consumed yet."""
        with self._lock:
            return tuple(self._left)

    def take(self, targets: Iterable[str]) -> Fault | None:
        """The fault for a request that is known as each of `targets`."""
        names = tuple(targets)
        with self._lock:
            for place, fault in enumerate(self._left):
                if any(re.match(fault.match, name) for name in names):
                    return self._use(place, fault)
        return None

    def _use(self, place: int, fault: Fault) -> Fault | None:
        if fault.skip:
            self._left[place] = replace(fault, skip=fault.skip - 1)
            return None
        if fault.times > 1:
            self._left[place] = replace(fault, times=fault.times - 1)
        else:
            del self._left[place]
        return fault


@dataclass(frozen=True, slots=True)
class ErrorBody:
    """A recorded answer: what a platform is known to say, for its own rules and for tests of who reads it."""

    status: int
    body: str
    headers: Mapping[str, str] = field(default_factory=dict)
    content_type: str | None = JSON
    resets: Mapping[str, int] = field(default_factory=dict)
    when: When = When.BEFORE
    """Whether the effect has happened when this is usually heard."""

    @property
    def value(self) -> Any:
        """The body, parsed."""
        return json.loads(self.body)

    def answer(self, at: datetime) -> Answer:
        """The recorded answer, with resets counted from `at`."""
        return self.fault("").answer(None, at)

    def fault(self, match: str, when: When | None = None) -> Fault:
        """The recorded answer as an entry of the script."""
        return Fault(
            match,
            when=when or self.when,
            status=self.status,
            body=self.body,
            headers=self.headers,
            content_type=self.content_type,
            resets=self.resets,
        )


def recorded(status: int, value: Any, **more: Any) -> ErrorBody:
    """An error body from a JSON value."""
    return ErrorBody(status, json.dumps(value, ensure_ascii=False), **more)


def never_arrived(match: str) -> Fault:
    """The connection breaks before anything has happened."""
    return Fault(match, FaultKind.RESET, When.BEFORE)


def lost_answer(match: str) -> Fault:
    """Everything has happened and the client does not hear of it."""
    return Fault(match, FaultKind.RESET, When.AFTER)


def unclear(match: str, *, pace: float = 1.0) -> Mapping[str, Fault]:
    """Every failure after which a client cannot know what happened, by name, before and after the effect."""
    kinds = {
        "reset": FaultKind.RESET,
        "closed": FaultKind.CLOSE,
        "silence": FaultKind.HANG,
        "drip": FaultKind.DRIP,
        "cut-off": FaultKind.TRUNCATE,
        "503-json": FaultKind.STATUS,
        "502-html": FaultKind.HTML,
        "302": FaultKind.REDIRECT,
        "empty-object": FaultKind.EMPTY_JSON,
        "no-content": FaultKind.NO_CONTENT,
    }
    return {f"{name}-{when}": Fault(match, kind, when, pace=pace) for name, kind in kinds.items() for when in When}
