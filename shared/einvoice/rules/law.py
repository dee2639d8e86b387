"""Law as dated data (法規資料): what is in force on a day, with its article and source; nothing here computes.

Every figure of law that other modules need is a ``Law`` with the day it began, in a history sorted by that day.
A change of law is one more entry, never an edit: an old day keeps its old answer.

>>> in_force(GENERAL_RATE, date(2026, 3, 1)).value
Fraction(1, 20)
>>> in_force(UBN_DIVISOR, date(2023, 3, 31)).value, in_force(UBN_DIVISOR, date(2023, 4, 1)).value
(10, 5)
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction
from types import MappingProxyType
from typing import Generic, TypeVar

T = TypeVar("T")

_VAT_ACT = "https://law.moj.gov.tw/LawClass/LawAll.aspx?pcode=G0340080"
_INVOICE_RULES = "https://law.moj.gov.tw/LawClass/LawAll.aspx?pcode=G0340082"
_UBN_NOTICE = "https://www.fia.gov.tw/singlehtml/3?cntId=c4d9cff38c8642ef8872774ee9987283"
_ECPAY_ISSUE = "https://developers.ecpay.com.tw/?p=7896"


@dataclass(frozen=True, slots=True)
class Law(Generic[T]):
    """One value of law, in force from the day ``since`` until the next entry of its history."""

    value: T
    since: date
    article: str
    source: str


def in_force(history: tuple[Law[T], ...], on: date) -> Law[T]:
    """The entry in force on the day ``on``; LookupError before the first one."""
    for law in reversed(history):
        if law.since <= on:
            return law
    raise LookupError(f"no law in force on {on}")


def rate(on: date) -> Fraction:
    """General rate of business tax (營業稅一般稅率) on a day.

    >>> rate(date(2026, 1, 1)) == Fraction(5, 100)
    True
    """
    return in_force(GENERAL_RATE, on).value


GENERAL_RATE = (Law(Fraction(5, 100), date(1986, 4, 1), "營業稅法 art. 10", _VAT_ACT),)

# 統一編號 checksum: the weighted sum must be a multiple of this. date.min: from before the notice that changed it.
UBN_DIVISOR = (
    Law(10, date.min, "統一編號檢查邏輯, before the notice of 2021-12-22", _UBN_NOTICE),
    Law(5, date(2023, 4, 1), "統一編號檢查邏輯, notice of 2021-12-22", _UBN_NOTICE),
)

# Must a zero-rated invoice name its reason (零稅率原因)?
ZERO_RATE_REASON_REQUIRED = (
    Law(False, date.min, "MIG before 4.1", _ECPAY_ISSUE),
    Law(True, date(2026, 1, 1), "MIG 4.1 F0401 ZeroTaxRateReason", _ECPAY_ISSUE),
)

# How soon after issue, void or allowance the document must have reached the ministry's platform (上傳期限). The
# stricter of the two readings known: hours of the clock, not "days counted from the next one".
UPLOAD_WITHIN_CONSUMER = (Law(timedelta(hours=48), date(2018, 7, 16), "統一發票使用辦法 art. 7", _INVOICE_RULES),)
UPLOAD_WITHIN_BUSINESS = (Law(timedelta(days=7), date(2018, 7, 16), "統一發票使用辦法 art. 7", _INVOICE_RULES),)

# Zero-rate reasons: 71-79 are items 1-9 of 營業稅法 art. 7 (numbers: ECPay developers page 7896, MIG 4.1).
ZERO_RATE_REASONS = MappingProxyType(
    {
        "71": "外銷貨物",
        "72": "與外銷有關之勞務，或在國內提供而在國外使用之勞務",
        "73": "免稅商店銷售與過境或出境旅客之貨物",
        "74": "銷售與保稅區營業人供營運之貨物或勞務",
        "75": "國際間之運輸",
        "76": "國際運輸用之船舶、航空器及遠洋漁船",
        "77": "銷售與國際運輸用之船舶、航空器及遠洋漁船所使用之貨物或修繕勞務",
        "78": "保稅區營業人銷售與課稅區營業人未輸往課稅區而直接出口之貨物",
        "79": "保稅區營業人銷售與課稅區營業人存入自由港區事業或海關管理之保稅倉庫、物流中心以供外銷之貨物",
    }
)


@dataclass(frozen=True, slots=True)
class SpecialTax:
    """One kind of special business tax (特種稅額類別): its rate and the trade it is for."""

    rate: Fraction
    trade: str
    article: str


# 營業稅法 ch. 4 section 2 (G0340080); the numbering 1-8 is that of ECPay developers page 7896.
SPECIAL_TAXES = MappingProxyType(
    {
        1: SpecialTax(Fraction(25, 100), "酒家及有陪侍服務之茶室、咖啡廳、酒吧等", "營業稅法 art. 12"),
        2: SpecialTax(Fraction(15, 100), "夜總會、有娛樂節目之餐飲店", "營業稅法 art. 12"),
        3: SpecialTax(Fraction(2, 100), "金融業專屬本業", "營業稅法 art. 11"),
        4: SpecialTax(Fraction(1, 100), "保險業之再保費收入", "營業稅法 art. 11"),
        5: SpecialTax(Fraction(5, 100), "金融業非專屬本業", "營業稅法 art. 11"),
        6: SpecialTax(Fraction(5, 100), "銀行業、保險業本業，2014 年 7 月以後", "營業稅法 art. 11"),
        7: SpecialTax(Fraction(5, 100), "銀行業、保險業本業，2014 年 6 月以前", "營業稅法 art. 11"),
        8: SpecialTax(Fraction(0), "空白或免稅", "營業稅法 art. 8"),
    }
)

# Widths of the ministry's message (MIG 4.1 F0401: decimal(20,7) for quantity and price) and of ECPay page 7896 (total).
MAX_NUMBER_INTEGER_DIGITS = 13
MAX_TOTAL_DIGITS = 12
