"""Every fault of a call, with what it commits and what the caller sees."""

from __future__ import annotations

import http.client
import json
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from simulators.ecpay import Simulator, delivery
from simulators.ecpay.faults import FAULTS
from simulators.ecpay.wire import Unreadable, decrypt
from tests.simulators.ecpay_client import MERCHANT, Client, order

GONE = (http.client.RemoteDisconnected, ConnectionError, http.client.IncompleteRead)
ROOT = Path(__file__).parents[2]


def body(client: Client, relate: str) -> bytes:
    """An Issue."""
    return client.body({"MerchantID": MERCHANT, **order(relate)})


def committed(sim: Simulator) -> list[bool]:
    """Of the log."""
    return [bool(call["committed"]) for call in sim.calls()]


@pytest.mark.parametrize(("kind", "lives"), [("drop_before", False), ("drop_after", True), ("truncated_after", True)])
def test_connection_lost(sim: Simulator, client: Client, kind: str, lives: bool) -> None:
    """The caller has no answer; the invoice lives or not as the name says; the next call is served as usual."""
    sim.fault(kind)
    with pytest.raises(GONE):
        client.post("/B2CInvoice/Issue", body(client, "F1"))
    assert (len(sim.invoices()), committed(sim)) == (lives, [lives])
    assert client.call("Issue", **order("F1")).code == (5070357 if lives else 1)


@pytest.mark.parametrize(
    ("kind", "lives", "status"),
    [
        ("http_500_before", False, 500),
        ("http_500_after", True, 500),
        ("garbage_before", False, 200),
        ("garbage_after", True, 200),
        ("redirect", False, 302),
        ("ban", False, 403),
    ],
)
def test_unreadable_answers(sim: Simulator, client: Client, kind: str, lives: bool, status: int) -> None:
    """An answer that is no envelope."""
    sim.fault(kind)
    seen, raw = client.post("/B2CInvoice/Issue", body(client, "F2"))
    assert seen == status
    with pytest.raises((json.JSONDecodeError, UnicodeDecodeError)):
        json.loads(raw)
    assert (len(sim.invoices()), committed(sim)) == (lives, [lives])


def test_wrong_key_after(sim: Simulator, client: Client) -> None:
    """A proper envelope with TransCode 1 that our key does not open; the invoice lives."""
    sim.fault("wrong_key_after")
    status, raw = client.post("/B2CInvoice/Issue", body(client, "F3"))
    assert (status, json.loads(raw)["TransCode"]) == (200, 1)
    with pytest.raises(Unreadable):
        decrypt(json.loads(raw)["Data"], client.key, client.iv)
    assert len(sim.invoices()) == 1


def test_late_answer_and_hang(sim: Simulator, client: Client) -> None:
    """A late answer was committed before the caller gave up; a hang never is. A patient caller gets the late one."""
    client.timeout = 0.2
    sim.fault("late_answer", seconds=1)
    with pytest.raises(TimeoutError):
        client.call("Issue", **order("F4"))
    sim.fault("hang")
    with pytest.raises(TimeoutError):
        client.call("Issue", **order("F5"))
    assert [one["relate_number"] for one in sim.invoices()] == ["F4"]
    client.timeout = 5
    sim.fault("late_answer", seconds=0.1)
    assert client.call("Issue", **order("F5")).code == 1


@pytest.mark.parametrize("headers", [False, True])
@pytest.mark.parametrize("lives", [False, True])
def test_drip(sim: Simulator, client: Client, lives: bool, headers: bool) -> None:
    """Every byte comes in time for a per-read timeout, the whole does not come for long."""
    sim.fault("drip", interval_s=0.002, committed=lives, headers=headers)
    began = time.monotonic()
    status, raw = client.post("/B2CInvoice/Issue", body(client, "F6"))
    assert time.monotonic() - began > 0.002 * len(raw)
    assert (status, len(sim.invoices())) == ((200, 1) if lives else (500, 0))


def test_late_arrival_follows_the_simulators_clock(sim: Simulator, client: Client) -> None:
    """Dropped now, committed at its own instant when the clock jumps far over it; a retry in between wins."""
    sim.fault("late_arrival", seconds=300, relate="late")
    sim.fault("late_arrival", seconds=300, relate="lost")
    for relate in ("LATE", "LOST"):
        with pytest.raises(GONE):
            client.post("/B2CInvoice/Issue", body(client, relate))
    assert sim.invoices() == []
    assert len(sim.pending()) == 2
    assert client.call("Issue", **order("LOST")).code == 1
    sent = sim.now()
    sim.move_clock(advance_s=86400)
    late = sim.invoices(relate="LATE")[0]
    assert abs(datetime.fromisoformat(str(late["created"])) - (sent + timedelta(seconds=300))) < timedelta(seconds=5)
    arrived = {call["relate"]: call["rtn_code"] for call in sim.calls() if call["arrived_late"]}
    assert arrived == {"LATE": 1, "LOST": 5070357}
    assert len(sim.invoices()) == 2


def test_late_arrival_in_real_time_and_hanging_caller(sim: Simulator, client: Client) -> None:
    """It also arrives by itself, while its caller is still waiting."""
    client.timeout = 0.3
    sim.fault("late_arrival", seconds=0.1, caller="hang")
    with pytest.raises(TimeoutError):
        client.call("Issue", **order("F7"))
    for _ in range(100):  # it arrives when the simulator's thread gets to it
        if sim.invoices():
            break
        time.sleep(0.05)
    assert len(sim.invoices()) == 1


@pytest.mark.parametrize(("checked", "lives"), [(True, False), (False, True)])
def test_late_arrival_and_the_ten_minutes(sim: Simulator, client: Client, checked: bool, lives: bool) -> None:
    """Older than ten minutes at arrival it is refused, unless the provider stamps it on entry."""
    sim.fault("late_arrival", seconds=700, check_timestamp=checked)
    with pytest.raises(GONE):
        client.post("/B2CInvoice/Issue", body(client, "F8"))
    sim.move_clock(advance_s=701)
    assert len(sim.invoices()) == lives
    assert sim.calls()[-1]["trans_code"] == (1 if lives else 104)


def test_ban_in_minutes_of_the_simulator(sim: Simulator, client: Client) -> None:
    """One merchant is banned until the clock says otherwise; another is not."""
    sim.add_merchant("3000001", "k" * 16, "i" * 16)
    other = Client(sim.url, merchant="3000001", key="k" * 16, iv="i" * 16)
    sim.fault("ban", minutes=30, merchant_id=MERCHANT)
    seen = [client.post("/B2CInvoice/GetIssue", body(client, "F9"))[0] for _ in range(3)]
    assert seen == [403] * 3
    assert other.call("Issue", **order("F9")).code == 1
    sim.move_clock(advance_s=1801)
    assert client.call("Issue", **order("F9")).code == 1


def test_conditions(sim: Simulator, client: Client) -> None:
    """No numbers, another clock, a ministry that is down; each only for as many calls as ordered."""
    sim.fault("exhausted", times=2)
    assert [client.call("Issue", **order("C1")).code for _ in range(3)] == [5070350, 5070350, 1]
    sim.fault("clock_off", seconds=1200)
    assert client.call("Issue", **order("C2")).envelope["TransCode"] == 104
    assert client.call("Issue", **order("C2")).code == 1
    sim.fault("maintenance", times=3)
    assert client.call("CheckBarcode", BarCode="/AB+CD12").code == 9000001
    assert client.call("CheckLoveCode", LoveCode="168001").code == 9000001
    assert client.call("GetCompanyNameByTaxID", UnifiedBusinessNo="97025978").code == 9000001
    assert client.call("CheckBarcode", BarCode="/AB+CD12").code == 1


def test_read_lag_together_with_a_lost_answer(sim: Simulator, client: Client) -> None:
    """The nastiest pair: the answer is lost and the look-up does not see the invoice yet, but a repeat is refused."""
    sim.fault("drop_after")
    sim.fault("read_lag", seconds=30)
    with pytest.raises(GONE):
        client.post("/B2CInvoice/Issue", body(client, "C3"))
    assert client.call("GetIssue", RelateNumber="C3").code == 2
    assert client.call("Issue", **order("C3")).code == 5070357
    sim.move_clock(advance_s=31)
    assert client.call("GetIssue", RelateNumber="C3").code == 1
    assert sim.calls()[0]["faults"] == ["drop_after", "read_lag"]


def test_targets_counts_and_skips(sim: Simulator, client: Client) -> None:
    """A fault meets only what it is for, lets ``skip`` pass, and ends after ``times``."""
    sim.fault("http_500_before", op="GetIssue", relate="t1", skip=1, times=2)

    def status(op: str, **data: Any) -> int:
        return client.post(f"/B2CInvoice/{op}", client.body({"MerchantID": MERCHANT, **data}))[0]

    assert status("Issue", **order("T1")) == 200
    assert status("GetIssue", RelateNumber="other") == 200
    assert [status("GetIssue", RelateNumber="T1") for _ in range(4)] == [200, 500, 500, 200]
    number = str(sim.invoices()[0]["number"])
    sim.fault("http_500_before", invoice_no=number, times=None)
    sent = {"InvoiceNo": number, "InvoiceDate": "2026-01-01"}
    assert [status("Invalid", **sent, Reason="x"), status("GetIssue", **sent)] == [500, 500]
    sim.clear_faults()
    assert status("GetIssue", **sent) == 200


def test_fault_in_the_middle_of_a_crowd(sim: Simulator, client: Client) -> None:
    """Ten of a hundred concurrent answers are lost; not one invoice is."""
    sim.fault("drop_after", times=10)

    def issue(number: int) -> bool:
        try:
            return client.call("Issue", **order(f"M{number}")).code == 1
        except GONE:
            return False

    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(issue, range(100)))
    assert (sum(answers), len(sim.invoices()), sum(committed(sim))) == (90, 100, 100)


def test_every_fault_kind_has_its_answer() -> None:
    """The table of kinds and the tables of answers name the same kinds."""
    transport = {name for name, kind in FAULTS.items() if kind.layer == "transport"}
    assert transport == {*delivery.INSTEAD, *delivery.AFTER, "late_arrival"}
    assert {name for name, kind in FAULTS.items() if kind.committed == "no"} == {*delivery.INSTEAD} - {"drip"}


def test_unknown_faults_are_refused(client: Client) -> None:
    """A misspelt fault must not be a test that passes."""
    wrong: list[dict[str, Any]] = [
        {"kind": "nothing"},
        {"kind": "hang", "minutes": 1},
        {"kind": "hang", "times": 0},
        {"kind": "late_arrival", "caller": "wait"},
        {"kind": "drip", "committed": "yes"},
        {},
    ]
    assert [client.control("POST", "faults", wish)[0] for wish in wrong] == [400] * len(wrong)
    assert client.control("GET", "faults")[1] == {"faults": []}


def test_keep_alive_serves_many_requests_on_one_connection(sim: Simulator, client: Client) -> None:
    """HTTP/1.1: the socket stays, also after a refusal."""
    connection = http.client.HTTPConnection(client.url.removeprefix("http://"), timeout=5)
    ports = set()
    for number in range(3):
        connection.request("POST", "/B2CInvoice/Issue", body(client, f"KA{number // 2}"))
        connection.getresponse().read()
        ports.add(connection.sock.getsockname())
    connection.close()
    assert (len(ports), len(sim.invoices())) == (1, 2)
