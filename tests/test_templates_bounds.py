"""A template can neither reach out of itself nor keep the night waiting; its mistakes are told with file and line."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from template_kit import CHANNELS, filled, written, wrong

from outagecast.templates import problems
from outagecast.templates.bounds import MOST, MOST_STEPS

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    "text",
    [
        "{{ ''.__class__.__mro__ }}",
        "{{ cycler.__init__.__globals__ }}",
        "{{ joiner['__init__']['__globals__'] }}",
        "{{ self.__init__ }}",
        "{{ message['__class__'] }}",
        "{{ range.mro() }}",
        "{{ [''] | map(attribute='__class__') | first }}",
        "{{ '{0.__class__}'.format(message) }}",
        "{{ '{a.__class__}'.format_map({'a': message}) }}",
        "{{ message.format }}",
        "{% set f = message.format %}{{ f() }}",
        "{{ taken_back.append('x') }}",
        "{{ '%1000000000d' % 1 }}",
        "{{ lipsum(9) }}",
        "{{ message | attr('upper') }}",
        "{{ message | random }}",
    ],
)
def test_what_reaches_out_is_refused(text: str, tmp_path: Path):
    filled(tmp_path, base=text)
    error = wrong(tmp_path, "base")
    assert "base.j2, line 1: " in error.text or "needs --var lipsum" in error.text
    assert "type the same again" in error.hint or error.hint.startswith("mend it, or do without it: mv ")


@pytest.mark.parametrize(
    "text",
    [
        "{{ 10**(10**10) }}",
        "{{ 2**-1 * 10**4000 * 10**4000 }}",
        "{{ 'x' * 10**9 }}",
        "{{ 10**9 * [message] }}",
        "{{ 'x'.ljust(10**9) }}",
        "{{ message.center(1000000000) }}",
        "{{ range(10**9) | join }}",
        "{% for a in range(9999) %}{% for b in range(9999) %}{% endfor %}{% endfor %}",
        "{% for a in message %}" * 8 + "{% endfor %}" * 8,
        "{% for a in message recursive %}{{ loop(message) }}{% endfor %}",
        "{% macro f(n) %}{% if n %}{{ f(n - 1) }}{{ f(n - 1) }}{% endif %}{% endmacro %}{{ f(60) }}",
        "{% macro f(n) %}{{ f(n) }}{% endmacro %}{{ f(1) }}",
        "{% set s = 'x' * 40000 %}" + "{% set s = s ~ s %}" * 30,
        "{% set s = 'x' * 40000 %}" + "{% set s = s + s %}" * 30,
        "{% set s = 'x' * 40000 %}" + "{% set s %}{{ s }}{{ s }}{% endset %}" * 30,
        "{% macro f(s) %}{{ s }}{{ s }}{% endmacro %}{% set s = 'x' * 40000 %}" + "{% set s = f(s) %}" * 30,
        "{% for n in range(40) %}{{ 'x' * 40000 }}{% endfor %}",
        "{% include 'base.j2' %}",
        "{% extends 'base.j2' %}",
        "{{ " + "9" * 5000 + " }}",
    ],
    ids=lambda text: text[:50],
)
def test_what_would_never_end_or_never_fit_is_refused(text: str, tmp_path: Path):
    filled(tmp_path, base=text)
    error = wrong(tmp_path, "base")
    assert "base.j2" in error.text
    assert error.hint == f"mend it, or do without it: mv {tmp_path}/base.j2 {tmp_path}/base.j2.off"


def test_what_is_large_but_not_too_large_is_said(tmp_path: Path):
    filled(
        tmp_path,
        base="{% for n in range(" + str(MOST_STEPS - 1) + ") %}x{% endfor %}",
        long="{{ 'x' * " + str(MOST) + " }}",
    )
    assert len(written(tmp_path, "base").words) == MOST_STEPS - 1
    assert len(written(tmp_path, "long").words) == MOST


def test_each_rendering_counts_for_itself(tmp_path: Path):
    filled(tmp_path, base="{% for n in range(" + str(MOST_STEPS - 1) + ") %}x{% endfor %}{{ channel }}")
    assert len(written(tmp_path, "base").on) == len(CHANNELS)


def test_what_people_need_of_the_language_is_there(tmp_path: Path):
    filled(
        tmp_path,
        base="{% from '_list.j2' import listed %}"
        "{% set comma = joiner(', ') %}{% for one in ['a', 'b'] %}{{ comma() }}{{ loop.index }}/{{ loop.length }}{% endfor %}"
        "{{ ' ' ~ message | replace('cut', 'torn') | upper }} {{ listed(['x', 'y']) }} {{ 7 // 2 + 2 * 3 % 4 }}"
        "{{ ' late' if eta }}",
        _list="{% macro listed(items) %}{% for item in items %}({{ item }}){% endfor %}{% endmacro %}",
    )
    assert written(tmp_path, "base").words == "1/2, 2/2 FIBER TORN (x)(y) 5"


@pytest.mark.parametrize(
    ("text", "line", "what"),
    [
        ("fine\n{{ message", 2, "unexpected end of template"),
        ("fine\n\n{% if message %}", 3, "Unexpected end of template"),
        ("fine\n{{ message | shout }}", 2, "there is no filter shout; there are capitalize, d,"),
        ("{% if eta %}\n{{ message | shout }}{% endif %}", 2, "there is no filter shout"),
        ("\n{% for a in message recursive %}x{% endfor %}", 2, "loops are not recursive here"),
        ("{% if eta %}\n{{ message is loud }}{% endif %}", 2, "there is no test loud"),
        ("{{ message }}\n{{ message + 1 }}", 2, 'can only concatenate str (not "int") to str'),
        ("\n{{ 1 // 0 }}", 2, "division"),
        ("\n\n{{ message.title.text }}", 3, "has no attribute 'text'"),
        ("{% macro f(a) %}\n{{ a }}{% endmacro %}\n{{ f() }}", 2, "parameter 'a' was not provided"),
        ("\n{{ taken_back }}", 2, "it would print a list; only texts and numbers can be printed"),
        ("\n{{ message is defined }}", 2, "it would print true or false"),
        ("\n{{ none }}", 2, "it would print nothing"),
        ("{{ 'a' ~ taken_back }}", 1, "it would print a list"),
        ("\n{{ message.upper }}", 2, "it would print builtin_function_or_method"),
        ("\n{% include 'nothing.j2' %}", 2, "it includes nothing.j2, and no template has that name"),
        ("\n{% include '../../etc/passwd' %}", 2, "it includes ../../etc/passwd, and no template has that name"),
        ("\n{% include '/etc/passwd' %}", 2, "no template has that name"),
    ],
)
def test_a_mistake_is_told_with_its_file_and_line(text: str, line: int, what: str, tmp_path: Path):
    filled(tmp_path, base=text)
    error = wrong(tmp_path, "base")
    assert error.text.startswith(f"{tmp_path}/base.j2, line {line}: ")
    assert what in error.text


def test_a_mistake_in_an_include_is_told_with_the_includes_file(tmp_path: Path):
    filled(tmp_path, base="{% include '_part.j2' %}", _part="\n\n{{ 1 // 0 }}")
    assert wrong(tmp_path, "base").text.startswith(f"{tmp_path}/_part.j2, line 3: ")


@pytest.mark.parametrize("name", ["base", "_part"])
def test_what_cannot_be_read_is_told(name: str, tmp_path: Path):
    filled(tmp_path, base="{% include '_part.j2' %}", _part="x")
    file = tmp_path / f"{name}.j2"
    file.write_bytes(b"Stra\xdfe")
    assert wrong(tmp_path, "base").text == f"{file}: it is not UTF-8 (byte 5)"
    file.unlink()
    file.mkdir()
    assert wrong(tmp_path, "base").text == f"{file}: it cannot be read: Is a directory"


def test_a_byte_order_mark_and_the_line_ends_of_windows_are_no_mistake(tmp_path: Path):
    filled(tmp_path, base="begin\n{% include '_part.j2' %}")
    (tmp_path / "_part.j2").write_bytes(b"\xef\xbb\xbfa\r\nb\r\n")
    assert written(tmp_path, "base").words == "begin\na\nb"


class TestProblems:
    def test_a_folder_in_order_has_none(self, tmp_path: Path):
        filled(tmp_path, opened="{% include '_a.j2' %}", _a="a", update_of_identified__page="b", post_of_mortem="c")
        for other in ("README.md", ".opened.j2.swp", "opened.j2~", "notes.txt"):
            (tmp_path / other).touch()
        filled(tmp_path, connection="{% include 'nothing.j2' ignore missing %}{% include x %}", rack__twitter="d")
        assert list(problems(tmp_path, CHANNELS)) == []
        assert list(problems(None)) == []

    @pytest.mark.parametrize(
        ("file", "meant"),
        [
            ("opend.j2", "opened.j2"),
            ("Opened.j2", "opened.j2"),
            ("post.j2", "opened.j2"),
            ("resolve.email.j2", "resolved.email.j2"),
            ("opened-identifed.j2", "opened-identified.j2"),
            ("udpate-monitoring.email.j2", "update-monitoring.email.j2"),
        ],
    )
    def test_a_misspelt_kind_or_status(self, tmp_path: Path, file: str, meant: str):
        (tmp_path / file).write_text("x")
        name = file.partition(".")[0]
        assert list(problems(tmp_path)) == [
            f"{tmp_path}/{file}: only --template {name} uses it; did you mean {meant}?",
        ]

    @pytest.mark.parametrize("file", ["opened.txt", "opened", "update-identified.md", "power.jinja2", "a b.j2", "ö.j2"])
    def test_a_name_that_no_template_has(self, tmp_path: Path, file: str):
        (tmp_path / file).write_text("{{")
        (found,) = problems(tmp_path)
        assert found.startswith(f"{tmp_path}/{file}: nothing uses it; ")

    def test_a_channel_that_the_config_has_not(self, tmp_path: Path):
        filled(tmp_path, opened__twiter="x")
        (found,) = problems(tmp_path, CHANNELS)
        assert found.endswith("opened.twiter.j2: no channel has the name or type twiter; there are email, page, x-eu")
        assert list(problems(tmp_path)) == []

    def test_what_cannot_be_parsed_included_or_read(self, tmp_path: Path):
        filled(tmp_path, a="\n{% if %}", b="\n\n{% include 'c.j2' %}", d="{{ x | shout }}", e="{{ 1 }}")
        (tmp_path / "e.j2").write_bytes(b"\xff")
        (tmp_path / "f.j2").symlink_to(tmp_path / "nowhere")
        starts = ["a.j2, line 2: Expected", "b.j2, line 3: it includes c.j2,", "d.j2, line 1: there is no filter"]
        starts += ["e.j2: it is not UTF-8", "f.j2: it cannot be read: No such file"]
        for found, start in zip(problems(tmp_path), starts, strict=True):
            assert found.startswith(f"{tmp_path}/{start}")

    def test_a_folder_that_is_not_there_or_is_none(self, tmp_path: Path):
        (tmp_path / "file").touch()
        assert list(problems(tmp_path / "x")) == [f"there is no folder {tmp_path}/x (`templates:` in the config)"]
        assert list(problems(tmp_path / "file")) == [f"the templates cannot be read: {tmp_path}/file: Not a directory"]

    def test_none_of_the_built_in_set_has_any(self):
        from outagecast.templates.files import shelves

        (built_in,) = shelves(None)
        assert list(problems(built_in.folder, {"email": "email"})) == []
