"""GetIssueList (查詢多筆發票): its filters, pages and both of its forms. ECPay developers page 17229."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from datetime import date

from simulators.ecpay import codes
from simulators.ecpay.codes import Refused
from simulators.ecpay.documents import Invoice
from simulators.ecpay.fields import Data
from simulators.ecpay.operations.base import Call, Operation, Reply, check_merchant
from simulators.ecpay.operations.query import award_flag, summary
from simulators.ecpay.periods import parse_day
from simulators.ecpay.state import upload_of

MAX_PER_PAGE = 200

Row = Callable[[Call, Invoice], bool]

# Query parameter: value: what an invoice must be. "0", empty and absent mean all.
FILTERS: dict[str, dict[str, Row]] = {
    "Query_Award": {"1": lambda _c, i: award_flag(i) == "1", "2": lambda _c, i: award_flag(i) != "1"},
    "Query_Invalid": {"1": lambda _c, i: i.voided is not None, "2": lambda _c, i: i.voided is None},
    "Query_Print": {
        "1": lambda _c, i: i.content.print_flag == "1",
        "2": lambda _c, i: i.content.print_flag == "0",
        "3": lambda _c, i: i.printed,
    },
    "Query_Upload": {
        "1": lambda c, i: upload_of(c.world.settings, i, c.now).status == "1",
        "2": lambda c, i: upload_of(c.world.settings, i, c.now).turnkey == "P",
        "3": lambda c, i: upload_of(c.world.settings, i, c.now).turnkey == "E",
    },
    "Query_Identifier": {"1": lambda _c, i: bool(i.content.ubn), "2": lambda _c, i: not i.content.ubn},
    "Query_TaxType": {
        "1": lambda _c, i: i.content.tax_type == "1",
        "2": lambda _c, i: i.content.tax_type == "2",
        "3": lambda _c, i: i.content.tax_type == "3",
        "4": lambda _c, i: i.content.tax_type == "4",
        "9": lambda _c, i: i.content.tax_type == "9",
    },
    "Query_Category": {  # 1 B2C service, 2 POS, 3 offline: all of ours came through the first
        "1": lambda _c, _i: True,
        "2": lambda _c, _i: False,
        "3": lambda _c, _i: False,
    },
}


def _filters(data: Data) -> list[Row]:
    chosen: list[Row] = []
    for name, rows in FILTERS.items():
        value = data.text(name) or "0"
        if value == "0":
            continue
        if value not in rows:
            raise Refused(codes.LIST_PARAMETER)
        chosen.append(rows[value])
    name, phone = data.text("Query_Customer_Name"), data.text("Query_Customer_Phone")
    if name:
        chosen.append(lambda _c, i: i.content.name == name)
    if phone:
        chosen.append(lambda _c, i: i.content.phone == phone)
    return chosen


def _days(data: Data) -> tuple[date, date]:
    begin, end = parse_day(data.text("BeginDate")), parse_day(data.text("EndDate"))
    if begin is None or end is None or begin > end:
        raise Refused(codes.LIST_PARAMETER)
    return begin, end


def get_issue_list(call: Call, data: Data) -> Reply:
    """Invoices issued from BeginDate to EndDate, newest first, a page at a time."""
    check_merchant(call, data)
    begin, end = _days(data)
    per_page, page = data.integer("NumPerPage"), data.integer("ShowingPage")
    if per_page is None or not 1 <= per_page <= MAX_PER_PAGE or page is None or page < 1:
        raise Refused(codes.LIST_PARAMETER)
    data_type = data.text("DataType") or "1"
    if data_type not in {"1", "2"}:
        raise Refused(codes.LIST_PARAMETER)
    chosen = _filters(data)
    found = [
        invoice
        for invoice in call.world.invoices.values()
        if invoice.merchant_id == call.merchant.merchant_id
        and invoice.visible_at <= call.now
        and begin <= invoice.created.date() <= end
        and all(row(call, invoice) for row in chosen)
    ]
    found.sort(key=lambda invoice: (invoice.created, invoice.number), reverse=True)
    rows = [summary(call, invoice) for invoice in found[(page - 1) * per_page : page * per_page]]
    return {
        "RtnCode": 1,
        "RtnMsg": "查詢成功",
        "TotalCount": len(found),
        "ShowingPage": page,
        "InvoiceData": rows if data_type == "1" else _csv(rows),
    }


def _csv(rows: list[Reply]) -> str:
    """A line of field names, then a line per invoice. ECPay's layout is published nowhere; this one is ours."""
    if not rows:
        return ""
    text = io.StringIO()
    writer = csv.DictWriter(text, fieldnames=list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


OPERATIONS = (
    Operation(
        "GetIssueList",
        get_issue_list,
        plain=True,
        blank={"TotalCount": 0, "ShowingPage": 0, "InvoiceData": []},
    ),
)
