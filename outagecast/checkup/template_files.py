"""What is wrong with the user's own templates, before one of them stands in the way of an announcement."""

from __future__ import annotations

from typing import TYPE_CHECKING

from outagecast.model import Finding, Level

if TYPE_CHECKING:
    from collections.abc import Iterator

    from outagecast.config import Config

_SUBJECT = "templates"


def findings(config: Config) -> Iterator[Finding]:
    """Files that nothing uses, and mistakes in those that something does; nothing at all without a folder."""
    if config.templates is None:
        return
    from outagecast import templates

    folder = config.templates
    unused = "correct its name, or move it out of the folder"
    if not folder.exists():
        unused = f"mkdir -p {folder}, or correct `templates:` in {config.path}"
    types = {name: section.type for name, section in config.channels.items()}
    sound = True
    for text in templates.oddities(folder, types):
        sound = False
        yield Finding(_SUBJECT, Level.WARNING, text, unused)
    for text in templates.faults(folder):
        sound = False
        yield Finding(_SUBJECT, Level.BAD, text, "correct it, or move it out of the folder")
    if sound:
        yield Finding(_SUBJECT, Level.GOOD, f"the templates in {folder} have no mistakes")
