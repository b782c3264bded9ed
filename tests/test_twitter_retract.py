"""Taking a post back from X: whatever X answers, what we say of it is true, and again is always right."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

import pytest
from twitter_kit import ROOT, Notes

from outagecast.channel import Refused, TryLater
from outagecast.sandbox.faults import Fault, FaultKind, When, unclear
from outagecast.sandbox.x import ERRORS, Gone, XPlatform

if TYPE_CHECKING:
    from outagecast.channels.twitter import Twitter

READ = r"GET /2/tweets/\d+"
LATER = {
    *("redirect", "internal-error", "unavailable", "over-capacity", "bad-gateway-page", "gateway-time-out-page"),
    *("duplicate", "duplicate-187", "not-permitted", "unknown-authentication"),
    *("rate-limited", "rate-limited-bare", "rate-limited-plain", "rate-limited-88", "rate-limited-day"),
    "usage-capped-daily",
}
"""Under these names X answers something that may be different the next time."""
GONE = {"not-found", "gone", "parent-gone"}
"""Under these names it says that there is no such post."""
ODD = {name for name in ERRORS if name.startswith("created-")}
"""These are successes that do not say what has happened."""


def test_a_post_is_taken_back_and_taking_it_back_again_is_success(x: XPlatform, twitter: Twitter) -> None:
    root = twitter.send(ROOT, None, Notes())
    twitter.retract(root)
    assert x.public() == []
    twitter.retract(root)


@pytest.mark.parametrize("gone", list(Gone))
@pytest.mark.parametrize("status", [200, 404])
def test_gone_already_is_success_however_x_says_it(gone: Gone, status: int, x: XPlatform, twitter: Twitter) -> None:
    root = twitter.send(ROOT, None, Notes())
    x.tweets.delete(root.ref)
    x.gone, x.missing_status = gone, status
    twitter.retract(root)


def test_a_404_on_a_post_that_is_still_there_is_no_success(x: XPlatform, twitter: Twitter) -> None:
    root = twitter.send(ROOT, None, Notes())
    x.faults.add(ERRORS["not-found"].fault("DELETE"))
    with pytest.raises(TryLater, match="did not delete"):
        twitter.retract(root)


@pytest.mark.parametrize("kind", [FaultKind.RESET, FaultKind.HANG, FaultKind.STATUS, FaultKind.REDIRECT])
def test_an_unclear_deletion_may_be_repeated(kind: FaultKind, x: XPlatform, twitter: Twitter) -> None:
    root = twitter.send(ROOT, None, Notes())
    x.faults.add(Fault("DELETE", kind, When.AFTER))
    with pytest.raises(TryLater):
        twitter.retract(root)
    twitter.retract(root)
    assert x.public() == []


def test_a_key_that_may_not_delete_is_refused(x: XPlatform, twitter: Twitter) -> None:
    root = twitter.send(ROOT, None, Notes())
    x.account.write = False
    with pytest.raises(Refused, match="may only read"):
        twitter.retract(root)


@pytest.mark.parametrize("name", sorted(ERRORS))
def test_what_an_answer_means_while_the_post_is_still_there(name: str, x: XPlatform, twitter: Twitter) -> None:
    root = twitter.send(ROOT, None, Notes())
    x.faults.add(ERRORS[name].fault("DELETE", When.BEFORE))
    with pytest.raises(TryLater if name in LATER | GONE | ODD else Refused) as caught:
        twitter.retract(root)
    assert getattr(caught.value, "mendable", True), "a person can mend it, or it mends itself"
    assert caught.value.hint
    assert len(x.public()) == 1
    twitter.retract(root)
    assert x.public() == []


@pytest.mark.parametrize("name", sorted(ERRORS))
def test_what_an_answer_means_when_the_post_is_gone(name: str, x: XPlatform, twitter: Twitter) -> None:
    """An answer that says so is believed after a look; of any other nothing is believed but that it may be repeated."""
    root = twitter.send(ROOT, None, Notes())
    x.faults.add(ERRORS[name].fault("DELETE", When.AFTER))
    if name in GONE | ODD:
        twitter.retract(root)
    else:
        with pytest.raises(TryLater if name in LATER else Refused):
            twitter.retract(root)
    assert x.public() == []
    twitter.retract(root)


@pytest.mark.parametrize("name", [name for name in unclear("") if not name.startswith(("silence", "drip"))])
def test_a_broken_answer_never_passes_for_a_deletion(name: str, x: XPlatform, twitter: Twitter) -> None:
    root = twitter.send(ROOT, None, Notes())
    x.faults.add(unclear("DELETE")[name])
    with suppress(TryLater):
        twitter.retract(root)
        assert x.public() == []
    twitter.retract(root)
    assert x.public() == []


@pytest.mark.parametrize("name", sorted(ERRORS))
def test_that_it_is_gone_is_believed_only_if_it_can_be_read(name: str, x: XPlatform, twitter: Twitter) -> None:
    root = twitter.send(ROOT, None, Notes())
    x.tweets.delete(root.ref)
    x.faults.add(ERRORS[name].fault(READ))
    if name == "not-found":
        twitter.retract(root)
        return
    with pytest.raises((TryLater, Refused)):
        twitter.retract(root)
