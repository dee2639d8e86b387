"""Reading a platform's JSON (讀取訂單內容): exact figures, aware instants, plain text; what is unfit is noted.

Platforms write money as text with two decimals or as JSON numbers with a point, and times with or without a zone.
A time without one is Taipei's: that is where the shops are, and what CYBERBIZ documents.
"""

from __future__ import annotations

import json
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any, NoReturn

from einvoice.errors import Violation
from einvoice.platforms.base import Json
from einvoice.platforms.codes import Code, violation
from einvoice.rules.law import MAX_TOTAL_DIGITS
from einvoice.rules.period import TAIPEI

MAX_QUANTITY = 1_000_000  # of one line; with more, seven decimals of a unit price no longer close to the dollar
MAX_LINES = 5_000  # far beyond any centre's limit, which the rules name
_LIMIT_TWD = 10**MAX_TOTAL_DIGITS
_MAX_NUMBER_CHARS = 40
_MAX_ID_DIGITS = 20
_EMPTY: Json = {}


class Reader:
    """Reads values and keeps every violation met; a value that is unfit reads as None (a figure) or as absent."""

    def __init__(self) -> None:
        self.violations: list[Violation] = []

    def note(self, code: Code, path: str, **values: str | int) -> None:
        """Keep one violation, once: some values are looked at again."""
        found = violation(code, path, **values)
        if found not in self.violations:
            self.violations.append(found)

    def number(self, value: object, path: str) -> Decimal | None:
        """An exact finite number; None and a note otherwise.

        >>> reader = Reader()
        >>> reader.number("10.50", "a"), reader.number(2088.1, "b"), reader.number("１", "c"), reader.number(True, "d")
        (Decimal('10.50'), Decimal('2088.1'), None, None)
        >>> [(one.code, one.path) for one in reader.violations]
        [('NUMBER_UNREADABLE', 'c'), ('NUMBER_UNREADABLE', 'd')]
        """
        if value is None or value == "":
            self.note(Code.NUMBER_MISSING, path)
            return None
        number = _decimal(value)
        if number is None:
            self.note(Code.NUMBER_UNREADABLE, path)
        return number

    def twd(self, value: object, path: str, *, absent: int | None = None) -> int | None:
        """Whole dollars, not negative; ``absent`` is what no value means, and None makes that a violation.

        >>> reader = Reader()
        >>> reader.twd("10.00", "a"), reader.twd(2088.0, "b"), reader.twd(None, "c", absent=0), reader.twd("0.50", "d")
        (10, 2088, 0, None)
        >>> [(one.code, one.path) for one in reader.violations]
        [('NOT_WHOLE_TWD', 'd')]
        """
        if value is None and absent is not None:
            return absent
        number = self.number(value, path)
        if number is None:
            return None
        if number.is_signed() and not number.is_zero():
            self.note(Code.AMOUNT_NEGATIVE, path)
        elif number >= _LIMIT_TWD:
            self.note(Code.NUMBER_OUT_OF_RANGE, path)
        elif number != int(number):
            self.note(Code.NOT_WHOLE_TWD, path)
        else:
            return int(number)
        return None

    def quantity(self, value: object, path: str) -> int | None:
        """Whole pieces, at least 0."""
        number = self.number(value, path)
        if number is None:
            return None
        if not 0 <= number <= MAX_QUANTITY or number != int(number):
            self.note(Code.NUMBER_OUT_OF_RANGE, path)
            return None
        return int(number)

    def instant(self, value: object, path: str) -> datetime | None:
        """An aware instant; None for no value, and None with a note for an unreadable one.

        >>> Reader().instant("2026-03-01 00:30:00", "updated_at").isoformat()
        '2026-03-01T00:30:00+08:00'
        >>> Reader().instant("2026-02-28T16:30:00.000Z", "updated_at").isoformat()
        '2026-03-01T00:30:00+08:00'
        """
        if value is None or value == "":
            return None
        try:
            moment = datetime.fromisoformat(value) if isinstance(value, str) else None
            if moment is not None:
                return moment.replace(tzinfo=TAIPEI) if moment.tzinfo is None else moment.astimezone(TAIPEI)
        except (ValueError, OverflowError):
            pass  # told below, like every other thing that is no time
        self.note(Code.TIME_UNREADABLE, path)
        return None

    def rows(self, value: object, path: str) -> list[Json]:
        """A list of objects; empty for no value, and empty with a note for anything else."""
        if value is None:
            return []
        if not isinstance(value, list) or len(value) > MAX_LINES or not all(isinstance(row, dict) for row in value):
            self.note(Code.LINES_UNREADABLE, path)
            return []
        return value


def part(value: object) -> Json:
    """A nested object; an empty one where there is none."""
    return value if isinstance(value, dict) else _EMPTY


def text(*values: object) -> str:
    r"""The first value that says something, on one line: names come with line breaks, which no invoice can carry.

    >>> text(None, " ", "高山茶\n 二兩", "x"), text(1018), text(True)
    ('高山茶 二兩', '1018', '')
    """
    for value in values:
        if isinstance(value, bool) or not isinstance(value, (str, int)):
            continue
        if words := " ".join(str(value).split()):
            return words
    return ""


def first(source: Json, *names: str) -> Any:  # noqa: ANN401 - whatever the platform put there
    """The value of the first name that holds one: the same field has one name in webhooks and another in the API."""
    return next((source[name] for name in names if source.get(name) is not None), None)


def json_of(raw: bytes) -> Any:  # noqa: ANN401 - JSON
    """The JSON of strict UTF-8 bytes, its numbers exact; ValueError for anything else, however deep it is nested.

    >>> json_of(b'{"price": 2088.10}')
    {'price': Decimal('2088.10')}
    """
    try:
        return json.loads(raw.decode(), parse_float=Decimal, parse_constant=_no_constant)
    except RecursionError as error:
        raise ValueError("nested too deep") from error


def canonical_id(value: object) -> str:
    """A platform's numeric id as text without leading zeros; empty if it is none.

    >>> canonical_id(37000001), canonical_id(" 037000001 "), canonical_id("#1018"), canonical_id(True), canonical_id(0)
    ('37000001', '37000001', '', '', '')
    """
    if isinstance(value, bool) or not isinstance(value, (int, str)):
        return ""
    if isinstance(value, int):
        return str(value) if 0 < value < 10**_MAX_ID_DIGITS else ""
    digits = value.strip()
    fits = digits.isascii() and digits.isdigit() and len(digits) <= _MAX_ID_DIGITS
    return digits.lstrip("0") if fits else ""


def _no_constant(name: str) -> NoReturn:
    raise ValueError(name)  # NaN and Infinity are not JSON


def _decimal(value: object) -> Decimal | None:
    """Exact: a float is taken at its shortest text, which is what stood in the JSON."""
    if isinstance(value, bool) or not isinstance(value, (int, float, str, Decimal)):
        return None
    if isinstance(value, int):
        return Decimal(value) if abs(value) < _LIMIT_TWD * _LIMIT_TWD else None
    written = str(value).strip()
    if len(written) > _MAX_NUMBER_CHARS or not written.isascii() or "_" in written:
        return None
    try:
        number = Decimal(written)
    except InvalidOperation:
        return None
    _, _, exponent = number.as_tuple()
    return number if isinstance(exponent, int) and abs(exponent) <= _MAX_NUMBER_CHARS else None
