"""A config made out of answers, with the comments of the example: they are taken from it, so they never drift apart."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import msgspec

from outagecast.text import terminal_json

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

Value = str | bool | tuple[str, ...]
"""A value as it is to be read, `${…}` and all; several make a list."""

_START = "# It is looked for at "
"""Where the part of the example's first comment begins that is true of every config."""
_HEAD = (
    "# outagecast.yaml, made by `outagecast init`. After every change of it run",
    "#",
    "#     outagecast check",
    "#",
)
_PLAIN = re.compile(r"[A-Za-z$/](?:[A-Za-z0-9_$./@{}+=,()<>'&%~ -]|:(?=[^ \n])|\?(?=[^ \n]))*(?<! )", re.ASCII)
_WORDS = frozenset({"true", "false", "yes", "no", "on", "off", "null", "y", "n"})
"""Words that YAML 1.1 takes for something else than text."""


class Section(msgspec.Struct, frozen=True):
    """One channel that is to be in the config."""

    name: str
    type: str
    values: Mapping[str, Value]


class _Block(msgspec.Struct, frozen=True):
    """One key of the example: the comment above it, its name, and its lines as they stand there."""

    above: Sequence[str]
    key: str
    lines: Sequence[str]

    def written(self, indent: str, values: Mapping[str, Value]) -> Iterator[str]:
        """The comment, then the key with its value, or as one more comment where there is none."""
        yield from self.above
        if self.key in values:
            yield from entry(self.key, values[self.key], indent)
        else:
            yield from (_commented(line, indent) for line in self.lines)


def config_text(example: str, top: Mapping[str, Value], sections: Sequence[Section]) -> str:
    """Give the example with these values; keys without one stay as comments, other channels are left out."""
    head, _, rest = example.partition("\n\n")
    above, _, channels = rest.partition("\nchannels:\n")
    lines = [*_HEAD, *_true_of_every_config(head), ""]
    for block in _blocks(above.split("\n"), ""):
        lines += [*block.written("", top), ""]
    lines.append("channels:")
    shown = {block.key: block for block in _blocks(channels.split("\n"), "  ")}
    lines += next((block.above for block in shown.values()), ())
    for number, section in enumerate(sections):
        own = shown[section.type].lines[1:] if section.type in shown else ()
        lines += [*([""] if number else []), *_section(section, own)]
    return "\n".join(lines) + "\n"


def entry(key: str, value: Value, indent: str) -> Iterator[str]:
    """Give the lines of one key and its value."""
    if isinstance(value, tuple):
        yield f"{indent}{key}:"
        yield from (f"{indent}  - {scalar(each)}" for each in value)
    else:
        yield f"{indent}{key}: {scalar(value)}"


def scalar(value: str | bool) -> str:  # noqa: FBT001  it is the value itself
    """Write one value so that YAML reads it as it is: plain where that is safe, else in quotes."""
    if isinstance(value, bool):
        return str(value).lower()
    if _PLAIN.fullmatch(value) and value.lower() not in _WORDS:
        return value
    # What a terminal would obey is escaped, the same in YAML as in JSON: the lines are printed, too.
    return terminal_json(json.dumps(value, ensure_ascii=False))


def _true_of_every_config(head: str) -> list[str]:
    lines = head.split("\n")
    start = next((number for number, line in enumerate(lines) if line.startswith(_START)), 0)
    return lines[start:]


def _section(section: Section, lines: Sequence[str]) -> Iterator[str]:
    """Give one channel; what the example does not have of it comes first."""
    values = {**({"type": section.type} if section.type != section.name else {}), **section.values}
    blocks = list(_blocks(lines, "    "))
    yield f"  {section.name}:"
    for key in [key for key in values if key not in {block.key for block in blocks}]:
        yield from entry(key, values[key], "    ")
    for block in blocks:
        yield from block.written("    ", values)


def _blocks(lines: Sequence[str], indent: str) -> Iterator[_Block]:
    """Take lines apart at the keys of this depth, those in comments too."""
    begins = re.compile(rf"{indent}(?:# )?([a-z_]+):(?: |$)")
    above: list[str] = []
    key, own = "", list[str]()
    for line in [*lines, f"{indent}end:"]:
        found = begins.match(line)
        deeper = bool(key) and line.startswith(f"{indent}  ") and not found
        if deeper:
            own.append(line)
            continue
        if key and (found or line.strip()):
            yield _Block(above, key, own)
            above, key, own = [], "", []
        if found:
            key, own = found[1], [line]
        elif line.strip():
            above.append(line)


def _commented(line: str, indent: str) -> str:
    return line if line.startswith(f"{indent}# ") else f"{indent}# {line.removeprefix(indent)}"
