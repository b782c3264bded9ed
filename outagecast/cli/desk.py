"""What every command that touches the journal does the same way: config, journal, lock, channels, delivery."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import msgspec
from msgspec.structs import replace

from outagecast import announce, registry
from outagecast.config import find, load
from outagecast.deliver import PATIENCE, Sweeping, deliver
from outagecast.deliver.upkeep import sweep_next, unseen
from outagecast.errors import ConfigError, JournalError, Refused, UsageError
from outagecast.journal import Journal, Lock, Scope
from outagecast.model import LeastReplies
from outagecast.phrasing import Pen

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
    from datetime import datetime

    from outagecast.channel import Channel
    from outagecast.cli.surroundings import Surroundings
    from outagecast.config import Config
    from outagecast.deliver import Ended, Event
    from outagecast.journal import Task
    from outagecast.registry import Opened


class Desk(msgspec.Struct, frozen=True):
    """A command at work: its config and its surroundings, since `started` on the monotonic clock."""

    around: Surroundings
    config: Config
    started: float
    deadline: float | None = None

    @property
    def journal_path(self) -> Path:
        """Where the journal is: the config's `journal:`, $OUTAGECAST_JOURNAL, the user's state directory."""
        return journal_path(self.config, self.around)

    @property
    def pen(self) -> Pen:
        """What puts announcements into words."""
        types = {name: section.type for name, section in self.config.channels.items()}
        return Pen(self.config.house, self.config.templates, types)

    def left(self) -> float | None:
        """Seconds until the deadline; None without one."""
        if self.deadline is None:
            return None
        return max(0.0, self.started + self.deadline - self.around.clock.monotonic())

    def open(self, names: Sequence[str] | None = None) -> dict[str, Opened]:
        """The configured channels of these names (None: all), made; each keeps its own failure."""
        wanted = self.config.channels if names is None else names
        return {name: self._open(name) for name in wanted}

    def _open(self, name: str) -> Opened:
        section = self.config.channels.get(name)
        if section is not None:
            return registry.open_channel(self.config, section)
        gone = Refused(
            f"the channel {name!r} is not in the config any more",
            mendable=True,
            hint=f"put it back into {self.config.path}, then: outagecast resume",
        )
        return registry.Opened(name, "?", LeastReplies.OPEN, error=gone)

    @contextmanager
    def journal(self, command: str, waiting: Callable[[str], None], *, urgent: bool = True) -> Iterator[Journal]:
        """The journal, locked for this run; what an ended run left `sending` is in doubt from here on.

        Whoever sweeps gives way to a command that waits for it and is `urgent`.
        """
        with Journal(self.journal_path, self.around.clock.now) as journal:
            journal.mask = self.config.vault.mask
            wait = self.left()
            wait = PATIENCE if wait is None else wait
            with Lock(self.journal_path).take(command, wait=wait, waiting=waiting, urgent=urgent):
                journal.recover()
                yield journal

    def carry_out(
        self,
        journal: Journal,
        announcements: tuple[int, ...] | None,
        watch: Callable[[Event], None],
        opened: Mapping[str, Opened],
        *,
        give_way: Callable[[], bool] = lambda: False,
        sweep: bool = False,
    ) -> Ended:
        """Finish what is unfinished of `announcements` (None: of all) on these channels, once each; then `sweep`."""
        scope = Scope(announcements, tuple(opened))
        # Whatever the scope: old news that newer news has overtaken must not go out behind it later.
        journal.supersede(Scope(None, tuple(opened)))
        complete(journal, scope, opened, self.config.channels)
        opened = themselves(journal, scope, opened)
        journal.expire(scope, self.around.clock.now() - self.config.expires)
        journal.reconsider(scope)
        busy = journal.busy_channels(scope)
        channels: dict[str, Channel | Refused] = {
            name: one.channel or one.error or Refused("the channel cannot be used", mendable=True)
            for name, one in opened.items()
            if name in busy
        }
        if not sweep:
            return self._deliver(journal, announcements, channels, watch, give_way=give_way)
        swept = {name: opened[name] for name in self.swept_channels(journal, opened)}
        if opened.keys() >= self.config.channels.keys():
            swept |= self.gone(journal, self.young_since())
        idle = {name: one.channel for name, one in swept.items() if one.channel and name not in busy}
        blind = own_up(journal, swept, self.young_since())
        sweeping = Sweeping(self.young_since(), apart=posts_of(blind), wanted=self.wanted)
        ended = self._deliver(journal, announcements, channels | idle, watch, give_way=give_way, sweeping=sweeping)
        unswept = {one.channel: one.why.text for one in blind} | dict(ended.unswept)
        return replace(ended, unswept=unswept, unseen=[*ended.unseen, *(one.task.announcement for one in blind)])

    def wanted(self) -> bool:
        """Whether another outagecast waits for the journal. Not being able to tell must not end a run."""
        try:
            return Lock(self.journal_path).wanted()
        except JournalError:
            return False

    def young_since(self) -> datetime:
        """Incidents that were over before are not swept any more (`sweep_for`)."""
        return self.around.clock.now() - self.config.sweep_for

    def gone(self, journal: Journal, since: datetime) -> dict[str, Opened]:
        """The channels that the config no longer names, and that have a post young enough to be swept."""
        young = journal.young_channels(Scope(), since)
        return self.open([name for name in young if name not in self.config.channels])

    def swept_channels(self, journal: Journal, names: Iterable[str]) -> list[str]:
        """The channels of these names that have a post young enough to be swept."""
        return journal.young_channels(Scope(None, tuple(names)), self.young_since())

    def look(
        self,
        journal: Journal,
        watch: Callable[[Event], None],
        opened: Mapping[str, Opened],
        sweeping: Sweeping,
    ) -> Ended:
        """Sweep, look at replies that are due to be looked at, and nothing else; and that only while nobody waits."""
        channels: dict[str, Channel | Refused] = {name: one.channel for name, one in opened.items() if one.channel}
        return self._deliver(journal, None, channels, watch, looks_only=True, sweeping=sweeping, give_way=self.wanted)

    def _deliver(
        self,
        journal: Journal,
        announcements: tuple[int, ...] | None,
        channels: Mapping[str, Channel | Refused],
        watch: Callable[[Event], None],
        *,
        give_way: Callable[[], bool],
        sweeping: Sweeping | None = None,
        looks_only: bool = False,
    ) -> Ended:
        return deliver(
            journal,
            channels,
            announcements=announcements,
            give_way=give_way,
            looks_only=looks_only,
            sweeping=sweeping,
            expires=self.config.expires,
            clock=self.around.clock,
            deadline=self.left(),
            watch=watch,
            mask=self.config.vault.quote,
        )


def desk(
    around: Surroundings, config: Path | None, *, only: Sequence[str] | None = None, deadline: float | None = None
) -> Desk:
    """Read the config. `only` names the channels of --to: an unknown one is an error that names the known."""
    started = around.clock.monotonic()
    read = load(find(config, around.env, around.cwd), around.env, registry.settings_of, only)
    for name in only or ():
        if name not in read.channels:
            raise UsageError(
                f"--to {name}: there is no such channel in {read.path}",
                hint="channels there: " + ", ".join(read.channels),
            )
    if not read.channels:
        raise ConfigError(f"{read.path} has no channels", hint="outagecast drill shows a complete one at work")
    return Desk(around, read, started, deadline)


class Blind(NamedTuple):
    """A young post that its channel cannot look at."""

    channel: str
    task: Task
    why: Refused


def posts_of(blind: Iterable[Blind]) -> frozenset[int]:
    """Their ids."""
    return frozenset(one.task.post.id for one in blind)


def own_up(journal: Journal, opened: Mapping[str, Opened], since: datetime) -> list[Blind]:
    """Write down why nobody can look below a post, and that what was found last may be true no longer."""
    blind = [one for name in opened for one in _blind(journal, name, opened[name], since)]
    for one in blind:
        assert one.task.receipt is not None  # noqa: S101  what is swept is out
        known = unseen(one.task.receipt.replies, None)
        hint = sweep_next(one.why.hint)
        journal.replies(one.task.post.id, known, due=None, why=one.why.text, hint=hint)
    return blind


def _blind(journal: Journal, name: str, one: Opened, since: datetime) -> Iterator[Blind]:
    """The young posts that a channel cannot look at: it cannot be opened, or it is another one by now."""
    scope = Scope(None, (name,))
    for _, type_, account in journal.young_for(scope, since):
        if why := one.error or _another(name, one, type_, account):
            yield from (Blind(name, task, why) for task in journal.young(scope, since, (type_, account)))


def journal_path(config: Config | None, around: Surroundings) -> Path:
    """The config's `journal:`, $OUTAGECAST_JOURNAL, or the user's state directory, in this order."""
    if config is not None and config.journal is not None:
        return config.journal
    if named := around.env.get("OUTAGECAST_JOURNAL"):
        return around.cwd / Path(named).expanduser()
    from platformdirs import user_state_path

    return user_state_path("outagecast") / "journal.db"


def complete(journal: Journal, scope: Scope, opened: Mapping[str, Opened], configured: Collection[str]) -> None:
    """Render what could not be rendered when it was planned, now that its channel may have been mended."""
    for row, name in journal.unrendered(scope):
        journal.add(row, [announce.late(journal, row, opened[name], configured)])


def themselves(journal: Journal, scope: Scope, opened: Mapping[str, Opened]) -> dict[str, Opened]:
    """The same channels; one whose section means another account or platform now cannot be used for its posts."""
    still = dict(opened)
    for name, type_, account in journal.planned_for(scope):
        one = still[name]
        error = _another(name, one, type_, account)
        if error is not None:
            still[name] = registry.Opened(name, one.type, one.least, error=error)
    return still


def _another(name: str, one: Opened, type_: str, account: str) -> Refused | None:
    """Why a channel is not the one that something was meant for; None where it is, as far as can be told."""
    other = account != one.account if account and one.account else False
    if one.channel is None or (one.type == type_ and not other):
        return None
    was = f"{type_} {account}".strip()
    return Refused(
        f"the section {name!r} is another channel now ({one.type} {one.account}); this was meant for {was}",
        mendable=True,
        hint=f"put the section {name!r} back as it was, or: outagecast settle {name} --all --drop",
    )
