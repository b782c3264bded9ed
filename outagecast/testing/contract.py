"""The tests themselves."""
# ruff: noqa: S101  a contract is made of assertions; this runs under pytest only

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
from datetime import timedelta
from typing import TYPE_CHECKING, NoReturn, cast

import msgspec
import pytest
from msgspec.structs import replace

from outagecast.channel import (
    Absent,
    CannotTell,
    Capabilities,
    ChannelError,
    Edits,
    Kind,
    Receipt,
    Recipients,
    Refused,
    Repeat,
    ReplyControl,
    Secret,
    TryLater,
)
from outagecast.testing.checks import CLOSED, check_clean, check_error, check_findings, check_post, check_truth
from outagecast.testing.nasty import NASTY
from outagecast.testing.subject import AT, EVERYBODYS, IMAGE, announcement, attempt_of, broken, posts_of, sent
from outagecast.text import defuse

if TYPE_CHECKING:
    from collections.abc import Callable

    from outagecast.channel import ChannelType, Letters, Post
    from outagecast.testing.subject import Subject

_HEAVY = ("aiohttp", "facebook", "httpx", "requests", "smtplib", "ssl", "tweepy", "urllib3")
_HOST = re.compile(
    r"(?=.{1,253}$)[A-Za-z0-9_]([A-Za-z0-9_-]*[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?)*|[0-9a-fA-F:]+"
)


class ChannelContract:
    """What the core relies on. Override the fixture `subject`; every test gets a fresh one."""

    @pytest.fixture
    def subject(self) -> Subject:
        """The author's part: a fresh channel and the world behind it."""
        raise NotImplementedError("override the fixture `subject` and return a Subject")

    # -- data ----------------------------------------------------------------------------------------------------

    def test_capabilities_are_data_and_agree_with_each_other(self, subject: Subject) -> None:
        """They are read before any call, from the type as well as from the channel."""
        channel, caps = subject.channel, subject.channel.caps
        assert isinstance(caps, Capabilities)
        assert type(channel).caps is caps, "caps belong to the type"
        assert caps.replies in ReplyControl
        for limit in caps.limits:
            assert limit.most > 0 < limit.count("words")
            assert limit.unit
        assert caps.letters == hasattr(channel, "send_many")
        assert caps.letters == isinstance(getattr(channel, "recipients", None), Recipients)
        assert caps.can_edit == isinstance(channel, Edits)
        assert caps.images >= 0
        assert not (caps.letters and (caps.threads or caps.mentions_open)), (
            "a letter hangs under nothing, mentions nobody"
        )

    def test_settings_are_a_frozen_struct(self, subject: Subject) -> None:
        """The config turns YAML into them and nothing changes them afterwards."""
        settings = cast("ChannelType", type(subject.channel)).Settings
        assert issubclass(settings, msgspec.Struct)
        assert settings.__struct_config__.frozen

    def test_endpoints_are_host_names(self, subject: Subject) -> None:
        """The blast-radius check looks them up: no scheme, no port, no path."""
        for host in subject.channel.endpoints:
            assert _HOST.fullmatch(host), f"{host!r} is no host name"

    def test_importing_the_module_is_cheap(self, subject: Subject) -> None:
        """The platform's SDK, TLS and mail are imported on first use."""
        code = f"import sys, {type(subject.channel).__module__}; print(*[m for m in {_HEAVY} if m in sys.modules])"
        env = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
        done = subprocess.run([sys.executable, "-c", code], env=env, check=True, capture_output=True, text=True)  # noqa: S603  our own words
        assert not done.stdout.strip(), f"imported too early: {done.stdout}"

    # -- render --------------------------------------------------------------------------------------------------

    def test_render_is_pure(self, subject: Subject) -> None:
        """It is also the preview: no network, no secret is read, and the same news give the same posts."""
        with pytest.MonkeyPatch.context() as patch:
            for name in ("connect", "connect_ex", "sendto"):
                patch.setattr(socket.socket, name, _forbidden)
            patch.setattr(socket, "getaddrinfo", _forbidden)
            patch.setattr(Secret, "reveal", _forbidden)
            once, twice = (list(subject.channel.render(announcement())) for _ in range(2))
        assert once == twice
        assert subject.public(once[0].text) == 0

    @pytest.mark.parametrize("words", NASTY.values(), ids=NASTY)
    def test_any_words_go_out_to_the_letter_and_within_the_limits_or_are_refused(
        self, subject: Subject, words: str
    ) -> None:
        """What `render` shows is what the public gets, in every script."""
        posts: list[Post] = []
        refused = _error_of(lambda: posts.extend(subject.channel.render(announcement(words))))
        if refused is not None:
            check_error(subject, refused)
            assert isinstance(refused, Refused)
            assert not refused.mendable, "words do not mend themselves"
            assert refused.hint
        assert [(post.part, post.parts) for post in posts] == [(n + 1, len(posts)) for n in range(len(posts))]
        parent = None
        for post in posts:
            check_post(subject.channel, post)
            receipt = sent(subject, post, parent)
            parent = receipt if subject.channel.caps.threads else None
            assert subject.public(post.text) == 1

    def test_the_same_words_make_different_texts(self, subject: Subject) -> None:
        """Platforms refuse equal texts and a look-up goes by the text: it carries the time and the number."""
        same = [
            announcement(),
            announcement(seconds=True),
            announcement(seconds=True, at=AT + timedelta(seconds=1)),
            announcement(at=AT + timedelta(minutes=1)),
            announcement(seq=1, kind=Kind.UPDATE),
            announcement(seq=2, kind=Kind.UPDATE),
            announcement(seq=3, kind=Kind.RESOLVED),
            announcement(seq=4, kind=Kind.CORRECTION),
        ]
        texts = [post.text for news in same for post in subject.channel.render(news)]
        assert len(set(texts)) == len(texts)

    def test_a_mention_is_refused_where_it_would_open_replies(self, subject: Subject) -> None:
        """And defused it may go out."""
        words = "ask @somebody"
        if subject.channel.caps.mentions_open:
            with pytest.raises(Refused, match="@somebody"):
                subject.channel.render(announcement(words))
        assert subject.channel.render(announcement(defuse(words)))

    # -- send and find -------------------------------------------------------------------------------------------

    def test_what_is_sent_is_public_once_and_is_found(self, subject: Subject) -> None:
        """The receipt is the proof, and a look gives the same one."""
        attempt = attempt_of(subject)
        receipt = attempt.run()
        assert isinstance(receipt, Receipt), receipt
        assert receipt.ref
        assert subject.public(attempt.post.text) == 1
        found = subject.channel.find(attempt.post, None, attempt.begun_at)
        if subject.channel.caps.can_find:
            assert isinstance(found, Receipt)
            assert found.ref == receipt.ref
        else:
            assert isinstance(found, (CannotTell, Repeat))
            assert found.why

    def test_a_post_that_was_never_sent_is_absent(self, subject: Subject) -> None:
        """Even when another of the same incident is out."""
        sent(subject, posts_of(subject, announcement())[0])
        later = posts_of(subject, announcement(seq=1, kind=Kind.UPDATE))[0]
        found = subject.channel.find(later, None, subject.now())
        if subject.channel.caps.can_find:
            assert isinstance(found, Absent)
            assert found.believe_after >= timedelta(0)
        else:
            assert isinstance(found, (CannotTell, Repeat))

    def test_an_update_goes_out_and_is_found_where_it_hangs(self, subject: Subject) -> None:
        """Under the first post, on a channel with threads."""
        first = sent(subject, posts_of(subject, announcement())[0])
        parent = first if subject.channel.caps.threads else None
        attempt = attempt_of(subject, announcement("splicing", seq=1, kind=Kind.UPDATE))
        receipt = attempt.run(parent)
        assert isinstance(receipt, Receipt), receipt
        assert receipt.ref != first.ref
        assert subject.public(attempt.post.text) == 1
        if subject.channel.caps.can_find:
            found = subject.channel.find(attempt.post, parent, attempt.begun_at)
            assert isinstance(found, Receipt)
            assert found.ref == receipt.ref

    def test_each_call_of_send_has_one_effect_at_most(self, subject: Subject) -> None:
        """Called twice it may publish twice, or say what the platform says of that; it never does more by itself."""
        attempt = attempt_of(subject)
        attempt.run()
        again = attempt.run()
        assert 1 <= subject.public(attempt.post.text) <= 2
        if isinstance(again, TryLater | Refused):
            assert subject.public(attempt.post.text) == 1

    def test_its_answers_are_true_whatever_breaks(self, subject: Subject) -> None:
        """A receipt: it is out, once. TryLater, Refused: it is not. InDoubt: once at most, and a look tells no lies."""
        for number, name in enumerate([*EVERYBODYS, *subject.breakages]):
            attempt = attempt_of(subject, announcement(f"broken by {name}", at=AT + timedelta(minutes=number)))
            with broken(subject, name):
                attempt.run()
            check_truth(attempt, name)

    def test_reading_and_tidying_up_raise_only_the_three_answers(self, subject: Subject) -> None:
        """Whatever breaks while a post is looked for, its replies are closed, or it is taken back."""
        attempt = attempt_of(subject)
        receipt = attempt.run()
        assert isinstance(receipt, Receipt), receipt
        calls: tuple[Callable[[], object], ...] = (
            lambda: subject.channel.find(attempt.post, None, attempt.begun_at),
            lambda: subject.channel.close_replies(receipt),
            lambda: check_findings(subject),
            lambda: subject.channel.retract(receipt),
        )
        for call in calls:
            for name in [*EVERYBODYS, *subject.breakages]:
                with broken(subject, name):
                    error = _error_of(call)
                if error is not None:
                    check_error(subject, error)

    # -- replies, retraction, the end ----------------------------------------------------------------------------

    def test_replies_are_closed_and_stay_so(self, subject: Subject) -> None:
        """As far as the type claims it can; told again, it says the same."""
        receipt = sent(subject, posts_of(subject, announcement())[0])
        allowed = CLOSED[subject.channel.caps.replies]
        if subject.channel.caps.replies in {ReplyControl.ATOMIC, ReplyControl.NATIVE}:
            assert receipt.replies in allowed
        first = subject.channel.close_replies(receipt)
        assert first in allowed
        assert subject.channel.close_replies(receipt) is first

    def test_retracting_twice_is_retracting_once(self, subject: Subject) -> None:
        """Gone already is success; a channel that cannot take anything back says so."""
        post = posts_of(subject, announcement())[0]
        receipt = sent(subject, post)
        if not subject.channel.caps.can_retract:
            with pytest.raises(Refused) as refused:
                subject.channel.retract(receipt)
            check_error(subject, refused.value)
            return
        subject.channel.retract(receipt)
        assert subject.public(post.text) == 0
        subject.channel.retract(receipt)

    def test_check_reads_only(self, subject: Subject) -> None:
        """It finds something to say, publishes nothing and shows no secret."""
        assert check_findings(subject) > 0
        assert subject.public(posts_of(subject, announcement())[0].text) == 0

    def test_no_secret_shows(self, subject: Subject) -> None:
        """Neither in the channel's own words nor in what it holds, before and after use."""
        for _ in range(2):
            held = getattr(subject.channel, "__dict__", "")
            shown = f"{subject.channel!r} {subject.channel} {held}"
            check_clean(subject, shown)
            attempt_of(subject).run()

    def test_close_may_come_at_any_time(self, subject: Subject) -> None:
        """Before the first use, after it, and again."""
        subject.channel.close()
        attempt_of(subject).run()
        subject.channel.close()
        subject.channel.close()

    # -- pictures and other words --------------------------------------------------------------------------------

    def test_a_picture_goes_with_the_first_post_or_with_none(self, subject: Subject) -> None:
        """With none where the type takes none; and the words are out, once, to the letter."""
        posts = posts_of(subject, announcement(image=IMAGE))
        assert [post.image for post in posts] == [
            IMAGE if subject.channel.caps.images else None,
            *[None] * len(posts[1:]),
        ]
        sent(subject, posts[0])
        assert subject.public(posts[0].text) == 1

    def test_its_answers_are_true_whatever_breaks_with_a_picture(self, subject: Subject) -> None:
        """A picture is one more step, and no answer about it may pass for one about the post."""
        if not subject.channel.caps.images:
            pytest.skip("no pictures")
        for number, name in enumerate([*EVERYBODYS, *subject.breakages]):
            news = announcement(f"broken by {name}", at=AT + timedelta(minutes=number), image=IMAGE)
            attempt = attempt_of(subject, news)
            with broken(subject, name):
                attempt.run()
            check_truth(attempt, name)

    def test_a_post_that_is_out_is_given_other_words(self, subject: Subject) -> None:
        """Its own are still in them, and told again it says the same; whatever breaks, it is out once."""
        if not isinstance(subject.channel, Edits):
            pytest.skip("no other words")
        first = posts_of(subject, announcement())[0]
        receipt = sent(subject, first)
        text = subject.channel.amended(first, announcement("cable found", seq=1, kind=Kind.UPDATE))
        assert text == subject.channel.amended(first, announcement("cable found", seq=1, kind=Kind.UPDATE))
        assert first.text in text
        assert "cable found" in text
        for limit in subject.channel.caps.limits:
            assert limit.count(text) <= limit.most
        for _ in range(2):
            subject.channel.amend(receipt, text)
            assert (subject.public(text), subject.public(first.text)) == (1, 0)
        for name in [*EVERYBODYS, *subject.breakages]:
            with broken(subject, name):
                error = _error_of(lambda: cast("Edits", subject.channel).amend(receipt, text))
            if error is not None:
                check_error(subject, error)
                assert isinstance(error, TryLater | Refused)
            assert subject.public(text) == 1

    # -- letters -------------------------------------------------------------------------------------------------

    def test_letters_are_begun_then_yielded_each_once(self, subject: Subject) -> None:
        """Those it takes from the iterator, and no other."""
        if not subject.channel.caps.letters:
            pytest.skip("no letters")
        letters = cast("Letters", subject.channel)
        wording = letters.render(announcement())[0]
        posts = [replace(wording, id=number, to=f"reader{number}@example.org") for number in range(1, 21)]
        begun: list[int] = []
        done: list[int] = []
        for post, result in letters.send_many(iter(posts), lambda post: begun.append(post.id)):
            assert isinstance(result, Receipt), result
            assert begun.count(post.id) == 1
            done.append(post.id)
        assert sorted(done) == [post.id for post in posts]
        assert subject.public(wording.text) == 20
        assert not list(letters.send_many(iter([]), lambda post: begun.append(post.id)))


def _forbidden(*_: object) -> NoReturn:
    raise AssertionError("render must not do this")


def _error_of(call: Callable[[], object]) -> ChannelError | None:
    """What it raises of the three answers; anything else fails the test by itself."""
    try:
        call()
    except ChannelError as err:
        return err
    return None
