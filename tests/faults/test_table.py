"""DynamoDB throttles, fails, forgets its answers, lands writes late and lists stale orders (F29–F33, F35)."""

from __future__ import annotations

from collections import Counter
from unittest.mock import patch

import pytest

from einvoice import wiring
from einvoice.errors import StoreUnavailable
from einvoice.identity import invoice_id
from einvoice.model import OrderKey
from einvoice.records import ChangedMeanwhileError, Records, Write, new
from einvoice.store.base import State
from tests.aws import TABLE
from tests.faults.moments import during
from tests.faults.table import ATTEMPTS, CLAIM, COMMIT, failing, item, land
from tests.service import MERCHANT, Service, order

KEY = OrderKey(MERCHANT, "api", "1001")
ID = invoice_id(KEY, 1)
CODES = ["ThrottlingException", "ProvisionedThroughputExceededException", "InternalServerError", "ServiceUnavailable"]
CORRECTION = {"reason": "更正備註", "corrections": {"remark": "更正"}}
VOIDING = b'"S": "VOIDING"'
REISSUING = b'"S": "REISSUING"'


# --- F29 --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("code", CODES)
def test_f29_a_claim_the_table_refuses_sends_nothing(service: Service, code: str) -> None:
    """503 "repeat it" over HTTP, back to the queue as a message; nothing was sent or stored; the repeat is issued."""
    with failing(CLAIM, code):
        answer = service.issue(order())
    assert (answer.status, answer.body["code"]) == (503, "LEDGER_UNAVAILABLE")
    assert "retry-after" in answer.headers
    with failing(CLAIM, code):
        assert service.messages("issue", {"command": "issue", **order()}) == ["0"]
    assert service.sim.calls() == []
    assert wiring.ports().store.read(KEY) is None
    assert service.issue(order()).status == 201


@pytest.mark.parametrize("code", CODES)
def test_f29_a_claim_throttled_once_is_made_by_the_sdk(service: Service, code: str) -> None:
    """One refusal is retried within the request: nobody hears of it."""
    with failing(CLAIM, code, times=1):
        assert service.issue(order()).status == 201


@pytest.mark.parametrize("marks", [VOIDING, REISSUING])
def test_f29_an_intent_the_table_refuses_sends_nothing(service: Service, marks: bytes) -> None:
    """Void and reissue alike: 503, the invoice as it was, no call; the repeat is carried out."""
    service.issue(order())
    before = item(service)
    calls = len(service.sim.calls())
    with failing(marks):
        answer = service.void(ID) if marks == VOIDING else service.reissue(ID, CORRECTION)
    assert (answer.status, answer.body["code"]) == (503, "LEDGER_UNAVAILABLE")
    assert item(service) == before
    assert len(service.sim.calls()) == calls
    assert (service.void(ID) if marks == VOIDING else service.reissue(ID, CORRECTION)).status == 201


# --- F30 --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("written", [False, True], ids=["not written", "written"])
@pytest.mark.parametrize("code", CODES)
def test_f30_a_commit_without_an_answer_is_pending_never_failed(service: Service, code: str, written: bool) -> None:
    """The SDK's attempts are used up: 202, and in the end the one invoice, whether or not the write had landed."""
    with failing(COMMIT, code, ATTEMPTS, written=written):
        answer = service.issue(order())
    assert (answer.status, answer.body["state"]) == (202, "ISSUING")
    assert (service.head("1001").state is State.ISSUED) == written
    service.settle(5)
    assert [service.head("1001").number] == service.living("1001")
    assert service.issue(order()).body["number"] == service.head("1001").number
    assert len(service.sim.calls(op="Issue")) == 1


@pytest.mark.parametrize("code", CODES)
def test_f30_a_commit_refused_once_is_made_within_the_request(service: Service, code: str) -> None:
    """The SDK's own retry is inside the reserve: 201."""
    with failing(COMMIT, code, times=1):
        assert service.issue(order()).status == 201


def test_f30_a_void_whose_commit_fails_is_pending_and_found_done(service: Service) -> None:
    """202, not "refused": recovery asks the centre and finds it void; no second void is sent."""
    service.issue(order())
    with failing(b'"st": {"S": "VOIDED"}'):
        answer = service.void(ID)
    assert (answer.status, answer.body["state"]) == (202, "VOIDING")
    service.settle(5)
    assert service.head("1001").state is State.VOIDED
    assert len(service.sim.calls(op="Invalid")) == 1


# --- F31 --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("marks", [CLAIM, COMMIT], ids=["claim", "commit"])
def test_f31_an_issue_that_meets_its_own_write_goes_on(service: Service, marks: bytes) -> None:
    """Written, answer lost, retried by the SDK: the failed condition is our own write, so 201 and one call."""
    with failing(marks, times=1, written=True):
        assert service.issue(order()).status == 201
    assert len(service.sim.calls(op="Issue")) == 1
    assert service.head("1001").ver == 2


@pytest.mark.parametrize("marks", [VOIDING, b'"st": {"S": "VOIDED"}'], ids=["intent", "commit"])
def test_f31_a_void_that_meets_its_own_write_goes_on(service: Service, marks: bytes) -> None:
    """The same for the blind, guarded intent of a void and for its commit."""
    service.issue(order())
    with failing(marks, times=1, written=True):
        assert service.void(ID).status == 201
    assert len(service.sim.calls(op="Invalid")) == 1


@pytest.mark.parametrize("marks", [REISSUING, b'"g": {"N": "2"}'], ids=["intent", "next generation"])
def test_f31_a_reissue_that_meets_its_own_write_goes_on(service: Service, marks: bytes) -> None:
    """The same for a reissue and its recovery point: one void, one new invoice."""
    service.issue(order())
    with failing(marks, times=1, written=True):
        assert service.reissue(ID, CORRECTION).status == 201
    assert len(service.living("1001")) == 1
    assert [len(service.sim.calls(op=op)) for op in ("Issue", "Invalid")] == [2, 1]


def test_f31_a_claim_that_was_written_but_never_answered_is_finished(service: Service) -> None:
    """All answers lost: 503 before anything was sent, and the stored claim is carried out or answered, once."""
    with failing(CLAIM, times=ATTEMPTS, written=True):
        answer = service.issue(order())
    assert (answer.status, answer.body["code"]) == (503, "LEDGER_UNAVAILABLE")
    assert service.sim.calls() == []
    assert service.issue(order()).status == 202
    service.settle(5)
    assert [service.head("1001").number] == service.living("1001")


# --- F32 --------------------------------------------------------------------------------------------------------------


def test_f32_the_ledger_uses_no_transactions(service: Service) -> None:
    """An order's whole life, recovery included, is single-item calls: no transaction that could conflict."""
    asked: Counter[str] = Counter()
    wiring.ports().store._client.meta.events.register(  # type: ignore[attr-defined]  # the store's own client
        "before-call.dynamodb", lambda model, **_: asked.update([model.name])
    )
    service.sim.fault("drop_before", op="Issue")
    service.issue(order())
    service.settle(5)
    service.reissue(ID, CORRECTION)
    service.void(invoice_id(KEY, 2))
    assert service.head("1001").state is State.VOIDED
    assert set(asked) == {"PutItem", "UpdateItem", "GetItem", "Query"}


@pytest.mark.parametrize(
    ("reasons", "times", "outcome"),
    [
        (["None", "TransactionConflict"], 2, None),
        (["TransactionConflict", "None"], 99, StoreUnavailable),
        (["TransactionConflict", "ConditionalCheckFailed"], 99, ChangedMeanwhileError),
        (["ThrottlingError", "None"], 99, StoreUnavailable),
        (["ConditionalCheckFailed", "None"], 99, ChangedMeanwhileError),
    ],
)
def test_f32_a_cancelled_transaction_is_judged_by_the_reason_of_each_item(
    service: Service, reasons: list[str], times: int, outcome: type[Exception] | None
) -> None:
    """Operators' changes are transactions: a conflict is tried again, a failed condition told, all or none stands."""
    client, left = service.dynamodb, [times]

    def cancel(model, **_):
        if model.name == "TransactWriteItems" and left[0] > 0:
            left[0] -= 1
            error = {
                "Error": {"Code": "TransactionCanceledException", "Message": ""},
                "CancellationReasons": [{"Code": code} for code in reasons],
            }
            raise client.exceptions.TransactionCanceledException(error, model.name)

    writes: list[Write] = [new(("M#f32", name), {"value": 1}) for name in ("A", "B")]
    client.meta.events.register("before-call.dynamodb", cancel)
    try:
        if outcome is None:
            Records(client, TABLE).write(*writes)
        else:
            with pytest.raises(outcome):
                Records(client, TABLE).write(*writes)
    finally:
        client.meta.events.unregister("before-call.dynamodb", cancel)
    stored = client.query(
        TableName=TABLE, KeyConditionExpression="pk = :pk", ExpressionAttributeValues={":pk": {"S": "M#f32"}}
    )["Items"]
    assert len(stored) == (2 if outcome is None else 0)
    for one in stored:
        client.delete_item(TableName=TABLE, Key={"pk": one["pk"], "sk": one["sk"]})


# --- F33 --------------------------------------------------------------------------------------------------------------


def test_f33_a_dead_workers_late_commit_changes_nothing(service: Service) -> None:
    """Its commit lands after another worker took over and finished: the fence refuses it, the item stays as it is."""
    with failing(COMMIT) as write:
        assert service.issue(order()).status == 202
    service.settle(5)
    before = item(service)
    assert [land(request) for request in write.kept] == [400] * ATTEMPTS
    assert item(service) == before


def test_f33_a_dead_workers_late_claim_changes_nothing(service: Service) -> None:
    """Its claim lands after the repeat was claimed and issued."""
    with failing(CLAIM) as write:
        assert service.issue(order()).status == 503
    assert service.issue(order()).status == 201
    before = item(service)
    assert [land(request) for request in write.kept] == [400] * ATTEMPTS
    assert item(service) == before
    assert len(service.sim.calls(op="Issue")) == 1


def test_f33_a_late_claim_that_finds_nothing_is_an_order_like_any_other(service: Service) -> None:
    """Told "repeat it", the caller never did: the claim that landed late is finished, and answers the late repeat."""
    with failing(CLAIM, times=ATTEMPTS) as write:
        assert service.issue(order()).status == 503
    assert land(write.kept[0]) == 200
    assert [land(request) for request in write.kept[1:]] == [400] * (ATTEMPTS - 1)
    service.settle(5)
    assert service.issue(order()).status == 200
    assert len(service.living("1001")) == 1


def test_f33_a_late_void_intent_does_not_void_what_replaced_the_invoice(service: Service) -> None:
    """The intent names its generation: landing after the reissue, it meets another one and changes nothing."""
    service.issue(order())
    with failing(VOIDING) as write:
        assert service.void(ID).status == 503
    assert service.reissue(ID, CORRECTION).status == 201
    before = item(service)
    assert [land(request) for request in write.kept] == [400] * ATTEMPTS
    service.settle(5)
    assert item(service) == before
    assert len(service.living("1001")) == 1


# --- F35 --------------------------------------------------------------------------------------------------------------


def test_f35_a_stale_index_moves_nothing_that_rests_or_is_in_work(service: Service) -> None:
    """The due index still lists a finished order, one another worker holds, and one that is gone: all left alone."""
    service.issue(order("rests"))
    stale = [OrderKey(MERCHANT, "api", order_id) for order_id in ("rests", "held", "gone", "rests")]

    def recover() -> None:
        before = [item(service, order_id) for order_id in ("rests", "held")]
        with patch.object(wiring.ports().store, "due", lambda now, limit: stale):
            assert service.recover() == {"due": 4, "busy": 4}
        assert [item(service, order_id) for order_id in ("rests", "held")] == before
        assert len(service.sim.calls()) == 1

    with during("issue", recover):
        assert service.issue(order("held")).status == 201


def test_f35_an_index_that_lists_an_order_twice_sends_once(service: Service) -> None:
    """Two recoveries, and one that sees the order twice: one takes over, the others lose the conditional write."""
    service.sim.fault("drop_before", op="Issue")
    service.issue(order())
    service.advance(120)
    with patch.object(wiring.ports().store, "due", lambda now, limit: [KEY] * 4):
        service.recover()
        service.recover()
    assert len([call for call in service.sim.calls(op="Issue") if call["committed"]]) == 1
    assert [service.head("1001").number] == service.living("1001")
