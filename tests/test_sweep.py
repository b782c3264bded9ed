"""`moderated` and `closed` are earned by every look: a sweep that sees nothing says so, and so does `status` after it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from night import Done, Night
from sandbox_x_kit import PNG

from outagecast.deliver.upkeep import unseen
from outagecast.model import Replies, ReplyControl
from outagecast.sandbox.faults import Fault, FaultKind, lost_answer
from outagecast.sandbox.x import ReplyRule

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

ALWAYS = 1_000
POST = ("post", "--json", "fiber cut, ETA 1h")
READS = r"GET /v\d+\.\d+/.*"
TWEET_READ = "GET /2/tweets.*"
TO_SEE = "pages_read_user_content"
TO_HIDE = "pages_manage_engagement"


@pytest.fixture
def night(tmp_path: Path) -> Iterator[Night]:
    with Night(tmp_path) as night:
        yield night


def replies(done: Done, name: str = "facebook") -> tuple[str, str | None]:
    """What a status object says of the replies to a channel's only post, and the reason beside it."""
    (post,) = next(one for one in done.json["incidents"][0]["channels"] if one["name"] == name)["posts"]
    return post["replies"], post["detail"]


def comments(night: Night) -> int:
    return len(night.graph.public()[0]["comments"])


def revoked(night: Night) -> None:
    night.graph.tokens[night.graph.page_token].trouble = "token-463"


def unset(night: Night) -> None:
    del night.env["FACEBOOK_PAGE_ACCESS_TOKEN"]


def without_rights(night: Night) -> None:
    night.graph.tokens[night.graph.page_token].scopes -= {TO_SEE, TO_HIDE}


def blind(night: Night) -> None:
    night.graph.blind = True


def nonsense(night: Night) -> None:
    night.write_config(night.twitter() + night.facebook("    api_version: latest") + night.email())


FOR_A_PERSON = (revoked, unset, without_rights, blind, nonsense)


@pytest.mark.parametrize("broken", FOR_A_PERSON)
def test_a_sweep_that_sees_nothing_leaves_no_moderated_standing(night: Night, broken: Callable[[Night], None]) -> None:
    assert night.run(*POST).channel("facebook")["replies"] == "moderated"
    night.graph.stranger_comment(night.graph.public()[0]["id"], "When?")
    broken(night)
    swept = night.run("sweep", "--json")
    assert (swept.code, swept.json["exit_code"], replies(swept)[0]) == (1, 1, "open")
    assert replies(swept)[1], "with its reason"
    assert comments(night) == 1
    if broken is not nonsense:  # `status` itself refuses a config that cannot be read
        assert night.run("status", "--check").code == 1
        assert replies(night.run("status", "--json")) == replies(swept)


@pytest.mark.parametrize("broken", FOR_A_PERSON)
def test_the_reason_and_the_next_command_are_on_the_screen(night: Night, broken: Callable[[Night], None]) -> None:
    night.run(*POST)
    night.graph.stranger_comment(night.graph.public()[0]["id"], "When?")
    broken(night)
    said = night.run("sweep").out
    assert "replies OPEN" in said
    assert "All out" not in said
    assert re.search(r"→ .*outagecast sweep", said), "the hint of the post names the command that looks again"
    assert said.rstrip().endswith("outagecast sweep")


def test_a_sweep_that_is_mended_hides_what_stood_and_is_moderated_again(night: Night) -> None:
    night.run(*POST)
    night.graph.stranger_comment(night.graph.public()[0]["id"], "When?")
    revoked(night)
    assert night.run("sweep").code == 1
    night.graph.tokens[night.graph.page_token].trouble = None
    mended = night.run("sweep", "--json")
    assert (mended.code, *replies(mended)) == (0, "moderated", None)
    assert comments(night) == 0


def test_while_facebook_is_down_replies_are_open_and_another_look_is_due(night: Night) -> None:
    """The sweep says 1, the report 75; `resume` looks again and puts it right."""
    night.run(*POST)
    night.graph.stranger_comment(night.graph.public()[0]["id"], "When?")
    night.graph.faults.add(Fault(READS, status=503, body="{}", times=ALWAYS))
    swept = night.run("sweep", "--json")
    known, why = replies(swept)
    assert (swept.code, known) == (1, "open")
    assert "503" in (why or "")
    assert night.run("status", "--json").json["incidents"][0]["exit_code"] == 75
    night.graph.faults.clear()
    night.clock.move(600)
    resumed = night.run("resume", "--json")
    assert (resumed.code, replies(resumed)[0], comments(night)) == (0, "moderated", 0)


@pytest.mark.parametrize("lacking", [TO_SEE, TO_HIDE])
def test_the_first_post_is_not_moderated_with_a_token_that_cannot_moderate(night: Night, lacking: str) -> None:
    night.graph.tokens[night.graph.page_token].scopes.discard(lacking)
    done = night.run(*POST)
    (post,) = done.channel("facebook")["posts"]
    assert (done.code, post["state"], post["replies"]) == (1, "sent", "open")
    assert lacking in post["detail"]


def test_a_config_that_knows_the_app_and_one_that_does_not_are_both_moderated(night: Night) -> None:
    assert night.run(*POST).channel("facebook")["replies"] == "moderated"
    app = f'    app_id: "{night.graph.app_id}"\n    app_secret: {night.graph.app_secret}'
    night.write_config(night.facebook(app))
    done = night.run("post", "--json", "power is out")
    assert (done.code, done.channel("facebook")["replies"]) == (0, "moderated")


def test_a_sweep_that_was_cut_off_by_its_deadline_claims_nothing(night: Night) -> None:
    night.run(*POST)
    night.graph.faults.add(Fault(READS, FaultKind.HANG, times=ALWAYS))
    swept = night.run("sweep", "--json", "--to", "facebook", "--deadline", "0.5")
    assert (swept.code, *replies(swept)) == (1, "open", "the look at its replies did not end in time")
    assert night.run("status", "--json").json["incidents"][0]["exit_code"] == 75


def test_what_x_closed_stays_closed_when_it_cannot_be_read_again_and_the_sweep_says_that_it_could_not(
    night: Night,
) -> None:
    night.run(*POST)
    night.x.faults.add(Fault(TWEET_READ, status=503, body="{}", times=ALWAYS))
    swept = night.run("sweep", "--json")
    known, why = replies(swept, "twitter")
    assert (swept.code, known) == (1, "closed")
    assert why
    assert night.run("status", "--check").code == 1, "it says so too, until a look has come to its end"
    assert night.run("status", "--json").json["incidents"][0]["exit_code"] == 0


@pytest.mark.parametrize("control", [ReplyControl.AFTER, ReplyControl.CHANNEL])
def test_what_can_be_opened_again_is_not_verified_any_more_when_it_cannot_be_read(control: ReplyControl) -> None:
    assert unseen(Replies.CLOSED, control) is Replies.UNVERIFIED
    assert unseen(Replies.OPEN, control) is Replies.OPEN


def test_a_post_settled_as_sent_on_a_page_is_not_called_closed_when_its_comments_cannot_be_seen(night: Night) -> None:
    """`settle --sent REF` believes the person; what a Page cannot do, nobody has told it to."""
    night.write_config(night.facebook())
    night.graph.faults.add(lost_answer(r"POST /v\d+\.\d+/\d+/feed"))
    night.graph.faults.add(Fault(READS, status=503, body="{}", times=ALWAYS))
    (post,) = night.run(*POST).channel("facebook")["posts"]
    revoked(night)
    (ref,) = night.graph.page.posts
    night.graph.faults.clear()
    assert night.run("settle", str(post["id"]), "--sent", ref).code == 0
    swept = night.run("sweep", "--json")
    assert (swept.code, replies(swept)[0]) == (1, "open")


def test_a_read_that_the_config_does_not_demand_may_fail(night: Night) -> None:
    night.x.account.can_read = False
    night.write_config(night.twitter("    replies: closed"))
    assert night.run(*POST).code == 0
    swept = night.run("sweep", "--json")
    assert (swept.code, replies(swept, "twitter")[0]) == (0, "closed-unverified")


def test_an_update_that_x_would_not_take_as_a_reply_is_no_look_that_failed(night: Night) -> None:
    night.x.reply_rule = ReplyRule.SELF_REFUSED
    night.run(*POST)
    assert night.run("update", "cable found").code == 0
    swept = night.run("sweep")
    assert (swept.code, swept.out.count("a post of its own")) == (0, 1)
    assert swept.out.rstrip().endswith("All out.")


def test_nor_is_a_picture_that_was_left_out_and_a_look_that_does_fail_is_told_beside_it(night: Night) -> None:
    (night.folder / "map.png").write_bytes(PNG)
    night.graph.faults.add(Fault(f"POST /{night.graph.page_id}/photos", FaultKind.RESET))
    night.run(*POST, "--image", "map.png", "--alt", "a map", "--to", "facebook")
    swept = night.run("sweep", "--json")
    known, note = replies(swept)
    assert (swept.code, known) == (0, "moderated")
    assert "picture" in (note or "")
    revoked(night)
    failed = night.run("sweep", "--json")
    known, why = replies(failed)
    assert (failed.code, known) == (1, "open")
    assert (why or "").endswith(f"; {note}")


def test_the_reason_why_replies_are_open_outlives_the_edit_of_the_first_post(night: Night) -> None:
    night.run("post", "--json", "--to", "facebook", "fiber cut")
    night.graph.stranger_comment(night.graph.public()[0]["id"], "When?")
    night.graph.usage = (85, 30)  # the rest of the Page's calls is left for announcements: no sweep follows the update
    before = night.run("sweep", "--json").json["incidents"][0]["channels"][0]["posts"][0]
    night.run("update", "cable found")
    first = night.run("status", "--json").json["incidents"][0]["announcements"][0]["channels"][0]["posts"][0]
    assert night.pages()[0].startswith("UPDATE")
    assert (first["replies"], first["detail"]) == ("open", before["detail"])
