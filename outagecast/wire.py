"""The wire both SDKs are given: one bounded HTTP session, and foreign exceptions put into our three answers.

Importing this module costs nothing: requests is imported on first use.
"""

from __future__ import annotations

from datetime import UTC, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from outagecast.errors import ChannelError, InDoubt, Refused, TryLater

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    from requests import Response

    from outagecast.wire_session import Wire

RESUME = "outagecast resume"


def session(origin: str, simulator_url: str | None = None, *, connect: float = 5, read: float = 20) -> Wire:
    """Make the only kind of HTTP session a channel may use: it talks to `origin` and to nobody else.

    With `simulator_url` each request goes to that loopback address instead, signed and addressed as if for `origin`.
    """
    from outagecast.wire_session import Wire

    return Wire(origin, simulator_url and loopback(simulator_url), connect=connect, read=read)


def loopback(url: str) -> str:
    """Return `url` without a trailing slash if it is plain HTTP on this machine; raise ValueError otherwise.

    Real signatures and tokens go there, so it may never be another machine's address.
    """
    like = "(http://127.0.0.1:PORT)"
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:  # a bracket that is never closed; a port that is no number, or too large
        raise ValueError(f"simulator_url is no address of a server {like}") from None
    if parts.scheme != "http" or not _local(host):
        raise ValueError(f"simulator_url must be http:// on this machine {like}, not {_quoted(host or url)}")
    if port == 0 or "@" in parts.netloc or parts.query or parts.fragment or parts.path.strip("/"):
        raise ValueError(f"simulator_url must be only scheme, host and port {like}")
    return f"http://{parts.netloc}"


def _quoted(text: str) -> str:
    from outagecast.secret_likeness import quoted

    return quoted(text)


def _local(host: str) -> bool:
    import ipaddress

    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def classify(err: BaseException, host: str = "") -> ChannelError:
    """Say what a transport error tells about the world: TryLater if no byte of the request can have gone out.

    requests.ConnectionError stands for "refused" and for "cut off" alike, so the causes inside it decide. Whatever
    is not known for certain is InDoubt. No URL, header or body gets into the text.
    """
    if isinstance(err, ChannelError):
        return err
    causes = list(_causes(err))
    name = host or _host(causes)
    if _unusable(causes):
        return Refused(
            f"no request to {name} could be made: {type(err).__name__}",
            mendable=True,
            hint="check the proxy settings (HTTPS_PROXY, NO_PROXY) and the config: outagecast check",
        )
    if not _unsent(causes):
        return InDoubt(f"{name} may have taken the request: {_words(causes)}", hint=f"look it up: {RESUME}")
    through = " (through the proxy that the environment names)" if _at_proxy(causes) else ""
    return TryLater(f"could not reach {name}{through}: {_words(causes)}", hint=_way_out(causes))


def unanswered(err: InDoubt) -> str:
    """Why there is no answer to a call that publishes nothing, without a word of what it may have done."""
    return _words(list(_causes(err.__cause__))) if err.__cause__ else err.text


def _causes(err: BaseException, depth: int = 8) -> Iterator[BaseException]:
    """Yield the error and what it was made from; `__context__` is left out, it may have nothing to do with it."""
    yield err
    if not depth:
        return
    inner = (*err.args, getattr(err, "reason", None), getattr(err, "original_error", None), err.__cause__)
    for cause in inner:
        if isinstance(cause, BaseException):
            yield from _causes(cause, depth - 1)


def _unusable(causes: list[BaseException]) -> bool:
    """Tell whether the request could not even be put together: an address or a proxy setting makes no sense."""
    from requests import exceptions as foreign

    kinds = (foreign.InvalidURL, foreign.MissingSchema, foreign.InvalidSchema, foreign.InvalidHeader)
    return isinstance(causes[0], kinds)


def _unsent(causes: list[BaseException]) -> bool:
    """Tell whether it is certain that no byte of the request went out.

    `wire_session` makes a NewConnectionError of everything that fails before the first byte, the TLS handshake and
    the proxy's CONNECT included. A certificate is only ever judged in the handshake.
    """
    import ssl

    from urllib3 import exceptions as foreign

    kinds = (foreign.NewConnectionError, foreign.ConnectTimeoutError, foreign.ProxyError, ssl.SSLCertVerificationError)
    return any(isinstance(cause, kinds) for cause in causes)


def _at_proxy(causes: list[BaseException]) -> bool:
    from urllib3 import exceptions as foreign

    return any(isinstance(cause, foreign.ProxyError) for cause in causes)


def _way_out(causes: list[BaseException]) -> str:
    import ssl

    if any(isinstance(cause, ssl.SSLCertVerificationError) for cause in causes):
        return f"check this machine's clock and its CA certificates (SSL_CERT_FILE), then: {RESUME}"
    if _at_proxy(causes):
        return f"check the proxy settings (HTTPS_PROXY, NO_PROXY), then: {RESUME}"
    return f"check this machine's way to the Internet, then: {RESUME}"


def _words(causes: list[BaseException]) -> str:
    """Name the cause in plain words, the most telling one first."""
    import ssl
    from http.client import IncompleteRead, RemoteDisconnected
    from socket import gaierror

    from requests import ReadTimeout
    from urllib3 import exceptions as foreign

    table: tuple[tuple[type[BaseException] | tuple[type[BaseException], ...], str], ...] = (
        (gaierror, "its name cannot be looked up (DNS)"),
        (ssl.SSLCertVerificationError, "its certificate is not accepted"),
        (ConnectionRefusedError, "connection refused"),
        ((foreign.NameResolutionError,), "its name cannot be looked up (DNS)"),
        # Not urllib3's TimeoutError: its NewConnectionError is one, whatever the reason was.
        ((TimeoutError, foreign.ReadTimeoutError, ReadTimeout), "no answer in time"),
        (ssl.SSLError, "the TLS connection failed"),
        (RemoteDisconnected, "the connection was closed without an answer"),
        ((IncompleteRead, foreign.IncompleteRead, foreign.InvalidChunkLength), "the answer was cut off"),
        ((ConnectionResetError, BrokenPipeError), "the connection was reset"),
    )
    for kind, words in table:
        if any(isinstance(cause, kind) for cause in causes):
            return words
    reasons = [cause.strerror for cause in causes if isinstance(cause, OSError) and cause.strerror]
    return reasons[-1].lower() if reasons else f"the connection broke ({type(causes[-1]).__name__})"


def _host(causes: list[BaseException]) -> str:
    for cause in causes:
        url = getattr(getattr(cause, "request", None), "url", None)
        if url:
            return urlsplit(str(url)).hostname or "the platform"
    return "the platform"


def read_json(response: Response) -> object:
    """Parse an answer's body; None if it is no JSON, whatever its content type says."""
    import json

    try:
        parsed: object = json.loads(response.content)
    except (ValueError, RecursionError):  # no JSON, no UTF-8; or an absurdly nested body
        return None
    return parsed


def read_text(response: Response) -> str:
    """Read an answer's body as text: UTF-8 where it is that, whatever charset it names or leaves out."""
    try:
        return response.content.decode("utf-8")
    except UnicodeDecodeError:
        return response.text


def read_object(response: Response) -> Mapping[str, Any]:
    """Parse an answer's body that should be a JSON object; empty if it is anything else."""
    parsed = read_json(response)
    return parsed if isinstance(parsed, dict) else {}


def retry_after(headers: Mapping[str, str], now: datetime) -> timedelta | None:
    """Read `Retry-After`, as seconds or as a date; None if it is missing or makes no sense."""
    value = headers.get("Retry-After", "").strip()
    if value.isascii() and value.isdigit() and len(value) < 9:
        return timedelta(seconds=int(value))
    until = _http_date(value)
    return max(until - now, timedelta(0)) if until else None


def clock_skew(headers: Mapping[str, str], now: datetime) -> timedelta | None:
    """How far this machine's clock is ahead of the answer's `Date` (behind: negative); None without a date."""
    there = _http_date(headers.get("Date", ""))
    return now - there if there else None


def _http_date(value: str) -> datetime | None:
    from email.utils import parsedate_to_datetime

    try:
        parsed = parsedate_to_datetime(value)
    except (ValueError, TypeError):
        return None
    return parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)
