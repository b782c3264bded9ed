"""What is asked of the DNS before the night, and what an answer is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import msgspec

if TYPE_CHECKING:
    from collections.abc import Sequence


class UnansweredError(Exception):
    """The DNS did not say: nobody answered in time, or the servers failed. That a name has nothing is no such case."""


class Way(msgspec.Struct, frozen=True):
    """What a host's name leads to."""

    aliases: Sequence[str] = ()
    """The names that it is another name for (CNAME), in order."""
    addresses: Sequence[str] = ()
    """IPv4 and IPv6; none: there is no such host."""


class Names(Protocol):
    """Bounded questions to the DNS. Names come and go in IDNA, in lower case, without a dot at their end.

    Each raises UnansweredError where nobody knows, and gives something empty where the DNS says that there is nothing.
    """

    def way(self, host: str) -> Way:
        """Where a host is; also what only this machine knows (/etc/hosts)."""

    def texts(self, name: str) -> Sequence[str]:
        """The TXT records at a name, each with its strings put together (RFC 7208 3.3)."""

    def exchangers(self, domain: str) -> Sequence[str]:
        """The hosts that a domain's MX records name, most preferred first; none where it has no such record.

        What SPF's `mx` means: the host that RFC 5321 takes in their place does not count there (RFC 7208 5.4).
        """

    def mail_hosts(self, domain: str) -> Sequence[str]:
        """The hosts that take a domain's mail, most preferred first; the domain itself where it has no MX (RFC 5321 5).

        None at all for a domain that takes no mail (RFC 7505) or that does not exist.
        """

    def name_servers(self, name: str) -> tuple[str, Sequence[str]]:
        """The zone that a name lies in, and the hosts that answer for it."""
