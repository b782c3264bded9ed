"""What the simulated X shows of its posts, who may reply to them, and what it takes for the same post."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from sandbox_x_kit import POST, Clock, call, made, post, root, signed_get, simulated_x, uploaded

from outagecast.sandbox.faults import never_arrived
from outagecast.sandbox.x import ERRORS, Gone, ReplyRule, XPlatform

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def x(clock: Clock) -> Iterator[XPlatform]:
    yield from simulated_x(clock)


# What is kept and shown


def test_links_come_back_shortened_and_signs_escaped(x: XPlatform) -> None:
    text = 'R&D <eu> see status.example.com or https://example.org/a "now"'
    _, body = post(x, text)
    shown = body["data"]["text"]
    assert shown.startswith("R&amp;D &lt;eu&gt; see https://t.co/")
    urls = call(x, "GET", f"/2/tweets/{body['data']['id']}")[1]["data"]
    assert "entities" not in urls
    full = signed_get(x, f"/2/tweets/{body['data']['id']}", **{"tweet.fields": "entities"}).json()["data"]
    expanded = [url["expanded_url"] for url in full["entities"]["urls"]]
    assert expanded == ["http://status.example.com", "https://example.org/a"]
    assert all(full["text"][url["start"] : url["end"]] == url["url"] for url in full["entities"]["urls"])


def test_fields_are_shown_only_if_asked_for_and_unknown_ones_are_dropped_silently(x: XPlatform) -> None:
    ref = root(x)
    assert call(x, "GET", f"/2/tweets/{ref}")[1]["data"].keys() == {"id", "text", "edit_history_tweet_ids"}
    asked = signed_get(x, f"/2/tweets/{ref}", **{"tweet.fields": "reply_settings,nonsense"}).json()["data"]
    assert asked.keys() == {"id", "text", "edit_history_tweet_ids", "reply_settings"}


def test_a_reply_shows_the_conversation_and_the_reply_settings_of_its_root(x: XPlatform) -> None:
    first = root(x)
    second = made(x, "update 1", made(x, "update 0", first))
    wanted = {"post.fields": "conversation_id,reply_settings,referenced_tweets"}
    data = signed_get(x, f"/2/tweets/{second}", **wanted).json()["data"]
    assert (data["conversation_id"], data["reply_settings"]) == (first, "mentionedUsers")
    assert data["referenced_tweets"][0]["type"] == "replied_to"


def test_the_reply_settings_can_be_left_out_though_asked_for(x: XPlatform) -> None:
    ref = root(x)
    x.hide_reply_settings = True
    data = signed_get(x, f"/2/tweets/{ref}", **{"tweet.fields": "reply_settings,created_at"}).json()["data"]
    assert "reply_settings" not in data
    assert data["created_at"] == "2026-11-22T14:05:00.000Z"


def test_ids_tell_the_time_and_grow(x: XPlatform) -> None:
    refs = [int(made(x, f"update {number}")) for number in range(3)]
    assert refs == sorted(set(refs))
    assert (refs[0] >> 22) + 1_288_834_974_657 == int(x.now().timestamp() * 1000)


def test_the_timeline_is_newest_first_and_comes_in_pages(x: XPlatform, clock: Clock) -> None:
    refs = []
    for number in range(7):
        clock.forward(seconds=1)
        refs.append(made(x, f"update {number}"))
    path = f"/2/users/{x.account.user_id}/tweets"
    first = signed_get(x, path, max_results="5").json()
    second = signed_get(x, path, max_results="5", pagination_token=first["meta"]["next_token"]).json()
    assert [tweet["id"] for tweet in first["data"] + second["data"]] == refs[::-1]
    assert "next_token" not in second["meta"]


def test_the_timeline_can_begin_after_a_post_or_at_a_time(x: XPlatform, clock: Clock) -> None:
    first = made(x, "one")
    clock.forward(minutes=2)
    second = made(x, "two")
    path = f"/2/users/{x.account.user_id}/tweets"
    assert [t["id"] for t in signed_get(x, path, since_id=first).json()["data"]] == [second]
    assert [t["id"] for t in signed_get(x, path, start_time="2026-11-22T14:06:00Z").json()["data"]] == [second]
    assert "data" not in signed_get(x, path, since_id=second).json()
    assert signed_get(x, path, max_results="4").status_code == 400


def test_the_timeline_may_lag_behind(x: XPlatform, clock: Clock) -> None:
    x.read_lag = timedelta(seconds=30)
    ref = made(x, "one")
    path = f"/2/users/{x.account.user_id}/tweets"
    assert call(x, "GET", path)[1]["meta"]["result_count"] == 0
    assert call(x, "GET", f"/2/tweets/{ref}")[0] == 200
    clock.forward(seconds=30)
    assert call(x, "GET", path)[1]["data"][0]["id"] == ref


def test_the_search_finds_the_replies_of_a_conversation(x: XPlatform) -> None:
    first = made(x, "open to all")
    assert x.stranger_reply(first, "when?")[0] == 201
    found = signed_get(x, "/2/tweets/search/recent", query=f"conversation_id:{first}", **{"tweet.fields": "author_id"})
    assert [tweet["author_id"] for tweet in found.json()["data"]] == [x.stranger.user_id]


def test_the_account_knows_itself(x: XPlatform) -> None:
    status, body = call(x, "GET", "/2/users/me")
    assert (status, body["data"]["id"], body["data"]["username"]) == (200, "1234567890", "examplehosting")


# Who may reply


def test_a_stranger_cannot_reply_to_a_closed_root_nor_to_its_updates(x: XPlatform) -> None:
    first = root(x)
    for ref in (first, made(x, "update 1", first)):
        status, body = x.stranger_reply(ref, "when?")
        assert (status, body["type"]) == (403, "about:blank")
    assert [seen["can_reply"] for seen in x.public()] == [False, False]


def test_a_stranger_can_reply_where_nothing_was_closed(x: XPlatform) -> None:
    assert x.stranger_reply(made(x, "fiber cut"), "when?")[0] == 201
    assert [seen["author"] for seen in x.public()] == ["examplehosting", "passerby"]


def test_who_is_mentioned_in_the_root_may_reply_to_all_of_it(x: XPlatform) -> None:
    first = root(x, "fiber cut, thanks .@Passerby")
    assert x.stranger_reply(made(x, "update 1", first), "you are welcome")[0] == 201


def test_whom_the_account_follows_may_reply_under_following(x: XPlatform) -> None:
    ref = made(x, "fiber cut", reply_settings="following")
    assert x.stranger_reply(ref, "when?")[0] == 403
    x.account.follows.add(x.stranger.user_id)
    assert x.stranger_reply(ref, "when?")[0] == 201


def test_deleting_the_root_opens_its_conversation(x: XPlatform) -> None:
    first = root(x)
    second = made(x, "update 1", first)
    assert call(x, "DELETE", f"/2/tweets/{first}") == (200, {"data": {"deleted": True}})
    assert x.stranger_reply(second, "when?")[0] == 201


def test_reply_settings_on_a_reply_fail_the_whole_post(x: XPlatform) -> None:
    first = root(x)
    assert post(x, "update 1", first, reply_settings="mentionedUsers")[0] == 400
    assert len(x.public()) == 1


def test_a_reply_to_a_post_that_is_gone_is_refused(x: XPlatform) -> None:
    status, body = post(x, "update 1", "1990000000000000001")
    assert (status, body) == (403, ERRORS["parent-gone"].value)


@pytest.mark.parametrize(
    ("rule", "status"), [(ReplyRule.OFF, 201), (ReplyRule.SELF_ALLOWED, 201), (ReplyRule.SELF_REFUSED, 403)]
)
def test_the_reply_rule_of_2026_decides_about_replies_to_oneself(x: XPlatform, rule: ReplyRule, status: int) -> None:
    x.reply_rule = rule
    assert post(x, "update 1", root(x))[0] == status


@pytest.mark.parametrize("name", ["reply-not-mentioned", "reply-not-engaged"])
def test_the_reply_rule_refuses_in_either_wording(x: XPlatform, name: str) -> None:
    x.reply_rule, x.rule_refusal = ReplyRule.SELF_REFUSED, name
    assert post(x, "update 1", root(x)) == (403, ERRORS[name].value)


def test_the_reply_rule_holds_self_serve_apps_off_open_posts_of_others(x: XPlatform) -> None:
    status, body = x.call_as(x.stranger, "POST", "/2/tweets", {"text": "hello"})
    assert status == 201
    assert post(x, "hi", body["data"]["id"])[0] == 403


def test_a_reply_can_be_hidden_in_ones_own_conversation_only(x: XPlatform) -> None:
    first = made(x, "open to all")
    reply = x.stranger_reply(first, "when?")[1]["data"]["id"]
    assert x.call_as(x.stranger, "PUT", f"/2/tweets/{reply}/hidden", {"hidden": True})[0] == 403
    assert call(x, "PUT", f"/2/tweets/{reply}/hidden", {"hidden": True}) == (200, {"data": {"hidden": True}})
    assert [seen["id"] for seen in x.public()] == [first]


def test_what_is_hidden_may_be_hidden_again_and_whether_a_search_gives_it_is_a_switch(x: XPlatform) -> None:
    first = root(x)
    assert x.stranger_reply(first, "when?")[0] == 403
    x.fails_open = True
    assert x.public()[0]["can_reply"]
    reply = x.stranger_reply(first, "when?")[1]["data"]["id"]
    found = []
    for x.search_shows_hidden in (True, False):
        assert call(x, "PUT", f"/2/tweets/{reply}/hidden", {"hidden": True}) == (200, {"data": {"hidden": True}})
        listed = signed_get(x, "/2/tweets/search/recent", query=f"conversation_id:{first}")
        found.append(listed.json()["meta"]["result_count"])
    assert found == [1, 0]


def test_the_author_s_own_replies_cannot_be_hidden(x: XPlatform) -> None:
    update = post(x, "update 1", root(x))[1]["data"]["id"]
    assert call(x, "PUT", f"/2/tweets/{update}/hidden", {"hidden": True})[0] == 403


# Twice, and gone


def test_an_equal_post_is_a_duplicate(x: XPlatform) -> None:
    root(x)
    assert post(x, "fiber cut", reply_settings="mentionedUsers") == (403, ERRORS["duplicate"].value)
    assert len(x.public()) == 1


def test_another_parent_or_other_settings_make_no_duplicate(x: XPlatform) -> None:
    first = root(x)
    made(x, "fiber cut", first)
    made(x, "fiber cut")
    assert len(x.public()) == 3


def test_a_new_upload_of_the_same_image_makes_no_duplicate(x: XPlatform) -> None:
    for ref in (uploaded(x), uploaded(x)):
        made(x, "fiber cut", media={"media_ids": [ref]})


def test_duplicates_are_forgotten_after_ten_posts(x: XPlatform) -> None:
    made(x, "fiber cut")
    for number in range(9):
        made(x, f"update {number}")
    assert post(x, "fiber cut")[0] == 403
    made(x, "update 9")
    made(x, "fiber cut")


def test_duplicates_are_forgotten_after_twelve_hours(x: XPlatform, clock: Clock) -> None:
    made(x, "fiber cut")
    clock.forward(hours=11, minutes=59)
    assert post(x, "fiber cut")[0] == 403
    clock.forward(minutes=1)
    made(x, "fiber cut")


def test_the_text_of_a_deleted_post_may_be_posted_again(x: XPlatform) -> None:
    call(x, "DELETE", f"/2/tweets/{made(x, 'fiber cut')}")
    made(x, "fiber cut")


def test_an_equal_post_is_a_duplicate_for_ten_seconds_although_the_first_failed(x: XPlatform, clock: Clock) -> None:
    x.faults.add(never_arrived(POST))
    with pytest.raises(ConnectionError):
        post(x, "fiber cut")
    assert not x.public()
    clock.forward(seconds=9)
    assert post(x, "fiber cut") == (403, ERRORS["duplicate"].value)
    clock.forward(seconds=1)
    made(x, "fiber cut")


def test_the_lock_on_equal_posts_can_be_switched_off(x: XPlatform) -> None:
    x.duplicate_lock = timedelta(0)
    x.faults.add(never_arrived(POST))
    with pytest.raises(ConnectionError):
        post(x, "fiber cut")
    made(x, "fiber cut")


def test_a_definite_refusal_leaves_no_lock(x: XPlatform) -> None:
    x.faults.add(ERRORS["rate-limited"].fault(POST))
    assert post(x, "fiber cut")[0] == 429
    x.account.write = False
    assert post(x, "fiber cut")[0] == 403
    x.account.write = True
    made(x, "fiber cut")


def test_deleting_what_is_gone_answers_either_way(x: XPlatform) -> None:
    ref = made(x, "fiber cut")
    assert call(x, "DELETE", f"/2/tweets/{ref}")[0] == 200
    assert call(x, "DELETE", f"/2/tweets/{ref}")[0] == 404
    x.gone = Gone.NOT_DELETED
    assert call(x, "DELETE", f"/2/tweets/{ref}") == (200, {"data": {"deleted": False}})


def test_nobody_deletes_the_posts_of_others(x: XPlatform) -> None:
    assert x.call_as(x.stranger, "DELETE", f"/2/tweets/{root(x)}")[0] == 403


@pytest.mark.parametrize("status", [200, 404])
def test_reading_what_is_gone_says_so_without_data(x: XPlatform, status: int) -> None:
    x.missing_status = status
    got, body = call(x, "GET", "/2/tweets/1990000000000000001")
    assert got == status
    assert "data" not in body
    assert body["errors"][0]["type"].endswith("/resource-not-found")
