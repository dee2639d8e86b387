"""``python -m local.torture``: every single fault against the local run, told as a table.

The real template on the embedded AWS, its HTTP API, the simulated centre in a process of its own. What the centre does
wrong is ordered through its control interface. Two things are ours to break, without changing anything shipped: the
Issue function gets ``dying`` beside its handler, and its DynamoDB endpoint is ``proxy``. Ends with status 1 if anything
is lost, doubled or told "failed", or if an answer takes as long as the function may run.
"""

from __future__ import annotations

import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from pathlib import Path

from local import deploy, orders
from local.processes import ROOT, LocalRunError
from local.rest import Reply
from local.stack import Stack
from local.table import table
from local.torture.faults import CALLS, HEADINGS, Answer, Fault, Outcome, single_faults, slow_answers
from local.torture.proxy import FailingTable

START = "2026-03-14T10:00:00+08:00"
CLIENT_TIMEOUT_S = 12.0  # Timing.provider_cap_s
FUNCTION_S = 25.0
SDK_ATTEMPTS = 3
ROUND_S = 120
ROUNDS = 40
PENDING = frozenset({"ISSUING", "WAITING"})


class Torture:
    """A local run whose Issue function can be made to die and its table to fail."""

    def __init__(self, stack: Stack, failing: FailingTable, die: Path) -> None:
        self.stack, self.failing, self._die = stack, failing, die

    def outcome(self, fault: Fault, order_id: str) -> Outcome:
        """Order the fault, call three times, recover until nothing moves, and look."""
        self._order(fault)
        answers = [self._call(order_id) for _ in range(CALLS)]
        state, held = self._recovered(order_id)
        not_met = [one["kind"] for one in self.stack.control("GET", "faults")["faults"] if not one["met"]]
        if not_met or self.failing.left or self._die.exists():
            raise LocalRunError(f"{fault.name}: the fault was not met")
        relates = {str(call["relate"]) for call in self.stack.control("GET", "calls?op=Issue")["calls"]}
        self.stack.control("DELETE", "calls")
        self.stack.control("DELETE", "faults")
        at_centre = self.stack.control("GET", "invoices")["invoices"]
        living = [str(i["number"]) for i in at_centre if i["living"] and i["relate_number"] in relates]
        return Outcome(fault, answers, living, held, state)

    def _order(self, fault: Fault) -> None:
        for op, wish in fault.centre.items():
            more = {name: value for name, value in wish.items() if name != "kind"}
            self.stack.fault(str(wish["kind"]), op, **more)
        if fault.ours == "crash":
            self._die.touch()
        elif fault.ours == "table_refuses":
            self.failing.fail(SDK_ATTEMPTS, write=False)
        elif fault.ours == "table_forgets":
            self.failing.fail(1, write=True)

    def _call(self, order_id: str) -> Answer:
        started = time.monotonic()
        reply = self.stack.request("POST", "/v1/invoices", orders.mobile_barcode(order_id))
        return Answer(reply.status, _body(reply), time.monotonic() - started)

    def _recovered(self, order_id: str) -> tuple[str, list[str]]:
        """State and numbers of the order once nothing moves any more, neither here nor on its way to the centre."""
        for _ in range(ROUNDS):
            order = _body(self.stack.request("GET", f"/v1/orders/api/{order_id}"))
            moving = self.stack.control("GET", "calls")["arriving"]
            if order["state"] not in PENDING and not moving:
                return order["state"], [str(i["number"]) for i in order["invoices"] if i["number"]]
            self.stack.advance(ROUND_S)
            self.stack.recover()
        raise LocalRunError(f"order {order_id} still moves after {ROUNDS} rounds of {ROUND_S} s")


def _body(reply: Reply) -> orders.Json:
    """Our JSON; nothing where the gateway itself answered."""
    ours = isinstance(reply.body, dict) and (reply.status < HTTPStatus.INTERNAL_SERVER_ERROR or "code" in reply.body)
    return reply.body if ours else {}


@contextmanager
def running() -> Iterator[Torture]:
    """A local run with a mortal Issue function and a table that can fail."""
    with Stack(now=START) as stack, FailingTable(stack.endpoint) as failing:
        die = stack.run_dir / "die"
        _make_mortal(stack, failing.url, die)
        yield Torture(stack, failing, die)


def _make_mortal(stack: Stack, table_url: str, die: Path) -> None:
    """Ship ``dying`` beside the Issue function's handler, and put the failing table before its DynamoDB."""
    functions = stack.client("lambda")
    name = stack.physical["IssueFunction"]
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch, "issue")
        shutil.copytree(ROOT / "functions" / "issue", folder)
        shutil.copy(Path(__file__).with_name("dying.py"), folder)
        functions.update_function_code(FunctionName=name, ZipFile=deploy.pack(folder))
    environment = functions.get_function_configuration(FunctionName=name)["Environment"]["Variables"]
    functions.update_function_configuration(
        FunctionName=name,
        Handler="dying.handler",
        Environment={"Variables": environment | {"DIE_FILE": str(die), "AWS_ENDPOINT_URL_DYNAMODB": table_url}},
    )


def main() -> int:
    """Exit status: 0 if every order came out right and every answer in time."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    started = time.monotonic()
    faults = [*single_faults(CLIENT_TIMEOUT_S), *slow_answers()]
    try:
        with running() as torture:
            outcomes = [torture.outcome(fault, f"T{index}") for index, fault in enumerate(faults, 1)]
    except LocalRunError as error:
        print(f"✗ {error}", file=sys.stderr)
        return 1
    print(table(HEADINGS, [outcome.row() for outcome in outcomes]))
    wrong = [outcome for outcome in outcomes if outcome.verdict != "ok"]
    late = [outcome for outcome in outcomes if max(answer.seconds for answer in outcome.answers) >= FUNCTION_S]
    print(f"{len(wrong)} of {len(outcomes)} wrong, {len(late)} too late, {time.monotonic() - started:.0f} s")
    return 1 if wrong or late else 0


if __name__ == "__main__":
    sys.exit(main())
