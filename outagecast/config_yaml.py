"""A YAML file as nodes that know their lines: read safely, bounded, with duplicate keys noticed."""

from __future__ import annotations

import errno
import os
import re
import select
from shlex import quote
from typing import TYPE_CHECKING, Any

import msgspec
import yaml

from outagecast.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

_MOST_BYTES = 1024 * 1024
_PATIENCE = 5
"""Seconds between two pieces of a config that comes through a pipe."""
_DEEPEST = 50
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_PLAIN_TAGS = "tag:yaml.org,2002:"
_INIT = "make a new one: `outagecast init`; or rehearse without any: `outagecast drill`"
_QUOTES = (
    "indent by spaces, never tabs; quote a value that holds a colon and a space, begins with one of @`%*&!|>[{, "
    "or holds ${…} inside of [ ] or { }"
)


class Entry(msgspec.Struct, frozen=True):
    """One `key: value` of a mapping."""

    key: str
    line: int
    node: yaml.Node


def read(path: Path) -> yaml.MappingNode:
    """Read the file as one mapping; raises ConfigError with line and column and without any value of it."""
    text = _text(path)
    try:
        _demand_shallow(text, path)
        root = yaml.compose(text, Loader=_LOADER)
    except yaml.MarkedYAMLError as err:
        raise _broken(path, err) from None  # its text quotes the file, which may hold a secret
    except yaml.YAMLError:
        raise ConfigError(f"{path.name}: holds characters that YAML does not allow", hint=_QUOTES) from None
    if not isinstance(root, yaml.MappingNode):
        what = "is empty" if root is None else "is not a mapping (`key: value` lines)"
        raise ConfigError(f"{path.name}: {what}", hint=_INIT)
    return root


def _demand_shallow(text: str, path: Path) -> None:
    """Stop at the first place that is nested too deeply: PyYAML 6.0.3 overruns the C stack on `[[[[…`."""
    depth = 0
    for event in yaml.parse(text, Loader=_LOADER):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > _DEEPEST:
            place = f"{path.name}:{event.start_mark.line + 1}" if event.start_mark else path.name
            raise ConfigError(f"{place}: nested too deeply to be a config", hint="check the brackets there")


def _content(path: Path) -> bytes:
    """The file's bytes, one more than allowed at the most. From a pipe too, but not for ever."""
    fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    content = b""
    try:
        while len(content) <= _MOST_BYTES:
            try:
                piece = os.read(fd, _MOST_BYTES + 1)
            except BlockingIOError:
                if not select.select([fd], [], [], _PATIENCE)[0]:
                    raise OSError(errno.ETIMEDOUT, f"nothing came out of it for {_PATIENCE} s") from None
                continue
            if not piece:
                break
            content += piece
    finally:
        os.close(fd)
    return content


def _text(path: Path) -> str:
    try:
        content = _content(path)
    except (OSError, ValueError) as err:
        reason = err.strerror if isinstance(err, OSError) else str(err)
        hint = f"outagecast init {quote(str(path))}   (or name another one: --config FILE)"
        missing = isinstance(err, FileNotFoundError)
        raise ConfigError(f"cannot read the config {path}: {reason}", hint=hint if missing else _INIT) from err
    if len(content) > _MOST_BYTES:
        raise ConfigError(f"{path.name}: larger than 1 MiB, so this is no config", hint="check the path: " + str(path))
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as err:
        line = content.count(b"\n", 0, err.start) + 1
        column = err.start - content.rfind(b"\n", 0, err.start)
        raise ConfigError(f"{path.name}:{line}:{column}: not UTF-8", hint="save the file as UTF-8") from None


def _broken(path: Path, err: yaml.MarkedYAMLError) -> ConfigError:
    mark = err.problem_mark or err.context_mark
    place = f"{path.name}:{mark.line + 1}:{mark.column + 1}" if mark else path.name
    # PyYAML's words repeat names of anchors and tags, and `*…` or `!…` may be the start of an unquoted password.
    problem = re.sub(r"(['\"`])[^'\"`\s]{2,}\1", "…", err.problem or "cannot be read")
    return ConfigError(f"{place}: not valid YAML: {problem}", hint=_QUOTES)


def line_of(node: yaml.Node) -> int:
    """Give the line, counted from 1, on which a node begins."""
    return int(node.start_mark.line) + 1


def raw(node: yaml.Node) -> str | None:
    """Give a scalar exactly as it is written, without its quotes; None for anything else, a null, a foreign tag."""
    if isinstance(node, yaml.ScalarNode) and not is_null(node) and str(node.tag).startswith(_PLAIN_TAGS):
        return str(node.value)
    return None


def is_null(node: yaml.Node) -> bool:
    """Whether nothing is written there (or `null`, or `~`)."""
    return bool(node.tag == _PLAIN_TAGS + "null")


def is_text(node: yaml.Node) -> bool:
    """Whether a scalar may stand for a text: a string, or a whole number such as an id written without quotes."""
    return node.tag in (_PLAIN_TAGS + "str", _PLAIN_TAGS + "int")


def native(node: yaml.Node) -> object:
    """Give the node as plain Python data; raises ValueError for what safe YAML does not know."""
    try:
        return yaml.constructor.SafeConstructor().construct_object(node, deep=True)
    except yaml.YAMLError:
        raise ValueError("not plain YAML data") from None


def entries(node: yaml.MappingNode, complain: Callable[[int, str, str], None]) -> dict[str, Entry]:
    """Give the keys of a mapping, those of `<<` under its own; complains (line, key, text) about duplicates."""
    found: dict[str, Entry] = {}
    merged: dict[str, Entry] = {}
    for key, value in node.value:
        if key.tag == _PLAIN_TAGS + "merge":
            for other in _merged(value, key, complain):
                merged |= other
            continue
        name = raw(key)
        if name is None:
            complain(line_of(key), "", "expected a plain word as key")
        elif name in found:
            complain(line_of(key), name, f"written twice, first in line {found[name].line}")
        else:
            found[name] = Entry(name, line_of(key), value)
    return merged | found


def _merged(value: yaml.Node, key: yaml.Node, complain: Callable[[int, str, str], None]) -> Iterator[dict[str, Entry]]:
    """Give what `<<: *a` or `<<: [*a, *b]` brings in, the one that counts most last; one level, no merge in a merge."""
    sources = value.value if isinstance(value, yaml.SequenceNode) else [value]
    for source in reversed(sources):
        plain = isinstance(source, yaml.MappingNode) and all(k.tag != _PLAIN_TAGS + "merge" for k, _ in source.value)
        if plain:
            yield entries(source, complain)
        else:
            complain(line_of(key), "<<", "expected a mapping, or a list of mappings, that has no << itself")
