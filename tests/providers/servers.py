"""Real socket servers that misbehave on purpose: each connection is handed to a script, in a thread of its own."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager


class Server:
    """What a test may ask of a running server."""

    def __init__(self, listener: socket.socket) -> None:
        self.port = listener.getsockname()[1]
        self.connections = 0
        self.requests: list[bytes] = []
        self.open: list[socket.socket] = []
        self.stopped = threading.Event()

    @property
    def origin(self) -> str:
        """Its address as a base URL."""
        return f"http://127.0.0.1:{self.port}"


Script = Callable[[Server, socket.socket, int], None]
"""Plays one connection; the number counts connections from 1."""


@contextmanager
def serving(script: Script, tls: ssl.SSLContext | None = None) -> Iterator[Server]:
    """Run ``script`` for every connection until the block ends."""
    listener = socket.create_server(("127.0.0.1", 0))
    server = Server(listener)
    players: list[threading.Thread] = []

    def play(raw: socket.socket, number: int) -> None:
        # A client that gives up breaks our writes; that is the point of most tests here.
        with contextlib.suppress(OSError), contextlib.closing(raw):
            raw.settimeout(10)
            connection = tls.wrap_socket(raw, server_side=True) if tls else raw
            server.open.append(connection)
            with contextlib.closing(connection):
                script(server, connection, number)

    def accept() -> None:
        while True:
            try:
                raw, _ = listener.accept()
            except OSError:
                return
            server.connections += 1
            players.append(threading.Thread(target=play, args=(raw, server.connections), daemon=True))
            players[-1].start()

    door = threading.Thread(target=accept, daemon=True)
    door.start()
    try:
        yield server
    finally:
        server.stopped.set()
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        door.join(5)
        for connection in server.open:
            with contextlib.suppress(OSError):  # closed already
                connection.shutdown(socket.SHUT_RDWR)
        for player in players:
            player.join(5)


def read_request(server: Server, connection: socket.socket) -> bytes:
    """Read one request with a Content-Length; its body. Empty when the client has closed."""
    received = b""
    while b"\r\n\r\n" not in received:
        more = connection.recv(65536)
        if not more:
            return b""
        received += more
    head, _, body = received.partition(b"\r\n\r\n")
    length = next(
        int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length")
    )
    while len(body) < length:
        body += connection.recv(65536)
    server.requests.append(head + b"\r\n\r\n" + body)
    return body


def answer(body: bytes, status: str = "200 OK", headers: str = "") -> bytes:
    """A complete HTTP answer."""
    return f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n{headers}\r\n".encode() + body


def always(reply: bytes) -> Script:
    """Answer every request on every connection with the same bytes, keeping the connection."""

    def script(server: Server, connection: socket.socket, number: int) -> None:
        while read_request(server, connection):
            connection.sendall(reply)

    return script


def drip(server: Server, connection: socket.socket, text: bytes, every_s: float = 0.03) -> None:
    """Send ``text`` one byte at a time, for ever if need be."""
    position = 0
    while not server.stopped.wait(every_s):
        connection.sendall(text[position : position + 1] or b"x")
        position += 1
