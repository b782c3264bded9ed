"""The example config is true; the small grammars of a config; what importing it costs."""

from __future__ import annotations

import re
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from config_kit import written
from hypothesis import given
from hypothesis import strategies as st

from outagecast.config import exposed, load
from outagecast.config_house import domain_or_network
from outagecast.config_words import duration
from outagecast.registry import settings_of as installed

EXAMPLE = Path(__file__).parent.parent / "config.example.yaml"


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("6h", 21_600), ("90m", 5_400), ("1d 2h", 93_600), ("1h30min", 5_400), ("1.5h", 5_400), (" 45 s ", 45)],
)
def test_durations_are_read(text: str, seconds: int):
    assert duration(text) == timedelta(seconds=seconds)


@pytest.mark.parametrize("text", ["", "h", "6", "-6h", "6 hours", "6h x", "0m", "999999999999999d", "1h,2m"])
def test_what_is_no_duration_is_refused(text: str):
    with pytest.raises(ValueError, match=re.escape(text) or "^$"):
        duration(text)


@given(st.text(max_size=80))
def test_any_word_is_a_domain_a_network_or_a_mistake(text: str):
    try:
        right = domain_or_network(text)
    except ValueError:
        return
    assert domain_or_network(right) == right


def test_the_example_is_read_without_an_error_by_the_real_channels():
    config = load(EXAMPLE, {}, installed)
    assert list(config.channels) == ["twitter", "facebook", "email"]
    assert [each.error for each in config.channels.values()] == [None, None, None]
    assert exposed(config) == ()


def test_the_examples_lines_in_comments_are_right_too_and_all_keys_are_there(tmp_path: Path):
    text = re.sub(r"^( *)# (?=[a-z_]+: )", r"\1", EXAMPLE.read_text(), flags=re.MULTILINE)
    config = load(written(tmp_path, text), {}, installed)
    for section in config.channels.values():
        assert section.error is None
        assert set(installed(section.type).__struct_fields__) <= set(section.lines)
    assert {"type", "replies"} <= set(config.channels["twitter"].lines)
    assert (config.journal, config.templates) != (None, None)


def test_importing_the_config_imports_no_sdk_and_nothing_for_the_screen():
    heavy = (
        "{'tweepy', 'facebook', 'requests', 'rich', 'typer', 'ssl', 'email', 'platformdirs', 'difflib', 'subprocess'}"
    )
    code = f"import sys, outagecast.config; print({heavy} & set(sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "set()\n"
