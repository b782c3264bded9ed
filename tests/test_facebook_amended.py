"""What stands above the first post once there is later news: where things are now, and the first words to the letter."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest
from facebook_kit import HOUSE, NOW, Memory, channel, news, simulated_page
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from outagecast.channel import Announcement, Edits, House, Kind, Post, Secret, Status
from outagecast.channels.facebook import Facebook

if TYPE_CHECKING:
    from collections.abc import Iterator

    from outagecast.sandbox.graph import GraphPlatform

BERLIN = replace(HOUSE, timezone=ZoneInfo("Europe/Berlin"))
FIRST = Post("[22 Nov 2026, 14:05 UTC]\nfiber cut, ETA 1h (15:05 UTC)")
LATER = NOW + timedelta(hours=1, minutes=5)
UPDATE = {"seq": 1, "kind": Kind.UPDATE, "at": LATER}
RESOLVED = {"seq": 2, "kind": Kind.RESOLVED, "at": NOW + timedelta(minutes=57)}
CUT = "… (see the newest post)"


@pytest.fixture
def page() -> Iterator[GraphPlatform]:
    yield from simulated_page()


def amended(latest: Announcement, first: Post = FIRST, house: House = HOUSE) -> str:
    keys = Facebook.Settings(page_id="1001", page_access_token=Secret.of("key-for-tests"))
    return Facebook("facebook", keys, house).amended(first, latest)


def test_the_channel_says_that_it_edits_and_does(page: GraphPlatform):
    assert channel(page).caps.can_edit
    assert isinstance(channel(page), Edits)


def test_an_update_stands_above_the_first_words_with_its_time():
    latest = news("cable found, ETA 16:30 (15:30 UTC)", eta=LATER + timedelta(minutes=20), **UPDATE)
    assert amended(latest, house=BERLIN) == (
        "UPDATE 22 Nov 2026, 16:10 CET (15:10 UTC): cable found, ETA 16:30 (15:30 UTC)\n"
        "\n"
        "[22 Nov 2026, 14:05 UTC]\n"
        "fiber cut, ETA 1h (15:05 UTC)"
    )


def test_the_end_says_how_long_it_lasted():
    assert amended(news("Service is restored.", **RESOLVED)).startswith(
        "RESOLVED after 1 h 57 min, 22 Nov 2026, 15:02 UTC: Service is restored.\n\n[22 Nov 2026"
    )


def test_how_far_the_work_is_and_seconds_are_shown_where_they_are_given():
    latest = news("cable found", status=Status.IDENTIFIED, seconds=True, **UPDATE)
    assert amended(latest).startswith("UPDATE 22 Nov 2026, 15:10:00 UTC · identified: cable found\n\n")


def test_the_whole_message_stands_there_with_its_link_and_an_eta_of_another_day():
    latest = news(
        "cable found\n\nsplicing at night",
        link="https://status.example.org/1",
        eta=NOW + timedelta(hours=10),
        **UPDATE,
    )
    assert amended(latest) == (
        "UPDATE 22 Nov 2026, 15:10 UTC: cable found\n\nsplicing at night\nETA: 23 Nov 2026, 00:05 UTC\n"
        f"https://status.example.org/1\n\n{FIRST.text}"
    )


def test_nothing_piles_up_and_the_words_are_composed_alike():
    assert amended(news("Ko\u0308ln is back", **RESOLVED)).count("UPDATE") == 0
    assert "Köln is back" in amended(news("Ko\u0308ln is back", **RESOLVED))


def test_a_message_without_room_is_cut_at_a_word_and_the_first_words_never_are(page: GraphPlatform):
    first = replace(FIRST, text=f"{FIRST.text}\n" + "y" * 40_000)
    text = amended(news("cable found " * 3000, **UPDATE), first)
    above, _, below = text.partition("\n\n")
    assert below == first.text
    assert above.endswith((f" cable{CUT}", f" found{CUT}"))
    assert 63_206 - len("cable found") <= len(text) <= 63_206
    facebook, memory = channel(page), Memory()
    facebook.amend(facebook.send(first, None, memory), text)
    assert page.public()[0]["text"] == text


@pytest.mark.parametrize(
    ("room", "above"),
    [
        (200, f"UPDATE 22 Nov 2026, 15:10 UTC: two{CUT}\n\n"),
        (len(f"UPDATE 22 Nov 2026, 15:10 UTC: {CUT}\n\n"), f"UPDATE 22 Nov 2026, 15:10 UTC: {CUT}\n\n"),
        (len(f"UPDATE 22 Nov 2026, 15:10 UTC: {CUT}\n\n") - 1, ""),
        (0, ""),
    ],
)
def test_with_less_and_less_room_the_time_goes_last_and_the_first_words_never(room: int, above: str):
    first = replace(FIRST, text="y" * (63_206 - room))
    assert amended(news(f"two {'x' * 300}", **UPDATE), first) == above + first.text


@settings(deadline=None)
@given(
    st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=400),
    st.integers(62_500, 63_206),
    st.sampled_from([Kind.UPDATE, Kind.RESOLVED]),
)
def test_the_first_words_stay_and_the_limit_holds_whatever_is_said(words: str, length: int, kind: Kind):
    first = Post("y" * length)
    text = amended(news(words, **{**UPDATE, "kind": kind}), first)
    above = text.removesuffix(first.text)
    assert text.endswith(first.text)
    assert len(text) <= 63_206
    assert not above or (above.startswith(("UPDATE 22 Nov", "RESOLVED after")) and above.endswith("\n\n"))
