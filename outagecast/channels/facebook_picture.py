"""The picture of a Page's post: uploaded before the words, and never in their way."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from outagecast.channel import ChannelError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from outagecast.channel import Image, Post, Remember
    from outagecast.channels.facebook_graph import Graph

LARGEST = 4 * 1024 * 1024
"""Meta recommends less than 4 MB (graph-api/photo-uploads), and a refusal (subcode 1366046) names the same size."""
_BEGUN = "picture-begun"
"""The token of an upload under way: a run that ends in the middle of it (its deadline, a kill) leaves only this."""
_UNENDED = "its upload did not end in time"


class Picture:
    """The picture of one post on its way out, or why it was left out.

    A photo is uploaded unpublished: nobody sees it until a post carries it, and one that none carries expires. So no
    answer about it says anything about the post, and whatever goes wrong with it, the words go out.
    """

    def __init__(self, post: Post, remember: Remember) -> None:
        self._image = post.image
        self._remember = remember
        self._photo = post.token.get("photo", "")
        self._why = post.token.get("without", "")
        self._begun = bool(post.token.get(_BEGUN))

    @property
    def attached(self) -> dict[str, str]:
        """The parameters that put it into a post; none when there is no picture or it was left out."""
        return {"attached_media": json.dumps([{"media_fbid": self._photo}])} if self._photo else {}

    @property
    def note(self) -> str | None:
        """What a receipt says about it."""
        return _note(self._why)

    def upload(self, graph: Graph, page_id: str) -> None:
        """Upload it, unless it is there already or was left out, or an earlier run did not see the end of it."""
        if self._image is None or self._photo or self._why:
            return
        if self._begun:
            self.leave_out(_UNENDED)
            return
        self._remember({_BEGUN: "1"})
        try:
            self._keep(_uploaded(graph, page_id, self._image))
        except ChannelError as err:
            self.leave_out(err.text)

    def leave_out(self, why: str) -> None:
        """Let the words go alone; committed before they go, so that whoever finds them later says the same."""
        self._photo, self._why = "", why
        self._remember({"photo": "", "without": why})

    def reconsider(self) -> None:
        """Take back that it was left out, once it is certain that no post was made: next time may go better.

        Not where its upload did not end: it would hold the words again.
        """
        if self._why and self._why != _UNENDED:
            self._why = ""
            self._remember({"photo": "", "without": "", _BEGUN: ""})

    def _keep(self, photo: str) -> None:
        if not photo:
            self.leave_out("Facebook took it and gave no id for it")
            return
        self._photo = photo
        self._remember({"photo": photo})


def left_out(token: Mapping[str, str]) -> str | None:
    """What the receipt of a post says about its picture, by what was remembered of it."""
    return _note(token.get("without", ""))


def _note(why: str) -> str | None:
    return f"without its picture: {why}" if why else None


def _uploaded(graph: Graph, page_id: str, image: Image) -> str:
    """Upload a photo that nobody sees yet; its id, or nothing when Facebook gives none."""
    file = (image.name, image.data, image.type)
    answer = graph.upload(f"{page_id}/photos", file, published="false", alt_text_custom=image.alt)
    photo = answer.body.get("id")
    return photo if isinstance(photo, str) else ""
