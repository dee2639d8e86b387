"""What only DynamoDB does: lost answers, throttling, other code's items, sizes, calls."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, replace
from typing import Any

import boto3
import pytest
from botocore.awsrequest import AWSResponse
from botocore.config import Config
from moto.core.botocore_stubber import MockRawResponse

from einvoice.application import claims, payload
from einvoice.errors import StoreUnavailable
from einvoice.model import Buyer, Carrier, CarrierKind, Centre, Order, OrderKey
from einvoice.store.base import Breaker, Guard, Head, State
from einvoice.store.dynamodb import BATCH_TRIES, DynamoStore
from einvoice.store.items import NAMES, SCHEMA_VERSION, item_key, item_of
from tests.aws import TABLE, Aws
from tests.service import order
from tests.store.sizes import item_bytes

KEY = OrderKey("demo-shop", "api", "1001")
ISSUED = Guard(states=(State.ISSUED,), generation=1)
LOG = [{"at": 2, "event": "voiding"}]
CHANGE = {"state": State.VOIDING, "op": "op-2", "write_id": "write-2", "updated_at": 2, "log": LOG}
WRITES: dict[str, Callable[[DynamoStore, Head], object]] = {
    "create": lambda store, head: store.create(head),
    "replace": lambda store, head: store.replace(head),
    "begin": lambda store, head: store.begin(KEY, ISSUED, CHANGE),
}


def forgetful(answer: Callable[[], AWSResponse]) -> DynamoStore:
    """A store whose first answer is replaced although the table did what was asked; the SDK then asks again."""
    client = boto3.client("dynamodb", config=Config(retries={"mode": "standard", "total_max_attempts": 3}))
    answers = [answer]
    # every handler of the event is called, the table's own too, and the first answer counts
    client.meta.events.register_first("before-send.dynamodb", lambda **_: answers.pop()() if answers else None)
    return DynamoStore(client, TABLE)


def refusing(code: str) -> DynamoStore:
    """A store whose table answers nothing but ``code`` and does nothing."""
    client = boto3.client("dynamodb")
    refusal = (AWSResponse("", 500, {}, MockRawResponse(b"")), {"Error": {"Code": code, "Message": "no"}})
    client.meta.events.register("before-call.dynamodb", lambda **_: refusal)
    return DynamoStore(client, TABLE)


def _answer(status: int, code: str) -> Callable[[], AWSResponse]:
    body = f'{{"__type":"com.amazonaws.dynamodb.v20120810#{code}","message":"no"}}'.encode()
    return lambda: AWSResponse("https://dynamodb.test", status, {"x-amz-crc32": ""}, MockRawResponse(body))


INTERNAL = _answer(500, "InternalServerError")


@pytest.mark.parametrize("operation", WRITES)
def test_an_sdk_retry_that_meets_its_own_write_was_written(dynamo: DynamoStore, make: Any, operation: str) -> None:
    """Committed, answer lost, retried by the SDK: the caller hears "written", and it was written once."""
    if operation != "create":
        dynamo.create(make(state=State.ISSUED))
    wanted = make(state=State.ISSUED, ver=1 if operation == "create" else 2, write_id="write-2", op="op-2")
    answer = WRITES[operation](forgetful(INTERNAL), wanted)
    standing = dynamo.read(KEY)
    assert standing is not None
    assert answer is None or answer == (True, standing)
    assert (standing.op, standing.write_id) == ("op-2", "write-2")
    assert standing.ver == (1 if operation == "create" else 2)


@pytest.mark.parametrize("operation", WRITES)
@pytest.mark.parametrize("code", ["InternalServerError", "ThrottlingException", "ValidationException"])
def test_a_table_that_does_not_answer_is_not_a_no(
    dynamo: DynamoStore, make: Any, operation: str, code: str
) -> None:
    """The store says that it cannot say, and nothing was written."""
    if operation != "create":
        dynamo.create(make(state=State.ISSUED))
    before = dynamo.read(KEY)
    wanted = make(state=State.ISSUED, ver=1 if operation == "create" else 2, write_id="write-2", op="op-2")
    with pytest.raises(StoreUnavailable):
        WRITES[operation](refusing(code), wanted)
    assert dynamo.read(KEY) == before


@pytest.mark.parametrize("call", ["read", "read_many", "due", "read_breaker", "open_breaker"])
def test_no_other_call_answers_while_the_table_is_away(dynamo: DynamoStore, call: str) -> None:
    """An absent table is never an absent order, an empty queue or an account without a ban."""
    calls: dict[str, Callable[[DynamoStore], object]] = {
        "read": lambda store: store.read(KEY),
        "read_many": lambda store: store.read_many([KEY]),
        "due": lambda store: store.due(10, 10),
        "read_breaker": lambda store: store.read_breaker("demo-shop", "1"),
        "open_breaker": lambda store: store.open_breaker("demo-shop", "1", Breaker(1, "BANNED")),
    }
    with pytest.raises(StoreUnavailable):
        calls[call](refusing("InternalServerError"))


class _Throttled:
    """A client whose batches bring one item, and leave the rest for later; ``stuck``: bring nothing at all."""

    def __init__(self, client: Any, *, stuck: bool) -> None:
        self._client, self._stuck = client, stuck
        self.calls = 0

    def batch_get_item(self, **request: Any) -> dict[str, Any]:
        self.calls += 1
        keys = request["RequestItems"][TABLE]["Keys"]
        now, later = ([], keys) if self._stuck else (keys[:1], keys[1:])
        found = [self._client.get_item(TableName=TABLE, Key=key)["Item"] for key in now]
        return {"Responses": {TABLE: found}, "UnprocessedKeys": {TABLE: {"Keys": later}} if later else {}}


def test_what_a_batch_leaves_out_is_asked_for_again(aws: Aws, dynamo: DynamoStore, make: Any) -> None:
    """A throttled batch is read to its end."""
    keys = [OrderKey("demo-shop", "api", f"m{number}") for number in range(4)]
    for key in keys:
        dynamo.create(make(key))
    client = _Throttled(aws.dynamodb, stuck=False)
    assert [head.key for head in DynamoStore(client, TABLE).read_many(keys)] == keys
    assert client.calls == len(keys)


def test_a_batch_that_brings_nothing_is_given_up(aws: Aws, dynamo: DynamoStore, make: Any) -> None:
    """Never a part of the answer as the whole of it, and never for ever."""
    dynamo.create(make())
    client = _Throttled(aws.dynamodb, stuck=True)
    with pytest.raises(StoreUnavailable):
        DynamoStore(client, TABLE).read_many([KEY])
    assert client.calls == BATCH_TRIES


@pytest.mark.parametrize("operation", [*WRITES, "read"])
def test_an_item_of_newer_code_is_left_to_it(aws: Aws, dynamo: DynamoStore, make: Any, operation: str) -> None:
    """Old code neither guesses at an item of a newer schema nor writes over it."""
    item = item_of(make(state=State.VOIDED)) | {"sv": {"N": str(SCHEMA_VERSION + 1)}, "new": {"S": "field"}}
    aws.dynamodb.put_item(TableName=TABLE, Item=item)
    wanted = make(ver=7, write_id="write-7", op="op-7")
    with pytest.raises(StoreUnavailable):
        dynamo.read(KEY) if operation == "read" else WRITES[operation](dynamo, wanted)
    assert aws.dynamodb.get_item(TableName=TABLE, Key=item_key(KEY))["Item"] == item


def test_a_removed_item_does_not_come_back(dynamo: DynamoStore, make: Any) -> None:
    """A worker whose order was removed under it (a restore) writes nothing."""
    dynamo.replace(make(ver=2, write_id="write-2"))
    assert dynamo.read(KEY) is None


def test_every_field_has_a_name_of_its_own() -> None:
    """No two fields share an attribute, and none is forgotten."""
    assert set(NAMES) == {field.name for field in fields(Head)} - {"key"}
    assert len(set(NAMES.values())) == len(NAMES)
    assert {"pk", "sk", "due_shard", "bk", "po", "aw", "ha"}.isdisjoint(NAMES.values())


NAMED = ("咖啡豆 衣索比亞 半磅", "手沖濾紙 100 入", "不鏽鋼量杓")


def _claim(lines: int) -> Head:
    one = payload.from_json(order()["lines"][0] | {"lines": order()["lines"], "total_twd": 1050, "tax_type": "taxable"})
    content = Order(
        buyer=Buyer(name="測試買家", email="buyer@example.com"),
        lines=tuple(replace(one.lines[0], name=f"{NAMED[n % 3]} {n}") for n in range(lines)),
        total_twd=1050 * lines,
        carrier=Carrier(CarrierKind.MOBILE_BARCODE, "/ABC+123"),
    )
    values = payload.to_json(content)
    return claims.claimed(
        "prod",
        KEY,
        payload=values,
        request_hash=payload.digest(values),
        idempotency_key="01HZY3J6S4Y5D8T7C2M9K0A1B2",
        centre=Centre("ecpay", "2000132", "2026-03"),
        sold_period="11504",
        op="0123456789abcdef",
        write_id="fedcba9876543210",
        now=1_774_000_000,
        lease_s=35,
    )


def test_an_ordinary_claim_is_one_write_unit() -> None:
    """An order of three lines fits into the kilobyte that one write unit pays for."""
    assert item_bytes(_claim(3)) <= 1024


def test_the_largest_invoice_fits_an_item(dynamo: DynamoStore) -> None:
    """999 different lines stay far below 400 KB."""
    head = _claim(999)
    assert dynamo.create(head) is None
    assert dynamo.read(KEY) == head
    assert item_bytes(head) < 40_000


def test_reads_see_the_last_write_and_cost_one_call(aws: Aws, dynamo: DynamoStore, make: Any) -> None:
    """Every operation but ``due`` is one call; reads are strongly consistent."""
    asked: list[dict[str, Any]] = []
    client = boto3.client("dynamodb")
    client.meta.events.register("provide-client-params.dynamodb", lambda params, **_: asked.append(params))
    store = DynamoStore(client, TABLE)
    store.create(make(state=State.ISSUED))
    store.create(make(op="other"))
    store.read(KEY)
    store.begin(KEY, ISSUED, CHANGE)
    store.begin(KEY, ISSUED, CHANGE | {"op": "other", "write_id": "other"})
    store.replace(make(ver=9))
    assert len(asked) == 6
    assert asked[2]["ConsistentRead"] is True
