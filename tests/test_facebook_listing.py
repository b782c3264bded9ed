"""What a list of comments proves: only a whole one, looked at again after anything was done, says `moderated`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from facebook_kit import NOW, POST, PUBLISH, sent, simulated_page

from outagecast.channel import Refused, Replies, TryLater
from outagecast.sandbox.faults import Fault
from outagecast.sandbox.graph_errors import usage

if TYPE_CHECKING:
    from collections.abc import Iterator

    from outagecast.sandbox.graph import GraphPlatform

COMMENTS = r"GET /v25.0/[0-9_]+/comments"
MAY_NOT_ASK = '{"error":{"message":"(#200) no","code":200}}'


@pytest.fixture
def page() -> Iterator[GraphPlatform]:
    yield from simulated_page()


def standing(page: GraphPlatform) -> list[str]:
    return [comment["text"] for post in page.public() for comment in post["comments"]]


def answers(page: GraphPlatform, body: object, times: int = 1) -> None:
    page.faults.add(Fault(COMMENTS, status=200, body=json.dumps(body), times=times))


def looks(page: GraphPlatform) -> int:
    return sum(request.path.endswith("/comments") for request in page.log)


@pytest.mark.parametrize("rule", ["hide", "delete"])
def test_however_many_pages_the_comments_fill_none_is_skipped(page: GraphPlatform, rule: str):
    facebook, receipt = sent(page, comments=rule)
    for number in range(230):
        page.stranger_comment(receipt.ref, f"comment {number}")
    assert facebook.close_replies(receipt) is Replies.MODERATED
    assert standing(page) == []


def test_comments_are_listed_again_only_after_something_was_done(page: GraphPlatform):
    facebook, receipt = sent(page)
    page.stranger_comment(receipt.ref, "when?")
    facebook.close_replies(receipt)
    assert looks(page) == 2
    facebook.close_replies(receipt)
    assert looks(page) == 3


def test_a_comment_written_during_the_sweep_is_removed_by_it(page: GraphPlatform):
    facebook, receipt = sent(page)
    page.stranger_comment(receipt.ref, "first")
    late = ["second", "third"]

    def comes(point: str, request: object) -> None:
        if point == "answered" and str(getattr(request, "path", "")).endswith("/comments") and late:
            page.stranger_comment(receipt.ref, late.pop())

    page.on_event = comes
    assert facebook.close_replies(receipt) is Replies.MODERATED
    assert standing(page) == []


def test_comments_that_never_end_are_left_to_the_next_sweep(page: GraphPlatform):
    facebook, receipt = sent(page)
    page.stranger_comment(receipt.ref, "first")

    def comes(point: str, request: object) -> None:
        if point == "answered" and str(getattr(request, "path", "")).endswith("/comments"):
            page.stranger_comment(receipt.ref, "again")

    page.on_event = comes
    with pytest.raises(TryLater, match="faster than they are removed"):
        facebook.close_replies(receipt)


def test_the_newest_of_more_than_5000_comments_are_hidden_and_the_rest_is_told(page: GraphPlatform):
    facebook, receipt = sent(page)
    page.stranger_comment(receipt.ref, "oldest")
    for number in range(5000):
        ref = page.stranger_comment(receipt.ref, f"comment {number}")
        page.page.hide(page.page.comments[ref], hidden=True)
    page.stranger_comment(receipt.ref, "newest")
    with pytest.raises(Refused, match=r"newest 5,000: the list has more than 5,000") as caught:
        facebook.close_replies(receipt)
    assert standing(page) == ["oldest"]
    assert caught.value.hint.endswith("outagecast sweep")


HIDDEN = {"id": "2001_9001", "from": {"id": "77"}, "is_hidden": True, "can_hide": True}


@pytest.mark.parametrize(
    "cut",
    [
        {"data": [HIDDEN], "paging": {"next": "https://graph.facebook.com/v25.0/x?until=1"}},
        {"data": [HIDDEN], "paging": {"next": "https://x", "cursors": {"after": 7}}},
        {"data": [HIDDEN], "paging": {"next": "https://x", "cursors": {"after": "0"}}},
        {"data": [HIDDEN, "2001_9002"]},
        {"data": [None]},
        {"summary": {"total_count": 0}},
    ],
    ids=[
        "no cursor",
        "odd cursor",
        "the same cursor again",
        "an entry that is text",
        "an entry that is null",
        "no list",
    ],
)
def test_a_list_that_ends_early_is_looked_at_again_later(page: GraphPlatform, cut: dict[str, object]):
    facebook, receipt = sent(page)
    page.stranger_comment(receipt.ref, "when?")
    answers(page, cut, times=9)
    with pytest.raises(TryLater) as caught:
        facebook.close_replies(receipt)
    assert "outagecast sweep" in caught.value.hint
    assert "resume" not in caught.value.hint


def test_what_was_listed_is_hidden_although_the_list_breaks_off(page: GraphPlatform):
    facebook, receipt = sent(page)
    for number in range(120):
        page.stranger_comment(receipt.ref, f"comment {number}")
    page.faults.add(Fault(COMMENTS, status=500, body="{}", skip=1, times=1), Fault(COMMENTS, status=500, skip=1))
    with pytest.raises(TryLater, match="ends after the newest 100"):
        facebook.close_replies(receipt)
    assert standing(page) == [f"comment {number}" for number in range(20)]


def test_a_first_page_without_comments_is_not_the_end_of_the_list(page: GraphPlatform):
    facebook, receipt = sent(page)
    page.stranger_comment(receipt.ref, "when?")
    more = {"next": "https://graph.facebook.com/x", "cursors": {"after": "-1"}}
    answers(page, {"data": [], "paging": more, "summary": {"total_count": 1}})
    assert facebook.close_replies(receipt) is Replies.MODERATED
    assert standing(page) == []


@pytest.mark.parametrize(
    ("counted", "contradicts"), [(5, True), ("5", True), (1, False), (0, False), (None, False), ("", False)]
)
def test_a_count_of_more_than_the_page_s_own_comments_contradicts_them_where_nobody_may_ask(
    page: GraphPlatform, counted: object, *, contradicts: bool
):
    facebook, receipt = sent(page)
    page.faults.add(Fault("GET /v25.0/debug_token", status=400, body=MAY_NOT_ASK, times=9))
    own = {"id": "2001_9001", "from": {"id": page.page_id}, "is_hidden": False, "can_hide": False}
    answers(page, {"data": [own], "summary": {"total_count": counted}})
    if not contradicts:
        assert facebook.close_replies(receipt) is Replies.MODERATED
        return
    with pytest.raises(Refused, match="counts 5 comments and lists 1") as caught:
        facebook.close_replies(receipt)
    assert "pages_read_user_content" in caught.value.hint


def test_the_count_is_no_measure_for_a_token_that_is_known_to_have_the_rights(page: GraphPlatform):
    facebook, receipt = sent(page)
    own = {"id": "2001_9001", "from": {"id": page.page_id}, "is_hidden": False, "can_hide": False}
    answers(page, {"data": [own], "summary": {"total_count": 5}})
    assert facebook.close_replies(receipt) is Replies.MODERATED


def test_a_hidden_comment_without_its_author_is_no_sight_of_strangers(page: GraphPlatform):
    facebook, receipt = sent(page)
    answers(page, {"data": [{"id": "2001_9001", "is_hidden": True, "can_hide": True}]})
    with pytest.raises(Refused, match="without their authors"):
        facebook.close_replies(receipt)


def test_a_comment_that_is_listed_as_before_after_facebook_said_hidden_is_not_called_moderated(page: GraphPlatform):
    facebook, receipt = sent(page)
    page.stranger_comment(receipt.ref, "when?")
    page.faults.add(Fault(PUBLISH, status=200, body='{"success":true}'))
    with pytest.raises(TryLater, match="1 comment may still stand"):
        facebook.close_replies(receipt)
    assert facebook.close_replies(receipt) is Replies.MODERATED


def test_a_list_that_breaks_off_does_not_pass_for_a_post_that_is_not_there(page: GraphPlatform):
    facebook, receipt = sent(page)
    page.faults.add(Fault("GET /v25.0/[0-9]+/feed", status=200, body='{"data":["1001_2001"]}'))
    with pytest.raises(TryLater):
        facebook.find(POST, None, NOW)
    assert facebook.find(POST, None, NOW).ref == receipt.ref


def test_comments_are_not_listed_again_by_calls_that_posts_may_need(page: GraphPlatform):
    facebook, receipt = sent(page)
    page.stranger_comment(receipt.ref, "when?")
    page.faults.add(Fault(PUBLISH, status=200, body='{"success":true}', headers=usage(page.page_id, 80, 0)))
    with pytest.raises(TryLater, match="80 %"):
        facebook.close_replies(receipt)
    assert looks(page) == 1
