"""The looks of `check`: all at once, each bounded, none in another's way; and what a channel is asked."""

from __future__ import annotations

import signal
import sys
import threading
import time
from typing import TYPE_CHECKING, Any, ClassVar

import msgspec
import pytest

from outagecast import registry
from outagecast.channel import REHEARSAL, Capabilities, Finding, Level, ReplyControl
from outagecast.checkup import check
from outagecast.checkup.looks import Look, all_findings
from outagecast.config import load
from outagecast.errors import Refused
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


def test_what_a_look_may_have_left_is_told_where_it_was_cut_off_and_nowhere_else(gate: threading.Event) -> None:
    def hangs() -> Iterator[Finding]:
        yield good("made")
        gate.wait()

    def left() -> list[Finding]:
        return [Finding("a", Level.BAD, "draft 17 is left", "delete it")]

    assert run(Look("a", hangs, 0.2, left))[-1] == ("a", "bad", "draft 17 is left")
    assert run(Look("a", lambda: [good()], 20, left)) == [("a", "good", "fine")]


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
        yield Finding("buoy", Level.WARNING, "not tried", REHEARSAL)
        yield Finding("buoy", Level.WARNING, "not read back", "wait", LeastReplies.VERIFIED)

    def check_names(self, names: Any) -> Iterator[Finding]:
        with pytest.raises(UnansweredError):
            names.texts("example.net")
        yield good("names")

    def leftovers(self) -> Iterator[Finding]:
        yield Finding("buoy", Level.BAD, "a draft is left", "delete it")

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
    tried = "it went live" if live else "not tried"
    assert sorted(mine) == sorted(["keys", tried, "not read back", "names"])
    assert buoy.did == (["check", "rehearse", "close"] if live else ["check", "close"])


@pytest.mark.parametrize(("least", "level"), [(LeastReplies.VERIFIED, Level.BAD), (LeastReplies.CLOSED, Level.WARNING)])
def test_what_the_config_s_demand_cannot_do_without_is_bad(
    night: Night, config: Config, least: LeastReplies, level: Level
) -> None:
    found = looked(night, config, Opened("buoy", "buoy", least, Buoy()))  # type: ignore[arg-type]  # as above
    (unread,) = [one for one in found if one.text.startswith("not read back")]
    assert (unread.level, "every post ends with exit 1" in unread.text) == (level, level is Level.BAD)


def test_a_channel_that_cannot_be_used_is_bad_and_says_why(night: Night, config: Config) -> None:
    refused = Opened("buoy", "buoy", LeastReplies.OPEN, error=Refused("no such type", hint=""))
    (bad,) = [one for one in looked(night, config, refused) if one.channel == "buoy"]
    assert (bad.level, bad.text) == (Level.BAD, "no such type")
    assert bad.do
