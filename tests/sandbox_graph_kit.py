"""What the tests of the simulated Graph API share: the real SDK pointed at it, and calls over real sockets."""

from __future__ import annotations

import http.client
import json
import threading
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode, urlsplit

import facebook
import requests

from outagecast.sandbox.faults import When
from outagecast.sandbox.graph import GraphPlatform

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

FEED = "POST /1001/feed"


class Simulated(requests.Session):
    """Sends what is meant for graph.facebook.com to the simulator."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self.url = url

    def request(self, method: str, url: str, *args: Any, **more: Any) -> requests.Response:
        return super().request(method, url.replace("https://graph.facebook.com", self.url), *args, **more)


def simulated_page(clock: Callable[[], datetime]) -> Iterator[GraphPlatform]:
    """A Page on a clock of the test's own."""
    with GraphPlatform(now=clock) as platform:
        yield platform


def real_sdk(page: GraphPlatform, token: str | None = None) -> Iterator[facebook.GraphAPI]:
    """facebook-sdk with a token, the Page's unless told otherwise."""
    with Simulated(page.url) as session:
        graph = facebook.GraphAPI(token or page.page_token, session=session, timeout=10)
        graph.version = "v25.0"
        yield graph


def ask(
    page: GraphPlatform, method: str, path: str, token: str | None = None, **given: str
) -> tuple[int, Any, http.client.HTTPMessage]:
    """One call with the token in the header; status, parsed body and headers of the answer."""
    connection = http.client.HTTPConnection(urlsplit(page.url).netloc, timeout=10)
    headers = {"Authorization": f"Bearer {token or page.page_token}"}
    body = urlencode(given) if method == "POST" else None
    if body is not None:
        headers["Content-Type"] = "application/x-www-form-urlencoded"
    elif given:
        path += f"?{urlencode(given)}"
    try:
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read()), answer.headers
    finally:
        connection.close()


def body_of(page: GraphPlatform, method: str, path: str, token: str | None = None, **given: str) -> Any:
    return ask(page, method, path, token, **given)[1]


def code(page: GraphPlatform, method: str, path: str, token: str | None = None, **given: str) -> tuple[int, int | None]:
    """Code and subcode of the error that a call is answered with."""
    error = body_of(page, method, path, token, **given)["error"]
    return error["code"], error.get("error_subcode")


def draft(page: GraphPlatform, message: str = "fiber cut", **more: str) -> Any:
    return body_of(page, "POST", "/v25.0/1001/feed", message=message, published="false", **more)


def live(page: GraphPlatform, message: str = "fiber cut", **more: str) -> str:
    return str(body_of(page, "POST", "/v25.0/1001/feed", message=message, **more)["id"])


def photo(page: GraphPlatform, **more: str) -> str:
    given = {"url": "https://example.com/map.png", "published": "false", **more}
    return str(body_of(page, "POST", "/v25.0/1001/photos", **given)["id"])


def heard(page: GraphPlatform, when: When, path: str, **given: str) -> bytes | None:
    """The whole answer to a POST, for a client that loses patience soon after the effect; None when there is none."""
    reached, wanted = threading.Event(), "committed" if when == When.AFTER else "received"
    page.on_event = lambda point, _: reached.set() if point == wanted else None
    connection = http.client.HTTPConnection(urlsplit(page.url).netloc, timeout=10)
    headers = {"Authorization": f"Bearer {page.page_token}", "Content-Type": "application/x-www-form-urlencoded"}
    try:
        connection.request("POST", path, urlencode(given), headers)
        assert reached.wait(10)
        connection.sock.settimeout(0.05)
        return connection.getresponse().read()
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()
