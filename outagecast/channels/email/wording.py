"""What all letters of an announcement say: the words, and every header that they share, fixed when it is planned."""

from __future__ import annotations

import re
from datetime import UTC
from typing import TYPE_CHECKING

from outagecast.channel import Kind, Post
from outagecast.channels.email import addresses, body, headers, picture

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from outagecast.channel import Announcement, House, Image
    from outagecast.channels.email.settings import EmailSettings

_MOST_SUBJECT = 120


def render(news: Announcement, house: House, settings: EmailSettings) -> Post:
    """The one wording of all letters of an announcement; ValueError when it cannot be carried."""
    text = body.compose(news, house)
    sender = settings.from_address
    thread = addresses.digest(f"{news.incident.key}\0{news.incident.opened_at.isoformat()}", 20)
    subject = _subject(news, house)
    return Post(
        text=text,
        data={
            "subject": subject,
            "date": headers.date(news.at.astimezone(UTC)),
            "thread": thread,
            "seq": str(news.seq),
            "domain": sender.domain,
            "headers": "\r\n".join(_shared_headers(news, house, settings, subject, thread)),
            "envelope_sender": settings.envelope_sender or sender.spec,
            "unsubscribe": ", ".join(settings.unsubscribe_uris),
            "one_click": "yes" if settings.one_click else "",
            **(_illustrated(news.image, text, f"{thread}.u{news.seq}.picture@{sender.domain}") if news.image else {}),
        },
        image=news.image,
        warnings=[f"with the picture each letter has {picture.weight(news.image)}"] if news.image else (),
    )


def _illustrated(image: Image, text: str, identifier: str) -> Mapping[str, str]:
    """What a letter with this picture has besides: the border between its parts, and the header of the second."""
    import hashlib

    # Made of what it must not stand in, and so it never does; and it names the picture where letters are made.
    border = addresses.digest(f"{identifier}\0{text}\0{hashlib.sha256(image.data).hexdigest()}", 40)
    return {"border": border, "picture": "\r\n".join(picture.part(image, identifier))}


def _subject(news: Announcement, house: House) -> str:
    """The same stem for every announcement of an incident, whatever it is called now: mail programs thread by it.

    It has to stay true as well, so the ETA that the first words gave is not in it.
    """
    title = body.lasting(news.incident.opened_as or news.incident.title)
    stem = f"[{' '.join(house.organization.split())}] {title}".strip()
    if len(stem) > _MOST_SUBJECT:
        stem = stem[: _MOST_SUBJECT - 1].rpartition(" ")[0].rstrip(" ,;:") or stem[: _MOST_SUBJECT - 1]
        stem += "…"
    return f"{stem} [RESOLVED]" if news.kind is Kind.RESOLVED else stem


def _shared_headers(
    news: Announcement, house: House, settings: EmailSettings, subject: str, thread: str
) -> Sequence[str]:
    sender = settings.from_address
    lines = [
        headers.mailbox("From", sender),
        headers.text("Subject", subject),
        f"Date: {headers.date(news.at.astimezone(UTC))}",
        headers.listed("List-Id", f"{house.organization} outage notices", _list_id(settings)),
        # RFC 2369 3.4: the one signal that nobody may post here; mail programs then offer no reply to the list.
        "List-Post: NO",
        "Auto-Submitted: auto-generated",
        "Precedence: bulk",
        # MS-OXCMAIL 2.1.3.2.20. Not NDR: bounces must come.
        "X-Auto-Response-Suppress: DR, RN, NRN, OOF, AutoReply",
        headers.structured("Feedback-ID", f"{thread[:10]}:email:outage:{_feedback_sender(sender.domain)}"),
        "MIME-Version: 1.0",
    ]
    if help_at := _uri(house.support):
        lines.append(headers.structured("List-Help", f"<{help_at}>"))
    return lines


def _uri(support: str) -> str:
    """Where help is, as List-Help wants it (RFC 2369 3.1); empty when it is a phone number, say."""
    if re.fullmatch(r"(https|mailto):[!-;=?-~]+", support):
        return support
    return f"mailto:{support}" if re.fullmatch(r"[A-Za-z0-9._+-]+@[A-Za-z0-9.-]+", support) else ""


def _list_id(settings: EmailSettings) -> str:
    return addresses.ascii_domain(settings.list_id or f"outages.{settings.from_address.domain}")


def _feedback_sender(domain: str) -> str:
    """Gmail wants the last field of a Feedback-ID stable and of 5 to 15 characters."""
    return f"{''.join(filter(str.isalnum, domain))[:15]:x<5}"
