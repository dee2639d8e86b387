"""A ledger and a centre that outlive every process of ours: DynamoDB and KMS of the embedded AWS, and the simulator."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import boto3

from einvoice.model import OrderKey
from einvoice.store.base import Head
from einvoice.store.dynamodb import DynamoStore
from local.processes import Child, free_port, local_python
from simulators.ecpay import Simulator, start
from tests.aws import REGION, TABLE, create_table
from tests.service import MERCHANT, ROOT, SCOPES, add_merchant
from tests.torture.boundaries import KILLED

NOW = "2026-03-14T10:00:00+08:00"  # well inside March–April
START_S = 20.0
UPLOADED_S = 3 * 3600  # the centre has passed an invoice on to the ministry by then
ROUTES = {
    "issue": "POST /v1/invoices",
    "void": "POST /v1/invoices/{id}/void",
    "reissue": "POST /v1/invoices/{id}/reissue",
    "allow": "POST /v1/invoices/{id}/allowances",
    "void_allowance": "POST /v1/allowances/{id}/void",
    "correct": "POST /v1/orders/{source}/{order_id}/corrections",
}
FUNCTIONS = {"allow": "allowance", "void_allowance": "allowance", "correct": "corrections"}  # the others: as the route
NOWHERE = "http://127.0.0.1:1"  # where the centre calls back: nobody hears, unless a test passes it on

Json = dict[str, Any]


@dataclass(frozen=True)
class Run:
    """One invocation: the edges it crossed, whether it was killed on the last of them, what it answered if not."""

    edges: list[str]
    killed: bool
    answer: Any

    @property
    def status(self) -> int:
        """The HTTP status, 0 where the process died without an answer."""
        return 0 if self.killed else int(self.answer["statusCode"])


class World:
    """What stands outside. ``run`` is the only way anything of ours happens, always in a process of its own.

    ``environment`` is that of a function here, for a process that a test starts and kills by itself.
    """

    def __init__(
        self, sim: Simulator, store: DynamoStore, victim: subprocess.Popen[str], environment: dict[str, str]
    ) -> None:
        self.sim, self.store, self.environment = sim, store, environment
        self.dynamodb = store._client
        self._victim = victim

    def reset(self) -> None:
        """A new shop: centre and ledger hold no order, the clock starts again."""
        self.sim.reset()
        for item in self.dynamodb.scan(TableName=TABLE, ProjectionExpression="pk, sk")["Items"]:
            if "#O#" in item["pk"]["S"]:
                self.dynamodb.delete_item(TableName=TABLE, Key=item)
        self.sim.settings({"profile": "stage"})
        self.sim.move_clock(now=datetime.fromisoformat(NOW))

    def run(self, function: str, event: Json, kill_at: int = 0) -> Run:
        """One invocation, killed at its ``kill_at``-th edge (0: never)."""
        assert self._victim.stdin is not None
        assert self._victim.stdout is not None
        self._victim.stdin.write(json.dumps({"function": function, "event": event, "kill_at": kill_at}) + "\n")
        self._victim.stdin.flush()
        line = self._victim.stdout.readline()
        assert line, "the victims' parent has ended"
        told = json.loads(line)
        assert told["status"] in {0, KILLED}, told
        assert (told["status"] == KILLED) == (told["answer"] is None), told
        return Run(told["edges"], told["status"] == KILLED, told["answer"])

    def call(self, route: str, body: Json, path: Json, kill_at: int = 0) -> Run:
        """One HTTP request of the merchant."""
        event = {
            "version": "2.0",
            "routeKey": ROUTES[route],
            "headers": {},
            "requestContext": {
                "requestId": f"req-{uuid.uuid4().hex[:12]}",
                "authorizer": {"lambda": {"merchant": MERCHANT, "scopes": SCOPES, "key_id": "k"}},
            },
            "pathParameters": path,
            "body": json.dumps(body, ensure_ascii=False),
            "isBase64Encoded": False,
        }
        return self.run(FUNCTIONS.get(route, route), event, kill_at)

    def tell_agreed(self, kill_at: int = 0) -> Run:
        """The centre's last callback, which said that a buyer agreed, comes to us."""
        told = self.sim.callbacks()[-1]
        event = {
            "version": "2.0",
            "routeKey": "POST /v1/callbacks/ecpay/{merchant_id}/{name}",
            "headers": {"content-type": "application/x-www-form-urlencoded"},
            "requestContext": {"requestId": f"req-{uuid.uuid4().hex[:12]}"},
            "pathParameters": {"merchant_id": MERCHANT, "name": str(told["url"]).rpartition("/")[2]},
            "body": urlencode(told["form"]),
        }
        return self.run("callbacks", event, kill_at)

    def head(self, order_id: str) -> Head | None:
        """What the ledger holds."""
        return self.store.read(OrderKey(MERCHANT, "api", order_id))

    def upload(self, order_id: str) -> None:
        """Hours pass, the ministry has the invoice, and the ledger knows: what ``confirm`` would write."""
        self.sim.move_clock(advance_s=UPLOADED_S)
        head = self.head(order_id)
        assert head is not None
        assert self.store.replace(replace(head, upload="confirmed", ver=head.ver + 1, write_id="uploaded")) is None

    def confirm(self, order_id: str) -> None:
        """Half a day passes, and ``confirm`` hears that the ministry has everything of this order."""
        head = self.head(order_id)
        assert head is not None
        assert head.confirm_at is not None
        self.wait_until(head.confirm_at + 1)
        self.run("confirm", {})
        head = self.head(order_id)
        assert head is not None
        assert head.confirm_at is None, head

    def wait_until(self, epoch: int) -> None:
        """Move the clock there, if it is not past it; what is on its way arrives meanwhile."""
        self.sim.move_clock(advance_s=max(0.0, epoch - self.sim.now().timestamp()))


@contextmanager
def world(scratch: Path, sabotage: str = "") -> Iterator[World]:
    """The outside, empty but for one merchant; ``scratch`` takes the logs, ``sabotage`` breaks the product first."""
    port = free_port()
    endpoint = f"http://127.0.0.1:{port}"
    environment = {"PATH": os.environ["PATH"], "HOME": str(scratch), "TMPDIR": str(scratch), "PYTHONUTF8": "1"}
    with ExitStack() as stack:
        aws_environment = environment | {
            "BIND_HOST": "127.0.0.1",  # its default is every interface
            "GATEWAY_PORT": str(port),
            "MINISTACK_REGION": REGION,
            "SFTP_ENABLED": "0",
            "IOT_MTLS_ENABLED": "0",
        }
        log = scratch / "aws.log"
        aws = stack.enter_context(Child("aws", [local_python(), "-m", "ministack"], aws_environment, log))
        sim = stack.enter_context(start(port=0))
        aws.wait_for(f"{endpoint}/_ministack/health", START_S)
        session = boto3.Session(aws_access_key_id="test", aws_secret_access_key="test", region_name=REGION)
        dynamodb, kms = session.client("dynamodb", endpoint_url=endpoint), session.client("kms", endpoint_url=endpoint)
        create_table(dynamodb)
        key_id = kms.create_key()["KeyMetadata"]["KeyId"]
        settings = {"same_number_reissue": True, "history": "void_allowances_first"}
        add_merchant(dynamodb, kms, key_id, sim, MERCHANT, **settings)
        function_environment = environment | {
            "PYTHONPATH": f"{ROOT}:{ROOT / 'shared'}",
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_DEFAULT_REGION": REGION,
            "AWS_ENDPOINT_URL": endpoint,
            "POWERTOOLS_SERVICE_NAME": "torture",
            "POWERTOOLS_METRICS_NAMESPACE": "EInvoice",
            "TABLE_NAME": TABLE,
            "KMS_KEY_ID": key_id,
            "STAGE": "test",
            "PUBLIC_URL": NOWHERE,
            "CLOCK_SOURCE": f"{sim.url}/_control/clock",
            "ALLOWED_PRIVATE_TARGETS": sim.url,
        }
        victim = stack.enter_context(_victim(function_environment, scratch / "victim.log", sabotage))
        yield World(sim, DynamoStore(dynamodb, TABLE), victim, function_environment)


@contextmanager
def _victim(environment: dict[str, str], log: Path, sabotage: str) -> Iterator[subprocess.Popen[str]]:
    with (
        log.open("w") as errors,
        subprocess.Popen(
            [sys.executable, "-m", "tests.torture.victim", *filter(None, [sabotage])],
            cwd=ROOT,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        ) as process,
    ):
        yield process  # leaving closes its standard input, which ends it
