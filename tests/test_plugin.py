"""A stranger's package brings a channel type, through the same door as the built-in ones."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from typing import TYPE_CHECKING

import pytest

from outagecast import registry
from outagecast.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from night import Night

LOGBOOK = '''
"""A channel type that writes announcements into a file, as a stranger would write it."""
from pathlib import Path
from typing import ClassVar

import msgspec

from outagecast.channel import Capabilities, CannotTell, Limit, Post, Receipt, Replies, ReplyControl, Secret
from outagecast.text import stamp


class LogbookSettings(msgspec.Struct, frozen=True, kw_only=True):
    file: str
    pen: Secret | None = None


class Logbook:
    Settings: ClassVar = LogbookSettings
    caps: ClassVar = Capabilities(
        replies=ReplyControl.NATIVE, limits=(Limit(200, "characters", len),), can_retract=True
    )
    endpoints = ()

    def __init__(self, name, settings, house):
        self.name, self.settings, self.house = name, settings, house

    def render(self, news):
        return [Post(f"[{stamp(news)}] {self.house.organization}: {news.words}")]

    def check(self):
        return []

    def send(self, post, parent, remember):
        pen = self.settings.pen.reveal() if self.settings.pen else ""
        with Path(self.settings.file).open("a") as book:
            book.write(post.text + "\\n")
        return Receipt(post.text[:12], url=f"file://{self.settings.file}", replies=Replies.NONE)

    def find(self, post, parent, since):
        return CannotTell("read the book")

    def close_replies(self, receipt):
        return Replies.NONE

    def retract(self, receipt):
        pass

    def close(self):
        pass
'''


WAITING = """
import pathlib, time
while not pathlib.Path({gate!r}).exists():
    time.sleep(0.01)
class Sleeper: pass
"""


def install(site: Path, name: str, source: str, points: dict[str, str]) -> None:
    """Put a distribution there as an installer does: its module, its metadata, its entry points."""
    (site / f"{name}.py").write_text(source, encoding="utf-8")
    info = site / f"outagecast_{name}-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: outagecast-{name}\nVersion: 1.0\n", encoding="utf-8")
    lines = "".join(f"{point} = {target}\n" for point, target in points.items())
    (info / "entry_points.txt").write_text(f"[{registry.GROUP}]\n{lines}", encoding="utf-8")


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A place on the path with the logbook and with three packages that are broken, each in its way."""
    folder = tmp_path / "site"
    folder.mkdir()
    install(folder, "logbook", LOGBOOK, {"logbook": "logbook:Logbook"})
    install(folder, "ruined", "raise RuntimeError('its own dependency is missing')\n", {"ruined": "ruined:Ruined"})
    install(folder, "hollow", "class Hollow:\n    pass\n", {"hollow": "hollow:Hollow"})
    stubborn = LOGBOOK + "\n\nclass Stubborn(Logbook):\n    def __init__(self, *given):\n        raise KeyError('no')\n"
    install(folder, "stubborn", stubborn, {"stubborn": "stubborn:Stubborn"})
    install(folder, "quitter", "import sys\nsys.exit(3)\n", {"quitter": "quitter:Quitter"})
    install(folder, "sleeper", WAITING.format(gate=str(folder / "gate")), {"sleeper": "sleeper:Sleeper"})
    waits = "\n\nclass Dawdler(Logbook):\n    def __init__(self, *given):\n        import sleeper\n"
    install(folder, "dawdler", LOGBOOK + waits, {"dawdler": "dawdler:Dawdler"})
    clumsy = LOGBOOK + "\n\nclass Clumsy(Logbook):\n    def send(self, *given):\n        return 1 / 0\n"
    install(folder, "clumsy", clumsy, {"clumsy": "clumsy:Clumsy"})
    monkeypatch.syspath_prepend(str(folder))
    registry.available.cache_clear()
    registry.arrival.cache_clear()
    before = set(threading.enumerate())
    yield folder
    (folder / "gate").touch()
    for thread in set(threading.enumerate()) - before:
        thread.join(5)
    registry.available.cache_clear()
    registry.arrival.cache_clear()
    for name in ("logbook", "ruined", "hollow", "stubborn", "clumsy", "quitter", "sleeper", "dawdler"):
        sys.modules.pop(name, None)


def section(night: Night, kind: str, more: str = "") -> str:
    return f"\n  {kind}:\n    file: {night.folder / 'book'}\n{more}"


def test_a_strangers_type_is_configured_and_posted_to_like_any_other(night: Night, site: Path) -> None:
    night.write_config(section(night, "logbook") + night.facebook())
    done = night.run("post", "fiber cut", "--json")
    assert done.code == 0
    book = done.channel("logbook")
    assert (book["type"], book["outcome"], book["replies"]) == ("logbook", "sent", "none")
    assert (night.folder / "book").read_text() == "[14:05 UTC] Example Hosting: fiber cut\n"
    assert len(night.pages()) == 1


def test_it_is_asked_once_and_never_again_for_the_same_words(night: Night, site: Path) -> None:
    night.write_config(section(night, "logbook"))
    assert [night.run("post", "fiber cut").code for _ in range(2)] == [0, 0]
    assert (night.folder / "book").read_text().count("fiber cut") == 1


def test_its_settings_are_checked_with_line_and_key_path(night: Night, site: Path) -> None:
    night.write_config("\n  logbook:\n    fil: book\n" + night.facebook())
    done = night.run("post", "fiber cut", "--json")
    assert done.code == 1
    detail = done.channel("logbook")["posts"][0]["detail"]
    assert "channels.logbook.fil" in detail
    assert "file" in detail
    assert len(night.pages()) == 1


def test_its_secret_is_read_when_it_sends_and_a_missing_one_is_its_own_error(night: Night, site: Path) -> None:
    night.write_config(section(night, "logbook", "    pen: ${PEN_FOR_TESTS}\n") + night.facebook())
    done = night.run("post", "fiber cut", "--json")
    assert done.code == 1
    assert "PEN_FOR_TESTS" in done.channel("logbook")["posts"][0]["detail"]
    assert done.channel("facebook")["outcome"] == "sent"
    assert night.run("resume", env={"PEN_FOR_TESTS": "pen-for-tests"}).code == 0
    assert (night.folder / "book").read_text().count("fiber cut") == 1


def test_its_limit_is_kept_by_the_core_even_if_it_forgets_to(night: Night, site: Path) -> None:
    night.write_config(section(night, "logbook") + night.facebook())
    done = night.run("post", "x" * 300, "--json")
    assert done.code == 2
    assert "logbook" in done.json["error"]
    assert night.pages() == []


@pytest.mark.parametrize(
    ("broken", "reason"),
    [
        ("ruined", "its own dependency is missing"),
        ("hollow", "Settings"),
        ("stubborn", "KeyError"),
        ("quitter", "it tried to end the process (SystemExit)"),
        ("logboook", "did you mean logbook?"),
    ],
)
def test_one_that_cannot_be_used_does_not_stop_the_others(broken: str, reason: str, night: Night, site: Path) -> None:
    night.write_config(section(night, broken) + section(night, "logbook") + night.facebook())
    done = night.run("post", "fiber cut", "--json")
    assert done.code == 1
    refused = done.channel(broken)
    assert refused["outcome"] == "refused"
    assert reason in refused["posts"][0]["detail"]
    assert "Traceback" not in done.err
    assert done.channel("logbook")["outcome"] == "sent"
    assert len(night.pages()) == 1


@pytest.mark.parametrize(
    ("slow", "reason"), [("sleeper", "takes too long to import"), ("dawdler", "it has not ended after")]
)
def test_one_that_never_comes_to_an_end_holds_neither_the_command_nor_the_others(
    slow: str, reason: str, night: Night, site: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registry, "PATIENCE", 0.3)
    night.write_config(section(night, slow) + section(night, "logbook") + night.facebook())
    done = night.run("post", "fiber cut", "--json", "--deadline", "20")
    assert done.code == 1
    assert done.channel(slow)["outcome"] == "refused"
    assert reason in done.channel(slow)["posts"][0]["detail"]
    assert done.channel("logbook")["outcome"] == "sent"
    assert len(night.pages()) == 1


def test_two_channels_of_a_type_that_hangs_are_waited_for_once(site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "PATIENCE", 0.3)
    before = threading.active_count()
    for _ in range(2):
        with pytest.raises(ConfigError, match="takes too long to import"):
            registry.channel_type("sleeper")
    assert threading.active_count() == before + 1


def test_what_is_ours_is_imported_without_a_thread(site: Path) -> None:
    before = threading.active_count()
    for name in ("twitter", "facebook", "email"):
        assert registry.channel_type(name).caps
    assert threading.active_count() == before
    assert registry.arrival.cache_info().currsize == 0


def test_one_that_fails_in_an_unheard_of_way_is_in_doubt_and_never_sent_twice(night: Night, site: Path) -> None:
    night.write_config(section(night, "clumsy"))
    done = night.run("post", "fiber cut", "--json")
    assert done.code == 1
    (post,) = done.channel("clumsy")["posts"]
    assert post["state"] == "in-doubt"
    assert post["attempts"] == 1
    again = night.run("resume", "--json")
    assert again.json["incidents"][0]["channels"][0]["posts"][0]["attempts"] == 1


def test_only_what_the_config_names_is_imported(night: Night, site: Path) -> None:
    night.write_config(section(night, "logbook"))
    assert night.run("post", "fiber cut").code == 0
    assert "logbook" in sys.modules
    assert not {"ruined", "hollow", "stubborn"} & sys.modules.keys()


def test_channels_lists_strangers_with_what_they_can_do_and_the_broken_ones_with_why(
    site: Path, tmp_path: Path
) -> None:
    """As its own process, with nothing but the path to find them by."""
    env = {**os.environ, "HOME": str(tmp_path), "PYTHONPATH": str(site)}
    argv = [sys.executable, "-c", "from outagecast.cli.main import run; run()", "channels", "--json"]
    done = subprocess.run(argv, env=env, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    types = {one["type"]: one for one in json.loads(done.stdout)["types"]}
    assert {"twitter", "facebook", "email", "logbook"} <= types.keys()
    assert types["logbook"]["replies"] == "native"
    assert types["logbook"]["limits"] == [{"most": 200, "unit": "characters"}]
    assert "its own dependency is missing" in types["ruined"]["error"]
    assert types["hollow"]["error"]


def test_channels_shows_them_to_a_person_too(night: Night, site: Path) -> None:
    done = night.run("channels")
    assert done.code == 0
    assert "logbook" in done.out
    assert "its own dependency is missing" in done.out
