"""What callers are answered (回覆內容), as models: only the published contract and its tests read these.

The functions build their answers as plain JSON values (``einvoice.edge.views``, ``einvoice.edge.http``); that every
answer fits these models is what ``tests/contract`` proves. A field without a default is in every answer.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, RootModel

from einvoice.model import CarrierKind, CustomsMark, TaxType
from tools.contract_corrections import Allowance, AllowanceWithLines, Correction, Decision, Facts
from tools.contract_values import (
    Code,
    DecimalText,
    Instant,
    InvoiceId,
    InvoiceState,
    NextAction,
    OrderState,
    Told,
    Upload,
    Void,
)


class Buyer(Told):
    """Buyer (買受人); empty parts are left out."""

    ubn: str = ""
    """統一編號, 8 digits; left out for a consumer"""
    name: str = ""
    """買受人名稱"""
    address: str = ""
    """地址"""
    email: str = ""
    """電子郵件"""
    phone: str = ""
    """電話"""
    ubn_override: str = ""
    """The reason a person gave for a 統編 whose check digit fails"""


class Carrier(Told):
    """Carrier (載具)."""

    kind: CarrierKind
    number: str
    """載具號碼; empty for the member carrier"""


class Line(Told):
    """Line (品項), tax-inclusive; empty parts are left out."""

    name: str = ""
    """品名"""
    quantity: DecimalText
    """數量, plain decimal text"""
    unit: str = ""
    """單位"""
    unit_price_twd: DecimalText
    """單價, plain decimal text"""
    amount_twd: int
    """金額, whole TWD"""
    tax_type: TaxType | None = None
    remark: str = ""
    """備註"""


class Content(Told):
    """What the invoice says (發票內容) after normalisation; parts that are empty, zero or false are left out."""

    buyer: Buyer | None = None
    lines: list[Line] = Field(default=[])
    """品項"""
    total_twd: int = 0
    """發票總額 (含稅), whole TWD"""
    tax_type: TaxType
    print: bool = False
    """索取紙本"""
    carrier: Carrier | None = None
    love_code: str = ""
    """捐贈碼"""
    customs_mark: CustomsMark | None = None
    zero_rate_reason: str = ""
    """零稅率原因 71–79"""
    special_tax_type: int = 0
    """特種稅額類別 1–8"""
    remark: str = ""
    """備註"""
    sold_on: str = ""
    """銷售日 (YYYY-MM-DD, Taipei)"""


class Refusal(Told):
    """Why nothing was issued, or what the order waits for (拒絕原因)."""

    reason: NextAction
    cause: Code
    raw_code: str = ""
    """The centre's own code (加值中心代碼)"""
    raw_message: str = ""
    """The centre's own words (加值中心訊息)"""


class Attention(Told):
    """A person has to decide (需要人員確認): both sides' values are kept, nothing goes on by itself."""

    cause: Code
    since: Instant
    ours: dict[str, str] = Field(default={})
    """What the order says, for the fields that differ, as text"""
    theirs: dict[str, str] = Field(default={})
    """What the centre holds, as text; its number, or its code and message, too"""
    differences: int = 0
    """How many fields differ; at most twenty are shown"""


class Invoice(Told):
    """One generation of an order's invoice (發票)."""

    id: InvoiceId
    source: str
    """Where the order id comes from"""
    order_id: str
    """訂單編號, exactly as given"""
    generation: int = Field(ge=1)
    """1 for the order's first invoice, one more for each that replaced it (第幾張)"""
    state: InvoiceState
    state_text: str
    """The state in words for the merchant's staff"""
    number: Annotated[str, Field(pattern="^[A-Z]{2}[0-9]{8}$")] | None
    """發票號碼"""
    issued_at: Instant | None
    """The centre's own instant (開立時間), Taipei"""
    random_code: Annotated[str, Field(pattern="^[0-9]{4}$")] | None
    """隨機碼"""
    period: Annotated[str, Field(pattern="^[0-9]{5}$")] | None
    """期別 of `issued_at`: ROC year and the period's even month, `11502`"""
    total_twd: int | None
    """發票總額 (含稅); null where an unlawful order without a total came through the queue"""
    relate_number: Annotated[str, Field(pattern="^[A-Z2-7]{20}$")]
    """自訂編號 at the centre, derived from the order: the same for ever"""
    provider: str | None
    """加值中心; null where nothing was ever sent"""
    upload: Upload
    remaining_twd: int | None
    """What of the invoice was not allowed (尚未折讓的餘額); null where there is no living one"""
    effective: bool
    """Issued, and the ministry has confirmed it and everything that made room for it"""
    cause: Code | None
    """Why it is where it is; null where there is nothing to say"""
    next_action: NextAction | None
    next_step: str | None
    """`next_action` in words for the merchant's staff"""
    refusal: Refusal | None
    attention: Attention | None
    void: Void | None
    replaces: InvoiceId | None
    """The invoice this one replaced (原發票)"""
    replaced_by: InvoiceId | None
    """The invoice that replaced this one (新發票); its own id where the number lives on with another content"""


class InvoiceWithContent(Invoice):
    """One generation of an order's invoice (發票) with buyer and lines."""

    content: Content


class Want(Told):
    """What the merchant wants though it cannot be done yet (待辦)."""

    kind: Literal["cancelled"]
    """The merchant cancelled the order"""
    reason: str
    """作廢原因"""
    at: Instant


class Corrected(Told):
    """What became of a correction (更正結果)."""

    correction: Correction
    source: str
    """Where the order id comes from"""
    order_id: str
    """訂單編號, exactly as given"""
    invoice: Invoice | None
    """The order's newest invoice; null where it never had one"""
    allowances: list[Allowance]
    """All of the order's, oldest first; that of this request is the last with its `refund_id`"""


class Preview(Told):
    """What would be done (預覽): nothing was changed or sent."""

    dry_run: Literal[True]
    """Always true"""
    decision: Decision


class CorrectedOrPreview(RootModel[Corrected | Preview]):
    """What became of a correction, or with `dry_run` what would."""


class CentreNotice(RootModel[dict[str, str]]):
    """The centre's form (加值中心的回呼): fields of its own, with a check value over them."""


class CentreAnswer(RootModel[Literal["1|OK", "0|NOT_OURS", "0|LATER"]]):
    """What the centre hears (對加值中心的回覆)."""


class Filing(Told):
    """A period that was filed (已申報的期別)."""

    period: Annotated[str, Field(pattern="^[0-9]{5}$")]
    """期別, as given"""
    filed_at: Instant
    """As first told"""


class LogEntry(Told):
    """One entry of the order's log (訂單紀錄)."""

    at: Instant
    event: Annotated[str, Field(pattern="^[a-z_]+$")]
    """Stable name of what happened; new ones may be added"""
    text: str
    """One sentence for the merchant's staff"""
    next_step: str | None
    """What to do about it; null where nothing has to be done"""
    number: str | None
    """發票號碼"""
    cause: Annotated[str, Field(pattern="^[A-Z0-9_]+(, [A-Z0-9_]+)*$")] | None
    """Why, or every rule that was broken; null where there is nothing to say"""


class Order(Told):
    """An order (訂單) with every invoice it ever had and the last entries of its log."""

    source: str
    """Where the order id comes from"""
    order_id: str
    """訂單編號, exactly as given"""
    state: OrderState
    state_text: str
    """The state in words for the merchant's staff"""
    want: Want | None
    attention: Attention | None
    invoices: list[InvoiceWithContent]
    """Oldest first; the last one is the current one. Empty where only a cancellation was ever heard of"""
    allowances: list[AllowanceWithLines]
    """折讓單 of all the order's invoices, oldest first"""
    corrections: list[Correction]
    """更正 asked for, oldest first"""
    facts: Facts
    """What people recorded (事實)"""
    log: list[LogEntry]
    """Oldest first; at least the last 60 entries"""


class PrintLink(Told):
    """Where the invoice can be printed (列印證明聯)."""

    url: Annotated[str, Field(json_schema_extra={"format": "uri"})]
    """The centre's page; ECPay's works for an hour"""


class Health(Told):
    """The API answers. It says nothing about any centre."""

    status: Literal["ok"]
    """Always `ok`"""


class Violation(Told):
    """One part of the request to mend (需修正之處)."""

    code: Code
    path: str
    """Where: `lines[0].name`; empty for the body as a whole"""
    message: str
    """One sentence for the merchant's staff"""


class Problem(Told):
    """A problem document (RFC 9457)."""

    type: Annotated[str, Field(json_schema_extra={"format": "uri"})]
    """`urn:einvoice:problem:` and the code in lower case"""
    title: Code
    """The code"""
    status: int = Field(ge=400, le=599)
    """As the HTTP status"""
    detail: str
    """One sentence for the merchant's staff"""
    code: Code
    """Stable; new ones may be added: act on `next_action`"""
    next_action: NextAction
    next_step: str
    """`next_action` in words for the merchant's staff"""
    violations: list[Violation] = Field(default=[])
    """Every part to mend, at once; with code INVALID_REQUEST"""
    cause: Code | None = None
    """What is wrong with the merchant's settings; with code MERCHANT_UNUSABLE"""
    id: InvoiceId | None = None
    """With a definite refusal: the invoice that was not issued"""
    state: InvoiceState | None = None
    """With a definite refusal: its state"""
    invoice: Invoice | None = None
    """With a definite refusal: all of it. With a stopped correction: the order's newest"""
    correction: Correction | None = None
    """With a stopped correction: how far it came"""
    source: str = ""
    """With a stopped correction: where the order id comes from"""
    order_id: str = ""
    """With a stopped correction: 訂單編號"""
    allowances: list[Allowance] = Field(default=[])
    """With a stopped correction: the order's"""


class GatewayMessage(Told):
    """An answer of API Gateway itself: our functions did not answer, and there is no `code`."""

    message: str
    """A gateway's words, not for the merchant's staff"""
