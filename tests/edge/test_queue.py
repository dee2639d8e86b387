"""Batches: each message by itself; done once the order owns the work, or once a rule refused it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from io import StringIO
from typing import Any
from unittest.mock import patch

import pytest

from einvoice import wiring
from einvoice.errors import StoreUnavailable
from einvoice.store.dynamodb import DynamoStore
from tests.service import MERCHANT, Context, Service, load, order, running

NOW = "2026-03-20T10:00:00+08:00"


@pytest.fixture(scope="module")
def service() -> Iterator[Service]:
    """One service for all of them."""
    with running(now=NOW) as made:
        yield made


def issue(order_id: str, **changes: Any) -> dict[str, Any]:
    """One message of the issue queue."""
    return {"command": "issue", **order(order_id, **changes)}


def test_f24_only_what_could_not_be_read_comes_again(service: Service) -> None:
    """Ten messages, three unreadable: those three come again, the seven others are issued."""
    batch: list[Any] = [issue(f"batch-{number}") for number in range(7)]
    batch[2:2] = ["{", json.dumps({"command": "issue"}), json.dumps([1])]
    assert service.messages("issue", *batch) == ["2", "3", "4"]
    assert all(len(service.living(f"batch-{number}")) == 1 for number in range(7))


def test_f20_a_message_delivered_twice_in_one_batch_is_one_invoice(service: Service) -> None:
    """Both are acknowledged, one invoice is made."""
    assert service.messages("issue", *[issue("twice")] * 4) == []
    assert len(service.living("twice")) == 1


def test_08_what_a_rule_refuses_is_done_with_and_the_orders_log_says_why(service: Service) -> None:
    """Acknowledged, nothing sent, the order shows every code; a corrected message is issued."""
    assert service.messages("issue", issue("ruled", total_twd=1)) == []
    shown = service.order("ruled").body
    assert shown["state"] == "REFUSED"
    assert "SUM_MISMATCH" in shown["invoices"][0]["refusal"]["raw_code"]
    assert shown["log"][-1]["event"] == "refused"
    assert service.messages("issue", issue("ruled")) == []
    assert len(service.living("ruled")) == 1


def test_08_an_unanswered_issue_is_the_orders_work_not_the_messages(service: Service) -> None:
    """The centre does not answer: the message is acknowledged, the recovery finishes the order."""
    service.sim.fault("drop_before", op="Issue")
    assert service.messages("issue", issue("owned")) == []
    service.settle(5)
    assert len(service.living("owned")) == 1


def test_a_table_that_is_away_brings_the_message_back(service: Service) -> None:
    """Nothing could be stored, so the message is not done with; nothing was sent."""
    calls = len(service.sim.calls())
    with patch.object(DynamoStore, "create", side_effect=StoreUnavailable("away")):
        assert service.messages("issue", issue("away")) == ["0"]
    assert len(service.sim.calls()) == calls


def test_an_unknown_merchant_brings_the_message_back(service: Service) -> None:
    """It may be made known later; its neighbours are not held up."""
    other = json.dumps({"merchant_id": "unknown-shop", **issue("neighbour")})
    assert service.messages("issue", other, issue("neighbour")) == ["0"]
    assert len(service.living("neighbour")) == 1


@pytest.mark.parametrize("merchant_id", ["", "A", "x#y", "a" * 41, "demo-shop\n", None, 7])
def test_a_merchant_id_that_is_none_is_unreadable(service: Service, merchant_id: Any) -> None:
    """It never becomes part of a key."""
    message = json.dumps({**issue("nobody"), "merchant_id": merchant_id})
    assert service.messages("issue", message) == ["0"]


def test_a_message_of_another_queue_is_unreadable(service: Service) -> None:
    """A void on the issue queue is nobody's order."""
    assert service.messages("issue", {"command": "void", "order_id": "x", "reason": "取消"}) == ["0"]
    assert service.messages("reissue", {"command": "reissue", "order_id": "batch-0", "reason": "更正"}) == ["0"]


@pytest.mark.parametrize("way", ["header", "message"])
def test_the_correlation_id_reaches_the_call_to_the_centre(
    service: Service, logged: StringIO, way: str
) -> None:
    """From the caller's header, or the message's attribute, to the log line of the provider call."""
    correlation_id = f"trace-{way}-12345"
    if way == "header":
        answer = service.issue(order("traced-header"), x_correlation_id=correlation_id)
        assert answer.headers["x-correlation-id"] == correlation_id
    else:
        record = {
            "messageId": "message-0",
            "body": json.dumps({"merchant_id": MERCHANT, **issue("traced-message")}),
            "messageAttributes": {"correlation_id": {"stringValue": correlation_id, "dataType": "String"}},
        }
        assert load("issue").handler({"Records": [record]}, Context()) == {"batchItemFailures": []}
    lines = [json.loads(line) for line in logged.getvalue().splitlines() if '"provider_call"' in line]
    assert correlation_id in {line.get("correlation_id") for line in lines}


def test_an_unusable_correlation_id_is_replaced(service: Service) -> None:
    """What might break a log line is not taken over."""
    answer = service.issue(order("untraced"), x_correlation_id='x" \n{}')
    assert answer.headers["x-correlation-id"].startswith("req-")


def test_an_unexpected_error_is_a_plain_500_that_says_repeat(
    service: Service, logged: StringIO, capsys: pytest.CaptureFixture[str]
) -> None:
    """Our own bug: a problem document with a code, the place in the log, nothing of the request."""
    with patch.object(DynamoStore, "create", side_effect=KeyError("金絲雀買受人")):
        answer = service.issue(order("bug"))
        assert service.messages("issue", issue("bug")) == ["0"]
    assert (answer.status, answer.body["code"], answer.body["next_action"]) == (500, "UNEXPECTED", "WAIT")
    assert "金絲雀" not in json.dumps(answer.body, ensure_ascii=False)
    assert "金絲雀" not in logged.getvalue() + "".join(capsys.readouterr())
    assert logged.getvalue().count('"where"') == 2  # of the request and of the message


def test_a_ledger_that_is_away_is_told_before_anything_is_sent(service: Service) -> None:
    """503 with our code, and nothing was sent; after something was sent it is 202."""
    calls = len(service.sim.calls())
    with patch.object(DynamoStore, "create", side_effect=StoreUnavailable("away")):
        answer = service.issue(order("ledger"))
    assert (answer.status, answer.body["code"]) == (503, "LEDGER_UNAVAILABLE")
    assert len(service.sim.calls()) == calls
    with patch.object(DynamoStore, "replace", side_effect=StoreUnavailable("away")):
        assert service.issue(order("ledger")).status == 202
    service.settle(5)
    assert len(service.living("ledger")) == 1
    assert wiring.ports().store.due(10**11, 5) == []
