"""The bodies of corrections (更正的請求內容): refunds, facts, allowances, filings.

Apart from ``bodies``, whose models every function builds when it starts.
"""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from einvoice.edge.bodies import MAX_LINES, Body, CorrectionsBody, InvoiceMessage, Number, Text


def _day(value: str) -> str:
    try:
        if date.fromisoformat(value).isoformat() == value:
            return value
    except ValueError:
        pass  # the same as a day that is written otherwise
    raise PydanticCustomError("bad_day", "not a day")


#: a name others gave, compared letter by letter: a blank at its end that one system drops would make it another one
PLAIN = r"^[^\s\x00-\x1f\x7f-\x9f]([^\x00-\x1f\x7f-\x9f]*[^\s\x00-\x1f\x7f-\x9f])?$"
RefundId = Annotated[str, StringConstraints(min_length=1, max_length=100, pattern=PLAIN)]
Email = Annotated[str, StringConstraints(max_length=80)]  # that it is one address, the rules say
Day = Annotated[
    str, AfterValidator(_day), Field(json_schema_extra={"format": "date", "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"})
]


class RefundLineBody(Body):
    """What a refund takes from one line of the invoice: some of its pieces, or a sum."""

    line: int = Field(description="發票品項序號，從 1 開始")
    quantity: Number | None = None
    amount_twd: int | None = None

    @model_validator(mode="after")
    def _one_way(self) -> RefundLineBody:
        if (self.quantity is None) == (self.amount_twd is None):
            raise PydanticCustomError("one_way", "quantity or amount_twd")
        return self


class _RefundPart(Body):
    amount_twd: int | None = Field(default=None, description="退款金額（含稅），分攤到尚有餘額的各品項")
    lines: Annotated[list[RefundLineBody], Field(max_length=MAX_LINES)] | None = None
    refunded_total_twd: int | None = Field(
        default=None, ge=0, description="訂單至今累計退款金額；只折讓尚未折讓的差額"
    )

    def wanted(self) -> dict[str, Any]:
        """Only what was given, as the ledger keeps it."""
        part = self.model_dump(mode="json", include=set(_WAYS), exclude_none=True)
        return {name: part[name] for name in _WAYS if name in part}


_WAYS = ("amount_twd", "lines", "refunded_total_twd")


def _one_of_three(values: _RefundPart) -> None:
    if sum(getattr(values, name) is not None for name in _WAYS) != 1:
        raise PydanticCustomError("one_way", "exactly one of amount_twd, lines, refunded_total_twd")


class RefundBody(_RefundPart):
    """What is given back, in exactly one of three ways."""

    @model_validator(mode="after")
    def _one_way(self) -> RefundBody:
        _one_of_three(self)
        return self


class NoteBody(Body):
    """A fact (事實), and where its proof is kept."""

    note: Annotated[str, StringConstraints(max_length=200)] = ""


class ValueBody(NoteBody):
    """A fact with a value of its own."""

    value: Annotated[str, StringConstraints(min_length=1, max_length=60, pattern=PLAIN)]


class DayBody(NoteBody):
    """A fact that is a day."""

    value: Day


class FactsBody(Body):
    """What is known of an order beside its invoice; null takes a fact back. Kept as evidence, with who and when."""

    consent: NoteBody | None = Field(default=None, description="買受人同意作廢或折讓；每次更正各需一次")
    paper_back: NoteBody | None = Field(default=None, description="紙本證明聯已收回")
    claimed: NoteBody | None = Field(default=None, description="買受人已申報扣抵")
    redeemed: NoteBody | None = Field(default=None, description="已兌領獎金")
    government: NoteBody | None = Field(default=None, description="買受人為政府機關")
    approval_no: ValueBody | None = Field(default=None, description="國稅局核准專案作廢的文號")
    person_ok: NoteBody | None = Field(default=None, description="人員核准逾期或跨期的處理")
    paid_on: DayBody | None = Field(default=None, description="付款日 YYYY-MM-DD")
    shipped_on: DayBody | None = Field(default=None, description="出貨日 YYYY-MM-DD")

    def given(self) -> dict[str, Any]:
        """Only what the caller named."""
        return self.model_dump(mode="json", exclude_unset=True)


class CorrectionBody(Body):
    """POST /v1/orders/{source}/{order_id}/corrections: what is wanted in the end."""

    goal: Literal["cancel", "refund", "correct"]
    reason: Text
    refund: RefundBody | None = Field(default=None, description="goal 為 refund 時必填")
    refund_id: RefundId | None = Field(
        default=None, description="goal 為 refund 時必填；永久有效，同一退款重送不會重複折讓"
    )
    corrections: CorrectionsBody = CorrectionsBody.model_construct()
    order_total_twd: int | None = Field(
        default=None, ge=1, description="訂單實際交易金額（退款前），與發票金額不同時填寫"
    )
    mode: Literal["new_number", "same_number"] = "new_number"
    online_email: Email = Field(default="", description="需要折讓時，以電子郵件請買受人線上同意")
    evidence: FactsBody = FactsBody.model_construct()
    dry_run: bool = False

    @model_validator(mode="after")
    def _complete(self) -> CorrectionBody:
        if self.goal == "refund" and self.refund is None:
            raise PydanticCustomError("refund_missing", "refund")
        if self.goal == "refund" and not self.refund_id and not self.dry_run:
            raise PydanticCustomError("refund_id_missing", "refund_id")
        for name in _OTHER_GOALS[self.goal]:
            if name in self.model_fields_set and getattr(self, name) != type(self).model_fields[name].get_default():
                raise PydanticCustomError("other_goal", "not for this goal", {"field": name})
        return self


#: what another goal is told with: dropped silently, it would have been somebody's wish
_OF_REFUND, _OF_CORRECTION = ("refund",), ("corrections", "order_total_twd", "mode")
_OTHER_GOALS = {"cancel": (*_OF_REFUND, *_OF_CORRECTION), "refund": _OF_CORRECTION, "correct": _OF_REFUND}


class AllowanceBody(_RefundPart):
    """POST /v1/invoices/{id}/allowances: an allowance, also where a void were possible."""

    reason: Text
    refund_id: RefundId
    online_email: Email = Field(default="", description="以電子郵件請買受人線上同意")
    evidence: FactsBody = FactsBody.model_construct()

    @model_validator(mode="after")
    def _one_way(self) -> AllowanceBody:
        _one_of_three(self)
        return self


class FilingBody(Body):
    """PUT /v1/filings/{period}: the period was filed, so nothing of it can be void any more."""

    filed_at: Annotated[str, StringConstraints(max_length=40)] = Field(
        default="", description="申報時間 RFC 3339；未給則為現在"
    )


class AllowanceMessage(InvoiceMessage, AllowanceBody):
    """A message of the allowance queue."""

    command: Literal["allowance"]
