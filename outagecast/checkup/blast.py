"""The blast radius: what the night depends on that goes dark together with us (`own:` in the config)."""

from __future__ import annotations

import queue
import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING

from outagecast.checkup.chains import Hit, Ours, Walk
from outagecast.model import Finding, Level

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from outagecast.checkup.leanings import Leaning
    from outagecast.config import Config
    from outagecast.model import Dependency
    from outagecast.names import Names

    Walks = Mapping[Dependency, Walk]

PATIENCE = 20.0
"""Seconds for all names together."""
_AT_ONCE = 12
_SUBJECT = "blast radius"
_SHOWN = 3
"""Chains of one finding: who has mended three knows how to find the fourth."""
_LISTED = 6


def findings(
    config: Config,
    leanings: Sequence[Leaning],
    names: Names,
    patience: float = PATIENCE,
    *,
    without: Sequence[str] = (),
) -> Iterator[Finding]:
    """Each thing that lies inside, with the way that leads there; then what could not be looked up.

    `without` are the channels that cannot be opened: what they lean on is not among the `leanings`.
    """
    ours = Ours(config.own)
    walks = {each.dependency: Walk(each.dependency, names, ours) for each in leanings}
    _all_at_once(list(walks.values()), patience)
    found = [*_dark_channels(leanings, walks), *_hits(leanings, walks), *_missing(leanings, walks), *_silent(walks)]
    yield from found
    # Without `own:` all that can be said is that there is such a name, and a channel may have said the opposite.
    if not found and (config.own or not any(walk.missing for walk in walks.values())):
        sound = _sound(config, {each.dependency.name for each in leanings})
        yield Finding(_SUBJECT, Level.GOOD, f"{sound}{_but(without)}")


def _all_at_once(walks: Sequence[Walk], patience: float) -> None:
    """Run them, a few at a time; after `patience` those that are not through are left to themselves."""
    waiting: queue.SimpleQueue[Walk] = queue.SimpleQueue()
    for walk in walks:
        waiting.put(walk)

    def work() -> None:
        with suppress(queue.Empty):
            while True:
                waiting.get_nowait().run()

    until = time.monotonic() + patience
    # Threads of our own and no executor: Python would wait for an executor's at its end.
    threads = [threading.Thread(target=work, daemon=True) for _ in range(min(_AT_ONCE, len(walks)))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(max(0.0, until - time.monotonic()))


def _dark_channels(leanings: Sequence[Leaning], walks: Walks) -> Iterator[Finding]:
    """Channels whose every host lies inside: nothing would go out there at all."""
    for name in dict.fromkeys(each.who for each in leanings if each.vital):
        vital = [each for each in leanings if each.vital and each.who == name]
        if all(any(not hit.partly for hit in walks[each.dependency].hits) for each in vital):
            what, do = "post", "use a channel besides that goes through somebody else"
            if vital[0].letters:
                what, do = "letter", "add a relay at another provider to `relays:`"
            text = f"{name}: everything that it goes through goes dark together with us: no {what} would go out"
            yield Finding(_SUBJECT, Level.BAD, text, do)


def _hits(leanings: Sequence[Leaning], walks: Walks) -> Iterator[Finding]:
    """One warning for each thing and each place, so that nobody drowns: the shortest chain of each name."""
    together: dict[tuple[str, str], list[tuple[Leaning, Hit]]] = {}
    for each in leanings:
        hits = _first(walks[each.dependency].hits)
        for place in dict.fromkeys(hit.place for hit in hits):
            shortest = min((hit for hit in hits if hit.place == place), key=_length)
            together.setdefault((each.label, place), []).append((each, shortest))
    for (label, _), found in together.items():
        found.sort(key=lambda pair: len(pair[1].chain))
        more = f"; and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
        text = f"{label}: {'; '.join(hit.told for _, hit in found[:_SHOWN])}{more}"
        leaning, hit = found[0]
        zone = f"let a name server at another provider answer for {hit.zone} as well"
        yield Finding(_SUBJECT, Level.WARNING, text, zone if hit.zone else leaning.do)


def _first(hits: Sequence[Hit]) -> list[Hit]:
    """Only where each way first comes inside: that a host of ours has addresses of ours is no more news."""
    chains = {hit.chain for hit in hits}
    return [hit for hit in hits if not any(hit.chain[:steps] in chains for steps in range(1, len(hit.chain)))]


def _length(hit: Hit) -> tuple[bool, int]:
    """The host itself before its name servers, and then the fewest steps."""
    return bool(hit.zone), len(hit.chain)


def _missing(leanings: Sequence[Leaning], walks: Walks) -> Iterator[Finding]:
    for each in leanings:
        if not each.told and (why := walks[each.dependency].missing):
            text = f"{each.label}: {each.dependency.name} cannot be looked up: {why}"
            yield Finding(_SUBJECT, Level.WARNING, text, "correct the name, or have it put into the DNS")


def _silent(walks: Walks) -> Iterator[Finding]:
    """Names that nobody answers for now, all in one: mostly it is one network that is down."""
    silent: dict[str, str] = {}
    for dependency, walk in walks.items():
        silent |= walk.silent
        if not walk.ended and not walk.silent:
            silent[dependency.name] = "the DNS gave no answer in time"
    if silent:
        listed = ", ".join(list(silent)[:_LISTED]) + (
            f" and {len(silent) - _LISTED} more" if len(silent) > _LISTED else ""
        )
        text = f"cannot be looked up now: {listed} ({next(iter(silent.values()))})"
        yield Finding(_SUBJECT, Level.WARNING, text, "look at this machine's network and DNS, then: outagecast check")


def _sound(config: Config, looked_at: set[str]) -> str:
    count = f"{len(looked_at)} name{'s' if len(looked_at) != 1 else ''}"
    if not looked_at:
        return "the night depends on no name outside of this machine"
    if not config.own:
        return f"{count} that the night depends on can be looked up"
    return f"{count} that the night depends on, and what is behind them: nothing lies in {', '.join(config.own)}"


def _but(without: Sequence[str]) -> str:
    if not without:
        return ""
    return f" (without {' and '.join(without)}, whose settings are wrong)"
