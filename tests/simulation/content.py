"""What the merchants of a schedule say (請求內容): orders, corrections, refunds and facts, by a short name each."""

from __future__ import annotations

from typing import Any

CANARY = "canary@example.com"
COMPANY = "53212539"


def _order(total: int, *lines: tuple[str, int, int]) -> dict[str, Any]:
    return {
        "buyer": {"email": CANARY},
        "lines": [
            {"name": name, "quantity": pieces, "unit_price_twd": price, "amount_twd": pieces * price}
            for name, pieces, price in lines
        ],
        "total_twd": total,
        "carrier": {"kind": "mobile_barcode", "number": "/ABC+123"},
    }


BODIES = {
    "A": _order(105, ("高山茶", 1, 105)),
    "B": _order(210, ("高山茶 二兩", 2, 84), ("茶杯", 1, 42)),
    "C": _order(315, ("烏龍茶", 1, 315)),
    "U": _order(210, ("高山茶 二兩", 2, 84), ("茶杯", 1, 42))  # a company's, on paper
    | {
        "buyer": {"ubn": COMPANY, "name": "測試公司", "address": "測試路 1 號", "email": CANARY},
        "carrier": None,
        "print": True,
    },
    "X": _order(100, ("茶", 1, 105)),  # breaks a rule
}

CORRECTIONS: dict[str, dict[str, Any]] = {
    "name": {"lines": [{"name": "更正茶", "quantity": 1, "unit_price_twd": 105, "amount_twd": 105}]},
    "love": {"carrier": None, "love_code": "919"},
    "total": {
        "lines": [{"name": "紅茶", "quantity": 1, "unit_price_twd": 84, "amount_twd": 84}],
        "total_twd": 84,
    },
    "ubn": {
        "buyer": {"ubn": COMPANY, "name": "測試公司", "address": "測試路 1 號"},
        "carrier": None,
        "print": True,
    },
    "remark": {"remark": "更正備註"},
    "none": {},
}

REFUNDS: dict[str, dict[str, Any]] = {
    "10": {"amount_twd": 10},
    "40": {"amount_twd": 40},
    "105": {"amount_twd": 105},
    "210": {"amount_twd": 210},
    "line": {"lines": [{"line": 1, "amount_twd": 20}]},
    "piece": {"lines": [{"line": 1, "quantity": 1}]},
    "two lines": {"lines": [{"line": 1, "amount_twd": 5}, {"line": 2, "quantity": 1}]},
    "sum 30": {"refunded_total_twd": 30},
    "sum 50": {"refunded_total_twd": 50},
    "sum 105": {"refunded_total_twd": 105},
}
CUMULATIVE = ("sum 30", "sum 50", "sum 105")

FACTS: dict[str, dict[str, Any]] = {
    "consent": {"consent": {"note": "line"}},
    "paper": {"paper_back": {"note": ""}},
    "both": {"consent": {"note": ""}, "paper_back": {"note": ""}},
    "claimed": {"claimed": {"note": ""}},
    "ok": {"person_ok": {"note": ""}},
    "no claim": {"claimed": None},
}
