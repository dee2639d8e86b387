"""Reading ``Data`` the way ECPay does: keys in any case, numbers as numbers or as text; and checking it by table."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from simulators.ecpay.codes import Code, Refused


class Data:
    """A JSON object whose keys match in any case (``Barcode``/``BarCode``, observed on ECPay stage 2026-09)."""

    def __init__(self, raw: Mapping[str, object]) -> None:
        self._values = {key.lower(): value for key, value in raw.items()}

    def has(self, key: str) -> bool:
        """Whether the key is there at all, whatever its value."""
        return key.lower() in self._values

    def raw(self, key: str) -> object:
        """The value as it was sent; None if absent."""
        return self._values.get(key.lower())

    def text(self, key: str) -> str:
        """The value as text; "" if absent or null. JSON ``false`` becomes "False", as seen on real print-outs."""
        value = self.raw(key)
        return "" if value is None else str(value)

    def number(self, key: str) -> Decimal | None:
        """A finite number sent as number or as text; None if it is neither."""
        value = self.raw(key)
        if isinstance(value, bool) or not isinstance(value, int | Decimal | str):
            return None
        try:
            number = Decimal(value.strip() if isinstance(value, str) else value)
        except InvalidOperation:
            return None
        return number if number.is_finite() else None

    def integer(self, key: str) -> int | None:
        """A whole number, ``100`` and ``100.0`` alike; None if it is not."""
        number = self.number(key)
        if number is None or abs(number) >= Decimal(10) ** 18 or number != number.to_integral_value():
            return None
        return int(number)

    def child(self, key: str) -> Data | None:
        """A nested object; None if it is not one."""
        value = self.raw(key)
        return Data(value) if isinstance(value, dict) else None

    def children(self, key: str) -> list[Data]:
        """A list of nested objects; [] if it is not one."""
        value = self.raw(key)
        if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
            return []
        return [Data(item) for item in value]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)


@dataclass(frozen=True, slots=True)
class Field:
    """One row of a validation table. ``missing`` is None for an optional field; ``length`` counts characters."""

    name: str
    length: int
    bad: Code  # answered when too long or not of ``pattern``
    missing: Code | None = None
    pattern: str | None = None
    pattern_bad: Code | None = None  # where a wrong form has another code than a wrong length
    doc_only: bool = False  # enforced by the strict profile only


def check(table: Iterable[Field], data: Data, *, strict: bool) -> None:
    """Raise ``Refused`` with the code of the first row that ``data`` breaks."""
    for field in table:
        if field.doc_only and not strict:
            continue
        text = data.text(field.name)
        if not text:
            if field.missing:
                raise Refused(field.missing)
            continue
        if len(text) > field.length:
            raise Refused(field.bad)
        if field.pattern and not re.fullmatch(field.pattern, text, re.ASCII):
            raise Refused(field.pattern_bad or field.bad)
