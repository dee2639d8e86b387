"""Requests that are nearly right, through the real handlers: every answer is one the document names, never a 500."""

from __future__ import annotations

from datetime import timedelta

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.contract.wishes import TEXTS, mutated
from tests.service import company, order
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
