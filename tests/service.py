"""The real handlers on moto's DynamoDB and KMS, against the simulator over real HTTP: most tests stand on this."""

from __future__ import annotations

import importlib.util
import json
import os
import uuid
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType
from typing import Any
from unittest.mock import patch

import boto3
from moto import mock_aws

from einvoice import wiring
from einvoice.application.ports import Ports
from einvoice.merchants import MerchantConfig, Merchants, Secret
from einvoice.merchants.config import Settings
from einvoice.model import OrderKey
from einvoice.store.base import Head
from simulators.ecpay import Simulator, start
from tests.aws import REGION, TABLE, create_table

ROOT = Path(__file__).parents[1]
MERCHANT = "demo-shop"
SCOPES = "invoices:read invoices:write invoices:void invoices:reissue invoices:allowance invoices:correct"
ENVIRONMENT = {
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
    "AWS_DEFAULT_REGION": REGION,
    "POWERTOOLS_SERVICE_NAME": "test",
    "POWERTOOLS_METRICS_NAMESPACE": "EInvoice",
}


class Context:
    """Lambda's context, as far as the handlers look at it."""

    aws_request_id = "test-request"

    def __init__(self, left_s: float = 25.0) -> None:
        self.left_s = left_s

    def get_remaining_time_in_millis(self) -> int:
        """What is left of the invocation."""
        return int(self.left_s * 1000)


def load(function: str) -> ModuleType:
    """The handler module of one function folder, loaded afresh."""
    path = ROOT / "functions" / function / "handler.py"
    spec = importlib.util.spec_from_file_location(f"handler_{function}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@dataclass
class Response:
    """One HTTP answer."""

    status: int
    body: dict[str, Any]
    headers: dict[str, str]


@dataclass
class Service:
    """One merchant's service: call it, look into its ledger, move its clock."""

    sim: Simulator
    dynamodb: Any
    sleeps: list[float] = field(default_factory=list)
    calls: Counter[str] = field(default_factory=Counter)

    def issue(self, body: Any, **headers: str) -> Response:
        """POST /v1/invoices."""
        return self.call("issue", "POST /v1/invoices", body, **headers)

    def void(self, invoice_id: str, reason: str = "訂單取消", **headers: str) -> Response:
        """POST /v1/invoices/{id}/void."""
        path = {"id": invoice_id}
        return self.call("void", "POST /v1/invoices/{id}/void", {"reason": reason}, path=path, **headers)

    def reissue(self, invoice_id: str, body: Any, **headers: str) -> Response:
        """POST /v1/invoices/{id}/reissue."""
        return self.call("reissue", "POST /v1/invoices/{id}/reissue", body, path={"id": invoice_id}, **headers)

    def correct(self, order_id: str, body: Any, *, source: str = "api", **headers: str) -> Response:
        """POST /v1/orders/{source}/{order_id}/corrections."""
        path = {"source": source, "order_id": order_id}
        return self.call("corrections", "POST /v1/orders/{source}/{order_id}/corrections", body, path=path, **headers)

    def withdraw(self, order_id: str, plan_id: int | str = 1, *, source: str = "api", **request: Any) -> Response:
        """DELETE /v1/orders/{source}/{order_id}/corrections/{id}."""
        path = {"source": source, "order_id": order_id, "id": str(plan_id)}
        route = "DELETE /v1/orders/{source}/{order_id}/corrections/{id}"
        return self.call("corrections", route, None, path=path, **request)

    def record(self, order_id: str, facts: Any, *, source: str = "api") -> Response:
        """PATCH /v1/orders/{source}/{order_id}/facts."""
        path = {"source": source, "order_id": order_id}
        return self.call("corrections", "PATCH /v1/orders/{source}/{order_id}/facts", facts, path=path)

    def file(self, period: str, body: Any = None) -> Response:
        """PUT /v1/filings/{period}."""
        return self.call("corrections", "PUT /v1/filings/{period}", body or {}, path={"period": period})

    def allow(self, invoice_id: str, body: Any, **headers: str) -> Response:
        """POST /v1/invoices/{id}/allowances."""
        return self.call("allowance", "POST /v1/invoices/{id}/allowances", body, path={"id": invoice_id}, **headers)

    def void_allowance(self, allowance_id: str, reason: str = "折讓錯誤", **headers: str) -> Response:
        """POST /v1/allowances/{id}/void."""
        path = {"id": allowance_id}
        return self.call("allowance", "POST /v1/allowances/{id}/void", {"reason": reason}, path=path, **headers)

    def callback(self, name: str, form: str, merchant: str = MERCHANT) -> Any:
        """POST /v1/callbacks/ecpay/{merchant_id}/{name}, as the centre sends it: a form, and no authorizer."""
        event = {
            "version": "2.0",
            "routeKey": "POST /v1/callbacks/ecpay/{merchant_id}/{name}",
            "headers": {"content-type": "application/x-www-form-urlencoded"},
            "requestContext": {"requestId": f"req-{uuid.uuid4().hex[:12]}"},
            "pathParameters": {"merchant_id": merchant, "name": name},
            "body": form,
            "isBase64Encoded": False,
        }
        return load("callbacks").handler(event, Context())

    def confirm(self, advance_s: float = 0.0, left_s: float = 60.0) -> dict[str, int]:
        """Move the clock and ask once what the ministry made of the documents that are due for it."""
        if advance_s:
            self.advance(advance_s)
        counts: dict[str, int] = load("confirm").handler({}, Context(left_s))
        return counts

    def confirm_now(self, order_id: str) -> None:
        """Bring an order's confirmation forward, as if its time had come, and ask."""
        head = self.head(order_id)
        if head.due_at is None and head.confirm_at is not None:
            wanted = replace(head, ver=head.ver + 1, write_id=uuid.uuid4().hex, confirm_at=1)
            assert wiring.ports().store.replace(wanted) is None
            self.confirm()

    def sold(self, body: Any, at: str = "") -> str:
        """Issue an order, at an instant, and hear the ministry confirm it; the invoice's id."""
        if at:
            self.sim.move_clock(now=datetime.fromisoformat(at))
        answer = self.issue(body)
        assert answer.status == 201, answer.body
        self.confirm_now(body["order_id"])
        return str(answer.body["id"])

    def go_on(self, hours: float, step_s: float = 3600.0) -> None:
        """Let time pass, with the recovery and the confirmation at work."""
        for _ in range(int(hours * 3600 / step_s)):
            self.recover(step_s)
            self.confirm()

    @contextmanager
    def stopped_at(self, instant: str) -> Iterator[None]:
        """The clock moved to an instant and stopped there: a deadline's last second lasts as long as a test needs."""
        now = datetime.fromisoformat(instant)
        self.sim.move_clock(now=now)
        with patch.object(self.sim.clock, "now", lambda: now):
            yield

    def configure(self, **settings: Any) -> None:
        """Replace what this merchant has otherwise than its centre, as an operator does."""
        merchants = wiring.ports().centres._merchants
        config = merchants.read_config(MERCHANT)
        merchants.put_config(replace(config, settings=Settings.from_mapping(settings)), config.rev)

    def invoice(self, invoice_id: str) -> Response:
        """GET /v1/invoices/{id}."""
        return self.call("orders", "GET /v1/invoices/{id}", None, path={"id": invoice_id})

    def order(self, order_id: str, source: str = "api") -> Response:
        """GET /v1/orders/{source}/{order_id}."""
        path = {"source": source, "order_id": order_id}
        return self.call("orders", "GET /v1/orders/{source}/{order_id}", None, path=path)

    def call(  # the parts of an API Gateway request
        self,
        function: str,
        route: str,
        body: Any,
        *,
        path: dict[str, str] | None = None,
        query: dict[str, str] | None = None,
        merchant: str = MERCHANT,
        scopes: str = SCOPES,
        left_s: float = 25.0,
        **headers: str,
    ) -> Response:
        """One HTTP API event through the real handler."""
        text = body if isinstance(body, str) or body is None else json.dumps(body, ensure_ascii=False)
        event = {
            "version": "2.0",
            "routeKey": route,
            "headers": {name.replace("_", "-"): value for name, value in headers.items()},
            "requestContext": {
                "requestId": f"req-{uuid.uuid4().hex[:12]}",
                "authorizer": {"lambda": {"merchant": merchant, "scopes": scopes, "key_id": "k"}},
            },
            "pathParameters": path or {},
            "queryStringParameters": query or {},
            "body": text,
            "isBase64Encoded": False,
        }
        answer = load(function).handler(event, Context(left_s))
        return Response(answer["statusCode"], json.loads(answer["body"]), answer["headers"])

    def messages(self, function: str, *bodies: Any, left_s: float = 25.0) -> list[str]:
        """One SQS batch through the real handler; the indexes of the messages that come again."""
        records = [
            {
                "messageId": f"message-{index}",
                "body": body if isinstance(body, str) else json.dumps({"merchant_id": MERCHANT, **body}),
                "messageAttributes": {},
            }
            for index, body in enumerate(bodies)
        ]
        answer = load(function).handler({"Records": records}, Context(left_s))
        return [failure["itemIdentifier"].removeprefix("message-") for failure in answer["batchItemFailures"]]

    def recover(self, advance_s: float = 0.0, left_s: float = 60.0) -> dict[str, int]:
        """Move the clock and run the recovery once."""
        if advance_s:
            self.advance(advance_s)
        counts: dict[str, int] = load("recover").handler({}, Context(left_s))
        return counts

    def settle(self, steps: int = 40, step_s: float = 120.0) -> None:
        """Run the recovery every two minutes until nothing is pending."""
        for _ in range(steps):
            self.recover(step_s)
            if not wiring.ports().store.due(10**11, 1):
                return

    def advance(self, seconds: float) -> None:
        """Move the clock of the service and of the simulator together."""
        self.sim.move_clock(advance_s=seconds)

    def now(self) -> datetime:
        """The time both believe in."""
        return self.sim.now()

    def head(self, order_id: str, merchant: str = MERCHANT, source: str = "api") -> Head:
        """What the ledger holds."""
        head = wiring.ports().store.read(OrderKey(merchant, source, order_id))
        assert head is not None
        return head

    def living(self, order_id: str) -> list[str]:
        """Numbers of this order's invoices that live at the centre, over all its generations."""
        head = self.head(order_id)
        numbers = {head.relate_number} | {past["relate_number"] for past in head.past}
        return [str(i["number"]) for i in self.sim.invoices() if i["relate_number"] in numbers and not i["void"]]


class _TestClock:
    """The simulator's clock, read directly: virtual days, real seconds for deadlines."""

    def __init__(self, sim: Simulator) -> None:
        self._sim = sim

    def now(self) -> datetime:
        return self._sim.now().astimezone(UTC)

    def monotonic(self) -> float:
        # moves with the pretended time too, so that caches expire when a test moves the clock
        return self._sim.now().timestamp()


@contextmanager
def running(profile: str = "stage", now: str | None = None, **settings: Any) -> Iterator[Service]:
    """A service with one merchant, on a simulator of its own."""
    before = dict(os.environ)
    os.environ.update(ENVIRONMENT)
    with mock_aws(), start(port=0, profile=profile) as sim:
        if now:
            sim.move_clock(now=datetime.fromisoformat(now))
        dynamodb = boto3.client("dynamodb", region_name=REGION)
        create_table(dynamodb)
        kms = boto3.client("kms", region_name=REGION)
        key_id = kms.create_key()["KeyMetadata"]["KeyId"]
        environment = {
            "TABLE_NAME": TABLE,
            "KMS_KEY_ID": key_id,
            "STAGE": "test",
            "ALLOWED_PRIVATE_TARGETS": sim.url,
        }
        os.environ.update(environment)
        add_merchant(dynamodb, kms, key_id, sim, MERCHANT, **settings)
        ports = _wired(sim, environment)
        try:
            # each shard of the due index is one query of every recovery, and here nothing is gained by many
            with patch.object(wiring, "ports", lambda: ports), patch("einvoice.store.items.DUE_SHARDS", 2):
                yield Service(sim, dynamodb)
        finally:
            os.environ.clear()
            os.environ.update(before)


def add_merchant(dynamodb: Any, kms: Any, key_id: str, sim: Simulator, merchant: str, **settings: Any) -> None:
    """A merchant with the published test account, at the simulator."""
    merchants = Merchants(dynamodb, kms, TABLE, key_id, lambda: 0.0)
    secret = Secret(hash_key="ejCk326UnaZWKisg", hash_iv="q9jcZX8Ib9LM8wYk")
    merchants.put_secret(merchant, "first", secret, account="2000132", now=sim.now())
    merchants.put_config(
        MerchantConfig(
            merchant=merchant,
            provider="ecpay",
            account="2000132",
            base_url=sim.url,
            credential_id="first",
            settings=Settings.from_mapping(settings),
        )
    )


def _wired(sim: Simulator, environment: dict[str, str]) -> Ports:
    """The real wiring, with the simulator's clock and without the 200 ms between calls."""
    with patch("einvoice.clock.from_environment", lambda env: _TestClock(sim)):
        return replace(wiring.build(environment), pace=lambda merchant, account: None)


def order(order_id: str = "1001", **changes: Any) -> dict[str, Any]:
    """A consumer's order with a mobile barcode (invented)."""
    return {
        "order_id": order_id,
        "buyer": {"name": "測試買家", "email": "buyer@example.com"},
        "carrier": {"kind": "mobile_barcode", "number": "/ABC+123"},
        "lines": [
            {"name": "咖啡豆 半磅", "quantity": "2", "unit": "包", "unit_price_twd": "525", "amount_twd": 1050},
        ],
        "total_twd": 1050,
        **changes,
    }


def company(order_id: str = "2001", ubn: str = "53538851", **changes: Any) -> dict[str, Any]:
    """A company's order with 統編, on paper (invented)."""
    buyer = {"ubn": ubn, "name": "測試股份有限公司", "address": "測試市測試路 1 號", "email": "ap@example.com"}
    return order(order_id, **{"buyer": buyer, "carrier": None, "print": True} | changes)
