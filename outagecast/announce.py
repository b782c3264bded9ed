"""From the words to what is planned: the incident, and each channel's posts. No network."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, cast

import msgspec
from msgspec.structs import replace

from outagecast import images
from outagecast.channel import Edits
from outagecast.errors import Refused, UsageError
from outagecast.journal import AnnouncementRow, ChannelPlan
from outagecast.journal.rows import said_on
from outagecast.model import Announcement, Incident, IncidentState, Kind, Post
from outagecast.phrasing import standing, title_of
from outagecast.repeats import SAME_WITHIN, same
from outagecast.text import one_line

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from outagecast.channel import Channel, Letters
    from outagecast.journal import Journal
    from outagecast.phrasing import Pen, Request, Said, Words
    from outagecast.registry import Opened


class Draft(msgspec.Struct, frozen=True):
    """An announcement with each channel's share of it, ready to be planned or previewed."""

    news: Announcement
    plans: Sequence[ChannelPlan]


def already(
    journal: Journal, request: Request, words: Words, now: datetime, expires: timedelta
) -> AnnouncementRow | None:
    """The announcement that this request has already made, or None; UsageError when its key is taken by another.

    Without a key: the same words a moment ago, or of an open incident that is not finished and not too old for it.
    """
    if request.key is None:
        if request.again:
            return None
        return same(journal, request, words, journal.opened_with(words.typed, now - SAME_WITHIN, now - expires), now)
    incident = journal.incident(one_line(request.key, "incident key"))
    if incident is None:
        return None
    first = journal.announcements(incident.key)[0]
    if first.news.typed == words.typed and not request.again and (found := same(journal, request, words, first, now)):
        return found
    if incident.state is IncidentState.OPEN:
        raise UsageError(
            f"the incident {incident.key} is already open ({incident.title}): use update",
            hint=f"outagecast update --incident {incident.key} MESSAGE",
        )
    raise UsageError(
        f"the incident {incident.key} is resolved; a new one needs a key of its own",
        hint=f"outagecast post --incident {incident.key}-2 MESSAGE",
    )


def opening(
    pen: Pen,
    journal: Journal | None,
    channels: Sequence[Opened],
    request: Request,
    words: Words,
    now: datetime,
) -> Draft:
    """The first announcement of a new incident, rendered, with texts that none of the accounts has said before."""
    key = one_line(request.key, "incident key") if request.key is not None else _free_key(journal, now)
    title = words.title or title_of(words.text or "")
    incident = Incident(key=key, title=title, opened_as=title, state=IncidentState.OPEN, opened_at=now)
    return unique(journal, channels, news_of(pen, request, words, Kind.OPENED, incident, 0, now))


def news_of(
    pen: Pen,
    request: Request,
    words: Words,
    kind: Kind,
    incident: Incident,
    seq: int,
    now: datetime,
    taken_back: Sequence[str] = (),
) -> Announcement:
    """One thing to say about `incident`, which is as it was before; the announcement has it as it is with it."""
    said = pen.say(request, words, kind=kind, incident=incident, number=seq, now=now, taken_back=taken_back)
    return Announcement(
        incident=_after(incident, kind, words.title, said, now),
        seq=seq,
        kind=kind,
        text=said.text,
        words=said.ways[0],
        at=now,
        status=request.status,
        # One that has passed is no promise any more.
        eta=said.eta or (standing(incident, now) if kind is Kind.UPDATE else None),
        link=words.link,
        groups=request.groups,
        shorter=tuple(said.ways[1:]),
        image=images.there(request.image),
        typed=words.typed or said.text,
        said=said.on,
    )


def _after(incident: Incident, kind: Kind, title: str | None, said: Said, now: datetime) -> Incident:
    """The incident as an announcement of that kind leaves it."""
    if kind is Kind.CORRECTION:
        return incident
    over = kind is Kind.RESOLVED
    title = title or incident.title or title_of(said.text)
    return replace(
        incident,
        title=title,
        opened_as=incident.opened_as or title,
        eta=said.eta or (None if over else standing(incident, now)),
        state=IncidentState.RESOLVED if over else IncidentState.OPEN,
        resolved_at=(incident.resolved_at or now) if over else None,
    )


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
    news = said_on(news, opened.name)
    _check_image(opened.name, channel, news)
    try:
        posts = channel.render(news)
    except Refused as err:
        raise UsageError(f"{opened.name}: {err.text}", hint=err.hint) from err
    except Exception as err:  # noqa: BLE001  a plug-in's bug is that channel's own; the others go out
        why = f"the {opened.name} adapter failed unexpectedly ({type(err).__name__}: {err})"
        return ChannelPlan(opened.name, opened.type, opened.least, error=why, hint="report this bug")
    _check_limits(opened.name, channel, posts)
    plan = ChannelPlan(
        opened.name,
        opened.type,
        opened.least,
        account=opened.account,
        posts=posts,
        edits=channel.caps.can_edit and isinstance(channel, Edits),
        deletable=channel.caps.can_retract,
    )
    if not channel.caps.letters:
        return plan
    return replace(plan, letters=True, recipients=cast("Letters", channel).recipients)


def _check_image(name: str, channel: Channel, news: Announcement) -> None:
    """UsageError for a picture that a platform is known to refuse: that is better known before than after."""
    size, most = len(news.image.data) if news.image else 0, channel.caps.images
    if most and size > most:
        raise UsageError(
            f"{name}: the picture has {size / 1e6:.1f} MB; {most / 1e6:.1f} MB are the most",
            hint="make it smaller (an outage map is readable at 1600 pixels), or leave --image out",
        )


def _check_limits(name: str, channel: Channel, posts: Sequence[Post]) -> None:
    """A channel's render keeps its own limits; this is the fence behind it, for strangers' channels too."""
    for limit in channel.caps.limits:
        for post in posts:
            if (length := limit.count(post.text)) > limit.most:
                raise UsageError(
                    f"{name}: the text has {length} {limit.unit}, {limit.most} are allowed", hint="say it shorter"
                )


def again(journal: Journal, row: AnnouncementRow, channels: Sequence[Opened]) -> Draft:
    """An announcement that was planned before, rendered once more to be looked at."""
    return Draft(row.news, [render(one, journal.whole(row, one.name)) for one in channels])


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
        (plan,) = unique(journal, [opened], journal.whole(row, opened.name)).plans
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
