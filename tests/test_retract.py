"""Taking back: newest first and the root last, a correction for those who have a letter, and never a word twice."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from outagecast.sandbox.faults import Fault, FaultKind, lost_answer, never_arrived
from outagecast.sandbox.graph import ERRORS as GRAPH_ERRORS
from outagecast.sandbox.mail_faults import At, MailFault
from outagecast.sandbox.x import ERRORS, ReplyRule

if TYPE_CHECKING:
    from night import Night


def incident(night: Night) -> None:
    """Three announcements, out everywhere."""
    for command in (("post", "fiber cut"), ("update", "cable found"), ("update", "splicing")):
        done = night.run(*command)
        assert done.code == 0, done.err
        night.clock.move(60)


def deleted(night: Night) -> list[str]:
    """What X was asked to delete, in order."""
    return [request.path.rpartition("/")[2] for request in night.x.log if request.method == "DELETE"]


def ids(night: Night) -> list[str]:
    return [tweet["id"] for tweet in night.x.public() if tweet["author"] == night.x.account.screen_name]


def states(night: Night, channel: str) -> list[list[str]]:
    """The states of a channel's posts, an announcement each."""
    (report,) = night.run("status", "--json").json["incidents"]
    return [
        [post["state"] for post in one["posts"]]
        for news in report["announcements"]
        for one in news["channels"]
        if one["name"] == channel
    ]


def corrections(night: Night) -> list[dict[str, Any]]:
    return [letter for letter in night.mailbox.public() if "disregard" in letter["text"]]


def test_everything_goes_newest_first_and_the_root_last(night: Night):
    incident(night)
    root, first, second = ids(night)
    done = night.run("retract", "--json")
    assert done.code == 0, done.err
    assert deleted(night) == [second, first, root]
    assert (night.tweets(), night.pages()) == ([], [])
    assert states(night, "twitter") == states(night, "facebook") == [["retracted"]] * 3


def test_it_stays_on_record_and_is_over(night: Night):
    incident(night)
    done = night.run("retract", "--json")
    (report,) = done.json["incidents"]
    assert (done.json["schema"], report["incident"]["state"]) == ("outagecast.status/1", "resolved")
    assert [news["announcement"]["text"] for news in report["announcements"][:3]] == [
        "fiber cut",
        "cable found",
        "splicing",
    ]
    assert all(
        post["detail"] for news in report["announcements"] for channel in news["channels"] for post in channel["posts"]
    )
    assert night.run("update", "more").code == 2


def test_whoever_has_a_letter_gets_one_correction_in_its_thread(night: Night):
    incident(night)
    night.run("retract", "sent to the wrong region")
    said = corrections(night)
    assert sorted(letter["to"] for letter in said) == sorted(night.to)
    assert all("sent to the wrong region" in letter["text"] for letter in said)
    letters = [letter.message for letter in night.mailbox.letters]
    assert letters[-1]["References"].split()[0] == letters[0]["References"].split()[0]
    assert letters[-1]["Subject"] == letters[0]["Subject"]


def test_who_never_got_it_is_not_told_to_disregard_it(night: Night):
    night.run("subscribers", "add", "cy@example.org")
    night.mailbox.faults.add(MailFault(At.RCPT, reply="450 4.2.0 greylisted", to="bo@example.com"))
    assert night.run("post", "fiber cut", "--deadline", "3").code == 75
    night.run("subscribers", "remove", "cy@example.org")
    assert night.run("retract").code == 0
    assert [letter["to"] for letter in corrections(night)] == ["ann@example.org"]
    night.clock.move(3600)
    assert night.run("resume").code == 0
    assert "bo@example.com" not in night.mails()


def test_the_last_one_only_and_again_takes_back_no_more(night: Night):
    incident(night)
    *rest, last = ids(night)
    for _ in range(2):
        assert night.run("retract", "--last").code == 0
    assert (deleted(night), ids(night)) == ([last], rest)
    assert len(night.pages()) == 2
    assert sorted(letter["to"] for letter in corrections(night)) == sorted(night.to)
    assert "“splicing”" in corrections(night)[0]["text"]


def test_the_next_update_hangs_under_what_is_left(night: Night):
    incident(night)
    night.x.faults.add(ERRORS["rate-limited"].fault("DELETE /2/tweets"))
    _, first, _ = ids(night)
    assert night.run("retract", "--last", "--deadline", "2").code == 75
    assert night.run("update", "splicing goes on").code == 0
    mine = {tweet["text"].partition("] ")[2]: tweet["in_reply_to"] for tweet in night.x.public()}
    assert mine["splicing goes on"] == first
    night.clock.move(3600)
    assert night.run("resume").code == 0
    assert "splicing" not in {text.partition("] ")[2] for text in night.tweets()}


def test_a_resolution_taken_back_opens_the_incident_again(night: Night):
    night.run("post", "fiber cut, ETA 1h")
    night.run("resolve")
    assert night.run("retract", "--last").code == 0
    report = night.run("status", "--json").json["incidents"][0]["incident"]
    assert (report["state"], report["resolved_at"]) == ("open", None)
    assert report["eta"].startswith("2026-11-22T15:05")
    assert night.run("update", "not over yet").code == 0


def test_an_eta_goes_with_the_update_that_brought_it(night: Night):
    night.run("post", "fiber cut, ETA 1h")
    night.run("update", "slower, ETA 3h")
    night.run("retract", "--last")
    report = night.run("status", "--json").json["incidents"][0]["incident"]
    assert report["eta"].startswith("2026-11-22T15:05")


def test_what_is_gone_already_counts_as_taken_back(night: Night):
    incident(night)
    for ref in ids(night):
        night.x.tweets.delete(ref)
    for ref in list(night.graph.page.posts):
        night.graph.page.delete(ref)
    assert night.run("retract").code == 0
    assert states(night, "twitter") == states(night, "facebook") == [["retracted"]] * 3


@pytest.mark.parametrize("fault", [lost_answer, never_arrived])
def test_an_answer_that_is_lost_is_asked_for_again(night: Night, fault: Any):
    incident(night)
    night.x.faults.add(fault("DELETE /2/tweets"))
    night.graph.faults.add(fault("DELETE /"))
    assert night.run("retract").code == 0
    assert (night.tweets(), night.pages()) == ([], [])


def test_where_a_leaf_cannot_be_deleted_the_root_stays_and_keeps_replies_closed(night: Night):
    incident(night)
    root, first, second = ids(night)
    night.x.faults.add(Fault(f"DELETE /2/tweets/{second}", status=403, body=ERRORS["suspended"].body, times=50))
    done = night.run("retract", "--json")
    assert done.code == 1
    assert ids(night) == [root, first, second]
    assert night.x.stranger_reply(first, "when?")[0] == 403
    assert night.pages() == []
    (post,) = [
        post
        for news in done.json["incidents"][0]["announcements"]
        for channel in news["channels"]
        for post in channel["posts"]
        if post.get("ref") == second
    ]
    assert post["state"] == "sent"
    assert "could not be taken back" in post["detail"]
    assert re.search(rf"outagecast settle {post['id']} --drop", night.run("status").out)
    # A person deletes it in a browser and says so; the rest follows.
    night.x.tweets.delete(second)
    assert night.run("settle", str(post["id"]), "--drop").code == 75
    assert night.run("resume").code == 0
    assert ids(night) == []
    assert deleted(night)[-2:] == [first, root]


def test_a_person_may_let_it_stand_or_have_it_tried_again(night: Night):
    night.run("post", "fiber cut")
    night.x.faults.add(Fault("DELETE /2/tweets", status=403, body=ERRORS["suspended"].body))
    assert night.run("retract").code == 1
    post = next(
        post["id"]
        for post in night.run("status", "--json").json["incidents"][0]["announcements"][0]["channels"][0]["posts"]
    )
    assert night.run("settle", str(post), "--sent").code == 0
    assert len(night.tweets()) == 1
    assert night.run("resume").code == 0
    assert len(night.tweets()) == 1


def test_a_broken_key_is_a_persons_and_once_mended_resume_takes_it_back(night: Night):
    incident(night)
    night.graph.page_token_trouble = None
    token = night.env.pop("FACEBOOK_PAGE_ACCESS_TOKEN")
    assert night.run("retract").code == 1
    assert night.tweets() == []
    assert len(night.pages()) == 3
    night.env["FACEBOOK_PAGE_ACCESS_TOKEN"] = token
    assert night.run("resume").code == 0
    assert night.pages() == []


def test_one_channel_that_is_down_does_not_hold_the_others(night: Night):
    incident(night)
    night.graph.faults.add(*(GRAPH_ERRORS["page-calls"].fault("DELETE /") for _ in range(9)))
    done = night.run("retract", "--deadline", "3")
    assert done.code == 75
    assert night.tweets() == []
    assert len(corrections(night)) == len(night.to)
    night.graph.faults.clear()
    night.clock.move(3600)
    assert night.run("resume").code == 0
    assert night.pages() == []


def test_what_was_not_out_yet_never_goes_out(night: Night):
    night.x.faults.add(ERRORS["rate-limited"].fault("POST /2/tweets"))
    assert night.run("post", "fiber cut", "--deadline", "3").code == 75
    assert night.run("retract").code == 0
    night.clock.move(3600)
    assert night.run("resume").code == 0
    assert night.tweets() == []
    assert states(night, "twitter") == [["dropped"]]


def test_what_is_in_doubt_is_looked_up_and_then_taken_back(night: Night):
    night.x.faults.add(lost_answer("POST /2/tweets"))
    night.x.faults.add(Fault("GET /2/users", FaultKind.RESET, times=3))
    assert night.run("post", "fiber cut", "--deadline", "3").code == 75
    assert len(night.tweets()) == 1
    assert night.run("retract", "--deadline", "30").code == 0
    assert night.tweets() == []
    assert states(night, "twitter") == [["retracted"]]


def test_what_is_in_doubt_and_never_was_out_is_dropped(night: Night):
    night.x.faults.add(never_arrived("POST /2/tweets"))
    assert night.run("post", "fiber cut", "--deadline", "3").code == 75
    night.clock.move(90)
    assert night.run("retract").code == 0
    assert states(night, "twitter") == [["dropped"]]
    assert deleted(night) == []


def test_only_on_the_channels_that_are_named(night: Night):
    incident(night)
    done = night.run("retract", "--to", "twitter", "--json")
    assert done.code == 0
    assert done.json["incidents"][0]["incident"]["state"] == "open"
    assert (night.tweets(), len(night.pages()), corrections(night)) == ([], 3, [])
    assert night.run("retract").code == 0
    assert night.pages() == []


def test_a_chain_of_roots_goes_newest_first_too(night: Night):
    night.x.reply_rule = ReplyRule.SELF_REFUSED
    incident(night)
    order = ids(night)
    assert night.run("retract").code == 0
    assert deleted(night) == order[::-1]


def test_the_same_words_just_taken_back_are_announced_anew_only_on_purpose(night: Night):
    night.run("post", "fiber cut")
    night.run("retract")
    done = night.run("post", "fiber cut", "--json")
    assert done.code == 2
    assert "--again" in done.json["hint"]
    assert night.tweets() == []
    assert night.run("post", "fiber cut", "--again").code == 0
    assert len(night.tweets()) == 1


def test_an_update_taken_back_a_while_ago_may_be_said_again(night: Night):
    night.run("post", "fiber cut")
    night.run("resolve")
    night.run("retract", "--last")
    assert night.run("resolve").code == 2
    assert night.run("resolve", "--again").code == 0
    night.run("retract", "--last")
    night.clock.move(3600)
    assert night.run("resolve").code == 0


def test_which_one_is_meant(night: Night):
    assert night.run("retract", "--json").code == 2
    night.run("post", "--incident", "A", "fiber cut")
    night.run("post", "--incident", "B", "mail is down")
    done = night.run("retract", "--json")
    assert done.code == 2
    assert "fiber cut" in done.json["error"]
    assert "mail is down" in done.json["error"]
    assert done.json["hint"] == "type the same again with --incident B   or: --incident A"
    assert night.run("retract", "--incident", "A").code == 0
    assert night.run("retract", "--incident", "C", "--json").code == 2


def test_a_resolved_one_is_meant_for_a_while_and_by_its_key_for_ever(night: Night):
    night.run("post", "--incident", "A", "fiber cut")
    night.run("resolve")
    night.clock.move(86400)
    done = night.run("retract", "--json")
    assert done.code == 2
    assert done.json["hint"].startswith("outagecast retract --incident A")
    assert night.run("retract", "--incident", "A").code == 0
    assert night.tweets() == []


def test_a_correction_promises_nothing_and_mentions_nobody(night: Night):
    night.run("post", "fiber cut says @carrier, ETA 1h", "--defuse-mentions", "--to", "email")
    night.clock.move(600)
    night.run("retract")
    (said, *_) = corrections(night)
    assert "(“fiber cut says @\u200bcarrier”)" in said["text"].replace("\n", " ")
    assert "ETA:" not in said["text"]


def test_a_correction_that_cannot_be_sent_yet_is_finished_by_resume(night: Night):
    night.run("post", "fiber cut")
    night.mailbox.faults.add(*(MailFault(At.RCPT, reply="450 4.2.0 later", to=to) for to in night.to))
    assert night.run("retract", "--deadline", "3").code == 75
    night.clock.move(3600)
    assert night.run("resume").code == 0
    assert sorted(letter["to"] for letter in corrections(night)) == sorted(night.to)


def test_a_correction_is_not_overtaken_by_the_next_update(night: Night):
    night.run("post", "fiber cut")
    night.run("update", "cable found")
    night.mailbox.faults.add(*(MailFault(At.RCPT, reply="450 4.2.0 later", to=to) for to in night.to))
    assert night.run("retract", "--last", "--deadline", "3").code == 75
    night.clock.move(3600)
    assert night.run("update", "still looking").code == 0
    assert night.run("resume").code == 0
    assert sorted(letter["to"] for letter in corrections(night)) == sorted(night.to)


def test_a_mail_channel_that_is_broken_meanwhile_corrects_when_it_is_mended(night: Night):
    night.run("post", "fiber cut")
    night.write_config(
        night.twitter() + night.facebook() + night.email("    dkim: {domain: example.net, selector: x, key: ''}")
    )
    assert night.run("retract").code == 1
    night.write_config()
    assert night.run("resume").code == 0
    assert sorted(letter["to"] for letter in corrections(night)) == sorted(night.to)


def test_without_a_terminal_nobody_is_asked(night: Night):
    night.run("post", "fiber cut")
    done = night.run("retract")
    assert "Take it back?" not in done.err


def test_nobody_is_told_twice_to_disregard_the_same(night: Night):
    night.run("post", "fiber cut", "--to", "twitter")
    night.run("update", "cable found")
    assert night.run("retract", "--last").code == 0
    assert night.run("retract").code == 0
    assert sorted(letter["to"] for letter in corrections(night)) == sorted(night.to)
