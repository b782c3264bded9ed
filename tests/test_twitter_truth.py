"""Every answer X is known to give to a create, through the real tweepy over real sockets: what we make of it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from twitter_kit import CREATE, HOUSE, Notes, settings

from outagecast.channel import Absent, ChannelError, InDoubt, Post, Receipt, Refused, TryLater
from outagecast.channels.twitter import Twitter
from outagecast.channels.twitter_table import TABLE
from outagecast.sandbox.faults import unclear
from outagecast.sandbox.x import ERRORS, XPlatform

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


@dataclass(frozen=True)
class Told:
    """What an answer to a root has to become."""

    kind: type[ChannelError]
    mendable: bool = False
    after: timedelta | None = None
    limited: bool = False
    duplicate: bool = False


DOUBT = Told(InDoubt)
DUPLICATE = Told(InDoubt, duplicate=True)
MEND = Told(Refused, mendable=True)
NEVER = Told(Refused)
WAIT = Told(TryLater, limited=True)

TRUTH: Mapping[str, Told] = {
    "created-no-body": DOUBT,
    "created-empty-object": DOUBT,
    "created-data-null": DOUBT,
    "created-data-empty": DOUBT,
    "created-list": DOUBT,
    "created-cut-json": DOUBT,
    "created-html": DOUBT,
    "redirect": DOUBT,
    "internal-error": DOUBT,
    "unavailable": DOUBT,
    "over-capacity": DOUBT,
    "bad-gateway-page": DOUBT,
    "gateway-time-out-page": DOUBT,
    "duplicate": DUPLICATE,
    "duplicate-187": DUPLICATE,
    "invalid-request": NEVER,
    "text-too-long": NEVER,
    "text-too-long-403": NEVER,
    "cashtags-400": NEVER,
    "cashtags-403": NEVER,
    "not-found": MEND,
    "method-not-allowed": MEND,
    "conflict": MEND,
    "gone": MEND,
    "too-large": NEVER,
    "unprocessable": NEVER,
    "forbidden-page": MEND,
    "forbidden-list": MEND,
    "forbidden-null": MEND,
    "forbidden-errors-null": MEND,
    "reply-not-mentioned": NEVER,
    "reply-not-engaged": NEVER,
    "parent-gone": NEVER,
    "settings-on-reply": NEVER,
    "unauthorized": MEND,
    "credits-depleted": MEND,
    "not-permitted": Told(TryLater, after=timedelta(minutes=5)),
    "feature-not-permitted": MEND,
    "suspended": MEND,
    "spend-cap": MEND,
    "oauth1-permissions": MEND,
    "unsupported-authentication": MEND,
    "unknown-authentication": Told(TryLater, after=timedelta(seconds=5)),
    "client-not-enrolled": MEND,
    "access-level": MEND,
    "rate-limited": Told(TryLater, after=timedelta(minutes=15), limited=True),
    "rate-limited-bare": WAIT,
    "rate-limited-plain": WAIT,
    "rate-limited-88": WAIT,
    "rate-limited-day": Told(TryLater, after=timedelta(hours=12), limited=True),
    "usage-capped-daily": Told(TryLater, after=timedelta(hours=12), limited=True),
    "usage-capped-monthly": MEND,
}


@pytest.fixture
def twitter(x: XPlatform) -> Iterator[Twitter]:
    channel = Twitter("twitter", settings(x), HOUSE, patience=0.3)
    yield channel
    channel.close()


def now() -> datetime:
    return datetime.now(UTC)


def fails(twitter: Twitter, post: Post, parent: Receipt | None = None) -> ChannelError:
    with pytest.raises(ChannelError) as caught:
        twitter.send(post, parent, Notes())
    return caught.value


def secrets_of(x: XPlatform) -> list[str]:
    keys = x.account
    return [keys.api_key, keys.api_key_secret, keys.access_token, keys.access_token_secret]


def test_the_table_of_truth_knows_every_recorded_answer() -> None:
    assert set(TRUTH) == set(ERRORS)


def test_every_row_of_the_adapters_table_is_met_by_a_recorded_answer(x: XPlatform, twitter: Twitter) -> None:
    """A row that no recorded answer reaches is a row nobody has tried."""
    from outagecast.channels.twitter_answers import judge

    met = {"published"}
    for error in ERRORS.values():
        x.faults.add(error.fault(CREATE))
        met.add(judge(twitter._api.create("[14:05 UTC] words", None, None)).row.name)
    assert met == {row.name for row in TABLE}


@pytest.mark.parametrize("name", sorted(TRUTH))
def test_what_an_answer_to_a_root_means(name: str, x: XPlatform, twitter: Twitter) -> None:
    told, error = TRUTH[name], ERRORS[name]
    x.faults.add(error.fault(CREATE))
    answer = fails(twitter, Post("[14:05 UTC] fiber cut"))
    assert type(answer) is told.kind
    assert getattr(answer, "mendable", False) == told.mendable
    assert getattr(answer, "duplicate", False) == told.duplicate
    assert getattr(answer, "limited", False) == told.limited
    if told.after is not None:
        assert isinstance(answer, TryLater)
        assert answer.after == pytest.approx(told.after, abs=timedelta(seconds=2))
    assert len(x.public()) == (1 if name.startswith("created-") else 0)
    assert len(x.log) == 1, "nothing is ever sent twice"


@pytest.mark.parametrize("name", sorted(TRUTH))
def test_every_answer_is_told_in_words_with_a_way_out_and_no_secret(name: str, x: XPlatform, twitter: Twitter) -> None:
    x.faults.add(ERRORS[name].fault(CREATE))
    answer = fails(twitter, Post("[14:05 UTC] fiber cut"))
    assert "X " in answer.text
    assert "outagecast" in answer.hint
    assert "<" not in answer.text
    assert not [secret for secret in secrets_of(x) if secret in answer.text + answer.hint + repr(answer)]


@pytest.mark.parametrize("name", ["reply-not-mentioned", "reply-not-engaged"])
def test_an_update_refused_by_the_reply_rule_goes_out_as_a_root_of_its_own(
    name: str, x: XPlatform, twitter: Twitter
) -> None:
    root = twitter.send(Post("[14:05 UTC] fiber cut"), None, Notes())
    x.faults.add(ERRORS[name].fault(CREATE))
    notes = Notes()
    update = twitter.send(Post("[14:25 UTC · update 1] splicing"), root, notes)
    assert notes == {"root": "1"}
    assert update.note
    assert update.data["conversation"] == update.ref
    assert [post["can_reply"] for post in x.public()] == [False, False]
    assert x.public()[1]["in_reply_to"] is None


@pytest.mark.parametrize("name", sorted(unclear(CREATE)))
def test_after_a_broken_answer_a_look_tells_whether_it_is_out(name: str, x: XPlatform, twitter: Twitter) -> None:
    post, began = Post("[14:05 UTC] fiber cut & status.example.com"), now()
    x.faults.add(unclear(CREATE, pace=0.02)[name])
    assert isinstance(fails(twitter, post), InDoubt)
    found = twitter.find(post, None, began)
    if name.endswith("after"):
        assert isinstance(found, Receipt)
        assert found.ref == x.public()[0]["id"]
    else:
        assert isinstance(found, Absent)
        assert found.believe_after >= timedelta(seconds=60)
        assert x.public() == []


def test_a_platform_that_is_away_has_published_nothing(x: XPlatform, twitter: Twitter) -> None:
    x.close()
    answer = fails(twitter, Post("[14:05 UTC] fiber cut"))
    assert isinstance(answer, TryLater)
    assert answer.text == "could not reach api.twitter.com: connection refused"


def test_only_the_buckets_that_are_empty_decide_how_long_to_wait(x: XPlatform, twitter: Twitter) -> None:
    """The quarter of an hour has calls left; when it starts anew means nothing."""
    resets = {"x-rate-limit-reset": 800, "x-user-limit-24hour-reset": 300}
    x.faults.add(replace(ERRORS["rate-limited-day"], resets=resets).fault(CREATE))
    answer = fails(twitter, Post("[14:05 UTC] fiber cut"))
    assert isinstance(answer, TryLater)
    assert answer.after == pytest.approx(timedelta(minutes=5), abs=timedelta(seconds=2))


@pytest.mark.parametrize("reset", ["", "soon", "-1", "99999999999999999999", "1e9"])
def test_a_reset_that_makes_no_sense_leaves_the_wait_to_the_caller(reset: str, x: XPlatform, twitter: Twitter) -> None:
    error = replace(ERRORS["rate-limited-bare"], headers={"x-rate-limit-remaining": "0", "x-rate-limit-reset": reset})
    x.faults.add(error.fault(CREATE))
    answer = fails(twitter, Post("[14:05 UTC] fiber cut"))
    assert isinstance(answer, TryLater)
    assert answer.after is None


@pytest.mark.parametrize("tries", [("not-permitted", 3), ("unknown-authentication", 1)])
def test_a_refusal_that_comes_and_goes_is_tried_a_few_times_then_a_person_must_look(
    tries: tuple[str, int], x: XPlatform, twitter: Twitter
) -> None:
    name, times = tries
    notes = Notes()
    for _ in range(times):
        x.faults.add(ERRORS[name].fault(CREATE))
        with pytest.raises(TryLater):
            twitter.send(Post("[14:05 UTC] fiber cut", token=dict(notes)), None, notes)
    x.faults.add(ERRORS[name].fault(CREATE))
    with pytest.raises(Refused) as caught:
        twitter.send(Post("[14:05 UTC] fiber cut", token=dict(notes)), None, notes)
    assert caught.value.mendable


def test_what_x_says_cannot_move_the_cursor_of_a_terminal(x: XPlatform, twitter: Twitter) -> None:
    x.faults.add(replace(ERRORS["unauthorized"], body='{"detail": "\\u001b[2Jgone"}').fault(CREATE))
    answer = fails(twitter, Post("[14:05 UTC] fiber cut"))
    assert "\x1b" not in answer.text
    assert "[2Jgone" in answer.text
