"""Whatever is sent in: a problem document that names every violation, or a correct invoice; no crash, no leak."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from io import StringIO
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from einvoice import wiring
from einvoice.identity import invoice_id
from einvoice.model import OrderKey
from tests.aws import TABLE
from tests.service import MERCHANT, Response, Service, order, running

NOW = "2026-03-20T10:00:00+08:00"
PROBLEM = "application/problem+json; charset=utf-8"
CANARIES = {
    "name": "金絲雀買受人",
    "address": "金絲雀路九十九號",
    "email": "canary-mail@example.com",
    "phone": "0900123987",
    "ubn_override": "金絲雀理由",
}
LINE = order()["lines"][0]


@pytest.fixture(scope="module")
def service() -> Iterator[Service]:
    """One service for all of them: no test here looks at another one's orders."""
    with running(now=NOW) as made:
        yield made


def raw(body: dict[str, Any], old: str, new: str) -> str:
    """The body as JSON text with one part replaced by what ``json.dumps`` would not write."""
    text = json.dumps(body, ensure_ascii=False)
    assert text.count(old) == 1
    return text.replace(old, new)


def assert_problem(answer: Response, *codes: str) -> None:
    """A problem document with these violations, and perhaps more."""
    assert 400 <= answer.status < 500
    assert answer.headers["content-type"] == PROBLEM
    assert {"type", "title", "status", "detail", "code", "next_action", "next_step"} <= answer.body.keys()
    assert answer.body["status"] == answer.status
    assert set(codes) <= {one["code"] for one in answer.body.get("violations", [])}
    assert all(one["message"] for one in answer.body.get("violations", []))


BODY = order("bad")
UNREADABLE = {
    "empty": "",
    "not json": "{",
    "a list": "[]",
    "text": '"order"',
    "null": "null",
    "nan": raw(BODY, "1050}]", "NaN}]"),
    "infinity": raw(BODY, "1050}]", "-Infinity}]"),
    "deep": "[" * 200_000,
    "deep object": '{"a":' * 50_000,
    "twice": raw(BODY, '"total_twd": 1050', '"total_twd": 1, "total_twd": 1050'),
    "twice inside": raw(BODY, '"quantity": "2"', '"quantity": "2", "quantity": "3"'),
    "bom": "\ufeff" + json.dumps(BODY),
    "digits": raw(BODY, '"total_twd": 1050', '"total_twd": ' + "9" * 5000),
    "surrogate": json.dumps({**BODY, "remark": "x"}, ensure_ascii=False).replace('"x"', '"\ud800"'),
}


@pytest.mark.parametrize("body", UNREADABLE.values(), ids=UNREADABLE)
def test_what_is_no_json_object_is_refused(service: Service, body: str) -> None:
    """422 NOT_JSON for everything that has no one meaning."""
    assert_problem(service.issue(body), "NOT_JSON")


@pytest.mark.parametrize(
    ("change", "code", "path"),
    [
        ({"order_id": None}, "WRONG_TYPE", "order_id"),
        ({"order_id": ""}, "REQUIRED", "order_id"),
        ({"order_id": "x" * 201}, "TOO_LONG", "order_id"),
        ({"order_id": "a\nb"}, "BAD_FORMAT", "order_id"),
        ({"order_id": "a\u0000b"}, "BAD_FORMAT", "order_id"),
        ({"order_id": 1001}, "WRONG_TYPE", "order_id"),
        ({"source": "API"}, "BAD_FORMAT", "source"),
        ({"unknown": 1}, "UNKNOWN_FIELD", "unknown"),
        ({"merchant_id": "other-shop"}, "UNKNOWN_FIELD", "merchant_id"),
        ({"merchant": "other-shop"}, "UNKNOWN_FIELD", "merchant"),
        ({"total_twd": True}, "WRONG_TYPE", "total_twd"),
        ({"total_twd": "1050"}, "WRONG_TYPE", "total_twd"),
        ({"total_twd": 1050.5}, "WRONG_TYPE", "total_twd"),
        ({"print": 1}, "WRONG_TYPE", "print"),
        ({"tax_type": "vat"}, "NOT_ALLOWED", "tax_type"),
        ({"carrier": {"kind": "phone", "number": "1"}}, "NOT_ALLOWED", "carrier.kind"),
        ({"carrier": "phone"}, "WRONG_TYPE", "carrier"),
        ({"buyer": {"nickname": "x"}}, "UNKNOWN_FIELD", "buyer.nickname"),
        ({"buyer": [1]}, "WRONG_TYPE", "buyer"),
        ({"lines": {}}, "WRONG_TYPE", "lines"),
        ({"lines": [LINE] * 5001}, "TOO_MANY", "lines"),
        ({"lines": [{**LINE, "quantity": True}]}, "NOT_A_NUMBER", "lines[0].quantity"),
        ({"lines": [{**LINE, "quantity": "two"}]}, "NOT_A_NUMBER", "lines[0].quantity"),
        ({"lines": [{**LINE, "quantity": "２"}]}, "NOT_A_NUMBER", "lines[0].quantity"),
        ({"lines": [{**LINE, "quantity": "1_0"}]}, "NOT_A_NUMBER", "lines[0].quantity"),
        ({"lines": [{**LINE, "quantity": "NaN"}]}, "NOT_A_NUMBER", "lines[0].quantity"),
        ({"lines": [{**LINE, "quantity": "1e999999"}]}, "NOT_A_NUMBER", "lines[0].quantity"),
        ({"lines": [{**LINE, "unit_price_twd": "-1e-999999"}]}, "NOT_A_NUMBER", "lines[0].unit_price_twd"),
        ({"lines": [{**LINE, "amount_twd": None}]}, "WRONG_TYPE", "lines[0].amount_twd"),
        ({"lines": [LINE] * 1000, "total_twd": 1_050_000}, "LINES_TOO_MANY", "lines"),
        ({"lines": [{**LINE, "name": "咖啡😀"}]}, "TEXT_ASTRAL", "lines[0].name"),
        ({"lines": [{**LINE, "name": "a\u0007"}]}, "TEXT_CONTROL_CHARACTER", "lines[0].name"),
        ({"total_twd": 10**30}, "NUMBER_TOO_LARGE", "total_twd"),
        ({"remark": "x" * 4001}, "TOO_LONG", "remark"),
        ({"sold_on": "2026-02-30"}, None, "sold_on"),
    ],
)
def test_every_wrong_part_is_named(service: Service, change: dict[str, Any], code: str | None, path: str) -> None:
    """422 with the path and a stable code; nothing is stored."""
    body = {**order("wrong"), **change}
    text = json.dumps(body)
    if len(text) > 262_144:  # 5,001 lines only fit without blanks and in few words
        text = json.dumps({**body, "lines": [{"name": "a"}] * 5001}, separators=(",", ":"))
    answer = service.issue(text)
    assert_problem(answer)
    assert path in {one["path"] for one in answer.body["violations"]}
    assert code is None or code in {one["code"] for one in answer.body["violations"]}
    assert service.order("wrong").status == 404


@pytest.mark.parametrize("number", ["1e9999999", "-1e99999999999", "1e-9999999", "0.1e-400"])
def test_a_number_no_order_has_is_refused_and_not_written_out(service: Service, number: str) -> None:
    """A short number with a huge exponent is no crash and no million digits, over HTTP and from the queue."""
    text = raw(order("huge"), '"quantity": "2"', f'"quantity": {number}')
    assert_problem(service.issue(text), "NOT_A_NUMBER")
    message = text[:-1] + f', "merchant_id": "{MERCHANT}", "command": "issue"}}'
    assert service.messages("issue", message) == ["0"]


def test_all_violations_come_at_once(service: Service) -> None:
    """Three different mistakes, three violations."""
    lines = [{**LINE, "quantity": "x"}, {**LINE, "amount_twd": "1"}]
    answer = service.issue({**order("many"), "lines": lines, "surprise": 1})
    assert {one["path"] for one in answer.body["violations"]} == {
        "lines[0].quantity",
        "lines[1].amount_twd",
        "surprise",
    }


@pytest.mark.parametrize(
    ("order_id", "change"),
    [
        ("a/b?c=d&e#f|g%41", {}),
        ("訂單😀", {}),
        ("x" * 200, {}),
        ("a number", {"lines": [{**LINE, "quantity": 2.0, "unit_price_twd": 525}]}),
        ("decimals", {"lines": [{**LINE, "quantity": "2.0000", "unit_price_twd": "525.00"}]}),
        ("rare", {"buyer": {"name": "游錫堃", "email": "buyer@example.com"}}),
        ("many", {"lines": [LINE] * 999, "total_twd": 1050 * 999}),
    ],
)
def test_unusual_and_right_is_issued_exactly(service: Service, order_id: str, change: dict[str, Any]) -> None:
    """One invoice whose number can be read back by its id and by its order."""
    answer = service.issue({**order(order_id), **change})
    assert answer.status == 201
    assert service.invoice(answer.body["id"]).body["number"] == answer.body["number"]
    assert service.head(order_id).number == answer.body["number"]
    found = service.sim.invoices(number=answer.body["number"])[0]
    assert found["total"] == answer.body["total_twd"]


@pytest.mark.parametrize(("size", "status"), [(70_000, 422), (262_145, 413), (300_000, 413)])
def test_large_bodies(service: Service, size: int, status: int) -> None:
    """A large body is read up to 256 KB; beyond that it is 413 whatever it says."""
    answer = service.issue("{" + " " * (size - 2) + "}")
    assert_problem(answer)
    assert answer.status == status


def test_content_the_ledger_cannot_keep_is_refused_before_anything_is_sent(service: Service) -> None:
    """Text that does not compress: named, nothing stored, also as a correction."""
    words = random.Random(7)
    lines = [
        {**LINE, "name": "".join(chr(words.randrange(0x4E00, 0x9FA5)) for _ in range(120))} for _ in range(400)
    ]
    answer = service.issue(order("incompressible", lines=lines, total_twd=1050 * 400))
    assert_problem(answer, "CONTENT_TOO_LARGE")
    first = service.issue(order("compressible")).body
    corrections = {"lines": lines, "total_twd": 1050 * 400}
    body = {"reason": "更正", "corrections": corrections, "order_total_twd": 1050 * 400}
    assert_problem(service.reissue(first["id"], body), "CONTENT_TOO_LARGE")
    assert service.living("compressible") == [first["number"]]


@pytest.mark.parametrize(
    ("function", "body", "path"),
    [
        ("void", {}, "reason"),
        ("void", {"reason": "取消", "merchant_id": "other-shop"}, "merchant_id"),
        ("void", {"reason": "字" * 21}, "reason"),
        ("void", {"reason": " "}, "reason"),
        ("reissue", {"reason": "更正", "mode": "other"}, "mode"),
        ("reissue", {"reason": "更正", "corrections": {"total_twd": None}}, "corrections.total_twd"),
        ("reissue", {"reason": "更正", "corrections": {"order_id": "other"}}, "corrections.order_id"),
        ("reissue", {"reason": "更正", "corrections": {"lines": [{}]}}, "corrections.lines[0].name"),
    ],
)
def test_bodies_of_changes_are_checked_alike(service: Service, function: str, body: Any, path: str) -> None:
    """Void and reissue name their mistakes too, and touch nothing."""
    first = service.issue(order("change")).body
    route = f"POST /v1/invoices/{{id}}/{function}"
    answer = service.call(function, route, body, path={"id": first["id"]})
    assert_problem(answer)
    assert path in {one["path"] for one in answer.body["violations"]}
    assert service.living("change") == [first["number"]]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**20), 10**20) | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=6,
)
PATHS = [
    (),
    ("order_id",),
    ("buyer",),
    ("buyer", "name"),
    ("buyer", "ubn"),
    ("carrier",),
    ("carrier", "number"),
    ("lines",),
    ("lines", 0),
    ("lines", 0, "quantity"),
    ("lines", 0, "unit_price_twd"),
    ("lines", 0, "amount_twd"),
    ("total_twd",),
    ("tax_type",),
    ("remark",),
    ("sold_on",),
]


@settings(max_examples=80, deadline=None, suppress_health_check=list(HealthCheck))
@given(path=st.sampled_from(PATHS), value=JSON)
def test_any_value_anywhere_is_a_problem_or_an_invoice(service: Service, path: tuple[Any, ...], value: Any) -> None:
    """Fuzzed bodies: never a 5xx, always JSON that can be encoded, always a code."""
    body: Any = order("fuzz")
    if path:
        part = body
        for step in path[:-1]:
            part = part[step]
        part[path[-1]] = value
    else:
        body = value
    answer = service.issue(json.dumps(body))
    assert answer.status < 500
    assert json.dumps(answer.body, ensure_ascii=False).encode()
    assert answer.status < 300 or answer.body["code"]


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(text=st.text(max_size=40))
def test_any_text_as_an_invoice_id_is_simply_not_found(service: Service, text: str) -> None:
    """Ids we never made answer 404, whatever they look like."""
    assert service.invoice(text).status == 404
    assert service.void(text).status == 404


def test_a_foreign_id_answers_as_one_that_never_was(service: Service) -> None:
    """Another merchant's invoice: 404 with the very body of an unknown one, for every route; nothing changes."""
    mine = service.issue(order("mine")).body
    unknown = invoice_id(OrderKey(MERCHANT, "api", "never-was"), 1)
    put = {"reason": "取消"}
    correction = {"reason": "更正", "corrections": {"remark": "x"}}
    service.dynamodb.put_item(TableName=TABLE, Item=_as_merchant(service, "other-shop"))
    for function, route, body in [
        ("orders", "GET /v1/invoices/{id}", None),
        ("orders", "GET /v1/invoices/{id}/print", None),
        ("void", "POST /v1/invoices/{id}/void", put),
        ("reissue", "POST /v1/invoices/{id}/reissue", correction),
        ("reissue", "POST /v1/invoices/{id}/reissue", {"reason": "重開"}),
    ]:
        foreign = service.call(function, route, body, path={"id": mine["id"]}, merchant="other-shop")
        never = service.call(function, route, body, path={"id": unknown}, merchant="other-shop")
        assert (foreign.status, foreign.body) == (never.status, never.body) == (404, never.body)
    path = {"source": "api", "order_id": "mine"}
    foreign = service.call("orders", "GET /v1/orders/{source}/{order_id}", None, path=path, merchant="other-shop")
    assert foreign.status == 404
    assert service.living("mine") == [mine["number"]]


def _as_merchant(service: Service, merchant: str) -> dict[str, Any]:
    """The demo merchant's settings under another id."""
    key = {"pk": {"S": f"M#{MERCHANT}"}, "sk": {"S": "CONFIG"}}
    item = service.dynamodb.get_item(TableName=TABLE, Key=key)["Item"]
    return {**item, "pk": {"S": f"M#{merchant}"}, "merchant": {"S": merchant}}


def test_a_body_of_nothing_but_mistakes_gets_an_answer_that_lambda_can_send(service: Service) -> None:
    """Tens of thousands of violations in 256 KB: all are counted, the first 500 named."""
    line = json.dumps(dict.fromkeys("abcdefg", 1), separators=(",", ":"))
    answer = service.issue(f'{{"order_id":"mistakes","total_twd":1,"lines":[{",".join([line] * 4_990)}]}}')
    assert (answer.status, answer.body["code"]) == (422, "INVALID_REQUEST")
    assert len(answer.body["violations"]) == 500
    assert str(4_990 * (7 + 4)) in answer.body["detail"]  # seven unknown and four missing fields each


@pytest.mark.parametrize(
    ("function", "scope"),
    [
        ("issue", "invoices:write"),
        ("void", "invoices:void"),
        ("reissue", "invoices:reissue"),
        ("orders", "invoices:read"),
    ],
)
def test_each_route_asks_for_its_own_scope(service: Service, function: str, scope: str) -> None:
    """A key with every scope but the one: 403, and nothing was read; without a merchant 401."""
    routes = {
        "issue": "POST /v1/invoices",
        "void": "POST /v1/invoices/{id}/void",
        "reissue": "POST /v1/invoices/{id}/reissue",
        "orders": "GET /v1/invoices/{id}",
    }
    others = " ".join({"invoices:read", "invoices:write", "invoices:void", "invoices:reissue"} - {scope})
    answer = service.call(function, routes[function], order("scoped"), path={"id": "x"}, scopes=others)
    assert (answer.status, answer.body["code"]) == (403, "SCOPE_MISSING")
    answer = service.call(function, routes[function], order("scoped"), path={"id": "x"}, merchant="")
    assert (answer.status, answer.body["code"]) == (401, "UNAUTHENTICATED")
    assert wiring.ports().store.read(OrderKey(MERCHANT, "api", "scoped")) is None


def test_no_personal_data_reaches_the_logs(
    service: Service, logged: StringIO, capsys: pytest.CaptureFixture[str]
) -> None:
    """Issued, refused, malformed, unknown, different, voided, queued: not one word of the buyer is logged."""
    buyer = CANARIES
    service.issue(order("canary-1", buyer=buyer))
    service.issue(order("canary-2", buyer={**buyer, "ubn": "12345678"}))
    service.issue(order("canary-3", buyer={**buyer, CANARIES["name"]: 1}))
    service.issue(raw(order("canary-4", buyer=buyer), '"total_twd": 1050', '"total_twd": NaN'))
    service.sim.fault("drop_after", op="Issue")
    service.sim.fault("http_500_before", op="GetIssue")
    service.issue(order("canary-5", buyer=buyer))
    service.recover(120)
    service.messages("issue", {"command": "issue", **order("canary-6", buyer=buyer)}, "{" + CANARIES["email"])
    service.messages("issue", {"command": "issue", **order("canary-7", buyer=buyer, total_twd=0)})
    service.reissue(
        invoice_id(OrderKey(MERCHANT, "api", "canary-1"), 1),
        {"reason": "更正", "corrections": {"buyer": buyer, "remark": CANARIES["address"]}},
    )
    service.void(invoice_id(OrderKey(MERCHANT, "api", "canary-1"), 2), CANARIES["name"])
    printed = logged.getvalue() + "".join(capsys.readouterr())
    assert "provider_call" in printed
    assert "CloudWatchMetrics" in printed
    for canary in (*CANARIES.values(), "/ABC+123", "咖啡豆", "ejCk326UnaZWKisg", "q9jcZX8Ib9LM8wYk"):
        assert canary not in printed
        assert json.dumps(canary)[1:-1] not in printed
    assert "Traceback" not in printed
