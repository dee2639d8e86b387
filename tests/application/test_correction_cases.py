"""Twenty-two corrections of one sale of 1,050, each asked about first (dry_run) and then really done.

``pytest -s`` prints them as a table: id · goal · now · extra · expected · got. Sources of the answers: 統一發票使用辦法
art. 20, 21, 24; 營業稅法 art. 15; 電子發票實施作業要點 pt 3; ECPay developers pages 7901, 7906; MIG 4.1 F0501.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.service import Response, Service, company, order

CONSENT = {"consent": {"note": "買受人來信同意"}}
PAPER = {"paper_back": {"note": "櫃台收回"}}
REMARK = {"remark": "更正"}
NOTHING = [{"name": "咖啡豆 半磅", "quantity": "1", "unit": "包", "unit_price_twd": "0", "amount_twd": 0}]

#: what stands in the end: invoices that live at the centre, allowances in force, and numbers' periods of the order
Books = tuple[int, tuple[int, ...], tuple[str, ...]]


def refund(twd: int) -> dict[str, Any]:
    """A sum goes back."""
    return {"goal": "refund", "reason": "退貨", "refund_id": f"R-{twd}", "refund": {"amount_twd": twd}}


def corrected(**changes: Any) -> dict[str, Any]:
    """Another content takes the invoice's place."""
    return {"goal": "correct", "reason": "內容錯誤", "corrections": changes or REMARK}


@dataclass(frozen=True)
class Case:
    """One row: what is asked when of an invoice of which day, what the rules say, and what the books then hold."""

    id: str
    wish: dict[str, Any]
    now: str
    issued: str
    says: str  # the decision's steps, or its verdict and cause
    status: int
    books: Books
    extra: str = ""
    sale: dict[str, Any] = field(default_factory=order)
    evidence: dict[str, Any] = field(default_factory=lambda: CONSENT)
    settings: dict[str, Any] = field(default_factory=dict)
    before: Callable[[Service, str], object] = lambda service, invoice: None

    @property
    def goal(self) -> str:
        """As the table shows it."""
        amount = self.wish.get("refund", {}).get("amount_twd")
        return self.wish["goal"] if amount is None else f"refund {amount}"


def allowed_300(service: Service, invoice: str) -> None:
    """A refund of 300 stands already, and the ministry has it."""
    assert service.allow(invoice, {"reason": "退一包", "refund_id": "earlier", "amount_twd": 300}).status == 201
    service.confirm_now("1001")


def voided(service: Service, invoice: str) -> None:
    """The invoice is void already."""
    assert service.void(invoice).status == 201


def filed(service: Service, invoice: str) -> None:
    """The period was filed."""
    assert service.file("11502").status == 200


A, B = "2026-01-15", "2026-02-28"
FEBRUARY = "2026-02-20T10:00:00+08:00"
ALL_VOID: Books = (0, (), ("11502",))

CASES = (
    Case("R01", refund(1050), FEBRUARY, A, "void", 201, ALL_VOID),
    Case("R02", refund(1050), "2026-03-13T23:59:59+08:00", B, "void", 201, ALL_VOID),
    Case("R03", refund(1050), "2026-03-14T00:00:00+08:00", B, "allow 1050", 201, (1, (1050,), ("11502",))),
    Case(
        "R05", refund(1050), "2026-03-01T00:00:00+08:00", B, "allow 1050", 201, (1, (1050,), ("11502",)),
        extra="issue_period_only", settings={"void_scope": "issue_period_only"},
    ),
    Case(
        "R06", refund(1050), "2026-03-05T10:00:00+08:00", B, "allow 1050", 201, (1, (1050,), ("11502",)),
        extra="filed", before=filed,
    ),
    Case("R07", refund(300), FEBRUARY, A, "allow 300", 201, (1, (300,), ("11502",))),
    Case(
        "R08", refund(300), FEBRUARY, A, "refuse PARTIAL_UNSUPPORTED", 422, (1, (), ("11502",)),
        extra="partial unsupported", settings={"partial_allowances": False},
    ),
    Case(
        "R09", refund(800), FEBRUARY, A, "refuse EXCEEDS_REMAINING", 422, (1, (300,), ("11502",)),
        extra="300 allowed", before=allowed_300,
    ),
    Case(
        "R10", refund(750), FEBRUARY, A, "allow 750", 201, (1, (300, 750), ("11502",)),
        extra="300 allowed", before=allowed_300,
    ),
    Case(
        "R11", refund(750), FEBRUARY, A, "void_allowances, void", 202, ALL_VOID,
        extra="300 allowed, void_allowances_first", before=allowed_300, settings={"history": "void_allowances_first"},
    ),
    Case("R13", refund(1050), FEBRUARY, A, "wait PENDING", 202, ALL_VOID, extra="ISSUE_PENDING"),
    Case("R14", refund(1050), FEBRUARY, A, "refuse ALREADY_VOIDED", 422, ALL_VOID, extra="VOIDED", before=voided),
    Case("R15", refund(0), FEBRUARY, A, "refuse BAD_AMOUNT", 422, (1, (), ("11502",))),
    Case(
        "R16", refund(1050), FEBRUARY, A, "hold CONSENT_NEEDED", 202, (1, (), ("11502",)),
        extra="B2B, no consent", sale=company("1001"), evidence=PAPER,
    ),
    Case(
        "R17", refund(1050), FEBRUARY, A, "allow 1050", 201, (1, (1050,), ("11502",)),
        extra="B2B, buyer claimed", sale=company("1001"), evidence=CONSENT | {"claimed": {"note": "客戶已申報"}},
    ),
    Case(
        "R20", refund(1050), "2027-01-13T23:59:59+08:00", "2026-12-31", "void", 201, (0, (), ("11512",)),
        extra="year edge",
    ),
    Case(
        "C01", corrected(), FEBRUARY, A, "void, issue", 201, (1, (), ("11502", "11502")),
        extra="B2B", sale=company("1001"), evidence=CONSENT | PAPER,
    ),
    Case(
        "C02", corrected(), "2026-03-02T10:00:00+08:00", B, "allow 1050, issue", 202, (2, (1050,), ("11502", "11504")),
        extra="B2B", sale=company("1001"),
    ),
    Case(
        "C03", corrected(), FEBRUARY, A, "allow 750, issue", 202, (2, (300, 750), ("11502", "11502")),
        extra="300 allowed", before=allowed_300,
    ),
    Case("C05", corrected(), FEBRUARY, A, "issue", 201, (1, (), ("11502", "11502")), extra="VOIDED", before=voided),
    Case(
        "C07", corrected(lines=NOTHING, total_twd=0), FEBRUARY, A, "refuse ZERO_AMOUNT", 422, ALL_VOID,
        extra="VOIDED, total 0", before=voided,
    ),
    Case("C08", corrected(), FEBRUARY, A, "issue", 201, (1, (), ("11502",)), extra="NOT_ISSUED"),
)


def begun(service: Service, case: Case, refuse: Callable[..., None]) -> None:
    """What stands before the correction is asked for."""
    service.configure(**case.settings)
    day = f"{case.issued}T10:00:00+08:00"
    if case.extra == "ISSUE_PENDING":  # its answer was lost only now
        service.sim.move_clock(now=service.now().fromisoformat(case.now))
        service.sim.fault("drop_before", op="Issue")
        assert service.issue(case.sale).status == 202
    elif case.extra == "NOT_ISSUED":
        service.sim.move_clock(now=service.now().fromisoformat(day))
        refuse("issue", 5000022, times=1)
        assert service.issue(case.sale).body["code"] == "AMOUNT_MISMATCH"
    else:
        invoice = service.sold(case.sale, day)
        service.sim.move_clock(now=service.now().fromisoformat(case.now))
        case.before(service, invoice)


def told(answer: Response) -> str:
    """A decision, or a refusal, in the table's words."""
    if "code" in answer.body:
        found = [one["code"] for one in answer.body.get("violations", [])]
        return f"refuse {', '.join(found) or answer.body['code']}"
    decision = answer.body["decision"]
    steps = [f"{step['do']} {step.get('amount_twd', '')}".strip() for step in decision["steps"]]
    return ", ".join(steps) or f"{decision['do']} {decision['cause']}"


def books(service: Service) -> Books:
    """What the centre holds of the order."""
    head = service.head("1001")
    ours = {head.relate_number, *(past["relate_number"] for past in head.past)}
    invoices = [one for one in service.sim.invoices() if one["relate_number"] in ours]
    numbers = {one["number"] for one in invoices}
    allowances = [one for one in service.sim.allowances() if one["invoice_no"] in numbers and not one["void"]]
    periods = [past["period"] for past in head.past if past["number"]] + ([head.period] if head.number else [])
    return (
        sum(not one["void"] for one in invoices), tuple(int(str(one["amount"])) for one in allowances), tuple(periods)
    )


@pytest.fixture(scope="module")
def table() -> Iterator[list[str]]:
    """The rows, printed together in the end."""
    rows: list[str] = []
    yield rows
    print("\n" + "\n".join(rows))  # noqa: T201 — what `pytest -s` is asked for


@pytest.mark.usefixtures("configure")
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_a_correction_is_told_first_and_then_done(
    service: Service, refuse: Callable[..., None], table: list[str], case: Case
) -> None:
    """The preview changes nothing and names the lawful way; the run goes exactly that way, and the books agree."""
    begun(service, case, refuse)
    wish = case.wish | {"evidence": case.evidence}
    with service.stopped_at(case.now):
        before, calls = service.head("1001"), service.sim.calls()
        preview = service.correct("1001", wish | {"dry_run": True})
        assert service.head("1001") == before
        assert {str(call["op"]) for call in service.sim.calls()[len(calls) :]} <= {"GetInvoiceWordSetting"}
        done = service.correct("1001", wish)
    for _ in range(4):  # what must be confirmed, or looked up, first
        service.recover(1)
        service.confirm_now("1001")
    if case.extra == "ISSUE_PENDING":
        service.settle(20, 200)
    table.append(f"{case.id} · {case.goal} · {case.now} · {case.extra or '–'} · {case.says} · {told(preview)}")
    assert told(preview) == case.says
    assert (done.status, books(service)) == (case.status, case.books)


def test_every_case_of_the_table_is_here() -> None:
    """Twenty-two, each once."""
    assert len({case.id for case in CASES}) == 22
