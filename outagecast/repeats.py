"""Whether a request was announced before: then that is finished, and nothing is swallowed without a word."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from outagecast import images
from outagecast.errors import UsageError
from outagecast.journal import Scope
from outagecast.model import Kind
from outagecast.phrasing import promise

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from outagecast.journal import AnnouncementRow, Journal
    from outagecast.model import Announcement
    from outagecast.phrasing import Request, Words

SAME_WITHIN = timedelta(minutes=15)
"""Without a key, the same words within this time are the same announcement."""
_TOLD_APART = timedelta(minutes=1)
"""Readers see an ETA to the minute; and an announcement's own time may be seconds later than its ETA was understood."""


def same(
    journal: Journal, request: Request, words: Words, row: AnnouncementRow | None, now: datetime
) -> AnnouncementRow | None:
    """The row of these words; None where they are news again.

    UsageError where it was just taken back, or where other options would be swallowed.
    """
    if row is None or (row.withdrawn_at and now - row.withdrawn_at > SAME_WITHIN):
        return None
    if row.withdrawn_at:
        raise _taken_back(request, row.news)
    news = journal.whole(row, "")
    running = _running(journal, row, now)
    if not running and _moves_on(request, words, news, now):
        return None
    if option := next(_others(request, words, news, running=running), None):
        raise _swallowed(request, news, option)
    return row


def _running(journal: Journal, row: AnnouncementRow, now: datetime) -> bool:
    """Whether the same words still mean what they meant: an incident opens once, and whatever waits is to be finished.

    Of news, "in an hour" is other news a while later; and once that hour is over, whatever of it still waits: one
    reader whose mailbox is full must not keep the others from the next hour's.
    """
    if row.news.kind is Kind.OPENED or now - row.news.at <= SAME_WITHIN:
        return True
    return (row.news.eta is None or row.news.eta > now) and bool(journal.unfinished(Scope((row.id,))))


def _moves_on(request: Request, words: Words, news: Announcement, now: datetime) -> bool:
    """Whether the ETA is counted from when it is said ("1h")."""
    then = _then(request, words, news)
    return then is not None and _near(words.eta, then + (now - news.at))


def _others(request: Request, words: Words, news: Announcement, *, running: bool) -> Iterator[str]:
    """The options that ask for something else than was announced in these words."""
    asked = {
        "--status": (request.status, news.status),
        "--link": (request.link, news.link),
        "--group": (request.groups or None, tuple(news.groups) or None),
        "--title": (words.title, news.incident.title if news.seq else news.incident.opened_as),
    }
    yield from (option for option, (wanted, had) in asked.items() if wanted is not None and wanted != had)
    if not _same_eta(request, words, news, running=running):
        yield "--eta"
    if request.image is not None and not images.alike(request.image, news.image):
        yield "--image"


def _same_eta(request: Request, words: Words, news: Announcement, *, running: bool) -> bool:
    """Whether no other moment is meant; while it is the same command, its ETA is that of when it was first typed."""
    then = _then(request, words, news)
    if words.eta is None or then is None or _near(words.eta, news.eta):
        return True
    return running and _near(then, news.eta)


def _then(request: Request, words: Words, news: Announcement) -> datetime | None:
    """What the ETA that is typed now would have meant when these words were announced."""
    try:
        return promise(request, words.text, news.at, words.zone)
    except UsageError:
        # A date: too far ahead then, or behind because the clock was set back. It means the same at any time.
        return words.eta


def _near(one: datetime | None, other: datetime | None) -> bool:
    return one is not None and other is not None and abs(one - other) < _TOLD_APART


def _taken_back(request: Request, news: Announcement) -> UsageError:
    another = f" and another key: --incident {news.incident.key}-2" if request.key and not news.seq else ""
    return UsageError(
        f"these words were announced as {news.incident.key} and have been taken back",
        hint=f"to announce them anew on purpose, type the same with --again{another}",
    )


def _swallowed(request: Request, news: Announcement, option: str) -> UsageError:
    key = news.incident.key
    if news.seq:
        hint = "if this is news, type the same with --again"
    else:
        anew = "" if request.key else ", or add --again for a new incident"
        hint = f"outagecast update --incident {key} MESSAGE{anew}"
    return UsageError(f"these words were announced as {key} already, with another {option}", hint=hint)
