"""Whatever fails, and however: no secret of the config is said, logged or written, and no platform rules the screen."""

from __future__ import annotations

import base64
import json
import logging
import os
import ssl
import stat
from typing import TYPE_CHECKING, Self
from urllib.parse import quote

import pytest
import trustme
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from night import Night

from outagecast.sandbox.faults import Fault, FaultKind, When
from outagecast.sandbox.mail_faults import At, Do, MailFault
from outagecast.sandbox.mailbox import Mailbox

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from night import Done

ALWAYS = 1_000
PASSWORD = "+marked relay/password&1"
TOKEN_SECRET = "marked?token secret=2"
ESCAPES = "\x1b]0;owned\x07\x1b[2J\x1b[31mred\x9b31m\u202e\r\x08"
"""A new window title, an empty screen, colours, text from right to left, a line that is written over."""


class Planted(Night):
    """A night with every kind of secret in its config, and an ear for everything that is said of it."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        super().__init__(folder)
        self.heard: list[str] = []
        self._patch = monkeypatch

    def __enter__(self) -> Self:
        super().__enter__()
        authority = trustme.CA()
        authority.cert_pem.write_to_path(str(self.folder / "ca.pem"))
        self._patch.setenv("SSL_CERT_FILE", str(self.folder / "ca.pem"))
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert("127.0.0.1").configure_cert(tls)
        self.relay = self._stack.enter_context(Mailbox(tls=tls, login=("outage", PASSWORD), now=self.clock.now))
        self.temp = self.folder / "temp"
        self.temp.mkdir()
        self._patch.setattr("tempfile.tempdir", str(self.temp))
        pem = Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        (self.folder / "dkim.pem").write_bytes(pem)
        self.env |= {"APP_SECRET": self.graph.app_secret, "RELAY": PASSWORD, "TOKEN_SECRET": TOKEN_SECRET}
        self.write_config(
            self.twitter()
            + self.facebook(f'    app_id: "{self.graph.app_id}"\n    app_secret: ${{APP_SECRET}}')
            + f"""
  email:
    sender: Example Hosting Status <status@example.net>
    relays: ["smtp://outage:${{RELAY}}@127.0.0.1:{self.relay.port}"]
    to: [ann@example.org]
    envelope_sender: "bounces+{{token}}@example.net"
    unsubscribe: "https://lists.example.net/u/{{token}}"
    token_secret: ${{TOKEN_SECRET}}
    dkim: {{domain: example.net, selector: outage, key: "${{file:dkim.pem}}"}}
"""
        )
        who = self.x.account
        lines = [line for line in pem.decode().splitlines() if "-----" not in line]
        self.secrets = [who.api_key, who.api_key_secret, who.access_token, who.access_token_secret]
        self.secrets += [self.graph.page_token, self.graph.app_secret, PASSWORD, TOKEN_SECRET, *lines]
        return self

    def run(self, *argv: str, **more: object) -> Done:
        done = super().run(*argv, **more)  # type: ignore[arg-type]
        self.heard += [done.out, done.err]
        return done

    def leaks(self) -> list[str]:
        """Where a secret turns up in what was said, logged or left in a file, in whatever form."""
        texts = {f"said: {text[:60]!r}": text.encode() for text in self.heard}
        ours = [self.config, self.folder / "dkim.pem"]
        files = [path for path in self.folder.rglob("*") if path.is_file() and path not in ours]
        texts |= {str(path): path.read_bytes() for path in files}
        return [
            f"{text[max(0, text.find(form) - 30) : text.find(form) + len(form)]!r} in {where}"
            for where, text in texts.items()
            for secret in self.secrets
            for form in forms(secret)
            if form in text
        ]


def forms(secret: str) -> set[bytes]:
    """How a secret may be written down: as it is, in an address, in JSON, in Base64 with a login before it."""
    plain = secret.encode()
    coded = [quote(secret, safe=""), quote(secret), json.dumps(secret)[1:-1], repr(secret)[1:-1]]
    login = base64.b64encode(b"\0outage\0" + plain)
    return {plain, base64.b64encode(plain), login, *(text.encode() for text in coded)}


@pytest.fixture
def planted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> Iterator[Planted]:
    with Planted(tmp_path, monkeypatch) as night, caplog.at_level(logging.DEBUG):
        # Somebody else's logging at its loudest: a plug-in may turn it on.
        yield night
        night.heard += [record.getMessage() for record in caplog.get_records("call")]
        assert "\n".join(night.leaks()) == ""
        assert list(night.temp.iterdir()) == []


def echo(*secrets: str) -> str:
    """An error in which a platform repeats what it was given."""
    said = " ".join([*secrets, *(quote(secret, safe="") for secret in secrets)])
    error = {"message": f"Malformed access token {said}", "type": "OAuthException", "code": 190}
    return json.dumps({"error": error, "title": "Unauthorized", "detail": said, "errors": [{"message": said}]})


def whole_night(night: Planted) -> None:
    night.run("check", "--json")
    night.run("check")
    night.run("post", "--verbose", "fiber cut, ETA 1h", "--deadline", "3")
    night.run("update", "--json", "cable found", "--deadline", "3")
    night.run("sweep", "--deadline", "3")
    night.run("retract", "--yes", "--verbose", "--deadline", "3")
    night.clock.move(120)
    night.run("resume", "--json", "--deadline", "3")
    night.run("status")
    key = night.run("status", "--json").json["incidents"]
    if key:
        night.run("show", key[0]["incident"]["key"])


def test_a_night_in_which_all_goes_well_tells_nothing(planted: Planted) -> None:
    whole_night(planted)
    assert planted.relay.letters
    assert planted.x.log
    assert planted.graph.log


@pytest.mark.parametrize("when", When)
@pytest.mark.parametrize(
    "kind",
    [FaultKind.RESET, FaultKind.CLOSE, FaultKind.TRUNCATE, FaultKind.REDIRECT, FaultKind.HTML, FaultKind.NO_CONTENT],
)
def test_a_night_in_which_every_call_breaks_tells_nothing(planted: Planted, kind: FaultKind, when: When) -> None:
    for platform in (planted.x, planted.graph):
        platform.faults.add(Fault(".*", kind, when, times=ALWAYS))
    for stage in (At.STARTTLS, At.AUTH, At.MAIL, At.CONTENT):
        planted.relay.faults.add(MailFault(stage, Do.DROP))
    whole_night(planted)


@pytest.mark.parametrize("status", [400, 401, 403, 404, 429, 500, 503])
def test_a_platform_that_repeats_what_it_was_given_is_masked(planted: Planted, status: int) -> None:
    who = planted.x.account
    keys = (who.api_key, who.api_key_secret, who.access_token, who.access_token_secret)
    planted.x.faults.add(Fault(".*", status=status, body=echo(*keys), times=ALWAYS))
    given = echo(planted.graph.page_token, planted.graph.app_secret)
    planted.graph.faults.add(Fault(".*", status=status, body=given, times=ALWAYS))
    code = {400: "535 5.7.8", 401: "454 4.7.0", 403: "550 5.7.1"}.get(status, "451 4.3.0")
    stage = At.AUTH if status < 403 else At.RCPT
    planted.relay.faults.add(MailFault(stage, reply=f"{code} {PASSWORD}", times=0))
    whole_night(planted)
    assert any("***" in text for text in planted.heard)


def fragments(secret: str) -> Iterator[bytes]:
    """Every piece of it that no other word has."""
    return (secret[at : at + 10].encode() for at in range(len(secret) - 9))


def everywhere(night: Planted) -> Iterator[bytes]:
    yield from (text.encode() for text in night.heard)
    yield from (path.read_bytes() for path in night.journal_path.parent.iterdir())


CUT = ["twitter 400", "twitter 403", "facebook 400", "email 535 5.7.8", "email 550 5.1.1", "email no SMTP:"]


@pytest.mark.parametrize("answer", CUT)
def test_wherever_a_long_answer_is_cut_no_piece_of_a_secret_is_left(planted: Planted, answer: str) -> None:
    platform, _, code = answer.partition(" ")
    given = {"twitter": planted.x.account.access_token_secret, "facebook": planted.graph.page_token, "email": PASSWORD}
    secret = given[platform]
    for before in ("", "x" * 11):
        # Wherever this is cut, it is cut inside of the secret, with one or the other before it.
        said = " ".join([before, *([secret] * (1800 // len(secret)))])
        for server in (planted.x, planted.graph):
            server.faults.clear()
            server.faults.add(Fault(".*", status=403 if code == "403" else 400, body=echo(said), times=ALWAYS))
        planted.relay.faults.clear()
        stage = At.AUTH if code.startswith("535") else At.RCPT
        planted.relay.faults.add(MailFault(stage, reply=f"{code}{said}", times=0))
        planted.run("check", "--json", "--to", platform)
        planted.run(
            "post", "--json", "--verbose", f"fiber cut {before}", "--to", platform, "--deadline", "1", "--again"
        )
        planted.run("status")
    assert any("***" in text for text in planted.heard)
    assert [piece for piece in fragments(secret) for text in everywhere(planted) if piece in text] == []
    assert all(len(line) < 1_000 for text in planted.heard for line in text.splitlines())


def test_what_a_relay_says_when_it_takes_a_letter_is_kept_within_bounds_and_without_secrets(planted: Planted) -> None:
    said = " ".join([PASSWORD] * 150)
    planted.relay.faults.add(MailFault(At.CONTENT, reply=f"250 2.0.0 {said}", times=0))
    planted.run("post", "fiber cut", "--to", "email")
    kept = b"".join(everywhere(planted))
    assert b"2.0.0 ***" in kept
    assert [piece for piece in fragments(PASSWORD) if piece in kept] == []
    assert kept.count(b"***") < 100


def test_a_night_without_any_platform_tells_nothing(planted: Planted) -> None:
    planted.x.close()
    planted.graph.close()
    planted.relay.close()
    whole_night(planted)


def test_a_config_that_is_wrong_is_told_of_without_its_secrets(planted: Planted) -> None:
    text = planted.config.read_text(encoding="utf-8")
    literal = text.replace("${APP_SECRET}", planted.graph.app_secret).replace("${RELAY}", quote(PASSWORD, safe=""))
    for broken in ("twitters: 1", "    relays: [", "    sender: [x]", "\tx: 1", "    unsubscribe: ftp://x"):
        planted.config.write_text(literal + broken + "\n", encoding="utf-8")
        for command in (("check",), ("post", "--json", "fiber cut"), ("status", "--json")):
            planted.run(*command)
    assert any("ftp" in text or "unsubscribe" in text for text in planted.heard)
    planted.config.unlink()


def test_what_a_platform_says_never_rules_the_terminal(planted: Planted) -> None:
    detail = {"title": "Forbidden", "detail": ESCAPES, "status": 403, "type": "about:blank"}
    planted.x.faults.add(Fault(".*", status=403, body=json.dumps(detail), times=ALWAYS))
    error = {"error": {"message": ESCAPES, "error_user_msg": ESCAPES, "code": 100, "type": "OAuthException"}}
    planted.graph.faults.add(Fault(".*", status=400, body=json.dumps(error), times=ALWAYS))
    planted.relay.faults.add(MailFault(At.RCPT, reply="550 5.7.1 \x1b[31mno\x07", times=0))
    planted.relay.faults.add(MailFault(At.RCPT, reply="550 5.7.1 \x1b[31mno\x07", times=0))
    planted.graph.page_name = f"Page {ESCAPES}"
    whole_night(planted)
    planted.x.faults.clear()
    planted.graph.faults.clear()
    planted.run("check")
    heard = "".join(planted.heard)
    assert "red" in heard
    assert [hex(ord(sign)) for sign in heard if sign in ESCAPES and sign not in "]0;owned[2J[31mred31m"] == []


def test_what_is_made_is_for_its_owner_alone(planted: Planted) -> None:
    before = os.umask(0)
    try:
        planted.run("post", "fiber cut")
    finally:
        os.umask(before)
    made = [planted.journal_path.parent, *planted.journal_path.parent.iterdir()]
    assert len(made) > 1
    assert [path for path in made if stat.S_IMODE(path.stat().st_mode) & 0o077] == []


def test_the_sdks_are_never_left_talking(planted: Planted, caplog: pytest.LogCaptureFixture) -> None:
    planted.run("post", "fiber cut")
    loud = {record.name.split(".", maxsplit=1)[0] for record in caplog.records if record.levelno == logging.DEBUG}
    assert loud & {"tweepy", "oauthlib", "requests_oauthlib", "facebook"} == set()
