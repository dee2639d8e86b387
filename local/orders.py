"""Orders as a small shop has them (示範訂單); every name, number and address is invented."""

from __future__ import annotations

from typing import Any

Json = dict[str, Any]

UBN = "12345675"  # passes the checksum of 2023-04 and later (divisible by 5), and the old one
OTHER_UBN = "11111117"


def line(name: str, quantity: int, unit_price_twd: int, tax_type: str = "", unit: str = "件") -> Json:
    """One line; a negative price is a discount (折扣)."""
    amount = {"quantity": str(quantity), "unit_price_twd": str(unit_price_twd), "amount_twd": quantity * unit_price_twd}
    return {"name": name, "unit": unit, **amount} | ({"tax_type": tax_type} if tax_type else {})


def order(order_id: str, lines: list[Json], **fields: Any) -> Json:  # noqa: ANN401  # JSON values
    """One order; its total is what its lines add up to."""
    return {"order_id": order_id, "lines": lines, "total_twd": sum(item["amount_twd"] for item in lines), **fields}


def mobile_barcode(order_id: str = "1018") -> Json:
    """消費者，手機條碼載具，有折扣."""
    lines = [line("台灣高山烏龍茶 150g", 2, 480, unit="包"), line("陶杯", 1, 350), line("會員折扣", 1, -110, unit="式")]
    carrier = {"kind": "mobile_barcode", "number": "/ABC+123"}
    return order(order_id, lines, buyer={"email": "lin@example.com"}, carrier=carrier)


def company(order_id: str = "1019", ubn: str = UBN) -> Json:
    """公司，有統一編號，索取紙本."""
    buyer = {"ubn": ubn, "name": "示範貿易有限公司", "address": "臺北市中正區示範路1號", "email": "acct@example.com"}
    return order(order_id, [line("辦公椅", 4, 2625, unit="張")], buyer=buyer, print=True)


def refundable(order_id: str = "1025") -> Json:
    """消費者，會員載具，三件同價的商品."""
    beans = line("衣索比亞咖啡豆 半磅", 3, 350, unit="包")
    return order(order_id, [beans], buyer={"email": "kao@example.com"}, carrier={"kind": "member"})


def donation(order_id: str = "1020") -> Json:
    """消費者，捐贈發票."""
    jam = line("手工果醬", 3, 220, unit="瓶")
    return order(order_id, [jam], buyer={"email": "chen@example.com"}, love_code="168001")


def mixed_tax(order_id: str = "1021") -> Json:
    """消費者，應稅與免稅混合，會員載具."""
    lines = [line("園藝剪刀", 1, 420, "taxable", "把"), line("有機白米 2kg", 2, 260, "exempt", "包")]
    return order(order_id, lines, tax_type="mixed", buyer={"email": "wang@example.com"}, carrier={"kind": "member"})


def citizen_certificate(order_id: str = "1022") -> Json:
    """消費者，自然人憑證載具."""
    carrier = {"kind": "citizen_certificate", "number": "AB12345678901234"}
    return order(order_id, [line("藍牙耳機", 1, 1990, unit="副")], buyer={"email": "wu@example.com"}, carrier=carrier)
