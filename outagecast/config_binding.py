"""YAML nodes to typed settings: every mistake at once, each with file, line, key path and what would be right."""

from __future__ import annotations

import re
import types
from collections.abc import Mapping, Sequence
from datetime import timedelta
from enum import Enum
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, Union, get_args, get_origin

import msgspec
import yaml

from outagecast.config_words import describe, duration, holds_secret, nearest, shown
from outagecast.config_yaml import Entry, entries, is_null, is_text, line_of, native, raw
from outagecast.errors import ConfigError
from outagecast.secret_likeness import named
from outagecast.secret_sources import Reference, Source, parse
from outagecast.secrets import Secret

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator

    from outagecast.secrets import Vault


class _Bad:
    """Stands for a value that could not be bound; what is wrong with it is among the problems."""


_BAD = _Bad()


class Problem(msgspec.Struct, frozen=True, order=True):
    """One mistake in the file; sorts by line."""

    line: int
    path: str
    text: str
    hint: str = ""

    def told(self, file: str) -> str:
        """The mistake as the operator reads it."""
        return f"{file}:{self.line}: {self.path}: {self.text}" if self.path else f"{file}:{self.line}: {self.text}"


def _is(*kinds: type) -> Callable[[Any], bool]:
    return lambda origin: isinstance(origin, type) and issubclass(origin, kinds)


class Binder:
    """Turns nodes into values of the declared types and collects what is wrong; one per section of one file."""

    def __init__(self, file: str, vault: Vault) -> None:
        self.file = file
        self.vault = vault
        self.problems: list[Problem] = []

    def complain(self, line: int, path: str, text: str, hint: str = "") -> _Bad:
        """Note a mistake."""
        self.problems.append(Problem(line, path, text, hint))
        return _BAD

    def entries(self, node: yaml.Node, path: str, *, hide: bool = True) -> dict[str, Entry] | None:
        """Give the keys of what must be a mapping (nothing at all is an empty one); None if it is none.

        `hide`: a secret may stand there instead, as it may in the place of a whole channel.
        """
        if is_null(node):
            return {}
        if isinstance(node, yaml.MappingNode):
            return entries(node, lambda line, key, text: void(self.complain(line, _join(path, named(key)), text)))
        self.complain(line_of(node), path, f"expected {describe(dict)}, not {shown(node, hide=hide)}")
        return None

    def struct(self, found: Mapping[str, Entry], kind: type[Any], path: str, line: int, others: Collection[str]) -> Any:
        """Make the settings struct out of the keys; `others` are keys that somebody else reads. None if it is wrong."""
        before = len(self.problems)
        values = self.values(found, kind, path, line, others)
        return self._made(kind, values, found, path, line) if len(self.problems) == before else None

    def values(
        self, found: Mapping[str, Entry], kind: type[Any], path: str, line: int, others: Collection[str]
    ) -> dict[str, Any]:
        """Bind every key of a struct; gives those that are right and complains about the rest."""
        fields = {each.encode_name: each for each in msgspec.structs.fields(kind)}
        self._unknown(found, [*others, *fields], path)
        right: dict[str, Any] = {}
        for key, each in fields.items():
            before = len(self.problems)
            if key in found:
                value = self.value(found[key].node, each.type, _join(path, key))
                right |= {each.name: value} if len(self.problems) == before else {}
            elif each.required:
                self.complain(line, _join(path, key), f"missing; expected {_wanted(each.type, path, key)}")
        return right

    def _unknown(self, found: Mapping[str, Entry], known: Collection[str], path: str) -> None:
        for key in found.keys() - set(known):
            text = f"unknown key{nearest(key, known)}"
            self.complain(found[key].line, _join(path, named(key)), text)

    def _made(
        self, kind: type[Any], values: Mapping[str, Any], found: Mapping[str, Entry], path: str, line: int
    ) -> Any:
        """Run the struct's own checks (its __post_init__): each argument of the ValueError is one mistake."""
        try:
            return kind(**values)
        except ConfigError as err:
            for text in err.problems:
                self._about(_without_values(text, values, found), found, path, line, err.hint)
        except (ValueError, TypeError) as err:
            for text in err.args or ("not accepted",):
                self._about(_without_values(str(text), values, found), found, path, line)
        return None

    def _about(self, text: str, found: Mapping[str, Entry], path: str, line: int, hint: str = "") -> None:
        """Complain at the key with which a text begins, if it begins with one."""
        begins = re.match(r"([a-z0-9_]+)(?::| ) *", text)
        if begins and begins[1] in found:
            self.complain(found[begins[1]].line, _join(path, begins[1]), text[begins.end() :], hint)
        else:
            self.complain(line, path, text, hint)

    def value(self, node: yaml.Node, kind: Any, path: str) -> Any:
        """Bind one value; what comes back after a complaint is of no use."""
        arms = _arms(kind)
        if types.NoneType in arms and is_null(node):
            return None
        wanted = [arm for arm in arms if arm is not types.NoneType]
        if len(wanted) != 1:
            return self._first_that_fits(node, wanted, path)
        return self._single(node, wanted[0], path)

    def _first_that_fits(self, node: yaml.Node, arms: Sequence[Any], path: str) -> Any:
        for arm in arms:
            attempt = Binder(self.file, self.vault)
            value = attempt.value(node, arm, path)
            if not attempt.problems:
                return value
        wanted = " or ".join(map(describe, arms))
        there = shown(node, hide=any(map(holds_secret, arms)))
        return self.complain(line_of(node), path, f"expected {wanted}, not {there}")

    def _single(self, node: yaml.Node, kind: Any, path: str) -> Any:
        plain = get_args(kind)[0] if get_origin(kind) is Annotated else kind
        origin = get_origin(plain) or plain
        for binds, bind in self._binds:
            if binds(origin):
                return bind(self, node, kind, path)
        return self._scalar(node, kind, path)

    def _wrong(self, node: yaml.Node, kind: Any, path: str) -> _Bad:
        return self.complain(
            line_of(node), path, f"expected {describe(kind)}, not {shown(node, hide=holds_secret(kind))}"
        )

    def _secret(self, node: yaml.Node, _kind: Any, path: str) -> Any:
        text = raw(node)
        if text is None:
            # Whatever stands there may be the secret itself, so only its shape is told.
            return self.complain(line_of(node), path, f"expected {describe(Secret)}, not {shown(node, hide=True)}")
        try:
            return self.vault.secret(text, f"{self.file}:{line_of(node)}: {path}")
        except ConfigError as err:
            return self.complain(line_of(node), path, err.text, err.hint)

    def _nested(self, node: yaml.Node, kind: Any, path: str) -> Any:
        found = self.entries(node, path, hide=holds_secret(kind))
        return _BAD if found is None else self.struct(found, kind, path, line_of(node), ())

    def _list(self, node: yaml.Node, kind: Any, path: str) -> Any:
        if not isinstance(node, yaml.SequenceNode):
            return self._wrong(node, kind, path)
        plain = get_args(kind)[0] if get_origin(kind) is Annotated else kind
        item = next(iter(get_args(plain)), Any)
        before = len(self.problems)
        values = [self.value(each, item, f"{path}[{number}]") for number, each in enumerate(node.value)]
        return self._converted(node, values, kind, path) if len(self.problems) == before else _BAD

    def _mapping(self, node: yaml.Node, kind: Any, path: str) -> Any:
        found = self.entries(node, path, hide=holds_secret(kind))
        if found is None:
            return _BAD
        item = (*get_args(kind), Any, Any)[1]
        return {key: self.value(entry.node, item, _join(path, key)) for key, entry in found.items()}

    def _duration(self, node: yaml.Node, kind: Any, path: str) -> Any:
        text = self._expanded(node, path)
        if isinstance(text, _Bad):
            return text
        try:
            return duration(text or "")
        except ValueError:
            return self._wrong(node, kind, path)

    def _text(self, node: yaml.Node, kind: Any, path: str) -> Any:
        if not is_text(node):
            quotes = "; put it in quotes" if raw(node) is not None and kind is str else ""
            return self.complain(line_of(node), path, f"expected {describe(kind)}, not {shown(node)}{quotes}")
        text = self._expanded(node, path)
        return text if kind is str or isinstance(text, _Bad) else self._converted(node, text, kind, path)

    def _scalar(self, node: yaml.Node, kind: Any, path: str) -> Any:
        if "$" in (raw(node) or ""):
            text = self._expanded(node, path)
            return text if isinstance(text, _Bad) else self._converted(node, text, kind, path, strict=False)
        try:
            return self._converted(node, native(node), kind, path)
        except ValueError:
            return self._wrong(node, kind, path)

    def _expanded(self, node: yaml.Node, path: str) -> str | _Bad | None:
        text = raw(node)
        try:
            for kind in _slow(text or ""):
                wrong = f"${{{kind}:…}} is for secrets only; write the value, or ${{NAME}}, or ${{file:…}}"
                return self.complain(line_of(node), path, wrong)
            return text and self.vault.expand(text)
        except ConfigError as err:
            return self.complain(line_of(node), path, err.text, err.hint)

    def _converted(self, node: yaml.Node, value: object, kind: Any, path: str, *, strict: bool = True) -> Any:
        try:
            return msgspec.convert(value, kind, strict=strict)
        except msgspec.ValidationError:
            return self._wrong(node, kind, path)

    _binds: ClassVar[Sequence[tuple[Callable[[Any], bool], Callable[..., Any]]]] = (
        (_is(Secret), _secret),
        (_is(msgspec.Struct), _nested),
        (_is(timedelta), _duration),
        (lambda origin: origin is Literal or _is(str, Enum)(origin), _text),
        (_is(Mapping), _mapping),
        (_is(Sequence, frozenset, set), _list),
    )
    """What to do with a declared type; the rest are numbers and truth values."""


def void(_: object) -> None:
    """Forget a result."""


def _slow(template: str) -> Iterator[Source]:
    """What a template would have to wait for: here that would hold every channel, a secret waits in its own thread."""
    for piece in parse(template):
        if isinstance(piece, Reference):
            if piece.kind in {Source.COMMAND, Source.KEYRING}:
                yield piece.kind
            yield from _slow(piece.default or "")


def _without_values(text: str, values: Mapping[str, Any], found: Mapping[str, Entry]) -> str:
    """What a struct says of itself, without any value that came from a `${…}`: it may be the wrong variable."""
    for key, value in values.items():
        if isinstance(value, str) and value and key in found and "$" in (raw(found[key].node) or ""):
            text = text.replace(repr(value), "what stands there").replace(value, "…")
    return text


def _arms(kind: Any) -> Sequence[Any]:
    return get_args(kind) if get_origin(kind) in (Union, types.UnionType) else (kind,)


def _join(path: str, key: str) -> str:
    return f"{path}.{key}" if path and key else path or key


def _wanted(kind: Any, path: str, key: str) -> str:
    """What to write for a missing key; for a secret the variable's name that the example config uses."""
    if Secret in _arms(kind):
        variable = "_".join([*path.split(".")[1:], key]).upper().replace("-", "_")
        return f"a secret, such as {key}: ${{{variable}}}"
    return describe(kind)
