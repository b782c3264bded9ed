"""What readers of a Page see: the heading that makes each post unique, the words, what stands below them."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest
from facebook_kit import HOUSE, NOW, Memory, channel, news, simulated_page
from hypothesis import given, settings
from hypothesis import strategies as st
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


@pytest.mark.parametrize(
    ("words", "line"),
    [
        ("fiber cut, ETA 1h (15:05 UTC, was 14:05 UTC)", ""),
        ("fiber cut, ETA 15:05Z", ""),
        ("fiber cut since 15:05", "ETA: 15:05 UTC"),
        ("splicing takes longer (was 15:05 UTC)", "ETA: 15:05 UTC"),
        ("splicing takes less time (was 23 Nov 15:05 UTC)", "ETA: 15:05 UTC"),
    ],
)
def test_an_eta_of_the_same_day_is_shown_unless_the_words_name_it(words: str, line: str):
    lines = render(news(words, eta=NOW + timedelta(hours=1)), notice=False)[0].text.split("\n")[1:]
    assert lines == [words, *filter(None, [line])]


@pytest.mark.parametrize(
    ("words", "line"),
    [
        ("fiber cut, ETA 10h (23 Nov 00:05 UTC)", ""),
        ("fiber cut, ETA 10h (23 Nov 00:05 UTC, was 22:05 UTC)", ""),
        ("fiber cut, ETA 2026-11-23T00:05Z", ""),
        ("fiber cut, ETA 23 Nov 2026, 00:05 UTC", ""),
        ("fiber cut", "ETA: 23 Nov 2026, 00:05 UTC"),
        ("fiber cut at 00:05 UTC", "ETA: 23 Nov 2026, 00:05 UTC"),
        ("splicing takes longer (was 23 Nov 00:05 UTC)", "ETA: 23 Nov 2026, 00:05 UTC"),
    ],
)
def test_an_eta_of_another_day_is_shown_with_its_date_unless_the_words_do(words: str, line: str):
    lines = render(news(words, eta=NOW + timedelta(hours=10)), notice=False)[0].text.split("\n")[1:]
    assert lines == [words, *filter(None, [line])]


def test_what_is_resolved_has_no_eta_any_more():
    assert "ETA" not in render(news("back", kind=Kind.RESOLVED, eta=NOW + timedelta(hours=1)))[0].text


def test_a_title_is_shown_when_it_says_something_else_and_never_with_an_old_eta():
    update = {"seq": 1, "kind": Kind.UPDATE}
    assert "\nOutage in Frankfurt\n" in render(news("splicing", title="Outage in Frankfurt", **update))[0].text
    assert "ETA" not in render(news("splicing", title="fiber cut, ETA 1h", **update))[0].text


def test_a_link_stands_in_the_text():
    assert "https://status.example.org/1" in render(news("fiber cut", link="https://status.example.org/1"))[0].text


def test_support_is_named_when_the_notice_does_not_and_both_can_be_left_out():
    assert render(news(), replace(HOUSE, notice=""))[0].text.endswith("Support: https://help.example.net")
    assert "help.example.net" not in render(news(), notice=False)[0].text


# -- too long ------------------------------------------------------------------------------------------------------


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


LINK = "https://status.example.org/1"
OLD, NEW = "was 14:05 UTC", "15:05 UTC"
LONG = {
    "seq": 2,
    "kind": Kind.UPDATE,
    "status": Status.IDENTIFIED,
    "title": "Outage in Frankfurt",
    "link": LINK,
    "eta": NOW + timedelta(hours=1),
}


def long_news(characters: int) -> Announcement:
    """Give an update with everything that can be added to a message of so many characters."""
    typed = "x" * characters
    return replace(news(f"{typed} ({NEW}, {OLD})", **LONG), text=typed, shorter=(f"{typed} ({NEW})", typed), link=LINK)


ADDED = {
    "the notice and where to find support": HOUSE.notice,
    "the title": "Outage in Frankfurt",
    "what is added to the words (the time of the ETA, the ETA before)": OLD,
    "the status": "identified",
}
"""What is given up, in this order, by its name in the warning."""


def test_what_is_added_is_given_up_in_one_order_and_named_and_the_rest_never():
    given_up: list[list[bool]] = []
    for characters in range(62_950, 63_141):
        (post,) = render(long_news(characters))
        assert len(post.text) <= 63_206
        assert post.text.startswith("[22 Nov 2026, 14:05 UTC · update 2")
        assert "x" * characters in post.text
        assert LINK in post.text
        missing = [added not in post.text for added in ADDED.values()]
        assert (
            post.warnings
            == ["there was no room for " + ", ".join(name for name, gone in zip(ADDED, missing, strict=True) if gone)][
                : any(missing)
            ]
        )
        given_up.append(missing)
    assert [given_up[0], given_up[-1]] == [[False] * 4, [True] * 4]
    assert given_up == sorted(given_up), "whatever needs more room gives up no less"
    assert all(missing == sorted(missing, reverse=True) for missing in given_up), "nothing goes before its turn"


def test_the_eta_before_is_given_up_before_the_eta():
    seen = [render(long_news(characters))[0].text for characters in range(62_950, 63_141)]
    assert any(OLD not in text and NEW in text for text in seen)
    assert not any(OLD in text and f"({NEW}" not in text for text in seen)


def test_an_eta_that_stands_apart_is_given_up_after_the_title():
    apart = replace(long_news(63_115), words="x" * 63_115, shorter=())
    (post,) = render(apart)
    assert "ETA" not in post.text
    assert post.warnings == ["there was no room for the notice and where to find support, the title, the ETA"]


@settings(deadline=None)
@given(
    st.integers(62_700, 63_300),
    st.text(st.sampled_from("ab c\u0301e"), max_size=200),
    st.sampled_from([None, LINK]),
    st.sampled_from(Kind),
    st.booleans(),
)
def test_a_text_has_room_or_is_refused_for_its_message_alone(
    characters: int, title: str, link: str | None, kind: Kind, notice: bool
):
    typed = "x" * characters
    given_ = replace(long_news(characters), link=link, kind=kind)
    given_ = replace(given_, incident=replace(given_.incident, title=title))
    heading = render(replace(given_, words="x", text="x", shorter=(), link=None, status=None, eta=None))[0].text
    least = "\n".join(filter(None, [heading.split("\n")[0], typed, link]))
    if len(least) > 63_206:
        with pytest.raises(Refused):
            render(given_, notice=notice)
        return
    (post,) = render(given_, notice=notice)
    assert len(post.text) <= 63_206
    assert heading.split("]")[0] in post.text
    assert typed in post.text
    assert (link or "") in post.text
