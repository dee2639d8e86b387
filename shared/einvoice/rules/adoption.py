"""Is the document a centre holds under our order number the one we asked for (認領比對)?

An invoice found after an unknown answer is taken over only if it is the same. Everything a buyer or the tax office
would notice is compared; status (void, upload) is not content. A difference keeps both values for a person to look at:
they may hold a 統編 or a carrier, so they belong in the ledger and never in a log.
"""
# ruff: noqa: D102 - the properties of the two protocols are named, and mean, what einvoice.model says

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Protocol

from einvoice.model import CarrierKind, Line, Order
from einvoice.rules import decimals, law


class DocumentLine(Protocol):
    """One line as the centre holds it."""

    @property
    def name(self) -> str: ...
    @property
    def quantity(self) -> str: ...
    @property
    def amount_twd(self) -> int: ...


class Document(Protocol):
    """What is compared of a document the centre holds, in our terms; instants are aware."""

    @property
    def issued_at(self) -> datetime: ...
    @property
    def total_twd(self) -> int: ...
    @property
    def ubn(self) -> str: ...
    @property
    def tax_type(self) -> str: ...
    @property
    def carrier_kind(self) -> str: ...
    @property
    def carrier_number(self) -> str: ...
    @property
    def love_code(self) -> str: ...
    @property
    def print_paper(self) -> bool: ...
    @property
    def lines(self) -> Sequence[DocumentLine]: ...


@dataclass(frozen=True, slots=True)
class Difference:
    """One field that is not the same, both values as text."""

    field: str
    ours: str
    theirs: str


def differences(
    order: Order, found: Document, *, first_sent_at: datetime, now: datetime, skew: timedelta
) -> list[Difference]:
    """Everything in which ``found`` is not ``order``, an order that passed ``issue.check``; empty: it is the same.

    Its date must lie within our first send and now, each clock allowed to be ``skew`` off.
    """
    pairs = [*_head_pairs(order, found), *_line_pairs(order.lines, found.lines)]
    earliest, latest = first_sent_at - skew, now + skew
    found_differences = [Difference(field, ours, theirs) for field, ours, theirs in pairs if ours != theirs]
    if not earliest <= found.issued_at <= latest:
        window = f"{earliest.isoformat()}/{latest.isoformat()}"
        found_differences.append(Difference("issued_at", window, found.issued_at.isoformat()))
    return found_differences


def _head_pairs(order: Order, found: Document) -> Iterator[tuple[str, str, str]]:
    carrier = order.carrier
    yield "total_twd", str(order.total_twd), str(found.total_twd)
    yield "ubn", order.buyer.ubn, found.ubn
    yield "tax_type", order.tax_type.value, found.tax_type
    yield "carrier_kind", carrier.kind.value if carrier else "", found.carrier_kind
    if carrier is None or carrier.kind is not CarrierKind.MEMBER:  # a member's number is the centre's to give
        yield "carrier_number", carrier.number if carrier else "", found.carrier_number
    yield "love_code", order.love_code, found.love_code
    yield "print_paper", str(order.print_paper), str(found.print_paper)


def _line_pairs(ours: Sequence[Line], theirs: Sequence[DocumentLine]) -> Iterator[tuple[str, str, str]]:
    yield "lines", str(len(ours)), str(len(theirs))
    for index, (our, their) in enumerate(zip(ours, theirs, strict=False)):  # the count above tells of a missing line
        yield f"lines[{index}].name", our.name.strip(), their.name.strip()  # blanks at the ends are not content
        yield f"lines[{index}].quantity", decimals.canonical(our.quantity), _canonical_text(their.quantity)
        yield f"lines[{index}].amount_twd", str(our.amount_twd), str(their.amount_twd)


def _canonical_text(quantity: str) -> str:
    """The centre's quantity in our spelling; unreadable text stays as it is and so becomes a difference."""
    try:
        value = Decimal(quantity)
    except InvalidOperation:
        return quantity
    return (
        decimals.canonical(value)
        if value.is_finite() and value.adjusted() <= law.MAX_NUMBER_INTEGER_DIGITS
        else quantity
    )
