"""A sale of an ended period is invoiced only by a person's word."""

from __future__ import annotations

from tests.service import order, running


def test_a_repeat_after_the_sales_period_needs_a_person():
    """An order that waited over the end of its period is not sent late because its request came again."""
    with running(now="2026-02-28T23:00:00+08:00") as service:
        service.sim.fault("exhausted", op="Issue", times=1)
        assert service.issue(order("over")).body["state"] == "WAITING"
        service.advance(7200)
        late = service.issue(order("over"))
        assert (late.status, late.body["code"]) == (422, "SALE_PERIOD_OVER")
        assert service.living("over") == []
        assert service.issue(order("over", late_reason="會計師已確認")).status == 201
