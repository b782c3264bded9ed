"""What the X channel renders: text, length, price, and what it refuses."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest
from twitter_kit import HOUSE, news, settings

from outagecast.channel import (
    House,
    Kind,
    Refused,
)
from outagecast.channels.twitter import Long, Twitter
from outagecast.secrets import Vault
from outagecast.text import x_length

if TYPE_CHECKING:
    from collections.abc import Callable

    from outagecast.sandbox.x import XPlatform


def test_a_message_that_fits_is_one_post_with_time_and_price(twitter: Twitter) -> None:
    (post,) = twitter.render(news("fiber cut, ETA 1h (15:05 UTC)"))
    assert post.text == "[14:05 UTC] fiber cut, ETA 1h (15:05 UTC)"
    assert post.data == {"cost": "0.015 USD", "reply_settings": "mentionedUsers"}
    assert post.warnings == ()


def test_an_update_carries_its_number_and_no_reply_settings(twitter: Twitter) -> None:
    (post,) = twitter.render(news("splicing", Kind.UPDATE, 2))
    assert post.text == "[14:05 UTC · update 2] splicing"
    assert "reply_settings" not in post.data


def test_a_long_message_becomes_a_thread_within_the_limit(twitter: Twitter) -> None:
    words = " ".join(f"Sentence {number} about the cut fiber." for number in range(40))
    posts = twitter.render(news(words))
    assert len(posts) > 1
    assert all(x_length(post.text) <= 280 for post in posts)
    assert [post.part for post in posts] == list(range(1, len(posts) + 1))
    assert f"thread of {len(posts)}" in posts[0].warnings[0]
    assert ["reply_settings" in post.data for post in posts] == [True] + [False] * (len(posts) - 1)


@pytest.mark.parametrize(("how", "length"), [(Long.THREAD, 4000), (Long.REFUSE, 300), (Long.THREAD, 5001)])
def test_what_is_too_long_is_refused_for_good(how: Long, length: int, make: Callable[..., Twitter]) -> None:
    with pytest.raises(Refused) as caught:
        make(long=how).render(news(("word " * (length // 5 + 1))[:length]))
    assert not caught.value.mendable
    assert caught.value.hint


def test_a_long_message_full_of_dots_is_rendered_in_no_time(twitter: Twitter) -> None:
    """The reference counter takes 45 seconds for this one; the test's own time-out is the limit."""
    with pytest.raises(Refused):
        twitter.render(news("a." * 2500))


@pytest.mark.parametrize("words", ["ask @example", "ask .@example", "(@example)", "ask ＠example"])  # noqa: RUF001  a wide @ mentions as well
def test_a_mention_is_refused_because_it_opens_the_conversation(words: str, twitter: Twitter) -> None:
    with pytest.raises(Refused, match="@example") as caught:
        twitter.render(news(words))
    assert not caught.value.mendable
    assert "--defuse-mentions" in caught.value.hint


def test_a_mention_in_the_houses_notice_is_refused_too(x: XPlatform) -> None:
    channel = Twitter("twitter", settings(x, notice=True), House("E", ZoneInfo("UTC"), notice="Help: @example"))
    with pytest.raises(Refused, match="@example"):
        channel.render(news("fiber cut"))


def test_an_address_is_no_mention(twitter: Twitter) -> None:
    assert twitter.render(news("mail noc@example.com"))


def test_a_second_cashtag_is_refused(twitter: Twitter) -> None:
    assert twitter.render(news("it costs $5 and $ABC falls"))
    with pytest.raises(Refused, match="cashtag"):
        twitter.render(news("$ABC and $XYZ fall"))


def test_the_link_is_added_and_its_price_is_told(twitter: Twitter) -> None:
    (post,) = twitter.render(news("fiber cut", link="https://status.example.com/1"))
    assert post.text.endswith("\nhttps://status.example.com/1")
    assert post.data["cost"] == "0.20 USD"
    assert "0.20 USD" in post.warnings[0]


def test_a_link_that_is_in_the_words_is_not_said_twice(twitter: Twitter) -> None:
    (post,) = twitter.render(news("see https://status.example.com", link="https://status.example.com"))
    assert post.text.count("https://") == 1


def test_a_link_nobody_meant_is_named_with_its_price(twitter: Twitter) -> None:
    (post,) = twitter.render(news("node1.net is down"))
    assert "node1.net" in post.warnings[0]
    assert "0.20 USD" in post.warnings[0]
    assert post.data["cost"] == "0.20 USD"


def test_the_notice_is_there_only_if_the_channel_says_so(twitter: Twitter, make: Callable[..., Twitter]) -> None:
    assert "Announcements only" not in twitter.render(news("fiber cut"))[0].text
    assert "Announcements only" in make(notice=True).render(news("fiber cut"))[0].text


def test_the_notice_stands_in_the_root_and_names_where_help_is(x: XPlatform) -> None:
    house = House("E", ZoneInfo("UTC"), support="https://help.example.net", notice="Announcements only.")
    channel = Twitter("twitter", settings(x, notice=True), house)
    said = "Announcements only.\nHelp: https://help.example.net"
    assert channel.render(news("fiber cut"))[0].text.endswith(f"fiber cut\n{said}")
    assert "help.example.net" not in channel.render(news("cable found", Kind.UPDATE, 1))[0].text


def test_rendering_needs_no_key_and_no_network(x: XPlatform, tmp_path: Any) -> None:
    channel = Twitter("twitter", settings(x, api_key=Vault({}, tmp_path).secret("${NOT_SET}")), HOUSE)
    assert channel.render(news("fiber cut"))
    assert x.log == []
