"""Before the night: what config, journal, templates, names and channels say of themselves, all at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from outagecast.checkup import blast, channel_checks, config_file, journal_file, readers, template_files
from outagecast.checkup.disk import MOUNTS, network_disk
from outagecast.checkup.leanings import leanings
from outagecast.checkup.looks import Look, all_findings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from datetime import datetime
    from pathlib import Path

    from outagecast.config import Config
    from outagecast.model import Finding
    from outagecast.names import Names
    from outagecast.registry import Opened

__all__ = ["check"]

PATIENCE = 30.0
"""Seconds each look gets; a rehearsal gets as many on top."""


def check(
    config: Config,
    opened: Mapping[str, Opened],
    journal: Path,
    *,
    now: Callable[[], datetime],
    names: Names,
    env: Mapping[str, str],
    live: bool = False,
    patience: float = PATIENCE,
    mounts: Path = MOUNTS,
) -> list[Finding]:
    """Everything that can be found wrong without publishing anything, in the same order every time.

    `live` also lets the channels make something that nobody sees. An interrupt ends it at once, with what is known.
    """

    def spread() -> Iterator[Finding]:
        disk = network_disk(journal, mounts)
        unusable = [name for name, one in opened.items() if one.channel is None]
        leant_on = leanings(config, opened, env, disk.host if disk else "")
        yield from blast.findings(config, leant_on, names, without=unusable)

    looks = [
        Look("config", lambda: config_file.findings(config, opened), patience),
        Look("journal", lambda: journal_file.findings(journal, now, mounts), patience),
        Look("templates", lambda: template_files.findings(config), patience),
        Look("blast radius", spread, patience),
    ]
    for one in opened.values():
        looks += channel_checks.looks(one, names, lambda: readers.some(journal, now), live=live, patience=patience)
    return all_findings(looks, config.vault.quote)
