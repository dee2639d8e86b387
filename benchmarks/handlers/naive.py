"""The usual design: Powertools' idempotency around the call, `requests`, one table of its own, one log line.

It keeps no promise beyond the happy path (an exception deletes the idempotency record although the centre may have
issued); it is here for its speed and cost. It is spared what often makes it slower: it keeps its HTTP session.
"""

from __future__ import annotations

import json
import os
from typing import Any

import boto3
import requests
from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.idempotency import DynamoDBPersistenceLayer, IdempotencyConfig, idempotent

from benchmarks.handlers import plain_ecpay

_URL = os.environ["BENCH_CENTRE_URL"] + plain_ecpay.PATH
_orders = boto3.resource("dynamodb").Table(os.environ["BENCH_ORDERS_TABLE"])
_persistence = DynamoDBPersistenceLayer(os.environ["BENCH_IDEMPOTENCY_TABLE"])
_config = IdempotencyConfig(event_key_jmespath="powertools_json(body).order_id")
_session = requests.Session()
_logger = Logger()


@idempotent(config=_config, persistence_store=_persistence)
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:  # noqa: ANN401, ARG001 — Lambda's own signature
    """Lambda entry point."""
    order = json.loads(event["body"])
    reply = _session.post(_URL, data=plain_ecpay.request_body(order), headers=plain_ecpay.HEADERS, timeout=10)
    reply.raise_for_status()
    number = plain_ecpay.number_in(reply.content)
    _orders.put_item(Item={"id": order["order_id"], "state": "ISSUED", "number": number, "body": event["body"]})
    _logger.info("issued", extra={"order_id": order["order_id"], "number": number})
    return {"statusCode": 201, "body": json.dumps({"number": number})}
