"""The DynamoDBs the ledger is held to (引擎): each as a low-level client, in a process that does not outlive its test.

moto runs in this process; the embedded AWS and dynoxide are programs of their own that share no line with it or with
each other. What all of them agree on is likely to be DynamoDB's behaviour rather than one imitation's.
"""

from __future__ import annotations

import http.client
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

import boto3
import pytest
from botocore.config import Config

from local.processes import ROOT, Child, free_port, local_python
from local.rest import call
from tests.aws import REGION, TABLE, create_table

DYNOXIDE = ROOT / ".dynoxide" / "dynoxide"
START_S = 20.0
# no retries: a test that wants one makes it itself, and a killed engine is noticed at once
AT_ONCE = Config(connect_timeout=2, read_timeout=5, retries={"total_max_attempts": 1}, max_pool_connections=16)


@contextmanager
def ministack(scratch: Path) -> Iterator[Any]:
    """The embedded AWS of ``.venv-local``."""
    port = free_port()
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(scratch),
        "TMPDIR": str(scratch),
        "BIND_HOST": "127.0.0.1",  # its default is every interface
        "GATEWAY_PORT": str(port),
        "MINISTACK_REGION": REGION,
        "SFTP_ENABLED": "0",
        "IOT_MTLS_ENABLED": "0",
    }
    with Child("ministack", [local_python(), "-m", "ministack"], environment, scratch / "ministack.log") as child:
        child.wait_for(f"http://127.0.0.1:{port}/_ministack/health", START_S)
        yield with_table(client(port))


@contextmanager
def dynoxide(scratch: Path) -> Iterator[Any]:
    """dynoxide, its data in ``scratch``."""
    with Dynoxide(scratch / "ledger.sqlite") as engine:
        yield with_table(client(engine.port))


class Dynoxide:
    """One dynoxide on a file: ``kill`` ends it as a power cut would end its process, ``start`` begins it again."""

    def __init__(self, data: Path) -> None:
        if not DYNOXIDE.exists():
            pytest.skip("NOT RUN: no dynoxide here; `make .dynoxide/.stamp` says why")
        self.port = free_port()
        self._command = [str(DYNOXIDE), "--host", "127.0.0.1", "--port", str(self.port), "--db-path", str(data)]
        self._log = data.with_suffix(".log")
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it and wait until it answers. What it already acknowledged must still be there."""
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(self._command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        until = time.monotonic() + START_S
        while True:
            try:
                call("GET", f"http://127.0.0.1:{self.port}/", timeout_s=1)
            except (OSError, http.client.HTTPException):  # not listening yet
                assert time.monotonic() < until, self._log.read_text()
                assert self._process.poll() is None, self._log.read_text()
                time.sleep(0.005)
            else:
                return

    def kill(self) -> None:
        """``kill -9``, whatever it is writing at this moment."""
        if self._process is not None:
            self._process.send_signal(signal.SIGKILL)
            self._process.wait()
            self._process = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()


def client(port: int) -> Any:
    """A client of the engine on a port of this machine."""
    session = boto3.Session(aws_access_key_id="test", aws_secret_access_key="test", region_name=REGION)
    return session.client("dynamodb", endpoint_url=f"http://127.0.0.1:{port}", config=AT_ONCE)


def with_table(made: Any) -> Any:
    """The client, once its engine has the ledger's table."""
    create_table(made)
    return made


def emptied(made: Any) -> None:
    """Take every item out of the table."""
    for item in made.scan(TableName=TABLE)["Items"]:
        made.delete_item(TableName=TABLE, Key={"pk": item["pk"], "sk": item["sk"]})
