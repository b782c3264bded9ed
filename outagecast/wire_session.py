"""The HTTP session of `outagecast.wire`: bounded in time and size, no redirects, no retries, one host.

Imported by `outagecast.wire.session` only, on first use: it imports requests.
"""

from __future__ import annotations

import io
import os
import socket
import ssl
import threading
import time
from contextlib import contextmanager, suppress
from http.cookiejar import DefaultCookiePolicy
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from requests.utils import DEFAULT_CA_BUNDLE_PATH, get_environ_proxies
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import ConnectTimeoutError, HTTPError, NewConnectionError

from outagecast.errors import Refused
from outagecast.trust import system_trust

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from requests import PreparedRequest, Response
    from urllib3 import PoolManager, ProxyManager
    from urllib3.response import BaseHTTPResponse

MOST_BYTES = 1 << 20
"""The most of an answer that is read; what is longer is cut there."""


@contextmanager
def _nothing_sent(conn: HTTPConnection) -> Iterator[None]:
    """Make a NewConnectionError of every failure in here, so that it cannot be taken for one after the request."""
    try:
        yield
    except (NewConnectionError, ConnectTimeoutError):
        raise
    except Exception as err:
        raise NewConnectionError(conn, "failed before anything was sent") from err


@contextmanager
def _head_within(conn: HTTPConnection) -> Iterator[None]:
    """Bound the wait for the head of an answer as a whole: the time-out of a socket starts anew with each byte."""
    if conn.timeout is None or conn.sock is None:
        yield
        return
    late = threading.Event()
    bound = threading.Timer(conn.timeout, _cut, (conn.sock, late))
    bound.daemon = True
    bound.start()
    try:
        yield
    except Exception as err:
        if late.is_set():
            raise TimeoutError("no answer in time") from err
        raise
    finally:
        bound.cancel()
    if late.is_set():  # what was read is only the half of it
        raise TimeoutError("no answer in time")


def _cut(sock: socket.socket, late: threading.Event) -> None:
    """End a connection from another thread; the reader finds it closed."""
    late.set()
    with suppress(OSError):  # it ended by itself
        # Not the method of an SSLSocket: that one takes the TLS layer away from under its reader.
        socket.socket.shutdown(sock, socket.SHUT_RDWR)


class _PlainConnection(HTTPConnection):
    """A connection that says for certain when no byte of a request has gone out."""

    def connect(self) -> None:
        """Connect; what fails here has sent nothing."""
        with _nothing_sent(self):
            super().connect()

    def getresponse(self) -> Any:
        """Read the head of the answer, in bounded time."""
        with _head_within(self):
            return super().getresponse()


class _SecureConnection(HTTPSConnection):
    """The same with TLS: a handshake or a proxy's CONNECT that fails has sent no request either.

    urllib3 2 reports a handshake that times out as a read time-out, which would read as "may be published".
    """

    def connect(self) -> None:
        """Connect, shake hands; what fails here has sent nothing."""
        with _nothing_sent(self):
            super().connect()

    def getresponse(self) -> Any:
        """Read the head of the answer, in bounded time."""
        with _head_within(self):
            return super().getresponse()


class _PlainPool(HTTPConnectionPool):
    ConnectionCls = _PlainConnection


class _SecurePool(HTTPSConnectionPool):
    ConnectionCls = _SecureConnection


class _Adapter(HTTPAdapter):
    """Sends as it is told, to the simulator if there is one, and hands back an answer that is read already."""

    def __init__(self, origin: str, simulator: str | None, read: float, clock: Callable[[], float]) -> None:
        self._origin = urlsplit(origin)
        self._simulator = simulator
        self._read = read
        self._clock = clock
        self._tls = None if simulator else _trust()
        super().__init__(pool_maxsize=2, max_retries=0)

    def init_poolmanager(self, connections: int, maxsize: int, block: bool = False, **kwargs: Any) -> None:  # noqa: FBT001, FBT002  requests' signature
        """Make the pool with our trust and our connections."""
        super().init_poolmanager(connections, maxsize, block, ssl_context=self._tls, **kwargs)
        _use_our_pools(self.poolmanager)

    def proxy_manager_for(self, proxy: str, **kwargs: Any) -> ProxyManager:
        """Make the pool behind a proxy with our trust and our connections."""
        manager: ProxyManager = super().proxy_manager_for(proxy, ssl_context=self._tls, **kwargs)
        _use_our_pools(manager)
        return manager

    def cert_verify(self, conn: Any, url: str, verify: object, cert: object) -> None:  # noqa: ARG002  requests' signature
        """Demand a good certificate, always; the trust is in the context, so requests' own bundle stays out."""
        conn.cert_reqs = "CERT_REQUIRED"

    def send(self, request: PreparedRequest, *args: Any, **kwargs: Any) -> Response:
        """Send once and read the whole answer, within bounds."""
        kwargs["stream"] = True
        try:
            response = super().send(self._addressed(request), *args, **kwargs)
        except requests.RequestException as err:
            err.request = request  # an error names the platform, not the simulator
            raise
        response.request, response.url = request, str(request.url)
        raw: BaseHTTPResponse = response.raw
        try:
            response.raw = io.BytesIO(self._body(raw, request))
        except HTTPError as err:
            raise requests.ConnectionError(err, request=request) from err
        return response

    def _addressed(self, request: PreparedRequest) -> PreparedRequest:
        """Turn a request to the simulator; it is signed by now, so the Host header keeps saying what was signed."""
        if self._simulator is None:
            return request
        turned = request.copy()
        turned.url = self._simulator + request.path_url
        turned.headers["Host"] = self._origin.netloc
        return turned

    def _body(self, raw: BaseHTTPResponse, request: PreparedRequest) -> bytes:
        until = self._clock() + self._read
        body = bytearray()
        while len(body) < MOST_BYTES and (piece := raw.read1(1 << 16, decode_content=True)):
            body += piece
            if self._clock() > until:
                raw.close()
                raise requests.ReadTimeout("the answer dripped", request=request)
        if len(body) >= MOST_BYTES:
            raw.close()
        raw.release_conn()
        return bytes(body[:MOST_BYTES])


class Wire(requests.Session):
    """An HTTP session that talks to one origin: bounded, never redirected, never retried, no cookies, no netrc."""

    last: Response | None
    """The answer to the latest request, whatever an SDK made of it; None when there was none."""
    begun: bool
    """Whether a request was handed to the transport since `forget`: if not, an SDK's error is about nothing sent."""

    def __init__(
        self,
        origin: str,
        simulator: str | None,
        *,
        connect: float,
        read: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__()
        self.forget()
        self.trust_env = False  # would read ~/.netrc as well; proxies and CA files are taken up below, on purpose
        self.max_redirects = 0
        self.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        self.proxies = {} if simulator else get_environ_proxies(origin)
        self._origin = urlsplit(origin)
        self._bounds = (connect, read)
        self.adapters.clear()
        self.mount("https://", _Adapter(origin, simulator, read, clock))

    def get_redirect_target(self, resp: Response) -> None:
        """No answer ever sends us elsewhere: a 302 on a POST would be repeated as a GET and pass for success."""

    def forget(self) -> None:
        """Forget the latest exchange. Call it before each call of an SDK, which may fail before it sends anything."""
        self.last = None
        self.begun = False

    def send(self, request: PreparedRequest, **kwargs: Any) -> Response:
        """Send one request to our origin and keep the answer in `last`."""
        self.forget()
        aim = urlsplit(str(request.url))
        if (aim.scheme, aim.netloc) != (self._origin.scheme, self._origin.netloc):
            raise Refused(
                f"a request to {aim.hostname} was stopped: this channel talks to {self._origin.hostname} by HTTPS only",
                hint="this is a fault in the channel, nothing was sent; please report it",
            )
        kwargs["allow_redirects"] = False
        kwargs["timeout"] = kwargs.get("timeout") or self._bounds
        self.begun = True
        self.last = super().send(request, **kwargs)
        return self.last


def _use_our_pools(manager: PoolManager) -> None:
    manager.pool_classes_by_scheme = {"http": _PlainPool, "https": _SecurePool}


def _trust() -> ssl.SSLContext:
    """Trust SSL_CERT_FILE (OpenSSL reads it itself), else REQUESTS_CA_BUNDLE, else the system's store.

    A system without any store (a bare container) gets the bundle that comes with requests.
    """
    named = "" if os.environ.get("SSL_CERT_FILE") else os.environ.get("REQUESTS_CA_BUNDLE")
    bundle = named or ("" if _has_store() else DEFAULT_CA_BUNDLE_PATH)
    if not bundle:
        return system_trust()
    try:
        if Path(bundle).is_dir():
            return ssl.create_default_context(capath=bundle)
        return ssl.create_default_context(cafile=bundle)
    except OSError as err:  # ssl.SSLError is one
        raise Refused(
            "the CA certificates that REQUESTS_CA_BUNDLE names cannot be read",
            mendable=True,
            hint="correct or unset REQUESTS_CA_BUNDLE, then: outagecast resume",
        ) from err


def _has_store() -> bool:
    paths = ssl.get_default_verify_paths()
    return bool(paths.cafile) or bool(paths.capath and any(Path(paths.capath).iterdir()))
