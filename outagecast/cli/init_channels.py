"""The part of `init` that is about one channel: ask, test right away, and let the person decide about a failed test."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, get_args

import msgspec

from outagecast import registry
from outagecast.channel import Authorizes, Confided, Grant
from outagecast.cli.keep import written_out
from outagecast.errors import OutagecastError, UsageError
from outagecast.model import Finding, Level
from outagecast.secrets import Secret

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from datetime import datetime

    from outagecast.channel import Channel
    from outagecast.cli.interview import Interview
    from outagecast.config_writing import Value
    from outagecast.model import House

CALLED = {"twitter": "on X", "facebook": "on a Facebook Page", "email": "by e-mail"}
"""The types that are offered first, in this order, and how one announces there."""
_GET_TOKENS = ("twitter", "facebook")


class Chosen(msgspec.Struct, frozen=True):
    """A channel that is to be in the config: what was granted, and what is written as it stands here."""

    type: str
    grant: Grant
    written: Mapping[str, Value]


class Asking(msgspec.Struct, frozen=True):
    """Whom to ask, for which house."""

    person: Interview
    house: House
    now: Callable[[], datetime]
    simulators: Mapping[str, str]

    def channels(self) -> Iterator[Chosen]:
        """Each channel that the person wants; the built-in ones first."""
        strange = sorted(name for name in registry.available() if name not in CALLED)
        for kind in (*CALLED, *strange):
            offered = registry.channel_type(kind)
            if not isinstance(offered, Authorizes):
                continue
            self.person.gap()
            if self.person.yes(f"Announce {CALLED.get(kind, f'by {kind}')}?", default=kind in CALLED):
                chosen = self._chosen(kind, offered)
                if chosen is not None:
                    yield chosen

    def _chosen(self, kind: str, offered: Any) -> Chosen | None:
        """Ask until it works, or until it is kept or left out all the same."""
        known = {"simulator_url": self.simulators[kind]} if kind in self.simulators else {}
        if kind in _GET_TOKENS and self.person.choose("Its keys and tokens:", _NOW_OR_LATER):
            return self._later(kind, offered, known)
        while True:
            answered = self._answered(kind, offered, known)
            if answered is not None and self._works(offered, kind, answered):
                return answered
            match self.person.choose("What now?", (*_AGAIN, _KEEP if answered else _LATER)):
                case 1:
                    return None
                case 2:
                    return answered or self._later(kind, offered, known)

    def _answered(self, kind: str, offered: Authorizes, known: Mapping[str, Any]) -> Chosen | None:
        """The answers; None where the platform did not play along, which has been told."""
        try:
            grant = offered.authorize(known, self.person, self.now, checked=True)
        except UsageError:  # the person has left
            raise
        except OutagecastError as err:
            self.person.trouble(err)
            return None
        if grant.findings:
            self.person.findings([msgspec.structs.replace(each, channel=kind) for each in grant.findings])
        return Chosen(kind, grant, dict(known))

    def _works(self, offered: Any, kind: str, chosen: Chosen) -> bool:
        """Test it by the channel's own check, which publishes nothing."""
        self.person.say("Testing it; nothing is published …")
        found = list(_tested(offered, kind, chosen, self.house))
        self.person.findings(found)
        return not any(each.level is Level.BAD for each in (*found, *chosen.grant.findings))

    def _later(self, kind: str, offered: Any, known: Mapping[str, Any]) -> Chosen:
        """Let environment variables stand for the secrets, and ask for what is none."""
        required = [field for field in msgspec.structs.fields(offered.Settings) if field.required]
        written: dict[str, Value] = dict(known)
        written |= {each.name: f"${{{kind}_{each.name}}}".upper() for each in required if _is_secret(each.type)}
        names = [str(value)[2:-1] for key, value in written.items() if key not in known]
        for each in required:
            if each.name not in written:
                typed = self.person.line(f"Its {each.name}", check=_fits(offered.Settings, each.name))
                written[each.name] = typed.replace("$", "$$")
        self.person.say(f"The config will name {', '.join(names)}: set them, then: outagecast check")
        return Chosen(kind, Grant({}), written)


_NOW_OR_LATER = (
    "get them now, step by step",
    "later: the config names environment variables, and nothing is tested now",
)
_AGAIN = ("answer again", "leave this channel out")
_KEEP = "keep it as it is"
_LATER = "keep it, with environment variables in the place of its secrets"


def _tested(offered: Any, name: str, chosen: Chosen, house: House) -> Iterator[Finding]:
    """What the channel finds out about itself; whatever goes wrong is a finding."""
    try:
        channel: Channel = offered(name, _settings(offered.Settings, chosen), house)
    except (msgspec.ValidationError, ValueError, TypeError) as err:
        texts: Sequence[object] = err.args or ("not accepted",)
        yield from (Finding(name, Level.BAD, str(text), "answer again") for text in texts)
        return
    try:
        yield from channel.check()
    except OutagecastError as err:
        yield Finding(name, Level.BAD, err.text, err.hint)
    except Exception as err:  # noqa: BLE001  an adapter's bug is a finding too
        yield Finding(name, Level.BAD, f"the check itself failed: {type(err).__name__}: {err}", "report it")
    finally:
        channel.close()


def _settings(struct: type[Any], chosen: Chosen) -> Any:
    """The section as the channel would get it, with the secrets at hand."""
    values: dict[str, Any] = dict(chosen.written)
    types = {field.name: field.type for field in msgspec.structs.fields(struct)}
    for key, value in chosen.grant.keys.items():
        secret = _is_secret(types.get(key))
        if isinstance(value, (list, tuple)):
            values[key] = [_as_setting(each, secret=secret) for each in value]
        else:
            values[key] = _as_setting(value, secret=secret)
    return msgspec.convert(values, struct)


def _fits(struct: type[Any], key: str) -> Callable[[str], None]:
    """Check one key by the channel's own rules, whatever the others will be."""

    def check(text: str) -> None:
        others = {each.name: Secret.of("-") for each in msgspec.structs.fields(struct) if _is_secret(each.type)}
        try:
            msgspec.convert({**others, key: text}, struct)
        except msgspec.ValidationError as err:
            if "missing required field" not in str(err):
                raise ValueError(str(err)) from err

    return check


def _as_setting(value: Any, *, secret: bool) -> Any:
    if isinstance(value, Confided):
        return value.secret.part(value.around.replace("{}", written_out(value)))
    return Secret.of(value) if secret and isinstance(value, str) else value


def _is_secret(kind: Any) -> bool:
    return kind is Secret or Secret in get_args(kind)
