"""Photos at the simulated Graph API: uploaded first, seen by nobody until a post carries them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from outagecast.sandbox.graph_calls import flag, need, refuse
from outagecast.sandbox.messages import Answer, json_answer

if TYPE_CHECKING:
    from outagecast.sandbox.graph import Call, GraphPlatform

LARGEST = 4 * 1024 * 1024
_SIGNATURES = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF87a", b"GIF89a", b"BM", b"II*\x00", b"MM\x00*")


def upload(platform: GraphPlatform, call: Call) -> Answer:
    """POST /{page}/photos, by URL (which is not fetched) or as a file."""
    need(platform, call, "pages_manage_posts", "pages_read_engagement")
    if not call.given.get("url"):
        _check(platform, call.request.files.get("source"))
    published = flag(platform, call, "published", default=True)
    photo = platform.page.photo(call.given.get("alt_text_custom", ""), call.request.at)
    if not published:
        return json_answer({"id": photo.id})
    post = platform.page.post("", call.request.at, published=True, link=None, photos=[photo.id])
    return json_answer({"id": photo.id, "post_id": post.id})


def _check(platform: GraphPlatform, content: bytes | None) -> None:
    """Refuse what is no image that Facebook takes; a `source` that is no file of the form counts as none."""
    if content is None:
        refuse(platform, "photo-missing")
    if len(content) > LARGEST:
        refuse(platform, "photo-too-large")
    if not content.startswith(_SIGNATURES) and not _is_webp(content):
        refuse(platform, "photo-invalid")


def _is_webp(content: bytes) -> bool:
    return content[:4] == b"RIFF" and content[8:12] == b"WEBP"
