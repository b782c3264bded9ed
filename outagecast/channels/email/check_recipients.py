"""What `check` finds out about whom a relay takes letters for: recipients are named to it, and taken back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from outagecast.channel import Finding, Level, TryLater
from outagecast.channels.email.answers import LEAVES, Act, Judged, Stage, error
from outagecast.channels.email.dialogue import Dialogue, LostError
from outagecast.channels.email.probes import MOST_READERS, about_its_mailbox, elsewhere

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Sequence

    from outagecast.channel import ChannelError
    from outagecast.channels.email.letter import Letter
    from outagecast.channels.email.link import Waits
    from outagecast.channels.email.probes import Probes
    from outagecast.channels.email.relay import Relay
    from outagecast.channels.email.session import Session

_TOLD = ("PIPELINING", "SMTPUTF8", "DSN", "ENHANCEDSTATUSCODES")


def recipients(name: str, session: Session, probes: Probes, waits: Waits) -> Iterator[Finding]:
    """Those who always get a letter; then, if letters go anywhere, somebody to whom the relay must pass one on."""
    asked = _Asked(name, session, probes, waits)
    yield from asked.fixed()
    if probes.anywhere and not asked.over and not asked.told:
        yield from asked.readers()
    if asked.taken:
        yield Finding(name, Level.GOOD, _taken(session, probes.fixed[0].envelope_sender, asked.taken))
    if probes.anywhere and not asked.over and not asked.told:
        label = session.relay.label
        text = (
            f"whether {label} takes letters for others than {probes.home} is not known: "
            "it could be asked about no reader elsewhere who has a mailbox"
        )
        do = (
            "outagecast subscribers import FILE, or add an address at another provider to `to:`; then: outagecast check"
        )
        yield Finding(name, Level.WARNING, text, do)


class _Asked:
    """The dialogue with one relay, and what is known so far."""

    def __init__(self, name: str, session: Session, probes: Probes, waits: Waits) -> None:
        self.taken: list[str] = []
        self.told = False
        """The relay has said what it does with letters for elsewhere."""
        self.over = False
        """It is of no use to ask any more."""
        self._name = name
        self._session = session
        self._probes = probes
        self._dialogue = Dialogue(session, waits)

    def fixed(self) -> Iterator[Finding]:
        for letter in self._probes.fixed:
            if self.over:
                return
            no = yield from self._answer(letter)
            if no is not None:
                yield _refusal(self._name, self._session.relay, letter, no)
            self.told |= self._tells(letter, no)

    def readers(self) -> Iterator[Finding]:
        relay, home = self._session.relay, self._probes.home
        for letter in [each for each in self._probes.readers if elsewhere(each, relay, home)][:MOST_READERS]:
            if self.over or self.told:
                return
            no = yield from self._answer(letter)
            if no is not None:
                yield _reader(self._name, relay, letter, no)
            self.told = self._tells(letter, no)

    def _answer(self, letter: Letter) -> Generator[Finding, None, Judged | None]:
        """Ask about one: None is yes, or nothing at all where it cannot be asked."""
        label = self._session.relay.label
        if self._barred(letter):
            text = f"{label} offers no SMTPUTF8, which letters to {letter.recipient} need"
            yield Finding(self._name, Level.WARNING, text, "name an address in plain ASCII, or another relay")
            return None
        try:
            no = self._dialogue.envelope_only(letter)
        except LostError as err:
            self.over = True
            yield Finding(self._name, Level.BAD, f"{label} was lost: {err}", "ask the relay's operator")
            return None
        if no is None:
            self.taken.append(letter.recipient)
        else:
            self.over = no.stage is Stage.MAIL or no.act in LEAVES or no.reply.code == 421
        return no

    def _barred(self, letter: Letter) -> bool:
        return letter.smtputf8 and "SMTPUTF8" not in self._session.extensions

    def _tells(self, letter: Letter, no: Judged | None) -> bool:
        """Whether the answer shows what becomes of letters for elsewhere."""
        if self._barred(letter) or not elsewhere(letter, self._session.relay, self._probes.home):
            return False
        return no is None or not about_its_mailbox(no)


def _refusal(name: str, relay: Relay, letter: Letter, no: Judged) -> Finding:
    said = error(no, relay=relay, to=letter.recipient)
    if no.act is Act.LATER:
        # Greylisting (RFC 6647): whoever comes again is let in, and letters do.
        text = f"{said.text}; letters are offered again, and come late"
        return Finding(name, Level.WARNING, text, "wait ten minutes, then: outagecast check")
    if no.act in (Act.GONE, Act.RECIPIENT):
        return _recipient(name, relay, letter, said)
    return wrong(name, Level.WARNING if isinstance(said, TryLater) else Level.BAD, said)


def _recipient(name: str, relay: Relay, letter: Letter, said: ChannelError) -> Finding:
    if letter.recipient == letter.envelope_sender:
        do = "name an address that exists in envelope_sender, or ask the relay's operator"
        return Finding(name, Level.WARNING, f"{relay.label}: {said.text}; bounces are to go there", do)
    return Finding(name, Level.BAD, f"{relay.label}: {said.text}", "correct it in to:, or ask the relay's operator why")


def _reader(name: str, relay: Relay, letter: Letter, no: Judged) -> Finding:
    """A no to one of the list: it is about that one, or about all who are not the relay's own."""
    if no.act not in (Act.GONE, Act.RECIPIENT):
        return _refusal(name, relay, letter, no)
    said = error(no, relay=relay, to=letter.recipient)
    if about_its_mailbox(no):
        return Finding(
            name, Level.WARNING, f"{relay.label}: {said.text}", f"outagecast subscribers remove {letter.recipient}"
        )
    text = f"{relay.label} takes no letter for a reader elsewhere: {said.text}"
    do = "ask the relay's operator whether it takes letters for others from here; it may want a login"
    return Finding(name, Level.BAD, text, do)


def wrong(name: str, level: Level, err: ChannelError) -> Finding:
    """An error of the night, as a finding before it: there is nothing to resume yet."""
    return Finding(name, level, err.text, err.hint.replace("outagecast resume", "outagecast check"))


def _taken(session: Session, sender: str, taken: Sequence[str]) -> str:
    how = [session.link.tls_version or "without TLS", "logged in" if session.relay.user else "without login"]
    how += [word for word in _TOLD if word in session.extensions]
    if session.most_octets < float("inf"):
        how.append(f"SIZE {octets(session.most_octets)}")
    return f"{session.relay.label} takes letters from {sender} to {', '.join(taken)} ({', '.join(how)})"


def octets(number: float) -> str:
    """As people say it."""
    return f"{number / 1_000_000:.1f} MB" if number >= 100_000 else f"{number / 1000:.1f} kB"
