"""Wall time of one post to ten channels that each answer after 500 ms, beside start-up plus one such answer.

    python benchmarks/fanout.py [rounds]

"ten channels": a plug-in type that makes one request of 500 ms. "ten times X": the real adapter, which reads back that
replies are closed with a second request; the time to the last publishing answer is shown beside the end.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import timedelta
from pathlib import Path

from outagecast.sandbox.server import utc_now
from outagecast.sandbox.x import XPlatform

ANSWER = timedelta(milliseconds=500)
PLUGIN = """
import socket, time, msgspec
from outagecast.channel import Capabilities, Post, Receipt, Replies, ReplyControl

class Slow:
    class Settings(msgspec.Struct, frozen=True, kw_only=True):
        wait: float = 0.5
    caps = Capabilities(ReplyControl.NATIVE)
    endpoints = ()
    def __init__(self, name, settings, house):
        self.name, self.settings = name, settings
    def render(self, news):
        return [Post(text=news.words)]
    def send(self, post, parent, remember):
        time.sleep(self.settings.wait)
        return Receipt(ref="1", replies=Replies.NONE)
    def close(self):
        pass
"""


def main() -> None:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 9
    with tempfile.TemporaryDirectory() as folder:
        here = Path(folder)
        (here / "slow_channel.py").write_text(PLUGIN)
        (here / "slow-1.dist-info").mkdir()
        (here / "slow-1.dist-info" / "METADATA").write_text("Metadata-Version: 2.1\nName: slow\nVersion: 1\n")
        (here / "slow-1.dist-info" / "entry_points.txt").write_text("[outagecast.channels]\nslow = slow_channel:Slow\n")
        platforms = [XPlatform() for _ in range(10)]
        for platform in platforms:
            platform.delay = ANSWER
        configs = {
            "start: one channel, no wait": slow(1, 0),
            "ten channels of 500 ms": slow(10, 0.5),
            "start: X, no wait": x([XPlatform()]),
            "ten times X of 500 ms": x(platforms),
        }
        taken: dict[str, list[tuple[float, float]]] = {name: [] for name in configs}
        for turn in range(rounds + 1):
            for name, config in configs.items():
                result = run(here, name, config, platforms)
                if turn:
                    taken[name].append(result)
        show(taken, rounds)


def slow(count: int, wait: float) -> str:
    return "".join(f"  slow{n}: {{type: slow, wait: {wait}}}\n" for n in range(count))


def x(platforms: list[XPlatform]) -> str:
    return "".join(
        f"""
  x{n}:
    type: twitter
    api_key: {one.account.api_key}
    api_key_secret: {one.account.api_key_secret}
    access_token: {one.account.access_token}
    access_token_secret: {one.account.access_token_secret}
    user_id: "{one.account.user_id}"
    simulator_url: {one.url}
"""
        for n, one in enumerate(platforms)
    )


def run(here: Path, name: str, channels: str, platforms: list[XPlatform]) -> tuple[float, float]:
    """Seconds to the last publishing answer (0: not X), and to the end."""
    config = here / "config.yaml"
    config.write_text(f"organization: Example Hosting\nchannels:\n{channels}")
    tool = str(Path(sys.executable).with_name("outagecast"))
    env = os.environ | {"PYTHONPATH": str(here), "OUTAGECAST_JOURNAL": str(here / f"{name[:12].strip()}.db")}
    before, start = utc_now(), time.perf_counter()
    subprocess.run(
        [tool, "post", "--again", "--config", str(config), "fiber cut"], env=env, check=True, capture_output=True
    )
    end = time.perf_counter() - start
    posts = [request.at for one in platforms for request in one.log if request.method == "POST" and request.at > before]
    return ((max(posts) - before + ANSWER).total_seconds() if posts else 0.0), end


def show(taken: dict[str, list[tuple[float, float]]], rounds: int) -> None:
    middle = {
        name: tuple(statistics.median(column) for column in zip(*rows, strict=True)) for name, rows in taken.items()
    }
    print(f"medians of {rounds} interleaved rounds")
    for name, start in (
        ("ten channels of 500 ms", "start: one channel, no wait"),
        ("ten times X of 500 ms", "start: X, no wait"),
    ):
        ideal = middle[start][1] + ANSWER.total_seconds()
        out, end = middle[name]
        last = f", last one published after {out:.2f} s = {out / ideal:.2f} x" if out else ""
        print(f"{name}: {end:.2f} s; start + 0.5 s = {ideal:.2f} s; {end / ideal:.2f} x{last}")


if __name__ == "__main__":
    main()
