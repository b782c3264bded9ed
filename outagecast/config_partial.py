"""What a config says already, whether or not it is complete: `auth` is run for the keys that are missing in it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from outagecast.config_binding import Binder
from outagecast.config_yaml import read
from outagecast.secrets import Vault

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from outagecast.config_yaml import Entry


def sections(
    path: Path, env: Mapping[str, str], kind: str, settings: type[Any]
) -> tuple[Vault, Mapping[str, Mapping[str, Any]]]:
    """Give the sections of this channel type by name, each with those of its keys that are right.

    Raises ConfigError only where the file cannot be read at all. The vault has read none of the secrets yet.
    """
    vault = Vault(env, path.parent.absolute())
    binder = Binder(path.name, vault)
    channels = (binder.entries(read(path), "") or {}).get("channels")
    named = binder.entries(channels.node, "channels") if channels else None
    return vault, dict(_right(named or {}, binder, kind, settings))


def _right(
    named: Mapping[str, Entry], binder: Binder, kind: str, settings: type[Any]
) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for name, section in named.items():
        own = dict(binder.entries(section.node, name) or {})
        written = own.pop("type", None)
        own.pop("replies", None)
        if (binder.value(written.node, str, name) if written else name) == kind:
            yield name, binder.values(own, settings, name, section.line, ())
