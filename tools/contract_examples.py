"""Examples for the published contract (範例): invented orders, ids as the service derives them, checked by tests."""

from __future__ import annotations

from typing import Any

from einvoice.edge import texts
from einvoice.errors import Reason
from einvoice.identity import allowance_id, allowance_name, invoice_id, relate_number
from einvoice.model import OrderKey

Json = dict[str, Any]

KEY = OrderKey("demo-shop", "api", "1001")
FIRST, SECOND = invoice_id(KEY, 1), invoice_id(KEY, 2)
ALLOWANCE_ID, CALLBACK_NAME = allowance_id(KEY, 1), allowance_name(relate_number("dev", KEY, 1), 1)

LINES = [{"name": "咖啡豆 半磅", "quantity": "2", "unit": "包", "unit_price_twd": "525", "amount_twd": 1050}]
CONSUMER: Json = {
    "order_id": "1001",
    "buyer": {"name": "測試買家", "email": "buyer@example.com"},
    "carrier": {"kind": "mobile_barcode", "number": "/ABC+123"},
    "lines": LINES,
    "total_twd": 1050,
}
COMPANY: Json = {
    "order_id": "2001",
    "buyer": {"ubn": "53538851", "name": "測試股份有限公司", "address": "測試市測試路 1 號", "email": "ap@example.com"},
    "print": True,
    "lines": LINES,
    "total_twd": 1050,
}
CONTENT: Json = {
    "buyer": CONSUMER["buyer"],
    "carrier": CONSUMER["carrier"],
    "lines": LINES,
    "tax_type": "taxable",
    "total_twd": 1050,
}
VOID: Json = {"reason": "訂單取消"}
REISSUE: Json = {
    "reason": "補統一編號",
    "corrections": {"buyer": COMPANY["buyer"], "carrier": None, "print": True},
}

ISSUED: Json = {
    "id": FIRST,
    "source": "api",
    "order_id": "1001",
    "generation": 1,
    "state": "ISSUED",
    "state_text": texts.STATES["ISSUED"],
    "number": "ZZ10000001",
    "issued_at": "2026-03-14T10:20:30+08:00",
    "random_code": "4821",
    "period": "11504",
    "total_twd": 1050,
    "relate_number": relate_number("dev", KEY, 1),
    "provider": "ecpay",
    "upload": "uploading",
    "remaining_twd": 1050,
    "effective": False,
    "cause": None,
    "next_action": None,
    "next_step": None,
    "refusal": None,
    "attention": None,
    "void": None,
    "replaces": None,
    "replaced_by": None,
}
PENDING = ISSUED | {
    "state": "ISSUING",
    "state_text": texts.STATES["ISSUING"],
    "number": None,
    "issued_at": None,
    "random_code": None,
    "period": None,
    "upload": "none",
    "remaining_twd": None,
    "cause": "TIMEOUT",
    "next_action": "WAIT",
    "next_step": texts.NEXT_STEPS["WAIT"],
}
ATTENTION = PENDING | {
    "cause": "DIFFERENT_DOCUMENT",
    "next_action": "ASK_A_PERSON",
    "next_step": texts.NEXT_STEPS["ASK_A_PERSON"],
    "attention": {
        "cause": "DIFFERENT_DOCUMENT",
        "since": "2026-03-14T10:25:31+08:00",
        "ours": {"total_twd": "1050"},
        "theirs": {"number": "ZZ10000001", "total_twd": "1000"},
    },
}
VOIDED = ISSUED | {
    "state": "VOIDED",
    "state_text": texts.STATES["VOIDED"],
    "remaining_twd": None,
    "void": {"reason": "訂單取消", "at": "2026-03-15T09:00:00+08:00"},
}
REPLACED = VOIDED | {
    "remaining_twd": 0,
    "void": {"reason": "補統一編號", "at": "2026-03-15T09:00:00+08:00"},
    "replaced_by": SECOND,
}
REISSUED = ISSUED | {
    "id": SECOND,
    "generation": 2,
    "number": "ZZ10000002",
    "issued_at": "2026-03-15T09:00:01+08:00",
    "random_code": "0937",
    "relate_number": relate_number("dev", KEY, 2),
    "replaces": FIRST,
}
WITH_CONTENT = ISSUED | {"content": CONTENT}
CORRECTED = {"buyer": COMPANY["buyer"], "lines": LINES, "print": True, "tax_type": "taxable", "total_twd": 1050}
ORDER: Json = {
    "source": "api",
    "order_id": "1001",
    "state": "ISSUED",
    "state_text": texts.STATES["ISSUED"],
    "want": None,
    "attention": None,
    "invoices": [REPLACED | {"content": CONTENT}, REISSUED | {"content": CORRECTED}],
    "allowances": [],
    "corrections": [],
    "facts": {},
    "log": [
        {
            "at": "2026-03-14T10:20:30+08:00",
            "event": "issued",
            "text": texts.event_text({"event": "issued", "number": "ZZ10000001"}),
            "next_step": None,
            "number": "ZZ10000001",
            "cause": None,
        }
    ],
}
PRINT: Json = {"url": "https://einvoice.example.com/Print?token=abc"}
HEALTH: Json = {"status": "ok"}


def problem(status: int, code: str, detail: str, next_action: Reason, **more: object) -> Json:
    """A problem document as the service writes it."""
    return {
        "type": f"urn:einvoice:problem:{code.lower().replace('_', '-')}",
        "title": code,
        "status": status,
        "detail": detail,
        "code": code,
        "next_action": next_action.value,
        "next_step": texts.PROBLEM_STEPS[next_action.value],
        **more,
    }


_REFUSED = PENDING | {
    "state": "REFUSED",
    "state_text": texts.STATES["REFUSED"],
    "cause": "AMOUNT_MISMATCH",
    "next_action": "FIX_REQUEST",
    "next_step": texts.NEXT_STEPS["FIX_REQUEST"],
    "refusal": {
        "reason": "FIX_REQUEST",
        "cause": "AMOUNT_MISMATCH",
        "raw_code": "5000022",
        "raw_message": "驗證發票金額發現錯誤，與商品合計金額不符",
    },
}
INVALID = problem(
    422,
    "INVALID_REQUEST",
    "內容有 1 處需要修正，尚未執行。",
    Reason.FIX_REQUEST,
    violations=[{"code": "LINES_MISSING", "path": "lines", "message": "訂單沒有任何品項，請至少填寫一項。"}],
)
TOO_LARGE = problem(
    413,
    "INVALID_REQUEST",
    "內容有 1 處需要修正，尚未執行。",
    Reason.FIX_REQUEST,
    violations=[{"code": "BODY_TOO_LARGE", "path": "", "message": "內容超過 256 KB 的上限"}],
)
REFUSED = problem(
    422,
    "AMOUNT_MISMATCH",
    "未開立發票：驗證發票金額發現錯誤，與商品合計金額不符",
    Reason.FIX_REQUEST,
    invoice=_REFUSED,
    id=_REFUSED["id"],
    state="REFUSED",
)
SCOPE_MISSING = problem(403, "SCOPE_MISSING", "這把金鑰沒有 invoices:write 權限。", Reason.FIX_REQUEST)
NOT_FOUND = problem(404, "NOT_FOUND", "查無此訂單或發票。", Reason.FIX_REQUEST)
IN_PROGRESS = problem(
    409, "ORDER_IN_PROGRESS", "這筆訂單的發票正在處理中，請稍後再送出同一個請求。", Reason.WAIT
)
OTHER_BODY = problem(
    409,
    "ORDER_HAS_INVOICE",
    "這筆訂單已有內容不同的發票（或正在開立），不得重複開立；要更正請使用「再次開立」。",
    Reason.ORDER_HAS_INVOICE,
)
NOT_PRINTABLE = problem(409, "NOT_PRINTABLE", "只有目前有效、已開立的發票可以列印。", Reason.FIX_REQUEST)
UNAVAILABLE = problem(
    503, "LEDGER_UNAVAILABLE", "系統暫時無法存取帳本，請以相同內容重送；不會重複開立。", Reason.WAIT
)
UNEXPECTED = problem(
    500, "UNEXPECTED", "系統發生未預期的狀況，結果未知：請以相同內容重送，不會重複開立。", Reason.WAIT
)

MESSAGES: dict[str, Json] = {
    "IssueMessage": {"merchant_id": "demo-shop", "command": "issue", **CONSUMER},
    "VoidMessage": {"merchant_id": "demo-shop", "command": "void", "order_id": "1001", **VOID},
    "ReissueMessage": {"merchant_id": "demo-shop", "command": "reissue", "invoice_id": FIRST, **REISSUE},
    "AllowanceMessage": {
        "merchant_id": "demo-shop",
        "command": "allowance",
        "order_id": "1001",
        "reason": "退貨",
        "refund_id": "R-77",
        "lines": [{"line": 1, "quantity": "1"}],
    },
}
