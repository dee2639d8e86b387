"""Queues (佇列) around the product's own record loop: at least once, in any order, in batches, with dead letters."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from einvoice.application.ports import Ports, Work
from einvoice.application.sending import Overtaken
from einvoice.edge.queue import COMES_AGAIN
from einvoice.errors import Conflict, InvalidRequest, MerchantUnusable, NotFound, StoreUnavailable
from einvoice.model import OrderKey
from tests.simulation.engine import Actor
from tests.simulation.plan import QUEUE_FAULTS, Step
from tests.simulation.requests import ON_MESSAGE, raw_message
from tests.simulation.violation import Violation

if TYPE_CHECKING:
    from tests.simulation.schedule import Simulation

MAX_RECEIVES = {"issue": 5, "void": 20, "reissue": 20, "allow": 20}  # as template.yaml says

#: what a message may die of twice, by operation: it waits longer than a queue's patience, and a person sends it again
OUTLASTS_THE_QUEUE = frozenset(
    {
        ("reissue", "NOT_UPLOADED"),
        ("reissue", "PERIOD_ENDING"),
        ("reissue", "ORDER_IN_PROGRESS"),
        ("reissue", "CORRECTION_IN_PROGRESS"),
        ("void", "CORRECTION_IN_PROGRESS"),
        ("reissue", "MerchantUnusable DISABLED"),
        ("issue", "MerchantUnusable DISABLED"),
        ("allow", "MerchantUnusable DISABLED"),
        ("allow", "ORDER_UNKNOWN"),
    }
)


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
        ON_MESSAGE[step.op](p, w, raw_message(simulation.plan, step, key))
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
        if step.op == "allow":
            simulation.checker.taken(key, step.refund_id)
    simulation.world.say(w.correlation_id, f"message {'deleted' if done else 'comes again'}: {message.last}")
    return done
