"""How long an invoice or an allowance can be void, by who files how often (申報期間與作廢期限).

What closes a void is the filing (統一發票使用辦法 art. 20). Most file every two months, some every month (營業稅法
art. 35); then an invoice's own month is what is filed, and the centre's cut-off is the same day of the next month.

>>> monthly = ProviderProfile("any", filing="monthly")
>>> void_deadline_of(date(2026, 1, 31), monthly).isoformat()
'2026-02-13T23:59:59+08:00'
>>> void_deadline_of(date(2026, 1, 31), ProviderProfile("any")).isoformat()
'2026-03-13T23:59:59+08:00'
"""

from __future__ import annotations

from datetime import date, datetime, timedelta

from einvoice.model import ProviderProfile
from einvoice.rules.correction_terms import Case
from einvoice.rules.period import TAIPEI, Period
from einvoice.rules.void import ISSUE_PERIOD_ONLY, UNTIL_CUTOFF, void_deadline

_DAY, _SECOND = timedelta(days=1), timedelta(seconds=1)


def filing_end(day: date, profile: ProviderProfile) -> datetime:
    """The last second of what a document of this Taipei day is filed with: its period, or its month.

    >>> filing_end(date(2026, 1, 5), ProviderProfile("any", filing="monthly")).isoformat()
    '2026-01-31T23:59:59+08:00'
    """
    if profile.filing == "bimonthly":
        return Period.of_day(day).end
    if profile.filing == "monthly":
        in_next_month = datetime(day.year, day.month, 1, tzinfo=TAIPEI) + 31 * _DAY
        return in_next_month.replace(day=1) - _SECOND
    raise ValueError(f"no such filing: {profile.filing!r}")


def filing_unit(day: date, profile: ProviderProfile) -> date:
    """The first day of what a document of this Taipei day is filed with.

    >>> filing_unit(date(2026, 2, 5), ProviderProfile("any")).isoformat()
    '2026-01-01'
    >>> filing_unit(date(2026, 2, 5), ProviderProfile("any", filing="monthly")).isoformat()
    '2026-02-01'
    """
    if profile.filing == "bimonthly":
        return Period.of_day(day).start.date()
    return day.replace(day=1)


def void_deadline_of(issued_on: date, profile: ProviderProfile) -> datetime:
    """The last second in which a document of this Taipei day can be void, unless it was filed before."""
    end = filing_end(issued_on, profile)
    if profile.filing == "bimonthly":
        return void_deadline(Period.of_day(issued_on).key, profile)
    if profile.void_scope == UNTIL_CUTOFF:
        return (end + _SECOND).replace(day=profile.void_cutoff_day) + _DAY - _SECOND
    if profile.void_scope == ISSUE_PERIOD_ONLY:
        return end
    raise ValueError(f"no such void_scope: {profile.void_scope!r}")


def void_open(case: Case, *, now: datetime, profile: ProviderProfile) -> bool:
    """May the invoice still be void by its date and filing? False without an invoice.

    >>> case = Case("ISSUED", issued_on=date(2026, 2, 28))
    >>> void_open(case, now=datetime(2026, 3, 13, 23, 59, 59, tzinfo=TAIPEI), profile=ProviderProfile("any"))
    True
    >>> void_open(case, now=datetime(2026, 3, 14, tzinfo=TAIPEI), profile=ProviderProfile("any"))
    False
    """
    if case.issued_on is None or case.filed:
        return False
    return whole_second(now) <= void_deadline_of(case.issued_on, profile)


def whole_second(now: datetime) -> datetime:
    """``now`` without its fraction: a deadline of 23:59:59 lasts until midnight."""
    return now.replace(microsecond=0)
