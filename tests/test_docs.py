"""What README, docs, help and hints say is true: every command, option and target named in them exists."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from outagecast.cli.main import COMMANDS
from outagecast.deliver import SystemClock
from outagecast.report import EXIT_DONE, EXIT_PERSON, EXIT_USAGE, EXIT_WAITING

if TYPE_CHECKING:
    from night import Night

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
SOURCES = [*PAGES, ROOT / "config.example.yaml", *sorted((ROOT / "outagecast").rglob("*.py"))]
GROUPS = {"subscribers": {"import", "export", "add", "remove", "list", "count"}, "auth": {"twitter", "facebook"}}


def blocks(page: Path, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", page.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)


def typed(page: Path) -> list[str]:
    """The command lines that a page shows for typing."""
    shown = [line for block in blocks(page, "console") for line in block.splitlines() if line.startswith("$ ")]
    shown += [line for language in ("sh", "cron") for block in blocks(page, language) for line in block.splitlines()]
    commands = [match for line in shown for match in re.findall(r"outagecast [^|>;#]*", line)]
    return [command.strip() for command in commands if re.match(r"outagecast [a-z]", command)]


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_command_that_is_named_exists(source: Path):
    text = source.read_text(encoding="utf-8")
    named = re.findall(r"""(?:`|hint=f?["']|, then: |\$ |type |^ {4,})outagecast ([a-z]+)\b""", text, re.MULTILINE)
    unknown = set(named) - set(COMMANDS) - {"import"}
    assert not unknown


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.name)
def test_every_option_in_a_command_line_of_a_page_exists(page: Path, night: Night):
    for line in typed(page):
        words = shlex.split(line.replace("$", ""))
        command = words[1:3] if words[1] in GROUPS else words[1:2]
        helped = night.run(*command, "--help")
        assert helped.code == 0, line
        for option in (word for word in words if word.startswith("--")):
            assert option in _help(command), f"{line}: {option}"


def _help(command: list[str]) -> str:
    from typer.testing import CliRunner

    from outagecast.cli.main import application

    return CliRunner().invoke(application(command), [*command, "--help"]).output


def test_pages_show_command_lines_at_all():
    assert len(typed(ROOT / "README.md")) > 8


def test_the_exit_codes_in_the_readme_are_those_of_the_program():
    rows = re.findall(r"^\| (\d+) \| ", (ROOT / "README.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert [int(row) for row in rows] == [EXIT_DONE, EXIT_PERSON, EXIT_USAGE, EXIT_WAITING]


@pytest.mark.parametrize("page", [*PAGES, ROOT / "benchmarks" / "README.md"], ids=lambda path: path.name)
def test_every_make_target_that_is_named_exists(page: Path):
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    named = set(re.findall(r"(?:\$ |`)make ([a-z]+)", page.read_text(encoding="utf-8")))
    assert named <= targets


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.name)
def test_every_file_that_a_page_links_to_exists(page: Path):
    links = re.findall(r"\]\(([^)#:]+)\)", page.read_text(encoding="utf-8"))
    assert [link for link in links if not (page.parent / link).exists()] == []


def test_the_readme_shows_what_drill_shows(night: Night):
    shown = blocks(ROOT / "README.md", "text")[0]
    night.clock = SystemClock()  # the SDK signs with the machine's time, and the simulator checks it
    drilled = night.run("drill", "--page", "page.html").out
    steady = [
        line
        for line in shown.splitlines()
        if line.strip() and "…" not in line and not re.search(r"\d\d:\d\d UTC", line)
    ]
    assert steady
    assert [line for line in steady if line not in drilled] == []


def test_the_channel_in_the_guide_is_a_channel():
    (example,) = blocks(ROOT / "docs" / "channels.md", "python")[:1]
    names: dict[str, object] = {}
    exec(compile(example, "docs/channels.md", "exec"), names)
    logbook = names["Logbook"]
    assert {"render", "send", "find", "close_replies", "retract", "check", "close", "endpoints"} <= set(dir(logbook))


def test_every_option_of_every_command_is_explained():
    for command in COMMANDS:
        bare = re.findall(r"^  (--[a-z-]+)(?: [A-Z]+)?\s*$", _help([command]), re.MULTILINE)
        assert bare == [], command
