"""The only place that draws: reports on standard output, progress and errors on standard error.

What platforms say is foreign text: it goes through `terminal` and never through rich's markup.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.text import Text

from outagecast.model import Level, PostState
from outagecast.report import EXIT_DONE
from outagecast.screen_canvas import MARKS, REPLIES, STATES, one_line
from outagecast.screen_plans import Plans
from outagecast.screen_reports import Reports
from outagecast.screen_timeline import Timelines
from outagecast.text import terminal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from outagecast.deliver import Event
    from outagecast.model import Finding

_TYPED = ("chmod ", "mkdir ", "mv ", "du ", "ls ", "fuser ", "unset ", "export ", "pip ", "cp ", "outagecast ")
"""How a command begins: it stays in one line, to be copied; other advice is broken like prose."""
_LEVELS = {Level.GOOD: ("✓", "green"), Level.WARNING: ("!", "yellow"), Level.BAD: ("✗", "red")}
_HAPPENS = {
    PostState.PLANNED: "waits:",
    PostState.SENDING: "is going out",
    PostState.SENT: "sent",
    PostState.REFUSED: "refused:",
    PostState.IN_DOUBT: "in doubt:",
    PostState.RETRACTED: "taken back",
    PostState.DROPPED: "dropped:",
}


class Screen(Reports, Timelines, Plans):
    """Everything that a person is shown."""

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
        self.line(Text.assemble("Next: ", ("outagecast init", "bold"), ", which makes your own config, then"))
        self.line(Text.assemble("      ", (_FIRST, "bold")))

    def _stage(self, channel: dict[str, Any], drilled: dict[str, Any]) -> None:
        replies, shade = REPLIES.get(channel["replies"], (channel["outcome"], "yellow"))
        mark, colour = MARKS[channel["outcome"]]
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

    def progress(self, event: Event) -> None:
        """One line as it happens."""
        if event.state is None:
            return
        mark, colour = STATES[event.state]
        if event.post is None:
            self.line(Text.assemble((f"{mark} ", colour), (f"{event.channel}: ", "bold"), terminal(event.detail)))
            return
        who = terminal(f"{event.channel}{f' {event.post.to}' if event.post.to else ''} ")
        # What is told of a post that is out already, without its link, is no news of its going out.
        follows = event.state is PostState.SENT and bool(event.detail) and not event.url
        word = "is out:" if follows else _HAPPENS[event.state]
        rest = " ".join(part for part in (word, event.detail, event.url or "") if part)
        self.line(Text.assemble((f"{mark} ", "" if follows else colour), (who, "bold"), terminal(rest)))

    def checked(self, findings: Sequence[Finding], step: str) -> None:
        """What `check` found, how much of each level, and what to type next."""
        self.findings(findings)
        self.line()
        self._count(findings)
        after = "When that is mended: " if any(finding.level is Level.BAD for finding in findings) else "Next: "
        self.line(Text.assemble(after, (step, "bold")))

    def findings(self, findings: Sequence[Finding]) -> None:
        """Findings by subject, the worst first."""
        for subject in dict.fromkeys(finding.channel for finding in findings):
            self.line()
            self.line(Text(one_line(subject), "bold"))
            for level in reversed(Level):
                for finding in findings:
                    if (finding.channel, finding.level) == (subject, level):
                        self._finding(finding)

    def _finding(self, finding: Finding) -> None:
        mark, colour = _LEVELS[finding.level]
        self.prose(Text.assemble((f"  {mark} ", colour)), one_line(finding.text), 4)
        if not finding.do or finding.level is Level.GOOD:
            return
        arrow, do = Text.assemble(("    → ", "cyan")), one_line(finding.do)
        if do.startswith(_TYPED):
            self.line(arrow.append(do))
        else:
            self.prose(arrow, do, 6)

    def _count(self, findings: Sequence[Finding]) -> None:
        counts = [(level, sum(finding.level is level for finding in findings)) for level in reversed(Level)]
        parts: list[Text] = []
        for level, count in counts:
            if count:
                word = "warnings" if level is Level.WARNING and count > 1 else level
                parts += [Text(", "), Text(f"{count} {word}", _LEVELS[level][1])]
        self.line(Text.assemble(*parts[1:]))

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
