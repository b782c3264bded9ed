"""What can go wrong, as types: one for the config, one for the journal, three for a channel.

A channel has three answers besides success, and they are about the world, not about retrying: nothing was
published and later may work (`TryLater`), nothing was published and a person must act (`Refused`), it may be out
(`InDoubt`). Anything else a channel raises is a bug in it and counts as `InDoubt`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import timedelta


class OutagecastError(Exception):
    """Something a person has to know, with the next command to type in `hint`."""

    def __init__(self, text: str, *, hint: str = "") -> None:
        super().__init__(text)
        self.text = text
        self.hint = hint


class UsageError(OutagecastError):
    """The command cannot be carried out as typed; nothing was written or sent."""


class ConfigError(OutagecastError):
    """The config cannot be used; `problems` are all of them, each with file, line and key path."""

    def __init__(self, text: str, *, hint: str = "", problems: Sequence[str] = ()) -> None:
        super().__init__(text, hint=hint)
        self.problems = tuple(problems) or (text,)


class JournalError(OutagecastError):
    """The journal cannot be opened, read or written."""


class JournalBusyError(JournalError):
    """Another outagecast holds the journal; running the same command later is right."""


class UnsweptError(JournalBusyError):
    """The same of a sweep: nothing of it is written down that would wait, so nobody has looked."""


class ChannelError(OutagecastError):
    """One of a channel's three answers besides success."""


class TryLater(ChannelError):  # noqa: N818  an answer, named as it is said
    """Nothing was published; later may work.

    `after` is how long to wait at the least (None: the caller's own backoff). `limited` says that the platform
    asked for the wait (a rate limit): such a wait is not a failed try.
    """

    def __init__(self, text: str, *, after: timedelta | None = None, limited: bool = False, hint: str = "") -> None:
        super().__init__(text, hint=hint)
        self.after = after
        self.limited = limited


class Refused(ChannelError):  # noqa: N818  an answer, named as it is said
    """Nothing was published; a person must act.

    `mendable`: a person can mend the cause (keys, credits, permission, config), so a later run tries once more;
    otherwise the content itself was refused. `recipient`: only this one address is at fault (letters);
    `suppress`: that mailbox does not exist, so do not write to it again. `blind`: of a look at strangers' words, and
    true of every post of the channel: this account does not see them.
    """

    def __init__(
        self,
        text: str,
        *,
        mendable: bool = False,
        recipient: bool = False,
        suppress: bool = False,
        blind: bool = False,
        hint: str = "",
    ) -> None:
        super().__init__(text, hint=hint)
        self.blind = blind
        self.mendable = mendable
        self.recipient = recipient
        self.suppress = suppress


class InDoubt(ChannelError):  # noqa: N818  an answer, named as it is said
    """It may be published: look before anything else.

    `duplicate`: the platform says that an equal post exists, which is evidence and not an answer.
    """

    def __init__(self, text: str, *, duplicate: bool = False, hint: str = "") -> None:
        super().__init__(text, hint=hint)
        self.duplicate = duplicate
