"""The operator at corrections: what an order is shown with, and what a person may bring forward, stop or mark."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from einvoice.store.base import State
from einvoice_ops.cli import main
from tests.aws import TABLE
from tests.ops.desk import audits
from tests.service import MERCHANT, Service, order, running

NOW = "2026-03-20T10:00:00+08:00"
ORDER = (MERCHANT, "api", "1001")


@pytest.fixture(scope="module")
def _running() -> Iterator[Service]:
    with running(now=NOW) as made:
        yield made


@pytest.fixture
def service(_running: Service, monkeypatch: pytest.MonkeyPatch) -> Service:
    """A running service with nothing issued, filed or audited yet, and the operator's clock in step with it."""
    _running.sim.reset()
    _running.sim.move_clock(now=_running.now().fromisoformat(NOW))
    for item in _running.dynamodb.scan(TableName=TABLE)["Items"]:
        if "#O#" in item["pk"]["S"] or item["sk"]["S"].startswith(("AUDIT#", "FILED#")):
            _running.dynamodb.delete_item(TableName=TABLE, Key={"pk": item["pk"], "sk": item["sk"]})
    monkeypatch.setenv("CLOCK_SOURCE", f"{_running.sim.url}/_control/clock")
    return _running


@pytest.fixture
def ops(service: Service, capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str]]:
    """Run one command as "on-call"; its status and what it said."""

    def command(*argv: str) -> tuple[int, str]:
        capsys.readouterr()
        return main([*argv, "--actor", "on-call"]), "".join(capsys.readouterr())

    return command


def refunded(service: Service, amount_twd: int = 100) -> None:
    """An issued, confirmed order of which a part was given back."""
    issued = service.issue(order())
    service.confirm_now("1001")
    body = {"reason": "退貨", "refund_id": "R-1", "amount_twd": amount_twd}
    assert service.allow(issued.body["id"], body).status == 201


def table(said: str, title: str) -> list[list[str]]:
    """The rows of one table of ``order show``, without its heading."""
    return [line.split() for line in said.split(f"\n{title}\n", 1)[1].split("\n\n", 1)[0].splitlines()[1:]]


def test_an_order_is_shown_with_its_documents_allowances_corrections_and_facts(service, ops):
    """Everything a person decides by, and neither lines nor buyer."""
    refunded(service)
    service.record("1001", {"consent": {"note": "客服單 88"}, "approval_no": {"value": "核准字第1號"}})
    head = service.head("1001")
    status, said = ops("order", "show", *ORDER)
    assert status == 0
    (allowance,) = head.allowances
    documents = table(said, "documents and what the ministry made of them")
    made = ["1", "allowance", allowance["number"], "uploading"]
    assert documents == [["1", "invoice", head.number, "confirmed"], made]
    assert table(said, "allowances")[0][:6] == ["1", "1", "LIVE", "refund", "100", allowance["number"]]
    assert table(said, "corrections")[0][:6] == ["1", "refund", "done", "-", "-", "F16"]
    facts = {row[0]: row[1:] for row in table(said, "recorded facts")}
    assert (facts["consent"][2], facts["approval_no"][0]) == ("k", "核准字第1號")
    assert [line.split()[-1] for line in said.splitlines() if line.startswith("left of it")] == ["950"]
    for hidden in ("測試買家", "buyer@example.com", "/ABC+123"):
        assert hidden not in said


def test_an_order_without_corrections_is_shown_without_their_tables(service, ops):
    """Only what there is: a document, and the log."""
    service.issue(order())
    _, said = ops("order", "show", *ORDER)
    assert table(said, "documents and what the ministry made of them")[0][1] == "invoice"
    assert "\nallowances\n" not in said
    assert "\ncorrections\n" not in said


def test_a_confirmation_is_brought_forward(service, ops):
    """The ministry is asked at the next run, not hours later; who wanted it is in the trail."""
    service.issue(order())
    assert service.confirm() == {"due": 0}
    assert ops("order", "confirm", *ORDER)[0] == 0
    assert audits(service, MERCHANT)[-1] == ("order confirm", "on-call")
    service.confirm()
    assert (service.head("1001").upload, service.head("1001").confirm_at) == ("confirmed", None)


def test_a_confirmation_that_nobody_waits_for_is_not_asked_for(service, ops):
    """Everything is answered already, or there is work to do first: nothing is written."""
    service.issue(order())
    service.confirm_now("1001")
    before = service.head("1001")
    assert ops("order", "confirm", *ORDER)[0] == 1
    service.sim.fault("drop_before", op="Issue")
    service.sim.fault("drop_before", op="GetIssue")
    service.issue(order("1002"))
    assert service.head("1002").due_at is not None
    assert ops("order", "confirm", MERCHANT, "api", "1002")[0] == 1
    assert (service.head("1001"), audits(service, MERCHANT)) == (before, [])


def held(service: Service) -> None:
    """A correction of a company's invoice that waits for its consent."""
    company = {"buyer": {"ubn": "53538851", "name": "測試公司", "address": "測試路 1 號", "email": "ap@example.com"}}
    service.issue(order(**company, carrier=None, print=True))
    service.confirm_now("1001")
    answer = service.correct("1001", {"goal": "cancel", "reason": "取消"})
    assert (answer.status, answer.body["correction"]["waits_for"]) == (202, "CONSENT_NEEDED")


def test_a_plan_that_waits_is_stopped_by_a_person(service, ops):
    """It is over, its log says who and why, nothing was sent, and what it waited for starts nothing any more."""
    held(service)
    calls = len(service.sim.calls())
    assert ops("order", "forget-plan", *ORDER, "--plan", "1", "--reason", "客戶改變主意")[0] == 0
    head = service.head("1001")
    assert (head.plans[0]["status"], head.plans[0]["cause"]) == ("stopped", "FORGOTTEN_BY_PERSON")
    assert (head.log[-1]["event"], head.log[-1]["by"], head.log[-1]["reason"]) == (
        "plan_forgotten",
        "on-call",
        "客戶改變主意",
    )
    assert audits(service, MERCHANT)[-1] == ("order forget-plan", "on-call")
    service.record("1001", {"consent": {"note": "遲來的同意"}, "paper_back": {}})
    service.settle()
    assert (service.head("1001").state, len(service.sim.calls())) == (State.ISSUED, calls)
    assert "on-call" in " ".join(entry["text"] for entry in service.order("1001").body["log"])


def test_the_next_plan_goes_on_when_the_first_is_stopped(service, ops):
    """What waited behind it is taken up by recovery."""
    held(service)
    held_first = service.head("1001").plans[0]["id"]
    evidence = {"consent": {"note": "ok"}}
    refund = {"goal": "refund", "reason": "退貨", "refund_id": "R-2", "refund": {"amount_twd": 50}}
    assert service.correct("1001", refund).status == 202
    assert ops("order", "forget-plan", *ORDER, "--plan", str(held_first), "--reason", "改為部分退款")[0] == 0
    service.record("1001", evidence)
    service.settle()
    assert [plan["status"] for plan in service.head("1001").plans] == ["stopped", "done"]
    assert service.head("1001").allowed_twd == 50


@pytest.mark.parametrize("plan", ["2", "0"])
def test_only_an_open_plan_is_stopped(service, ops, plan):
    """There is no such plan: refused, nothing written."""
    held(service)
    before = service.head("1001")
    assert ops("order", "forget-plan", *ORDER, "--plan", plan, "--reason", "x")[0] == 1
    assert (service.head("1001"), audits(service, MERCHANT)) == (before, [])


def test_a_plan_that_is_under_way_is_not_stopped(service, ops):
    """Its answer was lost: whether the allowance exists is not known, so nobody may say that it is over."""
    issued = service.issue(order())
    service.confirm_now("1001")
    service.sim.fault("drop_after", op="Allowance")
    service.sim.fault("drop_before", op="GetAllowanceList")
    service.allow(issued.body["id"], {"reason": "退貨", "refund_id": "R-1", "amount_twd": 100})
    before = service.head("1001")
    assert before.state is State.ALLOWING
    assert ops("order", "forget-plan", *ORDER, "--plan", "1", "--reason", "x")[0] == 1
    assert service.head("1001") == before
    service.settle()
    assert [one["status"] for one in service.head("1001").allowances] == ["LIVE"]


def test_a_plan_that_has_ended_is_not_stopped_again(service, ops):
    """What is done is done."""
    refunded(service)
    assert ops("order", "forget-plan", *ORDER, "--plan", "1", "--reason", "x")[0] == 1


# --- filed periods --------------------------------------------------------------------------------------------------


def test_a_filed_period_closes_the_void_of_its_invoices(service, ops):
    """Before the cut-off, but filed: the order is cancelled by an allowance; who filed is in the trail."""
    service.issue(order())
    service.confirm_now("1001")
    service.sim.move_clock(now=service.now().fromisoformat("2026-05-05T10:00:00+08:00"))
    status, said = ops("filing", "mark", MERCHANT, "11504")
    assert (status, "11504" in said) == (0, True)
    assert audits(service, MERCHANT) == [("filing mark", "on-call")]
    assert service.correct("1001", {"goal": "cancel", "reason": "取消"}).status == 201
    head = service.head("1001")
    assert (head.state, head.allowed_twd) == (State.ISSUED, 1050)


def test_the_first_mark_stays_and_is_shown(service, ops):
    """A second mark is refused, whatever it says, and the trail has one entry."""
    service.sim.move_clock(now=service.now().fromisoformat("2026-05-05T10:00:00+08:00"))
    at = "2026-05-02T09:00:00+08:00"
    assert ops("filing", "mark", MERCHANT, "11504", "--at", at)[0] == 0
    assert ops("filing", "mark", MERCHANT, "11504")[0] == 1
    assert ops("filing", "mark", MERCHANT, "11502")[0] == 0
    said = ops("filing", "show", MERCHANT)[1]
    assert [line.split() for line in said.splitlines()[1:]] == [
        ["11502", "2026-05-05T10:00:00+08:00"],
        ["11504", at],
    ]
    assert [action for action, _ in audits(service, MERCHANT)] == ["filing mark", "filing mark"]


@pytest.mark.parametrize(
    ("period", "at"),
    [
        ("11503", ""),  # not a two-month period
        ("11500", ""),
        ("11513", ""),
        ("2026-04", ""),
        ("00002", ""),
        ("11506", ""),  # not over
        ("11504", "2026-04-30T23:59:59+08:00"),
        ("11504", "2026-05-06T00:00:00+08:00"),
        ("11504", "2026-05-02T09:00:00"),
        ("11504", "yesterday"),
    ],
)
def test_a_mark_that_cannot_be_true_is_refused(service, ops, period, at):
    """Periods that are none, or not over; instants before their end, in the future, or without an offset."""
    service.sim.move_clock(now=service.now().fromisoformat("2026-05-05T10:00:00+08:00"))
    assert ops("filing", "mark", MERCHANT, period, *(("--at", at) if at else ()))[0] == 1
    assert audits(service, MERCHANT) == []


def test_a_monthly_filer_marks_months(service, ops):
    """Set to file monthly, its months are its periods, also the odd ones; a merchant that does not exist has none."""
    assert ops("filing", "mark", MERCHANT, "11501")[0] == 1
    assert ops("merchant", "set", MERCHANT, "filing=monthly")[0] == 0
    try:
        assert [ops("filing", "mark", MERCHANT, period)[0] for period in ("11501", "11502", "11503")] == [0, 0, 1]
    finally:
        assert ops("merchant", "set", MERCHANT, "filing=")[0] == 0
    assert ops("filing", "mark", "nobody", "11502")[0] == 1
    assert ops("filing", "show", "nobody")[0] == 1
