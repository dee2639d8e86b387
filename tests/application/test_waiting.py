"""Bans, exhausted numbers and concurrency: what waits, waits alone and goes on by itself."""

from __future__ import annotations

import threading
from collections import Counter
from dataclasses import replace
from typing import Any

import boto3
import pytest

from einvoice import wiring
from einvoice.application import heads, sending
from einvoice.identity import invoice_id
from einvoice.model import OrderKey
from einvoice.store.base import State
from tests.aws import REGION
from tests.service import MERCHANT, Service, add_merchant, order

ID = invoice_id(OrderKey(MERCHANT, "api", "1001"), 1)


def test_f16_a_ban_stops_all_calls_of_the_account_and_of_no_other(service: Service) -> None:
    """HTTP 403: nothing is sent for half an hour, whatever is asked; other merchants go on; then all is issued."""
    kms = boto3.client("kms", region_name=REGION)
    key_id = kms.list_keys()["Keys"][0]["KeyId"]
    service.issue(order("1000"))
    service.sim.fault("ban", op="Issue")
    assert service.issue(order()).status == 202
    calls = len(service.sim.calls())
    service.recover(600)
    assert service.issue(order("1002")).body["state"] == "WAITING"
    thousand = invoice_id(OrderKey(MERCHANT, "api", "1000"), 1)
    assert service.reissue(thousand, {"reason": "更正", "corrections": {"remark": "更正"}}).status == 503
    assert service.call("orders", "GET /v1/invoices/{id}/print", None, path={"id": thousand}).status == 503
    assert service.void(thousand).status == 202
    service.recover(600)
    assert len(service.sim.calls()) == calls
    add_merchant(service.dynamodb, kms, key_id, service.sim, "other-shop")
    body = order("1001")
    assert service.call("issue", "POST /v1/invoices", body, merchant="other-shop").status == 201
    service.settle(10, 300)
    assert [service.head(one).state for one in ("1000", "1001", "1002")] == [State.VOIDED, State.ISSUED, State.ISSUED]


@pytest.mark.parametrize("asked", ["numbers", "print"])
def test_f16_any_call_that_meets_a_ban_opens_the_breaker(service: Service, asked: str) -> None:
    """Also a question about numbers or a print link: the next call waits."""
    service.issue(order())
    service.sim.fault("ban", op="GetInvoiceWordSetting" if asked == "numbers" else "InvoicePrint")
    if asked == "numbers":
        answer = service.reissue(ID, {"reason": "更正", "corrections": {"remark": "更正"}})
    else:
        answer = service.call("orders", "GET /v1/invoices/{id}/print", None, path={"id": ID})
    assert answer.status == 503
    calls = len(service.sim.calls())
    assert service.issue(order("1002")).status == 202
    assert len(service.sim.calls()) == calls


def test_f46_exhausted_numbers_wait_and_go_on(service: Service) -> None:
    """No number left: pending with the way out named, and issued once a track is added."""
    service.sim.exhaust()
    answer = service.issue(order())
    assert (answer.status, answer.body["cause"], answer.body["next_action"]) == (202, "NUMBER_EXHAUSTED", "ADD_NUMBERS")
    service.recover(120)
    service.sim.add_track("ZZ", 10000000, 10000049)
    service.settle(10, 300)
    assert service.living("1001") == ["ZZ10000000"]


def test_12_what_could_not_be_issued_in_its_period_is_a_persons(service: Service) -> None:
    """Exhausted until the period ended: not issued by itself, but with a person's reason, in the period of now."""
    service.sim.fault("exhausted", op="Issue", times=None)
    service.issue(order())
    service.sim.move_clock(now=service.now().replace(month=5, day=1, hour=0, minute=0, second=1))
    service.sim.clear_faults()
    service.settle(3, 1000)
    assert service.head("1001").attention["cause"] == "SALE_PERIOD_OVER"
    assert service.sim.invoices() == []
    assert service.issue(order()).status == 202
    answer = service.issue(order(late_reason="字軌用罄，補開"))
    assert (answer.status, answer.body["period"]) == (201, "11506")
    assert len(service.living("1001")) == 1


def test_12_an_order_sold_in_an_earlier_period_needs_a_reason(service: Service) -> None:
    """A sale of February asked for in March: 422 and nothing stored; with a reason it is issued now."""
    answer = service.issue(order(sold_on="2026-02-27"))
    assert (answer.status, answer.body["code"], answer.body["next_action"]) == (422, "SALE_PERIOD_OVER", "ASK_A_PERSON")
    assert service.order("1001").status == 404
    assert service.issue(order(sold_on="2026-02-27", late_reason="漏開補開")).status == 201


@pytest.mark.usefixtures("one_write_at_a_time")
def test_f18_f19_many_requests_at_once_make_one_invoice(service: Service) -> None:
    """HTTP requests and queue messages of one order at the same moment: one Issue call, one number, no failure."""
    barrier = threading.Barrier(6)
    answers: list[Any] = []

    def http() -> None:
        barrier.wait()
        answers.append(service.issue(order()))

    def message() -> None:
        barrier.wait()
        assert service.messages("issue", {"command": "issue", **order()}) == []

    threads = [threading.Thread(target=run) for run in (http, message) * 3]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(service.sim.calls(op="Issue")) == 1
    assert {answer.status for answer in answers} <= {200, 201, 202}
    numbers = {answer.body["number"] for answer in answers} - {None}
    assert numbers <= set(service.living("1001"))
    assert len(service.living("1001")) == 1


@pytest.mark.usefixtures("one_write_at_a_time")
def test_f18_repeats_that_find_a_dead_worker_at_once_get_an_answer(service: Service) -> None:
    """Its lease is over and two callers take it over together: one drives it on, neither hears an error."""
    service.sim.fault("http_500_before", times=None)
    service.issue(order())
    service.sim.clear_faults()
    service.advance(100)
    barrier = threading.Barrier(3)
    answers: list[int] = []

    def run() -> None:
        barrier.wait()
        answers.append(service.issue(order()).status)

    threads = [threading.Thread(target=run) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(answers) <= {200, 201, 202}
    assert len(service.living("1001")) == 1


def test_f34_a_worker_that_lost_its_lease_commits_nothing(service: Service) -> None:
    """The zombie's own result is thrown away; what it answers is what the winner made of the order."""
    service.sim.fault("http_500_before", times=None)
    service.issue(order())
    zombie = service.head("1001")
    service.sim.clear_faults()
    service.settle(3)
    issued = service.head("1001")
    with pytest.raises(sending.Overtaken) as overtaken:
        sending.commit(wiring.ports(), zombie, lambda head: heads.flagged(head, 1, "ZOMBIE"))
    assert overtaken.value.standing == issued == service.head("1001")


def test_f37_a_lease_shorter_than_the_work_makes_no_second_invoice(service: Service) -> None:
    """The order is taken over while its first worker still waits for the centre: the centre refuses the second."""
    service.issue(order())
    head = service.head("1001")
    again = replace(head, ver=head.ver + 1, state=State.ISSUING, number="", write_id="w", lease_until=0, due_at=1)
    assert wiring.ports().store.replace(again) is None
    service.settle(3)
    assert [service.head("1001").number] == service.living("1001")
    assert service.head("1001").number == head.number


def test_one_broken_order_does_not_hold_up_the_others(service: Service) -> None:
    """An item that cannot be worked with is counted as failed; the orders behind it are recovered."""
    service.sim.fault("drop_before", op="Issue", times=2)
    service.issue(order("0000"))
    service.issue(order())
    broken = service.head("0000")
    assert wiring.ports().store.replace(replace(broken, ver=broken.ver + 1, payload={"broken": 1}, due_at=1)) is None
    counts = service.recover(120)
    assert (counts["failed"], service.head("1001").state) == (1, State.ISSUED)


def test_the_counts_of_dynamodb_calls(service: Service) -> None:
    """With warm caches: issue 2, duplicate 1, void 2, reissue 3, read 1; not one more."""
    service.issue(order("warm"))
    calls: Counter[str] = Counter()
    store = wiring.ports().store
    store._client.meta.events.register("before-call.dynamodb", lambda model, **_: calls.update([model.name]))

    def cost(do: Any) -> tuple[int, int]:
        calls.clear()
        answer = do()
        return answer.status, calls.total()

    second = invoice_id(OrderKey(MERCHANT, "api", "1001"), 2)
    assert cost(lambda: service.issue(order())) == (201, 2)
    assert cost(lambda: service.issue(order())) == (200, 1)
    assert cost(lambda: service.invoice(ID)) == (200, 1)
    assert cost(lambda: service.reissue(ID, {"reason": "更正", "corrections": {"remark": "更正"}})) == (201, 3)
    assert cost(lambda: service.void(second)) == (201, 2)
