"""Values nobody should send, in every field of every operation."""

from __future__ import annotations

from typing import Any

from simulators.ecpay import Simulator
from simulators.ecpay.operations import OPERATIONS
from tests.simulators.ecpay_client import Client, allowance, delayed, order

ODD: list[Any] = [
    None,
    "",
    [],
    {},
    [1],
    {"a": 1},
    -1,
    0,
    10**30,
    1.5,
    True,
    False,
    "１２３",
    "\ud800",
    "x" * 1000,
    "1e999",
    "NaN",
]


def test_no_value_of_any_type_breaks_an_operation(sim: Simulator, client: Client) -> None:
    """Whatever a field holds, every operation answers with a code, and no exception closes the connection."""
    number = client.call("Issue", **order("ODD", Print="1", CarrierType="")).data
    known = {"InvoiceNo": number["InvoiceNo"], "InvoiceDate": number["InvoiceDate"]}
    allowed = {"InvoiceNo": known["InvoiceNo"], "AllowanceNo": "1"}
    keys: dict[str, dict[str, Any]] = {
        "Issue": order("ODD2"),
        "Invalid": {**known, "Reason": "x"},
        "Allowance": {
            **allowance(known["InvoiceNo"], known["InvoiceDate"], 1),
            "CustomerName": "x",
            "NotifyMail": "",
            "NotifyPhone": "",
        },
        "VoidWithReIssue": {"VoidModel": {**known, "VoidReason": "x"}, "IssueModel": {**order("ODD"), **known}},
        "AllowanceInvalid": {"InvoiceNo": known["InvoiceNo"], "AllowanceNo": "1", "Reason": "x"},
        "GetIssue": {"RelateNumber": "ODD", **known},
        "GetIssueList": {"BeginDate": "2026-01-01", "EndDate": "2026-01-01", "NumPerPage": 1, "ShowingPage": 1},
        "GetInvalid": {"RelateNumber": "ODD", **known},
        "GetAllowanceList": {"SearchType": "1", "InvoiceNo": known["InvoiceNo"], "Date": known["InvoiceDate"]},
        "GetAllowance": {"InvoiceNo": known["InvoiceNo"], "AllowanceNo": "1"},
        "InvoicePrint": {**known, "PrintStyle": 1, "IsShowingDetail": 1, "IsReprintInvoice": "Y"},
        "CheckBarcode": {"BarCode": "/AAAAAAA"},
        "CheckLoveCode": {"LoveCode": "168001"},
        "GetCompanyNameByTaxID": {"UnifiedBusinessNo": "53538851"},
        "GetInvoiceWordSetting": {"InvoiceYear": "115", "InvoiceTerm": 0, "UseStatus": 0},
        "GetGovInvoiceWordSetting": {"InvoiceYear": "115"},
        "UpdateInvoiceWordStatus": {"TrackID": "0000000001", "InvoiceStatus": "2"},
        "AddInvoiceWordSetting": {"InvoiceYear": "115", "InvoiceTerm": 1, "InvoiceStart": "0", "InvoiceHeader": "AA"},
        "GetAllowanceInvalid": allowed,
        "GetAllowanceByCollegiate": allowed,
        "AllowanceInvalidByCollegiate": {**allowed, "Reason": "x"},
        "AllowanceByCollegiate": {
            **allowance(known["InvoiceNo"], known["InvoiceDate"], 1),
            "AllowanceNotify": "E",
            "NotifyMail": "a@example.com",
            "ReturnURL": "http://127.0.0.1:9/",
        },
        "DelayIssue": {**delayed("ODD4"), "Items": order("x")["Items"]},
        "EditDelayIssue": {"Tsr": "ODD5", "NotifyURL": "", "RelateNumber": "ODD5", "Items": order("x")["Items"]},
        "TriggerIssue": {"Tsr": "ODD5", "PayType": "2"},
        "CancelDelayIssue": {"Tsr": "ODD5"},
        "InvoiceNotify": {
            **allowed,
            "Phone": "0900000000",
            "NotifyMail": "a@example.com",
            "Notify": "A",
            "InvoiceTag": "I",
            "Notified": "C",
        },
        "GetInvoiceNotifySetting": {},
        "InvoiceNotifySetting": {
            "CostomerSetting": [{"NotifyType": 1, "NotifySwitch": 1}],
            "SelfSetting": [{"NotifyType": 1, "NotifySwitch": 1}],
            "EmailSetting": "a@example.com",
        },
        "GetRemainNotifySetting": {},
        "RemainNotifySetting": {"InvHeaderRemain": 1, "RemainWord": 1, "NotifyEmail": ""},
        "QueryBlankInvoiceList": {"InvoiceYear": "115", "InvoiceTerm": 1, "PageNo": 1, "PageSize": 1},
        "BlankInvAutoUploadSetting": {"SettingList": [{"BlankID": 1, "IsAutoUpload": 1}]},
        "DownLoadBlankInvList": {"BlankList": [1]},
    }
    assert {name.lower() for name in keys} == set(OPERATIONS)
    for op, data in keys.items():
        for field in data:
            for odd in ODD:
                assert isinstance(client.call(op, **data | {field: odd}).code, int), (op, field, odd)
    for field in order("x")["Items"][0]:
        for odd in ODD:
            item = {**order("x")["Items"][0], field: odd}
            assert isinstance(client.call("Issue", **order("ODD3", Items=[item])).code, int)
    for name, entry in (
        ("InvoiceNotifySetting", {"CostomerSetting": [{"NotifyType": 1, "NotifySwitch": 1}]}),
        ("BlankInvAutoUploadSetting", {"SettingList": [{"BlankID": 1, "IsAutoUpload": 1}]}),
    ):
        (key, (row,)) = next(iter(entry.items()))
        for field in row:
            for odd in ODD:
                assert isinstance(client.call(name, **{key: [{**row, field: odd}]}).code, int)
    sim.move_clock(advance_s=20 * 86400)  # what was delayed is tried, what was asked expires
    assert {one["state"] for one in sim.delayed()} <= {"issued", "failed", "waiting"}
    assert len(sim.calls()) == len({call["number"] for call in sim.calls()})
