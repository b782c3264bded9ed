"""Counting, links, mentions and cashtags as X has them."""

from __future__ import annotations

import json
import time
import unicodedata
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from outagecast.text import defuse, x_cashtags, x_length, x_links, x_mentions

PUBLISHED = Path(__file__).parents[2] / "shared" / "data" / "twitter-text" / "twitter-text.json"
"""X's own conformance data; not part of the project, read where it lies beside it."""


@pytest.fixture(scope="module")
def published() -> dict[str, Any]:
    if not PUBLISHED.is_file():
        pytest.skip("twitter-text's conformance data is not here")
    return json.loads(PUBLISHED.read_text(encoding="utf-8"))


class TestPublishedCases:
    def test_every_length(self, published: dict[str, Any]):
        groups = ("WeightedTweetsWithDiscountedEmojiCounterTest", "UnicodeDirectionalMarkerCounterTest")
        cases = [case for group in groups for case in published["validate"][group]]
        wrong = [case["description"] for case in cases if x_length(case["text"]) != case["expected"]["weightedLength"]]
        assert len(cases) == 24
        assert not wrong

    def test_every_link(self, published: dict[str, Any]):
        cases = published["extract"]["urls"]
        assert len(cases) == 91
        assert not [case for case in cases if [link.text for link in x_links(case["text"])] != case["expected"]]

    def test_every_mention(self, published: dict[str, Any]):
        cases = published["extract"]["mentions"]
        assert len(cases) == 23
        assert not [case for case in cases if x_mentions(case["text"]) != case["expected"]]
        assert not [case for case in cases if x_mentions(defuse(case["text"]))]


class TestLength:
    @pytest.mark.parametrize(
        ("text", "length"),
        [
            ("", 0),
            ("fiber cut, ETA 1h", 17),
            ("caf\u00e9", 4),
            ("cafe\u0301", 4),
            ("\u2013\u2014\u2018\u2019\u201c\u201d°", 7),
            ("…→✓•€", 10),
            ("\u200b", 1),
            ("\u2060", 2),
            ("光缆", 4),
            ("Ӝ", 1),
            ("\u10ff\u1100", 3),
        ],
    )
    def test_scripts_weigh_one_or_two(self, text: str, length: int):
        assert x_length(text) == length

    @pytest.mark.parametrize(
        "emoji",
        [
            "🔥",
            "⚠",
            "⚠\ufe0f",
            "©\ufe0f",
            "3\ufe0f\u20e3",
            "#\u20e3",
            "🇩🇪",
            "🏴\U000e0067\U000e0062\U000e0073\U000e0063\U000e0074\U000e007f",
            "👍🏿",
            "👩🏽\u200d🚒",
            "🏳\ufe0f\u200d🌈",
            "👩🏻\u200d❤\ufe0f\u200d💋\u200d👨🏿",
            "🐦\u200d🔥",
            "⛓\ufe0f\u200d💥",
            "🫩",
            "🙂\u200d↔\ufe0f",
        ],
    )
    def test_an_emoji_sequence_weighs_two_whatever_its_parts_are(self, emoji: str):
        assert x_length(f"a{emoji}b") == 4

    @pytest.mark.parametrize(
        ("text", "length"),
        [
            ("🔥🏿", 4),
            ("→\ufe0f", 4),
            ("🇩", 2),
            ("🇩🇪🇫", 4),
            ("\u200d", 1),
            ("🔥\u200d", 3),
            ("©", 1),
            ("12", 2),
            ("👍\ufe0e", 4),
            ("👩\u200d👩\u200d👩\u200d👩\u200d👩", 5),
        ],
    )
    def test_what_only_looks_like_a_sequence_is_counted_piece_by_piece(self, text: str, length: int):
        assert x_length(text) == length

    @pytest.mark.parametrize(
        ("text", "length"),
        [
            ("https://status.example.net/a/very/long/path?with=queries&and=more#anchor", 23),
            ("node1.net", 23),
            ("see http://t.co/a.", 28),
            ("http://example.com:8080/x y", 25),
            ("example.com:8080", 28),
            ("noc@example.com", 15),
            ("10.0.0.1", 8),
            ("http://10.0.0.1/", 16),
            (f"https://{'a' * 64}.com", 76),
        ],
    )
    def test_a_link_weighs_23_and_an_address_what_it_has(self, text: str, length: int):
        assert x_length(text) == length

    @given(st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=60))
    @settings(deadline=None, max_examples=200)
    def test_it_does_not_depend_on_how_accents_are_written(self, text: str):
        assert x_length(unicodedata.normalize("NFD", text)) == x_length(text)


class TestLinks:
    @pytest.mark.parametrize(
        ("text", "links"),
        [
            ("status.example.com is up", ["status.example.com"]),
            ("lost node1.net, sw-core.at and v1.2.co", ["node1.net", "sw-core.at", "v1.2.co"]),
            ("restore backup.zip from db.it", ["backup.zip", "db.it"]),
            ("Node.js, eth0.example, 10.0.0.1, e.g. this", []),
            ("mail noc@example.com or a.b-c@example.net", []),
            ("HTTPS://Example.COM/Path.", ["HTTPS://Example.COM/Path"]),
            ("(see https://example.com/wiki/Outage_(2026))", ["https://example.com/wiki/Outage_(2026)"]),
            ("see https://example.com/a, b", ["https://example.com/a"]),
            ("example.com/?q=1&r=2#x!", ["example.com/?q=1&r=2#x"]),
            ("example.com?q=1", ["example.com"]),
            ("https://example.com?q=1.", ["https://example.com?q=1"]),
            ("xhttp://example.com", []),
            ("ftp://example.com", []),
            ("#example.com $example.com @example.com", []),
            ("-example.com _example.com .example.com /example.com", []),
            ("a_b.example.com", ["b.example.com"]),
            ("https://a_b.example.com", ["https://a_b.example.com"]),
            ("https://bad_name.com", []),
            ("障害:node1.netで発生", ["node1.net"]),
            ("example.com、example.orgです", ["example.com", "example.org"]),
            ("http://example.com/障害node1.net", ["http://example.com/", "node1.net"]),
            ("障害.node1.net", ["node1.net"]),
            ("first.last.net@example.com example.com-old example.com+1", []),
            ("http://b\u00fccher.example.org", ["http://b\u00fccher.example.org"]),
            ("http://пример.рф и другие", ["http://пример.рф"]),
            ("xn--80ak6aa.xn--p1ai", ["xn--80ak6aa.xn--p1ai"]),
            (f"{'a' * 63}.com", [f"{'a' * 63}.com"]),
            (f"{'a' * 64}.com", []),
            ("http://t.co/" + "a" * 41 + " http://t.co/" + "b" * 40, ["http://t.co/" + "b" * 40]),
            ("https://example.com/" + "a" * 4080, []),
        ],
    )
    def test_what_x_makes_a_link_of(self, text: str, links: list[str]):
        assert [link.text for link in x_links(text)] == links

    def test_a_span_says_where_it_stands_and_whether_a_scheme_was_written(self):
        bare, full = x_links("é node1.net and https://example.com/x!")
        assert (bare.start, bare.end, bare.scheme) == (2, 11, False)
        assert (full.start, full.end, full.scheme) == (16, 37, True)

    @given(
        st.lists(
            st.sampled_from(
                [*".-_@$#/:()?日é a1", "com", "a.com", "http://", "https://t.co/", "xn--", "みんな", "\u200e", "\u3002"]
            ),
            max_size=30,
        ).map("".join)
    )
    @settings(deadline=None, max_examples=400)
    def test_spans_are_in_order_apart_and_literal(self, text: str):
        position = 0
        for link in x_links(text):
            assert position <= link.start < link.end
            assert text[link.start : link.end] == link.text
            assert link.scheme == link.text.lower().startswith(("http://", "https://"))
            position = link.end


class TestMentions:
    @pytest.mark.parametrize(
        ("text", "names"),
        [
            (".@noc see (@ops_1), \uff20team", ["noc", "ops_1", "team"]),
            ("noc@example.com", []),
            ("a@b", []),
            ("RT@noc rt: @ops xRT@nobody", ["noc", "ops"]),
            ("@\u200bnoc", []),
            ("@ noc @", []),
            ("@no\u00e9 @noc@example.org", []),
            ("@" + "a" * 25, ["a" * 20]),
            ("ping @noc\n@ops", ["noc", "ops"]),
            ("障害@noc", ["noc"]),
            ("https://example.social/@noc", ["noc"]),
        ],
    )
    def test_who_could_reply(self, text: str, names: list[str]):
        assert x_mentions(text) == names

    def test_defusing_puts_in_nothing_that_shows(self):
        assert defuse("thanks @noc and \uff20ops, not a@b") == "thanks @\u200bnoc and \uff20\u200bops, not a@b"

    def test_a_link_that_is_defused_leads_to_the_same_page(self):
        assert defuse("see https://example.social/@noc @ops") == "see https://example.social/%40noc @\u200bops"

    @given(
        st.lists(st.sampled_from([*"@\uff20 a_.!:/é", "RT", "noc", "http://a.com/", "://", "\u200b"]), max_size=30).map(
            "".join
        )
    )
    @settings(deadline=None, max_examples=400)
    def test_a_defused_text_mentions_nobody_and_reads_the_same(self, text: str):
        defused = defuse(text)
        assert x_mentions(defused) == []
        assert defused.replace("\u200b", "").replace("%40", "@") == text.replace("\u200b", "")


@pytest.mark.parametrize(
    ("text", "tags"),
    [
        ("$ABC down", ["ABC"]),
        ("costs $5 and US$ABC", []),
        ("$ABC, $DE.F $TOOLONGTAG", ["ABC", "DE.F"]),
        ("a $b-c", ["b"]),
    ],
)
def test_cashtags_are_letters_behind_a_dollar(text: str, tags: list[str]):
    assert x_cashtags(text) == tags


def cost(text: str) -> float:
    best = 9.0
    for _ in range(3):
        begun = time.process_time()
        x_length(text)
        defuse(text)
        best = min(best, time.process_time() - begun)
    return max(best, 0.001)


@pytest.mark.parametrize(
    ("head", "piece", "tail"),
    [
        *[
            ("", piece, "")
            for piece in ("a.", "a.com_", "a.com日", "é.", "a.com/(", "http://a.", "@a", "$a ", "-.", "xn--a.")
        ],
        *[("", piece, "") for piece in ("🇩", "👩\u200d", "(" * 9 + "a.com/")],
        ("a.com/", "(a", ")"),
        ("a.com?", "!", ""),
    ],
)
def test_no_text_takes_time_with_the_square_of_its_length(head: str, piece: str, tail: str):
    """A text 16 times as long would take 256 times as long; six times 16 leaves room for a busy machine."""
    short, long = (head + piece * (length // len(piece)) + tail for length in (1_500, 24_000))
    assert cost(long) < 96 * cost(short)


def test_no_host_takes_time_with_the_square_of_its_length():
    """Punycode does, so a label that is far too long is not even encoded."""
    short, long = (f"http://{''.join(map(chr, range(0x4E00, 0x4E00 + length)))}.com" for length in (250, 4_000))
    assert cost(long) < 96 * cost(short)
