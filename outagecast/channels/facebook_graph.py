"""The Graph API through facebook-sdk, with every answer read once and put into our own words."""

from __future__ import annotations

import json
import warnings
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

from outagecast.channel import ChannelError, InDoubt, TryLater
from outagecast.channels.facebook_answers import Answer, Usage, error_for, evidence, only
from outagecast.channels.facebook_table import LOOK
from outagecast.wire import RESUME, classify, retry_after, session, unanswered

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    from requests import PreparedRequest, Response

HOST = "graph.facebook.com"
_SHORTEST_SECRET = 8
_JSON = "application/json"


class Graph:
    """Calls of one token. A write raises TryLater, Refused or InDoubt; a read never InDoubt, for it changes nothing.

    facebook-sdk never gets the token: it would write it into URLs and, from there, into exceptions. The session puts
    it into the Authorization header of each request instead.
    """

    def __init__(
        self,
        token: str,
        *,
        version: str,
        app_secret: str | None = None,
        simulator_url: str | None = None,
        patience: float = 20,
        now: Callable[[], datetime],
    ) -> None:
        self.usage = Usage()
        self._token = token
        self._now = now
        self._patience = patience
        self._proof = {"appsecret_proof": _proof(token, app_secret)} if app_secret else {}
        self._hidden: Sequence[str] = [token, app_secret or "", *self._proof.values()]
        self._session = session(f"https://{HOST}", simulator_url, read=patience)
        self._session.auth = self._sign
        self._session.hooks["response"].append(self._take)
        self._api = import_sdk().GraphAPI(session=self._session)
        # The constructor takes versions up to 3.1 only (facebook-sdk 3.1.0, 2018); every call reads the attribute.
        self._api.version = version
        self._answer = Answer(0)
        self._unpack: Callable[[Answer], Answer] | None = None

    def read(self, path: str, **params: str) -> Answer:
        """Read an object or a list."""
        try:
            return self._call("GET", path, params)
        except InDoubt as err:
            raise self._unread(err) from err

    def read_sealed(self, path: str, **params: str) -> Answer:
        """Read with parameters that may stand in no URL, such as a token.

        The call is sent as a batch of one (graph-api/batch-requests, read November 2026): its own URL is then part of
        the body of a POST. Whatever is no answer to that one call is TryLater, as for any other read.
        """
        url = f"{path}?{urlencode({**params, **self._proof})}"
        given = {"batch": json.dumps([{"method": "GET", "relative_url": url}]), "include_headers": "false"}
        hidden, self._hidden = self._hidden, [*self._hidden, *params.values()]
        self._unpack = only
        try:
            return self._call("POST", "", given)
        except InDoubt as err:
            raise self._unread(err) from err
        finally:
            self._hidden, self._unpack = hidden, None

    def write(self, path: str, **params: str) -> Answer:
        """Create or change something: one request, never repeated here."""
        return self._call("POST", path, params)

    def upload(self, path: str, file: tuple[str, bytes, str], **params: str) -> Answer:
        """Create something from a file (its name, content and type): one request, never repeated here.

        Sending it and the wait for the answer take no longer together than an answer alone may: words wait for it.
        """
        half = self._patience / 2
        return self._call("POST", path, params, files={"source": file}, timeout=(half, half))

    def delete(self, path: str) -> Answer:
        """Delete something: one request, never repeated here."""
        return self._call("DELETE", path, {})

    @property
    def code(self) -> int:
        """The code of the error that the latest answer was; 0 if it was none."""
        return self._answer.code

    def close(self) -> None:
        """Let go of the connection."""
        self._session.close()

    def _call(
        self,
        method: str,
        path: str,
        params: Mapping[str, str],
        *,
        files: Mapping[str, tuple[str, bytes, str]] | None = None,
        timeout: tuple[float, float] | None = None,
    ) -> Answer:
        given = {**params, **self._proof}
        sent = {"post_args": given} if method == "POST" else {"args": given}
        self._answer = Answer(0)
        self._api.timeout = timeout  # None: the session's own bounds
        try:
            self._api.request(f"{self._api.version}/{path}", method=method, files=files, **sent)
        except ChannelError:
            raise
        except Exception as err:
            raise classify(err, HOST) from err
        return self._answer

    def _unread(self, err: InDoubt) -> TryLater:
        """An answer that leaves open what it has done, to a call that does nothing."""
        again = f"try again: {RESUME}"
        if err.__cause__:
            return TryLater(f"Facebook could not be asked: {unanswered(err)}", hint=again)
        text = f"Facebook could not be asked: its answer says nothing ({evidence(self._answer)})"
        return TryLater(text, hint=again if err.hint == LOOK else err.hint)

    def _sign(self, request: PreparedRequest) -> PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self._token}"
        return request

    def _take(self, response: Response, **_: Any) -> Response:
        """Judge an answer before the SDK sees it: to the SDK an error 500 with the body {} is a success."""
        wait = retry_after(response.headers, self._now())
        answer = Answer.of(response.status_code, response.headers, self._masked(response.content), wait)
        self._answer = self._unpack(answer) if self._unpack else answer
        self.usage = self._answer.usage
        if not self._answer.ok:
            raise error_for(self._answer)
        # Graph has named its JSON text/javascript, and the SDK goes by the name; by now we know that it is JSON.
        response.headers["content-type"] = _JSON
        return response

    def _masked(self, content: bytes) -> bytes:
        """Take our secrets out of an answer ("Malformed access token …"), before any text is cut from it."""
        for secret in self._hidden:
            if len(secret) >= _SHORTEST_SECRET:
                for shape in (secret, quote(secret, safe="")):
                    content = content.replace(shape.encode(), b"***")
        return content


def _proof(token: str, app_secret: str) -> str:
    """Prove that the caller knows the app's secret (docs/graph-api/guides/secure-requests)."""
    import hmac

    return hmac.new(app_secret.encode(), token.encode(), "sha256").hexdigest()


def import_sdk() -> Any:
    """The module `facebook` of facebook-sdk, imported on first use."""
    # facebook-sdk 3.1.0 has "\d" in a plain string; its first compilation on Python 3.12 and later would say so on
    # the operator's screen.
    warnings.filterwarnings("ignore", r"(?s).*invalid escape sequence", SyntaxWarning)
    import facebook

    return facebook
