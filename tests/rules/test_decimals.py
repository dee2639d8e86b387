"""The shape and the one text of a decimal."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from einvoice.rules import decimals


@given(st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**20), max_value=10**20))
def test_the_canonical_text_keeps_the_value_and_is_the_same_for_equal_values(value):
    """Nothing is rounded, no exponent is shown, and 1.50 and 1.5 are one text."""
    text = decimals.canonical(value)
    assert Fraction(text) == Fraction(value)
    assert "E" not in text.upper()
    assert decimals.canonical(Decimal(text)) == text


@pytest.mark.parametrize("value", ["1E+999999", "9" * 50 + "E+999999"])
def test_shape_of_a_huge_number_is_known_without_writing_it_out(value):
    """A hostile exponent costs no time."""
    assert decimals.shape(Decimal(value))[0] > 999_999


def test_shape_keeps_every_digit_of_a_long_number():
    """Decimal's own normalize would round to 28 digits here."""
    assert decimals.shape(Decimal("1" * 20 + "." + "1" * 20)) == (20, 20)


@pytest.mark.parametrize("function", [decimals.shape, decimals.canonical])
@pytest.mark.parametrize("value", ["NaN", "Infinity"])
def test_what_is_no_number_has_no_shape(function, value):
    """Refused, never described."""
    with pytest.raises(ValueError, match="finite"):
        function(Decimal(value))
