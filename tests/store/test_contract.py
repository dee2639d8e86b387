"""What every ledger keeps: one suite for the one in memory, and the one in DynamoDB on each of three engines."""

from __future__ import annotations

import threading
from dataclasses import fields, replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from einvoice.model import Centre, OrderKey
from einvoice.store.base import Breaker, Guard, Head, State, Store
from einvoice.store.dynamodb import DynamoStore
from einvoice.store.items import head_of, item_of
from tests.aws import TABLE

KEY = OrderKey("demo-shop", "api", "1001")
CHANGE = {
    "state": State.VOIDING,
    "op": "op-2",
    "write_id": "write-2",
    "updated_at": 2_000,
    "due_at": 2_035,
    "void_reason": "訂單取消",
    "log": [{"at": 2_000, "event": "voiding"}],
    "keys.void": ["key-2", "hash-2"],
}
ISSUED = Guard(states=(State.ISSUED,), generation=1)

ORDER_IDS = [" ", "a|b", "#1018", "1:2:3", "訂單１", "😀" * 200, "x" * 200, "M#other#O#3:api:1", "a\u2028b", "%2F/?&"]


def test_create_never_overwrites(store: Store, make: Any) -> None:
    """A second claim of an order gets what stands there, and changes nothing."""
    first = make()
    assert store.create(first) is None
    assert store.create(make(op="op-9", write_id="write-9", created_at=9)) == first
    assert store.read(KEY) == first


def test_create_knows_itself(store: Store, make: Any) -> None:
    """A claim that meets its own write was written."""
    assert store.create(make()) is None
    assert store.create(make()) is None


def test_replace_follows_exactly_one_version(store: Store, make: Any) -> None:
    """Only the next version is written; any other gets what stands there."""
    first = make()
    second = replace(first, ver=2, write_id="write-2", cause="TIMEOUT")
    store.create(first)
    assert store.replace(second) is None
    for ver in (2, 4, 7):
        assert store.replace(replace(first, ver=ver, write_id=f"other-{ver}")) == second
    assert store.read(KEY) == second


def test_replace_knows_itself(store: Store, make: Any) -> None:
    """A write that meets itself was written; the same version by another hand was not."""
    store.create(make())
    second = make(ver=2, write_id="write-2", op="op-2")
    assert store.replace(second) is None
    assert store.replace(second) is None
    assert store.replace(replace(second, write_id="write-3")) == second


def test_replace_of_nothing_writes_nothing(store: Store, make: Any) -> None:
    """An order that is not there is not made by a transition, and its answer is nobody's write."""
    standing = store.replace(make(ver=2, write_id="write-2"))
    assert standing is not None
    assert (standing.write_id, standing.op) == ("", "")
    assert store.read(KEY) is None


def test_begin_sets_what_it_names_and_nothing_else(store: Store, make: Any) -> None:
    """The new head is the old one with the change laid over it, its log longer and its version higher."""
    issued = make(state=State.ISSUED, number="AB00000001", period="11504", due_at=None)
    store.create(issued)
    ok, begun = store.begin(KEY, ISSUED, CHANGE)
    expected = replace(
        issued,
        ver=2,
        log=[*issued.log, *CHANGE["log"]],
        keys={**issued.keys, "void": ["key-2", "hash-2"]},
        **{name: value for name, value in CHANGE.items() if name not in {"log", "keys.void"}},
    )
    assert ok
    assert begun == expected == store.read(KEY)


def test_begin_knows_itself(store: Store, make: Any) -> None:
    """An intent that meets its own write was written, once."""
    store.create(make(state=State.ISSUED))
    first = store.begin(KEY, ISSUED, CHANGE)
    assert store.begin(KEY, ISSUED, CHANGE) == first


def test_a_wish_that_meets_itself_is_stored_once(store: Store, make: Any) -> None:
    """A wish does not change what its guard asks for: its repeat must still be recognised by its own id."""
    guard = Guard(states=(State.ISSUING,), generation=1, calm=False)
    wish = {"want": {"kind": "cancelled"}, "write_id": "wish-1", "updated_at": 1, "log": [{"at": 1, "event": "wanted"}]}
    store.create(make())
    first = store.begin(KEY, guard, wish)
    assert store.begin(KEY, guard, wish) == first
    standing = store.read(KEY)
    assert standing is not None
    assert (standing.ver, len(standing.log)) == (2, 2)


def test_begin_of_nothing_makes_nothing(store: Store) -> None:
    """There is no intent without an order."""
    assert store.begin(KEY, ISSUED, CHANGE) == (False, None)
    assert store.read(KEY) is None


@pytest.mark.parametrize(
    ("guard", "holds"),
    [
        (Guard((State.ISSUED,), 1), True),
        (Guard((State.VOIDED, State.ISSUED), 1), True),
        (Guard((State.VOIDED,), 1), False),
        (Guard((State.ISSUED,), 2), False),
        (Guard((State.ISSUED,), 0), False),
        (Guard((State.ISSUED,), 1, period_from="11504"), True),
        (Guard((State.ISSUED,), 1, period_from="11502"), True),
        (Guard((State.ISSUED,), 1, period_from="11506"), False),
        (Guard((State.ISSUED,), 1, quiet_before=5_000), True),
        (Guard((State.ISSUED,), 1, quiet_before=4_999), False),
    ],
)
def test_every_part_of_a_guard_holds_or_nothing_is_written(store: Store, make: Any, guard: Guard, holds: bool) -> None:
    """State, generation, period and quiet time are each enough to refuse."""
    standing = make(state=State.ISSUED, period="11504", quiet_until=5_000)
    store.create(standing)
    ok, head = store.begin(KEY, guard, CHANGE)
    assert ok is holds
    assert (head == standing) is not holds


@pytest.mark.parametrize("calm", [True, False])
def test_a_flagged_order_is_begun_only_where_that_is_said(store: Store, make: Any, calm: bool) -> None:
    """An attention flag stands in the way unless the guard says otherwise."""
    store.create(make(state=State.ISSUED, attention={"cause": "DIFFERENT_DOCUMENT", "since": 1}))
    ok, _ = store.begin(KEY, Guard((State.ISSUED,), 1, calm=calm), CHANGE)
    assert ok is not calm


def test_no_quiet_time_is_no_obstacle(store: Store, make: Any) -> None:
    """An order that never had a quiet time passes a guard that asks for its end."""
    store.create(make(state=State.ISSUED))
    assert store.begin(KEY, Guard((State.ISSUED,), 1, quiet_before=0), CHANGE)[0]


def test_begin_can_take_a_value_away(store: Store, make: Any) -> None:
    """None removes a field."""
    store.create(make(state=State.ISSUED, quiet_until=1, settle_until=1))
    ok, head = store.begin(KEY, ISSUED, {**CHANGE, "quiet_until": None})
    assert ok
    assert head is not None
    assert (head.due_at, head.quiet_until, head.settle_until) == (2_035, None, 1)
    assert store.read(KEY) == head


def test_due_orders_come_in_time_and_only_then(store: Store, make: Any) -> None:
    """Whatever the order of writing, the longest overdue comes first; what is not due does not come."""
    for due_at in (30, 10, 20, 40):
        store.create(make(OrderKey("demo-shop", "api", f"d{due_at}"), due_at=due_at))
    store.create(make(OrderKey("demo-shop", "api", "resting"), due_at=None))
    assert [key.order_id for key in store.due(30, 10)] == ["d10", "d20", "d30"]


def test_due_forgets_what_came_to_rest(store: Store, make: Any) -> None:
    """An order that a transition brought to rest is not due any more."""
    store.create(make(due_at=5))
    store.replace(make(ver=2, write_id="write-2", due_at=None))
    assert store.due(10**10, 10) == []


@pytest.mark.parametrize("order_id", ORDER_IDS)
def test_any_order_id_keeps_its_own_head(store: Store, make: Any, order_id: str) -> None:
    """Symbols, the separators of our own keys, emoji and 200 characters come back exactly, also from the due index."""
    key = OrderKey("demo-shop", "api", order_id)
    store.create(make(key))
    found = store.read(key)
    assert found is not None
    assert found.key == key
    assert store.due(10**10, 10) == [key]


def test_keys_that_join_alike_are_different_orders(store: Store, make: Any) -> None:
    """Source and order id cannot be shifted into each other, nor into another merchant's."""
    keys = [
        OrderKey("demo-shop", "api", "b:1"),
        OrderKey("demo-shop", "api-b", "1"),
        OrderKey("demo", "shop", "1"),
        OrderKey("demo-shop", "a", "pi:b:1"),
    ]
    for number, key in enumerate(keys):
        assert store.create(make(key, op=f"op-{number}")) is None
    assert [store.read(key).op for key in keys] == [f"op-{number}" for number in range(len(keys))]  # type: ignore[union-attr]


def test_a_breaker_keeps_the_later_ban(store: Store) -> None:
    """An earlier end never shortens a ban; accounts and merchants do not share one."""
    assert store.read_breaker("demo-shop", "2000132") is None
    store.open_breaker("demo-shop", "2000132", Breaker(100, "BANNED"))
    store.open_breaker("demo-shop", "2000132", Breaker(50, "BANNED"))
    assert store.read_breaker("demo-shop", "2000132") == Breaker(100, "BANNED")
    store.open_breaker("demo-shop", "2000132", Breaker(150, "BANNED"))
    assert store.read_breaker("demo-shop", "2000132") == Breaker(150, "BANNED")
    assert store.read_breaker("demo-shop", "3000001") is None
    assert store.read_breaker("other-shop", "2000132") is None


def test_many_heads_are_read_at_once(store: Store, make: Any) -> None:
    """Each once, in the order asked for, more than one batch holds; what is not there is left out."""
    keys = [OrderKey("demo-shop", "api", f"m{number}") for number in range(103)]
    for key in keys[:102]:
        store.create(make(key))
    wanted = [*reversed(keys), keys[3]]
    assert [head.key for head in store.read_many(wanted)] == list(reversed(keys[:102]))
    assert store.read_many([keys[5]]) == [store.read(keys[5])]
    assert store.read_many([]) == []


class _OneAtATime:
    """A client whose calls follow each other, as DynamoDB orders writes of one item; moto checks and writes apart."""

    def __init__(self, client: Any) -> None:
        self._client, self._lock = client, threading.Lock()

    def __getattr__(self, name: str) -> Any:
        def call(**request: Any) -> Any:
            with self._lock:
                return getattr(self._client, name)(**request)

        return call


@pytest.mark.parametrize("operation", ["create", "replace", "begin"])
def test_of_many_at_once_exactly_one_wins(
    store: Store, make: Any, operation: str, request: pytest.FixtureRequest
) -> None:
    """However many write at the same moment, one is told it wrote, and its write is what stands."""
    if request.node.callspec.params["store"] == "moto":
        assert isinstance(store, DynamoStore)
        store = DynamoStore(_OneAtATime(store._client), TABLE)
    if operation != "create":
        store.create(make(state=State.ISSUED))
    barrier = threading.Barrier(8)
    won: list[str] = []

    def run(name: str) -> None:
        barrier.wait()
        match operation:
            case "create":
                ok = store.create(make(op=name, write_id=name)) is None
            case "replace":
                ok = store.replace(make(ver=2, op=name, write_id=name)) is None
            case _:
                ok = store.begin(KEY, ISSUED, {**CHANGE, "op": name, "write_id": name})[0]
        if ok:
            won.append(name)

    threads = [threading.Thread(target=run, args=(f"worker-{number}",)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    standing = store.read(KEY)
    assert standing is not None
    assert won == [standing.op]


TEXTS = st.text(st.characters(exclude_categories=("Cs",)), max_size=20)
WHOLE = st.integers(0, 2**40)
JSON = st.dictionaries(TEXTS, st.one_of(TEXTS, WHOLE, st.lists(TEXTS, max_size=2)), max_size=3)
ALLOWANCES = st.builds(
    lambda rest, status, amount: rest | {"status": status, "amount_twd": amount},
    JSON,
    st.sampled_from(["SENDING", "ASKED", "LIVE", "VOIDING", "VOIDED", "REFUSED", "CANCELLED", "EXPIRED"]),
    WHOLE,
)
PLANS = st.builds(lambda rest, status: rest | {"status": status}, JSON, st.sampled_from(["open", "done", "stopped"]))
FIELDS: dict[str, st.SearchStrategy[Any]] = {
    "key": st.just(KEY),
    "state": st.sampled_from(State),
    "generation": st.integers(1, 60),
    "ver": st.integers(1, 10**6),
    "write_id": st.text("abc", min_size=1, max_size=8),
    "op": st.text("abc", min_size=1, max_size=8),
    "created_at": WHOLE,
    "updated_at": WHOLE,
    "request_hash": TEXTS,
    "payload": JSON,
    "relate_number": TEXTS,
    "centre": st.none() | st.builds(Centre, TEXTS, TEXTS, TEXTS),
    "lease_until": WHOLE,
    "due_at": st.none() | WHOLE,
    "attempts": WHOLE,
    "first_sent_at": st.none() | WHOLE,
    "sent_at": st.none() | WHOLE,
    "settle_until": st.none() | WHOLE,
    "quiet_until": st.none() | WHOLE,
    "cause": TEXTS,
    "refusal": st.dictionaries(TEXTS, TEXTS, max_size=3),
    "number": TEXTS,
    "issued_at": TEXTS,
    "random_code": TEXTS,
    "period": TEXTS,
    "sold_period": TEXTS,
    "upload": st.sampled_from(["none", "uploading", "confirmed", "refused"]),
    "void_reason": TEXTS,
    "voided_at": TEXTS,
    "attention": JSON,
    "want": JSON,
    "next": JSON,
    "keys": st.dictionaries(TEXTS, st.lists(TEXTS, max_size=3), max_size=3),
    "past": st.lists(JSON, max_size=2),
    "log": st.lists(JSON, max_size=3),
    "allowances": st.lists(ALLOWANCES, max_size=3),
    "plans": st.lists(PLANS, max_size=3),
    "facts": JSON,
    "void_upload": TEXTS,
    "confirm_at": st.none() | WHOLE,
    "told": st.dictionaries(TEXTS, WHOLE, max_size=3),
}
HEADS = st.builds(Head, **FIELDS)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(head=HEADS)
def test_every_field_comes_back(head: Head) -> None:
    """Any head, as an item and read again, is the same head: no field is lost, shortened or of another type."""
    assert head_of(item_of(head)) == head


def test_the_heads_that_come_back_have_every_field() -> None:
    """No field that was added later is forgotten above: at its default it would come back whatever the code does."""
    assert set(FIELDS) == {field.name for field in fields(Head)} - {"sv"}
