"""Secrets: where they are read from, what is said when they cannot be, and that nothing ever shows them."""

from __future__ import annotations

import base64
import re
import subprocess
import sys
import threading
import traceback
from contextlib import suppress
from typing import TYPE_CHECKING
from urllib.parse import quote, quote_plus

import keyring
import keyring.backend
import keyring.errors
import pytest
from hypothesis import given
from hypothesis import strategies as st

from outagecast.errors import ConfigError, Refused
from outagecast.secret_command import output
from outagecast.secrets import Secret, Vault

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PLANTED = "planted/value+for=tests &1"
ENV = {"KEY": PLANTED, "EMPTY": "", "PATH": "/usr/bin:/bin"}
WORDS = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=40)


@pytest.fixture
def vault(tmp_path: Path) -> Vault:
    return Vault(ENV, tmp_path)


class Memory(keyring.backend.KeyringBackend):
    """A keyring in memory."""

    priority = 1  # type: ignore[assignment]  # what the keyring package expects of a back-end

    def get_password(self, service: str, username: str) -> str | None:
        if service == "locked":
            raise keyring.errors.KeyringLocked(PLANTED)
        return PLANTED if (service, username) == ("x/api", "outage") else None

    def set_password(self, service: str, username: str, password: str) -> None:
        raise NotImplementedError

    def delete_password(self, service: str, username: str) -> None:
        raise NotImplementedError


@pytest.fixture
def _keyring() -> Iterator[None]:
    before = keyring.get_keyring()
    keyring.set_keyring(Memory())
    yield
    keyring.set_keyring(before)


@pytest.mark.parametrize(
    ("template", "value"),
    [
        ("plain", "plain"),
        ("", ""),
        ("${KEY}", PLANTED),
        ("a${KEY}b${KEY}", f"a{PLANTED}b{PLANTED}"),
        ("${NONE:-stand-in}", "stand-in"),
        ("${EMPTY:-stand-in}", "stand-in"),
        ("${KEY:-stand-in}", PLANTED),
        ("${NONE:-}", ""),
        ("${NONE:-a:-b}", "a:-b"),
        ("${NONE:-${KEY}}", PLANTED),
        ("${NONE:-a{b}c}", "a{b}c"),
        ("$${KEY}", "${KEY}"),
        ("$$$${KEY}", "$${KEY}"),
        ("$$${KEY}", f"${PLANTED}"),
        ("pa$word costs 5$", "pa$word costs 5$"),
        ("{KEY}", "{KEY}"),
        ("${command:printf '%s\\n\\n' a\\ b}", "a b"),
        ("${command:sh -c 'echo ${KEY}'}", PLANTED),
    ],
)
def test_each_way_to_write_a_value_gives_what_it_says(vault: Vault, template: str, value: str):
    assert vault.secret(template).reveal() == value
    assert vault.expand(template) == value


@given(text=WORDS)
def test_any_text_with_its_dollars_doubled_is_that_text(text: str):
    assert Secret.of(text).reveal() == text


@given(value=WORDS.filter(bool), before=WORDS, after=WORDS)
def test_a_value_from_the_environment_is_taken_as_it_is_and_never_read_again(value: str, before: str, after: str):
    template = before.replace("$", "$$") + "${KEY}" + after.replace("$", "$$")
    assert Vault({"KEY": value}, None).expand(template) == before + value + after  # type: ignore[arg-type]  # no file is read


@given(text=st.text("${}:-Aafile/ ", max_size=30))
def test_any_template_is_either_malformed_or_a_secret_and_nothing_else_is_raised(text: str):
    with suppress(ConfigError):
        assert str(Vault({"A": "1"}, None).secret(text)) == "***"  # type: ignore[arg-type]  # only the syntax is read


@pytest.mark.parametrize("template", ["${", "a${KEY", "${}", "${NO-DASH}", "${flie:x}", "${file:}", "${1}", "${A:-${}"])
def test_a_malformed_reference_is_found_before_it_is_needed_and_not_repeated(vault: Vault, template: str):
    with pytest.raises(ConfigError) as caught:
        vault.secret(template)
    assert caught.value.hint
    assert template == "${" or template not in caught.value.text


@pytest.mark.parametrize(
    ("template", "text", "hint"),
    [
        ("${NONE}", "the environment variable NONE is not set", "export NONE=…"),
        ("${EMPTY}", "the environment variable EMPTY is empty", "give it a value"),
        ("${file:none}", "cannot read the file none: No such file or directory", "a relative one starts"),
        ("${file:folder}", "is not a regular file", "name the file"),
        ("${file:large}", "is larger than 64 KiB", "name the file"),
        ("${file:binary}", "is not UTF-8 text", "must be text"),
        ("${file:hollow}", "file hollow is empty", "put the secret"),
        ("${file:a\0b}", "cannot read the file a\0b: embedded null byte", "check the path"),
        ("${keyring:alone}", "keyring alone names no user", "${keyring:SERVICE/USER}"),
        ("${keyring:x/nobody}", "the keyring has nothing for nobody at x", "keyring set x nobody"),
        ("${keyring:locked/outage}", "the keyring cannot be read (KeyringLocked)", "unlock it"),
        ("${command:no-such-program --token planted}", "cannot run no-such-program: No such file", "whole path"),
        ("${command:false planted}", "false failed with status 1", "by hand"),
        ("${command:sh -c 'kill -9 $$$$'}", "sh was killed by signal 9", "by hand"),
        ("${command:true}", "command true is empty", "must print the secret"),
        ("${command:yes planted}", "yes prints more than 64 KiB", "by hand"),
        ("${command:echo 'planted}", "No closing quotation", "check its quotes"),
        ("${command:''}", "names no program", "${command:PROGRAM"),
    ],
)
@pytest.mark.usefixtures("_keyring")
def test_what_cannot_be_read_is_refused_with_the_source_and_what_to_do(
    vault: Vault, tmp_path: Path, template: str, text: str, hint: str
):
    (tmp_path / "folder").mkdir()
    (tmp_path / "large").write_bytes(b"x" * 65_537)
    (tmp_path / "binary").write_bytes(b"planted\xff")
    (tmp_path / "hollow").write_text("\n")
    with pytest.raises(Refused) as caught:
        vault.secret(template.replace("$$$$", "$$"), "c.yaml:3: channels.x.key").reveal()
    assert text in caught.value.text
    assert caught.value.text.endswith("(c.yaml:3: channels.x.key)")
    assert hint in caught.value.hint
    assert caught.value.mendable
    assert "planted" not in "".join(traceback.format_exception(caught.value)).replace(template, "")
    with pytest.raises(ConfigError):
        vault.expand(template.replace("$$$$", "$$"))


def test_a_file_is_looked_for_in_the_configs_folder_and_loses_its_last_newline(vault: Vault, tmp_path: Path):
    (tmp_path / "key").write_bytes("\ufeff  two\r\nlines \r\n".encode())
    assert vault.secret("${file:key}").reveal() == "  two\r\nlines "
    assert vault.secret(f"${{file:{tmp_path}/key}}").reveal() == "  two\r\nlines "


@pytest.mark.usefixtures("_keyring")
def test_the_keyrings_service_may_hold_a_slash(vault: Vault):
    assert vault.secret("${keyring:x/api/outage}").reveal() == PLANTED


def test_without_the_keyring_package_the_error_says_how_to_install_it(vault: Vault, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "keyring", None)
    with pytest.raises(Refused, match="not installed") as caught:
        vault.secret("${keyring:a/b}").reveal()
    assert caught.value.hint == 'pip install "outagecast[keyring]"'


def test_a_variable_that_is_not_utf8_is_refused(tmp_path: Path):
    with pytest.raises(Refused, match="KEY is not UTF-8"):
        Vault({"KEY": "a\udcff"}, tmp_path).secret("${KEY}").reveal()


def test_a_command_that_hangs_is_ended_in_time(tmp_path: Path):
    with pytest.raises(ConfigError, match="sleep did not finish in time"):
        output("sleep 60", ENV, tmp_path, 10, seconds=0.05)


def test_a_command_that_prints_and_then_hangs_is_ended_and_what_it_printed_is_not_told(tmp_path: Path):
    with pytest.raises(ConfigError, match="sh did not finish in time") as caught:
        output("sh -c 'echo planted; exec sleep 60'", ENV, tmp_path, 100, seconds=0.1)
    assert "planted" not in "".join(traceback.format_exception(caught.value)).replace("echo planted", "")
    assert caught.value.__cause__ is None


def test_a_command_gets_no_input_and_its_folder_is_the_configs(vault: Vault, tmp_path: Path):
    assert vault.expand("${command:sh -c 'cat; pwd -P'}") == str(tmp_path.resolve())


def test_a_command_cannot_read_what_is_piped_into_us(tmp_path: Path):
    code = "import pathlib, outagecast.secrets as s; s.Vault({'PATH': '/usr/bin:/bin'}, pathlib.Path()).expand('${command:cat}')"
    run = subprocess.run([sys.executable, "-c", code], input="typed", capture_output=True, text=True, check=False)
    assert "ConfigError: command cat is empty" in run.stderr


def test_a_command_runs_without_a_shell(vault: Vault):
    assert vault.expand("${command:echo a;b $HOME | c}") == "a;b $HOME | c"


def test_what_a_command_says_on_standard_error_goes_nowhere(vault: Vault, capfd: pytest.CaptureFixture[str]):
    with pytest.raises(Refused):
        vault.secret("${command:sh -c 'echo planted >&2; exit 3'}").reveal()
    assert capfd.readouterr() == ("", "")


def test_a_source_is_read_once_however_many_threads_ask(vault: Vault, tmp_path: Path):
    secret = vault.secret("${command:sh -c 'echo x >> count; sleep 0.05; echo value'}")
    values: list[str] = []
    threads = [threading.Thread(target=lambda: values.append(secret.reveal())) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert values == ["value"] * 8
    assert (tmp_path / "count").read_text() == "x\n"


def test_a_failed_source_is_not_tried_again_by_the_same_run(vault: Vault, tmp_path: Path):
    secret = vault.secret("${command:sh -c 'echo x >> count; exit 1'}")
    for _ in range(2):
        with pytest.raises(Refused):
            secret.reveal()
    assert (tmp_path / "count").read_text() == "x\n"


def test_a_slow_source_holds_up_nobody_who_asks_for_another(vault: Vault, tmp_path: Path):
    (tmp_path / "key").write_text("value")
    slow = threading.Thread(
        target=vault.secret("${command:sh -c 'until test -e go; do sleep 0.01; done; echo x'}").reveal
    )
    slow.start()
    assert vault.secret("${file:key}").reveal() == "value"
    assert slow.is_alive()
    (tmp_path / "go").touch()
    slow.join()


def test_nothing_about_a_secret_shows_it(vault: Vault):
    for template in (
        "${KEY}",
        PLANTED,
        f"a {PLANTED} ${{KEY}}",
        f"${{KEY:-{PLANTED}}}",
        f"${{command:echo {PLANTED}}}",
    ):
        secret = vault.secret(template)
        secret.reveal()
        assert PLANTED.split("/", maxsplit=1)[0] not in f"{secret} {secret!r} {secret!s} {vault!r} {[secret]}"


def test_repr_names_the_sources_of_a_secret(vault: Vault):
    assert repr(vault.secret("${KEY}-${file:a/b}")) == "Secret(KEY, file a/b)"
    assert repr(vault.secret("key-for-tests")) == "Secret(***)"


@given(value=WORDS.filter(lambda text: len(text.strip("\r\n")) >= 4 and not text.isspace()))
def test_a_secret_given_away_is_masked_in_every_way_it_may_be_written(value: str):
    vault = Vault({"KEY": value}, None)  # type: ignore[arg-type]  # no file is read
    vault.secret("${KEY}").reveal()
    value = value.strip("\r\n")
    raw = value.encode()
    percent = quote(value, safe="")
    lower = re.sub("%..", lambda code: code[0].lower(), percent)
    for form in (value, quote(value), percent, lower, quote_plus(value), base64.b64encode(raw).decode()):
        assert vault.mask(f"<{form}>") == "<***>"


@pytest.mark.parametrize("user", ["", "u", "us", "use", "user"])
def test_a_password_is_masked_inside_of_a_login_in_base64(vault: Vault, user: str):
    vault.secret("${KEY}").reveal()
    login = base64.b64encode(f"\0{user}\0{PLANTED}".encode()).decode()
    shown = vault.mask(login)
    assert "***" in shown
    assert b"planted" not in base64.b64decode(shown.partition("***")[0] + "===")


def test_the_longest_secret_is_masked_first(tmp_path: Path):
    vault = Vault({"A": "abcd", "B": "abcdefgh"}, tmp_path)
    for template in ("${A}", "${B}"):
        vault.secret(template).reveal()
    assert vault.mask("abcdefgh abcd") == "*** ***"


def test_a_literal_secret_is_masked_before_anybody_reads_it(vault: Vault):
    vault.secret("key-for-tests")
    vault.secret("smtp://outage:pass%20word@smtp.example.net:587")
    assert (
        vault.mask("key-for-tests pass%20word pass word outage smtp.example.net")
        == "*** *** *** outage smtp.example.net"
    )


def test_the_password_of_a_url_from_the_environment_is_masked_by_itself(tmp_path: Path):
    vault = Vault({"RELAY": "smtp://outage:word-for-tests@smtp.example.net"}, tmp_path)
    vault.secret("${RELAY}").reveal()
    assert vault.mask("535 word-for-tests of outage") == "535 *** of outage"


def test_each_line_of_a_key_is_masked_by_itself(vault: Vault, tmp_path: Path):
    (tmp_path / "key.pem").write_text("-----BEGIN-----\nfirst-line\nsecond-line\n")
    vault.secret("${file:key.pem}").reveal()
    assert vault.mask("at second-line") == "at ***"


def test_short_values_and_values_that_are_no_secret_are_not_masked(tmp_path: Path):
    vault = Vault({"A": "abc", "B": "Example"}, tmp_path)
    vault.secret("${A}").reveal()
    vault.expand("${B}")
    assert vault.mask("abc Example") == "abc Example"


def test_a_part_is_read_from_the_same_places(vault: Vault):
    part = vault.secret("smtp://u:${KEY}@smtp.example.net", "c.yaml:3: channels.x.relays[0]").part("${NONE}")
    with pytest.raises(Refused, match=r"NONE is not set \(c\.yaml:3: channels\.x\.relays\[0\]\)"):
        part.reveal()


@pytest.mark.parametrize(
    ("template", "written"),
    [
        ("key-for-tests", True),
        ("${KEY}", False),
        ("${KEY:-key-for-tests}", True),
        ("${KEY:-}", False),
        ("${file:/a/b}", False),
        ("key-${KEY}", True),
        ("smtp://outage:${KEY}@smtp.example.net:587", False),
        ("smtp://outage:key-for-tests@smtp.example.net:587", True),
        ("smtp://smtp.example.net:587", False),
        ("${KEY:-smtp://smtp.example.net}", False),
    ],
)
def test_it_is_known_whether_the_config_itself_holds_the_secret(vault: Vault, template: str, written: bool):
    assert vault.secret(template).written_out is written


def test_importing_it_imports_neither_subprocess_nor_keyring():
    code = "import sys, outagecast.secrets; print({'subprocess', 'keyring', 'selectors', 'json'} & set(sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "set()\n"
