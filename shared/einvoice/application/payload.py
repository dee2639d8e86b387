"""An order as JSON values (訂單內容) and back, and the hash two requests are compared by."""

from __future__ import annotations

import hashlib
import json
import zlib
from decimal import Decimal
from typing import Any

from einvoice.errors import Violation
from einvoice.model import Buyer, Carrier, CarrierKind, CustomsMark, Line, Order, TaxType

MAX_STORED_BYTES = 65_536  # of one content; a DynamoDB item ends at 400 KB and keeps every earlier content too
MAX_PAST_BYTES = 200_000


def plain_number(value: Decimal) -> str:
    """A decimal in its one canonical spelling: no exponent, no trailing zeros.

    >>> plain_number(Decimal("2.50")), plain_number(Decimal("1E+2")), plain_number(Decimal("-0"))
    ('2.5', '100', '0')
    """
    return format(value.normalize(), "f") if value else "0"


def to_json(order: Order) -> dict[str, Any]:
    """The order as JSON values; empty parts are left out, so that old and new code agree on old payloads."""
    values: dict[str, Any] = {
        "buyer": _some(
            ubn=order.buyer.ubn,
            name=order.buyer.name,
            address=order.buyer.address,
            email=order.buyer.email,
            phone=order.buyer.phone,
            ubn_override=order.buyer.ubn_override,
        ),
        "carrier": {"kind": order.carrier.kind.value, "number": order.carrier.number} if order.carrier else None,
        "customs_mark": order.customs_mark.value if order.customs_mark else "",
        "lines": [_line_to_json(line) for line in order.lines],
        "love_code": order.love_code,
        "print": order.print_paper,
        "remark": order.remark,
        "sold_on": order.sold_on,
        "special_tax_type": order.special_tax_type,
        "tax_type": order.tax_type.value,
        "total_twd": order.total_twd,
        "zero_rate_reason": order.zero_rate_reason,
    }
    return _some(**values)


def from_json(values: dict[str, Any]) -> Order:
    """The order that ``to_json`` wrote."""
    carrier = values.get("carrier")
    customs_mark = values.get("customs_mark")
    return Order(
        buyer=Buyer(**values.get("buyer", {})),
        lines=tuple(_line_from_json(line) for line in values.get("lines", [])),
        total_twd=int(values.get("total_twd", 0)),
        tax_type=TaxType(values["tax_type"]),
        print_paper=bool(values.get("print", False)),
        carrier=Carrier(CarrierKind(carrier["kind"]), carrier["number"]) if carrier else None,
        love_code=values.get("love_code", ""),
        customs_mark=CustomsMark(customs_mark) if customs_mark else None,
        zero_rate_reason=values.get("zero_rate_reason", ""),
        special_tax_type=int(values.get("special_tax_type", 0)),
        remark=values.get("remark", ""),
        sold_on=values.get("sold_on", ""),
    )


def digest(values: Any) -> str:  # noqa: ANN401 — any JSON value has a hash
    """Hash of JSON values whatever the order of their keys: 32 hex characters."""
    text = json.dumps(values, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def check_size(order: Order) -> list[Violation]:
    """CONTENT_TOO_LARGE where the ledger could not keep this content beside earlier ones."""
    if stored_bytes(to_json(order)) <= MAX_STORED_BYTES:
        return []
    return [too_large("lines")]


def too_large(path: str) -> Violation:
    """CONTENT_TOO_LARGE at ``path``."""
    return Violation("CONTENT_TOO_LARGE", path, "發票內容文字過多，無法保存，請縮短品名與備註。")


def stored_bytes(values: Any) -> int:  # noqa: ANN401 — any JSON value has a size
    """About how many bytes the values take in the ledger."""
    return len(zlib.compress(json.dumps(values, ensure_ascii=False).encode("utf-8", "surrogatepass"), 1))


def _line_to_json(line: Line) -> dict[str, Any]:
    return _some(
        name=line.name,
        quantity=plain_number(line.quantity),
        unit=line.unit,
        unit_price_twd=plain_number(line.unit_price_twd),
        amount_twd=line.amount_twd,
        tax_type=line.tax_type.value if line.tax_type else "",
        remark=line.remark,
        keep=("amount_twd",),
    )


def _line_from_json(values: dict[str, Any]) -> Line:
    tax_type = values.get("tax_type")
    return Line(
        name=values.get("name", ""),
        quantity=Decimal(values["quantity"]),
        unit=values.get("unit", ""),
        unit_price_twd=Decimal(values["unit_price_twd"]),
        amount_twd=int(values["amount_twd"]),
        tax_type=TaxType(tax_type) if tax_type else None,
        remark=values.get("remark", ""),
    )


def _some(keep: tuple[str, ...] = (), **values: Any) -> dict[str, Any]:  # noqa: ANN401 — JSON values
    return {name: value for name, value in values.items() if value or name in keep}
