"""A small client of ECPay's API, written for these tests alone: it shares no code with the product or the simulator."""

from __future__ import annotations

import base64
import http.client
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote_plus, unquote_plus, urlsplit

from Crypto.Cipher import AES

KEY, IV, MERCHANT = "ejCk326UnaZWKisg", "q9jcZX8Ib9LM8wYk", "2000132"


def seal(plain: str, key: str = KEY, iv: str = IV) -> str:
    """AES-128-CBC with PKCS7 of text that is urlencoded already."""
    data = plain.encode()
    fill = 16 - len(data) % 16
    return base64.b64encode(
        AES.new(key.encode(), AES.MODE_CBC, iv.encode()).encrypt(data + bytes([fill]) * fill)
    ).decode()


def unseal(text: str, key: str = KEY, iv: str = IV) -> str:
    """The urlencoded text inside ``Data``."""
    data = AES.new(key.encode(), AES.MODE_CBC, iv.encode()).decrypt(base64.b64decode(text))
    return data[: -data[-1]].decode()


@dataclass
class Answer:
    """What came back."""

    status: int
    envelope: dict[str, Any]
    data: dict[str, Any]

    @property
    def code(self) -> int:
        """RtnCode as a number."""
        return int(self.data["RtnCode"])


@dataclass
class Client:
    """One merchant's view of a base URL. ``encode`` is the flavour of percent-encoding."""

    url: str
    merchant: Any = MERCHANT
    key: str = KEY
    iv: str = IV
    encode: Callable[[str], str] = quote_plus
    content_type: str = "application/json"
    revision: str | None = "3.0.0"
    timeout: float = 5.0
    now: Callable[[], float] = time.time

    def post(self, path: str, body: bytes, headers: dict[str, str] | None = None) -> tuple[int, bytes]:
        """One POST on a connection of its own."""
        connection = http.client.HTTPConnection(urlsplit(self.url).netloc, timeout=self.timeout)
        try:
            connection.request("POST", path, body, headers or {"Content-Type": self.content_type})
            response = connection.getresponse()
            return response.status, response.read()
        finally:
            connection.close()

    def body(self, data: dict[str, Any], *, ascii_only: bool = True) -> bytes:
        """The envelope around ``data``."""
        header: dict[str, Any] = {"Timestamp": int(self.now())}
        if self.revision:
            header["Revision"] = self.revision
        sealed = seal(self.encode(json.dumps(data, ensure_ascii=ascii_only)), self.key, self.iv)
        return json.dumps({"MerchantID": self.merchant, "RqHeader": header, "Data": sealed}).encode()

    def call(self, op: str, /, **data: Any) -> Answer:
        """One operation; MerchantID is added to ``data`` unless it is there."""
        status, raw = self.post(f"/B2CInvoice/{op}", self.body({"MerchantID": self.merchant, **data}))
        envelope = json.loads(raw)
        inner = envelope.get("Data")
        if isinstance(inner, str):
            inner = json.loads(unquote_plus(unseal(inner, self.key, self.iv)))
        return Answer(status, envelope, inner or {})

    def control(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        """The control API."""
        connection = http.client.HTTPConnection(urlsplit(self.url).netloc, timeout=5)
        try:
            connection.request(method, f"/_control/{path}", None if body is None else json.dumps(body))
            response = connection.getresponse()
            return response.status, json.loads(response.read())
        finally:
            connection.close()


def order(relate: str, total: int = 100, **changes: Any) -> dict[str, Any]:
    """A legal consumer invoice on ECPay's own carrier."""
    return {
        "RelateNumber": relate,
        "CustomerName": "測試買方",
        "CustomerAddr": "測試路 1 號",
        "CustomerPhone": "",
        "CustomerEmail": "buyer@example.com",
        "Print": "0",
        "Donation": "0",
        "CarrierType": "1",
        "CarrierNum": "",
        "TaxType": "1",
        "SalesAmount": total,
        "InvType": "07",
        "vat": "1",
        "Items": [
            {
                "ItemSeq": 1,
                "ItemName": "測試商品",
                "ItemCount": 1,
                "ItemWord": "件",
                "ItemPrice": total,
                "ItemTaxType": "1",
                "ItemAmount": total,
            }
        ],
        **changes,
    }


PAPER = {"Print": "1", "CarrierType": ""}
COMPANY = {"CustomerIdentifier": "53538851", **PAPER}
DONATED = {"Donation": "1", "LoveCode": "168001", "CarrierType": ""}


def allowance(invoice_no: str, day: str, amount: int) -> dict[str, Any]:
    """A paper allowance of one line."""
    line = {
        "ItemSeq": 1,
        "ItemName": "退貨",
        "ItemCount": 1,
        "ItemWord": "件",
        "ItemPrice": amount,
        "ItemAmount": amount,
    }
    return {
        "InvoiceNo": invoice_no,
        "InvoiceDate": day,
        "AllowanceNotify": "N",
        "AllowanceAmount": amount,
        "Items": [line],
    }


def online(invoice_no: str, day: str, amount: int, **changes: Any) -> dict[str, Any]:
    """An allowance the buyer is asked to agree to."""
    asked = {"AllowanceNotify": "E", "NotifyMail": "buyer@example.com"}
    return {**allowance(invoice_no, day, amount), **asked, **changes}


def delayed(relate: str, **changes: Any) -> dict[str, Any]:
    """An order to be issued tomorrow; its Tsr is ``T-`` and the RelateNumber."""
    ordered = {"DelayFlag": "1", "DelayDay": 1, "Tsr": f"T-{relate}", "PayType": "2", "PayAct": "ECPAY"}
    return {**order(relate), **ordered, **changes}


def issued(client: Client, relate: str, **changes: Any) -> tuple[str, str]:
    """Number and time of a new invoice."""
    answer = client.call("Issue", **order(relate, **changes))
    assert answer.code == 1, answer.data
    return answer.data["InvoiceNo"], answer.data["InvoiceDate"]
