"""A DynamoDB that fails on order (故障代理): in front of the embedded one, which never fails by itself."""

from __future__ import annotations

import http.client
import threading
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

COMMIT = b'"st": {"S": "ISSUED"}'  # in the PutItem that ends an issue or an allowance, as boto3 writes it
ERROR = b'{"__type":"com.amazonaws.dynamodb.v20120810#InternalServerError","message":"ordered"}'
HOP_BY_HOP = frozenset({"connection", "transfer-encoding", "content-length", "keep-alive"})
FORWARD_S = 10.0

Forwarded = tuple[HTTPStatus, dict[str, str], bytes]  # status, headers, body


class FailingTable:
    """Passes every call on to ``endpoint``, but for PutItem calls that match ``COMMIT`` once ordered.

    ``url`` is what a client is given as its endpoint. Signatures stay valid: the Host header is passed on as it came.
    """

    def __init__(self, endpoint: str) -> None:
        self._target = urlsplit(endpoint)
        self._lock = threading.Lock()
        self._times = 0
        self._write = False
        table = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True  # headers and body are two writes: the second would wait for the client

            def do_POST(self) -> None:
                table.answer(self)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # http.server's signature
                """Nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, name="failing-table", daemon=True)

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def fail(self, times: int, *, write: bool) -> None:
        """Answer 500 to the next ``times`` commits; ``write``: after they were carried out."""
        with self._lock:
            self._times, self._write = times, write

    @property
    def left(self) -> int:
        """How many ordered failures were not met yet."""
        return self._times

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        """Carry one request out, or not."""
        body = request.rfile.read(int(request.headers["content-length"]))
        fails = self._fails(request.headers.get("x-amz-target", ""), body)
        failure: Forwarded = HTTPStatus.INTERNAL_SERVER_ERROR, {}, ERROR
        carried_out = self._forward(request, body) if self._write or not fails else failure
        status, headers, reply = failure if fails else carried_out
        request.send_response(status)
        for name, value in headers.items():
            request.send_header(name, value)
        request.send_header("content-length", str(len(reply)))
        request.end_headers()
        request.wfile.write(reply)

    def _fails(self, target: str, body: bytes) -> bool:
        with self._lock:
            if self._times == 0 or not target.endswith(".PutItem") or COMMIT not in body:
                return False
            self._times -= 1
            return True

    def _forward(self, request: BaseHTTPRequestHandler, body: bytes) -> Forwarded:
        connection = http.client.HTTPConnection(str(self._target.hostname), self._target.port, timeout=FORWARD_S)
        try:
            connection.request("POST", request.path, body, dict(request.headers.items()))
            answer = connection.getresponse()
            kept = {name: value for name, value in answer.getheaders() if name.lower() not in HOP_BY_HOP}
            return HTTPStatus(answer.status), kept, answer.read()
        finally:
            connection.close()

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self._server.shutdown()
        self._server.server_close()
