"""The nouns: frozen data and closed sets of choices. No I/O, no clock; times are aware and UTC."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime, timedelta, tzinfo


class Kind(StrEnum):
    """What an announcement is to its incident."""

    OPENED = "opened"
    UPDATE = "update"
    RESOLVED = "resolved"
    CORRECTION = "correction"


class Status(StrEnum):
    """How far the work on an open incident is."""

    INVESTIGATING = "investigating"
    IDENTIFIED = "identified"
    MONITORING = "monitoring"


class IncidentState(StrEnum):
    """Whether an incident is still going on."""

    OPEN = "open"
    RESOLVED = "resolved"


class PostState(StrEnum):
    """What is known of one post; `journal.py` has the only transitions between them."""

    PLANNED = "planned"
    """Written down, not out. Entered at planning, after TryLater, or when a look found nothing."""
    SENDING = "sending"
    """A request may be under way. A run that finds it so is looking at a killed one's."""
    SENT = "sent"
    """Out, with a receipt."""
    REFUSED = "refused"
    """Certainly not out; a person must act."""
    IN_DOUBT = "in-doubt"
    """Perhaps out; it is looked up before anything else."""
    RETRACTED = "retracted"
    """Was out and was taken back."""
    DROPPED = "dropped"
    """Never to go out: superseded, expired, or a person decided so."""


class Outcome(StrEnum):
    """What became of a channel, or of the whole announcement."""

    SENT = "sent"
    WAITING = "waiting"
    REFUSED = "refused"
    IN_DOUBT = "in-doubt"
    PARTIAL = "partial"


class Replies(StrEnum):
    """What is known about replies to one post."""

    CLOSED = "closed"
    """Told to close, and read back."""
    UNVERIFIED = "closed-unverified"
    """Told to close; could not be read back."""
    MODERATED = "moderated"
    """The platform has no switch; comments are swept, and the sweep sees them."""
    NONE = "none"
    """The medium has no public replies."""
    OPEN = "open"
    """Replies are open."""


MOST_LOOKS = 6
"""After so many looks at replies that failed in a row a person is told."""


class LeastReplies(StrEnum):
    """The least closing a channel's config accepts (`replies:`), strictest first."""

    VERIFIED = "verified"
    CLOSED = "closed"
    MODERATED = "moderated"
    OPEN = "open"


class ReplyControl(StrEnum):
    """How replies can be closed on a type of channel."""

    ATOMIC = "atomic"
    """In the publishing request itself."""
    AFTER = "after"
    """By a second call."""
    CHANNEL = "channel"
    """By the channel's own permissions, set once by a person."""
    MODERATED = "moderated"
    """Not at all; comments can be hidden or deleted afterwards."""
    NATIVE = "native"
    """The medium has no public replies."""
    NONE = "none"
    """Not at all."""


class Level(StrEnum):
    """How serious a finding of `check` is."""

    GOOD = "good"
    WARNING = "warning"
    BAD = "bad"


class Act(StrEnum):
    """What a sweep did with one stranger's reply or comment."""

    HIDDEN = "hidden"
    DELETED = "deleted"


class Need(StrEnum):
    """What must work of a name that the night depends on."""

    HOST = "host"
    """A connection to it: its addresses and its name servers."""
    MAIL = "mail"
    """Mail to this domain: the hosts that take it, and the domain's name servers."""
    RECORD = "record"
    """A record in the DNS: its name servers, and those of what it is an alias of."""
    SPF = "spf"
    """What this domain's SPF record includes, or leads to instead: as RECORD, for each of those records."""


class Limit(msgspec.Struct, frozen=True):
    """The most a platform takes of a text: `most` units as `count` counts them, called `unit`."""

    most: int
    unit: str
    count: Callable[[str], int]


class Capabilities(msgspec.Struct, frozen=True):
    """What a channel can do, as data: read before any call."""

    replies: ReplyControl
    limits: Sequence[Limit] = ()
    mentions_open: bool = False
    """An @mention lets that account reply."""
    threads: bool = False
    """Later posts of an incident hang under its first."""
    letters: bool = False
    """One post per recipient; the channel has `recipients` and `send_many`."""
    can_find: bool = False
    """The platform can be asked after an unknown outcome."""
    can_retract: bool = False
    can_edit: bool = False
    """A post that is out can be given other words; the channel is one of `Edits`."""
    images: int = 0
    """The largest picture that it takes with a post, in bytes; 0: none."""


class House(msgspec.Struct, frozen=True):
    """What every channel is told about the organization it speaks for."""

    organization: str
    timezone: tzinfo
    support: str = ""
    notice: str = ""
    """Ready to use: `{support}` is filled in. Empty when there is none."""


class Image(msgspec.Struct, frozen=True):
    """A picture as it was when it was announced; the file may be gone by the time that it goes out."""

    name: str
    """The file's own name, without its folder: plain ASCII, at most 64 characters."""
    type: str
    """Its media type, by its content: image/png, image/jpeg, image/gif or image/webp."""
    alt: str
    """What it shows, in words, for whoever cannot see it."""
    data: bytes


class Incident(msgspec.Struct, frozen=True):
    """One outage, from its first word to its last."""

    key: str
    title: str
    """As it is now; `update --title` changes it."""
    state: IncidentState
    opened_at: datetime
    eta: datetime | None = None
    resolved_at: datetime | None = None
    opened_as: str = ""
    """The title that it was opened with: what ties a thread together (a mail's subject) never changes."""


class Announcement(msgspec.Struct, frozen=True):
    """One thing to say about an incident, the same on every channel."""

    incident: Incident
    seq: int
    """0 is the first; also the number of the update."""
    kind: Kind
    text: str
    """As it was typed."""
    words: str
    """What goes out: the text with the absolute time of its ETA, and the ETA that this one replaces."""
    at: datetime
    status: Status | None = None
    eta: datetime | None = None
    link: str | None = None
    """Belongs to the message: it may go into a part of its own, but it is never left out."""
    groups: Sequence[str] = ()
    seconds: bool = False
    """The time must be shown, and with seconds: another post of the account already says the same at this minute, or
    says the same without the time."""
    shorter: Sequence[str] = ()
    """`words` with less and less of what was added to them; the last says only what was typed. For limits."""
    image: Image | None = None
    typed: str = ""
    """What was asked for, a template's name and variables included: the same again is the same announcement."""
    said: Mapping[str, Sequence[str]] = msgspec.field(default_factory=dict)
    """By channel name: `words` and then `shorter`, where a template says it there in another way. The core has put them
    into place before a channel sees them."""


class Post(msgspec.Struct, frozen=True):
    """One external side effect: one tweet, one part of a thread, one page post, one letter to one address."""

    text: str
    """What a reader sees, to the letter (of a letter: its body)."""
    part: int = 1
    parts: int = 1
    data: Mapping[str, str] = msgspec.field(default_factory=dict)
    """What else `send` needs, frozen when the post was planned (a letter's subject and date, say)."""
    warnings: Sequence[str] = ()
    """What a person should know before it goes out; shown in the preview."""
    to: str = ""
    """The one recipient of a letter."""
    id: int = 0
    """The journal's; 0 before planning."""
    token: Mapping[str, str] = msgspec.field(default_factory=dict)
    """What `remember` committed in an earlier attempt (a draft's id, say)."""
    attempted_at: datetime | None = None
    """When the last attempt began."""
    image: Image | None = None
    """What goes with it. Where the platform does not take the picture, the words go out and a note says so."""


class Recipients(msgspec.Struct, frozen=True):
    """Who gets a letter: these addresses, and the journal's subscribers if `subscribers` says so."""

    addresses: Sequence[str] = ()
    subscribers: bool = False


class Quota(msgspec.Struct, frozen=True):
    """The most letters a channel may send within any hour and any day; 0: as many as there are."""

    per_hour: int = 0
    per_day: int = 0


class Receipt(msgspec.Struct, frozen=True):
    """Proof that a post is out."""

    ref: str
    """The platform's own id of it."""
    url: str | None = None
    replies: Replies = Replies.OPEN
    """What is known about replies at this moment, without another call."""
    note: str | None = None
    """What a person should know although it went out."""
    data: Mapping[str, str] = msgspec.field(default_factory=dict)
    """What later calls about this post need beside the ref (its conversation, say)."""


class Unfinished(msgspec.Struct, frozen=True):
    """A look found a draft to go on from: not public, and `token` is what `send` needs to finish it."""

    token: Mapping[str, str]


class Absent(msgspec.Struct, frozen=True):
    """A look found nothing. Believe it only when the attempt is older than `believe_after`."""

    believe_after: timedelta


class Repeat(msgspec.Struct, frozen=True):
    """The platform cannot be asked, and sending the same again is allowed (its config or its idempotency says so)."""

    why: str


class CannotTell(msgspec.Struct, frozen=True):
    """The platform cannot be asked; a person has to look and `settle`."""

    why: str


class Finding(msgspec.Struct, frozen=True):
    """One line of `check`."""

    channel: str
    level: Level
    text: str
    do: str = ""
    unmet: LeastReplies | None = None
    """What `replies:` may not demand while this stands: then each post is reported as not closed as it should be."""


class Dependency(msgspec.Struct, frozen=True):
    """A name outside of this machine without which something of the night does not work."""

    what: str
    """What it is to us, as in "the relay" or "the DKIM key"."""
    name: str
    """A host, a domain or an address; IDNA, without a dot at its end."""
    need: Need = Need.HOST
