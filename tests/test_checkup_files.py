"""What `check` says of the config, of the journal, and of the disk that it lies on."""

from __future__ import annotations

import os
import sqlite3
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import pytest

from outagecast import registry
from outagecast.channel import Finding, Level
from outagecast.checkup import check, config_file, journal_file
from outagecast.checkup.disk import Mount, network_disk
from outagecast.config import load
from outagecast.journal.schema import MIGRATIONS

if TYPE_CHECKING:
    from collections.abc import Callable

    from night import Night

# --- config


def of_config(night: Night) -> list[Finding]:
    config = load(night.config, night.env, registry.settings_of)
    opened = {name: registry.open_channel(config, section) for name, section in config.channels.items()}
    return list(config_file.findings(config, opened))


def levels(found: list[Finding]) -> list[str]:
    return [str(one.level) for one in found]


def test_a_config_without_fault_is_said_to_be_in_order(night: Night) -> None:
    night.write_config(top="own: [example.com]")
    night.config.chmod(0o600)
    assert levels(of_config(night)) == ["good"]


def test_what_others_need_and_is_missing_is_a_warning(night: Night) -> None:
    night.config.write_text(f"organization: Example\nchannels:\n{night.email()}")
    night.config.chmod(0o600)
    found = of_config(night)
    assert levels(found) == ["warning", "warning"]
    assert ["own:" in found[0].text, "support:" in found[1].text] == [True, True]


@pytest.mark.parametrize(
    ("mode", "folder", "expected"),
    [
        (0o600, 0o755, ["good"]),
        (0o644, 0o755, ["warning"]),  # a secret is written out in it
        (0o660, 0o755, ["warning", "warning"]),
        (0o602, 0o755, ["bad", "warning"]),
        (0o600, 0o777, ["bad"]),
        (0o600, 0o1777, ["good"]),
    ],
)
def test_who_else_may_read_or_change_the_config(night: Night, mode: int, folder: int, expected: list[str]) -> None:
    channels = night.twitter().replace("${TWITTER_API_KEY}", "written-out-0815")
    night.write_config(channels, top="own: [example.com]")
    night.config.chmod(mode)
    night.folder.chmod(folder)
    found = of_config(night)
    assert levels(found) == expected
    assert all(one.do.startswith("chmod ") for one in found if one.level is not Level.GOOD)
    assert "written-out-0815" not in str(found)


def test_a_folder_further_up_is_enough_to_put_another_config_there(night: Night) -> None:
    night.write_config(top="own: [example.com]")
    below = night.folder / "etc" / "outagecast"
    below.mkdir(parents=True)
    night.config = night.config.rename(below / "outagecast.yaml")
    night.config.chmod(0o600)
    below.parent.chmod(0o777)
    (bad,) = of_config(night)
    assert (bad.level, bad.do) == (Level.BAD, f"chmod go-w {below.parent}")


def test_a_config_of_somebody_else_is_told(night: Night) -> None:
    night.write_config(top="own: [example.com]")
    night.config.chmod(0o600)
    if os.geteuid():
        pytest.skip("only root may give a file away")
    os.chown(night.config, 4711, 4711)
    (warned,) = of_config(night)
    assert (warned.level, "belongs to somebody else" in warned.text) == (Level.WARNING, True)


@pytest.mark.parametrize(
    ("source", "mode", "expected"),
    [
        ("file:key", 0o600, ["good"]),
        ("file:key", 0o640, ["warning"]),
        ("file:key", 0o666, ["bad"]),
        ("file:missing", 0o600, ["good"]),
        ("command:./key argument", 0o700, ["good"]),
        ("command:./key argument", 0o757, ["bad"]),
        ("command:cat key", 0o600, ["good"]),
        ("command:no-such-program", 0o600, ["good"]),
    ],
)
def test_who_else_may_read_or_change_where_a_secret_comes_from(
    night: Night, source: str, mode: int, expected: list[str]
) -> None:
    night.write_config(night.twitter().replace("${TWITTER_API_KEY}", f"${{{source}}}"), top="own: [example.com]")
    night.config.chmod(0o600)
    (night.folder / "key").write_text("echo s")
    (night.folder / "key").chmod(mode)
    found = of_config(night)
    assert levels(found) == expected
    assert all(one.do.startswith("chmod ") and "key" in one.do for one in found if one.level is not Level.GOOD)


def test_a_config_that_is_changed_where_it_really_lies_is_found_behind_a_link(night: Night) -> None:
    night.write_config(top="own: [example.com]")
    night.config.chmod(0o600)
    (night.folder / "public").mkdir()
    real = night.config.rename(night.folder / "public" / "real.yaml")
    real.parent.chmod(0o777)
    night.config.symlink_to(real)
    assert "bad" in levels(of_config(night))


@pytest.mark.parametrize(
    ("channels", "named"), [("twitter", "twitter"), ("facebook-open", "facebook"), ("facebook-leave", "facebook")]
)
def test_a_channel_that_may_be_replied_to_is_named(night: Night, channels: str, named: str) -> None:
    sections = {
        "twitter": night.twitter("    replies: open"),
        "facebook-open": night.facebook("    replies: open"),
        "facebook-leave": night.facebook("    comments: leave"),
    }
    night.write_config(sections[channels] + night.email(), top="own: [example.com]")
    night.config.chmod(0o600)
    (warning,) = of_config(night)
    assert warning.level is Level.WARNING
    assert warning.text.startswith(f"{named} ")


def test_of_a_channel_that_cannot_be_used_nothing_is_said_about_replies(night: Night) -> None:
    night.write_config(night.twitter("    long: short"), top="own: [example.com]")
    night.config.chmod(0o600)
    assert levels(of_config(night)) == ["good"]


# --- journal


def of_journal(night: Night, mounts: Path = Path("/nowhere")) -> list[Finding]:
    return list(journal_file.findings(night.journal_path, night.clock.now, mounts))


def test_a_journal_that_is_not_there_yet_is_not_made_by_looking(night: Night) -> None:
    (one,) = of_journal(night)
    assert (one.level, one.text) == (Level.GOOD, f"the journal will be made at {night.journal_path}")
    assert not night.journal_path.parent.exists()


def test_a_journal_of_an_older_version_is_looked_at_and_left_as_it_is(night: Night) -> None:
    night.journal_path.parent.mkdir(mode=0o700)
    db = sqlite3.connect(night.journal_path)
    MIGRATIONS[0](db)
    db.execute("PRAGMA user_version = 1")
    db.execute(f"PRAGMA application_id = {0x6F757463}")
    db.close()
    night.journal_path.chmod(0o600)
    assert levels(of_journal(night)) == ["good"]
    db = sqlite3.connect(night.journal_path)
    assert db.execute("PRAGMA user_version").fetchone() == (1,)
    db.close()


def test_a_journal_that_is_whole_and_private_is_good_and_nothing_of_the_trial_stays(night: Night) -> None:
    with night.journal():
        pass
    assert levels(of_journal(night)) == ["good"]
    db = sqlite3.connect(night.journal_path)
    assert db.execute("SELECT count(*) FROM sqlite_master WHERE name = 'trial'").fetchone() == (0,)
    db.close()


@pytest.mark.parametrize(
    ("mode", "folder", "expected"),
    [
        (0o600, 0o755, ["good"]),
        (0o640, 0o755, ["good", "warning"]),
        (0o606, 0o755, ["good", "bad", "warning"]),
        (0o600, 0o777, ["good", "bad"]),
    ],
)
def test_who_else_may_read_or_change_the_journal(night: Night, mode: int, folder: int, expected: list[str]) -> None:
    with night.journal():
        pass
    night.journal_path.chmod(mode)
    night.journal_path.parent.chmod(folder)
    assert levels(of_journal(night)) == expected


def _damaged(path: Path) -> None:
    path.write_bytes(b"this is no database " * 200)


def _torn(path: Path) -> None:
    """Pages in the middle are lost; its header is whole."""
    with path.open("r+b") as file:
        file.seek(4096 * 3)
        file.write(b"\xff" * 4096 * 4)


def _a_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def _put_aside(path: Path) -> str:
    return f"mkdir {path.parent}/damaged-{path.name} && mv {path}* {path.parent}/damaged-{path.name}"


def test_a_journal_that_is_damaged_inside_is_put_aside_in_the_same_words_with_what_lies_beside_it(night: Night) -> None:
    with night.journal():
        pass
    _torn(night.journal_path)
    beside = night.journal_path.with_name(f"{night.journal_path.name}-wal")
    beside.touch()
    (told, *_) = of_journal(night)
    assert "look on the platforms what is out before you post again" in told.text
    assert told.do == _put_aside(night.journal_path)
    subprocess.run(["sh", "-c", told.do], check=True)
    assert not list(night.journal_path.parent.glob(f"{night.journal_path.name}*"))


def test_a_journal_that_cannot_be_used_is_shown_with_its_rights_and_its_folders(night: Night) -> None:
    with night.journal():
        pass
    _damaged(night.journal_path)
    assert of_journal(night)[0].do == _put_aside(night.journal_path)
    assert "(-rw------- of " in of_journal(night)[0].text
    assert ", its folder drwx------ of " in of_journal(night)[0].text


@pytest.mark.parametrize("spoil", [_damaged, _torn, _a_folder])
def test_a_journal_that_is_of_no_use_is_bad(night: Night, spoil: Callable[[Path], None]) -> None:
    with night.journal():
        pass
    spoil(night.journal_path)
    found = of_journal(night)
    assert found[0].level is Level.BAD
    assert found[0].do


def test_a_journal_that_somebody_writes_to_for_long_is_a_warning(night: Night) -> None:
    with night.journal():
        pass
    db = sqlite3.connect(night.journal_path, isolation_level=None)
    db.execute("BEGIN IMMEDIATE")
    assert levels(of_journal(night))[0] == "warning"
    db.close()


@pytest.mark.parametrize("place", ["/proc/outagecast/journal.db", "/dev/null/journal.db"])
def test_a_place_where_no_journal_can_be_made_says_whose_it_is(night: Night, place: str) -> None:
    night.journal_path = Path(place)
    bad = of_journal(night)[0]
    assert bad.level is Level.BAD
    assert "and you are " in bad.text


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_journal_that_may_only_be_read_is_bad(night: Night) -> None:
    with night.journal():
        pass
    night.journal_path.chmod(0o400)
    bad = of_journal(night)[0]
    assert bad.level is Level.BAD
    assert "(-r-------- of " in bad.text


@pytest.mark.parametrize(
    ("megabytes", "expected"),
    [(5_000, []), (200, []), (199, ["warning"]), (20, ["warning"]), (19, ["bad"]), (0, ["bad"])],
)
def test_a_disk_that_is_nearly_full_is_told(megabytes: int, expected: list[str]) -> None:
    assert levels(list(journal_file.space(Path("/var"), megabytes * 1_000_000))) == expected


MOUNTS = r"""
/dev/sda1 / ext4 rw 0 0
files.example.com:/export /home nfs4 rw 0 0
//NAS.example.com/share /srv/a\040b cifs rw 0 0
ann@box.example.com:/home/ann /mnt/far fuse.sshfs rw 0 0
[2001:db8::5]:/v6 /mnt/six nfs rw 0 0
gv0 /mnt/g fuse.glusterfs rw 0 0
/dev/sdb1 /home/local xfs rw 0 0
tmpfs /mnt/over tmpfs rw 0 0
over.example.com:/x /mnt/over nfs rw 0 0
broken
"""


@pytest.mark.parametrize(
    ("path", "disk"),
    [
        ("/var/journal.db", None),
        ("/home/ann/journal.db", Mount("nfs4", "files.example.com")),
        ("/home/local/journal.db", None),
        ("/homestead/journal.db", None),
        ("/srv/a b/journal.db", Mount("cifs", "nas.example.com")),
        ("/mnt/far/journal.db", Mount("fuse.sshfs", "box.example.com")),
        ("/mnt/six/journal.db", Mount("nfs", "2001:db8::5")),
        ("/mnt/g/journal.db", Mount("fuse.glusterfs", "")),
        ("/mnt/over/journal.db", Mount("nfs", "over.example.com")),
    ],
)
def test_a_network_disk_and_its_host_are_recognised(tmp_path: Path, path: str, disk: Mount | None) -> None:
    table = tmp_path / "mounts"
    table.write_text(MOUNTS)
    assert network_disk(Path(path), table) == disk
    assert network_disk(Path(path), tmp_path / "none") is None


def test_a_journal_on_a_network_disk_is_warned_about_and_its_host_counts(night: Night) -> None:
    table = night.folder / "mounts"
    table.write_text(f"/dev/sda1 / ext4 rw 0 0\n127.0.0.9:/x {night.folder.resolve()} nfs4 rw 0 0\n")
    assert levels(of_journal(night, table)) == ["good", "warning"]
    config = load(night.config, night.env, registry.settings_of)
    ours = msgspec.structs.replace(config, own=("127.0.0.9/32",), channels={})
    found = check(ours, {}, night.journal_path, now=night.clock.now, names=night.names(), env={}, mounts=table)
    assert any(one.text.startswith("the journal's disk: 127.0.0.9 is inside") for one in found)
