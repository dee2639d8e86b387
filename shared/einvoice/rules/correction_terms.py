"""What a correction (更正：作廢、折讓、再次開立) is asked with and answered with: plain values, amounts tax-inclusive.

>>> Do.VOID_ALLOWANCES.value, Step(Do.ALLOW, "F16", amount_twd=300, purpose=REFUND).amount_twd
('void_allowances', 300)
>>> Case("ISSUED", total_twd=1050, allowed_twd=300).remaining_twd
750
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum, auto

from einvoice.errors import Reason
from einvoice.model import TaxType

# What an allowance is for: only one for a re-issue opens the way to a new invoice.
REFUND = "refund"
REISSUE = "reissue"


class Do(StrEnum):
    """One step, or the verdict that there is none (處理方式)."""

    NOTHING = auto()  # there is nothing to undo
    VOID = auto()  # 作廢
    ALLOW = auto()  # 折讓
    VOID_ALLOWANCES = auto()  # 折讓作廢
    ISSUE = auto()  # 開立新號碼
    SAME_NUMBER = auto()  # 註銷重開
    WAIT = auto()  # decide again when something else is settled
    HOLD = auto()  # decide again when the merchant brought what is missing
    REFUSE = auto()
    REVIEW = auto()  # a person decides: ``Case.person_ok``


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a plan. ``deadline``: the last second in which it is possible, None if there is none."""

    do: Do
    rule: str  # the row that asks for it
    amount_twd: int = 0  # of ALLOW
    purpose: str = ""  # of ALLOW: REFUND or REISSUE
    special: bool = False  # VOID with the tax office's approval number (專案作廢)
    deadline: datetime | None = None
    documents: tuple[str, ...] = ()  # what the merchant must keep or recover for it, in Chinese


@dataclass(frozen=True, slots=True)
class Decision:
    """Which row of the tables matched, what follows from it, and why.

    ``steps`` is the whole plan from here; only the first is sure, the others are decided anew when their turn comes.
    It is empty for NOTHING, WAIT, HOLD, REFUSE and REVIEW. ``deadline``: the last second in which the first step, or
    the one that is waited for, is possible. ``parameters`` are JSON values by name; days and instants are ISO text.
    """

    row: str
    do: Do
    cause: str
    reason: Reason
    message: str
    steps: tuple[Step, ...]
    parameters: dict[str, object]
    source: str
    deadline: datetime | None = None


@dataclass(frozen=True, slots=True)
class Case:
    """What the ledger knows of an order and its youngest invoice. ``state`` is the ledger's by name."""

    state: str
    total_twd: int = 0
    issued_on: date | None = None  # the invoice's day in Taipei; needed once there is an invoice
    sold_period: str = ""  # key of the sale's period, for an order without an invoice
    allowed_twd: int = 0  # live allowances of this invoice and those under way
    reissue_allowed: bool = False  # nothing remains, and a live allowance was made for a re-issue
    had_allowance: bool = False  # ever, also one that is void now
    refunded_twd: int = 0  # refunds of the order, over all its invoices
    # what the ministry has confirmed (上傳成功)
    invoice_confirmed: bool = False
    void_confirmed: bool = False
    allowances_confirmed: bool = True
    allowance_voids_confirmed: bool = True
    asked: bool = False  # an allowance waits for the buyer's click (線上折讓)
    business: bool = False
    government: bool = False
    printed: bool = False
    donated: bool = False
    claimed: bool = False  # the business buyer has deducted the tax (已申報扣抵)
    redeemed: bool = False  # a prize was paid out on it (已兌獎)
    consent: bool = False  # the buyer's consent is on record
    paper_back: bool = False
    filed: bool = False  # the period, or month, of the invoice was filed (已申報)
    approval_no: str = ""  # the tax office's number for a special void (專案作廢核准文號)
    person_ok: bool = False  # a person approved what REVIEW asks for

    @property
    def remaining_twd(self) -> int:
        """What of the invoice is not allowed."""
        return self.total_twd - self.allowed_twd


@dataclass(frozen=True, slots=True)
class Change:
    """The invoice that is wanted instead. ``order_total_twd``: what the buyer agreed to pay, before any refund."""

    new_total_twd: int
    order_total_twd: int
    business: bool  # the new buyer has a 統一編號
    tax_type: TaxType
    corrected: bool  # something differs from the invoice that stands
    same_number: bool = False  # asks for 註銷重開; only then the next two matter
    same_buyer_and_amount: bool = False
    issued_at: str = ""  # RFC 3339, the centre's own
    numbers_left: int | None = None  # None: not known
    duplicate: bool = False  # issued by mistake a second time: it goes, and nothing takes its place
