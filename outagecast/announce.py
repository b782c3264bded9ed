"""From what was typed to what is planned: the words, the incident, and each channel's posts. No network."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, cast

import msgspec
from msgspec.structs import replace

from outagecast import eta as etas
from outagecast.errors import Refused, UsageError
from outagecast.journal import AnnouncementRow, ChannelPlan
from outagecast.model import Announcement, Incident, IncidentState, Kind, Post, Status
from outagecast.text import clean, defuse, one_line

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from datetime import tzinfo

    from outagecast.channel import Channel, Letters
    from outagecast.journal import Journal
    from outagecast.registry import Opened

SAME_WITHIN = timedelta(minutes=15)
"""Without a key, the same words within this time are the same announcement."""
TITLE = 100
"""Characters of the message that make the title when none is given."""
_LINK = re.compile(r"https?://[^\s<>\"]{3,2000}", re.IGNORECASE)


class Request(msgspec.Struct, frozen=True):
    """What a person or a runbook asks to announce, as typed."""

    text: str
    key: str | None = None
    title: str | None = None
    status: Status | None = None
    eta: str | None = None
    link: str | None = None
    groups: tuple[str, ...] = ()
    again: bool = False
    defuse: bool = False


class Words(msgspec.Struct, frozen=True):
    """What was typed, understood."""

    text: str
    words: str
    title: str
    eta: datetime | None
    link: str | None


class Draft(msgspec.Struct, frozen=True):
    """An announcement with each channel's share of it, ready to be planned or previewed."""

    news: Announcement
    plans: Sequence[ChannelPlan]


def understand(request: Request, now: datetime, zone: tzinfo) -> Words:
    """The words that go out, with the absolute time of their ETA. Raises UsageError about anything that cannot."""
    text = clean(request.text)
    if request.key is not None:
        one_line(request.key, "incident key")
    found = etas.find(text, now, zone)
    words, at = text, None
    if request.eta is not None:
        at = etas.parse(request.eta, now, zone)
        words = f"{text} ({etas.phrase(at, now)})"
    elif found is not None:
        at = found.at
        words = etas.absolute(text, found, now)
    if request.defuse:
        words = defuse(words)
    title = one_line(request.title, "title") if request.title is not None else _title(text)
    return Words(text, words, title, at, _link(request.link))


def _title(text: str) -> str:
    """The first line of the message, cut at a word where it is long."""
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


def already(
    journal: Journal, request: Request, words: Words, now: datetime, expires: timedelta
) -> AnnouncementRow | None:
    """The announcement that this request has already made, or None; UsageError when its key is taken by another.

    Without a key: the same words a moment ago, or of an open incident that is not finished and not too old for it.
    """
    if request.key is None:
        return (
            None if request.again else _same(request, journal.opened_with(words.text, now - SAME_WITHIN, now - expires))
        )
    incident = journal.incident(one_line(request.key, "incident key"))
    if incident is None:
        return None
    first = journal.announcements(incident.key)[0]
    if first.news.text == words.text and not request.again:
        return _same(request, first)
    if incident.state is IncidentState.OPEN:
        raise UsageError(
            f"the incident {incident.key} is already open ({incident.title}): use update",
            hint=f"outagecast update --incident {incident.key} MESSAGE",
        )
    raise UsageError(
        f"the incident {incident.key} is resolved; a new one needs a key of its own",
        hint=f"outagecast post --incident {incident.key}-2 MESSAGE",
    )


def _same(request: Request, row: AnnouncementRow | None) -> AnnouncementRow | None:
    """The row; UsageError where other options would be swallowed without a word because the text is the same."""
    if row is None:
        return None
    news = row.news
    asked = {
        "--status": (request.status, news.status),
        "--link": (request.link, news.link),
        "--group": (request.groups or None, tuple(news.groups) or None),
        "--eta": (request.eta, request.eta if news.eta else None),
    }
    for option, (now, then) in asked.items():
        if now is not None and now != then:
            raise UsageError(
                f"these words were announced as {news.incident.key} already, with another {option}",
                hint=f"outagecast update --incident {news.incident.key} MESSAGE, or add --again for a new incident",
            )
    return row


def opening(
    journal: Journal | None, channels: Sequence[Opened], request: Request, words: Words, now: datetime
) -> Draft:
    """The first announcement of a new incident, rendered, with texts that none of the accounts has said before."""
    key = one_line(request.key, "incident key") if request.key is not None else _free_key(journal, now)
    incident = Incident(key=key, title=words.title, state=IncidentState.OPEN, opened_at=now, eta=words.eta)
    news = Announcement(
        incident=incident,
        seq=0,
        kind=Kind.OPENED,
        text=words.text,
        words=words.words,
        at=now,
        status=request.status,
        eta=words.eta,
        link=words.link,
        groups=request.groups,
    )
    return unique(journal, channels, news)


def _free_key(journal: Journal | None, now: datetime) -> str:
    key = now.astimezone(UTC).strftime("inc-%Y%m%d-%H%M")
    number = 1
    while journal is not None and journal.incident(key if number == 1 else f"{key}-{number}") is not None:
        number += 1
    return key if number == 1 else f"{key}-{number}"


def unique(journal: Journal | None, channels: Sequence[Opened], news: Announcement) -> Draft:
    """Render; where an account has said the very same before, show seconds, and then later ones, until none has.

    Platforms refuse equal texts (X: the account's last ten, twelve hours), and a post whose outcome is unknown is
    looked up by its text.
    """
    plans = [render(channel, news) for channel in channels]
    said = journal and _said_before(journal, plans)
    seconds = 0
    while journal and said:
        news = replace(news, seconds=True, at=news.at + timedelta(seconds=seconds))
        seconds = 1
        before, plans = plans, [render(channel, news) for channel in channels]
        # A stranger's channel whose texts carry no time would never become unique; it has to cope with that itself.
        changed = [new for old, new in zip(before, plans, strict=True) if _texts(new) != _texts(old)]
        said = _said_before(journal, changed)
    return Draft(news, plans)


def _texts(plan: ChannelPlan) -> list[str]:
    return [] if plan.letters else [post.text for post in plan.posts]


def _said_before(journal: Journal, plans: Sequence[ChannelPlan]) -> bool:
    return any(_texts(plan) and journal.texts(plan.name, _texts(plan)) for plan in plans)


def render(opened: Opened, news: Announcement) -> ChannelPlan:
    """One channel's share. UsageError when the content cannot go out there; its own failures stay its own."""
    if opened.channel is None:
        error = opened.error or Refused("the channel cannot be used", mendable=True)
        return ChannelPlan(opened.name, opened.type, opened.least, error=error.text, hint=error.hint)
    channel = opened.channel
    try:
        posts = channel.render(news)
    except Refused as err:
        raise UsageError(f"{opened.name}: {err.text}", hint=err.hint) from err
    except Exception as err:  # noqa: BLE001  a plug-in's bug is that channel's own; the others go out
        why = f"the {opened.name} adapter failed unexpectedly ({type(err).__name__}: {err})"
        return ChannelPlan(opened.name, opened.type, opened.least, error=why, hint="report this bug")
    _check_limits(opened.name, channel, posts)
    plan = ChannelPlan(opened.name, opened.type, opened.least, account=opened.account, posts=posts)
    if not channel.caps.letters:
        return plan
    return replace(plan, letters=True, recipients=cast("Letters", channel).recipients)


def _check_limits(name: str, channel: Channel, posts: Sequence[Post]) -> None:
    """A channel's render keeps its own limits; this is the fence behind it, for strangers' channels too."""
    for limit in channel.caps.limits:
        for post in posts:
            if (length := limit.count(post.text)) > limit.most:
                raise UsageError(
                    f"{name}: the text has {length} {limit.unit}, {limit.most} are allowed", hint="say it shorter"
                )


def check_groups(journal: Journal, groups: Sequence[str]) -> None:
    """UsageError for a group that nobody is in: a typing error would leave everybody unwritten to."""
    for name in groups:
        if not journal.subscriber_count([name]):
            known = ", ".join(journal.groups()) or "none yet"
            raise UsageError(
                f"--group {name}: no subscriber is in that group (groups: {known})",
                hint=f"outagecast subscribers add ADDRESS --group {name}",
            )


def missing(
    journal: Journal, row: AnnouncementRow, channels: Mapping[str, Opened], configured: Collection[str]
) -> list[ChannelPlan]:
    """The shares of channels that have none of an announcement yet, because they were not asked for or not usable."""
    known = set(journal.channels_of(row.id))
    return [late(journal, row, opened, configured) for name, opened in channels.items() if name not in known]


def late(journal: Journal, row: AnnouncementRow, opened: Opened, configured: Collection[str]) -> ChannelPlan:
    """A channel's share of what was announced before: what is wrong with it is its own, the others go on."""
    twin = _twin(journal, row, opened, configured)
    if twin:
        why = f"it is the same account as {twin!r}, on which this announcement is already"
        hint = f"name the section {twin!r} again in the config, or: outagecast settle {opened.name} --all --drop"
        return ChannelPlan(opened.name, opened.type, opened.least, error=why, hint=hint)
    try:
        (plan,) = unique(journal, [opened], row.news).plans
    except UsageError as err:
        return ChannelPlan(opened.name, opened.type, opened.least, error=err.text, hint=err.hint)
    return plan


def _twin(journal: Journal, row: AnnouncementRow, opened: Opened, configured: Collection[str]) -> str | None:
    """Another channel that has the announcement and is the same account, or may be: a section under a new name."""
    for name, account in journal.said_by(row.id, opened.type):
        if name == opened.name:
            continue
        known = bool(account and opened.account)
        # Where an account's name is not known without its keys, a section that has vanished was probably renamed.
        if account == opened.account if known else name not in configured:
            return name
    return None
