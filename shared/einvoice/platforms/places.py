"""Where a shop keeps what the buyer wants on the invoice (發票資料的位置): configured paths, read from its orders.

No platform documents one place for 統編, carrier and love code that holds for every shop: checkout pages and apps put
them into fields of their own. So the places are settings. A path is names joined by dots; ``[key=value]`` after a name
picks, from a list, the entries in which ``key`` is ``value``:

    billing_address.company        note_attributes[name=統一編號].value

Of several paths for one thing the first that finds something counts. A path that finds two different values stops the
order: nobody knows which one the buyer meant.

>>> order = {"note_attributes": [{"name": "統一編號", "value": " 04595257 "}], "billing_address": {"company": None}}
>>> look(order, ("billing_address.company", "note_attributes[name=統一編號].value"), Reader())
'04595257'
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, fields

from einvoice.model import CustomsMark
from einvoice.platforms.base import Json
from einvoice.platforms.codes import Code
from einvoice.platforms.reading import Reader, text

_STEP = r"[^.\[\]=]+(?:\[[^.\[\]=]+=[^\[\]]*\])?"
_PATH = re.compile(rf"{_STEP}(?:\.{_STEP})*")
_STEPS = re.compile(r"([^.\[\]=]+)(?:\[([^.\[\]=]+)=([^\[\]]*)\])?(?:\.|$)")

Paths = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Places:
    """One shop's settings for mapping its orders; ValueError for a path that is none.

    ``invoice_type`` is the field that says which of the others the buyer chose, where the platform has one.
    ``all_taxable``: the shop sells nothing exempt or zero-rated, so the platform's tax flags are not read.
    ``customs_mark`` and ``zero_rate_reason`` are those of every zero-rated sale of the shop.
    """

    ubn: Paths = ()  # 統一編號
    title: Paths = ()  # 公司抬頭
    mobile_barcode: Paths = ()  # 手機條碼
    citizen_certificate: Paths = ()  # 自然人憑證
    love_code: Paths = ()  # 捐贈碼
    print_paper: Paths = ()  # 索取紙本
    invoice_type: Paths = ()  # 發票類型
    all_taxable: bool = False
    customs_mark: CustomsMark | None = None
    zero_rate_reason: str = ""

    def __post_init__(self) -> None:
        for one in fields(self):
            value = getattr(self, one.name)
            for path in value if isinstance(value, tuple) else ():
                if not _PATH.fullmatch(path):
                    raise ValueError(f"{one.name}: {path!r} is no path")


def look(order: Json, paths: Paths, reader: Reader) -> str:
    """What the first fruitful path holds; empty where none finds anything, or it cannot be told what is meant."""
    for path in paths:
        if found := _texts(order, path, reader):
            if len(set(found)) > 1:
                reader.note(Code.PLACE_AMBIGUOUS, path)
                return ""
            return found[0]
    return ""


def _texts(order: Json, path: str, reader: Reader) -> list[str]:
    """Every text at a path, trimmed, empty ones left out."""
    found = []
    for value in _values(order, path):
        if isinstance(value, bool):
            found.append("true" if value else "false")
        elif isinstance(value, (str, int)):
            if said := text(value):
                found.append(said)
        elif value is not None:
            reader.note(Code.PLACE_UNREADABLE, path)
    return found


def _values(order: Json, path: str) -> Iterator[object]:
    values: list[object] = [order]
    for name, key, wanted in _STEPS.findall(path):
        values = [value[name.strip()] for value in values if isinstance(value, dict) and name.strip() in value]
        if key:
            entries = [entry for value in values if isinstance(value, list) for entry in value]
            values = [one for one in entries if isinstance(one, dict) and text(one.get(key)) == wanted.strip()]
    yield from values
