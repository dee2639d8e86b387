"""Invoice period (發票期別): two calendar months from an odd one, in Taipei time.

Source: 營業稅法 art. 35 (filing every two months), 統一發票使用辦法 art. 21 (a number belongs to its period),
MIG 4.1 ``YearMonth`` (Republic year, three digits, and the even month).
Periods compare in time order, and so do their keys as text.

>>> Period.of(datetime(2026, 2, 28, 16, 0, tzinfo=timezone.utc)).key  # already March in Taipei
'11504'
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone

# Taiwan keeps no summer time, so the zone is a fixed offset and needs no zone database at run time.
TAIPEI = timezone(timedelta(hours=8), "Asia/Taipei")

_REPUBLIC_YEAR_ZERO = 1911
_LAST_YEAR = 999
_MONTHS = range(2, 13, 2)
_KEY = re.compile(r"([0-9]{3})(02|04|06|08|10|12)")
_SECOND = timedelta(seconds=1)


def tax_day(now: datetime) -> date:
    """The day in Taipei of an aware instant; ValueError for a naive one.

    >>> tax_day(datetime(2025, 12, 31, 16, 0, tzinfo=timezone.utc))
    datetime.date(2026, 1, 1)
    """
    if now.utcoffset() is None:
        raise ValueError("an instant needs a zone")
    return now.astimezone(TAIPEI).date()


@dataclass(frozen=True, slots=True, order=True)
class Period:
    """One period: Republic ``year`` (民國) and its even ``month``. ValueError for any other month or year."""

    year: int
    month: int

    def __post_init__(self) -> None:
        """Refuse what has no key of five digits."""
        if not 1 <= self.year <= _LAST_YEAR or self.month not in _MONTHS:
            raise ValueError(f"no such period: {self.year}/{self.month}")

    @classmethod
    def of(cls, now: datetime) -> Period:
        """The period an aware instant falls in."""
        return cls.of_day(tax_day(now))

    @classmethod
    def of_day(cls, day: date) -> Period:
        """The period of a day in Taipei.

        >>> Period.of_day(date(2024, 2, 29)).key, Period.of_day(date(2015, 4, 10)).label
        ('11302', '104年03-04月')
        """
        return cls(day.year - _REPUBLIC_YEAR_ZERO, day.month + day.month % 2)

    @classmethod
    def parse(cls, key: str) -> Period:
        """The period of a key such as ``11502``; ValueError if it is none.

        >>> Period.parse("11502")
        Period(year=115, month=2)
        """
        match = _KEY.fullmatch(key)
        if match is None:
            raise ValueError(f"not a period key: {key!r}")
        return cls(int(match[1]), int(match[2]))

    @property
    def key(self) -> str:
        """MIG's ``YearMonth``: ``11502`` is January and February 2026."""
        return f"{self.year:03d}{self.month:02d}"

    @property
    def label(self) -> str:
        """As printed on the invoice (證明聯): ``115年01-02月``."""
        return f"{self.year}年{self.month - 1:02d}-{self.month:02d}月"

    @property
    def start(self) -> datetime:
        """Its first instant."""
        return datetime(self.year + _REPUBLIC_YEAR_ZERO, self.month - 1, 1, tzinfo=TAIPEI)

    @property
    def end(self) -> datetime:
        """Its last whole second, 23:59:59.

        >>> Period.parse("11302").end.isoformat()
        '2024-02-29T23:59:59+08:00'
        """
        return self.next().start - _SECOND

    def next(self) -> Period:
        """The period after this one."""
        return Period(self.year + 1, 2) if self.month == _MONTHS[-1] else Period(self.year, self.month + 2)

    def previous(self) -> Period:
        """The period before this one."""
        return Period(self.year - 1, 12) if self.month == _MONTHS[0] else Period(self.year, self.month - 2)

    def cutoff(self, day: int) -> datetime:
        """The last second of ``day`` of the odd month after the period.

        >>> Period.parse("11412").cutoff(13).isoformat()
        '2026-01-13T23:59:59+08:00'
        """
        return self.next().start.replace(day=day) + timedelta(days=1) - _SECOND


def seconds_to_end(now: datetime) -> int:
    """Whole seconds from ``now`` to the first instant of the next period.

    >>> seconds_to_end(datetime(2026, 2, 28, 23, 45, tzinfo=TAIPEI))
    900
    """
    return (Period.of(now).next().start - now) // _SECOND
