"""Requests that are nearly right, through the real handlers: every answer is one the document names, never a 500."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.contract.wishes import TEXTS, mutated
from tests.service import company, order
from tools.contract_correction_examples import ALLOWANCE, ALLOWANCE_BY_LINES, CORRECT, FACTS
from tools.contract_examples import REISSUE, VOID

PENDING = {"ISSUING", "WAITING", "VOIDING", "REISSUING"}
BOUNDED = settings(
    max_examples=25,
    deadline=timedelta(seconds=10),
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)


def sane(answer, done):
    """What every answer to a write promises beside its shape."""
    assert answer.status < 500, answer.body
    if answer.status == 201:
        assert answer.body["state"] == done
    if answer.status == 202:
        assert answer.body["state"] in PENDING or answer.body["attention"]


@BOUNDED
@given(body=st.sampled_from([order("fuzz"), company("fuzz")]).flatmap(mutated), key=TEXTS)
def test_issue(service, body, key):
    """Whatever comes: an invoice, or every reason why not."""
    sane(service.issue(body, **{"Idempotency-Key": key}), "ISSUED")


@BOUNDED
@given(body=mutated(VOID), which=st.integers(1, 3), again=st.booleans())
def test_void(service, body, which, again):
    """Whatever comes, of an invoice that lives, is void or never was."""
    one = service.issue(order(f"fuzz-void-{which}")).body["id"] if which < 3 else "zz"
    for _ in range(1 + again):
        sane(service.call("void", "POST /v1/invoices/{id}/void", body, path={"id": one}), "VOIDED")
    if which < 3:
        service.order(f"fuzz-void-{which}")


@BOUNDED
@given(
    body=st.one_of(mutated(REISSUE), mutated(REISSUE | {"mode": "same_number", "order_total_twd": 1050})),
    which=st.integers(1, 20),
)
def test_reissue(service, body, which):
    """Whatever comes; and however it ends, the order never has two living invoices and reads as documented."""
    order_id = f"fuzz-reissue-{which}"
    service.issue(order(order_id))
    newest = service.order(order_id).body["invoices"][-1]["id"]
    sane(service.reissue(newest, body), "ISSUED")
    assert len(service.living(order_id)) <= 1
    service.invoice(newest)


@BOUNDED
@given(
    order_id=st.text(st.characters(exclude_categories=("Cs",)), max_size=300),
    source=st.one_of(st.just("api"), TEXTS),
)
def test_reading(service, order_id, source):
    """No order id and no invoice id is more than not found."""
    assert service.order(order_id, source=source).status in {200, 404}
    assert service.invoice(order_id).status in {200, 404}


def settled(answer):
    """What every answer to a correction promises beside its shape."""
    assert answer.status < 500, answer.body
    if answer.status == 201:
        assert answer.body["correction"]["status"] == "done"
    if answer.status == 202:
        assert answer.body["correction"]["status"] == "open"


def consistent(service, order_id):
    """However it ended: one invoice at most lives, nobody got back more than was paid, and the order can be read."""
    assert len(service.living(order_id)) <= 1
    read = service.order(order_id).body
    for one in read["invoices"]:
        given = [made for made in read["allowances"] if made["invoice"] == one["id"] and made["state"] == "LIVE"]
        assert sum(made["amount_twd"] for made in given) <= one["total_twd"]


WISHES = [
    {"goal": "refund", "reason": "退貨", "refund_id": "F-1", "refund": {"amount_twd": 1}},
    {"goal": "refund", "reason": "退貨", "refund_id": "F-2", "refund": {"refunded_total_twd": 30}},
    {"goal": "refund", "reason": "退貨", "refund_id": "F-3", "refund": {"lines": [{"line": 1, "quantity": "0.01"}]}},
    {"goal": "cancel", "reason": "取消", "evidence": {"consent": {"note": "x"}}},
    {"goal": "correct", "reason": "更正", "corrections": {"remark": "x"}, "dry_run": True, "online_email": "a@b.tw"},
]


@BOUNDED
@given(body=st.sampled_from([*WISHES, CORRECT]).flatmap(mutated), which=st.integers(1, 12), key=TEXTS)
def test_correction(service, body, which, key):
    """Whatever comes: what was done, what is waited for, or every reason why not; refused, it leaves nothing behind."""
    order_id = f"fuzz-correction-{which}"
    service.issue(order(order_id))
    before = service.head(order_id)
    answer = service.correct(order_id, body, **{"Idempotency-Key": key})
    settled(answer if "dry_run" not in answer.body else replace(answer, status=200))
    if answer.body.get("code") == "INVALID_REQUEST" or "dry_run" in answer.body:
        assert service.head(order_id) == before
    consistent(service, order_id)


@BOUNDED
@given(body=st.sampled_from([ALLOWANCE, ALLOWANCE_BY_LINES]).flatmap(mutated), which=st.integers(1, 12))
def test_allowance(service, body, which):
    """Whatever comes, of an invoice that lives; refused, it leaves nothing behind."""
    order_id = f"fuzz-allowance-{which}"
    one = service.issue(order(order_id)).body["id"]
    before = service.head(order_id)
    answer = service.allow(one, body)
    settled(answer)
    if answer.body.get("code") == "INVALID_REQUEST":
        assert service.head(order_id) == before
    for made in answer.body.get("allowances", []):
        settled(service.void_allowance(made["id"]))
    consistent(service, order_id)


@BOUNDED
@given(
    body=mutated(FACTS),
    period=st.one_of(st.sampled_from(["11502", "11412"]), TEXTS),
    filing=mutated({"filed_at": ""}),
)
def test_facts_and_filings(service, body, period, filing):
    """Whatever comes: recorded or refused, and what was recorded is shown."""
    service.issue(order("fuzz-facts"))
    recorded = service.record("fuzz-facts", body)
    assert recorded.status in {200, 422}
    if recorded.status == 200:
        assert set(recorded.body["facts"]) >= {name for name, fact in body.items() if fact is not None}
    assert service.file(period, filing).status in {200, 422}
