"""The one way this package speaks HTTP to a centre (傳輸): a pool in which every call obeys a wall clock.

A read timeout is no deadline: it starts anew with every byte, so a server that drips holds a caller for minutes. Every
socket operation here gets the *remaining* time of the call, TLS handshake included, for one ``settimeout`` each.

A call ends in a ``Reply`` or in one of two exceptions, and which of the two decides whether anything may be sent again:

* ``NotSent``: no byte of the request left this process (no name, no connection, no TLS session).
* ``Lost``: anything later. Whether the request was processed is unknown.

The line between them is drawn by the socket itself (was a send of request bytes begun?), not by exception classes.
"""

from __future__ import annotations

import socket
import ssl
import threading
import time
from collections.abc import Iterator, Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from http.client import HTTPException
from typing import TYPE_CHECKING, Any, Protocol

from urllib3 import HTTPConnectionPool, HTTPResponse, HTTPSConnectionPool, PoolManager
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import HTTPError

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer, WriteableBuffer


MAX_BODY_BYTES = 256 * 1024
MAX_LIST_BYTES = 1024 * 1024
CONNECT_TIMEOUT_S = 5.0  # a host that does not answer a SYN for this long is not there; leaves time for another try
MAX_IDLE_S = 30.0  # an older connection is not trusted: balancers and NAT forget it without a word (60 s and more)
POOL_CONNECTIONS = 32  # kept per host; threads beyond it get a connection of their own that is not kept
CLOCK_GRAIN_S = 0.005  # a poll may end this much before the deadline it was given


@dataclass(frozen=True, slots=True)
class Reply:
    """A complete answer (回應) of any status; ``headers`` compare without case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class NotSent(Exception):
    """No byte of the request left: NO_TIME, DNS_FAILED, CONNECT_FAILED or TLS_FAILED."""

    def __init__(self, cause: str) -> None:
        super().__init__(cause)
        self.cause = cause


class Lost(Exception):
    """The request may have been processed, its answer is not to be had: TIMEOUT, CONNECTION_LOST or TOO_LARGE."""

    def __init__(self, cause: str) -> None:
        super().__init__(cause)
        self.cause = cause


class Transport(Protocol):
    """What a centre's client needs of the network; a test gives it a fake."""

    def post(
        self, url: str, body: bytes, headers: Mapping[str, str], timeout_s: float, max_bytes: int = MAX_BODY_BYTES
    ) -> Reply:
        """POST once, within ``timeout_s`` of wall clock; raises ``NotSent`` or ``Lost`` and nothing else."""


class HttpTransport:
    """The shared pool: TLS 1.2+, verified, no redirects, no retries. One per process; safe for threads.

    ``ca_file`` trusts one more authority (a simulator's); verification cannot be switched off.
    """

    def __init__(self, ca_file: str | None = None, connect_timeout_s: float = CONNECT_TIMEOUT_S) -> None:
        self._connect_timeout_s = connect_timeout_s
        self._pool = PoolManager(maxsize=POOL_CONNECTIONS, retries=False, ssl_context=_tls(ca_file))
        self._pool.pool_classes_by_scheme = {"http": _Pool, "https": _TLSPool}

    def post(
        self, url: str, body: bytes, headers: Mapping[str, str], timeout_s: float, max_bytes: int = MAX_BODY_BYTES
    ) -> Reply:
        """See ``Transport.post``."""
        call = _Call(time.monotonic() + timeout_s, self._connect_timeout_s)
        if timeout_s <= 0:
            raise NotSent(call.stage)
        token = _current.set(call)
        try:
            return self._exchange(url, body, headers, max_bytes)
        except (HTTPError, HTTPException, OSError) as error:
            raise call.failure() from error
        finally:
            _current.reset(token)

    def _exchange(self, url: str, body: bytes, headers: Mapping[str, str], max_bytes: int) -> Reply:
        response = self._pool.urlopen(
            "POST", url, body=body, headers=headers, redirect=False, retries=False, preload_content=False
        )
        assert isinstance(response, HTTPResponse)  # noqa: S101 - narrows the type urllib3 declares
        complete = False
        try:
            data = b"".join(_pieces(response, max_bytes))
            complete = True
            return Reply(response.status, response.headers, data)
        finally:
            if not complete:
                response.close()  # its rest must not become the next call's answer
            response.release_conn()


def _pieces(response: HTTPResponse, max_bytes: int) -> Iterator[bytes]:
    """The body up to its end, which urllib3 checks against the Content-Length only when asked for more."""
    allowed = max_bytes + 1
    # Never decoded: we ask for no compression, and a bomb must not unpack.
    while piece := response.read(allowed, decode_content=False):
        allowed -= len(piece)
        if allowed <= 0:
            raise Lost("TOO_LARGE")
        yield piece


# --- the clock of one call, and the sockets that obey it ---


@dataclass(slots=True)
class _Call:
    """Deadline (monotonic seconds) of the call running in this context, and how far it has come."""

    deadline: float
    connect_timeout_s: float
    stage: str = "NO_TIME"  # then DNS_FAILED, CONNECT_FAILED, TLS_FAILED: the name of the failure if it ends there
    sending: bool = False

    def seconds_left(self) -> float:
        left = self.deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError("deadline of the call")
        return left

    def failure(self) -> NotSent | Lost:
        if not self.sending:
            return NotSent(self.stage)
        late = time.monotonic() >= self.deadline - CLOCK_GRAIN_S
        return Lost("TIMEOUT" if late else "CONNECTION_LOST")


_current: ContextVar[_Call] = ContextVar("einvoice_http_call")


class _Socket(socket.socket):
    """A socket whose every read and write may take what is left of the call; http.client uses these three only."""

    def recv_into(self, buffer: WriteableBuffer, nbytes: int | None = 0, flags: int = 0) -> int:
        self.settimeout(_current.get().seconds_left())
        return super().recv_into(buffer, nbytes or 0, flags)

    def send(self, data: ReadableBuffer, flags: int = 0) -> int:
        self._before_sending()
        return super().send(data, flags)

    def sendall(self, data: ReadableBuffer, flags: int = 0) -> None:
        self._before_sending()
        super().sendall(data, flags)

    def _before_sending(self) -> None:
        call = _current.get()
        self.settimeout(call.seconds_left())
        call.sending = True


class _TLSSocket(_Socket, ssl.SSLSocket):
    """The same over TLS. OpenSSL's own bytes (handshake) do not pass ``send``, so they do not count as the request."""

    def do_handshake(self, block: bool = False) -> None:
        call = _current.get()
        call.stage = "TLS_FAILED"
        self.settimeout(call.seconds_left())  # CPython holds one timeout over the whole handshake
        super().do_handshake(block)


def _tls(ca_file: str | None) -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.sslsocket_class = _TLSSocket
    if ca_file is not None:
        context.load_verify_locations(cafile=ca_file)
    return context


def _connect(host: str, port: int) -> socket.socket:
    """Connect to the first address that answers, all of them together within the connect timeout and the deadline."""
    call = _current.get()
    call.stage = "DNS_FAILED"
    addresses = _resolve(host, port, call.seconds_left())
    call.stage = "CONNECT_FAILED"
    give_up = min(call.deadline, time.monotonic() + call.connect_timeout_s)
    last_error = OSError("no address")
    for family, kind, protocol, _, address in addresses:
        left = give_up - time.monotonic()
        if left <= 0:
            break
        sock = _Socket(family, kind, protocol)
        try:
            sock.settimeout(left)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            sock.connect(address)
        except OSError as error:
            sock.close()
            last_error = error
        else:
            return sock
    raise last_error


def _resolve(host: str, port: int, timeout_s: float) -> list[tuple[Any, ...]]:
    """``getaddrinfo`` knows no timeout, so it runs beside us; only new connections pay for the thread."""
    result: list[list[tuple[Any, ...]] | OSError] = []

    def look_up() -> None:
        try:
            result.append(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
        except (OSError, UnicodeError) as error:  # UnicodeError: a label that IDNA cannot express
            result.append(OSError(str(error)))

    worker = threading.Thread(target=look_up, name="einvoice-dns", daemon=True)
    worker.start()
    worker.join(timeout_s)
    if not result:
        raise TimeoutError("name resolution")
    if isinstance(result[0], OSError):
        raise result[0]
    return result[0]


class _Connection(HTTPConnection):
    """urllib3's connection over our sockets. It is checked for life before each reuse (``is_connected``)."""

    _used_at = 0.0

    def _new_conn(self) -> socket.socket:
        return _connect(self._dns_host, self.port)

    @property
    def is_connected(self) -> bool:
        # Wall clock: the monotonic one may stand still while a Lambda is frozen.
        return super().is_connected and abs(time.time() - self._used_at) < MAX_IDLE_S

    def getresponse(self) -> HTTPResponse:  # type: ignore[override] # urllib3 widens http.client's type the same way
        self._used_at = time.time()
        return super().getresponse()


class _TLSConnection(_Connection, HTTPSConnection):
    pass


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection


class _TLSPool(HTTPSConnectionPool):
    ConnectionCls = _TLSConnection
