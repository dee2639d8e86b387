"""Only the same, living document is adopted."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from einvoice.store.base import State
from tests.service import Service, order


def unanswered(service: Service) -> Any:
    """An order whose invoice the centre made, while we know nothing of it; that invoice."""
    service.sim.fault("drop_after", op="Issue")
    service.sim.fault("http_500_before", op="GetIssue")
    assert service.issue(order()).status == 202
    return next(iter(service.sim.world.invoices.values()))


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"sales_twd": 999}, "total_twd"),
        ({"ubn": "53538851"}, "ubn"),
        ({"tax_type": "3"}, "tax_type"),
        ({"carrier_number": "/XYZ+999"}, "carrier_number"),
        ({"love_code": "168001"}, "love_code"),
        ({"print_flag": "1"}, "print_paper"),
        ({"lines": ()}, "lines"),
    ],
)
def test_05_a_different_document_is_never_adopted(service: Service, change: dict[str, Any], field: str) -> None:
    """What the centre holds differs: attention with both values, no number, and nothing is sent over it."""
    invoice = unanswered(service)
    with service.sim.world.lock:
        invoice.content = replace(invoice.content, **change)
    service.recover(120)
    head = service.head("1001")
    assert (head.state, head.number) == (State.ISSUING, "")
    assert head.attention["cause"] == "DIFFERENT_DOCUMENT"
    assert head.attention["ours"].keys() == {field}
    assert head.attention["theirs"].keys() == {field, "number"}
    service.settle(3)
    assert service.head("1001") == head
    assert len(service.sim.calls(op="Issue")) == 1
    answer = service.issue(order())
    assert (answer.status, answer.body["next_action"]) == (202, "ASK_A_PERSON")


def test_05_a_document_from_another_time_is_never_adopted(service: Service) -> None:
    """Its date lies before our first send by more than two clocks may differ."""
    invoice = unanswered(service)
    with service.sim.world.lock:
        invoice.created -= timedelta(hours=1)
    service.recover(120)
    assert service.head("1001").attention["ours"].keys() == {"issued_at"}


def test_05_a_void_document_is_adopted_as_void(service: Service) -> None:
    """Somebody voided it in the centre's back office: it is ours, and it is void."""
    invoice = unanswered(service)
    with service.sim.world.lock:
        invoice.voided = service.now()
    service.recover(120)
    head = service.head("1001")
    assert (head.state, head.number) == (State.VOIDED, invoice.number)
    assert service.issue(order()).body["state"] == "VOIDED"
