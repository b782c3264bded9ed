"""Where the secrets that were just granted are to be kept: asked, and written only after a yes."""

from __future__ import annotations

import re
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from outagecast.channel import Confided
from outagecast.keeping import FileStore, KeyringStore, keyring_name, keyring_trouble

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from outagecast.channel import Grant
    from outagecast.cli.interview import Interview
    from outagecast.config_writing import Value
    from outagecast.keeping import Store


_NOWHERE = (
    "nowhere: they are gone with this command, and no screen shows them; the config names environment variables, which "
    "you set from a place where you have them already"
)


class Where(StrEnum):
    """Where secrets are kept."""

    KEYRING = "keyring"
    FILES = "files"
    CONFIG = "config"
    NOWHERE = "nowhere"


class Keep(msgspec.Struct, frozen=True):
    """A decision about all secrets of a command; nothing is written before `write`."""

    where: Where
    store: Store | None = None

    def write(self, secrets: Sequence[tuple[str, Confided]]) -> None:
        """Keep them all, or none."""
        if self.store is None:
            return
        try:
            self.store.put({kept_as(channel, each): each.secret.reveal() for channel, each in secrets})
        except BaseException:
            self.store.undo()
            raise

    def undo(self) -> None:
        """Take back what is new."""
        if self.store is not None:
            self.store.undo()

    def values(self, channel: str, grant: Grant) -> dict[str, Value]:
        """The keys of the section, with what the config is to say in the place of each secret."""
        return {key: self._value(channel, value) for key, value in grant.keys.items()}

    def _value(self, channel: str, value: str | bool | Confided | Sequence[str | Confided]) -> Value:
        if isinstance(value, bool):
            return value
        if isinstance(value, str):
            return value.replace("$", "$$")
        if isinstance(value, Confided):
            return value.around.replace("{}", self._named(channel, value))
        return tuple(str(self._value(channel, each)) for each in value)

    def _named(self, channel: str, secret: Confided) -> str:
        if self.store is not None:
            return self.store.reference(kept_as(channel, secret))
        return written_out(secret) if self.where is Where.CONFIG else f"${{{variable(channel, secret)}}}"


def secrets_of(channel: str, grant: Grant) -> list[tuple[str, Confided]]:
    """Every secret in a grant, with its channel."""
    values = [
        each for value in grant.keys.values() for each in (value if isinstance(value, (list, tuple)) else (value,))
    ]
    return [(channel, each) for each in values if isinstance(each, Confided)]


def kept_as(channel: str, secret: Confided) -> str:
    """What a secret is called where it is kept."""
    return f"{re.sub(r'[^A-Za-z0-9]+', '-', channel)}-{secret.name}"


def variable(channel: str, secret: Confided) -> str:
    """The environment variable that a secret would have to be in."""
    return re.sub(r"[^A-Z0-9]", "_", kept_as(channel, secret).upper())


def variables(secrets: Sequence[tuple[str, Confided]]) -> str:
    """All environment variables that have to be set where nothing was kept."""
    return ", ".join(variable(channel, each) for channel, each in secrets)


def written_out(secret: Confided) -> str:
    """The secret itself as it has to stand in the config: percent-encoded in a URL, its dollars doubled elsewhere."""
    if secret.around != "{}":
        from urllib.parse import quote

        return quote(secret.secret.reveal(), safe="")
    return secret.secret.reveal().replace("$", "$$")


def decide(person: Interview, folder: Path, secrets: Sequence[tuple[str, Confided]], *, config: bool) -> Keep:
    """Ask where; `folder` is the config's, and `config` says whether they may stand in it. Nothing is written yet."""
    ways: Mapping[str, Callable[[], Keep | None]] = _ways(person, folder, config=config)
    while True:
        keep = list(ways.values())[person.choose("Where shall the secrets be kept?", list(ways))]()
        if keep is not None and _free(person, keep, secrets):
            return keep


def _ways(person: Interview, folder: Path, *, config: bool) -> dict[str, Callable[[], Keep | None]]:
    ways: dict[str, Callable[[], Keep | None]] = {}
    if trouble := keyring_trouble():
        person.say(f"A keyring is not offered: {trouble}.")
    else:
        ways[f"in the keyring ({keyring_name()})"] = lambda: Keep(Where.KEYRING, KeyringStore())
    ways["in files of their own, which only you can read (mode 0600)"] = lambda: _files(person, folder)
    if config:
        ways["in the config itself, which only you can read (mode 0600)"] = lambda: _in_config(person)
    ways[_NOWHERE] = lambda: Keep(Where.NOWHERE)
    return ways


def _files(person: Interview, folder: Path) -> Keep:
    found: list[FileStore] = []

    def check(text: str) -> None:
        try:
            path = folder / Path(text).expanduser()
        except RuntimeError as err:
            raise ValueError(f"{text}: there is no such home directory") from err
        found.append(FileStore(path, folder))

    person.line("Folder for the files", default=str(folder / "secrets"), check=check)
    return Keep(Where.FILES, found[-1])


def _in_config(person: Interview) -> Keep | None:
    sure = "Whoever gets a copy of the config then has the secrets too. Write them into it?"
    return Keep(Where.CONFIG) if person.yes(sure, default=False) else None


def _free(person: Interview, keep: Keep, secrets: Sequence[tuple[str, Confided]]) -> bool:
    """Whether nothing stands in the way, or may be replaced."""
    held = [keep.store.holds(kept_as(*each)) for each in secrets] if keep.store else []
    there = [text for text in held if text]
    return not there or person.yes(f"There is already {', '.join(there)}. Replace?", default=False)
