"""The words of a config's mistakes: what was expected, what stands there, which key was meant."""

from __future__ import annotations

import re
import types
from collections.abc import Mapping, Sequence
from datetime import timedelta
from enum import Enum
from typing import TYPE_CHECKING, Annotated, Any, Literal, Union, get_args, get_origin

import msgspec
import yaml

from outagecast.config_yaml import is_null, raw
from outagecast.secret_likeness import quoted
from outagecast.secrets import Secret

if TYPE_CHECKING:
    from collections.abc import Collection

_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*(d|h|min|m|s)\s*")
_SECONDS = {"d": 86_400, "h": 3_600, "min": 60, "m": 60, "s": 1}
_NAMES: Mapping[Any, str] = {
    str: "text",
    int: "a whole number",
    float: "a number",
    bool: "true or false",
    timedelta: "a duration such as 6h, 90m or 1d 2h",
    Secret: "a secret as text, best as ${NAME}",
    dict: "a mapping (lines of `key: value`)",
}


def describe(kind: Any) -> str:
    """Say in plain words what may stand where this type is declared."""
    origin = get_origin(kind) or kind
    if origin is Annotated:
        return _constrained(*get_args(kind))
    if origin in (Union, types.UnionType):
        return " or ".join(describe(arm) for arm in get_args(kind) if arm is not types.NoneType)
    if origin is Literal:
        return _either([str(choice) for choice in get_args(kind)])
    return _of_class(origin, kind)


def _of_class(origin: type, kind: Any) -> str:
    if origin in _NAMES:
        return _NAMES[origin]
    if issubclass(origin, Enum):
        return _either([str(choice.value) for choice in origin])
    if issubclass(origin, (Mapping, msgspec.Struct)):
        return _NAMES[dict]
    if issubclass(origin, (Sequence, set, frozenset)):
        return f"a list ([…]) of {describe(next(iter(get_args(kind)), str))}"
    return origin.__name__


def _constrained(kind: Any, *constraints: Any) -> str:
    told = describe(kind)
    for each in constraints:
        if not isinstance(each, msgspec.Meta):
            continue
        told += f" from {each.ge}" if each.ge is not None else ""
        told += f" up to {each.le}" if each.le is not None else ""
        told += f" above {each.gt}" if each.gt is not None else ""
        told += f" below {each.lt}" if each.lt is not None else ""
        told += f" that matches {each.pattern}" if each.pattern else ""
        told += f" of at least {each.min_length}" if each.min_length else ""
        told += f" of at most {each.max_length}" if each.max_length else ""
    return told


def _either(choices: Sequence[str]) -> str:
    return " or ".join(filter(None, [", ".join(choices[:-1]), choices[-1]]))


def shown(node: yaml.Node, *, hide: bool = False) -> str:
    """Name what stands in the file; the value only if it is harmless, and never with `hide` or from a `${…}`."""
    if isinstance(node, yaml.MappingNode):
        return "a mapping"
    if isinstance(node, yaml.SequenceNode):
        return "a list"
    if is_null(node):
        return "nothing"
    text = raw(node)
    if text is None:
        return "a value with a tag (put it in quotes if it begins with !)"
    return "what stands there" if hide or "$" in text else quoted(text)


def holds_secret(kind: Any) -> bool:
    """Whether a Secret is anywhere in a declared type: then whatever stands in its place may be one."""
    if kind is Secret:
        return True
    inner = list(get_args(kind))
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        inner += [each.type for each in msgspec.structs.fields(kind)]
    return any(holds_secret(each) for each in inner)


def nearest(word: str, known: Collection[str]) -> str:
    """Say which known word was probably meant, or else which there are."""
    from difflib import get_close_matches

    close = get_close_matches(word, known, n=1)
    return f"; did you mean {close[0]}?" if close else f"; there are {', '.join(sorted(known))}"


def duration(text: str) -> timedelta:
    """Read "6h", "90m", "1d 2h"; raises ValueError for anything else, for nothing and for too much."""
    parts = list(_DURATION.finditer(text.strip()))
    if not parts or "".join(part[0] for part in parts) != text.strip():
        raise ValueError(text)
    try:
        length = timedelta(seconds=sum(float(part[1]) * _SECONDS[part[2]] for part in parts))
    except OverflowError as err:
        raise ValueError(text) from err
    if not length:
        raise ValueError(text)
    return length
