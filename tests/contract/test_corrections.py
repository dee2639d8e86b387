"""Corrections and allowances: every answer is one the published document names, and says what was reached."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import replace
from datetime import datetime
from unittest.mock import patch

import pytest

from einvoice import wiring
from einvoice.edge.http import work
from einvoice.errors import StoreUnavailable
from einvoice.identity import allowance_id, invoice_id
from einvoice.model import OrderKey
from einvoice.providers.base import Accepted
from einvoice.store.dynamodb import DynamoStore
from tests.contract.contract import hold, operation
from tests.service import MERCHANT, SCOPES, Context, Response, company, order

CORRECT = "POST /v1/orders/{source}/{order_id}/corrections"
FACTS = "PATCH /v1/orders/{source}/{order_id}/facts"
WITHDRAW = "DELETE /v1/orders/{source}/{order_id}/corrections/{id}"
FILING = "PUT /v1/filings/{period}"
ALLOW = "POST /v1/invoices/{id}/allowances"
VOID_ALLOWANCE = "POST /v1/allowances/{id}/void"
ALLOWANCE = "GET /v1/allowances/{id}"
CALLBACK = "POST /v1/callbacks/ecpay/{merchant_id}/{name}"
ROUTES = {
    CORRECT: "corrections",
    WITHDRAW: "corrections",
    FACTS: "corrections",
    FILING: "corrections",
    ALLOW: "allowance",
    VOID_ALLOWANCE: "allowance",
    ALLOWANCE: "orders",
}
BODIES = {
    CORRECT: {"goal": "cancel", "reason": "取消"},
    WITHDRAW: None,
    FACTS: {"consent": {}},
    FILING: {},
    ALLOW: {"reason": "退貨", "refund_id": "R-1", "amount_twd": 100},
    VOID_ALLOWANCE: {"reason": "折讓錯誤"},
    ALLOWANCE: None,
}
OF_AN_ORDER = [route for route in ROUTES if route != FILING]


def refund(refund_id="R-1", **wanted):
    """A correction whose goal is a refund."""
    return {"goal": "refund", "reason": "退貨", "refund_id": refund_id, "refund": wanted or {"amount_twd": 300}}


def void_elsewhere(head):
    """The invoice is void at the centre, by other hands than ours."""
    p = wiring.ports()
    call = p.call(work(p, Context(), "elsewhere"), 5)
    day = datetime.fromisoformat(head.issued_at).date()
    assert isinstance(p.centres.pinned(MERCHANT, head.centre).void(head.number, day, "後台作廢", call), Accepted)


def issued(service, order_id, **changes):
    """The id of an invoice issued now, its upload confirmed."""
    answer = service.issue(order(order_id, **changes))
    assert answer.status == 201
    service.confirm_now(order_id)
    return answer.body["id"]


def test_a_refund_is_made_once(service):
    """201, then 200 with the same allowance, over HTTP by either route; the order and the allowance read alike."""
    one = issued(service, "refund-1")
    first, again = service.correct("refund-1", refund()), service.correct("refund-1", refund())
    assert (first.status, again.status) == (201, 200)
    assert first.body == again.body
    assert first.headers["location"] == "/v1/orders/api/refund-1"
    (allowed,) = first.body["allowances"]
    assert (allowed["state"], allowed["amount_twd"], allowed["invoice"]) == ("LIVE", 300, one)
    read = service.call("orders", ALLOWANCE, None, path={"id": allowed["id"]})
    assert {name: value for name, value in read.body.items() if name != "lines"} == allowed
    assert sum(line["amount_twd"] for line in read.body["lines"]) == 300
    assert service.order("refund-1").body["allowances"] == [read.body]
    assert service.invoice(one).body["remaining_twd"] == 750
    assert len(service.sim.allowances()) >= 1


def test_one_refund_id_is_one_refund(service):
    """422 for the same id with another body; nothing is allowed by it."""
    issued(service, "refund-2")
    assert service.correct("refund-2", refund()).status == 201
    other = service.correct("refund-2", refund(amount_twd=301))
    assert (other.status, other.body["code"]) == (422, "REFUND_ID_REUSED")
    assert service.invoice(invoice_id(OrderKey(MERCHANT, "api", "refund-2"), 1)).body["remaining_twd"] == 750


def test_one_key_is_one_correction(service):
    """422 for the same Idempotency-Key with another body."""
    issued(service, "refund-3")
    assert service.correct("refund-3", refund(), **{"Idempotency-Key": "k"}).status == 201
    reused = service.correct("refund-3", refund("R-2"), **{"Idempotency-Key": "k"})
    assert reused.status == 422
    assert reused.body["code"] == "IDEMPOTENCY_KEY_REUSED"


def test_a_cumulative_sum_is_allowed_as_far_as_it_is_new(service):
    """300, then 450 allows 150; 450 and 300 again do nothing, and say so."""
    issued(service, "refund-4")
    sums = [
        service.correct("refund-4", refund(f"R-{n}", refunded_total_twd=total))
        for n, total in enumerate((300, 450, 450, 300))
    ]
    assert [answer.status for answer in sums] == [201, 201, 200, 200]
    assert [one["amount_twd"] for one in sums[-1].body["allowances"]] == [300, 150]
    assert {answer.body["correction"]["cause"] for answer in sums[2:]} == {"ALREADY_REFUNDED"}


def test_a_preview_changes_nothing(service):
    """200 with the way there, also where it would be refused; the order is as it was."""
    issued(service, "preview-1")
    before = service.head("preview-1")
    calls = len(service.sim.calls())
    for body in (
        {"goal": "refund", "reason": "退貨", "refund": {"amount_twd": 300}},
        {"goal": "cancel", "reason": "取消"},
        {"goal": "correct", "reason": "更正", "corrections": {"remark": "x"}, "evidence": {"consent": {"note": "x"}}},
        {"goal": "correct", "reason": "更正", "corrections": {"remark": "x"}, "mode": "same_number"},
        {"goal": "refund", "reason": "退貨", "refund": {"amount_twd": 1051}},
    ):
        preview = service.correct("preview-1", body | {"dry_run": True})
        assert (preview.status, preview.body["dry_run"]) == (200, True)
        assert preview.body["decision"]["next_step"]
    assert service.head("preview-1") == before
    writes = [one for one in service.sim.calls()[calls:] if one["op"].lower() in {"issue", "invalid", "allowance"}]
    assert writes == []


def test_what_the_rules_refuse_is_not_kept(service):
    """422 with the cause; the order has no plan by it."""
    issued(service, "refused-1")
    too_much = service.correct("refused-1", refund(amount_twd=1051))
    assert (too_much.status, too_much.body["code"]) == (422, "EXCEEDS_REMAINING")
    by_line = service.correct("refused-1", refund(lines=[{"line": 2, "quantity": 1}]))
    assert by_line.body["violations"][0]["path"] == "refund.lines[0].line"
    same = service.correct("refused-1", {"goal": "correct", "reason": "更正"})
    assert (same.status, same.body["code"]) == (409, "ORDER_HAS_VALID_INVOICE")
    assert service.order("refused-1").body["corrections"] == []


def test_cancel_and_correct(service):
    """Inside the period: a void, and a void with a new invoice; both are one plan with its decision."""
    one = issued(service, "cancel-1")
    done = service.correct("cancel-1", {"goal": "cancel", "reason": "取消"})
    assert (done.status, done.body["invoice"]["state"]) == (201, "VOIDED")
    assert done.body["correction"]["decision"]["do"] == "void"
    assert service.correct("cancel-1", {"goal": "cancel", "reason": "取消"}).status == 200
    assert service.allow(one, BODIES[ALLOW]).body["code"] == "ALREADY_VOIDED"
    issued(service, "correct-1")
    done = service.correct("correct-1", {"goal": "correct", "reason": "更正", "corrections": {"remark": "x"}})
    assert done.status in {201, 202}
    service.confirm_now("correct-1")
    service.settle(steps=3, step_s=300)
    read = service.order("correct-1").body
    assert [one["state"] for one in read["invoices"]] == ["VOIDED", "ISSUED"]
    assert read["corrections"][0]["status"] == "done"


def test_a_person_has_to_bring_something(service):
    """202 without Retry-After while consent is missing; recorded, the correction is done, and its consent is kept."""
    service.issue(company("consent-1"))
    service.confirm_now("consent-1")
    held = service.correct("consent-1", refund())
    assert (held.status, held.body["correction"]["waits_for"]) == (202, "CONSENT_NEEDED")
    assert "retry-after" not in held.headers
    done = service.record("consent-1", {"consent": {"note": "信件"}})
    assert done.status == 200
    (plan,) = done.body["corrections"]
    assert (plan["status"], plan["consent"]["note"]) == ("done", "信件")
    assert done.body["facts"] == {}
    kept = service.record("consent-1", {"paper_back": {"note": "掃描"}, "shipped_on": {"value": "2026-03-16"}})
    assert kept.body["facts"]["paper_back"]["at"].endswith("+08:00")
    assert set(service.record("consent-1", {"paper_back": None}).body["facts"]) == {"shipped_on"}


def test_a_correction_is_taken_back(service):
    """200 with the correction stopped, and again; its evidence opens nothing then. 409 once done, 404 for none."""
    service.issue(company("withdrawn-1"))
    service.confirm_now("withdrawn-1")
    assert service.correct("withdrawn-1", refund()).status == 202
    now, again = service.withdraw("withdrawn-1"), service.withdraw("withdrawn-1")
    assert (now.status, again.status) == (200, 200)
    assert (now.body["correction"]["status"], now.body["correction"]["cause"]) == ("stopped", "FORGOTTEN_BY_PERSON")
    assert again.body == now.body
    assert service.record("withdrawn-1", {"consent": {}}).body["allowances"] == []
    assert service.correct("withdrawn-1", refund()).status == 201
    done = service.withdraw("withdrawn-1", 2)
    assert (done.status, done.body["code"]) == (409, "CORRECTION_DONE")
    for text in ("3", "0", "01", "-1", "1.0", "\uff11", "x", "", "9" * 50):
        assert service.withdraw("withdrawn-1", text).status == 404


def test_what_is_under_way_is_not_taken_back(service):
    """409 with Retry-After while nobody knows what became of the allowance; it is made once, and stays."""
    one = issued(service, "withdrawn-2")
    service.sim.fault("drop_after", op="allowance")
    service.sim.fault("http_500_before", op="getallowancelist", times=2)
    assert service.allow(one, BODIES[ALLOW]).status == 202
    busy = service.withdraw("withdrawn-2")
    assert (busy.status, busy.body["code"]) == (409, "CORRECTION_IN_PROGRESS")
    assert busy.headers["retry-after"]
    service.sim.clear_faults()
    service.settle(steps=4, step_s=900)
    assert [made["state"] for made in service.order("withdrawn-2").body["allowances"]] == ["LIVE"]


@pytest.mark.parametrize("fault", ["drop_after", "http_500_before"])
def test_an_allowance_nobody_is_sure_of(service, fault):
    """202 with Retry-After, an open plan; nothing else is begun meanwhile; in the end there is exactly one."""
    order_id = f"unsure-{fault}"
    one = issued(service, order_id)
    service.sim.fault(fault, op="allowance")
    service.sim.fault("http_500_before", op="getallowancelist", times=2)
    pending = service.allow(one, BODIES[ALLOW])
    assert (pending.status, pending.body["correction"]["status"]) == (202, "open")
    assert pending.headers["retry-after"]
    assert service.allow(one, BODIES[ALLOW]).status == 202
    assert service.void(one).status == 409
    service.order(order_id)
    service.sim.clear_faults()
    service.settle(steps=4, step_s=900)
    read = service.order(order_id).body
    assert [made["state"] for made in read["allowances"]] == ["LIVE"]
    assert service.allow(one, BODIES[ALLOW]).status == 200


def test_a_centre_that_refuses_stops_the_plan(service):
    """422 with the plan, the order and its allowances as they stand, in the centre's words."""
    one = issued(service, "stopped-1")
    void_elsewhere(service.head("stopped-1"))
    stopped = service.allow(one, BODIES[ALLOW])
    assert stopped.status == 422
    assert stopped.body["code"] == "INVOICE_VOID"
    assert stopped.body["correction"]["status"] == "stopped"
    assert [made["state"] for made in stopped.body["allowances"]] == ["REFUSED"]
    assert service.order("stopped-1").body["corrections"][0]["cause"] == "INVOICE_VOID"


def test_void_an_allowance(service):
    """201 now, 200 before; the sum belongs to the invoice again, and the allowance says void."""
    one = issued(service, "undo-1")
    made = service.allow(one, BODIES[ALLOW]).body["allowances"][0]["id"]
    service.confirm_now("undo-1")
    now, again = service.void_allowance(made), service.void_allowance(made)
    assert (now.status, again.status) == (201, 200)
    assert now.body["allowances"][0]["state"] == "VOIDED"
    assert now.body["allowances"][0]["void"]["reason"] == "折讓錯誤"
    assert now.body["invoice"]["remaining_twd"] == 1050
    assert service.order("undo-1").body["corrections"][-1]["goal"] == "void_allowance"


def test_an_old_invoice_is_not_allowed(service):
    """409: what names a replaced invoice takes nothing from the one that replaced it."""
    one = issued(service, "old-1")
    assert service.reissue(one, {"reason": "更正", "corrections": {"remark": "x"}}).status == 201
    late = service.allow(one, BODIES[ALLOW])
    assert (late.status, late.body["code"]) == (409, "OLD_GENERATION")
    assert service.order("old-1").body["allowances"] == []


def test_a_filed_period(service):
    """200 and the first answer stays."""
    first = service.file("11502", {"filed_at": "2026-03-10T17:00:00+08:00"})
    assert (first.status, first.body["filed_at"]) == (200, "2026-03-10T17:00:00+08:00")
    assert service.file("11502").body == first.body


@pytest.mark.parametrize(
    ("period", "body", "code"),
    [
        ("11504", {}, "PERIOD_NOT_OVER"),  # the one that runs
        ("11506", {}, "PERIOD_NOT_OVER"),
        ("99912", {}, "PERIOD_NOT_OVER"),
        ("11501", {}, "BAD_PERIOD"),  # this merchant does not file monthly
        ("11500", {}, "BAD_PERIOD"),
        ("2026-02", {}, "BAD_PERIOD"),
        ("１１５０２", {}, "BAD_PERIOD"),
        ("", {}, "BAD_PERIOD"),
        ("11412", {"filed_at": "2099-01-01T00:00:00+08:00"}, "BAD_INSTANT"),  # still to come
        ("11412", {"filed_at": "2025-12-31T23:59:59+08:00"}, "BAD_INSTANT"),  # before it was over
        ("11412", {"filed_at": "2026-01-10T10:00:00"}, "BAD_INSTANT"),
        ("11412", {"filed_at": "0001-01-01T00:00:00+23:59"}, "BAD_INSTANT"),
        ("11412", {"filed_at": "9999-12-31T23:59:59-23:59"}, "BAD_INSTANT"),
        ("11412", {"filed_at": "yesterday"}, "BAD_INSTANT"),
        ("11412", {"filed_at": 20260110}, "WRONG_TYPE"),
        ("11412", {"filed": True}, "UNKNOWN_FIELD"),
    ],
)
def test_what_cannot_have_been_filed(service, period, body, code):
    """422 with the reason; nothing is marked."""
    answer = service.file(period, body)
    assert answer.status == 422
    assert [one["code"] for one in answer.body["violations"]] == [code]
    assert wiring.ports().store.filed_at(MERCHANT, period or "x") is None


def test_monthly_filers_name_a_month(service):
    """The month that ended can be filed, the one that runs cannot."""
    centres = wiring.ports().centres
    monthly = replace(centres.profile(MERCHANT), filing="monthly")
    with patch.object(type(centres), "profile", return_value=monthly):
        assert service.file("11501").status == 200
        assert service.file("11503").body["violations"][0]["code"] == "PERIOD_NOT_OVER"


def test_what_closes_soon(service):
    """200, page by page, with an allowance among them; 422 for parameters that cannot be read."""
    one = issued(service, "closing-1")
    assert service.allow(one, BODIES[ALLOW]).status == 201
    cursor: dict[str, str] = {}
    found = []
    for _ in range(60):
        page = service.call("orders", "GET /v1/deadlines", None, query={"within": "62d", "limit": "3"} | cursor).body
        found += page["deadlines"]
        if page["next"] is None:
            break
        cursor = {"cursor": page["next"]}
    assert page["next"] is None
    mine = {line["document"] for line in found if line["invoice_id"] == one}
    assert mine == {"invoice", "allowance"}
    assert any(line["allowance_id"] for line in found)
    wrong = service.call("orders", "GET /v1/deadlines", None, query={"within": "x", "limit": "0", "cursor": "y"})
    assert len(wrong.body["violations"]) == 3


def paths(order_id, n=1):
    """What every route's path may need."""
    key = OrderKey("x", "api", order_id)
    return {"source": "api", "order_id": order_id, "period": "11502"}, invoice_id(key, 1), allowance_id(key, n)


def asked(service, route, order_id="none", **request):
    """A route with a body that is good, about one order."""
    path, invoice, allowance = paths(order_id)
    path["id"] = {ALLOW: invoice, WITHDRAW: "1"}.get(route, allowance)
    return service.call(ROUTES[route], route, BODIES[route], path=path, **request)


@pytest.mark.parametrize("route", OF_AN_ORDER)
def test_another_merchants_is_as_one_that_never_was(service, route):
    """404 with the very same answer, also after the other merchant's own order of that name; nothing changes."""
    mine = f"mine-{OF_AN_ORDER.index(route)}"
    made = issued(service, mine)
    assert service.allow(made, BODIES[ALLOW]).status == 201
    before = service.head(mine)
    foreign = asked(service, route, mine, merchant="other-shop")
    never = asked(service, route, "never-was", merchant="other-shop")
    assert (foreign.status, foreign.body) == (never.status, never.body) == (404, never.body)
    assert service.head(mine) == before


def test_ids_of_no_form_are_not_found(service):
    """404 for what no order, invoice or allowance can be called, and for one kind of id where another belongs."""
    one = issued(service, "forms-1")
    made = service.allow(one, BODIES[ALLOW]).body["allowances"][0]["id"]
    for text in ("", "zz", one, made + "A", allowance_id(OrderKey("x", "api", "forms-1"), 2), "é" * 3000):
        assert service.void_allowance(text).status == 404
        assert service.call("orders", ALLOWANCE, None, path={"id": text}).status == 404
    for text in ("", "zz", made):
        assert service.allow(text, BODIES[ALLOW]).status == 404
    for source, order_id in (("NO SOURCE", "forms-1"), ("api", ""), ("api", "x" * 300), ("web", "forms-1")):
        assert service.correct(order_id, BODIES[CORRECT], source=source).status == 404
        assert service.record(order_id, BODIES[FACTS], source=source).status == 404


@pytest.mark.parametrize("route", ROUTES)
def test_who_may(service, route):
    """401 without a merchant, 403 with every scope but the one the document names, neither with that one alone."""
    (needed,) = operation(route)["security"][0]["ApiKey"]
    others = " ".join(set(SCOPES.split()) - {needed})
    assert asked(service, route, merchant="").status == 401
    assert asked(service, route, scopes=others).body["code"] == "SCOPE_MISSING"
    assert asked(service, route, scopes=needed).status in {200, 404}


@pytest.mark.parametrize("route", ROUTES)
def test_the_ledger_cannot_be_reached(service, route):
    """503 with our code: nothing was sent."""
    with ExitStack() as broken:
        for call in ("read", "replace", "mark_filed"):
            broken.enter_context(patch.object(DynamoStore, call, side_effect=StoreUnavailable("test")))
        answer = asked(service, route)
    assert (answer.status, answer.body["code"]) == (503, "LEDGER_UNAVAILABLE")


@pytest.mark.parametrize("route", ROUTES)
def test_a_bug_is_told_as_unknown(service, route):
    """500 with a code, and nothing of what went wrong."""
    with patch.object(wiring, "ports", lambda: 1 / 0):
        assert asked(service, route).body["code"] == "UNEXPECTED"


@pytest.mark.parametrize("route", [route for route in ROUTES if BODIES[route] is not None])
@pytest.mark.parametrize("body", ["[]", "{", "null", '{"a": NaN}', '{"a": 1, "a": 1}', "x" * 300_000])
def test_unreadable_bodies(service, route, body):
    """422, or 413 for one that is too large; never anything else."""
    with patch.dict(BODIES, {route: body}):
        answer = asked(service, route)
    assert answer.status == (413 if len(body) > 262_144 else 422)


def test_a_full_order_still_answers_a_repeat(service):
    """A refund that was made is told as made when the order takes no further correction; a new one is 422."""
    one = issued(service, "full-1")
    assert service.allow(one, BODIES[ALLOW]).status == 201
    with patch("einvoice.application.plans.MAX_KEPT", 1):
        assert service.allow(one, BODIES[ALLOW]).status == 200
        full = service.allow(one, BODIES[ALLOW] | {"refund_id": "R-2"})
    assert (full.status, full.body["code"]) == (422, "TOO_MANY_CORRECTIONS")


def test_callback_of_nobody(service):
    """400 in the centre's own words, as documented."""
    answer = service.callback("nobody", "RtnCode=1")
    hold(CALLBACK, Response(answer["statusCode"], answer["body"], answer["headers"]))
    assert answer["statusCode"] == 400
