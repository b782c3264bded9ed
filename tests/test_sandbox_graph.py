"""The simulated Page takes, shows and lists posts and photos as the real one does, over real sockets."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import facebook
import pytest
import requests
from sandbox_graph_kit import ask, body_of, code, draft, live, photo, real_sdk, simulated_page
from sandbox_x_kit import PNG, Clock

from outagecast.sandbox.graph import ERRORS, GraphPlatform

if TYPE_CHECKING:
    from collections.abc import Iterator


NOW = datetime(2026, 11, 22, 14, 5, tzinfo=UTC)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def page(clock: Clock) -> Iterator[GraphPlatform]:
    yield from simulated_page(clock)


@pytest.fixture
def sdk(page: GraphPlatform) -> Iterator[facebook.GraphAPI]:
    yield from real_sdk(page)


# Publishing


def test_the_real_sdk_publishes_in_two_phases(page: GraphPlatform, sdk: facebook.GraphAPI) -> None:
    made = sdk.put_object(
        "1001", "feed", message="fiber cut", published="false", fields="id,is_published,permalink_url"
    )
    assert not made["is_published"]
    assert made["post_supports_client_mutation_id"]
    assert not page.public()
    assert sdk.request(f"v25.0/{made['id']}", post_args={"is_published": "true"}) == {"success": True}
    assert [seen["url"] for seen in page.public()] == [made["permalink_url"]]


def test_publishing_a_draft_twice_is_one_post(page: GraphPlatform) -> None:
    ref = draft(page)["id"]
    for _ in range(2):
        assert body_of(page, "POST", f"/v25.0/{ref}", is_published="true") == {"success": True}
    assert len(page.public()) == 1


def test_a_post_is_public_at_once_unless_it_is_to_be_a_draft(page: GraphPlatform) -> None:
    ref = live(page)
    seen = body_of(page, "GET", f"/v25.0/{ref}", fields="id,is_published,permalink_url,message,created_time")
    assert seen == {
        "id": ref,
        "is_published": True,
        "permalink_url": "https://www.facebook.com/1001/posts/2001",
        "message": "fiber cut",
        "created_time": "2026-11-22T14:05:00+0000",
    }


def test_a_json_body_works_like_a_form(page: GraphPlatform) -> None:
    answer = requests.post(
        f"{page.url}/v25.0/1001/feed",
        json={"message": "fiber cut", "published": False},
        headers={"Authorization": f"Bearer {page.page_token}"},
        timeout=10,
    )
    assert answer.status_code == 200
    assert not page.public()


def test_drafts_need_the_token_of_the_page(page: GraphPlatform) -> None:
    given = {"message": "fiber cut", "published": "false"}
    status, body, _ = ask(page, "POST", "/v25.0/1001/feed", page.user_token, **given)
    assert (status, body) == (403, ERRORS["not-as-page"].value)


def test_a_page_may_refuse_drafts(page: GraphPlatform) -> None:
    page.refuses_drafts = True
    assert draft(page)["error"]["code"] == 3
    assert live(page)


def test_drafts_with_a_link_or_a_photo_may_go_live_at_once(page: GraphPlatform) -> None:
    page.rich_drafts_go_live = True
    draft(page, "text only")
    assert not page.public()
    draft(page, "with a link", link="https://example.com/")
    draft(page, "with a photo", attached_media=json.dumps([{"media_fbid": photo(page)}]))
    assert [seen["text"] for seen in page.public()] == ["with a link", "with a photo"]


@pytest.mark.parametrize(
    ("given", "error"),
    [
        ({"message": " "}, "empty"),
        ({}, "empty"),
        ({"message": "x" * 63_207}, "too-long"),
        ({"message": "a", "link": "https://www.facebook.com/1001"}, "own-link"),
        ({"message": "a", "link": "nowhere"}, "bad-url"),
    ],
)
def test_content_that_cannot_go_out_is_refused(page: GraphPlatform, given: dict[str, str], error: str) -> None:
    assert body_of(page, "POST", "/v25.0/1001/feed", **given) == ERRORS[error].value
    assert not page.public()


def test_a_message_of_63206_characters_goes_out(page: GraphPlatform) -> None:
    assert live(page, "x" * 63_206)


def test_a_boolean_must_be_written_as_one(page: GraphPlatform) -> None:
    assert code(page, "POST", "/v25.0/1001/feed", message="a", published="False") == (100, None)


def test_a_post_equal_to_the_last_one_is_a_duplicate(page: GraphPlatform) -> None:
    live(page)
    assert code(page, "POST", "/v25.0/1001/feed", message="fiber cut") == (506, 1455006)
    live(page, "something else")
    assert live(page)


@pytest.mark.parametrize("counts", [False, True])
def test_whether_a_draft_makes_its_twin_a_duplicate_is_a_switch(page: GraphPlatform, *, counts: bool) -> None:
    page.duplicate_of_draft = counts
    draft(page)
    assert ("error" in draft(page)) == counts


def test_a_post_can_be_edited_and_pinned(page: GraphPlatform) -> None:
    ref = live(page)
    body_of(page, "POST", f"/v25.0/{ref}", message="RESOLVED: fiber cut")
    body_of(page, "POST", f"/v25.0/{ref}", is_pinned="true")
    assert [(seen["text"], seen["pinned"]) for seen in page.public()] == [("RESOLVED: fiber cut", True)]


def test_deleting_twice_is_the_error_that_also_means_no_access(page: GraphPlatform) -> None:
    ref = live(page)
    assert body_of(page, "DELETE", f"/v25.0/{ref}") == {"success": True}
    assert code(page, "DELETE", f"/v25.0/{ref}") == (100, 33)
    assert code(page, "GET", f"/v25.0/{ref}") == (100, 33)
    assert not page.public()


def test_in_development_mode_everything_succeeds_and_nobody_sees_it(page: GraphPlatform) -> None:
    page.development_mode = True
    ref = live(page)
    assert body_of(page, "GET", f"/v25.0/{ref}", fields="is_published")["is_published"]
    assert not page.public()


# Photos


def test_photos_go_out_with_their_words_and_in_their_order(page: GraphPlatform) -> None:
    refs = [photo(page, alt_text_custom=words) for words in ("one", "two")]
    assert not page.public()
    live(page, attached_media=json.dumps([{"media_fbid": ref} for ref in refs[::-1]]))
    assert page.public()[0]["images"] == ["two", "one"]


def test_the_real_sdk_uploads_a_photo_as_a_file(page: GraphPlatform, sdk: facebook.GraphAPI) -> None:
    made = sdk.put_photo(PNG, album_path="1001/photos", published="false", alt_text_custom="map")
    assert page.page.photos[made["id"]].alt == "map"
    assert page.log[-1].files == {"source": PNG}
    assert page.unknown_parameters == []


@pytest.mark.parametrize("head", [b"\xff\xd8\xff\xe0", b"GIF89a", b"RIFF\x08\x00\x00\x00WEBPVP8 "])
def test_every_kind_of_image_that_we_know_is_taken(page: GraphPlatform, sdk: facebook.GraphAPI, head: bytes) -> None:
    assert sdk.put_photo(head, album_path="1001/photos", published="false")["id"] in page.page.photos


@pytest.mark.parametrize(
    ("content", "error"),
    [
        (b"<svg/>", "photo-invalid"),
        (b"\x89PNG", "photo-invalid"),
        (b"RIFF\x08\x00\x00\x00WAVEfmt ", "photo-invalid"),
        (b"", "photo-invalid"),
        (PNG + bytes(4 * 1024 * 1024), "photo-too-large"),
    ],
)
def test_what_is_no_image_or_too_large_is_refused_and_not_kept(
    page: GraphPlatform, sdk: facebook.GraphAPI, content: bytes, error: str
) -> None:
    with pytest.raises(facebook.GraphAPIError) as refused:
        sdk.put_photo(("map.png", content), album_path="1001/photos", published="false")
    assert refused.value.result == ERRORS[error].value
    assert not page.page.photos


def test_a_photo_that_is_no_file_of_the_form_is_missing(page: GraphPlatform) -> None:
    body = body_of(page, "POST", "/v25.0/1001/photos", source="map.png", published="false")
    assert body == ERRORS["photo-missing"].value


def test_an_unknown_parameter_beside_a_photo_is_noted(page: GraphPlatform, sdk: facebook.GraphAPI) -> None:
    sdk.put_photo(PNG, album_path="1001/photos", published="false", alt_text="map")
    assert page.unknown_parameters == ["POST /1001/photos: alt_text"]


def test_a_photo_is_attached_once(page: GraphPlatform) -> None:
    media = json.dumps([{"media_fbid": photo(page)}])
    live(page, attached_media=media)
    assert code(page, "POST", "/v25.0/1001/feed", message="again", attached_media=media) == (100, 33)
    assert code(page, "POST", "/v25.0/1001/feed", message="again", attached_media="7") == (100, None)


# Finding


def test_the_feed_has_drafts_and_published_posts_has_not(page: GraphPlatform, clock: Clock) -> None:
    first = live(page, "[INC-1] fiber cut")
    clock.forward(seconds=1)
    second = draft(page, "[INC-1] update 1")["id"]
    listed = body_of(page, "GET", "/v25.0/1001/feed", fields="id,message,is_published")["data"]
    assert [(post["id"], post["is_published"]) for post in listed] == [(second, False), (first, True)]
    assert [post["id"] for post in body_of(page, "GET", "/v25.0/1001/published_posts")["data"]] == [first]


def test_the_feed_may_hide_drafts(page: GraphPlatform) -> None:
    page.feed_hides_drafts = True
    draft(page)
    assert body_of(page, "GET", "/v25.0/1001/feed")["data"] == []


def test_lists_come_in_pages_and_their_links_carry_no_token(page: GraphPlatform) -> None:
    refs = [live(page, f"update {number}") for number in range(5)]
    first = body_of(page, "GET", "/v25.0/1001/feed", limit="3")
    rest = body_of(page, "GET", "/v25.0/1001/feed", limit="3", after=first["paging"]["cursors"]["after"])
    assert [post["id"] for post in first["data"] + rest["data"]] == refs[::-1]
    assert "after=2" in first["paging"]["next"]
    assert "token" not in first["paging"]["next"]
    assert "next" not in rest["paging"]
    assert code(page, "GET", "/v25.0/1001/feed", limit="101") == (100, None)


def test_lists_can_begin_and_end_at_a_time(page: GraphPlatform, clock: Clock) -> None:
    live(page, "one")
    clock.forward(minutes=2)
    second = live(page, "two")
    since = str(int((NOW + timedelta(minutes=1)).timestamp()))
    assert [post["id"] for post in body_of(page, "GET", "/v25.0/1001/feed", since=since)["data"]] == [second]
    until = "2026-11-22T14:06:00+00:00"
    assert [post["message"] for post in body_of(page, "GET", "/v25.0/1001/feed", until=until)["data"]] == ["one"]


def test_lists_may_lag_behind_while_the_post_itself_can_be_read(page: GraphPlatform, clock: Clock) -> None:
    page.read_lag = timedelta(seconds=15)
    ref = live(page)
    assert body_of(page, "GET", "/v25.0/1001/feed")["data"] == []
    assert body_of(page, "GET", f"/v25.0/{ref}")["id"] == ref
    clock.forward(seconds=15)
    assert len(body_of(page, "GET", "/v25.0/1001/feed")["data"]) == 1


def test_a_field_that_does_not_exist_is_an_error(page: GraphPlatform) -> None:
    assert code(page, "GET", f"/v25.0/{live(page)}", fields="id,comments_enabled") == (100, None)
    assert code(page, "GET", f"/v25.0/{live(page, 'b')}", fields="id,from{id") == (100, None)
