"""One schedule (排程) from beginning to rest: merchants, queues and recovery around the product's own handlers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from einvoice.application import uploads
from einvoice.application.breaker import Breakers
from einvoice.application.confirm import confirm_one
from einvoice.application.consent import noticed
from einvoice.application.ports import Ports, Work
from einvoice.application.recover import recover_one
from einvoice.edge import http
from einvoice.errors import MerchantUnusable, StoreUnavailable
from einvoice.model import Centre, OrderKey, ProviderProfile
from einvoice.store.base import Head
from tests.simulation.centre import Account, Packet
from tests.simulation.checker import Checker
from tests.simulation.documents import Document, Ministry, Slip
from tests.simulation.engine import DEAD, Actor, Clock, Trace, World
from tests.simulation.ledger import FaultyStore, Ledger
from tests.simulation.line import GENUINE, Line
from tests.simulation.plan import Plan, Step, draw
from tests.simulation.queues import Message, Queue
from tests.simulation.requests import CORRECTING, requested
from tests.simulation.violation import Violation

TICK_S = 60.0
CONFIRM_TICKS = 5
MAX_TRIES = 30
MAX_TRIES_CORRECTING = 5  # a correction may wait for days; it goes on by itself
MAX_VIRTUAL_S = 40 * 86_400.0  # after the last fault; buyers may be asked one after the other
MAX_EVENTS = 60_000
RECOVER_TIMEOUT_S = 60.0
RECOVERERS = slice(3, 5)  # whose clocks recovery and confirmation go by
PUBLIC_URL = "https://invoices.example"


@dataclass
class Result:
    """What a schedule came to."""

    seed: int
    violation: Violation | None
    events: int
    virtual_s: float
    faults: list[tuple[str, int, str]]
    attention: list[str]
    counts: Counter[str]


class Settings:
    """``Centres`` of one merchant: two accounts, of which the settings name one."""

    def __init__(self, accounts: dict[str, Account]) -> None:
        self.accounts = accounts
        self.active = next(iter(accounts))
        self.credential = "c1"
        self.disabled_until = -1.0


class ActorCentres:
    """``Centres`` as one worker sees them."""

    def __init__(self, simulation: Simulation, actor: Actor, key: OrderKey) -> None:
        self.simulation, self.actor, self.key = simulation, actor, key

    def current(self, merchant: str) -> tuple[Centre, ProviderProfile]:
        """See Centres.current."""
        settings = self.simulation.settings[merchant]
        if self.simulation.world.t < settings.disabled_until:
            raise MerchantUnusable("DISABLED")
        account = settings.accounts[settings.active]
        return Centre(account.profile.name, account.name, settings.credential), account.profile

    def profile(self, merchant: str) -> ProviderProfile:
        """See Centres.profile."""
        settings = self.simulation.settings[merchant]
        return settings.accounts[settings.active].profile

    def pinned(self, merchant: str, centre: Centre) -> Line:
        """See Centres.pinned."""
        account = self.simulation.settings[merchant].accounts[centre.account]
        return Line(self.actor, self.key, account, self._sent(account))

    def _sent(self, account: Account) -> Callable[[Packet, str, str], None]:
        check = self.simulation.checker.sent
        return lambda packet, what, about: check(packet, f"{what} {about}", account.merchant, account.name)


class Simulation:
    """One seed's world."""

    def __init__(
        self,
        plan: Plan,
        *,
        without: frozenset[tuple[str, int]] = frozenset(),
        trace: Trace | None = None,
        outcomes_only: bool = False,
    ) -> None:
        self.plan = plan
        self.world = World(plan.seed, plan.start, trace=trace)
        self.world.rate, self.world.enabled, self.world.without = plan.rate, plan.enabled, without
        self.ledger = Ledger(self.world, self._head_changed)
        heads = self.ledger.memory.heads
        self.checker = Checker(self.world, plan, heads.get, self.ledger.filed, outcomes_only=outcomes_only)
        self.clocks = [Clock(self.world, self.world.start, skew) for skew in plan.skews]
        self.breakers: dict[int, tuple[dict[Any, Any]]] = {}
        self.queues = {name: Queue(self, name) for name in ("issue", "void", "reissue", "allow")}
        self.ministry = Ministry(self.world, plan.upload_s, plan.ministry_refuses)
        self.settings = {key.merchant: self._settings(key.merchant) for key in plan.orders}
        self.counts: Counter[str] = Counter()
        self.copies: dict[OrderKey, Head | None] = {}
        self.running: list[Actor] = []
        self.asked_for: dict[OrderKey, tuple[Head, bool]] = {}
        self.tokens = 0
        self.sv = 1

    def run(self) -> Result:
        """Until nothing moves any more, or something does not hold."""
        violation = None
        try:
            self._run()
            self.checker.at_rest()
        except Violation as found:
            violation = found
        return Result(
            self.plan.seed, violation, self.world.count, self.world.t, self.world.faults, self.checker.attention,
            self.counts,
        )

    def _run(self) -> None:
        world, plan = self.world, self.plan
        for step in plan.steps:
            world.at(step.at, lambda step=step: self._begin(step))
        tick = TICK_S * 0.5
        while True:
            while world.events and world.events[0][0] <= tick:
                if world.count > MAX_EVENTS:
                    raise Violation("I2", "it never comes to rest")
                world.step()
            world.t = tick
            if world.faulty and tick >= plan.horizon:
                world.faulty = False
                self._redrive()
            busy = self._recover(tick) | self._confirm(tick)
            following = self._following()
            if following is None and not busy and tick >= plan.horizon:
                return
            if tick > plan.horizon + MAX_VIRTUAL_S:
                stuck = [(head.state.value, head.cause, head.plans) for head in self.ledger.memory.heads.values()]
                raise Violation("I2", f"it never comes to rest: {stuck}")
            idle = 1 if busy else (min(plan.horizon, following or plan.horizon) - tick) // TICK_S
            if tick >= plan.horizon and following is not None and not busy:
                idle = (following - tick) // TICK_S
            tick += TICK_S * max(1, idle)

    def _following(self) -> float | None:
        """When something may happen next; None: never."""
        begin = self.world.start.timestamp() + max(self.plan.skews[RECOVERERS], default=0.0)  # the fastest clock
        times = [self.world.events[0][0]] if self.world.events else []
        for head in self.ledger.memory.heads.values():
            if head.due_at is not None:
                times.append(head.due_at - begin)
            elif head.confirm_at is not None and self._asked_for(head):
                times.append(head.confirm_at - begin)
        return min(times, default=None)

    def _asked_for(self, head: Head) -> bool:
        """Whether the centre still has something to tell; the deadline of what waits for a person may be far away."""
        if not self.plan.profile.queryable:
            return False
        known, answer = self.asked_for.get(head.key, (None, False))
        if known is not head:
            asked = not head.attention and any(one["status"] == "ASKED" for one in head.allowances)
            answer = asked or bool(uploads.unconfirmed(head))
            self.asked_for[head.key] = head, answer
        return answer

    # --- what the merchant does ------------------------------------------------------------------------------------

    def _begin(self, step: Step) -> None:
        key = self.plan.orders[step.order]
        settings = self.settings[key.merchant]
        self.world.say("merchant", f"{step}")
        match step.op:
            case "switch":
                settings.active = next(name for name in settings.accounts if name != settings.active)
            case "rotate":
                settings.credential = "c2"
            case "disable":
                settings.disabled_until = self.world.t + step.seconds
            case "upload":
                self.ministry.hurried.append(self.world.t)
            case "restore":
                self.copies[key] = self.ledger.memory.heads.get(key)
                self.world.at(self.world.t + step.seconds, lambda: self._restore(key))
            case _ if step.queue:
                self.queues[step.op].send(Message(step, key))
            case _:
                Actor(self.world, f"client{step.index}", lambda actor: self._client(actor, step, key)).begin()

    def _client(self, actor: Actor, step: Step, key: OrderKey) -> None:
        """A shop's program: repeats the same request until it is told something final."""
        for attempt in range(MAX_TRIES_CORRECTING if step.op in CORRECTING else MAX_TRIES):
            reply = self._http(actor, step, key, attempt)
            if reply is None or reply.status in (500, 503):
                actor.sleep(actor.rng.between(1, 90))
                continue
            retry_after = reply.headers.get("retry-after")
            if retry_after is None:
                return
            actor.sleep(int(retry_after) * actor.rng.between(0.5, 1.5))

    def _http(self, client: Actor, step: Step, key: OrderKey, attempt: int) -> http.Reply | None:
        worker = client.rng.below(3)
        name = f"{client.name}.{attempt}"

        def work(actor: Actor) -> http.Reply:
            p, w = self._ports(actor, key, worker), self._work(actor, self.plan.timeout_s)
            reply = requested(p, w, self.plan, step, key)
            self.world.say(actor.name, f"answers {reply.status} {reply.body.get('state') or reply.body.get('code')}")
            self.checker.answered(name, key, step, reply)
            return reply

        self._invoke(Actor(self.world, name, work, client.wake), self.plan.timeout_s)
        value = client.wait()
        return None if value is DEAD else value

    # --- workers ---------------------------------------------------------------------------------------------------

    def _invoke(self, actor: Actor, timeout_s: float, delay_s: float = 0.0) -> None:
        self.running = [other for other in self.running if not other.dead]
        self.running.append(actor)
        actor.begin(delay_s)
        self.world.at(self.world.t + delay_s + timeout_s, actor.kill)

    def _work(self, actor: Actor, timeout_s: float) -> Work:
        lease_s = self.plan.lease_s or int(timeout_s) + http.LEASE_MARGIN_S
        return Work(actor.name, ends_at=self.world.t + timeout_s, lease_s=lease_s)

    def _ports(self, actor: Actor, key: OrderKey, worker: int) -> Ports:
        old = worker == 0 and self.world.faulty  # a deployment comes to its end
        code = ("old" if old else "new") if self.plan.mixed_code else ""
        store = FaultyStore(actor, self.ledger, code)
        clock = self.clocks[worker]
        breakers = Breakers(store, clock)
        breakers._seen = self.breakers.setdefault(worker, {})  # a container's cache outlives its invocations
        return Ports(
            stage="sim",
            store=store,
            centres=ActorCentres(self, actor, key),
            breakers=breakers,
            clock=clock,
            token=self._token,
            pace=lambda merchant, account: actor.sleep(0.01),
            observe=self._observe,
            public_url=PUBLIC_URL if self.plan.reachable else "",
        )

    def _token(self) -> str:
        self.tokens += 1
        return f"t{self.tokens}"

    def _observe(self, event: str, **fields: Any) -> None:
        self.counts[event] += 1
        self.checker.observed(fields)

    # --- recovery --------------------------------------------------------------------------------------------------

    def _recover(self, tick: float) -> bool:
        worker = 3 + int(tick / TICK_S) % 2
        now = int(self.clocks[worker].now().timestamp())
        keys = self.ledger.memory.due(now, 100)
        for key in keys:

            def work(actor: Actor, key: OrderKey = key) -> None:
                recover_one(self._ports(actor, key, worker), self._work(actor, RECOVER_TIMEOUT_S), key)

            name = f"recover{int(tick)}:{self.plan.orders.index(key)}"
            self._invoke(Actor(self.world, name, work), RECOVER_TIMEOUT_S)
        return bool(keys)

    def _confirm(self, tick: float) -> bool:
        worker = 3 + int(tick / TICK_S) % 2
        now = int(self.clocks[worker].now().timestamp())
        keys = self.ledger.memory.due(now, 100, confirm=True)
        for key in keys if int(tick / TICK_S) % CONFIRM_TICKS == 0 else []:

            def work(actor: Actor, key: OrderKey = key) -> None:
                confirm_one(self._ports(actor, key, worker), self._work(actor, RECOVER_TIMEOUT_S), key)

            name = f"confirm{int(tick)}:{self.plan.orders.index(key)}"
            self._invoke(Actor(self.world, name, work), RECOVER_TIMEOUT_S)
        return bool(keys)

    def _call_back(self, address: str) -> None:
        """The centre tells that a buyer agreed."""
        merchant, name = address.split("/")[-2:]
        key = self.ledger.memory.recall(merchant, name)
        if key is None:
            raise Violation("CALLBACK", f"nobody remembers {address}")
        worker = self.tokens % 3

        def work(actor: Actor) -> None:
            p, w = self._ports(actor, key, worker), self._work(actor, self.plan.timeout_s)
            try:
                noticed(p, w, merchant, name, "", GENUINE)
            except (StoreUnavailable, MerchantUnusable):  # told 503; nobody promises that the centre tells it again
                self._observe("callback_put_off")

        self._invoke(Actor(self.world, f"callback{name}:{self.world.count}", work), self.plan.timeout_s)

    # --- what happens to it ----------------------------------------------------------------------------------------

    def _restore(self, key: OrderKey) -> None:
        """An older copy of the table, restored as the runbook says: with the traffic stopped."""
        for actor in self.running:
            actor.kill()
        self.checker.books[key].restored = True
        self.world.say("operator", "RESTORES an older copy")
        self.ledger.restore(key, self.copies[key])

    def _redrive(self) -> None:
        for queue in self.queues.values():
            queue.redrive()

    def _head_changed(self, old: Head | None, new: Head | None) -> None:
        self.checker.head_changed(old, new)

    def _settings(self, merchant: str) -> Settings:
        plan = self.plan
        accounts = {}
        for name in ("aa", "bb"):
            accounts[f"{name}-{merchant}"] = Account(
                self.world,
                merchant,
                f"{name}-{merchant}",
                plan.profile,
                self._centre_changed,
                self.ministry,
                self._call_back,
                lag_s=plan.lag_s,
                refused_totals=plan.refused_totals,
                exhausted=plan.exhausted,
                refuses_voids=plan.refuses_voids,
                duplicate_first=plan.duplicate_first,
            )
        return Settings(accounts)

    def _centre_changed(self, packet: Packet | None, document: Document, event: str, slip: Slip | None) -> None:
        self.checker.centre_changed(packet, document, event, slip)


def run(
    seed: int,
    *,
    steps: frozenset[int] | None = None,
    without: frozenset[tuple[str, int]] = frozenset(),
    trace: Trace | None = None,
    outcomes_only: bool = False,
) -> Result:
    """One seed's schedule; of its steps only ``steps``, its faults but ``without``: so a failing one is made small.

    ``outcomes_only`` leaves out how the ledger moves: then only what a merchant or the tax office would notice counts.
    """
    plan = draw(seed)
    if steps is not None:
        plan = replace(plan, steps=tuple(step for step in plan.steps if step.index in steps))
    return Simulation(plan, without=without, trace=trace, outcomes_only=outcomes_only).run()
