"""What else a merchant sets and asks: notification and its settings, blank numbers, the draw, lists."""

from __future__ import annotations

import csv
import io
from datetime import datetime
from typing import Any

import pytest

from simulators.ecpay import Simulator
from tests.simulators.ecpay_client import COMPANY, DONATED, PAPER, Client, allowance, issued, online

JANUARY = datetime.fromisoformat("2026-01-31T23:30:00+08:00")
BY_MAIL = {"Notify": "E", "NotifyMail": "a@example.com", "Notified": "C"}


def notify(client: Client, number: str, tag: str, allowance_no: str = "", **changes: Any) -> int:
    """The code of InvoiceNotify."""
    keys = {"InvoiceNo": number, "AllowanceNo": allowance_no, "InvoiceTag": tag}
    return client.call("InvoiceNotify", **keys, **BY_MAIL | changes).code


def test_each_tag_wants_what_it_tells_of(sim: Simulator, client: Client) -> None:
    """7 where there is no such thing; a void is told of only after it, a prize only after the draw."""
    number, at = issued(client, "N1")
    assert (notify(client, number, "I"), notify(client, number, "II"), notify(client, number, "AW")) == (1, 7, 7)
    paper = client.call("Allowance", **allowance(number, at, 10)).data["IA_Allow_No"]
    asked = client.call("AllowanceByCollegiate", **online(number, at, 10)).data["IA_Allow_No"]
    before = [notify(client, number, tag, paper) for tag in ("A", "AI", "OA", "OI")]
    assert before == [1, 7, 7, 7]
    assert (notify(client, number, "A"), notify(client, number, "OA", asked)) == (7, 1)
    assert notify(client, number, "OI", asked) == 7
    client.call("AllowanceInvalid", InvoiceNo=number, AllowanceNo=paper, Reason="x")
    client.call("AllowanceInvalidByCollegiate", InvoiceNo=number, AllowanceNo=asked, Reason="x")
    after = [notify(client, number, tag, no) for tag, no in (("A", paper), ("AI", paper), ("OA", asked), ("OI", asked))]
    assert after == [7, 1, 7, 1]
    sim.award(number, 6)
    assert notify(client, number, "AW") == 1
    sim.award(number, 0)
    client.call("Invalid", InvoiceNo=number, InvoiceDate=at, Reason="x")
    assert (notify(client, number, "I"), notify(client, number, "II")) == (7, 1)
    assert notify(client, "AA00000000", "I") == 7
    assert [one["tag"] for one in sim.notifications()] == ["I", "A", "OA", "AI", "OI", "AW", "II"]
    assert client.control("GET", "notifications")[1]["notifications"] == sim.notifications()
    assert "a@example.com" not in str(sim.notifications())


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"InvoiceTag": "X"}, 5941001),
        ({"Notify": "N"}, 5941001),
        ({"Notified": ""}, 5941001),
        ({"NotifyMail": ""}, 5941002),
        ({"Notify": "S"}, 5941002),
        ({"Notify": "S", "Phone": "0900000000"}, 1),
        ({"Notify": "S", "Phone": "+886900000000"}, 5941002),
        ({"Notify": "A"}, 1),
        ({"NotifyMail": "a@example.com;b@example.com", "Notified": "A"}, 1),
        ({"NotifyMail": "a@example.com b@example.com"}, 5941002),
        ({"InvoiceTag": "OA", "Notified": "M"}, 5941003),
        ({"InvoiceTag": "OA", "Notify": "A"}, 5941003),
        ({"InvoiceNo": "A"}, 2011002),
    ],
)
def test_notify_validation(sim: Simulator, client: Client, changes: dict[str, Any], code: int) -> None:
    """A way needs its address; online allowances go to the customer by mail."""
    number, _ = issued(client, "N2")
    keys = {"InvoiceNo": number, "InvoiceTag": "I", **BY_MAIL}
    assert client.call("InvoiceNotify", **keys | changes).code == code
    assert len(sim.notifications()) == (code == 1)


def test_notification_settings(sim: Simulator, client: Client) -> None:
    """They keep what was set and nothing that was wrong; a reset forgets them, new keys do not."""
    before = client.call("GetInvoiceNotifySetting").data
    assert (len(before["CostomerSetting"]), len(before["SelfSetting"])) == (6, 8)
    changes = {"CostomerSetting": [{"NotifyType": 6, "NotifySwitch": 5}], "EmailSetting": "a@example.com"}
    assert client.call("InvoiceNotifySetting", **changes).code == 1
    wrong: list[dict[str, Any]] = [
        {"CostomerSetting": [{"NotifyType": 1, "NotifySwitch": 1}, {"NotifyType": 7, "NotifySwitch": 1}]},
        {"CostomerSetting": [{"NotifyType": 1, "NotifySwitch": 6}]},
        {"SelfSetting": [{"NotifyType": 1, "NotifySwitch": 2}]},
        {"EmailSetting": "nobody"},
    ]
    assert [client.call("InvoiceNotifySetting", **one).code for one in wrong] == [5942001] * 4
    sim.add_merchant(client.merchant, client.key, client.iv)
    after = client.call("GetInvoiceNotifySetting").data
    changed = [one for one in after["CostomerSetting"] if one not in before["CostomerSetting"]]
    assert (changed, after["EmailSetting"]) == ([{"NotifyType": 6, "NotifySwitch": 5}], "a@example.com")
    told = client.call("GetRemainNotifySetting").data
    assert (told["InvHeaderRemain"], told["RemainWord"], told["NotifyEmail"]) == (20, 2, "")
    assert client.call("RemainNotifySetting", InvHeaderRemain=5, RemainWord=1, NotifyEmail="a@example.com").code == 1
    assert client.call("RemainNotifySetting", InvHeaderRemain=5, RemainWord=3).code == 5942001
    assert client.call("GetRemainNotifySetting").data["InvHeaderRemain"] == 5
    sim.reset()
    assert client.call("GetInvoiceNotifySetting").data["CostomerSetting"] == before["CostomerSetting"]


def test_blank_numbers_of_an_ended_term(sim: Simulator, client: Client) -> None:
    """What nobody got when the term ended; not of the current term, not older than a year."""
    sim.move_clock(now=JANUARY)
    number, _ = issued(client, "B1")
    query: dict[str, Any] = {"InvoiceYear": "115", "InvoiceTerm": 1, "PageNo": 1, "PageSize": 10}
    assert client.call("QueryBlankInvoiceList", **query).code == 5943001
    sim.move_clock(advance_s=86400)
    told = client.call("QueryBlankInvoiceList", **query).code
    assert told == 5943001
    sim.move_clock(advance_s=30 * 86400)
    told = client.call("QueryBlankInvoiceList", **query).data
    rows = told["BlankList"]
    assert (told["TotalCount"], rows[0]["InvoiceHeader"], rows[0]["IsAutoUpload"]) == (2, number[:2], 0)
    assert int(rows[0]["InvoiceStart"]) == int(number[2:]) + 1
    pages = [client.call("QueryBlankInvoiceList", **query | {"PageNo": page, "PageSize": 1}).data for page in (1, 2, 3)]
    assert [page["BlankList"] for page in pages] == [rows[:1], rows[1:], []]
    blank = rows[0]["BlankID"]
    setting = {"SettingList": [{"BlankID": blank, "IsAutoUpload": 1}]}
    assert client.call("BlankInvAutoUploadSetting", **setting).code == 1
    unknown = [*setting["SettingList"], {"BlankID": 999, "IsAutoUpload": 0}]
    assert client.call("BlankInvAutoUploadSetting", SettingList=unknown).code == 7
    assert client.call("BlankInvAutoUploadSetting", SettingList=[]).code == 5943002
    assert client.call("QueryBlankInvoiceList", **query).data["BlankList"][0]["IsAutoUpload"] == 1
    assert client.call("DownLoadBlankInvList", BlankList=[blank]).code == 1
    assert client.call("DownLoadBlankInvList", BlankList=[999]).code == 7
    assert client.call("DownLoadBlankInvList", BlankList=[]).code == 5943002
    wrong: list[tuple[dict[str, Any], int]] = [
        ({"InvoiceTerm": 7}, 5943001),
        ({"InvoiceYear": "114", "InvoiceTerm": 1}, 5943001),
        ({"InvoiceYear": "114", "InvoiceTerm": 2}, 1),
        ({"PageSize": 0}, 5943002),
        ({"PageNo": 0}, 5943002),
    ]
    seen = [client.call("QueryBlankInvoiceList", **query | changes).code for changes, _ in wrong]
    assert seen == [code for _, code in wrong]


def test_the_draw(sim: Simulator, client: Client) -> None:
    """Empty before it, then 0 or 1 and the kind of prize; businesses, donors and void invoices win nothing."""

    def flag(relate: str) -> tuple[str, int]:
        found = client.call("GetIssue", RelateNumber=relate).data
        return found["IIS_Award_Flag"], found["IIS_Award_Type"]

    won, lost = issued(client, "W1")[0], issued(client, "W2")[0]
    assert flag("W1") == ("", 0)
    assert client.control("POST", f"invoices/{won}", {"award": 11})[1]["invoices"][0]["award"] == 11
    assert client.control("POST", f"invoices/{lost}", {"award": 0})[0] == 200
    assert (flag("W1"), flag("W2")) == (("1", 11), ("0", 0))
    listing = {"BeginDate": "2000-01-01", "EndDate": "2899-01-01", "NumPerPage": 9, "ShowingPage": 1}
    awarded = client.call("GetIssueList", **listing, Query_Award="1").data["InvoiceData"]
    assert [row["IIS_Number"] for row in awarded] == [won]
    for relate, changes in (("W3", COMPANY), ("W4", DONATED)):
        assert client.control("POST", f"invoices/{issued(client, relate, **changes)[0]}", {"award": 1})[0] == 400
    assert (flag("W3"), flag("W4")) == (("X", 0), ("", 0))
    number, at = issued(client, "W5")
    client.call("Invalid", InvoiceNo=number, InvoiceDate=at, Reason="x")
    assert client.control("POST", f"invoices/{number}", {"award": 1})[0] == 400
    for wrong in ({"award": 13}, {"award": "1"}, {"award": True}, {}, {"prize": 1}):
        assert client.control("POST", f"invoices/{won}", wrong)[0] == 400
    assert client.control("POST", "invoices/AA00000000", {"award": 1})[0] == 404
    assert client.control("POST", f"invoices/{won}", {"award": None})[0] == 200
    assert flag("W1") == ("", 0)
    assert sim.invoices(relate="W1")[0]["award"] is None


def test_list_as_csv_and_by_what_was_printed(client: Client) -> None:
    """DataType 2 is the same rows as text; Query_Print 3 are those whose page was asked for."""
    first, second = issued(client, "K1", **PAPER), issued(client, "K2", **PAPER)
    client.call("InvoicePrint", InvoiceNo=first[0], InvoiceDate=first[1])
    keys = {"BeginDate": "2000-01-01", "EndDate": "2899-01-01", "NumPerPage": 200, "ShowingPage": 1}
    as_rows = client.call("GetIssueList", **keys).data
    as_text = client.call("GetIssueList", **keys, DataType="2").data
    read = list(csv.DictReader(io.StringIO(as_text["InvoiceData"])))
    assert (as_text["TotalCount"], read) == (
        2,
        [{name: str(value) for name, value in row.items()} for row in as_rows["InvoiceData"]],
    )
    assert client.call("GetIssueList", **keys | {"ShowingPage": 2}, DataType=2).data["InvoiceData"] == ""
    assert client.call("GetIssueList", **keys, DataType="3").code == 5917001
    printed = client.call("GetIssueList", **keys, Query_Print="3").data["InvoiceData"]
    assert [row["IIS_Number"] for row in printed] == [first[0]]
    assert [row["IIS_Number"] for row in client.call("GetIssueList", **keys, Query_Print="1").data["InvoiceData"]] == [
        second[0],
        first[0],
    ]


def test_list_by_upload_award_and_phone(sim: Simulator, client: Client) -> None:
    """Uploaded, not, refused; won or not; whose phone."""
    refused = issued(client, "U1", CustomerPhone="0900000001")[0]
    won = issued(client, "U2")[0]
    sim.fail_upload(refused)
    sim.award(won, 1)
    keys = {"BeginDate": "2000-01-01", "EndDate": "2899-01-01", "NumPerPage": 200, "ShowingPage": 1}

    def listed(**query: str) -> list[str]:
        return [row["IIS_Number"] for row in client.call("GetIssueList", **keys, **query).data["InvoiceData"]]

    assert [listed(Query_Upload=value) for value in "0123"] == [[won, refused], [won], [], [refused]]
    assert [listed(Query_Award=value) for value in "012"] == [[won, refused], [won], [refused]]
    assert (listed(Query_Customer_Phone="0900000001"), listed(Query_Customer_Phone="09")) == ([refused], [])
