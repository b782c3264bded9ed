"""From what was typed to the words that go out: cleaned, its ETA understood, said by a template where there is one."""

from __future__ import annotations

import json
import re
from datetime import UTC
from typing import TYPE_CHECKING

import msgspec

from outagecast import eta as etas
from outagecast.errors import UsageError
from outagecast.model import Kind
from outagecast.text import clean, defuse, one_line

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime, tzinfo
    from pathlib import Path

    from outagecast.images import Missing
    from outagecast.model import House, Image, Incident, Status

TITLE = 100
"""Characters of the message that make the title when none is given."""
_LINK = re.compile(r"https?://[^\s<>\"]{3,2000}", re.IGNORECASE)


class Request(msgspec.Struct, frozen=True):
    """What a person or a runbook asks to announce, as typed."""

    text: str | None
    """None where nothing was typed: a template, or `default`, says it all."""
    default: str | None = None
    key: str | None = None
    title: str | None = None
    status: Status | None = None
    eta: str | None = None
    link: str | None = None
    groups: tuple[str, ...] = ()
    image: Image | Missing | None = None
    template: str | None = None
    variables: Mapping[str, str] = msgspec.field(default_factory=dict)
    again: bool = False
    defuse: bool = False


class Words(msgspec.Struct, frozen=True):
    """What was typed, understood, before it is known what it follows."""

    typed: str
    """Tells one request from another."""
    text: str | None
    title: str | None
    eta: datetime | None
    link: str | None
    plain: str = ""
    """What is said where no template says it; empty: what was typed."""
    zone: tzinfo = UTC
    """That of its clock times."""


class Said(msgspec.Struct, frozen=True):
    """The words of an announcement."""

    text: str
    """Without anything that was added."""
    ways: Sequence[str]
    """What goes out, and then the same with less and less of what was added."""
    on: Mapping[str, Sequence[str]]
    """The same for the channels on which a template says it in another way."""
    eta: datetime | None


class Pen(msgspec.Struct, frozen=True):
    """Puts into words; knows whose words they are, and the templates. No network, and nothing is written."""

    house: House
    templates: Path | None = None
    channels: Mapping[str, str] = msgspec.field(default_factory=dict)
    """The type of each configured channel, by name."""

    def understand(self, request: Request, now: datetime) -> Words:
        """Check what was typed. Raises UsageError about anything that cannot be announced."""
        if request.key is not None:
            one_line(request.key, "incident key")
        text = clean(request.text) if request.text is not None else None
        return Words(
            typed=_typed(request, text),
            text=text,
            title=one_line(request.title, "title") if request.title is not None else None,
            eta=promise(request, text, now, self.house.timezone),
            link=_link(request.link),
            plain=(request.default or "") if text is None else "",
            zone=self.house.timezone,
        )

    def say(
        self,
        request: Request,
        words: Words,
        *,
        kind: Kind,
        incident: Incident,
        number: int,
        now: datetime,
        taken_back: Sequence[str] = (),
    ) -> Said:
        """The words of an announcement of `incident`, which is as it was before. Raises UsageError about a template."""
        before = incident.eta if kind is Kind.UPDATE else None
        was = etas.replaced(words.eta, before, now)
        written = self._written(request, words, kind, incident, number, was, now, taken_back)
        if written is None and request.variables:
            known = ", ".join(self._names())
            raise UsageError(
                "--var fills a template, and none is used here", hint=f"add --template NAME; there are: {known}"
            )
        text, others = (clean(written[0]), written[1]) if written else (words.plain or words.text or "", {})
        if kind is Kind.CORRECTION:
            # An ETA in it is quoted: it is no promise any more, and least of all one of this hour.
            return Said(text, [text], {name: [clean(other)] for name, other in others.items()}, None)
        found = etas.find(text, now, self.house.timezone)
        # A template may say when by itself.
        at = words.eta or (found.at if found else None)
        was = etas.replaced(at, before, now)
        on = {name: self._ways(request, clean(other), now, was) for name, other in others.items()}
        return Said(text, self._ways(request, text, now, was), on, at)

    def _names(self) -> Sequence[str]:
        from outagecast import templates

        return list(templates.names(self.templates))

    def _written(
        self,
        request: Request,
        words: Words,
        kind: Kind,
        incident: Incident,
        number: int,
        was: datetime | None,
        now: datetime,
        taken_back: Sequence[str],
    ) -> tuple[str, Mapping[str, str]] | None:
        """What a template makes of it: for every channel, and for those that have one of their own."""
        if request.template is None and self.templates is None:
            return None
        from outagecast import templates

        if request.template is None and not templates.applies(self.templates, kind, request.status):
            return None
        facts = templates.Facts(
            kind=kind,
            message=words.text,
            title=incident.title,
            key=incident.key,
            organization=self.house.organization,
            support=self.house.support,
            status=request.status,
            link=words.link,
            eta=words.eta or (standing(incident, now) if kind is Kind.UPDATE else None),
            was=was,
            number=number,
            at=now,
            opened_at=incident.opened_at,
            resolved_at=incident.resolved_at,
            zone=self.house.timezone,
            taken_back=taken_back,
        )
        written = templates.write(self.templates, request.template, facts, request.variables, self.channels)
        return written.words, written.on

    def _ways(self, request: Request, text: str, now: datetime, was: datetime | None) -> list[str]:
        """The text with its ETA's absolute time and the ETA before; then without the latter; then as it is."""
        ways = [self._dated(request, text, now, was), self._dated(request, text, now, None), text]
        if request.defuse:
            ways = [defuse(way) for way in ways]
        return list(dict.fromkeys(ways))

    def _dated(self, request: Request, text: str, now: datetime, was: datetime | None) -> str:
        zone = self.house.timezone
        if request.eta is not None:
            at = etas.parse(request.eta, now, zone)
            phrase = etas.phrase(at, now, was)
            return text if etas.phrase(at, now).removeprefix("ETA ") in text else f"{text} ({phrase})"
        found = etas.find(text, now, zone)
        return etas.absolute(text, found, now, was) if found else text


def promise(request: Request, text: str | None, at: datetime, zone: tzinfo) -> datetime | None:
    """When service is expected back according to a request that is made at `at`. UsageError for an --eta of no use."""
    if request.eta is not None:
        return etas.parse(request.eta, at, zone)
    found = etas.find(text, at, zone) if text else None
    return found.at if found else None


def _typed(request: Request, text: str | None) -> str:
    # Variables without --template are for the template of the kind: other ones make another announcement all the same.
    if request.template is None and not request.variables:
        return text or request.default or ""
    return json.dumps([request.template, text, sorted(request.variables.items())], ensure_ascii=False)


def standing(incident: Incident, now: datetime) -> datetime | None:
    """The ETA that was promised and has not passed yet."""
    return incident.eta if incident.eta and incident.eta > now else None


def title_of(text: str) -> str:
    """The first line of a message, cut at a word where it is long."""
    line = re.sub(r"\s+", " ", text.split("\n", 1)[0]).strip()
    if len(line) <= TITLE:
        return line
    return line[:TITLE].rsplit(" ", 1)[0].rstrip(" ,;:-") + "…"


def _link(link: str | None) -> str | None:
    if link is None:
        return None
    if not _LINK.fullmatch(link):
        raise UsageError(f"--link {link!r} is no web address", hint='like this: --link "https://status.example.net/1"')
    return link
