"""ECPay's data encryption against published vectors, both ways, and against every kind of wrong input."""

from __future__ import annotations

import random

import pytest

from einvoice.errors import MerchantUnusable
from einvoice.providers.ecpay.crypto import Credentials, ciphertext, decrypt, encrypt, seal
from einvoice.providers.ecpay.fields import from_json, to_json

# The public test account of ECPay's stage (developers page 7849).
STAGE = Credentials("ejCk326UnaZWKisg", "q9jcZX8Ib9LM8wYk")
OTHER = Credentials("0123456789abcdef", "fedcba9876543210")

ROUND_TRIP = "全部!混~合*(字).-_%+&=/:'\"測試ABC123 空格"

# (plain text, data); the first is ECPay's own (developers page 7958); the rest were recomputed with other libraries.
VECTORS = {
    "V1": (
        '{"Name":"Test","ID":"A123456789"}',
        "uvI4yrErM37XNQkXGAgRgJAgHn2t72jahaMZzYhWL1HmvH4WV18VJDP2i9pTbC+tby5nxVExLLFyAkbjbS2Dvg==",
    ),
    "V2": (
        '{"MerchantID":"2000132","BarCode":"/1234567"}',
        "XeEOdHpTRvxKEqs/JD9RSd16s7VtpyWVCN6AV44pKTW3DVa6yI7vKmjBRp2eulDhXoru/qBqFDBH3fEqlkMn3bbJfJBfGAq+v+SvttutYnc=",
    ),
    "V3": (
        '{"Name":"test!*\'()~value"}',
        "uvI4yrErM37XNQkXGAgRgBuDOiJoVs72Xn/rum9Ejl1DSna4HyLSoY7764PmhTR7JXb9jJWLSjCGcZEDeFiABg==",
    ),
    "V4": ('{"N":"1234567890"}', "gVwWJnIpl1m3ZDypcRAjiCctilYnQhHn4h8OzJP5IxQPov7HuysXX+jPONvrHS7Z"),
    "V5": (
        '{"MerchantID":"2000132","ItemName":"綠界科技測試商品"}',
        (
            "XeEOdHpTRvxKEqs/JD9RSd16s7VtpyWVCN6AV44pKTVKsXddZRgV+Cle9oeB2PqsEC2O0oDi4kObiCtdGznG9aAX69Kj0//VjGXhieBYZ3Ru"
            "GW9v20xQyBevaBwtOvg1lYjlDw6jsgfToGMUvlGsIJ2DO6/tbXjNZumnRgj2GCSj7LLDRBU3KlkUWji16nO1"
        ),
    ),
    "V6": ('{"a":1}', "a0W/WN4gfpBtzcMx6WFwja8FxMzdvkCopBbw4YbKOvA="),
    "V7": (
        (
            '{"RtnCode":1,"RtnMsg":"開立發票成功","InvoiceNo":"UV11100012","InvoiceDate":"2019-09-17 17:17:31",'
            '"RandomNumber":"6866"}'
        ),
        (
            "vvdAMLz9ExDnnpaFkuViYPSatH9S6psFksGPOsEt6BWBpEsAfJ+Mfx6I1zUJH7gwKD7xOth9Xx0KNwT9Q3IMdsA+1mBXOJnRH9rCGO5SwAy0"
            "Djq4/4bso5oXbMS6lKNUVNIpLJbRoddf9yFCRDW8WFzaSXyIa322Sj9++NoSx9YykTRUA8N5vJ07lT7ZC9rxNx4PbKE82XgS3UUea/dz7eEv"
            "bejULSsi+zGjvKqSlsPgn99dvWr1LKiHPcQlVaFANH592PlEljbCcqNT7AKxdE2g4bhRTg89nuDy3n4fqeDskvfRyuBoMA9U6Fu8iRW/"
        ),
    ),
    "V8": (
        '{"InvoiceDate":"2026-01-02 03:04:05","N":"/AB+CD12","E":"a&b<c>😀"}',
        (
            "40op1I9cd/5qQfCXWlP/4CTmDPooCVxad60TCZG4JHzdopgiFfDl9lHIkP4jBRd6eCIMkrZzGFs7NZSxCxoc263OTmyHkmvmCk2Z53T7D1lw"
            "VCTiqIxFVYmWaEIEJNVlhAGmBZGYSFfSNMLkH+wjqtaa0+w0JQAlAcVMbEyA9JB/2XPabG+lq1vwiEg6l6Qw"
        ),
    ),
}
# (URL-encoded text in .NET's lower hex, its JSON, data): accepted by ECPay as well, and how it may answer.
LOWER_HEX = {
    "V1b": (
        "%7b%22Name%22%3a%22Test%22%2c%22ID%22%3a%22A123456789%22%7d",
        '{"Name":"Test","ID":"A123456789"}',
        "ZD/z07UvdmL3aYz0tsVo+bFXF5VldNcns6ezyfea777KOmLiizrUNDYe+v1bh2QTT4AySf1NICgXxWXB6f7c6A==",
    ),
    "V6 lower": ("%7b%22a%22%3a1%7d", '{"a":1}', "GnpdFuAYZzKPghwgjwaxrwiQQYnT2LIzACtF7pm98Sk="),
}


def open_with(credentials: Credentials, data: str) -> str | None:
    """Decrypt data that must be whole."""
    blocks = ciphertext(data)
    assert blocks is not None
    return decrypt(credentials, blocks)


@pytest.mark.parametrize(("plain", "data"), VECTORS.values(), ids=VECTORS)
def test_published_vectors_hold_both_ways(plain: str, data: str) -> None:
    """Every vector encrypts to the published text and decrypts back, spaces and pluses included."""
    assert encrypt(STAGE, plain) == data
    assert open_with(STAGE, data) == plain


@pytest.mark.parametrize(("encoded", "plain", "data"), LOWER_HEX.values(), ids=LOWER_HEX)
def test_lower_hex_vectors_hold_both_ways(encoded: str, plain: str, data: str) -> None:
    """The other spelling of URL encoding gives the published text and decrypts to the same JSON."""
    assert seal(STAGE, encoded) == data
    assert open_with(STAGE, data) == plain


def test_every_troublesome_character_survives_the_round_trip() -> None:
    """Text goes out as JSON and comes back the same, byte for byte."""
    document = open_with(STAGE, encrypt(STAGE, to_json({"name": ROUND_TRIP})))
    assert document is not None
    assert from_json(document) == {"name": ROUND_TRIP}


@pytest.mark.parametrize("length", range(33))
def test_every_length_of_padding_is_right(length: int) -> None:
    """All 16 paddings, the full block among them."""
    assert open_with(STAGE, encrypt(STAGE, "x" * length)) == "x" * length


@pytest.mark.parametrize(
    "data", ["", "=", "abc", "a+b/", "測試", "AAAA", "uvI4yrErM37XNQkXGAgRgJAgHn2t72jahaMZzYhWL1Hm", "!" * 24]
)
def test_damaged_data_is_told_from_a_wrong_key(data: str) -> None:
    """No base64, or no whole blocks: no key in the world would open it."""
    assert ciphertext(data) is None


def test_a_wrong_key_never_opens_and_never_raises() -> None:
    """2,000 answers under another key: none opens, also where the padding looks right by chance."""
    dice = random.Random(7)
    opened = [open_with(OTHER, encrypt(STAGE, f"RtnCode {dice.randrange(10**9)}")) for _ in range(2000)]
    assert opened == [None] * 2000


def test_random_blocks_never_raise() -> None:
    """Padding errors are outcomes."""
    dice = random.Random(8)
    for _ in range(2000):
        decrypt(STAGE, dice.randbytes(16 * dice.randrange(1, 4)))


def test_credentials_do_not_show_themselves() -> None:
    """Neither repr nor str nor an error carries a key."""
    assert "ejCk" not in repr(STAGE) + str(STAGE) + f"{STAGE}"
    with pytest.raises(MerchantUnusable) as unusable:
        Credentials("ejCk326UnaZWKisg-too-long", "q9jcZX8Ib9LM8wYk")
    assert "ejCk" not in repr(unusable.value)
    with pytest.raises(MerchantUnusable):
        Credentials("ejCk326UnaZWKisg", "ｑ9jcZX8Ib9LM8wYk")
