"""What becomes of an order whose process was killed: the operations, the ways on, and what must be true in the end.

A first run without a kill counts the edges of an operation; then, for every one of them, a fresh order, a process
killed there, and one of three ways on until nothing moves any more:

* ``recovery``: the every-minute function, the clock moved to whatever is due next.
* ``repeat``: no recovery; the merchant repeats the same request as ``Retry-After`` says.
* ``second kill``: recovery is itself killed, once, at each of *its* edges, and then runs again.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from einvoice.identity import invoice_id
from einvoice.model import OrderKey
from einvoice.store.base import Head, State
from tests.service import MERCHANT, order
from tests.torture.boundaries import TELLING
from tests.torture.world import Json, Run, World

WAYS = ("recovery", "repeat", "second kill")
ROUNDS = 60  # invocations until nothing may move any more
UBN = "53538851"
OTHER_UBN = "12345675"
BAD_EVENTS = frozenset({"refused", "void_refused", "refusal_pending", "attention", "not_allowed"})


@dataclass(frozen=True)
class Operation:
    """One operation of the merchant and the end it must come to.

    ``prepares``: it needs an issued invoice first. ``again``: it was carried out before, and this is the same request.
    ``since``: what was carried out after that, so that the request is an old one come late.
    """

    name: str
    function: str
    body: Json
    living: int
    state: State
    generation: int
    ubn: str = ""
    prepares: bool = True
    again: bool = False
    since: Json = field(default_factory=dict)

    def request(self, w: World, order_id: str, kill_at: int = 0) -> Run:
        """Ask for it once."""
        if not self.prepares:
            return w.call(self.function, order(order_id), {}, kill_at)
        return w.call(self.function, self.body, {"id": invoice_id(OrderKey(MERCHANT, "api", order_id), 1)}, kill_at)

    def prepare(self, w: World, order_id: str) -> None:
        """A fresh day, and the invoice to change if there must be one."""
        w.reset()
        if self.prepares:
            issued = w.call("issue", order(order_id), {})
            assert issued.status == 201, issued
            w.upload(order_id)
        if self.again:
            assert self.request(w, order_id).status == 201
        if self.since:
            w.upload(order_id)
            assert replace(self, body=self.since).request(w, order_id).status == 201
            w.upload(order_id)


def _correction(mode: str, ubn: str) -> Json:
    return {"reason": "統編錯誤", "mode": mode, "corrections": {"buyer": {"ubn": ubn, "name": "測試股份有限公司"}}}


def _reissue(name: str, mode: str, generation: int) -> Operation:
    return Operation(name, "reissue", _correction(mode, UBN), 1, State.ISSUED, generation, UBN)


_FIRST = (
    Operation("issue", "issue", {}, 1, State.ISSUED, 1, prepares=False),
    Operation("void", "void", {"reason": "訂單取消"}, 0, State.VOIDED, 1),
    _reissue("reissue", "new_number", 2),
    _reissue("same number", "same_number", 1),
)
_AGAIN = tuple(replace(operation, name=f"{operation.name}, again", again=True) for operation in _FIRST)
_LATE = replace(
    _AGAIN[-1], name="same number, late repeat", since=_correction("same_number", OTHER_UBN), ubn=OTHER_UBN
)
OPERATIONS = {operation.name: operation for operation in (*_FIRST, *_AGAIN, _LATE)}


@dataclass(frozen=True)
class Story:
    """One kill, what stood then, what it came to. ``faults`` says in words what is wrong; empty: nothing."""

    operation: str
    way: str
    edge: str
    second: str
    stood: str
    left: str
    living: int
    faults: tuple[str, ...]

    @property
    def verdict(self) -> str:
        """One word or the whole trouble."""
        return "ok" if not self.faults else "; ".join(self.faults)


_orders = itertools.count(1)


def edges_of(w: World, operation: Operation) -> list[str]:
    """The edges an undisturbed run crosses."""
    order_id = f"{operation.function}-{next(_orders)}"
    operation.prepare(w, order_id)
    run = operation.request(w, order_id)
    faults = _faults(w, operation, order_id, begun=True)
    assert not run.killed, run
    assert not faults, faults
    return run.edges


def stories(w: World, operation: Operation, way: str, *, every: bool = True) -> Iterator[Story]:
    """Every kill of ``operation`` and the way on.

    Without ``every``, second kills leave out the edges of either run between which nothing changed.
    """
    edges = edges_of(w, operation)
    for at, edge in enumerate(edges, 1):
        if way != "second kill":
            yield _story(w, operation, way, at, edge)
        elif every or edge in TELLING:
            yield from _second_kills(w, operation, at, edge, every=every)


@dataclass(frozen=True)
class Kill:
    """An order whose request died at ``edge``; ``begun``: its intent was stored, so that it must come to its end."""

    order_id: str
    edge: str
    stood: str
    begun: bool


def _story(w: World, operation: Operation, way: str, at: int, edge: str) -> Story:
    kill = _killed(w, operation, at, edge)
    if way == "repeat":
        return _told(w, operation, replace(kill, begun=True), way, _repeated(w, operation, kill.order_id))
    _, troubles = _recovered(w, kill.order_id, 0)
    return _told(w, operation, kill, way, troubles)


def _second_kills(w: World, operation: Operation, at: int, edge: str, *, every: bool) -> Iterator[Story]:
    kill = _killed(w, operation, at, edge)
    seconds, troubles = _recovered(w, kill.order_id, 0)
    yield _told(w, operation, kill, "second kill", troubles)
    for second, name in enumerate(seconds, 1):
        if not every and name not in TELLING:
            continue
        kill = _killed(w, operation, at, edge)
        crossed, troubles = _recovered(w, kill.order_id, second)
        if crossed[second - 1] != name:
            troubles.append(f"recovery went another way than before: {crossed[second - 1]}")
        yield _told(w, operation, kill, "second kill", troubles, name)


def _killed(w: World, operation: Operation, at: int, edge: str) -> Kill:
    """A fresh order whose request died at the edge."""
    order_id = f"{operation.function}-{next(_orders)}"
    operation.prepare(w, order_id)
    run = operation.request(w, order_id, at)
    assert run.killed, run
    assert run.edges[-1] == edge, run
    assert bool(w.sim.pending()) == edge.endswith("on its way"), run
    return Kill(order_id, edge, _standing(w, order_id), _begun(w, operation, order_id))


def _recovered(w: World, order_id: str, kill_at: int) -> tuple[list[str], list[str]]:
    """Recover until nothing moves, killed at the ``kill_at``-th edge (0: never); the edges crossed, and troubles."""
    crossed: list[str] = []
    for _ in range(ROUNDS):
        head = w.head(order_id)
        if head is None or head.due_at is None:
            if not w.sim.pending():
                return crossed, []
            w.wait_until(int(max(w.sim.pending()).timestamp()) + 1)
            continue
        w.wait_until(max(head.due_at, head.lease_until) + 1)
        run = w.run("recover", {}, max(0, kill_at - len(crossed)))
        crossed += run.edges
        assert run.killed == (0 < kill_at == len(crossed)), run
    return crossed, [f"still moving after {ROUNDS} rounds"]


def _repeated(w: World, operation: Operation, order_id: str) -> list[str]:
    """The merchant repeats the request until it is answered for good; every answer that says "failed" is a trouble."""
    troubles = []
    for _ in range(ROUNDS):
        run = operation.request(w, order_id)
        headers = {name.lower(): value for name, value in run.answer["headers"].items()}
        if run.status in {200, 201}:
            if not w.sim.pending():
                return troubles
            w.wait_until(int(max(w.sim.pending()).timestamp()) + 1)
        elif run.status in {202, 409} and "retry-after" in headers:
            w.wait_until(int(w.sim.now().timestamp()) + int(headers["retry-after"]) + 1)
        else:
            troubles.append(f"answered {run.status} {run.answer['body'][:200]}")
            return troubles
    return [f"no answer for good after {ROUNDS} requests"]


# --- what there is to see ---------------------------------------------------------------------------------------------


def _told(w: World, operation: Operation, kill: Kill, way: str, troubles: list[str], second: str = "") -> Story:
    faults = (*troubles, *_faults(w, operation, kill.order_id, begun=kill.begun))
    living = sum(bool(invoice["living"]) for invoice in w.sim.invoices())
    left = _standing(w, kill.order_id)
    return Story(operation.name, way, kill.edge, second, kill.stood, left, living, faults)


def _standing(w: World, order_id: str) -> str:
    """The ledger and the centre in a few words: state, generation, number · living or void numbers."""
    head = w.head(order_id)
    ledger = "nothing" if head is None else f"{head.state} g{head.generation} {head.number}".strip()
    held = [f"{i['number']}{'' if i['living'] else ' void'}{'*' * int(str(i['reissues']))}" for i in w.sim.invoices()]
    return f"{ledger} | {', '.join(held) or 'none'}"


def _begun(w: World, operation: Operation, order_id: str) -> bool:
    """Whether the intent was stored: then, and only then, the order must come to the operation's end by itself."""
    head = w.head(order_id)
    return head is not None and (not operation.prepares or len(head.log) > len(("claimed", "issued")))


def _faults(w: World, operation: Operation, order_id: str, *, begun: bool) -> tuple[str, ...]:
    """Everything that is not as it must be, the order at rest."""
    head = w.head(order_id)
    if head is None:
        return () if not begun and not w.sim.invoices() else ("nothing in the ledger",)
    return tuple(_compared(w, operation, head, begun=begun))


def _compared(w: World, operation: Operation, head: Head, *, begun: bool) -> Iterator[str]:
    held = w.sim.invoices()
    living = [invoice for invoice in held if invoice["living"]]
    wanted = (operation.living, operation.state, operation.generation) if begun else (1, State.ISSUED, 1)
    if (len(living), head.state, head.generation) != wanted:
        yield f"{len(living)} living, {head.state} g{head.generation}, but wanted {wanted}"
    if [invoice["number"] for invoice in living] != ([head.number] if head.state is State.ISSUED else []):
        yield f"the ledger says {head.number}, the centre {[invoice['number'] for invoice in living]}"
    known = {head.number, *(past["number"] for past in head.past)}
    if unknown := {str(invoice["number"]) for invoice in held} - known:
        yield f"lost: {unknown}"
    for invoice in living:
        yield from _content(head, invoice, operation.ubn if begun else "")
    if head.attention or head.due_at is not None or head.want:
        yield f"not at rest: {head.attention or head.want or head.due_at}"
    changes = head.generation - 1 + sum(int(str(invoice["reissues"])) for invoice in held)
    if len(head.past) != changes:
        yield f"{len(head.past)} earlier contents in the ledger, {changes} at the centre"
    if bad := [entry for entry in head.log if entry["event"] in BAD_EVENTS and entry.get("cause") != "ALREADY_DONE"]:
        yield f"log: {bad}"


def _content(head: Head, invoice: dict[str, Any], ubn: str) -> Iterator[str]:
    pairs = {
        "random code": (head.random_code, invoice["random"]),
        "buyer": (head.payload["buyer"].get("ubn", ""), invoice["ubn"]),
        "buyer wanted": (ubn, invoice["ubn"]),
        "total": (head.payload["total_twd"], invoice["total"]),
        "order number": (head.relate_number, invoice["relate_number"]),
    }
    for name, (ours, theirs) in pairs.items():
        if ours != theirs:
            yield f"{name}: {ours!r} in the ledger, {theirs!r} at the centre"
