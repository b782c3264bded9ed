"""One use of a template: which files speak, what they say, and what to type where something is missing."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from outagecast.errors import UsageError
from outagecast.model import Kind, Status
from outagecast.templates import files
from outagecast.templates.engine import Engine, NotGivenError
from outagecast.templates.facts import NAMES, Written, said

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from outagecast.templates.facts import Facts


_MADE_BY = {
    Kind.OPENED: "an incident's first word (`post`)",
    Kind.UPDATE: "an update (`update`)",
    Kind.RESOLVED: "the end of an incident (`resolve`)",
    Kind.CORRECTION: "a correction (`retract`)",
}


class Writing:
    """The words of one announcement; raises UsageError before any are given out if some cannot be."""

    def __init__(self, folder: Path | None, name: str | None, facts: Facts, given: Mapping[str, str]) -> None:
        self._name, self._facts, self._given = name, facts, given
        self._stem = name if name is not None else str(facts.kind)
        shelves = files.shelves(folder)
        self._engine = Engine(shelves)
        # By its kind alone, only the user's own files speak; what they include may be built in.
        self._shelves = [shelf for shelf in shelves if name is not None or not shelf.built_in]

    def written(self, channels: Mapping[str, str]) -> Written:
        """For every channel the words of the file that is most its own."""
        self._demand_kind()
        self._demand_files()
        self._demand_used()
        common = self._best()
        words = self._say(common) if common else self._typed()
        on = {}
        for channel, kind in channels.items():
            file = self._best(channel, kind)
            text = self._say(file, channel, kind) if file else words
            if file != common or text != words:
                on[channel] = text
        return Written(words, on)

    def _best(self, *channel: str) -> str | None:
        return files.best(self._shelves, self._stem, self._facts.status, channel)

    def _say(self, file: str, channel: str = "", kind: str = "") -> str:
        names = {**self._given, **said(self._facts), "channel": channel, "channel_type": kind}
        try:
            return self._engine.say(file, names)
        except NotGivenError as err:
            raise self._needs(str(err.message), file) from err

    def _typed(self) -> str:
        """The message, for the channels that no file speaks for."""
        if self._facts.message:
            return self._facts.message
        raise UsageError(
            f"the template {self._stem} speaks for some channels only, and there is no message for the others",
            hint=f"{self._command(NAMES['message'].add)}, or add a file {self._stem}.j2",
        )

    # --- what is missing, or too much

    def _demand_kind(self) -> None:
        """The words for another kind of announcement ("Update: …" at the end of it all) are a slip of the hand."""
        stems = {f"{kind}{status}": kind for kind in Kind for status in ("", *(f"-{each}" for each in Status))}
        meant = stems.get(self._stem)
        if meant is not None and meant is not self._facts.kind:
            raise UsageError(
                f"the template {self._stem} is for {_MADE_BY[meant]}, and this is {_MADE_BY[self._facts.kind]}",
                hint=self._again(str(self._facts.kind), self._given),
            )

    def _demand_files(self) -> None:
        if files.speaking(self._shelves, self._stem, self._facts.status):
            return
        if others := files.statuses(self._shelves, self._stem):
            raise UsageError(
                f"the template {self._stem} has words for --status {' and '.join(others)} only",
                hint=f"{self._command(f'--status {others[0]}')}, or add a file {self._stem}.j2",
            )
        known = sorted({name for shelf in self._shelves for name in shelf.names})
        meant = files.nearest(self._stem.removesuffix(".j2"), known)
        raise UsageError(
            f"there is no template {self._stem[:60]!r}; there are: {', '.join(known) or 'none'}",
            hint=self._again(meant, self._given if meant else {}),
        )

    def _demand_used(self) -> None:
        """A --var that nothing uses is a typing error; it would be left out without a word."""
        known = self._known() if self._given else None
        wrong = next((name for name in self._given if known is not None and name not in known), None)
        if known is None or wrong is None:
            return
        meant = files.nearest(wrong, known)
        given = {meant if meant and name == wrong else name: value for name, value in self._given.items()}
        raise UsageError(
            f"the template {self._stem} does not use --var {wrong}; {_takes(known) or 'it takes none'}",
            hint=self._again(self._name, {name: value for name, value in given.items() if name in known}),
        )

    def _known(self) -> set[str] | None:
        """The variables that some file of this template uses; None where only rendering can tell."""
        used = [self._engine.uses(file) for file in files.speaking(self._shelves, self._stem, self._facts.status)]
        return None if None in used else {name for names in used for name in names or ()} - set(NAMES)

    def _needs(self, name: str, file: str) -> UsageError:
        if name in NAMES:
            fact = NAMES[name]
            only = f"use it only where there is one: {{% if {name} %}} in {file}"
            what = f"the template {self._stem} needs `{name}`: {fact.do}"
            return UsageError(what, hint=self._command(fact.add) if fact.add else only)
        also = _takes((self._known() or set()) - {name} - set(self._given))
        meant = files.nearest(name, set(NAMES), files.ALIKE)
        what = f"the template {self._stem} needs --var {name}=…"
        more = f"; or is {meant} meant, in {file}?" if meant else f" ({also})" if also else ""
        return UsageError(what + more, hint=self._command(f"--var {name}=…"))

    def _command(self, more: str) -> str:
        """The same command with what it lacked."""
        return self._again(self._name, self._given, more)

    def _again(self, name: str | None, given: Mapping[str, str], more: str = "") -> str:
        """What to type; the options that are not about templates (--to, --dry-run) are known to whoever typed them."""
        pairs = [f"--var {shlex.quote(f'{key}={value}')}" for key, value in given.items()]
        said = " ".join(filter(None, (f"--template {name}" if name else "", *pairs, more)))
        return f"type the same again with {said or '--template NAME'}"


def _takes(names: set[str]) -> str:
    return f"it takes {', '.join(sorted(names))}" if names else ""
