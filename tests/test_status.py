"""What `status` shows a tired person: where things stand, what to type next, on any terminal."""

from __future__ import annotations

import io
import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest
from journal_kit import put
from rich.cells import cell_len

from outagecast.advice import advice
from outagecast.deliver import Event
from outagecast.model import Incident, IncidentState, Post, PostState
from outagecast.report import incident_report
from outagecast.sandbox.faults import Fault, FaultKind, lost_answer
from outagecast.sandbox.mail_faults import At, MailFault
from outagecast.screen import Screen

if TYPE_CHECKING:
    from collections.abc import Callable

    from night import Night

NOW = datetime(2026, 11, 22, 14, 5, tzinfo=UTC)
BERLIN = ZoneInfo("Europe/Berlin")
UNAUTHORIZED = '{"title":"Unauthorized","status":401,"detail":"Unauthorized"}'
RESUME = "Not everything is out yet. Next: outagecast resume"
PERSON = "A person is needed: see → above. When that is done: outagecast resume"


class Terminal(io.TextIOWrapper):
    """A stream that somebody looks at."""

    def __init__(self) -> None:
        super().__init__(io.BytesIO(), encoding="utf-8", write_through=True)

    def isatty(self) -> bool:
        return True

    @property
    def shown(self) -> str:
        return self.buffer.getvalue().decode()  # type: ignore[attr-defined]


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], Terminal]:
    """Make a terminal of so many columns."""
    monkeypatch.setenv("TERM", "xterm-256color")
    for name in ("NO_COLOR", "FORCE_COLOR", "TTY_COMPATIBLE"):
        monkeypatch.delenv(name, raising=False)

    def of(columns: int) -> Terminal:
        monkeypatch.setenv("COLUMNS", str(columns))
        return Terminal()

    return of


def plain(shown: str) -> str:
    return re.sub(r"\x1b\[[0-9;]*m", "", shown)


def drawn(night: Night, on: Terminal) -> str:
    """The overview of all incidents as it is drawn on a terminal."""
    with night.journal() as journal:
        reports = [
            incident_report(journal, incident, night.clock.now() - timedelta(days=1))
            for incident in journal.incidents()
        ]
    Screen(on, BERLIN, night.clock.now()).overview(reports, "")
    return on.shown


def line(shown: str, *words: str) -> str:
    """The one line that has all these words."""
    (found,) = [one for one in shown.splitlines() if all(word in one for word in words)]
    return found


# --- one incident


def test_title_and_eta_are_said_once_whatever_was_announced(night: Night) -> None:
    night.run("post", "fiber cut, ETA 1h", "--title", "Frankfurt is dark", "--incident", "ALERT-1")
    night.clock.move(600)
    night.run("update", "cable found, ETA 2h", "--status", "identified")
    shown = night.run("status").out
    assert shown.count("Frankfurt is dark") == 1
    assert line(shown, "Frankfurt").startswith("Frankfurt is dark  ·  ALERT-1  ·  OPEN since 15:05 CET (14:05 UTC), 10")
    assert [one.strip() for one in shown.splitlines() if one.strip().startswith("ETA ")] == [
        "ETA 17:15 CET (16:15 UTC), in 2 h"
    ]


def test_each_announcement_is_a_line_with_its_words_and_its_channels_below(night: Night) -> None:
    night.run("post", "fiber cut\n\nall of Frankfurt")
    night.clock.move(600)
    night.run("update", "cable found", "--status", "identified")
    shown = night.run("status").out
    assert line(shown, "  opened").split("  ")[1:] == ["opened", "15:05 CET (14:05 UTC)", "fiber cut all of Frankfurt"]
    assert line(shown, "  update 1").split("  ")[2:] == ["15:15 CET (14:15 UTC)", "identified", "cable found"]
    below = shown[shown.index("  update 1") :].splitlines()[1:4]
    assert [re.sub(" +", " ", one).split(" http")[0] for one in below] == [
        " ✓ twitter sent replies closed",
        " ✓ facebook sent comments moderated",
        " ✓ email sent 2 of 2 letters sent",
    ]


def test_an_eta_that_has_passed_is_overdue_and_red(night: Night, terminal: Callable[[int], Terminal]) -> None:
    night.run("post", "fiber cut, ETA 1h")
    night.clock.move(3600 + 1200)
    shown = drawn(night, terminal(120))
    assert "ETA 16:05 CET (15:05 UTC), 20 min ago  ·  OVERDUE" in plain(shown)
    assert "\x1b[1;31m" in line(shown, "OVERDUE")
    assert "\x1b[1;31mOPEN" in shown


def test_what_is_over_says_how_long_it_lasted_and_no_eta(night: Night) -> None:
    night.run("post", "fiber cut, ETA 1h")
    night.clock.move(25 * 60)
    night.run("resolve")
    shown = night.run("status").out
    assert "resolved after 25 min, 15:30 CET (14:30 UTC)" in line(shown, "inc-")
    assert "  ETA" not in shown
    assert "OPEN" not in shown


def test_a_day_that_is_not_today_is_named(night: Night) -> None:
    night.run("post", "fiber cut")
    night.clock.move(86400)
    assert "OPEN since 22 Nov 2026, 15:05 CET (14:05 UTC), 1 day" in night.run("status").out


# --- what was taken back


def retracted(night: Night, *more: str) -> str:
    night.run("post", "fiber cut")
    night.clock.move(60)
    night.run("update", "cable found")
    night.clock.move(60)
    night.run("retract", "--last", *more)
    return night.run("status").out


def test_what_was_taken_back_says_so_and_never_sent(night: Night) -> None:
    shown = retracted(night)
    assert "  taken back  cable found" in line(shown, "  update 1  ")
    gone = shown[shown.index("  update 1  ") : shown.index("  correction")]
    assert "sent  " not in gone.replace("letters sent", "")
    assert re.findall(r"↶  (\w+) +taken back$", gone, re.MULTILINE) == ["twitter", "facebook"]
    assert "replies" not in gone
    assert "email     cannot be taken back; corrected  2 of 2 letters sent" in gone
    assert "correction of update 1  15:07 CET (14:07 UTC)  Please disregard" in shown


def test_what_was_taken_back_is_dimmed_and_the_rest_is_not(night: Night, terminal: Callable[[int], Terminal]) -> None:
    retracted(night)
    shown = drawn(night, terminal(120))
    assert re.search(r"\x1b\[[0-9;]*2[;m]", line(shown, "update 1", "cable found", "taken back"))
    assert not re.search(r"\x1b\[(?:2|[0-9;]*;2)(?:;[0-9]+)*m", line(shown, "opened", "fiber cut"))


def test_one_that_the_platform_does_not_let_go_yet_is_being_taken_back(night: Night) -> None:
    night.x.faults.add(Fault("DELETE", status=503, times=99))
    shown = retracted(night, "--deadline", "1")
    assert "being taken back" in line(shown, "  update 1  ")
    assert "…  twitter   being taken back" in shown
    assert "https://x.com/i/status/" in line(shown, "being taken back", "twitter")
    assert "it is to be taken back: " in shown
    assert shown.rstrip().endswith(RESUME)


def test_one_that_the_platform_refuses_to_let_go_says_how_a_person_ends_it(night: Night) -> None:
    night.x.faults.add(Fault("DELETE", status=401, body=UNAUTHORIZED, times=99))
    shown = retracted(night)
    assert "not taken back everywhere" in line(shown, "  update 1  ")
    assert "!  twitter   could not be taken back" in shown
    hint = line(shown, "→", "by hand")
    assert re.search(r"outagecast settle \d+ --drop", hint)
    assert shown.rstrip().endswith(PERSON)


def test_one_that_a_person_lets_stand_is_still_out(night: Night) -> None:
    night.x.faults.add(Fault("DELETE", status=401, body=UNAUTHORIZED, times=99))
    found = re.search(r"settle (\d+)", retracted(night))
    assert found
    assert night.run("settle", found[1], "--sent").code == 0
    shown = night.run("status").out
    assert "!  twitter   still out" in shown
    assert "it stays" in shown


def test_one_that_never_went_out_says_that(night: Night) -> None:
    night.write_config(night.twitter())
    night.x.faults.add(Fault("POST /2/tweets", status=429, resets={"x-rate-limit-reset": 600}))
    assert night.run("post", "fiber cut", "--deadline", "1").code == 75
    night.run("retract")
    shown = night.run("status").out
    assert "-  twitter  taken back before it was out" in shown
    assert "taken back" in line(shown, "inc-")


def test_a_correction_that_is_not_out_is_no_correction_yet(night: Night) -> None:
    night.write_config(night.email())
    night.run("post", "fiber cut")
    night.mailbox.faults.add(MailFault(At.MAIL, reply="451 4.3.0 later", times=99))
    night.run("retract", "--deadline", "1")
    shown = night.run("status").out
    assert "…  email  cannot be taken back; the correction is not out yet" in shown
    assert shown.rstrip().endswith(RESUME)


def test_a_second_correction_names_only_what_it_corrects(night: Night) -> None:
    retracted(night)
    night.clock.move(60)
    night.run("retract")
    shown = night.run("status").out
    assert "  correction of opened  " in shown
    assert "  correction of update 1  " in shown


@pytest.mark.parametrize("more", [("--to", "twitter"), ("--last",), ("--last", "--to", "facebook"), ()])
def test_all_is_not_called_out_when_some_of_it_was_taken_back(night: Night, more: tuple[str, ...]) -> None:
    night.run("post", "fiber cut")
    night.run("update", "cable found")
    for shown in (night.run("retract", *more).out, night.run("status").out):
        assert "taken back" in shown
        assert "All out" not in shown
        assert "Nothing is left to do." in shown


# --- posts that need a word


def test_the_reason_stands_under_its_channel(night: Night) -> None:
    night.x.faults.add(Fault("POST /2/tweets", status=401, body=UNAUTHORIZED))
    night.run("post", "fiber cut")
    lines = night.run("status").out.splitlines()
    at = next(number for number, one in enumerate(lines) if "✗  twitter   refused" in one)
    assert lines[at + 1].startswith("       X does not accept the keys")
    assert lines[at + 2].startswith("       → ")
    assert "facebook" in lines[at + 3]


def test_each_letter_and_each_part_has_its_own_reason(night: Night) -> None:
    night.mailbox.faults.add(MailFault(At.RCPT, reply="550 5.1.1 no such user", times=1))
    night.x.faults.add(Fault("POST /2/tweets", status=401, body=UNAUTHORIZED, skip=1))
    night.run("post", "fiber cut " * 40)
    shown = night.run("status").out
    assert re.search(r"^       ✗ (ann@example.org|bo@example.com): .*5\.1\.1", shown, re.MULTILINE)
    assert re.search(r"^       ✗ part 2: X does not accept the keys", shown, re.MULTILINE)


def test_a_first_post_with_old_words_is_shown_with_its_next_try(night: Night) -> None:
    night.write_config(night.facebook())
    night.run("post", "fiber cut")
    with night.journal() as journal:
        put(journal, 1, amend_due="2026-11-22T14:10:00.000Z")
    shown = night.run("status").out
    assert "the latest news is to be added to it" in shown
    assert shown.rstrip().endswith(RESUME)


def test_detail_is_never_null_on_a_post_that_is_not_sent(night: Night) -> None:
    night.mailbox.faults.add(MailFault(At.RCPT, reply="550 5.1.1 no such user", times=1))
    retracted(night)
    night.x.faults.add(Fault("POST /2/tweets", status=401, body=UNAUTHORIZED))
    night.graph.faults.add(lost_answer(r"POST /v?[\d.]*/?\d+_\d+"), Fault("POST /1001/feed", FaultKind.HANG, skip=1))
    night.run("update", "more", "--deadline", "2")
    night.run("update", "even more", "--deadline", "1")
    posts = [
        post
        for report in night.run("status", "--json").json["incidents"][0]["announcements"]
        for channel in report["channels"]
        for post in channel["posts"]
    ]
    states = {post["state"] for post in posts}
    assert {"sent", "retracted", "refused"} < states
    assert [post for post in posts if post["state"] != "sent" and not post["detail"]] == []
    assert {post["detail"] for post in posts if post["state"] == "retracted"} == {"taken back"}


# --- many incidents


def test_open_ones_come_first_and_old_ones_are_a_line_each_newest_first(night: Night) -> None:
    night.run("post", "still going on", "--incident", "A")
    for key in ("B", "C"):
        night.run("post", f"trouble {key}", "--incident", key)
        night.run("resolve", "--incident", key)
        night.clock.move(3600)
    night.clock.move(2 * 86400)
    night.run("post", "a moment ago", "--incident", "D")
    night.run("resolve", "--incident", "D")
    shown = night.run("status").out
    assert [shown.index(one) for one in ("still going on", "a moment ago", "trouble C", "trouble B")] == sorted(
        shown.index(one) for one in ("still going on", "a moment ago", "trouble C", "trouble B")
    )
    assert shown.count("trouble B") == 1
    assert re.search(r"^  B  22 Nov 2026  resolved after 0 s  trouble B$", shown, re.MULTILINE)
    assert "  resolved  " in shown  # the young one is shown whole


def test_an_incident_that_is_asked_for_is_shown_whole_however_old(night: Night) -> None:
    night.run("post", "fiber cut", "--incident", "A")
    night.run("resolve", "--incident", "A")
    night.clock.move(5 * 86400)
    assert "https://x.com" not in night.run("status").out
    assert "https://x.com" in night.run("status", "A").out


def test_an_old_one_with_something_unfinished_is_shown_whole(night: Night) -> None:
    night.x.faults.add(Fault("POST /2/tweets", status=401, body=UNAUTHORIZED, times=99))
    night.run("post", "fiber cut")
    night.run("resolve")
    night.clock.move(5 * 86400)
    assert "✗  twitter   refused" in night.run("status").out


def test_a_hundred_old_ones_do_not_push_the_open_one_off_the_screen(night: Night) -> None:
    night.write_config(night.facebook())
    for number in range(13):
        night.run("post", f"trouble {number:02}", "--incident", f"K{number}")
        night.run("resolve", "--incident", f"K{number}")
    night.clock.move(2 * 86400)
    shown = night.run("status").out
    assert len(re.findall("trouble", shown)) == 10
    assert "… and 3 before: outagecast status --json has them all" in shown
    assert len(night.run("status", "--json").json["incidents"]) == 13


def test_one_blank_line_stands_between_incidents(night: Night) -> None:
    for key in ("A", "B"):
        night.run("post", f"trouble {key}", "--incident", key)
        night.run("resolve", "--incident", key)
        night.clock.move(86400 + 1)
    night.run("post", "fiber cut", "--incident", "C")
    night.run("post", "mail is down", "--incident", "D", "--yes")
    for shown in (night.run("status").out, night.run("status", "A").out):
        assert "\n\n\n" not in shown
        assert shown.startswith("\n")


# --- what to type next


def test_open_and_all_out_news_or_the_end_comes_next(night: Night) -> None:
    night.run("post", "fiber cut")
    assert night.run("status").out.endswith(
        'All out.\nWith news, or when it is over:\n  outagecast update "what is new, ETA 1h"\n  outagecast resolve\n'
    )


def test_with_nothing_open_a_new_one_comes_next(night: Night) -> None:
    night.run("post", "fiber cut")
    night.run("resolve")
    assert night.run("status").out.endswith('  outagecast post "what is wrong, ETA 1h"\n')


def test_overdue_an_update_comes_next(night: Night) -> None:
    night.run("post", "fiber cut, ETA 1h")
    night.clock.move(7200)
    assert night.run("status").out.endswith('without news. Next:\n  outagecast update "what is new, ETA 1h"\n')


def test_with_one_asked_for_by_its_key_others_that_are_open_still_count(night: Night) -> None:
    night.run("post", "fiber cut", "--incident", "A")
    night.run("post", "mail is down", "--incident", "B", "--yes")
    shown = night.run("status", "A").out
    assert "mail is down" not in shown
    assert re.search("outagecast resolve --incident [AB]$", shown, re.MULTILINE)


def incident(key: str, *, eta: timedelta | None = None, over: bool = False) -> Incident:
    state = IncidentState.RESOLVED if over else IncidentState.OPEN
    return Incident(key, "fiber cut", state, NOW, eta=NOW + eta if eta else None, resolved_at=NOW if over else None)


@pytest.mark.parametrize(
    ("incidents", "command"),
    [
        ([], 'outagecast post "what is wrong, ETA 1h"'),
        ([incident("a", over=True)], 'outagecast post "what is wrong, ETA 1h"'),
        ([incident("a"), incident("b", over=True)], 'outagecast update "what is new, ETA 1h"'),
        ([incident("a"), incident("b")], 'outagecast update --incident a "what is new, ETA 1h"'),
        (
            [incident("disk full; rm"), incident("b")],
            "outagecast update --incident 'disk full; rm' \"what is new, ETA 1h\"",
        ),
        (
            [incident("a", eta=-timedelta(hours=1)), incident("b", eta=-timedelta(hours=2)), incident("c")],
            'outagecast update --incident b "what is new, ETA 1h"',
        ),
        ([incident("a", eta=-timedelta(hours=1), over=True)], 'outagecast post "what is wrong, ETA 1h"'),
    ],
)
def test_the_next_command_names_the_incident_where_it_must(incidents: list[Incident], command: str) -> None:
    assert advice(incidents, NOW).commands[0] == command


# --- any terminal


LONG = "Kabelbruch zwischen Frankfurt und Berlin, ルーターが故障しました, everything in the north is dark " * 2
WIDE = "x" * 40


def rough(night: Night) -> None:
    """A long title in wide letters, a channel with a long name, a link, a reason and a hint."""
    channel = night.twitter("    type: twitter").replace("  twitter:", f"  {WIDE}:")
    night.write_config(channel + night.facebook() + night.email())
    night.mailbox.faults.add(
        MailFault(At.RCPT, reply="450 4.2.0 greylisted, please do come back a little later", times=9)
    )
    night.run("post", LONG, "--status", "investigating", "--deadline", "2", "--yes")


@pytest.mark.parametrize("columns", [20, 40, 80, 120])
def test_nothing_of_ours_is_wider_than_the_terminal_and_links_stay_whole(
    night: Night, terminal: Callable[[int], Terminal], columns: int
) -> None:
    rough(night)
    shown = plain(drawn(night, terminal(columns)))
    lines = shown.splitlines()
    assert [one for one in lines if night.graph.public()[0]["url"] in one]
    assert WIDE in shown
    # A channel's own line may be wider (a name of 40 letters), and so may a link and a command to copy.
    words = [one for one in lines if re.match(r" {0,2}\S", one) and "outagecast" not in one]
    assert len(words) >= 3
    assert [one for one in words if cell_len(one) > max(columns, 52)] == []
    reasons = [one for one in lines if re.match(r" {7,9}\S", one) and "http" not in one and "→" not in one]
    assert len(reasons) > 1
    assert [one for one in reasons if cell_len(one) > max(columns, 31)] == []


def test_words_are_cut_with_an_ellipsis_at_a_terminal_and_not_in_a_pipe(
    night: Night, terminal: Callable[[int], Terminal]
) -> None:
    words = "fiber cut " * 20 + "at the end"
    night.run("post", words, "--yes")
    cut = line(plain(drawn(night, terminal(80))), "  opened")
    assert cut.endswith("…")
    assert cell_len(cut) == 80
    assert line(night.run("status").out, "  opened").endswith("at the end")


def test_links_stand_beside_where_there_is_room_and_below_where_there_is_not(
    night: Night, terminal: Callable[[int], Terminal]
) -> None:
    night.run("post", "fiber cut")
    url = night.graph.public()[0]["url"]
    assert "facebook" in line(plain(drawn(night, terminal(120))), url)
    assert line(plain(drawn(night, terminal(60))), url).strip() == url


@pytest.mark.parametrize("asked", [True, False])
def test_colours_are_for_terminals_and_for_whoever_wants_them(
    night: Night, terminal: Callable[[int], Terminal], monkeypatch: pytest.MonkeyPatch, asked: bool
) -> None:
    retracted(night)
    on = terminal(100)
    if asked:
        monkeypatch.setenv("NO_COLOR", "1")
    assert ("\x1b" in drawn(night, on)) is not asked
    assert "\x1b" not in night.run("status").out


def test_what_a_platform_says_cannot_write_on_the_terminal(night: Night, terminal: Callable[[int], Terminal]) -> None:
    evil = '{"title":"Unauthorized","status":401,"detail":"\\u001b[2J\\u001b]0;owned\\u0007 [red]no[/red]\\u202e"}'
    night.x.faults.add(Fault("POST /2/tweets", status=401, body=evil))
    night.run("post", "fiber cut")
    for shown in (night.run("status").out, drawn(night, terminal(80))):
        assert "owned" in shown
        assert "[red]no[/red]" in shown
        assert not re.search("\x1b\\[2J|\x1b\\]|\x07|\u202e", shown)


# --- while it happens


@pytest.mark.parametrize(
    ("event", "line"),
    [
        (Event("x", Post("a"), PostState.PLANNED, "in a minute"), "… x waits: in a minute"),
        (Event("x", Post("a"), PostState.SENDING), "→ x is going out"),
        (Event("x", Post("a"), PostState.SENT, "", "https://x.com/1"), "✓ x sent https://x.com/1"),
        (Event("x", Post("a"), PostState.SENT, "replies closed", "u"), "✓ x sent replies closed u"),
        (Event("x", Post("a"), PostState.SENT, "HTTP 503"), "✓ x is out: HTTP 503"),
        (Event("mail", Post("a", to="ann@example.org"), PostState.SENT), "✓ mail ann@example.org sent"),
        (Event("x", Post("a"), PostState.REFUSED, "no"), "✗ x refused: no"),
        (Event("x", Post("a"), PostState.IN_DOUBT, "lost"), "? x in doubt: lost"),
        (Event("x", Post("a"), PostState.RETRACTED), "↶ x taken back"),
        (Event("x", Post("a"), PostState.DROPPED, "late"), "- x dropped: late"),
        (Event("x", None, PostState.SENDING, "at work"), "→ x: at work"),
    ],
)
def test_progress_reads_as_a_sentence(event: Event, line: str) -> None:
    out = io.StringIO()
    Screen(out, UTC, NOW).progress(event)
    assert out.getvalue().rstrip("\n") == line
