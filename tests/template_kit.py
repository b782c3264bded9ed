"""Facts and folders for the tests of templates."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from outagecast.errors import UsageError
from outagecast.model import Kind
from outagecast.templates import Facts, Written, write

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

AT = datetime(2026, 11, 22, 14, 5, 9, tzinfo=UTC)
CHANNELS = {"x-eu": "twitter", "page": "facebook", "email": "email"}


def facts(message: str | None = "fiber cut", kind: Kind = Kind.OPENED, **others: Any) -> Facts:
    known: dict[str, Any] = {
        "title": "fiber cut",
        "key": "inc-1",
        "organization": "Example Hosting",
        "support": "https://help.example.net",
        "at": AT,
        "opened_at": AT - timedelta(minutes=117),
        "zone": ZoneInfo("Europe/Berlin"),
    }
    return Facts(kind=kind, message=message, **{**known, **others})


def filled(folder: Path, **texts: str) -> Path:
    """A folder with these templates; "__" in a name stands for the dot before a channel, "_of_" for the hyphen."""
    for name, text in texts.items():
        file = name.replace("__", ".").replace("_of_", "-") + ".j2"
        (folder / file).write_text(text, encoding="utf-8")
    return folder


def written(
    folder: Path | None, name: str | None = None, known: Facts | None = None, channels: Any = CHANNELS, **given: str
) -> Written:
    return write(folder, name, known or facts(), given, channels)


def wrong(
    folder: Path | None, name: str | None = None, known: Facts | None = None, given: Mapping[str, str] | None = None
) -> UsageError:
    """The error that a template ends in."""
    try:
        said = write(folder, name, known or facts(), given or {}, CHANNELS)
    except UsageError as err:
        return err
    raise AssertionError(f"nothing was wrong with {said}")
