"""What all handlers run against, in processes of their own: an embedded AWS and the simulated centre, on loopback."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import boto3

from benchmarks import events
from einvoice.merchants import MerchantConfig, Merchants, Secret
from local.processes import ROOT, Child, free_port, local_python
from local.rest import call

REGION = "ap-northeast-1"
TABLE = "bench-ledger"
PLAIN_TABLES = {
    "BENCH_FLOOR_TABLE": "bench-floor",
    "BENCH_ORDERS_TABLE": "bench-orders",
    "BENCH_IDEMPOTENCY_TABLE": "bench-idempotency",
}
START_S, ANSWER_S = 30.0, 60.0
# ECPay's published test account (ECPay developers page 7849): everybody's, so no secret.
ACCOUNT, HASH_KEY, HASH_IV = "2000132", "ejCk326UnaZWKisg", "q9jcZX8Ib9LM8wYk"


class World:
    """The running surroundings; ``probe`` starts a handler in them. Nothing outlives the ``with`` block."""

    def __init__(self) -> None:
        self._aws_url = f"http://127.0.0.1:{free_port()}"
        self._centre_url = f"http://127.0.0.1:{free_port()}"
        self._exit = ExitStack()
        self._environment: dict[str, str] = {}

    def __enter__(self) -> Self:
        try:
            self._start()
        except BaseException:
            self._exit.close()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self._exit.close()

    def probe(self, name: str) -> Probe:
        """A fresh process with the handler ``name``, which the caller closes."""
        return Probe(name, self._environment)

    def delay_centre(self, seconds: float) -> None:
        """From now on the centre answers every Issue this late (it has issued by then); 0 ends it."""
        control = f"{self._centre_url}/_control/faults"
        call("DELETE", control)
        if seconds:
            fault = {"kind": "late_answer", "op": "Issue", "seconds": seconds, "times": None}
            reply = call("POST", control, fault)
            if reply.status != 200:  # noqa: PLR2004 — HTTP's OK
                raise RuntimeError(f"the simulator answered {reply.status}: {reply.body}")

    def _start(self) -> None:
        scratch = Path(tempfile.mkdtemp(prefix="einvoice-bench-"))
        self._exit.callback(shutil.rmtree, scratch)
        base = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
        base |= {"HOME": str(scratch), "TMPDIR": str(scratch), "PYTHONUTF8": "1"}
        keys = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_EC2_METADATA_DISABLED": "true"}
        aws_environment = {
            **base,
            **keys,
            "BIND_HOST": "127.0.0.1",
            "GATEWAY_PORT": self._aws_url.rpartition(":")[2],
            "MINISTACK_REGION": REGION,
            "SFTP_ENABLED": "0",
            "IOT_MTLS_ENABLED": "0",
        }
        aws = self._child("aws", ["ministack"], aws_environment, scratch)
        centre = ["simulators.ecpay", "--port", self._centre_url.rpartition(":")[2]]
        simulator = self._child("centre", centre, base, scratch)
        aws.wait_for(f"{self._aws_url}/_ministack/health", START_S)
        simulator.wait_for(f"{self._centre_url}/_control/clock", START_S)
        self._environment = {
            **base,
            **keys,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_ENDPOINT_URL": self._aws_url,
            "PYTHONPATH": f"{ROOT}:{ROOT / 'shared'}",
            "TABLE_NAME": TABLE,
            "KMS_KEY_ID": self._seeded(),
            "STAGE": "local",
            "CLOCK_SOURCE": "",
            "ALLOWED_PRIVATE_TARGETS": self._centre_url,
            "POWERTOOLS_SERVICE_NAME": "einvoice-bench",
            "POWERTOOLS_METRICS_NAMESPACE": "EInvoice",
            "POWERTOOLS_LOG_LEVEL": "INFO",
            "BENCH_CENTRE_URL": self._centre_url,
            **PLAIN_TABLES,
        }

    def _child(self, name: str, module: list[str], env: dict[str, str], scratch: Path) -> Child:
        child = Child(name, [local_python(), "-m", *module], env, scratch / f"{name}.log")
        return self._exit.enter_context(child)

    def _seeded(self) -> str:
        """Create tables and merchants; the id of the key that seals their credentials."""
        session = boto3.Session(aws_access_key_id="test", aws_secret_access_key="test", region_name=REGION)  # noqa: S106 — the emulator's
        dynamodb = session.client("dynamodb", endpoint_url=self._aws_url)
        kms = session.client("kms", endpoint_url=self._aws_url)
        _create_ledger(dynamodb)
        for name in PLAIN_TABLES.values():
            _create_plain(dynamodb, name)
        key_id: str = kms.create_key()["KeyMetadata"]["KeyId"]
        merchants = Merchants(dynamodb, kms, TABLE, key_id, time.monotonic)
        for index in range(events.MERCHANTS):
            merchant, now = events.merchant(index), datetime.now(UTC)
            merchants.put_secret(merchant, "first", Secret(HASH_KEY, HASH_IV), account=ACCOUNT, now=now)
            merchants.put_config(MerchantConfig(merchant, "ecpay", ACCOUNT, self._centre_url, credential_id="first"))
        return key_id


class Probe:
    """A handler's process (`benchmarks.probe`): ``imported`` says what its import took, ``ask`` gives it a command."""

    def __init__(self, name: str, environment: dict[str, str]) -> None:
        self.name = name
        self._process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.probe", name],
            cwd=ROOT,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.imported = self._read()

    def ask(self, command: str) -> dict[str, Any]:
        """The answer to one command."""
        assert self._process.stdin is not None  # noqa: S101 — a pipe was asked for
        self._process.stdin.write(command + "\n")
        self._process.stdin.flush()
        return self._read()

    def close(self) -> None:
        """End it."""
        self._process.communicate(timeout=ANSWER_S)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.close()

    def _read(self) -> dict[str, Any]:
        assert self._process.stdout is not None  # noqa: S101 — a pipe was asked for
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"the process of {self.name} ended with {self._process.wait()}")
        answer: dict[str, Any] = json.loads(line)
        return answer


def _create_ledger(dynamodb: Any) -> None:  # noqa: ANN401 — boto3 clients are built at run time
    dynamodb.create_table(
        TableName=TABLE,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[
            {"AttributeName": name, "AttributeType": "N" if name == "due_at" else "S"}
            for name in ("pk", "sk", "due_shard", "due_at", "bk", "no")
        ],
        KeySchema=_schema("pk", "sk"),
        GlobalSecondaryIndexes=[
            {
                "IndexName": "due",
                "KeySchema": _schema("due_shard", "due_at"),
                "Projection": {"ProjectionType": "KEYS_ONLY"},
            },
            {
                "IndexName": "books",
                "KeySchema": _schema("bk", "no"),
                "Projection": {"ProjectionType": "KEYS_ONLY"},
            },
        ],
    )


def _create_plain(dynamodb: Any, name: str) -> None:  # noqa: ANN401 — boto3 clients are built at run time
    dynamodb.create_table(
        TableName=name,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
    )


def _schema(partition: str, sort: str) -> list[dict[str, str]]:
    return [{"AttributeName": partition, "KeyType": "HASH"}, {"AttributeName": sort, "KeyType": "RANGE"}]
