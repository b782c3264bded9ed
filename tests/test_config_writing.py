"""A config that is written from answers: the example's comments, and values that are read back as they were meant."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from outagecast.config import example, load
from outagecast.config_writing import Section, config_text, scalar
from outagecast.registry import settings_of

if TYPE_CHECKING:
    from pathlib import Path

EXAMPLE = example().read_text(encoding="utf-8")
LINES = st.text(st.characters(exclude_categories=["Cs"]), max_size=60).filter(str.isprintable)
SECTIONS = [
    Section(
        "twitter",
        "twitter",
        {f"{kind}{end}": "${X}" for kind in ("api_key", "access_token") for end in ("", "_secret")},
    ),
    Section("page", "facebook", {"page_id": "1001", "page_access_token": "${X}"}),
    Section(
        "email", "email", {"sender": "A <a@example.net>", "relays": ("smtp://a:${X}@example.org",), "subscribers": True}
    ),
]


@given(text=LINES)
def test_any_line_is_read_back_as_it_was_typed(text: str):
    assert yaml.safe_load(f"key: {scalar(text)}") == {"key": text}
    assert yaml.safe_load(f"key:\n  - {scalar(text)}") == {"key": [text]}


@pytest.mark.parametrize(
    "text",
    [
        "yes",
        "Off",
        "null",
        "12",
        "1e3",
        "0x1",
        "2026-11-22",
        "a: b",
        "a #b",
        "- a",
        "?",
        "~",
        "~/x",
        "a ",
        "",
        "&a",
        "@a",
        "a:b",
        "$$5",
        "12:30",
    ],
)
def test_what_yaml_takes_for_something_else_is_quoted(text: str):
    assert yaml.safe_load(f"key: {scalar(text)}") == {"key": text}


def test_a_config_of_every_type_is_accepted_and_its_other_keys_are_comments(tmp_path: Path):
    path = tmp_path / "outagecast.yaml"
    path.write_text(config_text(EXAMPLE, {"organization": "Example: Hosting"}, SECTIONS), encoding="utf-8")
    config = load(path, {"X": "1"}, settings_of)
    assert config.organization == "Example: Hosting"
    assert {name: (one.type, one.error) for name, one in config.channels.items()} == {
        "twitter": ("twitter", None),
        "page": ("facebook", None),
        "email": ("email", None),
    }
    assert (config.own, config.support) == ((), "")


def test_every_comment_of_the_example_is_there_but_for_how_to_copy_it():
    text = config_text(EXAMPLE, {"organization": "x"}, SECTIONS)
    comments = re.findall(r"^ *# .*$", EXAMPLE, re.MULTILINE)
    lost = [line for line in comments if line not in text.splitlines()]
    assert lost == [
        "# outagecast.yaml: let `outagecast init` write it by asking you; or copy this file, put in your own names, delete the",
        "# channels you do not have, then run",
        "#     chmod 600 outagecast.yaml",
    ]


def test_every_key_of_the_example_is_there_as_value_or_as_comment(tmp_path: Path):
    text = config_text(EXAMPLE, {"organization": "x"}, SECTIONS)
    uncommented = re.sub(r"^( *)# (?=[a-z_]+:(?: |$)|  - )", r"\1", text, flags=re.MULTILINE)
    path = tmp_path / "all.yaml"
    path.write_text(uncommented, encoding="utf-8")
    config = load(path, {"X": "1"}, settings_of)
    for section in config.channels.values():
        assert set(settings_of(section.type).__struct_fields__) <= set(section.lines), section.name
    assert (config.journal, config.templates) != (None, None)


def test_channels_that_were_not_chosen_are_left_out():
    text = config_text(EXAMPLE, {"organization": "x"}, SECTIONS[1:2])
    assert "  page:\n    type: facebook\n" in text
    assert "twitter" not in text.partition("  page:")[2]
    assert "sender" not in text


def test_nothing_in_a_line_that_is_written_rules_a_terminal_that_shows_it():
    line = scalar("a\x9b31m\u202e\x7f")
    assert line.isprintable()
    assert yaml.safe_load(line) == "a\x9b31m\u202e\x7f"
