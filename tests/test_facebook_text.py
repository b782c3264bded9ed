"""What readers of a Page see: the heading that makes each post unique, the words, what stands below them."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest
from facebook_kit import HOUSE, NOW, Memory, channel, news, simulated_page
from msgspec.structs import replace

from outagecast.channel import Announcement, House, Kind, Post, Refused, Secret, Status
from outagecast.channels.facebook import Facebook

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from outagecast.sandbox.graph import GraphPlatform


@pytest.fixture
def page() -> Iterator[GraphPlatform]:
    yield from simulated_page()


def render(announcement: Announcement, house: House = HOUSE, **keys: object) -> Sequence[Post]:
    keys = {"page_id": "1001", "page_access_token": Secret.of("key-for-tests"), **keys}
    return Facebook("facebook", Facebook.Settings(**keys), house).render(announcement)


def test_a_post_has_time_words_and_notice():
    (post,) = render(news("fiber cut", status=Status.INVESTIGATING))
    assert post.text == (
        "[22 Nov 2026, 14:05 UTC · investigating]\nfiber cut\n\nAnnouncements only. Help: https://help.example.net"
    )


def test_the_time_is_shown_in_the_house_s_zone_too():
    (post,) = render(news(), replace(HOUSE, timezone=ZoneInfo("Europe/Berlin")))
    assert post.text.startswith("[22 Nov 2026, 15:05 CET (14:05 UTC)]\n")


def test_updates_with_the_same_words_are_different_texts():
    texts_ = {render(news("still down", seq=seq, kind=Kind.UPDATE))[0].text for seq in (1, 2, 3)}
    assert len(texts_) == 3


def test_an_eta_given_apart_is_shown_and_one_in_the_words_is_not_repeated():
    eta = NOW + timedelta(hours=1)
    assert "\nETA: 15:05 UTC" in render(news("fiber cut", eta=eta))[0].text
    assert render(news("fiber cut, ETA 1h (15:05 UTC)", eta=eta))[0].text.count("15:05") == 1


def test_a_title_is_shown_when_it_says_something_else_and_never_with_an_old_eta():
    update = {"seq": 1, "kind": Kind.UPDATE}
    assert "\nOutage in Frankfurt\n" in render(news("splicing", title="Outage in Frankfurt", **update))[0].text
    assert "ETA" not in render(news("splicing", title="fiber cut, ETA 1h", **update))[0].text


def test_a_link_stands_in_the_text():
    assert "https://status.example.org/1" in render(news("fiber cut", link="https://status.example.org/1"))[0].text


def test_support_is_named_when_the_notice_does_not_and_both_can_be_left_out():
    assert render(news(), replace(HOUSE, notice=""))[0].text.endswith("Support: https://help.example.net")
    assert "help.example.net" not in render(news(), notice=False)[0].text


def test_too_long_a_text_is_refused_with_its_length():
    with pytest.raises(Refused, match=r"63,2\d\d characters.*63,206") as caught:
        render(news("x" * 63_206))
    assert not caught.value.mendable
    assert "--link" in caught.value.hint


def test_the_longest_text_that_fits_is_taken_by_the_page(page: GraphPlatform):
    room = 63_206 - len(render(news("x"))[0].text) + 1
    (post,) = render(news("x" * room))
    assert len(post.text) == 63_206
    channel(page).send(post, None, Memory())
    assert len(page.public()) == 1
