"""Cleaning, stamping and shortening words."""

from __future__ import annotations

import subprocess
import sys
import unicodedata
from datetime import UTC, datetime, timedelta, timezone
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from outagecast.errors import UsageError
from outagecast.graphemes import graphemes
from outagecast.model import Announcement, Incident, IncidentState, Kind, Status
from outagecast.text import (
    Detail,
    clean,
    duration,
    moment,
    one_line,
    shortened,
    stamp,
    stamp_long,
    terminal,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import tzinfo

AT = datetime(2026, 11, 22, 14, 5, 9, tzinfo=UTC)
BERLIN = ZoneInfo("Europe/Berlin")


def news(
    kind: Kind = Kind.OPENED, seq: int = 0, *, at: datetime = AT, status: Status | None = None, seconds: bool = False
):
    incident = Incident("inc-1", "fiber cut", IncidentState.OPEN, datetime(2026, 11, 22, 12, 8, tzinfo=UTC))
    return Announcement(incident, seq, kind, "fiber cut", "fiber cut", at, status=status, seconds=seconds)


class TestClean:
    def test_composes_accents_and_unifies_line_ends(self):
        assert clean("  cafe\u0301\r\nclosed\ragain\u2028and again \n") == "café\nclosed\nagain\nand again"

    def test_a_byte_order_mark_in_front_is_dropped(self):
        assert clean("\ufefffiber cut") == "fiber cut"

    def test_emoji_with_joiners_and_selectors_pass_unchanged(self):
        assert clean("👩\u200d🚒 ⚠\ufe0f on site") == "👩\u200d🚒 ⚠\ufe0f on site"

    @pytest.mark.parametrize("text", ["", "  \n\t ", "\u200b", "\u200b \u200b", "\u00a0\u2003"])
    def test_what_shows_nothing_is_empty(self, text: str):
        with pytest.raises(UsageError, match="is empty") as caught:
            clean(text)
        assert "outagecast post" in caught.value.hint

    @pytest.mark.parametrize(
        ("text", "named"),
        [
            ("a\x1b[2Jb", "U\\+001B at character 2"),
            ("ab\x00", "U\\+0000 at character 3"),
            ("\x9bA", "U\\+009B at character 1"),
            ("abc\u202edef", "U\\+202E at character 4"),
            ("a\u2066b", "U\\+2066 at character 2"),
            ("a\ufeffb", "U\\+FEFF at character 2"),
            ("a\udcffb", "not valid UTF-8: .* character 2"),
            ("a\uffff", "U\\+FFFF at character 2"),
            ("text\x1f", "U\\+001F at character 5"),
        ],
    )
    def test_what_a_screen_would_obey_is_refused_with_its_code_and_place(self, text: str, named: str):
        with pytest.raises(UsageError, match=named) as caught:
            clean(text)
        assert caught.value.hint

    def test_a_novel_is_refused_by_its_length(self):
        with pytest.raises(UsageError, match="50,001 characters"):
            clean("a" * 50_001)
        assert len(clean("a" * 50_000)) == 50_000

    @given(st.text(max_size=40))
    @settings(deadline=None, max_examples=150)
    def test_cleaning_a_clean_text_changes_nothing(self, text: str):
        try:
            cleaned = clean(text)
        except UsageError:
            assume(False)
        assert clean(cleaned) == cleaned
        assert terminal(cleaned) == cleaned


class TestOneLine:
    @pytest.mark.parametrize(
        ("text", "kind"), [("a\nb", "line end"), ("a\r\nBcc: b", "line end"), ("a\u2029b", "line end"), ("a\tb", "tab")]
    )
    def test_nothing_in_it_can_become_a_header(self, text: str, kind: str):
        with pytest.raises(UsageError, match=f"the title has a {kind}"):
            one_line(text, "the title")

    def test_a_line_end_behind_it_is_no_harm(self):
        assert one_line("fiber cut\n", "the title") == "fiber cut"

    def test_it_has_200_characters_at_the_most(self):
        assert one_line("k" * 200, "the key")
        with pytest.raises(UsageError, match="the key has 201 characters"):
            one_line("k" * 201, "the key")


def test_platform_text_cannot_command_the_terminal():
    assert terminal("\x1b[31mred\x07 \u202eback\x9b \udc80") == "\\x1b[31mred\\x07 \\u202eback\\x9b \\udc80"
    assert terminal("two\nlines\tof ✓") == "two\nlines\tof ✓"


class TestStamp:
    @pytest.mark.parametrize(
        ("announcement", "expected"),
        [
            (news(), "14:05 UTC"),
            (news(seconds=True), "14:05:09 UTC"),
            (news(status=Status.INVESTIGATING), "14:05 UTC · investigating"),
            (news(Kind.UPDATE, 2), "14:05 UTC · update 2"),
            (news(Kind.UPDATE, 2, status=Status.MONITORING), "14:05 UTC · update 2 · monitoring"),
            (news(Kind.RESOLVED, 3, status=Status.MONITORING), "14:05 UTC · resolved after 1 h 57 min"),
            (news(Kind.CORRECTION, 4), "14:05 UTC · correction"),
        ],
    )
    def test_says_when_and_which(self, announcement: Announcement, expected: str):
        assert stamp(announcement) == expected

    def test_numbers_the_parts_of_a_thread(self):
        assert stamp(news(Kind.UPDATE, 2), part=2, parts=3) == "14:05 UTC · update 2 · 2/3"

    @pytest.mark.parametrize(
        ("announcement", "without", "expected"),
        [
            (news(Kind.UPDATE, 2, status=Status.MONITORING), {Detail.STATUS}, "14:05 UTC · update 2"),
            (news(Kind.UPDATE, 2, status=Status.MONITORING), {Detail.NUMBER}, "14:05 UTC · monitoring"),
            (news(Kind.UPDATE, 2), {Detail.TIME}, "update 2"),
            (news(Kind.UPDATE, 2, status=Status.MONITORING), set(Detail), ""),
            (news(Kind.RESOLVED, 3), {Detail.NUMBER}, "14:05 UTC · resolved"),
            (news(Kind.RESOLVED, 3), set(Detail), "resolved"),
            (news(Kind.CORRECTION, 4), set(Detail), "correction"),
        ],
    )
    def test_can_say_less_but_never_hides_an_end_or_a_correction(
        self, announcement: Announcement, without: set[Detail], expected: str
    ):
        assert stamp(announcement, without=without) == expected

    def test_shows_utc_whatever_zone_the_time_came_in(self):
        assert stamp(news(at=AT.astimezone(BERLIN))) == "14:05 UTC"

    def test_long_has_the_date_in_both_zones(self):
        assert stamp_long(news(Kind.UPDATE, 2), BERLIN) == "22 Nov 2026, 15:05 CET (14:05 UTC) · update 2"
        assert stamp_long(news(seconds=True), BERLIN) == "22 Nov 2026, 15:05:09 CET (14:05:09 UTC)"

    @pytest.mark.parametrize("zone", [UTC, ZoneInfo("Europe/London")])
    def test_long_says_one_time_where_local_time_is_utc(self, zone: tzinfo):
        assert stamp_long(news(status=Status.IDENTIFIED), zone) == "22 Nov 2026, 14:05 UTC · identified"

    def test_long_gives_both_dates_where_they_differ(self):
        late = news(at=datetime(2026, 12, 31, 23, 30, tzinfo=UTC))
        assert stamp_long(late, BERLIN) == "1 Jan 2027, 00:30 CET (31 Dec 23:30 UTC)"

    def test_a_zone_without_letters_is_told_as_an_offset(self):
        assert moment(AT, ZoneInfo("America/Sao_Paulo")) == "22 Nov 2026, 11:05 UTC-03 (14:05 UTC)"
        assert moment(AT, timezone(timedelta(hours=1))) == "22 Nov 2026, 15:05 UTC+01:00 (14:05 UTC)"


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (-5, "0 s"),
        (0.9, "0 s"),
        (45, "45 s"),
        (60, "1 min"),
        (12 * 60 + 59, "12 min"),
        (3600, "1 h"),
        (3600 + 57 * 60, "1 h 57 min"),
        (86400, "1 day"),
        (86400 + 59 * 60, "1 day"),
        (2 * 86400 + 3 * 3600 + 100, "2 days 3 h"),
    ],
)
def test_a_duration_is_told_in_its_largest_units(seconds: float, words: str):
    assert duration(timedelta(seconds=seconds)) == words


class TestGraphemes:
    @pytest.mark.parametrize(
        "one",
        [
            "e\u0301",
            "👩\u200d👩\u200d👧\u200d👦",
            "👍🏽",
            "🇩🇪",
            "1\ufe0f\u20e3",
            "❤\ufe0f\u200d🔥",
            "\u1112\u1161\u11ab",
            "한\u11ab"[:1],
            "की",
            "\r\n",
            "🏴\U000e0067\U000e0062\U000e007f",
        ],
    )
    def test_what_the_eye_takes_for_one_is_one(self, one: str):
        assert graphemes(f"a{one}b") == ["a", one, "b"]

    def test_flags_are_taken_in_pairs(self):
        assert graphemes("🇩🇪🇫🇷🇮") == ["🇩🇪", "🇫🇷", "🇮"]

    def test_a_closed_korean_syllable_takes_no_vowel(self):
        assert graphemes("한\u1161") == ["한", "\u1161"]
        assert graphemes("하\u11ab") == ["하\u11ab"]

    @given(st.text())
    @settings(deadline=None, max_examples=150)
    def test_joined_they_are_the_text_and_none_begins_with_a_mark(self, text: str):
        pieces = graphemes(text)
        assert "".join(pieces) == text
        assert not any(
            unicodedata.combining(piece[0])
            for piece, before in zip(pieces[1:], pieces, strict=False)
            if before[-1] >= " "
        )


class TestShortened:
    @staticmethod
    def within(most: int) -> Callable[[str], bool]:
        return lambda text: len(text) <= most

    def test_what_fits_stays_as_it_is(self):
        assert shortened("fiber cut", self.within(9)) == "fiber cut"

    @pytest.mark.parametrize(
        ("text", "short"),
        [
            ("the fiber is cut", "the fiber…"),
            ("one, two, three", "one, two…"),
            ("see node1.net/status now", "see…"),
            ("Glasfaserleitung", "Glasfaserl…"),
            ("x node1.net/a/long/way", "x…"),
            ("abcdefghi👩\u200d🚒 on site", "abcdefghi…"),
        ],
    )
    def test_it_is_cut_where_a_word_ends_and_never_within_a_link_or_a_character(self, text: str, short: str):
        assert shortened(text, self.within(11)) == short

    def test_within_a_word_rather_than_to_less_than_the_least(self):
        assert shortened("in Unterschleißheim", self.within(12)) == "in…"
        assert shortened("in Unterschleißheim", self.within(12), least=6) == "in Untersch…"

    def test_nothing_rather_than_less_than_the_least(self):
        assert shortened("the fiber is cut", self.within(5), least=6) == ""

    @given(st.text(max_size=40), st.integers(0, 40))
    @settings(deadline=None, max_examples=150)
    def test_it_fits_and_begins_as_the_text_does(self, text: str, most: int):
        short = shortened(text, self.within(most))
        assert len(short) <= most
        assert short == text or text.startswith(short.removesuffix("…"))


def test_importing_text_is_cheap():
    """Neither the SDKs, the screen's libraries nor the table of domains are loaded before they are needed."""
    code = (
        "import sys, outagecast.text as t; t.x_length('fiber cut, ETA 1h'); "
        "print([m for m in ('requests', 'rich', 'typer', 'outagecast.tld', 'outagecast.cutting') if m in sys.modules]); "
        "t.x_length('node1.net'); print('outagecast.tld' in sys.modules)"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert out.split("\n")[:2] == ["[]", "True"]
