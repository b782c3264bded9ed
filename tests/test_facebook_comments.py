"""Comments on a simulated Page: strangers' comments go, the Page's own stay, nothing is claimed unseen."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from facebook_kit import BATCH, PUBLISH, channel, sent, simulated_page, written

from outagecast.channel import Refused, Replies, Secret, TryLater
from outagecast.sandbox.faults import Fault, FaultKind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from outagecast.sandbox.graph import GraphPlatform


@pytest.fixture
def page() -> Iterator[GraphPlatform]:
    yield from simulated_page()


COMMENTS = r"GET /v25.0/[0-9_]+/comments"


def standing(page: GraphPlatform) -> list[str]:
    return [comment["text"] for post in page.public() for comment in post["comments"]]


def test_with_no_comments_the_post_is_moderated(page: GraphPlatform):
    facebook, receipt = sent(page)
    assert facebook.close_replies(receipt) is Replies.MODERATED


@pytest.mark.parametrize("rule", ["hide", "delete"])
def test_strangers_comments_and_their_replies_disappear(page: GraphPlatform, rule: str):
    facebook, receipt = sent(page, comments=rule)
    first = page.stranger_comment(receipt.ref, "when?")
    page.stranger_comment(receipt.ref, "me too", parent=first)
    assert standing(page)
    assert facebook.close_replies(receipt) is Replies.MODERATED
    assert standing(page) == []


def test_a_stranger_s_reply_to_the_page_s_own_comment_disappears_and_the_comment_stays(page: GraphPlatform):
    facebook, receipt = sent(page)
    own = page.page_comment(receipt.ref, "help is at help.example.net")
    page.stranger_comment(receipt.ref, "when?", parent=own)
    assert facebook.close_replies(receipt) is Replies.MODERATED
    assert standing(page) == ["help is at help.example.net"]


def test_a_second_sweep_writes_nothing(page: GraphPlatform):
    facebook, receipt = sent(page)
    page.stranger_comment(receipt.ref, "when?")
    facebook.close_replies(receipt)
    before = len(written(page))
    assert facebook.close_replies(receipt) is Replies.MODERATED
    assert len(written(page)) == before


def test_more_comments_than_one_answer_holds_are_all_hidden(page: GraphPlatform):
    facebook, receipt = sent(page)
    for number in range(120):
        page.stranger_comment(receipt.ref, f"comment {number}")
    assert facebook.close_replies(receipt) is Replies.MODERATED
    assert standing(page) == []


def test_comments_left_by_config_are_open_and_nothing_is_asked(page: GraphPlatform):
    facebook, receipt = sent(page, comments="leave")
    before = len(page.log)
    assert facebook.close_replies(receipt) is Replies.OPEN
    assert len(page.log) == before


def listed(page: GraphPlatform, *comments: dict[str, object]) -> None:
    page.faults.add(Fault(COMMENTS, status=200, body=json.dumps({"data": list(comments)})))


@pytest.mark.parametrize("rule", ["hide", "delete"])
def test_the_page_s_own_comments_are_left_alone(page: GraphPlatform, rule: str):
    facebook, receipt = sent(page, comments=rule)
    listed(page, {"id": "5_6", "from": {"id": page.page_id}, "is_hidden": False, "can_hide": False})
    before = len(written(page))
    assert facebook.close_replies(receipt) is Replies.MODERATED
    assert len(written(page)) == before


@pytest.mark.parametrize("rule", ["hide", "delete"])
def test_a_comment_without_its_author_is_never_deleted_and_never_called_moderated(page: GraphPlatform, rule: str):
    facebook, receipt = sent(page, comments=rule)
    listed(page, {"id": "5_6", "is_hidden": False, "can_hide": False})
    before = len(written(page))
    with pytest.raises(Refused, match="without their authors") as caught:
        facebook.close_replies(receipt)
    assert "pages_read_user_content" in caught.value.hint
    assert len(written(page)) == before


def test_a_comment_that_is_gone_meanwhile_is_done(page: GraphPlatform):
    facebook, receipt = sent(page)
    listed(page, {"id": "5_6", "from": {"id": "77"}, "is_hidden": False, "can_hide": True})
    assert facebook.close_replies(receipt) is Replies.MODERATED


def test_comments_that_may_not_be_read_are_refused_with_the_permission_named(page: GraphPlatform):
    facebook, receipt = sent(page)
    denied = '{"error":{"message":"(#10) requires pages_read_user_content","type":"OAuthException","code":10}}'
    page.faults.add(Fault(COMMENTS, status=403, body=denied))
    with pytest.raises(Refused, match="pages_read_user_content"):
        facebook.close_replies(receipt)


def test_a_sweep_leaves_the_last_fifth_of_the_calls_for_posts(page: GraphPlatform):
    facebook, receipt = sent(page)
    usage = json.dumps({page.page_id: [{"type": "pages", "call_count": 80, "total_cputime": 1, "total_time": 1}]})
    comment = {"id": "5_6", "from": {"id": "77"}, "is_hidden": False, "can_hide": True}
    headers = {"X-Business-Use-Case-Usage": usage}
    page.faults.add(Fault(COMMENTS, status=200, body=json.dumps({"data": [comment]}), headers=headers))
    before = len(written(page))
    with pytest.raises(TryLater, match="80 %") as caught:
        facebook.close_replies(receipt)
    assert caught.value.limited
    assert len(written(page)) == before


def test_a_token_that_sees_no_comments_is_not_taken_for_a_page_without_any(page: GraphPlatform):
    facebook, receipt = sent(page)
    page.stranger_comment(receipt.ref, "when?")
    page.blind = True
    with pytest.raises(Refused, match="counts 1 comment and lists none") as caught:
        facebook.close_replies(receipt)
    assert "pages_read_user_content" in caught.value.hint


def test_without_the_permission_to_read_visitors_comments_are_hidden_and_not_called_moderated(page: GraphPlatform):
    facebook, receipt = sent(page)
    page.stranger_comment(receipt.ref, "when?")
    page.tokens[page.page_token].scopes.discard("pages_read_user_content")
    with pytest.raises(Refused, match="without their authors"):
        facebook.close_replies(receipt)
    assert standing(page) == []


ASKED = "GET /v25.0/debug_token"
"""The call inside the batch."""
MAY_NOT_ASK = (
    '{"error":{"message":"(#100) You must provide an app access token, or a user access token that is an owner or '
    'developer of the app","type":"OAuthException","code":100}}'
)


def asked(page: GraphPlatform) -> list[str]:
    """Who asked what the token may do."""
    return [request.headers["Authorization"] for request in page.log if request.path == BATCH]


def facts(page: GraphPlatform, **said: object) -> None:
    rights = ["pages_read_user_content", "pages_manage_engagement"]
    data = {"type": "PAGE", "is_valid": True, "scopes": rights, **said}
    page.faults.add(Fault(ASKED, status=200, body=json.dumps({"data": data})))


def with_app(page: GraphPlatform) -> dict[str, object]:
    return {"app_id": page.app_id, "app_secret": Secret.of(page.app_secret)}


@pytest.mark.parametrize("lacking", ["pages_read_user_content", "pages_manage_engagement"])
def test_no_comments_prove_nothing_to_a_token_without_the_rights(page: GraphPlatform, lacking: str):
    facebook, receipt = sent(page)
    page.tokens[page.page_token].scopes.discard(lacking)
    with pytest.raises(Refused, match=lacking) as caught:
        facebook.close_replies(receipt)
    assert "outagecast sweep" in caught.value.hint


def test_the_app_is_asked_where_the_config_knows_it_and_the_token_itself_where_not(page: GraphPlatform):
    facebook, receipt = sent(page, **with_app(page))
    assert facebook.close_replies(receipt) is Replies.MODERATED
    assert channel(page).close_replies(receipt) is Replies.MODERATED
    assert asked(page) == [f"Bearer {page.app_token}", f"Bearer {page.page_token}"]


def test_with_an_app_that_may_not_ask_the_token_is_asked_itself(page: GraphPlatform):
    page.faults.add(Fault(ASKED, status=400, body=MAY_NOT_ASK))
    facebook, receipt = sent(page, **with_app(page))
    page.tokens[page.page_token].scopes.discard("pages_read_user_content")
    with pytest.raises(Refused, match="pages_read_user_content"):
        facebook.close_replies(receipt)


def test_a_stranger_s_comment_with_its_author_is_proof_enough(page: GraphPlatform):
    facebook, receipt = sent(page)
    page.stranger_comment(receipt.ref, "when?")
    assert facebook.close_replies(receipt) is Replies.MODERATED
    assert asked(page) == []


def test_the_page_s_own_comment_proves_nothing(page: GraphPlatform):
    facebook, receipt = sent(page)
    page.page_comment(receipt.ref, "help is at help.example.net")
    page.tokens[page.page_token].scopes.discard("pages_read_user_content")
    with pytest.raises(Refused, match="pages_read_user_content"):
        facebook.close_replies(receipt)


def test_where_nobody_may_ask_an_empty_list_holds_until_the_first_comment_contradicts_it(page: GraphPlatform):
    page.faults.add(Fault(ASKED, status=400, body=MAY_NOT_ASK, times=9))
    facebook, receipt = sent(page)
    page.tokens[page.page_token].scopes.discard("pages_read_user_content")
    assert facebook.close_replies(receipt) is Replies.MODERATED
    page.stranger_comment(receipt.ref, "when?")
    with pytest.raises(Refused, match="without their authors"):
        facebook.close_replies(receipt)


def test_rights_for_another_page_are_none_for_this_one(page: GraphPlatform):
    facebook, receipt = sent(page)
    facts(page, granular_scopes=[{"scope": "pages_read_user_content", "target_ids": ["9009"]}])
    with pytest.raises(Refused, match="pages_read_user_content not granted"):
        facebook.close_replies(receipt)


@pytest.mark.parametrize("said", [{"type": "USER"}, {"is_valid": False, "scopes": []}])
def test_a_token_that_is_no_valid_page_token_sees_no_comments(page: GraphPlatform, said: dict[str, object]):
    facebook, receipt = sent(page)
    facts(page, **said)
    with pytest.raises(Refused, match="not a valid token of a Page"):
        facebook.close_replies(receipt)


def test_while_nobody_can_be_asked_a_later_look_may_settle_it(page: GraphPlatform):
    facebook, receipt = sent(page)
    page.faults.add(Fault(ASKED, status=503, body="{}"))
    with pytest.raises(TryLater):
        facebook.close_replies(receipt)
    assert facebook.close_replies(receipt) is Replies.MODERATED


@pytest.mark.parametrize("kind", [FaultKind.HTML, FaultKind.EMPTY_JSON])
def test_an_unclear_hiding_is_looked_at_again(page: GraphPlatform, kind: FaultKind):
    facebook, receipt = sent(page)
    page.stranger_comment(receipt.ref, "when?")
    page.faults.add(Fault(PUBLISH, kind))
    with pytest.raises(TryLater):
        facebook.close_replies(receipt)
    assert facebook.close_replies(receipt) is Replies.MODERATED
