"""How things are shown at a terminal (畫面文字): aligned tables, Taipei times, nothing that drives the terminal."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from datetime import datetime, timedelta, timezone
from typing import Any

TAIPEI = timezone(timedelta(hours=8), "Asia/Taipei")  # no daylight saving since 1980


def when(epoch_s: int | None) -> str:
    """An instant in Taipei, RFC 3339; ``-`` for none.

    >>> when(0)
    '1970-01-01T08:00:00+08:00'
    """
    return "-" if epoch_s is None else datetime.fromtimestamp(epoch_s, TAIPEI).isoformat()


def plain(value: Any) -> str:  # noqa: ANN401  # whatever the store holds
    r"""Text on one line; stored text may come from outside, so control characters are shown, not obeyed.

    >>> plain("a" + chr(27) + "[2J")
    'a\\x1b[2J'
    """
    if value is None or value in ("", {}, []):
        return "-"
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in str(value))


def width(text: str) -> int:
    """Columns a text takes at a terminal; Chinese characters take two.

    >>> width("ab"), width("作廢")
    (2, 4)
    """
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


def table(rows: Sequence[Sequence[Any]]) -> str:
    """Rows as aligned columns; the first row is the heading or just the first row."""
    cells = [[plain(value) for value in row] for row in rows]
    widths = [max(width(cell) for cell in column) for column in zip(*cells, strict=True)]
    return "\n".join(
        "  ".join(cell + " " * (space - width(cell)) for cell, space in zip(row, widths, strict=True)).rstrip()
        for row in cells
    )
