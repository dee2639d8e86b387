"""Taiwan's working days (上班日): where a due day moves when its offices are closed (行政程序法 art. 48).

What counts is when government offices work, not when shops or labourers do: a Saturday made a working day
(補行上班日) is one, so a due day on it stays (法務部 2010-02-03 法律字第0999004718號). The days are those of the kept
library ``holidays``, which loads every country's module to answer for one (over 100 ms on a cold start); so it is
imported by the first question, never by importing this module.

The library knows, for 1998 to 2099: the public holidays with their days in lieu (補假), by rule, lunar ones included;
1 May as everybody's holiday only from 2026; and, listed by hand from the work calendar that the 行政院人事行政總處
publishes every year (looked at by the library's authors to 2026), the bridge days with the Saturdays worked for them,
2000 to 2025 (2026 has none).

It does not know, and nothing here guesses:
- what a later yearly calendar, or an amendment of law, says before a release of the library has it;
- days off for typhoons and other disasters (停止上班), declared by county on the eve;
- postponements that the Ministry of Finance grants (展延申報).
A day off that is not known makes a told due day too early, the safe side. A worked Saturday that is not known makes it
too late, by a weekend; the yearly calendar must be looked at when it is published.

>>> from datetime import date
>>> next_working_day(date(2026, 2, 15))  # a Sunday in the Lunar New Year holidays
datetime.date(2026, 2, 23)
>>> next_working_day(date(2020, 2, 15))  # a Saturday, worked
datetime.date(2020, 2, 15)
"""

from __future__ import annotations

from datetime import date
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from holidays import HolidayBase

_YEARS_KEPT = 8


def is_working_day(day: date) -> bool:
    """Whether government offices work on the day; ValueError outside the years the library knows.

    >>> [is_working_day(date(2025, 2, 8)), is_working_day(date(2026, 2, 7))]  # Saturdays, one worked
    [True, False]
    """
    return _calendar(day.year).is_working_day(day)


def next_working_day(day: date) -> date:
    """The day itself if it is a working day, else the first one after it; ValueError as for ``is_working_day``."""
    return _calendar(day.year).get_nth_working_day(day, 0)


@lru_cache(maxsize=_YEARS_KEPT)
def _calendar(year: int) -> HolidayBase:
    """The year and the one after it: a day may move over New Year, and a Saturday is worked for the year to come."""
    from holidays import country_holidays  # noqa: PLC0415 - slow to import, and few functions ask for a working day

    calendar = country_holidays("TW", years=(year, year + 1), expand=False, language="zh_TW")
    if not calendar.start_year <= year < calendar.end_year:
        raise ValueError(f"working days of {year} are not known")
    return calendar
