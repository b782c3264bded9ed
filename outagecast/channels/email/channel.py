"""The e-mail channel: one letter per address, each exactly once as far as SMTP can know."""

from __future__ import annotations

import threading
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, ClassVar

from outagecast.channel import (
    Announcement,
    CannotTell,
    Capabilities,
    Finding,
    House,
    Post,
    Quota,
    Receipt,
    Recipients,
    Refused,
    Repeat,
    Replies,
    ReplyControl,
    TryLater,
)
from outagecast.channels.email.link import Waits
from outagecast.channels.email.picture import MOST as MOST_PICTURE
from outagecast.channels.email.relay import parse as parse_relay
from outagecast.channels.email.settings import EmailSettings

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from outagecast.channel import ChannelError, Dependency, Grant, Person, Remember
    from outagecast.channels.email.pool import Pool
    from outagecast.channels.email.sending import Sending
    from outagecast.names import Names


class Email:
    """Letters over the configured relays."""

    Settings: ClassVar = EmailSettings
    caps: ClassVar[Capabilities] = Capabilities(replies=ReplyControl.NATIVE, letters=True, images=MOST_PICTURE)

    def __init__(self, name: str, settings: EmailSettings, house: House, *, waits: Waits = Waits()) -> None:  # noqa: B008  frozen
        from outagecast.channels.email.letter import Stationery

        self.name = name
        self.settings = settings
        self._house = house
        self._waits = waits
        self._relays = [parse_relay(relay) for relay in settings.relays]
        self._stationery = Stationery(settings)
        self._tls: ssl.SSLContext | None = None
        self._tls_lock = threading.Lock()

    @staticmethod
    def authorize(
        known: Mapping[str, Any],  # noqa: ARG004  the contract's; there is nothing to start from
        person: Person,
        now: Callable[[], datetime],  # noqa: ARG004  the contract's
        *,
        checked: bool = False,  # noqa: ARG004  the contract's; only `check` asks the relays
    ) -> Grant:
        """Ask who writes, through which relays, to whom."""
        from outagecast.channels.email.questions import ask

        return ask(person)

    @property
    def account(self) -> str:
        """The sender: who the letters are from is whose they are."""
        return self.settings.sender

    @property
    def endpoints(self) -> Sequence[str]:
        """The relays' hosts."""
        return [relay.host for relay in self._relays]

    @property
    def recipients(self) -> Recipients:
        """Who gets each announcement."""
        return Recipients(tuple(self.settings.to), self.settings.subscribers)

    @property
    def quota(self) -> Quota:
        """The most letters the relays are given in any hour and any day."""
        return Quota(self.settings.limits.per_hour, self.settings.limits.per_day)

    def render(self, news: Announcement) -> Sequence[Post]:
        """The one wording of all letters; the core makes a letter of it for each address."""
        from outagecast.channels.email.wording import render

        try:
            return [render(news, self._house, self.settings)]
        except ValueError as err:
            raise Refused(f"it cannot go into a letter: {err}", hint="say it in other words") from err

    def check(self) -> Iterable[Finding]:
        """Talk to each relay up to the recipient and take that back: no letter goes out."""
        return self.check_recipients(None)

    def check_recipients(self, listed: Sequence[str] | None) -> Iterable[Finding]:
        """`check`, and each relay is asked about somebody on the list as well."""
        from outagecast.channels.email.check import findings

        return findings(
            self.name,
            self.settings,
            self._relays,
            tls=self._context,
            signer=self._stationery.signer,
            waits=self._waits,
            now=datetime.now(UTC),
            listed=listed,
        )

    def check_names(self, names: Names) -> Iterable[Finding]:
        """Ask the DNS whether letters are believed, and whether answers and bounces find a way back."""
        from outagecast.channels.email.names import findings

        return findings(self._sending(), self.settings, names, self._waits.check)

    def depends(self) -> Sequence[Dependency]:
        """The relays; who must be able to receive; what receivers and readers look up."""
        from outagecast.channels.email.depends import depends

        return list(depends(self._sending(), self.settings))

    def send(self, post: Post, parent: Receipt | None, remember: Remember) -> Receipt:  # noqa: ARG002  letters need neither
        """Send one letter."""
        for _, result in self._pool(1).results(iter([post]), lambda post: None):  # noqa: ARG005  the caller marked it
            if isinstance(result, Receipt):
                return result
            raise result
        raise TryLater("the letter was not sent", hint="outagecast resume")

    def send_many(
        self, posts: Iterator[Post], begin: Callable[[Post], None]
    ) -> Iterator[tuple[Post, Receipt | ChannelError]]:
        """Send letters over as many connections as configured; see `outagecast.channel.Letters`."""
        return self._pool(self.settings.connections).results(posts, begin)

    def find(self, post: Post, parent: Receipt | None, since: datetime) -> Repeat | CannotTell:  # noqa: ARG002
        """Nobody can be asked whether a letter arrived; the config says whether it may go out again."""
        if self.settings.in_doubt == "hold":
            return CannotTell("nobody can be asked whether this letter arrived, and the config says in_doubt: hold")
        return Repeat("sent again with the same Message-ID and Date (in_doubt: resend)")

    def close_replies(self, receipt: Receipt) -> Replies:  # noqa: ARG002
        """A letter has no public replies."""
        return Replies.NONE

    def retract(self, receipt: Receipt) -> None:
        """Impossible: always Refused."""
        raise Refused(
            f"the letter {receipt.ref} is in their mailbox and cannot be taken back; a correction is sent instead",
            hint="say what is right now: outagecast post",
        )

    def close(self) -> None:
        """Nothing is kept open between runs."""

    def warm(self) -> None:
        """Import the dialogue, and TLS, before the first letter."""
        from outagecast import trust  # noqa: F401
        from outagecast.channels.email import pool  # noqa: F401

        if self.settings.dkim:
            from cryptography.hazmat.primitives import serialization  # noqa: F401

    def _sending(self) -> Sending:
        from outagecast.channels.email.sending import sending

        return sending(self.name, self.settings, self._relays, self._stationery.signer)

    def _pool(self, connections: int) -> Pool:
        """The connections of one run; raises Refused before any is made when its letters could not be signed."""
        from outagecast.channels.email.pool import Pool

        self._stationery.signer()
        return Pool(
            self._relays,
            tls=self._context,
            waits=self._waits,
            connections=connections,
            limits=self.settings.limits,
            write=self._stationery.write,
        )

    def _context(self) -> ssl.SSLContext:
        """The system's certificates, always verified; reading them takes some 20 ms, so once."""
        from outagecast.trust import system_trust

        with self._tls_lock:
            if self._tls is None:
                self._tls = system_trust()
            return self._tls
