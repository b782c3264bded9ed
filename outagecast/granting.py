"""How a channel type asks a person, and its platform, for what a section of the config needs (`auth`, `init`)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

import msgspec

from outagecast.errors import Refused

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    from outagecast.model import Finding
    from outagecast.secrets import Secret


class Person(Protocol):
    """Whoever sits at the terminal. Every question ends with an answer, or with an OutagecastError when they leave."""

    def say(self, text: str) -> None:
        """Tell something; no secret that went through `hidden` or `keep` is ever shown."""

    def line(
        self,
        question: str,
        *,
        default: str = "",
        optional: bool = False,
        check: Callable[[str], object] | None = None,
    ) -> str:
        """Ask for one line, again until `check` raises no ValueError; empty only if `optional`."""

    def hidden(self, question: str, *, optional: bool = False) -> Secret | None:
        """Ask for a secret, which is not shown while it is typed; None only if `optional`."""

    def yes(self, question: str, *, default: bool) -> bool:
        """Ask for yes or no."""

    def choose(self, question: str, choices: Sequence[str]) -> int:
        """Ask for one of several; its place, from 0. The first is the default."""

    def visit(self, url: str) -> None:
        """Show a link to be opened in a browser."""

    def keep(self, value: str) -> Secret:
        """Make a secret of what a platform gave."""


class Confided(msgspec.Struct, frozen=True):
    """A secret for the config: it is to be kept somewhere, and the config says where."""

    name: str
    """What it is called there, within its channel: `access-token`."""
    secret: Secret
    around: str = "{}"
    """How it stands in the value: `smtp://outage:{}@smtp.example.net:587`."""


class Grant(msgspec.Struct, frozen=True):
    """What was answered and granted, as keys of the channel's section, and what was found out about it."""

    keys: Mapping[str, str | bool | Confided | Sequence[str | Confided]]
    findings: Sequence[Finding] = ()


@runtime_checkable
class Authorizes(Protocol):
    """What a channel type has besides that can ask a person, and the platform, for what its section needs."""

    def authorize(
        self, known: Mapping[str, Any], person: Person, now: Callable[[], datetime], *, checked: bool = False
    ) -> Grant:
        """Ask for whatever is not in `known` (keys of the section, as in `Settings`), and get the rest granted.

        Keeps nothing but in memory, writes nothing, publishes nothing. With `checked` the caller runs the channel's
        own `check` next, so that nothing is asked twice of the platform. Raises TryLater or Refused; the same once
        more is always right.
        """


def readable(secret: Secret | None, person: Person) -> Secret | None:
    """Give a secret of the config, if what it refers to is there; else say why it is asked for."""
    try:
        if secret is not None:
            secret.reveal()
    except Refused as err:
        person.say(f"{err.text}, so it is asked for. What the config says of it stays right.")
        return None
    return secret
