"""ETAs: typed by themselves, found in a message, and said in UTC."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from outagecast.errors import UsageError
from outagecast.eta import absolute, find, parse, phrase, relative, replaced, without

BERLIN = ZoneInfo("Europe/Berlin")
NEW_YORK = ZoneInfo("America/New_York")


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


NOW = utc("2026-11-22 14:05")


class TestParse:
    @pytest.mark.parametrize(
        ("text", "minutes"),
        [
            ("1h", 60),
            ("90m", 90),
            ("1h30m", 90),
            ("1h30", 90),
            ("1.5h", 90),
            ("1,5 h", 90),
            ("2 hours", 120),
            ("45 min", 45),
            ("45 Minutes", 45),
            ("1 h 57 min", 117),
            ("1 hour and 5 mins", 65),
            ("2 days 3 h", 51 * 60),
            ("in 2 hours", 120),
            (" 1H ", 60),
        ],
    )
    def test_a_duration_counts_from_now(self, text: str, minutes: int):
        assert parse(text, NOW, BERLIN) == NOW + timedelta(minutes=minutes)

    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("15:30", "2026-11-22 14:30"),
            ("15:06", "2026-11-22 14:06"),
            ("15:05", "2026-11-23 14:05"),
            ("3pm", "2026-11-23 14:00"),
            ("4 p.m.", "2026-11-22 15:00"),
            ("12am", "2026-11-22 23:00"),
            ("12:30pm", "2026-11-23 11:30"),
            ("15:30Z", "2026-11-22 15:30"),
            ("15:30 utc", "2026-11-22 15:30"),
            ("15:30 UTC+1", "2026-11-22 14:30"),
            ("15:30 CET", "2026-11-22 14:30"),
            ("15:30 CEST", "2026-11-23 13:30"),
            ("2026-11-22 15:30", "2026-11-22 14:30"),
            ("2026-11-22T15:30Z", "2026-11-22 15:30"),
            ("2026-11-22T15:30:20.5+01:00", "2026-11-22 14:30:20"),
            ("2026-11-22 10:00-0500", "2026-11-22 15:00"),
            ("today 18:00", "2026-11-22 17:00"),
            ("tomorrow 08:00", "2026-11-23 07:00"),
            ("Tomorrow at 8am", "2026-11-23 07:00"),
            ("23 Nov 01:05 UTC", "2026-11-23 01:05"),
            ("22 november 2026, 15:30", "2026-11-22 14:30"),
        ],
    )
    def test_a_clock_time_is_its_next_occurrence_in_the_zone(self, text: str, expected: str):
        assert parse(text, NOW, BERLIN) == utc(expected)

    def test_it_is_told_in_whole_seconds(self):
        assert parse("1h", NOW.replace(second=7, microsecond=5), BERLIN) == utc("2026-11-22 15:05:07")

    def test_across_midnight_and_new_year(self):
        eve = utc("2026-12-31 22:50")
        assert parse("00:15", eve, BERLIN) == utc("2026-12-31 23:15")
        assert parse("1 Jan 02:00", eve, BERLIN) == utc("2027-01-01 01:00")
        assert parse("tomorrow 08:00", eve, BERLIN) == utc("2027-01-01 07:00")

    def test_a_time_the_clocks_skip_counts_as_if_they_had_not_been_put_forward(self):
        evening = utc("2026-03-28 23:00")
        assert parse("02:30", evening, BERLIN) == utc("2026-03-29 01:30")
        assert parse("03:30", evening, BERLIN) == utc("2026-03-29 01:30")

    def test_a_time_that_comes_twice_is_the_first_still_ahead(self):
        assert parse("02:30", utc("2026-10-24 23:00"), BERLIN) == utc("2026-10-25 00:30")
        assert parse("02:30", utc("2026-10-25 00:45"), BERLIN) == utc("2026-10-25 01:30")
        assert parse("2026-10-25 02:30", utc("2026-10-25 00:45"), BERLIN) == utc("2026-10-25 01:30")
        assert parse("02:30", utc("2026-10-25 01:45"), BERLIN) == utc("2026-10-26 01:30")
        assert parse("02:30 CET", utc("2026-10-24 23:00"), BERLIN) == utc("2026-10-25 01:30")

    @pytest.mark.parametrize(
        ("text", "why"),
        [
            ("", "no time or duration"),
            ("soon", "no time or duration"),
            ("15", "no time or duration"),
            ("tomorrow", "no time or duration"),
            ("1 month", "no time or duration"),
            ("15:30-16:00", "no time or duration"),
            ("1h or so", "no time or duration"),
            ("9" * 400 + "h", "no time or duration"),
            ("25:00", "is no time"),
            ("15:75", "is no time"),
            ("13pm", "no 13 o'clock"),
            ("2026-02-30 10:00", "is no time"),
            ("31 Feb 10:00", "is no time"),
            ("15:30 UTC+99", "is no time"),
            ("0m", "not ahead: it is 14:05 UTC now"),
            ("today 10:00", "not ahead"),
            ("2026-11-21 15:30", "not ahead"),
            ("31d", "31 days ahead; 30 are the most"),
            ("9999d", "30 are the most"),
            ("2027-11-22T15:30Z", "30 are the most"),
            ("15:30 EST", "zone EST is not that of the config"),
        ],
    )
    def test_what_is_no_time_to_come_is_refused_with_what_to_write(self, text: str, why: str):
        with pytest.raises(UsageError, match=why) as caught:
            parse(text, NOW, BERLIN)
        assert "15:30" in caught.value.hint

    @given(
        st.datetimes(datetime(2026, 1, 1), datetime(2027, 12, 31)),  # noqa: DTZ001  hypothesis takes naive bounds
        st.integers(0, 23),
        st.integers(0, 59),
        st.sampled_from([BERLIN, NEW_YORK, ZoneInfo("Australia/Lord_Howe"), ZoneInfo("UTC")]),
    )
    @settings(deadline=None, max_examples=300)
    def test_any_clock_time_is_ahead_within_a_day_and_shows_on_the_wall(
        self, naive: datetime, hour: int, minute: int, zone: ZoneInfo
    ):
        now = naive.replace(tzinfo=UTC)
        at = parse(f"{hour}:{minute:02}", now, zone)
        assert now < at <= now + timedelta(hours=25)
        local = at.astimezone(zone)
        skipped = (local.hour, local.minute) != (hour, minute)
        wall = datetime(local.year, local.month, local.day, hour, minute, tzinfo=zone)
        assert not skipped or wall.astimezone(UTC).astimezone(zone).replace(tzinfo=None) != wall.replace(tzinfo=None)

    @given(st.text(alphabet=st.sampled_from("0123456789:hm dpaZTUC+-. EStomrw"), max_size=25))
    @settings(deadline=None, max_examples=400)
    def test_any_other_text_is_a_time_ahead_or_a_usage_error(self, text: str):
        try:
            at = parse(text, NOW, BERLIN)
        except UsageError:
            return
        assert NOW - timedelta(seconds=1) < at <= NOW + timedelta(days=30)
        assert at.tzinfo is UTC


class TestInAMessage:
    @pytest.mark.parametrize(
        ("message", "announced"),
        [
            ("fiber cut, ETA 1h", "fiber cut, ETA 1h (15:05 UTC)"),
            ("ETA: 90 min", "ETA: 90 min (15:35 UTC)"),
            ("eta ~ 16:30", "eta ~ 16:30 (15:30 UTC)"),
            ("ETA in 2 hours.", "ETA in 2 hours (16:05 UTC)."),
            ("cut (ETA 1h), sorry", "cut (ETA 1h (15:05 UTC)), sorry"),
            ("ETA 15:30", "ETA 15:30 (14:30 UTC)"),
            ("ETA 15:30 CET", "ETA 15:30 CET (14:30 UTC)"),
            ("new ETA is now 17:00!", "new ETA is now 17:00 (16:00 UTC)!"),
            ("ETA moved to 17:00", "ETA moved to 17:00 (16:00 UTC)"),
            ("ETA approx. 1.5h", "ETA approx. 1.5h (15:35 UTC)"),
            ("ETA 10h", "ETA 10h (23 Nov 00:05 UTC)"),
            ("ETA tomorrow 08:00", "ETA tomorrow 08:00 (23 Nov 07:00 UTC)"),
            ("was ETA 1h, now ETA 2h", "was ETA 1h, now ETA 2h (16:05 UTC)"),
            ("ETA 1h, no new ETA yet", "ETA 1h (15:05 UTC), no new ETA yet"),
            ("ETA 1h (estimated)", "ETA 1h (15:05 UTC) (estimated)"),
            ("ETA 16:30 at the latest", "ETA 16:30 (15:30 UTC) at the latest"),
        ],
    )
    def test_its_time_in_utc_is_put_behind_it(self, message: str, announced: str):
        found = find(message, NOW, BERLIN)
        assert found
        assert absolute(message, found, NOW) == announced

    @pytest.mark.parametrize(
        "message",
        [
            "ETA 15:30 UTC",
            "ETA 15:30Z",
            "ETA 2026-11-22T15:30Z.",
            "ETA 23 Nov 01:05 UTC",
            "ETA 1h (15:05 UTC)",
            "ETA 10h (23 Nov 00:05 UTC)!",
        ],
    )
    def test_a_time_in_utc_that_stands_there_is_not_said_twice(self, message: str):
        found = find(message, NOW, BERLIN)
        assert found
        assert absolute(message, found, NOW) == message

    def test_an_announcement_typed_again_later_keeps_the_time_that_was_promised(self):
        found = find("ETA 1h (15:05 UTC)", NOW + timedelta(minutes=20), BERLIN)
        assert found
        assert found.at == utc("2026-11-22 15:05")

    def test_where_the_zone_is_utc_its_name_is_all_that_is_added(self):
        found = find("ETA 15:30, sorry", NOW, UTC)
        assert found
        assert absolute("ETA 15:30, sorry", found, NOW) == "ETA 15:30 UTC, sorry"

    @pytest.mark.parametrize(
        ("message", "announced"),
        [
            ("cable found, ETA 1h", "cable found, ETA 1h (15:05 UTC, was 14:35 UTC)"),
            ("ETA 15:30 CET!", "ETA 15:30 CET (14:30 UTC, was 14:35 UTC)!"),
            ("ETA 15:30 UTC.", "ETA 15:30 UTC (was 14:35 UTC)."),
            ("ETA 1h (was 14:35)", "ETA 1h (15:05 UTC) (was 14:35)"),
            ("ETA 1h, was 14:35 UTC", "ETA 1h (15:05 UTC), was 14:35 UTC"),
            ("ETA 1h instead of 14:35", "ETA 1h (15:05 UTC) instead of 14:35"),
            ("ETA tomorrow 08:00", "ETA tomorrow 08:00 (23 Nov 07:00 UTC, was 14:35 UTC)"),
        ],
    )
    def test_the_one_it_replaces_is_put_there_too_unless_the_message_tells(self, message: str, announced: str):
        found = find(message, NOW, BERLIN)
        assert found
        assert absolute(message, found, NOW, utc("2026-11-22 14:35")) == announced

    def test_an_eta_of_yesterday_is_told_with_its_day(self):
        found = find("ETA 1h", NOW, BERLIN)
        assert found
        assert absolute("ETA 1h", found, NOW, utc("2026-11-21 23:00")) == "ETA 1h (15:05 UTC, was 21 Nov 23:00 UTC)"

    def test_a_replacement_typed_again_later_keeps_the_time_that_was_promised(self):
        found = find("ETA 1h (15:05 UTC, was 14:35 UTC)", NOW + timedelta(minutes=20), BERLIN)
        assert found
        assert found.at == utc("2026-11-22 15:05")

    @pytest.mark.parametrize(
        "message",
        [
            "fiber cut",
            "ETA unknown",
            "no ETA",
            "no ETA yet, next update 15:30",
            "beta 1h",
            "theta: 1h",
            "ETAs 1h",
            "ETA1h",
            "ETA 15",
            "ETA 15:30-16:00",
            "ETA 1h/2h",
            "ETA 15:30 EST",
            "ETA 25:00",
            "the ETA 2026-11-21 15:30 was missed",
            "ETA 45 days",
        ],
    )
    def test_what_is_no_eta_is_left_alone(self, message: str):
        assert find(message, NOW, BERLIN) is None

    def test_a_clock_time_just_passed_is_not_taken_for_tomorrows(self):
        assert find("missed the ETA 14:30", NOW, BERLIN) is None
        assert find("ETA 08:00", NOW, BERLIN)
        assert find("ETA tomorrow 14:30", NOW, BERLIN)

    def test_found_spans_from_the_word_to_the_end_of_the_time(self):
        message = "fiber cut; ETA: 1h 30m, crew on site"
        found = find(message, NOW, BERLIN)
        assert found
        assert message[found.start : found.end] == "ETA: 1h 30m"
        assert found.at == utc("2026-11-22 15:35")

    @given(st.text(alphabet=st.sampled_from("ETAeta 1h30m:(UC)~-.,5\n"), max_size=60))
    @settings(deadline=None, max_examples=400)
    def test_saying_it_absolutely_twice_adds_nothing(self, message: str):
        found = find(message, NOW, BERLIN)
        if not found:
            return
        once = absolute(message, found, NOW)
        again = find(once, NOW, BERLIN)
        assert again
        assert again.at == found.at.replace(second=0)
        assert absolute(once, again, NOW) == once

    @given(st.text(alphabet=st.sampled_from("ETAeta 1h30m:(UC)~-.,5\n"), max_size=60), st.integers(-3000, 3000))
    @settings(deadline=None, max_examples=400)
    def test_saying_what_it_replaces_twice_adds_nothing_and_means_the_same(self, message: str, minutes: int):
        found = find(message, NOW, BERLIN)
        if not found:
            return
        was = NOW + timedelta(minutes=minutes)
        once = absolute(message, found, NOW, was)
        again = find(once, NOW, BERLIN)
        assert again
        assert again.at == found.at.replace(second=0)
        assert absolute(once, again, NOW, was) == once


def test_an_eta_of_its_own_is_said_in_utc():
    assert phrase(utc("2026-11-22 15:05"), NOW) == "ETA 15:05 UTC"
    assert phrase(utc("2026-11-22 15:05").astimezone(BERLIN), NOW.astimezone(BERLIN)) == "ETA 15:05 UTC"
    assert phrase(utc("2026-11-22 15:05"), NOW, utc("2026-11-22 14:35")) == "ETA 15:05 UTC, was 14:35 UTC"


@pytest.mark.parametrize(
    ("at", "before", "was"),
    [
        ("2026-11-22 15:05", "2026-11-22 14:35", "2026-11-22 14:35"),
        ("2026-11-22 15:05:00", "2026-11-22 15:05:30", None),
        ("2026-11-22 15:05", "2026-11-23 15:05", "2026-11-23 15:05"),
        (None, "2026-11-22 14:35", None),
        ("2026-11-22 15:05", None, None),
    ],
)
def test_only_an_eta_that_reads_otherwise_is_replaced(at: str | None, before: str | None, was: str | None):
    assert replaced(at and utc(at), before and utc(before), NOW) == (was and utc(was))


@pytest.mark.parametrize(
    ("now", "eta"),
    [
        ("2026-10-25 00:00", "2026-10-25 00:30"),
        ("2026-10-25 00:45", "2026-10-25 01:30"),
        ("2026-10-24 20:00", "2026-10-25 00:30"),
    ],
)
def test_a_time_that_comes_twice_is_the_first_that_is_ahead(now: str, eta: str):
    # In Berlin the clocks go back from 03:00 to 02:00 in this night; 02:30 is 00:30 UTC, and once more 01:30 UTC.
    assert parse("02:30", utc(now), BERLIN) == utc(eta)
    assert phrase(utc("2026-11-23 01:05"), NOW) == "ETA 23 Nov 01:05 UTC"


def test_how_far_off_it_is():
    assert relative(NOW + timedelta(minutes=55), NOW) == "in 55 min"
    assert relative(NOW - timedelta(minutes=12), NOW) == "12 min ago"
    assert relative(NOW, NOW) == "in 0 s"


class TestWithout:
    @pytest.mark.parametrize(
        ("message", "rest"),
        [
            ("fiber cut, ETA 1h", "fiber cut"),
            ("fiber cut (ETA 1h)", "fiber cut"),
            ("fiber cut (Berlin, ETA 1h)", "fiber cut (Berlin)"),
            ("fiber cut - ETA: ~90m", "fiber cut"),
            ("fiber cut, ETA 1h (15:05 UTC)", "fiber cut"),
            ("fiber cut, ETA 1h, more soon", "fiber cut, more soon"),
            ("fiber cut. ETA 1h.", "fiber cut."),
            ("fiber cut. ETA 1h, no panic", "fiber cut. no panic"),
            ("fiber cut, ETA 1h. We are on it.", "fiber cut. We are on it."),
            ("fiber cut! ETA 15:30 UTC", "fiber cut!"),
            ("fiber cut ETA 1h in Berlin", "fiber cut in Berlin"),
            ("fiber cut with a new ETA of 2 hours", "fiber cut"),
            ("fiber cut, our new ETA is 2026-11-23 08:00 UTC", "fiber cut"),
            ("fiber cut; ETA is now 16:30 CET; ETA 1h", "fiber cut"),
            ("fiber cut, ETA 1h\u2026", "fiber cut\u2026"),
        ],
    )
    def test_what_is_left_reads_as_if_it_had_never_been_there(self, message: str, rest: str):
        assert without(message) == rest

    @pytest.mark.parametrize(
        "message",
        ["ETA 1h", "the ETA 1h", "ETA 1h or ETA 2h", "fiber cut, no ETA yet", "meta 1h", "", "fiber cut - 1h"],
    )
    def test_what_says_nothing_else_or_has_none_stays_as_it_is(self, message: str):
        assert without(message) == message

    @given(st.text(alphabet="ETA eta1hm:(),.5 -UTC", max_size=40))
    def test_any_words_come_out_shorter_or_unchanged(self, message: str):
        rest = without(message)
        assert rest == message or len(rest) < len(message)


@pytest.mark.parametrize("message", ["ETA 1h: fiber cut", "ETA: 1h: fiber cut", "ETA 15:30: fiber cut"])
def test_a_colon_may_follow_the_time(message: str) -> None:
    found = find(message, NOW, UTC)
    assert found is not None
    assert message[found.end :] == ": fiber cut"
