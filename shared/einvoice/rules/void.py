"""Until when an invoice may be voided (作廢), and what a reason must look like.

The law's line is the filing of the invoice's period, due by the 15th of the next odd month (統一發票使用辦法 art. 20,
營業稅法 art. 35). Centres close earlier, each on its own day, or with the period itself; so both numbers come with the
``ProviderProfile``. After that only an allowance (折讓) is possible.

>>> from einvoice.rules.period import TAIPEI
>>> profile = ProviderProfile("any", void_scope=UNTIL_CUTOFF, void_cutoff_day=13)
>>> oldest_voidable_period(datetime(2026, 3, 13, 23, 59, 59, tzinfo=TAIPEI), profile)
'11502'
>>> oldest_voidable_period(datetime(2026, 3, 14, tzinfo=TAIPEI), profile)
'11504'
"""

from __future__ import annotations

from datetime import datetime

from einvoice.errors import Violation
from einvoice.model import ProviderProfile
from einvoice.rules import text
from einvoice.rules.period import Period

ISSUE_PERIOD_ONLY = "issue_period_only"
UNTIL_CUTOFF = "until_cutoff"


def oldest_voidable_period(now: datetime, profile: ProviderProfile) -> str:
    """Key of the earliest period whose invoices the centre still voids at ``now``; keys compare as text."""
    current = Period.of(now)
    previous = current.previous()
    return previous.key if _last_second(previous, profile) >= now.replace(microsecond=0) else current.key


def void_deadline(period: str, profile: ProviderProfile) -> datetime:
    """The last second in which an invoice of the period with this key can be voided.

    >>> void_deadline("11512", ProviderProfile("any", void_scope=UNTIL_CUTOFF, void_cutoff_day=13)).isoformat()
    '2027-01-13T23:59:59+08:00'
    """
    return _last_second(Period.parse(period), profile)


def check_reason(reason: str, profile: ProviderProfile) -> list[Violation]:
    """Everything wrong with the reason of a void (作廢原因; MIG 4.1 F0501 CancelReason, 1 to 20 characters)."""
    return list(
        text.check(
            reason,
            text.Field("reason", "作廢原因", profile.max_reason_chars, required=True),
            astral=profile.astral_text,
        )
    )


def _last_second(period: Period, profile: ProviderProfile) -> datetime:
    if profile.void_scope == UNTIL_CUTOFF:
        return period.cutoff(profile.void_cutoff_day)
    if profile.void_scope == ISSUE_PERIOD_ONLY:
        return period.end
    raise ValueError(f"no such void_scope: {profile.void_scope!r}")
