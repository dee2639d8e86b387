"""Every single fault of an issue and of an allowance, through the real handlers: nothing lost, doubled or "failed".

The same faults as ``python -m local.torture`` tells as a table, with a client that waits a third of a second.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any
from unittest.mock import patch

import pytest
from botocore.awsrequest import AWSResponse
from moto.core.models import botocore_stubber

from einvoice import wiring
from einvoice.application import allowing, sending
from einvoice.application.ports import Timing
from einvoice.providers.base import Absent
from local.torture.faults import (
    ALLOWANCE,
    CALLS,
    ISSUE,
    Answer,
    Fault,
    Operation,
    Outcome,
    single_faults,
    slow_answers,
)
from local.torture.proxy import COMMIT, ERROR
from tests.service import Service, order, running

CAP_S = 0.3
TIMING = Timing(provider_cap_s=CAP_S, look_cap_s=CAP_S, least_s=0.1)
OPERATIONS = {"issue": ISSUE, "allowance": ALLOWANCE}
FAULTS = {(name, fault.name): fault for name, of in OPERATIONS.items() for fault in single_faults(of, CAP_S)}
SLOW = {(name, fault.name): fault for name, of in OPERATIONS.items() for fault in slow_answers(of)}
REFUND = {"reason": "退貨一件", "refund_id": "R1", "amount_twd": 300}
SDK_ATTEMPTS = wiring.AWS_CONFIG.retries["total_max_attempts"]
FUNCTION_S = 25.0  # the template's, for everything that answers HTTP
PATIENCE_S = 5.0  # two deadlines on a busy machine; the answers themselves take minutes
ROUNDS = 40
ROUND_S = 120


class Died(BaseException):
    """The process is gone: nothing between the call and the test may catch it. Real deaths are in ``test_kill``."""


class MortalCentres:
    """Centres whose next answer with a document is the last thing the process sees, once ``dies`` is set."""

    def __init__(self, centres: Any) -> None:
        self._centres = centres
        self.dies = False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._centres, name)

    def pinned(self, merchant: str, centre: Any) -> Any:
        """The provider of an order."""
        provider = self._centres.pinned(merchant, centre)
        provider.issue = self._mortal(provider.issue)
        provider.allow = self._mortal(provider.allow)
        return provider

    def _mortal(self, call: Callable[..., Any]) -> Callable[..., Any]:
        def called(*args: Any) -> Any:
            outcome = call(*args)
            if self.dies:
                self.dies = False
                raise Died
            return outcome

        return called


class FailingCommits:
    """Answers 500 to the next ``times`` commits of what the centre made; ``written``: after carrying them out."""

    def __init__(self, client: Any) -> None:
        self.times = 0
        self.written = False
        # botocore asks every handler, also after one has answered: the table must be asked by ours, or not at all
        client.meta.events.unregister("before-send", botocore_stubber)
        client.meta.events.register("before-send.dynamodb", self._answer)

    def _answer(self, request: Any, **_: Any) -> AWSResponse | None:
        if self.times == 0 or COMMIT not in request.body:
            return botocore_stubber("before-send.dynamodb", request)
        self.times -= 1
        if self.written:
            botocore_stubber("before-send.dynamodb", request)
        answer = AWSResponse(request.url, 500, {"content-type": "application/x-amz-json-1.0"}, None)
        answer._content = ERROR  # what botocore fills in when it reads a real one
        return answer


@dataclass
class Tortured:
    """A service with one fault to order."""

    service: Service
    centres: MortalCentres
    commits: FailingCommits
    of: Operation
    invoice_id: str  # of what the refund is taken from; "" where there is to be one

    def order(self, fault: Fault) -> None:
        """Let the next call meet the fault."""
        for op, wish in fault.centre.items():
            self.service.sim.fault(**{"kind": str(wish["kind"]), "op": op, **wish})
        self.centres.dies = fault.ours == "crash"
        if fault.ours == "table_refuses":
            self.commits.times = SDK_ATTEMPTS
        elif fault.ours == "table_forgets":
            self.commits.times, self.commits.written = 1, True

    def call(self) -> Answer:
        """The merchant's request; status 0 where the process died of it."""
        started = time.monotonic()
        try:
            answer = self.service.allow(self.invoice_id, REFUND) if self.invoice_id else self.service.issue(order())
        except Died:
            return Answer(0, {}, time.monotonic() - started)
        return Answer(answer.status, self.of.told(answer.body), time.monotonic() - started)

    def outcome(self, fault: Fault) -> Outcome:
        """Three calls, recovery until nothing moves, and what there is then."""
        self.order(fault)
        answers = [self.call() for _ in range(CALLS)]
        for _ in range(ROUNDS):
            head = self.service.head("1001")
            if head.due_at is None and not self.service.sim.pending():
                break
            self.service.recover(ROUND_S)
        else:
            pytest.fail(f"still moving after {ROUNDS} rounds")
        assert [one["kind"] for one in self.service.sim.faults() if not one["met"]] == []
        assert not self.commits.times
        assert not self.centres.dies
        return Outcome(fault, answers, self.living(), *self.of.held(self.service.order("1001").body))

    def living(self) -> list[str]:
        """Numbers of what lives at the centre."""
        if self.of is ISSUE:
            return [str(invoice["number"]) for invoice in self.service.sim.invoices() if invoice["living"]]
        return [str(allowance["number"]) for allowance in self.service.sim.allowances() if not allowance["void"]]


@contextmanager
def tortured(of: Operation) -> Iterator[Tortured]:
    """A service of its own, impatient with the centre; what a refund is taken from was sold in peace."""
    with running(now="2026-03-14T10:00:00+08:00") as service:
        invoice_id = service.sold(order()) if of is ALLOWANCE else ""
        ports = wiring.ports()
        centres: Any = MortalCentres(ports.centres)
        mine = replace(ports, centres=centres, timing=TIMING)
        with patch.object(wiring, "ports", lambda: mine):
            yield Tortured(service, centres, FailingCommits(ports.store._client), of, invoice_id)


@pytest.mark.parametrize(("operation", "name"), [*FAULTS, *SLOW])
def test_no_single_fault_loses_doubles_or_lies(operation: str, name: str) -> None:
    """After three identical calls and recovery one document lives, we hold its number, and nobody heard "failed"."""
    with tortured(OPERATIONS[operation]) as victim:
        assert victim.outcome((FAULTS | SLOW)[operation, name]).verdict == "ok"


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize("name", ["none", "our commit's answer is lost"])
def test_what_is_there_at_once_is_answered_at_once(operation: str, name: str) -> None:
    """201, then 200: an SDK retry that meets its own write is no conflict."""
    with tortured(OPERATIONS[operation]) as victim:
        assert [answer.status for answer in victim.outcome(FAULTS[operation, name]).answers] == [201, 200, 200]


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize(
    "name", ["socket dropped after commit", "garbage after commit", "answer encrypted with another key"]
)
def test_what_is_behind_a_lost_answer_is_found_at_once(operation: str, name: str) -> None:
    """The first call already answers 201: the centre was asked before anything was told."""
    with tortured(OPERATIONS[operation]) as victim:
        assert victim.outcome(FAULTS[operation, name]).answers[0].status == 201


@pytest.mark.parametrize(("operation", "name"), SLOW)
def test_a_slow_centre_holds_nobody_beyond_the_two_deadlines(operation: str, name: str) -> None:
    """An answer of a byte per second, or none, ends with the clock on the wall: one call and one look-up, no more."""
    with tortured(OPERATIONS[operation]) as victim:
        victim.order(SLOW[operation, name])
        assert victim.call().seconds < PATIENCE_S


def test_the_real_deadlines_fit_the_function() -> None:
    """Call, look-up and the reserve for the commit end before the function does."""
    timing = Timing()
    assert timing.provider_cap_s + timing.look_cap_s + timing.reserve_s < FUNCTION_S


def test_the_torture_sees_a_lost_invoice() -> None:
    """With look-ups that find nothing, the invoice behind a lost answer is lost, and the verdict says so."""
    with tortured(ISSUE) as victim, patch.object(sending, "look", lambda p, w, head, provider: Absent()):
        assert "LOST" in victim.outcome(FAULTS["issue", "socket dropped after commit"]).verdict


def test_the_torture_sees_a_doubled_allowance() -> None:
    """With a comparison that finds nothing, an allowance whose answer was lost is made again; the verdict says so."""
    with tortured(ALLOWANCE) as victim, patch.object(allowing, "_compared", lambda *_: lambda head: head):
        assert "DOUBLE" in victim.outcome(FAULTS["allowance", "socket dropped after commit"]).verdict


@pytest.mark.parametrize(
    ("answers", "living", "held", "state", "verdict"),
    [
        ([Answer(201, {"number": "AB1"})], ["AB1"], ["AB1"], "ISSUED", "ok"),
        ([Answer(0), Answer(502)], ["AB1"], ["AB1"], "ISSUED", "ok"),
        ([Answer(202)], ["AB1"], [], "ISSUING", "LOST"),
        ([Answer(202)], ["AB1"], ["AB2"], "ISSUED", "LOST"),
        ([Answer(202)], [], [], "REFUSED", "NONE, LOST"),
        ([Answer(202)], ["AB1", "AB2"], ["AB2"], "ISSUED", "DOUBLE, LOST"),
        ([Answer(409, {"code": "X"})], ["AB1"], ["AB1"], "ISSUED", "TOLD FAILED"),
        ([Answer(503, {"code": "X"})], ["AB1"], ["AB1"], "ISSUED", "TOLD FAILED"),
        ([Answer(200, {"state": "REFUSED"})], ["AB1"], ["AB1"], "ISSUED", "TOLD FAILED"),
        ([Answer(200, {"number": "AB2"})], ["AB1"], ["AB1"], "ISSUED", "WRONG NUMBER"),
    ],
)
def test_verdicts(answers: list[Answer], living: list[str], held: list[str], state: str, verdict: str) -> None:
    """Lost, doubled, told "failed" while alive, and a number that is not ours each have a name."""
    assert Outcome(Fault("any", ISSUE), answers, living, held, state).verdict == verdict


@pytest.mark.parametrize(
    ("answers", "living", "held", "state", "verdict"),
    [
        ([Answer(201, {"state": "LIVE", "number": "20"})], ["20"], ["20"], "LIVE", "ok"),
        ([Answer(202, {"state": "SENDING", "number": None})], ["20"], ["20"], "LIVE", "ok"),
        ([Answer(201, {"state": "REFUSED"})], ["20"], ["20"], "LIVE", "TOLD FAILED"),
        ([Answer(422, {"state": "LIVE", "code": "X"})], ["20"], ["20"], "LIVE", "TOLD FAILED"),
        ([Answer(202)], ["20"], ["20"], "LIVE, FOREIGN_ALLOWANCE", "LOST"),
        ([Answer(202)], ["20"], [], "SENDING", "LOST"),
        ([Answer(202)], ["20", "21"], ["20", "21"], "LIVE, LIVE", "DOUBLE, LOST"),
    ],
)
def test_verdicts_on_an_allowance(
    answers: list[Answer], living: list[str], held: list[str], state: str, verdict: str
) -> None:
    """The same of a refund; one that a person must look at is lost."""
    assert Outcome(Fault("any", ALLOWANCE), answers, living, held, state).verdict == verdict
