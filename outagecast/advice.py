"""What to type next when nothing is unfinished: the one command that fits, ready to be copied."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

import msgspec

from outagecast.model import IncidentState
from outagecast.report import overdue

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from outagecast.model import Incident


class Advice(msgspec.Struct, frozen=True):
    """Why, and the commands."""

    why: str
    commands: Sequence[str]


def advice(incidents: Sequence[Incident], now: datetime) -> Advice:
    """What comes next, given all incidents, newest first; the one that is longest overdue comes before the others."""
    still_open = [one for one in incidents if one.state is IncidentState.OPEN]
    late = sorted((one for one in still_open if overdue(one, now)), key=lambda one: one.eta or now)
    if not still_open:
        return Advice("Nothing is open. Should something break:", ['outagecast post "what is wrong, ETA 1h"'])
    meant = (late or still_open)[0]
    which = f" --incident {shlex.quote(meant.key)}" if len(still_open) > 1 else ""
    update = f'outagecast update{which} "what is new, ETA 1h"'
    if late:
        return Advice("The ETA has passed without news. Next:", [update])
    return Advice("With news, or when it is over:", [update, f"outagecast resolve{which}"])
