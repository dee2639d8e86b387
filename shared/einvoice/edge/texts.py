"""What a merchant's staff reads (訂單紀錄文字): one sentence per event and per cause, with what to do next.

Stored entries hold codes and values only, so that wording can improve for old orders too.
"""

from __future__ import annotations

from typing import Any

from einvoice.rules.codes import Code
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
    "next_generation": "原發票已作廢，準備開立新發票（第 {generation} 張）",
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
    "CANCELLED_TOO_LATE_TO_VOID": "訂單已取消，但發票已過作廢期限，應改開折讓",
    "CANCEL_REFUSED": "訂單已取消，但加值中心拒絕作廢",
    "CANCELLATION_FORGOTTEN": "先前的取消已撤回，可重新開立",
    "ORDER_CANCELLED": "訂單在開立前已取消",
    "RULES": "內容不符合開立規則",
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
    "VOIDED": "已作廢",
    "REPLACED_SAME_NUMBER": "已註銷重開",
}


def event_text(entry: dict[str, Any]) -> str:
    """One log entry as a sentence."""
    template = EVENTS.get(str(entry.get("event")), str(entry.get("event")))
    values = dict.fromkeys(("number", "generation", "reason", "by", "raw_message"), "") | entry
    values["cause_text"] = cause_text(entry)
    values["raw_message"] = values["raw_message"] or values["cause_text"]
    text = template.format_map(values)
    times = entry.get("times")
    return f"{text}（共 {times} 次）" if times else text


def cause_text(entry: dict[str, Any]) -> str:
    """The entry's cause as words; an unmapped one keeps the centre's own words and code."""
    raw = " ".join(str(entry[name]) for name in ("raw_code", "raw_message") if entry.get(name))
    text = _words(str(entry.get("cause", "")))
    return f"{text}：{raw}" if raw else text


def _words(cause: str) -> str:
    """A cause as words: ours, a rule of the reissue, or the codes of the rules that were broken."""
    if cause in CAUSES:
        return CAUSES[cause]
    if cause in Cause.__members__:
        return Cause[cause].sentence
    return f"{CAUSES['RULES']}（{cause}）" if cause.partition(",")[0] in Code.__members__ else cause


def next_step(entry: dict[str, Any]) -> str:
    """What to do after this entry; empty where nothing has to be done."""
    event, reason = entry.get("event"), str(entry.get("reason", ""))
    if event in {"refused", "void_refused", "waiting", "refusal_pending"}:
        return NEXT_STEPS.get(reason, "系統會自動重試" if event == "waiting" else "")
    if event == "attention":
        return NEXT_STEPS["ASK_A_PERSON"]
    return {"unknown": "請勿重開，系統會自動確認", "claimed": ""}.get(str(event), "")
