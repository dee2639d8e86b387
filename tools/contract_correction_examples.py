"""Examples of corrections and allowances for the published contract (範例): invented, decided by the real rules."""

from __future__ import annotations

from datetime import date, datetime

from einvoice.application.deciding import told
from einvoice.application.planning import FORGOTTEN
from einvoice.edge import bodies, texts, views
from einvoice.errors import Reason
from einvoice.providers.ecpay.provider import ECPAY_PROFILE
from einvoice.rules.correction import Case, refund
from einvoice.rules.correction_causes import Cause
from einvoice.rules.period import TAIPEI
from tools.contract_examples import ALLOWANCE_ID, COMPANY, ISSUED, Json, problem

REFUND: Json = {"goal": "refund", "reason": "退貨", "refund_id": "R-77", "refund": {"refunded_total_twd": 300}}
CANCEL: Json = {"goal": "cancel", "reason": "訂單取消"}
CORRECT: Json = {
    "goal": "correct",
    "reason": "補統一編號",
    "corrections": {"buyer": COMPANY["buyer"], "carrier": None, "print": True},
    "evidence": {"consent": {"note": "客服信件 5521"}},
    "dry_run": True,
}
ALLOWANCE: Json = {"reason": "退貨", "refund_id": "R-77", "amount_twd": 300, "online_email": "buyer@example.com"}
ALLOWANCE_BY_LINES: Json = {"reason": "退貨", "refund_id": "R-77", "lines": [{"line": 1, "quantity": "1"}]}
FACTS: Json = {"consent": {"note": "客服信件 5521"}, "shipped_on": {"value": "2026-03-16"}, "claimed": None}
FILING: Json = {"period": "11502", "filed_at": "2026-03-10T17:00:00+08:00"}
NOTICE: Json = {"AllowanceNo": "2026031510001234", "RtnCode": "1", "CheckMacValue": "0123456789ABCDEF0123456789ABCDEF"}

_AT = datetime(2026, 3, 15, 9, 0, tzinfo=TAIPEI)
_CASE = Case("ISSUED", total_twd=1050, issued_on=date(2026, 3, 14), invoice_confirmed=True)
DECISION = views.decision_view(told(refund(_CASE, 300, now=_AT, profile=ECPAY_PROFILE)))
PREVIEW: Json = {"dry_run": True, "decision": DECISION}
CORRECTION: Json = {
    "id": 1,
    "goal": "refund",
    "status": "done",
    "status_text": texts.PLAN_STATES["done"],
    "refund_id": "R-77",
    "amount_twd": 300,
    "generation": 1,
    "reason": "退貨",
    "at": _AT.isoformat(),
    "ended_at": _AT.isoformat(),
    "waits_for": None,
    "cause": None,
    "consent": None,
    "decision": DECISION,
}
ALLOWED: Json = {
    "id": ALLOWANCE_ID,
    "invoice": ISSUED["id"],
    "state": "LIVE",
    "state_text": texts.ALLOWANCE_STATES["LIVE"],
    "number": "2026031509001234",
    "allowed_at": _AT.isoformat(),
    "amount_twd": 300,
    "tax_twd": None,
    "purpose": "refund",
    "refund_id": "R-77",
    "upload": "uploading",
    "effective": False,
    "expires_at": None,
    "reason": "退貨",
    "void": None,
}
WITH_LINES = ALLOWED | {
    "lines": [
        {
            "line": 1,
            "name": "咖啡豆 半磅（部分金額）",
            "quantity": "1",
            "unit": "式",
            "unit_price_twd": "300",
            "amount_twd": 300,
            "tax_type": "taxable",
        }
    ]
}
REFUNDED: Json = {
    "correction": CORRECTION,
    "source": "api",
    "order_id": "1001",
    "invoice": ISSUED | {"remaining_twd": 750, "upload": "confirmed"},
    "allowances": [ALLOWED],
}
ALLOWANCE_VOIDED = REFUNDED | {
    "correction": CORRECTION | {"id": 2, "goal": "void_allowance", "refund_id": None, "amount_twd": None}
    | {"reason": "折讓錯誤", "decision": None},
    "invoice": ISSUED | {"upload": "confirmed"},
    "allowances": [
        ALLOWED
        | {"state": "VOIDED", "state_text": texts.ALLOWANCE_STATES["VOIDED"]}
        | {"void": {"reason": "折讓錯誤", "at": "2026-03-15T09:30:00+08:00"}}
    ],
}
WAITING = REFUNDED | {
    "correction": CORRECTION
    | {"status": "open", "status_text": texts.PLAN_STATES["open"], "amount_twd": None, "ended_at": None}
    | {
        "waits_for": "NOT_UPLOADED",
        "decision": views.decision_view(
            told(refund(Case("ISSUED", 1050, date(2026, 3, 14)), 300, now=_AT, profile=ECPAY_PROFILE))
        ),
    },
    "invoice": ISSUED,
    "allowances": [],
}
WITHDRAWN = WAITING | {
    "correction": WAITING["correction"]
    | {"status": "stopped", "status_text": texts.PLAN_STATES["stopped"], "ended_at": _AT.isoformat()}
    | {"waits_for": None, "cause": FORGOTTEN}
}
IN_PROGRESS = problem(
    409,
    "CORRECTION_IN_PROGRESS",
    "這筆訂單的更正或折讓正在處理中，完成後再送出同一個請求；進度請查詢訂單。",
    Reason.WAIT,
)

TOO_MUCH = problem(422, "EXCEEDS_REMAINING", Cause.EXCEEDS_REMAINING.sentence, Reason.FIX_REQUEST)
OLD_GENERATION = problem(
    409, "OLD_GENERATION", "這張發票已被後來的發票取代，請改用這筆訂單目前的發票。", Reason.ORDER_HAS_INVOICE
)


def _invalid(code: str, path: str, message: str) -> Json:
    violations = [{"code": code, "path": path, "message": message}]
    return problem(422, "INVALID_REQUEST", "內容有 1 處需要修正，尚未執行。", Reason.FIX_REQUEST, violations=violations)


INVALID = _invalid("EXCEEDS_QUANTITY", "refund.lines[0].quantity", "退貨數量超過此品項尚未退貨的數量 2，請更正。")
BAD_DAY = _invalid("BAD_DAY", "paid_on.value", bodies.violation("BAD_DAY", "").message)
NOT_OVER = _invalid("PERIOD_NOT_OVER", "period", "這個期別尚未結束，不可能已經申報。")
BAD_WITHIN = _invalid("BAD_WITHIN", "within", "須為小時或天數，最長 62 天，例如 48h 或 7d。")
NO_DEADLINES: Json = {"deadlines": [], "periods": [], "invoices_of": ["11504", "11502", "11412"], "next": None}
