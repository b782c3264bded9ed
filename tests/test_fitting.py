"""Fitting words into posts: what is given up before anything is cut, and where it is cut if it must be."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from outagecast.channel import Refused
from outagecast.channels.twitter_text import compose
from outagecast.errors import UsageError
from outagecast.fitting import Line, Rung, Thread, fit
from outagecast.graphemes import graphemes
from outagecast.model import Announcement, Incident, IncidentState, Kind, Status
from outagecast.text import clean, defuse, stamp, x_length, x_links

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from outagecast.model import Post

NO_THREAD = Thread("", lambda part, parts: f"{part}/{parts}", 1)


def heading(part: int, parts: int) -> str:
    return "[14:05 UTC]" if parts == 1 else f"[14:05 UTC · {part}/{parts}]"


def split(
    words: str, limit: int, count: Callable[[str], int], most_parts: int, below: Sequence[Line] = ()
) -> Sequence[str]:
    """The posts of words that can be said in one way only."""
    return fit([Rung(heading(1, 1), words)], Thread(words, heading, most_parts, below), limit, count).posts


class TestLadder:
    LADDER = (
        Rung("[14:05 UTC]", "fiber cut\nHelp: https://help.example.net"),
        Rung("[14:05 UTC]", "fiber cut", ("the help",)),
        Rung("", "fiber cut", ("the help", "the time")),
    )

    @pytest.mark.parametrize(("limit", "rung"), [(280, 0), (52, 0), (51, 1), (21, 1), (20, 2), (9, 2)])
    def test_the_first_rung_that_fits_is_said_and_what_it_lacks_is_named(self, limit: int, rung: int):
        fitted = fit(self.LADDER, NO_THREAD, limit, len)
        said = self.LADDER[rung]
        assert fitted.posts == [f"{said.head} {said.body}".strip()]
        assert (fitted.head, fitted.lacks) == (said.head, said.lacks)

    def test_only_where_no_rung_fits_it_is_said_in_parts(self):
        thread = Thread("fiber cut", lambda part, _: f"{part}.", 2)
        assert fit(self.LADDER, thread, 9, len).posts == ["fiber cut"]
        fitted = fit(self.LADDER, thread, 8, len)
        assert (fitted.posts, fitted.head) == (["1. fiber", "2. cut"], "1.")

    def test_a_channel_that_takes_one_post_only_is_told_how_long_the_least_is(self):
        with pytest.raises(UsageError, match="9 where 8 is the limit") as caught:
            fit(self.LADDER, NO_THREAD, 8, len)
        assert "shorter by 1" in caught.value.hint


class TestSplit:
    def test_of_several_parts_the_last_has_the_lines(self):
        *_, first, last = split("One is cut. " * 8, 80, len, 10, [Line("the help", "Help")])
        assert "Help" not in first
        assert last.endswith("\nHelp")

    def test_a_line_that_finds_no_room_below_the_last_part_is_named(self):
        lines = [Line("the help", "Help: " + "x" * 80), Line("the rest", "ok")]
        words = "One is cut. " * 8
        fitted = fit([Rung("", words)], Thread(words, heading, 10, lines), 80, len)
        assert fitted.lacks == ("the help",)
        assert fitted.posts[-1].endswith("\nok")

    def test_parts_end_where_sentences_end(self):
        posts = split("The cable is cut in two places. Crews are on site now. More news at noon.", 75, len, 10)
        assert posts == [
            "[14:05 UTC · 1/2] The cable is cut in two places. Crews are on site now.",
            "[14:05 UTC · 2/2] More news at noon.",
        ]

    def test_a_short_first_sentence_does_not_make_a_part_of_its_own(self):
        posts = split("No. " + "word " * 30, 100, len, 10)
        assert len(posts[0]) > 90

    def test_words_are_cut_between_where_sentences_would_need_too_many_parts(self):
        words = "aaaa bbbb cccc dddd eeee ffff gggg hhhh iiii. " * 6
        posts = split(words, 90, len, 5)
        assert len(posts) <= 5
        assert any(not post.endswith(".") for post in posts)

    def test_ten_parts_have_wider_headings_and_still_fit(self):
        posts = split("four " * 180, 110, len, 12)
        assert len(posts) >= 10
        assert posts[0].startswith(f"[14:05 UTC · 1/{len(posts)}]")
        assert max(map(len, posts)) <= 110

    def test_chinese_is_cut_without_blanks_and_no_part_begins_with_a_full_stop(self):
        posts = split("光缆被切断、正在抢修。" * 20, 140, x_length, 10)
        assert len(posts) > 2
        assert not any(post.partition("] ")[2][0] in "、。" for post in posts)

    @pytest.mark.parametrize("limit", range(60, 72))
    def test_no_line_begins_with_a_closing_or_ends_with_an_opening_mark(self, limit: int):
        bodies = [post.partition("] ")[2] for post in split("光缆、「切断」" * 12, limit, len, 10)]
        assert not [body for body in bodies if body[0] in "、」" or body[-1] == "「"]

    def test_accents_are_composed_before_anything_is_counted(self):
        assert split("cafe\u0301", 280, len, 1) == ["[14:05 UTC] caf\u00e9"]

    def test_a_link_is_never_cut(self):
        words = "see http://10.0.0.1/" + "a" * 60 + " and https://example.com/" + "b" * 60
        posts = split(words, 110, len, 10)
        assert [post.split()[-1][:12] for post in posts] == ["and", "https://exam"]
        assert posts[0].split()[-2] == "http://10.0.0.1/" + "a" * 60

    @pytest.mark.parametrize("host", ["https://example.com/", "http://10.0.0.1/"])
    def test_a_link_longer_than_a_post_is_an_error_that_says_so(self, host: str):
        with pytest.raises(UsageError, match="link in the message that is longer") as caught:
            split(f"see {host}" + "a" * 300, 280, len, 10)
        assert caught.value.hint

    def test_a_pile_of_marks_is_no_link(self):
        with pytest.raises(UsageError, match="a letter in the message, with marks piled upon it"):
            split("down Z" + "\u0351" * 300, 280, len, 10)

    def test_only_a_word_longer_than_a_post_is_cut_within(self):
        posts = split("short " + "x" * 300, 100, len, 10)
        assert posts[0] == "[14:05 UTC · 1/5] short"

    def test_one_part_only_says_by_how_much_it_is_too_long(self):
        with pytest.raises(UsageError, match="292 where 280 is the limit") as caught:
            split("a" * 280, 280, len, 1)
        assert "shorter by 12" in caught.value.hint

    def test_more_parts_than_allowed_are_refused(self):
        with pytest.raises(UsageError, match="do not fit into 3 parts"):
            split("word " * 400, 280, len, 3)

    def test_many_blanks_are_not_taken_for_words(self):
        assert len(split("start" + " " * 4000 + "end", 280, len, 2)) == 2

    def test_an_empty_heading_leaves_no_blank(self):
        assert fit([Rung("", "fiber cut")], NO_THREAD, 280, len).posts == ["fiber cut"]

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
        posts = split(text, limit, count, 60, [Line("the help", "Help")])
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


ADDITIONS = ("the notice", "the old ETA", "the status", "the time of the ETA", "the number", "the time")
NOTICE = "Announcements only. Help: https://help.example.net"
LINK = "https://status.example.com/incidents/1?a=b"


def news(typed: str, kind: Kind = Kind.UPDATE, **more: Any) -> Announcement:
    """An announcement to which everything was added that can be, but for what is said otherwise."""
    incident = Incident("inc-1", "fiber cut in Cologne", IncidentState.OPEN, datetime(2026, 11, 22, 12, 0, tzinfo=UTC))
    ways = (f"{typed} (15:05 UTC, was 14:35 UTC)", f"{typed} (15:05 UTC)", typed)
    known = {"words": ways[0], "shorter": ways[1:], "status": Status.MONITORING}
    at = datetime(2026, 11, 22, 14, 5, 9, tzinfo=UTC)
    return Announcement(incident, 2, kind, typed, at=at, **(known | more))


def missing(post: Post) -> list[str]:
    """The additions that an update in one post does without."""
    head = post.text.partition("]")[0] if post.text.startswith("[") else ""
    there = {
        "the notice": post.text.endswith(NOTICE),
        "the old ETA": "was 14:35 UTC)" in post.text,
        "the status": "monitoring" in head,
        "the time of the ETA": "(15:05 UTC" in post.text,
        "the number": "update 2" in head,
        "the time": "14:05" in head,
    }
    return [name for name in ADDITIONS if not there[name]]


class TestOnX:
    """What X's own rendering gives up, and in which order."""

    def test_one_addition_after_the_other_is_given_up_as_the_message_grows(self):
        posts = [compose(news("w" * length), NOTICE, 10) for length in range(1, 281)]
        assert {len(parts) for parts in posts} == {1}
        lacking = [missing(post) for (post,) in posts]
        assert lacking == sorted(lacking, key=len)
        assert sorted({len(names) for names in lacking}) == list(range(len(ADDITIONS) + 1))
        assert all(tuple(names) == ADDITIONS[: len(names)] for names in lacking)
        for (fuller,), (barer,) in pairwise(posts):
            if missing(fuller) != missing(barer):
                assert x_length(fuller.text) == 280, "nothing is given up before it must be"

    def test_what_was_given_up_is_named(self):
        (whole,) = compose(news("w" * 100), NOTICE, 10)
        assert not any("no room" in warning for warning in whole.warnings)
        (bare,) = compose(news("w" * 280), NOTICE, 10)
        assert bare.text == "w" * 280
        assert bare.warnings[0] == f"no room for: {', '.join(ADDITIONS)}"

    @pytest.mark.parametrize(
        ("kind", "head", "length"),
        [
            (Kind.RESOLVED, "[14:05 UTC · resolved after 2 h 5 min]", 241),
            (Kind.RESOLVED, "[14:05 UTC · resolved]", 257),
            (Kind.RESOLVED, "[resolved]", 269),
            (Kind.CORRECTION, "[14:05 UTC · correction]", 255),
            (Kind.CORRECTION, "[correction]", 267),
        ],
    )
    def test_an_end_and_a_correction_always_say_what_they_are(self, kind: Kind, head: str, length: int):
        (post,) = compose(news("w" * length, kind), "", 10)
        assert post.text == f"{head} {'w' * length}"
        assert x_length(post.text) == 280
        assert ("how long it lasted" in post.warnings[0]) == (kind is Kind.RESOLVED and "after" not in head)

    def test_the_time_stays_where_it_makes_the_post_different_from_another(self):
        (post,) = compose(news("w" * 265, seconds=True), "", 10)
        assert post.text == f"[14:05:09 UTC] {'w' * 265}"
        assert len(compose(news("w" * 266, seconds=True), "", 10)) == 2

    @pytest.mark.parametrize(
        ("words", "lacks"),
        [
            ("w ETA 16:05 UTC (was 15:05 UTC)", "the old ETA"),
            ("w ETA 16:05 UTC (16:05 UTC)", "the time of the ETA"),
        ],
    )
    def test_a_single_shorter_way_is_called_by_what_it_leaves_out(self, words: str, lacks: str):
        long = "w" * 250
        one = news("", words=f"{long}{words}", shorter=(f"{long}w",), status=None, kind=Kind.OPENED)
        (post,) = compose(one, "", 10)
        assert post.warnings == (f"no room for: {lacks}",)

    @pytest.mark.parametrize("length", range(1, 281, 3))
    def test_equal_messages_differ_as_long_as_time_or_number_is_shown(self, length: int):
        one = news("w" * length)
        (this,) = compose(one, "", 10)
        (next_minute,) = compose(replace(one, at=one.at + timedelta(minutes=1)), "", 10)
        (next_number,) = compose(replace(one, seq=3), "", 10)
        assert (this.text != next_minute.text) == ("the time" not in missing(this))
        assert (this.text != next_number.text) == ("the number" not in missing(this))

    def test_a_link_is_never_left_out(self):
        (post,) = compose(news("w" * 256, link=LINK), NOTICE, 10)
        assert post.text == f"{'w' * 256}\n{LINK}"
        first, last = compose(news("w " * 128 + "w", link=LINK), NOTICE, 10)
        assert LINK not in first.text
        assert LINK in last.text.split("\n")
        with pytest.raises(Refused):
            compose(news("w" * 257, link=LINK), NOTICE, 1)

    @pytest.mark.parametrize("held", [f"see {LINK}", f"see ({LINK}).", "at http://10.0.0.1/ too"])
    def test_a_link_that_the_words_hold_is_not_said_twice(self, held: str):
        link = LINK if LINK in held else "http://10.0.0.1/"
        (post,) = compose(news(held, link=link), "", 10)
        assert post.text.count(link) == 1

    def test_a_longer_link_that_begins_alike_is_another_one(self):
        (post,) = compose(news(f"see {LINK}&c=d", link=LINK), "", 10)
        assert post.text.endswith(f"\n{LINK}")

    def test_what_is_cut_is_said_in_full_and_the_notice_stands_below_the_last_part(self):
        posts = compose(news("One is cut, two are not. " * 11 + "ETA 1h", link=LINK), NOTICE, 10)
        assert posts[0].text.startswith("[14:05 UTC · update 2 · 1/2 · monitoring] One is cut")
        assert posts[1].text.endswith(f"ETA 1h (15:05 UTC, was 14:35 UTC)\n{LINK}\n{NOTICE}")
        assert posts[0].warnings == ("too long for one post: goes out as a thread of 2",)

    MESSAGE = st.one_of(
        st.integers(150, 330).map(lambda length: ("One is cut, two are not. " * 20)[:length]), TestSplit.TEXT
    )

    @given(
        MESSAGE,
        st.sampled_from([Kind.OPENED, Kind.UPDATE, Kind.RESOLVED, Kind.CORRECTION]),
        st.sampled_from([None, Status.MONITORING]),
        st.integers(0, 2),
        st.sampled_from(["", NOTICE]),
        st.sampled_from([None, LINK]),
        st.booleans(),
    )
    @settings(deadline=None, max_examples=150)
    def test_whatever_is_announced_is_wholly_there_and_in_parts_only_if_it_must_be(
        self, typed: str, kind: Kind, status: Status | None, ways: int, notice: str, link: str | None, seconds: bool
    ):
        try:
            typed = clean(defuse(typed))
            full = news(typed, kind, status=status, link=link, seconds=seconds)
            said = replace(full, words=[typed, *full.shorter[:1], full.words][ways], shorter=full.shorter[2 - ways :])
            posts = compose(said, notice, 10)
        except (UsageError, Refused):
            assume(False)
        assert all(x_length(post.text) <= 280 for post in posts)
        assert [(post.part, post.parts) for post in posts] == [(n + 1, len(posts)) for n in range(len(posts))]
        whole = f"{typed}\n{link}" if link else typed
        if len(posts) == 1:
            assert typed in posts[0].text
            assert not link or link in posts[0].text.split()
            there = {"the notice": bool(notice), "the old ETA": ways == 2, "the time of the ETA": ways > 0}
            there |= {"the status": bool(status) and kind in (Kind.OPENED, Kind.UPDATE)}
            there |= {"the number": kind is Kind.UPDATE, "the time": True}
            known = [name for name in ADDITIONS if there[name]]
            lost = [name for name in missing(posts[0]) if there[name]]
            assert lost == known[: len(lost)]
        else:
            least = {Kind.RESOLVED: "[resolved] ", Kind.CORRECTION: "[correction] "}.get(kind, "")
            assert seconds or x_length(f"{least}{whole}") > 280
            heads = [f"[{stamp(said, part=post.part, parts=post.parts)}] " for post in posts]
            bodies = [post.text.removeprefix(head) for post, head in zip(posts, heads, strict=True)]
            assert not [body for body, post in zip(bodies, posts, strict=True) if body == post.text]
            bodies[-1] = bodies[-1].removesuffix(f"\n{notice}" if notice else "")
            wanted = f"{said.words}\n{link}" if link else said.words
            assert "".join("".join(bodies).split()) == "".join(wanted.split())
            links = [found.text for body in bodies for found in x_links(body)]
            assert links == [found.text for found in x_links(wanted)]

    @pytest.mark.parametrize(
        ("words", "parts"),
        [
            ("a." * 1050, 9),
            ("@ " * 1050, 9),
            ("ETA " * 500, 9),
            ("$A" * 1050, 9),
            ("\u00e9" * 2100, 9),
            ("障害" * 500, 9),
            ("👩\u200d👩\u200d👧" * 1000, 9),
        ],
        ids=["hosts", "at signs", "ETAs", "dollars", "accents", "wide letters", "families"],
    )
    def test_texts_that_are_made_to_be_slow_give_the_right_posts(self, words: str, parts: int):
        said = news(words.strip(), words=words.strip(), shorter=())
        posts = compose(said, NOTICE, 10)
        assert len(posts) == parts
        assert max(x_length(post.text) for post in posts) <= 280
        bodies = [post.text.partition("] ")[2].removesuffix(f"\n{NOTICE}") for post in posts]
        assert "".join("".join(bodies).split()) == "".join(words.split())

    @pytest.mark.parametrize(
        ("words", "why"),
        [
            ("a." * 2500, "5,000 do not fit into 10 parts"),
            ("@" * 5000, "5,000 do not fit into 10 parts"),
            ("$A " * 1600, "4,799 do not fit into 10 parts"),
            ("$A " * 300, "takes at most one cashtag"),
            ("ETA " * 1250, "4,999 do not fit into 10 parts"),
            ("Z" + "\u0351" * 4999, "5,000 do not fit into 10 parts"),
            ("Z" + "\u0351" * 300, "marks piled upon it"),
        ],
        ids=["hosts", "at signs", "dollars", "cashtags", "ETAs", "marks", "few marks"],
    )
    def test_texts_that_are_made_to_be_slow_are_refused_for_the_right_reason(self, words: str, why: str):
        with pytest.raises(Refused, match=why):
            compose(news(words.strip(), words=words.strip(), shorter=()), NOTICE, 10)
