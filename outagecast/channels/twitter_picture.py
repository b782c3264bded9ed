"""The picture of a post: uploaded and described before the post is made, left out where X does not take it.

An upload publishes nothing, so no answer to it is a doubt about the post: the words are what counts, and they go out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from outagecast.channel import ChannelError, InDoubt, TryLater
from outagecast.channels.twitter_match import is_id
from outagecast.text import shortened
from outagecast.wire import read_object

if TYPE_CHECKING:
    from collections.abc import Mapping

    from requests import Response

    from outagecast.channel import Image, Post, Remember
    from outagecast.channels.twitter_api import XApi

MEDIA = "media"
"""The token of a post whose picture is settled: X's id of it; empty if the words go out alone."""
_SAID = "picture"
"""With it: what a person should know of the picture."""
_BEGUN = "picture-begun"
"""Before it: an upload is under way. A run that ends in the middle of it (its deadline, a kill) leaves only this."""
_LONGEST_ALT = 1000
"""Characters: X's OpenAPI 2.167, November 2026."""


def with_picture(api: XApi, post: Post, image: Image, remember: Remember) -> Post:
    """The post with its picture settled: a repeat uses the same one, or none again, so that it is the same to X.

    An upload that an earlier run did not see the end of is not tried again: it would hold the words again. Raises only
    what holds for the words as well: X cannot be reached, or no request can be signed.
    """
    unended = post.token.get(_BEGUN)
    settled = left_out("its upload did not end in time") if unended else _tried(api, image, remember)
    post = replace(post, token={**post.token, **settled})
    remember(post.token)
    return post


def left_out(why: str) -> Mapping[str, str]:
    """The token of a post that goes out without its picture."""
    return {MEDIA: "", _SAID: f"without its picture: {why}"}


def said_of_picture(post: Post) -> str:
    """What the post's receipt has to say of its picture; empty if all is well."""
    return post.token.get(_SAID, "")


def _tried(api: XApi, image: Image, remember: Remember) -> Mapping[str, str]:
    remember({_BEGUN: "1"})
    try:
        return _uploaded(api, image)
    except ChannelError:
        # Not a byte of it went out: the picture has its next chance with the words.
        remember({_BEGUN: ""})
        raise


def _uploaded(api: XApi, image: Image) -> Mapping[str, str]:
    try:
        response = api.upload(image.data)
    except InDoubt as err:
        # What matters is only that there is none: "… may have taken the request: no answer in time".
        return left_out(err.text.rpartition(": ")[2])
    try:
        ref = _media_id(api, response)
    except ChannelError as err:
        return left_out(err.text)
    return {MEDIA: ref, **_described(api, ref, image.alt)}


def _media_id(api: XApi, response: Response) -> str:
    api.demand(response)
    data = read_object(response).get("data")
    ref = data.get("id") if isinstance(data, dict) else None
    if not (isinstance(ref, str) and is_id(ref)):
        raise TryLater("X's answer to the upload cannot be read")
    return ref


def _described(api: XApi, ref: str, alt: str) -> Mapping[str, str]:
    """Say what the picture shows. A picture without these words is better than none."""
    if not alt:
        return {}
    try:
        api.describe(ref, shortened(alt, lambda text: len(text) <= _LONGEST_ALT))
    except ChannelError as err:
        return {_SAID: f"its picture has no alt text: {err.text}"}
    return {}
