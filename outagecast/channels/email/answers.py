"""What each answer of a relay means: the only table, read from the top, the first line that fits decides.

The columns are stage, reply code, enhanced code and words. Sources: RFC 5321 4.2 and 4.3.2, RFC 3463, and what Gmail,
SES and Postfix say in practice (November 2026).
"""

from __future__ import annotations

import re
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

import msgspec

from outagecast.channel import ChannelError, Refused, TryLater

if TYPE_CHECKING:
    from outagecast.channels.email.relay import Relay
    from outagecast.channels.email.replies import Reply


class Stage(StrEnum):
    """Where in the dialogue an answer came, in the words the operator is shown."""

    CONNECT = "connecting"
    GREETING = "the greeting"
    EHLO = "EHLO"
    STARTTLS = "STARTTLS"
    AUTH = "the login"
    MAIL = "the sender"
    RCPT = "the recipient"
    DATA = "the start of the letter"
    CONTENT = "the end of the letter"


class Act(StrEnum):
    """What follows from an answer that is not yes."""

    NEXT = "next"
    """This relay does not work now: the next one; without one, later."""
    BARRED = "barred"
    """This relay will not serve us until a person has mended something: the next one; without one, refused."""
    TOMORROW = "tomorrow"
    """This relay's quota is used up: the next one; without one, much later."""
    SLOW = "slow"
    """This letter later, and a pause for all connections to this relay."""
    FEWER = "fewer"
    """As SLOW, and half the connections."""
    LATER = "later"
    """This letter later; nothing is wrong with the relay."""
    GONE = "gone"
    """This address does not exist."""
    RECIPIENT = "recipient"
    """This address is refused; it may exist."""
    POLICY = "policy"
    """The relay will not carry this letter; a person can talk to the relay."""
    SIZE = "size"
    """The letter is too large for this relay or this mailbox; without its picture it may not be."""
    CONTENT = "content"
    """The letter itself is refused."""


LEAVES = frozenset({Act.NEXT, Act.BARRED, Act.TOMORROW})
"""About the relay and nothing else: it is left."""


class Rule(msgspec.Struct, frozen=True):
    """One line of the table; empty patterns fit everything."""

    act: Act
    stages: frozenset[Stage]
    code: str
    enhanced: str = ""
    words: str = ""

    def fits(self, stage: Stage, reply: Reply) -> bool:
        """Whether this line is about that answer."""
        return (
            stage in self.stages
            and re.fullmatch(self.code, str(reply.code)) is not None
            and (not self.enhanced or re.fullmatch(self.enhanced, reply.enhanced) is not None)
            and (not self.words or re.search(self.words, reply.text, re.IGNORECASE) is not None)
        )


class Judged(msgspec.Struct, frozen=True):
    """An answer and what follows from it."""

    stage: Stage
    reply: Reply
    act: Act


_ANY = frozenset(Stage)
_OPENING = frozenset({Stage.CONNECT, Stage.GREETING, Stage.EHLO})
_LOGIN = frozenset({Stage.STARTTLS, Stage.AUTH})
_MAIL = frozenset({Stage.MAIL})
_RCPT = frozenset({Stage.RCPT})
_DATA = frozenset({Stage.DATA})
_DOT = frozenset({Stage.CONTENT})
_LETTER = _MAIL | _RCPT | _DATA | _DOT

_DAILY = r"\b(daily|per day|24[ -]?h)"
_CROWDED = r"too many (\w+ )?(connections|sessions)|connection (rate )?limit"
_GREYLIST = r"gr[ae]y-?list"
_TOO_LARGE = r"too (large|big|long)|(message|letter|mail) (size|length)"
_NO_LOGIN = r"authentication (is )?required|not authenticated"
_NO_MAILBOX = r"5\.1\.(1|2|3|6|10)"

RULES = (
    Rule(Act.TOMORROW, _LETTER | _LOGIN, "[45]..", words=_DAILY),
    Rule(Act.TOMORROW, _LETTER, "550", r"5\.4\.5"),
    Rule(Act.FEWER, _ANY, "4..", words=_CROWDED),
    Rule(Act.NEXT, _OPENING, "..."),
    Rule(Act.BARRED, _LOGIN, "5.."),
    Rule(Act.NEXT, _LOGIN, "..."),
    Rule(Act.SLOW, _MAIL, "4.."),
    Rule(Act.BARRED, _MAIL, "5.."),
    Rule(Act.LATER, _RCPT, "4..", words=_GREYLIST),
    Rule(Act.LATER, _RCPT, "452", r"4\.2\.\d+"),
    Rule(Act.SLOW, _RCPT, "421|452|454"),
    Rule(Act.SLOW, _RCPT, "450", r"4\.7\.\d+"),
    Rule(Act.LATER, _RCPT, "4.."),
    Rule(Act.LATER, _RCPT, "552", words="too many recipients"),
    Rule(Act.BARRED, _RCPT, "5..", words=_NO_LOGIN),
    Rule(Act.GONE, _RCPT | _DOT, "5..", _NO_MAILBOX),
    Rule(Act.RECIPIENT, _RCPT, "5.."),
    Rule(Act.SLOW, _DATA | _DOT, "421|452|454"),
    Rule(Act.LATER, _DATA | _DOT, "4.."),
    Rule(Act.RECIPIENT, _DOT, "5..", r"5\.2\.[0-24-9]"),
    Rule(Act.SIZE, _DATA | _DOT, "5..", r"5\.(2\.3|3\.4)"),
    Rule(Act.SIZE, _DATA | _DOT, "552", words=_TOO_LARGE),
    Rule(Act.POLICY, _DATA, "5.."),
    Rule(Act.POLICY, _DOT, "5..", r"5\.7\.\d+"),
    Rule(Act.CONTENT, _DOT, "5.."),
)

_CHECK = "outagecast check"
_SAID: dict[Act, tuple[str, str]] = {
    Act.NEXT: ("{relay} cannot be used now ({stage}): {reply}", "outagecast resume"),
    Act.BARRED: ("{relay} refused {stage}: {reply}", f"mend the relay's entry in the config, then: {_CHECK}"),
    Act.TOMORROW: ("{relay} has used up its quota ({stage}): {reply}", "add another relay, then: outagecast resume"),
    Act.SLOW: ("{relay} asks us to slow down ({stage}): {reply}", "outagecast resume"),
    Act.FEWER: ("{relay} wants fewer connections ({stage}): {reply}", "outagecast resume"),
    Act.LATER: ("{relay} will take it later ({stage}): {reply}", "outagecast resume"),
    Act.GONE: ("{to}: no such mailbox: {reply}", "outagecast subscribers remove {to}"),
    Act.RECIPIENT: ("{to} was refused: {reply}", "if many are refused like this, ask the relay's operator why"),
    Act.POLICY: (
        "{relay} will not carry this letter ({stage}): {reply}",
        "ask the relay's operator, then: outagecast resume",
    ),
    Act.SIZE: ("{relay} takes no letter as large as this: {reply}", "say it in fewer words: outagecast post"),
    Act.CONTENT: ("{relay} refused the letter itself: {reply}", "say it in other words: outagecast post"),
}
_QUOTA_WAIT = timedelta(hours=1)


def judge(stage: Stage, reply: Reply) -> Judged:
    """What follows from an answer that is not yes; an answer of no known kind is about the relay, not the letter."""
    act = next((rule.act for rule in RULES if rule.fits(stage, reply)), Act.NEXT)
    return Judged(stage, reply, act)


def error(judged: Judged, *, relay: Relay, to: str = "", pause: float = 0) -> ChannelError:
    """The answer as the core wants it."""
    said, hint = _SAID[judged.act]
    words = said.format(relay=relay.label, stage=judged.stage, reply=relay.quote(judged.reply), to=to)
    hint = hint.format(to=to)
    match judged.act:
        case Act.NEXT | Act.LATER:
            return TryLater(words, hint=hint)
        case Act.SLOW | Act.FEWER:
            return TryLater(words, after=timedelta(seconds=pause), limited=True, hint=hint)
        case Act.TOMORROW:
            return TryLater(words, after=_QUOTA_WAIT, limited=True, hint=hint)
        case Act.GONE | Act.RECIPIENT:
            return Refused(words, recipient=True, suppress=judged.act is Act.GONE, hint=hint)
        case _:
            return Refused(words, mendable=judged.act not in (Act.SIZE, Act.CONTENT), hint=hint)
