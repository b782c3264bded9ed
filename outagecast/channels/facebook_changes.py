"""What is done to a Page's post that is out: it is given other words, or taken back. Both can be repeated."""

from __future__ import annotations

from typing import TYPE_CHECKING

from outagecast.channel import InDoubt, Refused, TryLater
from outagecast.channels.facebook_answers import Gone

if TYPE_CHECKING:
    from outagecast.channels.facebook_graph import Graph

_EDIT_AGAIN = "try again: the same words a second time change nothing"
_DELETE_AGAIN = "try again: what is deleted already counts as done"
_LOOK = "look at the Page in a browser, and type `outagecast check`"
_SAME_APP = "a post is edited only by the app that made it"


def amend(graph: Graph, ref: str, text: str) -> None:
    """Give a post that is out other words. Raises TryLater or Refused; then it may still have the old ones."""
    try:
        done = graph.write(ref, message=text).body.get("success")
    except Gone as err:
        raise Refused(f"the first post seems to be gone and was not edited: {err.text}", hint=err.hint) from err
    except Refused as err:
        hint = f"{err.hint} ({_SAME_APP})" if err.mendable else err.hint
        raise Refused(f"the first post cannot be edited: {err.text}", mendable=err.mendable, hint=hint) from err
    except InDoubt as err:
        raise TryLater(f"whether the first post was edited is unknown: {err.text}", hint=_EDIT_AGAIN) from err
    if done is not True:
        raise TryLater("Facebook does not say that the first post was edited", hint=_EDIT_AGAIN)


def take_back(graph: Graph, ref: str, page_id: str) -> None:
    """Delete a post; one that is gone already is success. Raises TryLater or Refused; then it may still be there."""
    try:
        done = graph.delete(ref).body.get("success")
    except Refused as err:
        if err.mendable:
            raise
        _demand_gone(graph, ref, page_id, err)
        return
    except InDoubt as err:
        raise TryLater(f"whether the post was deleted is unknown: {err.text}", hint=_DELETE_AGAIN) from err
    if done is not True:
        raise TryLater("Facebook does not say that the post was deleted", hint=_DELETE_AGAIN)


def _demand_gone(graph: Graph, ref: str, page_id: str, refusal: Refused) -> None:
    """Take a refusal to delete for "gone already" only when the post is not to be read and the Page still is.

    The same is said of a post that the token may not delete, and to a token that lost its access altogether.
    """
    try:
        graph.read(ref, fields="id")
    except Gone:
        _demand_sight(graph, page_id)
        return
    text = f"the post is still there, and Facebook does not let us delete it: {refusal.text}"
    raise Refused(text, mendable=True, hint=f"delete it in a browser; {_LOOK}") from refusal


def _demand_sight(graph: Graph, page_id: str) -> None:
    try:
        graph.read(page_id, fields="id")
    except Refused as err:
        text = f"whether the post is gone cannot be seen, nor the Page itself: {err.text}"
        raise Refused(text, mendable=True, hint=err.hint or _LOOK) from err
