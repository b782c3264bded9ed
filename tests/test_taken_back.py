"""What is taken back stays so, and what is left comes into its own again, whatever went wrong before."""

# ruff: noqa: F811  a fixture of another file is used by its name

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import pytest
from test_plugin import LOGBOOK, install, section, site  # noqa: F401

from outagecast import registry
from outagecast.sandbox.faults import Fault, lost_answer
from outagecast.sandbox.graph import ERRORS as GRAPH_ERRORS
from outagecast.sandbox.mail_faults import At, Do, MailFault
from outagecast.sandbox.x import ERRORS
from outagecast.sandbox.x_tweets import Draft

if TYPE_CHECKING:
    from pathlib import Path

    from night import Night

PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de0000000c4944415408d763f8cfc000000301010018dd8db0"
    "0000000049454e44ae426082"
)
SUSPENDED = ERRORS["suspended"].body


def posts(night: Night, channel: str) -> list[dict[str, Any]]:
    (report, *_) = night.run("status", "--json").json["incidents"]
    return [p for news in report["announcements"] for c in news["channels"] if c["name"] == channel for p in c["posts"]]


def corrections(night: Night) -> list[dict[str, Any]]:
    return [letter for letter in night.mailbox.public() if "disregard" in letter["text"]]


def templates(night: Night, **files: str) -> None:
    folder = night.folder / "templates"
    folder.mkdir()
    for name, text in files.items():
        (folder / f"{name}.j2").write_text(text, encoding="utf-8")
    night.write_config(top="templates: ./templates")


def unknown(night: Night) -> None:
    """The next post on X is out, and nobody can be asked about it."""
    night.x.faults.add(lost_answer("POST /2/tweets"), Fault("GET /2/users", status=403, body=SUSPENDED, times=50))


def mute(site: Path, night: Night, source: str) -> None:
    """A public channel that cannot take back."""
    install(site, "mute", source, {"mute": "mute:Logbook"})
    registry.available.cache_clear()
    registry.arrival.cache_clear()
    sys.modules.pop("mute", None)
    night.write_config(night.twitter() + section(night, "mute"))


MUTE = LOGBOOK.replace("can_retract=True", "can_retract=False").replace(
    "    def retract(self, receipt):\n        pass",
    "    def retract(self, receipt):\n        raise ValueError('CALLED')",
)


def test_the_root_stays_while_a_reply_settled_by_hand_is_out(night: Night):
    night.run("post", "fiber cut", "--to", "twitter")
    (root,) = [tweet["id"] for tweet in night.x.public()]
    good = night.config.read_text()
    night.config.write_text(good.replace("    api_key:", "    api_kay:"))
    assert night.run("update", "news", "--to", "twitter").code == 1
    by_hand = night.x.tweets.create(night.x.account, Draft("news", root, None, ()), night.clock.now())
    night.run("settle", str(posts(night, "twitter")[-1]["id"]), "--sent", by_hand.id)
    night.config.write_text(good)
    night.run("retract")
    assert all(night.x.stranger_reply(tweet["id"], "when?")[0] == 403 for tweet in night.x.public())
    assert night.tweets() == []  # and not 75 for ever


def test_an_edit_whose_answer_was_lost_is_undone_when_its_news_is_taken_back(night: Night):
    night.run("post", "fiber cut")
    root = posts(night, "facebook")[0]["ref"]
    night.graph.faults.add(lost_answer(f"POST /{root}"))
    assert night.run("update", "bogus", "--deadline", "1").code == 75
    night.clock.move(60)
    done = night.run("retract", "--last")
    assert not [text for text in night.pages() if "bogus" in text], done.code


def test_taken_back_words_that_stay_in_the_first_post_need_a_person(night: Night):
    night.run("post", "fiber cut")
    root = posts(night, "facebook")[0]["ref"]
    night.run("update", "bogus")
    night.graph.faults.add(*(GRAPH_ERRORS["permission-denied"].fault(f"POST /{root}") for _ in range(9)))
    done = night.run("retract", "--last")
    assert [text for text in night.pages() if "bogus" in text]
    assert done.code != 0
    assert night.run("status", "--check").code != 0


def test_the_first_post_is_rid_of_the_news_though_the_update_cannot_be_deleted(night: Night):
    night.run("post", "fiber cut")
    night.run("update", "bogus")
    root = posts(night, "facebook")[0]["ref"]
    night.graph.faults.add(*(GRAPH_ERRORS["permission-denied"].fault("DELETE /") for _ in range(9)))
    assert night.run("retract", "--last").code == 1
    assert "bogus" not in next(post["text"] for post in night.graph.public() if post["id"] == root)


def test_a_title_taken_back_is_not_published_again(night: Night):
    night.run("post", "fiber cut", "--title", "Cut in the north")
    night.run("update", "it burns", "--title", "Data centre on fire")
    night.run("retract", "--last")
    night.run("update", "power is back")
    assert not [text for text in night.pages() if "on fire" in text]


def test_what_was_superseded_comes_back_when_that_is_taken_back(night: Night):
    key = night.env.pop("FACEBOOK_PAGE_ACCESS_TOKEN")
    night.run("post", "fiber cut")
    night.run("update", "bogus")
    night.run("retract", "--last")
    night.env["FACEBOOK_PAGE_ACCESS_TOKEN"] = key
    done = night.run("resume")
    assert len(night.pages()) == 1 or done.code or night.run("status", "--check").code


def test_letters_too(night: Night):
    night.mailbox.faults.add(*(MailFault(At.RCPT, reply="450 4.2.0 later", to="bo@example.com") for _ in range(2)))
    assert night.run("post", "fiber cut", "--deadline", "3").code == 75
    night.clock.move(600)
    assert night.run("update", "bogus", "--deadline", "3").code == 75
    assert night.run("retract", "--last").code == 0
    night.clock.move(6000)
    night.run("resume")
    assert "bo@example.com" in night.mails() or night.run("status", "--check").code


def test_a_letter_that_may_be_out_is_corrected_though_it_was_to_be_repeated(night: Night):
    night.mailbox.faults.add(MailFault(At.STORED, Do.DROP, to="bo@example.com"))
    assert night.run("post", "fiber cut", "--to", "email", "--deadline", "5").code == 75
    assert "bo@example.com" in night.mails()
    night.clock.move(3600)
    night.mailbox.faults.add(MailFault(At.RCPT, reply="450 4.2.0 later", to="bo@example.com"))
    assert night.run("resume", "--deadline", "3").code == 75
    assert night.run("retract").code == 0
    assert sorted(letter["to"] for letter in corrections(night)) == sorted(night.to)


@pytest.mark.parametrize("text", ["We take it back because of {{ reason }}", "{{ message "])
def test_a_template_does_not_hold_the_deletions(night: Night, text: str):
    templates(night, correction=text)
    assert night.run("post", "fiber cut").code == 0
    done = night.run("retract")
    assert "retract --var" not in done.err  # there is no such option
    assert (night.tweets(), night.pages()) == ([], [])


def test_settled_as_sent_after_it_was_taken_back_still_needs_a_person(night: Night):
    unknown(night)
    night.run("post", "fiber cut", "--to", "twitter")
    assert night.run("retract").code == 1
    done = night.run("settle", str(posts(night, "twitter")[0]["id"]), "--sent")
    assert len(night.tweets()) == 1
    assert done.code == 1


def test_the_id_given_for_a_stuck_post_is_used(night: Night):
    unknown(night)
    night.run("post", "fiber cut", "--to", "twitter")
    night.run("settle", "1", "--sent")
    assert night.run("retract").code == 1
    (tweet,) = night.x.public()
    night.run("settle", "1", "--sent", tweet["id"])
    assert night.run("resume").code or night.tweets() == []


def test_a_stuck_post_without_id_is_no_bug_of_the_adapter(night: Night):
    unknown(night)
    night.run("post", "fiber cut", "--to", "twitter")
    night.run("settle", "1", "--sent")
    assert night.run("retract").code == 1
    night.run("settle", "1", "--resend")
    assert "AssertionError" not in night.run("resume").out


@pytest.mark.parametrize("settled", [True, False])
def test_a_leaf_that_stays_is_no_reason_to_wait_for_ever(night: Night, settled: bool):
    night.run("post", "fiber cut", "--to", "twitter")
    night.run("update", "cable found", "--to", "twitter")
    leaf = posts(night, "twitter")[1]
    night.x.faults.add(Fault(f"DELETE /2/tweets/{leaf['ref']}", status=403, body=SUSPENDED, times=5000))
    assert night.run("retract").code == 1
    if settled:
        night.run("settle", str(leaf["id"]), "--sent")
    before = night.clock.monotonic()
    done = night.run("resume", "--watch", "--deadline", "20000")
    assert night.clock.monotonic() - before < 10000
    assert done.code != 75


def test_a_clock_set_back_does_not_hold_a_retraction(night: Night):
    night.run("post", "fiber cut")
    night.x.faults.add(ERRORS["rate-limited"].fault("DELETE /2/tweets"))
    assert night.run("retract", "--deadline", "2").code == 75
    night.clock.move(1200 - 7200)  # type: ignore[attr-defined]
    assert (night.run("retract").code, night.tweets()) == (0, [])


def test_nor_an_edit(night: Night):
    night.run("post", "fiber cut")
    root = posts(night, "facebook")[0]["ref"]
    night.graph.faults.add(GRAPH_ERRORS["page-calls"].fault(f"POST /{root}"))
    assert night.run("update", "news", "--deadline", "2").code == 75
    night.clock.move(-7200)  # type: ignore[attr-defined]
    assert night.run("resume").code == 0


def test_sweep_keeps_the_reason_and_the_next_step_of_a_stuck_post(night: Night):
    night.run("post", "fiber cut", "--to", "twitter")
    night.x.faults.add(Fault("DELETE /2/tweets", status=403, body=SUSPENDED, times=50))
    assert night.run("retract").code == 1
    night.run("sweep")
    assert "settle" in night.run("status").out


def test_retract_is_never_called_where_a_channel_cannot(night: Night, site: Path):
    waits = "Path(self.settings.file + '.found').exists()"
    source = MUTE.replace(
        "        return CannotTell", f"        if {waits}:\n            return Receipt('x')\n        return CannotTell"
    ).replace(
        "        return Receipt(post.text",
        f"        if not {waits}:\n            1 / 0\n        return Receipt(post.text",
    )
    mute(site, night, source)
    assert night.run("post", "fiber cut").code == 1
    assert night.run("retract").code == 1
    (night.folder / "book.found").touch()
    assert "CALLED" not in night.run("resume").out


def test_broken_at_retract_it_is_corrected_when_mended(night: Night, site: Path):
    mute(site, night, MUTE)
    assert night.run("post", "fiber cut").code == 0
    good = night.config.read_text()
    night.config.write_text(good.replace("file:", "fiel:"))
    assert night.run("retract").code == 1
    night.config.write_text(good)
    night.run("resume")
    assert "disregard" in (night.folder / "book").read_text()


def test_a_correction_too_long_for_one_channel_does_not_hold_the_deletions(night: Night, site: Path):
    mute(site, night, MUTE)
    night.run("post", "fiber cut")
    for number in range(14):
        assert night.run("update", f"news {number}").code == 0
        night.clock.move(60)  # type: ignore[attr-defined]
    night.run("retract")
    assert night.tweets() == []


def test_a_correction_only_of_what_one_has(night: Night):
    night.run("post", "fiber cut")
    night.run("subscribers", "add", "cy@example.org")
    night.run("update", "cable found")
    night.run("retract", "--last")
    night.run("retract")
    assert [letter["to"] for letter in corrections(night)].count("cy@example.org") == 1


def test_a_placeholder_settled_as_sent_is_looked_at(night: Night):
    good = night.config.read_text()
    night.config.write_text(good.replace("    page_id:", "    page_iid:"))
    night.run("post", "fiber cut", "--to", "facebook")
    night.run("settle", "1", "--sent", f"{night.graph.page_id}_5")  # a post that does not even exist
    night.config.write_text(good)
    for _ in range(2):
        night.run("resume")
    assert posts(night, "facebook")[0]["replies"] != "closed-unverified" or night.run("sweep").code


def test_an_incident_from_before_the_upgrade_is_kept_true(night: Night):
    night.run("post", "fiber cut")
    with night.journal() as journal, journal.writing() as db:
        db.execute("UPDATE wording SET edits = 0")  # what _fourth leaves of a version 3 journal
    night.run("update", "news")
    assert night.pages()[0].startswith("UPDATE")


def test_nothing_to_take_back_there_is_said(night: Night):
    night.run("post", "fiber cut", "--to", "twitter")
    done = night.run("retract", "--to", "facebook")
    assert (done.code, done.out.strip()) == (0, "Nothing was announced there.")
    assert len(night.tweets()) == 1
