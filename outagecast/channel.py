"""The contract between the core and a channel, and everything an adapter needs to keep it.

An adapter is a class that is found through the entry-point group `outagecast.channels` under its type's name. It
imports from here, from `outagecast.wire` and from `outagecast.text`, and from nothing else of ours. It knows nothing
of retries, journals or screens. Importing its module must be cheap: the platform's SDK is imported on first use.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Protocol, runtime_checkable

from outagecast.errors import ChannelError, InDoubt, Refused, TryLater
from outagecast.granting import Authorizes, Confided, Grant, Person, readable
from outagecast.model import (
    Absent,
    Act,
    Announcement,
    CannotTell,
    Capabilities,
    Dependency,
    Finding,
    House,
    Image,
    Incident,
    Kind,
    LeastReplies,
    Level,
    Limit,
    Need,
    Post,
    Quota,
    Receipt,
    Recipients,
    Repeat,
    Replies,
    ReplyControl,
    Status,
    Unfinished,
)
from outagecast.secrets import Secret

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from datetime import datetime

    from outagecast.names import Names

    Remember = Callable[[Mapping[str, str]], None]
    """Commits a step's token before the next step uses it; the next attempt gets it back as `Post.token`."""
    Result = Receipt | ChannelError
    Look = Receipt | Unfinished | Absent | Repeat | CannotTell

REHEARSAL = "outagecast check --live"
"""What a finding of `Channel.check` advises that only a rehearsal can settle: where there is one, it is not told."""

__all__ = [
    "REHEARSAL",
    "Absent",
    "Act",
    "Addressed",
    "Announcement",
    "Authorizes",
    "CannotTell",
    "Capabilities",
    "Channel",
    "ChannelError",
    "ChannelType",
    "Confided",
    "Dependency",
    "Edits",
    "Finding",
    "Grant",
    "House",
    "Image",
    "InDoubt",
    "Incident",
    "Kind",
    "Leans",
    "LeastReplies",
    "Letters",
    "Level",
    "Limit",
    "Named",
    "Need",
    "Owned",
    "Person",
    "Post",
    "Quota",
    "Rationed",
    "Receipt",
    "Recipients",
    "Refused",
    "Rehearses",
    "Repeat",
    "Replies",
    "ReplyControl",
    "Secret",
    "Status",
    "SweepLog",
    "Sweeps",
    "TryLater",
    "Unfinished",
    "Warm",
    "readable",
]


class Channel(Protocol):
    """One configured way to the public. Raises only TryLater, Refused, InDoubt; anything else is a bug."""

    name: str
    caps: Capabilities

    @property
    def endpoints(self) -> Sequence[str]:
        """The hosts this channel depends on, for the blast-radius check."""

    def render(self, news: Announcement) -> Sequence[Post]:
        """What would be published, to the letter. Pure: no network, no secrets, no clock; it is also the preview.

        Raises Refused when the text cannot go out here at all (too long, a mention that would open replies).
        """

    def check(self) -> Iterable[Finding]:
        """What is wrong with credentials, permissions and settings. Reads only."""

    def send(self, post: Post, parent: Receipt | None, remember: Remember) -> Receipt:
        """Publish: one public side effect, at most once. Never retries by itself."""

    def find(self, post: Post, parent: Receipt | None, since: datetime) -> Look:
        """Look whether an earlier attempt, begun at `since`, landed. May raise TryLater or Refused about the look."""

    def close_replies(self, receipt: Receipt) -> Replies:
        """Close replies if that takes a call of its own, and read the setting back. Idempotent.

        Raises TryLater when the reading may work later and Refused when this account may never read it.
        """

    def retract(self, receipt: Receipt) -> None:
        """Take it back. Idempotent: gone already is success. Raises TryLater or Refused; then it may still be there.

        What hangs under a post is always taken back before it. Only called where `caps.can_retract`.
        """

    def close(self) -> None:
        """Let go of connections. Called once, at the end, from the thread that used the channel."""


@runtime_checkable
class Owned(Protocol):
    """What a channel may have besides that knows whose account it is without reading a secret."""

    @property
    def account(self) -> str:
        """The account's own name on the platform (a Page's id, a sender's address); empty if only its keys tell.

        A section that was renamed, or now names another account, is recognised by it: nothing goes out twice, and
        nothing that was meant for one account goes to another.
        """


@runtime_checkable
class Warm(Protocol):
    """What a channel with something heavy to import may have besides."""

    def warm(self) -> None:
        """Import what the first call needs. No network.

        Channels warm one after the other, so that the first is not held up by the imports of all; one that takes
        longer than a second no longer holds up the next.
        """


@runtime_checkable
class Edits(Protocol):
    """What a channel with `caps.can_edit` has besides: the first post of an incident says where things stand.

    A link that people have shared then never shows old news as if it were the latest.
    """

    def amended(self, first: Post, latest: Announcement) -> str:
        """The text that the post `first` is to have now that `latest` has been announced after it.

        Pure, within the channel's limits, and made of `first.text` each time anew: nothing piles up.
        """

    def amend(self, receipt: Receipt, text: str) -> None:
        """Give a post that is out this text. Idempotent; raises TryLater or Refused, and the post stays as it is."""


class SweepLog(Protocol):
    """What sweeps of one post write down as they go along, each line at once, whatever comes of the rest."""

    def done(self, act: Act, ref: str) -> None:
        """A stranger's reply or comment has just been hidden or deleted; said twice of the same it counts once."""

    def has(self, ref: str) -> bool:
        """Whether this one, or an earlier one, has done so: for a platform that does not tell what is hidden."""

    def unsearched(self, why: str) -> None:
        """Strangers' words cannot all be looked for, for this reason: told in the history once, and by each run."""

    def give_way(self) -> bool:
        """Whether another command waits: what is left is left to the next sweep.

        To be asked between two requests. Once it is true, how the sweep ends, and what it gives, counts for nothing.
        """

    def read(self, replies: Replies) -> None:
        """What the setting was read back as, whatever comes after: of a sweep that fails it is kept if it is worse."""


@runtime_checkable
class Sweeps(Protocol):
    """What a channel has besides on which strangers' words can turn up although replies are closed, or not closed."""

    def sweep(self, receipt: Receipt, log: SweepLog) -> Replies | None:
        """Do what `close_replies` does, and see to what strangers have said below the post since.

        None where nothing was asked because nothing can have changed: what was known holds. Idempotent, never touches
        our own words, and what is gone already is done. Raises as `close_replies` does; then something may still
        stand there, and the text says what. Where `caps.replies` is MODERATED it is the verification, too.
        """


@runtime_checkable
class Rehearses(Protocol):
    """What a channel has besides that can try the real thing without the public seeing it (`check --live`)."""

    def rehearse(self) -> Iterable[Finding]:
        """Make something that is not public, read it, delete it; whatever fails is a finding, and nothing is left."""

    def leftovers(self) -> Iterable[Finding]:
        """What a rehearsal may have left behind so far. Asked, from another thread, where one has not come to its end.

        No network: time is over, or a person has interrupted it.
        """


@runtime_checkable
class Leans(Protocol):
    """What a channel has besides that depends on more than its `endpoints`."""

    def depends(self) -> Sequence[Dependency]:
        """Every name that must work for its posts to go out and to be of use. No network, no secret."""


@runtime_checkable
class Named(Protocol):
    """What a channel has besides whose posts are only believed if the DNS says the right things (mail: SPF, DKIM)."""

    def check_names(self, names: Names) -> Iterable[Finding]:
        """What the DNS lacks, or says wrongly. Reads only; what nobody answers is a finding, not an error."""


@runtime_checkable
class Addressed(Protocol):
    """What a channel with letters may have besides whose check needs somebody to whom a letter would go."""

    def check_recipients(self, listed: Sequence[str] | None) -> Iterable[Finding]:
        """What is done in the place of `check`: the same, and it may ask its relays about these. No letter goes out.

        `listed` are a few subscribers, each of another domain: none if nobody is on the list, None if that is not
        known.
        """


class Letters(Channel, Protocol):
    """A channel with `caps.letters`: what it has besides."""

    @property
    def recipients(self) -> Recipients:
        """Who gets each announcement."""

    def send_many(
        self, posts: Iterator[Post], begin: Callable[[Post], None]
    ) -> Iterator[tuple[Post, Receipt | ChannelError]]:
        """Send letters as fast as the relay takes them; yield each with what became of it.

        Takes a post from `posts` only when it can be sent now, and takes no more once `posts` ends (that is how
        the caller stops it); then drains what is in flight. Calls `begin(post)` just before the first byte of the
        letter's content goes out: a post taken but not begun counts as never attempted. Both callables may be
        called from the channel's own threads, `posts` from one at a time. Raises TryLater or Refused about the
        relays as a whole: nothing that was not yielded was sent.
        """


@runtime_checkable
class Rationed(Protocol):
    """What a channel with letters may have besides, when its relays take only so many in a while."""

    @property
    def quota(self) -> Quota:
        """The most letters of this channel in any hour and any day, of all announcements together.

        The caller counts them, in the journal and therefore across runs: `posts` of `send_many` ends when no more
        may go, and what is left waits until one may.
        """


class ChannelType(Protocol):
    """What an entry point of the group `outagecast.channels` names: usually the adapter's class."""

    Settings: ClassVar[type[Any]]
    """A `msgspec.Struct` (frozen, keyword-only) of the type's own config keys; secrets are of type `Secret`.

    A property `reply_control` of it counts instead of `caps.replies` where settings leave less of that.
    """
    caps: ClassVar[Capabilities]

    def __call__(self, name: str, settings: Any, house: House) -> Channel:
        """Make the channel. No network and no secret is read before the first call that needs it."""
