"""One schedule (排程) from beginning to rest: merchants, queues and recovery around the product's own handlers."""

from __future__ import annotations

import importlib.util
import json
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from types import ModuleType
from typing import Any

from einvoice.application import answers
from einvoice.application.breaker import Breakers
from einvoice.application.ports import Ports, Work
from einvoice.application.recover import recover_one
from einvoice.application.sending import Overtaken
from einvoice.edge import http
from einvoice.edge.queue import COMES_AGAIN
from einvoice.errors import Conflict, EinvoiceError, InvalidRequest, MerchantUnusable, NotFound, StoreUnavailable
from einvoice.identity import invoice_id
from einvoice.model import Centre, OrderKey, ProviderProfile
from einvoice.rules.period import TAIPEI
from einvoice.store.base import Head, State
from tests.simulation.centre import Account, Document, Line, Packet
from tests.simulation.checker import Checker, Violation
from tests.simulation.engine import DEAD, Actor, Clock, Trace, World
from tests.simulation.ledger import FaultyStore, Ledger
from tests.simulation.plan import BODIES, CORRECTIONS, PROFILES, QUEUE_FAULTS, Plan, Step, draw

TICK_S = 60.0
MAX_RECEIVES = {"issue": 5, "void": 20, "reissue": 20}  # as template.yaml says
MAX_TRIES = 30
MAX_VIRTUAL_S = 16 * 3600.0
MAX_EVENTS = 60_000
RECOVER_TIMEOUT_S = 60.0
RECOVER_RESERVE_S = 25.0

#: what a message may die of twice, by operation: it waits longer than a queue's patience, and a person sends it again
OUTLASTS_THE_QUEUE = frozenset(
    {
        ("reissue", "NOT_UPLOADED"),
        ("reissue", "PERIOD_ENDING"),
        ("reissue", "ORDER_IN_PROGRESS"),
        ("reissue", "MerchantUnusable DISABLED"),
        ("issue", "MerchantUnusable DISABLED"),
    }
)


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
        self.checker = Checker(self.world, plan, heads.get, outcomes_only=outcomes_only)
        self.settings = {key.merchant: self._settings(key.merchant) for key in plan.orders}
        self.clocks = [Clock(self.world, self.world.start, skew) for skew in plan.skews]
        self.breakers: dict[int, tuple[dict[Any, Any]]] = {}
        self.queues = {name: Queue(self, name) for name in ("issue", "void", "reissue")}
        self.counts: Counter[str] = Counter()
        self.copies: dict[OrderKey, Head | None] = {}
        self.running: list[Actor] = []
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
            due = self._recover(tick)
            if not due and not world.events and tick >= plan.horizon:
                waiting = [head.due_at for head in self.ledger.memory.heads.values() if head.due_at is not None]
                if not waiting:
                    return
                tick = max(tick, min(waiting) - world.start.timestamp() - 400)
            if tick > MAX_VIRTUAL_S:
                stuck = [(head.state.value, head.cause) for head in self.ledger.memory.heads.values()]
                raise Violation("I2", f"it never comes to rest: {stuck}")
            tick += TICK_S

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
                self._confirm_upload(key)
            case "restore":
                self.copies[key] = self.ledger.memory.heads.get(key)
                self.world.at(self.world.t + step.seconds, lambda: self._restore(key))
            case _ if step.queue:
                self.queues[step.op].send(Message(step, key))
            case _:
                Actor(self.world, f"client{step.index}", lambda actor: self._client(actor, step, key)).begin()

    def _client(self, actor: Actor, step: Step, key: OrderKey) -> None:
        """A shop's program: repeats the same request until it is told something final."""
        for attempt in range(MAX_TRIES):
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
            reply = _requested(p, w, self.plan, step, key)
            self.world.say(actor.name, f"answers {reply.status} {reply.body.get('state') or reply.body.get('code')}")
            self.checker.answered(name, key, step.op, step.generation, reply)
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

    # --- what happens to it ----------------------------------------------------------------------------------------

    def _confirm_upload(self, key: OrderKey) -> None:
        """The ministry confirmed the invoice: a fenced write, as the polling of uploads will make it."""
        head = self.ledger.memory.heads.get(key)
        if head is not None and head.state is State.ISSUED:
            after = replace(head, upload="confirmed", ver=head.ver + 1, write_id=self._token())
            self.ledger.apply(key, lambda: self.ledger.memory.replace(after))

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
                PROFILES[plan.kind],
                self._centre_changed,
                lag_s=plan.lag_s,
                refused_totals=plan.refused_totals,
                exhausted=plan.exhausted,
                refuses_voids=plan.refuses_voids,
                duplicate_first=plan.duplicate_first,
            )
        return Settings(accounts)

    def _centre_changed(self, packet: Packet, document: Document, event: str) -> None:
        self.checker.centre_changed(packet, document, event)


# --- one request ---------------------------------------------------------------------------------------------------


def _load(function: str) -> ModuleType:
    """A function's handler module, as Lambda would load it."""
    path = Path(__file__).parents[2] / "functions" / function / "handler.py"
    spec = importlib.util.spec_from_file_location(f"simulated_{function}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


HANDLERS = {name: _load(name) for name in ("issue", "void", "reissue")}


def _content(plan: Plan, step: Step, key: OrderKey) -> dict[str, Any]:
    """What the shop sends, without what only a queue's message needs."""
    match step.op:
        case "issue":
            content = BODIES[step.body] | {"order_id": key.order_id}
            if step.mode == "sold_on":  # the day of the beginning, however late the request comes
                content["sold_on"] = plan.start.astimezone(TAIPEI).date().isoformat()
        case "void":
            content = {"reason": "訂單取消"}
        case _:
            corrections = CORRECTIONS[step.body]
            content = {"reason": "資料更正", "corrections": corrections, "mode": step.mode or "new_number"}
            if "total_twd" in corrections:
                content["order_total_twd"] = corrections["total_twd"]
    return content


def _requested(p: Ports, w: Work, plan: Plan, step: Step, key: OrderKey) -> http.Reply:
    """One HTTP request through the function's own code, its errors through the edge's."""
    request = http.Request(
        merchant=key.merchant,
        scopes=frozenset(),
        correlation_id=w.correlation_id,
        body=json.dumps(_content(plan, step, key)).encode(),
        path={"id": invoice_id(key, step.generation or 1)},
        idempotency_key=step.idempotency_key,
    )
    try:
        return HANDLERS[step.op].on_request(p, w, request)
    except Overtaken as overtaken:
        return http._error(answers.in_flight(overtaken.standing, p.now()))
    except EinvoiceError as error:
        return http._error(error)


def _raw_message(plan: Plan, step: Step, key: OrderKey) -> bytes:
    content = _content(plan, step, key)
    content |= {"merchant_id": key.merchant, "command": step.op, "idempotency_key": step.idempotency_key}
    if step.op != "issue" and step.generation:
        content["invoice_id"] = invoice_id(key, step.generation)
    else:
        content["order_id"] = key.order_id
    return json.dumps(content).encode()


# --- queues --------------------------------------------------------------------------------------------------------


@dataclass
class Message:
    """One message: how often it was received, and whether it still is in its queue."""

    step: Step
    key: OrderKey
    received: int = 0
    deleted: bool = False
    hidden_until: float = 0.0
    dead: bool = False
    redriven: bool = False
    last: str = ""


class Queue:
    """A standard queue (SQS): at least once, in any order, in batches, with a dead-letter queue behind it."""

    def __init__(self, simulation: Simulation, name: str) -> None:
        self.simulation, self.name = simulation, name
        self.messages: list[Message] = []
        self.batches = 0

    def send(self, message: Message) -> None:
        """Put it in; it is delivered soon, perhaps twice."""
        self.messages.append(message)
        self._wake(0.05)

    def redrive(self) -> None:
        """The operator sends the dead letters back, once."""
        for message in self.messages:
            if message.dead and not message.redriven:
                message.redriven = True
                message.dead, message.received, message.hidden_until = False, 0, 0.0
                self._wake(1.0)

    def _wake(self, delay_s: float) -> None:
        world = self.simulation.world
        world.at(world.t + delay_s, self._deliver)

    def _deliver(self) -> None:
        simulation = self.simulation
        world = simulation.world
        ready = [m for m in self.messages if not m.deleted and not m.dead and m.hidden_until <= world.t]
        batch = []
        for message in ready:
            message.received += 1
            if message.received > MAX_RECEIVES[message.step.op]:
                message.dead = True
                simulation.counts[f"dead_letter {message.step.op} {message.last}"] += 1
                if message.redriven and (message.step.op, message.last) not in OUTLASTS_THE_QUEUE:
                    raise Violation("LAW8", f"{message.step.op} is a dead letter for ever: {message.last}")
                if not world.faulty and not message.redriven:
                    self.redrive()
                continue
            message.hidden_until = world.t + simulation.plan.visibility_s
            batch.append(message)
        if batch:
            self._invoke(batch)

    def _invoke(self, batch: list[Message]) -> None:
        simulation = self.simulation
        world, plan = simulation.world, simulation.plan
        self.batches += 1
        done: dict[int, bool] = {}
        group: list[Actor] = []
        worker = self.batches % 3

        def ended(place: int, value: Any) -> None:
            done[place] = value is True
            if len(done) == len(batch):
                self._answered(batch, done, group)

        for place, message in enumerate(batch):
            name = f"{self.name}-q{self.batches}:{message.step.index}"

            def work(actor: Actor, message: Message = message) -> bool:
                p, w = simulation._ports(actor, message.key, worker), simulation._work(actor, plan.timeout_s)
                return _record(simulation, p, w, message)

            actor = Actor(world, name, work, lambda value, place=place: ended(place, value))
            actor.group = group
            group.append(actor)
            simulation._invoke(actor, plan.timeout_s)
        self._wake(plan.visibility_s + 0.5)

    def _answered(self, batch: list[Message], done: dict[int, bool], group: list[Actor]) -> None:
        """Delete what was done, unless the whole batch died; what failed shows up again."""
        fault = group[0].fault(QUEUE_FAULTS)
        for place, message in enumerate(batch):
            if done[place] and fault not in ("delete_lost", "batch_killed"):
                message.deleted = True
            if fault == "delivered_twice":
                message.deleted, message.hidden_until = False, 0.0
                self._wake(group[0].rng.between(0.1, 400))


def _record(simulation: Simulation, p: Ports, w: Work, message: Message) -> bool:
    """Whether this message is done with: what the edge's own record loop decides, without its threads."""
    step, key = message.step, message.key
    try:
        HANDLERS[step.op].on_message(p, w, _raw_message(simulation.plan, step, key))
    except Conflict as conflict:
        message.last = conflict.cause
        done = conflict.reason not in COMES_AGAIN
    except NotFound:
        done = True
    except (InvalidRequest, MerchantUnusable, StoreUnavailable, Overtaken) as error:
        message.last = f"{type(error).__name__} {error}"
        done = False
    else:
        message.last = "done"
        done = True
        if step.op == "void" and not step.generation:
            simulation.checker.cancelled(key)
    simulation.world.say(w.correlation_id, f"message {'deleted' if done else 'comes again'}: {message.last}")
    return done


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
