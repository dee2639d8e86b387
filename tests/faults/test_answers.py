"""What the centre answers, or does not, and what the caller is told of it (F04, F08, F10–F12, F21, F22, F46)."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from io import StringIO
from typing import Any
from unittest.mock import patch

import pytest

from einvoice import wiring
from einvoice.application.ports import Timing
from einvoice.identity import invoice_id
from einvoice.model import OrderKey
from einvoice.store.base import State
from simulators.ecpay.codes import ALL, Code, Refused
from simulators.ecpay.operations import OPERATIONS
from tests.faults.clocks import off_by
from tests.faults.moments import during
from tests.faults.table import item
from tests.service import MERCHANT, Service, order

KEY = OrderKey(MERCHANT, "api", "1001")
ID = invoice_id(KEY, 1)
CAP_S = 0.2
SKEW_S = 700.0  # more than the ten minutes for which ECPay takes a timestamp
REFUSALS = (5000022, 5070350, 5070357, 5901025)  # content, numbers, duplicate, and one that nobody has mapped


@pytest.fixture(autouse=True)
def _real_operations() -> Iterator[None]:
    """The simulator's operations are its own again afterwards."""
    kept = dict(OPERATIONS)
    yield
    OPERATIONS.update(kept)


@pytest.fixture
def _impatient() -> Iterator[None]:
    """A client that waits a fifth of a second."""
    hasty = replace(wiring.ports(), timing=Timing(provider_cap_s=CAP_S, look_cap_s=CAP_S, least_s=0.05))
    with patch.object(wiring, "ports", lambda: hasty):
        yield


def refusing(code: int) -> None:
    """Every Issue is refused with this business code from now on."""

    def refuse(call: object, data: object) -> Any:
        raise Refused(ALL.get(code) or Code(code, "", "documented"))

    OPERATIONS["issue"] = replace(OPERATIONS["issue"], run=refuse)


@pytest.mark.usefixtures("_impatient")
def test_f04_a_timeout_that_succeeded_there_is_pending_and_then_adopted(service: Service) -> None:
    """Issued, but neither the answer nor the look-up came in time: 202 with Retry-After, adopted later, one call."""
    service.sim.fault("drip", op="Issue")
    service.sim.fault("hang", op="GetIssue")
    answer = service.issue(order())
    assert (answer.status, answer.body["state"], answer.body["number"]) == (202, "ISSUING", None)
    assert (int(answer.headers["retry-after"]) >= 5, "location" in answer.headers) == (True, True)
    assert len(service.sim.invoices()) == 1
    service.sim.clear_faults()
    service.settle(3)
    head = service.head("1001")
    assert ([head.number], head.log[-1]["event"]) == (service.living("1001"), "adopted")
    assert service.issue(order()).body["number"] == head.number
    assert len(service.sim.calls(op="Issue")) == 1


def test_f08_a_centre_that_fails_is_asked_ever_more_rarely_and_never_too_rarely(service: Service) -> None:
    """Each failure doubles the wait, up to a quarter of an hour, for as long as it takes."""
    service.sim.fault("http_500_before", times=None)
    service.issue(order())
    waits = []
    for _ in range(8):
        head = service.head("1001")
        assert head.due_at is not None
        waits.append(head.due_at - int(service.now().timestamp()))
        service.recover(waits[-1])
    assert waits == [60, 120, 240, 480, 900, 900, 900, 900]
    service.sim.clear_faults()
    service.settle(3, 900)
    assert len(service.living("1001")) == 1


@pytest.mark.parametrize("ours", [SKEW_S, -SKEW_S], ids=["ahead", "behind"])
def test_f10_a_clock_off_by_more_than_ten_minutes_ends_no_order(
    service: Service, logged: StringIO, ours: float
) -> None:
    """The envelope is refused: waiting and told to the operator, never "refused"; issued when the clocks agree."""
    service.sim.settings({"profile": "doc"})
    with off_by(ours):
        answer = service.issue(order())
    service.sim.settings({"profile": "stage"})
    assert (answer.status, answer.body["state"], answer.body["cause"]) == (202, "WAITING", "CLOCK_SKEW")
    assert answer.body["next_action"] == "PROVIDER_BUSY"
    lines = [json.loads(line) for line in logged.getvalue().splitlines()]
    assert {line.get("cause") for line in lines if line.get("event") == "waiting"} == {"CLOCK_SKEW"}
    assert service.sim.invoices() == []
    service.settle(5, SKEW_S + 120)
    assert [service.head("1001").number] == service.living("1001")


@pytest.mark.parametrize("wish", ["void", "new_number"])
def test_f10_a_clock_that_is_off_ends_no_change_either(service: Service, wish: str) -> None:
    """A void or reissue whose envelope is refused goes on by itself once the clocks agree."""
    service.issue(order())
    service.sim.fault("clock_off", op="Invalid")
    if wish == "void":
        answer = service.void(ID)
    else:
        answer = service.reissue(ID, {"reason": "更正備註", "corrections": {"remark": "更正"}})
    assert (answer.status, answer.body["cause"]) == (202, "CLOCK_SKEW")
    service.settle(20, 300)
    head = service.head("1001")
    assert (head.state, head.generation) == ((State.VOIDED, 1) if wish == "void" else (State.ISSUED, 2))
    assert len([call for call in service.sim.calls(op="Invalid") if call["committed"]]) == 1


@pytest.mark.parametrize("code", [110, 115])
def test_f10_a_refused_key_ends_no_order(service: Service, code: int) -> None:
    """Wrong key or service not opened: the order waits for the operator, whatever the code."""
    merchant = service.sim.world.merchants["2000132"]
    if code == 110:
        service.sim.add_merchant("2000132", "AAAAbbbbCCCCdddd", "1111222233334444")
    else:
        del service.sim.world.merchants["2000132"]
    answer = service.issue(order())
    service.sim.world.merchants["2000132"] = merchant
    assert (answer.status, answer.body["state"], answer.body["next_action"]) == (202, "WAITING", "FIX_CREDENTIALS")
    service.settle(5, 300)
    assert [service.head("1001").number] == service.living("1001")


@pytest.mark.parametrize("code", REFUSALS)
def test_f11_whatever_the_centre_refuses_with_its_invoice_is_found(service: Service, code: int) -> None:
    """Issued, its look-up lags, and the repeat is refused with any code: adopted in the end, nobody was told "no"."""
    service.sim.fault("drop_after", op="Issue")
    service.sim.fault("read_lag", op="Issue", seconds=100.0)
    assert service.issue(order()).status == 202
    refusing(code)
    service.recover(70)
    assert service.issue(order()).status == 202
    service.settle(20, 200)
    head = service.head("1001")
    assert (head.state, [head.number]) == (State.ISSUED, service.living("1001"))
    assert not {"refused", "attention"} & {entry["event"] for entry in head.log}


def test_f11_a_refusal_of_what_was_never_there_is_told_and_may_be_corrected(service: Service) -> None:
    """Nothing found: 422 with the centre's code; the correction goes out under the same order number."""
    kept = OPERATIONS["issue"]
    refusing(5000022)
    assert service.issue(order()).status == 422
    assert service.sim.calls()[-1]["op"] == "GetIssue"
    relate = service.head("1001").relate_number
    OPERATIONS["issue"] = kept
    assert service.issue(order(remark="更正後")).status == 201
    assert (service.head("1001").relate_number, service.head("1001").generation) == (relate, 1)


def test_f12_a_refused_duplicate_leaves_its_owners_record_alone(service: Service) -> None:
    """The owner is in the middle of its work; repeats, other bodies, voids and reissues change not one byte."""

    def disturb() -> None:
        before = item(service)
        answers = [
            service.issue(order()),
            service.issue(order(remark="另一內容")),
            service.issue(order(), idempotency_key="another"),
            service.void(ID),
            service.reissue(ID, {"reason": "更正", "corrections": {"remark": "更正"}}),
        ]
        assert [answer.status for answer in answers] == [202, 409, 202, 409, 409]
        assert service.messages("issue", {"command": "issue", **order()}) == []
        assert item(service) == before
        assert service.sim.calls() == []

    with during("issue", disturb):
        assert service.issue(order()).status == 201
    assert len(service.sim.calls()) == 1


@pytest.mark.parametrize("state", ["in flight", "issued", "voided"])
def test_f21_another_content_for_the_same_order_is_refused(service: Service, state: str) -> None:
    """409 whatever became of the first; nothing is sent, the record stays byte for byte, a message is done with."""
    if state == "in flight":
        service.sim.fault("drop_before", op="Issue")
    service.issue(order())
    if state == "voided":
        service.void(ID)
    before, calls = item(service), len(service.sim.calls())
    other = order(remark="另一內容")
    answer = service.issue(other)
    assert (answer.status, answer.body["code"]) == (409, "ORDER_HAS_INVOICE")
    assert service.messages("issue", {"command": "issue", **other}) == []
    assert item(service) == before
    assert len(service.sim.calls()) == calls


def test_f22_ids_that_differ_in_case_only_are_two_orders(service: Service) -> None:
    """The centre compares order numbers without case; ours are derived, so both are issued, each with its own."""
    first, second = service.issue(order("abc")), service.issue(order("ABC"))
    assert (first.status, second.status) == (201, 201)
    assert first.body["number"] != second.body["number"]
    assert service.head("abc").relate_number.lower() != service.head("ABC").relate_number.lower()
    assert service.issue(order("abc")).body["number"] == first.body["number"]


@pytest.mark.parametrize("order_id", ["a/b?c=d&e#f|g%41", "訂單１２３", "x" * 200, " ", "😀"])
def test_f23_any_order_id_gets_an_order_number_the_centre_takes(service: Service, order_id: str) -> None:
    """Whatever the shop calls its order: twenty characters of A–Z and 2–7 at the centre, and its id kept."""
    answer = service.issue(order(order_id))
    assert (answer.status, answer.body["order_id"]) == (201, order_id)
    (invoice,) = service.sim.invoices()
    assert re.fullmatch("[A-Z2-7]{20}", str(invoice["relate_number"]))
    assert service.issue(order(order_id)).body["number"] == invoice["number"]


@pytest.mark.parametrize("code", [5070350, 1500047])
def test_f46_every_spelling_of_no_number_left_waits_and_goes_on(
    service: Service, logged: StringIO, code: int
) -> None:
    """Pending with the way out named and counted for the alarm; resumed under the same order number by itself."""
    kept = OPERATIONS["issue"]
    refusing(code)
    answer = service.issue(order())
    assert (answer.status, answer.body["state"], answer.body["next_action"]) == (202, "WAITING", "ADD_NUMBERS")
    lines = [json.loads(line) for line in logged.getvalue().splitlines()]
    assert {line.get("cause") for line in lines if line.get("event") == "waiting"} == {"NUMBER_EXHAUSTED"}
    relate = service.head("1001").relate_number
    OPERATIONS["issue"] = kept
    service.settle(5, 300)
    head = service.head("1001")
    assert (head.relate_number, [head.number]) == (relate, service.living("1001"))

