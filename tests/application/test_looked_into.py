"""A person took the flag off an order at rest: it is compared with the centre again, whenever ``confirm`` runs."""

from __future__ import annotations

from dataclasses import replace

import pytest

from einvoice import wiring
from einvoice.application import heads
from einvoice.edge.http import work
from einvoice.providers.base import Accepted
from tests.service import MERCHANT, Context, Service, order


@pytest.mark.parametrize("every_s", [60, 100, 299, 300])
def test_what_still_differs_is_flagged_again(service: Service, every_s: float) -> None:
    """However soon after recovery the confirmation runs: the one comparison is not missed as too early."""
    service.sold(order("looked-1"))
    refund = {"goal": "refund", "reason": "退貨", "refund_id": "R-1", "refund": {"amount_twd": 100}}
    assert service.correct("looked-1", refund).status == 201
    service.advance(86_400)
    service.confirm_now("looked-1")
    head, p = service.head("looked-1"), wiring.ports()
    assert [one["upload"] for one in head.allowances] == ["confirmed"]
    provider, call = p.centres.pinned(MERCHANT, head.centre), p.call(work(p, Context(), "console"), 5)
    assert isinstance(provider.void_allowance(head.number, head.allowances[0]["number"], "後台", call), Accepted)
    now = p.now()
    looked = heads.looked_into(head, now, by="p", reason="r")
    assert p.store.replace(replace(looked, ver=head.ver + 1, write_id="ops", updated_at=now)) is None
    service.recover(40)
    for _ in range(int(900 / every_s) + 1):
        service.confirm(every_s)
    assert service.head("looked-1").attention["cause"] == "REMAINING_DIFFERS"
