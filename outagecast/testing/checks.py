"""What must be true of whatever a channel answers."""
# ruff: noqa: S101  a contract is made of assertions; this runs under pytest only

from __future__ import annotations

from typing import TYPE_CHECKING

from outagecast.channel import (
    Absent,
    CannotTell,
    Finding,
    InDoubt,
    Level,
    Receipt,
    Refused,
    Replies,
    ReplyControl,
    TryLater,
    Unfinished,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from outagecast.channel import Channel, ChannelError, Post
    from outagecast.testing.subject import Attempt, Subject


CLOSED: Mapping[ReplyControl, frozenset[Replies]] = {
    ReplyControl.ATOMIC: frozenset({Replies.CLOSED, Replies.UNVERIFIED}),
    ReplyControl.AFTER: frozenset({Replies.CLOSED, Replies.UNVERIFIED}),
    ReplyControl.CHANNEL: frozenset({Replies.CLOSED, Replies.UNVERIFIED}),
    ReplyControl.MODERATED: frozenset({Replies.MODERATED}),
    ReplyControl.NATIVE: frozenset({Replies.NONE}),
    ReplyControl.NONE: frozenset({Replies.OPEN}),
}
"""What may be known of replies when everything went well, by the kind of control a type claims."""


def check_truth(attempt: Attempt, name: str) -> None:
    """The answer fits what the public sees; `name` is what was broken."""
    subject, answer, text = attempt.subject, attempt.answer, attempt.post.text
    seen = subject.public(text)
    if isinstance(answer, Receipt):
        assert seen == 1, f"{name}: a receipt, and the public sees {seen}"
        return
    if answer is not None:
        check_error(subject, answer)
    if not isinstance(answer, InDoubt):
        assert seen == 0, f"{name}: {answer!r}, and the public sees {seen}"
        return
    assert seen <= 1, f"{name}: sent {seen} times by one call"
    if subject.channel.caps.can_find:
        _check_look(attempt, name, seen)


def _check_look(attempt: Attempt, name: str, seen: int) -> None:
    """After a doubt: the look fits what the public sees, and what is missing can be sent after all, once."""
    subject = attempt.subject
    found = subject.channel.find(attempt.post, None, attempt.begun_at)
    if isinstance(found, CannotTell):
        return
    assert isinstance(found, Receipt) == (seen == 1), f"{name}: {found!r}, and the public sees {seen}"
    if isinstance(found, Receipt):
        return
    assert isinstance(found, (Absent, Unfinished))
    attempt.remember(found.token if isinstance(found, Unfinished) else {})
    again = attempt.run()
    seen = subject.public(attempt.post.text)
    # A platform may still hold the broken attempt against the new one; then it is in doubt again, and not out.
    assert seen == isinstance(again, Receipt), f"{name}, sent again: {again!r}, and the public sees {seen}"


def check_post(channel: Channel, post: Post) -> None:
    """What is rendered keeps the limits and can be written down."""
    assert post.text.strip()
    assert all(isinstance(value, str) for pair in post.data.items() for value in pair), "the journal keeps strings"
    for limit in channel.caps.limits:
        assert limit.count(post.text) <= limit.most


def check_error(subject: Subject, err: ChannelError) -> None:
    """One of the three answers, in words, without a secret."""
    assert isinstance(err, (TryLater, Refused, InDoubt)), f"{type(err).__name__} is none of the three answers"
    assert err.text.strip()
    check_clean(subject, f"{err} {err!r} {err.text} {err.hint}")


def check_findings(subject: Subject) -> int:
    """What `check` says is fit to be shown; how many lines it has."""
    findings = list(subject.channel.check())
    for finding in findings:
        _check_finding(subject, finding)
    return len(findings)


def _check_finding(subject: Subject, finding: Finding) -> None:
    assert isinstance(finding, Finding)
    assert finding.channel == subject.channel.name
    assert finding.text.strip()
    assert finding.do or finding.level is Level.GOOD, f"what is to be done about: {finding.text}"
    check_clean(subject, f"{finding.text} {finding.do}")


def check_clean(subject: Subject, shown: str) -> None:
    """No secret in what is shown."""
    for secret in subject.secrets:
        assert secret not in shown, "a secret shows"
