"""註銷重開, where the merchant switched it on: the same number with another content, never over a third one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from einvoice import wiring
from einvoice.identity import invoice_id
from einvoice.model import OrderKey
from einvoice.store.base import State
from tests.service import MERCHANT, Service, order, running

NOW = "2026-03-20T10:00:00+08:00"


@pytest.fixture(scope="class")

def _switched_on() -> Iterator[Service]:
    with running(now=NOW, same_number_reissue=True) as made:
        yield made


@pytest.fixture
def confirmed(_switched_on: Service, request: pytest.FixtureRequest) -> tuple[Service, str]:
    """An issued invoice the ministry confirmed, and its order id."""
    order_id = request.node.name
    _switched_on.sim.clear_faults()
    _switched_on.sim.clear_calls()
    _switched_on.issue(order(order_id))
    head = _switched_on.head(order_id)
    done = replace(head, ver=head.ver + 1, write_id="w", upload="confirmed")
    assert wiring.ports().store.replace(done) is None
    return _switched_on, order_id


def again(confirmed: tuple[Service, str], text: str, **headers: str) -> Any:
    """A 註銷重開 with another name of the line."""
    service, order_id = confirmed
    body = {"reason": "更正", "mode": "same_number", "corrections": {"lines": lines(text)}}
    return service.reissue(invoice_id(OrderKey(MERCHANT, "api", order_id), 1), body, **headers)


def lines(text: str) -> list[dict[str, Any]]:
    """One line of that name."""
    return [{"name": text, "quantity": "2", "unit": "包", "unit_price_twd": "525", "amount_twd": 1050}]


def confirm(confirmed: tuple[Service, str]) -> None:
    """The ministry has the re-issued one too."""
    service, order_id = confirmed
    service.advance(7300)
    head = service.head(order_id)
    assert wiring.ports().store.replace(replace(head, ver=head.ver + 1, write_id="c", upload="confirmed")) is None


def test_it_keeps_the_number(confirmed: tuple[Service, str]) -> None:
    """201, the same number, one living invoice with the new content; two writes of the ledger."""
    service, order_id = confirmed
    number = service.head(order_id).number
    calls: Counter[str] = Counter()
    wiring.ports().store._client.meta.events.register(
        "before-call.dynamodb", lambda model, **_: calls.update([model.name])
    )
    answer = again(confirmed, "甲")
    assert (answer.status, answer.body["number"], calls.total()) == (201, number, 2)
    assert service.living(order_id) == [number]
    repeated = again(confirmed, "甲")
    assert (repeated.status, repeated.body["number"]) == (200, number)


@pytest.mark.parametrize("fault", ["drop_after", "drop_before", "late_arrival"])
def test_a_lost_answer(confirmed: tuple[Service, str], fault: str) -> None:
    """Compared before anything is sent again; in the end the new content, once."""
    service, order_id = confirmed
    service.sim.fault(fault, op="VoidWithReIssue")
    service.sim.fault("http_500_before", op="GetIssue")
    assert again(confirmed, "甲").status == 202
    service.settle(20, 200)
    head = service.head(order_id)
    assert (head.state, head.payload["lines"][0]["name"]) == (State.ISSUED, "甲")
    assert len([call for call in service.sim.calls(op="VoidWithReIssue") if call["committed"]]) == 1


def test_a_third_content_is_not_written_over(confirmed: tuple[Service, str]) -> None:
    """The centre holds neither the old nor the new content: a person, and nothing more is sent."""
    service, order_id = confirmed
    service.sim.fault("drop_before", op="VoidWithReIssue")
    service.sim.fault("http_500_before", op="GetIssue")
    assert again(confirmed, "甲").status == 202
    invoice = service.sim.world.by_relate["2000132", service.head(order_id).relate_number.lower()]
    with service.sim.world.lock:
        invoice.content = replace(invoice.content, lines=(replace(invoice.content.lines[0], name="丙"),))
    service.settle(20, 300)
    assert service.head(order_id).attention["cause"] == "DIFFERENT_DOCUMENT"
    assert len(service.sim.calls(op="VoidWithReIssue")) == 1


def test_a_cancellation_meanwhile(confirmed: tuple[Service, str]) -> None:
    """Cancelled while its fate is unknown: not re-issued again, but voided."""
    service, order_id = confirmed
    service.sim.fault("drop_before", op="VoidWithReIssue")
    service.sim.fault("http_500_before", op="GetIssue")
    assert again(confirmed, "甲").status == 202
    assert service.messages("void", {"command": "void", "order_id": order_id, "reason": "取消"}) == []
    service.settle(20, 300)
    assert service.head(order_id).state is State.VOIDED
    assert len(service.sim.calls(op="VoidWithReIssue")) == 1


def test_a_late_repeat_does_not_undo_a_later_one(confirmed: tuple[Service, str]) -> None:
    """First 甲, then 乙; 甲 delivered again is no new wish, and its key with another body is refused."""
    service, order_id = confirmed
    assert again(confirmed, "甲", idempotency_key="k1").status == 201
    confirm(confirmed)
    assert again(confirmed, "乙", idempotency_key="k2").status == 201
    confirm(confirmed)
    late = again(confirmed, "甲", idempotency_key="k1")
    assert late.status == 200
    assert again(confirmed, "丙", idempotency_key="k1").body["code"] == "IDEMPOTENCY_KEY_REUSED"
    head = service.head(order_id)
    assert (head.state, head.payload["lines"][0]["name"]) == (State.ISSUED, "乙")


def test_the_same_correction_under_a_new_key_is_a_new_wish(confirmed: tuple[Service, str]) -> None:
    """A, then B, then A again: with another key it is carried out; with its old key it is a late repeat."""
    service, _ = confirmed

    def held() -> str:
        return str(service.sim.invoices()[-1]["lines"][0]["name"])  # type: ignore[index] # JSON

    for key, text in (("k1", "甲"), ("k2", "乙"), ("k3", "甲")):
        confirm(confirmed)
        assert (again(confirmed, text, idempotency_key=key).status, held()) == (201, text)
    assert (again(confirmed, "乙", idempotency_key="k2").status, held()) == (200, "甲")


def test_the_centre_is_asked_for_the_upload_it_knows_of() -> None:
    """Nobody tells the ledger when the ministry confirmed: without it the centre is asked, and only then refused."""
    with running(profile="doc", now=NOW, same_number_reissue=True) as service:
        issued = service.issue(order("asked")).body["id"]
        body = {"reason": "更正", "mode": "same_number", "corrections": {"lines": lines("甲")}}
        early = service.reissue(issued, body)
        assert (early.status, early.body["code"]) == (409, "NOT_UPLOADED")
        service.advance(7300)
        assert service.reissue(issued, body).status == 201


def test_a_void_invoice_has_no_number_to_keep(confirmed: tuple[Service, str]) -> None:
    """The mode is refused rather than quietly taken for the other one."""
    service, order_id = confirmed
    service.void(invoice_id(OrderKey(MERCHANT, "api", order_id), 1))
    answer = again(confirmed, "甲")
    assert (answer.status, answer.body["code"], service.living(order_id)) == (422, "NO_NUMBER_TO_KEEP", [])
