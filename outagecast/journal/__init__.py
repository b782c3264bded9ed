"""The journal: the only state there is, one SQLite file, and the only transitions between the states of a post."""

from __future__ import annotations

from typing import TYPE_CHECKING

from outagecast.journal import planning
from outagecast.journal.lock import Lock
from outagecast.journal.questions import Questions
from outagecast.journal.rows import AnnouncementRow, ChannelPlan, Scope, Task
from outagecast.journal.staleness import Staleness
from outagecast.journal.store import RunOverError
from outagecast.journal.subscriptions import Subscriptions
from outagecast.journal.sweeping import Acts, Sweepings
from outagecast.journal.transitions import Transitions
from outagecast.journal.withdrawal import Withdrawals

if TYPE_CHECKING:
    from collections.abc import Sequence

    from outagecast.model import Announcement

__all__ = ["Acts", "AnnouncementRow", "ChannelPlan", "Journal", "Lock", "RunOverError", "Scope", "Task"]


class Journal(Transitions, Withdrawals, Staleness, Sweepings, Questions, Subscriptions):
    """One journal file: plan, move, ask."""

    def plan(self, news: Announcement, plans: Sequence[ChannelPlan]) -> int:
        """Write an announcement and all its posts down in one transaction; its id. A new incident is made with it."""
        with self.writing() as db:
            return planning.announce(db, news, plans)

    def add(self, row: AnnouncementRow, plans: Sequence[ChannelPlan]) -> None:
        """Give an announcement its posts on channels that have none of it yet."""
        with self.writing() as db:
            for plan in plans:
                before = planning.clear_placeholder(db, row.id, plan.name)
                planning.add_channel(db, row.id, row.news.groups, plan, self.now(), before)
