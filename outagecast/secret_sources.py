"""What `${…}` can mean and how each is read: the environment, a file, the keyring, a command."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import TYPE_CHECKING

import msgspec

from outagecast.errors import ConfigError
from outagecast.secret_urls import decoded, is_url, login

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

_MOST_BYTES = 64 * 1024
"""No password and no private key is longer; what is longer is the wrong file."""
_VARIABLE = re.compile(r"(?P<name>[A-Za-z_][A-Za-z0-9_]*)(?::-(?P<default>.*))?", re.DOTALL)
_FORMS = "${NAME}, ${NAME:-default}, ${file:PATH}, ${keyring:SERVICE/USER} or ${command:PROGRAM ARGUMENTS}"


class Source(StrEnum):
    """Where a `${…}` is read from."""

    ENVIRONMENT = "environment"
    FILE = "file"
    KEYRING = "keyring"
    COMMAND = "command"


class Reference(msgspec.Struct, frozen=True):
    """One `${…}` of a template."""

    kind: Source
    argument: str
    default: str | None = None
    """Only of a variable: a template that stands in when it is unset or empty."""

    @property
    def source(self) -> str:
        """What to call it in a text: never its default nor a command's arguments, which may hold a secret."""
        if self.kind is Source.ENVIRONMENT:
            return self.argument
        return f"{self.kind} {self.argument.split()[0] if self.kind is Source.COMMAND else self.argument}"


def parse(template: str) -> Sequence[str | Reference]:
    """Take a template apart; raises ConfigError for a `${…}` that means nothing. `$$` is a dollar."""
    return list(_pieces(template))


def _pieces(template: str) -> Iterator[str | Reference]:
    position = 0
    while (dollar := template.find("$", position)) >= 0:
        if dollar > position:
            yield template[position:dollar]
        follower = template[dollar + 1 : dollar + 2]
        if follower == "{":
            end = _closing_brace(template, dollar + 1)
            yield _reference(template[dollar + 2 : end])
            position = end + 1
        else:
            yield "$"
            position = dollar + (2 if follower == "$" else 1)
    if position < len(template):
        yield template[position:]


def _closing_brace(template: str, opening: int) -> int:
    depth = 0
    for brace in re.compile(r"[{}]").finditer(template, opening):
        depth += 1 if brace[0] == "{" else -1
        if depth == 0:
            return brace.start()
    raise ConfigError("a ${ is never closed by }", hint="close it, or write $$ for a dollar that is meant as one")


def _reference(inside: str) -> Reference:
    variable = _VARIABLE.fullmatch(inside)
    if variable:
        if variable["default"]:
            parse(variable["default"])
        return Reference(Source.ENVIRONMENT, variable["name"], variable["default"])
    kind, _, argument = inside.partition(":")
    if kind in (Source.FILE, Source.KEYRING, Source.COMMAND) and argument.strip():
        return Reference(Source(kind), argument.strip())
    # What stands there may be a password whose dollar was meant as one: it is not repeated.
    raise ConfigError("a ${…} that means nothing", hint=f"write {_FORMS}, or $$ for a dollar that is meant as one")


def literal_secrets(template: str) -> Iterator[str]:
    """What of a secret stands in the config itself: all of it, the password of a URL, a variable's default."""
    found = login(template)
    if found:
        yield from _written(found.password)
        yield from _written(decoded(found.password))
    elif not is_url(template):
        yield from _written(template)
    for piece in parse(found.without_user if found else template):
        if isinstance(piece, Reference) and piece.default:
            yield from literal_secrets(piece.default)


def _written(template: str) -> Iterator[str]:
    """Each run of a template between its `${…}`, in one piece whatever dollars are in it."""
    joined = "".join(piece if isinstance(piece, str) else "\0" for piece in parse(template))
    return filter(None, joined.split("\0"))


def secret_references(template: str) -> frozenset[Reference]:
    """What a secret is read from: every `${…}` of it but those in the user of a URL's login."""
    found = login(template)
    pieces = parse(found.without_user if found else template)
    return frozenset(piece for piece in pieces if isinstance(piece, Reference))


def read(reference: Reference, env: Mapping[str, str], folder: Path) -> str:
    """Read one source; raises ConfigError in plain words, without a piece of any value."""
    match reference.kind:
        case Source.ENVIRONMENT:
            value = _variable(reference.argument, env)
        case Source.FILE:
            value = _file(reference.argument, folder)
        case Source.KEYRING:
            value = _keyring(reference.argument)
        case Source.COMMAND:
            from outagecast.secret_command import output

            value = _text(output(reference.argument, env, folder, _MOST_BYTES), "what the command prints")
    if not value:
        what = "the environment variable " if reference.kind is Source.ENVIRONMENT else ""
        raise ConfigError(f"{what}{reference.source} is empty", hint=_HINT_IF_EMPTY[reference.kind])
    return value


_HINT_IF_EMPTY = {
    Source.ENVIRONMENT: "give it a value; ${NAME:-} allows an empty one",
    Source.FILE: "put the secret into the file",
    Source.KEYRING: "set it again with `keyring set SERVICE USER`",
    Source.COMMAND: "run the command by hand: it must print the secret and nothing else",
}


def _variable(name: str, env: Mapping[str, str]) -> str:
    value = env.get(name)
    if value is None:
        raise ConfigError(
            f"the environment variable {name} is not set",
            hint=f"export {name}=… (a cron job or unit needs it in its own environment)",
        )
    if not value.isascii() and any("\ud800" <= char <= "\udfff" for char in value):
        raise ConfigError(f"the environment variable {name} is not UTF-8", hint=f"export {name} again, as UTF-8")
    return value


def _file(argument: str, folder: Path) -> str:
    from pathlib import Path

    try:
        path = folder / Path(argument).expanduser()
        if not path.is_file():
            path.stat()  # says why, if it is not there at all
            raise ConfigError(f"{path} is not a regular file", hint="name the file that holds the secret")
        with path.open("rb") as file:
            content = file.read(_MOST_BYTES + 1)
    except (OSError, RuntimeError, ValueError) as err:
        reason = err.strerror if isinstance(err, OSError) else str(err)
        raise ConfigError(
            f"cannot read the file {argument}: {reason}",
            hint="check the path and its permissions; a relative one starts at the config's folder",
        ) from err
    if len(content) > _MOST_BYTES:
        raise ConfigError(f"{path} is larger than 64 KiB", hint="name the file that holds the secret and nothing else")
    return _text(content, str(path))


def _text(content: bytes, what: str) -> str:
    try:
        return content.decode("utf-8-sig").rstrip("\r\n")
    except UnicodeDecodeError:
        # The exception holds the bytes themselves, so it is not passed on.
        raise ConfigError(f"{what} is not UTF-8 text", hint="a secret must be text") from None


def _keyring(argument: str) -> str:
    service, _, user = argument.rpartition("/")
    if not service or not user:
        raise ConfigError(f"keyring {argument} names no user", hint="write ${keyring:SERVICE/USER}")
    try:
        import keyring
    except ImportError as err:
        raise ConfigError("the keyring package is not installed", hint='pip install "outagecast[keyring]"') from err
    try:
        value = keyring.get_password(service, user)
    except Exception as err:  # noqa: BLE001  every back-end raises what it likes (D-Bus, Windows, its own)
        raise ConfigError(
            f"the keyring cannot be read ({type(err).__name__})",
            hint="unlock it, and try `keyring get` with the same service and user",
        ) from None
    if value is None:
        from shlex import join

        raise ConfigError(
            f"the keyring has nothing for {user} at {service}", hint=f"run: {join(['keyring', 'set', service, user])}"
        )
    return str(value)
