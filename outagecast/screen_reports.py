"""What is out, where, and what is to be done about it: one announcement after it was made, or whole incidents."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from rich.text import Text

from outagecast import eta as etas
from outagecast.model import IncidentState, Kind, PostState
from outagecast.report import EXIT_DONE, EXIT_PERSON, EXIT_WAITING, overdue
from outagecast.screen_canvas import MARKS, REPLIES, STATES, Canvas, aligned, one_line
from outagecast.stamps import day, duration, moment
from outagecast.tally import Fate
from outagecast.text import terminal

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from outagecast.advice import Advice
    from outagecast.journal import Acts
    from outagecast.model import Incident
    from outagecast.report import AnnouncementReport, Behind, ChannelLine, IncidentReport, PostLine

_FATES = {
    Fate.GONE: ("↶", "cyan"),
    Fate.LEAVING: ("…", "yellow"),
    Fate.STUCK: ("!", "red"),
    Fate.CORRECTED: ("✓", "cyan"),
    Fate.CORRECTING: ("…", "yellow"),
    Fate.STANDING: ("!", "yellow"),
    Fate.NEVER_OUT: ("-", "dim"),
}
_DONE_WITH = frozenset({Fate.GONE, Fate.CORRECTED, Fate.NEVER_OUT})
"""Nothing is left to do there; it is shown dimmed."""
_OLD = timedelta(days=1)
_MOST_OLD = 10
"""Old incidents that are listed among others; further ones would push the open one off the screen."""
_LEAST_WORDS = 24
"""Columns that are worth starting an announcement's words in; with less they get a line of their own."""


class Reports(Canvas):
    """Reports, as text."""

    def report(self, report: AnnouncementReport) -> None:
        """What became of one announcement, a line a channel."""
        incident = report.news.incident
        self.line()
        self.flow([self.cut(Text(one_line(incident.title), "bold")), Text(terminal(incident.key), "dim")])
        self.line(f"{report.news.kind} {moment(report.news.at, self.zone, seconds=True)}", "dim")
        self.line()
        self.channels(report.channels, "  ")
        if _has_eta(incident):
            self.line()
            self._eta(incident, "  ")
        self.line()

    def behind(self, posts: Sequence[Behind]) -> None:
        """The first posts of the incident that still have old words."""
        for one in posts:
            start = Text.assemble(("  … " if one.waits else "  ! ", "yellow"), (terminal(one.channel), "bold"), ": ")
            self.prose(start, f"the first post: {one_line(one.why)}", start.cell_len)
            if one.hint:
                self.line(Text.assemble(("    → ", "cyan"), terminal(one.hint)))
        if posts:
            self.line()

    def swept(self, acts: Sequence[Acts]) -> None:
        """What was done about strangers' words."""
        for one in acts:
            self.line(terminal(one.text))

    def incidents(self, reports: Sequence[IncidentReport], nothing: str) -> None:
        """These incidents, whole; `nothing` is said when there are none."""
        if not reports:
            self.line(nothing)
        for report in reports:
            self.line()
            self._incident(report)
        if reports:
            self.line()

    def overview(self, reports: Sequence[IncidentReport], nothing: str) -> None:
        """All incidents, the open ones first; of those that have long been over a line each."""
        long_over = [report for report in reports if self._long_over(report)]
        whole = [report for report in reports if not self._long_over(report)]
        # Stable: among the open ones, and among the others, the newest stays first.
        whole.sort(key=lambda report: report.incident.state is not IncidentState.OPEN)
        if whole or not long_over:
            self.incidents(whole, nothing)
        else:
            self.line()
        if long_over:
            self._earlier(long_over)

    def _long_over(self, report: IncidentReport) -> bool:
        ended = report.incident.resolved_at
        return ended is not None and self.now - ended > _OLD and report.exit_code == EXIT_DONE

    def _earlier(self, reports: Sequence[IncidentReport]) -> None:
        for line in aligned((self._brief(report) for report in reports[:_MOST_OLD]), indent=""):
            self.line(self.cut(line), "dim")
        if len(reports) > _MOST_OLD:
            more = len(reports) - _MOST_OLD
            self.line(f"… and {more:,} before: outagecast status --json has them all", "dim")
        self.line()

    def _brief(self, report: IncidentReport) -> list[Text]:
        incident = report.incident
        opened, ended = incident.opened_at.astimezone(self.zone), incident.resolved_at or self.now
        became = "taken back" if report.taken_back_at else f"resolved after {duration(ended - incident.opened_at)}"
        return [
            Text(terminal(incident.key)),
            Text(f"{day(opened)} {opened.year}"),
            Text(became),
            Text(one_line(incident.title)),
        ]

    def _incident(self, report: IncidentReport) -> None:
        incident = report.incident
        self.head(incident, late=overdue(incident, self.now), taken_back=report.taken_back_at)
        if _has_eta(incident):
            self._eta(incident, "  ")
        for one in report.announcements:
            self.line()
            self._announcement(one)

    def _eta(self, incident: Incident, indent: str) -> None:
        if incident.eta is None:
            return
        style = "bold red" if overdue(incident, self.now) else ""
        said = [f"ETA {self.clock(incident.eta)}, {etas.relative(incident.eta, self.now)}"]
        said += ["OVERDUE: post an update"] if style else []
        self.flow([Text(words, style) for words in said], indent)

    # -- one announcement ----------------------------------------------------------------------------------------

    def _announcement(self, report: AnnouncementReport) -> None:
        """When it was said, what it says, and what became of it on each channel."""
        over = bool(report.withdrawn_at) and all(one.fate in _DONE_WITH for one in report.channels)
        style = "dim" if over else ""
        at = Text(self.clock(report.news.at))
        first = Text("  ").append_text(Text("  ").join([Text(_what(report), "bold"), at, *_tags(report)]))
        words = Text(one_line(report.news.words))
        if self.width is not None and self.width - first.cell_len - 2 < _LEAST_WORDS:
            self.line(first, style)
            self.line(self.cut(Text("  ").append_text(words)), style)
        else:
            self.line(self.cut(first.append("  ").append_text(words)), style)
        self.channels(report.channels, "    ", style)

    def channels(self, channels: Sequence[ChannelLine], indent: str, style: str = "") -> None:
        """A line a channel, and under it every post that needs a word."""
        lines = aligned((_channel(channel) for channel in channels), indent)
        links = [_links(channel) for channel in channels]
        beside = [_beside(line, found, lines) for line, found in zip(lines, links, strict=True)]
        below = not all(self.fits(line) for line in beside)
        for channel, line, found, both in zip(channels, lines, links, beside, strict=True):
            self.line(line if below else both, style)
            for link in found if below else ():
                self.line(Text(indent + "   ").append(terminal(link), "underline"), style)
            for post in channel.posts:
                if _needs_a_word(post, channel):
                    self._post(channel, post, indent)

    def _post(self, channel: ChannelLine, post: PostLine, indent: str) -> None:
        """Why a post is as it is, under its channel; its own mark where the channel has several."""
        mark, colour = STATES[post.state]
        if post.state is PostState.SENT and (post.person or post.retract_due or post.amend_due):
            mark, colour = ("!", "red") if post.person else ("…", "yellow")
        several = post.to or len(channel.posts) > 1
        who = f"{post.to or f'part {post.part}'}: " if several else ""
        start = Text(f"{indent}   ").append(f"{mark} " if several else "", colour)
        self.prose(start, one_line(who + self._why(post)), start.cell_len)
        if post.hint:
            self.line(Text.assemble((f"{indent}   → ", "cyan"), terminal(post.hint)))

    def _why(self, post: PostLine) -> str:
        """Why it is as it is, when it is tried again, and what its platform said when it took it."""
        why = post.detail or ("the latest news is to be added to it" if post.amend_due else None)
        due = _next_try(post)
        if why and due is not None:
            why += f" (next try {etas.relative(due, self.now) if due > self.now else 'now'})"
        return "; ".join(filter(None, (why, post.note)))

    # -- what to type next ---------------------------------------------------------------------------------------

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

    def sweep_again(self, why: str = "Not all replies could be looked at or hidden: see above.") -> None:
        """A look at replies was in vain; only a sweep makes it again."""
        self.line(f"{why} Next: outagecast sweep".lstrip(), "red")

    def advice(self, advice: Advice) -> None:
        """What to type, a command to a line: so each can be copied with a triple click."""
        self.line(advice.why)
        for command in advice.commands:
            self.line(Text.assemble("  ", (terminal(command), "bold")))


def _what(report: AnnouncementReport) -> str:
    """What an announcement is called: "opened", "update 2", "correction of update 2"."""
    name = _named(report.news.kind, report.news.seq)
    about = ", ".join(_named(kind, seq) for kind, seq in report.corrects)
    return f"{name} of {about}" if about else name


def _named(kind: Kind, seq: int) -> str:
    return f"update {seq}" if kind is Kind.UPDATE else str(kind)


def _tags(report: AnnouncementReport) -> Iterable[Text]:
    if report.news.status:
        yield Text(str(report.news.status), "cyan")
    if not report.withdrawn_at:
        return
    fates = {channel.fate for channel in report.channels}
    if Fate.LEAVING in fates:
        yield Text("being taken back", "yellow")
    elif Fate.STUCK in fates:
        yield Text("not taken back everywhere", "red")
    else:
        yield Text("taken back")


def _channel(channel: ChannelLine) -> list[Text]:
    mark, colour = MARKS[channel.outcome]
    word, replies, shade = str(channel.outcome), "", ""
    if channel.replies:
        replies, shade = REPLIES[channel.replies]
    if channel.fate:
        word = channel.fate
        mark, colour = _FATES[channel.fate]
    if channel.fate in {Fate.GONE, Fate.NEVER_OUT}:
        replies = ""
    elif channel.letters:
        replies, shade = _letters(channel), ""
    else:
        replies = ", ".join(filter(None, (replies, *_acts(channel))))
    return [Text(mark, colour), Text(terminal(channel.name), "bold"), Text(word, colour), Text(replies, shade)]


def _acts(channel: ChannelLine) -> Iterable[str]:
    """What was done about strangers' words: "3 hidden"."""
    for act in ("hidden", "deleted"):
        if number := sum(getattr(post, act) for post in channel.posts):
            yield f"{number:,} {act}"


def _links(channel: ChannelLine) -> list[str]:
    return [post.url for post in channel.posts if post.url and post.state is PostState.SENT]


def _beside(line: Text, links: Sequence[str], lines: Sequence[Text]) -> Text:
    """The line of a channel with its links to the right of all lines."""
    if not links:
        return line
    gap = max(one.cell_len for one in lines) - line.cell_len + 2
    return Text.assemble(line, " " * gap, (terminal("  ".join(links)), "underline"))


def _has_eta(incident: Incident) -> bool:
    return incident.state is IncidentState.OPEN and incident.eta is not None


def _needs_a_word(post: PostLine, channel: ChannelLine) -> bool:
    if post.state is PostState.SENT:
        if post.amend_due is not None:
            return True
        return bool(post.said) or (channel.exit_code != EXIT_DONE and bool(post.hint))
    if post.state is PostState.RETRACTED:
        # Gone though nobody took it back here: a person has said so.
        return channel.fate is None
    return channel.fate is not Fate.NEVER_OUT


def _next_try(post: PostLine) -> datetime | None:
    if post.state is PostState.PLANNED:
        return post.due
    return (post.retract_due or post.amend_due) if post.state is PostState.SENT and post.detail else None


def _letters(channel: ChannelLine) -> str:
    total = sum(channel.counts.values())
    if not total:
        return "nobody to write to: outagecast subscribers add ADDRESS"
    said = [f"{channel.counts[PostState.SENT]:,} of {total:,} letter{'' if total == 1 else 's'} sent"]
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
