"""The outcome table of the Graph API: what each answer that is no plain success tells us about the world, as data.

The codes are Meta's (graph-api/guides/error-handling, rate-limiting, read November 2026); what really happened behind
each of them is from recorded answers. Throttles come as HTTP 400 and nearly every `type` is OAuthException, so a row
is found by code, subcode and, where these two do not tell, a piece of the message; only then by the HTTP status.
"""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from collections.abc import Container

    from outagecast.channels.facebook_answers import Answer


class Verdict(StrEnum):
    """What an answer means for the call it answers."""

    LATER = "later"
    """Nothing was done; later may work."""
    CONTENT = "content"
    """Nothing was done, and the same content will be refused again."""
    MENDABLE = "mendable"
    """Nothing was done, and a person can mend the cause."""
    GONE = "gone"
    """Nothing was done: the object is not there, or hidden from this token."""
    DOUBT = "doubt"
    """It may have been done."""
    DUPLICATE = "duplicate"
    """Not done now: the platform says that an equal post exists already."""


class Row(msgspec.Struct, frozen=True):
    """One line of the outcome table; `None` and "" match everything."""

    says: str
    verdict: Verdict
    hint: str
    codes: Container[int]
    subcodes: Container[int] | None = None
    words: str = ""
    """In lower case, a piece of the platform's message."""
    after: timedelta | None = None
    limited: bool = False

    def fits(self, answer: Answer) -> bool:
        """Say whether this row is about such an answer."""
        return (
            answer.code in self.codes
            and (self.subcodes is None or answer.subcode in self.subcodes)
            and self.words in answer.message.lower()
        )


_EVERYTHING = range(1, 1 << 31)
LOOK = "type `outagecast resume`: it looks on the Page before it sends anything"
_NEW_TOKEN = "get a new Page token: outagecast auth facebook; put it where the config reads it, then: outagecast resume"  # noqa: S105  says where a token goes
PERMISSION = (
    "type `outagecast check`; the token needs pages_manage_posts, pages_read_engagement and pages_show_list, and "
    "whoever made it the right to create content on the Page; then `outagecast resume`"
)
_WORDING = "change the message and announce it again"
_PICTURE = "announce it again with a JPG or PNG of less than 4 MB"
_WAIT = "nothing to mend: `outagecast resume --watch` waits and goes on"
_BUSINESS = "open the Page in a browser, do what Facebook asks for there, then type `outagecast resume`"
_RESTRICTED = "a new token does not help: log in to Facebook in a browser as the token's owner and do what it asks for"
_APP = "look at the app under developers.facebook.com/apps, then type `outagecast check`"
DRAFTS = (
    "if the Page takes no drafts, set `publish: direct` in the config and type `outagecast resume`; otherwise " + _APP
)
IN_A_BROWSER = "look at the comments of the post in a browser, then: outagecast sweep"
_BETWEEN = "a proxy may stand between this machine and graph.facebook.com: type `outagecast check`"

# The first row that fits decides, so the narrow ones stand before the wide ones.
ROWS: tuple[Row, ...] = (
    # Seven of seven recorded "unknown error" answers had published (koala issue 699, 2025-08). Meta says to retry: no.
    Row("Facebook reported an error of its own and may have done it all the same", Verdict.DOUBT, LOOK, (1, 2)),
    Row("Facebook says that an equal post exists already", Verdict.DUPLICATE, LOOK, (506,)),
    Row("Facebook says that this was posted already", Verdict.DUPLICATE, LOOK, (368,), (1404082,)),
    # Each new try is reported to prolong this block: wait long, and let every try count.
    Row(
        "Facebook has blocked posting for a while because of too many posts",
        Verdict.LATER,
        "wait: every new try prolongs the block; `outagecast resume --watch` tries once an hour",
        (368,),
        (1390008,),
        after=timedelta(hours=1),
    ),
    Row(
        "Facebook wants an identity confirmed before the Page may post", Verdict.MENDABLE, _BUSINESS, (368,), (4854002,)
    ),
    Row("Facebook has blocked this action", Verdict.MENDABLE, _BUSINESS, (368,)),
    Row("the Page has used up its calls", Verdict.LATER, _WAIT, (4, 17, 32, 341, 613), limited=True),
    Row("the Page has used up its calls", Verdict.LATER, _WAIT, range(80000, 80100), limited=True),
    Row("the app was removed from the token owner's account", Verdict.MENDABLE, _NEW_TOKEN, (190,), (458,)),
    Row("the token owner's account is locked until its owner logs in", Verdict.MENDABLE, _RESTRICTED, (190,), (459,)),
    Row("the token died when its owner's password changed", Verdict.MENDABLE, _NEW_TOKEN, (190,), (460,)),
    Row("the token has expired", Verdict.MENDABLE, _NEW_TOKEN, (190,), (463,)),
    Row("the token owner's account is not confirmed", Verdict.MENDABLE, _RESTRICTED, (190,), (464,)),
    Row("the token is no longer valid", Verdict.MENDABLE, _NEW_TOKEN, (190,), (467,)),
    Row(
        "the token's owner has no role on the Page any more",
        Verdict.MENDABLE,
        "a new token does not help: give its owner access to the Page again, then type `outagecast resume`",
        (190,),
        (492,),
    ),
    Row("Facebook does not accept the token", Verdict.MENDABLE, _NEW_TOKEN, (102, 104, 190)),
    Row(
        "the token is not the Page's own",
        Verdict.MENDABLE,
        "page_access_token must be the Page's own, not a person's or system user's: outagecast auth facebook; put it "
        "where the config reads it, then: outagecast resume",
        (200,),
        words="as the page itself",
    ),
    Row(
        "Facebook does not let the Page hide this comment",
        Verdict.MENDABLE,
        IN_A_BROWSER,
        (200,),
        words="can not hide or unhide",
    ),
    Row("the token may not do this", Verdict.MENDABLE, PERMISSION, (10,)),
    Row("the token may not do this", Verdict.MENDABLE, PERMISSION, range(200, 300)),
    Row(
        "Facebook wants a proof made with the app's secret, and did not get the right one",
        Verdict.MENDABLE,
        "set app_secret in the config to the secret of the app that made the token, then type `outagecast resume`",
        (100,),
        words="appsecret_proof",
    ),
    Row(
        "Facebook does not show this object: it is gone, or the token may not see it",
        Verdict.GONE,
        "look at the Page in a browser, and type `outagecast check`",
        (100,),
        (33,),
    ),
    Row("Facebook moved this object to another id", Verdict.MENDABLE, "type `outagecast check`", (100,), (21,)),
    Row("the post is empty", Verdict.CONTENT, _WORDING, (197,)),
    Row("Facebook does not take this link", Verdict.CONTENT, _WORDING, (1500, 1609005, 1609008)),
    Row("Facebook does not take this link", Verdict.CONTENT, _WORDING, (100,), (1500, 1609005, 1609008)),
    Row("Facebook does not take this picture", Verdict.CONTENT, _PICTURE, (324,)),
    Row("Facebook does not take this picture", Verdict.CONTENT, _PICTURE, (100,), (1366046,)),
    Row("Facebook does not take this as it is", Verdict.CONTENT, _WORDING, (100,)),
    Row(
        "the app may not make this call",
        Verdict.MENDABLE,
        DRAFTS,
        (3,),
    ),
    Row("Facebook wants something the app cannot give", Verdict.MENDABLE, _APP, (194,)),
    Row(
        "this version of the Graph API has ended",
        Verdict.MENDABLE,
        "set api_version in the config to a living one (`outagecast check` names it), then type `outagecast resume`",
        (2635,),
    ),
)

# For answers whose body says nothing: found by HTTP status.
STATUS_ROWS: tuple[Row, ...] = (
    Row("Facebook's answer does not say whether it was done", Verdict.DOUBT, LOOK, range(200, 300)),
    Row("the answer was a redirect, which Facebook never gives here", Verdict.DOUBT, _BETWEEN, range(300, 400)),
    Row("the proxy wants a login", Verdict.MENDABLE, "put the proxy's login into HTTPS_PROXY", (407,)),
    Row("Facebook took too long to read the request", Verdict.DOUBT, LOOK, (408,)),
    Row("Facebook wants fewer calls", Verdict.LATER, _WAIT, (429,), limited=True),
    Row("the request was refused, and not in the words of the Graph API", Verdict.MENDABLE, _BETWEEN, range(400, 500)),
    Row("Facebook failed while it worked on the request", Verdict.DOUBT, LOOK, range(500, 600)),
)
_STRANGE = Row("the answer is none that Facebook is known to give", Verdict.DOUBT, LOOK, _EVERYTHING)
_UNKNOWN = Row("Facebook refused with a code that is not known here", Verdict.MENDABLE, _APP, _EVERYTHING)


def row_for(answer: Answer) -> Row:
    """Find the one row that is about this answer."""
    for row in ROWS:
        if row.fits(answer):
            return row
    if answer.transient:
        return _STRANGE
    if answer.code and 400 <= answer.status < 500:
        return _UNKNOWN
    return next((row for row in STATUS_ROWS if answer.status in row.codes), _STRANGE)
