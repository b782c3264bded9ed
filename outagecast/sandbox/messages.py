"""What goes over the wire of a simulated platform: the request as it came, the answer as it goes."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from email.parser import BytesHeaderParser
from email.utils import format_datetime
from http import HTTPStatus
from http.client import HTTPException, parse_headers
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, unquote, urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime
    from email.message import Message
    from io import BufferedReader

JSON = "application/json; charset=utf-8"
FORM = "application/x-www-form-urlencoded"
LONGEST_LINE = 65_536
LARGEST_BODY = 16 * 1024 * 1024


class BadRequestError(Exception):
    """What came is not HTTP as these platforms are spoken to."""


class RefusalError(Exception):
    """The platform refuses, with `answer`; raised by its rules, turned into the answer in one place."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(f"{answer.status}")
        self.answer = answer


@dataclass(frozen=True, slots=True)
class Answer:
    """One HTTP answer; `content_type` None leaves the header out."""

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    content_type: str | None = JSON

    def encode(self, at: datetime) -> tuple[bytes, bytes]:
        """Head and body as they go over the wire, dated `at`."""
        lines = [f"HTTP/1.1 {self.status} {_reason(self.status)}", f"Date: {format_datetime(at, usegmt=True)}"]
        if self.content_type is not None:
            lines.append(f"Content-Type: {self.content_type}")
        if self.status != HTTPStatus.NO_CONTENT:
            lines.append(f"Content-Length: {len(self.body)}")
        lines += [f"{name}: {value}" for name, value in self.headers.items()]
        return "\r\n".join([*lines, "", ""]).encode("latin-1"), self.body


def json_answer(value: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Answer:
    """`value` as a JSON answer."""
    return Answer(status, json.dumps(value, ensure_ascii=False).encode(), headers or {})


def _reason(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Unknown"


@dataclass(frozen=True, slots=True)
class Request:
    """One request as the platform received it."""

    method: str
    path: str
    pairs: Sequence[tuple[str, str]]
    """The query, decoded, in its order."""
    headers: Message
    body: bytes
    at: datetime

    @property
    def query(self) -> dict[str, str]:
        """The query by name; of a repeated name the last value."""
        return dict(self.pairs)

    @property
    def content_type(self) -> str:
        """The bare media type of the body."""
        return self.headers.get_content_type() if "Content-Type" in self.headers else ""

    @property
    def form_pairs(self) -> Sequence[tuple[str, str]]:
        """The fields of an urlencoded body, in their order."""
        if self.content_type != FORM:
            return []
        return parse_qsl(self.body.decode(errors="replace"), keep_blank_values=True)

    @property
    def form(self) -> dict[str, str]:
        """The fields of an urlencoded or multipart body."""
        texts = {part.name: part.content.decode(errors="replace") for part in self._parts() if not part.file}
        return dict(self.form_pairs) | texts

    @property
    def files(self) -> dict[str, bytes]:
        """The files of a multipart body."""
        return {part.name: part.content for part in self._parts() if part.file}

    @property
    def json(self) -> Any:
        """The body as JSON; None if it is none."""
        try:
            return json.loads(self.body)
        except ValueError:
            return None

    def _parts(self) -> Iterator[_Part]:
        boundary = self.headers.get_param("boundary") if self.content_type == "multipart/form-data" else None
        if not isinstance(boundary, str):
            return
        for piece in self.body.split(b"--" + boundary.encode())[1:-1]:
            head, _, content = piece.removeprefix(b"\r\n").partition(b"\r\n\r\n")
            yield _part(BytesHeaderParser().parsebytes(head + b"\r\n\r\n"), content.removesuffix(b"\r\n"))


@dataclass(frozen=True, slots=True)
class _Part:
    name: str
    content: bytes
    file: bool


def _part(head: Message, content: bytes) -> _Part:
    name = head.get_param("name", "", header="Content-Disposition")
    file = head.get_param("filename", header="Content-Disposition") is not None
    return _Part(str(name), content, file)


def read_request(reader: BufferedReader, at: datetime) -> Request | None:
    """The next request of a connection; None when the client has closed it."""
    line = reader.readline(LONGEST_LINE + 1)
    if not line:
        return None
    try:
        method, target, _version = line.decode("latin-1").split()
        headers = parse_headers(reader)
        length = int(headers.get("Content-Length") or 0)
    except (ValueError, HTTPException) as err:
        raise BadRequestError(str(err)) from err
    if not 0 <= length <= LARGEST_BODY or "Transfer-Encoding" in headers:
        raise BadRequestError("a body without a usable Content-Length")
    body = reader.read(length)
    if len(body) < length:
        return None  # the client died in the middle: what it was about to ask for was not asked
    parts = urlsplit(target)
    pairs = parse_qsl(parts.query, keep_blank_values=True)
    return Request(method, unquote(parts.path), pairs, headers, body, at)
