"""A rehearsal on a simulated Page: nobody sees it, nothing is left, and whatever fails is told with what to do."""

from __future__ import annotations

import json
import re
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest
from facebook_kit import FEED, IMPATIENT, channel, simulated_page, written

from outagecast.channel import Finding, Level, Rehearses, Secret
from outagecast.sandbox.faults import Fault, FaultKind, When, unclear
from outagecast.sandbox.graph import ERRORS
from outagecast.secrets import Vault

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from requests import Response

    from outagecast.sandbox.graph import GraphPlatform


@pytest.fixture
def page() -> Iterator[GraphPlatform]:
    """Give a Page on which nothing is ever seen, unless the test says so itself."""
    seen: list[str] = []
    with contextmanager(simulated_page)() as platform:
        platform.on_event = lambda *_: seen.extend(post["text"] for post in platform.public())
        yield platform
        assert seen == []


READ = r"GET /v25.0/[0-9]+_[0-9]+$"
DELETE = "DELETE"


def rehearsed(page: GraphPlatform, **keys: object) -> list[Finding]:
    facebook = channel(page, patience=IMPATIENT, **keys)
    assert isinstance(facebook, Rehearses)
    found = list(facebook.rehearse())
    assert found
    assert all(finding.do for finding in found if finding.level is not Level.GOOD)
    assert not any("resume" in finding.do for finding in found)
    return found


def cut_off(page: GraphPlatform, hangs: str, when: When = When.BEFORE) -> tuple[Level, str]:
    """What is said to be left of a rehearsal in which such a call never comes back."""
    reached = threading.Event()
    page.faults.add(Fault(hangs, FaultKind.HANG, when))
    page.on_event = lambda _, request: re.match(hangs, f"{request.method} {request.path}") and reached.set()
    facebook = channel(page, patience=60)
    assert isinstance(facebook, Rehearses)
    assert list(facebook.leftovers()) == []
    threading.Thread(target=lambda: list(facebook.rehearse()), daemon=True).start()
    assert reached.wait(10)
    assert all(finding.do for finding in facebook.leftovers())
    return told(list(facebook.leftovers()))


def told(found: list[Finding]) -> tuple[Level, str]:
    (finding,) = found
    return finding.level, finding.text


@pytest.mark.parametrize("publish", ["two-phase", "direct"])
def test_a_post_is_made_read_and_deleted_and_nobody_sees_it(page: GraphPlatform, publish: str):
    made: list[str] = []
    page.on_event = lambda *_: made.extend(post.message for post in page.page.posts.values())
    proven, look = rehearsed(page, publish=publish)
    assert (proven.level, "the token's owner may create content" in proven.text) == (Level.GOOD, True)
    assert (look.level, "https://www.facebook.com/1001 in a browser" in look.do) == (Level.WARNING, True)
    assert page.page.posts == {}
    assert re.fullmatch(r"Rehearsal of outagecast, 2026-11-22 14:05:00\.000000 UTC\. .* it may be deleted\.", made[0])
    assert [one.split()[0] for one in written(page)] == ["POST", "DELETE"]
    assert all(request.form.get("published") == "false" for request in page.log if request.path.endswith("/feed"))


@pytest.mark.parametrize(
    ("scopes", "words"), [({"pages_manage_posts"}, "may not do this"), ({"pages_read_engagement"}, "may not do this")]
)
def test_a_token_that_may_not_post_is_bad(page: GraphPlatform, scopes: set[str], words: str):
    page.tokens[page.page_token].scopes -= scopes
    level, text = told(rehearsed(page))
    assert (level, words in text) == (Level.BAD, True)


def test_a_page_that_takes_no_drafts_is_bad_unless_the_config_knows(page: GraphPlatform):
    page.refuses_drafts = True
    assert told(rehearsed(page))[0] is Level.BAD
    level, text = told(rehearsed(page, publish="direct"))
    assert (level, "a public one is not made" in text) == (Level.WARNING, True)
    assert page.public() == []
    page.tokens[page.page_token].scopes.discard("pages_manage_posts")
    assert told(rehearsed(page, publish="direct"))[0] is Level.BAD


@pytest.mark.parametrize("fault", sorted(unclear("")))
def test_a_post_whose_answer_is_lost_is_looked_for_and_deleted(page: GraphPlatform, fault: str):
    page.faults.add(unclear(FEED, pace=IMPATIENT / 4)[fault])
    found = rehearsed(page)
    assert page.page.posts == {}
    levels = [finding.level for finding in found]
    if fault.endswith("after"):
        assert (levels, "was found by its text" in found[0].text) == ([Level.WARNING], True)
    else:
        assert levels == [Level.BAD]


def test_a_post_that_is_lost_and_not_found_is_told_with_its_words(page: GraphPlatform):
    page.feed_hides_drafts = True
    page.faults.add(Fault(FEED, FaultKind.RESET, When.AFTER))
    (finding,) = rehearsed(page)
    (left,) = page.page.posts.values()
    assert left.message in finding.text
    assert "as one that nobody sees" in finding.text
    assert "by hand" in finding.do


def test_a_post_that_went_public_is_deleted_at_once_and_told(page: GraphPlatform):
    body = {"id": "1001_2001", "is_published": True}
    page.faults.add(Fault(FEED, FaultKind.STATUS, When.AFTER, status=200, body=json.dumps(body)))
    level, text = told(rehearsed(page))
    assert (level, "public at once" in text) == (Level.BAD, True)
    assert page.page.posts == {}
    assert [request.method for request in page.log] == ["POST", "DELETE", "GET"], "not read before it is deleted"


def test_a_post_that_turns_out_to_be_public_when_it_is_read_is_deleted_and_told(page: GraphPlatform):
    page.faults.add(Fault(READ, status=200, body='{"id":"1001_2001","is_published":true}'))
    level, text = told(rehearsed(page))
    assert (level, "public at once" in text) == (Level.BAD, True)
    assert page.page.posts == {}


@pytest.mark.parametrize(
    "fault",
    [
        Fault(READ, FaultKind.HTML),
        Fault(READ, FaultKind.HANG),
        Fault(READ, status=200, body="{}"),
        ERRORS["page-calls"].fault(READ),
    ],
)
def test_a_post_that_cannot_be_read_is_deleted_all_the_same(page: GraphPlatform, fault: Fault):
    page.faults.add(fault)
    assert told(rehearsed(page))[0] is Level.BAD
    assert page.page.posts == {}


def test_a_deletion_without_an_answer_is_tried_once_more(page: GraphPlatform):
    page.faults.add(Fault(DELETE, FaultKind.RESET))
    assert rehearsed(page)[0].level is Level.GOOD
    page.faults.add(Fault(DELETE, FaultKind.RESET, When.AFTER))
    assert rehearsed(page)[0].level is Level.GOOD
    page.faults.add(Fault(DELETE, FaultKind.RESET, When.AFTER, times=2))
    assert rehearsed(page)[0].level is Level.GOOD, "it is seen to be gone"
    assert page.page.posts == {}


@pytest.mark.parametrize(
    "fault",
    [
        Fault(DELETE, FaultKind.RESET, times=2),
        ERRORS["token-463"].fault(DELETE),
        ERRORS["permission-denied"].fault(DELETE),
        Fault(DELETE, status=200, body='{"success":true}'),
    ],
)
def test_a_post_that_is_not_deleted_is_named_and_not_public(page: GraphPlatform, fault: Fault):
    page.faults.add(fault)
    (finding,) = rehearsed(page)
    (left,) = page.page.posts
    assert finding.level is Level.BAD
    assert left in finding.text
    assert "It is not public" in finding.text
    assert "by hand" in finding.do


def test_a_public_post_that_is_not_deleted_is_said_to_be_public(page: GraphPlatform):
    page.faults.add(Fault(READ, status=200, body='{"id":"1001_2001","is_published":true}'))
    page.faults.add(ERRORS["token-463"].fault(DELETE))
    assert "It is PUBLIC" in rehearsed(page)[-1].text


def test_where_it_cannot_be_read_whether_it_is_gone_that_is_a_warning(page: GraphPlatform):
    page.faults.add(Fault(READ, FaultKind.HTML, skip=1))
    level, text = told(rehearsed(page))
    assert (level, "could not be read" in text) == (Level.WARNING, True)


def test_an_interrupt_in_the_middle_leaves_nothing(page: GraphPlatform):
    def interrupted(response: Response, **_: object) -> None:
        if response.request.method == "GET" and page.page.posts:
            raise KeyboardInterrupt

    facebook = channel(page)
    facebook._graph._session.hooks["response"].append(interrupted)
    with pytest.raises(KeyboardInterrupt):
        facebook.rehearse()
    assert page.page.posts == {}


def test_a_platform_that_never_answers_is_left_in_time(page: GraphPlatform):
    page.faults.add(Fault(".*", FaultKind.HANG, times=9))
    assert told(rehearsed(page))[0] is Level.BAD
    assert len(page.log) == 2, "what cannot be looked for is not looked for again"


def test_a_missing_secret_is_a_finding(page: GraphPlatform, tmp_path: Path):
    found = rehearsed(page, page_access_token=Vault({}, tmp_path).secret("${PAGE_TOKEN_FOR_TESTS}"))
    assert "PAGE_TOKEN_FOR_TESTS" in told(found)[1]


def test_what_was_answered_before_is_no_reason_for_what_gets_no_answer(page: GraphPlatform):
    page.refuses_drafts = True
    facebook = channel(page, publish="direct")
    assert told(list(facebook.rehearse()))[0] is Level.WARNING
    facebook._graph._session.close()
    page.close()
    level, text = told(list(facebook.rehearse()))
    assert (level, "could not reach graph.facebook.com" in text) == (Level.BAD, True)


def test_a_person_s_token_makes_nothing(page: GraphPlatform):
    level, text = told(rehearsed(page, page_access_token=Secret.of(page.user_token)))
    assert (level, "not the Page's own" in text) == (Level.BAD, True)


def test_what_a_rehearsal_leaves_that_is_cut_off_is_named(page: GraphPlatform):
    """The network may go, or the person's patience: the one thing that must not be lost is that there is a post."""
    level, text = cut_off(page, READ)
    (draft,) = page.page.posts
    assert (level, draft in text, "was not seen to be deleted" in text) == (Level.BAD, True, True)


def test_a_post_that_may_have_been_made_is_named_by_its_words(page: GraphPlatform):
    level, text = cut_off(page, FEED, When.AFTER)
    assert (level, "may have been made" in text, "Rehearsal of outagecast" in text) == (Level.BAD, True, True)


def test_one_that_went_live_before_it_was_cut_off_is_said_to_be_public(page: GraphPlatform):
    body = json.dumps({"id": "1001_9", "is_published": True})
    page.faults.add(Fault(FEED, status=200, body=body))
    level, text = cut_off(page, DELETE)
    assert (level, "1001_9" in text, "It is PUBLIC" in text) == (Level.BAD, True, True)


def test_a_rehearsal_that_came_to_its_end_leaves_nothing(page: GraphPlatform):
    facebook = channel(page, patience=IMPATIENT)
    assert [finding.level for finding in facebook.rehearse()] == [Level.GOOD, Level.WARNING]
    assert list(facebook.leftovers()) == []
