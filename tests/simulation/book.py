"""One order's history as a bookkeeper of its own would keep it (帳冊): every document, and everything that was told."""

from __future__ import annotations

from dataclasses import dataclass, field

from einvoice.model import OrderKey
from tests.simulation.documents import HOLDING, LIVE, Document, Slip
from tests.simulation.requests import reason_of

REISSUING = "資料更正"  # the reason of an allowance that lets a new invoice take its place


@dataclass
class Book:
    """Every document the order ever got, what was told of it, and what the merchant asked for."""

    key: OrderKey
    totals: frozenset[int]  # what its requests say the order is worth
    documents: list[Document] = field(default_factory=list)
    told_failed: dict[str, float] = field(default_factory=dict)  # order number at the centre -> when
    void_failed: dict[str, float] = field(default_factory=dict)  # invoice number -> when
    allowance_failed: dict[tuple[str, str], float] = field(default_factory=dict)  # invoice number, reason -> when
    numbers: dict[int, str] = field(default_factory=dict)  # generation -> number told
    refunds: dict[str, int] = field(default_factory=dict)  # refund id -> the plan that was told for it
    cancels: list[float] = field(default_factory=list)  # queue's voids that were acknowledged as done
    restored: bool = False
    history: list[tuple[str, str, str]] = field(default_factory=list)  # step, ok / fail / info, what

    def living(self) -> list[Document]:
        """Invoices that bill something: issued, not void, and not allowed in full."""
        return [document for document in self.documents if document.billed_twd > 0]

    def by_number(self, number: str) -> Document | None:
        """The invoice of this number, if it is one of this order's."""
        return next((document for document in self.documents if document.number == number), None)

    def slips(self, *, refunds_only: bool = False) -> list[Slip]:
        """The allowances, those of void invoices too."""
        every = (slip for document in self.documents for slip in document.slips)
        return [slip for slip in every if not refunds_only or slip.reason != REISSUING]

    def refunded_twd(self) -> int:
        """What the buyer got back of it, as the centre's books say."""
        return sum(slip.total_twd for slip in self.slips(refunds_only=True) if slip.status == LIVE)

    def given_back_twd(self) -> int:
        """The same, with what was allowed so that the invoice could be replaced, but nothing replaces it."""
        last = max((place for place, document in enumerate(self.documents) if not document.void), default=0)
        ended = (slip for document in self.documents[last:] for slip in document.slips if slip.reason == REISSUING)
        return self.refunded_twd() + sum(slip.total_twd for slip in ended if slip.status == LIVE)

    def given(self, refund_id: str) -> list[Slip]:
        """The allowances that give this refund, or may."""
        reason = reason_of(refund_id)
        return [slip for slip in self.slips() if slip.reason == reason and slip.status in HOLDING]
