"""What callers are answered (回覆內容), as models: only the published contract and its tests read these.

The functions build their answers as plain JSON values (``einvoice.edge.views``, ``einvoice.edge.http``); that every
answer fits these models is what ``tests/contract`` proves. A field without a default is in every answer.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from einvoice.application.heads import REPLACED
from einvoice.edge import texts
from einvoice.errors import Reason
from einvoice.model import CarrierKind, CustomsMark, TaxType
from einvoice.store.base import State


def _spelled(enum: type[StrEnum], words: dict[str, str]) -> str:
    return "；".join(f"`{one.value}` {words[one.value]}" for one in enum)


_INVOICE_STATES = [state.value for state in State if state is not State.WANTED] + [REPLACED]
InvoiceState = StrEnum("InvoiceState", [(name, name) for name in _INVOICE_STATES])  # type: ignore[misc] # the ledger's own
InvoiceState.__doc__ = f"State (狀態) of one invoice: {_spelled(InvoiceState, texts.STATES)}"
OrderState = StrEnum("OrderState", [(state.value, state.value) for state in State])  # type: ignore[misc] # the same
OrderState.__doc__ = f"State (狀態) of an order's newest invoice: {_spelled(OrderState, texts.STATES)}"
NextAction = StrEnum("NextAction", [(reason.value, reason.value) for reason in Reason])  # type: ignore[misc] # the same
NextAction.__doc__ = f"What to do next (下一步): {_spelled(NextAction, texts.NEXT_STEPS)}"


class Upload(StrEnum):
    """Upload to the ministry's platform (上傳財政部): none yet, on its way, confirmed, or refused by it."""

    NONE = "none"
    UPLOADING = "uploading"
    CONFIRMED = "confirmed"
    REFUSED = "refused"


Instant = Annotated[str, Field(description="RFC 3339, Taipei", json_schema_extra={"format": "date-time"})]
InvoiceId = Annotated[
    str,
    Field(pattern="^[A-Za-z0-9_-]+$", description="發票識別碼: opaque; names one generation of one order for ever"),
]
Code = Annotated[str, Field(pattern="^[A-Z0-9_]+$", description="Stable; new ones may be added (docs/api.md)")]
DecimalText = Annotated[str, Field(pattern=r"^-?[0-9]+(\.[0-9]+)?$")]


class _Told(BaseModel):
    model_config = ConfigDict(use_attribute_docstrings=True)


class Buyer(_Told):
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


class Carrier(_Told):
    """Carrier (載具)."""

    kind: CarrierKind
    number: str
    """載具號碼; empty for the member carrier"""


class Line(_Told):
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


class Content(_Told):
    """What the invoice says (發票內容) after normalisation; parts that are empty, zero or false are left out."""

    buyer: Buyer | None = None
    lines: list[Line] = []
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


class Refusal(_Told):
    """Why nothing was issued, or what the order waits for (拒絕原因)."""

    reason: NextAction
    cause: Code
    raw_code: str = ""
    """The centre's own code (加值中心代碼)"""
    raw_message: str = ""
    """The centre's own words (加值中心訊息)"""


class Attention(_Told):
    """A person has to decide (需要人員確認): both sides' values are kept, nothing goes on by itself."""

    cause: Code
    since: Instant
    ours: dict[str, str] = {}
    """What the order says, for the fields that differ, as text"""
    theirs: dict[str, str] = {}
    """What the centre holds, as text; its number, or its code and message, too"""
    differences: int = 0
    """How many fields differ; at most twenty are shown"""


class Void(_Told):
    """The void (作廢)."""

    reason: str | None
    """作廢原因"""
    at: Instant | None
    """When the void was certain; null for a number that lives on with another content (註銷重開)"""


class Invoice(_Told):
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
    effective: bool
    """Issued, and the ministry has confirmed it"""
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


class Want(_Told):
    """What the merchant wants though it cannot be done yet (待辦)."""

    kind: Literal["cancelled"]
    """The merchant cancelled the order"""
    reason: str
    """作廢原因"""
    at: Instant


class LogEntry(_Told):
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


class Order(_Told):
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
    log: list[LogEntry]
    """Oldest first; at least the last 60 entries"""


class PrintLink(_Told):
    """Where the invoice can be printed (列印證明聯)."""

    url: Annotated[str, Field(json_schema_extra={"format": "uri"})]
    """The centre's page; ECPay's works for an hour"""


class Health(_Told):
    """The API answers. It says nothing about any centre."""

    status: Literal["ok"]
    """Always `ok`"""


class Violation(_Told):
    """One part of the request to mend (需修正之處)."""

    code: Code
    path: str
    """Where: `lines[0].name`; empty for the body as a whole"""
    message: str
    """One sentence for the merchant's staff"""


class Problem(_Told):
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
    violations: list[Violation] = []
    """Every part to mend, at once; with code INVALID_REQUEST"""
    cause: Code | None = None
    """What is wrong with the merchant's settings; with code MERCHANT_UNUSABLE"""
    id: InvoiceId | None = None
    """With a definite refusal: the invoice that was not issued"""
    state: InvoiceState | None = None
    """With a definite refusal: its state"""
    invoice: Invoice | None = None
    """With a definite refusal: all of it"""


class GatewayMessage(_Told):
    """An answer of API Gateway itself: our functions did not answer, and there is no `code`."""

    message: str
    """A gateway's words, not for the merchant's staff"""
