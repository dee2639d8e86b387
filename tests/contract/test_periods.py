"""What later periods answer, held against the published document as in ``test_answers``."""

from __future__ import annotations

from tests.service import order


def test_after_the_periods_end(service):
    """422 with the next step for a void, a reissue and an issue that come too late; the invoice lives on."""
    one = service.issue(order("late-1")).body["id"]
    service.advance(90 * 86400)
    refused = service.void(one)
    assert (refused.status, refused.body["code"]) == (422, "VOID_WINDOW_CLOSED")
    changed = {"corrections": {"buyer": {"name": "另一位買家"}}, "reason": "更正買受人"}
    crossed = service.reissue(one, changed)
    assert (crossed.status, crossed.body["code"]) == (422, "CROSS_PERIOD")
    assert service.invoice(one).body["state"] == "ISSUED"
    late = service.issue(order("late-2", sold_on="2026-03-20"))
    assert (late.status, late.body["code"]) == (422, "SALE_PERIOD_OVER")
    assert service.issue(order("late-2", sold_on="2026-03-20", late_reason="補開")).status == 201
    service.order("late-2")


def test_an_issue_that_outlives_its_period_waits_for_a_person(service):
    """202 without Retry-After: nothing goes on by itself."""
    service.sim.fault("drop_before", op="issue")
    service.sim.fault("http_500_before", op="getissue")
    pending = service.issue(order("late-3"))
    assert pending.status == 202
    service.advance(90 * 86400)
    service.settle(steps=2)
    flagged = service.issue(order("late-3"))
    assert (flagged.status, flagged.body["attention"]["cause"]) == (202, "SALE_PERIOD_OVER")
    assert "retry-after" not in flagged.headers
