"""`outagecast settle`: a person decides about posts that no platform can answer for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from outagecast.cli.desk import Desk, desk
from outagecast.cli.options import AsJson, ConfigPath, Verbose
from outagecast.cli.voice import Voice
from outagecast.errors import UsageError
from outagecast.model import PostState
from outagecast.report import gravest, incident_report

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from outagecast.cli.surroundings import Surroundings
    from outagecast.journal import Journal
    from outagecast.report import IncidentReport

_OPEN = (PostState.IN_DOUBT, PostState.REFUSED, PostState.PLANNED)
_STUCK = {
    PostState.SENT: "settled by a person: it stays",
    PostState.PLANNED: "settled by a person: try again to take it back",
    PostState.DROPPED: "settled by a person: taken back by hand",
}
"""What the three answers mean for a post that is out and could not be taken back."""

Which = Annotated[
    str, typer.Argument(metavar="POST", help="The id of a post in the report; with --all, a channel's name.")
]
Ref = Annotated[str | None, typer.Argument(metavar="REF", help="With --sent: the platform's id of it, if known.")]


def settle(
    ctx: typer.Context,
    post: Which,
    ref: Ref = None,
    sent: Annotated[bool, typer.Option("--sent", help="It is out: you have seen it.")] = False,
    resend: Annotated[bool, typer.Option("--resend", help="It is not out: send it at the next `resume`.")] = False,
    drop: Annotated[bool, typer.Option("--drop", help="It is never to go out.")] = False,
    every: Annotated[bool, typer.Option("--all", help="All of that channel's posts that wait for a person.")] = False,
    config: ConfigPath = None,
    as_json: AsJson = False,
    verbose: Verbose = False,
) -> int:
    """Decide what became of a post in doubt, after looking on the platform.

    Of one that could not be taken back: --drop when you have deleted it by hand, --sent when it may stay, --resend to
    try once more. Of one whose replies could not be looked at: --drop when it is gone from the platform, --sent when it
    is there and is to be looked at again.

    \b
    Examples:
      outagecast settle 17 --sent 1859000000000000000
      outagecast settle 17 --resend
      outagecast settle email --all --drop
    """
    around: Surroundings = ctx.obj
    around.as_json = as_json
    if [sent, resend, drop].count(True) != 1:
        raise UsageError(
            "say what became of it: one of --sent, --resend, --drop", hint=f"outagecast settle {post} --sent"
        )
    if ref is not None and (not sent or every):
        raise UsageError("a REF goes with --sent and one post", hint=f"outagecast settle {post} --sent {ref}")
    at = desk(around, config)
    voice = Voice(around, at.config.timezone, verbose)
    with at.journal("settle", voice.waiting) as journal:
        chosen = _channel(journal, at, post) if every else [_one(journal, post, resend=resend)]
        to = PostState.SENT if sent else PostState.PLANNED if resend else PostState.DROPPED
        for each in chosen:
            if resend and journal.is_unrendered(each):
                continue  # nothing of it was ever made; `resume` makes and sends it once the channel can be used
            if journal.unseen(each) and not journal.stuck(each):
                journal.settled_unseen(each, gone=drop, ref=ref)
                continue
            if journal.stuck(each):
                _settle_stuck(journal, each, to, ref)
                continue
            journal.settled(each, to, f"settled by a person: {to}", ref)
        reports = _reports(journal, chosen, at.young_since())
    code = gravest(report.exit_code for report in reports)
    voice.status(reports, code, nothing="Nothing there waits for a person.")
    return code


def _settle_stuck(journal: Journal, post: int, to: PostState, ref: str | None) -> None:
    """A post that is out and was to be taken back, or still shows what was."""
    if to is PostState.PLANNED and not journal.has_ref(post):
        raise UsageError(
            f"nobody knows under which id post {post} is out, so outagecast cannot take it back",
            hint=f"outagecast settle {post} --sent REF, or delete it by hand and: outagecast settle {post} --drop",
        )
    journal.settled_stuck(post, to, _STUCK[to] if ref is None else "settled by a person: that is its id", ref)


def _one(journal: Journal, post: str, *, resend: bool) -> int:
    row = journal.post_row(int(post)) if post.isdecimal() and len(post) < 19 else None
    if row is None:
        raise UsageError(
            f"there is no post {post}", hint="outagecast status   (the ids are in --json, and in its hints)"
        )
    expired = row["state"] == PostState.DROPPED and row["person"]
    known = row["state"] == PostState.SENT and (row["person"] or (not resend and journal.unseen(row["id"])))
    if row["state"] not in _OPEN and not expired and not known:
        raise UsageError(f"post {post} is {row['state']}: there is nothing to settle", hint="outagecast status")
    return int(row["id"])


def _channel(journal: Journal, at: Desk, channel: str) -> list[int]:
    waiting = journal.waiting_for_person(channel)
    if not waiting and channel not in at.config.channels:
        raise UsageError(
            f"there is no channel {channel}",
            hint="outagecast settle CHANNEL --all; channels: " + ", ".join(at.config.channels),
        )
    return waiting


def _reports(journal: Journal, posts: Sequence[int], since: datetime) -> list[IncidentReport]:
    keys = journal.incident_keys(posts)
    return [incident_report(journal, incident, since) for incident in journal.incidents() if incident.key in keys]
