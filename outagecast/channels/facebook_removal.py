"""Hides and deletes comments, one after the other, and knows of each what came of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from outagecast.channel import Act, ChannelError, InDoubt, Refused, TryLater
from outagecast.channels.facebook_answers import Gone
from outagecast.channels.facebook_standing import LATER, spent, standing

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from outagecast.channels.facebook_graph import Graph

_MOST_UNCLEAR = 5
"""So many failures in a row are the platform's, not a comment's: the others would fail, too."""
_MOST_REFUSED = 20
"""More than that: what cannot be hidden must not save what stands behind it."""
_TOKEN = (102, 104, 190)
"""Codes that say of the token itself that it is not taken."""


class Target(msgspec.Struct, frozen=True):
    """One comment, and what is to be done to it."""

    ref: str
    act: Act


class Removal:
    """What one sweep does, each comment once."""

    def __init__(self, graph: Graph, done: Callable[[Act, str], None], give_way: Callable[[], bool]) -> None:
        """`done` hears of each comment right after it was removed; `give_way` says whether somebody waits."""
        self._graph = graph
        self._done = done
        self._give_way = give_way
        self._tried: dict[str, ChannelError | None] = {}

    def untried(self, targets: Sequence[Target]) -> Sequence[Target]:
        """Give those that nothing has been done to yet."""
        return [target for target in targets if target.ref not in self._tried]

    def outcome(self, ref: str) -> ChannelError | None:
        """Say why a comment was not removed; None where Facebook said that it was."""
        return self._tried[ref]

    def see_to(self, targets: Sequence[Target]) -> None:
        """Do it to each; one that fails does not save the others.

        Raises TryLater where the rest is for another time, and the reason where the rest would fail, too.
        """
        failures: list[ChannelError] = []
        for target in targets:
            self._make_room()
            err = self._tried[target.ref] = self._outcome_of(target)
            failures = [*failures, err] if err else []
            if err and self._hopeless(failures):
                left = [target for target in targets if self._tried.get(target.ref, err)]
                raise standing(len(left), err) from err

    def _make_room(self) -> None:
        if later := spent(self._graph.usage):
            raise later
        if self._give_way():
            raise TryLater("another command waits for the journal, and the rest of the comments is left", hint=LATER)

    def _hopeless(self, failures: Sequence[ChannelError]) -> bool:
        latest = failures[-1]
        if isinstance(latest, Refused):
            return self._graph.code in _TOKEN or len(failures) >= _MOST_REFUSED
        unclear = sum(not isinstance(err, Refused) for err in failures)
        return unclear >= _MOST_UNCLEAR or getattr(latest, "limited", False)

    def _outcome_of(self, target: Target) -> ChannelError | None:
        try:
            self._remove(target)
        except InDoubt as err:
            return self._after_doubt(target, err)
        except ChannelError as err:
            return err
        self._done(target.act, target.ref)
        return None

    def _remove(self, target: Target) -> None:
        hide = target.act is Act.HIDDEN
        answer = self._graph.write(target.ref, is_hidden="true") if hide else self._graph.delete(target.ref)
        if answer.body.get("success") is not True:
            raise InDoubt("Facebook does not say that it is gone")

    def _after_doubt(self, target: Target, err: InDoubt) -> ChannelError | None:
        """Look once whether it was done all the same; then it counts."""
        try:
            hidden = self._graph.read(target.ref, fields="id,is_hidden").body.get("is_hidden") is True
            removed = hidden and target.act is Act.HIDDEN
        except Gone as gone:
            if target.act is Act.HIDDEN:
                return gone
            removed = True
        except ChannelError:
            return TryLater(f"whether it still stands is unknown: {err.text}", hint=LATER)
        if removed:
            self._done(target.act, target.ref)
            return None
        return TryLater(f"{err.text}; looked at again, it is there as before", hint=LATER)
