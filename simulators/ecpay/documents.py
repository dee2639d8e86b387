"""The documents (單據) the simulator keeps: invoices, allowances, and what waits to become one of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Literal


@dataclass(frozen=True, slots=True)
class Line:
    """One line (商品明細) of an invoice or an allowance."""

    seq: int
    name: str
    count: Decimal
    word: str
    price: Decimal
    tax_type: str
    amount: Decimal
    remark: str = ""


@dataclass(frozen=True, slots=True)
class Content:
    """What was asked to be issued, parsed and found legal."""

    relate: str
    customer_id: str
    ubn: str
    name: str
    address: str
    phone: str
    email: str
    clearance_mark: str
    print_flag: str
    donation: str
    love_code: str
    carrier_type: str
    carrier_number: str
    carrier_number_2: str
    tax_type: str
    zero_tax_reason: str
    special_tax_type: int
    sales_twd: int
    tax_twd: int | None
    remark: str
    inv_type: str
    vat: str
    product_service_id: str
    channel_partner: str
    lines: tuple[Line, ...]


@dataclass(slots=True)
class Invoice:
    """One invoice (發票) and what became of it."""

    merchant_id: str
    number: str
    created: datetime
    random: str
    content: Content
    visible_at: datetime  # queries do not see it earlier (fault ``read_lag``)
    voided: datetime | None = None
    void_reason: str = ""
    reissued: datetime | None = None
    upload_failed: bool = False
    printed: bool = False  # InvoicePrint gave out an address
    award: int | None = None  # IIS_Award_Type: None before the draw, 0 for no prize, 1 to 12
    former: list[Content] = field(default_factory=list)  # contents withdrawn by 註銷重開, oldest first
    allowances: list[Allowance] = field(default_factory=list, repr=False)
    requests: list[AllowanceRequest] = field(default_factory=list, repr=False)

    @property
    def relate(self) -> str:
        """The RelateNumber it was first issued under; a re-issue does not change it."""
        return (self.former or [self.content])[0].relate

    @property
    def live_allowances(self) -> list[Allowance]:
        """Allowances that were not voided."""
        return [allowance for allowance in self.allowances if allowance.voided is None]

    @property
    def reserved_twd(self) -> int:
        """What online allowances waiting for the buyer hold back."""
        return sum(request.allowance.amount_twd for request in self.requests if request.state == "waiting")

    @property
    def allowed_twd(self) -> int:
        """What allowances in force take away."""
        return sum(allowance.amount_twd for allowance in self.live_allowances)

    @property
    def remaining_twd(self) -> int:
        """What can still be allowed (剩餘可折讓金額)."""
        return self.content.sales_twd - self.allowed_twd - self.reserved_twd

    def remaining_seen_twd(self, now: datetime) -> int:
        """The same as queries see it: without allowances hidden from them (fault ``read_lag``)."""
        return self.remaining_twd + sum(one.amount_twd for one in self.live_allowances if one.visible_at > now)


@dataclass(slots=True)
class Allowance:
    """One allowance (折讓單): of paper, or agreed to online; in force from ``created``."""

    invoice: Invoice
    number: str
    created: datetime
    amount_twd: int
    tax_twd: int
    lines: tuple[Line, ...]
    notify: str
    mail: str
    phone: str
    customer: str
    visible_at: datetime  # queries do not see it earlier (fault ``read_lag``)
    voided: datetime | None = None
    void_reason: str = ""

    @property
    def invoice_no(self) -> str:
        """The number of its invoice."""
        return self.invoice.number


@dataclass(slots=True)
class AllowanceRequest:
    """An allowance the buyer is asked to agree to (線上折讓); only then it is one, under the same number."""

    allowance: Allowance
    asked: datetime
    expires: datetime
    return_url: str
    state: Literal["waiting", "agreed", "cancelled", "expired"] = "waiting"


@dataclass(slots=True)
class Delayed:
    """An order to issue later (延遲開立) or when told to (觸發開立). ``tsr`` is its key.

    ``issue_at`` is None as long as a trigger is awaited. ``failure`` is the RtnCode that kept it from being issued.
    """

    merchant_id: str
    tsr: str
    content: Content
    waits_for_trigger: bool
    delay_days: int
    notify_url: str
    issue_at: datetime | None
    state: Literal["waiting", "issued", "cancelled", "failed"] = "waiting"
    invoice: Invoice | None = None
    failure: int | None = None


@dataclass(frozen=True, slots=True)
class Notification:
    """One InvoiceNotify (發送通知) that was accepted; the addresses are not kept."""

    at: datetime
    merchant_id: str
    invoice_no: str
    allowance_no: str
    tag: str
    notify: str
    notified: str


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try to deliver a callback. ``status`` is None where no HTTP answer came."""

    at: datetime
    status: int | None
    answer: str


@dataclass(slots=True)
class Callback:
    """One form ECPay posts to the merchant. ``op`` is the operation that asked for it; ``forged``: not ECPay's."""

    number: int
    op: str
    merchant_id: str
    relate: str
    invoice_no: str
    url: str
    form: dict[str, str]
    forged: bool = False
    state: Literal["waiting", "delivered", "given up", "not sent"] = "waiting"
    reason: str = ""  # why it was not sent
    attempts: list[Attempt] = field(default_factory=list)
