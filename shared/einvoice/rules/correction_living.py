"""Correct a living invoice (更正有效發票): the rows C11 to C14, with those of a refund that guard every void.

Law: 統一發票使用辦法 art. 20, 21, 24; 營業稅法 art. 15 (an allowance counts in the period it is made in). Across
periods the whole rest is allowed first, then a new invoice made; never are there two with something remaining.

>>> from datetime import date
>>> from einvoice.model import ProviderProfile, TaxType
>>> from einvoice.rules.correction_rows import first
>>> from einvoice.rules.correction_terms import Case, Change
>>> from einvoice.rules.period import TAIPEI
>>> change = Change(1050, 1050, business=False, tax_type=TaxType.TAXABLE, corrected=True)
>>> case, profile = Case("ISSUED", 1050, date(2026, 2, 28)), ProviderProfile("any")
>>> for now in (datetime(2026, 2, 28, 12, tzinfo=TAIPEI), datetime(2026, 3, 2, tzinfo=TAIPEI)):
...     [planned.do.value for planned in first(LIVING_ROWS, ReissueSituation(case, now, profile, change)).steps]
['void', 'issue']
['allow', 'issue']
"""

from __future__ import annotations

from datetime import datetime

from einvoice.rules import correction_steps as step
from einvoice.rules.correction_causes import Cause
from einvoice.rules.correction_change import MANUAL, ReissueSituation
from einvoice.rules.correction_rows import Row
from einvoice.rules.correction_terms import REISSUE, Do, Step


def _allow_then_issue(situation: ReissueSituation) -> tuple[Step, ...]:
    return step.allow(situation, situation.remaining_twd, REISSUE), step.issue(step.CHAIN)


def _void_then_issue(situation: ReissueSituation) -> tuple[Step, ...]:
    first = step.void(situation, deadline=situation.plan_deadline)
    return first, step.issue(step.CHAIN, deadline=situation.reissue_deadline)


def _remedy_deadline(situation: ReissueSituation) -> datetime | None:
    if situation.change.same_number:
        return situation.same_number_deadline
    return situation.plan_deadline if situation.may_void else None


_VOID_FACTS = (
    "remaining_twd",
    "ever_allowed",
    "history",
    "void_scope",
    "void_cutoff_day",
    "reissue_scope",
    "filing",
    "filed",
    "void_deadline",
    "reissue_deadline",
)
_SAME_NUMBER_FACTS = ("same_number_reissue", "same_number_hours", "issued_at", "filed", "same_number_deadline")

_SAME_NUMBER_REFUSED: tuple[Row[ReissueSituation], ...] = (
    Row(
        "C12",
        lambda s: s.change.same_number and not s.profile.same_number_reissue,
        Do.REFUSE,
        Cause.SAME_NUMBER_OFF,
        "the centre's profile",
        ("same_number_reissue",),
    ),
    Row(
        "C12",
        lambda s: s.change.same_number and s.ever_allowed,
        Do.REFUSE,
        Cause.SAME_NUMBER_ALLOWED,
        "ECPay 7918",
        ("same_number_reissue", "ever_allowed"),
    ),
    Row(
        "C12",
        lambda s: s.change.same_number and not s.change.same_buyer_and_amount,
        Do.REFUSE,
        Cause.SAME_NUMBER_OTHER_SALE,
        "MIG 4.1 F0701: what was uploaded is withdrawn and uploaded again; ECPay 7918",
        ("same_number_reissue", "same_buyer_and_amount"),
    ),
    Row(
        "C12",
        lambda s: s.change.same_number and not s.same_number_open,
        Do.REFUSE,
        Cause.SAME_NUMBER_WINDOW_OVER,
        "the centre's profile; ECPay 7918",
        _SAME_NUMBER_FACTS,
    ),
    Row(
        "C12",
        lambda s: s.change.same_number and s.claimed,
        Do.REFUSE,
        Cause.BUYER_CLAIMED,
        "統一發票使用辦法 art. 20 item 1; 營業稅法 art. 15",
        ("claimed",),
    ),
)

LIVING_ROWS: tuple[Row[ReissueSituation], ...] = (
    Row(
        "C14",
        lambda s: not s.change.corrected,
        Do.REFUSE,
        Cause.ORDER_HAS_VALID_INVOICE,
        MANUAL,
        ("remaining_twd", "corrected"),
    ),
    Row(
        "F6",
        lambda s: s.government_unserved,
        Do.REFUSE,
        Cause.GOVERNMENT_BUYER,
        "ministry platform E0404; the centre's profile",
        ("government",),
    ),
    *_SAME_NUMBER_REFUSED,
    Row(
        "F7",
        lambda s: s.consent_missing,
        Do.HOLD,
        Cause.CONSENT_NEEDED,
        "電子發票實施作業要點 pt. 3",
        ("consent_required", "business", "consent"),
        _remedy_deadline,
    ),
    Row(
        "C13",
        lambda s: s.may_void and s.claimed,
        _allow_then_issue,
        Cause.BUYER_CLAIMED,
        "統一發票使用辦法 art. 20 item 1; 營業稅法 art. 15",
        ("claimed", *_VOID_FACTS),
    ),
    Row(
        "F9",
        lambda s: s.may_void and s.prize_in_the_way,
        Do.REVIEW,
        Cause.PRIZE_REDEEMED,
        "統一發票給獎辦法 art. 15-1; e首發票 manual of voids",
        ("redeemed", "person_ok", *_VOID_FACTS),
        _remedy_deadline,
    ),
    Row(
        "F10",
        lambda s: s.may_void and s.donation_in_the_way and not s.change.same_number,
        _allow_then_issue,
        Cause.DONATED,
        "the centre's profile; ECPay's guide of B2C invoices: donated invoices are not void",
        ("donated", "void_donated", *_VOID_FACTS),
    ),
    Row(
        "F11",
        lambda s: s.may_void and s.paper_missing,
        Do.HOLD,
        Cause.PAPER_NOT_BACK,
        "統一發票使用辦法 art. 20 item 2, art. 24",
        ("printed", "paper_back_required", "paper_back", *_VOID_FACTS),
        _remedy_deadline,
    ),
    Row(
        "C12",
        lambda s: s.change.same_number,
        lambda s: (step.same_number(s, deadline=s.same_number_deadline),),
        Cause.SAME_NUMBER,
        "ECPay 7918; MIG 4.1 F0701",
        _SAME_NUMBER_FACTS,
    ),
    Row(
        "C11",
        lambda s: s.may_void and s.period_ending,
        Do.WAIT,
        Cause.PERIOD_ENDING,
        "ours: 15 minutes, so that void and new invoice stay in one period",
        ("period_end", *_VOID_FACTS),
    ),
    Row(
        "C11",
        lambda s: s.may_void,
        _void_then_issue,
        Cause.CORRECTABLE,
        f"統一發票使用辦法 art. 24; {MANUAL}",
        _VOID_FACTS,
    ),
    Row(
        "C13",
        lambda s: s.case.allowed_twd > 0,
        _allow_then_issue,
        Cause.HAS_ALLOWANCES,
        f"ECPay 5070450; {MANUAL}",
        ("allowed_twd", *_VOID_FACTS),
    ),
    Row(
        "C13",
        lambda s: s.void_open and s.reissue_open,
        _allow_then_issue,
        Cause.HISTORY,
        "Amego 3050141; ezPay EZP_INVI LIB10007",
        _VOID_FACTS,
    ),
    Row(
        "C13",
        lambda s: not (s.void_open and s.reissue_open),
        _allow_then_issue,
        Cause.CROSS_PERIOD,
        f"{MANUAL}; 統一發票使用辦法 art. 20, 21; 營業稅法 art. 15",
        _VOID_FACTS,
    ),
)
