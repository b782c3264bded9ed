"""Recognizing our own posts in what X gives back."""

from __future__ import annotations

import re
import unicodedata
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from outagecast.channel import Replies
from outagecast.text import x_links

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_EPOCH_MS = 1_288_834_974_657
"""When X's ids begin: their upper bits are the milliseconds since 2010-11-04T01:42:54.657Z."""

_ID = re.compile(r"[0-9]+")
_SHORT_AT_END = re.compile(r"\s*(https://t\.co/\w+)\Z")


def is_id(value: str) -> bool:
    """Tell whether this is one of X's ids: ASCII digits alone, as `str.isdigit` also takes `²`."""
    return _ID.fullmatch(value) is not None


def same_text(ours: str, found: Mapping[str, Any]) -> bool:
    """Tell whether a post that was read back says what we said."""
    return _canonical(ours) == _canonical(_as_written(found))


def hangs_under(found: Mapping[str, Any], parent: str | None) -> bool:
    """Tell whether a post that was read back replies to `parent`, or is a root if that is None.

    Fields can be missing from X's answers without a word. Where nothing tells, the text alone has to decide, as it
    is unique in the account: better to take a post of ours for another one of ours than to publish twice.
    """
    for reference in _objects(found.get("referenced_tweets")):
        if reference.get("type") == "replied_to":
            return reference.get("id") == parent
    root = found.get("conversation_id")
    return not root or (root == found.get("id")) == (parent is None)


def made_at(ref: str) -> datetime | None:
    """Read from an id when its post was made; None for an id that is none of X's."""
    if not (is_id(ref) and 15 < len(ref) < 20):
        return None
    return datetime.fromtimestamp(0, UTC) + timedelta(milliseconds=(int(ref) >> 22) + _EPOCH_MS)


def _as_written(found: Mapping[str, Any]) -> str:
    """Undo what X does to a text: `& < >` escaped, links replaced by t.co ones, one for the picture put behind it."""
    from html import unescape

    text = unescape(str(found.get("text", "")))
    entities = found.get("entities")
    urls = list(_objects(entities.get("urls") if isinstance(entities, dict) else None))
    last = _SHORT_AT_END.search(text)
    if last and last[1] not in {url.get("url") for url in urls}:
        text = text[: last.start()]  # X has left out what it stands for; it can only be the picture
    for url in urls:
        short, long = url.get("url"), url.get("expanded_url")
        if isinstance(short, str) and isinstance(long, str) and short:
            text = text.replace(short, "" if _is_own_picture(url, found) else long)
    return text


def _is_own_picture(url: Mapping[str, Any], found: Mapping[str, Any]) -> bool:
    """Tell whether a link stands for a picture of the post itself; the words may well hold one to another's."""
    return "media_key" in url or f"/status/{found.get('id')}/photo/" in str(url.get("expanded_url"))


def _canonical(text: str) -> str:
    """Bring both sides to one form: NFC, blanks alike, links without scheme, case and closing slash.

    X writes `http://` before a bare host. Only links are compared so loosely; a text is unique by its time anyway.
    """
    text = unicodedata.normalize("NFC", text)
    pieces, at = [], 0
    for link in x_links(text):
        pieces += [text[at : link.start], link.text.lower().partition("://")[2] or link.text.lower()]
        pieces[-1] = pieces[-1].rstrip("/")
        at = link.end
    return " ".join("".join([*pieces, text[at:]]).split())


def _objects(value: object) -> Iterator[Mapping[str, Any]]:
    if isinstance(value, list):
        yield from (item for item in value if isinstance(item, dict))


def reply_state(found: Mapping[str, Any]) -> Replies:
    """Say what a post that was read back tells about replies to it.

    The value is `mentionedUsers` in X's OpenAPI file and `mentioned_users` in its documents (November 2026). A field
    that is absent was dropped in silence somewhere: not verified, but not open either.
    """
    value = found.get("reply_settings")
    if not isinstance(value, str) or not value:
        return Replies.UNVERIFIED
    return Replies.CLOSED if value.replace("_", "").lower() == "mentionedusers" else Replies.OPEN


def posted_at(found: Mapping[str, Any]) -> datetime | None:
    """Read when a post that was read back was made."""
    try:
        return datetime.fromisoformat(str(found.get("created_at")))
    except ValueError:
        return made_at(str(found.get("id")))
