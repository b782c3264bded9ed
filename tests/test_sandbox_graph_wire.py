"""Versions, parameters, usage and faults of the simulated Graph API."""

from __future__ import annotations

import http.client
import json
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest
import requests
from sandbox_graph_kit import FEED, ask, body_of, code, draft, heard, live, photo, real_sdk, simulated_page
from sandbox_x_kit import Clock

from outagecast.sandbox.faults import Fault, FaultKind, When, lost_answer, unclear
from outagecast.sandbox.graph import ERRORS, GraphPlatform

if TYPE_CHECKING:
    from collections.abc import Iterator

    import facebook


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def page(clock: Clock) -> Iterator[GraphPlatform]:
    yield from simulated_page(clock)


@pytest.fixture
def sdk(page: GraphPlatform) -> Iterator[facebook.GraphAPI]:
    yield from real_sdk(page)


@pytest.mark.parametrize("version", ["v2.8", "v3.1", "v19.0", "v20.0"])
def test_a_version_that_has_ended_is_refused(page: GraphPlatform, version: str) -> None:
    assert code(page, "GET", f"/{version}/1001")[0] == 2635


@pytest.mark.parametrize("prefix", ["/v21.0", "/v25.0", "/v26.0", ""])
def test_every_living_version_is_accepted_and_named_in_the_answer(page: GraphPlatform, prefix: str) -> None:
    status, _, headers = ask(page, "GET", f"{prefix}/1001")
    assert (status, headers["facebook-api-version"]) == (200, prefix.removeprefix("/") or "v26.0")


def test_unknown_parameters_are_ignored_with_200_and_noted(page: GraphPlatform) -> None:
    status, body, _ = ask(page, "POST", "/v25.0/1001/feed", message="fiber cut", comments_enabled="false")
    assert (status, "error" in body) == (200, False)
    assert page.unknown_parameters == ["POST /1001/feed: comments_enabled"]


def test_every_parameter_we_may_send_is_known(page: GraphPlatform) -> None:
    ref = draft(page, fields="id,is_published,permalink_url", locale="en_US")["id"]
    body_of(page, "POST", f"/v25.0/{ref}", is_published="true", is_pinned="true", message="a")
    listing = {"filter": "stream", "order": "chronological", "since": "0", "until": "9999999999", "limit": "5"}
    body_of(page, "GET", f"/v25.0/{ref}/comments", after="0", **listing)
    photo(page, alt_text_custom="map")
    body_of(page, "POST", "/v25.0/1001/settings", option="{}")
    assert page.unknown_parameters == []


def test_an_unknown_path_is_an_unsupported_request(page: GraphPlatform) -> None:
    assert code(page, "POST", "/v25.0/1001/live_videos") == (100, 33)
    assert code(page, "GET", "/v25.0/4711") == (100, 33)


def test_usage_headers_are_there_and_can_be_left_out(page: GraphPlatform) -> None:
    page.usage = (97, 12)
    used = json.loads(ask(page, "GET", "/v25.0/1001")[2]["X-Business-Use-Case-Usage"])["1001"][0]
    assert (used["call_count"], used["estimated_time_to_regain_access"]) == (97, 12)
    assert "X-App-Usage" in ask(page, "GET", "/v25.0/me", page.user_token)[2]
    page.usage = None
    assert "X-Business-Use-Case-Usage" not in ask(page, "GET", "/v25.0/1001")[2]


@pytest.mark.parametrize("name", sorted(unclear(FEED)))
def test_a_fault_at_the_draft_leaves_it_made_exactly_if_it_came_after(page: GraphPlatform, name: str) -> None:
    fault = unclear(FEED)[name]
    page.faults.add(fault)
    answer = heard(page, fault.when, "/v25.0/1001/feed", message="fiber cut", published="false")
    assert answer is None or b"2001" not in answer
    assert len(page.page.posts) == (fault.when == When.AFTER)
    assert not page.public()


@pytest.mark.parametrize("name", sorted(unclear("")))
def test_a_fault_at_publishing_leaves_it_public_exactly_if_it_came_after(page: GraphPlatform, name: str) -> None:
    ref = draft(page)["id"]
    fault = unclear(rf"POST /v25\.0/{ref}$")[name]
    page.faults.add(fault)
    answer = heard(page, fault.when, f"/v25.0/{ref}", is_published="true")
    assert answer is None or b"success" not in answer
    assert len(page.public()) == (fault.when == When.AFTER)


def test_a_token_can_die_between_the_phases(page: GraphPlatform) -> None:
    ref = draft(page)["id"]
    page.faults.add(ERRORS["token-463"].fault(f"POST /{ref}"))
    assert code(page, "POST", f"/v25.0/{ref}", is_published="true") == (190, 463)
    assert not page.public()


@pytest.mark.parametrize("when", list(When))
def test_the_transient_error_may_have_published(page: GraphPlatform, when: When) -> None:
    page.faults.add(ERRORS["unexpected-error"].fault(FEED, when))
    status, body, _ = ask(page, "POST", "/v25.0/1001/feed", message="fiber cut")
    assert (status, body["error"]["is_transient"]) == (500, True)
    assert len(page.public()) == (when == When.AFTER)


def test_throttling_comes_as_400_and_tells_for_how_long(page: GraphPlatform) -> None:
    page.faults.add(ERRORS["page-calls"].fault(FEED))
    status, body, headers = ask(page, "POST", "/v25.0/1001/feed", message="fiber cut")
    assert (status, body["error"]["code"]) == (400, 80001)
    assert json.loads(headers["X-Business-Use-Case-Usage"])["1001"][0]["estimated_time_to_regain_access"] == 12


@pytest.mark.parametrize("name", sorted(ERRORS))
def test_every_recorded_answer_can_be_heard_over_the_wire_to_the_byte(page: GraphPlatform, name: str) -> None:
    page.faults.add(ERRORS[name].fault("GET /1001"))
    connection = http.client.HTTPConnection(urlsplit(page.url).netloc, timeout=10)
    connection.request("GET", "/v25.0/1001")
    answer = connection.getresponse()
    assert (answer.status, answer.read().decode()) == (ERRORS[name].status, ERRORS[name].body)
    connection.close()


def test_the_sdk_takes_an_empty_500_for_success(page: GraphPlatform, sdk: facebook.GraphAPI) -> None:
    page.faults.add(ERRORS["empty-500"].fault(FEED))
    assert sdk.put_object("1001", "feed", message="fiber cut") == {}
    assert not page.public()


def test_the_sdk_follows_a_redirect_to_what_looks_like_success(page: GraphPlatform, sdk: facebook.GraphAPI) -> None:
    page.faults.add(Fault(FEED, FaultKind.REDIRECT))
    assert sdk.put_object("1001", "feed", message="fiber cut")["id"] == "1"
    assert not page.public()


def test_a_lost_answer_is_found_in_the_feed(page: GraphPlatform) -> None:
    page.faults.add(lost_answer(FEED))
    assert heard(page, When.AFTER, "/v25.0/1001/feed", message="[INC-1] fiber cut") is None
    assert [post["message"] for post in body_of(page, "GET", "/v25.0/1001/feed")["data"]] == ["[INC-1] fiber cut"]


def test_a_stranger_sees_the_public_view_over_http_without_a_token(page: GraphPlatform) -> None:
    ref = live(page)
    draft(page, "not yet")
    page.stranger_comment(ref, "when?")
    assert requests.get(f"{page.url}/_public", timeout=10).json() == page.public()
    (seen,) = page.public()
    assert (seen["text"], seen["comments"][0]["text"], seen["can_comment"]) == ("fiber cut", "when?", True)
