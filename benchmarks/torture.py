"""Kills commands at random moments, again and again, and counts what was lost and what was doubled.

    python -m benchmarks.torture [--nights 300] [--seed N] [--kills 3]

Each night has the three simulated platforms, a message, and a number of letters. The command is killed at a random
moment of a run, its successor at another one, and so on; what was on the wire is delivered or lost, as chance has it.
The last run is left alone. Every other night goes on: an update, an end, a retraction or a picture is killed as well,
and in the end everything must look as if nothing had been. In half of these a stranger replies and comments before; the
sweep is killed, too, and what it leaves standing when it says that all is well is counted, as is what it touches of our
own. A night is reproduced by its own seed, which is printed when something is wrong.
"""

from __future__ import annotations

import argparse
import random
import secrets
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from outagecast.sandbox.faults import Fault, FaultKind, When
from outagecast.sandbox.mail_faults import At, Do, MailFault
from tests.kill_kit import KILLED, LATER, MOST_RUNS, POST, RESUME, Blow, Struck
from tests.launcher import Launcher
from tests.test_kill_incident import CASES, PNG, as_if_nothing_had_been, begun, written

MOST_COMMITS = 60
MOST_LETTERS = 12
REQUESTS = {
    "x": ("POST /2/tweets", "GET /2/tweets/N", "GET /2/users/N/tweets"),
    "graph": ("POST /N/feed", "POST /N", "GET /N", "GET /N/comments", "GET /N/feed", "GET /N/published_posts"),
}
WRITES = {"x": ("POST /2/tweets",), "graph": (r"POST /v[0-9.]+/\d+/feed", r"POST /v[0-9.]+/\d+_\d+")}
LATER_REQUESTS = {
    "x": (
        *REQUESTS["x"],
        *("DELETE /2/tweets/N", "POST /2/media/upload", "POST /2/media/metadata"),
        *("GET /2/tweets/search/recent", "PUT /2/tweets/N/hidden"),
    ),
    "graph": (*REQUESTS["graph"], "DELETE /N", "POST /N/photos"),
}
"""What an incident asks for besides, after its first post."""
SWEEP = ("sweep", "--json")
OWN = "Help is at https://help.example.net"
POINTS = ("received", "committed", "answered")
STAGES = ("rcpt", "data", "content", "stored", "answered")


@dataclass(frozen=True)
class Outcome:
    """What came of one night."""

    kills: int
    unknown: int
    """Letters that were under way when a blow fell."""
    code: int
    lost: int
    """Not out although the last run said that everything is."""
    unfinished: int
    """Not out, and the last run said that something waits."""
    doubled: int
    excused: int
    """Letters that are out again because nobody could know; the same to the byte."""
    standing: int = 0
    """Strangers' words that everybody sees although the last sweep said that all is well, and words of ours that are
    not seen any more."""


def blow(chance: random.Random, to: list[str], asked: dict[str, tuple[str, ...]] = REQUESTS) -> Blow:
    """Some moment of some run."""
    where = chance.choice(("x", "graph", "mailbox", "commit", "commit"))
    if where == "commit":
        return Blow(where, str(chance.randint(1, MOST_COMMITS)), chance.choice(("before", "after")))
    if where == "mailbox":
        return Blow(where, chance.choice(to), chance.choice(STAGES))
    return Blow(where, chance.choice(asked[where]), chance.choice(POINTS), chance.choice((1, 1, 2)))


def spoil(night: Struck, chance: random.Random) -> None:
    """Let something happen on the wire as well, in one night of two."""
    if chance.random() < 0.5:
        where = chance.choice(("x", "graph"))
        platform = night.x if where == "x" else night.graph
        kind, when = chance.choice((FaultKind.RESET, FaultKind.CLOSE, FaultKind.HTML)), chance.choice(tuple(When))
        platform.faults.add(Fault(chance.choice(WRITES[where]) + "$", kind, when))
    if chance.random() < 0.5:
        night.mailbox.faults.add(
            MailFault(chance.choice((At.MAIL, At.DATA, At.CONTENT, At.STORED)), Do.DROP, skip=chance.randrange(6))
        )


def spend(night: Struck, chance: random.Random, kills: int) -> Outcome:
    """One night: so many blows, and then as many runs as it takes."""
    night.to = [f"reader{number}@example.org" for number in range(chance.randint(1, MOST_LETTERS))]
    channels = night.twitter() + night.facebook() + night.email(f"    connections: {chance.randint(1, 4)}")
    night.write_config(channels)
    # Who waits for the ten seconds of X's lock is taken to their end at once, which the platform cannot know.
    night.x.duplicate_lock = timedelta(0)
    spoil(night, chance)
    again = chance.choice((POST, RESUME))
    said = night.finish(again, [blow(chance, night.to) for _ in range(min(kills, MOST_RUNS - 1))])
    out = [len(night.tweets()), len(night.pages())]
    letters = Counter(night.mails())
    more = {to: letters[to] - 1 for to in night.to if letters[to] > 1}
    alike = len({letter.raw for letter in night.mailbox.letters}) == len(letters)
    excused = sum(more.values()) if alike else 0
    missing = out.count(0) + sum(not letters[to] for to in night.to)
    told = said[-1].code == 75
    return Outcome(
        kills=sum(one.code == KILLED for one in said),
        unknown=night.repeats.total(),
        code=said[-1].code,
        lost=0 if told else missing,
        unfinished=missing if told else 0,
        doubled=sum(number - 1 for number in out if number > 1) + sum(more.values()) - excused,
        excused=excused,
    )


def go_on(night: Struck, chance: random.Random, kills: int) -> Outcome:
    """Another night: a command of an incident is killed so often, and run until it is done."""
    name, case = chance.choice(sorted(CASES.items()))
    (night.folder / "map.png").write_bytes(PNG)
    night.x.duplicate_lock = timedelta(0)
    begun(night, case)
    spoke = name != "picture" and chance.random() < 0.5
    if spoke:
        strangers_speak(night)  # before: what is spoiled may not be theirs
    if name != "picture":
        spoil(night, chance)
    again, killed = chance.random() < 0.5, 0
    blows: list[Blow | None] = [blow(chance, night.to, LATER_REQUESTS) for _ in range(min(kills, MOST_RUNS - 1))]
    for strike in [*blows, None]:
        night.clock.ahead += LATER
        said = night.command(case.command if again or not written(night, case) else RESUME, blow=strike)
        killed += said.code == KILLED
        if said.code == 0:
            break
    wrong = 0
    if said.code == 0:
        try:
            as_if_nothing_had_been(night, case, lost_answers=1)
        except AssertionError as err:
            print(f"  {name}: {str(err).splitlines()[0] if str(err) else err!r}", flush=True)
            wrong = 1
    standing = 0
    if spoke and said.code == 0:
        night.clock.ahead += LATER
        night.command(SWEEP, blow=blow(chance, night.to, LATER_REQUESTS))
        standing = left_standing(night) if night.command(SWEEP).code == 0 else 0
    return Outcome(killed, night.repeats.total(), said.code, wrong, int(said.code == 75), 0, 0, standing)


def strangers_speak(night: Struck) -> None:
    """Below every post: a reply that X lets through, comments on the Page and one of its own."""
    night.x.fails_open = True
    for tweet in night.x.public():
        night.x.stranger_reply(tweet["id"], "When?")
    night.x.fails_open = False
    for post in night.graph.public():
        own = night.graph.page_comment(post["id"], OWN)
        for parent in (None, own, night.graph.stranger_comment(post["id"], "When?")):
            night.graph.stranger_comment(post["id"], "And now?", parent=parent)


def left_standing(night: Struck) -> int:
    """How much there is that should not be, and how much is not there that should be."""
    ours = night.x.account.screen_name
    tweets = sum(tweet["author"] != ours for tweet in night.x.public() if tweet["conversation_id"] in roots(night))
    comments = [[said["text"] for said in post["comments"]] for post in night.graph.public()]
    before = [said for said in comments if said]
    own = sum(said.count(OWN) for said in comments)
    return tweets + sum(len(said) for said in comments) - own + abs(len(before) - own)


def roots(night: Struck) -> set[str]:
    """The conversations that are still ours: of one whose root is gone, X lets us hide nothing."""
    return {tweet["id"] for tweet in night.x.public()}


def main() -> int:
    """Torture, and the table."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--nights", type=int, default=300)
    options.add_argument("--kills", type=int, default=3, help="at the most, in each night")
    options.add_argument("--seed", type=int, default=secrets.randbelow(10**9))
    given = options.parse_args()
    print(f"seed {given.seed}: {given.nights} nights with up to {given.kills} kills each", flush=True)
    started, total, codes = time.monotonic(), Counter[str](), Counter[int]()
    with Launcher() as launcher:
        for number in range(given.nights):
            seed = given.seed + number
            with tempfile.TemporaryDirectory() as folder, Struck(Path(folder), launcher) as night:
                chance = random.Random(seed)
                came = (go_on if number % 2 else spend)(night, chance, given.kills)
            codes[came.code] += 1
            total.update(
                {
                    name: getattr(came, name)
                    for name in ("kills", "unknown", "lost", "unfinished", "doubled", "excused", "standing")
                }
            )
            if came.lost or came.doubled or came.code or came.standing:
                print(f"  night of seed {seed}: {came}", flush=True)
    print(f"{'nights':>24} {given.nights:>7}   in {time.monotonic() - started:.0f} s")
    for name, what in (
        ("kills", "kills"),
        ("lost", "posts lost"),
        ("doubled", "posts doubled"),
        ("unfinished", "posts still waiting"),
        ("unknown", "letters cut off by kills"),
        ("excused", "of them out twice, alike"),
        ("standing", "words left by a sweep"),
    ):
        print(f"{what:>24} {total[name]:>7}")
    print(f"{'last exit codes':>24} {', '.join(f'{code}: {n}' for code, n in sorted(codes.items()))}")
    return 1 if total["lost"] or total["doubled"] or total["standing"] else 0


if __name__ == "__main__":
    sys.exit(main())
