"""What one seed decides before anything runs (劇本): orders, wants, faults, clocks, the kind of centre."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from einvoice.model import OrderKey, ProviderProfile
from einvoice.rules.period import TAIPEI
from tests.simulation.centre import NET_FAULTS
from tests.simulation.engine import Rng
from tests.simulation.ledger import READ_FAULTS, WRITE_FAULTS

QUEUE_FAULTS = ("delivered_twice", "delete_lost", "batch_killed")
FAULTS = (*NET_FAULTS, *(f for f in WRITE_FAULTS if f not in READ_FAULTS), *READ_FAULTS, *QUEUE_FAULTS)

MORNING = datetime(2026, 3, 12, 10, 0, tzinfo=TAIPEI)
LAST_HOUR = datetime(2026, 4, 30, 23, 0, tzinfo=TAIPEI)  # of a period
EXTRA_MAX = 5

PROFILES = {
    "ecpay": ProviderProfile("ecpay", same_number_reissue=True, contact_required=True),
    "no_query": ProviderProfile("no-query", queryable=False),
    "no_unique": ProviderProfile("no-unique", unique_order_number=False),
}

CANARY = "canary@example.com"


def _order(name: str, total: int) -> dict[str, Any]:
    line = {"name": name, "quantity": 1, "unit_price_twd": total, "amount_twd": total}
    return {
        "buyer": {"email": CANARY},
        "lines": [line],
        "total_twd": total,
        "carrier": {"kind": "mobile_barcode", "number": "/ABC+123"},
    }


BODIES = {
    "A": _order("高山茶", 105),
    "B": _order("高山茶 二兩", 210),
    "C": _order("烏龍茶", 315),
    "X": _order("茶", 105) | {"total_twd": 100},  # breaks a rule
}

CORRECTIONS: dict[str, dict[str, Any]] = {
    "name": {"lines": [{"name": "更正茶", "quantity": 1, "unit_price_twd": 105, "amount_twd": 105}]},
    "love": {"carrier": None, "love_code": "919"},
    "total": {
        "lines": [{"name": "紅茶", "quantity": 1, "unit_price_twd": 84, "amount_twd": 84}],
        "total_twd": 84,
    },
    "none": {},
}


@dataclass(frozen=True, slots=True)
class Step:
    """One wish of the merchant, or one thing that happens to it, ``at`` seconds after the beginning."""

    index: int
    at: float
    op: str
    order: int = 0
    queue: bool = False
    body: str = ""
    generation: int = 0
    mode: str = ""
    idempotency_key: str = ""
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything a seed decides beforehand."""

    seed: int
    start: datetime
    kind: str
    orders: tuple[OrderKey, ...]
    steps: tuple[Step, ...]
    rate: float
    enabled: frozenset[str]
    horizon: float  # from here on nothing goes wrong any more
    lease_s: int | None  # None: the function's own
    timeout_s: float
    visibility_s: float
    skews: tuple[float, ...]
    lag_s: float
    exhausted: tuple[float, float]
    refused_totals: frozenset[int]
    refuses_voids: bool
    duplicate_first: bool
    mixed_code: bool

    @property
    def crosses_period(self) -> bool:
        """Whether a period may end while it runs."""
        return self.start != MORNING

    @property
    def restores(self) -> bool:
        """Whether an older copy of the table takes its place."""
        return any(step.op == "restore" for step in self.steps)


def draw(seed: int) -> Plan:
    """The plan of ``seed``."""
    rng = Rng(seed * 0x2545F4914F6CDD1D + 7)
    kind = "ecpay" if rng.chance(0.84) else rng.choice(("no_query", "no_unique"))
    start = MORNING if rng.chance(0.92) else LAST_HOUR.replace(minute=rng.below(59))
    two = rng.chance(0.3)
    keys = [OrderKey("shop", "api", "1018")]
    if two:
        keys.append(OrderKey("shop", "api", "1019") if rng.chance(0.5) else OrderKey("other", "api", "1018"))
    steps = _steps(rng, len(keys))
    moved = any(step.op == "switch" for step in steps)
    if start != MORNING or kind == "no_unique" or moved:
        # An older table opened before it was reconciled is only safe where the same centre refuses a second invoice.
        steps = tuple(step for step in steps if step.op != "restore")
    intensity = rng.choice((0.0, 0.04, 0.08, 0.12, 0.2, 0.35))
    share = rng.choice((0.25, 0.5, 1.0))
    return Plan(
        seed=seed,
        start=start,
        kind=kind,
        orders=tuple(keys),
        steps=steps,
        rate=intensity / share,
        enabled=frozenset(f for f in FAULTS if rng.chance(share)),
        horizon=max(step.at for step in steps) + rng.choice((60.0, 600.0, 3600.0)),
        lease_s=rng.choice((None, None, None, 40, 12)),
        timeout_s=rng.choice((25.0, 25.0, 30.0)),
        visibility_s=rng.choice((180.0, 180.0, 20.0)),
        skews=tuple(rng.between(-300, 300) if rng.chance(0.5) else 0.0 for _ in range(5)),
        lag_s=rng.choice((0.0, 0.0, 5.0, 120.0)),
        exhausted=_window(rng) if rng.chance(0.1) else (0.0, 0.0),
        refused_totals=frozenset(rng.choice(((105,), (210,), (105, 210), (84,)))) if rng.chance(0.2) else frozenset(),
        refuses_voids=rng.chance(0.03),
        duplicate_first=rng.chance(0.5),
        mixed_code=rng.chance(0.05),
    )


def _window(rng: Rng) -> tuple[float, float]:
    begin = rng.between(0, 1000)
    return begin, begin + rng.between(60, 3000)


def _steps(rng: Rng, orders: int) -> tuple[Step, ...]:
    steps: list[Step] = []
    for order in range(orders):
        first = rng.between(0, 60)
        if rng.chance(0.06):  # cancelled before anybody asked to issue
            steps.append(_void(rng, order, max(0.0, first + rng.between(-30, 10))))
        body = "A" if rng.chance(0.8) else "B"
        steps.append(_issue(rng, order, first, body))
        for _ in range(rng.below(EXTRA_MAX + 1)):
            at = first + 5000 * rng.random() ** 3
            steps.append(_wish(rng, order, at, body))
            if steps[-1].op == "reissue" and rng.chance(0.3):  # cancelled before, during or after it
                steps.append(_void(rng, order, at + rng.between(-0.5, 2)))
    for op, often in (("switch", 0.1), ("rotate", 0.1), ("disable", 0.06), ("restore", 0.03), ("upload", 0.3)):
        if rng.chance(often):
            at = 4000 * rng.random() ** 2
            steps.append(Step(0, at, op, order=rng.below(orders), seconds=rng.between(30, 2000)))
    return tuple(replace(step, index=index) for index, step in enumerate(steps))


def _wish(rng: Rng, order: int, at: float, body: str) -> Step:
    u = rng.random()
    if u < 0.3:
        return _issue(rng, order, at, body)  # the same again
    if u < 0.45:
        return _issue(rng, order, at, rng.choice("ABBCX"))
    if u < 0.75:
        return _void(rng, order, at)
    return Step(
        0,
        at,
        "reissue",
        order=order,
        queue=rng.chance(0.3),
        body=rng.choice(("name", "name", "love", "total", "none")),
        generation=1 if rng.chance(0.8) else 2,
        mode="same_number" if rng.chance(0.4) else "new_number",
        idempotency_key=rng.choice(("", "", "k1")),
    )


def _issue(rng: Rng, order: int, at: float, body: str) -> Step:
    return Step(
        0, at, "issue", order=order, queue=rng.chance(0.35), body=body, mode=rng.choice(("", "", "", "", "sold_on")),
        idempotency_key=rng.choice(("", "", "", "k1")),
    )


def _void(rng: Rng, order: int, at: float) -> Step:
    queue = rng.chance(0.5)
    generation = 0 if queue and rng.chance(0.6) else (1 if rng.chance(0.8) else 2)
    return Step(0, at, "void", order=order, queue=queue, generation=generation)
