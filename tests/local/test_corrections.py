"""Allowances, corrections and callbacks through the deployed system. What the demo tells is not repeated here."""

from __future__ import annotations

import urllib.error
import urllib.request
from typing import Any
from urllib.parse import urlencode

import pytest

from local import orders
from local.stack import Stack, wait_until

pytestmark = pytest.mark.embedded

REFUND = {"reason": "退貨一件", "refund_id": "R1", "amount_twd": 350}
DAY_S = 86_400


def uploaded(stack: Stack, order: dict[str, Any]) -> dict[str, Any]:
    """The order's invoice, a day later: the ministry has it."""
    reply = stack.request("POST", "/v1/invoices", order)
    assert reply.status == 201
    stack.advance(DAY_S)
    stack.confirm()
    return reply.body


def asked(stack: Stack, order_id: str) -> str:
    """The number of an online allowance that waits for its buyer."""
    invoice = uploaded(stack, orders.refundable(order_id))
    body = {**REFUND, "online_email": "buyer@example.com"}
    reply = stack.request("POST", f"/v1/invoices/{invoice['id']}/allowances", body)
    assert reply.status == 201
    return str(reply.body["allowances"][0]["number"])


def allowance_states(stack: Stack, order_id: str) -> list[str]:
    """What the service says of an order's allowances."""
    return [one["state"] for one in stack.request("GET", f"/v1/orders/api/{order_id}").body["allowances"]]


def last_callback(stack: Stack, number: str) -> dict[str, Any]:
    """The centre's newest callback about an allowance."""
    held = stack.control("GET", "callbacks")["callbacks"]
    return [one for one in held if one["form"]["IA_Allow_No"] == number][-1]


def heard(url: str, form: dict[str, str]) -> int:
    """The status a form without any key of ours gets."""
    request = urllib.request.Request(url, urlencode(form).encode(), method="POST")  # noqa: S310  # our own http:// address
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(request, timeout=10) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as refusal:
        with refusal:
            return int(refusal.code)


def test_only_the_centre_is_heard(stack):
    """A forged check value, none at all, another merchant's path: refused, and nothing changes.

    The centre's own callback makes us look, and is answered as the centre wants it.
    """
    number = asked(stack, "cb-1")
    stack.control("POST", f"online-allowances/{number}", {"forge_callback": True})
    forged = last_callback(stack, number)
    assert [attempt["status"] for attempt in forged["attempts"]] == [400]
    unsigned = {name: value for name, value in forged["form"].items() if name != "CheckMacValue"}
    assert heard(forged["url"], unsigned) == 400
    assert heard(forged["url"].replace("demo-shop", "other-shop"), forged["form"]) == 400
    assert allowance_states(stack, "cb-1") == ["ASKED"]
    stack.control("POST", f"online-allowances/{number}", {"agree": True})
    genuine = last_callback(stack, number)
    assert [(attempt["status"], attempt["answer"]) for attempt in genuine["attempts"]] == [(200, "1|OK")]
    assert allowance_states(stack, "cb-1") == ["LIVE"]


def test_a_lost_callback_only_costs_time(stack):
    """The buyer agreed and nobody told us: confirm finds it."""
    number = asked(stack, "cb-2")
    stack.control("POST", "faults", {"kind": "callback_lost", "op": "AllowanceByCollegiate"})
    stack.control("POST", f"online-allowances/{number}", {"agree": True})
    assert allowance_states(stack, "cb-2") == ["ASKED"]
    stack.advance(DAY_S)
    stack.confirm()
    assert allowance_states(stack, "cb-2") == ["LIVE"]


def test_a_refund_over_the_queue_becomes_one_allowance(stack):
    """However often its message comes."""
    invoice = uploaded(stack, orders.refundable("al-1"))
    for _ in range(3):
        stack.send("allowance", {"order_id": "al-1", **REFUND})
    wait_until("an allowance", lambda: allowance_states(stack, "al-1") == ["LIVE"] or None)
    wait_until("an empty queue", lambda: drained(stack) or None)
    assert allowance_states(stack, "al-1") == ["LIVE"]
    held = stack.control("GET", "allowances")["allowances"]
    assert [one["amount"] for one in held if one["invoice_no"] == invoice["number"]] == [350]


def drained(stack: Stack) -> bool:
    """Whether the allowance queue is empty."""
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    queue = stack.physical["AllowanceQueue"]
    counts = stack.client("sqs").get_queue_attributes(QueueUrl=queue, AttributeNames=names)["Attributes"]
    return all(counts[name] == "0" for name in names)


def test_a_filed_period_stays_as_it_was_first_told(stack):
    """The second answer is the first one; what no period is called is refused."""
    first = stack.request("PUT", "/v1/filings/11412", {"filed_at": "2026-01-12T09:00:00+08:00"})
    again = stack.request("PUT", "/v1/filings/11412", {})
    assert (first.status, again.status) == (200, 200)
    assert again.body == first.body
    wrong = stack.request("PUT", "/v1/filings/2026-02", {})
    assert (wrong.status, wrong.body["code"]) == (422, "INVALID_REQUEST")
