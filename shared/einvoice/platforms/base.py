"""What a shop platform (電商平台) tells us, in our terms: the adapters map, nothing here knows a platform's spelling.

An adapter is one folder with the same three files: ``webhook`` (is this body the platform's, and what is it about),
``mapping`` (the platform's order as ours: pure), ``client`` (fetching an order again).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol

from einvoice.errors import EinvoiceError, Violation
from einvoice.model import Order

Json = Mapping[str, Any]
"""One JSON object. Numbers with a point were read as ``Decimal``; nothing here computes with binary floats."""


class Stage(StrEnum):
    """A stage of an order's life (訂單階段)."""

    PAID = "paid"  # 已付款
    SHIPPED = "shipped"  # 已出貨
    ARRIVED = "arrived"  # 已到店
    PICKED_UP = "picked_up"  # 已取貨
    CANCELLED = "cancelled"  # 已取消
    RETURNED = "returned"  # 已退貨 (the whole order)


class Change(StrEnum):
    """What a notice may be about other than a stage."""

    REFUND = "refund"  # 退款, whole or part
    UPDATE = "update"  # anything else that may matter


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A platform's order as it stood at ``updated_at`` (訂單快照).

    ``order_id`` is the one canonical id, whatever spelling the platform used; ``number`` is what people call the order.
    ``order`` is what would be invoiced; None where the content could not be mapped, and then ``violations`` says why,
    with both figures where sums differ. ``order.sold_on`` is left empty: which stage is the sale, the merchant decides.

    ``stages`` says which stages stand, and when they were reached (aware). A stage whose time the platform does not
    tell carries ``updated_at``, the latest it can have been: the first snapshot that shows it is nearest to the truth.
    An order whose money went back as a whole, or is about to, is not PAID. ``refunded_total_twd`` is cumulative.
    ``invoiced_elsewhere``: number of a living invoice that the platform shows for the order; empty: none.
    """

    order_id: str
    updated_at: datetime
    currency: str
    order: Order | None
    violations: tuple[Violation, ...] = ()
    stages: dict[Stage, datetime] = field(default_factory=dict)
    refunded_total_twd: int = 0
    cash_on_delivery: bool = False
    invoiced_elsewhere: str = ""
    number: str = ""


@dataclass(frozen=True, slots=True)
class Notice:
    """What a webhook is about (平台通知): which shop, which event, which order.

    A signature covers the body only, so ``shop`` is a claim: act only where it is the shop the secret belongs to.
    ``about`` is the sender's word, for logs and priorities; what to do is decided from a snapshot.
    ``order`` is the order as sent, for ``mapping.snapshot``; None where the body holds too little of it.
    ``fingerprint`` is the same for every delivery of one body, and differs between shops, topics and orders. Platforms
    give no delivery id; two states within the same second of ``updated_at`` are told apart, as its bytes are hashed.
    """

    shop: str
    topic: str
    order_id: str  # canonical
    fingerprint: str
    about: Stage | Change
    order: Json | None

    @property
    def thin(self) -> bool:
        """Whether the order must be fetched before it can be mapped."""
        return self.order is None


class PlatformFailure(EinvoiceError):
    """A platform's API did not give what was asked. ``cause`` is stable; ``said`` its own words, cut, for a person."""

    def __init__(self, cause: str, said: str = "") -> None:
        super().__init__(cause)
        self.cause, self.said = cause, said


class TryLater(PlatformFailure):
    """Nothing is wrong with the question (TIMEOUT, UNREACHABLE, BUSY, BROKEN): ask again, not before the seconds."""

    def __init__(self, cause: str, said: str = "", *, retry_after_s: int | None = None) -> None:
        super().__init__(cause, said)
        self.retry_after_s = retry_after_s


class FixAccess(PlatformFailure):
    """The token is wrong, withdrawn or lacks a scope (UNAUTHORISED, FORBIDDEN): the merchant connects the shop anew."""


class NoSuchOrder(PlatformFailure):
    """The platform holds no such order of this shop (NOT_FOUND)."""


class Incomprehensible(PlatformFailure):
    """An answer nobody foresaw (BAD_STATUS, REDIRECTED, UNREADABLE, ERROR_ONLY, TOO_LARGE, TOO_MANY): ask a person."""


class Orders(Protocol):
    """One shop's orders. Methods raise ``PlatformFailure`` and nothing else."""

    def fetch(self, order_id: str) -> Json:
        """The order with this canonical id, for ``mapping.snapshot``."""

    def updated_since(self, since: datetime) -> Iterator[Json]:
        """Orders changed at or after an aware instant, and perhaps earlier ones; each once, page by page."""
