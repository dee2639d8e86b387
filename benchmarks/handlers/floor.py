"""The floor: the least that still claims an order, calls the centre and records the number, each once.

No checks, no recovery, no log lines, no limits on time: what any implementation on botocore and pycryptodome must pay.
"""

from __future__ import annotations

import http.client
import json
import os
from typing import Any
from urllib.parse import urlsplit

import botocore.session
from botocore.exceptions import ClientError

from benchmarks.handlers import plain_ecpay

_TABLE = os.environ["BENCH_FLOOR_TABLE"]
_dynamodb: Any = botocore.session.get_session().create_client("dynamodb")
_centre = http.client.HTTPConnection(urlsplit(os.environ["BENCH_CENTRE_URL"]).netloc)  # kept alive between calls


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:  # noqa: ANN401, ARG001 — Lambda's own signature
    """Lambda entry point."""
    order = json.loads(event["body"])
    key = {"id": {"S": order["order_id"]}}
    try:
        _dynamodb.put_item(
            TableName=_TABLE,
            Item=key | {"state": {"S": "ISSUING"}, "body": {"S": event["body"]}},
            ConditionExpression="attribute_not_exists(id)",
            ReturnValuesOnConditionCheckFailure="ALL_OLD",
        )
    except ClientError as error:
        if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
            raise
        return _answer(200, error.response["Item"]["number"]["S"])  # type: ignore[typeddict-item] # it comes with ALL_OLD
    _centre.request("POST", plain_ecpay.PATH, plain_ecpay.request_body(order), plain_ecpay.HEADERS)
    number = plain_ecpay.number_in(_centre.getresponse().read())
    _dynamodb.update_item(
        TableName=_TABLE,
        Key=key,
        UpdateExpression="SET #state = :issued, #number = :number",
        ConditionExpression="#state = :issuing",
        ExpressionAttributeNames={"#state": "state", "#number": "number"},
        ExpressionAttributeValues={
            ":issued": {"S": "ISSUED"},
            ":issuing": {"S": "ISSUING"},
            ":number": {"S": number},
        },
    )
    return _answer(201, number)


def _answer(status: int, number: str) -> dict[str, Any]:
    return {"statusCode": status, "body": json.dumps({"number": number})}
