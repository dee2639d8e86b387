"""Correct or issue again (更正重開): the table, C1 to C14. First the new content, then what stands in the ledger.

Law: 營業稅法 art. 52 (a sale without an invoice), 統一發票使用辦法 art. 20 (a refund ends the sale), 21 (periods).

>>> from datetime import date, datetime
>>> from einvoice.model import ProviderProfile
>>> from einvoice.rules.correction_rows import first
>>> from einvoice.rules.correction_terms import Case, Change
>>> from einvoice.rules.period import TAIPEI
>>> change = Change(1050, 1050, business=False, tax_type=TaxType.TAXABLE, corrected=False)
>>> case, profile = Case("VOIDED", 1050, date(2026, 2, 28)), ProviderProfile("any")
>>> for now in (datetime(2026, 2, 28, 12, tzinfo=TAIPEI), datetime(2026, 3, 2, tzinfo=TAIPEI)):
...     first(REISSUE_ROWS, ReissueSituation(case, now, profile, change)).do.value
'issue'
'review'
"""

from __future__ import annotations

from einvoice.model import TaxType
from einvoice.rules import correction_steps as step
from einvoice.rules.correction_causes import Cause
from einvoice.rules.correction_change import MANUAL, ReissueSituation
from einvoice.rules.correction_living import LIVING_ROWS
from einvoice.rules.correction_rows import PENDING, Row
from einvoice.rules.correction_terms import Do, Step
from einvoice.rules.period import Period


def _issue_linked(_: ReissueSituation) -> tuple[Step, ...]:
    return (step.issue(step.CHAIN),)


def _issue_late(_: ReissueSituation) -> tuple[Step, ...]:
    return (step.issue(step.SELF_REPORT),)


_CONTENT: tuple[Row[ReissueSituation], ...] = (
    Row(
        "C10",
        lambda s: s.case.state not in PENDING and s.case.refunded_twd > 0 and s.due_twd <= 0,
        Do.REFUSE,
        Cause.FULLY_REFUNDED,
        "統一發票使用辦法 art. 20: a refund ends the sale",
        ("order_total_twd", "refunded_twd"),
    ),
    Row(
        "C1",
        lambda s: s.change.new_total_twd <= 0,
        Do.REFUSE,
        Cause.ZERO_AMOUNT,
        f"{MANUAL}; ministry platform E0105",
        ("new_total_twd",),
    ),
    Row(
        "C2",
        lambda s: s.change.business and s.change.tax_type is TaxType.MIXED,
        Do.REFUSE,
        Cause.MIXED_TAX_B2B,
        f"{MANUAL}; 統一發票使用辦法 art. 8",
        ("new_business", "tax_type"),
    ),
    Row(
        "C3",
        lambda s: s.change.new_total_twd != s.due_twd,
        Do.REFUSE,
        Cause.AMOUNT_MISMATCH,
        MANUAL,
        ("new_total_twd", "order_total_twd", "refunded_twd"),
    ),
    Row(
        "C4",
        lambda s: s.change.numbers_left is not None and s.change.numbers_left <= 0 and not s.change.same_number,
        Do.HOLD,
        Cause.NUMBER_EXHAUSTED,
        "統一發票使用辦法 art. 21: a number belongs to its period",
        ("numbers_left",),
    ),
    Row(
        "C7",
        lambda s: s.case.state in PENDING,
        Do.WAIT,
        Cause.PENDING,
        f"our ledger: an earlier request is not settled; {MANUAL}",
        ("state",),
    ),
    Row(
        "C7",
        lambda s: s.case.asked,
        Do.WAIT,
        Cause.CONSENT_ASKED,
        "ECPay AllowanceByCollegiate: the amount stays reserved until the buyer's click or 72 hours",
        ("asked",),
    ),
)

_NOTHING_LIVES: tuple[Row[ReissueSituation], ...] = (
    Row(
        "C5",
        lambda s: s.not_issued and s.sale_period_open,
        lambda s: (step.issue(deadline=Period.parse(s.case.sold_period).end),),
        Cause.NOT_ISSUED,
        MANUAL,
        ("state", "sold_period"),
    ),
    Row(
        "C6",
        lambda s: s.not_issued and not s.case.person_ok,
        Do.REVIEW,
        Cause.LATE_ISSUE,
        "營業稅法 art. 52; 統一發票使用辦法 art. 21",
        ("state", "sold_period", "person_ok"),
    ),
    Row(
        "C6",
        lambda s: s.not_issued,
        _issue_late,
        Cause.LATE_ISSUE,
        "營業稅法 art. 52; 稅捐稽徵法 art. 48-1",
        ("state", "sold_period", "person_ok"),
    ),
    Row(
        "C8",
        lambda s: s.is_void and s.reissue_open,
        lambda s: (step.issue(step.CHAIN, deadline=s.reissue_deadline),),
        Cause.VOIDED,
        f"統一發票使用辦法 art. 24; {MANUAL}",
        ("state", "reissue_scope", "filing", "filed", "reissue_deadline"),
    ),
    Row(
        "C9",
        lambda s: s.is_void and not s.case.person_ok,
        Do.REVIEW,
        Cause.VOIDED_CROSS_PERIOD,
        "營業稅法 art. 52; ministry platform E0211",
        ("state", "reissue_scope", "filing", "filed", "reissue_deadline", "person_ok"),
    ),
    Row(
        "C9",
        lambda s: s.is_void,
        _issue_late,
        Cause.VOIDED_CROSS_PERIOD,
        "營業稅法 art. 52; 稅捐稽徵法 art. 48-1",
        ("state", "reissue_scope", "filing", "filed", "reissue_deadline", "person_ok"),
    ),
    Row(
        "C10",
        lambda s: s.remaining_twd <= 0 and s.case.reissue_allowed,
        _issue_linked,
        Cause.ALLOWED_FOR_REISSUE,
        f"{MANUAL}; 營業稅法 art. 15",
        ("remaining_twd", "reissue_allowed"),
    ),
    Row(
        "C10",
        lambda s: s.remaining_twd <= 0 and s.case.refunded_twd >= s.case.total_twd,
        Do.REFUSE,
        Cause.FULLY_REFUNDED,
        "統一發票使用辦法 art. 20: a refund ends the sale",
        ("remaining_twd", "reissue_allowed", "refunded_twd", "total_twd"),
    ),
    Row(
        "C10",
        lambda s: s.remaining_twd <= 0,
        Do.REFUSE,
        Cause.FULLY_ALLOWED,
        "統一發票使用辦法 art. 20: an allowance may be a refund, and that ends the sale",
        ("remaining_twd", "reissue_allowed", "refunded_twd", "total_twd"),
    ),
)

REISSUE_ROWS: tuple[Row[ReissueSituation], ...] = (*_CONTENT, *_NOTHING_LIVES, *LIVING_ROWS)
