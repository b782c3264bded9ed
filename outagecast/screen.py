"""The only place that draws: reports on standard output, progress and errors on standard error.

What platforms say is foreign text: it goes through `terminal` and never through rich's markup.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TextIO

from rich.console import Console
from rich.text import Text

from outagecast import eta as etas
from outagecast.config import FILE_NAME, example
from outagecast.model import IncidentState, Level, Outcome, PostState, Replies
from outagecast.report import EXIT_DONE, EXIT_PERSON, EXIT_WAITING
from outagecast.stamps import moment
from outagecast.text import terminal

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime, tzinfo

    from outagecast.deliver import Event
    from outagecast.model import Announcement, Finding, Incident
    from outagecast.report import AnnouncementReport, ChannelLine, IncidentReport, PostLine

_MARKS = {
    Outcome.SENT: ("✓", "green"),
    Outcome.WAITING: ("…", "yellow"),
    Outcome.IN_DOUBT: ("?", "yellow"),
    Outcome.PARTIAL: ("!", "red"),
    Outcome.REFUSED: ("✗", "red"),
}
_STATES = {
    PostState.PLANNED: ("…", "yellow"),
    PostState.SENDING: ("→", "cyan"),
    PostState.SENT: ("✓", "green"),
    PostState.REFUSED: ("✗", "red"),
    PostState.IN_DOUBT: ("?", "yellow"),
    PostState.RETRACTED: ("↶", "cyan"),
    PostState.DROPPED: ("-", "dim"),
}
_LEVELS = {Level.GOOD: ("✓", "green"), Level.WARNING: ("!", "yellow"), Level.BAD: ("✗", "red")}
_REPLIES = {
    Replies.CLOSED: ("replies closed", "green"),
    Replies.UNVERIFIED: ("replies closed, not verified", "yellow"),
    Replies.MODERATED: ("comments moderated", "green"),
    Replies.NONE: ("no public replies", "green"),
    Replies.OPEN: ("replies OPEN", "red"),
}


class Screen:
    """Draws on one stream, in the configured timezone and UTC."""

    def __init__(self, stream: TextIO, zone: tzinfo, now: datetime) -> None:
        self.console = Console(file=stream, highlight=False, soft_wrap=True, emoji=False)
        self.zone = zone
        self.now = now

    def line(self, text: str | Text = "", style: str = "") -> None:
        """One line, never wrapped or cropped: links must stay whole to be clicked."""
        self.console.print(text if isinstance(text, Text) else Text(text), style=style or None)

    def rows(self, rows: Iterable[Sequence[Text]]) -> None:
        """Columns as wide as they need to be."""
        # By hand: rich's own table cuts columns to the terminal's width, and links with them.
        lines = [list(row) for row in rows]
        widths = [max(cell.cell_len for cell in column) for column in zip(*lines, strict=True)]
        for cells in lines:
            line = Text()
            for cell, width in zip(cells, widths, strict=True):
                line.append("  ").append_text(cell).append(" " * (width - cell.cell_len))
            line.rstrip()
            self.line(line)

    # -- reports -------------------------------------------------------------------------------------------------

    def report(self, report: AnnouncementReport) -> None:
        """What became of one announcement, a line a channel, and what to type next."""
        incident = report.news.incident
        self.line()
        self.line(Text.assemble((terminal(incident.title), "bold"), ("  ·  " + incident.key, "dim")))
        self.line(f"{report.news.kind} {moment(report.news.at, self.zone, seconds=True)}", "dim")
        self.line()
        self.channels(report.channels)
        self._eta(report)
        self.line()

    def behind(self, channels: Sequence[tuple[str, str]]) -> None:
        """The channels whose first post of the incident still has old words."""
        for name, why in channels:
            self.line(Text.assemble(("  … ", "yellow"), (f"{name}: ", "bold"), "the first post: ", terminal(why)))

    def channels(self, channels: Sequence[ChannelLine]) -> None:
        """A line a channel, and under it every post that needs a word."""
        self.rows(self._channel(channel) for channel in channels)
        for channel in channels:
            for post in channel.posts:
                if _needs_a_word(post, channel):
                    self._post(channel, post)

    def _channel(self, channel: ChannelLine) -> list[Text]:
        mark, colour = _MARKS[channel.outcome]
        replies, shade = _REPLIES[channel.replies] if channel.replies else ("", "")
        return [
            Text(mark, colour),
            Text(terminal(channel.name), "bold"),
            Text(channel.outcome, colour),
            Text(_letters(channel) if channel.letters else replies, "" if channel.letters else shade),
            Text(terminal(_links(channel)), "underline"),
        ]

    def _post(self, channel: ChannelLine, post: PostLine) -> None:
        mark, colour = _STATES[post.state]
        who = f" to {post.to}" if post.to else (f" part {post.part}" if len(channel.posts) > 1 else "")
        said = Text.assemble((f"  {mark} ", colour), (f"{channel.name}{who}: ", "bold"), terminal(post.detail or ""))
        if post.due and post.state is PostState.PLANNED:
            said.append(f" (next try {etas.relative(post.due, self.now)})", "dim")
        self.line(said)
        if post.hint:
            self.line(Text.assemble(("      → ", "cyan"), terminal(post.hint)))

    def _eta(self, report: AnnouncementReport) -> None:
        incident = report.news.incident
        if incident.eta is None or incident.state is IncidentState.RESOLVED:
            return
        late = incident.eta < self.now
        text = f"ETA {moment(incident.eta, self.zone)}, {etas.relative(incident.eta, self.now)}"
        self.line()
        self.line(f"  {text}{'  ·  OVERDUE: post an update' if late else ''}", "red" if late else "")

    def next_step(self, code: int, *, all_out: bool) -> None:
        """What the exit code means and what to type."""
        if code == EXIT_WAITING:
            self.line(Text.assemble("Not everything is out yet. Next: ", ("outagecast resume", "bold")))
        elif code == EXIT_PERSON:
            self.line(
                Text.assemble("A person is needed: see → above. When that is done: ", ("outagecast resume", "bold"))
            )
        elif code == EXIT_DONE:
            self.line("All out." if all_out else "Nothing is left to do.", "green" if all_out else "")

    def incidents(self, reports: Sequence[IncidentReport], nothing: str) -> None:
        """Everything there is, newest first; `nothing` is said when there is none."""
        if not reports:
            self.line(nothing)
        for incident in reports:
            for report in incident.announcements:
                self.report(report)

    def drill(self, drilled: dict[str, Any], code: int, page: str) -> None:
        """What a stranger sees on each channel, what became of their reply, and where the page is."""
        self.line()
        self.line(Text.assemble(("DRILL ", "bold yellow"), "nothing of this left the machine"))
        for channel in drilled["report"]["channels"]:
            self._stage(channel, drilled)
        self.line()
        if code == EXIT_DONE:
            self.line("All out, and every stranger's reply kept out.", "green")
        else:
            self.line("Something did not go as it should: see above.", "red")
        self.line(Text.assemble("A page to look at: ", (page, "underline")))
        self.line(Text.assemble("Next: ", (f"cp {example()} {FILE_NAME}", "bold"), " and put in your own, then"))
        self.line(Text.assemble("      ", (_FIRST, "bold")))

    def _stage(self, channel: dict[str, Any], drilled: dict[str, Any]) -> None:
        replies, shade = _REPLIES.get(channel["replies"], (channel["outcome"], "yellow"))
        mark, colour = _MARKS[channel["outcome"]]
        shown = drilled["public"][channel["name"]]
        count = f"  ·  {len(shown)} letters, all alike" if len(shown) > 1 and "subject" in shown[0] else ""
        self.line()
        head = ((f"{mark} ", colour), (channel["name"], "bold"), f"  {channel['outcome']}  ·  ", (replies, shade))
        self.line(Text.assemble(*head, (count, "dim")))
        for line in _seen(shown):
            self.line(Text.assemble(("  │ ", "cyan"), terminal(line)))
        stranger = drilled["stranger"][channel["name"]]
        through = stranger.startswith(("ACCEPTED", "VISIBLE"))
        self.line(Text.assemble("  a stranger's reply: ", (terminal(stranger), "red" if through else "green")))

    def types(self, types: Sequence[dict[str, Any]]) -> None:
        """What is installed and what it can do."""
        head = ("type", "reply control", "limit", "can")
        self.rows([[Text(word, "dim") for word in head], *(_type(one) for one in types if not one["error"])])
        for one in types:
            if one["error"]:
                self.line(Text.assemble(("✗ ", "red"), (terminal(one["type"]), "bold"), ": ", terminal(one["error"])))

    # -- before and during a run ---------------------------------------------------------------------------------

    def preview(self, preview: dict[str, Any]) -> None:
        """What each channel would publish, to the letter."""
        for channel in preview["channels"]:
            self.line()
            self._preview_channel(channel)
        self.line()

    def _preview_channel(self, channel: dict[str, Any]) -> None:
        name = Text(channel["name"], "bold")
        if channel["error"]:
            self.line(Text.assemble(("✗ ", "red"), name, ": ", terminal(channel["error"])))
            self.line(Text.assemble(("      → ", "cyan"), terminal(channel["hint"] or "")))
        for post in channel["posts"]:
            self.line(Text.assemble(name, ("  " + _measure(channel, post), "dim")))
            if post["subject"]:
                self.line(Text.assemble(("  │ ", "cyan"), ("Subject: ", "dim"), terminal(post["subject"])))
            for line in post["text"].rstrip().split("\n"):
                self.line(Text.assemble(("  │ ", "cyan"), terminal(line)))
            for warning in post["warnings"]:
                self.line(Text.assemble(("  ! ", "yellow"), terminal(warning)))

    def withdrawal(self, incident: Incident, news: Sequence[Announcement], channels: Sequence[str]) -> None:
        """What a person is about to take back, and where."""
        self.line()
        self.line(Text.assemble((terminal(incident.title), "bold"), ("  ·  " + incident.key, "dim")))
        for one in news:
            self.line(Text.assemble(("  ↶ ", "cyan"), f"{moment(one.at, self.zone)}  ", terminal(one.text)))
        self.line(f"  on {', '.join(channels)}", "dim")

    def progress(self, event: Event) -> None:
        """One line as it happens."""
        if event.state is None:
            return
        mark, colour = _STATES[event.state]
        if event.post is None:
            self.line(Text.assemble((f"{mark} ", colour), (f"{event.channel}: ", "bold"), terminal(event.detail)))
            return
        who = f" {event.post.to}" if event.post.to else ""
        rest = " ".join(part for part in (event.detail, event.url or "") if part)
        self.line(
            Text.assemble((f"{mark} ", colour), (f"{event.channel}{who} ", "bold"), event.state, " ", terminal(rest))
        )

    def findings(self, findings: Iterable[Finding]) -> None:
        """What `check` found, and what to do about it."""
        for finding in findings:
            mark, colour = _LEVELS[finding.level]
            said = Text.assemble((f"{mark} ", colour), (f"{finding.channel}: ", "bold"), terminal(finding.text))
            self.line(said)
            if finding.do and finding.level is not Level.GOOD:
                self.line(Text.assemble(("      → ", "cyan"), terminal(finding.do)))

    def error(self, text: str, hint: str, problems: Sequence[str] = ()) -> None:
        """What is wrong and what to type next."""
        for line in problems or [text]:
            self.line(Text.assemble(("✗ ", "red"), terminal(line)))
        if hint:
            self.line(Text.assemble(("  → ", "cyan"), terminal(hint)))


_FIRST = 'outagecast post --dry-run "fiber cut, ETA 1h"'


def _seen(shown: Sequence[dict[str, Any]]) -> list[str]:
    """The first thing to see on a channel, as lines."""
    if not shown:
        return ["(nothing)"]
    first = shown[0]
    head = (
        [f"From: {first['from']}", f"To: {first['to']}", f"Subject: {first['subject']}", ""]
        if "subject" in first
        else []
    )
    return [*head, *str(first["text"]).strip().split("\n")]


def _type(one: dict[str, Any]) -> list[Text]:
    limits = ", ".join(f"{limit['most']:,} {limit['unit']}" for limit in one["limits"])
    can = [word for word in ("threads", "find", "edit", "retract", "letters") if one[word]]
    return [Text(terminal(one["type"]), "bold"), Text(one["replies"]), Text(limits or "none"), Text(", ".join(can))]


def _needs_a_word(post: PostLine, channel: ChannelLine) -> bool:
    if post.state is PostState.SENT:
        return bool(post.detail) or (channel.exit_code != EXIT_DONE and bool(post.hint))
    return post.state is not PostState.RETRACTED


def _links(channel: ChannelLine) -> str:
    return "  ".join(post.url for post in channel.posts if post.url and post.state is PostState.SENT)


def _letters(channel: ChannelLine) -> str:
    total = sum(channel.counts.values())
    if not total:
        return "nobody to write to: outagecast subscribers add ADDRESS"
    said = [f"{channel.counts[PostState.SENT]:,} of {total:,} letters sent"]
    waiting = channel.counts[PostState.PLANNED] + channel.counts[PostState.SENDING]
    for count, word in (
        (waiting, "waiting"),
        (channel.counts[PostState.REFUSED], "refused"),
        (channel.counts[PostState.IN_DOUBT], "in doubt"),
        (channel.counts[PostState.DROPPED], "dropped"),
    ):
        if count:
            said.append(f"{count:,} {word}")
    return ", ".join(said)


def _measure(channel: dict[str, Any], post: dict[str, Any]) -> str:
    said = []
    if post["parts"] > 1:
        said.append(f"part {post['part']} of {post['parts']}")
    if post["limit"] is not None:
        said.append(f"{post['length']:,} of {post['limit']:,} {post['unit']}")
    if channel.get("recipients") is not None:
        said.append(f"{channel['recipients']:,} letters")
    if post.get("cost"):
        said.append(post["cost"])
    return " · ".join(said)
