"""From a planned post to the octets of one letter, the same every time.

What all letters of an announcement share was written once, when it was planned (`wording.py`), and is kept in
`Post.data`; what one letter has of its own is its address, its ids and its tokens. A resend is therefore the same to
the byte.
"""

from __future__ import annotations

import re
import threading
from typing import TYPE_CHECKING

import msgspec

from outagecast.channel import Post, Refused
from outagecast.channels.email import addresses, body, headers, picture

if TYPE_CHECKING:
    from collections.abc import Sequence

    from outagecast.channel import Image
    from outagecast.channels.email.dkim import Seal, Signer
    from outagecast.channels.email.settings import EmailSettings

_MOST_REFERENCES = 20
"""RFC 5322 sets none; mail programs need the first for the thread and the last for their place in it."""
_MOST_SHEETS = 8
"""Kept ready to be written on; one with a picture may have some 15 MB."""
_CRLF = b"\r\n"


class Letter(msgspec.Struct, frozen=True):
    """One letter, ready to hand in: its dots are stuffed, and it ends with a line end."""

    post: Post
    recipient: str
    envelope_sender: str
    message_id: str
    token: str
    """Names this letter in a bounce."""
    own: bytes
    """From its header to its farewell."""
    smtputf8: bool
    shared: bytes = b""
    """The picture behind that: one object for all letters of an announcement, as it may have megabytes."""
    note: str = ""
    """What a person should know of it once it is out."""
    begun: bool = False
    """It went out before, with its picture, and was refused for its size: it must not be marked a second time."""

    @property
    def octets(self) -> int:
        """How large it is."""
        return len(self.own) + len(self.shared)

    @property
    def content(self) -> bytes:
        """All of it."""
        return self.own + self.shared

    def writes(self, end: bytes) -> Sequence[bytes]:
        """All of it and `end`, in as few pieces as there are without a copy of the picture."""
        return (self.own, self.shared, end) if self.shared else (self.own + end,)


class Stationery:
    """Writes letters from planned posts. Safe to use from several threads."""

    def __init__(self, settings: EmailSettings) -> None:
        self._settings = settings
        self._lists = frozenset(settings.to)
        self._sheets: dict[tuple[str, ...], _Sheet] = {}
        self._signer: Signer | None = None
        self._lock = threading.Lock()

    def signer(self) -> Signer | None:
        """What signs, its key read once; None without `dkim:`. Raises Refused when no letter could be signed.

        What signs now, whatever did when the letter was planned: an old name with a new key would be a false one.
        """
        if self._settings.dkim is None:
            return None
        with self._lock:
            if self._signer is None:
                from outagecast.channels.email import dkim

                self._signer = dkim.load(self._settings.dkim)
            return self._signer

    def write(self, post: Post) -> Letter:
        """Make the letter to `post.to`; raises Refused about this address, or about the token's secret."""
        try:
            address = addresses.parse(post.to)
        except ValueError as err:
            hint = f"correct it: outagecast subscribers remove {post.to}"
            raise Refused(str(err), recipient=True, hint=hint) from err
        token = self._token(post, address.spec)
        sheet = self._sheet(post)
        return sheet.letter(post, address, token, subscribed=post.to not in self._lists)

    def _sheet(self, post: Post) -> _Sheet:
        # Texts only, and none of them long: a picture is known by its border, not by its megabytes.
        key = (post.data["thread"], post.data["headers"], post.text, post.data["border"] if post.image else "")
        sheet = self._sheets.get(key)
        if sheet is None:
            if len(self._sheets) >= _MOST_SHEETS:
                self._sheets.clear()
            sheet = self._sheets[key] = _Sheet(post, self.signer())
        return sheet

    def _token(self, post: Post, spec: str) -> str:
        secret = self._settings.token_secret
        if "{token}" not in post.data["envelope_sender"] + post.data["unsubscribe"]:
            return ""
        if secret is None:
            raise Refused(
                "this letter was planned with a {token}, but token_secret is gone from the config",
                mendable=True,
                hint="put token_secret back, then: outagecast resume",
            )
        return addresses.token(secret.reveal(), spec)


class _Sheet:
    """What all letters of one announcement share, as octets."""

    def __init__(self, post: Post, signer: Signer | None) -> None:
        self._data = post.data
        transfer, octets = body.encoded(post.text)
        text = f"Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: {transfer}"
        content_type, opening, closing = _with_picture(post, post.image, text) if post.image else (text, b"", b"")
        head = f"{post.data['headers']}\r\n{content_type}"
        self._words = body.stuffed(f"{head}\r\n\r\n".encode() + opening + octets)
        self._picture = body.stuffed(closing)
        self._seal = _seal(signer, post.data["date"], head, opening + octets, closing) if signer else None
        self._quoted = transfer == "quoted-printable"

    def letter(self, post: Post, address: addresses.Address, token: str, *, subscribed: bool) -> Letter:
        own = [headers.mailbox("To", address), *self._identity(address.spec)]
        farewell = b""
        uris = self._data["unsubscribe"].replace("{token}", token)
        if subscribed and uris:
            own += self._ways_out(uris)
            farewell = self._farewell(uris)
        if self._seal:
            own.insert(0, self._seal.field(own, farewell))
        return Letter(
            post=post,
            recipient=address.spec,
            envelope_sender=self._data["envelope_sender"].replace("{token}", token),
            message_id=self._message_id(int(self._data["seq"]), address.spec),
            token=_letter_token(self._data["thread"], int(self._data["seq"]), address.spec),
            own=b"".join(("\r\n".join(own).encode(), _CRLF, self._words, body.stuffed(farewell))),
            smtputf8=not address.ascii,
            shared=self._picture,
        )

    def _identity(self, spec: str) -> Sequence[str]:
        """Message-ID, and the chain back to a root that is never sent: who joins late still sees one thread."""
        seq = int(self._data["seq"])
        earlier = [number for number in range(seq) if number == 0 or number > seq - _MOST_REFERENCES + 1]
        root = f"<{self._data['thread']}.root@{self._data['domain']}>"
        chain = [root, *(self._message_id(number, spec) for number in earlier)]
        return (
            f"Message-ID: {self._message_id(seq, spec)}",
            f"In-Reply-To: {chain[-1]}",
            headers.identifiers("References", chain),
        )

    def _message_id(self, seq: int, spec: str) -> str:
        thread = self._data["thread"]
        return f"<{thread}.u{seq}.{_letter_token(thread, seq, spec)}@{self._data['domain']}>"

    def _ways_out(self, uris: str) -> Sequence[str]:
        # On one line, never folded nor encoded: a broken link here is a reader who presses "spam" instead.
        listed = ", ".join(f"<{uri}>" for uri in uris.split(", "))
        click = ["List-Unsubscribe-Post: List-Unsubscribe=One-Click"] if self._data["one_click"] else []
        return [headers.structured("List-Unsubscribe", listed), *click]

    def _farewell(self, uris: str) -> bytes:
        """The last line of a subscriber's letter: their own way out."""
        line = f"To get no more of these: {uris.partition(', ')[0]}"
        return body.quoted(line) if self._quoted else line.encode("ascii") + _CRLF


def _with_picture(post: Post, image: Image, text: str) -> tuple[str, bytes, bytes]:
    """The letter's Content-Type, and what stands before and behind its text with a farewell, if that has one."""
    border = post.data["border"]
    opening = f"--{border}\r\n{text}\r\n\r\n"
    # The line end before a border belongs to it: the text keeps its own.
    behind = f"\r\n--{border}\r\n{post.data['picture']}\r\n\r\n"
    closing = b"".join((behind.encode(), picture.encoded(image), f"--{border}--\r\n".encode()))
    return f'Content-Type: multipart/mixed; boundary="{border}"', opening.encode(), closing


def _seal(signer: Signer, date: str, head: str, shared: bytes, closing: bytes) -> Seal:
    """What signs the letters of this wording, as of the Date they all carry."""
    from email.utils import parsedate_to_datetime

    from outagecast.channels.email import dkim

    written = int(parsedate_to_datetime(date).timestamp())
    return dkim.Seal(signer, re.split(r"\r\n(?![ \t])", head), shared, written, closing)


def _letter_token(thread: str, seq: int, spec: str) -> str:
    return addresses.digest(f"{thread}.{seq}.{spec}", 16)
