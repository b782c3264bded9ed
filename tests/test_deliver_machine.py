"""Whatever a platform answers and whenever a run dies: nothing is out twice, and in the end everything is out once.

But for what was taken back: that is gone in the end, and nothing ever hangs under what is gone.
"""

from __future__ import annotations

import itertools
import shutil
import tempfile
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from msgspec.structs import replace

from outagecast.channel import (
    Absent,
    Announcement,
    Capabilities,
    ChannelError,
    InDoubt,
    Post,
    Receipt,
    Refused,
    Replies,
    ReplyControl,
    TryLater,
)
from outagecast.deliver import Sweeping, deliver
from outagecast.journal import Journal, Scope
from outagecast.model import Kind, PostState
from tests.journal_kit import NOW, letters, news, posts

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from outagecast.channel import Look, Remember

EVERYTHING = Scope()
DISBELIEF = timedelta(seconds=60)
NEVER = timedelta(days=3650)
OPEN = (
    "SELECT id, recipient, state, person FROM post WHERE state NOT IN ('sent', 'dropped', 'retracted') "
    "OR retract_due IS NOT NULL OR amend_due IS NOT NULL OR (state = 'sent' AND person = 1)"
)


class Say(StrEnum):
    """What a platform does with a request, and what its channel makes of that."""

    YES = "receipt"
    LATER = "try later"
    LIMITED = "rate limit"
    NO = "refused"
    MENDABLE = "refused, mendable"
    LANDED = "in doubt, out"
    LOST = "in doubt, not out"
    BUG_LANDED = "an adapter's bug, out"
    BUG_LOST = "an adapter's bug, not out"


class Glance(StrEnum):
    """What comes of looking."""

    TRUE = "the truth"
    LATER = "try later"
    NO = "refused"
    BUG = "an adapter's bug"


class Time:
    """A clock that moves when somebody waits, and when the machine says so."""

    def __init__(self) -> None:
        self._passed = 0.0
        self._guard = threading.Lock()

    def now(self) -> datetime:
        return NOW + timedelta(seconds=self.monotonic())

    def monotonic(self) -> float:
        with self._guard:
            return self._passed

    def wait(self, stop: threading.Event, seconds: float) -> bool:
        with self._guard:
            self._passed += seconds
        return stop.is_set()


@dataclass
class World:
    """What is public, and how the platform will behave."""

    clock: Time
    public: list[tuple[str, str | None, datetime]] = field(default_factory=list)
    """Each post's name, what it hangs under, and when it is to be seen."""
    answers: list[Say] = field(default_factory=list)
    glances: list[Glance] = field(default_factory=list)
    lag: float = 0
    gone: set[int] = field(default_factory=set)
    """What was deleted."""
    shown: dict[int, str] = field(default_factory=dict)
    """What was given other words."""

    def out(self, name: str) -> list[int]:
        """Where it is, or was."""
        return [number for number, (public, _, _) in enumerate(self.public) if public == name]

    def there(self, name: str) -> bool:
        return any(number not in self.gone for number in self.out(name))

    def change(self, act: Callable[[], None]) -> None:
        """A change of what is out, which can be repeated: as the script says, and done where it says so."""
        say = self.answers.pop(0) if self.answers else Say.YES
        if say in (Say.YES, Say.LANDED, Say.BUG_LANDED):
            act()
        match say:
            case Say.LATER | Say.LIMITED | Say.LANDED | Say.LOST:
                raise TryLater("busy")
            case Say.NO | Say.MENDABLE:
                raise Refused("no", mendable=say is Say.MENDABLE)
            case Say.BUG_LANDED | Say.BUG_LOST:
                raise RuntimeError("an adapter's bug")

    def answer(self, name: str, parent: str | None) -> Receipt:
        """Do as the script says; at its end everything goes well."""
        say = self.answers.pop(0) if self.answers else Say.YES
        if say in (Say.YES, Say.LANDED, Say.BUG_LANDED):
            self.public.append((name, parent, self.clock.now() + timedelta(seconds=self.lag)))
        match say:
            case Say.LATER | Say.LIMITED:
                raise TryLater("busy", limited=say is Say.LIMITED)
            case Say.NO | Say.MENDABLE:
                raise Refused("no", mendable=say is Say.MENDABLE)
            case Say.LANDED | Say.LOST:
                raise InDoubt("cut off")
            case Say.BUG_LANDED | Say.BUG_LOST:
                raise RuntimeError("an adapter's bug")
        return Receipt(str(len(self.public) - 1))

    def look(self, name: str) -> Receipt | Absent:
        """The truth as far as it is to be seen yet, unless looking fails."""
        glance = self.glances.pop(0) if self.glances else Glance.TRUE
        match glance:
            case Glance.LATER:
                raise TryLater("busy")
            case Glance.NO:
                raise Refused("no right to read")
            case Glance.BUG:
                raise RuntimeError("an adapter's bug")
        seen = [number for number in self.out(name) if self.public[number][2] <= self.clock.now()]
        return Receipt(str(seen[0])) if seen else Absent(DISBELIEF)


class Feed:
    """A channel of single posts, in threads."""

    caps: ClassVar = Capabilities(ReplyControl.ATOMIC, threads=True, can_find=True, can_retract=True, can_edit=True)
    name = "feed"

    def __init__(self, world: World) -> None:
        self.world = world

    def send(self, post: Post, parent: Receipt | None, remember: Remember) -> Receipt:
        remember({"step": "1"})
        return self.world.answer(post.text, parent.ref if parent else None)

    def find(self, post: Post, parent: Receipt | None, since: datetime) -> Look:
        return self.world.look(post.text)

    def retract(self, receipt: Receipt) -> None:
        self.world.change(lambda: self.world.gone.add(int(receipt.ref)))

    def amended(self, first: Post, latest: Announcement) -> str:
        return f"now {latest.text}, first {first.text}"

    def amend(self, receipt: Receipt, text: str) -> None:
        assert int(receipt.ref) not in self.world.gone, "nothing is written onto what is gone"
        self.world.change(lambda: self.world.shown.update({int(receipt.ref): text}))

    def close_replies(self, receipt: Receipt) -> Replies:
        self.world.look("")
        return Replies.CLOSED

    def close(self) -> None:
        """Nothing is kept open."""


class Mail(Feed):
    """A channel of letters whose fate can be looked up: so doubles have no excuse."""

    caps: ClassVar = Capabilities(ReplyControl.NATIVE, letters=True)
    name = "mail"

    def find(self, post: Post, parent: Receipt | None, since: datetime) -> Look:
        found = self.world.out(f"{post.text} to {post.to}")
        return Receipt(str(found[0])) if found else Absent(timedelta(0))

    def send_many(
        self, taken: Iterator[Post], begin: Callable[[Post], None]
    ) -> Iterator[tuple[Post, Receipt | ChannelError]]:
        for post in taken:
            begin(post)
            try:
                yield post, self.world.answer(f"{post.text} to {post.to}", None)
            except ChannelError as err:
                yield post, err


class Mortal(Journal):
    """A journal whose process is killed after `lives` transactions: what comes later is not written, by anybody."""

    lives: int | None = None

    @contextmanager
    def writing(self, *, durable: bool = True) -> Iterator[object]:
        if self.lives == 0:
            self._fenced = True
        with super().writing(durable=durable) as db:
            yield db
        if self.lives is not None:
            self.lives -= 1


class Deliveries(RuleBasedStateMachine):
    """Announcements, runs that may die, and time that passes."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="machine-"))
        self.clock = Time()
        self.feed = World(self.clock)
        self.mail = World(self.clock)
        self.journal = self.opened()
        self.incidents: list[int] = []
        """How often each has been announced."""
        self.threads: list[list[str]] = []
        """What each incident says on the feed, in order."""
        self.letters: list[str] = []
        self.withdrawn: set[str] = set()
        """What was taken back, by the announcement's name."""

    def opened(self) -> Mortal:
        return Mortal(self.folder / "journal.db", self.clock.now)

    def rows(self, question: str = OPEN) -> list[dict[str, object]]:
        with self.journal.reading() as db:
            return [dict(row) for row in db.execute(question)]

    @rule(parts=st.integers(1, 3), which=st.sampled_from([0, 0, 0, 1, 2]))
    @precondition(lambda self: len(self.letters) < 12)
    def announce(self, parts: int, which: int) -> None:
        """A new incident, or news of an earlier one."""
        incident = min(which, len(self.incidents))
        if incident == len(self.incidents):
            self.incidents.append(0)
            self.threads.append([])
        seq = self.incidents[incident]
        self.incidents[incident] += 1
        name = f"incident {incident} news {seq}"
        texts = [f"{name} part {part}" for part in range(1, parts + 1)]
        to = ("ann@example.org", "bo@example.com")
        self.journal.lives = None
        self.journal.plan(
            news(name, key=str(incident), seq=seq, at=self.clock.now()),
            [replace(posts(*texts), edits=True), letters(*to, text=name)],
        )
        self.threads[incident] += texts
        self.letters += [f"{name} to {address}" for address in to]

    @rule(
        feed=st.lists(st.sampled_from([Say.YES, Say.YES, *Say]), max_size=5),
        mail=st.lists(st.sampled_from(Say), max_size=4),
        glances=st.lists(st.sampled_from(Glance), max_size=3),
        lives=st.none() | st.integers(0, 24),
        lag=st.sampled_from([0, 30]),
    )
    @precondition(lambda self: self.letters)
    def run(self, feed: list[Say], mail: list[Say], glances: list[Glance], lives: int | None, lag: float) -> None:
        """One `resume`, which may be killed after some transactions."""
        self.feed.answers, self.mail.answers, self.feed.glances, self.feed.lag = feed, mail, glances, lag
        self.journal.lives = lives
        self.deliver()
        self.journal.close()
        self.journal = self.opened()

    @rule(which=st.sampled_from([0, 0, 0, 1, 2]), last=st.booleans())
    @precondition(lambda self: self.letters)
    def take_back(self, which: int, last: bool) -> None:
        """The latest announcement of an incident, or all of them; who has a letter gets a correction."""
        key = str(min(which, len(self.incidents) - 1))
        self.journal.lives = None
        rows = [row for row in self.journal.announcements(key) if row.news.kind is not Kind.CORRECTION]
        rows = rows[-1:] if last else rows
        ids = [row.id for row in rows]
        correction = None
        if self.journal.reached(ids, "mail"):
            name = f"incident {key} correction {self.incidents[int(key)]}"
            said = replace(news(name, key=key, seq=self.incidents[int(key)], at=self.clock.now()), kind=Kind.CORRECTION)
            self.incidents[int(key)] += 1
            correction = (said, [letters("ann@example.org", "bo@example.com", text=name)])
        self.journal.withdraw(ids, ["feed", "mail"], deletable=["feed"], correction=correction, corrects=ids)
        self.withdrawn |= {row.news.text for row in rows}

    @rule(seconds=st.sampled_from([1, 20, 40, 90, 600]))
    def pass_time(self, seconds: float) -> None:
        self.clock.wait(threading.Event(), seconds)

    def deliver(self) -> None:
        channels = {"feed": Feed(self.feed), "mail": Mail(self.mail)}
        try:
            self.journal.recover()
            self.journal.supersede(EVERYTHING)
            self.journal.reconsider(EVERYTHING)
        except Exception as err:
            if self.journal.lives != 0:
                raise AssertionError("only death may stop a run from beginning") from err
            return
        deliver(
            self.journal,
            channels,  # type: ignore[arg-type]
            announcements=None,
            expires=NEVER,
            clock=self.clock,
            sweeping=Sweeping(NOW - NEVER),
        )

    @invariant()
    def nothing_is_out_twice(self) -> None:
        for world in (self.feed, self.mail):
            names = [name for name, _, _ in world.public]
            assert len(set(names)) == len(names), f"out twice: {names}"

    @invariant()
    def old_news_never_comes_after_newer(self) -> None:
        for thread in self.threads:
            out = [thread.index(name) for name, _, _ in self.feed.public if name in thread]
            assert out == sorted(out)

    @invariant()
    def each_hangs_under_the_latest_before_it_that_is_out(self) -> None:
        for thread in self.threads:
            refs = {name: str(number) for number, (name, _, _) in enumerate(self.feed.public)}
            for name, parent, _ in self.feed.public:
                if name in thread:
                    before = [refs[each] for each in thread[: thread.index(name)] if each in refs]
                    assert parent in {*before, None}
                    assert name.endswith("part 1") or parent == before[-1]

    @invariant()
    def nothing_hangs_under_what_is_gone(self) -> None:
        """Deleting the root of a conversation opens it to everybody."""
        for number, (name, parent, _) in enumerate(self.feed.public):
            if number not in self.feed.gone and parent is not None:
                assert int(parent) not in self.feed.gone, f"what {name} hangs under was deleted"

    @invariant()
    def only_what_was_taken_back_is_gone(self) -> None:
        for number in self.feed.gone:
            assert _announcement(self.feed.public[number][0]) in self.withdrawn

    @invariant()
    def what_the_journal_calls_sent_is_out_and_what_it_calls_planned_is_not(self) -> None:
        for row in self.rows("SELECT p.*, w.text FROM post p JOIN wording w ON w.id = p.wording"):
            name = f"{row['text']} to {row['recipient']}" if row["recipient"] else str(row["text"])
            world = self.mail if row["recipient"] else self.feed
            times = len(world.out(name))
            if row["state"] == PostState.SENT:
                assert times == 1
                assert world.there(name) or row["retract_due"] or row["person"]
            elif row["state"] == PostState.RETRACTED:
                assert (times, world.there(name)) == (1, False)
            elif row["state"] in (PostState.PLANNED, PostState.REFUSED, PostState.DROPPED):
                assert times == 0, f"{name} is {row['state']}, and out"

    def teardown(self) -> None:
        try:
            self.everything_gets_out()
        finally:
            self.journal.close()
            shutil.rmtree(self.folder)

    def everything_gets_out(self) -> None:
        """Once the platforms behave, and a person has told the truth where they had to, all of it is out."""
        for world in (self.feed, self.mail):
            world.answers, world.glances = [], []
        self.journal.lives = None
        for _ in range(3 * (1 + len(self.letters))):
            self.clock.wait(threading.Event(), 3600)
            self.deliver()
            self.journal.close()
            self.journal = self.opened()
            if not self.rows():
                break
            self.a_person_settles()
        self.nothing_is_out_twice()
        assert self.rows() == []
        overtaken, withdrawn = self.dropped("superseded by update"), self.dropped("taken back")
        out = [name for name, _, _ in (*self.feed.public, *self.mail.public) if "correction" not in name]
        assert sorted(out + overtaken + withdrawn) == sorted([*itertools.chain(*self.threads), *self.letters])
        for incident, thread in enumerate(self.threads):
            standing = [name for name in thread if _announcement(name) not in self.withdrawn]
            newest = f"{_announcement(standing[-1])} " if standing else "nothing"
            assert not [name for name in overtaken if name.startswith(newest)], "the newest that stands is out"
            self.nothing_stands_that_was_taken_back(thread)
            self.the_first_says_where_things_stand(incident)

    def nothing_stands_that_was_taken_back(self, thread: list[str]) -> None:
        for name in thread:
            assert not (_announcement(name) in self.withdrawn and self.feed.there(name)), f"{name} still stands"

    def the_first_says_where_things_stand(self, incident: int) -> None:
        """Unless a platform that was asked refused that for good."""
        standing = [name for name in self.threads[incident] if self.feed.there(name)]
        if not standing or self.rows("SELECT 1 FROM attempt WHERE event = 'amend'"):
            return
        first, latest = standing[0], _announcement(standing[-1])
        text = first if latest == _announcement(first) else f"now {latest}, first {first}"
        assert self.feed.shown.get(self.feed.out(first)[0], first) == text

    def dropped(self, why: str) -> list[str]:
        """What the journal dropped for that reason; there is no other one."""
        rows = self.rows("SELECT p.*, w.text FROM post p JOIN wording w ON w.id = p.wording WHERE p.state = 'dropped'")
        assert all(str(row["detail"]).startswith(("superseded by update", "taken back")) for row in rows)
        return [
            f"{row['text']} to {row['recipient']}" if row["recipient"] else str(row["text"])
            for row in rows
            if str(row["detail"]).startswith(why)
        ]

    def a_person_settles(self) -> None:
        """What waits for a person: they look, and say what they saw."""
        for row in self.rows(
            f"SELECT p.*, w.text FROM ({OPEN}) o JOIN post p USING (id) JOIN wording w ON w.id = p.wording"
        ):
            if row["state"] != PostState.REFUSED and not row["person"]:
                continue
            if row["state"] == PostState.SENT:
                self.feed.gone.add(int(str(row["ref"])))
                self.journal.settled_stuck(int(str(row["id"])), PostState.DROPPED, "a person deleted it")
                continue
            name = f"{row['text']} to {row['recipient']}" if row["recipient"] else str(row["text"])
            found = (self.mail if row["recipient"] else self.feed).out(name)
            to, ref = (PostState.SENT, str(found[0])) if found else (PostState.PLANNED, None)
            self.journal.settled(int(str(row["id"])), to, "a person looked", ref)


def _announcement(name: str) -> str:
    """The announcement that a post or letter of that name is of."""
    return name.partition(" part ")[0].partition(" to ")[0]


TestDeliveries = Deliveries.TestCase
TestDeliveries.settings = settings(
    max_examples=60,
    stateful_step_count=12,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow],
)
