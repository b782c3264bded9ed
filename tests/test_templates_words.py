"""What templates know of an announcement, and how their words are set."""

from __future__ import annotations

from datetime import UTC, timedelta
from typing import TYPE_CHECKING

import pytest
from template_kit import AT, CHANNELS, facts, filled, written, wrong

from outagecast.model import Kind, Status
from outagecast.templates import write
from outagecast.templates.facts import NAMES, said

if TYPE_CHECKING:
    from pathlib import Path

LATER = {"eta": AT + timedelta(hours=1)}


class TestFacts:
    def test_every_name_is_known_and_no_other(self):
        assert {*said(facts()), "channel", "channel_type"} == set(NAMES)

    @pytest.mark.parametrize(
        ("name", "expected"),
        [
            ("message", "fiber cut, ETA 1h"),
            ("message_without_eta", "fiber cut"),
            ("kind", "resolved"),
            ("status", "monitoring"),
            ("number", "2"),
            ("organization", "Example Hosting"),
            ("time", "14:05 UTC"),
            ("time_local", "15:05 CET"),
            ("eta", "23:30 UTC"),
            ("eta_local", "23 Nov 00:30 CET"),
            ("was", "23 Nov 08:00 UTC"),
            ("was_local", "23 Nov 09:00 CET"),
            ("began", "12:08 UTC"),
            ("lasted", "1 h 57 min"),
            ("taken_back | join('; ')", "14:05 UTC: fiber cut; more"),
        ],
    )
    def test_each_is_said_in_words(self, tmp_path: Path, name: str, expected: str):
        filled(tmp_path, base="{{ " + name + " }}")
        known = facts(
            "fiber cut, ETA 1h",
            Kind.RESOLVED,
            status=Status.MONITORING,
            number=2,
            eta=AT.replace(hour=23, minute=30),
            was=AT.replace(day=23, hour=8, minute=0),
            taken_back=["14:05 UTC: fiber cut", "more"],
        )
        assert written(tmp_path, "base", known).words == expected

    def test_where_clocks_show_utc_both_times_are_alike(self, tmp_path: Path):
        filled(tmp_path, base="{{ eta }} {{ eta_local }}")
        assert written(tmp_path, "base", facts(**LATER, zone=UTC)).words == "15:05 UTC 15:05 UTC"

    def test_an_eta_that_was_missed_stays_in_the_message(self, tmp_path: Path):
        filled(tmp_path, base="{{ message_without_eta }}")
        missed = "the crew missed the ETA 13:00 UTC"
        assert written(tmp_path, "base", facts(missed)).words == missed

    @pytest.mark.parametrize("name", ["message", "support", "status", "link", "eta", "eta_local", "was", "lasted"])
    def test_what_there_is_not_is_false_equal_to_nothing_and_an_error_when_printed(self, tmp_path: Path, name: str):
        none = facts(None, support="")
        filled(
            tmp_path,
            asks=f"{{% if {name} or {name} is defined or {name} == 'x' or {name} in ['x'] %}}yes{{% else %}}no{{% endif %}}",
            prints=f"{{{{ {name} }}}}",
            falls_back=f"{{{{ {name} | default('not known') }}}} {{{{ {name} != 'x' and 'so' }}}}",
        )
        assert written(tmp_path, "asks", none).words == "no"
        assert written(tmp_path, "falls_back", none).words == "not known so"
        error = wrong(tmp_path, "prints", none)
        assert f"the template prints needs `{name}`: " in error.text
        assert (
            "type the same again with --template prints " in error.hint
            or f"{{% if {name} %}} in prints.j2" in error.hint
        )


class TestWords:
    def test_blanks_at_line_ends_and_more_than_one_empty_line_go(self, tmp_path: Path):
        filled(tmp_path, base="\n\n  down  \n\n\n \n\nsince {{ time }}\t\n\n")
        assert written(tmp_path, "base").words == "down\n\nsince 14:05 UTC"

    def test_nothing_is_escaped(self, tmp_path: Path):
        filled(tmp_path, base="{{ message }} & {{ who }}")
        assert written(tmp_path, "base", facts('<"cut">'), who="O'Neil").words == '<"cut"> & O\'Neil'

    def test_a_value_is_never_read_as_a_template(self, tmp_path: Path):
        filled(tmp_path, base="{{ message }} {{ who }}")
        assert written(tmp_path, "base", facts("{{ key }}"), who="{% x %}").words == "{{ key }} {% x %}"

    @pytest.mark.parametrize("end", ["", ".", "!", "?", "…", '."', ".)", " ", " ,", ":", " \u2013"])
    def test_a_sentence_begins_and_ends_once(self, tmp_path: Path, end: str):
        filled(tmp_path, base="{{ message | sentence }} {{ message | sentence | sentence }}")
        closed = end if end.strip(" ,:\u2013") else "."
        assert written(tmp_path, "base", facts("fiber cut" + end)).words == " ".join([f"Fiber cut{closed}"] * 2)

    @pytest.mark.parametrize(
        "name", ["eth0 is down", "iPhone", "www.example.net", "DNS", "x-eu", "1&1", "über-x", "db:primary is down"]
    )
    def test_a_name_at_the_beginning_stays_as_it_is(self, tmp_path: Path, name: str):
        filled(tmp_path, base="{{ message | sentence }}")
        assert written(tmp_path, "base", facts(name)).words == f"{name}."

    @pytest.mark.parametrize(
        ("text", "told"), [("it's back", "It's back."), ("so. far", "So. far."), ("älter", "Älter.")]
    )
    def test_a_plain_word_gets_a_capital(self, tmp_path: Path, text: str, told: str):
        filled(tmp_path, base="{{ message | sentence }}")
        assert written(tmp_path, "base", facts(text)).words == told

    def test_what_must_not_go_out_is_refused(self, tmp_path: Path):
        filled(tmp_path, base="{{ message }}{{ more }}", empty="{# nothing #}")
        error = wrong(tmp_path, "base", given={"more": "\x1b[2J"})
        assert "base.j2" in error.text
        assert "U+001B" in error.text
        assert error.hint == "take it out, or type the words anew"
        assert "empty.j2 says cannot go out" in wrong(tmp_path, "empty").text

    def test_nothing_is_written_anywhere(self, tmp_path: Path):
        filled(tmp_path, base="{{ message }}")
        before = [(path.name, path.stat().st_mtime_ns) for path in tmp_path.iterdir()]
        write(tmp_path, "base", facts(), {}, CHANNELS)
        assert [(path.name, path.stat().st_mtime_ns) for path in tmp_path.iterdir()] == before
