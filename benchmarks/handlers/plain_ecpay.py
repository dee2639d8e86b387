"""What any ECPay client must do to one invoice, and nothing else; the two reference handlers share it."""

from __future__ import annotations

import base64
import hashlib
import json
import time
from typing import Any
from urllib.parse import quote_plus, unquote_plus

from Crypto.Cipher import AES
from Crypto.Util.Padding import pad, unpad

# ECPay's published test account (ECPay developers page 7849): everybody's, so no secret.
ACCOUNT, KEY, IV = "2000132", b"ejCk326UnaZWKisg", b"q9jcZX8Ib9LM8wYk"
HEADERS = {"Content-Type": "application/json"}
PATH = "/B2CInvoice/Issue"


def request_body(order: dict[str, Any]) -> bytes:
    """The encrypted Issue (開立) request of ``order``, a mobile barcode order as `benchmarks.events` makes it."""
    data = {
        "MerchantID": ACCOUNT,
        "RelateNumber": hashlib.sha256(order["order_id"].encode()).hexdigest()[:20].upper(),
        "CustomerName": order["buyer"]["name"],
        "CustomerEmail": order["buyer"]["email"],
        "Print": "0",
        "Donation": "0",
        "CarrierType": "3",
        "CarrierNum": order["carrier"]["number"],
        "TaxType": "1",
        "SalesAmount": order["total_twd"],
        "InvType": "07",
        "vat": "1",
        "Items": [
            {
                "ItemSeq": seq,
                "ItemName": line["name"],
                "ItemCount": int(line["quantity"]),
                "ItemWord": line["unit"],
                "ItemPrice": int(line["unit_price_twd"]),
                "ItemAmount": line["amount_twd"],
            }
            for seq, line in enumerate(order["lines"], start=1)
        ],
    }
    text = quote_plus(json.dumps(data)).encode()
    sealed = base64.b64encode(AES.new(KEY, AES.MODE_CBC, iv=IV).encrypt(pad(text, 16))).decode()
    envelope = {"MerchantID": ACCOUNT, "RqHeader": {"Timestamp": int(time.time())}, "Data": sealed}
    return json.dumps(envelope).encode()


def number_in(reply: bytes) -> str:
    """The invoice number in an encrypted reply; ValueError for any refusal."""
    blocks = base64.b64decode(json.loads(reply)["Data"])
    data = json.loads(unquote_plus(unpad(AES.new(KEY, AES.MODE_CBC, iv=IV).decrypt(blocks), 16).decode()))
    if data["RtnCode"] != 1:
        raise ValueError(data["RtnMsg"])
    return str(data["InvoiceNo"])
