"""Against a real Postfix, an instance of our own: what we have a receipt for is what lies in the mailbox."""

from __future__ import annotations

import email as mail
import os
import pwd
import re
import shutil
import socket
import subprocess
import tempfile
import time
from contextlib import suppress
from pathlib import Path

import pytest
from email_kit import ALT, channel, letters, picture, receipts, sent

from outagecast.channel import InDoubt, Receipt, Refused, Secret, TryLater

POSTFIX = "/usr/sbin/postfix"
SINK = "/usr/sbin/smtp-sink"
pytestmark = [
    pytest.mark.postfix,
    pytest.mark.skipif(
        not os.environ.get("CI") and not (Path(POSTFIX).exists() and os.geteuid() == 0),
        reason="needs Debian's postfix, and root to start an instance of it",
    ),
]
MAIN = """
compatibility_level = 3.6
queue_directory = {top}/queue
data_directory = {top}/data
maillog_file = {top}/maillog
maillog_file_prefixes = {top}
mail_owner = postfix
setgid_group = postdrop
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
mynetworks = 127.0.0.0/8
myhostname = mailbox.example.com
mydestination = example.org
local_recipient_maps = regexp:{top}/recipients
local_transport = virtual
virtual_mailbox_domains = example.org
virtual_mailbox_base = {top}/boxes
virtual_mailbox_maps = static:all
virtual_uid_maps = static:{uid}
virtual_gid_maps = static:{gid}
virtual_minimum_uid = 1
smtpd_recipient_restrictions = check_recipient_access regexp:{top}/access, permit_mynetworks, reject
alias_maps =
alias_database =
smtputf8_enable = no
smtpd_tls_security_level = none
default_process_limit = 20
smtpd_client_connection_count_limit = 0
mailbox_size_limit = 0
virtual_mailbox_limit = 0
"""
MASTER = """
127.0.0.1:{port} inet n - n - - smtpd
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
anvil unix - - n - 1 anvil
showq unix n - n - - showq
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
virtual unix - n n - - virtual
postlog unix-dgram n - n - 1 postlogd
"""
ACCESS = """
/^gone/ 550 5.1.1 no such mailbox
/^grey/ 450 4.7.1 Greylisted, come back
"""


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return probe.getsockname()[1]


class Instance:
    def __init__(self, top: Path) -> None:
        self.top = top
        self.port = free_port()
        self.conf = top / "conf"
        owner = pwd.getpwnam("nobody")
        for name in ("conf", "queue", "data", "boxes"):
            (top / name).mkdir()
        shutil.chown(top / "data", "postfix")
        os.chown(top / "boxes", owner.pw_uid, owner.pw_gid)
        (self.conf / "main.cf").write_text(MAIN.format(top=top, uid=owner.pw_uid, gid=owner.pw_gid))
        (self.conf / "master.cf").write_text(MASTER.format(port=self.port))
        (top / "recipients").write_text("/./ ok\n")
        (top / "access").write_text(ACCESS)

    def run(self, verb: str):
        subprocess.run([POSTFIX, "-c", str(self.conf), verb], check=True, capture_output=True, timeout=60)

    def wait_for(self, count: int):
        """Every letter in the box, once there are so many or for ten seconds."""
        end = time.monotonic() + 10
        while len(self.boxes()) < count and time.monotonic() < end:
            time.sleep(0.05)
        return self.boxes()

    def boxes(self):
        """Postfix ends each letter with an empty line: what has none yet is still being written."""
        text = (self.top / "boxes" / "all").read_text() if (self.top / "boxes" / "all").exists() else ""
        text = text if text.endswith("\n\n") else text.rpartition("\nFrom ")[0]
        return [mail.message_from_string("From " + one) for one in re.split(r"(?m)^From ", text)[1:]]


@pytest.fixture
def instance():
    # Not under pytest's own folder: Postfix's users must get to it through all the folders above.
    with tempfile.TemporaryDirectory(prefix="outagecast-postfix-") as name:
        top = Path(name)
        top.chmod(0o755)
        yield from running(top)


def running(top: Path):
    postfix = Instance(top)
    postfix.run("start")
    try:
        yield postfix
    finally:
        postfix.run("stop")


@pytest.fixture
def sink(request: pytest.FixtureRequest):
    """Postfix's own test server, with the faults it can make."""
    port = free_port()
    user = ["-u", "nobody"] if os.geteuid() == 0 else []
    process = subprocess.Popen([SINK, *user, *request.param, "-m", "50", f"127.0.0.1:{port}", "64"])
    try:
        for _ in range(100):
            with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                break
            time.sleep(0.02)
        yield port
    finally:
        process.terminate()
        process.wait()


@pytest.mark.parametrize(
    ("sink", "answer"),
    [
        ([], Receipt),
        (["-p"], Receipt),  # does not announce PIPELINING
        (["-f", "RCPT"], Refused),
        (["-r", "RCPT"], TryLater),
        (["-q", "RCPT"], TryLater),
        (["-Q", "MAIL"], TryLater),
        (["-r", "."], TryLater),
        (["-f", "."], Refused),
        (["-q", "."], InDoubt),
    ],
    indirect=["sink"],
    ids=lambda value: " ".join(value) if isinstance(value, list) else value.__name__,
)
def test_the_answers_of_postfixs_own_test_server_are_told_as_what_they_are(sink: int, answer: type):
    email = channel(f"smtp://127.0.0.1:{sink}?tls=none", connections=1)
    results, _ = sent(email, letters(email, 2))
    assert {type(result) for result in results.values()} == {answer}


def test_every_receipt_is_a_letter_in_the_mailbox_and_every_refusal_is_none(instance: Instance):
    email = channel(
        f"smtp://127.0.0.1:{instance.port}?tls=none",
        connections=4,
        subscribers=True,
        unsubscribe="https://lists.example.net/u/{token}",
        token_secret=Secret.of("key-for-tests"),
    )
    posts = letters(email, 200)
    names = {9: "gone9@example.org", 50: "grey50@example.org", 51: "gone51@example.org", 199: "gone199@example.org"}
    posts = [
        post if number not in names else post.__class__(text=post.text, data=post.data, to=names[number], id=post.id)
        for number, post in enumerate(posts)
    ]
    results, begun = sent(email, posts)
    good = receipts(results)
    assert len(results) == 200
    assert len(good) == len(begun) == 196
    refused = [to for to, result in results.items() if isinstance(result, Refused) and result.suppress]
    assert sorted(refused) == ["gone199@example.org", "gone51@example.org", "gone9@example.org"]
    arrived = instance.wait_for(196)
    assert sorted(letter["To"] for letter in arrived) == sorted(good)
    assert {letter["To"]: letter["Message-ID"] for letter in arrived} == {to: results[to].ref for to in good}


def test_a_picture_lies_in_the_mailbox_as_it_was_and_the_largest_one_too(instance: Instance):
    """Postfix has its own limit for a letter here, the one it has wherever nobody set another."""
    email = channel(f"smtp://127.0.0.1:{instance.port}?tls=none", connections=2)
    images = {"reader0@example.org": picture(100_000), "reader1@example.org": picture(email.caps.images)}
    posts = [one for image in images.values() for one in letters(email, 2, image=image) if images[one.to] is image]
    results, _ = sent(email, posts)
    assert len(receipts(results)) == 2
    assert not [result.note for result in results.values() if isinstance(result, Receipt) and result.note]
    arrived = {letter["To"]: letter.get_payload() for letter in instance.wait_for(2)}
    assert {to: shown.get_payload(decode=True) for to, (_, shown) in arrived.items()} == {
        to: image.data for to, image in images.items()
    }
    for words, _ in arrived.values():
        assert ALT in " ".join(words.get_payload(decode=True).decode().split())
