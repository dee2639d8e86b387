"""Rounding and the split of a tax-inclusive total."""

from __future__ import annotations

import ast
from datetime import date
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from einvoice.rules import law, money

FIVE_PERCENT = law.rate(date(2026, 1, 1))

# Computed by hand and compared with the pairs published by the centres (100+5, 952+48, 9524+476, 5238+262, 19+1).
SPLITS = [
    (1, 1, 0),
    (10, 10, 0),
    (11, 10, 1),
    (20, 19, 1),
    (31, 30, 1),
    (52, 50, 2),
    (53, 50, 3),
    (100, 95, 5),
    (105, 100, 5),
    (999, 951, 48),
    (1_000, 952, 48),
    (1_050, 1_000, 50),
    (1_155, 1_100, 55),
    (1_999, 1_904, 95),
    (2_000, 1_905, 95),
    (5_500, 5_238, 262),
    (10_000, 9_524, 476),
    (10_500, 10_000, 500),
    (12_345, 11_757, 588),
    (999_999, 952_380, 47_619),
]


@pytest.mark.parametrize(("total", "sales", "tax"), SPLITS)
def test_split_matches_the_published_pairs(total, sales, tax):
    """A total splits as the centres' own examples do."""
    assert money.split_inclusive(total, FIVE_PERCENT) == (sales, tax)


def test_split_of_every_total_up_to_100000_equals_the_tax_rounded_by_itself():
    """Rounding the sales or rounding total x 5/105 gives the same tax, and both parts add up to the total."""
    for total in range(1, 100_001):
        sales, tax = money.split_inclusive(total, FIVE_PERCENT)
        assert sales + tax == total
        assert tax == (2 * total * 5 + 105) // 210


@given(total=st.integers(0, 10**12), percent=st.integers(0, 30))
def test_split_closes_for_any_total_and_rate(total, percent):
    """No dollar is lost or made, and neither part is negative."""
    sales, tax = money.split_inclusive(total, Fraction(percent, 100))
    assert sales + tax == total
    assert sales >= 0
    assert tax >= 0


@pytest.mark.parametrize(
    ("sales", "tax"), [(10, 1), (30, 2), (50, 3), (70, 4), (90, 5), (110, 6), (130, 7), (1010, 51)]
)
def test_half_a_dollar_of_tax_goes_up(sales, tax):
    """Where Python's round would give 0, 2, 2, 4, 4, 6, 6, 50."""
    assert money.round_half_up(sales * FIVE_PERCENT) == tax


@given(st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**15), max_value=10**15))
def test_rounding_is_symmetric_and_within_half_a_dollar(value):
    """A refund rounds exactly as its sale did."""
    rounded = money.round_half_up(value)
    assert money.round_half_up(-value) == -rounded
    assert abs(Fraction(value) - rounded) <= Fraction(1, 2)


@pytest.mark.parametrize("value", ["NaN", "sNaN", "Infinity", "-Infinity"])
def test_what_is_no_number_is_not_rounded(value):
    """A number that is none never becomes money."""
    with pytest.raises(ValueError, match="finite"):
        money.round_half_up(Decimal(value))


def test_no_other_rule_rounds():
    """Only money.py rounds: nobody else calls round, quantize, floor, ceil or int."""
    rounding = {"round", "quantize", "floor", "ceil", "trunc", "int", "to_integral_value", "float"}
    folder = Path(money.__file__).parent
    found = {
        (path.name, ast.unparse(node))
        for path in folder.glob("*.py")
        if path.name != "money.py"
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call)
        and (node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")) in rounding
    }
    # digits of a text, not money
    assert found == {("period.py", "int(match[1])"), ("period.py", "int(match[2])"), ("ubn.py", "int(digit)")}
