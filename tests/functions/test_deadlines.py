"""GET /v1/deadlines: every deadline that closes in time, of this merchant alone, a bounded page at a time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from einvoice import wiring
from einvoice.model import OrderKey
from tests.service import MERCHANT, Response, Service, company, order, running

MID_PERIOD = "2026-04-10T10:00:00+08:00"
BEFORE_CUTOFF = "2026-05-12T10:00:00+08:00"
VOID_CLOSES = "2026-05-13T23:59:59+08:00"
FILING_DUE = "2026-05-15T23:59:59+08:00"
FOR_EVER_S = 365 * 86_400.0


@pytest.fixture
def service() -> Iterator[Service]:
    """A service in the middle of 115年3–4月; the ministry confirms at once."""
    with running(now=MID_PERIOD) as made:
        yield made


@pytest.fixture
def slow() -> Iterator[Service]:
    """The same, but nothing is ever uploaded."""
    with running("doc", now=MID_PERIOD) as made:
        made.sim.world.settings.upload_sent_s = made.sim.world.settings.upload_confirmed_s = FOR_EVER_S
        yield made


def asked(service: Service, merchant: str = MERCHANT, **query: str) -> Response:
    """GET /v1/deadlines."""
    return service.call("orders", "GET /v1/deadlines", None, query=query, merchant=merchant)


def lines(answer: Response) -> set[tuple[str, str, str]]:
    """Kind, document and instant of every line."""
    assert answer.status == 200, answer.body
    return {(one["kind"], one["document"], one["at"]) for one in answer.body["deadlines"]}


def codes(answer: Response) -> set[tuple[str, str]]:
    """What is wrong with a request, and where."""
    assert answer.status == 422, answer.body
    return {(one["code"], one["path"]) for one in answer.body["violations"]}


def test_an_unconfirmed_upload_is_listed_until_it_is_confirmed(slow: Service) -> None:
    """With its stricter reading, and everything needed to find the order; a company's only with more time asked for."""
    issued = slow.issue(order()).body
    slow.issue(company("2001", print=False, carrier=order()["carrier"]))
    (line,) = asked(slow).body["deadlines"]
    assert (line["kind"], line["document"], line["number"]) == ("upload", "invoice", issued["number"])
    assert (line["invoice_id"], line["allowance_id"]) == (issued["id"], None)
    assert line["order"] == {"source": "api", "order_id": "1001"}
    assert line["safe_at"] == (datetime.fromisoformat(issued["issued_at"]) + timedelta(hours=48)).isoformat()
    assert line["safe_at"] < line["at"]
    assert line["message"]
    assert line["source"]
    assert [one["order"]["order_id"] for one in asked(slow, within="7d").body["deadlines"]] == ["1001", "2001"]
    slow.sim.world.settings.upload_sent_s = slow.sim.world.settings.upload_confirmed_s = 0.0
    slow.confirm_now("1001")
    assert [one["order"]["order_id"] for one in asked(slow, within="7d").body["deadlines"]] == ["2001"]


def test_void_and_filing_close_with_the_period_and_are_told_once_for_all(service: Service) -> None:
    """Lines for the document, and one entry for the period, soonest first."""
    service.sold(order())
    assert lines(asked(service, within="30d")) == set()
    service.sim.move_clock(now=datetime.fromisoformat(BEFORE_CUTOFF))
    answer = asked(service, within="7d")
    assert [(one["kind"], one["at"]) for one in answer.body["deadlines"]] == [
        ("void", VOID_CLOSES),
        ("filing", FILING_DUE),
    ]
    assert answer.body["periods"][0] == {
        "period": "11504",
        "void_closes_at": VOID_CLOSES,
        "filing_due": FILING_DUE,
        "filed_at": None,
    }
    assert [one["period"] for one in answer.body["periods"]] == ["11504", "11506"]
    assert answer.body["invoices_of"] == ["11504", "11506", "11502"]


def test_a_filed_period_closes_nothing_any_more(service: Service) -> None:
    """Filed is filed: no void, no filing; the period's entry says since when."""
    service.sold(order())
    service.sim.move_clock(now=datetime.fromisoformat(BEFORE_CUTOFF))
    assert service.file("11504").status == 200
    answer = asked(service, within="7d")
    assert answer.body["deadlines"] == []
    assert datetime.fromisoformat(answer.body["periods"][0]["filed_at"]).date().isoformat() == "2026-05-12"


def test_who_files_every_month_has_the_months_own_days() -> None:
    """A March invoice closes in April, and filing March closes nothing of April's."""
    with running(now="2026-03-20T10:00:00+08:00", filing="monthly") as service:
        service.sold(order())
        service.sold(order("1002"), at="2026-04-01T10:00:00+08:00")
        service.sim.move_clock(now=datetime.fromisoformat("2026-04-12T10:00:00+08:00"))
        answer = asked(service, within="4d")
        # 2026-04-15 is a Wednesday
        assert lines(answer) == {
            ("void", "invoice", "2026-04-13T23:59:59+08:00"),
            ("filing", "invoice", "2026-04-15T23:59:59+08:00"),
        }
        assert [one["period"] for one in answer.body["periods"]] == ["11503", "11504"]
        assert service.file("11503").status == 200
        assert asked(service, within="4d").body["deadlines"] == []
        assert {one["order"]["order_id"] for one in asked(service, within="40d").body["deadlines"]} == {"1002"}


def test_an_allowance_has_its_own_window_and_its_invoice_is_void_no_more(service: Service) -> None:
    """The allowance made in May closes in July, with its own id; what was allowed is not offered for a void."""
    invoice = service.sold(order())
    service.sim.move_clock(now=datetime.fromisoformat("2026-05-02T10:00:00+08:00"))
    made = service.allow(invoice, {"reason": "退貨", "refund_id": "R1", "amount_twd": 100}).body["allowances"][0]
    service.confirm_now("1001")
    service.sim.move_clock(now=datetime.fromisoformat("2026-07-12T10:00:00+08:00"))
    answer = asked(service, within="7d")
    assert lines(answer) == {
        ("allowance_void", "allowance", "2026-07-13T23:59:59+08:00"),
        ("filing", "allowance", "2026-07-15T23:59:59+08:00"),
    }
    assert {one["allowance_id"] for one in answer.body["deadlines"]} == {made["id"]}
    assert {one["invoice_id"] for one in answer.body["deadlines"]} == {invoice}
    service.sim.move_clock(now=datetime.fromisoformat(BEFORE_CUTOFF))
    assert lines(asked(service, within="4d")) == {("filing", "invoice", FILING_DUE)}


def test_voids_and_earlier_generations_are_documents_too(slow: Service) -> None:
    """After a reissue: the old invoice, its void and the new one each have an upload to confirm, by their own ids."""
    old = slow.issue(order()).body["id"]
    slow.advance(3600)
    new = slow.reissue(old, {"reason": "買受人錯誤", "corrections": {"buyer": {"name": "另一位買家"}}})
    assert new.status == 201, new.body
    found = asked(slow, within="72h").body["deadlines"]
    assert (found[0]["document"], found[0]["invoice_id"]) == ("invoice", old)
    assert {(one["document"], one["invoice_id"]) for one in found[1:]} == {("invoice", new.body["id"]), ("void", old)}


def test_a_donated_invoice_is_not_offered_for_a_void(service: Service) -> None:
    """ECPay never voids one: it is allowed instead, whenever."""
    service.sold(order(carrier=None, love_code="168001"))
    service.sim.move_clock(now=datetime.fromisoformat(BEFORE_CUTOFF))
    assert lines(asked(service, within="4d")) == {("filing", "invoice", FILING_DUE)}


def test_pages_tell_everything_once_and_each_reads_no_more_than_asked(service: Service) -> None:
    """Seven orders of two periods by threes: 3 + 3 + 1, each order on one page, the last page says so."""
    for n in range(4):
        service.sold(order(f"a{n}"))
    for n in range(3):
        service.sold(order(f"b{n}"), at=f"2026-05-01T10:0{n}:00+08:00")
    service.sim.move_clock(now=datetime.fromisoformat("2026-05-13T10:00:00+08:00"))
    calls: list[Any] = []
    client = wiring.ports().store._client  # type: ignore[attr-defined]
    client.meta.events.register("before-call.dynamodb", lambda model, params, **_: calls.append((model.name, params)))
    seen: list[list[str]] = []
    cursor: dict[str, str] = {}
    for _ in range(9):
        calls.clear()
        answer = asked(service, within="62d", limit="3", **cursor)
        assert answer.status == 200, answer.body
        seen.append(sorted({one["order"]["order_id"] for one in answer.body["deadlines"]}))
        instants = [one["safe_at"] or one["at"] for one in answer.body["deadlines"]]
        assert instants == sorted(instants)
        names = [name for name, _ in calls]
        assert names.count("BatchGetItem") <= 2
        assert names.count("Query") <= 3
        assert set(names) <= {"Query", "BatchGetItem", "GetItem"}
        if answer.body["next"] is None:
            break
        cursor = {"cursor": answer.body["next"]}
    assert [len(one) for one in seen] == [3, 3, 1]
    assert sorted(order_id for page in seen for order_id in page) == ["a0", "a1", "a2", "a3", "b0", "b1", "b2"]


def test_what_is_issued_between_two_pages_moves_nothing(service: Service) -> None:
    """A reading keeps the instant it began with: a page more is neither skipped nor told twice when a period ends."""
    service.sim.move_clock(now=datetime.fromisoformat("2026-04-30T23:50:00+08:00"))
    for n in range(3):
        service.sold(order(f"a{n}"))
    first = asked(service, within="20d", limit="2")
    service.sold(order("b"), at="2026-05-01T00:10:00+08:00")
    second = asked(service, limit="200", cursor=first.body["next"])
    told = [one["order"]["order_id"] for page in (first, second) for one in page.body["deadlines"]]
    assert sorted(told) == sorted(["a0", "a1", "a2"] * 2)  # void and filing of each
    assert second.body["next"] is None


def test_a_cursor_is_its_merchants_its_questions_and_its_days(service: Service) -> None:
    """Anybody else's, another question's, an old or a made one is refused by name, never answered from elsewhere."""
    for n in range(2):
        service.sold(order(f"a{n}"))
    cursor = asked(service, within="48h", limit="1").body["next"]
    assert asked(service, cursor=cursor).status == 200
    assert asked(service, within="2d", cursor=cursor).status == 200  # the same time
    assert codes(asked(service, within="3d", cursor=cursor)) == {("BAD_CURSOR", "cursor")}
    for wrong in (cursor[:-4], cursor + "A", "", "!", "WzFd", "eyJhIjoxfQ"):
        assert codes(asked(service, cursor=wrong)) == {("BAD_CURSOR", "cursor")}
    assert codes(asked(service, "other-shop", cursor=cursor)) == {("BAD_CURSOR", "cursor")}
    service.advance(86_400 + 60)
    assert codes(asked(service, cursor=cursor)) == {("BAD_CURSOR", "cursor")}


def test_nobody_reads_another_merchants_deadlines(service: Service) -> None:
    """A merchant sees its own books alone."""
    service.sold(order())
    head = service.head("1001")
    other = replace(head, key=OrderKey("other-shop", "api", "9"), write_id="w", op="o", number="ZZ00000001")
    assert wiring.ports().store.create(other) is None
    service.sim.move_clock(now=datetime.fromisoformat(BEFORE_CUTOFF))
    assert {one["order"]["order_id"] for one in asked(service, within="7d").body["deadlines"]} == {"1001"}


@pytest.mark.parametrize(
    ("query", "wrong"),
    [
        ({"within": "48"}, {("BAD_WITHIN", "within")}),
        ({"within": "0h"}, {("BAD_WITHIN", "within")}),
        ({"within": "63d"}, {("BAD_WITHIN", "within")}),
        ({"within": "1489h"}, {("BAD_WITHIN", "within")}),
        ({"within": "４８h"}, {("BAD_WITHIN", "within")}),
        ({"limit": "0"}, {("BAD_LIMIT", "limit")}),
        ({"limit": "201"}, {("BAD_LIMIT", "limit")}),
        ({"limit": "1e2"}, {("BAD_LIMIT", "limit")}),
        (
            {"within": "soon", "limit": "-1", "cursor": "?", "witihn": "48h"},
            {("BAD_WITHIN", "within"), ("BAD_LIMIT", "limit"), ("BAD_CURSOR", "cursor"), ("UNKNOWN_FIELD", "witihn")},
        ),
    ],
)
def test_a_bad_question_names_everything_that_is_wrong(
    service: Service, query: dict[str, str], wrong: set[tuple[str, str]]
) -> None:
    """Nothing is guessed, and nothing that was misspelt is left out in silence."""
    assert codes(asked(service, **query)) == wrong


def test_the_largest_question_is_answered(service: Service) -> None:
    """The ends of what may be asked are asked."""
    assert asked(service, within="62d", limit="200").status == 200
    assert asked(service, within="1488h", limit="1").status == 200


def test_reading_is_a_scope(service: Service) -> None:
    """A key that may not read invoices may not read their deadlines."""
    answer = service.call("orders", "GET /v1/deadlines", None, scopes="invoices:write")
    assert (answer.status, answer.body["code"]) == (403, "SCOPE_MISSING")
