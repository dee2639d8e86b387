"""What every ledger keeps of corrections: allowances, plans, the two queues, the books, filed periods and names."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from einvoice.model import OrderKey
from einvoice.store.base import HAD, HOLDING, Guard, Head, State, Store
from einvoice.store.dynamodb import DynamoStore
from einvoice.store.items import item_of
from tests.aws import TABLE

KEY = OrderKey("demo-shop", "api", "1001")
CHANGE = {
    "state": State.VOIDING,
    "op": "op-2",
    "write_id": "write-2",
    "updated_at": 2_000,
    "due_at": 2_035,
    "log": [{"at": 2_000, "event": "voiding"}],
}
LINE = {"line": 1, "name": "咖啡豆 半磅", "quantity": "1", "unit": "包", "unit_price_twd": "525", "amount_twd": 525}
STATUSES = ("SENDING", "ASKED", "LIVE", "VOIDING", "VOIDED", "REFUSED", "CANCELLED", "EXPIRED")
FAR = 10**10


def allowance(status: str = "LIVE", n: int = 1, amount_twd: int = 525) -> dict[str, Any]:
    """An allowance as the head keeps it."""
    return {"n": n, "status": status, "purpose": "refund", "amount_twd": amount_twd, "lines": [LINE]}


def plan(status: str = "open", plan_id: int = 1) -> dict[str, Any]:
    """A plan as the head keeps it."""
    return {"id": plan_id, "status": status, "goal": "refund", "by": ["", "hash"], "reason": "退貨", "at": 1}


def resting(make: Any, **changes: Any) -> Head:
    """An issued order that has nothing to do."""
    values = {"state": State.ISSUED, "number": "AB00000001", "period": "11504", "due_at": None, "lease_until": 0}
    made: Head = make(**(values | changes))
    return made


WHOLE = {
    "allowances": [allowance(), allowance("VOIDED", 2)],
    "plans": [plan("done"), plan("open", 2)],
    "facts": {"consent": {"note": "電話同意", "at": 1, "by": "key-1"}},
    "void_upload": "uploading",
    "confirm_at": 5_000,
}


@pytest.mark.parametrize("due_at", [None, 4_000])
def test_what_corrections_keep_comes_back(store: Store, make: Any, due_at: int | None) -> None:
    """Allowances, plans, facts and both upload times, whether the order has work to do or not."""
    head = resting(make, due_at=due_at, **WHOLE)
    store.create(head)
    assert store.read(KEY) == head
    changed = replace(head, ver=2, write_id="write-2", facts={}, plans=[], allowances=[], void_upload="")
    assert store.replace(changed) is None
    assert store.read(KEY) == changed


def begun(store: Store, head: Head, **guard: Any) -> bool:
    """Whether a blind intent is written over this head; where it is not, the head is as it was."""
    store.create(head)
    ok, standing = store.begin(KEY, Guard((State.ISSUED,), 1, **guard), CHANGE)
    assert (standing == head) is not ok
    return ok


@pytest.mark.parametrize("status", STATUSES)
@pytest.mark.parametrize("asked", ["any", "no_living", "never"])
def test_an_allowance_stands_in_the_way_of_what_it_must(store: Store, make: Any, status: str, asked: str) -> None:
    """``no_living``: none may take from the total. ``never``: not even one that is void, but one that never was."""
    stands = {"any": False, "no_living": status in HOLDING, "never": status in HAD}[asked]
    head = resting(make, allowances=[allowance("REFUSED", 1), allowance(status, 2)])
    assert begun(store, head, allowances=asked) is not stands


@pytest.mark.parametrize("asked", ["any", "no_living", "never"])
def test_no_allowance_is_no_obstacle(store: Store, make: Any, asked: str) -> None:
    """Nor are those of an earlier generation, which this invoice never had."""
    assert begun(store, resting(make, past=[{"generation": 0, "allowances": [allowance()]}]), allowances=asked)


@pytest.mark.parametrize("calm", [True, False])
@pytest.mark.parametrize("status", ["open", "done", "stopped"])
def test_a_calm_order_has_no_open_plan(store: Store, make: Any, status: str, calm: bool) -> None:
    """A blind change waits for a correction under way; one that has ended is none."""
    stands = calm and status == "open"
    assert begun(store, resting(make, plans=[plan("done"), plan(status, 2)]), calm=calm) is not stands


@pytest.mark.parametrize(
    ("issued_at", "issued_from", "holds"),
    [
        ("2026-03-20T10:00:00+08:00", "2026-03-20", True),
        ("2026-03-19T23:59:59+08:00", "2026-03-20", False),
        ("2026-03-20T00:00:00+08:00", "2026-03-20", True),
        ("2026-03-20T10:00:00+08:00", "2026-03-20T10:00:00+08:00", True),
        ("2026-03-20T09:59:59+08:00", "2026-03-20T10:00:00+08:00", False),
        ("", "2026-03-20", False),
        ("", "", True),
    ],
)
def test_an_invoice_is_not_older_than_its_guard(
    store: Store, make: Any, issued_at: str, issued_from: str, holds: bool
) -> None:
    """A day means its first second; what has no instant is older than anything."""
    assert begun(store, resting(make, issued_at=issued_at), issued_from=issued_from) is holds


def test_an_ended_plan_and_allowance_free_the_way_again(store: Store, make: Any) -> None:
    """What the guards read follows every write: it appears with the first plan and goes with the last."""
    head = resting(make)
    store.create(head)
    guard = Guard((State.ISSUED,), 1, allowances="no_living")
    for ver, changes in enumerate(
        ({"plans": [plan()]}, {"allowances": [allowance()]}, {"allowances": [allowance("VOIDED")]}, {}), start=2
    ):
        standing = replace(head, ver=ver, write_id=f"write-r{ver}", **changes)
        assert store.replace(standing) is None
        if "plans" in changes or changes.get("allowances") == [allowance()]:
            assert store.begin(KEY, guard, CHANGE | {"write_id": f"write-b{ver}", "op": f"op-b{ver}"})[0] is False
    assert store.begin(KEY, Guard((State.ISSUED,), 1, allowances="never"), CHANGE)[0]


def test_work_comes_before_confirmation(store: Store, make: Any) -> None:
    """An order is in one queue at a time: work's first, the ministry's once it rests, and none when all is answered."""

    def queues() -> tuple[int, int]:
        return len(store.due(FAR, 10)), len(store.due(FAR, 10, confirm=True))

    head = make(confirm_at=5_000)
    store.create(head)
    assert queues() == (1, 0)
    rests = resting(make, ver=2, write_id="write-2", confirm_at=5_000)
    store.replace(rests)
    assert queues() == (0, 1)
    standing = store.begin(KEY, Guard((State.ISSUED,), 1), CHANGE | {"write_id": "write-3", "op": "op-3"})[1]
    assert queues() == (1, 0)
    assert standing is not None
    assert (standing.due_at, standing.confirm_at) == (2_035, 5_000)
    store.replace(replace(standing, ver=4, write_id="write-4", due_at=None))
    assert queues() == (0, 1)
    store.replace(replace(standing, ver=5, write_id="write-5", due_at=None, confirm_at=None))
    assert queues() == (0, 0)


def test_confirmations_come_in_time_and_only_then(store: Store, make: Any) -> None:
    """The longest overdue first; a time that has not come is not told, and a wish changes nothing of it."""
    for at in (30, 10, 20, 40):
        store.create(resting(make, key=OrderKey("demo-shop", "api", f"c{at}"), confirm_at=at))
    store.create(make(OrderKey("demo-shop", "api", "works"), due_at=5, confirm_at=5))
    assert [key.order_id for key in store.due(30, 10, confirm=True)] == ["c10", "c20", "c30"]
    wish = {"want": {"kind": "cancelled"}, "write_id": "wish-1", "updated_at": 1, "log": [{"at": 1, "event": "wanted"}]}
    assert store.begin(OrderKey("demo-shop", "api", "c10"), Guard((State.ISSUED,), 1), wish)[0]
    assert [key.order_id for key in store.due(30, 10, confirm=True)] == ["c10", "c20", "c30"]
    assert [key.order_id for key in store.due(30, 10)] == ["works"]


@pytest.mark.parametrize("name", ["allowances", "plans", "number", "period", "confirm_at", "due_at"])
def test_a_blind_write_never_changes_what_an_index_or_a_guard_is_made_of(store: Store, make: Any, name: str) -> None:
    """Without reading the head nobody keeps them true, or knows which queue an order without work belongs to."""
    head = resting(make, **WHOLE)
    store.create(head)
    with pytest.raises(ValueError, match=name):
        store.begin(KEY, Guard((State.ISSUED,), 1, calm=False), CHANGE | {name: getattr(head, name)})
    assert store.read(KEY) == head


def test_a_periods_invoices_are_listed_by_number_page_by_page(store: Store, make: Any) -> None:
    """Every order's current invoice, void or not, once; of this merchant and period only; nothing between two pages."""
    def stored(order_id: str, number: str, *, merchant: str = "demo-shop", period: str = "11504") -> None:
        store.create(resting(make, key=OrderKey(merchant, "api", order_id), number=number, period=period))

    for order_id, number in (("c", "AB00000003"), ("a", "AB00000001"), ("b", "AB00000002"), ("d", "BA00000001")):
        stored(order_id, number)
    stored("other period", "AA00000001", period="11502")
    stored("other shop", "AB00000009", merchant="other-shop")
    store.create(make(OrderKey("demo-shop", "api", "not issued yet"), period=""))

    found: list[tuple[str, OrderKey]] = []
    while page := store.booked("demo-shop", "11504", found[-1][0] if found else "", 3):
        found += page
    assert [(number, key.order_id) for number, key in found] == [
        ("AB00000001", "a"),
        ("AB00000002", "b"),
        ("AB00000003", "c"),
        ("BA00000001", "d"),
    ]
    assert len(store.booked("demo-shop", "11504", "", 3)) == 3
    assert store.booked("demo-shop", "11506", "", 3) == []


def test_the_books_follow_the_order(store: Store, make: Any) -> None:
    """A void invoice stays in them; the number of a generation that was replaced gives way to the new one's."""
    head = resting(make)
    store.create(head)
    void = replace(head, ver=2, write_id="write-2", state=State.VOIDED)
    store.replace(void)
    assert store.booked("demo-shop", "11504", "", 10) == [("AB00000001", KEY)]
    store.replace(replace(void, ver=3, write_id="write-3", state=State.ISSUING, generation=2, number="", period=""))
    assert store.booked("demo-shop", "11504", "", 10) == []
    store.replace(replace(void, ver=4, write_id="write-4", generation=2, number="AB00000005", period="11504"))
    assert store.booked("demo-shop", "11504", "", 10) == [("AB00000005", KEY)]


def test_a_filed_period_keeps_its_first_mark(store: Store) -> None:
    """Told again, or told otherwise, it was filed when it was first said; merchants and periods do not share a mark."""
    assert store.filed_at("demo-shop", "11502") is None
    assert store.mark_filed("demo-shop", "11502", 1_000) == 1_000
    assert store.mark_filed("demo-shop", "11502", 500) == 1_000
    assert store.mark_filed("demo-shop", "11502", 2_000) == 1_000
    assert store.filed_at("demo-shop", "11502") == 1_000
    assert (store.filed_at("demo-shop", "11501"), store.filed_at("other-shop", "11502")) == (None, None)


@pytest.mark.parametrize("order_id", ["1001", "a|b", "#1018", "M#other#O#3:api:1", "訂單１😀"])
def test_a_name_given_to_the_outside_leads_back_to_its_order(store: Store, order_id: str) -> None:
    """The merchant's own order and no other's, whatever its id; given again it is the same."""
    key = OrderKey("demo-shop", "api", order_id)
    for _ in range(2):
        store.remember("demo-shop", "P1a2b3c-1", key)
    assert store.recall("demo-shop", "P1a2b3c-1") == key
    assert (store.recall("other-shop", "P1a2b3c-1"), store.recall("demo-shop", "P1a2b3c-2")) == (None, None)


def test_many_heads_are_read_as_they_were_asked_for(store: Store, make: Any) -> None:
    """In the order asked, each once, more than one call carries, and what is not there is left out."""
    keys = [OrderKey("demo-shop", "api", f"n{number}") for number in range(130)]
    for key in keys[:-1]:
        store.create(make(key, due_at=None))
    asked = [keys[-1], *reversed(keys), keys[0]]
    assert [head.key for head in store.read_many(asked)] == list(reversed(keys[:-1]))
    assert store.read_many([keys[3]]) == [store.read(keys[3])]
    assert store.read_many([]) == []


NEW = {"al", "pl", "fx", "vu", "cf", "bk", "po", "aw", "ha"}


def older(store: Store, head: Head) -> None:
    """Put a head there as code that knew nothing of corrections wrote it."""
    if not isinstance(store, DynamoStore):
        store.create(head)  # in memory nothing is older than its code
        return
    item = {name: value for name, value in item_of(head).items() if name not in NEW}
    store._client.put_item(TableName=TABLE, Item=item)


@pytest.mark.parametrize("due_at", [None, 4_000])
def test_an_item_of_older_code_is_read_and_guarded_well(store: Store, make: Any, due_at: int | None) -> None:
    """It had no allowance, no plan and no question to the ministry; the next write books it."""
    head = resting(make, due_at=due_at)
    older(store, head)
    assert store.read(KEY) == head
    assert len(store.due(FAR, 10)) == (due_at is not None)
    assert store.due(FAR, 10, confirm=True) == []
    ok, standing = store.begin(KEY, Guard((State.ISSUED,), 1, allowances="never"), CHANGE)
    assert ok
    assert standing is not None
    store.replace(replace(standing, ver=3, write_id="write-3"))
    assert store.booked("demo-shop", "11504", "", 10) == [("AB00000001", KEY)]
