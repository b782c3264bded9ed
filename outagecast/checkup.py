"""Before the night: what channels, journal and config say of themselves, all at once, each in bounded time."""

from __future__ import annotations

import socket
import threading
from ipaddress import ip_address, ip_network
from typing import TYPE_CHECKING

from outagecast.config import warnings
from outagecast.errors import OutagecastError
from outagecast.journal import Journal
from outagecast.model import Finding, Level

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from datetime import datetime
    from pathlib import Path

    from outagecast.config import Config
    from outagecast.registry import Opened

PATIENCE = 30.0
"""Seconds each channel gets."""


def check(
    config: Config, opened: Mapping[str, Opened], journal: Path, now: Callable[[], datetime], patience: float = PATIENCE
) -> list[Finding]:
    """Everything that can be found wrong without publishing anything; the config and journal first."""
    found = [Finding("config", Level.WARNING, text, f"mend {config.path}") for text in warnings(config)]
    found += list(_templates(config))
    found += [finding for one in opened.values() for finding in _goes_down_with_us(one, config.own)]
    if not found:
        found.append(Finding("config", Level.GOOD, f"{config.path} is in order"))
    found.append(_journal(journal, now))
    return found + _channels(opened, config.vault.mask, patience)


def _templates(config: Config) -> Iterator[Finding]:
    """What is wrong with the user's own templates, before one of them stands in the way of an announcement."""
    if config.templates is None:
        return
    from outagecast import templates

    types = {name: section.type for name, section in config.channels.items()}
    for text in templates.oddities(config.templates, types):
        yield Finding("templates", Level.WARNING, text, "correct its name, or move it out of the folder")
    for text in templates.faults(config.templates):
        yield Finding("templates", Level.BAD, text, "correct it, or move it out of the folder")


def _goes_down_with_us(opened: Opened, own: Sequence[str]) -> Iterator[Finding]:
    """The hosts a channel depends on that lie in what goes dark together with us (`own:`), by name or by address."""
    for host in dict.fromkeys(opened.channel.endpoints if opened.channel else ()):
        for place in own:
            if _lies_in(host, place):
                text = f"{host} lies in {place}, which goes dark together with us (`own:` in the config)"
                yield Finding(opened.name, Level.WARNING, text, "use one at another provider as well")


def _lies_in(host: str, place: str) -> bool:
    try:
        network = ip_network(place)
    except ValueError:
        return f".{host.lower().rstrip('.')}".endswith(f".{place}")
    return any(ip_address(address) in network for address in _addresses(host))


def _addresses(host: str) -> set[str]:
    """What a name stands for now; nothing when it cannot be looked up, which the channel's own check tells."""
    try:
        return {str(found[4][0]).partition("%")[0] for found in socket.getaddrinfo(host, None)}
    except (OSError, UnicodeError):
        return set()


def _journal(path: Path, now: Callable[[], datetime]) -> Finding:
    try:
        with Journal(path, now) as journal:
            trouble = journal.integrity()
    except OutagecastError as err:
        return Finding("journal", Level.BAD, err.text, err.hint)
    if trouble:
        return Finding("journal", Level.BAD, f"{path} is damaged: {trouble}", f"mv {path} {path}.damaged")
    return Finding("journal", Level.GOOD, f"{path} is whole and can be written")


def _channels(opened: Mapping[str, Opened], mask: Callable[[str], str], patience: float) -> list[Finding]:
    found: dict[str, list[Finding]] = {}
    threads = [
        threading.Thread(target=_one, args=(one, found, mask), name=name, daemon=True) for name, one in opened.items()
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(patience)
    slow = Finding("", Level.BAD, f"no answer within {patience:.0f} s", "look at the network, then: outagecast check")
    return [finding for name in opened for finding in found.get(name, [Finding(name, slow.level, slow.text, slow.do)])]


def _unusable(opened: Opened) -> Finding:
    error = opened.error or OutagecastError("the channel cannot be used")
    return Finding(opened.name, Level.BAD, error.text, error.hint)


def _one(opened: Opened, found: dict[str, list[Finding]], mask: Callable[[str], str]) -> None:
    findings: Iterable[Finding]
    try:
        findings = list(opened.channel.check()) if opened.channel else [_unusable(opened)]
    except OutagecastError as err:
        findings = [Finding(opened.name, Level.BAD, err.text, err.hint)]
    except Exception as err:  # noqa: BLE001  an adapter's bug is a finding too
        findings = [
            Finding(opened.name, Level.BAD, f"the check itself failed: {type(err).__name__}: {err}", "report it")
        ]
    found[opened.name] = [Finding(one.channel, one.level, mask(one.text), mask(one.do)) for one in findings]
