"""What X makes a link of, in linear time.

The rules are those of twitter-text 3 (its conformance files read in November 2026), but written as a scanner: its
regular expression backtracks over `a.a.a.a`, and a post of 5,000 such letters would take it the better part of a
minute.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from outagecast.tld import LONGEST, TLDS
from outagecast.xtext import LATIN, Span

if TYPE_CHECKING:
    from collections.abc import Iterator

_LABEL_MOST = 63
_SLUG_MOST = 40
_URL_MOST = 4096


_SPACE = "\\t-\\r \\x85\\xa0\\u1680\\u180e\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000"
_MARKS = "\\u061c\\u200e\\u200f\\u202a-\\u202e\\u2066-\\u2069\\ufffe\\ufeff\\uffff"
_LETTERS = f"A-Za-z0-9\\u0400-\\u04ff{LATIN}"
_PATHS = rf"[{_LETTERS}!*';:=+,.$/%#\[\]\-\u2013_~@|&]"
_QUERIES = r"\?[A-Za-z0-9!?*'@();:&=+$/%#\[\]\-_.,~|]*[A-Za-z0-9\-_&=#/]"

_RUN = re.compile(rf"[^!#%&'()*+,/:;<=>?@\[\]\\^{{|}}~${_SPACE}{_MARKS}]+")
"""Whatever may stand in a host after http://, dots included."""
_PLAIN = re.compile(rf"[-.A-Za-z0-9{LATIN}]+")
"""What may stand in a host without."""
_GLUED = re.compile(r"[A-Za-z0-9@$#\uff20\uff03]")
"""Right after one of these no link begins."""
_FREE = re.compile(r"[^A-Za-z0-9@$#\uff20\uff03]")
_KEPT = re.compile(r"[A-Za-z0-9@+-]")
"""Right before one of these no top-level domain ends."""
_WORD = re.compile(r"[A-Za-z0-9]++(?![^\x00-\x7f])")
_PUNYCODE = re.compile(r"[Xx][Nn]--[-0-9A-Za-z]+")
_PORT = re.compile(r":[0-9]+")
_PATH = re.compile(rf"{_PATHS}+")
_PATH_TO_END = re.compile(rf"{_PATHS}*[{_LETTERS}+\-=_#/]")
"""A path up to the last character that may end one: the full stop after it is the sentence's."""
_BALANCED = re.compile(rf"\((?:{_PATHS}+|{_PATHS}*\({_PATHS}+\){_PATHS}*)\)")
_QUERY = re.compile(_QUERIES)
_SHORT = re.compile(rf"https?://t\.co/([a-z0-9]+)(?:{_QUERIES})?", re.IGNORECASE)


def scan(text: str) -> Iterator[Span]:
    """The links of a text; for the world it is `x_links`, which loads this when a text has a dot."""
    position = seen = 0
    while run := _RUN.search(text, position):
        position = run.end()
        if "." in run[0]:
            links, past = _in_run(text, *run.span(), seen)
            yield from links
            if past:
                position = seen = past


def _in_run(text: str, start: int, end: int, seen: int) -> tuple[list[Span], int]:
    """The first links of a run, and where to look on; 0 if there is nothing more in it."""
    scheme = _scheme_before(text, start, seen)
    # No host right after http:// means none in the run: the rest stands after a slash, dot, dash or underscore.
    begin = start if scheme is not None else _bare_start(text, start, end, seen)
    host_end = _host_end(text, begin, end) if begin is not None else 0
    if begin is None or not host_end:
        return [], 0
    return _bare(text, begin, host_end) if scheme is None else _with_scheme(text, scheme, begin, host_end)


def _scheme_before(text: str, start: int, seen: int) -> int | None:
    """Where the `http://` or `https://` begins that ends at `start`, if a link may begin there."""
    for scheme in ("http://", "https://"):
        begin = start - len(scheme)
        if begin >= seen and text[begin:start].lower() == scheme:
            return None if begin and _GLUED.match(text, begin - 1) else begin
    return None


def _bare_start(text: str, start: int, end: int, seen: int) -> int | None:
    """Where a host without http:// may begin in a run; none after a dash, say, which X passes over."""
    if start and (start == seen or _GLUED.match(text, start - 1)):
        # A link needs something harmless before it that is no part of another link: the first such in the run.
        free = _FREE.search(text, start, end)
        if not free:
            return None
        start = free.end()
    return None if start and text[start - 1] in "-_./" else start


def _host_end(text: str, start: int, end: int) -> int:
    """The end of the longest host that begins at `start`; 0 if there is none."""
    dots = _dots(text, start, end)
    for index in range(len(dots) - 1, -1, -1):
        label = dots[index - 1] + 1 if index else start
        # An underscore may stand in a subdomain only.
        if (tld := _tld_end(text, dots[index] + 1, end)) and "_" not in text[label : dots[index]]:
            return tld
    return 0


def _dots(text: str, start: int, end: int) -> list[int]:
    """The dots after the labels from `start` on, as far as each label may stand in a host."""
    dots: list[int] = []
    while (dot := text.find(".", start, end)) > start and text[start] not in "-_" and text[dot - 1] not in "-_":
        dots.append(dot)
        start = dot + 1
    return dots


def _tld_end(text: str, start: int, end: int) -> int:
    """The end of the top-level domain that stands at `start`; 0 if none does."""
    if puny := _PUNYCODE.match(text, start, end):
        return puny.end()
    word = _WORD.match(text, start)
    # A word of plain letters is one or is none; only one that goes on in another script has to be tried by length.
    stops = [word.end()] if word else range(min(start + LONGEST, end), start + 1, -1)
    for stop in stops:
        if text[start:stop].lower() in TLDS and not _KEPT.match(text, stop):
            return stop
    return 0


def _bare(text: str, start: int, host_end: int) -> tuple[list[Span], int]:
    """The links of a host without http://: each Latin piece that is a host, `a.com日b.net/x` being two."""
    hosts = list(_latin_hosts(text, start, host_end))
    port_end = _port_end(text, host_end)
    path_end = _path_end(text, port_end)
    past = _query_end(text, path_end)
    if hosts and path_end > port_end:
        hosts[-1] = (hosts[-1][0], past)
    fit = [(begin, end) for begin, end in hosts if _labels_fit(text[begin : min(end, host_end)])]
    return [Span(begin, end, text[begin:end], scheme=False) for begin, end in fit], past


def _latin_hosts(text: str, start: int, host_end: int) -> Iterator[tuple[int, int]]:
    for piece in _PLAIN.finditer(text, start, host_end):
        begin = piece.start() + piece[0].startswith(".")
        dot = piece.end()
        while (dot := text.rfind(".", begin + 1, dot)) > begin:
            if stop := _tld_end(text, dot + 1, host_end):
                yield begin, stop
                break


def _with_scheme(text: str, scheme: int, host: int, host_end: int) -> tuple[list[Span], int]:
    end = past = _query_end(text, _path_end(text, _port_end(text, host_end)))
    if short := _SHORT.match(text, scheme, past):
        end = short.end()
        if len(short[1]) > _SLUG_MOST:
            return [], past
    if end - scheme > _URL_MOST or not _labels_fit(text[host:host_end]):
        return [], past
    return [Span(scheme, end, text[scheme:end], scheme=True)], end


def _labels_fit(host: str) -> bool:
    """Whether each label keeps to DNS's 63 characters as it is sent there, in punycode."""
    return all(map(_label_fits, host.split(".")))


def _label_fits(label: str) -> bool:
    if label.isascii():
        return len(label) <= _LABEL_MOST
    # Punycode takes time with the square of a label's length; a character takes at least one of its own.
    if len(label) > _LABEL_MOST or label.lower().startswith("xn--"):
        return False
    return len("xn--") + len(label.lower().encode("punycode")) <= _LABEL_MOST


def _port_end(text: str, start: int) -> int:
    port = _PORT.match(text, start)
    return port.end() if port else start


def _query_end(text: str, start: int) -> int:
    query = _QUERY.match(text, start)
    return query.end() if query else start


def _path_end(text: str, start: int) -> int:
    """The end of the path that begins at `start`, with parentheses in it only in pairs; `start` if none does."""
    if not text.startswith("/", start):
        return start
    end = position = start + 1
    while position < len(text):
        if piece := _PATH.match(text, position):
            inner = _PATH_TO_END.match(text, position)
            end = inner.end() if inner else end
            position = piece.end()
        elif pair := _BALANCED.match(text, position):
            end = position = pair.end()
        else:
            break
    return end
