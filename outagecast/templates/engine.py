"""What the files say, rendered; and every mistake in one told with its file and line, as a UsageError."""

from __future__ import annotations

import re
import shlex
import traceback
from contextlib import contextmanager
from typing import TYPE_CHECKING

from jinja2 import BaseLoader, meta, nodes
from jinja2.exceptions import TemplateNotFound, TemplateSyntaxError

from outagecast.errors import UsageError
from outagecast.templates import files
from outagecast.templates.bounds import Absent, Bounded, NotGivenError
from outagecast.text import clean

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from jinja2 import Environment

    from outagecast.templates.files import Shelf

__all__ = ["Engine", "NotGivenError"]


class Engine:
    """Renders files of these shelves; what they include or extend is looked for on the same shelves, in their order."""

    def __init__(self, shelves: Sequence[Shelf]) -> None:
        self._shelves = shelves
        self._loader = _Loader(shelves)
        self._jinja = Bounded(self._loader)
        self._parsed: dict[str, nodes.Template] = {}

    def say(self, file: str, names: Mapping[str, object]) -> str:
        """The words of one file, ready to go out; raises NotGivenError with the name of what is missing."""
        context = {name: Absent(name=name) if value is None else value for name, value in names.items()}
        with self._told(file):
            words = self._jinja.written(file, context)
        return _tidy(words, file)

    def uses(self, file: str) -> set[str] | None:
        """The names that a file and what it includes ask for; None where only rendering can tell."""
        found: set[str] = set()
        for tree in self._trees(file, set()):
            found |= meta.find_undeclared_variables(tree)
            if None in meta.find_referenced_templates(tree):
                return None
        return found

    def faults(self, file: str) -> Iterator[str]:
        """What is wrong with a file, as far as that shows without rendering it."""
        try:
            with self._told(file):
                tree = self._tree(file)
        except UsageError as err:
            yield err.text
            return
        for node in tree.find_all((nodes.Include, nodes.Extends, nodes.Import, nodes.FromImport)):
            if (name := _demanded(node)) and not files.path_of(self._shelves, name):
                yield f"{files.path_of(self._shelves, file)}, line {node.lineno}: {_not_there(name)}"

    def _trees(self, file: str, seen: set[str]) -> Iterator[nodes.Template]:
        """A file and all that it includes, parsed; rendering will tell of what is not there."""
        seen.add(file)
        with self._told(file):
            tree = self._tree(file)
        yield tree
        for other in meta.find_referenced_templates(tree):
            if other and other not in seen and files.path_of(self._shelves, other):
                yield from self._trees(other, seen)

    def _tree(self, file: str) -> nodes.Template:
        if file not in self._parsed:
            self._jinja.get_template(file)  # for the mistakes that only compiling finds
            source, path, _ = self._loader.get_source(self._jinja, file)
            self._parsed[file] = self._jinja.parse(source, file, path)
        return self._parsed[file]

    @contextmanager
    def _told(self, file: str) -> Iterator[None]:
        """Whatever goes wrong in a template, as a UsageError. Its own mistakes come as any exception."""
        try:
            yield
        except (NotGivenError, UsageError):
            raise
        except Exception as err:
            path, line = _place(err) or (str(files.path_of(self._shelves, file)), 0)
            where = f"{path}, line {line}" if line else path
            raise UsageError(f"{where}: {_what(err)}", hint=_mend(path)) from err


class _Loader(BaseLoader):
    """Reads templates from shelves."""

    def __init__(self, shelves: Sequence[Shelf]) -> None:
        self._shelves = shelves

    def get_source(
        self,
        environment: Environment,  # noqa: ARG002  Jinja2's interface
        template: str,
    ) -> tuple[str, str, Callable[[], bool]]:
        """The text of a template, its path, and that it has not changed."""
        path = files.path_of(self._shelves, template)
        if path is None:
            raise TemplateNotFound(template)
        try:
            return path.read_text(encoding="utf-8-sig"), str(path), lambda: True
        except UnicodeDecodeError as err:
            raise UsageError(f"{path}: it is not UTF-8 (byte {err.start + 1})", hint=_mend(str(path))) from err
        except OSError as err:
            raise UsageError(f"{path}: it cannot be read: {err.strerror}", hint=_mend(str(path))) from err


def _tidy(words: str, file: str) -> str:
    """No blanks at the ends of lines, never more than one empty line, and nothing that must not go out."""
    words = re.sub(r"\n{3,}", "\n\n", re.sub(r"[ \t]+$", "", words, flags=re.MULTILINE))
    try:
        return clean(words)
    except UsageError as err:
        raise UsageError(f"what the template {file} says cannot go out: {err.text}", hint=err.hint) from err


def _demanded(node: nodes.Node) -> str | None:
    """The one file that a node cannot do without, if it is named there."""
    template = getattr(node, "template", None)
    if getattr(node, "ignore_missing", False) or not isinstance(template, nodes.Const):
        return None
    return template.value if isinstance(template.value, str) else None


def _place(err: Exception) -> tuple[str, int] | None:
    """The file and line of the template where it happened; Jinja2 writes them into the traceback."""
    if isinstance(err, TemplateSyntaxError) and err.filename:
        return err.filename, err.lineno
    frames = [frame for frame in traceback.extract_tb(err.__traceback__) if frame.filename.endswith(".j2")]
    return (frames[-1].filename, frames[-1].lineno or 0) if frames else None


def _what(err: Exception) -> str:
    if isinstance(err, TemplateNotFound):
        return _not_there(str(err.name))
    if isinstance(err, RecursionError):
        return "it includes or calls itself without end"
    return (err.message if isinstance(err, TemplateSyntaxError) else str(err)) or type(err).__name__


def _not_there(name: str) -> str:
    return f"it includes {name}, and no template has that name"


def _mend(path: str) -> str:
    return f"mend it, or do without it: mv {shlex.quote(path)} {shlex.quote(path + '.off')}"
