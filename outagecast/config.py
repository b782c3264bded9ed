"""The config file: where it is, what it says, and everything that is wrong with it at once.

Mistakes of a channel stay with that channel (`Section.error`), so that the others can go out; only mistakes outside
of the channels stop everything. Secrets are not read here: a settings struct holds them as `Secret`.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from outagecast.config_binding import Binder
from outagecast.config_house import TopLevel, checked
from outagecast.config_yaml import read
from outagecast.errors import ConfigError
from outagecast.model import House, LeastReplies
from outagecast.secrets import Secret, Vault, quoted

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
    from datetime import timedelta, tzinfo

    from outagecast.config_binding import Problem
    from outagecast.config_yaml import Entry

FILE_NAME = "outagecast.yaml"
_CHANNEL_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")
_OTHERS_MAY = 0o077


class Section(msgspec.Struct, frozen=True):
    """One channel as configured: its settings, or what is wrong with them."""

    name: str
    type: str
    replies: LeastReplies | None
    """As written; None: the best that the type can do."""
    settings: Any
    """The type's own struct; None when there is an error, or when nobody asked for it."""
    error: ConfigError | None
    file: str
    line: int
    lines: Mapping[str, int]
    """The line of each key."""

    def place(self, key: str = "") -> str:
        """File, line and key path, as the mistakes of this section begin."""
        path = f"channels.{self.name}.{key}" if key else f"channels.{self.name}"
        return f"{self.file}:{self.lines.get(key, self.line)}: {path}"


class Config(msgspec.Struct, frozen=True):
    """What the file says, checked."""

    path: Path
    organization: str
    support: str
    notice: str
    """As written; `house.notice` has `{support}` filled in."""
    timezone: tzinfo
    own: tuple[str, ...]
    """Domains and networks that go dark with us."""
    journal: Path | None
    expires: timedelta
    sweep_for: timedelta
    templates: Path | None
    channels: Mapping[str, Section]
    """In the order of the file."""
    vault: Vault

    @property
    def house(self) -> House:
        """What the channels are told about the organization."""
        notice = self.notice.replace("{support}", self.support)
        return House(organization=self.organization, timezone=self.timezone, support=self.support, notice=notice)


def user_config() -> Path:
    """Where a user's own config lies; `init` writes it there."""
    from platformdirs import user_config_path

    return user_config_path("outagecast") / FILE_NAME


def example() -> Path:
    """The example config that explains every key: part of the package, in a checkout at its top."""
    packaged = Path(__file__).with_name("config.example.yaml")
    return packaged if packaged.exists() else packaged.parents[1] / packaged.name


def find(explicit: Path | None, env: Mapping[str, str], cwd: Path) -> Path:
    """Give the config to read: `--config`, $OUTAGECAST_CONFIG, the working directory's, the user's."""
    if explicit is not None:
        return cwd / explicit.expanduser()
    if named := env.get("OUTAGECAST_CONFIG"):
        return cwd / Path(named).expanduser()
    if _there(cwd / FILE_NAME):
        return cwd / FILE_NAME
    path = user_config()
    if _there(path):
        return path
    raise ConfigError(
        f"no config: neither ./{FILE_NAME} nor {path} exists, and $OUTAGECAST_CONFIG is not set",
        hint="outagecast init   (makes one by a few questions; `outagecast drill` rehearses without)",
    )


def _there(path: Path) -> bool:
    """Whether something is there, readable or not: an unreadable config must not be passed over for another one."""
    try:
        path.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError:
        return True
    return True


def load(
    path: Path,
    env: Mapping[str, str],
    settings_of: Callable[[str], type[Any]] | None,
    only: Collection[str] | None = None,
) -> Config:
    """Read the config; raises ConfigError, with all mistakes, when something outside of the channels is wrong.

    `settings_of` gives the settings struct of a channel type; without it no channel's settings are read. `only`
    names the channels whose settings are read (None: all): a channel that is not used runs none of its commands.
    """
    vault = Vault(env, path.parent.absolute())
    top = Binder(path.name, vault)
    found = top.entries(read(path), "") or {}
    sections = list(_sections(found.get("channels"), top, _Reader(vault, settings_of, only)))
    house = checked(top.values(found, TopLevel, "", 1, ("channels",)), found, path, top.complain)
    if top.problems:
        raise _error([*top.problems, *(each for _, problems in sections for each in problems)], path, vault)
    channels = {section.name: section for section, _ in sections}
    return Config(path=path, channels=channels, vault=vault, **house)


class _Reader(msgspec.Struct, frozen=True):
    """What it takes to read one channel's section."""

    vault: Vault
    settings_of: Callable[[str], type[Any]] | None
    only: Collection[str] | None

    def wants(self, name: str) -> bool:
        return self.settings_of is not None and (self.only is None or name in self.only)


def _sections(entry: Entry | None, top: Binder, reader: _Reader) -> Iterator[tuple[Section, Sequence[Problem]]]:
    named = top.entries(entry.node, "channels") if entry else {}
    if named == {}:
        top.complain(entry.line if entry else 1, "channels", "no channel is configured; expected at least one")
    for name, each in (named or {}).items():
        if _CHANNEL_NAME.fullmatch(name):
            yield _section(name, each, top.file, reader)
        else:
            top.complain(
                each.line, "channels", f"{quoted(name)} cannot name a channel; expected letters, digits, - _ ."
            )


def _section(name: str, entry: Entry, file: str, reader: _Reader) -> tuple[Section, Sequence[Problem]]:
    binder = Binder(file, reader.vault)
    path = f"channels.{name}"
    found = binder.entries(entry.node, path)
    own = dict(found or {})
    kind = _key(own.pop("type", None), str, path, binder) or name
    replies = _key(own.pop("replies", None), LeastReplies, path, binder)
    settings = None
    if found is not None and reader.wants(name):
        settings = _settings(kind, own, binder, path, entry.line, reader)
    error = _error(binder.problems, Path(file), reader.vault) if binder.problems else None
    lines = {key: each.line for key, each in (found or {}).items()}
    section = Section(name, kind, replies, None if error else settings, error, file, entry.line, lines)
    return section, binder.problems


def _key(entry: Entry | None, kind: Any, path: str, binder: Binder) -> Any:
    """Read one of the keys that every channel has; None when it is not there or wrong."""
    if entry is None:
        return None
    value = binder.value(entry.node, kind, f"{path}.{entry.key}")
    return value if isinstance(value, kind) else None


def _settings(kind: str, own: Mapping[str, Entry], binder: Binder, path: str, line: int, reader: _Reader) -> Any:
    if reader.settings_of is None:
        return None
    try:
        struct = reader.settings_of(kind)
    except ConfigError as err:
        binder.complain(line, f"{path}.type", err.text, err.hint)
        return None
    return binder.struct(own, struct, path, line, ("type", "replies"))


def _error(problems: Sequence[Problem], path: Path, vault: Vault) -> ConfigError:
    told = [vault.mask(each.told(path.name)) for each in sorted(set(problems))]
    hints = [each.hint for each in problems if each.hint]
    hint = hints[0] if len(problems) == 1 and hints else f"mend {path}, then run `outagecast check`"
    return ConfigError("\n".join(told), hint=hint, problems=told)


def exposed(config: Config) -> tuple[str, ...]:
    """Where a secret is written out, if others can read the file: file, line and key path of each."""
    if not config.path.stat().st_mode & _OTHERS_MAY:
        return ()
    return tuple(secret.where or config.path.name for secret in secrets_of(config) if secret.written_out)


def secrets_of(config: Config) -> tuple[Secret, ...]:
    """Every secret of every channel, unread."""
    return tuple(secret for section in config.channels.values() for secret in _secrets(section.settings))


def _secrets(value: object) -> Iterator[Secret]:
    """Every secret in a settings struct, however deep."""
    if isinstance(value, Secret):
        yield value
    elif isinstance(value, (list, tuple, set, frozenset)):
        for each in value:
            yield from _secrets(each)
    elif isinstance(value, dict):
        yield from _secrets(list(value.values()))
    else:
        for name in getattr(value, "__struct_fields__", ()):
            yield from _secrets(getattr(value, name))
