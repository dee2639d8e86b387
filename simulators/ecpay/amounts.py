"""Rounding, tax and the check digit of a UBN (統一編號)."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal

UBN_DIGITS = 8
RATES: dict[str, Decimal] = {"1": Decimal("0.05"), "2": Decimal(0), "3": Decimal(0), "9": Decimal("0.05")}
SPECIAL_RATES: dict[int, Decimal] = {  # 營業稅法 art. 11 and 12; ECPay developers page 7896
    1: Decimal("0.25"),
    2: Decimal("0.15"),
    3: Decimal("0.02"),
    4: Decimal("0.01"),
    5: Decimal("0.05"),
    6: Decimal("0.05"),
    7: Decimal("0.05"),
    8: Decimal(0),
}


def round_half_up(value: Decimal) -> int:
    """Whole dollars, half away from zero (四捨五入).

    >>> round_half_up(Decimal("0.5")), round_half_up(Decimal("-0.5"))
    (1, -1)
    """
    return int(value.quantize(Decimal(1), ROUND_HALF_UP))


def tax_inside(total_twd: Decimal, rate: Decimal) -> int:
    """Tax contained in a tax-inclusive total.

    >>> tax_inside(Decimal(50), Decimal("0.05"))
    2
    """
    return round_half_up(total_twd / (1 + rate) * rate)


def ubn_is_valid(ubn: str) -> bool:
    """Check digit of a UBN under the rule in force since 2023-01-01 (sum divisible by 5).

    >>> ubn_is_valid("53538851"), ubn_is_valid("12345678"), ubn_is_valid("12345670")
    (True, False, True)
    """
    if len(ubn) != UBN_DIGITS or not (ubn.isascii() and ubn.isdigit()):
        return False
    products = [int(digit) * weight for digit, weight in zip(ubn, (1, 2, 1, 2, 1, 2, 4, 1), strict=True)]
    total = sum(product // 10 + product % 10 for product in products)
    return total % 5 == 0 or (ubn[6] == "7" and (total + 1) % 5 == 0)
