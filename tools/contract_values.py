"""Words, states and texts that several answers share (共用的值), for the models of the published contract."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from einvoice.application.generations import ALLOWED
from einvoice.application.heads import REPLACED
from einvoice.edge import texts
from einvoice.errors import Reason
from einvoice.rules.correction import Do
from einvoice.store.base import State


def _spelled(enum: type[StrEnum], words: dict[str, str]) -> str:
    return "；".join(f"`{one.value}` {words[one.value]}" for one in enum)


def _named(name: str, words: dict[str, str], about: str) -> type[StrEnum]:
    made = StrEnum(name, [(one, one) for one in words])  # type: ignore[misc] # a table of the service's own
    made.__doc__ = f"{about}: {_spelled(made, words)}"
    return made  # type: ignore[return-value] # mypy takes a name that is not literal for no enum


_INVOICE_STATES = [state.value for state in State if state is not State.WANTED] + [ALLOWED, REPLACED]
InvoiceState = StrEnum("InvoiceState", [(name, name) for name in _INVOICE_STATES])  # type: ignore[misc] # the ledger's own
InvoiceState.__doc__ = f"State (狀態) of one invoice: {_spelled(InvoiceState, texts.STATES)}"
OrderState = StrEnum("OrderState", [(state.value, state.value) for state in State])  # type: ignore[misc] # the same
OrderState.__doc__ = f"State (狀態) of an order's newest invoice: {_spelled(OrderState, texts.STATES)}"
NextAction = StrEnum("NextAction", [(reason.value, reason.value) for reason in Reason])  # type: ignore[misc] # the same
NextAction.__doc__ = f"What to do next (下一步): {_spelled(NextAction, texts.NEXT_STEPS)}"


PlanState = _named("PlanState", texts.PLAN_STATES, "Where a correction (更正) stands")
Goal = _named("Goal", texts.GOALS, "What a correction (更正) wants in the end")
AllowanceState = _named("AllowanceState", texts.ALLOWANCE_STATES, "State (狀態) of one allowance")
StepKind = _named("StepKind", {one.value: texts.STEPS[one.value] for one in Do}, "What is done, or why nothing is")


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
AllowanceId = Annotated[
    str,
    Field(pattern="^[A-Za-z0-9_-]+$", description="折讓識別碼: opaque; names one allowance of one order for ever"),
]
Causes = Annotated[
    str,
    Field(pattern="^[A-Z0-9_]+(, [A-Z0-9_]+)*$", description="Why, or every rule that was broken"),
]
Code = Annotated[str, Field(pattern="^[A-Z0-9_]+$", description="Stable; new ones may be added (docs/api.md)")]
DecimalText = Annotated[str, Field(pattern=r"^-?[0-9]+(\.[0-9]+)?$")]


class Told(BaseModel):
    """A part of an answer (回覆的一部分); its fields are explained by the sentence below each."""

    model_config = ConfigDict(use_attribute_docstrings=True)


class Void(Told):
    """The void (作廢)."""

    reason: str | None
    """作廢原因"""
    at: Instant | None
    """When the void was certain; null for a number that lives on with another content (註銷重開)"""
