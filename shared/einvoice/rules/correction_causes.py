"""Why a correction is decided as it is (更正的原因): every stable cause with the next step and the staff's sentence.

>>> Cause.PARTIAL_UNSUPPORTED.reason.value
'ASK_A_PERSON'
"""

from __future__ import annotations

from enum import Enum, unique

from einvoice.errors import Reason


@unique
class Cause(Enum):
    """The name is the stable cause; next step and sentence are its value."""

    # the plan is made, the service goes on by itself
    VOIDABLE = (Reason.WAIT, "發票仍在可作廢期間，將直接作廢。")
    CORRECTABLE = (Reason.WAIT, "發票仍在可作廢期間，將先作廢，成功後以新號碼開立正確的發票。")
    SAME_NUMBER = (Reason.WAIT, "發票符合註銷重開的條件，將以原號碼重新開立。")
    NOT_ISSUED = (Reason.WAIT, "此訂單尚無有效發票，將於銷售當期開立。")
    VOIDED = (Reason.WAIT, "原發票已作廢，將以新號碼開立發票。")
    ALLOWED_FOR_REISSUE = (Reason.WAIT, "原發票已為重開而全數折讓，將以新號碼開立發票。")
    DUPLICATE = (Reason.WAIT, "此發票為重複開立，將作廢；已不能作廢時全數折讓，且不再開立新發票。")
    SPECIAL_VOID = (Reason.WAIT, "已取得稅捐稽徵機關核准文號，將以專案作廢處理。")
    ALLOWANCE_VOIDABLE = (Reason.WAIT, "折讓單仍在可作廢期間，將作廢此折讓單。")
    # the same, by allowance
    PARTIAL_REFUND = (Reason.USE_ALLOWANCE, "部分退款，將依退款金額開立折讓單。")
    ALLOWANCE_ASKED = (Reason.USE_ALLOWANCE, "依要求，將把發票餘額全數折讓。")
    VOID_CLOSED = (Reason.USE_ALLOWANCE, "發票所屬期別已申報或已過作廢期限，將把餘額全數折讓。")
    CROSS_PERIOD = (Reason.USE_ALLOWANCE, "發票已跨期，將先把餘額全數折讓，成功後再以新號碼開立發票。")
    HAS_ALLOWANCES = (Reason.USE_ALLOWANCE, "發票已有折讓，不能作廢，將把餘額全數折讓。")
    HISTORY = (Reason.USE_ALLOWANCE, "發票曾開立折讓單，加值中心不再接受作廢，將全數折讓。")
    BUYER_CLAIMED = (Reason.USE_ALLOWANCE, "買受人已將此發票申報扣抵，不能作廢或註銷，請以折讓處理。")
    DONATED = (Reason.USE_ALLOWANCE, "發票已捐贈，加值中心不接受作廢，將全數折讓。")
    ALLOWANCES_FIRST = (Reason.VOID_ALLOWANCES_FIRST, "發票已有折讓單，將先作廢全部折讓單，成功後再作廢發票。")
    # nothing to do
    NO_ACTION = (Reason.ALREADY_DONE, "此訂單沒有開立發票，無須作廢或折讓。")
    NOTHING_REMAINS = (Reason.ALREADY_DONE, "發票已全數折讓，沒有餘額需要處理。")
    # something else has to be settled first
    PENDING = (Reason.WAIT, "此訂單的開立、作廢或折讓仍在處理中，結果確定後會自動繼續。")
    NOT_UPLOADED = (Reason.WAIT, "前一步驟尚未上傳財政部成功，上傳完成後會自動繼續。")
    CONSENT_ASKED = (Reason.WAIT, "折讓通知已寄給買受人，尚待買受人點選同意，期限屆滿後可重新處理。")
    PERIOD_ENDING = (Reason.WAIT, "申報期間即將結束，此時作廢重開可能使新發票跨期，下一期開始後會依當時規定處理。")
    # the merchant's staff bring something
    CONSENT_NEEDED = (Reason.ASK_A_PERSON, "作廢或折讓須先取得買受人同意，請登錄同意紀錄後再繼續。")
    PAPER_NOT_BACK = (Reason.ASK_A_PERSON, "紙本證明聯尚未收回，請收回並登錄後再作廢；逾作廢期限則改以折讓處理。")
    NUMBER_EXHAUSTED = (Reason.ADD_NUMBERS, "本期發票字軌號碼已用完，請新增字軌，之後會自動繼續。")
    # a person decides
    PRIZE_REDEEMED = (Reason.ASK_A_PERSON, "發票已兌領獎金，不得自動作廢，請由人員確認後處理。")
    LATE_ISSUE = (Reason.ASK_A_PERSON, "銷售當期已結束而未開立發票，請由人員確認補開與自動補報事宜。")
    VOIDED_CROSS_PERIOD = (Reason.ASK_A_PERSON, "發票已作廢且已跨期，重新開立涉及原期漏開，請由人員確認後處理。")
    FULLY_ALLOWED = (Reason.ASK_A_PERSON, "發票已全數折讓，但沒有為重開而作的折讓紀錄，不能自動重開，請由人員確認。")
    GOVERNMENT_BUYER = (Reason.ASK_A_PERSON, "買受人為政府機關，加值中心無法代為處理，請於財政部平台以人工辦理。")
    PARTIAL_UNSUPPORTED = (Reason.ASK_A_PERSON, "加值中心不支援部分折讓，請由人員至加值中心後台開立折讓單。")
    ALLOWANCE_VOID_CLOSED = (
        Reason.ASK_A_PERSON,
        "折讓單所屬期間已申報或已過期限，不能作廢折讓單；請由人員確認是否就該金額另開新發票。",
    )
    # the request is wrong
    BAD_AMOUNT = (Reason.FIX_REQUEST, "退款金額必須大於 0 元，請更正。")
    EXCEEDS_REMAINING = (Reason.FIX_REQUEST, "退款金額超過發票尚未折讓的餘額，請更正。")
    ZERO_AMOUNT = (Reason.FIX_REQUEST, "發票總額為 0 元或負數，不得再次開立。")
    MIXED_TAX_B2B = (Reason.FIX_REQUEST, "有統一編號的發票不可混合不同課稅別，請依課稅別拆成多張訂單後再開立。")
    AMOUNT_MISMATCH = (Reason.FIX_REQUEST, "再次開立的金額必須等於訂單金額減去已退款金額，請更正。")
    SAME_NUMBER_OFF = (Reason.FIX_REQUEST, "此商店未啟用註銷重開，請改以作廢後開立新號碼的方式處理。")
    SAME_NUMBER_WINDOW_OVER = (Reason.FIX_REQUEST, "已超過註銷重開的期限，請改以作廢或折讓後開立新號碼的方式處理。")
    SAME_NUMBER_ALLOWED = (Reason.FIX_REQUEST, "發票曾開立折讓單，不能註銷重開，請改以開立新號碼的方式處理。")
    SAME_NUMBER_OTHER_SALE = (Reason.FIX_REQUEST, "註銷重開不可變更買受人或金額，請改以開立新號碼的方式處理。")
    ORDER_HAS_VALID_INVOICE = (Reason.ORDER_HAS_INVOICE, "此訂單已有有效發票，且內容沒有更正，不得重複開立。")
    LATER_GENERATION = (Reason.ORDER_HAS_INVOICE, "此折讓之後已重新開立發票，作廢折讓會使同一訂單有兩張有效發票。")
    # it happened already
    ALREADY_VOIDED = (Reason.ALREADY_DONE, "此發票已作廢，不能再作廢或折讓。")
    ALLOWANCE_ALREADY_VOIDED = (Reason.ALREADY_DONE, "此折讓單已作廢。")
    FULLY_REFUNDED = (Reason.ALREADY_DONE, "此訂單已全額退款，不得再開立發票。")

    @property
    def reason(self) -> Reason:
        """What the caller does next."""
        return self.value[0]

    @property
    def sentence(self) -> str:
        """What the merchant's staff reads."""
        return self.value[1]
