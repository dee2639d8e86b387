"""A decision table (決策表) for corrections: rows of data, of which the first that matches decides.

>>> rows = (Row("X1", lambda s: s.case.filed, Do.REFUSE, Cause.VOID_CLOSED, "統一發票使用辦法 art. 20", ("filed",)),)
>>> from einvoice.rules.period import TAIPEI
>>> now = datetime(2026, 2, 20, tzinfo=TAIPEI)
>>> filed = Case("ISSUED", issued_on=date(2026, 1, 15), filed=True)
>>> decision = first(rows, Situation(filed, now, ProviderProfile("any")))
>>> decision.row, decision.do.value, decision.parameters
('X1', 'refuse', {'filed': True})
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Generic, Protocol, TypeVar

from einvoice.model import ProviderProfile
from einvoice.rules.correction_causes import Cause
from einvoice.rules.correction_terms import Case, Decision, Do, Step
from einvoice.rules.correction_time import filing_end, void_deadline_of, void_open, whole_second
from einvoice.rules.period import Period, tax_day
from einvoice.rules.reissue import PERIOD_END_GUARD_S
from einvoice.rules.void import ISSUE_PERIOD_ONLY, UNTIL_CUTOFF

PENDING = frozenset({"ISSUING", "WAITING", "VOIDING", "REISSUING", "ALLOWING"})
NOT_ISSUED = frozenset({"WANTED", "REFUSED"})
ISSUED, VOIDED = "ISSUED", "VOIDED"


class Facts(Protocol):
    """What a table's conditions read."""

    @property
    def holders(self) -> tuple[object, ...]:
        """Where a parameter is looked up by its name, in this order."""


S = TypeVar("S", bound=Facts)


def _none(_: object) -> None:
    return None


@dataclass(frozen=True, slots=True)
class Row(Generic[S]):
    """One row: when it matches, what then (a plan, or the verdict that there is none), why, by which source.

    ``parameters`` are the names of what the row looked at. ``deadline`` is for rows without a plan: the last second in
    which that which is waited for can still be done.
    """

    id: str
    when: Callable[[S], bool]
    then: Do | Callable[[S], tuple[Step, ...]]
    cause: Cause
    source: str
    parameters: tuple[str, ...]
    deadline: Callable[[S], datetime | None] = _none


@dataclass(frozen=True, slots=True)
class Situation:
    """A case at an instant under a profile. ValueError for an unknown state, an invoice without a day, a naive now."""

    case: Case
    now: datetime
    profile: ProviderProfile

    def __post_init__(self) -> None:
        """Refuse what no row could decide."""
        tax_day(self.now)
        state = self.case.state
        if state not in {*PENDING, *NOT_ISSUED, ISSUED, VOIDED}:
            raise ValueError(f"no such state: {state!r}")
        if state in {ISSUED, VOIDED} and self.case.issued_on is None:
            raise ValueError("an invoice has a day")

    @property
    def holders(self) -> tuple[object, ...]:
        """A parameter of the centre's goes before a fact of the case with the same name."""
        return (self.profile, self, self.case)

    @property
    def day(self) -> date:
        """The invoice's day."""
        if self.case.issued_on is None:
            raise ValueError("an invoice has a day")
        return self.case.issued_on

    @property
    def remaining_twd(self) -> int:
        """What of the invoice is not allowed."""
        return self.case.remaining_twd

    @property
    def void_open(self) -> bool:
        """May it still be void by its date and filing?"""
        return void_open(self.case, now=self.now, profile=self.profile)

    @property
    def void_deadline(self) -> datetime:
        """The last second of that, unless it is filed before."""
        return void_deadline_of(self.day, self.profile)

    @property
    def reissue_deadline(self) -> datetime:
        """The last second in which a new invoice may take a void one's place without moving the sale."""
        if self.profile.reissue_scope == ISSUE_PERIOD_ONLY:
            return filing_end(self.day, self.profile)
        if self.profile.reissue_scope == UNTIL_CUTOFF:
            return self.void_deadline
        raise ValueError(f"no such reissue_scope: {self.profile.reissue_scope!r}")

    @property
    def reissue_open(self) -> bool:
        """May a new invoice take a void one's place?"""
        return not self.case.filed and whole_second(self.now) <= self.reissue_deadline

    @property
    def period_end(self) -> datetime:
        """The last second of the period, or month, that runs now."""
        return filing_end(tax_day(self.now), self.profile)

    @property
    def period_ending(self) -> bool:
        """Is too little of it left for a void and a new invoice?"""
        return self.period_end - whole_second(self.now) < timedelta(seconds=PERIOD_END_GUARD_S)

    @property
    def sale_period_open(self) -> bool:
        """Does the sale's period still run? An unknown one does not."""
        return self.case.sold_period >= Period.of(self.now).key

    @property
    def ever_allowed(self) -> bool:
        """Was there ever an allowance?"""
        return self.case.had_allowance or self.case.allowed_twd > 0

    @property
    def history_bars_void(self) -> bool:
        """Is a void refused for ever because of an allowance that is void itself?"""
        if self.profile.history not in {"allowance_remaining", "void_allowances_first"}:
            raise ValueError(f"no such history: {self.profile.history!r}")
        return self.ever_allowed and self.profile.history == "allowance_remaining"

    @property
    def consent_missing(self) -> bool:
        """Is the buyer's consent needed first, and not on record?"""
        if self.profile.consent_required not in {"business", "always", "never"}:
            raise ValueError(f"no such consent_required: {self.profile.consent_required!r}")
        business = self.case.business or self.case.government
        needed = {"always": True, "business": business, "never": False}[self.profile.consent_required]
        return needed and not self.case.consent

    @property
    def government_unserved(self) -> bool:
        """Is it a government buyer, and the centre has no flow for one?"""
        return self.case.government and not self.profile.government

    @property
    def claimed(self) -> bool:
        """Did a business buyer deduct it?"""
        return self.case.claimed and (self.case.business or self.case.government)

    @property
    def prize_in_the_way(self) -> bool:
        """Was a prize paid out, and no person approved?"""
        return self.case.redeemed and not self.case.person_ok

    @property
    def donation_in_the_way(self) -> bool:
        """Is it donated, and the centre voids no donated ones?"""
        return self.case.donated and not self.profile.void_donated

    @property
    def paper_missing(self) -> bool:
        """Must its paper be back first, and is not?"""
        return self.case.printed and self.profile.paper_back_required and not self.case.paper_back


def first(rows: tuple[Row[S], ...], facts: S) -> Decision:
    """The decision of the first row that matches. LookupError if none does: a table has an answer to everything."""
    row = next((row for row in rows if row.when(facts)), None)
    if row is None:
        raise LookupError("no row matches")
    steps = () if isinstance(row.then, Do) else tuple(replace(step, rule=row.id) for step in row.then(facts))
    return Decision(
        row=row.id,
        do=row.then if isinstance(row.then, Do) else steps[0].do,
        cause=row.cause.name,
        reason=row.cause.reason,
        message=row.cause.sentence,
        steps=steps,
        parameters={name: _parameter(name, facts) for name in row.parameters},
        source=row.source,
        deadline=steps[0].deadline if steps else row.deadline(facts),
    )


def _parameter(name: str, facts: Facts) -> object:
    for holder in facts.holders:
        if hasattr(holder, name):
            return _json(getattr(holder, name))
    raise LookupError(f"no such parameter: {name!r}")


def _json(value: object) -> object:
    if isinstance(value, date):  # datetime is one
        return value.isoformat()
    return sorted(value) if isinstance(value, frozenset) else value
