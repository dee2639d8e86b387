"""Every single fault of an issue, through the real handler over real HTTP: nothing lost, doubled or told "failed".

The same faults as ``python -m local.torture`` tells as a table, with a client that waits a third of a second.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any
from unittest.mock import patch

import pytest
from botocore.awsrequest import AWSResponse
from moto.core.models import botocore_stubber

from einvoice import wiring
from einvoice.application import sending
from einvoice.application.ports import Timing
from einvoice.providers.base import Absent
from local.torture.faults import CALLS, Answer, Fault, Outcome, single_faults, slow_answers
from local.torture.proxy import COMMIT_OF_ISSUED, ERROR
from tests.service import Service, order, running

CAP_S = 0.3
TIMING = Timing(provider_cap_s=CAP_S, look_cap_s=CAP_S, least_s=0.1)
FAULTS = {fault.name: fault for fault in single_faults(CAP_S)}
SLOW = {fault.name: fault for fault in slow_answers()}
SDK_ATTEMPTS = wiring.AWS_CONFIG.retries["total_max_attempts"]
FUNCTION_S = 25.0  # the template's, for everything that answers HTTP
PATIENCE_S = 5.0  # two deadlines on a busy machine; the answers themselves take minutes
ROUNDS = 40
ROUND_S = 120


class Died(BaseException):
    """The process is gone: nothing between the call and the test may catch it. Real deaths are in ``test_kill``."""


class MortalCentres:
    """Centres whose next answer to Issue is the last thing the process sees, once ``dies`` is set."""

    def __init__(self, centres: Any) -> None:
        self._centres = centres
        self.dies = False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._centres, name)

    def pinned(self, merchant: str, centre: Any) -> Any:
        """The provider of an order."""
        provider = self._centres.pinned(merchant, centre)
        issue = provider.issue

        def issue_and_die(*args: Any) -> Any:
            outcome = issue(*args)
            if self.dies:
                self.dies = False
                raise Died
            return outcome

        provider.issue = issue_and_die
        return provider


class FailingCommits:
    """Answers 500 to the next ``times`` commits of an issued invoice; ``written``: after carrying them out."""

    def __init__(self, client: Any) -> None:
        self.times = 0
        self.written = False
        # botocore asks every handler, also after one has answered: the table must be asked by ours, or not at all
        client.meta.events.unregister("before-send", botocore_stubber)
        client.meta.events.register("before-send.dynamodb", self._answer)

    def _answer(self, request: Any, **_: Any) -> AWSResponse | None:
        if self.times == 0 or COMMIT_OF_ISSUED not in request.body:
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
            answer = self.service.issue(order())
        except Died:
            return Answer(0, {}, time.monotonic() - started)
        return Answer(answer.status, answer.body, time.monotonic() - started)

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
        living = [str(invoice["number"]) for invoice in self.service.sim.invoices() if invoice["living"]]
        return Outcome(fault, answers, living, [head.number] if head.number else [], head.state.value)


@contextmanager
def tortured() -> Iterator[Tortured]:
    """A service of its own, impatient with the centre."""
    with running(now="2026-03-14T10:00:00+08:00") as service:
        ports = wiring.ports()
        centres: Any = MortalCentres(ports.centres)
        mine = replace(ports, centres=centres, timing=TIMING)
        with patch.object(wiring, "ports", lambda: mine):
            yield Tortured(service, centres, FailingCommits(ports.store._client))


@pytest.mark.parametrize("name", [*FAULTS, *SLOW])
def test_no_single_fault_loses_doubles_or_lies(name: str) -> None:
    """After three identical calls and recovery one invoice lives, we hold its number, and nobody was told "failed"."""
    with tortured() as victim:
        assert victim.outcome((FAULTS | SLOW)[name]).verdict == "ok"


@pytest.mark.parametrize("name", ["none", "our commit's answer is lost"])
def test_an_invoice_that_is_there_at_once_is_answered_at_once(name: str) -> None:
    """201, then 200: an SDK retry that meets its own write is no conflict."""
    with tortured() as victim:
        assert [answer.status for answer in victim.outcome(FAULTS[name]).answers] == [201, 200, 200]


@pytest.mark.parametrize(
    "name", ["socket dropped after commit", "garbage after commit", "answer encrypted with another key"]
)
def test_an_invoice_behind_a_lost_answer_is_found_at_once(name: str) -> None:
    """The first call already answers 201: the centre was asked before anything was told."""
    with tortured() as victim:
        assert victim.outcome(FAULTS[name]).answers[0].status == 201


@pytest.mark.parametrize("name", SLOW)
def test_a_slow_centre_holds_nobody_beyond_the_two_deadlines(name: str) -> None:
    """An answer of a byte per second, or none, ends with the clock on the wall: one call and one look-up, no more."""
    with tortured() as victim:
        victim.order(SLOW[name])
        assert victim.call().seconds < PATIENCE_S


def test_the_real_deadlines_fit_the_function() -> None:
    """Call, look-up and the reserve for the commit end before the function does."""
    timing = Timing()
    assert timing.provider_cap_s + timing.look_cap_s + timing.reserve_s < FUNCTION_S


def test_the_torture_sees_a_lost_invoice() -> None:
    """With look-ups that find nothing, the invoice behind a lost answer is lost, and the verdict says so."""
    with tortured() as victim, patch.object(sending, "look", lambda p, w, head, provider: Absent()):
        assert "LOST" in victim.outcome(FAULTS["socket dropped after commit"]).verdict


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
    assert Outcome(Fault("any"), answers, living, held, state).verdict == verdict
