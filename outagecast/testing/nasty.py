"""Words that broke some announcement tool once."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

NASTY: Mapping[str, str] = {
    "german": "Störung in Köln: Glasfaser durchtrennt, größere Ausfälle",
    "japanese": "光ファイバーが切断されました。復旧は15時の予定です。",
    "arabic": "انقطاع في الخدمة، نعمل على إصلاحه",
    "hindi": "फाइबर कट गया है, हम काम कर रहे हैं",
    "korean, decomposed": "\u1112\u1161\u11ab\u1100\u1173\u11af",
    "emoji in families": "down 👨‍👩‍👧‍👦 🏳️‍🌈 🇩🇪 👍🏽",
    "combining marks": "cafe\u0301 Z\u0351\u036b\u0343\u036a alarm",
    "no-break and wide spaces": "fiber\u00a0cut\u3000now",
    "several lines": "first line\n\nthird line\n.\n..\n-- \nFrom here on",
    "a header's look": "Subject: hello\nBcc: victim@example.org",
    "an encoded word": "=?utf-8?q?evil=0ABcc:_victim@example.org?=",
    "markup": "<b>down</b> &amp; <script>alert(1)</script> *bold* _x_ [link](https://example.com)",
    "templates and formats": "100 % of %s {0} {support} ${HOME} $(id) `id`",
    "quotes and backslashes": "it's \"down\" \\n \\x1b[31m C:\\new 'so'",
    "links": "see https://status.example.net/a?b=c&d=%20#e and https://例え.example.com/道",
    "a hash and a dollar": "#outage costs $5",
    "one word without end": "a" * 700,
    "many short words": "we are on it " * 400,
    "wide letters without blanks": "障害" * 400,
}
"""Messages as `announce` lets them through, in many scripts, each of which broke some announcement tool once."""
