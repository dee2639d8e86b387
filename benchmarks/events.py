"""The same invented order for every handler, as API Gateway (HTTP API, payload 2.0) and SQS hand it over."""

from __future__ import annotations

import json
import uuid
from typing import Any

MERCHANTS = 20  # enough that a serial run never waits for the 200 ms between two calls of one account
TIMEOUT_MS = 25_000


class Context:
    """Lambda's context, as far as handlers look at it; every call has its whole time left."""

    function_name = "benchmark"
    memory_limit_in_mb = 512
    invoked_function_arn = "arn:aws:lambda:ap-northeast-1:123456789012:function:benchmark"

    def __init__(self) -> None:
        self.aws_request_id = str(uuid.uuid4())

    def get_remaining_time_in_millis(self) -> int:
        """What is left of the invocation."""
        return TIMEOUT_MS


def merchant(index: int) -> str:
    """The id of one of the benchmark's merchants."""
    return f"bench-{index % MERCHANTS:02d}"


def order(order_id: str) -> dict[str, Any]:
    """A consumer's order with a mobile barcode and two lines (invented)."""
    return {
        "order_id": order_id,
        "buyer": {"name": "測試買家", "email": "buyer@example.com"},
        "carrier": {"kind": "mobile_barcode", "number": "/ABC+123"},
        "lines": [
            {"name": "咖啡豆 半磅", "quantity": "2", "unit": "包", "unit_price_twd": "525", "amount_twd": 1050},
            {"name": "濾紙 100 入", "quantity": "1", "unit": "盒", "unit_price_twd": "120", "amount_twd": 120},
        ],
        "total_twd": 1170,
    }


def http_event(order_id: str, of: str) -> dict[str, Any]:
    """POST /v1/invoices of merchant ``of``, behind the authorizer."""
    return {
        "version": "2.0",
        "routeKey": "POST /v1/invoices",
        "rawPath": "/v1/invoices",
        "rawQueryString": "",
        "headers": {
            "accept": "*/*",
            "content-type": "application/json",
            "host": "benchmark.execute-api.ap-northeast-1.amazonaws.com",
            "user-agent": "benchmark",
            "x-forwarded-for": "192.0.2.1",
            "x-forwarded-port": "443",
            "x-forwarded-proto": "https",
        },
        "requestContext": {
            "requestId": f"req-{uuid.uuid4().hex[:12]}",
            "authorizer": {"lambda": {"merchant": of, "scopes": "invoices:write", "key_id": "k"}},
            "http": {"method": "POST", "path": "/v1/invoices", "sourceIp": "192.0.2.1"},
        },
        "body": json.dumps(order(order_id), ensure_ascii=False),
        "isBase64Encoded": False,
    }


def sqs_event(orders: list[tuple[str, str]]) -> dict[str, Any]:
    """One batch of the issue queue; ``orders`` are (order id, merchant)."""
    return {
        "Records": [
            {
                "messageId": str(uuid.uuid4()),
                "body": json.dumps({"merchant_id": of, "command": "issue", **order(order_id)}, ensure_ascii=False),
                "messageAttributes": {},
            }
            for order_id, of in orders
        ]
    }
