"""The steps of a correction (步驟), each with its deadline and what the merchant must keep; and what each waits for.

Documents: 電子發票實施作業要點 pt. 3 (consent, kept five years), 統一發票使用辦法 art. 20 (the paper back, or its copy
with an allowance), 稅捐稽徵機關管理營利事業會計帳簿憑證辦法 (five years).

>>> from datetime import date
>>> from einvoice.model import ProviderProfile
>>> from einvoice.rules.period import TAIPEI
>>> case = Case("ISSUED", total_twd=1050, issued_on=date(2026, 1, 15), printed=True)
>>> step = void(Situation(case, datetime(2026, 2, 20, tzinfo=TAIPEI), ProviderProfile("any")))
>>> step.deadline.isoformat(), step.documents
('2026-03-13T23:59:59+08:00', ('買受人同意紀錄（保存五年）', '收回紙本證明聯'))
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from einvoice.rules.correction_causes import Cause
from einvoice.rules.correction_rows import ISSUED, VOIDED, Situation
from einvoice.rules.correction_terms import Case, Decision, Do, Step

CONSENT = "買受人同意紀錄（保存五年）"
PAPER = "收回紙本證明聯"
PAPER_OR_COPY = "收回紙本證明聯，無法收回時留存影本"
APPROVAL = "稅捐稽徵機關核准專案作廢的公文"
CHAIN = "原發票、作廢或折讓紀錄與新發票的對應（保存五年）"
SELF_REPORT = "自動補報補繳的申報資料"


def void(situation: Situation, *, deadline: datetime | None = None) -> Step:
    """Void (作廢) it, until ``deadline`` where the plan sets an earlier one than the invoice's own."""
    return Step(Do.VOID, "", deadline=deadline or situation.void_deadline, documents=_papers(situation, PAPER))


def special_void(situation: Situation) -> Step:
    """Void it with the tax office's approval number (專案作廢); it has no day of ours."""
    return Step(Do.VOID, "", special=True, documents=(APPROVAL, *_papers(situation, PAPER)))


def allow(situation: Situation, amount_twd: int, purpose: str) -> Step:
    """Allow (折讓) an amount; possible in any period."""
    documents = _papers(situation, PAPER_OR_COPY)
    return Step(Do.ALLOW, "", amount_twd=amount_twd, purpose=purpose, documents=documents)


def void_allowances(situation: Situation) -> Step:
    """Void all its allowances (折讓作廢); the invoice's void comes next, so its deadline counts."""
    return Step(Do.VOID_ALLOWANCES, "", deadline=situation.void_deadline, documents=(CONSENT,))


def same_number(situation: Situation, *, deadline: datetime) -> Step:
    """Withdraw it and issue it again with its number (註銷重開)."""
    return Step(Do.SAME_NUMBER, "", deadline=deadline, documents=_papers(situation, PAPER))


def issue(*documents: str, deadline: datetime | None = None) -> Step:
    """Issue (開立) with a new number."""
    return Step(Do.ISSUE, "", deadline=deadline, documents=documents)


def _papers(situation: Situation, paper: str) -> tuple[str, ...]:
    return (CONSENT, paper) if situation.case.printed else (CONSENT,)


@dataclass(frozen=True, slots=True)
class _Upload:
    """What the ministry must have confirmed before a step, where the profile's ``upload_first`` names it."""

    name: str
    before: Do
    confirmed: Callable[[Case], bool]


_UPLOADS = (
    _Upload("void", Do.VOID, lambda case: case.invoice_confirmed),
    _Upload("void_after_allowances", Do.VOID, lambda case: not case.had_allowance or case.allowance_voids_confirmed),
    _Upload("same_number", Do.SAME_NUMBER, lambda case: case.invoice_confirmed),
    _Upload("allowance", Do.ALLOW, lambda case: case.invoice_confirmed),
    _Upload("allowance_void", Do.VOID_ALLOWANCES, lambda case: case.allowances_confirmed),
    _Upload("issue_after_void", Do.ISSUE, lambda case: case.state != VOIDED or case.void_confirmed),
    _Upload("issue_after_allowance", Do.ISSUE, lambda case: case.state != ISSUED or case.allowances_confirmed),
)
_UPLOAD_NAMES = frozenset(upload.name for upload in _UPLOADS)


def after_upload(decision: Decision, situation: Situation, *, row: str) -> Decision:
    """The decision, or (as ``row``) the wait for the ministry's answer that its first step needs.

    The remedy is chosen first, so that the wait carries the deadline that may pass meanwhile.
    """
    if unknown := situation.profile.upload_first - _UPLOAD_NAMES:
        raise ValueError(f"no such upload_first: {sorted(unknown)}")
    for upload in _UPLOADS:
        if (
            upload.before is decision.do
            and upload.name in situation.profile.upload_first
            and not upload.confirmed(situation.case)
        ):
            return _wait(decision, upload.name, row)
    return decision


def _wait(decision: Decision, upload: str, row: str) -> Decision:
    cause = Cause.NOT_UPLOADED
    return replace(
        decision,
        row=row,
        do=Do.WAIT,
        cause=cause.name,
        reason=cause.reason,
        message=cause.sentence,
        steps=(),
        parameters={**decision.parameters, "upload_first": upload, "waiting_row": decision.row},
        source="the centre's profile; Amego 3050131, 4050141; ezPay EZP_INVI LIB10009; ECPay 7918, 5070451",
    )
