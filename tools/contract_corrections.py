"""Corrections and allowances (更正與折讓) as callers are answered, as models: see ``contract_models``."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from einvoice.model import TaxType
from tools.contract_values import (
    AllowanceId,
    AllowanceState,
    Causes,
    Code,
    DecimalText,
    Goal,
    Instant,
    InvoiceId,
    NextAction,
    PlanState,
    StepKind,
    Told,
    Upload,
    Void,
)


class AllowanceLine(Told):
    """What an allowance takes from one line of its invoice (折讓品項), tax-inclusive."""

    line: int
    """The invoice's line, from 1"""
    name: str
    """品名; says of how many pieces, or that it is a part of the amount, where quantity and price cannot"""
    quantity: DecimalText
    """數量, plain decimal text"""
    unit: str
    """單位"""
    unit_price_twd: DecimalText
    """單價, plain decimal text"""
    amount_twd: int
    """金額, whole TWD"""
    tax_type: TaxType


class Allowance(Told):
    """One allowance (折讓單) of an order."""

    id: AllowanceId
    invoice: InvoiceId
    """The invoice it takes from"""
    state: AllowanceState
    state_text: str
    """The state in words for the merchant's staff"""
    number: str | None
    """折讓單號碼; null until there is one"""
    allowed_at: Instant | None
    """The centre's own instant (折讓時間), Taipei"""
    amount_twd: int
    """折讓金額 (含稅)"""
    tax_twd: int | None
    """The tax in it (稅額), where it is ours to say or the centre told it"""
    purpose: Literal["refund", "reissue"]
    """`refund`: money goes back. `reissue`: the invoice is emptied so that a corrected one may take its place"""
    refund_id: str | None
    """退款編號, as given"""
    upload: Upload
    effective: bool
    """It lives, and the ministry has confirmed it"""
    expires_at: Instant | None
    """Until when the buyer may agree (線上折讓); null where nobody was asked"""
    reason: str | None
    """折讓原因"""
    void: Void | None


class AllowanceWithLines(Allowance):
    """One allowance (折讓單) of an order with its lines."""

    lines: list[AllowanceLine]
    """品項"""


class Fact(Told):
    """A fact that was recorded (事實), kept as evidence."""

    note: str = ""
    """Where its proof is kept"""
    value: str = ""
    """Its value: a number, or a day (YYYY-MM-DD)"""
    at: Instant
    by: str
    """Who recorded it: the id of the key that was used, or `queue`"""


class Facts(Told):
    """What is known of an order beside its invoice; those that nobody recorded are left out."""

    consent: Fact | None = None
    """買受人同意; used up by the correction it was given for"""
    paper_back: Fact | None = None
    """紙本證明聯已收回"""
    claimed: Fact | None = None
    """買受人已申報扣抵"""
    redeemed: Fact | None = None
    """已兌領獎金"""
    government: Fact | None = None
    """買受人為政府機關"""
    approval_no: Fact | None = None
    """國稅局核准專案作廢的文號"""
    person_ok: Fact | None = None
    """人員核准"""
    paid_on: Fact | None = None
    """付款日"""
    shipped_on: Fact | None = None
    """出貨日"""


class Step(Told):
    """One step of what is decided (處理步驟); parts without a meaning for it are left out."""

    do: StepKind
    text: str
    """The step in words for the merchant's staff"""
    rule: str
    """The row of the decision tables that asks for it (docs/rules.md)"""
    amount_twd: int = 0
    """Of an allowance: its sum"""
    purpose: Literal["refund", "reissue"] | None = None
    """Of an allowance: as the allowance has it"""
    special: bool = False
    """A void with the tax office's approval number (專案作廢)"""
    deadline: Instant | None = None
    """The last second in which it is possible"""
    documents: list[str] = Field(default=[])
    """What the merchant must keep or recover for it"""


class Decision(Told):
    """What the rules make of a correction now (判斷), with why and by which source."""

    row: str
    """The row of the decision tables that decided (docs/rules.md)"""
    do: StepKind
    cause: Code
    """Its cause (docs/rules.md)"""
    reason: NextAction
    message: str
    """The cause in words for the merchant's staff"""
    next_step: str
    """`reason` in words for the merchant's staff"""
    steps: list[Step]
    """The whole way from here. Only the first is sure: each later one is decided anew when its turn comes"""
    parameters: dict[str, Any]
    """What the row looked at, by name"""
    source: str
    """The law, or the centre's page, that it follows"""
    deadline: Instant | None
    """The last second in which the first step, or what is waited for, is possible"""


class Correction(Told):
    """One correction (更正): what was wanted, where it stands and why."""

    id: int = Field(ge=0)
    """Of this order: 1, 2, …; 0 where there was nothing to do, so that nothing was kept"""
    goal: Goal
    status: PlanState
    status_text: str
    """The status in words for the merchant's staff"""
    refund_id: str | None
    """退款編號, as given"""
    amount_twd: int | None
    """The sum of its newest allowance"""
    generation: int
    """Which of the order's invoices it was made for (第幾張)"""
    reason: str
    """原因, as given"""
    at: Instant
    ended_at: Instant | None
    """When it was done, or stopped"""
    waits_for: Code | None
    """What an open one waits for; null where it goes on at once"""
    cause: Causes | None
    """Why it was stopped, or why nothing had to be done"""
    consent: Fact | None
    """The consent that it used"""
    decision: Decision | None
    """The newest; null where none was made yet"""
