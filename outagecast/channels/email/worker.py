"""One connection after another, and the letters on it: what each outcome means for letter, connection and relay."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from msgspec.structs import replace

from outagecast.channel import ChannelError, InDoubt, Receipt, Refused, Replies, TryLater
from outagecast.channels.email.answers import LEAVES, Act, Judged, Stage, error
from outagecast.channels.email.dialogue import Dialogue, LostError
from outagecast.channels.email.session import NotOpenError, Session

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    from outagecast.channels.email.feed import Feed
    from outagecast.channels.email.letter import Letter
    from outagecast.channels.email.link import Waits
    from outagecast.channels.email.relay import Relay
    from outagecast.channels.email.replies import Reply
    from outagecast.channels.email.standing import Standing, Standings


class Crew(Protocol):
    """What a worker needs of the pool it belongs to."""

    feed: Feed
    standings: Standings
    waits: Waits
    per_connection: int

    def open(self, relay: Relay) -> Session:
        """Open a connection; raises NotOpenError."""

    def using(self, standing: Standing, session: Session) -> AbstractContextManager[None]:
        """Keep the connection known as long as it is in use, and let the others start once it stands."""

    def begin(self, letter: Letter) -> None:
        """Mark the letter: its content goes out now."""

    def lighten(self, letter: Letter, note: str) -> Letter:
        """The same letter without its picture."""

    def done(self, letter: Letter, result: Receipt | ChannelError) -> None:
        """Hand over what became of a letter."""

    def surplus(self) -> bool:
        """Whether this worker is one too many."""

    def halve(self) -> None:
        """Make do with half of the workers."""

    def retire(self, letter: Letter) -> bool:
        """Let this worker go and another one have its letter; False when there is no other."""

    def give_up(self, why: ChannelError) -> None:
        """No relay is left: the run ends with this."""


class Worker:
    """Carries letters until there are none; never has more than one in doubt."""

    def __init__(self, crew: Crew) -> None:
        self._crew = crew
        self._past = -1
        """The last relay, by its place, that was tried in vain for the letter in hand."""
        self._why: ChannelError | None = None
        self.retired = False
        """Gone, and its letter with another worker."""

    def work(self) -> None:
        """Until the feed is over, or there is one worker too many."""
        letter = self._take()
        while letter is not None:
            letter = self._carry(letter)

    def _take(self) -> Letter | None:
        self._past, self._why = -1, None
        return None if self._crew.surplus() else self._crew.feed.take()

    def _carry(self, letter: Letter) -> Letter | None:
        """Find a connection for the letter and use it up; gives the letter to go on with."""
        standing = self._crew.standings.pick(self._past)
        if standing is None:
            return self._nowhere(letter)
        if self._crew.feed.ending.wait(standing.paused()):
            return None
        try:
            session = self._crew.open(standing.relay)
        except NotOpenError as err:
            return self._not_open(standing, letter, err)
        with self._crew.using(standing, session):
            return self._converse(standing, session, letter)

    def _not_open(self, standing: Standing, letter: Letter, err: NotOpenError) -> Letter | None:
        # When others are talking to it, it has enough of us, which says nothing against it.
        if standing.live and self._retire(letter):
            return None
        standing.leave(err.error)
        return letter

    def _nowhere(self, letter: Letter) -> Letter | None:
        """No relay is left to try for this letter, or none at all."""
        if self._crew.standings.pick() is not None and self._why is not None:
            self._crew.done(letter, self._why)
            return self._take()
        if not self._retire(letter):
            self._crew.give_up(self._crew.standings.error())
        return None

    def _retire(self, letter: Letter) -> bool:
        self.retired = self._crew.retire(letter)
        return self.retired

    def _converse(self, standing: Standing, session: Session, letter: Letter) -> Letter | None:
        talk = _Talk(self._crew, standing, session, self._take)
        following = talk.letters(letter)
        if talk.lost:
            self._past, self._why = standing.place, talk.lost
        return following


class _Talk:
    """The letters of one connection."""

    def __init__(self, crew: Crew, standing: Standing, session: Session, take: Callable[[], Letter | None]) -> None:
        self._crew = crew
        self._standing = standing
        self._session = session
        self._take = take
        self._dialogue = Dialogue(session, crew.waits)
        self._over = False
        self.lost: ChannelError | None = None
        """Set when the letter given back should try another relay, and why."""

    def letters(self, letter: Letter) -> Letter | None:
        """Send letter after letter; gives back the one that needs another connection, or None: there are no more."""
        current: Letter | None = letter
        offered = False
        while current is not None and not self._over:
            current, offered = self._one(current, offered=offered)
        return current

    def _one(self, letter: Letter, *, offered: bool) -> tuple[Letter | None, bool]:
        """Send one letter; gives the next one, and whether its envelope is on its way already."""
        fitting = self._fitting(letter)
        if fitting is None:
            return self._after(), False
        letter = fitting
        try:
            if not offered:
                self._dialogue.offer(letter)
            no = self._dialogue.admitted(letter)
        except LostError as err:
            return self._lost_clean(letter, err), False
        if no is not None:
            return self._not_admitted(letter, no), False
        if self._crew.feed.ending.is_set():
            self._end()
            return None, False
        following = self._following()
        self._crew.begin(letter)
        self._finish(letter, following)
        return (following, True) if following else (self._after(), False)

    def _finish(self, letter: Letter, following: Letter | None) -> None:
        """From the first byte of content to the answer: what is lost here is in doubt."""
        try:
            self._dialogue.content(letter, following)
            answer = self._dialogue.taken()
        except LostError as err:
            text = f"{letter.recipient}: nobody can tell whether {self._standing.relay.label} took the letter: {err}"
            self._standing.strike(TryLater(str(err), hint="outagecast resume"))
            self._end()
            self._crew.done(letter, InDoubt(text, hint="outagecast resume"))
            return
        if isinstance(answer, Judged):
            self._refuse(letter, answer)
            return
        self._session.letters += 1
        self._standing.accepted()
        self._crew.done(letter, self._receipt(letter, answer))

    def _receipt(self, letter: Letter, reply: Reply) -> Receipt:
        data = {"relay": self._standing.relay.host, "reply": self._standing.relay.quote(reply)}
        return Receipt(ref=letter.message_id, replies=Replies.NONE, note=letter.note or None, data=data)

    def _not_admitted(self, letter: Letter, no: Judged) -> Letter | None:
        if no.act not in LEAVES:
            self._refuse(letter, no)
            return self._after()
        self._standing.leave(self._error(no))
        self._end()
        return letter

    def _refuse(self, letter: Letter, no: Judged) -> None:
        """The letter is not out; the answer may be about the relay as well."""
        if no.act is Act.SIZE and letter.shared:
            self._standing.most_octets = min(self._standing.most_octets, letter.octets - 1)
            self._crew.feed.give_back(replace(self._light(letter), begun=True))
            return
        why = self._error(no, letter.recipient)
        if no.act in LEAVES:
            self._standing.leave(why)
        if no.act in (Act.SLOW, Act.FEWER) and self._standing.pause(why) and no.act is Act.FEWER:
            self._crew.halve()
        if no.reply.code == 421 or self._standing.out:
            self._end()
        self._crew.done(letter, why)

    def _lost_clean(self, letter: Letter, err: LostError) -> Letter:
        """Nothing of this letter went out: on a new connection it goes out as if nothing had happened."""
        self._end()
        if err.stage is Stage.MAIL and self._session.letters:
            return letter  # the relay takes only so many letters a connection
        why = TryLater(f"{self._standing.relay.label} was lost before the letter: {err}", hint="outagecast resume")
        if err.reply is not None:
            self._standing.pause(why)
        self._standing.strike(why)
        self.lost = why
        return letter

    def _following(self) -> Letter | None:
        """The letter whose envelope can go out behind this one's content."""
        enough = self._session.letters + 1 >= (self._crew.per_connection or 1 << 60)
        if not self._session.pipelining or enough or self._standing.paused() or self._crew.surplus():
            return None
        letter = self._crew.feed.take_now()
        return self._fitting(letter) if letter else None

    def _after(self) -> Letter | None:
        """The next letter once this connection may take one."""
        if self._crew.per_connection and self._session.letters >= self._crew.per_connection:
            self._end()
        if self._crew.feed.ending.wait(self._standing.paused()):
            return None
        return self._take()

    def _fitting(self, letter: Letter) -> Letter | None:
        """The letter as this relay takes it: the words come first, a picture may stay behind. None: not at all."""
        if letter.smtputf8 and "SMTPUTF8" not in self._session.extensions:
            text = f"{letter.recipient}: {self._standing.relay.label} does not take such addresses (no SMTPUTF8)"
            hint = "use a relay with SMTPUTF8, or another address of theirs"
            self._crew.done(letter, Refused(text, recipient=True, hint=hint))
            return None
        if letter.shared and letter.octets > min(self._session.most_octets, self._standing.most_octets):
            return self._light(letter)
        return letter

    def _light(self, letter: Letter) -> Letter:
        size = letter.octets / 1_000_000
        return self._crew.lighten(
            letter, f"without its picture: {self._standing.relay.label} takes no letter of {size:.1f} MB"
        )

    def _error(self, no: Judged, to: str = "") -> ChannelError:
        return error(no, relay=self._standing.relay, to=to, pause=self._standing.next_pause())

    def _end(self) -> None:
        self._over = True
