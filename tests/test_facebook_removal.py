"""What a sweep does to comments: never anything to what may be the Page's own, and one that fails saves no other."""

from __future__ import annotations

import dataclasses
import json
from typing import TYPE_CHECKING

import pytest
from facebook_kit import OWN_COMMENT, PUBLISH, sent, simulated_page, written
from msgspec.structs import replace

from outagecast.channel import Act, Refused, Replies, TryLater
from outagecast.sandbox.faults import Fault, FaultKind, When
from outagecast.sandbox.graph_errors import ERRORS, unsupported

if TYPE_CHECKING:
    from collections.abc import Iterator

    from outagecast.sandbox.graph import GraphPlatform

COMMENTS = r"GET /v25.0/[0-9_]+/comments"
DOWN = '{"error":{"message":"An unknown error occurred","code":1}}'
EASTERN = "".join(chr(0x660 + digit) for digit in (1, 0, 0, 1))
"""Digits to str.isdigit, and none of an id."""
STRANGER = {"id": "2001_9001", "from": {"id": "77"}, "is_hidden": False, "can_hide": True, "can_remove": True}


@pytest.fixture
def page() -> Iterator[GraphPlatform]:
    yield from simulated_page()


class Log:
    """What a sweep says of comments; somebody waits after `patience` of them."""

    def __init__(self, patience: int = 1000) -> None:
        self.acts: list[tuple[Act, str]] = []
        self.patience = patience

    def done(self, act: Act, ref: str) -> None:
        self.acts.append((act, ref))

    def has(self, ref: str) -> bool:
        return any(ref == one for _, one in self.acts)

    def unsearched(self, why: str) -> None:
        raise AssertionError(why)

    def give_way(self) -> bool:
        return len(self.acts) >= self.patience


def standing(page: GraphPlatform) -> list[str]:
    return [comment["text"] for post in page.public() for comment in post["comments"]]


def lists(page: GraphPlatform, *comments: dict[str, object]) -> None:
    page.faults.add(Fault(COMMENTS, status=200, body=json.dumps({"data": comments}), times=9))


def touched(page: GraphPlatform) -> list[str]:
    """Give what was written after the post was out."""
    return written(page)[2:]


def commented(page: GraphPlatform, post: str, count: int) -> list[str]:
    return [page.stranger_comment(post, f"comment {number}") for number in range(count)]


def test_what_is_hidden_is_said_of_each_and_newest_first(page: GraphPlatform):
    facebook, receipt = sent(page)
    refs = commented(page, receipt.ref, 3)
    log = Log()
    assert facebook.sweep(receipt, log) is Replies.MODERATED
    assert log.acts == [(Act.HIDDEN, ref) for ref in reversed(refs)]


def test_a_comment_that_the_page_has_answered_is_hidden_where_others_are_deleted(page: GraphPlatform):
    facebook, receipt = sent(page, comments="delete")
    asked = page.stranger_comment(receipt.ref, "when?")
    deeper = page.stranger_comment(receipt.ref, "yes, when?", parent=asked)
    own = page.page_comment(receipt.ref, "see help.example.net", parent=deeper)
    other = page.stranger_comment(receipt.ref, "me too", parent=asked)
    log = Log()
    assert facebook.sweep(receipt, log) is Replies.MODERATED
    assert own in page.page.comments
    assert sorted(log.acts) == sorted([(Act.DELETED, other), (Act.HIDDEN, deeper), (Act.HIDDEN, asked)])
    assert standing(page) == []


@pytest.mark.parametrize("rule", ["hide", "delete"])
@pytest.mark.parametrize(
    "unclear",
    [
        {"from": {"id": "100064000000001"}, "can_hide": False},
        {"from": {"id": None}, "can_hide": False},
        {"from": {"id": "None"}, "can_hide": False},
        {"from": {"id": EASTERN}, "can_hide": False},
        {"from": {"id": 1001}, "can_hide": False},
        {"from": None, "can_hide": False},
        {"from": 1001, "can_hide": False},
        {"from": {"id": "77"}, "can_hide": False, "can_remove": False},
        {"id": ""},
        {"id": "../me/feed?x="},
        {"id": "2001_9001/likes"},
        {"id": f"{EASTERN}_9001"},
        {"id": 9001},
        {"id": "1001_2001"},
        {"id": "2001"},
        {"id": "1001"},
    ],
    ids=str,
)
def test_what_cannot_be_told_to_be_a_strangers_comment_is_left_alone_and_told(
    page: GraphPlatform, rule: str, unclear: dict[str, object]
):
    facebook, receipt = sent(page, comments=rule)
    lists(page, {**STRANGER, **unclear})
    with pytest.raises(Refused, match="1 comment may still stand") as caught:
        facebook.close_replies(receipt)
    assert caught.value.mendable
    assert "outagecast sweep" in caught.value.hint
    assert touched(page) == []


@pytest.mark.parametrize(
    "not_deleted",
    [
        {"can_remove": False},
        {"can_hide": None},
        {"from": None},
        {"from": {"id": "None"}},
        {"from": {"id": EASTERN}},
        {"id": "2000_9001"},
    ],
    ids=str,
)
def test_what_may_not_or_must_not_be_deleted_is_hidden(page: GraphPlatform, not_deleted: dict[str, object]):
    facebook, receipt = sent(page, comments="delete")
    lists(page, {**STRANGER, **not_deleted})
    with pytest.raises(Refused):  # the list stays as it is
        facebook.close_replies(receipt)
    assert {line.partition(" ")[0] for line in touched(page)} == {"POST"}


def test_a_comment_of_another_post_is_left_alone(page: GraphPlatform):
    facebook, receipt = sent(page)
    page.stranger_comment(receipt.ref, "when?")
    real = page.page.comments[(mine := next(iter(page.page.comments)))]
    lists(page, {**STRANGER, "id": mine, "is_hidden": True}, {**STRANGER, "id": "2000_9001"})
    with pytest.raises(Refused, match="of another post"):
        facebook.close_replies(receipt)
    assert not real.hidden
    assert touched(page) == []


def test_nothing_is_touched_on_a_page_that_the_config_no_longer_names(page: GraphPlatform):
    facebook, receipt = sent(page, comments="delete")
    page.stranger_comment(receipt.ref, "when?")
    before = len(page.log)
    with pytest.raises(Refused, match="the post is on Page 1002, and the config names 1001") as caught:
        facebook.close_replies(replace(receipt, data={"page": "1002"}))
    assert "outagecast sweep" in caught.value.hint
    assert len(page.log) == before


def test_a_comment_that_is_said_to_be_gone_and_listed_again_still_stands(page: GraphPlatform):
    facebook, receipt = sent(page)
    ref, other = commented(page, receipt.ref, 2)
    page.faults.add(*[unsupported("post", ref).fault(f"POST /v25.0/{ref}")] * 9)
    for _ in range(2):
        with pytest.raises(Refused, match="1 comment may still stand: Facebook lists it as before"):
            facebook.close_replies(receipt)
    assert page.page.comments[other].hidden


@pytest.mark.parametrize(("status", "body", "error"), [(500, DOWN, TryLater), (403, OWN_COMMENT, Refused)])
def test_comments_that_cannot_be_hidden_do_not_save_the_others(
    page: GraphPlatform, status: int, body: str, error: type[Exception]
):
    facebook, receipt = sent(page)
    refs = commented(page, receipt.ref, 8)
    stubborn = "|".join(refs[1:3] + refs[4:7])
    page.faults.add(Fault(f"POST /v25.0/({stubborn})", status=status, body=body, times=99))
    with pytest.raises(error, match="5 comments may still stand") as caught:
        facebook.close_replies(receipt)
    assert standing(page) == [f"comment {number}" for number in (1, 2, 4, 5, 6)]
    assert "sweep" in str(getattr(caught.value, "hint", ""))


def many(name: str) -> Fault:
    return dataclasses.replace(ERRORS[name].fault(PUBLISH), times=99)


@pytest.mark.parametrize(
    ("answer", "tries", "error"),
    [
        (Fault(PUBLISH, status=500, body=DOWN, times=99), 5, TryLater),
        (many("token-463"), 1, Refused),
        (many("permission-denied"), 20, Refused),
        (many("page-calls"), 1, TryLater),
    ],
    ids=["down", "token", "rights", "calls"],
)
def test_what_is_not_one_comment_s_fault_ends_the_sweep_and_says_how_many_stand(
    page: GraphPlatform, answer: Fault, tries: int, error: type[Exception]
):
    facebook, receipt = sent(page)
    commented(page, receipt.ref, 25)
    page.faults.add(answer)
    with pytest.raises(error, match="25 comments may still stand"):
        facebook.close_replies(receipt)
    assert len(touched(page)) == tries


@pytest.mark.parametrize(("rule", "act"), [("hide", Act.HIDDEN), ("delete", Act.DELETED)])
def test_what_was_done_and_not_answered_is_counted(page: GraphPlatform, rule: str, act: Act):
    facebook, receipt = sent(page, comments=rule)
    ref = page.stranger_comment(receipt.ref, "when?")
    page.faults.add(Fault(f"(POST|DELETE) /v25.0/{ref}", FaultKind.RESET, when=When.AFTER))
    log = Log()
    assert facebook.sweep(receipt, log) is Replies.MODERATED
    assert log.acts == [(act, ref)]


@pytest.mark.parametrize("rule", ["hide", "delete"])
def test_what_was_not_done_and_not_answered_is_not_counted(page: GraphPlatform, rule: str):
    facebook, receipt = sent(page, comments=rule)
    ref = page.stranger_comment(receipt.ref, "when?")
    page.faults.add(Fault(f"(POST|DELETE) /v25.0/{ref}", FaultKind.RESET))
    log = Log()
    with pytest.raises(TryLater, match="1 comment may still stand"):
        facebook.sweep(receipt, log)
    assert log.acts == []


def test_a_sweep_gives_way_between_two_comments(page: GraphPlatform):
    facebook, receipt = sent(page)
    commented(page, receipt.ref, 3)
    with pytest.raises(TryLater, match="another command waits"):
        facebook.sweep(receipt, Log(patience=1))
    assert standing(page) == ["comment 0", "comment 1"]


@pytest.mark.parametrize("call", [COMMENTS, PUBLISH], ids=["list", "hide"])
def test_no_error_of_a_sweep_is_answered_with_what_helps_a_post(page: GraphPlatform, call: str):
    facebook, receipt = sent(page)
    told = 0
    for name, answer in ERRORS.items():
        page.stranger_comment(receipt.ref, "when?")
        page.faults.add(answer.fault(call))
        try:
            facebook.close_replies(receipt)
        except (Refused, TryLater) as err:
            told += 1
            wrong = [word for word in ("resume", "announce it", "the message", "drafts", "posts") if word in err.hint]
            assert (name, "outagecast sweep" in err.hint, wrong) == (name, True, [])  # noqa: PT017  some are none
    assert told > len(ERRORS) - 12, "a hiding that was done and not answered is none"
