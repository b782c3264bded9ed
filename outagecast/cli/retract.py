"""`outagecast retract`: takes announcements back where a platform can, and corrects them where it cannot."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import msgspec
import typer

from outagecast import following, retraction
from outagecast.cli.desk import Desk, desk
from outagecast.cli.options import AsJson, ConfigPath, Deadline, IncidentKey, To, Verbose, Yes
from outagecast.cli.surroundings import message
from outagecast.cli.voice import Voice
from outagecast.errors import UsageError
from outagecast.journal import Journal
from outagecast.journal.rows import kept
from outagecast.model import Kind
from outagecast.report import EXIT_DONE, EXIT_PERSON, incident_report

if TYPE_CHECKING:
    from collections.abc import Sequence

    from outagecast.cli.surroundings import Surroundings
    from outagecast.journal import AnnouncementRow
    from outagecast.model import Incident
    from outagecast.registry import Opened

EXAMPLE = 'outagecast retract --last "that was meant for another region"'


class Errand(msgspec.Struct, frozen=True):
    """What is to be taken back, where, and what is said about it."""

    at: Desk
    voice: Voice
    key: str | None
    only: Sequence[str] | None
    last: bool
    why: str | None

    def run(self, *, ask: bool) -> int:
        """Take it back; the exit code is that of the incident."""
        if ask:
            self._ask()
        with self.at.journal("retract", self.voice.waiting) as journal:
            incident, rows = self._meant(journal)
            opened = self._opened(journal, rows)
            if not opened:
                self.voice.status([], EXIT_DONE, nothing="Nothing was announced there.")
                return EXIT_DONE
            ids = self._withdraw(journal, incident, rows, opened)
            ended = self.at.carry_out(journal, ids, self.voice.watch, opened)
            self.voice.ended(ended)
            now = journal.incident(incident.key)
            report = incident_report(journal, now or incident, self.at.young_since())
        code = EXIT_PERSON if ended.broken else report.exit_code
        self.voice.status([report], code)
        return code

    def _meant(self, journal: Journal) -> tuple[Incident, list[AnnouncementRow]]:
        incident = following.which(journal, self.key, Kind.CORRECTION, self.at.around.clock.now())
        return incident, retraction.meant(journal, incident, last=self.last)

    def _opened(self, journal: Journal, rows: Sequence[AnnouncementRow]) -> dict[str, Opened]:
        """The channels that these were announced on, whether the config still has them or not."""
        said_on = dict.fromkeys(name for row in rows for name in journal.channels_of(row.id))
        return self.at.open([name for name in said_on if self.only is None or name in self.only])

    def _withdraw(
        self,
        journal: Journal,
        incident: Incident,
        rows: Sequence[AnnouncementRow],
        opened: dict[str, Opened],
    ) -> tuple[int, ...]:
        """Write down what is to go; the announcements that the run is about."""
        now = kept(self.at.around.clock.now())
        what = retraction.draft(self.at.pen, journal, incident, rows, opened, now, self.why)
        correction = (what.correction.news, what.correction.plans) if what.correction else None
        journal.withdraw(
            what.ids, list(opened), deletable=what.deletable, correction=correction, corrects=what.corrects
        )
        for line in what.trouble:
            self.voice.err().line(line, "yellow")
        # All of the incident: a correction of before may not be through to everybody, and what had been overtaken by
        # what is taken back is news again.
        return tuple(row.id for row in journal.announcements(incident.key))

    def _ask(self) -> None:
        """Tell a person what would go, and ask once. Without the lock: a person may take long."""
        if not self.at.journal_path.exists():
            return
        with Journal(self.at.journal_path, self.at.around.clock.now, readonly=True) as journal:
            incident, rows = self._meant(journal)
            standing = [row for row in rows if row.withdrawn_at is None]
            where = dict.fromkeys(name for row in standing for name in self._opened(journal, [row]))
        if not standing or not where:
            return
        screen = self.voice.err()
        screen.withdrawal(incident, [row.news for row in standing], list(where))
        if not typer.confirm("Take it back?", err=True):
            raise UsageError("not taken back, because you said no", hint="outagecast status")


def retract(
    ctx: typer.Context,
    text: Annotated[
        str | None, typer.Argument(metavar="[WHY]", help="What the correction says besides; `-` reads standard input.")
    ] = None,
    last: Annotated[bool, typer.Option("--last", help="Only the latest announcement, not the whole incident.")] = False,
    incident: IncidentKey = None,
    to: To = None,
    deadline: Deadline = None,
    yes: Yes = False,
    config: ConfigPath = None,
    as_json: AsJson = False,
    verbose: Verbose = False,
) -> int:
    """Take announcements back: deleted on X and Facebook, newest first; a correction to everybody who has the letter.

    The incident stays on record. With nothing left of it it is over; when its resolution is taken back, it is open.

    \b
    Examples:
      outagecast retract --last
      outagecast retract --incident ALERT-4711 "sent by mistake: nothing is wrong"
    """
    around: Surroundings = ctx.obj
    around.as_json = as_json
    at = desk(around, config, only=to, deadline=deadline)
    why = message(text, around, needed=EXAMPLE) if text is not None else None
    errand = Errand(at, Voice(around, at.config.timezone, verbose), incident, to, last, why)
    return errand.run(ask=around.interactive and not yes)
