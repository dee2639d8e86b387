"""The queues' schema takes what the service can read, and nothing else."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from einvoice.edge import bodies, correction_bodies, queue
from einvoice.errors import InvalidRequest
from tests.contract.contract import MESSAGES
from tests.contract.wishes import mutated
from tools.contract_examples import FIRST
from tools.contract_examples import MESSAGES as EXAMPLES

MODELS = {
    "issue": bodies.IssueMessage,
    "void": bodies.VoidMessage,
    "reissue": bodies.ReissueMessage,
    "allowance": correction_bodies.AllowanceMessage,
}
SCHEMA = Draft202012Validator(MESSAGES)


def readable(message):
    """Whether the function of its queue could read this message: as its handler reads it, up to the operation."""
    try:
        model = MODELS[message["command"]]
    except (KeyError, TypeError):
        return False
    try:
        parsed = bodies.parse(model, json.dumps(message).encode())
        if message["command"] == "issue":
            return True
        _, generation = queue.named(parsed)
        if message["command"] in {"void", "allowance"}:
            return True
        parsed.corrections.given()
    except InvalidRequest:
        return False
    return generation > 0


@pytest.mark.parametrize("name", EXAMPLES)
def test_examples_are_taken(name):
    """By the schema and by the service."""
    assert SCHEMA.is_valid(EXAMPLES[name])
    assert readable(EXAMPLES[name])


def changed(name, **changes):
    """An example with some fields changed; ``...`` takes one away."""
    return {field: value for field, value in (EXAMPLES[name] | changes).items() if value is not ...}


@pytest.mark.parametrize(
    "message",
    [
        changed("IssueMessage", command="void"),
        changed("IssueMessage", command=...),
        changed("IssueMessage", merchant_id=...),
        changed("IssueMessage", merchant_id="Shop"),
        changed("IssueMessage", order_id=""),
        changed("IssueMessage", order_id="a\u0000b"),
        changed("IssueMessage", order_id="x" * 201),
        changed("IssueMessage", source="API"),
        changed("IssueMessage", lines=None),
        changed("IssueMessage", total_twd="1050"),
        changed("IssueMessage", total_twd=True),
        changed("IssueMessage", print="yes"),
        changed("IssueMessage", buyer=None),
        changed("IssueMessage", tax_type="none"),
        changed("IssueMessage", carrier={"kind": "mobile"}),
        changed("IssueMessage", surprise=1),
        changed("IssueMessage", lines=[{"name": "a", "quantity": "1e2", "unit_price_twd": 1, "amount_twd": 1}]),
        changed("IssueMessage", lines=[{"name": "a", "quantity": "１", "unit_price_twd": 1, "amount_twd": 1}]),
        changed("IssueMessage", lines=[{"name": "a", "quantity": True, "unit_price_twd": 1, "amount_twd": 1}]),
        changed("VoidMessage", order_id=...),
        changed("VoidMessage", order_id=""),
        changed("VoidMessage", reason=...),
        changed("ReissueMessage", invoice_id=...),
        changed("ReissueMessage", invoice_id="", order_id="1001"),
        changed("ReissueMessage", mode="same"),
        changed("ReissueMessage", corrections=None),
        changed("ReissueMessage", corrections={"lines": None}),
        changed("ReissueMessage", corrections={"order_id": "1002"}),
        changed("AllowanceMessage", order_id=...),
        changed("AllowanceMessage", invoice_id=7),
        changed("AllowanceMessage", reason=...),
        changed("AllowanceMessage", refund_id=...),
        changed("AllowanceMessage", refund_id=""),
        changed("AllowanceMessage", refund_id=None),
        changed("AllowanceMessage", refund_id=" R-1"),
        changed("AllowanceMessage", refund_id="R-1\u3000"),
        changed("AllowanceMessage", refund_id="R\t1"),
        changed("AllowanceMessage", refund_id="x" * 101),
        changed("AllowanceMessage", lines=...),
        changed("AllowanceMessage", lines=None),
        changed("AllowanceMessage", amount_twd=100),
        changed("AllowanceMessage", lines=..., amount_twd=100, refunded_total_twd=100),
        changed("AllowanceMessage", lines=..., amount_twd="100"),
        changed("AllowanceMessage", lines=[{"line": 1}]),
        changed("AllowanceMessage", lines=[{"line": 1, "quantity": "1", "amount_twd": 1}]),
        changed("AllowanceMessage", lines=[{"line": "1", "quantity": "1"}]),
        changed("AllowanceMessage", lines=[{"line": 1, "quantity": "1e1"}]),
        changed("AllowanceMessage", evidence=None),
        changed("AllowanceMessage", evidence={"paid_on": {"value": "yesterday"}}),
        changed("AllowanceMessage", evidence={"approval_no": {"value": " "}}),
        changed("AllowanceMessage", evidence={"approval_no": {}}),
        changed("AllowanceMessage", evidence={"consent": True}),
        changed("AllowanceMessage", goal="refund"),
        changed("AllowanceMessage", dry_run=True),
    ],
)
def test_neither_takes_these(message):
    """What the service cannot read the schema refuses before it is sent."""
    assert not readable(message)
    assert not SCHEMA.is_valid(message)


@pytest.mark.parametrize(
    "message",
    [
        changed("IssueMessage", carrier=None, source="easystore", idempotency_key="k"),
        changed("IssueMessage", order_id="#10|18 中文"),
        changed("IssueMessage", lines=[]),  # readable; that it is not lawful is the rules' word
        changed("IssueMessage", lines=[{"name": "", "quantity": 1.5, "unit_price_twd": "-0.50", "amount_twd": -1}]),
        changed("VoidMessage", order_id=..., invoice_id=FIRST),
        changed("VoidMessage", invoice_id="", idempotency_key="k"),
        changed("AllowanceMessage", order_id=..., invoice_id=FIRST),
        changed("AllowanceMessage", lines=..., amount_twd=0),  # readable; that nothing is refunded is the rules' word
        changed("AllowanceMessage", lines=None, amount_twd=None, refunded_total_twd=100),
        changed("AllowanceMessage", lines=[{"line": 9, "quantity": None, "amount_twd": 1}]),
        changed("AllowanceMessage", refund_id="R 1 #ä中"),
        changed("AllowanceMessage", evidence={"consent": {"note": "x"}, "claimed": None}),
        changed("AllowanceMessage", evidence={"paid_on": {"value": "2026-03-01"}}),
        changed("ReissueMessage", corrections=...),
        changed("ReissueMessage", corrections={"buyer": None, "print": None, "remark": None}, order_total_twd=None),
    ],
)
def test_both_take_these(message):
    """What the service can read the schema lets through."""
    assert readable(message)
    assert SCHEMA.is_valid(message)


@settings(
    max_examples=150,
    deadline=timedelta(seconds=5),
    suppress_health_check=[HealthCheck.too_slow],
    derandomize=True,
)
@given(st.sampled_from(sorted(EXAMPLES)).flatmap(lambda name: mutated(EXAMPLES[name])))
def test_schema_and_service_agree(message):
    """On messages that are nearly right, too."""
    assert SCHEMA.is_valid(message) == readable(message), message
