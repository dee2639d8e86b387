"""Refund or cancel (退款、取消): the table, F1 to F18. A void only where the whole rest goes and every door is open.

Law: 統一發票使用辦法 art. 20 (not filed: void; filed: allowance), 電子發票實施作業要點 pt. 3 (consent). The other
sources are the centres' own pages and refusals. A literal reading of art. 20 knows no partial allowance for a consumer
before filing; every centre takes one, and so do we.

>>> from datetime import date, datetime
>>> from einvoice.model import ProviderProfile
>>> from einvoice.rules.correction_rows import first
>>> from einvoice.rules.correction_terms import Case
>>> from einvoice.rules.period import TAIPEI
>>> case, now = Case("ISSUED", 1050, date(2026, 1, 15)), datetime(2026, 2, 20, tzinfo=TAIPEI)
>>> [first(REFUND_ROWS, RefundSituation(case, now, ProviderProfile("any"), twd)).row for twd in (1050, 300, 1051)]
['F13', 'F16', 'F5']
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from einvoice.rules import correction_steps as step
from einvoice.rules.correction_causes import Cause
from einvoice.rules.correction_rows import NOT_ISSUED, PENDING, VOIDED, Row, Situation
from einvoice.rules.correction_terms import REFUND, Do, Step


@dataclass(frozen=True, slots=True)
class RefundSituation(Situation):
    """A refund of ``amount_twd`` is asked for; ``allowance_only``: by allowance, even where a void is possible."""

    amount_twd: int = 0
    allowance_only: bool = False

    @property
    def whole_rest(self) -> bool:
        """Does nothing remain after it?"""
        return self.amount_twd == self.remaining_twd

    @property
    def may_void(self) -> bool:
        """Would a void be the remedy, if nothing in F8 to F12 spoke against it?

        With live allowances only where the centre takes the void after theirs; F8 to F11 come before that too, or
        allowances would be void for a void that never follows.
        """
        reachable = self.case.allowed_twd == 0 or not self.history_bars_void
        return self.whole_rest and self.void_open and reachable and not self.allowance_only

    @property
    def may_void_specially(self) -> bool:
        """Is it too late for that, but not with the tax office's approval number?"""
        has_approval = bool(self.case.approval_no) and self.profile.special_void
        free = self.case.allowed_twd == 0 and not self.history_bars_void and not self.donation_in_the_way
        return self.whole_rest and not self.void_open and has_approval and free and not self.allowance_only

    @property
    def voids(self) -> bool:
        """Either way."""
        return self.may_void or self.may_void_specially


def _allow(situation: RefundSituation) -> tuple[Step, ...]:
    return (step.allow(situation, situation.amount_twd, REFUND),)


def _void_if_open(situation: RefundSituation) -> datetime | None:
    return situation.void_deadline if situation.may_void else None


_VOID_FACTS = ("amount_twd", "remaining_twd", "void_scope", "void_cutoff_day", "filing", "filed", "void_deadline")

REFUND_ROWS: tuple[Row[RefundSituation], ...] = (
    Row(
        "F1",
        lambda s: s.case.state in NOT_ISSUED,
        Do.NOTHING,
        Cause.NO_ACTION,
        "統一發票使用辦法 art. 20: it speaks of issued invoices",
        ("state",),
    ),
    Row(
        "F2",
        lambda s: s.case.state == VOIDED,
        Do.REFUSE,
        Cause.ALREADY_VOIDED,
        "ministry platform E0402; ECPay 5070453, 2000042",
        ("state",),
    ),
    Row(
        "F3",
        lambda s: s.case.state in PENDING,
        Do.WAIT,
        Cause.PENDING,
        "our ledger: an earlier request is not settled; Amego 3050131; ezPay EZP_INVI LIB10009",
        ("state",),
    ),
    Row(
        "F3",
        lambda s: s.case.asked,
        Do.WAIT,
        Cause.CONSENT_ASKED,
        "ECPay AllowanceByCollegiate: the amount stays reserved until the buyer's click or 72 hours",
        ("asked",),
    ),
    Row(
        "F4",
        lambda s: s.amount_twd == 0 and s.remaining_twd == 0,
        Do.NOTHING,
        Cause.NOTHING_REMAINS,
        "ministry platform E0221",
        ("amount_twd", "remaining_twd"),
    ),
    Row(
        "F4",
        lambda s: s.amount_twd <= 0,
        Do.REFUSE,
        Cause.BAD_AMOUNT,
        "ECPay 7901 AllowanceAmount, at least 1",
        ("amount_twd",),
    ),
    Row(
        "F5",
        lambda s: s.amount_twd > s.remaining_twd,
        Do.REFUSE,
        Cause.EXCEEDS_REMAINING,
        "ministry platform E0221, E0309",
        ("amount_twd", "remaining_twd"),
    ),
    Row(
        "F6",
        lambda s: s.government_unserved,
        Do.REFUSE,
        Cause.GOVERNMENT_BUYER,
        "ministry platform E0404; the centre's profile",
        ("government",),
    ),
    Row(
        "F7",
        lambda s: s.consent_missing,
        Do.HOLD,
        Cause.CONSENT_NEEDED,
        "電子發票實施作業要點 pt. 3",
        ("consent_required", "business", "consent"),
        _void_if_open,
    ),
    Row(
        "F8",
        lambda s: s.may_void and s.claimed,
        _allow,
        Cause.BUYER_CLAIMED,
        "統一發票使用辦法 art. 20 item 1; 營業稅法 art. 15",
        ("claimed", *_VOID_FACTS),
    ),
    Row(
        "F9",
        lambda s: s.voids and s.prize_in_the_way,
        Do.REVIEW,
        Cause.PRIZE_REDEEMED,
        "統一發票給獎辦法 art. 15-1; e首發票 manual of voids",
        ("redeemed", "person_ok", *_VOID_FACTS),
        _void_if_open,
    ),
    Row(
        "F10",
        lambda s: s.may_void and s.donation_in_the_way,
        _allow,
        Cause.DONATED,
        "the centre's profile; ECPay's guide of B2C invoices: donated invoices are not void",
        ("donated", "void_donated", *_VOID_FACTS),
    ),
    Row(
        "F11",
        lambda s: s.voids and s.paper_missing,
        Do.HOLD,
        Cause.PAPER_NOT_BACK,
        "統一發票使用辦法 art. 20 item 2",
        ("printed", "paper_back_required", "paper_back", *_VOID_FACTS),
        _void_if_open,
    ),
    Row(
        "F12",
        lambda s: s.may_void and s.history_bars_void,
        _allow,
        Cause.HISTORY,
        "Amego 3050141; ezPay EZP_INVI LIB10007",
        ("history", "ever_allowed", *_VOID_FACTS),
    ),
    Row(
        "F13",
        lambda s: s.may_void and s.case.allowed_twd == 0,
        lambda s: (step.void(s),),
        Cause.VOIDABLE,
        "統一發票使用辦法 art. 20; MIG 4.1 F0501",
        _VOID_FACTS,
    ),
    Row(
        "F14",
        lambda s: s.may_void,
        lambda s: (step.void_allowances(s), step.void(s)),
        Cause.ALLOWANCES_FIRST,
        "ECPay 5070450; e首發票 notice of 2025-07-15",
        ("history", "allowed_twd", *_VOID_FACTS),
    ),
    Row(
        "F15",
        lambda s: not s.whole_rest and not s.profile.partial_allowances,
        Do.REFUSE,
        Cause.PARTIAL_UNSUPPORTED,
        "the centre's profile",
        ("partial_allowances", "amount_twd", "remaining_twd"),
    ),
    Row(
        "F16",
        lambda s: not s.whole_rest,
        _allow,
        Cause.PARTIAL_REFUND,
        "統一發票使用辦法 art. 20, 20-1; ECPay 7901",
        ("partial_allowances", "amount_twd", "remaining_twd"),
    ),
    Row(
        "F18",
        lambda s: s.may_void_specially,
        lambda s: (step.special_void(s),),
        Cause.SPECIAL_VOID,
        "MIG 4.1 F0501 ReturnTaxDocumentNumber",
        ("special_void", "approval_no", *_VOID_FACTS),
    ),
    Row(
        "F17",
        lambda s: s.allowance_only,
        _allow,
        Cause.ALLOWANCE_ASKED,
        "統一發票使用辦法 art. 20, 20-1",
        ("allowance_only", "amount_twd", "remaining_twd"),
    ),
    Row(
        "F17",
        lambda s: s.void_open,
        _allow,
        Cause.HAS_ALLOWANCES,
        "ECPay 5070450; Amego 3050141; ezPay EZP_INVI LIB10007",
        ("history", "allowed_twd", *_VOID_FACTS),
    ),
    Row(
        "F17",
        lambda s: not s.void_open,
        _allow,
        Cause.VOID_CLOSED,
        "統一發票使用辦法 art. 20 (filed); ECPay 7906; ezPay EZP_INVI LIB10008",
        _VOID_FACTS,
    ),
)
