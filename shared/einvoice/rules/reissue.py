"""May this order be re-issued (再次開立)? Void what stands and issue anew, or keep the number (註銷重開).

Source: e首發票's published manual of re-issue for shop platforms, 2026-01 (no second valid invoice, no zero amount, no
mixed tax for a 統編, the order's actual amount, across periods an allowance first); 統一發票使用辦法 art. 20, 21, 24;
ECPay developers page 7918 (註銷重開).

``decide`` names the first thing in the way, most fundamental first, because a later one often follows from it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum, unique

from einvoice.errors import Reason
from einvoice.model import ProviderProfile, TaxType
from einvoice.rules.period import Period, seconds_to_end
from einvoice.rules.void import ISSUE_PERIOD_ONLY, UNTIL_CUTOFF, oldest_voidable_period, void_deadline

# A void followed by an issue must not straddle the end of a period: the sale would be missing from the old one.
PERIOD_END_GUARD_S = 15 * 60

_PENDING = frozenset({"ISSUING", "WAITING", "VOIDING", "REISSUING", "ALLOWING"})


@unique
class Cause(Enum):
    """Why not: the name is the stable cause; next step and sentence are its value."""

    ZERO_AMOUNT = (Reason.FIX_REQUEST, "發票總額為 0 元或負數，不得再次開立。")
    MIXED_TAX_B2B = (Reason.FIX_REQUEST, "有統一編號的發票不可混合不同課稅別，請依課稅別拆成多張訂單後再開立。")
    AMOUNT_MISMATCH = (Reason.FIX_REQUEST, "再次開立的金額必須等於訂單的實際交易金額，請更正。")
    NEVER_ISSUED = (Reason.FIX_REQUEST, "此訂單尚未開立過發票，請使用開立功能。")
    LATE_ISSUE = (Reason.ASK_A_PERSON, "銷售當期已結束而未開立發票，請由人員確認補開與自動補報事宜。")
    PENDING = (Reason.WAIT, "此訂單的開立或作廢仍在處理中，請待結果確定後再試。")
    ORDER_HAS_VALID_INVOICE = (Reason.ORDER_HAS_INVOICE, "此訂單已有有效發票，且內容沒有更正，不得重複開立。")
    FULLY_ALLOWED = (Reason.ASK_A_PERSON, "此發票已全額折讓，無法判斷折讓是退款還是為了重開，請由人員確認。")
    HAS_ALLOWANCES = (Reason.USE_ALLOWANCE, "此發票已有折讓，不能作廢重開；請先將餘額全數折讓，再開立新發票。")
    CROSS_PERIOD = (Reason.USE_ALLOWANCE, "發票已跨期，不能直接再次開立；請先開立折讓單，再開立新發票。")
    PERIOD_ENDING = (Reason.WAIT, "本期發票即將結束，此時作廢重開可能使新發票跨期，請於下一期開始後依當時規定處理。")
    SAME_NUMBER_OFF = (Reason.FIX_REQUEST, "此商店未啟用註銷重開，請改以作廢後開立新號碼的方式處理。")
    SAME_NUMBER_WINDOW_OVER = (Reason.FIX_REQUEST, "已超過註銷重開的期限，請改以作廢後開立新號碼的方式處理。")
    NOT_UPLOADED = (Reason.WAIT, "發票尚未上傳財政部成功，請待上傳完成後再註銷重開。")
    VOIDED_CROSS_PERIOD = (Reason.ASK_A_PERSON, "發票已作廢且已跨期，重新開立涉及原期漏開，請由人員確認後處理。")

    @property
    def reason(self) -> Reason:
        """What the caller does next."""
        return self.value[0]

    @property
    def sentence(self) -> str:
        """What the merchant's staff reads."""
        return self.value[1]


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why an order may not be re-issued now, and the next step. ``retry_after_s``: where the wait has an end."""

    reason: Reason
    cause: str
    message: str
    retry_after_s: int | None = None


@dataclass(frozen=True, slots=True)
class ReissueCase:
    """What is known when a re-issue is asked for; amounts are tax-inclusive.

    ``state``: the ledger's state by name. ``invoice_period``: key of the invoice's period, or of the sale's where none
    was issued. ``order_total_twd``: what the buyer really pays in the end. ``remaining_twd``: the old invoice's total
    less its live allowances. ``corrected``: the request changes something. ``same_number`` asks for 註銷重開, and only
    then ``issued_at`` (RFC 3339, the centre's own) and ``uploaded`` (the ministry confirmed it) matter.
    """

    state: str
    invoice_period: str
    remaining_twd: int
    order_total_twd: int
    new_total_twd: int
    new_buyer_has_ubn: bool
    new_tax_type: TaxType
    corrected: bool
    has_allowances: bool = False
    same_number: bool = False
    issued_at: str = ""
    uploaded: bool = False


def decide(case: ReissueCase, *, now: datetime, profile: ProviderProfile) -> Refusal | None:
    """The first thing in the way of a re-issue at ``now``, or None. ValueError for a state this module does not know.

    >>> from einvoice.rules.period import TAIPEI
    >>> case = ReissueCase("ISSUED", "11502", 1050, 1050, 1050, False, TaxType.TAXABLE, corrected=True)
    >>> decide(case, now=datetime(2026, 2, 20, tzinfo=TAIPEI), profile=ProviderProfile("any")) is None
    True
    >>> decide(case, now=datetime(2026, 3, 2, tzinfo=TAIPEI), profile=ProviderProfile("any")).cause
    'CROSS_PERIOD'
    """
    return _content(case) or _standing(case, now, profile)


def _content(case: ReissueCase) -> Refusal | None:
    if case.new_total_twd <= 0:
        return _refusal(Cause.ZERO_AMOUNT)
    if case.new_buyer_has_ubn and case.new_tax_type is TaxType.MIXED:
        return _refusal(Cause.MIXED_TAX_B2B)
    if case.new_total_twd != case.order_total_twd:
        return _refusal(Cause.AMOUNT_MISMATCH)
    return None


def _standing(case: ReissueCase, now: datetime, profile: ProviderProfile) -> Refusal | None:
    if case.state in _PENDING:
        return _refusal(Cause.PENDING)
    if case.state == "WANTED":
        return _refusal(Cause.NEVER_ISSUED)
    if case.state == "REFUSED":
        return None if case.invoice_period >= Period.of(now).key else _refusal(Cause.LATE_ISSUE)
    is_open = case.invoice_period >= oldest_reissuable_period(now, profile)
    if case.state == "VOIDED":
        # no guard at the period's end: the sale is without an invoice already, and waiting would make it cross-period
        return None if is_open else _refusal(Cause.VOIDED_CROSS_PERIOD)
    if case.state == "ISSUED":
        return _over_living(case, is_open=is_open) or _change(case, now, profile)
    raise ValueError(f"no such state: {case.state!r}")


def _over_living(case: ReissueCase, *, is_open: bool) -> Refusal | None:
    if not case.corrected:
        return _refusal(Cause.ORDER_HAS_VALID_INVOICE)
    if case.remaining_twd <= 0:
        return _refusal(Cause.FULLY_ALLOWED)
    if case.has_allowances:
        return _refusal(Cause.HAS_ALLOWANCES)
    return None if is_open else _refusal(Cause.CROSS_PERIOD)


def _change(case: ReissueCase, now: datetime, profile: ProviderProfile) -> Refusal | None:
    """What the way of replacing the invoice asks for: the same number its window, a new number time in the period."""
    if not case.same_number:
        left_s = seconds_to_end(now)
        return _refusal(Cause.PERIOD_ENDING, retry_after_s=left_s) if left_s <= PERIOD_END_GUARD_S else None
    if not profile.same_number_reissue:
        return _refusal(Cause.SAME_NUMBER_OFF)
    window_end = datetime.fromisoformat(case.issued_at) + timedelta(hours=profile.same_number_hours)
    if now > min(window_end, void_deadline(case.invoice_period, profile)):
        return _refusal(Cause.SAME_NUMBER_WINDOW_OVER)
    return None if case.uploaded else _refusal(Cause.NOT_UPLOADED)


def oldest_reissuable_period(now: datetime, profile: ProviderProfile) -> str:
    """Key of the oldest period (期別) whose invoices may be replaced at ``now`` in the profile's ``reissue_scope``."""
    if profile.reissue_scope == ISSUE_PERIOD_ONLY:
        return Period.of(now).key
    if profile.reissue_scope == UNTIL_CUTOFF:
        return oldest_voidable_period(now, profile)
    raise ValueError(f"no such reissue_scope: {profile.reissue_scope!r}")


def _refusal(cause: Cause, *, retry_after_s: int | None = None) -> Refusal:
    return Refusal(cause.reason, cause.name, cause.sentence, retry_after_s)
