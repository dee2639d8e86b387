"""Envelope, encoding and the spellings of foreign clients."""

from __future__ import annotations

import json
import time
from typing import Any
from urllib.parse import quote, quote_plus

import pytest

from simulators.ecpay import Simulator, start
from simulators.ecpay.wire import decrypt, encrypt, php_urlencode
from tests.simulators.ecpay_client import IV, KEY, MERCHANT, Client, order, seal, unseal


def dot_net(text: str) -> str:
    """Lower-case hex, ``!()*`` left alone."""
    quoted = quote_plus(text, safe="!()*")
    parts = quoted.split("%")
    return parts[0] + "".join(f"%{part[:2].lower()}{part[2:]}" for part in parts[1:])


@pytest.mark.parametrize(
    ("plain", "cipher"),
    [
        (
            '{"Name":"Test","ID":"A123456789"}',
            "uvI4yrErM37XNQkXGAgRgJAgHn2t72jahaMZzYhWL1HmvH4WV18VJDP2i9pTbC+tby5nxVExLLFyAkbjbS2Dvg==",
        ),
        (
            """{"Name":"test!*'()~value"}""",
            "uvI4yrErM37XNQkXGAgRgBuDOiJoVs72Xn/rum9Ejl1DSna4HyLSoY7764PmhTR7JXb9jJWLSjCGcZEDeFiABg==",
        ),
        ('{"N":"1234567890"}', "gVwWJnIpl1m3ZDypcRAjiCctilYnQhHn4h8OzJP5IxQPov7HuysXX+jPONvrHS7Z"),
    ],
)
def test_published_vectors(plain: str, cipher: str) -> None:
    """Answers are encoded exactly as ECPay's published vectors (developers page 7958, ECPay-API-Skill)."""
    assert encrypt(json.loads(plain), KEY, IV) == cipher
    assert decrypt(cipher, KEY, IV) == json.loads(plain)


def test_lower_hex_vector_is_read() -> None:
    """The second official spelling of the same object opens too."""
    cipher = "ZD/z07UvdmL3aYz0tsVo+bFXF5VldNcns6ezyfea777KOmLiizrUNDYe+v1bh2QTT4AySf1NICgXxWXB6f7c6A=="
    assert decrypt(cipher, KEY, IV) == {"Name": "Test", "ID": "A123456789"}


def test_php_spelling() -> None:
    """Space is ``+``, literal plus ``%2B``, tilde is encoded."""
    assert php_urlencode("a +~!*'()-_.") == "a+%2B%7E%21%2A%27%28%29-_."


@pytest.mark.parametrize(
    "encode",
    [
        quote_plus,
        quote,
        dot_net,
        lambda text: quote(text, safe="!'()*~"),
        lambda text: text.replace("%", "%25").replace("+", "%2B"),
    ],
    ids=["php", "python", "dotnet", "javascript", "hardly-encoded"],
)
def test_every_percent_encoding_round_trips(client: Client, encode: Any) -> None:
    """Whatever flavour a client uses, what it sent is what GetIssue says, byte for byte."""
    client.encode = encode
    name = """全部!混~合*(字).-_%+&=/:'"測試ABC123 空格😀"""
    assert client.call("Issue", **order("E1", CustomerName=name, InvoiceRemark=name)).code == 1
    found = client.call("GetIssue", RelateNumber="E1").data
    assert (found["IIS_Customer_Name"], found["InvoiceRemark"]) == (name, name)


def test_spaces_of_answers_are_plus_signs(client: Client) -> None:
    """A client that decodes with percent-decoding alone must meet its bug here."""
    _, raw = client.post("/B2CInvoice/Issue", client.body({"MerchantID": MERCHANT, **order("P1")}))
    plain = unseal(json.loads(raw)["Data"])
    assert "+" in plain
    assert "%20" not in plain


@pytest.mark.parametrize("path", ["/B2CInvoice/issue", "/b2cinvoice/ISSUE", "/B2CInvoice/Issue"])
def test_path_in_any_case(client: Client, path: str) -> None:
    """A configuration with lower-case paths works."""
    status, raw = client.post(path, client.body({"MerchantID": MERCHANT, **order("L1")}))
    assert (status, json.loads(raw)["TransCode"]) == (200, 1)


def test_form_content_type_without_revision_and_number_merchant(client: Client) -> None:
    """JSON under a form content type, no Revision, MerchantID as a number."""
    client.content_type, client.revision, client.merchant = "application/x-www-form-urlencoded", None, 2000132
    assert client.call("Issue", **order("F1")).code == 1


def test_keys_in_any_case_and_numbers_as_text(client: Client) -> None:
    """``Vat``, ``Barcode`` and numeric strings are read as their documented forms."""
    data = {key.swapcase(): value for key, value in order("K1", total=100).items()}
    data["sALESaMOUNT"] = "100"
    data["iTEMS"] = [{**data["iTEMS"][0], "ItemAmount": "100.0", "ItemPrice": "100.00", "ItemCount": "1"}]
    assert client.call("Issue", **data).code == 1
    assert client.call("CheckBarcode", Barcode="/AB+CD12").data["IsExist"] == "Y"
    assert client.call("CheckBarcode", BarCode="/AB+CD12").data["IsExist"] == "Y"


def test_unescaped_utf8_and_chunked_body(client: Client) -> None:
    """Raw UTF-8 inside, chunked transfer outside."""
    body = client.body({"MerchantID": MERCHANT, **order("U1")}, ascii_only=False)
    chunks = b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in (body[:50], body[50:])) + b"0\r\n\r\n"
    status, raw = client.post("/B2CInvoice/Issue", chunks, {"Transfer-Encoding": "chunked"})
    assert (status, json.loads(raw)["TransCode"]) == (200, 1)


def refusal(client: Client, **changes: Any) -> tuple[int, int, Any]:
    """HTTP status, TransCode and Data of an envelope with ``changes``."""
    good = json.loads(client.body({"MerchantID": MERCHANT, **order("X1")}))
    status, raw = client.post("/B2CInvoice/Issue", json.dumps({**good, **changes}).encode())
    answer = json.loads(raw)
    return status, answer["TransCode"], answer["Data"]


def test_envelope_refusals_and_their_order(sim: Simulator, client: Client) -> None:
    """115 before 111 before 110 before 104, each HTTP 500 with a JSON envelope and Data null; nothing is issued."""
    old = {"Timestamp": int(time.time()) - 601}
    assert refusal(client, MerchantID="9999999", Data="", RqHeader=old) == (500, 115, None)
    assert refusal(client, Data="", RqHeader=old) == (500, 111, None)
    assert refusal(client, Data=None, RqHeader=old) == (500, 111, None)
    assert refusal(client, Data=seal("%7B%7D", key="x" * 16), RqHeader=old) == (500, 110, None)
    assert refusal(client, Data="%%%", RqHeader=old) == (500, 110, None)
    assert refusal(client, RqHeader=old) == (500, 104, None)
    assert refusal(client, RqHeader={}) == (500, 104, None)
    assert sim.invoices() == []


def test_timestamp_window_is_ten_minutes(client: Client) -> None:
    """Ten minutes old, less a moment, passes."""
    assert refusal(client, RqHeader={"Timestamp": int(time.time()) - 595})[1] == 1


def test_only_the_strict_profile_refuses_the_future(client: Client, strict_client: Client) -> None:
    """What stage does with a future timestamp was never observed."""
    ahead = {"Timestamp": int(time.time()) + 700}
    assert refusal(client, RqHeader=ahead)[1] == 1
    assert refusal(strict_client, RqHeader=ahead)[1] == 104


@pytest.mark.parametrize("path", ["/B2CInvoice/GetIssueByRelateNo", "/B2CInvoice/", "/", "/B2BInvoice/Issue"])
def test_unknown_path_is_an_html_500(client: Client, path: str) -> None:
    """Not JSON, not 404."""
    status, raw = client.post(path, client.body({"MerchantID": MERCHANT}))
    assert (status, raw[:9]) == (500, b"<!DOCTYPE")


def test_unreadable_body_is_an_html_500(client: Client) -> None:
    """No code is known for it."""
    assert client.post("/B2CInvoice/Issue", b"a=b")[0] == 500


def test_inner_merchant_must_match(client: Client) -> None:
    """Refused in the business answer, HTTP 200."""
    answer = client.call("Issue", **order("M1"), MerchantID="2000133")
    assert (answer.status, answer.code) == (200, 5900001)


def test_more_merchants_have_their_own_keys_numbers_and_orders(sim: Simulator, client: Client) -> None:
    """One RelateNumber at two merchants makes two invoices with different numbers; platforms sign for merchants."""
    sim.add_merchant("3000001", "k" * 16, "i" * 16)
    other = Client(sim.url, merchant="3000001", key="k" * 16, iv="i" * 16)
    first, second = client.call("Issue", **order("SAME")), other.call("Issue", **order("SAME"))
    assert first.data["InvoiceNo"] != second.data["InvoiceNo"]
    assert client.call("GetIssue", RelateNumber="SAME").data["IIS_Number"] == first.data["InvoiceNo"]
    platform = json.loads(other.body({"MerchantID": MERCHANT, "RelateNumber": "SAME"}))
    platform.update(PlatformID="3000001", MerchantID=MERCHANT)
    answer = json.loads(client.post("/B2CInvoice/GetIssue", json.dumps(platform).encode())[1])
    assert (answer["TransCode"], answer["PlatformID"]) == (1, "3000001")


def test_varied_types() -> None:
    """With the switch on, both spellings of MerchantID, RtnCode and amounts occur, and only then."""
    with start() as sim:
        client = Client(sim.url)
        for varied in (False, True):
            sim.settings({"vary_types": varied})
            number = client.call("Issue", **order(f"V{varied}")).data
            found = [client.call("GetIssue", RelateNumber=f"V{varied}") for _ in range(2)]
            day = number["InvoiceDate"]
            voids = [client.call("Invalid", InvoiceNo=number["InvoiceNo"], InvoiceDate=day, Reason="x") for _ in "12"]
            assert len({type(answer.envelope["MerchantID"]) for answer in found}) == 1 + varied
            assert len({type(answer.data["IIS_Sales_Amount"]) for answer in found}) == 1 + varied
            assert len({type(answer.data["RtnCode"]) for answer in voids}) == 1 + varied
