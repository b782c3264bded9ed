"""What a relay answers is read within bounds, whatever it is."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outagecast.channels.email.replies import MOST_LINE, GarbledReplyError, Reply, take


def test_a_reply_of_many_lines_is_one_reply_and_what_follows_stays():
    buffer = bytearray(b"250-first\r\n250-second\r\n250 third\r\n354 go")
    assert take(buffer) == Reply(250, ("first", "second", "third"))
    assert take(buffer) is None
    assert buffer == b"354 go"


@pytest.mark.parametrize(
    "garbage",
    [
        b"hello\r\n",
        b"99 x\r\n",
        b"250x\r\n",
        b"250-a\r\n354 b\r\n",
        b"\r\n",
        b"x" * (MOST_LINE + 1),
        b"250-a\r\n" * 200,
    ],
)
def test_what_is_no_reply_is_called_so_and_does_not_grow_for_ever(garbage: bytes):
    with pytest.raises(GarbledReplyError):
        take(bytearray(garbage))


def test_an_enhanced_code_counts_only_when_it_fits_its_reply():
    assert Reply(550, ("5.1.1 unknown",)).enhanced == "5.1.1"
    assert Reply(550, ("4.1.1 unknown",)).enhanced == ""
    assert Reply(550, ("5.1.1.1 unknown",)).enhanced == ""


def test_what_a_relay_writes_cannot_reach_the_terminal_as_a_command():
    reply = take(bytearray(b"550 \x1b]0;evil\x07\xff no\r\n"))
    assert str(reply).isprintable()


@given(st.binary(max_size=300), st.integers(1, 20))
def test_any_octets_in_any_pieces_give_the_same_replies_or_the_same_refusal(octets: bytes, size: int):
    def read(pieces: list[bytes]) -> list[Reply]:
        buffer, replies = bytearray(), []
        for piece in pieces:
            buffer += piece
            try:
                while (reply := take(buffer)) is not None:
                    replies.append(reply)
            except GarbledReplyError:
                return replies
        return replies

    assert read([octets]) == read([octets[at : at + size] for at in range(0, len(octets), size)])
