"""InvoicePrint (列印發票): an address, valid for an hour, of a page served here. ECPay developers page 7949."""

from __future__ import annotations

import html
import secrets
from datetime import datetime, timedelta

from simulators.ecpay import codes
from simulators.ecpay.codes import Refused
from simulators.ecpay.fields import Data
from simulators.ecpay.invoice_fields import tax_of
from simulators.ecpay.operations.base import Call, Operation, Reply, check_invoice_no, check_merchant
from simulators.ecpay.periods import stamp, term_of
from simulators.ecpay.state import Invoice, World

PRINT_PATH = "/Invoice/Print/"
VALID_FOR = timedelta(hours=1)


def invoice_print(call: Call, data: Data) -> Reply:
    """Only an invoice that was to be on paper has a page."""
    check_merchant(call, data)
    check_invoice_no(data)
    style = data.text("PrintStyle") or "1"
    invoice = call.invoice_of_day(data)
    if invoice is None or invoice.content.print_flag != "1":
        raise Refused(codes.NO_DATA)
    if style not in {"1", "2", "3", "4", "5"} or (style in {"4", "5"} and not invoice.content.ubn):
        raise Refused(codes.PRINT_STYLE)
    token = secrets.token_urlsafe(24)
    call.world.prints[token] = (invoice, call.now + VALID_FOR)
    return {"RtnCode": 1, "RtnMsg": "成功", "InvoiceHtml": f"{call.base_url}{PRINT_PATH}{token}"}


def page(world: World, token: str, now: datetime) -> str | None:
    """The HTML of an address given out before; None if it is unknown or its hour is over."""
    with world.lock:
        known = world.prints.get(token)
        if known is None or now >= known[1]:
            return None
        invoice = known[0]
        return _html(invoice, world.merchants[invoice.merchant_id].name)


def _html(invoice: Invoice, seller: str) -> str:
    content = invoice.content
    year, term = term_of(invoice.created.date())
    facts = {
        "期別": f"{year}年{term * 2 - 1:02d}-{term * 2:02d}月",
        "發票號碼": f"{invoice.number[:2]}-{invoice.number[2:]}",
        "開立時間": stamp(invoice.created),
        "隨機碼": invoice.random,
        "賣方": seller,
        "買方統編": content.ubn or "-",
        "總計": f"{content.sales_twd}",
        **({"營業稅": f"{tax_of(content)}"} if content.ubn else {}),
        **({"狀態": "已作廢"} if invoice.voided else {}),
    }
    rows = "".join(f"<tr><th>{html.escape(k)}</th><td>{html.escape(v)}</td></tr>" for k, v in facts.items())
    lines = "".join(
        f"<tr><td>{html.escape(line.name)}</td><td>{line.count}</td><td>{line.price}</td><td>{line.amount}</td></tr>"
        for line in content.lines
    )
    return (
        '<!doctype html><html lang="zh-Hant"><meta charset="utf-8"><title>電子發票證明聯 (模擬)</title>'
        f"<h1>電子發票證明聯</h1><p>模擬器所印，不具法律效力</p><table>{rows}</table>"
        f"<table><tr><th>品名</th><th>數量</th><th>單價</th><th>金額</th></tr>{lines}</table></html>"
    )


OPERATIONS = (Operation("InvoicePrint", invoice_print, blank={"InvoiceHtml": ""}),)
