"""What `--dry-run` shows: each channel's posts as `render` makes them, measured as the platform measures."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from outagecast.report import incident_json

if TYPE_CHECKING:
    from collections.abc import Mapping

    from outagecast.announce import Draft
    from outagecast.journal import ChannelPlan
    from outagecast.model import Post
    from outagecast.registry import Opened


def preview_json(draft: Draft, opened: Mapping[str, Opened], subscribers: int) -> dict[str, Any]:
    """The object that `--dry-run --json` prints; `subscribers` is how many the journal has for this announcement."""
    return {
        "schema": "outagecast.preview/1",
        "incident": incident_json(draft.news.incident),
        "channels": [_channel(plan, opened[plan.name], subscribers) for plan in draft.plans],
        "exit_code": 0,
    }


def _channel(plan: ChannelPlan, opened: Opened, subscribers: int) -> dict[str, Any]:
    out: dict[str, Any] = {
        "name": plan.name,
        "type": plan.type,
        "error": plan.error or None,
        "hint": plan.hint or None,
        "posts": [_post(post, opened) for post in plan.posts],
    }
    if plan.letters:
        out["recipients"] = len(plan.recipients.addresses) + (subscribers if plan.recipients.subscribers else 0)
    return out


def _post(post: Post, opened: Opened) -> dict[str, Any]:
    limits = opened.channel.caps.limits if opened.channel else ()
    # With several limits the one that is nearest to being reached is the one to know about.
    tightest = max(limits, key=lambda limit: limit.count(post.text) / limit.most, default=None)
    return {
        "part": post.part,
        "parts": post.parts,
        "text": post.text,
        "length": tightest.count(post.text) if tightest else len(post.text),
        "limit": tightest.most if tightest else None,
        "unit": tightest.unit if tightest else "characters",
        "cost": post.data.get("cost"),
        "subject": post.data.get("subject"),
        "warnings": list(post.warnings),
    }
