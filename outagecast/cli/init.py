"""`outagecast init`: asks a few questions, tests the answers, writes a config with all its comments."""

from __future__ import annotations

import os
from contextlib import suppress
from datetime import UTC
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Annotated

import typer

from outagecast import registry
from outagecast.cli.init_channels import Asking
from outagecast.cli.interview import Interview, demand_person
from outagecast.cli.keep import Keep, Where, decide, secrets_of, variables
from outagecast.cli.options import AsJson, ConfigPath, Verbose
from outagecast.cli.voice import Voice
from outagecast.config import FILE_NAME, example, find, load
from outagecast.config_house import domain_or_network, zone
from outagecast.config_writing import Section, config_text
from outagecast.errors import ConfigError, UsageError
from outagecast.keeping import write_new
from outagecast.model import House
from outagecast.report import EXIT_DONE
from outagecast.wire import loopback

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from outagecast.channel import Confided
    from outagecast.cli.init_channels import Chosen
    from outagecast.cli.surroundings import Surroundings
    from outagecast.config_writing import Value

NOTICE = "Announcements only. Help: {support}"
_NEEDS = "your organization's name, where people turn for help, your timezone, and the keys of each channel"
_DRAFT = 'post --dry-run "fiber cut, ETA 1h"'

ConfigFile = Annotated[Path | None, typer.Argument(metavar="PATH", help=f"Where to write it; else ./{FILE_NAME}.")]
NonInteractive = Annotated[
    bool, typer.Option("--non-interactive", help="Ask nothing: write the example, which explains every key.")
]
Simulators = Annotated[
    list[str] | None,
    typer.Option(
        "--simulator", metavar="TYPE=URL", help="Ask a simulator on this machine instead, for rehearsals; repeatable."
    ),
]


def init(
    ctx: typer.Context,
    path: ConfigFile = None,
    non_interactive: NonInteractive = False,
    simulator: Simulators = None,
    config: ConfigPath = None,
    as_json: AsJson = False,
    verbose: Verbose = False,
) -> int:
    """Write a config: a few questions, each channel tested as you go, every key explained in the file (mode 0600).

    Nothing is published, and nothing is written before the last answer; a file that exists is never touched.

    \b
    Examples:
      outagecast init
      outagecast init /etc/outagecast/outagecast.yaml
      outagecast init --non-interactive
    """
    around: Surroundings = ctx.obj
    around.as_json = as_json
    target = _target(around, path, config)
    _demand_free(target)
    voice = Voice(around, UTC, verbose)
    if non_interactive:
        _put(target, example().read_text(encoding="utf-8"), around, Keep(Where.NOWHERE), [])
        _tell(voice, around, target, [], Where.NOWHERE)
        return EXIT_DONE
    demand_person(around, "outagecast init", _NEEDS, "outagecast init --non-interactive   (writes the example config)")
    person = Interview(around, voice.err(), "outagecast init")
    with person.attended():
        chosen, where = _made(around, person, target, _simulators(simulator))
        secrets = [each for one in chosen for each in secrets_of(one.type, one.grant)]
    if secrets and where is Where.NOWHERE:
        person.say(
            "Nothing was kept: the secrets are gone with this command. The config reads them from these environment "
            f"variables, so set them: {variables(secrets)}."
        )
    _tell(voice, around, target, [each.type for each in chosen], where)
    return EXIT_DONE


def _made(
    around: Surroundings, person: Interview, target: Path, simulators: Mapping[str, str]
) -> tuple[Sequence[Chosen], Where]:
    """Ask everything, then write everything."""
    person.say(
        f"A few questions, then {target} is written. Enter takes what stands in [ ]; Ctrl-C leaves, and then nothing "
        "is written."
    )
    top, house = _house(person, around.env)
    chosen = list(Asking(person, house, around.clock.now, simulators).channels())
    if not chosen:
        raise UsageError("no channel was chosen, so there is nothing to write", hint="outagecast init")
    secrets = [each for one in chosen for each in secrets_of(one.type, one.grant)]
    keep = decide(person, target.parent, secrets, config=True) if secrets else Keep(Where.NOWHERE)
    sections = [Section(one.type, one.type, {**keep.values(one.type, one.grant), **one.written}) for one in chosen]
    text = config_text(example().read_text(encoding="utf-8"), top, sections)
    _put(target, text, around, keep, secrets)
    return chosen, keep.where


def _house(person: Interview, env: Mapping[str, str]) -> tuple[Mapping[str, Value], House]:
    """Ask what all channels share."""
    organization = person.line("The name that readers know you by")
    support = person.line("Where people turn for help: a link, an address, a phone number", optional=True)
    timezone = person.line("Your timezone", default=system_zone(env), check=zone)
    own = _listed(
        person.line(
            "What goes dark together with you: your domains and networks, with commas between them",
            optional=True,
            check=lambda text: [domain_or_network(each) for each in _listed(text)],
        )
    )
    typed = {"organization": organization, "timezone": timezone, **({"support": support} if support else {})}
    top: dict[str, Value] = {key: value.replace("$", "$$") for key, value in typed.items()}
    top |= {"notice": NOTICE} if support else {}
    top |= {"own": tuple(own)} if own else {}
    notice = NOTICE.replace("{support}", support) if support else ""
    return top, House(organization, zone(timezone), support, notice)


def _listed(text: str) -> list[str]:
    return [each for each in (part.strip() for part in text.split(",")) if each]


def system_zone(env: Mapping[str, str]) -> str:
    """The timezone that this machine is set to; UTC where it does not say."""
    link = os.path.realpath("/etc/localtime").rpartition("/zoneinfo/")[2]
    written = ""
    with suppress(OSError, UnicodeDecodeError):
        written = Path("/etc/timezone").read_text(encoding="utf-8").strip()
    for name in (env.get("TZ", "").removeprefix(":"), link, written):
        with suppress(ValueError):
            zone(name)
            return name.removeprefix("Etc/") if name.endswith("/UTC") else name
    return "UTC"


def _target(around: Surroundings, path: Path | None, config: Path | None) -> Path:
    if path is not None and config is not None and path != config:
        raise UsageError("PATH and --config name two different files", hint="outagecast init PATH")
    named = path or config
    try:
        return (around.cwd / (named.expanduser() if named else FILE_NAME)).absolute()
    except RuntimeError as err:
        raise UsageError(f"{named}: there is no such home directory", hint="outagecast init PATH") from err


def _demand_free(target: Path) -> None:
    if os.path.lexists(target):
        raise UsageError(
            f"{target} exists already; nothing was changed",
            hint=f"outagecast check --config {quote(str(target))}   (or name another one: outagecast init PATH)",
        )
    if not target.parent.is_dir():
        raise UsageError(
            f"there is no folder {target.parent}", hint=f"mkdir -p {quote(str(target.parent))}, then once more"
        )


def _simulators(given: Sequence[str] | None) -> dict[str, str]:
    found: dict[str, str] = {}
    for each in given or ():
        kind, _, url = each.partition("=")
        registry.settings_of(kind)
        try:
            found[kind] = loopback(url)
        except ValueError as err:
            raise UsageError(f"--simulator {kind}: {err}", hint="--simulator twitter=http://127.0.0.1:8001") from err
    return found


def _put(target: Path, text: str, around: Surroundings, keep: Keep, secrets: Sequence[tuple[str, Confided]]) -> None:
    """Write config and secrets, or nothing: beside its name first, read there as every command reads it, then moved."""
    new = target.with_name(f".{target.name}.new-{os.getpid()}")
    try:
        write_new(new, text.encode())
        try:
            _demand_right(new, around.env)
            keep.write(secrets)
            around.interrupts.hold()  # from here on it is done, whatever is pressed
            _move(new, target, text)
        except BaseException:
            keep.undo()
            raise
        finally:
            new.unlink(missing_ok=True)
    except FileExistsError:
        _demand_free(target)
        raise
    except OSError as err:
        raise UsageError(f"{target} cannot be written: {err.strerror}", hint="outagecast init PATH") from err


def _demand_right(new: Path, env: Mapping[str, str]) -> None:
    config = load(new, env, registry.settings_of)
    wrong = [text for section in config.channels.values() if section.error for text in section.error.problems]
    if wrong:
        raise ConfigError("\n".join(wrong), hint="outagecast init", problems=wrong)


def _move(new: Path, target: Path, text: str) -> None:
    """Give the file its name, never in the place of another one."""
    try:
        os.link(new, target)
    except FileExistsError:
        raise
    except OSError:  # a file system without hard links
        write_new(target, text.encode())


def _tell(voice: Voice, around: Surroundings, target: Path, channels: Sequence[str], where: Where) -> None:
    if around.as_json:
        told = {"schema": "outagecast.init/1", "path": str(target), "channels": channels, "secrets": where}
        voice.json({**told, "exit_code": EXIT_DONE})
        return
    option = "" if _found(around) == target else f"--config {quote(str(target))} "
    screen = voice.out()
    screen.line()
    screen.line(f"{target} is written; only you can read it.", "green")
    if not channels:
        screen.line("It is the example: put in your own names and delete the channels that you do not have.")
    screen.line("Next:")
    for command in (f"check {option}", "drill", f"{_DRAFT} {option}"):
        screen.line(f"  outagecast {command}".rstrip(), "bold")


def _found(around: Surroundings) -> Path | None:
    try:
        return find(None, around.env, around.cwd).absolute()
    except ConfigError:
        return None
