"""What `--dry-run` shows: each channel's posts as `render` makes them, measured as the platform measures."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from outagecast.deliver.posts import BARE
from outagecast.errors import Refused
from outagecast.report import incident_json
from outagecast.secrets import Secret

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from outagecast.announce import Draft
    from outagecast.config import Config
    from outagecast.journal import ChannelPlan
    from outagecast.model import Image, Post
    from outagecast.registry import Opened


def preview_json(
    draft: Draft, opened: Mapping[str, Opened], subscribers: int, refusals: Mapping[str, Refused] | None = None
) -> dict[str, Any]:
    """The object that `--dry-run --json` prints; `subscribers` is how many the journal has for this announcement.

    `refusals` are the channels whose config would refuse it although it can be rendered: a variable is missing, say.
    """
    pictured = draft.news.image is not None or any(post.image for plan in draft.plans for post in plan.posts)
    return {
        "schema": "outagecast.preview/1",
        "incident": incident_json(draft.news.incident),
        "channels": [
            _channel(plan, opened[plan.name], subscribers, (refusals or {}).get(plan.name), pictured=pictured)
            for plan in draft.plans
        ],
        "exit_code": 0,
    }


def refusals(config: Config, names: Iterable[str]) -> dict[str, Refused]:
    """The channels that cannot read a secret they need. Passwords of keyrings and commands are not asked for."""
    found: dict[str, Refused] = {}
    for name in names:
        section = config.channels[name]
        try:
            for value in _values(section.settings):
                if isinstance(value, Secret) and not re.search(r"\$\{(command|keyring):", value.template):
                    value.reveal()
        except Refused as err:
            found[name] = err
    return found


def _values(settings: object) -> Iterable[object]:
    """The values of a settings struct, those in its lists too."""
    for field in getattr(settings, "__struct_fields__", ()):
        value = getattr(settings, field)
        yield from value if isinstance(value, list | tuple) else (value,)


def _channel(
    plan: ChannelPlan, opened: Opened, subscribers: int, refusal: Refused | None, *, pictured: bool
) -> dict[str, Any]:
    error = plan.error or (refusal.text if refusal else "")
    out: dict[str, Any] = {
        "name": plan.name,
        "type": plan.type,
        "error": error or None,
        "hint": plan.hint or (refusal.hint if refusal else "") or None,
        "posts": [_post(post, opened, bare=pictured and post.part == 1 and not post.image) for post in plan.posts],
    }
    if plan.letters:
        out["recipients"] = len(plan.recipients.addresses) + (subscribers if plan.recipients.subscribers else 0)
    return out


def _post(post: Post, opened: Opened, *, bare: bool) -> dict[str, Any]:
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
        "image": _image(post.image) if post.image else None,
        "warnings": [*post.warnings, *([BARE] if bare else [])],
    }


def _image(image: Image) -> dict[str, Any]:
    return {"name": image.name, "type": image.type, "size": len(image.data), "alt": image.alt}
