"""An order that the rules refused from a queue is kept, however little of it could be kept."""

from __future__ import annotations

import pytest

from tests.service import order, running


@pytest.mark.parametrize(
    "odd",
    [
        {"lines": [], "total_twd": 0},
        {"total_twd": 0},
        {"lines": [{"name": "", "unit": "", "quantity": "0", "unit_price_twd": "0", "amount_twd": 0}], "total_twd": 0},
    ],
)
def test_its_log_says_why_and_every_later_request_gets_an_answer(odd):
    """Read, re-issue and a corrected issue of such an order are answered; the corrected one gets its invoice."""
    with running() as service:
        assert service.messages("issue", order("1001", **odd) | {"command": "issue"}) == []
        seen = service.order("1001")
        assert seen.status == 200
        assert seen.body["state"] == "REFUSED"
        assert seen.body["log"][-1]["event"] == "refused"
        wish = {"reason": "更正", "corrections": {"buyer": {"name": "測試買家"}}}
        refused = service.reissue(seen.body["invoices"][-1]["id"], wish)
        assert (refused.status, refused.body["code"]) == (422, "INVALID_REQUEST")
        assert service.issue(order("1001")).status == 201
        assert len(service.living("1001")) == 1
