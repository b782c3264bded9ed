"""Every known outcome of a publishing request, over real sockets through the real SDK: what it is taken for.

Each row is played at every step of a publication, before and after the platform has done it, and each time the number
of posts that a stranger sees must fit the answer.
"""

from __future__ import annotations

import json
import socket
from datetime import timedelta
from typing import TYPE_CHECKING

import msgspec
import pytest
from facebook_kit import FEED, IMPATIENT, NOW, POST, PUBLISH, Memory, channel, finish, simulated_page, texts
from msgspec.structs import replace

from outagecast.channel import ChannelError, InDoubt, Receipt, Refused, Secret, TryLater
from outagecast.channels.facebook_answers import Answer, Usage, error_for
from outagecast.channels.facebook_table import ROWS, Verdict, row_for
from outagecast.sandbox.faults import Fault, FaultKind, When, unclear
from outagecast.sandbox.graph import ERRORS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from outagecast.channels.facebook import Facebook
    from outagecast.sandbox.graph import GraphPlatform

THROTTLED = (
    '{"1001":[{"type":"pages","call_count":100,"total_cputime":2,"total_time":3,"estimated_time_to_regain_access":%d}]}'
)


class Row(msgspec.Struct, frozen=True):
    """One recorded answer and what it must be taken for."""

    name: str
    status: int
    code: int | None
    kind: type[ChannelError]
    subcode: int | None = None
    message: str = "recorded"
    more: Mapping[str, object] = msgspec.field(default_factory=dict)
    headers: Mapping[str, str] = msgspec.field(default_factory=dict)
    expected: Mapping[str, object] = msgspec.field(default_factory=dict)
    hint: str = "outagecast "

    def fault(self, match: str, when: When) -> Fault:
        error = {"message": self.message, "type": "OAuthException", "fbtrace_id": "X", **self.more}
        error |= {"code": self.code} if self.code else {}
        error |= {"error_subcode": self.subcode} if self.subcode else {}
        return Fault(match, when=when, status=self.status, body=json.dumps({"error": error}), headers=self.headers)


MENDABLE = {"mendable": True}
CONTENT = {"mendable": False}
LIMITED = {"limited": True}
DUPLICATE = {"duplicate": True}

ANSWERS = [
    Row("unknown error", 500, 1, InDoubt, 99, "An unknown error occurred"),
    Row("unexpected error", 500, 2, InDoubt, more={"is_transient": True}, expected={"duplicate": False}),
    Row("unexpected error as 400", 400, 2, InDoubt, more={"is_transient": True}),
    Row("duplicate", 400, 506, InDoubt, 1455006, "Duplicate status message", expected=DUPLICATE),
    Row("posted already", 400, 368, InDoubt, 1404082, "You've already posted this.", expected=DUPLICATE),
    Row("app throttled", 400, 4, TryLater, expected=LIMITED),
    Row("user throttled", 400, 17, TryLater, expected=LIMITED),
    Row("page throttled", 400, 32, TryLater, message="(#32) Page request limit reached", expected=LIMITED),
    Row("limit 341", 400, 341, TryLater, expected=LIMITED),
    Row("limit 613", 400, 613, TryLater, 1996, expected=LIMITED),
    Row(
        "page calls",
        400,
        80001,
        TryLater,
        headers={"X-Business-Use-Case-Usage": THROTTLED % 7},
        expected={"limited": True, "after": timedelta(minutes=7)},
    ),
    Row("last business limit", 400, 80099, TryLater, expected=LIMITED),
    Row("posting too fast", 400, 368, TryLater, 1390008, expected={"limited": False, "after": timedelta(hours=1)}),
    Row("identity", 400, 368, Refused, 4854002, expected=MENDABLE),
    Row("blocked", 400, 368, Refused, expected=MENDABLE),
    *(Row(f"token {sub}", 400, 190, Refused, sub, expected=MENDABLE) for sub in (458, 459, 460, 463, 464, 467, 492)),
    Row("token", 401, 190, Refused, expected=MENDABLE),
    Row("session", 401, 102, Refused, expected=MENDABLE),
    Row("permission 10", 403, 10, Refused, expected=MENDABLE),
    Row("permission 200", 403, 200, Refused, message="(#200) requires pages_manage_posts", expected=MENDABLE),
    Row("permission 299", 400, 299, Refused, expected=MENDABLE),
    Row(
        "no Page token",
        403,
        200,
        Refused,
        message="(#200) Unpublished posts must be posted to a page as the page itself.",
        expected=MENDABLE,
        hint="page_access_token",
    ),
    Row(
        "proof",
        400,
        100,
        Refused,
        message="API calls from the server require an appsecret_proof argument",
        expected=MENDABLE,
        hint="app_secret",
    ),
    Row("moved id", 400, 100, Refused, 21, expected=MENDABLE),
    Row("bad parameter", 400, 100, Refused, expected=CONTENT, hint="message"),
    Row("empty", 400, 197, Refused, message="The post is empty", expected=CONTENT, hint="message"),
    Row("no picture", 400, 324, Refused, message="(#324) Requires upload file", expected=CONTENT, hint="JPG or PNG"),
    Row("bad picture", 400, 100, Refused, 1366046, "Invalid parameter", expected=CONTENT, hint="JPG or PNG"),
    Row("bad link", 400, 1500, Refused, expected=CONTENT, hint="message"),
    Row("link not read", 400, 1609005, Refused, expected=CONTENT, hint="message"),
    Row("link to Facebook", 400, 100, Refused, 1609008, expected=CONTENT, hint="message"),
    Row("capability", 400, 3, Refused, expected=MENDABLE),
    Row("reauthorize", 400, 194, Refused, expected=MENDABLE),
    Row("missing permission", 400, 283, Refused, expected=MENDABLE),
    Row("ended version", 400, 2635, Refused, expected=MENDABLE, hint="api_version"),
    Row("unknown code", 400, 4711, Refused, expected=MENDABLE),
    Row("unknown code, transient", 400, 4711, InDoubt, more={"is_transient": True}),
    Row("unknown code with 200", 200, 4711, InDoubt),
    Row("no code", 500, None, InDoubt),
]


@pytest.fixture
def page() -> Iterator[GraphPlatform]:
    yield from simulated_page()


def caught(facebook: Facebook, memory: Memory) -> ChannelError:
    with pytest.raises(ChannelError) as failure:
        facebook.send(replace(POST, token=memory.token), None, memory)
    return failure.value


@pytest.mark.parametrize("step", [FEED, PUBLISH], ids=["draft", "publish"])
@pytest.mark.parametrize("row", ANSWERS, ids=lambda row: row.name)
def test_an_answer_is_taken_for_what_it_is_and_nothing_is_public_when_nothing_was_done(
    page: GraphPlatform, row: Row, step: str
) -> None:
    page.faults.add(row.fault(step, When.BEFORE))
    memory = Memory()
    err = caught(channel(page), memory)
    assert type(err) is row.kind
    assert {name: getattr(err, name) for name in row.expected} == row.expected
    assert row.hint in err.hint or "type `" in err.hint or "browser" in err.hint
    assert page.public() == []
    finish(channel(page), memory)
    assert len(page.public()) == 1


DOUBTS = [row for row in ANSWERS if row.kind is InDoubt]


@pytest.mark.parametrize("publish", ["two-phase", "direct"])
@pytest.mark.parametrize("row", DOUBTS, ids=lambda row: row.name)
def test_an_error_that_was_none_is_found_and_not_sent_again(page: GraphPlatform, row: Row, publish: str) -> None:
    page.faults.add(row.fault(PUBLISH if publish == "two-phase" else FEED, When.AFTER))
    facebook, memory = channel(page, publish=publish), Memory()
    assert type(caught(facebook, memory)) is InDoubt
    assert len(page.public()) == 1
    finish(facebook, memory)
    assert len(page.public()) == 1


UNCLEAR = sorted(unclear(FEED))


@pytest.mark.parametrize("name", UNCLEAR)
@pytest.mark.parametrize("step", ["draft", "publish", "direct"])
def test_what_cannot_be_known_is_doubt_and_ends_as_one_post(page: GraphPlatform, name: str, step: str) -> None:
    match = PUBLISH if step == "publish" else FEED
    fault = unclear(match)[name]
    page.faults.add(fault)
    publish, memory = "direct" if step == "direct" else "two-phase", Memory()
    patience = IMPATIENT if fault.kind in {FaultKind.HANG, FaultKind.DRIP} else 20
    assert type(caught(channel(page, publish=publish, patience=patience), memory)) is InDoubt
    done = fault.when is When.AFTER and step != "draft"
    assert len(page.public()) == done
    finish(channel(page, publish=publish), memory)
    assert len(page.public()) == 1


@pytest.mark.parametrize("status", [401, 403, 404, 407, 413])
def test_a_page_of_some_proxy_with_a_definite_no_is_refused_and_says_where_to_look(
    page: GraphPlatform, status: int
) -> None:
    page.faults.add(Fault(FEED, FaultKind.HTML, status=status))
    err = caught(channel(page), Memory())
    assert isinstance(err, Refused)
    assert err.mendable
    assert "proxy" in err.hint


def test_too_many_requests_waits_as_long_as_it_is_told(page: GraphPlatform) -> None:
    page.faults.add(Fault(FEED, FaultKind.HTML, status=429, headers={"Retry-After": "90"}))
    err = caught(channel(page), Memory())
    assert isinstance(err, TryLater)
    assert (err.limited, err.after) == (True, timedelta(seconds=90))


@pytest.mark.parametrize(
    "body",
    [
        "[]",
        "null",
        "true",
        '"sent"',
        "",
        '{"id":',
        '{"id":null}',
        '{"error":"no"}',
        '{"error":[1]}',
        "\xff",
        "[" * 9999,
    ],
)
def test_a_strange_body_with_200_is_doubt_and_never_success(page: GraphPlatform, body: str) -> None:
    page.faults.add(Fault(FEED, status=200, body=body))
    assert isinstance(caught(channel(page), Memory()), InDoubt)


@pytest.mark.parametrize("body", ["{}", "[]", "null", "true", "", '{"id":"1001_1","is_published":true}'])
def test_a_500_is_doubt_whatever_its_body(page: GraphPlatform, body: str) -> None:
    page.faults.add(Fault(FEED, status=500, body=body))
    assert isinstance(caught(channel(page), Memory()), InDoubt)


@pytest.mark.parametrize("content_type", [None, "text/javascript; charset=UTF-8", "text/html"])
def test_a_good_answer_under_a_strange_content_type_is_a_good_answer(
    page: GraphPlatform, content_type: str | None
) -> None:
    body = json.dumps({"id": f"{page.page_id}_1", "is_published": True})
    page.faults.add(Fault(FEED, status=200, body=body, content_type=content_type))
    assert channel(page).send(POST, None, Memory()).ref == f"{page.page_id}_1"


def test_an_unreachable_platform_means_later(page: GraphPlatform) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    err = caught(channel(page, simulator_url=f"http://127.0.0.1:{port}"), Memory())
    assert isinstance(err, TryLater)
    assert "graph.facebook.com" in err.text
    assert err.hint


def test_a_draft_that_went_live_at_once_is_a_publication(page: GraphPlatform) -> None:
    body = json.dumps({"id": f"{page.page_id}_1", "is_published": True, "permalink_url": "https://www.example.org/1"})
    page.faults.add(Fault(FEED, status=200, body=body))
    receipt = channel(page).send(POST, None, Memory())
    assert (receipt.ref, receipt.url) == (f"{page.page_id}_1", "https://www.example.org/1")
    assert not any("is_published" in str(request.body) for request in page.log[1:])


@pytest.mark.parametrize("kind", [FaultKind.RESET, FaultKind.HANG, FaultKind.HTML, FaultKind.TRUNCATE])
def test_no_secret_stands_in_any_error(page: GraphPlatform, kind: FaultKind) -> None:
    page.faults.add(Fault(".*", kind, times=9))
    patience = IMPATIENT if kind is FaultKind.HANG else 20
    facebook = channel(page, app_secret=Secret.of(page.app_secret), patience=patience)
    receipt = Receipt(f"{page.page_id}_1")
    for call in (
        lambda: facebook.send(POST, None, Memory()),
        lambda: facebook.find(POST, None, NOW),
        lambda: facebook.close_replies(receipt),
        lambda: facebook.retract(receipt),
    ):
        with pytest.raises(ChannelError) as failure:
            call()
        link: BaseException | None = failure.value
        while link:
            assert not [t for t in texts(link) for s in (page.page_token, page.app_secret) if s in t]
            link = link.__cause__


@pytest.mark.parametrize("name", sorted(ERRORS))
def test_every_recorded_error_has_a_row_and_a_next_step(page: GraphPlatform, name: str) -> None:
    page.faults.add(ERRORS[name].fault(FEED))
    err = caught(channel(page), Memory())
    assert err.hint
    assert "not known here" not in err.text


def test_a_body_nested_beyond_reason_is_none() -> None:
    assert Answer.of(200, {}, b"[" * 99_999).body is None


def test_every_row_of_the_table_can_be_reached_and_says_what_to_do() -> None:
    for row in ROWS:
        code = next(
            code for code in (*range(1, 3000), *range(80000, 80100), *range(1609000, 1609010)) if code in row.codes
        )
        subcode = (
            next((sub for sub in (*range(1, 2000), *range(1366000, 1610000), 4854002) if sub in row.subcodes), 0)
            if row.subcodes
            else 0
        )
        answer = Answer(400, {}, code=code, subcode=subcode, message=row.words or "x")
        assert row_for(answer) is row, row.says
        assert row.hint
        assert row.says
        assert isinstance(error_for(answer), InDoubt) == (row.verdict in {Verdict.DOUBT, Verdict.DUPLICATE})


@pytest.mark.parametrize(
    ("header", "value", "percent", "minutes"),
    [
        ("x-business-use-case-usage", THROTTLED % 0, 100, 0),
        ("x-business-use-case-usage", '{"1":[{"call_count":"97","total_time":"x"}]}', 97, 0),
        ("x-app-usage", '{"call_count":28,"total_time":25,"total_cputime":81}', 81, 0),
        ("x-app-usage", "no json", 0, 0),
        ("x-app-usage", "[1]", 0, 0),
        ("x-business-use-case-usage", '{"1":[5,{"estimated_time_to_regain_access":9}]}', 0, 9),
    ],
)
def test_usage_headers_are_read_and_malformed_ones_are_none(
    header: str, value: str, percent: int, minutes: int
) -> None:
    assert Usage.of({header: value}) == Usage(percent, timedelta(minutes=minutes) if minutes else None)
