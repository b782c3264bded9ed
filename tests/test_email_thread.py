"""An incident is one thread in every mail program: the letters, as octets, through the algorithm that most have.

That is Jamie Zawinski's (https://www.jwz.org/doc/threading.html, the base of RFC 5256 REFERENCES) as far as it goes by
ids, written here from its text and not from our code. What some do by the subject on top of it only joins more.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
from email_kit import channel, one

from outagecast.channel import Kind

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from outagecast.channels.email.channel import Email


@dataclass(eq=False)
class Container:
    """A message, or the place of one that was named and has not come."""

    subject: str = ""
    parent: Container | None = None
    children: list[Container] = field(default_factory=list)

    def within(self, other: Container) -> bool:
        return self is other or (self.parent is not None and self.parent.within(other))

    def hang_under(self, parent: Container) -> None:
        if parent.within(self):
            return
        if self.parent:
            self.parent.children.remove(self)
        self.parent = parent
        parent.children.append(self)

    def messages(self) -> Iterator[str]:
        if self.subject:
            yield self.subject
        for child in self.children:
            yield from child.messages()


def threads(raw: Sequence[bytes]) -> list[list[str]]:
    """The subjects of each thread."""
    table: dict[str, Container] = {}
    for letter in raw:
        message = message_from_bytes(letter, policy=policy.default)
        this = table.setdefault(message["Message-ID"], Container())
        assert not this.subject, "two letters with one Message-ID"
        this.subject = message["Subject"]
        chain = [table.setdefault(reference, Container()) for reference in message["References"].split()]
        for parent, child in pairwise(chain):
            if child.parent is None:
                child.hang_under(parent)
        this.hang_under(chain[-1])
    return [list(root.messages()) for root in table.values() if root.parent is None]


def letter(email: Email, seq: int, kind: Kind, to: str = "ann@example.org") -> bytes:
    """With words that tell it from the others, and after the second one under another title."""
    title = "fibre cut by an excavator" if seq > 2 else "fiber cut, ETA 1h"
    post = one(email, to, words=f"news {seq}", seq=seq, kind=kind, title=title, opened_as="fiber cut, ETA 1h")
    return email._stationery.write(post).content


def incident(updates: int, to: str = "ann@example.org") -> list[bytes]:
    """Opened, so many updates, a correction, resolved."""
    kinds = [Kind.OPENED, *[Kind.UPDATE] * updates, Kind.CORRECTION, Kind.RESOLVED]
    email = channel(subscribers=True)
    return [letter(email, seq, kind, to) for seq, kind in enumerate(kinds)]


STEM = "[Example Hosting] fiber cut"


@pytest.mark.parametrize("updates", [3, 40], ids=["an evening", "a long night"])
@pytest.mark.parametrize("order", ["as sent", "backwards", "any"])
def test_the_letters_of_an_incident_are_one_thread_in_whatever_order_they_come(updates: int, order: str):
    raw = incident(updates)
    if order == "backwards":
        raw.reverse()
    elif order == "any":
        random.Random(4711).shuffle(raw)
    (thread,) = threads(raw)
    assert thread == [STEM] * (updates + 2) + [f"{STEM} [RESOLVED]"]


@pytest.mark.parametrize("updates", [3, 40])
def test_who_joins_late_has_one_thread_too(updates: int):
    assert threads(incident(updates)[-2:]) == [[STEM, f"{STEM} [RESOLVED]"]]


def test_letters_that_were_dropped_for_newer_ones_leave_no_gap():
    """What is overtaken by newer news before it could go out never goes out: here all but every fifth one."""
    assert len(threads(incident(40)[::5])) == 1


def test_another_incident_under_the_same_title_is_another_thread():
    email = channel()
    posts = [one(email, key=key, seq=seq) for key in ("alert-1", "alert-2") for seq in range(2)]
    assert [len(thread) for thread in threads([email._stationery.write(post).content for post in posts])] == [2, 2]


def test_two_readers_on_one_mailbox_get_two_letters_and_no_double():
    """The same Message-ID for both would be dropped as a double by Exchange and Cyrus."""
    assert len(threads(incident(3, "ann@example.org") + incident(3, "bob@example.org"))) == 1
