"""What becomes of an order whose process was killed: the ways on, and what must be true in the end.

A first run without a kill counts the edges of an operation; then, for every one of them, a fresh order, a process
killed there, and one of three ways on until nothing moves any more:

* ``recovery``: the two scheduled functions, the clock moved to whatever is due next.
* ``repeat``: no recovery; the merchant repeats the same request as ``Retry-After`` says.
* ``second kill``: recovery is itself killed, once, at each of *its* edges, and then runs again.

A buyer who was asked for consent clicks as soon as nothing else is under way.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, replace

from einvoice.store.base import Head
from tests.torture.boundaries import TELLING
from tests.torture.operations import Operation
from tests.torture.seen import faults, living, standing
from tests.torture.world import World

WAYS = ("recovery", "repeat", "second kill")
ROUNDS = 60  # invocations until nothing may move any more


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
    """The edges an undisturbed run crosses, with those of the scheduled functions that bring it to its end."""
    order_id = _fresh(w, operation)
    run = operation.request(w, order_id)
    assert not run.killed, run
    crossed, troubles = _recovered(w, operation, order_id)
    wrong = (*troubles, *faults(w, operation, order_id, begun=True))
    assert not wrong, wrong
    return [*run.edges, *crossed]


def stories(
    w: World, operation: Operation, way: str, *, every: bool = True, few: bool = False
) -> Iterator[Story]:
    """Every kill of ``operation`` and the way on.

    Without ``every``, second kills leave out the edges of either run between which nothing changed; with ``few``, so
    do first kills.
    """
    edges = edges_of(w, operation)
    for at, edge in enumerate(edges, 1):
        if few and not tells(edge):
            continue
        if way != "second kill":
            yield _story(w, operation, way, at, edge)
        elif every or tells(edge):
            yield from _second_kills(w, operation, at, edge, every=every)


def tells(edge: str) -> bool:
    """Whether something had changed since the edge before it."""
    return edge.rpartition(": ")[2] in TELLING


@dataclass(frozen=True)
class Kill:
    """An order whose work died at ``edge``; ``begun``: its intent was stored, so that it must come to its end."""

    order_id: str
    edge: str
    stood: str
    begun: bool


def _story(w: World, operation: Operation, way: str, at: int, edge: str) -> Story:
    kill = _killed(w, operation, at, edge)
    if way == "repeat":
        return _told(w, operation, replace(kill, begun=True), way, _repeated(w, operation, kill.order_id))
    _, troubles = _recovered(w, operation, kill.order_id)
    return _told(w, operation, kill, way, troubles)


def _second_kills(w: World, operation: Operation, at: int, edge: str, *, every: bool) -> Iterator[Story]:
    kill = _killed(w, operation, at, edge)
    seconds, troubles = _recovered(w, operation, kill.order_id)
    yield _told(w, operation, kill, "second kill", troubles)
    for second, name in enumerate(seconds, 1):
        if not every and not tells(name):
            continue
        kill = _killed(w, operation, at, edge)
        crossed, troubles = _recovered(w, operation, kill.order_id, second)
        if crossed[second - 1] != name:
            troubles.append(f"recovery went another way than before: {crossed[second - 1]}")
        yield _told(w, operation, kill, "second kill", troubles, name)


def _fresh(w: World, operation: Operation) -> str:
    order_id = f"{operation.route}-{next(_orders)}"
    operation.prepare(w, order_id)
    return order_id


def _killed(w: World, operation: Operation, at: int, edge: str) -> Kill:
    """A fresh order whose request, or what was scheduled after it, died at the edge."""
    order_id = _fresh(w, operation)
    before = _written(w.head(order_id))
    run = operation.request(w, order_id, at)
    crossed = run.edges
    if not run.killed:
        later, _ = _recovered(w, operation, order_id, at - len(crossed), ends=True)
        crossed = [*crossed, *later]
    assert (len(crossed), crossed[-1]) == (at, edge), crossed
    assert bool(w.sim.pending()) == edge.endswith("on its way"), crossed
    return Kill(order_id, edge, standing(w, order_id), _written(w.head(order_id)) > before)


def _written(head: Head | None) -> int:
    """Grows with every intent and every plan."""
    return 0 if head is None else len(head.log) + len(head.plans)


def _recovered(
    w: World, operation: Operation, order_id: str, kill_at: int = 0, *, ends: bool = False
) -> tuple[list[str], list[str]]:
    """What is scheduled, until nothing moves, killed at the ``kill_at``-th edge (0: never; ``ends``: and no more).

    The edges crossed, and troubles.
    """
    crossed: list[str] = []
    for _ in range(ROUNDS):
        function = _scheduled(w, operation, order_id)
        if function is None:
            if not _goes_by_itself(w):
                return crossed, []
            continue
        run = w.run(function, {}, max(0, kill_at - len(crossed)))
        crossed += [f"{function}: {edge}" for edge in run.edges]
        assert run.killed == (0 < kill_at == len(crossed)), run
        if run.killed and ends:
            return crossed, []
    return crossed, [f"still moving after {ROUNDS} rounds"]


def _scheduled(w: World, operation: Operation, order_id: str) -> str | None:
    """The function whose turn it is, the clock moved there; nothing else may be on its way while the ministry waits."""
    head = w.head(order_id)
    if head is not None and head.due_at is not None:
        w.wait_until(max(head.due_at, head.lease_until) + 1)
        return "recover"
    if head is None or head.confirm_at is None or not operation.confirms or w.sim.pending() or _waiting(w):
        return None
    w.wait_until(max(head.confirm_at, head.lease_until) + 1)
    return "confirm"


def _goes_by_itself(w: World) -> bool:
    """Whether something outside still moved: a packet arrived, or a buyer clicked."""
    if w.sim.pending():
        w.wait_until(int(max(w.sim.pending()).timestamp()) + 1)
        return True
    for number in _waiting(w):
        w.sim.agree(number)
        return True
    return False


def _waiting(w: World) -> list[str]:
    """The allowances that buyers are asked for."""
    return [str(one["number"]) for one in w.sim.online_allowances() if one["state"] == "waiting"]


def _repeated(w: World, operation: Operation, order_id: str) -> list[str]:
    """The merchant repeats the request until it is answered for good; every answer that says "failed" is a trouble.

    The ministry's answers are asked for as ever; recovery does not run.
    """
    for _ in range(ROUNDS):
        run = operation.request(w, order_id)
        headers = {name.lower(): value for name, value in run.answer["headers"].items()}
        if run.status in {200, 201}:
            if not _goes_by_itself(w) and not _confirmed(w, operation, order_id, wait=True):
                return []
        elif run.status in {202, 409} and "retry-after" in headers:
            w.wait_until(int(w.sim.now().timestamp()) + int(headers["retry-after"]) + 1)
            _confirmed(w, operation, order_id, wait=False)
        else:
            return [f"answered {run.status} {run.answer['body'][:200]}"]
    return [f"no answer for good after {ROUNDS} requests"]


def _confirmed(w: World, operation: Operation, order_id: str, *, wait: bool) -> bool:
    """Whether ``confirm`` ran: its time has come, or is waited for."""
    head = w.head(order_id)
    now = int(w.sim.now().timestamp())
    if not operation.confirms or head is None or head.confirm_at is None or head.due_at is not None:
        return False
    if head.confirm_at > now and not wait:
        return False
    w.wait_until(max(head.confirm_at, head.lease_until) + 1)
    w.run("confirm", {})
    return True


def _told(w: World, operation: Operation, kill: Kill, way: str, troubles: list[str], second: str = "") -> Story:
    wrong = (*troubles, *faults(w, operation, kill.order_id, begun=kill.begun))
    return Story(
        operation.name, way, kill.edge, second, kill.stood, standing(w, kill.order_id), len(living(w)), wrong
    )
