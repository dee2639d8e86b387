"""What GET /v1/deadlines answers (期限), as models: see ``contract_models``."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from tools.contract_values import AllowanceId, Instant, InvoiceId, Told


class ClosingOrder(Told):
    """Which order it is about."""

    source: str
    """Where the order id comes from"""
    order_id: str
    """訂單編號, exactly as given"""


class Closing(Told):
    """One deadline of one document (期限)."""

    kind: Annotated[str, Field(pattern="^[a-z_]+$")]
    """What closes: `void` 作廢, `same_number` 註銷重開, `allowance_void` 折讓作廢, `upload` 上傳, `filing` 申報; new
    ones may be added"""
    at: Instant
    safe_at: Instant | None
    """A stricter reading of the rule, where there is one"""
    document: str
    """`invoice`, `void`, `allowance` or `allowance_void`"""
    number: str
    """發票號碼 or 折讓單號碼"""
    invoice_id: InvoiceId
    allowance_id: AllowanceId | None
    """The allowance, where the document is one or its void"""
    order: ClosingOrder
    message: str
    """What is possible until then, and after it, for the merchant's staff"""
    source: str
    """The law, or the centre's page, that it follows"""


class FilingPeriod(Told):
    """What is filed at once (申報期別), and until when."""

    period: Annotated[str, Field(pattern="^[0-9]{5}$")]
    """期別, or for monthly filers the month"""
    void_closes_at: Instant
    filing_due: Instant
    filed_at: Instant | None
    """As told by `markFiled`"""


class Deadlines(Told):
    """What of the merchant's documents closes soon (即將到期), a page of it."""

    deadlines: list[Closing]
    """Of this page's orders, what closes first comes first"""
    periods: list[FilingPeriod]
    """Those of this page's documents"""
    invoices_of: list[str]
    """The periods whose invoices are read"""
    next: str | None
    """`cursor` of the next page; null after the last, which alone ends a reading"""
