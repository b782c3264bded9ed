"""Every update, resolve and resume sweeps once what was out before it: after its own posts, and at nobody's expense."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest
from night import Done, Night

from outagecast.journal import Lock
from outagecast.sandbox.faults import Fault, FaultKind, lost_answer
from outagecast.sandbox.x import ERRORS as X

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

ALWAYS = 1_000
POST = ("post", "--json", "fiber cut, ETA 1h")
COMMENTS = r"GET /v\d+\.\d+/[0-9_]+/comments"
SEARCH = "GET /2/tweets/search/recent"
HIDE = r"PUT /2/tweets/\d+/hidden"
COMMANDS = [("update", "cable found"), ("resolve",), ("resume",), ("sweep",)]
commands = pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command[0])


@pytest.fixture
def night(tmp_path: Path) -> Iterator[Night]:
    with Night(tmp_path) as night:
        yield night


def comment(night: Night, post: int = 0, text: str = "When?") -> str:
    return night.graph.stranger_comment(night.graph.public()[post]["id"], text)


def get_through(night: Night, text: str = "When?") -> str:
    """A stranger's reply to our first post on X, in a moment when X lets everybody reply."""
    night.x.fails_open = True
    status, body = night.x.stranger_reply(night.x.public()[0]["id"], text)
    night.x.fails_open = False
    assert status == 201
    return str(body["data"]["id"])


def standing(night: Night) -> list[str]:
    """What strangers have said and everybody sees."""
    tweets = [tweet["text"] for tweet in night.x.public() if tweet["author"] != night.x.account.screen_name]
    return tweets + [said["text"] for post in night.graph.public() for said in post["comments"]]


def swept(night: Night) -> list[str]:
    """The posts on the Page whose comments were asked for, in order."""
    return [request.path.split("/")[2] for request in night.graph.log if request.path.endswith("/comments")]


def shown(night: Night, *more: str) -> str:
    (incident,) = {one["incident"]["key"] for one in night.run("status", "--json").json["incidents"]}
    return night.run("show", incident, *more).out


def posts(done: Done, channel: str) -> list[dict[str, Any]]:
    """A channel's posts of all announcements, oldest first."""
    (incident,) = done.json["incidents"]
    return [
        post
        for news in incident["announcements"]
        for one in news["channels"]
        if one["name"] == channel
        for post in one["posts"]
    ]


@commands
def test_what_strangers_said_is_gone_after_it_and_it_says_so(night: Night, command: Sequence[str]) -> None:
    night.run(*POST)
    first = comment(night)
    night.graph.stranger_comment(night.graph.public()[0]["id"], "me too", parent=first)
    get_through(night)
    done = night.run(*command)
    assert (done.code, standing(night)) == (0, [])
    assert "2 comments hidden on facebook" in done.out
    assert "1 reply hidden on twitter" in done.out


@commands
def test_with_nothing_to_hide_it_is_silent_and_asks_the_least(night: Night, command: Sequence[str]) -> None:
    night.run(*POST)
    root, page = night.x.public()[0]["id"], night.graph.public()[0]["id"]
    before = len(night.x.log)
    done = night.run(*command)
    assert (done.code, "hidden" in done.out + done.err) == (0, False)
    asked = [request.path for request in night.x.log[before:] if request.method == "GET"]
    assert (asked.count(f"/2/tweets/{root}"), asked.count("/2/tweets/search/recent")) == (1, 1)
    assert len(asked) == 2 + (command[0] in {"update", "resolve"})
    assert swept(night).count(page) == 2, "after it was published, and now"


def test_a_new_incident_sweeps_nothing(night: Night) -> None:
    night.run(*POST)
    comment(night)
    night.run("post", "--json", "mail is down")
    assert standing(night) == ["When?"]


def test_sweeps_come_after_what_goes_out_and_newest_first(night: Night) -> None:
    night.write_config(night.facebook())
    night.run(*POST)
    night.run("update", "digging")
    night.run("update", "cable found")
    before = len(night.graph.log)
    night.run("resolve")
    old, middle, new, last = [post["id"] for post in night.graph.public()]
    paths = [request.path for request in night.graph.log[before:]]
    assert swept(night)[-4:] == [last, new, middle, old]
    # What is asked about the token is a POST too, to the root.
    writes = [r.method == "POST" and r.path.strip("/").count("/") > 0 for r in night.graph.log[before:]]
    changed = max(number for number, write in enumerate(writes) if write)
    assert changed < next(number for number, path in enumerate(paths) if path.endswith(f"{new}/comments"))


@pytest.mark.parametrize(
    ("hours", "over", "looked_at"),
    [(100, False, True), (23, True, True), (25, True, False)],
    ids=["open for long", "over for 23 h", "over for 25 h"],
)
def test_what_is_young_goes_by_the_incident(night: Night, hours: float, over: bool, looked_at: bool) -> None:
    night.run(*POST)
    if over:
        night.clock.move(100 * 3600)
        night.run("resolve")
    comment(night)
    night.clock.move(hours * 3600)
    night.run("resume")
    assert (standing(night) == []) is looked_at


def test_what_was_taken_back_is_not_looked_at_any_more(night: Night) -> None:
    night.run(*POST)
    night.run("update", "wrong region")
    # It is still there: a person has to see to it.
    night.x.faults.add(*[X["suspended"].fault("DELETE") for _ in range(9)])
    assert night.run("retract", "--last", "--yes").code == 1
    root, before = night.x.public()[0]["id"], len(night.x.log)
    assert len(night.tweets()) == 2
    night.run("sweep")
    asked = [request.path for request in night.x.log[before:] if request.path.removeprefix("/2/tweets/").isdigit()]
    assert asked == [f"/2/tweets/{root}"]
    night.run("settle", "twitter", "--all", "--sent")
    assert night.run("sweep").code == 0, "nor when a person lets it stand"


def test_only_the_channels_that_were_asked_for_are_swept(night: Night) -> None:
    night.run(*POST)
    comment(night)
    get_through(night)
    night.run("update", "cable found", "--to", "twitter")
    assert standing(night) == ["When?"]
    night.run("resume", "--to", "facebook")
    assert standing(night) == []


# -- a platform that is down -----------------------------------------------------------------------------------------------


def down(night: Night, *, skip: int) -> None:
    """Facebook answers no look at comments any more, after `skip` of them."""
    night.graph.faults.add(Fault(COMMENTS, status=503, body="{}", times=ALWAYS, skip=skip))


def test_a_platform_that_is_down_costs_one_look_and_not_the_exit_code(night: Night) -> None:
    night.run(*POST)
    night.run("update", "digging")
    night.run("update", "cable found")
    get_through(night)
    down(night, skip=1)
    asked = len(swept(night))
    done = night.run("update", "--json", "splicing")
    assert (done.code, done.json["outcome"]) == (0, "sent")
    assert len(swept(night)) - asked == 2, "its own verification, and one sweep"
    assert [post["replies"] for post in posts(night.run("status", "--json"), "facebook")] == [
        "moderated",
        "moderated",
        "open",
        "moderated",
    ]
    assert standing(night) == [], "the other channel is swept all the same"
    assert re.search(r"facebook: .*503", done.err)
    assert "outagecast sweep" in done.err


def test_what_was_not_tried_is_not_unfinished_and_the_next_run_puts_it_right(night: Night) -> None:
    night.run(*POST)
    night.run("update", "digging")
    comment(night)
    down(night, skip=1)
    night.run("update", "cable found")
    with night.journal() as journal, journal.reading() as db:
        assert db.execute("SELECT count(*) FROM post WHERE look_due IS NOT NULL").fetchone()[0] == 1
    night.graph.faults.clear()
    night.clock.move(600)
    resumed = night.run("resume", "--json")
    assert (resumed.code, standing(night)) == (0, [])
    assert {post["replies"] for post in posts(resumed, "facebook")} == {"moderated"}
    assert night.run("status", "--check").code == 0


def test_while_it_stays_down_a_person_is_told_in_the_end(night: Night) -> None:
    """Nothing waits for ever: after some looks in vain it is 1 instead of 75, and stays so."""
    night.run("post", "fiber cut")
    down(night, skip=0)
    codes = []
    for _ in range(8):
        night.clock.move(900)
        codes.append(night.run("resume").code)
    assert codes == sorted(codes, reverse=True)
    assert (codes[0], codes[-1]) == (75, 1)
    night.graph.faults.clear()
    assert (night.run("resume").code, night.run("status", "--check").code) == (0, 0)


@pytest.mark.parametrize("how", ["no token", "a broken section"])
def test_a_channel_that_cannot_be_used_is_named_and_the_others_are_swept(night: Night, how: str) -> None:
    night.run(*POST)
    get_through(night)
    if how == "no token":
        del night.env["FACEBOOK_PAGE_ACCESS_TOKEN"]
    else:
        night.write_config(night.twitter() + night.facebook("    api_version: latest") + night.email())
    done = night.run("resume", "--json")
    assert (done.code, standing(night)) == (1, [])
    assert re.search("facebook: .*(FACEBOOK_PAGE_ACCESS_TOKEN|api_version)", " ".join(done.err.split()))
    assert [post["replies"] for post in posts(done, "facebook")] == ["open"]


def test_the_last_fifth_of_the_page_s_calls_is_left_for_announcements(night: Night) -> None:
    night.run(*POST)
    comment(night)
    night.graph.usage = (81, 30)
    assert night.run("update", "--to", "twitter", "digging").code == 0
    done = night.run("sweep", "--json")
    assert (done.code, standing(night)) == (1, ["When?"])
    assert "81 %" in posts(done, "facebook")[0]["detail"]


# -- X ---------------------------------------------------------------------------------------------------------------------


@commands
def test_an_account_that_may_not_search_is_told_once_in_the_history_and_by_no_exit_code(
    night: Night, command: Sequence[str]
) -> None:
    night.run(*POST)
    night.x.faults.add(*[X["client-not-enrolled"].fault(SEARCH) for _ in range(9)])
    done = night.run(*command)
    told = " ".join(done.err.split())
    assert (done.code, told.count("twitter: not all that strangers have replied could be looked for: ")) == (0, 1)
    assert "(HTTP 403" in told
    swept = night.run("sweep", "--json")
    assert "could be looked for" in swept.err
    assert (swept.code, posts(swept, "twitter")[0]["replies"], posts(swept, "twitter")[0]["detail"]) == (
        0,
        "closed",
        None,
    )
    assert shown(night).replace("\n", " ").count("strangers' replies could not all be looked for") == 1


def test_a_search_that_fails_for_a_moment_is_made_again_by_the_same_sweep(night: Night) -> None:
    night.run(*POST)
    get_through(night)
    night.x.faults.add(Fault(SEARCH, status=503, body="{}"))
    assert (night.run("sweep").code, standing(night)) == (0, [])


def test_a_reply_that_x_will_not_hide_needs_a_person_and_the_setting_stays_closed(night: Night) -> None:
    night.run(*POST)
    get_through(night)
    night.x.faults.add(*[X["not-permitted"].fault(HIDE) for _ in range(9)])
    updated = night.run("update", "--json", "cable found")
    assert (updated.code, "1 reply got through" in updated.err) == (0, True)
    swept = night.run("sweep", "--json")
    (root, _) = posts(swept, "twitter")
    assert (swept.code, root["replies"], "1 reply got through" in root["detail"]) == (1, "closed", True)
    said = night.run("sweep").out
    assert f"https://x.com/i/status/{root['ref']}" in said
    assert said.rstrip().endswith("outagecast sweep")


# -- what is written down --------------------------------------------------------------------------------------------------


def test_show_counts_what_was_hidden_and_tells_when(night: Night) -> None:
    night.run(*POST)
    for number in range(3):
        comment(night, text=f"When? {number}")
    get_through(night)
    night.run("sweep")
    night.run("sweep")
    told = json.loads(shown(night, "--json"))
    (news,) = told["announcements"]
    counted = {
        one["name"]: [(post["hidden"], post["deleted"]) for post in one.get("posts", ())] for one in news["channels"]
    }
    assert (counted["facebook"], counted["twitter"]) == ([(3, 0)], [(1, 0)])
    hidden = [entry for entry in told["timeline"] if entry["event"] == "hidden"]
    assert {(entry["channel"], entry["text"], entry.get("times", 1)) for entry in hidden} == {
        ("twitter", "a stranger's reply hidden", 1),
        ("facebook", "a stranger's comment hidden", 3),
    }
    assert "a stranger's comment hidden (3 times" in " ".join(shown(night).split())
    assert "a stranger's comment hidden (3 times" in shown(night, "--markdown")
    assert "3 hidden" in shown(night, "--markdown")
    assert re.search(r"facebook .*comments moderated, 3 hidden", night.run("status").out)


def test_what_is_deleted_is_called_deleted(night: Night) -> None:
    night.write_config(night.facebook("    comments: delete"))
    night.run(*POST)
    comment(night)
    assert "1 comment deleted on facebook" in night.run("sweep").out
    assert "a stranger's comment deleted" in shown(night)


def test_what_was_hidden_before_a_sweep_failed_is_written_down(night: Night) -> None:
    night.run(*POST)
    comment(night, text="first")
    comment(night, text="second")
    night.graph.faults.add(Fault(r"POST /v\d+\.\d+/\d+_\d+$", FaultKind.HTML, skip=1))
    failed = night.run("sweep", "--json")
    assert (failed.code, standing(night)) == (0, []), "the sweep tries again by itself"
    assert json.loads(shown(night, "--json"))["announcements"][0]["channels"][1]["posts"][0]["hidden"] == 2


def test_a_comment_that_the_page_deletes_or_hides_by_hand_is_none_of_our_work(night: Night) -> None:
    night.run(*POST)
    ref = comment(night)
    with night.graph.lock:
        night.graph.page.hide(night.graph.page.comments[ref], hidden=True)
    assert "hidden" not in night.run("sweep").out


def test_a_post_that_is_gone_on_x_is_told_with_its_own_number_to_be_settled(night: Night) -> None:
    night.x.account.can_read = False
    night.x.faults.add(lost_answer("POST /2/tweets$"))
    (post,) = night.run(*POST).channel("twitter")["posts"]
    night.run("settle", str(post["id"]), "--sent", "1590000000000000000")
    night.x.account.can_read = True
    swept = night.run("sweep")
    said = " ".join(swept.out.split())
    assert swept.code == 1
    assert "1590000000000000000 any more: it is gone" in said
    assert f"outagecast settle {post['id']} --drop" in said


def test_what_is_found_to_be_unseen_below_an_old_post_is_not_called_moderated_below_a_new_one(night: Night) -> None:
    """Nothing contradicts an empty list below a post that has just been published; the one before it does."""
    night.write_config(night.facebook())
    night.run(*POST)
    night.graph.stranger_comment(night.graph.public()[0]["id"], "When?")
    night.graph.blind = True
    for words in ("digging", "cable found"):
        done = night.run("update", "--json", words)
        assert (done.code, done.channel("facebook")["replies"]) == (1, "open")
        assert "counts 1 comment and lists none" in done.channel("facebook")["posts"][0]["detail"]
    night.graph.blind = False
    assert night.run("resolve", "--json").channel("facebook")["replies"] == "moderated"
    assert night.run("sweep").code == 0


def test_a_sweep_that_does_not_get_the_journal_has_looked_at_nothing(night: Night) -> None:
    night.run(*POST)
    with Lock(night.journal_path).take("post", wait=0):
        done = night.run("sweep", "--json", "--deadline", "0.2")
    assert (done.code, done.json["exit_code"], done.json["hint"]) == (1, 1, "outagecast sweep")
    assert "no post was looked at" in done.json["error"]


def test_while_the_page_s_calls_run_low_one_post_is_looked_at_and_the_rest_is_left(night: Night) -> None:
    """Nor do the others come to be looked at by every second sweep, because the one before could not say so."""
    night.write_config(night.facebook())
    night.run(*POST)
    for words in ("digging", "cable found", "splicing", "testing", "nearly done"):
        night.run("update", words)
    night.graph.usage = (99, 30)
    calls = []
    for _ in range(4):
        before = len(night.graph.log)
        assert night.run("sweep").code == 1
        calls.append(len(night.graph.log) - before)
        night.clock.move(300)
    assert max(calls) <= 3
