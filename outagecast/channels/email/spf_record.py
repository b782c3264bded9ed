"""An SPF record taken apart (RFC 7208 4.6 and 5 to 7); one thing in it that does not fit makes all of it void."""

from __future__ import annotations

import re
from enum import StrEnum
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

IPAddress = IPv4Address | IPv6Address

_VERSION = re.compile(r"v=spf1(?: .*)?", re.IGNORECASE | re.DOTALL)
_TERM = re.compile(r"([+?~-]?)(all|include|a|mx|ptr|ip4|ip6|exists)(?![\w.=-])(.*)", re.IGNORECASE)
_MODIFIER = re.compile(r"([A-Za-z][A-Za-z0-9_.-]*)=(.*)")
_RANGES = re.compile(r"(?::(?P<domain>.+?))?(?:/(?P<four>0|[1-9][0-9]?))?(?://(?P<six>0|[1-9][0-9]{0,2}))?")
_MACRO = re.compile(r"%(?:\{([slodiphvcrtSLODIPHVCRT])([0-9]*)(r?)([-.+,/_=]*)\}|([%_-]))")
_OF_THE_CONNECTION = re.compile(r"%\{[iphv]", re.IGNORECASE)
_LAST_LABEL = re.compile(r"\.(?!-)[A-Za-z0-9-]*[A-Za-z-][A-Za-z0-9-]*(?<!-)\.?\Z")


class Verdict(StrEnum):
    """What a record says of an address."""

    PASS = "pass"  # noqa: S105  no password
    FAIL = "fail"
    SOFTFAIL = "softfail"
    NEUTRAL = "neutral"
    NONE = "none"
    """There is no record."""


class BrokenError(Exception):
    """What RFC 7208 2.6.7 calls permerror: the record cannot be used at all; the text says why."""


class Term(msgspec.Struct, frozen=True):
    """One mechanism."""

    verdict: Verdict
    kind: str
    domain: str = ""
    """With its macros; empty: the domain that the record is of."""
    network: IPv4Network | IPv6Network | None = None
    bits: tuple[int, int] = (32, 128)
    """How much of an address must be the same, of IPv4 and of IPv6."""

    @property
    def asks(self) -> bool:
        """Whether it costs one of the ten lookups (4.6.4)."""
        return self.kind in {"include", "a", "mx", "ptr", "exists"}


class Record(msgspec.Struct, frozen=True):
    """A record that is well formed."""

    terms: Sequence[Term]
    """As far as the first `all`: nothing behind it counts."""
    redirect: str = ""

    @property
    def nobody(self) -> bool:
        """Whether it says that no mail at all comes from this domain."""
        return not self.redirect and [term.kind for term in self.terms if term.verdict is Verdict.PASS] == []


def is_spf(text: str) -> bool:
    """Whether a TXT record is meant to be one of these (4.5)."""
    return _VERSION.fullmatch(text) is not None


def parse(text: str) -> Record:
    """Take it apart; raises BrokenError."""
    terms: list[Term] = []
    modifiers: dict[str, str] = {}
    for written in filter(None, text[len("v=spf1") :].split(" ")):
        if found := _TERM.fullmatch(written):
            terms.append(_term(written, *found.groups()))
        elif found := _MODIFIER.fullmatch(written):
            name = found[1].lower()
            if name in modifiers and name in {"redirect", "exp"}:
                raise BrokenError(f"it has {name}= twice")
            modifiers[name] = found[2]
        else:
            raise BrokenError(f"{_shown(written)} means nothing")
    for name, value in modifiers.items():
        _check_modifier(name, value)
    ends = next((number for number, term in enumerate(terms, 1) if term.kind == "all"), 0)
    if ends:
        return Record(terms[:ends])
    return Record(terms, modifiers.get("redirect", ""))


def expand(spec: str, values: Mapping[str, str]) -> str:
    """Fill in the macros of a domain (section 7); `values` by letter."""

    def value(found: re.Match[str]) -> str:
        letter, digits, turned, delimiters, other = found.groups()
        if other:
            return {"%": "%", "_": " ", "-": "%20"}[other]
        parts = re.split(f"[{re.escape(delimiters or '.')}]", values[letter.lower()])
        parts = parts[::-1] if turned else parts
        return ".".join(parts[-int(digits) :] if digits else parts)

    return _MACRO.sub(value, spec).lower().rstrip(".")


def of_the_connection(spec: str) -> bool:
    """Whether a domain depends on who connects, so that it has no meaning without an address."""
    return _OF_THE_CONNECTION.search(spec) is not None


_VERDICTS = {"": Verdict.PASS, "+": Verdict.PASS, "-": Verdict.FAIL, "~": Verdict.SOFTFAIL, "?": Verdict.NEUTRAL}


def _term(written: str, qualifier: str, name: str, rest: str) -> Term:
    reader: Callable[[str, str, Verdict], Term] = {
        "all": _bare,
        "ip4": _network,
        "ip6": _network,
        "a": _hosts,
        "mx": _hosts,
    }.get(name.lower(), _domain)
    try:
        return reader(name.lower(), rest, _VERDICTS[qualifier])
    except ValueError as err:
        raise BrokenError(f"{_shown(written)} is no way to write it") from err


def _shown(written: str) -> str:
    return f"“{written[:60]}{'…' if len(written) > 60 else ''}”"


def _check_modifier(name: str, value: str) -> None:
    if name in {"redirect", "exp"}:
        _spec(f"{name}=", value)
    elif "%" in _MACRO.sub("", value):
        raise BrokenError(f"{_shown(f'{name}={value}')} is no way to write it")


def _bare(kind: str, rest: str, verdict: Verdict) -> Term:
    if rest:
        raise ValueError(rest)
    return Term(verdict, kind)


def _network(kind: str, rest: str, verdict: Verdict) -> Term:
    network = (IPv4Network if kind == "ip4" else IPv6Network)(rest.removeprefix(":"), strict=False)
    if not rest.startswith(":") or re.search("/0[0-9]", rest):
        raise ValueError(rest)
    return Term(verdict, kind, network=network)


def _hosts(kind: str, rest: str, verdict: Verdict) -> Term:
    found = _RANGES.fullmatch(rest)
    if found is None:
        raise ValueError(rest)
    four, six = int(found["four"] or 32), int(found["six"] or 128)
    if four > 32 or six > 128:
        raise ValueError(rest)
    return Term(verdict, kind, _spec(rest, found["domain"]) if found["domain"] else "", bits=(four, six))


def _domain(kind: str, rest: str, verdict: Verdict) -> Term:
    if kind == "ptr" and not rest:
        return Term(verdict, kind)
    if not rest.startswith(":"):
        raise ValueError(rest)
    return Term(verdict, kind, _spec(rest, rest[1:]))


def _spec(written: str, spec: str) -> str:
    """A domain with macros that are right (7.1); raises BrokenError."""
    plain = _MACRO.sub("", spec)
    macros = list(_MACRO.finditer(spec))
    # c, r and t say something only in an explanation; %{d0} would be none of its labels.
    wrong = any((found[1] or "").lower() in set("crt") or (found[2] and not int(found[2])) for found in macros)
    ends = bool(macros) and macros[-1].end() == len(spec) and macros[-1][1]
    if wrong or "%" in plain or not plain.isascii() or not (ends or _LAST_LABEL.search(spec)):
        raise BrokenError(f"{_shown(spec or written)} is no domain")
    return spec
