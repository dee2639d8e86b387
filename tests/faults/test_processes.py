"""Functions in processes of their own, killed from outside by SIGKILL as Lambda ends one: F03, F05, F27, F34, F57."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from einvoice.store.base import State
from tests.service import MERCHANT, ROOT, SCOPES, order
from tests.torture.world import ROUTES, World, world

pytestmark = pytest.mark.embedded

PATIENCE_S = 20.0
ROUNDS = 10


@pytest.fixture(scope="module")
def _outside(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    scratch: Path = tmp_path_factory.mktemp("faults")
    with world(scratch) as made:
        yield made


@pytest.fixture
def outside(_outside: World) -> World:
    """A ledger and a centre that outlive our processes; the centre is new, every test has orders of its own."""
    _outside.reset()
    return _outside


@contextmanager
def invoked(w: World, function: str, event: dict[str, Any]) -> Iterator[subprocess.Popen[str]]:
    """One invocation, running beside us; killed at the latest when the block ends."""
    with subprocess.Popen(
        [sys.executable, "-m", "tests.faults.worker", function],
        cwd=ROOT,
        env=w.environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        try:
            assert process.stdin is not None
            json.dump(event, process.stdin)
            process.stdin.close()
            yield process
        finally:
            process.kill()


def request(body: dict[str, Any]) -> dict[str, Any]:
    """POST /v1/invoices, as API Gateway hands it over."""
    return {
        "routeKey": ROUTES["issue"],
        "requestContext": {"authorizer": {"lambda": {"merchant": MERCHANT, "scopes": SCOPES}}},
        "body": json.dumps(body),
    }


def batch(*order_ids: str) -> dict[str, Any]:
    """A batch of the issue queue."""
    bodies = [{"merchant_id": MERCHANT, "command": "issue", **order(order_id)} for order_id in order_ids]
    return {"Records": [{"messageId": f"m{at}", "body": json.dumps(body)} for at, body in enumerate(bodies)]}


def until(what: str, seen: Callable[[], bool]) -> None:
    """Wait for something that other processes do."""
    ends_at = time.monotonic() + PATIENCE_S
    while not seen():
        assert time.monotonic() < ends_at, what
        time.sleep(0.01)


def recovered(w: World, *order_ids: str) -> None:
    """Run the recovery whenever something is due, until these orders rest."""
    for _ in range(ROUNDS):
        heads = [w.head(order_id) for order_id in order_ids]
        due = [max(head.due_at, head.lease_until) for head in heads if head is not None and head.due_at is not None]
        if not due:
            return
        w.wait_until(max(due) + 1)
        w.run("recover", {})
    pytest.fail(f"still moving after {ROUNDS} rounds")


def test_f03_killed_after_the_commit_the_repeat_answers_without_a_call(outside: World) -> None:
    """The process dies between its last write and its answer: 200, the stored number, and the centre hears nothing."""
    edges = outside.call("issue", order("f03-whole"), {}).edges
    assert edges[-1] == "after store.replace"
    assert outside.call("issue", order("f03"), {}, kill_at=len(edges)).killed
    calls = len(outside.sim.calls())
    again = outside.call("issue", order("f03"), {})
    head = outside.head("f03")
    assert head is not None
    assert (again.status, json.loads(again.answer["body"])["number"]) == (200, head.number)
    assert len(outside.sim.calls()) == calls


def test_f05_killed_in_mid_call_the_repeat_waits_for_the_lease(outside: World) -> None:
    """SIGKILL while the centre answers: within the lease 202 and no second call, after it the invoice is adopted."""
    outside.sim.fault("drip", op="Issue")
    with invoked(outside, "issue", request(order("f05"))) as process:
        until("the centre has issued", lambda: len(outside.sim.invoices()) == 1)
        assert process.poll() is None
        process.kill()
        process.wait()
    for _ in range(2):
        again = outside.call("issue", order("f05"), {})
        assert (again.status, json.loads(again.answer["body"])["state"]) == (202, "ISSUING")
        assert int(again.answer["headers"]["retry-after"]) >= 5
    assert [call["op"] for call in outside.sim.calls()] == ["Issue"]
    recovered(outside, "f05")
    head = outside.head("f05")
    assert head is not None
    assert [head.number] == [invoice["number"] for invoice in outside.sim.invoices()]
    assert [call["op"] for call in outside.sim.calls()] == ["Issue", "GetIssue"]


def test_f27_a_batch_killed_as_a_whole_is_finished_once(outside: World) -> None:
    """Ten messages, four issued, then the process is gone: four are adopted, six are issued, none twice."""
    order_ids = [f"f27-{number}" for number in range(10)]
    outside.sim.fault("drip", op="Issue", times=4)  # issued there, and the answer never comes to its end
    outside.sim.fault("hang", op="Issue", times=None)
    with invoked(outside, "issue", batch(*order_ids)) as process:
        until("four are issued, a fifth call hangs", lambda: len(outside.sim.calls(op="Issue")) > 4)
        assert process.poll() is None
        process.kill()
        process.wait()
    assert len(outside.sim.invoices()) == 4
    outside.sim.clear_faults()
    assert outside.run("issue", batch(*order_ids)).answer == {"batchItemFailures": []}
    recovered(outside, *order_ids)
    heads = [outside.head(order_id) for order_id in order_ids]
    assert [head.state for head in heads if head] == [State.ISSUED] * 10
    numbers = sorted(str(invoice["number"]) for invoice in outside.sim.invoices())
    assert sorted(head.number for head in heads if head) == numbers
    assert sum(head.log[-1]["event"] == "adopted" for head in heads if head) == 4


def test_f57_a_confirmation_killed_in_mid_run_is_made_up_for(outside: World) -> None:
    """Four orders are due, the centre drips, SIGKILL: the next run asks for all four once more, and that is all."""
    order_ids = [f"f57-{number}" for number in range(4)]
    for order_id in order_ids:
        assert outside.call("issue", order(order_id), {}).status == 201
    outside.wait_until(max(_confirm_at(outside, order_id) for order_id in order_ids) + 1)
    outside.sim.fault("drip", op="GetIssue", times=4)
    with invoked(outside, "confirm", {}) as process:
        until("all are asked for", lambda: len(outside.sim.calls(op="GetIssue")) == 4)
        assert process.poll() is None
        process.kill()
        process.wait()
    assert {head.upload for head in map(outside.head, order_ids) if head} == {"uploading"}
    assert outside.run("confirm", {}).answer == {"due": 4, "confirmed": 4}
    assert {(head.upload, head.confirm_at) for head in map(outside.head, order_ids) if head} == {("confirmed", None)}
    assert len(outside.sim.calls(op="GetIssue")) == 8


def _confirm_at(w: World, order_id: str) -> int:
    head = w.head(order_id)
    assert head is not None
    assert head.confirm_at is not None
    return head.confirm_at


def test_f34_a_zombie_answers_with_the_winners_number(outside: World) -> None:
    """Overtaken while the centre drips: its own commit is refused, and it answers what the winner made of the order."""
    outside.sim.fault("drip", op="Issue", interval_s=0.004)  # long enough to be overtaken, and it comes to its end
    with invoked(outside, "issue", request(order("f34"))) as process:
        until("the centre has issued", lambda: len(outside.sim.invoices()) == 1)
        recovered(outside, "f34")
        winner = outside.head("f34")
        assert winner is not None
        assert (winner.state, winner.log[-1]["event"]) == (State.ISSUED, "adopted")
        assert process.poll() is None
        assert process.stdout is not None
        answer = json.loads(process.stdout.read())
    assert json.loads(answer["body"])["number"] == winner.number
    assert answer["statusCode"] in {200, 201}
    assert outside.head("f34") == winner
