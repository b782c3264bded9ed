"""Nothing secret ever stands in a URL: not in one that we send, whatever the channel does and whatever is answered."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING
from urllib.parse import urlencode

import pytest
from facebook_kit import BATCH, IMAGE, NOW, POST, Memory, channel, simulated_page
from msgspec.structs import replace

from outagecast.channel import Refused, Secret, TryLater
from outagecast.sandbox.faults import Fault, FaultKind
from outagecast.sandbox.graph_tokens import proof

if TYPE_CHECKING:
    from collections.abc import Iterator

    from outagecast.channels.facebook import Facebook
    from outagecast.sandbox.graph import GraphPlatform


@pytest.fixture
def page() -> Iterator[GraphPlatform]:
    yield from simulated_page()


def with_app(page: GraphPlatform) -> dict[str, object]:
    return {"app_id": page.app_id, "app_secret": Secret.of(page.app_secret)}


def do_everything(page: GraphPlatform, facebook: Facebook) -> None:
    """Each call that the channel can make, some of them twice because an answer was lost."""
    page.faults.add(Fault("GET /v25.0/[0-9]+/feed", FaultKind.HTML))
    receipt = facebook.send(replace(POST, image=IMAGE), None, Memory())
    with pytest.raises(TryLater):
        facebook.find(POST, None, NOW)
    facebook.find(POST, None, NOW)
    facebook.close_replies(receipt)
    page.stranger_comment(receipt.ref, "when?")
    facebook.close_replies(receipt)
    facebook.amend(receipt, "UPDATE\n\nfiber cut")
    list(facebook.check())
    list(facebook.rehearse())
    facebook.retract(receipt)
    facebook.retract(receipt)


@pytest.mark.parametrize("app", [True, False])
def test_no_request_line_holds_a_token_or_the_app_s_secret(page: GraphPlatform, app: bool):
    """The proof that we know the secret stands in a URL, as Meta has it; nobody can make a token of it."""
    page.require_appsecret_proof = app
    do_everything(page, channel(page, **(with_app(page) if app else {})))
    lines = [f"{request.method} {request.path}?{urlencode(request.pairs)}" for request in page.log]
    assert {line.split()[0] for line in lines} == {"GET", "POST", "DELETE"}
    assert f"POST {BATCH}?" in lines
    named = {name for request in page.log for name, _ in request.pairs}
    assert not named & {"access_token", "input_token", "batch", "client_secret"}
    secrets = [page.page_token, page.app_secret, page.app_token, proof(page.app_token, page.app_secret)]
    for line in lines:
        assert not [secret for secret in secrets if secret in line or urlencode({"": secret})[1:] in line]


def told(page: GraphPlatform, body: str) -> None:
    page.faults.add(Fault(f"POST {BATCH}", status=200, body=body))


def entry(body: object, code: object = 200) -> str:
    return json.dumps([{"code": code, "body": body}])


NO_ANSWERS = {
    "an object": "{}",
    "no call": "[]",
    "a call that did not finish": "[null]",
    "two answers": json.dumps([{"code": 200, "body": "{}"}] * 2),
    "no body": '[{"code":200}]',
    "a body that is no text": entry({"data": {}}),
    "a body that is no JSON": entry("<html>"),
    "a body that is a list": entry("[]"),
    "a code that is none": entry('{"data":{"scopes":[]}}', "soon"),
    "a failure": entry("{}", 500),
    "cut off": '[{"code":200,"bo',
}


@pytest.mark.parametrize("body", NO_ANSWERS.values(), ids=NO_ANSWERS)
def test_what_is_no_answer_about_the_token_is_neither_good_nor_bad(page: GraphPlatform, body: str):
    facebook = channel(page, **with_app(page))
    receipt = facebook.send(POST, None, Memory())
    told(page, body)
    with pytest.raises(TryLater):
        facebook.close_replies(receipt)


def test_a_token_that_facebook_says_back_in_an_error_is_masked(page: GraphPlatform):
    """As "Malformed access token …" has it; the app's own call knows what it asked for."""
    facebook = channel(page, **with_app(page))
    receipt = facebook.send(POST, None, Memory())
    for text in (page.page_token, page.app_token.replace("|", "%7C")):
        fault = {"error": {"message": f"Malformed access token {text}", "code": 2}}
        told(page, entry(json.dumps(fault), 500))
        with pytest.raises(TryLater) as caught:
            facebook.close_replies(receipt)
        assert "Malformed access token ***" in caught.value.text


def test_a_refused_look_into_the_token_says_nothing_about_it(page: GraphPlatform):
    facebook = channel(page)
    receipt = facebook.send(POST, None, Memory())
    page.tokens[page.page_token].scopes.discard("pages_manage_engagement")
    with pytest.raises(Refused, match="pages_manage_engagement"):
        facebook.close_replies(receipt)
    fault = {"error": {"message": "You must provide an app access token", "code": 100}}
    told(page, entry(json.dumps(fault), 400))
    assert facebook.close_replies(receipt).value == "moderated"
