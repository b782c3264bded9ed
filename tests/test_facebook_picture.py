"""A picture goes out with its post if it can, never twice, and never in the way of the words."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from facebook_kit import (
    FEED,
    IMAGE,
    IMPATIENT,
    NOW,
    PHOTOS,
    POST,
    PUBLISH,
    Memory,
    channel,
    finish,
    news,
    simulated_page,
    written,
)
from msgspec.structs import replace

from outagecast.channel import Absent, ChannelError, InDoubt, Receipt, Refused, Secret
from outagecast.sandbox.faults import Fault, FaultKind, When, lost_answer, unclear
from outagecast.sandbox.graph import ERRORS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from outagecast.channel import Post
    from outagecast.channels.facebook import Facebook
    from outagecast.sandbox.graph import GraphPlatform

PICTURED = replace(POST, image=IMAGE)
BROKEN = replace(POST, image=replace(IMAGE, data=b"<svg/>"))
EXPIRED = '{"error":{"message":"Session has expired","type":"OAuthException","code":190,"error_subcode":463}}'


@pytest.fixture
def page() -> Iterator[GraphPlatform]:
    yield from simulated_page()


def calls(page: GraphPlatform, edge: str) -> int:
    return sum(line.endswith(f"/{edge}") for line in written(page))


def demand_one(page: GraphPlatform, receipt: Receipt) -> None:
    """One post is out, and the receipt is true about it and about its picture."""
    (public,) = page.public()
    assert (public["id"], public["text"]) == (receipt.ref, POST.text)
    assert public["images"] == ([] if receipt.note else [IMAGE.alt])


# -- as it should be -----------------------------------------------------------------------------------------------


def test_the_picture_of_an_announcement_goes_with_its_post(page: GraphPlatform):
    assert channel(page).render(news("fiber cut", image=IMAGE))[0].image is IMAGE
    assert channel(page).render(news("fiber cut"))[0].image is None


def test_a_picture_goes_out_with_the_words_and_with_what_it_shows(page: GraphPlatform):
    receipt = channel(page).send(PICTURED, None, Memory())
    assert receipt.note is None
    demand_one(page, receipt)


def test_a_picture_arrives_to_the_byte_under_its_name_and_type(page: GraphPlatform):
    channel(page).send(PICTURED, None, Memory())
    (upload,) = [request for request in page.log if request.path.endswith("/photos")]
    assert upload.files == {"source": IMAGE.data}
    assert b'filename="map.png"\r\nContent-Type: image/png\r\n' in upload.body


def test_neither_picture_nor_draft_is_seen_before_the_post_is_published(page: GraphPlatform):
    seen: list[tuple[dict[str, str], int]] = []
    channel(page).send(PICTURED, None, lambda token: seen.append((dict(token), len(page.public()))))
    (begun, _), (photo, _), (draft, _) = seen
    assert begun == {"picture-begun": "1"}
    assert photo["photo"] in page.page.photos
    assert draft["draft"]
    assert [public for _, public in seen] == [0, 0, 0]


def test_directly_published_words_have_their_picture_too(page: GraphPlatform):
    receipt = channel(page, publish="direct").send(PICTURED, None, Memory())
    assert calls(page, "feed") == 1
    demand_one(page, receipt)


def test_the_token_and_the_app_s_proof_go_with_the_file_as_with_every_call(page: GraphPlatform):
    page.require_appsecret_proof = True
    channel(page, app_secret=Secret.of(page.app_secret)).send(PICTURED, None, Memory())
    (upload,) = [request for request in page.log if request.path.endswith("/photos")]
    assert upload.headers["Authorization"] == f"Bearer {page.page_token}"
    assert page.page_token.encode() not in upload.body
    assert page.public()[0]["images"] == [IMAGE.alt]


# -- a picture that does not get there -----------------------------------------------------------------------------


def test_what_facebook_does_not_take_for_a_picture_is_left_out_and_the_receipt_says_why(page: GraphPlatform):
    receipt = channel(page).send(BROKEN, None, Memory())
    assert receipt.note.startswith("without its picture: Facebook does not take this picture (HTTP 400, code 324")
    demand_one(page, receipt)


def test_that_it_is_left_out_is_remembered_before_the_words_go(page: GraphPlatform):
    seen: list[tuple[dict[str, str], int]] = []
    channel(page).send(BROKEN, None, lambda token: seen.append((dict(token), calls(page, "feed"))))
    token, drafts = seen[1]
    assert (token["photo"], drafts) == ("", 0)
    assert token["without"]


@pytest.mark.parametrize("name", sorted(ERRORS))
def test_no_answer_about_a_picture_holds_the_words(page: GraphPlatform, name: str):
    page.faults.add(ERRORS[name].fault(PHOTOS))
    receipt = channel(page).send(PICTURED, None, Memory())
    assert receipt.note.startswith("without its picture: ")
    demand_one(page, receipt)


def test_an_upload_that_gives_no_id_is_left_out(page: GraphPlatform):
    page.faults.add(Fault(PHOTOS, status=200, body='{"id":7}'))
    assert channel(page).send(PICTURED, None, Memory()).note == (
        "without its picture: Facebook took it and gave no id for it"
    )


def test_no_secret_gets_into_the_note(page: GraphPlatform):
    said = {"error": {"message": f"Malformed access token {page.page_token}", "code": 190}}
    page.faults.add(Fault(PHOTOS, status=400, body=json.dumps(said)))
    assert "Malformed access token ***" in channel(page).send(PICTURED, None, Memory()).note


def test_when_nothing_at_all_went_out_the_next_attempt_has_its_picture_again(page: GraphPlatform):
    page.faults.add(Fault("POST ", status=400, body=EXPIRED, times=2))
    facebook, memory = channel(page), Memory()
    with pytest.raises(Refused, match="expired") as caught:
        facebook.send(PICTURED, None, memory)
    assert caught.value.mendable
    demand_one(page, receipt := facebook.send(replace(PICTURED, token=memory.token), None, memory))
    assert receipt.note is None


def test_what_is_found_later_still_says_that_it_is_without_its_picture(page: GraphPlatform):
    page.faults.add(lost_answer(PUBLISH))
    facebook, memory = channel(page), Memory()
    with pytest.raises(InDoubt):
        facebook.send(BROKEN, None, memory)
    found = facebook.find(replace(BROKEN, token=memory.token), None, NOW)
    assert isinstance(found, Receipt)
    assert found.note.startswith("without its picture: Facebook does not take this picture")


def test_a_draft_finished_later_says_so_too(page: GraphPlatform):
    page.faults.add(Fault(PUBLISH, status=400, body=EXPIRED))
    facebook, memory = channel(page), Memory()
    with pytest.raises(Refused):
        facebook.send(BROKEN, None, memory)
    receipt = facebook.send(replace(BROKEN, token=memory.token), None, memory)
    assert receipt.note.startswith("without its picture: ")
    demand_one(page, receipt)


# -- a photo that a post cannot carry ------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["gone-post", "invalid-parameter", "photo-invalid", "photo-too-large"])
@pytest.mark.parametrize("publish", ["two-phase", "direct"])
def test_words_that_are_refused_with_their_picture_go_out_without_it(page: GraphPlatform, name: str, publish: str):
    page.faults.add(ERRORS[name].fault(FEED))
    memory = Memory()
    receipt = channel(page, publish=publish).send(PICTURED, None, memory)
    assert calls(page, "feed") == 2
    assert receipt.note.startswith("without its picture: ")
    assert memory.token["photo"] == ""
    demand_one(page, receipt)


def test_a_photo_that_expired_meanwhile_does_not_hold_the_words(page: GraphPlatform):
    receipt = channel(page).send(replace(PICTURED, token={"photo": "999999"}), None, Memory())
    assert "code 100/33" in receipt.note
    demand_one(page, receipt)


@pytest.mark.parametrize("name", ["token-463", "permission-denied", "page-calls", "unexpected-error", "duplicate"])
def test_words_are_not_sent_again_without_the_picture_when_it_is_not_to_blame(page: GraphPlatform, name: str):
    page.faults.add(ERRORS[name].fault(FEED))
    memory = Memory()
    with pytest.raises(ChannelError):
        channel(page).send(PICTURED, None, memory)
    assert calls(page, "feed") == 1
    demand_one(page, receipt := finish(channel(page), memory, PICTURED))
    assert receipt.note is None
    assert calls(page, "photos") == 1, "the photo that was remembered is used"


def test_words_that_are_refused_either_way_are_refused(page: GraphPlatform):
    page.faults.add(Fault(FEED, status=400, body='{"error":{"message":"(#100) no","code":100}}', times=2))
    memory = Memory()
    with pytest.raises(Refused, match="as it is"):
        channel(page).send(PICTURED, None, memory)
    assert page.public() == []
    assert memory.token == {"picture-begun": "", "photo": "", "without": ""}


def test_words_alone_are_never_sent_a_second_time(page: GraphPlatform):
    page.faults.add(Fault(FEED, status=400, body='{"error":{"message":"(#100) no","code":100}}'))
    with pytest.raises(Refused):
        channel(page).send(POST, None, Memory())
    assert calls(page, "feed") == 1


# -- exactly once --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("keys", [{"publish": "direct"}, {"publish": "two-phase"}])
def test_a_post_with_a_picture_may_be_live_and_only_not_listed_yet(page: GraphPlatform, keys: dict[str, str]):
    assert channel(page, **keys).find(PICTURED, None, NOW) == Absent(timedelta(seconds=60))


def attempt(facebook: Facebook, post: Post, memory: Memory) -> Receipt:
    """Send, and after an answer that says nothing look and go on."""
    try:
        return facebook.send(post, None, memory)
    except InDoubt:
        return finish(facebook, memory, post)


STEPS = {"photo": (PHOTOS, False), "draft": (FEED, False), "live at once": (FEED, True), "publish": (PUBLISH, False)}


@pytest.mark.parametrize("name", sorted(unclear(FEED)))
@pytest.mark.parametrize("step", STEPS)
def test_whatever_is_unclear_at_any_step_ends_as_one_post(page: GraphPlatform, name: str, step: str):
    match, page.rich_drafts_go_live = STEPS[step]
    fault = unclear(match)[name]
    page.faults.add(fault)
    slow = fault.kind in {FaultKind.HANG, FaultKind.DRIP}
    receipt = attempt(channel(page, patience=IMPATIENT if slow else 20), PICTURED, Memory())
    assert bool(receipt.note) == (step == "photo")
    demand_one(page, receipt)


@pytest.mark.parametrize("kind", [FaultKind.RESET, FaultKind.HTML, FaultKind.EMPTY_JSON])
@pytest.mark.parametrize("publish", ["two-phase", "direct"])
def test_words_alone_whose_answer_was_lost_end_as_one_post(page: GraphPlatform, kind: FaultKind, publish: str):
    page.faults.add(Fault(FEED, kind, When.AFTER))
    receipt = attempt(channel(page, publish=publish), BROKEN, Memory())
    assert receipt.note.startswith("without its picture: ")
    demand_one(page, receipt)


def test_where_the_feed_hides_drafts_a_lost_draft_with_a_picture_costs_no_second_post(page: GraphPlatform):
    page.feed_hides_drafts = True
    page.faults.add(lost_answer(FEED))
    receipt = attempt(channel(page), PICTURED, Memory())
    demand_one(page, receipt)
