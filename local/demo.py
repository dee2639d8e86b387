"""``python -m local.demo``: a day at a shop, told on the terminal and checked against what the centre really holds.

Ends with status 1 as soon as anything differs from what it must be.
"""

from __future__ import annotations

import signal
import sys
import time
from datetime import datetime
from http import HTTPStatus

from local import orders
from local.orders import Json
from local.processes import LocalRunError
from local.rest import Reply
from local.stack import Stack, wait_until
from local.table import table

START = "2026-03-14T10:00:00+08:00"  # inside March–April, so that no step meets a period's end
CANCELLED_ORDER = "1022"


class DifferenceError(Exception):
    """Something is not as it must be."""


def expect(holds: bool, fact: str) -> None:
    """Print the fact, or stop the demo."""
    if not holds:
        raise DifferenceError(fact)
    print(f"      ✓ {fact}")


class Shop:
    """The shop's side of the story. ``living`` is how many living invoices each order must have in the end."""

    def __init__(self, stack: Stack) -> None:
        self.stack = stack
        self.living: dict[str, int] = {}

    def post(self, title: str, body: Json) -> Reply:
        """Ask for an invoice over HTTP."""
        reply = self.stack.request("POST", "/v1/invoices", body)
        print(f"    訂單 {body['order_id']}  {title}  NT${body['total_twd']:,} → HTTP {reply.status}")
        return reply

    def issue(self, title: str, body: Json) -> Json:
        """The same, where an invoice must come of it at once."""
        invoice = created(self.post(title, body))
        self.living[body["order_id"]] = 1
        expect(bool(invoice["number"]), f"發票 {invoice['number']}，隨機碼 {invoice['random_code']}")
        return invoice

    def enqueue(self, title: str, body: Json) -> None:
        """Ask for an invoice over the queue; nobody waits for it."""
        self.stack.send("issue", body)
        self.living[body["order_id"]] = 1
        print(f"    訂單 {body['order_id']}  {title}  NT${body['total_twd']:,} → 佇列 queue")

    def order(self, order_id: str) -> Json:
        """What the service knows of an order: its invoices, its log."""
        reply = self.stack.request("GET", f"/v1/orders/api/{order_id}")
        return reply.body if reply.status == HTTPStatus.OK else {"invoices": [], "log": []}

    def invoice(self, order_id: str) -> Json:
        """The order's newest invoice, once it is issued."""

        def issued() -> Json | None:
            newest: Json = (self.order(order_id)["invoices"] or [{}])[-1]
            return newest if newest.get("state") == "ISSUED" else None

        return wait_until(f"the invoice of order {order_id}", issued)

    def held(self) -> list[Json]:
        """What the centre holds: its own list, not ours."""
        invoices: list[Json] = self.stack.control("GET", "invoices")["invoices"]
        return invoices

    def held_numbers(self) -> set[str]:
        """The numbers of every invoice the centre holds."""
        return {invoice["number"] for invoice in self.held()}


def created(reply: Reply) -> Json:
    """The invoice of a 201."""
    if reply.status != HTTPStatus.CREATED:
        raise DifferenceError(f"201 was expected, but: {reply}")
    body: Json = reply.body
    return body


def tell(shop: Shop) -> None:
    """The story, from the first order to the last comparison."""
    tea, chairs = _issue_over_http(shop)
    _issue_over_queue(shop)
    _lose_one_answer(shop)
    _lose_every_answer(shop)
    _void(shop)
    _reissue(shop, chairs)
    _repeat(shop, tea)
    _show_logs(shop)
    _compare(shop)


def _chapter(title: str) -> None:
    print(f"\n■ {title}")


def _issue_over_http(shop: Shop) -> tuple[Json, Json]:
    _chapter("開立：平台以 HTTP 送單  Issue over HTTP")
    tea = shop.issue("手機條碼載具，含折扣", orders.mobile_barcode("1018"))
    chairs = shop.issue(f"公司戶，統編 {orders.UBN}", orders.company("1019"))
    shop.issue("捐贈發票", orders.donation("1020"))
    return tea, chairs


def _issue_over_queue(shop: Shop) -> None:
    _chapter("開立：平台以佇列送單  Issue over the queue")
    shop.enqueue("應稅與免稅混合，會員載具", orders.mixed_tax("1021"))
    shop.enqueue("自然人憑證載具", orders.citizen_certificate(CANCELLED_ORDER))
    for order_id in ("1021", CANCELLED_ORDER):
        number = shop.invoice(order_id)["number"]
        expect(number in shop.held_numbers(), f"訂單 {order_id} 發票 {number}")


def _lose_one_answer(shop: Shop) -> None:
    _chapter("發票開了，答覆在半路遺失  The answer to Issue is lost")
    before = shop.held_numbers()
    shop.stack.fault("drop_after", "Issue")
    number = shop.issue("遺失開立的答覆", orders.mobile_barcode("1023"))["number"]
    expect(shop.held_numbers() - before == {number}, "查詢後認回同一張，沒有重開  adopted, not issued twice")


def _lose_every_answer(shop: Shop) -> None:
    _chapter("連查詢的答覆也遺失  The answer to the look-up is lost, too")
    before = shop.held_numbers()
    shop.stack.fault("drop_after", "Issue")
    shop.stack.fault("drop_after", "GetIssue")
    reply = shop.post("開立與查詢的答覆都遺失", orders.mobile_barcode("1024"))
    shop.living["1024"] = 1
    pending = reply.status == HTTPStatus.ACCEPTED and "retry-after" in reply.headers
    expect(pending, "回答「處理中」，不說失敗  pending, never “failed”")
    (number,) = shop.held_numbers() - before
    print("    （時鐘撥快兩分鐘，執行每分鐘一次的補救  two minutes later, recover runs）")
    shop.stack.advance(120)
    shop.stack.recover()
    expect(shop.invoice("1024")["number"] == number, f"自動認回同一張 {number}  found again by itself")
    expect(shop.held_numbers() - before == {number}, "沒有第二張  no second one")


def _void(shop: Shop) -> None:
    _chapter(f"作廢：客人取消訂單 {CANCELLED_ORDER}  Void")
    invoice = shop.invoice(CANCELLED_ORDER)
    reply = shop.stack.request("POST", f"/v1/invoices/{invoice['id']}/void", {"reason": "客戶取消訂單"})
    voided = reply.status in (HTTPStatus.OK, HTTPStatus.CREATED) and reply.body["state"] == "VOIDED"
    shop.living[CANCELLED_ORDER] = 0
    expect(voided, f"發票 {invoice['number']} 已作廢")


def _reissue(shop: Shop, invoice: Json) -> None:
    _chapter(f"再次開立：訂單 1019 統編有誤，更正為 {orders.OTHER_UBN}  Reissue")
    body = {"reason": "統編錯誤", "mode": "new_number", "corrections": {"buyer": {"ubn": orders.OTHER_UBN}}}
    number = created(shop.stack.request("POST", f"/v1/invoices/{invoice['id']}/reissue", body))["number"]
    (held,) = (held for held in shop.held() if held["number"] == number)
    corrected = number != invoice["number"] and held["ubn"] == orders.OTHER_UBN
    expect(corrected, f"{invoice['number']} 作廢，換開 {number}")


def _repeat(shop: Shop, first: Json) -> None:
    _chapter("同一個請求再送一次；同一筆訂單換了內容  The same again; another body")
    again = shop.post("完全相同", orders.mobile_barcode("1018"))
    same = again.status == HTTPStatus.OK and again.body["number"] == first["number"]
    expect(same, f"還是同一張發票 {first['number']}")
    other = shop.post("內容不同", orders.donation("1018"))
    refused = other.status == HTTPStatus.CONFLICT and other.body["code"] == "ORDER_HAS_INVOICE"
    expect(refused, f"拒絕：{other.body.get('detail')}")


def _show_logs(shop: Shop) -> None:
    _chapter("每筆訂單的操作紀錄  Every order's log")
    rows = [row for order_id in shop.living for row in _log_rows(order_id, shop.order(order_id)["log"])]
    print(table(["訂單", "時間", "事件", "號碼", "說明"], rows, " " * 4))


def _log_rows(order_id: str, log: list[Json]) -> list[list[str]]:
    """One row per entry, and one more for what to do next, where there is something."""
    rows = []
    for entry in log:
        at = datetime.fromisoformat(entry["at"]).strftime("%H:%M:%S")
        rows.append([order_id, at, entry["event"], entry["number"] or "", entry["text"]])
        if entry["next_step"]:
            rows.append(["", "", "", "", f"→ {entry['next_step']}"])
        order_id = ""
    return rows


def _compare(shop: Shop) -> None:
    _chapter("對帳：加值中心實際持有的發票  What the centre really holds")
    held = {invoice["number"]: invoice for invoice in shop.held()}
    known: list[str] = []
    rows, wrong = [], []
    for order_id, expected in shop.living.items():
        numbers = [invoice["number"] for invoice in shop.order(order_id)["invoices"]]
        living = sum(number in held and held[number]["living"] for number in numbers)
        texts = [number if held[number]["living"] else f"{number}（作廢）" for number in numbers if number in held]
        rows.append([order_id, "、".join(texts), str(living), str(expected)])
        known += numbers
        if living != expected:
            wrong.append(order_id)
    print(table(["訂單", "加值中心的發票", "有效", "應有"], rows, " " * 4))
    expect(not wrong, "每筆訂單的有效張數都正確  one order, at most one living invoice")
    expect(sorted(known) == sorted(held), "加值中心與我們的號碼完全一致  nothing lost, nothing unknown")


def main() -> int:
    """Exit status: 0 if everything was as it must be."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    started = time.monotonic()
    print("電子發票服務：整個系統在這台機器上執行  the whole system on this machine")
    try:
        with Stack(now=START) as stack:
            print(f"  template.yaml 已部署到內嵌的 AWS（{time.monotonic() - started:.1f} 秒）；加值中心是模擬的綠界")
            tell(Shop(stack))
    except (DifferenceError, LocalRunError) as error:
        print(f"\n✗ {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nstopped", file=sys.stderr)
        return 128 + signal.SIGINT
    print(f"\n全部正確  all as it must be  {time.monotonic() - started:.1f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
