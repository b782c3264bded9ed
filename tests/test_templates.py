"""Which template speaks, what it may use, and what is said where something is missing."""

from __future__ import annotations

import subprocess
import sys
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from template_kit import AT, facts, filled, written, wrong

from outagecast.errors import UsageError
from outagecast.model import Kind, Status
from outagecast.templates import applies, names, variables
from outagecast.templates.facts import said

if TYPE_CHECKING:
    from pathlib import Path

LATER = {"eta": AT + timedelta(hours=1)}


class TestVariables:
    def test_everything_behind_the_first_equals_sign_is_the_value(self):
        assert variables(["service=DNS", "query= a=b "]) == {"service": "DNS", "query": "a=b"}

    def test_an_empty_value_counts_as_not_given(self):
        assert variables(["service=DNS", "cause="]) == {"service": "DNS"}

    @pytest.mark.parametrize(
        ("pairs", "why"),
        [
            (["service"], "has no ="),
            (["=DNS"], "a letter first"),
            (["my-service=DNS"], "letters, digits and _"),
            (["1=DNS"], "a letter first"),
            (["\u0661=DNS"], "a letter first"),
            (["a=1", "a=2"], "twice"),
            (["message=x"], "a meaning already"),
            (["channel=x"], "a meaning already"),
            (["loop=x"], "a meaning already"),
        ],
    )
    def test_what_cannot_be_used_is_refused(self, pairs: list[str], why: str):
        with pytest.raises(UsageError, match=why) as caught:
            variables(pairs)
        assert "--var " in caught.value.hint

    def test_no_fact_can_be_overwritten(self):
        for name in {*said(facts()), "channel", "channel_type"}:
            with pytest.raises(UsageError, match="a meaning already"):
                variables([f"{name}=x"])


class TestChoice:
    ORDER = ("base_of_identified__x-eu", "base_of_identified__twitter", "base_of_identified")
    ORDER += ("base__x-eu", "base__twitter", "base")

    @pytest.mark.parametrize("start", range(len(ORDER)))
    def test_the_most_specific_file_speaks(self, tmp_path: Path, start: int):
        """The name with the status before the name alone; the channel's own before its type's before all's."""
        filled(tmp_path, **{name: f"says {name}" for name in self.ORDER[start:]}, other="never")
        known = facts(status=Status.IDENTIFIED)
        said = written(tmp_path, "base", known)
        assert said.on.get("x-eu", said.words) == f"says {self.ORDER[start]}"

    def test_a_status_that_was_not_given_speaks_not(self, tmp_path: Path):
        filled(tmp_path, base="for all", base_of_identified="identified")
        assert written(tmp_path, "base").words == "for all"
        assert written(tmp_path, "base", facts(status=Status.MONITORING)).words == "for all"

    def test_another_file_is_told_even_where_it_says_the_same(self, tmp_path: Path):
        filled(tmp_path, base="down", base__email="down", base__page="all down")
        said = written(tmp_path, "base")
        assert (said.words, said.on) == ("down", {"email": "down", "page": "all down"})

    def test_one_file_may_say_something_else_on_one_type_of_channel(self, tmp_path: Path):
        filled(tmp_path, base="{{ message }}{% if channel_type == 'facebook' %} ({{ channel }}){% endif %}")
        said = written(tmp_path, "base")
        assert (said.words, said.on) == ("fiber cut", {"page": "fiber cut (page)"})

    def test_the_users_folder_is_searched_wholly_before_the_built_in_set(self, tmp_path: Path):
        filled(tmp_path, opened="ours")
        said = written(tmp_path, "opened")
        assert (said.words, said.on) == ("ours", {})

    def test_a_file_for_one_channel_leaves_the_others_the_built_in_one_where_that_is_named(self, tmp_path: Path):
        filled(tmp_path, opened__email="ours by mail")
        said = written(tmp_path, "opened", service="DNS")
        assert said.on == {"email": "ours by mail"}
        assert said.words.startswith("A disruption is affecting DNS.")

    def test_by_kind_the_built_in_set_stays_silent(self, tmp_path: Path):
        """A plain `post` says what was typed, unless the user's own files say otherwise."""
        filled(tmp_path, opened__email="ours by mail")
        said = written(tmp_path)
        assert (said.words, said.on) == ("fiber cut", {"email": "ours by mail"})

    def test_a_file_for_one_channel_only_needs_a_message_for_the_others(self, tmp_path: Path):
        filled(tmp_path, power__email="no power")
        error = wrong(tmp_path, "power", facts(None))
        assert "no message for the others" in error.text
        assert error.hint == 'type the same again with --template power "fiber cut, ETA 1h", or add a file power.j2'

    @pytest.mark.parametrize("name", ["update", "update-monitoring", "opened", "correction"])
    def test_the_words_for_another_kind_are_refused(self, tmp_path: Path, name: str):
        error = wrong(tmp_path, name, facts(kind=Kind.RESOLVED))
        assert "the end of an incident (`resolve`)" in error.text
        assert error.hint == "type the same again with --template resolved"

    def test_a_name_that_only_begins_like_a_kind_is_the_users_own(self, tmp_path: Path):
        filled(tmp_path, update_of_power="ours")
        assert written(tmp_path, "update-power").words == "ours"

    def test_a_channel_may_have_dots_in_its_name(self, tmp_path: Path):
        (tmp_path / "base.x.eu.j2").write_text("there")
        said = written(tmp_path, "base", channels={"x.eu": "twitter", "x": "twitter"})
        assert said.on == {"x.eu": "there"}

    def test_includes_are_looked_for_in_the_folder_and_then_in_the_built_in_set(self, tmp_path: Path):
        filled(tmp_path, base="{% include '_sign.j2' %}\n\n{% include '_short.j2' %}", _sign="Ours", _short="also ours")
        assert written(tmp_path, "base").words == "Ours\nalso ours"
        (tmp_path / "_short.j2").unlink()
        assert written(tmp_path, "base", facts(**LATER)).words == "Ours\nWe expect full service by 15:05 UTC."

    def test_a_link_to_a_file_elsewhere_is_a_template(self, tmp_path: Path):
        (tmp_path / "shared").write_text("shared words")
        (tmp_path / "base.j2").symlink_to(tmp_path / "shared")
        assert written(tmp_path, "base").words == "shared words"


class TestApplies:
    @pytest.mark.parametrize("file", ["opened.j2", "opened.email.j2", "opened-identified.j2"])
    def test_a_file_for_the_kind_or_its_status_if_only_for_one_channel(self, tmp_path: Path, file: str):
        (tmp_path / file).touch()
        assert applies(tmp_path, Kind.OPENED, Status.IDENTIFIED)
        assert not applies(tmp_path, Kind.UPDATE, Status.IDENTIFIED)

    @pytest.mark.parametrize("file", ["opened-monitoring.j2", "opened.txt", "open.j2", "opened.j2~", ".opened.j2"])
    def test_nothing_else_counts(self, tmp_path: Path, file: str):
        (tmp_path / file).touch()
        assert not applies(tmp_path, Kind.OPENED, Status.IDENTIFIED)

    def test_a_folder_that_is_not_there_has_none(self, tmp_path: Path):
        assert not applies(None, Kind.OPENED, None)
        assert not applies(tmp_path / "nowhere", Kind.OPENED, None)

    def test_a_folder_that_cannot_be_read_is_no_empty_one(self, tmp_path: Path):
        (tmp_path / "file").touch()
        with pytest.raises(UsageError, match="file: Not a directory") as caught:
            applies(tmp_path / "file", Kind.OPENED, None)
        assert "templates:" in caught.value.hint

    def test_neither_it_nor_the_import_pays_for_jinja2(self, tmp_path: Path):
        (tmp_path / "opened.j2").touch()
        code = (
            "import pathlib, sys; from outagecast import templates; from outagecast.model import Kind\n"
            "print(templates.applies(pathlib.Path(sys.argv[1]), Kind.OPENED, None), list(templates.names(None)))\n"
            "print({'jinja2', 'markupsafe', 'difflib'} & set(sys.modules))"
        )
        done = subprocess.run([sys.executable, "-c", code, tmp_path], capture_output=True, text=True, check=True)
        assert done.stdout == "True ['correction', 'opened', 'resolved', 'update']\nset()\n"


class TestMissing:
    def test_a_variable_is_asked_for_with_the_whole_command(self, tmp_path: Path):
        filled(tmp_path, power="{{ site }}: {{ service }}{% if cause is defined %}, {{ cause }}{% endif %}")
        error = wrong(tmp_path, "power", given={"site": "Bonn 2"})
        assert error.text == "the template power needs --var service=… (it takes cause)"
        assert error.hint == "type the same again with --template power --var 'site=Bonn 2' --var service=…"

    def test_by_kind_the_command_names_no_template(self, tmp_path: Path):
        filled(tmp_path, update="{{ service }}")
        error = wrong(tmp_path, None, facts(None, Kind.UPDATE))
        assert error.hint == "type the same again with --var service=…"

    def test_it_is_found_where_only_one_channel_uses_it(self, tmp_path: Path):
        filled(tmp_path, power="no power", power__email="no power at {{ site }}")
        assert "--var site=…" in wrong(tmp_path, "power").text

    def test_a_misspelt_fact_is_recognized(self, tmp_path: Path):
        filled(tmp_path, power="{{ mesage }}")
        assert wrong(tmp_path, "power").text.endswith("or is message meant, in power.j2?")

    def test_a_variable_that_is_used_nowhere_is_a_typing_error(self, tmp_path: Path):
        filled(tmp_path, power="no power{% if cause is defined %}: {{ cause }}{% endif %}")
        error = wrong(tmp_path, "power", given={"cuase": "a storm"})
        assert error.text == "the template power does not use --var cuase; it takes cause"
        assert error.hint == "type the same again with --template power --var 'cause=a storm'"

    def test_a_variable_that_only_an_absent_channel_or_an_include_uses_is_none(self, tmp_path: Path):
        filled(tmp_path, power="no power{% include '_more.j2' %}", _more="{{ more }}", power__mastodon="{{ toot }}")
        assert written(tmp_path, "power", more="!", toot="x").words == "no power!"

    def test_with_an_include_that_only_rendering_knows_every_variable_may_be_used(self, tmp_path: Path):
        filled(tmp_path, power="{% include '_' ~ kind ~ '.j2' %}", _opened="{{ more }}")
        assert written(tmp_path, "power", more="no power", less="x").words == "no power"

    @pytest.mark.parametrize("name", ["../../etc/passwd", "/etc/passwd", "", "opened.j2", "nothing", "a b", "x\n"])
    def test_a_name_that_no_file_has_is_told_with_those_that_there_are(self, tmp_path: Path, name: str):
        filled(tmp_path, power="no power")
        error = wrong(tmp_path, name)
        assert "there are: correction, opened, power, resolved, update" in error.text
        assert error.hint.startswith("type the same again with --template")

    def test_the_name_that_was_probably_meant_is_in_the_hint(self):
        assert wrong(None, "opend").hint == "type the same again with --template opened"

    def test_a_template_for_another_status_says_for_which(self, tmp_path: Path):
        filled(tmp_path, power_of_identified="found")
        error = wrong(tmp_path, "power")
        assert error.text == "the template power has words for --status identified only"
        assert error.hint.startswith("type the same again with --template power --status identified, or")

    def test_names_say_where_each_is_from(self, tmp_path: Path):
        filled(tmp_path, opened="x", power_of_identified="x", _part="x", rack__email="x")
        known = names(tmp_path)
        assert known == {
            "correction": "built in",
            "opened": "yours",
            "power": "yours",
            "rack": "yours",
            "resolved": "built in",
            "update": "built in",
        }
