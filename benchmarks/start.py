"""Process start to the first byte at the platform: `outagecast post` beside a bare tweepy script, in the same rounds.

    python benchmarks/start.py [rounds]

Both run the same interpreter and reach the same simulated X on loopback with the same call. The time is taken by the
server, at the first byte it reads, against the moment before the process was started. Ratios only: machines differ.
"""

from __future__ import annotations

import os
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

BARE = """
import sys, tweepy, requests
from requests.adapters import HTTPAdapter

class There(HTTPAdapter):
    def send(self, request, **kw):
        request.url = request.url.replace("https://api.twitter.com", sys.argv[1])
        return super().send(request, **kw)

client = tweepy.Client(consumer_key="k", consumer_secret="s", access_token="t", access_token_secret="u")
client.session.mount("https://", There())
client.create_tweet(text="fiber cut", reply_settings="mentionedUsers")
"""
HEAD = b"HTTP/1.1 201 Created\r\nContent-Type: application/json\r\nContent-Length: 34\r\nConnection: close\r\n\r\n"
ANSWER = HEAD + b'{"data":{"id":"1","text":"fiber"}}'
CHANNEL = """
  {name}:
    type: twitter
    api_key: k
    api_key_secret: s
    access_token: t
    access_token_secret: u
    user_id: "1"
    replies: closed
    simulator_url: {url}
"""
OTHERS = """
  facebook:
    page_id: "1"
    page_access_token: t
    simulator_url: http://127.0.0.1:9
  email:
    sender: status@example.net
    relays: ["smtp://127.0.0.1:9?tls=none"]
    to: [ann@example.org]
    list_id: outages.example.net
"""


class Listener:
    """Answers every request and remembers when its first byte came."""

    def __init__(self) -> None:
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.socket.getsockname()[1]}"
        self.first = 0.0
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self) -> None:
        while True:
            client, _ = self.socket.accept()
            with client:
                client.recv(1)
                self.first = self.first or time.perf_counter()
                client.recv(65536)
                client.sendall(ANSWER)

    def timed(self, command: list[str], env: dict[str, str]) -> tuple[float, float, int]:
        """Milliseconds to the first byte and to the end, and the peak memory in KiB."""
        self.first = 0.0
        start = time.perf_counter()
        with subprocess.Popen(command, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
            _, _, usage = os.wait4(process.pid, 0)
            process.returncode = 0
        end = time.perf_counter()
        return (self.first - start) * 1000, (end - start) * 1000, usage.ru_maxrss


def main() -> None:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 15
    listener = Listener()
    with tempfile.TemporaryDirectory() as folder:
        here = Path(folder)
        (here / "bare.py").write_text(BARE)
        for name, others in (("one", ""), ("three", OTHERS)):
            channels = CHANNEL.format(name="twitter", url=listener.url) + others
            (here / f"{name}.yaml").write_text(f"organization: Example Hosting\nchannels:\n{channels}")
        tool = str(Path(sys.executable).with_name("outagecast"))
        post = ["post", "--again", "--deadline", "20", "fiber cut, ETA 1h"]
        commands = {
            "python -c pass": [sys.executable, "-c", "pass"],
            "bare tweepy script": [sys.executable, str(here / "bare.py"), listener.url],
            "outagecast post, X": [tool, *post, "--config", str(here / "one.yaml")],
            "outagecast post, X + Facebook + mail, --to X": [
                tool,
                *post,
                "--to",
                "twitter",
                "--config",
                str(here / "three.yaml"),
            ],
            "outagecast post, X + Facebook + mail": [
                tool,
                *post[:-2],
                "3",
                post[-1],
                "--config",
                str(here / "three.yaml"),
            ],
            "outagecast --help": [tool, "--help"],
            "outagecast --version": [tool, "--version"],
            "outagecast status": [tool, "status", "--config", str(here / "one.yaml")],
        }
        measure(commands, listener, here, rounds)


def measure(commands: dict[str, list[str]], listener: Listener, here: Path, rounds: int) -> None:
    taken: dict[str, list[tuple[float, float, int]]] = {name: [] for name in commands}
    for turn in range(rounds + 1):
        for name, command in commands.items():
            env = os.environ | {"OUTAGECAST_JOURNAL": str(here / f"{name.replace(' ', '-')}.db"), "NO_PROXY": "*"}
            result = listener.timed(command, env)
            if turn:  # the first round fills the page cache
                taken[name].append(result)
    floor = statistics.median(first for first, _, _ in taken["bare tweepy script"])
    head = f"medians of {rounds} interleaved rounds"
    print(f"{head:46} {'first byte':>10} {'x bare':>7} {'end ms':>8} {'MiB':>6}")
    for name, results in taken.items():
        first, end, memory = (statistics.median(column) for column in zip(*results, strict=True))
        shown = f"{first:10.0f} {first / floor:7.2f}" if first > 0 else f"{'-':>10} {'-':>7}"
        print(f"{name:46} {shown} {end:8.0f} {memory / 1024:6.1f}")


if __name__ == "__main__":
    main()
