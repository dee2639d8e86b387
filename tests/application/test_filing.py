"""Filing (申報) closes the void at once: 統一發票使用辦法 art. 20; a month is filed by those who file every month."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from einvoice import wiring
from einvoice.identity import invoice_id
from einvoice.model import OrderKey
from tests.service import MERCHANT, Service, order

ID = invoice_id(OrderKey(MERCHANT, "api", "1001"), 1)
CANCEL = {"goal": "cancel", "reason": "訂單取消"}


def late_in_april(service: Service) -> None:
    """Two invoices of the last day of April, and it is the 5th of May: the void would be open until the 13th."""
    for order_id in ("1001", "1002"):
        service.sold(order(order_id), "2026-04-30T10:00:00+08:00")
    service.sim.move_clock(now=service.now().replace(month=5, day=5))


def test_a_filed_period_is_void_no_more(service: Service) -> None:
    """The day before, a plain void; once filed 422 with the way that is left, and the correction takes it."""
    late_in_april(service)
    other = invoice_id(OrderKey(MERCHANT, "api", "1002"), 1)
    assert service.void(other).status == 201
    assert service.file("11504").status == 200
    answer = service.void(ID)
    assert (answer.status, answer.body["code"], answer.body["next_action"]) == (
        422, "VOID_WINDOW_CLOSED", "USE_ALLOWANCE",
    )
    assert service.correct("1001", CANCEL | {"dry_run": True}).body["decision"]["cause"] == "VOID_CLOSED"
    assert service.correct("1001", CANCEL).status == 201
    assert (len(service.sim.calls(op="Invalid")), len(service.sim.calls(op="Allowance"))) == (1, 1)


def test_a_queued_void_of_a_filed_period_becomes_an_allowance(service: Service) -> None:
    """The platform's message is not lost and not repeated: the rest is allowed in full."""
    late_in_april(service)
    service.file("11504")
    message = {"command": "void", "order_id": "1001", "reason": "訂單取消"}
    assert service.messages("void", message) == []
    service.settle(3, 60)
    assert service.messages("void", message) == []
    assert [one["amount"] for one in service.sim.allowances()] == [1050]
    assert service.sim.calls(op="Invalid") == []


def test_a_filed_period_moves_a_correction_to_an_allowance(service: Service, configure: Callable[..., None]) -> None:
    """Where a re-issue is possible until the cut-off, the filing ends it: allowance first, then the new invoice."""
    configure(reissue_scope="until_cutoff")
    late_in_april(service)
    wish = {"goal": "correct", "reason": "更正", "corrections": {"remark": "更正"}, "dry_run": True}
    steps = [[step["do"] for step in service.correct("1001", wish).body["decision"]["steps"]]]
    service.file("11504")
    steps += [[step["do"] for step in service.correct("1001", wish).body["decision"]["steps"]]]
    assert steps == [["void", "issue"], ["allow", "issue"]]


def test_the_running_period_cannot_have_been_filed(service: Service) -> None:
    """A mark for it closes nothing before it has ended."""
    service.sold(order())
    service.file("11504")
    assert service.void(ID).status == 201


def test_the_first_filing_stays(service: Service) -> None:
    """Told twice: the same instant; one in the future, a period that is none, or a bad instant is 422."""
    late_in_april(service)
    first = service.file("11504", {"filed_at": "2026-05-04T09:00:00+08:00"})
    assert service.file("11504").body == first.body == {"period": "11504", "filed_at": "2026-05-04T09:00:00+08:00"}
    for period, body in (
        ("11513", {}), ("2026-04", {}), ("11506", {"filed_at": "2027-01-01T00:00:00+08:00"}),
        ("11506", {"filed_at": "yesterday"}), ("11506", {"filed_at": "2026-05-01T00:00:00"}),
    ):
        assert service.file(period, body).status == 422


def test_a_period_of_two_months_is_filed_by_its_own_name(service: Service) -> None:
    """Whoever files every two months and names an odd month named nothing: told so, or it closes nothing silently."""
    late_in_april(service)
    assert service.file("11503").status == 422


def test_one_merchants_filing_is_not_anothers(service: Service) -> None:
    """Another merchant's mark closes nothing here."""
    late_in_april(service)
    wiring.ports().store.mark_filed("other-shop", "11504", wiring.ports().now())
    assert service.void(ID).status == 201


@pytest.mark.parametrize(("day", "status"), [("2026-04-13T23:59:00+08:00", 201), ("2026-04-14T00:00:01+08:00", 422)])
def test_a_monthly_filers_void_ends_with_the_next_month(
    service: Service, configure: Callable[..., None], day: str, status: int
) -> None:
    """March is filed in April: its invoices can be void until the 13th of April, though the period runs on."""
    configure(filing="monthly")
    service.sold(order(), "2026-03-20T10:00:00+08:00")
    service.sim.move_clock(now=service.now().fromisoformat(day))
    answer = service.void(ID)
    assert (answer.status, answer.body.get("code")) == (status, None if status == 201 else "VOID_WINDOW_CLOSED")


def test_a_monthly_filer_files_a_month(service: Service, configure: Callable[..., None]) -> None:
    """11503 closes March and leaves April open."""
    configure(filing="monthly")
    service.sold(order(), "2026-03-31T10:00:00+08:00")
    service.sold(order("1002"), "2026-04-01T10:00:00+08:00")
    service.sim.move_clock(now=service.now().replace(day=5))
    assert service.file("11503").status == 200
    assert service.void(ID).body["code"] == "VOID_WINDOW_CLOSED"
    assert service.void(invoice_id(OrderKey(MERCHANT, "api", "1002"), 1)).status == 201


def test_an_allowance_is_void_by_its_own_period(service: Service) -> None:
    """Made in May on an invoice of April: filing April leaves it open, filing its own closes it."""
    late_in_april(service)
    service.file("11504")
    service.allow(ID, {"reason": "退", "refund_id": "R1", "amount_twd": 300})
    service.allow(ID, {"reason": "退", "refund_id": "R2", "amount_twd": 200})
    service.confirm_now("1001")
    first, second = (one["id"] for one in service.order("1001").body["allowances"])
    assert service.void_allowance(first).status == 201
    service.sim.move_clock(now=service.now().replace(month=7, day=5))
    service.file("11506")
    answer = service.void_allowance(second)
    assert (answer.status, answer.body["code"]) == (422, "ALLOWANCE_VOID_CLOSED")
    assert len(service.sim.calls(op="AllowanceInvalid")) == 1
