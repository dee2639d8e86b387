"""What DynamoDB does to one kind of write on order (資料表的故障), below the SDK, where it really happens."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

import botocore.endpoint
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from moto.core.models import botocore_stubber

from einvoice import wiring

#: how DynamoDB spells its failures: HTTP status by code
STATUS = {
    "InternalServerError": 500,
    "ProvisionedThroughputExceededException": 400,
    "ServiceUnavailable": 503,
    "ThrottlingException": 400,
}
ATTEMPTS = int(wiring.AWS_CONFIG.retries["total_max_attempts"])  # type: ignore[attr-defined]  # an option set by name

CLAIM = b'"st": {"S": "ISSUING"}'
COMMIT = b'"st": {"S": "ISSUED"}'


class Write:
    """The next ``times`` requests that hold ``marks`` end with ``code``; ``written``: after they were carried out.

    ``kept`` are those requests, as they left the SDK.
    """

    def __init__(self, marks: bytes, code: str, times: int, *, written: bool) -> None:
        self.marks, self.code, self.times, self.written = marks, code, times, written
        self.kept: list[AWSPreparedRequest] = []

    def __call__(self, request: AWSPreparedRequest, **_: Any) -> AWSResponse:
        """What botocore asks before a request is sent: the table's own answer, or the ordered one."""
        if self.times == 0 or self.marks not in request.body:
            return _asked(request)
        self.times -= 1
        self.kept.append(request)
        if self.written:
            land(request)
        answer = AWSResponse(request.url, STATUS[self.code], {"content-type": "application/x-amz-json-1.0"}, None)
        answer._content = f'{{"__type":"com.amazonaws.dynamodb.v20120810#{self.code}","message":"ordered"}}'.encode()
        return answer


@contextmanager
def failing(
    marks: bytes, code: str = "InternalServerError", times: int = ATTEMPTS, *, written: bool = False
) -> Iterator[Write]:
    """The ledger's own client with one failing write, its backoff taking no time. All ordered failures must be met."""
    events = wiring.ports().store._client.meta.events  # type: ignore[attr-defined]  # the store's own client
    write = Write(marks, code, times, written=written)
    # botocore asks every handler, also after one has answered: the table's own must be asked by ours, or not at all
    events.unregister("before-send", botocore_stubber)
    events.register("before-send.dynamodb", write)
    try:
        with patch.object(botocore.endpoint, "time", SimpleNamespace(sleep=lambda seconds: None)):
            yield write
    finally:
        events.unregister("before-send.dynamodb", write)
        events.register("before-send", botocore_stubber)
    assert write.times == 0


def land(request: AWSPreparedRequest) -> int:
    """Carry one request out at the table, whoever sent it and however long ago; the status of its answer."""
    return int(_asked(request).status_code)


def _asked(request: AWSPreparedRequest) -> AWSResponse:
    answer: AWSResponse | None = botocore_stubber("before-send.dynamodb", request)
    assert answer is not None
    return answer


def item(service: Any, order_id: str = "1001") -> dict[str, Any]:
    """The order's item, byte for byte."""
    found = service.dynamodb.scan(TableName="einvoice-test")["Items"]
    (one,) = [item for item in found if item["pk"]["S"].endswith(f":{order_id}")]
    return dict(one)


