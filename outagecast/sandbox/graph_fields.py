"""`fields=` of the Graph API: parsed, and applied to an object."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_NAME = re.compile(r"\s*([a-z_]+)")
_CALL = re.compile(r"\.([a-z_]+)\(([^()]*)\)")


class FieldsError(ValueError):
    """The expression cannot be read, or names a field that there is not."""


def parse(text: str) -> dict[str, Field]:
    """The fields that `text` asks for, by name."""
    fields = {}
    for piece in _split(text):
        name = _NAME.match(piece)
        if not name:
            raise FieldsError(f"Syntax error near '{piece[:20]}'")
        rest = piece[name.end() :].strip()
        body, brace, inner = rest.partition("{")
        if (brace and not inner.endswith("}")) or _CALL.sub("", body).strip():
            raise FieldsError(f"Syntax error near '{rest[:20]}'")
        fields[name[1]] = Field(dict(_CALL.findall(body)), parse(inner[:-1]) if brace else {})
    return fields


class Field:
    """One field asked for: its modifiers (`.limit(0)`) and what is asked of its inside (`{id}`)."""

    __slots__ = ("inner", "modifiers")

    def __init__(self, modifiers: Mapping[str, str], inner: Mapping[str, Field]) -> None:
        self.modifiers = modifiers
        self.inner = inner


def select(every: Mapping[str, Any], fields: Mapping[str, Field], node: str) -> dict[str, Any]:
    """Of `every` field the node has, those asked for, and always its id; absent values stay absent."""
    for name in fields:
        if name not in every:
            raise FieldsError(f"Tried accessing nonexisting field ({name}) on node type ({node})")
    chosen = {name: _inside(every[name], field) for name, field in fields.items() if every[name] is not None}
    return chosen | {"id": every["id"]}


def _inside(value: Any, field: Field) -> Any:
    if not field.inner or not isinstance(value, dict):
        return value
    return {name: value[name] for name in (*field.inner, "id") if name in value}


def _split(text: str) -> Iterator[str]:
    """The pieces between the commas that stand outside all brackets."""
    depth, start = 0, 0
    for at, char in enumerate(text):
        depth += (char in "({") - (char in ")}")
        if char == "," and not depth:
            yield text[start:at]
            start = at + 1
    if text[start:].strip():
        yield text[start:]
