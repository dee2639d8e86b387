"""ECPay's codes (代碼表) as data: what each one means for us, how sure that is, and who saw it.

ECPay publishes its full list only inside the merchant's back office and changes it without notice (developers page
7954), so this is an allow-list: a code that is not here keeps its raw words and is never interpreted. Codes are keyed
by operation: the same number means different things in different operations. Words are never matched: two spellings
of "duplicate" exist, and the success text of one operation reads like the refusal of another.

``nothing_done`` is the claim "nothing was issued, voided or allowed *by this request*". It is made only for writes, and
only where the meaning was seen on ECPay's stage or is documented.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from einvoice.errors import Reason
from einvoice.providers.base import Rejected, Unknown
from einvoice.providers.ecpay.operations import Operation

SUCCESS = "1"

# causes that a parser turns into something else than a refusal
NOT_FOUND = "NOT_FOUND"
WRONG_KEY = "WRONG_KEY"


class Certainty(StrEnum):
    """How we know."""

    OBSERVED = "observed"  # on ECPay's stage, with the text
    DOCUMENTED = "documented"  # on a page of ECPay's
    REPORTED = "reported"  # by someone else's code or tests, without the whole circumstances
    UNVERIFIED = "unverified"  # a guess of others; kept only to name the situation to a person


@dataclass(frozen=True, slots=True)
class Entry:
    """One code of one or more operations. ``message`` is ECPay's own text, empty where nobody recorded it."""

    code: str
    operations: tuple[Operation, ...]
    message: str
    reason: Reason
    cause: str
    certainty: Certainty
    source: str
    nothing_done: bool = False
    unknown: bool = False  # the question stays open (a check that could not be made), so not a refusal

    def outcome(self, raw_code: str, raw_message: str) -> Rejected | Unknown:
        """This entry as an outcome, with the words really received."""
        if self.unknown:
            return Unknown(self.cause, raw_code, raw_message)
        return Rejected(self.reason, self.cause, raw_code, raw_message, definite=self.nothing_done)


_ISSUE = (Operation.ISSUE,)
_VOID = (Operation.VOID,)
_ALLOW = (Operation.ALLOW,)
_CHECKS = (Operation.CHECK_BARCODE, Operation.CHECK_LOVE_CODE, Operation.COMPANY_NAME)
_STAGE = "ECPay stage, 2026-08"
_STAGE_09 = "ECPay stage, 2026-09"
_FIX, _PERSON = Reason.FIX_REQUEST, Reason.ASK_A_PERSON
_SEEN, _PAPER, _TOLD = Certainty.OBSERVED, Certainty.DOCUMENTED, Certainty.REPORTED

# fmt: off
RTN_CODES: tuple[Entry, ...] = (
    # --- Issue: fields
    Entry("2001003", _ISSUE, "", _PERSON, "ORDER_NUMBER_TOO_LONG", _SEEN, _STAGE, nothing_done=True),
    Entry("2001010", _ISSUE, "", _FIX, "EMAIL_TOO_LONG", _SEEN, _STAGE, nothing_done=True),
    Entry("2001019", _ISSUE, "課稅別格式錯誤", _FIX, "TAX_TYPE_REFUSED", _SEEN, _STAGE_09, nothing_done=True),
    Entry("2001096", _ISSUE, "載具類別格式錯誤", _FIX, "CARRIER_KIND_REFUSED", _SEEN, _STAGE_09, nothing_done=True),
    # --- Issue: fields against each other
    Entry("5000007", _ISSUE, "", _FIX, "CUSTOMS_MARK_REQUIRED", _SEEN, _STAGE, nothing_done=True),
    Entry("5000015", _ISSUE, "", _FIX, "CARRIER_AND_PAPER", _SEEN, _STAGE, nothing_done=True),
    Entry("5000022", _ISSUE, "驗證發票金額發現錯誤，與商品合計金額不符", _FIX, "AMOUNT_MISMATCH", _SEEN, _STAGE,
          nothing_done=True),
    Entry("5000028", _ISSUE, "客戶資訊已填入統編，須請選擇載具類別或索取紙本發票", _FIX, "UBN_NEEDS_CARRIER_OR_PAPER",
          _SEEN, _STAGE, nothing_done=True),
    # --- Issue: state
    Entry("5070350", _ISSUE, "", Reason.ADD_NUMBERS, "NUMBER_EXHAUSTED", _SEEN,
          "ECPay developers page 7954; " + _STAGE, nothing_done=True),
    Entry("1500047", _ISSUE, "查無可使用字軌或發票號碼", Reason.ADD_NUMBERS, "NUMBER_EXHAUSTED", _PAPER,
          "ECPay developers pages 7954, 13853", nothing_done=True),
    Entry("1100040", _ISSUE, "發票字軌已用完", Reason.ADD_NUMBERS, "NUMBER_EXHAUSTED", Certainty.UNVERIFIED,
          "a fixture of paid-tw/einvoice"),
    # Not a refusal of the order: an earlier request of ours may have issued it. Look it up, never choose a new number.
    Entry("5070357", _ISSUE, "B2C開立發票 自訂編號重覆，請重新設定", Reason.ORDER_HAS_INVOICE, "DUPLICATE_ORDER_NUMBER",
          _SEEN, _STAGE),
    # --- Invalid
    Entry("1600003", _VOID + _ALLOW, "無發票號碼資料", _PERSON, "INVOICE_OR_DATE_UNKNOWN", _SEEN, _STAGE,
          nothing_done=True),
    Entry("2009005", _VOID, "作廢原因長度錯誤", _FIX, "REASON_TOO_LONG", _SEEN, _STAGE_09, nothing_done=True),
    Entry("2011002", _VOID, "發票號碼長度錯誤", _PERSON, "INVOICE_NUMBER_MALFORMED", _TOLD,
          _STAGE + ", recorded for the query and void operations without saying which"),
    Entry("5070450", _VOID,
          "B2C作廢發票 該發票已被折讓過，無法直接作廢發票並請確認該發票所開立的折讓單是否全部已作廢",
          Reason.VOID_ALLOWANCES_FIRST, "LIVING_ALLOWANCE", _SEEN, _STAGE, nothing_done=True),
    Entry("5070451", _VOID, "註銷重開的發票請於上傳財政部狀態更新後，再嘗試作廢", Reason.WAIT, "NOT_UPLOADED", _SEEN,
          _STAGE_09, nothing_done=True),
    Entry("5070453", _VOID, "B2C作廢發票 該發票已被作廢過", Reason.ALREADY_DONE, "ALREADY_VOID", _SEEN, _STAGE,
          nothing_done=True),
    # --- Allowance. For AllowanceByCollegiate nobody recorded a refusal, so all of its refusals stay open.
    Entry("2000042", _ALLOW, "作廢發票號碼不能折讓", _PERSON, "INVOICE_VOID", _SEEN, _STAGE, nothing_done=True),
    # The ledger adds up first: if this is what it means, somebody made an allowance past it.
    Entry("2000016", _ALLOW, "折讓金額有誤，請確認", _PERSON, "EXCEEDS_REMAINING", Certainty.UNVERIFIED,
          "the fake centre of a Ruby port of paid-tw/einvoice; never seen on stage"),
    # --- AllowanceInvalid, AllowanceInvalidByCollegiate
    Entry("2000039", (Operation.VOID_ALLOWANCE,), "查無折讓單資料，請確認!", _PERSON, "ALLOWANCE_UNKNOWN", _SEEN,
          _STAGE, nothing_done=True),
    Entry("2000063", (Operation.VOID_ALLOWANCE,), "該折讓單已作廢過，請確認", Reason.ALREADY_DONE, "ALREADY_VOID",
          _SEEN, _STAGE, nothing_done=True),
    Entry("5070250", (Operation.CANCEL_ASKED_ALLOWANCE,), "無法取消已經同意的線上折讓單", _PERSON, "ALREADY_AGREED",
          _PAPER, "ECPay developers page 15391 (only before the buyer agrees); the code from paid-tw/einvoice, stage "
          "asks no buyer", nothing_done=True),
    # --- VoidWithReIssue: only the text is known, the code is the one of GetIssue with that text
    Entry("2", (Operation.REISSUE,), "查無發票資料，請重新確認", _PERSON, "INVOICE_OR_DATE_UNKNOWN",
          Certainty.UNVERIFIED, "README of paid-tw/einvoice"),
    # --- queries
    Entry("2", (Operation.FIND, Operation.FIND_VOID), "查無發票資料，請重新確認", _PERSON, NOT_FOUND, _SEEN, _STAGE),
    Entry("2011002", (Operation.FIND, Operation.FIND_VOID), "發票號碼長度錯誤", _PERSON, "INVOICE_NUMBER_MALFORMED",
          _TOLD, _STAGE + ", recorded for the query and void operations without saying which"),
    Entry("2013001", (Operation.FIND_VOID,), "自訂編號為必填", _PERSON, "ORDER_NUMBER_REQUIRED", _SEEN, _STAGE_09),
    Entry("7", (Operation.COMPANY_NAME, Operation.TRACKS), "查無資料", _PERSON, NOT_FOUND, _PAPER,
          "ECPay developers pages 32089, 7881"),
    Entry("7", (Operation.FIND_ALLOWANCES,), "查無資料", _PERSON, NOT_FOUND, _TOLD, "the fake centre of koopa0/goen"),
    # A guess that costs nothing: who takes it for "not void" and voids again is told 2000063.
    Entry("7", (Operation.FIND_ALLOWANCE_VOID,), "查無資料", _PERSON, NOT_FOUND, Certainty.UNVERIFIED,
          "by its text, which ECPay uses for every empty answer; nobody recorded one of this operation"),
    # --- checks with the ministry
    Entry("2019001", (Operation.CHECK_BARCODE,), "", _FIX, "BARCODE_FORMAT", _SEEN, _STAGE_09),
    Entry("2020001", (Operation.CHECK_LOVE_CODE,), "捐贈碼為3~7碼純數字", _FIX, "LOVE_CODE_FORMAT", _SEEN, _STAGE),
    Entry("1200125", (Operation.COMPANY_NAME,), "統一編號檢查碼驗證失敗，請再確認", _FIX, "UBN_CHECKSUM", _SEEN,
          _STAGE),
    Entry("2027000", (Operation.COMPANY_NAME,), "", _FIX, "UBN_FORMAT", _PAPER, "ECPay developers page 32089"),
    Entry("9000001", _CHECKS, "呼叫財政部API失敗", Reason.PROVIDER_BUSY, "REGISTRY_DOWN", _PAPER,
          "ECPay developers page 32089", unknown=True),
    Entry("10000010", _CHECKS, "", Reason.PROVIDER_BUSY, "REGISTRY_DOWN", _PAPER,
          "older edition of ECPay's and O'Pay's document (ministry under maintenance)", unknown=True),
)

# The envelope was refused before any operation ran.
TRANS_CODES: tuple[Entry, ...] = (
    # About a clock, ours or theirs, not about the invoice: no order may end by it.
    Entry("104", tuple(Operation), "Timestamp is over 10 minutes than it just produced.", Reason.PROVIDER_BUSY,
          "CLOCK_SKEW", _SEEN, _STAGE, nothing_done=True),
    Entry("110", tuple(Operation), "The parameter [Data] decrypt fail.", Reason.FIX_CREDENTIALS, WRONG_KEY, _SEEN,
          _STAGE, nothing_done=True),
    Entry("111", tuple(Operation), "The parameter [Data] cannot be empty.", _PERSON, "EMPTY_REQUEST", _SEEN, _STAGE,
          nothing_done=True),
    Entry("115", tuple(Operation), "B2C/B2B功能尚未開通，請聯繫所屬業務", Reason.FIX_CREDENTIALS, "NOT_ENABLED", _SEEN,
          _STAGE, nothing_done=True),
    Entry("128", tuple(Operation), "", Reason.FIX_CREDENTIALS, "NOT_ENABLED", Certainty.UNVERIFIED,
          "seen on another product of ECPay's (service not opened)"),
)
# fmt: on

_BY_RTN_CODE = {(operation, entry.code): entry for entry in RTN_CODES for operation in entry.operations}
_BY_TRANS_CODE = {entry.code: entry for entry in TRANS_CODES}


def refusal(operation: Operation, code: str, message: str) -> Rejected | Unknown:
    """What an ``RtnCode`` other than success means for ``operation``."""
    entry = _BY_RTN_CODE.get((operation, code))
    return entry.outcome(code, message) if entry else _unmapped(operation, code, message)


def envelope_refusal(operation: Operation, code: str, message: str) -> Rejected | Unknown:
    """What a ``TransCode`` other than success means; ``raw_code`` is marked, the two code spaces overlap."""
    entry = _BY_TRANS_CODE.get(code)
    raw_code = f"TransCode {code}"
    return entry.outcome(raw_code, message) if entry else _unmapped(operation, raw_code, message)


def is_not_found(outcome: object) -> bool:
    """Whether a look-up was told that there is no such document."""
    return isinstance(outcome, Rejected) and outcome.cause == NOT_FOUND


def _unmapped(operation: Operation, raw_code: str, message: str) -> Rejected | Unknown:
    if operation.writes:
        return Unknown("UNMAPPED_CODE", raw_code, message, answered=True)
    return Rejected(Reason.ASK_A_PERSON, "UNMAPPED_CODE", raw_code, message)
