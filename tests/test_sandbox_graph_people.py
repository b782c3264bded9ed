"""The simulated Page's comments, which nobody can switch off, and what each token may do."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import facebook
import pytest
import requests
from sandbox_graph_kit import Simulated, ask, body_of, code, draft, live, real_sdk, simulated_page
from sandbox_x_kit import Clock

from outagecast.sandbox.graph import ERRORS, GraphPlatform
from outagecast.sandbox.graph_tokens import proof

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def page(clock: Clock) -> Iterator[GraphPlatform]:
    yield from simulated_page(clock)


@pytest.fixture
def sdk(page: GraphPlatform) -> Iterator[facebook.GraphAPI]:
    yield from real_sdk(page)


# Comments


def comments(page: GraphPlatform, ref: str, token: str | None = None, **given: str) -> list[dict[str, Any]]:
    listed: list[dict[str, Any]] = body_of(page, "GET", f"/v25.0/{ref}/comments", token, **given)["data"]
    return listed


def test_a_stranger_can_always_comment_on_what_is_public(page: GraphPlatform) -> None:
    ref = page.stranger_comment(live(page), "when?")
    assert [comment["id"] for comment in page.public()[0]["comments"]] == [ref]


def test_a_stranger_cannot_comment_on_a_draft(page: GraphPlatform) -> None:
    with pytest.raises(LookupError):
        page.stranger_comment(draft(page)["id"], "when?")


def test_replies_are_listed_in_the_stream_only_or_under_their_comment(page: GraphPlatform) -> None:
    post = live(page)
    first = page.stranger_comment(post, "when?")
    second = page.stranger_comment(post, "yes, when?", parent=first)
    assert [comment["id"] for comment in comments(page, post)] == [first]
    assert [comment["id"] for comment in comments(page, post, filter="stream")] == [first, second]
    assert [comment["id"] for comment in comments(page, first)] == [second]
    backwards = comments(page, post, filter="stream", order="reverse_chronological")
    assert [comment["id"] for comment in backwards] == [second, first]


def test_comments_show_who_wrote_them_with_the_fields_asked_for(page: GraphPlatform) -> None:
    post = live(page)
    page.stranger_comment(post, "when?")
    fields = "id,message,from{id},created_time,is_hidden,can_hide,can_remove,parent{id}"
    (comment,) = comments(page, post, fields=fields)
    assert comment == {
        "id": "2001_2002",
        "message": "when?",
        "from": {"id": "77"},
        "created_time": "2026-11-22T14:05:00+0000",
        "is_hidden": False,
        "can_hide": True,
        "can_remove": True,
    }


def test_without_the_permission_comments_do_not_say_who_wrote_them(page: GraphPlatform) -> None:
    post = live(page)
    page.stranger_comment(post, "when?")
    page.tokens[page.page_token].scopes.discard("pages_read_user_content")
    assert "from" not in comments(page, post, fields="id,from{id}")[0]


def test_a_user_token_sees_an_empty_list_and_no_error(page: GraphPlatform) -> None:
    post = live(page)
    page.stranger_comment(post, "when?")
    assert comments(page, post, page.user_token) == []
    page.blind = True
    assert comments(page, post) == []


def test_a_hidden_comment_and_its_replies_are_out_of_sight_and_still_listed(page: GraphPlatform) -> None:
    post = live(page)
    first = page.stranger_comment(post, "when?")
    page.stranger_comment(post, "yes, when?", parent=first)
    assert body_of(page, "POST", f"/v25.0/{first}", is_hidden="true") == {"success": True}
    assert page.public()[0]["comments"] == []
    assert comments(page, post, fields="is_hidden")[0]["is_hidden"]
    body_of(page, "POST", f"/v25.0/{first}", is_hidden="false")
    assert len(page.public()[0]["comments"]) == 2


def test_the_pages_own_comment_cannot_be_hidden(page: GraphPlatform) -> None:
    own = page.page_comment(live(page), "call us")
    status, body, _ = ask(page, "POST", f"/v25.0/{own}", is_hidden="true")
    assert (status, body) == (403, ERRORS["hide-denied"].value)
    assert not body_of(page, "GET", f"/v25.0/{own}", fields="can_hide")["can_hide"]


def test_deleting_a_comment_takes_its_replies_along(page: GraphPlatform) -> None:
    post = live(page)
    first = page.stranger_comment(post, "when?")
    page.stranger_comment(post, "yes, when?", parent=first)
    assert body_of(page, "DELETE", f"/v25.0/{first}") == {"success": True}
    assert comments(page, post, filter="stream") == []
    assert code(page, "DELETE", f"/v25.0/{first}") == (100, 33)


def test_the_summary_counts_what_the_list_does_not_show(page: GraphPlatform) -> None:
    post = live(page)
    first = page.stranger_comment(post, "when?")
    page.stranger_comment(post, "yes, when?", parent=first)
    body = body_of(page, "GET", f"/v25.0/{post}/comments", summary="true")
    assert (len(body["data"]), body["summary"]["total_count"], body["summary"]["can_comment"]) == (1, 2, True)
    nested = body_of(page, "GET", f"/v25.0/{post}", fields="comments.limit(0).summary(true)")
    assert nested["comments"]["summary"]["total_count"] == 2


# Tokens and permissions


@pytest.mark.parametrize(
    ("scope", "method", "path", "answer"),
    [
        ("pages_manage_posts", "POST", "/v25.0/1001/feed", 200),
        ("pages_manage_posts", "DELETE", "/v25.0/{post}", 200),
        ("pages_read_engagement", "GET", "/v25.0/{post}", 10),
        ("pages_read_engagement", "GET", "/v25.0/1001/feed", 10),
        ("pages_manage_engagement", "POST", "/v25.0/{comment}", 200),
        ("pages_manage_metadata", "GET", "/v25.0/1001/settings", 200),
    ],
)
def test_each_permission_is_needed_for_what_it_is_for(
    page: GraphPlatform, scope: str, method: str, path: str, answer: int
) -> None:
    post = live(page)
    comment = page.stranger_comment(post, "when?")
    page.tokens[page.page_token].scopes.discard(scope)
    given = {"message": "another"} if method == "POST" else {}
    assert code(page, method, path.format(post=post, comment=comment), **given)[0] == answer


@pytest.mark.parametrize("trouble", ["token-458", "token-459", "token-460", "token-463", "token-467", "token-492"])
def test_a_token_in_trouble_is_told_which(page: GraphPlatform, trouble: str) -> None:
    page.tokens[page.page_token].trouble = trouble
    assert code(page, "GET", "/v25.0/1001") == (190, int(trouble[-3:]))


def test_no_token_and_an_unknown_token_are_refused(page: GraphPlatform) -> None:
    assert requests.get(f"{page.url}/v25.0/1001", timeout=10).json()["error"]["code"] == 104
    assert code(page, "GET", "/v25.0/1001", "nobody") == (190, None)


def test_a_token_in_the_url_works_and_is_noted(page: GraphPlatform, sdk: facebook.GraphAPI) -> None:
    assert sdk.get_object("1001")["name"] == "Example Hosting"
    assert page.leaks == ["GET /v25.0/1001: access_token"]


def test_a_token_in_header_or_body_is_no_leak(page: GraphPlatform, sdk: facebook.GraphAPI) -> None:
    sdk.put_object("1001", "feed", message="fiber cut")
    body_of(page, "GET", "/v25.0/1001")
    assert page.leaks == []


def test_the_proof_is_checked_where_it_is_given_and_may_be_demanded(page: GraphPlatform) -> None:
    good = proof(page.page_token, page.app_secret)
    assert code(page, "GET", "/v25.0/1001", appsecret_proof="wrong") == (100, None)
    page.require_appsecret_proof = True
    assert body_of(page, "GET", "/v25.0/1001") == ERRORS["proof-missing"].value
    assert body_of(page, "GET", "/v25.0/1001", appsecret_proof=good)["id"] == "1001"


def test_the_page_gives_its_token_to_who_manages_it(page: GraphPlatform) -> None:
    answer = body_of(page, "GET", "/v25.0/1001", page.user_token, fields="access_token,name")
    assert answer == {"access_token": page.page_token, "name": "Example Hosting", "id": "1001"}
    page.tokens[page.user_token].scopes.discard("pages_show_list")
    assert "access_token" not in body_of(page, "GET", "/v25.0/1001", page.user_token, fields="access_token")


def test_me_is_the_page_for_its_own_token_and_a_person_for_theirs(page: GraphPlatform) -> None:
    assert body_of(page, "GET", "/v25.0/me")["id"] == "1001"
    assert body_of(page, "GET", "/v25.0/me", page.user_token)["id"] == "55"


def test_a_page_of_a_portfolio_is_not_among_the_accounts(page: GraphPlatform) -> None:
    assert body_of(page, "GET", "/v25.0/me/accounts", page.user_token)["data"][0]["id"] == "1001"
    page.portfolio = True
    assert body_of(page, "GET", "/v25.0/me/accounts", page.user_token)["data"] == []


def test_the_app_can_look_into_a_token(page: GraphPlatform) -> None:
    page.tokens[page.page_token].scopes = {"pages_manage_posts"}
    data = body_of(page, "GET", "/v25.0/debug_token", page.app_token, input_token=page.page_token)["data"]
    assert (data["type"], data["is_valid"], data["expires_at"], data["scopes"]) == (
        "PAGE",
        True,
        0,
        ["pages_manage_posts"],
    )
    assert data["granular_scopes"] == [{"scope": "pages_manage_posts", "target_ids": ["1001"]}]


def test_a_token_to_look_into_is_a_leak_in_the_url_and_none_in_a_batch(page: GraphPlatform) -> None:
    call = {"method": "GET", "relative_url": f"debug_token?input_token={page.page_token}"}
    body_of(page, "POST", "/v25.0/", page.app_token, batch=json.dumps([call]))
    assert page.leaks == []
    body_of(page, "GET", "/v25.0/debug_token", page.app_token, input_token=page.page_token)
    assert page.leaks == ["GET /v25.0/debug_token: input_token"]


def test_a_dead_token_looked_into_is_invalid_with_its_reason(page: GraphPlatform) -> None:
    page.tokens[page.page_token].trouble = "token-460"
    data = body_of(page, "GET", "/v25.0/debug_token", page.app_token, input_token=page.page_token)["data"]
    assert (data["is_valid"], data["error"]["subcode"]) == (False, 460)


def test_looking_into_a_token_needs_the_app(page: GraphPlatform) -> None:
    assert code(page, "GET", "/v25.0/debug_token", page.user_token, input_token=page.page_token) == (190, None)


def test_the_real_sdk_changes_a_short_token_for_one_of_sixty_days(page: GraphPlatform, clock: Clock) -> None:
    with Simulated(page.url) as session:
        graph = facebook.GraphAPI(page.user_token, session=session, timeout=10)
        graph.version = "v25.0"
        answer = graph.extend_access_token(page.app_id, page.app_secret)
    assert answer["expires_in"] == 5184000
    assert body_of(page, "GET", "/v25.0/me", answer["access_token"])["id"] == "55"
    clock.forward(days=60)
    assert code(page, "GET", "/v25.0/me", answer["access_token"]) == (190, 463)


def test_the_exchange_needs_the_secret_of_the_app(page: GraphPlatform) -> None:
    given = {"grant_type": "fb_exchange_token", "client_id": page.app_id, "client_secret": "wrong"}
    assert code(page, "POST", "/v25.0/oauth/access_token", fb_exchange_token=page.user_token, **given)[0] == 100


def test_settings_are_kept(page: GraphPlatform) -> None:
    option = json.dumps({"USERS_CAN_POST": False})
    assert body_of(page, "POST", "/v25.0/1001/settings", option=option) == {"success": True}
    listed = body_of(page, "GET", "/v25.0/1001/settings")["data"]
    assert {"setting": "USERS_CAN_POST", "value": False} in listed
