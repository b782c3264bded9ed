"""A channel type with one key of every kind, and short ways to load a config that has it."""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Literal

import msgspec
import pytest

from outagecast.config import Config, Section, load
from outagecast.errors import ConfigError
from outagecast.secrets import Secret  # noqa: TC001  msgspec reads the annotations at run time

if TYPE_CHECKING:
    from pathlib import Path

PLANTED = "planted-value-for-tests"


class Publish(StrEnum):
    TWO_PHASE = "two-phase"
    DIRECT = "direct"


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    per_second: Annotated[float, msgspec.Meta(ge=0)] = 0
    per_hour: int = 0


class Login(msgspec.Struct, frozen=True, kw_only=True):
    user: str
    password: Secret


class PageSettings(msgspec.Struct, frozen=True, kw_only=True):
    page_id: str
    token: Secret
    spare: Secret | None = None
    publish: Publish = Publish.TWO_PHASE
    long: Literal["thread", "refuse"] = "thread"
    notice: bool = True
    connections: Annotated[int, msgspec.Meta(ge=1, le=50)] = 8
    version: Annotated[str, msgspec.Meta(pattern=r"^v\d+\.\d$")] = "v25.0"
    relays: list[Secret] = []
    several: list[Secret] | dict[str, Secret] = []
    login: Login | None = None
    to: tuple[str, ...] = ()
    limits: Limits = Limits()
    headers: dict[str, str] = {}
    wait: timedelta = timedelta(seconds=5)
    either: int | list[int] = 0
    simulator_url: str | None = None

    def __post_init__(self) -> None:
        if self.page_id == "0":
            raise ValueError("page_id must be the Page's number", "something else is wrong too")
        if self.page_id == "1":
            raise ConfigError("no such Page", hint="outagecast auth facebook")


def settings_of(name: str) -> type[PageSettings]:
    if name != "page":
        raise ConfigError(f"unknown channel type {name!r}", hint="outagecast channels")
    return PageSettings


HEAD = "organization: Example Hosting\nchannels:\n"
GOOD = HEAD + "  page: {page_id: 5, token: '${TOKEN}'}\n"
CHANNEL = HEAD + "  one:\n    type: page\n    page_id: 5\n    token: ${TOKEN}\n"


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "c.yaml"
    path.write_text(text)
    return path


def loaded(tmp_path: Path, text: str, **env: str) -> Config:
    return load(written(tmp_path, text), env, settings_of)


def one(tmp_path: Path, keys: str, **env: str) -> Section:
    """The section `one` with these further keys, from line 7 on."""
    lines = "".join(f"    {line}\n" for line in keys.splitlines())
    return loaded(tmp_path, CHANNEL + lines, **env).channels["one"]


def mistakes(tmp_path: Path, text: str, **env: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        loaded(tmp_path, text, **env)
    assert caught.value.hint
    assert caught.value.text == "\n".join(caught.value.problems)
    return list(caught.value.problems)
