"""`outagecast auth twitter`: from the app's keys to the account's tokens, and what is said when X does not play along."""

from __future__ import annotations

import json
import os
import signal
import stat
import termios
import threading
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from keyring_kit import Memory
from terminal_kit import at_terminal, pin, until

from outagecast.sandbox.faults import Fault, FaultKind
from outagecast.sandbox.x_errors import ERRORS as X_ERRORS
from outagecast.sandbox.x_oauth import ERRORS

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from night import Night
    from terminal_kit import Answer, Session

REQUEST, ACCESS = "POST /oauth/request_token", "POST /oauth/access_token"
FILES: list[Answer] = [("1 to 2", "1"), ("Folder", "")]
NOWHERE: list[Answer] = [("1 to 2", "2")]
ASKED: list[Answer] = [("costs 0.01", "")]


def keys(night: Night) -> list[Answer]:
    return [("API key;", night.x.account.api_key), ("API key secret;", night.x.account.api_key_secret)]


def link(*, token: str | None = None) -> list[Answer]:
    return [("already", "n"), ("The PIN:", token or pin)]


def run(night: Night, script: Sequence[Answer], *options: str) -> Session:
    argv = ["auth", "twitter", "--simulator", night.x.url, *options]
    done = at_terminal(argv, script, env=night.env, cwd=night.folder, clock=night.clock)
    assert secrets(night, done.shown + done.out) == [], "a secret was shown"
    return done


def secrets(night: Night, text: str) -> list[str]:
    who = night.x.account
    every = (who.api_key, who.api_key_secret, who.access_token, who.access_token_secret)
    return [secret for secret in every if secret in text]


@pytest.fixture(autouse=True)
def _without_a_config(night: Night) -> None:
    night.config.unlink()


def written(folder: Path) -> dict[str, str]:
    return {str(path.relative_to(folder)): path.read_text() for path in sorted(folder.rglob("*")) if path.is_file()}


def test_the_app_is_allowed_by_a_pin_and_the_tokens_are_kept_in_files_of_their_own(night: Night) -> None:
    done = run(night, [*keys(night), *link(), *ASKED, *FILES])
    assert (done.code, done.unasked) == (0, []), done.shown
    who = night.x.account
    assert written(night.folder) == {
        "secrets/twitter-access-token": f"{who.access_token}\n",
        "secrets/twitter-access-token-secret": f"{who.access_token_secret}\n",
        "secrets/twitter-api-key": f"{who.api_key}\n",
        "secrets/twitter-api-key-secret": f"{who.api_key_secret}\n",
    }
    modes = {stat.S_IMODE(path.stat().st_mode) for path in (night.folder / "secrets").iterdir()}
    assert modes == {0o600}
    assert "tokens of @examplehosting (user_id 1234567890), OAuth 1.0a: they do not expire" in done.said
    assert "they may post (Read and write)" in done.shown


def test_the_lines_that_are_printed_are_a_section_that_works(night: Night) -> None:
    done = run(night, [*keys(night), *link(), *ASKED, *FILES])
    night.write_config(f"{done.out}    simulator_url: {night.x.url}\n")
    assert "the keys work; they belong to @examplehosting" in night.run("check", "--json").out
    assert night.run("post", "fiber cut").code == 0
    assert len(night.tweets()) == 1


def test_keys_that_the_config_has_are_not_asked_for_and_the_config_is_not_touched(night: Night) -> None:
    section = (
        "  status:\n    type: twitter\n    api_key: ${TWITTER_API_KEY}\n    api_key_secret: ${TWITTER_API_KEY_SECRET}\n"
    )
    night.write_config(section)
    before = night.config.read_bytes()
    done = run(night, [*link(), *ASKED, *FILES])
    assert done.code == 0, done.shown
    assert "API key" not in done.shown
    assert "into the section status of" in done.shown
    assert done.out.splitlines()[:2] == ["  status:", "    type: twitter"]
    assert "api_key" not in done.out
    assert night.config.read_bytes() == before


def test_a_key_of_the_config_that_cannot_be_read_is_asked_for_and_stays_as_it_is(night: Night) -> None:
    night.write_config("  twitter:\n    api_key: ${MISSING}\n    api_key_secret: ${TWITTER_API_KEY_SECRET}\n")
    done = run(night, [("API key;", night.x.account.api_key), *link(), *ASKED, *NOWHERE])
    assert done.code == 0, done.shown
    assert "MISSING is not set" in done.shown
    assert "api_key" not in done.out


def test_tokens_in_hand_are_taken_as_they_are(night: Night) -> None:
    who = night.x.account
    typed: list[Answer] = [
        ("already", "y"),
        ("access token;", who.access_token),
        ("token secret;", who.access_token_secret),
    ]
    done = run(night, [*keys(night), *typed, *ASKED, *NOWHERE])
    assert done.code == 0, done.shown
    assert 'user_id: "1234567890"' in done.out
    assert [request.path for request in night.x.log] == ["/2/users/me"]


def test_a_secret_is_not_shown_after_the_shell_has_turned_the_echo_on_and_the_command_goes_on(night: Night) -> None:
    before = signal.getsignal(signal.SIGCONT)

    def stopped_and_continued(_shown: str) -> str:
        # What bash does at Ctrl-Z and fg; the terminal is one, whoever asks.
        mine = next(number for number in range(3, 256) if os.isatty(number))
        modes = termios.tcgetattr(mine)
        assert not modes[3] & termios.ECHO
        modes[3] |= termios.ECHO
        termios.tcsetattr(mine, termios.TCSANOW, modes)
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGCONT)
        until(lambda: not termios.tcgetattr(mine)[3] & termios.ECHO)
        return night.x.account.api_key

    done = run(night, [("API key;", stopped_and_continued), keys(night)[1], *link(), *ASKED, *NOWHERE])
    assert done.code == 0, done.shown
    assert signal.getsignal(signal.SIGCONT) is before


def test_a_wrong_pin_gets_a_new_link(night: Night) -> None:
    again: list[Answer] = [("a new link.*The PIN:", pin)]
    done = run(night, [*keys(night), *link(token="0000001"), *again, *ASKED, *NOWHERE])
    assert done.code == 0, done.shown
    assert "does not take this PIN: it is wrong, used already or too old" in done.shown


def test_three_wrong_pins_are_the_end_and_nothing_is_written(night: Night) -> None:
    again: list[Answer] = [("a new link.*The PIN:", "0000001")] * 2
    done = run(night, [*keys(night), *link(token="0000001"), *again])
    assert (done.code, done.unasked) == (2, [])
    assert done.shown.rstrip().endswith("→ outagecast auth twitter")
    assert written(night.folder) == {}


EVIL = "%C2%9B31m%1B%5B2J%E2%80%AE"
"""Colours, an empty screen, text from right to left: percent-encoded."""


@pytest.mark.parametrize("user_id", [f"12{EVIL}", "1%0A%20%20email%3A%20x", "%D9%A1", "$%7Bcommand:touch%20x%7D"])
def test_a_number_of_the_account_that_is_none_is_not_offered_for_the_config(night: Night, user_id: str) -> None:
    body = f"oauth_token=1-token&oauth_token_secret=secret&user_id={user_id}&screen_name=x"
    night.x.faults.add(Fault(ACCESS, status=200, body=body, content_type="text/html"))
    done = run(night, [*keys(night), *link()])
    assert (done.code, done.out) == (2, "")
    assert "names no number of the account" in done.said


def test_a_name_of_the_account_does_not_rule_the_terminal(night: Night) -> None:
    body = f"oauth_token=1-token&oauth_token_secret=secret&user_id=12&screen_name=evil{EVIL}"
    night.x.faults.add(Fault(ACCESS, status=200, body=body, content_type="text/html"))
    done = run(night, [*keys(night), *link(), ("costs 0.01", "n"), *NOWHERE])
    assert done.code == 0, done.shown
    assert "@evil\\x9b31m\\x1b[2J\\u202e (user_id 12)" in done.said
    assert not set("\x9b\x1b\u202e") & set(done.shown + done.out)


def test_a_pin_that_is_none_is_not_sent(night: Night) -> None:
    again: list[Answer] = [("about 7 digits.*The PIN:", lambda shown: f" {pin(shown)[:3]} {pin(shown)[3:]} ")]
    done = run(night, [*keys(night), *link(token="seven"), *again, *ASKED, *NOWHERE])
    assert done.code == 0, done.shown
    assert [request.path for request in night.x.log].count("/oauth/access_token") == 1


@pytest.mark.parametrize(
    ("fault", "said", "hint"),
    [
        (ERRORS["keys"].fault(REQUEST), "does not accept the app's API key or its secret", "Consumer Keys"),
        (ERRORS["callback"].fault(REQUEST), "wants a callback URL in the app's settings", "any https address of yours"),
        (ERRORS["callback-xml"].fault(REQUEST), "wants a callback URL", "any https address of yours"),
        (ERRORS["desktop-xml"].fault(REQUEST), "wants a callback URL", "any https address of yours"),
        (
            Fault(REQUEST, status=403, body='<error code="99">Für Unbefugte</error>', content_type="text/xml"),
            'X says: "Für Unbefugte"',
            "project",
        ),
        (ERRORS["clock"].fault(REQUEST), "this machine's clock is wrong", "set the clock (NTP)"),
        (ERRORS["clock"].fault(ACCESS), "this machine's clock is wrong", "set the clock (NTP)"),
        (X_ERRORS["client-not-enrolled"].fault(REQUEST), "refuses to let the app ask for tokens (HTTP 403)", "project"),
        (X_ERRORS["rate-limited"].fault(ACCESS), "has had too many tries", "wait, then"),
        (X_ERRORS["unavailable"].fault(REQUEST), "did not answer as it should (HTTP 503)", "a little later"),
        (X_ERRORS["bad-gateway-page"].fault(ACCESS), "did not answer as it should (HTTP 502)", "a little later"),
        (X_ERRORS["redirect"].fault(REQUEST), "did not answer as it should (HTTP 302)", "a little later"),
        (Fault(REQUEST, FaultKind.RESET), "did not answer", "once more"),
        (Fault(ACCESS, FaultKind.CLOSE), "did not answer", "once more"),
        (Fault(REQUEST, FaultKind.EMPTY_JSON), "has no tokens in it", "proxy"),
        (
            Fault(REQUEST, status=403, body="<html><body>Forbidden</body></html>", content_type="text/html"),
            "refuses",
            "app",
        ),
    ],
)
def test_what_x_refuses_is_said_in_words_of_its_own_and_the_same_command_is_right(
    night: Night, fault: Fault, said: str, hint: str
) -> None:
    night.x.faults.add(fault)
    script = [*keys(night), *link()] if fault.match == ACCESS else [*keys(night), ("already", "n")]
    done = run(night, script)
    text = " ".join(done.shown.split())
    assert (done.code, done.out) == (2, "")
    assert said in text
    assert hint in text
    assert text.endswith("outagecast auth twitter")
    assert "resume" not in text
    assert "<" not in text
    assert written(night.folder) == {}


def test_an_answer_that_repeats_a_secret_is_quoted_without_it(night: Night) -> None:
    who = night.x.account
    body = json.dumps({"errors": [{"code": 32, "message": f"No app {who.api_key} with {who.api_key_secret}"}]})
    night.x.faults.add(Fault(REQUEST, status=401, body=body))
    done = run(night, [*keys(night), ("already", "n")])
    assert "No app *** with ***" in " ".join(done.shown.split())


def test_an_app_without_a_callback_and_a_wrong_secret_are_refused_by_the_simulated_x_itself(night: Night) -> None:
    night.x.desk.callback_set = False
    assert "wants a callback URL" in run(night, [*keys(night), ("already", "n")]).shown
    wrong: list[Answer] = [
        ("API key;", night.x.account.api_key),
        ("API key secret;", "another-secret"),
        ("already", "n"),
    ]
    assert "API key or its secret" in run(night, wrong).shown


def test_a_clock_that_is_off_is_named_with_how_much(night: Night) -> None:
    night.x.now = lambda: night.clock.now() + timedelta(minutes=20)
    night.x.skew = timedelta(minutes=5)
    assert "it is 1200 s slow" in run(night, [*keys(night), ("already", "n")]).shown


def test_a_link_that_was_not_opened_in_time_is_too_old(night: Night) -> None:
    def late(shown: str) -> str:
        digits = pin(shown)
        night.clock.move(3600)
        return digits

    again: list[Answer] = [("a new link.*The PIN:", pin)]
    done = run(night, [*keys(night), ("already", "n"), ("The PIN:", late), *again, *ASKED, *NOWHERE])
    assert done.code == 0, done.shown
    assert "Request token missing" in " ".join(done.shown.split())


@pytest.mark.parametrize("tells", [True, False])
def test_tokens_that_may_only_read_need_a_person_and_x_is_paid_only_where_it_did_not_tell(
    night: Night, tells: bool
) -> None:
    night.x.account.write = False
    night.x.desk.tells_access = tells
    done = run(night, [*keys(night), *link(), *([] if tells else ASKED), *NOWHERE])
    assert done.code == 1
    assert "the tokens may only read, not post" in done.shown
    assert "set the app to Read and write, then get new tokens: outagecast auth twitter" in done.said
    assert ("/2/users/me" in [request.path for request in night.x.log]) is not tells


def test_whoever_does_not_pay_is_told_what_is_not_known(night: Night) -> None:
    done = run(night, [*keys(night), *link(), ("costs 0.01", "n"), *NOWHERE])
    assert done.code == 0, done.shown
    assert "whether the tokens may post is not known" in done.shown
    assert "/2/users/me" not in [request.path for request in night.x.log]


@pytest.mark.parametrize("name", ["credits-depleted", "unavailable", "unauthorized"])
def test_a_read_that_fails_leaves_the_tokens_as_they_are(night: Night, name: str) -> None:
    night.x.faults.add(X_ERRORS[name].fault("GET /2/users/me"))
    done = run(night, [*keys(night), *link(), *ASKED, *NOWHERE])
    assert done.code == (1 if name == "unauthorized" else 0), done.shown
    assert "access_token: ${TWITTER_ACCESS_TOKEN}" in done.out


def test_the_keyring_is_offered_first_and_the_config_reads_it_back(night: Night) -> None:
    memory = Memory()
    script = [*keys(night), *link(), *ASKED, ("in the keyring.*1 to 3", "")]
    argv = ["auth", "twitter", "--simulator", night.x.url]
    done = at_terminal(argv, script, env=night.env, cwd=night.folder, clock=night.clock, keys=memory)
    assert (done.code, done.unasked) == (0, []), done.shown
    assert memory.kept["outagecast", "twitter-access-token"] == night.x.account.access_token
    assert "access_token: ${keyring:outagecast/twitter-access-token}" in done.out
    assert written(night.folder) == {}


def test_kept_nowhere_is_said_and_nothing_is_written(night: Night) -> None:
    done = run(night, [*keys(night), *link(), *ASKED, *NOWHERE])
    assert "Nothing was kept: the secrets are gone with this command" in done.shown
    assert "TWITTER_ACCESS_TOKEN_SECRET" in done.out
    assert written(night.folder) == {}


def test_json_has_the_references_and_no_secret(night: Night) -> None:
    done = run(night, [*keys(night), *link(), *ASKED, *FILES], "--json")
    told = json.loads(done.out)
    assert (told["schema"], told["channel"], told["kept"], told["exit_code"]) == (
        "outagecast.auth/1",
        "twitter",
        "files",
        0,
    )
    assert told["keys"]["access_token"] == "${file:secrets/twitter-access-token}"
    assert {each["level"] for each in told["findings"]} == {"good"}


def test_a_file_that_exists_is_replaced_only_after_a_yes(night: Night) -> None:
    folder = night.folder / "secrets"
    folder.mkdir()
    (folder / "twitter-access-token").write_text("older")
    there: list[Answer] = [*FILES, ("Replace.*N]", "n")]
    done = run(night, [*keys(night), *link(), *ASKED, *there, *NOWHERE])
    assert (done.code, done.unasked) == (0, []), done.shown
    assert written(night.folder) == {"secrets/twitter-access-token": "older"}
    done = run(night, [*keys(night), *link(), *ASKED, *FILES, ("Replace.*N]", "y")])
    assert done.code == 0, done.shown
    assert written(night.folder)["secrets/twitter-access-token"] == f"{night.x.account.access_token}\n"


@pytest.mark.parametrize("there", [True, False])
def test_a_browser_is_opened_only_on_demand(night: Night, monkeypatch: pytest.MonkeyPatch, there: bool) -> None:
    opened: list[str] = []
    monkeypatch.setattr("webbrowser.open", lambda url: opened.append(url) or there)
    run(night, [*keys(night), *link(), *ASKED, *NOWHERE])
    assert opened == []
    done = run(night, [*keys(night), *link(), *ASKED, *NOWHERE], "--browser")
    assert opened == [f"{night.x.url}/oauth/authorize?oauth_token=request-1-for-tests"]
    assert ("no browser could be opened" in done.shown) is not there


def test_whoever_leaves_in_the_middle_leaves_nothing_behind(night: Night) -> None:
    done = run(night, [*keys(night), ("already", "\x04")])
    assert done.code == 2
    assert "nothing was written" in done.shown
    assert written(night.folder) == {}


@pytest.mark.parametrize("command", ["twitter", "facebook"])
def test_without_a_terminal_it_says_what_it_would_ask_for(night: Night, command: str) -> None:
    done = night.run("auth", command, "--json", stdin=b"anything\n")
    assert (done.code, done.json["exit_code"]) == (2, 2)
    assert "needs a terminal" in done.json["error"]
    assert done.json["hint"].startswith(f"outagecast auth {command}")
    assert night.x.log == []


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--channel", "three"], "no such channel of type twitter"),
        ([], "has several channels of type twitter: one, two"),
        (["--channel", "one", "--simulator", "http://192.0.2.1"], "--simulator must be http:// on this machine"),
        (["--channel", "one", "--simulator", "http://[127.0.0.1"], "--simulator is no address of a server"),
        (["--channel", "one", "--simulator", "http://127.0.0.1:70000"], "--simulator is no address of a server"),
    ],
)
def test_what_cannot_be_meant_is_refused_before_anything_is_asked(night: Night, options: list[str], said: str) -> None:
    night.write_config("  one:\n    type: twitter\n  two:\n    type: twitter\n")
    done = run(night, [], *options)
    assert done.code == 2
    assert said in " ".join(done.shown.split())
    assert night.x.log == []
