"""The deployed system from outside: HTTP API, queues, schedule, clock. What the demo tells is not repeated here."""

from __future__ import annotations

from typing import Any

import pytest

from local import orders
from local.rest import call
from local.stack import Stack, wait_until

pytestmark = pytest.mark.embedded


def invoices_of(stack: Stack, order_id: str) -> list[dict[str, Any]]:
    """What the service says of an order's invoices."""
    reply = stack.request("GET", f"/v1/orders/api/{order_id}")
    return reply.body["invoices"] if reply.status == 200 else []


def in_state(stack: Stack, order_id: str, states: list[str]) -> list[dict[str, Any]]:
    """The order's invoices once they stand so; LocalRunError if they do not in time."""

    def look() -> list[dict[str, Any]] | None:
        found = invoices_of(stack, order_id)
        return found if [invoice["state"] for invoice in found] == states else None

    return wait_until(f"order {order_id} in {states}", look)


def held(stack: Stack, number: str) -> dict[str, Any]:
    """The invoice as the centre holds it."""
    (invoice,) = stack.control("GET", f"invoices?number={number}")["invoices"]
    return invoice


def test_queue_commands_carry_an_order_from_issue_to_void(stack):
    """Issue, reissue (of a named invoice) and void (of a named order) all work over their queues."""
    stack.send("issue", orders.company("q-1"))
    (first,) = in_state(stack, "q-1", ["ISSUED"])
    corrections = {"buyer": {"ubn": orders.OTHER_UBN}}
    stack.send("reissue", {"invoice_id": first["id"], "reason": "統編錯誤", "corrections": corrections})
    old, new = in_state(stack, "q-1", ["VOIDED", "ISSUED"])
    assert old["number"] == first["number"] != new["number"]
    assert (held(stack, old["number"])["living"], held(stack, new["number"])["living"]) == (False, True)
    assert held(stack, new["number"])["ubn"] == orders.OTHER_UBN
    stack.send("void", {"order_id": "q-1", "reason": "客戶取消訂單"})
    in_state(stack, "q-1", ["VOIDED", "VOIDED"])
    assert held(stack, new["number"])["living"] is False


def test_a_message_that_comes_twice_makes_one_invoice(stack):
    """At-least-once delivery never becomes a second invoice."""
    for _ in range(3):
        stack.send("issue", orders.mobile_barcode("q-2"))
    (invoice,) = in_state(stack, "q-2", ["ISSUED"])
    relate = invoice["relate_number"]
    queue = stack.physical["IssueQueue"]

    def drained() -> bool | None:
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        counts = stack.client("sqs").get_queue_attributes(QueueUrl=queue, AttributeNames=names)["Attributes"]
        return all(counts[name] == "0" for name in names) or None

    wait_until("an empty issue queue", drained)
    assert len(stack.control("GET", f"invoices?relate={relate}")["invoices"]) == 1
    assert [call["op"].lower() for call in stack.control("GET", f"calls?relate={relate}")["calls"]].count("issue") == 1


def test_only_a_live_api_key_opens_the_api(stack):
    """No key is 401, a wrong one 403, health needs none, and nobody learns of another's invoice."""
    url = stack.base_url
    assert call("POST", f"{url}/v1/invoices", orders.donation("k-1")).status == 401
    wrong = {"authorization": f"Bearer {stack.api_key[:-1]}~"}
    assert call("POST", f"{url}/v1/invoices", orders.donation("k-1"), wrong).status == 403
    assert call("GET", f"{url}/v1/health").status == 200
    assert stack.request("GET", "/v1/orders/api/k-1").status == 404


def test_every_violation_comes_back_at_once_and_nothing_is_sent(stack):
    """A body that breaks several rules is 422 with all of them, and the centre never hears of it."""
    calls = len(stack.control("GET", "calls")["calls"])
    body = {**orders.company("v-1", ubn="12345678"), "total_twd": 1, "love_code": "168001"}
    reply = stack.request("POST", "/v1/invoices", body)
    assert reply.status == 422
    assert reply.headers["content-type"].startswith("application/problem+json")
    assert len({violation["code"] for violation in reply.body["violations"]}) >= 2
    assert len(stack.control("GET", "calls")["calls"]) == calls


def test_the_idempotency_key_holds_over_http(stack):
    """The same key with the same body is the same answer; with another body it is 422."""
    first = stack.request("POST", "/v1/invoices", orders.donation("i-1"), idempotency_key="once")
    again = stack.request("POST", "/v1/invoices", orders.donation("i-1"), idempotency_key="once")
    assert (first.status, again.status) == (201, 200)
    assert again.body["number"] == first.body["number"]
    other = stack.request("POST", "/v1/invoices", orders.mixed_tax("i-1"), idempotency_key="once")
    assert (other.status, other.body["code"]) == (422, "IDEMPOTENCY_KEY_REUSED")


def test_one_clock_moves_functions_and_centre_together(stack):
    """Months later a new invoice belongs to the period of then, and an old one can no longer be voided."""
    old = stack.request("POST", "/v1/invoices", orders.mobile_barcode("c-1")).body
    stack.control("POST", "clock", {"now": "2026-09-20T09:00:00+08:00"})
    stack.advance(0)
    new = stack.request("POST", "/v1/invoices", orders.mobile_barcode("c-2")).body
    assert (new["period"], new["issued_at"][:10]) == ("11510", "2026-09-20")
    late = stack.request("POST", f"/v1/invoices/{old['id']}/void", {"reason": "客戶取消訂單"})
    assert (late.status, late.body["code"]) == (422, "VOID_WINDOW_CLOSED")
    assert held(stack, old["number"])["living"] is True
