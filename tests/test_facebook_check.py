"""What the config and `check` find wrong with a Page before the night."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import msgspec
import pytest
from facebook_kit import BATCH, NOW, POST, Memory, channel, simulated_page, written

from outagecast.channel import Level, Secret
from outagecast.channels.facebook import Facebook
from outagecast.channels.facebook_check import Checkup
from outagecast.sandbox.faults import Fault, FaultKind
from outagecast.secrets import Vault

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from outagecast.sandbox.graph import GraphPlatform


@pytest.fixture
def page() -> Iterator[GraphPlatform]:
    yield from simulated_page()


def settings(**keys: object) -> Facebook.Settings:
    return msgspec.convert(
        {"page_id": "1001", "page_access_token": Secret.of("key-for-tests"), **keys}, Facebook.Settings
    )


def test_an_ended_version_is_refused_with_the_nearest_living_one():
    with pytest.raises(msgspec.ValidationError, match=r"v19\.0.*has ended.*v21\.0"):
        settings(api_version="v19.0")


@pytest.mark.parametrize("version", ["25.0", "v25", "latest", "v25.0/../v2.0"])
def test_a_version_that_is_none_is_refused(version: str):
    with pytest.raises(msgspec.ValidationError, match=r"must look like v25\.0"):
        settings(api_version=version)


def test_a_page_is_named_by_its_number():
    with pytest.raises(msgspec.ValidationError, match="not its name"):
        settings(page_id="examplehosting")


def test_a_simulator_on_another_machine_is_refused():
    with pytest.raises(msgspec.ValidationError, match="on this machine"):
        settings(simulator_url="http://192.0.2.7:8002")


# -- check ---------------------------------------------------------------------------------------------------------


def checked(page: GraphPlatform, **keys: object) -> dict[Level, str]:
    found = list(channel(page, **keys).check())
    assert all(finding.do for finding in found if finding.level is not Level.GOOD)
    assert not any("resume" in finding.do for finding in found), "a check is gone on from by another check"
    return {level: " ".join(f.text for f in found if f.level is level) for level in Level}


def with_app(page: GraphPlatform) -> dict[str, object]:
    return {"app_id": page.app_id, "app_secret": Secret.of(page.app_secret)}


def token_facts(page: GraphPlatform, **facts: object) -> None:
    scopes = ["pages_manage_posts", "pages_read_engagement", "pages_show_list"]
    scopes += ["pages_manage_engagement", "pages_read_user_content"]
    data = {"type": "PAGE", "is_valid": True, "expires_at": 0, "scopes": scopes, **facts}
    page.faults.add(Fault("GET /v25.0/debug_token", status=200, body=json.dumps({"data": data})))


def posted(page: GraphPlatform) -> str:
    return channel(page).send(POST, None, Memory()).ref


@pytest.mark.parametrize("app", [True, False])
def test_a_page_in_order_has_nothing_bad_and_is_warned_of_nothing_but_that_it_is_not_rehearsed(
    page: GraphPlatform, app: bool
):
    posted(page)
    found = checked(page, **(with_app(page) if app else {}))
    assert (found[Level.BAD], found[Level.WARNING][:13]) == ("", "not rehearsed")
    for words in (
        "token is that of the Page Example Hosting",
        "a Page token that never expires, made by the app outagecast",
        "the token may post",
        "the token may hide comments",
        "Graph API v25.0 lives until 2028-07-29",
        "1 % of the Page's calls are used",
        "posts can be read",
        "may read strangers' comments: the right is granted; there is none to see yet",
    ):
        assert words in found[Level.GOOD]


@pytest.mark.parametrize(
    ("facts", "level", "words"),
    [
        ({"is_valid": False}, Level.BAD, "not a valid token of a Page"),
        ({"type": "USER"}, Level.BAD, "not a valid token of a Page"),
        ({"scopes": ["pages_manage_posts"]}, Level.BAD, "may not post: pages_read_engagement not granted"),
        (
            {"scopes": ["pages_manage_posts", "pages_read_engagement"]},
            Level.WARNING,
            "pages_show_list not granted: that is for getting a Page's token",
        ),
        ({"scopes": ["pages_manage_posts", "pages_read_engagement"]}, Level.GOOD, "the token may post"),
        ({"expires_at": int(NOW.timestamp()) - 1}, Level.BAD, "expires on 2026-11-22"),
        ({"expires_at": int(NOW.timestamp()) + 86_400}, Level.WARNING, "expires on 2026-11-23"),
        ({"expires_at": int(NOW.timestamp()) + 86_400 * 40}, Level.GOOD, "expires on 2027-01-01"),
        ({"expires_at": 10**20}, Level.WARNING, "does not say when it expires"),
        ({"expires_at": None}, Level.WARNING, "does not say when it expires"),
        ({"data_access_expires_at": int(NOW.timestamp()) + 86_400}, Level.WARNING, "access to data ends on 2026-11-23"),
        ({"data_access_expires_at": "soon"}, Level.WARNING, "does not say when the token's access to data ends"),
        ({"data_access_expires_at": int(NOW.timestamp()) - 1}, Level.BAD, "access to data ends on 2026-11-22"),
        (
            {"granular_scopes": [{"scope": "pages_manage_posts", "target_ids": ["5"]}]},
            Level.BAD,
            "pages_manage_posts not granted",
        ),
        (
            {"granular_scopes": [{"scope": "pages_read_user_content", "target_ids": ["5"]}]},
            Level.BAD,
            "comments cannot be swept: pages_read_user_content",
        ),
        ({"granular_scopes": 5, "application": ["x"]}, Level.GOOD, "the token may post"),
        ({"scopes": "all"}, Level.WARNING, "cannot be read"),
    ],
)
def test_what_is_known_of_a_token_is_told(page: GraphPlatform, facts: dict[str, object], level: Level, words: str):
    token_facts(page, **facts)
    token_facts(page, **facts)
    assert words in checked(page, **with_app(page))[level]


def test_another_app_s_number_in_the_config_is_told(page: GraphPlatform):
    told = checked(page, app_id="4711", app_secret=Secret.of(page.app_secret))[Level.WARNING]
    assert f"the config says app_id 4711, and the token was made by the app {page.app_id}" in told


def test_where_nobody_may_look_into_the_token_check_says_what_it_cannot_see(page: GraphPlatform):
    page.faults.add(Fault("GET /v25.0/debug_token", status=400, body='{"error":{"message":"no","code":100}}'))
    found = list(channel(page).check())
    assert [finding.do for finding in found if "cannot be read:" in finding.text] == [
        "set app_id and app_secret; they are shown under developers.facebook.com/apps. Then: outagecast check"
    ]


@pytest.mark.parametrize("body", ["{}", "[null]", "null", '[{"code":200,"body":"[]"}]', "<html>"])
def test_an_odd_answer_about_the_token_is_never_good(page: GraphPlatform, body: str):
    page.faults.add(Fault(f"POST {BATCH}", status=200, body=body))
    found = checked(page, **with_app(page))
    assert "what the token may do, and until when, cannot be read" in found[Level.WARNING]
    assert "may post" not in found[Level.GOOD]


def test_a_person_s_token_is_told_from_the_page_s(page: GraphPlatform):
    found = checked(page, page_access_token=Secret.of(page.user_token))
    assert f"not of the Page {page.page_id}" in found[Level.BAD]


def test_a_dead_token_is_told_once_with_its_reason(page: GraphPlatform):
    page.tokens[page.page_token].trouble = "token-460"
    found = checked(page, **with_app(page))
    assert "died when its owner's password changed" in found[Level.BAD]
    assert len(page.log) == 1


def test_a_missing_secret_is_a_finding(page: GraphPlatform, tmp_path: Path):
    found = checked(page, page_access_token=Vault({}, tmp_path).secret("${PAGE_TOKEN_FOR_TESTS}"))
    assert "PAGE_TOKEN_FOR_TESTS" in found[Level.BAD]


@pytest.mark.parametrize(
    ("version", "day", "level"),
    [
        ("v21.0", datetime(2027, 1, 21, tzinfo=UTC), Level.BAD),
        ("v21.0", datetime(2026, 11, 22, tzinfo=UTC), Level.WARNING),
        ("v25.0", datetime(2026, 11, 22, tzinfo=UTC), Level.GOOD),
        ("v26.0", datetime(2029, 11, 22, tzinfo=UTC), Level.GOOD),
        ("v31.0", datetime(2026, 11, 22, tzinfo=UTC), Level.WARNING),
    ],
)
def test_the_end_of_an_api_version_is_told(version: str, day: datetime, level: Level):
    found = list(Checkup("facebook", settings(api_version=version), day).version())
    assert [finding.level for finding in found] == [level]


@pytest.mark.parametrize(
    "fault",
    [
        Fault("GET /v25.0/[0-9]+/feed", FaultKind.HTML),
        Fault("GET /v25.0/[0-9]+/feed", status=200, body="{}"),
        Fault("GET /v25.0/[0-9]+/feed", status=403, body='{"error":{"message":"(#10) no","code":10}}'),
    ],
)
def test_posts_that_cannot_be_read_are_bad_because_a_doubt_would_stay(page: GraphPlatform, fault: Fault):
    page.faults.add(fault)
    assert "a post in doubt stays so" in checked(page)[Level.BAD]


def test_an_answer_as_another_version_is_told(page: GraphPlatform):
    body = json.dumps({"id": page.page_id, "name": "Example"})
    page.faults.add(Fault("GET /v25.0/me", status=200, body=body, headers={"facebook-api-version": "v26.0"}))
    assert "answers as v26.0, not as v25.0" in checked(page)[Level.WARNING]


def test_calls_that_are_nearly_used_up_are_told_with_when_facebook_opens_again(page: GraphPlatform):
    page.usage = (85, 12)
    found = checked(page)[Level.WARNING]
    assert "85 % of the Page's calls are used up" in found
    assert "12 minutes" in found


def test_a_page_that_cannot_be_reached_is_told_with_what_to_do(page: GraphPlatform):
    page.faults.add(Fault(".*", FaultKind.RESET, times=9))
    assert "Facebook could not be asked" in checked(page)[Level.BAD]


@pytest.mark.parametrize(
    ("fault", "why"),
    [
        (Fault(".*", FaultKind.RESET, times=9), "asked: the connection was reset"),
        (Fault(".*", FaultKind.HTML, times=9), "asked: its answer says nothing (HTTP 502"),
        (Fault(".*", status=500, body='{"error":{"message":"no","code":1}}', times=9), "(HTTP 500, code 1"),
    ],
    ids=["reset", "a page of the edge", "an error of its own"],
)
def test_a_look_that_fails_is_no_word_about_a_post(page: GraphPlatform, fault: Fault, why: str):
    page.faults.add(fault)
    said = checked(page)
    assert why in said[Level.BAD]
    assert "may have" not in str(said)


def test_check_changes_nothing(page: GraphPlatform):
    checked(page, **with_app(page))
    assert written(page) == []


# -- does it see what strangers comment? ---------------------------------------------------------------------------


def test_a_stranger_s_comment_with_its_author_proves_that_comments_are_seen(page: GraphPlatform):
    first = posted(page)
    own = page.page_comment(first, "help is at help.example.net")
    page.stranger_comment(first, "when?", parent=own)
    assert "comments of strangers are seen: there is one, with its author" in checked(page)[Level.GOOD]


BLIND = [
    ({"blind": True}, set(), "counts comments and lists none"),
    ({}, {"pages_read_user_content"}, "pages_read_user_content not granted"),
    ({}, {"pages_manage_engagement"}, "pages_manage_engagement not granted"),
]


@pytest.mark.parametrize(("switches", "lacking", "words"), BLIND)
def test_a_token_that_is_known_to_be_blind_is_bad_while_comments_are_to_be_swept(
    page: GraphPlatform, switches: dict[str, bool], lacking: set[str], words: str
):
    page.stranger_comment(posted(page), "when?")
    for name, value in switches.items():
        setattr(page, name, value)
    page.tokens[page.page_token].scopes -= lacking
    for rule in ("hide", "delete"):
        assert words in checked(page, comments=rule)[Level.BAD]
    assert checked(page, comments="leave")[Level.BAD] == ""


def no_facts(page: GraphPlatform) -> None:
    page.faults.add(Fault("GET /v25.0/debug_token", status=400, body='{"error":{"message":"no","code":100}}'))


def test_comments_without_authors_are_bad_where_no_right_is_known(page: GraphPlatform):
    page.stranger_comment(posted(page), "when?")
    page.tokens[page.page_token].scopes.discard("pages_read_user_content")
    no_facts(page)
    assert "lists comments without their authors" in checked(page)[Level.BAD]


def test_where_no_right_and_no_comment_is_known_somebody_is_to_be_asked_for_one(page: GraphPlatform):
    page.page_comment(posted(page), "help is at help.example.net")
    no_facts(page)
    found = [finding for finding in channel(page).check() if "strangers" in finding.text]
    assert [(finding.level, finding.do) for finding in found] == [
        (Level.WARNING, "ask somebody outside to comment on a post of the Page, then: outagecast check")
    ]


@pytest.mark.parametrize(
    ("fault", "level"),
    [
        (Fault(".*comments", status=403, body='{"error":{"message":"(#10) no","code":10}}'), Level.BAD),
        (Fault(".*comments", status=200, body='{"data":7}'), Level.WARNING),
        (Fault(".*comments", FaultKind.RESET), Level.WARNING),
    ],
)
def test_comments_that_cannot_be_read_are_told(page: GraphPlatform, fault: Fault, level: Level):
    posted(page)
    page.faults.add(fault)
    assert "comments c" in checked(page)[level]


def test_however_many_posts_there_are_the_look_at_comments_takes_four_calls(page: GraphPlatform):
    for number in range(9):
        page.page.post(f"post {number}", NOW, published=True, link=None, photos=())
    checked(page)
    assert sum(request.path.endswith("/comments") for request in page.log) == 4
    assert len(page.log) == 7
