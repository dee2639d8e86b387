"""Reading ECPay's fields (欄位) and writing its JSON, exactly. Numbers come as text and text as numbers at will.

A field that is missing or cannot be read raises ``Unreadable``; the parsers make an outcome of it, never a guess.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from json.encoder import encode_basestring_ascii

Fields = Mapping[str, object]

TAIPEI = timezone(timedelta(hours=8), "Asia/Taipei")  # no daylight saving since 1979
EARLIEST_YEAR = 2000  # .NET's empty date is 0001-01-01; uniform e-invoices did not exist before 2000 either

_INSTANT = re.compile(r"(\d{4})([-/])(\d{2})\2(\d{2}) (\d{2}):(\d{2}):(\d{2})", re.ASCII)
_NUMBER = re.compile(r"[A-Z]{2}\d{8}", re.ASCII)
_ALLOWANCE_NUMBER = re.compile(r"[A-Za-z0-9]{1,16}", re.ASCII)
_RANDOM_CODE = re.compile(r"\d{4}", re.ASCII)
_DECIMAL = re.compile(r"-?\d{1,20}(\.\d{1,20})?", re.ASCII)


class Unreadable(Exception):
    """The field (its name is the argument) is missing or does not say what it should."""


def text(fields: Fields, key: str) -> str:
    """Text; missing and null are empty, whole numbers become their digits."""
    value = fields.get(key)
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    raise Unreadable(key)


def whole(fields: Fields, key: str) -> int:
    """A whole number, also where it comes as text or as ``2500.0``."""
    value = _decimal(fields, key)
    if value != value.to_integral_value():
        raise Unreadable(key)
    return int(value)


def decimal_text(fields: Fields, key: str) -> str:
    """A number as canonical decimal text: ``5.0`` is ``5``."""
    return plain_number(_decimal(fields, key))


def flag(fields: Fields, key: str) -> bool:
    """``1`` or ``0``, nothing else."""
    value = text(fields, key)
    if value not in {"0", "1"}:
        raise Unreadable(key)
    return value == "1"


def instant(fields: Fields, key: str) -> datetime:
    """``yyyy-MM-dd HH:mm:ss`` or ``yyyy/MM/dd HH:mm:ss``, Taipei time, aware."""
    match = _INSTANT.fullmatch(text(fields, key))
    if match is None:
        raise Unreadable(key)
    year, _, *rest = match.groups()
    try:
        value = datetime(int(year), *(int(part) for part in rest), tzinfo=TAIPEI)  # type: ignore[arg-type,misc] # 5 ints
    except ValueError as error:
        raise Unreadable(key) from error
    if value.year < EARLIEST_YEAR:
        raise Unreadable(key)
    return value


def invoice_number(fields: Fields, key: str) -> str:
    """Two capitals and eight digits (發票號碼)."""
    return _matching(_NUMBER, key, text(fields, key))


def allowance_number(fields: Fields, key: str) -> str:
    """ECPay's number of an allowance (折讓單號): 16 digits today, up to 16 letters and digits by their .NET SDK."""
    return _matching(_ALLOWANCE_NUMBER, key, text(fields, key))


def random_code(fields: Fields, key: str) -> str:
    """Four digits (隨機碼). A JSON number has lost its leading zeros; four digits is the only length they had."""
    value = fields.get(key)
    padded = text(fields, key).zfill(4) if isinstance(value, int) else text(fields, key)
    return _matching(_RANDOM_CODE, key, padded)


def rows(fields: Fields, key: str) -> Sequence[Fields]:
    """A list of objects."""
    value = fields.get(key)
    if not isinstance(value, list) or not all(isinstance(row, dict) for row in value):
        raise Unreadable(key)
    return value


def present(fields: dict[str, object]) -> dict[str, object]:
    """Without the empty ones: ECPay takes the presence of some optional fields as meaning."""
    return {key: value for key, value in fields.items() if value}


def plain_number(value: Decimal) -> str:
    """``value`` in full, without exponent, trailing zeros or a negative zero."""
    if not value.is_finite():
        raise ValueError("not a number of the order's")
    digits = format(value, "f")
    if "." in digits:
        digits = digits.rstrip("0").rstrip(".")
    return "0" if digits == "-0" else digits


def to_json(value: object) -> str:
    """JSON of dicts, lists, text, whole numbers and ``Decimal`` (exact: ``json`` would need binary floats)."""
    if isinstance(value, str):
        return encode_basestring_ascii(value)
    if isinstance(value, Decimal):
        return plain_number(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if isinstance(value, Mapping):
        return "{" + ",".join(f"{encode_basestring_ascii(key)}:{to_json(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(to_json, value)) + "]"
    raise TypeError(type(value).__name__)


def from_json(document: str | bytes) -> Fields | None:
    """The JSON object in ``document``, fractions as ``Decimal``; None for anything else, however it is broken."""
    try:
        value = json.loads(document, parse_float=Decimal, parse_constant=_no_constant)
    except (ValueError, RecursionError):  # ValueError covers bad JSON, bad UTF-8 and endless digits
        return None
    return value if isinstance(value, dict) else None


def taipei_text(moment: datetime) -> str:
    """``moment`` as ECPay writes it."""
    return moment.astimezone(TAIPEI).strftime("%Y-%m-%d %H:%M:%S")


def _decimal(fields: Fields, key: str) -> Decimal:
    value = fields.get(key)
    if isinstance(value, Decimal):
        digits = format(value, "f") if abs(value.adjusted()) <= 20 else ""  # noqa: PLR2004 - as _DECIMAL has it
    else:
        digits = text(fields, key)
    if not _DECIMAL.fullmatch(digits):
        raise Unreadable(key)
    return Decimal(digits)


def _matching(pattern: re.Pattern[str], key: str, value: str) -> str:
    if not pattern.fullmatch(value):
        raise Unreadable(key)
    return value


def _no_constant(name: str) -> object:
    raise ValueError(name)
