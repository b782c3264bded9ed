"""From the options that `post`, `update` and `resolve` share to the request that they make."""

from __future__ import annotations

from typing import TYPE_CHECKING

from outagecast import addresses
from outagecast.cli.surroundings import message, piped
from outagecast.errors import UsageError
from outagecast.phrasing import Request

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from outagecast.cli.surroundings import Surroundings
    from outagecast.images import Missing
    from outagecast.model import Image, Status


def asked(
    around: Surroundings,
    text: str | None,
    *,
    needed: str,
    default: str | None,
    incident: str | None,
    title: str | None,
    status: Status | None,
    eta: str | None,
    link: str | None,
    image: Path | None,
    alt: str | None,
    template: str | None,
    var: Sequence[str] | None,
    group: Sequence[str] | None,
    again: bool,
    defuse: bool,
) -> Request:
    """What was asked for; `default` is said where nothing is, and `needed` typed next where something has to be."""
    return Request(
        text=_words(around, text, needed, optional=template is not None or default is not None),
        default=default,
        key=incident,
        title=title,
        status=status,
        eta=eta,
        link=link,
        groups=tuple(addresses.group(name) for name in group or ()),
        image=_image(around, image, alt),
        template=template,
        variables=_variables(template, var),
        again=again,
        defuse=defuse,
    )


def _words(around: Surroundings, text: str | None, needed: str, *, optional: bool) -> str | None:
    """The message; None where there is none and none is needed."""
    if text is None and optional and not piped(around):
        return None
    return message(text, around, needed=needed)


def _variables(template: str | None, var: Sequence[str] | None) -> Mapping[str, str]:
    if not var:
        return {}
    from outagecast import templates

    # Without --template they are for the template that `templates:` has for announcements of this kind.
    return templates.variables(var)


def _image(around: Surroundings, path: Path | None, alt: str | None) -> Image | Missing | None:
    if path is None:
        if alt is not None:
            raise UsageError(
                "--alt describes a picture, and there is none", hint="add --image FILE, or leave --alt out"
            )
        return None
    from outagecast import images

    return images.read(around.cwd / path.expanduser(), alt)
