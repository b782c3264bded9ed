"""What is dangerous in the config although it works."""

from __future__ import annotations

from typing import TYPE_CHECKING

from outagecast.checkup import permissions, secret_places
from outagecast.config import exposed
from outagecast.model import Finding, LeastReplies, Level

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from outagecast.config import Config
    from outagecast.registry import Opened

_SUBJECT = "config"
_SHOWN = 3


def findings(config: Config, opened: Mapping[str, Opened]) -> Iterator[Finding]:
    """Who may read and change it, where replies stay open, and what is missing for others' checks."""
    found = [
        *_rights(config),
        *_secrets(config),
        *secret_places.findings(config),
        *_replies(config, opened),
        *_missing(config),
    ]
    if not found:
        found = [Finding(_SUBJECT, Level.GOOD, f"{config.path} is in order")]
    yield from found


def _rights(config: Config) -> Iterator[Finding]:
    """Who may change it may have any command run here: `${command:…}` runs what stands there."""
    path = config.path
    if permissions.everybody_can_change(path):
        text = f"everybody on this machine can change {path} ({permissions.told(path)}), and its commands are run"
        yield Finding(_SUBJECT, Level.BAD, text, f"chmod go-w {permissions.open_folder(path) or path}")
    elif permissions.strangers(path):
        text = f"{path} belongs to somebody else ({permissions.told(path)}), and its commands are run"
        yield Finding(
            _SUBJECT, Level.WARNING, text, f"copy it, so that it is yours: cp {path} my.yaml; chmod 600 my.yaml"
        )
    elif permissions.group_can_change(path):
        text = f"its whole group can change {path} ({permissions.told(path)}), and its commands are run"
        yield Finding(_SUBJECT, Level.WARNING, text, f"chmod g-w {path}")


def _secrets(config: Config) -> Iterator[Finding]:
    if places := exposed(config):
        text = f"a secret is written out in a file that others can read: {_few(places)}"
        yield Finding(_SUBJECT, Level.WARNING, text, f"chmod 600 {config.path}")


def _replies(config: Config, opened: Mapping[str, Opened]) -> Iterator[Finding]:
    for name, one in opened.items():
        # The one type whose own key decides it: a Page's comments are swept, or left to stand.
        if str(getattr(config.channels[name].settings, "comments", "")) == "leave":
            text = f"{name} leaves strangers' comments for all to see (`comments: leave`)"
            yield Finding(_SUBJECT, Level.WARNING, text, f"write `comments: hide` in the section {name!r}")
        elif one.channel is not None and one.least is LeastReplies.OPEN:
            text = f"{name} may be replied to: nothing there demands that replies are closed (`replies: open`)"
            do = f"take `replies: open` out of the section {name!r}: then it is the best that its type can do"
            yield Finding(_SUBJECT, Level.WARNING, text, do)


def _missing(config: Config) -> Iterator[Finding]:
    if not config.own:
        text = "`own:` is missing: what goes dark together with you cannot be told"
        do = f"list your domains and networks in {config.path}: own: [example.com, 203.0.113.0/24]"
        yield Finding(_SUBJECT, Level.WARNING, text, do)
    if not config.support:
        text = "`support:` is missing: readers are told not to reply, and not where to turn instead"
        do = f"name a page or an address in {config.path}: support: https://help.example.net"
        yield Finding(_SUBJECT, Level.WARNING, text, do)


def _few(places: Sequence[str]) -> str:
    more = len(places) - _SHOWN
    return ", ".join(places[:_SHOWN]) + (f" and {more} more" if more > 0 else "")
