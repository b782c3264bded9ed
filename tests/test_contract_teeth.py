"""The contract has teeth: a stranger's sound channel passes, and each way to be unsound is caught."""

from __future__ import annotations

import re
import socket
from datetime import timedelta
from typing import Any, ClassVar

import msgspec
import pytest
from msgspec.structs import replace

from outagecast.channel import (
    Absent,
    Capabilities,
    Finding,
    InDoubt,
    Level,
    Limit,
    Post,
    Receipt,
    Refused,
    Replies,
    ReplyControl,
    Secret,
    TryLater,
)
from outagecast.testing import ChannelContract, Subject
from outagecast.text import stamp


class NoSettings(msgspec.Struct, frozen=True, kw_only=True):
    pass


class Board:
    """A stranger's channel that keeps every promise: a list in memory."""

    Settings: ClassVar = NoSettings
    caps: ClassVar = Capabilities(
        replies=ReplyControl.ATOMIC,
        limits=(Limit(500, "characters", len),),
        threads=True,
        can_find=True,
        can_retract=True,
        can_edit=True,
        images=1000,
    )
    endpoints = ("board.example.org",)

    def __init__(self) -> None:
        self.name = "board"
        self.posts: dict[str, str] = {}
        self.token = Secret.of("token-for-tests")

    def render(self, news: Any) -> list[Post]:
        text = f"[{stamp(news)}] {news.words}"
        if len(text) > 500:
            raise Refused("too long", hint="say it shorter")
        return [Post(text, image=news.image)]

    def amended(self, first: Post, latest: Any) -> str:
        return f"{latest.words[:100]} / {first.text}"[:500]

    def amend(self, receipt: Receipt, text: str) -> None:
        self.posts[receipt.ref] = text

    def check(self) -> list[Finding]:
        return [Finding(self.name, Level.GOOD, "it is there")]

    def send(self, post: Post, parent: Receipt | None, remember: Any) -> Receipt:
        self.token.reveal()
        self.posts[f"{len(self.posts) + 1}"] = post.text
        return Receipt(f"{len(self.posts)}", replies=Replies.CLOSED)

    def find(self, post: Post, parent: Receipt | None, since: Any) -> Receipt | Absent:
        found = [ref for ref, text in self.posts.items() if text == post.text]
        return Receipt(found[0], replies=Replies.CLOSED) if found else Absent(timedelta(0))

    def close_replies(self, receipt: Receipt) -> Replies:
        return Replies.CLOSED

    def retract(self, receipt: Receipt) -> None:
        self.posts.pop(receipt.ref, None)

    def close(self) -> None:
        pass


class Rude(Board):
    def send(self, *given: Any) -> Receipt:
        try:
            return super().send(*given)
        except Refused as err:
            raise KeyError("TOKEN") from err


class Repeating(Board):
    def send(self, *given: Any) -> Receipt:
        super().send(*given)
        return super().send(*given)


class Boastful(Board):
    def send(self, *given: Any) -> Receipt:
        return Receipt("1", replies=Replies.CLOSED)


class Denying(Board):
    """The classic: it went out, and the answer is "later"."""

    def send(self, post: Post, *given: Any) -> Receipt:
        receipt = super().send(post, *given)
        if "broken" in post.text:
            raise TryLater("no answer in time")
        return receipt


class Blind(Board):
    def find(self, *given: Any) -> Absent:
        return Absent(timedelta(0))


class Credulous(Board):
    def find(self, *given: Any) -> Receipt:
        return Receipt("1")


class Misled(Board):
    """In doubt about what never went out, and then sure that it did."""

    def send(self, post: Post, *given: Any) -> Receipt:
        if "broken" in post.text:
            raise InDoubt("who knows")
        return super().send(post, *given)

    def find(self, *given: Any) -> Receipt:
        return Receipt("1")


class Talkative(Board):
    def send(self, *given: Any) -> Receipt:
        raise Refused(f"the token {self.token.reveal()} is wrong", mendable=True)


class Open(Board):
    def __repr__(self) -> str:
        return f"Board({self.token.reveal()})"


class Wordy(Board):
    def render(self, news: Any) -> list[Post]:
        return [Post(f"[{stamp(news)}] {news.words}")]


class Timeless(Board):
    def render(self, news: Any) -> list[Post]:
        return [Post(news.words[:500])]


class Chatty(Board):
    def render(self, news: Any) -> list[Post]:
        socket.create_connection(("127.0.0.1", 1))
        return super().render(news)


class Peeping(Board):
    def render(self, news: Any) -> list[Post]:
        self.token.reveal()
        return super().render(news)


class Tidying(Board):
    def render(self, news: Any) -> list[Post]:
        return [Post(" ".join(post.text.split())) for post in super().render(news)]

    def send(self, post: Post, *given: Any) -> Receipt:
        return super().send(replace(post, text=post.text.replace("<", "&lt;")), *given)


class Welcoming(Board):
    caps = replace(Board.caps, mentions_open=True)


class Ajar(Board):
    def close_replies(self, receipt: Receipt) -> Replies:
        return Replies.OPEN


class Strict(Board):
    def retract(self, receipt: Receipt) -> None:
        del self.posts[receipt.ref]


class Misplaced(Board):
    endpoints = ("https://board.example.org/api",)


class Posing(Board):
    caps = replace(Board.caps, letters=True)


class Gloomy(Board):
    def check(self) -> list[Finding]:
        return [Finding(self.name, Level.BAD, "it is not there")]


class Pictureless(Board):
    """It says that it takes pictures, and forgets them."""

    def render(self, news: Any) -> list[Post]:
        return [replace(post, image=None) for post in super().render(news)]


class Choosy(Board):
    """No picture, no words, and then: later. But the words are out."""

    def send(self, post: Post, *given: Any) -> Receipt:
        receipt = super().send(post, *given)
        if post.image and "broken" in post.text:
            raise TryLater("the picture is not there yet")
        return receipt


class Adding(Board):
    """Each time it is told, another one."""

    def amend(self, receipt: Receipt, text: str) -> None:
        self.posts[receipt.ref] = text
        self.posts[f"{len(self.posts) + 1}"] = text


class Forgetful(Board):
    """The first words are gone."""

    def amended(self, first: Post, latest: Any) -> str:
        return str(latest.words)


class Doubtful(Board):
    def amend(self, receipt: Receipt, text: str) -> None:
        if self.posts[receipt.ref] == text:
            raise InDoubt("perhaps")
        super().amend(receipt, text)


class Unable(Board):
    caps = replace(Board.caps, can_edit=False)


class LooseSettings(msgspec.Struct):
    url: str = ""


class Loose(Board):
    Settings = LooseSettings


FLAWS = {
    Rude: "its_answers_are_true_whatever_breaks",
    Repeating: "what_is_sent_is_public_once_and_is_found",
    Boastful: "what_is_sent_is_public_once_and_is_found",
    Denying: "its_answers_are_true_whatever_breaks",
    Blind: "what_is_sent_is_public_once_and_is_found",
    Credulous: "a_post_that_was_never_sent_is_absent",
    Misled: "its_answers_are_true_whatever_breaks",
    Talkative: "its_answers_are_true_whatever_breaks",
    Open: "no_secret_shows",
    Wordy: "any_words_go_out_to_the_letter_and_within_the_limits_or_are_refused",
    Timeless: "the_same_words_make_different_texts",
    Chatty: "render_is_pure",
    Peeping: "render_is_pure",
    Tidying: "any_words_go_out_to_the_letter_and_within_the_limits_or_are_refused",
    Welcoming: "a_mention_is_refused_where_it_would_open_replies",
    Ajar: "replies_are_closed_and_stay_so",
    Strict: "retracting_twice_is_retracting_once",
    Misplaced: "endpoints_are_host_names",
    Posing: "capabilities_are_data_and_agree_with_each_other",
    Gloomy: "check_reads_only",
    Loose: "settings_are_a_frozen_struct",
    Pictureless: "a_picture_goes_with_the_first_post_or_with_none",
    Choosy: "its_answers_are_true_whatever_breaks_with_a_picture",
    Adding: "a_post_that_is_out_is_given_other_words",
    Forgetful: "a_post_that_is_out_is_given_other_words",
    Doubtful: "a_post_that_is_out_is_given_other_words",
    Unable: "capabilities_are_data_and_agree_with_each_other",
}


def subject_of(board: Board) -> Subject:
    return Subject(board, public=lambda text: list(board.posts.values()).count(text), secrets=["token-for-tests"])


class TestBoard(ChannelContract):
    @pytest.fixture
    def subject(self) -> Subject:
        return subject_of(Board())


@pytest.mark.parametrize(("flawed", "sentence"), FLAWS.items(), ids=[flawed.__name__ for flawed in FLAWS])
def test_the_contract_catches_a_channel_that_is_flawed(flawed: type[Board], sentence: str) -> None:
    proof = getattr(ChannelContract(), f"test_{sentence}")
    given: list[tuple[Any, ...]] = [()]
    if sentence.startswith("any_words"):
        given = [("a" * 700,), ("<b>down</b>",)]
    failed = []
    for more in given:
        try:
            proof(subject_of(flawed()), *more)
        except (AssertionError, KeyError, InDoubt, pytest.fail.Exception) as err:
            failed.append(err)
    assert failed


def test_a_subject_must_be_given() -> None:
    class Forgotten(ChannelContract):
        pass

    with pytest.raises(NotImplementedError, match=re.escape("override the fixture")):
        Forgotten.subject.__wrapped__(Forgotten())  # type: ignore[attr-defined]  the fixture's own function
