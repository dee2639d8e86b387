"""Whether a period was filed already (申報): that closes a void, whatever the centre's own limit.

Source: 統一發票使用辦法 art. 20.
"""

from __future__ import annotations

from datetime import date, timedelta

from einvoice.application.ports import Ports
from einvoice.model import ProviderProfile
from einvoice.rules.correction_time import void_deadline_of
from einvoice.rules.period import TAIPEI, Period


def filed(p: Ports, merchant: str, day: date) -> bool:
    """Whether the merchant filed (申報) the invoices of this day already. What has not ended cannot have been filed.

    Marks of both ways of filing count: a merchant may have changed from one to the other since.
    """
    today = p.clock.now().astimezone(TAIPEI).date()
    keys = {key_of(day) for key_of in (_period_key, _month_key) if key_of(day) < key_of(today)}
    return any(p.store.filed_at(merchant, key) is not None for key in sorted(keys))


def filing_key(day: date, profile: ProviderProfile) -> str:
    """What is filed at once: a period, or for monthly filers a month, as ROC year and month.

    >>> filing_key(date(2026, 1, 5), ProviderProfile("any"))
    '11502'
    >>> filing_key(date(2026, 1, 5), ProviderProfile("any", filing="monthly"))
    '11501'
    """
    return _period_key(day) if profile.filing == "bimonthly" else _month_key(day)


def oldest_voidable_day(p: Ports, merchant: str, profile: ProviderProfile) -> str:
    """The first day whose invoices may be void now, as text: the centre's limit, and what was filed before it.

    Month by month, as ``filed`` would find it: a period goes by the name of its second month, which is met first.
    """
    now = p.clock.now()
    month = now.astimezone(TAIPEI).date().replace(day=1)
    while void_deadline_of(before := month - timedelta(days=1), profile) >= now.replace(microsecond=0):
        if p.store.filed_at(merchant, _month_key(before)) is not None:
            break
        month = before.replace(day=1)
    return month.isoformat()


def _period_key(day: date) -> str:
    return Period.of_day(day).key


def _month_key(day: date) -> str:
    return f"{day.year - 1911:03d}{day.month:02d}"
