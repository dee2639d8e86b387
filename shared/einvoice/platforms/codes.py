"""Every way a platform's order or notice can be unfit (違規代碼), with the sentence the merchant's staff reads.

The name is the stable code; the sentence may be reworded. ``{braces}`` are filled in where it is raised. No sentence
repeats what the buyer typed, so that it can be logged. What the law forbids is not here but in ``rules``.
"""

from __future__ import annotations

from enum import Enum, unique

from einvoice.errors import Violation


@unique
class Code(Enum):
    """Stable code (name) and sentence (value)."""

    # the notice
    HEADER_MISSING = "通知缺少標頭 {name}，或同一標頭出現多次。"
    SHOP_FORM = "通知的商店網域不是此平台的商店。"
    TOPIC_NOT_ABOUT_ORDERS = "此通知與訂單無關，不需處理。"
    BODY_UNREADABLE = "通知內容不是可讀的 JSON 物件。"
    ORDER_ID_MISSING = "找不到訂單的平台編號。"

    # the order's figures
    NOT_TWD = "訂單幣別不是新臺幣，不得開立發票。"
    ZERO_TOTAL = "訂單實付金額為 0 元，依規定不得開立發票。"
    TOTAL_MISMATCH = "品項、運費與折抵合計 {found:,} 元，與訂單實付金額 {total:,} 元不符，請人工確認。"
    NUMBER_MISSING = "訂單缺少必要的金額或數量。"
    NUMBER_UNREADABLE = "訂單的金額或數量不是可讀的數字。"
    NUMBER_OUT_OF_RANGE = "訂單的金額或數量超出合理範圍。"
    NOT_WHOLE_TWD = "新臺幣金額必須是整數元，請人工確認。"
    AMOUNT_NEGATIVE = "訂單的金額不可為負數，請人工確認。"
    TAX_NOT_INCLUDED = "商店設定為未稅價，請改為商品含稅價後重送。"
    TAX_TYPE_UNKNOWN = "無法辨識品項的課稅別。"
    LINES_UNREADABLE = "找不到訂單品項，或其內容無法辨識。"
    TIME_UNREADABLE = "訂單的時間無法辨識。"

    # what the buyer chose
    INVOICE_TYPE_UNKNOWN = "無法辨識買受人選擇的發票類型，請人工確認。"
    UBN_MISSING = "買受人選擇公司發票，但沒有統一編號，請向買受人確認。"
    CARRIER_NUMBER_MISSING = "買受人選擇載具，但沒有載具號碼，請向買受人確認。"
    LOVE_CODE_MISSING = "買受人選擇捐贈，但沒有捐贈碼，請向買受人確認。"
    CARRIER_AMBIGUOUS = "訂單同時有手機條碼與自然人憑證，請向買受人確認使用哪一種載具。"
    PLACE_AMBIGUOUS = "同一項發票資料在訂單中有多個不同的值，請人工確認。"
    PLACE_UNREADABLE = "訂單中的發票資料不是文字，請人工確認。"
    PRINT_WISH_UNREADABLE = "無法辨識買受人是否索取紙本，請人工確認。"


def violation(code: Code, path: str, **values: str | int) -> Violation:
    """A violation of ``code`` at ``path``; KeyError if the sentence needs a value that was not given."""
    return Violation(code.name, path, code.value.format(**values))
