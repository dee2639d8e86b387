"""``python -m local.demo``: days at a shop, told on the terminal and checked against what the centre really holds.

Ends with status 1 as soon as anything differs from what it must be.
"""

from __future__ import annotations

import signal
import sys
import time
from datetime import datetime
from http import HTTPStatus

from local import orders
from local.demo_shop import DifferenceError, Shop, created, expect
from local.orders import Json
from local.processes import LocalRunError
from local.rest import Reply
from local.stack import Stack
from local.table import table

START = "2026-02-26T10:00:00+08:00"  # inside January–February; the next period comes where the story wants it
NEXT_PERIOD = "2026-03-14T10:00:00+08:00"  # a void of January–February ended on the 13th: ECPay developers page 7906
CANCELLED_ORDER = "1022"


def tell(shop: Shop) -> None:
    """The story, from the first order to the last comparison."""
    tea, chairs = _issue_over_http(shop)
    _issue_over_queue(shop)
    _lose_one_answer(shop)
    _lose_every_answer(shop)
    _void(shop)
    _reissue(shop, chairs)
    _repeat(shop, tea)
    _refund(shop)
    _correct_later(shop)
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


def _refund(shop: Shop) -> None:
    _chapter("部分退款：三件各退一次，開立折讓  Refunds, one piece at a time")
    invoice = shop.issue("三件同價的商品", orders.refundable("1025"))
    print("    （隔天，發票已上傳財政部  the next day, the ministry has the invoice）")
    shop.upload()
    for n in (1, 2, 3):
        reply = _give_back(shop, invoice, n)
        expect(reply.status == HTTPStatus.CREATED, f"折讓單 {reply.body['allowances'][-1]['number']}，350 元")
    again = _give_back(shop, invoice, 3)
    same = again.status == HTTPStatus.OK and shop.allowances_of(invoice["number"]) == [350] * 3
    expect(same, "同一筆退款再送一次，不會多折讓  the same refund again changes nothing")
    refused = _give_back(shop, invoice, 4)
    shop.living["1025"] = 0
    expect(refused.body.get("code") == "EXCEEDS_REMAINING", f"拒絕：{refused.body.get('detail')}")
    (held,) = (held for held in shop.held() if held["number"] == invoice["number"])
    left = (shop.allowances_of(invoice["number"]), held["remaining"], held["void"])
    expect(left == ([350] * 3, 0, False), "加值中心持有三張折讓單，發票餘額 0  no more than was paid")


def _give_back(shop: Shop, invoice: Json, n: int) -> Reply:
    body = {"reason": "退貨一件", "refund_id": f"R{n}", "amount_twd": 350}
    reply = shop.stack.request("POST", f"/v1/invoices/{invoice['id']}/allowances", body)
    print(f"    退款 R{n}  NT$350 → HTTP {reply.status}")
    return reply


def _correct_later(shop: Shop) -> None:
    _chapter("跨期更正：二月的發票，三月十四日才發現統編有誤  A correction in the next period")
    first = shop.issue(f"公司戶，統編 {orders.UBN}", orders.company("1026"))
    shop.stack.move_to(NEXT_PERIOD)
    shop.stack.confirm()
    wanted = {
        "goal": "correct",
        "reason": "統編錯誤",
        "corrections": {"buyer": {"ubn": orders.OTHER_UBN}},
        "evidence": {"consent": {"note": "買受人來函"}},
    }
    reply = shop.stack.request("POST", "/v1/orders/api/1026/corrections", wanted)
    print(f"    更正為 {orders.OTHER_UBN} → HTTP {reply.status}")
    expect(reply.status == HTTPStatus.ACCEPTED, "期限已過，不能作廢：全額折讓後等上傳  too late for a void")
    allowed = shop.allowances_of(first["number"])
    expect(allowed == [first["total_twd"]], f"{first['number']} 折讓 100%，NT${sum(allowed):,}")
    print("    （隔天，折讓單已上傳財政部  the next day, the ministry has the allowance）")
    shop.upload()
    second = shop.invoice("1026")
    held = {held["number"]: held for held in shop.held() if held["number"] in (first["number"], second["number"])}
    replaced = second["number"] != first["number"] and second["period"] == "11504"
    expect(replaced and held[second["number"]]["ubn"] == orders.OTHER_UBN, f"換開 11504 期 {second['number']}")
    old = held[first["number"]]
    expect((old["void"], old["remaining"]) == (False, 0), f"{first['number']} 沒有作廢，餘額 0  not void, nothing left")


def _show_logs(shop: Shop) -> None:
    _chapter("每筆訂單的操作紀錄  Every order's log")
    rows = [row for order_id in shop.living for row in _log_rows(order_id, shop.order(order_id)["log"])]
    print(table(["訂單", "時間", "事件", "號碼", "說明"], rows, " " * 4))


def _log_rows(order_id: str, log: list[Json]) -> list[list[str]]:
    """One row per entry, and one more for what to do next, where there is something."""
    rows = []
    for entry in log:
        at = datetime.fromisoformat(entry["at"]).strftime("%m-%d %H:%M")
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
        texts = [f"{number}{_fate(held[number])}" for number in numbers if number in held]
        rows.append([order_id, "、".join(texts), str(living), str(expected)])
        known += numbers
        if living != expected:
            wrong.append(order_id)
    print(table(["訂單", "加值中心的發票", "有效", "應有"], rows, " " * 4))
    expect(not wrong, "每筆訂單的有效張數都正確  one order, at most one living invoice")
    expect(sorted(known) == sorted(held), "加值中心與我們的號碼完全一致  nothing lost, nothing unknown")


def _fate(held: Json) -> str:
    if held["living"]:
        return ""
    return "（作廢）" if held["void"] else "（全額折讓）"


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
