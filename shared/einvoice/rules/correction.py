"""Which remedy an invoice takes (更正的決策): void, allowance, void and re-issue, or nothing yet. Sends nothing.

Three questions, three tables of rows; the first row that matches decides, and a decision says which row, by which
source and parameters. Ask again after every step: only the first step of a plan is sure.

>>> from einvoice.rules.period import TAIPEI
>>> case = Case("ISSUED", total_twd=1050, issued_on=date(2026, 2, 28), invoice_confirmed=True)
>>> for now in (datetime(2026, 3, 13, 23, 59, 59, tzinfo=TAIPEI), datetime(2026, 3, 14, tzinfo=TAIPEI)):
...     decision = refund(case, 1050, now=now, profile=ProviderProfile("any"))
...     decision.row, decision.do.value, decision.cause
('F13', 'void', 'VOIDABLE')
('F17', 'allow', 'VOID_CLOSED')
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime

from einvoice.model import ProviderProfile
from einvoice.rules.correction_allowance import ALLOWANCE_ROWS, AllowanceSituation
from einvoice.rules.correction_causes import Cause
from einvoice.rules.correction_change import ReissueSituation
from einvoice.rules.correction_refund import REFUND_ROWS, RefundSituation
from einvoice.rules.correction_reissue import REISSUE_ROWS
from einvoice.rules.correction_rows import first
from einvoice.rules.correction_steps import after_upload
from einvoice.rules.correction_terms import REFUND, REISSUE, Case, Change, Decision, Do, Step
from einvoice.rules.correction_time import void_deadline_of, void_open
from einvoice.rules.period import tax_day

__all__ = [
    "REFUND",
    "REISSUE",
    "Case",
    "Cause",
    "Change",
    "Decision",
    "Do",
    "Step",
    "correct",
    "refund",
    "void_allowance",
    "void_deadline_of",
    "void_open",
]


def refund(
    case: Case, amount_twd: int, *, now: datetime, profile: ProviderProfile, allowance_only: bool = False
) -> Decision:
    """How ``amount_twd`` (tax-inclusive) of the invoice goes back; to cancel is to refund all that remains.

    ``allowance_only``: the caller wants an allowance, even where a void is possible. ValueError for a state, a profile
    or an instant that no row understands.
    """
    situation = RefundSituation(case, now, profile, amount_twd, allowance_only)
    return after_upload(first(REFUND_ROWS, situation), situation, row="F3")


def correct(case: Case, change: Change, *, now: datetime, profile: ProviderProfile) -> Decision:
    """How the invoice of ``change`` takes the place of what the order has; ValueError as for ``refund``."""
    if change.duplicate:
        return _drop(case, now, profile)
    situation = ReissueSituation(case, now, profile, change)
    return after_upload(first(REISSUE_ROWS, situation), situation, row="C7")


# Flags by name, as the ledger has them; a dataclass for one call would only repeat the rows' own.
def void_allowance(  # noqa: PLR0913
    *,
    allowed_on: date,
    live: bool,
    confirmed: bool,
    later_generation: bool,
    filed: bool,
    government: bool,
    now: datetime,
    profile: ProviderProfile,
) -> Decision:
    """May this allowance be void? ``allowed_on`` and ``filed`` are its own day and period, not the invoice's."""
    tax_day(now)  # refuses a naive instant
    return first(
        ALLOWANCE_ROWS,
        AllowanceSituation(allowed_on, now, profile, live, confirmed, later_generation, filed, government),
    )


def _drop(case: Case, now: datetime, profile: ProviderProfile) -> Decision:
    """C15: a second invoice of one sale goes as in a refund of the rest, which never opens the way to another."""
    decision = refund(case, case.remaining_twd, now=now, profile=profile)
    if not decision.steps:
        return decision
    cause = Cause.DUPLICATE
    return replace(
        decision,
        row="C15",
        cause=cause.name,
        reason=cause.reason,
        message=cause.sentence,
        steps=tuple(replace(step, rule="C15") for step in decision.steps),
        parameters={**decision.parameters, "duplicate": True, "refund_row": decision.row},
        source=f"e首發票 manual of re-issue 2026-01: an order has one valid invoice; {decision.source}",
    )
