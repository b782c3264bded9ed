"""Every recorded answer of X and Facebook, from the wire to the exit code: the state, the code, and what to type next."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from outagecast.sandbox.graph import ERRORS as GRAPH
from outagecast.sandbox.mail_faults import At, Do, MailFault
from outagecast.sandbox.x import ERRORS as X

if TYPE_CHECKING:
    from night import Done, Night

CODES = {"sent": 0, "planned": 75, "in-doubt": 75, "refused": 1}
"""The exit code that each state of a single post makes, where the platform can be asked."""


def holds(done: Done, name: str, public: int) -> None:
    """What is said fits together, and nothing is claimed that the public does not see."""
    (post,) = done.channel(name)["posts"]
    state = post["state"]
    assert public <= 1
    assert done.code == CODES[state], (state, done.out)
    if state == "sent":
        assert public == 1
        assert post["ref"]
        return
    assert post["detail"]
    if state in ("planned", "refused"):
        assert public == 0, f"{state}, and out"


@pytest.mark.parametrize("answer", sorted(X))
def test_an_answer_of_x(night: Night, answer: str):
    night.write_config(night.twitter())
    night.x.faults.add(X[answer].fault("POST /2/tweets"))
    done = night.run("post", "fiber cut", "--json", "--deadline", "0.7")
    holds(done, "twitter", len(night.tweets()))
    shown = night.run("status").out
    assert done.code == 0 or "outagecast" in shown or "→" in shown
    night.clock.move(7200)
    night.run("resume")
    assert len(night.tweets()) <= 1


@pytest.mark.parametrize("phase", ["POST /1001/feed", r"POST /1001_\d+"])
@pytest.mark.parametrize("answer", sorted(GRAPH))
def test_an_answer_of_facebook(night: Night, answer: str, phase: str):
    night.write_config(night.facebook())
    night.graph.faults.add(GRAPH[answer].fault(phase))
    done = night.run("post", "fiber cut", "--json", "--deadline", "0.7")
    holds(done, "facebook", len(night.pages()))
    shown = night.run("status").out
    assert done.code == 0 or "outagecast" in shown or "→" in shown
    night.clock.move(7200)
    night.run("resume")
    assert len(night.pages()) <= 1


LETTERS = [
    (MailFault(At.CONNECTED, Do.DROP, times=99), "planned", 75),
    (MailFault(At.CONNECTED, reply="421 4.3.2 closing", times=99), "planned", 75),
    (MailFault(At.MAIL, reply="451 4.3.0 later", times=99), "planned", 75),
    (MailFault(At.MAIL, reply="550 5.7.1 not allowed to send as", times=99), "refused", 1),
    (MailFault(At.MAIL, Do.DROP, times=99), "planned", 75),
    (MailFault(At.RCPT, reply="450 4.2.0 greylisted", times=99), "planned", 75),
    (MailFault(At.RCPT, reply="421 4.7.0 too many", times=99), "planned", 75),
    (MailFault(At.RCPT, reply="550 5.1.1 no such user", times=99), "refused", 1),
    (MailFault(At.RCPT, reply="552 5.2.2 mailbox full", times=99), "refused", 1),
    (MailFault(At.RCPT, Do.DROP, times=99), "planned", 75),
    (MailFault(At.DATA, reply="451 4.3.0 later", times=99), "planned", 75),
    (MailFault(At.DATA, reply="554 5.7.1 no", times=99), "refused", 1),
    (MailFault(At.DATA, Do.DROP, times=99), "planned", 75),
    (MailFault(At.CONTENT, reply="452 4.3.1 no space", times=99), "planned", 75),
    (MailFault(At.CONTENT, reply="554 5.7.1 spam", times=99), "refused", 1),
    (MailFault(At.CONTENT, Do.DROP, times=99), "in-doubt", 75),
    (MailFault(At.STORED, Do.DROP, times=99), "in-doubt", 75),
]


@pytest.mark.parametrize(
    ("fault", "state", "code"), LETTERS, ids=[f"{fault.at}-{fault.reply or fault.do}" for fault, _, _ in LETTERS]
)
def test_an_answer_of_a_relay(night: Night, fault: MailFault, state: str, code: int):
    night.to = ["ann@example.org"]
    night.write_config(night.email())
    night.mailbox.faults.add(fault)
    done = night.run("post", "fiber cut", "--json", "--deadline", "0.7")
    (letter,) = done.channel("email")["posts"]
    assert (letter["state"], done.code) == (state, code), done.out
    assert letter["detail"]
    assert len(night.mails()) == (fault.at is At.STORED)
    assert "→" in night.run("status").out or "outagecast resume" in night.run("status").out
