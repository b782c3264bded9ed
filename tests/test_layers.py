"""Who may import whom, read from the source; and what the quick commands must not pay for, measured on a process."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import outagecast

if TYPE_CHECKING:
    from collections.abc import Iterator

PACKAGE = Path(outagecast.__file__).parent
ROOT = PACKAGE.parent

LAYERS = {
    0: "model errors tld graphemes",
    1: "channel text xtext xlinks cutting fitting stamps daytimes eta addresses config config_* secrets secret_* trust names dns_names wire wire_* journal templates images keeping granting",
    2: "channels deliver registry phrasing repeats announce following retraction report tally advice timeline timeline_* preview checkup testing",
    3: "screen screen_*",
    4: "cli __main__",
}
"""A package counts as one. Each may import from its own layer and from those below it."""
SHARED_BY_ADAPTERS = {"channel", "wire", "wire_session", "text", "secrets", "trust", "errors", "names"}
"""`errors` because `text` raises UsageError."""

WITH_JINJA = {"templates.bounds", "templates.engine", "templates.writing"}
"""What `outagecast.templates` imports when something is rendered."""


@dataclass(frozen=True)
class Import:
    """One import statement: who, what, and whether it is paid for when the module is imported."""

    importer: str
    imported: str
    at_import: bool
    line: int

    def __str__(self) -> str:
        return f"{self.importer}:{self.line} imports {self.imported}"


@cache
def modules() -> dict[str, ast.Module]:
    """Every module by its name below `outagecast`, parsed."""
    found = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(PACKAGE).with_suffix("").parts
        found[".".join(part for part in parts if part != "__init__")] = ast.parse(path.read_text(encoding="utf-8"))
    return found


def imports(name: str) -> Iterator[Import]:
    yield from _imports(name, modules()[name], at_import=True)


def _imports(name: str, node: ast.AST, *, at_import: bool) -> Iterator[Import]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.If) and ast.unparse(child.test) == "TYPE_CHECKING":
            for statement in child.body:
                yield from _imported(name, statement, at_import=False)
            continue
        yield from _imported(name, child, at_import=at_import)
        inside = isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        yield from _imports(name, child, at_import=at_import and not inside)


def _imported(name: str, node: ast.AST, *, at_import: bool) -> Iterator[Import]:
    if isinstance(node, ast.Import):
        for alias in node.names:
            yield Import(name, alias.name, at_import, node.lineno)
    elif isinstance(node, ast.ImportFrom):
        assert node.level == 0, f"{name}:{node.lineno} imports relatively"
        for alias in node.names:
            module = f"{node.module}.{alias.name}"
            yield Import(name, module if _ours(module) in modules() else str(node.module), at_import, node.lineno)


def _ours(module: str) -> str | None:
    """The name below `outagecast`; None for everybody else's modules."""
    return (
        module.removeprefix("outagecast").removeprefix(".")
        if module.split(".", maxsplit=1)[0] == "outagecast"
        else None
    )


@cache
def every_import() -> list[Import]:
    return [each for name in modules() for each in imports(name)]


@cache
def own_imports() -> list[tuple[Import, str]]:
    """Imports of our own modules; types count: knowing a type is knowing its module."""
    return [(each, ours) for each in every_import() if (ours := _ours(each.imported))]


def top(name: str) -> str:
    return name.split(".", maxsplit=1)[0]


def layer(name: str) -> int:
    for number, members in LAYERS.items():
        if any(re.fullmatch(member.replace("*", ".+"), top(name)) for member in members.split()):
            return number
    raise AssertionError(f"{name} has no layer: give it one in this file, and in the design")


def is_screen(name: str) -> bool:
    return re.fullmatch("screen(_.+)?", top(name)) is not None


def wrong(rule: str, found: list[Import]) -> None:
    assert not found, f"{rule}: {'; '.join(map(str, found))}"


def test_every_module_has_a_layer() -> None:
    assert {layer(name) for name in modules() if name and top(name) != "sandbox"} == set(LAYERS)


def test_nobody_imports_from_a_layer_above() -> None:
    upward = [
        each
        for each, ours in own_imports()
        if each.importer and top(each.importer) != "sandbox" and top(ours) != "sandbox"
        if layer(ours) > layer(each.importer)
    ]
    wrong("imports go downwards", upward)


def test_the_lowest_layer_imports_nothing_of_ours() -> None:
    wrong("model and errors stand alone", [each for each, _ in own_imports() if each.importer in {"model", "errors"}])


def test_only_the_command_line_imports_the_screen() -> None:
    strangers = [
        each
        for each, ours in own_imports()
        if is_screen(ours) and top(each.importer) != "cli" and not is_screen(each.importer)
    ]
    wrong("screen is cli's", strangers)


def test_only_the_command_line_imports_the_sandbox() -> None:
    strangers = [
        each for each, ours in own_imports() if top(ours) == "sandbox" and top(each.importer) not in {"cli", "sandbox"}
    ]
    wrong("the sandbox is no part of a real post", strangers)


def test_the_sandbox_knows_nothing_of_ours_but_the_model() -> None:
    known = [
        each
        for each, ours in own_imports()
        if top(each.importer) == "sandbox" and top(ours) not in {"sandbox", "model"}
    ]
    wrong("a simulator that shares code with an adapter shares its mistakes", known)


def test_the_shipped_contract_is_imported_by_nobody() -> None:
    users = [each for each, ours in own_imports() if top(ours) == "testing" and top(each.importer) != "testing"]
    wrong("it needs pytest", users)


def _family(name: str) -> str:
    """The adapter that a module belongs to: `channels.twitter_text` is of the family twitter."""
    return name.split(".")[1].split("_", maxsplit=1)[0]


def test_an_adapter_imports_its_own_siblings_and_what_adapters_share() -> None:
    nosy = [
        each
        for each, ours in own_imports()
        if top(each.importer) == "channels" and each.importer != "channels"
        if ours not in SHARED_BY_ADAPTERS and not (top(ours) == "channels" and _family(ours) == _family(each.importer))
    ]
    wrong("an adapter knows nothing of retries, journals or screens", nosy)


def test_nobody_imports_an_adapter_by_name() -> None:
    """They come in by the entry-point group, as strangers' do."""
    wrong("adapters are found", [each for each, ours in own_imports() if top(ours) == "channels" != top(each.importer)])


@pytest.mark.parametrize(
    ("foreign", "homes"),
    [
        ("typer", {"cli", "screen"}),
        ("rich", {"cli", "screen", "screen_canvas", "screen_plans", "screen_reports", "screen_timeline"}),
        ("tweepy", {"channels", "wire", "wire_session"}),
        ("facebook", {"channels", "wire", "wire_session"}),
        ("requests", {"channels", "wire", "wire_session"}),
        ("urllib3", {"channels", "wire", "wire_session"}),
        ("sqlite3", {"journal", "report", "tally", "timeline", "timeline_events", "timeline_letters"}),
        ("yaml", {"config", "config_yaml", "config_binding", "config_words"}),
        ("keyring", {"secret_sources", "keeping"}),
        ("jinja2", {"templates"}),
        ("pytest", {"testing"}),
        ("smtplib", {"channels", "sandbox"}),
        ("dns", {"dns_names", "sandbox"}),
    ],
)
def test_a_foreign_library_is_imported_in_its_own_places_only(foreign: str, homes: set[str]) -> None:
    wrong(
        f"{foreign} belongs to {sorted(homes)}",
        [each for each in every_import() if top(each.imported) == foreign and top(each.importer) not in homes],
    )


def test_what_is_heavy_is_imported_on_first_use() -> None:
    """Inside functions: every start would pay for it otherwise. The screen, imported late itself, may have rich."""
    heavy = {"tweepy", "facebook", "requests", "urllib3", "smtplib", "ssl", "email", "keyring", "platformdirs", "http"}
    heavy |= {"jinja2", "dns"}
    early = [
        each
        for each in every_import()
        if each.at_import and top(each.importer) not in {"sandbox", "testing"} and not is_screen(each.importer)
        if top(each.imported) in heavy | {"rich"}
        or is_screen(_ours(each.imported) or "")
        or top(_ours(each.imported) or "") == "sandbox"
        # These are themselves imported on first use, by the adapters, by `drill` and by whatever renders a template.
        if each.importer not in {"wire_session", "trust", "cli.rehearsal", *WITH_JINJA}
        and not each.importer.startswith("channels.")
    ]
    wrong("too early", early)


def test_what_is_imported_on_first_use_stays_so() -> None:
    """The modules that may import what is heavy are imported inside functions themselves."""
    late = {"wire_session", "trust", "cli.rehearsal", *WITH_JINJA} | {name for name in modules() if is_screen(name)}
    entries = [each for each, ours in own_imports() if each.at_import and ours in late and each.importer not in late]
    wrong("too early", entries)


def test_the_entry_modules_of_the_adapters_import_no_sdk() -> None:
    entries = {"channels.twitter", "channels.facebook", "channels.email.channel"}
    sdks = {"tweepy", "facebook", "requests", "urllib3", "smtplib", "ssl"}
    early = [
        each for each in every_import() if each.importer in entries and each.at_import and top(each.imported) in sdks
    ]
    wrong("an SDK is imported when a channel is used", early)


def test_only_the_screen_prints() -> None:
    printing = [
        f"{name}:{node.lineno}"
        for name, tree in modules().items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and not is_screen(name)
        if ast.unparse(node.func) in {"print", "sys.stdout.write", "sys.stderr.write", "typer.secho", "pprint"}
    ]
    assert printing == []


def test_nothing_is_left_to_do_in_the_source() -> None:
    marks = re.compile(r"\b(TO[D]O|FIX[M]E|XX[X]|HAC[K])\b")
    left = [
        f"{path.relative_to(ROOT)}:{number}"
        for folder in (PACKAGE, ROOT / "tests", ROOT / "benchmarks")
        for path in sorted(folder.rglob("*.py"))
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if marks.search(line)
    ]
    assert left == []


# --- what a start pays for


DEAR = (
    "tweepy",
    "facebook",
    "requests",
    "urllib3",
    "pydantic",
    "smtplib",
    "ssl",
    "asyncio",
    "dns",
    "rich.markdown",
    "rich.syntax",
    "rich.progress",
    "rich.traceback",
    "pygments",
    "jinja2",
    "outagecast.templates",
    "outagecast.channels",
    "outagecast.sandbox",
)
FIND = """
import sys
sys.argv = ["outagecast", *sys.argv[1:]]
from outagecast.cli.main import run
try:
    run()
except SystemExit as ended:
    code = ended.code
print(*sorted(sys.modules), file=sys.stderr)
sys.exit(code)
"""


def loaded(folder: Path, *argv: str) -> set[str]:
    """The modules that a command, run as its own process, has imported at its end."""
    env = {**os.environ, "HOME": str(folder), "OUTAGECAST_JOURNAL": str(folder / "journal.db")}
    done = subprocess.run(
        [sys.executable, "-c", FIND, *argv], cwd=folder, env=env, capture_output=True, text=True, check=True
    )
    return set(done.stderr.splitlines()[-1].split())


@pytest.mark.parametrize(
    "argv", [["--help"], ["--version"], ["post", "--help"], ["status"], ["show", "--help"]], ids=" ".join
)
def test_a_quick_command_pays_for_no_sdk(argv: list[str], tmp_path: Path) -> None:
    found = loaded(tmp_path, *argv)
    assert "outagecast.cli.main" in found
    assert not found & set(DEAR)


@pytest.mark.parametrize("argv", [["--help"], ["--version"]], ids=" ".join)
def test_help_and_version_do_not_even_pay_for_rich(argv: list[str], tmp_path: Path) -> None:
    assert not {name for name in loaded(tmp_path, *argv) if top(name) == "rich"}


def test_listing_the_channel_types_imports_them_and_no_sdk(tmp_path: Path) -> None:
    found = loaded(tmp_path, "channels")
    assert "outagecast.channels.twitter" in found
    assert not found & {"tweepy", "facebook", "requests", "urllib3", "smtplib", "ssl"}
