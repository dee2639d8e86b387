"""What stands where another invoice is wanted (更正重開的事實): the case, the change, and the times between them.

>>> from datetime import date
>>> from einvoice.model import ProviderProfile, TaxType
>>> from einvoice.rules.correction_terms import Case
>>> from einvoice.rules.period import TAIPEI
>>> change = Change(750, 1050, business=False, tax_type=TaxType.TAXABLE, corrected=True)
>>> case = Case("ISSUED", 1050, date(2026, 2, 28), refunded_twd=300)
>>> facts = ReissueSituation(case, datetime(2026, 2, 28, 12, tzinfo=TAIPEI), ProviderProfile("any"), change)
>>> facts.due_twd, facts.plan_deadline.isoformat()
(750, '2026-02-28T23:44:59+08:00')
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from einvoice.rules.correction_rows import NOT_ISSUED, VOIDED, Situation
from einvoice.rules.correction_terms import Change
from einvoice.rules.correction_time import filing_end, whole_second
from einvoice.rules.reissue import PERIOD_END_GUARD_S

MANUAL = "e首發票 manual of re-issue 2026-01"


@dataclass(frozen=True, slots=True)
class ReissueSituation(Situation):
    """Another invoice is asked for instead: ``change``."""

    change: Change

    @property
    def holders(self) -> tuple[object, ...]:
        """The new invoice's facts come last."""
        return (self.profile, self, self.case, self.change)

    @property
    def due_twd(self) -> int:
        """What the order is still worth: its total less the refunds."""
        return self.change.order_total_twd - self.case.refunded_twd

    @property
    def new_business(self) -> bool:
        """Has the new buyer a 統一編號?"""
        return self.change.business

    @property
    def not_issued(self) -> bool:
        """Was there never an invoice?"""
        return self.case.state in NOT_ISSUED

    @property
    def is_void(self) -> bool:
        """Is it void?"""
        return self.case.state == VOIDED

    @property
    def may_void(self) -> bool:
        """Would a void and a new number be the remedy, if nothing spoke against it? True wherever 註銷重開 is, too."""
        no_allowance = self.case.allowed_twd == 0 and not self.history_bars_void
        return self.void_open and self.reissue_open and no_allowance

    @property
    def plan_deadline(self) -> datetime:
        """The last second in which the void can begin: enough of the invoice's own period must be left."""
        if self.reissue_deadline == filing_end(self.day, self.profile):
            return self.reissue_deadline - timedelta(seconds=PERIOD_END_GUARD_S)
        return min(self.void_deadline, self.reissue_deadline)

    @property
    def same_number_deadline(self) -> datetime:
        """The last second in which the number can be kept. ValueError without the instant of issue."""
        window_end = datetime.fromisoformat(self.change.issued_at) + timedelta(hours=self.profile.same_number_hours)
        return min(window_end, self.void_deadline, self.reissue_deadline)

    @property
    def same_number_open(self) -> bool:
        """Is it that time, and not filed?"""
        return self.reissue_open and whole_second(self.now) <= self.same_number_deadline
