"""What people recorded is kept (證明保存): with a request that was refused, and in a log full of other things."""

from __future__ import annotations

import pytest

from einvoice.application import heads
from einvoice.identity import invoice_id
from einvoice.model import OrderKey
from einvoice.store.base import Head, State
from tests.service import MERCHANT, Service, company, order

KEY = OrderKey(MERCHANT, "api", "1001")
ID = invoice_id(KEY, 1)
CANCEL = {"goal": "cancel", "reason": "訂單取消"}
REDEEMED = {"redeemed": {"note": "門市來電"}}


def recorded(service: Service) -> set[str]:
    """The names of the facts that the order has."""
    return set(service.order("1001").body["facts"])


# --- with a request that was refused ---------------------------------------------------------------------------------


def test_the_evidence_that_forbids_a_cancellation_is_kept(service: Service) -> None:
    """Refused because of it, and refused again without it: what was told once is not forgotten with its request."""
    service.sold(order())
    answers = [service.correct("1001", CANCEL | {"evidence": REDEEMED}), service.correct("1001", CANCEL)]
    assert [(one.status, one.body["code"]) for one in answers] == [(422, "PRIZE_REDEEMED")] * 2
    assert recorded(service) == {"redeemed"}
    fact = service.order("1001").body["facts"]["redeemed"]
    assert (fact["note"], fact["by"]) == ("門市來電", "k")


def test_evidence_with_a_refund_that_is_too_much_is_kept(service: Service) -> None:
    """The sum was wrong, what was recorded with it was not; it is in the log, once."""
    service.sold(order())
    answer = service.allow(ID, {"reason": "退", "refund_id": "R1", "amount_twd": 9999, "evidence": REDEEMED})
    assert (answer.status, answer.body["code"]) == (422, "EXCEEDS_REMAINING")
    assert recorded(service) == {"redeemed"}
    assert [entry["event"] for entry in service.head("1001").log].count("fact") == 1
    assert service.head("1001").plans == []


def test_evidence_in_a_message_that_is_refused_is_kept(service: Service) -> None:
    """The same from a queue."""
    service.sold(order())
    message = {"command": "allowance", "order_id": "1001", "reason": "退", "refund_id": "R1", "amount_twd": 9999}
    assert service.messages("allowance", {**message, "evidence": REDEEMED}) == []
    assert recorded(service) == {"redeemed"}


def test_a_consent_with_a_refused_request_is_nobody_elses(service: Service) -> None:
    """A consent is to one change: refused, it is not there for the next one."""
    service.sold(company("1001"))
    wish = {"reason": "退", "refund_id": "R1", "amount_twd": 9999, "evidence": {"consent": {"note": "來信"}}}
    assert service.allow(ID, wish).status == 422
    assert recorded(service) == set()
    answer = service.allow(ID, {"reason": "退", "refund_id": "R2", "amount_twd": 100})
    assert answer.body["correction"]["waits_for"] == "CONSENT_NEEDED"


def test_a_preview_records_nothing(service: Service) -> None:
    """It weighs the evidence that it is given, and leaves the order as it was."""
    service.sold(order())
    before = service.head("1001")
    answer = service.correct("1001", CANCEL | {"evidence": REDEEMED, "dry_run": True})
    assert answer.body["decision"]["cause"] == "PRIZE_REDEEMED"
    assert service.head("1001") == before


def test_evidence_that_comes_while_a_correction_waits_is_weighed_by_it(service: Service) -> None:
    """Sent with a refund that is refused meanwhile: the cancellation stops because of it, and nothing is void."""
    service.sold(company("1001"))
    assert service.correct("1001", CANCEL).body["correction"]["waits_for"] == "CONSENT_NEEDED"
    refund = {"reason": "退", "refund_id": "R1", "amount_twd": 9999, "evidence": REDEEMED}
    assert service.allow(ID, refund).status == 202
    assert recorded(service) == {"redeemed"}
    service.record("1001", {"consent": {}, "paper_back": {}})
    assert [one["cause"] for one in service.order("1001").body["corrections"]] == [
        "PRIZE_REDEEMED", "EXCEEDS_REMAINING",
    ]
    assert service.sim.calls(op="Invalid") == []


def test_a_repeat_may_bring_the_evidence_its_first_time_lacked(service: Service) -> None:
    """Asked for consent, the shop sends its request again with it: carried out; and again: nothing more is recorded."""
    service.sold(company("1001"))
    assert service.correct("1001", CANCEL).status == 202
    whole = CANCEL | {"evidence": {"consent": {"note": "來信同意"}, "paper_back": {}}}
    assert service.correct("1001", whole).status == 200
    head = service.head("1001")
    assert (head.state, [plan["status"] for plan in head.plans]) == (State.VOIDED, ["done"])
    assert head.plans[0]["consent"]["note"] == "來信同意"
    assert service.correct("1001", whole).status == 200
    assert service.head("1001") == head


# --- in a full log ---------------------------------------------------------------------------------------------------


def test_the_log_keeps_evidence_and_documents_beyond_its_length(service: Service) -> None:
    """A consent given and taken back, the invoice, an allowance: still told after sixty other facts."""
    service.sold(order())
    service.record("1001", {"consent": {"note": "第一次來信"}})
    service.record("1001", {"consent": None})
    service.allow(ID, {"reason": "退", "refund_id": "R1", "amount_twd": 100})
    for _ in range(heads.MAX_LOG + 1):
        service.record("1001", {"paid_on": {"value": "2026-03-20"}})
    log = service.order("1001").body["log"]
    assert {"issued", "allowed", "fact_taken_back"} <= {entry["event"] for entry in log}
    assert any("第一次來信" in entry["text"] for entry in log)
    assert log[-1]["event"] == "fact"


def entered(head: Head, event: str, times: int) -> Head:
    """The head with so many more entries of one event."""
    for n in range(times):
        head = heads.logged(head, 1, event, note=str(n))
    return head


@pytest.fixture
def head() -> Head:
    """An order with nothing in its log."""
    return Head(KEY, State.ISSUED, 1, 1, "w" * 32, "op", 1, 1)


def test_what_was_tried_makes_room_for_what_is_tried(head: Head) -> None:
    """However much is recorded, the newest of the rest is there; however much is tried, what was recorded is."""
    head = entered(head, "fact", 100)
    for event in ("voiding", "void_refused"):
        head = heads.logged(head, 2, event)
    assert [entry["event"] for entry in head.log[-2:]] == ["voiding", "void_refused"]
    head = entered(head, "correction_waits", 300)
    events = [entry["event"] for entry in head.log]
    assert (events.count("fact"), events.count("correction_waits")) == (100, heads.MAX_LOG)
    assert head.log[-1]["note"] == "299"


@pytest.mark.parametrize("event", sorted(heads.LASTING))
def test_what_lasts_ends_too(head: Head, event: str) -> None:
    """An item is not endless: of what lasts the newest are kept, and never more than there is room for."""
    head = entered(entered(head, "correction_waits", 500), event, 500)
    assert len(head.log) == heads.MAX_LOG + heads.MAX_LASTING
    kept = [entry["note"] for entry in head.log if entry["event"] == event]
    assert kept == [str(n) for n in range(500 - heads.MAX_LASTING, 500)]


def test_a_log_of_the_largest_entries_takes_no_more_than_it_ever_did(head: Head) -> None:
    """Notes of 200 characters, the longest there are: sixty, of which the newest and what lasts."""
    for n in range(300):
        head = heads.logged(head, 1, ("fact", "refused")[n % 2], note=f"{n:03d}" + "證" * 197, by="k" * 16)
    assert len(head.log) == heads.MAX_LOG
    assert head.log[-1]["note"].startswith("299")
    assert {entry["event"] for entry in head.log[:-1]} == {"fact"}
