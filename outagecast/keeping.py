"""Where secrets go when somebody decides to keep them: the keyring, or files that only their owner can read.

Whatever is kept here the config names as `${…}`; an `undo` takes back what was newly made.
"""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Protocol

from outagecast.errors import ConfigError
from outagecast.secret_sources import Reference, parse

if TYPE_CHECKING:
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

    def put(self, name: str, value: str) -> None:
        """Keep it, in the place of what stands there. Raises ConfigError in plain words, never with the value."""

    def undo(self) -> None:
        """Take back what was put and had not been there; what cannot be taken back stays."""


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
        self._made: list[str] = []

    def reference(self, name: str) -> str:
        """How the config names the secret."""
        return f"${{keyring:{SERVICE}/{name}}}"

    def holds(self, name: str) -> str:
        """What stands there already."""
        return f"an entry {name} of {SERVICE} in the keyring" if self._read(name) is not None else ""

    def put(self, name: str, value: str) -> None:
        """Keep it and read it back: some back-ends lose what they were given."""
        if self._read(name) is None:
            self._made.append(name)
        self._call("set_password", SERVICE, name, value)
        if self._read(name) != value:
            raise ConfigError("the keyring did not keep the secret", hint="keep it in a file instead")

    def undo(self) -> None:
        """Take back the entries that are new."""
        for name in self._made:
            with suppress(ConfigError):
                self._call("delete_password", SERVICE, name)
        self._made.clear()

    def _read(self, name: str) -> object:
        return self._call("get_password", SERVICE, name)

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
        self._made: list[Path] = []
        if self._folder.exists() and not self._folder.is_dir():
            raise ValueError(f"{folder} is no folder")
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

    def put(self, name: str, value: str) -> None:
        """Write the file beside its name and move it there, so that nobody ever finds half of it."""
        path = self._path(name)
        new = path.with_name(f".{path.name}.new-{os.getpid()}")
        if not os.path.lexists(path):
            self._made.append(path)
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            try:
                write_new(new, f"{value}\n".encode())
                new.replace(path)
            finally:
                new.unlink(missing_ok=True)
        except OSError as err:
            raise ConfigError(f"{path} cannot be written: {err.strerror}", hint="name another folder") from err

    def undo(self) -> None:
        """Take back the files that are new, and the folder if nothing else is in it."""
        for path in self._made:
            path.unlink(missing_ok=True)
        if self._made:
            with suppress(OSError):
                self._folder.rmdir()
        self._made.clear()

    def _path(self, name: str) -> Path:
        return self._folder / name


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
