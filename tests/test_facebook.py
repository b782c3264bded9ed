"""The Facebook channel against a simulated Page: what it publishes, what it remembers, what it finds again."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import timedelta
from typing import TYPE_CHECKING, NoReturn

import pytest
from facebook_kit import FEED, IMPATIENT, NOW, POST, PUBLISH, Memory, channel, sent, simulated_page, texts, written
from msgspec.structs import replace

from outagecast.channel import (
    Absent,
    CannotTell,
    InDoubt,
    Post,
    Receipt,
    Refused,
    Replies,
    Secret,
    TryLater,
    Unfinished,
)
from outagecast.sandbox.faults import Fault, FaultKind, When, lost_answer

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from outagecast.sandbox.graph import GraphPlatform


@pytest.fixture
def page() -> Iterator[GraphPlatform]:
    yield from simulated_page()


def test_a_post_goes_out_once_and_its_receipt_has_a_link(page: GraphPlatform):
    _, receipt = sent(page)
    (public,) = page.public()
    assert public["text"] == POST.text
    assert receipt.ref == public["id"]
    assert receipt.url.startswith("https://www.facebook.com/")


def test_comments_are_not_called_moderated_before_anyone_looked(page: GraphPlatform):
    assert sent(page)[1].replies is Replies.OPEN


def test_the_draft_is_remembered_before_it_is_published(page: GraphPlatform):
    seen: list[tuple[dict[str, str], int]] = []
    channel(page).send(POST, None, lambda token: seen.append((dict(token), len(page.public()))))
    ((token, public),) = seen
    assert token["draft"]
    assert public == 0


def test_killed_after_the_draft_the_next_attempt_publishes_that_draft(page: GraphPlatform):
    class KilledError(Exception):
        pass

    memory = Memory()

    def remember(token: Mapping[str, str]) -> NoReturn:
        memory(token)
        raise KilledError

    with pytest.raises(KilledError):
        channel(page).send(POST, None, remember)
    assert page.public() == []
    receipt = channel(page).send(replace(POST, token=memory.token), None, memory)
    assert [post["id"] for post in page.public()] == [receipt.ref] == [memory.token["draft"]]


def test_publishing_a_draft_twice_is_harmless(page: GraphPlatform):
    memory = Memory()
    facebook = channel(page)
    facebook.send(POST, None, memory)
    facebook.send(replace(POST, token=memory.token), None, memory)
    assert len(page.public()) == 1


def test_a_lost_answer_to_the_publication_is_doubt_and_is_found(page: GraphPlatform):
    page.faults.add(lost_answer(PUBLISH))
    facebook, memory = channel(page), Memory()
    with pytest.raises(InDoubt):
        facebook.send(POST, None, memory)
    found = facebook.find(replace(POST, token=memory.token), None, NOW)
    assert isinstance(found, Receipt)
    assert [post["id"] for post in page.public()] == [found.ref]


def test_a_draft_that_stays_one_is_never_reported_as_sent(page: GraphPlatform):
    page.faults.add(Fault(PUBLISH, status=200, body='{"success":true}'))
    memory = Memory()
    with pytest.raises(InDoubt, match="still shows it as a draft"):
        channel(page).send(POST, None, memory)
    assert channel(page).find(replace(POST, token=memory.token), None, NOW) == Unfinished(memory.token)


def test_a_publication_that_cannot_be_read_back_is_doubt(page: GraphPlatform):
    page.faults.add(Fault(r"GET /v25.0/[0-9]+_[0-9]+$", FaultKind.HTML))
    with pytest.raises(InDoubt, match="could not be read back"):
        channel(page).send(POST, None, Memory())


def test_a_draft_that_is_gone_is_forgotten_so_that_no_attempt_comes_back_to_it(page: GraphPlatform):
    memory = Memory()
    gone = replace(POST, token={"draft": f"{page.page_id}_999999"})
    facebook = channel(page)
    with pytest.raises(InDoubt, match="draft cannot be published"):
        facebook.send(gone, None, memory)
    assert memory.token == {"draft": ""}
    assert facebook.find(replace(POST, token=memory.token), None, NOW) == Absent(timedelta(0))
    facebook.send(replace(POST, token=memory.token), None, memory)
    assert len(page.public()) == 1


def test_a_token_that_expires_between_the_steps_leaves_a_draft_to_go_on_from(page: GraphPlatform):
    expired = '{"error":{"message":"Session has expired","type":"OAuthException","code":190,"error_subcode":463}}'
    page.faults.add(Fault(PUBLISH, status=400, body=expired))
    memory = Memory()
    with pytest.raises(Refused, match="expired") as caught:
        channel(page).send(POST, None, memory)
    assert caught.value.mendable
    assert page.public() == []
    channel(page).send(replace(POST, token=memory.token), None, memory)
    assert len(page.public()) == 1


def test_an_answer_without_an_id_is_doubt(page: GraphPlatform):
    page.faults.add(Fault(FEED, FaultKind.EMPTY_JSON, When.AFTER))
    with pytest.raises(InDoubt, match="no id"):
        channel(page).send(POST, None, Memory())


# -- send: direct --------------------------------------------------------------------------------------------------


def test_direct_publishes_in_one_request(page: GraphPlatform):
    _, receipt = sent(page, publish="direct")
    assert [post["id"] for post in page.public()] == [receipt.ref]
    assert written(page) == [f"POST /v25.0/{page.page_id}/feed"]


@pytest.mark.parametrize("publish", ["two-phase", "direct"])
def test_after_an_answer_that_does_not_say_whether_it_is_public_a_refusal_is_doubt(page: GraphPlatform, publish: str):
    ref = f"{page.page_id}_2001"
    expired = '{"error":{"message":"Session has expired","type":"OAuthException","code":190,"error_subcode":463}}'
    page.faults.add(Fault(FEED, status=200, body=json.dumps({"id": ref}), when=When.AFTER))
    page.faults.add(Fault("(GET|POST) /v25.0/[0-9]+_[0-9]+$", status=400, body=expired))
    facebook, memory = channel(page, publish=publish), Memory()
    with pytest.raises(InDoubt, match="could not be read back"):
        facebook.send(POST, None, memory)
    assert memory.token == {"draft": ref}
    found = facebook.find(replace(POST, token=memory.token), None, NOW)
    assert found.ref == ref if publish == "direct" else found == Unfinished({"draft": ref})


def test_a_draft_of_which_nothing_is_said_is_looked_at_again_and_not_forgotten(page: GraphPlatform):
    page.faults.add(Fault(r"GET /v25.0/[0-9]+_[0-9]+$", status=200, body="{}"))
    with pytest.raises(TryLater, match="does not say"):
        channel(page).find(replace(POST, token={"draft": f"{page.page_id}_1"}), None, NOW)


def test_direct_with_a_lost_answer_is_doubt_and_is_found(page: GraphPlatform):
    page.faults.add(lost_answer(FEED))
    facebook = channel(page, publish="direct")
    with pytest.raises(InDoubt):
        facebook.send(POST, None, Memory())
    assert isinstance(facebook.find(POST, None, NOW), Receipt)


# -- find ----------------------------------------------------------------------------------------------------------


def test_nothing_there_is_believed_at_once_for_plain_text_in_two_phases(page: GraphPlatform):
    assert channel(page).find(POST, None, NOW) == Absent(timedelta(0))


@pytest.mark.parametrize(
    ("keys", "text"),
    [({"publish": "direct"}, POST.text), ({"publish": "two-phase"}, f"{POST.text}\nhttps://status.example.org")],
)
def test_nothing_there_is_not_believed_at_once_where_the_post_may_be_live(
    page: GraphPlatform, keys: dict[str, str], text: str
):
    assert channel(page, **keys).find(replace(POST, text=text), None, NOW) == Absent(timedelta(seconds=60))


def test_a_draft_whose_answer_was_lost_is_gone_on_from(page: GraphPlatform):
    page.faults.add(lost_answer(FEED))
    facebook = channel(page)
    with pytest.raises(InDoubt):
        facebook.send(POST, None, Memory())
    found = facebook.find(POST, None, NOW)
    assert isinstance(found, Unfinished)
    facebook.send(replace(POST, token=found.token), None, Memory())
    assert len(page.public()) == 1


def test_a_text_is_found_however_its_accents_and_spaces_are_written(page: GraphPlatform):
    facebook = channel(page)
    accented = replace(POST, text="[14:05 UTC]\nKüche\n\nohne Strom")
    facebook.send(accented, None, Memory())
    assert isinstance(facebook.find(replace(POST, text="[14:05 UTC]\nKu\u0308che\nohne Strom"), None, NOW), Receipt)


def test_a_longer_text_that_begins_the_same_is_another_post(page: GraphPlatform):
    facebook = channel(page)
    facebook.send(replace(POST, text=f"{POST.text} and more"), None, Memory())
    assert isinstance(facebook.find(POST, None, NOW), Absent)


def test_a_post_is_found_among_many_newer_ones(page: GraphPlatform):
    facebook = channel(page, publish="direct")
    _, receipt = sent(page, publish="direct")
    for number in range(105):
        facebook.send(Post(f"news {number}"), None, Memory())
    assert facebook.find(POST, None, NOW).ref == receipt.ref


def test_a_look_that_is_not_permitted_cannot_tell(page: GraphPlatform):
    denied = '{"error":{"message":"(#10) requires pages_read_engagement","type":"OAuthException","code":10}}'
    page.faults.add(Fault("GET /v25.0/[0-9]+/feed", status=403, body=denied))
    found = channel(page).find(POST, None, NOW)
    assert isinstance(found, CannotTell)
    assert "outagecast check" in found.why


@pytest.mark.parametrize("kind", [FaultKind.HTML, FaultKind.RESET, FaultKind.HANG, FaultKind.EMPTY_JSON])
def test_a_look_that_fails_says_nothing_about_the_post(page: GraphPlatform, kind: FaultKind):
    page.faults.add(Fault("GET /v25.0/[0-9]+/feed", kind, status=200 if kind is FaultKind.EMPTY_JSON else None))
    with pytest.raises(TryLater):
        channel(page, patience=IMPATIENT if kind is FaultKind.HANG else 20).find(POST, None, NOW)


def test_a_post_that_the_feed_leaves_out_is_found_among_the_published_ones(page: GraphPlatform):
    facebook, receipt = sent(page)
    page.faults.add(Fault("GET /v25.0/[0-9]+/feed", status=200, body='{"data":[]}'))
    assert facebook.find(POST, None, NOW).ref == receipt.ref


def test_a_look_ends_where_the_posts_are_older_than_any_attempt(page: GraphPlatform):
    old = {"id": f"{page.page_id}_7", "message": "last year", "created_time": "2025-11-22T14:05:00+0000"}
    more = {"data": [old], "paging": {"cursors": {"after": "x"}, "next": "https://graph.facebook.com/"}}
    page.faults.add(Fault("GET /v25.0/[0-9]+/(feed|published_posts)", status=200, body=json.dumps(more), times=9))
    channel(page).find(POST, None, NOW)
    assert len(page.log) == 2


def test_a_visitor_s_copy_of_the_text_is_not_taken_for_ours(page: GraphPlatform):
    copy = {"id": f"{page.page_id}_7", "message": POST.text, "is_published": True, "from": {"id": "77"}}
    page.faults.add(Fault("GET /v25.0/[0-9]+/feed", status=200, body=json.dumps({"data": [copy]})))
    assert isinstance(channel(page).find(POST, None, NOW), Absent)


# -- secrets -------------------------------------------------------------------------------------------------------


def test_the_token_travels_in_the_header_for_every_verb(page: GraphPlatform):
    facebook, receipt = sent(page, app_secret=Secret.of(page.app_secret))
    facebook.retract(receipt)
    assert {request.method for request in page.log} == {"GET", "POST", "DELETE"}
    for request in page.log:
        assert request.headers["Authorization"] == f"Bearer {page.page_token}"
        assert page.page_token.encode() not in request.body


def test_the_proof_of_the_app_s_secret_goes_with_every_call(page: GraphPlatform):
    page.require_appsecret_proof = True
    facebook, receipt = sent(page, app_secret=Secret.of(page.app_secret))
    facebook.close_replies(receipt)
    facebook.retract(receipt)
    assert page.public() == []


def test_without_the_app_s_secret_a_page_that_wants_it_says_what_to_set(page: GraphPlatform):
    page.require_appsecret_proof = True
    with pytest.raises(Refused) as caught:
        sent(page)
    assert caught.value.mendable
    assert "app_secret" in caught.value.hint


def test_a_token_that_facebook_quotes_is_masked(page: GraphPlatform):
    said = {"error": {"message": f"Malformed access token {page.page_token}", "code": 190}}
    page.faults.add(Fault(FEED, status=400, body=json.dumps(said)))
    with pytest.raises(Refused) as caught:
        sent(page)
    assert not any(page.page_token in text for text in texts(caught.value))
    assert "Malformed access token ***" in caught.value.text


def test_closing_twice_or_unused_is_fine(page: GraphPlatform):
    facebook, _ = sent(page)
    facebook.close()
    facebook.close()
    channel(page).close()


def test_importing_the_channel_imports_neither_the_sdk_nor_requests():
    code = (
        "import sys, outagecast.channels.facebook;"
        "sys.exit(str([m for m in ('facebook', 'requests', 'urllib3', 'ssl', 'rich', 'typer') if m in sys.modules]))"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert found.stderr.strip() == "[]"


# -- what Pages are known to do differently --------------------------------------------------------------------------


def test_where_the_feed_hides_drafts_a_lost_draft_costs_no_second_public_post(page: GraphPlatform):
    page.feed_hides_drafts = True
    page.faults.add(lost_answer(FEED))
    facebook = channel(page)
    with pytest.raises(InDoubt):
        facebook.send(POST, None, Memory())
    assert facebook.find(POST, None, NOW) == Absent(timedelta(0))
    facebook.send(POST, None, Memory())
    assert len(page.public()) == 1


def test_a_page_that_takes_no_drafts_says_what_to_set_and_then_posts_directly(page: GraphPlatform):
    page.refuses_drafts = True
    with pytest.raises(Refused) as caught:
        sent(page)
    assert "publish: direct" in caught.value.hint
    assert caught.value.mendable
    sent(page, publish="direct")
    assert len(page.public()) == 1


def test_a_draft_begun_before_the_config_said_direct_is_still_finished_as_a_draft(page: GraphPlatform):
    memory = Memory()
    page.faults.add(lost_answer(PUBLISH))
    with pytest.raises(InDoubt):
        channel(page).send(POST, None, memory)
    channel(page, publish="direct").send(replace(POST, token=memory.token), None, memory)
    assert len(page.public()) == 1


def test_a_person_s_token_cannot_post_and_is_told_apart(page: GraphPlatform):
    with pytest.raises(Refused, match="not the Page's own") as caught:
        sent(page, page_access_token=Secret.of(page.user_token))
    assert "Page's own" in caught.value.hint


def test_every_request_goes_to_the_version_of_the_config(page: GraphPlatform):
    facebook, receipt = sent(page, api_version="v24.0")
    facebook.close_replies(receipt)
    assert {request.path.split("/")[1] for request in page.log} == {"v24.0"}


def test_nothing_that_claims_to_close_comments_is_ever_sent(page: GraphPlatform):
    facebook, receipt = sent(page)
    page.stranger_comment(receipt.ref, "when?")
    facebook.close_replies(receipt)
    facebook.retract(receipt)
    assert not [request.path for request in page.log if b"comments_enabled" in request.body]
