"""The looks of `check`: all at once, each bounded, none in another's way; and what config, journal and disk say."""

from __future__ import annotations

import os
import signal
import sqlite3
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import msgspec
import pytest

from outagecast import registry
from outagecast.channel import Capabilities, Finding, Level, ReplyControl
from outagecast.checkup import check, config_file, journal_file
from outagecast.checkup.disk import Mount, network_disk
from outagecast.checkup.looks import Look, all_findings
from outagecast.config import load
from outagecast.errors import Refused
from outagecast.journal.schema import MIGRATIONS
from outagecast.model import LeastReplies
from outagecast.names import UnansweredError
from outagecast.registry import Opened

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from night import Night

    from outagecast.config import Config

# --- looks


@pytest.fixture
def gate() -> Iterator[threading.Event]:
    """What hangs until the test is over."""
    event = threading.Event()
    yield event
    event.set()


def good(text: str = "fine", subject: str = "a") -> Finding:
    return Finding(subject, Level.GOOD, text)


def run(*looks: Look, mask: Callable[[str], str] = str) -> list[tuple[str, str, str]]:
    return [(one.channel, one.level, one.text) for one in all_findings(looks, mask)]


def test_a_look_that_hangs_keeps_what_it_found_and_holds_no_other_up(gate: threading.Event) -> None:
    def hangs() -> Iterator[Finding]:
        yield good("found before")
        gate.wait()
        yield good("never seen")

    looks = (Look("a", hangs, 0.3), Look("b", lambda: [good()], 60), Look("c", hangs, 0.3))
    began = time.monotonic()
    found = run(*looks)
    assert time.monotonic() - began < 20
    assert [one[:2] for one in found] == [("a", "good"), ("a", "bad"), ("b", "good"), ("c", "good"), ("c", "bad")]
    assert "did not end within" in found[1][2]


def test_looks_go_on_at_the_same_time(gate: threading.Event) -> None:
    meet = threading.Barrier(4)

    def waits() -> list[Finding]:
        meet.wait(10)
        return [good()]

    assert [one[1] for one in run(*(Look(str(n), waits, 20) for n in range(4)))] == ["good"] * 4


def test_an_interrupt_ends_the_waiting_at_once_with_what_is_known(gate: threading.Event) -> None:
    def hangs() -> Iterator[Finding]:
        yield good("found before")
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)
        gate.wait()

    began = time.monotonic()
    assert run(Look("a", hangs, 60)) == [("a", "good", "found before"), ("a", "bad", "interrupted before its end")]
    assert time.monotonic() - began < 20


def _exits() -> list[Finding]:
    sys.exit(3)


def _raises() -> Iterator[Finding]:
    yield good()
    raise KeyError("lost")


def _refuses() -> list[Finding]:
    raise Refused("no key", hint="put it there")


def _returns_nonsense() -> Any:
    return ["no finding"]


def _returns_no_level() -> Any:
    return [Finding("a", "dreadful", "x")]  # type: ignore[arg-type]  # on purpose


def _returns_nothing() -> Any:
    return None


@pytest.mark.parametrize(
    ("ask", "said"),
    [
        (_exits, "SystemExit"),
        (_raises, "KeyError"),
        (_refuses, "no key"),
        (_returns_nonsense, "AttributeError"),
        (_returns_no_level, "dreadful"),
        (_returns_nothing, "TypeError"),
    ],
)
def test_whatever_a_stranger_raises_is_a_finding_and_touches_no_other(ask: Callable[[], Any], said: str) -> None:
    found = run(Look("a", ask, 20), Look("b", lambda: [good()], 20))
    assert found[-2][:2] == ("a", "bad")
    assert said in found[-2][2]
    assert found[-1] == ("b", "good", "fine")


def test_findings_are_masked_and_come_under_their_own_name() -> None:
    look = Look("a", lambda: [Finding("somebody else", Level.BAD, "key s3same", "try s3same")], 20)
    (one,) = all_findings([look], lambda text: text.replace("s3same", "***"))
    assert one == Finding("a", Level.BAD, "key ***", "try ***")


def test_what_two_looks_have_to_say_alike_is_said_once() -> None:
    same = [Finding("a", Level.BAD, "no key", "put it there")] * 2
    assert run(Look("a", lambda: same, 20), Look("a", lambda: same, 20)) == [("a", "bad", "no key")]


# --- channels, through the door


class Buoy:
    """A stranger's channel that has everything there is to look at."""

    caps: ClassVar = Capabilities(replies=ReplyControl.NATIVE)
    endpoints = ("127.0.0.1",)
    name = "buoy"

    def __init__(self) -> None:
        self.did: list[str] = []

    def check(self) -> Iterator[Finding]:
        self.did.append("check")
        yield good("keys")

    def check_names(self, names: Any) -> Iterator[Finding]:
        with pytest.raises(UnansweredError):
            names.texts("example.net")
        yield good("names")

    def rehearse(self) -> Iterator[Finding]:
        self.did.append("rehearse")
        yield Finding("", Level.BAD, "it went live")

    def close(self) -> None:
        self.did.append("close")
        raise OSError("already gone")


def looked(night: Night, config: Config, *channels: Opened, live: bool = False, patience: float = 30) -> list[Finding]:
    opened = {one.name: one for one in channels}
    sections = {one.name: config.channels["email"] for one in channels}
    config = msgspec.structs.replace(config, channels=sections)
    return check(
        config,
        opened,
        night.journal_path,
        now=night.clock.now,
        names=night.names(),
        env={},
        live=live,
        patience=patience,
    )


@pytest.fixture
def config(night: Night) -> Config:
    return load(night.config, night.env, registry.settings_of)


@pytest.mark.parametrize("live", [False, True])
def test_a_channel_is_checked_asked_for_its_names_and_rehearsed_only_when_told(
    night: Night, config: Config, live: bool
) -> None:
    buoy = Buoy()
    found = looked(night, config, Opened("buoy", "buoy", LeastReplies.CLOSED, buoy), live=live)  # type: ignore[arg-type]  # what is used of it
    mine = [one.text for one in found if one.channel == "buoy"]
    assert mine == (["keys", "it went live", "names"] if live else ["keys", "names"])
    assert buoy.did == (["check", "rehearse", "close"] if live else ["check", "close"])


def test_a_channel_that_cannot_be_used_is_bad_and_says_why(night: Night, config: Config) -> None:
    refused = Opened("buoy", "buoy", LeastReplies.OPEN, error=Refused("no such type", hint=""))
    (bad,) = [one for one in looked(night, config, refused) if one.channel == "buoy"]
    assert (bad.level, bad.text) == (Level.BAD, "no such type")
    assert bad.do


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
    assert levels(of_journal(night))[0] == "bad"


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


def test_a_journal_on_a_network_disk_is_warned_about_and_its_host_counts(night: Night, config: Config) -> None:
    table = night.folder / "mounts"
    table.write_text(f"/dev/sda1 / ext4 rw 0 0\n127.0.0.9:/x {night.folder.resolve()} nfs4 rw 0 0\n")
    assert levels(of_journal(night, table)) == ["good", "warning"]
    ours = msgspec.structs.replace(config, own=("127.0.0.9/32",), channels={})
    found = check(ours, {}, night.journal_path, now=night.clock.now, names=night.names(), env={}, mounts=table)
    assert any(one.text.startswith("the journal's disk: 127.0.0.9 is inside") for one in found)
