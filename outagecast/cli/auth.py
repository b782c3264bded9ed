"""`outagecast auth`: gets a platform's tokens, keeps them where the person says, and says what to write where."""

from __future__ import annotations

from datetime import UTC
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
import typer

from outagecast import registry
from outagecast.channel import Authorizes
from outagecast.cli.interview import Interview, demand_person
from outagecast.cli.keep import Where, decide, secrets_of, variables
from outagecast.cli.options import AsJson, ConfigPath, Verbose
from outagecast.cli.voice import Voice
from outagecast.config import find
from outagecast.config_partial import sections
from outagecast.config_writing import entry
from outagecast.errors import ConfigError, UsageError
from outagecast.model import Finding, Level
from outagecast.report import EXIT_DONE, EXIT_PERSON
from outagecast.wire import loopback

if TYPE_CHECKING:
    from collections.abc import Mapping

    from outagecast.channel import Grant
    from outagecast.cli.keep import Keep
    from outagecast.cli.surroundings import Surroundings
    from outagecast.config_writing import Value
    from outagecast.secrets import Vault

auth = typer.Typer(help="Get the tokens of a platform: twitter, facebook.", no_args_is_help=True, rich_markup_mode=None)

ChannelName = Annotated[
    str | None, typer.Option("--channel", metavar="NAME", help="The section of the config that they are for.")
]
Simulator = Annotated[
    str | None,
    typer.Option("--simulator", metavar="URL", help="Ask a simulator on this machine instead, for rehearsals."),
]
Browser = Annotated[bool, typer.Option("--browser", help="Open the link in a browser too.")]


@auth.command()
def twitter(
    ctx: typer.Context,
    channel: ChannelName = None,
    browser: Browser = False,
    simulator: Simulator = None,
    config: ConfigPath = None,
    as_json: AsJson = False,
    verbose: Verbose = False,
) -> int:
    """Get the tokens of an X account: you allow the app in a browser and type the PIN that X shows.

    Takes the app's keys from the config, or asks for them. Writes nothing that you do not ask for, and never into the
    config: it prints the lines to put there.

    \b
    Examples:
      outagecast auth twitter
      outagecast auth twitter --channel twitter-de
    """
    needs = "the API key and secret of your app at https://console.x.com, and for a PIN that X shows"
    return _Errand(ctx.obj, "twitter", channel, simulator, config, needs, browser).run(as_json=as_json)


@auth.command()
def facebook(
    ctx: typer.Context,
    channel: ChannelName = None,
    simulator: Simulator = None,
    config: ConfigPath = None,
    as_json: AsJson = False,
    verbose: Verbose = False,
) -> int:
    """Get the token of a Facebook Page, from a system user's token or from your own.

    Shows what the token may do, until when, and what would not work with it. Writes nothing that you do not ask for,
    and never into the config: it prints the lines to put there.

    \b
    Examples:
      outagecast auth facebook
      outagecast auth facebook --channel facebook-de
    """
    needs = "a token made in Business settings or in the Graph API Explorer, and for the app's number and secret"
    return _Errand(ctx.obj, "facebook", channel, simulator, config, needs).run(as_json=as_json)


class _Errand(msgspec.Struct, frozen=True):
    """One run of `auth`."""

    around: Surroundings
    kind: str
    channel: str | None
    simulator: str | None
    config: Path | None
    needs: str
    browser: bool = False

    @property
    def again(self) -> str:
        """The same command."""
        return f"outagecast auth {self.kind}" + (f" --channel {self.channel}" if self.channel else "")

    def run(self, *, as_json: bool) -> int:
        """Ask, get, keep, tell; the exit code."""
        self.around.as_json = as_json
        demand_person(self.around, self.again, self.needs, f"{self.again}   (typed in a terminal)")
        voice = Voice(self.around, UTC, verbose=False)
        person = Interview(self.around, voice.err(), self.again, browser=self.browser)
        path, name, known, vault = self._known()
        if vault is not None:
            person.know(vault)
        with person.attended():
            grant = self._type().authorize(known, person, self.around.clock.now)
            findings = [Finding(name, each.level, person.quote(each.text), each.do) for each in grant.findings]
            person.findings(findings)
            secrets = secrets_of(name, grant)
            keep = decide(person, path.parent.absolute(), secrets, config=False)
            keep.write(secrets)
        self._tell(voice, path, name, keep, grant, findings)
        return EXIT_PERSON if any(each.level is Level.BAD for each in findings) else EXIT_DONE

    def _place(self, path: Path, name: str) -> str:
        if not path.exists():
            return (
                f"There is no config yet (outagecast init makes one). These lines belong under `channels:` in {path}:"
            )
        if self._section_is_there(path, name):
            return f"Put these lines into the section {name} of {path}, in the place of those it has:"
        return f"Put these lines under `channels:` into {path}:"

    def _section_is_there(self, path: Path, name: str) -> bool:
        return name in sections(path, self.around.env, self.kind, registry.settings_of(self.kind))[1]

    def _type(self) -> Authorizes:
        kind = registry.channel_type(self.kind)
        if not isinstance(kind, Authorizes):
            raise ConfigError(f"the channel type {self.kind} cannot be authorized here", hint="outagecast channels")
        return kind

    def _known(self) -> tuple[Path, str, Mapping[str, Any], Vault | None]:
        """The config's path (where it would be), the section's name, and what it says already."""
        try:
            path = find(self.config, self.around.env, self.around.cwd)
        except ConfigError:
            return self.around.cwd / "outagecast.yaml", self.channel or self.kind, self._simulated({}), None
        vault, found = sections(path, self.around.env, self.kind, registry.settings_of(self.kind))
        name = self._section(found, path)
        return path, name, self._simulated(found.get(name, {})), vault

    def _section(self, found: Mapping[str, object], path: Path) -> str:
        if self.channel is None and len(found) > 1:
            raise UsageError(
                f"{path} has several channels of type {self.kind}: {', '.join(found)}",
                hint=f"outagecast auth {self.kind} --channel {next(iter(found))}",
            )
        if self.channel is not None and found and self.channel not in found:
            raise UsageError(
                f"--channel {self.channel}: there is no such channel of type {self.kind} in {path}",
                hint="channels there: " + ", ".join(found),
            )
        return self.channel or next(iter(found), self.kind)

    def _simulated(self, known: Mapping[str, Any]) -> Mapping[str, Any]:
        if self.simulator is None:
            return known
        try:
            return {**known, "simulator_url": loopback(self.simulator)}
        except ValueError as err:
            raise UsageError(
                f"--simulator {str(err).removeprefix('simulator_url ')}", hint="--simulator http://127.0.0.1:8001"
            ) from err

    def _tell(self, voice: Voice, path: Path, name: str, keep: Keep, grant: Grant, findings: list[Finding]) -> None:
        values = keep.values(name, grant)
        if self.around.as_json:
            told = [{"channel": f.channel, "level": f.level, "text": f.text, "do": f.do} for f in findings]
            code = EXIT_PERSON if any(each.level is Level.BAD for each in findings) else EXIT_DONE
            voice.json(
                {
                    "schema": "outagecast.auth/1",
                    "channel": name,
                    "type": self.kind,
                    "kept": keep.where,
                    "keys": values,
                    "findings": told,
                    "exit_code": code,
                }
            )
            return
        self._tell_person(voice, path, name, keep, grant, values)

    def _tell_person(
        self, voice: Voice, path: Path, name: str, keep: Keep, grant: Grant, values: Mapping[str, Value]
    ) -> None:
        screen = voice.err()
        screen.line()
        if keep.where is Where.NOWHERE:
            names = variables(secrets_of(name, grant))
            screen.paragraph(
                f"Nothing was kept: the secrets are gone with this command. When you know a place for them, type "
                f"{self.again} again; with the lines below the config reads them from {names}."
            )
        screen.paragraph(self._place(path, name))
        lines = [f"  {name}:", *([f"    type: {self.kind}"] if name != self.kind else [])]
        lines += [line for key, value in values.items() for line in entry(key, value, "    ")]
        voice.text("\n".join(lines) + "\n")
        screen.line("Then: outagecast check")
