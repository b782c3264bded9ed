"""Jinja2, so that a template can neither reach out of itself nor keep the night waiting.

Jinja2's own sandbox keeps a template away from Python's inside. What it leaves open is effort: loops in loops, macros
that call themselves, texts and numbers that grow without end. Those are counted and measured here.
"""

from __future__ import annotations

import operator
import re
from types import BuiltinMethodType
from typing import TYPE_CHECKING, Any

from jinja2 import StrictUndefined, Undefined, nodes
from jinja2.exceptions import SecurityError, TemplateAssertionError, UndefinedError
from jinja2.filters import FILTERS
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.utils import missing
from jinja2.visitor import NodeTransformer

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from jinja2 import BaseLoader
    from jinja2.runtime import Context

MOST = 50_000
"""Characters of any text, items of any list: as many as a message may have."""
MOST_STEPS = 5_000
"""Turns of loops and calls, all together, in one rendering."""
_MOST_BITS = 4_096
_FILTERS = (
    *("capitalize", "d", "default", "first", "float", "int", "items", "join", "last", "length", "list", "lower", "map"),
    *("max", "min", "reject", "replace", "reverse", "select", "sort", "sum", "title", "trim", "truncate", "unique"),
    *("upper", "wordcount", "wordwrap"),
)
"""Those of Jinja2's that are about words and give the same every time; none of HTML, none that pads or draws lots."""
_CLOSED = re.compile(r"[.!?\u2026][\"')\]\u2019\u201d\u00bb]*\Z")


class NotGivenError(UndefinedError):
    """A name was used for which there is no value; `message` is the name."""


class Missing(StrictUndefined):
    """A name that nobody gave a value: any use but `is defined` and `default` raises."""

    @property
    def _undefined_message(self) -> str:
        named = self._undefined_exception is NotGivenError
        return str(self._undefined_name) if named else super()._undefined_message

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # A name of the template itself, not an attribute of something nor an argument that a macro was not given.
        if self._undefined_hint is None and self._undefined_obj is missing:
            self._undefined_exception = NotGivenError


class Absent(Missing):
    """A fact that there is not this time: false, and equal to nothing, so that `{% if eta %}` is right."""

    # Jinja2 types these as never returning, because StrictUndefined's never do.
    def __bool__(self) -> bool:  # type: ignore[override]
        return False

    def __eq__(self, other: object) -> bool:  # type: ignore[override]
        return False

    def __ne__(self, other: object) -> bool:  # type: ignore[override]
        return True

    __hash__ = Missing.__hash__  # type: ignore[assignment]


class Bounded(ImmutableSandboxedEnvironment):
    """Renders plain text in bounded time and space; raises SecurityError beyond."""

    intercepted_binops = frozenset(("+", "*", "**", "%"))

    def __init__(self, loader: BaseLoader) -> None:
        super().__init__(
            loader=loader,
            undefined=Missing,
            finalize=_shown,
            autoescape=False,
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,
        )
        self.globals = {name: self.globals[name] for name in ("range", "joiner", "cycler")}
        self.filters = {name: FILTERS[name] for name in _FILTERS}
        self.filters.update(sentence=sentence, _counted=self._counted, _joined=_joined, _measured=measured)
        self._steps = 0

    def written(self, name: str, context: dict[str, object]) -> str:
        """What a template says."""
        self._steps = 0
        pieces, length = [], 0
        for piece in self.get_template(name).generate(context):
            length += len(piece)
            if length > MOST:
                raise SecurityError(f"it says more than {MOST:,} characters")
            pieces.append(piece)
        return "".join(pieces)

    def call(self, context: Context, called: Any, /, *args: Any, **kwargs: Any) -> Any:
        """One call that a template makes."""
        self._step()
        if isinstance(called, BuiltinMethodType) and any(isinstance(each, int) and each > MOST for each in args):
            raise SecurityError(f"{called.__name__}() is asked for more than {MOST:,} characters")
        return measured(super().call(context, called, *args, **kwargs))

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:  # noqa: ARG002  Jinja2's names
        """One of the operators that can make much of little."""
        return measured(_OPERATORS[operator](left, right))

    def is_safe_attribute(self, obj: Any, attr: str, value: Any) -> bool:
        """Jinja2's rule; and no formats, which pad to any width."""
        return super().is_safe_attribute(obj, attr, value) and attr not in {"format", "format_map"}

    def wrap_str_format(self, value: Any) -> None:
        """Nothing: `is_safe_attribute` refuses what Jinja2 would wrap."""

    def _parse(self, source: str, name: str | None, filename: str | None) -> nodes.Template:
        tree = super()._parse(source, name, filename)
        for node in tree.find_all((nodes.Filter, nodes.Test, nodes.For)):
            if why := self._why_not(node):
                raise TemplateAssertionError(why, node.lineno, name, filename)
        _Bounds().visit(tree)
        return tree

    def _why_not(self, node: nodes.Node) -> str:
        """What of the language is not offered. Jinja2 would tell of a filter within an `if` only when it comes by."""
        if isinstance(node, nodes.Filter) and node.name not in self.filters:
            return f"there is no filter {node.name}; there are {', '.join(sorted([*_FILTERS, 'sentence']))}"
        if isinstance(node, nodes.Test) and node.name not in self.tests:
            return f"there is no test {node.name}"
        return "loops are not recursive here" if isinstance(node, nodes.For) and node.recursive else ""

    def _counted(self, items: Iterable[Any]) -> Iterator[Any]:
        for item in items:
            self._step()
            yield item

    def _step(self) -> None:
        self._steps += 1
        if self._steps > MOST_STEPS:
            raise SecurityError(f"it goes round more than {MOST_STEPS:,} times")


class _Bounds(NodeTransformer):
    """Puts a measure around whatever loops or grows in a parsed template."""

    def visit_For(self, node: nodes.For) -> nodes.For:  # noqa: N802  by the node's name, as Jinja2 looks it up
        self.generic_visit(node)
        node.iter = _through("_counted", node.iter, node.lineno)
        return node

    def visit_Concat(self, node: nodes.Concat) -> nodes.Filter:  # noqa: N802
        self.generic_visit(node)
        return _through("_joined", nodes.List(node.nodes, lineno=node.lineno), node.lineno)

    def visit_AssignBlock(self, node: nodes.AssignBlock) -> nodes.AssignBlock:  # noqa: N802
        self.generic_visit(node)
        node.filter = _through("_measured", node.filter, node.lineno)
        return node


def _through(name: str, node: nodes.Node | None, line: int) -> nodes.Filter:
    return nodes.Filter(node, name, [], [], None, None, lineno=line)


def measured(value: Any) -> Any:
    """The value, if it is no larger than an announcement could need."""
    if isinstance(value, str | bytes | list | tuple) and len(value) > MOST:
        raise SecurityError(f"a text or list in it grows beyond {MOST:,}")
    if isinstance(value, int) and value.bit_length() > _MOST_BITS:
        raise SecurityError("a number in it grows too large")
    return value


def _times(left: Any, right: Any) -> Any:
    for many, times in ((left, right), (right, left)):
        if hasattr(many, "__len__") and isinstance(times, int) and len(many) * times > MOST:
            raise SecurityError(f"a text or list in it grows beyond {MOST:,}")
    return left * right


def _power(left: Any, right: Any) -> Any:
    if isinstance(left, int) and isinstance(right, int) and left.bit_length() * right > _MOST_BITS:
        raise SecurityError("a number in it grows too large")
    return left**right


def _rest(left: Any, right: Any) -> Any:
    if isinstance(left, str):
        raise SecurityError("% would format a text; put texts together with ~")
    return left % right


_OPERATORS = {"+": operator.add, "*": _times, "**": _power, "%": _rest}


def _shown(value: Any) -> Any:
    """What may be printed: in public, "['a', 'b']", "True" and "None" are mistakes."""
    # An Undefined either raises when it is printed or is the missing `else` of an inline `if`.
    if isinstance(value, str | Undefined) or (isinstance(value, int | float) and not isinstance(value, bool)):
        return value
    what = {list: "a list", tuple: "a list", bool: "true or false", type(None): "nothing"}.get(type(value))
    raise TypeError(f"it would print {what or type(value).__name__}; only texts and numbers can be printed")


def _joined(parts: Iterable[Any]) -> str:
    return str(measured("".join(str(_shown(part)) for part in parts)))


def sentence(text: str) -> str:
    """A text as a sentence: with a capital first, unless it begins with a name such as eth0, and closed once."""
    text = text.strip()
    first = re.match(r"[^\W\d_]+(?=[,;:.!?]?(?:\s|\Z)|['\u2019]\w)", text)
    if first and first[0].islower():
        text = text[0].upper() + text[1:]
    return text if not text or _CLOSED.search(text) else text.rstrip(" ,;:-\u2013\u2014") + "."
