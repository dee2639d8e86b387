"""A much corrected order still fits its item, and what would not fit is refused before anything is done."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime
from random import Random
from typing import Any

import pytest

from einvoice.application import allowances, deciding, heads, payload, plans
from einvoice.application.room import room_for
from einvoice.model import Allowance, OrderKey, ProviderProfile
from einvoice.rules import allocation, correction
from einvoice.rules.period import TAIPEI
from einvoice.store.base import Head, State
from einvoice.store.dynamodb import DynamoStore
from tests.service import order
from tests.store.sizes import item_bytes

ITEM_BYTES = 400 * 1024  # DynamoDB's limit
KEY = OrderKey("demo-shop", "api", "1001")
NOW = datetime(2026, 3, 20, 12, tzinfo=TAIPEI)
CASE = correction.Case("ISSUED", total_twd=1050, issued_on=date(2026, 3, 15), invoice_confirmed=True)
_random = Random(20260320)


def words(chars: int) -> str:
    """Chinese text that does not compress."""
    return "".join(chr(_random.randrange(0x4E00, 0x9FA5)) for _ in range(chars))


def issued(make: Any, **changes: Any) -> Head:
    """An order of one line that was issued and confirmed."""
    values = {"lines": order()["lines"], "total_twd": 1050, "tax_type": "taxable", "buyer": {"name": "測試買家"}}
    defaults = {"state": State.ISSUED, "number": "AB00000001", "period": "11504", "due_at": None, "lease_until": 0}
    made: Head = make(KEY, **({**defaults, "payload": values, "issued_at": "2026-03-15T10:00:00+08:00"} | changes))
    return made


def refunded(head: Head, number: int) -> Head:
    """The head with one more refund, decided, made and ended as the application does it."""
    now = int(NOW.timestamp()) + number
    line = allocation.allocate(
        payload.from_json(head.payload), (), allocation.Wanted(1 + number % 9, (), None), refunded_so_far_twd=0
    )
    amount = sum(one.amount_twd for one in line)
    told = deciding.told(correction.refund(CASE, amount, now=NOW, profile=ProviderProfile("any")))
    head = plans.added(
        head,
        {
            "goal": plans.REFUND,
            "reason": f"退貨：顧客來電 {number}",
            "by": ["", f"{_random.getrandbits(128):032x}"],
            "at": now,
            "generation": 1,
            "refund_id": f"shop-{_random.getrandbits(64):016x}",
            "wanted": {"amount_twd": amount},
            "decision": told,
        },
    )
    plan = head.plans[-1]
    what = Allowance(line, amount, 0, reason=plan["reason"], buyer_name="測試買家")
    record = allowances.new_record(
        head, what, purpose="refund", plan=plan["id"], refund_id=plan["refund_id"], now=now, online=False, taxed=True
    )
    made = {"status": "LIVE", "number": f"2026032010{number:06d}", "at": NOW.isoformat(), "upload": "confirmed"}
    head = replace(head, allowances=[*head.allowances, record | made])
    return plans.ended(heads.logged(head, now, "allowed", number=made["number"]), plan, plans.DONE, now)


def test_a_hundred_allowances_and_two_hundred_corrections_are_small(make: Any, dynamo: DynamoStore) -> None:
    """The most an order may have of both is a tenth of an item."""
    head = issued(make)
    for number in range(allowances.MAX_ALLOWANCES):
        head = refunded(head, number)
    head = replace(head, plans=[*head.plans, *({**plan, "id": 100 + plan["id"]} for plan in head.plans)])
    assert (len(head.allowances), len(head.plans)) == (allowances.MAX_ALLOWANCES, plans.MAX_KEPT)
    assert item_bytes(head) < ITEM_BYTES / 10
    assert dynamo.create(head) is None
    assert dynamo.read(KEY) == head


def large(values: Any, *, most: int) -> Any:
    """The values with as much text added as still counts ``most`` bytes."""
    while payload.stored_bytes(grown := {**values, "remark": values.get("remark", "") + words(400)}) <= most:
        values = grown
    return values


def test_the_last_correction_there_is_room_for_still_fits_when_it_is_done(make: Any, dynamo: DynamoStore) -> None:
    """Contents, corrections, texts and log as large as they are ever accepted: the item takes it to the end."""
    content, other = (large({"total_twd": 1050}, most=payload.MAX_STORED_BYTES) for _ in range(2))
    head = issued(make, payload=content)
    while room_for(grown := replace(head, past=[*head.past, {"payload": words(500)}]), plans.CORRECT, other):
        head = grown
    lines = [{"line": 1, "amount_twd": 1050, "name": content["remark"]}]
    record = {"n": 1, "status": "LIVE", "purpose": "reissue", "amount_twd": 1050, "lines": lines}
    note = {"note": words(200), "at": 1, "by": "k" * 16}
    compared = {f"field-{number}": words(heads.MAX_SHOWN_CHARS) for number in range(heads.MAX_DIFFERENCES)}
    head = replace(
        plans.added(head, {"goal": plans.CORRECT, "corrections": other}),
        payload=other,
        past=[*head.past, {"payload": content, "allowances": [record]}],
        next={"corrections": other, "mode": "new_number"},
        log=[{"at": 1, "event": "refused", "raw_message": words(200), "by": "k" * 16}] * heads.MAX_LOG,
        facts={f"fact-{number}": note for number in range(9)},
        attention={"ours": compared, "theirs": compared},
    )
    assert item_bytes(head) < ITEM_BYTES
    assert dynamo.create(head) is None
    assert dynamo.read(KEY) == head


@pytest.mark.parametrize(
    ("goal", "takes"),
    [(plans.REFUND, False), (plans.VOID_ALLOWANCE, True), (plans.CANCEL, True), (plans.CORRECT, True)],
)
def test_too_many_refunds_can_still_be_taken_back(make: Any, goal: str, takes: bool) -> None:
    """The limit on allowances stands in the way of one more refund, not of undoing what there is."""
    record = {"status": "LIVE", "purpose": "refund", "amount_twd": 1, "lines": []}
    given = [{**record, "n": number} for number in range(1, 1 + allowances.MAX_ALLOWANCES)]
    assert room_for(issued(make, allowances=given), goal, {}) is takes
    assert room_for(issued(make, allowances=given[1:]), goal, {})


@pytest.mark.parametrize(("count", "status"), [(plans.MAX_OPEN, "open"), (plans.MAX_KEPT, "done")])
def test_plans_are_counted(make: Any, count: int, status: str) -> None:
    """So many may be open, and so many kept, and then a person has to look."""
    kept = [{"id": number, "goal": "refund", "status": status} for number in range(1, 1 + count)]
    assert room_for(issued(make, plans=kept[1:]), plans.REFUND, {})
    assert not room_for(issued(make, plans=kept), plans.REFUND, {})


def test_what_open_plans_will_add_is_counted_too(make: Any) -> None:
    """Two corrections of a large invoice one after the other would not fit, though the first one does."""
    content = large({"total_twd": 1050}, most=payload.MAX_STORED_BYTES)
    head = issued(make, payload=content)
    assert room_for(head, plans.CORRECT, {})
    waiting = plans.added(head, {"goal": plans.CORRECT, "corrections": {}})
    assert not room_for(waiting, plans.CORRECT, {})
    assert room_for(waiting, plans.VOID_ALLOWANCE, {})
