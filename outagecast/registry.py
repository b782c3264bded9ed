"""Type names to channels: built-ins and strangers by the same entry-point group, imported only when configured."""

from __future__ import annotations

import threading
import time
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import TYPE_CHECKING, Any, cast

import msgspec

from outagecast.channel import Owned
from outagecast.errors import ConfigError, OutagecastError, Refused
from outagecast.model import Capabilities, LeastReplies, ReplyControl

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from outagecast.channel import Channel, ChannelType
    from outagecast.config import Config, Section

GROUP = "outagecast.channels"

BEST: Mapping[ReplyControl, LeastReplies] = {
    ReplyControl.ATOMIC: LeastReplies.VERIFIED,
    ReplyControl.AFTER: LeastReplies.VERIFIED,
    ReplyControl.CHANNEL: LeastReplies.VERIFIED,
    ReplyControl.NATIVE: LeastReplies.VERIFIED,
    ReplyControl.MODERATED: LeastReplies.MODERATED,
    ReplyControl.NONE: LeastReplies.OPEN,
}
"""The strictest `replies:` that each kind of reply control can keep; also its default."""
PATIENCE = 2.0
"""Seconds a stranger's type gets to be imported, and each channel of it to be made."""


class TooLongError(Exception):
    """A stranger's code has had its time."""


class Bounded:
    """A stranger's code at work in a thread of its own, so that one that hangs or ends the process holds nobody."""

    def __init__(self, call: Callable[[], Any]) -> None:
        self._until = time.monotonic() + PATIENCE
        self._call = call
        self._value: Any = None
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._work, daemon=True)
        self._thread.start()

    def _work(self) -> None:
        try:
            self._value = self._call()
        except BaseException as err:  # noqa: BLE001  sys.exit() at import too; `result` raises it where it is awaited
            self._error = err

    def result(self) -> Any:
        """What it gave; raises what it raised, or TooLongError."""
        self._thread.join(max(0.0, self._until - time.monotonic()))
        if self._thread.is_alive():
            raise TooLongError(f"it has not ended after {PATIENCE:.0f} s")
        if isinstance(self._error, Exception):
            raise self._error
        if self._error is not None:
            raise RuntimeError(f"it tried to end the process ({type(self._error).__name__})") from self._error
        return self._value


class Opened(msgspec.Struct, frozen=True):
    """A configured channel, or the reason why it cannot be used."""

    name: str
    type: str
    least: LeastReplies
    channel: Channel | None = None
    error: Refused | None = None
    account: str = ""
    """Which account of the platform it is, if the channel can tell without a secret."""


@cache
def available() -> Mapping[str, EntryPoint]:
    """All installed channel types by name; nothing of them is imported."""
    return {point.name: point for point in entry_points(group=GROUP)}


def channel_type(name: str) -> ChannelType:
    """Import the type of that name; ConfigError if there is none, or if what is there is broken."""
    point = available().get(name)
    if point is None:
        from difflib import get_close_matches

        near = get_close_matches(name, available(), n=1)
        known = f"did you mean {near[0]}?" if near else f"known types: {', '.join(sorted(available()))}"
        raise ConfigError(f"unknown channel type {_called(name)}; {known}", hint="outagecast channels")
    reinstall = f"reinstall the package that brings the channel type {name!r}"
    try:
        kind = arrival(point).result() if _strange(point) else point.load()
    except TooLongError as err:
        raise ConfigError(
            f"the channel type {name!r} ({point.value}) takes too long to import: more than {PATIENCE:.0f} s",
            hint=f"try it by itself: python -X importtime -c 'import {point.module}'; or use the channels without it",
        ) from err
    except Exception as err:
        # A stranger's plug-in may fail in any way at import; it must not take the other channels along.
        raise ConfigError(
            f"the channel type {name!r} ({point.value}) cannot be imported: {type(err).__name__}: {err}", hint=reinstall
        ) from err
    if not isinstance(getattr(kind, "caps", None), Capabilities) or not isinstance(
        getattr(kind, "Settings", None), type
    ):
        raise ConfigError(f"the channel type {name!r} ({point.value}) lacks `caps` or `Settings`", hint=reinstall)
    return cast("ChannelType", kind)


def _called(name: str) -> str:
    """A type that nobody has, as it may be called: a secret may have been pasted there."""
    from outagecast.secret_likeness import quoted

    told = quoted(name)
    return told if told == repr(name) else f"({told})"


def _strange(point: EntryPoint) -> bool:
    return not point.module.startswith("outagecast.")


@cache
def arrival(point: EntryPoint) -> Bounded:
    """The import of a stranger's type: begun once, however many channels are of that type."""
    return Bounded(point.load)


def settings_of(name: str) -> type[Any]:
    """The settings class of a type, for the config."""
    return channel_type(name).Settings


def open_channel(config: Config, section: Section) -> Opened:
    """Make one channel from its section; whatever is wrong with it becomes its own error."""
    try:
        if section.error is not None:
            raise section.error
        kind = channel_type(section.type)
        least = _least(section, kind.caps)
        channel = _made(kind, section, config)
        account = channel.account if isinstance(channel, Owned) else ""
        return Opened(section.name, section.type, least, channel, account=account)
    except OutagecastError as err:
        hint = err.hint or f"correct it in {config.path}, then: outagecast resume"
        error = Refused(config.vault.mask(err.text), mendable=True, hint=config.vault.mask(hint))
        return Opened(section.name, section.type, section.replies or LeastReplies.OPEN, error=error)


def _made(kind: ChannelType, section: Section, config: Config) -> Channel:
    def make() -> Channel:
        return kind(section.name, section.settings, config.house)

    try:
        return cast("Channel", Bounded(make).result()) if _strange(available()[section.type]) else make()
    except OutagecastError:
        raise
    except Exception as err:
        # As at import: a stranger's bug is that channel's own.
        raise ConfigError(
            f"the channel type {section.type!r} cannot be opened: {type(err).__name__}: {err}",
            hint=f"check the section {section.name!r} of {config.path}; if it is right, report this bug",
        ) from err


def _least(section: Section, caps: Capabilities) -> LeastReplies:
    """The closing the section demands, if the type can keep it with these settings."""
    control = _control(section, caps)
    best = BEST[control]
    if section.replies is None:
        return best
    order = list(LeastReplies)
    if order.index(section.replies) < order.index(best):
        so_set = "" if control is caps.replies else " with these settings"
        raise ConfigError(
            f"channels.{section.name}.replies: {section.replies} is more than {section.type} can do{so_set} "
            f"(its reply control is: {control}); the most is {best}",
            hint=f"write `replies: {best}` in the section {section.name!r} of the config, then: outagecast resume",
        )
    return section.replies


def _control(section: Section, caps: Capabilities) -> ReplyControl:
    """How replies are controlled: by the type's capabilities, unless its settings say that they leave less of it."""
    own = getattr(section.settings, "reply_control", None)
    return own if isinstance(own, ReplyControl) else caps.replies
