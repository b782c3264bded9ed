"""Posts that are out are edited and taken back over real sockets: again is safe, and nothing is believed unseen."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from facebook_kit import IMAGE, IMPATIENT, NOW, POST, PUBLISH, Memory, channel, news, sent, simulated_page
from msgspec.structs import replace

from outagecast.channel import Absent, Kind, Receipt, Refused, Replies, TryLater
from outagecast.sandbox.faults import Fault, FaultKind, When, lost_answer, unclear
from outagecast.sandbox.graph import ERRORS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from outagecast.sandbox.graph import GraphPlatform

EDIT = PUBLISH
DELETE = r"DELETE /v25.0/[0-9]+_[0-9]+$"
DENIED = '{"error":{"message":"(#10) no permission","type":"OAuthException","code":10}}'
LATER = news("cable found", seq=1, kind=Kind.UPDATE, at=NOW + timedelta(minutes=10))
AMENDED = f"UPDATE 22 Nov 2026, 14:15 UTC: cable found\n\n{POST.text}"


@pytest.fixture
def page() -> Iterator[GraphPlatform]:
    yield from simulated_page()


def texts(page: GraphPlatform) -> list[str]:
    return [post["text"] for post in page.public()]


# -- amend ---------------------------------------------------------------------------------------------------------


def test_the_first_post_says_where_things_stand_under_its_old_link(page: GraphPlatform):
    facebook, receipt = sent(page)
    for _ in range(2):
        facebook.amend(receipt, facebook.amended(POST, LATER))
    assert [(post["text"], post["url"]) for post in page.public()] == [(AMENDED, receipt.url)]


def test_a_picture_stays_with_an_amended_post(page: GraphPlatform):
    facebook = channel(page)
    facebook.amend(facebook.send(replace(POST, image=IMAGE), None, Memory()), AMENDED)
    assert [(post["text"], post["images"]) for post in page.public()] == [(AMENDED, [IMAGE.alt])]


@pytest.mark.parametrize("name", sorted(unclear(EDIT)))
def test_what_cannot_be_known_of_an_edit_means_later_and_once_more_is_safe(page: GraphPlatform, name: str):
    fault = unclear(EDIT)[name]
    facebook, receipt = sent(page)
    page.faults.add(fault)
    slow = fault.kind in {FaultKind.HANG, FaultKind.DRIP}
    with pytest.raises(TryLater) as caught:
        channel(page, patience=IMPATIENT if slow else 20).amend(receipt, AMENDED)
    assert "try again" in caught.value.hint
    assert texts(page) == [AMENDED if fault.when is When.AFTER else POST.text]
    facebook.amend(receipt, AMENDED)
    assert texts(page) == [AMENDED]


@pytest.mark.parametrize("body", ['{"success":false}', '{"success":"true"}', '{"id":"1001_1"}', "{}"])
def test_an_edit_that_is_not_said_to_have_succeeded_is_tried_again(page: GraphPlatform, body: str):
    facebook, receipt = sent(page)
    page.faults.add(Fault(EDIT, status=200, body=body))
    with pytest.raises(TryLater, match="does not say"):
        facebook.amend(receipt, AMENDED)


@pytest.mark.parametrize("name", sorted(ERRORS))
def test_every_recorded_answer_to_an_edit_leaves_the_post_and_says_what_to_do(page: GraphPlatform, name: str):
    facebook, receipt = sent(page)
    page.faults.add(ERRORS[name].fault(EDIT))
    with pytest.raises((TryLater, Refused)) as caught:
        facebook.amend(receipt, AMENDED)
    assert caught.value.hint
    assert texts(page) == [AMENDED if ERRORS[name].when is When.AFTER else POST.text]
    facebook.amend(receipt, AMENDED)
    assert texts(page) == [AMENDED]


@pytest.mark.parametrize("name", ["token-463", "permission-denied", "identity", "proof-missing", "not-found-page"])
def test_an_edit_that_a_person_can_make_possible_says_so(page: GraphPlatform, name: str):
    facebook, receipt = sent(page)
    page.faults.add(ERRORS[name].fault(EDIT))
    with pytest.raises(Refused, match="first post cannot be edited") as caught:
        facebook.amend(receipt, AMENDED)
    assert caught.value.mendable
    assert "the app that made it" in caught.value.hint


@pytest.mark.parametrize("name", ["invalid-parameter", "empty", "too-long"])
def test_an_edit_that_is_refused_for_its_words_is_not_tried_again(page: GraphPlatform, name: str):
    facebook, receipt = sent(page)
    page.faults.add(ERRORS[name].fault(EDIT))
    with pytest.raises(Refused) as caught:
        facebook.amend(receipt, AMENDED)
    assert not caught.value.mendable


def test_an_edit_waits_as_long_as_the_page_s_calls_are_used_up(page: GraphPlatform):
    facebook, receipt = sent(page)
    page.faults.add(ERRORS["page-calls"].fault(EDIT))
    with pytest.raises(TryLater) as caught:
        facebook.amend(receipt, AMENDED)
    assert (caught.value.limited, caught.value.after) == (True, timedelta(minutes=12))


def test_a_first_post_that_is_gone_is_not_edited_and_not_made_anew(page: GraphPlatform):
    facebook, receipt = sent(page)
    facebook.retract(receipt)
    with pytest.raises(Refused, match="gone") as caught:
        facebook.amend(receipt, AMENDED)
    assert not caught.value.mendable
    assert page.public() == []


# -- an amended post is a post like any other ----------------------------------------------------------------------


def test_an_amended_post_is_swept_and_taken_back(page: GraphPlatform):
    facebook, receipt = sent(page)
    facebook.amend(receipt, AMENDED)
    page.stranger_comment(receipt.ref, "when?")
    assert facebook.close_replies(receipt) is Replies.MODERATED
    assert page.public()[0]["comments"] == []
    facebook.retract(receipt)
    assert page.public() == []


def test_an_amended_post_is_still_found_by_its_draft(page: GraphPlatform):
    facebook, memory = channel(page), Memory()
    receipt = facebook.send(POST, None, memory)
    facebook.amend(receipt, AMENDED)
    found = facebook.find(replace(POST, token=memory.token), None, NOW)
    assert isinstance(found, Receipt)
    assert found.ref == receipt.ref


def test_no_later_post_is_taken_for_the_first_because_it_quotes_or_repeats_it(page: GraphPlatform):
    facebook, receipt = sent(page)
    facebook.amend(receipt, AMENDED)
    (update,) = facebook.render(LATER)
    for later in (update, POST, replace(POST, text="cable found"), replace(POST, text=AMENDED.partition("\n\n")[0])):
        assert isinstance(facebook.find(later, None, NOW), Absent)
    facebook.send(update, None, Memory())
    assert len(page.public()) == 2
    assert facebook.find(update, None, NOW).ref != receipt.ref


# -- retract -------------------------------------------------------------------------------------------------------


def test_a_retracted_post_is_gone_and_retracting_again_is_success(page: GraphPlatform):
    facebook, receipt = sent(page)
    facebook.retract(receipt)
    assert page.public() == []
    facebook.retract(receipt)


def test_gone_is_not_believed_of_a_token_that_may_not_see_the_page(page: GraphPlatform):
    facebook, receipt = sent(page)
    facebook.retract(receipt)
    denied = '{"error":{"message":"(#10) no permission","type":"OAuthException","code":10}}'
    page.faults.add(Fault(f"GET /v25.0/{page.page_id}$", status=403, body=denied))
    with pytest.raises(Refused):
        facebook.retract(receipt)


def test_a_retraction_whose_answer_was_lost_is_done_by_the_next(page: GraphPlatform):
    facebook, receipt = sent(page)
    page.faults.add(lost_answer("DELETE"))
    with pytest.raises(TryLater, match="unknown"):
        facebook.retract(receipt)
    facebook.retract(receipt)
    assert page.public() == []


@pytest.mark.parametrize("name", sorted(unclear(DELETE)))
def test_what_cannot_be_known_of_a_deletion_means_later_and_once_more_is_safe(page: GraphPlatform, name: str):
    fault = unclear(DELETE)[name]
    facebook, receipt = sent(page)
    page.faults.add(fault)
    slow = fault.kind in {FaultKind.HANG, FaultKind.DRIP}
    with pytest.raises(TryLater):
        channel(page, patience=IMPATIENT if slow else 20).retract(receipt)
    assert len(page.public()) == (fault.when is When.BEFORE)
    facebook.retract(receipt)
    assert page.public() == []


@pytest.mark.parametrize("body", ['{"success":false}', '{"success":1}', "{}"])
def test_a_deletion_that_is_not_said_to_have_succeeded_is_tried_again(page: GraphPlatform, body: str):
    facebook, receipt = sent(page)
    page.faults.add(Fault(DELETE, status=200, body=body))
    with pytest.raises(TryLater, match="does not say"):
        facebook.retract(receipt)


@pytest.mark.parametrize("name", sorted(ERRORS))
def test_every_recorded_answer_to_a_deletion_is_no_success_while_the_post_stands(page: GraphPlatform, name: str):
    facebook, receipt = sent(page)
    page.faults.add(ERRORS[name].fault(DELETE))
    with pytest.raises((TryLater, Refused)) as caught:
        facebook.retract(receipt)
    assert caught.value.hint
    facebook.retract(receipt)
    assert page.public() == []


@pytest.mark.parametrize("name", ["gone-delete", "invalid-parameter"])
def test_gone_is_not_believed_of_a_post_that_is_still_to_be_read(page: GraphPlatform, name: str):
    facebook, receipt = sent(page)
    page.faults.add(ERRORS[name].fault(DELETE))
    with pytest.raises(Refused, match="still there") as caught:
        facebook.retract(receipt)
    assert caught.value.mendable
    assert "browser" in caught.value.hint


def test_a_refusal_without_a_subcode_is_gone_too_when_the_post_is(page: GraphPlatform):
    facebook, receipt = sent(page)
    facebook.retract(receipt)
    page.faults.add(Fault(DELETE, status=400, body='{"error":{"message":"(#100) Invalid parameter","code":100}}'))
    facebook.retract(receipt)


@pytest.mark.parametrize("name", ["gone-get", "token-463", "reading-denied"])
def test_gone_is_not_believed_where_the_page_itself_is_not_to_be_read(page: GraphPlatform, name: str):
    facebook, receipt = sent(page)
    facebook.retract(receipt)
    page.faults.add(ERRORS[name].fault(f"GET /v25.0/{page.page_id}$"))
    with pytest.raises(Refused, match="nor the Page itself") as caught:
        facebook.retract(receipt)
    assert caught.value.mendable


def test_gone_waits_for_a_page_that_cannot_be_read_now(page: GraphPlatform):
    facebook, receipt = sent(page)
    facebook.retract(receipt)
    page.faults.add(Fault(f"GET /v25.0/{page.page_id}$", FaultKind.HTML))
    with pytest.raises(TryLater):
        facebook.retract(receipt)
