"""Relays: their URLs, TLS with real certificates, logins, and that no password is ever shown."""

from __future__ import annotations

import ssl
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest
import trustme
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult
from email_kit import channel, letters, one, picture, receipts, sent, settings
from hypothesis import example, given
from hypothesis import strategies as st

from outagecast.channel import Receipt, Refused, Secret, TryLater
from outagecast.channels.email.relay import Tls, parse
from outagecast.channels.email.settings import EmailSettings
from outagecast.sandbox.mail_faults import At, Do, MailFault
from outagecast.sandbox.mailbox import Mailbox
from outagecast.secrets import Vault

if TYPE_CHECKING:
    from outagecast.channel import ChannelError

PASSWORD = "p@ss/w:rd?#%41 ü${X}"
"""Everything that could confuse a URL, a template or an encoding."""


@pytest.fixture(scope="module")
def authority():
    return trustme.CA()


@pytest.fixture
def server_tls(authority: trustme.CA, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """A server's context whose certificate the system store trusts for the time of the test."""
    bundle = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(bundle)
    monkeypatch.setenv("SSL_CERT_FILE", str(bundle))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    return context


def secret(template: str, **env: str):
    return Vault(env, Path()).secret(template)


# -- URLs --------------------------------------------------------------------------------------------------------------


def test_a_password_from_outside_is_taken_as_it_is_and_one_written_out_is_percent_decoded():
    relay = parse(secret("smtp://us%40er:${P}@smtp.example.net", P=PASSWORD))
    assert (relay.user.reveal(), relay.password.reveal()) == ("us@er", PASSWORD)
    assert parse(secret("smtp://u:a%24%7Bb%40@smtp.example.net")).password.reveal() == "a${b@"
    assert parse(secret("smtp://u:a$$b@smtp.example.net")).password.reveal() == "a$b"


ODD = st.text(st.sampled_from("ab1 @:/?#%$&+~é{}[].\\'\""), min_size=1, max_size=12)
"""Users, and what a password begins with."""
PLAIN = st.sampled_from(["", "/", "/@", "@", "/?&", ":"])
"""What is left as it is, besides letters and digits, when a login is percent-encoded."""


@given(
    user=ODD,
    password=ODD.map(lambda text: f"{text}-for-tests"),
    safe=PLAIN,
    around=st.sampled_from(["{}", "x@{}", "{}:y@z"]),
)
@example(user="status@example.net", password="word-for-tests", safe="@", around="{}")
@example(user="dom/user", password="word-for-tests", safe="/", around="{}")
@example(user="u", password="a$${b}@c@d-for-tests", safe="@", around="{}")
def test_whatever_password_a_relay_is_given_is_masked_and_known_to_be_written_out(
    user: str, password: str, safe: str, around: str
):
    login = f"{quote(user, safe=safe.replace(':', ''))}:{around.format(quote(password, safe=safe))}"
    whole = secret(f"smtp://{login}@smtp.example.net")
    relay = parse(whole)
    logs_in_with = relay.password.reveal()
    assert (relay.user.reveal(), logs_in_with) == (user, around.format(password))
    assert whole.vault.mask(f"535 <{logs_in_with}>") == "535 <***>"
    assert whole.vault.mask(f"<{login.partition(':')[2]}>") == "<***>"
    assert whole.written_out


@given(user=ODD.filter(lambda text: text.isascii()), password=ODD.map(lambda text: f"{text}-for-tests"))
def test_a_password_is_masked_wherever_it_stands_in_a_relay_but_never_the_user(user: str, password: str):
    default = "${NONE:-" + "word-for-tests" + "}"
    whole = secret("smtp://${U}:" + default + "${P}@smtp.example.net", U=f"{user}@example.net", P=password)
    relay = parse(whole)
    assert (relay.user.reveal(), relay.password.reveal()) == (f"{user}@example.net", f"word-for-tests{password}")
    whole.reveal()
    assert whole.vault.mask("235 word-for-tests of ann@example.net") == "235 *** of ann@example.net"
    assert whole.vault.mask(f"<{password}>") == "<***>"
    assert whole.vault.mask(f"<{user}@example.net>") == f"<{user}@example.net>"


def test_a_user_that_is_the_password_too_is_masked():
    whole = secret("smtp://${P}:${P}@smtp.example.net", P="word-for-tests")
    whole.reveal()
    assert whole.vault.mask("word-for-tests") == "***"
    assert secret("smtp://word-for-tests@smtp.example.net").vault.mask("word-for-tests") == "***"


def test_a_placeholder_may_hold_what_a_url_is_made_of():
    relay = parse(secret("smtp://u:${command:op read 'a@b/c:d?e'}@smtp.example.net:2525"))
    assert relay.label == "smtp.example.net:2525"
    assert relay.password.template == "${command:op read 'a@b/c:d?e'}"


@pytest.mark.parametrize(
    ("url", "label", "tls"),
    [
        ("smtp://smtp.example.net", "smtp.example.net:587", Tls.STARTTLS),
        ("smtps://smtp.example.net", "smtp.example.net:465", Tls.IMPLICIT),
        ("smtps://smtp.example.net.", "smtp.example.net:465", Tls.IMPLICIT),
        ("smtp://127.0.0.1:25?tls=none", "127.0.0.1:25", Tls.NONE),
        ("smtp://[::1]:25?tls=none", "[::1]:25", Tls.NONE),
        ("smtp://127.0.0.1", "127.0.0.1:587", Tls.STARTTLS),
        ("smtp://u:p@127.0.0.1?tls=none", "127.0.0.1:587", Tls.NONE),
        ("smtp://müller.example", "xn--mller-kva.example:587", Tls.STARTTLS),
    ],
)
def test_a_relay_is_private_unless_it_is_written_out(url: str, label: str, tls: Tls):
    relay = parse(Secret.of(url))
    assert (relay.label, relay.tls) == (label, tls)


@pytest.mark.parametrize(
    "url",
    [
        "smtp.example.net",
        "http://smtp.example.net",
        "smtp://",
        "smtp://key-for-tests@smtp.example.net",
        "smtp://u:key-for-tests@smtp.example.net?tls=none",
        "smtps://smtp.example.net?tls=none",
        "smtp://smtp.example.net?tls=no",
        "smtp://smtp.example.net:99999",
        "smtp://u:key-for-tests@-bad-?x",
        "${RELAY}",
        "smtp://u:key-for-tests@${HOST}:25",
    ],
)
def test_a_wrong_relay_is_told_when_the_settings_are_read_without_its_password(url: str):
    relay = secret(url, HOST="x")
    with pytest.raises(ValueError, match="relays: number 1") as raised:
        EmailSettings(sender="a@example.net", to=["b@example.net"], relays=[relay])
    assert "key-for-tests" not in str(raised.value)


# -- TLS ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("implicit", [False, True], ids=["starttls", "smtps"])
def test_letters_go_out_over_a_verified_connection(server_tls: ssl.SSLContext, implicit: bool):
    with Mailbox(tls=server_tls, implicit=implicit, login=("outage", "key-for-tests")) as box:
        email = channel(box.url)
        results, _ = sent(email, letters(email, 50))
        assert len(receipts(results)) == len(box.letters) == 50


def test_a_certificate_nobody_signed_is_not_trusted_and_nothing_is_said(authority: trustme.CA):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    with Mailbox(tls=context, login=("outage", "key-for-tests")) as box:
        email = channel(box.url)
        with pytest.raises(TryLater, match="certificate is not trusted") as raised:
            email.send(one(email), None, lambda token: None)
        assert raised.value.hint
        assert box.letters == []


def test_a_certificate_for_another_name_is_not_trusted(authority: trustme.CA, server_tls: ssl.SSLContext):
    other = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("smtp.example.org").configure_cert(other)
    with Mailbox(tls=other) as box:
        email = channel(box.url)
        with pytest.raises(TryLater, match="certificate is not trusted"):
            email.send(one(email), None, lambda token: None)


def test_a_relay_without_starttls_gets_no_letter_even_on_loopback():
    with Mailbox() as box:
        email = channel(box.url.replace("?tls=none", ""))
        with pytest.raises(Refused, match="offers no STARTTLS") as raised:
            email.send(one(email), None, lambda token: None)
        assert raised.value.mendable
        assert box.letters == []


def test_a_starttls_that_does_not_work_just_now_is_later(server_tls: ssl.SSLContext):
    with Mailbox(tls=server_tls) as box:
        box.faults.add(MailFault(At.STARTTLS, Do.REPLY, "454 4.7.0 TLS not available"))
        email = channel(box.url)
        with pytest.raises(TryLater, match="STARTTLS"):
            email.send(one(email), None, lambda token: None)


def test_what_was_slipped_in_before_tls_does_not_count_as_said_on_it(server_tls: ssl.SSLContext):
    """CVE-2011-0411 the other way round: an answer injected behind the 220."""
    with Mailbox(tls=server_tls, login=("outage", "key-for-tests")) as box:
        box.faults.add(MailFault(At.STARTTLS, Do.REPLY, "220 go\r\n250-evil\r\n250 AUTH NOTHING"))
        email = channel(box.url)
        assert isinstance(email.send(one(email), None, lambda token: None), Receipt)


# -- logins ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mechanism", ["PLAIN", "LOGIN", "CRAM-MD5"])
def test_each_login_works_with_any_password(mechanism: str, server_tls: ssl.SSLContext):
    with Mailbox(tls=server_tls, login=("outage@example.net", PASSWORD)) as box:
        box.mechanisms = (mechanism,)
        host = f"127.0.0.1:{box.port}"
        email = channel()
        email._relays[:] = [parse(secret("smtp://outage%40example.net:${P}@" + host, P=PASSWORD))]
        assert isinstance(email.send(one(email), None, lambda token: None), Receipt)


@pytest.mark.parametrize(
    ("reply", "answer"),
    [
        ("535 5.7.8 key-for-tests is wrong, as is AG91dGFnZQBrZXktZm9yLXRlc3Rz", Refused),
        ("454 4.7.0 later", TryLater),
        ("334 and now your mother's name", Refused),
    ],
)
def test_a_refused_login_is_told_without_the_password(reply: str, answer: type[ChannelError]):
    with Mailbox(login=("outage", "key-for-tests")) as box:
        box.faults.add(MailFault(At.AUTH, Do.REPLY, reply, times=0))
        email = channel(box.url)
        with pytest.raises(answer) as raised:
            email.send(one(email), None, lambda token: None)
        assert getattr(raised.value, "mendable", True)
        for said in (str(raised.value), raised.value.text, repr(raised.value)):
            assert "key-for-tests" not in said
            assert "a2V5LWZvci10ZXN0cw" not in said
            assert "ZXktZm9yLXRlc3Rz" not in said


def test_a_login_nobody_offers_is_refused():
    with Mailbox(login=("outage", "key-for-tests")) as box:
        box.mechanisms = ("GSSAPI",)
        email = channel(box.url)
        with pytest.raises(Refused, match="no login we know"):
            email.send(one(email), None, lambda token: None)


def test_a_missing_password_is_named_and_the_next_relay_is_used():
    with Mailbox() as good:
        email = channel(good.url)
        email._relays[:0] = [parse(secret("smtp://u:${SMTP_PASSWORD}@127.0.0.1:1"))]
        assert isinstance(email.send(one(email), None, lambda token: None), Receipt)
        alone = channel()
        alone._relays[:] = email._relays[:1]
        with pytest.raises(Refused, match="SMTP_PASSWORD") as raised:
            alone.send(one(alone), None, lambda token: None)
        assert raised.value.mendable


# -- a second opinion: aiosmtpd ----------------------------------------------------------------------------------------


class Keeper:
    def __init__(self) -> None:
        self.letters = []

    async def handle_EHLO(self, server: Any, session: Any, envelope: Any, hostname: str, responses: list[str]):  # noqa: N802  aiosmtpd's name
        session.host_name = hostname
        return [*responses[:-1], "250-PIPELINING", responses[-1]]

    async def handle_DATA(self, server: Any, session: Any, envelope: Any):  # noqa: N802  aiosmtpd's name
        self.letters.append((envelope.rcpt_tos[0], envelope.content))
        return "250 2.0.0 kept"


class OnAnyPort(Controller):
    """aiosmtpd looks whether it runs at the port it was asked for, which is 0 here."""

    def _trigger_server(self) -> None:
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()


def let_in(server: Any, session: Any, envelope: Any, mechanism: str, data: Any):
    return AuthResult(success=(data.login, data.password) == (b"outage", b"key-for-tests"))


def test_aiosmtpd_takes_every_letter_over_starttls_and_a_login(server_tls: ssl.SSLContext):
    keeper = Keeper()
    controller = OnAnyPort(
        keeper,
        hostname="127.0.0.1",
        port=0,
        tls_context=server_tls,
        require_starttls=True,
        auth_required=True,
        authenticator=let_in,
        ready_timeout=10,
    )
    controller.start()
    try:
        email = channel(f"smtp://outage:key-for-tests@127.0.0.1:{controller.port}", connections=4)
        posts = [*letters(email, 60)[:40], *letters(email, 60, image=picture(100_000))[40:]]
        results, _ = sent(email, posts)
        assert len(receipts(results)) == 60
        written = {post.to: email._stationery.write(post).content for post in posts}
        assert dict(keeper.letters) == written
    finally:
        controller.stop()


# -- settings ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("sender", "nobody"),
        ("sender", "Ünö <üü@example.net>"),
        ("to", []),
        ("to", ["not an address"]),
        ("list_id", "not a domain"),
        ("envelope_sender", "Bounces <b@example.net>"),
        ("envelope_sender", "b+{token}@example.net"),
        ("unsubscribe", "http://lists.example.net"),
        ("unsubscribe", "https://lists.example.net/{address}"),
        ("one_click", True),
    ],
)
def test_settings_that_cannot_work_are_told_when_they_are_read(key: str, value: Any):
    with pytest.raises(ValueError, match=key if key != "envelope_sender" else "envelope_sender|token_secret"):
        settings(**{key: value})


def test_all_that_is_wrong_is_told_at_once():
    with pytest.raises(ValueError, match=r"sender.*list_id"):
        settings(sender="nobody", list_id="not a domain")


def test_the_channel_tells_who_gets_letters_and_what_it_depends_on():
    email = channel("smtp://smtp.example.net", "smtps://smtp.example.org", subscribers=True)
    assert email.endpoints == ["smtp.example.net", "smtp.example.org"]
    assert email.recipients.addresses == ("outages@lists.example.net",)
    assert email.recipients.subscribers


def test_opening_the_channel_costs_no_tls_no_mail_package_and_no_http():
    heavy = ("ssl", "smtplib", "email", "idna", "requests", "rich", "typer")
    code = f"import sys, outagecast.channels.email.channel; print([name for name in {heavy} if name in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout == "[]\n"
