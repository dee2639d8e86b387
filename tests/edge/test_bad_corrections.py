"""Whatever is sent in to correct an order: a problem that names every violation, and nothing left behind."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from typing import Any

import pytest

from einvoice import wiring
from einvoice.identity import allowance_name, invoice_id
from einvoice.model import OrderKey
from tests.service import MERCHANT, Context, Response, Service, company, load, order, running

NOW = "2026-03-20T10:00:00+08:00"
KEY = OrderKey(MERCHANT, "api", "wrong")
ROUTE = "POST /v1/orders/{source}/{order_id}/corrections"
REFUND: dict[str, Any] = {"goal": "refund", "reason": "退貨", "refund_id": "R-1", "refund": {"amount_twd": 100}}
ALLOW: dict[str, Any] = {"reason": "退貨", "refund_id": "R-1", "amount_twd": 100}
CORRECT: dict[str, Any] = {"goal": "correct", "reason": "更正", "corrections": {"remark": "x"}}
GONE = object()


@pytest.fixture(scope="module")
def service() -> Iterator[Service]:
    """One service with one order that nothing here may change."""
    with running(now=NOW) as made:
        assert made.issue(order("wrong")).status == 201
        made.confirm_now("wrong")
        yield made


def changed(body: dict[str, Any], change: dict[str, Any]) -> dict[str, Any]:
    """The body with some fields changed or gone."""
    return {name: value for name, value in {**body, **change}.items() if value is not GONE}


def refused(service: Service, answer: Response, code: str, path: str) -> None:
    """422 with this violation, nothing stored."""
    assert (answer.status, answer.body["code"]) == (422, "INVALID_REQUEST"), answer.body
    named = {(one["code"], one["path"]) for one in answer.body["violations"]}
    assert (code, path) in named
    assert all(one["message"] for one in answer.body["violations"])
    head = service.head("wrong")
    assert (head.plans, head.allowances, head.facts) == ([], [], {})


HUGE = 10**40
BAD_IDS = [
    ("", "REQUIRED"),
    (" ", "BAD_FORMAT"),
    (" R-1", "BAD_FORMAT"),
    ("R-1 ", "BAD_FORMAT"),
    ("R-1\n", "BAD_FORMAT"),
    ("\u3000R-1", "BAD_FORMAT"),
    ("R-1\u00a0", "BAD_FORMAT"),
    ("R\u0000", "BAD_FORMAT"),
    ("R\t1", "BAD_FORMAT"),
    ("R\u00851", "BAD_FORMAT"),
    ("x" * 101, "TOO_LONG"),
    (7, "WRONG_TYPE"),
    (["R-1"], "WRONG_TYPE"),
]
#: what is wrong with a refund's way, as ``refund`` of a correction and at the top of an allowance
BAD_WAYS = [
    ({}, "ONE_WAY", ""),
    ({"amount_twd": None}, "ONE_WAY", ""),
    ({"amount_twd": 1, "refunded_total_twd": 1}, "ONE_WAY", ""),
    ({"amount_twd": 1, "lines": []}, "ONE_WAY", ""),
    ({"amount_twd": "100"}, "WRONG_TYPE", "amount_twd"),
    ({"amount_twd": 100.5}, "WRONG_TYPE", "amount_twd"),
    ({"amount_twd": True}, "WRONG_TYPE", "amount_twd"),
    ({"refunded_total_twd": "x"}, "WRONG_TYPE", "refunded_total_twd"),
    ({"refunded_total_twd": -1}, "TOO_SMALL", "refunded_total_twd"),
    ({"refunded_total_twd": -HUGE}, "TOO_SMALL", "refunded_total_twd"),
    ({"refunded_total_twd": HUGE}, "EXCEEDS_REMAINING", "refunded_total_twd"),
    ({"lines": {}}, "WRONG_TYPE", "lines"),
    ({"lines": [1]}, "WRONG_TYPE", "lines[0]"),
    ({"lines": [{}]}, "REQUIRED", "lines[0].line"),
    ({"lines": [{"line": 1}]}, "ONE_WAY", "lines[0]"),
    ({"lines": [{"line": 1, "quantity": 1, "amount_twd": 1}]}, "ONE_WAY", "lines[0]"),
    ({"lines": [{"line": "1", "quantity": 1}]}, "WRONG_TYPE", "lines[0].line"),
    ({"lines": [{"line": 1, "quantity": 1, "sku": "x"}]}, "UNKNOWN_FIELD", "lines[0].sku"),
    ({"lines": [{"line": 1, "quantity": "1e0"}]}, "NOT_A_NUMBER", "lines[0].quantity"),
    ({"lines": [{"line": 1, "quantity": "NaN"}]}, "NOT_A_NUMBER", "lines[0].quantity"),
    ({"lines": [{"line": 1, "quantity": True}]}, "NOT_A_NUMBER", "lines[0].quantity"),
    ({"lines": [{"line": 1, "quantity": "１"}]}, "NOT_A_NUMBER", "lines[0].quantity"),
    ({"lines": [{"line": 1, "quantity": HUGE * 10}]}, "NOT_A_NUMBER", "lines[0].quantity"),
    ({"lines": [{"line": 1, "quantity": 0}]}, "BAD_QUANTITY", "lines[0].quantity"),
    ({"lines": [{"line": 1, "quantity": "-1"}]}, "BAD_QUANTITY", "lines[0].quantity"),
    ({"lines": [{"line": 1, "quantity": "0.00000001"}]}, "BAD_QUANTITY", "lines[0].quantity"),
    ({"lines": [{"line": 1, "quantity": 3}]}, "EXCEEDS_QUANTITY", "lines[0].quantity"),
    ({"lines": [{"line": 1, "amount_twd": 0}]}, "BAD_AMOUNT", "lines[0].amount_twd"),
    ({"lines": [{"line": 1, "amount_twd": -5}]}, "BAD_AMOUNT", "lines[0].amount_twd"),
    ({"lines": [{"line": 1, "amount_twd": 1051}]}, "EXCEEDS_LINE", "lines[0].amount_twd"),
    ({"lines": [{"line": 0, "quantity": 1}]}, "NO_SUCH_LINE", "lines[0].line"),
    ({"lines": [{"line": -1, "quantity": 1}]}, "NO_SUCH_LINE", "lines[0].line"),
    ({"lines": [{"line": HUGE, "quantity": 1}]}, "NO_SUCH_LINE", "lines[0].line"),
]
BAD_EVIDENCE = [
    ({"evidence": None}, "WRONG_TYPE", "evidence"),
    ({"evidence": {"consent": True}}, "WRONG_TYPE", "evidence.consent"),
    ({"evidence": {"consent": {"note": 1}}}, "WRONG_TYPE", "evidence.consent.note"),
    ({"evidence": {"consent": {"note": "x" * 201}}}, "TOO_LONG", "evidence.consent.note"),
    ({"evidence": {"consent": {"value": "x"}}}, "UNKNOWN_FIELD", "evidence.consent.value"),
    ({"evidence": {"agreed": {}}}, "UNKNOWN_FIELD", "evidence.agreed"),
    ({"evidence": {"approval_no": {}}}, "REQUIRED", "evidence.approval_no.value"),
    ({"evidence": {"approval_no": {"value": ""}}}, "REQUIRED", "evidence.approval_no.value"),
    ({"evidence": {"approval_no": {"value": " "}}}, "BAD_FORMAT", "evidence.approval_no.value"),
    ({"evidence": {"approval_no": {"value": "x" * 61}}}, "TOO_LONG", "evidence.approval_no.value"),
    ({"evidence": {"paid_on": {"value": "2026-02-30"}}}, "BAD_DAY", "evidence.paid_on.value"),
    ({"evidence": {"paid_on": {"value": "20260301"}}}, "BAD_DAY", "evidence.paid_on.value"),
    ({"evidence": {"shipped_on": {"value": ""}}}, "BAD_DAY", "evidence.shipped_on.value"),
    ({"evidence": {"shipped_on": {"value": 20260301}}}, "WRONG_TYPE", "evidence.shipped_on.value"),
]
BAD_EMAILS = ["x", "a@b", "a@example.com, b@example.com", "買家@example.com", "a b@example.com", "<a@example.com>", " "]
BAD_WISHES = [
    ({"goal": GONE}, "REQUIRED", "goal"),
    ({"goal": "void"}, "NOT_ALLOWED", "goal"),
    ({"goal": "void_allowance"}, "NOT_ALLOWED", "goal"),
    ({"reason": GONE}, "REQUIRED", "reason"),
    ({"reason": None}, "WRONG_TYPE", "reason"),
    ({"reason": " "}, "TEXT_MISSING", "reason"),
    ({"reason": "字" * 21}, "TEXT_TOO_LONG", "reason"),
    ({"reason": "退\u0007"}, "TEXT_CONTROL_CHARACTER", "reason"),
    ({"refund": GONE}, "REFUND_MISSING", "refund"),
    ({"refund": None}, "REFUND_MISSING", "refund"),
    ({"refund": 100}, "WRONG_TYPE", "refund"),
    ({"refund": {"amount_twd": 1, "currency": "TWD"}}, "UNKNOWN_FIELD", "refund.currency"),
    ({"refund_id": GONE}, "REFUND_ID_MISSING", "refund_id"),
    ({"refund_id": None}, "REFUND_ID_MISSING", "refund_id"),
    ({"dry_run": "true"}, "WRONG_TYPE", "dry_run"),
    ({"mode": "other"}, "NOT_ALLOWED", "mode"),
    ({"mode": "same_number"}, "OTHER_GOAL", "mode"),
    ({"order_total_twd": 950}, "OTHER_GOAL", "order_total_twd"),
    ({"corrections": {"remark": "x"}}, "OTHER_GOAL", "corrections"),
    ({"goal": "cancel"}, "OTHER_GOAL", "refund"),
    ({"goal": "correct"}, "OTHER_GOAL", "refund"),
    ({"merchant_id": "other-shop"}, "UNKNOWN_FIELD", "merchant_id"),
    ({"amount_twd": 100}, "UNKNOWN_FIELD", "amount_twd"),
    *BAD_EVIDENCE,
]


@pytest.mark.parametrize(("change", "code", "path"), BAD_WISHES)
def test_every_wrong_part_of_a_correction_is_named(
    service: Service, change: dict[str, Any], code: str, path: str
) -> None:
    """422 with the path and a stable code; nothing is stored."""
    refused(service, service.correct("wrong", changed(REFUND, change)), code, path)


@pytest.mark.parametrize(
    ("change", "code", "path"),
    [
        ({"corrections": {"total_twd": None}}, "REQUIRED", "corrections.total_twd"),
        ({"corrections": {"order_id": "x"}}, "UNKNOWN_FIELD", "corrections.order_id"),
        ({"corrections": {"lines": [{}]}}, "REQUIRED", "corrections.lines[0].name"),
        ({"corrections": None}, "WRONG_TYPE", "corrections"),
        ({"corrections": {"total_twd": HUGE}}, "NUMBER_TOO_LARGE", "corrections.total_twd"),
        ({"corrections": {"buyer": {"email": "x"}}}, "EMAIL_FORM", "corrections.buyer.email"),
        ({"order_total_twd": "1050"}, "WRONG_TYPE", "order_total_twd"),
        ({"order_total_twd": 0}, "TOO_SMALL", "order_total_twd"),
        ({"order_total_twd": -HUGE}, "TOO_SMALL", "order_total_twd"),
        ({"refund": {}}, "ONE_WAY", "refund"),
    ],
)
def test_what_cannot_be_the_new_content_is_named(service: Service, change: Any, code: str, path: str) -> None:
    """422 with the path; the invoice lives on as it was."""
    refused(service, service.correct("wrong", changed(CORRECT, change)), code, path)
    assert len(service.living("wrong")) == 1


@pytest.mark.parametrize(("way", "code", "path"), BAD_WAYS)
def test_a_refunds_way_is_checked_alike_by_both_routes(
    service: Service, way: dict[str, Any], code: str, path: str
) -> None:
    """The same violation, at its place in the body that was sent; a preview refuses it too."""
    one = invoice_id(KEY, 1)
    there = f"refund.{path}".removesuffix(".")
    refused(service, service.correct("wrong", changed(REFUND, {"refund": way})), code, there)
    refused(service, service.correct("wrong", changed(REFUND, {"refund": way, "dry_run": True})), code, there)
    refused(service, service.allow(one, changed(ALLOW, {"amount_twd": GONE} | way)), code, path)


@pytest.mark.parametrize("amount", [0, -1, 1051, HUGE, -HUGE])
def test_a_sum_that_is_not_there_is_refused(service: Service, amount: int) -> None:
    """422 by the rules' own code: no sum, or more than the invoice has."""
    code = "BAD_AMOUNT" if amount <= 0 else "EXCEEDS_REMAINING"
    for answer in (
        service.correct("wrong", changed(REFUND, {"refund": {"amount_twd": amount}})),
        service.allow(invoice_id(KEY, 1), changed(ALLOW, {"amount_twd": amount})),
    ):
        assert (answer.status, answer.body["code"]) == (422, code)
    assert service.head("wrong").plans == []


@pytest.mark.parametrize(("refund_id", "code"), BAD_IDS)
def test_a_refund_id_is_taken_as_it_is_or_not_at_all(service: Service, refund_id: Any, code: str) -> None:
    """Never trimmed: what two systems could write differently would be two refunds."""
    refused(service, service.correct("wrong", changed(REFUND, {"refund_id": refund_id})), code, "refund_id")
    refused(service, service.allow(invoice_id(KEY, 1), changed(ALLOW, {"refund_id": refund_id})), code, "refund_id")


@pytest.mark.parametrize("email", BAD_EMAILS)
def test_who_is_asked_online_has_an_address(service: Service, email: str) -> None:
    """Refused before anything is stored, by both routes, in a preview and for every goal."""
    for body in (REFUND, REFUND | {"dry_run": True}, CORRECT, {"goal": "cancel", "reason": "取消"}):
        refused(service, service.correct("wrong", body | {"online_email": email}), "EMAIL_FORM", "online_email")
    refused(service, service.allow(invoice_id(KEY, 1), ALLOW | {"online_email": email}), "EMAIL_FORM", "online_email")


@pytest.mark.parametrize(("change", "code", "path"), BAD_EVIDENCE)
def test_facts_are_checked_alike_wherever_they_come(service: Service, change: Any, code: str, path: str) -> None:
    """With an allowance, and by themselves."""
    refused(service, service.allow(invoice_id(KEY, 1), ALLOW | change), code, path)
    if change["evidence"] is not None:
        refused(service, service.record("wrong", change["evidence"]), code, path.removeprefix("evidence."))


@pytest.mark.parametrize(
    "old_new",
    [
        ('"amount_twd": 100', '"amount_twd": NaN'),
        ('"amount_twd": 100', '"amount_twd": -Infinity'),
        ('"amount_twd": 100', '"amount_twd": 100, "amount_twd": 1'),
        ('"refund_id": "R-1"', '"refund_id": "R-1", "refund_id": "R-2"'),
        ('"refund_id": "R-1"', '"refund_id": "\ud800"'),
        ('"amount_twd": 100', '"amount_twd": ' + "9" * 5000),
    ],
)
def test_what_has_no_one_meaning_is_not_read(service: Service, old_new: tuple[str, str]) -> None:
    """422 NOT_JSON, by both routes."""
    for body, send in (
        (REFUND, lambda text: service.correct("wrong", text)),
        (ALLOW, lambda text: service.allow(invoice_id(KEY, 1), text)),
    ):
        text = json.dumps(body, ensure_ascii=False)
        assert text.count(old_new[0]) == 1
        refused(service, send(text.replace(*old_new)), "NOT_JSON", "")


def test_facts_of_another_merchants_order_are_not_recorded(service: Service) -> None:
    """404 as for an order that never was, and nothing of it is told or kept."""
    path = {"source": "api", "order_id": "wrong"}
    route = "PATCH /v1/orders/{source}/{order_id}/facts"
    foreign = service.call("corrections", route, {"consent": {}}, path=path, merchant="other-shop")
    assert (foreign.status, foreign.body["code"]) == (404, "NOT_FOUND")
    assert service.head("wrong").facts == {}
    assert wiring.ports().store.read(OrderKey("other-shop", "api", "wrong")) is None


def test_messages_of_the_allowance_queue(service: Service) -> None:
    """Readable ones are done with, also what the rules refuse, which the order keeps; a repeat allows nothing.

    Unreadable ones come again, and those of an order that is not there yet: a refund may overtake its sale.
    """
    assert service.issue(order("queued")).status == 201
    service.confirm_now("queued")
    good = {"command": "allowance", "order_id": "queued", **ALLOW}
    assert service.messages("allowance", good, good) == []
    assert [one["amount_twd"] for one in service.head("queued").allowances] == [100]
    batch = [
        {**good, "refund_id": "R-2", "amount_twd": 951},  # more than is left
        {**good, "refund_id": "R-3", "amount_twd": 0},
        {**good, "refund_id": "R-4", "reason": " "},
        {**good, "refund_id": "R-5", "online_email": "x"},
        {**good, "order_id": "never-was"},
        {**good, "amount_twd": 101},  # the refund id was another one's
        {**good, "refund_id": " R-6"},
        {**good, "command": "void"},
        {**good, "order_id": ""},
        {**good, "invoice_id": "zz"},
        {**good, "evidence": {"paid_on": {"value": "x"}}},
        "{",
    ]
    assert service.messages("allowance", *batch) == ["4", "6", "7", "8", "9", "10", "11"]
    assert [one["amount_twd"] for one in service.head("queued").allowances] == [100]
    kept = {plan["refund_id"]: plan.get("cause") for plan in service.head("queued").plans}
    assert kept == {"R-1": None, "R-2": "EXCEEDS_REMAINING", "R-3": "BAD_AMOUNT"}


def test_a_message_that_waits_for_a_person_is_the_orders(service: Service) -> None:
    """Done with; the order goes on when the consent is recorded."""
    service.issue(company("queued-2"))
    service.confirm_now("queued-2")
    assert service.messages("allowance", {"command": "allowance", "order_id": "queued-2", **ALLOW}) == []
    assert service.head("queued-2").plans[0]["waits"] == "CONSENT_NEEDED"
    service.record("queued-2", {"consent": {"note": "信件"}})
    assert [one["status"] for one in service.head("queued-2").allowances] == ["LIVE"]


FORM = "application/x-www-form-urlencoded"
NAME = allowance_name("CU2VROEINDLWRQT5ZTX3", 1)


def knock(body: Any, content_type: str = FORM, merchant: Any = MERCHANT, name: Any = NAME, **event: Any) -> Any:
    """A POST to the callbacks function, as anybody can send it."""
    made = {
        "routeKey": "POST /v1/callbacks/ecpay/{merchant_id}/{name}",
        "headers": {"Content-Type": content_type} if content_type else {},
        "requestContext": {"requestId": "req-1"},
        "pathParameters": {"merchant_id": merchant, "name": name},
        "body": body,
        "isBase64Encoded": False,
        **event,
    }
    return load("callbacks").handler(made, Context())


def asked(service: Service, order_id: str) -> str:
    """The name that the centre calls back with, of an allowance that a buyer was asked for."""
    service.issue(order(order_id))
    head = service.head(order_id)
    name = allowance_name(head.relate_number, 1)
    wiring.ports().store.remember(MERCHANT, name, head.key)
    return name


UNSIGNED = "AllowanceNo=1&RtnCode=1&CheckMacValue=" + "0" * 32


@pytest.mark.parametrize(
    ("body", "content_type", "encoded"),
    [
        (UNSIGNED, FORM, False),
        (base64.b64encode(UNSIGNED.encode()).decode(), FORM, True),
        (base64.b64encode(b"\xff\xfe\x00").decode(), FORM, True),
        ("AllowanceNo=1&RtnCode=1", FORM, False),
        ("CheckMacValue=&CheckMacValue=1", FORM, False),
        (UNSIGNED, "", False),
        (UNSIGNED, "application/json", False),
        ("{}", "application/json", False),
        (UNSIGNED, FORM + "; charset=utf-16", False),
        ("", FORM, False),
        (None, FORM, False),
        ("買=家", FORM, False),
        ("\ud800", FORM, False),
        ("a=1&" * 1000 + "a=1", FORM, False),
        ("a=" + "x" * 5_000_000, FORM, False),
    ],
)
def test_a_callback_that_nobody_signed_is_refused(
    service: Service, body: Any, content_type: str, encoded: bool
) -> None:
    """400 in the centre's own words, no error; the order is not looked at and nothing is sent."""
    name = asked(service, "called")
    before, calls = service.head("called"), len(service.sim.calls())
    answer = knock(body, content_type, name=name, isBase64Encoded=encoded)
    assert (answer["statusCode"], answer["body"]) == (400, "0|NOT_OURS")
    assert service.head("called") == before
    assert len(service.sim.calls()) == calls


@pytest.mark.parametrize("merchant", ["", "other-shop", "x" * 5000, "demo-shop#O#3:api:1001", "Demo-Shop", None])
@pytest.mark.parametrize("name", ["", NAME, "x" * 5000, "CONFIG", "../H", None])
def test_a_callback_about_nothing_asks_no_ledger_what_cannot_be(service: Service, merchant: Any, name: Any) -> None:
    """400, however long or odd the path."""
    assert knock(UNSIGNED, merchant=merchant, name=name)["statusCode"] == 400
    assert knock(UNSIGNED, pathParameters=None)["statusCode"] == 400
    assert service.head("wrong").plans == []
