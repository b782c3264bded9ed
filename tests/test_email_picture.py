"""A picture in a letter: where it stands, what it costs, and that the words go out with it or without."""

from __future__ import annotations

import re
import socket
from email import message_from_bytes, policy
from typing import TYPE_CHECKING, Any

import pytest
from email_kit import ALT, channel, letters, news, one, picture, receipts, sent
from msgspec.structs import replace

from outagecast.channel import InDoubt, Receipt, Refused, Secret
from outagecast.channels.email import picture as pictures
from outagecast.channels.email.link import Link
from outagecast.sandbox.mail_faults import At, Do, MailFault
from outagecast.sandbox.mailbox import Mailbox

if TYPE_CHECKING:
    from collections.abc import Sequence
    from email.message import EmailMessage

    from outagecast.channel import Post
    from outagecast.channels.email.channel import Email

WAYS_OUT = {
    "subscribers": True,
    "unsubscribe": "https://lists.example.net/u/{token}",
    "token_secret": Secret.of("key-for-tests"),
}
WORDS = {
    "ascii": "fiber cut\n.\n.one dot\n--\n-- \nend",
    "any script": "Glasfaser zerstört 🔥\n.\n.ein Punkt\n" + "ü" * 300,
}


def written(email: Email, post: Post) -> bytes:
    return email._stationery.write(post).content


def unstuffed(content: bytes) -> bytes:
    return re.sub(rb"(?m)^\.", b"", content)


def parts(raw: bytes) -> Sequence[EmailMessage]:
    message = message_from_bytes(raw, policy=policy.default)
    assert message.get_content_type() == "multipart/mixed"
    assert not message.defects
    found = list(message.iter_parts())
    assert not [part.defects for part in found if part.defects]
    return found


# -- where it stands ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("words", WORDS.values(), ids=WORDS)
@pytest.mark.parametrize("to", ["ann@example.org", "outages@lists.example.net"], ids=["subscriber", "list"])
def test_the_words_come_first_just_as_without_a_picture_and_the_picture_comes_second(words: str, to: str):
    """Down to the farewell, which is a subscriber's own."""
    email = channel(**WAYS_OUT)
    image = picture()
    words_part, picture_part = parts(unstuffed(written(email, one(email, to, words=words, image=image))))
    alone = replace(one(email, to, words=words, image=image), image=None)
    plain = message_from_bytes(unstuffed(written(email, alone)), policy=policy.default)
    assert plain.get_content_type() == words_part.get_content_type() == "text/plain"
    assert words_part.get_content() == plain.get_content()
    assert ("To get no more of these: " in words_part.get_content()) == (to == "ann@example.org")
    assert picture_part.get_content() == image.data


def test_the_picture_is_shown_where_it_is_and_says_what_it_shows():
    email = channel()
    _, shown = parts(written(email, one(email, seq=2, image=picture())))
    assert shown.get_content_type() == "image/png"
    assert shown.get_content_disposition() == "inline"
    assert shown.get_filename() == "map.png"
    assert shown["Content-Description"] == ALT
    assert re.fullmatch(r"<[a-z0-9]{20}\.u2\.picture@example\.net>", shown["Content-ID"])


@pytest.mark.parametrize(
    "alt", [ALT, "plain words", "=?utf-8?q?=0ABcc:_x@example.com?=", "two\nlines\tand more", "ü" * 900, "a" * 1000]
)
def test_what_it_shows_can_be_read_by_whoever_cannot_see_it(alt: str):
    """In the letter itself, and where programs for the blind look."""
    email = channel()
    words, shown = parts(written(email, one(email, image=picture(alt=alt))))
    assert shown["Content-Description"] == " ".join(alt.split())
    told = words.get_content().replace("\r\n", "\n").partition("\nPicture: ")[2].partition("\n\n-- \n")[0]
    assert "".join(told.split()) == "".join(alt.split())


def test_a_picture_without_words_goes_by_its_name():
    (post,) = channel().render(news(image=picture(alt=" ")))
    assert "\nPicture:  map.png\n" in post.text


@pytest.mark.parametrize("name", ['a"; x="b.png', "=?utf-8?q?x?=.png", "a\r\nBcc: x@example.org", "a\\b.png"])
def test_the_name_of_a_picture_never_becomes_anything_else(name: str):
    email = channel()
    raw = written(email, one(email, image=picture(name=name)))
    _, shown = parts(raw)
    assert re.fullmatch(r"[A-Za-z0-9._ -]+", shown.get_filename() or "")
    assert set(shown.keys()) == {
        "Content-Type",
        "Content-Disposition",
        "Content-Transfer-Encoding",
        "Content-ID",
        "Content-Description",
    }
    assert b"\nBcc" not in raw


@pytest.mark.parametrize("alt", ["a\0b", "a\x1bb", "a\ud800b"])
def test_an_alt_text_that_no_letter_can_carry_is_refused(alt: str):
    with pytest.raises(Refused, match=r"U\+"):
        channel().render(news(image=picture(alt=alt)))


# -- the octets --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("words", WORDS.values(), ids=WORDS)
@pytest.mark.parametrize("octets", [0, 1, 56, 57, 58, 3000])
def test_every_line_ends_as_smtp_wants_it_and_none_is_too_long(words: str, octets: int):
    email = channel(**WAYS_OUT)
    content = written(email, one(email, words=words, image=picture(octets)))
    assert content.endswith(b"--\r\n")
    assert content.count(b"\r") == content.count(b"\n") == content.count(b"\r\n")
    lines = content.split(b"\r\n")
    assert max(map(len, lines)) <= 998
    assert b"." not in lines
    body = content.partition(b"\r\n\r\n")[2]
    assert max(len(line) for line in body.split(b"\r\n")) <= 78
    assert parts(unstuffed(content))[1].get_content() == picture(octets).data


def test_a_resend_is_the_same_to_the_byte_whatever_has_changed_meanwhile():
    """The picture comes out of the journal by then, as another object."""
    first = channel(**WAYS_OUT)
    post = one(first, seq=3, image=picture())
    changed = channel(**{**WAYS_OUT, "sender": "Other <other@example.com>", "list_id": "x.example.com"})
    assert written(first, post) == written(changed, replace(post, image=picture()))


def test_words_that_hold_the_border_of_their_own_letter_do_not_end_it():
    """They cannot: it is made of them."""
    email = channel()
    border = one(email, image=picture()).data["border"]
    words, shown = parts(written(email, one(email, words=f"--{border}\n--{border}--", image=picture())))
    assert f"--{border}--" in words.get_content()
    assert shown.get_content() == picture().data


def test_two_pictures_under_the_same_words_are_told_apart():
    email = channel()
    for octets in (100, 200):
        assert parts(written(email, one(email, image=picture(octets))))[1].get_content() == picture(octets).data


def test_without_a_picture_there_is_one_part():
    email = channel()
    post = one(email)
    message = message_from_bytes(written(email, post), policy=policy.default)
    assert message.get_content_type() == "text/plain"
    assert {"border", "picture"}.isdisjoint(post.data)
    assert "Picture:" not in post.text
    assert not post.warnings


# -- what it costs -----------------------------------------------------------------------------------------------------


def test_all_letters_of_an_announcement_share_one_picture(monkeypatch: pytest.MonkeyPatch):
    """Encoded once, though the journal hands out the picture block by block; and then copied for none of them."""
    encoded = []
    real = pictures.encoded
    monkeypatch.setattr(pictures, "encoded", lambda image: encoded.append(image) or real(image))
    email = channel(**WAYS_OUT)
    posts = letters(email, 20, image=picture())
    posts[10:] = [replace(post, image=picture()) for post in posts[10:]]
    made = [email._stationery.write(post) for post in posts]
    assert len(encoded) == 1
    assert len({id(letter.shared) for letter in made}) == 1
    assert all(any(piece is letter.shared for piece in letter.writes(b".\r\n")) for letter in made)


def test_what_goes_out_of_a_letter_is_all_of_it_in_one_write_or_three():
    email = channel()
    for image, pieces in ((None, 1), (picture(), 3)):
        letter = email._stationery.write(one(email, image=image))
        assert len(letter.writes(b".\r\nMAIL")) == pieces
        assert b"".join(letter.writes(b".\r\nMAIL")) == letter.content + b".\r\nMAIL"
        assert letter.octets == len(letter.content)


def test_the_largest_picture_makes_a_letter_that_an_ordinary_postfix_takes():
    email = channel(**WAYS_OUT)
    assert email.caps.images == pictures.MOST
    post = one(email, words="ü" * 50_000, image=picture(email.caps.images))
    assert email._stationery.write(post).octets < 10_240_000


@pytest.mark.parametrize(("octets", "said"), [(10, "1 kB"), (25_000, "34 kB"), (1_000_000, "1.4 MB")])
def test_the_preview_says_what_each_letter_weighs(octets: int, said: str):
    (post,) = channel().render(news(image=picture(octets)))
    assert list(post.warnings) == [f"with the picture each letter has {said}"]
    assert post.image == picture(octets)


def test_the_weight_that_is_told_is_the_weight_that_goes_out():
    image = picture(1_234_567)
    assert pictures.weight(image) == f"{len(pictures.encoded(image)) / 1_000_000:.1f} MB"


class Counted(socket.socket):
    """A socket that remembers how much it was given at a time."""

    def sendall(self, data: Any, *flags: int) -> None:
        self.given.append(len(data))
        super().sendall(data, *flags)


def test_a_picture_is_written_in_blocks_so_that_a_thin_line_has_its_time_for_each():
    """RFC 5321 4.5.3.2.5 gives three minutes for a block, not for a letter."""
    octets = picture(200_000).data
    with socket.create_server(("127.0.0.1", 0)) as server, Counted() as near:
        near.given = []
        near.connect(server.getsockname())
        far, _ = server.accept()
        link = Link(near)
        link.write(octets, 5)
        link.write(b"QUIT\r\n", 5)
        near.shutdown(socket.SHUT_WR)
        with far:
            assert far.makefile("rb").read() == octets + b"QUIT\r\n"
        assert near.given == [65536, 65536, 65536, 200_000 - 3 * 65536, 6]


# -- over relays -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("pipelining", [True, False], ids=["pipelined", "step-by-step"])
def test_letters_with_a_picture_arrive_as_they_were_written(pipelining: bool):
    with Mailbox(pipelining=pipelining) as box:
        email = channel(box.url, **WAYS_OUT, connections=3)
        posts = letters(email, 30, words=WORDS["any script"], image=picture(200_000))
        results, begun = sent(email, posts)
        assert len(receipts(results)) == len(begun) == 30
        assert not [result.note for result in results.values() if isinstance(result, Receipt) and result.note]
        want = {post.to: unstuffed(written(email, post)) for post in posts}
        assert {letter.to[0]: letter.raw for letter in box.letters} == want
        assert box.public()[0]["picture"] == ALT


def test_after_an_unknown_outcome_the_same_octets_go_out_again():
    with Mailbox() as box:
        box.faults.add(MailFault(At.STORED, Do.DROP))
        email = channel(box.url, **WAYS_OUT)
        post = one(email, image=picture(100_000))
        (doubt,) = sent(email, [post])[0].values()
        assert isinstance(doubt, InDoubt)
        (receipt,) = sent(email, [replace(post, image=picture(100_000))])[0].values()
        assert isinstance(receipt, Receipt)
        first, second = box.letters
        assert first.raw == second.raw


def test_a_relay_that_says_how_much_it_takes_gets_the_words_alone_and_the_receipt_says_so():
    with Mailbox() as box:
        box.size = 50_000
        email = channel(box.url, **WAYS_OUT, connections=2)
        posts = letters(email, 10, image=picture(100_000))
        results, begun = sent(email, posts)
        assert len(receipts(results)) == len(begun) == 10
        notes = {result.note for result in results.values() if isinstance(result, Receipt)}
        assert notes == {f"without its picture: 127.0.0.1:{box.port} takes no letter of 0.1 MB"}
        for letter in box.letters:
            assert letter.message.get_content_type() == "text/plain"
            assert ALT in " ".join(letter.message.get_content().split())
        assert len({result.ref for result in results.values() if isinstance(result, Receipt)}) == 10


@pytest.mark.parametrize("connections", [1, 3])
@pytest.mark.parametrize("no", ["552 5.3.4 too big", "552 5.2.3 no", "552 Message size exceeds fixed limit"])
def test_a_relay_that_says_only_afterwards_what_it_takes_gets_the_words_alone(no: str, connections: int):
    """Each letter once, marked once; and of the next ones it is not asked again."""
    with Mailbox() as box:
        box.faults.add(MailFault(At.CONTENT, Do.REPLY, no))
        email = channel(box.url, connections=connections)
        results, begun = sent(email, letters(email, 20, image=picture(10_000)))
        assert len(receipts(results)) == len(begun) == len(set(begun)) == 20
        assert sorted(letter.to[0] for letter in box.letters) == sorted(results)
        light = [letter for letter in box.letters if letter.message.get_content_type() == "text/plain"]
        noted = [result for result in results.values() if isinstance(result, Receipt) and result.note]
        assert len(light) == len(noted) >= 1
        assert connections > 1 or len(light) == 20


def test_words_that_are_too_large_by_themselves_are_refused():
    with Mailbox() as box:
        box.faults.add(MailFault(At.CONTENT, Do.REPLY, "552 5.3.4 too big", times=2))
        email = channel(box.url)
        (result,) = sent(email, [one(email, image=picture())])[0].values()
        assert isinstance(result, Refused)
        assert not result.recipient
        assert not result.mendable
        assert box.letters == []
