"""Where secrets go when somebody decides to keep them: the keyring, or files that only their owner can read.

Whatever is kept here the config names as `${…}`; an `undo` brings back what stood there before.
"""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Protocol

from outagecast.errors import ConfigError
from outagecast.secret_sources import Reference, parse

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

SERVICE = "outagecast"
"""What the secrets are filed under in a keyring."""
_OWNER_ONLY = 0o600
_NO_KEYRING = 'pip install "outagecast[keyring]"'


class Store(Protocol):
    """A place that keeps secrets by name."""

    def reference(self, name: str) -> str:
        """How the config names the secret."""

    def holds(self, name: str) -> str:
        """What stands there already, as a person would call it; empty if nothing does."""

    def put(self, values: Mapping[str, str]) -> None:
        """Keep them all, in the place of what stands there. Raises ConfigError in plain words, never with a value.

        Whoever gets it, or is interrupted, has to `undo`.
        """

    def undo(self) -> None:
        """Bring back what stood there before the last `put`; what cannot be brought back stays as it is."""


def keyring_trouble() -> str:
    """Why the keyring cannot be used on this machine; empty if it can."""
    try:
        import keyring
        from keyring.backends import fail, null
    except ImportError:
        return f"the package for it is not installed ({_NO_KEYRING})"
    try:
        backend = keyring.get_keyring()
    except Exception as err:  # noqa: BLE001  every back-end raises what it likes
        return f"it cannot be opened ({type(err).__name__})"
    if isinstance(backend, (fail.Keyring, null.Keyring)):
        return "there is none on this machine"
    return ""


def keyring_name() -> str:
    """What the keyring in use calls itself."""
    import keyring

    return str(getattr(keyring.get_keyring(), "name", "keyring"))


class KeyringStore:
    """The keyring of the person's desktop or server."""

    def __init__(self) -> None:
        self._before: dict[str, str | None] = {}

    def reference(self, name: str) -> str:
        """How the config names the secret."""
        return f"${{keyring:{SERVICE}/{name}}}"

    def holds(self, name: str) -> str:
        """What stands there already."""
        return f"an entry {name} of {SERVICE} in the keyring" if self._read(name) is not None else ""

    def put(self, values: Mapping[str, str]) -> None:
        """Keep each and read it back: some back-ends lose what they were given."""
        self._before = {name: self._read(name) for name in values}
        for name, value in values.items():
            self._call("set_password", SERVICE, name, value)
            if self._read(name) != value:
                raise ConfigError(
                    "the keyring did not keep the secret; nothing was changed", hint="keep it in a file instead"
                )

    def undo(self) -> None:
        """Bring back the entries that were replaced, and take out those that are new."""
        for name, value in self._before.items():
            with suppress(ConfigError):
                if value is None:
                    self._call("delete_password", SERVICE, name)
                else:
                    self._call("set_password", SERVICE, name, value)
        self._before = {}

    def _read(self, name: str) -> str | None:
        found = self._call("get_password", SERVICE, name)
        return None if found is None else str(found)

    def _call(self, method: str, *args: str) -> Any:
        import keyring

        try:
            return getattr(keyring, method)(*args)
        except Exception as err:  # noqa: BLE001  every back-end raises what it likes (D-Bus, Windows, its own)
            # Not passed on: nobody knows what a back-end puts into its exceptions.
            raise ConfigError(
                f"the keyring does not work ({type(err).__name__})",
                hint="unlock it and try again, or keep files instead",
            ) from None


class FileStore:
    """A folder with one file a secret, mode 0600 from its first byte on."""

    def __init__(self, folder: Path, config_folder: Path) -> None:
        """Relative names in the config start at `config_folder`. Raises ValueError for what `${file:…}` cannot name."""
        self._folder = folder
        self._config_folder = config_folder
        self._before: dict[Path, bytes | str | None] = {}
        self._made: Sequence[Path] = ()
        if self._folder.exists() and not self._folder.is_dir():
            raise ValueError(f"{folder} is no folder")
        if self._folder.exists() and _others_may_write(self._folder):
            raise ValueError(f"others may write to {folder}, and put files of their own there: chmod go-w, or another")
        _demand_readable(self.reference("name"))

    def reference(self, name: str) -> str:
        """How the config names the secret: a relative path where the file lies below the config."""
        path = self._path(name)
        below = path.relative_to(self._config_folder) if path.is_relative_to(self._config_folder) else path
        # A folder that is really called ~ would be read as the home directory.
        return f"${{file:{path if str(below).startswith('~') else below}}}"

    def holds(self, name: str) -> str:
        """What stands there already, a dangling link too."""
        path = self._path(name)
        return str(path) if os.path.lexists(path) else ""

    def put(self, values: Mapping[str, str]) -> None:
        """Write all files beside their names, and only then move them there: nobody ever finds half of one."""
        path = self._folder
        try:
            self._made = make_private(self._folder)
            for name, value in values.items():
                path = self._path(name)
                write_new(_beside(path), f"{value}\n".encode())
            for path in map(self._path, values):
                self._before[path] = _content(path)
                _beside(path).replace(path)
        except OSError as err:
            text = f"{path} cannot be written: {err.strerror}; nothing was changed"
            raise ConfigError(text, hint="name another folder") from err
        finally:
            for path in map(self._path, values):
                with suppress(OSError):
                    _beside(path).unlink(missing_ok=True)

    def undo(self) -> None:
        """Bring back the files that were replaced, take out the new ones, and the folders that were made for them."""
        for path, before in self._before.items():
            with suppress(OSError):
                _restore(path, before)
        for folder in reversed(self._made):
            with suppress(OSError):
                folder.rmdir()
        self._before, self._made = {}, ()

    def _path(self, name: str) -> Path:
        return self._folder / name


def make_private(folder: Path) -> Sequence[Path]:
    """Make a folder and those above it that are missing, each for its owner alone; gives them from the top down.

    `mkdir(parents=True)` would give its mode to the last one only.
    """
    missing = [each for each in (folder, *folder.parents) if not each.exists()][::-1]
    for each in missing:
        each.mkdir(mode=0o700, exist_ok=True)
    return missing


def _others_may_write(folder: Path) -> bool:
    """Whether somebody else could put another file in the place of one: in a sticky folder (/tmp) nobody can."""
    mode = folder.stat().st_mode
    return bool(mode & 0o022) and not mode & stat.S_ISVTX


def _beside(path: Path) -> Path:
    return path.with_name(f".{path.name}.new-{os.getpid()}")


def _content(path: Path) -> bytes | str | None:
    """What a file holds, where a link leads, or None for nothing: enough to bring it back."""
    if path.is_symlink():
        return str(path.readlink())
    return path.read_bytes() if path.exists() else None


def _restore(path: Path, before: bytes | str | None) -> None:
    if before is None:
        path.unlink(missing_ok=True)
        return
    if isinstance(before, str):
        _beside(path).symlink_to(before)
    else:
        write_new(_beside(path), before)
    _beside(path).replace(path)


def write_new(path: Path, content: bytes) -> None:
    """Make a file that nobody else can read and that was not there; OSError otherwise, and then it is not there."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW, _OWNER_ONLY)
    try:
        with os.fdopen(handle, "wb") as file:
            os.fchmod(file.fileno(), _OWNER_ONLY)  # whatever the umask is
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
    except BaseException:
        path.unlink(missing_ok=True)
        raise


def _demand_readable(reference: str) -> None:
    """Make sure that the config's own grammar reads the reference as it is meant."""
    try:
        pieces = parse(reference)
    except ConfigError as err:
        raise ValueError("a folder without $, { and } in its name") from err
    meant = reference.removeprefix("${file:").removesuffix("}")
    if not (len(pieces) == 1 and isinstance(pieces[0], Reference) and pieces[0].argument == meant):
        raise ValueError("a folder without $, { and } in its name, and without a blank at its end")
