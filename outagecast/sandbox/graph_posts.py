"""What the simulated Page has: posts, photos, comments, tokens."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

ALL_SCOPES = (
    "pages_manage_posts",
    "pages_read_engagement",
    "pages_show_list",
    "pages_manage_engagement",
    "pages_read_user_content",
    "pages_manage_metadata",
)


class TokenKind(StrEnum):
    """Whom a token speaks for."""

    PAGE = "PAGE"
    USER = "USER"
    SYSTEM_USER = "SYSTEM_USER"
    APP = "APP"


@dataclass(slots=True)
class Token:
    """One access token. A test takes permissions away, or gives it a trouble, by changing it."""

    value: str
    kind: TokenKind
    scopes: set[str] = field(default_factory=lambda: set(ALL_SCOPES))
    trouble: str | None = None
    """The name in ERRORS of what every call with it answers, "token-463" say."""


@dataclass(frozen=True, slots=True)
class PagePost:
    """One post of the Page, published or not."""

    id: str
    message: str
    at: datetime
    published: bool
    permalink: str
    link: str | None = None
    photos: tuple[str, ...] = ()
    pinned: bool = False


@dataclass(frozen=True, slots=True)
class Photo:
    """One photo of the Page; a draft until a post carries it."""

    id: str
    at: datetime
    alt: str = ""


@dataclass(frozen=True, slots=True)
class Comment:
    """One comment, or a reply to one."""

    id: str
    post: str
    author: str
    author_name: str
    message: str
    at: datetime
    parent: str | None = None
    hidden: bool = False


class PageContent:
    """All that stands on the Page."""

    def __init__(self, page_id: str) -> None:
        self.page_id = page_id
        self.posts: dict[str, PagePost] = {}
        self.photos: dict[str, Photo] = {}
        self.comments: dict[str, Comment] = {}
        self._last = 2000

    def _number(self) -> int:
        self._last += 1
        return self._last

    def post(self, message: str, at: datetime, *, published: bool, link: str | None, photos: Sequence[str]) -> PagePost:
        """Make a post or a draft."""
        number = self._number()
        url = f"https://www.facebook.com/{self.page_id}/posts/{number}"
        made = PagePost(f"{self.page_id}_{number}", message, at, published, url, link, tuple(photos))
        self.posts[made.id] = made
        return made

    def photo(self, alt: str, at: datetime) -> Photo:
        """Keep a photo."""
        made = Photo(str(self._number()), at, alt)
        self.photos[made.id] = made
        return made

    def comment(self, post: PagePost, who: tuple[str, str], text: str, at: datetime, parent: str | None) -> Comment:
        """Put a comment under a post; its id has the post's, also when it is a reply to another."""
        ref = f"{post.id.partition('_')[2]}_{self._number()}"
        made = Comment(ref, post.id, who[0], who[1], text, at, parent)
        self.comments[made.id] = made
        return made

    def change(self, post: PagePost, **changes: Any) -> None:
        """Change a post."""
        self.posts[post.id] = replace(post, **changes)

    def hide(self, comment: Comment, *, hidden: bool) -> None:
        """Hide a comment or show it again."""
        self.comments[comment.id] = replace(comment, hidden=hidden)

    def delete(self, ref: str) -> None:
        """Take a post or a comment away, with all that hangs under it."""
        self.posts.pop(ref, None)
        self.comments.pop(ref, None)
        below = [c.id for c in self.comments.values() if ref in {c.post, c.parent}]
        for child in below:
            self.delete(child)

    def comments_of(self, ref: str, *, replies: bool) -> list[Comment]:
        """The comments under a post or a comment, oldest first; of a post with its `replies` or without."""
        if ref in self.comments:
            return [c for c in self.comments.values() if c.parent == ref]
        return [c for c in self.comments.values() if c.post == ref and (replies or c.parent is None)]


def stamp(at: datetime) -> str:
    """A time as the Graph API writes it."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S+0000")
