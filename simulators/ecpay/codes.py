"""Every RtnCode (回傳代碼) and TransCode the simulator can answer, as data.

ECPay publishes its full list only inside the vendor back office. A code is therefore one of

* ``documented``: named by the developers pages or by ECPay's own SDKs and plugins,
* ``observed``: seen on ECPay stage (2026-08 and 2026-09),
* ``invented``: the rule is known, its code is not. These are ``59FFnnn`` (FF is the family of operations), so that no
  client can come to depend on one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Code:
    """One business answer other than success."""

    number: int
    message: str
    evidence: Literal["documented", "observed", "invented"]


class Refused(Exception):
    """An operation ends with ``code``; ``extra`` are fields the answer carries beside it."""

    def __init__(self, code: Code, **extra: object) -> None:
        super().__init__(f"{code.number} {code.message}")
        self.code = code
        self.extra = extra


@dataclass(frozen=True, slots=True)
class TransCode:
    """One refusal of the envelope."""

    number: int
    message: str


TIMESTAMP_TOO_OLD = TransCode(104, "Timestamp is over 10 minutes than it just produced.")
DECRYPT_FAILED = TransCode(110, "The parameter [Data] decrypt fail.")
DATA_EMPTY = TransCode(111, "The parameter [Data] cannot be empty.")
MERCHANT_UNKNOWN = TransCode(115, "B2C/B2B功能尚未開通，請聯繫所屬業務")

ALL: dict[int, Code] = {}


def _documented(number: int, message: str) -> Code:
    return ALL.setdefault(number, Code(number, message, "documented"))


def _observed(number: int, message: str) -> Code:
    return ALL.setdefault(number, Code(number, message, "observed"))


def _invented(number: int, message: str) -> Code:
    if number in ALL:
        raise ValueError(f"{number} is taken")
    return ALL.setdefault(number, Code(number, message, "invented"))


# any operation
NOT_FOUND = _observed(2, "查無發票資料，請重新確認")
NO_DATA = _documented(7, "查無資料")
MINISTRY_DOWN = _documented(9000001, "呼叫財政部API失敗")
MERCHANT_MISMATCH = _invented(5900001, "Data 內的 MerchantID 與外層不符")
INVOICE_NO_LENGTH = _observed(2011002, "發票號碼長度錯誤")

# Issue (開立), DelayIssue and the issue half of VoidWithReIssue
RELATE_TOO_LONG = _observed(2001003, "自訂編號長度錯誤")
EMAIL_TOO_LONG = _observed(2001010, "客戶電子信箱長度錯誤")
TAX_TYPE = _observed(2001019, "課稅別格式錯誤")
CARRIER_TYPE = _observed(2001096, "載具類別格式錯誤")
CLEARANCE_MARK = _observed(5000007, "零稅率發票須填寫通關方式")
CARRIER_WITH_PRINT = _observed(5000015, "使用載具時不可列印")
AMOUNT_MISMATCH = _observed(5000022, "驗證發票金額發現錯誤，與商品合計金額不符")
UBN_NEEDS_PAPER_OR_CARRIER = _observed(5000028, "客戶資訊已填入統編，須請選擇載具類別或索取紙本發票")
NO_TRACK = _documented(5070350, "查無可使用字軌或發票號碼")
RELATE_DUPLICATE = _observed(5070357, "B2C開立發票 自訂編號重覆，請重新設定")
RELATE_MISSING = _invented(5901001, "自訂編號為必填")
CUSTOMER_ID = _invented(5901002, "客戶編號格式錯誤")
PRODUCT_SERVICE_ID = _invented(5901003, "產品服務別代號格式錯誤")
UBN_FORMAT = _invented(5901004, "客戶統一編號格式不正確")
CUSTOMER_NAME = _invented(5901005, "客戶名稱長度錯誤")
CUSTOMER_ADDRESS = _invented(5901006, "客戶地址長度錯誤")
CUSTOMER_PHONE = _invented(5901007, "客戶手機號碼格式錯誤")
EMAIL_FORMAT = _invented(5901008, "客戶電子信箱格式錯誤")
CONTACT_MISSING = _invented(5901009, "客戶手機號碼與電子信箱不可皆為空")
PRINT_FORMAT = _invented(5901010, "列印註記格式錯誤")
DONATION_FORMAT = _invented(5901011, "捐贈註記格式錯誤")
LOVE_CODE = _invented(5901012, "捐贈註記為捐贈時，捐贈碼須為3~7碼純數字")
CARRIER_NUMBER = _invented(5901013, "載具編號格式錯誤")
CARRIER_NUMBER_2 = _invented(5901014, "載具編號2格式錯誤")
INV_TYPE = _invented(5901015, "字軌類別格式錯誤")
TAX_TYPE_FOR_INV_TYPE = _invented(5901016, "課稅別與字軌類別不符")
SALES_AMOUNT = _invented(5901017, "發票金額須為大於 0 的整數")
TAX_AMOUNT = _invented(5901018, "稅額與計算結果相差超過 1 元")
VAT_FORMAT = _invented(5901019, "商品單價是否含稅格式錯誤")
REMARK = _invented(5901020, "發票備註長度錯誤")
ITEMS_MISSING = _invented(5901021, "商品明細為必填")
ITEMS_TOO_MANY = _invented(5901022, "商品明細超過 999 筆")
ITEM_FIELD = _invented(5901023, "商品明細格式錯誤")
ITEM_SEQ = _invented(5901024, "商品序號須為 1~999 且不可重複")
PAPER_FIELDS_MISSING = _invented(5901025, "索取紙本發票時，客戶名稱與地址為必填")
DONATION_WITH_PRINT = _invented(5901026, "捐贈發票不可列印")
DONATION_WITH_UBN = _invented(5901027, "填入統編的發票不可捐贈")
UBN_CARRIER_WITH_PRINT = _invented(5901028, "統編使用此載具類別時不可列印")
NO_DELIVERY = _invented(5901029, "未使用載具、未捐贈時須索取紙本發票")
ZERO_TAX_REASON = _invented(5901030, "零稅率原因格式錯誤")
SPECIAL_TAX_TYPE = _invented(5901031, "特種稅額類別與課稅別不符")
MIXED_ITEMS = _invented(5901032, "混合稅率須有應稅商品，且僅可搭配免稅或零稅率其中一種")
UBN_NAME_MISSING = _invented(5901033, "填入統編時，客戶名稱為必填")

# DelayIssue (延遲開立), EditDelayIssue, TriggerIssue, CancelDelayIssue
TSR_UNKNOWN = _observed(4000001, "不存在此交易單號")
CANCEL_NOTHING = _observed(5070305, "B2C取消延遲(或觸發)發票 查無可更新交易單號")
DELAY_FLAG = _invented(5907001, "延遲註記格式錯誤")
DELAY_DAY = _invented(5907002, "延遲天數錯誤")
TSR_FORMAT = _invented(5907003, "交易單號格式錯誤")
TSR_DUPLICATE = _invented(5907004, "交易單號重複")
PAY_TYPE = _invented(5907005, "交易類別錯誤")
NOTIFY_URL = _invented(5907006, "通知網址格式錯誤")
DELAY_DONE = _invented(5907007, "發票已開立、已觸發或已取消")
DELAY_LATE = _invented(5907008, "開立當日 10:00 後不可異動")
TRIGGER_SCHEDULED = _invented(5907009, "預約開立的發票不可觸發")

# Allowance (折讓) and AllowanceInvalid (作廢折讓)
ALLOWANCE_UNKNOWN = _observed(2000039, "查無折讓單資料，請確認!")
ALLOWANCE_ON_VOID = _observed(2000042, "作廢發票號碼不能折讓")
ALLOWANCE_ALREADY_VOID = _observed(2000063, "該折讓單已作廢過，請確認")
ALLOWANCE_OVER = _invented(5902001, "折讓金額超過發票剩餘可折讓金額")
ALLOWANCE_AMOUNT = _invented(5902002, "折讓金額須為大於 0 的整數")
ALLOWANCE_FIELD = _invented(5902003, "折讓參數格式錯誤")
ALLOWANCE_ITEMS_SUM = _invented(5902004, "折讓金額與商品合計金額不符")
ALLOWANCE_NOT_UPLOADED = _invented(5902005, "發票尚未上傳財政部，無法折讓")
COLLEGIATE_FIELD = _invented(5904001, "線上折讓參數格式錯誤")
COLLEGIATE_AGREED = _documented(5070250, "無法取消已經同意的線上折讓單")
COLLEGIATE_OVER = _invented(5905001, "線上折讓已取消或逾期")
ALLOWANCE_VOID_FIELD = _invented(5903001, "作廢折讓參數格式錯誤")
ALLOWANCE_VOID_LATE = _invented(5903002, "已超過可作廢折讓的期限")

# Invalid (作廢)
INVOICE_UNKNOWN = _observed(1600003, "無發票號碼資料")
VOID_REASON = _observed(2009005, "作廢原因長度錯誤")
HAS_ALLOWANCE = _observed(
    5070450, "B2C作廢發票 該發票已被折讓過，無法直接作廢發票並請確認該發票所開立的折讓單是否全部已作廢"
)
REISSUE_NOT_UPLOADED = _observed(5070451, "註銷重開的發票請於上傳財政部狀態更新後，再嘗試作廢")
ALREADY_VOID = _observed(5070453, "B2C作廢發票 該發票已被作廢過")
VOID_DATE_FORMAT = _invented(5909001, "發票日期格式錯誤")
VOID_LATE = _invented(5909002, "已超過可作廢的期限")
VOID_DONATED = _invented(5909003, "已捐贈的發票不可作廢")

# queries (查詢)
QUERY_KEYS = _invented(5911001, "請填寫自訂編號，或發票號碼與發票日期")
RELATE_REQUIRED = _observed(2013001, "自訂編號為必填")
INVALID_QUERY_KEYS = _invented(5913001, "發票號碼與發票日期為必填")
ALLOWANCE_INVOICE_REQUIRED = _observed(2014001, "發票號碼為必填")
ALLOWANCE_NO_REQUIRED = _observed(2014003, "折讓編號為必填")
ALLOWANCE_SEARCH = _invented(5915001, "查詢類型與條件不符")
LIST_PARAMETER = _invented(5917001, "查詢多筆發票參數錯誤")
COLLEGIATE_QUERY = _invented(5916001, "發票號碼與折讓編號為必填")
ALLOWANCE_INVALID_QUERY = _invented(5919001, "發票號碼與折讓編號為必填")

# VoidWithReIssue (註銷重開)
REISSUE_MODELS = _invented(5918001, "註銷重開參數格式錯誤")
REISSUE_DATE = _invented(5918002, "開立時間與原發票不符")
REISSUE_VOID = _invented(5918003, "已作廢的發票不可註銷重開")
REISSUE_HAS_ALLOWANCE = _invented(5918004, "已折讓的發票不可註銷重開")
REISSUE_WAITS = _invented(5918005, "發票尚未上傳財政部，不可註銷重開")
REISSUE_LATE = _invented(5918006, "已超過可註銷重開的期限")

# look-ups at the ministry (財政部)
BARCODE_FORMAT = _observed(2019001, "手機條碼格式錯誤")
LOVE_CODE_FORMAT = _observed(2020001, "捐贈碼為3~7碼純數字")
UBN_LENGTH = _documented(2027000, "統一編號格式錯誤")
UBN_CHECKSUM = _observed(1200125, "統一編號檢查碼驗證失敗，請再確認")

# number tracks (字軌)
TRACK_YEAR = _invented(5930001, "字軌年份錯誤")
TRACK_FIELD = _invented(5930002, "字軌參數格式錯誤")
TRACK_RANGE = _invented(5930003, "字軌號碼起迄錯誤")
TRACK_OVERLAP = _invented(5930004, "字軌號碼區間重複")
TRACK_NOT_ALLOCATED = _invented(5930005, "字軌號碼區間不在財政部配號內")
TRACK_DISABLED = _invented(5930006, "已停用的字軌不可再啟用")
TRACK_NOT_APPROVED = _invented(5930007, "字軌尚未通過審核")

# InvoicePrint (列印)
PRINT_STYLE = _invented(5940001, "列印格式錯誤")
PRINT_DETAIL = _invented(5940002, "是否顯示明細格式錯誤")
PRINT_REPRINT = _invented(5940003, "補印註記格式錯誤，或此列印格式不可補印")

# InvoiceNotify (發送通知) and the notification settings
NOTIFY_FIELD = _invented(5941001, "通知參數格式錯誤")
NOTIFY_ADDRESS = _invented(5941002, "手機號碼與電子信箱不符通知方式")
NOTIFY_ONLINE = _invented(5941003, "線上折讓僅可以電子信箱通知客戶")
NOTIFY_SETTING = _invented(5942001, "通知設定參數格式錯誤")

# blank numbers (空白字軌)
BLANK_TERM = _invented(5943001, "僅可查詢一年內已結束的期別")
BLANK_FIELD = _invented(5943002, "空白字軌參數格式錯誤")
