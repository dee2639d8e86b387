"""統一編號, carrier numbers, donation codes, invoice numbers and random codes."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from einvoice.model import CarrierKind
from einvoice.rules import carrier, love_code, number, ubn

BEFORE, SINCE = date(2023, 3, 31), date(2023, 4, 1)

VALID_UNDER_BOTH = [
    "04595257",
    "10458575",
    "10458574",
    "53212539",
    "88117125",
    "00501503",
    "00277104",
    "28080623",
    "24634102",
    "97025978",
    "12345675",
    "12345676",
    "70664079",
]
VALID_SINCE_2023 = [
    "04595252",
    "10458570",
    "12345670",
    "12345671",
    "10000004",
    "10000026",
    "10000073",
    "10000171",
]
INVALID = [
    "12345678",
    "12345672",
    "12345673",
    "12345674",
    "12345677",
    "12345679",
    "04595253",
    "28080624",
    "00501502",
    "00277103",
    "88117126",
    "12222539",
    "00000001",
    "53212538",
    "24634103",
    "97025979",
]
NO_FORM = [
    "",
    "1234567",
    "123456789",
    "1234567A",
    "０４５９５２５７",
    " 04595257",
    "04595257\n",
    "0000000000",
    "٠٤٥٩٥٢٥٧",
]


def name_of(code):
    """The stable code, or None."""
    return code and code.name


@pytest.mark.parametrize("text", VALID_UNDER_BOTH)
def test_an_old_number_stays_valid(text):
    """The rule of 2023 only adds numbers."""
    assert ubn.problem(text, BEFORE) is None
    assert ubn.problem(text, SINCE) is None


@pytest.mark.parametrize("text", VALID_SINCE_2023)
def test_a_new_number_is_valid_since_its_rule(text):
    """The day decides, not the release of a library."""
    assert name_of(ubn.problem(text, BEFORE)) == "UBN_CHECKSUM"
    assert ubn.problem(text, SINCE) is None


@pytest.mark.parametrize("text", INVALID)
def test_a_typing_error_is_found_and_a_person_may_overrule_it(text):
    """The sum fails under both rules; a reason given by a person lets it pass, a blank one does not."""
    assert name_of(ubn.problem(text, BEFORE)) == "UBN_CHECKSUM"
    assert name_of(ubn.problem(text, SINCE)) == "UBN_CHECKSUM"
    assert ubn.problem(text, SINCE, override="looked up") is None
    assert name_of(ubn.problem(text, SINCE, override="  ")) == "UBN_CHECKSUM"


@pytest.mark.parametrize("text", NO_FORM)
def test_no_override_makes_a_number_of_what_is_none(text):
    """Eight ASCII digits or nothing."""
    assert name_of(ubn.problem(text, SINCE, override="looked up")) == "UBN_FORM"


def test_the_stand_in_for_no_buyer_is_refused_by_name():
    """00000000 passes the arithmetic and would be printed as "no buyer"."""
    assert name_of(ubn.problem("00000000", SINCE)) == "UBN_ZERO"
    assert name_of(ubn.problem("00000000", SINCE, override="looked up")) == "UBN_ZERO"


@given(st.from_regex(r"\A[0-9]{8}\Z"))
def test_whatever_the_old_rule_takes_the_new_one_takes(text):
    """A valid 統編 is never called invalid by the change."""
    if ubn.problem(text, BEFORE) is None:
        assert ubn.problem(text, SINCE) is None


@pytest.mark.parametrize(
    ("kind", "text", "code"),
    [
        (CarrierKind.MOBILE_BARCODE, "/ABC+123", None),
        (CarrierKind.MOBILE_BARCODE, "/TRM+O+P", None),
        (CarrierKind.MOBILE_BARCODE, "/A.-+012", None),
        (CarrierKind.MOBILE_BARCODE, "", "CARRIER_NUMBER_MISSING"),
        (CarrierKind.MOBILE_BARCODE, "/abc+123", "CARRIER_NUMBER_FORM"),
        (CarrierKind.MOBILE_BARCODE, "/ABC123", "CARRIER_NUMBER_FORM"),
        (CarrierKind.MOBILE_BARCODE, "ABC+1234", "CARRIER_NUMBER_FORM"),
        (CarrierKind.MOBILE_BARCODE, "/ABC+1234", "CARRIER_NUMBER_FORM"),
        (CarrierKind.MOBILE_BARCODE, "/ABC_123", "CARRIER_NUMBER_FORM"),
        (CarrierKind.MOBILE_BARCODE, "/ABC 123", "CARRIER_NUMBER_FORM"),
        (CarrierKind.MOBILE_BARCODE, "/ABC+123\n", "CARRIER_NUMBER_FORM"),
        (CarrierKind.CITIZEN_CERTIFICATE, "TP03000001234567", None),
        (CarrierKind.CITIZEN_CERTIFICATE, "TP0300000123456", "CARRIER_NUMBER_FORM"),
        (CarrierKind.CITIZEN_CERTIFICATE, "TP030000012345678", "CARRIER_NUMBER_FORM"),
        (CarrierKind.CITIZEN_CERTIFICATE, "tp03000001234567", "CARRIER_NUMBER_FORM"),
        (CarrierKind.CITIZEN_CERTIFICATE, "", "CARRIER_NUMBER_MISSING"),
        (CarrierKind.MEMBER, "", None),
        (CarrierKind.MEMBER, "/ABC+123", "CARRIER_NUMBER_FORBIDDEN"),
    ],
)
def test_a_carrier_number_has_the_form_of_its_kind(kind, text, code):
    """Exactly that form; a member carrier has none."""
    assert name_of(carrier.problem(kind, text)) == code


def test_every_kind_of_carrier_has_a_rule():
    """A new kind cannot be forgotten here."""
    for kind in CarrierKind:
        carrier.problem(kind, "x")


@pytest.mark.parametrize(
    ("text", "valid"),
    [("168001", True), ("001", True), ("1234567", True), ("12", False), ("12345678", False), ("X12", False)],
)
def test_a_donation_code_is_three_to_seven_digits(text, valid):
    """Leading zeros count."""
    assert (love_code.problem(text) is None) is valid


@pytest.mark.parametrize(
    ("text", "valid"),
    [("AB12345678", True), ("ab12345678", False), ("A112345678", False), ("AB1234567", False), ("AB12345678\n", False)],
)
def test_an_invoice_number_is_two_capitals_and_eight_digits(text, valid):
    """Nothing around it."""
    assert number.is_invoice_number(text) is valid


@pytest.mark.parametrize(("text", "valid"), [("0000", True), ("6866", True), ("686", False), ("６８６６", False)])
def test_a_random_code_is_four_digits(text, valid):
    """ASCII ones."""
    assert number.is_random_code(text) is valid
