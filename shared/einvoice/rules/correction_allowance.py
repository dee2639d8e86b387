"""Void an allowance (折讓作廢): the table, A1 to A6. An allowance is never edited, only made void and made anew.

>>> from einvoice.rules.correction_rows import first
>>> from einvoice.rules.period import TAIPEI
>>> facts = AllowanceSituation(date(2026, 1, 20), datetime(2026, 3, 14, tzinfo=TAIPEI), ProviderProfile("any"))
>>> first(ALLOWANCE_ROWS, facts).cause
'ALLOWANCE_VOID_CLOSED'
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from einvoice.model import ProviderProfile
from einvoice.rules.correction_causes import Cause
from einvoice.rules.correction_rows import Row
from einvoice.rules.correction_steps import CONSENT
from einvoice.rules.correction_terms import Do, Step
from einvoice.rules.correction_time import void_deadline_of, whole_second


@dataclass(frozen=True, slots=True)
class AllowanceSituation:
    """An allowance of the Taipei day ``allowed_on``; ``later_generation``: a younger invoice rests on it."""

    allowed_on: date
    now: datetime
    profile: ProviderProfile
    live: bool = True
    confirmed: bool = True  # the ministry has it
    later_generation: bool = False
    filed: bool = False  # its own period, not the invoice's
    government_buyer: bool = False

    @property
    def holders(self) -> tuple[object, ...]:
        """Where a parameter is looked up."""
        return (self.profile, self)

    @property
    def deadline(self) -> datetime:
        """The last second in which it can be void, unless it is filed before."""
        return void_deadline_of(self.allowed_on, self.profile)


_TIME_FACTS = ("allowed_on", "void_scope", "void_cutoff_day", "filing", "filed", "deadline")

ALLOWANCE_ROWS: tuple[Row[AllowanceSituation], ...] = (
    Row(
        "A1",
        lambda s: not s.live,
        Do.REFUSE,
        Cause.ALLOWANCE_ALREADY_VOIDED,
        "ministry platform E0403; ECPay 2000063",
        ("live",),
    ),
    Row(
        "A2",
        lambda s: s.later_generation,
        Do.REFUSE,
        Cause.LATER_GENERATION,
        "e首發票 manual of re-issue 2026-01: an order has one valid invoice",
        ("later_generation",),
    ),
    Row(
        "A3",
        lambda s: s.government_buyer and not s.profile.government,
        Do.REFUSE,
        Cause.GOVERNMENT_BUYER,
        "ministry platform E0406; the centre's profile",
        ("government", "government_buyer"),
    ),
    Row(
        "A4",
        lambda s: s.filed or whole_second(s.now) > s.deadline,
        Do.REFUSE,
        Cause.ALLOWANCE_VOID_CLOSED,
        "營業稅法 art. 15, 35; ministry platform E0218; ECPay 7911; Amego 4050135",
        _TIME_FACTS,
    ),
    Row(
        "A5",
        lambda s: not s.confirmed and "allowance_void" in s.profile.upload_first,
        Do.WAIT,
        Cause.NOT_UPLOADED,
        "the centre's profile; Amego 4050141; ezPay EZP_INVI Status",
        ("upload_first", "confirmed"),
        lambda s: s.deadline,
    ),
    Row(
        "A6",
        lambda s: s.live,
        lambda s: (Step(Do.VOID_ALLOWANCES, "", deadline=s.deadline, documents=(CONSENT,)),),
        Cause.ALLOWANCE_VOIDABLE,
        "MIG 4.1 G0501; ECPay 7911",
        _TIME_FACTS,
    ),
)
