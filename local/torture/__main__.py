"""``python -m local.torture``: every single fault against the local run, told as a table.

The real template on the embedded AWS, its HTTP API, the simulated centre in a process of its own. What the centre does
wrong is ordered through its control interface. Two things are ours to break, without changing anything shipped: the
functions get ``dying`` beside their handlers, and their DynamoDB endpoint is ``proxy``. Once for an order to be issued,
once for a refund of an issued one. Ends with status 1 if anything is lost, doubled or told "failed", or if an answer
takes as long as the function may run.
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
from local.torture.faults import (
    ALLOWANCE,
    CALLS,
    HEADINGS,
    ISSUE,
    Answer,
    Fault,
    Json,
    Operation,
    Outcome,
    single_faults,
    slow_answers,
)
from local.torture.proxy import FailingTable

START = "2026-03-14T10:00:00+08:00"
CLIENT_TIMEOUT_S = 12.0  # Timing.provider_cap_s
FUNCTION_S = 25.0
SDK_ATTEMPTS = 3
ROUND_S = 120
ROUNDS = 40
UPLOADED_S = 86_400  # by then the ministry has an invoice, and only then it can be allowed
PENDING = frozenset({"ISSUING", "WAITING", "ALLOWING"})
MORTAL = {"issue": "IssueFunction", "allowance": "AllowanceFunction"}  # folder: logical id


class Torture:
    """A local run whose functions can be made to die and their table to fail."""

    def __init__(self, stack: Stack, failing: FailingTable, die: Path) -> None:
        self.stack, self.failing, self._die = stack, failing, die

    def outcome(self, fault: Fault, order_id: str) -> Outcome:
        """Order the fault, call three times, recover until nothing moves, and look."""
        path, body = self._request(fault.of, order_id)
        self._order(fault)
        answers = [self._call(fault.of, path, body) for _ in range(CALLS)]
        order = self._recovered(order_id)
        not_met = [one["kind"] for one in self.stack.control("GET", "faults")["faults"] if not one["met"]]
        if not_met or self.failing.left or self._die.exists():
            raise LocalRunError(f"{fault.name}: the fault was not met")
        living = self._living(fault.of)
        self.stack.control("DELETE", "calls")
        self.stack.control("DELETE", "faults")
        return Outcome(fault, answers, living, *fault.of.held(order))

    def _request(self, of: Operation, order_id: str) -> tuple[str, Json]:
        """Path and body of the request that is sent three times; what a refund takes from is sold first."""
        if of is ISSUE:
            return "/v1/invoices", orders.mobile_barcode(order_id)
        sold = self.stack.request("POST", "/v1/invoices", orders.refundable(order_id))
        if sold.status != HTTPStatus.CREATED:
            raise LocalRunError(f"order {order_id} was not sold: {sold.status} {sold.body}")
        self.stack.advance(UPLOADED_S)
        self.stack.confirm()
        refund = {"reason": "退貨一件", "refund_id": f"R-{order_id}", "amount_twd": 350}
        return f"/v1/invoices/{sold.body['id']}/allowances", refund

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

    def _call(self, of: Operation, path: str, body: Json) -> Answer:
        started = time.monotonic()
        reply = self.stack.request("POST", path, body)
        return Answer(reply.status, of.told(_body(reply)), time.monotonic() - started)

    def _recovered(self, order_id: str) -> Json:
        """The order's view once nothing moves any more, neither here nor on its way to the centre."""
        for _ in range(ROUNDS):
            order = _body(self.stack.request("GET", f"/v1/orders/api/{order_id}"))
            arriving = self.stack.control("GET", "calls")["arriving"]
            if not arriving and (order["attention"] or not _moves(order)):
                return order
            self.stack.advance(ROUND_S)
            self.stack.recover()
        raise LocalRunError(f"order {order_id} still moves after {ROUNDS} rounds of {ROUND_S} s")

    def _living(self, of: Operation) -> list[str]:
        """Numbers of what lives at the centre of all that this fault's calls were about."""
        calls = self.stack.control("GET", f"calls?op={of.makes}")["calls"]
        if of is ISSUE:
            relates = {str(call["relate"]) for call in calls}
            at_centre = self.stack.control("GET", "invoices")["invoices"]
            return [str(i["number"]) for i in at_centre if i["living"] and i["relate_number"] in relates]
        invoices = {str(call["invoice_no"]) for call in calls}
        at_centre = self.stack.control("GET", "allowances")["allowances"]
        return [str(a["number"]) for a in at_centre if not a["void"] and a["invoice_no"] in invoices]


def _moves(order: Json) -> bool:
    """Whether an order, or what is wanted of it, is still under way."""
    return order["state"] in PENDING or any(one["status"] == "OPEN" for one in order["corrections"])


def _body(reply: Reply) -> Json:
    """Our JSON; nothing where the gateway itself answered."""
    ours = isinstance(reply.body, dict) and (reply.status < HTTPStatus.INTERNAL_SERVER_ERROR or "code" in reply.body)
    return reply.body if ours else {}


@contextmanager
def running() -> Iterator[Torture]:
    """A local run with mortal functions and a table that can fail."""
    with Stack(now=START) as stack, FailingTable(stack.endpoint) as failing:
        die = stack.run_dir / "die"
        for folder, logical_id in MORTAL.items():
            _make_mortal(stack, folder, logical_id, {"DIE_FILE": str(die), "AWS_ENDPOINT_URL_DYNAMODB": failing.url})
        yield Torture(stack, failing, die)


def _make_mortal(stack: Stack, function: str, logical_id: str, variables: dict[str, str]) -> None:
    """Ship ``dying`` beside a function's handler, and add to its environment."""
    functions = stack.client("lambda")
    name = stack.physical[logical_id]
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch, function)
        shutil.copytree(ROOT / "functions" / function, folder)
        shutil.copy(Path(__file__).with_name("dying.py"), folder)
        functions.update_function_code(FunctionName=name, ZipFile=deploy.pack(folder))
    environment = functions.get_function_configuration(FunctionName=name)["Environment"]["Variables"]
    functions.update_function_configuration(
        FunctionName=name, Handler="dying.handler", Environment={"Variables": environment | variables}
    )


def main() -> int:
    """Exit status: 0 if every order came out right and every answer in time."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    started = time.monotonic()
    operations = (ISSUE, ALLOWANCE)
    faults = [fault for of in operations for fault in (*single_faults(of, CLIENT_TIMEOUT_S), *slow_answers(of))]
    try:
        with running() as torture:
            outcomes = [torture.outcome(fault, f"T{index}") for index, fault in enumerate(faults, 1)]
    except LocalRunError as error:
        print(f"✗ {error}", file=sys.stderr)
        return 1
    for of in operations:
        print(f"{of.title}\n\n{table(HEADINGS, [one.row() for one in outcomes if one.fault.of is of])}\n")
    wrong = [outcome for outcome in outcomes if outcome.verdict != "ok"]
    late = [outcome for outcome in outcomes if max(answer.seconds for answer in outcome.answers) >= FUNCTION_S]
    print(f"{len(wrong)} of {len(outcomes)} wrong, {len(late)} too late, {time.monotonic() - started:.0f} s")
    return 1 if wrong or late else 0


if __name__ == "__main__":
    sys.exit(main())
