"""Cleaning, stamping and fitting words."""

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
    clean,
    duration,
    fit,
    moment,
    one_line,
    stamp,
    stamp_long,
    terminal,
    x_length,
    x_links,
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


def heading(part: int, parts: int) -> str:
    return "[14:05 UTC]" if parts == 1 else f"[14:05 UTC · {part}/{parts}]"


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


class TestFit:
    LINES = ("Help: https://help.example.net", "Announcements only.", "ok")

    def test_everything_stays_together_where_it_fits(self):
        expected = "[14:05 UTC] fiber cut\nHelp: https://help.example.net\nAnnouncements only.\nok"
        assert fit("fiber cut", heading, self.LINES, 280, len, 10) == [expected]

    def test_the_least_important_line_is_given_up_first(self):
        both = "[14:05 UTC] fiber cut\nHelp: https://help.example.net\nAnnouncements only."
        assert fit("fiber cut", heading, self.LINES, len(both), len, 10) == [both]
        assert fit("fiber cut", heading, self.LINES[:2], len(both) - 1, len, 10) == [both.rpartition("\n")[0]]

    def test_a_short_line_stays_though_a_longer_one_before_it_cannot(self):
        assert fit("fiber cut", heading, self.LINES, 30, len, 10) == ["[14:05 UTC] fiber cut\nok"]

    def test_lines_are_given_up_before_the_words_are_split(self):
        words = "w" * (280 - len("[14:05 UTC] "))
        assert fit(words, heading, self.LINES, 280, len, 10) == [f"[14:05 UTC] {words}"]

    def test_of_several_parts_the_last_has_the_lines(self):
        *_, first, last = fit("One is cut. " * 8, heading, ["Help"], 80, len, 10)
        assert "Help" not in first
        assert last.endswith("\nHelp")

    def test_parts_end_where_sentences_end(self):
        posts = fit(
            "The cable is cut in two places. Crews are on site now. More news at noon.", heading, [], 75, len, 10
        )
        assert posts == [
            "[14:05 UTC · 1/2] The cable is cut in two places. Crews are on site now.",
            "[14:05 UTC · 2/2] More news at noon.",
        ]

    def test_a_short_first_sentence_does_not_make_a_part_of_its_own(self):
        posts = fit("No. " + "word " * 30, heading, [], 100, len, 10)
        assert len(posts[0]) > 90

    def test_words_are_cut_between_where_sentences_would_need_too_many_parts(self):
        words = "aaaa bbbb cccc dddd eeee ffff gggg hhhh iiii. " * 6
        posts = fit(words, heading, [], 90, len, 5)
        assert len(posts) <= 5
        assert any(not post.endswith(".") for post in posts)

    def test_ten_parts_have_wider_headings_and_still_fit(self):
        posts = fit("four " * 180, heading, [], 110, len, 12)
        assert len(posts) >= 10
        assert posts[0].startswith(f"[14:05 UTC · 1/{len(posts)}]")
        assert max(map(len, posts)) <= 110

    def test_chinese_is_cut_without_blanks_and_no_part_begins_with_a_full_stop(self):
        posts = fit("光缆被切断、正在抢修。" * 20, heading, [], 140, x_length, 10)
        assert len(posts) > 2
        assert not any(post.partition("] ")[2][0] in "、。" for post in posts)

    @pytest.mark.parametrize("limit", range(60, 72))
    def test_no_line_begins_with_a_closing_or_ends_with_an_opening_mark(self, limit: int):
        bodies = [post.partition("] ")[2] for post in fit("光缆、「切断」" * 12, heading, [], limit, len, 10)]
        assert not [body for body in bodies if body[0] in "、」" or body[-1] == "「"]

    def test_accents_are_composed_before_anything_is_counted(self):
        assert fit("cafe\u0301", heading, [], 280, len, 1) == ["[14:05 UTC] caf\u00e9"]

    def test_a_link_is_never_cut(self):
        words = "see http://10.0.0.1/" + "a" * 60 + " and https://example.com/" + "b" * 60
        posts = fit(words, heading, [], 110, len, 10)
        assert [post.split()[-1][:12] for post in posts] == ["and", "https://exam"]
        assert posts[0].split()[-2] == "http://10.0.0.1/" + "a" * 60

    @pytest.mark.parametrize("host", ["https://example.com/", "http://10.0.0.1/"])
    def test_a_link_longer_than_a_post_is_an_error_that_says_so(self, host: str):
        with pytest.raises(UsageError, match="link in the message that is longer") as caught:
            fit(f"see {host}" + "a" * 300, heading, [], 280, len, 10)
        assert caught.value.hint

    def test_only_a_word_longer_than_a_post_is_cut_within(self):
        posts = fit("short " + "x" * 300, heading, [], 100, len, 10)
        assert posts[0] == "[14:05 UTC · 1/5] short"

    def test_one_part_only_says_by_how_much_it_is_too_long(self):
        with pytest.raises(UsageError, match="292 where 280 is the limit") as caught:
            fit("a" * 280, heading, [], 280, len, 1)
        assert "shorter by 12" in caught.value.hint

    def test_more_parts_than_allowed_are_refused(self):
        with pytest.raises(UsageError, match="do not fit into 3 parts"):
            fit("word " * 400, heading, [], 280, len, 3)

    def test_many_blanks_are_not_taken_for_words(self):
        assert len(fit("start" + " " * 4000 + "end", heading, [], 280, len, 2)) == 2

    def test_an_empty_heading_leaves_no_blank(self):
        assert fit("fiber cut", lambda _part, _parts: "", [], 280, len, 1) == ["fiber cut"]

    TEXT = st.lists(
        st.one_of(
            st.sampled_from(
                [
                    "node1.net",
                    "https://example.com/a-b_(c)?d=e",
                    "http://10.0.0.1/x",
                    "End.",
                    "Why?",
                    "👩\u200d👩\u200d👧",
                    "🇩🇪🇫🇷",
                    "e\u0323\u0301",
                    "光缆被切断。",
                    "\u1112\u1161\u11ab",
                    "क्षि",
                    "x" * 50,
                    "\n\n",
                    "- ",
                    "1\ufe0f\u20e3",
                    "(see",
                    "@name",
                ]
            ),
            st.text(min_size=1, max_size=12),
        ),
        min_size=1,
        max_size=60,
    ).map(" ".join)

    @given(TEXT, st.integers(60, 300), st.sampled_from([len, x_length]))
    @settings(deadline=None, max_examples=250)
    def test_parts_fit_say_everything_and_keep_links_and_graphemes_whole(
        self, text: str, limit: int, count: Callable[[str], int]
    ):
        try:
            text = clean(text)
        except UsageError:
            assume(False)
        posts = fit(text, heading, ["Help"], limit, count, 60)
        assert all(count(post) <= limit for post in posts)
        bodies = [post.removeprefix(heading(part, len(posts)) + " ") for part, post in enumerate(posts, 1)]
        bodies[-1] = bodies[-1].removesuffix("\nHelp")
        assert "".join("".join(bodies).split()) == "".join(text.split())
        assert [link.text for body in bodies for link in x_links(body)] == [link.text for link in x_links(text)]
        starts, position = set(), 0
        for body in bodies:
            position = text.index(body, position)
            starts.add(position)
            position += len(body)
        borders, position = {0}, 0
        for grapheme in graphemes(text):
            position += len(grapheme)
            borders.add(position)
        assert starts <= borders


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


def test_importing_text_is_cheap():
    """Neither the SDKs, the screen's libraries nor the table of domains are loaded before they are needed."""
    code = (
        "import sys, outagecast.text as t; t.x_length('fiber cut, ETA 1h'); "
        "print([m for m in ('requests', 'rich', 'typer', 'outagecast.tld', 'outagecast.cutting') if m in sys.modules]); "
        "t.x_length('node1.net'); print('outagecast.tld' in sys.modules)"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert out.split("\n")[:2] == ["[]", "True"]
