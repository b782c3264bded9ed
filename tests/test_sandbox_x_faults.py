"""Images, limits and faults of the simulated X, and what tests and the drill hold on to."""

from __future__ import annotations

import http.client
import threading
from base64 import b64encode
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest
import requests
from requests_oauthlib import OAuth1
from sandbox_x_kit import (
    PNG,
    POST,
    Clock,
    call,
    made,
    post,
    raw,
    real_sdk,
    root,
    send_quietly,
    simulated_x,
    uploaded,
    watched,
)

from outagecast.sandbox import oauth1
from outagecast.sandbox.faults import Fault, FaultKind, When, lost_answer, never_arrived, unclear
from outagecast.sandbox.x import ERRORS, XPlatform

if TYPE_CHECKING:
    from collections.abc import Iterator

    import tweepy


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def x(clock: Clock) -> Iterator[XPlatform]:
    yield from simulated_x(clock)


@pytest.fixture
def live() -> Iterator[XPlatform]:
    with XPlatform() as platform:
        yield platform


@pytest.fixture
def client(live: XPlatform) -> Iterator[tweepy.Client]:
    yield from real_sdk(live)


# Images


def test_an_image_and_its_words_go_out_with_the_post(x: XPlatform) -> None:
    ref = uploaded(x)
    words = {"id": ref, "metadata": {"alt_text": {"text": "map of the cut"}}}
    assert call(x, "POST", "/2/media/metadata", words)[0] == 200
    made(x, "fiber cut", media={"media_ids": [ref]})
    assert x.public()[0]["images"] == ["map of the cut"]


def test_the_real_sdk_uploads_a_file_as_multipart_unharmed(live: XPlatform, client: tweepy.Client) -> None:
    who = live.account
    auth = OAuth1(who.api_key, who.api_key_secret, who.access_token, who.access_token_secret)
    content = PNG + b"\r\n--\r\n\n\r" + PNG
    answer = client.session.post(
        "https://api.twitter.com/2/media/upload",
        data={"media_category": "tweet_image"},
        files={"media": ("map.png", content)},
        auth=auth,
        timeout=10,
    )
    assert live.media[answer.json()["data"]["id"]].content == content


def test_an_image_expires(x: XPlatform, clock: Clock) -> None:
    ref = uploaded(x)
    clock.forward(days=1)
    assert post(x, "fiber cut", media={"media_ids": [ref]})[0] == 400


def test_an_image_that_is_none_or_too_large_is_refused(x: XPlatform) -> None:
    text = {"media": b64encode(b"<html>").decode(), "media_category": "tweet_image"}
    large = {"media": b64encode(PNG + bytes(5 * 1024 * 1024)).decode(), "media_category": "tweet_image"}
    assert [call(x, "POST", "/2/media/upload", body)[0] for body in (text, large)] == [400, 413]


@pytest.mark.parametrize(
    ("path", "more"),
    [
        ("/2/media/upload", {"media": "!"}),
        ("/2/media/upload", {"media_category": "dm_image"}),
        ("/2/media/upload", {"alt_text": "map"}),
        ("/2/media/metadata", {"id": "1"}),
        ("/2/media/metadata", {"metadata": {"alt_text": "map"}}),
        ("/2/media/metadata", {"metadata": {"alt_text": {"text": "w" * 1001}}}),
        ("/2/media/metadata", {"media_id": "1"}),
    ],
)
def test_a_request_about_an_image_has_exactly_the_form_that_is_documented(
    x: XPlatform, path: str, more: dict[str, Any]
) -> None:
    good: dict[str, Any] = {
        "/2/media/upload": {"media": b64encode(PNG).decode(), "media_category": "tweet_image"},
        "/2/media/metadata": {"id": uploaded(x), "metadata": {"alt_text": {"text": "map"}}},
    }
    assert call(x, "POST", path, good[path])[0] == 200
    assert call(x, "POST", path, good[path] | more)[0] == 400
    x.account.write = False
    assert call(x, "POST", path, good[path])[0] == 403


# Limits


def test_every_answer_tells_what_is_left_and_the_next_call_after_it_is_refused(x: XPlatform, clock: Clock) -> None:
    last = [call(x, "GET", "/2/users/me")[0] for _ in range(76)]
    assert last == [200] * 75 + [429]
    header = {"Authorization": oauth1.authorization("GET", "/2/users/me", x.account.keys, x.now())}
    _, headers, _ = raw(x, "GET", "/2/users/me", header)
    assert (headers["x-rate-limit-limit"], headers["x-rate-limit-remaining"]) == ("75", "0")
    assert int(headers["x-rate-limit-reset"]) == int(datetime(2026, 11, 22, 14, 15, tzinfo=UTC).timestamp())
    clock.forward(minutes=15)
    assert call(x, "GET", "/2/users/me")[0] == 200


# Faults


@pytest.mark.parametrize("name", sorted(unclear(POST)))
def test_a_fault_leaves_the_post_published_exactly_if_it_came_after_the_effect(x: XPlatform, name: str) -> None:
    fault = unclear(POST)[name]
    x.faults.add(fault)
    status = send_quietly(x, 0.05, "committed" if fault.when == When.AFTER else "received")
    assert status != 201 or fault.kind == FaultKind.EMPTY_JSON
    assert len(x.public()) == (fault.when == When.AFTER)
    assert not x.faults.left


def test_a_capped_tier_counts_each_kind_of_call_of_a_day_and_says_so(x: XPlatform, clock: Clock) -> None:
    x.account.user_day, x.account.app_day = 1, 100

    def me() -> tuple[int, Any]:
        signed = {"Authorization": oauth1.authorization("GET", "/2/users/me", x.account.keys, x.now())}
        status, headers, _ = raw(x, "GET", "/2/users/me", signed)
        return status, headers

    _, headers = me()
    assert (headers["x-user-limit-24hour-limit"], headers["x-user-limit-24hour-remaining"]) == ("1", "0")
    assert (headers["x-app-limit-24hour-limit"], headers["x-app-limit-24hour-remaining"]) == ("100", "99")
    status, headers = me()
    assert (status, headers["x-user-limit-24hour-remaining"], headers["x-rate-limit-remaining"]) == (429, "0", "73")
    assert int(headers["x-user-limit-24hour-reset"]) == int(datetime(2026, 11, 23, tzinfo=UTC).timestamp())
    assert call(x, "GET", f"/2/users/{x.account.user_id}/tweets")[0] == 200
    clock.forward(days=1)
    assert call(x, "GET", "/2/users/me")[0] == 200


@pytest.mark.parametrize("name", sorted(ERRORS))
def test_every_recorded_answer_can_be_heard_over_the_wire_to_the_byte(x: XPlatform, name: str) -> None:
    error = ERRORS[name]
    x.faults.add(error.fault("GET /2/users/me"))
    connection = http.client.HTTPConnection(urlsplit(x.url).netloc, timeout=10)
    connection.request("GET", "/2/users/me")
    answer = connection.getresponse()
    assert (answer.status, answer.read().decode()) == (error.status, error.body)
    connection.close()
    for header, ahead in error.resets.items():
        assert int(answer.headers[header]) == int(x.now().timestamp()) + ahead


@pytest.mark.parametrize(
    ("kind", "error"),
    [(FaultKind.RESET, ConnectionResetError), (FaultKind.CLOSE, http.client.RemoteDisconnected)],
)
def test_a_reset_is_told_from_a_close_without_an_answer(x: XPlatform, kind: FaultKind, error: type[OSError]) -> None:
    x.faults.add(Fault(POST, kind))
    with pytest.raises(OSError) as caught:  # noqa: PT011  the exact type is what is asked
        post(x, "fiber cut")
    assert caught.type is error


def test_a_lost_answer_to_a_post_is_followed_by_a_duplicate(x: XPlatform) -> None:
    x.faults.add(lost_answer(POST))
    with pytest.raises(ConnectionError):
        post(x, "fiber cut")
    assert post(x, "fiber cut") == (403, ERRORS["duplicate"].value)
    assert len(x.public()) == 1


def test_the_sdk_takes_a_redirect_for_success_and_nothing_is_published(live: XPlatform, client: tweepy.Client) -> None:
    live.faults.add(Fault(POST, FaultKind.REDIRECT))
    assert client.create_tweet(text="fiber cut").data["id"] == "1"
    assert not live.public()
    assert [request.method for request in live.log] == ["POST", "GET"]


def test_the_sdk_reports_a_201_without_data_as_success_with_none(live: XPlatform, client: tweepy.Client) -> None:
    live.faults.add(ERRORS["created-empty-object"].fault(POST))
    assert client.create_tweet(text="fiber cut").data is None
    assert len(live.public()) == 1


def test_the_sdk_finds_the_cut_off_answer_a_chunk_error(live: XPlatform, client: tweepy.Client) -> None:
    live.faults.add(Fault(POST, FaultKind.TRUNCATE, When.AFTER))
    with pytest.raises(requests.exceptions.ChunkedEncodingError):
        client.create_tweet(text="fiber cut")
    assert len(live.public()) == 1


def test_a_script_skips_and_repeats_in_its_order(x: XPlatform) -> None:
    me = "GET /2/users/me"
    x.faults.add(Fault(me, status=418, skip=1, times=2), Fault(me, status=404))
    assert [call(x, "GET", "/2/users/me")[0] for _ in range(5)] == [200, 418, 418, 404, 200]


def test_a_fault_hits_only_what_it_matches(x: XPlatform) -> None:
    x.faults.add(Fault(r"GET /2/tweets/\d+$", status=404))
    ref = root(x)
    assert call(x, "GET", f"/2/tweets/{ref}")[0] == 404


def test_a_dripping_answer_comes_whole_in_the_end(x: XPlatform) -> None:
    for kind in (FaultKind.DRIP, FaultKind.DRIP_BODY):
        x.faults.add(Fault("GET /2/users/me", kind, When.AFTER, pace=0))
        assert call(x, "GET", "/2/users/me")[0] == 200


def test_closing_ends_silent_dripping_and_idle_connections_and_leaves_no_thread(clock: Clock) -> None:
    before = threading.active_count()
    x = XPlatform(now=clock)
    x.faults.add(Fault("GET /hang", FaultKind.HANG), Fault("GET /drip", FaultKind.DRIP, pace=60))
    seen = threading.Semaphore(0)
    x.on_event = lambda point, _: seen.release() if point == "received" else None
    connections = [http.client.HTTPConnection(urlsplit(x.url).netloc, timeout=10) for _ in range(3)]
    for connection, path in zip(connections, ("/hang", "/drip", "/idle"), strict=True):
        connection.request("GET", path)
        assert seen.acquire(timeout=10)
    connections[2].getresponse().read()
    x.close()
    x.close()
    assert threading.active_count() == before
    for connection in connections:
        connection.close()


def test_what_is_no_http_is_answered_400(x: XPlatform) -> None:
    connection = http.client.HTTPConnection(urlsplit(x.url).netloc, timeout=10)
    connection.putrequest("POST", "/2/tweets")
    connection.putheader("Content-Length", "many")
    connection.endheaders()
    assert connection.getresponse().status == 400
    connection.close()


# What tests and the drill hold on to


def test_the_points_of_a_request_stand_around_its_effect(x: XPlatform) -> None:
    assert watched(x) == [("received", 0), ("committed", 1), ("answered", 1)]


def test_a_lost_answer_never_reaches_its_last_point(x: XPlatform) -> None:
    x.faults.add(lost_answer(POST))
    assert watched(x) == [("received", 0), ("committed", 1)]


def test_a_request_that_never_arrived_never_reaches_its_effect(x: XPlatform) -> None:
    x.faults.add(never_arrived(POST))
    assert watched(x) == [("received", 0)]


def test_the_delay_passes_between_effect_and_answer(x: XPlatform) -> None:
    x.delay = timedelta(seconds=60)
    assert send_quietly(x, 0.05) is None
    assert len(x.public()) == 1


def test_a_stranger_sees_the_public_view_over_http_without_keys(x: XPlatform) -> None:
    ref = root(x, "R&D: see status.example.com")
    status, _, seen = raw(x, "GET", "/_public", {})
    assert (status, seen) == (200, x.public())
    assert seen == [
        {
            "id": ref,
            "text": "R&D: see status.example.com",
            "conversation_id": ref,
            "in_reply_to": None,
            "author": "examplehosting",
            "can_reply": False,
            "created_at": "2026-11-22T14:05:00.000Z",
            "images": [],
        }
    ]
    assert [request.path for request in x.log] == ["/2/tweets"]


def test_many_clients_at_once_get_an_answer_each(live: XPlatform) -> None:
    statuses: list[int] = []
    threads = [
        threading.Thread(target=lambda number=number: statuses.append(post(live, f"update {number}")[0]))
        for number in range(20)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert statuses == [201] * 20
    assert len({seen["id"] for seen in live.public()}) == 20


def test_a_connection_serves_many_requests(x: XPlatform) -> None:
    connection = http.client.HTTPConnection(urlsplit(x.url).netloc, timeout=10)
    for _ in range(3):
        connection.request("GET", "/2/users/me")
        sock = connection.sock
        connection.getresponse().read()
        assert connection.sock is sock
    connection.close()


def test_a_port_can_be_asked_for(x: XPlatform) -> None:
    port = urlsplit(x.url).port or 0
    x.close()
    with XPlatform(port=port) as again:
        assert again.url == x.url
