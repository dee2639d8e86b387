"""Every way an order can break a rule (違規代碼), with the sentence the merchant's staff reads.

The name is the stable code; the sentence may be reworded. ``{braces}`` are filled in by the rule. No sentence repeats
what the buyer typed, so that an answer can be logged. docs/rules.md lists the same codes with their sources.
"""

from __future__ import annotations

from enum import Enum, unique

from einvoice.errors import Violation


@unique
class Code(Enum):
    """Stable code (name) and sentence (value)."""

    # text and numbers, wherever they stand
    TEXT_MISSING = "請填寫{label}。"
    TEXT_TOO_LONG = "{label}太長，最多 {max_chars} 個字，請縮短。"
    TEXT_CONTROL_CHARACTER = "{label}的第 {position} 個字是換行、Tab 或其他看不見的控制字元，請刪除後重送。"
    TEXT_ASTRAL = "{label}的第 {position} 個字是表情符號或罕用字，加值中心可能無法保存，請改用一般文字。"
    NUMBER_NOT_FINITE = "{label}不是有效的數字，請更正。"
    NUMBER_TOO_LARGE = "{label}的整數部分最多 {max_digits} 位，請更正。"
    NUMBER_TOO_FINE = "{label}的小數最多 {max_decimals} 位，請四捨五入後重送。"

    # lines and total
    LINES_MISSING = "訂單沒有任何品項，請至少填寫一項。"
    LINES_TOO_MANY = "品項共 {count} 項，一張發票最多 {max_lines} 項，請合併品項或拆成多張訂單。"
    QUANTITY_ZERO = "數量不可為 0，請更正數量或移除此品項。"
    QUANTITY_NEGATIVE = "數量不可為負數；折扣請以正的數量與負的單價表示。"
    LINE_AMOUNT_MISMATCH = "數量乘以單價四捨五入為 {expected:,} 元，與此品項金額 {given:,} 元不符，請更正。"
    SUM_MISMATCH = "各品項金額合計 {lines_total:,} 元，與發票總額 {given:,} 元不符，請更正。"
    ZERO_AMOUNT = "發票總額為 0 元，依規定不得開立發票。"
    NEGATIVE_AMOUNT = "發票總額為負數，不得開立發票；退款請改用折讓。"

    # buyer
    UBN_FORM = "統一編號必須是 8 位數字；一般消費者請留空。"
    UBN_ZERO = "統一編號不可填 00000000；一般消費者請留空。"
    UBN_CHECKSUM = "統一編號檢查碼不符，請向買受人確認；若已向主管機關查證無誤，請填寫略過檢查的理由。"
    BUYER_NAME_REQUIRED = "有統一編號或索取紙本的發票必須填寫買受人名稱。"
    BUYER_ADDRESS_REQUIRED = "索取紙本的發票必須填寫買受人地址。"
    CONTACT_REQUIRED = "請填寫買受人的電子郵件或電話，至少一項。"
    EMAIL_FORM = "電子郵件格式不正確，請填寫一個地址，例如 name@example.com。"
    PHONE_FORM = "電話只能填數字，請移除 +、- 與空白。"

    # where the invoice goes
    DELIVERY_MISSING = "請選擇索取紙本、載具或捐贈其中一項。"
    PRINT_AND_CARRIER = "使用載具的發票不可同時索取紙本，請擇一。"
    PRINT_AND_DONATION = "捐贈的發票不可同時索取紙本，請擇一。"
    CARRIER_AND_DONATION = "捐贈的發票不可同時使用載具，請擇一。"
    UBN_DONATION = "有統一編號的發票不可捐贈，請移除捐贈碼或統一編號。"
    UBN_DELIVERY_MISSING = "有統一編號的發票請選擇索取紙本，或加值中心接受的載具。"
    UBN_CARRIER_NOT_TAKEN = "加值中心不接受有統一編號的發票使用這種載具，請改為索取紙本。"
    UBN_PRINT_AND_CARRIER = "有統一編號的發票使用這種載具時不可索取紙本，請擇一。"
    CARRIER_NUMBER_MISSING = "請填寫載具號碼。"
    CARRIER_NUMBER_FORM = (
        "載具號碼格式不正確：手機條碼為 / 加 7 碼大寫英數或 + - .，自然人憑證為 2 碼大寫英文加 14 碼數字。"
        "若號碼中有空白，原本可能是 +，請向買受人確認。"
    )
    CARRIER_NUMBER_FORBIDDEN = "會員載具由加值中心給號，請勿填寫載具號碼。"
    LOVE_CODE_FORM = "捐贈碼必須是 3 到 7 位數字。"

    # tax
    TAX_TYPE_NOT_OFFERED = "加值中心不提供這種課稅別，請更正課稅別。"
    CUSTOMS_MARK_REQUIRED = "零稅率發票必須填寫通關方式註記（經海關或非經海關出口）。"
    CUSTOMS_MARK_FORBIDDEN = "只有零稅率發票可以填寫通關方式註記，請移除。"
    ZERO_RATE_REASON_REQUIRED = "零稅率發票必須填寫零稅率原因（71 至 79）。"
    ZERO_RATE_REASON_UNKNOWN = "零稅率原因必須是 71 至 79 其中之一，請更正。"
    ZERO_RATE_REASON_FORBIDDEN = "只有零稅率發票可以填寫零稅率原因，請移除。"
    SPECIAL_TAX_TYPE_REQUIRED = "特種稅額發票必須填寫特種稅額類別（1 至 8）。"
    SPECIAL_TAX_TYPE_UNKNOWN = "特種稅額類別必須是 1 至 8，請更正。"
    SPECIAL_TAX_TYPE_FORBIDDEN = "只有特種稅額發票可以填寫特種稅額類別，請移除。"
    MIXED_TAX_B2B = "有統一編號的發票不可混合不同課稅別，請依課稅別拆成多張訂單。"
    MIXED_TAX_ONE_KIND = "混合稅發票至少要有兩種課稅別的品項；只有一種時請直接使用該課稅別。"
    MIXED_TAX_ZERO_AND_EXEMPT = "零稅率與免稅的品項不可在同一張發票，請拆成多張訂單。"
    MIXED_TAX_SUBTOTAL_NEGATIVE = "同一課稅別的品項合計不可為負數，請把折扣分攤到各課稅別。"
    LINE_TAX_TYPE_REQUIRED = "混合稅發票的每個品項都必須填寫課稅別。"
    LINE_TAX_TYPE_FORBIDDEN = "只有混合稅發票的品項可以填寫課稅別，請移除。"
    LINE_TAX_TYPE_UNMIXABLE = "品項的課稅別只能是應稅、零稅率或免稅，請更正。"

    # dates
    SOLD_ON_FORM = "銷售日期必須是存在的日期，格式為 YYYY-MM-DD。"
    SOLD_ON_FUTURE = "銷售日期不可晚於今天。"


def violation(code: Code, path: str, **values: str | int) -> Violation:
    """A violation of ``code`` at ``path``; KeyError if the sentence needs a value that was not given."""
    return Violation(code.name, path, code.value.format(**values))
