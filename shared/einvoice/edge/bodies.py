"""The bodies callers send (請求內容), parsed strictly: every wrong type, unknown or missing field is named at once.

Whether the content is lawful is the rules' business; here it only has to be readable.
"""

from __future__ import annotations

import json
import re
from decimal import Decimal
from typing import Annotated, Any, Literal, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
    WithJsonSchema,
)
from pydantic_core import ErrorDetails, PydanticCustomError

from einvoice.errors import InvalidRequest, Violation
from einvoice.identity import MAX_ORDER_ID_CHARS
from einvoice.model import Buyer, Carrier, CarrierKind, CustomsMark, Line, Order, TaxType

MAX_BODY_BYTES = 262_144
MAX_LINES = 5_000  # far beyond any centre's limit, which the rules name
MAX_DIGITS = 40  # the same; what is written out in full must not be as long as an exponent can make it
NUMBER_TEXT = r"^-?[0-9]{1,20}(\.[0-9]{1,20})?$"  # no exponent, blanks or full-width digits, as Decimal takes


_NUMBER_TEXT = re.compile(NUMBER_TEXT)
_NUMBER_SCHEMA = {"anyOf": [{"type": "number"}, {"type": "string", "pattern": NUMBER_TEXT}]}


def _decimal(value: object) -> object:
    """Numbers may come as JSON numbers or as text; a number that was read as binary float would already be wrong."""
    if isinstance(value, bool) or not isinstance(value, (int, str, Decimal)):
        raise ValueError("not a decimal")  # noqa: TRY004 — pydantic turns ValueError, not TypeError, into a violation
    if isinstance(value, str) and not _NUMBER_TEXT.fullmatch(value):
        raise PydanticCustomError("decimal_parsing", "not a decimal")
    return value


def _bounded(value: Decimal) -> Decimal:
    _, digits, exponent = value.as_tuple()
    if not isinstance(exponent, int) or len(digits) > MAX_DIGITS or abs(exponent) > MAX_DIGITS:
        raise ValueError("not a number of an order's size")
    return value


Number = Annotated[
    Decimal,
    BeforeValidator(_decimal),
    AfterValidator(_bounded),
    Field(strict=False),
    WithJsonSchema(_NUMBER_SCHEMA),
]


Text = Annotated[str, StringConstraints(max_length=4000)]
OrderId = Annotated[str, StringConstraints(min_length=1, max_length=MAX_ORDER_ID_CHARS, pattern=r"^[^\x00-\x1f\x7f]+$")]
Source = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{0,29}$")]


class Body(BaseModel):
    """Base of every body: strict, and no field that is not known."""

    model_config = ConfigDict(extra="forbid", strict=True, defer_build=True, frozen=True)


class BuyerBody(Body):
    """Buyer (買受人)."""

    ubn: Text = ""
    name: Text = ""
    address: Text = ""
    email: Text = ""
    phone: Text = ""
    ubn_override: Text = Field(default="", description="統編檢查碼不符但經人員確認無誤時的理由")


class CarrierBody(Body):
    """Carrier (載具)."""

    kind: Annotated[CarrierKind, Field(strict=False)]
    number: Text = ""


class LineBody(Body):
    """Line (品項); tax-inclusive. A discount is a line with negative price and amount."""

    name: Text
    quantity: Number
    unit_price_twd: Number
    amount_twd: int
    unit: Text = "式"
    tax_type: Annotated[TaxType | None, Field(strict=False)] = None
    remark: Text = ""


class ContentBody(Body):
    """What the invoice says (發票內容)."""

    buyer: BuyerBody = BuyerBody.model_construct()
    lines: Annotated[list[LineBody], Field(max_length=MAX_LINES)]
    total_twd: int
    tax_type: Annotated[TaxType, Field(strict=False)] = TaxType.TAXABLE
    print_paper: bool = Field(default=False, alias="print")
    carrier: CarrierBody | None = None
    love_code: Text = ""
    customs_mark: Annotated[CustomsMark | None, Field(strict=False)] = None
    zero_rate_reason: Text = ""
    special_tax_type: int = 0
    remark: Text = ""
    sold_on: Text = Field(default="", description="銷售日 YYYY-MM-DD（台北）；未給則為收到請求之日")

    def order(self) -> Order:
        """As the rules know it."""
        return Order(
            buyer=Buyer(**self.buyer.model_dump()),
            lines=tuple(Line(**line.model_dump()) for line in self.lines),
            total_twd=self.total_twd,
            tax_type=self.tax_type,
            print_paper=self.print_paper,
            carrier=Carrier(self.carrier.kind, self.carrier.number) if self.carrier else None,
            love_code=self.love_code,
            customs_mark=self.customs_mark,
            zero_rate_reason=self.zero_rate_reason,
            special_tax_type=self.special_tax_type,
            remark=self.remark,
            sold_on=self.sold_on,
        )


class IssueBody(ContentBody):
    """POST /v1/invoices."""

    order_id: OrderId
    source: Source = "api"
    late_reason: Text = Field(default="", description="銷售期別已過而仍要開立時，由人員填寫的理由")


class VoidBody(Body):
    """POST /v1/invoices/{id}/void."""

    reason: Text


class CorrectionsBody(Body):
    """What a reissue changes; a part given as null is removed, ``buyer`` is laid over part by part."""

    buyer: BuyerBody | None = None
    lines: Annotated[list[LineBody] | None, Field(max_length=MAX_LINES)] = None
    total_twd: int | None = None
    tax_type: Annotated[TaxType | None, Field(strict=False)] = None
    print_paper: bool | None = Field(default=None, alias="print")
    carrier: CarrierBody | None = None
    love_code: Text | None = None
    customs_mark: Annotated[CustomsMark | None, Field(strict=False)] = None
    zero_rate_reason: Text | None = None
    special_tax_type: int | None = None
    remark: Text | None = None

    def given(self) -> dict[str, Any]:
        """Only what the caller named, as JSON values in the ledger's spelling."""
        given = json.loads(self.model_dump_json(by_alias=True, exclude_unset=True))
        for line in given.get("lines") or []:
            line.setdefault("unit", "式")
        if given.get("carrier"):
            given["carrier"].setdefault("number", "")  # a member carrier has none
        for required in ("lines", "total_twd", "tax_type"):
            if required in given and given[required] is None:
                raise InvalidRequest([violation("REQUIRED", f"corrections.{required}")])
        return dict(given)


class ReissueBody(Body):
    """POST /v1/invoices/{id}/reissue."""

    reason: Text
    corrections: CorrectionsBody = CorrectionsBody.model_construct()
    mode: Literal["new_number", "same_number"] = "new_number"
    order_total_twd: int | None = Field(default=None, description="訂單實際交易金額，與原發票金額不同時填寫")


class Message(Body):
    """Base of every queue message: whose it is, and the key that repeats carry."""

    merchant_id: Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{1,39}$")]
    idempotency_key: Annotated[str, StringConstraints(max_length=200)] = ""


class IssueMessage(Message, IssueBody):
    """A message of the issue queue."""

    command: Literal["issue"]


class InvoiceMessage(Message):
    """Names the invoice, or the order whose living invoice is meant."""

    invoice_id: Text = ""
    source: Source = "api"
    order_id: Annotated[str, StringConstraints(max_length=MAX_ORDER_ID_CHARS)] = ""


class VoidMessage(InvoiceMessage, VoidBody):
    """A message of the void queue."""

    command: Literal["void"]


class ReissueMessage(InvoiceMessage, ReissueBody):
    """A message of the reissue queue."""

    command: Literal["reissue"]


B = TypeVar("B", bound=BaseModel)

_CODES = {
    "missing": "REQUIRED",
    "extra_forbidden": "UNKNOWN_FIELD",
    "string_too_long": "TOO_LONG",
    "string_too_short": "REQUIRED",
    "too_long": "TOO_MANY",
    "enum": "NOT_ALLOWED",
    "literal_error": "NOT_ALLOWED",
    "string_pattern_mismatch": "BAD_FORMAT",
    "greater_than_equal": "TOO_SMALL",
    "decimal_parsing": "NOT_A_NUMBER",
    "finite_number": "NOT_A_NUMBER",
    "value_error": "NOT_A_NUMBER",
    "one_way": "ONE_WAY",
    "refund_missing": "REFUND_MISSING",
    "refund_id_missing": "REFUND_ID_MISSING",
    "other_goal": "OTHER_GOAL",
    "bad_day": "BAD_DAY",
}
_FIELDS = {"refund_missing": "refund", "refund_id_missing": "refund_id"}  # what a rule about the whole body is about
_SENTENCES = {
    "REQUIRED": "缺少必填欄位",
    "UNKNOWN_FIELD": "沒有這個欄位，請確認欄位名稱",
    "TOO_LONG": "內容過長",
    "TOO_MANY": "筆數過多",
    "NOT_ALLOWED": "不是可用的值",
    "BAD_FORMAT": "格式不符（不可為空、不可含控制字元、前後不可有空白）",
    "NOT_A_NUMBER": "不是可用的數字",
    "TOO_SMALL": "金額過小，請確認（訂單金額至少 1 元，累計退款金額不可為負數）",
    "WRONG_TYPE": "資料型別不符",
    "NOT_JSON": "內容不是正確的 JSON 物件（UTF-8，欄位不可重複）",
    "BODY_TOO_LARGE": "內容超過 256 KB 的上限",
    "ONE_WAY": "請只填寫一種退款方式：amount_twd、lines（每項擇一填寫 quantity 或 amount_twd）或 refunded_total_twd",
    "REFUND_MISSING": "goal 為 refund 時必須填寫 refund",
    "REFUND_ID_MISSING": "goal 為 refund 時必須填寫 refund_id（每一筆退款各一個，永久有效）",
    "OTHER_GOAL": "這個欄位不屬於所填的 goal，請移除或更正 goal",
    "BAD_DAY": "須為存在的日期，格式為 YYYY-MM-DD",
}


def parse(model: type[B], raw: bytes) -> B:
    """The body as ``model``. Raises InvalidRequest naming every unreadable part; never repeats the caller's values."""
    if len(raw) > MAX_BODY_BYTES:
        raise InvalidRequest([violation("BODY_TOO_LARGE", "")])
    try:
        values = json.loads(
            raw.decode("utf-8"), parse_float=Decimal, parse_constant=_no_constant, object_pairs_hook=_unique
        )
    except (ValueError, ArithmeticError, RecursionError) as error:  # ArithmeticError: an exponent beyond all decimals
        raise InvalidRequest([violation("NOT_JSON", "")]) from error
    if not isinstance(values, dict):
        raise InvalidRequest([violation("NOT_JSON", "")])
    try:
        return model.model_validate(values)
    except ValidationError as error:
        found = error.errors(include_url=False, include_input=False)
        # pydantic's own text repeats the input, which may be personal data
        raise InvalidRequest([_violation_of(one) for one in found]) from None


def _violation_of(error: ErrorDetails) -> Violation:
    kind = error["type"]
    field = _FIELDS.get(kind) or (error["ctx"]["field"] if kind == "other_goal" else "")
    return violation(_CODES.get(kind, "WRONG_TYPE"), _path((*error["loc"], field) if field else error["loc"]))


def violation(code: str, path: str) -> Violation:
    """One unreadable part of a body."""
    return Violation(code, path, _SENTENCES[code])


def _path(location: tuple[int | str, ...]) -> str:
    path = ""
    for part in location:
        path += f"[{part}]" if isinstance(part, int) else f".{part}"
    # an unknown field's name is the caller's own: half a surrogate pair in it could not be answered as UTF-8
    return path.removeprefix(".")[:200].encode("utf-8", "replace").decode("utf-8")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object in which no name comes twice: which of two totals was meant, nobody can say."""
    values = dict(pairs)
    if len(values) != len(pairs):
        raise ValueError("a name comes twice")
    return values


def _no_constant(name: str) -> object:
    raise ValueError(name)
