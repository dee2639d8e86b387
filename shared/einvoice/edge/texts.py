"""What a merchant's staff reads (訂單紀錄文字): one sentence per event and per cause, with what to do next.

Stored entries hold codes and values only, so that wording can improve for old orders too.
"""

from __future__ import annotations

from typing import Any

from einvoice.rules.allocation import RefundCode
from einvoice.rules.codes import Code
from einvoice.rules.correction_causes import Cause as CorrectionCause
from einvoice.rules.reissue import Cause

EVENTS = {
    "claimed": "收到開立請求，準備送往加值中心",
    "late": "逾期開立，人員填寫的理由：{reason}",
    "sent_again": "以同一自訂編號再次送出",
    "issued": "發票開立成功：{number}",
    "adopted": "向加值中心查詢後確認發票已開立：{number}",
    "adopted_void": "向加值中心查詢，發票 {number} 已是作廢狀態",
    "unknown": "尚未得到確定的結果（{cause_text}），將自動查詢，不會重複開立",
    "waiting": "暫緩送出：{cause_text}",
    "refused": "加值中心未開立發票：{raw_message}",
    "cancelled_unissued": "訂單已取消，未開立發票",
    "refusal_pending": "加值中心回覆未開立（{raw_message}），最後確認中",
    "attention": "需要人員確認：{cause_text}",
    "looked_into": "人員 {by} 已確認（{reason}），重新向加值中心查詢",
    "cancellation_forgotten": "人員 {by} 撤回先前的取消（{reason}）",
    "wanted": "收到取消通知，將在可以處理時自動作廢或停止開立",
    "voiding": "開始作廢，理由：{reason}",
    "voided": "作廢成功：{number}",
    "void_refused": "加值中心拒絕作廢，發票仍然有效：{raw_message}",
    "not_allowed": "未執行，發票仍然有效：{cause_text}",
    "reissuing": "開始再次開立，理由：{reason}",
    "next_generation": "原發票已作廢或已全額折讓，準備開立新發票（第 {generation} 張）",
    "planned": "收到更正需求（{goal_text}），理由：{reason}",
    "correction_waits": "更正等待中：{cause_text}",
    "correction_held": "更正需要先補登資料：{cause_text}",
    "correction_stopped": "更正未完成：{cause_text}",
    "plan_forgotten": "人員 {by} 停止這項更正（{goal_text}），理由：{reason}；已完成的部分不變",
    "corrected": "更正完成（{goal_text}）",
    "allowing": "開始折讓 {amount_twd} 元（{purpose_text}）",
    "asking": "以電子郵件請買受人同意折讓 {amount_twd} 元",
    "allowed": "折讓成功：{number}，{amount_twd} 元",
    "allowance_adopted": "向加值中心查詢後確認折讓已成立：{number}，{amount_twd} 元",
    "asked": "已請買受人同意折讓 {amount_twd} 元，同意前保留此金額",
    "agreed": "買受人已同意折讓：{number}，{amount_twd} 元",
    "expired": "買受人未在期限內同意折讓 {amount_twd} 元，此金額已釋出",
    "asked_cancelled": "已取消待買受人同意的折讓 {number}",
    "allowance_refused": "加值中心拒絕，未變更任何折讓：{raw_message}",
    "voiding_allowance": "開始作廢折讓單 {number}",
    "cancelling_asked": "開始取消待買受人同意的折讓 {number}",
    "allowance_voided": "折讓單作廢成功：{number}，{amount_twd} 元",
    "allowance_void_adopted": "向加值中心查詢，折讓單 {number} 已是作廢狀態",
    "upload_confirmed": "財政部已確認（{document_text} {number}）",
    "deadline_near": "期限將至：{document_text} {number}{deadline_text}，最遲 {closes_at}{others_text}",
    "fact": "人員 {by} 登錄：{fact_text} {note}",
    "fact_taken_back": "人員 {by} 撤回登錄：{fact_text}",
}

GOALS = {"cancel": "取消訂單", "refund": "退款", "correct": "更正發票內容", "void_allowance": "作廢折讓單"}
PURPOSES = {"refund": "退款", "reissue": "為重新開立"}
PLAN_STATES = {"open": "處理中", "done": "已完成", "stopped": "未完成"}
STEPS = {
    "nothing": "無須處理",
    "void": "作廢發票",
    "allow": "開立折讓單",
    "void_allowances": "作廢折讓單",
    "issue": "開立新發票",
    "same_number": "註銷重開（保留原號碼）",
    "wait": "等待",
    "hold": "等待人員補登",
    "refuse": "不予處理",
    "review": "由人員確認",
}
ALLOWANCE_STATES = {
    "SENDING": "折讓中",
    "ASKED": "待買受人同意",
    "LIVE": "已折讓",
    "VOIDING": "作廢中",
    "VOIDED": "已作廢",
    "REFUSED": "未折讓",
    "CANCELLED": "已取消",
    "EXPIRED": "逾期未同意",
}
#: what must be done before a deadline, and what to do now
DEADLINES = {
    "upload": (
        "須上傳財政部平台，尚未確認成功",
        "請至加值中心後台確認上傳結果，未上傳者請加值中心儘速補傳；系統會繼續查詢",
    ),
    "void": ("的作廢還在等待", "請儘快補登更正所等待的資料或確認上傳；逾期不可作廢，只能開立折讓單"),
    "same_number": ("的註銷重開還在等待", "請儘快補登更正所等待的資料；逾期只能以新號碼重新開立"),
    "allowance_void": ("的折讓作廢還在等待", "請儘快補登更正所等待的資料；逾期折讓單不可作廢，由人員確認後另開發票"),
    "reissue": ("的重新開立還在等待", "請儘快排除更正所等待的原因；逾期跨期，須由人員確認後才能重新開立"),
}
DOCUMENTS = {"invoice": "發票", "void": "作廢", "allowance": "折讓單", "allowance_void": "折讓單作廢"}
FACTS = {
    "consent": "買受人同意",
    "paper_back": "紙本已收回",
    "claimed": "買受人已申報扣抵",
    "redeemed": "已兌獎",
    "government": "買受人為政府機關",
    "approval_no": "國稅局核准文號",
    "person_ok": "人員核准",
    "paid_on": "付款日",
    "shipped_on": "出貨日",
}

CAUSES = {
    "TIMEOUT": "加值中心逾時未回覆",
    "CONNECTION_LOST": "與加值中心的連線中斷",
    "BAD_STATUS": "加值中心系統異常",
    "UNREADABLE": "加值中心的回覆無法辨識",
    "WRONG_KEY": "商店金鑰與加值中心的不符",
    "NOT_ENABLED": "加值中心尚未開通這個商店的電子發票服務",
    "CLOCK_SKEW": "加值中心認為請求的時間不符",
    "BANNED": "加值中心暫時限制連線",
    "NOT_SENT": "無法連上加值中心，尚未送出",
    "NO_TIME": "本次處理時間不足，尚未送出",
    "SETTLING": "等待先前送出的請求確定失效",
    "NUMBER_EXHAUSTED": "查無可使用字軌或發票號碼",
    "DUPLICATE_ORDER_NUMBER": "加值中心已有相同的自訂編號",
    "UNMAPPED_CODE": "加值中心回覆未知的代碼",
    "DIFFERENT_DOCUMENT": "加值中心的發票與訂單內容不同",
    "WITHDRAWN_AT_CENTRE": "加值中心的發票處於註銷狀態",
    "ISSUED_BUT_ABSENT": "加值中心查無這張已開立的發票",
    "UNPLACED_REFUSAL": "加值中心多次回覆無法判斷的訊息",
    "SALE_PERIOD_OVER": "銷售當期已結束，不可自動開立",
    "VOIDED_CROSS_PERIOD": "原發票作廢後已跨期，不可自動重開",
    "VOID_WINDOW_CLOSED": "已過作廢期限",
    "CANCEL_REFUSED": "訂單已取消，但加值中心拒絕作廢",
    "CANCELLATION_FORGOTTEN": "先前的取消已撤回，可重新開立",
    "ORDER_CANCELLED": "訂單在開立前已取消",
    "FORGOTTEN_BY_PERSON": "人員已停止這項更正",
    "RULES": "內容不符合開立規則",
    "REFUND_RULES": "退款內容不符合折讓規則",
    "DISABLED": "商店已停用",
    "NO_CREDENTIAL": "商店沒有可用的金鑰",
    "KMS_UNAVAILABLE": "金鑰服務暫時無法使用",
    "SECRET_UNREADABLE": "商店的金鑰無法解開",
    "CREDENTIALS_MALFORMED": "商店的金鑰格式不符",
    "CONFIG_INVALID": "商店設定有誤",
    "UNKNOWN_MERCHANT": "沒有這家商店的設定",
    "BASE_URL_NOT_ALLOWED": "商店設定的加值中心網址不被允許",
    "NUMBERS_UNKNOWN": "無法確認剩餘的發票號碼",
    "TOO_MANY_REISSUES": "再次開立次數過多",
    "ALREADY_DONE": "同一個請求先前已經完成",
    "NOT_QUERYABLE": "加值中心無法查詢",
    "TOO_LARGE": "加值中心的回覆過大，無法讀取",
    "CORRECTION_HALF_DONE": "更正做到一半無法繼續：已作廢或折讓，但尚未開立新發票或完成退款",
    "CONSENT_EXPIRED": "買受人未在期限內同意折讓，退款尚未完成",
    "AMOUNT_MISMATCH": "發票金額與品項合計不符",
    "FACTS_RECORDED": "訂單已登錄影響作廢方式的事實",
    "ORDER_UNKNOWN": "尚無此訂單",
    "REMAINING_DIFFERS": "加值中心的發票餘額與帳本不同",
    "FOREIGN_ALLOWANCE": "加值中心有不是由本系統開立的折讓單",
    "ALLOWANCE_ABSENT": "加值中心查無這張折讓單",
    "ALLOWANCE_VOID_AT_CENTRE": "折讓單已在加值中心後台被作廢",
    "VOID_AT_CENTRE": "發票已在加值中心後台被作廢",
    "OLD_INVOICE_ALIVE": "已被取代的發票在加值中心恢復有效",
    "VOID_ABSENT": "已作廢的發票在加值中心恢復有效",
    "UPLOAD_REFUSED": "財政部平台拒絕上傳的憑證",
    "ALLOWANCES_UNKNOWN": "無法向加值中心確認折讓單",
    "INVOICE_OR_DATE_UNKNOWN": "加值中心查無此發票，或開立日期不符",
    "LIVING_ALLOWANCE": "發票已有折讓單，不能作廢",
    "ALREADY_VOID": "已作廢",
    "ALLOWANCE_UNKNOWN": "加值中心查無這張折讓單，無法作廢",
    "ALREADY_AGREED": "買受人已同意，不能取消",
    "INVOICE_VOID": "發票已作廢，不能折讓",
    "EXCEEDS_REMAINING": "折讓金額超過發票餘額",
    "ALREADY_REFUNDED": "累計退款金額先前已全數折讓",
}

NEXT_STEPS = {
    "FIX_REQUEST": "請依說明修正內容後重新送出",
    "ORDER_HAS_INVOICE": "此訂單已有發票，請先查詢訂單",
    "WAIT": "請稍後再查詢，不需重送",
    "VOID_ALLOWANCES_FIRST": "請先作廢這張發票的折讓單",
    "USE_ALLOWANCE": "請改開立折讓單",
    "ADD_NUMBERS": "請至加值中心新增並啟用本期字軌；之後系統會自動續開",
    "FIX_CREDENTIALS": "請檢查商店代號、HashKey、HashIV 與電子發票服務是否已開通",
    "PROVIDER_BUSY": "加值中心忙碌，系統會自動重試",
    "ALREADY_DONE": "已完成，無需處理",
    "ASK_A_PERSON": "請聯絡客服，由人員確認",
}
#: the same in a problem document: nothing was begun by this request, so nothing goes on by itself
PROBLEM_STEPS = NEXT_STEPS | {
    "WAIT": "請稍後以相同內容重新送出，不會重複開立",
    "ADD_NUMBERS": "請至加值中心新增並啟用本期字軌，再重新送出",
    "PROVIDER_BUSY": "加值中心忙碌，請稍後以相同內容重新送出，不會重複開立",
}

STATES = {
    "WANTED": "尚未開立（已收到取消）",
    "ISSUING": "開立中",
    "WAITING": "等待中",
    "ISSUED": "已開立",
    "REFUSED": "未開立",
    "VOIDING": "作廢中",
    "REISSUING": "再次開立中",
    "ALLOWING": "折讓處理中",
    "ALLOWED": "已全額折讓並重新開立",
    "VOIDED": "已作廢",
    "REPLACED_SAME_NUMBER": "已註銷重開",
}


def event_text(entry: dict[str, Any]) -> str:
    """One log entry as a sentence."""
    template = EVENTS.get(str(entry.get("event")), str(entry.get("event")))
    values = dict.fromkeys(("number", "generation", "reason", "by", "raw_message", "amount_twd", "note"), "") | entry
    values["goal_text"] = GOALS.get(str(entry.get("goal")), "")
    values["purpose_text"] = PURPOSES.get(str(entry.get("purpose")), "")
    values["document_text"] = DOCUMENTS.get(str(entry.get("document")), "")
    values["deadline_text"] = DEADLINES.get(str(entry.get("kind")), ("", ""))[0]
    values["others_text"] = f"（同類共 {entry['documents']} 張）" if entry.get("documents") else ""
    values["fact_text"] = FACTS.get(str(entry.get("fact")), "")
    values["cause_text"] = cause_text(entry)
    values["raw_message"] = values["raw_message"] or values["cause_text"]
    text = template.format_map(values)
    times = entry.get("times")
    return f"{text}（共 {times} 次）" if times else text


def cause_text(entry: dict[str, Any]) -> str:
    """The entry's cause as words; an unmapped one keeps the centre's own words and code."""
    raw = " ".join(str(entry[name]) for name in ("raw_code", "raw_message") if entry.get(name))
    cause = str(entry.get("cause", ""))
    correcting = str(entry.get("event", "")).startswith("correction_") and cause in CorrectionCause.__members__
    text = CorrectionCause[cause].sentence if correcting else _words(cause)
    return f"{text}：{raw}" if raw else text


def _words(cause: str) -> str:
    """A cause as words: ours, a rule of the reissue, or the codes of the rules that were broken."""
    if cause in CAUSES:
        return CAUSES[cause]
    if cause in Cause.__members__:
        return Cause[cause].sentence
    if cause in CorrectionCause.__members__:
        return CorrectionCause[cause].sentence
    first = cause.partition(",")[0]
    if first in RefundCode.__members__:
        return f"{CAUSES['REFUND_RULES']}（{cause}）"
    return f"{CAUSES['RULES']}（{cause}）" if first in Code.__members__ else cause


def next_step(entry: dict[str, Any]) -> str:
    """What to do after this entry; empty where nothing has to be done."""
    event, reason = entry.get("event"), str(entry.get("reason", ""))
    if event == "expired":
        return "退款尚未完成：請與買受人聯絡後，以同一退款編號重新送出，或改用一般折讓"
    if event == "correction_held":
        return "請補登所需資料，補登後系統會自動繼續"
    if event in {"correction_stopped", "correction_waits"}:
        known = CorrectionCause.__members__.get(str(entry.get("cause")))
        return NEXT_STEPS[known.reason.value] if known else ""
    if event in {"refused", "void_refused", "allowance_refused", "waiting", "refusal_pending"}:
        return NEXT_STEPS.get(reason, "系統會自動重試" if event == "waiting" else "")
    if event == "attention":
        return NEXT_STEPS["ASK_A_PERSON"]
    if event == "deadline_near":
        return DEADLINES[str(entry["kind"])][1]
    return {"unknown": "請勿重開，系統會自動確認", "claimed": ""}.get(str(event), "")
