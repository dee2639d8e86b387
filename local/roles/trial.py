"""The trial (授權驗證): scenarios while witnesses watch, then each right taken away where it was used."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field

from local import translate
from local.processes import ROOT, LocalRunError
from local.roles.grants import Grant, grants, unallowed
from local.roles.scenarios import SCENARIOS
from local.roles.shop import Shop, UnexpectedAnswer
from local.roles.witness import Call, Witness
from local.stack import Stack

START = "2026-03-02T10:00:00+08:00"  # scenarios and their repetitions move the clock: two months without a period's end
AS_IT_MUST = "as it must"


@dataclass(frozen=True, slots=True)
class Robbed:
    """A right that was taken away: how often it was missed, and how the scenario ended then."""

    grant: Grant
    scenario: str
    missed: int
    ended: str


@dataclass(frozen=True, slots=True)
class Performed:
    """A scenario that was played: every call made meanwhile, those that were about its shop, and how it ended."""

    calls: list[Call]
    own: list[Call]
    ended: str


@dataclass(slots=True)
class Trial:
    """A local run with a witness before every function. ``used``: scenarios by the grant they need (its position)."""

    stack: Stack
    witnesses: dict[str, Witness]
    grants: list[Grant]
    used: dict[int, list[str]] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)
    _shops: int = 0

    def perform(self, name: str) -> Performed:
        """One scenario at a new shop."""
        before = {function: len(witness.calls) for function, witness in self.witnesses.items()}
        self._shops += 1
        shop = Shop(self.stack, self._shops)
        try:
            SCENARIOS[name](shop)
            ended = AS_IT_MUST
        except (UnexpectedAnswer, LocalRunError) as error:
            ended = str(error)
        made = [call for function, w in self.witnesses.items() for call in w.calls[before[function] :]]
        return Performed(made, [call for call in made if call.concerns(shop.names)], ended)

    def watch(self, name: str) -> None:
        """Enough: the scenario ends as it must, nothing is refused, nor would be on AWS. Keeps what was used."""
        seen = self.perform(name)
        self.wrong += [] if seen.ended == AS_IT_MUST else [f"{name}: {seen.ended}"]
        self.wrong += [f"{name}: {call.function} was refused {call.action}" for call in seen.calls if call.refused]
        self.wrong += [
            f"{name}: {call.function} has no right to {call.action} on {call.resource} with {call.context}"
            for call in unallowed(seen.calls, self.grants)
        ]
        for position, grant in enumerate(self.grants):
            if any(grant.allows(call) for call in seen.own):
                self.used.setdefault(position, []).append(name)

    def rob(self, position: int) -> Robbed:
        """No more: take the right away and do what used it. Exactly that must be refused."""
        grant, name = self.grants[position], self.used[position][0]
        with self._without(grant):
            seen = self.perform(name)
        missed = [call for call in seen.own if call.refused and grant.allows(call)]
        others = sorted({f"{c.function} {c.action}" for c in seen.calls if c.refused and not grant.allows(c)})
        if not missed or others:
            told = f"missed {len(missed)} times, {seen.ended}; refused besides: {others}"
            self.wrong.append(f"without {grant.action} of {grant.role}, {name}: {told}")
        return Robbed(grant, name, len(missed), seen.ended)

    def spare(self) -> list[Grant]:
        """Grants that no scenario needs, and that are nobody else's."""
        return [g for position, g in enumerate(self.grants) if position not in self.used and not g.for_others]

    @contextmanager
    def _without(self, grant: Grant) -> Iterator[None]:
        """The function's role lacks one action of one statement, for as long as the block lasts."""
        iam, role = self.stack.client("iam"), self.stack.physical[grant.role]
        (policy,) = iam.list_role_policies(RoleName=role)["PolicyNames"]
        whole = iam.get_role_policy(RoleName=role, PolicyName=policy)["PolicyDocument"]
        less = copy.deepcopy(whole)
        (statement,) = (s for s in less["Statement"] if s["Sid"] == grant.sid)
        actions = statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]]
        statement["Action"] = [action for action in actions if action != grant.action] or ["none:Nothing"]
        iam.put_role_policy(RoleName=role, PolicyName=policy, PolicyDocument=json.dumps(less))
        try:
            yield
        finally:
            iam.put_role_policy(RoleName=role, PolicyName=policy, PolicyDocument=json.dumps(whole))


@contextmanager
def trial() -> Iterator[Trial]:
    """A local run; its schedules are off, so that recover and confirm run only where a scenario asks for it."""
    allowed = grants(translate.read(ROOT / "template.yaml"))
    with Stack(now=START) as stack, ExitStack() as watching:
        names = {stack.physical["Table"]: "Table", stack.physical["Key"]: "Key"}
        functions = sorted({grant.function for grant in allowed})
        witnesses = {f: watching.enter_context(Witness(f, stack.endpoint, names)) for f in functions}
        events, lambdas = stack.client("events"), stack.client("lambda")
        for rule in events.list_rules()["Rules"]:
            events.disable_rule(Name=rule["Name"])
        for function, witness in witnesses.items():
            name = stack.physical[function]
            variables = lambdas.get_function_configuration(FunctionName=name)["Environment"]["Variables"]
            lambdas.update_function_configuration(
                FunctionName=name, Environment={"Variables": variables | {"AWS_ENDPOINT_URL": witness.url}}
            )
        yield Trial(stack, witnesses, allowed)
