"""Words for the published request fields (欄位說明), beside the models so that the functions do not load them.

A field means the same wherever it stands, but for those named with their model. The generator refuses a field without
words.
"""

from __future__ import annotations

FIELDS = {
    "CorrectionsBody.buyer": "買受人, part by part: a part left out stays, an empty one goes; null: no buyer",
    "CorrectionsBody.lines": "品項, all of them",
    "address": "買受人地址; required on paper (索取紙本)",
    "amount_twd": "品項金額 (含稅), whole TWD: quantity × unit price, rounded half up",
    "buyer": "買受人; left out for a consumer who gave nothing",
    "carrier": "載具; null for none",
    "command": "Which queue the message belongs to",
    "corrections": "What changes; left out, an invoice that is void is issued again as it was",
    "customs_mark": "通關方式註記; zero-rated only",
    "email": "電子郵件, one address",
    "idempotency_key": "冪等鍵, as the header `Idempotency-Key` of the HTTP API",
    "invoice_id": "發票識別碼 as answered by the HTTP API",
    "kind": "載具類別",
    "late_reason": "逾期開立理由, given by a person who wants an invoice after the sale's period has ended",
    "lines": "品項, at least one",
    "love_code": "捐贈碼, 3 to 7 digits",
    "merchant_id": "商店代號 of this service; the producer is trusted with it",
    "mode": "`new_number`: void, then issue anew (作廢後重開). `same_number`: withdraw and re-issue under the same "
    "number (註銷重開), where it is switched on for the merchant",
    "name": "名稱: the buyer's, or the line's 品名",
    "number": "載具號碼; empty for the member carrier (會員載具)",
    "order_id": "訂單編號 of the source, exactly as given there: case, blanks and # count",
    "order_total_twd": "訂單實際交易金額, where it is not that of the old invoice",
    "phone": "電話, digits",
    "print": "索取紙本",
    "quantity": "數量; a JSON number or plain decimal text, at most 20 digits before and after the point",
    "reason": "作廢原因; the centre and the ministry keep it",
    "remark": "備註",
    "sold_on": "銷售日 YYYY-MM-DD (Taipei); empty: the day the request is received",
    "source": "Where the order id comes from; the same order id of another source is another order",
    "special_tax_type": "特種稅額類別 1–8; special tax only, otherwise 0",
    "tax_type": "課稅別; on a line only of a mixed invoice",
    "total_twd": "發票總額 (含稅), whole TWD: the sum of the lines",
    "ubn": "統一編號, 8 digits; empty for a consumer",
    "ubn_override": "統編檢查碼不符但經人員確認無誤時的理由: the reason a person gave for accepting it",
    "unit": "單位",
    "unit_price_twd": "單價 (含稅); as `quantity`, negative for a discount",
    "zero_rate_reason": "零稅率原因 71–79; zero-rated only",
}
