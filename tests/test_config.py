"""The config: where it is looked for, how its file is read, what it then says."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
import yaml
from config_kit import CHANNEL, GOOD, HEAD, Limits, PageSettings, Publish, loaded, mistakes, one, settings_of, written

from outagecast.config import find, load
from outagecast.errors import ConfigError
from outagecast.model import LeastReplies


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "home"))
    (tmp_path / "home/outagecast").mkdir(parents=True)
    return tmp_path


def test_the_config_is_looked_for_in_the_documented_order(home: Path):
    env = {"OUTAGECAST_CONFIG": "env.yaml"}
    users, local = home / "home/outagecast/outagecast.yaml", home / "outagecast.yaml"
    users.touch()
    assert find(None, {}, home) == users
    local.touch()
    assert find(None, {}, home) == local
    assert find(None, env, home) == home / "env.yaml"
    assert find(Path("given.yaml"), env, home) == home / "given.yaml"


def test_without_any_config_the_hint_is_the_command_that_writes_one(home: Path):
    with pytest.raises(ConfigError, match=r"outagecast\.yaml") as caught:
        find(None, {"OUTAGECAST_CONFIG": ""}, home)
    assert caught.value.hint.startswith("outagecast init")
    assert "outagecast drill" in caught.value.hint


def test_a_config_that_cannot_be_read_is_not_passed_over_for_another(home: Path):
    (home / "home/outagecast/outagecast.yaml").touch()
    (home / "outagecast.yaml").symlink_to("nowhere")
    assert find(None, {}, home) == home / "outagecast.yaml"


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (b"", "c.yaml: is empty"),
        (b"- a\n", "c.yaml: is not a mapping (`key: value` lines)"),
        (b"a: b\nc: [planted\n", "c.yaml:3:1: not valid YAML: did not find expected ',' or ']'"),
        (b"a:\n\tb: planted\n", "c.yaml:2:1: not valid YAML: found character that cannot start any token"),
        (b"a: *planted\n", "c.yaml:1:4: not valid YAML: found undefined alias"),
        (b"a: b: c\n", "c.yaml:1:5: not valid YAML: mapping values are not allowed in this context"),
        (b"a: 'planted\n", "c.yaml:2:1: not valid YAML: found unexpected end of stream"),
        (b"a: b\n---\na: c\n", "c.yaml:2:1: not valid YAML: but found another document"),
        (b"a: b\nb: planted\xff\n", "c.yaml:2:11: not UTF-8"),
        (b"a: planted\0\n", "c.yaml: holds characters that YAML does not allow"),
        (b"#" * (1024 * 1024 + 1), "c.yaml: larger than 1 MiB, so this is no config"),
    ],
)
def test_a_file_that_is_no_yaml_mapping_is_told_with_line_and_column_and_without_its_content(
    tmp_path: Path, content: bytes, text: str
):
    path = tmp_path / "c.yaml"
    path.write_bytes(content)
    with pytest.raises(ConfigError) as caught:
        load(path, {}, settings_of)
    assert caught.value.text == text
    assert caught.value.hint


@pytest.mark.parametrize(
    "content", ["a: *planted\n", "a: !planted!x y\n", "%planted 1\n--- a\n", "a: 'planted", "a: {b: planted"]
)
def test_pyyamls_own_words_repeat_nothing_of_the_file_where_libyaml_is_missing(
    tmp_path: Path, content: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("outagecast.config_yaml._LOADER", yaml.SafeLoader)
    assert "planted" not in mistakes(tmp_path, content)[0]


def test_nesting_without_end_is_an_error_and_no_crash(tmp_path: Path):
    for text in ("a: " + "[" * 500_000, "a: " + "{a: " * 99, "- " * 200_000, "? " * 200_000):
        assert mistakes(tmp_path, text) == ["c.yaml:1: nested too deeply to be a config"]


def test_a_missing_file_and_a_directory_say_so(tmp_path: Path):
    with pytest.raises(ConfigError, match=r"cannot read the config .*none\.yaml: No such file"):
        load(tmp_path / "none.yaml", {}, settings_of)
    with pytest.raises(ConfigError, match="Is a directory"):
        load(tmp_path, {}, settings_of)


def test_yaml_can_make_no_objects(tmp_path: Path):
    section = one(tmp_path, "connections: !!python/object/apply:os.getpid []\nto: !!python/tuple [a]")
    assert section.error
    assert section.error.problems == (
        "c.yaml:7: channels.one.connections: expected a whole number from 1 up to 50, not a list",
    )


def test_anchors_and_merged_mappings_work_and_own_keys_win(tmp_path: Path):
    text = HEAD + "  one: &one {type: page, page_id: 5, token: '${T}', long: refuse}\n  two: {<<: *one, page_id: 6}\n"
    config = loaded(tmp_path, text)
    assert config.channels["two"].settings == PageSettings(
        page_id="6", token=config.channels["one"].settings.token, long="refuse"
    )


@pytest.mark.parametrize("merge", ["<<: *one", "<<: 5", "<<: [5]"])
def test_a_merge_that_makes_no_sense_is_a_mistake_of_that_channel(tmp_path: Path, merge: str):
    section = loaded(tmp_path, HEAD + f"  one: &one {{type: page, {merge}}}\n").channels["one"]
    assert section.error
    assert "channels.one.<<: expected a mapping" in section.error.text


def test_everything_that_is_written_is_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("HOME", str(tmp_path / "ann"))
    text = (
        "support: https://help.example.net\nnotice: 'Help: {support} ({support})'\ntimezone: Europe/Berlin\n"
        "own: [Example.COM., 203.0.113.0/24, '2001:db8::/32', 203.0.113.7, bücher.example.org, straße.example]\n"
        "journal: ~/journal.db\nexpires: 90m\nsweep_for: 1d 2h\ntemplates: ./templates\n" + GOOD
    )
    config = loaded(tmp_path, text)
    assert (config.organization, config.support) == ("Example Hosting", "https://help.example.net")
    assert config.own == (
        "example.com",
        "203.0.113.0/24",
        "2001:db8::/32",
        "203.0.113.7/32",
        "xn--bcher-kva.example.org",
        "xn--strae-oqa.example",  # not strasse.example, which is somebody else's since 2008
    )
    assert (config.journal, config.templates) == (tmp_path / "ann/journal.db", tmp_path / "templates")
    assert (config.expires, config.sweep_for) == (timedelta(minutes=90), timedelta(hours=26))
    assert config.house.notice == "Help: https://help.example.net (https://help.example.net)"
    assert str(config.house.timezone) == "Europe/Berlin"


def test_what_is_not_written_has_its_documented_default(tmp_path: Path):
    config = loaded(tmp_path, GOOD)
    assert (config.expires, config.sweep_for) == (timedelta(hours=6), timedelta(hours=24))
    assert (config.journal, config.templates, config.own) == (None, None, ())
    assert (str(config.timezone), config.house.notice) == ("UTC", "")


def test_channels_keep_the_order_of_the_file_and_their_names_are_their_types_unless_they_say_otherwise(tmp_path: Path):
    text = HEAD + "".join(
        f"  {name}: {{page_id: 5, token: x, {rest}}}\n" for name, rest in [("z", "type: page"), ("page", "")]
    )
    config = loaded(tmp_path, text)
    assert [(each.name, each.type) for each in config.channels.values()] == [("z", "page"), ("page", "page")]


def test_a_number_is_taken_as_text_exactly_as_it_is_written(tmp_path: Path):
    for number in ("102938475610293", "0123", "1_000", "0x1F"):
        section = loaded(tmp_path, HEAD + f"  page: {{page_id: {number}, token: 0042}}\n").channels["page"]
        assert section.settings.page_id == number
        assert section.settings.token.reveal() == "0042"


def test_values_come_from_the_environment_with_the_type_of_their_key(tmp_path: Path):
    section = one(
        tmp_path,
        "connections: ${N}\nnotice: ${B:-false}\npublish: ${P}\nwait: ${W}\nto: ['${A}', b]\nlimits: {per_second: '${N}'}",
        N="12",
        P="direct",
        W="1m 30s",
        A="ann@example.org",
    )
    assert section.error is None
    settings = section.settings
    assert (settings.connections, settings.notice, settings.publish) == (12, False, Publish.DIRECT)
    assert (settings.wait, settings.to) == (timedelta(seconds=90), ("ann@example.org", "b"))
    assert settings.limits == Limits(per_second=12)


def test_a_secret_is_not_read_with_the_config_and_knows_its_place(tmp_path: Path):
    section = one(tmp_path, "relays:\n  - ${A}\n  - ${command:touch read}")
    assert section.error is None
    assert not (tmp_path / "read").exists()
    assert section.settings.relays[1].where == "c.yaml:9: channels.one.relays[1]"


def test_nothing_of_a_channel_is_read_that_nobody_asked_for(tmp_path: Path):
    path = written(tmp_path, CHANNEL + "    long: ${command:touch read}\n  two: {type: nonsense, replies: closed}\n")
    for config in (load(path, {}, None), load(path, {}, settings_of, only={"three"})):
        assert [each.error for each in config.channels.values()] == [None, None]
        assert config.channels["two"].replies is LeastReplies.CLOSED
    assert not (tmp_path / "read").exists()


def test_a_section_tells_the_place_of_each_of_its_keys(tmp_path: Path):
    section = one(tmp_path, "replies: moderated")
    assert section.place("replies") == "c.yaml:7: channels.one.replies"
    assert section.place() == "c.yaml:3: channels.one"
    assert section.place("absent") == "c.yaml:3: channels.one.absent"
