"""Replies that got through on X: they are looked for, hidden, counted once, and what stands is said."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from twitter_kit import ROOT, UPDATE, Clock, Log, Notes

from outagecast.channel import Act, Receipt, Refused, Replies, TryLater
from outagecast.sandbox.faults import Fault, FaultKind
from outagecast.sandbox.x import ERRORS, XPlatform

if TYPE_CHECKING:
    from collections.abc import Callable

    from outagecast.channels.twitter import Twitter

SEARCH = "GET /2/tweets/search/recent"
READ = r"GET /2/tweets/\d+$"
HIDE = r"PUT /2/tweets/\d+/hidden"


def intruded(x: XPlatform, twitter: Twitter, replies: int = 1) -> tuple[Receipt, list[str]]:
    """A root of ours, with strangers' replies that X let through."""
    root = twitter.send(ROOT, None, Notes())
    x.fails_open = True
    found = [x.stranger_reply(root.ref, f"when? ({number})") for number in range(replies)]
    x.fails_open = False
    return root, [body["data"]["id"] for _, body in found]


def asked(x: XPlatform, what: str) -> int:
    return sum(f"{request.method} {request.path}".startswith(what) for request in x.log)


def seen(x: XPlatform) -> list[str]:
    """What others have said, and everybody sees."""
    return [tweet["text"] for tweet in x.public() if tweet["author"] != x.account.screen_name]


def test_a_reply_that_got_through_is_hidden_and_so_is_what_hangs_below_it(x: XPlatform, twitter: Twitter) -> None:
    root, (reply,) = intruded(x, twitter)
    x.fails_open = True
    deeper = x.stranger_reply(reply, "me too")[1]["data"]["id"]
    below = x.stranger_reply(twitter.send(UPDATE, root, Notes()).ref, "still?")[1]["data"]["id"]
    x.fails_open = False
    log = Log()
    assert twitter.sweep(root, log) is Replies.CLOSED
    assert seen(x) == []
    assert set(log.acts) == {(Act.HIDDEN, ref) for ref in (reply, deeper, below)}


def test_our_own_posts_below_the_root_are_never_hidden(x: XPlatform, twitter: Twitter) -> None:
    root = twitter.send(ROOT, None, Notes())
    twitter.send(UPDATE, root, Notes())
    log = Log()
    assert twitter.sweep(root, log) is Replies.CLOSED
    assert (asked(x, "PUT"), log.acts, len(x.public())) == (0, [], 2)


def test_a_sweep_of_an_update_reads_its_setting_and_searches_nothing(x: XPlatform, twitter: Twitter) -> None:
    root = twitter.send(ROOT, None, Notes())
    update = twitter.send(UPDATE, root, Notes())
    assert twitter.sweep(update, Log()) is Replies.CLOSED
    assert [request.method for request in x.log] == ["POST", "POST", "GET"]


def test_the_verification_right_after_publishing_searches_nothing(x: XPlatform, twitter: Twitter) -> None:
    twitter.close_replies(twitter.send(ROOT, None, Notes()))
    assert asked(x, SEARCH) == 0


@pytest.mark.parametrize("shown", [True, False])
def test_what_is_hidden_already_is_neither_hidden_nor_counted_again(
    x: XPlatform, make: Callable[..., Twitter], shown: bool
) -> None:
    """X does not say whether a search gives hidden replies, nor whether one was hidden before."""
    x.search_shows_hidden = shown
    root, _ = intruded(x, make())
    log = Log()
    make().sweep(root, log)
    make().sweep(root, log)
    assert (len(log.acts), asked(x, "PUT"), asked(x, SEARCH)) == (1, 1, 2)


def test_a_reply_that_is_gone_meanwhile_is_no_work_of_ours(x: XPlatform, twitter: Twitter) -> None:
    root, _ = intruded(x, twitter)
    x.faults.add(ERRORS["not-found"].fault(HIDE))
    log = Log()
    assert twitter.sweep(root, log) is Replies.CLOSED
    assert log.acts == []


def test_replies_are_found_on_every_page(x: XPlatform, twitter: Twitter) -> None:
    root, replies = intruded(x, twitter, 3)
    x.faults.add(
        Fault(SEARCH, status=200, body=json.dumps({"data": [], "meta": {"result_count": 0, "next_token": "0"}}))
    )
    log = Log()
    twitter.sweep(root, log)
    assert [ref for _, ref in log.acts] == list(reversed(replies))


def test_a_search_that_does_not_end_is_given_up_and_told(x: XPlatform, twitter: Twitter) -> None:
    root = twitter.send(ROOT, None, Notes())
    endless = json.dumps({"data": [], "meta": {"result_count": 0, "next_token": "0"}})
    x.faults.add(Fault(SEARCH, status=200, body=endless, times=99))
    log = Log()
    assert twitter.sweep(root, log) is Replies.CLOSED
    assert asked(x, SEARCH) == 5
    assert "newest 500" in log.whys[0]


def test_after_fifty_in_a_quarter_of_an_hour_the_rest_waits(x: XPlatform, make: Callable[..., Twitter]) -> None:
    root, _ = intruded(x, make(), 52)
    log = Log()
    with pytest.raises(TryLater, match=r"2 replies got through below .* cannot be hidden yet") as caught:
        make().sweep(root, log)
    assert (len(log.acts), caught.value.limited) == (50, True)
    x._buckets._used.clear()
    assert make().sweep(root, log) is Replies.CLOSED
    assert (len(log.acts), len(seen(x))) == (52, 0)


def test_what_x_will_not_hide_is_counted_and_left_to_a_person(x: XPlatform, twitter: Twitter) -> None:
    root, _ = intruded(x, twitter, 3)
    x.faults.add(ERRORS["not-permitted"].fault(HIDE))
    log = Log()
    with pytest.raises(
        Refused, match=f"1 reply got through below https://x.com/i/status/{root.ref} and cannot be hidden"
    ) as caught:
        twitter.sweep(root, log)
    assert (len(log.acts), caught.value.mendable, "hide there" in caught.value.hint) == (2, True, True)


@pytest.mark.parametrize("name", ["client-not-enrolled", "credits-depleted", "unauthorized", "not-found"])
def test_where_the_search_is_refused_the_setting_is_read_back_all_the_same(
    x: XPlatform, twitter: Twitter, name: str
) -> None:
    root, _ = intruded(x, twitter)
    x.faults.add(ERRORS[name].fault(SEARCH))
    log = Log()
    assert twitter.sweep(root, log) is Replies.CLOSED
    assert (len(log.whys), "HTTP" in log.whys[0], asked(x, "PUT")) == (1, True, 0)


@pytest.mark.parametrize(
    "fault",
    [
        ERRORS["rate-limited"].fault(SEARCH),
        Fault(SEARCH, status=503, body="{}"),
        Fault(SEARCH, FaultKind.RESET),
        Fault(SEARCH, FaultKind.EMPTY_JSON),
        Fault(HIDE, FaultKind.HTML),
        Fault(HIDE, FaultKind.EMPTY_JSON),
    ],
    ids=lambda fault: f"{fault.match[:3]}-{fault.kind}-{fault.status}",
)
def test_what_is_unclear_is_looked_at_later_and_not_counted(x: XPlatform, twitter: Twitter, fault: Fault) -> None:
    root, _ = intruded(x, twitter)
    x.faults.add(fault)
    log = Log()
    with pytest.raises(TryLater):
        twitter.sweep(root, log)
    assert log.acts == []
    twitter.sweep(root, log)
    assert seen(x) == []


def test_where_x_does_not_say_who_wrote_it_nothing_is_hidden_and_that_is_told(x: XPlatform, twitter: Twitter) -> None:
    root, (reply,) = intruded(x, twitter)
    body = json.dumps({"data": [{"id": reply, "text": "when?"}], "meta": {"result_count": 1}})
    x.faults.add(Fault(SEARCH, status=200, body=body))
    log = Log()
    twitter.sweep(root, log)
    assert (asked(x, "PUT"), log.whys) == (0, ["X does not say who wrote the replies"])


def test_a_setting_that_cannot_be_read_back_is_a_look_that_failed(x: XPlatform, twitter: Twitter) -> None:
    root, _ = intruded(x, twitter)
    x.faults.add(ERRORS["credits-depleted"].fault(READ))
    with pytest.raises(Refused, match="cannot be read back"):
        twitter.sweep(root, Log())


@pytest.mark.parametrize(
    ("setting", "read"), [("everyone", Replies.OPEN), ("following", Replies.OPEN), (None, Replies.UNVERIFIED)]
)
@pytest.mark.parametrize("what", [SEARCH, HIDE])
def test_what_the_setting_was_read_back_as_is_told_before_anything_else_is_tried(
    x: XPlatform, twitter: Twitter, setting: str | None, read: Replies, what: str
) -> None:
    root, _ = intruded(x, twitter)
    x.shown_reply_settings, x.hide_reply_settings = setting, setting is None
    x.faults.add(Fault(what, status=503, body="{}"))
    log = Log()
    with pytest.raises(TryLater):
        twitter.sweep(replies_closed(root), log)
    assert log.setting is read


def test_whoever_goes_on_looking_pays_for_a_search_every_five_minutes_and_a_reading_every_hour(
    x: XPlatform, twitter: Twitter, clock: Clock
) -> None:
    root = replies_closed(twitter.send(ROOT, None, Notes()))
    log, said = Log(), []
    for _ in range(121):
        said.append(twitter.sweep(root, log))
        clock.shift += timedelta(minutes=1)
    assert (asked(x, SEARCH), sum(request.path.endswith(root.ref) for request in x.log)) == (25, 3)
    assert (said.count(Replies.CLOSED), said.count(None)) == (3, 118)


def replies_closed(receipt: Receipt) -> Receipt:
    """As the journal has it once that was read back."""
    return Receipt(receipt.ref, receipt.url, Replies.CLOSED, data=receipt.data)


def test_what_stands_is_said_at_every_round_although_it_is_searched_for_every_five_minutes(
    x: XPlatform, twitter: Twitter, clock: Clock
) -> None:
    root, _ = intruded(x, twitter)
    x.faults.add(*[ERRORS["not-permitted"].fault(HIDE) for _ in range(2)])
    for _ in range(10):
        with pytest.raises(Refused, match="1 reply got through"):
            twitter.sweep(replies_closed(root), Log())
        clock.shift += timedelta(minutes=1)
    assert asked(x, SEARCH) == 2
    assert twitter.sweep(replies_closed(root), Log()) in {Replies.CLOSED, None}
    assert seen(x) == []
