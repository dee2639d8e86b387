"""A shop whose invoices the ministry has (已上傳的發票), and what it asks of them: for the faults of corrections."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from einvoice.application import allowances
from einvoice.identity import allowance_id, invoice_id
from einvoice.model import OrderKey
from simulators.ecpay.documents import Allowance
from simulators.ecpay.operations.allowance import put_in_force
from tests.service import MERCHANT, Response, Service, order

KEY = OrderKey(MERCHANT, "api", "1001")
ID = invoice_id(KEY, 1)
ALLOWANCE_ID = allowance_id(KEY, 1)
TOTAL_TWD = 1050  # of ``order``
LAST_PERIOD = "2026-02-27T10:00:00+08:00"
UBN = "53538851"
CORRECTIONS = {"buyer": {"ubn": UBN, "name": "測試股份有限公司"}}
CONSENT = {"consent": {"note": "LINE"}}


def sold(service: Service, at: str | None = None) -> None:
    """An invoice of order 1001 that the ministry has; ``at``: made then, and the clock goes back to where it was."""
    now = service.now()
    if at is not None:
        service.sim.move_clock(now=datetime.fromisoformat(at))
    assert service.issue(order()).status == 201
    service.confirm_now("1001")
    assert service.head("1001").upload == "confirmed"
    if at is not None:
        service.sim.move_clock(now=now)


def refund(refund_id: str = "R1", amount_twd: int = 300, **more: Any) -> dict[str, Any]:
    """What POST …/allowances takes; with ``command`` and ``invoice_id``, what the queue takes."""
    return {"reason": "退貨", "refund_id": refund_id, "amount_twd": amount_twd, **more}


def queued(body: dict[str, Any]) -> dict[str, Any]:
    """The same as a message of the allowance queue."""
    return {"command": "allowance", "invoice_id": ID, **body}


def correct(service: Service, **more: Any) -> Response:
    """The buyer of order 1001 was a company after all."""
    body = {"goal": "correct", "reason": "補統編", "corrections": CORRECTIONS, "evidence": CONSENT}
    return service.correct("1001", body | more)


def cancel(service: Service) -> Response:
    """Order 1001 is cancelled as a whole."""
    return service.correct("1001", {"goal": "cancel", "reason": "訂單取消"})


def at_centre(service: Service) -> list[tuple[int, bool]]:
    """The allowances that are really there, oldest first: sum, and whether it is void."""
    return [(int(str(one["amount"])), bool(one["void"])) for one in service.sim.allowances()]


def in_ledger(service: Service) -> list[tuple[int, bool]]:
    """The same as the ledger has it: those that live or lived."""
    records = allowances.everywhere(service.head("1001"))
    made = [one for one in records if one["status"] in ("LIVE", "VOIDING", "VOIDED")]
    return [(int(one["amount_twd"]), one["status"] == "VOIDED") for one in made]


def both(service: Service) -> list[tuple[int, bool]]:
    """What centre and ledger agree on."""
    assert sorted(in_ledger(service)) == sorted(at_centre(service))
    return at_centre(service)


def through(service: Service, rounds: int = 30) -> None:
    """Recovery and confirmation, the clock moved to whatever is due next, until order 1001 rests."""
    for _ in range(rounds):
        head = service.head("1001")
        if head.due_at is None and head.confirm_at is None:
            return
        due = max(head.due_at or head.confirm_at or 0, head.lease_until) + 1
        service.advance(max(0.0, due - service.now().timestamp()))
        if head.due_at is not None:
            service.recover()
        else:
            service.confirm()
    raise AssertionError(f"still moving after {rounds} rounds: {service.head('1001')}")


def by_hand(service: Service, amount_twd: int) -> None:
    """Somebody makes an allowance at the centre's console, past us."""
    (invoice,) = service.sim.world.invoices.values()
    made = Allowance(
        invoice=invoice,
        number="9999999999999999",
        created=service.now().replace(microsecond=0),
        amount_twd=amount_twd,
        tax_twd=0,
        lines=invoice.content.lines,
        notify="N",
        mail="",
        phone="",
        customer="",
        visible_at=service.now(),
    )
    with service.sim.world.lock:
        put_in_force(service.sim.world, made)
