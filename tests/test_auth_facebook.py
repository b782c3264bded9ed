"""`outagecast auth facebook`: to a Page's own token from a system user's, a person's or the Page's own."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from terminal_kit import at_terminal

from outagecast.sandbox.faults import Fault, FaultKind
from outagecast.sandbox.graph_errors import ERRORS, error
from outagecast.sandbox.graph_posts import ALL_SCOPES, Token, TokenKind

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from night import Night
    from terminal_kit import Answer, Session

    from outagecast.sandbox.graph import GraphPlatform

SYSTEM: list[Answer] = [("can you make", "1")]
MINE: list[Answer] = [("can you make", "2")]
NO_APP: list[Answer] = [("app's number", "")]
FIRST: list[Answer] = [("Which Page", "1")]
FILES: list[Answer] = [("1 to 2", "1"), ("Folder", "")]
NOWHERE: list[Answer] = [("1 to 2", "2")]


@pytest.fixture(autouse=True)
def _never_in_a_url(night: Night) -> Iterator[None]:
    night.config.unlink()
    yield
    assert (night.graph.leaks, night.graph.unknown_parameters) == ([], [])
    hidden = (*night.graph.tokens, night.graph.app_secret)
    asked = [f"{request.path} {request.pairs}" for request in night.graph.log]
    assert [line for line in asked for secret in hidden if secret in line] == []


def token(value: str) -> list[Answer]:
    return [("Paste the token;", value)]


def app(graph: GraphPlatform) -> list[Answer]:
    return [("app's number", graph.app_id), ("app's secret", graph.app_secret)]


def run(night: Night, script: Sequence[Answer], *options: str) -> Session:
    argv = ["auth", "facebook", "--simulator", night.graph.url, *options]
    done = at_terminal(argv, script, env=night.env, cwd=night.folder, clock=night.clock)
    said = done.shown + done.out
    assert [secret for secret in (*night.graph.tokens, night.graph.app_secret) if secret in said] == []
    return done


def text(done: Session) -> str:
    return " ".join(done.shown.split())


def kept(folder: Path) -> dict[str, str]:
    return {path.name: path.read_text().strip() for path in sorted(folder.rglob("*")) if path.is_file()}


def test_a_system_users_token_gives_the_pages_own_without_an_exchange(night: Night) -> None:
    graph = night.graph
    done = run(night, [*SYSTEM, *token(graph.system_token), *app(graph), *FIRST, *FILES])
    assert (done.code, done.unasked) == (0, []), done.shown
    assert kept(night.folder) == {
        "facebook-app-secret": graph.app_secret,
        "facebook-page-access-token": graph.page_token,
    }
    assert "a Page token that never expires" in done.shown
    assert f"granted: {', '.join(sorted(set(ALL_SCOPES) - {'pages_manage_metadata'}, key=text_order))}" in text(done)
    assert "person" not in text(done).partition("This is the token of the Page")[2]
    assert not [request for request in graph.log if request.path.endswith("/oauth/access_token")]


def text_order(scope: str) -> int:
    order = ("manage_posts", "read_engagement", "show_list", "read_user_content", "manage_engagement")
    return order.index(scope.removeprefix("pages_"))


def test_the_lines_that_are_printed_are_a_section_that_works(night: Night) -> None:
    done = run(night, [*SYSTEM, *token(night.graph.system_token), *app(night.graph), *FIRST, *FILES])
    night.write_config(f"{done.out}    simulator_url: {night.graph.url}\n")
    assert night.run("post", "fiber cut").code == 0
    assert len(night.pages()) == 1


def test_a_persons_token_is_exchanged_and_what_it_dies_of_is_said(night: Night) -> None:
    graph = night.graph
    done = run(night, [*MINE, *token(graph.user_token), *app(graph), *FIRST, *NOWHERE])
    assert done.code == 0, done.shown
    assert "it dies when their password changes" in done.shown
    (asked,) = [request for request in graph.log if request.path.endswith("/oauth/access_token")]
    assert (asked.method, asked.pairs, asked.form["fb_exchange_token"]) == ("POST", [], graph.user_token)
    (read,) = [request for request in graph.log if request.path.endswith("/1001")]
    assert read.headers["Authorization"].startswith("Bearer long-")


@pytest.mark.parametrize("known", [False, True])
def test_a_persons_token_that_was_taken_for_a_system_users_is_found_out(night: Night, known: bool) -> None:
    graph = night.graph
    answers = app(graph) if known else [*NO_APP, *app(graph)]
    done = run(night, [*SYSTEM, *token(graph.user_token), *answers, *FIRST, *NOWHERE])
    assert (done.code, done.unasked) == (0, []), done.shown
    assert done.shown.count("The app's secret") == 1, "what was typed once is not asked for again"
    assert "This is a person's token, not a system user's" in text(done)
    assert "it dies when their password changes" in done.shown


def test_the_pages_own_token_is_taken_as_it_is(night: Night) -> None:
    done = run(night, [*SYSTEM, *token(night.graph.page_token), *NO_APP, *NOWHERE])
    assert (done.code, done.unasked) == (0, []), done.shown
    assert 'page_id: "1001"' in done.out
    assert "app_secret" not in done.out


def test_a_page_of_a_business_portfolio_is_asked_for_by_its_number(night: Night) -> None:
    night.graph.portfolio = True
    number: list[Answer] = [("transparency", "examplehosting"), ("digits only.*transparency", "1001")]
    done = run(night, [*SYSTEM, *token(night.graph.system_token), *NO_APP, *number, *NOWHERE])
    assert (done.code, done.unasked) == (0, []), done.shown
    assert "Facebook lists no Page here: it lists none that belongs to a business portfolio." in text(done)


def test_what_the_config_says_is_not_asked_for(night: Night) -> None:
    night.env["FACEBOOK_APP_SECRET"] = night.graph.app_secret
    section = '  page:\n    type: facebook\n    page_id: "1001"\n    app_id: "1122334455"\n    app_secret: ${FACEBOOK_APP_SECRET}\n'
    night.write_config(section)
    done = run(night, [*SYSTEM, *token(night.graph.system_token), *NOWHERE])
    assert done.code == 0, done.shown
    assert done.out.splitlines()[0] == "  page:"
    assert "app_secret" not in done.out
    assert "${PAGE_PAGE_ACCESS_TOKEN}" in done.out


@pytest.mark.parametrize(
    ("scope", "code", "said"),
    [
        ("pages_manage_posts", 1, "pages_manage_posts is not granted: nothing can be posted"),
        ("pages_read_engagement", 1, "pages_read_engagement is not granted: nothing can be posted"),
        ("pages_show_list", 0, "pages_show_list is not granted: it is for getting a Page's token"),
        ("pages_manage_engagement", 0, "pages_manage_engagement is not granted: strangers' comments cannot be hidden"),
        ("pages_read_user_content", 0, "pages_read_user_content is not granted: strangers' comments stay unseen"),
    ],
)
def test_a_right_that_is_missing_is_named_with_what_stops_working(
    night: Night, scope: str, code: int, said: str
) -> None:
    night.graph.tokens[night.graph.page_token].scopes.remove(scope)
    done = run(night, [*SYSTEM, *token(night.graph.system_token), *NO_APP, *FIRST, *NOWHERE])
    assert done.code == code
    assert said in text(done)
    assert "make a token that has it too, then: outagecast auth facebook" in text(done)


@pytest.mark.parametrize(
    ("ends", "code", "said"),
    [
        (86_400, 0, "! a Page token that expires on 2026-11-23 14:05 UTC"),
        (-60, 1, "✗ a Page token that expires on 2026-11-22 14:04 UTC"),
        (None, 0, "! a Page token, made by the app outagecast; Facebook does not say when it expires"),
    ],
)
def test_when_a_token_ends_is_judged_as_check_does(night: Night, ends: int | None, code: int, said: str) -> None:
    end = None if ends is None else int(night.clock.now().timestamp()) + ends
    facts = {"type": "PAGE", "is_valid": True, "expires_at": end, "scopes": ALL_SCOPES, "application": "outagecast"}
    told = Fault("GET /debug_token", status=200, body=json.dumps({"data": facts}), times=9)
    start: list[Answer] = [*SYSTEM, *token(night.graph.page_token), *NO_APP]
    night.graph.faults.add(told)
    done = run(night, [*start, *NOWHERE])
    assert (done.code, done.unasked) == (code, []), done.shown
    assert said in text(done)


def test_what_facebook_does_not_tell_is_said(night: Night) -> None:
    night.graph.faults.add(Fault(r"GET /debug_token", status=400, body=ERRORS["permission-denied"].body, times=9))
    done = run(night, [*SYSTEM, *token(night.graph.system_token), *NO_APP, *FIRST, *NOWHERE])
    assert done.code == 0, done.shown
    assert "Facebook does not tell what the token may do" in text(done)


def test_json_has_the_references_and_no_secret(night: Night) -> None:
    done = run(night, [*SYSTEM, *token(night.graph.system_token), *NO_APP, *FIRST, *FILES], "--json")
    told = json.loads(done.out)
    assert told["keys"] == {"page_id": "1001", "page_access_token": "${file:secrets/facebook-page-access-token}"}
    assert (told["schema"], told["type"], told["exit_code"]) == ("outagecast.auth/1", "facebook", 0)


def refusals() -> Iterator[tuple[str, Fault | None, str, str]]:
    """Where it goes wrong, how, and what is said of it."""
    secret = error(400, 1, "Error validating client secret.")
    yield "exchange", secret.fault("POST /v25.0/oauth"), "does not accept the app's number or its secret", "Basic"
    yield "exchange", ERRORS["token-463"].fault("POST /v25.0/oauth"), "the token has expired", "get a new token"
    yield "exchange", Fault("POST /v25.0/oauth", FaultKind.EMPTY_JSON), "no token came of the exchange", "see to that"
    yield "exchange", Fault("POST /v25.0/oauth", FaultKind.RESET), "Facebook did not answer", "once more"
    yield "page", ERRORS["gone-get"].fault("GET /v25.0/1001"), "does not see a Page 1001", "Page transparency"
    yield "page", ERRORS["page-calls"].fault("GET /v25.0/1001"), "used up its calls", "a little later"
    yield (
        "page",
        ERRORS["proof-missing"].fault("GET /v25.0/1001"),
        "proof made with the app's secret",
        "the app that made",
    )
    yield "page", Fault("GET /v25.0/1001", FaultKind.HTML), "could not be asked", "a little later"
    yield (
        "page",
        Fault("GET /v25.0/1001", FaultKind.EMPTY_JSON),
        "gives no token of the Page",
        "give its owner full control",
    )


@pytest.mark.parametrize(("step", "fault", "said", "hint"), list(refusals()))
def test_what_facebook_refuses_is_said_and_the_same_command_is_right(
    night: Night, step: str, fault: Fault, said: str, hint: str
) -> None:
    night.graph.faults.add(fault)
    start = [*MINE, *token(night.graph.user_token), *app(night.graph)]
    done = run(night, start if step == "exchange" else [*start, *FIRST])
    assert (done.code, done.out) == (2, ""), done.shown
    assert said in text(done)
    assert hint in text(done)
    assert text(done).rstrip("`").endswith("outagecast auth facebook")
    assert "resume" not in text(done)
    assert kept(night.folder) == {}


def test_a_dead_token_and_a_wrong_app_are_refused_by_the_simulated_facebook_itself(night: Night) -> None:
    graph = night.graph
    graph.tokens["dead-token-for-tests"] = Token("dead-token-for-tests", TokenKind.USER, trouble="token-460")
    dead = run(night, [*SYSTEM, *token("dead-token-for-tests"), *app(graph)])
    assert "no longer valid" in text(dead)
    wrong: list[Answer] = [("app's number", graph.app_id), ("app's secret", "another-secret-of-an-app")]
    done = run(night, [*MINE, *token(graph.user_token), *wrong])
    assert "give the number and the secret of the app that made the token" in text(done)
    assert (dead.code, done.code) == (2, 2)


def test_a_token_without_the_page_says_what_it_lacks(night: Night) -> None:
    night.graph.tokens[night.graph.system_token].scopes.remove("pages_show_list")
    done = run(night, [*SYSTEM, *token(night.graph.system_token), *NO_APP, ("transparency", "1001")])
    assert done.code == 2
    assert "Facebook lists no Page here: the token lacks pages_show_list." in text(done)
    assert (
        "no token of the Page Example Hosting: the token lacks pages_show_list → make a token that has pages_"
        in text(done)
    )


def test_where_facebook_says_nothing_of_the_token_both_reasons_are_named(night: Night) -> None:
    night.graph.tokens[night.graph.system_token].scopes.remove("pages_show_list")
    night.graph.faults.add(Fault(r"GET /debug_token", status=400, body=ERRORS["permission-denied"].body, times=9))
    done = run(night, [*SYSTEM, *token(night.graph.system_token), *NO_APP, ("transparency", "1001")])
    assert "lacks pages_show_list, or it lists none that belongs to a business portfolio" in text(done)
    assert "the token lacks pages_show_list, or the token's owner has no role there" in text(done)


@pytest.mark.parametrize("page_id", ["12\x9b31m\u202e", "1\nemail: x", "\u0661", "${command:touch x}"])
def test_a_number_of_the_page_that_is_none_is_not_offered_for_the_config(night: Night, page_id: str) -> None:
    body = json.dumps({"id": page_id, "name": "x", "access_token": "token-of-the-page"})
    night.graph.faults.add(Fault("GET /v25.0/1001", status=200, body=body))
    done = run(night, [*SYSTEM, *token(night.graph.system_token), *NO_APP, *FIRST])
    assert (done.code, done.out) == (2, "")
    assert "no number of the Page" in done.said


def test_a_name_of_the_page_does_not_rule_the_terminal(night: Night) -> None:
    body = json.dumps({"id": "1001", "name": "Na\x9b31me\x1b[2J\u202e\nroot", "access_token": "token-of-the-page"})
    night.graph.faults.add(Fault("GET /v25.0/1001", status=200, body=body))
    script = [*SYSTEM, *token(night.graph.system_token), *NO_APP, *FIRST, *NOWHERE]
    done = run(night, script)
    assert done.unasked == []
    assert "the Page Na\\x9b31me\\x1b[2J\\u202e root (page_id 1001)" in done.said
    assert not set("\x9b\x1b\u202e") & set(done.shown + done.out)
