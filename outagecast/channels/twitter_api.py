"""The one typed place around tweepy: each call gives X's whole answer, or one of our three.

tweepy 4.17 has no type hints, drops headers and the problem format, and chokes on error bodies that are a list or
null (tried November 2026). So its exceptions only tell that there was no success; the answer itself is read from the
wire.
"""

from __future__ import annotations

import logging
from base64 import b64encode
from typing import TYPE_CHECKING, Any

import requests
import tweepy

from outagecast.channel import ChannelError, InDoubt, Refused, TryLater
from outagecast.channels.twitter_answers import judge, says_gone
from outagecast.channels.twitter_table import Verdict
from outagecast.wire import RESUME, classify, read_object, unanswered

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    from outagecast.wire_session import Wire

HOST = "api.twitter.com"
_POST_FIELDS = ("author_id", "created_at", "conversation_id", "referenced_tweets", "reply_settings", "entities")
_TALKATIVE = ("tweepy", "oauthlib", "requests_oauthlib")
"""At DEBUG these log whole requests, signatures and authorization headers."""


class XApi:
    """The calls we make, as one account. One thread at a time; never retries, never waits."""

    def __init__(self, keys: Sequence[str], wire: Wire, now: Callable[[], datetime]) -> None:
        for name in _TALKATIVE:
            logging.getLogger(name).setLevel(logging.INFO)
        self._wire = wire
        self._now = now
        self._client: Any = tweepy.Client(
            consumer_key=keys[0],
            consumer_secret=keys[1],
            access_token=keys[2],
            access_token_secret=keys[3],
            return_type=requests.Response,
            wait_on_rate_limit=False,  # would sleep for a quarter of an hour, and POST again by itself
        )
        self._client.session.close()
        self._client.session = wire

    def close(self) -> None:
        """Let go of the connections."""
        self._wire.close()

    def create(
        self, text: str, parent: str | None, reply_settings: str | None, media: str | None = None
    ) -> requests.Response:
        """Publish, once; the answer is for `twitter_answers.judge`. Raises what the transport tells."""
        return self._call(
            self._client.create_tweet,
            text=text,
            in_reply_to_tweet_id=parent,
            reply_settings=reply_settings,
            media_ids=[media] if media else None,
        )

    def upload(self, content: bytes) -> requests.Response:
        """Give X a picture, which publishes nothing; raises what the transport tells.

        tweepy 4.17 has no call for it but the version 1.1 that X is giving up.
        """
        body = {"media": b64encode(content).decode(), "media_category": "tweet_image"}
        return self._call(self._client.request, "POST", "/2/media/upload", json=body)

    def describe(self, media: str, alt: str) -> None:
        """Say what a picture shows. Raises TryLater or Refused; then it has no description."""
        body = {"id": media, "metadata": {"alt_text": {"text": alt}}}
        self.demand(self._repeatable(self._client.request, "POST", "/2/media/metadata", json=body))

    def delete(self, ref: str) -> requests.Response:
        """Delete; a repeat does no harm, so what is unclear is TryLater."""
        return self._repeatable(self._client.delete_tweet, ref)

    def me(self) -> requests.Response:
        """Read who we are; the whole answer, headers included."""
        return self._repeatable(self._client.get_me)

    def timeline(self, user_id: str, start: datetime, page: str | None) -> Mapping[str, Any]:
        """Read a page of the account's own posts, newest first."""
        return self._read(
            self._client.get_users_tweets,
            user_id,
            max_results=100,
            start_time=start,
            pagination_token=page,
            tweet_fields=list(_POST_FIELDS),
        )

    def latest(self, user_id: str) -> requests.Response:
        """Read the account's last few posts, the fewest X gives, to know that it can be done; the whole answer."""
        method = self._client.get_users_tweets
        return self._repeatable(method, user_id, max_results=5, tweet_fields=list(_POST_FIELDS))

    def conversation(self, root: str, page: str | None) -> Mapping[str, Any]:
        """Read a page of what was said in a conversation in the last seven days, newest first; paid by the post."""
        return self._read(
            self._client.search_recent_tweets,
            f"conversation_id:{root}",
            max_results=100,
            next_token=page,
            tweet_fields=["author_id", "conversation_id"],
        )

    def hide(self, ref: str) -> bool:
        """Put a reply in a conversation of ours behind one more click; False if it is gone. A repeat does no harm.

        Raises TryLater, or Refused when X does not let us. That it is hidden already X does not tell (its reference,
        November 2026): that is a success, too.
        """
        response = self._repeatable(self._client.hide_reply, ref)
        if says_gone(response):
            return False
        if response.status_code == 403:
            raise Refused(judge(response).said(), mendable=True)
        self.demand(response)
        data = read_object(response).get("data")
        if not (isinstance(data, dict) and data.get("hidden") is True):
            raise TryLater("X does not say that it has hidden a reply", hint=f"try again: {RESUME}")
        return True

    def post(self, ref: str) -> Mapping[str, Any] | None:
        """Read one post; None if X says that there is none. Another post's answer tells nothing of this one."""
        response = self._repeatable(self._client.get_tweet, ref, tweet_fields=list(_POST_FIELDS))
        body = read_object(response)
        if response.status_code == 404 or (response.status_code == 200 and _not_found(body)):
            return None
        self.demand(response)
        data = body.get("data")
        if not isinstance(data, dict) or str(data.get("id")) != ref:
            raise TryLater("X's answer about the post cannot be read", hint=f"try again: {RESUME}")
        return data

    def demand(self, response: requests.Response) -> None:
        """Raise TryLater or Refused unless a call that publishes nothing went well."""
        answer = judge(response)
        match answer.verdict:
            case Verdict.PUBLISHED:
                return
            case Verdict.LIMITED:
                raise answer.limited(self._now())
            case Verdict.REFUSED | Verdict.INVALID:
                raise Refused(answer.said(), mendable=True, hint=answer.row.hint)
            case Verdict.NO_REPLY:
                text = f"X does not let this account do that (HTTP {response.status_code})"
                raise Refused(text, mendable=True, hint="look at the account's access: outagecast check")
        raise TryLater(f"X did not answer as it should (HTTP {response.status_code})", hint=f"try again: {RESUME}")

    def _read(self, method: Callable[..., Any], *args: object, **params: object) -> Mapping[str, Any]:
        response = self._repeatable(method, *args, **params)
        self.demand(response)
        return read_object(response)

    def _repeatable(self, method: Callable[..., Any], *args: object, **params: object) -> requests.Response:
        """Call what may be called twice: an unclear outcome is no doubt about any post."""
        try:
            return self._call(method, *args, **params)
        except InDoubt as err:
            raise TryLater(f"X could not be asked: {unanswered(err)}", hint=f"try again: {RESUME}") from err

    def _call(self, method: Callable[..., Any], *args: object, **params: object) -> requests.Response:
        """Call tweepy and give the answer, whatever the status; raise what the transport tells if there is none."""
        self._wire.forget()
        try:
            response: requests.Response = method(*args, user_auth=True, **params)
        except ChannelError:
            raise
        except Exception as err:
            if self._wire.last is not None:
                return self._wire.last
            raise self._without_answer(err) from err
        return response

    def _without_answer(self, err: Exception) -> ChannelError:
        if self._wire.begun:
            return classify(err, HOST)
        return Refused(
            f"the request to X could not be signed ({type(err).__name__}): a key in the config is damaged",
            mendable=True,
            hint="paste the four keys anew, without line breaks, then: outagecast check",
        )


def _not_found(body: Mapping[str, Any]) -> bool:
    """Tell whether X says in an answer of 200 that there is no such post."""
    errors = body.get("errors")
    kinds = [str(item.get("type", "")) for item in errors if isinstance(item, dict)] if isinstance(errors, list) else []
    return not body.get("data") and any(kind.endswith("/resource-not-found") for kind in kinds)
