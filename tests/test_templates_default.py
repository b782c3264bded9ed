"""The built-in set reads well with and without everything that is optional; what docs/templates.md shows is true."""

from __future__ import annotations

import argparse
import re
import shlex
from datetime import timedelta
from functools import cache
from itertools import chain, combinations, product
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest
from template_kit import AT, facts

from outagecast import eta as etas
from outagecast.errors import UsageError
from outagecast.model import Announcement, Incident, IncidentState, Kind, Status
from outagecast.templates import Facts, problems, variables, write
from outagecast.templates.bounds import _FILTERS, MOST, MOST_STEPS
from outagecast.templates.engine import Engine
from outagecast.templates.facts import NAMES, said
from outagecast.templates.files import best, shelves
from outagecast.text import stamp, x_length, x_links, x_mentions

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

BUILT_IN = shelves(None)[0]
PAGE = Path(__file__).parent.parent / "docs" / "templates.md"
VALUES = {
    "service": "our name servers",
    "cause": "a digger cut a fiber.",
    "impact": "some domains do not resolve",
    "next": "15:00 UTC",
}
KINDS = {"post": Kind.OPENED, "update": Kind.UPDATE, "resolve": Kind.RESOLVED, "correction": Kind.CORRECTION}
CASES = [
    (Kind.OPENED, None),
    (Kind.OPENED, Status.IDENTIFIED),
    *((Kind.UPDATE, status) for status in (None, *Status)),
    (Kind.RESOLVED, None),
    (Kind.CORRECTION, None),
]


@cache
def engine() -> Engine:
    return Engine([BUILT_IN])


def every(names: Iterable[str]) -> Iterator[tuple[str, ...]]:
    names = sorted(names)
    return chain.from_iterable(combinations(names, number) for number in range(len(names) + 1))


class Said(NamedTuple):
    known: Facts
    given: tuple[str, ...]
    words: str
    letter: str


@cache
def told(kind: Kind, status: Status | None) -> list[Said]:
    """What is said for every combination of what may be given and known."""
    file = best([BUILT_IN], kind, status)
    letter = best([BUILT_IN], kind, status, ["email"])
    optional = (engine().uses(file) | engine().uses(letter)) - set(NAMES)
    assert optional <= set(VALUES)
    found = []
    for given, known in product(every(optional), combined(kind, status)):
        if kind is Kind.OPENED and "service" not in given:
            continue
        names = {**said(known), **{name: VALUES[name] for name in given}}
        found.append(Said(known, given, engine().say(file, names), engine().say(letter, names)))
    assert len(found) > 5
    return found


def combined(kind: Kind, status: Status | None) -> Iterator[Facts]:
    messages = ["fiber cut between Bonn and Cologne, ETA 1h", "the crew is on site.", None]
    # An update without a status is nothing but its message.
    for message in messages[:2] if kind is Kind.UPDATE and status is None else messages:
        for known in every(["eta", "was", "support"]):
            yield facts(
                message,
                kind,
                status=status,
                number=0 if kind is Kind.OPENED else 12,
                eta=AT + timedelta(hours=1) if "eta" in known and kind in (Kind.OPENED, Kind.UPDATE) else None,
                was=AT + timedelta(minutes=10) if "was" in known else None,
                support="https://help.example.net" if "support" in known else "",
                taken_back=["14:05 UTC: fiber cut, ETA 1h", "see https://example.net, @all"],
            )


def heading(known: Facts) -> str:
    incident = Incident("inc-1", "fiber cut", IncidentState.OPEN, known.opened_at)
    return f"[{stamp(Announcement(incident, known.number, known.kind, '', '', known.at, status=known.status))}] "


@pytest.mark.parametrize(("kind", "status"), CASES)
def test_each_fits_on_x_and_mentions_and_links_nobody_there(kind: Kind, status: Status | None):
    for one in told(kind, status):
        words = heading(one.known) + one.words
        assert x_length(words) <= 280, words
        assert (x_mentions(words), x_links(words)) == ([], []), words


@pytest.mark.parametrize(("kind", "status"), CASES)
def test_each_reads_as_english_with_and_without_what_is_optional(kind: Kind, status: Status | None):
    for one in told(kind, status):
        for text in (one.words, one.letter):
            words = re.sub(r"^- .*\n", "", text, flags=re.MULTILINE)  # what is taken back is quoted as it was
            assert re.findall(r"\.\.|[,:;\u2013]\.|\s[,.;:]|\(\)|  |\n\n\n|None|[a-z]\n", words) == [], words
            assert [line for line in words.split("\n") if line and not re.match(r"[A-Z]|- ", line)] == [], words
        for text in (one.words, one.letter):
            assert [name for name in one.given if VALUES[name].rstrip(".").casefold() not in text.casefold()] == []


@pytest.mark.parametrize(("kind", "status"), CASES)
def test_an_eta_is_said_once_and_as_a_time(kind: Kind, status: Status | None):
    """No "ETA 1h" is left behind, which whoever looks for one would give its time a second time."""
    for one in told(kind, status):
        for words in (one.words, one.letter):
            assert words.count("15:05 UTC") == (one.known.eta is not None), words
            assert ("14:15 UTC" in words) == bool(one.known.eta and one.known.was), words
            assert not one.known.eta or etas.find(words, AT, one.known.zone) is None


@pytest.mark.parametrize(("kind", "status"), CASES)
def test_a_letter_says_more_and_where_to_turn(kind: Kind, status: Status | None):
    for one in told(kind, status):
        assert one.letter.startswith(one.words.split("\n")[0])
        assert len(one.letter) > len(one.words)
        if kind is Kind.CORRECTION:
            assert "\n- 14:05 UTC: fiber cut, ETA 1h\n- see https://example.net, @all\n" in one.letter
        else:
            assert ("https://help.example.net" in one.letter) == bool(one.known.support)


def test_every_file_is_of_a_kind_or_a_piece_of_one():
    assert set(BUILT_IN.names) == set(Kind)
    assert list(problems(BUILT_IN.folder)) == []


# --- the page


def page() -> str:
    return PAGE.read_text(encoding="utf-8")


def shown_files() -> dict[str, str]:
    """The files that the page shows, by their name in the first line."""
    blocks = re.findall(r"^```jinja\n\{# templates/(\S+) #\}\n(.*?)^```", page(), re.DOTALL | re.MULTILINE)
    assert len(blocks) == page().count("```jinja")
    return dict(blocks)


def shown_runs() -> Iterator[tuple[str, str, str]]:
    """What the page shows as typed and said: the command, where, the words."""
    for block in re.findall(r"^```text\n(.*?)^```", page(), re.DOTALL | re.MULTILINE):
        command, *parts = re.split(r"\n(?=(?:X: |mail: |✗ ))", block.strip())
        assert parts
        for part in parts:
            where, words = ("✗", part[2:]) if part.startswith("✗ ") else part.split(": ", 1)
            yield command.removeprefix("$ "), where, re.sub(r"^ +", "", words, flags=re.MULTILINE)


def run(command: str, folder: Path | None) -> Mapping[str, str]:
    """What a command of the page says, or a correction that is made without one."""
    options = argparse.ArgumentParser()
    options.add_argument("message", nargs="?")
    options.add_argument("--var", action="append", default=[])
    options.add_argument("--template")
    options.add_argument("--status", type=Status)
    verb, *typed = shlex.split(re.sub("^(outagecast|a) ", "", command))
    given = options.parse_args(typed)
    kind = KINDS[verb]
    found = etas.find(given.message or "", AT, facts().zone)
    known = facts(
        given.message,
        kind,
        status=given.status,
        eta=found and found.at,
        was=AT + timedelta(minutes=10) if kind is Kind.UPDATE and found else None,
        taken_back=["13:52 UTC: all servers are down"] if kind is Kind.CORRECTION else [],
    )
    try:
        told = write(folder, given.template, known, variables(given.var), {"mail": "email"})
    except UsageError as err:
        return {"✗": f"{err.text}\n→ {err.hint}"}
    return {"X": told.words, "mail": told.on.get("mail", told.words)}


@pytest.fixture
def shown(tmp_path: Path) -> Path:
    """The folder that the page shows."""
    for name, text in shown_files().items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    return tmp_path


def test_the_page_shows_a_file_for_every_kind_and_all_are_in_order(shown: Path):
    assert {f"{kind}.j2" for kind in Kind} <= {path.name for path in shown.iterdir()}
    assert list(problems(shown, {"email": "email"})) == []


def test_what_the_page_shows_is_what_its_files_say(shown: Path):
    runs = list(shown_runs())
    assert {command.split()[1] for command, _, _ in runs} == set(KINDS)
    for command, where, expected in runs:
        assert run(command, shown).get(where) == expected, command


def test_the_table_of_the_page_is_what_the_built_in_set_says():
    rows = re.findall(r"^\| (`outagecast .*|a correction .*) \| (.*) \|$", page(), re.MULTILINE)
    assert len(rows) == len(CASES)
    for typed, words in rows:
        command = re.sub(r"^a correction with `(.*)`, ", r"a correction \1 ", typed).strip("`")
        assert run(command, None)["X"] == words.replace("<br>", "\n"), command


def test_the_page_names_every_fact_and_filter_and_the_bounds():
    for name in (*NAMES, *_FILTERS, "sentence"):
        assert f"`{name}`" in page(), name
    assert f"{MOST:,} characters and go round {MOST_STEPS:,}\ntimes" in page()
