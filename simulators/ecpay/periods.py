"""Invoice periods (期別) and what follows from them: two calendar months, Taipei time.

Year is the ROC year (民國), term is 1 (January, February) to 6 (November, December).
"""

from __future__ import annotations

import re
from datetime import date, datetime, time, timedelta, timezone

TERMS = 6  # in a year
TAIPEI = timezone(timedelta(hours=8), "Asia/Taipei")  # no daylight saving since 1979

_DAY = re.compile(r"(\d{4})[-/](\d{1,2})[-/](\d{1,2})(?:[ T]\d{1,2}:\d{2}(?::\d{2})?)?", re.ASCII)
_INSTANT = re.compile(r"(\d{4})[-/](\d{1,2})[-/](\d{1,2})[ T](\d{1,2}):(\d{2}):(\d{2})", re.ASCII)


def term_of(day: date) -> tuple[int, int]:
    """ROC year and term.

    >>> term_of(date(2026, 3, 1))
    (115, 2)
    """
    return day.year - 1911, (day.month + 1) // 2


def next_term(year: int, term: int) -> tuple[int, int]:
    """The term after.

    >>> next_term(115, 6)
    (116, 1)
    """
    return (year, term + 1) if term < TERMS else (year + 1, 1)


def last_moment_to_void(issued: datetime) -> datetime:
    """23:59:59 on the 13th of the month after the period (ECPay developers page 7906).

    >>> last_moment_to_void(datetime(2026, 1, 31, tzinfo=TAIPEI)).isoformat()
    '2026-03-13T23:59:59+08:00'
    """
    year, term = next_term(*term_of(issued.astimezone(TAIPEI).date()))
    return datetime.combine(date(year + 1911, term * 2 - 1, 13), time(23, 59, 59), TAIPEI)


def header_of(year: int, term: int, inv_type: str) -> str:
    """Two letters of the default track of a term; another pair for every term and type of 56 years.

    >>> header_of(115, 2, "07"), header_of(115, 2, "08"), header_of(115, 3, "07")
    ('BE', 'BF', 'BG')
    """
    index = (year * 12 + (term - 1) * 2 + (inv_type == "08")) % 676
    return chr(ord("A") + index // 26) + chr(ord("A") + index % 26)


def parse_day(text: str) -> date | None:
    """``yyyy-MM-dd`` or ``yyyy/MM/dd``, a time behind it is ignored; None if it is neither.

    >>> parse_day("2026/03/01 10:20:30"), parse_day("1 March")
    (datetime.date(2026, 3, 1), None)
    """
    match = _DAY.fullmatch(text.strip())
    if not match:
        return None
    try:
        return date(int(match[1]), int(match[2]), int(match[3]))
    except ValueError:
        return None


def parse_instant(text: str) -> datetime | None:
    """``yyyy-MM-dd HH:mm:ss`` or with slashes, Taipei; None if it is neither."""
    match = _INSTANT.fullmatch(text.strip())
    if not match:
        return None
    try:
        year, month, day, hour, minute, second = (int(part) for part in match.groups())
        return datetime(year, month, day, hour, minute, second, tzinfo=TAIPEI)
    except ValueError:
        return None


def stamp(instant: datetime) -> str:
    """``yyyy-MM-dd HH:mm:ss`` in Taipei, as every answer spells an instant."""
    return instant.astimezone(TAIPEI).strftime("%Y-%m-%d %H:%M:%S")
