"""The ways a request can end other than well (錯誤): named after what the caller does next.

Codes are stable and never translated; messages may be reworded.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Reason(StrEnum):
    """What the caller does next (下一步)."""

    FIX_REQUEST = "FIX_REQUEST"
    ORDER_HAS_INVOICE = "ORDER_HAS_INVOICE"
    WAIT = "WAIT"
    VOID_ALLOWANCES_FIRST = "VOID_ALLOWANCES_FIRST"
    USE_ALLOWANCE = "USE_ALLOWANCE"
    ADD_NUMBERS = "ADD_NUMBERS"
    FIX_CREDENTIALS = "FIX_CREDENTIALS"
    PROVIDER_BUSY = "PROVIDER_BUSY"
    ALREADY_DONE = "ALREADY_DONE"
    ASK_A_PERSON = "ASK_A_PERSON"


@dataclass(frozen=True, slots=True)
class Violation:
    """One broken rule (違規): a stable ``code``, the ``path`` in the request, a Chinese sentence for shop staff."""

    code: str
    path: str
    message: str


class EinvoiceError(Exception):
    """Base of every answer that is not an invoice."""


class InvalidRequest(EinvoiceError):
    """The request breaks rules (422): every violation at once; nothing was stored or sent."""

    def __init__(self, violations: list[Violation]) -> None:
        super().__init__(", ".join(v.code for v in violations))
        self.violations = violations


class Conflict(EinvoiceError):
    """What stands in the ledger is in the way (409 or 422): ``cause`` is the stable code, ``reason`` the next step."""

    def __init__(
        self, reason: Reason, cause: str, message: str, *, status: int = 409, retry_after_s: int | None = None
    ) -> None:
        super().__init__(cause)
        self.reason, self.cause, self.message = reason, cause, message
        self.status, self.retry_after_s = status, retry_after_s


class NotFound(EinvoiceError):
    """No such order or invoice for this merchant (404)."""


class StoreUnavailable(EinvoiceError):
    """The ledger could not be reached; the caller decides by what was already sent (503 before, 202 after)."""


class MerchantUnusable(EinvoiceError):
    """The merchant has no usable settings or credentials (503 before anything was sent): ``cause`` says which."""

    def __init__(self, cause: str) -> None:
        super().__init__(cause)
        self.cause = cause
