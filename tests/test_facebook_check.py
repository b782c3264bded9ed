"""What the config and `check` find wrong with a Page before the night."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import msgspec
import pytest
from facebook_kit import NOW, channel, simulated_page, written

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
    assert all(finding.do for finding in found)
    return {level: " ".join(f.text for f in found if f.level is level) for level in Level}


def with_app(page: GraphPlatform) -> dict[str, object]:
    return {"app_id": page.app_id, "app_secret": Secret.of(page.app_secret)}


def token_facts(page: GraphPlatform, **facts: object) -> None:
    scopes = ["pages_manage_posts", "pages_read_engagement", "pages_show_list"]
    scopes += ["pages_manage_engagement", "pages_read_user_content"]
    data = {"type": "PAGE", "is_valid": True, "expires_at": 0, "scopes": scopes, **facts}
    page.faults.add(Fault("GET /v25.0/debug_token", status=200, body=json.dumps({"data": data})))


def test_a_page_in_order_has_nothing_bad_and_no_warning(page: GraphPlatform):
    token_facts(page)
    found = checked(page, **with_app(page))
    assert found[Level.BAD] == found[Level.WARNING] == ""
    assert "token is that of the Page" in found[Level.GOOD]


@pytest.mark.parametrize(
    ("facts", "level", "words"),
    [
        ({"is_valid": False}, Level.BAD, "not a valid token of a Page"),
        ({"type": "USER"}, Level.BAD, "not a valid token of a Page"),
        ({"scopes": ["pages_manage_posts"]}, Level.BAD, "pages_read_engagement, pages_show_list not granted"),
        ({"expires_at": int(NOW.timestamp()) - 1}, Level.BAD, "the token expires on 2026-11-22"),
        ({"expires_at": int(NOW.timestamp()) + 86_400}, Level.WARNING, "the token expires on 2026-11-23"),
        (
            {"granular_scopes": [{"scope": "pages_manage_posts", "target_ids": ["5"]}]},
            Level.BAD,
            "pages_manage_posts not granted",
        ),
        (
            {"granular_scopes": [{"scope": "pages_read_user_content", "target_ids": ["5"]}]},
            Level.WARNING,
            "comments cannot be swept: pages_read_user_content",
        ),
    ],
)
def test_what_is_wrong_with_a_token_is_told(page: GraphPlatform, facts: dict[str, object], level: Level, words: str):
    token_facts(page, **facts)
    assert words in checked(page, **with_app(page))[level]


def test_the_simulator_s_own_account_of_the_token_is_understood(page: GraphPlatform):
    assert checked(page, **with_app(page))[Level.BAD] == ""


def test_without_the_app_check_says_what_it_cannot_see(page: GraphPlatform):
    assert "cannot be read" in checked(page)[Level.WARNING]


def test_a_person_s_token_is_told_from_the_page_s(page: GraphPlatform):
    found = checked(page, page_access_token=Secret.of(page.user_token))
    assert f"not of the Page {page.page_id}" in found[Level.BAD]


def test_a_missing_secret_is_a_finding(page: GraphPlatform, tmp_path: Path):
    found = checked(page, page_access_token=Vault({}, tmp_path).secret("${PAGE_TOKEN_FOR_TESTS}"))
    assert "PAGE_TOKEN_FOR_TESTS" in found[Level.BAD]


@pytest.mark.parametrize(
    ("version", "day", "level"),
    [
        ("v21.0", datetime(2027, 1, 21, tzinfo=UTC), Level.BAD),
        ("v21.0", datetime(2026, 11, 22, tzinfo=UTC), Level.WARNING),
        ("v25.0", datetime(2026, 11, 22, tzinfo=UTC), None),
        ("v26.0", datetime(2029, 11, 22, tzinfo=UTC), None),
        ("v31.0", datetime(2026, 11, 22, tzinfo=UTC), Level.WARNING),
    ],
)
def test_the_end_of_an_api_version_is_announced(version: str, day: datetime, level: Level | None):
    found = list(Checkup("facebook", settings(api_version=version), day).version())
    assert [finding.level for finding in found] == ([level] if level else [])


def test_posts_that_cannot_be_read_are_bad_because_a_doubt_would_stay(page: GraphPlatform):
    page.faults.add(Fault("GET /v25.0/[0-9]+/feed", FaultKind.HTML))
    assert "a post in doubt stays so" in checked(page)[Level.BAD]


def test_an_answer_as_another_version_is_told(page: GraphPlatform):
    body = json.dumps({"id": page.page_id, "name": "Example"})
    page.faults.add(Fault("GET /v25.0/me", status=200, body=body, headers={"facebook-api-version": "v26.0"}))
    assert "answers as v26.0, not as v25.0" in checked(page)[Level.WARNING]


def test_calls_that_are_nearly_used_up_are_told(page: GraphPlatform):
    page.usage = (85, 0)
    assert "85 % of the Page's calls are used up" in checked(page)[Level.WARNING]


def test_a_page_that_cannot_be_reached_is_told_with_what_to_do(page: GraphPlatform):
    page.faults.add(Fault(".*", FaultKind.RESET, times=9))
    assert "graph.facebook.com" in checked(page)[Level.BAD]


def test_check_changes_nothing(page: GraphPlatform):
    checked(page)
    assert written(page) == []
