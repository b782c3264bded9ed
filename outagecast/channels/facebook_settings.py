"""The config keys of a Facebook Page, and how long each version of the Graph API lives."""

from __future__ import annotations

import re
from datetime import date
from enum import StrEnum

import msgspec

from outagecast.channel import ReplyControl, Secret
from outagecast.secrets import quoted
from outagecast.wire import loopback


class Publish(StrEnum):
    """How a post gets out."""

    TWO_PHASE = "two-phase"
    """A draft first, then published by its id: the second step can be repeated without a second post."""
    DIRECT = "direct"
    """In one request, for Pages that take no drafts."""


class Comments(StrEnum):
    """What a sweep does to strangers' comments."""

    HIDE = "hide"
    DELETE = "delete"
    LEAVE = "leave"


class Version(msgspec.Struct, frozen=True):
    """One version of the Graph API and the day it ends (None: not announced)."""

    name: str
    ends: date | None


# graph-api/changelog, read November 2026. Whatever is older than the first has ended (v20.0 on 2026-09-24).
VERSIONS: tuple[Version, ...] = (
    Version("v21.0", date(2027, 1, 21)),
    Version("v22.0", date(2027, 5, 20)),
    Version("v23.0", date(2027, 10, 8)),
    Version("v24.0", date(2028, 2, 18)),
    Version("v25.0", date(2028, 7, 29)),
    Version("v26.0", None),
)
DEFAULT_VERSION = "v25.0"


class FacebookSettings(msgspec.Struct, frozen=True, kw_only=True):
    """The keys of a channel of type facebook; raises ValueError with what would be right."""

    page_id: str
    page_access_token: Secret
    app_id: str | None = None
    app_secret: Secret | None = None
    api_version: str = DEFAULT_VERSION
    publish: Publish = Publish.TWO_PHASE
    comments: Comments = Comments.HIDE
    notice: bool = True
    simulator_url: str | None = None

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[0-9]+", self.page_id):
            raise ValueError(
                "page_id must be the Page's number, as in the Page's settings under Page transparency, not its name"
            )
        if self.app_id is not None and not re.fullmatch(r"[0-9]+", self.app_id):
            raise ValueError("app_id must be the app's number, as shown under developers.facebook.com/apps")
        _demand_living(self.api_version)
        if self.simulator_url:
            loopback(self.simulator_url)

    @property
    def reply_control(self) -> ReplyControl:
        """What these settings leave of the type's reply control: comments that are left alone are open."""
        return ReplyControl.NONE if self.comments is Comments.LEAVE else ReplyControl.MODERATED


def _demand_living(version: str) -> None:
    """Refuse a version that had ended when this was written; one that ends later is what `check` warns about."""
    found = re.fullmatch(r"v([0-9]{2})\.([0-9])", version)
    if not found:
        raise ValueError(f"api_version must look like {DEFAULT_VERSION}, not {quoted(version)}")
    oldest = VERSIONS[0].name
    if version < oldest:
        raise ValueError(f"api_version {version} of the Graph API has ended; the nearest living one is {oldest}")
