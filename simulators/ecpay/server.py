"""The HTTP server: HTTP/1.1 with keep-alive, one thread per connection, and full say over the socket for faults."""

from __future__ import annotations

import contextlib
import select
import socket
import sys
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import cast
from urllib.parse import urlsplit

from simulators.ecpay.delivery import UNKNOWN_PATH, Delivery

OPERATION_PATH = "/b2cinvoice/"
MAX_BODY = 8 * 1024 * 1024
POLL_S = 0.02

# method, path with query, body, own base address -> how to answer
Router = Callable[[str, str, bytes, str], Delivery]


class Server(ThreadingHTTPServer):
    """Listens at once; ``stop`` ends it together with every connection still open."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 256
    allow_reuse_address = True

    def __init__(self, host: str, port: int, router: Router) -> None:
        super().__init__((host, port), Handler)
        self.router = router
        self.stopping = threading.Event()
        self._open: set[socket.socket] = set()
        self._open_lock = threading.Lock()
        self._thread = threading.Thread(target=self.serve_forever, args=(POLL_S,), name="ecpay-simulator", daemon=True)
        self._thread.start()

    def server_bind(self) -> None:
        """Bind without the reverse look-up of the parent class, which can take seconds."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(self.server_address)
        self.server_address = self.socket.getsockname()
        self.server_name, self.server_port = str(self.server_address[0]), int(self.server_address[1])

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://{self.server_name}:{self.server_port}"

    def opened(self, connection: socket.socket) -> None:
        """Remember a connection, to be able to end it."""
        with self._open_lock:
            self._open.add(connection)

    def closed(self, connection: socket.socket) -> None:
        """Forget a connection."""
        with self._open_lock:
            self._open.discard(connection)

    def handle_error(self, request: object, client_address: object) -> None:
        """A caller that hangs up in the middle is usual here; anything else is told on stderr."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(cast("socket.socket", request), client_address)

    def stop(self) -> None:
        """End listening, hanging callers and open connections."""
        self.stopping.set()
        self.shutdown()
        self.server_close()
        with self._open_lock:
            connections = list(self._open)
        for connection in connections:
            with contextlib.suppress(OSError):  # it may have been closed in between
                connection.shutdown(socket.SHUT_RDWR)
        self._thread.join(timeout=2)


class Handler(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    server_version = "ECPay-simulator"
    sys_version = ""
    disable_nagle_algorithm = True

    @property
    def _server(self) -> Server:
        return cast("Server", self.server)

    def setup(self) -> None:
        """Register the connection."""
        super().setup()
        self._server.opened(self.connection)

    def finish(self) -> None:
        """Unregister the connection."""
        try:
            super().finish()
        finally:
            self._server.closed(self.connection)

    def log_message(self, *_words: object) -> None:
        """Keep quiet: the call log of the control API is the log."""

    def do_POST(self) -> None:
        """Answer any method alike; the router knows methods."""
        body = self._body()
        if body is None:
            self._deliver(UNKNOWN_PATH)
            self.close_connection = True
            return
        host = self.headers.get("Host")
        base_url = f"http://{host}" if host else self._server.url
        self._deliver(self._server.router(self.command, self.path, body, base_url))

    do_GET = do_PUT = do_DELETE = do_HEAD = do_PATCH = do_OPTIONS = do_POST  # noqa: N815 - the parent looks these names up

    def _body(self) -> bytes | None:
        """The body, with a length or chunked; None if it has neither a readable nor a tolerable size."""
        if "chunked" in self.headers.get("Transfer-Encoding", "").lower():
            return self._chunks()
        try:
            length = int(self.headers.get("Content-Length") or 0)
        except ValueError:
            return None
        return self.rfile.read(length) if 0 <= length <= MAX_BODY else None

    def _chunks(self) -> bytes | None:
        body = bytearray()
        while True:
            try:
                size = int(self.rfile.readline(1024).split(b";")[0], 16)
            except ValueError:
                return None
            if size < 0 or len(body) + size > MAX_BODY:
                return None
            body += self.rfile.read(size)
            self.rfile.readline(1024)
            if size == 0:
                return bytes(body)

    def _deliver(self, delivery: Delivery) -> None:
        if delivery.delay_s:
            self._wait(delivery.delay_s)
        if delivery.manner == "hang":
            self._wait(delivery.seconds)
        if delivery.manner in {"hang", "close"}:
            self.close_connection = True
            return
        head = self._head(delivery)
        body = b"" if self.command == "HEAD" else delivery.body
        if delivery.manner == "truncate":
            self.connection.sendall(head + body[: len(body) // 2])
            self.close_connection = True
        elif delivery.manner == "drip":
            self._drip(head, body, delivery)
        else:
            self.connection.sendall(head + body)

    def _head(self, delivery: Delivery) -> bytes:
        phrase = self.responses.get(delivery.status, ("",))[0]
        lines = [
            f"HTTP/1.1 {delivery.status} {phrase}",
            f"Date: {self.date_time_string()}",
            f"Content-Type: {delivery.content_type}",
            f"Content-Length: {len(delivery.body)}",
            *([f"Location: {delivery.location}"] if delivery.location else []),
            *(["Connection: close"] if self.close_connection else []),
        ]
        return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")

    def _drip(self, head: bytes, body: bytes, delivery: Delivery) -> None:
        slow = head + body if delivery.drip_headers else body
        if not delivery.drip_headers:
            self.connection.sendall(head)
        for position in range(len(slow)):
            if not self._wait(delivery.seconds):
                self.close_connection = True
                return
            self.connection.sendall(slow[position : position + 1])

    def _wait(self, seconds: float) -> bool:
        """Wait, in real seconds, unless the caller hangs up or the server stops; False if one of those happened."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            if self._server.stopping.wait(min(left, POLL_S)) or self._caller_left():
                return False
        return True

    def _caller_left(self) -> bool:
        readable, _, _ = select.select([self.connection], [], [], 0)
        return bool(readable) and self.connection.recv(1, socket.MSG_PEEK) == b""


def is_operation(path: str) -> str | None:
    """The operation named by a path, or None: ``/B2CInvoice/Issue`` in any case."""
    plain = urlsplit(path).path
    return plain[len(OPERATION_PATH) :] if plain.lower().startswith(OPERATION_PATH) else None
