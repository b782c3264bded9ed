"""How X counts a text (twitter-text v3, as its published configuration has it in 2026), and what it takes for a link.

Written apart from `outagecast.text`, so that the adapter's count and the platform's check each other.
"""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

MOST = 280
LINK_WEIGHT = 23

# Code points that weigh 1; all others weigh 2.
_LIGHT = (range(0x10FF + 1), range(0x2000, 0x200D + 1), range(0x2010, 0x201F + 1), range(0x2032, 0x2037 + 1))

_GENERIC = (
    "com net org info biz edu gov mil int name pro mobi tel asia cat jobs coop aero museum travel post arpa xxx "
    "app dev io zip mov cloud online site website tech store shop blog page link live news media email network "
    "systems services solutions support help status host hosting software digital agency company group team works "
    "world global today space center zone city berlin hamburg koeln wien london paris amsterdam swiss bayern "
    "computer domains energy engineering expert fund games guide guru hub industries institute land life ltd "
    "gmbh inc llc one plus run social studio top town university video wiki win xyz club design health"
)
_COUNTRIES = (
    "ac ad ae af ag ai al am ao aq ar as at au aw ax az ba bb bd be bf bg bh bi bj bm bn bo br bs bt bv bw by bz ca cc "
    "cd cf cg ch ci ck cl cm cn co cr cu cv cw cx cy cz de dj dk dm do dz ec ee eg er es et eu fi fj fk fm fo fr ga gb "
    "gd ge gf gg gh gi gl gm gn gp gq gr gs gt gu gw gy hk hm hn hr ht hu id ie il im in io iq ir is it je jm jo jp ke "
    "kg kh ki km kn kp kr kw ky kz la lb lc li lk lr ls lt lu lv ly ma mc md me mg mh mk ml mm mn mo mp mq mr ms mt mu "
    "mv mw mx my mz na nc ne nf ng ni nl no np nr nu nz om pa pe pf pg ph pk pl pm pn pr ps pt pw py qa re ro rs ru rw "
    "sa sb sc sd se sg sh si sj sk sl sm sn so sr ss st su sv sx sy sz tc td tf tg th tj tk tl tm tn to tr tt tv tw tz "
    "ua ug uk us uy uz va vc ve vg vi vn vu wf ws ye yt za zm zw"
)
_TLD = "|".join(sorted({*_GENERIC.split(), *_COUNTRIES.split()}, key=len, reverse=True))
_LETTER = r"0-9A-Za-z\u00c0-\u024f"
# Only the labels of subdomains may have an underscore, only paths Cyrillic letters.
_LABEL = rf"[{_LETTER}](?:[{_LETTER}_-]*[{_LETTER}])?"
_NAME = rf"[{_LETTER}](?:[{_LETTER}-]*[{_LETTER}])?"
_PATH = rf"{_LETTER}\u0400-\u04ff_"
_LINK = re.compile(
    r"(?<![0-9A-Za-z@\uff20$#\uff03])(?P<scheme>https?://|(?<![._/-]))"
    rf"(?P<host>(?:{_LABEL}\.)*{_NAME}\.(?:{_TLD}))(?![0-9A-Za-z@\uff20-])(?!\.(?:{_LABEL}\.)*(?:{_TLD})\b)"
    rf"(?P<rest>(?::\d+)?(?:/(?:[{_PATH}!*';:=+,.$%#\[\]~&|@()-]|/)*)?(?:\?[0-9A-Za-z_!?*'();:&=+$/%#\[\]~.,|@-]*)?)",
    re.IGNORECASE,
)
_TAIL = re.compile(r"[!?*'();:,.$%\[\]~|@]+$")

# Enough of Unicode's emoji sequences for what an operator types; each of them weighs 2.
_PICTURE = r"[\u203c-\u3299\U0001f000-\U0001faff\u00a9\u00ae]"
_ONE = rf"(?:{_PICTURE}\ufe0f?[\U0001f3fb-\U0001f3ff]?)"
_EMOJI = re.compile(
    r"[0-9#*]\ufe0f?\u20e3"
    r"|[\U0001f1e6-\U0001f1ff]{2}"
    r"|\U0001f3f4[\U000e0061-\U000e007a]+\U000e007f"
    rf"|{_ONE}(?:\u200d{_ONE})+"
    rf"|[\U0001f000-\U0001faff\u2600-\u27bf][\U0001f3fb-\U0001f3ff]\ufe0f?"
    rf"|{_PICTURE}\ufe0f"
)

_MENTION = re.compile(
    r"(?:^|[^0-9A-Za-z_!#$%&*@\uff20]|(?:^|(?<=[^0-9A-Za-z_+~.-]))RT:?)[@\uff20]([A-Za-z0-9_]{1,20}+)(?![@\uff20\u00c0-\u024f]|://)"
)
_CASHTAG = re.compile(r"(?:^|(?<=\s))\$[A-Za-z]{1,6}(?:[._][A-Za-z]{1,2})?(?=$|\s|[^\w])")


def process(text: str) -> str:
    """The text as X keeps it: composed, without blanks at its ends."""
    return unicodedata.normalize("NFC", text).strip()


def links(text: str) -> Sequence[tuple[int, int]]:
    """Where in `text` X sees links, bare host names among them."""
    return [(found.start(), found.start() + len(_untail(found))) for found in _LINK.finditer(text)]


def _untail(found: re.Match[str]) -> str:
    if not found["scheme"] and "/" not in found["rest"].partition("?")[0]:
        return found["host"]  # without a path, only the host of a bare link counts as one
    kept = _TAIL.sub("", found["rest"])
    if found["rest"][len(kept) :].startswith(")") and kept.count("(") > kept.count(")"):
        kept += ")"
    return found["scheme"] + found["host"] + kept


def weigh(text: str) -> int:
    """The weighted length of `text`; a post may have 280."""
    composed = unicodedata.normalize("NFC", text)
    total, at = 0, 0
    for start, end in links(composed):
        total += _plain(composed[at:start]) + LINK_WEIGHT
        at = end
    return total + _plain(composed[at:])


def _plain(text: str) -> int:
    bare, emoji = _EMOJI.subn("", text)
    return 2 * emoji + sum(1 if any(ord(char) in light for light in _LIGHT) else 2 for char in bare)


def mentions(text: str) -> frozenset[str]:
    """The accounts that `text` mentions, in lower case."""
    return frozenset(name.lower() for name in _MENTION.findall(text))


def cashtags(text: str) -> int:
    """How many cashtags `text` has; self-serve accounts may use one a post."""
    return len(_CASHTAG.findall(text))
