"""Whatever is typed, in whatever order: an incident is in the state that its announcements give it, and nothing doubles."""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from night import Done, Night

from outagecast.journal import Scope
from outagecast.sandbox.x import ERRORS

WINDOW = timedelta(minutes=15)
DAY = timedelta(days=1)
MINUTE = timedelta(minutes=1)
KEYS = ("A", "B")
keys = st.sampled_from([None, "A", "A", "B"])
words = st.sampled_from(["cable found", "splicing", "half of it is up"])


@dataclass
class Told:
    """One announcement as the model has it."""

    kind: str
    text: str
    at: datetime
    eta: datetime | None = None
    gone_at: datetime | None = None


@dataclass
class Model:
    """One incident: what was announced of it. Everything else follows from that."""

    key: str
    told: list[Told] = field(default_factory=list)
    ended_at: datetime | None = None

    @property
    def standing(self) -> list[Told]:
        return [one for one in self.told if one.gone_at is None]

    @property
    def open(self) -> bool:
        return bool(self.standing) and self.standing[-1].kind != "resolved"

    @property
    def touched_at(self) -> datetime:
        """When the last of it was announced or taken back."""
        return max(one.gone_at or one.at for one in self.told)

    @property
    def eta(self) -> datetime | None:
        """The latest that was promised and still stands; the end of an incident promises nothing."""
        promised = None
        for one in self.standing:
            if one.kind != "resolved" and promised is not None and promised <= one.at:
                promised = None  # news has come since it passed
            promised = one.eta if one.eta or one.kind == "resolved" else promised
        return promised


class Incidents(RuleBasedStateMachine):
    """A person types; the model says what has to come of it."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="incidents-"))
        self.night = Night(self.folder)
        self.night.__enter__()
        self.models: dict[str, Model] = {}

    def teardown(self) -> None:
        try:
            self.everything_is_where_it_belongs()
        finally:
            self.night.__exit__()
            shutil.rmtree(self.folder)

    # -- what is typed -----------------------------------------------------------------------------------------------

    @rule(key=st.sampled_from(KEYS), text=st.sampled_from(["fiber cut", "mail is down, ETA 2h"]))
    def post(self, key: str, text: str) -> None:
        model, now = self.models.get(key), self.night.clock.now()
        done = self.night.run("post", "--incident", key, text, "--json")
        if model is None:
            self.went(done)
            told = Told("opened", text, now, now + timedelta(hours=2) if "ETA" in text else None)
            self.models[key] = Model(key, [told])
        elif model.told[0].text == text and model.told[0].gone_at is None:
            self.went(done)
        else:
            self.refused(done)

    @rule(key=keys, text=words, eta=st.sampled_from([None, None, "3h"]), again=st.booleans())
    def update(self, key: str | None, text: str, eta: str | None, again: bool) -> None:
        argv = ["update", text, *(["--eta", eta] if eta else []), *(["--again"] if again else [])]
        self.say("update", key, argv, text, eta, again=again)

    @rule(key=keys, text=st.sampled_from(["it is over", "Service is restored."]))
    def resolve(self, key: str | None, text: str) -> None:
        self.say("resolved", key, ["resolve", *([] if "restored" in text else [text])], text, None, again=False)

    def say(self, kind: str, key: str | None, argv: list[str], text: str, eta: str | None, *, again: bool) -> None:
        model, now = self.meant(key, kind), self.night.clock.now()
        waits = model is not None and self.unfinished(model, latest=True)
        done = self.night.run(*argv, *(["--incident", key] if key else []), "--json")
        if model is None:
            self.refused(done)
            return
        last = model.told[-1]
        alike = (last.kind, last.text) == (kind, text)
        fresh = last.gone_at is None or now - last.gone_at <= WINDOW
        # "In three hours", said again later, is other news than it was, once that is out.
        moved = eta is not None and last.gone_at is None and now - last.at > WINDOW and not waits
        if not model.open and not alike:
            self.refused(done)
        elif alike and fresh and not again and not moved:
            same = last.gone_at is None and (eta is None or self.as_promised(model, last))
            self.went(done) if same else self.refused(done)
        else:
            self.went(done)
            model.told.append(Told(kind, text, now, now + timedelta(hours=3) if eta else None))
            model.ended_at = (model.ended_at or now) if kind == "resolved" else model.ended_at

    def as_promised(self, model: Model, last: Told) -> bool:
        """Whether "in three hours" meant, when the last was said, what it promises."""
        return model.eta is not None and abs(model.eta - last.at - timedelta(hours=3)) < MINUTE

    @rule(key=keys, last=st.booleans())
    def retract(self, key: str | None, last: bool) -> None:
        model, now = self.meant(key, "correction"), self.night.clock.now()
        argv = ["retract", *(["--last"] if last else []), *(["--incident", key] if key else []), "--json"]
        done = self.night.run(*argv)
        if model is None:
            self.refused(done)
            return
        self.went(done)
        for one in model.told[-1:] if last else model.told:
            one.gone_at = one.gone_at or now
        model.ended_at = None if model.open else model.ended_at or now

    @rule(minutes=st.sampled_from([1, 10, 20]))
    def time_passes(self, minutes: int) -> None:
        self.night.clock.move(60 * minutes)

    @rule(times=st.integers(1, 4))
    def x_asks_us_to_wait(self, times: int) -> None:
        self.night.x.faults.add(*(ERRORS["rate-limited"].fault("(POST|DELETE) /2/tweets") for _ in range(times)))

    @rule()
    def resume(self) -> None:
        self.went(self.night.run("resume", "--json"))

    # -- what has to come of it --------------------------------------------------------------------------------------

    def meant(self, key: str | None, kind: str) -> Model | None:
        """The incident that a command without a key is about; None where it has to be refused."""
        if key is not None:
            model = self.models.get(key)
            return model if model and (model.open or kind != "update") else None
        found = [model for model in self.models.values() if model.open]
        if kind != "update":
            found += [model for model in self.models.values() if not model.open and self.may_be_again(model, kind)]
        return found[0] if len(found) == 1 else None

    def may_be_again(self, model: Model, kind: str) -> bool:
        """Whether the command that ended an incident may be the one that is typed now."""
        now = self.night.clock.now()
        assert model.ended_at is not None
        if now - model.ended_at > DAY or (kind == "resolved" and not model.standing):
            return False
        by_this = kind == "resolved" or not model.standing
        return now - model.touched_at < WINDOW or (by_this and self.unfinished(model))

    def unfinished(self, model: Model, *, latest: bool = False) -> bool:
        """Whether anything of an incident, or of its latest news, has not got through everywhere."""
        with self.night.journal() as journal:
            rows = journal.announcements(model.key)
            news = [row.id for row in rows if row.news.kind != "correction"]
            return bool(journal.unfinished(Scope((news[-1],) if latest else tuple(row.id for row in rows))))

    def went(self, done: Done) -> None:
        assert done.code in (0, 75), done.err

    def refused(self, done: Done) -> None:
        assert done.code == 2, done.out
        assert done.json["hint"]

    @invariant()
    def the_state_is_what_was_announced(self) -> None:
        reports = {one["incident"]["key"]: one for one in self.night.run("status", "--json").json["incidents"]}
        assert reports.keys() == self.models.keys()
        for key, model in self.models.items():
            said = reports[key]["incident"]
            assert said["state"] == ("open" if model.open else "resolved")
            assert (said["resolved_at"] is None) == model.open
            # What was promised last stays on record when it is over, whatever it was.
            assert not model.open or _second(said["eta"]) == (model.eta and model.eta.isoformat()[:19])
            told = [news["announcement"] for news in reports[key]["announcements"]]
            assert [(one["kind"], one["text"]) for one in told if one["kind"] != "correction"] == [
                (one.kind, one.text) for one in model.told
            ]
            assert [one["seq"] for one in told] == list(range(len(told)))

    @invariant()
    def no_words_are_out_twice_and_nothing_hangs_under_what_is_gone(self) -> None:
        tweets = {tweet["id"]: tweet for tweet in self.night.x.public()}
        assert len({tweet["text"] for tweet in tweets.values()}) == len(tweets)
        assert all(tweet["in_reply_to"] in {None, *tweets} for tweet in tweets.values())
        assert not any(tweet["can_reply"] for tweet in tweets.values())

    def everything_is_where_it_belongs(self) -> None:
        """Once the platforms are well again, what stands in the journal stands in public, unless it was overtaken."""
        self.night.x.faults.clear()
        for _ in range(4):
            self.night.clock.move(3600)
            done = self.night.run("resume", "--json")
        assert done.code == 0, done.err
        standing = [one.text for model in self.models.values() for one in model.standing]
        pages = self.night.pages()
        assert len(pages) == len(standing)
        newest = [model.standing[-1].text for model in self.models.values() if model.standing]
        assert all(any(text in tweet for tweet in self.night.tweets()) for text in newest)


def _second(stamp: str | None) -> str | None:
    return stamp and stamp[:19]


TestIncidents = Incidents.TestCase
TestIncidents.settings = settings(
    max_examples=25,
    stateful_step_count=10,
    deadline=None,
    derandomize=True,
    # Each step is a command with all its channels: shrinking would take minutes, and the steps are few anyway.
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=[HealthCheck.too_slow],
)
