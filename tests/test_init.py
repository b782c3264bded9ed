"""`outagecast init`: what is answered becomes a config that works; whatever goes wrong leaves nothing behind."""

from __future__ import annotations

import json
import os
import pty
import stat
import subprocess
import sys
import termios
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from night import Night
from terminal_kit import Typist, at_terminal, pin, until

from outagecast import registry
from outagecast.cli.init import system_zone
from outagecast.config import example, load
from outagecast.deliver import SystemClock
from outagecast.registry import settings_of
from outagecast.sandbox.x_errors import ERRORS as X_ERRORS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from terminal_kit import Answer, Session

HOUSE: list[Answer] = [
    ("readers know you by", "Example Hosting"),
    ("turn for help", "https://help.example.net"),
    ("timezone", "Europe/Berlin"),
    ("goes dark", "example.com, 203.0.113.0/24"),
]
NO_X: list[Answer] = [("Announce on X", "n")]
NO_FACEBOOK: list[Answer] = [("Facebook Page.*n]", "n")]
NO_MAIL: list[Answer] = [("by e-mail", "n")]
IN_FILES: list[Answer] = [("1 to 3", "1"), ("Folder", "")]


@pytest.fixture
def tonight(tmp_path: Path) -> Iterator[Night]:
    """With the machine's own clock, and no config."""
    with Night(tmp_path, clock=SystemClock()) as one:
        one.config.unlink()
        one.env["OUTAGECAST_JOURNAL"] = str(one.journal_path)
        yield one


def bare(night: Night) -> dict[str, str]:
    """An environment without any secret in it."""
    return {**dict.fromkeys(night.env, ""), "OUTAGECAST_JOURNAL": str(night.journal_path)}


def x(night: Night) -> list[Answer]:
    who = night.x.account
    keys: list[Answer] = [("API key;", who.api_key), ("API key secret;", who.api_key_secret)]
    return [("Announce on X", ""), ("1 to 2", ""), *keys, ("already", ""), ("The PIN:", pin)]


def facebook(night: Night) -> list[Answer]:
    app: list[Answer] = [("app's number", night.graph.app_id), ("app's secret", night.graph.app_secret)]
    token: list[Answer] = [("can you make.*1 to 2", ""), ("Paste the token;", night.graph.system_token)]
    return [("Facebook Page.*n]", ""), ("1 to 2", ""), *token, *app, ("Which Page", "")]


def mail(night: Night, *, relay: str = "", login: Sequence[Answer] = (("login name", ""),)) -> list[Answer]:
    start: list[Answer] = [("by e-mail", ""), ("as the sender", "Example Status <status@example.net>")]
    to: list[Answer] = [("One more", ""), ("always get it", "ann@example.org"), ("And everybody", "n")]
    return [*start, ("The relay", relay or night.mailbox.url), *login, *to]


def run(night: Night, script: Sequence[Answer], *options: str) -> Session:
    simulators = (f"twitter={night.x.url}", f"facebook={night.graph.url}")
    argv = ["init", *options, *(word for each in simulators for word in ("--simulator", each))]
    done = at_terminal(argv, script, env=night.env, cwd=night.folder, clock=night.clock)
    assert shown_secrets(night, done.shown + done.out) == []
    return done


def shown_secrets(night: Night, text: str) -> list[str]:
    who = night.x.account
    secrets = (who.api_key, who.api_key_secret, who.access_token, who.access_token_secret)
    return [each for each in (*secrets, *night.graph.tokens, night.graph.app_secret, "mail-password") if each in text]


def left(night: Night) -> list[str]:
    return sorted(str(path.relative_to(night.folder)) for path in night.folder.rglob("*"))


def test_a_few_answers_make_a_config_that_check_accepts_and_that_announces(tonight: Night) -> None:
    done = run(tonight, [*HOUSE, *x(tonight), *facebook(tonight), *mail(tonight), *IN_FILES])
    assert (done.code, done.unasked) == (0, []), done.shown
    config = load(tonight.config, {}, settings_of)
    assert (config.organization, config.support, str(config.timezone)) == (
        "Example Hosting",
        "https://help.example.net",
        "Europe/Berlin",
    )
    assert config.own == ("example.com", "203.0.113.0/24")
    assert config.house.notice == "Announcements only. Help: https://help.example.net"
    text = tonight.config.read_text()
    assert shown_secrets(tonight, text) == []
    assert "# How long after an incident `outagecast sweep` goes on watching" in text
    modes = {stat.S_IMODE(path.stat().st_mode) for path in (tonight.config, *(tonight.folder / "secrets").iterdir())}
    assert modes == {0o600}
    checked = tonight.run("check", "--json", env=bare(tonight))
    assert checked.code == 0, checked.out
    tonight.to = ["ann@example.org"]
    assert tonight.run("post", "fiber cut", env=bare(tonight)).code == 0
    assert tonight.out_everywhere()


def test_what_comes_next_is_shown_and_the_paths_are_right(tonight: Night) -> None:
    (tonight.folder / "etc").mkdir()
    done = run(tonight, [*HOUSE, *NO_X, *NO_FACEBOOK, *mail(tonight)], "etc/mine.yaml")
    assert done.code == 0, done.shown
    path = tonight.folder / "etc" / "mine.yaml"
    assert f"  outagecast check --config {path}\n  outagecast drill\n" in done.out
    assert tonight.run("check", "--config", str(path)).code == 0


def test_secrets_stand_in_the_config_only_after_an_explicit_yes(tonight: Night) -> None:
    tonight.mailbox.login = ("outage", "mail-password")
    url = tonight.mailbox.url.replace("outage:mail-password@", "")
    login: list[Answer] = [("login name", "outage"), ("Its password;", "mail-password")]
    where: list[Answer] = [("1 to 3", "2"), ("Write them into it", "n"), ("1 to 3", "2"), ("Write them into it", "y")]
    done = run(tonight, [*HOUSE, *NO_X, *NO_FACEBOOK, *mail(tonight, relay=url, login=login), *where])
    assert (done.code, done.unasked) == (0, []), done.shown
    assert "outage:mail-password@127.0.0.1" in tonight.config.read_text()
    assert stat.S_IMODE(tonight.config.stat().st_mode) == 0o600
    assert left(tonight) == ["outagecast.yaml"]
    assert tonight.run("check").code == 0


def test_what_is_kept_nowhere_is_said_to_be_lost_before_and_what_has_to_be_set_after(
    tonight: Night, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    done = run(tonight, [*HOUSE, *x(tonight), *NO_FACEBOOK, *NO_MAIL, ("1 to 3", "3")])
    assert (done.code, done.unasked) == (0, []), done.shown
    before, _, after = done.said.partition("1 to 3 [1]:")
    assert "nowhere: they are gone with this command, and no screen shows them" in before
    assert "Nothing was kept: the secrets are gone with this command." in after
    for name in ("API_KEY", "API_KEY_SECRET", "ACCESS_TOKEN", "ACCESS_TOKEN_SECRET"):
        assert f"TWITTER_{name}" in after
    asked = done.shown[done.shown.index("What goes dark") :].partition("(Enter for")[0]
    assert max(len(line) for line in asked.splitlines()) <= 40, "a question is broken at its blanks"


def test_what_is_put_off_is_named_by_environment_variables_and_nothing_is_asked_of_the_platform(tonight: Night) -> None:
    later: list[Answer] = [("Announce on X", ""), ("1 to 2", "2"), ("Facebook Page.*n]", ""), ("1 to 2", "2")]
    number: list[Answer] = [("Its page_id", "examplehosting"), ("number.*Its page_id", "1001")]
    done = run(tonight, [*HOUSE, *later, *number, *NO_MAIL])
    assert (done.code, done.unasked) == (0, []), done.shown
    assert (tonight.x.log, tonight.graph.log) == ([], [])
    config = load(tonight.config, tonight.env, settings_of)
    assert [section.error for section in config.channels.values()] == [None, None]
    assert config.channels["twitter"].settings.access_token.reveal() == tonight.x.account.access_token
    assert "TWITTER_API_KEY, TWITTER_API_KEY_SECRET" in " ".join(done.shown.split())


def test_a_failed_test_is_shown_and_can_be_answered_again_kept_or_left_out(tonight: Night) -> None:
    closed = "smtp://127.0.0.1:9?tls=none"
    again: list[Answer] = [("What now", "1"), *mail(tonight)[1:]]
    done = run(tonight, [*HOUSE, *NO_X, *NO_FACEBOOK, *mail(tonight, relay=closed), *again])
    assert (done.code, done.unasked) == (0, []), done.shown
    assert tonight.mailbox.url in tonight.config.read_text()
    tonight.config.unlink()
    done = run(tonight, [*HOUSE, *NO_X, *NO_FACEBOOK, *mail(tonight, relay=closed), ("What now", "3")])
    assert done.code == 0, done.shown
    assert "connection refused" in done.shown
    assert closed in tonight.config.read_text()
    tonight.config.unlink()
    done = run(tonight, [*HOUSE, *NO_X, *NO_FACEBOOK, *mail(tonight, relay=closed), ("What now", "2")])
    assert done.code == 2
    assert "no channel was chosen" in done.shown
    assert left(tonight) == []


def test_a_platform_that_refuses_can_be_put_off(tonight: Night) -> None:
    tonight.x.faults.add(X_ERRORS["unavailable"].fault("POST /oauth/request_token"))
    start = [answer for answer in x(tonight) if answer[0] != "The PIN:"]
    done = run(tonight, [*HOUSE, *start, ("What now", "3"), *NO_FACEBOOK, *NO_MAIL])
    assert (done.code, done.unasked) == (0, []), done.shown
    assert "did not answer as it should (HTTP 503)" in done.shown
    assert "api_key: ${TWITTER_API_KEY}" in tonight.config.read_text()


def test_tokens_that_may_only_read_fail_the_test(tonight: Night) -> None:
    tonight.x.account.write = False
    done = run(tonight, [*HOUSE, *x(tonight), ("What now", "2"), *NO_FACEBOOK, *mail(tonight)])
    assert (done.code, done.unasked) == (0, []), done.shown
    assert "the keys may only read, not post" in done.shown
    assert list(load(tonight.config, {}, settings_of).channels) == ["email"]


def test_answers_that_cannot_be_right_are_asked_for_again(tonight: Night) -> None:
    script: list[Answer] = [
        ("readers know you by", ""),
        ("an answer is needed.*readers know you by", "50 $ \U0001f4a1: Hosting #1"),
        ("turn for help", ""),
        ("timezone", "Berlin"),
        ("no timezone.*timezone", "UTC"),
        ("goes dark", "*.example.com"),
        ("write example.com.*goes dark", ""),
        *NO_X,
        *NO_FACEBOOK,
        ("by e-mail", "maybe"),
        ("answer y or n.*by e-mail", "y"),
        ("as the sender", "status"),
        ("as the sender", "status@example.net"),
        ("The relay", "outage:geheim@smtp.example.net"),
        ("leave login name and password out.*The relay", tonight.mailbox.url),
        ("login name", ""),
        ("One more", ""),
        ("always get it", "ann@"),
        ("always get it", ""),
    ]
    done = run(tonight, script)
    assert (done.code, done.unasked) == (0, []), done.shown
    config = load(tonight.config, {}, settings_of)
    assert config.organization == "50 $ \U0001f4a1: Hosting #1"
    assert config.channels["email"].settings.subscribers is True
    assert config.notice == ""


STRANGER = """
import msgspec
from outagecast.channel import Capabilities, Grant, ReplyControl

class Pager:
    class Settings(msgspec.Struct, frozen=True, kw_only=True):
        room: str
    caps = Capabilities(ReplyControl.CHANNEL)

    @staticmethod
    def authorize(known, person, now, *, checked=False):
        return Grant({person.line("Which key"): person.line("Which room"), "room": "status"})

    def __init__(self, name, settings, house): ...
    def check(self): return []
    def close(self): ...
"""


@pytest.fixture
def stranger(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A channel type of somebody else's, installed."""
    folder = tmp_path_factory.mktemp("site")
    (folder / "pager_of_tests.py").write_text(STRANGER)
    installed = folder / "pager_of_tests-1.dist-info"
    installed.mkdir()
    (installed / "METADATA").write_text("Metadata-Version: 2.1\nName: pager-of-tests\nVersion: 1\n")
    (installed / "entry_points.txt").write_text("[outagecast.channels]\npager = pager_of_tests:Pager\n")
    monkeypatch.syspath_prepend(folder)
    registry.available.cache_clear()
    yield
    monkeypatch.undo()
    registry.available.cache_clear()


@pytest.mark.parametrize(("key", "code"), [("room", 0), ("rooom", 2)])
@pytest.mark.usefixtures("stranger")
def test_a_plug_in_that_asks_is_offered_and_what_would_not_be_accepted_is_never_written(
    tonight: Night, key: str, code: int
) -> None:
    pager: list[Answer] = [("Announce by pager", "y"), ("Which key", key), ("Which room", "status")]
    done = run(tonight, [*HOUSE, *NO_X, *NO_FACEBOOK, *NO_MAIL, *pager])
    assert (done.code, done.unasked) == (code, []), done.shown
    assert left(tonight) == ([] if code else ["outagecast.yaml"])
    assert ("did you mean room?" in done.shown) is bool(code)


@pytest.mark.parametrize("option", [[], ["--non-interactive"]])
@pytest.mark.parametrize("link", [True, False])
def test_what_exists_is_never_touched(tonight: Night, option: list[str], link: bool) -> None:
    if link:
        tonight.config.symlink_to("nowhere")
    else:
        tonight.config.write_text("mine")
    done = run(tonight, [], *option)
    assert done.code == 2
    assert "exists already; nothing was changed" in done.shown
    assert left(tonight) == ["outagecast.yaml"]
    assert link or tonight.config.read_text() == "mine"


def test_a_file_that_turns_up_meanwhile_is_not_overwritten_and_no_secret_stays_behind(tonight: Night) -> None:
    def folder(_: str) -> str:
        tonight.config.write_text("somebody else's")
        return ""

    done = run(tonight, [*HOUSE, *x(tonight), *NO_FACEBOOK, *NO_MAIL, ("1 to 3", "1"), ("Folder", folder)])
    assert (done.code, done.unasked) == (2, []), done.shown
    assert "exists already" in done.shown
    assert left(tonight) == ["outagecast.yaml"]
    assert tonight.config.read_text() == "somebody else's"


def test_without_a_terminal_it_says_what_it_would_ask_for(tonight: Night) -> None:
    done = tonight.run("init", "--json", stdin=b"y\n" * 50)
    assert (done.code, done.json["exit_code"]) == (2, 2)
    assert "needs a terminal" in done.json["error"]
    assert done.json["hint"].startswith("outagecast init --non-interactive")
    assert left(tonight) == []


def test_the_example_is_written_as_it_is_without_a_question(tonight: Night) -> None:
    before = os.umask(0)
    try:
        done = tonight.run("init", "--non-interactive", "--json")
    finally:
        os.umask(before)
    assert done.json == {
        "schema": "outagecast.init/1",
        "path": str(tonight.config),
        "channels": [],
        "secrets": "nowhere",
        "exit_code": 0,
    }
    assert tonight.config.read_bytes() == example().read_bytes()
    assert stat.S_IMODE(tonight.config.stat().st_mode) == 0o600
    assert left(tonight) == ["outagecast.yaml"]


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        (["a.yaml", "--config", "b.yaml"], "two different files"),
        (["nowhere/a.yaml"], "there is no folder"),
        (["--simulator", "twitter=https://api.twitter.com"], "must be http:// on this machine"),
        (["--simulator", "twiter=http://127.0.0.1:1"], "unknown channel type"),
    ],
)
def test_what_cannot_be_meant_is_refused_before_anything_is_asked(tonight: Night, argv: list[str], said: str) -> None:
    done = at_terminal(["init", *argv], [], env=tonight.env, cwd=tonight.folder, clock=tonight.clock)
    assert done.code == 2
    assert said in " ".join(done.shown.split())
    assert left(tonight) == []


@pytest.mark.parametrize(
    ("env", "zone"),
    [({"TZ": "Asia/Tokyo"}, "Asia/Tokyo"), ({"TZ": ":Europe/Paris"}, "Europe/Paris"), ({"TZ": "Etc/UTC"}, "UTC")],
)
def test_the_timezone_is_guessed_from_the_machine(env: dict[str, str], zone: str) -> None:
    assert system_zone(env) == zone
    assert system_zone({"TZ": "XYZ+1"}) == system_zone({})


def test_json_names_the_channels_and_where_the_secrets_are(tonight: Night) -> None:
    done = run(tonight, [*HOUSE, *x(tonight), *NO_FACEBOOK, *NO_MAIL, *IN_FILES], "--json")
    told = json.loads(done.out)
    assert (told["channels"], told["secrets"]) == (["twitter"], "files")


class Process:
    """`outagecast init` in a process of its own, with a controlling terminal, as a shell starts it."""

    def __init__(self, night: Night, script: Sequence[Answer]) -> None:
        ours, theirs = pty.openpty()
        argv = [sys.executable, "-m", "outagecast", "init", "--simulator", f"twitter={night.x.url}"]
        # The first terminal that the leader of a session opens becomes its controlling one.
        shell = ["sh", "-c", 'exec "$@" <"$0" >"$0" 2>&1', os.ttyname(theirs), *argv]
        env = {**os.environ, **night.env, "TERM": "xterm", "COLUMNS": "100"}
        env["PYTHON_KEYRING_BACKEND"] = "keyring.backends.fail.Keyring"
        self.process = subprocess.Popen(
            shell, stdin=subprocess.DEVNULL, start_new_session=True, env=env, cwd=night.folder
        )
        self.theirs = theirs
        self.typist = Typist(ours, script)
        self.typist.start()

    def arguments(self) -> str:
        """What everybody on the machine can read of it."""
        return Path(f"/proc/{self.process.pid}/cmdline").read_text()

    def ended(self) -> int:
        code = self.process.wait(60)
        self.typist.ended.set()
        self.typist.join(15)
        self.echoes = bool(termios.tcgetattr(self.theirs)[3] & termios.ECHO)
        os.close(self.theirs)
        os.close(self.typist.terminal)
        return code


def test_a_whole_run_in_a_terminal_of_its_own_shows_no_secret_anywhere(tonight: Night) -> None:
    arguments: list[str] = []

    def looked(shown: str) -> str:
        arguments.append(process.arguments())
        return pin(shown)

    script = [*HOUSE, *x(tonight)[:-1], ("The PIN:", looked), *NO_FACEBOOK, *mail(tonight), *IN_FILES]
    process = Process(tonight, script)
    assert process.ended() == 0, process.typist.shown
    assert process.typist.script == []
    assert "outagecast" in arguments[0]
    assert shown_secrets(tonight, "".join([process.typist.shown, *arguments])) == []
    assert tonight.run("check", "--json", env=bare(tonight)).code == 0


@pytest.mark.parametrize("at", ["timezone", "API key secret;", "Folder"])
def test_ctrl_c_in_the_middle_leaves_nothing_behind_and_the_terminal_as_it_was(tonight: Night, at: str) -> None:
    everything = [*HOUSE, *x(tonight), *NO_FACEBOOK, *NO_MAIL, *IN_FILES]
    before = everything[: [pattern for pattern, _ in everything].index(at)]
    process = Process(tonight, before)
    until(lambda: not process.typist.script and at in process.typist.shown)
    os.write(process.typist.terminal, b"\x03")
    assert process.ended() == 2
    assert "stopped; nothing was written" in process.typist.shown
    assert "→ outagecast init" in process.typist.shown
    assert left(tonight) == []
    assert process.echoes
