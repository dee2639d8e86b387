"""Every answer of the service is one the published document names: scenario by scenario, through the real handlers.

``Held.call`` compares status, media type, headers and body with the document; what the tests say is what was reached.
"""

from __future__ import annotations

import json
from contextlib import ExitStack
from dataclasses import replace
from unittest.mock import patch

import pytest

from einvoice import wiring
from einvoice.errors import StoreUnavailable
from einvoice.identity import invoice_id
from einvoice.model import OrderKey
from einvoice.store.dynamodb import DynamoStore
from tests.contract.contract import hold, operation
from tests.service import Response, company, load, order

ROUTES = {
    "POST /v1/invoices": "issue",
    "POST /v1/invoices/{id}/void": "void",
    "POST /v1/invoices/{id}/reissue": "reissue",
    "GET /v1/invoices/{id}": "orders",
    "GET /v1/invoices/{id}/print": "orders",
    "GET /v1/orders/{source}/{order_id}": "orders",
}
VOID = "POST /v1/invoices/{id}/void"
PENDING = {"ISSUING", "WAITING", "VOIDING", "REISSUING"}
BUYER = {"corrections": {"buyer": {"name": "另一位買家"}}, "reason": "更正買受人"}


def issued(service, order_id, **changes):
    """The id of an invoice issued now."""
    answer = service.issue(order(order_id, **changes))
    assert (answer.status, answer.body["state"]) == (201, "ISSUED")
    return answer.body["id"]


def test_new_and_the_same_again(service):
    """201 and 200 carry the same invoice."""
    first = service.issue(order("new-1"))
    again = service.issue(order("new-1"))
    assert (first.status, again.status) == (201, 200)
    assert first.body == again.body
    assert first.headers["location"] == f"/v1/invoices/{first.body['id']}"


def test_another_body_and_another_key_use(service):
    """409 for another content, 422 for a key used twice."""
    service.issue(order("other-1"), **{"Idempotency-Key": "a"})
    assert service.issue(order("other-1", remark="x")).body["code"] == "ORDER_HAS_INVOICE"
    reused = service.issue(order("other-1", remark="x"), **{"Idempotency-Key": "a"})
    assert (reused.status, reused.body["code"]) == (422, "IDEMPOTENCY_KEY_REUSED")
    assert service.issue(order("other-2"), **{"Idempotency-Key": "k" * 201}).status == 422


@pytest.mark.parametrize("fault", ["drop_after", "http_500_before", "garbage_after", "hang"])
def test_nobody_knows_yet(service, fault):
    """202 says where to ask and when, then the order settles; every step of it reads as documented."""
    order_id = f"pending-{fault}"
    service.sim.fault(fault, times=2)
    service.sim.fault("http_500_before", op="getissue", times=2)
    left = 4.0 if fault == "hang" else 25.0
    pending = service.call("issue", "POST /v1/invoices", order(order_id), left_s=left)
    service.sim.clear_faults()
    assert pending.status == 202
    assert pending.body["state"] in PENDING
    assert 5 <= int(pending.headers["retry-after"]) <= 900
    assert service.invoice(pending.body["id"]).body["state"] == pending.body["state"]
    assert service.void(pending.body["id"]).body["code"] == "ORDER_IN_PROGRESS"
    assert service.reissue(pending.body["id"], BUYER).status == 409
    assert service.print_link(pending.body["id"]).body["code"] == "NOT_PRINTABLE"
    service.order(order_id)
    service.settle(steps=2, step_s=900)
    assert service.invoice(pending.body["id"]).body["state"] == "ISSUED"
    service.order(order_id)


def test_a_person_has_to_decide(service):
    """202 without Retry-After; both sides' values stand in the answer, and the order in the way is 409."""
    service.sim.fault("drop_after", op="issue")
    service.sim.fault("http_500_before", op="getissue")
    pending = service.issue(order("attention-1"))
    head = service.head("attention-1")
    other = {**head.payload, "total_twd": 2100}  # as if what was sent and what stands here had come apart
    wiring.ports().store.replace(replace(head, payload=other, ver=head.ver + 1, write_id="test"))
    service.settle(steps=2, step_s=900)
    flagged = service.issue(order("attention-1"))
    assert flagged.status == 202
    assert flagged.body["attention"]["ours"]["total_twd"] == "2100"
    assert flagged.body["attention"]["theirs"]["total_twd"] == "1050"
    assert flagged.body["next_action"] == "ASK_A_PERSON"
    assert "retry-after" not in flagged.headers
    assert service.void(pending.body["id"]).body["code"] == "ATTENTION"
    assert service.reissue(pending.body["id"], BUYER).body["code"] == "ATTENTION"
    assert service.order("attention-1").body["attention"] == flagged.body["attention"]
    assert service.issue(order("attention-1", remark="x")).body["code"] == "ORDER_HAS_INVOICE"


def test_refused_by_the_centre(service):
    """422 with the invoice that was not issued; the same order, corrected, is issued."""
    with patch("einvoice.rules.issue.check", lambda *_, **__: []):  # so that the centre has something to refuse
        refused = service.issue(order("refused-1", total_twd=1051))
        assert (refused.status, refused.body["code"]) == (422, "AMOUNT_MISMATCH")
        assert refused.body["invoice"]["state"] == refused.body["state"] == "REFUSED"
        assert refused.body["invoice"]["refusal"]["raw_code"]
        again = service.issue(order("refused-1", total_twd=1051))
        assert again.body["code"] == "AMOUNT_MISMATCH"
    assert service.invoice(refused.body["id"]).body["state"] == "REFUSED"
    assert service.void(refused.body["id"]).body["code"] == "NOTHING_TO_VOID"
    assert service.print_link(refused.body["id"]).body["code"] == "NOT_PRINTABLE"
    service.order("refused-1")
    assert service.issue(order("refused-1")).status == 201


def test_waiting_for_numbers(service):
    """Without numbers an order waits, and a reissue is refused before anything is touched."""
    living = issued(service, "numbers-0")
    service.sim.fault("exhausted", op="issue")
    waiting = service.issue(order("numbers-1"))
    assert (waiting.status, waiting.body["state"], waiting.body["next_action"]) == (202, "WAITING", "ADD_NUMBERS")
    assert waiting.body["refusal"]["cause"] == "NUMBER_EXHAUSTED"
    service.order("numbers-1")
    service.settle(steps=1, step_s=900)
    service.sim.fault("http_500_before", op="getgovinvoicewordsetting")
    service.sim.fault("http_500_before", op="getinvoicewordsetting")
    unknown = service.reissue(living, BUYER)
    service.sim.clear_faults()
    assert (unknown.status, unknown.body["code"]) == (503, "NUMBERS_UNKNOWN")


def test_void(service):
    """201 now, 200 before; both say void, and so does every later reading of it."""
    one = issued(service, "void-1")
    now, again = service.void(one), service.void(one)
    assert (now.status, again.status) == (201, 200)
    assert now.body["state"] == again.body["state"] == "VOIDED"
    assert now.body["void"]["reason"] == "訂單取消"
    assert service.issue(order("void-1")).body["state"] == "VOIDED"
    assert service.invoice(one).body["void"]["at"].endswith("+08:00")
    assert service.void(one, "").body["code"] == "INVALID_REQUEST"
    service.order("void-1")


def test_void_that_nobody_is_sure_of(service):
    """202 while it is being voided; a repeat does not say more than is known, and 201 once it is."""
    one = issued(service, "voiding-1")
    service.sim.fault("drop_after", op="invalid")
    service.sim.fault("http_500_before", op="getissue", times=2)
    pending, again = service.void(one), service.void(one)
    assert (pending.status, pending.body["state"]) == (202, "VOIDING")
    assert (again.status, again.body["state"]) == (202, "VOIDING")
    service.order("voiding-1")
    known = service.void(one)
    assert (known.status, known.body["state"]) == (201, "VOIDED")


def test_reissue_keeps_every_generation_readable(service):
    """New, repeated, again; every old generation reads like a current one, and an old one is not replaced again."""
    first = issued(service, "reissue-1")
    done = service.reissue(first, BUYER)
    assert (done.status, done.body["generation"], done.body["replaces"]) == (201, 2, first)
    assert service.reissue(first, BUYER).status == 200
    assert service.reissue(first, {"reason": "x", "corrections": {"remark": "y"}}).body["code"] == "OLD_GENERATION"
    second = done.body["id"]
    unlawful = service.reissue(second, {"reason": "x", "corrections": {"buyer": None, "total_twd": 1}})
    assert (unlawful.status, unlawful.body["code"]) == (422, "INVALID_REQUEST")
    assert service.order("reissue-1").body["log"][-1]["cause"] == "CONTACT_REQUIRED, SUM_MISMATCH"
    assert service.reissue(second, {"reason": "x"}).body["code"] == "ORDER_HAS_VALID_INVOICE"
    same = service.reissue(second, {"reason": "x", "corrections": {"print": None}})
    assert same.status == 409
    old = service.invoice(first).body
    assert (old["state"], old["replaced_by"], old["next_action"]) == ("VOIDED", second, None)
    assert set(old) == set(service.invoice(second).body)
    assert service.void(first).status == 200
    assert service.print_link(first).body["code"] == "NOT_PRINTABLE"
    assert [one["generation"] for one in service.order("reissue-1").body["invoices"]] == [1, 2]
    service.void(second)
    assert service.reissue(second, {"reason": "再開"}).status == 201


def test_reissue_that_nobody_is_sure_of(service):
    """202 while the old one is being voided, and while the new one is on its way."""
    for order_id, op in (("reissuing-1", "invalid"), ("reissuing-2", "issue")):
        one = issued(service, order_id)
        service.sim.fault("drop_after", op=op)
        service.sim.fault("http_500_before", op="getissue")
        pending = service.reissue(one, BUYER)
        assert pending.status == 202
        service.order(order_id)
        assert service.reissue(one, BUYER).status in {200, 202}
        service.settle(steps=2, step_s=1300)
        assert service.invoice(pending.body["id"]).status == 200
        service.order(order_id)


def test_reissue_under_the_same_number(service):
    """The number lives on: the replaced content is an entry of its own, with the same id."""
    first = issued(service, "same-1")
    done = service.reissue(first, BUYER | {"mode": "same_number"})
    assert (done.status, done.body["id"]) == (201, first)
    replaced, current = service.order("same-1").body["invoices"]
    assert (replaced["state"], current["state"]) == ("REPLACED_SAME_NUMBER", "ISSUED")
    assert replaced["id"] == replaced["replaced_by"] == current["id"]


def test_print(service):
    """200 with a link on paper; 422 on a carrier, in the centre's words; 503 where the centre does not answer."""
    assert service.print_link(issued(service, "print-0")).status == 422
    one = service.issue(company("print-1")).body["id"]
    assert service.print_link(one).status == 200
    service.sim.fault("http_500_before", op="invoiceprint")
    down = service.print_link(one)
    service.sim.clear_faults()
    assert (down.status, down.body["code"]) == (503, "PRINT_UNAVAILABLE")


def test_not_found_is_the_same_for_every_reason(service):
    """404 for ids of nobody, of another merchant, of no form, and longer than any."""
    issued(service, "mine-1")
    ids = ["zz", "", invoice_id(OrderKey("x", "api", "none"), 1), invoice_id(OrderKey("x", "api", "l" * 3000), 1)]
    answers = [ask(one) for one in ids for ask in (service.invoice, service.void, service.print_link)]
    answers += [service.reissue(one, BUYER) for one in ids]
    answers += [service.order("none"), service.order("none", source="NOT A SOURCE"), service.order("")]
    assert {(answer.status, answer.body["code"]) for answer in answers} == {(404, "NOT_FOUND")}


def test_cancelled_before_it_was_asked_for(service):
    """An order of which only a cancellation is known has no invoice; its issue is 409."""
    assert service.messages("void", {"command": "void", "order_id": "wish-1", "reason": "取消"}) == []
    read = service.order("wish-1").body
    assert (read["state"], read["invoices"], read["want"]["kind"]) == ("WANTED", [], "cancelled")
    assert service.issue(order("wish-1")).body["code"] == "ORDER_CANCELLED"
    assert service.invoice(invoice_id(OrderKey("x", "api", "wish-1"), 1)).status == 404


def test_refused_by_rules_on_the_queue(service):
    """What the rules refuse on the queue is kept and reads as documented, however little of it there is."""
    assert service.messages("issue", {"command": "issue", **order("rules-1", lines=[], total_twd=0)}) == []
    read = service.order("rules-1").body
    assert read["invoices"][0]["refusal"]["cause"] == "RULES"
    assert service.invoice(read["invoices"][0]["id"]).body["next_action"] == "FIX_REQUEST"


@pytest.mark.parametrize("body", ["", "[]", "{", "null", '{"lines": [}', '{"a": NaN}', "x" * 300_000])
def test_unreadable_bodies(service, body):
    """422, or 413 for one that is too large; never anything else."""
    one = invoice_id(OrderKey("x", "api", "none"), 1)
    for answer in (service.issue(body), service.call("void", VOID, body, path={"id": one})):
        assert answer.status == (413 if len(body) > 262_144 else 422)


@pytest.mark.parametrize(
    "body",
    [
        '{"\\ud800": 1}',
        '{"order_id": "\\ud800"}',
        '{"total_twd": 1e99999999999999999999}',
        '{"order_id": 1, "total_twd": "1", "lines": [{"quantity": "２", "unit_price_twd": "1_0"}]}',
    ],
)
def test_strange_bodies(service, body):
    """422 that can be written as UTF-8, with a path for every part."""
    answer = service.issue(body)
    assert (answer.status, answer.body["code"]) == (422, "INVALID_REQUEST")


@pytest.mark.parametrize("route", ROUTES)
def test_who_may(service, route):
    """401 without a merchant, 403 with every scope but the one the document names, neither with that one alone."""
    function = ROUTES[route]
    (needed,) = operation(route)["security"][0]["ApiKey"]
    others = " ".join({"invoices:read", "invoices:write", "invoices:void", "invoices:reissue"} - {needed})
    path = {"id": "zz", "source": "api", "order_id": "none"}
    assert service.call(function, route, "{}", path=path, merchant="").status == 401
    assert service.call(function, route, "{}", path=path, scopes=others).status == 403
    assert service.call(function, route, "{}", path=path, scopes=needed).status in {404, 422}


@pytest.mark.parametrize("route", ROUTES)
def test_the_ledger_cannot_be_reached(service, route):
    """503 with our code: nothing was sent."""
    path = {"id": invoice_id(OrderKey("x", "api", "down-1"), 1), "source": "api", "order_id": "down-1"}
    body = {"issueInvoice": order("down-1"), "voidInvoice": {"reason": "x"}}.get(operation(route)["operationId"], BUYER)
    with ExitStack() as broken:
        for call in ("create", "read", "begin"):
            broken.enter_context(patch.object(DynamoStore, call, _down))
        answer = service.call(ROUTES[route], route, body, path=path)
    assert (answer.status, answer.body["code"]) == (503, "LEDGER_UNAVAILABLE")


@pytest.mark.parametrize("route", ROUTES)
def test_a_bug_is_told_as_unknown(service, route):
    """500 with a code, and nothing of what went wrong."""
    with patch.object(wiring, "ports", lambda: 1 / 0):
        answer = service.call(ROUTES[route], route, "{}")
    assert (answer.status, answer.body["code"]) == (500, "UNEXPECTED")


def test_a_merchant_that_cannot_be_used(service):
    """503 with what is wrong with its settings."""
    answer = service.call("issue", "POST /v1/invoices", order("m-1"), merchant="no-such-shop")
    assert (answer.status, answer.body["code"]) == (503, "MERCHANT_UNUSABLE")
    assert answer.body["cause"] == "UNKNOWN_MERCHANT"


def test_health():
    """Open, and as documented."""
    answer = load("orders").handler({"routeKey": "GET /v1/health"}, None)
    hold("GET /v1/health", Response(answer["statusCode"], json.loads(answer["body"]), answer["headers"]))


def _down(*_: object, **__: object) -> None:
    raise StoreUnavailable("test")
