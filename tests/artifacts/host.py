"""Lambda's side of one function (執行環境): the Runtime API over HTTP, and ``awslambdaric`` in a process of its own.

The process sees the artifact's two folders, the standard library and what ``python`` itself has installed, which is
``awslambdaric`` and nothing of ours. The API: https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from queue import Empty, Queue
from threading import Thread
from types import TracebackType
from typing import Any, Self

BOOT_S = 30.0
CALL_S = 25.0
LOG_CHARS = 4000


@dataclass(frozen=True, slots=True)
class Answer:
    """What one invocation came to: ``ok`` with the handler's value, or not, with Lambda's error document."""

    ok: bool
    body: Any


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:  # socketserver's signature
        """Quiet about the one thing that is ours: the process is ended while it waits for an event."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


class Booted:
    """One booted function. ``boot_s``: from the start of the process until it asked for its first event."""

    def __init__(self, python: Path, task_root: Path, layer: Path, env: Mapping[str, str], log: Path) -> None:
        self._events: Queue[bytes] = Queue()
        self._told: Queue[tuple[str, Any]] = Queue()
        self._server = _Server(("127.0.0.1", 0), self._handler())
        self._log, self._command = log, [str(python), "-s", "-m", "awslambdaric", "handler.handler"]
        self._task_root = task_root
        self._env = dict(env) | {
            "AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{self._server.server_address[1]}",
            "LAMBDA_TASK_ROOT": str(task_root),
            "PYTHONPATH": str(layer / "python"),
            "PYTHONDONTWRITEBYTECODE": "1",  # Lambda's folders are read-only; here root could write
            "_HANDLER": "handler.handler",
        }
        self.boot_s = 0.0

    def invoke(self, event: Mapping[str, Any]) -> Answer:
        """One event, and what the function made of it."""
        self._events.put(json.dumps(event).encode())
        kind, body = self._next("an answer", CALL_S)
        return Answer(kind == "response", body)

    def log(self) -> str:
        """Everything the process has written."""
        return self._log.read_text("utf-8", errors="replace")

    def _next(self, what: str, seconds: float) -> tuple[str, Any]:
        until = time.monotonic() + seconds
        while time.monotonic() < until and self._process.poll() is None:
            with suppress(Empty):
                return self._told.get(timeout=0.2)
        raise AssertionError(f"not {what} (exit status {self._process.poll()}):\n{self.log()[-LOG_CHARS:]}")

    def __enter__(self) -> Self:
        Thread(target=self._server.serve_forever, daemon=True).start()
        started = time.monotonic()
        with self._log.open("wb") as out:
            self._process = subprocess.Popen(self._command, cwd=self._task_root, env=self._env, stdout=out, stderr=out)
        try:
            kind, body = self._next("ready", BOOT_S)
            assert kind == "next", f"did not boot: {body}\n{self.log()[-LOG_CHARS:]}"
        except BaseException:
            self.__exit__(None, None, None)
            raise
        self.boot_s = time.monotonic() - started
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self._process.kill()
        self._process.wait()
        self._events.put(b"")  # whatever waits for an event goes home
        self._server.shutdown()
        self._server.server_close()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        events, told = self._events, self._told
        ready = [True]

        class Handler(BaseHTTPRequestHandler):
            """``next`` hands an event out, ``response`` and ``error`` take what came of it."""

            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                if ready:
                    ready.clear()
                    told.put(("next", None))
                self._reply(200, events.get())

            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["content-length"])))
                told.put((self.path.rpartition("/")[2] if "/invocation/" in self.path else "init", body))
                self._reply(202, b"{}")

            def _reply(self, status: int, body: bytes) -> None:
                if not body:
                    self.close_connection = True
                    return
                self.send_response(status)
                self.send_header("Lambda-Runtime-Aws-Request-Id", "6f6e652d-696e-766f-6963-650000000001")
                self.send_header("Lambda-Runtime-Deadline-Ms", str(int((time.time() + CALL_S) * 1000)))
                self.send_header("Lambda-Runtime-Invoked-Function-Arn", "arn:aws:lambda:ap-northeast-1:1:function:f")
                self.send_header("content-type", "application/json")
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # http.server's signature
                """Nothing."""

        return Handler
