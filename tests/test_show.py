"""What `show` tells of a night is what happened: times, tries, reasons, and nothing made up."""

from __future__ import annotations

import json
import os
import re
import sqlite3
import subprocess
import sys
from contextlib import closing
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from journal_kit import NOW, Hand, letters, news, posts, put
from markdown_it import MarkdownIt
from test_layers import DEAR, FIND
from test_status import Terminal, plain

from outagecast.errors import InDoubt, Refused, TryLater
from outagecast.journal import Journal, Scope
from outagecast.journal.schema import APPLICATION_ID, MIGRATIONS
from outagecast.model import Announcement, Incident, IncidentState, Kind, PostState, Receipt, Replies, Status
from outagecast.sandbox.faults import Fault, lost_answer, never_arrived
from outagecast.sandbox.mail_faults import At, Do, MailFault
from outagecast.screen import Screen
from outagecast.text import terminal as safe
from outagecast.timeline import Chapter, Passage, Share, Timeline, timeline
from outagecast.timeline_events import Entry
from outagecast.timeline_letters import Mailing, Reason, alike
from outagecast.timeline_markdown import escaped, markdown

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from night import Night

AT = "2026-11-22T14:05:00.000Z"
BERLIN = ZoneInfo("Europe/Berlin")
OUT_OF_ORDER = '{"error":{"message":"down | for `now`","code":2,"type":"OAuthException"}}'


def told_of(done: Any, channel: str, seq: int = 0) -> list[dict[str, Any]]:
    """What the timeline has of an announcement on a channel."""
    return [one for one in done.json["timeline"] if (one["channel"], one["announcement"]) == (channel, seq)]


def events(done: Any, channel: str, seq: int = 0) -> list[str]:
    return [one["event"] for one in told_of(done, channel, seq)]


def share(done: Any, channel: str, seq: int = 0) -> dict[str, Any]:
    found: dict[str, Any] = next(one for one in done.json["announcements"][seq]["channels"] if one["name"] == channel)
    return found


# --- a whole night


def test_a_night_with_a_lost_answer_a_retry_and_a_retraction_is_told_as_it_was(night: Night) -> None:
    night.x.faults.add(lost_answer("POST /2/tweets"))
    night.graph.faults.add(Fault("POST /1001/feed", status=400, body='{"error":{"message":"slow","code":4}}'))
    assert night.run("post", "fiber cut", "--deadline", "30").code in {0, 75}
    night.clock.move(400)
    assert night.run("resume").code == 0
    night.clock.move(60)
    night.run("update", "cable found")
    night.clock.move(60)
    night.run("retract", "--last")
    done = night.run("show", "--json")
    assert (done.code, done.json["schema"], done.json["exit_code"]) == (0, "outagecast.show/1", 0)
    assert [one["kind"] for one in done.json["announcements"]] == ["opened", "update", "correction"]

    assert events(done, "twitter")[:3] == ["in-doubt", "sent", "replies closed"]
    doubt, found = told_of(done, "twitter")[:2]
    assert doubt["try"] == 1
    assert "reset" in doubt["detail"]
    assert found["text"] == "found, it is out"
    (tweet,) = share(done, "twitter")["posts"]
    assert (tweet["state"], tweet["known_by"], tweet["attempts"]) == ("sent", "look", 1)
    assert doubt["at"] < tweet["out_at"] <= found["at"]

    assert events(done, "facebook")[:1] == ["later"]
    first, *_ = told_of(done, "facebook")
    assert (first["try"], first["text"]) == (1, "not out, to be tried again")
    assert "slow" in first["detail"]
    (page,) = share(done, "facebook")["posts"]
    assert (page["state"], page["known_by"], page["attempts"]) == ("sent", "answer", 2)
    second = next(one for one in told_of(done, "facebook") if one["event"] == "sent")
    assert second["try"] == 2
    assert first["at"] < page["out_at"] <= second["at"]
    announced = done.json["announcements"][0]["at"]
    assert page["seconds"] == pytest.approx(_seconds(announced, page["out_at"]), abs=0.001)
    assert _seconds(first["at"], second["at"]) > 1.5

    assert events(done, "twitter", 1)[-2:] == ["withdrawn", "retracted"]
    (gone,) = share(done, "twitter", 1)["posts"]
    assert gone["state"] == "retracted"
    assert gone["taken_back_at"] == told_of(done, "twitter", 1)[-1]["at"]
    assert gone["out_at"] < gone["taken_back_at"]
    assert share(done, "email", 1)["letters"]["counts"]["sent"] == 2
    times = [one["at"] for one in done.json["timeline"]]
    assert times == sorted(times)


def _seconds(start: str, end: str) -> float:
    return (datetime.fromisoformat(end) - datetime.fromisoformat(start)).total_seconds()


def test_the_screen_and_the_markdown_tell_the_same_night(night: Night) -> None:
    night.x.faults.add(lost_answer("POST /2/tweets"))
    night.run("post", "fiber cut", "--status", "investigating", "--deadline", "20")
    night.clock.move(60)
    night.run("update", "cable found")
    night.run("retract", "--last")
    shown, document = night.run("show").out, night.run("show", "--markdown").out
    for text in (shown, document):
        assert "try 1, 0." in text
        assert "found, it is out" in text
        assert "its answer was lost, it was found by looking" in text
        assert re.search(r"≤ \d", text)
        assert "update 1: taken back" in text
        assert re.search(r"taken back 15:06:\d\d CET \(14:06:\d\d UTC\)", text)
        assert f"https://x.com/i/status/{night.x.public()[0]['id']}" in text
    assert "  opened        twitter" in shown
    assert "| opened | twitter |" in document
    assert document.startswith("# fiber cut\n\n- Incident: inc-20261122-1405\n- Opened: 22 Nov 2026, 15:05:00 CET")
    assert "\x1b" not in document


def test_an_attempt_that_was_killed_is_told_with_how_it_ended(night: Night) -> None:
    night.x.faults.add(never_arrived("POST /2/tweets"))
    night.run("post", "fiber cut", "--deadline", "3")
    night.clock.move(120)
    night.run("resume")
    done = night.run("show", "--json")
    assert [one for one in events(done, "twitter") if one != "looked"][:3] == ["in-doubt", "again", "sent"]
    again = next(one for one in told_of(done, "twitter") if one["event"] == "again")
    assert "not out" in again["detail"]
    (tweet,) = share(done, "twitter")["posts"]
    assert (tweet["attempts"], tweet["known_by"]) == (2, "answer")


def test_what_a_person_settled_is_told_as_theirs(night: Night) -> None:
    night.write_config(night.twitter())
    night.x.faults.add(Fault("POST /2/tweets", status=401, body='{"title":"Unauthorized","status":401}'))
    said = night.run("post", "fiber cut", "--json")
    night.clock.move(90)
    night.run("settle", str(said.channel("twitter")["posts"][0]["id"]), "--sent")
    done = night.run("show", "--json")
    assert events(done, "twitter") == ["refused", "settled"]
    (tweet,) = share(done, "twitter")["posts"]
    assert (tweet["state"], tweet["known_by"]) == ("sent", "person")
    assert "a person has seen it" in night.run("show").out


def test_letters_are_summed_up_with_their_reasons_and_without_their_addresses(night: Night) -> None:
    night.to = [f"reader{number}@example.org" for number in range(6)]
    night.write_config(night.email())
    night.mailbox.faults.add(MailFault(At.RCPT, reply="550 5.1.1 no such user", times=2))
    night.mailbox.faults.add(MailFault(At.RCPT, reply="450 4.2.0 greylisted", times=1))
    night.run("post", "fiber cut", "--deadline", "1")
    night.clock.move(120)
    night.run("resume")
    done = night.run("show", "--json")
    sums = share(done, "email")["letters"]
    assert (sums["counts"]["sent"], sums["counts"]["refused"]) == (4, 2)
    assert sum(one["letters"] for one in sums["refused"]) == 2
    assert all("5.1.1" in one["detail"] for one in sums["refused"])
    assert _seconds(sums["first_at"], sums["last_at"]) > 0
    later = next(one for one in told_of(done, "email") if one["event"] == "later")
    assert (later["letters"], "greylisted" in later["detail"]) == (1, True)
    assert "reader" not in done.out + night.run("show").out + night.run("show", "--markdown").out
    assert "4 of 6 letters out" in night.run("show").out


def test_reasons_that_differ_in_a_number_of_the_relay_s_own_are_one() -> None:
    assert alike("550 5.1.1 <…> unknown, 4Rz1xYabc and 00000123 (HTTP 503)") == alike(
        "550 5.1.1 <…> unknown, 7QqLp0zzz and 00000999 (HTTP 503)"
    )
    assert alike("450 4.2.0 greylisted for 300 s") == "450 4.2.0 greylisted for 300 s"
    assert alike("mx1.example.net said 550 5.7.1") == "mx1.example.net said 550 5.7.1"


def test_letters_in_doubt_are_told(night: Night) -> None:
    night.to = ["ann@example.org"]
    night.write_config(night.email())
    night.mailbox.faults.add(MailFault(At.STORED, Do.DROP, times=9))
    night.run("post", "fiber cut", "--deadline", "1")
    assert "1 letter in doubt: " in night.run("show").out


# --- how history becomes words


@pytest.fixture
def hand() -> Hand:
    return Hand()


@pytest.fixture
def journal(tmp_path: Path, hand: Hand) -> Iterator[Journal]:
    with Journal(tmp_path / "journal.db", hand.now) as one:
        yield one


def story(journal: Journal) -> Timeline:
    return timeline(journal, journal.incidents()[0])


def texts(journal: Journal) -> list[str]:
    return [entry.text for entry in story(journal).entries if entry.channel]


RECEIPT = Receipt("1", "https://feed.example/1", Replies.CLOSED)


def test_each_try_is_told_with_how_long_it_took(journal: Journal, hand: Hand) -> None:
    journal.plan(news(), [posts("fiber cut")])
    journal.begin(1, None)
    hand.move(seconds=2.5)
    journal.later(1, TryLater("HTTP 503"), hand.at)
    hand.move(seconds=10)
    journal.begin(1, None)
    hand.move(seconds=95)
    journal.sent(1, RECEIPT, look_due=None)
    assert texts(journal) == ["try 1, 2.5 s: not out, to be tried again: HTTP 503", "try 2, 95 s: out"]
    (row,) = story(journal).chapters[0].shares[0].posts
    assert (row.tries, row.known_by, row.out_at) == (2, "answer", NOW + timedelta(seconds=107.5))


def test_one_under_way_is_told_as_being_sent(journal: Journal) -> None:
    journal.plan(news(), [posts("fiber cut")])
    journal.begin(1, None)
    assert texts(journal) == ["try 1: being sent"]


def test_what_happens_again_and_again_is_told_once_with_how_often(journal: Journal, hand: Hand) -> None:
    journal.plan(news(), [posts("fiber cut")])
    journal.begin(1, None)
    journal.sent(1, RECEIPT, look_due=None)
    for _ in range(1440):
        hand.move(minutes=1)
        journal.replies(1, Replies.MODERATED, due=None)
    hand.move(minutes=1)
    journal.replies(1, Replies.OPEN, due=None, why="nobody may read them")
    *_, moderated, last = story(journal).entries
    assert (moderated.times, moderated.until) == (1440, NOW + timedelta(minutes=1440))
    assert (moderated.text, last.text) == ("comments moderated", "replies OPEN: nobody may read them")
    assert "comments moderated (1440 times, until 23 Nov 2026, 15:05:00 CET" in markdown(story(journal), BERLIN)


def test_tries_that_end_alike_are_told_by_their_numbers(journal: Journal, hand: Hand) -> None:
    journal.plan(news(), [posts("fiber cut")])
    for _ in range(3):
        journal.begin(1, None)
        journal.later(1, TryLater("HTTP 503"), hand.at)
    assert texts(journal) == ["tries 1 to 3: not out, to be tried again: HTTP 503"]


def test_an_event_is_told_by_what_was_known_before_it(journal: Journal, hand: Hand) -> None:
    journal.plan(news(), [posts("fiber cut")])
    everything = Scope()
    journal.begin(1, None)
    journal.refused(1, Refused("the keys", mendable=True))
    journal.reconsider(everything)
    journal.begin(1, None)
    journal.remember(1, {"draft": "7"})
    journal.doubt(1, "reset", due=None)
    journal.refuse_channel(everything, Refused("a variable is missing"))
    journal.reconsider(everything)
    journal.looked(1, "not there yet", due=hand.at, person=False)
    journal.sent(1, RECEIPT, look_due=hand.at)
    journal.refuse_channel(everything, Refused("a variable is missing"))
    assert [re.sub(r", 0\.0 s", "", text) for text in texts(journal)] == [
        "try 1: refused: the keys",
        "to be tried once more",
        "a step of it is done: draft 7",
        "try 2: no clear answer: reset",
        "not looked for: it may be out, and nobody can be asked: a variable is missing",
        "to be looked for once more",
        "looked for: not there yet",
        "found, it is out",
        "replies could not be looked at: a variable is missing",
    ]
    (row,) = story(journal).chapters[0].shares[0].posts
    assert (row.known_by, row.state) == ("look", PostState.SENT)


def test_what_follows_a_post_is_told(journal: Journal, hand: Hand) -> None:
    journal.plan(news(), [posts("fiber cut")])
    journal.begin(1, None)
    journal.sent(1, RECEIPT, look_due=None)
    journal.amend_later(1, TryLater("HTTP 503"), hand.at)
    journal.amended(1, "fiber cut, mended", None)
    journal.withdraw([1], ["feed"], deletable=["feed"], correction=None)
    journal.retract_refused(1, Refused("HTTP 403"))
    journal.settled_stuck(1, PostState.DROPPED, "settled by a person: taken back by hand")
    told = story(journal)
    assert texts(journal)[1:] == [
        "the latest news is to be added to it: HTTP 503",
        "shows the latest news",
        "to be taken back",
        "it could not be taken back: HTTP 403",
        "settled by a person: taken back by hand",
    ]
    (row,) = told.chapters[0].shares[0].posts
    assert (row.state, row.until, row.text) == (PostState.RETRACTED, NOW, "fiber cut, mended")
    assert told.taken_back_at == NOW


def test_an_event_that_nobody_knows_is_told_by_its_name(journal: Journal) -> None:
    journal.plan(news(), [posts("fiber cut")])
    with journal.writing():
        journal.note(1, "teleported", None)
    assert texts(journal) == ["teleported"]


def test_what_never_went_out_has_no_time_at_which_it_did(journal: Journal, hand: Hand) -> None:
    journal.plan(news(), [posts("fiber cut")])
    hand.move(hours=7)
    journal.expire(Scope(), hand.at - timedelta(hours=6))
    (row,) = story(journal).chapters[0].shares[0].posts
    assert (row.out_at, row.known_by) == (None, "")
    assert "| opened | feed |  |  | 0 | never went out: expired" in markdown(story(journal), UTC)


def test_a_channel_that_comes_later_is_told_as_that(journal: Journal, hand: Hand) -> None:
    journal.plan(news(), [posts("fiber cut")])
    hand.move(minutes=5)
    journal.add(journal.announcement(1), [posts("fiber cut", name="other")])
    assert texts(journal) == ["is to go out here as well"]


def test_a_thousand_letters_have_a_rate_and_ten_reasons(journal: Journal, hand: Hand) -> None:
    readers = [f"r{number}@example.org" for number in range(1000)]
    journal.plan(news(), [letters(*readers)])
    for number in range(1, 1001):
        hand.move(seconds=0.12)
        journal.begin_letter(number)
        if number % 10:
            journal.sent(number, Receipt("m"), look_due=None, letter=True)
        else:
            why = f"550 <{readers[number - 1]}> unknown, ticket {number:06}, {'abcdefghijkl'[max(0, number // 50 - 9)]}"
            journal.refused(number, Refused(why, recipient=True), letter=True)
    (part,) = story(journal).chapters[0].shares
    sums = part.mailing
    assert sums is not None
    assert (sums.sent, sums.counts[PostState.REFUSED]) == (900, 100)
    assert sums.per_minute == pytest.approx(900 / (119.76 / 60), rel=0.01)
    assert sums.refused[0] == Reason("550 <…> unknown, ticket …, a", 49)
    assert len(sums.refused) == 11
    assert sums.refused[-1] == Reason("for other reasons", 6)
    told = [entry for entry in story(journal).entries if entry.channel]
    assert len(told) == 12
    assert max(entry.letters for entry in told if entry.event == "refused") == 49


# --- Markdown


ANY = st.text(max_size=40) | st.text(alphabet="|`*_<>[]()#+-=~\\!&;$@:. \n\r\x0b\x85\u2028ab1", max_size=30)
PARSER = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])


def as_read(text: str) -> str:
    """What a reader of foreign words in one line sees."""
    return safe(" ".join(text.split()))


def invented(text: str) -> Timeline:
    """A story in which everything that can be foreign says `text`."""
    incident = Incident(text, text, IncidentState.OPEN, NOW)
    said = Announcement(incident, 0, Kind.OPENED, text, text, NOW, status=Status.IDENTIFIED)
    post = Passage(1, 1, 2, text, PostState.REFUSED, 3, text, text, None, NOW, "look", None, text)
    out = Passage(2, 2, 2, text, PostState.SENT, 3, text, text, Replies.CLOSED, NOW, "answer", None, text)
    counts = dict.fromkeys(PostState, 0) | {PostState.SENT: 2}
    sums = Mailing(text, counts, NOW, NOW, [Reason(text, 3)])
    shares = [Share(text, text, [post, out]), Share(text, text, mailing=sums)]
    entries = [
        Entry(NOW, "opened", "opened on", 0, detail=text),
        Entry(NOW, text, "", 0, channel=text, detail=text),
        Entry(NOW, "later", "not out", 0, channel="x", detail=text, trial=2, took=timedelta(seconds=1)),
    ]
    return Timeline(incident, [Chapter(said, None, shares)], entries)


@given(ANY)
@example("a | b")
@example("\\|")
@example("`|`")
@example("<script>")
@example("[x](javascript:alert(1))")
@example("# head #")
@example("1. one")
@example("- \n- ")
@example("~~~\ncode")
@example("&lt;")
@example("https://x.com/i/status/1?a=1&b=2")
@example("https://x.com/) | [evil](https://evil.example)")
def test_no_foreign_word_breaks_the_document(text: str) -> None:
    document = markdown(invented(text), UTC)
    tokens = PARSER.parse(document)
    kinds = [token.type for token in tokens]
    assert kinds.count("table_open") == 1
    assert kinds.count("tr_open") == 4
    assert kinds.count("td_open") == 18
    assert kinds.count("heading_open") == 4
    assert kinds.count("list_item_open") == 3 + 3
    assert kinds.count("blockquote_open") == 1
    assert {"html_block", "fence", "code_block", "hr", "ordered_list_open"}.isdisjoint(kinds)
    inside = [child.type for token in tokens for child in token.children or ()]
    assert {"html_inline", "code_inline", "image", "em_open", "s_open"}.isdisjoint(inside)
    # One link at most: that of the post that is out, if it has an address to link to.
    assert inside.count("link_open") == (re.fullmatch(r"https?://[^\s|()<>\\\[\]`{}'\"^]+", text, re.ASCII) is not None)


@given(ANY)
@example("snake_case and _edge_")
@example("0.1 s")
def test_foreign_words_read_as_they_were_written(text: str) -> None:
    (row,) = [line for line in PARSER.parse(f"| a |\n| --- |\n| x {escaped(text)} |\n") if line.type == "inline"][1:]
    assert "".join(child.content for child in row.children or ()) == f"x {as_read(text)}".rstrip()


def test_plain_words_stay_readable_in_the_source() -> None:
    plainly = "HTTP 503 (code 2): max_tweets, 0.1 s; 450 4.2.0 greylisted. Really!"
    assert escaped(plainly) == plainly


# --- the command


def test_without_a_key_the_only_open_one_is_meant_else_the_latest(night: Night) -> None:
    night.write_config(night.facebook())
    night.run("post", "the open one", "--incident", "A")
    night.clock.move(3600)
    night.run("post", "the latest", "--incident", "B")
    assert night.run("show", "--json").json["incident"]["key"] == "B"
    night.run("resolve", "--incident", "B")
    assert night.run("show", "--json").json["incident"]["key"] == "A"
    night.run("resolve", "--incident", "A")
    assert night.run("show", "--json").json["incident"]["key"] == "B"
    assert night.run("show", "A", "--json").json["incident"]["key"] == "A"


def test_an_unknown_incident_is_2_and_the_known_ones_are_named(night: Night) -> None:
    night.run("post", "fiber cut", "--incident", "A")
    done = night.run("show", "nope")
    assert (done.code, done.out) == (2, "")
    assert "there is no incident nope" in done.err
    assert "known: A" in done.err


@pytest.mark.parametrize("more", [(), ("A",), ("--json",)])
def test_with_no_journal_it_is_2(night: Night, more: tuple[str, ...]) -> None:
    done = night.run("show", *more)
    assert done.code == 2
    assert not night.journal_path.exists()


def test_with_an_empty_journal_it_is_2(night: Night) -> None:
    night.journal().close()
    assert night.run("show").code == 2


def test_markdown_and_json_at_once_is_2(night: Night) -> None:
    night.run("post", "fiber cut")
    assert night.run("show", "--markdown", "--json").code == 2


def test_it_needs_no_config_and_no_network_and_writes_nothing(night: Night) -> None:
    night.run("post", "fiber cut")
    asked = (len(night.x.log), len(night.graph.log))
    night.config.unlink()
    before = sha256(night.journal_path.read_bytes()).digest()
    done = night.run("show", env={"OUTAGECAST_JOURNAL": str(night.journal_path)})
    assert (done.code, "opened 22 Nov 2026, 14:05:00 UTC" in done.out) == (0, True)
    assert sha256(night.journal_path.read_bytes()).digest() == before
    assert (len(night.x.log), len(night.graph.log)) == asked


def test_a_journal_of_an_older_version_stays_as_it_is(night: Night) -> None:
    night.journal_path.parent.mkdir()
    with closing(sqlite3.connect(night.journal_path, isolation_level=None)) as db:
        for migration in MIGRATIONS[:-1]:
            migration(db)
        db.execute(f"PRAGMA user_version = {len(MIGRATIONS) - 1}")
        db.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        db.execute("INSERT INTO incident (key, title, state, opened_at) VALUES ('A', 'fiber cut', 'open', ?)", (AT,))
    before = sha256(night.journal_path.read_bytes()).digest()
    done = night.run("show")
    assert (done.code, "fiber cut  ·  A" in done.out) == (0, True), done.err
    assert sha256(night.journal_path.read_bytes()).digest() == before


def test_it_pays_for_no_sdk_and_no_template_engine(night: Night) -> None:
    night.run("post", "fiber cut")
    for more in ([], ["--markdown"]):
        done = subprocess.run(
            [sys.executable, "-c", FIND, "show", *more, "--config", str(night.config)],
            env={**os.environ, **night.env},
            capture_output=True,
            text=True,
            check=True,
        )
        assert not set(done.stderr.splitlines()[-1].split()) & (set(DEAR) - {"outagecast.channels"})


def test_what_a_platform_says_cannot_write_on_the_terminal_nor_in_the_document(night: Night) -> None:
    evil = '{"title":"Unauthorized","status":401,"detail":"\\u001b[2J owned \\u202e"}'
    night.x.faults.add(Fault("POST /2/tweets", status=401, body=evil))
    night.run("post", "fiber cut")
    for form in ((), ("--markdown",)):
        shown = night.run("show", *form).out
        assert "owned" in shown
        assert not re.search("\x1b|\u202e", shown)


@pytest.mark.parametrize("columns", [40, 80, 140])
def test_words_are_broken_at_blanks_and_links_stay_whole(
    night: Night, monkeypatch: pytest.MonkeyPatch, columns: int
) -> None:
    night.x.faults.add(Fault("POST /2/tweets", status=401, body='{"title":"Unauthorized","status":401}'))
    night.run("post", "fiber cut between Frankfurt and Berlin, all customers in the north are dark; we work on it")
    monkeypatch.setenv("COLUMNS", str(columns))
    monkeypatch.delenv("NO_COLOR", raising=False)
    on = Terminal()
    with night.journal() as one:
        Screen(on, BERLIN, night.clock.now()).timeline(story(one))
    lines = plain(on.shown).splitlines()
    assert night.graph.public()[0]["url"] in "\n".join(lines)
    assert "X does not accept the keys" in re.sub(r"\s+", " ", " ".join(lines))
    words = [line for line in lines if re.match(r" {6,}\S", line) and "http" not in line]
    assert len(words) > 2
    assert [line for line in words if len(line) > columns] == []
    if columns == 140:
        assert [line for line in lines if "refused: X does not" in line and "twitter" in line]


def test_a_json_of_letters_in_doubt_holds_every_state(journal: Journal) -> None:
    journal.plan(news(), [letters("ann@example.org"), posts("fiber cut")])
    journal.begin(2, None)
    journal.doubt(2, InDoubt("reset").text, due=None)
    put(journal, 1, state="in-doubt")
    shown = json.loads(json.dumps(story(journal).as_json()))
    mail, feed = shown["announcements"][0]["channels"]
    assert set(mail["letters"]["counts"]) == set(PostState) - {"retracted"}
    assert mail["letters"]["counts"]["in-doubt"] == 1
    assert feed["posts"][0]["state"] == "in-doubt"
    assert feed["posts"][0]["detail"] == "reset"
