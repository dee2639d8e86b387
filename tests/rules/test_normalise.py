"""Normalising codes, and only codes."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from einvoice.model import Buyer, Carrier, CarrierKind, Line, Order
from einvoice.rules.normalise import normalise

LINE = Line("Ａ茶 ", Decimal("1.50"), Decimal(10), 15, unit=" 盒", remark=" ｘ ")


def order_with(*, carrier="", **buyer):
    """An order whose buyer and carrier number are as given."""
    return Order(Buyer(**buyer), (LINE,), 15, carrier=Carrier(CarrierKind.MOBILE_BARCODE, carrier), remark=" Ｒ ")


@pytest.mark.parametrize(
    ("field", "typed", "clean"),
    [
        ("ubn", "\u3000０４５９５２５７\n", "04595257"),
        ("phone", " ０９１２345678", "0912345678"),
        ("phone", "02-2655-1775", "02-2655-1775"),
        ("email", " Buyer＠example.com\t", "Buyer＠example.com"),
    ],
)
def test_a_code_of_the_buyer_is_cleaned(field, typed, clean):
    """Full-width digits and blanks around it go; nothing inside is guessed, an e-mail is only trimmed."""
    assert getattr(normalise(order_with(**{field: typed})).buyer, field) == clean


@pytest.mark.parametrize(
    ("typed", "clean"),
    [
        ("／ＡＢＣ＋１２３", "/ABC+123"),
        ("/A.-+012", "/A.-+012"),
        ("/ABC 123", "/ABC 123"),
        ("/ABC123 ", "/ABC123"),
        ("/abc+123", "/abc+123"),
    ],
)
def test_a_carrier_number_keeps_its_signs_and_a_blank_never_becomes_a_plus(typed, clean):
    """A "+" lost on the way stays lost, so that the form check finds it."""
    assert normalise(order_with(carrier=typed)).carrier.number == clean


def test_a_donation_code_is_cleaned():
    """Leading zeros stay."""
    assert normalise(replace(order_with(), love_code=" ００１ ")).love_code == "001"


def test_an_order_without_carrier_stays_so():
    """No carrier is made up."""
    assert normalise(replace(order_with(), carrier=None)).carrier is None


@given(st.text(), st.text())
def test_nothing_else_changes_and_twice_is_once(name, text):
    """What the buyer agreed to is never touched."""
    order = order_with(name=name, address=text, ubn=text, phone=text, email=text, carrier=text, ubn_override=text)
    once = normalise(order)
    assert normalise(once) == once
    blank_codes = {"ubn": "", "phone": "", "email": ""}
    assert replace(once.buyer, **blank_codes) == replace(order.buyer, **blank_codes)
    assert replace(once, buyer=order.buyer, carrier=order.carrier) == order
