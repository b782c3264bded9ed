"""Batch requests of the simulated Graph API, as Meta describes them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
import requests
from sandbox_graph_kit import ask, body_of, code, simulated_page
from sandbox_x_kit import Clock

from outagecast.sandbox.faults import Fault, FaultKind, When
from outagecast.sandbox.graph_tokens import proof

if TYPE_CHECKING:
    from collections.abc import Iterator

    from outagecast.sandbox.graph import GraphPlatform


@pytest.fixture
def page() -> Iterator[GraphPlatform]:
    yield from simulated_page(Clock())


NAME = {"method": "GET", "relative_url": "me?fields=name"}


def batch(page: GraphPlatform, *calls: dict[str, Any], path: str = "/v25.0/", **given: str) -> list[Any]:
    answers: list[Any] = body_of(page, "POST", path, batch=json.dumps(calls), **given)
    return answers


@pytest.mark.parametrize("path", ["/", "/v25.0", "/v25.0/"])
def test_each_call_has_an_answer_with_its_body_as_text_in_the_order_of_the_calls(page: GraphPlatform, path: str):
    made = {"method": "POST", "relative_url": "1001/feed", "body": "message=fiber+cut&published=false"}
    first, second = batch(page, NAME, made, path=path)
    assert (first["code"], json.loads(first["body"])) == (200, {"name": "Example Hosting", "id": "1001"})
    assert json.loads(second["body"])["id"] in page.page.posts
    assert not page.public()


def test_headers_come_with_each_answer_unless_they_are_not_wanted(page: GraphPlatform):
    (full,), (bare,) = batch(page, NAME), batch(page, NAME, include_headers="false")
    assert {"name": "facebook-api-version", "value": "v25.0"} in full["headers"]
    assert bare.keys() == {"code", "body"}


def test_a_batch_may_come_as_json(page: GraphPlatform):
    token = {"Authorization": f"Bearer {page.page_token}"}
    sent = {"batch": [NAME], "include_headers": False}
    (answer,) = requests.post(f"{page.url}/v25.0/", json=sent, headers=token, timeout=10).json()
    assert answer.keys() == {"code", "body"}


def test_one_call_that_fails_does_not_fail_the_others(page: GraphPlatform):
    gone, fine = batch(page, {"method": "GET", "relative_url": "1001_9"}, NAME)
    assert (gone["code"], json.loads(gone["body"])["error"]["code"], fine["code"]) == (400, 100, 200)


def test_a_call_may_name_its_version_and_bring_its_own_token(page: GraphPlatform):
    own = {"method": "GET", "relative_url": f"/v26.0/me?access_token={page.user_token}"}
    (answer,) = batch(page, own)
    assert json.loads(answer["body"])["id"] == "55"
    assert {"name": "facebook-api-version", "value": "v26.0"} in answer["headers"]
    assert page.leaks == []


def test_the_proof_of_the_whole_is_good_for_the_calls_with_its_token(page: GraphPlatform):
    page.require_appsecret_proof = True
    (answer,) = batch(page, NAME, appsecret_proof=proof(page.page_token, page.app_secret))
    assert answer["code"] == 200


def test_a_fault_hits_a_call_inside_and_one_that_gives_no_answer_is_null(page: GraphPlatform):
    page.faults.add(Fault("GET /v25.0/me", status=500, body="{}"), Fault("GET /me", FaultKind.HANG))
    assert [answer and answer["code"] for answer in batch(page, NAME, NAME, NAME)] == [500, None, 200]


@pytest.mark.parametrize("when", list(When))
def test_a_call_that_gives_no_answer_was_made_exactly_if_the_fault_came_after(page: GraphPlatform, when: When):
    page.faults.add(Fault("POST /1001/feed", FaultKind.RESET, when))
    assert batch(page, {"method": "POST", "relative_url": "1001/feed", "body": "message=fiber+cut"}) == [None]
    assert len(page.page.posts) == (when is When.AFTER)


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"batch": "no json"},
        {"batch": "{}"},
        {"batch": "[1]"},
        {"batch": json.dumps([NAME] * 51)},
        {"batch": json.dumps([{"relative_url": "me"}])},
        {"batch": json.dumps([{**NAME, "depends_on": "first"}])},
        {"batch": json.dumps([{"method": "POST", "relative_url": "v25.0/?batch=[]"}])},
    ],
)
def test_a_batch_that_is_none_is_refused_as_a_whole(page: GraphPlatform, given: dict[str, str]):
    assert code(page, "POST", "/v25.0/", **given) == (100, None)


def test_a_batch_in_the_url_is_noted(page: GraphPlatform):
    ask(page, "POST", f"/v25.0/?batch={json.dumps([NAME]).replace(' ', '')}")
    assert page.leaks == ["POST /v25.0/: batch"]
