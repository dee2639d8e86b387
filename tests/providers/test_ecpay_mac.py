"""The consent callback: what counts as one of ECPay's, and what it says."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta, timezone
from urllib.parse import urlencode

import pytest

from einvoice.providers.ecpay.crypto import Credentials
from einvoice.providers.ecpay.mac import (
    ACCEPTED,
    CONTENT_TYPE,
    MAX_FORM_BYTES,
    Consent,
    check_mac_value,
    parse_consent,
    read_form,
    verify,
)
from tests.providers.servers import always, answer, serving
from tests.providers.shop import KEYS, shop

TAIPEI = timezone(timedelta(hours=8))
OTHER_KEYS = Credentials("0123456789abcdef", "fedcba9876543210")

# The vector of ECPay developers page 38242, under the keys of ECPay's public test account (page 7849).
VECTOR = {
    "RtnCode": "1",
    "RtnMsg": "",
    "IA_Allow_No": "1909181313013546",
    "IA_Invoice_No": "UV11100019",
    "IA_Date": "2019-09-18 13:13:23",
    "IIS_Remain_Allowance_Amt": "0",
    "CheckMacValue": "50A276E71DAE26343013958B405EEEA0",
}


def signed(**change: str) -> dict[str, str]:
    """The vector with other fields, signed again."""
    form = VECTOR | change
    return form | {"CheckMacValue": check_mac_value(form, KEYS)}


# --- the checksum ---


def test_the_official_vector_holds() -> None:
    """ECPay's own example, in any order of its fields."""
    assert verify(VECTOR, KEYS)
    assert verify(dict(reversed(VECTOR.items())), KEYS)


@pytest.mark.parametrize("name", [name for name in VECTOR if name != "CheckMacValue"])
def test_every_field_is_under_the_checksum(name: str) -> None:
    """One changed, one missing: neither verifies."""
    assert not verify(VECTOR | {name: VECTOR[name] + "1"}, KEYS)
    assert not verify({key: value for key, value in VECTOR.items() if key != name}, KEYS)


@pytest.mark.parametrize(
    "form",
    [
        {},
        {"CheckMacValue": ""},
        {key: value for key, value in VECTOR.items() if key != "CheckMacValue"},
        VECTOR | {"CheckMacValue": ""},
        VECTOR | {"CheckMacValue": "0" * 32},
        VECTOR | {"CheckMacValue": VECTOR["CheckMacValue"][:-1]},
        VECTOR | {"CheckMacValue": VECTOR["CheckMacValue"] + "0"},
        VECTOR | {"CheckMacValue": "測試"},
        VECTOR | {"Another": ""},
    ],
)
def test_a_forged_form_does_not_verify(form: Mapping[str, str]) -> None:
    """Empty, truncated, extended, not even ASCII; and nothing is raised."""
    assert not verify(form, KEYS)


def test_another_merchants_keys_do_not_verify() -> None:
    """Whoever sends it must have used the keys of the merchant it is addressed to."""
    assert not verify(VECTOR, OTHER_KEYS)


def test_characters_of_every_kind_are_encoded_as_dotnet_does() -> None:
    """Encoded by hand from the table of page 38406 and hashed apart from this code; names sort whatever their case."""
    form = {"B": "A b~!*()-_.'/測", "a": "1"}
    # hashkey%3d…%26a%3d1%26b%3da+b%7e!*()-_.%27%2f%e6%b8%ac%26hashiv%3d…
    assert check_mac_value(form, KEYS) == "3E19831C25ABCB1E349D9583EC75B6A5"


# --- the form ---


def test_a_clean_form_is_read() -> None:
    """Values decoded, empty ones kept, spaces of either spelling."""
    body = urlencode(VECTOR).encode()
    assert read_form(body, CONTENT_TYPE) == VECTOR
    assert read_form(body.replace(b"+", b"%20"), "Application/X-WWW-Form-Urlencoded; charset=utf-8") == VECTOR


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"&",
        b"RtnCode",
        b"RtnCode=1&&RtnMsg=",
        b"RtnCode=1&RtnCode=1",
        b"RtnCode=1&RtnCode=0",
        b"RtnCode=1&rtncode=0",
        b"CheckMacValue=a&checkmacvalue=b",
        b"RtnMsg=%ff",
        "RtnMsg=測試".encode(),
        b'{"RtnCode":1}',
        b"&".join(b"f%d=1" % number for number in range(21)),
        b"RtnMsg=" + b"x" * MAX_FORM_BYTES,
        b"\x00\xff" * 9,
    ],
)
def test_what_is_no_small_clean_form_is_refused(body: bytes) -> None:
    """A name that comes twice above all: one of the two would be read and the other one signed."""
    assert read_form(body, CONTENT_TYPE) is None


@pytest.mark.parametrize("content_type", ["", "application/json", "multipart/form-data; boundary=x", "text/plain"])
def test_a_form_says_that_it_is_one(content_type: str) -> None:
    """ECPay's content type and no other."""
    assert read_form(urlencode(VECTOR).encode(), content_type) is None


# --- what it says ---


def test_a_consent_is_told_in_our_terms() -> None:
    """Taipei time in both spellings, and how much is left."""
    consent = Consent("1909181313013546", "UV11100019", datetime(2019, 9, 18, 13, 13, 23, tzinfo=TAIPEI), 0)
    assert parse_consent(VECTOR) == consent
    assert parse_consent(VECTOR | {"IA_Date": "2019/09/18 13:13:23"}) == consent


@pytest.mark.parametrize(
    "change",
    [
        {"RtnCode": "0"},
        {"RtnCode": ""},
        {"IA_Allow_No": ""},
        {"IA_Allow_No": "19091813130135467"},
        {"IA_Invoice_No": "uv11100019"},
        {"IA_Date": "2019-09-18"},
        {"IIS_Remain_Allowance_Amt": ""},
        {"IIS_Remain_Allowance_Amt": "0.5"},
    ],
)
def test_a_verified_form_may_still_tell_of_no_consent(change: dict[str, str]) -> None:
    """A signature does not make a field readable."""
    form = signed(**change)
    assert verify(form, KEYS)
    assert parse_consent(form) is None


# --- as the simulator posts it ---


def test_the_simulators_callback_is_read_verified_and_found_true() -> None:
    """The raw bytes it posts; its own checksum is an implementation apart. The look-up then shows the allowance."""
    with serving(always(answer(ACCEPTED.encode()))) as server, shop() as one:
        asked = one.asked(1000, f"{server.origin}/callbacks")
        one.sim.agree(asked.number)
        (raw,) = server.requests
        head, _, body = raw.partition(b"\r\n\r\n")
        assert f"content-type: {CONTENT_TYPE}".encode() in head.lower()
        form = read_form(body, CONTENT_TYPE)
        assert form is not None
        assert verify(form, KEYS)
        assert not verify(form, OTHER_KEYS)
        consent = parse_consent(form)
        assert consent is not None
        assert (consent.allowance_number, consent.invoice_number, consent.remaining_twd) == (
            asked.number,
            one.number,
            50,
        )
        assert one.listed() == [(asked.number, 1000, False)]
        assert [told["state"] for told in one.sim.callbacks()] == ["delivered"]


def test_the_simulators_forged_callback_does_not_verify_and_nothing_is_found() -> None:
    """Somebody else posted it: no allowance is listed, and the sum is still held back."""
    with serving(always(answer(ACCEPTED.encode()))) as server, shop() as one:
        asked = one.asked(1000, f"{server.origin}/callbacks")
        one.sim.forge_consent(asked.number)
        (raw,) = server.requests
        form = read_form(raw.partition(b"\r\n\r\n")[2], CONTENT_TYPE)
        assert form is not None
        assert not verify(form, KEYS)
        assert (one.listed(), one.remaining()) == ([], 50)
