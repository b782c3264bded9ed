"""Secrets that are kept: in the keyring or in files, readable by their owner only, named so that the config finds them."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

import keyring
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from keyring_kit import Memory

from outagecast.channel import Confided, Grant, Secret
from outagecast.cli.keep import Keep, Where
from outagecast.errors import ConfigError
from outagecast.keeping import FileStore, KeyringStore, keyring_trouble, write_new
from outagecast.secrets import Vault

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PLANTED = "planted $value-for {tests}"


@pytest.fixture
def memory() -> Iterator[Memory]:
    before, mine = keyring.get_keyring(), Memory()
    keyring.set_keyring(mine)
    yield mine
    keyring.set_keyring(before)


def confided(*names: str) -> list[tuple[str, Confided]]:
    return [("twitter", Confided(name, Secret.of(PLANTED))) for name in names]


def test_what_the_keyring_keeps_the_config_reads_back(memory: Memory, tmp_path: Path):
    store = KeyringStore()
    assert store.holds("a") == ""
    store.put({"a": PLANTED})
    assert "a" in store.holds("a")
    assert Vault({}, tmp_path).secret(store.reference("a")).reveal() == PLANTED


@pytest.mark.parametrize("way", ["locked_at", "forgets"])
def test_all_secrets_are_kept_or_none(memory: Memory, way: str):
    memory.kept["outagecast", "twitter-old"] = "older"
    memory.kept["outagecast", "twitter-a"] = "replaced"
    setattr(memory, way, "twitter-b" if way == "locked_at" else True)
    keep = Keep(Where.KEYRING, KeyringStore())
    with pytest.raises(ConfigError) as caught:
        keep.write(confided("a", "b", "c"))
    assert PLANTED not in f"{caught.value.text}{caught.value.hint}{caught.value.__cause__}"
    assert memory.kept == {("outagecast", "twitter-old"): "older", ("outagecast", "twitter-a"): "replaced"}


def test_a_machine_without_a_keyring_says_so(memory: Memory):
    assert keyring_trouble() == ""
    from keyring.backends import fail

    keyring.set_keyring(fail.Keyring())
    assert keyring_trouble() == "there is none on this machine"


def test_a_file_is_its_owners_from_the_first_byte_whatever_the_umask_is(tmp_path: Path):
    before = os.umask(0)
    try:
        store = FileStore(tmp_path / "new" / "secrets", tmp_path)
        store.put({"a": PLANTED})
    finally:
        os.umask(before)
    path = tmp_path / "new" / "secrets" / "a"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [stat.S_IMODE(each.stat().st_mode) for each in path.parents[:2]] == [0o700, 0o700]
    assert store.reference("a") == "${file:new/secrets/a}"
    assert Vault({}, tmp_path).secret(store.reference("a")).reveal() == PLANTED


def test_a_link_is_replaced_and_never_written_through(tmp_path: Path):
    target = tmp_path / "somebody-elses"
    target.write_text("theirs")
    (tmp_path / "a").symlink_to(target)
    store = FileStore(tmp_path, tmp_path)
    assert store.holds("a")
    store.put({"a": PLANTED})
    assert target.read_text() == "theirs"
    assert not (tmp_path / "a").is_symlink()
    with pytest.raises(FileExistsError):
        write_new(tmp_path / "a", b"")


@pytest.mark.parametrize("fails", ["at once", "later"])
def test_all_files_are_replaced_or_none_and_what_was_there_comes_back(tmp_path: Path, fails: str):
    folder = tmp_path / "secrets"
    folder.mkdir()
    (folder / "twitter-a").write_text("older")
    (folder / "twitter-b").symlink_to("elsewhere")
    store = FileStore(folder, tmp_path)
    keep = Keep(Where.FILES, store)
    if fails == "later":
        keep.write(confided("a", "b", "c"))
        keep.undo()
    else:
        (folder / "twitter-c").mkdir()
        with pytest.raises(ConfigError, match=r"twitter-c cannot be written: .*; nothing was changed"):
            keep.write(confided("a", "b", "c"))
        (folder / "twitter-c").rmdir()
    assert sorted(path.name for path in folder.iterdir()) == ["twitter-a", "twitter-b"]
    assert (folder / "twitter-a").read_text() == "older"
    assert (folder / "twitter-b").readlink().name == "elsewhere"


def test_folders_that_were_made_for_nothing_are_taken_away(tmp_path: Path):
    keep = Keep(Where.FILES, FileStore(tmp_path / "a" / "b", tmp_path))
    keep.write(confided("x"))
    keep.undo()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("mode", [0o777, 0o770, 0o722])
def test_a_folder_that_others_may_write_to_is_not_taken(tmp_path: Path, mode: int):
    (tmp_path / "open").mkdir()
    (tmp_path / "open").chmod(mode)
    with pytest.raises(ValueError, match="others may write"):
        FileStore(tmp_path / "open", tmp_path)
    (tmp_path / "open").chmod(mode | stat.S_ISVTX)
    FileStore(tmp_path / "open", tmp_path)


@settings(max_examples=40, deadline=None)
@example(name="~")
@example(name="~root")
@given(
    name=st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=12).filter(
        lambda text: "/" not in text
    )
)
def test_a_folder_is_refused_or_the_config_finds_it(tmp_path_factory: pytest.TempPathFactory, name: str):
    base = tmp_path_factory.mktemp("base")
    try:
        store = FileStore(base / name, base)
    except ValueError:
        return
    store.put({"a": "value"})
    assert Vault({}, base).secret(store.reference("a")).reveal() == "value"


def test_the_config_says_where_each_secret_is_and_a_url_keeps_its_shape(tmp_path: Path):
    login = Confided("relay-1-password", Secret.of("p@ss:w/rd $1"), "smtp://outage:{}@smtp.example.net:587")
    grant = Grant(
        {"sender": "a$b", "subscribers": True, "relays": [login, "smtp://127.0.0.1"], "key": confided("k")[0][1]}
    )
    nowhere = Keep(Where.NOWHERE).values("mail.de", grant)
    assert nowhere["relays"] == ("smtp://outage:${MAIL_DE_RELAY_1_PASSWORD}@smtp.example.net:587", "smtp://127.0.0.1")
    assert (nowhere["sender"], nowhere["subscribers"]) == ("a$$b", True)
    written = Keep(Where.CONFIG).values("mail", grant)
    assert written["relays"] == ("smtp://outage:p%40ss%3Aw%2Frd%20%241@smtp.example.net:587", "smtp://127.0.0.1")
    assert Vault({}, tmp_path).secret(str(written["key"])).reveal() == PLANTED
    files = Keep(Where.FILES, FileStore(tmp_path / "s", tmp_path)).values("mail", grant)
    assert files["key"] == "${file:s/mail-k}"
