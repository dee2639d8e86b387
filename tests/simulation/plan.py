"""What one seed decides before anything runs (劇本): orders, wants, faults, clocks, the kind of centre."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from einvoice.model import OrderKey, ProviderProfile
from einvoice.rules.period import TAIPEI
from tests.simulation.content import CUMULATIVE, FACTS, REFUNDS
from tests.simulation.engine import Rng
from tests.simulation.ledger import READ_FAULTS, WRITE_FAULTS
from tests.simulation.line import NET_FAULTS

QUEUE_FAULTS = ("delivered_twice", "delete_lost", "batch_killed")
FAULTS = (*NET_FAULTS, *(f for f in WRITE_FAULTS if f not in READ_FAULTS), *READ_FAULTS, *QUEUE_FAULTS)

MORNING = datetime(2026, 3, 12, 10, 0, tzinfo=TAIPEI)
LAST_HOUR = datetime(2026, 4, 30, 23, 0, tzinfo=TAIPEI)  # of a period
BEFORE = datetime(2026, 2, 27, 10, 0, tzinfo=TAIPEI)  # a day before a period ends
LATER = (  # what an order of BEFORE may live to see
    datetime(2026, 2, 28, 23, 30, tzinfo=TAIPEI),  # the period's end
    datetime(2026, 3, 5, 10, 0, tzinfo=TAIPEI),  # voids are still open, unless it was filed
    datetime(2026, 3, 13, 23, 30, tzinfo=TAIPEI),  # the last half-hour of voids
    datetime(2026, 3, 14, 0, 5, tzinfo=TAIPEI),
)
EXTRA_MAX = 5

PROFILES = {
    "ecpay": ProviderProfile("ecpay", same_number_reissue=True, contact_required=True, online_allowances=True),
    "no_query": ProviderProfile("no-query", queryable=False),
    "no_unique": ProviderProfile("no-unique", unique_order_number=False),
}
UPLOADS_FIRST = (
    frozenset({"same_number"}),
    frozenset({"same_number", "allowance", "allowance_void", "void_after_allowances", "issue_after_allowance"}),
    frozenset({"void", "same_number", "allowance", "issue_after_void", "issue_after_allowance"}),
)


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
    refund_id: str = ""
    online: bool = False
    n: int = 0  # of an allowance
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
    corrects: bool  # whether corrections and allowances are among its steps
    history: str
    upload_first: frozenset[str]
    upload_s: tuple[float, float]  # how soon the ministry answers
    ministry_refuses: float
    reachable: bool  # whether the centre can call back

    @property
    def profile(self) -> ProviderProfile:
        """What this schedule's centre takes."""
        profile = PROFILES[self.kind]
        first = self.upload_first if profile.queryable else frozenset()  # nobody could tell that it is there
        return replace(profile, history=self.history, upload_first=first, confirm_every_s=10_800)

    @property
    def crosses_period(self) -> bool:
        """Whether a period may end while it runs."""
        return self.start != MORNING

    @property
    def closes_voids(self) -> bool:
        """Whether the last moment to void its first invoice may pass, or that of an allowance."""
        return self.start == BEFORE

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
    more = Rng(seed * 0x9E3779B97F4A7C15 + 3)  # what was drawn before corrections existed stays as it was
    corrects = more.chance(0.6) and start == MORNING
    if corrects:
        start = BEFORE if more.chance(0.4) else MORNING
        steps = _corrections(more, len(keys), steps, start)
    moved = any(step.op == "switch" for step in steps)
    if start != MORNING or kind == "no_unique" or moved or corrects:
        # An older table opened before it was reconciled is only safe where the same centre refuses the same again.
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
        corrects=corrects,
        history=more.choice(("allowance_remaining", "void_allowances_first")),
        upload_first=more.choice(UPLOADS_FIRST),
        upload_s=more.choice(((30.0, 600.0), (300.0, 7200.0), (3600.0, 40000.0))),
        ministry_refuses=0.15 if corrects and more.chance(0.06) else 0.0,
        reachable=more.chance(0.8),
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


def _corrections(rng: Rng, orders: int, steps: tuple[Step, ...], start: datetime) -> tuple[Step, ...]:
    """The steps, and among and after them corrections, allowances, facts and filings."""
    offset = (rng.choice(LATER) - start).total_seconds() if start == BEFORE else 0.0
    kept = [step for step in steps if step.op not in ("void", "reissue") or rng.chance(0.35)]
    moved = [replace(step, at=step.at + offset) if offset and rng.chance(0.15) else step for step in kept]
    for order in range(orders):
        refunds = _refunds(rng)
        if rng.chance(0.15):
            moved = [replace(one, body="U") if (one.op, one.order) == ("issue", order) else one for one in moved]
        for _ in range(1 + rng.below(EXTRA_MAX)):
            at = (offset if rng.chance(0.75) else 0.0) + 60 + 7000 * rng.random() ** 2
            moved.append(_correction(rng, order, at, refunds))
            if moved[-1].op == "correct" and rng.chance(0.3):  # cancelled, or given back, in the middle of it
                moved.append(_correction(rng, order, at + rng.between(-1, 1200), refunds, goal=rng.random() * 0.7))
    if offset and rng.chance(0.3):
        moved.append(Step(0, offset + rng.between(-600, 5000), "file", body="11502"))
    return tuple(replace(step, index=index) for index, step in enumerate(moved))


def _refunds(rng: Rng) -> dict[str, Step]:
    """Which refund ids the shop's platform uses, and what each of them says every time it comes."""
    names = tuple(name for name in REFUNDS if name not in CUMULATIVE)
    told = CUMULATIVE if rng.chance(0.3) else tuple(rng.choice(names) for _ in range(3))
    return {
        f"R{place}": Step(
            0, 0, rng.choice(("refund", "refund", "allow")), body=body, refund_id=f"R{place}", online=rng.chance(0.12)
        )
        for place, body in enumerate(told)
    }


def _correction(rng: Rng, order: int, at: float, refunds: dict[str, Step], goal: float | None = None) -> Step:
    u = rng.random() if goal is None else goal
    if u < 0.55:
        step = refunds[rng.choice(tuple(refunds))]
        body = step.body if rng.chance(0.95) else "10"  # the same id for something else
        queue = step.op == "allow" and rng.chance(0.6)
        generation = 0 if queue and rng.chance(0.7) else 1 if rng.chance(0.85) else 2
        return replace(step, at=at, order=order, body=body, queue=queue, generation=generation)
    if u < 0.7:
        return Step(0, at, "cancel", order=order, idempotency_key=rng.choice(("", "", "k2")))
    if u < 0.88:
        return Step(
            0, at, "correct", order=order, body=rng.choice(("remark", "name", "ubn", "ubn", "total", "none")),
            mode="same_number" if rng.chance(0.15) else "", idempotency_key=rng.choice(("", "", "k3")),
            online=rng.chance(0.1),
        )
    if u < 0.95:
        return Step(0, at, "unallow", order=order, n=1 + rng.below(3))
    return Step(0, at, "facts", order=order, body=rng.choice(tuple(FACTS)))
