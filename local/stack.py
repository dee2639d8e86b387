"""One local run: embedded AWS, simulated centre, the deployed template and one merchant, as a context manager.

    with Stack(now="2026-03-14T00:00:00+08:00") as stack:
        reply = stack.request("POST", "/v1/invoices", {...})

Nothing it starts outlives the ``with`` block, and nothing listens on another interface than loopback.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from datetime import datetime
from http import HTTPStatus
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

from local import deploy, merchant, translate
from local.processes import ROOT, Child, LocalRunError, free_port, local_python
from local.rest import Reply, call

T = TypeVar("T")

START_S = 30.0
CLOCK_SEEN_S = 0.3  # functions keep the clock's offset for 0.2 s
QUEUES = {"issue": "IssueQueue", "void": "VoidQueue", "reissue": "ReissueQueue", "allowance": "AllowanceQueue"}
KEPT_ENV = ("PATH", "LANG", "LC_ALL")  # functions see the emulator's environment: hand on nothing else


class Stack:
    """The running system.

    ``port``: of the API, 0 takes a free one. ``now``: RFC 3339, where every clock starts; empty is the real time.
    Once entered: ``base_url`` and ``api_key`` (of merchant ``demo-shop``), ``sim_url``, ``endpoint`` (the embedded
    AWS), ``physical`` (physical ids by logical id) and ``run_dir`` (the logs).
    """

    def __init__(self, *, template: Path = ROOT / "template.yaml", port: int = 0, now: str = "") -> None:
        self._template, self._port, self._now = template, port, now
        self.endpoint = self.sim_url = ""
        self.run_dir = Path()
        self.base_url = self.api_key = ""
        self.physical: dict[str, str] = {}
        self._children: list[Child] = []
        self._exit = ExitStack()

    def __enter__(self) -> Self:
        try:
            self._start()
        except BaseException:
            self._exit.close()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self._exit.close()

    # --- what a caller does with it -----------------------------------------------------------------------------------

    def request(self, method: str, path: str, body: object = None, *, idempotency_key: str = "") -> Reply:
        """One request to the API as the merchant."""
        headers = {"authorization": f"Bearer {self.api_key}"}
        if idempotency_key:
            headers["idempotency-key"] = idempotency_key
        return call(method, self.base_url + path, body, headers)

    def send(self, queue: str, body: Mapping[str, Any]) -> None:
        """Put a command of the merchant on the queue ``issue``, ``void``, ``reissue`` or ``allowance``."""
        message = {"merchant_id": merchant.MERCHANT, "command": queue, **body}
        self.client("sqs").send_message(
            QueueUrl=self.physical[QUEUES[queue]],
            MessageBody=json.dumps(message, ensure_ascii=False),
            MessageGroupId=message["merchant_id"],
        )

    def recover(self) -> None:
        """What the schedule does every minute, now."""
        self._run("RecoverFunction")

    def confirm(self) -> None:
        """What the schedule does every five minutes, now."""
        self._run("ConfirmFunction")

    def control(self, method: str, path: str, body: object = None) -> Any:  # noqa: ANN401  # JSON values
        """One call of the simulated centre's control interface."""
        reply = call(method, f"{self.sim_url}/_control/{path}", body)
        if reply.status != HTTPStatus.OK:
            raise LocalRunError(f"the simulator answered {reply.status} to {method} {path}: {reply.body}")
        return reply.body

    def fault(self, kind: str, op: str, **more: object) -> None:
        """Let the centre's next ``op`` (Issue, GetIssue, Invalid …) fail in the way ``kind``."""
        self.control("POST", "faults", {"kind": kind, "op": op, **more})

    def now(self) -> datetime:
        """What time it is in the system."""
        return datetime.fromisoformat(self.control("GET", "clock")["now"])

    def advance(self, seconds: float) -> None:
        """Move every clock of the system forward."""
        self.control("POST", "clock", {"advance_s": seconds})
        time.sleep(CLOCK_SEEN_S)

    def move_to(self, now: str) -> None:
        """Set every clock of the system. ``now``: RFC 3339."""
        self.control("POST", "clock", {"now": now})
        time.sleep(CLOCK_SEEN_S)

    def client(self, service: str) -> Any:  # noqa: ANN401  # which client depends on a name
        """A boto3 client of the embedded AWS, as its administrator."""
        return deploy.client(service, self.endpoint)

    def check(self) -> None:
        """LocalRunError if a part of the system has ended."""
        for child in self._children:
            child.check()

    def _run(self, function: str) -> None:
        reply = self.client("lambda").invoke(FunctionName=self.physical[function], Payload=b"{}")
        if "FunctionError" in reply:
            raise LocalRunError(f"{function} failed: {reply['Payload'].read().decode()}")

    # --- starting -----------------------------------------------------------------------------------------------------

    def _start(self) -> None:
        self.endpoint = f"http://127.0.0.1:{free_port(self._port)}"
        self.sim_url = f"http://127.0.0.1:{free_port()}"
        self.run_dir = Path(tempfile.mkdtemp(prefix="einvoice-local-"))
        self._exit.callback(shutil.rmtree, self.run_dir)
        aws, simulator = self._start_aws(), self._start_simulator()
        aws.wait_for(f"{self.endpoint}/_ministack/health", START_S)
        clock = f"{self.sim_url}/_control/clock"
        self.base_url = f"{self.endpoint}/_aws/execute-api/{translate.api_id('Api')}"
        parameters = {
            "Stage": "local",
            "ClockSource": clock,
            "AllowedPrivateTargets": self.sim_url,
            "PublicUrl": self.base_url,  # the simulator calls back
        }
        self.physical = deploy.deploy(self._template, parameters, self.endpoint)
        simulator.wait_for(clock, START_S)
        self.api_key = merchant.seed(
            self.client("dynamodb"), self.client("kms"), self.physical, self.sim_url, self.now()
        )

    def _start_aws(self) -> Child:
        state = self.run_dir / "aws"
        state.mkdir()
        env = _environment(state) | {
            "BIND_HOST": "127.0.0.1",  # its default is every interface, without a password, and it runs code
            "GATEWAY_PORT": self.endpoint.rpartition(":")[2],
            "MINISTACK_HOST": "127.0.0.1",
            "MINISTACK_ACCOUNT_ID": deploy.ACCOUNT,
            "MINISTACK_REGION": deploy.REGION,
            "AWS_ACCESS_KEY_ID": deploy.ADMIN,
            "AWS_SECRET_ACCESS_KEY": deploy.ADMIN,
            "AWS_EC2_METADATA_DISABLED": "true",
            "AUTH": "true",  # each function may do what its role in the template allows, and no more
            "SFTP_ENABLED": "0",
            "IOT_MTLS_ENABLED": "0",
        }
        return self._child("aws", ["ministack"], env)

    def _start_simulator(self) -> Child:
        arguments = ["simulators.ecpay", "--port", self.sim_url.rpartition(":")[2]]
        return self._child("ecpay", arguments + (["--now", self._now] if self._now else []), _environment(self.run_dir))

    def _child(self, name: str, module: list[str], env: Mapping[str, str]) -> Child:
        child = Child(name, [local_python(), "-m", *module], env, self.run_dir / f"{name}.log")
        self._children.append(self._exit.enter_context(child))
        return child


def _environment(scratch: Path) -> dict[str, str]:
    """What a child sees of this process's environment; its home and temporary files are below ``scratch``."""
    kept = {name: value for name in KEPT_ENV if (value := os.environ.get(name))}
    return kept | {"HOME": str(scratch), "TMPDIR": str(scratch), "PYTHONUTF8": "1"}


def wait_until(what: str, look: Callable[[], T | None], seconds: float = 15.0) -> T:
    """The first answer of ``look`` that is something; LocalRunError naming ``what`` if none comes in time."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if (seen := look()) is not None:
            return seen
        time.sleep(0.1)
    raise LocalRunError(f"{what}: not within {seconds} s")
