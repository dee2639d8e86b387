"""Child processes of a local run: started on loopback, waited for, and never left behind."""

from __future__ import annotations

import http.client
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from pathlib import Path
from types import TracebackType
from typing import Self

from local.rest import call

ROOT = Path(__file__).resolve().parent.parent
LOG_TAIL_CHARS = 4000


class LocalRunError(Exception):
    """The local run cannot go on; the message says what to look at."""


def free_port(wanted: int = 0) -> int:
    """``wanted``, or any port, that is free on loopback now. Raises LocalRunError if ``wanted`` is taken."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # one that a run before has just left is free
        try:
            probe.bind(("127.0.0.1", wanted))
        except OSError as error:
            raise LocalRunError(f"port {wanted} of this machine: {error.strerror}; choose another one") from error
        port: int = probe.getsockname()[1]
        return port


def local_python() -> str:
    """The interpreter that has the embedded AWS: the one ``make`` builds for it, or else this one."""
    built = ROOT / ".venv-local" / "bin" / "python"
    return str(built) if built.exists() else sys.executable


class Child:
    """One background process (背景程序), its output in ``log``; ``close`` ends it and everything it started."""

    def __init__(self, name: str, command: Sequence[str], env: Mapping[str, str], log: Path) -> None:
        self.name, self.log = name, log
        with log.open("ab") as out:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "local.lifeline", *command],
                cwd=ROOT,
                env=dict(env),
                stdin=subprocess.PIPE,
                stdout=out,
                stderr=out,
                start_new_session=True,
            )

    def wait_for(self, url: str, seconds: float) -> None:
        """Return once ``url`` answers 200; LocalRunError with the end of the log if it does not within ``seconds``."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            self.check()
            try:
                if call("GET", url, timeout_s=1).status == HTTPStatus.OK:
                    return
            except (OSError, http.client.HTTPException):
                pass  # not listening yet
            time.sleep(0.03)
        raise LocalRunError(f"{self.name} did not answer {url} within {seconds} s:\n{self._log_tail()}")

    def check(self) -> None:
        """LocalRunError with the end of the log if it has ended."""
        if self._process.poll() is not None:
            raise LocalRunError(f"{self.name} has ended:\n{self._log_tail()}")

    def close(self, seconds: float = 10.0) -> None:
        """End it and its children; safe to call twice."""
        if self._process.stdin is not None:
            self._process.stdin.close()
        try:
            self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _log_tail(self) -> str:
        return self.log.read_text(errors="replace")[-LOG_TAIL_CHARS:]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.close()
