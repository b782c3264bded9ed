"""What stands in a letter: its words, its headers, and that it is the same to the byte every time."""

from __future__ import annotations

import re
from datetime import timedelta
from email import message_from_bytes, policy
from email.header import decode_header, make_header
from typing import TYPE_CHECKING, Any

import pytest
from email_kit import HOUSE, NOW, channel, news, one
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from outagecast.channel import House, Kind, Refused, Secret, Status
from outagecast.channels.email import addresses, body, headers

if TYPE_CHECKING:
    from outagecast.channel import Post
    from outagecast.channels.email.channel import Email

UNSUBSCRIBE = {
    "subscribers": True,
    "unsubscribe": "https://lists.example.net/u/{token}, mailto:unsubscribe+{token}@example.net",
    "token_secret": Secret.of("key-for-tests"),
}


def octets(email: Email, post: Post):
    return email._stationery.write(post).content


def message(email: Email, post: Post):
    return message_from_bytes(octets(email, post), policy=policy.default)


def test_the_body_says_the_words_then_the_facts_then_the_time_then_where_help_is():
    email = channel()
    at = NOW + timedelta(hours=1)
    (post,) = email.render(news(status=Status.IDENTIFIED, eta=at, link="https://status.example.net/1", title="other"))
    assert post.text == (
        "fiber cut, ETA 1h (15:05 UTC)\n"
        "\n"
        "Status:   identified\n"
        "ETA:      22 Nov 2026, 16:05 CET (15:05 UTC)\n"
        "As of:    22 Nov 2026, 15:05 CET (14:05 UTC)\n"
        "Link:     https://status.example.net/1\n"
        "Incident: other\n"
        "\n"
        "-- \n"
        "This is an announcement of Example Hosting; replies to it are not read.\n"
        "Announcements only. Help: https://help.example.net\n"
    )


def said(**more: Any):
    """What a reader sees above the line that ends each letter."""
    (post,) = channel().render(news(**more))
    return post.text.partition("\n\n-- \n")[0]


def test_an_update_says_which_one_it_is_and_of_what():
    words = "a splice team is on site, ETA 1h (16:05 UTC, was 15:05 UTC)"
    assert said(words=words, seq=2, kind=Kind.UPDATE, eta=NOW + timedelta(hours=2)) == (
        f"{words}\n"
        "\n"
        "ETA:      22 Nov 2026, 17:05 CET (16:05 UTC)\n"
        "As of:    22 Nov 2026, 15:45 CET (14:45 UTC) · update 2\n"
        "Incident: fiber cut"
    )


def test_a_resolution_says_how_long_it_lasted_and_promises_nothing_more():
    late = {"eta": NOW + timedelta(hours=9), "status": Status.MONITORING}
    assert said(words="all is back", seq=6, kind=Kind.RESOLVED, **late) == (
        "all is back\n\nAs of:    22 Nov 2026, 17:05 CET (16:05 UTC) · resolved after 2 h\nIncident: fiber cut"
    )


def test_a_correction_says_so_first_and_does_not_repeat_what_it_takes_back():
    late = {"eta": NOW + timedelta(hours=1), "status": Status.IDENTIFIED}
    assert said(words="please disregard our message of 14:05 UTC", seq=3, kind=Kind.CORRECTION, **late) == (
        "Correction: please disregard our message of 14:05 UTC\n"
        "\n"
        "As of:    22 Nov 2026, 16:05 CET (15:05 UTC) · correction\n"
        "Incident: fiber cut"
    )
    already = "CORRECTION of 14:05 UTC: it is the north, not the south"
    assert said(words=already, kind=Kind.CORRECTION).startswith(f"{already}\n\n")


def test_a_fact_too_long_for_its_line_goes_on_below_itself():
    lines = said(title="the fibre between here and there " * 5).split("\n")
    assert lines[3:] == [
        "Incident: the fibre between here and there the fibre between here and there",
        "          the fibre between here and there the fibre between here and there",
        "          the fibre between here and there",
    ]


def test_a_resend_is_the_same_to_the_byte():
    first, second = channel(**UNSUBSCRIBE), channel(**UNSUBSCRIBE)
    assert octets(first, one(first, seq=3)) == octets(second, one(second, seq=3))


def test_a_resend_does_not_follow_a_config_that_was_changed_meanwhile():
    first = channel(**UNSUBSCRIBE)
    changed = channel(**{**UNSUBSCRIBE, "sender": "Other <other@example.com>", "list_id": "x.example.com"})
    post = one(first, seq=1)
    assert octets(first, post) == octets(changed, post)


def test_every_header_that_says_announcement_only_is_there():
    shown = message(channel(**UNSUBSCRIBE), one(channel(**UNSUBSCRIBE)))
    assert shown["List-Post"] == "NO"
    assert shown["Auto-Submitted"] == "auto-generated"
    assert shown["Precedence"] == "bulk"
    assert shown["List-Id"] == "Example Hosting outage notices <outages.example.net>"
    assert shown["Reply-To"] is None
    assert shown["Date"] == "Sun, 22 Nov 2026 14:05:00 +0000"
    assert shown["To"] == "ann@example.org"


def test_the_thread_hangs_together_for_those_who_join_late():
    email = channel()
    zero, two = message(email, one(email)), message(email, one(email, seq=2, kind=Kind.UPDATE))
    assert two["References"].split() == [zero["References"], zero["Message-ID"], two["In-Reply-To"]]
    assert zero["References"] == zero["In-Reply-To"]
    assert ".root@example.net" in zero["References"]


def test_a_long_incident_names_the_first_and_the_last_of_its_letters():
    email = channel()
    chain = message(email, one(email, seq=200, kind=Kind.UPDATE))["References"].split()
    assert len(chain) == 20
    assert ".root@" in chain[0]
    assert ".u0." in chain[1]
    assert ".u199." in chain[-1]


def test_no_line_of_a_header_is_longer_than_a_relay_must_take():
    email = channel(**UNSUBSCRIBE)
    head, _, _ = octets(email, one(email, seq=200, title="ü" * 300)).partition(b"\r\n\r\n")
    assert max(map(len, head.split(b"\r\n"))) <= 998


def test_the_key_of_an_incident_does_not_leave_the_house():
    email = channel()
    assert b"secret-alert-id" not in octets(email, one(email, key="secret-alert-id"))


def test_each_reader_and_each_announcement_has_a_message_id_of_its_own():
    email = channel()
    ids = {
        message(email, one(email, to=to, seq=seq))["Message-ID"]
        for to in ("a@example.org", "b@example.org")
        for seq in (0, 1)
    }
    assert len(ids) == 4


@pytest.mark.parametrize("kind", list(Kind))
def test_the_subject_is_what_the_incident_was_opened_as_to_the_last(kind: Kind):
    """Whatever it is called by then: that stands in the letter."""
    email = channel()
    shown = message(email, one(email, seq=4, kind=kind, title="fibre cut by an excavator", opened_as="fiber cut"))
    end = " [RESOLVED]" if kind is Kind.RESOLVED else ""
    assert shown["Subject"] == f"[Example Hosting] fiber cut{end}"
    assert "\nIncident: fibre cut by an excavator\r\n" in shown.get_content()


def test_an_incident_without_its_first_title_goes_by_the_one_it_has():
    """As journals have it that are older than the field."""
    email = channel()
    assert message(email, one(email, title="fiber cut", opened_as=""))["Subject"] == "[Example Hosting] fiber cut"


def test_neither_the_subject_nor_the_body_goes_on_promising_what_was_promised_at_first():
    email = channel()
    title = "fiber cut, ETA 1h"
    shown = message(email, one(email, words="ETA is now 18:00 UTC", title=title, seq=3, kind=Kind.UPDATE))
    assert shown["Subject"] == "[Example Hosting] fiber cut"
    assert "\nIncident: fiber cut\r\n" in shown.get_content()
    assert message(email, one(email, title="ETA 1h"))["Subject"] == "[Example Hosting] ETA 1h"


def test_a_long_title_is_cut_between_words():
    (post,) = channel().render(news(title="the fibre between here and there " * 10))
    assert len(post.data["subject"]) <= 120
    assert post.data["subject"].endswith("…")


def test_subscribers_get_a_way_out_in_one_unbroken_line():
    email = channel(**UNSUBSCRIBE, one_click=True)
    raw = octets(email, one(email)).decode()
    token = addresses.token("key-for-tests", "ann@example.org")
    assert (
        f"\r\nList-Unsubscribe: <https://lists.example.net/u/{token}>, <mailto:unsubscribe+{token}@example.net>\r\n"
        in raw
    )
    assert "\r\nList-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n" in raw
    assert raw.endswith(f"To get no more of these: https://lists.example.net/u/{token}\r\n")


def test_without_one_click_the_letter_does_not_claim_it():
    email = channel(**UNSUBSCRIBE)
    assert b"List-Unsubscribe-Post" not in octets(email, one(email))


def test_a_letter_to_a_list_has_no_way_out_that_would_take_the_whole_list_off():
    email = channel(**UNSUBSCRIBE)
    raw = octets(email, one(email, to="outages@lists.example.net"))
    assert b"List-Unsubscribe" not in raw
    assert b"To get no more" not in raw


def test_the_envelope_sender_names_the_reader_when_the_config_wants_it():
    email = channel(**{**UNSUBSCRIBE, "envelope_sender": "bounces+{token}@example.net"})
    sender = email._stationery.write(one(email)).envelope_sender
    assert sender == f"bounces+{addresses.token('key-for-tests', 'ann@example.org')}@example.net"


def test_ascii_goes_out_as_it_is_and_anything_else_in_quoted_printable():
    house = House("Example", HOUSE.timezone)
    plain = body.encoded(body.compose(news(), house))
    assert plain[0] == "7bit"
    transfer, raw = body.encoded(body.compose(news("Glasfaser zerstört 🔥"), house))
    assert transfer == "quoted-printable"
    assert raw.isascii()
    assert max(map(len, raw.split(b"\r\n"))) <= 76


def test_a_link_is_never_broken():
    link = "https://status.example.net/" + "a" * 200
    (post,) = channel().render(
        news(f"we are looking for the cause of all this and write it down at {link} as it comes")
    )
    assert link in post.text
    assert all(len(line) <= 76 or link in line for line in post.text.split("\n"))


def test_a_list_of_points_stays_a_list():
    words = "what is known:\n\n  * fibre cut\n  * both ends dark"
    (post,) = channel().render(news(words))
    assert post.text.startswith(words + "\n")


@pytest.mark.parametrize("bad", ["\0", "\x1b", "\x85", "\ud800"])
def test_what_no_letter_can_carry_is_refused_and_not_sent_broken(bad: str):
    with pytest.raises(Refused, match=r"U\+"):
        channel().render(news(f"fiber {bad} cut"))


@pytest.mark.parametrize("bad", ["\0", "\x1b", "\ud800"])
def test_what_no_subject_can_carry_is_refused(bad: str):
    with pytest.raises(Refused, match=r"U\+"):
        channel().render(news(title=f"fiber {bad} cut"))


def test_an_encoded_line_break_in_a_title_does_not_become_a_header():
    email = channel()
    raw = octets(email, one(email, title="=?UTF-8?Q?=0ABcc:_x@example.com?="))
    shown = message_from_bytes(raw, policy=policy.default)
    assert shown["Bcc"] is None
    assert b"Bcc" not in raw.partition(b"\r\n\r\n")[0]


def test_addresses_of_every_kind_are_written_so_that_relays_take_them():
    assert addresses.parse("ann@münchen.example").spec == "ann@xn--mnchen-3ya.example"
    assert addresses.parse("a..b@example.org").spec == '"a..b"@example.org'
    assert addresses.parse("Ann <ann@example.org>").name == "Ann"
    assert not addresses.parse("änn@example.org").ascii


@pytest.mark.parametrize(
    "bad",
    [
        "",
        "ann",
        "@example.org",
        "ann@",
        "a b@example.org",
        "a\r\nb@example.org",
        "a@exa mple",
        "a@b\n"[:-1] + "\0",
        "a<b@example.org",
        "a@-x",
    ],
)
def test_what_is_no_address_is_refused_for_this_reader_alone(bad: str):
    email = channel()
    with pytest.raises(Refused) as raised:
        email._stationery.write(one(email, to=bad))
    assert raised.value.recipient
    assert not raised.value.suppress


@given(st.text(max_size=200))
def test_any_subject_is_read_as_it_was_written_or_refused(value: Any):
    try:
        line = headers.text("Subject", value)
    except ValueError:
        assert headers._BAD.search(value)
        return
    assert line.isascii()
    assert all(re.fullmatch(r"[ -~]*", piece) for piece in line.split("\r\n"))
    assert all(piece.startswith(" ") for piece in line.split("\r\n")[1:])
    assert str(make_header(decode_header(line.removeprefix("Subject: ")))).strip() == value.strip()


@given(st.text(max_size=100))
def test_any_display_name_is_one_phrase_before_one_address(name: str):
    try:
        line = headers.mailbox("From", addresses.Address("status", "example.net", name))
    except ValueError:
        assert headers._BAD.search(name)
        return
    raw = (line + "\r\n\r\n").encode()
    (address,) = message_from_bytes(raw, policy=policy.default)["From"].addresses
    assert address.addr_spec == "status@example.net"


@given(st.text(alphabet=st.sampled_from(".\n\rab é=\t "), max_size=80))
def test_any_body_comes_back_as_it_went(text: str):
    transfer, raw = body.encoded(text)
    sent = body.stuffed(raw)
    assert b"\r\n.\r\n" not in b"\r\n" + sent
    assert re.sub(rb"\r\n", b"", sent).count(b"\r") == re.sub(rb"\r\n", b"", sent).count(b"\n") == 0
    received = re.sub(rb"(?m)^\.", b"", sent)
    head = f"Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: {transfer}\r\n\r\n".encode()
    read = message_from_bytes(head + received, policy=policy.default).get_content()
    want = re.sub(r"\r\n?", "\n", text).removesuffix("\n") + "\n"
    assert re.sub(r"\r\n", "\n", read) == want


def test_the_text_of_the_post_does_not_change_with_the_reader():
    email = channel(**UNSUBSCRIBE)
    post = one(email)
    assert replace(post, to="", id=0) == email.render(news())[0]
