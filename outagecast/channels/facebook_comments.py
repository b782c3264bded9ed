"""The sweep of one post: what takes the place of the switch for comments that a Page does not have.

No field or parameter of the Graph API closes comments on a Page's post (v26.0, all node specs read 2026). A parameter
`comments_enabled` that is told of elsewhere is ignored with a 200: it would look like success with comments open.

The proof of MODERATED is a whole list in which nothing of a stranger's is visible: after anything was done, the
comments are listed again. What a list shows has to be earned, too, because Facebook gives a token that may not read
what visitors write an empty list, or the Page's own comments, instead of an error. One of these must hold:

* a stranger's comment was listed with its author, which that token would not have got;
* the token is known to have the rights, asked as the app where the config knows it, else as the token itself (Meta
  asks for a developer of the app, which whoever made the token for their own Page is), and no count beside an empty
  list contradicts it;
* nobody may ask, and nothing contradicts the list. That much is allowed, or a config without `app_id` could fail
  every night with nothing wrong. It does not last: with the first comment there is either a stranger seen, a comment
  without its author or a count of more than is listed, and the next look says so.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from outagecast.channel import Refused, Replies, TryLater
from outagecast.channels.facebook_answers import Gone
from outagecast.channels.facebook_comment_list import listing
from outagecast.channels.facebook_judging import judged, nameless
from outagecast.channels.facebook_removal import Removal
from outagecast.channels.facebook_settings import Comments
from outagecast.channels.facebook_standing import LATER, RIGHTS, some, spent, standing, worded
from outagecast.channels.facebook_table import IN_A_BROWSER
from outagecast.channels.facebook_token import TO_SWEEP, facts, missing

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from outagecast.channel import Act, ChannelError, Receipt
    from outagecast.channels.facebook_comment_list import Listing
    from outagecast.channels.facebook_graph import Graph
    from outagecast.channels.facebook_judging import Judgement
    from outagecast.channels.facebook_settings import FacebookSettings

_MOST_PASSES = 4
"""How often comments are listed: while some are removed, others may be written."""


def moderate(
    graph: Graph,
    app: Callable[[], Graph] | None,
    receipt: Receipt,
    settings: FacebookSettings,
    done: Callable[[Act, str], None],
    give_way: Callable[[], bool],
) -> Replies:
    """Hide or delete every stranger's comment of a post; MODERATED when none is left and all could be seen.

    Idempotent; raises TryLater when another pass may see more, Refused when this token never will. `app` opens the
    API as the app itself, if the config knows the app. `done` hears of each comment right after we removed it;
    `give_way` is asked between two of them whether somebody waits.
    """
    if settings.comments is Comments.LEAVE:
        return Replies.OPEN
    try:
        _demand_own_page(receipt, settings.page_id)
        listed = _sweep(graph, receipt.ref, settings, Removal(graph, done, give_way))
        if listed:
            _demand_whole(listed)
            _demand_sight(listed, settings.page_id, facts(graph, app, settings.page_access_token.reveal()))
    except Refused as err:
        raise worded(f"comments cannot be moderated: {err.text}", err) from err
    except TryLater as err:
        raise worded(err.text, err) from err
    return Replies.MODERATED


def _demand_own_page(receipt: Receipt, page_id: str) -> None:
    """Touch nothing on a Page that the config does not name any more: its own words would pass for a stranger's."""
    page = receipt.data.get("page", page_id)
    if page != page_id:
        hint = "name that Page in a section of the config, or look at the post in a browser; then: outagecast sweep"
        raise Refused(f"the post is on Page {page}, and the config names {page_id}", mendable=True, hint=hint)


def _sweep(graph: Graph, post: str, settings: FacebookSettings, removal: Removal) -> Listing | None:
    """Remove until a list has nothing of a stranger's left in it; give that list unless sight of them is proven."""
    strangers = False
    for _ in range(_MOST_PASSES):
        listed = listing(graph, post)
        found = judged(listed.comments, post, settings.page_id, settings.comments)
        strangers |= found.strangers
        targets = removal.untried(found.targets)
        if not targets:
            _demand_nothing_left(listed, found, removal)
            return None if strangers else listed
        removal.see_to(targets)
        if later := spent(graph.usage):
            raise later
    raise TryLater("comments are written faster than they are removed", hint=LATER)


def _demand_nothing_left(listed: Listing, found: Judgement, removal: Removal) -> None:
    """Refuse to call moderated what was listed with something of a stranger's in it, or not to its end."""
    reasons = [*found.stuck, *(_why_listed(removal, target.ref) for target in found.targets)]
    if reasons:
        raise standing(len(reasons), next((err for err in reasons if isinstance(err, Refused)), reasons[0]))
    if listed.cut:
        raise worded(
            f"the list of comments ends after the newest {len(listed.comments):,}: {listed.cut.text}", listed.cut
        )


def _why_listed(removal: Removal, ref: str) -> ChannelError:
    """Say why a comment is on the list although it was seen to."""
    err = removal.outcome(ref)
    if err is None:
        return TryLater("Facebook says that it was removed, and lists it as before", hint=LATER)
    if isinstance(err, Gone):  # Facebook says so of what this token may not touch, too
        return Refused(f"Facebook lists it as before: {err.text}", hint=IN_A_BROWSER)
    return err


def _demand_whole(listed: Listing) -> None:
    """Refuse a list in which no stranger's comment stands when it says itself that it does not show all."""
    if any(not comment.author for comment in listed.comments):
        raise nameless()
    if listed.counted and not listed.comments:
        raise _unseen(listed)


def _demand_sight(listed: Listing, page_id: str, known: Mapping[str, Any]) -> None:
    """Refuse to take a list without a stranger in it for all there is, when the token is known to see none."""
    if known.get("is_valid") is False or known.get("type", "PAGE") != "PAGE":
        raise Refused(
            "the token is not a valid token of a Page and sees no comments", mendable=True, blind=True, hint=RIGHTS
        )
    if known and (lacking := missing(known, TO_SWEEP, page_id)):
        text = f"strangers' comments may stand unseen: {' and '.join(lacking)} not granted to the token"
        raise Refused(text, mendable=True, blind=True, hint=RIGHTS)
    if not known and listed.counted > len(listed.comments):
        raise _unseen(listed)


def _unseen(listed: Listing) -> Refused:
    text = f"Facebook counts {some(listed.counted)} and lists {len(listed.comments) or 'none'}"
    return Refused(text, mendable=True, blind=True, hint=RIGHTS)
