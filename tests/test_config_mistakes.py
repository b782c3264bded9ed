"""Every mistake in a config is told at once, with line, key path and what would be right."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from config_kit import CHANNEL, GOOD, HEAD, PLANTED, loaded, mistakes, one, written

from outagecast import registry
from outagecast.config import exposed, load
from outagecast.errors import ConfigError

if TYPE_CHECKING:
    from pathlib import Path

ONLY_SECRETS = "is for secrets only; write the value, or ${NAME}, or ${file:…}"


@pytest.mark.parametrize(
    ("keys", "text"),
    [
        ("publish: twophase", "publish: expected two-phase or direct, not 'twophase'"),
        ("publish: 5", "publish: expected two-phase or direct, not '5'"),
        ("long: ${X:-planted}", "long: expected thread or refuse, not what stands there"),
        ("notice: sometimes", "notice: expected true or false, not 'sometimes'"),
        ("connections: 51", "connections: expected a whole number from 1 up to 50, not '51'"),
        ("connections: many", "connections: expected a whole number from 1 up to 50, not 'many'"),
        ("connections: 8.5", "connections: expected a whole number from 1 up to 50, not '8.5'"),
        ("connections: 2026-13-45", "connections: expected a whole number from 1 up to 50, not '2026-13-45'"),
        ("version: 25.0", r"version: expected text that matches ^v\d+\.\d$, not '25.0'"),
        ("simulator_url: 1.5", "simulator_url: expected text, not '1.5'; put it in quotes"),
        ("simulator_url: yes", "simulator_url: expected text, not 'yes'; put it in quotes"),
        ("simulator_url: [a]", "simulator_url: expected text, not a list"),
        ("spare: [planted]", "spare: expected a secret as text, best as ${NAME}, not a list"),
        ("spare: {planted: planted}", "spare: expected a secret as text, best as ${NAME}, not a mapping"),
        (
            "spare: !planted planted",
            "spare: expected a secret as text, best as ${NAME}, not a value with a tag (put it in quotes if it begins with !)",
        ),
        ("spare: a${planted", "spare: a ${ is never closed by }"),
        ("to: a@example.org", "to: expected a list ([…]) of text, not 'a@example.org'"),
        ("to: [a, {b: c}]", "to[1]: expected text, not a mapping"),
        ("to:", "to: expected a list ([…]) of text, not nothing"),
        ("headers: x", "headers: expected a mapping (lines of `key: value`), not 'x'"),
        ("limits: 5", "limits: expected a mapping (lines of `key: value`), not '5'"),
        ("limits: {per_second: -1}", "limits.per_second: expected a number from 0, not '-1'"),
        ("limits: {per_hours: 1}", "limits.per_hours: unknown key; did you mean per_hour?"),
        ("wait: 5", "wait: expected a duration such as 6h, 90m or 1d 2h, not '5'"),
        ("either: x", "either: expected a whole number or a list ([…]) of a whole number, not 'x'"),
        ("replies: none", "replies: expected verified, closed, moderated or open, not 'none'"),
        ("conections: 5", "conections: unknown key; did you mean connections?"),
        ("replis: closed", "replis: unknown key; did you mean replies?"),
        ("? [a]\n: b", "expected a plain word as key"),
        ("simulator_url: ${NONE}", "simulator_url: the environment variable NONE is not set"),
        ("notice: ${NONE}", "notice: the environment variable NONE is not set"),
        ("simulator_url: ${command:touch read}", f"simulator_url: ${{command:…}} {ONLY_SECRETS}"),
        ("simulator_url: ${keyring:planted/planted}", f"simulator_url: ${{keyring:…}} {ONLY_SECRETS}"),
        ("simulator_url: a${NONE:-${command:touch read}}", f"simulator_url: ${{command:…}} {ONLY_SECRETS}"),
        ("connections: ${command:touch read}", f"connections: ${{command:…}} {ONLY_SECRETS}"),
        ("wait: ${command:touch read}", f"wait: ${{command:…}} {ONLY_SECRETS}"),
        ("long: ${command:touch read}", f"long: ${{command:…}} {ONLY_SECRETS}"),
        ("to: ['${command:touch read}']", f"to[0]: ${{command:…}} {ONLY_SECRETS}"),
        ("headers: {x: '${command:touch read}'}", f"headers.x: ${{command:…}} {ONLY_SECRETS}"),
        ("replies: ${command:touch read}", f"replies: ${{command:…}} {ONLY_SECRETS}"),
        ("long: " + "x" * 99, "long: expected thread or refuse, not what stands there"),
    ],
)
def test_each_mistake_in_a_channel_is_told_with_its_place_and_what_would_be_right(tmp_path: Path, keys: str, text: str):
    section = one(tmp_path, keys)
    assert section.settings is None
    assert section.error
    place = "c.yaml:7: channels.one" + (": " if text.startswith("expected a plain") else ".")
    assert section.error.problems == (place + text,)
    assert "planted" not in section.error.text + section.error.hint
    assert section.error.hint
    assert not (tmp_path / "read").exists()


def test_a_missing_key_is_told_with_the_line_to_write(tmp_path: Path):
    section = loaded(tmp_path, HEAD + "  one-de:\n    type: page\n").channels["one-de"]
    assert section.error
    assert section.error.problems == (
        "c.yaml:3: channels.one-de.page_id: missing; expected text",
        "c.yaml:3: channels.one-de.token: missing; expected a secret, such as token: ${ONE_DE_TOKEN}",
    )


def test_a_key_written_twice_is_told_with_both_lines(tmp_path: Path):
    section = one(tmp_path, "long: thread\nlong: refuse")
    assert section.error
    assert section.error.problems == ("c.yaml:8: channels.one.long: written twice, first in line 7",)


def test_the_settings_own_checks_are_told_at_the_key_they_begin_with(tmp_path: Path):
    text = CHANNEL.replace("page_id: 5", "page_id: 0")
    section = loaded(tmp_path, text).channels["one"]
    assert section.error
    assert section.error.problems == (
        "c.yaml:3: channels.one: something else is wrong too",
        "c.yaml:5: channels.one.page_id: must be the Page's number",
    )


def test_a_single_mistakes_own_hint_is_kept(tmp_path: Path):
    section = loaded(tmp_path, CHANNEL.replace("page_id: 5", "page_id: 1")).channels["one"]
    assert section.error
    assert section.error.text == "c.yaml:3: channels.one: no such Page"
    assert section.error.hint == "outagecast auth facebook"


def test_a_channels_mistakes_do_not_stop_the_others(tmp_path: Path):
    config = loaded(
        tmp_path, CHANNEL + "    long: wide\n  two: {type: page, page_id: 5, token: x}\n  three: {type: x}\n"
    )
    assert config.channels["one"].error
    assert config.channels["two"].error is None
    assert config.channels["three"].error
    assert config.channels["three"].error.problems == ("c.yaml:9: channels.three.type: unknown channel type 'x'",)


def test_a_channel_that_is_no_mapping_or_is_empty_is_its_own_mistake(tmp_path: Path):
    config = loaded(tmp_path, HEAD + "  page:\n  other: [a]\n")
    assert config.channels["page"].error
    assert "channels.page.page_id: missing" in config.channels["page"].error.text
    assert config.channels["other"].error
    assert (
        config.channels["other"].error.text
        == "c.yaml:4: channels.other: expected a mapping (lines of `key: value`), not a list"
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("organization: x\n", "c.yaml:1: channels: no channel is configured; expected at least one"),
        ("organization: x\nchannels:\n", "c.yaml:2: channels: no channel is configured; expected at least one"),
        ("organization: x\nchannels: []\n", "c.yaml:2: channels: expected a mapping (lines of `key: value`), not a list"),
        (GOOD[len("organization: Example Hosting\n") :], "c.yaml:1: organization: missing; expected text"),
        (GOOD.replace("Example Hosting", "' '"), "c.yaml:1: organization: is empty; expected the name that readers know you by"),
        (GOOD.replace("Example Hosting", '"a\\nb"'), "c.yaml:1: organization: expected one line without control characters"),
        (GOOD + "own: example.com\n", "c.yaml:4: own: expected a list ([…]) of text, not 'example.com'"),
        (GOOD + "own: ['*.example.com']\n", "c.yaml:4: own: '*.example.com': write example.com, which includes everything below it"),
        (GOOD + "own: [a b, 203.0.113.5/24]\n", "c.yaml:4: own: 'a b' is neither a domain nor a network; expected example.com or 203.0.113.0/24; '203.0.113.5/24' is no network; expected 203.0.113.0/24"),
        (GOOD + "own: [203.0.113.0/33]\n", "c.yaml:4: own: '203.0.113.0/33' is no network; expected a network such as 203.0.113.0/24 or 2001:db8::/32, or a domain"),
        (GOOD + "timezone: Europe/Berln\n", "c.yaml:4: timezone: no timezone 'Europe/Berln'; did you mean Europe/Berlin?"),
        (GOOD + "timezone: ../../etc/passwd\n", "c.yaml:4: timezone: no timezone '../../etc/passwd'; expected a name such as Europe/Berlin, or UTC"),
        (GOOD + "expires: 6\n", "c.yaml:4: expires: expected a duration such as 6h, 90m or 1d 2h, not '6'"),
        (GOOD + "expires: 0h\n", "c.yaml:4: expires: expected a duration such as 6h, 90m or 1d 2h, not '0h'"),
        (GOOD + "notice: '{suport}'\n", "c.yaml:4: notice: {suport} means nothing here; the only placeholder is {support}"),
        (GOOD + "notice: '{support}'\n", "c.yaml:4: notice: has {support} in it, but `support:` is not set; expected an address or a link there"),
        (GOOD + "support: ${command:touch read}\n", f"c.yaml:4: support: ${{command:…}} {ONLY_SECRETS}"),
        (GOOD + "own: ['${keyring:a/b}']\n", f"c.yaml:4: own[0]: ${{keyring:…}} {ONLY_SECRETS}"),
        (GOOD + "journal: ${NONE}\n", "c.yaml:4: journal: the environment variable NONE is not set"),
        (GOOD + "journal: ~nobody-at-all/x\n", "c.yaml:4: journal: '~nobody-at-all/x': there is no such home directory"),
        (GOOD + "chanels: {}\n", "c.yaml:4: chanels: unknown key; did you mean channels?"),
        (GOOD + "zzz: 1\n", "c.yaml:4: zzz: unknown key; there are channels, expires, journal, notice, organization, own, support, sweep_for, templates, timezone"),
        (GOOD + "  'a b': {}\n", "c.yaml:4: channels: 'a b' cannot name a channel; expected letters, digits, - _ ."),
    ],
)  # fmt: skip
def test_each_mistake_outside_of_the_channels_stops_everything_and_says_what_would_be_right(
    tmp_path: Path, text: str, expected: str
):
    assert mistakes(tmp_path, text) == [expected]


def test_all_mistakes_are_told_at_once_in_the_order_of_the_file(tmp_path: Path):
    text = (
        "orgnization: x\nexpires: soon\ntimezone: Mars\nnotice: '{x}'\nchannels:\n  one: {type: page, long: wide}\n"
        "  two: {type: page, page_id: 1, token: x, long: wide}\n"
    )
    found = [re.match(r"c\.yaml:(\d+): ([\w.]+): ", each) for each in mistakes(tmp_path, text)]
    assert [(int(each[1]), each[2]) for each in found if each] == [
        (1, "organization"),
        (1, "orgnization"),
        (2, "expires"),
        (3, "timezone"),
        (4, "notice"),
        (6, "channels.one.long"),
        (6, "channels.one.page_id"),
        (6, "channels.one.token"),
        (7, "channels.two.long"),
    ]


def test_a_secret_that_turns_up_in_a_mistake_is_masked(tmp_path: Path):
    section = one(tmp_path, "spare: sesame\nlong: sesame")
    assert section.error
    assert section.error.text == "c.yaml:8: channels.one.long: expected thread or refuse, not '***'"


MADE = "".join(chr(97 + number * 7 % 26) + str(number) for number in range(6))
"""Letters and digits like a password that a machine has made."""
KEYS = "api_key: x, api_key_secret: x, access_token: x, access_token_secret: x"
MAIL = "sender: s%example.net, to: [a%example.org], list_id: x.example.net"


@pytest.mark.parametrize(
    "value", [MADE, f"smtp://u:{MADE}@smtp.example.net", f"1234-{MADE}{MADE}", f"{MADE}!", f"pass {MADE}"]
)
@pytest.mark.parametrize(
    "channels",
    [
        "@",
        "[@]",
        "{twitter: @}",
        "{twitter: [@]}",
        "{twitter: {type: @}}",
        "{'@!!': {type: twitter}}",
        f"{{twitter: {{{KEYS}, '@': 1}}}}",
        f"{{twitter: {{{KEYS}, '@': 1, '@': 2}}}}",
        f"{{twitter: {{{KEYS}, user_id: @}}}}",
        f"{{twitter: {{{KEYS}, user_id: $}}}}",
        f"{{twitter: {{{KEYS}, long: @}}}}",
        f"{{twitter: {{{KEYS}, notice: @}}}}",
        f"{{twitter: {{{KEYS}, simulator_url: @}}}}",
        "{twitter: {api_key: [@]}}",
        "{twitter: {api_key: {x: @}}}",
        "{facebook: {page_access_token: x, page_id: @}}",
        "{facebook: {page_access_token: x, page_id: 1, api_version: @}}",
        "{facebook: {page_access_token: x, page_id: 1, replies: @}}",
        f"{{email: {{{MAIL}, relays: ['smtp://u:x%smtp.example.net'], list_id: $}}}}".replace(
            "list_id: x.example.net,", ""
        ),
        f"{{email: {{{MAIL}, relays: @}}}}",
        f"{{email: {{{MAIL}, relays: $}}}}",
        f"{{email: {{{MAIL}, relays: {{a: @}}}}}}",
        f"{{email: {{{MAIL}, relays: [[@]]}}}}",
        f"{{email: {{{MAIL}, relays: ['smtp://@!']}}}}",
        f"{{email: {{{MAIL}, relays: ['smtp://@:99999']}}}}",
        f"{{email: {{{MAIL}, relays: ['smtp://[@]']}}}}",
        f"{{email: {{{MAIL}, relays: ['smtp://u:x%smtp.example.net'], dkim: @}}}}",
        f"{{email: {{{MAIL}, relays: ['smtp://u:x%smtp.example.net'], dkim: [@]}}}}",
        f"{{email: {{{MAIL}, relays: ['smtp://u:x%smtp.example.net'], dkim: {{domain: @, selector: @, key: x}}}}}}",
        f"{{email: {{{MAIL}, relays: ['smtp://u:x%smtp.example.net'], dkim: {{domain: x.example, selector: $, key: x}}}}}}",
        f"{{email: {{{MAIL}, relays: ['smtp://u:x%smtp.example.net'], connections: @}}}}",
        f"{{email: {{{MAIL}, relays: ['smtp://u:x%smtp.example.net'], limits: @}}}}",
    ],
)
def test_what_could_be_a_secret_is_not_repeated_wherever_it_stands(tmp_path: Path, channels: str, value: str):
    path = written(
        tmp_path,
        f"organization: x\nchannels: {channels}\n".replace("@", value).replace("%", "@").replace("$", "'${WRONG}!'"),
    )
    try:
        told = [each.error for each in load(path, {"WRONG": value}, registry.settings_of).channels.values()]
    except ConfigError as err:
        told = [err]
    text = "\n".join(f"{err.text}\n{err.hint}\n{err.problems}" for err in told if err)
    assert "c.yaml:2: channels" in text
    assert MADE not in text


@pytest.mark.parametrize(
    "keys", ["relays: @", "relays: {a: @}", "relays: [[@]]", "several: @", "several: [[@]]", "login: @", "login: [@]"]
)
def test_where_a_secret_belongs_not_even_a_plain_word_is_repeated(tmp_path: Path, keys: str):
    section = one(tmp_path, keys.replace("@", "sesame"))
    assert section.error
    assert "sesame" not in section.error.text


@pytest.mark.parametrize("channels", ["sesame", "{page: sesame}"])
def test_in_the_place_of_a_channel_not_even_a_plain_word_is_repeated(tmp_path: Path, channels: str):
    try:
        told = str(loaded(tmp_path, f"organization: x\nchannels: {channels}\n").channels["page"].error)
    except ConfigError as err:
        told = str(err)
    assert "expected a mapping" in told
    assert "sesame" not in told


@pytest.mark.parametrize(
    "text",
    [
        "6 hours",
        "soon",
        "two-phase",
        "v25",
        "25.0",
        "-1",
        "Europe/Berln",
        "a@example.org",
        "TRUE",
        "1h 30m",
        "203.0.113.5/24",
    ],
)
def test_what_is_plainly_a_slip_of_the_pen_is_repeated(tmp_path: Path, text: str):
    assert f"expected thread or refuse, not '{text}'" in one(tmp_path, f"long: {text}").error.text


def test_no_text_about_a_config_shows_its_secrets(tmp_path: Path):
    config = loaded(
        tmp_path, CHANNEL + f"    spare: {PLANTED}\n    relays: ['smtp://a:{PLANTED}@example.net']\n", TOKEN=PLANTED
    )
    config.channels["one"].settings.token.reveal()
    assert PLANTED not in f"{config} {config!r} {exposed(config)}"


@pytest.mark.parametrize(("mode", "warned"), [(0o600, False), (0o640, True), (0o604, True), (0o620, True)])
def test_a_secret_written_out_in_a_file_that_others_can_read_is_warned_about(tmp_path: Path, mode: int, warned: bool):
    config = loaded(tmp_path, CHANNEL + f"    relays: ['${{A}}', 'smtp://a:{PLANTED}@example.net']\n")
    config.path.chmod(mode)
    assert exposed(config) == (("c.yaml:7: channels.one.relays[1]",) if warned else ())
