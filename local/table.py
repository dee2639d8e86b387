"""Tables for a terminal, aligned also where a character is two columns wide (全形字)."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence


def width(text: str) -> int:
    """Columns ``text`` takes on a terminal.

    >>> width("AB12"), width("發票"), width("e\u0301")
    (4, 4, 1)
    """
    return sum(0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


def table(headings: Sequence[str], rows: Sequence[Sequence[str]], indent: str = "  ") -> str:
    """``rows`` below ``headings``, every column as wide as its widest cell.

    >>> print(table(["號碼", "n"], [["AB1", "1"], ["作廢了", "12"]], ""))
    號碼    n
    ──────  ──
    AB1     1
    作廢了  12
    """
    widths = [max(width(cell) for cell in column) for column in zip(headings, *rows, strict=True)]
    lines = [headings, ["─" * w for w in widths], *rows]
    return "\n".join(
        (indent + "  ".join(cell + " " * (w - width(cell)) for cell, w in zip(line, widths, strict=True))).rstrip()
        for line in lines
    )
