"""The page behind an address given out by InvoicePrint: a readable proof (電子發票證明聯), marked as simulated.

What stands on it and the text of its bar code: 電子發票證明聯一維及二維條碼規格說明 v1.9. It has no QR codes: their key
comes from the ministry alone.
"""

from __future__ import annotations

import html
from datetime import datetime

from simulators.ecpay.documents import Invoice
from simulators.ecpay.invoice_fields import tax_of
from simulators.ecpay.periods import stamp, term_of
from simulators.ecpay.state import Merchant, PrintOrder, World

PRINT_PATH = "/Invoice/Print/"
WIDTHS = {"1": "57mm", "2": "114mm", "3": "57mm", "4": "210mm", "5": "148mm"}  # single, double, thermal, A4, A5
STYLES = tuple(WIDTHS)
FOR_BUSINESS = {"4", "5"}


def barcode_of(invoice: Invoice) -> str:
    """The 19 characters of the Code 39: ROC year, the term's second month, number, random code."""
    year, term = term_of(invoice.created.date())
    return f"{year:03d}{term * 2:02d}{invoice.number}{invoice.random}"


def page(world: World, token: str, now: datetime) -> str | None:
    """The HTML of an address given out before; None if it is unknown or its hour is over."""
    with world.lock:
        order = world.prints.get(token)
        if order is None or now >= order.expires:
            return None
        return _html(order, world.merchants[order.invoice.merchant_id])


def _html(order: PrintOrder, seller: Merchant) -> str:
    invoice, content = order.invoice, order.invoice.content
    year, term = term_of(invoice.created.date())
    facts = {
        "期別": f"{year}年{term * 2 - 1:02d}-{term * 2:02d}月",
        "發票號碼": f"{invoice.number[:2]}-{invoice.number[2:]}",
        "開立時間": stamp(invoice.created),
        "隨機碼": invoice.random,
        "賣方": f"{seller.name} {seller.ubn}",
        **({"買方": f"{content.name} {content.ubn}", "格式": "25"} if content.ubn else {}),
        "總計": f"{content.sales_twd}",
        **({"營業稅": f"{tax_of(content)}"} if content.ubn else {}),
        **({"狀態": "已作廢"} if invoice.voided else {}),
        "條碼": barcode_of(invoice),
    }
    title = "電子發票證明聯補印" if order.reprint else "電子發票證明聯"
    rows = "".join(f"<tr><th>{html.escape(k)}</th><td>{html.escape(v)}</td></tr>" for k, v in facts.items())
    return (
        f'<!doctype html><html lang="zh-Hant"><meta charset="utf-8"><title>{title} (模擬)</title>'
        f"<style>body{{width:{WIDTHS[order.style]}}}th{{text-align:left}}</style>"
        f"<h1>{title}</h1><p>模擬器所印，不具法律效力</p><table>{rows}</table>"
        f"{_detail(invoice) if order.with_detail else ''}</html>"
    )


def _detail(invoice: Invoice) -> str:
    lines = "".join(
        f"<tr><td>{html.escape(line.name)}</td><td>{line.count}</td><td>{line.price}</td><td>{line.amount}</td></tr>"
        for line in invoice.content.lines
    )
    return f"<table><tr><th>品名</th><th>數量</th><th>單價</th><th>金額</th></tr>{lines}</table>"
