"""What closes soon is told before it closes: once each, in the order's log and to operators."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from unittest.mock import patch

import pytest

from einvoice import wiring
from einvoice.application import near
from einvoice.edge import texts
from einvoice.telemetry import METRICS
from tests.service import Service, company, order, running

NOW = datetime.fromisoformat("2026-03-20T10:00:00+08:00")
CLOSES = datetime.fromisoformat("2026-05-13T23:59:59+08:00")  # the void of an invoice of that day, at ECPay
CANCEL = {"goal": "cancel", "reason": "訂單取消"}
FOR_EVER_S = 365 * 86_400.0


@pytest.fixture
def service() -> Iterator[Service]:
    """A service whose centre uploads nothing, so that the ministry confirms nothing."""
    with running("doc", now=NOW.isoformat()) as made:
        made.sim.world.settings.upload_sent_s = made.sim.world.settings.upload_confirmed_s = FOR_EVER_S
        yield made


@pytest.fixture
def observed(service: Service) -> Iterator[list[dict[str, Any]]]:
    """What operators are told of deadlines."""
    told: list[dict[str, Any]] = []

    def observe(event: str, **fields: Any) -> None:
        if event == "deadline_near":
            told.append(fields)

    ports = replace(wiring.ports(), observe=observe)
    with patch.object(wiring, "ports", lambda: ports):
        yield told


def uploads_work(service: Service) -> None:
    """The centre uploads at once from now on, what it has too."""
    service.sim.world.settings.upload_sent_s = service.sim.world.settings.upload_confirmed_s = 0.0


def told(service: Service, order_id: str = "1001") -> list[dict[str, Any]]:
    """The entries about deadlines in an order's log."""
    return [entry for entry in service.head(order_id).log if entry["event"] == "deadline_near"]


def look_at(service: Service, instant: datetime) -> None:
    """Move the clock there and run the confirmation once."""
    service.sim.move_clock(now=instant)
    service.confirm()


@pytest.mark.parametrize(
    ("body", "hours"), [(order(), 48), (company("1001", print=False, carrier=order()["carrier"]), 7 * 24)]
)
def test_an_unconfirmed_upload_is_told_of_at_half_and_at_four_fifths_of_its_time(
    service: Service, observed: list[dict[str, Any]], body: dict[str, Any], hours: int
) -> None:
    """Not a minute before, once each, however often the ministry is asked; for a company's the time is seven days."""
    assert service.issue(body).status == 201
    made = datetime.fromisoformat(service.head("1001").issued_at)
    for share, count in ((0.5, 1), (0.8, 2)):
        instant = made + timedelta(hours=hours * share)
        look_at(service, instant - timedelta(minutes=1))
        assert len(told(service)) == count - 1
        assert service.head("1001").confirm_at == int(instant.timestamp())  # nothing else has to come by
        for _ in range(3):
            look_at(service, instant)
            assert len(told(service)) == count
    look_at(service, made + timedelta(hours=hours - 1))
    assert [(one["kind"], one["hours"] > 0) for one in observed] == [("upload_50", True), ("upload_80", True)]


def test_a_confirmed_upload_is_told_of_never(service: Service) -> None:
    """The look at half its time finds it confirmed, and says only that."""
    service.issue(order())
    uploads_work(service)
    look_at(service, NOW + timedelta(hours=25))
    assert service.head("1001").upload == "confirmed"
    look_at(service, NOW + timedelta(hours=47))
    assert told(service) == []


def test_who_looks_late_tells_the_last_word_once(service: Service, observed: list[dict[str, Any]]) -> None:
    """After two days without any look one entry is made, not one for each share that passed."""
    service.issue(order())
    look_at(service, NOW + timedelta(hours=40))
    look_at(service, NOW + timedelta(hours=60))
    assert len(told(service)) == 1
    assert [one["kind"] for one in observed] == ["upload_80"]


def test_every_document_of_an_order_is_told_of_for_itself(service: Service) -> None:
    """The void of an invoice is a document with a time of its own, and its invoice's upload still counts."""
    invoice = service.issue(order()).body["id"]
    service.advance(3600)
    assert service.void(invoice).status == 201
    look_at(service, NOW + timedelta(hours=26))
    assert {(one["document"], one["kind"]) for one in told(service)} == {("invoice", "upload"), ("void", "upload")}
    look_at(service, NOW + timedelta(hours=27))
    assert len(told(service)) == 2


def test_a_correction_that_waits_for_a_person_is_told_of_48_hours_before_its_window_closes(
    service: Service, observed: list[dict[str, Any]]
) -> None:
    """With every upload confirmed nothing else would look at the order; the look costs no call to the centre."""
    uploads_work(service)
    service.issue(company("1001"))
    service.confirm_now("1001")
    assert service.correct("1001", CANCEL).body["correction"]["waits_for"] == "CONSENT_NEEDED"
    service.confirm_now("1001")
    assert service.head("1001").confirm_at == int((CLOSES - timedelta(hours=48)).timestamp())
    calls = len(service.sim.calls())
    look_at(service, CLOSES - timedelta(hours=48, minutes=1))
    assert told(service) == []
    look_at(service, CLOSES - timedelta(hours=48))
    look_at(service, CLOSES - timedelta(hours=1))
    (entry,) = told(service)
    assert (entry["kind"], entry["document"], entry["closes_at"]) == ("void", "invoice", CLOSES.isoformat())
    assert [(one["kind"], one["hours"]) for one in observed] == [("void", 48)]
    assert len(service.sim.calls()) == calls
    assert service.head("1001").confirm_at == int(CLOSES.timestamp()) + 1  # then another way is found


def test_a_correction_that_begins_to_wait_in_the_last_hours_is_told_of_at_once(service: Service) -> None:
    """Nobody has to come by: the request itself leaves the entry, and its repeat no second one."""
    uploads_work(service)
    service.issue(company("1001"))
    service.confirm_now("1001")
    service.sim.move_clock(now=CLOSES - timedelta(hours=5))
    for _ in range(2):
        assert service.correct("1001", CANCEL).status == 202
    assert service.record("1001", {"paper_back": {}}).status == 200
    assert [entry["kind"] for entry in told(service)] == ["void"]


def test_evidence_in_time_ends_the_waiting_and_nothing_is_told(service: Service) -> None:
    """What was done before the last 48 hours needs nobody."""
    uploads_work(service)
    service.issue(company("1001"))
    service.confirm_now("1001")
    service.correct("1001", CANCEL)
    assert service.record("1001", {"consent": {}, "paper_back": {}}).status == 200
    assert service.head("1001").state == "VOIDED"
    look_at(service, CLOSES - timedelta(hours=1))
    assert told(service) == []


def test_an_allowance_whose_void_waits_for_the_ministry_is_told_of_by_its_own_window(service: Service) -> None:
    """An allowance closes with its own day's period, not with its invoice's."""
    uploads_work(service)
    invoice = service.issue(order()).body["id"]
    service.confirm_now("1001")
    made = CLOSES - timedelta(days=4)
    service.sim.move_clock(now=made)
    refund = {"reason": "退貨", "refund_id": "R1", "amount_twd": 100}
    allowance = service.allow(invoice, refund).body["allowances"][0]["id"]
    service.sim.world.settings.upload_sent_s = FOR_EVER_S
    waiting = service.void_allowance(allowance)
    assert waiting.body["correction"]["waits_for"] == "NOT_UPLOADED"
    window = datetime.fromisoformat(waiting.body["correction"]["decision"]["deadline"])
    assert window > CLOSES + timedelta(days=30)
    look_at(service, made + timedelta(hours=40))
    assert [entry["kind"] for entry in told(service)] == ["upload"]
    look_at(service, window - timedelta(hours=47))
    assert [(one["kind"], one["document"]) for one in told(service)[1:]] == [("allowance_void", "allowance")]
    look_at(service, window - timedelta(hours=2))
    assert len(told(service)) == 2


def test_a_hundred_documents_alike_are_one_entry_and_leave_the_log_standing(service: Service) -> None:
    """The log keeps sixty entries; what is told of many documents at once must not push everything else out."""
    service.issue(order())
    head = service.head("1001")
    made = NOW.isoformat()
    records = [
        {"n": n, "status": "LIVE", "amount_twd": 1, "number": f"A{n}", "at": made, "upload": "uploading"}
        for n in range(1, 101)
    ]
    head = replace(head, upload="confirmed", allowances=records)
    service.sim.move_clock(now=NOW + timedelta(hours=30))
    after = near.tell(wiring.ports(), head)
    assert len(after.log) == len(head.log) + 1
    assert after.log[-1]["documents"] == 100
    assert len(after.told) == 100
    assert near.tell(wiring.ports(), after) == after
    half = replace(after, allowances=[{**one, "upload": "confirmed"} for one in records[:50]] + records[50:])
    service.sim.move_clock(now=NOW + timedelta(hours=40))
    assert len(near.tell(wiring.ports(), half).told) == 50  # what needs nothing any more is forgotten


def test_staff_reads_what_to_do_and_operators_can_count_it(service: Service) -> None:
    """The order's log has a sentence and a next step; every kind has both; the event is a metric by kind."""
    service.issue(order())
    look_at(service, NOW + timedelta(hours=30))
    (entry,) = [one for one in service.order("1001").body["log"] if one["event"] == "deadline_near"]
    assert service.head("1001").number in entry["text"]
    assert entry["next_step"]
    for kind, (_, step) in texts.DEADLINES.items():
        assert "{" not in texts.event_text({"event": "deadline_near", "kind": kind, "closes_at": "x"})
        assert texts.next_step({"event": "deadline_near", "kind": kind}) == step
    assert METRICS["deadline_near"] == ("DeadlineNear", "kind")
